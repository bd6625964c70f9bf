//! Three nodes as people run them: an operator, an agency that asks and one that answers. Real sockets, real TLS, real logs.

use std::{
    net::SocketAddr,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

use ::exchange::{
    access::{
        Side,
        model::{Command, Request, ServiceDraft, SignInDraft, SystemDraft, TermsDraft},
    },
    directory::{join::NewNode, membership::Approve},
    journal::Filter,
    model::{
        federation::Badge,
        identifier::{Part, ServiceId},
        rights::GrantId,
    },
};
use axum::{
    Json,
    extract::Path as Segment,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
};
use base::{Text, time::SystemClock};
use identity::{Actor, OfficerActor, OfficerId, Role, Roles};
use ledger::Signer as _;
use uuid::Uuid;

mod consulting;
mod enterprises;
mod founding;
mod gateways;
mod hsm;
mod joining;
mod line;
mod merging;
mod own;
mod purposes;
mod registries;
mod rotation;
mod tracking;
mod unheard;
mod watching;

use super::*;
use crate::{
    conformance::{keeps_the_rules, key},
    ledger::config::{Witness, Witnessing},
    node::{MIGRATIONS, Node as Whole, open_store},
    ports,
};

pub(crate) const AGENCY: &str = "H42.28";

/// One node of the federation.
pub(crate) struct Town {
    pub(crate) whole: Whole,
    pub(crate) config: Config,
    pub(crate) url: String,
    task: tokio::task::JoinHandle<anyhow::Result<()>>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
}

pub(crate) fn config(data: &Path) -> (Config, String) {
    config_with(data, "")
}

/// With further lines of `[dossiers]`.
fn config_with(data: &Path, dossiers: &str) -> (Config, String) {
    let (text, url) = config_text(data, dossiers);
    (toml::from_str(&text).expect("a configuration"), url)
}

pub(crate) fn config_text(data: &Path, dossiers: &str) -> (String, String) {
    let (http, edge, peers) = (ports::one(), ports::one(), ports::one());
    let url = format!("http://{http}");
    let text = format!(
        "data = {data:?}\n[http]\nlisten = \"{http}\"\n[identity]\npublic_url = \"{url}\"\n[dossiers]\nagencies = {{ commune = \"{AGENCY}\", \
         province = \"{AGENCY}\", ministry = \"{AGENCY}\", agency = \"{AGENCY}\" }}\n{dossiers}\n[exchange]\nagency = \"{AGENCY}\"\nedge = \"{edge}\"\n\
         peers = \"{peers}\"\n"
    );
    (text, url)
}

impl Town {
    pub(crate) async fn serve(config: Config, url: String) -> Self {
        let store = open_store(&config).await.expect("a database");
        store.migrate(MIGRATIONS, SystemClock.now()).await.expect("migrated");
        let whole = Whole::open(config.clone(), store).await.expect("a node");
        let (ready, started) = tokio::sync::oneshot::channel();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let asked = async {
            // Who only drops the town goes on serving what is connected.
            if stopped.await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let task = tokio::spawn(crate::serve::serve_until(asked, whole.clone(), move |_| {
            let _ = ready.send(());
        }));
        let started = started.await;
        assert!(started.is_ok(), "{:?}", task.await);
        Self {
            whole,
            config,
            url,
            task,
            stop: Some(stop),
        }
    }

    /// Stops serving, as the process does when it is asked to.
    async fn stop(mut self) {
        let asked = self.stop.take().map(|stop| stop.send(()));
        assert_eq!(asked, Some(Ok(())));
        let served = (&mut self.task).await.expect("it ends");
        served.expect("served");
    }

    pub(crate) fn joined(&self) -> Arc<Joined> {
        let exchange = self.whole.exchange().expect("an exchange");
        Arc::clone(exchange.member.as_ref().expect("a member"))
    }

    pub(crate) fn edge(&self) -> SocketAddr {
        self.config.exchange.as_ref().expect("an exchange").edge
    }

    /// An officer who looks after its exchange.
    fn steward(&self) -> Ctx {
        steward_of(&self.config.exchange.as_ref().expect("an exchange").agency)
    }

    pub(crate) async fn system(&self, subsystem: &str) {
        let draft = SystemDraft {
            subsystem: subsystem.to_owned(),
            agency: self.config.exchange.as_ref().expect("an exchange").agency.clone(),
            name_vi: "Hệ thống một cửa".to_owned(),
            sign_in: SignInDraft::Open,
            ..SystemDraft::default()
        };
        let added = self.joined().access.add_system(&self.steward(), &draft).await;
        added.expect("a system");
        self.tell().await;
    }

    /// Tells the directory now, not in a quarter of a minute.
    pub(crate) async fn tell(&self) {
        let joined = self.joined();
        joined.access.hosted().refresh().await.expect("refreshed");
        joined.publish().await.expect("published");
    }

    pub(crate) async fn learn(&self) {
        self.joined().follower.refresh().await.expect("a newer directory");
    }

    pub(crate) async fn call(&self, target: &str) -> (u16, serde_json::Value) {
        let answer = reqwest::Client::new()
            .get(format!("http://{}{target}", self.edge()))
            .header("X-Road-Client", ASKS)
            .header("X-Motcua-Purpose", "dossier.verify")
            .header("X-Road-Issue", "H42.28-261111-0001")
            .send()
            .await
            .expect("an answer");
        let status = answer.status().as_u16();
        let text = answer.text().await.expect("a body");
        (
            status,
            serde_json::from_str(&text).unwrap_or(serde_json::Value::String(text)),
        )
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) fn steward() -> Ctx {
    steward_of(AGENCY)
}

fn steward_of(agency: &str) -> Ctx {
    let now = SystemClock.now();
    Ctx {
        actor: Actor::Officer(OfficerActor {
            officer: OfficerId::from_uuid(Uuid::from_u128(7)),
            name: "Trần Văn Quản".to_owned(),
            title: "Quản trị".to_owned(),
            agency: agency.to_owned(),
            roles: Roles::NONE.with(Role::Administrator).with(Role::Auditor),
        }),
        now,
        request_id: Uuid::from_u128(1),
        lang: base::Lang::Vi,
    }
}

const ASKS: &str = "VN/GOV/000.00.00.H42/motcua";
const ANSWERS: &str = "VN/GOV/000.00.00.G01/dancu";

/// Makes a node's keys and lets it join.
pub(crate) async fn member(operator: &Town, (config, url): (Config, String), member: &str, name: &str) -> Town {
    let new = new_node(&config, &url, member, name);
    joining_as(operator, config, url, &new).await
}

/// The same, of a node that others reach by a line.
async fn member_by(
    operator: &Town,
    (config, url): (Config, String),
    member: &str,
    name: &str,
    line: &line::Line,
) -> Town {
    let mut new = new_node(&config, &url, member, name);
    new.address = line.at.to_string();
    joining_as(operator, config, url, &new).await
}

/// What `motcua node init` says of it.
fn new_node(config: &Config, url: &str, member: &str, name: &str) -> NewNode {
    let peers = config.exchange.as_ref().expect("an exchange").peers;
    NewNode {
        member: member.parse().expect("a member"),
        name: Text::new(name, name),
        gateway: Part::new("ss1").expect("a part"),
        address: peers.to_string(),
        hosts: Vec::new(),
        algorithm: trust::Algorithm::Ed25519,
        tls_key: None,
        log_key: None,
        log_url: Some(format!("{url}/ledger")),
    }
}

async fn joining_as(operator: &Town, config: Config, url: String, new: &NewNode) -> Town {
    join_only(operator, &config, new).await;
    Town::serve(config, url).await
}

/// Joins without serving.
async fn join_only(operator: &Town, config: &Config, new: &NewNode) {
    let folder = config.data.join(commands::FOLDER);
    let mut node = join::Node::init(&folder, new).expect("keys");
    let meeting = join::Operator::at(&operator.url, PATIENCE)
        .expect("an address")
        .meet()
        .await;
    let meeting = meeting.expect("the operator answers");
    let fingerprint = meeting.fingerprint();
    let known = meeting.confirm(fingerprint).expect("the same root");
    std::fs::write(folder.join(commands::OPERATOR), &operator.url).expect("written");
    node.apply(&known, None, None, SystemClock.now())
        .await
        .expect("applied");
    let polled = node.poll(&known.operator, Arc::new(SystemClock)).await.expect("asked");
    assert!(
        matches!(polled, join::Progress::Pending),
        "nobody is in before the operator says so"
    );

    let membership = operator
        .whole
        .exchange()
        .and_then(|e| e.operator.clone())
        .expect("the operator");
    let waiting = membership
        .applications(
            &steward(),
            ::exchange::directory::membership::ApplicationStanding::Pending,
            None,
            10,
        )
        .await
        .expect("a list");
    let id = waiting
        .0
        .iter()
        .find(|a| a.member == new.member)
        .expect("the application")
        .id;
    let approve = Approve {
        adds_to_member: new.gateway.as_str() != "ss1",
    };
    membership
        .approve(&steward(), base::Id::from_uuid(id), approve)
        .await
        .expect("approved");
    let polled = node.poll(&known.operator, Arc::new(SystemClock)).await.expect("asked");
    assert!(matches!(polled, join::Progress::Joined { .. }));
}

/// What an agency may do with a service.
fn terms(path: &str, purpose: &str, fields: &str) -> Request {
    terms_by("GET", path, purpose, fields)
}

fn terms_by(method: &str, path: &str, purpose: &str, fields: &str) -> Request {
    let today = SystemClock.now().legal_date();
    let terms = TermsDraft {
        methods: vec![method.to_owned()],
        path: path.to_owned(),
        purposes: purpose.to_owned(),
        legal_basis: "Điều 11 Luật Căn cước 26/2023/QH15".to_owned(),
        from: today.to_string(),
        to: today
            .checked_add(jiff::Span::new().days(90))
            .expect("a date")
            .to_string(),
        fields: fields.to_owned(),
        ..TermsDraft::default()
    };
    Request {
        terms: terms.read().expect("good terms"),
        reason: "Xác minh nhân thân khi giải quyết hồ sơ".to_owned(),
        renews: None,
    }
}

/// Offers the register at one node, and has access asked for at the other and granted.
async fn granted(asks: &Town, answers: &Town) {
    asks.system(ASKS).await;
    answers.system(ANSWERS).await;
    let service = ServiceDraft {
        provider: ANSWERS.to_owned(),
        code: "persons".to_owned(),
        name_vi: "Tra cứu dân cư".to_owned(),
        url: register().await.0,
        subjects: "path 2".to_owned(),
        action: "Tra cứu thông tin dân cư".to_owned(),
        ..ServiceDraft::default()
    };
    answers
        .joined()
        .access
        .add_service(&steward(), &service)
        .await
        .expect("a service");
    answers.tell().await;
    asks.learn().await;
    answers.learn().await;
    grant(asks, answers).await;
}

async fn grant(asks: &Town, answers: &Town) {
    let terms = terms("/persons/*", "dossier.verify", "/number\n/name\n/asked_by");
    grant_of(asks, answers, "persons", terms).await;
}

/// Asked for on one node, granted on the other.
async fn grant_of(asks: &Town, answers: &Town, service: &str, request: Request) {
    grant_by(asks, answers, &format!("{ANSWERS}/{service}"), request).await;
}

async fn grant_by(asks: &Town, answers: &Town, service: &str, request: Request) -> GrantId {
    grant_to(ASKS, asks, answers, service, request).await
}

/// The same for any system of the node that asks.
async fn grant_to(consumer: &str, asks: &Town, answers: &Town, service: &str, request: Request) -> GrantId {
    let grant = base::Id::new(SystemClock.now());
    let (consumer, provided) = (
        consumer.parse::<SubsystemId>().expect("a system"),
        service.parse().expect("a service"),
    );
    let ours = asks.joined();
    ours.access
        .request(&asks.steward(), grant, &consumer, &provided, &request)
        .await
        .expect("asked");
    let theirs = answers.joined();
    let seen = until("the request comes to the provider's node", async || {
        theirs
            .access
            .grant(&answers.steward(), Side::Incoming, grant)
            .await
            .ok()
    })
    .await;
    let yes = Command::Approve {
        terms: seen.file.asked.clone(),
        note: String::new(),
    };
    theirs
        .access
        .command(
            &answers.steward(),
            Side::Incoming,
            grant,
            &yes,
            seen.file.seq,
            Uuid::new_v4(),
        )
        .await
        .expect("approved");
    theirs.access.hosted().refresh().await.expect("refreshed");
    grant
}

/// An operator of a new federation.
async fn founded(dir: &Path) -> Town {
    // The same provider as the binary installs at its start.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let (config, url) = config(&dir.join("op"));
    operator::found(&config.data, &Part::new("VN").expect("a part"), SystemClock.now()).expect("founded");
    Town::serve(config, url).await
}

/// A register of persons behind a node, and the switch that makes it tell of somebody else.
pub(crate) async fn register() -> (String, Arc<AtomicBool>) {
    let lies = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&lies);
    let person = async move |Segment(number): Segment<String>, headers: HeaderMap| {
        let asked = headers
            .get("x-road-client")
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        if number.len() != 12 || !number.bytes().all(|c| c.is_ascii_digit()) {
            return problem(StatusCode::UNPROCESSABLE_ENTITY);
        }
        let born = if told.load(Ordering::Relaxed) {
            "2/5/1990"
        } else {
            "1990-05-02"
        };
        let body =
            serde_json::json!({"number": number, "name": "Nguyễn Văn An", "birth_date": born, "asked_by": asked});
        Json(body).into_response()
    };
    let app = Router::new()
        .route("/api/v1/persons/{number}", get(person))
        .fallback(async || problem(StatusCode::NOT_FOUND))
        .method_not_allowed_fallback(async || problem(StatusCode::METHOD_NOT_ALLOWED));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, app).await });
    (format!("http://{address}/api/v1"), lies)
}

