//! Doubts: reported by officers, answered by stewards.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form,
    extract::{Path, Query, State as Extracted},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use base::{Error, Kind, Result};
use bytes::Bytes;
use identity::Web;
use serde::Deserialize;
use view::{
    Page,
    files::{Filled, Posted, Sent},
    ui::{self, Tone},
};

use super::{
    Said,
    attached::{self, FileLine, whole},
    below,
    mine::own_act,
    name_of, posted, problems_of,
    queue::{Input, at_inputs, edits, inputs, retype},
    registry, rows, standing, tabs,
};
use crate::{
    model::Registry,
    pages::{self, Refused},
    quality::{
        Enterprise, Place, Quality, Whose,
        doubts::{Doubt, DoubtFile, DoubtId, DoubtState, DoubtView, MOST_OVERDUE, Report, Reporter},
    },
};

/// Doubts of one page.
const PAGE: u32 = 25;

/// What the address asks; a value that means nothing is left out.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    show: String,
    cursor: String,
}

#[derive(Template)]
#[template(path = "registry/doubts.html")]
struct DoubtsPage {
    page: Page,
    registry: Arc<Registry>,
    tabs: Vec<view::NavItem>,
    show: String,
    overdue: String,
    late: bool,
    items: Vec<Row>,
    first: Option<String>,
    next: Option<String>,
}

pub(super) struct Row {
    pub href: String,
    pub field: String,
    pub by: String,
    pub received: base::Timestamp,
    pub due: base::Timestamp,
    pub state: String,
    pub tone: Tone,
    pub owner: String,
}

impl Row {
    pub(super) fn of(page: &Page, registry: &Registry, doubt: &Doubt, href: String, now: base::Timestamp) -> Self {
        let (state, tone) = standing(page, doubt, now);
        let (name, agency) = &doubt.reporter;
        Self {
            href,
            field: name_of(page, registry, &doubt.field),
            by: [name.clone(), agency.clone(), on_behalf(page, doubt)]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(", "),
            received: doubt.received_at,
            due: doubt.due_at,
            state,
            tone,
            owner: doubt.owner.clone().unwrap_or_default(),
        }
    }
}

/// For which enterprise a representative speaks.
fn on_behalf(page: &Page, doubt: &Doubt) -> String {
    doubt
        .enterprise
        .as_ref()
        .map_or_else(String::new, |Enterprise { code, name }| {
            format!(
                "{} {name}, {} {code}",
                page.t("thay mặt doanh nghiệp", "on behalf of the enterprise"),
                page.t("mã số", "code")
            )
        })
}

pub(super) async fn list(
    Extracted(quality): Extracted<Quality>,
    web: Web,
    Path(code): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    match listed(&quality, &web, &code, asked).await {
        Ok(template) => view::html(StatusCode::OK, &template),
        Err(error) => web.refuse(&error),
    }
}

async fn listed(quality: &Quality, web: &Web, code: &str, asked: Asked) -> Result<DoubtsPage> {
    let registry = registry(quality.registries(), code)?;
    let (open, whose) = match asked.show.as_str() {
        "mine" => (true, Whose::Mine),
        "overdue" => (true, Whose::Overdue),
        "answered" => (false, Whose::All),
        _ => (true, Whose::All),
    };
    let after = Place::read(&asked.cursor);
    let found = quality
        .doubts(&web.ctx, &registry.code, open, whose, after, PAGE)
        .await?;
    let late = quality.overdue_doubts(&registry.code, web.ctx.now).await?;
    let page = below(web, &registry, "Phản ánh sai lệch", "Doubts");
    let at = format!("/registries/{}/doubts", registry.code);
    let items = found
        .items
        .iter()
        .map(|doubt| Row::of(&page, &registry, doubt, format!("{at}/{}", doubt.id), web.ctx.now));
    Ok(DoubtsPage {
        tabs: tabs(&registry, "doubts"),
        items: items.collect(),
        first: after.map(|_| format!("{at}?show={}", asked.show)),
        next: found.next.map(|next| format!("{at}?show={}&cursor={next}", asked.show)),
        overdue: page.number(late) + if late < MOST_OVERDUE { "" } else { "+" },
        late: late > 0,
        show: asked.show,
        registry,
        page,
    })
}

