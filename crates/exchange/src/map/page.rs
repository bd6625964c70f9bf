//! The page of the map. Without JavaScript it is renewed by its link; with it, the part below the heading renews itself.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use base::{Lang, Result, Timestamp};
use identity::Web;
use view::{Link, Page, ui};

use super::{MINUTES, Picture, Reach, TrafficMap, picture};

/// Most lines of the table of messages.
const MOST: usize = 200;

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
    caption: String,
    drawn: picture::Drawn,
    asked: Option<Timestamp>,
    members: Vec<MemberRow>,
    flows: Vec<FlowRow>,
    /// Lines that the table leaves out.
    further: usize,
}

struct MemberRow {
    href: String,
    name: String,
    tag: ui::Tone,
    state: String,
    services: String,
    sent: String,
    got: String,
}

struct FlowRow {
    client: String,
    provider: String,
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
    let found = map.look(&web.ctx).await?;
    let page = &web.page;
    Ok(Shown {
        caption: match page.lang {
            Lang::Vi => format!("Thông điệp trong {MINUTES} phút gần nhất"),
            Lang::En => format!("Messages of the last {MINUTES} minutes"),
        },
        drawn: picture::draw(page, &found),
        asked: found.asked,
        members: members(page, &found),
        flows: flows(page, &found),
        further: found.flows.len().saturating_sub(MOST),
    })
}

fn members(page: &Page, found: &Picture) -> Vec<MemberRow> {
    let rows = found.members.iter().map(|(member, reach)| {
        let sum = |own: &dyn Fn(&crate::journal::Flow) -> bool| -> u64 {
            let own = found.flows.iter().filter(|flow| own(flow));
            own.map(|flow| flow.messages).sum()
        };
        let names: Vec<&str> = picture::offered(member)
            .map(|service| page.text(&service.name))
            .collect();
        MemberRow {
            href: format!("/exchange/members/{}", member.id),
            name: page.text(&member.name).to_owned(),
            tag: picture::tone(*reach),
            state: state(page, *reach),
            services: if names.is_empty() {
                "–".to_owned()
            } else {
                names.join(", ")
            },
            sent: page.number(sum(&|flow| flow.client == member.id)),
            got: page.number(sum(&|flow| flow.service.provider.member == member.id)),
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

fn flows(page: &Page, found: &Picture) -> Vec<FlowRow> {
    let named = |id: &crate::model::identifier::MemberId| {
        let member = found.members.iter().find(|(member, _)| member.id == *id);
        member.map_or_else(|| id.to_string(), |(member, _)| page.text(&member.name).to_owned())
    };
    let rows = found.flows.iter().take(MOST).map(|flow| {
        let provider = &flow.service.provider;
        let member = found.members.iter().find(|(member, _)| member.id == provider.member);
        let subsystem = member.and_then(|(member, _)| member.subsystems.iter().find(|s| s.code == provider.code));
        let service = subsystem.and_then(|subsystem| subsystem.services.iter().find(|s| s.code == flow.service.code));
        FlowRow {
            client: named(&flow.client),
            provider: named(&provider.member),
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
    rows.collect()
}
