//! Records of one registry that may speak of the same person or thing: found in the background, judged by a steward.
//!
//! A registry declares in `linkage.toml` how ([`crate::model::Duplicates`]). Whatever is recorded, by whichever way it came, is compared
//! with the records that share some fields with it; pairs that are likely enough wait in a queue, each with its reason in words.
//! **Nothing is merged by itself.** A merge ends the one record and points at the other; its undoing corrects that end away, so that
//! both are as before, and the history of both shows it all.
//!
//! Pairs that hang together are one [`Group`], in which decisions have to agree. Whoever names a merged record by its key gets a
//! finding with the key in its place, and nothing is overwritten; at other nodes, too, where the keeper tells of merges ([`heard`]).
//! By the same model rows of a file that shares no key with the registry are compared with its records ([`files`]).

mod counts;
mod decide;
pub mod files;
mod groups;
pub mod heard;
mod moved;
pub mod pages;
mod propose;
mod score;

pub(crate) use counts::forget;
pub use groups::{Group, MOST_RECORDS};

pub use decide::{Act, Keep, Pair, PairId, State, Verdict};
