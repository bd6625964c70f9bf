//! The JSON API of this crate, and the composition of all its routes.

use axum::{Json, http::StatusCode};
use base::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    Actor, Ctx, NewOfficer, Organisation, Permission, Role, Roles,
    service::{IdentityState, Officer},
    web::{ApiError, ApiJson, ApiQuery},
};

/// Who the caller is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Me {
    /// A person.
    Person {
        /// Account.
        account: Uuid,
        /// Full name.
        name: String,
        /// Personal identification number.
        person_number: Option<String>,
        /// Level of the e-ID: `level1` or `level2`.
        #[schema(value_type = String)]
        assurance: crate::Assurance,
        /// For which organisation the person acts.
        #[schema(value_type = Option<OrganisationBody>)]
        organisation: Option<Organisation>,
    },
    /// An officer.
    Officer {
        /// Identifier.
        officer: Uuid,
        /// Full name.
        name: String,
        /// Title.
        title: String,
        /// Agency code (Decision 20/2020/QĐ-TTg).
        agency: String,
        /// Roles.
        #[schema(value_type = Vec<String>)]
        roles: Roles,
        /// What the roles permit.
        #[schema(value_type = Vec<String>)]
        permissions: Vec<Permission>,
    },
}

/// An organisation.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes identity::Organisation in the OpenAPI document")]
struct OrganisationBody {
    /// Tax code.
    tax_code: String,
    /// Registered name.
    name: String,
}

/// Who the caller is.
#[utoipa::path(get, path = "/api/v1/me", tag = "identity", responses(
    (status = 200, body = Me), (status = 401, description = "Nobody is signed in")))]
async fn me(ctx: Ctx) -> Result<Json<Me>, ApiError> {
    Ok(Json(match ctx.actor {
        Actor::Person(person) => Me::Person {
            account: person.account.uuid(),
            name: person.name,
            person_number: person.person_number,
            assurance: person.assurance,
            organisation: person.organisation,
        },
        Actor::Officer(officer) => Me::Officer {
            officer: officer.officer.uuid(),
            name: officer.name,
            title: officer.title,
            agency: officer.agency,
            roles: officer.roles,
            permissions: Permission::ALL
                .into_iter()
                .filter(|p| officer.roles.permit(*p))
                .collect(),
        },
        Actor::Anonymous | Actor::System(_) => return Err(crate::ctx::unauthenticated().into()),
    }))
}

/// Where a list goes on.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Before {
    /// `next` of the page before.
    before: Option<String>,
}

/// One read of the caller's data by somebody else.
#[derive(Debug, Serialize, ToSchema)]
struct ReadBody {
    /// When (RFC 3339).
    at: String,
    /// Who.
    actor: String,
    /// Agency code of the officer.
    agency: String,
    /// Code of the dossier.
    dossier: Option<String>,
    /// Why, in Vietnamese.
    purpose_vi: String,
    /// Why, in English.
    purpose_en: String,
    /// Which data.
    what: String,
    /// The request.
    request_id: Uuid,
}

/// A page of reads.
#[derive(Debug, Serialize, ToSchema)]
struct ReadsBody {
    /// Newest first.
    items: Vec<ReadBody>,
    /// Where the next page starts; absent on the last.
    next: Option<String>,
}

/// Who has seen the caller's data ("Ai đã xem dữ liệu của tôi").
#[utoipa::path(get, path = "/api/v1/me/reads", tag = "identity", params(Before), responses(
    (status = 200, body = ReadsBody), (status = 401, description = "Nobody is signed in"),
    (status = 403, description = "Not a person"), (status = 422, description = "`before` is not a place in the list")))]
async fn my_reads(
    ctx: Ctx,
    axum::Extension(state): axum::Extension<IdentityState>,
    ApiQuery(query): ApiQuery<Before>,
) -> Result<Json<ReadsBody>, ApiError> {
    let before = crate::pages::read_place(query.before.as_deref());
    if query.before.is_some() && before.is_none() {
        return Err(bad_place().into());
    }
    let (entries, next) = state.reads_of_me(&ctx, before).await?;
    let body = |entry: crate::ReadEntry| ReadBody {
        at: entry.at.rfc3339(),
        actor: entry.actor,
        agency: entry.agency,
        dossier: entry.dossier,
        purpose_vi: entry.purpose.vi.clone(),
        purpose_en: entry.purpose.get(base::Lang::En).to_owned(),
        what: entry.what,
        request_id: entry.request_id,
    };
    Ok(Json(ReadsBody {
        items: entries.into_iter().map(body).collect(),
        next: next.map(crate::pages::place),
    }))
}

