//! A grant from the request to the end, over two nodes; and everything that can go wrong on the way.

use std::sync::atomic::Ordering;

use base::{Error, Kind};
use tower::ServiceExt;
use uuid::Uuid;

use super::*;
use crate::{
    access::{
        Standing,
        model::{Entry, Event, Order, Who},
    },
    model::{
        Method,
        address::ServicePath,
        identifier::ClientId,
        rights::{Call, Decision, Miss, decide},
    },
};

/// What the provider's gateway would say to a call now.
fn judged(theirs: &Node, path: &str) -> Result<GrantId, Vec<Miss>> {
    let hosting = theirs.access.hosted().now();
    let (client, service) = (ClientId::from(consumer()), service());
    let path = ServicePath::parse(path.as_bytes()).expect(path);
    let purpose = "dossier.verify".parse().expect("a purpose");
    let call = Call {
        client: &client,
        service: &service,
        method: Method::Get,
        path: &path,
        purpose: &purpose,
    };
    let grants = hosting.grants.get(&service).into_iter().flatten();
    match decide(grants, &call, theirs.clock.now()) {
        Decision::Allowed(grant) => Ok(grant.id),
        Decision::Denied(near) => Err(near.into_iter().flat_map(|miss| miss.misses).collect()),
    }
}

fn approve(terms: Terms) -> Command {
    Command::Approve {
        terms,
        note: String::new(),
    }
}

fn because() -> String {
    "Bảo trì theo kế hoạch".to_owned()
}

#[tokio::test]
async fn from_the_request_to_the_end() {
    for (ours, theirs, wire) in pairs().await {
        let id = filed(&ours, &wire).await;
        assert_eq!(
            ours.file(Side::Outgoing, id).await,
            theirs.file(Side::Incoming, id).await
        );
        assert_eq!(
            judged(&theirs, "/persons/1"),
            Err(vec![Miss::Requested]),
            "asked is not granted"
        );

        theirs
            .command(
                Side::Incoming,
                id,
                Command::AskMore {
                    question: "Cần trường born để làm gì?".into(),
                },
            )
            .await
            .expect("a question");
        ours.access.look_now(&ours.steward(), id).await.expect("asked now");
        ours.jobs(&wire).await;
        assert_eq!(
            ours.file(Side::Outgoing, id).await.standing(ours.clock.now()),
            Standing::MoreAsked
        );
        let fewer = Terms {
            fields: Some(vec!["/name".parse().expect("a pointer")]),
            ..terms()
        };
        let answer = Command::Supplement {
            answer: "Không cần; đã bỏ.".into(),
            terms: Some(fewer.clone()),
        };
        ours.command(Side::Outgoing, id, answer).await.expect("an answer");
        ours.jobs(&wire).await;
        let wider = theirs
            .command(Side::Incoming, id, approve(terms()))
            .await
            .expect_err("more than is asked for now");
        assert_eq!(places(&wider), ["fields"]);
        theirs
            .command(Side::Incoming, id, approve(fewer))
            .await
            .expect("agreed");
        assert_eq!(
            judged(&theirs, "/persons/1"),
            Ok(id),
            "in force with the transaction that approves"
        );
        assert_eq!(judged(&theirs, "/other"), Err(vec![Miss::Path]));

        let hasty = Command::Suspend {
            from: Some("2026-12-04".parse().expect("a date")),
            reason: because(),
            incident: None,
        };
        let error = theirs
            .command(Side::Incoming, id, hasty)
            .await
            .expect_err("seven working days");
        assert_eq!(places(&error), ["from"]);
        assert!(error.to_string().contains("05/12/2026"), "{error}");
        let suspend = Command::Suspend {
            from: Some("2026-12-05".parse().expect("a date")),
            reason: because(),
            incident: None,
        };
        theirs.command(Side::Incoming, id, suspend).await.expect("with notice");
        assert_eq!(judged(&theirs, "/persons/1"), Ok(id), "until its day");
        theirs.clock.set(at("2026-12-05T00:00:00+07:00"));
        assert_eq!(
            judged(&theirs, "/persons/1"),
            Err(vec![Miss::Expired]),
            "at once, though nobody has looked"
        );
        theirs.access.hosted().refresh().await.expect("looked");
        assert_eq!(
            judged(&theirs, "/persons/1"),
            Err(vec![Miss::Suspended]),
            "and then by its name"
        );
        ours.jobs(&wire).await;
        assert_eq!(
            ours.file(Side::Outgoing, id).await.standing(ours.clock.now()),
            Standing::Suspended
        );

        theirs
            .command(Side::Incoming, id, Command::Resume { reason: because() })
            .await
            .expect("resumed");
        assert_eq!(judged(&theirs, "/persons/1"), Ok(id));
        let end = Command::End {
            from: None,
            reason: "Không còn dùng".into(),
        };
        ours.access.look_now(&ours.steward(), id).await.expect("asked now");
        ours.jobs(&wire).await;
        ours.command(Side::Outgoing, id, end)
            .await
            .expect("the consumer ends at once");
        ours.jobs(&wire).await;
        assert_eq!(judged(&theirs, "/persons/1"), Err(vec![Miss::Ended, Miss::Expired]));
        theirs.jobs(&wire).await;
        let log = theirs
            .access
            .grant(&theirs.steward(), Side::Incoming, id)
            .await
            .expect("a grant")
            .log;
        assert_eq!(log.last().map(|entry| &entry.event), Some(&Event::Over));
        assert!(
            log.iter()
                .filter(|entry| entry.side.is_some())
                .all(|entry| !entry.who.name.is_empty())
        );
    }
}

