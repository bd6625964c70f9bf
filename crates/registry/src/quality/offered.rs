//! Doubts that come through the exchange: `POST /{registry}/{service}/records/{key}/doubts`, for services with the operation `doubt`.
//! The gateway has judged who calls, by which grant and for which purpose.

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::State,
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
    routing::post,
};
use base::Clock;
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
};

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
