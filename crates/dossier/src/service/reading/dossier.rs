//! One dossier, whole, and its files.

use std::sync::Arc;

use base::{
    Error, Kind, Result, Text, Timestamp,
    deadline::{Due, Status},
};
use identity::{Actor, Ctx, DataRead, Permission, Purpose, Scope};
use procedure::{
    form::SummarySection,
    package::Package,
    process::{UserTask, WhereNow},
};
use registry::contest::Standing;

use super::{
    super::{
        Dossiers,
        handling::{no_dossier, permission_of},
        once::{self, Check, Outcome},
        writing::{WriteView, waiting, writes},
    },
    HistoryLine,
    history::lines,
    queue::soon_after,
    why,
};
use crate::{
    consult::QuestionView,
    model::{
        action::{DocumentKind, DossierId},
        foresight::{self, Limits, Outlook},
        state::{OpenTask, State},
    },
    store::{self as tables, Kept, lists},
};

/// An open step as its officer sees it.
#[derive(Debug, Clone)]
pub struct TaskView {
    /// The step.
    pub open: OpenTask,
    /// Its name.
    pub name: Text,
    /// Its definition: outcomes, fields, help.
    pub task: UserTask,
    /// Whether the reader may do it now.
    pub allowed: bool,
    /// Whether the reader has taken it.
    pub mine: bool,
    /// By when it must be done for what follows to fit before the dossier is due; none while no time limit runs.
    pub finish_by: Option<Timestamp>,
    /// How it stands.
    pub outlook: Outlook,
}

/// A whole dossier.
#[derive(Debug, Clone)]
pub struct DossierView {
    /// Id.
    pub id: DossierId,
    /// State.
    pub state: State,
    /// Its procedure version.
    pub package: Arc<Package>,
    /// Its time limit.
    pub due: Option<Due>,
    /// How it stands against the time limit now.
    pub standing: Option<Status>,
    /// Why this date, line by line.
    pub why: Vec<(Text, Option<Text>)>,
    /// Open steps.
    pub tasks: Vec<TaskView>,
    /// Answers as people read them.
    pub answers: Vec<SummarySection>,
    /// What was typed although a registry holds it, beside what that registry says.
    pub checks: Vec<Check>,
    /// What the applicant contests of what registries hold, and how that stands.
    pub contested: Vec<Standing>,
    /// What registries are told of the decision, once it has come so far.
    pub writes: Vec<WriteView>,
    /// The task in which a registry is being told that has not answered; its token.
    pub waiting: Option<u32>,
    /// The history.
    pub history: Vec<HistoryLine>,
    /// Where the process stands.
    pub here: WhereNow,
    /// How questions to other nodes stand on their way; for whoever handles the dossier.
    pub questions: Vec<QuestionView>,
    /// Whether the reader handles the dossier, and so sees what officers wrote among themselves.
    pub officer: bool,
}

/// A file of a dossier.
#[derive(Debug, Clone)]
pub struct StoredFile {
    /// Code of the dossier.
    pub dossier: String,
    /// The name that the applicant gave it, or the number of the document.
    pub name: String,
    /// Media type.
    pub media_type: String,
    /// Which document it is, if it is one.
    pub document: Option<DocumentKind>,
    /// Its bytes.
    pub content: bytes::Bytes,
}

impl Dossiers {
    /// A whole dossier for its applicant or for an officer who handles it.
    ///
    /// # Errors
    /// `NotFound` also where the reader may not know that it exists.
    pub async fn get(&self, ctx: &Ctx, id: DossierId, purpose: Purpose) -> Result<DossierView> {
        let kept = tables::by_id(&self.store().read(), id).await?.ok_or_else(no_dossier)?;
        self.view(ctx, kept, purpose).await
    }

    /// As [`Dossiers::get`], by code.
    ///
    /// # Errors
    /// `NotFound` also where the reader may not know that it exists.
    pub async fn get_by_code(&self, ctx: &Ctx, code: &str, purpose: Purpose) -> Result<DossierView> {
        let kept = tables::by_code(&self.store().read(), code)
            .await?
            .ok_or_else(no_dossier)?;
        self.view(ctx, kept, purpose).await
    }

