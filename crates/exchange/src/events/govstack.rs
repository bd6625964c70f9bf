//! GovStack's PubSub API (Information Mediator 2.0, `GovStack_IM_PubSub_API.yaml`): for information systems, below the gateway.
//!
//! Who asks is said by `X-Road-Client` alone, which the gateway has verified: mount these routes behind it and nowhere else. The room of
//! GovStack, `{applicationCode}`, is the subsystem that publishes. What the specification leaves open is in `docs/events.md`.

use std::{collections::HashMap, time::Duration};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Path, Request, State},
    http::{Extensions, HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use base::{Error, Kind, Problems, Result, Text, codes::CodeError};
use identity::{ApiJson, ApiQuery, problem_response};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{
    model::{Cursor, EventId, EventName, EventTypeId, LARGEST_DATA, NewEvent, Sensitivity, Start, State as Standing},
    service::{Asker, Events, NewType, Pull, Pulled, SubscribeRequest, Subscription},
    webhook::Secret,
    wire::{Application, Gone, Item, Items},
};
use crate::model::{
    Purpose, PurposeFlaw,
    identifier::{ClientId, MemberId, Part, ServiceId, SubsystemId},
};

/// The largest body: a schema, or an event with its envelope.
const LARGEST_BODY: usize = 2 * LARGEST_DATA;
/// How long events are kept where a type does not say.
const DEFAULT_DAYS: i64 = 30;

/// The routes, with whole addresses from `/r1/`.
pub fn router(events: Events) -> Router {
    let at = |rest: &str| format!("/r1/{{instance}}/{{class}}/{{member}}/{{application}}/{rest}");
    Router::new()
        .route(&at("api/v1/eventType"), get(list_types).post(create_type))
        .route(
            &at("api/v1/eventType/{type}"),
            get(show_type).put(revise_type).delete(close_type),
        )
        .route(&at("pub/v1/{type}"), post(publish))
        .route(&at("pub/v1/{type}/{event}"), get(show_event).delete(withdraw_event))
        .route(&at("api/v1/subs"), get(list_subscriptions))
        .route(
            &at("api/v1/subs/{type}"),
            post(subscribe)
                .get(show_subscription)
                .patch(change_subscription)
                .delete(cancel_subscription),
        )
        .route(&at("pull/v1/{type}"), get(pull))
        .route(&at("pull/v1/{type}/{event}"), delete(acknowledge))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(events)
}

/// The same routes for a gateway that hands a service only what comes behind its code: `called` tells which service that was.
pub fn behind_gateway(events: Events, called: fn(&Extensions) -> Option<ServiceId>) -> Router {
    let whole = router(events);
    Router::new().fallback(async move |mut request: Request| {
        let address = called(request.extensions()).and_then(|service| {
            let rest = request.uri().path_and_query()?;
            format!("/r1/{service}{rest}").parse().ok()
        });
        match address {
            Some(address) => {
                *request.uri_mut() = address;
                whole.oneshot(request).await.into_response()
            }
            None => Refused(Error::not_found("địa chỉ này", "address")).into_response(),
        }
    })
}

/// A refusal as an information system gets it. Statuses are GovStack's where it names one.
struct Refused(Error);

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Error::Refused(Kind::Invalid, problems) = &self.0 else {
            return problem_response(&self.0);
        };
        let details = json!({
            "type": "about:blank",
            "title": "The request is not valid",
            "title_vi": "Yêu cầu không hợp lệ",
            "status": 400,
            "kind": "invalid",
            "problems": problems,
        });
        let mut response = (StatusCode::BAD_REQUEST, Json(details)).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}

/// A JSON body.
struct Body<T>(T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let read = ApiJson::<T>::from_request(request, state).await;
        read.map(|ApiJson(body)| Self(body)).map_err(|error| Refused(error.0))
    }
}

