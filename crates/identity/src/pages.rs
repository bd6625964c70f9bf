//! The pages of this crate: signing in and out, one's own account, administration of officers.

mod account;
mod admin;
mod e_id;
mod security;
mod sign_in;
mod tokens;

use axum::{
    Router,
    http::StatusCode,
    response::{Redirect, Response},
    routing::{get, post},
};

/// All pages. They find the state in the request's extensions, where [`crate::layer`] put it.
pub(crate) fn router() -> Router {
    Router::new()
        .route("/sign-in", get(sign_in::choose))
        .route("/sign-in/officer", get(sign_in::officer).post(sign_in::officer_submit))
        .route("/sign-in/code", get(sign_in::code).post(sign_in::code_submit))
        .route(
            "/sign-in/new-password",
            get(sign_in::new_password).post(sign_in::new_password_submit),
        )
        .route("/sign-in/enrol", get(sign_in::enrol).post(sign_in::enrol_submit))
        .route("/sign-in/passkey/begin", post(sign_in::passkey_begin))
        .route("/sign-in/passkey/finish", post(sign_in::passkey_finish))
        .route("/sign-in/oidc", get(e_id::begin))
        .route("/sign-in/oidc/callback", get(e_id::callback))
        .route("/sign-in/level-2", get(e_id::level_2))
        .route("/sign-in/demo", post(sign_in::demo_submit))
        .route("/sign-in/demo/{role}", get(sign_in::demo))
        .route("/sign-out", get(sign_in::sign_out_page).post(sign_in::sign_out))
        .route("/account", get(account::profile))
        .route("/account/organisation", post(account::act_for))
        .route("/account/devices", get(account::devices).post(account::devices_end))
        // Its address until 2026.
        .route("/account/reads", get(|| async { Redirect::permanent("/my/reads") }))
        .route("/my/reads/proofs/{id}", get(account::read_proof))
        .route("/account/security", get(security::page))
        .route("/account/security/password", post(security::password))
        .route("/account/security/codes", post(security::recovery_codes))
        .route("/account/passkeys/begin", post(security::passkey_begin))
        .route("/account/passkeys/finish", post(security::passkey_finish))
        .route("/account/passkeys/remove", post(security::passkey_remove))
        .route("/admin/officers", get(admin::officers))
        .route(
            "/admin/officers/new",
            get(admin::officer_new).post(admin::officer_create),
        )
        .route("/admin/officers/{id}", get(admin::officer).post(admin::officer_change))
        .route("/admin/officers/{id}/reset", post(admin::officer_reset))
        .route("/admin/tokens", get(tokens::list).post(tokens::create))
        .route("/admin/tokens/revoke", post(tokens::revoke))
        .route("/admin/access-log", get(admin::access_log))
}

/// The list of reads of one's data.
pub(crate) fn reads() -> Router {
    Router::new().route("/my/reads", get(account::reads))
}

/// A page that succeeded.
fn ok<T: askama::Template>(template: &T) -> Response {
    view::html(StatusCode::OK, template)
}

/// Items on one page of a list.
const PAGE: u32 = 50;

/// An id from a form; one that is bent is a thing that is not there.
fn read_id(text: &str) -> base::Result<uuid::Uuid> {
    text.parse().map_err(|_| base::Error::not_found("mục này", "thing"))
}
