//! The log of reads of personal data.

use std::{path::Path, sync::Arc};

use ::store::{params, transact};
use ledger::{Algorithm, FileKey, Kind, Ledger, Ledgers, Log, Options, Policy, Signer, verify};

use super::{
    harness::{Node, START, nodes},
    sign_in::futures_join,
};
use crate::{
    Actor, Config, Ctx, DataRead, NewAccount, OfficerActor, OfficerId, PersonActor, Purpose, ReadRecord, Role, Roles,
};

const NUMBER: &str = "001099012345";

fn officer(node: &Node, agency: &str, roles: &[Role]) -> Ctx {
    let actor = OfficerActor {
        officer: OfficerId::new(node.state.now()),
        name: "Trần Thị Bình".into(),
        title: "Chuyên viên".into(),
        agency: agency.into(),
        roles: Roles::of(roles),
    };
    Ctx {
        actor: Actor::Officer(actor),
        ..node.system()
    }
}

async fn person(node: &Node) -> Ctx {
    numbered(node, NUMBER).await
}

async fn numbered(node: &Node, number: &str) -> Ctx {
    let mut new = NewAccount::named("e-id", number, "Nguyễn Văn An");
    new.person_number = Some(number.into());
    let account = node
        .state
        .create_account(&node.system(), &new)
        .await
        .expect("an account");
    let actor = PersonActor {
        account,
        name: new.name,
        person_number: new.person_number,
        birth_date: None,
        sex: None,
        phone: None,
        email: None,
        assurance: crate::Assurance::Level1,
        organisation: None,
    };
    Ctx {
        actor: Actor::Person(actor),
        ..node.system()
    }
}

fn read<'a>(subject: &'a str, dossier: &'a str) -> DataRead<'a> {
    DataRead {
        subject,
        dossier: Some(dossier),
        purpose: Purpose::CaseHandling,
        what: "Tờ khai",
    }
}

#[tokio::test]
async fn a_person_sees_who_read_their_data_and_nobody_elses() {
    for node in nodes(&Config::default()).await {
        let me = person(&node).await;
        let bình = officer(&node, "H29.1", &[Role::Specialist]);
        let log = node.state.access_log();
        log.record(&bình, read(NUMBER, "H29.1-261121-0001"))
            .await
            .expect("recorded");
        log.record(&bình, read("001099099999", "H29.1-261121-0002"))
            .await
            .expect("recorded");
        log.record(&me, read(NUMBER, "H29.1-261121-0001"))
            .await
            .expect("one's own read");
        let (entries, next) = node.state.reads_of_me(&me, None, 50).await.expect("a list");
        assert!(next.is_none());
        assert_eq!(entries.len(), 1, "{entries:?}");
        assert_eq!(entries[0].actor, "Trần Thị Bình");
        assert_eq!(entries[0].dossier.as_deref(), Some("H29.1-261121-0001"));
        assert_eq!(entries[0].purpose, Purpose::CaseHandling.label());
        assert!(
            node.state.reads_of_me(&bình, None, 50).await.is_err(),
            "an officer has no such list"
        );
    }
}

#[tokio::test]
async fn reads_side_by_side_are_all_kept_and_paged_without_loss() {
    for node in nodes(&Config::default()).await {
        let me = person(&node).await;
        let bình = officer(&node, "H29.1", &[Role::Specialist]);
        let codes: Vec<String> = (0..130).map(|n| format!("H29.1-261121-{n:04}")).collect();
        let written = futures_join(
            codes
                .iter()
                .map(|code| node.state.access_log().record(&bình, read(NUMBER, code))),
        )
        .await;
        assert!(written.iter().all(Result::is_ok));
        let (mut seen, mut before) = (Vec::new(), None);
        loop {
            let (entries, next) = node.state.reads_of_me(&me, before, 50).await.expect("a page");
            assert!(entries.len() <= 50);
            seen.extend(entries.into_iter().filter_map(|entry| entry.dossier));
            match next {
                Some(place) => before = Some(place),
                None => break,
            }
        }
        seen.sort();
        assert_eq!(seen, codes);
    }
}

#[tokio::test]
async fn only_an_auditor_reads_the_log_of_an_agency() {
    for node in nodes(&Config::default()).await {
        let bình = officer(&node, "H29.1", &[Role::Specialist]);
        node.state
            .access_log()
            .record(&bình, read(NUMBER, "H29.1-261121-0001"))
            .await
            .expect("recorded");
        let auditor = officer(&node, "H29", &[Role::Auditor]);
        let list = |dossier| node.state.agency_reads(&auditor, "H29.1", dossier, None);
        assert_eq!(list(None).await.expect("a list").0.len(), 1);
        assert_eq!(list(Some("H29.1-261121-0001")).await.expect("a list").0.len(), 1);
        assert_eq!(list(Some("H29.1-261121-0002")).await.expect("a list").0.len(), 0);
        for role in Role::ALL.into_iter().filter(|role| *role != Role::Auditor) {
            let other = officer(&node, "H29.1", &[role]);
            assert!(
                node.state.agency_reads(&other, "H29.1", None, None).await.is_err(),
                "{role:?}"
            );
        }
        let elsewhere = officer(&node, "H30", &[Role::Auditor]);
        assert!(node.state.agency_reads(&elsewhere, "H29.1", None, None).await.is_err());
    }
}

