//! The common names of fields, from `dictionary.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

/// A name that the whole federation uses.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Word {
    /// The name.
    pub name: String,
    /// The registry that holds it.
    pub held: Option<String>,
    /// How it is written.
    pub shape: Option<Shape>,
    /// What it is called elsewhere.
    others: Vec<String>,
}

/// How a field is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Shape {
    PersonNumber,
    TaxCode,
    AgencyCode,
    ProcedureCode,
    DossierCode,
    Date,
}

impl Shape {
    /// Texts that its schema has to take.
    pub(super) const fn good(self) -> &'static [&'static str] {
        match self {
            Self::PersonNumber => &["001185000011", "079305012345"],
            Self::TaxCode => &["0100109106", "0100109106-011"],
            Self::AgencyCode => &["H29.1.2", "000.00.12.H41"],
            Self::ProcedureCode => &["1.001193", "1.001193.01", "1.000656.000.00.00.H29"],
            Self::DossierCode => &["000.00.00.H12-180501-0001", "G09.20-20260609-0092637"],
            Self::Date => &["2026-11-21"],
        }
    }

    /// Texts that its schema has to refuse.
    pub(super) const fn bad(self) -> &'static [&'static str] {
        match self {
            Self::PersonNumber => &["", "00118500001", "0011850000112", "00118500001A"],
            Self::TaxCode => &["", "010010910", "0100109106-1", "010010910A"],
            Self::AgencyCode => &["", "H29..2", "Sở Tư pháp"],
            Self::ProcedureCode => &["", "1001193", "1.00119", "A.001193"],
            Self::DossierCode => &["", "hồ sơ 1", "H12/180501/1"],
            Self::Date => &["", "21/11/2026", "2026-11-21T10:00:00+07:00"],
        }
    }
}

/// What the dictionary says of a name.
#[derive(Debug, Clone, Copy)]
pub(super) enum Known {
    /// It is, or ends with, the common name.
    Common(&'static Word),
    /// It means this word but is called otherwise.
    Otherwise(&'static Word),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    word: Vec<Word>,
}

/// Every word. The file is compiled in, and a test reads it.
pub(super) fn words() -> &'static [Word] {
    static WORDS: LazyLock<Vec<Word>> = LazyLock::new(|| {
        toml::from_str::<File>(include_str!("dictionary.toml")).map_or_else(|_| Vec::new(), |file| file.word)
    });
    &WORDS
}

/// Looks a field up by its name, in whatever style it is written.
pub(super) fn look_up(name: &str) -> Option<Known> {
    let parts = parts_of(name);
    let ends_with = |text: &str| {
        let own: Vec<&str> = text.split('_').collect();
        parts.len() >= own.len() && parts.iter().rev().zip(own.iter().rev()).all(|(a, b)| a == b)
    };
    words().iter().find_map(|word| {
        // A bare `name` is the name of anything; the word is meant only where it is called otherwise.
        if word.name != "name" && ends_with(&word.name) {
            let common = name == word.name || name.ends_with(&format!("_{}", word.name));
            return Some(if common {
                Known::Common(word)
            } else {
                Known::Otherwise(word)
            });
        }
        let otherwise = word.others.iter().any(|other| ends_with(other));
        otherwise.then_some(Known::Otherwise(word))
    })
}

/// The words of a name in lower case: `ownerTaxCode`, `owner-tax-code` and `owner_tax_code` have the same.
pub(super) fn parts_of(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut before_lower = false;
    for c in name.chars() {
        let begins = matches!(c, '_' | '-' | '.' | ' ') || (c.is_uppercase() && before_lower);
        if begins {
            parts.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(last) = parts.last_mut()
        {
            last.extend(c.to_lowercase());
        }
        before_lower = c.is_lowercase() || c.is_ascii_digit();
    }
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use base::codes::{AgencyCode, DossierCode, PersonNumber, ProcedureCode, TaxCode};

    use super::*;

    #[test]
    fn names_are_found_in_every_style() {
        for (name, word, common) in [
            ("person_number", "person_number", true),
            ("owner_person_number", "person_number", true),
            ("personNumber", "person_number", false),
            ("soDinhDanh", "person_number", false),
            ("ownerCCCD", "person_number", false),
            ("MST", "tax_code", false),
            ("ma-so-thue", "tax_code", false),
            ("date_of_birth", "birth_date", false),
        ] {
            let found = match look_up(name) {
                Some(Known::Common(word)) => (word.name.as_str(), true),
                Some(Known::Otherwise(word)) => (word.name.as_str(), false),
                None => ("nothing", false),
            };
            assert_eq!(found, (word, common), "{name}");
        }
        for name in ["name", "agency_name", "mast", "code", "syntax_codex"] {
            assert!(look_up(name).is_none(), "{name}");
        }
    }

    #[test]
    fn samples_are_what_the_platform_itself_reads() {
        for word in words() {
            let Some(shape) = word.shape else { continue };
            let reads = |text: &str| match shape {
                Shape::PersonNumber => text.parse::<PersonNumber>().is_ok(),
                Shape::TaxCode => text.parse::<TaxCode>().is_ok(),
                Shape::AgencyCode => text.parse::<AgencyCode>().is_ok(),
                Shape::ProcedureCode => text.parse::<ProcedureCode>().is_ok(),
                Shape::DossierCode => text.parse::<DossierCode>().is_ok(),
                Shape::Date => text.parse::<jiff::civil::Date>().is_ok() && text.len() == 10,
            };
            for text in shape.good() {
                assert!(reads(text), "{}: {text}", word.name);
            }
            for text in shape.bad() {
                assert!(!reads(text), "{}: {text}", word.name);
            }
        }
    }

    #[test]
    fn the_dictionary_has_what_registries_hold_of_persons() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../procedure/src/form/once-only.toml");
        let text = std::fs::read_to_string(root).expect("the table");
        let table: toml::Table = text.parse().expect("it is TOML");
        let mut looked = 0;
        for held in table["held"].as_array().expect("entries") {
            let names: Vec<&str> = held
                .get("names")
                .and_then(toml::Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(toml::Value::as_str)
                .collect();
            if held["about"].as_str() != Some("person") || names.is_empty() {
                continue;
            }
            looked += 1;
            let is_known = |name: &&str| words().iter().any(|word| word.name == **name && word.held.is_some());
            assert!(names.iter().any(is_known), "none of {names:?} is in the dictionary");
        }
        assert!(looked >= 15, "only {looked}");
    }
}
