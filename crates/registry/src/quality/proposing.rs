//! Taking a proposal of the machine: for one record, where a person has looked at it.

use std::collections::BTreeSet;

use base::{Kind, Result, Text};
use identity::{Ctx, Permission};
use uuid::Uuid;

use super::{
    PURPOSE, Quality,
    correcting::{Correction, Edit, edited, problem},
    findings::{FindingId, OPEN, closed},
};
use crate::{
    history::Moment,
    model::{FieldPath, Proposal, Proposed, Registry, RegistryCode, Rule, Test, text_of, values_at},
    service::{Change, Provenance, Purpose, RecordId, RecordView, Seen, Target, Written},
};

/// A proposal for one record.
pub(super) struct Taken<'a> {
    pub record: Uuid,
    /// The newest version, as it was seen.
    pub seen: i64,
    pub proposal: &'a Proposal,
    pub source: String,
    pub key: String,
}

impl Quality {
    /// Takes the `nth` proposal for a finding, counted from 0 in the order in which they are shown.
    ///
    /// # Errors
    /// `Invalid` where there is no such proposal; those of [`Self::correct`]; `Conflict` when the finding is not open any more.
    pub async fn accept(
        &self,
        ctx: &Ctx,
        code: &RegistryCode,
        id: FindingId,
        seen: i64,
        nth: usize,
    ) -> Result<Written> {
        let (_, registry) = self.registries().open(ctx, code, Permission::KeepRegistry)?;
        let row = self.row(&self.registries().store().read(), code, id).await?;
        if row.state != OPEN {
            return Err(closed());
        }
        let rule = registry.rules.iter().find(|rule| rule.id.as_str() == row.rule);
        let record = self.record(ctx, code, row.record_id).await?;
        let (Some(rule), Some(record)) = (rule, record) else {
            return Err(closed());
        };
        let proposals = self.proposals(ctx, &registry, rule, &record).await?;
        let proposal = proposals.get(nth).ok_or_else(|| {
            problem(
                Kind::Invalid,
                "no-such-proposal",
                "proposal",
                "Chọn một trong các giá trị được đề nghị.",
                "Choose one of the values that are proposed.",
            )
        })?;
        let taken = Taken {
            record: row.record_id,
            seen,
            proposal,
            source: format!("Rà soát chất lượng dữ liệu, quy tắc {}", row.rule),
            key: format!("proposal/{id}/{seen}/{nth}"),
        };
        self.take_proposal(ctx, &registry, &record, taken).await
    }

    /// What is proposed for a record that breaks a rule, in the order in which it is shown.
    pub(super) async fn proposals(
        &self,
        ctx: &Ctx,
        registry: &Registry,
        rule: &Rule,
        record: &RecordView,
    ) -> Result<Vec<Proposal>> {
        let moved = self.moved(ctx, rule, record).await?;
        let to_new = moved.into_iter().map(Moved::proposal);
        Ok(to_new.chain(standard(registry, rule, record, ctx)).collect())
    }

    /// The keys that a record names under a rule of references and in whose place others stand, in their order.
    async fn moved(&self, ctx: &Ctx, rule: &Rule, record: &RecordView) -> Result<Vec<Moved>> {
        let Test::Reference {
            field,
            registry: target,
        } = &rule.test
        else {
            return Ok(Vec::new());
        };
        let registries = self.registries();
        let is_here = registries.shelf().get(target).is_some();
        let purpose = Purpose::read(PURPOSE, "", "")?;
        let named: BTreeSet<String> = values_at(&record.body, field).into_iter().filter_map(text_of).collect();
        let mut moved = Vec::new();
        for old in named {
            let new = if is_here {
                registries.key_in_place(ctx, &purpose, target, &old).await?
            } else {
                let db = registries.store().read();
                registries.moved_elsewhere(&db, target, &[&old]).await?.remove(&old)
            };
            moved.extend(new.map(|new| Moved {
                field: field.clone(),
                old,
                new,
            }));
        }
        Ok(moved)
    }

    /// Writes what a proposal says: a correction, or, where what was said was right before, what holds from a day on.
    pub(super) async fn take_proposal(
        &self,
        ctx: &Ctx,
        registry: &Registry,
        record: &RecordView,
        taken: Taken<'_>,
    ) -> Result<Written> {
        let values = taken.proposal.values.iter();
        let edits: Vec<Edit> = values
            .map(|(field, value)| Edit {
                field: field.clone(),
                value: value.clone(),
                in_place_of: taken.proposal.in_place_of.clone(),
            })
            .collect();
        let from = taken
            .proposal
            .from
            .map(|day| Moment::parse(&day.to_string(), registry.valid_time));
        let from = from.flatten().filter(|from| *from > record.valid_from);
        let Some(from) = from else {
            let correction = Correction {
                record: taken.record,
                seen: taken.seen,
                edits,
                source: taken.source,
                key: taken.key,
            };
            return self.correct(ctx, &registry.code, &correction).await;
        };
        let change = Change::Assert {
            target: Target::Known(Seen {
                record: RecordId::from_uuid(taken.record),
                seq: taken.seen,
            }),
            from,
            to: None,
            body: edited(registry, record.body.clone(), &edits, ctx.now.legal_date())?,
        };
        let provenance = Provenance {
            source: taken.source,
            ..Provenance::default()
        };
        self.registries()
            .write(ctx, &registry.code, change, &provenance, &taken.key)
            .await
    }
}

/// What is proposed for a record that breaks a rule of standard forms.
fn standard(registry: &Registry, rule: &Rule, record: &RecordView, ctx: &Ctx) -> Vec<Proposal> {
    let today = ctx.now.legal_date();
    let fields = registry.looks_at(rule).into_iter();
    let proposed = fields.filter_map(|field| registry.propose(&field, &record.body, today));
    proposed
        .flat_map(|proposed| match proposed {
            Proposed::Safe(proposal) => vec![proposal],
            Proposed::Choose(proposals) => proposals,
        })
        .collect()
}

/// A key that a record names, of a record that was merged into another.
struct Moved {
    field: FieldPath,
    old: String,
    new: String,
}

impl Moved {
    fn text(&self) -> Text {
        let Self { old, new, .. } = self;
        Text::new(
            format!("Bản ghi có khóa {old} đã được hợp nhất vào bản ghi có khóa {new}."),
            format!("The record with the key {old} was merged into the one with the key {new}."),
        )
    }

    /// That the field names the new key wherever it names the old one, in each group of a list.
    fn proposal(self) -> Proposal {
        Proposal {
            why: self.text(),
            shown: self.new.clone(),
            values: vec![(self.field, self.new)],
            in_place_of: Some(self.old),
            from: None,
        }
    }
}
