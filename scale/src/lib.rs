//! Linkage where the records are too many for one machine: the same model, as one statement of SQL for each blocking rule, over records
//! in buckets of Parquet, on a distributed engine that exists. `docs/scale.md` says when that is needed and what was measured.

mod blocking;
pub mod buckets;
mod clusters;
mod engine;
mod functions;
mod grouping;
pub mod link;
mod processes;
mod sources;
mod table;

pub use clusters::write_clusters;
pub use engine::{Engine, Place};
pub use processes::{Executor, run_executor, run_scheduler};
