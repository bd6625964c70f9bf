//! What everybody may see: members, their systems and services, and how old that is.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use base::{Error, Kind, Result, Timestamp, text::matches_words};
use identity::{Cursor, Web};
use serde::Deserialize;
use view::{Link, Page, ui};

use super::{answer, member_href, named};
use crate::{
    directory::{Follower, api::MemberPath, grouped},
    model::{
        federation::{Description, Freshness, Gateway, Member, Service, Standing, Subsystem},
        identifier::MemberId,
        meta::ServiceKind,
    },
};

/// Members on a page.
const PAGE: usize = 50;

/// What the reader looks for, and from where on.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    q: String,
    cursor: Cursor,
}

#[derive(Template)]
#[template(path = "exchange/directory.html")]
struct DirectoryPage {
    page: Page,
    age: Age,
    edition: u64,
    issued: Timestamp,
    root: Option<String>,
    q: String,
    rows: Vec<Row>,
    newer: Option<String>,
    older: Option<String>,
}

struct Row {
    href: String,
    name: String,
    id: String,
    subsystems: String,
    services: String,
    suspended: bool,
}

/// How old the directory is, for people.
struct Age {
    tone: ui::Tone,
    title: String,
    text: String,
    checked: Option<Timestamp>,
}

impl Age {
    fn of(page: &Page, standing: &Standing, follower: &Follower) -> Self {
        let checked = follower.report().good;
        let (tone, title, text) = match standing.freshness {
            Freshness::Fresh => (
                ui::Tone::Good,
                page.t("Danh bạ đang cập nhật", "The directory is up to date")
                    .to_owned(),
                page.t(
                    "Dấu thời gian của người vận hành liên thông còn hiệu lực.",
                    "The timestamp of the operator is in force.",
                )
                .to_owned(),
            ),
            Freshness::Stale { since, until } => (
                ui::Tone::Warn,
                page.t("Danh bạ đã cũ", "The directory is stale").to_owned(),
                match page.lang {
                    base::Lang::Vi => format!(
                        "Từ {} nút này chưa lấy được bản mới. Các thành viên đã từng trao đổi vẫn tiếp tục đến {}; chưa \
                         nhận thành viên mới.",
                        since.display(),
                        until.display()
                    ),
                    base::Lang::En => format!(
                        "Since {} this node has had no newer edition. Members that it has met go on until {}; new ones are \
                         refused.",
                        since.display(),
                        until.display()
                    ),
                },
            ),
            Freshness::Expired { since } => (
                ui::Tone::Late,
                page.t("Danh bạ đã hết hạn", "The directory has expired").to_owned(),
                match page.lang {
                    base::Lang::Vi => format!(
                        "Nút này không lấy được bản mới từ {} và không trao đổi với ai cho đến khi lấy được.",
                        since.display()
                    ),
                    base::Lang::En => format!(
                        "This node has had no newer edition since {}, and talks to nobody until it has one.",
                        since.display()
                    ),
                },
            ),
        };
        Self {
            tone,
            title,
            text,
            checked,
        }
    }
}

pub async fn members(State(follower): State<Follower>, web: Web, Query(asked): Query<Asked>) -> Response {
    let mut page = web.titled("Danh bạ liên thông", "Directory of the exchange");
    let standing = follower.standing().load_full();
    let directory = standing.view.directory();
    page.title = format!("{}: {}", page.title, page.text(&directory.name));
    let q = asked.q.trim().to_owned();
    let after = match asked.cursor.place(|cursor| cursor.parse::<MemberId>().ok()) {
        Ok(after) => after,
        Err(error) => return web.refuse(&error),
    };
    let mut found = directory
        .members
        .iter()
        .filter(|member| after.as_ref().is_none_or(|after| member.id > *after))
        .filter(|member| q.is_empty() || is_meant(member, &q));
    let rows: Vec<Row> = found.by_ref().take(PAGE).map(|member| row(&page, member)).collect();
    let older = found.next().and(rows.last()).map(|last| list_href(&q, &last.id));
    answer(
        &web,
        Ok(DirectoryPage {
            age: Age::of(&page, &standing, &follower),
            edition: directory.version,
            issued: directory.issued,
            root: follower.report().root.map(|root| grouped(&root.to_string())),
            newer: after.map(|_| list_href(&q, "")),
            older,
            rows,
            q,
            page,
        }),
    )
}

