//! The queue and the list of all dossiers of the agency.

use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::Query;
use base::{Lang, Result, Timestamp};
use identity::{Permission, Role, Web};
use serde::Deserialize;
use view::{Link, Page, files::encoded, ui, ui::Tone};

use crate::{
    consult::{
        Shown,
        pages::{Row as AskedRow, row as asked_row},
    },
    model::{foresight::Outlook, status::NationalStatus},
    pages::text::{self, working_time},
    service::{ConsultationItem, Dossiers, Filter, Holder, QueueItem, QueueQuery, Watch},
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    show: String,
    procedure: String,
    cursor: String,
}

#[derive(Template)]
#[template(path = "desk/queue.html")]
struct QueuePage {
    page: Page,
    asked: Asked,
    greeting: String,
    open: String,
    soon: String,
    risk: String,
    overdue: String,
    risky: bool,
    late: bool,
    /// What the leader and the one-stop shop should look at; none for others.
    watch: Option<Vec<Watched>>,
    rows: Vec<Row>,
    next: Option<String>,
    consultations: Vec<Question>,
    /// What agencies with nodes of their own have asked, the most urgent first.
    asked_elsewhere: Vec<AskedRow>,
    more_asked: bool,
    /// The officer answers consultations.
    consulted: bool,
    procedures: Vec<ui::Choice>,
    works_steps: bool,
}

struct Row {
    href: String,
    code: String,
    name: String,
    step: String,
    applicant: String,
    left: String,
    tone: Tone,
    /// The dossier is not late yet, but will be.
    risk: bool,
    due: Option<Timestamp>,
    who: String,
    unpaid: bool,
}

struct Question {
    href: String,
    code: String,
    name: String,
    question: String,
    asking: String,
    due: Option<Timestamp>,
}

/// `99+` beyond what is counted.
fn counted(n: i64) -> String {
    if n >= i64::from(crate::service::COUNTED) {
        "99+".to_owned()
    } else {
        n.to_string()
    }
}

/// Time left or passed, in working time: `Còn 2 giờ 5 phút làm việc`.
pub(crate) fn left(lang: Lang, minutes: Option<i64>) -> (String, Tone) {
    let Some(minutes) = minutes else {
        return (lang.t("Tạm dừng", "Paused").to_owned(), Tone::Neutral);
    };
    let text = working_time(lang, minutes.abs());
    match minutes {
        m if m < 0 => (format!("{} {text}", lang.t("Quá hạn", "Late by")), Tone::Late),
        m if m <= 480 => (format!("{} {text}", lang.t("Còn", "Left:")), Tone::Warn),
        _ => (format!("{} {text}", lang.t("Còn", "Left:")), Tone::Good),
    }
}

/// As [`left`], of an open step: its own time is not that of the dossier.
fn mark(lang: Lang, outlook: Outlook, minutes: Option<i64>) -> (String, Tone) {
    match (outlook, minutes) {
        (Outlook::Soon, Some(late)) if late < 0 => {
            let text = working_time(lang, -late);
            (
                format!("{} {text}", lang.t("Bước này chậm", "Step late by")),
                Tone::Warn,
            )
        }
        (Outlook::Risk, Some(minutes)) => {
            let text = working_time(lang, minutes);
            (
                format!("{} {text}", lang.t("Đến hẹn trả còn", "Until the result is due:")),
                Tone::Warn,
            )
        }
        _ => left(lang, minutes),
    }
}

/// How many of them stand on the desk itself.
const SHORT: usize = 10;

fn shown_only(show: &str) -> Option<Outlook> {
    match show {
        "overdue" => Some(Outlook::Overdue),
        "risk" => Some(Outlook::Risk),
        "soon" => Some(Outlook::Soon),
        _ => None,
    }
}

struct Watched {
    href: String,
    code: String,
    name: String,
    applicant: String,
    step: String,
    holder: String,
    taken: bool,
    label: String,
    left: String,
    tone: Tone,
    due: Option<Timestamp>,
    finish_by: Option<Timestamp>,
}

#[derive(Template)]
#[template(path = "desk/watch.html")]
struct WatchPage {
    page: Page,
    show: String,
    soon: String,
    risk: String,
    overdue: String,
    rows: Vec<Watched>,
}

