//! Doing something to a dossier: each wish is a small page or one click; what goes wrong is said on the dossier's page.

use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use base::{Error, Problems, Result, Timestamp};
use identity::Web;
use procedure::process::{FieldKind, OutcomeEffect, TaskField};
use serde_json::{Map, Value};
use view::{Link, Page, ui};

use super::dossier::{build, channel, load, no_step, place};
use crate::{
    model::{
        action::{Channel, Detail, Ground, MissingItem, OfficerRef, PaymentMethod, channel_label},
        command::{Command, Completion},
    },
    service::{DossierView, Dossiers, TaskView, question},
};

/// Rows of the list of what is missing; more are added by saving and coming back.
const ROWS: usize = 6;

type Posted = Form<Vec<(String, String)>>;

fn first<'a>(posted: &'a [(String, String)], name: &str) -> &'a str {
    posted.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.trim())
}

#[derive(Template)]
#[template(path = "desk/outcome.html")]
struct OutcomePage {
    page: Page,
    action: String,
    back: String,
    version: i64,
    step: String,
    label: String,
    help: String,
    applicant: String,
    fields: Vec<TaskField>,
    kind: Asks,
    posted: Vec<(String, String)>,
    reasons: Vec<ui::Choice>,
    places: Vec<ui::Choice>,
    second: bool,
    channels: Vec<ui::Choice>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Asks {
    Nothing,
    Grounds,
    Items,
    Delivery,
    Stop,
}

impl OutcomePage {
    fn value(&self, name: &str) -> &str {
        first(&self.posted, name)
    }

    fn row(&self, name: &str, n: &usize) -> String {
        format!("{name}.{n}")
    }

    fn options(field: &TaskField, lang: &base::Lang) -> Vec<ui::Choice> {
        match &field.kind {
            FieldKind::Choice(options) => options
                .iter()
                .map(|o| ui::Choice::new(&o.value, o.label.get(*lang).to_owned()))
                .collect(),
            _ => Vec::new(),
        }
    }

