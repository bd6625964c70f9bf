//! Keys, certificates, revocation, timestamps and TLS as a node uses them, and everything that somebody hostile could
//! show it. Needs `openssl`, `softhsm2` for the feature `hsm`, and
//! `pebble` for the feature `acme`.

#[cfg(feature = "acme")]
mod acme;
mod authority;
mod certificates;
mod common;
mod hostile;
#[cfg(feature = "hsm")]
mod hsm;
mod keys;
mod revocation;
#[cfg(feature = "timestamp")]
mod timestamp;
mod tls;
