//! Finding pairs, piece by piece, behind the feed of changes.

use std::collections::BTreeSet;

use base::{Error, Result, Timestamp};
use futures::future::try_join_all;
use linkage::Frequencies;
use serde_json::Value;
use store::{
    jobs::{Job, Run},
    transact,
};
use uuid::Uuid;

use super::{
    PairId, State,
    score::{Found, Scoring, compare},
};
use crate::{
    history::Moment,
    model::{Duplicates, FieldPath, Registry, RegistryCode, text_of, values_at},
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

/// Records that share some fields with a body.
pub(super) struct Near {
    /// Which.
    pub records: BTreeSet<Uuid>,
    /// Whether the body says all fields of a list of the blocking.
    pub asked: bool,
    /// Whether so many share a list that they were left out.
    pub left_out: bool,
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
            let mut others = self.near(&registry, duplicates, &record.body, run.now).await?.records;
            others.remove(&record.id);
            let others: Vec<Uuid> = others.into_iter().collect();
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
    pub(super) async fn known(&self, editions: &Editions, records: &[Uuid], now: Timestamp) -> Result<Vec<Known>> {
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

    /// The records that share all fields of one list of the blocking with a body.
    pub(super) async fn near(
        &self,
        registry: &Registry,
        duplicates: &Duplicates,
        body: &Value,
        now: Timestamp,
    ) -> Result<Near> {
        let questions: Vec<_> = duplicates
            .blocking
            .iter()
            .flat_map(|fields| conditions(registry, fields, body))
            .collect();
        let found = try_join_all(questions.iter().map(|conditions| async move {
            let order = Order::Age { after: None };
            let db = self.store().read();
            read::find(&db, &registry.code, conditions, &order, at(registry, now), MOST + 1).await
        }))
        .await?;
        let (few, many): (Vec<_>, Vec<_>) = found.into_iter().partition(|found| found.len() <= MOST as usize);
        Ok(Near {
            records: few.into_iter().flatten().map(|place| place.record_id).collect(),
            asked: !questions.is_empty(),
            left_out: !many.is_empty(),
        })
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
    let values = |known: &Known| -> Vec<Option<String>> {
        let columns = duplicates.columns.iter();
        columns.map(|(_, path)| known.says(path)).collect()
    };
    let told: Vec<_> = others.iter().map(values).collect();
    let by = Scoring {
        registry,
        duplicates,
        frequencies,
        policy: None,
    };
    let found = compare(&by, &values(record), &told, duplicates.review)?;
    let pair = |found: Found| {
        let other = others.get(found.other)?;
        Some(PairRow {
            id: PairId::new(now).uuid(),
            one_id: record.id.min(other.id),
            other_id: record.id.max(other.id),
            weight: (found.weight * 1000.0) as i64,
            reason_vi: found.reason.vi,
            reason_en: found.reason.en,
            state: State::Open.code().to_owned(),
            ended_id: None,
            ended_seq: None,
            version: 1,
        })
    };
    Ok(found.into_iter().filter_map(pair).collect())
}

fn order(code: &RegistryCode) -> Result<Job> {
    let job = Job::new(LINK, &Changed { registry: code.clone() })?;
    Ok(job.key(format!("{LINK}/{code}")))
}
