//! What is published is judged, kept once, and read as it was.

use ::store::transact;
use serde_json::json;

use super::site::*;
use crate::events::{Asker, NewEvent, Pull, Pulled, State, model::EventTypeId};

#[tokio::test]
async fn an_event_is_read_as_it_was_published() {
    for site in sites().await {
        site.define().await;
        site.subscribed(READER, &request()).await;
        let first = site.publish(event(1)).await;
        site.forward(5);
        let second = site
            .publish(NewEvent {
                producer_id: None,
                key: None,
                data: json!({"n": 2, "by": "Nguyễn Văn An \u{0}"}),
            })
            .await;
        assert_eq!((first.position, second.position), (1, 2));
        let batch = site.pull(READER, Pull::default()).await;
        assert!(!batch.more);
        let [one, two] = batch.events.as_slice() else {
            panic!("{batch:?}")
        };
        assert_eq!(
            (one.id, one.producer_id.as_str(), one.key.as_deref()),
            (first.id, "e1", Some("k1"))
        );
        assert_eq!(one.data.as_ref().expect("data").get(), r#"{"n":1}"#);
        let data: serde_json::Value = two.data().expect("JSON").expect("data");
        assert_eq!(data, json!({"n": 2, "by": "Nguyễn Văn An \u{0}"}));
        assert_eq!(two.producer_id, second.id.to_string());
        assert_eq!(two.at, one.at.plus_seconds(5));
    }
}

#[tokio::test]
async fn the_same_event_again_is_published_once_and_another_under_its_id_is_refused() {
    for site in sites().await {
        site.define().await;
        let first = site.publish(event(1)).await;
        let again = site.publish(event(1)).await;
        assert_eq!((again.id, again.position, again.again), (first.id, 1, true));
        let other = NewEvent {
            data: json!({"n": 9}),
            ..event(1)
        };
        let refused = site.events.publish(&subsystem(PROVIDER), &births(), other).await;
        assert_eq!(code(refused), "event-id-reused");
        let other_key = NewEvent { key: None, ..event(1) };
        let refused = site.events.publish(&subsystem(PROVIDER), &births(), other_key).await;
        assert_eq!(code(refused), "event-id-reused");
        // Refused and repeated ones took no position.
        assert_eq!(site.publish(event(2)).await.position, 2);
    }
}

#[tokio::test]
async fn the_same_event_from_many_at_once_is_published_once() {
    for site in sites().await {
        site.define().await;
        let tries = (0..40).map(|n| {
            let events = site.events.clone();
            tokio::spawn(async move { events.publish(&subsystem(PROVIDER), &births(), event(n % 4)).await })
        });
        let mut fresh = 0;
        for done in futures::future::join_all(tries).await {
            fresh += usize::from(!done.expect("no panic").expect("published").again);
        }
        assert_eq!(fresh, 4);
        site.subscribed(READER, &request()).await;
        let positions: Vec<i64> = site
            .pull(READER, Pull::default())
            .await
            .events
            .iter()
            .map(|e| e.position)
            .collect();
        assert_eq!(positions, [1, 2, 3, 4]);
    }
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_and_nothing_is_kept() {
    for site in sites().await {
        site.define().await;
        let bad = NewEvent {
            producer_id: Some(String::new()),
            key: Some("a\u{0}b".to_owned()),
            data: json!({"n": "secret", "by": 7}),
        };
        let error = site
            .events
            .publish(&subsystem(PROVIDER), &births(), bad)
            .await
            .expect_err("refused");
        let places: Vec<&str> = error
            .problems()
            .expect("a refusal")
            .iter()
            .map(|p| p.at.as_str())
            .collect();
        assert_eq!(places, ["producerId", "key", "event/n", "event/by"]);
        assert!(!format!("{error:?}").contains("secret"), "data are not repeated");
        let large = NewEvent {
            data: json!({"n": 1, "by": "x".repeat(70_000)}),
            ..event(1)
        };
        assert_eq!(
            code(site.events.publish(&subsystem(PROVIDER), &births(), large).await),
            "event-too-large"
        );
        assert_eq!(
            code(site.events.publish(&subsystem(OTHER), &births(), event(1)).await),
            "event-not-owner"
        );
        let unknown = EventTypeId {
            name: "other".parse().expect("a name"),
            ..births()
        };
        assert_eq!(
            code(site.events.publish(&subsystem(PROVIDER), &unknown, event(1)).await),
            "not-found"
        );
        assert_eq!(site.publish(event(1)).await.position, 1);
    }
}

#[tokio::test]
async fn a_transaction_that_does_not_happen_publishes_nothing() {
    for site in sites().await {
        site.define().await;
        site.subscribed(READER, &request()).await;
        let now = base::Clock::now(&site.clock);
        let undone: base::Result<()> = transact!(site.store, |tx| {
            let done = site.events.publish_in(&tx, &births(), event(1), now).await?;
            assert_eq!(done.position, 1);
            Err(base::Error::forbidden())
        });
        assert_eq!(code(undone), "forbidden");
        // A process that dies in the middle: its transaction is dropped without an end.
        let tx = site.store.begin().await.expect("begins");
        site.events
            .publish_in(&tx, &births(), event(2), now)
            .await
            .expect("so far");
        drop(tx);
        assert!(site.pull(READER, Pull::default()).await.events.is_empty());
        let done = transact!(site.store, |tx| {
            site.events.publish_in(&tx, &births(), event(3), now).await
        });
        assert_eq!(done.expect("published").position, 1, "no position was used up");
        assert_eq!(site.pull(READER, Pull::default()).await.events.len(), 1);
    }
}

#[tokio::test]
async fn versions_may_add_and_not_break() {
    for site in sites().await {
        let owner = subsystem(PROVIDER);
        site.define().await;
        let twice = site.events.define(Asker::Subsystem(&owner), &new_type(schema())).await;
        assert_eq!(code(twice), "event-type-exists");
        let mut wider = schema();
        wider["properties"]["more"] = json!({"type": "string"});
        wider["required"] = json!(["n", "more"]);
        assert_eq!(
            site.events
                .revise(Asker::Subsystem(&owner), &new_type(wider.clone()))
                .await
                .expect("kept"),
            2
        );
        assert_eq!(
            site.events
                .revise(Asker::Subsystem(&owner), &new_type(wider))
                .await
                .expect("the same"),
            2
        );
        let refused = site.events.publish(&owner, &births(), event(1)).await;
        assert_eq!(code(refused), "event-data", "the new version is in force");
        let broken = json!({"type": "object", "properties": {"n": {"type": "string"}}, "required": []});
        let error = site
            .events
            .revise(Asker::Subsystem(&owner), &new_type(broken))
            .await
            .expect_err("breaks");
        let mut codes: Vec<&str> = error
            .problems()
            .expect("a refusal")
            .iter()
            .map(|p| p.code.as_str())
            .collect();
        codes.sort_unstable();
        assert_eq!(
            codes,
            [
                "schema-field-not-required",
                "schema-field-not-required",
                "schema-field-removed",
                "schema-field-removed",
                "schema-type-changed"
            ]
        );
        let foreign = subsystem(OTHER);
        assert_eq!(
            code(
                site.events
                    .revise(Asker::Subsystem(&foreign), &new_type(schema()))
                    .await
            ),
            "event-not-owner"
        );
        let mut bad = new_type(json!({"type": 7}));
        (bad.title.en, bad.retention_days) = (String::new(), 0);
        bad.id.name = "bad".parse().expect("a name");
        let error = site
            .events
            .define(Asker::Subsystem(&owner), &bad)
            .await
            .expect_err("three things");
        assert_eq!(error.problems().expect("a refusal").iter().count(), 3, "{error}");
    }
}

#[tokio::test]
async fn a_closed_type_takes_nothing_and_gives_what_it_has() {
    for site in sites().await {
        site.define().await;
        site.subscribed(READER, &request()).await;
        site.publish(event(1)).await;
        let owner = subsystem(PROVIDER);
        site.events
            .close(Asker::Subsystem(&owner), &births())
            .await
            .expect("closed");
        assert_eq!(
            code(site.events.publish(&owner, &births(), event(2)).await),
            "event-type-closed"
        );
        assert_eq!(
            code(site.events.subscribe(&subsystem(OTHER), &births(), &request()).await),
            "event-type-closed"
        );
        assert_eq!(site.pull(READER, Pull::default()).await.events.len(), 1);
        assert!(site.events.names(&owner).await.expect("names").is_empty());
    }
}

#[tokio::test]
async fn a_withdrawn_event_keeps_its_place_without_its_data() {
    for site in sites().await {
        site.define().await;
        site.subscribed(READER, &request()).await;
        let first = site.publish(event(1)).await;
        site.publish(event(2)).await;
        let owner = subsystem(PROVIDER);
        site.events
            .withdraw(Asker::Subsystem(&owner), &births(), first.id)
            .await
            .expect("withdrawn");
        let batch = site.pull(READER, Pull::default()).await;
        assert!(batch.events[0].data.is_none() && batch.events[1].data.is_some());
        let again = site.publish(event(1)).await;
        assert!(again.again, "it does not come back");
    }
}

#[tokio::test]
async fn old_events_are_removed_and_whoever_missed_them_is_told() {
    for site in sites().await {
        site.define().await;
        site.subscribed(READER, &request()).await;
        site.publish(event(1)).await;
        let start = site.pull(READER, Pull::default()).await.cursor;
        for n in 2..5 {
            site.publish(event(n)).await;
        }
        site.forward(11 * 86_400);
        site.publish(event(5)).await;
        assert_eq!(
            site.events
                .remove_old(base::Clock::now(&site.clock))
                .await
                .expect("removed"),
            4
        );
        assert!(site.subscription(READER).await.has_missed);
        for cursor in [None, Some(start)] {
            let pull = Pull {
                cursor,
                ..Pull::default()
            };
            let pulled = site
                .events
                .pull(&subsystem(READER), &births(), pull)
                .await
                .expect("an answer");
            let Pulled::Gone { oldest } = pulled else {
                panic!("{pulled:?}")
            };
            let pull = Pull {
                cursor: Some(oldest),
                ..Pull::default()
            };
            let numbers: Vec<i64> = match site
                .events
                .pull(&subsystem(READER), &births(), pull)
                .await
                .expect("pulled")
            {
                Pulled::Batch(batch) => batch.events.iter().map(|e| e.position).collect(),
                Pulled::Gone { .. } => panic!("the oldest is gone too"),
            };
            assert_eq!(numbers, [5]);
        }
        // Everything is old: the log goes on where it was.
        site.forward(30 * 86_400);
        assert_eq!(
            site.events
                .remove_old(base::Clock::now(&site.clock))
                .await
                .expect("removed"),
            1
        );
        assert_eq!(
            site.publish(event(1)).await.position,
            6,
            "its producer's id is free again, its position is not"
        );
        let (new, _) = site.subscribed(OTHER, &request()).await;
        assert_eq!(new.state, State::Requested);
        let positions: Vec<i64> = site
            .pull(OTHER, Pull::default())
            .await
            .events
            .iter()
            .map(|e| e.position)
            .collect();
        assert_eq!(positions, [6]);
    }
}
