//! Pseudonyms on the exchange: one for each client, of use to nobody else, and never the number.

use std::{
    fs,
    path::Path,
    sync::{Arc, LazyLock},
};

use axum::{Extension, Router, body::Body, http::Request, http::StatusCode};
use base::{Clock, Timestamp, time::FixedClock};
use exchange::gateway::Caller;
use http_body_util::BodyExt as _;
use identity::{AccountId, Actor, Assurance, Ctx, Entropy, IdentityState, PersonActor, Shell};
use procedure::reference::Reference;
use registry::{
    folder,
    history::Moment,
    model::{PseudonymKey, ValidTime},
    service::{Change, Provenance, Registries, Seen, Target},
    shelf::Shelf,
};
use serde_json::{Value, json};
use store::{Read as _, Store};
use tower::ServiceExt as _;
use uuid::Uuid;

static REFERENCE: LazyLock<Arc<Reference>> =
    LazyLock::new(|| Arc::new(Reference::embedded().expect("the reference data of this build")));

const NUMBERS: [&str; 3] = ["001190000017", "001190000025", "001190000033"];
const EMPLOYER: &str = "0100109106";
const STATISTICS: &str = "VN/GOV/000.00.00.G09/thongke";
const RESEARCH: &str = "VN/GOV/000.00.00.G14/nghiencuu";
const STRANGER: &str = "VN/GOV/000.00.00.H26/motcua";

/// Says that two of the clients may put together what they have.
const LINK: &str = r#"
[[service]]
id = "link"
name = { vi = "Nối mã thay thế giữa thống kê và nghiên cứu", en = "Statistics and research put together" }
operations = ["translate"]
fields = ["person_number"]
pseudonyms = ["person_number"]
between = ["VN/GOV/000.00.00.G09/thongke", "VN/GOV/000.00.00.G14/nghiencuu"]
basis = { text = "Luật Thống kê số 89/2015/QH13", article = "Điều 38" }
"#;

struct Node {
    store: Store,
    shelf: Shelf,
    identity: IdentityState,
    registries: Registries,
}

fn clock() -> FixedClock {
    FixedClock::at(Timestamp::parse_rfc3339("2026-11-25T10:00:00+07:00").expect("an instant"))
}

fn system() -> Ctx {
    Ctx::system("test", clock().now())
}

async fn nodes() -> Vec<Node> {
    let folders = tempfile::tempdir().expect("a folder");
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../registries");
    for part in ["dictionary", "dictionary/lists", "social-insurance"] {
        fs::create_dir_all(folders.path().join(part)).expect("a folder");
        for entry in fs::read_dir(ours.join(part)).expect("a folder").flatten() {
            if entry.path().is_file() {
                fs::copy(entry.path(), folders.path().join(part).join(entry.file_name())).expect("copied");
            }
        }
    }
    let file = folders.path().join("social-insurance/registry.toml");
    let text = fs::read_to_string(&file).expect("a file");
    fs::write(&file, text + LINK).expect("written");

    let mut nodes = Vec::new();
    for store in store::testkit::stores(&[identity::MIGRATIONS, registry::MIGRATIONS]).await {
        let shelf = Shelf::open(store.clone(), Arc::clone(&REFERENCE))
            .await
            .expect("a shelf");
        let files = folder::read(&folders.path().join("social-insurance")).expect("files");
        shelf.publish(&files, "test", clock().now()).await.expect("published");
        let identity = IdentityState::new(
            store.clone(),
            identity::Config::default(),
            &[9; 32],
            Arc::new(clock()),
            Entropy::system(),
            Shell::default(),
        )
        .expect("good settings");
        let registries = Registries::new(store.clone(), shelf.clone(), identity.clone());
        registries.give_pseudonyms_by(PseudonymKey::new(1, 1, [7; 32]));
        for (n, number) in NUMBERS.iter().enumerate() {
            let body = json!({
                "person_number": number, "insurance_number": format!("790000000{n}"), "name": "Nguyễn Thị Bí Mật", "birth_date": "1990-05-17",
                "group": "DN", "status": "contributing", "employer_tax_code": EMPLOYER, "paid_until": "2026-06", "months": 12 + n,
            });
            let change = Change::Assert {
                target: Target::New,
                from: Moment::parse("2026-01-01", ValidTime::Day).expect("a day"),
                to: None,
                body,
            };
            let provenance = Provenance {
                source: "Tờ khai của Nguyễn Thị Bí Mật".to_owned(),
                ..Provenance::default()
            };
            let code = "social-insurance".parse().expect("a code");
            let written = registries.write(&system(), &code, change, &provenance, number).await;
            written.expect("written");
        }
        nodes.push(Node {
            store,
            shelf,
            identity,
            registries,
        });
    }
    nodes
}

