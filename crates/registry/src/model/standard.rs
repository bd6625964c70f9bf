//! The standard form of what a field says, and what is proposed where it says it otherwise: names and texts, telephone numbers, and
//! units that have become others.

use base::Text;
use cleansing::value::{self, Certainty, Outcome};
use jiff::civil::Date;
use procedure::reference::{Successors, Unit};
use serde_json::Value;

use super::{DataType, Field, FieldPath, Identifier, Registry, SharedList, places::list_of, text_of, values_at};

/// The term of the names of people.
const PERSON_NAME: &str = "person.name";

/// What a field is to say in place of what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The fields, each with its value; the first is the one that was looked at.
    pub values: Vec<(FieldPath, String)>,
    /// Where the fields have several values, the one in whose place the new one is to stand; without it, in the place of all.
    pub in_place_of: Option<String>,
    /// The day from which it is so, where what was said was right before: a unit has become another. Without it, it was always so.
    pub from: Option<Date>,
    /// The value for people: the name of a unit.
    pub shown: String,
    /// What was done to it.
    pub why: Text,
}

/// What the machine knows of a value that is not in its standard form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proposed {
    /// It can mean nothing else.
    Safe(Proposal),
    /// A person has to choose; there may be nothing to choose from.
    Choose(Vec<Proposal>),
}

impl Registry {
    /// What is proposed for a field of a body; none where it says nothing, or all that it says is in its standard form. Of a field within
    /// a list, or of several values, it is only said that it is not.
    pub fn propose(&self, path: &FieldPath, body: &Value, today: Date) -> Option<Proposed> {
        let field = self.field(path)?;
        let texts = values_at(body, path).into_iter().filter_map(text_of);
        let proposed = texts.filter_map(|text| self.propose_one(field, &text, today)).next()?;
        Some(if field.many {
            Proposed::Choose(Vec::new())
        } else {
            proposed
        })
    }

    fn propose_one(&self, field: &Field, text: &str, today: Date) -> Option<Proposed> {
        let at = &field.path;
        let list = list_of(field);
        match (field.term.ty, field.term.identifier, list) {
            (DataType::Text, ..) if field.term.id.as_str() == PERSON_NAME => {
                written(at, text, value::name(text), |name| name.full.clone())
            }
            (DataType::Text, ..) => written(at, text, value::text(text), Clone::clone),
            (_, Some(Identifier::Phone), _) => written(at, text, value::phone(text), ToString::to_string),
            (_, _, Some(SharedList::Communes)) => self.successor(at, text, today),
            _ => None,
        }
    }

    /// What a commune that is no more has become.
    fn successor(&self, at: &FieldPath, code: &str, today: Date) -> Option<Proposed> {
        let units = &self.reference.units;
        if units.resolve(code, today).is_some() {
            return None;
        }
        let become_one = |unit: &Unit| self.unit(at, unit);
        let last = code.parse().ok().and_then(|code| units.versions(code).last());
        Some(match last.and_then(|unit| units.successors(unit, today)) {
            Some(Successors::One(unit)) => Proposed::Safe(become_one(unit)),
            Some(Successors::Split(parts)) => {
                Proposed::Choose(parts.iter().map(|part| become_one(part.unit)).collect())
            }
            None => Proposed::Choose(Vec::new()),
        })
    }

    /// That a field names a unit, and the field of provinces beside it that unit's province.
    fn unit(&self, at: &FieldPath, unit: &Unit) -> Proposal {
        let mut values = vec![(at.clone(), unit.code.to_string())];
        if let (Some(field), Some(province)) = (self.province_beside(at), unit.province) {
            values.push((field.path.clone(), province.to_string()));
        }
        let name = |lang| self.reference.units.address(unit, lang);
        Proposal {
            values,
            in_place_of: None,
            from: Some(unit.valid_from),
            shown: name(base::Lang::Vi),
            why: Text::new(
                format!("Đơn vị cũ nay là {}.", name(base::Lang::Vi)),
                format!("The former unit is {} now.", name(base::Lang::En)),
            ),
        }
    }
}

fn written<T>(at: &FieldPath, text: &str, outcome: Outcome<T>, show: impl Fn(&T) -> String) -> Option<Proposed> {
    let proposal = |value: String, why: Text| Proposal {
        values: vec![(at.clone(), value.clone())],
        in_place_of: None,
        from: None,
        shown: value,
        why,
    };
    match outcome {
        Ok(standard) if show(&standard.value) == text => None,
        Ok(standard) => {
            let join = |lang| {
                let steps: Vec<String> = standard
                    .steps
                    .iter()
                    .map(|step| step.text().get(lang).to_owned())
                    .collect();
                steps.join("; ")
            };
            let why = Text::new(join(base::Lang::Vi), join(base::Lang::En));
            let first = proposal(show(&standard.value), why);
            Some(if standard.certainty() == Certainty::Certain {
                Proposed::Safe(first)
            } else {
                let others = standard.alternatives.iter().map(|value| {
                    let why = Text::new("Cách hiểu khác", "Another reading");
                    proposal(show(value), why)
                });
                Proposed::Choose(std::iter::once(first.clone()).chain(others).collect())
            })
        }
        Err(refused) => {
            let why = refused.reason.text().clone();
            let proposals = refused.proposals.iter().map(|value| proposal(show(value), why.clone()));
            Some(Proposed::Choose(proposals.collect()))
        }
    }
}
