//! Files that people show: what holds, and what an attacker would try.

use std::sync::Arc;

use ::ledger::{Algorithm, FileKey, Kind, Log, Options, Signer as _};
use dossier::service::EntryProof;

use super::*;

const LOG: &str = "h57.gov.vn/ledger";

fn entry(dossier: u8, seq: i64) -> Vec<u8> {
    let id = uuid::Uuid::from_bytes([dossier; 16]);
    let entry = serde_json::json!({
        "seq": seq, "at": 1, "actor": {"kind": "system", "id": null, "name": "x", "title": "", "agency": ""},
        "request_id": uuid::Uuid::nil(), "action": {"do": "noted", "text": "x"},
    });
    format!("{{\"dossier\":\"{id}\",\"entry\":{entry}}}").into_bytes()
}

/// The proofs of two steps of one dossier and of one of another, under a key.
async fn proofs() -> (tempfile::TempDir, VerifierKey, Proofs) {
    let dir = tempfile::tempdir().expect("a folder");
    let key = FileKey::generate(LOG, Algorithm::Ed25519).expect("a key");
    let verifier = key.verifier();
    let log = Log::open(dir.path(), Options::new(LOG, Arc::new(key))).expect("a log");
    let records = [entry(1, 1), entry(1, 2), entry(2, 3)];
    for record in &records {
        assert!(LeafSays::read(record).is_some(), "{}", String::from_utf8_lossy(record));
        log.append(Kind::ACTION, record.clone()).await.expect("appended");
    }
    let entries = (0..3).map(|leaf| EntryProof {
        seq: i64::try_from(leaf).expect("small") + 1,
        log: None,
        leaf,
        proof: log.disclose(leaf).expect("a proof").to_string(),
        stamped: None,
    });
    let proofs = Proofs {
        format: PROOFS_FORMAT.to_owned(),
        dossier: "H57-1".to_owned(),
        log: LOG.to_owned(),
        keys: vec![verifier.to_string()],
        entries: entries.collect(),
        tokens: Vec::new(),
    };
    (dir, verifier, proofs)
}

fn trusting(keys: &[VerifierKey]) -> Trusted {
    Trusted {
        logs: keys.to_vec(),
        ..Trusted::default()
    }
}

fn found(proofs: &Proofs, keys: &[VerifierKey]) -> Vec<bool> {
    let file = serde_json::to_vec(proofs).expect("JSON");
    let checked = check(&file, &trusting(keys)).expect("a file of proofs");
    assert_eq!(checked.keys_from_file, keys.is_empty());
    checked.entries.iter().map(|e| e.refusal.is_none()).collect()
}

#[tokio::test]
async fn each_proof_holds_for_its_own_step_of_its_own_dossier() {
    let (_dir, key, mut proofs) = proofs().await;
    assert_eq!(
        found(&proofs, &[]),
        [true, true, false],
        "the third is of another dossier"
    );
    assert_eq!(found(&proofs, std::slice::from_ref(&key)), [true, true, false]);
    proofs.entries.truncate(2);
    assert!(
        check(&serde_json::to_vec(&proofs).expect("JSON"), &trusting(&[]))
            .expect("proofs")
            .holds()
    );
    let mut swapped = proofs.clone();
    swapped.entries[0].proof = proofs.entries[1].proof.clone();
    assert_eq!(found(&swapped, &[]), [false, true]);
    let mut moved = proofs.clone();
    moved.entries[1].leaf = 7;
    assert_eq!(found(&moved, &[]), [true, false]);
    let mut renamed = proofs.clone();
    renamed.log = "h58.gov.vn/ledger".to_owned();
    assert_eq!(found(&renamed, &[]), [false, false]);
}

