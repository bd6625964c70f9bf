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
use view::{Page, ui, ui::Tone};

use crate::{
    model::status::NationalStatus,
    pages::text::{encoded, working_time},
    service::{ConsultationItem, Dossiers, Filter, QueueItem, QueueQuery},
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    show: String,
    procedure: String,
    after: String,
}

#[derive(Template)]
#[template(path = "desk/queue.html")]
struct QueuePage {
    page: Page,
    asked: Asked,
    greeting: String,
    open: String,
    soon: String,
    overdue: String,
    late: bool,
    rows: Vec<Row>,
    next: Option<String>,
    consultations: Vec<Question>,
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
pub(super) fn left(lang: Lang, minutes: Option<i64>) -> (String, Tone) {
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
        overdue: asked.show == "overdue",
        soon: asked.show == "soon",
        procedure: text(&asked.procedure),
        after: text(&asked.after),
    };
    let queue = dossiers.queue(&web.ctx, &query).await?;
    let consultations = match officer.roles.has(Role::Consulted) {
        true => dossiers.consultations(&web.ctx).await?,
        false => Vec::new(),
    };
    let today = web.ctx.now.legal_date();
    let page = QueuePage {
        page: web.titled("Bàn làm việc", "Desk"),
        greeting: format!("{}, {}", officer.name, dossiers.agency_name(&officer.agency)),
        open: counted(queue.open),
        soon: counted((queue.soon - queue.overdue).max(0)),
        overdue: counted(queue.overdue),
        late: queue.overdue > 0,
        rows: queue.steps.items.iter().map(|item| row(lang, item)).collect(),
        next: queue
            .steps
            .next
            .map(|cursor| format!("/desk?show={}&procedure={}&after={cursor}", asked.show, asked.procedure)),
        consultations: consultations.iter().map(|c| question(lang, dossiers, c)).collect(),
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
    let (left, tone) = left(lang, item.minutes_left);
    Row {
        href: format!("/desk/dossiers/{}", item.code),
        code: item.code.clone(),
        name: item.name.get(lang).to_owned(),
        step: item.step.get(lang).to_owned(),
        applicant: item.applicant.clone(),
        left,
        tone,
        due: item.urgent_at,
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
    after: String,
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
    let after = Some(sought.after.as_str()).filter(|s| !s.is_empty());
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
            "/desk/dossiers?q={}&status={}&after={cursor}",
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
