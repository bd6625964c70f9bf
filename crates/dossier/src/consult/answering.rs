//! The side that is asked: questions of other nodes to agencies of this one, and what their officers answer.

use std::fmt::Write as _;

use ::exchange::{Said, model::identifier::SubsystemId};
use base::{Calendar, Error, Kind, Problems, Result, Text, Timestamp};
use bytes::Bytes;
use identity::{Ctx, Permission, Role, Scope};
use jiff::civil::Date;
use sha2::{Digest as _, Sha256};
use store::{
    Job, Tx,
    jobs::{Run, Runner},
    transact,
};
use uuid::Uuid;

use super::{
    next_try, not_joined, peer,
    store::{self as tables, Incoming},
    wire::{Ended, Officer, Opinion, Question, Receipt, SentPaper, VERSION},
};
use crate::{
    model::action::{ConsultationId, UploadId},
    service::{Dossiers, Slice, bad_cursor, minutes_left},
    store::uploads,
};

/// An opinion is to be delivered.
pub(super) const OPINION: &str = "dossier.opinion";

/// Questions of a page.
pub(crate) const PAGE: u32 = 20;

/// How a question of another node stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskedState {
    /// An officer is to answer.
    Open,
    /// The opinion is on its way.
    Sending,
    /// The asking node has it.
    Received,
    /// The asking node did not take it.
    Refused,
    /// It ended at the asking node before anybody answered here.
    Ended,
}

impl AskedState {
    const ALL: [Self; 5] = [Self::Open, Self::Sending, Self::Received, Self::Refused, Self::Ended];

    /// The name for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Sending => "sending",
            Self::Received => "received",
            Self::Refused => "refused",
            Self::Ended => "ended",
        }
    }

    pub(super) fn from_code(code: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|state| state.code() == code);
        known.ok_or_else(|| Error::internal(format!("no state of a question: {code}")))
    }

    /// The name for people.
    pub fn label(self) -> Text {
        match self {
            Self::Open => Text::new("Chờ trả lời", "Waiting for an answer"),
            Self::Sending => Text::new("Đang gửi ý kiến", "Opinion being sent"),
            Self::Received => Text::new("Cơ quan hỏi đã nhận ý kiến", "Opinion received"),
            Self::Refused => Text::new("Ý kiến không được nhận", "Opinion not taken"),
            Self::Ended => Text::new("Đã kết thúc, không có ý kiến", "Ended without an opinion"),
        }
    }
}

/// Which questions to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shown {
    /// Those that wait for an answer, the most urgent first.
    #[default]
    Open,
    /// Those that were answered or have ended, the newest first.
    Past,
}

/// A question in a list.
#[derive(Debug, Clone)]
pub struct AskedItem {
    /// Its id at this node.
    pub id: ConsultationId,
    /// The system that asks.
    pub asker: SubsystemId,
    /// The question.
    pub question: Question,
    /// When it came.
    pub received_at: Timestamp,
    /// How it stands.
    pub state: AskedState,
    /// Working minutes left to answer; negative when the time has passed, none without a limit.
    pub minutes_left: Option<i64>,
}

/// A question, whole.
#[derive(Debug, Clone)]
pub struct AskedView {
    /// As in lists.
    pub item: AskedItem,
    /// The opinion that was given here.
    pub opinion: Option<Opinion>,
    /// When it was.
    pub answered_at: Option<Timestamp>,
    /// When it is tried again.
    pub next_at: Option<Timestamp>,
    /// Why it is not there yet, or was not taken.
    pub problems: Problems,
    /// How the consultation ended at the asking node.
    pub ended: Option<Ended>,
}

/// What an officer answers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GivenOpinion {
    /// Whether the agency agrees.
    pub agrees: bool,
    /// In words.
    pub opinion: String,
    /// Number of its document; may be empty.
    pub document: String,
    /// Date of that document.
    pub dated: Option<Date>,
    /// Finished uploads for this question.
    pub files: Vec<UploadId>,
}

/// A paper that was fetched.
#[derive(Debug, Clone)]
pub struct PaperContent {
    /// What is known of it.
    pub paper: SentPaper,
    /// Its bytes, which have the digest.
    pub content: Bytes,
}

