//! Figures as CSV (UTF-8 with byte order mark, which spreadsheets need to read Vietnamese). A row is made when it is sent: no
//! more than [`ROWS`] of them are in memory as text.

use axum::{body::Body, http::HeaderMap, response::Response};
use base::{Error, Lang, Result};
use sha2::{Digest, Sha256};

use super::{bodies::two, tagged};
use crate::model::{Line, Measure, ServiceLine, Stock};

/// Rows of one chunk of an answer.
const ROWS: usize = 64;

/// The lines of a report.
pub(super) fn report(headers: &HeaderMap, lines: Vec<Line>, lang: Lang) -> Result<Response> {
    answer(headers, &report_head(lang), lines, move |line| report_row(line, lang))
}

/// The level-4 figures.
pub(super) fn services(headers: &HeaderMap, lines: Vec<ServiceLine>, lang: Lang) -> Result<Response> {
    answer(headers, &services_head(lang), lines, move |line| {
        services_row(line, lang)
    })
}

/// The tag is that of the text, so the rows are made twice: once for it, and once more for whoever does not have them.
fn answer<T: Send + 'static>(
    headers: &HeaderMap,
    head: &[String],
    items: Vec<T>,
    row: impl Fn(&T) -> Vec<String> + Send + 'static,
) -> Result<Response> {
    let mut first = "\u{feff}".as_bytes().to_vec();
    first.extend(record(head).map_err(Error::internal)?);
    let mut hasher = Sha256::new();
    hasher.update(&first);
    for item in &items {
        hasher.update(record(&row(item)).map_err(Error::internal)?);
    }
    let mut items = items.into_iter();
    let rest = std::iter::from_fn(move || {
        let chunk: std::result::Result<Vec<Vec<u8>>, csv::Error> =
            items.by_ref().take(ROWS).map(|item| record(&row(&item))).collect();
        Some(chunk.map(|rows| rows.concat())).filter(|chunk| !chunk.as_ref().is_ok_and(Vec::is_empty))
    });
    let chunks = futures::stream::iter(std::iter::once(Ok(first)).chain(rest));
    Ok(tagged(headers, hasher, "text/csv; charset=utf-8", || {
        Body::from_stream(chunks)
    }))
}

fn record(cells: &[String]) -> std::result::Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::with_capacity(256));
    // A spreadsheet takes a cell that begins like this for a formula.
    let safe = cells
        .iter()
        .map(|cell| match cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
            true => format!("'{cell}"),
            false => cell.clone(),
        });
    writer.write_record(safe)?;
    writer.into_inner().map_err(|e| e.into_error().into())
}

fn report_head(lang: Lang) -> Vec<String> {
    [
        lang.t("Mã", "Code"),
        lang.t("Tên", "Name"),
        lang.t("Tiếp nhận", "Received"),
        lang.t("Trực tuyến", "Online"),
        lang.t("Trực tiếp", "At the counter"),
        lang.t("Bưu chính", "By post"),
        lang.t("Tỷ lệ trực tuyến (%)", "Online (%)"),
        lang.t("Giải quyết trước hạn", "Decided early"),
        lang.t("Giải quyết đúng hạn", "Decided on time"),
        lang.t("Giải quyết quá hạn", "Decided late"),
        lang.t("Quá hạn chưa giải quyết cuối kỳ", "Overdue at the end of the period"),
        lang.t("Đang giải quyết cuối kỳ", "In progress at the end of the period"),
        lang.t("Tạm dừng cuối kỳ", "Paused at the end of the period"),
        lang.t("Tỷ lệ trước hạn và đúng hạn (%)", "Early or on time (%)"),
        lang.t("Không tiếp nhận", "Refused"),
        lang.t("Rút hồ sơ", "Withdrawn"),
        lang.t("Dừng xử lý", "Stopped"),
        lang.t("Số ngày làm việc trung bình", "Mean working days"),
        lang.t("Số ngày làm việc trung vị", "Median working days"),
        lang.t("Chờ tiếp nhận hiện nay", "Waiting now"),
        lang.t("Đang giải quyết hiện nay", "In progress now"),
        lang.t("Quá hạn hiện nay", "Overdue now"),
        lang.t("Tạm dừng hiện nay", "Paused now"),
    ]
    .map(str::to_owned)
    .to_vec()
}

fn report_row(line: &Line, lang: Lang) -> Vec<String> {
    let n = |m| line.counts.get(m).to_string();
    let f = |x: Option<f64>| two(x).map(|x| x.to_string()).unwrap_or_default();
    let end = |part: fn(Stock) -> i64| line.end.map(|end| part(end).to_string()).unwrap_or_default();
    let mut row = vec![
        line.key.clone(),
        line.name.get(lang).to_owned(),
        n(Measure::Received),
        n(Measure::Online),
        n(Measure::Counter),
        n(Measure::Post),
        f(line.online_percent()),
        n(Measure::Early),
        n(Measure::OnTime),
        n(Measure::Late),
        line.unfinished_late.to_string(),
        end(|s| s.in_progress),
        end(|s| s.paused),
        f(line.on_time_percent()),
        n(Measure::Refused),
        n(Measure::Withdrawn),
        n(Measure::Stopped),
        f(line.mean_days()),
        f(line.median_days()),
    ];
    // Of months only the present one has them; the cells of the others stay empty.
    let now = line
        .now
        .map(|n| [n.waiting, n.in_progress, n.overdue, n.paused].map(|n| n.to_string()));
    row.extend(now.unwrap_or_default());
    row
}

fn services_head(lang: Lang) -> Vec<String> {
    [
        lang.t("Mã thủ tục", "Code"),
        lang.t("Tên thủ tục", "Name"),
        lang.t("Người nộp trực tuyến", "People online"),
        lang.t("Người nộp cách khác", "Other people"),
        lang.t(
            "Số người trực tuyến trên một người nộp cách khác",
            "Online people for each other one",
        ),
        lang.t("Tiếp nhận", "Received"),
        lang.t("Tiếp nhận trực tuyến", "Received online"),
        lang.t("Tỷ lệ trực tuyến (%)", "Online (%)"),
        lang.t("Thông tin cơ sở dữ liệu đã có", "Answers that registers hold"),
        lang.t("Trong đó phải hỏi lại", "Of these, asked again"),
        lang.t("Tỷ lệ hỏi lại (%)", "Asked again (%)"),
    ]
    .map(str::to_owned)
    .to_vec()
}

fn services_row(s: &ServiceLine, lang: Lang) -> Vec<String> {
    let f = |x: Option<f64>| x.map(|x| x.to_string()).unwrap_or_default();
    vec![
        s.procedure.clone(),
        s.name.get(lang).to_owned(),
        s.online_people.to_string(),
        s.offline_people.to_string(),
        f(s.ratio()),
        s.received.to_string(),
        s.online.to_string(),
        f(s.online_percent()),
        s.held.to_string(),
        s.asked_again.to_string(),
        f(s.asked_again_percent()),
    ]
}
