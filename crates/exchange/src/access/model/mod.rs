//! Types and rules of access, no I/O.
//!
//! ```text
//! text                what people write into fields
//! system  service     what a node hosts
//! terms               what a grant is about
//! log                 the log of a grant, and the fold over it
//! law                 the clocks of the law
//! command             what may be added to the log
//! ```

mod command;
mod kind;
mod law;
mod log;
mod openapi;
mod service;
mod system;
mod terms;
mod text;

pub use command::{Command, Order, Request, check_reason, decide, open};
pub use kind::{CommandDraft, CommandKind};
pub use law::{Clocks, Law};
pub use log::{Entry, Event, File, LogFlaw, Phase, Side, Standing, Suspension, Who};
pub use openapi::OpenApi;
pub use service::{ServiceDraft, ServiceSpec, Typed, is_forbidden_address, read_subjects, subjects_text};
pub use system::{Network, SignInDraft, SystemDraft, SystemSpec, is_from};
pub use terms::{Terms, TermsDraft, read_day};