impl Node {
    /// The same node after a restart with another key.
    fn with_key(&self, key: PseudonymKey) -> Self {
        let registries = Registries::new(self.store.clone(), self.shelf.clone(), self.identity.clone());
        registries.give_pseudonyms_by(key);
        Self {
            store: self.store.clone(),
            shelf: self.shelf.clone(),
            identity: self.identity.clone(),
            registries,
        }
    }

    async fn get(&self, client: &str, path: &str) -> (StatusCode, Value, String) {
        let caller = Caller {
            client: client.parse().expect("a client"),
            service: "VN/GOV/000.00.00.G12/dulieu/registries".parse().expect("a service"),
            purpose: "statistics".parse().expect("a purpose"),
            request_id: Uuid::new_v4(),
        };
        let router: Router = registry::offered::router(self.registries.clone(), Arc::new(clock()), "G12");
        let request = Request::get(format!("/social-insurance/{path}"))
            .body(Body::empty())
            .expect("a request");
        let answer = router
            .layer(Extension(caller))
            .oneshot(request)
            .await
            .expect("an answer");
        let status = answer.status();
        let bytes = answer.into_body().collect().await.expect("a body").to_bytes();
        let text = String::from_utf8(bytes.to_vec()).expect("text");
        (status, serde_json::from_str(&text).unwrap_or(Value::Null), text)
    }

    /// The records of the employer, as a client sees them.
    async fn listed(&self, client: &str) -> Vec<Value> {
        let (status, list, text) = self.get(client, "coverage/records?group=DN").await;
        assert_eq!(status, StatusCode::OK, "{text}");
        for hidden in NUMBERS.iter().chain(&[EMPLOYER, "Bí Mật"]) {
            assert!(!text.contains(hidden), "{text}");
        }
        list["items"].as_array().cloned().expect("items")
    }

    /// The pseudonym of the person who has contributed so many months.
    async fn of(&self, client: &str, months: i64) -> String {
        let items = self.listed(client).await;
        let item = items
            .iter()
            .find(|item| item["body"]["months"] == months)
            .expect("the record");
        assert_eq!(item["key"], item["body"]["person_number"]);
        item["key"].as_str().expect("a key").to_owned()
    }

    async fn kept(&self) -> i64 {
        let sql = "SELECT CAST(COUNT(*) AS BIGINT) FROM registry_pseudonym";
        let kept: Option<i64> = self.store.read().scalar(sql, Vec::new()).await.expect("a count");
        kept.expect("a count")
    }
}

fn codes(answer: &Value) -> Vec<&str> {
    let problems = answer["problems"].as_array().map(Vec::as_slice).unwrap_or_default();
    problems.iter().filter_map(|problem| problem["code"].as_str()).collect()
}

