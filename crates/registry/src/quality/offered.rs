//! Doubts that come through the exchange. The gateway has judged who calls, by which grant and for which purpose.
//!
//! ```text
//! POST /{registry}/{service}/records/{key}/doubts   of a service with the operation `doubt`
//! POST /{registry}/{service}/contests               what a person contests of the attributes that a service with `facts` told
//! GET  /{registry}/{service}/contests/{id}          how the doubt stands that it became, or that of a person
//! POST /{registry}/{service}/contests/{id}/evidence   what shows it, if the steward asked
//! GET  /{registry}/{service}/own/{number}           of a service with `own`: what is held about a person who is signed in there
//! POST /{registry}/{service}/own/{number}/doubts    what they contest of it
//! POST /{registry}/{service}/own/{number}/doubts/{id}/evidence   what shows it, if the steward asked
//! ```

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::State,
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base::{
    Clock, Error, Problems, Result,
    codes::{CodeError, PersonNumber},
};
use exchange::gateway::Caller;
use identity::{ApiError, ApiJson, ApiPath, IdempotencyKey};

use super::{
    Quality,
    api::{DoubtBody, DoubtReceiptBody},
    doubts::Reporter,
    own::label,
};
use crate::{
    model::{FieldPath, Operation},
    offered::{Called, Office},
    service::Mask,
    wire::{ContestBody, EvidenceBody, OwnBody, OwnDoubtBody, StandingBody, TakenBody},
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
        .route("/{registry}/{service}/contests/{id}/evidence", post(evidence))
        .route("/{registry}/{service}/own/{number}", get(own))
        .route("/{registry}/{service}/own/{number}/doubts", post(contest_own))
        .route(
            "/{registry}/{service}/own/{number}/doubts/{id}/evidence",
            post(own_evidence),
        )
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
    judge_id(&contested.id, &mut problems);
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

fn judge_id(id: &str, problems: &mut Problems) {
    if id.is_empty() || id.len() > LONGEST_ID {
        problems.add(
            "contest-id",
            "id",
            format!("Mã của phản ánh có từ 1 đến {LONGEST_ID} byte."),
            format!("The id of what is contested has 1 to {LONGEST_ID} bytes."),
        );
    }
}

async fn own(
    State(doubting): State<Doubting>,
    caller: Option<Extension<Caller>>,
    ApiPath((_, _, number)): ApiPath<(String, String, String)>,
    parts: Parts,
) -> Result<Response, ApiError> {
    let Some(Extension(caller)) = caller else {
        return Ok(StatusCode::NOT_FOUND.into_response());
    };
    let called = Called::read(&parts, &doubting.office, &caller)?;
    called.needs(Operation::Own)?;
    let (number, shown) = (person(&number)?, called.shown(&Mask::ALL));
    let body: OwnBody = doubting
        .quality
        .own(&called.ctx, &called.purpose, &called.registry, &number, &shown)
        .await?;
    Ok(axum::Json(body).into_response())
}

async fn contest_own(
    State(doubting): State<Doubting>,
    caller: Option<Extension<Caller>>,
    ApiPath((_, _, number)): ApiPath<(String, String, String)>,
    parts: Parts,
    ApiJson(body): ApiJson<OwnDoubtBody>,
) -> Result<Response, ApiError> {
    let Some(Extension(caller)) = caller else {
        return Ok(StatusCode::NOT_FOUND.into_response());
    };
    let called = Called::read(&parts, &doubting.office, &caller)?;
    called.needs(Operation::Own)?;
    let mut problems = Problems::new();
    judge_id(&body.id, &mut problems);
    problems.into_result()?;
    let by = Reporter::PersonElsewhere {
        client: called.client.to_string(),
        number: person(&number)?,
        shown: called.shown(&Mask::ALL),
    };
    let (registry, record) = (&called.registry, body.record.to_string());
    let receipt = doubting
        .quality
        .doubt(&called.ctx, &by, &registry.code, &record, &body.report(), &body.id)
        .await?;
    let field: Option<FieldPath> = body.field.parse().ok();
    let taken = TakenBody {
        label: field.and_then(|field| label(registry, &field)),
        ..TakenBody::from(receipt)
    };
    Ok((StatusCode::CREATED, axum::Json(taken)).into_response())
}

async fn own_evidence(
    State(doubting): State<Doubting>,
    caller: Option<Extension<Caller>>,
    ApiPath((_, _, number, id)): ApiPath<(String, String, String, uuid::Uuid)>,
    parts: Parts,
    ApiJson(body): ApiJson<EvidenceBody>,
) -> Result<Response, ApiError> {
    let Some(Extension(caller)) = caller else {
        return Ok(StatusCode::NOT_FOUND.into_response());
    };
    let called = Called::read(&parts, &doubting.office, &caller)?;
    called.needs(Operation::Own)?;
    let by = Reporter::PersonElsewhere {
        client: called.client.to_string(),
        number: person(&number)?,
        shown: called.shown(&Mask::ALL),
    };
    taken_evidence(&doubting, &called, &by, id, &body).await
}

async fn evidence(
    State(doubting): State<Doubting>,
    caller: Option<Extension<Caller>>,
    ApiPath((_, _, id)): ApiPath<(String, String, uuid::Uuid)>,
    parts: Parts,
    ApiJson(body): ApiJson<EvidenceBody>,
) -> Result<Response, ApiError> {
    let Some(Extension(caller)) = caller else {
        return Ok(StatusCode::NOT_FOUND.into_response());
    };
    let called = Called::read(&parts, &doubting.office, &caller)?;
    called.needs(Operation::Facts)?;
    let by = Reporter::ProcedureElsewhere(called.client.to_string());
    taken_evidence(&doubting, &called, &by, id, &body).await
}

/// How the doubt stands with it.
async fn taken_evidence(
    doubting: &Doubting,
    called: &Called,
    by: &Reporter,
    id: uuid::Uuid,
    EvidenceBody { evidence }: &EvidenceBody,
) -> Result<Response, ApiError> {
    let (quality, code) = (&doubting.quality, &called.registry.code);
    let doubt = quality
        .reply_from_elsewhere(&called.ctx, by, called.purpose.dossier(), code, id, evidence)
        .await?;
    Ok(axum::Json(StandingBody::from(doubt)).into_response())
}

/// Whom the address names.
fn person(number: &str) -> Result<PersonNumber> {
    number.parse().or_else(|flaw: CodeError| flaw.refuse("number"))
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
