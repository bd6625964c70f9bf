//! Approved questions on the exchange. The gateway has judged who calls, by which grant and for which purpose.
//!
//! ```text
//! POST /{code}   {"tax_code": "…"}   →   {"id", "answer": true, "asked_at", "leaf"}
//! ```
//!
//! What is put in stands in the body, not in addresses that are kept in logs.

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use base::{Clock, Error, Kind, Lang};
use exchange::gateway::Caller;
use identity::{Actor, ApiError, ApiJson, ApiPath, Ctx};
use serde::Serialize;
use serde_json::{Map, Value};

use super::service::{Answered, Asker, Outcome, Questions};
use crate::{offered::issue, service::EXCHANGE};

#[derive(Clone)]
struct Office {
    questions: Questions,
    clock: Arc<dyn Clock>,
}

/// What answers behind the gateway ([`exchange::QUESTIONS`]).
pub fn router(questions: Questions, clock: Arc<dyn Clock>) -> Router {
    Router::new()
        .route("/{code}", post(ask))
        .with_state(Office { questions, clock })
}

/// What the asker is told.
#[derive(Debug, Serialize)]
struct AnswerBody {
    id: uuid::Uuid,
    /// Absent where what the registries hold does not decide it.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<Value>,
    asked_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    leaf: Option<u64>,
}

async fn ask(
    State(office): State<Office>,
    caller: Option<Extension<Caller>>,
    ApiPath(code): ApiPath<String>,
    headers: HeaderMap,
    ApiJson(inputs): ApiJson<Map<String, Value>>,
) -> Result<Response, ApiError> {
    // Only the gateway says who calls: nobody else gets here.
    let Some(Extension(caller)) = caller else {
        return Ok(StatusCode::NOT_FOUND.into_response());
    };
    let ctx = Ctx {
        actor: Actor::System(EXCHANGE),
        now: office.clock.now(),
        request_id: caller.request_id,
        lang: Lang::Vi,
    };
    let asker = Asker {
        client: caller.client.to_string(),
        purpose: caller.purpose.as_str().to_owned(),
        dossier: Some(issue(&headers).to_owned()).filter(|dossier| !dossier.is_empty()),
    };
    let Answered { id, outcome, at, leaf } = office.questions.ask(&ctx, &code, &inputs, &asker).await?;
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
        leaf,
    };
    Ok(axum::Json(body).into_response())
}
