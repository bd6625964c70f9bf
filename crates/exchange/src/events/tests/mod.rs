//! Events on every engine: nothing is lost, doubled or out of order, whoever races, crashes or lies.

mod follower;
mod ordering;
mod publishing;
mod rooms;
mod site;
mod steward;
mod subscribing;
mod webhooks;
