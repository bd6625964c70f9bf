//! A dossier on the desk: what is to be done first, then data and papers side by side, then what has happened.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use axum_extra::extract::Query;
use base::{Dong, Error, Lang, Problems, Result, Text, Timestamp};
use identity::{Permission, Scope, Web};
use procedure::{
    form::SummarySection,
    process::{DrawOptions, OutcomeEffect, OutlineStep, draw, outline},
};
use serde::Deserialize;
use view::{Link, Page, files::encoded, ui, ui::Tone};

use super::queue::{left, tone};
use crate::{
    api::purpose,
    consult::{Delivery, sentences},
    model::{
        action::{Channel, PaymentMethod, channel_label},
        foresight::Outlook,
        state::{Answer, Consulted},
        status::Money,
    },
    pages::text::{CheckLine, ContestLine, WriteLine, check_lines, contest_lines, write_lines},
    service::{DossierView, Dossiers, HistoryLine, TaskView},
};

#[derive(Template)]
#[template(path = "desk/dossier.html")]
pub(super) struct DossierPage {
    page: Page,
    path: String,
    version: i64,
    code: String,
    name: String,
    applicant: String,
    person_number: String,
    contact: String,
    channel: String,
    agency: String,
    status: String,
    tone: Tone,
    left: Option<(String, Tone)>,
    due: Option<Timestamp>,
    why: Vec<(Text, Option<Text>)>,
    tasks: Vec<Task>,
    asked: Vec<(String, String, String)>,
    consultations: Vec<Consultation>,
    fees: Vec<(String, Dong)>,
    to_pay: Option<Dong>,
    may_pay: bool,
    may_reappoint: bool,
    may_note: bool,
    /// The task that waits for a registry, where the reader may end the waiting.
    waiting: Option<u32>,
    methods: Vec<ui::Choice>,
    sections: Vec<SummarySection>,
    checks: Vec<CheckLine>,
    contested: Vec<ContestLine>,
    writes: Vec<WriteLine>,
    papers: Vec<Paper>,
    /// The file that is open beside the data.
    open: Option<File>,
    documents: Vec<(String, String, String)>,
    history: Vec<HistoryLine>,
    /// Where the proofs of the history are.
    proofs: Option<String>,
    drawing: String,
    steps: Vec<OutlineStep>,
}

struct Task {
    token: u32,
    name: String,
    help: String,
    due: Option<Timestamp>,
    finish_by: Option<Timestamp>,
    risk: bool,
    who: String,
    allowed: bool,
    mine: bool,
    free: bool,
    outcomes: Vec<Choice>,
}

struct Choice {
    href: String,
    label: String,
    primary: bool,
    /// Nothing more is to be said: one click does it.
    direct: bool,
}

struct Consultation {
    agency: String,
    question: String,
    sent: Timestamp,
    due: Option<Timestamp>,
    state: String,
    tone: Tone,
    opinion: String,
    files: Vec<File>,
    /// How the question stands on its way to another node.
    way: Option<Way>,
}

/// A question on its way.
struct Way {
    state: String,
    tone: Tone,
    system: String,
    /// Why it is not there.
    trouble: String,
    next_at: Option<Timestamp>,
    /// Where it can be sent again.
    again: Option<String>,
    /// Where an opinion that came by another way can be recorded.
    record: Option<String>,
}

struct Paper {
    name: String,
    files: Vec<File>,
}

#[derive(Clone)]
struct File {
    name: String,
    /// Opens it beside the data.
    beside: String,
    /// The file itself.
    href: String,
    /// Its size and pages, in words.
    about: String,
    media: String,
}

impl File {
    /// Whether it is the one that is open.
    fn is(&self, open: Option<&Self>) -> bool {
        open.is_some_and(|open| open.href == self.href)
    }

    fn image(&self) -> bool {
        self.media.starts_with("image/")
    }