/// Teaches a runner to deliver opinions.
pub(super) fn handlers(runner: Runner, dossiers: &Dossiers) -> Runner {
    let dossiers = dossiers.clone();
    runner.on(OPINION, move |run| {
        let dossiers = dossiers.clone();
        async move { dossiers.deliver_opinion(&run).await }
    })
}

async fn deliver_at(tx: &Tx, id: ConsultationId, at: Timestamp, now: Timestamp) -> Result<()> {
    let job = Job::new(OPINION, &id)?.key(format!("{OPINION}/{id}")).at(at);
    tx.enqueue(job, now).await
}

impl Dossiers {
    /// Takes a question, or that it has ended, from the system that asks. The same again changes nothing; an end that comes
    /// before its question keeps the question from opening.
    pub(super) async fn take_question(
        &self,
        asker: &SubsystemId,
        system: &SubsystemId,
        id: ConsultationId,
        question: &Question,
        now: Timestamp,
    ) -> Result<Receipt> {
        question.check()?;
        let mut known = tables::incoming_from(&self.store().read(), asker, id).await?;
        if known.is_none() {
            if question.ended.is_none() {
                self.require_respondent(&question.agency).await?;
            }
            let new = Incoming {
                id: ConsultationId::new(now),
                asker: asker.clone(),
                question_id: id,
                system: system.clone(),
                agency: question.agency.clone(),
                received_at: now,
                urgent_at: tables::urgency(question),
                question: Question {
                    ended: None,
                    ..question.clone()
                },
                ended: question.ended,
                state: match question.ended {
                    Some(_) => AskedState::Ended,
                    None => AskedState::Open,
                },
                opinion: None,
                answered_at: None,
                tries: 0,
                next_at: None,
                problems: Problems::new(),
            };
            if transact!(self.store(), |tx| { tables::receive(&tx, &new).await })? {
                return Ok(Receipt::of(new.ended.is_none()));
            }
            known = tables::incoming_from(&self.store().read(), asker, id).await?;
        }
        let known = known.ok_or_else(|| Error::internal("a question that was neither new nor known"))?;
        if !known.question.asks_the_same(question) {
            return Err(Error::refused(
                Kind::Conflict,
                "question-changed",
                "Yêu cầu lấy ý kiến với mã này đã được nhận với nội dung khác.",
                "A consultation with this id was received with another content.",
            ));
        }
        if let Some(ended) = question.ended {
            transact!(self.store(), |tx| {
                uploads::discard_of_opinion(&tx, known.id).await?;
                tables::close(&tx, known.id, ended).await
            })?;
        }
        Ok(Receipt::of(known.ended.or(question.ended).is_none()))
    }

    /// Somebody here must be able to answer for the agency.
    async fn require_respondent(&self, agency: &str) -> Result<()> {
        match self.identity().roles_in(agency).await? {
            None => Err(Error::refused(
                Kind::NotFound,
                "unknown-agency",
                format!("Nút này không có cơ quan {agency}. Kiểm tra lại mã cơ quan trong cấu hình."),
                format!("This node has no agency {agency}. Check the code in the configuration."),
            )),
            Some(roles) if !roles.has(Role::Consulted) => Err(Error::refused(
                Kind::Conflict,
                "no-officer",
                format!("Cơ quan {agency} chưa có cán bộ được giao trả lời ý kiến tại nút này."),
                format!("The agency {agency} has no officer at this node who answers consultations."),
            )),
            Some(_) => Ok(()),
        }
    }

