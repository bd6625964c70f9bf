//! The services of registries on the exchange. The gateway has judged who calls, by which grant and for which purpose, and put a leaf
//! into the log for each person that it sees in the messages; here stands what each service of `registry.toml` does and shows.
//!
//! ```text
//! GET  /{registry}/{service}/records              list      its filters, sort, as_of, known_at, fields, cursor, limit
//! GET  /{registry}/{service}/records/{key}        read      as_of, known_at, fields
//! GET  /{registry}/{service}/records/{key}/history   history   as_of, known_at, fields, cursor, limit
//! GET  /{registry}/{service}/changes              changes   known_at, fields, cursor, limit
//! GET  /{registry}/{service}/facts/{number}       facts     attributes, as_of, known_at
//! POST /{registry}/{service}/records              write     a new record
//! POST /{registry}/{service}/records/{key}/assertions | corrections | ends   write
//! POST /{registry}/{service}/orders               write     an order of a procedure
//! POST /{registry}/{service}/orders/{id}/back     write     takes one back
//! POST /{registry}/{service}/became/{id}          write     what one became that was not answered
//! GET  /{registry}/{service}/translations/{pseudonym}   translate
//! POST /{registry}/{service}/records/{key}/doubts  doubt   ([`crate::quality::offered`])
//! ```
//!
//! Where the service gives pseudonyms, they stand wherever a number, an id or a place in a list would, in what is asked and answered; and
//! `known_at` is the beginning of a day there.

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::{FromRef, FromRequestParts},
    http::{HeaderMap, StatusCode, request::Parts},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base::{Clock, Error, Kind, Lang, Problems, Result, Timestamp};
use exchange::{
    gateway::Caller,
    model::{headers::ISSUE, identifier::ClientId},
};
use identity::{Actor, ApiError, ApiJson, ApiPath, Ctx, IdempotencyKey, Listing, Paging};

use crate::{
    api::{
        body::{
            RecordAssertBody, RecordBody, RecordChangeBody, RecordCorrectBody, RecordEndBody, RecordFreshBody,
            RecordVersionBody, RecordWrittenBody,
        },
        params::Asking,
    },
    model::{Name, Operation, Registry, RegistryCode, Service},
    service::{Change, EXCHANGE, Feed, Mask, Provenance, Purpose, Registries, Seen, Veil, Written},
    wire::{AskedBody, CarriedBody, FactsBody, OrderBody, TakeBackBody},
};

/// Who offers, by which clock.
#[derive(Clone)]
pub(crate) struct Office {
    registries: Registries,
    clock: Arc<dyn Clock>,
    agency: Arc<str>,
}

impl Office {
    pub(crate) fn new(registries: Registries, clock: Arc<dyn Clock>, agency: &str) -> Self {
        Self {
            registries,
            clock,
            agency: agency.into(),
        }
    }
}

/// What answers behind the gateway ([`exchange::REGISTRIES`]). Of the registries of the node those are offered whose steward is this
/// agency or below it.
pub fn router(registries: Registries, clock: Arc<dyn Clock>, agency: &str) -> Router {
    let office = Office::new(registries, clock, agency);
    Router::new()
        .route("/{registry}/{service}/records", get(list).post(add))
        .route("/{registry}/{service}/records/{key}", get(one))
        .route("/{registry}/{service}/records/{key}/history", get(history))
        .route("/{registry}/{service}/records/{key}/assertions", post(assert))
        .route("/{registry}/{service}/records/{key}/corrections", post(correct))
        .route("/{registry}/{service}/records/{key}/ends", post(end))
        .route("/{registry}/{service}/changes", get(changes))
        .route("/{registry}/{service}/facts/{number}", get(facts))
        .route("/{registry}/{service}/orders", post(order))
        .route("/{registry}/{service}/orders/{*back}", post(take_back))
        .route("/{registry}/{service}/became/{*order}", post(became))
        .route("/{registry}/{service}/translations/{pseudonym}", get(translate))
        .with_state(office)
}

/// A call that was let in.
pub(crate) struct Called {
    pub(crate) ctx: Ctx,
    pub(crate) purpose: Purpose,
    pub(crate) client: ClientId,
    registries: Registries,
    pub(crate) registry: Arc<Registry>,
    service: Service,
}

impl Called {
    pub(crate) fn needs(&self, operation: Operation) -> Result<()> {
        if self.service.operations.contains(&operation) {
            return Ok(());
        }
        Err(Error::refused(
            Kind::NotAllowed,
            "not-offered",
            "Dịch vụ này không có thao tác đó.",
            "This service does not offer that.",
        ))
    }

