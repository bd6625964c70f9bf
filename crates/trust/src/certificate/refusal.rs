//! What can be wrong with a certificate. Each has its own code for programs and its own sentence for people.

use std::path::PathBuf;

use base::{Kind, Problems, Text, Timestamp};

use super::{MemberId, Purpose};
use crate::explained::{Explained, refuses};

/// One reason not to believe a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The peer showed no certificate.
    Missing,
    /// Damaged, truncated or not what it is said to be.
    Malformed(&'static str),
    /// The file cannot be read.
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// Its validity is over.
    Expired(Timestamp),
    /// Its validity has not begun: it is too new, or a clock is wrong.
    NotYetValid(Timestamp),
    /// It names no member, and the directory does not know its key.
    WithoutMember,
    /// It names more than one member.
    TwoMembers,
    /// It is of another member than the one that was meant.
    WrongMember {
        /// Who was meant.
        expected: MemberId,
        /// Who it is of.
        found: MemberId,
    },
    /// Its issuer may not vouch for this member.
    NotOfIssuer(MemberId),
    /// The directory lists other keys for this member: the certificate is real, but not the one that was registered.
    Swapped(MemberId),
    /// It is not for this use.
    WrongUsage(Purpose),
    /// None of the pinned CAs issued it.
    UnknownIssuer(String),
    /// The CA is no longer, or not yet, valid.
    IssuerNotValid(String),
    /// It was issued by a certificate that is no CA.
    NotAnAuthority,
    /// More issuers stand between it and the CA than the CA allows.
    PathTooLong,
    /// A name in it is outside of what its CA may name.
    NameNotPermitted,
    /// Its CA has revoked it.
    Revoked {
        /// Since when.
        since: Timestamp,
        /// Why, in the words of RFC 5280 section 5.3.1: `keyCompromise`.
        reason: &'static str,
    },
    /// Its key, or one above it, is weak: short RSA, an unknown curve.
    WeakKey(String),
    /// It was signed by a weak algorithm, such as SHA-1.
    WeakSignature,
    /// Its signature is not that of its issuer.
    WrongSignature,
    /// It carries something critical that is not understood here.
    Unsupported,
    /// The certificate is not of the private key beside it.
    WrongKey,
}

