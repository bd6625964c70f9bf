//! Verification without the log: one function over a text and the keys that the verifier trusts.

use base::Text;

use crate::{
    commitment::{Commitment, Kind, Opening},
    hash::Hash,
    policy::{Cosigner, Policy},
    proof::{MalformedProof, Proof},
    tree::verify_inclusion,
};

/// What a proof proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Which log.
    pub origin: String,
    /// Where in it, from 0.
    pub index: u64,
    /// Size of the tree of the checkpoint, in leaves.
    pub size: u64,
    /// Root of that tree.
    pub root: Hash,
    /// The leaf.
    pub commitment: Commitment,
    /// What the leaf says; `None` when neither proof nor caller had an opening.
    pub opening: Option<Opening>,
    /// The witnesses that the policy knows and that cosigned.
    pub cosigners: Vec<Cosigner>,
}

impl Verdict {
    /// What the leaf says.
    pub fn record(&self) -> Option<&[u8]> {
        self.opening.as_ref().map(|o| o.record.as_slice())
    }

    /// The sort of record.
    pub const fn kind(&self) -> Kind {
        self.commitment.kind()
    }
}

/// Why a proof proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The text is not a proof.
    #[error(transparent)]
    Malformed(#[from] MalformedProof),
    /// No key that the verifier trusts for this origin has signed.
    #[error("no trusted key signed for the log {origin}")]
    UnknownLog {
        /// The log that the checkpoint names.
        origin: String,
    },
    /// A line claims a trusted key and is not by it.
    #[error("the signature of {key} is false")]
    BadSignature {
        /// The key that is claimed.
        key: String,
    },
    /// The checkpoint is cosigned by fewer witnesses than the policy asks for.
    #[error("{have} witnesses cosigned, {need} must")]
    TooFewWitnesses {
        /// Known witnesses that cosigned.
        have: usize,
        /// How many the policy asks for.
        need: usize,
    },
    /// The path does not lead from the leaf to the root.
    #[error("leaf {index} is not in the tree of {size} leaves")]
    NotIncluded {
        /// The place that is claimed.
        index: u64,
        /// The size of the tree.
        size: u64,
    },
    /// The record is not what the leaf commits to.
    #[error("the record is not what leaf {index} commits to")]
    OtherRecord {
        /// The place of the leaf.
        index: u64,
    },
}

impl Refusal {
    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed-proof",
            Self::UnknownLog { .. } => "unknown-log",
            Self::BadSignature { .. } => "bad-signature",
            Self::TooFewWitnesses { .. } => "too-few-witnesses",
            Self::NotIncluded { .. } => "not-included",
            Self::OtherRecord { .. } => "other-record",
        }
    }

    /// The sentence for people.
    pub fn text(&self) -> Text {
        let vi = match self {
            Self::Malformed(_) => "Văn bản này không phải là bằng chứng theo định dạng C2SP tlog-proof.".to_owned(),
            Self::UnknownLog { origin } => format!("Không có khóa tin cậy nào ký cho sổ cái {origin}."),
            Self::BadSignature { key } => format!("Chữ ký mang tên {key} là giả."),
            Self::TooFewWitnesses { have, need } => {
                format!("Chỉ có {have} nhân chứng đồng ký, cần ít nhất {need}.")
            }
            Self::NotIncluded { index, size } => {
                format!("Mục số {index} không nằm trong sổ cái có {size} mục.")
            }
            Self::OtherRecord { index } => format!("Nội dung này không phải là nội dung mà mục số {index} cam kết."),
        };
        let en = match self {
            Self::Malformed(_) => "This text is not a proof in the format C2SP tlog-proof.".to_owned(),
            Self::UnknownLog { origin } => format!("No trusted key has signed for the log {origin}."),
            Self::BadSignature { key } => format!("The signature in the name of {key} is false."),
            Self::TooFewWitnesses { have, need } => {
                format!("Only {have} witnesses cosigned; at least {need} must.")
            }
            Self::NotIncluded { index, size } => format!("Entry {index} is not in the log of {size} entries."),
            Self::OtherRecord { index } => format!("This record is not what entry {index} commits to."),
        };
        Text::new(vi, en)
    }
}

impl Proof {
    /// Whether the leaf is in the tree of the checkpoint and `opening`, as well as one in the proof, fits it. Nothing is said
    /// of the checkpoint: judge it by [`Policy::judge`], once for all proofs that share it.
    ///
    /// # Errors
    /// [`Refusal::NotIncluded`] or [`Refusal::OtherRecord`].
    pub fn check(&self, opening: Option<&Opening>) -> Result<(), Refusal> {
        let (index, tree) = (self.index, self.checkpoint.checkpoint());
        if !verify_inclusion(&self.commitment.leaf(), index, tree.size, &tree.root, &self.path) {
            return Err(Refusal::NotIncluded { index, size: tree.size });
        }
        let openings = [self.opening.as_ref(), opening];
        if openings.into_iter().flatten().any(|o| !o.opens(&self.commitment)) {
            return Err(Refusal::OtherRecord { index });
        }
        Ok(())
    }
}

/// Verifies the text of a proof against the keys in `policy`. `opening` is what the caller believes the leaf says; the
/// proof may carry one itself, and both must fit.
///
/// # Errors
/// [`Refusal`] says why the proof proves nothing.
pub fn verify(proof: &[u8], policy: &Policy, opening: Option<&Opening>) -> Result<Verdict, Refusal> {
    let proof = Proof::parse(proof)?;
    let cosigners = policy.judge(&proof.checkpoint)?;
    proof.check(opening)?;
    let checkpoint = proof.checkpoint.checkpoint();
    Ok(Verdict {
        origin: checkpoint.origin.clone(),
        index: proof.index,
        size: checkpoint.size,
        root: checkpoint.root,
        commitment: proof.commitment,
        opening: opening.cloned().or(proof.opening),
        cosigners,
    })
}
