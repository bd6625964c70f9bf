//! An invented country that holds together, from one seed: people and their families, companies, jobs, insurance, taxes and
//! customs through a century, what the state heard of it and when, and what agencies wrote down with all their mistakes.
//! Nobody in it exists. See `README.md`.

mod cast;
mod community;
mod country;
mod day;
mod dice;
mod families;
pub mod history;
pub mod mess;
pub mod people;
pub mod places;
mod plan;
pub mod trade;
pub mod work;
pub mod write;

pub use cast::Part;
pub use community::Community;
pub use country::{Country, Options};
pub use day::{Day, MERGER};
pub use places::{UnitSources, Units};