    /// What other agencies have asked the officer's agency, at most `limit` items.
    ///
    /// # Errors
    /// Not an officer who answers consultations, or a cursor that is not ours.
    pub async fn asked(&self, ctx: &Ctx, shown: Shown, after: Option<&str>, limit: u32) -> Result<Slice<AskedItem>> {
        let agency = &ctx.officer()?.agency;
        ctx.require(Permission::AnswerConsultation, &Scope::Agency(agency.clone()))?;
        let db = self.store().read();
        let mut rows = match shown {
            Shown::Open => {
                let after = after.map(|text| place(text).ok_or_else(bad_cursor)).transpose()?;
                tables::open(&db, agency, after, limit + 1).await?
            }
            Shown::Past => {
                let before = after.map(|text| text.parse::<Uuid>().map_err(|_| bad_cursor()));
                tables::past(&db, agency, before.transpose()?, limit + 1).await?
            }
        };
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| more).map(|row| match shown {
            Shown::Open => format!("{}_{}", row.urgent_at, row.id),
            Shown::Past => row.id.to_string(),
        });
        let calendar = self.calendar();
        let items = rows.into_iter().map(|row| item(row, ctx.now, &calendar)).collect();
        Ok(Slice { items, next })
    }

    /// One question.
    ///
    /// # Errors
    /// `NotFound` also where it is not for the reader's agency.
    pub async fn asked_one(&self, ctx: &Ctx, id: ConsultationId) -> Result<AskedView> {
        let row = self.own_question(ctx, id).await?;
        Ok(AskedView {
            opinion: row.opinion.clone(),
            answered_at: row.answered_at,
            next_at: row.next_at,
            problems: row.problems.clone(),
            ended: row.ended,
            item: item(row, ctx.now, &self.calendar()),
        })
    }

    /// Answers a question; the asking node is told as soon as it can be. The same answer again changes nothing.
    ///
    /// # Errors
    /// Every problem of the answer; or it was answered otherwise, or has ended.
    pub async fn answer_question(&self, ctx: &Ctx, id: ConsultationId, given: &GivenOpinion) -> Result<()> {
        let row = self.own_question(ctx, id).await?;
        let officer = ctx.officer()?;
        let opinion = Opinion {
            version: VERSION,
            agrees: given.agrees,
            opinion: given.opinion.trim().to_owned(),
            document: given.document.trim().to_owned(),
            dated: given.dated,
            officer: Officer {
                name: officer.name.clone(),
                title: officer.title.clone(),
            },
            files: self.gathered(row.id, &given.files).await?,
        };
        opinion.check()?;
        let given = transact!(self.store(), |tx| {
            let given = tables::give(&tx, row.id, &opinion, ctx.now).await?;
            if given {
                deliver_at(&tx, row.id, ctx.now, ctx.now).await?;
            }
            Ok(given)
        })?;
        let row = self.own_question(ctx, id).await?;
        match row.ended {
            _ if given || row.opinion.as_ref() == Some(&opinion) => Ok(()),
            Some(ended) if row.opinion.is_none() => Err(consultation_ended(ended)),
            _ => Err(answered_otherwise()),
        }
    }

    /// Fetches a paper from the asking node. It is given on when all of it is here and has the digest that the question names.
    ///
    /// # Errors
    /// No such paper; the asking node refuses or cannot be reached; the content is another.
    pub async fn asked_paper(&self, ctx: &Ctx, id: ConsultationId, sha256: &str) -> Result<PaperContent> {
        let row = self.own_question(ctx, id).await?;
        let paper = row.question.paper(sha256);
        let paper = paper.ok_or_else(|| Error::not_found("giấy tờ này", "paper"))?.clone();
        let said = match self.exchange() {
            Some(exchange) => {
                let request = peer::paper_request(&row, sha256, ctx.officer()?)?;
                let answer = exchange.caller.call(&row.system, request).await;
                Said::read(answer, |answer| Some(answer.into_body()))
            }
            None => not_joined(),
        };
        let content = match said {
            Said::Yes(content) => content,
            Said::No(_, problems) => return Err(Error::Refused(Kind::Conflict, problems)),
            Said::Later(problems) => return Err(Error::Refused(Kind::Unavailable, problems)),
        };
        if hex::encode(Sha256::digest(&content)) != paper.sha256 {
            return Err(Error::refused(
                Kind::Unavailable,
                "other-content",
                "Tệp nhận được khác với tệp nêu trong yêu cầu lấy ý kiến nên không được mở. Báo cơ quan hỏi.",
                "The file that came is another than the question names, so it is not shown. Tell the asking agency.",
            ));
        }
        Ok(PaperContent { paper, content })
    }

    /// A question to the officer's agency that still waits for its opinion.
    pub(crate) async fn open_question(&self, ctx: &Ctx, id: ConsultationId) -> Result<()> {
        let row = self.own_question(ctx, id).await?;
        match (row.state, row.ended) {
            (AskedState::Open, _) => Ok(()),
            (AskedState::Ended, Some(ended)) => Err(consultation_ended(ended)),
            _ => Err(answered_otherwise()),
        }
    }

    /// A question to the officer's agency.
    pub(super) async fn own_question(&self, ctx: &Ctx, id: ConsultationId) -> Result<Incoming> {
        ctx.officer()?;
        let row = tables::incoming(&self.store().read(), id).await?;
        row.filter(|row| ctx.may(Permission::AnswerConsultation, &Scope::Agency(row.agency.clone())))
            .ok_or_else(|| Error::not_found("yêu cầu lấy ý kiến này", "consultation"))
    }

    /// Delivers an opinion. Never gives up before the asking node has said yes or no.
    async fn deliver_opinion(&self, run: &Run) -> Result<()> {
        let id: ConsultationId = run.payload()?;
        let row = tables::incoming(&self.store().read(), id).await?;
        let Some(row) = row.filter(|row| row.state == AskedState::Sending) else {
            return Ok(());
        };
        let opinion = row.opinion.as_ref();
        let opinion = opinion.ok_or_else(|| Error::internal("an opinion to deliver that is not there"))?;
        let said = match self.exchange() {
            Some(exchange) => match self.send_files(exchange, &row, &opinion.files).await? {
                Said::Yes(()) => {
                    exchange
                        .tell::<Receipt>(&row.system, peer::opinion_request(&row, opinion)?)
                        .await
                }
                Said::No(status, problems) => Said::No(status, problems),
                Said::Later(problems) => Said::Later(problems),
            },
            None => not_joined(),
        };
        let (to, next_at, problems) = match said {
            Said::Yes(_) => (AskedState::Received, None, Problems::new()),
            // What is wrong with the answer or a file of it, the officer can mend.
            Said::No(status, problems) if mendable(status.as_u16()) && row.ended.is_none() => {
                (AskedState::Open, None, problems)
            }
            Said::No(_, problems) => (AskedState::Refused, None, problems),
            Said::Later(problems) => (AskedState::Sending, Some(next_try(run.now, row.tries)), problems),
        };
        transact!(run.store, |tx| {
            run.done(&tx).await?;
            tables::delivered(&tx, id, to, next_at, &problems).await?;
            match next_at {
                Some(at) => deliver_at(&tx, id, at, run.now).await,
                None => Ok(()),
            }
        })
    }
}

