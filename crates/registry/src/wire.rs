//! What nodes say to each other about registries: questions and orders of procedures, and the answers.

use std::collections::BTreeMap;

use base::{Text, Timestamp};
use jiff::civil::Date;
use procedure::writes::{Act, Plan};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    api::params::Attributes,
    contest::Contested,
    keeper::{Asked, Order, TakeBack},
    model::{FieldPath, Name, RegistryCode, ValidTime},
    quality::{
        Enterprise, Represents,
        doubts::{Doubt, DoubtFile, Receipt, Report},
    },
    service::{Carried, Fact},
};

/// The answer about one person or organisation: each attribute that was asked for, null where the registry holds nothing of it. What
/// the mask of a grant has taken out is not there: it is not said.
#[derive(Debug, Serialize, Deserialize)]
pub struct FactsBody {
    pub facts: BTreeMap<Name, Option<FactBody>>,
    /// What was asked for besides, and this service does not tell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_offered: Vec<Name>,
}

/// One answer.
#[derive(Debug, Serialize, Deserialize)]
pub struct FactBody {
    /// In the shape of a form's field.
    pub value: Value,
    /// Which record and version says so.
    pub entry: String,
    /// When that was recorded, RFC 3339.
    pub recorded_at: String,
}

impl FactsBody {
    pub fn of(asked: Attributes, mut facts: BTreeMap<Name, Fact>) -> Self {
        let fact = |fact: Fact| FactBody {
            value: fact.value,
            entry: fact.entry,
            recorded_at: fact.recorded_at.rfc3339(),
        };
        let facts = asked.offered.into_iter().map(|name| {
            let told = facts.remove(&name).map(fact);
            (name, told)
        });
        Self {
            facts: facts.collect(),
            not_offered: asked.not_offered,
        }
    }
}

impl FactBody {
    pub fn recorded_at(&self) -> Option<Timestamp> {
        Timestamp::parse_rfc3339(&self.recorded_at)
    }
}

/// An order.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderBody {
    pub id: String,
    pub plan: PlanBody,
    pub procedure: String,
    pub basis: String,
    pub dossier: String,
    pub source: String,
}

/// What is ordered; of which registry the address says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanBody {
    pub act: Act,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    pub valid_from: Date,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub concerns: Vec<String>,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub body: Value,
}

impl OrderBody {
    pub fn of(order: &Order) -> Self {
        Self {
            id: order.id.clone(),
            plan: PlanBody {
                act: order.plan.act,
                key: order.plan.key.clone(),
                valid_from: order.plan.valid_from,
                concerns: order.plan.concerns.clone(),
                body: order.plan.body.clone(),
            },
            procedure: order.procedure.clone(),
            basis: order.basis.clone(),
            dossier: order.dossier.clone(),
            source: order.source.clone(),
        }
    }

    pub fn order(self, registry: &RegistryCode) -> Order {
        Order {
            id: self.id,
            plan: Plan {
                registry: registry.to_string(),
                act: self.plan.act,
                key: self.plan.key,
                valid_from: self.plan.valid_from,
                concerns: self.plan.concerns,
                body: self.plan.body,
            },
            procedure: self.procedure,
            basis: self.basis,
            dossier: self.dossier,
            source: self.source,
        }
    }
}

/// Taking an order back; of which one the address says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TakeBackBody {
    pub entry: String,
    pub procedure: String,
    pub dossier: String,
}

impl TakeBackBody {
    pub fn of(back: &TakeBack) -> Self {
        Self {
            entry: back.entry.clone(),
            procedure: back.procedure.clone(),
            dossier: back.dossier.clone(),
        }
    }

    pub fn take_back(self, order: &str, registry: &RegistryCode) -> TakeBack {
        TakeBack {
            order: order.to_owned(),
            registry: registry.to_string(),
            entry: self.entry,
            procedure: self.procedure,
            dossier: self.dossier,
        }
    }
}

/// Asking what an order became.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskedBody {
    pub procedure: String,
    pub dossier: String,
}

impl AskedBody {
    pub fn of(asked: &Asked) -> Self {
        Self {
            procedure: asked.procedure.clone(),
            dossier: asked.dossier.clone(),
        }
    }

    pub fn asked(self, order: &str, registry: &RegistryCode) -> Asked {
        Asked {
            order: order.to_owned(),
            registry: registry.to_string(),
            procedure: self.procedure,
            dossier: self.dossier,
        }
    }
}

/// What a person contests in a dossier. Who it is is not said: the dossier stands for them.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContestBody {
    pub id: String,
    pub entry: String,
    pub attribute: Name,
    #[serde(default)]
    pub reason: String,
    #[serde(default)]
    pub filed: String,
    pub procedure: String,
    pub dossier: String,
}

impl ContestBody {
    pub fn of(contested: &Contested) -> Self {
        Self {
            id: contested.id.clone(),
            entry: contested.entry.clone(),
            attribute: contested.attribute.clone(),
            reason: contested.reason.clone(),
            filed: contested.filed.clone(),
            procedure: contested.procedure.clone(),
            dossier: contested.dossier.clone(),
        }
    }

    pub fn contested(self) -> Contested {
        Contested {
            id: self.id,
            entry: self.entry,
            attribute: self.attribute,
            label: Text::default(),
            reason: self.reason,
            filed: self.filed,
            procedure: self.procedure,
            by: (String::new(), None),
            dossier: self.dossier,
        }
    }
}

