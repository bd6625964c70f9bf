//! The JSON API of registries. Errors are problem details that carry every problem at once. Whatever gives what records say asks for a
//! purpose, in the headers that the exchange has for it: `X-Motcua-Purpose`, and `X-Road-Issue` for the dossier.

pub(crate) mod body;
mod bulk;
pub mod govstack;
mod openapi;
pub(crate) mod params;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use identity::{ApiError, ApiJson, ApiPath, Ctx, IdempotencyKey, Listing, Paging};
use serde_json::Value;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    model::RegistryCode,
    service::{Feed, Registries, Seen},
};
use body::{
    RecordAssertBody, RecordBody, RecordChangeBody, RecordCorrectBody, RecordEndBody, RecordEraseBody, RecordFreshBody,
    RecordVersionBody, RecordWrittenBody, RegistryBody, RegistryItemBody,
};
use params::{Asking, FeedParams, HistoryParams, MaybePurpose, ReadParams, Stated};

/// The routes, with their part of the OpenAPI file. To be merged at the root.
pub fn router(registries: Registries) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list_registries))
        .routes(routes!(one_registry))
        .routes(routes!(described))
        .routes(routes!(list, add))
        .routes(routes!(one))
        .routes(routes!(history))
        .routes(routes!(assert))
        .routes(routes!(correct))
        .routes(routes!(end))
        .routes(routes!(erase))
        .routes(routes!(changes))
        .merge(bulk::router())
        .with_state(registries)
}

/// List the registries that this node keeps.
#[utoipa::path(get, path = "/api/v1/registries", operation_id = "list_registries", tag = "registries", params(Paging), responses(
    (status = 200, description = "A page", body = Listing<RegistryItemBody>),
    (status = 422, description = "Which parameter is wrong"),
))]
async fn list_registries(
    State(registries): State<Registries>,
    asking: Asking,
    paging: Paging,
) -> Result<axum::Json<Listing<RegistryItemBody>>, ApiError> {
    asking.only(&["cursor", "limit"])?;
    let after = paging.after().unwrap_or_default();
    let all = registries.shelf().all();
    let mut rest = all
        .iter()
        .map(|editions| editions.current())
        .filter(|registry| registry.code.as_str() > after)
        .peekable();
    let page: Vec<_> = rest.by_ref().take(paging.limit() as usize).collect();
    let next = page
        .last()
        .filter(|_| rest.peek().is_some())
        .map(|registry| registry.code.clone());
    Ok(axum::Json(Listing::of(page, next, |registry| {
        RegistryItemBody::of(&registry)
    })))
}

/// Read what a registry is: its schema, its dictionary, its rules, what it offers, and its versions.
#[utoipa::path(get, path = "/api/v1/registries/{code}", operation_id = "read_registry", tag = "registries",
    params(("code" = String, Path, description = "Code of the registry", pattern = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$")), responses(
    (status = 200, description = "The registry", body = RegistryBody),
    (status = 404, description = "No such registry"),
    (status = 422, description = "Not a code, or a parameter that there is not"),
))]
async fn one_registry(
    State(registries): State<Registries>,
    ApiPath(code): ApiPath<RegistryCode>,
    asking: Asking,
) -> Result<axum::Json<RegistryBody>, ApiError> {
    asking.only(&[])?;
    let editions = params::registry(&registries, &code)?;
    Ok(axum::Json(RegistryBody::of(&editions)))
}

/// Read the OpenAPI description of one registry: its own fields and filters by their names.
#[utoipa::path(get, path = "/api/v1/registries/{code}/openapi.json", operation_id = "describe_registry", tag = "registries",
    params(("code" = String, Path, description = "Code of the registry", pattern = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$")), responses(
    (status = 200, description = "An OpenAPI 3.1 document", body = Value),
    (status = 404, description = "No such registry"),
    (status = 422, description = "Not a code, or a parameter that there is not"),
))]
async fn described(
    State(registries): State<Registries>,
    ApiPath(code): ApiPath<RegistryCode>,
    asking: Asking,
) -> Result<axum::Json<Value>, ApiError> {
    asking.only(&[])?;
    let editions = params::registry(&registries, &code)?;
    Ok(axum::Json(openapi::describe(&editions.current())))
}

/// List records. Beside the parameters here each registry has those of its own filters: see its OpenAPI description.
#[utoipa::path(get, path = "/api/v1/registries/{code}/records", operation_id = "list_records", tag = "registries",
    params(("code" = String, Path, description = "Code of the registry", pattern = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"), ReadParams, ("sort" = Option<String>, Query, description = "A field to sort by; with a minus before it from the greatest"), Paging, Stated), responses(
    (status = 200, description = "A page", body = Listing<RecordBody>),
    (status = 401, description = "Nobody is signed in"),
    (status = 403, description = "Not permitted"),
    (status = 404, description = "No such registry"),
    (status = 422, description = "No purpose, or what is wrong with which parameter"),
))]
async fn list(
    State(registries): State<Registries>,
    ctx: Ctx,
    ApiPath(code): ApiPath<RegistryCode>,
    asking: Asking,
    paging: Paging,
    stated: Stated,
) -> Result<axum::Json<Listing<RecordBody>>, ApiError> {
    ctx.signed_in()?;
    let purpose = stated.purpose()?;
    let registry = params::registry(&registries, &code)?.current();
    let query = asking.query(&registry, &paging)?;
    let listed = registries.list(&ctx, &purpose, &code, &query).await?;
    let show = |view| RecordBody::of(view, &registry);
    Ok(axum::Json(Listing::of(listed.items, listed.next, show)))
}

