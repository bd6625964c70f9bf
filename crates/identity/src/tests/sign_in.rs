//! Officers signing in by password and code.

use axum::http::StatusCode;

use super::harness::{NEW_PASSWORD, PASSWORD, nodes};
use crate::{Config, Role};

#[tokio::test]
async fn the_first_sign_in_replaces_the_password_and_sets_up_codes() {
    for node in nodes(&Config::default()).await {
        node.officer("lan", "H29.1", &[Role::Specialist]).await;
        let (mut browser, _, _) = node.enrolled("lan").await;
        let page = browser.get("/account").await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(
            page.body.contains("Cán bộ lan") && page.body.contains("Chuyên viên thụ lý"),
            "{}",
            page.body
        );

        let mut other = node.browser();
        let old = other
            .post("/sign-in/officer", &[("login", "lan"), ("password", PASSWORD)])
            .await;
        assert_eq!(
            old.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "the given password is gone"
        );
    }
}

#[tokio::test]
async fn a_code_works_once_and_only_in_its_time() {
    for node in nodes(&Config::default()).await {
        node.officer("lan", "H29.1", &[Role::Specialist]).await;
        let (_, secret, _) = node.enrolled("lan").await;
        let used = node.code(&secret);
        let mut browser = node.browser();
        let answer = browser
            .post("/sign-in/officer", &[("login", "LAN"), ("password", NEW_PASSWORD)])
            .await;
        assert_eq!(answer.location(), "/sign-in/code", "no session yet");
        assert!(!browser.cookies.contains_key("mc_session"));
        assert_eq!(
            browser.get("/account").await.status,
            StatusCode::SEE_OTHER,
            "half a sign-in opens nothing"
        );

        let replay = browser.post("/sign-in/code", &[("code", &used)]).await;
        assert_eq!(replay.status, StatusCode::UNPROCESSABLE_ENTITY, "used at the set-up");
        node.forward(30);
        let fresh = node.code(&secret);
        let good = browser.post("/sign-in/code", &[("code", &fresh)]).await;
        assert_eq!(good.location(), "/desk", "{}", good.body);

        let mut second = node.browser();
        second
            .post("/sign-in/officer", &[("login", "lan"), ("password", NEW_PASSWORD)])
            .await;
        let replay = second.post("/sign-in/code", &[("code", &fresh)]).await;
        assert_eq!(
            replay.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "the same code in another browser"
        );
        node.forward(120);
        let late = second.post("/sign-in/code", &[("code", &fresh)]).await;
        assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY, "too late");
    }
}

#[tokio::test]
async fn a_recovery_code_works_once() {
    for node in nodes(&Config::default()).await {
        node.officer("lan", "H29.1", &[Role::Specialist]).await;
        let (_, _, codes) = node.enrolled("lan").await;
        for (expected, try_) in [(StatusCode::SEE_OTHER, 1), (StatusCode::UNPROCESSABLE_ENTITY, 2)] {
            let mut browser = node.browser();
            browser
                .post("/sign-in/officer", &[("login", "lan"), ("password", NEW_PASSWORD)])
                .await;
            let kindly = codes[0].to_lowercase().replace('-', " ");
            let answer = browser.post("/sign-in/code", &[("code", &kindly)]).await;
            assert_eq!(answer.status, expected, "try {try_}");
        }
    }
}

#[tokio::test]
async fn an_unknown_login_answers_as_a_wrong_password_does() {
    for node in nodes(&Config::default()).await {
        node.officer("lan", "H29.1", &[Role::Specialist]).await;
        node.enrolled("lan").await;
        let mut bodies = Vec::new();
        for login in ["lan", "ai-do"] {
            let fields = [("login", login), ("password", "sai mật khẩu rồi")];
            let answer = node.browser().post("/sign-in/officer", &fields).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
            bodies.push(answer.body.replace(&format!("\"{login}\""), "\"X\""));
        }
        assert_eq!(bodies[0], bodies[1]);
    }
}

