//! Judging a container, offline.

use std::collections::BTreeMap;

use base::Text;
use base64::{Engine, prelude::BASE64_STANDARD};
use ledger::{Commitment, Cosigner, Kind, Opening, Policy, Proof, SALT_BYTES, Salt, SignedCheckpoint};
use serde::Serialize;
use trust::TrustStore;

use super::{
    CHECKPOINT, DIRECTORY, KEYS, MANIFEST, MEDIA_TYPE, MIMETYPE, PROOF, README, Role, SALT, STAMPED,
    STAMPED_CHECKPOINT, Stamped, TOKEN, judge_stamp,
    manifest::{manifest, reference},
};
use crate::{
    model::{
        Field,
        headers::{CLIENT, ID, REQUEST_ID, SERVICE},
        message::{AnswerRecord, RequestRecord},
        tracker::ReadRecord,
    },
    zip,
};

/// The largest container that is looked into, in bytes.
const LARGEST: usize = 16 << 20;

/// What a container proves, and all that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The leaves that it has.
    pub leaves: Vec<LeafReport>,
    /// What is wrong. Empty: it is whole, and all that [`Self::leaves`] say is proved.
    pub faults: Vec<Fault>,
}

impl Report {
    /// Whether nothing is wrong and something is proved.
    pub fn is_whole(&self) -> bool {
        self.faults.is_empty() && !self.leaves.is_empty()
    }

    fn fault(&mut self, code: &'static str, at: impl Into<String>, vi: impl Into<String>, en: impl Into<String>) {
        self.faults.push(Fault {
            code,
            at: at.into(),
            text: Text::new(vi, en),
        });
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// A stable name: `record-altered`, `proof-swapped`, `unknown-log`, `salt-missing` …
    pub code: &'static str,
    /// In which file; empty for the whole.
    pub at: String,
    /// What it means.
    #[serde(flatten)]
    pub text: Text,
}

/// One leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafReport {
    /// What it is.
    pub role: Role,
    /// In which log.
    pub origin: String,
    /// Where in it, from 0.
    pub index: u64,
    /// Leaves of the tree that it is proved in.
    pub size: u64,
    /// The witnesses that the policy knows and that cosigned.
    pub cosigners: Vec<Cosigner>,
    /// What a timestamping authority says of it, if the container has a stamp.
    pub stamped: Option<Stamped>,
    /// What it says.
    pub record: Vec<u8>,
}

/// Judges a container by the keys in `policy`, and its timestamp by the CAs in `stampers`, if any are given. Nothing in it is
/// believed for being in it: neither its keys nor its entry of the directory.
///
/// Faults: `container-too-large`, `container-malformed`, `container-form`, `media-type`, `file-missing`, `file-unknown`,
/// `file-altered`, `manifest-altered`, `salt-missing`, `salt-malformed`, `record-missing`, `record-altered`, `record-malformed`,
/// `proof-missing`, `proof-swapped`, `proof-kind`, `checkpoint-other`, `answer-of-another-request`, `read-of-another-request`,
/// `timestamp-incomplete`, `nothing-proved`; those of [`super::StampFlaw::code`]; and those of [`ledger::Refusal::code`]:
/// `malformed-proof`, `unknown-log`, `bad-signature`, `too-few-witnesses`, `not-included`.
pub fn verify_container(bytes: &[u8], policy: &Policy, stampers: Option<&TrustStore>) -> Report {
    let mut report = Report::default();
    if bytes.len() > LARGEST {
        report.fault(
            "container-too-large",
            "",
            "Tệp lớn hơn 16 MiB.",
            "The file is larger than 16 MiB.",
        );
        return report;
    }
    let Some(files) = zip::read(bytes) else {
        report.fault(
            "container-malformed",
            "",
            "Đây không phải là tệp bằng chứng: không đọc được cấu trúc ZIP.",
            "This is no evidence container: its ZIP structure cannot be read.",
        );
        return report;
    };
    if zip::write(&files) != bytes {
        report.fault(
            "container-form",
            "",
            "Tệp không ở dạng duy nhất mà nút ghi ra: có byte đã bị thay đổi.",
            "The file is not in the one form that a node writes: bytes of it were changed.",
        );
    }
    check_files(&files, &mut report);
    let content: BTreeMap<&str, &[u8]> = files
        .iter()
        .map(|(name, content)| (name.as_str(), content.as_slice()))
        .collect();
    let checkpoint = content
        .get(CHECKPOINT)
        .and_then(|bytes| SignedCheckpoint::parse(bytes).ok());
    let trusted = Trusted { policy, stampers };
    let mut leaves = Vec::new();
    for role in Role::ALL {
        if content.keys().any(|name| name.split('/').next() == Some(role.code())) {
            leaves.extend(read_leaf(role, &content, &mut report));
        }
    }
    for leaf in &leaves {
        judge_leaf(leaf, &leaves, checkpoint.as_ref(), &content, trusted, &mut report);
    }
    check_pair(&leaves, &mut report);
    if report.leaves.is_empty() && report.faults.is_empty() {
        report.fault(
            "nothing-proved",
            "",
            "Tệp không có bản ghi nào.",
            "There is no record in the file.",
        );
    }
    report
}

