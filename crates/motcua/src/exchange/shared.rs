//! What several gateways of one member share: systems, services, grants and events, in a database of the member.
//!
//! Each gateway has keys, a log, a journal and data of its own, and serves from its memory: it looks whether something has
//! changed every few seconds (`access::Hosted`), and while the shared database is away it goes on with what it knows. Deferred
//! work of the shared tables (orders to other nodes, webhooks) is done by whichever gateway takes it.

use store::{Faults, Migrations, Store};

use crate::config::Config;

/// The tables that are used in a shared database.
pub const MIGRATIONS: &[Migrations] = &[store::MIGRATIONS, ::exchange::MIGRATIONS];

/// Opens the shared database; none when the configuration names none.
///
/// # Errors
/// The address is wrong or does not answer.
pub async fn open(config: &Config) -> anyhow::Result<Option<Store>> {
    let url = config.exchange.as_ref().map(|exchange| exchange.shared.as_str());
    let Some(url) = url.filter(|url| !url.is_empty()) else {
        return Ok(None);
    };
    let shared = store::Config {
        url: url.to_owned(),
        connections: config.database.connections,
        blobs: config.data.join("blobs"),
        blob_key: config.secret()?.key("blobs"),
        faults: Faults::default(),
    };
    Ok(Some(Store::open(&shared).await?))
}
