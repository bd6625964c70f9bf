//! Every route, as every role, in both languages; and what bent requests get.

use axum::http::StatusCode;
use base::Lang;
use identity::{Actor, Ctx, Role};

use super::{AGENCY, Node, PERSON, call, nodes, officer, read_of};

/// Who may: named by role; `person` is a signed-in person.
const AUDITOR: &[&str] = &["auditor"];
const ROUTES: &[(&str, &[&str])] = &[
    ("/exchange/messages", AUDITOR),
    ("/exchange/messages?from=2026-11-01&to=2026-11-30", AUDITOR),
    ("/exchange/messages/0", AUDITOR),
    ("/exchange/messages/0/evidence", AUDITOR),
    ("/exchange/erasures", &["auditor", "administrator"]),
    ("/exchange/operations", &["auditor", "administrator", "leader"]),
    (
        "/exchange/operations?hours=168",
        &["auditor", "administrator", "leader"],
    ),
    ("/exchange/operations.csv", &["auditor", "administrator", "leader"]),
    ("/my/reads", &["person"]),
    ("/my/reads?from=2026-11-01", &["person"]),
    ("/my/reads/2/evidence", &["person"]),
    ("/my/reads/2/ask", &["person"]),
    ("/desk/questions", &["consulted"]),
    ("/desk/questions?state=answered", &["consulted"]),
    ("/exchange/hidden-reads", &["*"]),
    ("/api/v1/exchange/messages", AUDITOR),
    ("/api/v1/exchange/messages/0", AUDITOR),
    ("/api/v1/exchange/messages/0/evidence", AUDITOR),
    ("/api/v1/me/exchange-reads", &["person"]),
    ("/api/v1/me/exchange-reads/2/evidence", &["person"]),
    ("/api/v1/exchange/hidden-reads", &["*"]),
    ("/api/v1/exchange/operations", &["auditor", "administrator", "leader"]),
];