async fn watched(web: &Web, dossiers: &Dossiers, only: Option<Outlook>) -> Result<(Vec<Watched>, Watch)> {
    let lang = web.page.lang;
    let watch = dossiers.watch(&web.ctx, only).await?;
    let rows = watch.items.iter().map(|item| {
        let (left, _) = mark(lang, item.outlook, item.minutes_left);
        let (holder, taken) = match &item.holder {
            Holder::Officer(name) => (name.clone(), true),
            Holder::Role(role) => (text::role(lang, role).unwrap_or(role.as_str()).to_owned(), false),
            Holder::Agency(name) => (name.get(lang).to_owned(), true),
        };
        Watched {
            href: format!("/desk/dossiers/{}", item.code),
            code: item.code.clone(),
            name: item.name.get(lang).to_owned(),
            applicant: item.applicant.clone(),
            step: item.step.get(lang).to_owned(),
            holder,
            taken,
            label: item.outlook.label().get(lang).to_owned(),
            left,
            tone: match item.outlook {
                Outlook::Overdue => Tone::Late,
                Outlook::Risk | Outlook::Soon => Tone::Warn,
                Outlook::Fine | Outlook::Paused => Tone::Neutral,
            },
            due: item.due_at,
            finish_by: item.finish_by,
        }
    });
    let rows = rows.collect();
    Ok((rows, watch))
}

/// What the leader and the one-stop shop should look at: overdue, at risk, due soon, and who holds each.
pub(super) async fn watch(web: Web, State(dossiers): State<Dossiers>, Query(asked): Query<Asked>) -> Response {
    match watched(&web, &dossiers, shown_only(&asked.show)).await {
        Ok((rows, watch)) => {
            let mut page = web.titled("Theo dõi thời hạn", "Time limits");
            page.breadcrumbs = vec![Link::new("/desk", "Bàn làm việc", "Desk")];
            let page = WatchPage {
                page,
                show: asked.show,
                soon: counted(watch.soon),
                risk: counted(watch.risk),
                overdue: counted(watch.overdue),
                rows,
            };
            view::html(StatusCode::OK, &page)
        }
        Err(error) => web.refuse(&error),
    }
}

pub(super) async fn show(web: Web, State(dossiers): State<Dossiers>, Query(asked): Query<Asked>) -> Response {
    match shown(&web, &dossiers, asked).await {
        Ok(response) => response,
        Err(error) => web.refuse(&error),
    }
}

async fn shown(web: &Web, dossiers: &Dossiers, asked: Asked) -> Result<Response> {
    let officer = web.ctx.officer()?;
    let lang = web.page.lang;
    let works_steps = [Role::Receptionist, Role::Specialist, Role::Leader]
        .iter()
        .any(|r| officer.roles.has(*r));
    if !works_steps && !officer.roles.has(Role::Consulted) {
        let home = if web.ctx.holds(Permission::ManageOfficers) {
            "/admin/officers"
        } else {
            "/desk/dossiers"
        };
        return Ok(Redirect::to(home).into_response());
    }
    let text = |s: &str| Some(s.trim().to_owned()).filter(|s| !s.is_empty());
    let query = QueueQuery {
        mine: asked.show == "mine",
        unassigned: asked.show == "free",
        only: shown_only(&asked.show),
        procedure: text(&asked.procedure),
        after: text(&asked.cursor),
    };
    let queue = dossiers.queue(&web.ctx, &query).await?;
    let consultations = match officer.roles.has(Role::Consulted) {
        true => dossiers.consultations(&web.ctx).await?,
        false => Vec::new(),
    };
    let elsewhere = match officer.roles.has(Role::Consulted) {
        true => {
            dossiers
                .asked(&web.ctx, Shown::Open, None, SHORT as u32 + 1)
                .await?
                .items
        }
        false => Vec::new(),
    };
    let watch = match officer.roles.has(Role::Leader) || officer.roles.has(Role::Receptionist) {
        true => Some(watched(web, dossiers, None).await?.0),
        false => None,
    };
    let today = web.ctx.now.legal_date();
    let page = QueuePage {
        page: web.titled("Bàn làm việc", "Desk"),
        greeting: format!("{}, {}", officer.name, dossiers.agency_name(&officer.agency)),
        open: counted(queue.open),
        soon: counted(queue.soon),
        risk: counted(queue.risk),
        overdue: counted(queue.overdue),
        risky: queue.risk > 0,
        late: queue.overdue > 0,
        watch: watch.map(|all| all.into_iter().take(SHORT).collect()),
        rows: queue.steps.items.iter().map(|item| row(lang, item)).collect(),
        next: queue.steps.next.map(|cursor| {
            format!(
                "/desk?show={}&procedure={}&cursor={cursor}",
                asked.show, asked.procedure
            )
        }),
        consultations: consultations.iter().map(|c| question(lang, dossiers, c)).collect(),
        consulted: officer.roles.has(Role::Consulted),
        more_asked: elsewhere.len() > SHORT,
        asked_elsewhere: elsewhere.iter().take(SHORT).map(|item| asked_row(lang, item)).collect(),
        procedures: dossiers
            .shelf()
            .all_on(today)
            .iter()
            .map(|p| ui::Choice::new(&p.id.code, p.meta.name.get(lang)))
            .collect(),
        works_steps,
        asked,
    };
    Ok(view::html(StatusCode::OK, &page))
}

