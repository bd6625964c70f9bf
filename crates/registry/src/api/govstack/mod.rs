//! The Data API of GovStack's Digital Registries building block, on a prefix of its own: `/govstack/data/{registry}/{version}/…`. Its text
//! and its tests write some names differently; both are served.
//!
//! It knows no valid time, no provenance and no purpose. So what is read is of now, but where `as_of` and `known_at`, which we add to its
//! parameters, say otherwise; what is written holds from today, and its source is
//! the client that `Information-Mediator-Client` names; the purpose stands in the headers of ours and is asked for as everywhere. A
//! delete ends a record; nothing is ever lost by it.

mod list;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{FromRequestParts, State},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::{delete, get, post, put},
};
use base::{Error, Kind, Result};
use identity::{ApiError, ApiJson, ApiPath, Ctx, IdentityState};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use list::list;

use super::params::{self, Asking, Stated};
use crate::{
    history::Moment,
    model::{FieldPath, Operator, Registry, RegistryCode, values_at},
    service::{Asked, Change, Mask, Provenance, Purpose, Query, RecordView, Registries, Seen, Target, When},
};

/// Records that one request changes or shows at most.
const MOST: u32 = 100;
/// The parameters of every read.
const TIMES: [&str; 2] = ["as_of", "known_at"];

#[derive(Clone)]
struct Office {
    registries: Registries,
    identity: IdentityState,
}

/// The routes. To be merged at the root.
pub fn router(registries: Registries, identity: IdentityState) -> Router {
    const BASE: &str = "/govstack/data/{registry}/{version}";
    let at = |rest: &str| format!("{BASE}{rest}");
    Router::new()
        .route(BASE, get(list))
        .route(&at("/create"), post(create))
        .route(&at("/exists"), post(exists))
        .route(&at("/read"), post(read))
        .route(&at("/update"), put(update))
        .route(&at("/updateEntries"), put(update_entries))
        .route(&at("/update-entries"), put(update_entries))
        .route(&at("/updateOrCreate"), post(update_or_create))
        .route(&at("/update-or-create"), post(update_or_create))
        .route(&at("/{id}/delete"), delete(end))
        .route(&at("/{id}/readValue/{field}"), get(value))
        .route(&at("/{id}/read-value/{field}"), get(bare_value))
        .route("/govstack/data/myPersonalDataUsage", get(usage))
        .route("/govstack/data/MyPersonalDataUsage/1.0", get(usage))
        .with_state(Office { registries, identity })
}

#[derive(Debug, Deserialize)]
struct Content {
    content: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
struct Found {
    query: Content,
}

/// What is looked for: as the text has it, or the record bare, as the tests send it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Sought {
    Asked(Found),
    Bare(Map<String, Value>),
}

impl Sought {
    const fn content(&self) -> &Map<String, Value> {
        match self {
            Self::Asked(found) => &found.query.content,
            Self::Bare(content) => content,
        }
    }
}

#[derive(Debug, Deserialize)]
struct Written {
    query: Option<Content>,
    write: Content,
}

impl Written {
    /// What is looked for: by default, what is written.
    fn sought(&self) -> &Map<String, Value> {
        &self.query.as_ref().unwrap_or(&self.write).content
    }
}

/// Where every address begins.
#[derive(Debug, Deserialize)]
struct At {
    registry: RegistryCode,
    version: String,
}

/// One call, of somebody who is signed in, on a registry that is there.
struct Call {
    ctx: Ctx,
    registries: Registries,
    registry: Arc<Registry>,
    /// As the address has it.
    version: String,
    client: String,
    purpose: Purpose,
}

impl FromRequestParts<Office> for Call {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, office: &Office) -> Result<Self, ApiError> {
        let ctx = Ctx::from_request_parts(parts, office).await?;
        let ApiPath(at) = ApiPath::from_request_parts(parts, office).await?;
        let stated = Stated::from_request_parts(parts, office).await?;
        Ok(Self::new(&office.registries, ctx, at, &parts.headers, &stated)?)
    }
}

impl Call {
    fn new(registries: &Registries, ctx: Ctx, at: At, headers: &HeaderMap, stated: &Stated) -> Result<Self> {
        ctx.signed_in()?;
        let editions = params::registry(registries, &at.registry)?;
        let registry = editions.current();
        // `1`, or `1.0` as its examples have it. Old versions stay usable: what is stored is brought forward.
        let number: Option<u32> = at.version.split('.').next().and_then(|major| major.parse().ok());
        if !editions
            .published()
            .any(|published| Some(published.registry.version) == number)
        {
            return Err(Error::not_found(
                "phiên bản của cơ sở dữ liệu",
                "version of the registry",
            ));
        }
        let client = headers
            .get("information-mediator-client")
            .and_then(|value| value.to_str().ok())
            .map(str::trim)
            .filter(|client| !client.is_empty() && client.len() <= 255)
            .ok_or_else(|| {
                Error::refused(
                    Kind::Invalid,
                    "client-missing",
                    "Thiếu tiêu đề Information-Mediator-Client, ví dụ VN/GOV/000.00.00.H26/motcua.",
                    "The header Information-Mediator-Client is missing, such as VN/GOV/000.00.00.H26/motcua.",
                )
            })?
            .to_owned();
        Ok(Self {
            ctx,
            purpose: stated.purpose()?,
            registries: registries.clone(),
            registry,
            version: at.version,
            client,
        })
    }

