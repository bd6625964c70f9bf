//! Which pairs are matches without an officer's look: never on name and birthday alone, whatever the score. Some thirteen
//! million pairs of different persons of a nation of a hundred million share both.

use base::codes::{PersonNumber, TaxCode};
use base::{Error, Kind, Problems, Result};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::cluster::Constraints;
use crate::explain::Agreement;
use crate::linker::{Linker, Scored};
use crate::model::{LinkType, weight_of};

/// What an automatic match needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The comparisons of name and birthday: they never suffice.
    pub basic: Vec<String>,
    /// Independent kinds of evidence beyond these, each with its comparisons: `number`, `place`, `family`.
    pub evidence: BTreeMap<String, Vec<String>>,
    /// How many kinds of evidence must agree.
    #[serde(default = "two")]
    pub need: usize,
    /// A comparison agrees from so many bits on.
    #[serde(default = "three_bits")]
    pub agrees_from: f64,
    /// The least probability of an automatic match.
    pub automatic: f64,
    /// The least probability that an officer looks at.
    pub review: f64,
    /// Facts of which a person has only one: two valid different values are never the same person's.
    #[serde(default)]
    pub facts: Vec<Fact>,
}

fn two() -> usize {
    2
}
fn three_bits() -> f64 {
    3.0
}

/// A fact of which a person has only one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// The column.
    pub column: String,
    /// When a value counts.
    pub kind: FactKind,
}

/// When the value of a fact counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FactKind {
    /// A personal number of 12 digits that follows its rule.
    PersonNumber,
    /// A tax code whose check digit is right.
    TaxCode,
    /// Any value.
    Any,
}

/// What becomes of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// The same person, without an officer's look.
    Automatic,
    /// An officer looks: not enough evidence, or not enough weight.
    Review,
    /// An officer looks: two valid values of a fact of which a person has only one.
    Conflict,
    /// Left alone.
    None,
}

impl Decision {
    /// Its name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::Review => "review",
            Self::Conflict => "conflict",
            Self::None => "none",
        }
    }
}

/// A policy over a linker.
pub struct Policed<'a> {
    policy: &'a Policy,
    /// The comparisons of each kind of evidence, by number.
    evidence: Vec<Vec<usize>>,
    /// The value of each fact in each record, as a number; 0 where none counts.
    facts: Vec<Vec<u32>>,
}

impl Policy {
    /// Reads a policy.
    ///
    /// # Errors
    /// `not-a-policy`.
    pub fn from_json(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|error| {
            Error::refused(
                Kind::Invalid,
                "not-a-policy",
                format!("Tệp không phải là quy định ghép tự động: {error}."),
                format!("The file is no policy for automatic matches: {error}."),
            )
        })
    }

    /// The columns of its facts.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &str> {
        self.facts.iter().map(|fact| fact.column.as_str())
    }

    /// Puts the policy over a linker.
    ///
    /// # Errors
    /// `unknown-comparison`, `unknown-column`, `basic-is-no-evidence`, `need-out-of-reach`, `thresholds`.
    pub fn over<'a>(&'a self, linker: &Linker) -> Result<Policed<'a>> {
        let mut problems = Problems::new();
        let names: Vec<&str> = linker.model().comparisons.iter().map(|c| c.name.as_str()).collect();
        let number = |name: &str, at: String, problems: &mut Problems| {
            let found = names.iter().position(|n| *n == name);
            if found.is_none() {
                problems.add(
                    "unknown-comparison",
                    at,
                    format!("Mô hình không có phép so sánh “{name}”."),
                    format!("The model has no comparison “{name}”."),
                );
            }
            found
        };
        for name in &self.basic {
            number(name, "/basic".to_owned(), &mut problems);
        }
        let mut evidence = Vec::new();
        for (kind, comparisons) in &self.evidence {
            let at = format!("/evidence/{kind}");
            for name in comparisons.iter().filter(|name| self.basic.contains(name)) {
                problems.add(
                    "basic-is-no-evidence",
                    &at,
                    format!("“{name}” thuộc họ tên và ngày sinh nên không phải là căn cứ thêm."),
                    format!("“{name}” belongs to name and birthday and is no further evidence."),
                );
            }
            evidence.push(
                comparisons
                    .iter()
                    .filter_map(|name| number(name, at.clone(), &mut problems))
                    .collect(),
            );
        }
        if self.basic.is_empty() || self.need == 0 || self.need > self.evidence.len() {
            problems.add(
                "need-out-of-reach",
                "/need",
                "Phải nêu các phép so sánh họ tên, ngày sinh, và cần từ một đến số nhóm căn cứ đã khai.",
                "Name and birthday must be named, and from one to as many kinds of evidence as there are must be needed.",
            );
        }
        if !(self.review > 0.0 && self.review <= self.automatic && self.automatic < 1.0) {
            problems.add(
                "thresholds",
                "/automatic",
                "Ngưỡng xem xét phải lớn hơn 0 và không quá ngưỡng tự động; ngưỡng tự động phải nhỏ hơn 1.",
                "The threshold of review must be above 0 and not above the automatic one, which must be below 1.",
            );
        }
        let mut facts = Vec::new();
        for fact in &self.facts {
            if linker.records.column(&fact.column).is_none() {
                problems.add(
                    "unknown-column",
                    format!("/facts/{}", fact.column),
                    format!("Không tệp nào có cột “{}”.", fact.column),
                    format!("No file has a column “{}”.", fact.column),
                );
            }
            facts.push(values_of(linker, fact));
        }
        problems.into_result()?;
        Ok(Policed {
            policy: self,
            evidence,
            facts,
        })
    }

    /// The least weight that an officer looks at, in bits.
    pub fn review_from(&self) -> f64 {
        weight_of(self.review)
    }
}

