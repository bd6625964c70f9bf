//! What goes wrong with keys, and what the operator can do.

use std::path::PathBuf;

use base::{Kind, Text};

use crate::explained::{Detail, Explained, refuses};

/// A key that cannot be had or used, or a signature that is not its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyError {
    /// There is no such file.
    Missing(PathBuf),
    /// The file is there already; keys are never overwritten.
    Exists(PathBuf),
    /// Others than the owner may read or write the file.
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The system would not read or write the file.
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The PEM or DER is not what it should be: truncated, damaged, of another kind.
    Malformed(Detail),
    /// The key is under a passphrase.
    Encrypted,
    /// Neither Ed25519 nor ECDSA P-256.
    Algorithm,
    /// The signature is not of this key over these bytes.
    Signature,
    /// The configuration does not name a place of a key.
    Location(Detail),
    /// The PKCS#11 module cannot be loaded.
    Module {
        /// The shared library.
        path: PathBuf,
        /// What the loader or the module said.
        reason: String,
    },
    /// No slot has the token.
    TokenAbsent(String),
    /// The token refuses the PIN. It is not tried again: a token locks after a few wrong ones.
    Pin(String),
    /// The token has locked the PIN.
    PinLocked(String),
    /// The token has no such key.
    KeyAbsent {
        /// Which token.
        token: String,
        /// What was looked for.
        key: String,
    },
    /// The token failed otherwise.
    Device {
        /// Which token.
        token: String,
        /// What the module said.
        reason: String,
    },
    /// The cryptographic library failed.
    Library,
}