#[tokio::test]
async fn guessing_is_stopped_per_login_and_opens_again() {
    for node in nodes(&Config::default()).await {
        node.officer("lan", "H29.1", &[Role::Specialist]).await;
        node.enrolled("lan").await;
        for login in ["lan", "khong-co"] {
            for n in 1..=5 {
                let mut browser = node.browser_at(&format!("192.0.2.{n}"));
                let answer = browser
                    .post("/sign-in/officer", &[("login", login), ("password", "sai sai sai")])
                    .await;
                assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "try {n} of {login}");
            }
            let fields = [("login", login), ("password", NEW_PASSWORD)];
            let shut = node.browser_at("192.0.2.9").post("/sign-in/officer", &fields).await;
            assert_eq!(
                shut.status,
                StatusCode::TOO_MANY_REQUESTS,
                "{login}: even the right password"
            );
            assert!(shut.body.contains("15 phút"), "says how long: {}", shut.body);
        }
        node.forward(15 * 60 + 1);
        let fields = [("login", "lan"), ("password", NEW_PASSWORD)];
        let answer = node.browser().post("/sign-in/officer", &fields).await;
        assert_eq!(answer.location(), "/sign-in/code", "open again");
    }
}

#[tokio::test]
async fn guessing_is_stopped_per_address_and_side_by_side() {
    let mut config = Config::default();
    config.throttle.per_address = 8;
    for node in nodes(&config).await {
        let tries = (0..24).map(|n| {
            let mut browser = node.browser_at("198.51.100.7");
            async move {
                let login = format!("ten-{n}");
                browser
                    .post("/sign-in/officer", &[("login", &login), ("password", "sai sai sai")])
                    .await
                    .status
            }
        });
        let mut let_through = 0;
        for status in futures_join(tries).await {
            match status {
                StatusCode::UNPROCESSABLE_ENTITY => let_through += 1,
                status => assert_eq!(status, StatusCode::TOO_MANY_REQUESTS),
            }
        }
        assert!(let_through <= 8, "{let_through} tries were let through");
        assert!(let_through >= 1);
    }
}

/// Runs futures side by side on one thread.
pub(super) async fn futures_join<F: Future>(all: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut all: Vec<_> = all.map(|f| (Box::pin(f), None)).collect();
    std::future::poll_fn(|cx| {
        let mut waiting = false;
        for (future, output) in &mut all {
            if output.is_none() {
                match future.as_mut().poll(cx) {
                    std::task::Poll::Ready(value) => *output = Some(value),
                    std::task::Poll::Pending => waiting = true,
                }
            }
        }
        if waiting {
            std::task::Poll::Pending
        } else {
            std::task::Poll::Ready(())
        }
    })
    .await;
    all.into_iter().filter_map(|(_, output)| output).collect()
}

#[tokio::test]
async fn codes_cannot_be_guessed_by_starting_over() {
    for node in nodes(&Config::default()).await {
        node.officer("lan", "H29.1", &[Role::Specialist]).await;
        let (_, secret, _) = node.enrolled("lan").await;
        node.forward(60);
        let mut statuses = Vec::new();
        for _ in 0..6 {
            let mut browser = node.browser();
            browser
                .post("/sign-in/officer", &[("login", "lan"), ("password", NEW_PASSWORD)])
                .await;
            statuses.push(browser.post("/sign-in/code", &[("code", "000000")]).await.status);
        }
        assert_eq!(statuses.last(), Some(&StatusCode::TOO_MANY_REQUESTS), "{statuses:?}");
        let mut browser = node.browser();
        browser
            .post("/sign-in/officer", &[("login", "lan"), ("password", NEW_PASSWORD)])
            .await;
        let right = browser.post("/sign-in/code", &[("code", &node.code(&secret))]).await;
        assert_eq!(
            right.status,
            StatusCode::TOO_MANY_REQUESTS,
            "shut for the right code too"
        );
    }
}

