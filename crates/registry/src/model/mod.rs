//! The words of a registry: what its folder says, judged and ready. No I/O.

mod allocation;
mod attribute;
pub mod breaks;
mod code;
mod duplicates;
mod event;
mod folder;
mod judge;
mod migration;
mod places;
mod pseudonym;
mod raw;
mod represented;
mod rule;
mod schema;
mod standard;
mod term;

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, OnceLock},
};

use base::{Lang, Text, Timestamp, codes::AgencyCode};
use cleansing::address::Gazetteer;
use exchange::model::{Purpose, identifier::ClientId};
use jiff::civil::Date;
use procedure::reference::Reference;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use allocation::{Allocation, AllocationRule};
pub use attribute::{Attribute, Telling};
pub use code::{FieldPath, ListId, Name, RegistryCode, TermId};
pub(crate) use duplicates::BLOCK;
pub use duplicates::Duplicates;
pub use event::{MERGED, Upon};
pub use folder::Files;
pub(crate) use folder::{folder_names, same_name};
pub(crate) use judge::text_of;
pub use judge::{Judgement, KEY_SEPARATOR};
pub use migration::{Migration, Ready, Step};
pub use places::gazetteer;
pub(crate) use pseudonym::is_pseudonym;
pub use pseudonym::{Behind, PseudonymKey};
pub use represented::{Existence, Represented};
pub use rule::{Action, Dimension, Rule, Test};
pub use standard::{Proposal, Proposed};
pub use term::{CodeList, DataType, Identifier, ListCode, Sensitivity, SharedList, Term, Vocabulary};

/// A registry (cơ sở dữ liệu, sổ đăng ký gốc) in one version of its folder.
pub struct Registry {
    /// Its code.
    pub code: RegistryCode,
    /// The version of the folder, from 1.
    pub version: u32,
    /// SHA-256 in hex of what was published: the folder's files and the terms and lists that it uses.
    pub hash: String,
    /// Its name.
    pub name: Text,
    /// What it is for, in a sentence.
    pub summary: Text,
    /// The agency that keeps it.
    pub steward: AgencyCode,
    /// What a record is about.
    pub about: About,
    /// The fields that hold personal numbers of those whom a record is about: they see each read of it. Not empty for persons.
    pub subjects: Vec<FieldPath>,
    /// Where records are of enterprises: who represents one sees and contests them.
    pub represented: Option<Represented>,
    /// The fields that identify a record, together; at least one.
    pub key: Vec<FieldPath>,
    /// What validity is counted in.
    pub valid_time: ValidTime,
    /// The laws that it stands on; at least one.
    pub basis: Vec<Basis>,
    /// How long records are kept.
    pub retention: Retention,
    /// How grave a read is where a term says less.
    pub sensitivity: Sensitivity,
    /// The fields that can be asked by; the most telling first.
    pub filters: Vec<Filter>,
    /// What is offered to others.
    pub services: Vec<Service>,
    /// What procedures may ask about one person or organisation.
    pub attributes: Vec<Attribute>,
    /// The numbers that the registry gives, in the order in which it does.
    pub allocations: Vec<Allocation>,
    /// How records are found that may speak of the same person or thing.
    pub duplicates: Option<Duplicates>,
    /// What subscribers are told.
    pub events: Vec<EventType>,
    /// The purposes that no dossier causes: whoever reads for another names the dossier, beside those of
    /// the program that come before dossiers.
    pub without_dossier: BTreeSet<Purpose>,
    /// The clocks of doubts.
    pub doubts: Doubts,
    /// The clock of records that break a rule.
    pub mending: Mending,
    /// All fields, in the order of the schema.
    pub fields: Vec<Field>,
    /// The rules of quality.
    pub rules: Vec<Rule>,
    /// The terms and lists that it uses.
    pub vocabulary: Vocabulary,
    /// How bodies of the version before become bodies of this one, where they do not fit as they are.
    pub migration: Option<Migration>,
    /// The schema of a body.
    pub schema: Value,
    files: Files,
    validator: jsonschema::Validator,
    reference: Arc<Reference>,
    gazetteer: OnceLock<Arc<Gazetteer>>,
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Registry({} {})", self.code, self.version)
    }
}

/// What a record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum About {
    /// One person.
    Person,
    /// An organisation.
    Organisation,
    /// A thing or an event.
    Thing,
}

/// What validity is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ValidTime {
    /// Days of legal time.
    Day,
    /// Instants.
    Instant,
}

