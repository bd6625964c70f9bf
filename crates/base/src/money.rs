//! Money: whole Vietnamese dong. There is no smaller coin, and no floating point anywhere.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::codes::CodeError;

/// An amount in dong (đồng, VND), which may be negative (a refund).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Dong(i64);

impl Dong {
    /// Nothing to pay.
    pub const ZERO: Self = Self(0);

    /// An amount of whole dong.
    pub const fn new(amount: i64) -> Self {
        Self(amount)
    }

    /// The number of dong, for storage.
    pub const fn amount(self) -> i64 {
        self.0
    }

    /// The sum, or `None` beyond the range of 64 bits.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(n) => Some(Self(n)),
            None => None,
        }
    }

    /// The difference, or `None` beyond the range of 64 bits.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(n) => Some(Self(n)),
            None => None,
        }
    }

    /// The amount for `times` copies, or `None` beyond the range of 64 bits.
    pub const fn checked_mul(self, times: i64) -> Option<Self> {
        match self.0.checked_mul(times) {
            Some(n) => Some(Self(n)),
            None => None,
        }
    }

    /// The sum of many amounts, or `None` beyond the range of 64 bits.
    pub fn checked_sum(amounts: impl IntoIterator<Item = Self>) -> Option<Self> {
        amounts.into_iter().try_fold(Self::ZERO, Self::checked_add)
    }
}

/// As pages and papers show it: `8.000 đ`.
impl fmt::Display for Dong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.unsigned_abs().to_string();
        if self.0 < 0 {
            f.write_str("-")?;
        }
        for (n, digit) in digits.chars().enumerate() {
            if n > 0 && (digits.len() - n).is_multiple_of(3) {
                f.write_str(".")?;
            }
            write!(f, "{digit}")?;
        }
        f.write_str(" đ")
    }
}

/// Reads `8000`, `8.000`, `8,000`, `8 000`, each with or without `đ`, `đồng` or `VND`. Groups must be of three digits, and
/// of one separator: `8.00` is refused, never read as eight.
impl FromStr for Dong {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let refused = || {
            CodeError::new(
                "not-an-amount",
                "Nhập số tiền bằng đồng, ví dụ 8.000.",
                "Enter an amount in whole dong, for example 8.000.",
            )
        };
        let composed = crate::text::nfc(text);
        let lower = composed.trim().to_lowercase();
        let number = ["đồng", "đ", "₫", "vnd"]
            .iter()
            .find_map(|unit| lower.strip_suffix(unit))
            .unwrap_or(&lower)
            .trim();
        let (sign, number) = number.strip_prefix('-').map_or((1, number), |rest| (-1, rest));
        let separator = number.chars().find(|c| !c.is_ascii_digit());
        let digits = match separator {
            None => number.to_owned(),
            Some(separator @ ('.' | ',' | ' ' | '\u{a0}' | '\u{202f}')) => {
                let groups: Vec<&str> = number.split(separator).collect();
                let well_formed = groups.iter().enumerate().all(|(n, g)| {
                    g.chars().all(|c| c.is_ascii_digit())
                        && if n == 0 { matches!(g.len(), 1..=3) } else { g.len() == 3 }
                });
                if !well_formed {
                    return Err(refused());
                }
                groups.concat()
            }
            Some(_) => return Err(refused()),
        };
        let amount: i64 = digits.parse().map_err(|_| refused())?;
        Ok(Self(sign * amount))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_are_shown_in_groups() {
        for (amount, shown) in [
            (0, "0 đ"),
            (999, "999 đ"),
            (8_000, "8.000 đ"),
            (1_234_567, "1.234.567 đ"),
            (-50_000, "-50.000 đ"),
            (i64::MIN, "-9.223.372.036.854.775.808 đ"),
        ] {
            assert_eq!(Dong::new(amount).to_string(), shown);
        }
    }

    #[test]
    fn amounts_are_read_or_refused() {
        for text in [
            "8000",
            "8.000",
            "8,000",
            " 8 000 ",
            "8.000 đ",
            "8.000đ",
            "8000 VND",
            "8.000 đồng",
            "8.000 đo\u{302}\u{300}ng",
        ] {
            assert_eq!(text.parse(), Ok(Dong::new(8_000)), "{text}");
        }
        for text in [
            "",
            "-",
            "đ",
            "8.00",
            "8.0000",
            ".800",
            "8.000,00",
            "1,000.000",
            "8 đ 9",
            "--8",
            "8e3",
            "99999999999999999999",
        ] {
            assert!(text.parse::<Dong>().is_err(), "{text}");
        }
    }

    #[test]
    fn arithmetic_never_wraps() {
        assert_eq!(Dong::new(8_000).checked_mul(3), Some(Dong::new(24_000)));
        assert_eq!(Dong::new(i64::MAX).checked_add(Dong::new(1)), None);
        assert_eq!(Dong::new(i64::MIN).checked_sub(Dong::new(1)), None);
        assert_eq!(Dong::checked_sum([Dong::new(1), Dong::new(2)]), Some(Dong::new(3)));
        assert_eq!(Dong::checked_sum([Dong::new(i64::MAX), Dong::new(2)]), None);
        assert_eq!(serde_json::to_string(&Dong::new(8_000)).expect("a number"), "8000");
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read(amount in -i64::MAX..i64::MAX) {
            prop_assert_eq!(Dong::new(amount).to_string().parse(), Ok(Dong::new(amount)));
        }
    }
}
