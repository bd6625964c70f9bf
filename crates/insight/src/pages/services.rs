//! The two level-4 figures of each service, and what people were asked although the state holds it.

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use base::Result;
use identity::Web;
use view::{
    Link, Page,
    chart::Bars,
    decimal,
    ui::{self, Choice},
};

use super::{Asked, answer, choices, share};
use crate::{
    Insight,
    model::{Month, ONLINE_GOAL, USERS_GOAL},
};

#[derive(Template)]
#[template(path = "insight/services.html")]
struct Services {
    page: Page,
    agencies: Vec<Choice>,
    agency: String,
    years: Vec<Choice>,
    year: String,
    rows: Vec<ServiceRow>,
    shares: Option<Bars>,
    ratios: Option<Bars>,
    json: String,
    csv: String,
}

struct ServiceRow {
    code: String,
    name: String,
    online_people: String,
    offline_people: String,
    ratio: String,
    ratio_met: bool,
    received: String,
    online: String,
    share: String,
    share_met: bool,
    asked_again: String,
}

pub(super) async fn services(State(insight): State<Insight>, web: Web, Query(asked): Query<Asked>) -> Response {
    answer(&web, services_page(&insight, &web, &asked).await)
}

async fn services_page(insight: &Insight, web: &Web, asked: &Asked) -> Result<Services> {
    let now = web.ctx.now;
    let this = Month::of(now).year();
    let mut page = web.titled("Mức độ sử dụng dịch vụ công trực tuyến", "Use of online services");
    page.breadcrumbs = vec![Link::new("/publication", "Công khai tiến độ", "Publication")];
    let year = asked
        .year
        .parse()
        .ok()
        .filter(|y| (2000..=2100).contains(y))
        .unwrap_or(this);
    let agency = Some(asked.agency.trim()).filter(|a| !a.is_empty());
    let lines = insight.services(agency, year, now).await?;
    let rows = lines
        .iter()
        .map(|s| ServiceRow {
            code: s.procedure.clone(),
            name: page.text(&s.name).to_owned(),
            online_people: page.number(s.online_people),
            offline_people: page.number(s.offline_people),
            ratio: s.ratio().map_or_else(
                || {
                    page.t("không có người nộp cách khác", "nobody filed otherwise")
                        .to_owned()
                },
                |r| format!("{} : 1", decimal(page.lang, r, 2)),
            ),
            ratio_met: s.ratio().map_or(s.online_people > 0, |r| r >= USERS_GOAL),
            received: page.number(s.received),
            online: page.number(s.online),
            share: share(&page, s.online_percent()),
            share_met: s.online_percent().is_some_and(|p| p >= ONLINE_GOAL),
            asked_again: s
                .asked_again_percent()
                .map_or_else(|| "–".to_owned(), |_| share(&page, s.asked_again_percent())),
        })
        .collect();
    let chart = |title: &str, words: &str| {
        Bars::new(page.lang, title)
            .description(words)
            .categories(lines.iter().map(|s| page.text(&s.name).to_owned()))
            .lying()
    };
    let (shares, ratios) = if lines.is_empty() {
        (None, None)
    } else {
        let shares = chart(
            page.t("Tỷ lệ hồ sơ nộp trực tuyến", "Share of dossiers filed online"),
            page.t(
                "Mỗi thanh là một dịch vụ, so với mục tiêu 30 %.",
                "Each bar is a service, against the goal of 30 %.",
            ),
        )
        .series(
            page.t("Trực tuyến", "Online"),
            lines.iter().map(crate::ServiceLine::online_percent),
        )
        .unit(" %")
        .top(100.0)
        .goal(ONLINE_GOAL, page.t("Mục tiêu", "Goal"));
        let ratios = chart(
            page.t(
                "Người nộp trực tuyến trên một người nộp cách khác",
                "Online people for each other one",
            ),
            page.t(
                "Mỗi thanh là một dịch vụ, so với mục tiêu 1 : 1.",
                "Each bar is a service, against the goal of 1 to 1.",
            ),
        )
        .series(
            page.t("Số người", "People"),
            lines.iter().map(crate::ServiceLine::ratio),
        )
        .places(2)
        .goal(USERS_GOAL, page.t("Mục tiêu", "Goal"));
        (Some(shares), Some(ratios))
    };
    let query = format!(
        "year={year}{}",
        agency.map(|a| format!("&agency={a}")).unwrap_or_default()
    );
    Ok(Services {
        agencies: choices(&insight.agencies().await?),
        agency: agency.unwrap_or_default().to_owned(),
        years: (0..5).map(|back| Choice::new(this - back, this - back)).collect(),
        year: year.to_string(),
        rows,
        shares,
        ratios,
        json: format!("/api/v1/publication/services?{query}"),
        csv: format!("/api/v1/publication/services.csv?{query}"),
        page,
    })
}
