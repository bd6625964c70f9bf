//! The JSON API of the steward. Information systems use [`super::govstack`].

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use base::{Error, Text};
use identity::{ApiError, ApiJson, ApiPath, ApiQuery, Both, Ctx, Instant, Listing, Paging, SignedIn, Tag, read_place};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{
    model::{EventTypeId, Sensitivity, State as Standing, SubscriptionId, TypeId},
    service::{Asker, Deliveries, Delivery, EventType, Events, NewType, Page, Subscription},
};

/// The routes, with their part of the OpenAPI file. To be merged at the root, within `identity::layer`.
pub fn router(events: Events) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(types, define))
        .routes(routes!(inspect, revise, close))
        .routes(routes!(subscriptions))
        .routes(routes!(subscription))
        .routes(routes!(decide))
        .routes(routes!(resume))
        .routes(routes!(deliveries))
        .with_state(events)
}

/// JSON with an ETag; 304 when the caller has it already.
fn tagged<T: Serialize>(headers: &HeaderMap, body: &T) -> base::Result<Response> {
    let tag = Tag::hash(&Sha256::digest(serde_json::to_vec(body)?));
    Ok(tag.answer(headers, || Json(body)))
}

/// An event type.
#[derive(Debug, Serialize, ToSchema)]
struct TypeBody {
    /// Its id.
    id: Uuid,
    /// Who publishes: `INSTANCE/CLASS/MEMBER/SUBSYSTEM`.
    provider: String,
    /// Its name there.
    event_type: String,
    /// What it is called.
    title: Both,
    /// `public`, `internal` or `personal`.
    sensitivity: &'static str,
    /// The field of the data by which events keep their order; absent where the publisher gives the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_field: Option<String>,
    /// How many days events are kept.
    retention_days: i64,
    /// The newest version of its schema.
    version: i64,
    /// Since when nothing more is published.
    closed_at: Option<Instant>,
    /// The oldest position that is kept.
    first: i64,
    /// The newest position.
    last: i64,
}

impl From<&EventType> for TypeBody {
    fn from(of: &EventType) -> Self {
        Self {
            id: of.type_id.uuid(),
            provider: of.id.provider.to_string(),
            event_type: of.id.name.to_string(),
            title: (&of.title).into(),
            sensitivity: of.sensitivity.code(),
            key_field: of.key_field.clone(),
            retention_days: of.retention_days,
            version: of.version,
            closed_at: of.closed.map(Instant::from),
            first: of.first,
            last: of.last,
        }
    }
}

/// Event types of the systems of the officer's agency and those below it, by provider and name.
#[utoipa::path(get, path = "/api/v1/exchange/events/types", operation_id = "list_event_types", tag = "events", params(Paging), responses(
    (status = 200, description = "A page", body = Listing<TypeBody>), SignedIn,
    (status = 422, description = "What is wrong with which parameter"),
))]
async fn types(State(events): State<Events>, ctx: Ctx, paging: Paging) -> Result<Json<Listing<TypeBody>>, ApiError> {
    let after = paging.place(|cursor| cursor.contains('/').then_some(cursor))?;
    let Page { rows, next } = events.types(&ctx, after, paging.limit()).await?;
    Ok(Json(Listing::of(&rows, next, TypeBody::from)))
}

/// What an event type says.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewTypeBody {
    /// Who publishes: `INSTANCE/CLASS/MEMBER/SUBSYSTEM`.
    provider: String,
    /// Its name there.
    event_type: String,
    /// What it is called.
    #[schema(value_type = Both)]
    title: Text,
    /// JSON Schema 2020-12.
    #[schema(value_type = Object)]
    schema: Value,
    /// `public`, `internal` or `personal`.
    #[schema(value_type = String)]
    sensitivity: Sensitivity,
    /// The field of the data by which events keep their order; without it the publisher gives the key.
    #[serde(default)]
    key_field: Option<String>,
    /// How many days events are kept.
    retention_days: i64,
}

