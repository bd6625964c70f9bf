//! The JSON API of access, for the stewards' own programs. What two nodes say to each other is [`super::peer`].

mod bodies;

use axum::{
    Json,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use base::{Error, Kind, Problems, Result};
use identity::{
    ApiError, ApiJson, ApiPath, ApiQuery, Ctx, IdempotencyKey, Listing, Paging, SignedIn, Tag, place, read_place,
};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use self::bodies::{
    ExplainParams, ExplanationBody, GrantBody, GrantLineBody, GrantsParams, OfferBody, SavedBody, ServiceBody,
    SystemBody, TokenBody,
};
use super::{
    Access, GrantsQuery, Side, Standing,
    model::{CommandDraft, Request, ServiceDraft, SystemDraft, TermsDraft, check_reason},
};
use crate::model::{
    Method, Purpose,
    identifier::{ClientId, ServiceId, SubsystemId},
    rights::GrantId,
};

/// The routes, with their part of the OpenAPI file. To be merged at the root.
pub fn router(access: Access) -> OpenApiRouter {
    let largest = access.config().largest_document;
    let document = OpenApiRouter::new()
        .routes(routes!(document, put_document, drop_document))
        .layer(DefaultBodyLimit::max(largest.saturating_add(1)));
    OpenApiRouter::new()
        .routes(routes!(systems, add_system))
        .routes(routes!(system, change_system))
        .routes(routes!(new_token))
        .routes(routes!(services, add_service))
        .routes(routes!(service, change_service))
        .routes(routes!(check_report, ask_for_check))
        .merge(document)
        .routes(routes!(catalogue))
        .routes(routes!(grants, ask))
        .routes(routes!(grant))
        .routes(routes!(command))
        .routes(routes!(explain))
        .with_state(access)
}

/// An id that is bent is a thing that is not there.
fn read_id(text: &str) -> Result<Uuid> {
    text.parse().map_err(|_| Error::not_found("mục này", "thing"))
}

/// A cursor that is an identifier of the exchange.
fn identifier(cursor: &str) -> Option<String> {
    let is_one = cursor.parse::<SubsystemId>().is_ok() || cursor.parse::<ServiceId>().is_ok();
    is_one.then(|| cursor.to_owned())
}

fn refuse(problems: Problems) -> Error {
    Error::Refused(Kind::Invalid, problems)
}

/// The information systems of one's agency and those below it.
#[utoipa::path(get, path = "/api/v1/exchange/systems", operation_id = "list_exchange_systems", tag = "exchange", params(Paging), responses(
    (status = 200, description = "A page", body = Listing<SystemBody>), SignedIn,
    (status = 422, description = "What is wrong with which parameter")))]
async fn systems(
    State(access): State<Access>,
    ctx: Ctx,
    paging: Paging,
) -> Result<Json<Listing<SystemBody>>, ApiError> {
    let after = paging.place(identifier)?.unwrap_or_default();
    let (systems, next) = access.systems(&ctx, &after, paging.limit()).await?;
    Ok(Json(Listing::of(&systems, next, SystemBody::from)))
}

/// Registers an information system. A token, where there is one, is in this answer only.
#[utoipa::path(post, path = "/api/v1/exchange/systems", operation_id = "add_exchange_system", tag = "exchange", request_body = SystemDraft, responses(
    (status = 201, description = "Registered", body = SavedBody), SignedIn,
    (status = 409, description = "There is one of that identifier"),
    (status = 422, description = "Every wrong field")))]
async fn add_system(
    State(access): State<Access>,
    ctx: Ctx,
    ApiJson(draft): ApiJson<SystemDraft>,
) -> Result<Response, ApiError> {
    let saved = access.add_system(&ctx, &draft).await?;
    Ok((StatusCode::CREATED, Json(SavedBody::from(saved))).into_response())
}

/// One information system.
#[utoipa::path(get, path = "/api/v1/exchange/systems/{id}", operation_id = "read_exchange_system", tag = "exchange", params(("id" = Uuid, Path, description = "Its id")), responses(
    (status = 200, description = "The system", body = SystemBody), SignedIn,
    (status = 304, description = "The caller has it already"),
    (status = 404, description = "No such system, or another agency's")))]
