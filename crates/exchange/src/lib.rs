//! The exchange: agencies that never met trust each other's messages.
//!
//! [`model`] is the core without sockets and without a database: every function is one of bytes and values, so it can be
//! fuzzed and checked against its specification. [`journal`] says what passed afterwards. The edge speaks the X-Road message protocol for REST (PR-REST
//! 1.0), the Vietnamese adapter's dialect and GovStack's; between nodes a message is the record that `docs/protocol.md`
//! gives.

pub mod gateway;
pub mod directory;
pub mod access;
pub mod journal;
pub mod events;
pub mod conformance;
pub mod model;

/// The tables of this crate.
pub const MIGRATIONS: ::store::Migrations = ::store::migrations!("exchange", "0003_journal");
