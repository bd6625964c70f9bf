//! The directory (danh bạ) of the federation, and joining it.
//!
//! * [`Publisher`] (the operator's) signs editions into a folder of plain files; [`files`] or any web server serves it.
//! * [`Follower`] (every node's) has the newest edition from any mirror, verifies it against a pinned root, and shows it
//!   as a [`crate::model::federation::Standing`]. Stale is soft.
//! * [`Membership`] (the operator's) lets members in and keeps their entries; [`join`] is the other side of it.
//! * [`pages`] and [`api`] show it to people and programs.
//!
//! Layers, each using only those above it:
//!
//! ```text
//! refusal  seal  format        what is signed, how, and how it is refused
//! trusted  anchors             the rules; whom TLS believes
//! disk  publisher  follower  serve
//! membership  join             who is in, and how one gets in
//! api  pages
//! ```

mod anchors;
pub mod api;
mod disk;
mod follower;
mod format;
pub mod join;
pub mod membership;
pub mod pages;
mod publisher;
mod refusal;
mod seal;
mod serve;
mod trusted;

pub use anchors::{certified, trust_store};
pub use follower::{Follower, Following, Refreshed, Report};
pub use format::{BlobRef, Digest, Edition, EditionRef, File, Role, RoleName, Root, Stamp};
pub use membership::{Membership, Settings};
pub use publisher::{Due, Publisher, Quorum, Quorums, Signers, Validity};
pub use refusal::{Refusal, grouped, grouped_key};
pub use seal::{Document, Key, NamedSigner, Sealed, seal};
pub use serve::files;
