//! What holds for every operation of the JSON API, written into its description in one place: who may call it, what a
//! refusal looks like, how long a parameter may be.

use utoipa::{
    IntoResponses, ToSchema,
    openapi::{
        Content, Header, OpenApi, Ref, RefOr, Response, Schema,
        path::{Operation, ParameterIn, PathItem},
        schema::{Components, SchemaType, Type},
        security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
    },
};

use super::{cookies::session_cookie, problem::LONGEST_PARAMETER};
use crate::Config;

/// The media type of refusals (RFC 9457).
pub(super) const PROBLEM: &str = "application/problem+json";

/// Why a request is refused, or failed (RFC 9457): every problem at once.
#[derive(ToSchema)]
#[schema(as = Problem)]
#[expect(dead_code, reason = "describes problem_response in the OpenAPI document")]
struct ProblemBody {
    /// Always `about:blank`.
    r#type: String,
    /// What sort of no it is, in English.
    title: String,
    /// The same in Vietnamese.
    title_vi: String,
    /// The status of the answer.
    status: u16,
    /// The same as a name for programs: `invalid`, `unauthenticated`, `forbidden`, `not-found`, `conflict`, `stale`, `too-large`,
    /// `not-allowed`, `too-many`, `unavailable`, `internal`.
    kind: String,
    /// Everything that is wrong; `null` for a failure of the node's own.
    problems: Option<Vec<ProblemPart>>,
}

/// One thing that is wrong.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes base::Problem in the OpenAPI document")]
struct ProblemPart {
    /// A stable name for programs.
    code: String,
    /// Where: a field, a parameter, a paper; absent for the whole.
    at: Option<String>,
    /// What is wrong and what to do, in Vietnamese.
    vi: String,
    /// The same in English.
    en: String,
}

/// The refusals of an operation that asks who calls.
#[derive(IntoResponses)]
pub enum SignedIn {
    /// Nobody is signed in
    #[response(status = 401)]
    Nobody,
    /// The caller may not do this
    #[response(status = 403)]
    Forbidden,
}

/// Completes the description of the API of a node.
///
/// * An operation that describes 401 asks who calls: by a key, or by the session of a browser. Every other one is open.
/// * Every 4xx and 5xx is a `Problem`, and so is any that an operation does not name (`default`).
/// * What may be answered by 304 has an `ETag`.
/// * A text in the path or the query is bounded, as [`crate::ApiQuery`] does it.
pub fn describe(api: &mut OpenApi, config: &Config) {
    let components = api.components.get_or_insert_default();
    add_schema::<ProblemBody>(components);
    let key = Http::builder()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A key, made at /admin/tokens for one officer."))
        .build();
    components.add_security_scheme("key", SecurityScheme::Http(key));
    let session = ApiKeyValue::with_description(
        session_cookie(config),
        "The session of whoever signed in on the pages.".to_owned(),
    );
    components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(session)));
    for operation in api.paths.paths.values_mut().flat_map(operations) {
        complete(operation);
    }
}

fn add_schema<T: ToSchema>(components: &mut Components) {
    let mut inner = Vec::new();
    T::schemas(&mut inner);
    components.schemas.extend(inner);
    components.schemas.insert(T::name().into_owned(), T::schema());
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem {
        get,
        put,
        post,
        delete,
        patch,
        ..
    } = path;
    [get, put, post, delete, patch].into_iter().flatten()
}

fn complete(operation: &mut Operation) {
    let responses = &mut operation.responses.responses;
    operation.security = Some(match responses.contains_key("401") {
        true => ["key", "session"]
            .map(|name| SecurityRequirement::new::<_, [&str; 0], _>(name, []))
            .into(),
        false => Vec::new(),
    });
    let other = Response::new("Any other refusal or failure");
    responses.entry("default".to_owned()).or_insert(RefOr::T(other));
    let is_tagged = responses.contains_key("304");
    for (status, response) in responses {
        let RefOr::T(response) = response else { continue };
        if is_tagged && (status.starts_with('2') || status == "304") {
            let header = Header::builder()
                .description(Some("Its version, for If-None-Match"))
                .build();
            response.headers.insert("ETag".to_owned(), RefOr::T(header));
        }
        if status.starts_with(['4', '5']) || status == "default" {
            let problem = Content::new(Some(Ref::from_schema_name("Problem")));
            response.content = [(PROBLEM.to_owned(), RefOr::T(problem))].into_iter().collect();
        }
    }
    for parameter in operation.parameters.iter_mut().flatten() {
        let RefOr::T(parameter) = parameter else { continue };
        if matches!(parameter.parameter_in, ParameterIn::Path | ParameterIn::Query)
            && let Some(RefOr::T(Schema::Object(schema))) = &mut parameter.schema
            && is_free_text(schema)
        {
            schema.max_length = Some(LONGEST_PARAMETER);
        }
    }
}

/// Whether a schema takes texts of any length.
fn is_free_text(schema: &utoipa::openapi::Object) -> bool {
    let is_text = match &schema.schema_type {
        SchemaType::Type(kind) => *kind == Type::String,
        SchemaType::Array(kinds) => kinds.contains(&Type::String),
        SchemaType::AnyValue => false,
    };
    is_text
        && schema.max_length.is_none()
        && schema.format.is_none()
        && schema.pattern.is_none()
        && schema.enum_values.is_none()
}
