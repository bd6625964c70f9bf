//! The public pages: progress of an agency, level-4 figures by service, and how each figure is made.

use askama::Template;
use axum::{
    Router,
    extract::{Path, Query, State},
    http::StatusCode,
    response::Response,
    routing::get,
};
use base::{Result, Timestamp};
use identity::Web;
use serde::Deserialize;
use view::{
    Link, Page,
    chart::Bars,
    decimal,
    ui::{self, Choice, Tone},
};

use crate::{
    Insight, Line, OVERDUE_LIMIT,
    model::{By, Measure, Month, ONLINE_GOAL, Question, USERS_GOAL},
};

/// The routes of the publication.
pub fn router(insight: Insight) -> Router {
    Router::new()
        .route("/publication", get(all))
        .route("/publication/services", get(services))
        .route("/publication/method", get(method))
        .route("/publication/{agency}", get(one))
        .with_state(insight)
}

/// What the address asks. A value that means nothing is left out, as a hand-written address deserves.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Asked {
    agency: String,
    period: String,
    year: String,
}

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
    fields_chart: Option<Bars>,
    procedures_chart: Option<Bars>,
    tables: Vec<Table>,
}

async fn all(State(insight): State<Insight>, web: Web, Query(asked): Query<Asked>) -> Response {
    answer(&web, publication(&insight, &web, asked).await)
}

async fn one(
    State(insight): State<Insight>,
    web: Web,
    Path(agency): Path<String>,
    Query(mut asked): Query<Asked>,
) -> Response {
    asked.agency = agency;
    answer(&web, publication(&insight, &web, asked).await)
}

fn answer<T: Template>(web: &Web, made: Result<T>) -> Response {
    match made {
        Ok(template) => view::html(StatusCode::OK, &template),
        Err(error) => web.refuse(&error),
    }
}

fn choices(agencies: &[(String, String)]) -> Vec<Choice> {
    agencies.iter().map(|(code, name)| Choice::new(code, name)).collect()
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
    let mut months = insight.report(&ask(By::Month, first, last), now).await?;
    // Months before the first dossier say nothing.
    let idle = months.lines.iter().take_while(|l| l.counts.is_zero()).count();
    months.lines.drain(..idle.min(months.lines.len().saturating_sub(1)));
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
                .t("Một nửa số hồ sơ xong trong", "Half of the dossiers are done within")
                .to_owned(),
            value: days(&page, total.median_days()),
            note: format!(
                "{} {}",
                page.t("số trung vị; trung bình", "the median; mean"),
                days(&page, total.mean_days())
            ),
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
    let fields_chart = shares_on_time(
        &page,
        page.t("Trước hạn và đúng hạn theo lĩnh vực", "Early or on time, by field"),
        &fields.lines,
    );
    let procedures_chart = shares_on_time(
        &page,
        page.t("Trước hạn và đúng hạn theo thủ tục", "Early or on time, by procedure"),
        &procedures.lines,
    );
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
        fields_chart,
        procedures_chart,
        tables,
        page,
    })
}

/// How many bars one looks at without getting lost; the table has them all.
const BARS: usize = 12;