/// A law.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Basis {
    /// The text: `Luật Căn cước số 26/2023/QH15`.
    pub text: String,
    /// The article.
    pub article: String,
}

/// How long records are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Years after a record has ended; none for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub years: Option<u32>,
    /// In words.
    pub note: Text,
}

/// A way to ask by a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Filter {
    /// The field.
    pub field: FieldPath,
    /// How it may be compared; at least one way.
    pub operators: Vec<Operator>,
    /// Whether case and diacritics do not count.
    pub folded: bool,
}

/// How a filter compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operator {
    /// The whole value.
    Eq,
    /// How the value begins.
    Prefix,
    /// From a value on, up to a value, both included.
    Range,
}

/// What may be done by a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Read one record by its key.
    Read,
    /// Read the history of one.
    History,
    /// List by filters.
    List,
    /// Read all.
    Bulk,
    /// Follow changes.
    Changes,
    /// Ask for attributes of one person or organisation.
    Facts,
    /// Report, correct, end; orders of procedures.
    Write,
    /// Tell one client its own pseudonym of whom another has one.
    Translate,
    /// Say that a record is wrong.
    Doubt,
    /// Tell people who sign in at another node what is held about them, and take their doubts.
    Own,
}

/// A service (dịch vụ chia sẻ dữ liệu) that the registry offers through the exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Service {
    /// Its id within the registry.
    pub id: Name,
    /// Its name.
    pub name: Text,
    /// What may be done by it.
    pub operations: Vec<Operation>,
    /// The fields by which it lists.
    pub filters: Vec<FieldPath>,
    /// The fields that it shows, groups whole; never more.
    pub fields: Vec<FieldPath>,
    /// The attributes that it tells; never more.
    pub attributes: Vec<Name>,
    /// Those of its fields that are pseudonyms for whoever calls, one value each; then ids and places in lists are, too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pseudonyms: Vec<FieldPath>,
    /// Of a service that translates: between whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
}

/// Clients that may put together what each has by pseudonyms of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// Who; at least two.
    pub between: Vec<ClientId>,
    /// The law that says so.
    pub basis: Basis,
}

/// Something that subscribers are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EventType {
    /// Its id within the registry.
    pub id: Name,
    /// Its name.
    pub name: Text,
    /// Upon what; upon nothing where an age is reached.
    pub on: Vec<Upon>,
    /// Upon which age.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reaches: Option<Age>,
    /// The fields that it tells.
    pub fields: Vec<FieldPath>,
}

/// An age: so many years since the day that a field holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Age {
    /// How many.
    pub years: u16,
    /// The field; one by which records are found.
    pub since: FieldPath,
}

/// What sort of version of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// What holds from a moment on.
    Assert,
    /// An earlier version said it wrongly.
    Correct,
    /// Nothing holds any more.
    End,
    /// Everything was erased.
    Erase,
}

/// The clocks of doubts (phản ánh sai lệch dữ liệu), in working days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Doubts {
    /// Until the steward says that they have it.
    pub acknowledge_days: u32,
    /// Until they answer.
    pub answer_days: u32,
}

/// The clock of records that break a rule, in working days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mending {
    /// Until a record is mended or excused.
    pub mend_days: u32,
}

impl Default for Mending {
    fn default() -> Self {
        Self { mend_days: 20 }
    }
}

/// A field.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its way.
    pub path: FieldPath,
    /// Its term.
    pub term: Arc<Term>,
    /// Whether it has to be there wherever the group is that it stands in.
    pub required: bool,
    /// Whether a record may have several: it is a list, or within one.
    pub many: bool,
    /// Its part of the schema.
    pub schema: Value,
}

impl Registry {
    /// A field by its way.
    pub fn field(&self, path: &FieldPath) -> Option<&Field> {
        self.fields.iter().find(|field| field.path == *path)
    }

    /// The filter of a field.
    pub fn filter(&self, path: &FieldPath) -> Option<&Filter> {
        self.filters.iter().find(|filter| filter.field == *path)
    }

    /// The administrative units by whose codes it is judged.
    pub fn units(&self) -> &procedure::reference::Units {
        &self.reference.units
    }

    /// A value of a field for people: of a code its name, and the code beside it; a day as `25/11/2026`.
    pub fn say(&self, field: &Field, value: &Value, lang: Lang) -> Option<(String, Option<String>)> {
        let text = text_of(value)?;
        let list = field.term.list.as_ref();
        let name = list.and_then(|list| self.vocabulary.name_of(&self.reference.units, list, &text, lang));
        Some(match name {
            Some(name) => (name, Some(text)),
            None => (as_people_write(field.term.ty, text), None),
        })
    }

