//! The side of the dossier: questions that go out, how they stand, and opinions that come back.

use ::exchange::{Said, model::identifier::SubsystemId};
use base::{Error, Kind, Lang, Problems, Result, Text, Timestamp};
use identity::{Actor, Ctx, DataRead, OfficerActor, OfficerId, Permission, Purpose, Roles, Scope};
use procedure::process::NodeKind;
use store::{
    Job, Tx,
    jobs::{Run, Runner},
    transact,
};

use super::{
    next_try, not_joined, peer,
    store::{self as tables, Outgoing},
    wire::{Ended, Ending, Fact, Named, Office, Opinion, Question, Receipt, SentPaper, VERSION},
};
use crate::{
    model::{
        action::{ConsultationId, DossierId, Respondent},
        command::{self, Command, Elsewhere},
        state::{Answer, Consequences, Consulted, Rules, State},
    },
    service::{Dossiers, StoredFile, any_of, no_dossier, question, silence},
    store::{self as dossiers, uploads},
};

/// A question, or its end, is to be told.
pub(super) const QUESTION: &str = "dossier.question";
/// Who takes opinions into the log, and who sends what is personal to another agency, for the record.
const PLATFORM: &str = "Trục liên thông";

/// How a question stands on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// It is being sent, however often it takes.
    Waiting,
    /// The other node has it, and an officer there sees it.
    Taken,
    /// The other node does not take it.
    Refused,
    /// It has ended, and the other node knows, or need not.
    Closed,
}

impl Delivery {
    const ALL: [Self; 4] = [Self::Waiting, Self::Taken, Self::Refused, Self::Closed];

    /// The name for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Taken => "taken",
            Self::Refused => "refused",
            Self::Closed => "closed",
        }
    }

    pub(super) fn from_code(code: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|delivery| delivery.code() == code);
        known.ok_or_else(|| Error::internal(format!("no delivery: {code}")))
    }

    /// The name for people.
    pub fn label(self) -> Text {
        match self {
            Self::Waiting => Text::new("Đang gửi", "Being sent"),
            Self::Taken => Text::new("Cơ quan được hỏi đã nhận", "Received by the agency"),
            Self::Refused => Text::new("Không được tiếp nhận", "Not taken"),
            Self::Closed => Text::new("Đã kết thúc", "Ended"),
        }
    }
}

/// A question on its way, for whoever handles the dossier.
#[derive(Debug, Clone)]
pub struct QuestionView {
    /// The send task that asked.
    pub sent_by: String,
    /// When.
    pub sent_at: Timestamp,
    /// The system that is asked.
    pub system: SubsystemId,
    /// How it stands.
    pub delivery: Delivery,
    /// Tries so far.
    pub tries: i64,
    /// When it is tried again.
    pub next_at: Option<Timestamp>,
    /// Why it is not there yet, or was not taken.
    pub problems: Problems,
    /// Whether an answer is still waited for.
    pub open: bool,
}

impl From<Outgoing> for QuestionView {
    fn from(row: Outgoing) -> Self {
        Self {
            open: row.ended.is_none(),
            sent_by: row.sent_by,
            sent_at: row.sent_at,
            system: row.system,
            delivery: row.delivery,
            tries: row.tries,
            next_at: row.next_at,
            problems: row.problems,
        }
    }
}

impl Outgoing {
    /// Whether the other node must still hear something.
    fn has_news(&self) -> bool {
        match self.delivery {
            Delivery::Waiting => true,
            Delivery::Taken => self.ended.is_some(),
            Delivery::Refused | Delivery::Closed => false,
        }
    }

    /// Refuses what comes for a consultation that has ended.
    pub(super) fn require_open(&self) -> Result<()> {
        let Some(ended) = self.ended else { return Ok(()) };
        let text = ended.how.text();
        Err(Error::refused(Kind::Conflict, "consultation-ended", text.vi, text.en))
    }
}

