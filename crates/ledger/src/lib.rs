//! The transparency log under everything: exchange messages, dossier actions and reads of personal data are its leaves.
//!
//! * A leaf is a salted commitment ([`Commitment`]): provable for ever, erasable when the law says so.
//! * One writer takes everything that waits, syncs once, signs one checkpoint and answers each with an inclusion proof
//!   ([`Log::append`]). Nobody is answered before the disk has it.
//! * Everything that leaves is in the formats of C2SP: signed-note, tlog-checkpoint, tlog-cosignature, tlog-tiles,
//!   tlog-proof and tlog-witness; the tree is that of RFC 6962. [`verify()`] needs a text and keys, and no log.
//!
//! Layers, each using only those above it:
//!
//! ```text
//! hash  commitment                     what a leaf is
//! key  note  checkpoint  policy        who vouches for a tree
//! tiles  tree  proof  verify           what is proved, and how it is checked
//! segments                             the log on disk: the single source of truth
//! log  kept  publish  copy             append, prove, erase; the log of a node, the copies for the world and for a backup
//! witness  audit  http                 keeping logs honest
//! ```

pub mod audit;
mod checkpoint;
mod commitment;
mod copy;
mod error;
mod files;
mod hash;
#[cfg(feature = "http")]
pub mod http;
mod kept;
mod key;
mod log;
mod note;
mod policy;
mod proof;
mod publish;
mod segments;
pub mod tiles;
pub mod tree;
mod verify;
pub mod witness;

pub use checkpoint::{Checkpoint, SignedCheckpoint};
pub use commitment::{COMMITMENT_BYTES, Commitment, Kind, Opening, SALT_BYTES, Salt};
pub use copy::{Copied, copy};
pub use error::{Error, Result};
pub use hash::Hash;
pub use kept::{Ledger, Ledgers, Proved};
pub use key::{Algorithm, FileKey, KeyError, SignError, Signer, VerifierKey};
pub use log::{Log, Options, Receipt, Stamp, Work};
pub use note::{LARGEST_NOTE, MOST_SIGNATURES, MalformedNote, Note, Signature, Unverified, parse_signatures};
pub use policy::{Cosigner, Policy, PolicyError};
pub use proof::{LARGEST_PROOF, MalformedProof, Proof};
pub use publish::{Mirror, PublishError, Published};
pub use segments::{Damage, Flaw, Stored};
pub use verify::{Refusal, Verdict, verify};

/// Reads a decimal as C2SP writes it: no sign, no leading zero.
fn decimal(text: &str) -> Option<u64> {
    text.parse::<u64>().ok().filter(|n| n.to_string() == text)
}

/// Whole seconds since 1970, as signatures say them.
fn seconds(time: base::Timestamp) -> u64 {
    u64::try_from(time.micros() / 1_000_000).unwrap_or(0)
}
