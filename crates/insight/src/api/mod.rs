//! The JSON API of the publication, and the same figures as CSV. Public: no personal data.

mod bodies;
mod params;
mod sheet;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use base::Error;
use identity::{ApiError, ApiQuery, Ctx, Tag};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa_axum::{router::OpenApiRouter, routes};

pub use self::{
    bodies::{LineBody, NowBody, ReportBody, ServiceFigures, ServicesFigures},
    params::{ReportParams, ServicesParams},
};
use crate::Insight;

/// The routes, with their part of the OpenAPI file. To be merged at the root.
pub fn router(insight: Insight) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(publication))
        .routes(routes!(publication_csv))
        .routes(routes!(services))
        .routes(routes!(services_csv))
        .with_state(insight)
}

/// The answer, or that the caller has it already: `content` is all that was hashed for its tag.
fn tagged(headers: &HeaderMap, content: Sha256, kind: &'static str, body: impl FnOnce() -> Body) -> Response {
    let tag = Tag::hash(&content.finalize());
    let common = [
        (header::CACHE_CONTROL, "public, max-age=60"),
        (header::VARY, "Cookie, Accept-Language"),
    ];
    (common, tag.answer(headers, || ([(header::CONTENT_TYPE, kind)], body()))).into_response()
}

fn json(headers: &HeaderMap, body: &impl Serialize) -> Result<Response, ApiError> {
    let bytes = serde_json::to_vec(body).map_err(Error::internal)?;
    let hasher = Sha256::new().chain_update(&bytes);
    Ok(tagged(headers, hasher, "application/json", || Body::from(bytes)))
}

/// Figures of case progress.
#[utoipa::path(get, path = "/api/v1/publication", operation_id = "read_publication", tag = "publication", params(ReportParams), responses(
    (status = 200, description = "The figures", body = ReportBody),
    (status = 304, description = "The caller has them already"),
    (status = 404, description = "No figures of such an agency or field"),
    (status = 422, description = "What is wrong with which parameter"),
))]
async fn publication(
    State(insight): State<Insight>,
    ctx: Ctx,
    headers: HeaderMap,
    ApiQuery(params): ApiQuery<ReportParams>,
) -> Result<Response, ApiError> {
    let question = params.read(ctx.now)?;
    let report = insight.report(&question, ctx.now).await?;
    json(&headers, &ReportBody::of(question, &report))
}

/// The same figures as CSV (UTF-8 with byte order mark, which spreadsheets need to read Vietnamese).
#[utoipa::path(get, path = "/api/v1/publication.csv", operation_id = "read_publication_csv", tag = "publication", params(ReportParams), responses(
    (status = 200, description = "The figures", body = String, content_type = "text/csv"),
    (status = 304, description = "The caller has them already"),
    (status = 404, description = "No figures of such an agency or field"),
    (status = 422, description = "What is wrong with which parameter"),
))]
async fn publication_csv(
    State(insight): State<Insight>,
    ctx: Ctx,
    headers: HeaderMap,
    ApiQuery(params): ApiQuery<ReportParams>,
) -> Result<Response, ApiError> {
    let question = params.read(ctx.now)?;
    let report = insight.report(&question, ctx.now).await?;
    Ok(sheet::report(&headers, report.lines, ctx.lang)?)
}

/// The two level-4 figures of each service.
#[utoipa::path(get, path = "/api/v1/publication/services", operation_id = "read_service_figures", tag = "publication", params(ServicesParams), responses(
    (status = 200, description = "The figures", body = ServicesFigures),
    (status = 304, description = "The caller has them already"),
    (status = 404, description = "No figures of such an agency"),
    (status = 422, description = "What is wrong with which parameter"),
))]
async fn services(
    State(insight): State<Insight>,
    ctx: Ctx,
    headers: HeaderMap,
    ApiQuery(params): ApiQuery<ServicesParams>,
) -> Result<Response, ApiError> {
    let (agency, year) = params.read(ctx.now)?;
    let lines = insight.services(agency.as_deref(), year, ctx.now).await?;
    let body = ServicesFigures {
        year,
        services: lines.iter().map(ServiceFigures::from).collect(),
    };
    json(&headers, &body)
}

/// The level-4 figures as CSV.
#[utoipa::path(get, path = "/api/v1/publication/services.csv", operation_id = "read_service_figures_csv", tag = "publication", params(ServicesParams), responses(
    (status = 200, description = "The figures", body = String, content_type = "text/csv"),
    (status = 304, description = "The caller has them already"),
    (status = 404, description = "No figures of such an agency"),
    (status = 422, description = "What is wrong with which parameter"),
))]
async fn services_csv(
    State(insight): State<Insight>,
    ctx: Ctx,
    headers: HeaderMap,
    ApiQuery(params): ApiQuery<ServicesParams>,
) -> Result<Response, ApiError> {
    let (agency, year) = params.read(ctx.now)?;
    let lines = insight.services(agency.as_deref(), year, ctx.now).await?;
    Ok(sheet::services(&headers, lines, ctx.lang)?)
}
