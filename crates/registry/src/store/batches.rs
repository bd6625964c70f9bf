//! The tables of batches.

use base::{Result, Timestamp};
use store::{Read, Row, Tx, params, sea_orm};
use uuid::Uuid;

use crate::model::RegistryCode;

/// A batch, as kept.
#[derive(Debug, Row)]
pub struct BatchRow {
    pub id: Uuid,
    pub rule: String,
    pub made_at: i64,
    pub made_by: String,
    pub undone_at: Option<i64>,
}

/// A record of a batch.
#[derive(Debug, Row)]
pub struct ItemRow {
    pub record_id: Uuid,
    pub seq: i64,
}

/// Adds a batch.
pub async fn add(tx: &Tx, code: &RegistryCode, b: &BatchRow) -> Result<()> {
    let row = params![b.id, code.as_str(), b.rule, b.made_at, b.made_by, b.undone_at];
    let into = "registry_batch (id, registry, rule, made_at, made_by, undone_at)";
    tx.insert(into, &[row], "").await
}

/// Adds a record to a batch, with the version that is about to be written.
pub async fn add_item(tx: &Tx, batch: Uuid, item: &ItemRow) -> Result<()> {
    let row = params![batch, item.record_id, item.seq];
    let after = " ON CONFLICT (batch, record_id) DO NOTHING";
    tx.insert("registry_batch_item (batch, record_id, seq)", &[row], after)
        .await
}

/// A batch of a registry.
pub async fn by_id(db: &impl Read, code: &RegistryCode, id: Uuid) -> Result<Option<BatchRow>> {
    let sql = "SELECT id, rule, made_at, made_by, undone_at FROM registry_batch WHERE id = $1 AND registry = $2";
    db.one(sql, params![id, code.as_str()]).await
}

/// The batches of a registry, the newest first.
pub async fn of_registry(db: &impl Read, code: &RegistryCode, limit: i64) -> Result<Vec<BatchRow>> {
    let sql = "SELECT id, rule, made_at, made_by, undone_at FROM registry_batch WHERE registry = $1 ORDER BY id DESC LIMIT $2";
    db.all(sql, params![code.as_str(), limit]).await
}

/// The records of a batch.
pub async fn items(db: &impl Read, batch: Uuid) -> Result<Vec<ItemRow>> {
    let sql = "SELECT record_id, seq FROM registry_batch_item WHERE batch = $1 ORDER BY record_id";
    db.all(sql, params![batch]).await
}

/// Notes that a batch was taken back.
pub async fn undone(tx: &Tx, batch: Uuid, at: Timestamp) -> Result<()> {
    let sql = "UPDATE registry_batch SET undone_at = $2 WHERE id = $1";
    tx.exec(sql, params![batch, at]).await.map(drop)
}
