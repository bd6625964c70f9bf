//! Where people live: the administrative units before and after 1 July 2025, and addresses in them.

mod address;
mod provinces;
mod units;

pub use address::{Address, Detail};
pub use provinces::{PROVINCES, Province};
pub use units::{Commune, Unit, UnitSources, Units};
