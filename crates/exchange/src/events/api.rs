//! The JSON API of the steward. Information systems use [`super::govstack`].

use axum::{Json, extract::State, http::StatusCode};
use base::{Error, Text};
use identity::{ApiError, ApiJson, ApiPath, ApiQuery, Ctx};
use serde::{Deserialize, Serialize};
use serde_json::Value;
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

/// Where a page begins: what the page before gave as `next`.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PlaceParams {
    /// `next` of the page before.
    after: Option<String>,
}

/// An event type.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TypeBody {
    /// Its id.
    id: Uuid,
    /// Who publishes: `INSTANCE/CLASS/MEMBER/SUBSYSTEM`.
    provider: String,
    /// Its name there.
    event_type: String,
    /// What it is called.
    #[schema(value_type = TitleBody)]
    title: Text,
    /// `public`, `internal` or `personal`.
    sensitivity: &'static str,
    /// How many days events are kept.
    retention_days: i64,
    /// The newest version of its schema.
    version: i64,
    /// Since when nothing more is published, RFC 3339.
    closed: Option<String>,
    /// The oldest position that is kept.
    first: i64,
    /// The newest position.
    last: i64,
}

/// A title.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes base::Text in the OpenAPI document")]
struct TitleBody {
    /// Vietnamese.
    vi: String,
    /// English.
    en: String,
}

impl From<&EventType> for TypeBody {
    fn from(of: &EventType) -> Self {
        Self {
            id: of.type_id.uuid(),
            provider: of.id.provider.to_string(),
            event_type: of.id.name.to_string(),
            title: of.title.clone(),
            sensitivity: of.sensitivity.code(),
            retention_days: of.retention_days,
            version: of.version,
            closed: of.closed.map(base::Timestamp::rfc3339),
            first: of.first,
            last: of.last,
        }
    }
}

/// A page of event types.
#[derive(Debug, Serialize, ToSchema)]
struct TypesBody {
    /// By provider and name.
    types: Vec<TypeBody>,
    /// `after` of the next page, if there is one.
    next: Option<String>,
}

/// Event types of all providers.
#[utoipa::path(get, path = "/api/v1/exchange/events/types", tag = "events", params(PlaceParams), responses(
    (status = 200, description = "The types", body = TypesBody),
    (status = 403, description = "Not a steward", content_type = "application/problem+json"),
))]
async fn types(
    State(events): State<Events>,
    ctx: Ctx,
    ApiQuery(place): ApiQuery<PlaceParams>,
) -> Result<Json<TypesBody>, ApiError> {
    let Page { rows, next } = events.types(&ctx, place.after.as_deref()).await?;
    Ok(Json(TypesBody {
        types: rows.iter().map(TypeBody::from).collect(),
        next,
    }))
}

/// What an event type says.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewTypeBody {
    /// Who publishes: `INSTANCE/CLASS/MEMBER/SUBSYSTEM`.
    provider: String,
    /// Its name there.
    event_type: String,
    /// What it is called.
    #[schema(value_type = TitleBody)]
    title: Text,
    /// JSON Schema 2020-12.
    #[schema(value_type = Object)]
    schema: Value,
    /// `public`, `internal` or `personal`.
    #[schema(value_type = String)]
    sensitivity: Sensitivity,
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
                    retention_days: self.retention_days,
                });
            }
            (provider, name) => {
                if let Err(flaw) = provider {
                    flaw.add_to(&mut problems, "provider");
                }
                if let Err(flaw) = name {
                    flaw.add_to(&mut problems, "eventType");
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
#[utoipa::path(post, path = "/api/v1/exchange/events/types", tag = "events", request_body = NewTypeBody, responses(
    (status = 201, description = "Made", body = DefinedBody),
    (status = 409, description = "There is one of that name", content_type = "application/problem+json"),
    (status = 422, description = "Everything that is wrong with it", content_type = "application/problem+json"),
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
#[utoipa::path(get, path = "/api/v1/exchange/events/types/{id}", tag = "events", params(("id" = Uuid, Path, description = "The type")), responses(
    (status = 200, description = "The type", body = InspectedBody),
    (status = 404, description = "No such type", content_type = "application/problem+json"),
))]
async fn inspect(
    State(events): State<Events>,
    ctx: Ctx,
    ApiPath(id): ApiPath<Uuid>,
) -> Result<Json<InspectedBody>, ApiError> {
    let (of, schema, sample, _) = events.inspect(&ctx, TypeId::from_uuid(id)).await?;
    Ok(Json(InspectedBody {
        of: (&of).into(),
        schema,
        sample,
    }))
}

/// The answer to a new version.
#[derive(Debug, Serialize, ToSchema)]
struct RevisedBody {
    /// The number of the version.
    version: i64,
}

/// The next version of an event type. Refused when it would break readers of the version before.
#[utoipa::path(put, path = "/api/v1/exchange/events/types/{id}", tag = "events", params(("id" = Uuid, Path, description = "The type")), request_body = NewTypeBody, responses(
    (status = 200, description = "Kept", body = RevisedBody),
    (status = 404, description = "No such type", content_type = "application/problem+json"),
    (status = 422, description = "Everything that is wrong with it, or would break readers", content_type = "application/problem+json"),
))]
async fn revise(
    State(events): State<Events>,
    ctx: Ctx,
    ApiPath(id): ApiPath<Uuid>,
    ApiJson(body): ApiJson<NewTypeBody>,
) -> Result<Json<RevisedBody>, ApiError> {
    let (of, ..) = events.inspect(&ctx, TypeId::from_uuid(id)).await?;
    let new = body.read()?;
    if new.id != of.id {
        return Err(Error::not_found("loại sự kiện này", "event type").into());
    }
    let version = events.revise(Asker::Steward(&ctx), &new).await?;
    Ok(Json(RevisedBody { version }))
}

