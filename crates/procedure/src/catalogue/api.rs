//! The JSON API of the catalogue: search with keyset pages, one procedure with its ETag, the form's JSON Schema, the
//! process as BPMN.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use base::{Error, Kind, Problems, Result, Text};
use identity::{ApiError, ApiPath, ApiQuery, Ctx, Paging, Tag};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    model::{Audience, Bilingual, Code, Entry, Level, Sort, State as Standing},
    search::{Facet, Query, Summary},
    service::Catalogue,
};

/// The routes, with their part of the OpenAPI file. To be nested at the root.
pub fn router(catalogue: Catalogue) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(facets))
        .routes(routes!(one))
        .routes(routes!(form))
        .routes(routes!(process))
        .with_state(catalogue)
}

/// What is looked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct ListParams {
    /// Words in any order, with or without diacritics, or a code. At most 200 characters count.
    q: String,
    /// Only of this life event: `co-con-nho`.
    life_event: String,
    /// Only for this audience.
    #[param(inline, value_type = Option<Audience>)]
    audience: String,
    /// Only of this field, by its name in an address (`ho-tich`) or its code (`G15-TP07`).
    field: String,
    /// Only of this agency, by its name in an address: `bo-tu-phap`.
    agency: String,
    /// Only executed at this tier.
    #[param(inline, value_type = Option<Level>)]
    level: String,
    /// `true`: only what can be filed online here.
    #[param(value_type = Option<bool>)]
    online: String,
}

/// One procedure in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListItem {
    /// Code.
    code: Code,
    /// Name.
    #[schema(value_type = Bilingual)]
    name: Text,
    /// Executing agency, or the one that promulgated it; blank when neither is published.
    #[schema(value_type = Bilingual)]
    agency: Text,
    /// Field.
    #[schema(value_type = Bilingual)]
    field: Text,
    /// Time limit, where a number can be relied on.
    #[schema(value_type = Option<Bilingual>)]
    time: Option<Text>,
    /// Fee in short, where something is published.
    #[schema(value_type = Option<Bilingual>)]
    fee: Option<Text>,
    /// National, of one province, or internal.
    sort: Sort,
    /// Whether it can be filed online here.
    online: bool,
    /// Whether it is in force.
    in_force: bool,
    /// What replaces it.
    successors: Vec<Code>,
}

impl ListItem {
    fn of(s: &Summary) -> Self {
        Self {
            code: s.code.clone(),
            name: s.name.clone(),
            agency: s.agency.clone(),
            field: s.field.clone(),
            time: s.time.clone(),
            fee: s.fee.clone(),
            sort: s.sort,
            online: s.online,
            in_force: s.in_force,
            successors: s.successors.clone(),
        }
    }
}

/// A value to narrow by, with the number of results it would leave.
#[derive(Debug, Serialize, ToSchema)]
pub struct FacetItem {
    /// For the query.
    id: String,
    /// For people.
    #[schema(value_type = Bilingual)]
    label: Text,
    /// Results.
    count: usize,
}

/// A page of results.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListPage {
    /// This page.
    items: Vec<ListItem>,
    /// Give it as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// When nothing was found: words that would find something.
    #[serde(skip_serializing_if = "Option::is_none")]
    did_you_mean: Option<String>,
    /// When nothing was found: what comes nearest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    nearest: Vec<ListItem>,
}

/// What a search finds in all, and what it can be narrowed by.
#[derive(Debug, Serialize, ToSchema)]
pub struct FacetsBody {
    /// How many procedures; from the index in memory, nothing is counted.
    found: usize,
    /// Audiences.
    audiences: Vec<FacetItem>,
    /// Tiers.
    levels: Vec<FacetItem>,
    /// Fields.
    fields: Vec<FacetItem>,
    /// Promulgating agencies.
    agencies: Vec<FacetItem>,
    /// Life events.
    life_events: Vec<FacetItem>,
}

/// One procedure with all that is published of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProcedureBody {
    /// What is published, with what is odd in it.
    #[serde(flatten)]
    entry: Entry,
    /// How it stands on the day asked for.
    standing: Standing,
    /// Version of the package under which it can be filed online here.
    #[serde(skip_serializing_if = "Option::is_none")]
    package: Option<String>,
}

/// Any JSON object.
#[derive(Debug, ToSchema)]
pub struct Object {}

/// JSON with an ETag; 304 when the caller has it already.
fn tagged<T: Serialize>(headers: &HeaderMap, body: &T) -> Result<Response> {
    Ok(bytes_tagged(headers, serde_json::to_vec(body)?, "application/json"))
}

