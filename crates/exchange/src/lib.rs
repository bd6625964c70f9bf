//! The exchange: agencies that never met trust each other's messages.
//!
//! ```text
//! model         the words and rules of everything below: bytes and values, no sockets, no database
//! directory     who is a member, at which addresses, under which keys; joining
//! gateway       messages between information systems and other nodes (docs/protocol.md)
//! access        what a node hosts, who may call it, and how that is asked for and granted
//! journal       what can be said of messages afterwards: search, evidence, the data tracker, monitoring
//! map           who talks with whom at this moment, as the members tell it
//! events        what happened, for those who subscribe (docs/events.md)
//! conformance   does a live service keep to its description and the house rules (docs/service-rules.md)
//! ```
//!
//! The edge speaks the X-Road message protocol for REST (PR-REST 1.0), the Vietnamese adapter's dialect and GovStack's.

pub mod access;
mod builtin;
mod caller;
pub mod conformance;
pub mod directory;
pub mod events;
pub mod gateway;
pub mod journal;
pub mod map;
pub mod model;
mod zip;

pub use builtin::{BUILT_IN, BuiltIn, CONSULTATIONS, QUESTIONS, QUESTIONS_ROUTER, REGISTRIES, routers};
pub use caller::{Caller, Said};

/// The tables of this crate.
pub const MIGRATIONS: ::store::Migrations = ::store::migrations!(
    "exchange",
    "0001_access",
    "0002_directory",
    "0003_journal",
    "0004_events",
    "0005_traffic",
    "0006_conformance",
    "0007_event_keys",
    "0008_service_credential",
    "0009_logs"
);
