//! Nodes with their logs, certificates and listeners, all real, in one process.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use arc_swap::ArcSwap;
use axum::Router;
use base::{Clock, Text, Timestamp, time::FixedClock};
use exchange::{
    gateway::{Config, Gateway, Limits},
    model::monitor::OpRecord,
    model::{
        Purpose,
        error::Wire,
        federation::{self, Directory, Freshness, Member, Standing, View},
        hosting::{ClientSignIn, Hosting, LocalClient, LocalService, ServiceTarget},
        identifier::{MemberId, Part, ServerId, ServiceId, SubsystemId},
        message::LogName,
        meta::ServiceKind,
        rights::{Grant, GrantId, GrantState, Methods},
        tracker::{SubjectKey, SubjectRule},
    },
};
use ledger::{FileKey, Kind, Log, Options, Policy, Signer as _};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};
use traces::Tracer;
use trust::{
    Algorithm, Anchor, Authority, Certificate, CertificateRequest, KeyId, Revocations, Signer, Tls, TrustStore,
    ca::{Approval, Profile},
    certificate::Scope,
    key::SigningKey,
    tls::Credential,
};

pub const DAY: i64 = 86_400;

pub fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-21T08:00:00Z").expect("an instant")
}

/// `VN/GOV/{code}`.
pub fn member(code: &str) -> MemberId {
    format!("VN/GOV/{code}").parse().expect("a member")
}

/// What there is before there are nodes.
pub struct Federation {
    pub root: Authority,
    pub clock: FixedClock,
    pub folder: TempDir,
}

/// A member's certificate, its log and what the directory says of both.
pub struct Identity {
    pub code: String,
    pub tls: Tls,
    pub certificate: Certificate,
    pub key: KeyId,
    pub log: Arc<Log>,
    pub log_key: ledger::VerifierKey,
}

impl Federation {
    pub fn new() -> Self {
        let signer = Arc::new(SigningKey::generate(Algorithm::EcdsaP256).expect("a key"));
        Self {
            root: Authority::create("Một Cửa CA", signer, now(), 3_650).expect("a root"),
            clock: FixedClock::at(now()),
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    pub fn store(&self) -> TrustStore {
        let anchor = Anchor::new(self.root.certificate().clone(), Scope::Everyone).expect("a CA");
        TrustStore::new(vec![anchor], Revocations::default())
    }

    pub fn credential(&self, code: &str, days: u16) -> (Credential, Certificate) {
        let signer = Arc::new(SigningKey::generate(Algorithm::Ed25519).expect("a key"));
        let who = trust::MemberId::new("VN", "GOV", code).expect("a member");
        let hosts = vec!["127.0.0.1".to_owned()];
        let request = CertificateRequest::create(signer.as_ref() as &dyn Signer, &who, &hosts).expect("a request");
        let approval = Approval {
            request: request.fingerprint(),
            member: who,
            organization: "Cơ quan".to_owned(),
            hosts,
            profile: Profile::Node,
            days,
        };
        let certificate = self
            .root
            .issue(&request, &approval, self.clock.now())
            .expect("a certificate");
        let credential = Credential::new(std::slice::from_ref(&certificate), signer).expect("a pair");
        (credential, certificate)
    }

    pub fn identity(&self, code: &str, change: impl FnOnce(&mut Options)) -> Identity {
        let (credential, certificate) = self.credential(code, 90);
        let origin = format!("{}.example.vn/exchange", code.to_lowercase());
        let key = FileKey::generate(&origin, ledger::Algorithm::Ed25519).expect("a key");
        let log_key = key.verifier();
        let mut options = Options::new(&origin, Arc::new(key));
        options.clock = Arc::new(self.clock.clone());
        change(&mut options);
        let folder = self.folder.path().join(code);
        Identity {
            code: code.to_owned(),
            tls: Tls::new(credential, self.store(), Arc::new(self.clock.clone())),
            key: certificate.key_id(),
            certificate,
            log: Arc::new(Log::open(&folder, options).expect("a log")),
            log_key,
        }
    }
}

impl Identity {
    pub fn name(&self) -> LogName {
        LogName::new(self.log.origin()).expect("a name")
    }

    pub fn listed(&self, address: &str) -> federation::Gateway {
        federation::Gateway {
            code: Part::new("gw").expect("a code"),
            address: address.to_owned(),
            keys: vec![self.key],
            log: self.name(),
            log_keys: vec![self.log_key.to_string()],
            log_url: None,
        }
    }

    /// The records of messages in the log, in its order.
    pub fn records(&self) -> Vec<Vec<u8>> {
        self.leaves(Kind::MESSAGE)
    }

    pub fn leaves(&self, kind: Kind) -> Vec<Vec<u8>> {
        let entries = (0..self.log.size()).map(|n| self.log.entry(n).expect("an entry"));
        let entries = entries.filter(|entry| entry.commitment.kind() == kind);
        entries.map(|entry| entry.opening.expect("not erased").record).collect()
    }

    /// Every leaf is proved by texts and a key alone.
    pub fn verify_offline(&self) {
        let policy = Policy::log(self.log_key.clone());
        for n in 0..self.log.size() {
            let proof = self.log.disclose(n).expect("a proof").to_string();
            let verdict = ledger::verify(proof.as_bytes(), &policy, None).expect("it holds");
            assert_eq!(
                verdict.record(),
                Some(
                    self.log
                        .entry(n)
                        .expect("an entry")
                        .opening
                        .expect("there")
                        .record
                        .as_slice()
                )
            );
        }
    }
}

/// A running gateway.
pub struct Node {
    pub id: Identity,
    pub gateway: Gateway,
    pub hosting: Arc<ArcSwap<Hosting>>,
    pub directory: Arc<ArcSwap<Standing>>,
    pub edge: SocketAddr,
    pub peers: SocketAddr,
    pub operations: std::sync::Mutex<mpsc::Receiver<OpRecord>>,
    stop: tokio::sync::watch::Sender<bool>,
    serving: Vec<JoinHandle<()>>,
}

/// How a node differs from others.
pub struct Setup {
    pub limits: Limits,
    pub wire: Wire,
    pub hosting: Hosting,
    pub internal: BTreeMap<String, Router>,
    pub log: fn(&mut Options),
    pub tracer: Tracer,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            wire: Wire::default(),
            hosting: Hosting::default(),
            internal: BTreeMap::new(),
            log: |_| {},
            tracer: Tracer::default(),
        }
    }
}

