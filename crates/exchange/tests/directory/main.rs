//! The directory over real sockets and real folders.
#![expect(clippy::unwrap_used, reason = "tests")]

mod bytes;
mod distribution;
mod hostile;
mod joining;
mod members;
mod office;
mod pages;
mod support;
