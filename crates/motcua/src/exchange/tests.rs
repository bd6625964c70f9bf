//! Three nodes as people run them: an operator, an agency that asks and one that answers. Real sockets, real TLS, real logs.

use std::{net::SocketAddr, path::Path, time::Instant};

use ::exchange::{
    access::{
        Side,
        model::{Command, Request, ServiceDraft, SignInDraft, SystemDraft, TermsDraft},
    },
    directory::{join::NewNode, membership::Approve},
    journal::{Filter, QuestionState, ReadFilter, Source, evidence::verify_container},
    model::identifier::{Part, ServiceId},
};
use axum::{Json, extract::Path as Segment, http::HeaderMap, routing::get};
use base::{Text, time::SystemClock};
use identity::{Actor, Assurance, NewAccount, OfficerActor, OfficerId, PersonActor, Role, Roles};
use uuid::Uuid;

use super::*;
use crate::node::{MIGRATIONS, Node as Whole, open_store};

const AGENCY: &str = "H42.28";

fn free() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address")
}

/// One node of the federation.
struct Town {
    whole: Whole,
    config: Config,
    url: String,
    task: tokio::task::JoinHandle<anyhow::Result<()>>,
}

fn config(data: &Path) -> (Config, String) {
    let (http, edge, peers) = (free(), free(), free());
    let url = format!("http://{http}");
    let text = format!(
        "data = {data:?}\n[http]\nlisten = \"{http}\"\n[identity]\npublic_url = \"{url}\"\n[dossiers]\nagencies = {{ commune = \"{AGENCY}\", \
         province = \"{AGENCY}\", ministry = \"{AGENCY}\", agency = \"{AGENCY}\" }}\n[exchange]\nagency = \"{AGENCY}\"\nedge = \"{edge}\"\n\
         peers = \"{peers}\"\n"
    );
    (toml::from_str(&text).expect("a configuration"), url)
}

impl Town {
    async fn serve(config: Config, url: String) -> Self {
        let store = open_store(&config).await.expect("a database");
        store.migrate(MIGRATIONS, SystemClock.now()).await.expect("migrated");
        let whole = Whole::open(config.clone(), store).await.expect("a node");
        let (ready, started) = tokio::sync::oneshot::channel();
        let task = tokio::spawn(crate::serve::serve(whole.clone(), move |_| {
            let _ = ready.send(());
        }));
        let started = started.await;
        assert!(started.is_ok(), "{:?}", task.await);
        Self {
            whole,
            config,
            url,
            task,
        }
    }

    fn joined(&self) -> Arc<Joined> {
        let exchange = self.whole.exchange().expect("an exchange");
        Arc::clone(exchange.member.as_ref().expect("a member"))
    }

    fn edge(&self) -> SocketAddr {
        self.config.exchange.as_ref().expect("an exchange").edge
    }

    async fn system(&self, subsystem: &str) {
        let draft = SystemDraft {
            subsystem: subsystem.to_owned(),
            agency: AGENCY.to_owned(),
            name_vi: "Hệ thống một cửa".to_owned(),
            sign_in: SignInDraft::Open,
            ..SystemDraft::default()
        };
        let added = self.joined().access.add_system(&steward(), &draft).await;
        added.expect("a system");
        self.tell().await;
    }

    /// Tells the directory now, not in a quarter of a minute.
    async fn tell(&self) {
        let joined = self.joined();
        joined.access.hosted().refresh().await.expect("refreshed");
        joined.publish().await.expect("published");
    }

    async fn learn(&self) {
        self.joined().follower.refresh().await.expect("a newer directory");
    }

