//! Tax codes, which are also the codes of enterprises.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{CodeError, is_shaped, text_code};

/// A tax code (mã số thuế), `N1…N10` or `N1…N10-N11N12N13` for a dependent unit: N1N2 range, N3-N9 serial from 0000001, N10
/// check digit, N11-N13 unit from 001. Circular 105/2020/TT-BTC art. 5. The code of an enterprise is the same code. Persons and
/// household businesses use their [`super::PersonNumber`] instead (Law on Tax Administration art. 35.7).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TaxCode(String);

text_code!(TaxCode);

impl TaxCode {
    /// The ten digits of the main unit.
    pub fn main(&self) -> &str {
        self.0.get(..10).unwrap_or(&self.0)
    }

    /// The code of a main unit that begins with these nine digits; nothing where such a code is never issued.
    pub fn of_nine(digits: &str) -> Option<Self> {
        let is_nine = digits.len() == 9 && digits.bytes().all(|digit| digit.is_ascii_digit());
        is_nine.then(|| format!("{digits}{}", check(digits.as_bytes())).parse().ok())?
    }

    /// The three digits of a dependent unit.
    pub fn unit(&self) -> Option<&str> {
        self.0.get(11..)
    }
}

impl FromStr for TaxCode {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let mut code: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        if is_shaped(&code, "9999999999999") {
            code.insert(10, '-');
        }
        if !is_shaped(&code, "9999999999") && !is_shaped(&code, "9999999999-999") {
            return Err(CodeError::new(
                "not-a-tax-code",
                "Mã số thuế gồm 10 chữ số, hoặc 10 chữ số, dấu gạch ngang và 3 chữ số của đơn vị phụ thuộc.",
                "A tax code has 10 digits, or 10 digits, a hyphen and the 3 digits of a dependent unit.",
            ));
        }
        if code.get(2..9) == Some("0000000") || code.get(11..) == Some("000") {
            return Err(CodeError::new(
                "tax-code-out-of-range",
                "Mã số thuế không nằm trong dải số được cấp.",
                "The tax code is outside the ranges that are issued.",
            ));
        }
        let last = code.as_bytes().get(9).map(|c| u32::from(c - b'0'));
        if last != Some(check(code.as_bytes())) {
            return Err(CodeError::new(
                "tax-code-check-digit",
                "Mã số thuế không đúng chữ số kiểm tra. Đề nghị đối chiếu với giấy chứng nhận đăng ký thuế hoặc đăng ký doanh nghiệp.",
                "The check digit of the tax code is wrong. Compare it with the tax or enterprise registration certificate.",
            ));
        }
        Ok(Self(code))
    }
}

/// The check of the first nine digits. A sum divisible by 11 would need the check "10", so such numbers are never issued.
fn check(digits: &[u8]) -> u32 {
    const WEIGHTS: [u32; 9] = [31, 29, 23, 19, 17, 13, 7, 5, 3];
    let weighed = digits
        .iter()
        .zip(WEIGHTS)
        .map(|(digit, weight)| u32::from(digit - b'0') * weight);
    10 - weighed.sum::<u32>() % 11
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REAL: [&str; 6] = [
        "0100233488",
        "0314409058",
        "0100112437",
        "0312687878",
        "0101243150",
        "0300588569",
    ];

    #[test]
    fn real_codes_are_accepted() {
        for code in REAL {
            assert_eq!(code.parse::<TaxCode>().map(|c| c.to_string()), Ok(code.to_owned()));
        }
        for branch in ["0314409058-002", "0314409058002", "0314409058 002"] {
            let code: TaxCode = branch.parse().expect("a branch");
            assert_eq!(
                (code.as_str(), code.main(), code.unit()),
                ("0314409058-002", "0314409058", Some("002"))
            );
        }
    }

    #[test]
    fn nine_digits_make_a_code_or_none() {
        for code in REAL {
            assert_eq!(
                TaxCode::of_nine(&code[..9]).map(|c| c.to_string()),
                Some(code.to_owned())
            );
        }
        // Its check would be 10, its serial is none, and these are not nine digits.
        for none in ["010000005", "010000000", "01002334", "0100233488", "01002334x"] {
            assert_eq!(TaxCode::of_nine(none), None, "{none}");
        }
    }

    #[test]
    fn every_single_wrong_digit_is_found() {
        for code in REAL {
            for at in 0..10 {
                for digit in '0'..='9' {
                    let mut wrong: Vec<char> = code.chars().collect();
                    wrong[at] = digit;
                    let wrong: String = wrong.into_iter().collect();
                    assert_eq!(wrong.parse::<TaxCode>().is_ok(), wrong == code, "{wrong}");
                }
            }
        }
    }

    #[test]
    fn the_reason_is_named() {
        for (text, code) in [
            ("010023348", "not-a-tax-code"),
            ("0314409058-02", "not-a-tax-code"),
            ("0314409058-000", "tax-code-out-of-range"),
            ("0100000001", "tax-code-out-of-range"),
            ("0100233487", "tax-code-check-digit"),
        ] {
            assert_eq!(text.parse::<TaxCode>().map_err(|e| e.code()), Err(code), "{text}");
        }
    }

    proptest! {
        #[test]
        fn at_most_one_check_digit_fits(stem in "[0-9]{9}") {
            let fitting = (0..10).filter(|d| format!("{stem}{d}").parse::<TaxCode>().is_ok()).count();
            prop_assert!(fitting <= 1);
        }
    }
}
