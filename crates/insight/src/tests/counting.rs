//! Made-up facts: every order, every status, jobs that run twice.

use std::{collections::BTreeMap, time::Duration};

use ::store::{Migrations, Read, Store, params, testkit, transact};
use base::{Kind, Timestamp};
use proptest::prelude::*;
use uuid::Uuid;

use super::{Step, everything, fact, put, step};
use crate::{
    model::{By, Change, Effect, Fact, Measure, Month, Question, median, percent},
    store as tables,
};

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn kept_by_differences_equals_made_anew(
        steps in prop::collection::vec(step(), 1..30), doubled in 0_usize..30, at_a_time in 1_usize..9,
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let mut facts: Vec<Fact> = steps.iter().zip(1..).map(|(s, seq)| fact(s, seq)).collect();
            // A job that ran twice, and one that was overtaken.
            let again = facts[doubled % facts.len()].clone();
            facts.push(again);
            let mut last: BTreeMap<Uuid, Fact> = BTreeMap::new();
            for f in &facts {
                let kept = last.entry(f.dossier_id).or_insert_with(|| f.clone());
                if kept.seq < f.seq {
                    *kept = f.clone();
                }
            }
            for store in testkit::stores(&[crate::MIGRATIONS]).await {
                put(&store, &facts, at_a_time).await;
                let incremental = everything(&store).await;
                let known: Vec<Fact> = last.values().cloned().collect();
                assert_stocks(&store, &known).await;
                let sum: i64 = incremental.counts.iter().filter(|(line, ..)| line == "G15-TP07").map(|(_, c, _)| c.get(Measure::Received)).sum();
                let received = last.values().filter(|f| f.received_at.is_some()).count();
                assert_eq!(usize::try_from(sum).ok(), Some(received));
                transact!(store, |tx| { tables::clear(&tx).await }).expect("cleared");
                put(&store, &known, known.len()).await;
                assert_eq!(incremental, everything(&store).await);
                assert_stocks(&store, &known).await;
                store.close().await;
            }
        });
    }
}

/// What stood at the end of each month, by the counters and by looking at each dossier.
async fn assert_stocks(store: &Store, facts: &[Fact]) {
    let db = store.read();
    let january = Month::from_index(2026 * 12);
    let question = |to, by| Question {
        agency: None,
        field: None,
        from: january,
        to,
        by,
    };
    let by_month = tables::stocks(&db, &question(january, By::Month))
        .await
        .expect("stocks");
    for month in (0..14).map(|n| january.plus(n)) {
        let end = month.end().micros();
        let (mut in_progress, mut paused) = (0, 0);
        for fact in facts {
            let lasts = |until: Option<i64>| until.is_none_or(|until| until >= end);
            let pauses = fact.pauses.each().any(|(from, until)| from < end && lasts(until));
            let received = fact.received_at.is_some_and(|received| received < end);
            paused += i64::from(pauses);
            in_progress += i64::from(received && lasts(fact.ended_at) && !pauses);
        }
        for by in [By::Agency, By::Field, By::Procedure] {
            let rows = tables::stocks(&db, &question(month, by)).await.expect("stocks");
            let sums = rows
                .iter()
                .fold((0, 0), |(a, b), row| (a + row.in_progress, b + row.paused));
            assert_eq!(sums, (in_progress, paused), "{month} {by:?}");
        }
        let key = month.index().to_string();
        let rows = by_month.iter().filter(|row| row.line.is_empty() || row.line > key);
        let sums = rows.fold((0, 0), |(a, b), row| (a + row.in_progress, b + row.paused));
        assert_eq!(sums, (in_progress, paused), "{month}");
    }
}

