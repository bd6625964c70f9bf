//! "Ask about this read": a question of a person to the agency that read, with a clock.

use ::store::transact;
use base::{Error, Id, Kind, Problems, Result, Timestamp};
use identity::{Ctx, Permission, Scope};
use jiff::civil::Time;
use uuid::Uuid;

use super::{
    super::{
        Journal, LeafId,
        store::{self as tables, QuestionRow},
    },
    between::Errand,
};
use crate::model::identifier::MemberId;

/// The longest question or answer, in characters.
const LONGEST: usize = 2000;
/// Questions of one page.
const PAGE: i64 = 50;

/// How far a question is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuestionState {
    /// The agency has to answer.
    Asked,
    /// It has.
    Answered,
    /// The person is content, or no longer wants to know.
    Closed,
}

impl QuestionState {
    /// The name for programs, as stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Answered => "answered",
            Self::Closed => "closed",
        }
    }

    /// Reads [`Self::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Asked, Self::Answered, Self::Closed]
            .into_iter()
            .find(|state| state.code() == code)
    }
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Identifier.
    pub id: Uuid,
    /// The leaf of the read, if it is in the log of this node.
    pub leaf: Option<LeafId>,
    /// `X-Road-Request-Id` of the read.
    pub request: Uuid,
    /// What was read.
    pub service: String,
    /// Who asks.
    pub asker: String,
    /// The agency of this node that has to answer; blank where another node has to.
    pub agency: String,
    /// What is asked.
    pub text: String,
    /// When.
    pub asked: Timestamp,
    /// The end of the last day for the answer.
    pub due: Timestamp,
    /// How far it is.
    pub state: QuestionState,
    /// The answer, when it came, and from whom.
    pub answer: Option<(String, Timestamp, String)>,
}

impl Question {
    /// Whether the time for the answer is over and there is none.
    pub fn is_late(&self, now: Timestamp) -> bool {
        self.state == QuestionState::Asked && now > self.due
    }
}

impl From<QuestionRow> for Question {
    fn from(row: QuestionRow) -> Self {
        let answered = row.answered_at.map(Timestamp::from_micros);
        Self {
            id: row.id,
            leaf: row.leaf.map(LeafId::of_key),
            request: row.request_id,
            service: row.service,
            asker: row.asker,
            agency: row.agency,
            text: row.text,
            asked: Timestamp::from_micros(row.asked_at),
            due: Timestamp::from_micros(row.due_at),
            state: QuestionState::from_code(&row.state).unwrap_or(QuestionState::Closed),
            answer: row
                .answer
                .zip(answered)
                .map(|(text, at)| (text, at, row.answered_by.unwrap_or_default())),
        }
    }
}

impl Journal {
    /// Asks about a read of the signed-in person's data through the exchange. The question goes to the agency that read: on this
    /// node, or through the exchange to its own, without the person's name. If that one takes no questions, it goes to the
    /// agency that runs this node and gave the data.
    ///
    /// # Errors
    /// `NotFound` for a read that is not theirs to see; `Invalid` for a text that is blank or too long; `Conflict` when they
    /// have asked about it.
    pub async fn ask(&self, ctx: &Ctx, leaf: impl Into<LeafId>, text: &str) -> Result<Uuid> {
        let (person, _) = self.person(ctx)?;
        let read = self.my_read(ctx, leaf.into()).await?;
        let text = sound(text)?;
        let reader = read.member.parse::<MemberId>().ok();
        let passed_on = reader.as_ref().is_some_and(|reader| self.passes_on_to(reader));
        let agency = match &reader {
            _ if passed_on => "",
            Some(reader) => self.0.config.agency_of(reader),
            None => &self.0.config.agency,
        };
        let row = QuestionRow {
            id: Id::<Question>::new(ctx.now).uuid(),
            leaf: Some(read.leaf),
            account: Some(person.account.uuid()),
            asker: person.name.clone(),
            agency: agency.to_owned(),
            member: read.member,
            request_id: read.request_id,
            service: read.service,
            text,
            asked_at: ctx.now.micros(),
            due_at: self.answer_due(ctx.now).micros(),
            state: QuestionState::Asked.code().to_owned(),
            answer: None,
            answered_at: None,
            answered_by: None,
            closed_at: None,
        };
        transact!(self.0.store, |tx| {
            if tables::add_question(&tx, &row).await? {
                if passed_on {
                    tx.enqueue(Errand::Ask(row.id).job()?, ctx.now).await?;
                }
                return Ok(row.id);
            }
            Err(Error::refused(
                Kind::Conflict,
                "asked-already",
                "Quý vị đã hỏi về lượt xem này.",
                "You have asked about this read.",
            ))
        })
    }

