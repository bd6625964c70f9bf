//! What travels with a message to prove that the sender's log has its record: a salt, an inclusion proof and the
//! checkpoint that it leads to. The leaf is not sent: salt and record give it. Checkpoint and proof are apart, because the
//! messages of one batch have the same checkpoint: on one connection it is sent once, and the header compression of HTTP/2
//! has the rest.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use ledger::{Hash, tree::LONGEST_PATH};

use crate::model::{
    field::{Field, LONGEST_VALUE},
    reason::reasons,
};

/// The header with the salt of the commitment, 32 bytes.
const SALT: &str = "motcua-salt";
/// The header with the inclusion proof: the place of the leaf (8 bytes, the highest first), then the hashes.
const PROOF: &str = "motcua-proof";
/// The header with the checkpoint: a signed note.
const CHECKPOINT: &str = "motcua-checkpoint";

reasons! {
    /// Why a message has no evidence.
    pub enum EvidenceFlaw {
        Missing = "evidence-missing",
            "Thông điệp phải có đúng một Motcua-Salt, một Motcua-Proof và một Motcua-Checkpoint.",
            "The message has to have one Motcua-Salt, one Motcua-Proof and one Motcua-Checkpoint.";
        Malformed = "evidence-malformed",
            "Motcua-Salt, Motcua-Proof hoặc Motcua-Checkpoint không phải là base64 chuẩn, hoặc sai độ dài.",
            "Motcua-Salt, Motcua-Proof or Motcua-Checkpoint is no standard base64, or has the wrong length.";
        TooLarge = "evidence-too-large",
            "Điểm kiểm lớn hơn 8 KiB khi mã hóa; bỏ bớt chữ ký của nhân chứng.",
            "The checkpoint is larger than 8 KiB when it is encoded; send fewer cosignatures.";
    }
}

/// Where in the sender's log a record is said to be. Nothing in it is verified here: that is the ledger's.
#[derive(Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The key of the commitment. With it the receiver, who has the record, makes the leaf.
    pub salt: [u8; 32],
    /// The place of the leaf, from 0.
    pub index: u64,
    /// The inclusion proof, from the leaf's sibling up (RFC 6962, 2.1.1).
    pub path: Vec<Hash>,
    /// The checkpoint that it leads to: a signed note, as text.
    pub checkpoint: Vec<u8>,
}

impl Evidence {
    /// The fields to send.
    ///
    /// # Errors
    /// [`EvidenceFlaw::TooLarge`] when the checkpoint does not fit a header.
    pub fn to_fields(&self) -> Result<[Field; 3], EvidenceFlaw> {
        let mut proof = Vec::with_capacity(8 + 32 * self.path.len());
        proof.extend(self.index.to_be_bytes());
        self.path.iter().for_each(|hash| proof.extend(hash.0));
        let checkpoint = BASE64_STANDARD.encode(&self.checkpoint);
        if checkpoint.len() > LONGEST_VALUE {
            return Err(EvidenceFlaw::TooLarge);
        }
        Ok([
            Field::ours(SALT, BASE64_STANDARD.encode(self.salt)),
            Field::ours(PROOF, BASE64_STANDARD.encode(proof)),
            Field::ours(CHECKPOINT, checkpoint),
        ])
    }

    /// Reads the fields of a message.
    ///
    /// # Errors
    /// [`EvidenceFlaw`] when one is missing, stands twice, or is not what [`Evidence::to_fields`] would send.
    pub fn from_fields(fields: &[Field]) -> Result<Self, EvidenceFlaw> {
        let salt = decoded(fields, SALT)?.try_into().map_err(|_| EvidenceFlaw::Malformed)?;
        let (proof, checkpoint) = (decoded(fields, PROOF)?, decoded(fields, CHECKPOINT)?);
        let (index, path) = proof.split_first_chunk().ok_or(EvidenceFlaw::Malformed)?;
        let (path, rest) = path.as_chunks();
        if path.len() > LONGEST_PATH || !rest.is_empty() {
            return Err(EvidenceFlaw::Malformed);
        }
        Ok(Self {
            salt,
            index: u64::from_be_bytes(*index),
            path: path.iter().copied().map(Hash).collect(),
            checkpoint,
        })
    }
}

impl fmt::Debug for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Evidence(leaf {}, {} hashes)", self.index, self.path.len())
    }
}

fn decoded(fields: &[Field], name: &str) -> Result<Vec<u8>, EvidenceFlaw> {
    let mut found = fields.iter().filter(|field| field.is(name));
    let (Some(field), None) = (found.next(), found.next()) else {
        return Err(EvidenceFlaw::Missing);
    };
    BASE64_STANDARD
        .decode(field.value())
        .map_err(|_| EvidenceFlaw::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence() -> Evidence {
        Evidence {
            salt: [3; 32],
            index: 258,
            path: vec![Hash([1; 32]), Hash([2; 32])],
            checkpoint: b"log\n8\nAAA=\n\n\xe2\x80\x94 log AAAA\n".to_vec(),
        }
    }

    #[test]
    fn evidence_is_read_as_it_was_sent() {
        let fields = evidence().to_fields().expect("small");
        let part = |n: usize| BASE64_STANDARD.decode(fields[n].value()).expect("base64");
        assert_eq!(part(0), [3; 32]);
        assert_eq!(part(1), [&[0, 0, 0, 0, 0, 0, 1, 2][..], &[1; 32], &[2; 32]].concat());
        assert_eq!(part(2), evidence().checkpoint);
        assert_eq!(Evidence::from_fields(&fields), Ok(evidence()));
        let alone = Evidence {
            path: Vec::new(),
            ..evidence()
        };
        assert_eq!(Evidence::from_fields(&alone.to_fields().expect("small")), Ok(alone));
    }

    #[test]
    fn other_evidence_is_refused() {
        let [salt, proof, checkpoint] = evidence().to_fields().expect("small");
        let read = |fields: &[&Field]| Evidence::from_fields(&fields.iter().map(|f| (*f).clone()).collect::<Vec<_>>());
        let field = |name: &'static str, value: &[u8]| Field::ours(name, BASE64_STANDARD.encode(value));
        assert_eq!(read(&[&salt, &proof]), Err(EvidenceFlaw::Missing));
        assert_eq!(read(&[&salt, &proof, &checkpoint, &proof]), Err(EvidenceFlaw::Missing));
        assert_eq!(
            read(&[&field(SALT, &[3; 31]), &proof, &checkpoint]),
            Err(EvidenceFlaw::Malformed)
        );
        for bytes in [0, 7, 9, 39, 41, 8 + 64 * 32] {
            let proof = field(PROOF, &vec![0; bytes]);
            assert_eq!(
                read(&[&salt, &proof, &checkpoint]),
                Err(EvidenceFlaw::Malformed),
                "{bytes}"
            );
        }
        assert!(read(&[&salt, &field(PROOF, &[0; 8 + 63 * 32]), &checkpoint]).is_ok());
        let url_safe = Field::ours(PROOF, "-_-_");
        assert_eq!(read(&[&salt, &url_safe, &checkpoint]), Err(EvidenceFlaw::Malformed));
        let large = Evidence {
            checkpoint: vec![b'x'; LONGEST_VALUE],
            ..evidence()
        };
        assert_eq!(large.to_fields(), Err(EvidenceFlaw::TooLarge));
    }
}