    async fn view(&self, ctx: &Ctx, kept: Kept, purpose: Purpose) -> Result<DossierView> {
        let Kept { id, state, package } = kept;
        let officer = self.permit_reading(ctx, id, &state).await?;
        if let Some(subject) = &state.applicant.claims.person_number {
            let read = DataRead {
                subject,
                dossier: Some(&state.code),
                purpose,
                what: "Tờ khai, giấy tờ và quá trình giải quyết",
            };
            self.0.identity.access_log().record(ctx, read).await?;
        }
        let package = self.shelf().by_hash(&package).await?;
        let calendar = self.calendar();
        let rules = self.rules(&package, &calendar);
        let on = state.submitted_at.legal_date();
        let form_ctx = rules.informed(&state.applicant, state.channel, on, &state.facts);
        let journey = package.form.journey(&state.answers, &form_ctx);
        let answers = package.form.summary(&journey, &form_ctx, ctx.lang);
        let mut checks = once::checks(&package.form, &journey, &state, |field, value| {
            procedure::form::display(&field.kind, value, &form_ctx, ctx.lang)
        });
        // Where no registry can be asked, nothing waits for one.
        checks.retain(|check| check.outcome != Outcome::Open || self.0.lookup.get().is_some());
        let log = tables::log(&self.store().read(), id).await?;
        let history = lines(&log, &state, &package)
            .into_iter()
            .filter(|l| officer || !l.internal)
            .collect();
        let due = state.due(&calendar);
        let due_at = state.due_at(&calendar);
        let finish = foresight::all(&state, due_at, rules);
        let soon = soon_after(ctx.now, &calendar);
        let tasks = state
            .tasks
            .iter()
            .filter_map(|open| {
                let (node, task) = package.process.task(&open.node)?;
                let scope = Scope::Agency(self.task_agency(&state, open));
                let me = ctx.officer().ok().map(|o| o.officer.uuid());
                let taken = open.assignee.as_ref().map(|a| a.id);
                let allowed = ctx.may(permission_of(&open.role), &scope) && (taken.is_none() || taken == me);
                let mine = me.is_some() && taken == me;
                let limits = Limits {
                    step: open.due_at,
                    finish_by: finish.iter().find(|(t, _)| *t == open.token).map(|(_, by)| *by),
                    due: due_at,
                };
                Some(TaskView {
                    finish_by: limits.finish_by,
                    outlook: limits.outlook(ctx.now, soon),
                    open: open.clone(),
                    name: node.name.clone(),
                    task: task.clone(),
                    allowed,
                    mine,
                })
            })
            .collect();
        let questions = match officer && !state.consultations.is_empty() {
            true => self.questions_of(id).await?,
            false => Vec::new(),
        };
        let contested = match state.facts.doubts.is_empty() {
            true => Vec::new(),
            false => self.contested_in(ctx, &state.code).await?,
        };
        Ok(DossierView {
            id,
            questions,
            contested,
            due,
            standing: due.map(|d| d.status_at(ctx.now, &calendar)),
            why: why(&state, &calendar),
            tasks,
            answers,
            checks,
            writes: writes(&package, &state, ctx.now.legal_date()),
            waiting: waiting(&package, &state, ctx.now.legal_date()),
            history,
            here: state.process.where_now(),
            officer,
            package: Arc::clone(&package),
            state,
        })
    }

    /// A file of the dossier with this code: one that was handed in, a document that was made, or, for officers, one that came
    /// with an opinion.
    ///
    /// # Errors
    /// `NotFound` where there is none or it is not for the reader.
    pub async fn file_content(&self, ctx: &Ctx, code: &str, sha256: &str, purpose: Purpose) -> Result<StoredFile> {
        let kept = tables::by_code(&self.store().read(), code).await?;
        let Kept { id, state, .. } = kept.ok_or_else(no_dossier)?;
        let officer = self.permit_reading(ctx, id, &state).await?;
        let papers = state.papers.iter().flat_map(|p| &p.files);
        // What other agencies sent is for those who handle the dossier.
        let opinions = state.consultations.iter().flat_map(|c| c.files()).filter(|_| officer);
        let file = papers.chain(opinions).find(|f| f.sha256 == sha256);
        let document = state.documents.iter().find(|d| d.sha256 == sha256);
        let (name, media_type) = match (file, document) {
            (_, Some(document)) => (document.number.clone(), "application/pdf".to_owned()),
            (Some(file), None) => (file.name.clone(), file.media_type.clone()),
            (None, None) => return Err(no_dossier()),
        };
        if let Some(subject) = &state.applicant.claims.person_number {
            let read = DataRead {
                subject,
                dossier: Some(&state.code),
                purpose,
                what: "Tệp trong hồ sơ",
            };
            self.0.identity.access_log().record(ctx, read).await?;
        }
        let content = self.store().blobs().get(sha256).await?;
        Ok(StoredFile {
            dossier: state.code.clone(),
            name,
            media_type,
            document: document.map(|d| d.kind),
            content,
        })
    }

    /// Whether the actor handles the dossier as an officer; refuses whoever may not read it at all.
    pub(in crate::service) async fn permit_reading(&self, ctx: &Ctx, id: DossierId, state: &State) -> Result<bool> {
        if ctx.may(Permission::ReadAgencyDossiers, &Scope::Agency(state.agency.clone())) {
            return Ok(true);
        }
        if let Some(account) = state.applicant.account
            && ctx.may(
                Permission::ReadOwnDossier,
                &Scope::Account(identity::AccountId::from_uuid(account)),
            )
        {
            return Ok(false);
        }
        if let Actor::Officer(officer) = &ctx.actor {
            let agency = Scope::Agency(officer.agency.clone());
            if ctx.may(Permission::AnswerConsultation, &agency)
                && lists::was_consulted(&self.store().read(), id.uuid(), &officer.agency).await?
            {
                return Ok(true);
            }
        }
        match ctx.actor {
            Actor::Anonymous => Err(Error::refused(
                Kind::Unauthenticated,
                "sign-in",
                "Vui lòng đăng nhập để tiếp tục.",
                "Please sign in to continue.",
            )),
            _ => Err(no_dossier()),
        }
    }
}
