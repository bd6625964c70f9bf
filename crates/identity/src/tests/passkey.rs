//! Officers signing in by passkey, with an authenticator made of software.

use async_trait::async_trait;
use axum::http::StatusCode;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use passkey::{
    authenticator::{Authenticator, UiHint, UserCheck, UserValidationMethod},
    client::{Client, DefaultClientData},
    crypto::aws_lc_rs::AwsLcRsBackend,
    types::{
        Passkey,
        ctap2::{Aaguid, Ctap2Error},
        webauthn::{CredentialCreationOptions, CredentialRequestOptions},
    },
};
use serde_json::{Value, json};
use webauthn_rs::prelude::Url;

use super::harness::{Browser, Node, nodes};
use crate::{Config, OfficerChange, Role, Roles};

/// Somebody who touches the key, and proves who they are or does not.
struct Touch {
    verified: bool,
}

#[async_trait]
impl UserValidationMethod for Touch {
    type PasskeyItem = Passkey;

    async fn check_user<'a>(&self, _: UiHint<'a, Passkey>, _: bool, _: bool) -> Result<UserCheck, Ctap2Error> {
        Ok(UserCheck {
            presence: true,
            verification: self.verified,
        })
    }
    fn is_presence_enabled(&self) -> bool {
        true
    }
    fn is_verification_enabled(&self) -> Option<bool> {
        Some(true)
    }
}

fn authenticator(known: Option<Passkey>, verified: bool) -> Authenticator<Option<Passkey>, Touch, AwsLcRsBackend> {
    Authenticator::new(Aaguid::new_empty(), known, Touch { verified }, AwsLcRsBackend)
}

/// Bytes as browsers write them, base64url; the crate writes them as lists of numbers.
fn as_browser(value: Value) -> Value {
    match value {
        Value::Array(list) => {
            let byte = |value: &Value| value.as_u64().and_then(|n| u8::try_from(n).ok());
            match list.iter().map(byte).collect::<Option<Vec<u8>>>() {
                Some(bytes) if !bytes.is_empty() => json!(URL_SAFE_NO_PAD.encode(bytes)),
                _ => Value::Array(list.into_iter().map(as_browser).collect()),
            }
        }
        Value::Object(map) => Value::Object(map.into_iter().map(|(name, value)| (name, as_browser(value))).collect()),
        value => value,
    }
}

/// A browser's side of WebAuthn. A macro, because the type names a crate that `passkey` does not show.
macro_rules! client {
    ($authenticator:expr) => {
        Client::new($authenticator).allows_insecure_localhost(true)
    };
}

/// Registers a key for the officer signed in; the status of the last answer.
macro_rules! register {
    ($browser:expr, $key:expr) => {{
        let begun = $browser.post_json("/account/passkeys/begin", &json!({ "label": "Máy tính ở cơ quan" })).await;
        assert_eq!(begun.status, StatusCode::OK, "{}", begun.body);
        let options: CredentialCreationOptions = serde_json::from_str(&begun.body).expect("options");
        let made = $key.register(&origin(), options, DefaultClientData).await.expect("a passkey");
        $browser.post_json("/account/passkeys/finish", &as_browser(serde_json::to_value(made).expect("JSON"))).await.status
    }};
}

/// Begins a sign-in and lets the key answer.
macro_rules! assertion {
    ($browser:expr, $key:expr) => {{
        let begun = $browser
            .post_json("/sign-in/passkey/begin?next=/desk/queue", &json!({}))
            .await;
        assert_eq!(begun.status, StatusCode::OK, "{}", begun.body);
        let options: CredentialRequestOptions = serde_json::from_str(&begun.body).expect("options");
        let given = $key
            .authenticate(&origin(), options, DefaultClientData)
            .await
            .expect("an assertion");
        as_browser(serde_json::to_value(given).expect("JSON"))
    }};
}

fn origin() -> Url {
    Url::parse("http://localhost:8080").expect("an address")
}

async fn enrolled(node: &Node) -> Browser<'_> {
    node.officer("lan", "H29.1", &[Role::Specialist]).await;
    node.enrolled("lan").await.0
}

