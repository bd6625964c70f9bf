//! GovStack's addresses, and hostile callers of them.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::site::*;
use crate::events::State;

const ROOM: &str = "/r1/VN/GOV/000.00.00.H26/ho-tich";

fn at(rest: &str) -> String {
    format!("{ROOM}/{rest}")
}

#[tokio::test]
async fn a_room_is_used_from_its_type_to_the_acknowledgement() {
    for site in sites().await {
        let (get, post, delete) = (Method::GET, Method::POST, Method::DELETE);
        let types = at("api/v1/eventType");
        assert_eq!(
            site.call(READER, get.clone(), &types, None).await,
            (StatusCode::NO_CONTENT, Value::Null)
        );
        let body = json!({"eventType": "newBirth", "schema": schema()});
        assert_eq!(
            site.call(PROVIDER, post.clone(), &types, Some(body.clone())).await.0,
            StatusCode::OK
        );
        assert_eq!(
            site.call(PROVIDER, post.clone(), &types, Some(body.clone())).await.0,
            StatusCode::CONFLICT
        );
        assert_eq!(
            site.call(READER, post.clone(), &types, Some(body)).await.0,
            StatusCode::FORBIDDEN
        );
        assert_eq!(
            site.call(READER, get.clone(), &types, None).await,
            (StatusCode::OK, json!(["newBirth"]))
        );
        let (_, shown) = site
            .call(READER, get.clone(), &at("api/v1/eventType/newBirth"), None)
            .await;
        assert_eq!(
            (&shown["schema"], &shown["sensitivity"]),
            (&schema(), &json!("personal")),
            "the most careful"
        );
        let nothing = site.call(READER, get.clone(), &at("api/v1/eventType/none"), None).await;
        assert_eq!(nothing.0, StatusCode::NO_CONTENT);

        let subs = at("api/v1/subs/newBirth");
        let ask = json!({"eventType": "newBirth", "legalBasis": "Luật Hộ tịch", "start": "beginning"});
        let (status, made) = site.call(READER, post.clone(), &subs, Some(ask.clone())).await;
        assert_eq!(
            (status, &made["state"], &made["delivery"]),
            (StatusCode::OK, &json!("requested"), &json!("PULL"))
        );
        assert_eq!(made["subscriberId"]["applicationCode"], "dan-cu");
        assert_eq!(
            site.call(READER, post.clone(), &subs, Some(ask)).await.0,
            StatusCode::CONFLICT
        );
        let id = made["id"].as_str().expect("an id").parse().expect("a UUID");
        site.events
            .decide(&site.steward(), id, State::Approved, "")
            .await
            .expect("approved");

        let pull = at("pull/v1/newBirth");
        assert_eq!(
            site.call(READER, get.clone(), &pull, None).await.0,
            StatusCode::NOT_FOUND,
            "no event available"
        );
        let publish = at("pub/v1/newBirth");
        let event = json!({"eventType": "newBirth", "event": {"n": 1}, "key": "k", "producerId": "p1"});
        let (status, done) = site.call(PROVIDER, post.clone(), &publish, Some(event.clone())).await;
        assert_eq!(
            (status, &done["sequence"], &done["again"]),
            (StatusCode::CREATED, &json!(1), &json!(false))
        );
        let (_, again) = site.call(PROVIDER, post.clone(), &publish, Some(event)).await;
        assert_eq!((&again["id"], &again["again"]), (&done["id"], &json!(true)));
        site.call(PROVIDER, post.clone(), &publish, Some(json!({"event": {"n": 2}})))
            .await;

        let (_, item) = site.call(READER, get.clone(), &pull, None).await;
        assert_eq!(
            (&item["id"], &item["event"], &item["sequence"]),
            (&done["id"], &json!({"n": 1}), &json!(1))
        );
        assert_eq!(item["publisherId"]["memberCode"], "000.00.00.H26");
        let event_id = done["id"].as_str().expect("an id");
        let (_, status) = site
            .call(PROVIDER, get.clone(), &format!("{publish}/{event_id}"), None)
            .await;
        assert_eq!(
            (&status["event"], &status["readers"][0]["acknowledged"]),
            (&Value::Null, &json!(false))
        );
        let confirmed = site
            .call(READER, delete.clone(), &format!("{pull}/{event_id}"), None)
            .await;
        assert_eq!(confirmed.0, StatusCode::NO_CONTENT);
        assert_eq!(
            site.call(READER, get.clone(), &pull, None).await.1["sequence"],
            2,
            "the next one"
        );
        let (_, status) = site
            .call(PROVIDER, get.clone(), &format!("{publish}/{event_id}"), None)
            .await;
        assert_eq!(status["readers"][0]["acknowledged"], true);

        let (_, list) = site
            .call(READER, get.clone(), &format!("{pull}?limit=10&wait=0"), None)
            .await;
        assert_eq!(
            (list["events"].as_array().map(Vec::len), &list["more"]),
            (Some(1), &json!(false))
        );
        let cursor = list["cursor"].as_str().expect("a cursor");
        let (_, list) = site
            .call(READER, get.clone(), &format!("{pull}?cursor={cursor}"), None)
            .await;
        assert_eq!(list["events"], json!([]));
        let (_, subscription) = site.call(READER, get.clone(), &subs, None).await;
        assert_eq!(
            (&subscription["lag"], &subscription["cursor"]),
            (&json!(0), &json!(cursor))
        );
        assert_eq!(
            site.call(READER, get.clone(), &at("api/v1/subs"), None).await.1[0]["eventType"],
            "newBirth"
        );

        assert_eq!(
            site.call(READER, delete.clone(), &format!("{publish}/{event_id}"), None)
                .await
                .0,
            StatusCode::FORBIDDEN
        );
        assert_eq!(
            site.call(PROVIDER, delete.clone(), &format!("{publish}/{event_id}"), None)
                .await
                .0,
            StatusCode::NO_CONTENT
        );
        let changed = site
            .call(
                READER,
                Method::PATCH,
                &subs,
                Some(json!({"webhook": "https://a.gov.vn/hook"})),
            )
            .await;
        assert_eq!(
            (changed.0, changed.1["delivery"].as_str()),
            (StatusCode::CREATED, Some("PUSH"))
        );
        assert!(
            changed.1["secret"]
                .as_str()
                .is_some_and(|secret| secret.starts_with("whsec_")),
            "shown once"
        );
        assert!(site.call(READER, get.clone(), &subs, None).await.1["secret"].is_null());
        let fixed = site
            .call(READER, Method::PATCH, &subs, Some(json!({"keyPrefix": "other"})))
            .await;
        assert_eq!(fixed.1["problems"][0]["code"], "subscription-fixed");
        assert_eq!(
            site.call(READER, delete.clone(), &subs, None).await.0,
            StatusCode::NO_CONTENT
        );
        assert_eq!(
            site.call(READER, get.clone(), &subs, None).await.0,
            StatusCode::NOT_FOUND
        );
        assert_eq!(
            site.call(PROVIDER, delete, &at("api/v1/eventType/newBirth"), None)
                .await
                .0,
            StatusCode::NO_CONTENT
        );
        assert_eq!(site.call(PROVIDER, get, &types, None).await.0, StatusCode::NO_CONTENT);
    }
}

