//! What this node hosts and who may call it: information systems, services, and grants from the request to the end.
//!
//! * A grant is its log. The provider's node writes it, the consumer's node keeps a copy; state, clocks and what the gateway
//!   judges by are folds over it ([`File`]). See [`model`] for the rules.
//! * The two nodes talk through the exchange itself: [`peer::router`] answers at the provider, an outbox of jobs
//!   ([`handlers`]) tells and asks at the consumer through a [`Caller`]. A node that is down delays nothing and loses nothing.
//! * The gateway takes everything from [`Hosted`], which is kept current.

pub mod api;
mod explain;
mod hosted;
mod jobs;
pub mod model;
pub mod pages;
pub mod peer;
mod service;
mod store;
#[cfg(test)]
mod tests;

pub use explain::{Asked, explain};
pub use hosted::Hosted;
pub use jobs::handlers;
pub use model::{Clocks, File, Law, Side, Standing, is_forbidden_address, is_from};
pub use service::{
    Access, Config, DirectoryNow, GrantList, GrantView, GrantsQuery, Offer, OrderView, Saved, ServiceView, SystemView,
};
pub(crate) use service::{reach, visible};
pub(crate) use store::{agency_of, below, owned, systems_of};
