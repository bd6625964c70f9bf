//! Every page, as everybody, in both languages.

use axum::http::StatusCode;

use super::harness::{Browser, Node, nodes};
use crate::{Config, DemoRole, NewAccount, NewOfficer, Organisation, Role, Roles};

async fn cast(node: &Node) {
    let system = node.system();
    for (role, subject) in [(DemoRole::Citizen, "an"), (DemoRole::Business, "hoa")] {
        let mut new = NewAccount::named("demo", subject, "Nguyễn <b>An</b>");
        new.demo = Some(role);
        new.person_number = Some("001099012345".into());
        new.organisations = vec![Organisation {
            tax_code: "0101234567".into(),
            name: "Công ty <Hoa & Sen>".into(),
        }];
        node.state.create_account(&system, &new).await.expect("an account");
    }
    for (role, demo) in [
        (Role::Receptionist, DemoRole::Receptionist),
        (Role::Specialist, DemoRole::Specialist),
        (Role::Leader, DemoRole::Leader),
        (Role::Consulted, DemoRole::Consulted),
        (Role::Administrator, DemoRole::Administrator),
        (Role::Auditor, DemoRole::Auditor),
    ] {
        let new = NewOfficer {
            login: demo.code().into(),
            name: format!("Cán bộ <i>{}</i>", demo.code()),
            title: "Chuyên viên".into(),
            agency: "H29.1".into(),
            roles: Roles::of(&[role]),
            password: None,
            demo: Some(demo),
        };
        node.state.create_officer(&system, &new).await.expect("an officer");
    }
}

/// Which of the demonstration's roles may open a page; nobody else, and not the anonymous.
fn openers(path: &str) -> Vec<DemoRole> {
    use DemoRole as D;
    let officers = vec![
        D::Receptionist,
        D::Specialist,
        D::Leader,
        D::Consulted,
        D::Administrator,
        D::Auditor,
    ];
    match path {
        "/account" | "/account/devices" => D::ALL.to_vec(),
        "/my/reads" => vec![D::Citizen, D::Business],
        "/account/security" => officers,
        "/admin/officers" | "/admin/officers/new" | "/admin/tokens" => vec![D::Administrator],
        "/admin/access-log" => vec![D::Auditor],
        other => panic!("{other} has no rule"),
    }
}

const GUARDED: [&str; 8] = [
    "/account",
    "/account/devices",
    "/my/reads",
    "/account/security",
    "/admin/officers",
    "/admin/officers/new",
    "/admin/tokens",
    "/admin/access-log",
];

#[tokio::test]
async fn every_guarded_page_opens_for_its_roles_only_in_both_languages() {
    for node in nodes(&Config {
        demo: true,
        ..Config::default()
    })
    .await
    {
        cast(&node).await;
        for path in GUARDED {
            let answer = node.browser().get(path).await;
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path} for nobody");
            assert_eq!(answer.location(), format!("/sign-in?next={path}"));
            for role in DemoRole::ALL {
                let mut browser = signed_in(&node, role).await;
                for lang in ["vi", "en"] {
                    browser.cookies.insert("mc_lang".into(), lang.into());
                    let answer = browser.get(path).await;
                    let expected = if openers(path).contains(&role) {
                        StatusCode::OK
                    } else {
                        StatusCode::FORBIDDEN
                    };
                    assert_eq!(answer.status, expected, "{path} for {role:?}");
                    assert!(answer.body.contains(&format!("<html lang=\"{lang}\"")), "{path}");
                    assert!(
                        !answer.body.contains("<b>An</b>") && !answer.body.contains("<i>"),
                        "{path}: not escaped"
                    );
                }
            }
        }
    }
}

async fn signed_in<'a>(node: &'a Node, role: DemoRole) -> Browser<'a> {
    let mut browser = node.browser();
    let answer = browser.post("/sign-in/demo", &[("role", role.code())]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{role:?}");
    browser
}

