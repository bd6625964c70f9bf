//! What nodes say to each other about registries: questions and orders of procedures, and the answers.

use std::collections::BTreeMap;

use base::Timestamp;
use jiff::civil::Date;
use procedure::writes::{Act, Plan};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    keeper::{Order, TakeBack},
    model::{Name, RegistryCode},
    service::{Carried, Fact},
};

/// The answer about one person or organisation: each attribute that was asked for, null where the registry holds nothing of it. What
/// the mask of a grant has taken out is not there: it is not said.
#[derive(Debug, Serialize, Deserialize)]
pub struct FactsBody {
    pub facts: BTreeMap<Name, Option<FactBody>>,
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
    pub fn of(names: &[Name], mut facts: BTreeMap<Name, Fact>) -> Self {
        let fact = |fact: Fact| FactBody {
            value: fact.value,
            entry: fact.entry,
            recorded_at: fact.recorded_at.rfc3339(),
        };
        let facts = names.iter().map(|name| (name.clone(), facts.remove(name).map(fact)));
        Self { facts: facts.collect() }
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
