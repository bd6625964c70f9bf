//! People signing in by an e-ID: a small OpenID provider on the loopback, with real signatures, that can be bent.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
};

use axum::{
    Form, Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use openidconnect::{
    JsonWebKeyId, PrivateSigningKey,
    core::{CoreEdDsaPrivateSigningKey, CoreJwsSigningAlgorithm},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::harness::{Browser, START, nodes};
use crate::{ClaimNames, Config, Oidc};

/// What the provider does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bend {
    Nothing,
    Nonce,
    Issuer,
    Audience,
    Expired,
    UnknownLevel,
    NoLevel,
    OtherKey,
    NoSignature,
    OtherSubject,
    NoName,
}

#[derive(Debug)]
struct Plan {
    issuer: String,
    bend: Bend,
    acr: &'static str,
    nonce: String,
    challenge: String,
}

type Shared = Arc<Mutex<Plan>>;

fn key(seed: u8, id: &str) -> CoreEdDsaPrivateSigningKey {
    // RFC 8410: the fixed head of an Ed25519 private key in PKCS #8, then its 32 bytes.
    let head = [
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
    ];
    let der = [head.as_slice(), &[seed; 32]].concat();
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(der)
    );
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, Some(JsonWebKeyId::new(id.to_owned()))).expect("a key")
}

async fn provider() -> (String, Shared) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let issuer = format!("http://{}", listener.local_addr().expect("an address"));
    let plan = Arc::new(Mutex::new(Plan {
        issuer: issuer.clone(),
        bend: Bend::Nothing,
        acr: "level2",
        nonce: String::new(),
        challenge: String::new(),
    }));
    let app = Router::new()
        .route("/.well-known/openid-configuration", get(discovery))
        .route(
            "/jwks",
            get(async || Json(json!({ "keys": [key(1, "k1").as_verification_key()] }))),
        )
        .route("/token", post(token))
        .route("/userinfo", get(userinfo))
        .with_state(plan.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (issuer, plan)
}

async fn discovery(State(plan): State<Shared>) -> Json<Value> {
    let issuer = plan.lock().expect("a plan").issuer.clone();
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "jwks_uri": format!("{issuer}/jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
    }))
}

async fn token(State(plan): State<Shared>, headers: HeaderMap, Form(form): Form<HashMap<String, String>>) -> Response {
    let plan = plan.lock().expect("a plan");
    let client = format!("Basic {}", STANDARD.encode("motcua:secret"));
    let verifier = form.get("code_verifier").map(String::as_str).unwrap_or_default();
    let proved = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == plan.challenge;
    let known = headers
        .get("authorization")
        .is_some_and(|v| v.as_bytes() == client.as_bytes());
    if !known || !proved || form.get("code").map(String::as_str) != Some("good") {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response();
    }
    let now = START / 1_000_000;
    let bend = plan.bend;
    let mut claims = json!({
        "iss": if bend == Bend::Issuer { "https://evil.example" } else { plan.issuer.as_str() },
        "aud": if bend == Bend::Audience { "someone-else" } else { "motcua" },
        "sub": "an",
        "iat": now - 10,
        "exp": if bend == Bend::Expired { now - 5 } else { now + 300 },
        "nonce": if bend == Bend::Nonce { "another" } else { plan.nonce.as_str() },
        "acr": if bend == Bend::UnknownLevel { "gold" } else { plan.acr },
    });
    if bend == Bend::NoLevel {
        claims.as_object_mut().expect("an object").remove("acr");
    }
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let algorithm = if bend == Bend::NoSignature { "none" } else { "EdDSA" };
    let signed = format!("{}.{}", part(&json!({ "alg": algorithm, "kid": "k1" })), part(&claims));
    let signer = key(if bend == Bend::OtherKey { 2 } else { 1 }, "k1");
    let signature = signer
        .sign(&CoreJwsSigningAlgorithm::EdDsa, signed.as_bytes())
        .expect("signs");
    let signature = if bend == Bend::NoSignature {
        String::new()
    } else {
        URL_SAFE_NO_PAD.encode(signature)
    };
    Json(json!({ "access_token": "at", "token_type": "Bearer", "id_token": format!("{signed}.{signature}") }))
        .into_response()
}

