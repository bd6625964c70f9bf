//! Numbers of the customs system.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{CodeError, digits_of, is_shaped, text_code};

/// The number of a customs declaration (số tờ khai hải quan), 12 digits, given by the customs data system (Circular 39/2018/TT-BTC,
/// annex I). Numbers of imports begin with 10 and of exports with 30 as a rule, which no legal text that was found sets: it is not
/// judged here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CustomsDeclaration(String);

text_code!(CustomsDeclaration);

impl FromStr for CustomsDeclaration {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let digits = digits_of(text);
        if is_shaped(&digits, "999999999999") {
            return Ok(Self(digits));
        }
        Err(CodeError::new(
            "not-a-customs-declaration",
            "Số tờ khai hải quan phải có đúng 12 chữ số.",
            "The number of a customs declaration has exactly 12 digits.",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declaration_has_twelve_digits() {
        assert_eq!(
            "100 123 456 780".parse::<CustomsDeclaration>().map(|n| n.to_string()),
            Ok("100123456780".to_owned())
        );
        for wrong in ["", "10012345678", "1001234567800", "10012345678a"] {
            assert!(wrong.parse::<CustomsDeclaration>().is_err(), "{wrong}");
        }
    }
}