/// The files are those of a container, in its order, with the digests of its manifest.
fn check_files(files: &[zip::Entry], report: &mut Report) {
    match files.first() {
        Some((name, content)) if name == MIMETYPE && content == MEDIA_TYPE.as_bytes() => {}
        _ => report.fault(
            "media-type",
            MIMETYPE,
            "Tệp đầu tiên phải là mimetype với loại ASiC-E.",
            "The first file is mimetype, with the type of ASiC-E.",
        ),
    }
    let known = |name: &str| {
        [
            MIMETYPE,
            README,
            CHECKPOINT,
            KEYS,
            DIRECTORY,
            MANIFEST,
            STAMPED_CHECKPOINT,
            TOKEN,
        ]
        .contains(&name)
            || Role::ALL
                .iter()
                .any(|role| name == role.record() || [SALT, PROOF, STAMPED].iter().any(|file| name == role.file(file)))
    };
    for (n, (name, _)) in files.iter().enumerate() {
        if !known(name) || files[..n].iter().any(|(earlier, _)| earlier == name) {
            report.fault(
                "file-unknown",
                name,
                "Tệp này không thuộc một gói bằng chứng, hoặc có hai lần.",
                "This file does not belong into a container, or is there twice.",
            );
        }
    }
    for must in [README, CHECKPOINT, KEYS, MANIFEST] {
        if !files.iter().any(|(name, _)| name == must) {
            report.fault("file-missing", must, "Thiếu tệp này.", "This file is missing.");
        }
    }
    let Some((manifest_at, said)) = files
        .iter()
        .enumerate()
        .find_map(|(n, (name, content))| (name == MANIFEST).then(|| (n, String::from_utf8_lossy(content))))
    else {
        return;
    };
    let (before, after) = (&files[..manifest_at], &files[manifest_at + 1..]);
    if manifest(before) == said && after.is_empty() {
        return;
    }
    let altered: Vec<&String> = before
        .iter()
        .chain(after)
        .filter(|(name, content)| name != MIMETYPE && !said.contains(&reference(name, content)))
        .map(|(name, _)| name)
        .collect();
    for name in &altered {
        report.fault(
            "file-altered",
            *name,
            "Nội dung tệp không khớp với giá trị băm trong bảng kê.",
            "The file does not have the digest that the manifest gives.",
        );
    }
    if altered.is_empty() {
        report.fault(
            "manifest-altered",
            MANIFEST,
            "Bảng kê đã bị thay đổi.",
            "The manifest was changed.",
        );
    }
}

/// Whom the caller trusts.
#[derive(Clone, Copy)]
struct Trusted<'a> {
    policy: &'a Policy,
    stampers: Option<&'a TrustStore>,
}

/// A leaf as it was read.
struct Leaf {
    role: Role,
    opening: Opening,
    proof: Proof,
}

