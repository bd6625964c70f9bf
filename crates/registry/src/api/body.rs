//! What the API takes and gives.

use base::{Error, Kind, Problems, Result};
use identity::{Both, Instant};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    history::{Effect, Moment},
    model::{Filter, Registry, values_at},
    service::{Change, ChangeView, Fresh, Provenance, RecordView, Seen, Target, VersionView, With, Written},
    shelf::Editions,
};

/// A registry in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct RegistryItemBody {
    /// Its code.
    code: String,
    /// The version of its folder that is in force.
    version: u32,
    /// Its name.
    name: Both,
    /// What it is for.
    summary: Both,
    /// Code of the agency that keeps it.
    steward: String,
    /// What a record is about: `person`, `organisation`, `thing`.
    about: String,
}

impl RegistryItemBody {
    pub fn of(registry: &Registry) -> Self {
        Self {
            code: registry.code.to_string(),
            version: registry.version,
            name: (&registry.name).into(),
            summary: (&registry.summary).into(),
            steward: registry.steward.to_string(),
            about: word(&registry.about),
        }
    }
}

/// A word of a closed set, as files and API write it.
fn word(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

/// A registry.
#[derive(Debug, Serialize, ToSchema)]
pub struct RegistryBody {
    /// What a list shows of it.
    #[serde(flatten)]
    item: RegistryItemBody,
    /// The fields that identify a record.
    key: Vec<String>,
    /// What validity is counted in: `day`, `instant`.
    valid_time: String,
    /// The laws that it stands on.
    basis: Vec<String>,
    /// How long records are kept.
    retention: Both,
    /// JSON Schema 2020-12 of a record's body.
    schema: Value,
    /// The common data dictionary of its fields.
    fields: Vec<RegistryFieldBody>,
    /// The ways to ask.
    filters: Vec<RegistryFilterBody>,
    /// What is offered through the exchange.
    services: Vec<RegistryServiceBody>,
    /// The rules of quality.
    rules: Vec<RegistryRuleBody>,
    /// Every version of its folder, oldest first.
    versions: Vec<RegistryVersionBody>,
}

/// A field, as the dictionary has it.
#[derive(Debug, Serialize, ToSchema)]
struct RegistryFieldBody {
    /// The field.
    field: String,
    /// The term.
    term: String,
    /// Its name.
    name: Both,
    /// What it means.
    definition: Both,
    /// How it is written.
    technical: Both,
    /// Its type.
    r#type: String,
    /// The unit of numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    /// The list of codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    list: Option<String>,
    /// Whether it has to be there.
    required: bool,
    /// Code of the agency that says what it means.
    owner: String,
    /// How grave a read is: `public`, `internal`, `personal`, `sensitive`.
    sensitivity: String,
    /// The law that it stands in.
    basis: String,
    /// How long it is kept.
    retention: Both,
}

/// A way to ask.
#[derive(Debug, Serialize, ToSchema)]
struct RegistryFilterBody {
    /// The field.
    field: String,
    /// The parameters of a list.
    parameters: Vec<String>,
    /// Whether case and diacritics do not count.
    folded: bool,
}

/// What is offered.
#[derive(Debug, Serialize, ToSchema)]
struct RegistryServiceBody {
    /// Its id.
    id: String,
    /// Its name.
    name: Both,
    /// What may be done.
    operations: Vec<String>,
    /// The fields that it shows.
    fields: Vec<String>,
    /// The attributes of one person or organisation that it tells.
    attributes: Vec<String>,
}

/// A rule of quality.
#[derive(Debug, Serialize, ToSchema)]
struct RegistryRuleBody {
    /// Its id.
    id: String,
    /// The side of quality.
    dimension: String,
    /// What becomes of a record that breaks it: `refuse`, `note`.
    action: String,
    /// What is wrong then.
    message: Both,
}

/// A version of the folder.
#[derive(Debug, Serialize, ToSchema)]
struct RegistryVersionBody {
    /// Its number.
    version: u32,
    /// SHA-256 of what was published.
    sha256: String,
    /// When.
    published_at: Instant,
    /// By whom.
    published_by: String,
}

impl RegistryBody {
    pub fn of(editions: &Editions) -> Self {
        let registry = editions.current();
        let texts = |paths: &[crate::model::FieldPath]| paths.iter().map(ToString::to_string).collect();
        let field = |field: &crate::model::Field| RegistryFieldBody {
            field: field.path.to_string(),
            term: field.term.id.to_string(),
            name: (&field.term.name).into(),
            definition: (&field.term.definition).into(),
            technical: (&field.term.technical).into(),
            r#type: word(&field.term.ty),
            unit: field.term.unit.clone(),
            list: field.term.list.as_ref().map(ToString::to_string),
            required: field.required,
            owner: field.term.owner.to_string(),
            sensitivity: word(&registry.sensitivity_of(field)),
            basis: field.term.basis.clone(),
            retention: (&field.term.retention).into(),
        };
        let filter = |filter: &Filter| RegistryFilterBody {
            field: filter.field.to_string(),
            parameters: filter.parameters().into_iter().map(|(name, _)| name).collect(),
            folded: filter.folded,
        };
        Self {
            item: RegistryItemBody::of(&registry),
            key: texts(&registry.key),
            valid_time: word(&registry.valid_time),
            basis: registry
                .basis
                .iter()
                .map(|b| format!("{}, {}", b.text, b.article))
                .collect(),
            retention: (&registry.retention.note).into(),
            schema: registry.schema.clone(),
            fields: registry.fields.iter().map(field).collect(),
            filters: registry.filters.iter().map(filter).collect(),
            services: registry
                .services
                .iter()
                .map(|service| RegistryServiceBody {
                    id: service.id.to_string(),
                    name: (&service.name).into(),
                    operations: service.operations.iter().map(word).collect(),
                    fields: texts(&service.fields),
                    attributes: service.attributes.iter().map(ToString::to_string).collect(),
                })
                .collect(),
            rules: registry
                .rules
                .iter()
                .map(|rule| RegistryRuleBody {
                    id: rule.id.to_string(),
                    dimension: word(&rule.dimension),
                    action: word(&rule.action),
                    message: (&rule.message).into(),
                })
                .collect(),
            versions: editions
                .published()
                .map(|published| RegistryVersionBody {
                    version: published.registry.version,
                    sha256: published.registry.hash.clone(),
                    published_at: published.at.into(),
                    published_by: published.by,
                })
                .collect(),
        }
    }
}

/// What holds of a record.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecordBody {
    /// Its id.
    id: uuid::Uuid,
    /// Its key; absent where the fields that are shown do not have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// The version that speaks.
    seq: i64,
    /// The newest version of the record: what a change names as `seen`.
    newest: i64,
    /// Since when it holds.
    valid_from: String,
    /// The first moment at which it does not hold any more; absent without end.
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_to: Option<String>,
    /// When it was recorded.
    recorded_at: Instant,
    /// Where it comes from; absent for who reads by pseudonyms.
    #[serde(skip_serializing_if = "String::is_empty")]
    source: String,
    /// The law.
    basis: String,
    /// The dossier that caused it; absent for who reads by pseudonyms.
    #[serde(skip_serializing_if = "Option::is_none")]
    dossier: Option<String>,
    /// What holds, by the schema of the registry.
    body: Value,
}