#[tokio::test]
async fn a_client_has_pseudonyms_of_its_own_everywhere_and_uses_them_like_numbers() {
    for node in nodes().await {
        let (here, there) = (node.listed(STATISTICS).await, node.listed(RESEARCH).await);
        assert_eq!((here.len(), there.len()), (3, 3));
        assert_eq!(here, node.listed(STATISTICS).await, "the same at each call");
        for (ours, theirs) in here
            .iter()
            .flat_map(|ours| there.iter().map(move |theirs| (ours, theirs)))
        {
            assert_ne!(ours["key"], theirs["key"]);
            assert_ne!(ours["id"], theirs["id"]);
            assert_ne!(ours["body"]["employer_tax_code"], theirs["body"]["employer_tax_code"]);
        }
        for item in &here {
            assert!(item.get("source").is_none() && item.get("dossier").is_none());
            assert_eq!(
                item["recorded_at"], "2026-11-25T00:00:00+07:00",
                "the day, not the instant"
            );
        }
        let employers: std::collections::BTreeSet<String> = here
            .iter()
            .map(|item| item["body"]["employer_tax_code"].to_string())
            .collect();
        assert_eq!(employers.len(), 1, "who has one employer is seen to");

        let one = node.of(STATISTICS, 12).await;
        assert!(one.starts_with("ps1-") && one.len() == 30, "{one}");
        let id = here.iter().find(|item| item["key"] == one.as_str()).expect("it")["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        let employer = here[0]["body"]["employer_tax_code"]
            .as_str()
            .expect("a pseudonym")
            .to_owned();
        for path in [
            format!("coverage/records/{one}"),
            format!("coverage/records/{id}"),
            format!("coverage/records/{one}?fields=months"),
            format!("coverage/records/{one}?known_at=2026-11-26T00:00:00%2B07:00"),
        ] {
            let (status, record, text) = node.get(STATISTICS, &path).await;
            assert_eq!(
                (status, &record["body"]["months"]),
                (StatusCode::OK, &json!(12)),
                "{path}: {text}"
            );
        }
        // By trying instants a client would find the one that two clients have in common.
        for path in ["coverage/records?group=DN&", &format!("coverage/records/{one}?")] {
            let (status, said, _) = node
                .get(STATISTICS, &format!("{path}known_at=2026-11-25T10:00:00%2B07:00"))
                .await;
            assert_eq!(
                (status, codes(&said)),
                (StatusCode::UNPROCESSABLE_ENTITY, vec!["not-a-day"])
            );
        }
        for (path, count) in [
            (format!("coverage/records?person_number={one}"), 1),
            (format!("coverage/records?employer_tax_code={employer}"), 3),
            (format!("coverage/records/{one}/history"), 1),
        ] {
            let (_, list, text) = node.get(STATISTICS, &path).await;
            assert_eq!(list["items"].as_array().map(Vec::len), Some(count), "{path}: {text}");
            assert!(!text.contains(NUMBERS[0]) && !text.contains("Bí Mật"), "{text}");
        }

        // Pages and the feed go on by places that are the client's own, too.
        let mut seen = Vec::new();
        let mut next = String::new();
        loop {
            let (status, page, text) = node
                .get(STATISTICS, &format!("coverage/records?group=DN&limit=1{next}"))
                .await;
            assert_eq!(status, StatusCode::OK, "{text}");
            seen.extend(page["items"].as_array().cloned().expect("items"));
            let Some(cursor) = page["next"].as_str() else { break };
            assert!(cursor.starts_with("ps1-"), "{cursor}");
            let (status, ..) = node
                .get(RESEARCH, &format!("coverage/records?group=DN&limit=1&cursor={cursor}"))
                .await;
            assert_eq!(status, StatusCode::NOT_FOUND, "a place is of use to its client only");
            next = format!("&cursor={cursor}");
        }
        assert_eq!(seen.len(), 3);
        let (_, feed, text) = node.get(STATISTICS, "coverage/changes?limit=2").await;
        assert!(
            !NUMBERS.iter().any(|number| text.contains(number)) && !text.contains("Bí Mật"),
            "{text}"
        );
        let cursor = feed["next"].as_str().expect("more");
        assert_eq!(feed["items"][1]["cursor"], cursor);
        let (_, rest, _) = node.get(STATISTICS, &format!("coverage/changes?cursor={cursor}")).await;
        assert_eq!(rest["items"].as_array().map(Vec::len), Some(1));
        assert_ne!(rest["items"][0]["id"], feed["items"][0]["id"]);

        // The person sees the read, by whom, and that the number was not given.
        let reads = node
            .identity
            .reads_of_me(&person(NUMBERS[0]), None, 50)
            .await
            .expect("reads")
            .0;
        let told = reads
            .iter()
            .filter(|read| read.what.contains(STATISTICS) && read.what.contains("mã thay thế"));
        assert!(told.count() > 0, "{reads:?}");
    }
}

fn person(number: &str) -> Ctx {
    Ctx {
        actor: Actor::Person(PersonActor {
            account: AccountId::from_uuid(Uuid::from_u128(1)),
            name: "Nguyễn Thị Bí Mật".to_owned(),
            person_number: Some(number.to_owned()),
            birth_date: None,
            sex: None,
            phone: None,
            email: None,
            assurance: Assurance::Level2,
            organisation: None,
        }),
        ..system()
    }
}

#[tokio::test]
async fn numbers_and_the_pseudonyms_of_others_open_nothing() {
    for node in nodes().await {
        let (ours, theirs) = (node.of(STATISTICS, 12).await, node.of(RESEARCH, 12).await);
        let (_, list, _) = node.get(STATISTICS, "coverage/records?group=DN").await;
        let employer = list["items"][0]["body"]["employer_tax_code"]
            .as_str()
            .expect("a pseudonym");
        let clear = node.get(STATISTICS, &format!("insured/records/{}", NUMBERS[0])).await.1;
        let id = clear["id"].as_str().expect("the real id");

        // Trying out numbers would tell which pseudonym is whose: a number is not taken.
        for path in [
            format!("coverage/records/{}", NUMBERS[0]),
            format!("coverage/records/{id}"),
            format!("coverage/records/{}/history", NUMBERS[0]),
            format!("coverage/records?person_number={}", NUMBERS[0]),
            format!("coverage/records?employer_tax_code={EMPLOYER}"),
            "coverage/changes?cursor=0".to_owned(),
        ] {
            let (status, answer, text) = node.get(STATISTICS, &path).await;
            assert_eq!(
                (status, codes(&answer)),
                (StatusCode::UNPROCESSABLE_ENTITY, vec!["pseudonym-needed"]),
                "{path}: {text}"
            );
        }
        // Of another client, of another field, invented, or cut: as if there were nothing.
        let invented = format!("ps1-{}", "a".repeat(26));
        let place = list["items"][0]["id"].as_str().expect("an id");
        for path in [
            format!("coverage/records/{theirs}"),
            format!("coverage/records?person_number={theirs}"),
            format!("coverage/records/{employer}"),
            format!("coverage/records?employer_tax_code={ours}"),
            format!("coverage/records/{invented}"),
            format!("coverage/records?group=DN&cursor={place}"),
        ] {
            let (status, _, text) = node.get(STATISTICS, &path).await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{path}: {text}");
        }
        // A service that shows numbers takes no pseudonyms.
        let (status, ..) = node.get(STATISTICS, &format!("insured/records/{ours}")).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_new_edition_of_the_key_gives_new_pseudonyms_and_takes_the_old_until_told_not_to() {
    for node in nodes().await {
        let old = node.of(STATISTICS, 12).await;
        let rotated = node.with_key(PseudonymKey::new(2, 1, [8; 32]));
        let new = rotated.of(STATISTICS, 12).await;
        assert!(new.starts_with("ps2-") && new[4..] != old[4..]);
        for pseudonym in [&old, &new] {
            let (status, record, _) = rotated.get(STATISTICS, &format!("coverage/records/{pseudonym}")).await;
            assert_eq!((status, &record["key"]), (StatusCode::OK, &json!(new)));
        }
        let later = node.with_key(PseudonymKey::new(2, 2, [8; 32]));
        assert_eq!(
            later.get(STATISTICS, &format!("coverage/records/{old}")).await.0,
            StatusCode::NOT_FOUND
        );
        assert_eq!(
            later.get(STATISTICS, &format!("coverage/records/{new}")).await.0,
            StatusCode::OK
        );

        let bare = Registries::new(node.store.clone(), node.shelf.clone(), node.identity.clone());
        let bare = Node {
            registries: bare,
            ..later
        };
        let (status, answer, _) = bare.get(STATISTICS, "coverage/records?group=DN").await;
        assert_eq!(
            (status, codes(&answer)),
            (StatusCode::SERVICE_UNAVAILABLE, vec!["no-pseudonyms"]),
            "never the number instead"
        );
    }
}

#[tokio::test]
async fn two_that_the_law_names_put_together_what_they_have_and_the_person_sees_it() {
    for node in nodes().await {
        let (of_statistics, of_research) = (node.of(STATISTICS, 13).await, node.of(RESEARCH, 13).await);
        let (status, answer, text) = node.get(RESEARCH, &format!("link/translations/{of_statistics}")).await;
        assert_eq!(
            (status, &answer["pseudonym"]),
            (StatusCode::OK, &json!(of_research)),
            "{text}"
        );
        let (_, answer, _) = node.get(STATISTICS, &format!("link/translations/{of_research}")).await;
        assert_eq!(answer["pseudonym"], json!(of_statistics));

        let reads = node
            .identity
            .reads_of_me(&person(NUMBERS[1]), None, 50)
            .await
            .expect("reads")
            .0;
        let linked: Vec<&str> = reads
            .iter()
            .map(|read| read.what.as_str())
            .filter(|what| what.contains("nối mã"))
            .collect();
        assert_eq!(linked.len(), 2);
        assert!(
            linked
                .iter()
                .all(|what| what.contains(STATISTICS) && what.contains(RESEARCH) && what.contains("Điều 38"))
        );

        let of_stranger = node.of(STRANGER, 13).await;
        for (client, pseudonym, status) in [
            (STRANGER, &of_statistics, StatusCode::FORBIDDEN),
            // Of somebody whom the service does not name.
            (RESEARCH, &of_stranger, StatusCode::NOT_FOUND),
            (RESEARCH, &NUMBERS[1].to_owned(), StatusCode::NOT_FOUND),
        ] {
            let (was, _, text) = node.get(client, &format!("link/translations/{pseudonym}")).await;
            assert_eq!(was, status, "{client} {pseudonym}: {text}");
        }
        let (status, ..) = node.get(RESEARCH, &format!("link/records/{of_research}")).await;
        assert_eq!(
            status,
            StatusCode::METHOD_NOT_ALLOWED,
            "it translates and does nothing else"
        );
    }
}

#[tokio::test]
async fn an_erasure_takes_the_pseudonyms_along() {
    for node in nodes().await {
        let one = node.of(STATISTICS, 14).await;
        node.get(STATISTICS, "coverage/changes").await;
        let before = node.kept().await;
        let code = "social-insurance".parse().expect("a code");
        let (record, seq) = node
            .registries
            .newest(&system(), &code, NUMBERS[2])
            .await
            .expect("the record");
        let provenance = Provenance {
            source: "Quyết định".to_owned(),
            basis: "Luật Bảo vệ dữ liệu cá nhân số 91/2025/QH15".to_owned(),
            dossier: None,
        };
        let erased = node
            .registries
            .erase(&system(), &code, Seen { record, seq }, &provenance)
            .await;
        erased.expect("erased");
        assert_eq!(
            node.get(STATISTICS, &format!("coverage/records/{one}")).await.0,
            StatusCode::NOT_FOUND
        );
        // The number, the record, its place in the feed; the employer whom others have too is given anew when it is asked for.
        assert_eq!(node.kept().await, before - 4);
        assert_eq!(node.listed(STATISTICS).await.len(), 2);
    }
}
