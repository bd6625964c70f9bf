//! The gateway over real TCP, TLS and logs: what an information system sees, what a hostile node tries, what a provider
//! does wrong, and how much of everything there is.

mod edge;
mod http;
mod services;
mod world;
