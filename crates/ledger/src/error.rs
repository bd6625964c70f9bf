//! What can go wrong with a log that is ours.

use std::{io, path::Path, sync::Arc};

use base::Text;

use crate::{key::SignError, segments::Damage};

/// The result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a log did not do what it was asked. All who wait for one batch get the same, so it can be cloned.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The system refused an operation on a file.
    #[error("{doing}: {source}")]
    Io {
        /// Which operation on which file.
        doing: String,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// Another process, or another part of this one, has the log open.
    #[error("the log in {0} is open elsewhere")]
    Locked(String),
    /// The folder holds the log of another origin, or one that this version does not read.
    #[error("not the log {expected}: {found}")]
    OtherLog {
        /// The origin that was asked for.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A log or witness cannot be kept like this.
    #[error("{0}")]
    Misconfigured(&'static str),
    /// Stored bytes are not what was written.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// The log is shorter than it was: entries that were acknowledged are gone.
    #[error("the log has {size} entries, but {known} were acknowledged")]
    Shortened {
        /// Entries on disk.
        size: u64,
        /// Entries that were acknowledged, by the index or a published checkpoint.
        known: u64,
    },
    /// The disk is full. Nothing of the batch is stored; trying again is safe, once there is room.
    #[error("the disk is full; nothing was stored; make room and try again")]
    Full,
    /// The disk did not confirm the batch. Whether it is stored shows when the log has opened itself again, which it tries
    /// every second; until then it takes nothing more.
    #[error(
        "the disk did not confirm the write ({0}); whether it is stored shows when the log has opened itself again"
    )]
    Unconfirmed(Arc<io::Error>),
    /// Since an earlier failure of the disk the log is read-only. It opens itself again as soon as it can.
    #[error("the log is read-only since the disk failed; it goes on as soon as the disk works; try again later")]
    ReadOnly,
    /// No checkpoint could be signed. Nothing of the batch is stored; trying again is safe.
    #[error("nothing was stored: {0}")]
    Sign(#[from] SignError),
    /// A record, or a batch of them, is larger than the log takes.
    #[error("{bytes} bytes in one append; at most {limit}")]
    TooLarge {
        /// Bytes that were given.
        bytes: usize,
        /// Bytes that are taken.
        limit: usize,
    },
    /// No such leaf, or no such tree.
    #[error("{asked} is beyond the {size} entries of the log")]
    Beyond {
        /// The index or size that was asked for.
        asked: u64,
        /// Entries in the log.
        size: u64,
    },
    /// A tile on disk is missing or of the wrong length. Tiles are made again when the file `durable` is removed and the
    /// log opened.
    #[error("{0} is missing or broken")]
    Tile(String),
    /// What a witness remembers cannot be read.
    #[error("the state in {0} is not a checkpoint that this witness or the log signed")]
    WitnessState(String),
    /// A checkpoint that came from outside is not one of this log, or is older than the one it would replace.
    #[error("not a newer checkpoint of this log")]
    ForeignCheckpoint,
    /// It was opened as one that has ended.
    #[error("the log has ended and takes nothing more")]
    Ended,
    /// The writer is gone.
    #[error("the log is closed")]
    Closed,
}

fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

impl Error {
    /// What a failed operation on a file means; a full disk is told apart.
    pub(crate) fn io(doing: &str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let doing = format!("{doing} {}", path.display());
        |source| {
            if is_full(&source) {
                Self::Full
            } else {
                let source = Arc::new(source);
                Self::Io { doing, source }
            }
        }
    }

    /// What those are told who come while a log is broken by this: a full disk is called that, whatever it had no place for.
    pub(crate) fn meanwhile(&self) -> Self {
        match self {
            Self::Full => Self::Full,
            Self::Unconfirmed(cause) if is_full(cause) => Self::Full,
            _ => Self::ReadOnly,
        }
    }

    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "ledger-io",
            Self::Locked(_) => "ledger-locked",
            Self::OtherLog { .. } => "ledger-other-log",
            Self::Misconfigured(_) => "ledger-misconfigured",
            Self::Damaged(_) => "ledger-damaged",
            Self::Shortened { .. } => "ledger-shortened",
            Self::Full => "ledger-full",
            Self::Unconfirmed(_) => "ledger-unconfirmed",
            Self::ReadOnly => "ledger-read-only",
            Self::Sign(_) => "ledger-sign",
            Self::TooLarge { .. } => "ledger-too-large",
            Self::Beyond { .. } => "ledger-beyond",
            Self::Tile(_) => "ledger-tile",
            Self::WitnessState(_) => "ledger-witness-state",
            Self::ForeignCheckpoint => "ledger-foreign-checkpoint",
            Self::Ended => "ledger-ended",
            Self::Closed => "ledger-closed",
        }
    }

    /// The sentence for people.
    pub fn text(&self) -> Text {
        let vi = match self {
            Self::Io { .. } => "Không đọc hoặc ghi được tệp của sổ cái.".to_owned(),
            Self::Locked(_) => "Sổ cái đang được một tiến trình khác mở.".to_owned(),
            Self::OtherLog { expected, .. } => format!("Thư mục này không phải là sổ cái {expected}."),
            Self::Misconfigured(_) => "Cấu hình của sổ cái hoặc nhân chứng không hợp lệ.".to_owned(),
            Self::Damaged(damage) => format!("Dữ liệu của mục số {} trong sổ cái bị hỏng.", damage.index),
            Self::Shortened { size, known } => {
                format!("Sổ cái có {size} mục nhưng đã xác nhận {known} mục: dữ liệu bị thiếu.")
            }
            Self::Full => "Đĩa đã đầy; chưa ghi gì vào sổ cái. Cần giải phóng dung lượng rồi thử lại.".to_owned(),
            Self::Unconfirmed(_) => {
                "Đĩa không xác nhận đã ghi; khi sổ cái tự mở lại mới biết dữ liệu đã được lưu hay chưa.".to_owned()
            }
            Self::ReadOnly => "Sổ cái chỉ còn đọc được sau một lỗi của đĩa và sẽ tự ghi tiếp khi đĩa hoạt động trở lại; vui lòng thử lại sau.".to_owned(),
            Self::Sign(_) => "Không ký được sổ cái; chưa ghi gì. Vui lòng thử lại.".to_owned(),
            Self::TooLarge { limit, .. } => format!("Nội dung quá lớn; tối đa {limit} byte mỗi lần ghi."),
            Self::Beyond { asked, size } => format!("Sổ cái có {size} mục; không có {asked}."),
            Self::Tile(path) => format!("Tệp {path} của sổ cái bị thiếu hoặc hỏng."),
            Self::WitnessState(path) => format!("Không đọc được trạng thái của nhân chứng trong {path}."),
            Self::ForeignCheckpoint => "Đây không phải là điểm kiểm mới hơn của sổ cái này.".to_owned(),
            Self::Ended => "Sổ cái này đã kết thúc, không ghi thêm được.".to_owned(),
            Self::Closed => "Sổ cái đã đóng.".to_owned(),
        };
        let mut en = self.to_string();
        if let Some(first) = en.get(..1).map(str::to_uppercase) {
            en.replace_range(..1, &first);
        }
        Text::new(vi, en + ".")
    }
}

impl From<Error> for base::Error {
    fn from(error: Error) -> Self {
        let kind = match error {
            Error::Full | Error::Unconfirmed(_) | Error::ReadOnly | Error::Sign(_) | Error::Closed => {
                base::Kind::Unavailable
            }
            Error::TooLarge { .. } => base::Kind::TooLarge,
            Error::Beyond { .. } => base::Kind::NotFound,
            Error::ForeignCheckpoint | Error::Ended => base::Kind::Conflict,
            _ => return Self::internal(error),
        };
        let Text { vi, en } = error.text();
        Self::refused(kind, error.code(), vi, en)
    }
}
