//! Only who is approved reads; from where, how far, and which keys.

use std::time::{Duration, Instant};

use ::store::{params, transact};
use identity::Role;

use super::site::*;
use crate::events::{Asker, Cursor, NewType, Pull, Sensitivity, Start, State, SubscribeRequest};

#[tokio::test]
async fn nobody_reads_without_a_subscription_in_force() {
    for site in sites().await {
        site.define().await;
        site.publish(event(1)).await;
        let reader = subsystem(READER);
        let pull = |who| {
            let events = site.events.clone();
            async move { code(events.pull(&subsystem(who), &births(), Pull::default()).await) }
        };
        assert_eq!(pull(READER).await, "subscription-missing");
        assert_eq!(
            pull(PROVIDER).await,
            "subscription-missing",
            "not even the provider itself"
        );
        let (made, _) = site
            .events
            .subscribe(&reader, &births(), &request())
            .await
            .expect("asked");
        assert_eq!(pull(READER).await, "subscription-requested");
        assert_eq!(
            code(site.events.subscribe(&reader, &births(), &request()).await),
            "subscription-exists"
        );
        let steward = site.steward();
        let decide = |state, reason| site.events.decide(&steward, made.id, state, reason);
        assert_eq!(code(decide(State::Refused, " ").await), "required");
        assert_eq!(code(decide(State::Paused, "x").await), "subscription-state");
        decide(State::Refused, "Chưa nêu rõ mục đích").await.expect("refused");
        assert_eq!(pull(READER).await, "subscription-refused");
        assert_eq!(site.subscription(READER).await.reason, "Chưa nêu rõ mục đích");
        let (again, _) = site
            .events
            .subscribe(&reader, &births(), &request())
            .await
            .expect("asked again");
        assert_eq!(again.id, made.id);
        decide(State::Approved, "").await.expect("approved");
        assert_eq!(site.pull(READER, Pull::default()).await.events.len(), 1);
        assert_eq!(pull(OTHER).await, "subscription-missing");
        decide(State::Paused, "Bảo trì").await.expect("paused");
        assert_eq!(pull(READER).await, "subscription-paused");
        decide(State::Approved, "").await.expect("resumed");
        assert_eq!(site.pull(READER, Pull::default()).await.events.len(), 1);
        site.events.cancel(&reader, &births()).await.expect("cancelled");
        assert_eq!(pull(READER).await, "subscription-missing");
        assert_eq!(code(site.events.subscription(&reader, &births()).await), "not-found");
    }
}

#[tokio::test]
async fn only_a_steward_decides() {
    for site in sites().await {
        site.define().await;
        let made = site.events.subscribe(&subsystem(READER), &births(), &request()).await;
        let (made, _) = made.expect("asked");
        for role in Role::ALL.into_iter().filter(|role| *role != Role::Administrator) {
            let ctx = site.officer(&[role]);
            assert_eq!(
                code(site.events.decide(&ctx, made.id, State::Approved, "").await),
                "forbidden"
            );
            // An auditor looks, and that is all.
            let lists = [
                site.events.subscriptions(&ctx, None, None, 50).await.map(drop),
                site.events.types(&ctx, None, 50).await.map(drop),
                site.events.deliveries(&ctx, &Default::default()).await.map(drop),
            ];
            for list in lists {
                match role {
                    Role::Auditor => list.expect("a list"),
                    _ => assert_eq!(code(list), "forbidden"),
                }
            }
            assert_eq!(
                code(site.events.resume_nudges(Asker::Steward(&ctx), made.id).await),
                "forbidden"
            );
        }
        let stranger = subsystem(OTHER);
        let resumed = site.events.resume_nudges(Asker::Subsystem(&stranger), made.id).await;
        assert_eq!(code(resumed), "event-not-owner");
    }
}

#[tokio::test]
async fn a_subscription_begins_where_it_was_asked_to() {
    for site in sites().await {
        site.define().await;
        site.publish(event(1)).await;
        let positions = |batch: crate::events::Batch| batch.events.iter().map(|e| e.position).collect::<Vec<_>>();
        site.subscribed(READER, &request()).await;
        let first = site.pull(READER, Pull::default()).await;
        site.publish(event(2)).await;
        let now = SubscribeRequest {
            start: Start::Now,
            ..request()
        };
        site.subscribed(OTHER, &now).await;
        site.publish(event(3)).await;
        assert_eq!(positions(site.pull(OTHER, Pull::default()).await), [3]);
        assert_eq!(positions(site.pull(READER, Pull::default()).await), [1, 2, 3]);
        let after = SubscribeRequest {
            start: Start::After(first.cursor),
            ..request()
        };
        let third = "VN/GOV/000.00.00.G03/bhxh";
        site.subscribed(third, &after).await;
        assert_eq!(positions(site.pull(third, Pull::default()).await), [2, 3]);
    }
}