/// An officer reports a doubt about a record that they have looked up.
pub(super) async fn report(
    Extracted(quality): Extracted<Quality>,
    web: Web,
    Path(code): Path<String>,
    Form(form): Form<Vec<(String, String)>>,
) -> Response {
    let reported = async {
        let registry = registry(quality.registries(), &code)?;
        let report = report_of(&form);
        let (record, key) = (posted(&form, "record"), posted(&form, "form"));
        let receipt = quality.doubt(&web.ctx, &Reporter::Caller, &registry.code, record, &report, key);
        let receipt = receipt.await?;
        Ok::<_, Error>(format!("/registries/{}/doubts/{}", registry.code, receipt.id))
    };
    let error = match reported.await {
        Ok(to) => return Redirect::to(&to).into_response(),
        Err(error) => error,
    };
    let (status, problems) = match problems_of(error) {
        Ok(found) => found,
        Err(error) => return web.refuse(&error),
    };
    let text = |name: &str| posted(&form, name).to_owned();
    let asked = pages::Asked {
        key: text("key"),
        purpose: text("purpose"),
        dossier: text("dossier"),
        as_of: text("as_of"),
        known_at: text("known_at"),
    };
    let wrong = Refused {
        report: report_of(&form),
        form: text("form"),
        status,
        problems,
    };
    pages::again(quality.registries(), &web, &code, asked, wrong).await
}

/// What a form reports.
pub(super) fn report_of(form: &[(String, String)]) -> Report {
    let text = |name: &str| posted(form, name).to_owned();
    let dossier = Some(text("dossier").trim().to_owned()).filter(|dossier| !dossier.is_empty());
    Report {
        field: text("field"),
        wrong: text("wrong"),
        right: text("right"),
        evidence: text("evidence"),
        dossier,
    }
}

#[derive(Template)]
#[template(path = "registry/doubt.html")]
struct DoubtPage {
    page: Page,
    row: Row,
    doubt: Doubt,
    files: Vec<FileLine>,
    /// Whether the reader is who answers.
    steward: bool,
    open: bool,
    newest: i64,
    rows: Vec<Said>,
    inputs: Vec<Input>,
    typed: Typed,
}

/// What was sent and what was typed, after a refusal.
#[derive(Default)]
pub(super) struct Typed {
    pub sent: String,
    pub answer: String,
    pub reason: String,
    pub question: String,
    pub evidence: String,
}

impl Typed {
    pub(super) fn of(form: &[(String, String)]) -> Self {
        let text = |name: &str| posted(form, name).to_owned();
        Self {
            sent: text("then"),
            answer: text("answer"),
            reason: text("reason"),
            question: text("question"),
            evidence: text("evidence"),
        }
    }
}

pub(super) async fn one(
    Extracted(quality): Extracted<Quality>,
    web: Web,
    Path((code, id)): Path<(String, String)>,
) -> Response {
    match looked_up(&quality, &web, &code, &id).await {
        Ok(template) => view::html(StatusCode::OK, &template),
        Err(error) => web.refuse(&error),
    }
}

