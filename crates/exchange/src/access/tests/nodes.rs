//! A grant from the request to the end, over two nodes; and everything that can go wrong on the way.

use std::sync::atomic::Ordering;

use base::{Error, Kind};

use super::*;
use crate::{
    access::{
        Standing,
        model::{Event, Order, Who},
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
        .expect("what was not sent yet can be taken back, even at the same instant");
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
        let order = new_id();
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
            .command(&steward, Side::Incoming, id, &late, 1, new_id())
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
                    .command(&steward, Side::Incoming, id, &command, 1, new_id())
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
        assert_eq!(shown.standing, Standing::NotTaken);
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
    let sets = [identity::MIGRATIONS, crate::MIGRATIONS];
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
            .grants(&node.steward(), &crate::access::GrantsQuery::default(), 50)
            .await
            .expect("a list");
        assert_eq!(list.len(), 2, "one for each side");
    }
}

#[tokio::test]
async fn what_every_system_has_is_granted_by_who_answers_for_the_system() {
    for (_, theirs, _) in pairs().await {
        let order = |code: &str| {
            let id = GrantId::new(theirs.clock.now());
            Order {
                id: id.uuid(),
                grant: id,
                consumer: consumer(),
                service: format!("{PROVIDER}/{code}").parse().expect("a service"),
                at: theirs.clock.now(),
                who: Who {
                    name: "Lê Văn Tám".to_owned(),
                    ..Who::default()
                },
                request: Some(request()),
                command: None,
            }
        };
        let usage = order(crate::journal::PROVIDER_SERVICE);
        theirs.access.take(&consumer(), &usage).await.expect("taken");
        let seen = theirs
            .access
            .grant(&theirs.steward(), Side::Incoming, usage.grant)
            .await
            .expect("the steward sees it");
        assert_eq!(seen.standing, Standing::Requested);
        // One that is open to everybody needs no grant; of one that is not there nobody can have any.
        for code in [crate::journal::ASK_SERVICE, "nowhere"] {
            let no = theirs.access.take(&consumer(), &order(code)).await.expect_err(code);
            assert_eq!(places(&no), ["service"]);
        }
    }
}

#[tokio::test]
async fn the_consumers_node_is_told_when_something_happened() {
    for (ours, theirs, _) in pairs().await {
        // Both ways: the provider's node speaks first here.
        let wire = Wire::to(&[(PROVIDER, &theirs), (CONSUMER, &ours)]);
        let id = filed(&ours, &wire).await;
        let seq = ours.file(Side::Outgoing, id).await.seq;
        let yes = Command::Approve {
            terms: terms(),
            note: String::new(),
        };
        theirs.command(Side::Incoming, id, yes).await.expect("approved");
        // No time passes: without the nudge nobody would ask.
        ours.jobs(&wire).await;
        assert_eq!(ours.file(Side::Outgoing, id).await.seq, seq);
        theirs.jobs(&wire).await;
        ours.jobs(&wire).await;
        let copy = ours.file(Side::Outgoing, id).await;
        assert_eq!(copy, theirs.file(Side::Incoming, id).await);
        // Only the provider of the grant nudges, and twice is as good as once.
        let other: SubsystemId = "VN/GOV/G02/khac".parse().expect("a system");
        let stranger = ours.access.nudged(&other, id).await.expect_err("another provider");
        assert_eq!(stranger.kind(), Some(base::Kind::NotFound));
        let provider: SubsystemId = PROVIDER.parse().expect("a system");
        for _ in 0..2 {
            ours.access.nudged(&provider, id).await.expect("nudged");
            ours.jobs(&wire).await;
            assert_eq!(ours.file(Side::Outgoing, id).await, copy);
        }
    }
}
