//! One page of questions.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use axum_extra::extract::Query;
use base::{Error, Result};
use identity::Web;
use procedure::form::{Answers, PageInput, render};
use serde::Deserialize;
use view::{Link, Page, ui};

use super::{Portal, Posted, answer_of_draft, draft_id, field, fields, rules, to};
use crate::{model::action::Channel, service::DraftView};

/// Where the reader came from: from checking the answers, one goes back there.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct From {
    pub from: String,
}

impl From {
    pub fn check(&self) -> bool {
        self.from == "check"
    }
}

#[derive(Template)]
#[template(path = "citizen/questions.html")]
struct Questions {
    page: Page,
    id: String,
    slug: String,
    from: String,
    back: String,
    name: String,
    nth: usize,
    of: usize,
    help: Option<String>,
    questions: Vec<render::FieldHtml>,
    /// New questions that the answers brought up.
    revealed: bool,
}

/// A page of questions.
pub(super) async fn show(
    web: Web,
    State(portal): State<Portal>,
    Path((id, page)): Path<(String, String)>,
    Query(from): Query<From>,
) -> Response {
    let made = shown(&web, &portal, &id, &page, &from).await;
    answer_of_draft(&web, &portal, &id, made).await
}

async fn shown(web: &Web, portal: &Portal, id: &str, page: &str, from: &From) -> Result<Response> {
    let view = portal.dossiers.draft(&web.ctx, draft_id(id)?).await?;
    draw(web, portal, &view, page, from, None, StatusCode::OK)
}

/// Draws a page of questions; where the answers leave the page out, leads to the task list.
fn draw(
    web: &Web,
    portal: &Portal,
    view: &DraftView,
    slug: &str,
    from: &From,
    input: Option<&PageInput>,
    status: StatusCode,
) -> Result<Response> {
    let form = &view.package.form;
    let (index, asked) = form.page(slug).ok_or_else(no_page)?;
    let id = view.draft.id;
    let Some(state) = view.journey.page(index) else {
        return Ok(to(format!("/drafts/{id}")));
    };
    let lang = web.ctx.lang;
    let mut page = web.page.clone();
    page.title = asked.title.get(lang).to_owned();
    page.breadcrumbs = vec![
        Link::new("/my", "Hồ sơ của tôi", "My dossiers"),
        Link {
            href: format!("/drafts/{id}"),
            label: view.package.meta.name.clone(),
        },
    ];
    page.problems = input.map(|i| i.problems.clone()).unwrap_or_default();
    let calendar = portal.dossiers.calendar();
    let context = rules(&portal.dossiers, &view.package, &calendar).informed(
        &view.applicant,
        Channel::Online,
        web.ctx.now.legal_date(),
        &view.draft.facts,
    );
    // What was typed before counts, also where the page above it has changed since.
    let mut answers = Answers::from_value(view.draft.answers.clone().into()).unwrap_or_default();
    for field in &asked.fields {
        if let Some(value) = view.journey.answers.get(&field.id) {
            answers.set(&field.id, value.clone());
        }
    }
    let questions = render::page(
        &page,
        form,
        state,
        &answers,
        input,
        &context,
        Some(&format!("/drafts/{id}/doubts")),
    );
    let back = match view.journey.before(index).and_then(|p| form.pages.get(p)) {
        _ if from.check() => format!("/drafts/{id}/check"),
        Some(before) => format!("/drafts/{id}/pages/{}", before.id),
        None => format!("/drafts/{id}"),
    };
    let template = Questions {
        id: id.to_string(),
        slug: slug.to_owned(),
        from: from.from.clone(),
        back,
        name: view.package.meta.name.get(lang).to_owned(),
        nth: view.journey.pages.iter().take_while(|p| p.page <= index).count(),
        of: view.journey.pages.len(),
        help: asked.help.as_ref().map(|h| h.get(lang).to_owned()),
        questions,
        revealed: input.is_some_and(|i| i.problems.is_empty() && !i.revealed.is_empty()),
        page,
    };
    Ok(view::html(status, &template))
}

/// Saves a page and goes on.
pub(super) async fn save(
    web: Web,
    State(portal): State<Portal>,
    Path((id, page)): Path<(String, String)>,
    posted: Posted,
) -> Response {
    let made = saved(&web, &portal, &id, &page, posted).await;
    answer_of_draft(&web, &portal, &id, made).await
}

async fn saved(web: &Web, portal: &Portal, id: &str, slug: &str, posted: Posted) -> Result<Response> {
    let posted = fields(posted)?;
    let from = From {
        from: field(&posted, "from").to_owned(),
    };
    let (view, input) = portal
        .dossiers
        .save_page(&web.ctx, draft_id(id)?, slug, &posted)
        .await?;
    let later = field(&posted, "then") == "later";
    if later {
        // What is good is kept; what is not will be asked again.
        return Ok(to(format!("/drafts/{}", view.draft.id)));
    }
    if !input.problems.is_empty() {
        return draw(
            web,
            portal,
            &view,
            slug,
            &from,
            Some(&input),
            StatusCode::UNPROCESSABLE_ENTITY,
        );
    }
    if !input.revealed.is_empty() {
        return draw(web, portal, &view, slug, &from, Some(&input), StatusCode::OK);
    }
    let (index, _) = view.package.form.page(slug).ok_or_else(no_page)?;
    Ok(to(after(&view, index, from.check())))
}

/// Where one goes after a page: the next page, then the papers, then the check. From the check one returns to it, by way of
/// what a changed answer has brought up.
fn after(view: &DraftView, index: usize, check: bool) -> String {
    let id = view.draft.id;
    let next = if check {
        view.journey.first_open()
    } else {
        view.journey.after(index)
    };
    match next.and_then(|p| view.package.form.pages.get(p)) {
        Some(page) if check => format!("/drafts/{id}/pages/{}?from=check", page.id),
        Some(page) => format!("/drafts/{id}/pages/{}", page.id),
        None if check => format!("/drafts/{id}/check"),
        None => match view.papers.first() {
            Some(paper) => format!("/drafts/{id}/papers/{}", paper.id),
            None => format!("/drafts/{id}/check"),
        },
    }
}

/// Saves what is good of a page, in the background. Bad answers are no reason to refuse.
pub(super) async fn autosave(
    web: Web,
    State(portal): State<Portal>,
    Path((id, page)): Path<(String, String)>,
    posted: Posted,
) -> Response {
    match autosaved(&web, &portal, &id, &page, posted).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => status(&error).into_response(),
    }
}

async fn autosaved(web: &Web, portal: &Portal, id: &str, slug: &str, posted: Posted) -> Result<()> {
    portal
        .dossiers
        .save_page(&web.ctx, draft_id(id)?, slug, &fields(posted)?)
        .await
        .map(drop)
}

/// What a script is told: the number alone.
fn status(error: &Error) -> StatusCode {
    if error.kind().is_none() {
        tracing::error!(%error, "a draft could not be saved");
    }
    error.kind().map_or(StatusCode::INTERNAL_SERVER_ERROR, super::again)
}

fn no_page() -> Error {
    Error::not_found("trang này của tờ khai", "page")
}
