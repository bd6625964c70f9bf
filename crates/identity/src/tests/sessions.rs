//! Sessions: rotation, expiry, revocation; languages; keys of programs.

use axum::http::StatusCode;

use super::harness::{Browser, Node, nodes};
use crate::{
    AccountId, Config, DemoRole, NewAccount, NewToken, Organisation, Role, Roles, TokenOwner, secret::token_hash,
    store::session_by_token,
};

async fn citizen(node: &Node) -> AccountId {
    let mut new = NewAccount::named("demo", "an", "Nguyễn Văn An");
    new.person_number = Some("001099012345".into());
    new.demo = Some(DemoRole::Citizen);
    new.assurance = crate::Assurance::Level2;
    new.organisations = vec![Organisation {
        tax_code: "0101234567".into(),
        name: "Công ty Hoa Sen".into(),
    }];
    node.state
        .create_account(&node.system(), &new)
        .await
        .expect("an account")
}

async fn signed_in(node: &Node) -> Browser<'_> {
    let mut browser = node.browser();
    browser.post("/sign-in/demo", &[("role", "citizen")]).await;
    assert!(browser.cookies.contains_key("mc_session"));
    browser
}

fn demo() -> Config {
    Config {
        demo: true,
        ..Config::default()
    }
}

#[tokio::test]
async fn a_planted_session_is_worth_nothing_after_sign_in() {
    for node in nodes(&demo()).await {
        citizen(&node).await;
        let mut thief = signed_in(&node).await;
        let planted = thief.cookies["mc_session"].clone();
        let mut victim = node.browser();
        victim.cookies.insert("mc_session".into(), planted.clone());
        victim.post("/sign-in/demo", &[("role", "citizen")]).await;
        assert_ne!(victim.cookies["mc_session"], planted, "a new token at sign-in");
        assert_eq!(victim.get("/account").await.status, StatusCode::OK);
        assert_eq!(
            thief.get("/account").await.status,
            StatusCode::SEE_OTHER,
            "the planted one has ended"
        );
        let mut unknown = node.browser();
        unknown.cookies.insert("mc_session".into(), "made-up".into());
        assert_eq!(unknown.get("/account").await.status, StatusCode::SEE_OTHER);
        assert!(
            !unknown.cookies.contains_key("mc_session"),
            "and is taken out of the browser"
        );
    }
}

#[tokio::test]
async fn sessions_end_when_idle_and_at_the_latest_after_a_day() {
    for node in nodes(&demo()).await {
        citizen(&node).await;
        let mut idle = signed_in(&node).await;
        node.forward(60 * 60 - 1);
        assert_eq!(idle.get("/account").await.status, StatusCode::OK);
        node.forward(60 * 60 - 1);
        assert_eq!(idle.get("/account").await.status, StatusCode::OK, "use keeps it alive");
        node.forward(60 * 60 + 1);
        assert_eq!(idle.get("/account").await.status, StatusCode::SEE_OTHER, "idle");

        let mut busy = signed_in(&node).await;
        for _ in 0..23 {
            node.forward(30 * 60);
            assert_eq!(busy.get("/account").await.status, StatusCode::OK);
        }
        node.forward(30 * 60);
        assert_eq!(
            busy.get("/account").await.status,
            StatusCode::SEE_OTHER,
            "12 hours are over"
        );
    }
}

#[tokio::test]
async fn a_request_is_a_write_at_most_once_a_minute() {
    for node in nodes(&demo()).await {
        citizen(&node).await;
        let mut browser = signed_in(&node).await;
        let hash = token_hash(&browser.cookies["mc_session"]);
        let seen = async || {
            let row = session_by_token(&node.state.store().read(), &hash, base::Timestamp::from_micros(0)).await;
            row.expect("a read").expect("a session").seen_at
        };
        let first = seen().await;
        node.forward(59);
        browser.get("/account").await;
        assert_eq!(seen().await, first);
        node.forward(1);
        browser.get("/account").await;
        assert_eq!(seen().await, first + 60_000_000);
    }
}

