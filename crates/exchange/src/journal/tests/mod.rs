//! The journal over a log that holds real records, on every engine.

mod evidence;
mod folding;
mod logs;
mod operations;
mod pages;
mod tracker;

use std::sync::Arc;

use ::store::{Store, testkit};
use axum::{
    Extension, Router,
    body::Body,
    http::{Request, StatusCode, header},
};
use base::{Calendar, Lang, Text, Timestamp, time::FixedClock};
use http_body_util::BodyExt;
use identity::{
    Actor, Assurance, Ctx, Entropy, IdentityState, NewAccount, OfficerActor, OfficerId, PersonActor, Role, Roles, Shell,
};
use ledger::{Algorithm, FileKey, Kind, Ledger, Log, Options, Policy, Signer};
use tower::ServiceExt;
use uuid::Uuid;

use super::{ASK_SERVICE, Config, Journal, PROVIDER_SERVICE, Parts};
use crate::Caller;
use crate::model::{
    Field, Meanings, Method,
    address::Target,
    federation::{Directory, Gateway, Member, Service, Subsystem, View},
    identifier::{MemberId, Part, ServiceId, SubsystemId},
    message::{AnswerRecord, ContentDigest, LogName, RequestLeaf, RequestRecord},
    meta::ServiceKind,
    tracker::{ReadRecord, SubjectKey},
};

/// The log of the node, which runs the population database of `G01`.
pub const ORIGIN: &str = "g01.example/exchange";
/// The log of the province that asks.
pub const OTHER: &str = "h26.example/exchange";
pub const AGENCY: &str = "G01";
/// 25 November 2026, 09:00 in Viet Nam: a Wednesday.
pub const NOW: Timestamp = Timestamp::from_micros(1_795_572_000_000_000);
pub const PERSON: &str = "037190001234";
pub const CLIENT: &str = "VN/GOV/000.00.00.H26/motcua";
pub const SERVICE: &str = "VN/GOV/000.00.00.G01/dancu/nhanthan";

pub struct Node {
    pub journal: Journal,
    pub log: Arc<Log>,
    pub key: Arc<FileKey>,
    pub store: Store,
    pub identity: IdentityState,
    pub clock: FixedClock,
    app: Router,
    _folder: tempfile::TempDir,
}

/// A node on each engine, with these changes to its settings.
pub async fn nodes(change: impl Fn(&mut Config)) -> Vec<Node> {
    nodes_with(change, None).await
}

pub async fn nodes_with(change: impl Fn(&mut Config), caller: Option<Arc<dyn Caller>>) -> Vec<Node> {
    let mut nodes = Vec::new();
    for store in testkit::stores(&[identity::MIGRATIONS, crate::MIGRATIONS]).await {
        let clock = FixedClock::at(NOW);
        let folder = tempfile::tempdir().expect("a folder");
        let key = Arc::new(FileKey::generate(ORIGIN, Algorithm::Ed25519).expect("a key"));
        let log = open(folder.path(), &key, &clock);
        let identity = IdentityState::new(
            store.clone(),
            identity::Config::default(),
            &[9; 32],
            Arc::new(clock.clone()),
            Entropy::system(),
            Shell::default(),
        )
        .expect("good settings");
        let mut config = config();
        change(&mut config);
        let journal = Journal::new(Parts {
            store: store.clone(),
            log: Arc::clone(&log),
            former: Vec::new(),
            identity: identity.clone(),
            directory: directory(&key),
            calendar: calendar(),
            clock: Arc::new(clock.clone()),
            caller: caller.clone(),
            config,
        })
        .expect("good settings");
        let (api, _) = super::api(journal.clone()).split_for_parts();
        let app = super::pages(journal.clone()).merge(api);
        nodes.push(Node {
            journal,
            log,
            key,
            store,
            identity,
            clock,
            app,
            _folder: folder,
        });
    }
    assert!(!nodes.is_empty());
    nodes
}

fn open(folder: &std::path::Path, key: &Arc<FileKey>, clock: &FixedClock) -> Arc<Log> {
    let mut options = Options::new(key.name(), Arc::<FileKey>::clone(key));
    options.clock = Arc::new(clock.clone());
    Arc::new(Log::open(folder, options).expect("the log opens"))
}

pub fn config() -> Config {
    let mut config = Config::new(AGENCY, id("VN/GOV/000.00.00.G01/motcua"), SubjectKey::new([5; 32]));
    config.meanings = Meanings::default().with([(
        "dossier.verify".parse().expect("a purpose"),
        Text::new("Xác minh thông tin trong hồ sơ", "Verifying a dossier"),
    )]);
    config
}

pub fn calendar() -> Calendar {
    let data = include_str!("../../../../../data/calendar/viet-nam.toml");
    Calendar::new(toml::from_str(data).expect("TOML")).expect("sound")
}

pub fn id<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().expect(text)
}