#[tokio::test]
async fn versions_are_put() {
    for site in sites().await {
        site.define().await;
        let address = at("api/v1/eventType/birth.registered");
        let mut body = json!({"schema": schema(), "sensitivity": "internal", "retentionDays": 10});
        body["schema"]["properties"]["more"] = json!({"type": "string"});
        let (status, kept) = site.call(PROVIDER, Method::PUT, &address, Some(body.clone())).await;
        assert_eq!((status, &kept["version"]), (StatusCode::OK, &json!(2)));
        body["schema"] = json!({"type": "object"});
        let (status, refused) = site.call(PROVIDER, Method::PUT, &address, Some(body)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(
            refused["problems"].as_array().is_some_and(|all| all.len() >= 3),
            "{refused}"
        );
        let (_, shown) = site.call(READER, Method::GET, &address, None).await;
        assert_eq!(
            (&shown["version"], &shown["title"]["en"]),
            (&json!(2), &json!("Birth registered")),
            "the title stays"
        );
    }
}

/// What a gateway leaves with a request for a service in its own process.
#[derive(Clone)]
struct Called(crate::model::identifier::ServiceId);

#[tokio::test]
async fn behind_a_gateway_the_service_is_told_beside_the_path() {
    for site in sites().await {
        site.define().await;
        let app = crate::events::govstack::behind_gateway(site.events.clone(), |extensions| {
            extensions.get::<Called>().map(|Called(service)| service.clone())
        });
        let ask = |service: Option<&str>, path: &str| {
            let mut request = axum::http::Request::get(path)
                .header("X-Road-Client", READER)
                .body(axum::body::Body::empty())
                .expect("a request");
            if let Some(service) = service {
                request
                    .extensions_mut()
                    .insert(Called(service.parse().expect("a service")));
            }
            tower::ServiceExt::oneshot(app.clone(), request)
        };
        let api = format!("{PROVIDER}/api");
        let found = ask(Some(&api), "/v1/eventType/birth.registered?x=1")
            .await
            .expect("infallible");
        assert_eq!(found.status(), StatusCode::OK);
        for (service, path) in [
            (None, "/v1/eventType"),
            (Some(api.as_str()), "/v2/eventType"),
            (Some(&api), "/"),
        ] {
            let refused = ask(service, path).await.expect("infallible");
            assert_eq!(refused.status(), StatusCode::NOT_FOUND, "{service:?} {path}");
        }
        let pull = ask(Some(&format!("{PROVIDER}/pull")), "/v1/birth.registered")
            .await
            .expect("infallible");
        assert_eq!(pull.status(), StatusCode::FORBIDDEN, "no subscription");
    }
}

#[tokio::test]
async fn hostile_requests_are_refused_with_a_reason() {
    let sites = sites().await;
    let site = &sites[0];
    site.define().await;
    let (get, post) = (Method::GET, Method::POST);
    let pull = at("pull/v1/birth.registered");
    let publish = at("pub/v1/birth.registered");
    let deep = "[".repeat(50_000);
    let cases = [
        ("", get.clone(), pull.clone(), None, 400, "identifier-form"),
        ("VN/GOV/X", get.clone(), pull.clone(), None, 400, "client-not-subsystem"),
        ("VN/GOV/X/../y", get.clone(), pull.clone(), None, 400, "identifier-form"),
        (OTHER, get.clone(), pull.clone(), None, 403, "subscription-missing"),
        (OTHER, get.clone(), format!("{pull}?limit=x"), None, 400, "query"),
        (OTHER, get.clone(), format!("{pull}?limit=-1"), None, 400, "query"),
        (
            OTHER,
            get.clone(),
            format!("{pull}?cursor=%00"),
            None,
            400,
            "cursor-malformed",
        ),
        (
            OTHER,
            get.clone(),
            format!("{pull}?cursor=AAAA"),
            None,
            400,
            "cursor-malformed",
        ),
        (OTHER, get.clone(), at("pull/v1/a%2F..%2Fb"), None, 400, "event-name"),
        (OTHER, get.clone(), at("pull/v1/none?limit=1"), None, 404, "not-found"),
        (
            OTHER,
            get.clone(),
            "/r1/VN/GOV/%2e%2e/x/pull/v1/a".to_owned(),
            None,
            400,
            "identifier-dot-segment",
        ),
        (
            PROVIDER,
            post.clone(),
            publish.clone(),
            Some(json!([])),
            400,
            "json-shape",
        ),
        (
            PROVIDER,
            post.clone(),
            publish.clone(),
            Some(json!({"event": {"n": 1}, "eventType": "x"})),
            400,
            "event-type-differs",
        ),
        (
            PROVIDER,
            post.clone(),
            publish.clone(),
            Some(json!({"event": [1, 2]})),
            400,
            "event-data",
        ),
        (
            PROVIDER,
            post.clone(),
            publish.clone(),
            Some(json!({"event": {"n": 1, "by": "x".repeat(66_000)}})),
            400,
            "event-too-large",
        ),
        (
            PROVIDER,
            post.clone(),
            publish.clone(),
            Some(json!({"event": {"n": 1, "by": "x".repeat(300_000)}})),
            413,
            "too-large",
        ),
        (
            PROVIDER,
            Method::DELETE,
            format!("{publish}/not-a-uuid"),
            None,
            404,
            "not-found",
        ),
        (
            PROVIDER,
            post.clone(),
            at("api/v1/eventType"),
            Some(json!({"eventType": "a", "schema": {"$ref": "http://127.0.0.1/"}})),
            400,
            "schema-reference",
        ),
        (
            READER,
            post.clone(),
            at("api/v1/subs/birth.registered"),
            Some(json!({"delivery": "PUSH"})),
            400,
            "webhook-missing",
        ),
        (
            READER,
            post.clone(),
            at("api/v1/subs/birth.registered"),
            Some(json!({"delivery": "MAIL", "start": "?"})),
            400,
            "cursor-malformed",
        ),
    ];
    for (client, method, path, body, status, code) in cases {
        let (got, answer) = site.call(client, method, &path, body).await;
        assert_eq!(
            (got.as_u16(), answer["problems"][0]["code"].as_str()),
            (status, Some(code)),
            "{path}: {answer}"
        );
        assert!(answer["problems"][0]["vi"].is_string() && answer["problems"][0]["en"].is_string());
    }
    let request = axum::http::Request::post(&publish)
        .header("X-Road-Client", PROVIDER)
        .header("content-type", "application/json")
        .body(axum::body::Body::from(format!("{{\"event\": {deep}")))
        .expect("a request");
    let answer = tower::ServiceExt::oneshot(crate::events::govstack::router(site.events.clone()), request).await;
    assert_eq!(
        answer.expect("infallible").status(),
        StatusCode::BAD_REQUEST,
        "too deep to read"
    );
    assert_eq!(site.publish(event(1)).await.position, 1, "nothing of all that was kept");
}

#[tokio::test]
async fn a_cursor_that_is_too_old_is_answered_with_410_and_the_oldest() {
    for site in sites().await {
        site.define().await;
        site.subscribed(READER, &request()).await;
        site.publish(event(1)).await;
        site.forward(11 * 86_400);
        site.publish(event(2)).await;
        site.events
            .remove_old(base::Clock::now(&site.clock))
            .await
            .expect("removed");
        let pull = at("pull/v1/birth.registered");
        let (status, gone) = site.call(READER, Method::GET, &pull, None).await;
        assert_eq!((status, &gone["code"]), (StatusCode::GONE, &json!("cursor-gone")));
        let oldest = gone["oldest"].as_str().expect("a cursor");
        let (status, list) = site
            .call(READER, Method::GET, &format!("{pull}?cursor={oldest}"), None)
            .await;
        assert_eq!((status, &list["events"][0]["sequence"]), (StatusCode::OK, &json!(2)));
    }
}
