//! Doubts that come through the exchange. The gateway has judged who calls, by which grant and for which purpose.
//!
//! ```text
//! POST /{registry}/{service}/records/{key}/doubts   of a service with the operation `doubt`
//! POST /{registry}/{service}/contests               what a person contests of the attributes that a service with `facts` told
//! GET  /{registry}/{service}/contests/{id}          how the doubt stands that it became
//! ```

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::State,
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base::{Clock, Error, Problems};
use exchange::gateway::Caller;
use identity::{ApiError, ApiJson, ApiPath, IdempotencyKey};

use super::{
    Quality,
    api::{DoubtBody, DoubtReceiptBody},
    doubts::Reporter,
};
use crate::{
    model::Operation,
    offered::{Called, Office},
    service::Mask,
    wire::{ContestBody, StandingBody, TakenBody},
};

/// The longest id of what is contested, in bytes.
const LONGEST_ID: usize = 200;

#[derive(Clone)]
struct Doubting {
    office: Office,
    quality: Quality,
}

/// What answers behind the gateway, beside [`crate::offered::router`].
pub fn router(quality: Quality, clock: Arc<dyn Clock>, agency: &str) -> Router {
    let office = Office::new(quality.registries().clone(), clock, agency);
    Router::new()
        .route("/{registry}/{service}/records/{key}/doubts", post(doubt))
        .route("/{registry}/{service}/contests", post(contest))
        .route("/{registry}/{service}/contests/{id}", get(standing))
        .with_state(Doubting { office, quality })
}

async fn doubt(
    State(doubting): State<Doubting>,
    caller: Option<Extension<Caller>>,
    ApiPath((_, _, key)): ApiPath<(String, String, String)>,
    idempotency: IdempotencyKey,
    parts: Parts,
    ApiJson(body): ApiJson<DoubtBody>,
) -> Result<Response, ApiError> {
    // Only the gateway says who calls: nobody else gets here.
    let Some(Extension(caller)) = caller else {
        return Ok(StatusCode::NOT_FOUND.into_response());
    };
    let called = Called::read(&parts, &doubting.office, &caller)?;
    called.needs(Operation::Doubt)?;
    let mut report = body.read();
    if report.dossier.is_none() {
        report.dossier = called.purpose.dossier().map(str::to_owned);
    }
    let key = called.key(key).await?;
    let by = Reporter::System(called.client.to_string(), called.shown(&Mask::ALL));
    let code = &called.registry.code;
    let receipt = doubting
        .quality
        .doubt(&called.ctx, &by, code, &key, &report, idempotency.as_str())
        .await?;
    Ok((StatusCode::CREATED, axum::Json(DoubtReceiptBody::from(receipt))).into_response())
}

async fn contest(
    State(doubting): State<Doubting>,
    caller: Option<Extension<Caller>>,
    parts: Parts,
    ApiJson(body): ApiJson<ContestBody>,
) -> Result<Response, ApiError> {
    let Some(Extension(caller)) = caller else {
        return Ok(StatusCode::NOT_FOUND.into_response());
    };
    let called = Called::read(&parts, &doubting.office, &caller)?;
    called.needs(Operation::Facts)?;
    called.is_about(&body.dossier)?;
    let contested = body.contested();
    let mut problems = Problems::new();
    if contested.id.is_empty() || contested.id.len() > LONGEST_ID {
        problems.add(
            "contest-id",
            "id",
            format!("Mã của phản ánh có từ 1 đến {LONGEST_ID} byte."),
            format!("The id of what is contested has 1 to {LONGEST_ID} bytes."),
        );
    }
    // What was not told by this service nobody can contest by it.
    if !called.tells(&contested.attribute) || contested.registry() != called.registry.code.as_str() {
        problems.add(
            "unknown-attribute",
            "attribute",
            "Dịch vụ này không cung cấp thông tin đó.",
            "This service does not tell that.",
        );
    }
    problems.into_result()?;
    let by = Reporter::ProcedureElsewhere(called.client.to_string());
    let taken = doubting.quality.doubt_contested(&called.ctx, &by, &contested).await;
    let receipt = taken.unwrap_or_else(|| Err(Error::not_found("bản ghi", "record")))?;
    Ok((StatusCode::CREATED, axum::Json(TakenBody::from(receipt))).into_response())
}

async fn standing(
    State(doubting): State<Doubting>,
    caller: Option<Extension<Caller>>,
    ApiPath((_, _, id)): ApiPath<(String, String, uuid::Uuid)>,
    parts: Parts,
) -> Result<Response, ApiError> {
    let Some(Extension(caller)) = caller else {
        return Ok(StatusCode::NOT_FOUND.into_response());
    };
    let called = Called::read(&parts, &doubting.office, &caller)?;
    let client = called.client.to_string();
    let doubt = doubting.quality.doubt_of(&client, &called.registry.code, id).await?;
    Ok(axum::Json(StandingBody::from(doubt)).into_response())
}
