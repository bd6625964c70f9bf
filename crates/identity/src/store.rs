//! The tables of this crate; SQL stands only here.

mod access;
mod accounts;
mod officers;
mod sessions;
mod sign_in;
mod tokens;

pub(crate) use access::{
    EventRow, ReadRow, add_event, add_reads, agency_reads, bare_reads, events_of, forget_reads, last_read_leaf,
    leaves_of_request, note_leaves, oldest_bare_read, read_by_id, reads_of,
};
pub(crate) use accounts::{account, accounts_of, demo_account, memberships, upsert_account};
pub(crate) use officers::{
    OfficerRow, PasskeyRow, add_passkey, change_officer, clear_factors, delete_passkey, demo_officer, insert_officer,
    officer, officer_by_login, officers, passkey_by_credential, passkeys, recovery_codes_left, replace_recovery_codes,
    roles_in, set_password, set_totp, spend_recovery_code, spend_totp_step, update_passkey,
};
pub(crate) use sessions::{
    NewSession, Owner, SessionRow, choose_organisation, delete_expired, delete_other_sessions, delete_session,
    delete_sessions, insert_session, session_by_token, sessions_of, touch_session,
};
pub(crate) use sign_in::{drop_step, forget, forgive, lock_of, peek_step, put_step, take_step, try_once};
pub(crate) use tokens::{TokenRow, insert_token, revoke_token, token, token_by_hash, tokens_of, touch_token};
