//! How trust says no: a stable code, and what is wrong and what to do about it, in both languages.

use base::{Kind, Text};

/// What every error of this crate can tell.
pub trait Explained {
    /// A stable name for programs: `certificate-expired`.
    fn code(&self) -> &'static str;

    /// What sort of no it is.
    fn kind(&self) -> Kind;

    /// What is wrong and what to do.
    fn text(&self) -> Text;
}

/// A particular that stands in a sentence, in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Detail {
    /// Vietnamese.
    pub vi: &'static str,
    /// English.
    pub en: &'static str,
}

impl Detail {
    pub(crate) const fn new(vi: &'static str, en: &'static str) -> Self {
        Self { vi, en }
    }
}

/// Makes an explained type an error: shown in English, and a refusal of the platform ([`base::Error`]).
macro_rules! refuses {
    ($($error:ty),+) => {$(
        impl std::fmt::Display for $error {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&$crate::Explained::text(self).en)
            }
        }

        impl std::error::Error for $error {}

        impl From<$error> for base::Error {
            fn from(error: $error) -> Self {
                use $crate::Explained as _;
                let text = error.text();
                Self::refused(error.kind(), error.code(), text.vi, text.en)
            }
        }
    )+};
}

pub(crate) use refuses;
