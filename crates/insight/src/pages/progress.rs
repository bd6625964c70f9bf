//! Progress of dossiers: of all agencies or of one, by month, field and procedure.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use base::{Result, Timestamp};
use identity::Web;
use view::{
    Link, Page,
    chart::Bars,
    ui::{self, Choice, Tone},
};

use super::{Asked, answer, choices, days, number, share, short_share};
use crate::{
    Insight, Line, OVERDUE_LIMIT,
    model::{By, Measure, Month, Question},
};

/// `2026-11`, `2026-Q4` or `2026`.
fn period(text: &str) -> Option<(Month, Month)> {
    if let Some(month) = Month::parse(text) {
        return Some((month, month));
    }
    let (year, quarter) = text.split_once("-Q").unwrap_or((text, ""));
    let year: i64 = year.parse().ok()?;
    match quarter {
        "" => Some((Month::new(year, 1)?, Month::new(year, 12)?)),
        q => {
            let q = q.parse::<i64>().ok().filter(|q| (1..=4).contains(q))?;
            Some((Month::new(year, q * 3 - 2)?, Month::new(year, q * 3)?))
        }
    }
}

fn periods(page: &Page, now: Timestamp) -> Vec<Choice> {
    let month = Month::of(now);
    let mut out = Vec::new();
    for back in 0..3 {
        let year = month.year() - back;
        out.push(Choice::new(year, format!("{} {year}", page.t("Năm", "Year"))));
    }
    for back in 0..4 {
        let m = month.plus(-3 * back);
        let (q, year) = ((m.number() + 2) / 3, m.year());
        out.push(Choice::new(
            format!("{year}-Q{q}"),
            format!("{} {q}/{year}", page.t("Quý", "Quarter")),
        ));
    }
    for back in 0..12 {
        let m = month.plus(-back);
        out.push(Choice::new(m, page.text(&m.label())));
    }
    out
}

struct Row {
    name: String,
    href: Option<String>,
    cells: Vec<String>,
}

struct Table {
    id: &'static str,
    caption: String,
    first: String,
    heads: Vec<String>,
    rows: Vec<Row>,
    json: String,
    csv: String,
}

struct Tile {
    label: String,
    value: String,
    note: String,
    tone: Tone,
}

#[derive(Template)]
#[template(path = "insight/publication.html")]
struct Publication {
    page: Page,
    agencies: Vec<Choice>,
    agency: String,
    periods: Vec<Choice>,
    period: String,
    lead: String,
    updated: Option<ui::Time>,
    empty: bool,
    cut: Option<String>,
    tiles: Vec<Tile>,
    chart: Option<Bars>,
    tables: Vec<Table>,
}

pub(super) async fn all(State(insight): State<Insight>, web: Web, Query(asked): Query<Asked>) -> Response {
    answer(&web, publication(&insight, &web, asked).await)
}

pub(super) async fn one(
    State(insight): State<Insight>,
    web: Web,
    Path(agency): Path<String>,
    Query(mut asked): Query<Asked>,
) -> Response {
    asked.agency = agency;
    answer(&web, publication(&insight, &web, asked).await)
}

