//! The catalogue of procedures (danh mục thủ tục hành chính): what was published, in versions; search; import; the pages
//! on which anyone finds a service and how to file it; the API.

pub mod api;
pub mod import;
mod judge;
pub mod model;
pub mod oddity;
mod packaged;
mod pages;
mod routes;
pub mod search;
pub mod service;
pub mod show;
pub mod store;

pub use pages::{APPLY, icon, preview};
pub use routes::router;
pub use service::{Catalogue, Offer, Snapshot};

/// The tables of the catalogue.
pub const MIGRATIONS: ::store::Migrations = ::store::migrations!("procedure", "0001_catalogue");

#[cfg(test)]
mod tests;
