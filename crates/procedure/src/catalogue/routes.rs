//! The routes of the public pages. What they show is made in [`super::pages`].

use axum::{
    Router,
    extract::{Path, Query as UrlQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use base::{Error, Lang};
use identity::Web;
use serde::Deserialize;

use super::{
    pages::{self, Asked},
    service::Catalogue,
};

/// The routes of the catalogue.
pub fn router(catalogue: Catalogue) -> Router {
    Router::new()
        .route("/services", get(services))
        .route("/services/life-events/{id}", get(life_event))
        .route("/services/{code}", get(procedure))
        .route("/services/{code}/process.svg", get(drawing))
        .with_state(catalogue)
}

async fn services(State(catalogue): State<Catalogue>, web: Web, UrlQuery(asked): UrlQuery<Asked>) -> Response {
    match pages::services_page(&catalogue, web.page.clone(), asked) {
        Ok(template) => ::view::html(StatusCode::OK, &template),
        Err(error) => web.refuse(&error),
    }
}

async fn life_event(
    State(catalogue): State<Catalogue>,
    web: Web,
    Path(id): Path<String>,
    UrlQuery(asked): UrlQuery<Asked>,
) -> Response {
    match pages::life_event_page(&catalogue, web.page.clone(), &id, asked) {
        Ok(template) => ::view::html(StatusCode::OK, &template),
        Err(error) => web.refuse(&error),
    }
}

/// Which day's version is asked for.
#[derive(Debug, Default, Deserialize)]
struct OnDay {
    on: Option<String>,
}

async fn procedure(
    State(catalogue): State<Catalogue>,
    web: Web,
    Path(code): Path<String>,
    UrlQuery(day): UrlQuery<OnDay>,
) -> Response {
    let today = web.ctx.now.legal_date();
    match pages::procedure_page(&catalogue, web.page.clone(), &code, today, day.on.as_deref()).await {
        Ok(template) => ::view::html(StatusCode::OK, &template),
        Err(error) => web.refuse(&error),
    }
}

#[derive(Debug, Default, Deserialize)]
struct InLanguage {
    #[serde(rename = "in")]
    lang: Option<String>,
}

/// The process as a drawing, for `<img>`; no script, no style.
async fn drawing(
    State(catalogue): State<Catalogue>,
    web: Web,
    Path(code): Path<String>,
    UrlQuery(language): UrlQuery<InLanguage>,
    headers: HeaderMap,
) -> Response {
    let lang = language.lang.as_deref().map_or(web.page.lang, Lang::from_tag);
    let today = web.ctx.now.legal_date();
    let Some(offer) = catalogue.offer_on(&code, today) else {
        return web.refuse(&Error::not_found("sơ đồ quy trình này", "process drawing"));
    };
    let tag = format!("\"{}-{}\"", offer.version(), lang.tag());
    if headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|v| v.as_bytes() == tag.as_bytes())
    {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    let svg = offer.drawing(lang);
    (
        [
            (header::CONTENT_TYPE, "image/svg+xml; charset=utf-8".to_owned()),
            (header::ETAG, tag),
        ],
        svg,
    )
        .into_response()
}
