//! A node that ended a log and began another: both are listed, read, proved, counted, erased from and folded anew, and nothing of
//! one is taken for something of the other.

use ledger::{Ledger, Policy, Signer, Stored};

use super::{Node, PERSON, call, call_of, code, folding::everything, nodes, read_of};
use crate::journal::{Demand, Filter, LeafId, MessageKind, ReadFilter, evidence::verify_container, tracker::Source};

const NEXT: &str = "g01.example/exchange-2";
const GROUND: &str = "Quyết định 12/QĐ-TA ngày 20/11/2026";

/// A node with two calls in its first log, which ended, and two in the one that it began then.
async fn with_two_logs() -> Vec<(Node, Ledger)> {
    let mut made = Vec::new();
    for mut node in nodes(|_| {}).await {
        for n in 1..=2 {
            let call = call(n);
            node.log_call(&call, Some(&read_of(&call, PERSON, node.now()))).await;
        }
        node.journal.catch_up().await.expect("folded");
        let former = Ledger {
            log: std::sync::Arc::clone(&node.log),
            keys: vec![node.key.verifier()],
        };
        node.begin_another(NEXT);
        for n in 3..=4 {
            node.forward(60);
            let call = call_of(n, super::SERVICE, "", super::OTHER, NEXT);
            node.log_call(&call, Some(&read_of(&call, PERSON, node.now()))).await;
        }
        node.journal.catch_up().await.expect("folded");
        made.push((node, former));
    }
    made
}

async fn listed(node: &Node) -> Vec<String> {
    let (rows, _) = node
        .journal
        .messages(&node.auditor(), &Filter::default())
        .await
        .expect("a list");
    rows.into_iter().map(|row| row.leaf.to_string()).collect()
}

fn record(node: &Node, leaf: u64) -> Stored {
    node.log.entry(leaf).expect("an entry")
}

