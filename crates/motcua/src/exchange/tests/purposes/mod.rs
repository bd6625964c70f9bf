//! Without a purpose no route tells anybody what a registry holds: every route that the node really has, found in its router, called
//! as everybody there is; and what the node says of it elsewhere: logs, figures, traces. With a purpose it is told, so that this can
//! fail.

mod heard;
mod marks;

use std::collections::BTreeSet;

use ::exchange::gateway::Caller as Called;
use identity::{Assurance, NewAccount, NewOfficer, NewToken, Organisation, TokenOwner};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use super::*;
use heard::{Collector, Logs};
use marks::{Marked, SOURCE, STEWARD, records, registries_of_one_agency};

const KEEPER: &str = ANSWERS;
const DOSSIER: &str = "H42.28-261111-0001";

/// Somebody who calls.
struct Somebody {
    name: String,
    /// Their key; none for a visitor.
    key: Option<String>,
    /// Whether they may read records when they say why.
    may_read: bool,
}

/// A way in: a path of the router, and its methods.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Way {
    path: String,
    methods: Vec<String>,
}

/// The routes of a router, from what it says of itself.
fn ways(router: &axum::Router) -> Vec<Way> {
    let told = format!("{router:?}");
    let (routes, node) = told
        .split_once("node: Node { paths: {")
        .expect("a router tells its paths");
    // Another router follows: what answers where there is no route.
    let (paths, _) = node.split_once("\"} }").expect("paths end");
    let mut ways = Vec::new();
    for entry in paths.split("RouteId(").skip(1) {
        let (id, rest) = entry.split_once(')').expect("an id");
        let path = rest.split('"').nth(1).expect("a path").to_owned();
        let of_route = routes.split_once(&format!("RouteId({id}): ")).expect("its methods").1;
        let allow = of_route.split("allow_header: ").nth(1).unwrap_or_default();
        let allow = allow.split('"').nth(1).unwrap_or_default();
        let methods: Vec<String> = allow
            .split(',')
            .filter(|m| *m != "HEAD" && !m.is_empty())
            .map(str::to_owned)
            .collect();
        // What is nested as a service takes any method.
        let any = || ["GET", "POST"].map(str::to_owned).to_vec();
        ways.push(Way {
            path,
            methods: if methods.is_empty() { any() } else { methods },
        });
    }
    ways.sort();
    ways.dedup();
    ways
}