impl Explained for Refusal {
    fn code(&self) -> &'static str {
        match self {
            Self::Missing => "certificate-missing",
            Self::Malformed(_) => "certificate-malformed",
            Self::File { .. } => "certificate-file",
            Self::Expired(_) => "certificate-expired",
            Self::NotYetValid(_) => "certificate-not-yet-valid",
            Self::WithoutMember => "certificate-without-member",
            Self::TwoMembers => "certificate-two-members",
            Self::WrongMember { .. } => "certificate-wrong-member",
            Self::NotOfIssuer(_) => "certificate-not-of-issuer",
            Self::Swapped(_) => "certificate-swapped",
            Self::WrongUsage(_) => "certificate-wrong-usage",
            Self::UnknownIssuer(_) => "certificate-unknown-issuer",
            Self::IssuerNotValid(_) => "certificate-issuer-not-valid",
            Self::NotAnAuthority => "certificate-issuer-no-ca",
            Self::PathTooLong => "certificate-path-too-long",
            Self::NameNotPermitted => "certificate-name-not-permitted",
            Self::Revoked { .. } => "certificate-revoked",
            Self::WeakKey(_) => "certificate-weak-key",
            Self::WeakSignature => "certificate-weak-signature",
            Self::WrongSignature => "certificate-wrong-signature",
            Self::Unsupported => "certificate-unsupported",
            Self::WrongKey => "certificate-wrong-key",
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Missing => Kind::Unauthenticated,
            Self::Malformed(_) | Self::WrongKey => Kind::Invalid,
            Self::File { .. } => Kind::Unavailable,
            _ => Kind::Forbidden,
        }
    }

    fn text(&self) -> Text {
        match self {
            Self::Missing => Text::new(
                "Nút bên kia không trình chứng thư. Hãy cấu hình chứng thư của cơ quan cho nút đó.",
                "The peer showed no certificate. Configure the certificate of its member on that node.",
            ),
            Self::Malformed(what) => Text::new(
                format!("Chứng thư bị hỏng hoặc không đúng dạng ({what}). Hãy xuất lại tệp PEM."),
                format!("The certificate is damaged or not of the right form ({what}). Export the PEM file again."),
            ),
            Self::File { path, reason } => Text::new(
                format!("Không đọc được tệp chứng thư {}: {reason}.", path.display()),
                format!("The certificate file {} could not be read: {reason}.", path.display()),
            ),
            Self::Expired(at) => Text::new(
                format!(
                    "Chứng thư hết hạn từ {}. Cơ quan sở hữu phải xin cấp mới.",
                    at.display()
                ),
                format!("The certificate expired at {at}. Its member must have a new one issued."),
            ),
            Self::NotYetValid(at) => Text::new(
                format!(
                    "Chứng thư chỉ có hiệu lực từ {}. Hãy kiểm tra đồng hồ của cả hai máy.",
                    at.display()
                ),
                format!("The certificate is valid only from {at}. Look at the clocks of both machines."),
            ),
            Self::WithoutMember => Text::new(
                "Chứng thư không ghi mã thành viên và khóa chưa được đăng ký trong danh bạ. Hãy đăng ký khóa, hoặc \
                 xin cấp chứng thư có URI motcua://.",
                "The certificate names no member, and its key is not registered in the directory. Register the key, \
                 or have a certificate issued with a motcua:// URI.",
            ),
            Self::TwoMembers => Text::new(
                "Chứng thư ghi nhiều thành viên khác nhau; mỗi chứng thư chỉ của một thành viên. Hãy xin cấp lại.",
                "The certificate names several members; it must be of one. Have it issued again.",
            ),
            Self::WrongMember { expected, found } => Text::new(
                format!(
                    "Chứng thư là của {found}, không phải của {expected}. Hãy kiểm tra địa chỉ trong danh bạ; không \
                     gửi dữ liệu."
                ),
                format!(
                    "The certificate is of {found}, not of {expected}. Look at the address in the directory; \
                     nothing was sent."
                ),
            ),
            Self::NotOfIssuer(member) => Text::new(
                format!(
                    "Đơn vị cấp chứng thư này không được phép cấp cho {member}. Hãy dùng chứng thư của CA đã đăng \
                     ký cho thành viên."
                ),
                format!(
                    "The issuer of this certificate may not vouch for {member}. Use a certificate of the CA \
                     registered for the member."
                ),
            ),
            Self::Swapped(member) => Text::new(
                format!(
                    "Khóa trong chứng thư không phải khóa mà {member} đã đăng ký trong danh bạ. Nếu vừa thay khóa, \
                     hãy đăng ký khóa mới; nếu không, có thể ai đó mạo danh."
                ),
                format!(
                    "The key in the certificate is not one that {member} registered in the directory. If the key \
                     was rotated, register the new one; if not, somebody may be posing as the member."
                ),
            ),
            Self::WrongUsage(purpose) => Text::new(
                format!(
                    "Chứng thư không được cấp cho mục đích này ({}). Hãy dùng chứng thư có đúng mục đích sử dụng khóa.",
                    purpose.vi()
                ),
                format!(
                    "The certificate was not issued for this use ({}). Use one with the right key usages.",
                    purpose.en()
                ),
            ),
            Self::UnknownIssuer(issuer) => Text::new(
                format!(
                    "Đơn vị cấp chứng thư ({issuer}) không có trong danh bạ. Hãy đăng ký CA đó, hoặc gửi kèm chứng \
                     thư trung gian."
                ),
                format!(
                    "The issuer of the certificate ({issuer}) is not in the directory. Register that CA, or send \
                     the intermediate certificates along."
                ),
            ),
            Self::IssuerNotValid(issuer) => Text::new(
                format!("Chứng thư của CA {issuer} đã hết hạn hoặc chưa có hiệu lực. Cần CA mới trong danh bạ."),
                format!(
                    "The certificate of the CA {issuer} has expired or is not yet valid. The directory needs its \
                     new one."
                ),
            ),
            Self::NotAnAuthority => Text::new(
                "Chứng thư do một chứng thư không phải CA ký. Đây có thể là giả mạo; hãy báo cho người vận hành \
                 liên thông.",
                "The certificate was signed by one that is no CA. This may be a forgery; tell the operator of the \
                 federation.",
            ),
            Self::PathTooLong => Text::new(
                "Chuỗi chứng thư dài hơn mức CA cho phép. Hãy xin cấp chứng thư trực tiếp từ CA đã đăng ký.",
                "The certificate chain is longer than its CA allows. Have the certificate issued by the registered \
                 CA itself.",
            ),
            Self::NameNotPermitted => Text::new(
                "Tên trong chứng thư nằm ngoài phạm vi mà CA được phép cấp. Hãy xin cấp lại với tên đúng.",
                "A name in the certificate is outside of what its CA may name. Have it issued again with the right \
                 names.",
            ),
            Self::Revoked { since, reason } => Text::new(
                format!(
                    "Chứng thư đã bị thu hồi từ {} ({reason}). Không được dùng nữa; cơ quan sở hữu phải thay khóa.",
                    since.display()
                ),
                format!(
                    "The certificate was revoked at {since} ({reason}). It must not be used; its member must rotate \
                     the key."
                ),
            ),
            Self::WeakKey(what) => Text::new(
                format!(
                    "Khóa trong chuỗi chứng thư quá yếu hoặc không được hỗ trợ ({what}). Hãy dùng Ed25519, ECDSA \
                     P-256 hoặc RSA từ 2048 bit."
                ),
                format!(
                    "A key in the certificate chain is weak or not supported ({what}). Use Ed25519, ECDSA P-256 or \
                     RSA of at least 2048 bit."
                ),
            ),
            Self::WeakSignature => Text::new(
                "Chứng thư được ký bằng thuật toán yếu hoặc không được hỗ trợ (như SHA-1). Hãy xin cấp lại.",
                "The certificate was signed by a weak or unsupported algorithm (such as SHA-1). Have it issued again.",
            ),
            Self::WrongSignature => Text::new(
                "Chữ ký trên chứng thư không phải của CA mà nó ghi. Đây có thể là giả mạo; hãy báo cho người vận \
                 hành liên thông.",
                "The signature on the certificate is not of the CA that it names. This may be a forgery; tell the \
                 operator of the federation.",
            ),
            Self::Unsupported => Text::new(
                "Chứng thư có phần mở rộng bắt buộc mà hệ thống không hiểu. Hãy xin cấp chứng thư theo hồ sơ trong \
                 tài liệu.",
                "The certificate has a critical extension that is not understood here. Have one issued by the \
                 documented profile.",
            ),
            Self::WrongKey => Text::new(
                "Chứng thư không khớp với khóa bí mật đi kèm. Hãy kiểm tra hai tệp có cùng một lần cấp.",
                "The certificate is not of the private key beside it. See that both files are of the same issuance.",
            ),
        }
    }
}

