//! Many new records at once: from the bulk API and from files.

use base::{Problems, Result, Timestamp};
use identity::Ctx;
use store::{MOST_VALUES, Tx};

use super::{Fresh, Provenance, RecordId, write::version};
use crate::{
    history::{Effect, Moment, Segment, Span},
    model::{ChangeKind, Registry},
    store::{
        index::Slots,
        write::{self as tables, Found},
    },
};

/// Rows that are bound at once: what stands in memory twice.
const PIECE: usize = 8 * MOST_VALUES;

/// A new record that was judged and may be taken in, ready to be written.
#[derive(Debug, Clone)]
pub(crate) struct Fit {
    key: String,
    effect: Effect,
    span: Span,
    body: String,
    found: Vec<Found>,
}

impl Fit {
    /// Judges a new record.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn judge(registry: &Registry, slots: &Slots, fresh: &Fresh, now: Timestamp) -> Result<Self, Problems> {
        let effect = Effect::holds(fresh.from, fresh.to)?;
        let judgement = registry.judge(&fresh.body, fresh.from.day(registry.valid_time), now);
        if !judgement.problems.is_empty() {
            return Err(judgement.problems);
        }
        let key = registry.key_of(&fresh.body)?;
        let span = Span::new(fresh.from, fresh.to.unwrap_or(Moment::FOREVER)).ok_or_else(Problems::new)?;
        let found = tables::found([(span, slots.entries(registry, &key, &fresh.body))]);
        Ok(Self {
            key,
            effect,
            span,
            body: fresh.body.to_string(),
            found: found.into_iter().collect(),
        })
    }

    /// Its key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Bytes that it takes, about.
    pub fn size(&self) -> usize {
        self.body.len() + self.found.iter().map(|found| found.1.len() + 40).sum::<usize>()
    }
}

/// Ids of new records, in their order: rows that are added at the end of an index cost least.
pub(crate) fn ids(count: usize, now: Timestamp) -> Vec<RecordId> {
    let mut ids: Vec<RecordId> = std::iter::repeat_with(|| RecordId::new(now)).take(count).collect();
    ids.sort_unstable();
    ids
}

/// Writes new records, the first at the instant `first` and each of the others at the next. Their keys are free, and the registry's
/// turn is this transaction's.
///
/// The values by which they are found are written in the order of the index, so that those of one page come together.
pub(crate) async fn put(
    tx: &Tx,
    ctx: &Ctx,
    registry: &Registry,
    provenance: &Provenance,
    first: i64,
    fits: &[(RecordId, &Fit)],
) -> Result<()> {
    let numbered = || (first..).zip(fits);
    let mut rest = numbered();
    loop {
        let piece: Vec<_> = rest.by_ref().take(PIECE).collect();
        if piece.is_empty() {
            break;
        }
        let versions: Vec<_> = piece
            .iter()
            .map(|(at, (id, fit))| {
                let said = (ChangeKind::Assert, Some(fit.effect), None);
                version(
                    ctx,
                    registry,
                    id.uuid(),
                    1,
                    *at,
                    said,
                    Some(fit.body.clone()),
                    provenance,
                )
            })
            .collect();
        tables::add(tx, &registry.code, &versions).await?;
        let segments: Vec<_> = piece
            .iter()
            .flat_map(|(at, (id, fit))| {
                let segment = Segment {
                    span: fit.span,
                    seq: 1,
                    ended: false,
                    begins: true,
                };
                tables::segment_rows(&registry.code, id.uuid(), [segment], *at)
            })
            .collect();
        tables::add_segments(tx, &segments).await?;
    }
    let mut found: Vec<(&Found, RecordId, i64)> = numbered()
        .flat_map(|(at, (id, fit))| fit.found.iter().map(move |found| (found, *id, at)))
        .collect();
    found.sort_unstable_by(|a, b| (a.0.0, &a.0.1, a.1).cmp(&(b.0.0, &b.0.1, b.1)));
    for piece in found.chunks(PIECE) {
        let rows: Vec<_> = piece
            .iter()
            .flat_map(|(found, id, at)| tables::index_rows(id.uuid(), [*found], *at))
            .collect();
        tables::add_index(tx, &rows).await?;
    }
    Ok(())
}