    /// Of when the call reads, which has these two parameters and no others.
    fn when(&self, asking: &Asking) -> Result<When> {
        asking.only(&TIMES)?;
        Ok(asking.times()?.when(self.registry.valid_time))
    }

    /// The records that have these values then: by their key if it is whole, else by filters.
    async fn find(&self, content: &Map<String, Value>, when: When) -> Result<Vec<RecordView>> {
        let code = &self.registry.code;
        let body = Value::Object(content.clone());
        if let Ok(key) = self.registry.key_of(&body) {
            let read = self
                .registries
                .read(&self.ctx, &self.purpose, code, &key, when, &Mask::ALL)
                .await;
            return match read {
                Ok(view) => Ok([view].into_iter().filter(|view| has(&view.body, &body)).collect()),
                Err(error) if error.kind() == Some(Kind::NotFound) => Ok(Vec::new()),
                Err(error) => Err(error),
            };
        }
        let mut asked = Vec::new();
        for filter in &self.registry.filters {
            let value = values_at(&body, &filter.field)
                .into_iter()
                .next()
                .and_then(crate::model::text_of);
            if let Some(value) = value.filter(|_| filter.operators.contains(&Operator::Eq)) {
                asked.push(Asked {
                    field: filter.field.clone(),
                    operator: Operator::Eq,
                    value: Some(value),
                    upto: None,
                });
            }
        }
        if asked.is_empty() {
            return Err(Error::refused(
                Kind::Invalid,
                "cannot-filter",
                "query.content phải có khóa của bản ghi hoặc ít nhất một trường lọc được.",
                "query.content has the key of a record, or at least one field that can be asked by.",
            ));
        }
        let query = Query {
            asked,
            when,
            limit: MOST,
            ..Query::default()
        };
        let listed = self.registries.list(&self.ctx, &self.purpose, code, &query).await?;
        Ok(listed.items.into_iter().filter(|view| has(&view.body, &body)).collect())
    }

    async fn assert(&self, target: Target, body: Value, n: usize) -> Result<()> {
        let change = Change::Assert {
            target,
            from: Moment::of(self.ctx.now, self.registry.valid_time),
            to: None,
            body,
        };
        self.write(change, n).await
    }

    async fn write(&self, change: Change, n: usize) -> Result<()> {
        let provenance = Provenance {
            source: format!("GovStack: {}", self.client),
            dossier: self.purpose.dossier().map(str::to_owned),
            ..Provenance::default()
        };
        // It has no key of its own against a request that comes twice: each request is one.
        let key = format!("govstack/{}/{n}", self.ctx.request_id);
        self.registries
            .write(&self.ctx, &self.registry.code, change, &provenance, &key)
            .await
            .map(drop)
    }

    async fn merge(&self, view: &RecordView, content: &Map<String, Value>, n: usize) -> Result<()> {
        let mut body = view.body.clone();
        if let Value::Object(members) = &mut body {
            members.extend(content.clone());
        }
        let seen = Seen {
            record: view.id,
            seq: view.newest,
        };
        self.assert(Target::Known(seen), body, n).await
    }
}

/// Whether a body has every value of another.
fn has(body: &Value, wanted: &Value) -> bool {
    match (body, wanted) {
        (Value::Object(body), Value::Object(wanted)) => wanted
            .iter()
            .all(|(name, value)| body.get(name).is_some_and(|own| has(own, value))),
        (body, wanted) => body == wanted,
    }
}

/// A body with the id by which the other operations take it.
fn shown(view: RecordView) -> Value {
    let mut body = view.body;
    if let Value::Object(members) = &mut body {
        members.insert("ID".to_owned(), Value::from(view.id.to_string()));
    }
    body
}

async fn create(call: Call, asking: Asking, ApiJson(body): ApiJson<Written>) -> Result<Json<Value>, ApiError> {
    asking.only(&[])?;
    let body = Value::Object(body.write.content);
    call.assert(Target::New, body.clone(), 0).await?;
    Ok(Json(json!({ "content": body })))
}

async fn exists(call: Call, asking: Asking, ApiJson(body): ApiJson<Sought>) -> Result<Json<Value>, ApiError> {
    let when = call.when(&asking)?;
    let is_there = !call.find(body.content(), when).await?.is_empty();
    let message = if is_there {
        "Object found from database"
    } else {
        "Object not found from database"
    };
    Ok(Json(json!({ "answer": { "status": is_there, "message": message } })))
}

