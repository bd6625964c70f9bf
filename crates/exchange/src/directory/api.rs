//! The addresses for programs: of nodes that join and change their entry, of the operator, and of whoever reads the
//! directory.

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base::{Error, Kind, Problems, Timestamp};
use identity::{ApiError, ApiJson, ApiPath, ApiQuery, Ctx};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{
    Follower, Membership,
    format::LONGEST_SEALED,
    membership::{
        Answer, Application, ApplicationId, ApplicationStanding, Approve, Changed, EntryRequest, Invite, Revoke,
        reason_of,
    },
};
use crate::model::{federation::Freshness, identifier::MemberId};

/// Longest change of an entry with its documents, in bytes.
const LONGEST_CHANGE: usize = 16 * 1024 * 1024;

/// What nodes call at the operator, outside of `/api`: `POST /exchange/join`, `POST /exchange/join/state`,
/// `POST /exchange/entry`, `GET /exchange/entry/{instance}/{class}/{code}`. The bodies are sealed by the callers' keys, so
/// nobody signs in. To be put below [`identity::layer`].
pub fn nodes(membership: Membership) -> Router {
    let sealed = Router::new()
        .route("/exchange/join", post(apply))
        .route("/exchange/join/state", post(question))
        .layer(DefaultBodyLimit::max(LONGEST_SEALED as usize));
    Router::new()
        .route("/exchange/entry", post(change_entry))
        .layer(DefaultBodyLimit::max(LONGEST_CHANGE))
        .route("/exchange/entry/{instance}/{class}/{code}", get(entry_version))
        .merge(sealed)
        .with_state(membership)
}

async fn apply(
    State(membership): State<Membership>,
    ctx: Ctx,
    document: Bytes,
) -> Result<(StatusCode, Json<Answer>), ApiError> {
    let answer = membership.apply(&ctx, &document).await?;
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

async fn question(State(membership): State<Membership>, ctx: Ctx, document: Bytes) -> Result<Json<Answer>, ApiError> {
    Ok(Json(membership.question(&ctx, &document).await?))
}

async fn change_entry(
    State(membership): State<Membership>,
    ctx: Ctx,
    ApiJson(request): ApiJson<EntryRequest>,
) -> Result<Json<Changed>, ApiError> {
    Ok(Json(membership.change_entry(&ctx, &request).await?))
}

async fn entry_version(
    State(membership): State<Membership>,
    ApiPath(member): ApiPath<MemberPath>,
) -> Result<Json<Changed>, ApiError> {
    Ok(Json(Changed {
        version: membership.entry_version(&member.id()?).await?,
        certificate: None,
    }))
}

/// The parts of a member's id in an address.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct MemberPath {
    instance: String,
    class: String,
    code: String,
}

impl MemberPath {
    /// The member; what is no id is a member that is not there.
    pub(super) fn id(&self) -> base::Result<MemberId> {
        let part = |text: &str| crate::model::identifier::Part::new(text);
        match (part(&self.instance), part(&self.class), part(&self.code)) {
            (Ok(instance), Ok(class), Ok(code)) => Ok(MemberId { instance, class, code }),
            _ => Err(Error::not_found("thành viên", "member")),
        }
    }
}

/// The directory for programs of this node: `GET /api/v1/exchange/directory`.
pub fn directory(follower: Follower) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(read_directory))
        .with_state(follower)
}

/// The directory as this node has it.
#[derive(Debug, Serialize, ToSchema)]
struct DirectoryBody {
    /// `fresh`, `stale` or `expired`.
    freshness: &'static str,
    /// Since when it is not fresh, RFC 3339.
    since: Option<String>,
    /// Until when members that were met are still talked to, RFC 3339.
    until: Option<String>,
    /// When a mirror last gave a good answer, RFC 3339.
    checked: Option<String>,
    /// The edition, as the operator signed it.
    #[schema(value_type = Object)]
    directory: crate::model::federation::Directory,
}

/// Who is in the federation, and how old what this node knows of it is.
#[utoipa::path(get, path = "/api/v1/exchange/directory", tag = "exchange", responses(
    (status = 200, description = "The directory", body = DirectoryBody),
))]
async fn read_directory(State(follower): State<Follower>) -> Response {
    let standing = follower.standing().load_full();
    let at = |at: Timestamp| Some(at.rfc3339());
    let (freshness, since, until) = match standing.freshness {
        Freshness::Fresh => ("fresh", None, None),
        Freshness::Stale { since, until } => ("stale", at(since), at(until)),
        Freshness::Expired { since } => ("expired", at(since), None),
    };
    let body = DirectoryBody {
        freshness,
        since,
        until,
        checked: follower.report().good.map(Timestamp::rfc3339),
        directory: standing.view.directory().clone(),
    };
    ([(header::CACHE_CONTROL, "no-cache")], Json(body)).into_response()
}

