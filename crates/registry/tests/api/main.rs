//! The API over HTTP: what it takes and gives, what it refuses, and that nothing personal gets out without right and purpose.

mod govstack;

use std::{
    path::Path,
    sync::{Arc, LazyLock},
};

use axum::{
    Extension, Router,
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use base::{Clock, Timestamp, time::FixedClock};
use exchange::gateway::Caller;
use http_body_util::BodyExt as _;
use identity::{
    AccountId, Actor, Assurance, Ctx, Entropy, IdentityState, OfficerActor, OfficerId, PersonActor, Role, Roles, Shell,
};
use procedure::reference::Reference;
use registry::{folder, service::Registries, shelf::Shelf};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use uuid::Uuid;

static REFERENCE: LazyLock<Arc<Reference>> =
    LazyLock::new(|| Arc::new(Reference::embedded().expect("the reference data of this build")));

const RECORDS: &str = "/api/v1/registries/population/records";
const SECRET: &str = "Nguyễn Thị Bí Mật";
const NUMBER: &str = "001190000017";

fn clock() -> FixedClock {
    FixedClock::at(Timestamp::parse_rfc3339("2026-11-25T10:00:00+07:00").expect("an instant"))
}

async fn nodes() -> Vec<(Router, Registries, IdentityState)> {
    let mut nodes = Vec::new();
    for store in store::testkit::stores(&[identity::MIGRATIONS, registry::MIGRATIONS]).await {
        let shelf = Shelf::open(store.clone(), Arc::clone(&REFERENCE))
            .await
            .expect("a shelf");
        for code in ["population", "civil-status"] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("../../registries")
                .join(code);
            let files = folder::read(&folder).expect("files");
            shelf.publish(&files, "test", clock().now()).await.expect("published");
        }
        let identity = IdentityState::new(
            store.clone(),
            identity::Config::default(),
            &[9; 32],
            Arc::new(clock()),
            Entropy::system(),
            Shell::default(),
        )
        .expect("good settings");
        let registries = Registries::new(store, shelf, identity.clone());
        let (router, _) = registry::api::router(registries.clone()).split_for_parts();
        nodes.push((router, registries, identity));
    }
    nodes
}

fn ctx(actor: Actor) -> Ctx {
    Ctx {
        actor,
        now: clock().now(),
        request_id: Uuid::nil(),
        lang: base::Lang::Vi,
    }
}

fn officer(agency: &str, role: Role) -> Ctx {
    ctx(Actor::Officer(OfficerActor {
        officer: OfficerId::from_uuid(Uuid::from_u128(7)),
        name: "Trần Thị Bình".to_owned(),
        title: String::new(),
        agency: agency.to_owned(),
        roles: Roles::of(&[role]),
    }))
}

fn steward() -> Ctx {
    officer("G01", Role::Steward)
}

struct Answer {
    status: StatusCode,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("JSON")
    }

    fn codes(&self) -> Vec<String> {
        let json = self.json();
        let problems = json["problems"].as_array().cloned().unwrap_or_default();
        problems
            .iter()
            .map(|p| {
                format!(
                    "{} {}",
                    p["at"].as_str().unwrap_or_default(),
                    p["code"].as_str().expect("a code")
                )
            })
            .collect()
    }
}

async fn call(router: &Router, ctx: &Ctx, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_owned()))
        .expect("a request");
    let router = router.clone().layer(Extension(ctx.clone()));
    let answer = router.oneshot(request).await.expect("an answer");
    let status = answer.status();
    let bytes = answer.into_body().collect().await.expect("a body").to_bytes();
    Answer {
        status,
        text: String::from_utf8(bytes.to_vec()).expect("UTF-8"),
    }
}

/// The dossier that is the cause of a read.
const ISSUE: (&str, &str) = ("x-road-issue", "H42.28-260821-0001");

async fn read(router: &Router, path: &str) -> Answer {
    let stated = [("x-motcua-purpose", "dossier.verify"), ISSUE];
    call(router, &steward(), Method::GET, path, &stated, "").await
}

async fn send(router: &Router, path: &str, key: &str, body: &Value) -> Answer {
    call(
        router,
        &steward(),
        Method::POST,
        path,
        &[("idempotency-key", key)],
        &body.to_string(),
    )
    .await
}