    /// The codes that a field chooses from on `today`, with their names; empty where it has no list, or one that is too long to choose from.
    pub fn choices(&self, field: &Field, today: Date, lang: Lang) -> Vec<(String, String)> {
        let list = field.term.list.as_ref().filter(|_| !field.many);
        list.map(|list| self.vocabulary.choices(self.units(), list, today, lang))
            .unwrap_or_default()
    }

    /// What was published.
    pub const fn files(&self) -> &Files {
        &self.files
    }

    /// What people call a field: its term, and which of them where several fields have it.
    pub fn label(&self, field: &Field) -> Text {
        let is_only = self
            .fields
            .iter()
            .filter(|other| other.term.id == field.term.id)
            .count()
            < 2;
        let name = &field.term.name;
        if is_only || field.path.as_str() == field.term.id.as_str().replace(['.', '-'], "_") {
            return name.clone();
        }
        Text::new(
            format!("{} ({})", name.vi, field.path),
            format!("{} ({})", name.en, field.path),
        )
    }

    /// How grave a read of a field is: what its term says, or the registry if that is graver.
    pub fn sensitivity_of(&self, field: &Field) -> Sensitivity {
        field.term.sensitivity.max(self.sensitivity)
    }

    /// Whether its steward is this agency, or one below it.
    pub fn is_of(&self, agency: &str) -> bool {
        let steward = self.steward.to_string();
        let below = steward.strip_prefix(agency);
        below.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }

    /// Whether reads have to be told to those whom records are about.
    pub fn is_personal(&self) -> bool {
        !self.subjects.is_empty()
    }
}

impl Filter {
    /// Whether lists can be in the order of the field: it is kept as it is compared, for ranges and beginnings.
    pub fn sorts(&self) -> bool {
        self.operators.iter().any(|operator| *operator != Operator::Eq)
    }

    /// The parameters of a query that ask by it: `birth_date`, `birth_date_from`, `birth_date_to`, `name_prefix`. Of a field within a
    /// group the dots are underscores, too: `residence_commune`.
    pub fn parameters(&self) -> Vec<(String, Parameter)> {
        let name = self.field.as_str().replace('.', "_");
        let mut parameters = Vec::new();
        for operator in &self.operators {
            match operator {
                Operator::Eq => parameters.push((name.clone(), Parameter::Is)),
                Operator::Prefix => parameters.push((format!("{name}_prefix"), Parameter::Begins)),
                Operator::Range => {
                    parameters.push((format!("{name}_from"), Parameter::From));
                    parameters.push((format!("{name}_to"), Parameter::To));
                }
            }
        }
        parameters
    }
}

/// What a parameter of a query says about a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parameter {
    /// The whole value.
    Is,
    /// How it begins.
    Begins,
    /// The least value.
    From,
    /// The greatest value.
    To,
}

impl ChangeKind {
    /// As stored and shown.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Assert => "assert",
            Self::Correct => "correct",
            Self::End => "end",
            Self::Erase => "erase",
        }
    }

    /// Reads [`Self::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Assert, Self::Correct, Self::End, Self::Erase]
            .into_iter()
            .find(|kind| kind.code() == code)
    }
}

/// A value that is no code, as people write it: days begin with the day, and what of a day is not known is left out.
fn as_people_write(ty: DataType, text: String) -> String {
    match ty {
        DataType::Date | DataType::PartialDate => text.rsplit('-').collect::<Vec<_>>().join("/"),
        DataType::Instant => Timestamp::parse_rfc3339(&text).map_or(text, Timestamp::display),
        _ => text,
    }
}

/// The values at a way in a body; several where it goes through lists.
pub fn values_at<'a>(body: &'a Value, path: &FieldPath) -> Vec<&'a Value> {
    let mut found = Vec::new();
    gather(body, path.parts(), &mut found);
    found
}

/// Adds what stands at the end of a path, each item of a list by itself.
fn gather<'a, 'p>(value: &'a Value, mut path: impl Iterator<Item = &'p str> + Clone, found: &mut Vec<&'a Value>) {
    match (path.next(), value) {
        (None, Value::Array(items)) => found.extend(items),
        (None, value) => found.push(value),
        (Some(part), Value::Array(items)) => {
            for item in items.iter().filter_map(|item| item.get(part)) {
                gather(item, path.clone(), found);
            }
        }
        (Some(part), value) => {
            if let Some(inner) = value.get(part) {
                gather(inner, path, found);
            }
        }
    }
}
