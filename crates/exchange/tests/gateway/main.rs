//! The gateway over real TCP, TLS and logs: what an information system sees, what a hostile node tries, what a provider
//! does wrong, and how much of everything there is.

mod answers;
mod disk;
mod edge;
mod http;
mod limits;
mod peer;
mod provider;
mod requests;
mod services;
mod traces;
mod world;
