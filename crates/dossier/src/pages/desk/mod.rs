//! The officers' desk: a queue by time left, a dossier with its papers and data side by side, and every step of it.

mod act;
mod dossier;
mod queue;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};

pub(crate) use self::{dossier::inline, queue::left};
use crate::{pages::citizen::SLACK, service::Dossiers};

/// The pages of officers: `/desk…`.
pub fn router(dossiers: Dossiers) -> Router {
    let largest = usize::try_from(dossiers.config().largest_upload).unwrap_or(usize::MAX);
    Router::new()
        .route("/desk", get(queue::show))
        .route("/desk/watch", get(queue::watch))
        .route("/desk/dossiers", get(queue::all))
        .route("/desk/dossiers/{code}", get(dossier::show))
        .route("/desk/dossiers/{code}/files/{sha256}", get(dossier::file))
        .route(
            "/desk/dossiers/{code}/tasks/{token}/{outcome}",
            get(act::ask).post(act::complete),
        )
        .route("/desk/dossiers/{code}/assign", act::wish(act::assign))
        .route("/desk/dossiers/{code}/payment", act::wish(act::pay))
        .route("/desk/dossiers/{code}/waiver", act::wish(act::waive))
        .route("/desk/dossiers/{code}/note", act::wish(act::note))
        .route("/desk/dossiers/{code}/waiting", act::wish(act::end_wait))
        .route(
            "/desk/dossiers/{code}/reappointment",
            get(act::ask_reappointment).post(act::reappoint),
        )
        .route(
            "/desk/dossiers/{code}/consultations/{sent_by}",
            get(act::ask_opinion)
                .post(act::answer)
                .layer(DefaultBodyLimit::max(largest.saturating_add(SLACK))),
        )
        .route(
            "/desk/dossiers/{code}/consultations/{sent_by}/again",
            post(act::again_asked),
        )
        .with_state(dossiers)
}
