//! Work: who founded which company, who worked where, who was insured.

mod companies;
mod industries;
mod insurance;
mod jobs;

pub use companies::{Branch, Company, Form, Insuring, Shop, Status};
pub(crate) use companies::{Founded, found};
pub use industries::{INDUSTRIES, Industry};
pub(crate) use insurance::insure;
pub use insurance::{Benefit, CardKind, Claim, Contribution, HealthCard, Insurance};
pub(crate) use jobs::employ;
pub use jobs::{Employer, Job};
