//! Steps as leaves of the transparency log, and what their proofs show to whom.

use std::{path::Path, sync::Arc};

use ::store::{params, transact};
use identity::Role;
use ledger::{Algorithm, FileKey, Kind, Ledger, Ledgers, Log, Options, Policy, Signer, verify};

use super::{
    following::{completion, filed, token},
    town::{Town, an, nobody, officer, person, towns},
};
use crate::{
    model::{action::Detail, command::Command},
    service::{LeafSays, Proofs},
};

fn ledger(dir: &Path) -> Ledger {
    named(dir, "h57.gov.vn/ledger")
}

fn named(dir: &Path, name: &str) -> Ledger {
    let key_file = dir.join("key");
    let key = match FileKey::load(&key_file) {
        Ok(key) => key,
        Err(_) => FileKey::create(&key_file, name, Algorithm::Ed25519).expect("a key"),
    };
    let keys = vec![key.verifier()];
    let log = Log::open(&dir.join("log"), Options::new(name, Arc::new(key))).expect("a log");
    Ledger {
        log: Arc::new(log),
        keys,
    }
}

async fn proofs(town: &Town, ctx: &identity::Ctx, path: &str) -> Proofs {
    let answer = town.get(ctx, &format!("{path}/proofs")).await;
    serde_json::from_str(&answer.body).unwrap_or_else(|e| panic!("{e}: {}", answer.body))
}

/// The proofs that hold, with what they say.
fn judged(proofs: &Proofs, ledger: &Ledger) -> Vec<(i64, Option<LeafSays>)> {
    let policy = Policy::new(ledger.keys.clone(), Vec::new(), 0).expect("a policy");
    let judge = |entry: &crate::service::EntryProof| {
        let verdict = verify(entry.proof.as_bytes(), &policy, None).expect("a proof that holds");
        assert_eq!((verdict.index, verdict.kind()), (entry.leaf, Kind::ACTION));
        (
            entry.seq,
            verdict.record().map(|record| LeafSays::read(record).expect("an entry")),
        )
    };
    proofs.entries.iter().map(judge).collect()
}

#[tokio::test]
async fn every_step_is_proved_and_notes_of_officers_are_not_shown() {
    for town in towns().await {
        let dir = tempfile::tempdir().expect("a folder");
        let ledger = ledger(dir.path());
        town.dossiers.keep_in(ledger.clone()).await.expect("kept");
        let path = filed(&town, "1.001193").await;
        let id = town.seen(&path).await.id;
        let clerk = officer(&[Role::Receptionist]);
        let note = Command::Note {
            text: "Nghi vấn.".to_owned(),
        };
        town.dossiers.command(&clerk, id, &note, None).await.expect("noted");
        let first = token(&town, &path).await;
        town.step(id, completion(first, "accept", Detail::None)).await;
        town.work().await;

        let log = town.seen(&path).await.history;
        let own = judged(&proofs(&town, &an(), &path).await, &ledger);
        assert_eq!(own.len(), log.len());
        for ((seq, says), entry) in own.iter().zip(&log) {
            assert_eq!(*seq, entry.seq);
            if *seq == 2 {
                assert_eq!(*says, None, "a note among officers");
            } else {
                let says = says.as_ref().expect("shown");
                assert_eq!((says.dossier, says.seq, says.at), (id, entry.seq, entry.at));
            }
        }
        let officers = judged(&proofs(&town, &clerk, &path).await, &ledger);
        assert!(officers.iter().all(|(_, says)| says.is_some()));
        for stranger in [nobody(), person("Người lạ", base::Lang::Vi)] {
            let answer = town.get(&stranger, &format!("{path}/proofs")).await;
            assert!(!answer.body.contains("tlog-proof"), "{}", answer.body);
        }
        assert!(town.page(&an(), &path).await.body.contains(&format!("{path}/proofs")));
    }
}

