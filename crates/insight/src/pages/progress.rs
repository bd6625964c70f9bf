//! Progress of dossiers: of all agencies or of one, of all fields or of one; by month, agency, field and procedure.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use base::{Result, Text, Timestamp};
use identity::Web;
use view::{
    Link, Page,
    chart::Bars,
    ui::{self, Choice, Tone},
};

use super::{Asked, answer, choices, days, number, share, short_share};
use crate::{
    Insight, Line, OVERDUE_LIMIT, Report,
    model::{By, Measure, Month, Question, Standing, Stock},
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

/// What a page is about: an agency or all, a field or all, and months.
#[derive(Debug, Clone)]
struct Scope {
    agency: Option<String>,
    field: Option<String>,
    period: String,
    from: Month,
    to: Month,
}

impl Scope {
    fn of(asked: Asked, now: Timestamp) -> Self {
        let given = |text: String| Some(text.trim().to_owned()).filter(|t| !t.is_empty());
        let (period, (from, to)) = match period(&asked.period) {
            Some(months) => (asked.period, months),
            None => {
                let january = Month::from_index(Month::of(now).year() * 12);
                (january.year().to_string(), (january, january.plus(11)))
            }
        };
        Self {
            agency: given(asked.agency),
            field: given(asked.field),
            period,
            from,
            to,
        }
    }

    fn question(&self, by: By) -> Question {
        Question {
            agency: self.agency.clone(),
            field: self.field.clone(),
            from: self.from,
            to: self.to,
            by,
        }
    }

    /// The page of this scope.
    fn address(&self) -> String {
        match (&self.field, &self.agency) {
            (Some(field), Some(agency)) => {
                format!("/publication/fields/{field}?agency={agency}&period={}", self.period)
            }
            (Some(field), None) => format!("/publication/fields/{field}?period={}", self.period),
            (None, Some(agency)) => format!("/publication/{agency}?period={}", self.period),
            (None, None) => format!("/publication?period={}", self.period),
        }
    }

    /// The page of a line within this scope; none of a field for which the national list has no code.
    fn line(&self, by: By, key: &str) -> Option<String> {
        if key.is_empty() {
            return None;
        }
        let mut narrower = self.clone();
        match by {
            By::Month => key.clone_into(&mut narrower.period),
            By::Agency => narrower.agency = Some(key.to_owned()),
            By::Field => narrower.field = Some(key.to_owned()),
            By::Procedure => return Some(format!("/services/{key}")),
        }
        Some(narrower.address())
    }
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
    fields: Vec<Choice>,
    field: String,
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

pub(super) async fn field(
    State(insight): State<Insight>,
    web: Web,
    Path(field): Path<String>,
    Query(mut asked): Query<Asked>,
) -> Response {
    asked.field = field;
    answer(&web, publication(&insight, &web, asked).await)
}

async fn publication(insight: &Insight, web: &Web, asked: Asked) -> Result<Publication> {
    let now = web.ctx.now;
    let scope = Scope::of(asked, now);
    let (agency, field) = (scope.agency.as_deref(), scope.field.as_deref());
    let present = insight.present(agency, field, now).await?;
    let procedures = insight.report_with(&scope.question(By::Procedure), &present).await?;
    // A single month says little: the table by month and the chart then go back a year.
    let mut by_month = scope.question(By::Month);
    by_month.to = scope.to.min(Month::of(now)).max(scope.from);
    if scope.from == scope.to {
        by_month.from = scope.to.plus(-11);
    }
    let mut months = insight.report_with(&by_month, &present).await?;
    // Months before the first dossier say nothing.
    let idle = months.lines.iter().take_while(|l| l.is_idle()).count();
    months.lines.drain(..idle.min(months.lines.len().saturating_sub(1)));

    let (agencies, fields) = (insight.agencies().await?, insight.fields(now).await?);
    let page = titled(insight, web, &scope, &fields);
    let mut tables = vec![table(&page, &scope, &by_month, &months)];
    if agency.is_none() && agencies.len() > 1 {
        let question = scope.question(By::Agency);
        let report = insight.report_with(&question, &present).await?;
        tables.push(table(&page, &scope, &question, &report));
    }
    let mut fields_chart = None;
    if field.is_none() {
        let question = scope.question(By::Field);
        let report = insight.report_with(&question, &present).await?;
        fields_chart = shares_on_time(
            &page,
            page.t("Trước hạn và đúng hạn theo lĩnh vực", "Early or on time, by field"),
            &report.lines,
        );
        tables.push(table(&page, &scope, &question, &report));
    }
    tables.push(table(&page, &scope, &scope.question(By::Procedure), &procedures));
    let procedures_chart = shares_on_time(
        &page,
        page.t("Trước hạn và đúng hạn theo thủ tục", "Early or on time, by procedure"),
        &procedures.lines,
    );

    let total = &procedures.total;
    let standing = total.now.unwrap_or_default();
    let quiet = months.lines.iter().chain(&procedures.lines).all(Line::is_idle);
    let (start, end) = (scope.from.start(), scope.to.end());
    let lead = format!(
        "{} {} {} {}",
        page.t("Từ", "From"),
        start.display_date(),
        page.t("đến", "to"),
        end.min(now.max(start)).plus_seconds(-1).display_date(),
    );
    let cut = procedures.overdue_cut.then(|| {
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
    let named = |(code, name): &(String, Text)| Choice::new(code, page.text(name));
    let fields = fields.iter().map(named).collect();
    let (tiles, chart) = (tiles(&page, total, standing), chart(&page, &months));
    Ok(Publication {
        agencies: choices(&agencies),
        agency: scope.agency.unwrap_or_default(),
        fields,
        field: scope.field.unwrap_or_default(),
        periods: periods(&page, now),
        period: scope.period,
        lead,
        updated: procedures.updated_at.map(|at| ui::time(&page, at)),
        empty: quiet && standing.waiting + standing.in_progress + standing.paused == 0,
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

fn titled(insight: &Insight, web: &Web, scope: &Scope, fields: &[(String, Text)]) -> Page {
    let mut page = web.titled("Công khai tiến độ giải quyết hồ sơ", "Published progress of dossiers");
    let agency = scope.agency.as_deref().map(|code| insight.dossiers().agency_name(code));
    let field = scope
        .field
        .as_ref()
        .and_then(|code| fields.iter().find(|(c, _)| c == code));
    let field = field.map(|(_, name)| page.text(name).to_owned());
    let about: Vec<&str> = field.as_deref().into_iter().chain(agency).collect();
    if !about.is_empty() {
        page.breadcrumbs = vec![Link::new("/publication", "Công khai tiến độ", "Publication")];
        let words = page.t("Tiến độ giải quyết hồ sơ", "Progress of dossiers");
        page.title = format!("{words}: {}", about.join(" – "));
    }
    page
}

fn table(page: &Page, scope: &Scope, question: &Question, report: &Report) -> Table {
    let by = question.by;
    let (id, caption, first) = match by {
        By::Month => ("by-month", ("Theo tháng", "By month"), ("Tháng", "Month")),
        By::Agency => ("by-agency", ("Theo cơ quan", "By agency"), ("Cơ quan", "Agency")),
        By::Field => ("by-field", ("Theo lĩnh vực", "By field"), ("Lĩnh vực", "Field")),
        By::Procedure => (
            "by-procedure",
            ("Theo thủ tục hành chính", "By procedure"),
            ("Thủ tục", "Procedure"),
        ),
    };
    let also = |name: &str, code: &Option<String>| code.as_ref().map(|c| format!("&{name}={c}")).unwrap_or_default();
    let query = format!(
        "from={}&to={}&by={}{}{}",
        question.from,
        question.to,
        by.id(),
        also("agency", &question.agency),
        also("field", &question.field),
    );
    Table {
        id,
        caption: page.t(caption.0, caption.1).to_owned(),
        first: page.t(first.0, first.1).to_owned(),
        heads: heads(page),
        rows: report
            .lines
            .iter()
            .map(|line| Row {
                name: page.text(&line.name).to_owned(),
                href: scope.line(by, &line.key),
                cells: cells(page, line),
            })
            .collect(),
        json: format!("/api/v1/publication?{query}"),
        csv: format!("/api/v1/publication.csv?{query}"),
    }
}

fn tiles(page: &Page, total: &Line, now: Standing) -> Vec<Tile> {
    let n = |m| page.number(total.counts.get(m));
    vec![
        Tile {
            label: page.t("Đã tiếp nhận", "Received").to_owned(),
            value: n(Measure::Received),
            note: format!(
                "{} {}",
                share(page, total.online_percent()),
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
            value: share(page, total.on_time_percent()),
            note: page
                .t("theo Quyết định 766/QĐ-TTg", "by Decision 766/QĐ-TTg")
                .to_owned(),
            tone: Tone::Neutral,
        },
        Tile {
            label: page
                .t("Một nửa số hồ sơ xong trong", "Half of the dossiers are done within")
                .to_owned(),
            value: days(page, total.median_days()),
            note: format!(
                "{} {}",
                page.t("số trung vị; trung bình", "the median; mean"),
                days(page, total.mean_days())
            ),
            tone: Tone::Neutral,
        },
        Tile {
            label: page.t("Đang giải quyết hiện nay", "In progress now").to_owned(),
            value: page.number(now.in_progress),
            note: format!("{} {}", page.number(now.paused), page.t("đang tạm dừng", "paused")),
            tone: Tone::Neutral,
        },
        Tile {
            label: page.t("Quá hạn hiện nay", "Overdue now").to_owned(),
            value: page.number(now.overdue),
            note: format!(
                "{} {}",
                page.number(now.waiting),
                page.t("chờ tiếp nhận", "waiting for reception")
            ),
            tone: if now.overdue > 0 { Tone::Late } else { Tone::Good },
        },
    ]
}

fn chart(page: &Page, months: &Report) -> Option<Bars> {
    (months.total.counts.solved() > 0).then(|| {
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
    })
}

fn heads(page: &Page) -> Vec<String> {
    [
        page.t("Tiếp nhận", "Received"),
        page.t("Trực tuyến", "Online"),
        page.t("Trước hạn", "Early"),
        page.t("Đúng hạn", "On time"),
        page.t("Quá hạn", "Late"),
        page.t("Trước và đúng hạn", "Early or on time"),
        page.t("Ngày trung bình", "Mean days"),
        page.t("Ngày trung vị", "Median days"),
        page.t("Đang giải quyết cuối kỳ", "In progress at end"),
        page.t("Quá hạn cuối kỳ", "Overdue at end"),
        page.t("Tạm dừng cuối kỳ", "Paused at end"),
    ]
    .map(str::to_owned)
    .to_vec()
}

fn cells(page: &Page, line: &Line) -> Vec<String> {
    let n = |m| page.number(line.counts.get(m));
    let end = |part: fn(Stock) -> i64| line.end.map_or_else(|| "–".to_owned(), |end| page.number(part(end)));
    vec![
        n(Measure::Received),
        short_share(page, line.online_percent()),
        n(Measure::Early),
        n(Measure::OnTime),
        n(Measure::Late),
        short_share(page, line.on_time_percent()),
        number(page, line.mean_days()),
        number(page, line.median_days()),
        end(|s| s.in_progress),
        page.number(line.unfinished_late),
        end(|s| s.paused),
    ]
}