    /// The end of the last working day for an answer to a question of now.
    fn answer_due(&self, now: Timestamp) -> Timestamp {
        let calendar = &self.0.calendar;
        let last = calendar.add_working_days(now.legal_date(), self.0.config.answer_days);
        let end = calendar.end_of_work(last);
        end.unwrap_or_else(|| Timestamp::from_legal(last.to_datetime(Time::constant(23, 59, 59, 0))))
    }

    /// The questions to an agency that are in one state, the most urgent first, and where the next page starts.
    ///
    /// # Errors
    /// `Forbidden` to all but officers of that agency who answer ([`Permission::AnswerConsultation`]).
    pub async fn questions(
        &self,
        ctx: &Ctx,
        state: QuestionState,
        after: Option<(i64, Uuid)>,
    ) -> Result<(Vec<Question>, Option<(i64, Uuid)>)> {
        let agency = answering_agency(ctx)?;
        let mut rows = tables::questions_to(&self.0.store.read(), agency, state, after, PAGE + 1).await?;
        let more = rows.len() > PAGE as usize;
        rows.truncate(PAGE as usize);
        let next = more.then(|| rows.last().map(|row| (row.due_at, row.id))).flatten();
        Ok((rows.into_iter().map(Question::from).collect(), next))
    }

    /// Answers a question to the officer's agency. Once: what a person was told is not changed afterwards.
    ///
    /// # Errors
    /// `NotFound` for a question to another agency; `Invalid` for a text that is blank or too long; `Conflict` when it is
    /// answered or closed.
    pub async fn answer_question(&self, ctx: &Ctx, id: Uuid, text: &str) -> Result<()> {
        let question = self.question_to(ctx, id).await?;
        let text = sound(text)?;
        let by = ctx.officer()?.title.clone();
        transact!(self.0.store, |tx| {
            if tables::answer_question(&tx, question.id, &text, &by, ctx.now).await? {
                if question.leaf.is_none() {
                    tx.enqueue(Errand::Answer(question.id).job()?, ctx.now).await?;
                }
                return Ok(());
            }
            Err(Error::refused(
                Kind::Conflict,
                "question-answered",
                "Câu hỏi này đã được trả lời hoặc đã khép lại.",
                "This question is answered or closed.",
            ))
        })
    }

    /// A question to the officer's agency.
    async fn question_to(&self, ctx: &Ctx, id: Uuid) -> Result<Question> {
        let agency = answering_agency(ctx)?;
        let row = tables::question(&self.0.store.read(), id).await?;
        let row = row.filter(|row| row.agency == agency);
        row.map(Question::from)
            .ok_or_else(|| Error::not_found("câu hỏi này", "question"))
    }

    /// Closes a question of one's own.
    ///
    /// # Errors
    /// `NotFound` for somebody else's; `Conflict` when it is closed.
    pub async fn close_question(&self, ctx: &Ctx, id: Uuid) -> Result<()> {
        let (person, _) = self.person(ctx)?;
        let row = tables::question(&self.0.store.read(), id).await?;
        let own = row.is_some_and(|row| row.account == Some(person.account.uuid()));
        if !own {
            return Err(Error::not_found("câu hỏi này", "question"));
        }
        transact!(self.0.store, |tx| {
            if tables::close_question(&tx, id, ctx.now).await? {
                return Ok(());
            }
            Err(Error::refused(
                Kind::Conflict,
                "question-closed",
                "Câu hỏi này đã khép lại.",
                "This question is closed.",
            ))
        })
    }
}

/// The agency of an officer who answers for it.
fn answering_agency(ctx: &Ctx) -> Result<&str> {
    let officer = ctx.officer()?;
    ctx.require(Permission::AnswerConsultation, &Scope::Agency(officer.agency.clone()))?;
    Ok(&officer.agency)
}

pub(super) fn sound(text: &str) -> Result<String> {
    let text = text.trim().replace("\r\n", "\n");
    let bad = |c: char| c.is_control() && c != '\n' && c != '\t';
    if !text.is_empty() && text.chars().count() <= LONGEST && !text.chars().any(bad) {
        return Ok(text);
    }
    let mut problems = Problems::new();
    problems.add(
        "question-text",
        "text",
        "Viết nội dung, tối đa 2.000 ký tự.",
        "Write a text of 2,000 characters at most.",
    );
    Err(Error::Refused(Kind::Invalid, problems))
}
