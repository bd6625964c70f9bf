//! How an officer signs in: password, recovery codes, passkeys.

use askama::Template;
use axum::{
    Form,
    http::StatusCode,
    response::{IntoResponse, Json, Redirect, Response},
};
use axum_extra::extract::Query;
use base::Error;
use serde::Deserialize;
use view::{NavItem, Page, ui};
use webauthn_rs::prelude::RegisterPublicKeyCredential;

use super::{
    account::{DoneQuery, tabs},
    ok, read_id,
    sign_in::{CodesPage, no_store},
};
use crate::{
    service::{PasskeyEntry, needed},
    web::{ApiJson, Asked, problem_response},
};

#[derive(Template)]
#[template(path = "identity/security.html")]
struct SecurityPage {
    page: Page,
    tabs: Vec<NavItem>,
    keys: Vec<PasskeyEntry>,
    codes_left: usize,
    passkeys: bool,
}

async fn show(asked: &Asked, status: StatusCode, mut page: Page) -> Response {
    let factors = match needed(asked.session.as_ref()) {
        Ok(_) => asked.state.my_factors(asked.ctx()).await,
        Err(error) => Err(error),
    };
    match factors {
        Ok((keys, codes_left)) => {
            page.title = asked.ctx().t("Bảo mật đăng nhập", "Sign-in security").to_owned();
            let tabs = tabs(asked.ctx(), "/account/security");
            view::html(
                status,
                &SecurityPage {
                    page,
                    tabs,
                    keys,
                    codes_left,
                    passkeys: asked.state.passkeys_work(),
                },
            )
        }
        Err(error) => asked.web.refuse(&error),
    }
}

/// Password, codes and passkeys.
pub(super) async fn page(asked: Asked, Query(query): Query<DoneQuery>) -> Response {
    let notice = match query.done.as_deref() {
        Some("password") => Some((
            "Đã đổi mật khẩu. Các thiết bị khác đã được đăng xuất.",
            "The password was changed. Other devices were signed out.",
        )),
        Some("removed") => Some(("Đã xóa khóa truy cập.", "The passkey was removed.")),
        _ => None,
    };
    let page = asked.page("", "", notice);
    show(&asked, StatusCode::OK, page).await
}

#[derive(Debug, Deserialize)]
pub(super) struct PasswordForm {
    #[serde(default)]
    old: String,
    #[serde(default)]
    new: String,
    #[serde(default)]
    again: String,
}

/// Changes the password and signs out of all other devices.
pub(super) async fn password(asked: Asked, Form(form): Form<PasswordForm>) -> Response {
    let done = async {
        let session = needed(asked.session.as_ref())?;
        asked
            .state
            .change_password(asked.ctx(), &form.old, &form.new, &form.again)
            .await?;
        asked.state.end_sessions(asked.ctx(), session, None).await
    };
    match done.await {
        Ok(()) => Redirect::to("/account/security?done=password").into_response(),
        Err(Error::Refused(kind, problems)) if matches!(kind.status(), 422 | 429) => {
            let mut page = asked.web.page.clone();
            page.problems = problems;
            show(
                &asked,
                StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY),
                page,
            )
            .await
        }
        Err(error) => asked.web.refuse(&error),
    }
}

/// New recovery codes, shown once.
pub(super) async fn recovery_codes(asked: Asked) -> Response {
    let codes = match needed(asked.session.as_ref()) {
        Ok(_) => asked.state.renew_recovery_codes(asked.ctx()).await,
        Err(error) => Err(error),
    };
    match codes {
        Ok(codes) => {
            let page = asked.page("Lưu mã dự phòng", "Keep your recovery codes", None);
            let mut response = ok(&CodesPage {
                page,
                codes,
                next: "/account/security".to_owned(),
            });
            no_store(&mut response);
            response
        }
        Err(error) => asked.web.refuse(&error),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LabelBody {
    label: String,
}

/// Begins the registration of a passkey.
pub(super) async fn passkey_begin(asked: Asked, ApiJson(body): ApiJson<LabelBody>) -> Response {
    let begun = match needed(asked.session.as_ref()) {
        Ok(_) => asked.state.begin_passkey(asked.ctx(), &body.label).await,
        Err(error) => Err(error),
    };
    match begun {
        Ok((options, token)) => asked.jar.with_step(&token).on(Json(options)),
        Err(error) => problem_response(&error),
    }
}

/// Ends the registration of a passkey.
pub(super) async fn passkey_finish(asked: Asked, ApiJson(answer): ApiJson<RegisterPublicKeyCredential>) -> Response {
    let token = asked.jar.step();
    let done = match needed(asked.session.as_ref()) {
        Ok(_) => asked.state.finish_passkey(asked.ctx(), token.as_deref(), &answer).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => asked.jar.without_step().on(StatusCode::NO_CONTENT),
        Err(error) => problem_response(&error),
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct RemoveForm {
    #[serde(default)]
    id: String,
}

/// Removes a passkey.
pub(super) async fn passkey_remove(asked: Asked, Form(form): Form<RemoveForm>) -> Response {
    let done = match needed(asked.session.as_ref()) {
        Ok(_) => match read_id(&form.id) {
            Ok(id) => asked.state.remove_passkey(asked.ctx(), id).await,
            Err(error) => Err(error),
        },
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => Redirect::to("/account/security?done=removed").into_response(),
        Err(error) => asked.web.refuse(&error),
    }
}