/// A question that an entry of the log puts to another node, ready to be written with it.
#[derive(Debug)]
pub(crate) struct NewQuestion {
    id: ConsultationId,
    sent_by: String,
    sent_at: Timestamp,
    system: SubsystemId,
    question: Question,
}

/// Writes new questions and has them sent.
pub(crate) async fn sent(tx: &Tx, dossier: DossierId, new: &[NewQuestion], now: Timestamp) -> Result<()> {
    for n in new {
        tables::ask(tx, n.id, dossier, (&n.sent_by, n.sent_at), &n.system, &n.question).await?;
        tell_at(tx, n.id, now, now).await?;
    }
    Ok(())
}

/// Notes which questions an entry of the log ended, and has the other nodes told.
pub(crate) async fn ended(
    tx: &Tx,
    dossier: DossierId,
    state: &State,
    after: &Consequences,
    now: Timestamp,
) -> Result<()> {
    if after.consultations_ended.is_empty() {
        return Ok(());
    }
    for row in tables::outgoing_of(tx, dossier).await? {
        let asked = of(state, &row);
        let Some(answer) = asked
            .and_then(|asked| asked.answer.as_ref())
            .filter(|_| row.ended.is_none())
        else {
            continue;
        };
        let how = Ending::of(answer);
        // Whoever answered has been told with the receipt of the answer; whoever did not take the question has none.
        let delivery = match row.delivery {
            _ if how == Ending::Answered => Delivery::Closed,
            Delivery::Refused => Delivery::Closed,
            open => open,
        };
        tables::end(tx, row.id, Ended { at: now, how }, delivery).await?;
        uploads::discard_of_opinion(tx, row.id).await?;
        if delivery != Delivery::Closed {
            tell_at(tx, row.id, now, now).await?;
        }
    }
    Ok(())
}

/// The consultation of the dossier that a question is about.
fn of<'a>(state: &'a State, row: &Outgoing) -> Option<&'a Consulted> {
    let mut all = state.consultations.iter();
    all.find(|c| c.sent_by == row.sent_by && c.sent_at == row.sent_at)
}

async fn tell_at(tx: &Tx, id: ConsultationId, at: Timestamp, now: Timestamp) -> Result<()> {
    let job = Job::new(QUESTION, &id)?.key(format!("{QUESTION}/{id}")).at(at);
    tx.enqueue(job, now).await
}

/// Teaches a runner to tell other nodes.
pub(super) fn handlers(runner: Runner, dossiers: &Dossiers) -> Runner {
    let dossiers = dossiers.clone();
    runner.on(QUESTION, move |run| {
        let dossiers = dossiers.clone();
        async move { dossiers.tell_question(&run).await }
    })
}

impl Dossiers {
    /// The questions that an entry puts to other nodes, with what the process lets them see and nothing else.
    pub(crate) fn new_questions(
        &self,
        state: &State,
        after: &Consequences,
        rules: Rules<'_>,
        now: Timestamp,
    ) -> Vec<NewQuestion> {
        let sent = state
            .consultations
            .iter()
            .filter(|c| c.answer.is_none() && c.sent_at == now && after.consultations_sent.contains(&c.sent_by));
        sent.filter_map(|asked| {
            let remote = self.config().consulted.get(&asked.agency)?.remote()?;
            Some(NewQuestion {
                id: ConsultationId::new(now),
                sent_by: asked.sent_by.clone(),
                sent_at: asked.sent_at,
                system: remote.system.clone(),
                question: self.question_to(&remote.agency, asked, state, rules, now),
            })
        })
        .collect()
    }

