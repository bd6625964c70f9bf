//! The use cases, one transaction each.

mod access;
mod leaves;
mod officers;
mod oidc;
mod passkeys;
mod password;
mod people;
mod sessions;
mod state;
mod tokens;

pub use access::{AccessLog, DataRead, ReadEntry};
pub use leaves::{READ_PROOF_FORMAT, ReadBy, ReadProof, ReadRecord};
pub use officers::{Officer, OfficerChange};
pub(crate) use oidc::Callback;
pub(crate) use passkeys::PasskeyEntry;
pub use password::hash_password;
pub(crate) use password::{Entered, Stage};
pub(crate) use people::event_label;
pub(crate) use sessions::{CurrentSession, Opened, Origin, Session, needed};
pub use state::{Audience, IdentityState, NavEntry, Shell};
pub use tokens::{NewToken, Token, TokenOwner};