/// The share decided early or on time, a bar for each line; nothing when nothing was decided.
fn shares_on_time(page: &Page, title: &str, lines: &[Line]) -> Option<Bars> {
    let decided: Vec<&Line> = lines
        .iter()
        .filter(|l| l.on_time_percent().is_some())
        .take(BARS)
        .collect();
    if decided.is_empty() {
        return None;
    }
    let bars = Bars::new(page.lang, title)
        .description(page.t(
            "Mỗi thanh là tỷ lệ hồ sơ giải quyết trước hạn và đúng hạn; số liệu có trong bảng bên dưới.",
            "Each bar is the share of dossiers decided early or on time; the tables below have the figures.",
        ))
        .categories(decided.iter().map(|l| page.text(&l.name).to_owned()))
        .series(
            page.t("Trước hạn và đúng hạn", "Early or on time"),
            decided.iter().map(|l| l.on_time_percent()),
        )
        .unit(" %")
        .top(100.0)
        .lying();
    Some(bars)
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

fn number(page: &Page, x: Option<f64>) -> String {
    x.map_or_else(|| "–".to_owned(), |x| decimal(page.lang, x, 1))
}

fn short_share(page: &Page, x: Option<f64>) -> String {
    x.map_or_else(|| "–".to_owned(), |x| format!("{} %", decimal(page.lang, x, 2)))
}

/// Nothing to divide by is said, never shown as 0 %.
fn share(page: &Page, x: Option<f64>) -> String {
    x.map_or_else(
        || page.t("không có hồ sơ", "no dossiers").to_owned(),
        |x| format!("{} %", decimal(page.lang, x, 2)),
    )
}

fn days(page: &Page, x: Option<f64>) -> String {
    x.map_or_else(
        || page.t("không có hồ sơ", "no dossiers").to_owned(),
        |x| {
            format!(
                "{} {}",
                decimal(page.lang, x, 1),
                page.t("ngày làm việc", "working days")
            )
        },
    )
}

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
}

