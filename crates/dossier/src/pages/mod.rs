//! The pages of dossiers. All of them work without JavaScript; JavaScript only improves.

pub mod citizen;
pub mod desk;
pub(crate) mod text;

use axum::Router;

use crate::service::Dossiers;

/// All pages. [`identity::layer`] goes around them.
pub fn router(dossiers: Dossiers) -> Router {
    citizen::router(dossiers.clone())
        .merge(crate::consult::pages::router(dossiers.clone()))
        .merge(crate::proposal::pages::router(dossiers.clone()))
        .merge(desk::router(dossiers))
}
