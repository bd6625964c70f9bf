//! Verifying what somebody shows: a proof, the proofs of a dossier, the proof of a read, or the evidence of a message. Needs no node and no network.

mod container;
#[cfg(test)]
mod tests;

use ::exchange::journal::evidence::{Stamped, judge_stamp};
use ::ledger::{Cosigner, LARGEST_PROOF, Policy, Proof, VerifierKey, verify};
use base::{Text, Timestamp};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use dossier::service::{LeafSays, PROOFS_FORMAT, Proofs};
use identity::{READ_PROOF_FORMAT, ReadProof, ReadRecord};
use trust::TrustStore;

/// The largest file that is read, in bytes.
pub const LARGEST_FILE: usize = 4 * LARGEST_PROOF;

/// Whom the caller trusts.
#[derive(Debug, Default)]
pub struct Trusted {
    /// The keys of logs; with none, those that come with a file are used, and [`Checked::keys_from_file`] says so.
    pub logs: Vec<VerifierKey>,
    /// The keys of witnesses.
    pub witnesses: Vec<VerifierKey>,
    /// How many of them must have cosigned.
    pub quorum: usize,
    /// The CAs of timestamping authorities.
    pub stampers: Option<TrustStore>,
}

/// What was found in a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checked {
    /// The log that the proofs are of, but for those that name another; empty when there are none.
    pub log: String,
    /// The dossier, if they are those of one.
    pub dossier: Option<String>,
    /// The keys of the log came with the file: they must be compared with those that the agency publishes.
    pub keys_from_file: bool,
    /// The keys that were used.
    pub keys: Vec<String>,
    /// Each proof.
    pub entries: Vec<Entry>,
    /// What is wrong with the file as a whole: at which of its parts, and what.
    pub faults: Vec<(String, Text)>,
}

/// One proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The log, where it is a former one of the node rather than [`Checked::log`].
    pub log: Option<String>,
    /// The place of the leaf.
    pub leaf: u64,
    /// What the leaf says, if that is shown and can be read.
    pub says: Option<Says>,
    /// Entries of the log when the checkpoint was signed.
    pub size: u64,
    /// The trusted witnesses that cosigned that checkpoint.
    pub cosigners: Vec<Cosigner>,
    /// Others that its signature lines name: nobody gave their keys.
    pub strangers: Vec<String>,
    /// What a timestamping authority says, if there is a token.
    pub stamped: Option<Stamped>,
    /// Why it proves nothing.
    pub refusal: Option<Text>,
}

/// What a leaf says, in a few words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Says {
    /// When, by its writer's clock.
    pub at: Timestamp,
    /// Which step of the dossier.
    pub step: Option<i64>,
    /// What happened.
    pub text: Text,
}

impl Checked {
    /// Whether everything in the file is proved.
    pub fn holds(&self) -> bool {
        !self.entries.is_empty() && self.faults.is_empty() && self.entries.iter().all(|entry| entry.refusal.is_none())
    }
}

impl Trusted {
    /// The policy with the caller's keys, or else with those of the file.
    fn policy(&self, from_file: &[VerifierKey]) -> Result<Policy, Text> {
        let keys = if self.logs.is_empty() { from_file } else { &self.logs };
        if keys.is_empty() {
            return Err(Text::new(
                "Chưa có khóa nào để kiểm tra. Lấy khóa của sổ cái từ cơ quan, ví dụ tại trang /ledger.",
                "There is no key to verify with. Get the key of the log from the agency, such as from its page /ledger.",
            ));
        }
        Policy::new(keys.to_vec(), self.witnesses.clone(), self.quorum).map_err(|_| {
            Text::new(
                "Số nhân chứng yêu cầu lớn hơn số khóa nhân chứng đã cho, hoặc một khóa có hai lần.",
                "More witnesses are asked for than keys of witnesses were given, or one key stands twice.",
            )
        })
    }

