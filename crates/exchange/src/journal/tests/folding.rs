//! The fold: in order, once, from wherever it stopped; and what was erased is gone everywhere.

use std::time::Instant;

use ::store::{Read, params};
use base::Timestamp;
use ledger::Kind;
use proptest::{prelude::*, test_runner::TestRunner};

use super::{Node, OTHER, PERSON, call, call_of, code, id, nodes, read_of, service};
use crate::{
    journal::{Demand, Filter, MessageKind, ReadFilter, Retention},
    model::monitor::Side,
};

/// All that is in the folded tables, as text.
pub(super) async fn everything(node: &Node) -> Vec<String> {
    let db = node.store.read();
    let mut all = Vec::new();
    for sql in [
        "SELECT leaf || ' ' || kind || ' ' || COALESCE(client, '-') || ' ' || COALESCE(service, '-') || ' ' || \
         COALESCE(message_id, '-') || ' ' || COALESCE(user_id, '-') || ' ' || COALESCE(CAST(erasure AS TEXT), '-') AS line \
         FROM journal_message ORDER BY leaf",
        "SELECT leaf || ' ' || COALESCE(client, '-') || ' ' || COALESCE(action, '-') || ' ' || \
         COALESCE(CAST(erasure AS TEXT), '-') AS line FROM journal_read ORDER BY leaf",
        "SELECT leaf || ' ' || at AS line FROM journal_subject ORDER BY leaf, subject",
        "SELECT day || ' ' || member || ' ' || n AS line FROM journal_read_day WHERE n <> 0 ORDER BY day, member, purpose",
        "SELECT leaf || ' ' || ground || ' ' || leaves AS line FROM journal_erasure ORDER BY leaf",
    ] {
        #[derive(::store::Row)]
        struct Line {
            line: String,
        }
        use ::store::sea_orm;
        let lines: Vec<Line> = db.all(sql, params![]).await.expect("rows");
        all.extend(lines.into_iter().map(|line| line.line));
        all.push("--".to_owned());
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_found_by_what_one_knows_of_them() {
    for node in nodes(|_| {}).await {
        let received = call(1);
        let [request, answer, _] = node
            .log_call(&received, Some(&read_of(&received, PERSON, node.now())))
            .await;
        let sent = call_of(
            2,
            "VN/GOV/000.00.00.H26/motcua/hoso",
            "/v1/x?so=037190001234",
            super::ORIGIN,
            OTHER,
        );
        node.log_call(&sent, None).await;
        // Neither an action nor nonsense holds the fold up.
        node.log
            .append(Kind::ACTION, b"an action".to_vec())
            .await
            .expect("stored");
        node.log
            .append(Kind::MESSAGE, b"nonsense".to_vec())
            .await
            .expect("stored");
        let progress = node.journal.catch_up().await.expect("folded");
        assert_eq!((progress.done, progress.size), (7, 7));
        let (all, next) = node
            .journal
            .messages(&node.auditor(), &Filter::default())
            .await
            .expect("a list");
        assert_eq!(next, None);
        let kinds: Vec<_> = all.iter().map(|row| (row.leaf.leaf(), row.kind, row.side)).collect();
        use MessageKind as K;
        assert_eq!(
            kinds,
            [
                (6, K::Unreadable, None),
                (4, K::Answer, Some(Side::Client)),
                (3, K::Request, Some(Side::Client)),
                (answer, K::Answer, Some(Side::Producer)),
                (request, K::Request, Some(Side::Producer)),
            ]
        );
        let find = async |filter: Filter| -> Vec<u64> {
            let found = node.journal.messages(&node.auditor(), &filter).await.expect("a list");
            found.0.into_iter().map(|row| row.leaf.leaf()).collect()
        };
        let by = Filter::default;
        assert_eq!(
            find(Filter {
                request_id: Some(sent.request_id),
                ..by()
            })
            .await,
            [4, 3]
        );
        assert_eq!(
            find(Filter {
                message_id: Some("VN-1".to_owned()),
                ..by()
            })
            .await,
            [1, 0]
        );
        assert_eq!(
            find(Filter {
                service: Some(service(super::SERVICE)),
                ..by()
            })
            .await,
            [1, 0]
        );
        assert_eq!(
            find(Filter {
                client: Some(id(super::CLIENT)),
                ..by()
            })
            .await,
            [4, 3, 1, 0]
        );
        assert_eq!(
            find(Filter {
                to: Some(node.now()),
                ..by()
            })
            .await,
            Vec::<u64>::new()
        );
        assert_eq!(
            find(Filter {
                from: Some(node.now().plus_seconds(-1)),
                ..by()
            })
            .await
            .len(),
            5
        );
        let found = node.journal.message(&node.auditor(), 6_u64).await.expect("it is shown");
        assert_eq!((found.row.kind, found.report), (K::Unreadable, None));
        // No path and no query is in the tables.
        let text = everything(&node).await.join("\n");
        assert!(!text.contains("037190001234") && !text.contains("/v1/x"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_paged_without_loss() {
    for node in nodes(|_| {}).await {
        for n in 0..70 {
            node.log_call(&call(n), None).await;
        }
        node.journal.catch_up().await.expect("folded");
        let (mut seen, mut before) = (Vec::new(), None);
        loop {
            let filter = Filter {
                before,
                ..Filter::default()
            };
            let (rows, next) = node.journal.messages(&node.auditor(), &filter).await.expect("a page");
            assert!(rows.len() <= 50);
            seen.extend(rows.iter().map(|row| row.leaf.leaf()));
            match next {
                Some(place) => before = Some(place),
                None => break,
            }
        }
        assert_eq!(seen, (0..140).rev().collect::<Vec<u64>>());
    }
}

#[derive(Debug, Clone)]
enum Act {
    Call(u128, bool),
    Erase(u128, bool),
    Fold,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (0_u128..12, any::<bool>()).prop_map(|(n, read)| Act::Call(n, read)),
        1 => (0_u128..12, any::<bool>()).prop_map(|(n, read)| Act::Erase(n, read)),
        1 => Just(Act::Fold),
    ]
}

/// Whatever happens in which order, tables that followed equal tables that are made anew.
#[test]
fn following_gives_what_making_anew_gives() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 6,
        ..ProptestConfig::default()
    });
    let acts = prop::collection::vec(act(), 1..30);
    runner
        .run(&acts, |acts| {
            runtime.block_on(async {
                for node in nodes(|_| {}).await {
                    for act in &acts {
                        match act {
                            Act::Call(n, read) => {
                                let call = call(*n);
                                let read = read.then(|| read_of(&call, PERSON, node.now()));
                                node.log_call(&call, read.as_ref()).await;
                            }
                            Act::Erase(n, read_too) => {
                                let demand = Demand {
                                    request: call(*n).request_id,
                                    ground: "Điều 1".to_owned(),
                                    read_too: *read_too,
                                };
                                // Of what was never logged there is nothing to erase.
                                let _ = node.journal.erase(&node.administrator(), &demand).await;
                            }
                            Act::Fold => drop(node.journal.catch_up().await.expect("folded")),
                        }
                    }
                    node.journal.catch_up().await.expect("folded");
                    let followed = everything(&node).await;
                    let mut last = 0;
                    node.journal
                        .rebuild(|progress| last = progress.done)
                        .await
                        .expect("made anew");
                    assert_eq!(last, node.log.size());
                    assert_eq!(everything(&node).await, followed);
                }
            });
            Ok(())
        })
        .expect("the property holds");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_followers_count_nothing_twice() {
    for node in nodes(|_| {}).await {
        for n in 0..40 {
            let call = call(n);
            node.log_call(&call, Some(&read_of(&call, PERSON, node.now()))).await;
        }
        // Another process has a journal of its own over the same log and tables.
        let other = super::super::Journal::new(super::super::Parts {
            store: node.store.clone(),
            log: std::sync::Arc::clone(&node.log),
            former: Vec::new(),
            identity: node.identity.clone(),
            directory: super::directory(&node.key),
            calendar: super::calendar(),
            clock: std::sync::Arc::new(node.clock.clone()),
            caller: None,
            config: super::config(),
        })
        .expect("good settings");
        let (one, two) = tokio::join!(node.journal.catch_up(), other.catch_up());
        // Who came second is told so, and finds all done.
        assert!(one.is_ok() || two.is_ok());
        node.journal.catch_up().await.expect("folded");
        let days: Option<i64> = node
            .store
            .read()
            .scalar("SELECT n FROM journal_read_day", params![])
            .await
            .expect("a row");
        assert_eq!(days, Some(40));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_another_log_are_noticed() {
    for node in nodes(|_| {}).await {
        node.log_call(&call(1), None).await;
        node.journal.catch_up().await.expect("folded");
        let sql = "UPDATE journal_cursor SET root = 'another'";
        ::store::transact!(node.store, |tx| { tx.exec(sql, params![]).await }).expect("changed");
        let fresh = super::super::Journal::new(super::super::Parts {
            store: node.store.clone(),
            log: std::sync::Arc::clone(&node.log),
            former: Vec::new(),
            identity: node.identity.clone(),
            directory: super::directory(&node.key),
            calendar: super::calendar(),
            clock: std::sync::Arc::new(node.clock.clone()),
            caller: None,
            config: super::config(),
        })
        .expect("good settings");
        let error = fresh.catch_up().await.expect_err("another log");
        assert_eq!(code(&error), "journal-of-another-log");
        fresh.rebuild(|_| {}).await.expect("made anew");
        fresh.catch_up().await.expect("followed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_while_the_tables_are_emptied_is_mended() {
    for node in nodes(|_| {}).await {
        let call = call(1);
        node.log_call(&call, Some(&read_of(&call, PERSON, node.now()))).await;
        let demand = Demand {
            request: call.request_id,
            ground: "Điều 1".to_owned(),
            read_too: true,
        };
        node.journal.catch_up().await.expect("folded");
        let before = everything(&node).await;
        let origin = node.log.origin().to_owned();
        ::store::transact!(node.store, |tx| {
            super::super::store::begin_clearing(&tx, &origin).await
        })
        .expect("noted");
        node.journal.catch_up().await.expect("emptied, then folded");
        assert_eq!(everything(&node).await, before);
        node.journal
            .erase(&node.administrator(), &demand)
            .await
            .expect("erased");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_erased_is_gone_and_the_log_still_verifies() {
    for node in nodes(|_| {}).await {
        let (kept, gone) = (call(1), call(2));
        for call in [&kept, &gone] {
            node.log_call(call, Some(&read_of(call, PERSON, node.now()))).await;
        }
        let person = node.person(Some(PERSON)).await;
        assert_eq!(
            node.journal
                .my_reads(&person, &ReadFilter::default())
                .await
                .expect("reads")
                .reads
                .len(),
            2
        );
        let mut demand = Demand {
            request: gone.request_id,
            ground: " ".to_owned(),
            read_too: true,
        };
        let refused = node
            .journal
            .erase(&node.administrator(), &demand)
            .await
            .expect_err("no ground");
        assert_eq!(code(&refused), "erasure-ground");
        demand.ground = "Quyết định 12/QĐ-TA ngày 20/11/2026".to_owned();
        assert!(
            node.journal.erase(&node.auditor(), &demand).await.is_err(),
            "an auditor changes nothing"
        );
        assert!(node.journal.erase(&person, &demand).await.is_err());
        assert_eq!(
            node.journal
                .erase(&node.administrator(), &demand)
                .await
                .expect("erased"),
            3
        );
        assert_eq!(
            code(
                &node
                    .journal
                    .erase(&node.administrator(), &demand)
                    .await
                    .expect_err("gone")
            ),
            "not-found"
        );
        for leaf in 3..6 {
            assert_eq!(node.log.entry(leaf).expect("an entry").opening, None);
            // The proof of what was erased still leads to the root that the log signed.
            let proof = node.log.prove(leaf).expect("a proof").to_string();
            let verdict = ledger::verify(proof.as_bytes(), &node.policy(), None).expect("it verifies");
            assert_eq!((verdict.index, verdict.record()), (leaf, None));
        }
        let text = everything(&node).await.join("\n");
        assert!(!text.contains("VN-2") && text.contains("VN-1"), "{text}");
        assert_eq!(
            node.journal
                .my_reads(&person, &ReadFilter::default())
                .await
                .expect("reads")
                .reads
                .len(),
            1
        );
        let found = node.journal.message(&node.auditor(), 3_u64).await.expect("a message");
        assert_eq!(found.row.kind, MessageKind::Erased);
        let (at, by, ground) = found.erased.expect("it says so");
        assert_eq!((at, ground), (node.now(), demand.ground));
        assert_eq!(by, "Chuyên viên (G01)");
        let error = node
            .journal
            .message_evidence(&node.auditor(), 3_u64)
            .await
            .expect_err("nothing is left");
        assert_eq!(code(&error), "message-erased");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_been_kept_long_enough_is_erased() {
    let rules = |config: &mut crate::journal::Config| {
        let rule = |service: Option<&str>, days| Retention {
            service: service.map(id),
            days,
            ground: "Quy chế lưu trữ".to_owned(),
        };
        config.retention = vec![rule(Some(super::SERVICE), 30), rule(None, 10)];
    };
    for node in nodes(rules).await {
        node.log_call(&call(1), None).await;
        node.log_call(
            &call_of(2, "VN/GOV/000.00.00.G01/dancu/khac", "", OTHER, super::ORIGIN),
            None,
        )
        .await;
        assert_eq!(node.journal.erase_due(node.now()).await.expect("nothing is due"), 0);
        node.forward(86_400 * 11);
        node.log_call(&call(3), None).await;
        assert_eq!(node.journal.erase_due(node.now()).await.expect("one service"), 2);
        assert!(node.log.entry(2).expect("an entry").opening.is_none());
        assert!(node.log.entry(0).expect("an entry").opening.is_some());
        node.forward(86_400 * 20);
        assert_eq!(node.journal.erase_due(node.now()).await.expect("the other"), 2);
        assert!(node.log.entry(0).expect("an entry").opening.is_none());
        assert_eq!(node.journal.erase_due(node.now()).await.expect("nothing more"), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sweep_comes_again_every_hour() {
    for node in nodes(|config| {
        config.retention = vec![Retention {
            service: None,
            days: 1,
            ground: "Quy chế".to_owned(),
        }];
    })
    .await
    {
        node.log_call(&call(1), None).await;
        node.forward(86_400 * 2);
        super::super::schedule(&node.store, node.now().plus_seconds(-3_600))
            .await
            .expect("planned");
        let clock = std::sync::Arc::new(node.clock.clone());
        let runner = super::super::handlers(::store::jobs::Runner::new(node.store.clone(), clock), &node.journal);
        assert_eq!(runner.run_due().await.expect("run"), 1);
        assert!(node.log.entry(0).expect("an entry").opening.is_none());
        assert_eq!(runner.run_due().await.expect("run"), 0);
        node.forward(3_600);
        assert_eq!(runner.run_due().await.expect("run"), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_works_until_it_is_told_to_stop() {
    for node in nodes(|_| {}).await {
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let follower = tokio::spawn(node.journal.clone().follow(stopped));
        node.log_call(&call(1), None).await;
        let begun = Instant::now();
        while node
            .journal
            .messages(&node.auditor(), &Filter::default())
            .await
            .expect("a list")
            .0
            .is_empty()
        {
            assert!(begun.elapsed().as_secs() < 10, "it does not follow");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        stop.send(true).expect("it listens");
        follower.await.expect("it ends");
    }
}

/// What a message costs the fold. Run with `--ignored --nocapture` on a quiet machine.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures"]
async fn what_a_message_costs() {
    for node in nodes(|_| {}).await {
        let calls = 10_000_u128;
        for n in 0..calls / 50 {
            let mut records = Vec::new();
            for k in 0..50 {
                let call = call(n * 50 + k);
                records.push((Kind::MESSAGE, call.request.to_bytes()));
                records.push((Kind::MESSAGE, call.answer.to_bytes()));
                let read = read_of(
                    &call,
                    PERSON,
                    Timestamp::from_micros(node.now().micros() + (n * 50 + k) as i64),
                );
                records.push((Kind::READ, serde_json::to_vec(&read).expect("JSON")));
            }
            node.log.append_all(records).await.expect("stored");
        }
        let begun = Instant::now();
        let progress = node.journal.catch_up().await.expect("folded");
        let each = begun.elapsed() / u32::try_from(progress.done).expect("few");
        let person = node.person(Some(PERSON)).await;
        let begun = Instant::now();
        let page = node
            .journal
            .my_reads(&person, &ReadFilter::default())
            .await
            .expect("reads");
        eprintln!(
            "{:?}: {} leaves, {each:?} each; a person's page of {} reads in {:?}",
            node.store.engine(),
            progress.done,
            page.reads.len(),
            begun.elapsed()
        );
    }
}