impl RecordBody {
    pub fn of(view: RecordView, registry: &Registry) -> Self {
        let shows_key = registry.key.iter().all(|path| !values_at(&view.body, path).is_empty());
        let rule = registry.valid_time;
        Self {
            id: view.id.uuid(),
            key: Some(view.key).filter(|_| shows_key),
            seq: view.seq,
            newest: view.newest,
            valid_from: view.valid_from.show(rule),
            valid_to: view.valid_to.map(|to| to.show(rule)),
            recorded_at: view.recorded_at.into(),
            source: view.source,
            basis: view.basis,
            dossier: view.dossier,
            body: view.body,
        }
    }
}

/// One version of a record.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecordVersionBody {
    /// Its number.
    seq: i64,
    /// What sort: `assert`, `correct`, `end`, `erase`.
    kind: String,
    /// What it says: `holds`, `ends`, `void`; absent for an erasure.
    #[serde(skip_serializing_if = "Option::is_none")]
    effect: Option<String>,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_from: Option<String>,
    /// Until when, if it says so itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_to: Option<String>,
    /// The version that it corrects.
    #[serde(skip_serializing_if = "Option::is_none")]
    corrects: Option<i64>,
    /// When it was recorded.
    recorded_at: Instant,
    /// Who recorded it.
    actor: String,
    /// Their agency.
    agency: String,
    /// Where it comes from; absent where no purpose was stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    /// The law.
    basis: String,
    /// The dossier that caused it; absent where no purpose was stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    dossier: Option<String>,
    /// What holds by it; absent where it says nothing of the kind, where it was erased, and where no purpose was stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
}

