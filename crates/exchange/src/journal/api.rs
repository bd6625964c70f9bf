//! The JSON API of the journal.

use axum::{
    Json,
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use base::{Problems, Result, Text, Timestamp, codes::CodeError};
use identity::{ApiError, ApiPath, ApiQuery, Ctx};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{
    Journal,
    evidence::{MEDIA_TYPE, Report},
    messages::{Filter, LogRow, MessageKind, Place},
    operations::OpQuery,
    tracker::{ReadFilter, Source},
};
use crate::model::monitor::OpRecord;

/// The JSON routes with their description. To be merged at the root, below [`identity::layer`].
pub fn api(journal: Journal) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(messages))
        .routes(routes!(message))
        .routes(routes!(message_evidence))
        .routes(routes!(my_reads))
        .routes(routes!(my_read_evidence))
        .routes(routes!(hidden_reads))
        .routes(routes!(operations))
        .with_state(journal)
}

/// What is looked for; blank fields ask nothing. The pages take the same.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// Who asked: `VN/GOV/000.00.00.H26/motcua`.
    pub client: String,
    /// What was asked: `VN/GOV/000.00.00.G22/dvcqg/hoso`.
    pub service: String,
    /// `X-Road-Id`.
    pub message_id: String,
    /// `X-Road-Request-Id`.
    pub request_id: String,
    /// From this time on (RFC 3339), or from this date on (`2026-11-21`).
    pub from: String,
    /// Before this time (RFC 3339), or until the end of this date.
    pub to: String,
    /// `next` of the page before.
    pub before: String,
}

impl Asked {
    /// Reads everything.
    ///
    /// # Errors
    /// `Invalid` with each field that is not what it should be.
    pub(super) fn filter(&self) -> Result<Filter> {
        let mut problems = Problems::new();
        let filter = Filter {
            client: read(&self.client, "client", str::parse, &mut problems),
            service: read(&self.service, "service", str::parse, &mut problems),
            message_id: Some(self.message_id.trim().to_owned()).filter(|id| !id.is_empty()),
            request_id: read(&self.request_id, "request_id", uuid, &mut problems),
            from: read(&self.from, "from", |text| time(text, false), &mut problems),
            to: read(&self.to, "to", |text| time(text, true), &mut problems),
            before: read(&self.before, "before", |text| Place::parse(text).ok_or_else(no_place), &mut problems),
        };
        problems.into_result().map(|()| filter)
    }

    /// The query that asks the same, without a place in the list.
    pub(super) fn query(&self) -> String {
        let fields = [
            ("client", &self.client),
            ("service", &self.service),
            ("message_id", &self.message_id),
            ("request_id", &self.request_id),
            ("from", &self.from),
            ("to", &self.to),
        ];
        let given = fields.into_iter().filter(|(_, value)| !value.is_empty());
        given.map(|(name, value)| format!("&{name}={}", encoded(value))).collect()
    }
}

/// A value as it stands in a query.
pub(super) fn encoded(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b'/' | b':');
    text.bytes()
        .map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

/// A field that may be blank; what is wrong with it goes to its place.
pub(super) fn read<T, E: Into<CodeError>>(
    text: &str,
    at: &str,
    parse: impl FnOnce(&str) -> Result<T, E>,
    problems: &mut Problems,
) -> Option<T> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    parse(text).map_err(|error| error.into().add_to(problems, at)).ok()
}

pub(super) fn uuid(text: &str) -> Result<Uuid, CodeError> {
    text.parse().map_err(|_| {
        CodeError::new(
            "not-a-uuid",
            "X-Road-Request-Id có dạng UUID, ví dụ 11111111-1111-4111-8111-111111111111.",
            "X-Road-Request-Id is a UUID, such as 11111111-1111-4111-8111-111111111111.",
        )
    })
}