#[tokio::test]
async fn a_reset_ends_a_sign_in_under_way() {
    for node in nodes(&Config::default()).await {
        let id = node.officer("lan", "H29.1", &[Role::Specialist]).await;
        let mut thief = node.browser();
        thief
            .post("/sign-in/officer", &[("login", "lan"), ("password", PASSWORD)])
            .await;
        node.state.reset_officer(&node.system(), id).await.expect("a reset");
        let fields = [("new", "một mật khẩu khác hẳn"), ("again", "một mật khẩu khác hẳn")];
        let answer = thief.post("/sign-in/new-password", &fields).await;
        assert!(
            answer.location().starts_with("/sign-in"),
            "{} {}",
            answer.status,
            answer.body
        );
        assert!(!thief.cookies.contains_key("mc_session"));
        assert_eq!(thief.get("/account").await.status, StatusCode::SEE_OTHER);
    }
}

#[tokio::test]
async fn one_is_led_only_within_this_site() {
    for node in nodes(&Config {
        demo: true,
        ..Config::default()
    })
    .await
    {
        let mut new = crate::NewAccount::named("demo", "an", "Nguyễn Văn An");
        new.demo = Some(crate::DemoRole::Citizen);
        node.state
            .create_account(&node.system(), &new)
            .await
            .expect("an account");
        for (next, target) in [
            ("/apply/1.001193?step=2", "/apply/1.001193?step=2"),
            ("//evil.example", "/my"),
            ("https://evil.example/", "/my"),
            ("/\\evil.example", "/my"),
            ("javascript:alert(1)", "/my"),
            ("", "/my"),
        ] {
            let answer = node
                .browser()
                .post("/sign-in/demo", &[("role", "citizen"), ("next", next)])
                .await;
            assert_eq!(answer.status, StatusCode::SEE_OTHER);
            assert_eq!(answer.location(), target, "{next}");
        }
    }
}

#[tokio::test]
async fn the_demonstration_is_open_only_where_it_is_switched_on() {
    for demo in [false, true] {
        for node in nodes(&Config {
            demo,
            ..Config::default()
        })
        .await
        {
            let mut new = crate::NewAccount::named("demo", "an", "Nguyễn Văn An");
            new.demo = Some(crate::DemoRole::Citizen);
            node.state
                .create_account(&node.system(), &new)
                .await
                .expect("an account");
            let link = node.state.demo_link(crate::DemoRole::Citizen);
            let path = link.strip_prefix("http://localhost:8080").expect("the public address");
            let expected = if demo { StatusCode::OK } else { StatusCode::NOT_FOUND };
            let mut browser = node.browser();
            assert_eq!(browser.get(path).await.status, expected);
            assert!(
                !browser.cookies.contains_key("mc_session"),
                "a link alone signs nobody in"
            );
            assert_eq!(
                browser.get("/sign-in/demo/citizen?k=wrong").await.status,
                StatusCode::NOT_FOUND
            );
            let answer = browser.post("/sign-in/demo", &[("role", "citizen")]).await;
            let expected = if demo {
                StatusCode::SEE_OTHER
            } else {
                StatusCode::NOT_FOUND
            };
            assert_eq!(answer.status, expected);
            let answer = browser.post("/sign-in/demo", &[("role", "leader")]).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "nobody plays the leader here");
        }
    }
}

proptest::proptest! {
    #[test]
    fn no_text_leads_off_the_site(next in "[/\\\\a-z:?#@.\t\r\n %\u{a0}]{0,12}") {
        if let Some(path) = crate::web::safe_next(&next) {
            let home = webauthn_rs::prelude::Url::parse("https://motcua.example/sign-in").expect("an address");
            let target = home.join(path).expect("a path joins");
            proptest::prop_assert_eq!(target.host_str(), Some("motcua.example"), "{}", path);
            proptest::prop_assert_eq!(target.scheme(), "https");
        }
    }
}