    /// What the caller asks to see, of what the service shows.
    pub(crate) fn shown(&self, asked: &Mask) -> Mask {
        Mask::of(self.service.fields.clone()).and(asked)
    }

    /// Whether it tells an attribute.
    pub(crate) fn tells(&self, attribute: &Name) -> bool {
        self.service.attributes.contains(attribute)
    }

    /// That an order is of the dossier that the message names as its cause.
    pub(crate) fn is_about(&self, dossier: &str) -> Result<()> {
        if self.purpose.dossier() == Some(dossier) {
            return Ok(());
        }
        let mut problems = Problems::new();
        problems.add(
            "dossier-differs",
            "dossier",
            "Mã hồ sơ trong yêu cầu phải là mã hồ sơ nêu trong tiêu đề X-Road-Issue.",
            "The dossier of the order has to be the one that the header X-Road-Issue names.",
        );
        Err(Error::Refused(Kind::Invalid, problems))
    }

    /// Where the service gives pseudonyms, what stands between the numbers and the client.
    fn veil(&self) -> Result<Option<Veil<'_>>> {
        self.registries
            .veil(&self.ctx, &self.registry, &self.service, &self.client)
    }

    /// The key that the client means.
    pub(crate) async fn key(&self, key: String) -> Result<String> {
        match self.veil()? {
            Some(veil) => veil.key(&key).await,
            None => Ok(key),
        }
    }

    /// That the client may ask by the knowledge of this instant.
    fn knows_at(&self, at: Option<Timestamp>) -> Result<()> {
        match self.veil()? {
            Some(veil) => veil.known_by_days(at),
            None => Ok(()),
        }
    }

    async fn write(&self, change: Change, mut provenance: Provenance, key: &str) -> Result<Written> {
        self.needs(Operation::Write)?;
        // Who says so stands in the record for ever, beside what they say it is from.
        provenance.source = format!("{}: {}", self.client, provenance.source.trim());
        if provenance.dossier.is_none() {
            provenance.dossier = self.purpose.dossier().map(str::to_owned);
        }
        let key = format!("{}/{key}", self.client);
        self.registries
            .write(&self.ctx, &self.registry.code, change, &provenance, &key)
            .await
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Called
where
    Office: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        // Only the gateway says who calls: nobody else gets here.
        let caller = Extension::<Caller>::from_request_parts(parts, state).await;
        let Extension(caller) = caller.map_err(|_| StatusCode::NOT_FOUND.into_response())?;
        Self::read(parts, &Office::from_ref(state), &caller).map_err(|error| ApiError(error).into_response())
    }
}

impl Called {
    fn read(parts: &Parts, office: &Office, caller: &Caller) -> Result<Self> {
        let none = || Error::not_found("cơ sở dữ liệu hoặc dịch vụ", "registry or service");
        let mut segments = parts.uri.path().split('/').skip(1);
        let code: Option<RegistryCode> = segments.next().and_then(|code| code.parse().ok());
        let service: Option<Name> = segments.next().and_then(|name| name.parse().ok());
        let (code, service) = code.zip(service).ok_or_else(none)?;
        let registry = office.registries.shelf().get(&code).map(|editions| editions.current());
        let registry = registry.filter(|registry| registry.is_of(&office.agency));
        let registry = registry.ok_or_else(none)?;
        let service = registry.services.iter().find(|offered| offered.id == service);
        let service = service.ok_or_else(none)?.clone();
        let purpose = Purpose::read(caller.purpose.as_str(), "", issue(&parts.headers))?;
        Ok(Self {
            ctx: Ctx {
                actor: Actor::System(EXCHANGE),
                now: office.clock.now(),
                request_id: caller.request_id,
                lang: Lang::Vi,
            },
            purpose: match service.pseudonyms.is_empty() {
                true => purpose,
                false => purpose.of_veiled(caller.client.to_string()),
            },
            client: caller.client.clone(),
            registries: office.registries.clone(),
            registry,
            service,
        })
    }
}

