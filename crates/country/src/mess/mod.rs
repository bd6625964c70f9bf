//! What agencies write of people: records with the mistakes that records have, each with the person it is truly of.

mod profile;
mod records;
mod slips;
pub mod spelling;

pub use profile::Profile;
pub use records::{Agency, Record, records};
pub use slips::{Slip, Slips};
