//! What a dossier is and how it may change. No input, no output.

pub mod action;
pub mod command;
pub mod foresight;
pub mod fresh;
pub mod notice;
pub mod state;
pub mod status;
pub mod writes;