fn person() -> Value {
    json!({
        "person_number": NUMBER, "name": SECRET, "birth_date": "1990-05-17", "sex": "female", "nationality": "VN", "status": "alive",
        "residence": {"province": "01", "commune": "00004"},
    })
}

fn fresh() -> Value {
    json!({"valid_from": "2025-07-01", "body": person(), "source": "Tờ khai CT01"})
}

#[tokio::test]
async fn a_record_is_added_read_corrected_ended_and_followed() {
    for (router, ..) in nodes().await {
        let added = send(&router, RECORDS, "a", &fresh()).await;
        assert_eq!(added.status, StatusCode::CREATED, "{}", added.text);
        assert_eq!(send(&router, RECORDS, "a", &fresh()).await.text, added.text);
        assert_eq!(
            send(&router, RECORDS, "b", &fresh()).await.codes(),
            ["person_number key-taken"]
        );

        let one = format!("{RECORDS}/{NUMBER}");
        let record = read(&router, &one).await.json();
        assert_eq!(record["body"], person());
        assert_eq!(
            (&record["key"], &record["newest"], &record["valid_from"]),
            (&json!(NUMBER), &json!(1), &json!("2025-07-01"))
        );
        assert_eq!(
            read(&router, &format!("{RECORDS}/{}", record["id"].as_str().expect("an id")))
                .await
                .json(),
            record
        );
        let masked = read(&router, &format!("{one}?fields=residence.commune,sex"))
            .await
            .json();
        assert_eq!(
            masked["body"],
            json!({"sex": "female", "residence": {"commune": "00004"}})
        );
        assert!(masked.get("key").is_none());
        assert_eq!(
            read(&router, &format!("{one}?as_of=2025-06-30")).await.status,
            StatusCode::NOT_FOUND
        );
        assert_eq!(
            read(&router, &format!("{one}?known_at=2020-01-01T00:00:00Z"))
                .await
                .status,
            StatusCode::NOT_FOUND
        );

        let mut moved = person();
        moved["residence"]["commune"] = json!("00008");
        let moved = json!({"seen": 1, "valid_from": "2026-01-01", "body": moved, "source": "Tờ khai CT01"});
        let answer = send(&router, &format!("{one}/assertions"), "c", &moved).await;
        assert_eq!(
            (answer.status, answer.json()["seq"].clone()),
            (StatusCode::OK, json!(2)),
            "{}",
            answer.text
        );
        let stale = send(&router, &format!("{one}/assertions"), "d", &moved).await;
        assert_eq!(
            (stale.status, stale.codes()),
            (StatusCode::CONFLICT, vec![" record-changed".to_owned()])
        );
        let void = json!({"seen": 2, "corrects": 2, "source": "Biên bản rà soát"});
        assert_eq!(
            send(&router, &format!("{one}/corrections"), "e", &void).await.status,
            StatusCode::OK
        );
        assert_eq!(
            read(&router, &one).await.json()["body"]["residence"]["commune"],
            "00004"
        );
        let end = json!({"seen": 3, "valid_from": "2026-06-01", "source": "Giấy khai tử"});
        assert_eq!(
            send(&router, &format!("{one}/ends"), "f", &end).await.status,
            StatusCode::OK
        );
        assert_eq!(read(&router, &one).await.status, StatusCode::NOT_FOUND);
        let history = read(&router, &format!("{one}/history?limit=3")).await.json();
        let kinds: Vec<&str> = history["items"]
            .as_array()
            .expect("items")
            .iter()
            .map(|v| v["kind"].as_str().expect("a kind"))
            .collect();
        assert_eq!(
            (kinds, &history["next"]),
            (vec!["assert", "assert", "correct"], &json!("3"))
        );
        let rest = read(&router, &format!("{one}/history?limit=3&cursor=3")).await.json();
        assert_eq!(
            (rest["items"][0]["effect"].as_str(), rest.get("next")),
            (Some("ends"), None)
        );
        // The history and the feed as they were, and of a day; what the feed does not know of is refused by its name.
        let kinds = async |query: &str| {
            let items = read(&router, &format!("{one}/history?{query}")).await.json()["items"].clone();
            let items = items.as_array().cloned().unwrap_or_default();
            let kinds: Vec<String> = items
                .iter()
                .filter_map(|item| item["kind"].as_str().map(str::to_owned))
                .collect();
            kinds
        };
        assert_eq!(kinds("as_of=2025-08-01").await, ["assert"]);
        assert_eq!(kinds("as_of=2026-02-01").await, ["assert", "assert", "correct"]);
        assert_eq!(kinds("known_at=2026-11-25T10:00:00%2B07:00").await, ["assert"]);
        assert_eq!(
            read(&router, &format!("{one}/history?known_at=2020-01-01T00:00:00Z"))
                .await
                .status,
            StatusCode::NOT_FOUND
        );
        let changes = "/api/v1/registries/population/changes";
        let then = read(&router, &format!("{changes}?known_at=2026-11-25T10:00:00%2B07:00"))
            .await
            .json();
        assert_eq!(
            (then["items"].as_array().map(Vec::len), then.get("next")),
            (Some(1), None)
        );
        for (path, code) in [
            (format!("{changes}?as_of=2026-01-01"), "as_of feed-by-recording"),
            (format!("{changes}?known_at=now"), "known_at not-an-instant"),
            (format!("{one}/history?as_of=2026-13-01"), "as_of not-a-moment"),
            (
                "/api/v1/registries?as_of=2026-01-01".to_owned(),
                "as_of unknown-parameter",
            ),
            (
                "/api/v1/registries/population?as_of=2026-01-01".to_owned(),
                "as_of unknown-parameter",
            ),
        ] {
            assert_eq!(read(&router, &path).await.codes(), [code], "{path}");
        }
        let feed = read(&router, "/api/v1/registries/population/changes?limit=2&fields=name")
            .await
            .json();
        assert_eq!(feed["items"][0]["body"], json!({"name": SECRET}));
        assert_eq!(feed["next"], feed["items"][1]["cursor"]);
    }
}