    async fn call(&self, target: &str) -> (u16, serde_json::Value) {
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

fn steward() -> Ctx {
    let now = SystemClock.now();
    Ctx {
        actor: Actor::Officer(OfficerActor {
            officer: OfficerId::from_uuid(Uuid::from_u128(7)),
            name: "Trần Văn Quản".to_owned(),
            title: "Quản trị".to_owned(),
            agency: AGENCY.to_owned(),
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
async fn member(operator: &Town, dir: &Path, member: &str, name: &str) -> Town {
    let (config, url) = config(dir);
    let folder = config.data.join(commands::FOLDER);
    let peers = config.exchange.as_ref().expect("an exchange").peers;
    let new = NewNode {
        member: member.parse().expect("a member"),
        name: Text::new(name, name),
        gateway: Part::new("ss1").expect("a part"),
        address: peers.to_string(),
        hosts: Vec::new(),
        algorithm: trust::Algorithm::Ed25519,
        tls_key: None,
        log_key: None,
        log_url: Some(format!("{url}/ledger")),
    };
    let mut node = join::Node::init(&folder, &new).expect("keys");
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
        )
        .await
        .expect("a list");
    let id = waiting
        .0
        .iter()
        .find(|a| a.member.to_string() == member)
        .expect("the application")
        .id;
    let approve = Approve::default();
    membership
        .approve(&steward(), base::Id::from_uuid(id), approve)
        .await
        .expect("approved");
    let polled = node.poll(&known.operator, Arc::new(SystemClock)).await.expect("asked");
    assert!(matches!(polled, join::Progress::Joined { .. }));
    Town::serve(config, url).await
}

/// A register of persons behind a node.
async fn register() -> String {
    let person = async |Segment(number): Segment<String>, headers: HeaderMap| {
        let asked = headers
            .get("x-road-client")
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        Json(serde_json::json!({"number": number, "name": "Nguyễn Văn An", "born": "1990-05-02", "asked_by": asked}))
    };
    let app = Router::new().route("/api/persons/{number}", get(person));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}/api")
}

async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The operator, an agency that asks, one that answers, and a service between the two. Nothing is granted yet.
struct Federation {
    operator: Town,
    asks: Town,
    answers: Town,
    _data: tempfile::TempDir,
}

impl Federation {
    async fn found() -> Self {
        // The same provider as the binary installs at its start.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let dirs = tempfile::tempdir().expect("a folder");
        let (op_config, op_url) = config(&dirs.path().join("op"));
        operator::found(&op_config.data, &Part::new("VN").expect("a part"), SystemClock.now()).expect("founded");
        let operator = Town::serve(op_config, op_url).await;
        let asks = member(
            &operator,
            &dirs.path().join("a"),
            "VN/GOV/000.00.00.H42",
            "Tỉnh Ninh Bình",
        )
        .await;
        let answers = member(&operator, &dirs.path().join("b"), "VN/GOV/000.00.00.G01", "Bộ Công an").await;
        asks.system(ASKS).await;
        answers.system(ANSWERS).await;
        let service = ServiceDraft {
            provider: ANSWERS.to_owned(),
            code: "persons".to_owned(),
            name_vi: "Tra cứu dân cư".to_owned(),
            url: register().await,
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
        Self {
            operator,
            asks,
            answers,
            _data: dirs,
        }
    }

    /// Asked for on one node, granted on the other.
    async fn grant(&self, service: &str, path: &str, purpose: &str, fields: &str) {
        let today = SystemClock.now().legal_date();
        let terms = TermsDraft {
            methods: vec!["GET".to_owned()],
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
        let request = Request {
            terms: terms.read().expect("good terms"),
            reason: "Xác minh nhân thân khi giải quyết hồ sơ".to_owned(),
            renews: None,
        };
        let grant = base::Id::new(SystemClock.now());
        let (consumer, provided) = (
            ASKS.parse::<SubsystemId>().expect("a system"),
            format!("{ANSWERS}/{service}").parse().expect("a service"),
        );
        let ours = self.asks.joined();
        ours.access
            .request(&steward(), grant, &consumer, &provided, &request)
            .await
            .expect("asked");
        let theirs = self.answers.joined();
        let seen = until("the request comes to the provider's node", async || {
            theirs.access.grant(&steward(), Side::Incoming, grant).await.ok()
        })
        .await;
        let yes = Command::Approve {
            terms: seen.file.asked.clone(),
            note: String::new(),
        };
        theirs
            .access
            .command(&steward(), Side::Incoming, grant, &yes, seen.file.seq, Uuid::new_v4())
            .await
            .expect("approved");
        theirs.access.hosted().refresh().await.expect("refreshed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn agencies_that_never_met_join_ask_grant_and_call() {
    let federation = Federation::found().await;
    let Federation {
        operator,
        asks,
        answers,
        ..
    } = &federation;

    // Deny by default.
    let target = format!("/r1/{ANSWERS}/persons/persons/037190001234");
    let (status, refusal) = asks.call(&target).await;
    assert_eq!(
        (status, refusal["type"].as_str()),
        (500, Some("Server.ServerProxy.AccessDenied")),
        "{refusal}"
    );

    federation
        .grant("persons", "/persons/*", "dossier.verify", "/number\n/name\n/asked_by")
        .await;

    // Called, with what was granted and no more.
    let (status, person) = asks.call(&target).await;
    assert_eq!(status, 200, "{person}");
    assert_eq!(
        person,
        serde_json::json!({"number": "037190001234", "name": "Nguyễn Văn An", "asked_by": ASKS})
    );
    let (status, refusal) = asks.call(&format!("/r1/{ANSWERS}/persons/others/1")).await;
    assert_eq!(
        (status, refusal["type"].as_str()),
        (500, Some("Server.ServerProxy.AccessDenied"))
    );

    // Both journals have the message, and the person's index has the read.
    let provided: ServiceId = format!("{ANSWERS}/persons").parse().expect("a service");
    for town in [asks, answers] {
        let joined = town.joined();
        joined.gateway.settled().await;
        joined.journal.catch_up().await.expect("folded");
        let filter = Filter {
            service: Some(provided.clone()),
            ..Filter::default()
        };
        let (rows, _) = joined.journal.messages(&steward(), &filter).await.expect("a list");
        assert!(rows.len() >= 4, "{} at {}", rows.len(), town.url);
    }
    let ledger = answers.whole.dossiers.ledger().expect("a log").clone();
    let kinds: Vec<_> = (0..ledger.log.size())
        .map(|leaf| ledger.log.entry(leaf).expect("an entry").commitment.kind())
        .collect();
    assert!(
        kinds.contains(&ledger::Kind::READ),
        "the read of the person is a leaf: {kinds:?}"
    );
    let proof = ledger.log.prove(0).expect("a proof").to_string();
    let policy = ledger::Policy::new(ledger.keys, Vec::new(), 0).expect("a policy");
    ledger::verify(proof.as_bytes(), &policy, None).expect("a proof that holds");

    // Public pages of the directory stand at both, operator's pages at the operator.
    for (town, page) in [
        (asks, "/exchange"),
        (answers, "/exchange/hidden-reads"),
        (operator, "/exchange/directory/timestamp"),
    ] {
        let answer = reqwest::get(format!("{}{page}", town.url)).await.expect("an answer");
        assert_eq!(answer.status().as_u16(), 200, "{page}");
    }
}

/// A person who signed in with the e-ID at a node.
async fn person(town: &Town, number: &str) -> Ctx {
    let mut new = NewAccount::named("e-id", number, "Nguyễn Văn An");
    new.person_number = Some(number.to_owned());
    let system = Ctx::system("test", SystemClock.now());
    let account = town
        .whole
        .identity
        .create_account(&system, &new)
        .await
        .expect("an account");
    Ctx {
        actor: Actor::Person(PersonActor {
            account,
            name: new.name,
            person_number: new.person_number,
            birth_date: None,
            sex: None,
            phone: None,
            email: None,
            assurance: Assurance::Level2,
            organisation: None,
        }),
        now: SystemClock.now(),
        request_id: Uuid::new_v4(),
        lang: base::Lang::Vi,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_sees_at_both_nodes_who_read_and_asks_the_reader() {
    const NUMBER: &str = "037190001234";
    let federation = Federation::found().await;
    let Federation { asks, answers, .. } = &federation;
    federation.grant("persons", "/persons/*", "dossier.verify", "").await;
    // Of its own a node tells nobody; the portal of the province may ask for its people.
    federation.grant("findUsage", "**", "tracker.own-view", "").await;
    let (status, _) = asks.call(&format!("/r1/{ANSWERS}/persons/persons/{NUMBER}")).await;
    assert_eq!(status, 200);

    // At the portal of the province that read: the register tells of it, with purpose and dossier.
    let at_home = person(asks, NUMBER).await;
    let mine = asks.joined().journal.my_reads(&at_home, &ReadFilter::default()).await;
    let mine = mine.expect("reads");
    assert!(mine.silent.is_empty(), "{:?}", mine.silent);
    let told: Vec<_> = mine
        .reads
        .iter()
        .filter(|read| read.source == Source::Elsewhere)
        .collect();
    let [told] = told.as_slice() else {
        panic!("{:?}", mine.reads)
    };
    assert!(
        told.what.contains("Tra cứu thông tin dân cư") && told.what.contains("H42.28-261111-0001"),
        "{told:?}"
    );
    assert_eq!(
        (told.agency.as_str(), told.system.as_deref()),
        ("000.00.00.H42", Some("motcua"))
    );
    let stranger = person(asks, "037190009999").await;
    let others = asks.joined().journal.my_reads(&stranger, &ReadFilter::default()).await;
    assert!(others.expect("reads").reads.is_empty(), "nobody else's");

    // At the portal of the register: the same read, with its proof.
    let there = person(answers, NUMBER).await;
    let journal = answers.joined().journal.clone();
    let mine = journal.my_reads(&there, &ReadFilter::default()).await.expect("reads");
    let [read] = mine.reads.as_slice() else {
        panic!("{:?}", mine.reads)
    };
    assert_eq!(read.dossier.as_deref(), Some("H42.28-261111-0001"));
    let Source::Exchange { leaf } = read.source else {
        panic!("{read:?}")
    };
    let proof = journal.my_read_evidence(&there, leaf).await.expect("evidence");
    let keys = answers.whole.dossiers.ledger().expect("a log").keys.clone();
    let policy = ledger::Policy::new(keys, Vec::new(), 0).expect("a policy");
    let report = verify_container(&proof, &policy);
    assert!(report.is_whole(), "{report:?}");

    // The person asks; the question travels to the agency that read, and its answer back.
    let question = journal
        .ask(&there, leaf, "Vì sao tra cứu thông tin của tôi?")
        .await
        .expect("asked");
    let officer = Ctx {
        actor: Actor::Officer(OfficerActor {
            officer: OfficerId::from_uuid(Uuid::from_u128(8)),
            name: "Lê Thị Đáp".to_owned(),
            title: "Chuyên viên".to_owned(),
            agency: AGENCY.to_owned(),
            roles: Roles::NONE.with(Role::Specialist).with(Role::Consulted),
        }),
        ..steward()
    };
    let reader = asks.joined().journal.clone();
    let seen = until("the question comes to the agency that read", async || {
        let (questions, _) = reader
            .questions(&officer, QuestionState::Asked, None)
            .await
            .expect("a list");
        questions.into_iter().find(|asked| asked.id == question)
    })
    .await;
    assert_eq!(Some(seen.request), read.request);
    reader
        .answer_question(&officer, question, "Để giải quyết hồ sơ H42.28-261111-0001.")
        .await
        .expect("answered");
    let answer = until("the answer comes back", async || {
        let mine = journal.my_reads(&there, &ReadFilter::default()).await.expect("reads");
        mine.reads.into_iter().find_map(|read| read.question?.answer)
    })
    .await;
    assert!(format!("{answer:?}").contains("Để giải quyết hồ sơ"), "{answer:?}");
}