#[tokio::test]
async fn a_cursor_acknowledges_replays_and_never_goes_back() {
    for site in sites().await {
        site.define().await;
        site.subscribed(READER, &request()).await;
        for n in 0..5 {
            site.publish(event(n)).await;
        }
        let two = Pull {
            limit: 2,
            ..Pull::default()
        };
        let first = site.pull(READER, two).await;
        assert!(first.more && first.events.len() == 2);
        assert_eq!(
            site.subscription(READER).await.lag,
            5,
            "reading alone acknowledges nothing"
        );
        assert_eq!(site.pull(READER, two).await.cursor, first.cursor);
        let next = Pull {
            cursor: Some(first.cursor),
            ..two
        };
        assert_eq!(site.pull(READER, next).await.events[0].position, 3);
        assert_eq!(site.subscription(READER).await.lag, 3);
        let of = site.subscription(READER).await.type_id;
        let replay = Pull {
            cursor: Some(Cursor::new(of, 0)),
            ..Pull::default()
        };
        assert_eq!(site.pull(READER, replay).await.events.len(), 5);
        assert_eq!(site.subscription(READER).await.lag, 3, "a replay takes nothing back");
        let fourth = site.pull(READER, replay).await.events[3].id;
        let reader = subsystem(READER);
        site.events
            .acknowledge(&reader, &births(), fourth)
            .await
            .expect("acknowledged");
        assert_eq!(site.pull(READER, Pull::default()).await.events[0].position, 5);
        let ahead = Pull {
            cursor: Some(Cursor::new(of, 6)),
            ..Pull::default()
        };
        assert_eq!(code(site.events.pull(&reader, &births(), ahead).await), "cursor-ahead");
        let foreign = Pull {
            cursor: Some(Cursor::new(
                crate::events::TypeId::from_uuid(uuid::Uuid::from_u128(1)),
                1,
            )),
            ..Pull::default()
        };
        assert_eq!(
            code(site.events.pull(&reader, &births(), foreign).await),
            "cursor-of-another-type"
        );
    }
}

#[tokio::test]
async fn a_subscription_to_some_keys_sees_only_these_and_still_gets_on() {
    for site in sites().await {
        site.define().await;
        let some = SubscribeRequest {
            key_prefix: "k1".to_owned(),
            ..request()
        };
        site.subscribed(READER, &some).await;
        for n in 0..30 {
            site.publish(event(n)).await;
        }
        let (mut cursor, mut keys) = (None, Vec::new());
        for _ in 0..30 {
            let batch = site
                .pull(
                    READER,
                    Pull {
                        cursor,
                        limit: 4,
                        wait: Duration::ZERO,
                    },
                )
                .await;
            keys.extend(batch.events.into_iter().map(|e| e.key.expect("a key")));
            cursor = Some(batch.cursor);
            if !batch.more {
                break;
            }
        }
        assert_eq!(keys.len(), 10);
        assert!(keys.iter().all(|key| key == "k1"));
        let last = Pull {
            cursor,
            ..Pull::default()
        };
        assert!(site.pull(READER, last).await.events.is_empty());
        assert_eq!(site.subscription(READER).await.lag, 0);
    }
}

#[tokio::test]
async fn a_reader_may_wait_for_news_and_no_longer_than_it_said() {
    for site in sites().await {
        site.define().await;
        site.subscribed(READER, &request()).await;
        let short = Pull {
            wait: Duration::from_millis(200),
            ..Pull::default()
        };
        let started = Instant::now();
        assert!(site.pull(READER, short).await.events.is_empty());
        assert!(started.elapsed() >= Duration::from_millis(200));
        let long = Pull {
            wait: Duration::from_secs(20),
            ..Pull::default()
        };
        let events = site.events.clone();
        let waiting = tokio::spawn(async move { events.pull(&subsystem(READER), &births(), long).await });
        tokio::time::sleep(Duration::from_millis(50)).await;
        site.publish(event(1)).await;
        let got = tokio::time::timeout(Duration::from_secs(5), waiting)
            .await
            .expect("long before the wait is over");
        let crate::events::Pulled::Batch(batch) = got.expect("no panic").expect("pulled") else {
            panic!("gone")
        };
        assert_eq!(batch.events.len(), 1);
    }
}

#[tokio::test]
async fn a_damaged_log_is_noticed_and_not_read_over() {
    for site in sites().await {
        site.define().await;
        site.subscribed(READER, &request()).await;
        for n in 1..=3 {
            site.publish(event(n)).await;
        }
        let sql = "DELETE FROM event WHERE position = $1";
        transact!(site.store, |tx| { tx.exec(sql, params![2_i64]).await }).expect("damaged");
        let pulled = site.events.pull(&subsystem(READER), &births(), Pull::default()).await;
        let error = pulled.expect_err("position 2 is not there, and was not removed by its age");
        assert_eq!(error.kind(), None, "a failure of ours: {error}");
    }
}

#[tokio::test]
async fn a_request_is_judged_as_a_whole() {
    for site in sites().await {
        let owner = subsystem(PROVIDER);
        let personal = NewType {
            sensitivity: Sensitivity::Personal,
            ..new_type(schema())
        };
        site.events
            .define(Asker::Subsystem(&owner), &personal)
            .await
            .expect("a good type");
        let bad = SubscribeRequest {
            legal_basis: " ".to_owned(),
            key_prefix: "a\n".to_owned(),
            webhook: Some("https://169.254.169.254/latest/meta-data".to_owned()),
            start: Start::After(Cursor::new(
                crate::events::TypeId::from_uuid(uuid::Uuid::from_u128(1)),
                1,
            )),
            ..request()
        };
        let error = site
            .events
            .subscribe(&subsystem(READER), &births(), &bad)
            .await
            .expect_err("four things");
        let codes: Vec<&str> = error
            .problems()
            .expect("a refusal")
            .iter()
            .map(|p| p.code.as_str())
            .collect();
        assert_eq!(
            codes,
            [
                "legal-basis",
                "key-prefix",
                "webhook-address-refused",
                "cursor-of-another-type"
            ]
        );
    }
}
