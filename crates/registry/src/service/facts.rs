//! Answering procedures: attributes of one person or organisation, each of the record that speaks about them, now or as of a day and
//! as was known at an instant.

use std::collections::BTreeMap;

use base::{Error, Kind, Result, Timestamp};
use identity::{Actor, Ctx};
use serde_json::Value;
use uuid::Uuid;

use super::{
    EXCHANGE, Mask, Purpose, RecordView, Registries, Times,
    read::{Told, at, body_of},
};
use crate::{
    model::{Attribute, FieldPath, Name, Registry, RegistryCode, Telling},
    shelf::Editions,
    store::{
        index,
        read::{self as tables, At, Bound, Condition, Order},
    },
};

/// The most records about one person that are looked at: of marriages and the like.
const MOST: u32 = 50;
/// The most among which the least is sought: of those whom an employer insures.
const MOST_COMPARED: usize = 200_000;
/// So many of them at a time.
const PAGE: u32 = 500;

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
    /// `NotFound` where there is no such registry; `Forbidden`; `Unavailable` when the read could not be logged, or more records would have to
    /// be compared than can be.
    pub async fn facts(
        &self,
        ctx: &Ctx,
        purpose: &Purpose,
        code: &RegistryCode,
        number: &str,
        names: &[Name],
        times: Times,
    ) -> Result<BTreeMap<Name, Fact>> {
        let (editions, registry) = self.open_to_read(ctx, purpose, code)?;
        let asked = registry
            .attributes
            .iter()
            .filter(|attribute| names.contains(&attribute.id));
        let at = at(ctx, &registry, times.when(registry.valid_time));
        let mut found = Vec::with_capacity(asked.clone().count());
        let mut by_find: BTreeMap<&[FieldPath], Vec<&Attribute>> = BTreeMap::new();
        for attribute in asked.clone() {
            if attribute.of == Telling::Least {
                let least = self.least(ctx, &editions, number, attribute, at).await?;
                let records = Vec::from_iter(least);
                found.push((vec![attribute], self.speaking(ctx, &editions, &records, at).await?));
            } else {
                by_find.entry(&attribute.find).or_default().push(attribute);
            }
        }
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
                let values =
                    (attribute.of == Telling::All).then(|| said.iter().map(|(_, fact)| fact.value.clone()).collect());
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
            let Some(condition) = is(&registry, field, number) else {
                continue;
            };
            let order = Order::Age { after: None };
            let places = tables::find(&db, code, &[condition], &order, at, MOST).await?;
            records.extend(places.into_iter().map(|place| place.record_id));
        }
        records.sort_unstable();
        records.dedup();
        self.speaking(ctx, editions, &records, at).await
    }
    /// The record that says the least of an attribute, of all that are about the number.
    async fn least(
        &self,
        ctx: &Ctx,
        editions: &Editions,
        number: &str,
        attribute: &Attribute,
        at: At,
    ) -> Result<Option<Uuid>> {
        let (db, registry) = (self.store().read(), editions.current());
        let (mut least, mut compared): (Option<(Value, Uuid)>, usize) = (None, 0);
        for field in &attribute.find {
            let Some(condition) = is(&registry, field, number) else {
                continue;
            };
            let mut after = None;
            loop {
                let order = Order::Age { after };
                let places =
                    tables::find(&db, &registry.code, std::slice::from_ref(&condition), &order, at, PAGE).await?;
                let records: Vec<Uuid> = places.iter().map(|place| place.record_id).collect();
                for spoken in tables::spoken(&db, &registry.code, &records, at).await? {
                    let Some(body) = body_of(editions, &spoken.version, ctx.now)? else {
                        continue;
                    };
                    let said = attribute.of(&body, number);
                    if let Some(value) =
                        said.filter(|value| least.as_ref().is_none_or(|(least, _)| is_less(value, least)))
                    {
                        least = Some((value, spoken.version.record_id));
                    }
                }
                compared += records.len();
                if compared > MOST_COMPARED {
                    return Err(too_many(&attribute.id));
                }
                after = records.last().copied();
                if records.len() < PAGE as usize {
                    break;
                }
            }
        }
        Ok(least.map(|(_, record)| record))
    }
}

/// That a field says a number; none where it cannot be found by, or the number is none of its kind.
fn is(registry: &Registry, field: &FieldPath, number: &str) -> Option<Condition> {
    let filter = registry.filter(field)?;
    Some(Condition {
        slot: index::slot_of(registry, filter),
        bound: Bound::Is(index::bytes(filter, &number.into())?),
    })
}

/// Whether one value comes before another: texts by their letters, as days and months do, numbers by their size.
fn is_less(value: &Value, other: &Value) -> bool {
    match (value, other) {
        (Value::String(value), Value::String(other)) => value < other,
        (Value::Number(value), Value::Number(other)) => value.as_f64() < other.as_f64(),
        _ => false,
    }
}

fn too_many(attribute: &Name) -> Error {
    Error::refused(
        Kind::Unavailable,
        "too-many-to-compare",
        format!("Có quá nhiều bản ghi nên không tính được “{attribute}”."),
        format!("More records speak of “{attribute}” than can be compared."),
    )
}
