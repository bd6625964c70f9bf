//! Whether records are as in life can only be seen by looking: a random sample, each record of it judged by an officer against papers or
//! the person. The share that is right is a figure with its interval.

use std::collections::BTreeMap;

use base::{Error, Kind, Result, Timestamp};
use identity::{Ctx, Permission};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::{Job, Read, jobs::Run, transact};
use uuid::Uuid;

use super::{Quality, correcting::problem, tables};
use crate::{
    model::{FieldPath, RegistryCode},
    service::RecordView,
    store::samples::{self, SampleRow},
};

/// A sample is to be drawn.
pub const DRAW: &str = "registry.draw";
/// The largest sample.
const MOST: i64 = 1_000;
/// Records of one look while drawing.
const PIECE: i64 = 1_000;
/// Samples that are shown, and records that are looked through for one that still holds.
const SHOWN: i64 = 20;
/// The quantile of the normal distribution for 95 %.
const Z: f64 = 1.959_963_985;

base::typed_id!(
    /// One sample.
    SampleKey as SampleId
);

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct DrawOrder {
    pub sample: Uuid,
}

/// A sample of the records of a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Its id.
    pub id: SampleId,
    /// The same seed over the same records draws the same sample.
    pub seed: i64,
    /// When it was ordered, and by whom.
    pub drawn_at: Timestamp,
    /// By whom.
    pub drawn_by: String,
    /// How many records it has, of how many; none while it is being drawn.
    pub drawn: Option<(i64, i64)>,
    /// Records that are right in every field that was looked at.
    pub right: i64,
    /// Records that are wrong in at least one.
    pub wrong: i64,
}

/// A record of a sample that is to be judged.
#[derive(Debug, Clone)]
pub struct SampleItem {
    /// Its place, from 1.
    pub n: i64,
    /// What holds of it now.
    pub record: RecordView,
}

/// What an officer found about one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looked {
    /// As in life.
    Right,
    /// Not as in life.
    Wrong,
}

impl Sample {
    fn of(row: SampleRow) -> Self {
        Self {
            id: SampleId::from_uuid(row.id),
            seed: row.seed,
            drawn_at: Timestamp::from_micros(row.drawn_at),
            drawn_by: row.drawn_by,
            drawn: row.drawn.zip(row.of_records),
            right: row.right_count,
            wrong: row.wrong_count,
        }
    }

    /// The share of judged records that are right, from 0 to 1, with its interval at 95 % (Wilson); none while none is judged.
    pub fn share(&self) -> Option<(f64, f64, f64)> {
        wilson(self.right, self.right + self.wrong)
    }
}

/// The share of `part` in `whole`, and the interval of Wilson at 95 %: share, least, greatest, from 0 to 1.
#[expect(clippy::cast_precision_loss, reason = "samples are small")]
pub fn wilson(part: i64, whole: i64) -> Option<(f64, f64, f64)> {
    if whole <= 0 {
        return None;
    }
    let (n, p) = (whole as f64, part as f64 / whole as f64);
    let z2 = Z * Z;
    let middle = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    Some((p, (middle - half).max(0.0), (middle + half).min(1.0)))
}

impl Quality {
    /// Orders a sample of so many records. Without a seed one is made and kept.
    ///
    /// # Errors
    /// `Invalid` for a size that is none; `Forbidden` for who is no steward of the registry's agency; `NotFound`.
    pub async fn draw(&self, ctx: &Ctx, code: &RegistryCode, size: i64, seed: Option<i64>) -> Result<SampleId> {
        self.registries().open(ctx, code, Permission::KeepRegistry)?;
        if !(1..=MOST).contains(&size) {
            return Err(problem(
                Kind::Invalid,
                "bad-size",
                "size",
                &format!("Cỡ mẫu từ 1 đến {MOST} bản ghi."),
                &format!("A sample has 1 to {MOST} records."),
            ));
        }
        let id = SampleId::new(ctx.now);
        // The last 62 bits of an id are random.
        let random = || i64::try_from(id.uuid().as_u128() & 0xffff_ffff_ffff).unwrap_or(0);
        let seed = seed.unwrap_or_else(random);
        let order = Job::new(DRAW, &DrawOrder { sample: id.uuid() })?;
        let row = SampleRow {
            id: id.uuid(),
            registry: code.to_string(),
            seed,
            wanted: size,
            drawn_at: ctx.now.micros(),
            drawn_by: ctx.actor_name().to_owned(),
            drawn: None,
            of_records: None,
            right_count: 0,
            wrong_count: 0,
        };
        transact!(self.registries().store(), |tx| {
            samples::add(&tx, &row).await?;
            tx.enqueue(order.clone(), ctx.now).await
        })?;
        Ok(id)
    }

