//! The directory over real sockets and real folders.
#![expect(clippy::unwrap_used, reason = "tests")]

mod bytes;
mod distribution;
mod hostile;
mod support;
