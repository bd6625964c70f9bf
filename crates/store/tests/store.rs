//! The store on every engine present: one effect, no loss, no repetition.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};

use base::{Clock, Error, Kind, Timestamp, time::FixedClock};
use store::{
    Claim, Column, Job, Migrations, Once, Param, Read, Row, Step, Store, jobs::Runner, params, sea_orm, testkit,
    transact,
};
use uuid::Uuid;

const TABLES: Migrations = Migrations {
    owner: "test",
    steps: &[Step {
        name: "0001",
        sql: "-- a comment; with a semicolon\nCREATE TABLE thing (id {uuid} PRIMARY KEY, n BIGINT NOT NULL, note TEXT, data {json});\nCREATE UNIQUE INDEX thing_n ON thing (n);\n",
    }],
};

base::typed_id!(/// A thing.
    Thing as ThingId);

#[derive(Debug, Row)]
struct ThingRow {
    id: uuid::Uuid,
    n: i64,
    note: Option<String>,
    data: Option<serde_json::Value>,
}

const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

#[tokio::test(flavor = "multi_thread")]
async fn values_come_back_as_they_went() {
    for store in testkit::stores(&[TABLES]).await {
        let id = ThingId::new(NOW);
        let data = serde_json::json!({ "tên": "Đỗ Thị Ánh", "số": 12 });
        transact!(store, |tx| {
            tx.exec(
                "INSERT INTO thing (id, n, note, data) VALUES ($1, $2, $3, $4)",
                params![id, 1_i64, Option::<String>::None, data],
            )
            .await
        })
        .expect("stored");
        let row = store
            .read()
            .one::<ThingRow>("SELECT id, n, note, data FROM thing WHERE id = $1", params![id])
            .await
            .expect("read")
            .expect("there");
        assert_eq!((row.id, row.n, row.note, row.data), (id.uuid(), 1, None, Some(data)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_run_once_also_when_two_nodes_start_together() {
    for config in testkit::configs().await {
        let a = store::Store::open(&config).await.expect("opens");
        let b = store::Store::open(&config).await.expect("opens twice");
        let sets = [store::MIGRATIONS, TABLES];
        let steps: usize = sets.iter().map(|set| set.steps.len()).sum();
        assert_eq!(a.pending(&sets).await.expect("asks").len(), steps);
        let (x, y) = tokio::join!(a.migrate(&sets, NOW), b.migrate(&sets, NOW));
        let ran = x.map_or(0, |v| v.len()) + y.map_or(0, |v| v.len());
        let rest = a.migrate(&sets, NOW).await.expect("the rest").len();
        assert_eq!(ran + rest, steps);
        assert!(a.pending(&sets).await.expect("asks").is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_writes_are_all_there_and_failures_leave_nothing() {
    for store in testkit::stores(&[TABLES]).await {
        let mut tasks = Vec::new();
        for n in 0..200_i64 {
            let store = store.clone();
            tasks.push(tokio::spawn(async move {
                transact!(store, |tx| {
                    tx.exec(
                        "INSERT INTO thing (id, n) VALUES ($1, $2)",
                        params![ThingId::new(NOW), n],
                    )
                    .await?;
                    if n % 5 == 0 {
                        return Err(Error::refused(Kind::Invalid, "no", "không", "no"));
                    }
                    Ok(())
                })
                .is_ok()
            }));
        }
        let mut kept = 0;
        for task in tasks {
            kept += i64::from(task.await.expect("no panic"));
        }
        assert_eq!(kept, 160);
        let counted = store
            .read()
            .scalar::<i64>("SELECT count(*) FROM thing WHERE n % 5 <> 0", params![])
            .await
            .expect("read");
        let refused = store
            .read()
            .scalar::<i64>("SELECT count(*) FROM thing WHERE n % 5 = 0", params![])
            .await
            .expect("read");
        assert_eq!((counted, refused), (Some(160), Some(0)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_request_dropped_in_the_middle_writes_nothing_and_blocks_nobody() {
    for store in testkit::stores(&[TABLES]).await {
        for n in 0..30_i64 {
            let dropped = {
                let store = store.clone();
                tokio::spawn(async move {
                    transact!(store, |tx| {
                        tx.exec(
                            "INSERT INTO thing (id, n) VALUES ($1, $2)",
                            params![ThingId::new(NOW), 1000 + n],
                        )
                        .await?;
                        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
                        Ok(())
                    })
                })
            };
            let others: Vec<_> = (0..3)
                .map(|k| {
                    let store = store.clone();
                    tokio::spawn(async move {
                        transact!(store, |tx| {
                            tx.exec(
                                "INSERT INTO thing (id, n) VALUES ($1, $2)",
                                params![ThingId::new(NOW), n * 10 + k],
                            )
                            .await
                        })
                    })
                })
                .collect();
            tokio::time::sleep(std::time::Duration::from_millis(u64::try_from(n).expect("small") % 7)).await;
            dropped.abort();
            for other in others {
                other.await.expect("no panic").expect("stored");
            }
        }
        let ghosts = store
            .read()
            .scalar::<i64>("SELECT count(*) FROM thing WHERE n >= 1000", params![])
            .await
            .expect("read");
        let kept = store
            .read()
            .scalar::<i64>("SELECT count(*) FROM thing WHERE n < 1000", params![])
            .await
            .expect("read");
        assert_eq!((ghosts, kept), (Some(0), Some(90)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn numbers_are_never_given_twice() {
    for store in testkit::stores(&[]).await {
        let tasks: Vec<_> = (0..300)
            .map(|n| {
                let store = store.clone();
                tokio::spawn(async move {
                    store
                        .next_number(if n % 3 == 0 { "b" } else { "a" })
                        .await
                        .expect("a number")
                })
            })
            .collect();
        let mut given = Vec::new();
        for (n, task) in tasks.into_iter().enumerate() {
            given.push((n % 3 == 0, task.await.expect("no panic")));
        }
        let total = given.len();
        given.sort_unstable();
        given.dedup();
        assert_eq!(given.len(), total);
        assert_eq!(given.iter().filter(|(b, _)| *b).map(|(_, n)| *n).max(), Some(100));
    }
}

fn claim(key: &str, fingerprint: &str, answer: &str) -> Claim {
    Claim {
        scope: "person-1/file".to_owned(),
        key: key.to_owned(),
        fingerprint: fingerprint.to_owned(),
        answer: answer.to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_answers_the_same_again_and_refuses_another_request() {
    for store in testkit::stores(&[]).await {
        let ask = async |claims: &[Claim]| {
            let judged = transact!(store, |tx| { tx.claim(claims, NOW).await }).expect("the database works");
            judged
                .into_iter()
                .map(|once| once.map_err(|e| e.kind()))
                .collect::<Vec<_>>()
        };
        let again = |answer: &str| Ok(Once::Again(answer.to_owned()));
        assert_eq!(ask(&[claim("k1", "f", "done")]).await, [Ok(Once::First)]);
        assert_eq!(ask(&[claim("k1", "f", "other")]).await, [again("done")]);
        assert_eq!(ask(&[claim("k1", "g", "done")]).await, [Err(Some(Kind::Conflict))]);
        // Many at once: each is judged by itself, and of two that are the same the first comes first.
        let many = [
            claim("k2", "f", "two"),
            claim("k1", "f", "no"),
            claim("k2", "f", "no"),
            claim("k3", "f", "three"),
            claim("k2", "g", "no"),
        ];
        let judged = [
            Ok(Once::First),
            again("done"),
            again("two"),
            Ok(Once::First),
            Err(Some(Kind::Conflict)),
        ];
        assert_eq!(ask(&many).await, judged);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_has_one_effect_and_a_failed_one_comes_back() {
    for store in testkit::stores(&[TABLES]).await {
        let clock = FixedClock::at(NOW);
        transact!(store, |tx| {
            tx.enqueue(Job::new("insert", &7_i64)?, NOW).await?;
            tx.enqueue(Job::new("insert", &8_i64)?.at(NOW.plus_seconds(3600)), NOW)
                .await?;
            tx.enqueue(Job::new("flaky", &1_i64)?.key("once"), NOW).await?;
            tx.enqueue(Job::new("flaky", &2_i64)?.key("once"), NOW).await
        })
        .expect("enqueued");
        let tries = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&tries);
        let runner = || {
            let counted = Arc::clone(&counted);
            Runner::new(store.clone(), Arc::new(clock.clone()))
                .on("insert", |run| async move {
                    let n: i64 = run.payload()?;
                    transact!(run.store, |tx| {
                        tx.exec(
                            "INSERT INTO thing (id, n) VALUES ($1, $2)",
                            params![ThingId::new(run.now), n],
                        )
                        .await?;
                        run.done(&tx).await
                    })
                })
                .on("flaky", move |run| {
                    let first = counted.fetch_add(1, Ordering::SeqCst) == 0;
                    async move {
                        assert_eq!(run.payload::<i64>()?, 2, "the later payload replaced the earlier one");
                        assert!(!first, "the first try panics");
                        Ok(())
                    }
                })
        };
        let (a, b) = (runner(), runner());
        let (x, y) = tokio::join!(a.run_due(), b.run_due());
        assert_eq!(x.expect("ran") + y.expect("ran"), 2);
        assert_eq!(a.run_due().await.expect("nothing is due"), 0);
        clock.set(clock.now().plus_seconds(60));
        assert_eq!(a.run_due().await.expect("the flaky one"), 1);
        clock.set(NOW.plus_seconds(3601));
        assert_eq!(a.run_due().await.expect("the later one"), 1);
        assert_eq!(tries.load(Ordering::SeqCst), 2);
        let things = store
            .read()
            .all::<ThingRow>("SELECT id, n, note, data FROM thing ORDER BY n", params![])
            .await
            .expect("read");
        assert_eq!(things.iter().map(|t| t.n).collect::<Vec<_>>(), [7, 8]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_of_one_kind_holds_up_no_other_and_each_is_done_in_order() {
    for store in testkit::stores(&[TABLES]).await {
        let clock = FixedClock::at(NOW.plus_seconds(600));
        transact!(store, |tx| {
            // Written last to first.
            for n in (0..200_i64).rev() {
                tx.enqueue(Job::new("paper", &n)?.at(NOW.plus_seconds(n)), NOW).await?;
            }
            tx.enqueue(Job::new("order", &1000_i64)?.at(NOW.plus_seconds(500)), NOW)
                .await?;
            tx.enqueue(Job::new("unknown", &0_i64)?, NOW).await
        })
        .expect("enqueued");
        let done = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&done);
        let note = move |run: store::jobs::Run| {
            let done = Arc::clone(&noted);
            async move {
                done.lock().expect("no panic").push(run.payload::<i64>()?);
                Ok(())
            }
        };
        let (papers, orders) = (note.clone(), note);
        let runner = Runner::new(store.clone(), Arc::new(clock))
            .on("paper", papers)
            .on("order", orders);
        let first = runner.run_due().await.expect("ran");
        let seen = done.lock().expect("no panic").clone();
        assert_eq!(first, seen.len());
        assert_eq!(
            seen.last(),
            Some(&1000),
            "the order waits for no more papers than its share: {seen:?}"
        );
        assert!(seen.len() < 40, "{}", seen.len());
        while runner.run_due().await.expect("ran") > 0 {}
        let papers: Vec<_> = done
            .lock()
            .expect("no panic")
            .iter()
            .copied()
            .filter(|n| *n < 1000)
            .collect();
        assert_eq!(papers, (0..200).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_asked_for_again_while_it_is_done_is_done_once_more() {
    for store in testkit::stores(&[TABLES]).await {
        let clock = FixedClock::at(NOW);
        // Each way to end: by itself, in the handler's transaction, several together, and by failing.
        let jobs = ["alone", "inside", "together", "fails"];
        let ask = async |payload: i64| {
            let asked = transact!(store, |tx| {
                for kind in jobs {
                    tx.enqueue(Job::new(kind, &payload)?.key(kind), NOW).await?;
                }
                Ok(())
            });
            asked.expect("enqueued");
        };
        ask(1).await;
        let seen: Arc<Mutex<Vec<(&str, i64)>>> = Arc::default();
        let noted = Arc::clone(&seen);
        let again = move |kind: &'static str, payload: i64, store: &Store| {
            noted.lock().expect("not poisoned").push((kind, payload));
            let store = store.clone();
            async move {
                if payload == 1 {
                    transact!(store, |tx| { tx.enqueue(Job::new(kind, &2_i64)?.key(kind), NOW).await })
                } else {
                    Ok(())
                }
            }
        };
        let runner = Runner::new(store.clone(), Arc::new(clock.clone()))
            .on("alone", {
                let again = again.clone();
                move |run| again("alone", run.payload().expect("a number"), &run.store)
            })
            .on("inside", {
                let again = again.clone();
                move |run| {
                    let asks = again("inside", run.payload().expect("a number"), &run.store);
                    async move {
                        asks.await?;
                        transact!(run.store, |tx| { run.done(&tx).await })
                    }
                }
            })
            .on("fails", {
                let again = again.clone();
                move |run| {
                    let payload: i64 = run.payload().expect("a number");
                    let asks = again("fails", payload, &run.store);
                    async move {
                        asks.await?;
                        assert_eq!(payload, 2, "the first try panics");
                        Ok(())
                    }
                }
            })
            .on_many("together", move |batch| {
                let payload = batch.payloads().expect("numbers")[0];
                let asks = again("together", payload, &batch.store);
                async move {
                    asks.await?;
                    transact!(batch.store, |tx| { batch.done(&tx).await })
                }
            });
        assert_eq!(runner.run_due().await.expect("ran"), 4);
        assert_eq!(runner.run_due().await.expect("ran again"), 4);
        assert_eq!(runner.run_due().await.expect("nothing is due"), 0);
        let mut seen = seen.lock().expect("not poisoned").clone();
        seen.sort_unstable();
        let expected: Vec<_> = ["alone", "fails", "inside", "together"]
            .into_iter()
            .flat_map(|kind| [(kind, 1), (kind, 2)])
            .collect();
        assert_eq!(seen, expected);
    }
}

#[tokio::test]
async fn jobs_done_together_have_one_effect_and_a_bad_one_holds_up_no_other() {
    for store in testkit::stores(&[TABLES]).await {
        let clock = FixedClock::at(NOW);
        transact!(store, |tx| {
            let jobs = (0..300_i64)
                .map(|n| Job::new("many", &n))
                .collect::<Result<Vec<_>, _>>()?;
            tx.enqueue_all(&jobs, NOW).await
        })
        .expect("enqueued");
        let runner = || {
            Runner::new(store.clone(), Arc::new(clock.clone())).on_many("many", |batch| async move {
                let all: Vec<i64> = batch.payloads()?;
                assert!(!all.contains(&77), "a bad one");
                transact!(batch.store, |tx| {
                    for n in &all {
                        let values = params![ThingId::new(batch.now), *n];
                        tx.exec("INSERT INTO thing (id, n) VALUES ($1, $2)", values).await?;
                    }
                    batch.done(&tx).await
                })
            })
        };
        let (a, b) = (runner(), runner());
        let (x, y) = tokio::join!(a.run_due(), b.run_due());
        let (mut tried, mut left) = (x.expect("ran") + y.expect("ran"), 1);
        while left > 0 {
            left = a.run_due().await.expect("ran");
            tried += left;
        }
        assert_eq!(tried, 300, "the bad one waits");
        clock.set(clock.now().plus_seconds(60));
        assert_eq!(a.run_due().await.expect("the bad one"), 1);
        let things = store
            .read()
            .all::<ThingRow>("SELECT id, n, note, data FROM thing ORDER BY n", params![])
            .await
            .expect("read");
        let expected: Vec<i64> = (0..300).filter(|n| *n != 77).collect();
        assert_eq!(things.iter().map(|t| t.n).collect::<Vec<_>>(), expected);
    }
}

#[tokio::test]
async fn files_come_back_are_unreadable_on_disk_and_notice_alteration() {
    let configs = testkit::configs().await;
    let config = configs.first().expect("SQLite");
    let store = store::Store::open(config).await.expect("opens");
    let text = "Giấy chứng sinh số 12".as_bytes();
    let blob = store.blobs().put(text).await.expect("stored");
    assert_eq!(store.blobs().put(text).await.expect("again"), blob);
    assert_eq!(store.blobs().get(&blob.sha256).await.expect("there"), text);
    let path = config
        .blobs
        .join(&blob.sha256[..2])
        .join(&blob.sha256[2..4])
        .join(&blob.sha256);
    let mut raw = std::fs::read(&path).expect("the file");
    assert!(!raw.windows(4).any(|w| w == b"sinh"));
    *raw.last_mut().expect("not empty") ^= 1;
    std::fs::write(&path, raw).expect("altered");
    assert!(store.blobs().get(&blob.sha256).await.is_err());
    for hostile in ["../../etc/passwd", "", "ABC", &"g".repeat(64)] {
        assert_eq!(
            store.blobs().get(hostile).await.expect_err("no such name").kind(),
            Some(Kind::NotFound)
        );
    }
}

#[tokio::test]
async fn what_belongs_to_one_row_is_nobody_elses_and_goes_with_it() {
    let configs = testkit::configs().await;
    let config = configs.first().expect("SQLite");
    let store = store::Store::open(config).await.expect("opens");
    let (text, blobs) = ("Giấy khai sinh số 7".as_bytes(), store.blobs());
    let (one, other) = (Uuid::from_u128(0x0193_0000_0001), Uuid::from_u128(0x0193_0000_0101));
    let shared = blobs.put(text).await.expect("stored");
    blobs.put_own(one, text).await.expect("stored");
    blobs.put_own(other, text).await.expect("stored");
    let path = |row: Uuid| config.blobs.join("own/01").join(row.simple().to_string());
    // Another row's content under one's name is noticed.
    let raw = std::fs::read(path(one)).expect("the file");
    assert!(!raw.windows(4).any(|w| w == b"sinh"));
    std::fs::write(path(other), raw).expect("swapped");
    assert!(blobs.get_own(other).await.is_err());
    blobs.put_own(other, text).await.expect("stored again");

    blobs.remove_own(one).await.expect("removed");
    blobs.remove_own(one).await.expect("gone already");
    assert_eq!(blobs.get_own(one).await.expect_err("gone").kind(), Some(Kind::NotFound));
    assert!(!path(one).exists());
    assert_eq!(blobs.get_own(other).await.expect("there"), text);
    assert_eq!(blobs.get(&shared.sha256).await.expect("there"), text);
}

/// The server has begun the transaction, and nobody waits for it any more: its connection must not go back to the others within it,
/// where each read would see the data of then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_dropped_while_it_begins_leaves_no_connection_in_a_transaction() {
    for config in testkit::configs().await {
        if !config.url.starts_with("postgres") {
            continue;
        }
        let db = store::Store::open(&config).await.expect("it opens");
        let other = store::Store::open(&config).await.expect("it opens");
        let warm = (0..8).map(|_| db.begin());
        drop(futures::future::join_all(warm).await);
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        let sql = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'";
        // It goes away before the connection is there, or before the transaction is, or thereafter.
        for polls in (1..=4).cycle().take(40) {
            {
                let mut begun = std::pin::pin!(db.begin());
                for _ in 0..polls {
                    if futures::poll!(&mut begun).is_ready() {
                        break;
                    }
                    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
                }
            }
            // What is left open stays so for good; what is being rolled back takes as long as the machine is busy.
            let mut left = None;
            for _ in 0..250 {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                left = other.read().scalar::<i64>(sql, vec![]).await.expect("counted");
                if left == Some(0) {
                    break;
                }
            }
            assert_eq!(left, Some(0), "{polls}");
        }
        db.close().await;
        other.close().await;
    }
}

/// The read-only anomaly of PostgreSQL's own documentation: a report that reads between two transactions that are serial only without
/// it. The server refuses the report with 40001; asked again it is answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_that_the_server_refuses_as_not_serialisable_is_asked_again() {
    use sea_orm::ConnectionTrait as _;
    for mut config in testkit::configs().await {
        if !config.url.starts_with("postgres") {
            continue;
        }
        config
            .url
            .push_str("?options=-c%20default_transaction_isolation%3Dserializable");
        let db = store::Store::open(&config).await.expect("it opens");
        let raw = async || {
            let mut options = sea_orm::ConnectOptions::new(config.url.clone());
            options.max_connections(1).sqlx_logging(false);
            sea_orm::Database::connect(options).await.expect("a connection")
        };
        let run = async |connection: &sea_orm::DatabaseConnection, sql: &str| {
            connection.execute_unprepared(sql).await.expect(sql);
        };
        let (receipts, batches) = (raw().await, raw().await);
        run(&receipts, "CREATE TABLE batch (id INT PRIMARY KEY, now INT NOT NULL)").await;
        run(&receipts, "CREATE TABLE receipt (batch INT NOT NULL)").await;
        run(&receipts, "INSERT INTO batch VALUES (1, 1)").await;

        // A receipt goes into the batch of now; meanwhile the batch is closed; then the closed one is reported, slowly.
        run(&receipts, "BEGIN").await;
        run(&receipts, "INSERT INTO receipt SELECT now FROM batch").await;
        run(&batches, "UPDATE batch SET now = 2").await;
        let begun = std::time::Instant::now();
        let report = {
            let db = db.clone();
            tokio::spawn(async move {
                let sql = "SELECT (SELECT COUNT(*) FROM receipt WHERE receipt.batch < v.b) + 0 * v.now FROM \
                           (SELECT now, now AS b, pg_sleep(1)::text AS slept FROM batch) v WHERE v.slept = ''";
                db.read().scalar::<i64>(sql, vec![]).await
            })
        };
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        run(&receipts, "COMMIT").await;
        let counted = report.await.expect("no panic").expect("it is answered");
        assert_eq!(counted, Some(1), "the second time with the receipt");
        assert!(begun.elapsed().as_millis() >= 1_900, "it was asked twice");
        db.close().await;
    }
}

/// Rows come in statements of a few shapes, with values in their order, and one that is there stays.
#[tokio::test(flavor = "multi_thread")]
async fn many_rows_go_in_at_once() {
    #[derive(Debug, Row)]
    struct Note {
        n: i64,
        note: Option<String>,
    }
    for store in testkit::stores(&[TABLES]).await {
        let row = |n: i64, note: Option<&str>| params![ThingId::new(NOW), n, note.map(str::to_owned)];
        let rows: Vec<_> = (0..1_000).map(|n| row(n, (n % 3 > 0).then_some("ghi chú"))).collect();
        transact!(store, |tx| { tx.insert("thing (id, n, note)", &rows, "").await }).expect("stored");
        let again: Vec<_> = (990..1_010).map(|n| row(n, Some("khác"))).collect();
        transact!(store, |tx| {
            tx.insert("thing (id, n, note)", &again, " ON CONFLICT (n) DO NOTHING")
                .await
        })
        .expect("stored");
        let found: Vec<Note> = store
            .read()
            .all("SELECT n, note FROM thing ORDER BY n", params![])
            .await
            .expect("read");
        let found: Vec<_> = found.into_iter().map(|row| (row.n, row.note)).collect();
        let expected: Vec<_> = (0..1_010)
            .map(|n| match n {
                1_000.. => (n, Some("khác".to_owned())),
                _ => (n, (n % 3 > 0).then(|| "ghi chú".to_owned())),
            })
            .collect();
        assert_eq!(found, expected);
    }
}

const WIDE: Migrations = Migrations {
    owner: "wide",
    steps: &[Step {
        name: "0001",
        sql: "CREATE TABLE wide (n BIGINT PRIMARY KEY, id {uuid} NOT NULL, word TEXT NOT NULL, raw {bytes} NOT NULL, \
              flag BOOLEAN NOT NULL, maybe BIGINT, same TEXT, empty BIGINT);\n",
    }],
};

/// Columns of every kind, more rows than one statement of either engine takes; and nothing of rows of which one is refused.
#[tokio::test(flavor = "multi_thread")]
async fn columns_are_loaded_whole_or_not_at_all() {
    #[derive(Debug, PartialEq, Row)]
    struct Wide {
        n: i64,
        id: uuid::Uuid,
        word: String,
        raw: Vec<u8>,
        flag: bool,
        maybe: Option<i64>,
        same: Option<String>,
        empty: Option<i64>,
    }
    let row = |n: i64| Wide {
        n,
        id: uuid::Uuid::from_u128(n.unsigned_abs().into()),
        word: format!("chữ {n}, {{\"'\\}}"),
        raw: n.to_be_bytes().to_vec(),
        flag: n % 3 == 0,
        maybe: (n % 2 == 0).then_some(-n),
        same: Some("như nhau".to_owned()),
        empty: None,
    };
    let columns = |rows: &[&Wide]| {
        vec![
            Column::Numbers(rows.iter().map(|row| row.n).collect()),
            Column::Ids(rows.iter().map(|row| row.id).collect()),
            Column::Texts(rows.iter().map(|row| row.word.clone()).collect()),
            Column::Bytes(rows.iter().map(|row| row.raw.clone()).collect()),
            Column::Flags(rows.iter().map(|row| row.flag).collect()),
            Column::Nullable(rows.iter().map(|row| row.maybe).collect()),
            Column::Same("như nhau".value()),
            Column::Same(None::<i64>.value()),
        ]
    };
    const INTO: &str = "wide (n, id, word, raw, flag, maybe, same, empty)";
    for store in testkit::stores(&[WIDE]).await {
        let rows: Vec<Wide> = (0..20_001).map(row).collect();
        transact!(bulk store, |tx| { tx.load(INTO, rows.iter(), columns).await }).expect("loaded");
        transact!(store, |tx| { tx.load(INTO, [].iter(), columns).await }).expect("nothing is loaded");
        let more: Vec<Wide> = (20_001..30_000).chain([7]).map(row).collect();
        let refused = transact!(bulk store, |tx| { tx.load(INTO, more.iter(), columns).await });
        assert!(refused.is_err(), "a number that is there");
        let refused = transact!(store, |tx| { tx.load(INTO, more.iter(), columns).await });
        assert!(refused.is_err(), "a number that is there");
        let there: Vec<Wide> = store
            .read()
            .all(
                "SELECT n, id, word, raw, flag, maybe, same, empty FROM wide ORDER BY n",
                params![],
            )
            .await
            .expect("read");
        assert!(there == rows);
    }
}

/// A transaction of very many rows between others: nobody's work is lost with it, and it leaves nothing when its caller goes away.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_bulk_transaction_stands_alone() {
    const SQL: &str = "INSERT INTO thing (id, n) VALUES ($1, $2)";
    for store in testkit::stores(&[TABLES]).await {
        let mut all = Vec::new();
        for n in 0..120_i64 {
            let store = store.clone();
            all.push(tokio::spawn(async move {
                match n % 4 {
                    0 => transact!(bulk store, |tx| {
                        tx.exec(SQL, params![ThingId::new(NOW), n]).await?;
                        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                        if n % 8 == 0 {
                            return Err(Error::internal("not this one"));
                        }
                        Ok(())
                    }),
                    _ => transact!(store, |tx| {
                        tx.exec(SQL, params![ThingId::new(NOW), n]).await.map(drop)
                    }),
                }
            }));
        }
        let gone = {
            let store = store.clone();
            tokio::spawn(async move {
                transact!(bulk store, |tx| {
                    tx.exec(SQL, params![ThingId::new(NOW), 1_000_i64]).await?;
                    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
                    Ok(())
                })
            })
        };
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        gone.abort();
        let mut refused = 0;
        for one in all {
            refused += usize::from(one.await.expect("no panic").is_err());
        }
        transact!(store, |tx| {
            tx.exec(SQL, params![ThingId::new(NOW), 2_000_i64]).await
        })
        .expect("the next goes on");
        let count = store
            .read()
            .scalar::<i64>("SELECT count(*) FROM thing", params![])
            .await;
        assert_eq!((refused, count.expect("read")), (15, Some(120 - 15 + 1)));
    }
}

#[tokio::test]
async fn a_job_goes_on_with_the_trace_of_what_asked_for_it() {
    for store in testkit::stores(&[]).await {
        let sampling = traces::Sampling {
            share: 1.0,
            follow: true,
        };
        let (tracer, mut ended) = traces::Tracer::new(sampling, 10);
        let asked = tracer.begin(traces::Kind::Server, "asked", None);
        let enqueued = asked.around(async {
            transact!(store, |tx| {
                let later = Job::new("one", &2_i64)?.at(NOW.plus_seconds(60));
                tx.enqueue_all(&[Job::new("one", &1_i64)?, later, Job::new("bad", &3_i64)?], NOW)
                    .await
            })
        });
        enqueued.await.expect("enqueued");
        let clock = FixedClock::at(NOW);
        let runner = Runner::new(store.clone(), Arc::new(clock.clone()))
            .traced(tracer.clone())
            .on("one", |_| async {
                assert!(
                    traces::Context::current().is_some(),
                    "what it asks of others is part of it"
                );
                Ok(())
            })
            .on("bad", |_| async {
                Err(base::Error::refused(base::Kind::Invalid, "bad-job", "Hỏng.", "Bad."))
            });
        assert_eq!(runner.run_due().await.expect("ran"), 2);
        clock.set(NOW.plus_seconds(61));
        assert_eq!(
            runner.run_due().await.expect("ran"),
            2,
            "the later one, and the bad one again"
        );
        let context = asked.context().expect("on").clone();
        let spans: Vec<_> = std::iter::from_fn(|| ended.try_recv().ok()).collect();
        let of = |name: &str| spans.iter().filter(|span| span.name == name).collect::<Vec<_>>();
        let (ones, bad) = (of("job one"), of("job bad"));
        assert_eq!((ones.len(), bad.len()), (2, 2));
        let goes_on = |span: &&traces::Finished| span.context.trace_id() == context.trace_id();
        assert_eq!(
            ones.iter().filter(|span| goes_on(span)).count(),
            1,
            "not the one for later"
        );
        assert!(bad.iter().all(|span| goes_on(span) && span.failed));
        assert!(bad[0].attributes.contains(&(traces::Key::Error, "bad-job".into())));
    }
}
