//! The names by which registries, fields, terms and lists are known.

use std::{fmt, str::FromStr};

use base::codes::CodeError;
use serde::{Deserialize, Serialize};

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $check:expr, $code:literal, $vi:literal, $en:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = CodeError;
            fn from_str(text: &str) -> Result<Self, CodeError> {
                let good: fn(&str) -> bool = $check;
                if good(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(CodeError::new($code, $vi, $en))
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = CodeError;
            fn try_from(text: String) -> Result<Self, CodeError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// The code of a registry, which is the name of its folder too: `population`, `civil-status`.
    RegistryCode,
    |text| text.len() <= 40 && words(text, '-', b""),
    "not-a-registry-code",
    "Mã cơ sở dữ liệu gồm chữ thường không dấu, chữ số và dấu gạch nối, bắt đầu bằng chữ, tối đa 40 ký tự: civil-status.",
    "The code of a registry has lower-case letters, digits and hyphens, begins with a letter and has at most 40 characters: civil-status."
);

name!(
    /// A field of a record body by its way from the top: `birth_date`, `residence.commune`. What stands within a list has the
    /// name of the list before it like that of a group: `owners.person_number`.
    FieldPath,
    |text| text.len() <= 120 && text.split('.').all(|part| part.len() <= 60 && words(part, '_', b"")),
    "not-a-field",
    "Tên trường gồm chữ thường không dấu, chữ số và dấu gạch dưới; trường trong nhóm nối bằng dấu chấm: residence.commune.",
    "A field has lower-case letters, digits and underscores; one within a group is joined by a dot: residence.commune."
);

name!(
    /// A term of the common data dictionary (từ điển dữ liệu dùng chung): `person.number`.
    TermId,
    |text| text.len() <= 80 && text.split('.').all(|part| words(part, '-', b"_")),
    "not-a-term",
    "Mã thuật ngữ gồm các phần chữ thường, chữ số, nối bằng dấu chấm: person.number.",
    "A term has parts of lower-case letters and digits joined by dots: person.number."
);

name!(
    /// A code list (danh mục dùng chung): `ethnicities`, `units.communes`.
    ListId,
    |text| text.len() <= 80 && text.split('.').all(|part| words(part, '-', b"_")),
    "not-a-list",
    "Mã danh mục gồm các phần chữ thường, chữ số, nối bằng dấu chấm: units.communes.",
    "A code list has parts of lower-case letters and digits joined by dots: units.communes."
);

name!(
    /// A short name within a registry, of a service, a rule or an event: `verify`, `birth-before-today`.
    Name,
    |text| text.len() <= 60 && words(text, '-', b""),
    "not-a-name",
    "Tên gồm chữ thường không dấu, chữ số và dấu gạch nối, tối đa 60 ký tự.",
    "A name has lower-case letters, digits and hyphens, at most 60 characters."
);

impl FieldPath {
    /// The names on the way.
    pub fn parts(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.split('.')
    }

    /// The field of this name within this one.
    pub(crate) fn within(parent: Option<&Self>, name: &str) -> Result<Self, CodeError> {
        match parent {
            Some(parent) => format!("{parent}.{name}").parse(),
            None => name.parse(),
        }
    }

    /// Whether `other` is this field or stands within it.
    pub fn covers(&self, other: &Self) -> bool {
        other
            .0
            .strip_prefix(&self.0)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

/// Words of lower-case letters and digits between single separators, a letter first; `also` may stand within a word.
fn words(text: &str, separator: char, also: &[u8]) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.split(separator).all(|word| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || also.contains(&b))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_bounded() {
        for good in ["population", "civil-status", "a1"] {
            assert!(good.parse::<RegistryCode>().is_ok(), "{good}");
        }
        for bad in ["", "1a", "Dân-cư", "a--b", "a-", "a_b", "a/b", "..", &"a".repeat(41)] {
            assert!(bad.parse::<RegistryCode>().is_err(), "{bad}");
        }
        let commune: FieldPath = "residence.commune".parse().expect("a field");
        let residence: FieldPath = "residence".parse().expect("a field");
        assert!(residence.covers(&commune) && residence.covers(&residence) && !commune.covers(&residence));
        assert!(!residence.covers(&"residence_since".parse().expect("a field")));
        for bad in ["", ".", "a.", "a..b", "A", "a-b", "a b", "a\0"] {
            assert!(bad.parse::<FieldPath>().is_err(), "{bad}");
        }
    }
}
