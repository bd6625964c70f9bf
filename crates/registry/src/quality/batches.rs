//! The same safe proposal for many records: looked at first, written together, and taken back together.

use base::{Error, Kind, Problems, Result, Timestamp};
use identity::{Ctx, Permission};
use store::transact;

use super::{
    Quality,
    correcting::problem,
    findings::{FindingId, OPEN, closed},
    proposing::Taken,
    tables::{self, Filter, FindingRow},
};
use crate::{
    history::Effect,
    model::{Name, Proposal, Proposed, Registry, RegistryCode},
    service::{Change, Provenance, RecordId, RecordView, Seen, With},
    store::{
        batches::{self as rows, BatchRow, ItemRow},
        write,
    },
};

/// Records of one batch.
pub const MOST: u32 = 50;
/// Batches that are shown.
const SHOWN: i64 = 10;

base::typed_id!(
    /// One batch.
    BatchKey as BatchId
);

/// A record for which the machine knows the one value that can be meant.
#[derive(Debug, Clone)]
pub struct SafeFix {
    /// The finding.
    pub finding: FindingId,
    /// The record as it is now.
    pub record: RecordView,
    /// What is proposed.
    pub proposal: Proposal,
}

/// A batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Its id.
    pub id: BatchId,
    /// The rule.
    pub rule: Name,
    /// When it was written.
    pub made_at: Timestamp,
    /// By whom.
    pub made_by: String,
    /// When it was taken back.
    pub undone_at: Option<Timestamp>,
}

/// What came of a batch, or of taking it back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Records that were written.
    pub done: usize,
    /// Why others were not.
    pub left: Vec<Problems>,
}

impl Quality {
    /// Records that break a rule of standard forms and whose one right value the machine knows: at most [`MOST`], what is due first coming
    /// first. The reads are told to those whom the records are about.
    ///
    /// # Errors
    /// `Forbidden` for who is no steward of the registry's agency; `NotFound`; `Unavailable` when a read could not be logged.
    pub async fn safe_fixes(&self, ctx: &Ctx, code: &RegistryCode, rule: &Name) -> Result<Vec<SafeFix>> {
        let (_, registry) = self.registries().open(ctx, code, Permission::KeepRegistry)?;
        let filter = Filter {
            state: OPEN,
            rule: Some(rule.as_str()),
            ..Filter::default()
        };
        let rows = tables::list(&self.registries().store().read(), code, &filter, MOST).await?;
        let mut fixes = Vec::new();
        for row in rows {
            fixes.extend(self.safe_fix(ctx, &registry, &row).await?);
        }
        Ok(fixes)
    }

    async fn safe_fix(&self, ctx: &Ctx, registry: &Registry, row: &FindingRow) -> Result<Option<SafeFix>> {
        let rule = registry.rules.iter().find(|rule| rule.id.as_str() == row.rule);
        let Some(record) = self.record(ctx, &registry.code, row.record_id).await? else {
            return Ok(None);
        };
        let fields = rule.map(|rule| registry.looks_at(rule)).unwrap_or_default();
        let today = ctx.now.legal_date();
        let proposed = fields
            .iter()
            .find_map(|field| registry.propose(field, &record.body, today));
        Ok(match proposed {
            Some(Proposed::Safe(proposal)) => Some(SafeFix {
                finding: FindingId::from_uuid(row.id),
                record,
                proposal,
            }),
            _ => None,
        })
    }

    /// Writes the safe proposals for these findings, each with the newest version of its record as it was seen. What somebody else has
    /// changed meanwhile is left, and said.
    ///
    /// # Errors
    /// `Invalid` where nothing is chosen or too much; `Forbidden` for who is no steward of the registry's agency; `NotFound`.
    pub async fn apply(
        &self,
        ctx: &Ctx,
        code: &RegistryCode,
        rule: &Name,
        chosen: &[(FindingId, i64)],
    ) -> Result<(BatchId, Outcome)> {
        let (_, registry) = self.registries().open(ctx, code, Permission::KeepRegistry)?;
        if chosen.is_empty() || chosen.len() > MOST as usize {
            return Err(problem(
                Kind::Invalid,
                "nothing-chosen",
                "take",
                &format!("Chọn từ 1 đến {MOST} bản ghi."),
                &format!("Choose 1 to {MOST} records."),
            ));
        }
        let batch = BatchId::new(ctx.now);
        let row = BatchRow {
            id: batch.uuid(),
            rule: rule.to_string(),
            made_at: ctx.now.micros(),
            made_by: ctx.actor_name().to_owned(),
            undone_at: None,
        };
        transact!(self.registries().store(), |tx| { rows::add(&tx, code, &row).await })?;
        let mut outcome = Outcome::default();
        for (finding, seen) in chosen {
            match self.apply_one(ctx, &registry, rule, batch, *finding, *seen).await {
                Ok(()) => outcome.done += 1,
                Err(Error::Refused(_, problems)) => outcome.left.push(problems),
                Err(error) => return Err(error),
            }
        }
        Ok((batch, outcome))
    }