/// Ends an event type; what was published stays for its time.
#[utoipa::path(delete, path = "/api/v1/exchange/events/types/{id}", tag = "events", params(("id" = Uuid, Path, description = "The type")), responses(
    (status = 204, description = "Closed"),
    (status = 404, description = "No such type", content_type = "application/problem+json"),
))]
async fn close(State(events): State<Events>, ctx: Ctx, ApiPath(id): ApiPath<Uuid>) -> Result<StatusCode, ApiError> {
    let (of, ..) = events.inspect(&ctx, TypeId::from_uuid(id)).await?;
    events.close(Asker::Steward(&ctx), &of.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A subscription.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
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
    /// When it was asked for, RFC 3339.
    requested: String,
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
            requested: of.requested.rfc3339(),
        }
    }
}

/// A page of subscriptions.
#[derive(Debug, Serialize, ToSchema)]
struct SubscriptionsBody {
    /// The newest request first.
    subscriptions: Vec<SubscriptionBody>,
    /// `after` of the next page, if there is one.
    next: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct SubscriptionsParams {
    /// In this state only.
    state: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Subscriptions of all.
#[utoipa::path(get, path = "/api/v1/exchange/events/subscriptions", tag = "events", params(SubscriptionsParams), responses(
    (status = 200, description = "The subscriptions", body = SubscriptionsBody),
    (status = 403, description = "Not a steward", content_type = "application/problem+json"),
))]
async fn subscriptions(
    State(events): State<Events>,
    ctx: Ctx,
    ApiQuery(params): ApiQuery<SubscriptionsParams>,
) -> Result<Json<SubscriptionsBody>, ApiError> {
    let state = params.state.as_deref().map(standing).transpose()?;
    let Page { rows, next } = events.subscriptions(&ctx, state, params.after.as_deref()).await?;
    Ok(Json(SubscriptionsBody {
        subscriptions: rows.iter().map(SubscriptionBody::from).collect(),
        next,
    }))
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
#[utoipa::path(get, path = "/api/v1/exchange/events/subscriptions/{id}", tag = "events", params(("id" = Uuid, Path, description = "The subscription")), responses(
    (status = 200, description = "The subscription", body = SubscriptionBody),
    (status = 404, description = "No such subscription", content_type = "application/problem+json"),
))]
async fn subscription(
    State(events): State<Events>,
    ctx: Ctx,
    ApiPath(id): ApiPath<Uuid>,
) -> Result<Json<SubscriptionBody>, ApiError> {
    let found = events.subscription_by_id(&ctx, SubscriptionId::from_uuid(id)).await?;
    Ok(Json((&found).into()))
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
#[utoipa::path(post, path = "/api/v1/exchange/events/subscriptions/{id}/decision", tag = "events", params(("id" = Uuid, Path, description = "The subscription")), request_body = DecisionBody, responses(
    (status = 204, description = "Decided"),
    (status = 404, description = "No such subscription", content_type = "application/problem+json"),
    (status = 409, description = "It cannot go there from where it is", content_type = "application/problem+json"),
    (status = 422, description = "No reason, or no such state", content_type = "application/problem+json"),
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
#[utoipa::path(post, path = "/api/v1/exchange/events/subscriptions/{id}/webhook/resume", tag = "events", params(("id" = Uuid, Path, description = "The subscription")), responses(
    (status = 204, description = "It is called again"),
    (status = 404, description = "No such subscription", content_type = "application/problem+json"),
))]
async fn resume(State(events): State<Events>, ctx: Ctx, ApiPath(id): ApiPath<Uuid>) -> Result<StatusCode, ApiError> {
    events
        .resume_nudges(Asker::Steward(&ctx), SubscriptionId::from_uuid(id))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A call of a webhook.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DeliveryBody {
    /// Its id.
    id: Uuid,
    /// Of which subscription.
    subscription: Uuid,
    /// Whose it is.
    subscriber: String,
    /// The event type.
    event_type: String,
    /// When, RFC 3339.
    at: String,
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
            at: of.at.rfc3339(),
            sequence: of.position,
            attempt: of.attempt,
            outcome: of.outcome.clone(),
            status: of.status,
            millis: of.millis,
        }
    }
}

/// A page of calls.
#[derive(Debug, Serialize, ToSchema)]
struct DeliveriesBody {
    /// The newest first.
    deliveries: Vec<DeliveryBody>,
    /// `after` of the next page, if there is one.
    next: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct DeliveriesParams {
    /// Of this subscription only.
    subscription: Option<Uuid>,
    /// With this outcome only.
    outcome: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Calls of webhooks of the last 30 days; nothing of what events say.
#[utoipa::path(get, path = "/api/v1/exchange/events/deliveries", tag = "events", params(DeliveriesParams), responses(
    (status = 200, description = "The calls", body = DeliveriesBody),
    (status = 403, description = "Not a steward", content_type = "application/problem+json"),
))]
async fn deliveries(
    State(events): State<Events>,
    ctx: Ctx,
    ApiQuery(params): ApiQuery<DeliveriesParams>,
) -> Result<Json<DeliveriesBody>, ApiError> {
    let asked = Deliveries {
        of: params.subscription.map(SubscriptionId::from_uuid),
        outcome: params.outcome,
        before: params.after,
    };
    let Page { rows, next } = events.deliveries(&ctx, &asked).await?;
    Ok(Json(DeliveriesBody {
        deliveries: rows.iter().map(DeliveryBody::from).collect(),
        next,
    }))
}