    /// What the result says of the keys that were used.
    fn used(&self, from_file: &[VerifierKey]) -> (bool, Vec<String>) {
        let keys = if self.logs.is_empty() { from_file } else { &self.logs };
        (self.logs.is_empty(), keys.iter().map(ToString::to_string).collect())
    }
}

/// Reads a file and verifies everything in it.
///
/// # Errors
/// The file holds no proofs, or names no key and none was given.
pub fn check(bytes: &[u8], trusted: &Trusted) -> Result<Checked, Text> {
    if bytes.starts_with(b"PK") {
        return container::check(bytes, trusted);
    }
    match serde_json::from_slice::<Proofs>(bytes) {
        Ok(proofs) if proofs.format == PROOFS_FORMAT => return check_dossier(proofs, trusted),
        _ => {}
    }
    match serde_json::from_slice::<ReadProof>(bytes) {
        Ok(read) if read.format == READ_PROOF_FORMAT => check_read(read, trusted),
        _ => check_proof(bytes, trusted),
    }
}

fn check_read(read: ReadProof, trusted: &Trusted) -> Result<Checked, Text> {
    let own = keys(&read.keys);
    let policy = trusted.policy(&own)?;
    let (mut judged, _) = judge(read.proof.as_bytes(), &policy, Some(&read.log));
    if judged.refusal.is_none() && judged.leaf != read.leaf {
        judged.refusal = Some(Text::new(
            "Bằng chứng này là của mục khác, không phải lượt xem ghi trong tệp.",
            "This proof is of another entry, not of the read that the file names.",
        ));
    }
    if let (None, Some(stamped)) = (&judged.refusal, &read.stamped) {
        match stamp(
            read.proof.as_bytes(),
            stamped.as_bytes(),
            &decoded(&read.tokens),
            &policy,
            trusted,
        ) {
            Ok(stamped) => judged.stamped = Some(stamped),
            Err(why) => judged.refusal = Some(why),
        }
    }
    let (keys_from_file, keys) = trusted.used(&own);
    Ok(Checked {
        log: read.log,
        dossier: None,
        keys_from_file,
        keys,
        entries: vec![judged],
        faults: Vec::new(),
    })
}

fn keys(texts: &[String]) -> Vec<VerifierKey> {
    texts.iter().filter_map(|key| key.parse().ok()).collect()
}

fn decoded(tokens: &[String]) -> Vec<Vec<u8>> {
    let tokens = tokens.iter();
    tokens.filter_map(|token| BASE64_STANDARD.decode(token).ok()).collect()
}

fn check_dossier(proofs: Proofs, trusted: &Trusted) -> Result<Checked, Text> {
    let own = keys(&proofs.keys);
    let policy = trusted.policy(&own)?;
    let tokens = decoded(&proofs.tokens);
    let mut dossier = None;
    let entries = proofs
        .entries
        .iter()
        .map(|entry| {
            let log = entry.log.as_ref().unwrap_or(&proofs.log);
            let (mut judged, says) = judge(entry.proof.as_bytes(), &policy, Some(log));
            judged.log.clone_from(&entry.log);
            if judged.refusal.is_some() {
                return judged;
            }
            let same =
                says.is_none_or(|says| says.seq == entry.seq && *dossier.get_or_insert(says.dossier) == says.dossier);
            if !same || judged.leaf != entry.leaf {
                judged.refusal = Some(Text::new(
                    format!(
                        "Bằng chứng này là của mục khác, không phải bước {} của hồ sơ.",
                        entry.seq
                    ),
                    format!(
                        "This proof is of another entry, not of step {} of the dossier.",
                        entry.seq
                    ),
                ));
            } else if let Some(stamped) = &entry.stamped {
                match stamp(entry.proof.as_bytes(), stamped.as_bytes(), &tokens, &policy, trusted) {
                    Ok(stamped) => judged.stamped = Some(stamped),
                    Err(why) => judged.refusal = Some(why),
                }
            }
            judged
        })
        .collect();
    let (keys_from_file, keys) = trusted.used(&own);
    Ok(Checked {
        log: proofs.log,
        dossier: Some(proofs.dossier),
        keys_from_file,
        keys,
        entries,
        faults: Vec::new(),
    })
}

