//! What is due of a proposal: its time passes, the state acts, or takes back what it did. And every step becomes a leaf of the transparency log.

use ::store::{Job, jobs::Run, transact};
use base::{Error, Kind, Result, Timestamp};
use identity::Ctx;
use ledger::Kind as LeafKind;
use procedure::writes::Plan;
use registry::{
    keeper::{Order, Said, TakeBack},
    question::service::Outcome,
    service::Times,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, value::RawValue};
use uuid::Uuid;

use super::{
    Act, NAME, Rule, job,
    model::{Next, Proposal, ProposalId, State, Step},
    store::{self as tables, ProposalRow},
};
use crate::{model::writes::Wrote, service::Dossiers};

/// Something is due of a proposal.
pub(super) const DUE: &str = "dossier.proposal-due";
/// Steps have no leaf yet.
pub(super) const LEAVES: &str = "dossier.proposal-leaves";
/// Seconds until a registry that was silent is asked or told again, at first and at most.
const PAUSES: (i64, i64) = (60, 6 * 3600);
/// No more at one go than there can be writes and takings back.
const STEPS: usize = 40;
/// Steps that become leaves at once.
const PIECE: usize = 512;

#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    proposal: ProposalId,
    /// Tries so far, where a registry was silent.
    tries: u32,
    /// The write whose registry was silent at the last try: it may have it.
    #[serde(default)]
    unheard: Option<String>,
}

/// A proposal is to be looked at. There is one such job of each at a time.
pub(super) fn due_job(proposal: ProposalId, at: Timestamp) -> Result<Job> {
    let first = Payload {
        proposal,
        tries: 0,
        unheard: None,
    };
    look_later(&first, at)
}

fn look_later(payload: &Payload, at: Timestamp) -> Result<Job> {
    let job = job(DUE, payload, at)?;
    Ok(job.key(format!("proposal/{}", payload.proposal)))
}

pub(super) fn leaves_job() -> Result<Job> {
    Ok(Job::new(LEAVES, &())?.key(LEAVES))
}

/// What came of a look.
enum Looked {
    /// Nothing more is to be done now.
    Rests,
    /// A registry was silent, or somebody else moved it on meanwhile; of a write that was told and not answered, which.
    Later(Option<String>),
}

impl Dossiers {
    pub(super) async fn proposal_is_due(&self, run: &Run) -> Result<()> {
        let Payload {
            proposal: id,
            tries,
            unheard,
        } = run.payload()?;
        let ctx = Ctx::system(NAME, run.now);
        let looked = match self.look_at(&ctx, id, unheard.as_deref()).await {
            // Somebody else was faster: looked at again, as it stands then.
            Err(Error::Refused(Kind::Conflict, _)) => Looked::Later(unheard),
            // What is not here any more is no work.
            Err(Error::Refused(Kind::NotFound, _)) => Looked::Rests,
            looked => looked?,
        };
        let Looked::Later(unheard) = looked else {
            return Ok(());
        };
        let (first, most) = PAUSES;
        let pause = (first << tries.min(16)).min(most);
        let next = Payload {
            proposal: id,
            tries: tries.saturating_add(1),
            unheard,
        };
        let again = look_later(&next, run.now.plus_seconds(pause))?;
        transact!(self.store(), |tx| { tx.enqueue(again.clone(), run.now).await })
    }

    async fn look_at(&self, ctx: &Ctx, id: ProposalId, unheard: Option<&str>) -> Result<Looked> {
        let (row, proposal) = self.proposal(id).await?;
        match proposal.state {
            State::Open if ctx.now >= proposal.made.until => {
                self.step(ctx, id, &Step::Expired).await?;
                Ok(Looked::Rests)
            }
            State::Announced if ctx.now >= proposal.made.until => self.begin(ctx, &row, &proposal).await,
            State::Acting | State::Restoring => self.go_on_acting(ctx, id, unheard).await,
            _ => Ok(Looked::Rests),
        }
    }

