//! The JSON API of this crate, and the composition of all its routes.

use axum::{Json, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    Actor, Ctx, NewOfficer, Organisation, Permission, Role, Roles,
    service::{IdentityState, Officer},
    web::{ApiError, ApiJson, ApiQuery, Both, Instant, Listing, Paging},
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
        #[schema(pattern = "^[0-9]{12}$")]
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
    #[schema(pattern = "^[0-9]{10}(-[0-9]{3})?$")]
    tax_code: String,
    /// Registered name.
    name: String,
}

/// Who the caller is.
#[utoipa::path(get, path = "/api/v1/me", operation_id = "read_me", tag = "identity", responses(
    (status = 200, description = "The caller", body = Me), (status = 401, description = "Nobody is signed in")))]
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

/// One read of the caller's data by somebody else.
#[derive(Debug, Serialize, ToSchema)]
struct ReadBody {
    /// When.
    at: Instant,
    /// Who.
    actor: String,
    /// Agency code of the officer.
    agency: String,
    /// Code of the dossier.
    dossier: Option<String>,
    /// Why.
    purpose: Both,
    /// Which data.
    what: String,
    /// The request.
    request_id: Uuid,
    /// Where its proof is, once it is a leaf of the transparency log.
    proof: Option<String>,
}

/// Who has seen the caller's data ("Ai đã xem dữ liệu của tôi"), newest first.
#[utoipa::path(get, path = "/api/v1/me/reads", operation_id = "list_reads_of_me", tag = "identity", params(Paging), responses(
    (status = 200, description = "A page", body = Listing<ReadBody>), (status = 401, description = "Nobody is signed in"),
    (status = 403, description = "Not a person"), (status = 422, description = "What is wrong with which parameter")))]
async fn my_reads(
    ctx: Ctx,
    axum::Extension(state): axum::Extension<IdentityState>,
    paging: Paging,
) -> Result<Json<Listing<ReadBody>>, ApiError> {
    let before = paging.place(crate::web::read_place)?;
    let (entries, next) = state.reads_of_me(&ctx, before, paging.limit()).await?;
    let body = |entry: crate::ReadEntry| ReadBody {
        at: entry.at.into(),
        actor: entry.actor,
        agency: entry.agency,
        dossier: entry.dossier,
        purpose: entry.purpose.into(),
        what: entry.what,
        request_id: entry.request_id,
        proof: entry.proved.then(|| format!("/my/reads/proofs/{}", entry.id)),
    };
    Ok(Json(Listing::of(entries, next.map(crate::web::place), body)))
}

/// Whose officers.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct OfficersQuery {
    /// Agency whose officers, with those of the agencies below it, are listed; the caller's own without it.
    agency: Option<String>,
}

/// Officers of an agency and those below it, by agency and login name.
#[utoipa::path(get, path = "/api/v1/officers", operation_id = "list_officers", tag = "identity", params(OfficersQuery, Paging), responses(
    (status = 200, description = "A page", body = Listing<Officer>), (status = 401, description = "Nobody is signed in"),
    (status = 403, description = "Not an administrator of the agency"),
    (status = 422, description = "What is wrong with which parameter")))]
async fn officers(
    ctx: Ctx,
    axum::Extension(state): axum::Extension<IdentityState>,
    ApiQuery(query): ApiQuery<OfficersQuery>,
    paging: Paging,
) -> Result<Json<Listing<Officer>>, ApiError> {
    let own = ctx.officer()?.agency.clone();
    let after = paging.place(crate::web::read_officer_place)?;
    let (officers, next) = state
        .officers(
            &ctx,
            query.agency.as_deref().unwrap_or(&own),
            after.as_ref(),
            paging.limit(),
        )
        .await?;
    let next = next.as_ref().map(crate::web::officer_place);
    Ok(Json(Listing::of(officers, next, std::convert::identity)))
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
    /// When.
    created_at: Instant,
}

/// Adds an officer with a one-time password.
#[utoipa::path(post, path = "/api/v1/officers", operation_id = "add_officer", tag = "identity", request_body = NewOfficerBody, responses(
    (status = 201, description = "Added", body = OfficerAdded), (status = 401, description = "Nobody is signed in"),
    (status = 403, description = "Not an administrator of the agency"), (status = 409, description = "The login name is taken"),
    (status = 422, description = "Every wrong field")))]
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
            created_at: ctx.now.into(),
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
