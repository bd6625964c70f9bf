//! Orders, and the numbers that were given.

use base::Result;
use sha2::{Digest, Sha256};
use store::{Read, Row, Tx, params, sea_orm};
use uuid::Uuid;

use super::index::{Values, after_prefix};
use crate::model::RegistryCode;

/// What an order became.
#[derive(Debug, Clone, PartialEq, Eq, Row)]
pub struct OrderRow {
    /// SHA-256 in hex of what was ordered; empty once the record is erased.
    pub fingerprint: String,
    pub record_id: Uuid,
    /// The version that it is.
    pub seq: i64,
    /// The version that takes it back.
    pub back_seq: Option<i64>,
}

/// What an order of a client became, if it came before.
pub async fn order(db: &impl Read, code: &RegistryCode, client: &str, id: &str) -> Result<Option<OrderRow>> {
    let sql = "SELECT fingerprint, record_id, seq, back_seq FROM registry_order WHERE registry = $1 AND client = $2 AND id = $3";
    db.one(sql, params![code.as_str(), client, id]).await
}

/// Keeps what an order became.
pub async fn keep(tx: &Tx, code: &RegistryCode, client: &str, id: &str, row: &OrderRow) -> Result<()> {
    let sql = "INSERT INTO registry_order (registry, client, id, fingerprint, record_id, seq, back_seq) \
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let values = params![
        code.as_str(),
        client,
        id,
        row.fingerprint,
        row.record_id,
        row.seq,
        row.back_seq
    ];
    tx.exec(sql, values).await.map(drop)
}

/// Whether an order was asked after before it came.
pub async fn is_void(db: &impl Read, code: &RegistryCode, client: &str, id: &str) -> Result<bool> {
    let sql = "SELECT id FROM registry_void_order WHERE registry = $1 AND client = $2 AND id = $3";
    let found: Option<String> = db.scalar(sql, params![code.as_str(), client, id]).await?;
    Ok(found.is_some())
}

/// Keeps that an order was asked after before it came.
pub async fn make_void(tx: &Tx, code: &RegistryCode, client: &str, id: &str) -> Result<()> {
    let sql = "INSERT INTO registry_void_order (registry, client, id) VALUES ($1, $2, $3) \
               ON CONFLICT (registry, client, id) DO NOTHING";
    tx.exec(sql, params![code.as_str(), client, id]).await.map(drop)
}

/// Keeps by which version an order was taken back.
pub async fn take_back(tx: &Tx, code: &RegistryCode, client: &str, id: &str, seq: i64) -> Result<()> {
    let sql = "UPDATE registry_order SET back_seq = $4 WHERE registry = $1 AND client = $2 AND id = $3";
    tx.exec(sql, params![code.as_str(), client, id, seq]).await.map(drop)
}

/// Whether a number is that of any record, or ever was.
pub async fn is_given(db: &impl Read, slot: i64, number: &[u8]) -> Result<bool> {
    let sql = "SELECT slot FROM registry_index WHERE slot = $1 AND value = $2 LIMIT 1";
    let held: Option<i64> = db.scalar(sql, params![slot, number]).await?;
    if held.is_some() {
        return Ok(true);
    }
    let sql = "SELECT slot FROM registry_retired WHERE slot = $1 AND hash = $2";
    let retired: Option<i64> = db.scalar(sql, params![slot, hash(number)]).await?;
    Ok(retired.is_some())
}

/// The last number that was given in a book.
pub async fn last_serial(db: &impl Read, slot: i64, book: &str) -> Result<Option<i64>> {
    let sql = "SELECT last FROM registry_serial WHERE slot = $1 AND book = $2";
    db.scalar(sql, params![slot, book]).await
}

/// Keeps the last number of a book.
pub async fn keep_serial(tx: &Tx, slot: i64, book: &str, last: i64) -> Result<()> {
    let sql = "INSERT INTO registry_serial (slot, book, last) VALUES ($1, $2, $3) \
               ON CONFLICT (slot, book) DO UPDATE SET last = excluded.last";
    tx.exec(sql, params![slot, book, last]).await.map(drop)
}

/// The highest number at the end of the keys of a book, of whatever time; 0 where there is none.
pub async fn highest(db: &impl Read, slot: i64, book: &str) -> Result<i64> {
    #[derive(Row)]
    struct KeyRow {
        value: Vec<u8>,
    }
    let (from, before) = (book.as_bytes(), after_prefix(book.as_bytes()));
    let sql = "SELECT DISTINCT value FROM registry_index WHERE slot = $1 AND value >= $2 AND value < $3";
    let keys: Vec<KeyRow> = db.all(sql, params![slot, from, before.unwrap_or_default()]).await?;
    let number = |row: &KeyRow| std::str::from_utf8(row.value.get(from.len()..)?).ok()?.parse().ok();
    Ok(keys.iter().filter_map(number).max().unwrap_or(0))
}

/// Keeps the numbers of a record that is about to be erased from being given again, and forgets what orders said of it.
pub async fn erase(tx: &Tx, record: Uuid, slots: &[i64], ever: &Values) -> Result<()> {
    let numbers = slots
        .iter()
        .flat_map(|slot| ever.of(*slot).map(|number| (*slot, number)));
    let rows: Vec<_> = numbers.map(|(slot, number)| params![slot, hash(number)]).collect();
    tx.insert(
        "registry_retired (slot, hash)",
        &rows,
        " ON CONFLICT (slot, hash) DO NOTHING",
    )
    .await?;
    let sql = "UPDATE registry_order SET fingerprint = '' WHERE record_id = $1";
    tx.exec(sql, params![record]).await.map(drop)
}

fn hash(number: &[u8]) -> Vec<u8> {
    Sha256::digest(number).to_vec()
}
