//! What another node may say: its own name, its own grants, its own commands; nothing hostile gets further.

use base::Error;
use tower::ServiceExt;

use super::*;
use crate::access::model::{Entry, Event, Order, Who};

fn approve(terms: Terms) -> Command {
    Command::Approve {
        terms,
        note: String::new(),
    }
}

fn codes(error: &Error) -> Vec<&str> {
    error
        .problems()
        .into_iter()
        .flatten()
        .map(|problem| problem.code.as_str())
        .collect()
}

/// Asks the internal service as the gateway does, with any headers.
async fn asked(node: &Node, method: &str, path: &str, clients: &[&str], body: &str) -> (u16, String) {
    let mut request = http::Request::builder().method(method).uri(path);
    for client in clients {
        request = request.header("x-road-client", *client);
    }
    let request = request.body(Body::from(body.to_owned())).expect("a request");
    let answer = peer::router(node.access.clone())
        .oneshot(request)
        .await
        .expect("infallible");
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.expect("a body").to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn a_consumer_sees_and_moves_its_own_alone() {
    for (ours, theirs, wire) in pairs().await {
        let id = filed(&ours, &wire).await;
        let path = format!("/grants/{id}");
        assert_eq!(asked(&theirs, "GET", &path, &[CONSUMER], "").await.0, 200);
        for (clients, status) in [
            (vec![], 403),
            (vec!["VN/GOV/H57"], 403),
            (vec!["nonsense"], 403),
            (vec![CONSUMER, CONSUMER], 403),
            (vec!["VN/GOV/H57/khac"], 404),
            (vec![PROVIDER], 404),
        ] {
            let (got, body) = asked(&theirs, "GET", &path, &clients, "").await;
            assert_eq!(got, status, "{clients:?}: {body}");
            assert!(!body.contains("cư trú"), "{body}");
        }
        let order = |grant: GrantId, consumer: &str, command: Command| Order {
            id: new_id(),
            grant,
            consumer: consumer.parse().expect("a subsystem"),
            service: service(),
            at: at(START),
            who: Who {
                name: "Người lạ".into(),
                ..Who::default()
            },
            request: None,
            command: Some(command),
        };
        let send = |order: &Order| serde_json::to_string(order).expect("JSON");
        let withdraw = || Command::Withdraw { reason: "x".into() };
        let stranger = "VN/GOV/H57/khac";
        // In another's name, about another's grant, with the provider's commands.
        let (status, body) = asked(
            &theirs,
            "POST",
            "/orders",
            &[stranger],
            &send(&order(id, CONSUMER, withdraw())),
        )
        .await;
        assert!(status == 403 && body.contains("not-your-name"), "{body}");
        assert_eq!(
            asked(
                &theirs,
                "POST",
                "/orders",
                &[stranger],
                &send(&order(id, stranger, withdraw()))
            )
            .await
            .0,
            404
        );
        let own = order(id, CONSUMER, approve(terms()));
        assert_eq!(
            asked(&theirs, "POST", "/orders", &[CONSUMER], &send(&own)).await.0,
            403,
            "nobody approves themselves"
        );
        for command in [
            Command::Resume { reason: "x".into() },
            Command::Suspend {
                from: None,
                reason: "x".into(),
                incident: Some("x".into()),
            },
            Command::Refuse {
                ground: "x".into(),
                reason: "x".into(),
            },
            Command::AskMore { question: "x".into() },
        ] {
            assert_eq!(
                asked(
                    &theirs,
                    "POST",
                    "/orders",
                    &[CONSUMER],
                    &send(&order(id, CONSUMER, command))
                )
                .await
                .0,
                403
            );
        }
        // The id of another's grant for a new request.
        let mut taken = order(id, stranger, withdraw());
        (taken.command, taken.request) = (None, Some(request()));
        let (status, body) = asked(&theirs, "POST", "/orders", &[stranger], &send(&taken)).await;
        assert!(status == 409 && body.contains("grant-id-taken"), "{body}");
        // Hostile in every field.
        let mut bad = taken.clone();
        bad.grant = GrantId::new(at(START));
        bad.who.name = "x".repeat(10_000);
        let mut worse = request();
        worse.reason = format!("\u{0}{}", "y".repeat(5_000));
        worse.terms.purposes.clear();
        worse.terms.legal_basis = "\u{7}".into();
        worse.terms.to = worse.terms.from;
        worse.terms.fields = Some(vec![]);
        bad.request = Some(worse);
        let (status, body) = asked(&theirs, "POST", "/orders", &[stranger], &send(&bad)).await;
        assert_eq!(status, 422);
        for code in ["required", "too-long", "control-characters", "ends-before-it-begins"] {
            assert!(body.contains(code), "{code}: {body}");
        }
        let mut endless = taken.clone();
        endless.grant = GrantId::new(at(START));
        endless
            .request
            .iter_mut()
            .for_each(|request| request.terms.to = Timestamp::from_micros(i64::MAX));
        let (status, body) = asked(&theirs, "POST", "/orders", &[stranger], &send(&endless)).await;
        assert!(status == 422 && body.contains("out-of-range"), "{body}");
        for body in ["", "{}", "[]", "null", "{\"id\":1}", "\u{0}", &"[".repeat(100_000)] {
            let (status, answer) = asked(&theirs, "POST", "/orders", &[CONSUMER], body).await;
            assert_eq!(status, 422, "{answer}");
        }
        assert_eq!(
            asked(&theirs, "POST", "/orders", &[CONSUMER], &" ".repeat(5 * 1024 * 1024))
                .await
                .0,
            413
        );
        for path in ["/", "/orders", "/grants/x", "/grants/x?after=y", "/other", "/grants"] {
            let (status, _) = asked(&theirs, "GET", path, &[CONSUMER], "").await;
            assert!((400..500).contains(&status), "{path}: {status}");
        }
        assert_eq!(theirs.file(Side::Incoming, id).await.seq, 1, "nothing has moved");
    }
}

#[tokio::test]
async fn a_system_that_asks_for_too_much_is_told_to_wait() {
    let sets = [identity::MIGRATIONS, crate::MIGRATIONS];
    for store in testkit::stores(&sets).await {
        let config = Config {
            members: BTreeMap::from([("VN/GOV/G01".parse().expect("a member"), "G01".to_owned())]),
            most_open_requests: 3,
            ..Config::default()
        };
        let node = Node::with(store, FixedClock::at(at(START)), config, "G01").await;
        node.add_system(PROVIDER).await;
        node.add_service().await;
        let send = async || {
            let order = Order {
                id: new_id(),
                grant: GrantId::new(at(START)),
                consumer: consumer(),
                service: service(),
                at: at(START),
                who: Who {
                    name: "An".into(),
                    ..Who::default()
                },
                request: Some(request()),
                command: None,
            };
            let body = serde_json::to_string(&order).expect("JSON");
            (asked(&node, "POST", "/orders", &[CONSUMER], &body).await.0, order.grant)
        };
        let mut last = GrantId::new(at(START));
        for _ in 0..3 {
            let (status, id) = send().await;
            assert_eq!(status, 200);
            last = id;
        }
        assert_eq!(send().await.0, 429);
        node.command(Side::Incoming, last, approve(terms()))
            .await
            .expect("answered");
        assert_eq!(send().await.0, 200, "one was answered");
    }
}

#[tokio::test]
async fn what_a_node_answers_itself_can_be_asked_for_unless_it_is_open_anyway() {
    let sets = [identity::MIGRATIONS, crate::MIGRATIONS];
    for store in testkit::stores(&sets).await {
        let config = Config {
            members: BTreeMap::from([("VN/GOV/G01".parse().expect("a member"), "G01".to_owned())]),
            ..Config::default()
        };
        let node = Node::with(store, FixedClock::at(at(START)), config, "G01").await;
        node.add_system(PROVIDER).await;
        for (service, status) in [
            (format!("{PROVIDER}/findUsage"), 200),
            (format!("{PROVIDER}/askAboutRead"), 422),
            (format!("{PROVIDER}/other"), 422),
            ("VN/GOV/G01/none/findUsage".to_owned(), 422),
        ] {
            let order = Order {
                id: new_id(),
                grant: GrantId::new(at(START)),
                consumer: consumer(),
                service: service.parse().expect("a service"),
                at: at(START),
                who: Who {
                    name: "An".into(),
                    ..Who::default()
                },
                request: Some(request()),
                command: None,
            };
            let body = serde_json::to_string(&order).expect("JSON");
            let (got, answer) = asked(&node, "POST", "/orders", &[CONSUMER], &body).await;
            assert_eq!(got, status, "{service}: {answer}");
        }
    }
}

#[tokio::test]
async fn a_log_that_is_none_is_not_believed() {
    for (ours, theirs, wire) in pairs().await {
        let id = filed(&ours, &wire).await;
        let first = theirs.access.log_for(&consumer(), id, 0).await.expect("a log");
        let entry = |seq: i64, side, event| Entry {
            seq,
            at: ours.clock.now(),
            side,
            who: Who::default(),
            order: None,
            event,
        };
        let approved = || Event::Approved {
            terms: terms(),
            note: String::new(),
        };
        for bad in [
            entry(3, Some(Side::Incoming), approved()),
            entry(2, Some(Side::Outgoing), approved()),
            entry(2, None, approved()),
            entry(2, Some(Side::Incoming), Event::Resumed { reason: String::new() }),
            entry(2, None, Event::Over),
        ] {
            let error = ours
                .access
                .mirror(id, std::slice::from_ref(&bad))
                .await
                .expect_err("no log goes on so");
            assert_eq!(codes(&error), ["log-flaw"], "{bad:?}");
        }
        ours.access
            .mirror(id, &first)
            .await
            .expect("what is known already is nothing new");
        assert_eq!(ours.file(Side::Outgoing, id).await.seq, 1);
    }
}