async fn system(
    State(access): State<Access>,
    ctx: Ctx,
    headers: HeaderMap,
    ApiPath(id): ApiPath<String>,
) -> Result<Response, ApiError> {
    let system = access.system(&ctx, read_id(&id)?).await?;
    Ok(Tag::version(system.version).answer(&headers, || Json(SystemBody::from(&system))))
}

/// Changes an information system; its identifier stays.
#[utoipa::path(put, path = "/api/v1/exchange/systems/{id}", operation_id = "change_exchange_system", tag = "exchange", params(("id" = Uuid, Path, description = "Its id"), ("If-Match" = String, Header, description = "The ETag of what was read")),
    request_body = SystemDraft, responses(
    (status = 200, description = "Changed", body = SavedBody), SignedIn,
    (status = 404, description = "No such system, or another agency's"),
    (status = 409, description = "It has changed since"),
    (status = 422, description = "Every wrong field")))]
async fn change_system(
    State(access): State<Access>,
    ctx: Ctx,
    ApiPath(id): ApiPath<String>,
    headers: HeaderMap,
    ApiJson(draft): ApiJson<SystemDraft>,
) -> Result<Json<SavedBody>, ApiError> {
    ctx.officer()?;
    let seen = Tag::needed(&headers)?;
    let saved = access.change_system(&ctx, read_id(&id)?, seen, &draft).await?;
    Ok(Json(SavedBody::from(saved)))
}

/// Gives an information system another token.
#[utoipa::path(post, path = "/api/v1/exchange/systems/{id}/token", operation_id = "renew_exchange_token", tag = "exchange", params(("id" = Uuid, Path, description = "Its id")), responses(
    (status = 200, description = "The token, in this answer only", body = TokenBody), SignedIn,
    (status = 404, description = "No such system, or another agency's"),
    (status = 409, description = "It does not sign in by token")))]
async fn new_token(
    State(access): State<Access>,
    ctx: Ctx,
    ApiPath(id): ApiPath<String>,
) -> Result<Json<TokenBody>, ApiError> {
    let token = access.new_token(&ctx, read_id(&id)?).await?;
    Ok(Json(TokenBody { token }))
}

/// The services of one's agency and those below it.
#[utoipa::path(get, path = "/api/v1/exchange/services", operation_id = "list_exchange_services", tag = "exchange", params(Paging), responses(
    (status = 200, description = "A page", body = Listing<ServiceBody>), SignedIn,
    (status = 422, description = "What is wrong with which parameter")))]
async fn services(
    State(access): State<Access>,
    ctx: Ctx,
    paging: Paging,
) -> Result<Json<Listing<ServiceBody>>, ApiError> {
    let after = paging.place(identifier)?.unwrap_or_default();
    let (services, next) = access.services(&ctx, &after, paging.limit()).await?;
    Ok(Json(Listing::of(&services, next, |service| {
        ServiceBody::of(service, &[])
    })))
}

/// Registers a service.
#[utoipa::path(post, path = "/api/v1/exchange/services", operation_id = "add_exchange_service", tag = "exchange", request_body = ServiceDraft, responses(
    (status = 201, description = "Registered", body = SavedBody), SignedIn,
    (status = 409, description = "There is one of that identifier"),
    (status = 422, description = "Every wrong field")))]
async fn add_service(
    State(access): State<Access>,
    ctx: Ctx,
    ApiJson(draft): ApiJson<ServiceDraft>,
) -> Result<Response, ApiError> {
    let id = access.add_service(&ctx, &draft).await?;
    Ok((StatusCode::CREATED, Json(SavedBody { id, token: None })).into_response())
}

/// One service, with the endpoints of its OpenAPI document.
#[utoipa::path(get, path = "/api/v1/exchange/services/{id}", operation_id = "read_exchange_service", tag = "exchange", params(("id" = Uuid, Path, description = "Its id")), responses(
    (status = 200, description = "The service", body = ServiceBody), SignedIn,
    (status = 304, description = "The caller has it already"),
    (status = 404, description = "No such service, or another agency's")))]