/// The node's agency, the province, and a third that answers `findUsage` elsewhere.
pub fn directory(key: &FileKey) -> super::DirectoryNow {
    let part = |text: &str| Part::new(text).expect(text);
    let system = |code: &str, services: &[&str]| Subsystem {
        code: part(code),
        name: Text::new(code, ""),
        services: services
            .iter()
            .map(|code| Service {
                code: part(code),
                name: Text::new("Tra cứu thông tin nhân thân", "Personal data"),
                kind: ServiceKind::Rest,
                description: None,
                badge: None,
                gateways: Vec::new(),
            })
            .collect(),
    };
    let member = |code: &str, name: &str, log: &str, keys: Vec<String>, subsystems: Vec<Subsystem>| Member {
        id: MemberId {
            instance: part("VN"),
            class: part("GOV"),
            code: part(code),
        },
        name: Text::new(name, ""),
        since: Timestamp::from_micros(0),
        suspended: None,
        gateways: vec![Gateway {
            code: part("g1"),
            address: "127.0.0.1:1".to_owned(),
            keys: Vec::new(),
            log: LogName::new(log).expect("a name"),
            log_keys: keys,
            log_url: None,
        }],
        subsystems,
    };
    let police = vec![
        system("dancu", &["nhanthan", PROVIDER_SERVICE]),
        system("motcua", &[ASK_SERVICE]),
    ];
    let province = vec![system("motcua", &["hoso", ASK_SERVICE])];
    let insurance = vec![system("bhxh", &[PROVIDER_SERVICE])];
    let keys = vec![key.verifier().to_string()];
    let view = View::new(Directory {
        instance: part("VN"),
        name: Text::new("Thử nghiệm", "Test"),
        version: 7,
        issued: NOW,
        anchors: Vec::new(),
        revocations: Vec::new(),
        members: vec![
            member("000.00.00.G01", "Bộ Công an", key.name(), keys, police),
            member("000.00.00.H26", "Tỉnh Thử Nghiệm", OTHER, Vec::new(), province),
            member(
                "000.00.00.G24",
                "Bảo hiểm Xã hội",
                "g24.example/exchange",
                Vec::new(),
                insurance,
            ),
        ],
        witnesses: Vec::new(),
        quorum: 0,
    });
    let view = Arc::new(view.expect("a sound directory"));
    Arc::new(move || Arc::clone(&view))
}

/// A message with its answer, as the node of the provider logs them.
pub struct Call {
    pub request_id: Uuid,
    pub message_id: String,
    pub request: RequestRecord,
    pub answer: AnswerRecord,
}

pub fn call(n: u128) -> Call {
    call_of(n, SERVICE, "", OTHER, ORIGIN)
}

/// Sent by the log `from`, answered by the log `to`.
pub fn call_of(n: u128, service: &str, path: &str, from: &str, to: &str) -> Call {
    let request_id = Uuid::from_u128(0x4000_8000_0000_0000_0000 << 32 | n);
    let message_id = format!("VN-{n}");
    let field = |name: &str, value: &str| Field::new(name.as_bytes(), value.as_bytes()).expect("a field");
    let request_id_text = request_id.to_string();
    let common = [
        field("X-Road-Client", CLIENT),
        field("X-Road-Id", &message_id),
        field("X-Road-Request-Id", &request_id_text),
    ];
    let created = u64::try_from(NOW.micros() / 1_000_000).expect("after 1970");
    let log = |name: &str| LogName::new(name).expect("a name");
    let request = RequestRecord::new(
        Method::Get,
        Target::parse(format!("/r1/{service}{path}").as_bytes()).expect("a target"),
        ContentDigest::of(b""),
        common.iter().cloned().chain([
            field("X-Motcua-Purpose", "dossier.verify"),
            field("X-Road-Issue", "H26-261125-0001"),
            field("X-Road-UserId", "VN001205000001"),
        ]),
        created,
        log(from),
    )
    .expect("a record");
    let answer = AnswerRecord::new(
        200,
        ContentDigest::of(b"{}"),
        RequestLeaf([7; 32]),
        common.into_iter().chain([
            field("X-Road-Service", service),
            field("X-Road-Request-Hash", "aGFzaA=="),
        ]),
        created + 1,
        log(to),
    )
    .expect("a record");
    Call {
        request_id,
        message_id,
        request,
        answer,
    }
}

/// A read of one person's data that belongs to a call.
pub fn read_of(call: &Call, person: &str, at: Timestamp) -> ReadRecord {
    ReadRecord {
        request: call.request_id,
        at,
        client: id(CLIENT),
        service: call.request.target().service().clone(),
        action: "Tra cứu thông tin nhân thân".to_owned(),
        purpose: id("dossier.verify"),
        user: None,
        issue: Some("H26-261125-0001".to_owned()),
        subjects: vec![SubjectKey::new([5; 32]).index(&id(person))],
        more: false,
    }
}

