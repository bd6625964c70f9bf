//! The pages of the directory: for everybody who is in the federation; for the operator who applies, who is in, whom it
//! invites.

mod operator;
mod public;

use askama::Template;
use axum::{
    Router,
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use base::{Error, Kind, Result};
use identity::Web;
use view::Page;

use super::{Follower, Membership};

/// The pages for everybody, on every node: `/exchange`, `/exchange/members/{instance}/{class}/{code}`,
/// `/exchange/documents/{sha256}`.
pub fn public(follower: Follower) -> Router {
    Router::new()
        .route("/exchange", get(public::members))
        .route("/exchange/members/{instance}/{class}/{code}", get(public::member))
        .route("/exchange/documents/{sha256}", get(public::document))
        .with_state(follower)
}

/// The pages of the operator: `/exchange/applications…`, `/exchange/invitations`, `/exchange/registry…`. For
/// [`identity::Permission::ManageDirectory`].
pub fn operator(membership: Membership) -> Router {
    const MEMBER: &str = "/exchange/registry/{instance}/{class}/{code}";
    Router::new()
        .route("/exchange/applications", get(operator::applications))
        .route("/exchange/applications/{id}", get(operator::application))
        .route("/exchange/applications/{id}/approve", post(operator::approve))
        .route("/exchange/applications/{id}/refuse", post(operator::refuse))
        .route(
            "/exchange/invitations",
            get(operator::invitations).post(operator::invite),
        )
        .route("/exchange/registry", get(operator::registry))
        .route(MEMBER, get(operator::registered))
        .route(&format!("{MEMBER}/suspend"), post(operator::suspend))
        .route(&format!("{MEMBER}/resume"), post(operator::resume))
        .route(&format!("{MEMBER}/revoke"), post(operator::revoke))
        .with_state(membership)
}

fn answer<T: Template>(web: &Web, made: Result<T>) -> Response {
    match made {
        Ok(template) => view::html(StatusCode::OK, &template),
        Err(error) => web.refuse(&error),
    }
}

/// The page again with what is wrong in it; or, for a refusal that the page cannot show, the page that says no.
async fn again<T, F>(web: Web, error: Error, page_of: impl FnOnce(Web) -> F) -> Response
where
    T: Template,
    F: Future<Output = Result<T>>,
{
    let Error::Refused(kind @ (Kind::Invalid | Kind::Conflict), problems) = &error else {
        return web.refuse(&error);
    };
    let status = StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
    let mut shown = web.clone();
    shown.page.problems.clone_from(problems);
    match page_of(shown).await {
        Ok(template) => view::html(status, &template),
        Err(error) => web.refuse(&error),
    }
}

/// The address of a member's page. Parts are written as in headers, which is as a path wants them.
fn member_href(prefix: &str, id: &crate::model::identifier::MemberId) -> String {
    format!("{prefix}/{id}")
}

/// A name in the reader's language.
fn named(page: &Page, text: &base::Text) -> String {
    page.text(text).to_owned()
}