/// An instant, or a date in legal time: its beginning, or its end.
pub(super) fn time(text: &str, end: bool) -> Result<Timestamp, CodeError> {
    if let Some(at) = Timestamp::parse_rfc3339(text) {
        return Ok(at);
    }
    let bad = || {
        CodeError::new(
            "not-a-time",
            "Thời điểm theo RFC 3339 (2026-11-21T15:04:05+07:00) hoặc ngày (2026-11-21).",
            "A time in RFC 3339 (2026-11-21T15:04:05+07:00), or a date (2026-11-21).",
        )
    };
    let date = text.parse::<jiff::civil::Date>().map_err(|_| bad())?;
    let date = if end { date.tomorrow().map_err(|_| bad())? } else { date };
    Ok(Timestamp::from_legal(date.to_datetime(jiff::civil::Time::midnight())))
}

pub(super) fn no_place() -> CodeError {
    CodeError::new(
        "before",
        "Giá trị này không phải là vị trí trong danh sách; dùng giá trị next của trang trước.",
        "This is no place in the list; use the value of next of the page before.",
    )
}

/// A message.
#[derive(Debug, Serialize, ToSchema)]
struct MessageBody {
    /// Its place in the log, from 0.
    leaf: u64,
    /// When it was logged (RFC 3339).
    logged: String,
    /// `request`, `answer`, `erased` or `unreadable`.
    kind: &'static str,
    /// On which side this node was: `Client` or `Producer`.
    side: Option<&'static str>,
    /// `X-Road-Request-Id`.
    request_id: Option<Uuid>,
    /// `X-Road-Id`.
    message_id: Option<String>,
    /// Who asked.
    client: Option<String>,
    /// What was asked.
    service: Option<String>,
    /// The method of a request.
    method: Option<String>,
    /// The status of an answer.
    status: Option<i64>,
    /// When it was made.
    at: Option<String>,
    /// The code of the purpose.
    purpose: Option<String>,
    /// `X-Road-Issue`.
    issue: Option<String>,
    /// The leaf of the erasure that took it.
    erasure: Option<u64>,
}

impl From<LogRow> for MessageBody {
    fn from(row: LogRow) -> Self {
        Self {
            leaf: row.leaf,
            logged: row.logged.rfc3339(),
            kind: match row.kind {
                MessageKind::Request => "request",
                MessageKind::Answer => "answer",
                MessageKind::Erased => "erased",
                MessageKind::Unreadable => "unreadable",
            },
            side: row.side.map(crate::model::monitor::Side::as_str),
            request_id: row.request_id,
            message_id: row.message_id,
            client: row.client,
            service: row.service,
            method: row.method,
            status: row.status,
            at: row.at.map(Timestamp::rfc3339),
            purpose: row.purpose,
            issue: row.issue,
            erasure: row.erasure,
        }
    }
}

/// A page of messages.
#[derive(Debug, Serialize, ToSchema)]
struct MessagesBody {
    /// Newest first.
    items: Vec<MessageBody>,
    /// Where the next page starts; absent on the last.
    next: Option<String>,
}

/// Messages of this node, for its auditors.
#[utoipa::path(get, path = "/api/v1/exchange/messages", tag = "exchange", params(Asked), responses(
    (status = 200, body = MessagesBody), (status = 401, description = "Nobody is signed in"),
    (status = 403, description = "Not an auditor of the node's agency"),
    (status = 422, description = "What is wrong with which parameter", content_type = "application/problem+json")))]
async fn messages(
    State(journal): State<Journal>,
    ctx: Ctx,
    ApiQuery(asked): ApiQuery<Asked>,
) -> Result<Json<MessagesBody>, ApiError> {
    let (rows, next) = journal.messages(&ctx, &asked.filter()?).await?;
    Ok(Json(MessagesBody {
        items: rows.into_iter().map(MessageBody::from).collect(),
        next: next.map(|place| place.to_string()),
    }))
}

/// Something that does not verify.
#[derive(Debug, Serialize, ToSchema)]
struct FaultBody {
    /// A stable name.
    code: &'static str,
    /// In which file of the evidence.
    at: String,
    /// In Vietnamese.
    vi: String,
    /// In English.
    en: String,
}

/// What verifies.
#[derive(Debug, Serialize, ToSchema)]
struct ProvedBody {
    /// `request`, `answer` or `read`.
    role: &'static str,
    /// Its place in the log.
    leaf: u64,
    /// Leaves of the tree that it is proved in.
    size: u64,
    /// Witnesses that cosigned that tree.
    witnesses: Vec<String>,
    /// What it says, if it is text.
    record: String,
}

