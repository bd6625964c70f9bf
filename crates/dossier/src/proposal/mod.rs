//! Proposals (dịch vụ công chủ động): the state comes to the person before they ask (Decree 224/2026/NĐ-CP, Articles 16 and 17). It reminds,
//! prepares the dossier, says which way is best, or acts by itself and leaves a way back; docs/proactive.md.
//!
//! ```text
//! rule      what is declared, and its check
//! model     a proposal: its steps, its state, what an act does next
//! awaited   whom events of registries name, and when they are looked at
//! runs      a rule over many people: the approved question is asked of each, as a job
//! making    one proposal, or why there is none
//! acting    what is due: a proposal expires, the state acts or takes it back, steps become leaves
//! own       the person's side
//! office    the agency's side, and the public figures
//! ```
//! A proposal moves by its log alone; each step is written with the row that it changes, under the version that was looked at.

mod acting;
pub mod api;
mod awaited;
mod making;
pub mod model;
mod office;
mod own;
pub mod pages;
mod rule;
mod runs;
mod store;

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use ::store::{Job, Tx, jobs::Runner, transact};
use base::{Error, Kind, Result, Timestamp};
use exchange::events::{EventName, Standing};
use hmac::{Hmac, Mac};
use identity::{Ctx, Sealer};
use registry::question::service::{Asker, Questions};
use sha2::Sha256;
use uuid::Uuid;

use self::{
    acting::{DUE, LEAVES},
    awaited::AWAITED,
    model::{Entry, Proposal, ProposalId, Step},
    runs::{AGAIN, RUN},
    store as tables,
};
pub use self::{
    awaited::{Awaits, Heard, MOST_TOLD},
    office::{Figures, Left, ProcedureFigures, RuleView, RunView, Stuck, told},
    own::{ProposalView, WayView, Wish},
    rule::{About, Act, Around, Because, FILE, Fact, Ladder, Level, On, Prefill, Rule, Source, WRITES, Way, check},
    runs::MOST_PEOPLE,
};
use crate::{
    model::{
        action::{ActorRef, DossierId},
        notice::NoticeKind,
    },
    service::Dossiers,
    store::notices,
};

/// In whose name the platform proposes and acts.
pub(crate) const NAME: &str = "Dịch vụ công chủ động";
/// How often a step is judged anew when somebody else was faster.
const TRIES: usize = 8;

/// By what a node proposes.
#[derive(Debug)]
pub struct Proposing {
    rules: Vec<Rule>,
    questions: Questions,
    hashing: [u8; 32],
    sealer: Sealer,
    /// How the events that rules wait for are followed, as far as this process knows.
    followed: Mutex<BTreeMap<EventName, Standing>>,
}

impl Proposing {
    /// These rules, whose questions are asked by `questions`; people are known by hashes and seals under `key`.
    pub fn new(rules: Vec<Rule>, questions: Questions, key: &[u8; 32]) -> Self {
        Self {
            rules,
            questions,
            hashing: derived(key, b"proposals/person"),
            sealer: Sealer::new(derived(key, b"proposals/seal")),
            followed: Mutex::default(),
        }
    }

    /// The pseudonym of a personal number: nobody without the key can go from the numbers that there may be to their proposals.
    fn person(&self, number: &str) -> String {
        hex::encode(derived(&self.hashing, number.as_bytes()))
    }

    /// How an event is followed now; nothing before the first question for it.
    fn follows(&self, event: &EventName) -> Option<Standing> {
        let followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        followed.get(event).copied()
    }

    fn note(&self, event: &EventName, standing: Standing) {
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        followed.insert(event.clone(), standing);
    }

    fn rule(&self, code: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.code.as_str() == code)
    }
}

/// HMAC-SHA-256.
fn derived(key: &[u8; 32], of: &[u8]) -> [u8; 32] {
    // A key shorter than a block of SHA-256 is filled up with zeros (RFC 2104, section 2).
    let mut block = [0; 64];
    for (at, byte) in block.iter_mut().zip(key) {
        *at = *byte;
    }
    let mut mac = <Hmac<Sha256> as hmac::digest::KeyInit>::new(&block.into());
    mac.update(of);
    mac.finalize().into_bytes().into()
}