refuses!(Refusal, Refusals);

/// All that is wrong with one certificate: at least one reason. The first gives code and kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusals {
    first: Refusal,
    more: Vec<Refusal>,
}

impl Refusals {
    /// All of `found`, in that order; `Ok` when there is nothing.
    pub(crate) fn gather(found: Vec<Refusal>) -> Result<(), Self> {
        let mut found = found.into_iter();
        match found.next() {
            None => Ok(()),
            Some(first) => Err(Self {
                first,
                more: found.collect(),
            }),
        }
    }

    /// The reasons.
    pub fn iter(&self) -> impl Iterator<Item = &Refusal> {
        std::iter::once(&self.first).chain(&self.more)
    }

    /// The reasons as problems, for pages and APIs. `at` is the place of the certificate in the request.
    pub fn problems(&self, at: &str) -> Problems {
        let mut problems = Problems::new();
        for refusal in self.iter() {
            let text = refusal.text();
            problems.add(refusal.code(), at, text.vi, text.en);
        }
        problems
    }
}

impl From<Refusal> for Refusals {
    fn from(first: Refusal) -> Self {
        Self {
            first,
            more: Vec::new(),
        }
    }
}

impl Explained for Refusals {
    fn code(&self) -> &'static str {
        self.first.code()
    }

    fn kind(&self) -> Kind {
        self.first.kind()
    }

    fn text(&self) -> Text {
        let texts: Vec<Text> = self.iter().map(Refusal::text).collect();
        let join = |pick: fn(&Text) -> &str| texts.iter().map(pick).collect::<Vec<_>>().join(" ");
        Text::new(join(|t| &t.vi), join(|t| &t.en))
    }
}
