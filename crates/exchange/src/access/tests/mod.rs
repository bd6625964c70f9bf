//! Two nodes on each engine that talk through a wire of the test, which can be cut.

mod clocks;
mod explained;
mod hosting;
mod nodes;
mod peers;
mod site;
mod stewards;
mod workflow;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use ::store::{Store, jobs::Runner, testkit};
use axum::{Router, body::Body};
use base::{Calendar, Clock, Lang, Timestamp, time::FixedClock};
use bytes::Bytes;
use http_body_util::BodyExt;
use identity::{Actor, Ctx, Entropy, OfficerActor, OfficerId, Role, Roles, Sealer};
use tower::ServiceExt;
use uuid::Uuid;

use super::{
    Access, Config, Side, handlers,
    model::{Command, File, Request, ServiceDraft, SignInDraft, SystemDraft, Terms, TermsDraft},
    peer,
};
use crate::Caller;
use crate::model::{
    error::{ErrorCode, Refusal},
    identifier::{ServiceId, SubsystemId},
    rights::GrantId,
};

/// Wednesday 25 November 2026, 9:00 in Viet Nam.
pub const START: &str = "2026-11-25T09:00:00+07:00";
pub const CONSUMER: &str = "VN/GOV/H57/motcua";
pub const PROVIDER: &str = "VN/GOV/G01/dancu";
pub const SERVICE: &str = "VN/GOV/G01/dancu/persons";

pub fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).expect(text)
}

pub fn calendar() -> Calendar {
    let text = include_str!("../../../../../data/calendar/viet-nam.toml");
    Calendar::new(toml::from_str(text).expect("TOML")).expect("a sound calendar")
}

/// Another one each time.
pub fn new_id() -> Uuid {
    GrantId::new(at(START)).uuid()
}

pub fn consumer() -> SubsystemId {
    CONSUMER.parse().expect("a subsystem")
}

pub fn service() -> ServiceId {
    SERVICE.parse().expect("a service")
}

pub fn draft() -> TermsDraft {
    TermsDraft {
        methods: vec!["GET".into()],
        path: "/persons/*".into(),
        purposes: "dossier.verify, statistics".into(),
        legal_basis: "Điều 11 Luật Căn cước 26/2023/QH15".into(),
        from: "25/11/2026".into(),
        to: "2027-11-24".into(),
        rate_calls: "100".into(),
        rate_seconds: "60".into(),
        rate_burst: "20".into(),
        fields: "/name\n/born".into(),
    }
}

pub fn terms() -> Terms {
    draft().read().expect("good terms")
}

pub fn request() -> Request {
    Request {
        terms: terms(),
        reason: "Xác minh nơi cư trú khi giải quyết hồ sơ".into(),
        renews: None,
    }
}

pub fn actor(agency: &str, roles: &[Role]) -> Actor {
    Actor::Officer(OfficerActor {
        officer: OfficerId::from_uuid(Uuid::from_u128(7)),
        name: "Trần Thị <b>Bình</b>".into(),
        title: "Chuyên viên".into(),
        agency: agency.into(),
        roles: Roles::of(roles),
    })
}

/// One node.
pub struct Node {
    pub access: Access,
    pub store: Store,
    pub clock: FixedClock,
    pub agency: &'static str,
}

impl Node {
    async fn open(store: Store, clock: FixedClock, member: &str, agency: &'static str) -> Self {
        let config = Config {
            members: BTreeMap::from([(member.parse().expect("a member"), agency.to_owned())]),
            ..Config::default()
        };
        Self::with(store, clock, config, agency).await
    }

    /// The node of the provider with another secret.
    pub async fn with_sealer(store: Store, clock: FixedClock, sealer: Sealer) -> Self {
        Self::sealed(store, clock, Config::default(), "G01", sealer).await
    }

    async fn with(store: Store, clock: FixedClock, config: Config, agency: &'static str) -> Self {
        Self::sealed(store, clock, config, agency, Sealer::new([7; 32])).await
    }

