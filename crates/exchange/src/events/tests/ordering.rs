//! Publishers race on several connections pools, as several processes do, while readers follow: no gap, nothing twice, and of
//! each key the order in which its publisher got its answers.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use ::store::{Engine, Store, testkit, transact};
use base::{Clock, time::SystemClock};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::site::*;
use crate::events::{Cursor, Events, NewEvent, Published, Pull, Pulled, TypeId};

const PUBLISHERS: usize = 6;
const EACH: i64 = 60;

/// What happened to one key: who said so, and the number of it.
fn said(publisher: usize, n: i64) -> NewEvent {
    NewEvent {
        producer_id: Some(format!("{publisher}-{n}")),
        // Two publishers share each key.
        key: Some(format!("k{}", publisher / 2)),
        data: json!({"n": n, "by": publisher.to_string()}),
    }
}

/// Several processes of one node: on PostgreSQL each with a pool of its own; a SQLite file belongs to one process.
async fn processes(config: &::store::Config, first: &Store) -> Vec<Events> {
    let mut all = vec![events_of(first.clone())];
    for _ in 0..2 {
        let store = match first.engine() {
            Engine::Sqlite => first.clone(),
            Engine::Postgres => Store::open(config).await.expect("opens again"),
        };
        all.push(events_of(store));
    }
    all
}

fn events_of(store: Store) -> Events {
    Events::new(store, &config(), Arc::new(SystemClock)).expect("a client")
}

