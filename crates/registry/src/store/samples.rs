//! The tables of samples.

use base::{Result, Timestamp};
use store::{Read, Row, Tx, params, sea_orm};
use uuid::Uuid;

use crate::model::RegistryCode;

/// A sample, as kept.
#[derive(Debug, Clone, Row)]
pub struct SampleRow {
    pub id: Uuid,
    pub registry: String,
    pub seed: i64,
    pub wanted: i64,
    pub drawn_at: i64,
    pub drawn_by: String,
    pub drawn: Option<i64>,
    pub of_records: Option<i64>,
    pub right_count: i64,
    pub wrong_count: i64,
}

/// A record of a sample.
#[derive(Debug, Row)]
pub struct ItemRow {
    pub n: i64,
    pub record_id: Uuid,
}

const SAMPLE: &str = "id, registry, seed, wanted, drawn_at, drawn_by, drawn, of_records, right_count, wrong_count";

/// Adds a sample that is to be drawn.
pub async fn add(tx: &Tx, s: &SampleRow) -> Result<()> {
    let row = params![
        s.id,
        s.registry,
        s.seed,
        s.wanted,
        s.drawn_at,
        s.drawn_by,
        s.drawn,
        s.of_records,
        s.right_count,
        s.wrong_count
    ];
    tx.insert(&format!("registry_sample ({SAMPLE})"), &[row], "").await
}

/// Adds what was drawn, of how many records.
pub async fn drawn<'a>(tx: &Tx, sample: Uuid, records: impl Iterator<Item = &'a Uuid>, of: i64) -> Result<()> {
    let items: Vec<_> = (1_i64..)
        .zip(records)
        .map(|(n, record)| params![sample, n, *record])
        .collect();
    tx.insert("registry_sample_item (sample, n, record_id)", &items, "")
        .await?;
    let sql = "UPDATE registry_sample SET drawn = $2, of_records = $3 WHERE id = $1";
    let drawn = i64::try_from(items.len()).unwrap_or(i64::MAX);
    tx.exec(sql, params![sample, drawn, of]).await.map(drop)
}

/// A sample.
pub async fn by_id(db: &impl Read, id: Uuid) -> Result<Option<SampleRow>> {
    let sql = format!("SELECT {SAMPLE} FROM registry_sample WHERE id = $1");
    db.one(&sql, params![id]).await
}

/// The samples of a registry, the newest first.
pub async fn of_registry(db: &impl Read, code: &RegistryCode, limit: i64) -> Result<Vec<SampleRow>> {
    let sql = format!("SELECT {SAMPLE} FROM registry_sample WHERE registry = $1 ORDER BY id DESC LIMIT $2");
    db.all(&sql, params![code.as_str(), limit]).await
}

/// The newest sample of a registry of which anything is judged.
pub async fn newest(db: &impl Read, code: &RegistryCode) -> Result<Option<SampleRow>> {
    let sql = format!(
        "SELECT {SAMPLE} FROM registry_sample WHERE registry = $1 AND right_count + wrong_count > 0 ORDER BY id DESC LIMIT 1"
    );
    db.one(&sql, params![code.as_str()]).await
}

/// The records of a sample that nobody has judged, in their order.
pub async fn open_items(db: &impl Read, sample: Uuid, limit: i64) -> Result<Vec<ItemRow>> {
    let sql =
        "SELECT n, record_id FROM registry_sample_item WHERE sample = $1 AND judged_at IS NULL ORDER BY n LIMIT $2";
    db.all(sql, params![sample, limit]).await
}

/// Notes what was found about a record of a sample, and counts it; false where it is judged already. Fields stand with commas between.
pub async fn judge(
    tx: &Tx,
    (sample, n): (Uuid, i64),
    wrong: &str,
    looked_at: &str,
    (by, at): (&str, Timestamp),
) -> Result<bool> {
    let sql = "UPDATE registry_sample_item SET wrong = $3, looked_at = $4, judged_by = $5, judged_at = $6 \
               WHERE sample = $1 AND n = $2 AND judged_at IS NULL";
    if tx.exec(sql, params![sample, n, wrong, looked_at, by, at]).await? == 0 {
        return Ok(false);
    }
    let sql = if wrong.is_empty() {
        "UPDATE registry_sample SET right_count = right_count + 1 WHERE id = $1"
    } else {
        "UPDATE registry_sample SET wrong_count = wrong_count + 1 WHERE id = $1"
    };
    tx.exec(sql, params![sample]).await?;
    Ok(true)
}
