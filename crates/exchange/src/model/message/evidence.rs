//! What travels with a message to prove that the sender's log has its record: a salt, an inclusion proof and the
//! checkpoint that it leads to, in the text form of C2SP tlog-proof. The proof is cut in two, because the messages of
//! one batch have the same checkpoint: on one connection it is sent once, and the header compression of HTTP/2 has the
//! rest.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::model::{
    field::{Field, LONGEST_VALUE},
    reason::reasons,
};

/// The header with the salt of the commitment, 32 bytes.
const SALT: &str = "motcua-salt";
/// The header with the proof down to its blank line, without the two line feeds.
const PROOF: &str = "motcua-proof";
/// The header with what follows the blank line: a signed note.
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
            "Bằng chứng hoặc điểm kiểm lớn hơn 8 KiB khi mã hóa; bỏ bớt chữ ký của nhân chứng.",
            "The proof or the checkpoint is larger than 8 KiB when it is encoded; send fewer cosignatures.";
    }
}

/// A salt and a proof. Neither is verified here: that is the ledger's.
#[derive(Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The key of the commitment. With it the receiver, who has the record, opens the leaf.
    pub salt: [u8; 32],
    /// The proof, closed (without an opening), as C2SP tlog-proof writes it.
    pub proof: Vec<u8>,
}

impl Evidence {
    /// The fields to send.
    ///
    /// # Errors
    /// [`EvidenceFlaw`] when the proof has no blank line, or is too large for a header.
    pub fn to_fields(&self) -> Result<[Field; 3], EvidenceFlaw> {
        let blank = self.proof.windows(2).position(|pair| pair == b"\n\n");
        let blank = blank.ok_or(EvidenceFlaw::Malformed)?;
        let encoded = [&self.proof[..blank], &self.proof[blank + 2..]].map(|part| BASE64_STANDARD.encode(part));
        if encoded.iter().any(|part| part.len() > LONGEST_VALUE) {
            return Err(EvidenceFlaw::TooLarge);
        }
        let [proof, checkpoint] = encoded;
        Ok([
            Field::ours(SALT, BASE64_STANDARD.encode(self.salt)),
            Field::ours(PROOF, proof),
            Field::ours(CHECKPOINT, checkpoint),
        ])
    }

    /// Reads the fields of a message.
    ///
    /// # Errors
    /// [`EvidenceFlaw`] when one is missing, stands twice, or is not what [`Evidence::to_fields`] would send.
    pub fn from_fields(fields: &[Field]) -> Result<Self, EvidenceFlaw> {
        let salt = decoded(fields, SALT)?.try_into().map_err(|_| EvidenceFlaw::Malformed)?;
        let (head, checkpoint) = (decoded(fields, PROOF)?, decoded(fields, CHECKPOINT)?);
        // Else the blank line of the proof would be another one than that which was cut.
        if head.is_empty() || head.ends_with(b"\n") || head.windows(2).any(|pair| pair == b"\n\n") {
            return Err(EvidenceFlaw::Malformed);
        }
        let proof = [&head[..], b"\n\n", &checkpoint].concat();
        Ok(Self { salt, proof })
    }
}

impl fmt::Debug for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Evidence({} bytes of proof)", self.proof.len())
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

    const PROOF_TEXT: &[u8] =
        b"c2sp.org/tlog-proof@v1\nextra AQE=\nindex 7\nAAA=\n\nlog\n8\nAAA=\n\n\xe2\x80\x94 log AAAA\n";

    #[test]
    fn a_proof_is_cut_at_its_first_blank_line_and_put_together_again() {
        let evidence = Evidence {
            salt: [3; 32],
            proof: PROOF_TEXT.to_vec(),
        };
        let fields = evidence.to_fields().expect("a proof");
        let part = |n: usize| BASE64_STANDARD.decode(fields[n].value()).expect("base64");
        assert_eq!(part(1), b"c2sp.org/tlog-proof@v1\nextra AQE=\nindex 7\nAAA=");
        assert_eq!(part(2), b"log\n8\nAAA=\n\n\xe2\x80\x94 log AAAA\n");
        assert_eq!(Evidence::from_fields(&fields), Ok(evidence));
    }

    #[test]
    fn other_evidence_is_refused() {
        let [salt, proof, checkpoint] = Evidence {
            salt: [3; 32],
            proof: PROOF_TEXT.to_vec(),
        }
        .to_fields()
        .expect("a proof");
        let read = |fields: &[&Field]| Evidence::from_fields(&fields.iter().map(|f| (*f).clone()).collect::<Vec<_>>());
        let field = |name: &'static str, value: &[u8]| Field::ours(name, BASE64_STANDARD.encode(value));
        assert_eq!(read(&[&salt, &proof]), Err(EvidenceFlaw::Missing));
        assert_eq!(read(&[&salt, &proof, &checkpoint, &proof]), Err(EvidenceFlaw::Missing));
        assert_eq!(
            read(&[&field(SALT, &[3; 31]), &proof, &checkpoint]),
            Err(EvidenceFlaw::Malformed)
        );
        for head in [&b"a\n\nb"[..], b"a\n", b""] {
            assert_eq!(
                read(&[&salt, &field(PROOF, head), &checkpoint]),
                Err(EvidenceFlaw::Malformed)
            );
        }
        let url_safe = Field::ours(PROOF, "-_-_");
        assert_eq!(read(&[&salt, &url_safe, &checkpoint]), Err(EvidenceFlaw::Malformed));
        let large = Evidence {
            salt: [3; 32],
            proof: [PROOF_TEXT, &[b'x'; LONGEST_VALUE]].concat(),
        };
        assert_eq!(large.to_fields(), Err(EvidenceFlaw::TooLarge));
    }
}
