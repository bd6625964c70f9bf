//! Pairs of records that may speak of the same.

use std::collections::BTreeMap;

use base::{Result, Timestamp};
use store::{MOST_VALUES, Param, Read, Row, Tx, among, padded, params, sea_orm};
use uuid::Uuid;

use crate::model::RegistryCode;

/// A pair.
#[derive(Debug, Clone, PartialEq, Eq, Row)]
pub struct PairRow {
    pub id: Uuid,
    pub one_id: Uuid,
    pub other_id: Uuid,
    pub weight: i64,
    pub reason_vi: String,
    pub reason_en: String,
    pub state: String,
    pub ended_id: Option<Uuid>,
    pub ended_seq: Option<i64>,
    pub version: i64,
}

/// A decision.
#[derive(Debug, Clone, PartialEq, Eq, Row)]
pub struct ActRow {
    pub version: i64,
    pub at: i64,
    pub actor: String,
    pub what: String,
    pub why: String,
}

const PAIR: &str = "id, one_id, other_id, weight, reason_vi, reason_en, state, ended_id, ended_seq, version";

/// The instant up to which versions were looked at by a model; the beginning for another.
pub async fn looked_at(db: &impl Read, code: &RegistryCode, model: &str) -> Result<i64> {
    let sql = "SELECT recorded_at FROM registry_linking WHERE registry = $1 AND model = $2";
    Ok(db.scalar(sql, params![code.as_str(), model]).await?.unwrap_or(0))
}

/// Takes the turn of a registry: until the transaction ends nobody else counts its values or decides about its pairs.
pub async fn turn(tx: &Tx, code: &RegistryCode) -> Result<()> {
    let sql = "INSERT INTO registry_linking (registry, model, recorded_at) VALUES ($1, '', 0) \
               ON CONFLICT (registry) DO UPDATE SET model = registry_linking.model";
    tx.exec(sql, params![code.as_str()]).await.map(drop)
}

/// Notes it.
pub async fn look_on(tx: &Tx, code: &RegistryCode, model: &str, at: i64) -> Result<()> {
    let sql = "INSERT INTO registry_linking (registry, model, recorded_at) VALUES ($1, $2, $3) \
               ON CONFLICT (registry) DO UPDATE SET model = excluded.model, recorded_at = excluded.recorded_at";
    tx.exec(sql, params![code.as_str(), model, at]).await.map(drop)
}

/// Adds pairs; those that were proposed before stay as they are.
pub async fn propose(tx: &Tx, code: &RegistryCode, pairs: &[PairRow]) -> Result<()> {
    let row = |p: &PairRow| {
        params![
            p.id,
            code.as_str(),
            p.one_id,
            p.other_id,
            p.weight,
            p.reason_vi,
            p.reason_en,
            p.state,
            p.version
        ]
    };
    let rows: Vec<_> = pairs.iter().map(row).collect();
    let into = "registry_pair (id, registry, one_id, other_id, weight, reason_vi, reason_en, state, version)";
    tx.insert(into, &rows, " ON CONFLICT (registry, one_id, other_id) DO NOTHING")
        .await
}

/// The pairs of a state, the weightiest first, after a place.
pub async fn list(
    db: &impl Read,
    code: &RegistryCode,
    state: &str,
    after: Option<(i64, Uuid)>,
    limit: i64,
) -> Result<Vec<PairRow>> {
    let (weight, id) = after.unwrap_or((i64::MAX, Uuid::max()));
    let sql = format!(
        "SELECT {PAIR} FROM registry_pair WHERE registry = $1 AND state = $2 AND (weight, id) < ($3, $4) \
         ORDER BY weight DESC, id DESC LIMIT $5"
    );
    db.all(&sql, params![code.as_str(), state, weight, id, limit]).await
}

/// A pair of a registry.
pub async fn get(db: &impl Read, code: &RegistryCode, id: Uuid) -> Result<Option<PairRow>> {
    let sql = format!("SELECT {PAIR} FROM registry_pair WHERE registry = $1 AND id = $2");
    db.one(&sql, params![code.as_str(), id]).await
}

/// The pairs in one of these states in which one of these records is, each once, at most `most` of either side.
pub async fn touching(db: &impl Read, records: &[Uuid], states: &[&str], most: i64) -> Result<Vec<PairRow>> {
    let mut pairs = BTreeMap::new();
    for records in padded(records, MOST_VALUES) {
        for side in ["one_id", "other_id"] {
            let sql = format!(
                "SELECT {PAIR} FROM registry_pair WHERE {side} IN ({}) AND state IN ({}) LIMIT $1",
                among(2, records.len()),
                among(2 + records.len(), states.len())
            );
            let mut values = params![most];
            values.extend(records.iter().map(Param::value));
            values.extend(states.iter().map(|state| (*state).value()));
            let rows: Vec<PairRow> = db.all(&sql, values).await?;
            pairs.extend(rows.into_iter().map(|row| (row.id, row)));
        }
    }
    Ok(pairs.into_values().collect())
}

/// Whether any pair of a registry is merged.
pub async fn any_merged(db: &impl Read, code: &RegistryCode) -> Result<bool> {
    let sql = "SELECT id FROM registry_pair WHERE registry = $1 AND state = 'merged' LIMIT 1";
    let found: Option<Uuid> = db.scalar(sql, params![code.as_str()]).await?;
    Ok(found.is_some())
}

/// The records that merges have ended, each with the one that stayed.
pub async fn merged_into(db: &impl Read, records: &[Uuid]) -> Result<BTreeMap<Uuid, Uuid>> {
    #[derive(Row)]
    struct MergedRow {
        one_id: Uuid,
        other_id: Uuid,
        ended_id: Uuid,
    }
    let mut into = BTreeMap::new();
    for records in padded(records, MOST_VALUES) {
        let sql = format!(
            "SELECT one_id, other_id, ended_id FROM registry_pair WHERE ended_id IS NOT NULL AND ended_id IN ({})",
            among(1, records.len())
        );
        let rows: Vec<MergedRow> = db.all(&sql, records.iter().map(Param::value).collect()).await?;
        into.extend(rows.into_iter().map(|row| {
            let stayed = if row.ended_id == row.one_id {
                row.other_id
            } else {
                row.one_id
            };
            (row.ended_id, stayed)
        }));
    }
    Ok(into)
}

/// What was decided about a pair, oldest first.
pub async fn acts(db: &impl Read, id: Uuid) -> Result<Vec<ActRow>> {
    let sql = "SELECT version, at, actor, what, why FROM registry_pair_act WHERE pair_id = $1 ORDER BY version";
    db.all(sql, params![id]).await
}

/// Notes a decision: the pair as it is from now on, one version further. False if somebody else was faster.
pub async fn decide(tx: &Tx, pair: &PairRow, now: Timestamp, actor: &str, what: &str, why: &str) -> Result<bool> {
    let sql = "UPDATE registry_pair SET state = $1, ended_id = $2, ended_seq = $3, version = version + 1 \
               WHERE id = $4 AND version = $5";
    let values = params![pair.state, pair.ended_id, pair.ended_seq, pair.id, pair.version];
    if tx.exec(sql, values).await? == 0 {
        return Ok(false);
    }
    let sql = "INSERT INTO registry_pair_act (pair_id, version, at, actor, what, why) VALUES ($1, $2, $3, $4, $5, $6)";
    let values = params![pair.id, pair.version + 1, now, actor, what, why];
    tx.exec(sql, values).await?;
    Ok(true)
}