/// What the one of `tokens` says that is over the checkpoint of `stamped`.
fn stamp(
    proof: &[u8],
    stamped: &[u8],
    tokens: &[Vec<u8>],
    policy: &Policy,
    trusted: &Trusted,
) -> Result<Stamped, Text> {
    let (Ok(proof), Ok(stamped)) = (Proof::parse(proof), Proof::parse(stamped)) else {
        return Err(Text::new(
            "Bằng chứng kèm dấu thời gian không đọc được.",
            "The proof under the timestamp cannot be read.",
        ));
    };
    let mut why = Text::new(
        "Thiếu dấu thời gian cho điểm kiểm này.",
        "The token for this checkpoint is missing.",
    );
    for token in tokens {
        match judge_stamp(&proof, &stamped, token, policy, trusted.stampers.as_ref()) {
            Ok(stamped) => return Ok(stamped),
            Err(flaw) => why = flaw.text,
        }
    }
    Err(why)
}

fn check_proof(bytes: &[u8], trusted: &Trusted) -> Result<Checked, Text> {
    let proof = Proof::parse(bytes).map_err(|_| {
        Text::new(
            "Tệp này không phải là tệp bằng chứng của hồ sơ hay của lượt xem dữ liệu, gói bằng chứng của thông điệp (.asice), cũng không phải là bằng chứng theo định dạng C2SP tlog-proof.",
            "This file holds neither the proofs of a dossier or of a read, nor the evidence of a message (.asice), nor a proof in the format C2SP tlog-proof.",
        )
    })?;
    let (entry, _) = judge(bytes, &trusted.policy(&[])?, None);
    let (_, keys) = trusted.used(&[]);
    Ok(Checked {
        log: proof.checkpoint.checkpoint().origin.clone(),
        keys,
        entries: vec![entry],
        ..Checked::default()
    })
}

fn judge(bytes: &[u8], policy: &Policy, log: Option<&str>) -> (Entry, Option<LeafSays>) {
    let proof = Proof::parse(bytes).ok();
    let mut entry = Entry {
        log: None,
        leaf: proof.as_ref().map_or(0, |proof| proof.index),
        says: None,
        size: proof.as_ref().map_or(0, |proof| proof.checkpoint.checkpoint().size),
        cosigners: Vec::new(),
        strangers: Vec::new(),
        stamped: None,
        refusal: None,
    };
    match verify(bytes, policy, None) {
        Ok(verdict) => {
            entry.refusal = log.filter(|log| *log != verdict.origin).map(|log| {
                Text::new(
                    format!("Bằng chứng này là của sổ cái {}, không phải {log}.", verdict.origin),
                    format!("This proof is of the log {}, not of {log}.", verdict.origin),
                )
            });
            let says = verdict.record().and_then(LeafSays::read);
            entry.says = match &says {
                Some(says) => Some(Says {
                    at: says.at,
                    step: Some(says.seq),
                    text: says.text.clone(),
                }),
                None => verdict.record().and_then(ReadRecord::read).map(|read| Says {
                    at: read.at,
                    step: None,
                    text: read.text(),
                }),
            };
            entry.strangers = proof
                .map(|proof| strangers(&proof, &verdict.cosigners))
                .unwrap_or_default();
            entry.cosigners = verdict.cosigners;
            (entry, says)
        }
        Err(refusal) => {
            entry.refusal = Some(refusal.text());
            (entry, None)
        }
    }
}

/// Whom signature lines name beside the log and the witnesses whose signatures were verified.
fn strangers(proof: &Proof, cosigners: &[Cosigner]) -> Vec<String> {
    let names = proof.checkpoint.note().signatures().iter().map(|line| &line.name);
    names
        .filter(|name| **name != proof.checkpoint.checkpoint().origin)
        .filter(|name| cosigners.iter().all(|cosigner| cosigner.name != **name))
        .cloned()
        .collect()
}
