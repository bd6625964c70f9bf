//! A node with events, and those who use it.

use std::{sync::Arc, time::Duration};

use ::store::{Store, params, testkit, transact};
use axum::{
    Extension, Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode},
};
use base::{Clock, Lang, Text, Timestamp, time::FixedClock};
use http_body_util::BodyExt;
use identity::{Actor, Ctx, Entropy, IdentityState, OfficerActor, OfficerId, Role, Roles, Shell};
use serde_json::{Value, json};
use tower::ServiceExt;
use uuid::Uuid;

use crate::{
    events::{
        Asker, Batch, Config, EventTypeId, Events, NewEvent, NewType, Published, Pull, Pulled, Sensitivity, Start,
        State, SubscribeRequest, Subscription, api, govstack, pages, webhook::Webhooks,
    },
    model::identifier::SubsystemId,
};

/// 25 November 2026, 09:00 in Viet Nam.
const START: i64 = 1_795_572_000_000_000;

pub const PROVIDER: &str = "VN/GOV/000.00.00.H26/ho-tich";
pub const READER: &str = "VN/GOV/000.00.00.G01/dan-cu";
pub const OTHER: &str = "VN/GOV/000.00.00.G02/thue";

pub fn subsystem(text: &str) -> SubsystemId {
    text.parse().expect("an identifier")
}

pub fn births() -> EventTypeId {
    EventTypeId {
        provider: subsystem(PROVIDER),
        name: "birth.registered".parse().expect("a name"),
    }
}

pub fn schema() -> Value {
    json!({"type": "object", "properties": {"n": {"type": "integer"}, "by": {"type": "string"}}, "required": ["n"]})
}

pub fn new_type(schema: Value) -> NewType {
    NewType {
        id: births(),
        title: Text::new("Đăng ký khai sinh", "Birth registered"),
        schema,
        sensitivity: Sensitivity::Internal,
        key_field: None,
        retention_days: 10,
    }
}

pub fn event(n: i64) -> NewEvent {
    NewEvent {
        producer_id: Some(format!("e{n}")),
        key: Some(format!("k{}", n % 3)),
        data: json!({"n": n}),
    }
}

pub fn request() -> SubscribeRequest {
    SubscribeRequest {
        purpose: "population.update".parse().expect("a purpose"),
        legal_basis: "Luật Hộ tịch, Điều 59".to_owned(),
        key_prefix: String::new(),
        start: Start::Beginning,
        webhook: None,
    }
}

pub fn config() -> Config {
    Config {
        secret: [5; 32],
        webhooks: Webhooks {
            loopback: true,
            patience: Duration::from_millis(300),
            tries: 4,
            pause: 10,
        },
        tracer: traces::Tracer::default(),
    }
}

pub struct Site {
    pub store: Store,
    pub clock: FixedClock,
    pub events: Events,
    identity: IdentityState,
}

/// A node on each engine.
pub async fn sites() -> Vec<Site> {
    let sets = [identity::MIGRATIONS, crate::MIGRATIONS];
    let mut sites = Vec::new();
    for store in testkit::stores(&sets).await {
        sites.push(Site::over(store).await);
    }
    sites
}

impl Site {
    /// A node over a database, with the publishing system registered.
    pub async fn over(store: Store) -> Self {
        let clock = FixedClock::at(Timestamp::from_micros(START));
        let events = Events::new(store.clone(), &config(), Arc::new(clock.clone())).expect("a client");
        let identity = IdentityState::new(
            store.clone(),
            identity::Config::default(),
            &[9; 32],
            Arc::new(clock.clone()),
            Entropy::system(),
            Shell::default(),
        );
        let site = Self {
            store,
            clock,
            events,
            identity: identity.expect("good settings"),
        };
        site.register(PROVIDER, "H26").await;
        site
    }

    /// A system of an agency, if it is not there yet.
    pub async fn register(&self, subsystem: &str, agency: &str) {
        let now = self.clock.now();
        transact!(self.store, |tx| {
            let sql = "INSERT INTO exchange_system (id, subsystem, agency, name_vi, name_en, sign_in, version, updated_by, updated_at) \
                       VALUES ($1, $2, $3, 'Hộ tịch', 'Civil status', '\"open\"', 1, '', $4) ON CONFLICT (subsystem) DO NOTHING";
            tx.exec(sql, params![Uuid::new_v4(), subsystem, agency, now]).await
        })
        .expect("registered");
    }