    const fn rows() -> usize {
        ROWS
    }
}

const fn asks(effect: OutcomeEffect) -> Asks {
    match effect {
        OutcomeEffect::Refuse | OutcomeEffect::Reject => Asks::Grounds,
        OutcomeEffect::RequestSupplement => Asks::Items,
        OutcomeEffect::Deliver => Asks::Delivery,
        OutcomeEffect::Stop => Asks::Stop,
        OutcomeEffect::None | OutcomeEffect::Receive | OutcomeEffect::Approve | OutcomeEffect::Issue => Asks::Nothing,
    }
}

fn outcome_page(
    web: &Web,
    view: &DossierView,
    task: &TaskView,
    outcome: &str,
    posted: Vec<(String, String)>,
    problems: Problems,
) -> Result<OutcomePage> {
    let lang = web.page.lang;
    let found = task
        .task
        .outcomes
        .iter()
        .find(|o| o.id == outcome)
        .ok_or_else(no_step)?;
    let back = format!("/desk/dossiers/{}", view.state.code);
    let mut page = web.titled("", "");
    page.title = format!("{}: {}", found.label.get(lang), view.state.code);
    page.breadcrumbs = vec![
        Link::new("/desk", "Bàn làm việc", "Desk"),
        Link::new(&back, &view.state.code, &view.state.code),
    ];
    page.problems = problems;
    let kind = asks(found.effect);
    let reasons = match kind {
        Asks::Grounds => &view.package.meta.refusal_reasons,
        _ => &view.package.meta.supplement_reasons,
    };
    let form = &view.package.form;
    let papers = form
        .papers
        .iter()
        .map(|p| ui::Choice::new(&p.id, p.name.get(lang).to_owned()));
    let fields = form
        .fields()
        .map(|f| ui::Choice::new(&f.id, f.label.get(lang).to_owned()));
    Ok(OutcomePage {
        action: format!("{back}/tasks/{}/{outcome}", task.open.token),
        back,
        version: view.state.version,
        step: task.name.get(lang).to_owned(),
        label: found.label.get(lang).to_owned(),
        help: task.task.help.get(lang).to_owned(),
        applicant: view.state.applicant.name.clone(),
        fields: task
            .task
            .fields
            .iter()
            .filter(|f| f.belongs_to(outcome))
            .cloned()
            .collect(),
        kind,
        posted,
        reasons: reasons
            .iter()
            .map(|r| ui::Choice::new(&r.id, format!("{} ({})", r.text.get(lang), r.basis)))
            .collect(),
        places: papers.chain(fields).collect(),
        second: !view.state.supplements.is_empty(),
        channels: [Channel::Counter, Channel::Online, Channel::Post]
            .iter()
            .map(|c| ui::Choice::new(c.code(), channel_label(*c).get(lang).to_owned()))
            .collect(),
        page,
    })
}

pub(super) async fn ask(
    web: Web,
    State(dossiers): State<Dossiers>,
    Path((code, token, outcome)): Path<(String, u32, String)>,
) -> Response {
    let made = async {
        let view = load(&web, &dossiers, &code).await?;
        let task = view.tasks.iter().find(|t| t.open.token == token).ok_or_else(no_step)?;
        outcome_page(&web, &view, task, &outcome, Vec::new(), Problems::new())
    };
    match made.await {
        Ok(page) => view::html(StatusCode::OK, &page),
        Err(error) => web.refuse(&error),
    }
}

pub(super) async fn complete(
    web: Web,
    State(dossiers): State<Dossiers>,
    Path((code, token, outcome)): Path<(String, u32, String)>,
    Form(posted): Posted,
) -> Response {
    let view = match load(&web, &dossiers, &code).await {
        Ok(view) => view,
        Err(error) => return web.refuse(&error),
    };
    let task = view.tasks.iter().find(|t| t.open.token == token);
    let completion = Completion {
        token,
        outcome: outcome.clone(),
        fields: task
            .map(|t| fields(&t.task.fields, &outcome, &posted))
            .unwrap_or_default(),
        note: first(&posted, "note").to_owned(),
        detail: task.map_or(Detail::None, |t| detail(&view, t, &outcome, &posted)),
    };
    let expected = first(&posted, "version").parse().ok();
    let done = dossiers
        .command(&web.ctx, view.id, &Command::Complete(completion), expected)
        .await;
    match (done, task) {
        (Ok(_), _) => Redirect::to(&format!("/desk/dossiers/{code}")).into_response(),
        // What is wrong lies at fields of the small page; everything else belongs on the page of the dossier.
        (Err(Error::Refused(base::Kind::Invalid, problems)), Some(task)) => {
            match outcome_page(&web, &view, task, &outcome, posted, problems) {
                Ok(page) => view::html(StatusCode::UNPROCESSABLE_ENTITY, &page),
                Err(error) => web.refuse(&error),
            }
        }
        (Err(error), _) => again(&web, &dossiers, &code, error).await,
    }
}

/// The officer's fields as JSON, by their types.
fn fields(declared: &[TaskField], outcome: &str, posted: &[(String, String)]) -> Map<String, Value> {
    let mut out = Map::new();
    for field in declared.iter().filter(|f| f.belongs_to(outcome)) {
        let text = first(posted, &field.id);
        let value = match &field.kind {
            FieldKind::YesNo if text.is_empty() => continue,
            FieldKind::YesNo => Value::Bool(text == "yes"),
            FieldKind::Number => match text.replace(',', ".").parse::<f64>() {
                Ok(number) => serde_json::json!(number),
                Err(_) if text.is_empty() => continue,
                Err(_) => Value::from(text),
            },
            FieldKind::Date => {
                let part = |name: &str| first(posted, &format!("{}.{name}", field.id));
                let (day, month, year) = (part("day"), part("month"), part("year"));
                if day.is_empty() && month.is_empty() && year.is_empty() {
                    continue;
                }
                Value::from(format!("{year:0>4}-{month:0>2}-{day:0>2}"))
            }
            _ if text.is_empty() => continue,
            _ => Value::from(text),
        };
        out.insert(field.id.clone(), value);
    }
    out
}

fn detail(view: &DossierView, task: &TaskView, outcome: &str, posted: &[(String, String)]) -> Detail {
    let effect = task
        .task
        .outcomes
        .iter()
        .find(|o| o.id == outcome)
        .map_or(OutcomeEffect::None, |o| o.effect);
    let meta = &view.package.meta;
    match asks(effect) {
        Asks::Nothing => Detail::None,
        Asks::Grounds => {
            let reason = meta
                .refusal_reasons
                .iter()
                .find(|r| r.id == first(posted, "grounds.0.reason"));
            let text = first(posted, "grounds.0.text");
            let grounds = reason.map(|r| Ground {
                reason: r.id.clone(),
                text: if text.is_empty() {
                    r.text.vi.clone()
                } else {
                    text.to_owned()
                },
                basis: r.basis.clone(),
            });
            Detail::Grounds {
                grounds: grounds.into_iter().collect(),
            }
        }
        Asks::Items => {
            let items = (0..ROWS)
                .filter_map(|n| {
                    let at = first(posted, &format!("items.{n}.at"));
                    let chosen = first(posted, &format!("items.{n}.reason"));
                    let text = first(posted, &format!("items.{n}.text"));
                    if at.is_empty() && chosen.is_empty() && text.is_empty() {
                        return None;
                    }
                    let reason = meta.supplement_reasons.iter().find(|r| r.id == chosen);
                    Some(MissingItem {
                        at: at.to_owned(),
                        reason: chosen.to_owned(),
                        text: if text.is_empty() {
                            reason.map(|r| r.text.vi.clone()).unwrap_or_default()
                        } else {
                            text.to_owned()
                        },
                        basis: reason.map(|r| r.basis.clone()).unwrap_or_default(),
                    })
                })
                .collect();
            Detail::Supplement {
                items,
                second_ground: first(posted, "second_ground").to_owned(),
            }
        }
        Asks::Delivery => Detail::Delivery {
            channel: channel(first(posted, "delivery")),
            recipient: first(posted, "recipient").to_owned(),
        },
        Asks::Stop => Detail::Stop {
            reason: first(posted, "reason").to_owned(),
            basis: first(posted, "basis").to_owned(),
        },
    }
}

/// The dossier's page with what went wrong at its head: also for whoever came too late.
async fn again(web: &Web, dossiers: &Dossiers, code: &str, error: Error) -> Response {
    let Error::Refused(kind, problems) = error else {
        return web.refuse(&error);
    };
    match load(web, dossiers, code).await {
        Ok(view) => {
            let status = StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
            view::html(status, &build(web, dossiers, &view, problems))
        }
        Err(error) => web.refuse(&error),
    }
}

async fn carry_out(
    web: &Web,
    dossiers: &Dossiers,
    code: &str,
    posted: &[(String, String)],
    command: Result<Command>,
) -> Response {
    let done = async {
        let view = load(web, dossiers, code).await?;
        let expected = first(posted, "version").parse().ok();
        dossiers.command(&web.ctx, view.id, &command?, expected).await
    };
    match done.await {
        Ok(_) => Redirect::to(&format!("/desk/dossiers/{code}")).into_response(),
        Err(error) => again(web, dossiers, code, error).await,
    }
}

pub(super) async fn assign(
    web: Web,
    State(dossiers): State<Dossiers>,
    Path(code): Path<String>,
    Form(posted): Posted,
) -> Response {
    let command = web.ctx.officer().map(|officer| Command::Assign {
        token: first(&posted, "token").parse().unwrap_or(0),
        officer: (first(&posted, "take") == "yes").then(|| OfficerRef {
            id: officer.officer.uuid(),
            name: officer.name.clone(),
        }),
    });
    carry_out(&web, &dossiers, &code, &posted, command).await
}

pub(super) async fn pay(
    web: Web,
    State(dossiers): State<Dossiers>,
    Path(code): Path<String>,
    Form(posted): Posted,
) -> Response {
    let method = match first(&posted, "method") {
        "card" => PaymentMethod::Card,
        "transfer" => PaymentMethod::Transfer,
        _ => PaymentMethod::Cash,
    };
    let amount = first(&posted, "amount")
        .parse::<base::Dong>()
        .map_or(0, base::Dong::amount);
    let command = Command::RecordPayment {
        amount,
        method,
        reference: first(&posted, "reference").to_owned(),
    };
    carry_out(&web, &dossiers, &code, &posted, Ok(command)).await
}

pub(super) async fn waive(
    web: Web,
    State(dossiers): State<Dossiers>,
    Path(code): Path<String>,
    Form(posted): Posted,
) -> Response {
    let command = Command::WaiveFee {
        basis: first(&posted, "basis").to_owned(),
    };
    carry_out(&web, &dossiers, &code, &posted, Ok(command)).await
}

pub(super) async fn note(
    web: Web,
    State(dossiers): State<Dossiers>,
    Path(code): Path<String>,
    Form(posted): Posted,
) -> Response {
    let command = Command::Note {
        text: first(&posted, "note").to_owned(),
    };
    carry_out(&web, &dossiers, &code, &posted, Ok(command)).await
}

#[derive(Template)]
#[template(path = "desk/reappointment.html")]
struct ReappointmentPage {
    page: Page,
    action: String,
    back: String,
    version: i64,
    due: Option<Timestamp>,
    posted: Vec<(String, String)>,
}

impl ReappointmentPage {
    fn value(&self, name: &str) -> &str {
        first(&self.posted, name)
    }

