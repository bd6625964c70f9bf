//! The office's rules with their figures and runs, and what is public of them.

use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use base::{Error, Kind, Lang, Problems, Result, Timestamp};
use exchange::events::Standing;
use identity::Web;
use view::{
    Link, Page,
    ui::{self, Tone},
};

use super::{
    super::{Figures, Ladder, Left, MOST_TOLD, On, ProcedureFigures, RuleView, RunView, Stuck, told},
    mine::{self, first, procedure, proposal_id},
};
use crate::service::Dossiers;

#[derive(Template)]
#[template(path = "proposal/rules.html")]
struct RulesPage {
    page: Page,
    rows: Vec<Row>,
}

struct Row {
    href: String,
    name: String,
    level: String,
    procedure: String,
    figures: Figures,
    last: Option<Timestamp>,
    running: bool,
    /// Whether an officer must look at one.
    stuck: bool,
}

pub(super) async fn list(web: Web, State(dossiers): State<Dossiers>) -> Response {
    let made = async {
        let lang = web.ctx.lang;
        let rules = dossiers.proposal_rules(&web.ctx).await?;
        let mut page = web.titled("Dịch vụ công chủ động", "Proactive services");
        page.breadcrumbs = vec![Link::new("/desk", "Bàn làm việc", "Desk")];
        Ok::<_, Error>(RulesPage {
            rows: rules.iter().map(|view| row(view, lang)).collect(),
            page,
        })
    };
    match made.await {
        Ok(page) => view::html(StatusCode::OK, &page),
        Err(error) => web.refuse(&error),
    }
}

fn row(view: &RuleView<'_>, lang: Lang) -> Row {
    let last = view.runs.first();
    Row {
        href: format!("/desk/proposals/{}", view.rule.code),
        name: view.rule.name.get(lang).to_owned(),
        level: view.rule.level().label().get(lang).to_owned(),
        procedure: view.rule.procedure.clone(),
        figures: view.figures,
        last: last.map(|run| run.at),
        running: last.is_some_and(|run| run.ended_at.is_none()),
        stuck: !view.stuck.is_empty(),
    }
}

#[derive(Template)]
#[template(path = "proposal/rule.html")]
struct RulePage {
    page: Page,
    path: String,
    summary: String,
    level: String,
    procedure: String,
    question: String,
    laws: Vec<String>,
    /// Days to refuse, days to restore.
    act: Option<(u16, u16)>,
    every: Option<u16>,
    events: Vec<EventRow>,
    awaited: String,
    next_due: Option<Timestamp>,
    figures: Figures,
    runs: Vec<RunView>,
    stuck: Vec<StuckRow>,
    may_start: bool,
    people: String,
}

/// An event that names people.
struct EventRow {
    /// With the days after it.
    name: String,
    /// How it is followed.
    news: String,
    tone: Tone,
}

struct StuckRow {
    path: String,
    /// In the name of its field.
    id: String,
    code: String,
    since: Timestamp,
    left: Vec<LeftRow>,
    /// What was written already, after a refusal.
    note: String,
}

struct LeftRow {
    name: String,
    registry: String,
    entry: String,
    why: Vec<String>,
}

/// What was posted and is to be mended.
#[derive(Default)]
struct Posted {
    people: String,
    /// Of which proposal, and what.
    note: Option<(String, String)>,
}

pub(super) async fn show(web: Web, State(dossiers): State<Dossiers>, Path(rule): Path<String>) -> Response {
    match rule_page(&web, &dossiers, &rule, Posted::default(), Problems::new()).await {
        Ok(page) => view::html(StatusCode::OK, &page),
        Err(error) => web.refuse(&error),
    }
}

