//! What records say now, for those parts of the crate that judge by themselves who may see it.

use base::{Result, Timestamp};
use serde_json::Value;
use uuid::Uuid;

use super::{RecordId, Registries, read::body_of};
use crate::{history::Moment, model::RegistryCode, store::write};

/// What holds of a record now, or held last.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// The record.
    pub id: RecordId,
    /// Its newest version.
    pub newest: i64,
    /// The version that speaks.
    pub seq: i64,
    /// Since when it holds.
    pub from: Moment,
    /// Until when; none without end.
    pub to: Option<Moment>,
    /// Whether it holds now.
    pub holds: bool,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// What it says.
    pub body: Value,
    /// Where it comes from.
    pub source: String,
}

impl Registries {
    /// What holds of records now, or held last; of one that never held, nothing. Nobody is told: the caller sees to that.
    pub(crate) async fn held(&self, code: &RegistryCode, records: &[Uuid], now: Timestamp) -> Result<Vec<Held>> {
        let mut all = Vec::with_capacity(records.len());
        for record in records {
            all.extend(self.held_one(code, *record, now).await?);
        }
        Ok(all)
    }

    async fn held_one(&self, code: &RegistryCode, record: Uuid, now: Timestamp) -> Result<Option<Held>> {
        let editions = self.editions(code)?;
        let moment = Moment::of(now, editions.current().valid_time);
        let db = self.store().read();
        let timeline = write::folded(&db, code, record).await?.timeline();
        let segments = timeline.segments().iter();
        let mut begun = segments.filter(|segment| !segment.ended && segment.span.from() <= moment);
        let Some(segment) = begun.next_back() else {
            return Ok(None);
        };
        let versions = write::versions(&db, record).await?;
        let newest = versions.last().map_or(segment.seq, |version| version.seq);
        let Some(version) = versions.into_iter().find(|version| version.seq == segment.seq) else {
            return Ok(None);
        };
        let body = body_of(&editions, &version, now)?;
        Ok(body.map(|body| Held {
            id: RecordId::from_uuid(record),
            newest,
            seq: version.seq,
            from: segment.span.from(),
            to: Some(segment.span.to()).filter(|to| *to < Moment::FOREVER),
            holds: segment.span.has(moment),
            recorded_at: Timestamp::from_micros(version.recorded_at),
            body,
            source: version.source,
        }))
    }

    /// Every body that a record has, of whatever time, as far as it is known now.
    pub(crate) async fn bodies(&self, code: &RegistryCode, record: Uuid, now: Timestamp) -> Result<Vec<Value>> {
        let editions = self.editions(code)?;
        let db = self.store().read();
        let timeline = write::folded(&db, code, record).await?.timeline();
        let speaks = |seq: i64| {
            timeline
                .segments()
                .iter()
                .any(|segment| segment.seq == seq && !segment.ended)
        };
        let versions = write::versions(&db, record).await?.into_iter();
        let bodies = versions
            .filter(|version| speaks(version.seq))
            .map(|version| body_of(&editions, &version, now));
        let bodies: Vec<Option<Value>> = bodies.collect::<Result<_>>()?;
        Ok(bodies.into_iter().flatten().collect())
    }
}
