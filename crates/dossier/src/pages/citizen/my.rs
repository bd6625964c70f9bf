//! Everything of one person: what waits for them, drafts, dossiers.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use axum_extra::extract::Query;
use base::{Lang, Result, Text, Timestamp};
use identity::{Actor, Web};
use serde::Deserialize;
use view::{Link, Notice, Page, files::encoded, ui, ui::Tone};

use super::{Portal, answer, to, words};
use crate::{
    model::status::NationalStatus,
    service::{DossierItem, Filter, NoticeItem, PAGE},
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    cursor: Option<String>,
    done: String,
}

#[derive(Template)]
#[template(path = "citizen/my.html")]
struct My {
    page: Page,
    first: bool,
    waiting: Vec<Row>,
    /// How many proposals stand open.
    proposed: usize,
    /// Whether the state is about to act by itself.
    announced: bool,
    notices: Vec<NoticeItem>,
    unread: bool,
    drafts: Vec<DraftLine>,
    rows: Vec<Row>,
    newer: Option<String>,
    older: Option<String>,
}

struct DraftLine {
    href: String,
    name: String,
    saved: Timestamp,
}

struct Row {
    href: String,
    code: String,
    name: String,
    agency: String,
    status: String,
    tone: Tone,
    submitted: Timestamp,
    due: Option<Timestamp>,
    late: bool,
    /// What is asked of the applicant.
    ask: Option<&'static str>,
}

/// The person's own page.
pub(super) async fn show(web: Web, State(portal): State<Portal>, Query(asked): Query<Asked>) -> Response {
    if matches!(web.ctx.actor, Actor::Officer(_)) {
        return to("/desk");
    }
    answer(&web, shown(&web, &portal, &asked).await)
}

async fn shown(web: &Web, portal: &Portal, asked: &Asked) -> Result<Response> {
    let lang = web.ctx.lang;
    let first = asked.cursor.is_none();
    let (any, waits) = (
        Filter::default(),
        Filter {
            waiting: true,
            ..Filter::default()
        },
    );
    let slice = portal
        .dossiers
        .mine(&web.ctx, &any, asked.cursor.as_deref(), PAGE)
        .await?;
    // What waits for the person comes first, however old it is.
    let waiting = if first {
        portal.dossiers.mine(&web.ctx, &waits, None, PAGE).await?.items
    } else {
        Vec::new()
    };
    let rows = |items: &[DossierItem]| -> Vec<Row> {
        let rows = items.iter().map(|item| row(portal, item, lang, web.ctx.now));
        rows.collect()
    };
    let drafts = if first {
        portal.dossiers.drafts(&web.ctx).await?
    } else {
        Vec::new()
    };
    let notices = if first {
        portal.dossiers.notices(&web.ctx, None).await?
    } else {
        Vec::new()
    };
    let (proposed, announced) = match first {
        true => portal.dossiers.proposals_waiting(&web.ctx).await?,
        false => (0, false),
    };
    let mut page = web.titled("Hồ sơ của tôi", "My dossiers");
    page.breadcrumbs = vec![Link::new("/", "Trang chủ", "Home")];
    page.notice = (asked.done == "discarded").then(|| Notice {
        tone: Tone::Good,
        text: Text::new("Đã xóa bản nháp.", "The draft was deleted."),
    });
    let template = My {
        page,
        first,
        waiting: rows(&waiting),
        proposed,
        announced,
        unread: notices.iter().any(|n| n.unread),
        notices,
        drafts: drafts
            .into_iter()
            .map(|(draft, package)| DraftLine {
                href: format!("/drafts/{}", draft.id),
                name: package.meta.name.get(lang).to_owned(),
                saved: draft.updated_at,
            })
            .collect(),
        rows: rows(&slice.items),
        newer: (!first).then(|| "/my".to_owned()),
        older: slice.next.map(|next| format!("/my?cursor={}", encoded(&next))),
    };
    Ok(view::html(StatusCode::OK, &template))
}

/// Notes that everything was read.
pub(super) async fn read(web: Web, State(portal): State<Portal>) -> Response {
    let read = portal.dossiers.notices_read(&web.ctx, None).await;
    answer(&web, read.map(|()| to("/my")))
}

fn row(portal: &Portal, item: &DossierItem, lang: Lang, now: Timestamp) -> Row {
    let ask = match item.status {
        NationalStatus::SupplementRequested => Some(lang.t("Bổ sung, hoàn thiện hồ sơ", "Send what is asked for")),
        NationalStatus::PaymentRequested => Some(lang.t("Nộp phí, lệ phí", "Pay the fee")),
        NationalStatus::Decided => Some(lang.t("Nhận kết quả", "Fetch the result")),
        _ => None,
    };
    debug_assert_eq!(ask.is_some(), item.status.waits_for_applicant());
    Row {
        href: format!("/dossiers/{}", encoded(&item.code)),
        code: item.code.clone(),
        name: item.name.get(lang).to_owned(),
        agency: portal.dossiers.agency_name(&item.agency).to_owned(),
        status: item.status.label().get(lang).to_owned(),
        tone: words::tone(item.status),
        submitted: item.submitted_at,
        due: item.due_at.filter(|_| item.ended_at.is_none()),
        late: item.ended_at.is_none() && item.due_at.is_some_and(|due| due < now),
        ask,
    }
}
