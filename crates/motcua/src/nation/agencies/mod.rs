//! The agencies' own information systems: the software that stands behind the gateways, with what they know of the country
//! that the registries of the nodes hold. Each has its own address, speaks plain HTTP on this machine, and knows nothing of the
//! exchange. What they keep is read from the country anew at each start, the same each time.

mod answer;
mod country;
mod describe;
mod offices;
mod registers;

use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinSet};

pub use country::Country;

use super::folder::Systems;

/// Serves every system at its address, until the set is dropped.
///
/// # Errors
/// An address is taken, or belongs to no system.
pub async fn serve(country: &Arc<Country>, systems: &Systems) -> anyhow::Result<JoinSet<std::io::Result<()>>> {
    let mut serving = JoinSet::new();
    for (system, address) in &systems.listen {
        let router = router(country, system).with_context(|| format!("agencies.toml: there is no system {system}"))?;
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("listening on {address} for {system}"))?;
        serving.spawn(async move { axum::serve(listener, router).await });
    }
    Ok(serving)
}

/// What a system answers, by its code.
fn router(country: &Arc<Country>, system: &str) -> Option<Router> {
    let routes = match system {
        "dancu" => registers::population(),
        "dkkd" => registers::business(),
        "thue" => offices::tax(),
        "baohiem" => offices::insurance(),
        "haiquan" => offices::customs(),
        _ => return None,
    };
    Some(answer::guarded(routes).with_state(Arc::clone(country)))
}

/// The OpenAPI document of a service, by its code.
pub fn document(country: &Country, service: &str) -> Option<Value> {
    Some(match service {
        "persons" => registers::persons_document(),
        "enterprises" => registers::enterprises_document(country),
        "debts" => offices::debts_document(country),
        "cards" => offices::cards_document(country),
        "employers" => offices::employers_document(country),
        "declarations" => offices::declarations_document(country),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