/// The values of a fact as numbers from 1; 0 where none counts.
fn values_of(linker: &Linker, fact: &Fact) -> Vec<u32> {
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    let valid = |text: &str| match fact.kind {
        FactKind::PersonNumber => PersonNumber::try_from(text.to_owned()).is_ok(),
        FactKind::TaxCode => TaxCode::try_from(text.to_owned()).is_ok(),
        FactKind::Any => true,
    };
    (0..linker.len() as u32)
        .map(|row| match linker.value(row, &fact.column).filter(|text| valid(text)) {
            None => 0,
            Some(text) => {
                let next = numbers.len() as u32 + 1;
                *numbers.entry(text).or_insert(next)
            }
        })
        .collect()
}

impl Policed<'_> {
    /// What becomes of a pair.
    pub fn decide(&self, linker: &Linker, pair: &Scored) -> Decision {
        let probability = pair.probability();
        if probability < self.policy.review {
            return Decision::None;
        }
        let value = |fact: &Vec<u32>, row: u32| fact.get(row as usize).copied().unwrap_or(0);
        let two = |fact: &Vec<u32>| {
            let (left, right) = (value(fact, pair.left), value(fact, pair.right));
            left != 0 && right != 0 && left != right
        };
        if self.facts.iter().any(two) {
            return Decision::Conflict;
        }
        let levels = linker.levels(pair);
        let agrees = |comparison: &usize| {
            let Some(level) = levels.get(*comparison) else {
                return false;
            };
            let alike = matches!(
                linker.agreement(*comparison, *level),
                Agreement::Equal | Agreement::Alike
            );
            let weight = linker
                .model()
                .comparisons
                .get(*comparison)
                .map_or(0.0, |c| c.weight(*level));
            alike && weight >= self.policy.agrees_from
        };
        let kinds = self.evidence.iter().filter(|kind| kind.iter().any(agrees)).count();
        if probability >= self.policy.automatic && kinds >= self.policy.need {
            Decision::Automatic
        } else {
            Decision::Review
        }
    }

    /// What must hold within the clusters of this linker.
    pub fn constraints(&self, linker: &Linker, one_to_one: bool) -> Constraints {
        Constraints {
            facts: self.facts.clone(),
            ..constraints(linker, one_to_one)
        }
    }
}

/// What must hold within clusters without a policy: one record of each source, if asked for.
pub fn constraints(linker: &Linker, one_to_one: bool) -> Constraints {
    let one_per_source = if one_to_one && linker.model().link_type == LinkType::LinkOnly {
        (0..linker.len() as u32).map(|row| linker.source_number(row)).collect()
    } else {
        Vec::new()
    };
    Constraints {
        one_per_source,
        ..Constraints::default()
    }
}
