//! Why there is no timestamp.

use base::{Kind, Text, Timestamp};

use crate::{
    certificate::{Refusal, Refusals},
    explained::{Explained, refuses},
};

/// A timestamp that cannot be had, or is not one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StampError {
    /// The authority does not answer over HTTP.
    Unreachable {
        /// Where it was asked.
        url: String,
        /// What went wrong.
        reason: String,
    },
    /// The authority refused (RFC 3161 section 2.4.2).
    Refused {
        /// `PKIStatus`.
        code: u8,
        /// What it said.
        words: String,
    },
    /// Damaged, truncated or no timestamp.
    Malformed(&'static str),
    /// Over another digest.
    OtherDigest,
    /// The answer to another question: a replay.
    OtherQuestion,
    /// Signed or hashed by a weak algorithm.
    Weak,
    /// The signature is not of the authority over this.
    WrongSignature,
    /// The time is far from ours.
    Clock(Timestamp),
    /// The certificate of the authority is not believed.
    Certificate(Refusals),
    /// The system has no randomness.
    Library,
}

impl From<Refusals> for StampError {
    fn from(refusals: Refusals) -> Self {
        Self::Certificate(refusals)
    }
}

impl From<Refusal> for StampError {
    fn from(refusal: Refusal) -> Self {
        Self::Certificate(refusal.into())
    }
}

impl Explained for StampError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "timestamp-unreachable",
            Self::Refused { .. } => "timestamp-refused",
            Self::Malformed(_) => "timestamp-malformed",
            Self::OtherDigest => "timestamp-other-digest",
            Self::OtherQuestion => "timestamp-replayed",
            Self::Weak => "timestamp-weak",
            Self::WrongSignature => "timestamp-wrong-signature",
            Self::Clock(_) => "timestamp-clock",
            Self::Certificate(refusals) => refusals.code(),
            Self::Library => "key-library",
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Unreachable { .. } | Self::Refused { .. } | Self::Clock(_) | Self::Library => Kind::Unavailable,
            Self::Malformed(_) | Self::OtherDigest => Kind::Invalid,
            _ => Kind::Forbidden,
        }
    }

    fn text(&self) -> Text {
        match self {
            Self::Unreachable { url, reason } => Text::new(
                format!(
                    "Không lấy được dấu thời gian từ {url}: {reason}. Hệ thống sẽ thử lại; hãy kiểm tra mạng nếu \
                     vẫn lỗi."
                ),
                format!(
                    "No timestamp could be had from {url}: {reason}. It is tried again; look at the network if it \
                     persists."
                ),
            ),
            Self::Refused { code, words } => Text::new(
                format!("Đơn vị cấp dấu thời gian từ chối (mã {code}: {words}). Hãy liên hệ đơn vị đó."),
                format!("The timestamping authority refused (status {code}: {words}). Ask the authority."),
            ),
            Self::Malformed(what) => Text::new(
                format!("Dấu thời gian bị hỏng hoặc không đúng dạng ({what})."),
                format!("The timestamp is damaged or not of the right form ({what})."),
            ),
            Self::OtherDigest => Text::new(
                "Dấu thời gian là của nội dung khác: nội dung đã bị sửa hoặc lấy nhầm dấu.",
                "The timestamp is over other content: the content was changed, or this is another timestamp.",
            ),
            Self::OtherQuestion => Text::new(
                "Câu trả lời không khớp yêu cầu (nonce); có thể bị phát lại. Hãy báo cho người vận hành.",
                "The answer is not to this question (nonce); it may be replayed. Tell the operator.",
            ),
            Self::Weak => Text::new(
                "Dấu thời gian dùng thuật toán yếu hoặc không được hỗ trợ. Hãy dùng đơn vị cấp khác.",
                "The timestamp uses a weak or unsupported algorithm. Use another authority.",
            ),
            Self::WrongSignature => Text::new(
                "Chữ ký trên dấu thời gian không đúng; có thể là giả mạo.",
                "The signature on the timestamp is wrong; it may be forged.",
            ),
            Self::Clock(at) => Text::new(
                format!(
                    "Đơn vị cấp dấu thời gian báo {}, lệch xa đồng hồ máy này. Hãy kiểm tra NTP.",
                    at.display()
                ),
                format!("The timestamping authority says {at}, far from the clock of this machine. Look at NTP."),
            ),
            Self::Certificate(refusals) => refusals.text(),
            Self::Library => Text::new(
                "Hệ thống không cấp được số ngẫu nhiên. Hãy báo cho người vận hành.",
                "The system has no randomness to give. Tell the operator.",
            ),
        }
    }
}

refuses!(StampError);