/// A consumer A, a provider B, and the directory with whoever else.
pub struct World {
    pub federation: Federation,
    pub a: Node,
    pub b: Node,
}

pub fn service(code: &str) -> ServiceId {
    format!("VN/GOV/B/reg/{code}").parse().expect("a service")
}

pub fn client() -> SubsystemId {
    "VN/GOV/A/app".parse().expect("a subsystem")
}

pub fn purpose() -> Purpose {
    "dossier.verify".parse().expect("a purpose")
}

pub fn grant(code: &str) -> Grant {
    Grant {
        id: GrantId::new(now()),
        consumer: client(),
        service: service(code),
        methods: Methods::Any,
        path: "**".parse().expect("a pattern"),
        purposes: BTreeSet::from([purpose()]),
        legal_basis: "Điều 11 Luật Căn cước 26/2023/QH15".to_owned(),
        from: now().plus_seconds(-DAY),
        to: now().plus_seconds(DAY),
        rate: None,
        mask: None,
        state: GrantState::Active,
    }
}

pub fn at(url: &str) -> LocalService {
    LocalService {
        target: ServiceTarget::Url(url.to_owned()),
        kind: ServiceKind::Rest,
        open: false,
        disabled: None,
        timeout: Duration::from_secs(10),
        verify_certificate: true,
        credential: None,
        subjects: SubjectRule::default(),
        action: "Tra cứu".to_owned(),
        endpoints: Vec::new(),
        openapi: None,
    }
}

impl Setup {
    /// An open client `VN/GOV/A/app`.
    pub fn consumer() -> Self {
        let mut setup = Self::default();
        let open = LocalClient {
            sign_in: ClientSignIn::Open,
            purpose: None,
        };
        setup.hosting.clients.insert(client(), open);
        setup
    }

    /// A provider of services, each with a grant.
    pub fn provider(services: impl IntoIterator<Item = (&'static str, LocalService)>) -> Self {
        let mut setup = Self::default();
        for (code, local) in services {
            setup.hosting.services.insert(service(code), local);
            setup.hosting.grants.insert(service(code), vec![grant(code)]);
        }
        setup
    }
}

pub async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    (listener, address)
}

/// An entry of the directory.
pub fn entry(code: &str, gateways: Vec<federation::Gateway>, subsystems: &[(&str, &[&str])]) -> Member {
    let text = |text: &str| Text::new(text, text);
    let subsystem = |(code, services): &(&str, &[&str])| federation::Subsystem {
        code: Part::new(code).expect("a code"),
        name: text(code),
        services: services
            .iter()
            .map(|code| federation::Service {
                code: Part::new(code).expect("a code"),
                name: text(code),
                kind: ServiceKind::Rest,
                description: None,
                badge: None,
                gateways: Vec::new(),
            })
            .collect(),
    };
    Member {
        id: member(code),
        name: text(code),
        since: now(),
        suspended: None,
        gateways,
        subsystems: subsystems.iter().map(subsystem).collect(),
    }
}

pub fn directory(members: Vec<Member>) -> Directory {
    Directory {
        instance: Part::new("VN").expect("an instance"),
        name: Text::new("Thử", "Test"),
        version: 1,
        issued: now(),
        anchors: Vec::new(),
        revocations: Vec::new(),
        members,
        witnesses: Vec::new(),
        quorum: 0,
    }
}