    fn question_to(
        &self,
        agency: &str,
        asked: &Consulted,
        state: &State,
        rules: Rules<'_>,
        now: Timestamp,
    ) -> Question {
        let package = rules.package;
        let foreseen = match package.process.node(&asked.sent_by).map(|node| &node.kind) {
            Some(NodeKind::Send(send)) => send.shows.as_slice(),
            _ => &[],
        };
        let shows = |id: &str| foreseen.iter().any(|shown| shown == id);
        let form_ctx = rules.context(&state.applicant, state.channel, now.legal_date());
        let journey = package.form.journey(&state.answers, &form_ctx);
        let rows = |lang| {
            let sections = package.form.summary(&journey, &form_ctx, lang);
            sections.into_iter().flat_map(|section| section.rows)
        };
        let facts = rows(Lang::Vi).zip(rows(Lang::En));
        let facts = facts.filter(|(vi, _)| shows(&vi.id) && !vi.value.is_empty());
        let papers = state.papers.iter().filter(|paper| shows(&paper.paper));
        let title = |id: &str| {
            let known = package.form.paper(id);
            known.map_or_else(|| Text::new(id, id), |paper| paper.name.clone())
        };
        let task = package.process.node(&asked.sent_by);
        Question {
            version: VERSION,
            dossier: state.code.clone(),
            procedure: Named {
                code: state.procedure.code.clone(),
                name: state.procedure.name.clone(),
            },
            deciding: Office {
                code: state.agency.clone(),
                name: self.agency_name(&state.agency).to_owned(),
            },
            agency: agency.to_owned(),
            task: task.map(|node| node.name.clone()).unwrap_or_default(),
            question: question(package, &asked.sent_by),
            sent: asked.sent_at,
            due: asked.due_at,
            silence: silence(package, &asked.sent_by),
            facts: facts
                .map(|(vi, en)| Fact {
                    label: Text::new(vi.label, en.label),
                    value: Text::new(vi.value, en.value),
                })
                .collect(),
            papers: papers
                .flat_map(|paper| paper.files.iter().map(|file| (title(&paper.paper), file)))
                .map(|(title, file)| SentPaper {
                    title,
                    name: file.name.clone(),
                    media_type: file.media_type.clone(),
                    size: file.size,
                    sha256: file.sha256.clone(),
                })
                .collect(),
            ended: None,
        }
    }

    /// Tells the other node how a question stands. Never gives up while there is news; what the other node says for good is
    /// noted.
    async fn tell_question(&self, run: &Run) -> Result<()> {
        let id: ConsultationId = run.payload()?;
        let row = tables::outgoing(&self.store().read(), id).await?;
        let Some(row) = row.filter(Outgoing::has_news) else {
            return Ok(());
        };
        let said = match self.exchange() {
            Some(exchange) => {
                self.note_sending(&row, run.now).await?;
                exchange
                    .tell::<Receipt>(&exchange.system, peer::question_request(&row)?)
                    .await
            }
            None => not_joined(),
        };
        let over = row.ended.is_some();
        let (to, next_at, problems) = match said {
            Said::Yes(_) if over => (Delivery::Closed, None, Problems::new()),
            Said::Yes(_) => (Delivery::Taken, None, Problems::new()),
            // What the other node does not have, it need not end.
            Said::No(_, problems) if over => (Delivery::Closed, None, problems),
            Said::No(_, problems) => (Delivery::Refused, None, problems),
            Said::Later(problems) => (row.delivery, Some(next_try(run.now, row.tries)), problems),
        };
        transact!(run.store, |tx| {
            run.done(&tx).await?;
            tables::tried(&tx, id, row.delivery, to, next_at, &problems).await?;
            // What ended while this ran would otherwise be told by nobody.
            match tables::outgoing(&tx, id).await? {
                Some(now_so) if now_so.has_news() => tell_at(&tx, id, next_at.unwrap_or(run.now), run.now).await,
                _ => Ok(()),
            }
        })
    }

    /// Facts about a person go to another agency: the person can see that they did.
    async fn note_sending(&self, row: &Outgoing, now: Timestamp) -> Result<()> {
        if row.tries > 0 || row.ended.is_some() || row.question.facts.is_empty() {
            return Ok(());
        }
        let Some(kept) = dossiers::by_id(&self.store().read(), row.dossier).await? else {
            return Ok(());
        };
        let what = format!("Nội dung hỏi gửi cơ quan {} ({})", row.question.agency, row.system);
        self.note_read(&Ctx::system(PLATFORM, now), &kept.state, &what).await
    }