/// Who asks, and in whose room.
struct Room {
    client: SubsystemId,
    provider: SubsystemId,
    name: Option<String>,
    event: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Room {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let Path(mut path) = Path::<HashMap<String, String>>::from_request_parts(parts, state)
            .await
            .map_err(|_| Error::not_found("địa chỉ này", "address"))?;
        let part = |name: &str| {
            let text = path.get(name).map_or("", String::as_str);
            Part::new(text).or_else(|flaw| CodeError::from(flaw).refuse(name))
        };
        let provider = SubsystemId {
            member: MemberId {
                instance: part("instance")?,
                class: part("class")?,
                code: part("member")?,
            },
            code: part("application")?,
        };
        Ok(Self {
            client: client(&parts.headers)?,
            provider,
            name: path.remove("type"),
            event: path.remove("event"),
        })
    }
}

/// The subsystem that the gateway has recognised.
fn client(headers: &HeaderMap) -> Result<SubsystemId> {
    const HEADER: &str = "x-road-client";
    let said = headers.get(HEADER).map_or(&b""[..], HeaderValue::as_bytes);
    let client = ClientId::parse(said).or_else(|flaw| flaw.refuse(HEADER))?;
    client.as_subsystem().map_or_else(
        || {
            CodeError::new(
                "client-not-subsystem",
                "X-Road-Client phải nêu cả hệ thống, không chỉ thành viên.",
                "X-Road-Client has to name a subsystem, not only a member.",
            )
            .refuse(HEADER)
        },
        Ok,
    )
}

impl Room {
    fn event_type(&self) -> Result<EventTypeId> {
        let name = self.name.as_deref().unwrap_or_default();
        Ok(EventTypeId {
            provider: self.provider.clone(),
            name: name.parse().or_else(|flaw: CodeError| flaw.refuse("eventType"))?,
        })
    }

    fn event(&self) -> Result<EventId> {
        let id = self.event.as_deref().unwrap_or_default();
        id.parse().map_err(|_| Error::not_found("sự kiện này", "event"))
    }

