//! Jobs of many dossiers done at once, by one runner and by two.

use std::sync::Arc;

use ::store::{Job, Read, Store, params, transact};
use base::{Timestamp, time::FixedClock};
use dossier::{model::action::DossierId, service::CHANGED};
use uuid::Uuid;

use super::{
    everything,
    filed::{Act, Life, begin, live},
    site::sites,
};

/// Tells of these entries, all in one transaction.
async fn tell(store: &Store, entries: &[(DossierId, i64)], now: Timestamp) {
    let jobs = entries.iter().map(|(dossier, seq)| {
        let changed = serde_json::json!({ "dossier": dossier, "seq": seq });
        Job::new(CHANGED, &changed).expect("a job")
    });
    let jobs: Vec<Job> = jobs.collect();
    transact!(store, |tx| { tx.enqueue_all(&jobs, now).await }).expect("enqueued");
}

async fn waiting(store: &Store) -> i64 {
    let sql = "SELECT count(*) FROM job WHERE kind = $1";
    let waiting = store.read().scalar::<i64>(sql, params![CHANGED]).await;
    waiting.expect("read").unwrap_or_default()
}

fn unknown(n: u128) -> DossierId {
    DossierId::from_uuid(Uuid::from_u128(n))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_a_time_equals_made_anew() {
    use Act::{Pay, Step, Stop, Withdraw};
    const LIVES: [&[Act]; 6] = [
        &[Step, Pay, Step, Step],
        &[],
        &[Step, Pay],
        &[Withdraw],
        &[Step],
        &[Step, Pay, Stop],
    ];
    for site in sites(&["crates/procedure/tests/packages/good"]).await {
        let store = &site.store;
        let clock = Arc::new(FixedClock::at(begin()));
        let runner = || site.runner(clock.clone());
        let one = runner();
        let mut known = Vec::new();
        for round in 0..2 {
            for (n, acts) in (0_u8..30).zip(LIVES.iter().cycle()) {
                let life = Life {
                    person: n % 3,
                    online: n % 2 == 0,
                    on_paper: false,
                    filed_after: i64::from(n) * 900,
                    acts: acts.iter().map(|act| (*act, 15_000)).collect(),
                };
                known.push(live(&site, &life, &clock, &one).await);
            }
            let end = known.iter().map(|lived| lived.end).max().unwrap_or_default();
            clock.set(end);
            // Told again, overtaken before it is looked at, and of dossiers that do not exist.
            let mut entries: Vec<(DossierId, i64)> =
                known.iter().flat_map(|l| [(l.id, 1), (l.id, 2), (l.id, 1)]).collect();
            entries.extend((1..60).map(|n| (unknown(n % 20), 1)));
            tell(store, &entries, end).await;
            let (jobs, before) = (waiting(store).await, store.transactions());
            assert!(jobs > 200, "{jobs}");
            if round == 0 {
                while one.run_due().await.expect("jobs") > 0 {}
                let transactions = store.transactions() - before;
                assert!(transactions < 20, "{transactions} transactions for {jobs} jobs");
            } else {
                // Everything once more, from the beginning and by two who see the same dossiers.
                transact!(store, |tx| { crate::store::clear(&tx).await }).expect("cleared");
                let two = [runner(), runner()]
                    .map(|runner| tokio::spawn(async move { while runner.run_due().await.expect("jobs") > 0 {} }));
                for runner in two {
                    runner.await.expect("has ended");
                }
            }
            assert_eq!(waiting(store).await, 0);
            let followed = everything(store).await;
            site.insight.rebuild(&mut |_| ()).await.expect("rebuilt");
            assert_eq!(followed, everything(store).await);
        }
        site.store.close().await;
    }
}