/// Whether a no is about what was sent, rather than about who sent it or when.
fn mendable(status: u16) -> bool {
    [Kind::Invalid, Kind::TooLarge]
        .iter()
        .any(|kind| kind.status() == status)
}

fn consultation_ended(ended: Ended) -> Error {
    let text = ended.how.text();
    Error::refused(Kind::Conflict, "consultation-ended", text.vi, text.en)
}

fn answered_otherwise() -> Error {
    Error::refused(
        Kind::Conflict,
        "answered-otherwise",
        "Cơ quan đã trả lời với nội dung khác.",
        "The agency has answered with another opinion.",
    )
}

fn item(row: Incoming, now: Timestamp, calendar: &Calendar) -> AskedItem {
    AskedItem {
        id: row.id,
        asker: row.asker,
        received_at: row.received_at,
        state: row.state,
        minutes_left: row.question.due.map(|due| minutes_left(now, due, calendar)),
        question: row.question,
    }
}

fn place(cursor: &str) -> Option<(i64, Uuid)> {
    let (urgent, id) = cursor.split_once('_')?;
    Some((urgent.parse().ok()?, id.parse().ok()?))
}

/// The sentences of problems, one after the other.
pub(crate) fn sentences(problems: &Problems, lang: base::Lang) -> String {
    let mut all = String::new();
    for problem in problems.iter() {
        let _ = write!(
            all,
            "{}{}",
            if all.is_empty() { "" } else { " " },
            problem.text.get(lang)
        );
    }
    all
}