    /// Draws a sample: of all records those whose hashes with the seed are the least. Every set of that size is as likely as any other.
    pub(super) async fn draw_now(&self, run: &Run, order: &DrawOrder) -> Result<()> {
        let store = self.registries().store();
        let row = self.sample_row(&store.read(), order.sample).await?;
        let code = super::stored_code(&row.registry)?;
        let wanted = usize::try_from(row.wanted).unwrap_or(0);
        let mut least: BTreeMap<[u8; 32], Uuid> = BTreeMap::new();
        let (mut after, mut of) = (Uuid::nil(), 0_i64);
        loop {
            let records = tables::counting_after(&store.read(), &code, after, PIECE).await?;
            let Some(last) = records.last() else { break };
            after = *last;
            of += i64::try_from(records.len()).unwrap_or(0);
            for record in records {
                let mut hasher = Sha256::new();
                hasher.update(row.seed.to_be_bytes());
                hasher.update(record.as_bytes());
                least.insert(hasher.finalize().into(), record);
                if least.len() > wanted {
                    least.pop_last();
                }
            }
        }
        transact!(store, |tx| {
            run.done(&tx).await?;
            samples::drawn(&tx, order.sample, least.values(), of).await
        })
    }

    async fn sample_row(&self, db: &impl Read, id: Uuid) -> Result<SampleRow> {
        samples::by_id(db, id).await?.ok_or_else(no_sample)
    }

    /// The samples of a registry, the newest first.
    ///
    /// # Errors
    /// `Forbidden` for who is no steward of the registry's agency; `NotFound`.
    pub async fn samples(&self, ctx: &Ctx, code: &RegistryCode) -> Result<Vec<Sample>> {
        self.registries().open(ctx, code, Permission::KeepRegistry)?;
        let rows = samples::of_registry(&self.registries().store().read(), code, SHOWN).await?;
        Ok(rows.into_iter().map(Sample::of).collect())
    }

    /// The newest sample of which anything is judged: public.
    pub(super) async fn newest_sample(&self, code: &RegistryCode) -> Result<Option<Sample>> {
        let row = samples::newest(&self.registries().store().read(), code).await?;
        Ok(row.map(Sample::of))
    }

    /// A sample, and the next record of it that nobody has judged. The read is told to those whom the record is about.
    ///
    /// # Errors
    /// `Forbidden` for who is no steward of the registry's agency; `NotFound`; `Unavailable` when the read could not be logged.
    pub async fn next_of_sample(
        &self,
        ctx: &Ctx,
        code: &RegistryCode,
        id: SampleId,
    ) -> Result<(Sample, Option<SampleItem>)> {
        self.registries().open(ctx, code, Permission::KeepRegistry)?;
        let db = self.registries().store().read();
        let row = self.sample_row(&db, id.uuid()).await?;
        if row.registry != code.as_str() {
            return Err(no_sample());
        }
        let items = samples::open_items(&db, id.uuid(), SHOWN).await?;
        let mut item = None;
        for next in items {
            // Of what holds no more since the sample was drawn nothing can be judged.
            if let Some(record) = self.record(ctx, code, next.record_id).await? {
                item = Some(SampleItem { n: next.n, record });
                break;
            }
        }
        Ok((Sample::of(row), item))
    }

    /// Judges the record at a place of a sample: what was found about each field that was looked at.
    ///
    /// # Errors
    /// `Invalid` where no field was looked at; `Forbidden`; `NotFound`; `Conflict` when it is judged already.
    pub async fn judge_item(
        &self,
        ctx: &Ctx,
        code: &RegistryCode,
        id: SampleId,
        n: i64,
        looked: &[(FieldPath, Looked)],
    ) -> Result<()> {
        let (_, registry) = self.registries().open(ctx, code, Permission::KeepRegistry)?;
        let row = self.sample_row(&self.registries().store().read(), id.uuid()).await?;
        if row.registry != code.as_str() {
            return Err(no_sample());
        }
        let known: Vec<_> = looked
            .iter()
            .filter(|(field, _)| registry.field(field).is_some())
            .collect();
        if known.is_empty() {
            return Err(problem(
                Kind::Invalid,
                "nothing-looked-at",
                "",
                "Đánh dấu ít nhất một trường là đúng hoặc sai.",
                "Mark at least one field as right or wrong.",
            ));
        }
        let names = |only_wrong: bool| {
            let fields = known
                .iter()
                .filter(|(_, looked)| !only_wrong || *looked == Looked::Wrong);
            fields.map(|(field, _)| field.as_str()).collect::<Vec<_>>().join(",")
        };
        let (wrong, looked_at) = (names(true), names(false));
        transact!(self.registries().store(), |tx| {
            let by = (ctx.actor_name(), ctx.now);
            if samples::judge(&tx, (id.uuid(), n), &wrong, &looked_at, by).await? {
                return Ok(());
            }
            Err(Error::refused(
                Kind::Conflict,
                "judged-already",
                "Bản ghi này của mẫu đã được đánh giá.",
                "This record of the sample is judged already.",
            ))
        })
    }
}

fn no_sample() -> Error {
    Error::not_found("mẫu kiểm tra này", "sample")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_that_of_wilson() {
        // Values from Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
        for (part, whole, least, greatest) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let (_, low, high) = wilson(part, whole).expect("an interval");
            assert!(
                (low - least).abs() < 5e-5 && (high - greatest).abs() < 5e-5,
                "{part}/{whole}: {low} {high}"
            );
        }
        assert_eq!(wilson(0, 0), None);
        let (share, _, high) = wilson(20, 20).expect("an interval");
        assert!((share - 1.0).abs() < f64::EPSILON && (high - 1.0).abs() < 1e-9);
    }
}
