//! Numbers of the insured.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{CodeError, digits_of, is_shaped, text_code};

/// The social insurance number (mã số bảo hiểm xã hội), 10 digits for life; no check digit is published. Decision 595/QĐ-BHXH of
/// 2017, art. 2.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InsuranceNumber(String);

text_code!(InsuranceNumber);

impl FromStr for InsuranceNumber {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let digits = digits_of(text);
        if is_shaped(&digits, "9999999999") && digits != "0000000000" {
            return Ok(Self(digits));
        }
        Err(CodeError::new(
            "not-an-insurance-number",
            "Mã số bảo hiểm xã hội phải có đúng 10 chữ số.",
            "A social insurance number has exactly 10 digits.",
        ))
    }
}

/// The number of a health insurance card (số thẻ bảo hiểm y tế): 2 letters of the group of the insured, 1 digit of the benefit level,
/// 2 digits of the province, and the 10 digits of the [`InsuranceNumber`] (Decision 1351/QĐ-BHXH of 2015); cards of the
/// form since 1 April 2021 show the last 10 alone (Decision 1666/QĐ-BHXH of 2020).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HealthCard(String);

text_code!(HealthCard);

impl HealthCard {
    /// Whose card it is.
    pub fn insured(&self) -> InsuranceNumber {
        InsuranceNumber(self.0.get(self.0.len() - 10..).unwrap_or_default().to_owned())
    }

    /// The two letters of the group; none on a card that shows the number alone.
    pub fn group(&self) -> Option<&str> {
        self.0.get(..2).filter(|_| self.0.len() == 15)
    }

    /// The level of benefit, 1 to 5; none on a card that shows the number alone.
    pub fn benefit(&self) -> Option<u8> {
        self.0.get(2..3).filter(|_| self.0.len() == 15)?.parse().ok()
    }
}

impl FromStr for HealthCard {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let code: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .collect::<String>()
            .to_uppercase();
        let long = is_shaped(&code, "AA9999999999999") && matches!(code.as_bytes().get(2), Some(b'1'..=b'5'));
        if long || is_shaped(&code, "9999999999") {
            return Ok(Self(code));
        }
        Err(CodeError::new(
            "not-a-health-card",
            "Số thẻ bảo hiểm y tế gồm 2 chữ cái, 1 chữ số từ 1 đến 5 và 12 chữ số; hoặc 10 chữ số đối với thẻ mẫu mới.",
            "A health insurance card has 2 letters, a digit from 1 to 5 and 12 digits; or 10 digits on cards of the new form.",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_insurance_number_has_ten_digits() {
        assert_eq!(
            "01 2345 6789".parse::<InsuranceNumber>().map(|n| n.to_string()),
            Ok("0123456789".to_owned())
        );
        for wrong in ["", "123456789", "01234567890", "012345678a", "0000000000"] {
            assert!(wrong.parse::<InsuranceNumber>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_card_tells_group_level_and_insured() {
        let card: HealthCard = "te 1 37 0123456789".parse().expect("a card");
        assert_eq!(card.as_str(), "TE1370123456789");
        assert_eq!((card.group(), card.benefit()), (Some("TE"), Some(1)));
        assert_eq!(card.insured().as_str(), "0123456789");
        let new: HealthCard = "0123456789".parse().expect("a card of the new form");
        assert_eq!(
            (new.group(), new.benefit(), new.insured().as_str()),
            (None, None, "0123456789")
        );
        for wrong in [
            "TE0370123456789",
            "TE6370123456789",
            "T11370123456789",
            "TE137012345678",
            "TE13701234567890",
        ] {
            assert!(wrong.parse::<HealthCard>().is_err(), "{wrong}");
        }
    }
}