/// Teaches a runner to propose.
pub fn handlers(runner: Runner, dossiers: &Dossiers) -> Runner {
    let (running, again, awaited) = (dossiers.clone(), dossiers.clone(), dossiers.clone());
    let (due, leaves) = (dossiers.clone(), dossiers.clone());
    runner
        .on(RUN, move |run| {
            let dossiers = running.clone();
            async move { dossiers.go_on_with_run(&run).await }
        })
        .on(AGAIN, move |run| {
            let dossiers = again.clone();
            async move { dossiers.run_again(&run).await }
        })
        .on(AWAITED, move |run| {
            let dossiers = awaited.clone();
            async move { dossiers.look_at_awaited(&run).await }
        })
        .on(DUE, move |run| {
            let dossiers = due.clone();
            async move { dossiers.proposal_is_due(&run).await }
        })
        .on(LEAVES, move |run| {
            let dossiers = leaves.clone();
            async move { dossiers.keep_proposal_leaves(&run).await }
        })
}

/// Notes that the draft of a proposal became a dossier, in the transaction that files it.
pub(crate) async fn taken_up(tx: &Tx, (draft, code): (Uuid, &str), actor: &ActorRef, now: Timestamp) -> Result<()> {
    let Some(row) = tables::by_draft(tx, draft).await? else {
        return Ok(());
    };
    let mut proposal = fold(&row, &tables::log(tx, ProposalId::from_uuid(row.id)).await?)?;
    let step = Step::TakenUp {
        dossier: code.to_owned(),
    };
    if proposal.judge(&step, now).is_ok() {
        let entry = entry(&proposal, actor.clone(), step, now);
        write(tx, &mut proposal, &entry).await?;
    }
    Ok(())
}

fn fold(row: &tables::ProposalRow, log: &[Entry]) -> Result<Proposal> {
    Proposal::fold(ProposalId::from_uuid(row.id), row.acts, log)
}

fn entry(proposal: &Proposal, actor: ActorRef, step: Step, now: Timestamp) -> Entry {
    Entry {
        seq: proposal.version + 1,
        at: now,
        actor,
        step,
    }
}

/// Applies an entry and writes it with all that follows; false where somebody else was faster.
async fn write(tx: &Tx, proposal: &mut Proposal, entry: &Entry) -> Result<bool> {
    let from = proposal.version;
    proposal.apply(entry)?;
    if !tables::advance(tx, proposal, from, entry).await? {
        return Ok(false);
    }
    let (rule, procedure) = (&proposal.made.rule.0, &proposal.made.procedure);
    if let Some(what) = counted(&entry.step) {
        tables::count(tx, (rule, procedure), entry.at, what).await?;
    }
    tx.enqueue(acting::leaves_job()?, entry.at).await?;
    if let Step::Acted { restore_until } = entry.step {
        let told = notices::told_of(tx, proposal.id.uuid()).await?;
        tell(
            tx,
            proposal.id,
            &told,
            (NoticeKind::DoneForYou, Some(restore_until)),
            entry.at,
        )
        .await?;
    }
    if matches!(entry.step, Step::Restored | Step::Settled { .. }) {
        let told = notices::told_of(tx, proposal.id.uuid()).await?;
        tell(tx, proposal.id, &told, (NoticeKind::PutRight, None), entry.at).await?;
    }
    if matches!(
        entry.step,
        Step::ActBegun { .. } | Step::RestoreAsked | Step::TakeBackAgain
    ) {
        tx.enqueue(acting::due_job(proposal.id, entry.at)?, entry.at).await?;
    }
    Ok(true)
}

/// Tells accounts something about a proposal, each once; never what it is about.
async fn tell(
    tx: &Tx,
    id: ProposalId,
    accounts: &[Uuid],
    (kind, named_at): (NoticeKind, Option<Timestamp>),
    at: Timestamp,
) -> Result<()> {
    for (cause, account) in (0..).zip(accounts) {
        let notice = notices::New {
            dossier: DossierId::from_uuid(id.uuid()),
            code: "",
            account: *account,
            kind,
            cause,
            at,
            named_at,
        };
        notices::tell(tx, notice).await?;
    }
    Ok(())
}

