//! Questions that another node has to answer: they travel as messages of the exchange, and so do the answers. A job sends each,
//! and tries again until the other node has it.

use ::store::{Job, transact};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::Response,
    routing::post,
};
use base::{Error, Kind, Problems, Result, Timestamp, codes::CodeError};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::{
    super::{
        Journal,
        store::{self as tables, QuestionRow},
    },
    ask::{QuestionState, sound},
    protocol::{answer, failed, stated_purpose},
};
use crate::model::{
    error::{ErrorCode, Refusal},
    headers::{CLIENT, PURPOSE},
    identifier::{ClientId, MemberId, ServiceId, SubsystemId},
};

/// The code of the service under which a member takes questions and answers.
pub const ASK_SERVICE: &str = "askAboutRead";
/// The purpose of these messages.
const PURPOSE_OF_QUESTIONS: &str = "tracker.question";
const QUESTIONS: &str = "/v1/questions";
const ANSWERS: &str = "/v1/answers";

/// What has to be brought to another node.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Errand {
    /// A question.
    Ask(Uuid),
    /// The answer to a question from there.
    Answer(Uuid),
}

impl Errand {
    /// The kind of its job.
    pub const KIND: &str = "exchange.journal.errand";

    pub(super) fn job(self) -> Result<Job> {
        Job::new(Self::KIND, &self)
    }
}

/// A question on its way. Who asks is not in it: the agency answers for the read, whoever asks.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    id: Uuid,
    /// Who read.
    member: MemberId,
    /// `X-Road-Request-Id` of the read.
    request: Uuid,
    service: ServiceId,
    text: String,
    asked: Timestamp,
    due: Timestamp,
}

/// An answer on its way.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answered {
    id: Uuid,
    text: String,
    by: String,
}

/// What the other node says when it has it.
#[derive(Debug, Serialize)]
struct Taken {
    id: Uuid,
}

/// `POST /v1/questions` and `POST /v1/answers` for the members of this node: an internal service of the gateway, under
/// [`ASK_SERVICE`], open to every member. Both may be sent again.
pub fn question_router(journal: Journal) -> Router {
    Router::new()
        .route(QUESTIONS, post(take_question))
        .route(ANSWERS, post(take_answer))
        .with_state(journal)
}

async fn take_question(State(journal): State<Journal>, headers: HeaderMap, body: Bytes) -> Response {
    let taken = async {
        let (client, asked) = letter::<Asked>(&headers, &body)?;
        journal.take_question(&client, asked).await.map_err(refused)
    };
    answer(&headers, taken.await)
}

async fn take_answer(State(journal): State<Journal>, headers: HeaderMap, body: Bytes) -> Response {
    let taken = async {
        let (client, answered) = letter::<Answered>(&headers, &body)?;
        journal.take_answer(&client, answered).await.map_err(refused)
    };
    answer(&headers, taken.await)
}

/// Who sends, as the gateway has verified, and what.
fn letter<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> std::result::Result<(ClientId, T), Refusal> {
    stated_purpose(headers)?;
    let bad = |at: &str, reason: CodeError| Refusal::at(ErrorCode::BadRequest, at, reason);
    let client = headers.get(CLIENT).map_or(&b""[..], |value| value.as_bytes());
    let client = ClientId::parse(client).map_err(|error| bad(CLIENT, error))?;
    let letter = serde_json::from_slice(body).map_err(|error| {
        let reason = CodeError::new(
            "question-form",
            format!("Nội dung không đúng cấu trúc: {error}."),
            format!("The body has another shape: {error}."),
        );
        bad("", reason)
    })?;
    Ok((client, letter))
}

/// What lies at the sender goes back with its reasons; the rest is a failure of this node.
fn refused(error: Error) -> Refusal {
    match error {
        Error::Refused(Kind::Invalid | Kind::NotFound, problems) => Refusal::with(ErrorCode::BadRequest, problems),
        other => failed(other),
    }
}

impl Journal {
    /// Whether a question to this member travels: it is of another node, and takes questions.
    pub(super) fn passes_on_to(&self, member: &MemberId) -> bool {
        !self.0.config.agencies.contains_key(member) && self.0.caller.is_some() && self.asks_at(member).is_some()
    }

    /// Where a member takes questions.
    fn asks_at(&self, member: &MemberId) -> Option<ServiceId> {
        let view = (self.0.directory)();
        let member = view.member(member).filter(|member| member.suspended.is_none())?;
        member.subsystems.iter().find_map(|subsystem| {
            let service = subsystem
                .services
                .iter()
                .find(|service| service.code.as_str() == ASK_SERVICE)?;
            Some(ServiceId {
                provider: SubsystemId {
                    member: member.id.clone(),
                    code: subsystem.code.clone(),
                },
                code: service.code.clone(),
            })
        })
    }

