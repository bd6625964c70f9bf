//! Publication of case progress (công khai tiến độ giải quyết hồ sơ) and indicators.
//!
//! Each entry of a dossier's log rewrites one `fact`, and in the same transaction the difference between the old and the new fact
//! goes into monthly counters ([`model::Effect`]); the entries that wait are followed many at a time. Pages and API read counters:
//! what stood at the end of a month is what stands now, less the changes since. Only what is overdue is asked of the facts, up to
//! a limit. [`Insight::rebuild`] makes everything anew from the dossiers.

pub mod api;
mod jobs;
pub mod model;
pub mod pages;
mod service;
mod store;
#[cfg(test)]
mod tests;

pub use model::{Line, Report, ServiceLine};
pub use service::{Headline, Insight, OVERDUE_LIMIT};

/// The tables of figures.
pub const MIGRATIONS: ::store::Migrations =
    ::store::migrations!("insight", "0001_insight", "0002_month_ends", "0003_asked_again");
