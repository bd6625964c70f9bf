//! Scripts, styles, fonts: built by `build.rs`, held in the binary, served under names that change with their content.

use std::sync::Arc;

use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

use crate::{page::Site, theme};

/// One file for the browser.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// The name in the source: `app.css`.
    pub name: &'static str,
    /// The name under `/assets/`, with the hash of the content.
    pub served: &'static str,
    /// The media type.
    pub mime: &'static str,
    /// The content.
    pub bytes: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

impl Asset {
    const fn new(
        name: &'static str,
        served: &'static str,
        mime: &'static str,
        bytes: &'static [u8],
        brotli: Option<&'static [u8]>,
        gzip: Option<&'static [u8]>,
    ) -> Self {
        Self {
            name,
            served,
            mime,
            bytes,
            brotli,
            gzip,
        }
    }
}

/// All files for the browser.
pub static ASSETS: &[Asset] = &include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// The address of an asset by the name of its source: `/assets/app.3f2a….css`. A name that does not exist gives an
/// address that answers 404.
pub fn asset(name: &str) -> String {
    let served = ASSETS.iter().find(|a| a.name == name).map_or(name, |a| a.served);
    format!("/assets/{served}")
}

/// `/assets/{name}`, to be kept by browsers for ever, and `/assets/theme.css` from the site's tokens, for five minutes.
pub fn router<S: Clone + Send + Sync + 'static>(site: &Arc<Site>) -> Router<S> {
    let css: Arc<str> = theme::stylesheet(&site.theme).into();
    Router::new()
        .route("/assets/theme.css", get(move || theme_css(Arc::clone(&css))))
        .route("/assets/{name}", get(serve))
}

async fn theme_css(css: Arc<str>) -> Response {
    (
        [
            (
                header::CONTENT_TYPE,
                HeaderValue::from_static("text/css; charset=utf-8"),
            ),
            (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300")),
        ],
        css.to_string(),
    )
        .into_response()
}

async fn serve(Path(name): Path<String>, request: HeaderMap) -> Response {
    let Some(asset) = ASSETS.iter().find(|a| a.served == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let accepts = |coding: &str| {
        let offered = request
            .get(header::ACCEPT_ENCODING)
            .and_then(|v| v.to_str().ok())
            .unwrap_or("");
        offered.split(',').any(|part| {
            let (name, quality) = part.split_once(';').unwrap_or((part, ""));
            name.trim().eq_ignore_ascii_case(coding) && quality.trim() != "q=0"
        })
    };
    let (body, coding) = match (asset.brotli, asset.gzip) {
        (Some(br), _) if accepts("br") => (br, Some("br")),
        (_, Some(gz)) if accepts("gzip") => (gz, Some("gzip")),
        _ => (asset.bytes, None),
    };
    let mut response = (
        [
            (header::CONTENT_TYPE, HeaderValue::from_static(asset.mime)),
            (
                header::CACHE_CONTROL,
                HeaderValue::from_static("public, max-age=31536000, immutable"),
            ),
            (header::VARY, HeaderValue::from_static("Accept-Encoding")),
        ],
        body,
    )
        .into_response();
    if let Some(coding) = coding {
        response
            .headers_mut()
            .insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    response
}
