//! Handling: one command on one dossier, judged on its present state, with one effect.

use base::{Error, Kind, Problems, Result, Timestamp};
use identity::{Actor, Ctx, Permission, Scope};
use procedure::form::Answers;
use serde::Serialize;
use store::{Job, transact};

use super::{Dossiers, FilingPaper};
use crate::{
    consult,
    model::{
        action::{Action, ActorRef, DossierId, Entry},
        command::{Command, decide},
        foresight, fresh,
        state::{Consequences, State},
        status::NationalStatus,
    },
    store::{self as tables, Kept, Listed},
};

/// How often a command is judged anew when somebody else was faster.
const TRIES: usize = 8;

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Done {
    /// The dossier's version now.
    pub version: i64,
    /// Its status now.
    pub status: NationalStatus,
    /// When it is due now.
    pub due_at: Option<Timestamp>,
}

impl Dossiers {
    /// Carries out a command. `expected` is the version that the caller looked at; where it is given and what the caller
    /// judged has changed since (see [`fresh`]), the caller is told what happened.
    ///
    /// # Errors
    /// Not permitted, refused with every problem, or [`Kind::Stale`] / [`Kind::Conflict`] where somebody else was faster.
    pub async fn command(&self, ctx: &Ctx, id: DossierId, command: &Command, expected: Option<i64>) -> Result<Done> {
        for _ in 0..TRIES {
            let kept = tables::by_id(&self.store().read(), id).await?.ok_or_else(no_dossier)?;
            self.permit(ctx, &kept.state, command)?;
            if let Some(seen) = expected.filter(|seen| *seen != kept.state.version) {
                let since = tables::log_after(&self.store().read(), id, seen).await?;
                let by = ActorRef::from(ctx);
                if fresh::is_late(command, &by, &kept.state, seen, &since) {
                    return Err(moved_on(&since, &by));
                }
            }
            if let Some(done) = self.try_command(ctx, kept, command).await? {
                return Ok(done);
            }
        }
        Err(Error::refused(
            Kind::Conflict,
            "busy",
            "Nhiều người đang xử lý hồ sơ này cùng lúc; thao tác chưa được ghi. Vui lòng thử lại.",
            "Several people are working on this dossier; nothing was stored. Please try again.",
        ))
    }

    /// Answers the open request for papers with answers and finished uploads of the caller.
    ///
    /// # Errors
    /// As [`Dossiers::command`]; every upload that is not whole or not the caller's.
    pub async fn supplement(
        &self,
        ctx: &Ctx,
        id: DossierId,
        answers: Answers,
        papers: &[FilingPaper],
        expected: Option<i64>,
    ) -> Result<Done> {
        let owner = super::drafts::upload_owner(ctx)?;
        let found = tables::by_id(&self.store().read(), id).await?.ok_or_else(no_dossier)?;
        self.permit_for_applicant(ctx, &found.state)?;
        let package = self.shelf().by_hash(&found.package).await?;
        let mut problems = Problems::new();
        let kept = self.handed_in(&owner, papers, &package, &mut problems).await?;
        problems.into_result()?;
        self.command(ctx, id, &Command::Supplement { answers, papers: kept }, expected)
            .await
    }