/// The dossier, if what the caller says is the code of one: elsewhere it may be the number of a letter.
pub(crate) fn issue(headers: &HeaderMap) -> &str {
    let issue = headers
        .get(ISSUE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if issue.parse::<base::codes::DossierCode>().is_ok() {
        issue
    } else {
        ""
    }
}

async fn list(called: Called, asking: Asking, paging: Paging) -> Result<axum::Json<Listing<RecordBody>>, ApiError> {
    called.needs(Operation::List)?;
    let registry = &called.registry;
    let mut query = asking.query(registry, &paging)?;
    let asks = |field: &crate::model::FieldPath| called.service.filters.contains(field);
    let sorts = query.sort.as_ref().is_none_or(|sort| asks(&sort.field));
    // A list of everybody is another operation, which a grant has to have.
    let by_nothing = query.asked.is_empty() && !called.service.operations.contains(&Operation::Bulk);
    if by_nothing || !sorts || !query.asked.iter().all(|asked| asks(&asked.field)) {
        return Err(ApiError(Error::refused(
            Kind::Invalid,
            "cannot-filter",
            "Dịch vụ này chỉ tìm theo các bộ lọc đã công bố, và phải có ít nhất một bộ lọc.",
            "This service finds by the filters that it offers, and by at least one.",
        )));
    }
    query.mask = called.shown(&query.mask);
    let veil = called.veil()?;
    if let Some(veil) = &veil {
        query = veil.question(query).await?;
    }
    let mut listed = called
        .registries
        .list(&called.ctx, &called.purpose, &registry.code, &query)
        .await?;
    if let Some(veil) = &veil {
        listed = veil.listed(listed).await?;
    }
    let show = |view| RecordBody::of(view, registry);
    Ok(axum::Json(Listing::of(listed.items, listed.next, show)))
}

async fn one(
    called: Called,
    ApiPath((_, _, key)): ApiPath<(String, String, String)>,
    asking: Asking,
) -> Result<axum::Json<RecordBody>, ApiError> {
    called.needs(Operation::Read)?;
    let registry = &called.registry;
    let (when, mask) = asking.when_and_mask(registry)?;
    let mask = called.shown(&mask);
    called.knows_at(when.known_at)?;
    let key = called.key(key).await?;
    let mut view = called
        .registries
        .read(&called.ctx, &called.purpose, &registry.code, &key, when, &mask)
        .await?;
    if let Some(veil) = called.veil()? {
        view = veil.record(view).await?;
    }
    Ok(axum::Json(RecordBody::of(view, registry)))
}

async fn history(
    called: Called,
    ApiPath((_, _, key)): ApiPath<(String, String, String)>,
    asking: Asking,
    paging: Paging,
) -> Result<axum::Json<Listing<RecordVersionBody>>, ApiError> {
    called.needs(Operation::History)?;
    let registry = &called.registry;
    let (when, mask) = asking.history(registry)?;
    let mask = called.shown(&mask);
    let after: i64 = paging.place(|cursor| cursor.parse().ok())?.unwrap_or(0);
    called.knows_at(when.known_at)?;
    let key = called.key(key).await?;
    let (_, mut versions) = called
        .registries
        .history(&called.ctx, &called.purpose, &registry.code, &key, when, &mask)
        .await?;
    if let Some(veil) = called.veil()? {
        versions = veil.versions(versions).await?;
    }
    let mut rest = versions.into_iter().filter(|version| version.seq > after).peekable();
    let page: Vec<_> = rest.by_ref().take(paging.limit() as usize).collect();
    let next = page.last().filter(|_| rest.peek().is_some()).map(|version| version.seq);
    let show = |version| RecordVersionBody::of(version, registry);
    Ok(axum::Json(Listing::of(page, next, show)))
}

async fn changes(
    called: Called,
    asking: Asking,
    paging: Paging,
) -> Result<axum::Json<Listing<RecordChangeBody>>, ApiError> {
    called.needs(Operation::Changes)?;
    let registry = &called.registry;
    let (known_at, mask) = asking.feed(registry)?;
    let mask = called.shown(&mask);
    called.knows_at(known_at)?;
    let veil = called.veil()?;
    let after = match &veil {
        Some(veil) => veil.place(paging.after()).await?.and_then(|place| place.parse().ok()),
        None => paging.place(|cursor| cursor.parse().ok())?,
    };
    let feed = Feed {
        after,
        known_at,
        limit: paging.limit(),
    };
    let page = called
        .registries
        .changes(&called.ctx, Some(&called.purpose), &registry.code, feed, &mask)
        .await?;
    Ok(axum::Json(match veil {
        Some(veil) => {
            let page = veil.changes(page).await?;
            let show = |(change, cursor)| RecordChangeBody::at(change, cursor, registry);
            Listing::of(page.items, page.next, show)
        }
        None => Listing::of(page.items, page.next, |change| RecordChangeBody::of(change, registry)),
    }))
}

async fn translate(
    called: Called,
    ApiPath((_, _, pseudonym)): ApiPath<(String, String, String)>,
    asking: Asking,
) -> Result<axum::Json<TranslationBody>, ApiError> {
    called.needs(Operation::Translate)?;
    asking.only(&[])?;
    let (Some(veil), Some(link)) = (called.veil()?, &called.service.link) else {
        return Err(ApiError(Error::internal("a service that translates has a link")));
    };
    let pseudonym = veil.translate(&called.ctx, &called.purpose, link, &pseudonym).await?;
    Ok(axum::Json(TranslationBody { pseudonym }))
}

/// What came of translating.
#[derive(Debug, serde::Serialize)]
struct TranslationBody {
    /// The caller's own pseudonym.
    pseudonym: String,
}

async fn facts(
    called: Called,
    ApiPath((_, _, number)): ApiPath<(String, String, String)>,
    asking: Asking,
) -> Result<axum::Json<FactsBody>, ApiError> {
    called.needs(Operation::Facts)?;
    let (asked, times) = asking.facts(&called.service)?;
    let code = &called.registry.code;
    let facts = called
        .registries
        .facts(&called.ctx, &called.purpose, code, &number, &asked.offered, times)
        .await?;
    Ok(axum::Json(FactsBody::of(asked, facts)))
}

async fn order(called: Called, ApiJson(body): ApiJson<OrderBody>) -> Result<axum::Json<CarriedBody>, ApiError> {
    called.needs(Operation::Write)?;
    called.is_about(&body.dossier)?;
    let order = body.order(&called.registry.code);
    let carried = called
        .registries
        .carry_out(
            &called.ctx,
            &called.purpose,
            &called.client.to_string(),
            &order,
            &called.shown(&Mask::ALL),
        )
        .await?;
    Ok(axum::Json(carried.into()))
}

async fn became(
    called: Called,
    ApiPath((_, _, order)): ApiPath<(String, String, String)>,
    ApiJson(body): ApiJson<AskedBody>,
) -> Result<axum::Json<CarriedBody>, ApiError> {
    called.needs(Operation::Write)?;
    called.is_about(&body.dossier)?;
    let asked = body.asked(&order, &called.registry.code);
    let client = called.client.to_string();
    let carried = called.registries.became(&called.ctx, &client, &asked).await?;
    Ok(axum::Json(carried.into()))
}

async fn take_back(
    called: Called,
    ApiPath((_, _, back)): ApiPath<(String, String, String)>,
    ApiJson(body): ApiJson<TakeBackBody>,
) -> Result<axum::Json<CarriedBody>, ApiError> {
    called.needs(Operation::Write)?;
    called.is_about(&body.dossier)?;
    let order = back.strip_suffix("/back");
    let order = order.ok_or_else(|| Error::not_found("tài nguyên", "resource"))?;
    let back = body.take_back(order, &called.registry.code);
    let carried = called
        .registries
        .take_back(&called.ctx, &called.client.to_string(), &back)
        .await?;
    Ok(axum::Json(carried.into()))
}

async fn add(
    called: Called,
    key: IdempotencyKey,
    ApiJson(body): ApiJson<RecordFreshBody>,
) -> Result<Response, ApiError> {
    let (change, provenance) = body.read(&called.registry)?;
    let written = called.write(change, provenance, key.as_str()).await?;
    Ok((StatusCode::CREATED, axum::Json(RecordWrittenBody::from(written))).into_response())
}

macro_rules! change {
    ($name:ident, $body:ty) => {
        async fn $name(
            called: Called,
            ApiPath((_, _, key)): ApiPath<(String, String, String)>,
            idempotency: IdempotencyKey,
            ApiJson(body): ApiJson<$body>,
        ) -> Result<axum::Json<RecordWrittenBody>, ApiError> {
            called.needs(Operation::Write)?;
            let (record, _) = called
                .registries
                .newest(&called.ctx, &called.registry.code, &key)
                .await?;
            let seen = Seen {
                record,
                seq: body.seen(),
            };
            let (change, provenance) = body.read(&called.registry, seen)?;
            let written = called.write(change, provenance, idempotency.as_str()).await?;
            Ok(axum::Json(RecordWrittenBody::from(written)))
        }
    };
}

change!(assert, RecordAssertBody);
change!(correct, RecordCorrectBody);
change!(end, RecordEndBody);
