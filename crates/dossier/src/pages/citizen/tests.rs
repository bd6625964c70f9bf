//! A person at the pages, without JavaScript: real packages, real store, every page in both languages.

mod assurance;
mod filing;
mod following;
mod foresight;
mod handling;
mod leaves;
mod notices;
mod supplement;
mod town;
