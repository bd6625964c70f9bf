//! A dossier (hồ sơ) from application to result: intake, deadlines, process steps, consultations, delivery.
//!
//! A dossier *is* its action log ([`model::action`]); everything else is a fold over it ([`model::state`]).

pub mod api;
pub mod consult;
pub mod model;
pub mod pages;
pub mod proposal;
pub mod service;
mod store;

/// The tables of dossiers.
pub const MIGRATIONS: ::store::Migrations = ::store::migrations!(
    "dossier",
    "0001_dossier",
    "0002_uploads_and_waiting",
    "0003_foresight",
    "0004_notices",
    "0005_leaves",
    "0006_consultations",
    "0007_facts",
    "0008_codes_asked",
    "0009_proposals",
    "0011_opinion_files",
    "0012_proposals_stuck",
    "0013_proposals_awaited"
);