    async fn note_read(&self, ctx: &Ctx, state: &State, what: &str) -> Result<()> {
        let Some(subject) = &state.applicant.claims.person_number else {
            return Ok(());
        };
        let read = DataRead {
            subject,
            dossier: Some(&state.code),
            purpose: Purpose::Consultation,
            what,
        };
        self.identity().access_log().record(ctx, read).await
    }

    /// How the questions of a dossier stand on their way.
    pub(crate) async fn questions_of(&self, dossier: DossierId) -> Result<Vec<QuestionView>> {
        let rows = tables::outgoing_of(&self.store().read(), dossier).await?;
        Ok(rows.into_iter().map(QuestionView::from).collect())
    }

    /// Sends a question again: one that was refused, or one that waits for its next try.
    ///
    /// # Errors
    /// Neither a specialist nor a leader of the deciding agency; or it is there already, or has ended.
    pub async fn ask_again(&self, ctx: &Ctx, dossier: DossierId, sent_by: &str) -> Result<()> {
        let kept = dossiers::by_id(&self.store().read(), dossier)
            .await?
            .ok_or_else(no_dossier)?;
        let scope = Scope::Agency(kept.state.agency.clone());
        any_of(ctx, &[Permission::ProcessDossier, Permission::DecideDossier], &scope)?;
        let rows = tables::outgoing_of(&self.store().read(), dossier).await?;
        let row = rows.into_iter().rev().find(|row| row.sent_by == sent_by);
        let row = row.ok_or_else(|| Error::not_found("yêu cầu lấy ý kiến", "consultation"))?;
        transact!(self.store(), |tx| {
            if !tables::again(&tx, row.id).await? {
                return Err(Error::refused(
                    Kind::Conflict,
                    "nothing-to-send",
                    "Cơ quan được hỏi đã nhận, hoặc việc lấy ý kiến đã kết thúc; không cần gửi lại.",
                    "The agency has received it, or the consultation has ended; there is nothing to send again.",
                ));
            }
            tell_at(&tx, row.id, ctx.now, ctx.now).await
        })
    }

    /// Who may give an opinion: officers of the agency asked; and where that agency has a node of its own, whoever handles the
    /// dossier may record what came by another way, with the number of the document that says it.
    pub(crate) fn permit_opinion(&self, ctx: &Ctx, state: &State, given: &command::Opinion) -> Result<()> {
        let asked = state.consultations.iter().rev().find(|c| c.sent_by == given.sent_by);
        let asked = asked.ok_or_else(no_dossier)?;
        if given.from.is_some() && !matches!(ctx.actor, Actor::System(_)) {
            return Err(Error::forbidden());
        }
        let agency = Scope::Agency(self.consulted_agency(&asked.agency));
        let own = ctx.require(Permission::AnswerConsultation, &agency);
        if own.is_ok() || !self.is_elsewhere(&asked.agency) {
            return own;
        }
        let deciding = Scope::Agency(state.agency.clone());
        any_of(ctx, &[Permission::ProcessDossier, Permission::DecideDossier], &deciding)?;
        if given.document.trim().is_empty() {
            let mut problems = Problems::new();
            problems.add(
                "required",
                "document",
                "Nhập số văn bản trả lời của cơ quan được hỏi.",
                "Enter the number of the agency's document.",
            );
            return Err(Error::Refused(Kind::Invalid, problems));
        }
        Ok(())
    }

    /// Whether a symbolic agency has a node of its own.
    pub(crate) fn is_elsewhere(&self, symbol: &str) -> bool {
        let consulted = self.config().consulted.get(symbol);
        consulted.is_some_and(|consulted| consulted.remote().is_some())
    }

