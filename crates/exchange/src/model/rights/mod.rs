//! Who may call what, why, and until when. Nobody may anything unless a grant says so.
//!
//! A grant is more than X-Road's: it names purposes, a legal basis, a time, a rate and which fields of the answer the
//! consumer may see. What is compared is the raw path, as it is forwarded ([`crate::model::address::ServicePath`]).

mod decide;
mod grant;
mod mask;
mod pattern;
mod rate;

pub use decide::{Call, Decision, Miss, NearMiss, decide};
pub use grant::{Grant, GrantId, GrantKind, GrantState, Methods};
pub use mask::FieldMask;
pub use pattern::{Pattern, PatternFlaw};
pub use rate::{Bucket, Rate};
