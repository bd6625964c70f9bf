//! What people see: page layout, components, charts, QR codes, PDF documents and the assets of the browser.
//! Knows no domain: it is given text, links and numbers. `README.md` beside this crate is the guide for page authors.

// The templates name this crate by its path, here as in the crates that extend them.
extern crate self as view;

pub mod assets;
pub mod chart;
pub mod files;
mod format;
mod headers;
mod page;
pub mod pdf;
mod qr;
pub mod styleguide;
pub mod theme;
pub mod ui;

pub use assets::asset;
pub use format::{Whole, decimal, number};
pub use headers::{SecurityHeaders, security_headers};
pub use page::{Link, NavItem, Notice, Page, Site, UserBadge, error_response, html};
pub use qr::qr;
