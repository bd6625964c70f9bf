//! Telephone numbers.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{CodeError, text_code};

/// A telephone number of Viet Nam, mobile (nine digits from 3, 5, 7, 8 or 9 after the trunk 0) or landline (ten digits from
/// 2), kept as `+84…` without spaces. National numbering plan of Circular 22/2014/TT-BTTTT as amended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PhoneNumber(String);

text_code!(PhoneNumber);

impl PhoneNumber {
    /// Whether messages can be sent to it.
    pub fn is_mobile(&self) -> bool {
        !self.subscriber().starts_with('2')
    }

    /// As people dial it at home: `0912 345 678`, `0229 3871 234`.
    pub fn national(&self) -> String {
        let digits = self.subscriber();
        let (head, rest) = digits.split_at(3.min(digits.len()));
        let (middle, tail) = rest.split_at(rest.len().saturating_sub(3));
        format!("0{head} {middle} {tail}")
    }

    fn subscriber(&self) -> &str {
        self.0.strip_prefix("+84").unwrap_or(&self.0)
    }
}

impl FromStr for PhoneNumber {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let refused = || {
            CodeError::new(
                "not-a-phone-number",
                "Nhập số điện thoại tại Việt Nam, ví dụ 0912 345 678 hoặc +84 912 345 678.",
                "Enter a telephone number of Viet Nam, for example 0912 345 678 or +84 912 345 678.",
            )
        };
        let plain = text.replace("(0)", "");
        let dialled: String = plain
            .chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '.' | '-' | '(' | ')'))
            .collect();
        let subscriber = ["+84", "0084", "84"]
            .iter()
            .find_map(|prefix| {
                dialled
                    .strip_prefix(prefix)
                    .map(|rest| rest.strip_prefix('0').unwrap_or(rest))
                    .filter(|rest| is_subscriber(rest))
            })
            .or_else(|| dialled.strip_prefix('0').filter(|rest| is_subscriber(rest)))
            .ok_or_else(refused)?;
        Ok(Self(format!("+84{subscriber}")))
    }
}

fn is_subscriber(digits: &str) -> bool {
    let length = match digits.bytes().next() {
        Some(b'2') => 10,
        Some(b'3' | b'5' | b'7' | b'8' | b'9') => 9,
        _ => return false,
    };
    digits.len() == length && digits.bytes().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_is_one_number() {
        for text in [
            "0912345678",
            "0912 345 678",
            "0912.345.678",
            "+84912345678",
            "+84 (0)912-345-678",
            "84912345678",
            "0084 912 345 678",
            "+840912345678",
        ] {
            let number: PhoneNumber = text.parse().expect(text);
            assert_eq!(
                (number.as_str(), number.is_mobile(), number.national().as_str()),
                ("+84912345678", true, "0912 345 678"),
                "{text}"
            );
        }
        let landline: PhoneNumber = "(0229) 3871 234".parse().expect("a landline of Ninh Binh");
        assert_eq!(
            (landline.as_str(), landline.is_mobile(), landline.national().as_str()),
            ("+842293871234", false, "0229 3871 234")
        );
        let eighty_four: PhoneNumber = "0841234567".parse().expect("a mobile that begins with 084");
        assert_eq!(eighty_four.as_str(), "+84841234567");
    }

    #[test]
    fn other_numbers_are_refused() {
        for text in [
            "912345678",
            "091234567",
            "09123456789",
            "0123456789",
            "+1 202 555 0123",
            "0400123456",
            "091234567a",
            "19001234",
            "022938712345",
        ] {
            assert!(text.parse::<PhoneNumber>().is_err(), "{text}");
        }
    }
}
