//! Codes of procedures.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The code of a procedure (mã thủ tục hành chính) as the catalogue uses it for a key: `1.001193`, the province
/// variant `1.000656.000.00.00.H29`, and the odd ones that are published all the same (`1.014955-Xoa`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, example = "1.001193")]
pub struct Code(String);

impl Code {
    /// The longest code that is taken.
    pub const MAX: usize = 40;

    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it has the national shape `d.dddddd`.
    pub fn is_standard(&self) -> bool {
        is_national(&self.0)
    }

    /// Whether it is a province's variant of a national procedure: `1.000656.000.00.00.H29`.
    pub fn is_province_variant(&self) -> bool {
        match (self.0.get(..8), self.0.get(8..)) {
            (Some(national), Some(rest)) => {
                is_national(national) && rest.starts_with('.') && rest.split('.').count() == 5
            }
            _ => false,
        }
    }

    /// The national procedure of which this is a variant, or itself.
    pub fn national(&self) -> &str {
        if self.is_province_variant() {
            self.0.get(..8).unwrap_or(&self.0)
        } else {
            &self.0
        }
    }
}

fn is_national(text: &str) -> bool {
    let b = text.as_bytes();
    b.len() == 8 && b[0].is_ascii_digit() && b[1] == b'.' && b[2..].iter().all(u8::is_ascii_digit)
}

/// A text that cannot serve as a procedure code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a procedure code looks like 1.001193: digits, dots, letters and hyphens, starting with a digit, at most 40")]
pub struct NotACode;

impl FromStr for Code {
    type Err = NotACode;
    fn from_str(text: &str) -> Result<Self, NotACode> {
        let good = text.len() <= Self::MAX
            && text.starts_with(|c: char| c.is_ascii_digit())
            && text.contains('.')
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
        if good { Ok(Self(text.to_owned())) } else { Err(NotACode) }
    }
}

impl TryFrom<String> for Code {
    type Error = NotACode;
    fn try_from(text: String) -> Result<Self, NotACode> {
        text.parse()
    }
}

impl From<Code> for String {
    fn from(code: Code) -> Self {
        code.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
