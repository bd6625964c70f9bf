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
use identity::{ApiError, ApiJson, ApiPath, ApiQuery, Ctx, Instant, Listing, Paging, SignedIn, place, read_place};
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
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct MemberPath {
    /// The federation: `VN`.
    instance: String,
    /// The class of the member: `GOV`.
    class: String,
    /// The code of the member.
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
    /// Since when it is not fresh.
    since: Option<Instant>,
    /// Until when members that were met are still talked to.
    until: Option<Instant>,
    /// When a mirror last gave a good answer.
    checked: Option<Instant>,
    /// The edition, as the operator signed it.
    #[schema(value_type = Object)]
    directory: crate::model::federation::Directory,
}

/// Who is in the federation, and how old what this node knows of it is.
#[utoipa::path(get, path = "/api/v1/exchange/directory", operation_id = "read_directory", tag = "exchange", responses(
    (status = 200, description = "The directory", body = DirectoryBody),
))]
async fn read_directory(State(follower): State<Follower>) -> Response {
    let standing = follower.standing().load_full();
    let at = |at: Timestamp| Some(Instant::from(at));
    let (freshness, since, until) = match standing.freshness {
        Freshness::Fresh => ("fresh", None, None),
        Freshness::Stale { since, until } => ("stale", at(since), at(until)),
        Freshness::Expired { since } => ("expired", at(since), None),
    };
    let body = DirectoryBody {
        freshness,
        since,
        until,
        checked: follower.report().good.map(Instant::from),
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

/// Which applications.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ApplicationsParams {
    /// How they stand; `pending` if not said.
    #[param(value_type = Option<ApplicationStanding>, inline)]
    standing: Option<String>,
}

/// Applications, oldest first.
#[utoipa::path(get, path = "/api/v1/exchange/applications", operation_id = "list_applications", tag = "exchange", params(ApplicationsParams, Paging), responses(
    (status = 200, description = "A page of applications", body = Listing<Application>),
    (status = 422, description = "What is wrong with which parameter"),
    SignedIn,
))]
async fn applications(
    State(membership): State<Membership>,
    ctx: Ctx,
    ApiQuery(params): ApiQuery<ApplicationsParams>,
    paging: Paging,
) -> Result<Json<Listing<Application>>, ApiError> {
    let standing = match params.standing.as_deref() {
        None => ApplicationStanding::Pending,
        Some(code) => ApplicationStanding::from_code(code).ok_or_else(unknown_standing)?,
    };
    let after = paging.place(read_place)?;
    let (applications, next) = membership.applications(&ctx, standing, after, paging.limit()).await?;
    Ok(Json(Listing::of(applications, next.map(place), std::convert::identity)))
}

fn unknown_standing() -> Error {
    let mut problems = Problems::new();
    problems.add(
        "standing",
        "standing",
        "Trạng thái là pending, approved hoặc refused.",
        "The standing is pending, approved or refused.",
    );
    Error::Refused(Kind::Invalid, problems)
}

/// One application.
#[utoipa::path(get, path = "/api/v1/exchange/applications/{id}", operation_id = "read_application", tag = "exchange", params(("id" = Uuid, Path, description = "The application")), responses(
    (status = 200, description = "The application", body = Application),
    SignedIn,
    (status = 404, description = "No such application"),
))]
async fn application(
    State(membership): State<Membership>,
    ctx: Ctx,
    ApiPath(id): ApiPath<Uuid>,
) -> Result<Json<Application>, ApiError> {
    Ok(Json(membership.application(&ctx, ApplicationId::from_uuid(id)).await?))
}

/// Lets the applicant in.
#[utoipa::path(post, path = "/api/v1/exchange/applications/{id}/approve", operation_id = "approve_application", tag = "exchange", params(("id" = Uuid, Path, description = "The application")),
    request_body = Approve,
    responses(
    (status = 204, description = "Approved and published"),
    SignedIn,
    (status = 404, description = "No such application"),
    (status = 409, description = "Decided before, or taken by another member"),
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
struct DecisionReason {
    /// For whoever it concerns to read.
    reason: String,
}

/// Refuses the application.
#[utoipa::path(post, path = "/api/v1/exchange/applications/{id}/refuse", operation_id = "refuse_application", tag = "exchange", params(("id" = Uuid, Path, description = "The application")),
    request_body = DecisionReason, responses(
    (status = 204, description = "Refused"),
    SignedIn,
    (status = 409, description = "Decided before"),
    (status = 422, description = "Without a reason"),
))]
async fn refuse(
    State(membership): State<Membership>,
    ctx: Ctx,
    ApiPath(id): ApiPath<Uuid>,
    ApiJson(body): ApiJson<DecisionReason>,
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
#[utoipa::path(post, path = "/api/v1/exchange/invitations", operation_id = "invite_member", tag = "exchange",
    request_body = Invite, responses(
    (status = 201, description = "The code of the invitation", body = InvitationBody),
    (status = 409, description = "It has an invitation that it has not used yet"),
    SignedIn,
    (status = 422, description = "What is wrong"),
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
#[utoipa::path(post, path = "/api/v1/exchange/members/{instance}/{class}/{code}/suspend", operation_id = "suspend_member", tag = "exchange",
    params(MemberPath), request_body = DecisionReason,
    responses(
    (status = 204, description = "Suspended and published"),
    SignedIn,
    (status = 404, description = "No such member"),
    (status = 409, description = "Suspended before"),
))]
async fn suspend(
    State(membership): State<Membership>,
    ctx: Ctx,
    ApiPath(member): ApiPath<MemberPath>,
    ApiJson(body): ApiJson<DecisionReason>,
) -> Result<StatusCode, ApiError> {
    membership.suspend(&ctx, &member.id()?, &body.reason).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets a suspended member take part again.
#[utoipa::path(post, path = "/api/v1/exchange/members/{instance}/{class}/{code}/resume", operation_id = "resume_member", tag = "exchange",
    params(MemberPath), request_body = DecisionReason,
    responses(
    (status = 204, description = "Takes part again; published"),
    SignedIn,
    (status = 404, description = "No such member"),
    (status = 409, description = "Not suspended"),
))]
async fn resume(
    State(membership): State<Membership>,
    ctx: Ctx,
    ApiPath(member): ApiPath<MemberPath>,
    ApiJson(body): ApiJson<DecisionReason>,
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
    /// Since when the key may have been in other hands.
    #[schema(format = DateTime)]
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
#[utoipa::path(post, path = "/api/v1/exchange/certificates/{serial}/revoke", operation_id = "revoke_certificate", tag = "exchange",
    params(("serial" = String, Path, description = "Its serial number in hex")),
    request_body = RevokeBody, responses(
    (status = 204, description = "Revoked and published"),
    SignedIn,
    (status = 404, description = "No such certificate"),
    (status = 409, description = "Revoked before"),
    (status = 422, description = "What is wrong"),
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