#[tokio::test]
async fn a_passkey_is_registered_and_signs_in_without_a_name() {
    for node in nodes(&Config::default()).await {
        let mut browser = enrolled(&node).await;
        let mut key = client!(authenticator(None, true));
        assert_eq!(register!(browser, key), StatusCode::NO_CONTENT);
        assert!(
            browser
                .get("/account/security")
                .await
                .body
                .contains("Máy tính ở cơ quan")
        );

        let mut other = node.browser();
        let answer = assertion!(other, key);
        let done = other.post_json("/sign-in/passkey/finish", &answer).await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.body);
        assert_eq!(done.json()["location"], "/desk/queue");
        assert_eq!(other.get("/api/v1/me").await.json()["name"], "Cán bộ lan");

        let replay = other.post_json("/sign-in/passkey/finish", &answer).await;
        assert_eq!(replay.status, StatusCode::UNPROCESSABLE_ENTITY, "an answer counts once");
        let mut thief = node.browser();
        let replay = thief.post_json("/sign-in/passkey/finish", &answer).await;
        assert_eq!(replay.status, StatusCode::UNPROCESSABLE_ENTITY, "nor elsewhere");
        thief.post_json("/sign-in/passkey/begin", &json!({})).await;
        let replay = thief.post_json("/sign-in/passkey/finish", &answer).await;
        assert_eq!(
            replay.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "nor for another challenge"
        );
        assert!(!thief.cookies.contains_key("mc_session"));
    }
}

#[tokio::test]
async fn a_bent_answer_or_an_unverified_user_is_refused() {
    for node in nodes(&Config::default()).await {
        let mut officer = enrolled(&node).await;
        let mut key = client!(authenticator(None, true));
        assert_eq!(register!(officer, key), StatusCode::NO_CONTENT);
        let mut browser = node.browser();
        let mut answer = assertion!(browser, key);
        answer["response"]["signature"] = json!("AAAA");
        let refused = browser.post_json("/sign-in/passkey/finish", &answer).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.body);

        let stored = key.authenticator().store().clone();
        let mut lazy = client!(authenticator(stored, false));
        let begun = browser.post_json("/sign-in/passkey/begin", &json!({})).await;
        let mut options: Value = begun.json();
        assert_eq!(options["publicKey"]["userVerification"], "required");
        // A browser that does not do as it is told.
        options["publicKey"]["userVerification"] = json!("discouraged");
        let options: CredentialRequestOptions = serde_json::from_value(options).expect("options");
        if let Ok(given) = lazy.authenticate(&origin(), options, DefaultClientData).await {
            let answer = as_browser(serde_json::to_value(given).expect("JSON"));
            let refused = browser.post_json("/sign-in/passkey/finish", &answer).await;
            assert_eq!(
                refused.status,
                StatusCode::UNPROCESSABLE_ENTITY,
                "presence alone is one factor only"
            );
        }
    }
}

#[tokio::test]
async fn removed_keys_and_deactivated_officers_are_out() {
    for node in nodes(&Config::default()).await {
        let mut browser = enrolled(&node).await;
        let mut key = client!(authenticator(None, true));
        assert_eq!(register!(browser, key), StatusCode::NO_CONTENT);
        let system = node.system();
        let lan = node.state.officer_by_login(&system, "lan").await.expect("there");
        let change = OfficerChange {
            version: lan.version,
            name: lan.name,
            title: lan.title,
            agency: lan.agency,
            roles: Roles::of(&[Role::Specialist]),
            active: false,
        };
        node.state
            .change_officer(&system, lan.id, &change)
            .await
            .expect("deactivated");
        let mut other = node.browser();
        let answer = assertion!(other, key);
        let refused = other.post_json("/sign-in/passkey/finish", &answer).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "deactivated");

        let back = OfficerChange {
            version: lan.version + 1,
            active: true,
            ..change
        };
        node.state.change_officer(&system, lan.id, &back).await.expect("active");
        let answer = assertion!(other, key);
        assert_eq!(
            other.post_json("/sign-in/passkey/finish", &answer).await.status,
            StatusCode::OK,
            "active again"
        );
        let page = other.get("/account/security").await.body;
        let form = page.split("/account/passkeys/remove").nth(1).expect("a form");
        let id = form
            .split("value=\"")
            .nth(1)
            .and_then(|s| s.split('"').next())
            .expect("an id");
        assert_eq!(
            other.post("/account/passkeys/remove", &[("id", id)]).await.status,
            StatusCode::SEE_OTHER
        );
        let answer = assertion!(browser, key);
        let refused = browser.post_json("/sign-in/passkey/finish", &answer).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "removed");
    }
}

#[tokio::test]
async fn passkeys_are_not_offered_under_a_bare_address() {
    let config = Config {
        public_url: "http://127.0.0.1:8080".into(),
        ..Config::default()
    };
    for node in nodes(&config).await {
        let mut browser = node.browser();
        assert!(!browser.get("/sign-in/officer").await.body.contains("data-passkey"));
        let answer = browser.post_json("/sign-in/passkey/begin", &json!({})).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    }
}