impl Node {
    /// Logs a call with its read, as the gateway does; gives the leaves of request, answer and read.
    pub async fn log_call(&self, call: &Call, read: Option<&ReadRecord>) -> [u64; 3] {
        let mut records = vec![
            (Kind::MESSAGE, call.request.to_bytes()),
            (Kind::MESSAGE, call.answer.to_bytes()),
        ];
        records.extend(read.map(|read| (Kind::READ, serde_json::to_vec(read).expect("JSON"))));
        let receipts = self.log.append_all(records).await.expect("stored");
        let leaf = |n: usize| receipts.get(n).map_or(u64::MAX, |receipt| receipt.index);
        [leaf(0), leaf(1), leaf(2)]
    }

    /// Ends the log of the node and begins another; the former stays where it is.
    pub fn begin_another(&mut self, origin: &str) {
        let key = Arc::new(FileKey::generate(origin, Algorithm::Ed25519).expect("a key"));
        let log = open(&self._folder.path().join("another"), &key, &self.clock);
        let former = Ledger {
            log: std::mem::replace(&mut self.log, log),
            keys: vec![std::mem::replace(&mut self.key, key).verifier()],
        };
        self.reopen(vec![former]);
    }

    /// Puts the journal together anew, as a start does.
    pub fn reopen(&mut self, former: Vec<Ledger>) {
        self.journal = Journal::new(Parts {
            store: self.store.clone(),
            log: Arc::clone(&self.log),
            former,
            identity: self.identity.clone(),
            directory: directory(&self.key),
            calendar: calendar(),
            clock: Arc::new(self.clock.clone()),
            caller: None,
            config: config(),
        })
        .expect("good settings");
    }

    /// From now on the pages are those of this journal.
    pub fn serve(&mut self, journal: &Journal) {
        self.app = super::pages(journal.clone());
    }

    pub fn policy(&self) -> Policy {
        Policy::log(self.key.verifier())
    }

    pub fn ctx(&self, actor: Actor) -> Ctx {
        Ctx {
            actor,
            now: self.now(),
            request_id: Uuid::from_u128(42),
            lang: Lang::Vi,
        }
    }

    pub fn now(&self) -> Timestamp {
        use base::Clock as _;
        self.clock.now()
    }

    pub fn forward(&self, seconds: i64) {
        self.clock.set(self.now().plus_seconds(seconds));
    }

    pub fn auditor(&self) -> Ctx {
        self.ctx(officer(AGENCY, Role::Auditor))
    }

    pub fn administrator(&self) -> Ctx {
        self.ctx(officer(AGENCY, Role::Administrator))
    }

    /// A signed-in person with that number.
    pub async fn person(&self, number: Option<&str>) -> Ctx {
        let mut new = NewAccount::named("e-id", number.unwrap_or("none"), "Nguyễn Văn An");
        new.person_number = number.map(str::to_owned);
        let system = Ctx::system("test", self.now());
        let account = self.identity.create_account(&system, &new).await.expect("an account");
        self.ctx(Actor::Person(PersonActor {
            account,
            name: new.name,
            person_number: new.person_number,
            birth_date: None,
            sex: None,
            phone: None,
            email: None,
            assurance: Assurance::Level2,
            organisation: None,
        }))
    }

    pub async fn get(&self, ctx: &Ctx, path: &str) -> Answer {
        self.send(ctx, Request::get(path).body(Body::empty()).expect("a request"))
            .await
    }

    pub async fn post(&self, ctx: &Ctx, path: &str, form: &[(&str, &str)]) -> Answer {
        let body: Vec<String> = form
            .iter()
            .map(|(name, value)| format!("{name}={}", super::api::encoded(value)))
            .collect();
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body.join("&")))
            .expect("a request");
        self.send(ctx, request).await
    }

    async fn send(&self, ctx: &Ctx, request: Request<Body>) -> Answer {
        let app = self
            .app
            .clone()
            .layer(Extension(ctx.clone()))
            .layer(Extension(self.identity.clone()))
            .layer(Extension(Arc::new(view::Site::default())));
        let (parts, body) = app.oneshot(request).await.expect("infallible").into_parts();
        let bytes = body.collect().await.expect("a whole body").to_bytes().to_vec();
        Answer {
            status: parts.status,
            location: parts
                .headers
                .get(header::LOCATION)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
                .to_owned(),
            body: String::from_utf8_lossy(&bytes).into_owned(),
            bytes,
        }
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub location: String,
    pub body: String,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

pub fn officer(agency: &str, role: Role) -> Actor {
    Actor::Officer(OfficerActor {
        officer: OfficerId::from_uuid(Uuid::from_u128(77)),
        name: "Trần Thị Bình".to_owned(),
        title: "Chuyên viên".to_owned(),
        agency: agency.to_owned(),
        roles: Roles::of(&[role]),
    })
}

/// The code of the first problem of a refusal.
pub fn code(error: &base::Error) -> &str {
    let first = error.problems().and_then(|problems| problems.iter().next());
    first.map_or("", |problem| problem.code.as_str())
}

pub fn subsystem(text: &str) -> SubsystemId {
    id(text)
}

pub fn service(text: &str) -> ServiceId {
    id(text)
}