    async fn apply_one(
        &self,
        ctx: &Ctx,
        registry: &Registry,
        rule: &Name,
        batch: BatchId,
        finding: FindingId,
        seen: i64,
    ) -> Result<()> {
        let row = self
            .row(&self.registries().store().read(), &registry.code, finding)
            .await?;
        if row.state != OPEN || row.rule != rule.as_str() {
            return Err(closed());
        }
        let Some(fix) = self.safe_fix(ctx, registry, &row).await? else {
            return Err(closed());
        };
        // Noted first: should the process end in between, the version is found by its source all the same.
        let item = ItemRow {
            record_id: row.record_id,
            seq: seen + 1,
        };
        transact!(self.registries().store(), |tx| {
            rows::add_item(&tx, batch.uuid(), &item).await
        })?;
        let taken = Taken {
            record: row.record_id,
            seen,
            proposal: &fix.proposal,
            source: source(batch, rule),
            key: format!("batch/{batch}/{finding}"),
        };
        self.take_proposal(ctx, registry, &fix.record, taken).await.map(drop)
    }

    /// The newest batches of a registry.
    ///
    /// # Errors
    /// `Forbidden` for who is no steward of the registry's agency; `NotFound`.
    pub async fn batches(&self, ctx: &Ctx, code: &RegistryCode) -> Result<Vec<Batch>> {
        self.registries().open(ctx, code, Permission::KeepRegistry)?;
        let rows = rows::of_registry(&self.registries().store().read(), code, SHOWN).await?;
        rows.into_iter().map(Batch::of).collect()
    }

    /// Takes a batch back: each record says again what it said before, unless somebody has changed it since.
    ///
    /// # Errors
    /// `Forbidden` for who is no steward of the registry's agency; `NotFound`.
    pub async fn undo(&self, ctx: &Ctx, code: &RegistryCode, batch: BatchId) -> Result<Outcome> {
        self.registries().open(ctx, code, Permission::KeepRegistry)?;
        let db = self.registries().store().read();
        let found = rows::by_id(&db, code, batch.uuid()).await?;
        let found = found.ok_or_else(|| Error::not_found("lô này", "batch"))?;
        let rule = Batch::of(found)?.rule;
        let items = rows::items(&db, batch.uuid()).await?;
        let mut outcome = Outcome::default();
        for item in items {
            match self.undo_one(ctx, code, batch, &rule, &item).await {
                Ok(true) => outcome.done += 1,
                Ok(false) => {}
                Err(Error::Refused(_, problems)) => outcome.left.push(problems),
                Err(error) => return Err(error),
            }
        }
        transact!(self.registries().store(), |tx| {
            rows::undone(&tx, batch.uuid(), ctx.now).await
        })?;
        Ok(outcome)
    }

    /// Whether there was anything to take back.
    async fn undo_one(
        &self,
        ctx: &Ctx,
        code: &RegistryCode,
        batch: BatchId,
        rule: &Name,
        item: &ItemRow,
    ) -> Result<bool> {
        let editions = self.registries().editions(code)?;
        let versions = write::versions(&self.registries().store().read(), item.record_id).await?;
        let ours =
            |version: &&crate::store::VersionRow| version.seq == item.seq && version.source == source(batch, rule);
        let Some(written) = versions.iter().find(ours) else {
            return Ok(false);
        };
        // What an assertion added never was; what a correction said is said again as before.
        let before = versions.iter().find(|version| Some(version.seq) == written.corrects);
        let with = match before {
            None => With::Void,
            Some(before) => {
                let effect = before.entry()?.map(|entry| entry.effect);
                let body = crate::service::body_of(&editions, before, ctx.now)?;
                let (Some(Effect::Holds { from, to }), Some(body)) = (effect, body) else {
                    return Ok(false);
                };
                With::Holds { from, to, body }
            }
        };
        let change = Change::Correct {
            record: Seen {
                record: RecordId::from_uuid(item.record_id),
                seq: item.seq,
            },
            corrects: item.seq,
            with,
        };
        let provenance = Provenance {
            source: format!("Hoàn tác lô {batch}"),
            ..Provenance::default()
        };
        let key = format!("batch/{batch}/undo/{}", item.record_id);
        let written = self.registries().write(ctx, code, change, &provenance, &key).await;
        written.map(|_| true)
    }
}

impl Batch {
    fn of(row: BatchRow) -> Result<Self> {
        Ok(Self {
            id: BatchId::from_uuid(row.id),
            rule: row.rule.parse().map_err(Error::internal)?,
            made_at: Timestamp::from_micros(row.made_at),
            made_by: row.made_by,
            undone_at: row.undone_at.map(Timestamp::from_micros),
        })
    }
}

/// What the versions of a batch say that they are from.
fn source(batch: BatchId, rule: &Name) -> String {
    format!("Chuẩn hóa theo lô {batch}, quy tắc {rule}")
}
