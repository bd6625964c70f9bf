//! Auditing: is the log what it says it is? From its folder, with every record, or from what it publishes.

mod directory;
mod published;

use base::Text;

pub use self::{
    directory::directory,
    published::{Fetch, FetchError, consistent, published},
};
use crate::{
    checkpoint::SignedCheckpoint,
    error::Error,
    hash::Hash,
    policy::Policy,
    segments::Damage,
    tree::{Edge, verify_consistency},
    verify::Refusal,
};

/// Findings that are kept; more are only counted.
const MOST_FINDINGS: usize = 1_000;

/// Something that is wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// An entry, or its record, is not what it was.
    #[error("entry {index} was altered")]
    Altered {
        /// Its place.
        index: u64,
    },
    /// At least one of some entries is not what was signed; which one cannot be told from what is there.
    #[error("an entry from {from} to before {to} was altered")]
    AlteredWithin {
        /// The first that may be.
        from: u64,
        /// Before this one.
        to: u64,
    },
    /// The log has fewer entries than a checkpoint of it that is known.
    #[error("{known_size} entries were signed, {size} are there")]
    Dropped {
        /// Entries of the known checkpoint.
        known_size: u64,
        /// Entries now.
        size: u64,
    },
    /// Two trees of one size were signed, or a known checkpoint is not of the history that is there.
    #[error("at {size} entries there are two roots, {root_a} and {root_b}")]
    Forked {
        /// Entries.
        size: u64,
        /// One root.
        root_a: Hash,
        /// The other.
        root_b: Hash,
    },
    /// Two checkpoints were signed of which neither tree begins with the other.
    #[error("the tree of {to} entries does not begin with the tree of {from}")]
    Inconsistent {
        /// Entries of the smaller tree.
        from: u64,
        /// Entries of the larger.
        to: u64,
    },
    /// A checkpoint is not signed as the policy asks.
    #[error("the checkpoint of {size} entries: {refusal}")]
    BadSignature {
        /// Entries of the checkpoint.
        size: u64,
        /// What is missing or false.
        refusal: Refusal,
    },
    /// Stored bytes are damaged.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// A published file is missing, or is not what the entries give.
    #[error("{path} is missing or wrong")]
    Tile {
        /// The file.
        path: String,
    },
}

impl Finding {
    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Altered { .. } => "altered",
            Self::AlteredWithin { .. } => "altered-within",
            Self::Dropped { .. } => "dropped",
            Self::Forked { .. } => "forked",
            Self::Inconsistent { .. } => "inconsistent",
            Self::BadSignature { .. } => "bad-signature",
            Self::Damaged(_) => "damaged",
            Self::Tile { .. } => "tile",
        }
    }

    /// The sentence for people.
    pub fn text(&self) -> Text {
        match self {
            Self::Altered { index } => Text::new(
                format!("Mục số {index} đã bị sửa sau khi ghi vào sổ cái."),
                format!("Entry {index} was altered after it was logged."),
            ),
            Self::AlteredWithin { from, to } => Text::new(
                format!("Có mục đã bị sửa trong khoảng từ số {from} đến trước số {to}."),
                format!("An entry from {from} to before {to} was altered."),
            ),
            Self::Dropped { known_size, size } => Text::new(
                format!("Sổ cái từng có {known_size} mục, nay chỉ còn {size}: đã có mục bị bỏ."),
                format!("The log had {known_size} entries and now has {size}: entries were dropped."),
            ),
            Self::Forked { size, .. } => Text::new(
                format!("Có hai bản khác nhau của sổ cái ở {size} mục."),
                format!("There are two different logs of {size} entries."),
            ),
            Self::Inconsistent { from, to } => Text::new(
                format!("Sổ cái {to} mục không nối tiếp sổ cái {from} mục: lịch sử đã bị viết lại."),
                format!("The log of {to} entries does not continue that of {from}: history was rewritten."),
            ),
            Self::BadSignature { size, refusal } => {
                let Text { vi, en } = refusal.text();
                Text::new(
                    format!("Điểm kiểm ở {size} mục không hợp lệ: {vi}"),
                    format!("The checkpoint at {size} entries does not hold: {en}"),
                )
            }
            Self::Damaged(damage) => Text::new(
                format!(
                    "Dữ liệu hỏng ở tệp {}, byte {}, mục số {}.",
                    damage.segment, damage.offset, damage.index
                ),
                format!(
                    "Damaged data in file {}, byte {}, entry {}.",
                    damage.segment, damage.offset, damage.index
                ),
            ),
            Self::Tile { path } => Text::new(
                format!("Tệp {path} bị thiếu hoặc không khớp với các mục."),
                format!("The file {path} is missing or does not fit the entries."),
            ),
        }
    }
}

