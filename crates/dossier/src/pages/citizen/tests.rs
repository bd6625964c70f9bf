//! A person at the pages, without JavaScript: real packages, real store, every page in both languages.

mod assurance;
mod filing;
pub(crate) mod following;
mod foresight;
pub(crate) mod handling;
mod leaves;
mod notices;
mod once;
mod supplement;
pub(crate) mod town;
mod writing;