fn row(lang: Lang, item: &QueueItem) -> Row {
    let (left, tone) = mark(lang, item.outlook, item.minutes_left);
    Row {
        href: format!("/desk/dossiers/{}", item.code),
        code: item.code.clone(),
        name: item.name.get(lang).to_owned(),
        step: item.step.get(lang).to_owned(),
        applicant: item.applicant.clone(),
        left,
        tone,
        risk: item.outlook == Outlook::Risk,
        due: item.limit_at,
        who: match (&item.assignee, item.mine) {
            (Some(_), true) => lang.t("Tôi", "Me").to_owned(),
            (Some(name), false) => name.clone(),
            (None, _) => String::new(),
        },
        unpaid: item.unpaid,
    }
}

fn question(lang: Lang, dossiers: &Dossiers, item: &ConsultationItem) -> Question {
    Question {
        href: format!("/desk/dossiers/{}/consultations/{}", item.code, item.sent_by),
        code: item.code.clone(),
        name: item.name.get(lang).to_owned(),
        question: item.question.get(lang).to_owned(),
        asking: dossiers.agency_name(&item.asking).to_owned(),
        due: item.due_at,
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sought {
    q: String,
    status: String,
    cursor: String,
}

#[derive(Template)]
#[template(path = "desk/all.html")]
struct AllPage {
    page: Page,
    sought: Sought,
    rows: Vec<Listed>,
    next: Option<String>,
    statuses: Vec<ui::Choice>,
}

struct Listed {
    href: String,
    code: String,
    name: String,
    applicant: String,
    status: String,
    tone: Tone,
    due: Option<Timestamp>,
    submitted: Timestamp,
}

/// The look of a status.
pub(super) const fn tone(status: NationalStatus) -> Tone {
    match status {
        NationalStatus::Decided | NationalStatus::Returned => Tone::Good,
        NationalStatus::SupplementRequested | NationalStatus::PaymentRequested => Tone::Warn,
        NationalStatus::NotReceived | NationalStatus::Withdrawn | NationalStatus::Stopped => Tone::Neutral,
        NationalStatus::New | NationalStatus::Received | NationalStatus::Processing => Tone::Info,
    }
}

pub(super) async fn all(web: Web, State(dossiers): State<Dossiers>, Query(sought): Query<Sought>) -> Response {
    match listed(&web, &dossiers, sought).await {
        Ok(response) => response,
        Err(error) => web.refuse(&error),
    }
}

async fn listed(web: &Web, dossiers: &Dossiers, sought: Sought) -> Result<Response> {
    let lang = web.page.lang;
    let q = sought.q.trim();
    if base::codes::DossierCode::try_from(q.to_owned()).is_ok()
        && q.contains('-')
        && q.chars().any(|c| c.is_ascii_digit())
    {
        return Ok(Redirect::to(&format!("/desk/dossiers/{}", q.to_ascii_uppercase())).into_response());
    }
    let filter = Filter {
        status: sought.status.parse().ok().filter(|n| (1..=10).contains(n)),
        applicant: Some(base::text::fold(q)).filter(|s| !s.is_empty()),
        ..Filter::default()
    };
    let after = Some(sought.cursor.as_str()).filter(|s| !s.is_empty());
    let slice = dossiers.list(&web.ctx, &filter, after, 20).await?;
    let rows = slice
        .items
        .into_iter()
        .map(|d| Listed {
            href: format!("/desk/dossiers/{}", d.code),
            name: d.name.get(lang).to_owned(),
            status: d.status.label().get(lang).to_owned(),
            tone: tone(d.status),
            code: d.code,
            applicant: d.applicant,
            due: d.due_at,
            submitted: d.submitted_at,
        })
        .collect();
    let statuses = NationalStatus::ALL
        .iter()
        .map(|s| ui::Choice::new(s.code().to_string(), s.label().get(lang).to_owned()))
        .collect();
    let next = slice.next.map(|cursor| {
        format!(
            "/desk/dossiers?q={}&status={}&cursor={cursor}",
            encoded(&sought.q),
            sought.status
        )
    });
    let page = AllPage {
        page: web.titled("Tất cả hồ sơ", "All dossiers"),
        rows,
        next,
        statuses,
        sought,
    };
    Ok(view::html(StatusCode::OK, &page))
}