/// A path with its parameters filled: of the registry's record, or of whatever there may be.
fn filled(path: &str, record: &Marked) -> String {
    let of_registries = path.contains("registries") || path.starts_with("/govstack/data");
    let segment = |segment: &str| -> String {
        let Some(name) = segment.strip_prefix('{').and_then(|s| s.strip_suffix('}')) else {
            return segment.to_owned();
        };
        match name {
            "code" | "registry" if of_registries => record.registry.to_owned(),
            "key" | "id" if of_registries => record.key.to_owned(),
            "field" => format!("{}.json", record.filter.0),
            "version" if of_registries => "1".to_owned(),
            "code" => "1.001193".to_owned(),
            "side" => "incoming".to_owned(),
            "leaf" | "n" => "3".to_owned(),
            "id" => "00000000-0000-7000-8000-000000000001".to_owned(),
            _ => record.filter.1.to_owned(),
        }
    };
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

fn is_of_records(path: &str) -> bool {
    (path.contains("registries") || path.starts_with("/govstack/data")) && path.contains('{')
}

/// What a body says that may be asked for: the key, and one field.
fn body(way: &Way, record: &Marked) -> (&'static str, String) {
    let (field, value) = record.filter;
    if way.path.starts_with("/api/") || way.path.starts_with("/govstack/") {
        let mut content = Value::Null;
        if field.contains('.') {
            content["kind"] = record.body["kind"].clone();
            content["commune"] = record.body["commune"].clone();
            content["year"] = record.body["year"].clone();
            content["number"] = record.body["number"].clone();
        } else {
            content[field] = json!(value);
        }
        let body = match way.path.rsplit('/').next().unwrap_or_default() {
            // Of a record that is there already: the refusal must not tell it.
            "records" => json!({ "valid_from": "2026-01-12", "source": "x", "body": record.body }),
            "assertions" => json!({ "seen": 99, "valid_from": "2026-01-12", "source": "x", "body": { field: value } }),
            "corrections" => json!({ "seen": 99, "corrects": 98, "source": "x" }),
            "ends" => json!({ "seen": 99, "valid_from": "2026-01-12", "source": "x" }),
            "erasure" => json!({ "seen": 99, "source": "x", "basis": "y" }),
            _ => json!({ "query": { "content": content }, "write": { "content": content } }),
        };
        return ("application/json", body.to_string());
    }
    let form = url_form(&[
        ("key", record.key),
        ("q", value),
        ("number", value),
        ("name", value),
        ("search", value),
    ]);
    ("application/x-www-form-urlencoded", form)
}

fn url_form(pairs: &[(&str, &str)]) -> String {
    let pair = |(name, value): &(&str, &str)| format!("{name}={}", percent(value));
    pairs.iter().map(pair).collect::<Vec<_>>().join("&")
}

fn percent(text: &str) -> String {
    let byte = |byte: u8| match byte.is_ascii_alphanumeric() {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// What an answer tells that its caller did not say.
fn told(answer: &str, said: &str) -> Vec<&'static str> {
    let marks: BTreeSet<&str> = records().into_iter().flat_map(|record| record.marks).collect();
    marks
        .into_iter()
        .filter(|mark| answer.contains(mark) && !said.contains(mark))
        .collect()
}

/// Everything of an answer: status, heads (as they are and decoded), body.
async fn whole(request: RequestBuilder) -> (u16, String) {
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    let heads: Vec<String> = answer
        .headers()
        .iter()
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
        .collect();
    let bytes = answer.bytes().await.expect("a body");
    (
        status,
        format!("{}\n{}", heads.join("\n"), String::from_utf8_lossy(&bytes)),
    )
}

async fn everybody(town: &Town) -> Vec<Somebody> {
    let identity = &town.whole.identity;
    let system = Ctx::system("test", SystemClock.now());
    let mut all = vec![Somebody {
        name: "visitor".to_owned(),
        key: None,
        may_read: false,
    }];
    for (name, organisations) in [
        ("citizen", Vec::new()),
        (
            "business",
            vec![Organisation {
                tax_code: "0312345671".to_owned(),
                name: "Công ty Xa Lạ".to_owned(),
            }],
        ),
    ] {
        let mut new = NewAccount::named("e-id", name, "Lê Văn Khách");
        new.person_number = Some("001090000123".to_owned());
        new.assurance = Assurance::Level2;
        new.organisations = organisations;
        let account = identity.create_account(&system, &new).await.expect("an account");
        all.push(Somebody {
            name: name.to_owned(),
            key: Some(token(town, TokenOwner::Account(account), Roles::NONE).await),
            may_read: false,
        });
    }
    for (agency, roles) in [(STEWARD, &Role::ALL[..]), ("G15", &[Role::Steward, Role::Reader])] {
        for &role in roles {
            let roles = Roles::of(&[role]);
            let officer = NewOfficer {
                login: format!("{}-{}", role.code(), agency.to_lowercase()),
                name: "Phạm Công Chức".to_owned(),
                title: String::new(),
                agency: agency.to_owned(),
                roles,
                password: None,
                demo: None,
            };
            let officer = identity.create_officer(&system, &officer).await.expect("an officer");
            all.push(Somebody {
                name: format!("{} of {agency}", role.code()),
                key: Some(token(town, TokenOwner::Officer(officer), roles).await),
                may_read: agency == STEWARD && [Role::Steward, Role::Reader].contains(&role),
            });
        }
    }
    all
}

async fn token(town: &Town, owner: TokenOwner, roles: Roles) -> String {
    let new = NewToken {
        owner,
        label: "test".to_owned(),
        roles,
        read_only: false,
        days: 1,
    };
    let system = Ctx::system("test", SystemClock.now());
    town.whole.identity.create_token(&system, &new).await.expect("a key")
}

impl Somebody {
    fn ask(&self, client: &Client, method: &str, url: &str) -> RequestBuilder {
        let method: Method = method.parse().expect("a method");
        let request = client.request(method, url);
        match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }
}

/// Calls every route as somebody, and follows the links of its pages; tells what got out.
async fn walk(town: &Town, client: &Client, ways: &[Way], somebody: &Somebody) -> Vec<String> {
    let mut out = Vec::new();
    let mut links = BTreeSet::new();
    for way in ways {
        let of_records = is_of_records(&way.path);
        for record in records().iter().take(if of_records { 6 } else { 1 }) {
            let path = filled(&way.path, record);
            let (field, value) = record.filter;
            let asked = format!(
                "{path}?q={}&{}={}&limit=50",
                percent(value),
                field.replace('.', "_"),
                percent(value)
            );
            for method in &way.methods {
                let mut tries = vec![path.clone()];
                if method == "GET" {
                    tries.push(asked.clone());
                }
                for target in tries {
                    let mut request = somebody.ask(client, method, &format!("{}{target}", town.url));
                    let mut said = format!("{target} {value} {}", record.key);
                    request = request
                        .header("information-mediator-client", ASKS)
                        .header("idempotency-key", Uuid::new_v4().to_string());
                    if method != "GET" {
                        let (kind, text) = body(way, record);
                        said.push_str(&text);
                        request = request.header("content-type", kind).body(text);
                    }
                    let (status, answer) = whole(request).await;
                    let marks = told(&answer, &said);
                    if !marks.is_empty() {
                        out.push(format!("{} {method} {target}: {status} tells {marks:?}", somebody.name));
                    }
                    if status == 200 && method == "GET" {
                        links.extend(hrefs(&answer));
                    }
                }
            }
        }
    }
    for link in links.into_iter().take(200) {
        let (status, answer) = whole(somebody.ask(client, "GET", &format!("{}{link}", town.url))).await;
        let marks = told(&answer, &link);
        if !marks.is_empty() && !is_task_of(somebody, &link) {
            out.push(format!("{} GET {link}: {status} tells {marks:?}", somebody.name));
        }
    }
    out
}

/// Whether a page is a piece of work on one record, for the steward who has to do it: the work is its purpose, and stands in the log
/// of reads.
fn is_task_of(somebody: &Somebody, link: &str) -> bool {
    let is_task = ["/findings/", "/doubts/", "/pairs/", "/samples/"]
        .iter()
        .any(|task| link.contains(task));
    is_task && somebody.name == format!("steward of {STEWARD}")
}

/// Addresses on this site that a page leads to.
fn hrefs(page: &str) -> Vec<String> {
    let links = page.split("href=\"/").skip(1).filter_map(|rest| rest.split('"').next());
    links
        .map(|link| format!("/{}", link.replace("&#38;", "&").replace("&amp;", "&")))
        .collect()
}

/// What a client of the exchange asks of each registry's services.
fn through_the_exchange(town: &Town) -> Vec<(String, Marked)> {
    let router = registry::offered::router(town.whole.registries.clone(), Arc::new(SystemClock), STEWARD);
    let ways = ways(&router);
    assert!(ways.len() >= 7, "{ways:?}");
    let mut targets = Vec::new();
    for record in records() {
        let registry = record.registry.parse().expect("a code");
        let editions = town.whole.registries.shelf().get(&registry).expect("a registry");
        let services: Vec<String> = editions.current().services.iter().map(|s| s.id.to_string()).collect();
        for (service, way) in services
            .iter()
            .flat_map(|service| ways.iter().map(move |way| (service, way)))
        {
            if way.methods.iter().any(|method| method == "GET") {
                let path = way.path.replace("{service}", service);
                let record = records()
                    .into_iter()
                    .find(|other| other.registry == record.registry)
                    .expect("one");
                targets.push((
                    format!("/r1/{KEEPER}/registries{}", filled_offered(&path, &record)),
                    record,
                ));
            }
        }
    }
    targets
}

/// An approved question over two registries: by a grant and for its purpose the answer is told, and nothing of what it rests on.
async fn ask_a_question(asks: &Town, town: &Town, client: &Client) -> Vec<String> {
    let today = SystemClock.now().legal_date();
    let terms = TermsDraft {
        methods: vec!["POST".to_owned()],
        path: "/employer-insures-workers".to_owned(),
        purposes: "labour.inspection\ncuriosity".to_owned(),
        legal_basis: "Luật Bảo hiểm xã hội số 41/2024/QH15, Điều 28".to_owned(),
        from: today.to_string(),
        to: today
            .checked_add(jiff::Span::new().days(90))
            .expect("a date")
            .to_string(),
        ..TermsDraft::default()
    };
    let request = Request {
        terms: terms.read().expect("good terms"),
        reason: "Thanh tra lao động".to_owned(),
        renews: None,
    };
    grant_of(asks, town, "questions", request).await;
    let url = format!("http://{}/r1/{KEEPER}/questions/employer-insures-workers", asks.edge());
    let body = json!({ "tax_code": "0100109106" }).to_string();
    let mut out = Vec::new();
    for (purpose, status) in [("labour.inspection", 200), ("curiosity", 403), ("", 400)] {
        let request = client
            .post(&url)
            .header("x-road-client", ASKS)
            .header("content-type", "application/json");
        let request = match purpose {
            "" => request,
            purpose => request
                .header("x-motcua-purpose", purpose)
                .header("x-road-issue", "H42.28-261111-0001"),
        };
        let (was, answer) = whole(request.body(body.clone())).await;
        let refused = (400..500).contains(&was);
        assert!(was == status || (status >= 400 && refused), "{purpose}: {was} {answer}");
        // The firm is active, and its last month that is paid is long ago.
        assert_eq!(
            answer.contains("\"answer\":false"),
            status == 200,
            "{purpose}: {answer}"
        );
        out.extend(
            told(&answer, &body)
                .into_iter()
                .map(|mark| format!("a question tells {mark}")),
        );
    }
    out
}

fn filled_offered(path: &str, record: &Marked) -> String {
    path.replace("{registry}", record.registry).replace("{key}", record.key)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_purpose_nothing_personal_gets_out_by_any_route() {
    let logs = Logs::listen();
    let collector = Collector::listen().await;
    let dirs = tempfile::tempdir().expect("a folder");
    let operator = founded(dirs.path()).await;
    let asks = member(
        &operator,
        config(&dirs.path().join("a")),
        "VN/GOV/000.00.00.H42",
        "Tỉnh Ninh Bình",
    )
    .await;
    let (mut config, url) = config(&dirs.path().join("b"));
    config.registries = registries_of_one_agency(&dirs.path().join("registries"));
    config.questions = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../../questions/employer-insures-workers")];
    config.http.metrics = Some(ports::one());
    config.traces.collector = collector.url.clone();
    let town = member(&operator, (config, url), "VN/GOV/000.00.00.G01", "Bộ Công an").await;

    let client = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("a client");
    let everybody = everybody(&town).await;
    let steward = everybody
        .iter()
        .find(|s| s.name == "steward of H42.28")
        .expect("a steward");
    for record in records() {
        let url = format!("{}/api/v1/registries/{}/records", town.url, record.registry);
        let fresh = json!({ "valid_from": "2026-01-12", "source": SOURCE, "body": record.body });
        let request = steward
            .ask(&client, "POST", &url)
            .header("idempotency-key", record.registry);
        let (status, answer) = whole(
            request
                .header("content-type", "application/json")
                .body(fresh.to_string()),
        )
        .await;
        assert_eq!(status, 201, "{}: {answer}", record.registry);
    }

    let ways = ways(&town.whole.router());
    for known in [
        "/api/v1/registries/{code}/records/{key}/history",
        "/govstack/data/{registry}/{version}/read",
        "/registries/{code}/record",
        "/exchange/messages/{leaf}",
        "/services",
    ] {
        assert!(
            ways.iter().any(|way| way.path == known),
            "{known} is a route: {ways:#?}"
        );
    }

    // With a purpose and the dossier that is the cause whoever may read is told, and nobody else.
    for somebody in &everybody {
        for record in records() {
            let url = format!(
                "{}/api/v1/registries/{}/records/{}",
                town.url, record.registry, record.key
            );
            let request = somebody
                .ask(&client, "GET", &url)
                .header("x-motcua-purpose", "dossier.verify");
            let (status, answer) = whole(request.try_clone().expect("a copy")).await;
            assert!(
                told(&answer, &url).is_empty(),
                "{} {url}, no dossier: {status}",
                somebody.name
            );
            let (status, answer) = whole(request.header("x-road-issue", DOSSIER)).await;
            let told = told(&answer, &url);
            assert_eq!(
                !told.is_empty(),
                somebody.may_read,
                "{} {url}: {status} {told:?}",
                somebody.name
            );
        }
    }

    // Without one nobody is.
    let mut out = Vec::new();
    for somebody in &everybody {
        out.extend(walk(&town, &client, &ways, somebody).await);
    }

    // The exchange: by a grant, with a purpose and without, with a dossier and without.
    asks.system(ASKS).await;
    town.system(KEEPER).await;
    asks.learn().await;
    town.learn().await;
    grant_of(&asks, &town, "registries", terms("**", "dossier.verify", "")).await;
    let mut heard = BTreeSet::new();
    for (target, record) in through_the_exchange(&town) {
        let url = format!("http://{}{target}", asks.edge());
        let request = client.get(&url).header("x-road-client", ASKS);
        let (status, answer) = whole(request.try_clone().expect("a copy")).await;
        let marks = told(&answer, &url);
        if status == 200 || !marks.is_empty() {
            out.push(format!("the exchange {target}: {status} tells {marks:?}"));
        }
        let why = request.header("x-motcua-purpose", "dossier.verify");
        let (status, answer) = whole(why.try_clone().expect("a copy")).await;
        let marks = told(&answer, &url);
        if status == 200 || !marks.is_empty() {
            out.push(format!("the exchange {target}, no dossier: {status} tells {marks:?}"));
        }
        let (_, answer) = whole(why.header("x-road-issue", DOSSIER)).await;
        if !told(&answer, &url).is_empty() {
            heard.insert(record.registry);
        }
        // Another purpose than the grant has is none.
        let other = client
            .get(&url)
            .header("x-road-client", ASKS)
            .header("x-motcua-purpose", "curiosity");
        let (_, answer) = whole(other.header("x-road-issue", "H42.28-261111-0001")).await;
        out.extend(
            told(&answer, &url)
                .first()
                .map(|mark| format!("another purpose {target}: {mark}")),
        );
    }
    assert_eq!(
        heard.len(),
        records().len(),
        "with a purpose every registry answers: {heard:?}"
    );

    out.extend(ask_a_question(&asks, &town, &client).await);

    // Nobody can come behind the gateway without it: who calls is only its to say.
    let bare = registry::offered::router(town.whole.registries.clone(), Arc::new(SystemClock), STEWARD);
    let request = axum::extract::Request::builder().uri("/population/verify/records/001188777431");
    let request = request.body(axum::body::Body::empty()).expect("a request");
    assert!(request.extensions().get::<Called>().is_none());
    let answer = tower::ServiceExt::oneshot(bare, request).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);

    // What the node says of all this elsewhere.
    let metrics = town.config.http.metrics.expect("an address");
    let (_, figures) = whole(client.get(format!("http://{metrics}/metrics"))).await;
    assert!(figures.contains("http_requests"), "{figures}");
    out.extend(
        told(&figures, "")
            .into_iter()
            .map(|mark| format!("the figures tell {mark}")),
    );
    let traced = until("spans come to the collector", async || {
        let traced = collector.heard();
        traced.contains("/api/v1/registries").then_some(traced)
    })
    .await;
    out.extend(
        told(&traced, "")
            .into_iter()
            .map(|mark| format!("the traces tell {mark}")),
    );
    let logged = logs.heard();
    assert!(logged.contains("request"), "the log is listened to: {logged}");
    for mark in told(&logged, "") {
        let line = logged.lines().find(|line| line.contains(mark)).unwrap_or_default();
        out.push(format!("the log tells {mark}: {line}"));
    }
    assert!(out.is_empty(), "{} leaks:\n{}", out.len(), out.join("\n"));
}
