//! The database: one code path over SQLite (embedded) and PostgreSQL.
//!
//! * SQL is written once, with `$1` placeholders, which both drivers accept.
//! * Reads go through [`Store::read`]; writes through [`transact!`], which replays its block on a serialisation conflict.
//! * On SQLite one connection writes. Transactions that wait for it share one durable commit, so that a hundred
//!   clerks cost one `fsync`, and every answer is on disk before it is given.
//! * Files are content-addressed and encrypted at rest ([`blobs`]); deferred work is a row in the same transaction ([`jobs`]).

pub mod backup;
pub mod blobs;
mod engine;
mod gather;
mod idempotency;
pub mod jobs;
mod load;
mod migrate;
mod numbers;
mod params;
mod query;
#[cfg(feature = "testkit")]
pub mod testkit;
mod tx;
mod writer;

pub use engine::{Config, Engine, Faults, Store};
pub use gather::Gather;
pub use idempotency::{Claim, Once};
pub use jobs::Job;
pub use load::Column;
pub use migrate::{Migrations, Step};
pub use params::{MOST_VALUES, Param, among, padded, placeholders, powers};
pub use query::{Read, Reader};
pub use sea_orm::{self, FromQueryResult as Row};
pub use tx::{Ended, Tx};

/// The tables of this crate; first in every composition.
pub const MIGRATIONS: Migrations = migrations!(
    "store",
    "0001_store",
    "0002_job_trace",
    "0003_job_generation",
    "0004_job_by_kind"
);
