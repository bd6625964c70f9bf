//! The JSON API of the catalogue: search with keyset pages, one procedure with its ETag, the form's JSON Schema, the
//! process as BPMN.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base::{Error, Kind, Problems, Result, Text};
use identity::{ApiError, ApiPath, ApiQuery, Ctx};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    model::{Audience, Bilingual, Code, Entry, Level, Sort, State as Standing},
    search::{Facet, MAX_PAGE, Query, Summary},
    service::Catalogue,
};

/// The routes, with their part of the OpenAPI file. To be nested at the root.
pub fn router(catalogue: Catalogue) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list))
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
    /// How many, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20, value_type = Option<u32>)]
    limit: String,
    /// The mark `next` of the page before.
    after: String,
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
    /// How many in all; from the index in memory, nothing is counted.
    total: usize,
    /// This page.
    items: Vec<ListItem>,
    /// Mark of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// When nothing was found: words that would find something.
    #[serde(skip_serializing_if = "Option::is_none")]
    did_you_mean: Option<String>,
    /// When nothing was found: what comes nearest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    nearest: Vec<ListItem>,
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

/// Problem details (RFC 9457) with every problem at once.
#[derive(Debug, ToSchema)]
#[expect(
    dead_code,
    reason = "describes identity::problem_response to readers of the OpenAPI file"
)]
pub struct ProblemBody {
    /// Always `about:blank`.
    r#type: String,
    /// What sort of no it is, in English.
    title: String,
    /// The same in Vietnamese.
    title_vi: String,
    /// The HTTP status.
    status: u16,
    /// A name for programs: `invalid`, `not-found`.
    kind: String,
    /// Each problem `{code, at, vi, en}`.
    problems: Vec<Object>,
}

/// Any JSON object.
#[derive(Debug, ToSchema)]
pub struct Object {}

/// JSON with an ETag; 304 when the caller has it already.
fn tagged<T: Serialize>(headers: &HeaderMap, body: &T) -> Result<Response> {
    let bytes = serde_json::to_vec(body)?;
    Ok(bytes_tagged(headers, bytes, "application/json"))
}

fn bytes_tagged(headers: &HeaderMap, bytes: Vec<u8>, kind: &'static str) -> Response {
    let hash = hex::encode(Sha256::digest(&bytes));
    let tag = format!("\"{}\"", hash.get(..32).unwrap_or(&hash));
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|sent| {
            sent.split(',')
                .map(|t| t.trim().trim_start_matches("W/"))
                .any(|t| t == tag || t == "*")
        });
    let tags = [
        (header::ETAG, tag),
        (header::CACHE_CONTROL, "public, max-age=60".to_owned()),
    ];
    if known {
        return (StatusCode::NOT_MODIFIED, tags).into_response();
    }
    (tags, [(header::CONTENT_TYPE, kind)], bytes).into_response()
}

impl ListParams {
    /// Reads all parameters, gathering what is wrong with any of them.
    fn query(&self) -> Result<Query> {
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
        let limit = match self.limit.as_str() {
            "" => 20,
            text => match text.parse::<usize>() {
                Ok(n) if (1..=MAX_PAGE).contains(&n) => n,
                _ => {
                    choice("limit", text, format!("1–{MAX_PAGE}"));
                    20
                }
            },
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
            limit,
            after: some(&self.after),
        })
    }
}

/// Search the catalogue.
#[utoipa::path(get, path = "/api/v1/procedures", tag = "procedures", params(ListParams), responses(
    (status = 200, description = "A page of procedures", body = ListPage),
    (status = 304, description = "The caller has it already"),
    (status = 422, description = "What is wrong with which parameter", body = ProblemBody, content_type = "application/problem+json"),
))]
async fn list(
    State(catalogue): State<Catalogue>,
    headers: HeaderMap,
    ApiQuery(params): ApiQuery<ListParams>,
) -> Result<Response, ApiError> {
    let query = params.query()?;
    let body = catalogue.search(&query, |found| {
        let facets = |list: Vec<Facet>| -> Vec<FacetItem> {
            list.into_iter()
                .map(|f| FacetItem {
                    id: f.id,
                    label: f.label,
                    count: f.count,
                })
                .collect()
        };
        ListPage {
            total: found.total,
            items: found.hits.iter().map(|s| ListItem::of(s)).collect(),
            next: found.next,
            did_you_mean: found.did_you_mean,
            nearest: found.nearest.iter().map(|s| ListItem::of(s)).collect(),
            audiences: facets(found.facets.audiences),
            levels: facets(found.facets.levels),
            fields: facets(found.facets.fields),
            agencies: facets(found.facets.agencies),
            life_events: facets(found.facets.life_events),
        }
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
#[utoipa::path(get, path = "/api/v1/procedures/{code}", tag = "procedures",
    params(("code" = String, Path, description = "Code, for example 1.001193"), OneParams), responses(
    (status = 200, description = "The procedure", body = ProcedureBody),
    (status = 304, description = "The caller has it already"),
    (status = 404, description = "No such procedure on that day", body = ProblemBody, content_type = "application/problem+json"),
    (status = 422, description = "What is wrong with which parameter", body = ProblemBody, content_type = "application/problem+json"),
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
#[utoipa::path(get, path = "/api/v1/procedures/{code}/form", tag = "procedures",
    params(("code" = String, Path, description = "Code, for example 1.001193"), OneParams), responses(
    (status = 200, description = "JSON Schema of the answers", body = Object, content_type = "application/schema+json"),
    (status = 404, description = "It cannot be filed online here", body = ProblemBody, content_type = "application/problem+json"),
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
#[utoipa::path(get, path = "/api/v1/procedures/{code}/process.bpmn", tag = "procedures",
    params(("code" = String, Path, description = "Code, for example 1.001193"), OneParams), responses(
    (status = 200, description = "BPMN 2.0 XML", body = String, content_type = "application/xml"),
    (status = 404, description = "It cannot be filed online here", body = ProblemBody, content_type = "application/problem+json"),
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
