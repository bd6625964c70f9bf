//! Which versions merges made, and merges of registries that other nodes keep.

use std::collections::BTreeMap;

use base::Result;
use store::{MOST_VALUES, Param, Read, Row, Tx, among, padded, params, sea_orm};
use uuid::Uuid;

use crate::model::RegistryCode;

/// A version by which a merge ended a record, or by which its undoing brought it back.
#[derive(Debug, Clone, PartialEq, Eq, Row)]
pub struct MergeRow {
    pub record_id: Uuid,
    pub seq: i64,
    pub stayed_id: Uuid,
}

impl MergeRow {
    pub const fn new(record_id: Uuid, seq: i64, stayed_id: Uuid) -> Self {
        Self {
            record_id,
            seq,
            stayed_id,
        }
    }
}

/// Notes it.
pub async fn note(tx: &Tx, row: &MergeRow) -> Result<()> {
    let rows = [params![row.record_id, row.seq, row.stayed_id]];
    tx.insert("registry_merge (record_id, seq, stayed_id)", &rows, "").await
}

/// What merges did to records: by record and version, the record that stayed.
pub async fn of(db: &impl Read, records: &[Uuid]) -> Result<BTreeMap<(Uuid, i64), Uuid>> {
    let mut found = BTreeMap::new();
    for records in padded(records, MOST_VALUES) {
        let sql = format!(
            "SELECT record_id, seq, stayed_id FROM registry_merge WHERE record_id IN ({})",
            among(1, records.len())
        );
        let rows: Vec<MergeRow> = db.all(&sql, records.iter().map(Param::value).collect()).await?;
        found.extend(rows.into_iter().map(|row| ((row.record_id, row.seq), row.stayed_id)));
    }
    Ok(found)
}

/// What merges into a record did.
pub async fn into(db: &impl Read, stayed: Uuid) -> Result<Vec<MergeRow>> {
    let sql = "SELECT record_id, seq, stayed_id FROM registry_merge WHERE stayed_id = $1 ORDER BY record_id, seq";
    db.all(sql, params![stayed]).await
}

/// The merges of a record and into it that hold, or of which it was told last that they do not.
pub async fn last_with(db: &impl Read, record: Uuid) -> Result<Vec<MergeRow>> {
    let sql = "SELECT m.record_id, m.seq, m.stayed_id FROM registry_merge m WHERE (m.record_id = $1 OR m.stayed_id = $1) \
               AND NOT EXISTS (SELECT 1 FROM registry_merge n WHERE n.record_id = m.record_id AND n.seq > m.seq) \
               ORDER BY m.record_id";
    db.all(sql, params![record]).await
}

/// A merge of a registry of another node that holds.
#[derive(Debug, Clone, PartialEq, Eq, Row)]
pub struct ElsewhereRow {
    pub record_id: Uuid,
    pub merged_key: String,
    pub stayed_id: Uuid,
    pub stayed_key: String,
    pub keeper: String,
}

const ELSEWHERE: &str = "record_id, merged_key, stayed_id, stayed_key, keeper";

/// Takes down what a keeper tells of.
pub async fn hear(tx: &Tx, code: &RegistryCode, row: &ElsewhereRow) -> Result<()> {
    let rows = [params![
        code.as_str(),
        row.record_id,
        row.merged_key,
        row.stayed_id,
        row.stayed_key,
        row.keeper
    ]];
    let after = " ON CONFLICT (registry, record_id) DO UPDATE SET merged_key = excluded.merged_key, stayed_id = excluded.stayed_id, \
                 stayed_key = excluded.stayed_key, keeper = excluded.keeper";
    tx.insert(
        &format!("registry_merge_elsewhere (registry, {ELSEWHERE})"),
        &rows,
        after,
    )
    .await
}

/// A merge holds no more.
pub async fn forget(tx: &Tx, code: &RegistryCode, record: Uuid) -> Result<()> {
    let sql = "DELETE FROM registry_merge_elsewhere WHERE registry = $1 AND record_id = $2";
    tx.exec(sql, params![code.as_str(), record]).await.map(drop)
}

/// By which of these keys records were found that went, the newest last.
pub async fn of_keys(db: &impl Read, code: &RegistryCode, keys: &[&str]) -> Result<Vec<ElsewhereRow>> {
    let mut found = Vec::new();
    for keys in padded(keys, MOST_VALUES) {
        let sql = format!(
            "SELECT {ELSEWHERE} FROM registry_merge_elsewhere WHERE registry = $1 AND merged_key IN ({}) ORDER BY record_id",
            among(2, keys.len())
        );
        let mut values = params![code.as_str()];
        values.extend(keys.iter().map(Param::value));
        found.extend(db.all::<ElsewhereRow>(&sql, values).await?);
    }
    Ok(found)
}

/// Where one record went.
pub async fn of_record(db: &impl Read, code: &RegistryCode, record: Uuid) -> Result<Option<ElsewhereRow>> {
    let sql = format!("SELECT {ELSEWHERE} FROM registry_merge_elsewhere WHERE registry = $1 AND record_id = $2");
    db.one(&sql, params![code.as_str(), record]).await
}

/// What was heard of a registry from others than its keeper.
pub async fn of_others(db: &impl Read, code: &RegistryCode, keeper: &str) -> Result<Vec<ElsewhereRow>> {
    let sql = format!("SELECT {ELSEWHERE} FROM registry_merge_elsewhere WHERE registry = $1 AND keeper <> $2");
    db.all(&sql, params![code.as_str(), keeper]).await
}
