//! What registries know of the people of a form, as they said when they were asked (Law on Data 60/2024/QH15, Article 11: what
//! can be had by sharing is not collected again).

use std::{collections::BTreeMap, fmt, str::FromStr};

use base::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a registry is asked for, and about whom: `population.residence` is the applicant's, `population.full-name of
/// father.person_number` that of the person whose number the field `father.person_number` holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Attribute {
    /// The registry, `population`.
    pub registry: String,
    /// The attribute in it, `full-name`.
    pub name: String,
    /// The field with the number of the person it is about; none for the applicant.
    pub of: Option<String>,
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.registry, self.name)?;
        self.of.as_ref().map_or(Ok(()), |of| write!(f, " of {of}"))
    }
}

/// It is not written `registry.attribute` or `registry.attribute of field`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAnAttribute;

impl fmt::Display for NotAnAttribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an attribute is written registry.attribute or registry.attribute of field")
    }
}

impl FromStr for Attribute {
    type Err = NotAnAttribute;

    fn from_str(text: &str) -> Result<Self, NotAnAttribute> {
        let (what, of) = match text.split_once(" of ") {
            Some((what, of)) => (what, Some(of.trim())),
            None => (text, None),
        };
        let (registry, name) = what.trim().split_once('.').ok_or(NotAnAttribute)?;
        let good = super::load::is_slug(registry) && super::load::is_slug(name) && of != Some("");
        good.then(|| Self {
            registry: registry.to_owned(),
            name: name.to_owned(),
            of: of.map(str::to_owned),
        })
        .ok_or(NotAnAttribute)
    }
}

impl TryFrom<String> for Attribute {
    type Error = NotAnAttribute;

    fn try_from(text: String) -> Result<Self, NotAnAttribute> {
        text.parse()
    }
}

impl From<Attribute> for String {
    fn from(attribute: Attribute) -> Self {
        attribute.to_string()
    }
}

/// What a registry said when it was asked for one attribute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "said", rename_all = "kebab-case")]
pub enum Said {
    /// This is so.
    Known {
        /// The answer in the shape of the field's type, [`super::Kind`].
        value: Value,
        /// The entry that says so, as the registry names it, for whoever must find it again.
        entry: String,
        /// When the registry was told.
        recorded_at: Timestamp,
        /// When it was asked.
        at: Timestamp,
    },
    /// It holds nothing of the kind about this person.
    Nothing {
        /// When it was asked.
        at: Timestamp,
    },
    /// It did not answer.
    Silent {
        /// When it was asked.
        at: Timestamp,
    },
}

impl Said {
    /// When the registry was asked.
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::Known { at, .. } | Self::Nothing { at } | Self::Silent { at } => *at,
        }
    }

    /// Whether it must be asked again.
    pub const fn is_silent(&self) -> bool {
        matches!(self, Self::Silent { .. })
    }
}

/// What registries said, and what of it the person says is wrong.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Facts {
    /// By attribute.
    pub said: BTreeMap<Attribute, Said>,
    /// Why the person says that it is wrong, by attribute.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub doubts: BTreeMap<Attribute, String>,
    /// By field with the code of an enterprise that was typed: the code that registries were asked about.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub numbers: BTreeMap<String, String>,
}

/// What counts of an attribute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Standing<'a> {
    /// The registry's answer: shown to confirm.
    Known(&'a Value),
    /// The registry's answer is wrong, the person says: they are asked.
    Doubted(&'a Value),
    /// The registry holds nothing: the person is asked.
    Nothing,
    /// No answer yet: the person is asked, and it is verified later.
    Silent,
}

impl Facts {
    /// What counts of an attribute now.
    pub fn standing(&self, attribute: &Attribute) -> Standing<'_> {
        match self.said.get(attribute) {
            Some(Said::Known { value, .. }) if self.doubts.contains_key(attribute) => Standing::Doubted(value),
            Some(Said::Known { value, .. }) => Standing::Known(value),
            Some(Said::Nothing { .. }) => Standing::Nothing,
            Some(Said::Silent { .. }) | None => Standing::Silent,
        }
    }

    /// The answer, where it is known and not doubted.
    pub fn known(&self, attribute: &Attribute) -> Option<&Value> {
        match self.standing(attribute) {
            Standing::Known(value) => Some(value),
            _ => None,
        }
    }

    /// That registries are asked by this code of the field `of`, or by none any more. What was said by another code is of another enterprise,
    /// and forgotten. Tells whether anything changed.
    pub fn ask_by(&mut self, of: &str, code: Option<&str>) -> bool {
        if self.numbers.get(of).map(String::as_str) == code {
            return false;
        }
        self.said.retain(|attribute, _| attribute.of.as_deref() != Some(of));
        self.doubts.retain(|attribute, _| attribute.of.as_deref() != Some(of));
        match code {
            Some(code) => self.numbers.insert(of.to_owned(), code.to_owned()),
            None => self.numbers.remove(of),
        };
        true
    }

    /// Whether no registry was asked.
    pub fn is_empty(&self) -> bool {
        self.said.is_empty()
    }

    /// The attributes that no registry has answered yet.
    pub fn silent(&self) -> impl Iterator<Item = &Attribute> {
        self.said
            .iter()
            .filter(|(_, said)| said.is_silent())
            .map(|(attribute, _)| attribute)
    }
}
