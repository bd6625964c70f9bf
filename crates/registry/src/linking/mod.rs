//! Records of one registry that may speak of the same person or thing: found in the background, judged by a steward.
//!
//! A registry declares in `linkage.toml` how ([`crate::model::Duplicates`]). Whatever is recorded, by whichever way it came, is compared
//! with the records that share some fields with it; pairs that are likely enough wait in a queue, each with its reason in words.
//! **Nothing is merged by itself.** A merge ends the one record and points at the other; its undoing corrects that end away, so that
//! both are as before, and the history of both shows it all.

mod decide;
pub mod pages;
mod propose;

pub use decide::{Act, Keep, Pair, PairId, State, Verdict};