impl RecordVersionBody {
    pub fn of(version: VersionView, registry: &Registry) -> Self {
        let show = |moment: Moment| moment.show(registry.valid_time);
        let (effect, from, to) = match version.effect {
            Some(Effect::Holds { from, to }) => (Some("holds"), Some(from), to),
            Some(Effect::Ends { at }) => (Some("ends"), Some(at), None),
            Some(Effect::Void) => (Some("void"), None, None),
            None => (None, None, None),
        };
        Self {
            seq: version.seq,
            kind: version.kind.code().to_owned(),
            effect: effect.map(str::to_owned),
            valid_from: from.map(show),
            valid_to: to.map(show),
            corrects: version.corrects,
            recorded_at: version.recorded_at.into(),
            actor: version.actor,
            agency: version.agency,
            source: version.source,
            basis: version.basis,
            dossier: version.dossier,
            body: version.body,
        }
    }
}

/// A version of some record, in the feed.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecordChangeBody {
    /// The record.
    id: uuid::Uuid,
    /// Give it as `cursor` for what comes after it.
    cursor: String,
    /// The version.
    #[serde(flatten)]
    version: RecordVersionBody,
}

impl RecordChangeBody {
    pub fn of(change: ChangeView, registry: &Registry) -> Self {
        let cursor = change.version.recorded_at.micros().to_string();
        Self::at(change, cursor, registry)
    }

    /// With a place that the feed itself does not know.
    pub fn at(change: ChangeView, cursor: String, registry: &Registry) -> Self {
        Self {
            id: change.id.uuid(),
            cursor,
            version: RecordVersionBody::of(change.version, registry),
        }
    }
}

/// A record that is not there yet.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordFreshBody {
    /// Since when it holds: a day, or an instant with its offset.
    #[schema(max_length = 40)]
    valid_from: String,
    /// The first moment at which it does not hold any more.
    #[schema(max_length = 40)]
    valid_to: Option<String>,
    /// What holds, by the schema of the registry.
    body: Value,
    /// The paper, decision or system that says so.
    #[schema(max_length = 300)]
    source: String,
    /// The law; the registry's own where it is left out.
    #[schema(max_length = 300)]
    basis: Option<String>,
    /// Code of the dossier that caused it.
    #[schema(max_length = 80)]
    dossier: Option<String>,
}

/// What holds of a record from a moment on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordAssertBody {
    /// `newest` of the record as it was read.
    seen: i64,
    /// Since when it holds: a day, or an instant with its offset.
    #[schema(max_length = 40)]
    valid_from: String,
    /// The first moment at which it does not hold any more.
    #[schema(max_length = 40)]
    valid_to: Option<String>,
    /// What holds, by the schema of the registry; whole.
    body: Value,
    /// The paper, decision or system that says so.
    #[schema(max_length = 300)]
    source: String,
    /// The law; the registry's own where it is left out.
    #[schema(max_length = 300)]
    basis: Option<String>,
    /// Code of the dossier that caused it.
    #[schema(max_length = 80)]
    dossier: Option<String>,
}

/// What is said in the place of a version that was wrong: with a body that it held, with `valid_from` alone that the record ended
/// then, with neither that it was never so.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordCorrectBody {
    /// `newest` of the record as it was read.
    seen: i64,
    /// The version that was wrong.
    corrects: i64,
    /// Since when: a day, or an instant with its offset.
    #[schema(max_length = 40)]
    valid_from: Option<String>,
    /// The first moment at which it did not hold any more.
    #[schema(max_length = 40)]
    valid_to: Option<String>,
    /// What held, by the schema of the registry; whole.
    body: Option<Value>,
    /// The paper, decision or system that says so.
    #[schema(max_length = 300)]
    source: String,
    /// The law; the registry's own where it is left out.
    #[schema(max_length = 300)]
    basis: Option<String>,
    /// Code of the dossier that caused it.
    #[schema(max_length = 80)]
    dossier: Option<String>,
}

/// That nothing holds from a moment on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordEndBody {
    /// `newest` of the record as it was read.
    seen: i64,
    /// From when on: a day, or an instant with its offset.
    #[schema(max_length = 40)]
    valid_from: String,
    /// The paper, decision or system that says so.
    #[schema(max_length = 300)]
    source: String,
    /// The law; the registry's own where it is left out.
    #[schema(max_length = 300)]
    basis: Option<String>,
    /// Code of the dossier that caused it.
    #[schema(max_length = 80)]
    dossier: Option<String>,
}

/// That a record is erased.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordEraseBody {
    /// `newest` of the record as it was read.
    pub(super) seen: i64,
    /// The paper or decision that says so.
    #[schema(max_length = 300)]
    source: String,
    /// The law.
    #[schema(max_length = 300)]
    basis: String,
    /// Code of the dossier that caused it.
    #[schema(max_length = 80)]
    dossier: Option<String>,
}

