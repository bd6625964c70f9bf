//! Types and rules, no I/O. Each uses only those above it:
//!
//! ```text
//! escape  json  xml  pointer               how bytes are read and written
//! identifier  method  purpose  field       the words of a message
//! meanings                                 what purposes mean
//! error                                    how a message is refused
//! address  headers  request_hash           a call at the edge (X-Road PR-REST)
//! meta                                     who is there and what they offer (PR-META, PR-MREST)
//! rights                                   may it, and why
//! message                                  what one node sends another, and what its log keeps
//! tracker                                  whose data a message was about
//! monitor                                  how a message fared
//! schema                                   what a JSON Schema wants, in words
//! federation  hosting                      what the directory says, what this node hosts
//! ```

pub mod address;
pub mod error;
mod escape;
pub mod federation;
mod field;
pub mod headers;
pub mod hosting;
pub mod identifier;
mod json;
mod meanings;
pub mod message;
pub mod meta;
mod method;
pub mod monitor;
mod pointer;
mod purpose;
pub(crate) mod reason;
pub mod request_hash;
pub mod rights;
mod schema;
pub mod tracker;

pub use field::{Field, FieldFlaw, LONGEST_VALUE};
pub use json::JsonFlaw;
pub use meanings::Meanings;
pub use method::{Method, UnknownMethod};
pub use pointer::{Pointer, PointerFlaw};
pub use purpose::{Purpose, PurposeFlaw};
pub use schema::schema_words;