async fn rule_page(web: &Web, dossiers: &Dossiers, code: &str, posted: Posted, problems: Problems) -> Result<RulePage> {
    let lang = web.ctx.lang;
    let view = dossiers.proposal_rule(&web.ctx, code).await?;
    let rule = view.rule;
    let mut page = web.page.clone();
    page.title = rule.name.get(lang).to_owned();
    page.breadcrumbs = vec![
        Link::new("/desk", "Bàn làm việc", "Desk"),
        Link::new("/desk/proposals", "Dịch vụ công chủ động", "Proactive services"),
    ];
    page.problems = problems;
    Ok(RulePage {
        path: format!("/desk/proposals/{}", rule.code),
        summary: rule.summary.get(lang).to_owned(),
        level: rule.level().label().get(lang).to_owned(),
        procedure: rule.procedure.clone(),
        question: rule.question.name.get(lang).to_owned(),
        laws: rule
            .basis
            .iter()
            .map(|basis| format!("{}, {}", basis.text, basis.article))
            .collect(),
        act: match &rule.step {
            Ladder::Act(act) => Some((act.refuse_days, act.restore_days)),
            _ => None,
        },
        every: rule.every_days,
        events: view
            .events
            .iter()
            .map(|(on, standing)| event(&page, on, *standing))
            .collect(),
        awaited: match view.awaited {
            more if more > MOST_TOLD => format!("{} {}", page.t("hơn", "more than"), page.number(MOST_TOLD)),
            people => page.number(people).to_string(),
        },
        next_due: view.next_due,
        figures: view.figures,
        runs: view.runs,
        stuck: view
            .stuck
            .iter()
            .map(|stuck| stuck_row(stuck, rule.code.as_str(), &posted, lang))
            .collect(),
        may_start: view.may_start,
        people: posted.people,
        page,
    })
}

fn event(page: &Page, on: &On, standing: Option<Standing>) -> EventRow {
    let name = page.text(&on.name);
    let (news, tone) = match standing {
        Some(Standing::Heard) => (page.t("Đang nhận tin", "Its news come"), Tone::Good),
        Some(Standing::Unapproved) => (page.t("Chưa được phép nhận tin", "Not permitted yet"), Tone::Warn),
        Some(Standing::Failing) => (
            page.t("Chưa lấy được tin, sẽ thử lại", "News cannot be fetched; will retry"),
            Tone::Late,
        ),
        None => (page.t("Chưa theo dõi", "Not followed yet"), Tone::Neutral),
    };
    EventRow {
        name: match (on.after_days, page.t("sau", "after")) {
            (0, _) => name.to_owned(),
            (1, after) => format!("{name}, {after} 1 {}", page.t("ngày", "day")),
            (days, after) => format!("{name}, {after} {days} {}", page.t("ngày", "days")),
        },
        news: news.to_owned(),
        tone,
    }
}

fn stuck_row(stuck: &Stuck, rule: &str, posted: &Posted, lang: Lang) -> StuckRow {
    let id = stuck.id.to_string();
    let left = |left: &Left| LeftRow {
        name: left.name.get(lang).to_owned(),
        registry: left.registry.clone(),
        entry: left.entry.clone(),
        why: left
            .problems
            .iter()
            .map(|problem| problem.text.get(lang).to_owned())
            .collect(),
    };
    StuckRow {
        path: format!("/desk/proposals/{rule}/stuck/{id}"),
        code: stuck.code.clone(),
        since: stuck.since,
        left: stuck.left.iter().map(left).collect(),
        note: posted
            .note
            .as_ref()
            .filter(|(of, _)| *of == id)
            .map_or_else(String::new, |(_, note)| note.clone()),
        id,
    }
}

/// What stands of an act is to be taken back once more.
pub(super) async fn again(
    web: Web,
    State(dossiers): State<Dossiers>,
    Path((rule, id)): Path<(String, String)>,
) -> Response {
    let again = async { dossiers.take_back_again(&web.ctx, proposal_id(&id)?).await };
    let done = again.await;
    answer(&web, &dossiers, &rule, Posted::default(), done).await
}

