//! What one call did on every node that it passed: trace context as W3C Trace Context Level 2 has it, and spans.
//!
//! ```text
//! Tracer ──receive, begin──► Span ──(dropped: it has ended)──► a bounded queue ──► whoever exports
//!                              │
//!                           Context ──write──► traceparent, tracestate of the next request
//! ```
//! A tracer that is off makes spans that are nothing: no memory, no randomness, no header is read. One that is on never
//! waits: when the queue is full, spans are dropped and counted. No I/O here; the binary exports.
//!
//! **A span holds no personal data.** It has a name that is fixed in the code or a route's pattern, and attributes whose
//! names are those of [`Key`]: no path, no query, no header of a client, no text that somebody chose.

mod context;
mod span;
mod state;
mod tracer;

pub use context::{Context, TRACEPARENT, TRACESTATE};
pub use span::{Attribute, Finished, Key, Kind, Span, Value};
pub use state::LONGEST_STATE;
pub use tracer::{Sampling, Tracer};