async fn publication(insight: &Insight, web: &Web, asked: Asked) -> Result<Publication> {
    let now = web.ctx.now;
    let this = Month::of(now);
    let mut page = web.titled("Công khai tiến độ giải quyết hồ sơ", "Published progress of dossiers");
    let (chosen, (from, to)) = match period(&asked.period) {
        Some(months) => (asked.period.clone(), months),
        None => (
            this.year().to_string(),
            (
                Month::from_index(this.year() * 12),
                Month::from_index(this.year() * 12 + 11),
            ),
        ),
    };
    let agency = Some(asked.agency.trim().to_owned()).filter(|a| !a.is_empty());
    let agencies = insight.agencies().await?;
    let ask = |by, from, to| Question {
        agency: agency.clone(),
        from,
        to,
        by,
    };
    let fields = insight.report(&ask(By::Field, from, to), now).await?;
    let procedures = insight.report(&ask(By::Procedure, from, to), now).await?;
    // A single month says little: the chart then goes back a year.
    let last = to.min(this).max(from);
    let first = if from == to { to.plus(-11) } else { from };
    let months = insight.report(&ask(By::Month, first, last), now).await?;
    if let Some(code) = &agency {
        page.breadcrumbs = vec![Link::new("/publication", "Công khai tiến độ", "Publication")];
        let name = insight.dossiers().agency_name(code);
        page.title = format!("{}: {name}", page.t("Tiến độ giải quyết hồ sơ", "Progress of dossiers"));
    }
    let total = &fields.total;
    let span = |q: &Question| {
        let agency = q.agency.as_deref().map(|a| format!("&agency={a}")).unwrap_or_default();
        format!("from={}&to={}&by={}{agency}", q.from, q.to, q.by.id())
    };
    let table = |page: &Page, by: By, report: &crate::Report| {
        let (id, caption, first_head) = match by {
            By::Month => ("by-month", page.t("Theo tháng", "By month"), page.t("Tháng", "Month")),
            By::Field => (
                "by-field",
                page.t("Theo lĩnh vực", "By field"),
                page.t("Lĩnh vực", "Field"),
            ),
            By::Procedure => (
                "by-procedure",
                page.t("Theo thủ tục hành chính", "By procedure"),
                page.t("Thủ tục", "Procedure"),
            ),
        };
        let question = if by == By::Month {
            ask(by, first, last)
        } else {
            ask(by, from, to)
        };
        Table {
            id,
            caption: caption.to_owned(),
            first: first_head.to_owned(),
            heads: heads(page, by),
            rows: report
                .lines
                .iter()
                .map(|line| Row {
                    name: page.text(&line.name).to_owned(),
                    href: match by {
                        By::Month => Some(format!(
                            "?period={}&agency={}",
                            line.key,
                            agency.as_deref().unwrap_or_default()
                        )),
                        By::Field => None,
                        By::Procedure => Some(format!("/services/{}", line.key)),
                    },
                    cells: cells(page, line, by),
                })
                .collect(),
            json: format!("/api/v1/publication?{}", span(&question)),
            csv: format!("/api/v1/publication.csv?{}", span(&question)),
        }
    };
    let tables = vec![
        table(&page, By::Month, &months),
        table(&page, By::Field, &fields),
        table(&page, By::Procedure, &procedures),
    ];
    let n = |m| page.number(total.counts.get(m));
    let tiles = vec![
        Tile {
            label: page.t("Đã tiếp nhận", "Received").to_owned(),
            value: n(Measure::Received),
            note: format!(
                "{} {}",
                share(&page, total.online_percent()),
                page.t("trực tuyến", "online")
            ),
            tone: Tone::Neutral,
        },
        Tile {
            label: page.t("Đã giải quyết", "Decided").to_owned(),
            value: page.number(total.counts.solved()),
            note: format!(
                "{} {} · {} {}",
                n(Measure::Late),
                page.t("quá hạn", "late"),
                page.number(total.unfinished_late),
                page.t("quá hạn chưa giải quyết", "overdue and open")
            ),
            tone: Tone::Neutral,
        },
        Tile {
            label: page.t("Trước hạn và đúng hạn", "Early or on time").to_owned(),
            value: share(&page, total.on_time_percent()),
            note: page
                .t("theo Quyết định 766/QĐ-TTg", "by Decision 766/QĐ-TTg")
                .to_owned(),
            tone: Tone::Neutral,
        },
        Tile {
            label: page
                .t("Thời gian giải quyết trung vị", "Median time to a decision")
                .to_owned(),
            value: days(&page, total.median_days()),
            note: format!("{} {}", page.t("trung bình", "mean"), days(&page, total.mean_days())),
            tone: Tone::Neutral,
        },
        Tile {
            label: page.t("Đang giải quyết hiện nay", "In progress now").to_owned(),
            value: page.number(total.in_progress),
            note: format!("{} {}", page.number(total.paused), page.t("đang tạm dừng", "paused")),
            tone: Tone::Neutral,
        },
        Tile {
            label: page.t("Quá hạn hiện nay", "Overdue now").to_owned(),
            value: page.number(total.overdue),
            note: format!(
                "{} {}",
                page.number(total.waiting),
                page.t("chờ tiếp nhận", "waiting for reception")
            ),
            tone: if total.overdue > 0 { Tone::Late } else { Tone::Good },
        },
    ];
    let chart = (months.total.counts.solved() > 0).then(|| {
        let of = |m: Measure| months.lines.iter().map(|l| l.counts.get(m) as f64).collect::<Vec<f64>>();
        let label = |l: &Line| l.key.split_once('-').map_or_else(|| l.key.clone(), |(y, m)| format!("{m}/{}", y.get(2..).unwrap_or(y)));
        Bars::new(page.lang, page.t("Hồ sơ đã giải quyết theo tháng", "Dossiers decided, by month"))
            .description(page.t(
                "Mỗi cột là một tháng, gồm hồ sơ giải quyết trước hạn, đúng hạn và quá hạn; số liệu có trong bảng theo tháng bên dưới.",
                "Each bar is a month, made of dossiers decided early, on time and late; the table by month below has the figures.",
            ))
            .categories(months.lines.iter().map(label))
            .series(page.t("Trước hạn", "Early"), of(Measure::Early))
            .series(page.t("Đúng hạn", "On time"), of(Measure::OnTime))
            .series(page.t("Quá hạn", "Late"), of(Measure::Late))
            .places(0)
            .stacked()
    });
    let quiet = months.lines.iter().chain(&procedures.lines).all(|l| l.counts.is_zero());
    let lead = format!(
        "{} {} {} {}",
        page.t("Từ", "From"),
        from.start().display_date(),
        page.t("đến", "to"),
        to.end().min(now.max(from.start())).plus_seconds(-1).display_date(),
    );
    let cut = (procedures.overdue_cut || fields.overdue_cut).then(|| {
        format!(
            "{} {} {}",
            page.t("Số hồ sơ quá hạn lớn hơn", "More than"),
            page.number(OVERDUE_LIMIT),
            page.t(
                "nên chỉ được tính đến mức này.",
                "dossiers are overdue; only so many are counted."
            )
        )
    });
    Ok(Publication {
        agencies: choices(&agencies),
        agency: agency.clone().unwrap_or_default(),
        periods: periods(&page, now),
        period: chosen,
        lead,
        updated: fields.updated_at.map(|at| ui::time(&page, at)),
        empty: quiet && total.waiting + total.in_progress + total.paused == 0,
        cut,
        tiles,
        chart,
        tables,
        page,
    })
}

