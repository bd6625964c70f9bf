//! The tables of events; nobody else touches them. Who writes to a log, or to what depends on its end, holds the row of
//! `event_head` first: [`log::claim`], [`log::hold`].

pub mod deliveries;
pub mod follow;
pub mod log;
pub mod subscriptions;
pub mod types;