    async fn sealed(store: Store, clock: FixedClock, config: Config, agency: &'static str, sealer: Sealer) -> Self {
        let access = Access::open(
            store.clone(),
            Arc::new(clock.clone()),
            calendar(),
            config,
            Entropy::seeded(5),
            sealer,
            Arc::new(|| Some(directory())),
        )
        .await
        .expect("access opens");
        Self {
            access,
            store,
            clock,
            agency,
        }
    }

    pub fn ctx(&self, actor: Actor) -> Ctx {
        Ctx {
            actor,
            now: self.clock.now(),
            request_id: Uuid::from_u128(1),
            lang: Lang::Vi,
        }
    }

    /// The steward of this node's agency.
    pub fn steward(&self) -> Ctx {
        self.ctx(actor(self.agency, &[Role::Administrator]))
    }

    pub async fn add_system(&self, subsystem: &str) {
        let draft = SystemDraft {
            subsystem: subsystem.into(),
            agency: self.agency.into(),
            name_vi: format!("Hệ thống {subsystem}"),
            sign_in: SignInDraft::Networks,
            networks: "10.1.2.0/24".into(),
            ..SystemDraft::default()
        };
        self.access.add_system(&self.steward(), &draft).await.expect("a system");
    }

    pub async fn add_service(&self) -> Uuid {
        let draft = service_draft();
        self.access
            .add_service(&self.steward(), &draft)
            .await
            .expect("a service")
    }

    pub async fn command(&self, side: Side, id: GrantId, command: Command) -> base::Result<()> {
        let seen = self.file(side, id).await.seq;
        let order = new_id();
        self.access
            .command(&self.steward(), side, id, &command, seen, order)
            .await
    }

    /// The row of a grant, after making sure that it is the fold over the log.
    pub async fn file(&self, side: Side, id: GrantId) -> File {
        let db = self.store.read();
        let row = super::store::grant(&db, id, side)
            .await
            .expect("a read")
            .expect("a row");
        let file = row.file().expect("a file");
        let log = super::store::log(&db, id, side, 0).await.expect("a log");
        if let Some(last) = log.last() {
            let mut fold = File::filed(
                id,
                file.consumer.clone(),
                file.service.clone(),
                file.asked.clone(),
                String::new(),
                None,
                log[0].at,
            );
            for entry in &log {
                fold.apply(entry).expect("a log that can be");
            }
            assert_eq!(fold, file, "the row is the fold");
            assert_eq!(file.seq, last.seq);
        }
        file
    }

    pub async fn jobs(&self, wire: &Arc<Wire>) {
        let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
        let runner = handlers(Runner::new(self.store.clone(), clock), &self.access, Arc::clone(wire));
        while runner.run_due().await.expect("jobs run") > 0 {}
    }
}

pub fn service_draft() -> ServiceDraft {
    ServiceDraft {
        provider: PROVIDER.into(),
        code: "persons".into(),
        name_vi: "Tra cứu dân cư".into(),
        name_en: "Population".into(),
        url: "http://127.0.0.1:9/api".into(),
        subjects: "path 2".into(),
        action: "Tra cứu thông tin dân cư".into(),
        ..ServiceDraft::default()
    }
}

/// A directory with the service of the provider.
pub fn directory() -> crate::model::federation::Standing {
    use crate::model::federation::{Directory, Freshness, Standing, View};
    let directory: Directory = serde_json::from_value(serde_json::json!({
        "instance": "VN",
        "name": {"vi": "Liên thông thử", "en": "Trial"},
        "version": 1,
        "issued": 0,
        "members": [
            {"id": "VN/GOV/G01", "name": {"vi": "Bộ Công an"}, "since": 0,
             "gateways": [{"code": "g1", "address": "10.9.0.1:5500", "keys": [], "log": "g01.example/log", "log_keys": []}],
             "subsystems": [{"code": "dancu", "name": {"vi": "Dân cư"}, "services": [
                {"code": "persons", "name": {"vi": "Tra cứu dân cư", "en": "Population"}, "kind": "rest"},
                {"code": "gone", "name": {"vi": "Dịch vụ đã bỏ"}, "kind": "rest"}]}]},
            {"id": "VN/GOV/H57", "name": {"vi": "Tỉnh H57"}, "since": 0,
             "subsystems": [{"code": "motcua", "name": {"vi": "Một cửa"}}]},
            {"id": "VN/GOV/H99", "name": {"vi": "Tỉnh bị đình chỉ"}, "since": 0, "suspended": 1,
             "subsystems": [{"code": "x", "name": {"vi": "X"}}]}]
    }))
    .expect("a directory");
    Standing {
        view: Arc::new(View::new(directory).expect("a sound directory")),
        freshness: Freshness::Fresh,
    }
}