/// Facts of sixty dossiers, so many versions of each, that leave nothing to chance.
fn many(versions: i64) -> Vec<Fact> {
    let mut facts = Vec::new();
    for seq in 1..=versions {
        for dossier in 0..60_u8 {
            let n = i64::from(dossier) * 7 + seq * 11;
            let step = Step {
                dossier,
                channel: usize::from(dossier) % 3,
                account: (dossier % 4 > 0).then_some(dossier % 7),
                status: n % 10 + 1,
                hours: [n * 13 % 2000, n * 29 % 3000, n * 17 % 2500],
                outcome: usize::from(dossier) % 3,
                pause: [n * 5 % 900, n * 31 % 1200],
            };
            facts.push(fact(&step, seq));
        }
    }
    facts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_at_once_lose_nothing_and_count_nothing_twice() {
    for store in testkit::stores(&[crate::MIGRATIONS]).await {
        let up = many(6);
        // The other sees the same dossiers the other way round: each is new to one of them first.
        let down: Vec<Fact> = up.iter().rev().cloned().collect();
        let (a, b) = (store.clone(), store.clone());
        let up = tokio::spawn(async move { put(&a, &up, 25).await });
        let down = tokio::spawn(async move { put(&b, &down, 40).await });
        let (up, down) = tokio::join!(up, down);
        up.and(down).expect("both have ended");
        let kept = everything(&store).await;
        let last: Vec<Fact> = many(6).split_off(300);
        assert_stocks(&store, &last).await;
        transact!(store, |tx| { tables::clear(&tx).await }).expect("cleared");
        put(&store, &last, last.len()).await;
        assert_eq!(kept, everything(&store).await);
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_fresh_start_meanwhile_leaves_facts_and_counters_alike() {
    for store in testkit::stores(&[crate::MIGRATIONS]).await {
        let keeper = store.clone();
        let keeping = tokio::spawn(async move { put(&keeper, &many(8), 20).await });
        let mut cleared = 0;
        while cleared < 6 {
            match transact!(store, |tx| { tables::clear(&tx).await }) {
                Ok(()) => cleared += 1,
                // Whoever touches every row may lose to those who touch a few; then nothing was cleared.
                Err(refused) => assert_eq!(refused.kind(), Some(Kind::Unavailable), "{refused:?}"),
            }
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
        keeping.await.expect("has ended");
        let kept = everything(&store).await;
        let facts = store.read().all::<Fact>("SELECT * FROM fact", params![]).await;
        let facts = facts.expect("facts");
        transact!(store, |tx| { tables::clear(&tx).await }).expect("cleared");
        put(&store, &facts, facts.len().max(1)).await;
        assert_eq!(kept, everything(&store).await);
        store.close().await;
    }
}

#[tokio::test]
async fn figures_from_before_month_ends_were_kept_stay_right() {
    for config in testkit::configs().await {
        let store = Store::open(&config).await.expect("opens");
        let now = Timestamp::from_micros(super::start());
        let (before, after) = crate::MIGRATIONS.steps.split_at(1);
        let first = Migrations {
            owner: crate::MIGRATIONS.owner,
            steps: before,
        };
        store
            .migrate(&[::store::MIGRATIONS, first], now)
            .await
            .expect("the past");
        let step = |status| Step {
            dossier: 2,
            channel: 0,
            account: None,
            status,
            hours: [24, 24 * 40, 24 * 50],
            outcome: 0,
            pause: [0, 0],
        };
        let (old, new) = (fact(&step(6), 1), fact(&step(10), 2));
        transact!(store, |tx| {
            let sql = "INSERT INTO fact (dossier_id, seq, agency, field, procedure_code, channel, status, running, submitted_at, \
                       received_at, supplements) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0)";
            let f = &old;
            let values = params![
                f.dossier_id, f.seq, f.agency, f.field, f.procedure_code, f.channel, f.status, f.running, f.submitted_at,
                f.received_at
            ];
            tx.exec(sql, values).await?;
            let sql = "INSERT INTO figure_standing (agency, field, procedure_code, waiting, in_progress, paused, updated_at) \
                       VALUES ($1, $2, $3, 0, 0, 1, 0)";
            tx.exec(sql, params![f.agency, f.field, f.procedure_code]).await
        })
        .expect("what was kept in the past");
        assert!(!after.is_empty());
        store.migrate(&[crate::MIGRATIONS], now).await.expect("migrates");
        assert!(!tables::is_whole(&store.read()).await.expect("read"));
        put(&store, &[new], 1).await;
        let standing = tables::standing(&store.read(), None).await.expect("standing");
        let standing: Vec<_> = standing.iter().map(|r| (r.waiting, r.in_progress, r.paused)).collect();
        assert_eq!(standing, [(0, 0, 0)], "it was paused and has ended");
        store.close().await;
    }
}

#[test]
fn medians_lie_within_their_class() {
    assert_eq!(median(&[]), None);
    assert_eq!(median(&[(0, 1)]), Some(30.0));
    assert_eq!(median(&[(1, 1), (8, 2), (40, 1)]), Some(8.5 * 60.0));
}

#[test]
fn nothing_of_nothing_is_no_percentage() {
    assert_eq!(percent(0, 0), None);
    assert_eq!(percent(2, 3), Some(66.67));
}

#[test]
fn late_across_months_is_carried_to_each_in_which_it_was_not_paused() {
    let carried = |pause| {
        let step = Step {
            dossier: 0,
            channel: 0,
            account: None,
            status: 9,
            hours: [24, 24 * 20, 24 * 70],
            outcome: 2,
            pause,
        };
        let effect = Effect::of([Change {
            old: None,
            new: &fact(&step, 1),
            at: Timestamp::default(),
        }]);
        [1, 2, 3].map(|month| {
            let month = Month::new(2026, month).expect("a month");
            let counts = effect.figures.iter().find(|((_, m), _)| *m == month);
            counts.map_or(0, |(_, c)| c.get(Measure::CarriedLate))
        })
    };
    // Due on 21 January, ended on 13 March.
    assert_eq!(carried([0, 0]), [1, 1, 0]);
    // Paused from 1 to 6 March, and from 20 February to 6 March.
    assert_eq!(carried([24 * 58, 24 * 5]), [1, 1, 0]);
    assert_eq!(carried([24 * 49, 24 * 14]), [1, 0, 0]);
}