/// The doubt as a steward sees it; or, without its record, as the officer does who reported it.
async fn looked_up(quality: &Quality, web: &Web, code: &str, id: &str) -> Result<DoubtPage> {
    let registry = registry(quality.registries(), code)?;
    let id: DoubtId = id.parse().map_err(|_| Error::not_found("phản ánh này", "doubt"))?;
    let (view, steward) = match quality.doubt_view(&web.ctx, &registry.code, id).await {
        Ok(view) => (view, true),
        Err(Error::Refused(Kind::Forbidden, _)) => {
            let doubt = quality.own_doubt(&web.ctx, id).await?;
            let record = None;
            (DoubtView { doubt, record }, false)
        }
        Err(error) => return Err(error),
    };
    let mut page = below(web, &registry, "Phản ánh sai lệch", "A doubt");
    if steward {
        let at = format!("/registries/{}/doubts", registry.code);
        page.breadcrumbs
            .push(view::Link::new(at, "Phản ánh sai lệch", "Doubts"));
    }
    let DoubtView { doubt, record } = view;
    let address = format!("/registries/{}/doubts/{}", registry.code, doubt.id);
    page.path.clone_from(&address);
    let files = quality.files_of(doubt.id.uuid()).await?;
    let fields = std::slice::from_ref(&doubt.field);
    let inputs = record
        .as_ref()
        .map(|record| inputs(&page, &registry, fields, &record.body, web.ctx.now.legal_date()));
    Ok(DoubtPage {
        row: Row::of(&page, &registry, &doubt, String::new(), web.ctx.now),
        open: doubt.state.is_open(),
        newest: record.as_ref().map_or(0, |record| record.newest),
        rows: record
            .as_ref()
            .map(|record| rows(&page, &registry, &record.body))
            .unwrap_or_default(),
        inputs: inputs.unwrap_or_default(),
        files: files.iter().map(|file| FileLine::of(&page, file, &address)).collect(),
        typed: Typed::default(),
        steward,
        doubt,
        page,
    })
}

/// What is done to a doubt: `then` says what.
pub(super) async fn act(
    Extracted(quality): Extracted<Quality>,
    web: Web,
    Path((code, id)): Path<(String, String)>,
    Posted { form, flaw }: Posted,
) -> Response {
    let Filled { fields: form, files } = form;
    let done = async {
        whole(flaw)?;
        acted(&quality, &web, &code, &id, &form, files).await
    };
    let error = match done.await {
        Ok(()) => return Redirect::to(&format!("/registries/{code}/doubts/{id}")).into_response(),
        Err(error) => error,
    };
    let (status, problems) = match problems_of(error) {
        Ok(found) => found,
        Err(error) => return web.refuse(&error),
    };
    match looked_up(&quality, &web, &code, &id).await {
        Ok(mut template) => {
            template.page.problems = at_inputs(&problems, &template.inputs);
            template.typed = Typed::of(&form);
            retype(&mut template.inputs, &form);
            view::html(status, &template)
        }
        Err(error) => web.refuse(&error),
    }
}

async fn acted(
    quality: &Quality,
    web: &Web,
    code: &str,
    id: &str,
    form: &[(String, String)],
    files: Vec<Sent>,
) -> Result<()> {
    let registry = registry(quality.registries(), code)?;
    let id: DoubtId = id.parse().map_err(|_| Error::not_found("phản ánh này", "doubt"))?;
    let (ctx, code) = (&web.ctx, &registry.code);
    match posted(form, "then") {
        "acknowledge" => quality.acknowledge(ctx, code, id).await,
        "ask" => quality.ask(ctx, code, id, posted(form, "question")).await,
        "refuse" => quality.refuse_doubt(ctx, code, id, posted(form, "reason")).await,
        "correct" => {
            let seen = posted(form, "seen").parse().unwrap_or(0);
            quality
                .uphold(ctx, code, id, seen, edits(form), posted(form, "answer"))
                .await
        }
        "uphold" => {
            quality
                .uphold(ctx, code, id, 0, Vec::new(), posted(form, "answer"))
                .await
        }
        _ => own_act(quality, ctx, id, form, files).await,
    }
}

/// A file, given out to the steward, or to the officer who reported.
pub(super) async fn file(
    Extracted(quality): Extracted<Quality>,
    web: Web,
    Path((code, id, file)): Path<(String, String, String)>,
) -> Response {
    match opened(&quality, &web, &code, &id, &file).await {
        Ok(found) => attached::given(found),
        Err(error) => web.refuse(&error),
    }
}

async fn opened(quality: &Quality, web: &Web, code: &str, id: &str, file: &str) -> Result<(DoubtFile, Bytes)> {
    let registry = registry(quality.registries(), code)?;
    let id: DoubtId = id.parse().map_err(|_| Error::not_found("phản ánh này", "doubt"))?;
    let file = attached::read_id(file)?;
    match quality.file_for_steward(&web.ctx, &registry.code, id, file).await {
        Err(Error::Refused(Kind::Forbidden, _)) => quality.own_file(&web.ctx, id, file).await,
        found => found,
    }
}