fn places(error: &Error) -> Vec<&str> {
    error
        .problems()
        .into_iter()
        .flatten()
        .map(|problem| problem.at.as_str())
        .collect()
}

fn codes(error: &Error) -> Vec<&str> {
    error
        .problems()
        .into_iter()
        .flatten()
        .map(|problem| problem.code.as_str())
        .collect()
}

#[tokio::test]
async fn a_node_that_is_down_delays_nothing_and_loses_nothing() {
    for (ours, theirs, wire) in pairs().await {
        wire.cut.store(true, Ordering::SeqCst);
        let id = filed(&ours, &wire).await;
        let shown = ours
            .access
            .grant(&ours.steward(), Side::Outgoing, id)
            .await
            .expect("a grant");
        assert_eq!(shown.standing, Standing::Filed);
        assert_eq!(shown.orders.len(), 1);
        assert_eq!((shown.orders[0].tries, shown.orders[0].refused), (1, false));
        assert!(!shown.orders[0].problems.is_empty(), "why it waits is said");
        ours.command(
            Side::Outgoing,
            id,
            Command::Withdraw {
                reason: "Nhầm dịch vụ".into(),
            },
        )
        .await
        .expect("what was not sent yet can be taken back");
        for _ in 0..20 {
            ours.clock.set(ours.clock.now().plus_seconds(1_800));
            ours.jobs(&wire).await;
        }
        assert!(wire.calls.load(Ordering::SeqCst) >= 20, "it never gives up");
        assert!(
            super::super::store::grant(&theirs.store.read(), id, Side::Incoming)
                .await
                .expect("a read")
                .is_none()
        );
        wire.cut.store(false, Ordering::SeqCst);
        ours.clock.set(ours.clock.now().plus_seconds(1_800));
        ours.jobs(&wire).await;
        assert_eq!(
            theirs.file(Side::Incoming, id).await.standing(theirs.clock.now()),
            Standing::Withdrawn
        );
        let shown = ours
            .access
            .grant(&ours.steward(), Side::Outgoing, id)
            .await
            .expect("a grant");
        assert_eq!(shown.standing, Standing::Withdrawn);
        assert!(shown.orders.is_empty(), "nothing waits");
        assert_eq!(shown.log.len(), 2, "in the order in which it was given");
        let before = wire.calls.load(Ordering::SeqCst);
        ours.clock.set(ours.clock.now().plus_seconds(10_000_000));
        ours.jobs(&wire).await;
        assert_eq!(
            wire.calls.load(Ordering::SeqCst),
            before,
            "what has ended is not asked after"
        );
    }
}

#[tokio::test]
async fn an_answer_that_gets_lost_does_nothing_twice() {
    for (ours, theirs, wire) in pairs().await {
        wire.lost.store(2, Ordering::SeqCst);
        let id = filed(&ours, &wire).await;
        assert_eq!(
            ours.file(Side::Outgoing, id).await.standing(ours.clock.now()),
            Standing::Filed
        );
        assert_eq!(theirs.file(Side::Incoming, id).await.seq, 1, "the provider has it");
        for _ in 0..3 {
            ours.clock.set(ours.clock.now().plus_seconds(120));
            ours.jobs(&wire).await;
        }
        assert_eq!(theirs.file(Side::Incoming, id).await.seq, 1, "once");
        assert_eq!(
            ours.file(Side::Outgoing, id).await.standing(ours.clock.now()),
            Standing::Requested
        );
    }
}