impl NewTypeBody {
    fn read(self) -> Result<NewType, Error> {
        let (provider, name) = (self.provider.parse(), self.event_type.parse());
        let mut problems = base::Problems::new();
        match (provider, name) {
            (Ok(provider), Ok(name)) => {
                return Ok(NewType {
                    id: EventTypeId { provider, name },
                    title: self.title,
                    schema: self.schema,
                    sensitivity: self.sensitivity,
                    key_field: self.key_field,
                    retention_days: self.retention_days,
                });
            }
            (provider, name) => {
                if let Err(flaw) = provider {
                    flaw.add_to(&mut problems, "provider");
                }
                if let Err(flaw) = name {
                    flaw.add_to(&mut problems, "event_type");
                }
            }
        }
        Err(Error::Refused(base::Kind::Invalid, problems))
    }
}

/// The answer to a new type.
#[derive(Debug, Serialize, ToSchema)]
struct DefinedBody {
    /// Its id.
    id: Uuid,
}

/// Makes an event type.
#[utoipa::path(post, path = "/api/v1/exchange/events/types", operation_id = "define_event_type", tag = "events", request_body = NewTypeBody, responses(
    (status = 201, description = "Made", body = DefinedBody), SignedIn,
    (status = 409, description = "There is one of that name"),
    (status = 422, description = "Everything that is wrong with it"),
))]
async fn define(
    State(events): State<Events>,
    ctx: Ctx,
    ApiJson(body): ApiJson<NewTypeBody>,
) -> Result<(StatusCode, Json<DefinedBody>), ApiError> {
    let id = events.define(Asker::Steward(&ctx), &body.read()?).await?;
    Ok((StatusCode::CREATED, Json(DefinedBody { id: id.uuid() })))
}

/// An event type with its schema.
#[derive(Debug, Serialize, ToSchema)]
struct InspectedBody {
    /// The type.
    #[serde(flatten)]
    of: TypeBody,
    /// Its newest schema.
    #[schema(value_type = Object)]
    schema: Value,
    /// An example of its data.
    #[schema(value_type = Object)]
    sample: Value,
}

/// One event type.
#[utoipa::path(get, path = "/api/v1/exchange/events/types/{id}", operation_id = "read_event_type", tag = "events", params(("id" = Uuid, Path, description = "The type")), responses(
    (status = 200, description = "The type", body = InspectedBody), SignedIn,
    (status = 304, description = "The caller has it already"),
    (status = 404, description = "No such type"),
))]
async fn inspect(
    State(events): State<Events>,
    ctx: Ctx,
    headers: HeaderMap,
    ApiPath(id): ApiPath<Uuid>,
) -> Result<Response, ApiError> {
    let found = events.inspect(&ctx, TypeId::from_uuid(id)).await?;
    let body = InspectedBody {
        of: (&found.of).into(),
        schema: found.schema,
        sample: found.sample,
    };
    Ok(tagged(&headers, &body)?)
}

/// The answer to a new version.
#[derive(Debug, Serialize, ToSchema)]
struct RevisedBody {
    /// The number of the version.
    version: i64,
}

/// The next version of an event type. Refused when it would break readers of the version before.
#[utoipa::path(put, path = "/api/v1/exchange/events/types/{id}", operation_id = "revise_event_type", tag = "events", params(("id" = Uuid, Path, description = "The type")), request_body = NewTypeBody, responses(
    (status = 200, description = "Kept", body = RevisedBody), SignedIn,
    (status = 404, description = "No such type"),
    (status = 422, description = "Everything that is wrong with it, or would break readers"),
))]
async fn revise(
    State(events): State<Events>,
    ctx: Ctx,
    ApiPath(id): ApiPath<Uuid>,
    ApiJson(body): ApiJson<NewTypeBody>,
) -> Result<Json<RevisedBody>, ApiError> {
    let of = events.inspect(&ctx, TypeId::from_uuid(id)).await?.of;
    let new = body.read()?;
    if new.id != of.id {
        return Err(Error::not_found("loại sự kiện này", "event type").into());
    }
    let version = events.revise(Asker::Steward(&ctx), &new).await?;
    Ok(Json(RevisedBody { version }))
}

