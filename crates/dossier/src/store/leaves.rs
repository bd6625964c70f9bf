//! Where entries stand in the transparency log.

use base::Result;
use store::{MOST_VALUES, Param, Read, Row, Tx, among, padded, params, sea_orm};
use uuid::Uuid;

use crate::model::action::DossierId;

/// Where one entry stands.
#[derive(Debug, Clone, PartialEq, Eq, Row)]
pub struct Leaf {
    /// The dossier.
    pub dossier_id: Uuid,
    /// The entry.
    pub seq: i64,
    /// The log.
    pub origin: String,
    /// The place in it, from 0.
    pub leaf: i64,
}

/// An entry that has no leaf yet, as it is kept.
#[derive(Debug, Clone, Row)]
pub struct Bare {
    /// The dossier.
    pub dossier_id: Uuid,
    /// The entry.
    pub seq: i64,
    /// Its text.
    pub entry: String,
}

/// The entries of these dossiers that have no leaf, in the order of each dossier.
///
/// # Errors
/// The database failed.
pub async fn missing(db: &impl Read, ids: &[DossierId]) -> Result<Vec<Bare>> {
    let mut bare = Vec::new();
    for ids in padded(ids, MOST_VALUES) {
        let sql = format!(
            "SELECT e.dossier_id, e.seq, e.entry FROM dossier_entry e LEFT JOIN dossier_leaf l ON l.dossier_id = e.dossier_id AND \
             l.seq = e.seq WHERE e.dossier_id IN ({}) AND l.seq IS NULL ORDER BY e.dossier_id, e.seq",
            among(1, ids.len())
        );
        bare.extend(db.all::<Bare>(&sql, ids.iter().map(Param::value).collect()).await?);
    }
    Ok(bare)
}

/// Notes where entries stand. Of an entry that has two leaves the first counts.
///
/// # Errors
/// The database failed.
pub async fn put(tx: &Tx, leaves: &[Leaf]) -> Result<()> {
    let row = |l: &Leaf| params![l.dossier_id, l.seq, l.origin, l.leaf];
    let rows: Vec<_> = leaves.iter().map(row).collect();
    let after = " ON CONFLICT (dossier_id, seq) DO NOTHING";
    tx.insert("dossier_leaf (dossier_id, seq, origin, leaf)", &rows, after)
        .await
}

/// The leaves of a dossier, in the order of its log.
///
/// # Errors
/// The database failed.
pub async fn of(db: &impl Read, id: DossierId) -> Result<Vec<Leaf>> {
    let sql = "SELECT dossier_id, seq, origin, leaf FROM dossier_leaf WHERE dossier_id = $1 ORDER BY seq";
    db.all(sql, params![id]).await
}

/// The last leaf that is noted of a log.
///
/// # Errors
/// The database failed.
pub async fn last(db: &impl Read, origin: &str) -> Result<Option<i64>> {
    let sql = "SELECT leaf FROM dossier_leaf WHERE origin = $1 ORDER BY leaf DESC LIMIT 1";
    db.scalar(sql, params![origin]).await
}
