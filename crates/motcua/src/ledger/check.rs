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
    let entries = proofs
        .entries
        .iter()
        .map(|entry| {
            let judged = judge(entry.proof.as_bytes(), &policy, Some(&proofs.log));
            let wrong_place = judged.leaf != entry.leaf;
            let wrong_entry = judged.says.as_ref().is_some_and(|says| says.seq != entry.seq);
            if judged.refusal.is_none() && (wrong_place || wrong_entry) {
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
                return Entry {
                    refusal: Some(refusal),
                    ..judged
                };
            }
            judged
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