fn bad_place() -> base::Error {
    let mut problems = base::Problems::new();
    problems.add(
        "before",
        "before",
        "Giá trị này không phải là vị trí trong danh sách; hãy dùng giá trị next của trang trước.",
        "This is no place in the list; use the value of next of the page before.",
    );
    base::Error::Refused(base::Kind::Invalid, problems)
}

/// Where the list of officers goes on.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct OfficersQuery {
    /// Agency whose officers, with those of the agencies below it, are listed; the caller's own without it.
    agency: Option<String>,
    /// `next_agency` of the page before.
    after_agency: Option<String>,
    /// `next_login` of the page before.
    after_login: Option<String>,
}

/// A page of officers.
#[derive(Debug, Serialize, ToSchema)]
struct OfficersBody {
    /// By agency and login name.
    items: Vec<Officer>,
    /// Where the next page starts.
    next_agency: Option<String>,
    /// Where the next page starts.
    next_login: Option<String>,
}

/// Officers of an agency and those below it.
#[utoipa::path(get, path = "/api/v1/officers", tag = "identity", params(OfficersQuery), responses(
    (status = 200, body = OfficersBody), (status = 401, description = "Nobody is signed in"),
    (status = 403, description = "Not an administrator of the agency")))]
async fn officers(
    ctx: Ctx,
    axum::Extension(state): axum::Extension<IdentityState>,
    ApiQuery(query): ApiQuery<OfficersQuery>,
) -> Result<Json<OfficersBody>, ApiError> {
    let own = ctx.officer()?.agency.clone();
    let after = query.after_agency.zip(query.after_login);
    let (items, next) = state
        .officers(&ctx, query.agency.as_deref().unwrap_or(&own), after.as_ref())
        .await?;
    let (next_agency, next_login) = next.unzip();
    Ok(Json(OfficersBody {
        items,
        next_agency,
        next_login,
    }))
}

/// An officer to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewOfficerBody {
    /// Login name: 3 to 64 letters, digits, dots, hyphens, underscores.
    login: String,
    /// Full name.
    name: String,
    /// Title.
    #[serde(default)]
    title: String,
    /// Agency code (Decision 20/2020/QĐ-TTg).
    agency: String,
    /// Roles, at least one.
    #[schema(value_type = Vec<String>)]
    roles: Vec<Role>,
}

/// The officer who was added.
#[derive(Debug, Serialize, ToSchema)]
struct OfficerAdded {
    /// Identifier.
    id: Uuid,
    /// One-time password, given only here.
    password: String,
    /// When: microseconds since 1970.
    #[schema(value_type = i64)]
    created_at: Timestamp,
}

/// Adds an officer with a one-time password.
#[utoipa::path(post, path = "/api/v1/officers", tag = "identity", request_body = NewOfficerBody, responses(
    (status = 201, body = OfficerAdded), (status = 401, description = "Nobody is signed in"),
    (status = 403, description = "Not an administrator of the agency"), (status = 422, description = "Fields are wrong")))]
async fn add_officer(
    ctx: Ctx,
    axum::Extension(state): axum::Extension<IdentityState>,
    ApiJson(body): ApiJson<NewOfficerBody>,
) -> Result<(StatusCode, Json<OfficerAdded>), ApiError> {
    let new = NewOfficer {
        login: body.login,
        name: body.name,
        title: body.title,
        agency: body.agency,
        roles: body.roles.into_iter().collect(),
        password: None,
        demo: None,
    };
    let id = state.create_officer(&ctx, &new).await?;
    let password = state.reset_officer(&ctx, id).await?;
    Ok((
        StatusCode::CREATED,
        Json(OfficerAdded {
            id: id.uuid(),
            password,
            created_at: ctx.now,
        }),
    ))
}

/// The JSON routes with their description, for `/api/openapi.json`.
pub fn api() -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(me))
        .routes(routes!(my_reads))
        .routes(routes!(officers, add_officer))
}