fn bytes_tagged(headers: &HeaderMap, bytes: Vec<u8>, kind: &'static str) -> Response {
    let mut response = Tag::hash(&Sha256::digest(&bytes)).answer(headers, || ([(header::CONTENT_TYPE, kind)], bytes));
    let cache = HeaderValue::from_static("public, max-age=60");
    response.headers_mut().insert(header::CACHE_CONTROL, cache);
    response
}

impl ListParams {
    /// Reads all parameters, gathering what is wrong with any of them.
    fn query(&self, paging: &Paging) -> Result<Query> {
        let mut problems = Problems::new();
        let some = |s: &str| Some(s.trim().to_owned()).filter(|s| !s.is_empty());
        let mut choice = |name: &str, value: &str, known: String| {
            problems.add(
                "not-a-choice",
                name,
                format!(
                    "Giá trị “{}” không hợp lệ. Các giá trị: {known}.",
                    super::oddity::clip(value, 40)
                ),
                format!("\"{}\" is not one of: {known}.", super::oddity::clip(value, 40)),
            );
        };
        let audience = some(&self.audience).and_then(|v| {
            let found = Audience::from_id(&v);
            if found.is_none() {
                choice("audience", &v, Audience::ALL.map(Audience::id).join(", "));
            }
            found
        });
        let level = some(&self.level).and_then(|v| {
            let found = Level::from_id(&v);
            if found.is_none() {
                choice("level", &v, Level::ALL.map(Level::id).join(", "));
            }
            found
        });
        let online = match self.online.as_str() {
            "" | "false" | "0" => false,
            "true" | "1" => true,
            other => {
                choice("online", other, "true, false".to_owned());
                false
            }
        };
        problems.into_result()?;
        Ok(Query {
            text: self.q.clone(),
            life_event: some(&self.life_event),
            audience,
            field: some(&self.field),
            agency: some(&self.agency),
            level,
            online,
            limit: paging.limit() as usize,
            after: paging.after().map(str::to_owned),
        })
    }
}

/// Search the catalogue.
#[utoipa::path(get, path = "/api/v1/procedures", operation_id = "list_procedures", tag = "procedures", params(ListParams, Paging), responses(
    (status = 200, description = "A page of procedures", body = ListPage),
    (status = 304, description = "The caller has it already"),
    (status = 422, description = "What is wrong with which parameter"),
))]
async fn list(
    State(catalogue): State<Catalogue>,
    headers: HeaderMap,
    ApiQuery(params): ApiQuery<ListParams>,
    paging: Paging,
) -> Result<Response, ApiError> {
    let body = catalogue.search(&params.query(&paging)?, |found| ListPage {
        items: found.hits.iter().map(|s| ListItem::of(s)).collect(),
        next: found.next,
        did_you_mean: found.did_you_mean,
        nearest: found.nearest.iter().map(|s| ListItem::of(s)).collect(),
    })?;
    Ok(tagged(&headers, &body)?)
}

/// How many procedures a search finds, and what it can be narrowed by.
#[utoipa::path(get, path = "/api/v1/procedures/facets", operation_id = "read_procedure_facets", tag = "procedures", params(ListParams), responses(
    (status = 200, description = "The facets", body = FacetsBody),
    (status = 304, description = "The caller has them already"),
    (status = 422, description = "What is wrong with which parameter"),
))]
async fn facets(
    State(catalogue): State<Catalogue>,
    headers: HeaderMap,
    ApiQuery(params): ApiQuery<ListParams>,
) -> Result<Response, ApiError> {
    let items = |list: Vec<Facet>| -> Vec<FacetItem> {
        list.into_iter()
            .map(|f| FacetItem {
                id: f.id,
                label: f.label,
                count: f.count,
            })
            .collect()
    };
    let body = catalogue.search(&params.query(&Paging::FIRST)?, |found| FacetsBody {
        found: found.total,
        audiences: items(found.facets.audiences),
        levels: items(found.facets.levels),
        fields: items(found.facets.fields),
        agencies: items(found.facets.agencies),
        life_events: items(found.facets.life_events),
    })?;
    Ok(tagged(&headers, &body)?)
}

/// Which version.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct OneParams {
    /// The day whose version is asked for (ISO date); today by default.
    #[param(value_type = Option<String>, format = Date)]
    on: String,
}

fn code(text: &str) -> Result<Code> {
    text.parse().map_err(|_| Error::not_found("thủ tục này", "procedure"))
}

