//! The tables of access. Nobody else touches them.

mod checks;
mod grants;
mod services;
mod systems;

use ::store::{Read, Tx, params};
use base::Result;

pub use checks::{checks, drop_check, put_check, report};
pub use grants::{
    GrantFilter, GrantRow, OrderState, add_entries, add_order, grant, grants, has_open, hosted_grants, lock, log,
    orders, put_grant, put_order, renewals, waiting_orders,
};
pub use services::{
    KeptCredential, ServiceRow, credential_place, document, insert_service, put_document, service, service_named,
    services, services_of, update_service,
};
pub use systems::{
    SystemRow, agency_of, insert_system, owned, set_token, system, system_named, systems, systems_of, update_system,
};

/// The number that grows with each change of what the gateway has to know.
pub async fn turn(db: &impl Read) -> Result<i64> {
    let turn = db
        .scalar("SELECT version FROM exchange_turn WHERE id = 1", params![])
        .await?;
    Ok(turn.unwrap_or_default())
}

/// Says that it has changed.
pub async fn next_turn(tx: &Tx) -> Result<()> {
    let sql = "UPDATE exchange_turn SET version = version + 1 WHERE id = 1";
    tx.exec(sql, params![]).await.map(drop)
}

/// An agency and those below it, for `LIKE`. Codes are letters, digits and dots: nothing to escape.
pub fn below(agency: &str) -> String {
    format!("{agency}.%")
}
