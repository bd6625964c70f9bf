//! Taxes and customs.

mod customs;
mod tax;

pub(crate) use customs::declare;
pub use customs::{Declaration, Direction, GOODS, Goods};
pub(crate) use tax::assess;
pub use tax::{Payment, Return, Taxpayer};
