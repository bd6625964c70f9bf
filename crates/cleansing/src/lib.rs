//! Legacy files and Vietnamese values, read as they are and written one way.
//!
//! [`read`] turns what agencies have (CSV, XLSX, fixed width; UTF-8, UTF-16, windows-1258, TCVN3, VNI) into rows of text with
//! their place. [`value`] writes each sort of value one way and says what it changed. [`address`] finds the unit of an address
//! in free text, across the merger of 1 July 2025. [`schema`] proposes dictionary terms for the columns of a database.
//! [`clean`] puts them together: file in, good rows and a report of the others out.
//!
//! Nothing is repaired in silence: a value is standardised (and the steps are kept), doubtful (kept, and said), or refused.

pub mod address;
pub mod clean;
pub mod encoding;
mod finding;
pub mod layout;
pub mod read;
pub mod schema;
mod syllable;
pub mod value;

pub use finding::{Finding, Raw, Severity};
