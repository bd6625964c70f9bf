//! The JSON API of the publication, and the same figures as CSV. Public: no personal data.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use base::{Error, Kind, Lang, Problems, Result, Text, Timestamp};
use identity::{ApiError, ApiQuery, Ctx};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Insight, Line, ServiceLine,
    model::{By, Measure, Month, Question},
};

/// The longest period that one request may ask for, months.
const LONGEST: i64 = 120;

/// The routes, with their part of the OpenAPI file. To be merged at the root.
pub fn router(insight: Insight) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(publication))
        .routes(routes!(publication_csv))
        .routes(routes!(services))
        .routes(routes!(services_csv))
        .with_state(insight)
}

/// What of the figures.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct ReportParams {
    /// Only of the agency with this code.
    agency: String,
    /// First month, `2026-01`; January of the last month's year by default.
    #[param(value_type = Option<String>, pattern = "^[0-9]{4}-[0-9]{2}$")]
    from: String,
    /// Last month; this month by default. At most ten years from the first.
    #[param(value_type = Option<String>, pattern = "^[0-9]{4}-[0-9]{2}$")]
    to: String,
    /// `month` (default), `field` or `procedure`.
    #[param(value_type = Option<String>)]
    by: String,
}

impl ReportParams {
    fn read(&self, now: Timestamp) -> Result<Question> {
        let mut problems = Problems::new();
        let mut month = |at: &str, text: &str, default: Month| match text {
            "" => default,
            text => Month::parse(text).unwrap_or_else(|| {
                let vi = "Tháng phải có dạng năm-tháng, từ 2000-01 đến 2100-12, ví dụ 2026-07.";
                let en = "A month is written year-month, from 2000-01 to 2100-12, for example 2026-07.";
                problems.add("not-a-month", at, vi, en);
                default
            }),
        };
        let to = month("to", &self.to, Month::of(now));
        let from = month("from", &self.from, Month::from_index(to.year() * 12));
        if from > to {
            let vi = "Tháng đầu phải trước hoặc trùng tháng cuối.";
            problems.add("order", "from", vi, "The first month must not be after the last.");
        } else if to.index() - from.index() >= LONGEST {
            let vi = format!("Mỗi lần chỉ xem được tối đa {LONGEST} tháng.");
            problems.add("too-long", "from", vi, format!("At most {LONGEST} months at a time."));
        }
        let by = match self.by.as_str() {
            "" => By::default(),
            id => By::from_id(id).unwrap_or_else(|| {
                let vi = "Giá trị không hợp lệ. Các giá trị: month, field, procedure.";
                problems.add("not-a-choice", "by", vi, "Not one of: month, field, procedure.");
                By::default()
            }),
        };
        problems.into_result()?;
        let agency = Some(self.agency.trim().to_owned()).filter(|a| !a.is_empty());
        Ok(Question { agency, from, to, by })
    }
}

/// A name in both languages.
#[derive(Debug, Serialize, ToSchema)]
pub struct NameBody {
    /// Vietnamese.
    vi: String,
    /// English; blank where there is none.
    en: String,
}

impl From<&Text> for NameBody {
    fn from(text: &Text) -> Self {
        Self {
            vi: text.vi.clone(),
            en: text.en.clone(),
        }
    }
}

/// One line of figures. Percentages have two decimals and are `null` where there is nothing to divide by.
#[derive(Debug, Serialize, ToSchema)]
pub struct LineBody {
    /// `2026-11`, the code of the field or of the procedure; blank for the whole.
    key: String,
    /// Its name.
    name: NameBody,
    /// Received in the period.
    received: i64,
    /// Of these, online.
    received_online: i64,
    /// Of these, at the counter.
    received_counter: i64,
    /// Of these, by post.
    received_post: i64,
    /// Received online, percent.
    online_percent: Option<f64>,
    /// Decided before the day they were due.
    solved_early: i64,
    /// Decided on the day they were due.
    solved_on_time: i64,
    /// Decided late, or after more than one request for papers.
    solved_late: i64,
    /// Overdue and not ended at the end of the period.
    unfinished_late: i64,
    /// Decided early or on time, percent of the four above.
    on_time_percent: Option<f64>,
    /// Refused at reception.
    refused: i64,
    /// Withdrawn.
    withdrawn: i64,
    /// Stopped.
    stopped: i64,
    /// Mean duration, working days.
    mean_working_days: Option<f64>,
    /// Median duration, working days, from classes of one working hour.
    median_working_days: Option<f64>,
    /// How things stand now; absent in lines by month.
    #[serde(skip_serializing_if = "Option::is_none")]
    now: Option<NowBody>,
}