/// Ends an event type; what was published stays for its time.
#[utoipa::path(delete, path = "/api/v1/exchange/events/types/{id}", operation_id = "close_event_type", tag = "events", params(("id" = Uuid, Path, description = "The type")), responses(
    (status = 204, description = "Closed"), SignedIn,
    (status = 404, description = "No such type"),
))]
async fn close(State(events): State<Events>, ctx: Ctx, ApiPath(id): ApiPath<Uuid>) -> Result<StatusCode, ApiError> {
    let of = events.inspect(&ctx, TypeId::from_uuid(id)).await?.of;
    events.close(Asker::Steward(&ctx), &of.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A subscription.
#[derive(Debug, Serialize, ToSchema)]
struct SubscriptionBody {
    /// Its id.
    id: Uuid,
    /// Who publishes.
    provider: String,
    /// The event type.
    event_type: String,
    /// Who subscribes.
    subscriber: String,
    /// `requested`, `approved`, `refused`, `paused` or `cancelled`.
    state: &'static str,
    /// The reason that the steward gave.
    reason: String,
    /// Why it was asked for.
    purpose: String,
    /// On which legal basis.
    legal_basis: String,
    /// Only events whose key begins so.
    key_prefix: String,
    /// Up to where it has been acknowledged.
    acknowledged: i64,
    /// How many events are not.
    lag: i64,
    /// Whether some of these are no longer kept.
    missed: bool,
    /// Where it is told of news.
    webhook: Option<String>,
    /// Calls that failed, one after another, until now.
    webhook_failures: i64,
    /// Why the webhook is called no more.
    webhook_paused: Option<String>,
    /// When it was asked for.
    requested_at: Instant,
}

impl From<&Subscription> for SubscriptionBody {
    fn from(of: &Subscription) -> Self {
        Self {
            id: of.id.uuid(),
            provider: of.of.provider.to_string(),
            event_type: of.of.name.to_string(),
            subscriber: of.subscriber.to_string(),
            state: of.state.code(),
            reason: of.reason.clone(),
            purpose: of.purpose.clone(),
            legal_basis: of.legal_basis.clone(),
            key_prefix: of.key_prefix.clone(),
            acknowledged: of.acknowledged,
            lag: of.lag,
            missed: of.has_missed,
            webhook: of.webhook.clone(),
            webhook_failures: of.nudge_failures,
            webhook_paused: of.nudge_paused.clone(),
            requested_at: of.requested.into(),
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct SubscriptionsParams {
    /// In this state only.
    #[param(value_type = Option<Standing>, inline)]
    state: Option<String>,
}

/// Subscriptions to them, the newest request first.
#[utoipa::path(get, path = "/api/v1/exchange/events/subscriptions", operation_id = "list_event_subscriptions", tag = "events", params(SubscriptionsParams, Paging), responses(
    (status = 200, description = "A page", body = Listing<SubscriptionBody>), SignedIn,
    (status = 422, description = "What is wrong with which parameter"),
))]
async fn subscriptions(
    State(events): State<Events>,
    ctx: Ctx,
    ApiQuery(params): ApiQuery<SubscriptionsParams>,
    paging: Paging,
) -> Result<Json<Listing<SubscriptionBody>>, ApiError> {
    let state = params.state.as_deref().map(standing).transpose()?;
    let Page { rows, next } = events
        .subscriptions(&ctx, state, paging.place(read_place)?, paging.limit())
        .await?;
    Ok(Json(Listing::of(&rows, next, SubscriptionBody::from)))
}

pub(super) fn standing(code: &str) -> Result<Standing, Error> {
    Standing::from_code(code).ok_or_else(|| {
        let mut problems = base::Problems::new();
        problems.add(
            "subscription-state-unknown",
            "state",
            "Không có trạng thái đăng ký này.",
            "There is no such state of a subscription.",
        );
        Error::Refused(base::Kind::Invalid, problems)
    })
}

/// One subscription.
#[utoipa::path(get, path = "/api/v1/exchange/events/subscriptions/{id}", operation_id = "read_event_subscription", tag = "events", params(("id" = Uuid, Path, description = "The subscription")), responses(
    (status = 200, description = "The subscription", body = SubscriptionBody), SignedIn,
    (status = 304, description = "The caller has it already"),
    (status = 404, description = "No such subscription"),
))]
async fn subscription(
    State(events): State<Events>,
    ctx: Ctx,
    headers: HeaderMap,
    ApiPath(id): ApiPath<Uuid>,
) -> Result<Response, ApiError> {
    let found = events.subscription_by_id(&ctx, SubscriptionId::from_uuid(id)).await?;
    Ok(tagged(&headers, &SubscriptionBody::from(&found))?)
}