async fn userinfo(State(plan): State<Shared>) -> Json<Value> {
    let bend = plan.lock().expect("a plan").bend;
    let mut info = json!({
        "sub": if bend == Bend::OtherSubject { "binh" } else { "an" },
        "name": "Nguyễn Văn An",
        "birthdate": "1999-02-28",
        "gender": "male",
        "phone_number": "+84901234567",
        "email": "an@example.vn",
        "personal_identification_number": "001099012345",
        "organization_tax_code": "0101234567",
        "organization_name": "Công ty Hoa Sen",
    });
    if bend == Bend::NoName {
        info.as_object_mut().expect("an object").remove("name");
    }
    Json(info)
}

fn config(issuer: &str) -> Config {
    Config {
        oidc: Some(Oidc {
            issuer: issuer.to_owned(),
            client_id: "motcua".into(),
            client_secret: Some("secret".into()),
            scopes: vec!["profile".into()],
            acr: BTreeMap::from([("level1".to_owned(), 1), ("level2".to_owned(), 2)]),
            claims: ClaimNames::default(),
            timeout_seconds: 5,
            name: base::Text::new("VNeID", "VNeID"),
        }),
        ..Config::default()
    }
}

/// Goes to the e-ID and back; the address that the e-ID leads back to.
async fn there(browser: &mut Browser<'_>, plan: &Shared, path: &str) -> (String, HashMap<String, String>) {
    let answer = browser.get(path).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let address = webauthn_rs::prelude::Url::parse(answer.location()).expect("an address");
    let query: HashMap<String, String> = address.query_pairs().into_owned().collect();
    let mut plan = plan.lock().expect("a plan");
    plan.nonce = query["nonce"].clone();
    plan.challenge = query["code_challenge"].clone();
    (
        format!("/sign-in/oidc/callback?code=good&state={}", query["state"]),
        query,
    )
}

#[tokio::test]
async fn a_person_signs_in_with_all_that_the_e_id_tells() {
    let (issuer, plan) = provider().await;
    for node in nodes(&config(&issuer)).await {
        let mut browser = node.browser();
        let (back, query) = there(&mut browser, &plan, "/sign-in/oidc?next=/apply/1.001193").await;
        assert_eq!(query["redirect_uri"], "http://localhost:8080/sign-in/oidc/callback");
        assert_eq!(query["code_challenge_method"], "S256");
        assert_eq!(query["acr_values"], "level1 level2");
        assert!(query["scope"].contains("openid") && query["scope"].contains("profile"));
        let answer = browser.get(&back).await;
        assert_eq!(
            (answer.status, answer.location()),
            (StatusCode::SEE_OTHER, "/apply/1.001193"),
            "{}",
            answer.body
        );
        let me = browser.get("/api/v1/me").await.json();
        assert_eq!(me["name"], "Nguyễn Văn An");
        assert_eq!(me["person_number"], "001099012345");
        assert_eq!(me["assurance"], "level2");
        assert_eq!(me["organisation"]["tax_code"], "0101234567");
        let page = browser.get("/account").await.body;
        for shown in ["28/02/1999", "Nam", "+84901234567", "an@example.vn", "mức độ 2"] {
            assert!(page.contains(shown), "{shown}");
        }
        let again = browser.get(&back).await;
        assert_eq!(again.status, StatusCode::FORBIDDEN, "an answer counts once");

        let mut second = node.browser();
        let (back, _) = there(&mut second, &plan, "/sign-in/oidc").await;
        second.get(&back).await;
        let same = second.get("/api/v1/me").await.json();
        assert_eq!(same["account"], me["account"], "one person, one account");
    }
}

