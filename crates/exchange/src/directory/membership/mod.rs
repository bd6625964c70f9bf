//! Membership, at the operator: who applied, who was let in, what members change by themselves.

pub mod documents;
pub(super) mod service;
mod store;

pub use service::{
    Act, Answer, Application, ApplicationStanding, Approve, CertificateInfo, Changed, EntryRequest, Invitation, Invite,
    Membership, Publication, Registered, Revoke, Settings, reason_of,
};

base::typed_id!(/// One application to join.
    Applying as ApplicationId);
