//! Pages for people and businesses: filing, their own dossiers, and following one by code and secret.

mod check;
mod dossier;
mod doubts;
mod drafts;
mod forms;
mod my;
pub(crate) mod papers;
mod start;
mod supplement;
#[cfg(test)]
pub(crate) mod tests;
mod throttle;
mod track;
pub(crate) mod upload;
mod words;

use std::sync::Arc;

use axum::{
    Form, Router,
    extract::{DefaultBodyLimit, FromRef, rejection::FormRejection},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use base::{Error, Kind, Problems, Result};
use identity::{Actor, Ctx, Web};
use procedure::package::Package;
use view::{
    Link, Page,
    files::{encoded, too_large, unreadable},
};

use crate::{
    model::{action::UploadId, state::Rules},
    service::Dossiers,
    store::drafts::DraftId,
};
use throttle::Tries;

/// What a request carries beside its file or piece: names, boundaries, hidden fields.
pub(crate) const SLACK: usize = 1 << 20;
/// The largest piece of a resumable upload.
pub(crate) const PIECE: usize = 4 << 20;

/// What the handlers share.
#[derive(Debug, Clone)]
struct Portal {
    dossiers: Dossiers,
    tries: Arc<Tries>,
}

impl FromRef<Portal> for Dossiers {
    fn from_ref(portal: &Portal) -> Self {
        portal.dossiers.clone()
    }
}

/// The pages of people: `/apply/…`, `/drafts/…`, `/dossiers/…`, `/my`, `/track…`.
pub fn router(dossiers: Dossiers) -> Router {
    let largest = usize::try_from(dossiers.config().largest_upload).unwrap_or(usize::MAX);
    let whole = || DefaultBodyLimit::max(largest.saturating_add(SLACK));
    let piece = || DefaultBodyLimit::max(PIECE + SLACK);
    let uploads = Router::new()
        .route("/drafts/{id}/papers/{paper}/uploads", post(upload::begin))
        .route(
            "/drafts/{id}/papers/{paper}/uploads/{upload}",
            get(upload::state).patch(upload::append),
        )
        .route(
            "/dossiers/{code}/supplement/{paper}/uploads",
            post(upload::begin_supplement),
        )
        .route(
            "/dossiers/{code}/supplement/{paper}/uploads/{upload}",
            get(upload::state).patch(upload::append),
        )
        .layer(piece());
    let files = Router::new()
        .route("/drafts/{id}/papers/{paper}", get(papers::show).post(papers::send))
        .route(
            "/dossiers/{code}/supplement",
            get(supplement::show).post(supplement::send),
        )
        .layer(whole());
    Router::new()
        .route("/apply/{code}", get(start::forward))
        .route("/apply/{code}/start", get(start::show).post(start::begin))
        .route("/drafts/{id}", get(drafts::show))
        .route("/drafts/{id}/discard", get(drafts::ask_discard).post(drafts::discard))
        .route("/drafts/{id}/pages/{page}", get(forms::show).post(forms::save))
        .route("/drafts/{id}/pages/{page}/autosave", post(forms::autosave))
        .route(
            "/drafts/{id}/papers/{paper}/files/{upload}/remove",
            post(papers::remove),
        )
        .route("/drafts/{id}/doubts/{field}", get(doubts::show).post(doubts::say))
        .route("/drafts/{id}/check", get(check::show).post(check::submit))
        .route("/dossiers/{code}", get(dossier::show))
        .route("/dossiers/{code}/files/{sha256}", get(dossier::file))
        .route("/dossiers/{code}/proofs", get(dossier::proofs))
        .route("/dossiers/{code}/documents/{sha256}", get(dossier::document))
        .route(
            "/dossiers/{code}/withdraw",
            get(dossier::ask_withdraw).post(dossier::withdraw),
        )
        .route("/my", get(my::show))
        .route("/my/notices/read", post(my::read))
        .route("/track", get(track::form))
        .route("/track/{code}", get(track::show))
        .merge(uploads)
        .merge(files)
        .with_state(Portal {
            dossiers,
            tries: Arc::default(),
        })
}

/// The answer of a handler: what it made, or the page that says no.
fn answer(web: &Web, result: Result<Response>) -> Response {
    result.unwrap_or_else(|error| web.refuse(&error))
}

/// As [`answer`], of a page of a draft: one that was filed meanwhile leads to its dossier.
async fn answer_of_draft(web: &Web, portal: &Portal, id: &str, result: Result<Response>) -> Response {
    if let Err(Error::Refused(Kind::Conflict, _)) = &result
        && let Ok(id) = draft_id(id)
        && let Ok(Some(filed)) = portal.dossiers.filed_draft(&web.ctx, id).await
    {
        return to(format!("/dossiers/{}", encoded(&filed.code)));
    }
    answer(web, result)
}

/// Leads on after a POST.
fn to(path: impl AsRef<str>) -> Response {
    Redirect::to(path.as_ref()).into_response()
}

/// A posted form.
type Posted = std::result::Result<Form<Vec<(String, String)>>, FormRejection>;

/// The fields of a posted form.
fn fields(posted: Posted) -> Result<Vec<(String, String)>> {
    match posted {
        Ok(Form(fields)) => Ok(fields),
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(too_large()),
        Err(_) => Err(unreadable()),
    }
}

/// The first value of a field, or nothing.
pub(crate) fn field<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
    fields.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.as_str())
}

fn draft_id(text: &str) -> Result<DraftId> {
    text.parse().map_err(|_| Error::not_found("bản nháp hồ sơ", "draft"))
}

pub(crate) fn upload_id(text: &str) -> Result<UploadId> {
    text.parse().map_err(|_| Error::not_found("tệp", "file"))
}

/// The status with which a form is shown again.
fn again(kind: Kind) -> StatusCode {
    StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY)
}

/// Problems at places that the page shows: that of a part stands at the whole, that of something elsewhere at the top.
fn settled(problems: &Problems, shown: impl Fn(&str) -> bool) -> Problems {
    let mut settled = Problems::new();
    for problem in problems {
        let mut at = problem.at.as_str();
        while !at.is_empty() && !shown(at) {
            at = at.rsplit_once('.').map_or("", |(whole, _)| whole);
        }
        settled.add(&problem.code, at, &problem.text.vi, &problem.text.en);
    }
    settled
}

/// The law of a package with the calendar and the units of this node.
fn rules<'a>(dossiers: &'a Dossiers, package: &'a Package, calendar: &'a base::Calendar) -> Rules<'a> {
    Rules {
        package,
        calendar,
        units: &dossiers.reference().units,
    }
}

/// What to do first, for a person whose e-ID is not sure enough for the procedure.
fn barred(ctx: &Ctx, package: &Package) -> Option<String> {
    let Actor::Person(person) = &ctx.actor else { return None };
    let refusal = Dossiers::require_assurance(person, package).err()?;
    let problem = refusal.problems()?.iter().next()?;
    Some(problem.text.get(ctx.lang).to_owned())
}

/// From the front page down to a person's own things.
fn mine(page: &mut Page) {
    page.breadcrumbs = vec![
        Link::new("/", "Trang chủ", "Home"),
        Link::new("/my", "Hồ sơ của tôi", "My dossiers"),
    ];
}