fn heads(page: &Page, by: By) -> Vec<String> {
    let mut heads = vec![
        page.t("Tiếp nhận", "Received"),
        page.t("Trực tuyến", "Online"),
        page.t("Trước hạn", "Early"),
        page.t("Đúng hạn", "On time"),
        page.t("Quá hạn", "Late"),
        page.t("Quá hạn cuối kỳ", "Overdue at end"),
        page.t("Trước và đúng hạn", "Early or on time"),
        page.t("Ngày trung bình", "Mean days"),
        page.t("Ngày trung vị", "Median days"),
    ];
    if by != By::Month {
        heads.extend([
            page.t("Đang giải quyết", "In progress"),
            page.t("Đang quá hạn", "Overdue now"),
            page.t("Tạm dừng", "Paused"),
        ]);
    }
    heads.into_iter().map(str::to_owned).collect()
}

fn cells(page: &Page, line: &Line, by: By) -> Vec<String> {
    let n = |m| page.number(line.counts.get(m));
    let mut cells = vec![
        n(Measure::Received),
        short_share(page, line.online_percent()),
        n(Measure::Early),
        n(Measure::OnTime),
        n(Measure::Late),
        page.number(line.unfinished_late),
        short_share(page, line.on_time_percent()),
        number(page, line.mean_days()),
        number(page, line.median_days()),
    ];
    if by != By::Month {
        cells.extend([line.in_progress, line.overdue, line.paused].map(|n| page.number(n)));
    }
    cells
}