fn day(params: &OneParams, ctx: &Ctx) -> Result<Date> {
    if params.on.is_empty() {
        return Ok(ctx.now.legal_date());
    }
    params.on.parse().map_err(|_| {
        let mut problems = Problems::new();
        problems.add(
            "not-a-date",
            "on",
            "Ngày phải có dạng năm-tháng-ngày, ví dụ 2026-07-01.",
            "A date is written year-month-day, for example 2026-07-01.",
        );
        Error::Refused(Kind::Invalid, problems)
    })
}

/// One procedure, in the version of a day.
#[utoipa::path(get, path = "/api/v1/procedures/{code}", operation_id = "read_procedure", tag = "procedures",
    params(("code" = String, Path, description = "Code, for example 1.001193"), OneParams), responses(
    (status = 200, description = "The procedure", body = ProcedureBody),
    (status = 304, description = "The caller has it already"),
    (status = 404, description = "No such procedure on that day"),
    (status = 422, description = "What is wrong with which parameter"),
))]
async fn one(
    State(catalogue): State<Catalogue>,
    ctx: Ctx,
    headers: HeaderMap,
    ApiPath(text): ApiPath<String>,
    ApiQuery(params): ApiQuery<OneParams>,
) -> Result<Response, ApiError> {
    let on = day(&params, &ctx)?;
    let entry = catalogue.find(&code(&text)?, on).await?;
    let entry = entry.ok_or_else(|| Error::not_found("thủ tục này", "procedure"))?;
    let package = catalogue
        .package_on(entry.code.as_str(), on)
        .map(|p| p.id.version.clone());
    let standing = entry.standing(on);
    Ok(tagged(
        &headers,
        &ProcedureBody {
            entry,
            standing,
            package,
        },
    )?)
}

/// The form of a procedure as JSON Schema 2020-12.
#[utoipa::path(get, path = "/api/v1/procedures/{code}/form", operation_id = "read_procedure_form", tag = "procedures",
    params(("code" = String, Path, description = "Code, for example 1.001193"), OneParams), responses(
    (status = 200, description = "JSON Schema of the answers", body = Object, content_type = "application/schema+json"),
    (status = 304, description = "The caller has it already"),
    (status = 404, description = "It cannot be filed online here"),
    (status = 422, description = "What is wrong with which parameter"),
))]
async fn form(
    State(catalogue): State<Catalogue>,
    ctx: Ctx,
    headers: HeaderMap,
    ApiPath(text): ApiPath<String>,
    ApiQuery(params): ApiQuery<OneParams>,
) -> Result<Response, ApiError> {
    let on = day(&params, &ctx)?;
    let package = catalogue
        .package_on(code(&text)?.as_str(), on)
        .ok_or_else(|| Error::not_found("biểu mẫu điện tử của thủ tục này", "online form of this procedure"))?;
    let id = format!("/api/v1/procedures/{}/form", package.id.code);
    let schema = package.form.json_schema(&id, &package.meta.name.vi);
    let bytes = serde_json::to_vec(&schema).map_err(Error::from)?;
    Ok(bytes_tagged(&headers, bytes, "application/schema+json"))
}

/// The process of a procedure as BPMN 2.0.
#[utoipa::path(get, path = "/api/v1/procedures/{code}/process.bpmn", operation_id = "read_procedure_process", tag = "procedures",
    params(("code" = String, Path, description = "Code, for example 1.001193"), OneParams), responses(
    (status = 200, description = "BPMN 2.0 XML", body = String, content_type = "application/xml"),
    (status = 304, description = "The caller has it already"),
    (status = 404, description = "It cannot be filed online here"),
    (status = 422, description = "What is wrong with which parameter"),
))]
async fn process(
    State(catalogue): State<Catalogue>,
    ctx: Ctx,
    headers: HeaderMap,
    ApiPath(text): ApiPath<String>,
    ApiQuery(params): ApiQuery<OneParams>,
) -> Result<Response, ApiError> {
    let on = day(&params, &ctx)?;
    let package = catalogue
        .package_on(code(&text)?.as_str(), on)
        .ok_or_else(|| Error::not_found("quy trình điện tử của thủ tục này", "process of this procedure"))?;
    let bytes = package.bpmn.as_bytes().to_vec();
    let mut response = bytes_tagged(&headers, bytes, "application/xml");
    if let Ok(name) = HeaderValue::from_str(&format!("attachment; filename=\"{text}.bpmn\"")) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}
