//! Why what a mirror serves is not taken, or an edition cannot be published.

use std::{fmt, path::Path};

use base::{Error, Kind, Problems, Text, Timestamp};
use trust::{Explained, KeyError, KeyId, revocation::CrlError};

use super::format::{Digest, RoleName};
use crate::model::identifier::Part;

/// A file of the directory that is refused. Nothing that was held before changes by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Not of the form: damaged, of another kind, or not the one way to write it.
    Malformed(&'static str),
    /// A signature line by no key of the role, or one that its key did not make.
    WrongSignature,
    /// Fewer keys signed than the root asks for.
    TooFewKeys {
        /// Of which role.
        role: RoleName,
        /// How many must sign.
        needed: usize,
        /// How many did.
        found: usize,
    },
    /// Of another federation.
    OtherInstance {
        /// Ours.
        expected: Part,
        /// Its.
        found: Part,
    },
    /// The root is not the one that was pinned.
    OtherRoot {
        /// The fingerprint that was pinned.
        expected: Digest,
        /// Its fingerprint.
        found: Digest,
    },
    /// Not the root that follows the one in force.
    RootChain {
        /// The number that must follow.
        expected: u64,
        /// Its number.
        found: u64,
    },
    /// The mirror keeps back a root that the timestamp knows of.
    RootHidden {
        /// The newest that the mirror gave.
        ours: u64,
        /// The one in force.
        said: u64,
    },
    /// Older than what is held.
    RolledBack {
        /// The version that is held.
        known: u64,
        /// The version that was offered.
        offered: u64,
    },
    /// Two documents of one version.
    Forked(u64),
    /// Correct, but it has run out: somebody may be keeping the new one back.
    Frozen(Timestamp),
    /// Signed in the future: one of the clocks is wrong.
    Clock(Timestamp),
    /// A file is not the one that the signed document above it names.
    Mixed(&'static str),
    /// Larger than may be, or than was signed.
    TooLarge(u64),
    /// The mirror did not send the whole of it in time.
    TooSlow,
    /// The mirror broke off.
    CutShort,
    /// The mirror does not have it.
    Absent(String),
    /// The mirror does not answer, or not with the file.
    Unreachable(String),
    /// What it says contradicts itself.
    Contents(Problems),
    /// A CA in it cannot be used.
    Anchor(trust::Refusal),
    /// A revocation list in it cannot be used.
    Revocations(CrlError),
    /// A key of the publisher fails.
    Key(KeyError),
    /// The folder has a federation already.
    Founded(String),
    /// A role would have no quorum, or keys that cannot stand in a note.
    Role(RoleName),
    /// A service names an OpenAPI document that nobody has handed in.
    NoDocument(String),
    /// Our own folder cannot be read or written.
    Disk {
        /// Where.
        path: String,
        /// What the system said.
        reason: String,
    },
}

impl Refusal {
    pub(super) fn disk(path: &Path, error: &std::io::Error) -> Self {
        Self::Disk {
            path: path.display().to_string(),
            reason: error.to_string(),
        }
    }

    /// The problems of it, each at its place.
    pub fn problems(&self) -> Problems {
        if let Self::Contents(problems) = self {
            return problems.clone();
        }
        let Text { vi, en } = self.text();
        let mut problems = Problems::new();
        problems.add(self.code(), "", vi, en);
        problems
    }
}

impl Explained for Refusal {
    fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "directory-malformed",
            Self::WrongSignature => "directory-wrong-signature",
            Self::TooFewKeys { .. } => "directory-too-few-keys",
            Self::OtherInstance { .. } => "directory-other-instance",
            Self::OtherRoot { .. } => "directory-other-root",
            Self::RootChain { .. } => "directory-root-chain",
            Self::RootHidden { .. } => "directory-root-hidden",
            Self::RolledBack { .. } => "directory-rolled-back",
            Self::Forked(_) => "directory-forked",
            Self::Frozen(_) => "directory-frozen",
            Self::Clock(_) => "directory-clock",
            Self::Mixed(_) => "directory-mixed",
            Self::TooLarge(_) => "directory-too-large",
            Self::TooSlow => "directory-too-slow",
            Self::CutShort => "directory-cut-short",
            Self::Absent(_) => "directory-absent",
            Self::Unreachable(_) => "directory-unreachable",
            Self::Contents(_) => "directory-contents",
            Self::Anchor(refusal) => refusal.code(),
            Self::Revocations(error) => error.code(),
            Self::Key(error) => error.code(),
            Self::Founded(_) => "directory-founded",
            Self::Role(_) => "directory-role",
            Self::NoDocument(_) => "directory-no-document",
            Self::Disk { .. } => "directory-disk",
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Malformed(_) | Self::Contents(_) | Self::Role(_) | Self::NoDocument(_) => Kind::Invalid,
            Self::RolledBack { .. } | Self::Forked(_) | Self::Founded(_) => Kind::Conflict,
            Self::Frozen(_) | Self::Clock(_) => Kind::Stale,
            Self::TooLarge(_) => Kind::TooLarge,
            Self::Anchor(refusal) => refusal.kind(),
            Self::Revocations(error) => error.kind(),
            Self::Key(error) => error.kind(),
            Self::TooSlow | Self::CutShort | Self::Absent(_) | Self::Unreachable(_) | Self::Disk { .. } => {
                Kind::Unavailable
            }
            _ => Kind::Forbidden,
        }
    }

    fn text(&self) -> Text {
        match self {
            Self::Malformed(what) => Text::new(
                format!("Văn bản bị hỏng hoặc không đúng dạng ({what}). Hãy lấy lại, hoặc lập lại văn bản."),
                format!("The document is damaged or of another form ({what}). Take it again, or make it again."),
            ),
            Self::WrongSignature => Text::new(
                "Văn bản có chữ ký sai hoặc của khóa không được tin cậy. Đây có thể là giả mạo; hãy báo cho người vận hành \
                 liên thông.",
                "The document has a wrong signature, or one of a key that is not trusted. This may be a forgery; tell the \
                 operator of the federation.",
            ),
            Self::TooFewKeys { role, needed, found } => Text::new(
                format!("Tệp danh bạ chỉ có {found} chữ ký {role}, trong khi phải có ít nhất {needed}."),
                format!("The file of the directory is signed by {found} keys for {role}; at least {needed} must sign."),
            ),
            Self::OtherInstance { expected, found } => Text::new(
                format!("Danh bạ này của liên thông {found}, không phải {expected}. Hãy kiểm tra địa chỉ máy chủ."),
                format!(
                    "This directory is of the federation {found}, not of {expected}. Check the address of the mirror."
                ),
            ),
            Self::OtherRoot { expected, found } => Text::new(
                format!(
                    "Vân tay gốc tin cậy là {found}, không phải {expected}. Không tiếp tục; hãy gọi cho người vận hành \
                     liên thông để đối chiếu."
                ),
                format!(
                    "The fingerprint of the root is {found}, not {expected}. Do not go on; compare it with the operator of \
                     the federation by telephone."
                ),
            ),
            Self::RootChain { expected, found } => Text::new(
                format!("Gốc tin cậy kế tiếp phải mang số {expected}, nhưng tệp nhận được mang số {found}."),
                format!("The next root is number {expected}; what came is number {found}."),
            ),
            Self::RootHidden { ours, said } => Text::new(
                format!(
                    "Gốc tin cậy đang có hiệu lực là số {said}, nhưng máy chủ chỉ đưa đến số {ours}. Hãy dùng máy chủ khác."
                ),
                format!("Root {said} is in force, and the mirror gives no root after {ours}. Use another mirror."),
            ),
            Self::RolledBack { known, offered } => Text::new(
                format!(
                    "Máy chủ đưa bản danh bạ số {offered}, cũ hơn bản số {known} đang giữ. Có thể ai đó phát lại bản cũ; \
                     bản đang giữ không thay đổi."
                ),
                format!(
                    "The mirror offers version {offered}, older than version {known}, which is held. Somebody may be \
                     replaying it; what is held stays."
                ),
            ),
            Self::Forked(version) => Text::new(
                format!(
                    "Có hai bản danh bạ khác nhau cùng mang số {version}. Khóa ký danh bạ có thể đã lộ; hãy báo ngay cho người \
                     vận hành liên thông."
                ),
                format!(
                    "There are two different documents of version {version}. A key of the directory may be in other hands; \
                     tell the operator of the federation at once."
                ),
            ),
            Self::Frozen(since) => Text::new(
                format!(
                    "Dấu thời gian của danh bạ đã hết hạn từ {}. Máy chủ có thể đang giữ lại bản mới; hãy dùng máy chủ khác.",
                    since.display()
                ),
                format!(
                    "The timestamp of the directory ran out at {since}. The mirror may be keeping the new one back; use another."
                ),
            ),
            Self::Clock(issued) => Text::new(
                format!(
                    "Dấu thời gian của danh bạ được ký lúc {} trong tương lai. Hãy chỉnh đồng hồ của máy này.",
                    issued.display()
                ),
                format!(
                    "The timestamp of the directory was signed at {issued}, in the future. Set the clock of this machine."
                ),
            ),
            Self::Mixed(what) => Text::new(
                format!(
                    "{what}: tệp nhận được không phải tệp mà văn bản đã ký nêu. Máy chủ ghép các bản khác nhau; hãy dùng máy chủ khác."
                ),
                format!(
                    "{what}: this is not the file that the signed document names. The mirror mixes editions; use another."
                ),
            ),
            Self::TooLarge(most) => Text::new(
                format!("Máy chủ gửi nhiều hơn {most} byte được phép; đã ngừng nhận."),
                format!("The mirror sends more than the {most} bytes that it may; it was cut off."),
            ),
            Self::TooSlow => Text::new(
                "Máy chủ danh bạ không gửi xong trong thời gian cho phép.",
                "The mirror did not send the whole file in time.",
            ),
            Self::CutShort => Text::new(
                "Máy chủ danh bạ gửi ít hơn độ dài đã báo rồi ngắt.",
                "The mirror sent less than it announced, and broke off.",
            ),
            Self::Absent(file) => Text::new(
                format!("Máy chủ danh bạ không có tệp {file}."),
                format!("The mirror does not have the file {file}."),
            ),
            Self::Unreachable(reason) => Text::new(
                format!("Không tải được từ máy chủ danh bạ: {reason}."),
                format!("The mirror cannot be read: {reason}."),
            ),
            Self::Contents(_) => Text::new(
                "Nội dung danh bạ tự mâu thuẫn.",
                "What the directory says contradicts itself.",
            ),
            Self::Anchor(refusal) => refusal.text(),
            Self::Revocations(error) => error.text(),
            Self::Key(error) => error.text(),
            Self::Founded(folder) => Text::new(
                format!("Thư mục {folder} đã có gốc tin cậy của một liên thông. Hãy chọn thư mục khác."),
                format!("The folder {folder} has the root of a federation already. Choose another."),
            ),
            Self::Role(role) => Text::new(
                format!("Vai trò {role} phải có số khóa khác nhau ít nhất bằng số chữ ký bắt buộc, và ít nhất một."),
                format!("The role {role} needs at least as many different keys as must sign, and at least one."),
            ),
            Self::NoDocument(sha256) => Text::new(
                format!("Chưa có tài liệu OpenAPI mang mã băm {sha256}. Hãy gửi kèm tài liệu."),
                format!("There is no OpenAPI document with the hash {sha256}. Send it along."),
            ),
            Self::Disk { path, reason } => Text::new(
                format!("Không đọc hoặc ghi được {path}: {reason}."),
                format!("{path} cannot be read or written: {reason}."),
            ),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text().en)
    }
}

impl std::error::Error for Refusal {}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal.kind(), refusal.problems())
    }
}

impl From<KeyError> for Refusal {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

/// How people compare keys by telephone: the hex in groups of eight.
pub fn grouped(hex: &str) -> String {
    let digits: Vec<char> = hex.chars().collect();
    let groups: Vec<String> = digits.chunks(8).map(|group| group.iter().collect()).collect();
    groups.join(" ")
}

/// [`grouped`] of a key.
pub fn grouped_key(key: &KeyId) -> String {
    grouped(&key.to_string())
}