async fn cast(node: &Node) -> Vec<(&'static str, Ctx)> {
    let mut cast = vec![
        ("nobody", node.ctx(Actor::Anonymous)),
        ("person", node.person(Some(PERSON)).await),
    ];
    cast.extend(Role::ALL.map(|role| (role.code(), node.ctx(officer(AGENCY, role)))));
    cast
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_opens_for_its_roles_only() {
    for node in nodes(|_| {}).await {
        let call = call(1);
        node.log_call(&call, Some(&read_of(&call, PERSON, node.now()))).await;
        for (path, allowed) in ROUTES {
            for (who, ctx) in cast(&node).await {
                for lang in [Lang::Vi, Lang::En] {
                    let ctx = Ctx { lang, ..ctx.clone() };
                    let answer = node.get(&ctx, path).await;
                    let may = allowed.contains(&"*") || allowed.contains(&who);
                    let expected = match who {
                        _ if may => StatusCode::OK,
                        "nobody" if path.starts_with("/api") => StatusCode::UNAUTHORIZED,
                        "nobody" => StatusCode::SEE_OTHER,
                        _ => StatusCode::FORBIDDEN,
                    };
                    assert_eq!(answer.status, expected, "{path} for {who}: {}", answer.body);
                    if who == "nobody" && expected == StatusCode::SEE_OTHER {
                        assert!(answer.location.starts_with("/sign-in"), "{path}");
                    }
                    if answer.body.contains("<html") {
                        assert!(
                            answer.body.contains(&format!("<html lang=\"{}\"", lang.tag())),
                            "{path}"
                        );
                    }
                }
            }
        }
        // An auditor of another agency is none of this node.
        let elsewhere = node.ctx(officer("H99", Role::Auditor));
        assert_eq!(
            node.get(&elsewhere, "/exchange/messages").await.status,
            StatusCode::FORBIDDEN
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_act_is_for_its_roles_only() {
    for node in nodes(|_| {}).await {
        let call = call(1);
        node.log_call(&call, Some(&read_of(&call, PERSON, node.now()))).await;
        let request = call.request_id.to_string();
        let nothing = "01980000-0000-7000-8000-000000000000";
        for (path, form, allowed, done) in [
            (
                "/my/reads/2/ask".to_owned(),
                vec![("text", "Vì sao?")],
                "person",
                StatusCode::SEE_OTHER,
            ),
            (
                format!("/my/reads/questions/{nothing}/close"),
                vec![],
                "person",
                StatusCode::NOT_FOUND,
            ),
            (
                format!("/desk/questions/{nothing}"),
                vec![("text", "x")],
                "consulted",
                StatusCode::NOT_FOUND,
            ),
            (
                "/exchange/erasures".to_owned(),
                vec![("request_id", request.as_str()), ("ground", "Điều 1")],
                "administrator",
                StatusCode::SEE_OTHER,
            ),
        ] {
            for (who, ctx) in cast(&node).await {
                let answer = node.post(&ctx, &path, &form).await;
                let expected = match who {
                    _ if who == allowed => done,
                    "nobody" => StatusCode::SEE_OTHER,
                    _ => StatusCode::FORBIDDEN,
                };
                assert_eq!(answer.status, expected, "{path} for {who}: {}", answer.body);
                if who == "nobody" {
                    assert!(answer.location.starts_with("/sign-in"), "{path}: {}", answer.location);
                }
            }
        }
        assert!(
            node.log.entry(0).expect("an entry").opening.is_none(),
            "the administrator did erase"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_pages_say_so() {
    for node in nodes(|_| {}).await {
        let person = node.person(Some(PERSON)).await;
        for (ctx, path, words) in [
            (node.auditor(), "/exchange/messages", "Không có thông điệp nào"),
            (node.auditor(), "/exchange/erasures", "Chưa có bản ghi nào bị xóa"),
            (
                node.auditor(),
                "/exchange/operations",
                "Không có thông điệp trong khoảng này",
            ),
            (person, "/my/reads", "Chưa có lượt xem nào"),
            (
                node.person(None).await,
                "/my/reads",
                "Tài khoản chưa có số định danh cá nhân",
            ),
            (
                node.ctx(officer(AGENCY, Role::Consulted)),
                "/desk/questions",
                "Không có câu hỏi nào",
            ),
            (
                node.ctx(Actor::Anonymous),
                "/exchange/hidden-reads",
                "Không có lượt xem nào bị ẩn",
            ),
        ] {
            let answer = node.get(&ctx, path).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}");
            assert!(answer.body.contains(words), "{path}: {}", answer.body);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_at_its_field() {
    for node in nodes(|_| {}).await {
        let (auditor, administrator) = (node.auditor(), node.administrator());
        let person = node.person(Some(PERSON)).await;
        let bad = "client=VN&service=x&request_id=1&from=gestern&to=x&cursor=x&message_id=%0A";
        let page = node.get(&auditor, &format!("/exchange/messages?{bad}")).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        for words in ["INSTANCE/CLASS/MEMBER", "dạng UUID", "2026-11-21"] {
            assert!(page.body.contains(words), "{words}: {}", page.body);
        }
        let json = node
            .get(&auditor, &format!("/api/v1/exchange/messages?{bad}"))
            .await
            .json();
        let at: Vec<_> = json["problems"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|p| p["at"].as_str())
            .collect();
        assert_eq!(
            at,
            ["client", "service", "request_id", "from", "to", "cursor"].map(Some)
        );
        let page = node
            .post(
                &administrator,
                "/exchange/erasures",
                &[("request_id", "x"), ("ground", "")],
            )
            .await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            page.body.contains("dạng UUID") && page.body.contains("value=\"x\""),
            "{}",
            page.body
        );
        let page = node.get(&person, "/my/reads?from=x").await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        for path in [
            "/exchange/messages/x",
            "/exchange/messages/99",
            "/exchange/messages/99999999999999999999",
            "/exchange/messages/18446744073709551615",
            "/api/v1/exchange/messages/x",
            "/api/v1/exchange/messages/99/evidence",
        ] {
            assert_eq!(node.get(&auditor, path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        for path in ["/my/reads/x/ask", "/my/reads/9/evidence", "/my/reads/9/ask"] {
            assert_eq!(node.get(&person, path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        let call = call(1);
        node.log_call(&call, Some(&read_of(&call, PERSON, node.now()))).await;
        let page = node.post(&person, "/my/reads/2/ask", &[("text", " ")]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.body.contains("tối đa 2.000 ký tự"), "{}", page.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_is_asked_about_and_answered_by_pages_alone() {
    for node in nodes(|_| {}).await {
        let person = node.person(Some(PERSON)).await;
        let officer = node.ctx(officer(AGENCY, Role::Consulted));
        let call = call(1);
        node.log_call(&call, Some(&read_of(&call, PERSON, node.now()))).await;
        let page = node.get(&person, "/my/reads").await.body;
        assert!(
            page.contains("Tỉnh Thử Nghiệm") && page.contains("/my/reads/2/ask"),
            "{page}"
        );
        let asked = node
            .post(&person, "/my/reads/2/ask", &[("text", "Vì sao <b>xem</b>?")])
            .await;
        assert_eq!(asked.location, "/my/reads?done=1");
        let desk = node.get(&officer, "/desk/questions").await.body;
        assert!(desk.contains("Vì sao") && !desk.contains("<b>xem"), "escaped: {desk}");
        let id = desk
            .split("action=\"/desk/questions/")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .expect("a form")
            .to_owned();
        let path = format!("/desk/questions/{id}");
        assert_eq!(
            node.post(&officer, &path, &[("text", "")]).await.status,
            StatusCode::UNPROCESSABLE_ENTITY
        );
        assert_eq!(
            node.post(&officer, &path, &[("text", "Để xác minh.")]).await.location,
            "/desk/questions?done=1"
        );
        assert_eq!(
            node.post(&officer, &path, &[("text", "Nữa.")]).await.status,
            StatusCode::CONFLICT
        );
        let page = node.get(&person, "/my/reads").await.body;
        assert!(page.contains("Để xác minh.") && page.contains("Đã trả lời"), "{page}");
        let closed = node
            .post(&person, &format!("/my/reads/questions/{id}/close"), &[])
            .await;
        assert_eq!(closed.location, "/my/reads?done=1");
        assert!(
            node.get(&officer, "/desk/questions?state=closed")
                .await
                .body
                .contains("Để xác minh.")
        );
        let erased = [
            ("request_id", call.request_id.to_string()),
            ("ground", "Quyết định 1".to_owned()),
            ("read_too", "true".to_owned()),
        ];
        let form: Vec<(&str, &str)> = erased.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let done = node.post(&node.administrator(), "/exchange/erasures", &form).await;
        assert_eq!(done.location, "/exchange/erasures?done=3");
        assert!(
            node.get(&node.auditor(), "/exchange/erasures")
                .await
                .body
                .contains("Quyết định 1")
        );
        let page = node.get(&node.auditor(), "/exchange/messages/0").await.body;
        assert!(
            page.contains("Bản ghi đã bị xóa lúc") && page.contains("Quyết định 1"),
            "{page}"
        );
        assert!(
            node.get(&person, "/my/reads")
                .await
                .body
                .contains("Chưa có lượt xem nào")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_page_says_what_verifies_and_gives_the_evidence() {
    for node in nodes(|_| {}).await {
        let call = call(1);
        node.log_call(&call, Some(&read_of(&call, PERSON, node.now()))).await;
        let page = node.get(&node.auditor(), "/exchange/messages/1").await.body;
        for words in [
            "đều đúng",
            "X-Road-Id",
            "VN-1",
            "Câu trả lời",
            "Lượt đọc dữ liệu cá nhân",
            "/exchange/messages/1/evidence",
        ] {
            assert!(page.contains(words), "{words}: {page}");
        }
        let file = node.get(&node.auditor(), "/exchange/messages/1/evidence").await;
        let report = crate::journal::evidence::verify_container(&file.bytes, &node.policy(), None);
        assert!(report.is_whole(), "{report:?}");
        let json = node.get(&node.auditor(), "/api/v1/exchange/messages/1").await.json();
        assert_eq!(json["faults"], serde_json::json!([]));
        assert_eq!(json["proved"][1]["role"], "answer");
        assert_eq!(json["pair"].as_array().map(Vec::len), Some(2));
    }
}
