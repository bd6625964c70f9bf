//! How messages fare: requests by the hour and by service, failures, latency.

use askama::Template;
use axum::{
    extract::{Query, State},
    http::header,
    response::{IntoResponse, Response},
};
use base::{Error, Result, Timestamp};
use identity::Web;
use serde::Deserialize;
use view::{
    Page,
    chart::{Bars, Lines},
    decimal, ui,
};

use super::answer;
use crate::journal::{
    Journal,
    api::encoded,
    operations::{HourLine, Report},
};

/// Microseconds of an hour.
const HOUR: i64 = 3_600_000_000;
/// Hours that one sees.
const SPANS: [i64; 3] = [24, 48, 168];

#[derive(Template)]
#[template(path = "exchange/journal/operations.html")]
struct Operations {
    page: Page,
    spans: Vec<ui::Choice>,
    hours: i64,
    tiles: Vec<(String, String, String)>,
    chart: Option<Bars>,
    latency: Option<Lines>,
    tables: Vec<Table>,
    json: String,
    csv: String,
}

struct Table {
    title: String,
    first: String,
    /// Whether a line says on which side the node was.
    sides: bool,
    lines: Vec<Line>,
}

struct Line {
    name: String,
    side: String,
    n: String,
    failed: String,
    mean: String,
    half: String,
    most: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    hours: String,
}

impl Asked {
    /// A span that is offered; the first when another was asked for.
    fn hours(&self) -> i64 {
        self.hours
            .parse()
            .ok()
            .filter(|hours| SPANS.contains(hours))
            .unwrap_or(SPANS[0])
    }
}

/// The hours up to and with this one.
fn span(now: Timestamp, hours: i64) -> (Timestamp, Timestamp) {
    let end = (now.micros().div_euclid(HOUR) + 1) * HOUR;
    (Timestamp::from_micros(end - hours * HOUR), Timestamp::from_micros(end))
}

pub(super) async fn page(State(journal): State<Journal>, web: Web, Query(asked): Query<Asked>) -> Response {
    answer(&web, operations_page(&journal, &web, asked.hours()).await)
}

async fn operations_page(journal: &Journal, web: &Web, hours: i64) -> Result<Operations> {
    let (from, to) = span(web.ctx.now, hours);
    let (by_hour, by_service) = journal.operation_report(&web.ctx, from, to).await?;
    let page = web.titled("Vận hành trao đổi dữ liệu", "Operation of the exchange");
    let all = by_hour
        .values()
        .fold((0, 0), |(n, failed), line| (n + line.n, failed + line.failed));
    let name = |hour: i64| {
        Timestamp::from_micros(hour * HOUR)
            .legal()
            .strftime("%H:%M %d/%m")
            .to_string()
    };
    let chart = (!by_hour.is_empty()).then(|| {
        let whole = from.micros() / HOUR..to.micros() / HOUR;
        let of = |part: fn(&HourLine) -> i64| {
            let values: Vec<f64> = whole
                .clone()
                .map(|hour| by_hour.get(&hour).map_or(0.0, |line| part(line) as f64))
                .collect();
            values
        };
        Bars::new(page.lang, page.t("Thông điệp theo giờ", "Messages by the hour"))
            .description(page.t(
                "Số thông điệp thành công và không thành công của mỗi giờ.",
                "Messages of each hour that succeeded and that failed.",
            ))
            .categories(whole.clone().map(name))
            .series(page.t("Thành công", "Succeeded"), of(|line| line.n - line.failed))
            .series(page.t("Không thành công", "Failed"), of(|line| line.failed))
            .stacked()
            .places(0)
    });
    let hours_seen = &by_hour;
    let latency = (!by_hour.is_empty()).then(|| {
        let whole = from.micros() / HOUR..to.micros() / HOUR;
        let of =
            |part: fn(&HourLine) -> Option<f64>| whole.clone().map(move |hour| hours_seen.get(&hour).and_then(part));
        Lines::new(page.lang, page.t("Thời gian xử lý theo giờ", "Latency by the hour"))
            .description(page.t(
                "Thời gian xử lý trung bình của mỗi giờ, tính bằng mili giây.",
                "Mean latency of each hour in milliseconds.",
            ))
            .categories(whole.clone().map(name))
            .series(page.t("Trung bình (ms)", "Mean (ms)"), of(HourLine::mean))
    });
    let line = |name: String, side: &str, line: &HourLine| {
        let millis = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| decimal(page.lang, value, 1));
        Line {
            name,
            side: match side {
                "Client" => page.t("Bên gọi", "Consumer").to_owned(),
                "Producer" => page.t("Bên cung cấp", "Provider").to_owned(),
                _ => String::new(),
            },
            n: page.number(line.n),
            failed: page.number(line.failed),
            mean: millis(line.mean()),
            half: millis(line.within(0.5).map(|ms| ms as f64)),
            most: millis(line.within(0.95).map(|ms| ms as f64)),
        }
    };
    let share = if all.0 > 0 {
        all.1 as f64 * 100.0 / all.0 as f64
    } else {
        0.0
    };
    let tiles = vec![
        (
            page.t("Thông điệp", "Messages").to_owned(),
            page.number(all.0),
            String::new(),
        ),
        (
            page.t("Không thành công", "Failed").to_owned(),
            page.number(all.1),
            format!("{} %", decimal(page.lang, share, 2)),
        ),
    ];
    let unnamed = page.t("Không xác định", "Unknown").to_owned();
    let service = |key: &(String, String)| {
        if key.0.is_empty() {
            unnamed.clone()
        } else {
            key.0.clone()
        }
    };
    let services = Table {
        title: page.t("Theo dịch vụ", "By service").to_owned(),
        first: page.t("Dịch vụ", "Service").to_owned(),
        sides: true,
        lines: by_service
            .iter()
            .map(|(key, found)| line(service(key), &key.1, found))
            .collect(),
    };
    let each_hour = Table {
        title: page.t("Theo giờ", "By the hour").to_owned(),
        first: page.t("Giờ", "Hour").to_owned(),
        sides: false,
        lines: by_hour
            .iter()
            .rev()
            .map(|(hour, found)| line(name(*hour), "", found))
            .collect(),
    };
    let hour_word = page.t("giờ gần nhất", "hours").to_owned();
    Ok(Operations {
        spans: SPANS
            .iter()
            .map(|hours| ui::Choice::new(hours, format!("{hours} {hour_word}")))
            .collect(),
        hours,
        tiles,
        tables: if by_hour.is_empty() {
            Vec::new()
        } else {
            vec![services, each_hour]
        },
        json: format!(
            "/api/v1/exchange/operations?from={}&to={}",
            encoded(&from.rfc3339()),
            encoded(&to.rfc3339())
        ),
        csv: format!("/exchange/operations.csv?hours={hours}"),
        chart,
        latency,
        page,
    })
}

