//! Verifying what somebody shows: a proof, or the proofs of a dossier. Needs no node and no network.

use ::ledger::{LARGEST_PROOF, Policy, Proof, VerifierKey, verify};
use base::Text;
use dossier::service::{LeafSays, PROOFS_FORMAT, Proofs};

/// The largest file that is read, in bytes.
pub const LARGEST_FILE: usize = 4 * LARGEST_PROOF;

/// What was found in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The log that the proofs are of.
    pub log: String,
    /// The dossier, if they are those of one.
    pub dossier: Option<String>,
    /// The keys of the log came with the file: they must be compared with those that the agency publishes.
    pub keys_from_file: bool,
    /// The keys that were used.
    pub keys: Vec<String>,
    /// Each proof.
    pub entries: Vec<Entry>,
}

/// One proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The place of the leaf.
    pub leaf: u64,
    /// What the leaf says, if that is shown and it is an entry of a dossier.
    pub says: Option<LeafSays>,
    /// Entries of the log when the checkpoint was signed.
    pub size: u64,
    /// Why it proves nothing.
    pub refusal: Option<Text>,
}

impl Checked {
    /// Whether everything in the file is proved.
    pub fn holds(&self) -> bool {
        !self.entries.is_empty() && self.entries.iter().all(|entry| entry.refusal.is_none())
    }
}

/// Reads a file and verifies every proof in it. `keys` are those that the caller trusts; with none, those in the file are used
/// and [`Checked::keys_from_file`] says so.
///
/// # Errors
/// The file holds no proofs, or names no key and none was given.
pub fn check(bytes: &[u8], keys: &[VerifierKey]) -> Result<Checked, Text> {
    match serde_json::from_slice::<Proofs>(bytes) {
        Ok(proofs) if proofs.format == PROOFS_FORMAT => check_dossier(proofs, keys),
        _ => check_proof(bytes, keys),
    }
}

fn check_dossier(proofs: Proofs, keys: &[VerifierKey]) -> Result<Checked, Text> {
    let own: Vec<VerifierKey> = proofs.keys.iter().filter_map(|key| key.parse().ok()).collect();
    let used = if keys.is_empty() { own } else { keys.to_vec() };
    let policy = policy(&used)?;
    let mut dossier = None;
    let entries = proofs
        .entries
        .iter()
        .map(|entry| {
            let judged = judge(entry.proof.as_bytes(), &policy, Some(&proofs.log));
            let same = judged
                .says
                .as_ref()
                .is_none_or(|says| says.seq == entry.seq && *dossier.get_or_insert(says.dossier) == says.dossier);
            if judged.refusal.is_some() || (same && judged.leaf == entry.leaf) {
                return judged;
            }
            let refusal = Text::new(
                format!(
                    "Bằng chứng này là của mục khác, không phải bước {} của hồ sơ.",
                    entry.seq
                ),
                format!(
                    "This proof is of another entry, not of step {} of the dossier.",
                    entry.seq
                ),
            );
            Entry {
                refusal: Some(refusal),
                ..judged
            }
        })
        .collect();
    Ok(Checked {
        log: proofs.log,
        dossier: Some(proofs.dossier),
        keys_from_file: keys.is_empty(),
        keys: used.iter().map(ToString::to_string).collect(),
        entries,
    })
}

fn check_proof(bytes: &[u8], keys: &[VerifierKey]) -> Result<Checked, Text> {
    let proof = Proof::parse(bytes).map_err(|_| {
        Text::new(
            "Tệp này không phải là tệp bằng chứng của hồ sơ, cũng không phải là bằng chứng theo định dạng C2SP tlog-proof.",
            "This file holds neither the proofs of a dossier nor a proof in the format C2SP tlog-proof.",
        )
    })?;
    Ok(Checked {
        log: proof.checkpoint.checkpoint().origin.clone(),
        dossier: None,
        keys_from_file: false,
        keys: keys.iter().map(ToString::to_string).collect(),
        entries: vec![judge(bytes, &policy(keys)?, None)],
    })
}

fn policy(keys: &[VerifierKey]) -> Result<Policy, Text> {
    let no_keys = || {
        Text::new(
            "Chưa có khóa nào để kiểm tra. Lấy khóa của sổ cái từ cơ quan, ví dụ tại trang /ledger.",
            "There is no key to verify with. Get the key of the log from the agency, such as from its page /ledger.",
        )
    };
    if keys.is_empty() {
        return Err(no_keys());
    }
    Policy::new(keys.to_vec(), Vec::new(), 0).map_err(|_| no_keys())
}

fn judge(bytes: &[u8], policy: &Policy, log: Option<&str>) -> Entry {
    match verify(bytes, policy, None) {
        Ok(verdict) => Entry {
            leaf: verdict.index,
            size: verdict.size,
            refusal: log.filter(|log| *log != verdict.origin).map(|log| {
                Text::new(
                    format!("Bằng chứng này là của sổ cái {}, không phải {log}.", verdict.origin),
                    format!("This proof is of the log {}, not of {log}.", verdict.origin),
                )
            }),
            says: verdict.record().and_then(LeafSays::read),
        },
        Err(refusal) => {
            let proof = Proof::parse(bytes).ok();
            Entry {
                leaf: proof.as_ref().map_or(0, |p| p.index),
                size: proof.as_ref().map_or(0, |p| p.checkpoint.checkpoint().size),
                says: None,
                refusal: Some(refusal.text()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
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
            leaf,
            proof: log.disclose(leaf).expect("a proof").to_string(),
        });
        let proofs = Proofs {
            format: PROOFS_FORMAT.to_owned(),
            dossier: "H57-1".to_owned(),
            log: LOG.to_owned(),
            keys: vec![verifier.to_string()],
            entries: entries.collect(),
        };
        (dir, verifier, proofs)
    }

    fn found(proofs: &Proofs, keys: &[VerifierKey]) -> Vec<bool> {
        let file = serde_json::to_vec(proofs).expect("JSON");
        let checked = check(&file, keys).expect("a file of proofs");
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
            check(&serde_json::to_vec(&proofs).expect("JSON"), &[])
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
    async fn a_key_of_the_same_name_is_not_the_key() {
        let (_dir, _, proofs) = proofs().await;
        let other = FileKey::generate(LOG, Algorithm::Ed25519).expect("a key").verifier();
        assert_eq!(found(&proofs, &[other]), [false, false, false]);
    }

    #[tokio::test]
    async fn no_byte_of_a_proof_can_be_another() {
        let (_dir, key, proofs) = proofs().await;
        let proof = proofs.entries[1].proof.as_bytes();
        let keys = [key];
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

    #[test]
    fn what_is_no_proof_is_said_to_be_none() {
        for file in [&b""[..], b"{}", b"c2sp.org/tlog-proof@v1\n", &[0xff; 64]] {
            assert!(check(file, &[]).is_err());
        }
    }
}
