//! Persons: names, numbers, life spans.

mod ethnicity;
mod life;
mod names;
mod numbers;
mod person;

pub use ethnicity::Ethnicity;
pub(crate) use life::{births_in, death_after, expected_living};
pub use names::{Name, Order};
pub(crate) use names::{Region, foreigner, name_of};
pub use numbers::MAX_COMMUNITIES;
pub(crate) use numbers::{Numbers, company_stem};
pub use person::{Marriage, Person, PersonId, Residence};
