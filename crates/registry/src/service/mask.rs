//! Which fields of a body are shown.

use base::{Problems, Result};
use serde_json::{Map, Value};

use crate::model::{FieldPath, Registry};

/// Which fields are shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mask(Option<Vec<FieldPath>>);

impl Mask {
    /// Everything.
    pub const ALL: Self = Self(None);

    /// These fields and what is in them.
    pub fn of(fields: Vec<FieldPath>) -> Self {
        Self(Some(fields))
    }

    /// Reads `name,residence.commune`; all fields where it is empty.
    ///
    /// # Errors
    /// Every field that the registry does not have.
    pub fn read(text: &str, registry: &Registry) -> Result<Self> {
        let mut problems = Problems::new();
        let mut fields = Vec::new();
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            match name
                .parse::<FieldPath>()
                .ok()
                .filter(|path| registry.field(path).is_some())
            {
                Some(path) => fields.push(path),
                None => problems.add(
                    "unknown-field",
                    "fields",
                    "Có trường không thuộc lược đồ của cơ sở dữ liệu này.",
                    "Not every field is of this registry's schema.",
                ),
            }
        }
        problems.into_result()?;
        Ok(if fields.is_empty() { Self::ALL } else { Self::of(fields) })
    }

    /// What both show.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let (Some(mine), Some(others)) = (&self.0, &other.0) else {
            return if self.0.is_some() { self.clone() } else { other.clone() };
        };
        let narrower = |a: &FieldPath, b: &FieldPath| {
            if b.covers(a) {
                Some(a.clone())
            } else if a.covers(b) {
                Some(b.clone())
            } else {
                None
            }
        };
        let both = mine
            .iter()
            .flat_map(|a| others.iter().filter_map(move |b| narrower(a, b)));
        Self(Some(both.collect()))
    }

    /// Whether a field is shown, whole.
    pub fn shows(&self, field: &FieldPath) -> bool {
        self.0
            .as_ref()
            .is_none_or(|shown| shown.iter().any(|s| s.covers(field)))
    }

    /// What of a body is shown.
    pub fn apply(&self, body: &Value) -> Value {
        match &self.0 {
            None => body.clone(),
            Some(fields) => {
                let ways: Vec<Vec<&str>> = fields.iter().map(|path| path.parts().collect()).collect();
                only(body, &ways.iter().map(Vec::as_slice).collect::<Vec<_>>())
            }
        }
    }
}

fn only(value: &Value, ways: &[&[&str]]) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.iter().map(|item| only(item, ways)).collect()),
        Value::Object(members) => {
            let mut kept = Map::new();
            for (name, member) in members {
                let below: Vec<&[&str]> = ways
                    .iter()
                    .filter_map(|way| way.split_first())
                    .filter(|(head, _)| *head == name)
                    .map(|(_, rest)| rest)
                    .collect();
                if below.iter().any(|way| way.is_empty()) {
                    kept.insert(name.clone(), member.clone());
                } else if !below.is_empty() {
                    kept.insert(name.clone(), only(member, &below));
                }
            }
            Value::Object(kept)
        }
        other => other.clone(),
    }
}
