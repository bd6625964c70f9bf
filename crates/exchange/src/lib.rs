//! The exchange: agencies that never met trust each other's messages.
//!
//! What is here is the core without sockets and without a database: every function is one of bytes and values, so it
//! can be fuzzed and checked against its specification. The edge speaks the X-Road message protocol for REST (PR-REST
//! 1.0), the Vietnamese adapter's dialect and GovStack's; between nodes a message is the record that `docs/protocol.md`
//! gives.

pub mod conformance;
pub mod model;
