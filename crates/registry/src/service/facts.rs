//! Answering procedures: attributes of one person or organisation, each of the record that speaks about them now.

use std::collections::BTreeMap;

use base::{Error, Kind, Result, Timestamp};
use identity::Ctx;
use serde_json::Value;

use super::{Asked, Mask, Purpose, Query, RecordView, Registries, When};
use crate::model::{Attribute, FieldPath, Name, Operator, RegistryCode};

/// The most records about one person that are looked at: of marriages and the like, the newest.
const MOST: u32 = 50;

/// What a record says of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// The answer, in the shape of a form's field.
    pub value: Value,
    /// Which record and version says so: `population/001190000001#3`.
    pub entry: String,
    /// When that was recorded.
    pub recorded_at: Timestamp,
}

impl Registries {
    /// What the registry says about the person or organisation with this number, by attribute; an attribute of which it says nothing, or
    /// that it does not have, is left out.
    ///
    /// # Errors
    /// `NotFound` where there is no such registry; `Forbidden`; `Unavailable` when the read could not be logged.
    pub async fn facts(
        &self,
        ctx: &Ctx,
        purpose: &Purpose,
        code: &RegistryCode,
        number: &str,
        names: &[Name],
    ) -> Result<BTreeMap<Name, Fact>> {
        let registry = self.editions(code)?.current();
        let asked = registry
            .attributes
            .iter()
            .filter(|attribute| names.contains(&attribute.id));
        let mut by_find: BTreeMap<&[FieldPath], Vec<&Attribute>> = BTreeMap::new();
        for attribute in asked {
            by_find.entry(&attribute.find).or_default().push(attribute);
        }
        let mut facts = BTreeMap::new();
        for (find, attributes) in by_find {
            let records = self.about(ctx, purpose, code, number, find).await?;
            for attribute in attributes {
                // The newest record that says anything of it.
                let says = |record: &RecordView| {
                    Some((record.valid_from, attribute.of(&record.body, number)?, record.clone()))
                };
                if let Some((_, value, record)) = records.iter().filter_map(says).max_by_key(|(from, ..)| *from) {
                    let fact = Fact {
                        value,
                        entry: format!("{code}/{}#{}", record.key, record.seq),
                        recorded_at: record.recorded_at,
                    };
                    facts.insert(attribute.id.clone(), fact);
                }
            }
        }
        Ok(facts)
    }

    /// The records that one of these fields says are about the number; by the key where there are none.
    async fn about(
        &self,
        ctx: &Ctx,
        purpose: &Purpose,
        code: &RegistryCode,
        number: &str,
        find: &[FieldPath],
    ) -> Result<Vec<RecordView>> {
        if find.is_empty() {
            return match self.read(ctx, purpose, code, number, When::default(), &Mask::ALL).await {
                Ok(record) => Ok(vec![record]),
                Err(Error::Refused(Kind::NotFound, _)) => Ok(Vec::new()),
                Err(error) => Err(error),
            };
        }
        let mut records = Vec::new();
        for field in find {
            let query = Query {
                asked: vec![Asked {
                    field: field.clone(),
                    operator: Operator::Eq,
                    value: Some(number.to_owned()),
                    upto: None,
                }],
                limit: MOST,
                ..Query::default()
            };
            records.extend(self.list(ctx, purpose, code, &query).await?.items);
        }
        Ok(records)
    }
}
