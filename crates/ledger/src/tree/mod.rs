//! The Merkle tree of RFC 6962 2.1: its growing right edge, its proofs and their verification.
//!
//! A node `(level, index)` is the root of the full subtree over the leaves `[index · 2^level, (index + 1) · 2^level)`.

mod edge;
mod plan;
mod verify;

pub use edge::{Edge, Growth};
#[cfg(test)]
pub(crate) use plan::subtree;
pub use plan::{Node, Plan, Tiles};
pub use verify::{verify_consistency, verify_inclusion};

/// Most hashes in a path: one for each level of a tree of 2^63 leaves (C2SP tlog-witness).
pub const LONGEST_PATH: usize = 63;