#[tokio::test]
async fn only_hashes_of_tokens_are_stored() {
    for node in nodes(&demo()).await {
        citizen(&node).await;
        let browser = signed_in(&node).await;
        let token = &browser.cookies["mc_session"];
        assert_eq!(token.len(), 43, "256 bits");
        let stored = node.state.store().read();
        let now = base::Timestamp::from_micros(0);
        assert!(
            session_by_token(&stored, token, now).await.expect("a read").is_none(),
            "not by the token itself"
        );
        assert!(
            session_by_token(&stored, &token_hash(token), now)
                .await
                .expect("a read")
                .is_some()
        );
    }
}

#[tokio::test]
async fn other_devices_can_be_signed_out() {
    for node in nodes(&demo()).await {
        citizen(&node).await;
        let mut here = signed_in(&node).await;
        let mut there = signed_in(&node).await;
        let mut far = signed_in(&node).await;
        let page = here.get("/account/devices").await;
        assert_eq!(page.body.matches("Firefox, Linux").count(), 3, "{}", page.body);
        let id = page
            .body
            .split("name=\"id\" value=\"")
            .nth(1)
            .and_then(|s| s.split('"').next())
            .expect("an id");
        assert_eq!(
            here.post("/account/devices", &[("id", id)]).await.status,
            StatusCode::SEE_OTHER
        );
        let alive = [there.get("/account").await.status, far.get("/account").await.status];
        assert_eq!(
            alive.iter().filter(|s| **s == StatusCode::OK).count(),
            1,
            "one of the two has ended"
        );
        here.post("/account/devices", &[]).await;
        assert_eq!(there.get("/account").await.status, StatusCode::SEE_OTHER);
        assert_eq!(far.get("/account").await.status, StatusCode::SEE_OTHER);
        assert_eq!(here.get("/account").await.status, StatusCode::OK, "this one stays");
        here.post("/sign-out", &[]).await;
        assert!(here.cookies.is_empty());
    }
}