fn is_meant(member: &Member, q: &str) -> bool {
    let subsystems = member.subsystems.iter();
    let names = subsystems.flat_map(|subsystem| {
        let services = subsystem.services.iter().map(|service| &service.name);
        services.chain([&subsystem.name])
    });
    let mut all = format!("{} {} {}", member.id, member.name.vi, member.name.en);
    for name in names {
        all.push_str(&format!(" {} {}", name.vi, name.en));
    }
    matches_words(&all, q)
}

fn row(page: &Page, member: &Member) -> Row {
    let services: usize = member.subsystems.iter().map(|subsystem| subsystem.services.len()).sum();
    Row {
        href: member_href("/exchange/members", &member.id),
        name: named(page, &member.name),
        id: member.id.to_string(),
        subsystems: page.number(member.subsystems.len()),
        services: page.number(services),
        suspended: member.suspended.is_some(),
    }
}

fn list_href(q: &str, cursor: &str) -> String {
    let mut href = "/exchange?".to_owned();
    for (name, value) in [("q", q), ("cursor", cursor)] {
        if !value.is_empty() {
            href.push_str(&format!("{name}={}&", encoded(value)));
        }
    }
    href.pop();
    href
}

/// As a query wants it (RFC 3986, 3.4).
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[derive(Template)]
#[template(path = "exchange/member.html")]
struct MemberPage {
    page: Page,
    age: Age,
    id: String,
    since: Timestamp,
    suspended: Option<Timestamp>,
    gateways: Vec<Gateway>,
    subsystems: Vec<Subsystem>,
}

impl MemberPage {
    fn document(description: &Description) -> String {
        format!("/exchange/documents/{}", description.sha256)
    }

    fn kind(&self, service: &Service) -> &'static str {
        match service.kind {
            ServiceKind::Rest => "REST",
            ServiceKind::OpenApi => "OpenAPI",
        }
    }
}

pub async fn member(State(follower): State<Follower>, web: Web, Path(path): Path<MemberPath>) -> Response {
    answer(&web, member_page(&follower, &web, &path))
}

fn member_page(follower: &Follower, web: &Web, path: &MemberPath) -> Result<MemberPage> {
    let standing = follower.standing().load_full();
    let member = standing.view.member(&path.id()?);
    let member = member.ok_or_else(|| Error::not_found("thành viên", "member"))?;
    let mut page = web.titled("", "");
    page.title = named(&page, &member.name);
    page.breadcrumbs = vec![Link::new(
        "/exchange",
        "Danh bạ liên thông",
        "Directory of the exchange",
    )];
    Ok(MemberPage {
        age: Age::of(&page, &standing, follower),
        id: member.id.to_string(),
        since: member.since,
        suspended: member.suspended,
        gateways: member.gateways.clone(),
        subsystems: member.subsystems.clone(),
        page,
    })
}

/// An OpenAPI document that the directory names.
pub async fn document(State(follower): State<Follower>, web: Web, Path(sha256): Path<String>) -> Response {
    let standing = follower.standing().load_full();
    let services = standing
        .view
        .directory()
        .members
        .iter()
        .flat_map(|member| &member.subsystems)
        .flat_map(|subsystem| &subsystem.services);
    let mut descriptions = services.filter_map(|service| service.description.as_ref());
    let Some(description) = descriptions.find(|description| description.sha256 == sha256) else {
        return web.refuse(&Error::not_found("tài liệu", "document"));
    };
    match follower.document(description).await {
        Ok(document) => (
            [
                (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
                (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
                (
                    header::CONTENT_SECURITY_POLICY,
                    HeaderValue::from_static("default-src 'none'; sandbox"),
                ),
                (
                    header::CACHE_CONTROL,
                    HeaderValue::from_static("public, max-age=31536000, immutable"),
                ),
            ],
            document,
        )
            .into_response(),
        Err(problems) => web.refuse(&Error::Refused(Kind::Unavailable, problems)),
    }
}