    pub fn forward(&self, seconds: i64) {
        self.clock.set(self.clock.now().plus_seconds(seconds));
    }

    pub fn officer(&self, roles: &[Role]) -> Ctx {
        self.officer_of("H26", roles)
    }

    pub fn officer_of(&self, agency: &str, roles: &[Role]) -> Ctx {
        Ctx {
            actor: Actor::Officer(OfficerActor {
                officer: OfficerId::from_uuid(Uuid::from_u128(1)),
                name: "Trần Thị Bình".to_owned(),
                title: "Chuyên viên".to_owned(),
                agency: agency.to_owned(),
                roles: Roles::of(roles),
            }),
            now: self.clock.now(),
            request_id: Uuid::from_u128(7),
            lang: Lang::Vi,
        }
    }

    pub fn steward(&self) -> Ctx {
        self.officer(&[Role::Administrator])
    }

    /// The event type of the tests.
    pub async fn define(&self) {
        let owner = subsystem(PROVIDER);
        let made = self.events.define(Asker::Subsystem(&owner), &new_type(schema())).await;
        made.expect("a good type");
    }

    pub async fn publish(&self, event: NewEvent) -> Published {
        let done = self.events.publish(&subsystem(PROVIDER), &births(), event).await;
        done.expect("published")
    }

    /// A subscription in force.
    pub async fn subscribed(
        &self,
        who: &str,
        request: &SubscribeRequest,
    ) -> (Subscription, Option<crate::events::webhook::Secret>) {
        let made = self.events.subscribe(&subsystem(who), &births(), request).await;
        let (subscription, secret) = made.expect("a good request");
        self.decide(who, State::Approved).await;
        (subscription, secret)
    }

    /// The steward decides about the subscription of a system.
    pub async fn decide(&self, who: &str, next: State) {
        let id = self.subscription(who).await.id;
        let decided = self.events.decide(&self.steward(), id, next, "Lý do").await;
        decided.expect("decided");
    }

    pub async fn pull(&self, who: &str, pull: Pull) -> Batch {
        match self
            .events
            .pull(&subsystem(who), &births(), pull)
            .await
            .expect("pulled")
        {
            Pulled::Batch(batch) => batch,
            Pulled::Gone { oldest } => panic!("gone before {oldest}"),
        }
    }

    pub async fn subscription(&self, who: &str) -> Subscription {
        self.events
            .subscription(&subsystem(who), &births())
            .await
            .expect("subscribed")
    }

    /// A call of an information system, as the gateway passes it on.
    pub async fn call(&self, client: &str, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("x-motcua-purpose", "population.update");
        if !client.is_empty() {
            request = request.header("X-Road-Client", client);
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let request = request.body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())));
        let answer = govstack::router(self.events.clone())
            .oneshot(request.expect("a request"))
            .await;
        let answer = answer.expect("infallible");
        let status = answer.status();
        let body = answer.into_body().collect().await.expect("a whole body").to_bytes();
        let body = if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{error}: {body:?}"))
        };
        (status, body)
    }

    /// A request of a browser or of a program of the steward.
    pub async fn visit(&self, ctx: Ctx, method: Method, path: &str, body: &str) -> (StatusCode, HeaderMap, String) {
        let (steward, _) = api::router(self.events.clone()).split_for_parts();
        let app: Router = pages::router(self.events.clone())
            .merge(steward)
            .layer(Extension(ctx))
            .layer(Extension(self.identity.clone()))
            .layer(Extension(Arc::new(view::Site::default())));
        let kind = if body.starts_with('{') {
            "application/json"
        } else {
            "application/x-www-form-urlencoded"
        };
        let request = Request::builder().method(method).uri(path).header("content-type", kind);
        let request = request.body(Body::from(body.to_owned())).expect("a request");
        let answer = app.oneshot(request).await.expect("infallible");
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        (parts.status, parts.headers, String::from_utf8_lossy(&body).into_owned())
    }
}

/// The first code of a refusal.
pub fn code<T: std::fmt::Debug>(result: Result<T, base::Error>) -> String {
    let error = result.expect_err("a refusal");
    let problems = error.problems().unwrap_or_else(|| panic!("{error}"));
    problems.iter().next().expect("a problem").code.clone()
}
