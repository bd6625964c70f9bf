//! Which records speak of the same person, found without a shared key and explained.
//!
//! A [`Model`] says what is compared; [`Records`] are what is compared; a [`Linker`] puts one over the other: it trains the
//! model without labels, scores the pairs that blocking rules find, and explains each. [`cluster`] makes persons of pairs,
//! [`policy`] says which pairs no officer needs to see, and [`journal`] keeps what officers decided and how to undo it.
//!
//! Nothing here reads a file but [`files`], [`columnar`] and [`command`]. What comes out is the same for every number of threads.

mod block;
pub mod cluster;
pub mod columnar;
pub mod command;
mod compile;
mod dates;
mod dictionary;
mod distance;
pub mod explain;
pub mod files;
mod frequencies;
pub mod journal;
mod layout;
mod linker;
mod model;
mod parallel;
pub mod plan;
pub mod policy;
mod program;
mod scalar;
mod sql;
mod table;
pub mod train;
pub mod truth;
mod weights;

pub use block::Oversized;
pub use distance::Distance;
pub use frequencies::Frequencies;
pub use linker::{Effort, Linker, Looked, Scored};
pub use model::{Comparison, Condition, Level, LinkType, Model, TermFrequency, When, probability_of, weight_of};
pub use parallel::threads_here;
pub use table::Records;
