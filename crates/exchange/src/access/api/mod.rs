//! The JSON API of access, for the stewards' own programs. What two nodes say to each other is [`super::peer`].

mod bodies;

use axum::{
    Json,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use base::{Error, Kind, Problems, Result};
use identity::{ApiError, ApiJson, ApiPath, ApiQuery, Ctx};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use self::bodies::{
    AfterParams, ExplainParams, ExplanationBody, GrantBody, GrantsBody, GrantsParams, OffersBody, SavedBody,
    ServiceBody, ServicesBody, SystemBody, SystemsBody, TokenBody,
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

fn refuse(problems: Problems) -> Error {
    Error::Refused(Kind::Invalid, problems)
}

/// The version that a change saw.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct VersionParams {
    /// As it stood in the answer that was read.
    version: i64,
}

/// The information systems of one's agency and those below it.
#[utoipa::path(get, path = "/api/v1/exchange/systems", tag = "exchange", params(AfterParams), responses(
    (status = 200, body = SystemsBody),
    (status = 403, description = "Without the right to read the exchange", content_type = "application/problem+json")))]
async fn systems(
    State(access): State<Access>,
    ctx: Ctx,
    ApiQuery(params): ApiQuery<AfterParams>,
) -> Result<Json<SystemsBody>, ApiError> {
    let (systems, next) = access
        .systems(&ctx, params.after.as_deref().unwrap_or_default())
        .await?;
    Ok(Json(SystemsBody {
        items: systems.iter().map(SystemBody::from).collect(),
        next,
    }))
}

/// Registers an information system. A token, where there is one, is in this answer only.
#[utoipa::path(post, path = "/api/v1/exchange/systems", tag = "exchange", request_body = SystemDraft, responses(
    (status = 201, body = SavedBody),
    (status = 403, description = "Not for this agency", content_type = "application/problem+json"),
    (status = 422, description = "Every wrong field", content_type = "application/problem+json")))]
async fn add_system(
    State(access): State<Access>,
    ctx: Ctx,
    ApiJson(draft): ApiJson<SystemDraft>,
) -> Result<Response, ApiError> {
    let saved = access.add_system(&ctx, &draft).await?;
    Ok((StatusCode::CREATED, Json(SavedBody::from(saved))).into_response())
}

/// One information system.
#[utoipa::path(get, path = "/api/v1/exchange/systems/{id}", tag = "exchange", params(("id" = Uuid, Path)), responses(
    (status = 200, body = SystemBody),
    (status = 404, description = "No such system, or another agency's", content_type = "application/problem+json")))]
async fn system(
    State(access): State<Access>,
    ctx: Ctx,
    ApiPath(id): ApiPath<String>,
) -> Result<Json<SystemBody>, ApiError> {
    Ok(Json(SystemBody::from(&access.system(&ctx, read_id(&id)?).await?)))
}

/// Changes an information system; its identifier stays.
#[utoipa::path(put, path = "/api/v1/exchange/systems/{id}", tag = "exchange", params(("id" = Uuid, Path), VersionParams),
    request_body = SystemDraft, responses(
    (status = 200, body = SavedBody),
    (status = 409, description = "It has changed since", content_type = "application/problem+json"),
    (status = 422, description = "Every wrong field", content_type = "application/problem+json")))]
async fn change_system(
    State(access): State<Access>,
    ctx: Ctx,
    ApiPath(id): ApiPath<String>,
    ApiQuery(params): ApiQuery<VersionParams>,
    ApiJson(draft): ApiJson<SystemDraft>,
) -> Result<Json<SavedBody>, ApiError> {
    let saved = access
        .change_system(&ctx, read_id(&id)?, params.version, &draft)
        .await?;
    Ok(Json(SavedBody::from(saved)))
}

/// Gives an information system another token.
#[utoipa::path(post, path = "/api/v1/exchange/systems/{id}/token", tag = "exchange", params(("id" = Uuid, Path)), responses(
    (status = 200, description = "The token, in this answer only", body = TokenBody),
    (status = 409, description = "It does not sign in by token", content_type = "application/problem+json")))]
async fn new_token(
    State(access): State<Access>,
    ctx: Ctx,
    ApiPath(id): ApiPath<String>,
) -> Result<Json<TokenBody>, ApiError> {
    let token = access.new_token(&ctx, read_id(&id)?).await?;
    Ok(Json(TokenBody { token }))
}