    /// Brings a question or an answer to another node.
    pub(in super::super) async fn run_errand(&self, errand: Errand) -> Result<()> {
        let (Errand::Ask(id) | Errand::Answer(id)) = errand;
        let Some(row) = tables::question(&self.0.store.read(), id).await? else {
            return Ok(());
        };
        let member: MemberId = row.member.parse().map_err(Error::internal)?;
        let (path, body) = match errand {
            Errand::Ask(_) => {
                let asked = Asked {
                    id,
                    member: member.clone(),
                    request: row.request_id,
                    service: row.service.parse().map_err(Error::internal)?,
                    text: row.text,
                    asked: Timestamp::from_micros(row.asked_at),
                    due: Timestamp::from_micros(row.due_at),
                };
                (QUESTIONS, serde_json::to_vec(&asked)?)
            }
            Errand::Answer(_) => {
                let answered = Answered {
                    id,
                    text: row.answer.unwrap_or_default(),
                    by: row.answered_by.unwrap_or_default(),
                };
                (ANSWERS, serde_json::to_vec(&answered)?)
            }
        };
        self.send(&member, path, body).await
    }

    async fn send(&self, member: &MemberId, path: &str, body: Vec<u8>) -> Result<()> {
        let no_way = || {
            Error::refused(
                Kind::Unavailable,
                "no-way-to-member",
                format!("Chưa có đường gửi câu hỏi tới {member}; sẽ gửi lại."),
                format!("There is no way to send questions to {member}; it is tried again."),
            )
        };
        let caller = self.0.caller.as_ref().ok_or_else(no_way)?;
        let service = self.asks_at(member).ok_or_else(no_way)?;
        let request = http::Request::post(format!("/r1/{service}{path}"))
            .header(PURPOSE, PURPOSE_OF_QUESTIONS)
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.into())
            .map_err(Error::internal)?;
        let response = caller
            .call(&self.0.config.subsystem, request)
            .await
            .map_err(Error::internal)?;
        if response.status() == StatusCode::OK {
            return Ok(());
        }
        Err(Error::internal(format!(
            "{member} answered a question with {}",
            response.status()
        )))
    }

    async fn take_question(&self, client: &ClientId, asked: Asked) -> Result<Taken> {
        let unknown = || not_here("member", "thành viên này tại nút", "member of this node");
        let agency = self.0.config.agencies.get(&asked.member).ok_or_else(unknown)?;
        let view = (self.0.directory)();
        let name = view.member(&client.member).map(|member| member.name.vi.clone());
        let row = QuestionRow {
            id: asked.id,
            leaf: None,
            account: None,
            asker: format!("Người dân, qua {}", name.unwrap_or_else(|| client.member.to_string())),
            agency: agency.clone(),
            member: client.member.to_string(),
            request_id: asked.request,
            service: asked.service.to_string(),
            text: sound(&asked.text)?,
            asked_at: asked.asked.micros(),
            due_at: asked.due.micros(),
            state: QuestionState::Asked.code().to_owned(),
            answer: None,
            answered_at: None,
            answered_by: None,
            closed_at: None,
        };
        // Sent again, it is there.
        transact!(self.0.store, |tx| { tables::add_question(&tx, &row).await.map(drop) })?;
        Ok(Taken { id: row.id })
    }

    async fn take_answer(&self, client: &ClientId, answered: Answered) -> Result<Taken> {
        let row = tables::question(&self.0.store.read(), answered.id).await?;
        // Nobody answers for another member, nor what was not asked through the exchange.
        let expected = row.filter(|row| row.agency.is_empty() && row.member == client.member.to_string());
        let row = expected.ok_or_else(|| not_here("id", "câu hỏi này", "question"))?;
        let (text, by) = (sound(&answered.text)?, sound(&answered.by)?);
        let now = self.0.clock.now();
        // Sent again, or closed by the person meanwhile: nothing changes.
        transact!(self.0.store, |tx| {
            tables::answer_question(&tx, row.id, &text, &by, now).await.map(drop)
        })?;
        Ok(Taken { id: row.id })
    }
}

fn not_here(at: &str, vi: &str, en: &str) -> Error {
    let mut problems = Problems::new();
    problems.add(
        "not-found",
        at,
        format!("Không tìm thấy {vi}."),
        format!("No such {en}."),
    );
    Error::Refused(Kind::NotFound, problems)
}
