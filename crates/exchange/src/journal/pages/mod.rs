//! The pages of the journal. All of them work without JavaScript.

mod elsewhere;
mod erasures;
mod hidden;
mod messages;
mod operations;
mod questions;
mod reads;

use askama::Template;
use axum::{
    Router,
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use base::{Error, Kind, Problems, Result};
use identity::Web;

use super::{Journal, LeafId};

/// The pages. To be merged at the root, below [`identity::layer`].
pub fn pages(journal: Journal) -> Router {
    Router::new()
        .route("/exchange/messages", get(messages::search))
        .route("/exchange/messages/{leaf}", get(messages::message))
        .route("/exchange/messages/{leaf}/evidence", get(messages::evidence))
        .route("/exchange/erasures", get(erasures::list).post(erasures::erase))
        .route("/exchange/hidden-reads", get(hidden::page))
        .route("/exchange/operations", get(operations::page))
        .route("/exchange/operations.csv", get(operations::csv))
        .route("/my/reads", get(reads::page))
        .route("/my/reads/elsewhere", get(elsewhere::page))
        .route("/my/reads/elsewhere/evidence", get(elsewhere::download))
        .route("/my/reads/{leaf}/evidence", get(reads::evidence))
        .route("/my/reads/{leaf}/ask", get(reads::ask_page).post(reads::ask))
        .route("/my/reads/questions/{id}/close", post(reads::close))
        .route("/desk/questions", get(questions::list))
        .route("/desk/questions/{id}", post(questions::answer))
        .with_state(journal)
}

fn answer<T: Template>(web: &Web, made: Result<T>) -> Response {
    match made {
        Ok(template) => view::html(StatusCode::OK, &template),
        Err(error) => web.refuse(&error),
    }
}

/// The page again with what is wrong in it, for a refusal that lies at fields; other errors answer for themselves.
fn again<T: Template>(web: &Web, error: Error, page: impl FnOnce(Problems) -> T) -> Response {
    match error {
        Error::Refused(kind @ (Kind::Invalid | Kind::Conflict), problems) => {
            let status = StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
            view::html(status, &page(problems))
        }
        error => web.refuse(&error),
    }
}

/// A leaf in a path; one that is bent is a thing that is not there.
pub(super) fn leaf(text: &str) -> Result<LeafId> {
    text.parse().map_err(|_| Error::not_found("mục này", "thing"))
}