async fn service(
    State(access): State<Access>,
    ctx: Ctx,
    headers: HeaderMap,
    ApiPath(id): ApiPath<String>,
) -> Result<Response, ApiError> {
    let (service, endpoints) = access.service(&ctx, read_id(&id)?).await?;
    Ok(Tag::version(service.version).answer(&headers, || Json(ServiceBody::of(&service, &endpoints))))
}

/// Changes a service; its system and its code stay.
#[utoipa::path(put, path = "/api/v1/exchange/services/{id}", operation_id = "change_exchange_service", tag = "exchange", params(("id" = Uuid, Path, description = "Its id"), ("If-Match" = String, Header, description = "The ETag of what was read")),
    request_body = ServiceDraft, responses(
    (status = 204, description = "Done"), SignedIn,
    (status = 404, description = "No such service, or another agency's"),
    (status = 409, description = "It has changed since"),
    (status = 422, description = "Every wrong field")))]
async fn change_service(
    State(access): State<Access>,
    ctx: Ctx,
    ApiPath(id): ApiPath<String>,
    headers: HeaderMap,
    ApiJson(draft): ApiJson<ServiceDraft>,
) -> Result<StatusCode, ApiError> {
    ctx.officer()?;
    let seen = Tag::needed(&headers)?;
    access.change_service(&ctx, read_id(&id)?, seen, &draft).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What the last conformance check of a service found, by rule: as `motcua service check --json` gives it.
#[utoipa::path(get, path = "/api/v1/exchange/services/{id}/check", operation_id = "read_service_check", tag = "exchange",
    params(("id" = Uuid, Path, description = "Its id")), responses(
    (status = 200, description = "The report", body = Object), SignedIn,
    (status = 404, description = "It was not checked yet, or is another agency's")))]
async fn check_report(
    State(access): State<Access>,
    ctx: Ctx,
    ApiPath(id): ApiPath<String>,
) -> Result<Json<serde_json::Value>, ApiError> {
    Ok(Json(access.check_report(&ctx, read_id(&id)?).await?))
}

/// Has a service checked now. Only methods that change nothing are called; what is found is in the directory soon after.
#[utoipa::path(put, path = "/api/v1/exchange/services/{id}/check", operation_id = "check_service", tag = "exchange",
    params(("id" = Uuid, Path, description = "Its id")), responses(
    (status = 202, description = "It begins"), SignedIn,
    (status = 404, description = "No such service, or another agency's"),
    (status = 409, description = "It has no description")))]
async fn ask_for_check(
    State(access): State<Access>,
    ctx: Ctx,
    ApiPath(id): ApiPath<String>,
) -> Result<StatusCode, ApiError> {
    access.ask_for_check(&ctx, read_id(&id)?).await?;
    Ok(StatusCode::ACCEPTED)
}

/// The OpenAPI document of a service, as it was registered.
#[utoipa::path(get, path = "/api/v1/exchange/services/{id}/openapi", operation_id = "read_service_description", tag = "exchange", params(("id" = Uuid, Path, description = "Its id")), responses(
    (status = 200, description = "The document", body = Object, content_type = "application/json"), SignedIn,
    (status = 404, description = "There is none")))]
async fn document(State(access): State<Access>, ctx: Ctx, ApiPath(id): ApiPath<String>) -> Result<Response, ApiError> {
    let bytes = access.document(&ctx, read_id(&id)?).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], bytes).into_response())
}

/// Gives a service its OpenAPI document.
#[utoipa::path(put, path = "/api/v1/exchange/services/{id}/openapi", operation_id = "describe_service", tag = "exchange", params(("id" = Uuid, Path, description = "Its id")),
    request_body(content = Object, content_type = "application/json", description = "OpenAPI 3.1 or 3.0"), responses(
    (status = 204, description = "Done"), SignedIn,
    (status = 404, description = "No such service, or another agency's"),
    (status = 413, description = "Too large"),
    (status = 422, description = "What is wrong with it")))]
