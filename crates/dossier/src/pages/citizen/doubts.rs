//! A person sees what a registry holds about them, and may say that it is wrong.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use base::{Error, Kind, Result};
use identity::Web;
use procedure::form::{FieldSource, Said, display};
use view::{Link, Page, ui};

use super::{Portal, Posted, answer_of_draft, draft_id, field, fields, rules, to};
use crate::{
    model::action::Channel,
    service::{DraftView, LONGEST_DOUBT},
};

#[derive(Template)]
#[template(path = "citizen/doubt.html")]
struct Doubt {
    page: Page,
    back: String,
    label: String,
    held: String,
    recorded: base::Timestamp,
    entry: String,
    doubted: bool,
    reason: String,
}

/// What the registry holds of one field, with the way to contest it.
pub(super) async fn show(web: Web, State(portal): State<Portal>, Path((id, at)): Path<(String, String)>) -> Response {
    let made = shown(&web, &portal, &id, &at).await;
    answer_of_draft(&web, &portal, &id, made).await
}

async fn shown(web: &Web, portal: &Portal, id: &str, at: &str) -> Result<Response> {
    let view = portal.dossiers.draft(&web.ctx, draft_id(id)?).await?;
    let form = &view.package.form;
    let lang = web.ctx.lang;
    let asked = form.field(at).ok_or_else(no_field)?;
    let FieldSource::Registry(attribute) = &asked.source else {
        return Err(no_field());
    };
    let Some(Said::Known {
        value,
        entry,
        recorded_at,
        ..
    }) = view.draft.facts.said.get(attribute)
    else {
        return Err(no_field());
    };
    let calendar = portal.dossiers.calendar();
    let context = rules(&portal.dossiers, &view.package, &calendar).context(
        &view.applicant,
        Channel::Online,
        web.ctx.now.legal_date(),
    );
    let mut page = web.titled("Thông tin của cơ sở dữ liệu", "What the register holds");
    page.breadcrumbs = vec![
        Link::new("/my", "Hồ sơ của tôi", "My dossiers"),
        Link {
            href: format!("/drafts/{}", view.draft.id),
            label: view.package.meta.name.clone(),
        },
    ];
    let doubt = view.draft.facts.doubts.get(attribute);
    let template = Doubt {
        back: page_of(&view, at),
        label: asked.label.get(lang).to_owned(),
        held: display(&asked.kind, value, &context, lang),
        recorded: *recorded_at,
        entry: entry.clone(),
        doubted: doubt.is_some(),
        reason: doubt.cloned().unwrap_or_default(),
        page,
    };
    Ok(view::html(StatusCode::OK, &template))
}

/// The page of a draft that asks a field.
fn page_of(view: &DraftView, at: &str) -> String {
    let id = view.draft.id;
    let page = view.package.form.page_of(at);
    page.map_or_else(
        || format!("/drafts/{id}"),
        |page| format!("/drafts/{id}/pages/{}#{at}", page.id),
    )
}

/// Says that it is wrong, or takes that back; then the field is asked, or shown again.
pub(super) async fn say(
    web: Web,
    State(portal): State<Portal>,
    Path((id, at)): Path<(String, String)>,
    posted: Posted,
) -> Response {
    let made = said(&web, &portal, &id, &at, posted).await;
    answer_of_draft(&web, &portal, &id, made).await
}

async fn said(web: &Web, portal: &Portal, id: &str, at: &str, posted: Posted) -> Result<Response> {
    let posted = fields(posted)?;
    let reason = field(&posted, "reason");
    if reason.chars().count() > LONGEST_DOUBT {
        return Err(Error::refused(
            Kind::Invalid,
            "too-long",
            format!("Lý do dài quá {LONGEST_DOUBT} ký tự."),
            format!("The reason is longer than {LONGEST_DOUBT} characters."),
        ));
    }
    let id = draft_id(id)?;
    let doubt = (field(&posted, "then") != "take-back").then_some(reason);
    portal.dossiers.doubt(&web.ctx, id, at, doubt).await?;
    let view = portal.dossiers.draft(&web.ctx, id).await?;
    Ok(to(page_of(&view, at)))
}

fn no_field() -> Error {
    Error::not_found("thông tin này của cơ sở dữ liệu", "field")
}
