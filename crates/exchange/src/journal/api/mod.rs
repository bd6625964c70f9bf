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
use identity::{ApiError, ApiPath, ApiQuery, Ctx, Listing, Paging};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) use self::params::{Asked, ReadsAsked, encoded, read, reads_place, uuid};
use self::{
    bodies::{ExchangeBody, HiddenReadsBody, MessageBody, OpRecordBody, TrackedReadsBody},
    params::OpAsked,
};
use super::{Journal, evidence::MEDIA_TYPE, messages::Filter, operations::OpQuery, pages, tracker::ReadFilter};

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
#[utoipa::path(get, path = "/api/v1/exchange/messages", operation_id = "list_messages", tag = "exchange", params(Asked, Paging), responses(
    (status = 200, description = "A page, the newest first", body = Listing<MessageBody>), (status = 401, description = "Nobody is signed in"),
    (status = 403, description = "Not an auditor of the node's agency"),
    (status = 422, description = "What is wrong with which parameter")))]
async fn messages(
    State(journal): State<Journal>,
    ctx: Ctx,
    ApiQuery(asked): ApiQuery<Asked>,
    paging: Paging,
) -> Result<Json<Listing<MessageBody>>, ApiError> {
    let filter = Filter {
        most: Some(paging.limit()),
        ..asked.filter()?
    };
    let (rows, next) = journal.messages(&ctx, &filter).await?;
    Ok(Json(Listing::of(rows, next, MessageBody::from)))
}

/// One message with its pair, and whether they verify. That it was looked at is recorded.
#[utoipa::path(get, path = "/api/v1/exchange/messages/{leaf}", operation_id = "read_message", tag = "exchange", params(("leaf" = String, Path, description = "Its `id`")), responses(
    (status = 200, description = "The message", body = ExchangeBody), (status = 401, description = "Nobody is signed in"),
    (status = 403, description = "Not an auditor of the node's agency"), (status = 404, description = "No such message")))]
async fn message(
    State(journal): State<Journal>,
    ctx: Ctx,
    ApiPath(leaf): ApiPath<String>,
) -> Result<Json<ExchangeBody>, ApiError> {
    // Who may not look is not told what a leaf is.
    journal.require_auditor(&ctx)?;
    Ok(Json(journal.message(&ctx, pages::leaf(&leaf)?).await?.into()))
}

/// The evidence of a message and its pair, to be verified offline.
#[utoipa::path(get, path = "/api/v1/exchange/messages/{leaf}/evidence", operation_id = "read_message_evidence", tag = "exchange", params(("leaf" = String, Path, description = "Its `id`")), responses(
    (status = 200, description = "A container after the manner of ASiC-E", body = Vec<u8>, content_type = "application/vnd.etsi.asic-e+zip"),
    (status = 401, description = "Nobody is signed in"), (status = 403, description = "Not an auditor of the node's agency"),
    (status = 404, description = "No such message, or it is erased")))]
async fn message_evidence(
    State(journal): State<Journal>,
    ctx: Ctx,
    ApiPath(leaf): ApiPath<String>,
) -> Result<Response, ApiError> {
    journal.require_auditor(&ctx)?;
    let bytes = journal.message_evidence(&ctx, pages::leaf(&leaf)?).await?;
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
#[utoipa::path(get, path = "/api/v1/me/exchange-reads", operation_id = "list_exchange_reads_of_me", tag = "exchange", params(ReadsAsked, Paging), responses(
    (status = 200, description = "A page, the newest first", body = TrackedReadsBody), (status = 401, description = "Nobody is signed in"),
    (status = 403, description = "Not a person"),
    (status = 422, description = "What is wrong with which parameter")))]
async fn my_reads(
    State(journal): State<Journal>,
    ctx: Ctx,
    ApiQuery(asked): ApiQuery<ReadsAsked>,
    paging: Paging,
) -> Result<Json<TrackedReadsBody>, ApiError> {
    let filter = ReadFilter {
        most: Some(paging.limit()),
        ..asked.filter()?
    };
    Ok(Json(journal.my_reads(&ctx, &filter).await?.into()))
}

/// The evidence that a read of the caller's data is in the log.
#[utoipa::path(get, path = "/api/v1/me/exchange-reads/{leaf}/evidence", operation_id = "read_evidence_of_read", tag = "exchange", params(("leaf" = String, Path, description = "Its `id`")), responses(
    (status = 200, description = "A container after the manner of ASiC-E", body = Vec<u8>, content_type = "application/vnd.etsi.asic-e+zip"),
    (status = 401, description = "Nobody is signed in"), (status = 403, description = "Not a person"),
    (status = 404, description = "No such read of the caller's data")))]
async fn my_read_evidence(
    State(journal): State<Journal>,
    ctx: Ctx,
    ApiPath(leaf): ApiPath<String>,
) -> Result<Response, ApiError> {
    ctx.person()?;
    let bytes = journal.my_read_evidence(&ctx, pages::leaf(&leaf)?).await?;
    Ok(download(&format!("read-{leaf}.asice"), bytes))
}

/// How many reads are hidden from the persons that they are about, by month, agency and ground. Public.
#[utoipa::path(get, path = "/api/v1/exchange/hidden-reads", operation_id = "read_hidden_figures", tag = "exchange", responses(
    (status = 200, description = "The figures", body = HiddenReadsBody)))]
async fn hidden_reads(State(journal): State<Journal>, ctx: Ctx) -> Result<Json<HiddenReadsBody>, ApiError> {
    Ok(Json(journal.hidden_reads(ctx.now).await?.into()))
}

/// Operational monitoring.
#[utoipa::path(get, path = "/api/v1/exchange/operations", operation_id = "list_operation_records", tag = "exchange", params(OpAsked, Paging), responses(
    (status = 200, description = "A page, the oldest first", body = Listing<OpRecordBody>), (status = 401, description = "Nobody is signed in"),
    (status = 403, description = "No permission to read figures of the node's agency"),
    (status = 422, description = "What is wrong with which parameter")))]
async fn operations(
    State(journal): State<Journal>,
    ctx: Ctx,
    ApiQuery(asked): ApiQuery<OpAsked>,
    paging: Paging,
) -> Result<Json<Listing<OpRecordBody>>, ApiError> {
    let place = |cursor: &str| {
        let (at, id) = cursor.split_once('.')?;
        Some((at.parse().ok()?, id.parse().ok()?))
    };
    let query = OpQuery {
        after: paging.place(place)?,
        most: Some(paging.limit()),
        ..asked.query()?
    };
    let found = journal.operations(&ctx, &query).await?;
    let next = found.next.map(|(at, id)| format!("{at}.{id}"));
    Ok(Json(Listing::of(found.records, next, OpRecordBody)))
}