async fn services(State(insight): State<Insight>, web: Web, Query(asked): Query<Asked>) -> Response {
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

#[derive(Template)]
#[template(path = "insight/method.html")]
struct Method {
    page: Page,
    rules: Vec<Rule>,
}

struct Rule {
    name: &'static str,
    text: &'static str,
    source: &'static str,
}

async fn method(web: Web) -> Response {
    let mut page = web.titled("Cách tính số liệu công khai", "How the published figures are made");
    page.breadcrumbs = vec![Link::new("/publication", "Công khai tiến độ", "Publication")];
    let rules = rules(&page);
    view::html(StatusCode::OK, &Method { page, rules })
}

fn rules(page: &Page) -> Vec<Rule> {
    let rule = |name: (&'static str, &'static str),
                text: (&'static str, &'static str),
                source: (&'static str, &'static str)| Rule {
        name: page.lang.t(name.0, name.1),
        text: page.lang.t(text.0, text.1),
        source: page.lang.t(source.0, source.1),
    };
    let decision = (
        "Quyết định 766/QĐ-TTg ngày 23/6/2022, tài liệu mô tả công thức, chỉ số 2.1",
        "Decision 766/QĐ-TTg of 23 June 2022, working paper on its formulas, figure 2.1",
    );
    let own = ("Quy ước của hệ thống này", "Convention of this system");
    vec![
        rule(
            ("Tiếp nhận", "Received"),
            (
                "Số hồ sơ có ngày tiếp nhận trong kỳ, chia theo cách nộp: trực tuyến, trực tiếp, bưu chính. Hồ sơ mới đăng ký, chưa tiếp nhận thì chưa tính.",
                "Dossiers whose day of reception lies in the period, by the way they came: online, at the counter, by post. What is filed but not received does not count yet.",
            ),
            (
                "Nghị định 61/2018/NĐ-CP, sửa đổi bởi Nghị định 118/2025/NĐ-CP",
                "Decree 61/2018/NĐ-CP; Decree 118/2025/NĐ-CP",
            ),
        ),
        rule(
            (
                "Giải quyết trước hạn, đúng hạn, quá hạn",
                "Decided early, on time, late",
            ),
            (
                "Hồ sơ đã xử lý xong hoặc đã trả kết quả, tính vào tháng kết thúc xử lý. Đúng hạn khi thời điểm kết thúc không sau thời điểm hẹn trả; trước hạn khi kết thúc trước ngày hẹn trả. Thời gian chờ bổ sung hồ sơ không tính. Hồ sơ bị yêu cầu bổ sung quá một lần được tính là quá hạn.",
                "Dossiers decided or returned, in the month in which handling ended. On time: the end is not after the appointed instant; early: it lies before the appointed day. Waiting for papers does not count. More than one request for papers makes a dossier late.",
            ),
            decision,
        ),
        rule(
            ("Tỷ lệ trước hạn và đúng hạn", "Early or on time, percent"),
            (
                "(Trước hạn + đúng hạn) chia cho (đã giải quyết + quá hạn chưa giải quyết vào cuối kỳ). Kỳ chưa kết thúc thì tính đến thời điểm hiện tại. Không có hồ sơ thì ghi “không có hồ sơ”, không ghi 0 %.",
                "(Early + on time) divided by (decided + overdue and open at the end of the period). A period that has not ended is counted up to now. Where there is nothing to divide by the page says so and does not write 0 %.",
            ),
            decision,
        ),
        rule(
            ("Không tiếp nhận, rút, dừng xử lý", "Refused, withdrawn, stopped"),
            (
                "Đếm riêng theo tháng xảy ra, không tính vào tỷ lệ trước hạn và đúng hạn.",
                "Counted on their own in the month in which it happened; not part of the percentage on time.",
            ),
            own,
        ),
        rule(
            (
                "Đang giải quyết, quá hạn, tạm dừng hiện nay",
                "In progress, overdue, paused now",
            ),
            (
                "Tình trạng tại thời điểm xem. Tạm dừng là đang chờ bổ sung giấy tờ hoặc chờ thực hiện nghĩa vụ tài chính. Quá hạn được đếm đến 10.000 hồ sơ.",
                "As it is at the moment of reading. Paused: papers or a payment are awaited. Overdue dossiers are counted up to 10,000.",
            ),
            (
                "Mã trạng thái của Cổng Dịch vụ công quốc gia",
                "Status codes of the National Public Service Portal",
            ),
        ),
        rule(
            ("Số ngày trung bình và trung vị", "Mean and median days"),
            (
                "Thời gian làm việc từ khi tiếp nhận đến khi kết thúc xử lý, chia cho 8 giờ một ngày; gồm cả thời gian chờ bổ sung. Trung bình là chính xác. Trung vị tính từ các nhóm rộng một giờ làm việc, nội suy trong nhóm, nên sai số dưới một giờ làm việc.",
                "Working time from reception to the end, at 8 hours a day, waiting for papers included. The mean is exact. The median comes from classes of one working hour, interpolated within the class, so it errs by less than a working hour.",
            ),
            (
                "Bộ luật Lao động 45/2019/QH14, Điều 105; chỉ số 2.2 của Quyết định 766/QĐ-TTg",
                "Labour Code 45/2019/QH14, article 105; Decision 766/QĐ-TTg, figure 2.2",
            ),
        ),
        rule(
            ("Tỷ lệ hồ sơ trực tuyến", "Share online"),
            (
                "Hồ sơ tiếp nhận qua kênh trực tuyến chia cho tổng số hồ sơ tiếp nhận trong kỳ; mục tiêu từ 30 %.",
                "Dossiers received online divided by all received in the period; the goal is 30 % or more.",
            ),
            (
                "Thông tư 01/2018/TT-VPCP, Điều 21",
                "Circular 01/2018/TT-VPCP, article 21",
            ),
        ),
        rule(
            (
                "Người nộp trực tuyến trên một người nộp cách khác",
                "Online people for each other one",
            ),
            (
                "Mỗi tài khoản tính một lần trong một năm cho mỗi dịch vụ của một cơ quan. Hồ sơ nộp không qua tài khoản thì mỗi hồ sơ tính là một người, vì không có căn cứ để ghép. Mục tiêu 1 : 1 lấy từ các báo cáo về dịch vụ công mức độ 4; chưa tìm được văn bản quy định.",
                "An account counts once a year for each service of an agency. A dossier filed without an account counts as one person, as nothing tells whose it is. The goal of 1 to 1 is taken from reports on level-4 services; no legal text that sets it was found.",
            ),
            own,
        ),
    ]
}
