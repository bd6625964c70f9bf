//! Messages, for auditors.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::Response,
};
use base::{Result, Timestamp};
use identity::Web;
use view::{
    Link, Page,
    ui::{self, Tone},
};

use super::{answer, leaf};
use crate::{
    journal::{
        Exchange, Journal, LeafId, LogRow, MessageKind,
        api::{Asked, download},
    },
    model::monitor::Side,
};

#[derive(Template)]
#[template(path = "exchange/journal/messages.html")]
struct Messages {
    page: Page,
    asked: Asked,
    rows: Vec<Row>,
    newer: Option<String>,
    older: Option<String>,
}

/// A message as the list shows it.
struct Row {
    leaf: LeafId,
    at: Timestamp,
    what: String,
    tone: Tone,
    side: String,
    client: String,
    service: String,
    purpose: String,
    issue: String,
    id: String,
}

fn row(page: &Page, row: &LogRow) -> Row {
    let dash = || "—".to_owned();
    let text = |value: &Option<String>| value.clone().unwrap_or_else(dash);
    let (what, tone) = match row.kind {
        MessageKind::Request => {
            let method = row.method.as_deref().unwrap_or_default();
            (format!("{} {method}", page.t("Yêu cầu", "Request")), Tone::Neutral)
        }
        MessageKind::Answer => {
            let status = row.status.unwrap_or_default();
            let tone = if (200..400).contains(&status) {
                Tone::Good
            } else {
                Tone::Warn
            };
            (format!("{} {status}", page.t("Trả lời", "Answer")), tone)
        }
        MessageKind::Erased => (page.t("Đã xóa", "Erased").to_owned(), Tone::Neutral),
        MessageKind::Unreadable => (page.t("Không đọc được", "Unreadable").to_owned(), Tone::Late),
    };
    let side = match row.side {
        Some(Side::Client) => page.t("Bên gọi", "Consumer"),
        Some(Side::Producer) => page.t("Bên cung cấp", "Provider"),
        None => "—",
    };
    Row {
        leaf: row.leaf,
        at: row.at.unwrap_or(row.logged),
        what,
        tone,
        side: side.to_owned(),
        client: text(&row.client),
        service: text(&row.service),
        purpose: text(&row.purpose),
        issue: text(&row.issue),
        id: text(&row.message_id),
    }
}

pub(super) async fn search(State(journal): State<Journal>, web: Web, Query(asked): Query<Asked>) -> Response {
    let page = web.titled("Nhật ký thông điệp", "Message log");
    let found = async {
        // Who may not look is not told what is wrong with the question.
        journal.require_auditor(&web.ctx)?;
        journal.messages(&web.ctx, &asked.filter()?).await
    };
    let list = |page: Page, rows: Vec<Row>, older: Option<String>| Messages {
        newer: (!asked.cursor.is_first())
            .then(|| format!("/exchange/messages?{}", asked.query().trim_start_matches('&'))),
        page,
        asked: asked.clone(),
        rows,
        older,
    };
    match found.await {
        Ok((rows, next)) => {
            let rows = rows.iter().map(|found| row(&page, found)).collect();
            let older = next.map(|place| format!("/exchange/messages?cursor={place}{}", asked.query()));
            view::html(StatusCode::OK, &list(page, rows, older))
        }
        Err(error) => super::again(&web, error, |problems| {
            let page = Page { problems, ..page };
            list(page, Vec::new(), None)
        }),
    }
}

#[derive(Template)]
#[template(path = "exchange/journal/message.html")]
struct Message {
    page: Page,
    evidence: String,
    rows: Vec<(String, String)>,
    pair: Vec<Row>,
    records: Vec<Record>,
    faults: Vec<(String, String)>,
    erased: Option<String>,
    judged: bool,
}

/// What is proved.
struct Record {
    name: String,
    proof: String,
    witnesses: String,
    text: String,
}

pub(super) async fn message(State(journal): State<Journal>, web: Web, Path(place): Path<String>) -> Response {
    let made = async {
        let found = journal.message(&web.ctx, leaf(&place)?).await?;
        Ok(message_page(&web, &found))
    };
    answer(&web, made.await)
}

fn message_page(web: &Web, found: &Exchange) -> Message {
    let mut page = web.titled("Thông điệp", "Message");
    page.title = format!("{} {}", page.title, found.row.leaf);
    page.breadcrumbs = vec![Link::new("/exchange/messages", "Nhật ký thông điệp", "Message log")];
    let shown = row(&page, &found.row);
    let line = |vi: &str, en: &str, value: &str| (page.t(vi, en).to_owned(), value.to_owned());
    let mut rows = vec![
        line("Loại", "Kind", &shown.what),
        line("Ghi sổ lúc", "Logged at", &found.row.logged.display()),
        line("Sổ cái", "Log", &found.log),
    ];
    if found.row.kind != MessageKind::Erased {
        rows.extend([
            line("Nút này là", "This node is the", &shown.side),
            line("Bên gọi", "Consumer", &shown.client),
            line("Dịch vụ", "Service", &shown.service),
            line("Mục đích", "Purpose", &shown.purpose),
            line("Hồ sơ", "Dossier", &shown.issue),
            line("Người dùng", "User", found.row.user.as_deref().unwrap_or("—")),
            line("X-Road-Id", "X-Road-Id", &shown.id),
            line(
                "X-Road-Request-Id",
                "X-Road-Request-Id",
                &found.row.request_id.map_or_else(|| "—".to_owned(), |id| id.to_string()),
            ),
        ]);
    }
    let report = found.report.clone().unwrap_or_default();
    let records = report.leaves.iter().map(|leaf| Record {
        name: match leaf.role.code() {
            "request" => page.t("Yêu cầu", "Request"),
            "answer" => page.t("Câu trả lời", "Answer"),
            _ => page.t("Lượt đọc dữ liệu cá nhân", "Read of personal data"),
        }
        .to_owned(),
        proof: format!(
            "{} {} {} {}",
            page.t("Có trong sổ cái, mục", "In the log, entry"),
            page.number(leaf.index),
            page.t("trên", "of"),
            page.number(leaf.size)
        ),
        witnesses: leaf
            .cosigners
            .iter()
            .map(|c| c.name.as_str())
            .collect::<Vec<_>>()
            .join(", "),
        text: String::from_utf8_lossy(&leaf.record).into_owned(),
    });
    let faults = report
        .faults
        .iter()
        .map(|fault| (fault.at.clone(), page.text(&fault.text).to_owned()));
    let erased = found.erased.as_ref().map(|(at, by, ground)| {
        format!(
            "{} {}, {} {by}. {}: {ground}",
            page.t("Bản ghi đã bị xóa lúc", "The record was erased at"),
            at.display(),
            page.t("bởi", "by"),
            page.t("Căn cứ", "Ground")
        )
    });
    Message {
        evidence: format!("/exchange/messages/{}/evidence", found.row.leaf),
        rows,
        pair: found
            .pair
            .iter()
            .filter(|other| other.leaf != found.row.leaf)
            .map(|other| row(&page, other))
            .collect(),
        records: records.collect(),
        faults: faults.collect(),
        erased,
        judged: found.report.is_some(),
        page,
    }
}

pub(super) async fn evidence(State(journal): State<Journal>, web: Web, Path(place): Path<String>) -> Response {
    let made: Result<_> = async {
        let leaf = leaf(&place)?;
        Ok((leaf, journal.message_evidence(&web.ctx, leaf).await?))
    }
    .await;
    match made {
        Ok((leaf, bytes)) => download(&format!("message-{leaf}.asice"), bytes),
        Err(error) => web.refuse(&error),
    }
}