/// Under which name a step is counted.
const fn counted(step: &Step) -> Option<&'static str> {
    Some(match step {
        Step::Proposed(_) => "proposed",
        Step::Seen => "seen",
        Step::TakenUp { .. } => "taken-up",
        Step::Declined => "declined",
        Step::NotWanted => "not-wanted",
        Step::Expired => "expired",
        Step::Overtaken { .. } => "overtaken",
        Step::Acted { .. } => "acted",
        Step::Failed | Step::Stuck => "failed",
        Step::Restored => "restored",
        Step::Opened { .. }
        | Step::ActBegun { .. }
        | Step::Wrote { .. }
        | Step::RestoreAsked
        | Step::TakeBackAgain
        | Step::Settled { .. } => return None,
    })
}

impl Dossiers {
    /// A proposal with its row.
    async fn proposal(&self, id: ProposalId) -> Result<(tables::ProposalRow, Proposal)> {
        let row = tables::by_id(&self.store().read(), id).await?.ok_or_else(no_proposal)?;
        let log = tables::log(&self.store().read(), id).await?;
        let proposal = fold(&row, &log)?;
        Ok((row, proposal))
    }

    /// Lets one step of a proposal happen, judged on its present state.
    async fn step(&self, ctx: &Ctx, id: ProposalId, step: &Step) -> Result<Proposal> {
        self.step_with(ctx, id, step, None).await
    }

    /// As [`Dossiers::step`], with the sealed values of an act that begins.
    async fn step_with(&self, ctx: &Ctx, id: ProposalId, step: &Step, plans: Option<&[u8]>) -> Result<Proposal> {
        for _ in 0..TRIES {
            let (_, before) = self.proposal(id).await?;
            before.judge(step, ctx.now)?;
            let entry = entry(&before, ActorRef::from(ctx), step.clone(), ctx.now);
            let moved = transact!(self.store(), |tx| {
                let mut proposal = before.clone();
                let moved = write(&tx, &mut proposal, &entry).await?;
                if let Some(plans) = plans {
                    tables::keep_plans(&tx, id, plans).await?;
                }
                Ok(moved.then_some(proposal))
            })?;
            if let Some(proposal) = moved {
                return Ok(proposal);
            }
        }
        Err(busy())
    }

    /// By whom the question of a rule is asked: the agency that proposes.
    fn asker(&self, rule: &Rule) -> Result<Asker> {
        let agency = self.proposing_agency(&rule.procedure)?.to_string();
        Ok(Asker {
            client: self.agency_name(&agency).to_owned(),
            purpose: rule.question.purpose.as_str().to_owned(),
            dossier: None,
        })
    }

    /// The personal number that was sealed for a proposal or a run.
    fn unsealed(&self, sealed: &[u8]) -> Result<String> {
        let proposing = self.proposing().ok_or_else(no_proposal)?;
        let number = proposing.sealer.open(SEALED, sealed)?;
        String::from_utf8(number).map_err(Error::internal)
    }

    fn sealed(&self, number: &str) -> Result<Vec<u8>> {
        let proposing = self.proposing().ok_or_else(no_proposal)?;
        proposing
            .sealer
            .seal(self.identity().entropy(), SEALED, number.as_bytes())
    }
}

/// The place for which numbers are sealed.
const SEALED: &str = "proposal/subject";

fn no_proposal() -> Error {
    Error::not_found("đề xuất này", "proposal")
}

fn busy() -> Error {
    Error::refused(
        Kind::Conflict,
        "busy",
        "Đề xuất này đang được xử lý; thao tác chưa được ghi. Vui lòng thử lại.",
        "This proposal is being worked on; nothing was stored. Please try again.",
    )
}

/// A job of one of these kinds.
fn job(kind: &str, payload: &impl serde::Serialize, at: Timestamp) -> Result<Job> {
    Ok(Job::new(kind, payload)?.at(at))
}