/// What an audit found.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Entries that were read.
    pub size: u64,
    /// Entries whose record is erased.
    pub erased: u64,
    /// Checkpoints whose signature and root were checked.
    pub checkpoints: u64,
    /// Bytes at the end that are no whole batch: a crash, or a log that is being written.
    pub unfinished: u64,
    /// What is wrong, in the order in which it was found; at most a thousand.
    pub findings: Vec<Finding>,
    /// Findings beyond these.
    pub more: u64,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    fn meet(&mut self, size: u64, root_a: Hash, root_b: Hash) {
        self.checkpoints += 1;
        if root_a != root_b {
            self.find(Finding::Forked { size, root_a, root_b });
        }
    }

    fn damaged(&mut self, error: Error) {
        if let Error::Damaged(damage) = error {
            self.find(damage.into());
        }
    }

    fn find(&mut self, finding: Finding) {
        if self.findings.len() < MOST_FINDINGS {
            self.findings.push(finding);
        } else {
            self.more += 1;
        }
    }
}

/// Judges two checkpoints of one log with the consistency proof from the smaller to the larger. Both must have been verified.
pub fn compare(a: &SignedCheckpoint, b: &SignedCheckpoint, proof: &[Hash]) -> Option<Finding> {
    let (a, b) = (a.checkpoint(), b.checkpoint());
    let (small, large) = if a.size <= b.size { (a, b) } else { (b, a) };
    if small.size == large.size {
        return (small.root != large.root).then_some(Finding::Forked {
            size: a.size,
            root_a: a.root,
            root_b: b.root,
        });
    }
    let consistent = verify_consistency(small.size, large.size, &small.root, &large.root, proof);
    (!consistent).then_some(Finding::Inconsistent {
        from: small.size,
        to: large.size,
    })
}

/// Checkpoints that were seen elsewhere, waiting for the walk to come to their size.
struct Known<'a> {
    waiting: Vec<&'a SignedCheckpoint>,
}

impl<'a> Known<'a> {
    /// Only what the log signed can be held against it.
    fn new(known: impl IntoIterator<Item = &'a SignedCheckpoint>, policy: &Policy, report: &mut Report) -> Self {
        let mut waiting = Vec::new();
        for checkpoint in known {
            match policy.signed_by_log(checkpoint) {
                Ok(()) => waiting.push(checkpoint),
                Err(refusal) => report.find(Finding::BadSignature {
                    size: checkpoint.checkpoint().size,
                    refusal,
                }),
            }
        }
        waiting.sort_by_key(|c| std::cmp::Reverse(c.checkpoint().size));
        Self { waiting }
    }

    fn next(&self) -> Option<u64> {
        self.waiting.last().map(|c| c.checkpoint().size)
    }

    /// The root of the next checkpoint, if it is of `size` entries.
    fn at(&mut self, size: u64) -> Option<Hash> {
        self.waiting
            .pop_if(|c| c.checkpoint().size == size)
            .map(|c| c.checkpoint().root)
    }

    /// Compares with the tree as it is now.
    fn meet(&mut self, edge: &Edge, report: &mut Report) {
        while let Some(known) = self.at(edge.size()) {
            report.meet(edge.size(), known, edge.root());
        }
    }

    /// What is left is beyond the end.
    fn end(self, size: u64, report: &mut Report) {
        for known in self.waiting.into_iter().rev() {
            let known_size = known.checkpoint().size;
            report.find(Finding::Dropped { known_size, size });
        }
    }
}
