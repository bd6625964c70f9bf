//! People, officers, roles and rights: types and rules without any I/O.

mod password;
mod people;
mod rights;
mod totp;

pub use password::{MIN_PASSWORD, check_password};
pub use people::{
    AccountId, AccountKind, Assurance, DemoRole, NewAccount, NewOfficer, OfficerId, OfficerKind, Organisation, Sex,
    login_key,
};
pub(crate) use people::{check_agency, check_officer_fields};
pub(crate) use rights::parse_roles;
pub use rights::{Permission, Reach, Role, Roles};
pub(crate) use totp::{matching_step, totp};
