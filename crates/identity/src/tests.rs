//! Tests through the front door: real requests to the real routes, on every engine present.

mod access;
mod admin;
mod harness;
mod oidc;
mod sessions;
mod sign_in;
mod walk;