#[tokio::test]
async fn the_number_itself_is_not_in_the_log() {
    for node in nodes(&Config::default()).await {
        let bình = officer(&node, "H29.1", &[Role::Specialist]);
        node.state
            .access_log()
            .record(&bình, read(NUMBER, "H29.1-261121-0001"))
            .await
            .expect("recorded");
        let rows = crate::store::agency_reads(&node.state.store().read(), "H29.1", None, None, 10)
            .await
            .expect("rows");
        assert_eq!(rows.len(), 1);
        assert!(!format!("{rows:?}").contains(NUMBER));
    }
}

/// A log whose clock is that of the node.
fn ledger(node: &Node, dir: &Path) -> Ledger {
    named(node, dir, "h29.gov.vn/ledger")
}

fn named(node: &Node, dir: &Path, name: &str) -> Ledger {
    let key = FileKey::generate(name, Algorithm::Ed25519).expect("a key");
    let keys = vec![key.verifier()];
    let mut options = Options::new(name, Arc::new(key));
    options.clock = Arc::new(node.clock.clone());
    Ledger {
        log: Arc::new(Log::open(dir, options).expect("a log")),
        keys,
    }
}

/// What the leaves of reads say, in the order of the log.
fn leaves(log: &Log) -> Vec<ReadRecord> {
    let entries = (0..log.size()).map(|leaf| log.entry(leaf).expect("an entry"));
    let reads = entries.filter(|entry| entry.commitment.kind() == Kind::ACCESS);
    reads
        .filter_map(|entry| ReadRecord::read(&entry.opening?.record))
        .collect()
}

