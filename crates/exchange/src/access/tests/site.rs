//! Every page and every route, as everybody, in both languages.

use std::sync::Arc;

use axum::{Extension, http::StatusCode};
use identity::{IdentityState, Shell};

use super::*;
use crate::access::{api, pages};

struct Site {
    app: Router,
    identity: IdentityState,
}

impl Site {
    fn of(node: &Node) -> Self {
        let identity = IdentityState::new(
            node.store.clone(),
            identity::Config::default(),
            &[9; 32],
            Arc::new(node.clock.clone()),
            Entropy::seeded(1),
            Shell::default(),
        )
        .expect("good settings");
        let (api, document) = api::router(node.access.clone()).split_for_parts();
        let paths = document.paths.paths.len();
        assert_eq!(paths, 12, "the document names every path");
        Self {
            app: pages::router(node.access.clone()).merge(api),
            identity,
        }
    }

    async fn ask(&self, ctx: Ctx, method: &str, path: &str, kind: &str, body: &str) -> (StatusCode, String) {
        let app = self
            .app
            .clone()
            .layer(Extension(ctx))
            .layer(Extension(self.identity.clone()));
        let app = app.layer(Extension(Arc::new(view::Site::default())));
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", kind);
        let request = request.body(Body::from(body.to_owned())).expect(path);
        let answer = app.oneshot(request).await.expect("infallible");
        let status = answer.status();
        let location = answer
            .headers()
            .get("location")
            .map(|value| value.to_str().unwrap_or_default().to_owned());
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        (
            status,
            location.unwrap_or_else(|| String::from_utf8_lossy(&body).into_owned()),
        )
    }

    async fn get(&self, ctx: Ctx, path: &str) -> (StatusCode, String) {
        self.ask(ctx, "GET", path, "text/plain", "").await
    }

