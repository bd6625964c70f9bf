//! Administration of officers.

use axum::http::StatusCode;
use base::Kind;

use super::harness::{Browser, Node, nodes};
use crate::{Actor, Config, Ctx, NewOfficer, OfficerActor, OfficerChange, OfficerId, Role, Roles};

fn acting(node: &Node, officer: OfficerId, agency: &str, roles: &[Role]) -> Ctx {
    let actor = OfficerActor {
        officer,
        name: "Quản trị".into(),
        title: String::new(),
        agency: agency.into(),
        roles: Roles::of(roles),
    };
    Ctx {
        actor: Actor::Officer(actor),
        ..node.system()
    }
}

fn change(version: i64, agency: &str, roles: &[Role], active: bool) -> OfficerChange {
    OfficerChange {
        version,
        name: "Lê Minh".into(),
        title: String::new(),
        agency: agency.into(),
        roles: Roles::of(roles),
        active,
    }
}

async fn administrator<'a>(node: &'a Node) -> Browser<'a> {
    node.officer("quantri", "H29", &[Role::Administrator]).await;
    node.enrolled("quantri").await.0
}

#[tokio::test]
async fn an_administrator_adds_changes_and_resets_by_pages() {
    for node in nodes(&Config::default()).await {
        let mut admin = administrator(&node).await;
        let bad = admin
            .post("/admin/officers/new", &[("login", "x"), ("name", ""), ("agency", "?")])
            .await;
        assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY);
        for said in [
            "Tên đăng nhập gồm",
            "Nhập họ và tên",
            "Nhập mã định danh cơ quan",
            "Chọn ít nhất một vai trò",
        ] {
            assert!(bad.body.contains(said), "{said}: {}", bad.body);
        }

        let fields = [
            ("login", "minh"),
            ("name", "Lê Minh"),
            ("title", "Công chức Tư pháp - Hộ tịch"),
            ("agency", "H29.12"),
            ("roles", "receptionist"),
            ("roles", "specialist"),
        ];
        let added = admin.post("/admin/officers/new", &fields).await;
        assert_eq!(added.status, StatusCode::OK, "{}", added.body);
        assert_eq!(added.headers["cache-control"], "no-store", "it shows a password");
        let twice = admin.post("/admin/officers/new", &fields).await;
        assert_eq!(twice.status, StatusCode::CONFLICT, "the login is taken");

        let list = admin.get("/admin/officers").await;
        assert!(list.body.contains("Lê Minh") && list.body.contains("Cán bộ tiếp nhận, Chuyên viên thụ lý"));
        let minh = node
            .state
            .officer_by_login(&node.system(), "minh")
            .await
            .expect("added");
        let path = format!("/admin/officers/{}", minh.id);
        let edited = admin
            .post(
                &path,
                &[
                    ("version", "1"),
                    ("name", "Lê Minh"),
                    ("agency", "H29.12"),
                    ("roles", "leader"),
                    ("active", "true"),
                ],
            )
            .await;
        assert_eq!(edited.status, StatusCode::SEE_OTHER, "{}", edited.body);
        let late = admin
            .post(
                &path,
                &[
                    ("version", "1"),
                    ("name", "Khác"),
                    ("agency", "H29.12"),
                    ("roles", "leader"),
                    ("active", "true"),
                ],
            )
            .await;
        assert_eq!(late.status, StatusCode::CONFLICT, "somebody was quicker");
        assert!(late.body.contains("vừa được người khác sửa"), "{}", late.body);
        let reset = admin.post(&format!("{path}/reset"), &[]).await;
        assert_eq!(reset.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn rights_end_at_ones_own_agency() {
    for node in nodes(&Config::default()).await {
        let here = node.officer("minh", "H29.12", &[Role::Specialist]).await;
        let elsewhere = node.officer("hoa", "H30", &[Role::Specialist]).await;
        let admin = acting(&node, OfficerId::new(node.state.now()), "H29", &[Role::Administrator]);
        assert!(node.state.officer(&admin, here).await.is_ok(), "below the own agency");
        let hidden = node.state.officer(&admin, elsewhere).await.expect_err("another agency");
        assert_eq!(hidden.kind(), Some(Kind::NotFound), "not even that they are there");
        let moved = node
            .state
            .change_officer(&admin, here, &change(1, "H30", &[Role::Leader], true))
            .await;
        assert_eq!(moved.expect_err("not theirs to give").kind(), Some(Kind::Forbidden));
        let list = node.state.officers(&admin, "H30", None, 50).await;
        assert_eq!(list.expect_err("another agency").kind(), Some(Kind::Forbidden));
        let new = NewOfficer {
            login: "lau".into(),
            name: "Lậu".into(),
            title: String::new(),
            agency: "H30".into(),
            roles: Roles::of(&[Role::Leader]),
            password: None,
            demo: None,
        };
        assert_eq!(
            node.state.create_officer(&admin, &new).await.expect_err("H30").kind(),
            Some(Kind::Forbidden)
        );
        for role in Role::ALL.into_iter().filter(|role| *role != Role::Administrator) {
            let other = acting(&node, here, "H29.12", &[role]);
            assert!(
                node.state.officers(&other, "H29.12", None, 50).await.is_err(),
                "{role:?}"
            );
            assert!(node.state.reset_officer(&other, here).await.is_err(), "{role:?}");
        }
    }
}

#[tokio::test]
async fn a_deactivated_officer_is_out_at_once() {
    for node in nodes(&Config::default()).await {
        let id = node.officer("minh", "H29.12", &[Role::Specialist]).await;
        let (mut browser, ..) = node.enrolled("minh").await;
        assert_eq!(browser.get("/account").await.status, StatusCode::OK);
        let admin = acting(&node, OfficerId::new(node.state.now()), "H29", &[Role::Administrator]);
        node.state
            .change_officer(&admin, id, &change(1, "H29.12", &[Role::Specialist], false))
            .await
            .expect("changed");
        assert_eq!(browser.get("/account").await.status, StatusCode::SEE_OTHER);
        let fields = [("login", "minh"), ("password", super::harness::NEW_PASSWORD)];
        let answer = node.browser().post("/sign-in/officer", &fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
}

#[tokio::test]
async fn new_roles_hold_from_the_next_request() {
    for node in nodes(&Config::default()).await {
        let id = node.officer("minh", "H29.12", &[Role::Administrator]).await;
        let (mut browser, ..) = node.enrolled("minh").await;
        assert_eq!(browser.get("/admin/officers").await.status, StatusCode::OK);
        let admin = acting(&node, OfficerId::new(node.state.now()), "H29", &[Role::Administrator]);
        node.state
            .change_officer(&admin, id, &change(1, "H29.12", &[Role::Specialist], true))
            .await
            .expect("changed");
        assert_eq!(browser.get("/admin/officers").await.status, StatusCode::FORBIDDEN);
    }
}

#[tokio::test]
async fn administrators_cannot_shut_themselves_out() {
    for node in nodes(&Config::default()).await {
        let id = node.officer("quantri", "H29", &[Role::Administrator]).await;
        let own = acting(&node, id, "H29", &[Role::Administrator]);
        for bad in [
            change(1, "H29", &[Role::Administrator], false),
            change(1, "H29", &[Role::Leader], true),
        ] {
            let error = node.state.change_officer(&own, id, &bad).await.expect_err("refused");
            assert_eq!(error.kind(), Some(Kind::Conflict));
        }
    }
}

#[tokio::test]
async fn the_list_of_officers_is_walked_page_by_page() {
    for node in nodes(&Config::default()).await {
        let system = node.system();
        let all = 120;
        for n in 0..all {
            let new = NewOfficer {
                login: format!("canbo{n:03}"),
                name: format!("Cán bộ {n}"),
                title: String::new(),
                agency: format!("H29.{}", n % 7),
                roles: Roles::of(&[Role::Specialist]),
                password: None,
                demo: None,
            };
            node.state.create_officer(&system, &new).await.expect("a good officer");
        }
        node.officer("ngoai", "H291", &[Role::Specialist]).await;
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let (page, next) = node
                .state
                .officers(&system, "H29", after.as_ref(), 50)
                .await
                .expect("a page");
            assert!(page.len() <= 50);
            seen.extend(page.into_iter().map(|o| o.login));
            match next {
                Some(place) => after = Some(place),
                None => break,
            }
        }
        let mut distinct = seen.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!((seen.len(), distinct.len()), (all, all), "each once, and not H291");

        // The pages lead from one to the next, and all of them to the first.
        let mut admin = administrator(&node).await;
        let (mut address, mut shown) = ("/admin/officers".to_owned(), 0);
        loop {
            let page = admin.get(&address).await;
            assert_eq!(page.status, StatusCode::OK, "{address}");
            shown += page
                .body
                .matches("<th scope=\"row\"><a href=\"/admin/officers/")
                .count();
            let back = page.body.contains("href=\"/admin/officers\" rel=\"prev\"");
            assert_eq!(back, address.contains("cursor="), "{address}");
            let next = page.body.split_once("\" rel=\"next\"");
            match next.and_then(|(before, _)| before.rsplit("href=\"").next()) {
                Some(next) => address = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(shown, all + 1, "and the administrator");
        let nowhere = admin.get("/admin/officers?cursor=x").await;
        assert_eq!(nowhere.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
}
