//! Many new records at once: from the bulk API and from files.

use base::{Problems, Result, Timestamp};
use identity::Ctx;
use store::Tx;
use uuid::Uuid;

use super::{Fresh, Provenance, RecordId, write::version};
use crate::{
    history::{Effect, Moment, Segment, Span},
    model::{ChangeKind, Registry},
    store::{
        effect_columns,
        index::{Slots, Values},
        write::{self as tables, Entry, First},
    },
};

/// A new record that was judged and may be taken in, ready to be written.
#[derive(Debug, Clone)]
pub(crate) struct Fit {
    key: String,
    effect: Effect,
    span: Span,
    body: String,
    /// By what it is found.
    values: Values,
}

impl Fit {
    /// Judges a new record.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn judge(registry: &Registry, slots: &Slots, fresh: &Fresh, now: Timestamp) -> Result<Self, Problems> {
        let effect = Effect::holds(fresh.from, fresh.to)?;
        registry.admit(&fresh.body, fresh.from.day(registry.valid_time), now)?;
        let key = registry.key_of(&fresh.body)?;
        let span = Span::new(fresh.from, fresh.to.unwrap_or(Moment::FOREVER)).ok_or_else(Problems::new)?;
        let values = slots.entries(registry, &key, &fresh.body);
        Ok(Self {
            key,
            effect,
            span,
            body: fresh.body.to_string(),
            values,
        })
    }

    /// Its key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Bytes that it takes, about.
    pub fn size(&self) -> usize {
        self.body.len() + self.values.iter().map(|(_, value)| value.len() + 40).sum::<usize>()
    }
}

/// Ids of new records, in their order: rows that are added at the end of an index cost least.
pub(crate) fn ids(count: usize, now: Timestamp) -> Vec<RecordId> {
    let mut ids: Vec<RecordId> = std::iter::repeat_with(|| RecordId::new(now)).take(count).collect();
    ids.sort_unstable();
    ids
}

/// The values by which new records are found, in the order of the index, so that those of one page are written together: of each the
/// number of its record and its own in that.
#[derive(Debug)]
pub(crate) struct Sorted(Vec<(u32, u32)>);

impl Sorted {
    /// Sorts those of records whose ids are in the order in which they come here.
    pub fn of<'a>(fits: impl Iterator<Item = &'a Fit>) -> Self {
        let mut found: Vec<_> = (0_u32..)
            .zip(fits)
            .flat_map(|(n, fit)| fit.values.iter().zip(0_u32..).map(move |(value, of)| (value, (n, of))))
            .collect();
        found.sort_unstable();
        Self(found.into_iter().map(|(_, place)| place).collect())
    }
}

/// Writes new records, those of `fits` that have an id: the first at the instant `first` and each of the others at the next. Their
/// keys are free, and the registry's turn is this transaction's.
pub(crate) async fn put(
    tx: &Tx,
    ctx: &Ctx,
    registry: &Registry,
    provenance: &Provenance,
    first: i64,
    fits: &[(Option<RecordId>, &Fit)],
    sorted: &Sorted,
) -> Result<()> {
    let code = &registry.code;
    let mut next = first..;
    let placed: Vec<Option<(Uuid, i64)>> = fits
        .iter()
        .map(|(id, _)| id.and_then(|id| Some((id.uuid(), next.next()?))))
        .collect();
    let records: Vec<(Uuid, i64, &Fit)> = placed
        .iter()
        .zip(fits)
        .filter_map(|(placed, (_, fit))| placed.map(|(id, at)| (id, at, *fit)))
        .collect();
    let Some((id, _, fit)) = records.first() else {
        return Ok(());
    };
    let said = (ChangeKind::Assert, Some(fit.effect), None);
    let like = version(ctx, registry, *id, 1, first, said, None, provenance);
    let rows = records.iter().map(|(id, at, fit)| {
        let (_, from, to) = effect_columns(Some(fit.effect));
        First {
            record: *id,
            from: from.unwrap_or_default(),
            to,
            at: *at,
            body: &fit.body,
        }
    });
    tables::add_first(tx, code, like, rows).await?;
    let parts = records.iter().map(|(id, at, fit)| {
        let segment = Segment {
            span: fit.span,
            seq: 1,
            ended: false,
            begins: true,
        };
        (*id, (segment, &fit.values), *at)
    });
    tables::add_parts(tx, code, parts).await?;
    let entries = sorted.0.iter().filter_map(|(n, of)| {
        let (record, at) = placed[*n as usize]?;
        let fit = fits[*n as usize].1;
        let (slot, value) = fit.values.nth(*of as usize)?;
        let (from, to) = (fit.span.from().stored(), fit.span.to().stored());
        Some(Entry {
            record,
            slot,
            value,
            from,
            to,
            at,
        })
    });
    tables::add_index(tx, entries).await
}