/// One message with its pair.
#[derive(Debug, Serialize, ToSchema)]
struct ExchangeBody {
    /// The message.
    message: MessageBody,
    /// Request and answer of the same request id.
    pair: Vec<MessageBody>,
    /// What is proved.
    proved: Vec<ProvedBody>,
    /// What is not.
    faults: Vec<FaultBody>,
    /// When it was erased, by whom, on which ground.
    erased: Option<ErasedBody>,
}

/// An erasure.
#[derive(Debug, Serialize, ToSchema)]
struct ErasedBody {
    /// When (RFC 3339).
    at: String,
    /// By whom.
    by: String,
    /// On which ground.
    ground: String,
}

fn judged(report: Option<Report>) -> (Vec<ProvedBody>, Vec<FaultBody>) {
    let report = report.unwrap_or_default();
    let proved = report.leaves.into_iter().map(|leaf| ProvedBody {
        role: leaf.role.code(),
        leaf: leaf.index,
        size: leaf.size,
        witnesses: leaf.cosigners.into_iter().map(|cosigner| cosigner.name).collect(),
        record: String::from_utf8_lossy(&leaf.record).into_owned(),
    });
    let faults = report.faults.into_iter().map(|fault| FaultBody {
        code: fault.code,
        at: fault.at,
        vi: fault.text.vi,
        en: fault.text.en,
    });
    (proved.collect(), faults.collect())
}

/// One message with its pair, and whether they verify. That it was looked at is recorded.
#[utoipa::path(get, path = "/api/v1/exchange/messages/{leaf}", tag = "exchange", params(("leaf" = u64, Path, description = "Its place in the log")), responses(
    (status = 200, body = ExchangeBody), (status = 401, description = "Nobody is signed in"),
    (status = 403, description = "Not an auditor of the node's agency"), (status = 404, description = "No such message")))]
async fn message(
    State(journal): State<Journal>,
    ctx: Ctx,
    ApiPath(leaf): ApiPath<u64>,
) -> Result<Json<ExchangeBody>, ApiError> {
    let found = journal.message(&ctx, leaf).await?;
    let (proved, faults) = judged(found.report);
    Ok(Json(ExchangeBody {
        message: found.row.into(),
        pair: found.pair.into_iter().map(MessageBody::from).collect(),
        proved,
        faults,
        erased: found.erased.map(|(at, by, ground)| ErasedBody {
            at: at.rfc3339(),
            by,
            ground,
        }),
    }))
}

/// The evidence of a message and its pair, to be verified offline.
#[utoipa::path(get, path = "/api/v1/exchange/messages/{leaf}/evidence", tag = "exchange", params(("leaf" = u64, Path, description = "Its place in the log")), responses(
    (status = 200, description = "A container after the manner of ASiC-E", content_type = "application/vnd.etsi.asic-e+zip"),
    (status = 401, description = "Nobody is signed in"), (status = 403, description = "Not an auditor of the node's agency"),
    (status = 404, description = "No such message, or it is erased")))]
async fn message_evidence(
    State(journal): State<Journal>,
    ctx: Ctx,
    ApiPath(leaf): ApiPath<u64>,
) -> Result<Response, ApiError> {
    let bytes = journal.message_evidence(&ctx, leaf).await?;
    Ok(download(&format!("message-{leaf}.asice"), bytes))
}

/// A container as a file to keep.
pub(super) fn download(name: &str, bytes: Vec<u8>) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let head = [
        (header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_str(&disposition).unwrap_or(HeaderValue::from_static("attachment")),
        ),
    ];
    (head, bytes).into_response()
}

/// Which reads of one's data.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct ReadsAsked {
    /// From this time on (RFC 3339), or from this date on.
    pub from: String,
    /// Until this time, or until the end of this date.
    pub to: String,
    /// `next` of the page before.
    pub before: String,
}

