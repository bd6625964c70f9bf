//! Where versions stand in the transparency log.

use base::Result;
use store::{Read, Row, Tx, params, sea_orm};
use uuid::Uuid;

use crate::model::RegistryCode;

/// Where one version stands.
#[derive(Debug, Clone, PartialEq, Eq, Row)]
pub struct Leaf {
    /// The registry.
    pub registry: String,
    /// The instant of the version, which is its own.
    pub recorded_at: i64,
    /// The log.
    pub origin: String,
    /// The place in it, from 0.
    pub leaf: i64,
}

/// The last version of a registry that has a leaf.
pub async fn last_of(db: &impl Read, code: &RegistryCode) -> Result<Option<i64>> {
    let sql = "SELECT recorded_at FROM registry_leaf WHERE registry = $1 ORDER BY recorded_at DESC LIMIT 1";
    db.scalar(sql, params![code.as_str()]).await
}

/// The last leaf that is noted of a log.
pub async fn last(db: &impl Read, origin: &str) -> Result<Option<i64>> {
    let sql = "SELECT leaf FROM registry_leaf WHERE origin = $1 ORDER BY leaf DESC LIMIT 1";
    db.scalar(sql, params![origin]).await
}

/// Notes where versions stand. Of a version that has two leaves the first counts.
pub async fn put(tx: &Tx, leaves: &[Leaf]) -> Result<()> {
    let row = |l: &Leaf| params![l.registry, l.recorded_at, l.origin, l.leaf];
    let rows: Vec<_> = leaves.iter().map(row).collect();
    let after = " ON CONFLICT (registry, recorded_at) DO NOTHING";
    tx.insert("registry_leaf (registry, recorded_at, origin, leaf)", &rows, after)
        .await
}

/// The leaves of a record's versions before its erasure.
pub async fn before_erasure(db: &impl Read, code: &RegistryCode, record: Uuid) -> Result<Vec<Leaf>> {
    let sql = "SELECT l.registry, l.recorded_at, l.origin, l.leaf FROM registry_version v \
               JOIN registry_leaf l ON l.registry = v.registry AND l.recorded_at = v.recorded_at \
               WHERE v.record_id = $1 AND v.registry = $2 AND v.kind <> 'erase' ORDER BY v.seq";
    db.all(sql, params![record, code.as_str()]).await
}