    /// One try; `None` when somebody else was faster.
    async fn try_command(&self, ctx: &Ctx, kept: Kept, command: &Command) -> Result<Option<Done>> {
        let Kept { id, mut state, package } = kept;
        let package = self.shelf().by_hash(&package).await?;
        let calendar = self.calendar();
        let rules = self.rules(&package, &calendar);
        let from = state.version;
        let due_before = state.due_at(&calendar);
        let action = decide(&state, command, rules, ctx.now)?;
        let assigned = match &action {
            Action::Assigned { token, officer } => Some((*token, officer.clone())),
            _ => None,
        };
        let entry = Entry {
            seq: from + 1,
            at: ctx.now,
            actor: ActorRef::from(ctx),
            request_id: ctx.request_id,
            action,
        };
        let after = state.apply(&entry, rules)?;
        let due_at = state.due_at(&calendar);
        let mut jobs = self.jobs_after(id, &state, &after, entry.seq)?;
        jobs.extend(super::finding_out::orders(id, &entry.action)?);
        let finish = foresight::all(&state, due_at, rules);
        let listed = Listed {
            id,
            state: &state,
            field: &package.meta.field,
            due_at,
            finish: &finish,
        };
        let entries = [entry];
        let questions = self.new_questions(&state, &after, rules, ctx.now);
        let consultations = tables::consultations_sent(&listed, &after, |a| self.consulted_agency(a));
        transact!(self.store(), |tx| {
            if !tables::update(&tx, &listed, from).await? {
                return Ok(None);
            }
            tables::append(&tx, id, &entries).await?;
            tables::follow_tasks(&tx, &listed, &after, |task| self.task_agency(&state, task)).await?;
            if due_at != due_before {
                tables::follow_due(&tx, &listed, &after).await?;
            }
            if let Some((token, officer)) = &assigned {
                tables::assign(&tx, id, *token, officer.as_ref().map(|o| (o.id, o.name.as_str()))).await?;
            }
            tables::send_consultations(&tx, &consultations).await?;
            tables::end_consultations(&tx, id, &after, ctx.now).await?;
            consult::sent(&tx, id, &questions, ctx.now).await?;
            consult::ended(&tx, id, &state, &after, ctx.now).await?;
            for token in &after.timers_cleared {
                tx.cancel_job(&timer_key(id, *token)).await?;
            }
            tx.enqueue_all(&jobs, ctx.now).await?;
            Ok(Some(Done {
                version: state.version,
                status: state.national(),
                due_at,
            }))
        })
    }

    /// The jobs that an entry calls for: timers, services, documents, figures.
    pub(super) fn jobs_after(&self, id: DossierId, state: &State, after: &Consequences, seq: i64) -> Result<Vec<Job>> {
        let mut jobs = Vec::new();
        for timer in &after.timers_set {
            let payload = super::jobs::TimerJob {
                dossier: id,
                token: timer.token,
            };
            jobs.push(
                Job::new(super::jobs::TIMER, &payload)?
                    .at(timer.due)
                    .key(timer_key(id, timer.token)),
            );
        }
        for (token, service) in &after.services {
            let payload = super::jobs::ServiceJob {
                dossier: id,
                token: *token,
                service: service.clone(),
                tries: 0,
                unheard: None,
            };
            jobs.push(Job::new(super::jobs::SERVICE, &payload)?);
        }
        for (kind, cause) in &after.documents {
            let payload = super::jobs::DocumentJob {
                dossier: id,
                kind: *kind,
                cause: *cause,
            };
            jobs.push(Job::new(super::jobs::DOCUMENT, &payload)?);
        }
        if seq == 1 && self.0.lookup.get().is_some() && state.unverified().next().is_some() {
            jobs.push(super::once::verify_later(id, 0, state.submitted_at)?);
        }
        jobs.push(Job::new(
            super::jobs::CHANGED,
            &super::jobs::Changed { dossier: id, seq },
        )?);
        // Whoever files is told by the page that they filed; those without an account are told at the counter.
        if seq > 1 && state.applicant.account.is_some() {
            let changed = super::jobs::Changed { dossier: id, seq };
            jobs.push(Job::new(super::notices::NOTICE, &changed)?);
        }
        debug_assert!(state.version >= seq);
        Ok(jobs)
    }

