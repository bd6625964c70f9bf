//! Resumable uploads: begin, continue from the offset that is here, ask where it stands.

use axum::{
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use base::{Error, Kind, Result};
use identity::{ApiError, ApiJson, ApiPath, Ctx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    model::action::{ConsultationId, UploadId},
    service::{Dossiers, UploadFor, UploadState},
};

const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
/// A piece and what surrounds it.
const LARGEST_BODY: usize = (4 << 20) + 1024;

pub(super) fn router() -> OpenApiRouter<Dossiers> {
    OpenApiRouter::new()
        .routes(routes!(begin))
        .routes(routes!(append, standing))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
}

/// What will be sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BeginBody {
    /// National code of the procedure that will be filed; left out with `dossier` or `consultation`.
    #[serde(default)]
    procedure: String,
    /// Code of the dossier whose open request asks for the paper.
    #[serde(default)]
    dossier: Option<String>,
    /// Id of the question of another agency with whose opinion the file goes.
    #[serde(default)]
    consultation: Option<Uuid>,
    /// Id of the paper; left out with `consultation`.
    #[serde(default)]
    paper: String,
    /// Name of the file.
    name: String,
    /// Bytes.
    #[schema(minimum = 1)]
    length: i64,
}

/// How far an upload is.
#[derive(Debug, Serialize, ToSchema)]
struct UploadBody {
    /// Id.
    id: Uuid,
    /// The paper that it is for.
    paper: String,
    /// Bytes that are here.
    offset: i64,
    /// Bytes in all.
    length: i64,
    /// Set when the file is whole and was judged good.
    sha256: Option<String>,
    /// Media type, as its content shows.
    media_type: Option<String>,
    /// Pages, where it has any.
    pages: Option<u32>,
}

impl From<UploadState> for UploadBody {
    fn from(s: UploadState) -> Self {
        Self {
            id: s.id.uuid(),
            paper: s.paper,
            offset: s.offset,
            length: s.length,
            sha256: s.file.as_ref().map(|f| f.sha256.clone()),
            media_type: s.file.as_ref().map(|f| f.media_type.clone()),
            pages: s.file.and_then(|f| f.pages),
        }
    }
}

fn answer(status: StatusCode, state: UploadState) -> Response {
    let location = format!("/api/v1/uploads/{}", state.id);
    let headers = [
        (OFFSET, state.offset.to_string()),
        (LENGTH, state.length.to_string()),
        (header::LOCATION, location),
    ];
    (status, headers, axum::Json(UploadBody::from(state))).into_response()
}

/// Begin an upload for a paper of a dossier that will be filed, or that an open request asks for; or for an opinion.
#[utoipa::path(post, path = "/api/v1/uploads", operation_id = "begin_upload", tag = "uploads", request_body = BeginBody, responses(
    (status = 201, description = "Begun; send pieces to its Location", body = UploadBody),
    (status = 401, description = "Nobody is signed in"),
    (status = 404, description = "No such procedure, dossier, question or paper"),
    (status = 409, description = "Nothing is asked for, or it is answered"),
    (status = 413, description = "Too large"),
    (status = 422, description = "What is wrong"),
))]
async fn begin(
    State(dossiers): State<Dossiers>,
    ctx: Ctx,
    ApiJson(body): ApiJson<BeginBody>,
) -> Result<Response, ApiError> {
    let purpose = match (&body.dossier, body.consultation) {
        (_, Some(id)) => UploadFor::Opinion(ConsultationId::from_uuid(id)),
        (Some(code), None) => UploadFor::Supplement(code),
        (None, None) => UploadFor::Procedure(&body.procedure),
    };
    let state = dossiers
        .begin_upload(&ctx, purpose, &body.paper, &body.name, body.length)
        .await?;
    Ok(answer(StatusCode::CREATED, state))
}

/// Add the piece that begins at `Upload-Offset`. The last piece has the file judged.
#[utoipa::path(patch, path = "/api/v1/uploads/{id}", operation_id = "append_to_upload", tag = "uploads",
    request_body(content = Vec<u8>, content_type = "application/offset+octet-stream"),
    params(("id" = Uuid, Path, description = "The upload"), ("Upload-Offset" = i64, Header, description = "Where the piece begins")),
    responses(
        (status = 200, description = "Where it stands now", body = UploadBody),
        (status = 401, description = "Nobody is signed in"),
        (status = 404, description = "No such upload of the caller"),
        (status = 409, description = "It does not stand there"),
        (status = 413, description = "The piece is too large"),
        (status = 422, description = "Every reason why the file is refused"),
    ))]
async fn append(
    State(dossiers): State<Dossiers>,
    ctx: Ctx,
    ApiPath(id): ApiPath<UploadId>,
    headers: HeaderMap,
    piece: Bytes,
) -> Result<Response, ApiError> {
    let offset = headers
        .get(OFFSET)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.trim().parse().ok())
        .filter(|n: &i64| *n >= 0);
    let offset = offset.ok_or_else(|| {
        Error::refused(
            Kind::Invalid,
            "upload-offset",
            "Thiếu tiêu đề Upload-Offset.",
            "The header Upload-Offset is missing.",
        )
    })?;
    let state = dossiers.append_upload(&ctx, id, offset, &piece).await?;
    Ok(answer(StatusCode::OK, state))
}

/// Where an upload stands.
#[utoipa::path(get, path = "/api/v1/uploads/{id}", operation_id = "read_upload", tag = "uploads", params(("id" = Uuid, Path, description = "The upload")), responses(
    (status = 200, description = "Where it stands", body = UploadBody),
    (status = 401, description = "Nobody is signed in"),
    (status = 404, description = "No such upload of the caller"),
    (status = 422, description = "Not an id"),
))]
async fn standing(
    State(dossiers): State<Dossiers>,
    ctx: Ctx,
    ApiPath(id): ApiPath<UploadId>,
) -> Result<Response, ApiError> {
    Ok(answer(StatusCode::OK, dossiers.upload(&ctx, id).await?))
}
