//! Approved questions on the exchange. The gateway has judged who calls, by which grant and for which purpose.
//!
//! ```text
//! POST /{code}                      {"tax_code": "…", as_of?, known_at?}   →   {"id", "answer": true, "asked_at", as_of?, known_at?, "leaf"}
//! POST /{code}/runs                 {"lines": [{"tax_code": "…"}, …], as_of?, known_at?}   →   202 {"id", "total"}
//! GET  /{code}/runs/{id}            →   {"total", "done"}
//! GET  /{code}/runs/{id}/result     →   a line each: {"line", "outcome", "answer", "id"}   (NDJSON)
//! ```
//!
//! What is put in stands in the body, not in addresses that are kept in logs.

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::{FromRequestParts, State},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base::{Clock, Error, Kind, Lang, Problems, Result};
use exchange::gateway::Caller;
use identity::{Actor, ApiError, ApiJson, ApiPath, Ctx};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::service::{Answered, Asker, Outcome, Questions};
use crate::{
    api::params::Asking,
    offered::issue,
    service::{EXCHANGE, Times},
};

#[derive(Clone)]
struct Office {
    questions: Questions,
    clock: Arc<dyn Clock>,
}

/// What answers behind the gateway ([`exchange::QUESTIONS`]).
pub fn router(questions: Questions, clock: Arc<dyn Clock>) -> Router {
    Router::new()
        .route("/{code}", post(ask))
        .route("/{code}/runs", post(ask_many))
        .route("/{code}/runs/{id}", get(progress))
        .route("/{code}/runs/{id}/result", get(result))
        .with_state(Office { questions, clock })
}

/// Who asks, as the gateway says: nobody else gets here.
struct Called {
    ctx: Ctx,
    asker: Asker,
}

impl FromRequestParts<Office> for Called {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, office: &Office) -> Result<Self, StatusCode> {
        let Extension(caller) = Extension::<Caller>::from_request_parts(parts, office)
            .await
            .map_err(|_| StatusCode::NOT_FOUND)?;
        Ok(Self {
            ctx: Ctx {
                actor: Actor::System(EXCHANGE),
                now: office.clock.now(),
                request_id: caller.request_id,
                lang: Lang::Vi,
            },
            asker: Asker {
                client: caller.client.to_string(),
                purpose: caller.purpose.as_str().to_owned(),
                dossier: Some(issue(&parts.headers).to_owned()).filter(|dossier| !dossier.is_empty()),
            },
        })
    }
}

/// What the asker is told.
#[derive(Debug, Serialize)]
struct AnswerBody {
    id: Uuid,
    /// Absent where what the registries hold does not decide it.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<Value>,
    asked_at: String,
    /// Of which moment of life; absent for now.
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<String>,
    /// As known when; absent for now.
    #[serde(skip_serializing_if = "Option::is_none")]
    known_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    leaf: Option<u64>,
}

async fn ask(
    State(office): State<Office>,
    called: Called,
    ApiPath(code): ApiPath<String>,
    asking: Asking,
    ApiJson(mut inputs): ApiJson<Map<String, Value>>,
) -> Result<Response, ApiError> {
    asking.only(&[])?;
    let times = times(inputs.remove("as_of"), inputs.remove("known_at"))?;
    let answered = office
        .questions
        .ask(&called.ctx, &code, &inputs, times, &called.asker)
        .await?;
    let Answered {
        id,
        outcome,
        at,
        times,
        leaf,
    } = answered;
    let answer = match outcome {
        Outcome::Answered(answer) => Some(answer),
        Outcome::Undecided => None,
        Outcome::Silent(registries) => {
            let names: Vec<String> = registries.into_iter().collect();
            return Err(ApiError(Error::refused(
                Kind::Unavailable,
                "sources-silent",
                format!(
                    "Chưa trả lời được lúc này vì chưa nhận được dữ liệu từ: {}. Hãy hỏi lại sau.",
                    names.join(", ")
                ),
                format!(
                    "It cannot be answered now, for these did not answer: {}. Ask again later.",
                    names.join(", ")
                ),
            )));
        }
    };
    let body = AnswerBody {
        id,
        answer,
        asked_at: at.rfc3339(),
        as_of: times.as_of(),
        known_at: times.known_at(),
        leaf,
    };
    Ok(axum::Json(body).into_response())
}

/// Many at once.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ManyBody {
    lines: Vec<Map<String, Value>>,
    as_of: Option<Value>,
    known_at: Option<Value>,
}

/// Of when, and as known when; what is not said is now.
fn times(as_of: Option<Value>, known_at: Option<Value>) -> Result<Times> {
    let text = |value: Option<Value>| match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text,
        // No text is a moment, and is told as what cannot be read.
        Some(other) => other.to_string(),
    };
    let mut problems = Problems::new();
    let times = Times::read(&text(as_of), &text(known_at), &mut problems);
    problems.into_result()?;
    Ok(times)
}

async fn ask_many(
    State(office): State<Office>,
    called: Called,
    ApiPath(code): ApiPath<String>,
    asking: Asking,
    ApiJson(body): ApiJson<ManyBody>,
) -> Result<Response, ApiError> {
    asking.only(&[])?;
    let times = times(body.as_of, body.known_at)?;
    let asked = office
        .questions
        .ask_many(&called.ctx, &code, &body.lines, times, &called.asker);
    let taken = json!({ "id": asked.await?, "total": body.lines.len() });
    Ok((StatusCode::ACCEPTED, axum::Json(taken)).into_response())
}

async fn progress(
    State(office): State<Office>,
    called: Called,
    ApiPath((code, id)): ApiPath<(String, Uuid)>,
    asking: Asking,
) -> Result<axum::Json<Value>, ApiError> {
    asking.only(&[])?;
    let progress = office.questions.progress(&code, id, &called.asker).await?;
    Ok(axum::Json(json!({ "total": progress.total, "done": progress.done })))
}

async fn result(
    State(office): State<Office>,
    called: Called,
    ApiPath((code, id)): ApiPath<(String, Uuid)>,
    asking: Asking,
) -> Result<Response, ApiError> {
    asking.only(&[])?;
    let mut text = String::new();
    for line in office.questions.result(&code, id, &called.asker).await? {
        text += &serde_json::to_string(&line).map_err(Error::internal)?;
        text.push('\n');
    }
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], text).into_response())
}
