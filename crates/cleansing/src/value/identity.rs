//! Numbers of persons and taxpayers.

use std::fmt;

use base::codes::{CodeError, OldIdCard, PersonNumber, TaxCode};

use super::{Outcome, Refused, Standard, Step, is_powers_of_ten, lost_digits, lost_zero, plain_digits};

/// A number that a person is known by: both sorts stand in one column of most files.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdNumber {
    /// The personal number of 12 digits.
    Person(PersonNumber),
    /// The number of an identity card before it, of 9 digits.
    Card(OldIdCard),
}

impl IdNumber {
    /// The digits.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Person(number) => number.as_str(),
            Self::Card(number) => number.as_str(),
        }
    }
}

impl fmt::Display for IdNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A personal number (12 digits) or the number of an old card (9 digits); the length says which.
///
/// # Errors
/// `lost-zero` with what it may have been: 10 and 11 digits a personal number, 8 digits an old card. `lost-digits`;
/// `unknown-birthplace`; `not-an-id-number`.
pub fn id_number(raw: &str) -> Outcome<IdNumber> {
    if is_powers_of_ten(raw) {
        return Err(lost_digits().into());
    }
    let not_one = || {
        CodeError::new(
            "not-an-id-number",
            "Cần số định danh cá nhân 12 chữ số hoặc số chứng minh nhân dân 9 chữ số.",
            "Give a personal number of 12 digits or an old card number of 9.",
        )
    };
    let digits = plain_digits(raw).ok_or_else(not_one)?;
    let value = match digits.len() {
        12 => IdNumber::Person(digits.parse()?),
        9 => IdNumber::Card(digits.parse()?),
        8 | 10 | 11 => {
            let proposal = if digits.len() == 8 {
                format!("0{digits}").parse().map(IdNumber::Card)
            } else {
                format!("{digits:0>12}").parse().map(IdNumber::Person)
            };
            return Err(Refused {
                reason: lost_zero(),
                proposals: proposal.into_iter().collect(),
            });
        }
        _ => return Err(not_one().into()),
    };
    let changed = value.as_str() != raw;
    Ok(Standard::new(value).step(Step::Spaces, changed))
}

/// A tax code (10 digits, or 13 for a dependent unit), or the personal number that persons use in its place since 1 July 2025.
///
/// # Errors
/// `lost-zero` with the code that fits the check digit; `lost-digits`; what [`TaxCode`] says: `not-a-tax-code`,
/// `tax-code-check-digit`, `tax-code-out-of-range`.
pub fn tax_code(raw: &str) -> Outcome<String> {
    if is_powers_of_ten(raw) {
        return Err(lost_digits().into());
    }
    let digits = plain_digits(raw).unwrap_or_default();
    let fitting = |digits: &str| digits.parse::<TaxCode>().map(String::from);
    let value = match digits.len() {
        10 | 13 => fitting(&digits)?,
        12 => {
            let person = digits.parse::<PersonNumber>().map(String::from);
            let zero = fitting(&format!("0{digits}"));
            match (person, zero) {
                // Most personal numbers begin with a zero; one that does not may be a code that lost its own.
                (Ok(person), Ok(zero)) if !digits.starts_with('0') => {
                    return Err(Refused {
                        reason: lost_zero(),
                        proposals: vec![zero, person],
                    });
                }
                (Ok(person), _) => person,
                (Err(_), Ok(zero)) => {
                    return Err(Refused {
                        reason: lost_zero(),
                        proposals: vec![zero],
                    });
                }
                (Err(reason), Err(_)) => return Err(reason.into()),
            }
        }
        9 => {
            return match fitting(&format!("0{digits}")) {
                Ok(zero) => Err(Refused {
                    reason: lost_zero(),
                    proposals: vec![zero],
                }),
                Err(_) => Err(fitting(&digits).err().unwrap_or_else(lost_zero).into()),
            };
        }
        _ => fitting(raw.trim())?,
    };
    let changed = value != raw;
    Ok(Standard::new(value).step(Step::Spaces, changed))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_of_persons() {
        let shown = |raw: &str| match id_number(raw) {
            Ok(s) => s.value.to_string(),
            Err(r) => format!(
                "! {} {}",
                r.reason.code(),
                r.proposals.iter().map(IdNumber::as_str).collect::<Vec<_>>().join(" ")
            )
            .trim_end()
            .to_owned(),
        };
        for (raw, expected) in [
            ("037190001234", "037190001234"),
            ("037 190 001 234", "037190001234"),
            ("'037190001234", "037190001234"),
            ("037.190.001.234", "037190001234"),
            ("012345678", "012345678"),
            ("37190001234", "! lost-zero 037190001234"),
            ("37190001234.0", "! lost-zero 037190001234"),
            ("1205000001", "! lost-zero 001205000001"),
            ("12345678", "! lost-zero 012345678"),
            ("3.719E+10", "! lost-digits"),
            ("003090000001", "! unknown-birthplace"),
            ("99190001234", "! lost-zero"),
            ("B1234567", "! not-an-id-number"),
            ("", "! not-an-id-number"),
        ] {
            assert_eq!(shown(raw), expected, "{raw}");
        }
    }

    #[test]
    fn tax_codes() {
        let shown = |raw: &str| match tax_code(raw) {
            Ok(s) => s.value,
            Err(r) => format!("! {} {}", r.reason.code(), r.proposals.join(" "))
                .trim_end()
                .to_owned(),
        };
        for (raw, expected) in [
            ("0314409058", "0314409058"),
            ("0314409058-002", "0314409058-002"),
            ("0314409058002", "0314409058-002"),
            ("0314 409 058", "0314409058"),
            ("314409058", "! lost-zero 0314409058"),
            ("314409058002", "! lost-zero 0314409058-002 314409058002"),
            ("037190001234", "037190001234"),
            ("0100233487", "! tax-code-check-digit"),
            ("12", "! not-a-tax-code"),
            ("", "! not-a-tax-code"),
        ] {
            assert_eq!(shown(raw), expected, "{raw}");
        }
    }

    proptest! {
        #[test]
        fn twice_is_once(raw in "'?[0-9 .-]{7,16}") {
            if let Ok(once) = id_number(&raw) {
                let again = id_number(once.value.as_str()).expect("a standard form");
                prop_assert_eq!((&again.value, again.steps.is_empty()), (&once.value, true));
            }
            if let Ok(once) = tax_code(&raw) {
                let again = tax_code(&once.value).expect("a standard form");
                prop_assert_eq!((&again.value, again.steps.is_empty()), (&once.value, true));
            }
        }

        #[test]
        fn any_text_is_taken(raw in "\\PC{0,40}|.{0,20}|[0-9eE+.-]{0,20}") {
            let _ = (id_number(&raw), tax_code(&raw));
        }
    }
}
