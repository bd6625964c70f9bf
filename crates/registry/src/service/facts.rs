//! Answering procedures: attributes of one person or organisation, each of the record that speaks about them, now or as of a day and
//! as was known at an instant.

use std::collections::BTreeMap;

use base::{Result, Timestamp};
use identity::{Actor, Ctx, Permission};
use serde_json::Value;
use uuid::Uuid;

use super::{
    EXCHANGE, Mask, Purpose, RecordView, Registries, Times,
    read::{Told, at},
};
use crate::{
    model::{Attribute, FieldPath, Name, RegistryCode},
    shelf::Editions,
    store::{
        index,
        read::{self as tables, At, Bound, Condition, Order},
    },
};

/// The most records about one person that are looked at: of marriages and the like.
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
    /// What the registry says about the person or organisation with this number, by attribute, of when and as known when `times` says; an
    /// attribute of which it says nothing, or that it does not have, is left out. Whoever was asked about learns of it from the gateway where the exchange asks.
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
        times: Times,
    ) -> Result<BTreeMap<Name, Fact>> {
        let (editions, registry) = self.open(ctx, code, Permission::ReadRegistry)?;
        let asked = registry
            .attributes
            .iter()
            .filter(|attribute| names.contains(&attribute.id));
        let mut by_find: BTreeMap<&[FieldPath], Vec<&Attribute>> = BTreeMap::new();
        for attribute in asked.clone() {
            by_find.entry(&attribute.find).or_default().push(attribute);
        }
        let at = at(ctx, &registry, times.when(registry.valid_time));
        let mut found = Vec::with_capacity(by_find.len());
        for (find, attributes) in by_find {
            found.push((attributes, self.about(ctx, &editions, number, find, at).await?));
        }
        let told = if ctx.actor == Actor::System(EXCHANGE) {
            Told::One(number)
        } else {
            Told::Nobody
        };
        let bodies = found.iter().flat_map(|(_, records)| records).map(|record| &record.body);
        let mask = Mask::of(asked.flat_map(Attribute::fields).collect());
        self.log(ctx, purpose, &registry, bodies, &mask, told).await?;
        let mut facts = BTreeMap::new();
        for (attributes, records) in &found {
            for attribute in attributes {
                let says = |record: &RecordView| {
                    let value = attribute.of(&record.body, number)?;
                    let fact = Fact {
                        value,
                        entry: format!("{code}/{}#{}", record.key, record.seq),
                        recorded_at: record.recorded_at,
                    };
                    Some((record.valid_from, fact))
                };
                let said: Vec<_> = records.iter().filter_map(says).collect();
                let values = attribute
                    .all
                    .then(|| said.iter().map(|(_, fact)| fact.value.clone()).collect());
                // The newest record that says anything of it, for all of them where there is a list.
                if let Some((_, mut fact)) = said.into_iter().max_by_key(|(from, _)| *from) {
                    fact.value = values.unwrap_or(fact.value);
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
        editions: &Editions,
        number: &str,
        find: &[FieldPath],
        at: At,
    ) -> Result<Vec<RecordView>> {
        let (db, registry) = (self.store().read(), editions.current());
        let code = &registry.code;
        let mut records: Vec<Uuid> = Vec::new();
        if find.is_empty() {
            records.extend(tables::by_key(&db, index::slot(code, None), number, at).await?);
        }
        for field in find {
            let Some(filter) = registry.filter(field) else { continue };
            let Some(value) = index::bytes(filter, &number.into()) else {
                continue;
            };
            let condition = Condition {
                slot: index::slot_of(&registry, filter),
                bound: Bound::Is(value),
            };
            let order = Order::Age { after: None };
            let places = tables::find(&db, code, &[condition], &order, at, MOST).await?;
            records.extend(places.into_iter().map(|place| place.record_id));
        }
        records.sort_unstable();
        records.dedup();
        self.speaking(ctx, editions, &records, at).await
    }
}