/// The services of one's agency and those below it.
#[utoipa::path(get, path = "/api/v1/exchange/services", tag = "exchange", params(AfterParams), responses(
    (status = 200, body = ServicesBody),
    (status = 403, description = "Without the right to read the exchange", content_type = "application/problem+json")))]
async fn services(
    State(access): State<Access>,
    ctx: Ctx,
    ApiQuery(params): ApiQuery<AfterParams>,
) -> Result<Json<ServicesBody>, ApiError> {
    let (services, next) = access
        .services(&ctx, params.after.as_deref().unwrap_or_default())
        .await?;
    Ok(Json(ServicesBody {
        items: services.iter().map(|service| ServiceBody::of(service, &[])).collect(),
        next,
    }))
}

/// Registers a service.
#[utoipa::path(post, path = "/api/v1/exchange/services", tag = "exchange", request_body = ServiceDraft, responses(
    (status = 201, body = SavedBody),
    (status = 403, description = "Not for this agency", content_type = "application/problem+json"),
    (status = 422, description = "Every wrong field", content_type = "application/problem+json")))]
async fn add_service(
    State(access): State<Access>,
    ctx: Ctx,
    ApiJson(draft): ApiJson<ServiceDraft>,
) -> Result<Response, ApiError> {
    let id = access.add_service(&ctx, &draft).await?;
    Ok((StatusCode::CREATED, Json(SavedBody { id, token: None })).into_response())
}

/// One service, with the endpoints of its OpenAPI document.
#[utoipa::path(get, path = "/api/v1/exchange/services/{id}", tag = "exchange", params(("id" = Uuid, Path)), responses(
    (status = 200, body = ServiceBody),
    (status = 404, description = "No such service, or another agency's", content_type = "application/problem+json")))]
async fn service(
    State(access): State<Access>,
    ctx: Ctx,
    ApiPath(id): ApiPath<String>,
) -> Result<Json<ServiceBody>, ApiError> {
    let (service, endpoints) = access.service(&ctx, read_id(&id)?).await?;
    Ok(Json(ServiceBody::of(&service, &endpoints)))
}

/// Changes a service; its system and its code stay.
#[utoipa::path(put, path = "/api/v1/exchange/services/{id}", tag = "exchange", params(("id" = Uuid, Path), VersionParams),
    request_body = ServiceDraft, responses(
    (status = 204, description = "Done"),
    (status = 409, description = "It has changed since", content_type = "application/problem+json"),
    (status = 422, description = "Every wrong field", content_type = "application/problem+json")))]
async fn change_service(
    State(access): State<Access>,
    ctx: Ctx,
    ApiPath(id): ApiPath<String>,
    ApiQuery(params): ApiQuery<VersionParams>,
    ApiJson(draft): ApiJson<ServiceDraft>,
) -> Result<StatusCode, ApiError> {
    access
        .change_service(&ctx, read_id(&id)?, params.version, &draft)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The OpenAPI document of a service, as it was registered.
#[utoipa::path(get, path = "/api/v1/exchange/services/{id}/openapi", tag = "exchange", params(("id" = Uuid, Path)), responses(
    (status = 200, description = "The document", content_type = "application/json"),
    (status = 404, description = "There is none", content_type = "application/problem+json")))]
async fn document(State(access): State<Access>, ctx: Ctx, ApiPath(id): ApiPath<String>) -> Result<Response, ApiError> {
    let bytes = access.document(&ctx, read_id(&id)?).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], bytes).into_response())
}

/// Gives a service its OpenAPI document.
#[utoipa::path(put, path = "/api/v1/exchange/services/{id}/openapi", tag = "exchange", params(("id" = Uuid, Path)),
    request_body(content = String, content_type = "application/json"), responses(
    (status = 204, description = "Done"),
    (status = 413, description = "Too large", content_type = "application/problem+json"),
    (status = 422, description = "What is wrong with it", content_type = "application/problem+json")))]
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
#[utoipa::path(delete, path = "/api/v1/exchange/services/{id}/openapi", tag = "exchange", params(("id" = Uuid, Path)),
    responses((status = 204, description = "Done")))]
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
    /// `next` of the page before.
    after: Option<String>,
}

/// The services of the federation that can be asked for.
#[utoipa::path(get, path = "/api/v1/exchange/catalogue", tag = "exchange", params(CatalogueParams), responses(
    (status = 200, body = OffersBody)))]
