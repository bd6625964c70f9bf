//! Why data is asked for.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::reason::reasons;

const LONGEST: usize = 64;

reasons! {
    /// Why a text is no purpose.
    pub enum PurposeFlaw {
        Missing = "purpose-missing",
            "Chưa nêu mục đích. Ghi mã mục đích vào tiêu đề X-Motcua-Purpose, ví dụ dossier.verify; mã hồ sơ ghi vào X-Road-Issue.",
            "No purpose is stated. Put its code into the header X-Motcua-Purpose, such as dossier.verify; the code of the dossier goes into X-Road-Issue.";
        Malformed = "purpose-malformed",
            "Mã mục đích gồm tối đa 64 chữ thường, chữ số, dấu “.” hoặc “-”, bắt đầu bằng chữ: dossier.verify.",
            "The code of a purpose has at most 64 lower-case letters, digits, “.” or “-”, and begins with a letter: dossier.verify.";
    }
}

/// The code of a purpose (mục đích) that a grant names and a request states: `dossier.verify`. What it means, the
/// directory says. Estonia learned that a data source cannot tell a person why somebody asked unless the asker said so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Purpose(String);

impl Purpose {
    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Purpose {
    type Err = PurposeFlaw;

    fn from_str(code: &str) -> Result<Self, PurposeFlaw> {
        let known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-';
        if code.len() <= LONGEST && code.starts_with(|c: char| c.is_ascii_lowercase()) && code.bytes().all(known) {
            Ok(Self(code.to_owned()))
        } else {
            Err(PurposeFlaw::Malformed)
        }
    }
}

impl TryFrom<String> for Purpose {
    type Error = PurposeFlaw;
    fn try_from(code: String) -> Result<Self, PurposeFlaw> {
        code.parse()
    }
}

impl From<Purpose> for String {
    fn from(purpose: Purpose) -> Self {
        purpose.0
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purpose_is_a_short_code() {
        assert!("dossier.verify-1".parse::<Purpose>().is_ok());
        for text in ["", "1", ".a", "Dossier", "a b", "a\r\nx: y", "mục", &"a".repeat(65)] {
            assert_eq!(text.parse::<Purpose>(), Err(PurposeFlaw::Malformed), "{text}");
        }
    }
}
