//! Taking a proposal of the machine: for one record, where a person has looked at it.

use base::{Kind, Result};
use identity::{Ctx, Permission};
use uuid::Uuid;

use super::{
    Quality,
    correcting::{Correction, Edit, edited, problem},
    findings::{FindingId, OPEN, closed},
};
use crate::{
    history::Moment,
    model::{Proposal, Proposed, Registry, RegistryCode, Rule},
    service::{Change, Provenance, RecordId, RecordView, Seen, Target, Written},
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
        let proposals = proposals(&registry, rule, &record, ctx);
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
            body: edited(registry, record.body.clone(), &edits)?,
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

/// What is proposed for a record that breaks a rule of standard forms, in the order in which it is shown.
pub(super) fn proposals(registry: &Registry, rule: &Rule, record: &RecordView, ctx: &Ctx) -> Vec<Proposal> {
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