impl ReadsAsked {
    /// Reads everything.
    ///
    /// # Errors
    /// `Invalid` with each field that is not what it should be.
    pub(super) fn filter(&self) -> Result<ReadFilter> {
        let mut problems = Problems::new();
        let place = |text: &str| {
            let place = text.split_once('.').and_then(|(at, shown)| {
                let at = Timestamp::from_micros(at.parse().ok()?);
                Some((at, shown.parse::<u16>().ok()?.into()))
            });
            place.ok_or_else(no_place)
        };
        let filter = ReadFilter {
            from: read(&self.from, "from", |text| time(text, false), &mut problems),
            to: read(&self.to, "to", |text| time(text, true), &mut problems),
            before: read(&self.before, "before", place, &mut problems),
        };
        problems.into_result().map(|()| filter)
    }
}

/// A place in the list of one's reads, as it stands in an address.
pub(super) fn reads_place((at, shown): (Timestamp, usize)) -> String {
    format!("{}.{shown}", at.micros())
}

/// A read of one's data.
#[derive(Debug, Serialize, ToSchema)]
struct ReadBody {
    /// When (RFC 3339).
    at: String,
    /// Who.
    who: String,
    /// The code of the agency.
    agency: String,
    /// Its information system, if it read through the exchange.
    system: Option<String>,
    /// What.
    what: String,
    /// From which service.
    through: Option<String>,
    /// Why, in Vietnamese; blank where another node told of it, which says it in `what`.
    why_vi: String,
    /// Why, in English.
    why_en: String,
    /// The dossier.
    dossier: Option<String>,
    /// `here`, `exchange` or `elsewhere`.
    source: &'static str,
    /// Its place in the log of this node, where there is a proof of it.
    leaf: Option<u64>,
    /// The request.
    request_id: Option<Uuid>,
}

/// A page of reads.
#[derive(Debug, Serialize, ToSchema)]
struct ReadsBody {
    /// Newest first.
    items: Vec<ReadBody>,
    /// Where the next page starts; absent on the last.
    next: Option<String>,
    /// Providers that did not answer: reads of theirs may be missing.
    silent: Vec<String>,
}

/// Who has read the caller's data: on this node, through the exchange, and what other nodes tell.
#[utoipa::path(get, path = "/api/v1/me/exchange-reads", tag = "exchange", params(ReadsAsked), responses(
    (status = 200, body = ReadsBody), (status = 401, description = "Nobody is signed in"),
    (status = 403, description = "Not a person"),
    (status = 422, description = "What is wrong with which parameter", content_type = "application/problem+json")))]
async fn my_reads(
    State(journal): State<Journal>,
    ctx: Ctx,
    ApiQuery(asked): ApiQuery<ReadsAsked>,
) -> Result<Json<ReadsBody>, ApiError> {
    let mine = journal.my_reads(&ctx, &asked.filter()?).await?;
    let items = mine.reads.into_iter().map(|read| {
        let (source, leaf) = match read.source {
            Source::Here => ("here", None),
            Source::Exchange { leaf } => ("exchange", Some(leaf)),
            Source::Elsewhere => ("elsewhere", None),
        };
        ReadBody {
            at: read.at.rfc3339(),
            who: read.who,
            agency: read.agency,
            system: read.system,
            what: read.what,
            through: read.through,
            why_vi: read.why.vi.clone(),
            why_en: read.why.get(base::Lang::En).to_owned(),
            dossier: read.dossier,
            source,
            leaf,
            request_id: read.request,
        }
    });
    Ok(Json(ReadsBody {
        items: items.collect(),
        next: mine.next.map(reads_place),
        silent: mine.silent,
    }))
}

/// The evidence that a read of the caller's data is in the log.
#[utoipa::path(get, path = "/api/v1/me/exchange-reads/{leaf}/evidence", tag = "exchange", params(("leaf" = u64, Path, description = "Its place in the log")), responses(
    (status = 200, description = "A container after the manner of ASiC-E", content_type = "application/vnd.etsi.asic-e+zip"),
    (status = 401, description = "Nobody is signed in"), (status = 403, description = "Not a person"),
    (status = 404, description = "No such read of the caller's data")))]
