//! How far subscribers have been told.

use base::Result;
use store::{Read, Row, Tx, params, sea_orm};
use uuid::Uuid;

use super::{VERSION, VersionRow};
use crate::model::RegistryCode;

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Row)]
pub struct Place {
    /// The last version that was told.
    pub upto: i64,
    /// The version of the folder whose events are declared.
    pub edition: i64,
    /// The last version of a merge that was told, where it is before `upto`: of merges those from before are told as well.
    pub merges_upto: i64,
}

pub async fn place(db: &impl Read, code: &RegistryCode) -> Result<Option<Place>> {
    let sql = "SELECT upto, edition, merges_upto FROM registry_announced WHERE registry = $1";
    db.one(sql, params![code.as_str()]).await
}

/// The events of a version of the folder are declared. What was recorded up to `upto` is told to nobody, where it begins.
pub async fn declared(tx: &Tx, code: &RegistryCode, upto: i64, edition: i64) -> Result<()> {
    let sql = "INSERT INTO registry_announced (registry, upto, edition) VALUES ($1, $2, $3) \
               ON CONFLICT (registry) DO UPDATE SET edition = excluded.edition";
    tx.exec(sql, params![code.as_str(), upto, edition]).await.map(drop)
}

/// Everything up to an instant is told. Of two who told the same the further counts.
pub async fn advance(tx: &Tx, code: &RegistryCode, upto: i64) -> Result<()> {
    let sql = "UPDATE registry_announced SET upto = $2 WHERE registry = $1 AND upto < $2";
    tx.exec(sql, params![code.as_str(), upto]).await.map(drop)
}

/// Merges up to an instant are told.
pub async fn advance_merges(tx: &Tx, code: &RegistryCode, upto: i64) -> Result<()> {
    let sql = "UPDATE registry_announced SET merges_upto = $2 WHERE registry = $1 AND merges_upto < $2";
    tx.exec(sql, params![code.as_str(), upto]).await.map(drop)
}

/// Versions of records that merges touched, recorded after one instant and up to another.
pub async fn of_merged(
    db: &impl Read,
    code: &RegistryCode,
    (after, upto): (i64, i64),
    limit: u32,
) -> Result<Vec<VersionRow>> {
    let sql = format!(
        "SELECT {VERSION} FROM registry_version v WHERE v.registry = $1 AND v.recorded_at > $2 AND v.recorded_at <= $3 \
         AND v.record_id IN (SELECT record_id FROM registry_merge UNION SELECT stayed_id FROM registry_merge) \
         ORDER BY v.recorded_at LIMIT $4"
    );
    db.all(&sql, params![code.as_str(), after, upto, i64::from(limit)])
        .await
}

/// The instant of the newest version of a registry.
pub async fn newest(db: &impl Read, code: &RegistryCode) -> Result<Option<i64>> {
    let sql = "SELECT recorded_at FROM registry_version WHERE registry = $1 ORDER BY recorded_at DESC LIMIT 1";
    db.scalar(sql, params![code.as_str()]).await
}

/// The last version of a record that says anything and was recorded by an instant.
pub async fn said_by(db: &impl Read, record: Uuid, at: i64) -> Result<Option<VersionRow>> {
    let sql = format!(
        "SELECT {VERSION} FROM registry_version v WHERE v.record_id = $1 AND v.recorded_at <= $2 AND v.body IS NOT NULL \
         ORDER BY v.seq DESC LIMIT 1"
    );
    db.one(&sql, params![record, at]).await
}

/// The last version of a record before one that says anything.
pub async fn said_before(db: &impl Read, record: Uuid, seq: i64) -> Result<Option<VersionRow>> {
    let sql = format!(
        "SELECT {VERSION} FROM registry_version v WHERE v.record_id = $1 AND v.seq < $2 AND v.body IS NOT NULL \
         ORDER BY v.seq DESC LIMIT 1"
    );
    db.one(&sql, params![record, seq]).await
}