    /// The date as it was typed, day by month by year.
    fn date(&self) -> String {
        let part = |name: &str| self.value(&format!("due.{name}")).to_owned();
        [part("day"), part("month"), part("year")].join("/")
    }
}

fn reappointment_page(
    web: &Web,
    view: &DossierView,
    posted: Vec<(String, String)>,
    problems: Problems,
) -> ReappointmentPage {
    let back = format!("/desk/dossiers/{}", view.state.code);
    let mut page = web.titled(
        "Xin lỗi và hẹn lại ngày trả kết quả",
        "Apologise and appoint a new date",
    );
    page.breadcrumbs = vec![
        Link::new("/desk", "Bàn làm việc", "Desk"),
        Link::new(&back, &view.state.code, &view.state.code),
    ];
    page.problems = problems;
    let due = view.due.and_then(|d| d.current);
    ReappointmentPage {
        page,
        action: format!("{back}/reappointment"),
        back,
        version: view.state.version,
        due,
        posted,
    }
}

pub(super) async fn ask_reappointment(
    web: Web,
    State(dossiers): State<Dossiers>,
    Path(code): Path<String>,
) -> Response {
    match load(&web, &dossiers, &code).await {
        Ok(view) => view::html(
            StatusCode::OK,
            &reappointment_page(&web, &view, Vec::new(), Problems::new()),
        ),
        Err(error) => web.refuse(&error),
    }
}

pub(super) async fn reappoint(
    web: Web,
    State(dossiers): State<Dossiers>,
    Path(code): Path<String>,
    Form(posted): Posted,
) -> Response {
    let view = match load(&web, &dossiers, &code).await {
        Ok(view) => view,
        Err(error) => return web.refuse(&error),
    };
    let part = |name: &str| first(&posted, &format!("due.{name}")).parse::<i16>().ok();
    let date = part("year")
        .zip(part("month"))
        .zip(part("day"))
        .and_then(|((year, month), day)| {
            jiff::civil::Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
        });
    let calendar = dossiers.calendar();
    let done = match date.and_then(|d| calendar.end_of_work(d)) {
        Some(due) => {
            let command = Command::Reappoint {
                due,
                reason: first(&posted, "reason").to_owned(),
            };
            dossiers
                .command(&web.ctx, view.id, &command, first(&posted, "version").parse().ok())
                .await
                .map(drop)
        }
        None => {
            let mut problems = Problems::new();
            problems.add(
                "not-a-working-day",
                "due",
                "Nhập một ngày làm việc.",
                "Enter a working day.",
            );
            problems.into_result()
        }
    };
    match done {
        Ok(()) => Redirect::to(&format!("/desk/dossiers/{code}")).into_response(),
        Err(Error::Refused(base::Kind::Invalid, problems)) => view::html(
            StatusCode::UNPROCESSABLE_ENTITY,
            &reappointment_page(&web, &view, posted, problems),
        ),
        Err(error) => again(&web, &dossiers, &code, error).await,
    }
}

#[derive(Template)]
#[template(path = "desk/opinion.html")]
struct OpinionPage {
    page: Page,
    action: String,
    back: String,
    version: i64,
    name: String,
    question: String,
    asking: String,
    due: Option<Timestamp>,
    sections: Vec<procedure::form::SummarySection>,
    papers: Vec<(String, String, String)>,
    posted: Vec<(String, String)>,
    open: bool,
}

impl OpinionPage {
    fn value(&self, name: &str) -> &str {
        first(&self.posted, name)
    }
}

fn opinion_page(
    web: &Web,
    dossiers: &Dossiers,
    view: &DossierView,
    sent_by: &str,
    posted: Vec<(String, String)>,
    problems: Problems,
) -> Result<OpinionPage> {
    let lang = web.page.lang;
    let asked = view
        .state
        .consultations
        .iter()
        .rev()
        .find(|c| c.sent_by == sent_by)
        .ok_or_else(no_step)?;
    let base = format!("/desk/dossiers/{}", view.state.code);
    let mut page = web.titled("Trả lời ý kiến phối hợp", "Answer a consultation");
    page.breadcrumbs = vec![Link::new("/desk", "Bàn làm việc", "Desk")];
    page.problems = problems;
    Ok(OpinionPage {
        page,
        action: format!("{base}/consultations/{sent_by}"),
        back: "/desk".to_owned(),
        version: view.state.version,
        name: view.package.meta.name.get(lang).to_owned(),
        question: question(&view.package, sent_by).get(lang).to_owned(),
        asking: dossiers.agency_name(&view.state.agency).to_owned(),
        due: asked.due_at,
        open: asked.token.is_some(),
        sections: view.answers.clone(),
        papers: view
            .state
            .papers
            .iter()
            .flat_map(|p| {
                p.files.iter().map(|f| {
                    (
                        place(view, &p.paper, lang),
                        f.name.clone(),
                        format!("{base}/files/{}", f.sha256),
                    )
                })
            })
            .collect(),
        posted,
    })
}

pub(super) async fn ask_opinion(
    web: Web,
    State(dossiers): State<Dossiers>,
    Path((code, sent_by)): Path<(String, String)>,
) -> Response {
    let made = async {
        let view = load(&web, &dossiers, &code).await?;
        opinion_page(&web, &dossiers, &view, &sent_by, Vec::new(), Problems::new())
    };
    match made.await {
        Ok(page) => view::html(StatusCode::OK, &page),
        Err(error) => web.refuse(&error),
    }
}

pub(super) async fn answer(
    web: Web,
    State(dossiers): State<Dossiers>,
    Path((code, sent_by)): Path<(String, String)>,
    Form(posted): Posted,
) -> Response {
    let view = match load(&web, &dossiers, &code).await {
        Ok(view) => view,
        Err(error) => return web.refuse(&error),
    };
    let mut problems = Problems::new();
    let agrees = match first(&posted, "agrees") {
        "yes" => Some(true),
        "no" => Some(false),
        _ => {
            problems.add(
                "required",
                "agrees",
                "Chọn thống nhất hoặc không thống nhất.",
                "Choose whether you agree.",
            );
            None
        }
    };
    let done = match (agrees, problems.into_result()) {
        (Some(agrees), Ok(())) => {
            let command = Command::AnswerConsultation {
                sent_by: sent_by.clone(),
                agrees,
                opinion: first(&posted, "opinion").to_owned(),
                document: first(&posted, "document").to_owned(),
            };
            // An opinion holds whatever else has happened to the dossier meanwhile.
            dossiers.command(&web.ctx, view.id, &command, None).await.map(drop)
        }
        (_, refused) => refused,
    };
    match done {
        Ok(()) => Redirect::to("/desk").into_response(),
        Err(Error::Refused(base::Kind::Invalid, problems)) => {
            match opinion_page(&web, &dossiers, &view, &sent_by, posted, problems) {
                Ok(page) => view::html(StatusCode::UNPROCESSABLE_ENTITY, &page),
                Err(error) => web.refuse(&error),
            }
        }
        Err(error) => web.refuse(&error),
    }
}
