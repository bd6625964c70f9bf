//! The ground floor: codes, the working-day calendar, Vietnamese text, money, time, typed ids and refusals.
//!
//! Nothing here reads a file, a clock or a socket. Clock and randomness are passed in by the caller.

pub mod calendar;
pub mod codes;
pub mod deadline;
pub mod id;
pub mod lang;
pub mod money;
pub mod refusal;
pub mod text;
pub mod time;
pub mod xml;

pub use calendar::Calendar;
pub use id::Id;
pub use lang::{Lang, Text};
pub use money::Dong;
pub use refusal::{Error, Kind, Problem, Problems, Result};
pub use time::{Clock, Timestamp};