/// What the operator's programs call.
pub fn operator(membership: Membership) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(applications))
        .routes(routes!(application))
        .routes(routes!(approve))
        .routes(routes!(refuse))
        .routes(routes!(invite))
        .routes(routes!(suspend))
        .routes(routes!(resume))
        .routes(routes!(revoke))
        .with_state(membership)
}

/// Which applications, from where on.
#[derive(Debug, Deserialize, IntoParams)]
struct ApplicationsParams {
    /// `pending` (if not said), `approved` or `refused`.
    standing: Option<String>,
    /// Where the last page ended: `next` of it.
    after: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
struct ApplicationsBody {
    /// Oldest first.
    #[schema(value_type = Vec<Object>)]
    applications: Vec<Application>,
    /// For `after`, when there are more.
    next: Option<String>,
}

/// Applications, oldest first.
#[utoipa::path(get, path = "/api/v1/exchange/applications", tag = "exchange", params(ApplicationsParams), responses(
    (status = 200, description = "A page of applications", body = ApplicationsBody),
    (status = 403, description = "Without the permission manage-directory", content_type = "application/problem+json"),
))]
async fn applications(
    State(membership): State<Membership>,
    ctx: Ctx,
    ApiQuery(params): ApiQuery<ApplicationsParams>,
) -> Result<Json<ApplicationsBody>, ApiError> {
    let standing = params.standing.as_deref().and_then(ApplicationStanding::from_code);
    let standing = standing.unwrap_or(ApplicationStanding::Pending);
    let after = params.after.as_deref().and_then(read_place);
    let (applications, next) = membership.applications(&ctx, standing, after).await?;
    Ok(Json(ApplicationsBody {
        applications,
        next: next.map(place),
    }))
}

/// The place in a list, as it stands in an address: `micros.uuid`.
pub(super) fn place((at, id): (i64, Uuid)) -> String {
    format!("{at}.{id}")
}

/// Reads [`place`]; anything else is the beginning of the list.
pub(super) fn read_place(text: &str) -> Option<(i64, Uuid)> {
    let (at, id) = text.split_once('.')?;
    Some((at.parse().ok()?, id.parse().ok()?))
}

/// One application.
#[utoipa::path(get, path = "/api/v1/exchange/applications/{id}", tag = "exchange", params(("id" = Uuid, Path)), responses(
    (status = 200, description = "The application"),
    (status = 403, description = "Without the permission manage-directory", content_type = "application/problem+json"),
    (status = 404, description = "No such application", content_type = "application/problem+json"),
))]
async fn application(
    State(membership): State<Membership>,
    ctx: Ctx,
    ApiPath(id): ApiPath<Uuid>,
) -> Result<Json<Application>, ApiError> {
    Ok(Json(membership.application(&ctx, ApplicationId::from_uuid(id)).await?))
}

/// Lets the applicant in.
#[utoipa::path(post, path = "/api/v1/exchange/applications/{id}/approve", tag = "exchange", params(("id" = Uuid, Path)),
    request_body(content = Object, description = "`{\"adds_to_member\": true}` to add to a member whose key did not sign"),
    responses(
    (status = 204, description = "Approved and published"),
    (status = 403, description = "Without the permission manage-directory", content_type = "application/problem+json"),
    (status = 404, description = "No such application", content_type = "application/problem+json"),
    (status = 409, description = "Decided before, or taken by another member", content_type = "application/problem+json"),
))]
async fn approve(
    State(membership): State<Membership>,
    ctx: Ctx,
    ApiPath(id): ApiPath<Uuid>,
    ApiJson(body): ApiJson<Approve>,
) -> Result<StatusCode, ApiError> {
    membership.approve(&ctx, ApplicationId::from_uuid(id), body).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReasonBody {
    /// For whoever it concerns to read.
    reason: String,
}

/// Refuses the application.
#[utoipa::path(post, path = "/api/v1/exchange/applications/{id}/refuse", tag = "exchange", params(("id" = Uuid, Path)),
    request_body = ReasonBody, responses(
    (status = 204, description = "Refused"),
    (status = 403, description = "Without the permission manage-directory", content_type = "application/problem+json"),
    (status = 409, description = "Decided before", content_type = "application/problem+json"),
    (status = 422, description = "Without a reason", content_type = "application/problem+json"),
))]
async fn refuse(
    State(membership): State<Membership>,
    ctx: Ctx,
    ApiPath(id): ApiPath<Uuid>,
    ApiJson(body): ApiJson<ReasonBody>,
) -> Result<StatusCode, ApiError> {
    membership
        .refuse(&ctx, ApplicationId::from_uuid(id), &body.reason)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Serialize, ToSchema)]
struct InvitationBody {
    /// Shown once; not kept.
    code: String,
}