#[tokio::test]
async fn lists_ask_by_the_filters_of_the_registry_and_everything_wrong_is_told_at_once() {
    for (router, ..) in nodes().await {
        send(&router, RECORDS, "a", &fresh()).await;
        for query in [
            "name_prefix=nguyen%20thi",
            "birth_date_from=1990&birth_date_to=1990",
            "residence_commune=00004&sort=-name",
            "person_number=001190000017&limit=1",
        ] {
            let found = read(&router, &format!("{RECORDS}?{query}")).await;
            assert_eq!(
                found.json()["items"].as_array().map(Vec::len),
                Some(1),
                "{query}: {}",
                found.text
            );
        }
        for query in [
            "name_prefix=tran",
            "birth_date_to=1989",
            "residence_commune=00008",
            "as_of=2020-01-01",
        ] {
            let found = read(&router, &format!("{RECORDS}?{query}")).await;
            assert_eq!(found.json()["items"], json!([]), "{query}: {}", found.text);
        }
        for (query, codes) in [
            (
                "shoe_size=38&name=a&name=b",
                vec!["shoe_size unknown-parameter", "name parameter-twice"],
            ),
            (
                "as_of=never&known_at=2026-01-01&fields=shoe_size",
                vec!["as_of not-a-moment", "known_at not-an-instant", "fields unknown-field"],
            ),
            ("sort=sex", vec!["sort cannot-sort"]),
            ("cursor=nowhere", vec!["cursor cursor"]),
            ("limit=1000", vec!["limit limit"]),
        ] {
            let answer = read(&router, &format!("{RECORDS}?{query}")).await;
            assert_eq!(
                (answer.status, answer.codes()),
                (
                    StatusCode::UNPROCESSABLE_ENTITY,
                    codes.into_iter().map(str::to_owned).collect()
                ),
                "{query}"
            );
        }
        let wrong = json!({"valid_from": "2026-02-30", "body": person(), "source": "x"});
        assert_eq!(
            send(&router, RECORDS, "w", &wrong).await.codes(),
            ["valid_from not-a-moment"]
        );
        let mut wrong = fresh();
        wrong["body"]["sex"] = json!("nữ");
        wrong["body"]["birth_date"] = json!("17/05/1990");
        let answer = send(&router, RECORDS, "x", &wrong).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            answer.codes().iter().any(|code| code == "sex out-of-bounds")
                && answer.codes().iter().any(|code| code == "birth_date wrong-format")
        );
        let unknown = read(&router, "/api/v1/registries/shoes/records").await;
        assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn what_a_registry_is_everybody_may_read() {
    for (router, ..) in nodes().await {
        let nobody = ctx(Actor::Anonymous);
        let get = async |path: &str| call(&router, &nobody, Method::GET, path, &[], "").await;
        let list = get("/api/v1/registries?limit=1").await.json();
        assert_eq!(
            (list["items"][0]["code"].as_str(), list["next"].as_str()),
            (Some("civil-status"), Some("civil-status"))
        );
        let registry = get("/api/v1/registries/population").await.json();
        assert_eq!(registry["schema"]["properties"]["name"]["x-term"], "person.name");
        let names = registry["fields"].as_array().expect("fields");
        let name = names.iter().find(|field| field["field"] == "name").expect("a field");
        assert_eq!(
            (name["name"]["vi"].as_str(), name["sensitivity"].as_str()),
            (Some("Họ, chữ đệm và tên khai sinh"), Some("personal"))
        );
        assert_eq!(registry["versions"][0]["version"], 1);
        let api = get("/api/v1/registries/population/openapi.json").await.json();
        assert_eq!(api["openapi"], "3.1.0");
        let past = &api["paths"][format!("{RECORDS}/{{key}}/history")]["get"]["parameters"];
        for time in ["as_of", "known_at"] {
            let named = |parameter: &&Value| parameter["name"] == time;
            assert!(past.as_array().expect("parameters").iter().any(|p| named(&p)), "{time}");
        }
        let parameters = &api["paths"][RECORDS]["get"]["parameters"];
        let named = |name: &str| {
            parameters
                .as_array()
                .expect("parameters")
                .iter()
                .find(|p| p["name"] == name)
                .cloned()
        };
        assert_eq!(
            named("person_number").expect("a filter")["schema"]["pattern"],
            "^[0-9]{12}$"
        );
        assert!(named("name_prefix").is_some() && named("birth_date_from").is_some() && named("sex").is_none());
        assert_eq!(named("X-Motcua-Purpose").expect("the purpose")["required"], true);
        assert!(!api.to_string().contains("x-term"));
    }
}

#[tokio::test]
async fn lines_go_in_and_out() {
    for (router, ..) in nodes().await {
        let bulk = "/api/v1/registries/population/bulk";
        let line = |n: usize| {
            let mut body = person();
            body["person_number"] = json!(format!("00119000{n:04}"));
            json!({"valid_from": "2026-01-01", "body": body}).to_string()
        };
        let mut lines: Vec<String> = (0..1_203).map(line).collect();
        lines[3] = "{not json".to_owned();
        lines[700] = lines[10].clone();
        lines[1_100] =
            json!({"valid_from": "2026-01-01", "body": {"person_number": "001190009999", "shoe_size": "Bí Mật"}})
                .to_string();
        lines.push(String::new());
        let input = lines.join("\n");
        let path = format!("{bulk}?source=D%E1%BB%AF%20li%E1%BB%87u%20c%C5%A9");
        let taken = call(
            &router,
            &steward(),
            Method::POST,
            &path,
            &[("idempotency-key", "bulk")],
            &input,
        )
        .await;
        assert_eq!(taken.status, StatusCode::OK);
        let told: Vec<Value> = taken
            .text
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        let wrong: Vec<u64> = told.iter().filter_map(|line| line["line"].as_u64()).collect();
        assert_eq!(wrong, [4, 701, 1_101]);
        assert_eq!(told.last(), Some(&json!({"taken": 1_200, "refused": 3})));
        assert!(!taken.text.contains("Bí Mật"));
        let again = call(
            &router,
            &steward(),
            Method::POST,
            &path,
            &[("idempotency-key", "bulk")],
            &input,
        )
        .await;
        assert_eq!(again.text, taken.text, "the same lines under the same key happen once");
        let no_source = call(
            &router,
            &steward(),
            Method::POST,
            bulk,
            &[("idempotency-key", "x")],
            &input,
        )
        .await;
        assert_eq!(no_source.codes(), ["source required"]);

        let out = read(&router, &format!("{bulk}?fields=person_number&name_prefix=nguyen")).await;
        let numbers: std::collections::BTreeSet<String> = out
            .text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["body"].to_string())
            .collect();
        assert_eq!(numbers.len(), 1_200);
    }
}