#[tokio::test]
async fn what_a_crash_kept_from_the_table_is_read_from_the_log() {
    for town in towns().await {
        let dir = tempfile::tempdir().expect("a folder");
        let path = filed(&town, "2.000635").await;
        {
            let first = ledger(dir.path());
            first
                .log
                .append(Kind::MESSAGE, b"of another kind".to_vec())
                .await
                .expect("appended");
            town.dossiers.keep_in(first).await.expect("kept");
        }
        town.work().await;
        let before = proofs(&town, &an(), &path).await;
        assert!(!before.entries.is_empty());

        // The log has them, the table does not: as if the process had died in between. A second look makes no second leaves.
        transact!(town.store, |tx| {
            tx.exec("DELETE FROM dossier_leaf", params![]).await
        })
        .expect("deleted");
        let ledger = town.dossiers.ledger().expect("a log").clone();
        let log = Arc::clone(&ledger.log);
        let size = log.size();
        town.dossiers.keep_in(ledger).await.expect("recovered");
        assert_eq!(town.dossiers.keep_all_leaves(&mut |_| {}).await.expect("kept"), 0);
        assert_eq!(log.size(), size);
        assert_eq!(places(&proofs(&town, &an(), &path).await), places(&before));

        // An entry that is in neither gets its leaf by the next look.
        let ctx = officer(&[Role::Receptionist]);
        let id = town.seen(&path).await.id;
        let note = Command::Note {
            text: "Đã gọi.".to_owned(),
        };
        town.dossiers.command(&ctx, id, &note, None).await.expect("noted");
        assert_eq!(town.dossiers.keep_all_leaves(&mut |_| {}).await.expect("kept"), 1);
        assert_eq!(
            proofs(&town, &an(), &path).await.entries.len(),
            before.entries.len() + 1
        );
    }
}

fn places(proofs: &Proofs) -> Vec<(i64, u64)> {
    proofs.entries.iter().map(|entry| (entry.seq, entry.leaf)).collect()
}

#[tokio::test]
async fn the_file_holds_the_steps_of_the_log_that_ended_and_of_the_present_one() {
    for town in towns().await {
        let (old, new) = (
            tempfile::tempdir().expect("a folder"),
            tempfile::tempdir().expect("a folder"),
        );
        let path = filed(&town, "2.000635").await;
        let ledger = named(old.path(), "h57.gov.vn/ledger");
        let keys = ledger.keys.clone();
        town.dossiers.keep_in(ledger).await.expect("kept");
        town.work().await;
        let before = proofs(&town, &an(), &path).await;
        let entries = before.entries.len();
        assert!(entries > 0 && before.entries.iter().all(|entry| entry.log.is_none()));

        // The node is stopped, the log ends, and the node starts with another.
        let town = town.restarted().await;
        let log = Log::open_ended(&old.path().join("log")).expect("it opens");
        let former = Ledger {
            log: Arc::new(log),
            keys: keys.clone(),
        };
        let present = named(new.path(), "h57.gov.vn/ledger-2");
        let ledgers = Ledgers {
            present: present.clone(),
            former: vec![former],
        };
        town.dossiers.keep_in(ledgers).await.expect("kept");
        let id = town.seen(&path).await.id;
        let note = Command::Note {
            text: "Đã gọi.".to_owned(),
        };
        town.dossiers
            .command(&officer(&[Role::Receptionist]), id, &note, None)
            .await
            .expect("noted");
        town.work().await;
        let both = proofs(&town, &an(), &path).await;
        assert_eq!(
            (both.log.as_str(), both.entries.len()),
            ("h57.gov.vn/ledger-2", entries + 1)
        );
        let logs: Vec<_> = both.entries.iter().map(|entry| entry.log.as_deref()).collect();
        assert!(logs[..entries].iter().all(|log| *log == Some("h57.gov.vn/ledger")) && logs[entries].is_none());
        let all = [keys, present.keys].concat();
        assert_eq!(both.keys.len(), all.len());
        let policy = Policy::new(all, Vec::new(), 0).expect("a policy");
        for (n, entry) in both.entries.iter().enumerate() {
            let verdict = verify(entry.proof.as_bytes(), &policy, None).expect("it holds");
            assert_eq!(
                verdict.origin,
                entry.log.clone().unwrap_or_else(|| both.log.clone()),
                "{n}"
            );
            assert_eq!(verdict.record().is_some(), n < entries, "the note is for officers");
        }
    }
}

#[tokio::test]
async fn a_node_without_a_log_says_that_it_has_none() {
    for town in towns().await {
        let path = filed(&town, "2.000635").await;
        let answer = town.get(&an(), &format!("{path}/proofs")).await;
        assert_eq!(answer.status, axum::http::StatusCode::NOT_FOUND);
        assert!(!town.page(&an(), &path).await.body.contains("/proofs"));
    }
}
