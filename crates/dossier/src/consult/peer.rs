//! What two nodes say to each other about consultations, as the service [`CONSULTATIONS`] of the exchange, open to every member.
//!
//! ```text
//! PUT /questions/{id}           asks, or says that it has ended       → {"version":1,"open":true}
//! PUT /opinions/{id}            answers, to whoever asked             → {"version":1,"open":false}
//! PUT /opinions/{id}/files/{sha256}   a piece of a file that goes with the answer   → {"version":1,"received":n,"whole":false}
//! GET /opinions/{id}/files/{sha256}   how much of it is there                       → the same
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
use http::{HeaderName, HeaderValue, header};
use identity::{OfficerActor, OfficerId, problem_response};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    PURPOSE,
    files::Piece,
    store::{Incoming, Outgoing},
    wire::{Opinion, Question, SentFile},
};
use crate::{
    model::action::ConsultationId,
    service::{Dossiers, LARGEST_PIECE},
};

/// The largest message, and the largest answer that is read but for papers, in bytes.
pub(super) const LARGEST: usize = 1 << 20;

/// Where a piece of a file begins, bytes.
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
/// The length of the whole file, bytes.
const LENGTH: HeaderName = HeaderName::from_static("upload-length");

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
        .route("/opinions/{id}/files/{sha256}", get(standing).put(piece))
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

async fn standing(State(peer): State<Peer>, Path((id, sha256)): Path<(String, String)>, request: Request) -> Response {
    let found = async move {
        let (caller, id) = (caller(&request)?, consultation(&id)?);
        peer.dossiers.file_standing(&caller.system, id, &sha256).await
    };
    answer(found.await.map(Json))
}

async fn piece(State(peer): State<Peer>, Path((id, sha256)): Path<(String, String)>, request: Request) -> Response {
    let taken = async {
        let (caller, id) = (caller(&request)?, consultation(&id)?);
        let (start, length) = (number(&request, &OFFSET)?, number(&request, &LENGTH)?);
        let content = body(request, LARGEST_PIECE).await?;
        let piece = Piece { start, length, content };
        let Peer { dossiers, clock } = peer;
        dossiers
            .take_piece(&caller.system, id, &sha256, &piece, clock.now())
            .await
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
    let body = body(request, LARGEST).await?;
    serde_json::from_slice(&body).map_err(|flaw| {
        Error::refused(
            Kind::Invalid,
            "message-form",
            format!("Không đọc được thông điệp: {flaw}."),
            format!("The message cannot be read: {flaw}."),
        )
    })
}

async fn body(request: Request<Body>, largest: usize) -> Result<Bytes> {
    let mebibytes = largest >> 20;
    axum::body::to_bytes(request.into_body(), largest).await.map_err(|_| {
        Error::refused(
            Kind::TooLarge,
            "too-large",
            format!("Thông điệp lớn hơn {mebibytes} MiB hoặc bị đứt giữa chừng."),
            format!("The message is larger than {mebibytes} MiB or broke off."),
        )
    })
}

fn number(request: &Request, name: &HeaderName) -> Result<i64> {
    let said = request.headers().get(name).and_then(|value| value.to_str().ok());
    let said = said.and_then(|value| value.parse::<i64>().ok()).filter(|n| *n >= 0);
    said.ok_or_else(|| {
        Error::refused(
            Kind::Invalid,
            "upload-header",
            format!("Thiếu hoặc sai tiêu đề {name}: phải là số nguyên không âm."),
            format!("The header {name} is missing or is not a whole number."),
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

/// The call that asks how much of a file is there.
pub(super) fn standing_request(row: &Incoming, file: &SentFile) -> Result<http::Request<Bytes>> {
    http::Request::get(file_target(row, file))
        .header(PURPOSE_HEADER, PURPOSE)
        .header(ISSUE, &row.question.dossier)
        .body(Bytes::new())
        .map_err(Error::internal)
}

/// The call that brings a piece of a file.
pub(super) fn piece_request(row: &Incoming, file: &SentFile, start: u64, piece: Bytes) -> Result<http::Request<Bytes>> {
    let short = file.sha256.get(..16).unwrap_or_default();
    http::Request::put(file_target(row, file))
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .header(PURPOSE_HEADER, PURPOSE)
        .header(ID, format!("file-{}-{short}-{start}", row.question_id))
        .header(ISSUE, &row.question.dossier)
        .header(OFFSET, start)
        .header(LENGTH, file.size)
        .body(piece)
        .map_err(Error::internal)
}

fn file_target(row: &Incoming, file: &SentFile) -> String {
    let (asker, id, sha256) = (&row.asker, row.question_id, &file.sha256);
    format!("/r1/{asker}/{CONSULTATIONS}/opinions/{id}/files/{sha256}")
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
