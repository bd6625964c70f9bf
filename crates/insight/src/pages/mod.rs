//! The public pages: progress of an agency, level-4 figures by service, and how each figure is made.

mod method;
mod progress;
mod services;

use askama::Template;
use axum::{Router, http::StatusCode, response::Response, routing::get};
use base::Result;
use identity::Web;
use serde::Deserialize;
use view::{Page, decimal, ui::Choice};

use crate::Insight;

/// The routes of the publication.
pub fn router(insight: Insight) -> Router {
    Router::new()
        .route("/publication", get(progress::all))
        .route("/publication/services", get(services::services))
        .route("/publication/method", get(method::method))
        .route("/publication/fields/{field}", get(progress::field))
        .route("/publication/{agency}", get(progress::one))
        .with_state(insight)
}

/// What the address asks. A value that means nothing is left out, as a hand-written address deserves.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Asked {
    agency: String,
    field: String,
    period: String,
    year: String,
}

fn answer<T: Template>(web: &Web, made: Result<T>) -> Response {
    match made {
        Ok(template) => view::html(StatusCode::OK, &template),
        Err(error) => web.refuse(&error),
    }
}

fn choices(agencies: &[(String, String)]) -> Vec<Choice> {
    agencies.iter().map(|(code, name)| Choice::new(code, name)).collect()
}

fn number(page: &Page, x: Option<f64>) -> String {
    x.map_or_else(|| "–".to_owned(), |x| decimal(page.lang, x, 1))
}

fn short_share(page: &Page, x: Option<f64>) -> String {
    x.map_or_else(|| "–".to_owned(), |x| format!("{} %", decimal(page.lang, x, 2)))
}

/// Nothing to divide by is said, never shown as 0 %.
fn share(page: &Page, x: Option<f64>) -> String {
    x.map_or_else(
        || page.t("không có hồ sơ", "no dossiers").to_owned(),
        |x| format!("{} %", decimal(page.lang, x, 2)),
    )
}

fn days(page: &Page, x: Option<f64>) -> String {
    x.map_or_else(
        || page.t("không có hồ sơ", "no dossiers").to_owned(),
        |x| {
            format!(
                "{} {}",
                decimal(page.lang, x, 1),
                page.t("ngày làm việc", "working days")
            )
        },
    )
}