/// Each route, as each role, with and without a purpose: what a record says is in no answer but to those who may, with a purpose.
#[tokio::test]
async fn nothing_personal_gets_out_by_any_route() {
    for (router, ..) in nodes().await {
        send(&router, RECORDS, "a", &fresh()).await;
        let one = format!("{RECORDS}/{NUMBER}");
        let gets = [
            "/api/v1/registries".to_owned(),
            "/api/v1/registries/population".to_owned(),
            "/api/v1/registries/population/openapi.json".to_owned(),
            RECORDS.to_owned(),
            format!("{RECORDS}?name_prefix=nguyen"),
            one.clone(),
            format!("{one}?fields=name"),
            format!("{one}/history"),
            "/api/v1/registries/population/changes".to_owned(),
            "/api/v1/registries/population/bulk".to_owned(),
        ];
        let posts = [
            RECORDS.to_owned(),
            format!("{one}/assertions"),
            format!("{one}/corrections"),
            format!("{one}/ends"),
            format!("{one}/erasure"),
            "/api/v1/registries/population/bulk?source=x".to_owned(),
        ];
        let mut callers = vec![("nobody".to_owned(), ctx(Actor::Anonymous))];
        for role in Role::ALL {
            callers.push((format!("{role:?}"), officer("G01", role)));
            callers.push((format!("{role:?} elsewhere"), officer("G15", role)));
        }
        let purpose = [("x-motcua-purpose", "dossier.verify"), ISSUE];
        for (name, caller) in &callers {
            let may_read = ["Steward", "Reader"].contains(&name.as_str());
            for path in &gets {
                for stated in [&purpose[..], &[]] {
                    let answer = call(&router, caller, Method::GET, path, stated, "").await;
                    let told = answer.text.contains(SECRET) || answer.text.contains(NUMBER);
                    assert!(
                        !told || (may_read && !stated.is_empty()),
                        "{name} GET {path} {stated:?}: {}",
                        answer.text
                    );
                    let public = !path.contains("records") && !path.contains("changes") && !path.contains("bulk");
                    let expected = match (public, name.as_str(), may_read) {
                        (true, ..) => StatusCode::OK,
                        (_, "nobody", _) => StatusCode::UNAUTHORIZED,
                        _ if stated.is_empty() && !path.contains("changes") => StatusCode::UNPROCESSABLE_ENTITY,
                        (.., true) => StatusCode::OK,
                        _ => StatusCode::FORBIDDEN,
                    };
                    assert_eq!(answer.status, expected, "{name} GET {path} {stated:?}: {}", answer.text);
                }
            }
            for path in posts.iter().filter(|_| name != "Steward") {
                let body = json!({"seen": 1, "valid_from": "2026-01-01", "source": "x", "basis": "y", "corrects": 1, "body": person()});
                let body = match path.rsplit('/').next() {
                    Some("assertions") => {
                        json!({"seen": 1, "valid_from": "2026-01-01", "source": "x", "body": person()})
                    }
                    Some("ends") => json!({"seen": 1, "valid_from": "2026-01-01", "source": "x"}),
                    Some("erasure") => json!({"seen": 1, "source": "x", "basis": "y"}),
                    Some("corrections") => json!({"seen": 1, "corrects": 1, "source": "x"}),
                    Some("records") => fresh(),
                    _ => body,
                };
                let answer = call(
                    &router,
                    caller,
                    Method::POST,
                    path,
                    &[("idempotency-key", "z")],
                    &body.to_string(),
                )
                .await;
                let expected = if name == "nobody" {
                    StatusCode::UNAUTHORIZED
                } else {
                    StatusCode::FORBIDDEN
                };
                assert_eq!(answer.status, expected, "{name} POST {path}: {}", answer.text);
                assert!(!answer.text.contains(SECRET) && !answer.text.contains(NUMBER));
            }
        }
    }
}