    /// Who may do what: the role of the open step decides, in the agency of the step.
    fn permit(&self, ctx: &Ctx, state: &State, command: &Command) -> Result<()> {
        let agency = Scope::Agency(state.agency.clone());
        match command {
            Command::Complete(completion) => {
                let Some(task) = state.task(completion.token) else {
                    // Which step it was is not known any more; whoever handles dossiers here may learn that it is closed.
                    return any_of(ctx, &[Permission::ReadAgencyDossiers], &agency);
                };
                ctx.require(permission_of(&task.role), &Scope::Agency(self.task_agency(state, task)))?;
                self.require_own_step(ctx, task)
            }
            Command::Assign { token, .. } => {
                let Some(task) = state.task(*token) else {
                    return any_of(ctx, &[Permission::ReadAgencyDossiers], &agency);
                };
                let scope = Scope::Agency(self.task_agency(state, task));
                any_of(ctx, &[permission_of(&task.role), Permission::DecideDossier], &scope)
            }
            Command::Supplement { .. } | Command::Withdraw { .. } => self.permit_for_applicant(ctx, state),
            Command::AnswerConsultation(given) => self.permit_opinion(ctx, state, given),
            Command::RecordPayment { .. } | Command::WaiveFee { .. } => {
                ctx.require(Permission::ReceiveDossier, &agency)
            }
            Command::Note { .. } => any_of(
                ctx,
                &[
                    Permission::ReceiveDossier,
                    Permission::ProcessDossier,
                    Permission::DecideDossier,
                ],
                &agency,
            ),
            Command::EndWait { .. } | Command::Reappoint { .. } => {
                any_of(ctx, &[Permission::ProcessDossier, Permission::DecideDossier], &agency)
            }
            Command::Stop { .. } => ctx.require(Permission::DecideDossier, &agency),
            Command::FireTimer { .. }
            | Command::FinishService { .. }
            | Command::TakeFacts { .. }
            | Command::TakeWrote { .. } => match ctx.actor {
                Actor::System(_) => Ok(()),
                _ => Err(Error::forbidden()),
            },
        }
    }

    /// Who may act for the applicant: the applicant, or the one-stop shop where they stand at its counter.
    pub(super) fn permit_for_applicant(&self, ctx: &Ctx, state: &State) -> Result<()> {
        match (&ctx.actor, state.applicant.account) {
            (Actor::Officer(_), _) => ctx.require(Permission::ReceiveDossier, &Scope::Agency(state.agency.clone())),
            (_, Some(account)) => ctx.require(
                Permission::ReadOwnDossier,
                &Scope::Account(identity::AccountId::from_uuid(account)),
            ),
            (_, None) => Err(Error::forbidden()),
        }
    }

    /// A step that an officer has taken is theirs until they put it back.
    fn require_own_step(&self, ctx: &Ctx, task: &crate::model::state::OpenTask) -> Result<()> {
        let (Actor::Officer(officer), Some(assignee)) = (&ctx.actor, &task.assignee) else {
            return Ok(());
        };
        if assignee.id == officer.officer.uuid() {
            return Ok(());
        }
        Err(Error::refused(
            Kind::Conflict,
            "taken",
            format!("Bước này đang do {} thực hiện.", assignee.name),
            format!("This step is in the hands of {}.", assignee.name),
        ))
    }
}

/// What happened since, of what the reader may know, for whoever comes too late.
fn moved_on(since: &[Entry], by: &ActorRef) -> Error {
    let (mut vi, mut en) = (String::new(), String::new());
    for entry in since.iter().filter(|e| fresh::counts(e, by)).take(3) {
        let text = super::reading::line_text(&entry.action);
        vi.push_str(&format!(" {} – {}: {}.", entry.at.display(), entry.actor.name, text.vi));
        en.push_str(&format!(" {} – {}: {}.", entry.at.display(), entry.actor.name, text.en));
    }
    Error::refused(
        Kind::Stale,
        "moved-on",
        format!("Hồ sơ đã thay đổi sau khi quý vị mở trang; thao tác chưa được ghi.{vi}"),
        format!("The dossier has changed since you opened the page; nothing was stored.{en}"),
    )
}

/// The permission that a step's symbolic role asks for.
pub(super) fn permission_of(role: &str) -> Permission {
    match role {
        "receptionist" => Permission::ReceiveDossier,
        "leader" => Permission::DecideDossier,
        "consulted" => Permission::AnswerConsultation,
        _ => Permission::ProcessDossier,
    }
}

pub(crate) fn any_of(ctx: &Ctx, permissions: &[Permission], scope: &Scope) -> Result<()> {
    match permissions.iter().any(|p| ctx.may(*p, scope)) {
        true => Ok(()),
        false => permissions
            .first()
            .map_or_else(|| Err(Error::forbidden()), |p| ctx.require(*p, scope)),
    }
}

pub(crate) fn no_dossier() -> Error {
    Error::not_found("hồ sơ", "dossier")
}

fn timer_key(id: DossierId, token: u32) -> String {
    format!("timer/{id}/{token}")
}
