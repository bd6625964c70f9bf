//! Finding pairs, piece by piece, behind the feed of changes.

use std::collections::BTreeSet;

use base::{Error, Result, Timestamp};
use futures::future::try_join_all;
use linkage::{
    Effort, Frequencies, Linker, Records,
    explain::{Explainer, Of},
};
use serde_json::Value;
use store::{
    jobs::{Job, Run},
    transact,
};
use uuid::Uuid;

use super::{PairId, State};
use crate::{
    history::Moment,
    model::{About, BLOCK, Duplicates, FieldPath, Registry, RegistryCode, text_of, values_at},
    service::{
        Registries,
        jobs::{Changed, LINK},
    },
    shelf::Editions,
    store::{
        NOW, index,
        pairs::{self as tables, PairRow},
        read::{self, At, Bound, Condition, Order},
    },
};

/// Versions that one run looks at.
const PIECE: u32 = 200;
/// Of records that share a value no more are compared: what so many share tells nobody apart.
const MOST: u32 = 50;

/// A record as it is now.
pub(super) struct Known {
    pub(super) id: Uuid,
    pub(super) body: Value,
}

impl Known {
    /// What it says in a column of the model: of a field of several values the first.
    pub(super) fn says(&self, field: &FieldPath) -> Option<String> {
        let text = values_at(&self.body, field).first().and_then(|value| text_of(value))?;
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }
}

impl Registries {
    /// Orders to look for pairs among what has changed, where a registry declares how.
    pub(crate) async fn order_linking(&self, run: &Run, code: &RegistryCode) -> Result<()> {
        let editions = self.editions(code)?;
        if editions.current().duplicates.is_none() {
            return Ok(());
        }
        transact!(self.store(), |tx| { tx.enqueue(order(code)?, run.now).await })
    }

    /// Looks for pairs of one piece of what has changed, and orders the next.
    pub(crate) async fn link(&self, run: &Run, code: &RegistryCode) -> Result<()> {
        self.shelf().refresh().await?;
        let editions = self.editions(code)?;
        let registry = editions.current();
        let Some(duplicates) = &registry.duplicates else {
            return Ok(());
        };
        let after = tables::looked_at(&self.store().read(), code, &duplicates.hash).await?;
        let versions = read::changes(&self.store().read(), code, after, PIECE).await?;
        let Some(last) = versions.last().map(|version| version.recorded_at) else {
            return Ok(());
        };
        let changed: BTreeSet<Uuid> = versions.iter().map(|version| version.record_id).collect();
        let changed: Vec<Uuid> = changed.into_iter().collect();
        let mut pairs = Vec::new();
        let known = self.known(&editions, &changed, run.now).await?;
        self.count(&registry, duplicates, &changed, &known).await?;
        for record in known {
            let others = self.others(&registry, duplicates, &record, run.now).await?;
            let others = self.known(&editions, &others, run.now).await?;
            let frequencies = self.frequencies(&registry, duplicates, &record, &others).await?;
            pairs.extend(likely(&registry, duplicates, &frequencies, &record, &others, run.now)?);
        }
        let more = versions.len() >= PIECE as usize;
        transact!(self.store(), |tx| {
            tables::propose(&tx, code, &pairs).await?;
            tables::look_on(&tx, code, &duplicates.hash, last).await?;
            run.done(&tx).await?;
            if more {
                tx.enqueue(order(code)?, run.now).await?;
            }
            Ok(())
        })
    }

    /// What records say now; those that say nothing are not among them.
    async fn known(&self, editions: &Editions, records: &[Uuid], now: Timestamp) -> Result<Vec<Known>> {
        let registry = editions.current();
        let at = at(&registry, now);
        let spoken = read::spoken(&self.store().read(), &registry.code, records, at).await?;
        let mut known = Vec::with_capacity(spoken.len());
        for spoken in spoken {
            let Some(body) = &spoken.version.body else { continue };
            let body: Value = serde_json::from_str(body)?;
            let edition = u32::try_from(spoken.version.edition).map_err(Error::internal)?;
            let day = Moment::from_stored(spoken.from).day(registry.valid_time);
            known.push(Known {
                id: spoken.version.record_id,
                body: editions.forward(&body, edition, day, now).into_owned(),
            });
        }
        Ok(known)
    }