/// Report a record that is not there yet.
#[utoipa::path(post, path = "/api/v1/registries/{code}/records", operation_id = "add_record", tag = "registries", request_body = RecordFreshBody,
    params(("code" = String, Path, description = "Code of the registry", pattern = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"), ("Idempotency-Key" = String, Header, min_length = 1, max_length = 200, description = "The same key with the same body gives the same record")), responses(
    (status = 201, description = "Taken in", body = RecordWrittenBody),
    (status = 401, description = "Nobody is signed in"),
    (status = 403, description = "Not a steward of its agency"),
    (status = 404, description = "No such registry"),
    (status = 409, description = "Another record has the key at that time, or the idempotency key was used for another request"),
    (status = 422, description = "Every problem at its field"),
))]
async fn add(
    State(registries): State<Registries>,
    ctx: Ctx,
    ApiPath(code): ApiPath<RegistryCode>,
    key: IdempotencyKey,
    ApiJson(body): ApiJson<RecordFreshBody>,
) -> Result<Response, ApiError> {
    ctx.signed_in()?;
    let registry = params::registry(&registries, &code)?.current();
    let (change, provenance) = body.read(&registry)?;
    let written = registries.write(&ctx, &code, change, &provenance, key.as_str()).await?;
    let location = format!("/api/v1/registries/{code}/records/{}", written.record);
    let body = RecordWrittenBody::from(written);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], axum::Json(body)).into_response())
}

/// Read what holds of a record.
#[utoipa::path(get, path = "/api/v1/registries/{code}/records/{key}", operation_id = "read_record", tag = "registries",
    params(("code" = String, Path, description = "Code of the registry", pattern = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"), ("key" = String, Path, description = "Its key, parts joined by “~”, or its id"), ReadParams, Stated), responses(
    (status = 200, description = "What holds", body = RecordBody),
    (status = 401, description = "Nobody is signed in"),
    (status = 403, description = "Not permitted"),
    (status = 404, description = "No such registry or record, or nothing holds of it then"),
    (status = 422, description = "No purpose, or what is wrong with which parameter"),
))]
async fn one(
    State(registries): State<Registries>,
    ctx: Ctx,
    ApiPath((code, key)): ApiPath<(RegistryCode, String)>,
    asking: Asking,
    stated: Stated,
) -> Result<axum::Json<RecordBody>, ApiError> {
    ctx.signed_in()?;
    let purpose = stated.purpose()?;
    let registry = params::registry(&registries, &code)?.current();
    let (when, mask) = asking.when_and_mask(&registry)?;
    let view = registries.read(&ctx, &purpose, &code, &key, when, &mask).await?;
    Ok(axum::Json(RecordBody::of(view, &registry)))
}

/// Read every version of a record, oldest first; with `known_at` the history as it was then.
#[utoipa::path(get, path = "/api/v1/registries/{code}/records/{key}/history", operation_id = "list_record_history", tag = "registries",
    params(("code" = String, Path, description = "Code of the registry", pattern = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"), ("key" = String, Path, description = "Its key, parts joined by “~”, or its id"), HistoryParams, Paging, Stated), responses(
    (status = 200, description = "A page", body = Listing<RecordVersionBody>),
    (status = 401, description = "Nobody is signed in"),
    (status = 403, description = "Not permitted"),
    (status = 404, description = "No such registry or record, or nothing was known of it then"),
    (status = 422, description = "No purpose, or what is wrong with which parameter"),
))]
async fn history(
    State(registries): State<Registries>,
    ctx: Ctx,
    ApiPath((code, key)): ApiPath<(RegistryCode, String)>,
    asking: Asking,
    paging: Paging,
    stated: Stated,
) -> Result<axum::Json<Listing<RecordVersionBody>>, ApiError> {
    ctx.signed_in()?;
    let purpose = stated.purpose()?;
    let registry = params::registry(&registries, &code)?.current();
    let (when, mask) = asking.history(&registry)?;
    let after: i64 = paging.place(|cursor| cursor.parse().ok())?.unwrap_or(0);
    let (_, versions) = registries.history(&ctx, &purpose, &code, &key, when, &mask).await?;
    let mut rest = versions.into_iter().filter(|version| version.seq > after).peekable();
    let page: Vec<_> = rest.by_ref().take(paging.limit() as usize).collect();
    let next = page.last().filter(|_| rest.peek().is_some()).map(|version| version.seq);
    let show = |version| RecordVersionBody::of(version, &registry);
    Ok(axum::Json(Listing::of(page, next, show)))
}

