//! Base registries (cơ sở dữ liệu, sổ đăng ký gốc): one truth for each fact, asked once.
//!
//! A registry is a folder ([`folder`]): what it is about, the schema of its records with a term of the common data dictionary for
//! each field, its rules of quality, what it offers. `docs/registry-folder.md` describes it. Its versions are kept on the
//! [`shelf`].

pub mod check;
pub mod folder;
pub mod model;
pub mod shelf;

/// The tables of this crate.
pub const MIGRATIONS: ::store::Migrations = ::store::migrations!("registry", "0001_registry");