/// How things stand at the time of the answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct NowBody {
    /// Filed, not yet received.
    waiting: i64,
    /// In progress.
    in_progress: i64,
    /// Of these, overdue.
    overdue: i64,
    /// Paused: papers or a payment are awaited.
    paused: i64,
}

fn two(x: Option<f64>) -> Option<f64> {
    x.map(|x| (x * 100.0).round() / 100.0)
}

impl LineBody {
    fn of(line: &Line, now: bool) -> Self {
        let n = |m| line.counts.get(m);
        Self {
            key: line.key.clone(),
            name: (&line.name).into(),
            received: n(Measure::Received),
            received_online: n(Measure::Online),
            received_counter: n(Measure::Counter),
            received_post: n(Measure::Post),
            online_percent: line.online_percent(),
            solved_early: n(Measure::Early),
            solved_on_time: n(Measure::OnTime),
            solved_late: n(Measure::Late),
            unfinished_late: line.unfinished_late,
            on_time_percent: line.on_time_percent(),
            refused: n(Measure::Refused),
            withdrawn: n(Measure::Withdrawn),
            stopped: n(Measure::Stopped),
            mean_working_days: two(line.mean_days()),
            median_working_days: two(line.median_days()),
            now: now.then_some(NowBody {
                waiting: line.waiting,
                in_progress: line.in_progress,
                overdue: line.overdue,
                paused: line.paused,
            }),
        }
    }
}

/// Figures of a period.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportBody {
    /// Only of this agency; absent for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    agency: Option<String>,
    /// First month.
    from: String,
    /// Last month.
    to: String,
    /// What a line is: `month`, `field` or `procedure`.
    by: &'static str,
    /// When the figures last changed.
    updated_at: Option<String>,
    /// `true`: more dossiers are overdue than are looked at (10,000).
    overdue_cut: bool,
    /// The whole.
    total: LineBody,
    /// The lines.
    lines: Vec<LineBody>,
}

/// The two level-4 figures of a service.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServiceBody {
    /// Code of the procedure.
    procedure: String,
    /// Its name.
    name: NameBody,
    /// People who filed online; an account counts once.
    online_people: i64,
    /// People who filed otherwise; a dossier without an account counts as one.
    offline_people: i64,
    /// Online people for each other one; `null` where there is no other.
    people_ratio: Option<f64>,
    /// Received.
    received: i64,
    /// Of these, online.
    received_online: i64,
    /// Received online, percent.
    online_percent: Option<f64>,
}

impl From<&ServiceLine> for ServiceBody {
    fn from(s: &ServiceLine) -> Self {
        Self {
            procedure: s.procedure.clone(),
            name: (&s.name).into(),
            online_people: s.online_people,
            offline_people: s.offline_people,
            people_ratio: s.ratio(),
            received: s.received,
            received_online: s.online,
            online_percent: s.online_percent(),
        }
    }
}

/// Level-4 figures of a year.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServicesBody {
    /// The year.
    year: i64,
    /// The services that received dossiers.
    services: Vec<ServiceBody>,
}

fn tagged(headers: &HeaderMap, bytes: Vec<u8>, kind: &'static str) -> Response {
    let hash = hex::encode(Sha256::digest(&bytes));
    let tag = format!("\"{}\"", hash.get(..32).unwrap_or(&hash));
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|sent| {
            sent.split(',')
                .map(|t| t.trim().trim_start_matches("W/"))
                .any(|t| t == tag || t == "*")
        });
    let common = [
        (header::ETAG, tag),
        (header::CACHE_CONTROL, "public, max-age=60".to_owned()),
        (header::VARY, "Cookie, Accept-Language".to_owned()),
    ];
    if known {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    (common, [(header::CONTENT_TYPE, kind)], bytes).into_response()
}

