//! Pages: what is proposed to the signed-in person, and the office's view of its rules.

mod mine;
mod office;

use axum::{
    Router,
    routing::{get, post},
};

use crate::service::Dossiers;

/// `/my/proposals…`, `/desk/proposals…`, `/publication/proposals`.
pub fn router(dossiers: Dossiers) -> Router {
    Router::new()
        .route("/my/proposals", get(mine::list))
        .route("/my/proposals/wishes", post(mine::wish))
        .route("/my/proposals/{id}", get(mine::show))
        .route("/my/proposals/{id}/open", post(mine::open))
        .route("/my/proposals/{id}/decline", post(mine::decline))
        .route("/my/proposals/{id}/restore", post(mine::restore))
        .route("/desk/proposals", get(office::list))
        .route("/desk/proposals/{rule}", get(office::show).post(office::start))
        .route("/desk/proposals/{rule}/stuck/{id}/again", post(office::again))
        .route("/desk/proposals/{rule}/stuck/{id}/settle", post(office::settle))
        .route("/publication/proposals", get(office::public))
        .with_state(dossiers)
}