impl Explained for KeyError {
    fn code(&self) -> &'static str {
        match self {
            Self::Missing(_) => "key-missing",
            Self::Exists(_) => "key-exists",
            Self::Exposed { .. } => "key-exposed",
            Self::File { .. } => "key-file",
            Self::Malformed(_) => "key-malformed",
            Self::Encrypted => "key-encrypted",
            Self::Algorithm => "key-algorithm",
            Self::Signature => "signature-wrong",
            Self::Location(_) => "key-location",
            Self::Module { .. } => "hsm-module",
            Self::TokenAbsent(_) => "hsm-token-absent",
            Self::Pin(_) => "hsm-pin",
            Self::PinLocked(_) => "hsm-pin-locked",
            Self::KeyAbsent { .. } => "hsm-key-absent",
            Self::Device { .. } => "hsm-failed",
            Self::Library => "key-library",
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Malformed(_) | Self::Encrypted | Self::Algorithm | Self::Signature | Self::Location(_) => {
                Kind::Invalid
            }
            Self::Exists(_) => Kind::Conflict,
            _ => Kind::Unavailable,
        }
    }

    fn text(&self) -> Text {
        match self {
            Self::Missing(path) => Text::new(
                format!("Không có tệp khóa {}. Hãy sửa đường dẫn hoặc tạo khóa.", path.display()),
                format!(
                    "There is no key file {}. Correct the path or create a key.",
                    path.display()
                ),
            ),
            Self::Exists(path) => Text::new(
                format!(
                    "Đã có tệp khóa {}; khóa không bị ghi đè. Hãy chọn tên khác.",
                    path.display()
                ),
                format!(
                    "The key file {} is there already and is not overwritten. Choose another name.",
                    path.display()
                ),
            ),
            Self::Exposed { path, mode } => Text::new(
                format!(
                    "Người khác đọc hoặc ghi được tệp khóa {path} (quyền {mode:04o}). Hãy chạy: chmod 600 {path}; \
                     nếu khóa có thể đã lộ, hãy thay khóa.",
                    path = path.display()
                ),
                format!(
                    "Others may read or write the key file {path} (mode {mode:04o}). Run: chmod 600 {path}; if it \
                     may have been read, rotate the key.",
                    path = path.display()
                ),
            ),
            Self::File { path, reason } => Text::new(
                format!("Không đọc hoặc ghi được tệp khóa {}: {reason}.", path.display()),
                format!(
                    "The key file {} could not be read or written: {reason}.",
                    path.display()
                ),
            ),
            Self::Malformed(what) => Text::new(
                format!(
                    "Dữ liệu khóa không đúng dạng ({}). Cần PKCS#8 PEM (BEGIN PRIVATE KEY), còn nguyên vẹn.",
                    what.vi
                ),
                format!(
                    "This is not a key as it should be ({}). It must be PKCS#8 in PEM (BEGIN PRIVATE KEY), whole.",
                    what.en
                ),
            ),
            Self::Encrypted => Text::new(
                "Khóa được bảo vệ bằng mật khẩu, hệ thống không mở được khi tự khởi động. Hãy chạy: openssl pkcs8 \
                 -in KHÓA -out KHÓA-MỚI, hoặc đặt khóa trong HSM.",
                "The key is under a passphrase and could not be opened at an unattended start. Run: openssl pkcs8 \
                 -in KEY -out NEW-KEY, or keep the key in an HSM.",
            ),
            Self::Algorithm => Text::new(
                "Thuật toán của khóa không được hỗ trợ. Hãy dùng Ed25519 hoặc ECDSA P-256.",
                "The algorithm of the key is not supported. Use Ed25519 or ECDSA P-256.",
            ),
            Self::Signature => Text::new(
                "Chữ ký không đúng: nội dung đã bị sửa hoặc người ký không giữ khóa này.",
                "The signature is wrong: the content was changed, or the signer does not hold this key.",
            ),
            Self::Location(what) => Text::new(
                format!(
                    "Cấu hình không chỉ ra nơi giữ khóa ({}). Hãy ghi đường dẫn tệp hoặc URI pkcs11: (RFC 7512).",
                    what.vi
                ),
                format!(
                    "The configuration does not name the place of a key ({}). Give a file path or a pkcs11: URI \
                     (RFC 7512).",
                    what.en
                ),
            ),
            Self::Module { path, reason } => Text::new(
                format!(
                    "Không nạp được mô-đun PKCS#11 {}: {reason}. Hãy cài trình điều khiển của HSM hoặc sửa \
                     module-path.",
                    path.display()
                ),
                format!(
                    "The PKCS#11 module {} cannot be loaded: {reason}. Install the driver of the HSM or correct \
                     module-path.",
                    path.display()
                ),
            ),
            Self::TokenAbsent(token) => Text::new(
                format!(
                    "Không thấy thiết bị {token}. Hãy cắm thiết bị và kiểm tra tên; hệ thống tự thử lại ở lần ký sau."
                ),
                format!(
                    "No slot has the token {token}. Plug it in and check its label; the next signature tries again."
                ),
            ),
            Self::Pin(token) => Text::new(
                format!(
                    "Thiết bị {token} từ chối mã PIN. Hãy sửa tệp pin-source rồi khởi động lại; hệ thống không thử \
                     lại để tránh khóa thiết bị."
                ),
                format!(
                    "The token {token} refuses the PIN. Correct the pin-source file and restart; it is not tried \
                     again, so that the token does not lock."
                ),
            ),
            Self::PinLocked(token) => Text::new(
                format!("Thiết bị {token} đã khóa mã PIN. Người quản trị thiết bị (SO) phải mở khóa."),
                format!("The token {token} has locked its PIN. Its security officer must unlock it."),
            ),
            Self::KeyAbsent { token, key } => Text::new(
                format!(
                    "Thiết bị {token} không có khóa {key}, hoặc có nhiều khóa trùng tên. Hãy sửa object hoặc id \
                     trong URI."
                ),
                format!(
                    "The token {token} has no key {key}, or several by that name. Correct object or id in the URI."
                ),
            ),
            Self::Device { token, reason } => Text::new(
                format!("Thiết bị {token} không ký được: {reason}. Hãy thử lại; nếu vẫn lỗi, hãy kiểm tra thiết bị."),
                format!("The token {token} could not sign: {reason}. Try again; if it persists, look at the device."),
            ),
            Self::Library => Text::new(
                "Thư viện mật mã không thực hiện được phép toán. Hãy thử lại và báo cho người vận hành.",
                "The cryptographic library could not do this. Try again, and tell the operator.",
            ),
        }
    }
}

refuses!(KeyError);