/// Figures of case progress.
#[utoipa::path(get, path = "/api/v1/publication", tag = "publication", params(ReportParams), responses(
    (status = 200, description = "The figures", body = ReportBody),
    (status = 304, description = "The caller has them already"),
    (status = 404, description = "No figures of such an agency", content_type = "application/problem+json"),
    (status = 422, description = "What is wrong with which parameter", content_type = "application/problem+json"),
))]
async fn publication(
    State(insight): State<Insight>,
    ctx: Ctx,
    headers: HeaderMap,
    ApiQuery(params): ApiQuery<ReportParams>,
) -> Result<Response, ApiError> {
    let question = params.read(ctx.now)?;
    let report = insight.report(&question, ctx.now).await?;
    let body = ReportBody {
        by: question.by.id(),
        from: question.from.to_string(),
        to: question.to.to_string(),
        updated_at: report.updated_at.map(Timestamp::rfc3339),
        overdue_cut: report.overdue_cut,
        total: LineBody::of(&report.total, true),
        lines: report
            .lines
            .iter()
            .map(|l| LineBody::of(l, question.by != By::Month))
            .collect(),
        agency: question.agency,
    };
    Ok(tagged(
        &headers,
        serde_json::to_vec(&body).map_err(Error::internal)?,
        "application/json",
    ))
}

const CSV: &str = "text/csv; charset=utf-8";

/// The same figures as CSV (UTF-8 with byte order mark, which spreadsheets need to read Vietnamese).
#[utoipa::path(get, path = "/api/v1/publication.csv", tag = "publication", params(ReportParams), responses(
    (status = 200, description = "The figures", content_type = "text/csv"),
    (status = 304, description = "The caller has them already"),
    (status = 404, description = "No figures of such an agency", content_type = "application/problem+json"),
    (status = 422, description = "What is wrong with which parameter", content_type = "application/problem+json"),
))]
async fn publication_csv(
    State(insight): State<Insight>,
    ctx: Ctx,
    headers: HeaderMap,
    ApiQuery(params): ApiQuery<ReportParams>,
) -> Result<Response, ApiError> {
    let question = params.read(ctx.now)?;
    let report = insight.report(&question, ctx.now).await?;
    let lang = ctx.lang;
    let mut rows = vec![report_head(question.by, lang)];
    rows.extend(report.lines.iter().map(|l| report_row(l, question.by, lang)));
    Ok(tagged(&headers, csv_bytes(&rows)?, CSV))
}

fn report_head(by: By, lang: Lang) -> Vec<String> {
    let mut head = vec![
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
        lang.t("Tỷ lệ trước hạn và đúng hạn (%)", "Early or on time (%)"),
        lang.t("Không tiếp nhận", "Refused"),
        lang.t("Rút hồ sơ", "Withdrawn"),
        lang.t("Dừng xử lý", "Stopped"),
        lang.t("Số ngày làm việc trung bình", "Mean working days"),
        lang.t("Số ngày làm việc trung vị", "Median working days"),
    ];
    if by != By::Month {
        head.extend([
            lang.t("Chờ tiếp nhận hiện nay", "Waiting now"),
            lang.t("Đang giải quyết hiện nay", "In progress now"),
            lang.t("Quá hạn hiện nay", "Overdue now"),
            lang.t("Tạm dừng hiện nay", "Paused now"),
        ]);
    }
    head.into_iter().map(str::to_owned).collect()
}

fn report_row(line: &Line, by: By, lang: Lang) -> Vec<String> {
    let n = |m| line.counts.get(m).to_string();
    let f = |x: Option<f64>| two(x).map(|x| x.to_string()).unwrap_or_default();
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
        f(line.on_time_percent()),
        n(Measure::Refused),
        n(Measure::Withdrawn),
        n(Measure::Stopped),
        f(line.mean_days()),
        f(line.median_days()),
    ];
    if by != By::Month {
        row.extend([line.waiting, line.in_progress, line.overdue, line.paused].map(|n| n.to_string()));
    }
    row
}