pub fn fresh(directory: Directory) -> Standing {
    Standing {
        view: Arc::new(View::new(directory).expect("a directory")),
        freshness: Freshness::Fresh,
    }
}

impl Federation {
    /// Starts a gateway on listeners that are bound already.
    pub fn start(
        &self,
        id: Identity,
        setup: Setup,
        standing: Standing,
        (edge, peers): (TcpListener, TcpListener),
    ) -> Node {
        let (operations, taken) = mpsc::channel(1_000);
        let hosting = Arc::new(ArcSwap::from_pointee(setup.hosting));
        let directory = Arc::new(ArcSwap::from_pointee(standing));
        let gateway = Gateway::new(Config {
            server: ServerId {
                owner: member(&id.code),
                code: Part::new("gw").expect("a code"),
            },
            tls: id.tls.clone(),
            log: Arc::clone(&id.log),
            directory: Arc::clone(&directory),
            hosting: Arc::clone(&hosting),
            clock: Arc::new(self.clock.clone()),
            wire: setup.wire,
            limits: setup.limits,
            internal: setup.internal,
            spill: self.folder.path().to_owned(),
            subjects: SubjectKey::new([7; 32]),
            met: BTreeSet::new(),
            journal: None,
            operations: Some(operations),
            tracer: setup.tracer,
        })
        .expect("a gateway");
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let until = |mut stopped: tokio::sync::watch::Receiver<bool>| async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        let addresses = (edge.local_addr().expect("bound"), peers.local_addr().expect("bound"));
        let serving = {
            let (one, two) = (gateway.clone(), gateway.clone());
            let (first, second) = (until(stopped.clone()), until(stopped));
            vec![
                tokio::spawn(async move { one.serve_edge(edge, None, first).await.expect("served") }),
                tokio::spawn(async move { two.serve_peers(peers, second).await.expect("served") }),
            ]
        };
        Node {
            id,
            gateway,
            hosting,
            directory,
            edge: addresses.0,
            peers: addresses.1,
            operations: std::sync::Mutex::new(taken),
            stop,
            serving,
        }
    }
}

impl Node {
    pub async fn stop(&mut self) {
        self.stop.send_replace(true);
        for serving in self.serving.drain(..) {
            serving.await.expect("no panic");
        }
    }

    pub fn rehost(&self, change: impl FnOnce(&mut Hosting)) {
        let mut hosting = Hosting::clone(&self.hosting.load());
        change(&mut hosting);
        self.hosting.store(Arc::new(hosting));
    }
}

impl World {
    pub async fn new(a: Setup, b: Setup) -> Self {
        Self::with(a, b, Vec::new()).await
    }

    /// With more members in the directory.
    pub async fn with(a: Setup, b: Setup, others: Vec<Member>) -> Self {
        let federation = Federation::new();
        Self::in_federation(federation, a, b, others).await
    }

    pub async fn in_federation(federation: Federation, a: Setup, b: Setup, others: Vec<Member>) -> Self {
        let (id_a, id_b) = (federation.identity("A", a.log), federation.identity("B", b.log));
        let [(edge_a, _), (peers_a, at_a), (edge_b, _), (peers_b, at_b)] =
            [listen().await, listen().await, listen().await, listen().await];
        let services: Vec<String> = b
            .hosting
            .services
            .keys()
            .map(|id| id.code.as_str().to_owned())
            .collect();
        let services: Vec<&str> = services.iter().map(String::as_str).collect();
        let mut members = vec![
            entry("A", vec![id_a.listed(&at_a.to_string())], &[("app", &[])]),
            entry("B", vec![id_b.listed(&at_b.to_string())], &[("reg", &services)]),
        ];
        members.extend(others);
        let standing = fresh(directory(members));
        Self {
            a: federation.start(id_a, a, standing.clone(), (edge_a, peers_a)),
            b: federation.start(id_b, b, standing, (edge_b, peers_b)),
            federation,
        }
    }

    /// Changes the directory of both nodes.
    pub fn redirect(&self, change: impl Fn(&mut Directory)) {
        for node in [&self.a, &self.b] {
            let standing = node.directory.load();
            let mut directory = standing.view.directory().clone();
            change(&mut directory);
            node.directory.store(Arc::new(fresh(directory)));
        }
    }

    pub fn age(&self, freshness: Freshness) {
        for node in [&self.a, &self.b] {
            let view = Arc::clone(&node.directory.load().view);
            node.directory.store(Arc::new(Standing { view, freshness }));
        }
    }

    /// Both logs hold the same records of messages, and every leaf is proved offline.
    pub async fn verify(&self) {
        self.a.gateway.settled().await;
        self.b.gateway.settled().await;
        let sorted = |id: &Identity| {
            let mut records = id.records();
            records.sort();
            records
        };
        assert_eq!(sorted(&self.a.id), sorted(&self.b.id), "both have what was said");
        self.a.id.verify_offline();
        self.b.id.verify_offline();
    }
}