/// Invites a member to apply.
#[utoipa::path(post, path = "/api/v1/exchange/invitations", tag = "exchange",
    request_body(content = Object, description = "`{\"member\": \"VN/GOV/000.00.00.H26\", \"days\": 14}`"), responses(
    (status = 201, description = "The code of the invitation", body = InvitationBody),
    (status = 403, description = "Without the permission manage-directory", content_type = "application/problem+json"),
    (status = 422, description = "What is wrong", content_type = "application/problem+json"),
))]
async fn invite(
    State(membership): State<Membership>,
    ctx: Ctx,
    ApiJson(body): ApiJson<Invite>,
) -> Result<(StatusCode, Json<InvitationBody>), ApiError> {
    let code = membership.invite(&ctx, &body).await?;
    Ok((StatusCode::CREATED, Json(InvitationBody { code })))
}

/// Suspends a member.
#[utoipa::path(post, path = "/api/v1/exchange/members/{instance}/{class}/{code}/suspend", tag = "exchange",
    params(("instance" = String, Path), ("class" = String, Path), ("code" = String, Path)), request_body = ReasonBody,
    responses(
    (status = 204, description = "Suspended and published"),
    (status = 403, description = "Without the permission manage-directory", content_type = "application/problem+json"),
    (status = 404, description = "No such member", content_type = "application/problem+json"),
    (status = 409, description = "Suspended before", content_type = "application/problem+json"),
))]
async fn suspend(
    State(membership): State<Membership>,
    ctx: Ctx,
    ApiPath(member): ApiPath<MemberPath>,
    ApiJson(body): ApiJson<ReasonBody>,
) -> Result<StatusCode, ApiError> {
    membership.suspend(&ctx, &member.id()?, &body.reason).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets a suspended member take part again.
#[utoipa::path(post, path = "/api/v1/exchange/members/{instance}/{class}/{code}/resume", tag = "exchange",
    params(("instance" = String, Path), ("class" = String, Path), ("code" = String, Path)), request_body = ReasonBody,
    responses(
    (status = 204, description = "Takes part again; published"),
    (status = 403, description = "Without the permission manage-directory", content_type = "application/problem+json"),
    (status = 404, description = "No such member", content_type = "application/problem+json"),
    (status = 409, description = "Not suspended", content_type = "application/problem+json"),
))]
async fn resume(
    State(membership): State<Membership>,
    ctx: Ctx,
    ApiPath(member): ApiPath<MemberPath>,
    ApiJson(body): ApiJson<ReasonBody>,
) -> Result<StatusCode, ApiError> {
    membership.resume(&ctx, &member.id()?, &body.reason).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Why a certificate is revoked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RevokeBody {
    /// `key-compromise`, `superseded`, `affiliation-changed`, `cessation-of-operation`, `privilege-withdrawn`,
    /// `unspecified` (RFC 5280, 5.3.1).
    reason: String,
    /// Since when the key may have been in other hands, RFC 3339.
    invalid_since: Option<String>,
}

impl RevokeBody {
    fn read(&self) -> base::Result<Revoke> {
        let mut problems = Problems::new();
        let reason = reason_of(&self.reason);
        if reason.is_none() {
            problems.add(
                "reason",
                "reason",
                "Không có lý do thu hồi này.",
                "There is no such reason.",
            );
        }
        let since = self.invalid_since.as_deref().map(Timestamp::parse_rfc3339);
        if since == Some(None) {
            problems.add(
                "invalid-since",
                "invalid_since",
                "Thời điểm phải theo RFC 3339, ví dụ 2026-11-25T08:00:00+07:00.",
                "The instant is in RFC 3339, such as 2026-11-25T08:00:00+07:00.",
            );
        }
        match reason {
            Some(reason) if problems.is_empty() => Ok(Revoke {
                reason,
                invalid_since: since.flatten(),
            }),
            _ => Err(Error::Refused(Kind::Invalid, problems)),
        }
    }
}

/// Revokes a certificate.
#[utoipa::path(post, path = "/api/v1/exchange/certificates/{serial}/revoke", tag = "exchange",
    params(("serial" = String, Path)),
    request_body = RevokeBody, responses(
    (status = 204, description = "Revoked and published"),
    (status = 403, description = "Without the permission manage-directory", content_type = "application/problem+json"),
    (status = 404, description = "No such certificate", content_type = "application/problem+json"),
    (status = 409, description = "Revoked before", content_type = "application/problem+json"),
    (status = 422, description = "What is wrong", content_type = "application/problem+json"),
))]
async fn revoke(
    State(membership): State<Membership>,
    ctx: Ctx,
    ApiPath(serial): ApiPath<String>,
    ApiJson(body): ApiJson<RevokeBody>,
) -> Result<StatusCode, ApiError> {
    membership.revoke(&ctx, &serial, body.read()?).await?;
    Ok(StatusCode::NO_CONTENT)
}
