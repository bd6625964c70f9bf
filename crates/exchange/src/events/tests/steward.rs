//! Pages and API of the steward, in both languages.

use axum::http::{Method, StatusCode, header};
use base::Lang;
use identity::Role;
use serde_json::{Value, json};

use super::site::*;
use crate::events::{Asker, EventTypeId, SubscribeRequest};

fn form(state: &str, reason: &str) -> String {
    format!("state={state}&reason={reason}")
}

#[tokio::test]
async fn empty_pages_say_what_will_be_there() {
    for site in sites().await {
        for (lang, words) in [
            (
                Lang::Vi,
                ["Chưa có loại sự kiện", "Không có đăng ký", "Không có lượt gọi nào"],
            ),
            (Lang::En, ["No event types yet", "No subscriptions", "No calls"]),
        ] {
            let mut ctx = site.steward();
            ctx.lang = lang;
            let paths = ["", "/subscriptions", "/deliveries"];
            for (path, words) in paths.iter().zip(words) {
                let path = format!("/exchange/events{path}");
                let (status, _, body) = site.visit(ctx.clone(), Method::GET, &path, "").await;
                assert_eq!(status, StatusCode::OK, "{body}");
                assert!(body.contains(words), "{path}: {body}");
            }
        }
    }
}

#[tokio::test]
async fn a_steward_sees_and_decides() {
    for site in sites().await {
        site.define().await;
        site.publish(event(1)).await;
        let ask = SubscribeRequest {
            webhook: Some("https://a.gov.vn/<script>".to_owned()),
            ..request()
        };
        let (made, _) = site
            .events
            .subscribe(&subsystem(READER), &births(), &ask)
            .await
            .expect("asked");
        let steward = site.steward();
        let get = async |path: String| site.visit(steward.clone(), Method::GET, &path, "").await;
        let (_, _, list) = get("/exchange/events".to_owned()).await;
        assert!(list.contains("Đăng ký khai sinh") && list.contains(PROVIDER), "{list}");
        let (status, _, one) = get(format!("/exchange/events/types/{}", made.type_id)).await;
        assert_eq!(status, StatusCode::OK, "{one}");
        assert!(
            one.contains("&quot;integer&quot;") || one.contains("&#34;integer&#34;"),
            "the schema: {one}"
        );
        assert!(!one.contains("e1") || !one.contains("k1"), "no producer's ids or keys");
        let (_, _, waiting) = get("/exchange/events/subscriptions?state=requested".to_owned()).await;
        assert!(
            waiting.contains(READER) && waiting.contains("Chờ phê duyệt"),
            "{waiting}"
        );
        let page = format!("/exchange/events/subscriptions/{}", made.id);
        let (_, _, one) = get(page.clone()).await;
        assert!(one.contains("Phê duyệt") && one.contains("Luật Hộ tịch"), "{one}");
        assert!(!one.contains("<script>\"") && !one.contains("vn/<script>"), "escaped");
        let decision = format!("{page}/decision");
        let (status, _, again) = site
            .visit(steward.clone(), Method::POST, &decision, &form("refused", ""))
            .await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(again.contains("Nêu lý do"), "{again}");
        let (status, headers, _) = site
            .visit(steward.clone(), Method::POST, &decision, &form("approved", ""))
            .await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        assert_eq!(headers[header::LOCATION], format!("{page}?done=1"));
        let (_, _, approved) = get(format!("{page}?done=1")).await;
        assert!(
            approved.contains("Đang hiệu lực") && approved.contains("Tạm dừng"),
            "{approved}"
        );
        let (status, _, stale) = site
            .visit(steward.clone(), Method::POST, &decision, &form("approved", ""))
            .await;
        assert_eq!(status, StatusCode::CONFLICT, "{stale}");
        let (status, ..) = site
            .visit(steward.clone(), Method::POST, &format!("{page}/webhook"), "")
            .await;
        assert_eq!(status, StatusCode::CONFLICT, "it is called all the time");
        let (status, ..) = get("/exchange/events/subscriptions/x".to_owned()).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn every_route_is_closed_to_others() {
    let sites = sites().await;
    let site = &sites[0];
    site.define().await;
    let (made, _) = site
        .events
        .subscribe(&subsystem(READER), &births(), &request())
        .await
        .expect("asked");
    let (sub, of) = (made.id, made.type_id);
    let api = "/api/v1/exchange/events";
    let new = json!({
        "provider": PROVIDER, "event_type": "x", "title": {"vi": "a", "en": "b"}, "schema": schema(),
        "sensitivity": "public", "retention_days": 1,
    })
    .to_string();
    let decision = json!({"state": "approved"}).to_string();
    let routes: Vec<(Method, String, &str)> = vec![
        (Method::GET, "/exchange/events".to_owned(), ""),
        (Method::GET, "/exchange/events/types/new".to_owned(), ""),
        (Method::POST, "/exchange/events/types/new".to_owned(), "provider=x"),
        (Method::GET, format!("/exchange/events/types/{of}/edit"), ""),
        (Method::POST, format!("/exchange/events/types/{of}/edit"), "title.vi=x"),
        (Method::POST, format!("/exchange/events/types/{of}/close"), ""),
        (Method::GET, format!("/exchange/events/types/{of}"), ""),
        (Method::GET, "/exchange/events/subscriptions".to_owned(), ""),
        (Method::GET, format!("/exchange/events/subscriptions/{sub}"), ""),
        (
            Method::POST,
            format!("/exchange/events/subscriptions/{sub}/decision"),
            "state=approved",
        ),
        (
            Method::POST,
            format!("/exchange/events/subscriptions/{sub}/webhook"),
            "",
        ),
        (Method::GET, "/exchange/events/deliveries".to_owned(), ""),
        (Method::GET, format!("{api}/types"), ""),
        (Method::POST, format!("{api}/types"), &new),
        (Method::GET, format!("{api}/types/{of}"), ""),
        (Method::PUT, format!("{api}/types/{of}"), &new),
        (Method::DELETE, format!("{api}/types/{of}"), ""),
        (Method::GET, format!("{api}/subscriptions"), ""),
        (Method::GET, format!("{api}/subscriptions/{sub}"), ""),
        (Method::POST, format!("{api}/subscriptions/{sub}/decision"), &decision),
        (Method::POST, format!("{api}/subscriptions/{sub}/webhook/resume"), ""),
        (Method::GET, format!("{api}/deliveries"), ""),
    ];
    for (method, path, body) in routes {
        let (status, ..) = site
            .visit(
                site.officer(&[Role::Leader, Role::Specialist, Role::Receptionist, Role::Consulted]),
                method.clone(),
                &path,
                body,
            )
            .await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{method} {path}");
        let mut nobody = site.steward();
        nobody.actor = identity::Actor::Anonymous;
        let (status, ..) = site.visit(nobody, method.clone(), &path, body).await;
        let sent_to_sign_in = status == StatusCode::SEE_OTHER && !path.starts_with("/api");
        assert!(
            sent_to_sign_in || status == StatusCode::UNAUTHORIZED,
            "{method} {path}: {status}"
        );
    }
}

#[tokio::test]
async fn the_api_says_the_same_as_the_pages() {
    for site in sites().await {
        let api = "/api/v1/exchange/events";
        let call = async |method: Method, path: &str, body: Value| {
            let body = if body.is_null() {
                String::new()
            } else {
                body.to_string()
            };
            let (status, _, answer) = site.visit(site.steward(), method, &format!("{api}{path}"), &body).await;
            (
                status.as_u16(),
                serde_json::from_str::<Value>(&answer).unwrap_or(Value::Null),
            )
        };
        let mut new = json!({
            "provider": PROVIDER, "event_type": "birth.registered", "title": {"vi": "Khai sinh", "en": "Birth"},
            "schema": schema(), "sensitivity": "internal", "retention_days": 10,
        });
        let (status, made) = call(Method::POST, "/types", new.clone()).await;
        assert_eq!(status, 201, "{made}");
        let of = made["id"].as_str().expect("an id").to_owned();
        let (status, one) = call(Method::GET, &format!("/types/{of}"), Value::Null).await;
        assert_eq!(
            (status, &one["event_type"], &one["sample"]["n"]),
            (200, &json!("birth.registered"), &json!(0))
        );
        new["schema"]["properties"]["more"] = json!({});
        let (status, revised) = call(Method::PUT, &format!("/types/{of}"), new.clone()).await;
        assert_eq!((status, &revised["version"]), (200, &json!(2)));
        new["provider"] = json!("bad");
        new["event_type"] = json!("1");
        let (status, refused) = call(Method::POST, "/types", new).await;
        assert_eq!(
            (status, refused["problems"].as_array().map(Vec::len)),
            (422, Some(2)),
            "{refused}"
        );
        let (made, _) = site
            .events
            .subscribe(&subsystem(READER), &births(), &request())
            .await
            .expect("asked");
        let (_, list) = call(Method::GET, "/subscriptions?state=requested", Value::Null).await;
        assert_eq!(list["items"][0]["subscriber"], READER);
        assert_eq!(call(Method::GET, "/subscriptions?state=x", Value::Null).await.0, 422);
        let decision = format!("/subscriptions/{}/decision", made.id);
        assert_eq!(call(Method::POST, &decision, json!({"state": "refused"})).await.0, 422);
        assert_eq!(call(Method::POST, &decision, json!({"state": "approved"})).await.0, 204);
        let (_, one) = call(Method::GET, &format!("/subscriptions/{}", made.id), Value::Null).await;
        assert_eq!(one["state"], "approved");
        let (status, calls) = call(Method::GET, "/deliveries?outcome=late", Value::Null).await;
        assert_eq!((status, calls["items"].as_array().map(Vec::len)), (200, Some(0)));
        assert_eq!(call(Method::DELETE, &format!("/types/{of}"), Value::Null).await.0, 204);
    }
}

#[tokio::test]
async fn long_lists_come_in_pages_that_fit_together() {
    for site in sites().await {
        let owner = subsystem(PROVIDER);
        for n in 0..61 {
            let mut new = new_type(schema());
            new.id.name = format!("type-{n:03}").parse().expect("a name");
            site.events
                .define(crate::events::Asker::Subsystem(&owner), &new)
                .await
                .expect("a good type");
        }
        let (mut after, mut names) = (None::<String>, Vec::new());
        loop {
            let page = site
                .events
                .types(&site.steward(), after.as_deref(), 50)
                .await
                .expect("a steward");
            names.extend(page.rows.iter().map(|of| of.id.name.to_string()));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(names.len(), 61);
        assert!(names.is_sorted());
        let (_, _, body) = site.visit(site.steward(), Method::GET, "/exchange/events", "").await;
        let next = body
            .split("/exchange/events?cursor=")
            .nth(1)
            .expect("a link")
            .split('"')
            .next()
            .expect("its end");
        let (_, _, second) = site
            .visit(
                site.steward(),
                Method::GET,
                &format!("/exchange/events?cursor={next}"),
                "",
            )
            .await;
        assert!(
            second.contains("<code>type-060<") && !second.contains("<code>type-049<"),
            "{next}: {second}"
        );
        for n in 0..61 {
            let who = format!("VN/GOV/000.00.00.G01/s{n}");
            let mut of = births();
            of.name = "type-000".parse().expect("a name");
            site.events
                .subscribe(&subsystem(&who), &of, &request())
                .await
                .expect("asked");
        }
        let first = site
            .events
            .subscriptions(&site.steward(), None, None, 50)
            .await
            .expect("a steward");
        let rest = site
            .events
            .subscriptions(
                &site.steward(),
                None,
                first.next.as_deref().and_then(identity::read_place),
                50,
            )
            .await
            .expect("a steward");
        assert_eq!((first.rows.len(), rest.rows.len(), rest.next), (50, 11, None));
        let mut ids: Vec<_> = first.rows.iter().chain(&rest.rows).map(|s| s.id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 61);
    }
}

fn filled(changes: &[(&str, &str)]) -> String {
    let mut fields = vec![
        ("provider", PROVIDER),
        ("event_type", "birth.registered"),
        ("title.vi", "Đăng ký khai sinh"),
        ("title.en", "Birth registered"),
        ("sensitivity", "internal"),
        ("keyField", "by"),
        ("retentionDays", "30"),
        (
            "schema",
            r#"{"type":"object","properties":{"n":{"type":"integer"},"by":{"type":"string"}},"required":["n","by"]}"#,
        ),
    ];
    for (name, value) in changes {
        fields.retain(|(field, _)| field != name);
        fields.push((*name, *value));
    }
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
}

#[tokio::test]
async fn a_steward_makes_changes_and_closes_a_type_on_pages() {
    for site in sites().await {
        let steward = site.steward();
        let post = async |path: &str, body: &str| site.visit(steward.clone(), Method::POST, path, body).await;
        let new = "/exchange/events/types/new";
        let (status, _, form) = site.visit(steward.clone(), Method::GET, new, "").await;
        assert_eq!(status, StatusCode::OK);
        assert!(form.contains(PROVIDER) && form.contains("Trường khóa"), "{form}");

        // Everything that is wrong is said at once, at its field, and what was typed is there again.
        let bad = [
            ("event_type", "Sai Tên"),
            ("title.en", ""),
            ("sensitivity", "x"),
            ("retentionDays", "many"),
            ("schema", "{\n \"type\": object }"),
        ];
        let (status, _, again) = post(new, &filled(&bad)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        for said in [
            "Sai Tên",
            "dòng 2",
            "từ 1 đến 3650 ngày",
            "cả hai ngôn ngữ",
            "Chọn mức độ nhạy cảm",
        ] {
            assert!(again.contains(said), "{said}: {again}");
        }
        for at in ["event_type", "title.en", "sensitivity", "retentionDays", "schema"] {
            assert!(again.contains(&format!("{at}-error")), "{at}: {again}");
        }
        let (status, _, again) = post(
            new,
            &filled(&[("schema", r#"{"type":"object","properties":{"n":{"type":7}}}"#)]),
        )
        .await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            again.contains("Trường khóa phải là một trường bắt buộc") && again.contains("/properties/n"),
            "{again}"
        );

        let (status, headers, body) = post(new, &filled(&[])).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{body}");
        let made = headers[header::LOCATION]
            .to_str()
            .expect("an address")
            .replace("?done=1", "");
        let (status, _, twice) = post(new, &filled(&[])).await;
        assert_eq!(status, StatusCode::CONFLICT, "{twice}");
        let (_, _, one) = site.visit(steward.clone(), Method::GET, &made, "").await;
        assert!(
            one.contains("Trường khóa") && one.contains(&format!("{made}/edit")),
            "{one}"
        );

        // The key of an event is what its data say.
        let publish = async |key: Option<&str>, by: &str| {
            let event = crate::events::NewEvent {
                producer_id: None,
                key: key.map(str::to_owned),
                data: json!({"n": 1, "by": by}),
            };
            site.events.publish(&subsystem(PROVIDER), &births(), event).await
        };
        publish(None, "a").await.expect("published");
        publish(Some("a"), "a").await.expect("published");
        assert_eq!(code(publish(Some("b"), "a").await), "event-key-differs");

        let edit = format!("{made}/edit");
        let (_, _, form) = site.visit(steward.clone(), Method::GET, &edit, "").await;
        assert!(
            form.contains("Đăng ký khai sinh") && !form.contains("name=\"provider\""),
            "{form}"
        );
        let narrower =
            r#"{"type":"object","properties":{"n":{"type":"string"},"by":{"type":"string"}},"required":["n","by"]}"#;
        let (status, _, refused) = post(&edit, &filled(&[("schema", narrower)])).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{refused}");
        let (status, _, refused) = post(&edit, &filled(&[("keyField", "n")])).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{refused}");
        let (status, ..) = post(&edit, &filled(&[("title.vi", "Khai sinh"), ("provider", OTHER)])).await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        let (_, _, list) = site.visit(steward.clone(), Method::GET, "/exchange/events", "").await;
        assert!(list.contains(">Khai sinh<") && list.contains(PROVIDER), "{list}");

        let (status, ..) = post(&format!("{made}/close"), "").await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        let (_, _, closed) = site.visit(steward.clone(), Method::GET, &made, "").await;
        assert!(closed.contains("đã đóng") && !closed.contains("/edit"), "{closed}");
        assert_eq!(post(&edit, &filled(&[])).await.0, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn an_officer_touches_only_what_their_own_agency_publishes() {
    for site in sites().await {
        site.register(OTHER, "G02").await;
        site.define().await;
        let (made, _) = site
            .events
            .subscribe(&subsystem(READER), &births(), &request())
            .await
            .expect("asked");
        let (of, sub) = (made.type_id, made.id);
        let (base, api) = ("/exchange/events", "/api/v1/exchange/events");
        let theirs = [
            (Method::GET, format!("{base}/types/{of}"), String::new()),
            (Method::GET, format!("{base}/types/{of}/edit"), String::new()),
            (Method::POST, format!("{base}/types/{of}/edit"), filled(&[])),
            (Method::POST, format!("{base}/types/{of}/close"), String::new()),
            (Method::GET, format!("{base}/subscriptions/{sub}"), String::new()),
            (
                Method::POST,
                format!("{base}/subscriptions/{sub}/decision"),
                form("approved", ""),
            ),
            (
                Method::POST,
                format!("{base}/subscriptions/{sub}/webhook"),
                String::new(),
            ),
            (Method::GET, format!("{api}/types/{of}"), String::new()),
            (Method::DELETE, format!("{api}/types/{of}"), String::new()),
        ];
        let stranger = site.officer_of("G02", &[Role::Administrator]);
        for (method, path, body) in &theirs {
            let (status, ..) = site.visit(stranger.clone(), method.clone(), path, body).await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{method} {path}");
        }
        for path in ["", "/subscriptions", "/deliveries"] {
            let (status, _, list) = site
                .visit(stranger.clone(), Method::GET, &format!("{base}{path}"), "")
                .await;
            assert_eq!(status, StatusCode::OK);
            assert!(
                !list.contains("birth.registered") && !list.contains("Đăng ký khai sinh"),
                "{path}: {list}"
            );
        }
        let (_, _, form_of_stranger) = site
            .visit(stranger.clone(), Method::GET, &format!("{base}/types/new"), "")
            .await;
        assert!(
            form_of_stranger.contains(OTHER) && !form_of_stranger.contains(PROVIDER),
            "{form_of_stranger}"
        );
        let another = filled(&[("event_type", "another")]);
        let (status, ..) = site
            .visit(stranger.clone(), Method::POST, &format!("{base}/types/new"), &another)
            .await;
        assert_eq!(status, StatusCode::FORBIDDEN, "a type in the name of another agency");

        // An auditor of the agency sees and changes nothing; the agency above it may do both.
        let auditor = site.officer(&[Role::Auditor]);
        for (method, path, body) in &theirs {
            let (status, _, page) = site.visit(auditor.clone(), method.clone(), path, body).await;
            let reads = *method == Method::GET && !path.ends_with("/edit");
            let expected = if reads { StatusCode::OK } else { StatusCode::FORBIDDEN };
            assert_eq!(status, expected, "{method} {path}");
            let offers = page.contains("Phê duyệt</button>") || page.contains("/close");
            assert!(!reads || !offers, "{path}: {page}");
        }
        site.register("VN/GOV/000.00.00.H26/xa", "H26.1").await;
        let communes = EventTypeId {
            provider: subsystem("VN/GOV/000.00.00.H26/xa"),
            name: "x".parse().expect("a name"),
        };
        let mut new = new_type(schema());
        new.id = communes.clone();
        let above = site.steward();
        site.events
            .define(Asker::Steward(&above), &new)
            .await
            .expect("the agency above");
        let commune = site.officer_of("H26.1", &[Role::Administrator]);
        site.events
            .close(Asker::Steward(&commune), &communes)
            .await
            .expect("their own");
        let (_, _, list) = site.visit(commune, Method::GET, base, "").await;
        assert!(
            list.contains("<code>x<") && !list.contains("birth.registered"),
            "{list}"
        );
    }
}

#[tokio::test]
async fn what_is_no_place_in_a_list_is_refused() {
    for site in sites().await {
        for list in ["", "/subscriptions", "/deliveries"] {
            for cursor in ["x", "5.x", "%00"] {
                let path = format!("/exchange/events{list}?cursor={cursor}");
                let (status, _, page) = site.visit(site.steward(), Method::GET, &path, "").await;
                assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
                assert!(page.contains("không phải là vị trí trong danh sách"), "{page}");
            }
        }
    }
}
