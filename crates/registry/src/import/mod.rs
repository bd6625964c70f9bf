//! Legacy files into a registry: CSV, XLSX, fixed width, lines of JSON.
//!
//! A run goes through the file once to know it again, then once to judge it, and once more to take it in; where bad rows are left out
//! and good ones kept (`keep_good`) it is judged while it is taken in. Rows are read by one thread, judged by several, and written in
//! their order, thousands in a transaction that notes the place in the file: a run that was killed goes on there, and the same file is
//! never taken in twice. Memory is bounded by the rows of one transaction, whatever the size of the file.
//!
//! Every row is a new record; or, where the mapping says so, the rows that follow one another with one key are. Its leaf in the transparency log follows by the job that any change enqueues.

mod cells;
mod constants;
mod fill;
mod items;
mod judge;
mod mapping;
mod needs;
mod places;
mod read;
mod report;
mod run;
mod suggest;
mod units;

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};

pub(crate) use cells::{Cells, Said, commune_of, number_of};
pub(crate) use mapping::sort_of;
pub use mapping::{Form, Mapping};
pub use run::import;
pub(crate) use suggest::recognise;
pub use suggest::suggest;

/// Records of one transaction: others who write to the registry, on SQLite to the node, wait so long, some four seconds. The more there
/// are, the more of them lie on one page of the index, which is written once.
pub const BATCH: usize = 65_536;

/// What to take in, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The file.
    pub file: PathBuf,
    /// The mapping ([`Mapping::from_toml`]).
    pub mapping: String,
    /// Where the report goes, as CSV; `.part` stands behind its name until the run is over.
    pub report: PathBuf,
    /// Whether good rows are kept where others are bad; else one bad row keeps everything out.
    pub keep_good: bool,
    /// Whether the file is only judged.
    pub dry_run: bool,
    /// Whether to go on where a run was broken off.
    pub resume: bool,
    /// Records of one transaction: [`BATCH`].
    pub batch: usize,
    /// Threads that judge.
    pub threads: usize,
}

/// What a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// It takes the fingerprint of the file.
    Reading,
    /// It judges the rows.
    Judging,
    /// It takes records in.
    Taking,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What it does.
    pub stage: Stage,
    /// Rows so far.
    pub rows: u64,
    /// Records so far that were refused.
    pub refused: u64,
    /// Bytes of the file behind it; in a workbook, where nobody knows, 0.
    pub bytes: u64,
    /// Bytes of the file.
    pub of: u64,
}

/// What a run found and did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Summary {
    /// Rows of data.
    pub rows: u64,
    /// The records that they are: as many, but where several rows are one.
    #[serde(default)]
    pub records: u64,
    /// Records that were taken in; in a dry run, that would be.
    pub taken: u64,
    /// Of these, records that a person should look at.
    pub doubtful: u64,
    /// Records that were refused.
    pub refused: u64,
    /// Findings by code.
    pub findings: BTreeMap<String, u64>,
    /// Whether anything was kept.
    pub kept: bool,
}