    async fn post(&self, ctx: Ctx, path: &str, fields: &[(&str, &str)]) -> (StatusCode, String) {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.ask(ctx, "POST", path, "application/x-www-form-urlencoded", &body)
            .await
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn every_route_as_every_role() {
    for (ours, theirs, wire) in pairs().await {
        let id = filed(&ours, &wire).await;
        let approve = Command::Approve {
            terms: terms(),
            note: "Chỉ trong giờ".into(),
        };
        let waiting = filed(&ours, &wire).await;
        theirs.command(Side::Incoming, id, approve).await.expect("approved");
        let site = Site::of(&theirs);
        let (systems, _) = theirs.access.systems(&theirs.steward(), "", 50).await.expect("a list");
        let (services, _) = theirs.access.services(&theirs.steward(), "", 50).await.expect("a list");
        let document = br#"{"openapi":"3.1.0","info":{"title":"<b>x</b>","version":"1"},"paths":{"/a":{"get":{}}}}"#;
        theirs
            .access
            .describe(&theirs.steward(), services[0].id, Some(document))
            .await
            .expect("a document");
        let (system, service) = (systems[0].id, services[0].id);
        // Path, and whether reading is enough.
        let read = [
            "/exchange/access".to_owned(),
            "/exchange/access?standing=active&side=incoming&only=ending&cursor=1.00000000-0000-0000-0000-000000000000"
                .to_owned(),
            "/exchange/access/explain".to_owned(),
            format!("/exchange/access/explain?client={CONSUMER}&method=GET&target=/r1/{SERVICE}/persons/1&purpose=x"),
            format!("/exchange/access/incoming/{id}"),
            format!("/exchange/access/incoming/{id}/print"),
            "/exchange/systems".to_owned(),
            format!("/exchange/systems/{system}"),
            "/exchange/services".to_owned(),
            "/exchange/services/catalogue?q=dan+cu".to_owned(),
            format!("/exchange/services/{service}"),
            format!("/exchange/services/{service}/openapi"),
            "/api/v1/exchange/systems".to_owned(),
            format!("/api/v1/exchange/systems/{system}"),
            "/api/v1/exchange/services".to_owned(),
            format!("/api/v1/exchange/services/{service}"),
            format!("/api/v1/exchange/services/{service}/openapi"),
            "/api/v1/exchange/catalogue".to_owned(),
            "/api/v1/exchange/grants?side=incoming".to_owned(),
            format!("/api/v1/exchange/grants/incoming/{id}"),
            format!("/api/v1/exchange/explain?client={CONSUMER}&method=GET&target=/r1/{SERVICE}/x"),
        ];
        let manage = [
            format!("/exchange/access/new?service={SERVICE}"),
            "/exchange/systems/new".to_owned(),
            "/exchange/services/new".to_owned(),
            format!("/exchange/access/incoming/{id}/suspend"),
            format!("/exchange/access/incoming/{id}/end"),
            format!("/exchange/access/incoming/{waiting}/approve"),
            format!("/exchange/access/incoming/{waiting}/refuse"),
            format!("/exchange/access/incoming/{waiting}/ask-more"),
        ];
        let writes = [
            ("POST", "/exchange/access/new".to_owned()),
            ("POST", format!("/exchange/access/incoming/{id}/suspend")),
            ("POST", format!("/exchange/access/outgoing/{id}/look")),
            ("POST", "/exchange/systems/new".to_owned()),
            ("POST", format!("/exchange/systems/{system}")),
            ("POST", format!("/exchange/systems/{system}/token")),
            ("POST", "/exchange/services/new".to_owned()),
            ("POST", format!("/exchange/services/{service}")),
            ("POST", format!("/exchange/services/{service}/openapi")),
            ("POST", "/api/v1/exchange/systems".to_owned()),
            ("PUT", format!("/api/v1/exchange/systems/{system}?version=1")),
            ("POST", format!("/api/v1/exchange/systems/{system}/token")),
            ("POST", "/api/v1/exchange/services".to_owned()),
            ("PUT", format!("/api/v1/exchange/services/{service}?version=1")),
            ("PUT", format!("/api/v1/exchange/services/{service}/openapi")),
            ("DELETE", format!("/api/v1/exchange/services/{service}/openapi")),
            ("POST", format!("/exchange/services/{service}/check")),
            ("PUT", format!("/api/v1/exchange/services/{service}/check")),
            ("POST", "/api/v1/exchange/grants".to_owned()),
            (
                "POST",
                format!(
                    "/api/v1/exchange/grants/incoming/{id}/commands?seen=2&order={}",
                    Uuid::nil()
                ),
            ),
        ];
        let mut people: Vec<(String, Ctx)> = vec![("nobody".into(), theirs.ctx(Actor::Anonymous))];
        people.extend(Role::ALL.map(|role| (format!("{role:?}"), theirs.ctx(actor("G01", &[role])))));
        people.push((
            "of another agency".into(),
            theirs.ctx(actor("H01", &[Role::Administrator])),
        ));
        for (name, ctx) in people {
            let (reads, manages) = (
                matches!(name.as_str(), "Administrator" | "Auditor"),
                name == "Administrator",
            );
            for lang in [Lang::Vi, Lang::En] {
                let ctx = || Ctx { lang, ..ctx.clone() };
                for path in &read {
                    let (status, body) = site.get(ctx(), path).await;
                    assert!(!status.is_server_error(), "{path} for {name}: {body}");
                    if name != "of another agency" {
                        assert_eq!(status == StatusCode::OK, reads, "{path} for {name}: {status}");
                    }
                    if status == StatusCode::OK && !path.contains("openapi") && !path.starts_with("/api") {
                        assert!(body.contains(&format!("<html lang=\"{}\"", lang.tag())), "{path}");
                        assert!(!body.contains("<b>"), "{path}: not escaped");
                    }
                }
                for path in &manage {
                    let (status, body) = site.get(ctx(), path).await;
                    assert!(!status.is_server_error(), "{path} for {name}: {body}");
                    if name != "of another agency" {
                        assert_eq!(status == StatusCode::OK, manages, "{path} for {name}: {status}");
                    }
                }
            }
            if manages {
                continue;
            }
            for (method, path) in &writes {
                let kind = if path.starts_with("/api") {
                    "application/json"
                } else {
                    FORM
                };
                let body = if path.ends_with("openapi") { "{}" } else { "" };
                let (status, answer) = site.ask(ctx.clone(), method, path, kind, body).await;
                let refused = status.is_client_error() || answer.starts_with("/sign-in");
                assert!(refused, "{method} {path} for {name}: {status} {answer}");
            }
        }
        assert_eq!(theirs.file(Side::Incoming, id).await.seq, 2, "nothing was done");
    }
}

#[tokio::test]
async fn a_steward_asks_and_another_answers_by_forms() {
    for (ours, theirs, wire) in pairs().await {
        let (here, there) = (Site::of(&ours), Site::of(&theirs));
        let (_, form) = here
            .get(ours.steward(), &format!("/exchange/access/new?service={SERVICE}"))
            .await;
        let id = form
            .split("name=\"id\" value=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .expect("an id")
            .to_owned();
        let mut fields = vec![("id", id.as_str()), ("service", SERVICE), ("renews", "")];
        let (status, page) = here.post(ours.steward(), "/exchange/access/new", &fields).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        for at in ["consumer", "reason", "methods", "purposes", "from", "to"] {
            assert!(page.contains(&format!("href=\"#{at}")), "{at} is in the summary");
        }
        fields.extend([
            ("consumer", CONSUMER),
            ("reason", "Xác minh <i>nơi cư trú</i>"),
            ("methods", "GET"),
            ("path", "/persons/*"),
            ("purposes", "dossier.verify"),
            ("legal_basis", "Điều 11 Luật Căn cước"),
            ("from.day", "25"),
            ("from.month", "11"),
            ("from.year", "2026"),
            ("to.day", "31"),
            ("to.month", "12"),
            ("to.year", "2027"),
            ("fields", "/name"),
        ]);
        let (status, to) = here.post(ours.steward(), "/exchange/access/new", &fields).await;
        assert_eq!(
            (status, to.as_str()),
            (
                StatusCode::SEE_OTHER,
                format!("/exchange/access/outgoing/{id}?done=1").as_str()
            )
        );
        let (_, page) = here.get(ours.steward(), &to).await;
        assert!(page.contains("Đang gửi tới nút"), "the page says where it is");
        assert!(!page.contains("<i>"));
        ours.jobs(&wire).await;

        let incoming = format!("/exchange/access/incoming/{id}");
        let (_, page) = there.get(theirs.steward(), &incoming).await;
        assert!(
            page.contains("02/12/2026") && page.contains("Nghị định 47/2020/NĐ-CP"),
            "when the answer is due, and why"
        );
        let (_, form) = there.get(theirs.steward(), &format!("{incoming}/approve")).await;
        let hidden = |name: &str| {
            let rest = form.split(&format!("name=\"{name}\" value=\"")).nth(1).expect(name);
            rest.split('"').next().expect(name).to_owned()
        };
        let (order, seen) = (hidden("order"), hidden("seen"));
        let mut answer = vec![("order", order.as_str()), ("seen", seen.as_str()), ("note", "")];
        answer.extend(fields.iter().skip(5).copied().filter(|(name, _)| *name != "path"));
        answer.push(("path", "/**"));
        let (status, page) = there
            .post(theirs.steward(), &format!("{incoming}/approve"), &answer)
            .await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.contains("href=\"#path"), "more than was asked for");
        answer.pop();
        answer.push(("path", "/persons/*"));
        let (status, to) = there
            .post(theirs.steward(), &format!("{incoming}/approve"), &answer)
            .await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{to}");
        let (status, _) = there.get(theirs.steward(), &format!("{incoming}/approve")).await;
        assert_eq!(status, StatusCode::CONFLICT, "it is approved already");
        let (_, print) = there.get(theirs.steward(), &format!("{incoming}/print")).await;
        for words in [
            "Bộ Công an",
            "Tỉnh H57",
            "Điều 11 Luật Căn cước",
            "dossier.verify",
            "/name",
            "Người chấp thuận",
        ] {
            assert!(print.contains(words), "{words}");
        }
        let (_, form) = here
            .get(ours.steward(), &format!("/exchange/access/new?renews={id}"))
            .await;
        assert!(form.contains(&format!("value=\"{id}\"")), "a renewal goes on from it");
    }
}

#[tokio::test]
async fn documents_and_samples_by_forms() {
    for (_ours, theirs, _wire) in pairs().await {
        let site = Site::of(&theirs);
        let (services, _) = theirs.access.services(&theirs.steward(), "", 50).await.expect("a list");
        let path = format!("/exchange/services/{}", services[0].id);
        let multipart = |document: &str| {
            format!(
                "--X\r\nContent-Disposition: form-data; name=\"openapi\"; filename=\"a.json\"\r\n\r\n{document}\r\n--X--\r\n"
            )
        };
        let kind = "multipart/form-data; boundary=X";
        let upload = format!("{path}/openapi");
        for (document, code) in [("", 422), ("<a/>", 422), ("{\"openapi\":\"2.0\"}", 422)] {
            let (status, body) = site
                .ask(theirs.steward(), "POST", &upload, kind, &multipart(document))
                .await;
            assert_eq!(status.as_u16(), code, "{document}");
            assert!(body.contains("href=\"#openapi"), "{document}");
        }
        let large = multipart(&" ".repeat(3 * 1024 * 1024));
        let (status, _) = site.ask(theirs.steward(), "POST", &upload, kind, &large).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
        let good = r#"{"openapi":"3.1.0","info":{"title":"t","version":"1"},"paths":{"/persons/{id}":{"get":{}}}}"#;
        let (status, _) = site
            .ask(theirs.steward(), "POST", &upload, kind, &multipart(good))
            .await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        let (_, page) = site.get(theirs.steward(), &path).await;
        assert!(page.contains("GET /persons/*"));
        let sample = [
            ("subjects", "path 2\nanswer /items/*/id"),
            ("sample_path", "/persons/001099012345"),
            ("sample_answer", r#"{"items":[{"id":"001199054321"},{"id":"x"}]}"#),
        ];
        let (status, page) = site.post(theirs.steward(), &format!("{path}/preview"), &sample).await;
        assert_eq!(status, StatusCode::OK);
        for words in ["001099012345", "001199054321", "không phải là số định danh"] {
            assert!(page.contains(words), "{words}");
        }
        let bad = [("subjects", "body /x"), ("sample_path", "/a/../b")];
        let (status, page) = site.post(theirs.steward(), &format!("{path}/preview"), &bad).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.contains("href=\"#sample_path"));
    }
}