#[tokio::test]
async fn every_act_is_refused_to_nobody_and_to_a_citizen() {
    let acts = [
        "/account/organisation",
        "/account/devices",
        "/account/security/password",
        "/account/security/codes",
        "/account/passkeys/begin",
        "/account/passkeys/finish",
        "/account/passkeys/remove",
        "/admin/officers/new",
        "/admin/officers/01980000-0000-7000-8000-000000000000",
        "/admin/officers/01980000-0000-7000-8000-000000000000/reset",
        "/admin/tokens",
        "/admin/tokens/revoke",
    ];
    for node in nodes(&Config {
        demo: true,
        ..Config::default()
    })
    .await
    {
        cast(&node).await;
        let fields = [
            ("id", "01980000-0000-7000-8000-000000000000"),
            ("login", "moi"),
            ("name", "Mới"),
            ("agency", "H29.1"),
            ("roles", "leader"),
        ];
        for path in acts {
            let answer = node.browser().post(path, &fields).await;
            let refused = answer.location().starts_with("/sign-in") || answer.status.is_client_error();
            assert!(refused, "{path} for nobody: {}", answer.status);
            if path.starts_with("/admin") || path.contains("/security") || path.contains("/passkeys") {
                let answer = signed_in(&node, DemoRole::Citizen).await.post(path, &fields).await;
                assert!(
                    answer.status.is_client_error(),
                    "{path} for a citizen: {}",
                    answer.status
                );
                let answer = signed_in(&node, DemoRole::Specialist).await.post(path, &fields).await;
                assert!(
                    !answer.status.is_server_error(),
                    "{path} for a specialist: {}",
                    answer.status
                );
                if path.starts_with("/admin") {
                    assert!(
                        answer.status.is_client_error(),
                        "{path} for a specialist: {}",
                        answer.status
                    );
                }
            }
        }
        assert!(
            node.state.officer_by_login(&node.system(), "moi").await.is_err(),
            "nothing was done"
        );
    }
}

#[tokio::test]
async fn open_pages_and_bent_requests_never_fail_on_our_side() {
    for node in nodes(&Config {
        demo: true,
        ..Config::default()
    })
    .await
    {
        cast(&node).await;
        for path in [
            "/sign-in",
            "/sign-in?next=%00",
            "/sign-in/officer",
            "/sign-in/code",
            "/sign-in/new-password",
            "/sign-in/enrol",
            "/sign-in/oidc",
            "/sign-in/oidc?level=900",
            "/sign-in/oidc/callback",
            "/sign-in/oidc/callback?code=x&state=y",
            "/sign-in/level-2?next=/x",
            "/sign-in/demo/king?k=1",
            "/sign-out",
            "/admin/officers/not-an-id",
            "/my/reads?cursor=nonsense",
            "/admin/access-log?cursor=nonsense",
            "/my/reads/proofs/nonsense",
            "/my/reads/proofs/019b0000-0000-7000-8000-000000000000",
            "/api/v1/me",
            "/api/v1/me/reads?cursor=nonsense",
            "/api/v1/officers?after_agency=%F0%9F%98%80",
        ] {
            for mut browser in [
                node.browser(),
                signed_in(&node, DemoRole::Administrator).await,
                signed_in(&node, DemoRole::Citizen).await,
            ] {
                let answer = browser.get(path).await;
                assert!(
                    !answer.status.is_server_error(),
                    "{path}: {} {}",
                    answer.status,
                    answer.body
                );
            }
        }
        for path in [
            "/sign-in/officer",
            "/sign-in/code",
            "/sign-in/enrol",
            "/sign-in/new-password",
            "/sign-in/passkey/begin",
            "/sign-in/passkey/finish",
            "/sign-in/demo",
            "/sign-out",
        ] {
            let answer = node
                .browser()
                .post(path, &[("login", "\u{0}"), ("password", "\u{ffff}"), ("code", "é")])
                .await;
            assert!(!answer.status.is_server_error(), "{path}: {}", answer.status);
        }
    }
}

#[tokio::test]
async fn the_api_names_every_problem() {
    for node in nodes(&Config {
        demo: true,
        ..Config::default()
    })
    .await
    {
        cast(&node).await;
        let mut admin = signed_in(&node, DemoRole::Administrator).await;
        let body = serde_json::json!({"login": "!", "name": "", "agency": "H29.1", "roles": []});
        let answer = admin.post_json("/api/v1/officers", &body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        let problem = answer.json();
        let places: Vec<&str> = problem["problems"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|p| p["at"].as_str())
            .collect();
        assert_eq!(places, ["login", "name", "roles"]);
        assert!(problem["problems"][0]["vi"].is_string() && problem["problems"][0]["en"].is_string());
        let bent = admin
            .post_json("/api/v1/officers", &serde_json::json!({"login": 1}))
            .await;
        assert_eq!(bent.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(node.browser().get("/api/v1/me").await.status, StatusCode::UNAUTHORIZED);
    }
}
