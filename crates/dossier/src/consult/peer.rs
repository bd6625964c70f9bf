//! What two nodes say to each other about consultations, as the service [`CONSULTATIONS`] of the exchange, open to every member.
//!
//! ```text
//! PUT /questions/{id}           asks, or says that it has ended       → {"version":1,"open":true}
//! PUT /opinions/{id}            answers, to whoever asked             → {"version":1,"open":false}
//! GET /papers/{id}/{sha256}     a paper of an open question           → its bytes
//! ```
//! `id` is the asking node's. Who speaks is what the gateway has verified and nothing else: a question belongs to the system that
//! asked, an opinion and the papers to the system that was asked. Refusals are problem details (RFC 9457).

use std::sync::Arc;

use ::exchange::{
    CONSULTATIONS,
    gateway::Caller,
    model::{
        headers::{ID, ISSUE, LONGEST_TEXT, PURPOSE as PURPOSE_HEADER, USER_ID},
        identifier::SubsystemId,
    },
};
use axum::{
    Json, Router,
    body::Body,
    extract::{Path, Request, State},
    response::{IntoResponse, Response},
    routing::{get, put},
};
use base::{Clock, Error, Kind, Result};
use bytes::Bytes;
use http::{HeaderValue, header};
use identity::{OfficerActor, OfficerId, problem_response};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    PURPOSE,
    store::{Incoming, Outgoing},
    wire::{Opinion, Question},
};
use crate::{model::action::ConsultationId, service::Dossiers};

/// The largest message, and the largest answer that is read but for papers, in bytes.
pub(super) const LARGEST: usize = 1 << 20;

#[derive(Clone)]
struct Peer {
    dossiers: Dossiers,
    clock: Arc<dyn Clock>,
}

/// The routes that the gateway serves as the internal service [`CONSULTATIONS`].
pub fn router(dossiers: Dossiers, clock: Arc<dyn Clock>) -> Router {
    Router::new()
        .route("/questions/{id}", put(question))
        .route("/opinions/{id}", put(opinion))
        .route("/papers/{id}/{sha256}", get(paper))
        .fallback(|| async { problem_response(&Error::not_found("địa chỉ này", "address")) })
        .with_state(Peer { dossiers, clock })
}

async fn question(State(peer): State<Peer>, Path(id): Path<String>, request: Request) -> Response {
    let taken = async {
        let (caller, id) = (caller(&request)?, consultation(&id)?);
        let question: Question = message(request).await?;
        let Peer { dossiers, clock } = peer;
        dossiers
            .take_question(&caller.system, &caller.called, id, &question, clock.now())
            .await
    };
    answer(taken.await.map(Json))
}

async fn opinion(State(peer): State<Peer>, Path(id): Path<String>, request: Request) -> Response {
    let taken = async {
        let (caller, id) = (caller(&request)?, consultation(&id)?);
        let opinion: Opinion = message(request).await?;
        let Peer { dossiers, clock } = peer;
        dossiers.take_opinion(&caller.system, id, &opinion, clock.now()).await
    };
    answer(taken.await.map(Json))
}

async fn paper(State(peer): State<Peer>, Path((id, sha256)): Path<(String, String)>, request: Request) -> Response {
    let found = async move {
        let (caller, id) = (caller(&request)?, consultation(&id)?);
        let (reader, name) = reader(&request)?;
        let Peer { dossiers, clock } = peer;
        let now = clock.now();
        let paper = dossiers
            .paper_for(&caller.system, id, &sha256, (reader, &name), now)
            .await?;
        Ok(([(header::CONTENT_TYPE, "application/octet-stream")], paper.content))
    };
    answer(found.await)
}

fn answer(said: Result<impl IntoResponse>) -> Response {
    match said {
        Ok(said) => said.into_response(),
        Err(error) => problem_response(&error),
    }
}

/// Who calls, and as which system of this node.
struct Called {
    system: SubsystemId,
    called: SubsystemId,
}

