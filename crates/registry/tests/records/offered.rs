//! Facts and orders as the exchange brings them: what a service tells, and to whom an order belongs.

use axum::{
    Extension, Router,
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use exchange::gateway::Caller;
use http_body_util::BodyExt as _;
use identity::{AccountId, Assurance, PersonActor};
use tower::ServiceExt as _;

use super::{orders::newborn, *};

const DOSSIER: &str = "H42.28-260821-0001";
const HUSBAND: &str = "001090000017";
const WIFE: &str = "001190000025";

impl Office {
    /// How many reads the log has of a person.
    pub(super) async fn told_to(&self, number: &str) -> usize {
        let actor = Actor::Person(PersonActor {
            account: AccountId::from_uuid(Uuid::from_u128(1)),
            name: String::new(),
            person_number: Some(number.to_owned()),
            birth_date: None,
            sex: None,
            phone: None,
            email: None,
            assurance: Assurance::Level2,
            organisation: None,
        });
        let me = Ctx { actor, ..steward() };
        self.identity.reads_of_me(&me, None, 50).await.expect("reads").0.len()
    }

    pub(super) fn offered(&self, agency: &str) -> Router {
        registry::offered::router(self.registries.clone(), Arc::new(FixedClock::at(now())), agency)
    }
}

/// Behind the gateway, as a client.
pub(super) async fn call(
    router: &Router,
    client: &str,
    method: Method,
    path: &str,
    body: &Value,
) -> (StatusCode, Value) {
    let caller = Caller {
        client: client.parse().expect("a client"),
        service: "VN/GOV/000.00.00.G01/motcua/registries".parse().expect("a service"),
        purpose: "procedure.prefill".parse().expect("a purpose"),
        request_id: Uuid::nil(),
    };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::CONTENT_TYPE, "application/json")
        .header("x-road-issue", DOSSIER)
        .body(Body::from(body.to_string()))
        .expect("a request");
    let router = router.clone().layer(Extension(caller));
    let answer = router.oneshot(request).await.expect("an answer");
    let status = answer.status();
    let bytes = answer.into_body().collect().await.expect("a body").to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

pub(super) const ASKS: &str = "VN/GOV/000.00.00.H42/motcua";
const OTHER: &str = "VN/GOV/000.00.00.H01/motcua";

fn first_code(said: &Value) -> &str {
    said["problems"][0]["code"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_service_tells_the_attributes_that_it_names() {
    for office in offices().await {
        office
            .write(assert_new(person(HUSBAND, "Nguyễn Văn An", "00004"), "2025-07-01"))
            .await;
        let population = office.offered("G01");
        let get = async |path: &str| call(&population, ASKS, Method::GET, path, &Value::Null).await;
        let (status, said) = get(&format!(
            "/population/prefill/facts/{HUSBAND}?attributes=full-name,residence,ethnicity"
        ))
        .await;
        assert_eq!(status, StatusCode::OK, "{said}");
        let facts = &said["facts"];
        assert_eq!(facts["full-name"]["value"], "Nguyễn Văn An");
        assert_eq!(facts["full-name"]["entry"], format!("population/{HUSBAND}#1"));
        assert_eq!(facts["full-name"]["recorded_at"], now().rfc3339());
        assert_eq!(
            facts["residence"]["value"],
            json!({"province": "01", "commune": "00004", "detail": ""})
        );
        assert_eq!(
            facts.get("ethnicity"),
            Some(&Value::Null),
            "asked, and nothing is known"
        );
        let (status, ahead) = get(&format!(
            "/population/prefill/facts/{HUSBAND}?attributes=spouse-number,full-name"
        ))
        .await;
        assert_eq!(
            (status, &ahead["not_offered"]),
            (StatusCode::OK, &json!(["spouse-number"]))
        );
        assert_eq!(
            ahead["facts"]["full-name"]["value"], "Nguyễn Văn An",
            "the rest is told"
        );
        let (status, nobody) = get("/population/prefill/facts/001190009999?attributes=full-name").await;
        assert_eq!(
            (status, nobody),
            (StatusCode::OK, json!({"facts": {"full-name": null}}))
        );

        for (path, status, code) in [
            (
                "/population/prefill/facts/1?attributes=spouse-number",
                422,
                "unknown-attribute",
            ),
            (
                "/population/prefill/facts/1?attributes=full-name,",
                422,
                "unknown-attribute",
            ),
            ("/population/prefill/facts/1", 422, "unknown-attribute"),
            (
                "/population/prefill/facts/1?attributes=sex&fields=name",
                422,
                "unknown-parameter",
            ),
            ("/population/verify/facts/1?attributes=full-name", 405, "not-offered"),
            ("/population/nothing/facts/1?attributes=full-name", 404, "not-found"),
            ("/civil-status/prefill/facts/1?attributes=birth-entry", 404, "not-found"),
        ] {
            let (found, said) = get(path).await;
            assert_eq!((found.as_u16(), first_code(&said)), (status, code), "{path}: {said}");
            assert!(!said.to_string().contains("Nguyễn"), "{said}");
        }
    }
}

#[tokio::test]
async fn whoever_else_a_fact_is_made_of_learns_of_the_read() {
    for office in offices().await {
        let marriage = json!({
            "kind": "marriage", "commune": "00004", "year": 2026, "number": 7, "registered_on": "2026-03-02",
            "husband": {"name": "Nguyễn Văn An", "birth_date": "1990-01-01", "person_number": HUSBAND},
            "wife": {"name": "Trần Thị Bình", "birth_date": "1990-01-01", "person_number": WIFE},
        });
        let code = "civil-status".parse().expect("a code");
        let registrar = officer("Lê Văn Cường", "G15", Role::Steward);
        office
            .registries
            .write(
                &registrar,
                &code,
                assert_new(marriage, "2026-03-02"),
                &provenance(),
                &key(),
            )
            .await
            .expect("taken in");
        let (before, hers) = (office.told_to(HUSBAND).await, office.told_to(WIFE).await);
        let path = format!("/civil-status/prefill/facts/{HUSBAND}?attributes=spouse-number,marriage-entry");
        let (_, said) = call(&office.offered("G15"), ASKS, Method::GET, &path, &Value::Null).await;
        assert_eq!(
            (
                &said["facts"]["spouse-number"]["value"],
                &said["facts"]["marriage-entry"]["value"]
            ),
            (&json!(WIFE), &json!("7/2026"))
        );
        // Whom the address names, the gateway tells.
        assert_eq!(
            (office.told_to(HUSBAND).await, office.told_to(WIFE).await),
            (before, hers + 1)
        );
    }
}

#[tokio::test]
async fn those_in_a_list_learn_of_the_read_though_the_gateway_does_not_see_them() {
    for office in offices().await {
        let enterprise = json!({
            "tax_code": "0100233488", "name": "Công ty An Bình", "legal_form": "llc", "status": "active", "founded_on": "2020-01-02",
            "address": {"province": "01", "commune": "00004"},
            "representatives": [{"person_number": HUSBAND, "name": "Nguyễn Văn An"}, {"person_number": WIFE, "name": "Trần Thị Bình"}],
        });
        let code = "enterprises".parse().expect("a code");
        let registrar = officer("Lê Văn Cường", "G12", Role::Steward);
        office
            .registries
            .write(
                &registrar,
                &code,
                assert_new(enterprise, "2026-03-02"),
                &provenance(),
                &key(),
            )
            .await
            .expect("taken in");
        let before = (office.told_to(HUSBAND).await, office.told_to(WIFE).await);
        let path = "/enterprises/prefill/records/0100233488";
        let (status, said) = call(&office.offered("G12"), ASKS, Method::GET, path, &Value::Null).await;
        assert_eq!(status, StatusCode::OK, "{said}");
        let after = (office.told_to(HUSBAND).await, office.told_to(WIFE).await);
        assert_eq!(after, (before.0 + 1, before.1 + 1));
    }
}

#[tokio::test]
async fn an_order_is_of_the_client_that_sent_it() {
    for office in offices().await {
        let router = office.offered("G01");
        let order = json!({
            "id": format!("{DOSSIER}/3/person"),
            "plan": {"act": "assert", "valid_from": "2026-11-20", "body": newborn("Nguyễn An")},
            "procedure": "3.000722", "basis": "Luật Căn cước 2023, Điều 12", "dossier": DOSSIER, "source": "Cấp số định danh",
        });
        let send = async |client: &str, path: &str, body: &Value| call(&router, client, Method::POST, path, body).await;
        let (status, done) = send(ASKS, "/population/keep/orders", &order).await;
        assert_eq!(status, StatusCode::OK, "{done}");
        let number = done["record"]["person_number"].as_str().expect("given").to_owned();
        assert_eq!(
            send(ASKS, "/population/keep/orders", &order).await,
            (StatusCode::OK, done.clone())
        );
        let mut another = order.clone();
        another["plan"]["body"]["name"] = "Khác".into();
        let (status, said) = send(ASKS, "/population/keep/orders", &another).await;
        assert_eq!((status.as_u16(), first_code(&said)), (409, "order-differs"));
        // Of another client it is another order.
        let (status, others) = send(OTHER, "/population/keep/orders", &another).await;
        assert_eq!(status, StatusCode::OK);
        assert_ne!(others["record"]["person_number"], done["record"]["person_number"]);

        let mut of_another_dossier = order.clone();
        of_another_dossier["dossier"] = "H42.28-260821-0002".into();
        let mut too_much = order.clone();
        too_much["client"] = ASKS.into();
        for (path, body, status, code) in [
            ("/population/keep/orders", &of_another_dossier, 422, "dossier-differs"),
            ("/population/keep/orders", &too_much, 422, "json-shape"),
            ("/population/prefill/orders", &order, 405, "not-offered"),
            (
                "/population/keep/orders/x",
                &json!({"entry": "", "procedure": "", "dossier": DOSSIER}),
                404,
                "not-found",
            ),
        ] {
            let (found, said) = send(ASKS, path, body).await;
            assert_eq!((found.as_u16(), first_code(&said)), (status, code), "{path}: {said}");
        }

        let back = json!({"entry": done["entry"], "procedure": "3.000722", "dossier": DOSSIER});
        let path = format!("/population/keep/orders/{DOSSIER}/3/person/back");
        let (status, said) = send(OTHER, &path, &back).await;
        assert_eq!((status.as_u16(), first_code(&said)), (404, "not-found"));
        let held = async || {
            let read = office
                .registries
                .read(
                    &steward(),
                    &purpose(),
                    &population(),
                    &number,
                    When::default(),
                    &Mask::ALL,
                )
                .await;
            read.is_ok()
        };
        assert!(held().await);
        let (status, taken) = send(ASKS, &path, &back).await;
        assert_eq!((status, held().await), (StatusCode::OK, false), "{taken}");
        assert_eq!(send(ASKS, &path, &back).await, (StatusCode::OK, taken));
    }
}