/// As a caller does that got no answer: again, from the same cursor or under the same producer's id. An engine that makes
/// everything serialisable may cancel a read, too.
async fn patiently<T, F: Future<Output = base::Result<T>>>(mut call: impl FnMut() -> F) -> T {
    for _ in 0..20 {
        match call().await {
            Ok(done) => return done,
            Err(base::Error::Internal(_) | base::Error::Refused(base::Kind::Unavailable, _)) => {}
            Err(error) => panic!("{error}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("twenty failures in a row");
}

async fn publish(events: Events, event: NewEvent) -> base::Result<Published> {
    events.publish(&subsystem(PROVIDER), &births(), event).await
}

/// In a transaction of its own, that holds the log for a while before it ends as it is told.
async fn publish_in(events: Events, event: NewEvent, holds: bool) -> base::Result<Published> {
    let (id, now) = (births(), SystemClock.now());
    transact!(events.store(), |tx| {
        let done = events.publish_in(&tx, &id, event.clone(), now).await?;
        tokio::time::sleep(Duration::from_millis(2)).await;
        if holds { Ok(done) } else { Err(base::Error::forbidden()) }
    })
}

async fn publisher(events: Events, me: usize) -> Vec<i64> {
    let mut positions = Vec::new();
    for n in 0..EACH {
        let again = || publish(events.clone(), said(me, n));
        let done = match n % 10 {
            // A caller who goes away in the middle, and tries again under the same id.
            3 => {
                let _ = tokio::time::timeout(Duration::from_micros(300), again()).await;
                patiently(again).await
            }
            // One that first fails after the position was drawn.
            7 => {
                let undone = publish_in(events.clone(), said(me, n), false).await;
                undone.expect_err("undone");
                patiently(|| publish_in(events.clone(), said(me, n), true)).await
            }
            _ => patiently(again).await,
        };
        positions.push(done.position);
    }
    positions
}

async fn pull(events: Events, pull: Pull) -> base::Result<Pulled> {
    events.pull(&subsystem(READER), &births(), pull).await
}

async fn describe(events: Events) -> base::Result<TypeId> {
    events.describe(&births()).await.map(|(of, _)| of.type_id)
}

/// Follows the log from its beginning until nothing more will come; what it saw, in its order.
async fn reader(events: Events, limit: usize, ended: watch::Receiver<bool>) -> Vec<(i64, String, String, i64)> {
    // Readers of one subscription: each goes on from its own cursor, not from what another has acknowledged.
    let of = patiently(|| describe(events.clone())).await;
    let (mut cursor, mut seen) = (Cursor::new(of, 0), Vec::new());
    loop {
        let ended = *ended.borrow();
        let next = Pull {
            cursor: Some(cursor),
            limit,
            wait: Duration::from_millis(100),
        };
        let pulled = patiently(|| pull(events.clone(), next)).await;
        let Pulled::Batch(batch) = pulled else { panic!("gone") };
        if ended && batch.events.is_empty() && !batch.more {
            return seen;
        }
        for event in batch.events {
            let data: Value = event.data().expect("JSON").expect("data");
            let by = data["by"].as_str().expect("by").to_owned();
            seen.push((
                event.position,
                event.key.expect("a key"),
                by,
                data["n"].as_i64().expect("n"),
            ));
        }
        cursor = batch.cursor;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn racing_publishers_leave_no_gap_and_keep_the_order_of_each_key() {
    for config in testkit::configs().await {
        let store = Store::open(&config).await.expect("opens");
        let sets = [::store::MIGRATIONS, identity::MIGRATIONS, crate::MIGRATIONS];
        store.migrate(&sets, SystemClock.now()).await.expect("migrates");
        let site = Site::over(store.clone()).await;
        site.define().await;
        site.subscribed(READER, &request()).await;
        let processes = processes(&config, &store).await;
        let (end, ended) = watch::channel(false);
        let readers: Vec<_> = [1, 7, 500]
            .iter()
            .zip(&processes)
            .map(|(limit, events)| tokio::spawn(reader(events.clone(), *limit, ended.clone())))
            .collect();
        let publishers: Vec<_> = (0..PUBLISHERS)
            .map(|me| tokio::spawn(publisher(processes[me % processes.len()].clone(), me)))
            .collect();
        let mut given = BTreeSet::new();
        for done in futures::future::join_all(publishers).await {
            let positions = done.expect("no panic");
            assert!(
                positions.is_sorted_by(|a, b| a < b),
                "a publisher's own order: {positions:?}"
            );
            given.extend(positions);
        }
        end.send(true).expect("readers");
        let mut seen: Vec<_> = Vec::new();
        for done in futures::future::join_all(readers).await {
            seen.push(done.expect("no panic"));
        }
        let all = i64::try_from(PUBLISHERS).expect("small") * EACH;
        assert!(given.into_iter().eq(1..=all), "each got a position of its own");
        for seen in &seen {
            let positions: Vec<i64> = seen.iter().map(|(position, ..)| *position).collect();
            assert!(
                positions.iter().copied().eq(1..=all),
                "no gap, nothing twice: {positions:?}"
            );
            let mut last: BTreeMap<(&str, &str), i64> = BTreeMap::new();
            for (_, key, by, n) in seen {
                let before = last.insert((key, by), *n).unwrap_or(-1);
                assert_eq!(*n, before + 1, "publisher {by} of {key}");
            }
            let keys: BTreeSet<&str> = seen.iter().map(|(_, key, ..)| key.as_str()).collect();
            assert_eq!(keys.len(), PUBLISHERS / 2);
        }
        assert!(seen.windows(2).all(|two| two[0] == two[1]), "every reader saw the same");
    }
}

/// Figures, not a judgement: run with `--nocapture --ignored`.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "a measurement"]
async fn figures() {
    const AT_ONCE: usize = 8;
    const TIME: Duration = Duration::from_secs(5);
    for config in testkit::configs().await {
        let store = Store::open(&config).await.expect("opens");
        let sets = [::store::MIGRATIONS, identity::MIGRATIONS, crate::MIGRATIONS];
        store.migrate(&sets, SystemClock.now()).await.expect("migrates");
        let site = Site::over(store.clone()).await;
        site.define().await;
        site.subscribed(READER, &request()).await;
        let events = events_of(store.clone());
        let started = Instant::now();
        let publishers = (0..AT_ONCE).map(|me| {
            let events = events.clone();
            tokio::spawn(async move {
                let mut count = 0_u32;
                while started.elapsed() < TIME {
                    let event = said(me, i64::from(count));
                    events
                        .publish(&subsystem(PROVIDER), &births(), event)
                        .await
                        .expect("published");
                    count += 1;
                }
                count
            })
        });
        let published: u32 = futures::future::join_all(publishers)
            .await
            .into_iter()
            .map(|n| n.expect("no panic"))
            .sum();
        let publish = f64::from(published) / started.elapsed().as_secs_f64();
        let beginning = Cursor::new(events.describe(&births()).await.expect("a type").0.type_id, 0);
        let started = Instant::now();
        let readers = (0..AT_ONCE).map(|_| {
            let events = events.clone();
            tokio::spawn(async move {
                let (mut pulls, mut read, mut cursor) = (0_u32, 0, None);
                while started.elapsed() < TIME {
                    let pull = Pull {
                        cursor,
                        ..Pull::default()
                    };
                    let pulled = events.pull(&subsystem(READER), &births(), pull).await.expect("pulled");
                    let Pulled::Batch(batch) = pulled else { panic!("gone") };
                    pulls += 1;
                    read += batch.events.len();
                    cursor = Some(if batch.more { batch.cursor } else { beginning });
                }
                (pulls, read)
            })
        });
        let (mut pulls, mut read) = (0, 0);
        for done in futures::future::join_all(readers).await {
            let (more, events) = done.expect("no panic");
            (pulls, read) = (pulls + more, read + events);
        }
        let seconds = started.elapsed().as_secs_f64();
        eprintln!(
            "{:?}: {publish:.0} events published/s, {:.0} pulls/s, {:.0} events read/s, at concurrency {AT_ONCE}",
            store.engine(),
            f64::from(pulls) / seconds,
            f64::from(u32::try_from(read).expect("fits")) / seconds
        );
    }
}