    /// The records that share all fields of one list of the blocking with a record.
    async fn others(
        &self,
        registry: &Registry,
        duplicates: &Duplicates,
        record: &Known,
        now: Timestamp,
    ) -> Result<Vec<Uuid>> {
        let questions = duplicates
            .blocking
            .iter()
            .flat_map(|fields| conditions(registry, fields, &record.body));
        let found = try_join_all(questions.map(|conditions| async move {
            let order = Order::Age { after: None };
            let db = self.store().read();
            read::find(&db, &registry.code, &conditions, &order, at(registry, now), MOST + 1).await
        }))
        .await?;
        let few = found.into_iter().filter(|found| found.len() <= MOST as usize);
        let others: BTreeSet<Uuid> = few.flatten().map(|place| place.record_id).collect();
        Ok(others.into_iter().filter(|other| *other != record.id).collect())
    }
}

fn at(registry: &Registry, now: Timestamp) -> At {
    At {
        valid: Moment::of(now, registry.valid_time),
        known: NOW,
    }
}

/// The questions of one list of fields: of a field with several values one for each.
fn conditions(registry: &Registry, fields: &[FieldPath], body: &Value) -> Vec<Vec<Condition>> {
    let mut questions = vec![Vec::new()];
    for field in fields {
        let Some(filter) = registry.filter(field) else {
            return Vec::new();
        };
        let slot = index::slot_of(registry, filter);
        let values: BTreeSet<Vec<u8>> = values_at(body, field)
            .into_iter()
            .filter_map(|value| index::bytes(filter, value))
            .collect();
        questions = questions
            .iter()
            .flat_map(|question: &Vec<Condition>| {
                values.iter().map(move |value| {
                    let bound = Bound::Is(value.clone());
                    let one = Condition { slot, bound };
                    question.iter().cloned().chain([one]).collect()
                })
            })
            .collect();
    }
    questions
}

/// Of these pairs those that a person should look at.
fn likely(
    registry: &Registry,
    duplicates: &Duplicates,
    frequencies: &Frequencies,
    record: &Known,
    others: &[Known],
    now: Timestamp,
) -> Result<Vec<PairRow>> {
    if others.is_empty() {
        return Ok(Vec::new());
    }
    let model = &duplicates.model;
    let columns = duplicates.columns.iter().map(|(column, _)| column.as_str());
    let columns: Vec<&str> = [model.id_column.as_str(), BLOCK].into_iter().chain(columns).collect();
    let mut records = Records::new();
    records.begin_source(registry.code.as_str(), &columns, &model.id_column)?;
    for known in [record].into_iter().chain(others) {
        let values: Vec<Option<String>> = [Some(known.id.to_string()), Some(String::from("1"))]
            .into_iter()
            .chain(duplicates.columns.iter().map(|(_, path)| known.says(path)))
            .collect();
        records.push(values.iter().map(Option::as_deref))?;
    }
    let linker = Linker::with_frequencies(model.clone(), records, frequencies)?;
    let of = match registry.about {
        About::Person => Of::Persons,
        _ => Of::Things,
    };
    let explainer = Explainer::new(&linker).of(of);
    let title = |comparison: &str| {
        let column = duplicates.columns.iter().find(|(column, _)| column == comparison);
        let field = column.and_then(|(_, path)| registry.field(path))?;
        Some(registry.label(field))
    };
    let effort = Effort {
        threads: 1,
        ..Effort::default()
    };
    let mut pairs = Vec::new();
    linker.predict(effort, linkage::weight_of(duplicates.review), |found, _| {
        // The first record is the one that has changed; the others were not asked about each other.
        for pair in found.iter().filter(|pair| pair.left == 0 || pair.right == 0) {
            let other = others.get((pair.left.max(pair.right) - 1) as usize);
            let reason = explainer.explain(pair, title).sentence;
            pairs.extend(other.map(|other| PairRow {
                id: PairId::new(now).uuid(),
                one_id: record.id.min(other.id),
                other_id: record.id.max(other.id),
                weight: (pair.weight * 1000.0) as i64,
                reason_vi: reason.vi,
                reason_en: reason.en,
                state: State::Open.code().to_owned(),
                ended_id: None,
                ended_seq: None,
                version: 1,
            }));
        }
        Ok(())
    })?;
    Ok(pairs)
}

fn order(code: &RegistryCode) -> Result<Job> {
    let job = Job::new(LINK, &Changed { registry: code.clone() })?;
    Ok(job.key(format!("{LINK}/{code}")))
}