async fn settled(log: &Log, size: u64) {
    for _ in 0..500 {
        if log.size() >= size {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{} leaves, not {size}", log.size());
}

#[tokio::test]
async fn each_read_becomes_a_leaf_and_its_person_alone_has_the_proof() {
    for node in nodes(&Config::default()).await {
        let dir = tempfile::tempdir().expect("a folder");
        let (me, other) = (person(&node).await, numbered(&node, "001099099999").await);
        let bình = officer(&node, "H29.1", &[Role::Specialist]);
        let log = node.state.access_log();
        let early = log.record(&bình, read(NUMBER, "H29.1-261121-0001"));
        early.await.expect("recorded before there is a log");
        let (entries, _) = node.state.reads_of_me(&me, None, 50).await.expect("a list");
        assert!(!entries[0].proved);
        assert!(
            node.state.read_proof(&me, entries[0].id).await.is_err(),
            "no log, no proof"
        );

        let ledger = ledger(&node, dir.path());
        node.state.keep_reads_in(ledger.clone()).await.expect("kept");
        settled(&ledger.log, 1).await;
        let codes: Vec<String> = (0..300).map(|n| format!("H29.1-261121-1{n:03}")).collect();
        let written = futures_join(codes.iter().map(|code| log.record(&bình, read(NUMBER, code)))).await;
        assert!(written.iter().all(Result::is_ok));
        // Nobody asks for them: they come by themselves.
        settled(&ledger.log, 301).await;
        let said: std::collections::BTreeSet<_> = leaves(&ledger.log)
            .into_iter()
            .filter_map(|read| read.dossier)
            .collect();
        assert_eq!(said.len(), 301, "each once");

        let (entries, _) = node.state.reads_of_me(&me, None, 50).await.expect("a list");
        let policy = Policy::new(ledger.keys.clone(), Vec::new(), 0).expect("a policy");
        for entry in &entries[..3] {
            assert!(entry.proved);
            let proof = node.state.read_proof(&me, entry.id).await.expect("a proof");
            let verdict = verify(proof.proof.as_bytes(), &policy, None).expect("a proof that holds");
            assert_eq!((verdict.index, verdict.kind()), (proof.leaf, Kind::ACCESS));
            let says = ReadRecord::read(verdict.record().expect("shown")).expect("a read");
            assert_eq!((says.id, says.at.micros()), (entry.id, START));
            assert_eq!(
                (says.by.name.as_str(), &says.dossier),
                ("Trần Thị Bình", &entry.dossier)
            );
            assert!(!proof.proof.contains(NUMBER));
            for stranger in [&other, &bình] {
                assert!(node.state.read_proof(stranger, entry.id).await.is_err());
            }
        }
        let erased = entries[0].request_id;
        let places = node
            .state
            .read_leaves_of(ledger.log.origin(), erased)
            .await
            .expect("leaves");
        assert!(!places.is_empty());
        node.state
            .forget_reads("another.gov.vn/ledger", &places)
            .await
            .expect("nothing");
        assert_eq!(
            node.state
                .read_leaves_of(ledger.log.origin(), erased)
                .await
                .expect("leaves"),
            places
        );
        node.state
            .forget_reads(ledger.log.origin(), &places)
            .await
            .expect("forgotten");
        assert!(
            node.state
                .read_leaves_of(ledger.log.origin(), erased)
                .await
                .expect("leaves")
                .is_empty()
        );
        assert!(node.state.read_proof(&me, entries[0].id).await.is_err());
    }
}

#[tokio::test]
async fn a_read_in_a_log_that_ended_stays_proved() {
    let config = Config::default();
    for node in nodes(&config).await {
        let (old, new) = (
            tempfile::tempdir().expect("a folder"),
            tempfile::tempdir().expect("a folder"),
        );
        let me = person(&node).await;
        let bình = officer(&node, "H29.1", &[Role::Specialist]);
        let first = ledger(&node, old.path());
        let keys = first.keys.clone();
        node.state.keep_reads_in(first).await.expect("kept");
        let early = node
            .state
            .access_log()
            .record(&bình, read(NUMBER, "H29.1-261121-0001"))
            .await;
        early.expect("recorded");
        let (entries, _) = node.state.reads_of_me(&me, None, 50).await.expect("a list");
        let before = node.state.read_proof(&me, entries[0].id).await.expect("a proof");

        // The node stops, which lets its log go in a moment; that log ends, and the node begins another.
        let node = node.restarted(&config);
        let mut tries = 0;
        let log = loop {
            match Log::open_ended(old.path()) {
                Ok(log) => break Arc::new(log),
                Err(error) => assert!(tries < 500, "{error}"),
            }
            tries += 1;
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        };
        let present = named(&node, new.path(), "h29.gov.vn/ledger-2");
        let ledgers = Ledgers {
            present: present.clone(),
            former: vec![Ledger {
                log,
                keys: keys.clone(),
            }],
        };
        node.state.keep_reads_in(ledgers).await.expect("kept");
        let late = node
            .state
            .access_log()
            .record(&bình, read(NUMBER, "H29.1-261121-0002"))
            .await;
        late.expect("recorded");
        let (entries, _) = node.state.reads_of_me(&me, None, 50).await.expect("a list");
        assert_eq!(entries.len(), 2);
        let mut logs = Vec::new();
        for entry in &entries {
            let proof = node.state.read_proof(&me, entry.id).await.expect("a proof");
            let own = match proof.log.as_str() {
                "h29.gov.vn/ledger" => keys.clone(),
                _ => present.keys.clone(),
            };
            assert_eq!(proof.keys, own.iter().map(ToString::to_string).collect::<Vec<_>>());
            let policy = Policy::new(own, Vec::new(), 0).expect("a policy");
            let verdict = verify(proof.proof.as_bytes(), &policy, None).expect("it holds");
            assert_eq!(verdict.origin, proof.log);
            assert_eq!(
                ReadRecord::read(verdict.record().expect("shown")).expect("a read").id,
                entry.id
            );
            logs.push(proof.log);
        }
        logs.sort();
        assert_eq!(logs, ["h29.gov.vn/ledger", "h29.gov.vn/ledger-2"]);
        let again = entries
            .iter()
            .find(|entry| entry.dossier.as_deref() == Some("H29.1-261121-0001"));
        let again = node
            .state
            .read_proof(&me, again.expect("it").id)
            .await
            .expect("a proof");
        assert_eq!((again.leaf, again.log), (before.leaf, before.log));
    }
}

#[tokio::test]
async fn a_read_gets_one_leaf_even_if_the_process_dies_before_its_place_is_noted() {
    for node in nodes(&Config::default()).await {
        let dir = tempfile::tempdir().expect("a folder");
        let me = person(&node).await;
        let bình = officer(&node, "H29.1", &[Role::Specialist]);
        let ledger = ledger(&node, dir.path());
        node.state.keep_reads_in(ledger.clone()).await.expect("kept");
        for n in 0..5 {
            let code = format!("H29.1-261121-000{n}");
            node.forward(1);
            node.state
                .access_log()
                .record(&bình, read(NUMBER, &code))
                .await
                .expect("recorded");
        }
        let (before, _) = node.state.reads_of_me(&me, None, 50).await.expect("a list");
        assert!(before.iter().all(|entry| entry.proved));
        assert_eq!(ledger.log.size(), 5);
        let mut known = Vec::new();
        for entry in &before {
            known.push(node.state.read_proof(&me, entry.id).await.expect("a proof").leaf);
        }

        // The log has the last three, the table does not.
        transact!(node.state.store(), |tx| {
            tx.exec(
                "UPDATE access_log SET leaf = NULL, log = NULL WHERE leaf >= 2",
                params![],
            )
            .await
        })
        .expect("forgotten");
        node.state.keep_reads_in(ledger.clone()).await.expect("recovered");
        let mut found = Vec::new();
        for entry in &before {
            found.push(node.state.read_proof(&me, entry.id).await.expect("a proof").leaf);
        }
        assert_eq!(found, known);
        assert_eq!(ledger.log.size(), 5, "no second leaves");
    }
}
