//! The files as they are written.

use base::{Text, codes::AgencyCode};
use exchange::model::{Purpose, identifier::ClientId};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

use super::{
    About, Age, Basis, Dimension, Doubts, FieldPath, Identifier, ListId, Mending, Name, Operation, Operator,
    RegistryCode, Represented, Retention, Sensitivity, Upon, ValidTime, allocation::RawAllocation, rule::Action,
};

/// `registry.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawRegistry {
    pub code: RegistryCode,
    pub version: u32,
    pub name: Text,
    pub summary: Text,
    pub steward: AgencyCode,
    pub about: About,
    #[serde(default)]
    pub subjects: Vec<FieldPath>,
    #[serde(default)]
    pub represented: Option<Represented>,
    pub key: Vec<FieldPath>,
    pub valid_time: ValidTime,
    pub sensitivity: Sensitivity,
    pub basis: Vec<Basis>,
    pub retention: Retention,
    pub doubts: Doubts,
    #[serde(default)]
    pub without_dossier: BTreeSet<Purpose>,
    #[serde(default)]
    pub quality: Mending,
    #[serde(default)]
    pub filter: Vec<RawFilter>,
    #[serde(default)]
    pub service: Vec<RawService>,
    #[serde(default)]
    pub allocate: Vec<RawAllocation>,
    #[serde(default)]
    pub event: Vec<RawEvent>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawFilter {
    pub field: FieldPath,
    pub operators: Vec<Operator>,
    #[serde(default)]
    pub folded: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawService {
    pub id: Name,
    pub name: Text,
    pub operations: Vec<Operation>,
    #[serde(default)]
    pub filters: Vec<FieldPath>,
    #[serde(default)]
    pub fields: Vec<FieldPath>,
    #[serde(default)]
    pub attributes: Vec<Name>,
    #[serde(default)]
    pub pseudonyms: Vec<FieldPath>,
    #[serde(default)]
    pub between: Vec<ClientId>,
    #[serde(default)]
    pub basis: Option<Basis>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawEvent {
    pub id: Name,
    pub name: Text,
    #[serde(default)]
    pub on: Vec<Upon>,
    #[serde(default)]
    pub reaches: Option<Age>,
    #[serde(default)]
    pub fields: Vec<FieldPath>,
}

/// `rules.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawRules {
    #[serde(default)]
    pub rule: Vec<RawRule>,
}

// What is not of a rule is of its test, which knows all of its keys.
#[derive(Debug, Deserialize)]
pub struct RawRule {
    pub id: Name,
    pub dimension: Dimension,
    pub action: Action,
    pub message: Text,
    #[serde(flatten)]
    pub test: RawTest,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum RawTest {
    Required {
        field: FieldPath,
        when: Option<String>,
    },
    Format {
        field: FieldPath,
        identifier: Option<Identifier>,
        pattern: Option<String>,
    },
    CodeList {
        field: FieldPath,
        list: ListId,
    },
    Range {
        field: FieldPath,
        min: Option<toml::Value>,
        max: Option<toml::Value>,
    },
    Unique {
        fields: Vec<FieldPath>,
    },
    CrossField {
        holds: String,
    },
    Reference {
        field: FieldPath,
        registry: RegistryCode,
    },
    Standard {
        field: FieldPath,
    },
    Fresh {
        days: u32,
    },
}

/// `migration.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawMigration {
    pub from: u32,
    #[serde(default)]
    pub rekeys: bool,
    #[serde(default)]
    pub rename: Vec<RawRename>,
    #[serde(default)]
    pub default: Vec<RawValue>,
    #[serde(default)]
    pub set: Vec<RawValue>,
    #[serde(default)]
    pub split: Vec<RawSplit>,
    #[serde(default)]
    pub drop: Vec<RawDrop>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawRename {
    pub from: FieldPath,
    pub to: FieldPath,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawValue {
    pub field: FieldPath,
    pub value: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawSplit {
    pub from: FieldPath,
    pub into: BTreeMap<FieldPath, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawDrop {
    pub field: FieldPath,
    pub reason: Text,
}
