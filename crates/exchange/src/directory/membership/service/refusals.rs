//! The refusals of membership that more than one use case gives.

use base::{Error, Kind, Problems};

use crate::model::identifier::MemberId;

/// Wrong in itself.
pub fn invalid(problems: Problems) -> Error {
    Error::Refused(Kind::Invalid, problems)
}

pub fn suspended(member: &MemberId) -> Error {
    Error::refused(
        Kind::Forbidden,
        "member-suspended",
        format!("{member} đang bị tạm dừng tham gia. Hãy liên hệ người vận hành liên thông."),
        format!("{member} is suspended. Ask the operator of the federation."),
    )
}

pub fn decided() -> Error {
    Error::refused(
        Kind::Conflict,
        "application-decided",
        "Đơn này đã được giải quyết. Hãy tải lại trang để xem kết quả.",
        "This application was decided before. Load the page again to see how.",
    )
}

pub fn moved_on() -> Error {
    Error::refused(
        Kind::Conflict,
        "member-changed",
        "Thông tin thành viên vừa thay đổi; chưa có gì được lưu. Hãy thực hiện lại.",
        "The member has changed in the meantime; nothing was stored. Do it again.",
    )
}

/// Somebody has it already.
pub fn taken(kind: Claim, value: &str) -> Error {
    let (code, vi, en) = match kind {
        Claim::Name => (
            "name-taken",
            format!("Đã có thành viên khác mang tên {value}. Hãy liên hệ người vận hành liên thông."),
            format!("Another member is named {value}. Ask the operator of the federation."),
        ),
        Claim::Log => (
            "log-taken",
            format!("Đã có cổng ghi nhật ký {value}. Hãy chọn mã cổng khác."),
            format!("A gateway writes the log {value} already. Choose another code."),
        ),
        Claim::Key => (
            "key-taken",
            format!("Khóa {value} đã từng được đăng ký. Hãy tạo khóa mới."),
            format!("The key {value} was registered before. Make a new one."),
        ),
        Claim::Gateway => (
            "gateway-taken",
            format!("Đã có cổng {value}. Hãy chọn mã cổng khác."),
            format!("There is a gateway {value} already. Choose another code."),
        ),
    };
    Error::refused(Kind::Conflict, code, vi, en)
}

/// What belongs to one member for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// The member's name, folded.
    Name,
    /// The origin of a log.
    Log,
    /// A key of TLS or of a log.
    Key,
    /// A gateway, with its member.
    Gateway,
}

impl Claim {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Log => "log",
            Self::Key => "key",
            Self::Gateway => "gateway",
        }
    }
}

/// The member has an invitation.
pub fn invited(member: &MemberId) -> Error {
    Error::refused(
        Kind::Conflict,
        "invited",
        format!("{member} đã được mời và chưa dùng lời mời. Nếu mã đã mất, hãy mời lại: mã cũ hết hiệu lực."),
        format!(
            "{member} is invited and has not used it yet. If the code is lost, invite anew: the old one is void then."
        ),
    )
}
