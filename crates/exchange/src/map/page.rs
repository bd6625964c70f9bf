//! The page of the map. Without JavaScript it is renewed by its link; with it, the part below the heading renews itself.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use base::{Lang, Result, Timestamp};
use identity::Web;
use view::{Link, Page, ui};

use super::{MINUTES, Picture, Reach, TrafficMap, picture};
use crate::{journal::Flow, model::identifier::MemberId};

/// Most lines of a table of messages.
const MOST: usize = 50;

#[derive(Template)]
#[template(path = "exchange/map.html")]
struct Whole {
    page: Page,
    shown: Shown,
}

/// The part that is kept current.
#[derive(Template)]
#[template(path = "exchange/map_live.html")]
struct Live {
    page: Page,
    shown: Shown,
}

struct Shown {
    /// How many members there are, and how many of them answer.
    count: String,
    drawn: picture::Drawn,
    asked: Option<Timestamp>,
    members: Vec<MemberRow>,
}

/// A member: a line that opens to its services and messages.
struct MemberRow {
    /// Names the line on the page, the same each time: what a reader has opened stays open.
    id: String,
    href: String,
    name: String,
    tag: ui::Tone,
    state: String,
    services: Vec<String>,
    sent: String,
    got: String,
    /// What it asked.
    asks: Flows,
    /// What it was asked.
    asked: Flows,
}

/// Messages of one direction.
struct Flows {
    caption: String,
    rows: Vec<FlowRow>,
    /// Lines that the table leaves out.
    further: usize,
}

struct FlowRow {
    other: String,
    service: String,
    messages: String,
    refused: String,
    failed: String,
    half: String,
}

pub(super) async fn whole(State(map): State<TrafficMap>, web: Web) -> Response {
    match shown(&map, &web).await {
        Ok(shown) => {
            let mut page = web.titled("Bản đồ liên thông trực tiếp", "Live map of the exchange");
            page.breadcrumbs = vec![Link::new(
                "/exchange",
                "Danh bạ liên thông",
                "Directory of the exchange",
            )];
            view::html(StatusCode::OK, &Whole { page, shown })
        }
        Err(error) => web.refuse(&error),
    }
}

pub(super) async fn live(State(map): State<TrafficMap>, web: Web) -> Response {
    match shown(&map, &web).await {
        Ok(shown) => view::html(StatusCode::OK, &Live { page: web.page, shown }),
        Err(error) => web.refuse(&error),
    }
}

async fn shown(map: &TrafficMap, web: &Web) -> Result<Shown> {
    Ok(Shown::of(&web.page, &map.look(&web.ctx).await?))
}

impl Shown {
    fn of(page: &Page, found: &Picture) -> Self {
        Self {
            count: count(page, found),
            drawn: picture::draw(page, found),
            asked: found.asked,
            members: members(page, found),
        }
    }
}

/// The part that is kept current, as HTML.
#[cfg(test)]
pub(super) fn rendered(page: &Page, found: &Picture) -> String {
    let live = Live {
        page: page.clone(),
        shown: Shown::of(page, found),
    };
    live.render().expect("renders")
}

fn count(page: &Page, found: &Picture) -> String {
    let all = found.members.len();
    let answer = found
        .members
        .iter()
        .filter(|(_, reach)| *reach == Reach::Answers)
        .count();
    let (all, answer) = (page.number(all), page.number(answer));
    match page.lang {
        Lang::Vi => format!("{all} thành viên, {answer} đang trả lời. Bấm vào tên để xem dịch vụ và thông điệp."),
        Lang::En => format!("{all} members, {answer} of them answer. Open a name to see services and messages."),
    }
}

fn members(page: &Page, found: &Picture) -> Vec<MemberRow> {
    let rows = found.members.iter().map(|(member, reach)| {
        let asks: Vec<&Flow> = found.flows.iter().filter(|flow| flow.client == member.id).collect();
        let of_its = |flow: &&Flow| flow.service.provider.member == member.id;
        let asked: Vec<&Flow> = found.flows.iter().filter(of_its).collect();
        let sum = |flows: &[&Flow]| page.number(flows.iter().map(|flow| flow.messages).sum::<u64>());
        let caption = |vi: &str, en: &str| match page.lang {
            Lang::Vi => format!("{vi} trong {MINUTES} phút gần nhất"),
            Lang::En => format!("{en} in the last {MINUTES} minutes"),
        };
        MemberRow {
            id: format!("member-{}", member.id),
            href: format!("/exchange/members/{}", member.id),
            name: page.text(&member.name).to_owned(),
            tag: picture::tone(*reach),
            state: state(page, *reach),
            services: picture::offered(member)
                .map(|service| page.text(&service.name).to_owned())
                .collect(),
            sent: sum(&asks),
            got: sum(&asked),
            asks: flows(page, found, caption("Đã hỏi", "Asked"), &asks, |flow| {
                &flow.service.provider.member
            }),
            asked: flows(page, found, caption("Được hỏi", "Was asked"), &asked, |flow| {
                &flow.client
            }),
        }
    });
    rows.collect()
}

fn state(page: &Page, reach: Reach) -> String {
    match (reach, page.lang) {
        (Reach::Answers, _) => page.t("Trả lời", "Answers").to_owned(),
        (Reach::Silent(since), lang) => {
            let since = since.legal().strftime("%H:%M:%S").to_string();
            match lang {
                Lang::Vi => format!("Không trả lời từ {since}"),
                Lang::En => format!("Silent since {since}"),
            }
        }
        (Reach::Unasked, _) => page.t("Chưa có hệ thống để hỏi", "Has no system to ask").to_owned(),
    }
}

fn flows(page: &Page, found: &Picture, caption: String, flows: &[&Flow], other: impl Fn(&Flow) -> &MemberId) -> Flows {
    let member = |id: &MemberId| {
        found
            .members
            .iter()
            .map(|(member, _)| member)
            .find(|member| member.id == *id)
    };
    let rows = flows.iter().take(MOST).map(|flow| {
        let provider = &flow.service.provider;
        let mut subsystems = member(&provider.member)
            .into_iter()
            .flat_map(|member| &member.subsystems);
        let subsystem = subsystems.find(|subsystem| subsystem.code == provider.code);
        let service = subsystem.and_then(|subsystem| subsystem.services.iter().find(|s| s.code == flow.service.code));
        let other = other(flow);
        FlowRow {
            other: member(other).map_or_else(|| other.to_string(), |member| page.text(&member.name).to_owned()),
            service: service.map_or_else(
                || flow.service.code.to_string(),
                |service| page.text(&service.name).to_owned(),
            ),
            messages: page.number(flow.messages),
            refused: page.number(flow.refused),
            failed: page.number(flow.failed),
            half: page.number(flow.half_within_ms),
        }
    });
    Flows {
        caption,
        rows: rows.collect(),
        further: flows.len().saturating_sub(MOST),
    }
}