#[tokio::test]
async fn whatever_does_not_verify_is_refused() {
    let (issuer, plan) = provider().await;
    for node in nodes(&config(&issuer)).await {
        for bend in [
            Bend::Nonce,
            Bend::Issuer,
            Bend::Audience,
            Bend::Expired,
            Bend::UnknownLevel,
            Bend::NoLevel,
            Bend::OtherKey,
            Bend::NoSignature,
            Bend::OtherSubject,
            Bend::NoName,
        ] {
            plan.lock().expect("a plan").bend = bend;
            let mut browser = node.browser();
            let (back, _) = there(&mut browser, &plan, "/sign-in/oidc").await;
            let answer = browser.get(&back).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{bend:?}: {}", answer.body);
            assert!(!browser.cookies.contains_key("mc_session"), "{bend:?}");
        }
        plan.lock().expect("a plan").bend = Bend::Nothing;
    }
}

#[tokio::test]
async fn a_level_too_low_is_refused_and_said() {
    let (issuer, plan) = provider().await;
    for node in nodes(&config(&issuer)).await {
        plan.lock().expect("a plan").acr = "level1";
        let mut browser = node.browser();
        let (back, _) = there(&mut browser, &plan, "/sign-in/oidc").await;
        browser.get(&back).await;
        assert_eq!(browser.get("/api/v1/me").await.json()["assurance"], "level1");

        let (back, query) = there(&mut browser, &plan, "/sign-in/oidc?level=2&next=/apply").await;
        assert_eq!(
            (query["acr_values"].as_str(), query["prompt"].as_str()),
            ("level2", "login")
        );
        let answer = browser.get(&back).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(answer.body.contains("mức độ 2"), "{}", answer.body);
        assert_eq!(
            browser.get("/api/v1/me").await.json()["assurance"],
            "level1",
            "the old session stays"
        );

        plan.lock().expect("a plan").acr = "level2";
        let (back, _) = there(&mut browser, &plan, "/sign-in/oidc?level=2&next=/apply").await;
        assert_eq!(browser.get(&back).await.location(), "/apply");
        assert_eq!(browser.get("/api/v1/me").await.json()["assurance"], "level2", "raised");
    }
}

#[tokio::test]
async fn an_answer_counts_only_in_the_browser_that_asked() {
    let (issuer, plan) = provider().await;
    for node in nodes(&config(&issuer)).await {
        let mut thief = node.browser();
        let (back, _) = there(&mut thief, &plan, "/sign-in/oidc").await;
        let mut victim = node.browser();
        let answer = victim.get(&back).await;
        assert_eq!(
            answer.status,
            StatusCode::FORBIDDEN,
            "signed in as somebody else by a link"
        );
        there(&mut victim, &plan, "/sign-in/oidc").await;
        assert_eq!(victim.get(&back).await.status, StatusCode::FORBIDDEN);
        assert!(!victim.cookies.contains_key("mc_session"));

        let mut late = node.browser();
        let (back, _) = there(&mut late, &plan, "/sign-in/oidc").await;
        node.forward(901);
        assert_eq!(late.get(&back).await.status, StatusCode::FORBIDDEN, "too late");
        node.forward(-901);
    }
}

#[tokio::test]
async fn giving_up_and_a_silent_e_id_are_told_kindly() {
    let (issuer, plan) = provider().await;
    for node in nodes(&config(&issuer)).await {
        let mut browser = node.browser();
        let (back, _) = there(&mut browser, &plan, "/sign-in/oidc").await;
        let declined = back.replace("code=good", "error=access_denied");
        let answer = browser.get(&declined).await;
        assert!(answer.body.contains("chưa hoàn tất đăng nhập"), "{}", answer.body);
    }
    for node in nodes(&config("http://127.0.0.1:9")).await {
        let answer = node.browser().get("/sign-in/oidc").await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.body);
    }
    for node in nodes(&Config::default()).await {
        assert_eq!(
            node.browser().get("/sign-in/oidc").await.status,
            StatusCode::NOT_FOUND,
            "none is set up"
        );
    }
}