    fn asker(&self) -> Asker<'_> {
        Asker::Subsystem(&self.client)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TypeBody {
    event_type: Option<String>,
    schema: Value,
    title: Option<Text>,
    sensitivity: Option<Sensitivity>,
    key_field: Option<String>,
    retention_days: Option<i64>,
}

impl TypeBody {
    /// GovStack knows name and schema only: what is not said is the most careful.
    fn read(self, provider: SubsystemId, name: EventName) -> NewType {
        NewType {
            title: self.title.unwrap_or_else(|| Text::new(name.as_str(), name.as_str())),
            id: EventTypeId { provider, name },
            schema: self.schema,
            sensitivity: self.sensitivity.unwrap_or(Sensitivity::Personal),
            key_field: self.key_field,
            retention_days: self.retention_days.unwrap_or(DEFAULT_DAYS),
        }
    }
}

/// The name in the body is that of the address, or is left out.
fn same_name(in_body: Option<&str>, in_address: &EventName) -> Result<()> {
    if in_body.is_none_or(|name| name == in_address.as_str()) {
        return Ok(());
    }
    CodeError::new(
        "event-type-differs",
        "eventType trong nội dung khác với loại sự kiện trong địa chỉ.",
        "The eventType of the body is not the one of the address.",
    )
    .refuse("eventType")
}

async fn create_type(
    State(events): State<Events>,
    room: Room,
    Body(body): Body<TypeBody>,
) -> Result<Response, Refused> {
    let name = body.event_type.as_deref().unwrap_or_default();
    let name: EventName = name.parse().or_else(|flaw: CodeError| flaw.refuse("eventType"))?;
    let new = body.read(room.provider.clone(), name);
    events.define(room.asker(), &new).await?;
    Ok(Json(json!({"eventType": new.id.name, "version": 1})).into_response())
}

async fn revise_type(
    State(events): State<Events>,
    room: Room,
    Body(body): Body<TypeBody>,
) -> Result<Response, Refused> {
    let id = room.event_type()?;
    same_name(body.event_type.as_deref(), &id.name)?;
    let (known, _) = events.describe(&id).await?;
    let mut new = body.read(id.provider, id.name);
    if new.title.vi == new.id.name.as_str() {
        new.title = known.title;
    }
    let version = events.revise(room.asker(), &new).await?;
    Ok(Json(json!({"eventType": new.id.name, "version": version})).into_response())
}

async fn list_types(State(events): State<Events>, room: Room) -> Result<Response, Refused> {
    let names = events.names(&room.provider).await?;
    if names.is_empty() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(Json(names).into_response())
}

async fn show_type(State(events): State<Events>, room: Room) -> Result<Response, Refused> {
    match events.describe(&room.event_type()?).await {
        Ok((of, schema)) => Ok(Json(json!({
            "eventType": of.id.name,
            "schema": schema,
            "title": of.title,
            "sensitivity": of.sensitivity,
            "keyField": of.key_field,
            "retentionDays": of.retention_days,
            "version": of.version,
            "newest": Events::newest(&of),
        }))
        .into_response()),
        Err(error) if error.kind() == Some(Kind::NotFound) => Ok(StatusCode::NO_CONTENT.into_response()),
        Err(error) => Err(error.into()),
    }
}

async fn close_type(State(events): State<Events>, room: Room) -> Result<StatusCode, Refused> {
    events.close(room.asker(), &room.event_type()?).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventBody {
    event_type: Option<String>,
    event: Value,
    producer_id: Option<String>,
    key: Option<String>,
}

async fn publish(State(events): State<Events>, room: Room, Body(body): Body<EventBody>) -> Result<Response, Refused> {
    let id = room.event_type()?;
    same_name(body.event_type.as_deref(), &id.name)?;
    let event = NewEvent {
        producer_id: body.producer_id,
        key: body.key,
        data: body.event,
    };
    let done = events.publish(&room.client, &id, event).await?;
    let answer = json!({"id": done.id, "sequence": done.position, "again": done.again});
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

async fn show_event(State(events): State<Events>, room: Room) -> Result<Response, Refused> {
    #[derive(Serialize)]
    struct Shown {
        #[serde(flatten)]
        item: Item,
        readers: Vec<Value>,
    }
    let of = room.event_type()?;
    let status = events.status(room.asker(), &of, room.event()?).await?;
    let mut item = Item::of(status.event, &of);
    item.withdrawn = status.withdrawn;
    let readers = status.readers.iter();
    let readers = readers.map(|(id, done)| json!({"subscriberId": Application::from(id), "acknowledged": done}));
    Ok(Json(Shown {
        item,
        readers: readers.collect(),
    })
    .into_response())
}

async fn withdraw_event(State(events): State<Events>, room: Room) -> Result<StatusCode, Refused> {
    events
        .withdraw(room.asker(), &room.event_type()?, room.event()?)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct SubscriptionBody {
    event_type: Option<String>,
    delivery: Option<String>,
    webhook: Option<String>,
    start: Option<String>,
    key_prefix: String,
    legal_basis: String,
    rotate_secret: bool,
}

impl SubscriptionBody {
    /// `PUSH` is to be told of news, `PULL` to ask by oneself; what is not said follows from whether there is a webhook.
    fn webhook(&self, known: Option<String>) -> Result<Option<String>> {
        let flaw = match (self.delivery.as_deref(), &self.webhook) {
            (None, None) => return Ok(known),
            (None | Some("PUSH"), Some(webhook)) => return Ok(Some(webhook.clone())),
            (Some("PULL"), None) => return Ok(None),
            (Some("PUSH"), None) if known.is_some() => return Ok(known),
            (Some("PUSH"), None) => CodeError::new(
                "webhook-missing",
                "Cách nhận PUSH cần địa chỉ webhook.",
                "The delivery PUSH needs a webhook.",
            ),
            (Some(_), _) => CodeError::new(
                "delivery",
                "delivery là PUSH (kèm webhook) hoặc PULL (không có webhook).",
                "The delivery is PUSH, with a webhook, or PULL, without one.",
            ),
        };
        flaw.refuse("delivery")
    }

    fn start(&self) -> Result<Start> {
        match self.start.as_deref() {
            None | Some("now") => Ok(Start::Now),
            Some("beginning") => Ok(Start::Beginning),
            Some(cursor) => {
                let cursor: Result<Cursor, CodeError> = cursor.parse();
                cursor.map(Start::After).or_else(|flaw| flaw.refuse("start"))
            }
        }
    }
}

fn purpose(headers: &HeaderMap) -> Result<Purpose> {
    const HEADER: &str = "x-motcua-purpose";
    let said = headers.get(HEADER).and_then(|value| value.to_str().ok());
    let read = said.ok_or(PurposeFlaw::Missing).and_then(str::parse);
    read.or_else(|flaw| CodeError::from(flaw).refuse(HEADER))
}

/// Several refusals of one request, together.
fn all<A, B, C>(one: Result<A>, two: Result<B>, three: Result<C>) -> Result<(A, B, C)> {
    let mut problems = Problems::new();
    let one = keep(one, &mut problems)?;
    let two = keep(two, &mut problems)?;
    let three = keep(three, &mut problems)?;
    match (one, two, three) {
        (Some(one), Some(two), Some(three)) => Ok((one, two, three)),
        _ => Err(Error::Refused(Kind::Invalid, problems)),
    }
}

fn keep<T>(result: Result<T>, problems: &mut Problems) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Error::Refused(Kind::Invalid, more)) => {
            problems.extend(more);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

async fn subscribe(
    State(events): State<Events>,
    room: Room,
    headers: HeaderMap,
    Body(body): Body<SubscriptionBody>,
) -> Result<Response, Refused> {
    let id = room.event_type()?;
    same_name(body.event_type.as_deref(), &id.name)?;
    let (purpose, start, webhook) = all(purpose(&headers), body.start(), body.webhook(None))?;
    let request = SubscribeRequest {
        purpose,
        legal_basis: body.legal_basis,
        key_prefix: body.key_prefix,
        start,
        webhook,
    };
    let (made, secret) = events.subscribe(&room.client, &id, &request).await?;
    Ok(Json(shown(&made, secret.as_ref())).into_response())
}

async fn list_subscriptions(State(events): State<Events>, room: Room) -> Result<Response, Refused> {
    let found = events.subscriptions_of(&room.client, &room.provider).await?;
    let shown: Vec<Value> = found.iter().map(|one| shown(one, None)).collect();
    Ok(Json(shown).into_response())
}

async fn show_subscription(State(events): State<Events>, room: Room) -> Result<Response, Refused> {
    let found = events.subscription(&room.client, &room.event_type()?).await?;
    Ok(Json(shown(&found, None)).into_response())
}

async fn change_subscription(
    State(events): State<Events>,
    room: Room,
    Body(body): Body<SubscriptionBody>,
) -> Result<Response, Refused> {
    let id = room.event_type()?;
    same_name(body.event_type.as_deref(), &id.name)?;
    if body.start.is_some() || !body.key_prefix.is_empty() || !body.legal_basis.is_empty() {
        return Err(Refused(Error::refused(
            Kind::Invalid,
            "subscription-fixed",
            "Điểm bắt đầu, phần đầu của khóa và căn cứ pháp lý là nội dung đã được phê duyệt; muốn đổi, hãy hủy và đăng ký lại.",
            "Start, beginning of keys and legal basis are what was approved; to change them, cancel and subscribe again.",
        )));
    }
    let known = events.subscription(&room.client, &id).await?;
    let webhook = body.webhook(known.webhook)?;
    let (changed, secret) = events
        .change(&room.client, &id, webhook.as_deref(), body.rotate_secret)
        .await?;
    Ok((StatusCode::CREATED, Json(shown(&changed, secret.as_ref()))).into_response())
}

async fn cancel_subscription(State(events): State<Events>, room: Room) -> Result<StatusCode, Refused> {
    events.cancel(&room.client, &room.event_type()?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// GovStack's `SubscriptionItem`, and how it stands.
fn shown(of: &Subscription, secret: Option<&Secret>) -> Value {
    let mut item = json!({
        "id": of.id,
        "subscriberId": Application::from(&of.subscriber),
        "eventType": of.of.name,
        "delivery": if of.webhook.is_some() { "PUSH" } else { "PULL" },
        "options": {"TTL": of.retention_days * 86_400, "FIFO": true},
        "state": of.state.code(),
        "reason": of.reason,
        "purpose": of.purpose,
        "legalBasis": of.legal_basis,
        "keyPrefix": of.key_prefix,
        "webhook": of.webhook,
        "webhookFailures": of.nudge_failures,
        "webhookPaused": of.nudge_paused,
    });
    if of.state == Standing::Approved {
        item["cursor"] = json!(of.cursor());
        item["lag"] = json!(of.lag);
        item["missed"] = json!(of.has_missed);
    }
    if let Some(secret) = secret {
        item["secret"] = json!(secret.reveal());
    }
    item
}

#[derive(Deserialize)]
struct PullQuery {
    cursor: Option<String>,
    limit: Option<usize>,
    /// Seconds.
    wait: Option<u64>,
}

impl PullQuery {
    fn read(&self) -> Result<Pull> {
        let cursor = match self.cursor.as_deref() {
            None | Some("") => None,
            Some(text) => Some(text.parse().or_else(|flaw: CodeError| flaw.refuse("cursor"))?),
        };
        Ok(Pull {
            cursor,
            limit: self.limit.unwrap_or(Pull::default().limit),
            wait: Duration::from_secs(self.wait.unwrap_or(0)),
        })
    }
}

/// With `cursor` or `limit`: a list and the next cursor. Without: GovStack's next event that is not acknowledged, or 404.
async fn pull(
    State(events): State<Events>,
    room: Room,
    query: Result<ApiQuery<PullQuery>, identity::ApiError>,
) -> Result<Response, Refused> {
    let ApiQuery(query) = query.map_err(|error| Refused(error.0))?;
    let of = room.event_type()?;
    let one = query.cursor.is_none() && query.limit.is_none();
    let mut pull = query.read()?;
    if one {
        pull.limit = 1;
    }
    match events.pull(&room.client, &of, pull).await? {
        Pulled::Batch(batch) if one => match batch.events.into_iter().next() {
            Some(event) => Ok(Json(Item::of(event, &of)).into_response()),
            None => Err(Refused(Error::refused(
                Kind::NotFound,
                "event-none",
                "Chưa có sự kiện mới.",
                "There is no new event.",
            ))),
        },
        Pulled::Batch(batch) => Ok(Json(Items {
            events: batch.events.into_iter().map(|event| Item::of(event, &of)).collect(),
            cursor: batch.cursor,
            more: batch.more,
        })
        .into_response()),
        Pulled::Gone { oldest } => Ok((
            StatusCode::GONE,
            Json(Gone {
                code: "cursor-gone".to_owned(),
                vi: "Các sự kiện ngay sau con trỏ này không còn được lưu. Đồng bộ lại dữ liệu, rồi đọc tiếp từ con trỏ “oldest”."
                    .to_owned(),
                en: "The events right after this cursor are no longer kept. Bring your data up to date, then read on from the cursor “oldest”."
                    .to_owned(),
                oldest,
            }),
        )
            .into_response()),
    }
}

async fn acknowledge(State(events): State<Events>, room: Room) -> Result<StatusCode, Refused> {
    events
        .acknowledge(&room.client, &room.event_type()?, room.event()?)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