#[tokio::test(flavor = "multi_thread")]
async fn both_logs_are_listed_read_and_proved() {
    for (node, former) in with_two_logs().await {
        assert_eq!(listed(&node).await, ["1-4", "1-3", "1-1", "1-0", "4", "3", "1", "0"]);
        let policy = |keys: &[ledger::VerifierKey]| Policy::new(keys.to_vec(), Vec::new(), 0).expect("a policy");
        for (leaf, log, message, keys) in [
            (LeafId::from(0), former.log.origin(), "VN-1", former.keys.clone()),
            (LeafId::new(1, 0), NEXT, "VN-3", vec![node.key.verifier()]),
        ] {
            let found = node.journal.message(&node.auditor(), leaf).await.expect("a message");
            assert_eq!(
                (found.log.as_str(), found.row.message_id.as_deref()),
                (log, Some(message))
            );
            let report = found.report.expect("judged");
            assert!(report.is_whole(), "{log}: {report:?}");
            let bytes = node
                .journal
                .message_evidence(&node.auditor(), leaf)
                .await
                .expect("evidence");
            assert!(verify_container(&bytes, &policy(&keys), None).is_whole(), "{log}");
            let other = [former.keys.clone(), vec![node.key.verifier()]].concat();
            let other: Vec<_> = other.into_iter().filter(|key| !keys.contains(key)).collect();
            assert!(!verify_container(&bytes, &policy(&other), None).is_whole(), "{log}");
        }
        // The person sees the reads of both, each under its own leaf, and asks about an old one.
        let me = node.person(Some(PERSON)).await;
        let reads = node
            .journal
            .my_reads(&me, &ReadFilter::default())
            .await
            .expect("reads")
            .reads;
        let leaves: Vec<_> = reads
            .iter()
            .filter_map(|read| match read.source {
                Source::Exchange { leaf } => Some(leaf.to_string()),
                _ => None,
            })
            .collect();
        for leaf in ["2", "5", "1-2", "1-5"] {
            assert!(leaves.iter().any(|found| found == leaf), "{leaf}: {leaves:?}");
        }
        assert!(node.journal.my_read_evidence(&me, 2_u64).await.is_ok());
        node.journal
            .ask(&me, 2_u64, "Vì sao xem dữ liệu của tôi?")
            .await
            .expect("asked");
        node.journal
            .ask(&me, LeafId::new(1, 2), "Vì sao?")
            .await
            .expect("another read");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_erased_from_a_log_that_ended_is_said_in_the_present_one() {
    for (node, former) in with_two_logs().await {
        let demand = Demand {
            request: call(1).request_id,
            ground: GROUND.to_owned(),
            read_too: true,
        };
        assert_eq!(
            node.journal
                .erase(&node.administrator(), &demand)
                .await
                .expect("erased"),
            3
        );
        for leaf in 0..3 {
            assert_eq!(former.log.entry(leaf).expect("an entry").opening, None);
            assert!(
                record(&node, leaf).opening.is_some(),
                "the same leaf of the other log stays"
            );
        }
        let said = record(&node, 6).opening.expect("the erasure");
        let said: serde_json::Value = serde_json::from_slice(&said.record).expect("JSON");
        assert_eq!(said["log"], serde_json::json!(former.log.origin()));
        assert_eq!(said["leaves"], serde_json::json!([0, 1, 2]));
        let found = node.journal.message(&node.auditor(), 0_u64).await.expect("a message");
        assert_eq!(
            (found.row.kind, found.erased.expect("it says so").2),
            (MessageKind::Erased, GROUND.to_owned())
        );
        let present = node
            .journal
            .message(&node.auditor(), LeafId::new(1, 0))
            .await
            .expect("a message");
        assert_eq!(present.row.kind, MessageKind::Request);
        // One of the present log says nothing of a log, as before.
        let demand = Demand {
            request: call(3).request_id,
            ..demand
        };
        node.journal
            .erase(&node.administrator(), &demand)
            .await
            .expect("erased");
        assert_eq!(record(&node, 0).opening, None);
        assert!(former.log.entry(3).expect("an entry").opening.is_some());
        let followed = everything(&node).await;
        node.journal.rebuild(|_| {}).await.expect("made anew");
        assert_eq!(everything(&node).await, followed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_folder_of_the_former_log_its_messages_are_listed_and_not_proved() {
    for (mut node, former) in with_two_logs().await {
        node.reopen(Vec::new());
        assert_eq!(listed(&node).await.len(), 8);
        let refused = node
            .journal
            .message(&node.auditor(), 0_u64)
            .await
            .expect_err("no folder");
        assert_eq!(code(&refused), "log-not-here");
        assert!(node.journal.message(&node.auditor(), LeafId::new(1, 0)).await.is_ok());
        // What is made anew is what is at hand.
        node.journal.rebuild(|_| {}).await.expect("made anew");
        assert_eq!(listed(&node).await.len(), 8);
        // And the folder may come back.
        node.reopen(vec![former]);
        assert!(node.journal.message(&node.auditor(), 0_u64).await.is_ok());
    }
}

/// As the release before kept them: a node with one log, and one whose two logs were folded as one.
#[tokio::test(flavor = "multi_thread")]
async fn tables_of_the_release_before_are_taken_over() {
    use ::store::{Migrations, Read, params, testkit, transact};
    let (before, now) = crate::MIGRATIONS.steps.split_at(6);
    for mixed in [false, true] {
        for store in testkit::stores(&[
            identity::MIGRATIONS,
            Migrations {
                owner: "exchange",
                steps: before,
            },
        ])
        .await
        {
            transact!(store, |tx| {
                for sql in [
                    "INSERT INTO journal_cursor (log, next, root) VALUES ('g01.example/exchange', 7, 'root')",
                    "INSERT INTO journal_message (leaf, logged_at, kind) VALUES (5, 1, 'request')",
                    "INSERT INTO journal_read_day (day, member, purpose, n) VALUES ('2026-11-25', 'VN/GOV/A', 'p', 3)",
                ] {
                    tx.exec(sql, params![]).await?;
                }
                if mixed {
                    let sql =
                        "INSERT INTO journal_cursor (log, next, root) VALUES ('g01.example/exchange-2', 3, 'other')";
                    tx.exec(sql, params![]).await?;
                }
                Ok(())
            })
            .expect("as it was");
            assert!(!now.is_empty());
            store.migrate(&[crate::MIGRATIONS], super::NOW).await.expect("migrated");
            let db = store.read();
            let n: Option<i64> = db
                .scalar("SELECT n FROM journal_cursor", params![])
                .await
                .expect("read");
            let leaf: Option<i64> = db
                .scalar("SELECT leaf FROM journal_message", params![])
                .await
                .expect("read");
            let sql = "SELECT n FROM journal_read_day WHERE log = 0";
            let reads: Option<i64> = db.scalar(sql, params![]).await.expect("read");
            let kept = (!mixed).then_some(());
            assert_eq!(
                (n, leaf, reads),
                (kept.map(|()| 0), kept.map(|()| 5), kept.map(|()| 3)),
                "{mixed}"
            );
        }
    }
}