#[tokio::test]
async fn nobody_ends_the_session_of_another() {
    for node in nodes(&demo()).await {
        citizen(&node).await;
        let mut other = NewAccount::named("demo", "binh", "Trần Thị Bình");
        other.demo = Some(DemoRole::Business);
        node.state
            .create_account(&node.system(), &other)
            .await
            .expect("an account");
        let mut victim = signed_in(&node).await;
        let hash = token_hash(&victim.cookies["mc_session"]);
        let row = session_by_token(&node.state.store().read(), &hash, base::Timestamp::from_micros(0)).await;
        let id = row.expect("a read").expect("a session").id.to_string();
        let mut thief = node.browser();
        thief.post("/sign-in/demo", &[("role", "business")]).await;
        thief.post("/account/devices", &[("id", &id)]).await;
        assert_eq!(victim.get("/account").await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn one_acts_only_for_organisations_that_are_ones_own() {
    for node in nodes(&demo()).await {
        citizen(&node).await;
        let mut browser = signed_in(&node).await;
        let answer = browser
            .post("/account/organisation", &[("tax_code", "0999999999")])
            .await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        browser
            .post("/account/organisation", &[("tax_code", "0101234567")])
            .await;
        let me = browser.get("/api/v1/me").await.json();
        assert_eq!(me["organisation"]["name"], "Công ty Hoa Sen");
        browser.post("/account/organisation", &[("tax_code", "")]).await;
        assert!(browser.get("/api/v1/me").await.json()["organisation"].is_null());
    }
}

#[tokio::test]
async fn a_language_is_chosen_once() {
    for node in nodes(&demo()).await {
        let mut browser = node.browser();
        assert!(browser.get("/sign-in").await.body.contains("Người dân, doanh nghiệp"));
        let answer = browser.get("/sign-in?next=/a&lang=en").await;
        assert_eq!(
            (answer.status, answer.location()),
            (StatusCode::SEE_OTHER, "/sign-in?next=/a")
        );
        assert!(browser.get("/sign-in").await.body.contains("People and businesses"));
        let answer = browser.get("//evil.example/?lang=vi").await;
        assert!(!answer.location().starts_with("//"), "{}", answer.location());
        let mut english = node.browser();
        english.headers.push(("accept-language".into(), "en-GB".into()));
        assert!(english.get("/sign-in").await.body.contains("People and businesses"));
    }
}

#[tokio::test]
async fn cookies_of_a_node_with_tls_are_bound_to_it() {
    let config = Config {
        demo: true,
        public_url: "https://motcua.example".into(),
        ..Config::default()
    };
    for node in nodes(&config).await {
        citizen(&node).await;
        let mut browser = node.browser();
        let answer = browser.post("/sign-in/demo", &[("role", "citizen")]).await;
        let cookies = answer.headers.get_all("set-cookie");
        for cookie in cookies {
            let text = cookie.to_str().expect("text");
            assert!(text.starts_with("__Host-") && text.contains("Secure"), "{text}");
        }
        assert!(browser.cookies.contains_key("__Host-mc_session"));
    }
}

#[tokio::test]
async fn keys_of_programs_have_their_limits() {
    for node in nodes(&demo()).await {
        let officer = node
            .officer("lan", "H29.1", &[Role::Specialist, Role::Administrator])
            .await;
        let account = citizen(&node).await;
        let key = |owner, roles: &[Role], read_only| NewToken {
            owner,
            label: "Phần mềm nội bộ".into(),
            roles: Roles::of(roles),
            read_only,
            days: 30,
        };
        let system = node.system();
        let lan = TokenOwner::Officer(officer);
        let whole = node
            .state
            .create_token(&system, &key(lan, &[Role::Administrator], false))
            .await
            .expect("a key");
        let reading = node
            .state
            .create_token(&system, &key(lan, &[Role::Administrator], true))
            .await
            .expect("a key");
        let person = node
            .state
            .create_token(&system, &key(TokenOwner::Account(account), &[], false))
            .await
            .expect("a key");
        let too_much = node
            .state
            .create_token(&system, &key(lan, &[Role::Leader], false))
            .await;
        assert!(too_much.is_err(), "a role that the officer does not have");

        let call = |key: &str| {
            let mut browser = node.browser();
            browser.headers.push(("authorization".into(), format!("Bearer {key}")));
            browser
        };
        let me = call(&whole).get("/api/v1/me").await.json();
        assert_eq!(
            me["roles"],
            serde_json::json!(["administrator"]),
            "fewer than the officer has: {me}"
        );
        assert_eq!(
            call(&person).get("/api/v1/me").await.json()["person_number"],
            "001099012345"
        );
        let body = serde_json::json!({"login": "minh", "name": "Minh", "agency": "H29.1", "roles": ["leader"]});
        assert_eq!(
            call(&reading).post_json("/api/v1/officers", &body).await.status,
            StatusCode::FORBIDDEN
        );
        assert_eq!(
            call(&whole).post_json("/api/v1/officers", &body).await.status,
            StatusCode::CREATED
        );
        assert_eq!(
            call(&person).post_json("/api/v1/officers", &body).await.status,
            StatusCode::FORBIDDEN
        );
        assert_eq!(
            call("motcua_wrong").get("/api/v1/me").await.status,
            StatusCode::UNAUTHORIZED
        );
        assert_eq!(
            call(&whole).get("/account/security").await.status,
            StatusCode::SEE_OTHER,
            "no session, no security page"
        );

        let listed = node.state.tokens(&system, "H29").await.expect("a list");
        assert_eq!(listed.len(), 2, "of officers");
        for token in listed {
            node.state.revoke_token(&system, token.id).await.expect("revoked");
        }
        assert_eq!(
            call(&whole).get("/api/v1/me").await.status,
            StatusCode::UNAUTHORIZED,
            "revoked"
        );
        node.forward(30 * 86_400 + 1);
        assert_eq!(
            call(&person).get("/api/v1/me").await.status,
            StatusCode::UNAUTHORIZED,
            "expired"
        );
    }
}

#[tokio::test]
async fn what_has_expired_is_swept_out() {
    for node in nodes(&demo()).await {
        citizen(&node).await;
        let browser = signed_in(&node).await;
        let hash = token_hash(&browser.cookies["mc_session"]);
        let store = node.state.store();
        crate::schedule(store, base::Timestamp::from_micros(0))
            .await
            .expect("scheduled");
        let runner = crate::jobs(::store::jobs::Runner::new(
            store.clone(),
            std::sync::Arc::new(node.clock.clone()),
        ));
        let row = async || {
            session_by_token(&store.read(), &hash, base::Timestamp::from_micros(0))
                .await
                .expect("a read")
        };
        assert_eq!(runner.run_due().await.expect("ran"), 1);
        assert!(row().await.is_some(), "alive");
        node.forward(13 * 3600);
        assert_eq!(runner.run_due().await.expect("ran"), 1, "it comes again");
        assert!(row().await.is_none(), "gone");
    }
}