async fn catalogue(
    State(access): State<Access>,
    ctx: Ctx,
    ApiQuery(params): ApiQuery<CatalogueParams>,
) -> Result<Json<OffersBody>, ApiError> {
    let (q, after) = (params.q.unwrap_or_default(), params.after.unwrap_or_default());
    let (offers, next) = access.catalogue(&ctx, &q, &after).await?;
    Ok(Json(OffersBody::of(&offers, next)))
}

/// Grants of one's agency and those below it, from the one that changed last.
#[utoipa::path(get, path = "/api/v1/exchange/grants", tag = "exchange", params(GrantsParams), responses(
    (status = 200, body = GrantsBody),
    (status = 422, description = "A parameter that means nothing", content_type = "application/problem+json")))]
async fn grants(
    State(access): State<Access>,
    ctx: Ctx,
    ApiQuery(params): ApiQuery<GrantsParams>,
) -> Result<Json<GrantsBody>, ApiError> {
    let query: GrantsQuery = params.read().map_err(refuse)?;
    let (grants, next) = access.grants(&ctx, &query).await?;
    Ok(Json(GrantsBody::of(&grants, next)))
}

/// A request for a grant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AskBody {
    /// The id that the grant will have (UUID version 7): the same request sent again is filed once.
    #[serde(default)]
    id: Option<Uuid>,
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
#[utoipa::path(post, path = "/api/v1/exchange/grants", tag = "exchange", request_body = AskBody, responses(
    (status = 202, description = "It is on its way to the provider's node", body = SavedBody),
    (status = 422, description = "Every wrong field", content_type = "application/problem+json")))]
async fn ask(State(access): State<Access>, ctx: Ctx, ApiJson(body): ApiJson<AskBody>) -> Result<Response, ApiError> {
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
    let id = body.id.map_or_else(|| GrantId::new(ctx.now), GrantId::from_uuid);
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
#[utoipa::path(get, path = "/api/v1/exchange/grants/{side}/{id}", tag = "exchange",
    params(("side" = Side, Path), ("id" = Uuid, Path)), responses(
    (status = 200, body = GrantBody),
    (status = 404, description = "No such grant, or another agency's", content_type = "application/problem+json")))]
async fn grant(
    State(access): State<Access>,
    ctx: Ctx,
    ApiPath((side, id)): ApiPath<(String, String)>,
) -> Result<Json<GrantBody>, ApiError> {
    let (side, id) = read_grant(&side, &id)?;
    Ok(Json(GrantBody::of(&access.grant(&ctx, side, id).await?)?))
}

/// Which state a command was given on, and under which id.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct CommandParams {
    /// The number of the last entry that was seen; 0: none.
    seen: i64,
    /// The id of the command: sent again, it happens once.
    order: Uuid,
}

/// Gives a command for one side of a grant.
#[utoipa::path(post, path = "/api/v1/exchange/grants/{side}/{id}/commands", tag = "exchange",
    params(("side" = Side, Path), ("id" = Uuid, Path), CommandParams), request_body = CommandDraft, responses(
    (status = 202, description = "Done at the provider; at the consumer, on its way to the provider's node"),
    (status = 409, description = "Things have moved on, or it cannot be now", content_type = "application/problem+json"),
    (status = 422, description = "Every wrong field", content_type = "application/problem+json")))]
async fn command(
    State(access): State<Access>,
    ctx: Ctx,
    ApiPath((side, id)): ApiPath<(String, String)>,
    ApiQuery(params): ApiQuery<CommandParams>,
    ApiJson(draft): ApiJson<CommandDraft>,
) -> Result<StatusCode, ApiError> {
    let (side, id) = read_grant(&side, &id)?;
    let command = draft.read().map_err(refuse)?;
    access
        .command(&ctx, side, id, &command, params.seen, params.order)
        .await?;
    Ok(StatusCode::ACCEPTED)
}

/// Why a call would be allowed or refused, as things stand at this node.
#[utoipa::path(get, path = "/api/v1/exchange/explain", tag = "exchange", params(ExplainParams), responses(
    (status = 200, body = ExplanationBody),
    (status = 422, description = "A parameter that means nothing", content_type = "application/problem+json")))]
async fn explain(
    State(access): State<Access>,
    ctx: Ctx,
    ApiQuery(params): ApiQuery<ExplainParams>,
) -> Result<Json<ExplanationBody>, ApiError> {
    let asked = params.read().map_err(refuse)?;
    Ok(Json(ExplanationBody::of(&access.explain(&ctx, &asked)?)))
}