fn read_leaf(role: Role, content: &BTreeMap<&str, &[u8]>, report: &mut Report) -> Option<Leaf> {
    let (salt_file, proof_file) = (role.file(SALT), role.file(PROOF));
    let record = content.get(role.record());
    if record.is_none() {
        report.fault(
            "record-missing",
            role.record(),
            "Thiếu bản ghi: không biết lá này nói gì.",
            "The record is missing: what the leaf says is not known.",
        );
    }
    let salt = match content.get(salt_file.as_str()) {
        None => {
            report.fault(
                "salt-missing",
                &salt_file,
                "Thiếu muối: không mở được cam kết của lá.",
                "The salt is missing: the commitment of the leaf cannot be opened.",
            );
            None
        }
        Some(text) => {
            let salt = read_salt(text);
            if salt.is_none() {
                report.fault(
                    "salt-malformed",
                    &salt_file,
                    "Muối phải là 32 byte dạng base64 trên một dòng.",
                    "A salt is 32 bytes in base64, on one line.",
                );
            }
            salt
        }
    };
    let proof = match content.get(proof_file.as_str()).map(|bytes| Proof::parse(bytes)) {
        None => {
            report.fault(
                "proof-missing",
                &proof_file,
                "Thiếu bằng chứng: không biết lá có trong sổ cái hay không.",
                "The proof is missing: whether the leaf is in the log is not known.",
            );
            None
        }
        Some(Err(flaw)) => {
            refused(&flaw.into(), &proof_file, report);
            None
        }
        Some(Ok(proof)) => Some(proof),
    };
    Some(Leaf {
        role,
        opening: Opening {
            salt: salt?,
            record: record?.to_vec(),
        },
        proof: proof?,
    })
}

fn read_salt(text: &[u8]) -> Option<Salt> {
    let bytes = BASE64_STANDARD.decode(text.strip_suffix(b"\n")?).ok()?;
    <[u8; SALT_BYTES]>::try_from(bytes).ok().map(Salt)
}

fn refused(refusal: &ledger::Refusal, at: &str, report: &mut Report) {
    let text = refusal.text();
    report.fault(refusal.code(), at, text.vi, text.en);
}

fn judge_leaf(
    leaf: &Leaf,
    all: &[Leaf],
    checkpoint: Option<&SignedCheckpoint>,
    content: &BTreeMap<&str, &[u8]>,
    trusted: Trusted<'_>,
    report: &mut Report,
) {
    let before = report.faults.len();
    let (role, proof) = (leaf.role, &leaf.proof);
    let proof_file = role.file(PROOF);
    let kind = match role {
        Role::Request | Role::Answer => Kind::MESSAGE,
        Role::Read => Kind::READ,
    };
    if checkpoint != Some(&proof.checkpoint) {
        report.fault(
            "checkpoint-other",
            &proof_file,
            "Bằng chứng dẫn tới điểm kiểm khác với tệp checkpoint.",
            "The proof leads to another checkpoint than the file checkpoint has.",
        );
    }
    let cosigners = trusted.policy.judge(&proof.checkpoint).unwrap_or_else(|refusal| {
        refused(&refusal, CHECKPOINT, report);
        Vec::new()
    });
    if let Err(refusal) = proof.check(None) {
        refused(&refusal, &proof_file, report);
    }
    if proof.commitment.kind() != kind {
        report.fault(
            "proof-kind",
            &proof_file,
            "Lá này thuộc loại khác.",
            "The leaf is of another kind.",
        );
    }
    let committed = Commitment::new(kind, &leaf.opening.salt, &leaf.opening.record);
    if committed != proof.commitment {
        let owner = all
            .iter()
            .find(|other| other.role != role && opens(other, &proof.commitment));
        match owner {
            Some(other) => report.fault(
                "proof-swapped",
                &proof_file,
                format!("Đây là bằng chứng của {}.", other.role.record()),
                format!("This is the proof of {}.", other.role.record()),
            ),
            None => report.fault(
                "record-altered",
                role.record(),
                "Bản ghi hoặc muối không phải là điều mà lá trong sổ cái cam kết.",
                "Record or salt is not what the leaf in the log commits to.",
            ),
        }
    }
    let readable = match role {
        Role::Request => RequestRecord::parse(&leaf.opening.record).is_ok(),
        Role::Answer => AnswerRecord::parse(&leaf.opening.record).is_ok(),
        Role::Read => serde_json::from_slice::<ReadRecord>(&leaf.opening.record).is_ok(),
    };
    if !readable {
        report.fault(
            "record-malformed",
            role.record(),
            "Bản ghi không đúng dạng của docs/protocol.md.",
            "The record has not the form of docs/protocol.md.",
        );
    }
    let stamped = judge_timestamp(leaf, content, trusted, report);
    if report.faults.len() == before {
        let tree = proof.checkpoint.checkpoint();
        report.leaves.push(LeafReport {
            role,
            origin: tree.origin.clone(),
            index: proof.index,
            size: tree.size,
            cosigners,
            stamped,
            record: leaf.opening.record.clone(),
        });
    }
}

