//! Base registries (cơ sở dữ liệu, sổ đăng ký gốc): one truth for each fact, asked once.
//!
//! A registry is a folder ([`folder`]): what it is about, the schema of its records with a term of the common data dictionary for
//! each field, its rules of quality, what it offers. `docs/registry-folder.md` describes it. Its versions are kept on the
//! [`shelf`].
//!
//! A record is a sequence of versions that is only added to, through valid time and recorded time ([`history`]). [`service`] takes
//! them in, finds and reads them, and makes each a leaf of the node's transparency log.
//!
//! Records are judged by the rules of their registry, and doubts of what they say are answered: [`quality`].
//!
//! Subscribers on the exchange are told of each version as the registry declares it: [`announce`].
//!
//! Who decides a dossier asks through [`lookup`], tells through [`keeper`] and [`contest`], and does not know where a registry is: [`here`]
//! answers from those of this node, [`elsewhere`] through the exchange, where [`offered`] answers at the node that keeps the registry.

pub mod announce;
pub mod api;
pub mod check;
pub mod contest;
pub mod coverage;
pub mod elsewhere;
pub mod folder;
pub mod here;
pub mod history;
pub mod import;
pub mod keeper;
pub mod linking;
pub mod lookup;
pub mod model;
pub mod offered;
pub mod pages;
pub mod quality;
pub mod question;
pub mod service;
pub mod shelf;
mod store;
mod wire;

/// The tables of this crate.
pub const MIGRATIONS: ::store::Migrations = ::store::migrations!(
    "registry",
    "0001_registry",
    "0002_records",
    "0003_orders",
    "0004_quality",
    "0005_doubts",
    "0006_imports",
    "0007_pairs",
    "0008_pseudonyms",
    "0009_answers",
    "0010_runs",
    "0011_told",
    "0012_asked",
    "0013_ordered",
    "0014_found",
    "0015_times",
    "0017_files",
    "0018_groups",
    "0019_merges",
    "0020_void_orders",
    "0021_doubt_files",
    "0022_earlier_merges"
);
