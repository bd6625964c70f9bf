//! The front page, the API's own description, health, and what is not there.

use askama::Template;
use axum::{
    Extension, Json, Router,
    extract::{OriginalUri, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use base::{Error, Text};
use identity::Web;
use serde::Deserialize;
use utoipa::openapi::{Info, OpenApi, OpenApiBuilder, Server};
use utoipa_axum::router::OpenApiRouter;
use view::{Link, Page, ui};

use crate::node::Node;

/// The whole API, and its description.
pub fn api(node: &Node) -> (Router, OpenApi) {
    let mut info = Info::new("Một Cửa", env!("CARGO_PKG_VERSION"));
    info.description = Some("Public services from application to signed result. Errors are problem details (RFC 9457) that carry every problem at once, in Vietnamese and English.".to_owned());
    let config = &node.config().identity;
    let server = Server::new(config.public_url.trim_end_matches('/'));
    let described = OpenApiBuilder::new().info(info).servers(Some([server])).build();
    let (routes, mut described) = OpenApiRouter::with_openapi(described)
        .merge(identity::api())
        .merge(procedure::catalogue::api::router(node.catalogue.clone()))
        .merge(registry::api::router(node.registries.clone()))
        .merge(registry::question::api::router(node.questions.clone()))
        .merge(registry::quality::api::router(node.quality.clone()))
        .merge(dossier::api::router(node.dossiers.clone()))
        .merge(insight::api::router(node.insight.clone()))
        .merge(
            node.exchange()
                .map_or_else(OpenApiRouter::new, crate::exchange::Exchange::api),
        )
        .split_for_parts();
    identity::describe(&mut described, config);
    (routes, described)
}

/// The pages of the binary itself.
pub fn pages(node: &Node, api: OpenApi) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/healthz", get(health))
        .route("/styleguide", get(styleguide))
        .route("/about", get(about))
        .route("/api/openapi.json", get(openapi))
        .layer(Extension(std::sync::Arc::new(api)))
        .with_state(node.clone())
}

/// Links at the foot of every page.
pub fn footer() -> Vec<Link> {
    let link = |href: &str, vi: &str, en: &str| Link {
        href: href.to_owned(),
        label: Text::new(vi, en),
    };
    vec![
        link("/services", "Thủ tục hành chính", "Procedures"),
        link("/track", "Tra cứu hồ sơ", "Track a dossier"),
        link("/publication", "Công khai tiến độ", "Publication"),
        link("/registries", "Cơ sở dữ liệu", "Registries"),
        link("/ledger", "Sổ cái minh bạch", "Transparency log"),
        link("/about", "Giới thiệu và trợ năng", "About and accessibility"),
        link("/api/openapi.json", "API", "API"),
    ]
}

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    page: Page,
    life_events: Vec<procedure::reference::LifeEvent>,
    popular: Vec<Popular>,
    figures: Vec<insight::Headline>,
}

struct Popular {
    code: String,
    name: String,
    summary: String,
    time: String,
    icon: &'static str,
}

/// The first sentence: a card is to be looked at, the page of the procedure to be read.
fn first_sentence(text: &str) -> String {
    match text.split_once(". ") {
        Some((first, _)) => format!("{first}."),
        None => text.to_owned(),
    }
}

async fn home(State(node): State<Node>, mut web: Web) -> Response {
    web.page.title = web
        .page
        .t("Dịch vụ công trực tuyến", "Online public services")
        .to_owned();
    let today = node.clock.now().legal_date();
    let lang = web.page.lang;
    let popular = node
        .dossiers
        .shelf()
        .all_on(today)
        .iter()
        .map(|p| Popular {
            code: p.id.code.clone(),
            name: p.meta.name.get(lang).to_owned(),
            summary: first_sentence(p.meta.summary.get(lang)),
            icon: node.catalogue.icon_of(&p.id.code),
            time: p
                .meta
                .deadlines
                .last()
                .map(|d| d.time().get(lang).to_owned())
                .unwrap_or_default(),
        })
        .collect();
    let figures = match node.insight.headlines(node.clock.now()).await {
        Ok(figures) => figures,
        Err(error) => return web.refuse(&error),
    };
    let page = Home {
        page: web.page,
        life_events: node.catalogue.life_events().to_vec(),
        popular,
        figures,
    };
    view::html(StatusCode::OK, &page)
}

#[derive(Template)]
#[template(path = "about.html")]
struct About {
    page: Page,
}

async fn about(mut web: Web) -> Response {
    web.page.title = web
        .page
        .t("Giới thiệu và trợ năng", "About and accessibility")
        .to_owned();
    view::html(StatusCode::OK, &About { page: web.page })
}

#[derive(Deserialize)]
struct Shown {
    #[serde(default)]
    state: String,
}

async fn styleguide(State(node): State<Node>, mut web: Web, Query(shown): Query<Shown>) -> Response {
    web.page.title = web.page.t("Thư viện giao diện", "Style guide").to_owned();
    view::styleguide::styleguide(web.page, view::styleguide::State::parse(&shown.state), node.clock.now())
}

/// Ready: the database answers.
async fn health(State(node): State<Node>) -> Response {
    match store::Read::scalar::<i64>(&node.store.read(), "SELECT CAST(1 AS BIGINT)", Vec::new()).await {
        Ok(_) => (StatusCode::OK, "ok\n").into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response(),
    }
}

async fn openapi(Extension(api): Extension<std::sync::Arc<OpenApi>>) -> Json<OpenApi> {
    Json(api.as_ref().clone())
}

/// What is not there.
pub async fn not_found(OriginalUri(uri): OriginalUri, headers: HeaderMap, web: Web) -> Response {
    let error = Error::refused(
        base::Kind::NotFound,
        "no-page",
        "Không có trang này. Kiểm tra lại địa chỉ, hoặc tìm dịch vụ từ trang chủ.",
        "There is no such page. Check the address, or find the service from the front page.",
    );
    refuse(uri.path(), &headers, &web, &error)
}

/// What is there, but not for this method. The router adds `Allow` (RFC 9110, 15.5.6).
pub async fn not_allowed(OriginalUri(uri): OriginalUri, headers: HeaderMap, web: Web) -> Response {
    let error = Error::refused(
        base::Kind::NotAllowed,
        "method",
        "Địa chỉ này không nhận phương thức đó; các phương thức được nhận nằm ở tiêu đề Allow.",
        "This address takes no such method; those that it takes are in the header Allow.",
    );
    refuse(uri.path(), &headers, &web, &error)
}

/// People, whose browsers ask for HTML, get a page; programs get problem details.
fn refuse(path: &str, headers: &HeaderMap, web: &Web, error: &Error) -> Response {
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let is_person = accepts.is_some_and(|accepts| accepts.contains("text/html"));
    if !is_person || path.starts_with("/api/") {
        identity::problem_response(error)
    } else {
        web.refuse(error)
    }
}
