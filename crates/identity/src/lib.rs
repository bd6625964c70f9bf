//! People, officers, organisations, sign-in, roles, who may do what, and who has read whose data.
//!
//! * Every use case of the platform takes a [`Ctx`] first and asks it [`Ctx::require`]; what no rule grants is refused.
//! * [`layer`] recognises who makes a request (session cookie or a program's key) and in which language; below it handlers
//!   take [`Ctx`] (API) or [`Web`] (pages).
//! * People sign in by the national e-ID (OpenID Connect), officers by passkey or by password and one-time code.
//! * [`AccessLog::record`] stands before every showing of personal data.

mod api;
mod config;
mod ctx;
mod jobs;
mod model;
mod pages;
mod secret;
mod service;
mod store;
#[cfg(test)]
mod tests;
mod web;

pub use api::api;
pub use config::{ClaimNames, Config, Oidc, SessionTimes, Throttle};
pub use ctx::{Actor, Ctx, NEEDS_LEVEL_2, OfficerActor, PersonActor, Purpose, Scope};
pub use jobs::{jobs, schedule};
pub use model::{
    AccountId, AccountKind, Assurance, DemoRole, MIN_PASSWORD, NewAccount, NewOfficer, OfficerId, OfficerKind,
    Organisation, Permission, Reach, Role, Roles, Sex, check_password, login_key,
};
pub use secret::{Entropy, Sealer};
pub use service::{
    AccessLog, Audience, DataRead, IdentityState, NavEntry, NewToken, Officer, OfficerChange, READ_PROOF_FORMAT,
    ReadBy, ReadEntry, ReadProof, ReadRecord, Shell, Token, TokenOwner, hash_password,
};
pub use web::{
    ApiError, ApiJson, ApiPath, ApiQuery, Both, Cursor, IdempotencyKey, Instant, Listing, Paging, SignedIn, Tag, Web,
    describe, layer, place, problem_response, read_place,
};

/// Pages and API of this crate. [`layer`] goes around this and all other routes of the node.
/// A node that gathers the OpenAPI document composes [`pages`] and [`api`] itself.
pub fn router() -> axum::Router {
    let (routes, _) = api().split_for_parts();
    pages().merge(reads()).merge(routes)
}

/// The pages of this crate: `/sign-in…`, `/sign-out`, `/account…`, `/admin/officers…`, `/admin/tokens…`, `/admin/access-log`,
/// and the proofs of reads, `/my/reads/proofs/{id}`.
pub fn pages() -> axum::Router {
    pages::router()
}

/// The page `/my/reads`, who has seen my data, of a node outside the exchange. In the exchange the data tracker stands there, which
/// has these reads and those at other agencies.
pub fn reads() -> axum::Router {
    pages::reads()
}

/// The tables of this crate.
pub const MIGRATIONS: ::store::Migrations =
    ::store::migrations!("identity", "0001_identity", "0002_access_leaves", "0003_account_number");