/// What came of a change.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecordWrittenBody {
    /// The record.
    id: uuid::Uuid,
    /// Its newest version now.
    seq: i64,
    /// When it was recorded.
    recorded_at: Instant,
    /// The rules of quality that it breaks and was taken in all the same.
    noted: Vec<String>,
}

impl From<Written> for RecordWrittenBody {
    fn from(written: Written) -> Self {
        Self {
            id: written.record.uuid(),
            seq: written.seq,
            recorded_at: written.recorded_at.into(),
            noted: written.noted.iter().map(ToString::to_string).collect(),
        }
    }
}

impl RecordFreshBody {
    pub fn read(self, registry: &Registry) -> Result<(Change, Provenance)> {
        let (from, to) = span(Some(&self.valid_from), self.valid_to.as_deref(), registry)?;
        let provenance = provenance(self.source, self.basis, self.dossier);
        let change = Change::Assert {
            target: Target::New,
            from,
            to,
            body: self.body,
        };
        Ok((change, provenance))
    }
}

impl RecordAssertBody {
    pub const fn seen(&self) -> i64 {
        self.seen
    }

    pub fn read(self, registry: &Registry, seen: Seen) -> Result<(Change, Provenance)> {
        let (from, to) = span(Some(&self.valid_from), self.valid_to.as_deref(), registry)?;
        let change = Change::Assert {
            target: Target::Known(seen),
            from,
            to,
            body: self.body,
        };
        Ok((change, provenance(self.source, self.basis, self.dossier)))
    }
}

impl RecordCorrectBody {
    pub const fn seen(&self) -> i64 {
        self.seen
    }

    pub fn read(self, registry: &Registry, seen: Seen) -> Result<(Change, Provenance)> {
        let with = match (self.body, &self.valid_from) {
            (Some(body), from) => {
                let (from, to) = span(from.as_deref(), self.valid_to.as_deref(), registry)?;
                With::Holds { from, to, body }
            }
            (None, Some(from)) => With::Ends {
                at: span(Some(from), None, registry)?.0,
            },
            (None, None) => With::Void,
        };
        let change = Change::Correct {
            record: seen,
            corrects: self.corrects,
            with,
        };
        Ok((change, provenance(self.source, self.basis, self.dossier)))
    }
}

impl RecordEndBody {
    pub const fn seen(&self) -> i64 {
        self.seen
    }

    pub fn read(self, registry: &Registry, seen: Seen) -> Result<(Change, Provenance)> {
        let (at, _) = span(Some(&self.valid_from), None, registry)?;
        let change = Change::End { record: seen, at };
        Ok((change, provenance(self.source, self.basis, self.dossier)))
    }
}

impl RecordEraseBody {
    pub fn provenance(&self) -> Provenance {
        provenance(self.source.clone(), Some(self.basis.clone()), self.dossier.clone())
    }
}

/// One line of a bulk.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineBody {
    /// Since when it holds: a day, or an instant with its offset.
    valid_from: String,
    /// The first moment at which it does not hold any more.
    valid_to: Option<String>,
    /// What holds, by the schema of the registry.
    body: Value,
}

impl LineBody {
    pub fn read(self, registry: &Registry) -> Result<Fresh, Problems> {
        match span(Some(&self.valid_from), self.valid_to.as_deref(), registry) {
            Ok((from, to)) => Ok(Fresh {
                from,
                to,
                body: self.body,
            }),
            Err(error) => Err(error.problems().cloned().unwrap_or_default()),
        }
    }
}

pub(super) fn provenance(source: String, basis: Option<String>, dossier: Option<String>) -> Provenance {
    Provenance {
        source,
        basis: basis.unwrap_or_default(),
        dossier: dossier.filter(|dossier| !dossier.is_empty()),
    }
}

fn span(from: Option<&str>, to: Option<&str>, registry: &Registry) -> Result<(Moment, Option<Moment>)> {
    let mut problems = Problems::new();
    let mut read = |text: Option<&str>, at: &str, needed: bool| {
        let moment = text.and_then(|text| Moment::parse(text, registry.valid_time));
        if moment.is_none() && (needed || text.is_some()) {
            problems.add(
                "not-a-moment",
                at,
                "Nhập ngày YYYY-MM-DD hoặc thời điểm theo RFC 3339.",
                "Enter a day YYYY-MM-DD, or an instant as in RFC 3339.",
            );
        }
        moment
    };
    let (from, to) = (read(from, "valid_from", true), read(to, "valid_to", false));
    match from {
        Some(from) if problems.is_empty() => Ok((from, to)),
        _ => Err(Error::Refused(Kind::Invalid, problems)),
    }
}