/// A decision about a subscription.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DecisionBody {
    /// `approved`, `refused` or `paused`.
    state: String,
    /// The reason; needed to refuse and to pause.
    #[serde(default)]
    reason: String,
}

/// Approves, refuses, pauses or resumes a subscription.
#[utoipa::path(post, path = "/api/v1/exchange/events/subscriptions/{id}/decision", operation_id = "decide_event_subscription", tag = "events", params(("id" = Uuid, Path, description = "The subscription")), request_body = DecisionBody, responses(
    (status = 204, description = "Decided"), SignedIn,
    (status = 404, description = "No such subscription"),
    (status = 409, description = "It cannot go there from where it is"),
    (status = 422, description = "No reason, or no such state"),
))]
async fn decide(
    State(events): State<Events>,
    ctx: Ctx,
    ApiPath(id): ApiPath<Uuid>,
    ApiJson(body): ApiJson<DecisionBody>,
) -> Result<StatusCode, ApiError> {
    let next = standing(&body.state)?;
    events
        .decide(&ctx, SubscriptionId::from_uuid(id), next, &body.reason)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets a webhook that failed too often be called again.
#[utoipa::path(post, path = "/api/v1/exchange/events/subscriptions/{id}/webhook/resume", operation_id = "resume_webhook", tag = "events", params(("id" = Uuid, Path, description = "The subscription")), responses(
    (status = 204, description = "It is called again"), SignedIn,
    (status = 404, description = "No such subscription"),
    (status = 409, description = "It is called all the time"),
))]
async fn resume(State(events): State<Events>, ctx: Ctx, ApiPath(id): ApiPath<Uuid>) -> Result<StatusCode, ApiError> {
    events
        .resume_nudges(Asker::Steward(&ctx), SubscriptionId::from_uuid(id))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A call of a webhook.
#[derive(Debug, Serialize, ToSchema)]
struct DeliveryBody {
    /// Its id.
    id: Uuid,
    /// Of which subscription.
    subscription: Uuid,
    /// Whose it is.
    subscriber: String,
    /// The event type.
    event_type: String,
    /// When.
    at: Instant,
    /// The newest position that it told of.
    sequence: i64,
    /// The number of the try.
    attempt: i64,
    /// `delivered`, `status`, `unwanted`, `late`, `unreachable` or `address-refused`.
    outcome: String,
    /// The status that was answered.
    status: Option<i64>,
    /// How long it took.
    millis: i64,
}

impl From<&Delivery> for DeliveryBody {
    fn from(of: &Delivery) -> Self {
        Self {
            id: of.id.uuid(),
            subscription: of.subscription.uuid(),
            subscriber: of.subscriber.to_string(),
            event_type: of.of.to_string(),
            at: of.at.into(),
            sequence: of.position,
            attempt: of.attempt,
            outcome: of.outcome.clone(),
            status: of.status,
            millis: of.millis,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct DeliveriesParams {
    /// Of this subscription only.
    subscription: Option<Uuid>,
    /// With this outcome only.
    outcome: Option<String>,
}

/// Calls of webhooks of the last 30 days; nothing of what events say.
#[utoipa::path(get, path = "/api/v1/exchange/events/deliveries", operation_id = "list_webhook_calls", tag = "events", params(DeliveriesParams, Paging), responses(
    (status = 200, description = "A page, the newest first", body = Listing<DeliveryBody>), SignedIn,
    (status = 422, description = "What is wrong with which parameter"),
))]
async fn deliveries(
    State(events): State<Events>,
    ctx: Ctx,
    ApiQuery(params): ApiQuery<DeliveriesParams>,
    paging: Paging,
) -> Result<Json<Listing<DeliveryBody>>, ApiError> {
    let asked = Deliveries {
        of: params.subscription.map(SubscriptionId::from_uuid),
        outcome: params.outcome,
        before: paging.place(read_place)?,
        most: Some(paging.limit()),
    };
    let Page { rows, next } = events.deliveries(&ctx, &asked).await?;
    Ok(Json(Listing::of(&rows, next, DeliveryBody::from)))
}
