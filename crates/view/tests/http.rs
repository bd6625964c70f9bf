//! Assets, headers and refusals as the browser gets them.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Router,
    body::Body,
    http::{Request, Response, StatusCode},
    middleware::from_fn_with_state,
    routing::get,
};
use base::{Error, Kind, Lang, Problems};
use http_body_util::BodyExt;
use tower::ServiceExt;
use view::{Page, SecurityHeaders, Site};

async fn get_from(router: &Router, path: &str, accept: &str) -> (Response<()>, Vec<u8>) {
    let request = Request::get(path)
        .header("accept-encoding", accept)
        .body(Body::empty())
        .expect("a request");
    let (parts, body) = router.clone().oneshot(request).await.expect("an answer").into_parts();
    let bytes = body.collect().await.expect("a body").to_bytes().to_vec();
    (Response::from_parts(parts, ()), bytes)
}

fn router() -> Router {
    let theme = BTreeMap::from([("primary".to_owned(), "#123456".to_owned())]);
    let site = Arc::new(Site {
        theme,
        ..Site::default()
    });
    view::assets::router(&site).layer(from_fn_with_state(
        Arc::new(SecurityHeaders {
            form_action: vec!["https://id.example".to_owned(), "x; script-src *".to_owned()],
            tls: true,
        }),
        view::security_headers,
    ))
}

#[tokio::test]
async fn assets_are_kept_for_ever_and_sent_small() {
    let router = router();
    for name in ["app.css", "app.js", "mark.svg"] {
        let path = view::asset(name);
        let (plain, bytes) = get_from(&router, &path, "identity").await;
        assert_eq!(plain.status(), StatusCode::OK, "{path}");
        assert!(
            plain.headers()["cache-control"]
                .to_str()
                .expect("text")
                .contains("immutable")
        );
        let (small, fewer) = get_from(&router, &path, "gzip, br").await;
        assert_eq!(small.headers()["content-encoding"], "br");
        assert!(fewer.len() < bytes.len());
    }
    for path in ["/assets/app.css", "/assets/none.css", "/assets/..%2fapp.css"] {
        assert_eq!(
            get_from(&router, path, "br").await.0.status(),
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    let (theme, css) = get_from(&router, "/assets/theme.css", "br").await;
    assert_eq!(theme.headers()["content-type"], "text/css; charset=utf-8");
    assert_eq!(css, b":root{--mc-primary:#123456;}");
}

#[tokio::test]
async fn styles_and_scripts_lead_nowhere_else_and_stay_small() {
    let router = router();
    let (_, css) = get_from(&router, &view::asset("app.css"), "identity").await;
    let css = String::from_utf8(css).expect("UTF-8");
    for (at, _) in css.match_indices("url(") {
        let target = css[at + 4..].trim_start_matches(['"', '\'']);
        assert!(
            target.starts_with("/assets/") || target.starts_with("data:image/svg+xml"),
            "{}",
            &target[..40.min(target.len())]
        );
        if let Some(path) = target.strip_prefix("/assets/") {
            let name = path.split([')', '"', '\'']).next().unwrap_or("");
            let (font, _) = get_from(&router, &format!("/assets/{name}"), "br").await;
            assert_eq!(
                (font.status(), &font.headers()["content-type"]),
                (StatusCode::OK, &"font/woff2".parse().expect("a value"))
            );
        }
    }
    assert!(!css.contains("@import") && !css.contains("http://") || css.contains("http://www.w3.org/2000/svg"));
    let (_, js) = get_from(&router, &view::asset("app.js"), "identity").await;
    assert!(js.len() <= 18 * 1024, "the script has {} bytes", js.len());
}

#[tokio::test]
async fn every_answer_carries_a_strict_policy() {
    let (answer, _) = get_from(&router(), "/assets/theme.css", "br").await;
    let policy = answer.headers()["content-security-policy"].to_str().expect("text");
    assert!(
        policy.contains("default-src 'none'") && !policy.contains("unsafe-"),
        "{policy}"
    );
    assert!(
        policy.contains("form-action 'self' https://id.example;"),
        "only whole origins are taken: {policy}"
    );
    assert!(!policy.contains('*'), "{policy}");
    for name in [
        "strict-transport-security",
        "x-content-type-options",
        "referrer-policy",
        "permissions-policy",
    ] {
        assert!(answer.headers().contains_key(name), "{name}");
    }
}

#[tokio::test]
async fn refusals_become_pages_and_failures_show_nothing_of_the_inside() {
    let page = |lang| {
        let mut page = Page::new(lang, Arc::new(Site::default()), "Nộp hồ sơ", "/nop");
        page.request_id = "01JD-REQUEST".to_owned();
        page
    };
    let answer = async |error: Error, lang| {
        let response = view::error_response(&error, page(lang));
        let status = response.status();
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        (status, String::from_utf8(body.to_vec()).expect("UTF-8"))
    };
    let (status, body) = answer(Error::internal("secret of the database at 10.0.0.7"), Lang::Vi).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(body.contains("01JD-REQUEST") && !body.contains("10.0.0.7"), "{body}");

    let mut problems = Problems::new();
    problems.add("required", "name", "Nhập họ tên.", "Enter a name.");
    problems.add("required", "born", "Nhập ngày sinh.", "Enter a date.");
    let (status, body) = answer(Error::Refused(Kind::Invalid, problems), Lang::En).await;
    assert_eq!(status.as_u16(), 422);
    assert!(
        body.contains("Enter a name.") && body.contains("Enter a date.") && !body.contains("Nhập"),
        "{body}"
    );

    for kind in [
        Kind::Unauthenticated,
        Kind::Forbidden,
        Kind::NotFound,
        Kind::Conflict,
        Kind::Stale,
        Kind::TooLarge,
        Kind::TooMany,
        Kind::Unavailable,
    ] {
        let (status, body) = answer(Error::refused(kind, "x", "Không được.", "No."), Lang::Vi).await;
        assert_eq!(status.as_u16(), kind.status());
        assert!(body.contains("Không được."), "{body}");
    }
}

#[tokio::test]
async fn a_handler_may_set_its_own_policy() {
    let own = async || ([("content-security-policy", "sandbox")], "file");
    let router = Router::new().route("/", get(own)).layer(from_fn_with_state(
        Arc::new(SecurityHeaders::default()),
        view::security_headers,
    ));
    let (answer, _) = get_from(&router, "/", "br").await;
    assert_eq!(answer.headers()["content-security-policy"], "sandbox");
    assert!(
        !answer.headers().contains_key("strict-transport-security"),
        "without TLS there is no HSTS"
    );
}
