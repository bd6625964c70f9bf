//! Witnesses: others who keep a log from showing different histories to different people, by cosigning only what continues
//! what they have seen (C2SP tlog-witness).

mod client;
mod state;

use std::fmt;

use base::Text;

pub use self::{
    client::{Answer, Channel, ChannelError, Gathered, Miss, Pace, Peer, Standing, Witnesses},
    state::{Followed, Witness, judge},
};
use crate::{
    checkpoint::SignedCheckpoint,
    decimal,
    hash::Hash,
    note::{LARGEST_NOTE, MalformedNote},
    tree::LONGEST_PATH,
};

/// The largest request that is read, in bytes.
pub const LARGEST_REQUEST: usize = LARGEST_NOTE + 4096;

/// What a log asks of a witness: to cosign a checkpoint, with the proof that it continues the tree of `old` leaves. Displays
/// as the body of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size that the witness cosigned last, as the log believes; 0 for none.
    pub old: u64,
    /// The consistency proof from there (RFC 6962 2.1.2).
    pub proof: Vec<Hash>,
    /// What is to be cosigned.
    pub checkpoint: SignedCheckpoint,
}

impl AddCheckpoint {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// [`MalformedNote`] when it is not one.
    pub fn parse(bytes: &[u8]) -> Result<Self, MalformedNote> {
        if bytes.len() > LARGEST_REQUEST {
            return Err(MalformedNote("it is too large"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| MalformedNote("it is not UTF-8"))?;
        let (head, note) = text.split_once("\n\n").ok_or(MalformedNote("it has no blank line"))?;
        let mut lines = head.split('\n');
        let old = lines
            .next()
            .and_then(|line| line.strip_prefix("old "))
            .and_then(decimal)
            .ok_or(MalformedNote("the first line has no old size"))?;
        let proof = lines
            .map(Hash::parse)
            .collect::<Option<Vec<_>>>()
            .filter(|proof| proof.len() <= LONGEST_PATH)
            .ok_or(MalformedNote("the proof is not at most 63 hashes"))?;
        Ok(Self {
            old,
            proof,
            checkpoint: SignedCheckpoint::parse(note.as_bytes())?,
        })
    }
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

/// Why a witness does not cosign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request is not one.
    #[error(transparent)]
    Malformed(#[from] MalformedNote),
    /// The old size is beyond the checkpoint.
    #[error("the old size {old} is beyond the checkpoint of {size}")]
    Backwards {
        /// The old size of the request.
        old: u64,
        /// The size of its checkpoint.
        size: u64,
    },
    /// The witness does not know the log.
    #[error("the log {0} is not known here")]
    UnknownLog(String),
    /// No trusted key of the log signed, or a signature in its name is false.
    #[error("the log {0} did not sign this")]
    Unsigned(String),
    /// The witness has cosigned another size last.
    #[error("the checkpoint cosigned last has {size} entries")]
    Conflict {
        /// That size.
        size: u64,
    },
    /// The proof does not show that the checkpoint continues what was cosigned.
    #[error("the checkpoint does not continue the one cosigned last")]
    Inconsistent,
    /// The witness could not sign, or could not remember; it cosigned nothing.
    #[error("the witness cannot cosign now: {0}")]
    Unavailable(String),
}

impl Refusal {
    /// The HTTP status code (C2SP tlog-witness, add-checkpoint).
    pub const fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) | Self::Backwards { .. } => 400,
            Self::Unsigned(_) => 403,
            Self::UnknownLog(_) => 404,
            Self::Conflict { .. } => 409,
            Self::Inconsistent => 422,
            Self::Unavailable(_) => 503,
        }
    }

    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "witness-malformed",
            Self::Backwards { .. } => "witness-backwards",
            Self::UnknownLog(_) => "witness-unknown-log",
            Self::Unsigned(_) => "witness-unsigned",
            Self::Conflict { .. } => "witness-conflict",
            Self::Inconsistent => "witness-inconsistent",
            Self::Unavailable(_) => "witness-unavailable",
        }
    }

    /// The sentence for people.
    pub fn text(&self) -> Text {
        let vi = match self {
            Self::Malformed(_) => "Yêu cầu không đúng định dạng C2SP tlog-witness.".to_owned(),
            Self::Backwards { old, size } => format!("Kích thước cũ {old} lớn hơn điểm kiểm {size}."),
            Self::UnknownLog(origin) => format!("Nhân chứng này không theo dõi sổ cái {origin}."),
            Self::Unsigned(origin) => format!("Sổ cái {origin} không ký điểm kiểm này."),
            Self::Conflict { size } => format!("Điểm kiểm đã đồng ký gần nhất có {size} mục."),
            Self::Inconsistent => "Điểm kiểm không nối tiếp điểm kiểm đã đồng ký gần nhất.".to_owned(),
            Self::Unavailable(_) => "Nhân chứng hiện không đồng ký được.".to_owned(),
        };
        let en = match self {
            Self::Malformed(_) => "The request is not in the format C2SP tlog-witness.".to_owned(),
            Self::Backwards { old, size } => format!("The old size {old} is beyond the checkpoint of {size}."),
            Self::UnknownLog(origin) => format!("This witness does not follow the log {origin}."),
            Self::Unsigned(origin) => format!("The log {origin} did not sign this checkpoint."),
            Self::Conflict { size } => format!("The checkpoint cosigned last has {size} entries."),
            Self::Inconsistent => "The checkpoint does not continue the one cosigned last.".to_owned(),
            Self::Unavailable(_) => "The witness cannot cosign now.".to_owned(),
        };
        Text::new(vi, en)
    }
}