fn csv_bytes(rows: &[Vec<String>]) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer("\u{feff}".as_bytes().to_vec());
    for row in rows {
        // A spreadsheet takes a cell that begins like this for a formula.
        let safe = row
            .iter()
            .map(|cell| match cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
                true => format!("'{cell}"),
                false => cell.clone(),
            });
        writer.write_record(safe).map_err(Error::internal)?;
    }
    writer.into_inner().map_err(|e| Error::internal(e.to_string()))
}

/// Which services.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct ServicesParams {
    /// Only of the agency with this code.
    agency: String,
    /// The year, 2000 to 2100; this year by default.
    #[param(minimum = 2000, maximum = 2100, value_type = Option<i64>)]
    year: String,
}

impl ServicesParams {
    fn read(&self, now: Timestamp) -> Result<(Option<String>, i64)> {
        let year = match self.year.as_str() {
            "" => Some(Month::of(now).year()),
            text => text.parse().ok().filter(|y| (2000..=2100).contains(y)),
        };
        let year = year.ok_or_else(|| {
            let mut problems = Problems::new();
            problems.add(
                "not-a-year",
                "year",
                "Năm phải từ 2000 đến 2100.",
                "A year is from 2000 to 2100.",
            );
            Error::Refused(Kind::Invalid, problems)
        })?;
        Ok((Some(self.agency.trim().to_owned()).filter(|a| !a.is_empty()), year))
    }
}

/// The two level-4 figures of each service.
#[utoipa::path(get, path = "/api/v1/publication/services", tag = "publication", params(ServicesParams), responses(
    (status = 200, description = "The figures", body = ServicesBody),
    (status = 304, description = "The caller has them already"),
    (status = 404, description = "No figures of such an agency", content_type = "application/problem+json"),
    (status = 422, description = "What is wrong with which parameter", content_type = "application/problem+json"),
))]
async fn services(
    State(insight): State<Insight>,
    ctx: Ctx,
    headers: HeaderMap,
    ApiQuery(params): ApiQuery<ServicesParams>,
) -> Result<Response, ApiError> {
    let (agency, year) = params.read(ctx.now)?;
    let lines = insight.services(agency.as_deref(), year, ctx.now).await?;
    let body = ServicesBody {
        year,
        services: lines.iter().map(ServiceBody::from).collect(),
    };
    Ok(tagged(
        &headers,
        serde_json::to_vec(&body).map_err(Error::internal)?,
        "application/json",
    ))
}

/// The level-4 figures as CSV.
#[utoipa::path(get, path = "/api/v1/publication/services.csv", tag = "publication", params(ServicesParams), responses(
    (status = 200, description = "The figures", content_type = "text/csv"),
    (status = 304, description = "The caller has them already"),
    (status = 404, description = "No figures of such an agency", content_type = "application/problem+json"),
    (status = 422, description = "What is wrong with which parameter", content_type = "application/problem+json"),
))]
async fn services_csv(
    State(insight): State<Insight>,
    ctx: Ctx,
    headers: HeaderMap,
    ApiQuery(params): ApiQuery<ServicesParams>,
) -> Result<Response, ApiError> {
    let (agency, year) = params.read(ctx.now)?;
    let lang = ctx.lang;
    let head = [
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
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for s in insight.services(agency.as_deref(), year, ctx.now).await? {
        let f = |x: Option<f64>| x.map(|x| x.to_string()).unwrap_or_default();
        rows.push(vec![
            s.procedure.clone(),
            s.name.get(lang).to_owned(),
            s.online_people.to_string(),
            s.offline_people.to_string(),
            f(s.ratio()),
            s.received.to_string(),
            s.online.to_string(),
            f(s.online_percent()),
        ]);
    }
    Ok(tagged(&headers, csv_bytes(&rows)?, CSV))
}