fn problem(status: StatusCode) -> Response {
    let body = serde_json::json!({"type": "about:blank", "title": "No", "status": status.as_u16(), "problems": []});
    let kind = [(http::header::CONTENT_TYPE, "application/problem+json")];
    (status, kind, body.to_string()).into_response()
}

/// How the register describes itself.
fn description() -> serde_json::Value {
    let problem = serde_json::json!({"description": "No", "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}});
    serde_json::json!({
        "openapi": "3.1.0", "info": {"title": "Dân cư", "version": "1"}, "servers": [{"url": "https://dancu.example.vn/api/v1"}],
        "security": [],
        "paths": {"/persons/{number}": {"get": {
            "operationId": "read_person",
            "parameters": [{"name": "number", "in": "path", "required": true, "description": "Số định danh",
                            "schema": {"type": "string", "pattern": "^[0-9]{12}$", "example": "037190001234"}}],
            "responses": {
                "200": {"description": "The person", "content": {"application/json": {"schema": {
                    "type": "object", "required": ["number", "name", "birth_date"],
                    "properties": {
                        "number": {"type": "string", "description": "Number"},
                        "name": {"type": "string", "description": "Name"},
                        "birth_date": {"type": "string", "format": "date", "description": "Birth"},
                        "asked_by": {"type": "string", "description": "Who asked"}}}}}},
                "default": problem}}}},
        "components": {"schemas": {"Problem": {"type": "object", "required": ["title", "status"], "properties": {
            "type": {"type": "string", "description": "Type"},
            "title": {"type": "string", "description": "Title"},
            "status": {"type": "integer", "description": "Status"},
            "problems": {"type": "array", "description": "All", "items": {"type": "object", "properties": {
                "code": {"type": "string", "description": "Code"}, "at": {"type": "string", "description": "Where"},
                "vi": {"type": "string", "description": "Vietnamese"}, "en": {"type": "string", "description": "English"}}}}}}}},
    })
}

/// What a node's directory says that a service's conformance is.
fn badge(town: &Town, service: &ServiceId) -> Option<Badge> {
    let standing = town.joined().follower.standing().load_full();
    standing
        .view
        .service(service)
        .and_then(|(_, service)| service.badge.clone())
}

pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