fn caller(request: &Request) -> Result<Called> {
    let caller = request.extensions().get::<Caller>();
    let caller = caller.ok_or_else(|| Error::internal("consultations are served by the gateway alone"))?;
    let Some(system) = caller.client.as_subsystem() else {
        return Err(Error::refused(
            Kind::Forbidden,
            "no-client",
            "X-Road-Client phải có đủ bốn phần của một hệ thống.",
            "X-Road-Client must have all four parts of a system.",
        ));
    };
    if caller.purpose.as_str() != PURPOSE {
        return Err(Error::refused(
            Kind::Forbidden,
            "purpose",
            format!("Dịch vụ này chỉ dùng cho mục đích {PURPOSE}."),
            format!("This service is for the purpose {PURPOSE} only."),
        ));
    }
    Ok(Called {
        system,
        called: caller.service.provider.clone(),
    })
}

fn consultation(id: &str) -> Result<ConsultationId> {
    id.parse()
        .map_err(|_| Error::not_found("yêu cầu lấy ý kiến này", "consultation"))
}

async fn message<T: DeserializeOwned>(request: Request<Body>) -> Result<T> {
    let body = axum::body::to_bytes(request.into_body(), LARGEST).await.map_err(|_| {
        Error::refused(
            Kind::TooLarge,
            "too-large",
            "Thông điệp lớn hơn 1 MiB hoặc bị đứt giữa chừng.",
            "The message is larger than 1 MiB or broke off.",
        )
    })?;
    serde_json::from_slice(&body).map_err(|flaw| {
        Error::refused(
            Kind::Invalid,
            "message-form",
            format!("Không đọc được thông điệp: {flaw}."),
            format!("The message cannot be read: {flaw}."),
        )
    })
}

/// The officer who looks at a paper: `X-Road-UserId` is the id at their node, a space, and the name.
fn reader(request: &Request) -> Result<(OfficerId, String)> {
    let said = request.headers().get(USER_ID).map(HeaderValue::as_bytes);
    let said = said.and_then(|bytes| std::str::from_utf8(bytes).ok());
    let read = said.and_then(|said| {
        let (id, name) = said.split_once(' ')?;
        let fits = !name.trim().is_empty() && !name.chars().any(char::is_control);
        Some((OfficerId::from_uuid(id.parse().ok()?), name.to_owned())).filter(|_| fits)
    });
    read.ok_or_else(|| {
        Error::refused(
            Kind::Invalid,
            "no-reader",
            "Thiếu cán bộ đọc giấy tờ trong X-Road-UserId.",
            "X-Road-UserId does not say which officer reads the paper.",
        )
    })
}

/// The call that says how a question stands. Its message id is that of the question: sent again, it is the same message.
pub(super) fn question_request(row: &Outgoing) -> Result<http::Request<Bytes>> {
    let message = Question {
        ended: row.ended,
        ..row.question.clone()
    };
    let kind = if row.ended.is_some() { "end" } else { "question" };
    let target = format!("/r1/{}/{CONSULTATIONS}/questions/{}", row.system, row.id);
    put_request(&target, &message, format!("{kind}-{}", row.id), &row.question.dossier)
}

/// The call that brings an opinion to whoever asked.
pub(super) fn opinion_request(row: &Incoming, opinion: &Opinion) -> Result<http::Request<Bytes>> {
    let id = row.question_id;
    let target = format!("/r1/{}/{CONSULTATIONS}/opinions/{id}", row.asker);
    put_request(&target, opinion, format!("opinion-{id}"), &row.question.dossier)
}

fn put_request(target: &str, message: &impl Serialize, id: String, dossier: &str) -> Result<http::Request<Bytes>> {
    http::Request::put(target)
        .header(header::CONTENT_TYPE, "application/json")
        .header(PURPOSE_HEADER, PURPOSE)
        .header(ID, id)
        .header(ISSUE, dossier)
        .body(serde_json::to_vec(message)?.into())
        .map_err(Error::internal)
}

/// The call that fetches a paper for an officer.
pub(super) fn paper_request(row: &Incoming, sha256: &str, reader: &OfficerActor) -> Result<http::Request<Bytes>> {
    let target = format!("/r1/{}/{CONSULTATIONS}/papers/{}/{sha256}", row.asker, row.question_id);
    let mut user = format!("{} {}", reader.officer, reader.name);
    // Of a name that the header cannot hold, its beginning.
    user.truncate(user.floor_char_boundary(LONGEST_TEXT));
    let user = HeaderValue::from_bytes(user.as_bytes()).map_err(Error::internal)?;
    http::Request::get(target)
        .header(PURPOSE_HEADER, PURPOSE)
        .header(ISSUE, &row.question.dossier)
        .header(USER_ID, user)
        .body(Bytes::new())
        .map_err(Error::internal)
}