/// What stands for the exchange: it knows who calls and brings the call to the provider's node, unless it is cut.
#[derive(Default)]
pub struct Wire {
    pub cut: AtomicBool,
    pub calls: AtomicU32,
    /// Answers that get lost on the way back.
    pub lost: AtomicU32,
    homes: Mutex<BTreeMap<String, Router>>,
}

impl Wire {
    pub fn to(nodes: &[(&str, &Node)]) -> Arc<Self> {
        let wire = Self::default();
        for (provider, node) in nodes {
            let router = peer::router(node.access.clone());
            wire.homes.lock().expect("homes").insert((*provider).to_owned(), router);
        }
        Arc::new(wire)
    }
}

impl Caller for Wire {
    fn call<'a>(
        &'a self,
        client: &'a SubsystemId,
        request: http::Request<Bytes>,
    ) -> futures::future::BoxFuture<'a, Result<http::Response<Bytes>, Refusal>> {
        Box::pin(async move {
            self.calls.fetch_add(1, Ordering::SeqCst);
            if self.cut.load(Ordering::SeqCst) {
                return Err(Refusal::new(ErrorCode::ClientNetworkError));
            }
            let target = request.uri().to_string();
            let (_, target) = target.split_once("/r1/").expect("a target of the edge");
            let (provider, path) = target.split_once("/motcuaAccess").expect("the service of access");
            let router = self.homes.lock().expect("homes").get(provider).cloned();
            let router = router.ok_or_else(|| Refusal::new(ErrorCode::UnknownMember))?;
            assert_eq!(request.headers()["x-motcua-purpose"], peer::CALL_PURPOSE);
            let (mut parts, body) = request.into_parts();
            parts.uri = path.parse().expect("a path");
            parts
                .headers
                .insert("x-road-client", client.to_string().parse().expect("a header"));
            let answer = router
                .oneshot(http::Request::from_parts(parts, Body::from(body)))
                .await
                .expect("infallible");
            let (parts, body) = answer.into_parts();
            let body = body.collect().await.expect("a body").to_bytes();
            let lost = self
                .lost
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
            if lost.is_ok() {
                return Err(Refusal::new(ErrorCode::ClientIoError));
            }
            Ok(http::Response::from_parts(parts, body))
        })
    }
}

/// A consumer's and a provider's node on each engine, with a wire between them.
pub async fn pairs() -> Vec<(Node, Node, Arc<Wire>)> {
    let sets = [identity::MIGRATIONS, crate::MIGRATIONS];
    let mut pairs = Vec::new();
    for (ours, theirs) in testkit::stores(&sets)
        .await
        .into_iter()
        .zip(testkit::stores(&sets).await)
    {
        let clock = FixedClock::at(at(START));
        let consumer = Node::open(ours, clock.clone(), "VN/GOV/H57", "H57").await;
        let provider = Node::open(theirs, clock, "VN/GOV/G01", "G01").await;
        consumer.add_system(CONSUMER).await;
        provider.add_system(PROVIDER).await;
        provider.add_service().await;
        let wire = Wire::to(&[(PROVIDER, &provider)]);
        pairs.push((consumer, provider, wire));
    }
    assert!(!pairs.is_empty());
    pairs
}

/// A request that both nodes know.
pub async fn filed(ours: &Node, wire: &Arc<Wire>) -> GrantId {
    let id = GrantId::new(ours.clock.now());
    ours.access
        .request(&ours.steward(), id, &consumer(), &service(), &request())
        .await
        .expect("a good request");
    ours.jobs(wire).await;
    id
}