async fn put_document(
    State(access): State<Access>,
    ctx: Ctx,
    ApiPath(id): ApiPath<String>,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    access.describe(&ctx, read_id(&id)?, Some(&body)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes the OpenAPI document of a service away.
#[utoipa::path(delete, path = "/api/v1/exchange/services/{id}/openapi", operation_id = "drop_service_description", tag = "exchange", params(("id" = Uuid, Path, description = "Its id")),
    responses((status = 204, description = "Done"), SignedIn, (status = 404, description = "No such service, or another agency's")))]
async fn drop_document(
    State(access): State<Access>,
    ctx: Ctx,
    ApiPath(id): ApiPath<String>,
) -> Result<StatusCode, ApiError> {
    access.describe(&ctx, read_id(&id)?, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What can be asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct CatalogueParams {
    /// Words that the identifier or the names have.
    q: Option<String>,
}

/// The services of the federation that can be asked for.
#[utoipa::path(get, path = "/api/v1/exchange/catalogue", operation_id = "list_offered_services", tag = "exchange", params(CatalogueParams, Paging), responses(
    (status = 200, description = "A page", body = Listing<OfferBody>), SignedIn,
    (status = 422, description = "What is wrong with which parameter")))]
async fn catalogue(
    State(access): State<Access>,
    ctx: Ctx,
    ApiQuery(params): ApiQuery<CatalogueParams>,
    paging: Paging,
) -> Result<Json<Listing<OfferBody>>, ApiError> {
    let (q, after) = (
        params.q.unwrap_or_default(),
        paging.place(identifier)?.unwrap_or_default(),
    );
    let (offers, next) = access.catalogue(&ctx, &q, &after, paging.limit()).await?;
    Ok(Json(Listing::of(&offers, next, OfferBody::from)))
}

/// Grants of one's agency and those below it, from the one that changed last.
#[utoipa::path(get, path = "/api/v1/exchange/grants", operation_id = "list_grants", tag = "exchange", params(GrantsParams, Paging), responses(
    (status = 200, description = "A page", body = Listing<GrantLineBody>), SignedIn,
    (status = 422, description = "A parameter that means nothing")))]
async fn grants(
    State(access): State<Access>,
    ctx: Ctx,
    ApiQuery(params): ApiQuery<GrantsParams>,
    paging: Paging,
) -> Result<Json<Listing<GrantLineBody>>, ApiError> {
    let query = GrantsQuery {
        before: paging.place(read_place)?,
        ..params.read().map_err(refuse)?
    };
    let (grants, next) = access.grants(&ctx, &query, paging.limit()).await?;
    Ok(Json(Listing::of(&grants, next.map(place), GrantLineBody::from)))
}

/// A request for a grant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AskBody {
    /// The system that will call.
    consumer: String,
    /// The service.
    service: String,
    /// Why.
    reason: String,
    /// The grant that it goes on from.
    #[serde(default)]
    renews: Option<Uuid>,
    /// What is asked for.
    terms: TermsDraft,
}

/// Files a request for a grant.
#[utoipa::path(post, path = "/api/v1/exchange/grants", operation_id = "ask_for_grant", tag = "exchange", request_body = AskBody,
    params(("Idempotency-Key" = Uuid, Header, description = "The id that the grant will have: the same request sent again is filed once")), responses(
    (status = 202, description = "It is on its way to the provider's node", body = SavedBody), SignedIn,
    (status = 422, description = "Every wrong field")))]
async fn ask(
    State(access): State<Access>,
    ctx: Ctx,
    key: IdempotencyKey,
    ApiJson(body): ApiJson<AskBody>,
) -> Result<Response, ApiError> {
    let id = GrantId::from_uuid(key.uuid()?);
    let mut problems = Problems::new();
    let consumer = body
        .consumer
        .parse::<SubsystemId>()
        .map_err(|reason| reason.add_to(&mut problems, "consumer"));
    let service = body
        .service
        .parse::<ServiceId>()
        .map_err(|reason| reason.add_to(&mut problems, "service"));
    let terms = body.terms.read().map_err(|found| problems.extend(found));
    let (Ok(consumer), Ok(service), Ok(terms)) = (consumer, service, terms) else {
        check_reason(&body.reason, &mut problems);
        return Err(refuse(problems).into());
    };
    let request = Request {
        terms,
        reason: body.reason,
        renews: body.renews.map(GrantId::from_uuid),
    };
    access.request(&ctx, id, &consumer, &service, &request).await?;
    let saved = SavedBody {
        id: id.uuid(),
        token: None,
    };
    Ok((StatusCode::ACCEPTED, Json(saved)).into_response())
}