async fn my_read_evidence(
    State(journal): State<Journal>,
    ctx: Ctx,
    ApiPath(leaf): ApiPath<u64>,
) -> Result<Response, ApiError> {
    let bytes = journal.my_read_evidence(&ctx, leaf).await?;
    Ok(download(&format!("read-{leaf}.asice"), bytes))
}

/// Reads that were hidden in a month.
#[derive(Debug, Serialize, ToSchema)]
struct HiddenBody {
    /// `2026-11`.
    month: String,
    /// The code of the agency.
    agency: String,
    /// Its name in Vietnamese.
    name_vi: String,
    /// Its name in English.
    name_en: String,
    /// On which ground, in Vietnamese.
    reason_vi: String,
    /// On which ground, in English.
    reason_en: String,
    /// The date on which the persons see them.
    until: String,
    /// How many.
    reads: i64,
}

/// How many reads are hidden from the persons that they are about, by month, agency and ground. Public.
#[utoipa::path(get, path = "/api/v1/exchange/hidden-reads", tag = "exchange", responses((status = 200, body = Vec<HiddenBody>)))]
async fn hidden_reads(State(journal): State<Journal>, ctx: Ctx) -> Result<Json<Vec<HiddenBody>>, ApiError> {
    let both = |text: &Text| (text.vi.clone(), text.get(base::Lang::En).to_owned());
    let months = journal.hidden_reads(ctx.now).await?;
    let body = months.into_iter().map(|month| {
        let ((name_vi, name_en), (reason_vi, reason_en)) = (both(&month.name), both(&month.reason));
        HiddenBody {
            month: month.month,
            agency: month.member,
            name_vi,
            name_en,
            reason_vi,
            reason_en,
            until: month.until,
            reads: month.n,
        }
    });
    Ok(Json(body.collect()))
}

/// Which records of operational monitoring.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default, rename_all = "camelCase")]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
struct OpAsked {
    /// From this second since 1970 on; a day before the end without it.
    records_from: Option<i64>,
    /// Before this second since 1970; now without it.
    records_to: Option<i64>,
    /// Only of this client.
    client: String,
    /// Only of this service.
    service: String,
    /// `nextRecords` of the page before.
    after: String,
}

impl OpAsked {
    fn query(&self) -> Result<OpQuery> {
        let mut problems = Problems::new();
        let place = |text: &str| {
            let place = text.split_once('.').and_then(|(at, id)| Some((at.parse().ok()?, id.parse().ok()?)));
            place.ok_or_else(no_place)
        };
        let at = |seconds: i64| Timestamp::from_micros(0).plus_seconds(seconds);
        let query = OpQuery {
            from: self.records_from.map(at),
            to: self.records_to.map(at),
            client: read(&self.client, "client", str::parse, &mut problems),
            service: read(&self.service, "service", str::parse, &mut problems),
            after: read(&self.after, "after", place, &mut problems),
        };
        problems.into_result().map(|()| query)
    }
}

/// Records with the names of X-Road.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OperationsBody {
    /// How many are here.
    records_count: usize,
    /// The records (PR-OPMON, Annex B), oldest first.
    #[schema(value_type = Vec<Object>)]
    records: Vec<OpRecord>,
    /// Where the next page starts; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_records: Option<String>,
}

/// Operational monitoring.
#[utoipa::path(get, path = "/api/v1/exchange/operations", tag = "exchange", params(OpAsked), responses(
    (status = 200, body = OperationsBody), (status = 401, description = "Nobody is signed in"),
    (status = 403, description = "No permission to read figures of the node's agency"),
    (status = 422, description = "What is wrong with which parameter", content_type = "application/problem+json")))]
async fn operations(
    State(journal): State<Journal>,
    ctx: Ctx,
    ApiQuery(asked): ApiQuery<OpAsked>,
) -> Result<Json<OperationsBody>, ApiError> {
    let found = journal.operations(&ctx, &asked.query()?).await?;
    Ok(Json(OperationsBody {
        records_count: found.records.len(),
        records: found.records,
        next_records: found.next.map(|(at, id)| format!("{at}.{id}")),
    }))
}