    /// Whether a browser can show it inside a page.
    fn shows(&self) -> bool {
        matches!(
            self.media.as_str(),
            "application/pdf" | "image/jpeg" | "image/png" | "image/webp" | "image/gif"
        )
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Looked {
    /// SHA-256 of the file to open beside the data; the first that can be shown without it.
    file: String,
}

pub(super) async fn show(
    web: Web,
    State(dossiers): State<Dossiers>,
    Path(code): Path<String>,
    Query(looked): Query<Looked>,
) -> Response {
    match load(&web, &dossiers, &code).await {
        Ok(view) => {
            let mut page = build(&web, &dossiers, &view, Problems::new());
            let chosen = format!("{}/files/{}", page.path, looked.file);
            let papers = page.papers.iter().flat_map(|p| &p.files);
            let opinions = page.consultations.iter().flat_map(|c| &c.files);
            if let Some(file) = papers.chain(opinions).find(|f| f.href == chosen && f.shows()) {
                page.open = Some(file.clone());
            }
            view::html(StatusCode::OK, &page)
        }
        Err(error) => web.refuse(&error),
    }
}

/// The dossier, for whoever may have it on their desk.
pub(super) async fn load(web: &Web, dossiers: &Dossiers, code: &str) -> Result<DossierView> {
    web.ctx.officer()?;
    dossiers.get_by_code(&web.ctx, code, purpose(&web.ctx)).await
}

/// The page, with what was wrong with the last wish.
pub(super) fn build(web: &Web, dossiers: &Dossiers, view: &DossierView, problems: Problems) -> DossierPage {
    let lang = web.page.lang;
    let s = &view.state;
    let mut page = web.titled("", "");
    page.title = format!("{} – {}", s.code, view.package.meta.name.get(lang));
    page.breadcrumbs = vec![Link::new("/desk", "Bàn làm việc", "Desk")];
    page.problems = problems;
    let path = format!("/desk/dossiers/{}", s.code);
    let calendar = dossiers.calendar();
    let due = view.due.and_then(|d| d.current).filter(|_| !s.decision.is_final());
    let minutes = due.map(|due| match due < web.ctx.now {
        true => -calendar.working_minutes_between(due, web.ctx.now),
        false => calendar.working_minutes_between(web.ctx.now, due),
    });
    let scope = Scope::Agency(s.agency.clone());
    let handles = web.ctx.may(Permission::ProcessDossier, &scope) || web.ctx.may(Permission::DecideDossier, &scope);
    let may = |permission| web.ctx.may(permission, &scope);
    let options = DrawOptions::of(lang, &view.here);
    let file = |f: &crate::model::action::File| File {
        name: f.name.clone(),
        beside: format!("{path}?file={}#papers", f.sha256),
        href: format!("{path}/files/{}", f.sha256),
        about: crate::pages::citizen::papers::about(f.size, f.pages, lang),
        media: f.media_type.clone(),
    };
    let papers: Vec<Paper> = s
        .papers
        .iter()
        .map(|p| Paper {
            name: place(view, &p.paper, lang),
            files: p.files.iter().map(file).collect(),
        })
        .collect();
    DossierPage {
        version: s.version,
        code: s.code.clone(),
        name: view.package.meta.name.get(lang).to_owned(),
        applicant: s.applicant.name.clone(),
        person_number: s.applicant.claims.person_number.clone().unwrap_or_default(),
        contact: [&s.applicant.claims.phone, &s.applicant.claims.email]
            .into_iter()
            .flatten()
            .cloned()
            .collect::<Vec<_>>()
            .join(" · "),
        channel: channel_label(s.channel).get(lang).to_owned(),
        agency: dossiers.agency_name(&s.agency).to_owned(),
        status: s.national().label().get(lang).to_owned(),
        tone: tone(s.national()),
        left: (s.received_at.is_some() && !s.decision.is_final()).then(|| left(lang, minutes)),
        due,
        why: view.why.clone(),
        tasks: view.tasks.iter().map(|t| task(lang, &path, t)).collect(),
        asked: s
            .open_supplement()
            .into_iter()
            .flat_map(|o| &o.items)
            .map(|i| (place(view, &i.at, lang), i.text.clone(), i.basis.clone()))
            .collect(),
        consultations: s
            .consultations
            .iter()
            .map(|c| {
                let (state, tone, opinion) = match &c.answer {
                    Some(Answer::Given {
                        agrees: true, opinion, ..
                    }) => (lang.t("Thống nhất", "Agrees"), Tone::Good, opinion.clone()),
                    Some(Answer::Given { opinion, .. }) => (
                        lang.t("Không thống nhất", "Does not agree"),
                        Tone::Late,
                        opinion.clone(),
                    ),
                    Some(Answer::Deemed { .. }) => (
                        lang.t("Không trả lời, coi như đã đồng ý", "Silent, deemed to agree"),
                        Tone::Info,
                        String::new(),
                    ),
                    Some(Answer::Unanswered { .. }) => (
                        lang.t("Hết thời hạn, không trả lời", "No answer in time"),
                        Tone::Warn,
                        String::new(),
                    ),
                    Some(Answer::Dropped) => (
                        lang.t("Không cần nữa", "No longer needed"),
                        Tone::Neutral,
                        String::new(),
                    ),
                    None => (lang.t("Chờ trả lời", "Waiting"), Tone::Info, String::new()),
                };
                let name = view
                    .package
                    .meta
                    .agencies
                    .iter()
                    .find(|a| a.id == c.agency)
                    .map(|a| a.name.get(lang).to_owned());
                Consultation {
                    agency: name.unwrap_or_else(|| c.agency.clone()),
                    question: crate::service::question(&view.package, &c.sent_by).get(lang).to_owned(),
                    sent: c.sent_at,
                    due: c.due_at,
                    state: state.to_owned(),
                    tone,
                    opinion,
                    files: c.files().iter().map(file).collect(),
                    way: way(lang, &path, view, c, handles),
                }
            })
            .collect(),
        fees: s.fees.iter().map(|f| (f.name.get(lang).to_owned(), f.amount)).collect(),
        to_pay: (s.money == Money::Due).then(|| Dong::new(s.owed() - s.paid)),
        may_pay: may(Permission::ReceiveDossier),
        may_reappoint: due.is_some() && (may(Permission::ProcessDossier) || may(Permission::DecideDossier)),
        waiting: view
            .waiting
            .filter(|_| may(Permission::ProcessDossier) || may(Permission::DecideDossier)),
        may_note: may(Permission::ReceiveDossier) || may(Permission::ProcessDossier) || may(Permission::DecideDossier),
        methods: [PaymentMethod::Cash, PaymentMethod::Card, PaymentMethod::Transfer]
            .iter()
            .map(|m| ui::Choice::new(method_code(*m), m.label().get(lang).to_owned()))
            .collect(),
        sections: view.answers.clone(),
        checks: check_lines(&view.checks, lang),
        contested: contest_lines(&view.contested, lang),
        writes: write_lines(&view.writes, lang),
        open: papers.iter().flat_map(|p| &p.files).find(|f| f.shows()).cloned(),
        papers,
        documents: s
            .documents
            .iter()
            .map(|d| {
                (
                    d.kind.label().get(lang).to_owned(),
                    d.number.clone(),
                    format!("{path}/files/{}", d.sha256),
                )
            })
            .collect(),
        history: view.history.clone(),
        proofs: dossiers
            .ledger()
            .map(|_| format!("/dossiers/{}/proofs", encoded(&view.state.code))),
        drawing: draw(&view.package.process, &options),
        steps: outline(&view.package.process, &options),
        path,
        page,
    }
}

/// How the question of a consultation stands on its way to another node; none where it was asked here, or once it has been
/// answered.
fn way(lang: Lang, path: &str, view: &DossierView, asked: &Consulted, handles: bool) -> Option<Way> {
    let mut questions = view.questions.iter().filter(|q| q.open);
    let question = questions.find(|q| q.sent_by == asked.sent_by && q.sent_at == asked.sent_at)?;
    let address = format!("{path}/consultations/{}", asked.sent_by);
    let late = !question.problems.is_empty();
    Some(Way {
        state: question.delivery.label().get(lang).to_owned(),
        tone: match question.delivery {
            Delivery::Taken => Tone::Good,
            Delivery::Refused => Tone::Late,
            Delivery::Waiting if late => Tone::Warn,
            Delivery::Waiting | Delivery::Closed => Tone::Info,
        },
        system: question.system.to_string(),
        trouble: sentences(&question.problems, lang),
        next_at: question.next_at,
        again: (handles && matches!(question.delivery, Delivery::Waiting | Delivery::Refused) && late)
            .then(|| format!("{address}/again")),
        record: (handles && asked.token.is_some()).then_some(address),
    })
}

/// The name of a field or a paper.
pub(super) fn place(view: &DossierView, at: &str, lang: Lang) -> String {
    let form = &view.package.form;
    let paper = form.paper(at).map(|p| p.name.get(lang));
    paper
        .or_else(|| form.field(at).map(|f| f.label.get(lang)))
        .unwrap_or(at)
        .to_owned()
}

/// The name of a means of payment for programs.
pub(super) const fn method_code(method: PaymentMethod) -> &'static str {
    match method {
        PaymentMethod::Cash => "cash",
        PaymentMethod::Card => "card",
        PaymentMethod::Transfer => "transfer",
    }
}

fn task(lang: Lang, path: &str, t: &TaskView) -> Task {
    let outcomes = t
        .task
        .outcomes
        .iter()
        .map(|o| {
            let says = matches!(
                o.effect,
                OutcomeEffect::Refuse
                    | OutcomeEffect::Reject
                    | OutcomeEffect::RequestSupplement
                    | OutcomeEffect::Deliver
                    | OutcomeEffect::Stop
            );
            Choice {
                href: format!("{path}/tasks/{}/{}", t.open.token, o.id),
                label: o.label.get(lang).to_owned(),
                primary: o.primary,
                direct: !says && !t.task.fields.iter().any(|f| f.belongs_to(&o.id)),
            }
        })
        .collect();
    Task {
        token: t.open.token,
        name: t.name.get(lang).to_owned(),
        help: t.task.help.get(lang).to_owned(),
        due: t.open.due_at,
        finish_by: t.finish_by,
        risk: t.outlook == Outlook::Risk,
        who: t.open.assignee.as_ref().map(|a| a.name.clone()).unwrap_or_default(),
        allowed: t.allowed,
        mine: t.mine,
        free: t.open.assignee.is_none(),
        outcomes,
    }
}

/// A file of the dossier, shown in place where the browser can, and never run.
pub(super) async fn file(
    web: Web,
    State(dossiers): State<Dossiers>,
    Path((code, sha256)): Path<(String, String)>,
) -> Response {
    let content = async {
        web.ctx.officer()?;
        dossiers.file_content(&web.ctx, &code, &sha256, purpose(&web.ctx)).await
    };
    match content.await {
        Ok(file) => inline(&file.media_type, file.content),
        Err(error) => web.refuse(&error),
    }
}

/// A file of somebody else's: shown in place, and never run.
pub(crate) fn inline(media: &str, bytes: bytes::Bytes) -> Response {
    let media = HeaderValue::from_str(media).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let headers = [
        (header::CONTENT_TYPE, media),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("inline")),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
    ];
    (headers, bytes).into_response()
}

/// The channel behind its name.
pub(super) fn channel(code: &str) -> Channel {
    match code {
        "online" => Channel::Online,
        "post" => Channel::Post,
        _ => Channel::Counter,
    }
}

/// What is no page of this dossier.
pub(super) fn no_step() -> Error {
    Error::not_found("bước xử lý này", "step")
}
