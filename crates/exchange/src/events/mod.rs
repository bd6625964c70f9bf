//! Events (sự kiện): a subsystem says what happened, others learn of it in their own time.
//!
//! A type of event has one log. Positions in it are 1, 2, 3 … without gaps; whoever publishes draws them from a row that is held
//! until the commit, so what is visible is always a beginning of the log, also with many publishers in many processes.
//! A reader has a cursor; it can neither skip nor see twice, and is told when what it missed is no longer kept.
//!
//! | Who | How |
//! |---|---|
//! | an information system publishes, subscribes, pulls | [`govstack`]: GovStack's addresses, below the gateway |
//! | a crate of this node publishes | [`Events::publish_in`], in its own transaction |
//! | a crate of this node follows another node | [`Subscriber`] |
//! | a steward approves, refuses, pauses | [`pages`], [`api`] |
//! | a subscriber is told of news | [`webhook`] |

pub mod api;
mod follow;
pub mod govstack;
mod model;
pub mod pages;
mod service;
mod store;
#[cfg(test)]
mod tests;
pub mod webhook;
mod wire;

pub use follow::{Handler, Standing, Step, Subscriber, Trouble};
pub use model::{
    Cursor, DeliveryId, Event, EventId, EventName, EventTypeId, LARGEST_DATA, LONGEST_KEY, NewEvent, Position,
    Published, Sensitivity, Start, State, SubscriptionId, TypeId, breaks,
};
pub use service::{
    Asker, Batch, Config, Deliveries, Delivery, EventType, Events, Inspected, NewType, Page, Pull, Pulled, RETENTION,
    STEWARD, Status, SubscribeRequest, Subscription, jobs, schedule,
};
