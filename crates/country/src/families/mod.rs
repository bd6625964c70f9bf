//! Families: who is born to whom, who marries whom, who lives with whom, day by day from 1915.

mod couples;
mod history;
mod homes;
mod papers;

pub(crate) use history::{Lives, live};