/// The timestamp of a leaf: all of its three files, or none.
fn judge_timestamp(
    leaf: &Leaf,
    content: &BTreeMap<&str, &[u8]>,
    trusted: Trusted<'_>,
    report: &mut Report,
) -> Option<Stamped> {
    let file = leaf.role.file(STAMPED);
    let (proof, checkpoint, token) = (
        content.get(file.as_str()),
        content.get(STAMPED_CHECKPOINT),
        content.get(TOKEN),
    );
    if proof.is_none() && checkpoint.is_none() && token.is_none() {
        return None;
    }
    let (Some(proof), Some(checkpoint), Some(token)) = (proof, checkpoint, token) else {
        report.fault(
            "timestamp-incomplete",
            &file,
            "Dấu thời gian thiếu tệp: cần timestamp/checkpoint, timestamp/token.tst và stamped.txt.",
            "The timestamp lacks a file: timestamp/checkpoint, timestamp/token.tst and stamped.txt belong together.",
        );
        return None;
    };
    let proof = match Proof::parse(proof) {
        Ok(proof) if proof.checkpoint.to_string().as_bytes() == *checkpoint => proof,
        Ok(_) => {
            report.fault(
                "checkpoint-other",
                &file,
                "Bằng chứng dẫn tới điểm kiểm khác với tệp timestamp/checkpoint.",
                "The proof leads to another checkpoint than the file timestamp/checkpoint has.",
            );
            return None;
        }
        Err(malformed) => {
            refused(&malformed.into(), &file, report);
            return None;
        }
    };
    judge_stamp(&leaf.proof, &proof, token, trusted.policy, trusted.stampers)
        .map_err(|flaw| report.fault(flaw.code, TOKEN, flaw.text.vi, flaw.text.en))
        .ok()
}

fn opens(leaf: &Leaf, commitment: &Commitment) -> bool {
    Commitment::new(commitment.kind(), &leaf.opening.salt, &leaf.opening.record) == *commitment
}

/// The answer is to this request, and the read is of it.
fn check_pair(leaves: &[Leaf], report: &mut Report) {
    let find = |role: Role| leaves.iter().find(|leaf| leaf.role == role);
    let Some((request, leaf)) =
        find(Role::Request).and_then(|leaf| Some((RequestRecord::parse(&leaf.opening.record).ok()?, leaf)))
    else {
        return;
    };
    let request_id = text(request.fields(), REQUEST_ID);
    if let Some(answer) = find(Role::Answer).and_then(|leaf| AnswerRecord::parse(&leaf.opening.record).ok()) {
        let same = [CLIENT, ID, REQUEST_ID]
            .iter()
            .all(|name| text(request.fields(), name) == text(answer.fields(), name))
            && text(answer.fields(), SERVICE) == Some(&request.target().service().to_string());
        // The answer covers the leaf in the log of who asked; the provider has the request under a salt of its own.
        let own = leaf.proof.checkpoint.checkpoint().origin == request.sender().as_str();
        if !same || own && leaf.proof.commitment.leaf().0 != answer.request().0 {
            report.fault(
                "answer-of-another-request",
                Role::Answer.record(),
                "Câu trả lời này thuộc về một yêu cầu khác.",
                "This answers another request.",
            );
        }
    }
    let read = find(Role::Read).and_then(|leaf| serde_json::from_slice::<ReadRecord>(&leaf.opening.record).ok());
    if read.is_some_and(|read| Some(read.request.to_string().as_str()) != request_id) {
        report.fault(
            "read-of-another-request",
            Role::Read.record(),
            "Lượt đọc này thuộc về một yêu cầu khác.",
            "This read belongs to another request.",
        );
    }
}

fn text<'a>(fields: &'a [Field], name: &str) -> Option<&'a str> {
    fields.iter().find(|field| field.is(name)).and_then(Field::text)
}