#[tokio::test]
async fn forms_that_are_sent_twice_and_stewards_who_act_at_once() {
    for (ours, theirs, wire) in pairs().await {
        let id = GrantId::new(ours.clock.now());
        let steward = ours.steward();
        for _ in 0..2 {
            ours.access
                .request(&steward, id, &consumer(), &service(), &request())
                .await
                .expect("filed once");
        }
        ours.jobs(&wire).await;
        assert_eq!(theirs.file(Side::Incoming, id).await.seq, 1);
        let order = Uuid::now_v7();
        let (steward, command) = (theirs.steward(), approve(terms()));
        for _ in 0..2 {
            theirs
                .access
                .command(&steward, Side::Incoming, id, &command, 1, order)
                .await
                .expect("approved once");
        }
        assert_eq!(theirs.file(Side::Incoming, id).await.seq, 2);
        let other = Command::AskMore { question: "?".into() };
        let error = theirs
            .access
            .command(&steward, Side::Incoming, id, &other, 1, order)
            .await
            .expect_err("another command");
        assert_eq!(codes(&error), ["idempotency-key-reused"]);
        let late = Command::Refuse {
            ground: "Điều 1".into(),
            reason: because(),
        };
        let error = theirs
            .access
            .command(&steward, Side::Incoming, id, &late, 1, Uuid::now_v7())
            .await
            .expect_err("late");
        assert_eq!((error.kind(), codes(&error)), (Some(Kind::Conflict), vec!["moved-on"]));

        // Twenty at once: one of them wins.
        let id = filed(&ours, &wire).await;
        let tries = (0..20).map(|n| {
            let (access, steward) = (theirs.access.clone(), theirs.steward());
            let command = if n % 2 == 0 {
                approve(terms())
            } else {
                Command::Refuse {
                    ground: "Điều 1".into(),
                    reason: because(),
                }
            };
            tokio::spawn(async move {
                access
                    .command(&steward, Side::Incoming, id, &command, 1, Uuid::now_v7())
                    .await
                    .is_ok()
            })
        });
        let mut won = 0;
        for handle in tries.collect::<Vec<_>>() {
            won += usize::from(handle.await.expect("no panic"));
        }
        assert_eq!(won, 1);
        assert_eq!(theirs.file(Side::Incoming, id).await.seq, 2);
    }
}

#[tokio::test]
async fn a_provider_that_says_no_is_heard() {
    for (ours, theirs, wire) in pairs().await {
        let gone: ServiceId = "VN/GOV/G01/dancu/gone".parse().expect("a service");
        let id = GrantId::new(ours.clock.now());
        ours.access
            .request(&ours.steward(), id, &consumer(), &gone, &request())
            .await
            .expect("the directory has it");
        ours.jobs(&wire).await;
        let shown = ours
            .access
            .grant(&ours.steward(), Side::Outgoing, id)
            .await
            .expect("a grant");
        assert!(shown.orders[0].refused);
        assert_eq!(
            shown.orders[0]
                .problems
                .iter()
                .map(|p| p.code.as_str())
                .collect::<Vec<_>>(),
            ["unknown-service"]
        );
        let calls = wire.calls.load(Ordering::SeqCst);
        ours.clock.set(ours.clock.now().plus_seconds(100_000));
        ours.jobs(&wire).await;
        assert_eq!(
            wire.calls.load(Ordering::SeqCst),
            calls,
            "a no for good is not asked again"
        );
        drop(theirs);
    }
}

#[tokio::test]
async fn both_sides_on_one_node_are_two_sides() {
    let sets = [identity::MIGRATIONS, MIGRATIONS];
    for store in testkit::stores(&sets).await {
        let clock = FixedClock::at(at(START));
        let node = Node::open(store, clock, "VN/GOV/G01", "G01").await;
        node.add_system(PROVIDER).await;
        node.add_system("VN/GOV/G01/khac").await;
        node.add_service().await;
        let wire = Wire::to(&[(PROVIDER, &node)]);
        let (id, consumer) = (
            GrantId::new(node.clock.now()),
            "VN/GOV/G01/khac".parse().expect("a subsystem"),
        );
        node.access
            .request(&node.steward(), id, &consumer, &service(), &request())
            .await
            .expect("filed");
        node.jobs(&wire).await;
        node.command(Side::Incoming, id, approve(terms()))
            .await
            .expect("approved");
        node.access.look_now(&node.steward(), id).await.expect("asked now");
        node.jobs(&wire).await;
        assert_eq!(node.file(Side::Outgoing, id).await, node.file(Side::Incoming, id).await);
        assert_eq!(
            node.file(Side::Outgoing, id).await.standing(node.clock.now()),
            Standing::Active
        );
        let (list, _) = node
            .access
            .grants(&node.steward(), &crate::access::GrantsQuery::default())
            .await
            .expect("a list");
        assert_eq!(list.len(), 2, "one for each side");
    }
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
            id: Uuid::now_v7(),
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
    let sets = [identity::MIGRATIONS, MIGRATIONS];
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
                id: Uuid::now_v7(),
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