async fn read(call: Call, asking: Asking, ApiJson(body): ApiJson<Found>) -> Result<Json<Value>, ApiError> {
    let when = call.when(&asking)?;
    let found = call.find(&body.query.content, when).await?;
    let view = found.into_iter().next().ok_or_else(none)?;
    Ok(Json(json!({ "content": shown(view) })))
}

async fn update(call: Call, asking: Asking, ApiJson(body): ApiJson<Written>) -> Result<Json<Value>, ApiError> {
    asking.only(&[])?;
    let found = call.find(body.sought(), When::default()).await?;
    let view = found.first().ok_or_else(none)?;
    call.merge(view, &body.write.content, 0).await?;
    Ok(Json(json!({})))
}

async fn update_entries(call: Call, asking: Asking, ApiJson(body): ApiJson<Written>) -> Result<Json<Value>, ApiError> {
    asking.only(&[])?;
    let found = call.find(body.sought(), When::default()).await?;
    if found.is_empty() {
        return Err(none().into());
    }
    for (n, view) in found.iter().enumerate() {
        call.merge(view, &body.write.content, n).await?;
    }
    Ok(Json(json!({})))
}

async fn update_or_create(
    call: Call,
    asking: Asking,
    ApiJson(body): ApiJson<Written>,
) -> Result<Json<Value>, ApiError> {
    asking.only(&[])?;
    match call.find(body.sought(), When::default()).await?.first() {
        Some(view) => call.merge(view, &body.write.content, 0).await?,
        None => {
            call.assert(Target::New, Value::Object(body.write.content.clone()), 0)
                .await?
        }
    }
    Ok(Json(json!({ "content": body.write.content })))
}

async fn end(
    call: Call,
    ApiPath((_, _, id)): ApiPath<(RegistryCode, String, String)>,
    asking: Asking,
) -> Result<StatusCode, ApiError> {
    asking.only(&[])?;
    let (record, seq) = call.registries.newest(&call.ctx, &call.registry.code, &id).await?;
    let change = Change::End {
        record: Seen { record, seq },
        at: Moment::of(call.ctx.now, call.registry.valid_time),
    };
    call.write(change, 0).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The value of a field: `{"value": …}`, as the text has it.
async fn value(
    call: Call,
    ApiPath((_, _, id, field)): ApiPath<(RegistryCode, String, String, String)>,
    asking: Asking,
) -> Result<Response, ApiError> {
    let when = call.when(&asking)?;
    value_of(&call, &id, when, &field, |value| json!({ "value": value })).await
}

/// The value of a field bare, as the tests want it under their spelling.
async fn bare_value(
    call: Call,
    ApiPath((_, _, id, field)): ApiPath<(RegistryCode, String, String, String)>,
    asking: Asking,
) -> Result<Response, ApiError> {
    let when = call.when(&asking)?;
    value_of(&call, &id, when, &field, Value::clone).await
}

async fn value_of(
    call: &Call,
    id: &str,
    when: When,
    field: &str,
    show: fn(&Value) -> Value,
) -> Result<Response, ApiError> {
    let (name, ending) = field.rsplit_once('.').ok_or_else(none)?;
    let path: FieldPath = name.parse().map_err(|_| none())?;
    let mask = Mask::read(path.as_str(), &call.registry)?;
    let view = call
        .registries
        .read(&call.ctx, &call.purpose, &call.registry.code, id, when, &mask)
        .await?;
    let value = path
        .parts()
        .try_fold(&view.body, |value, part| value.get(part))
        .ok_or_else(none)?;
    match ending {
        "json" => Ok(Json(show(value)).into_response()),
        "txt" => {
            let text = crate::model::text_of(value).unwrap_or_else(|| value.to_string());
            Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
        }
        _ => Err(none().into()),
    }
}

/// Who has read what of whoever is signed in.
async fn usage(State(office): State<Office>, ctx: Ctx) -> Result<Json<Value>, ApiError> {
    let (reads, _) = office.identity.reads_of_me(&ctx, None, MOST).await?;
    let read = |read: identity::ReadEntry| {
        let initials: String = read
            .actor
            .split_whitespace()
            .filter_map(|word| word.chars().next())
            .collect();
        // `Refrences` is how the specification spells it.
        json!({
            "ID": read.request_id, "ReaderID": read.actor, "ReaderInitials": initials, "ReaderInstitutionID": read.agency,
            "ReaderInstitutionName": read.agency, "ReaderApplicationName": "Một Cửa", "SearchDateTime": read.at.rfc3339(),
            "Refrences": [{ "ReferenceID": read.dossier.unwrap_or_default() }],
        })
    };
    Ok(Json(reads.into_iter().map(read).collect()))
}

fn none() -> Error {
    Error::not_found("bản ghi", "record")
}
