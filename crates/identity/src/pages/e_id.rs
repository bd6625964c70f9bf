//! Signing in by the national e-ID.

use askama::Template;
use axum::{
    http::StatusCode,
    response::{Redirect, Response},
};
use axum_extra::extract::Query;
use base::Error;
use serde::Deserialize;
use view::{Page, ui};

use super::{
    ok,
    sign_in::{Next, enter, no_store},
};
use crate::{
    Assurance,
    service::Callback,
    web::{Asked, safe_next, with_next},
};

/// The e-ID at level 2, then where to go afterwards.
fn level_2_address(next: &str) -> String {
    match with_next("", next).strip_prefix('?') {
        Some(next) => format!("/sign-in/oidc?level=2&{next}"),
        None => "/sign-in/oidc?level=2".to_owned(),
    }
}

/// Where to go afterwards, and the level that is asked for.
#[derive(Debug, Deserialize)]
pub(super) struct BeginQuery {
    #[serde(default)]
    next: String,
    #[serde(default)]
    level: String,
}

/// Leads to the national e-ID.
pub(super) async fn begin(asked: Asked, Query(query): Query<BeginQuery>) -> Response {
    let next = safe_next(&query.next).unwrap_or_default();
    let least = if query.level == "2" {
        Assurance::Level2
    } else {
        Assurance::Level1
    };
    match asked.state.begin_oidc(asked.ctx(), least, next).await {
        Ok((address, token)) => {
            let mut response = asked.jar.with_step(&token).on(Redirect::to(&address));
            no_store(&mut response);
            response
        }
        Err(error) => asked.web.refuse(&error),
    }
}

#[derive(Template)]
#[template(path = "identity/failed.html")]
struct FailedPage {
    page: Page,
    reasons: Vec<String>,
}

/// The person comes back from the national e-ID.
pub(super) async fn callback(asked: Asked, Query(answer): Query<Callback>) -> Response {
    let cookie = asked.jar.step();
    match asked
        .state
        .finish_oidc(asked.ctx(), &asked.origin, cookie.as_deref(), &answer)
        .await
    {
        Ok((opened, next)) => enter(asked, &opened, &next).await,
        Err(Error::Refused(kind, problems)) => {
            let page = asked.page("Chưa đăng nhập được", "You are not signed in", None);
            let lang = asked.ctx().lang;
            let reasons = problems.iter().map(|p| p.text.get(lang).to_owned()).collect();
            let status = StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::FORBIDDEN);
            asked
                .jar
                .without_step()
                .on(view::html(status, &FailedPage { page, reasons }))
        }
        Err(error) => asked.web.refuse(&error),
    }
}

#[derive(Template)]
#[template(path = "identity/level_2.html")]
struct Level2Page {
    page: Page,
    href: String,
    e_id: Option<String>,
}

/// Explains why a higher level of the e-ID is needed and leads there.
pub(super) async fn level_2(asked: Asked, Query(next): Query<Next>) -> Response {
    let (lang, oidc) = (asked.ctx().lang, asked.state.config().oidc.as_ref());
    ok(&Level2Page {
        page: asked.page("Cần định danh điện tử mức độ 2", "The e-ID at level 2 is needed", None),
        href: level_2_address(next.safe()),
        e_id: oidc.map(|oidc| format!("{} {}", lang.t("Xác thực bằng", "Verify with"), oidc.name.get(lang))),
    })
}