#[tokio::test]
async fn the_exchange_gets_what_a_service_shows_and_no_more() {
    for (api, registries, identity) in nodes().await {
        send(&api, RECORDS, "a", &fresh()).await;
        let caller = Caller {
            client: "VN/GOV/000.00.00.H42/motcua".parse().expect("a client"),
            service: "VN/GOV/000.00.00.G01/dancu/registries".parse().expect("a service"),
            purpose: "dossier.verify".parse().expect("a purpose"),
            request_id: Uuid::nil(),
        };
        let office = registry::offered::router(registries.clone(), Arc::new(clock()), "G01");
        let system = ctx(Actor::Anonymous);
        let get = async |path: &str| {
            let router = office.clone().layer(Extension(caller.clone()));
            call(
                &router,
                &system,
                Method::GET,
                path,
                &[("x-road-issue", "H42.28-260821-0001")],
                "",
            )
            .await
        };
        let verified = get(&format!("/population/verify/records/{NUMBER}")).await.json();
        let mut fields: Vec<&str> = verified["body"]
            .as_object()
            .expect("a body")
            .keys()
            .map(String::as_str)
            .collect();
        fields.sort_unstable();
        assert_eq!(fields, ["birth_date", "name", "person_number", "sex", "status"]);
        let asked = get(&format!("/population/verify/records/{NUMBER}?fields=name,residence"))
            .await
            .json();
        assert_eq!(asked["body"], json!({"name": SECRET}));
        let found = get("/population/search/records?name_prefix=nguyen&birth_date=1990-05-17")
            .await
            .json();
        assert_eq!(found["items"].as_array().map(Vec::len), Some(1));
        for (path, status) in [
            (
                format!("/population/verify/records/{NUMBER}/history"),
                StatusCode::METHOD_NOT_ALLOWED,
            ),
            ("/population/verify/records".to_owned(), StatusCode::METHOD_NOT_ALLOWED),
            (
                "/population/search/records".to_owned(),
                StatusCode::UNPROCESSABLE_ENTITY,
            ),
            (
                "/population/search/records?residence_commune=00004".to_owned(),
                StatusCode::UNPROCESSABLE_ENTITY,
            ),
            (format!("/population/nothing/records/{NUMBER}"), StatusCode::NOT_FOUND),
            (
                "/civil-status/birth/records?child.person_number=1".to_owned(),
                StatusCode::NOT_FOUND,
            ),
        ] {
            let answer = get(&path).await;
            assert_eq!(answer.status, status, "{path}: {}", answer.text);
            assert!(!answer.text.contains(SECRET));
        }
        // Without the gateway nobody is there.
        let bare = call(
            &office,
            &system,
            Method::GET,
            &format!("/population/verify/records/{NUMBER}"),
            &[],
            "",
        )
        .await;
        assert_eq!(bare.status, StatusCode::NOT_FOUND);

        // What the gateway sees of itself is not told twice; where the number is not shown, the read is told here.
        let me = ctx(Actor::Person(PersonActor {
            account: AccountId::from_uuid(Uuid::from_u128(1)),
            name: SECRET.to_owned(),
            person_number: Some(NUMBER.to_owned()),
            birth_date: None,
            sex: None,
            phone: None,
            email: None,
            assurance: Assurance::Level2,
            organisation: None,
        }));
        let told = async || identity.reads_of_me(&me, None, 50).await.expect("reads").0.len();
        let before = told().await;
        get(&format!("/population/verify/records/{NUMBER}")).await;
        assert_eq!(told().await, before);
        get(&format!("/population/verify/records/{NUMBER}?fields=name")).await;
        assert_eq!(told().await, before + 1);
        // A report of another agency stands in the record with its name.
        let mut moved = person();
        moved["residence"]["commune"] = json!("00008");
        let body = json!({"seen": 1, "valid_from": "2026-01-01", "body": moved, "source": "Tờ khai CT01"});
        let router = office.clone().layer(Extension(caller.clone()));
        let path = format!("/population/keep/records/{NUMBER}/assertions");
        let sent = call(
            &router,
            &system,
            Method::POST,
            &path,
            &[("idempotency-key", "k"), ("x-road-issue", "H42.28-260821-0001")],
            &body.to_string(),
        )
        .await;
        assert_eq!(sent.status, StatusCode::OK, "{}", sent.text);
        let history = read(&api, &format!("{RECORDS}/{NUMBER}/history")).await.json();
        assert_eq!(
            history["items"][1]["source"],
            "VN/GOV/000.00.00.H42/motcua: Tờ khai CT01"
        );
        assert_eq!(history["items"][1]["dossier"], "H42.28-260821-0001");
        let refused = call(
            &router,
            &system,
            Method::POST,
            &format!("/population/verify/records/{NUMBER}/ends"),
            &[("idempotency-key", "m")],
            &json!({"seen": 2, "valid_from": "2026-03-01", "source": "x"}).to_string(),
        )
        .await;
        assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED);
    }
}