/// What the page shows by the hour and by service, as CSV (UTF-8 with byte order mark, which spreadsheets need).
pub(super) async fn csv(State(journal): State<Journal>, web: Web, Query(asked): Query<Asked>) -> Response {
    let (from, to) = span(web.ctx.now, asked.hours());
    let made = journal
        .operation_report(&web.ctx, from, to)
        .await
        .and_then(|report| sheet(&web, &report));
    match made {
        Ok(bytes) => {
            let head = [
                (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
                (header::CONTENT_DISPOSITION, "attachment; filename=\"operations.csv\""),
            ];
            (head, bytes).into_response()
        }
        Err(error) => web.refuse(&error),
    }
}

fn sheet(web: &Web, (by_hour, by_service): &Report) -> Result<Vec<u8>> {
    let t = |vi: &str, en: &str| web.ctx.t(vi, en).to_owned();
    let mut sheet = csv::Writer::from_writer("\u{feff}".as_bytes().to_vec());
    let mut put = |row: [String; 7]| sheet.write_record(row).map_err(Error::internal);
    put([
        t("Giờ", "Hour"),
        t("Dịch vụ", "Service"),
        t("Nút này là", "This node is the"),
        t("Thông điệp", "Messages"),
        t("Không thành công", "Failed"),
        t("Trung bình (ms)", "Mean (ms)"),
        t("95 % trong (ms)", "95 % within (ms)"),
    ])?;
    let figures = |line: &HourLine| {
        let text = |value: Option<String>| value.unwrap_or_default();
        [
            line.n.to_string(),
            line.failed.to_string(),
            text(line.mean().map(|ms| format!("{ms:.1}"))),
            text(line.within(0.95).map(|ms| ms.to_string())),
        ]
    };
    for (hour, line) in by_hour {
        let [n, failed, mean, most] = figures(line);
        let at = Timestamp::from_micros(hour * HOUR).rfc3339();
        put([at, String::new(), String::new(), n, failed, mean, most])?;
    }
    for ((service, side), line) in by_service {
        let [n, failed, mean, most] = figures(line);
        put([String::new(), service.clone(), side.clone(), n, failed, mean, most])?;
    }
    sheet.into_inner().map_err(|error| Error::internal(error.into_error()))
}
