//! The codes that people, agencies, procedures and dossiers are known by. Each parses from text with a reason in both
//! languages when it does not, shows itself in one canonical form, and is a string in JSON.

mod agency;
mod contact;
mod customs;
mod dossier;
mod insurance;
mod person;
mod procedure;
mod tax;

use std::fmt;

pub use agency::{AgencyCode, AgencyCodeTable, Notation};
pub use contact::PhoneNumber;
pub use customs::CustomsDeclaration;
pub use dossier::{DossierCode, DossierCodePattern};
pub use insurance::{HealthCard, InsuranceNumber};
pub use person::{Birthplace, OldIdCard, PersonNumber, Sex};
pub use procedure::{FieldCode, PaperCode, ProcedureCode};
pub use tax::TaxCode;

use crate::{
    lang::Text,
    refusal::{Error, Problem, Problems, Result},
};

/// Why a text is not the code that it should be: a stable name for programs and a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeError {
    code: &'static str,
    text: Text,
}

impl CodeError {
    /// A reason, in both languages.
    pub fn new(code: &'static str, vi: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            code,
            text: Text::new(vi, en),
        }
    }

    /// The stable name: `not-a-tax-code`.
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// The sentence.
    pub const fn text(&self) -> &Text {
        &self.text
    }

    /// This reason as the problem of one field.
    pub fn at(self, place: impl Into<String>) -> Problem {
        Problem {
            code: self.code.to_owned(),
            at: place.into(),
            text: self.text,
        }
    }

    /// Adds this reason to a list, at one field.
    pub fn add_to(self, problems: &mut Problems, place: impl Into<String>) {
        problems.add(self.code, place, self.text.vi, self.text.en);
    }

    /// This reason alone as a refusal of the whole request, at one field.
    pub fn refuse<T>(self, place: impl Into<String>) -> Result<T> {
        let mut problems = Problems::new();
        self.add_to(&mut problems, place);
        problems
            .into_result()
            .and_then(|()| Err(Error::internal("a refusal without a reason")))
    }
}

impl fmt::Display for CodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text.en)
    }
}

impl std::error::Error for CodeError {}

/// Gives a newtype over its canonical text what every code has: text in, text out, a string in JSON.
macro_rules! text_code {
    ($name:ident) => {
        impl $name {
            /// The canonical text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl TryFrom<String> for $name {
            type Error = $crate::codes::CodeError;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(code: $name) -> Self {
                code.0.into()
            }
        }
    };
}
use text_code;

/// Whether `text` has the shape of `mask`, where `9` is a digit, `A` a capital letter, `*` a digit or a capital letter, and
/// anything else itself.
fn is_shaped(text: &str, mask: &str) -> bool {
    text.len() == mask.len()
        && text.bytes().zip(mask.bytes()).all(|(c, m)| match m {
            b'9' => c.is_ascii_digit(),
            b'A' => c.is_ascii_uppercase(),
            b'*' => c.is_ascii_digit() || c.is_ascii_uppercase(),
            m => c == m,
        })
}

/// Digits alone, with the spaces that people put between groups taken out.
fn digits_of(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{lang::Lang, refusal::Kind};

    #[test]
    fn a_reason_becomes_a_problem_at_its_field() {
        let reason = "12".parse::<PersonNumber>().expect_err("too short");
        let problem = reason.clone().at("applicant.number");
        assert_eq!(
            (problem.code.as_str(), problem.at.as_str()),
            ("not-a-person-number", "applicant.number")
        );
        assert!(problem.text.get(Lang::Vi).contains("12 chữ số"));
        let refused = reason.refuse::<()>("applicant.number").expect_err("refused");
        assert_eq!(refused.kind(), Some(Kind::Invalid));
    }

    #[test]
    fn codes_are_strings_in_json_and_refused_there_too() {
        let code: ProcedureCode = serde_json::from_str("\"1.001193\"").expect("a procedure code");
        assert_eq!(serde_json::to_string(&code).expect("a string"), "\"1.001193\"");
        assert!(serde_json::from_str::<ProcedureCode>("\"1.1\"").is_err());
        assert!(serde_json::from_str::<PersonNumber>("1").is_err());
    }

    #[test]
    fn no_code_is_read_from_hostile_text() {
        for text in [
            "",
            " ",
            "\u{0}",
            "٠١٢٣٤٥٦٧٨٩٠١",
            "１２３",
            "đ",
            "-",
            ".",
            "....",
            "H",
            "+84",
            "{",
            "😀",
        ] {
            assert!(text.parse::<PersonNumber>().is_err(), "{text}");
            assert!(text.parse::<OldIdCard>().is_err(), "{text}");
            assert!(text.parse::<TaxCode>().is_err(), "{text}");
            assert!(text.parse::<ProcedureCode>().is_err(), "{text}");
            assert!(text.parse::<FieldCode>().is_err(), "{text}");
            assert!(text.parse::<PaperCode>().is_err(), "{text}");
            assert!(text.parse::<AgencyCode>().is_err(), "{text}");
            assert!(text.parse::<PhoneNumber>().is_err(), "{text}");
            assert!(text.parse::<DossierCodePattern>().is_err(), "{text}");
        }
    }
}