/// Reads side and id of a path.
fn read_grant(side: &str, id: &str) -> Result<(Side, GrantId)> {
    let missing = || Error::not_found("quyền truy cập", "grant");
    let side = Side::from_code(side).ok_or_else(missing)?;
    Ok((side, id.parse().map_err(|_| missing())?))
}

/// One grant with its log.
#[utoipa::path(get, path = "/api/v1/exchange/grants/{side}/{id}", operation_id = "read_grant", tag = "exchange",
    params(("side" = Side, Path, description = "Whether this node provides (`incoming`) or consumes (`outgoing`)"), ("id" = Uuid, Path, description = "Its id")), responses(
    (status = 200, description = "The grant", body = GrantBody), SignedIn,
    (status = 304, description = "The caller has it already"),
    (status = 404, description = "No such grant, or another agency's")))]
async fn grant(
    State(access): State<Access>,
    ctx: Ctx,
    headers: HeaderMap,
    ApiPath((side, id)): ApiPath<(String, String)>,
) -> Result<Response, ApiError> {
    let (side, id) = read_grant(&side, &id)?;
    let grant = access.grant(&ctx, side, id).await?;
    let body = GrantBody::of(&grant)?;
    // What waits to be sent and what the day allows change without an entry of the log.
    let tag = Tag::hash(&Sha256::digest(serde_json::to_vec(&body).map_err(Error::from)?));
    Ok(tag.answer(&headers, || Json(body)))
}

/// Which state a command was given on.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct CommandParams {
    /// The number of the last entry that was seen; 0: none.
    seen: i64,
}

/// Gives a command for one side of a grant.
#[utoipa::path(post, path = "/api/v1/exchange/grants/{side}/{id}/commands", operation_id = "command_grant", tag = "exchange",
    params(("side" = Side, Path, description = "Whether this node provides (`incoming`) or consumes (`outgoing`)"), ("id" = Uuid, Path, description = "Its id"), CommandParams,
        ("Idempotency-Key" = Uuid, Header, description = "The id of the command: sent again, it happens once")), request_body = CommandDraft, responses(
    (status = 202, description = "Done at the provider; at the consumer, on its way to the provider's node"), SignedIn,
    (status = 404, description = "No such grant, or another agency's"),
    (status = 409, description = "Things have moved on, or it cannot be now"),
    (status = 422, description = "Every wrong field")))]
async fn command(
    State(access): State<Access>,
    ctx: Ctx,
    ApiPath((side, id)): ApiPath<(String, String)>,
    ApiQuery(params): ApiQuery<CommandParams>,
    key: IdempotencyKey,
    ApiJson(draft): ApiJson<CommandDraft>,
) -> Result<StatusCode, ApiError> {
    let (side, id) = read_grant(&side, &id)?;
    let command = draft.read().map_err(refuse)?;
    access
        .command(&ctx, side, id, &command, params.seen, key.uuid()?)
        .await?;
    Ok(StatusCode::ACCEPTED)
}

/// Why a call would be allowed or refused, as things stand at this node.
#[utoipa::path(get, path = "/api/v1/exchange/explain", operation_id = "explain_call", tag = "exchange", params(ExplainParams), responses(
    (status = 200, description = "Why", body = ExplanationBody), SignedIn,
    (status = 422, description = "A parameter that means nothing")))]
async fn explain(
    State(access): State<Access>,
    ctx: Ctx,
    ApiQuery(params): ApiQuery<ExplainParams>,
) -> Result<Json<ExplanationBody>, ApiError> {
    ctx.signed_in()?;
    let asked = params.read().map_err(refuse)?;
    Ok(Json(ExplanationBody::of(&access.explain(&ctx, &asked)?)))
}