    /// Asks once more whether what led to it is still so, and begins only then.
    async fn begin(&self, ctx: &Ctx, row: &ProposalRow, proposal: &Proposal) -> Result<Looked> {
        let id = proposal.id;
        // A rule that was taken away, or changed since it was announced, acts on nobody.
        let announced = |rule: &&Rule| rule.hash == proposal.made.rule.2;
        let (Some(proposing), Some((rule, act))) = (
            self.proposing(),
            self.rule(&row.rule)
                .ok()
                .filter(announced)
                .and_then(|rule| Some((rule, rule.act()?))),
        ) else {
            let answer = proposal.made.answer;
            self.step(ctx, id, &Step::Overtaken { answer }).await?;
            return Ok(Looked::Rests);
        };
        let number = self.unsealed(&row.subject)?;
        let input = rule.question.inputs.first();
        let inputs: Map<String, Value> = input
            .map(|input| (input.id.to_string(), Value::from(number.as_str())))
            .into_iter()
            .collect();
        let answered = proposing
            .questions
            .ask(
                ctx,
                rule.question.code.as_str(),
                &inputs,
                Times::default(),
                &self.asker(rule)?,
            )
            .await?;
        match answered.outcome {
            Outcome::Silent(_) => return Ok(Looked::Later(None)),
            Outcome::Answered(Value::Bool(true)) => {}
            Outcome::Answered(_) | Outcome::Undecided => {
                self.step(ctx, id, &Step::Overtaken { answer: answered.id }).await?;
                return Ok(Looked::Rests);
            }
        }
        let Some(values) = self.facts_of(ctx, rule, &number).await? else {
            return Ok(Looked::Later(None));
        };
        let (code, plans) = self.plans(ctx, rule, act, values).await?;
        let Some(plans) = plans else {
            self.step(ctx, id, &Step::Overtaken { answer: answered.id }).await?;
            return Ok(Looked::Rests);
        };
        let begun = Step::ActBegun {
            answer: answered.id,
            code,
            writes: plans
                .iter()
                .map(|(write, plan)| (write.clone(), plan.registry.clone()))
                .collect(),
        };
        let sealed = proposing
            .sealer
            .seal(self.identity().entropy(), PLANS, &serde_json::to_vec(&plans)?)?;
        self.step_with(ctx, id, &begun, Some(&sealed)).await?;
        self.go_on_acting(ctx, id, None).await
    }

    /// The writes with their values, under a code of their own; no plans where the registries give no key or no day for one of them.
    async fn plans(
        &self,
        ctx: &Ctx,
        rule: &Rule,
        act: &Act,
        mut values: Map<String, Value>,
    ) -> Result<(String, Option<Vec<(String, Plan)>>)> {
        let today = ctx.now.legal_date();
        let agency = self.proposing_agency(&rule.procedure)?;
        let pattern = &self.config().code_pattern;
        let number = self.store().next_number(&pattern.sequence_key(&agency, today)).await?;
        let code = pattern.render(&agency, today, number.unsigned_abs());
        let code = code.map_err(|e| Error::internal(e.to_string()))?.to_string();
        values.insert("code".to_owned(), Value::from(code.as_str()));
        values.insert("decided_on".to_owned(), Value::from(today.to_string()));
        let due = act.writes.iter().flat_map(|write| write.due(&values));
        let plans: Option<Vec<(String, Plan)>> = due.map(|due| Some((due.id.clone(), due.plan(today).ok()?))).collect();
        Ok((code, plans.filter(|plans| !plans.is_empty())))
    }

    /// What a registry is told by a write, as it was when the act began.
    async fn plan(&self, id: ProposalId, write: &str) -> Result<Plan> {
        let proposing = self.proposing().ok_or_else(super::no_proposal)?;
        let sealed = tables::plans(&self.store().read(), id).await?.unwrap_or_default();
        let plans: Vec<(String, Plan)> = serde_json::from_slice(&proposing.sealer.open(PLANS, &sealed)?)?;
        let found = plans.into_iter().find(|(known, _)| known == write);
        found
            .map(|(_, plan)| plan)
            .ok_or_else(|| Error::internal("an act whose write has no values"))
    }