macro_rules! change_route {
    ($(#[$doc:meta])* $name:ident, $id:literal, $path:literal, $body:ty) => {
        $(#[$doc])*
        #[utoipa::path(post, path = $path, operation_id = $id, tag = "registries", request_body = $body,
            params(("code" = String, Path, description = "Code of the registry", pattern = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"), ("key" = String, Path, description = "The record's key, parts joined by “~”, or its id"),
                ("Idempotency-Key" = String, Header, min_length = 1, max_length = 200, description = "The same key with the same body happens once")),
            responses((status = 200, description = "Taken in", body = RecordWrittenBody), (status = 401, description = "Nobody is signed in"),
                (status = 403, description = "Not a steward of its agency"), (status = 404, description = "No such registry or record"),
                (status = 409, description = "Somebody else was faster (it says who), or another record has the key at that time"), (status = 422, description = "Every problem at its field")))]
        async fn $name(
            State(registries): State<Registries>,
            ctx: Ctx,
            ApiPath((code, key)): ApiPath<(RegistryCode, String)>,
            idempotency: IdempotencyKey,
            ApiJson(body): ApiJson<$body>,
        ) -> Result<axum::Json<RecordWrittenBody>, ApiError> {
            ctx.signed_in()?;
            let registry = params::registry(&registries, &code)?.current();
            let (record, _) = registries.newest(&ctx, &code, &key).await?;
            let seen = Seen { record, seq: body.seen() };
            let (change, provenance) = body.read(&registry, seen)?;
            let written = registries.write(&ctx, &code, change, &provenance, idempotency.as_str()).await?;
            Ok(axum::Json(RecordWrittenBody::from(written)))
        }
    };
}

change_route!(/// Report what holds of a record from a moment on.
    assert, "report_record", "/api/v1/registries/{code}/records/{key}/assertions", RecordAssertBody);
change_route!(/// Correct a version of a record that was wrong.
    correct, "correct_record", "/api/v1/registries/{code}/records/{key}/corrections", RecordCorrectBody);
change_route!(/// Report that nothing holds of a record from a moment on.
    end, "end_record", "/api/v1/registries/{code}/records/{key}/ends", RecordEndBody);

/// Erase what a record says and said, where the law says so. It cannot be taken back.
#[utoipa::path(post, path = "/api/v1/registries/{code}/records/{key}/erasure", operation_id = "erase_record", tag = "registries", request_body = RecordEraseBody,
    params(("code" = String, Path, description = "Code of the registry", pattern = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"), ("key" = String, Path, description = "The record's key, parts joined by “~”, or its id")),
    responses((status = 200, description = "Erased", body = RecordWrittenBody), (status = 401, description = "Nobody is signed in"),
        (status = 403, description = "Not a steward of its agency"), (status = 404, description = "No such registry or record"),
        (status = 409, description = "It is erased already, or somebody else was faster"), (status = 422, description = "No law, or what is wrong")))]
async fn erase(
    State(registries): State<Registries>,
    ctx: Ctx,
    ApiPath((code, key)): ApiPath<(RegistryCode, String)>,
    ApiJson(body): ApiJson<RecordEraseBody>,
) -> Result<axum::Json<RecordWrittenBody>, ApiError> {
    ctx.signed_in()?;
    let (record, _) = registries.newest(&ctx, &code, &key).await?;
    let seen = Seen { record, seq: body.seen };
    let written = registries.erase(&ctx, &code, seen, &body.provenance()).await?;
    Ok(axum::Json(RecordWrittenBody::from(written)))
}

/// Follow what is recorded, in its order; with `known_at` up to then. Without a purpose nothing is told of what records say.
#[utoipa::path(get, path = "/api/v1/registries/{code}/changes", operation_id = "list_record_changes", tag = "registries",
    params(("code" = String, Path, description = "Code of the registry", pattern = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"), FeedParams, Paging, MaybePurpose), responses(
    (status = 200, description = "A page. After the last one go on later with the cursor of its last item", body = Listing<RecordChangeBody>),
    (status = 401, description = "Nobody is signed in"),
    (status = 403, description = "Not permitted"),
    (status = 404, description = "No such registry"),
    (status = 422, description = "What is wrong with which parameter"),
))]
async fn changes(
    State(registries): State<Registries>,
    ctx: Ctx,
    ApiPath(code): ApiPath<RegistryCode>,
    asking: Asking,
    paging: Paging,
    stated: MaybePurpose,
) -> Result<axum::Json<Listing<RecordChangeBody>>, ApiError> {
    ctx.signed_in()?;
    let purpose = stated.purpose()?;
    let registry = params::registry(&registries, &code)?.current();
    let (known_at, mask) = asking.feed(&registry)?;
    let feed = Feed {
        after: paging.place(|cursor| cursor.parse().ok())?,
        known_at,
        limit: paging.limit(),
    };
    let page = registries.changes(&ctx, purpose.as_ref(), &code, feed, &mask).await?;
    let show = |change| RecordChangeBody::of(change, &registry);
    Ok(axum::Json(Listing::of(page.items, page.next, show)))
}