/// By what it was taken in.
#[derive(Debug, Serialize, Deserialize)]
pub struct TakenBody {
    pub id: Uuid,
    /// RFC 3339.
    pub answer_by: String,
    /// What is contested, for people whose node has no name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Text>,
}

impl From<Receipt> for TakenBody {
    fn from(receipt: Receipt) -> Self {
        Self {
            id: receipt.id.uuid(),
            answer_by: receipt.answer_by.rfc3339(),
            label: None,
        }
    }
}

/// How a doubt stands, for the system that it came from. Instants are RFC 3339.
#[derive(Debug, Serialize, Deserialize)]
pub struct StandingBody {
    pub state: String,
    pub due_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<String>,
    /// The files that have come with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<StandingFileBody>,
}

/// A file that has come with a doubt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingFileBody {
    pub id: Uuid,
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// In hex, of the content: the same content is the same file.
    pub sha256: String,
}

impl From<DoubtFile> for StandingFileBody {
    fn from(file: DoubtFile) -> Self {
        Self {
            id: file.id.uuid(),
            name: file.name,
            size: file.size,
            sha256: file.sha256,
        }
    }
}

impl StandingBody {
    pub fn of(doubt: Doubt, files: Vec<DoubtFile>) -> Self {
        let (answered_at, answered_by, answer) = match doubt.answer {
            Some((at, by, answer)) => (Some(at.rfc3339()), Some(by), Some(answer)),
            None => (None, None, None),
        };
        Self {
            state: doubt.state.code().to_owned(),
            due_at: doubt.due_at.rfc3339(),
            question: Some(doubt.question).filter(|question| !question.is_empty()),
            answer,
            answered_by,
            answered_at,
            files: files.into_iter().map(StandingFileBody::from).collect(),
        }
    }
}

/// What a registry holds about one person. It describes itself: the node where they sign in need not have the folder of the registry.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OwnBody {
    /// The name of the registry.
    pub registry: Text,
    /// The name of the agency that keeps it.
    pub steward: Text,
    /// In what validity is counted.
    pub valid_time: ValidTime,
    /// Working days until a doubt is answered.
    pub answer_days: u32,
    /// The fields of which the records say something, in the order of the registry.
    #[serde(default)]
    pub fields: Vec<OwnFieldBody>,
    pub records: Vec<OwnRecordBody>,
    /// How far records of enterprises are among them that the person represents; none where the registry has no such records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub represents: Option<Represents>,
}

/// A field, as people call it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OwnFieldBody {
    pub field: FieldPath,
    pub name: Text,
}

/// One record about the person, or of an enterprise that they represent: what holds of it, or held last.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OwnRecordBody {
    pub id: Uuid,
    pub key: String,
    /// Which version says so: `population/001190000017#3`.
    pub entry: String,
    /// A day, or an instant of RFC 3339, by the valid time of the registry.
    pub from: String,
    /// The same; none without end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    pub holds: bool,
    pub source: String,
    /// RFC 3339.
    pub recorded_at: String,
    /// What it says, for people, by field. What the mask of a grant has taken out is not there.
    #[serde(default)]
    pub says: BTreeMap<FieldPath, Vec<Text>>,
    /// The enterprise that it is of, where the person is told as who represents that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enterprise: Option<Enterprise>,
}

/// What a person contests of a record about them. Who it is the address says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnDoubtBody {
    pub id: String,
    pub record: Uuid,
    pub field: String,
    pub wrong: String,
    #[serde(default)]
    pub right: String,
    #[serde(default)]
    pub evidence: String,
}

impl OwnDoubtBody {
    pub fn of(id: String, record: Uuid, report: &Report) -> Self {
        Self {
            id,
            record,
            field: report.field.clone(),
            wrong: report.wrong.clone(),
            right: report.right.clone(),
            evidence: report.evidence.clone(),
        }
    }

    pub fn report(&self) -> Report {
        Report {
            field: self.field.clone(),
            wrong: self.wrong.clone(),
            right: self.right.clone(),
            evidence: self.evidence.clone(),
            dossier: None,
        }
    }
}

/// What shows what a person contests, where they were asked for it; empty where the files say it that came since. Whose doubt it is the
/// address says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceBody {
    pub evidence: String,
}

/// A page of a list of records, as far as nodes read each other's.
#[derive(Debug, Deserialize)]
pub struct ListedBody {
    pub items: Vec<ListedRecordBody>,
    /// Where there are more, the place of the next page.
    #[serde(default)]
    pub next: Option<String>,
}

/// One record of it.
#[derive(Debug, Deserialize)]
pub struct ListedRecordBody {
    /// Not there where a mask has taken it out.
    #[serde(default)]
    pub key: Option<String>,
    pub body: Value,
}

/// What became of an order, or of taking it back.
#[derive(Debug, Serialize, Deserialize)]
pub struct CarriedBody {
    pub entry: String,
    /// What the record says by it; null where it ends or was taken back.
    #[serde(default)]
    pub record: Value,
}

impl From<Carried> for CarriedBody {
    fn from(carried: Carried) -> Self {
        Self {
            entry: carried.entry,
            record: carried.record,
        }
    }
}