    /// Tells registries, or takes back what they were told. What came of each is in the log before the next. Where a registry may have a
    /// write whose answer was lost (`unheard`), that the exchange bars the way says nothing of it: it is told again until somebody answers.
    async fn go_on_acting(&self, ctx: &Ctx, id: ProposalId, unheard: Option<&str>) -> Result<Looked> {
        let Some(keeper) = self.keeper() else {
            return Ok(Looked::Later(unheard.map(str::to_owned)));
        };
        for _ in 0..STEPS {
            let (row, proposal) = self.proposal(id).await?;
            let rule = self.rule(&row.rule).ok();
            let days = rule.and_then(Rule::act).map_or(FALLBACK_DAYS, |act| act.restore_days);
            let Some((code, _)) = &proposal.act else {
                return Ok(Looked::Rests);
            };
            let order_id = |write: &str| format!("{id}/{write}");
            let step = match proposal.next(ctx.now, days) {
                Next::Nothing => return Ok(Looked::Rests),
                Next::Conclude(step) => step,
                Next::Tell(write) => {
                    let plan = self.plan(id, &write).await?;
                    let named = rule
                        .and_then(Rule::act)
                        .and_then(|act| procedure::writes::write_of(&act.writes, &write))
                        .map(|(write, _)| write);
                    let order = Order {
                        id: order_id(&write),
                        plan,
                        procedure: row.procedure_code.clone(),
                        basis: named.map(|write| write.basis.clone()).unwrap_or_default(),
                        dossier: code.clone(),
                        source: named.map_or_else(|| NAME.to_owned(), |write| write.name.vi.clone()),
                    };
                    let wrote = match keeper.tell(ctx, &order).await {
                        Said::Done { entry, record: _ } => Wrote::Done {
                            entry,
                            // The record is the registry's; the log of a proposal keeps no personal data.
                            record: Value::Null,
                        },
                        Said::Barred(_) if unheard == Some(write.as_str()) => return Ok(Looked::Later(Some(write))),
                        Said::Refused(problems) | Said::Barred(problems) => Wrote::Refused { problems },
                        Said::Silent => return Ok(Looked::Later(Some(write))),
                    };
                    Step::Wrote { write, wrote }
                }
                Next::TakeBack { write, registry, entry } => {
                    let back = TakeBack {
                        order: order_id(&write),
                        registry,
                        entry: entry.clone(),
                        procedure: row.procedure_code.clone(),
                        dossier: code.clone(),
                    };
                    let wrote = match keeper.take_back(ctx, &back).await {
                        Said::Done { entry, .. } => Wrote::TakenBack { entry },
                        Said::Refused(problems) | Said::Barred(problems) => Wrote::Left { entry, problems },
                        Said::Silent => return Ok(Looked::Later(None)),
                    };
                    Step::Wrote { write, wrote }
                }
            };
            self.step(ctx, id, &step).await?;
        }
        Ok(Looked::Rests)
    }

    /// Makes leaves of steps that have none. The log is written first: after a crash in between a step may have a second leaf, which says the same.
    pub(super) async fn keep_proposal_leaves(&self, run: &Run) -> Result<()> {
        let Some(ledger) = self.ledger() else {
            return Ok(());
        };
        let bare = tables::bare(&self.store().read(), PIECE).await?;
        let record = |row: &tables::BareRow| -> Result<(LeafKind, Vec<u8>)> {
            let leaf = Leaf {
                proposal: row.proposal_id,
                entry: serde_json::from_str(&row.entry)?,
            };
            Ok((LeafKind::PROPOSAL, serde_json::to_vec(&leaf)?))
        };
        let records = bare.iter().map(record).collect::<Result<Vec<_>>>()?;
        let receipts = ledger.log.append_all(records).await.map_err(Error::internal)?;
        let more = bare.len() == PIECE;
        let again = leaves_job()?;
        transact!(self.store(), |tx| {
            for (row, receipt) in bare.iter().zip(&receipts) {
                let leaf = i64::try_from(receipt.index).unwrap_or(i64::MAX);
                tables::has_leaf(&tx, row, ledger.log.origin(), leaf).await?;
            }
            run.done(&tx).await?;
            if more {
                tx.enqueue(again.clone(), run.now).await?;
            }
            Ok(())
        })
    }
}

/// What a leaf of a proposal says: the entry byte by byte as its log has it. No number of a person is in it.
#[derive(Serialize)]
struct Leaf<'a> {
    proposal: Uuid,
    entry: &'a RawValue,
}

/// The place for which the values of an act are sealed.
const PLANS: &str = "proposal/plans";
/// Days in which what was done under a rule that is gone can be undone: the most that a rule may give.
const FALLBACK_DAYS: u16 = 365;
