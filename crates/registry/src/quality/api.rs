//! The JSON API of doubts and figures.

use axum::{
    body::Bytes,
    extract::{DefaultBodyLimit, State, rejection::BytesRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use identity::{ApiError, ApiJson, ApiPath, ApiQuery, Ctx, IdempotencyKey, Instant};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Quality,
    doubts::{
        Doubt, DoubtFile, DoubtFileId, DoubtId, LARGEST_FILE, Receipt, Report, Reporter, file_too_large, judge_file,
    },
};
use crate::model::RegistryCode;

/// The routes, with their part of the OpenAPI file. To be merged at the root.
pub fn router(quality: Quality) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(report))
        .routes(routes!(own))
        .merge(files())
        .merge(super::figures_api::router())
        .with_state(quality)
}

fn files() -> OpenApiRouter<Quality> {
    OpenApiRouter::new()
        .routes(routes!(add_file))
        .routes(routes!(read_file, remove_file))
        .layer(DefaultBodyLimit::max(LARGEST_FILE + 1))
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
    /// The files that came with it.
    files: Vec<DoubtFileBody>,
}

/// A file that shows what a doubt says.
#[derive(Debug, Serialize, ToSchema)]
pub struct DoubtFileBody {
    /// The file.
    id: uuid::Uuid,
    /// What its sender calls it.
    name: String,
    /// Media type, as its content shows.
    media_type: &'static str,
    /// Bytes.
    size: u64,
    /// Of its content, in hex; the same content twice is one file.
    sha256: String,
    /// When it came.
    put_at: Instant,
}

impl From<DoubtFile> for DoubtFileBody {
    fn from(file: DoubtFile) -> Self {
        Self {
            id: file.id.uuid(),
            name: file.name,
            media_type: file.format.media_type(),
            size: file.size,
            sha256: file.sha256,
            put_at: file.put_at.into(),
        }
    }
}

/// What a file is called whose bytes are the body.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct FileNamed {
    /// What its sender calls it.
    name: Option<String>,
}

impl FileNamed {
    /// The name; empty where it has none.
    pub(super) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }
}

/// The bytes of a file that were read whole.
///
/// # Errors
/// `TooLarge`; `Invalid` where they broke off.
pub(super) fn whole_file(content: Result<Bytes, BytesRejection>) -> base::Result<Bytes> {
    content.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => file_too_large(),
        _ => view::files::unreadable(),
    })
}

impl DoubtStateBody {
    fn of(doubt: Doubt, files: Vec<DoubtFile>) -> Self {
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
            files: files.into_iter().map(DoubtFileBody::from).collect(),
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
    let id = DoubtId::from_uuid(id);
    let doubt = quality.own_doubt(&ctx, id).await?;
    let files = quality.own_files(&ctx, id).await?;
    Ok(axum::Json(DoubtStateBody::of(doubt, files)))
}

/// Add a file to one's own doubt while it is open: PDF, JPEG, PNG, WebP or HEIC, 10 MiB at most; five to a doubt. The same content twice is one file.
#[utoipa::path(post, path = "/api/v1/registry-doubts/{id}/files", operation_id = "add_doubt_file", tag = "registries",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    params(("id" = uuid::Uuid, Path, description = "The doubt"), FileNamed),
    responses((status = 201, description = "Kept", body = DoubtFileBody), (status = 401, description = "Nobody is signed in"),
        (status = 404, description = "No such doubt, or somebody else's"), (status = 409, description = "It is answered already"),
        (status = 413, description = "Too large"), (status = 422, description = "Every reason why the file is refused")))]
async fn add_file(
    State(quality): State<Quality>,
    ctx: Ctx,
    ApiPath(id): ApiPath<uuid::Uuid>,
    ApiQuery(named): ApiQuery<FileNamed>,
    content: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let id = DoubtId::from_uuid(id);
    // Who has no such doubt learns nothing of the file.
    quality.own_doubt(&ctx, id).await?;
    let judged = judge_file(named.name(), whole_file(content)?).await?;
    let kept = quality.add_files(&ctx, id, vec![judged]).await?;
    let kept = kept.into_iter().next();
    let kept = kept.ok_or_else(|| base::Error::internal("a file that was taken in is not there"))?;
    let location = format!("/api/v1/registry-doubts/{id}/files/{}", kept.id);
    let body = DoubtFileBody::from(kept);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], axum::Json(body)).into_response())
}

/// Read a file of one's own doubt.
#[utoipa::path(get, path = "/api/v1/registry-doubts/{id}/files/{file}", operation_id = "read_doubt_file", tag = "registries",
    params(("id" = uuid::Uuid, Path, description = "The doubt"), ("file" = uuid::Uuid, Path, description = "The file")),
    responses((status = 200, description = "Its bytes", body = Vec<u8>, content_type = "application/octet-stream"), (status = 401, description = "Nobody is signed in"),
        (status = 404, description = "No such doubt or file, or somebody else's"), (status = 422, description = "Not an id")))]
async fn read_file(
    State(quality): State<Quality>,
    ctx: Ctx,
    ApiPath((id, file)): ApiPath<(uuid::Uuid, uuid::Uuid)>,
) -> Result<Response, ApiError> {
    let (id, file) = (DoubtId::from_uuid(id), DoubtFileId::from_uuid(file));
    let (file, content) = quality.own_file(&ctx, id, file).await?;
    Ok(view::files::attachment(&file.name, file.format.media_type(), content))
}

/// Take a file of one's own doubt back while it is open.
#[utoipa::path(delete, path = "/api/v1/registry-doubts/{id}/files/{file}", operation_id = "remove_doubt_file", tag = "registries",
    params(("id" = uuid::Uuid, Path, description = "The doubt"), ("file" = uuid::Uuid, Path, description = "The file")),
    responses((status = 204, description = "It is gone"), (status = 401, description = "Nobody is signed in"),
        (status = 404, description = "No such doubt, or somebody else's"), (status = 409, description = "It is answered already"), (status = 422, description = "Not an id")))]
async fn remove_file(
    State(quality): State<Quality>,
    ctx: Ctx,
    ApiPath((id, file)): ApiPath<(uuid::Uuid, uuid::Uuid)>,
) -> Result<StatusCode, ApiError> {
    let (id, file) = (DoubtId::from_uuid(id), DoubtFileId::from_uuid(file));
    quality.remove_file(&ctx, id, file).await?;
    Ok(StatusCode::NO_CONTENT)
}