    /// Takes an opinion from the system that was asked. The same one again changes nothing.
    pub(super) async fn take_opinion(
        &self,
        client: &SubsystemId,
        id: ConsultationId,
        given: &Opinion,
        now: Timestamp,
    ) -> Result<Receipt> {
        given.check()?;
        let row = self.asked_of(client, id).await?;
        // Once more when the dossier moved on between the look and the command.
        for last in [false, true] {
            let kept = dossiers::by_id(&self.store().read(), row.dossier)
                .await?
                .ok_or_else(no_dossier)?;
            let asked = of(&kept.state, &row).ok_or_else(no_question)?;
            match &asked.answer {
                Some(answer) if given.is_given(answer) => return Ok(Receipt::of(false)),
                Some(answer) => return Err(too_late(answer)),
                None => {}
            }
            let command = Command::AnswerConsultation(command::Opinion {
                sent_by: row.sent_by.clone(),
                agrees: given.agrees,
                opinion: given.opinion.clone(),
                document: given.document.clone(),
                dated: given.dated,
                files: self.files_named(row.id, &given.files).await?,
                from: Some(Elsewhere {
                    sent_at: row.sent_at,
                    respondent: Respondent {
                        system: client.clone(),
                        agency: row.question.agency.clone(),
                        name: given.officer.name.clone(),
                        title: given.officer.title.clone(),
                    },
                }),
            });
            match self
                .command(&Ctx::system(PLATFORM, now), row.dossier, &command, None)
                .await
            {
                Ok(_) => return Ok(Receipt::of(false)),
                Err(Error::Refused(Kind::Conflict | Kind::Stale, _)) if !last => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::internal("an opinion was neither taken nor refused"))
    }

    /// A paper of an open question, for the system that was asked. `reader` is the officer who looks, as their node says.
    pub(super) async fn paper_for(
        &self,
        client: &SubsystemId,
        id: ConsultationId,
        sha256: &str,
        (reader, name): (OfficerId, &str),
        now: Timestamp,
    ) -> Result<StoredFile> {
        let row = self.asked_of(client, id).await?;
        let paper = row.question.paper(sha256).ok_or_else(no_paper)?;
        row.require_open()?;
        let kept = dossiers::by_id(&self.store().read(), row.dossier)
            .await?
            .ok_or_else(no_paper)?;
        // An officer without any right here: only for the record.
        let reader = Actor::Officer(OfficerActor {
            officer: reader,
            name: name.to_owned(),
            title: String::new(),
            agency: row.question.agency.clone(),
            roles: Roles::NONE,
        });
        let ctx = Ctx {
            actor: reader,
            ..Ctx::system(PLATFORM, now)
        };
        self.note_read(&ctx, &kept.state, "Tệp trong hồ sơ").await?;
        Ok(StoredFile {
            dossier: row.question.dossier.clone(),
            name: paper.name.clone(),
            media_type: paper.media_type.clone(),
            document: None,
            content: self.store().blobs().get(sha256).await?,
        })
    }

    /// A question, for the system that was asked and nobody else.
    pub(super) async fn asked_of(&self, client: &SubsystemId, id: ConsultationId) -> Result<Outgoing> {
        let row = tables::outgoing(&self.store().read(), id).await?;
        row.filter(|row| row.system == *client).ok_or_else(no_question)
    }
}

fn too_late(answer: &Answer) -> Error {
    let how = Ending::of(answer);
    if how == Ending::Answered {
        return Error::refused(
            Kind::Conflict,
            "answered-otherwise",
            "Quý cơ quan đã trả lời với nội dung khác; ý kiến đã nhận không thay đổi được.",
            "Your agency has answered with another opinion; what was received cannot be changed.",
        );
    }
    let text = how.text();
    Error::refused(
        Kind::Conflict,
        "consultation-ended",
        format!("Ý kiến đến sau khi việc lấy ý kiến đã kết thúc. {}", text.vi),
        format!("The opinion came after the consultation had ended. {}", text.en),
    )
}

fn no_question() -> Error {
    Error::not_found("yêu cầu lấy ý kiến này", "consultation")
}

fn no_paper() -> Error {
    Error::not_found("giấy tờ này trong yêu cầu lấy ý kiến", "paper in the consultation")
}
