//! The JSON API of doubts and figures.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use identity::{ApiError, ApiJson, ApiPath, Ctx, IdempotencyKey, Instant};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Quality,
    doubts::{Doubt, DoubtId, Receipt, Report, Reporter},
};
use crate::model::RegistryCode;

/// The routes, with their part of the OpenAPI file. To be merged at the root.
pub fn router(quality: Quality) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(report))
        .routes(routes!(own))
        .merge(super::figures_api::router())
        .with_state(quality)
}

/// That a record is wrong.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DoubtBody {
    /// The field; a group stands for all in it.
    #[schema(max_length = 120)]
    field: String,
    /// What is held to be wrong.
    #[schema(min_length = 1, max_length = 1000)]
    wrong: String,
    /// What would be right.
    #[schema(max_length = 1000)]
    right: Option<String>,
    /// What shows it: the paper, its number and date.
    #[schema(max_length = 1000)]
    evidence: Option<String>,
    /// Code of the dossier that it came up in.
    #[schema(max_length = 80)]
    dossier: Option<String>,
}

impl DoubtBody {
    /// What is reported.
    pub(super) fn read(self) -> Report {
        Report {
            field: self.field,
            wrong: self.wrong,
            right: self.right.unwrap_or_default(),
            evidence: self.evidence.unwrap_or_default(),
            dossier: self.dossier,
        }
    }
}

/// By what a doubt is taken in.
#[derive(Debug, Serialize, ToSchema)]
pub struct DoubtReceiptBody {
    /// The doubt.
    id: uuid::Uuid,
    /// Until when the steward says that they have it.
    acknowledge_by: Instant,
    /// Until when they answer.
    answer_by: Instant,
}

impl From<Receipt> for DoubtReceiptBody {
    fn from(receipt: Receipt) -> Self {
        Self {
            id: receipt.id.uuid(),
            acknowledge_by: receipt.acknowledge_by.into(),
            answer_by: receipt.answer_by.into(),
        }
    }
}

/// How a doubt stands, for who reported it.
#[derive(Debug, Serialize, ToSchema)]
pub struct DoubtStateBody {
    /// The doubt.
    id: uuid::Uuid,
    /// The field.
    field: String,
    /// `received`, `acknowledged`, `asked`, `upheld`, `refused`, `withdrawn`.
    state: String,
    /// When it came.
    received_at: Instant,
    /// The clock that runs.
    due_at: Instant,
    /// What the reporter is asked.
    question: Option<String>,
    /// The answer.
    answer: Option<String>,
    /// When it was given.
    answered_at: Option<Instant>,
}

impl From<Doubt> for DoubtStateBody {
    fn from(doubt: Doubt) -> Self {
        let (answered_at, answer) = doubt.answer.map(|(at, _, words)| (at.into(), words)).unzip();
        Self {
            id: doubt.id.uuid(),
            field: doubt.field.to_string(),
            state: doubt.state.code().to_owned(),
            received_at: doubt.received_at.into(),
            due_at: doubt.due_at.into(),
            question: Some(doubt.question).filter(|question| !question.is_empty()),
            answer,
            answered_at,
        }
    }
}

/// Report that what a record says is wrong: its person, or an officer who may read it. Nothing is told of what it says.
#[utoipa::path(post, path = "/api/v1/registries/{code}/records/{key}/doubts", operation_id = "doubt_record", tag = "registries", request_body = DoubtBody,
    params(("code" = String, Path, description = "Code of the registry", pattern = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"), ("key" = String, Path, description = "The record's key, parts joined by “~”, or its id"),
        ("Idempotency-Key" = String, Header, min_length = 1, max_length = 200, description = "The same key with the same body happens once")),
    responses((status = 201, description = "Taken in; the clocks run", body = DoubtReceiptBody), (status = 401, description = "Nobody is signed in"),
        (status = 403, description = "Not permitted"), (status = 404, description = "No such registry or record, or none that the caller may read"),
        (status = 409, description = "The caller has doubted this field already and is not answered yet"), (status = 422, description = "Every problem at its field")))]
async fn report(
    State(quality): State<Quality>,
    ctx: Ctx,
    ApiPath((code, key)): ApiPath<(RegistryCode, String)>,
    idempotency: IdempotencyKey,
    ApiJson(body): ApiJson<DoubtBody>,
) -> Result<Response, ApiError> {
    let receipt = quality
        .doubt(&ctx, &Reporter::Caller, &code, &key, &body.read(), idempotency.as_str())
        .await?;
    let location = format!("/api/v1/registry-doubts/{}", receipt.id);
    let body = DoubtReceiptBody::from(receipt);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], axum::Json(body)).into_response())
}

/// Read how one's own doubt stands.
#[utoipa::path(get, path = "/api/v1/registry-doubts/{id}", operation_id = "read_doubt", tag = "registries",
    params(("id" = uuid::Uuid, Path, description = "The doubt")),
    responses((status = 200, description = "How it stands", body = DoubtStateBody), (status = 401, description = "Nobody is signed in"),
        (status = 404, description = "No such doubt, or somebody else's"), (status = 422, description = "Not an id")))]
async fn own(
    State(quality): State<Quality>,
    ctx: Ctx,
    ApiPath(id): ApiPath<uuid::Uuid>,
) -> Result<axum::Json<DoubtStateBody>, ApiError> {
    let doubt = quality.own_doubt(&ctx, DoubtId::from_uuid(id)).await?;
    Ok(axum::Json(doubt.into()))
}