/// An officer says how it was put right.
pub(super) async fn settle(
    web: Web,
    State(dossiers): State<Dossiers>,
    Path((rule, id)): Path<(String, String)>,
    Form(posted): mine::Posted,
) -> Response {
    let field = format!("note-{id}");
    let note = first(&posted, &field).to_owned();
    let settled = async { dossiers.settle_proposal(&web.ctx, proposal_id(&id)?, &note).await };
    let done = settled.await.map_err(|error| at_field(error, &field));
    let posted = Posted {
        note: Some((id, note.clone())),
        ..Posted::default()
    };
    answer(&web, &dossiers, &rule, posted, done).await
}

/// The same problems, at the field of the page: there may be several notes on it.
fn at_field(error: Error, field: &str) -> Error {
    match error {
        Error::Refused(Kind::Invalid, problems) => {
            let mut there = Problems::new();
            for problem in problems.iter() {
                there.add(&problem.code, field, problem.text.vi.clone(), problem.text.en.clone());
            }
            Error::Refused(Kind::Invalid, there)
        }
        other => other,
    }
}

/// The page of the rule, anew; or again with what is to be mended.
async fn answer(web: &Web, dossiers: &Dossiers, rule: &str, posted: Posted, done: Result<()>) -> Response {
    let error = match done {
        Ok(()) => return Redirect::to(&format!("/desk/proposals/{rule}")).into_response(),
        Err(error) => error,
    };
    let Error::Refused(kind @ (Kind::Invalid | Kind::Conflict), problems) = error else {
        return web.refuse(&error);
    };
    match rule_page(web, dossiers, rule, posted, problems).await {
        Ok(page) => {
            let status = StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
            view::html(status, &page)
        }
        Err(error) => web.refuse(&error),
    }
}

/// Starts a run over the people whose numbers were entered.
pub(super) async fn start(
    web: Web,
    State(dossiers): State<Dossiers>,
    Path(rule): Path<String>,
    Form(posted): mine::Posted,
) -> Response {
    let posted = Posted {
        people: first(&posted, "people").to_owned(),
        ..Posted::default()
    };
    let started = dossiers.start_run(&web.ctx, &rule, &posted.people).await.map(drop);
    answer(&web, &dossiers, &rule, posted, started).await
}

#[derive(Template)]
#[template(path = "proposal/public.html")]
struct PublicPage {
    page: Page,
    year: i16,
    rows: Vec<PublicRow>,
}

struct PublicRow {
    procedure: String,
    name: String,
    /// Whether it has a page here.
    served: bool,
    /// In the order of the columns, as they are told.
    figures: [String; 6],
}

/// The figures of this year, for everybody.
pub(super) async fn public(web: Web, State(dossiers): State<Dossiers>) -> Response {
    let year = web.ctx.now.legal_date().year();
    let made = async {
        let mut page = web.titled("Dịch vụ công chủ động", "Proactive services");
        page.breadcrumbs = vec![Link::new("/publication", "Công khai tiến độ", "Publication")];
        let figures = dossiers.public_proposals(year).await?;
        let shown = |n: i64| told(n).map_or_else(|| page.t("dưới 5", "below 5").to_owned(), |n| page.number(n));
        let (now, lang) = (web.ctx.now, web.ctx.lang);
        let row = |of: ProcedureFigures| {
            let f = of.figures;
            PublicRow {
                name: procedure(&dossiers, &of.procedure, now, lang),
                served: dossiers.shelf().on(&of.procedure, now.legal_date()).is_some(),
                procedure: of.procedure,
                figures: [f.proposed, f.seen, f.taken_up, f.declined, f.acted, f.restored].map(shown),
            }
        };
        let rows = figures.into_iter().map(row).collect();
        Ok::<_, Error>(PublicPage { page, year, rows })
    };
    match made.await {
        Ok(page) => view::html(StatusCode::OK, &page),
        Err(error) => web.refuse(&error),
    }
}
