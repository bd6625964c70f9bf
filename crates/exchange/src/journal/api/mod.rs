//! The JSON API of the journal.

mod bodies;
mod params;

use axum::{
    Json,
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use base::Result;
use identity::{ApiError, ApiPath, ApiQuery, Ctx};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) use self::params::{Asked, ReadsAsked, encoded, read, reads_place, uuid};
use self::{
    bodies::{ExchangeBody, HiddenBody, MessagesBody, OperationsBody, TrackedReadsBody},
    params::OpAsked,
};
use super::{Journal, evidence::MEDIA_TYPE};

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
    Ok(Json(MessagesBody::of(rows, next)))
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
    Ok(Json(journal.message(&ctx, leaf).await?.into()))
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

/// Who has read the caller's data: on this node, through the exchange, and what other nodes tell.
#[utoipa::path(get, path = "/api/v1/me/exchange-reads", tag = "exchange", params(ReadsAsked), responses(
    (status = 200, body = TrackedReadsBody), (status = 401, description = "Nobody is signed in"),
    (status = 403, description = "Not a person"),
    (status = 422, description = "What is wrong with which parameter", content_type = "application/problem+json")))]
async fn my_reads(
    State(journal): State<Journal>,
    ctx: Ctx,
    ApiQuery(asked): ApiQuery<ReadsAsked>,
) -> Result<Json<TrackedReadsBody>, ApiError> {
    Ok(Json(journal.my_reads(&ctx, &asked.filter()?).await?.into()))
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

/// How many reads are hidden from the persons that they are about, by month, agency and ground. Public.
#[utoipa::path(get, path = "/api/v1/exchange/hidden-reads", tag = "exchange", responses((status = 200, body = Vec<HiddenBody>)))]
async fn hidden_reads(State(journal): State<Journal>, ctx: Ctx) -> Result<Json<Vec<HiddenBody>>, ApiError> {
    let months = journal.hidden_reads(ctx.now).await?;
    Ok(Json(months.into_iter().map(HiddenBody::from).collect()))
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
    Ok(Json(journal.operations(&ctx, &asked.query()?).await?.into()))
}