#[tokio::test]
async fn steps_of_a_former_log_are_proved_under_its_own_name_and_key() {
    const FORMER: &str = "h57.gov.vn/ledger-1";
    let (_dir, present, mut proofs) = proofs().await;
    proofs.entries.truncate(2);
    let dir = tempfile::tempdir().expect("a folder");
    let key = FileKey::generate(FORMER, Algorithm::Ed25519).expect("a key");
    let former = key.verifier();
    let log = Log::open(dir.path(), Options::new(FORMER, Arc::new(key))).expect("a log");
    log.append(Kind::ACTION, entry(1, 3)).await.expect("appended");
    log.append(Kind::ACTION, entry(2, 4)).await.expect("appended");
    let of_former = |leaf: u64, seq: i64| EntryProof {
        seq,
        log: Some(FORMER.to_owned()),
        leaf,
        proof: log.disclose(leaf).expect("a proof").to_string(),
        stamped: None,
    };
    proofs.entries.push(of_former(0, 3));
    proofs.keys.push(former.to_string());
    let both = [present.clone(), former.clone()];
    assert_eq!(found(&proofs, &[]), [true, true, true]);
    assert_eq!(found(&proofs, &both), [true, true, true]);
    assert_eq!(
        found(&proofs, &[present]),
        [true, true, false],
        "nobody vouches for the former key"
    );
    let mut nameless = proofs.clone();
    nameless.entries[2].log = None;
    assert_eq!(found(&nameless, &both), [true, true, false]);
    let mut renamed = proofs.clone();
    renamed.entries[0].log = Some(FORMER.to_owned());
    assert_eq!(found(&renamed, &both), [false, true, true]);
    proofs.entries.push(of_former(1, 4));
    assert_eq!(found(&proofs, &both), [true, true, true, false], "of another dossier");
}

#[tokio::test]
async fn a_key_of_the_same_name_is_not_the_key() {
    let (_dir, _, proofs) = proofs().await;
    let other = FileKey::generate(LOG, Algorithm::Ed25519).expect("a key").verifier();
    assert_eq!(found(&proofs, &[other]), [false, false, false]);
}

#[tokio::test]
async fn no_byte_of_a_proof_can_be_another() {
    let (_dir, key, proofs) = proofs().await;
    let proof = proofs.entries[1].proof.as_bytes();
    let keys = trusting(&[key]);
    assert!(check(proof, &keys).expect("a proof").holds());
    for at in 0..proof.len() {
        let mut altered = proof.to_vec();
        altered[at] ^= 1;
        assert!(
            !check(&altered, &keys).is_ok_and(|checked| checked.holds()),
            "byte {at}"
        );
    }
}

#[tokio::test]
async fn the_proof_of_a_read_says_who_read_and_why_and_is_of_no_other_leaf() {
    let dir = tempfile::tempdir().expect("a folder");
    let key = FileKey::generate(LOG, Algorithm::Ed25519).expect("a key");
    let verifier = key.verifier();
    let log = Log::open(dir.path(), Options::new(LOG, Arc::new(key))).expect("a log");
    for n in 0..2 {
        let record = ReadRecord {
            id: uuid::Uuid::from_bytes([n; 16]),
            at: Timestamp::from_micros(1),
            request: uuid::Uuid::nil(),
            by: identity::ReadBy {
                kind: "officer".to_owned(),
                id: None,
                name: "Trần Thị Bình".to_owned(),
                agency: "H29.1".to_owned(),
            },
            subject: "00".to_owned(),
            dossier: None,
            purpose: "case-handling".to_owned(),
            what: "Tờ khai".to_owned(),
        };
        let record = serde_json::to_vec(&record).expect("JSON");
        log.append(Kind::ACCESS, record).await.expect("appended");
    }
    let file = ReadProof {
        format: READ_PROOF_FORMAT.to_owned(),
        log: LOG.to_owned(),
        keys: vec![verifier.to_string()],
        leaf: 1,
        proof: log.disclose(1).expect("a proof").to_string(),
        stamped: None,
        tokens: Vec::new(),
    };
    let checked = |file: &ReadProof, keys: &[VerifierKey]| {
        check(&serde_json::to_vec(file).expect("JSON"), &trusting(keys)).expect("a proof")
    };
    let found = checked(&file, &[]);
    assert!(found.holds() && found.keys_from_file);
    let says = found.entries[0].says.as_ref().expect("shown");
    assert!(
        says.text.vi.contains("Trần Thị Bình (H29.1) xem: Tờ khai"),
        "{}",
        says.text.vi
    );
    assert!(checked(&file, &[verifier]).holds());

    let other = FileKey::generate(LOG, Algorithm::Ed25519).expect("a key").verifier();
    assert!(!checked(&file, &[other]).holds());
    let moved = ReadProof {
        leaf: 0,
        ..file.clone()
    };
    assert!(!checked(&moved, &[]).holds());
    // What is erased is still proved to have been there.
    log.erase(1).expect("erased");
    let erased = ReadProof {
        proof: log.disclose(1).expect("a proof").to_string(),
        ..file
    };
    let found = checked(&erased, &[]);
    assert!(found.holds() && found.entries[0].says.is_none());
}

#[test]
fn what_is_no_proof_is_said_to_be_none() {
    for file in [&b""[..], b"{}", b"c2sp.org/tlog-proof@v1\n", &[0xff; 64]] {
        assert!(check(file, &trusting(&[])).is_err());
    }
}
