//! The table of files that show what doubts say. Nobody else's SQL touches it. Their content is not here.

use base::Result;
use store::{Read, Row, Tx, params, sea_orm};
use uuid::Uuid;

/// A file of a doubt, as kept.
#[derive(Debug, Clone, PartialEq, Eq, Row)]
pub struct DoubtFileRow {
    pub id: Uuid,
    pub doubt_id: Uuid,
    pub name: String,
    pub format: String,
    pub size: i64,
    pub sha256: String,
    pub put_at: i64,
}

const FILE: &str = "id, doubt_id, name, format, size, sha256, put_at";

/// Adds a file.
pub async fn add(tx: &Tx, f: &DoubtFileRow) -> Result<()> {
    let row = params![f.id, f.doubt_id, f.name, f.format, f.size, f.sha256, f.put_at];
    tx.insert(&format!("registry_doubt_file ({FILE})"), &[row], "").await
}

/// The files of a doubt, in the order in which they came.
pub async fn of_doubt(db: &impl Read, doubt: Uuid) -> Result<Vec<DoubtFileRow>> {
    let sql = format!("SELECT {FILE} FROM registry_doubt_file WHERE doubt_id = $1 ORDER BY put_at, id");
    db.all(&sql, params![doubt]).await
}

/// One file of a doubt.
pub async fn one(db: &impl Read, doubt: Uuid, id: Uuid) -> Result<Option<DoubtFileRow>> {
    let sql = format!("SELECT {FILE} FROM registry_doubt_file WHERE doubt_id = $1 AND id = $2");
    db.one(&sql, params![doubt, id]).await
}

/// Whether there is such a file, of whatever doubt.
pub async fn is_kept(db: &impl Read, id: Uuid) -> Result<bool> {
    let sql = "SELECT id FROM registry_doubt_file WHERE id = $1";
    let found: Option<Uuid> = db.scalar(sql, params![id]).await?;
    Ok(found.is_some())
}

/// Takes a file out. False where it is gone already.
pub async fn remove(tx: &Tx, doubt: Uuid, id: Uuid) -> Result<bool> {
    let sql = "DELETE FROM registry_doubt_file WHERE doubt_id = $1 AND id = $2";
    Ok(tx.exec(sql, params![doubt, id]).await? == 1)
}

/// Takes out the files of all doubts about a record; which they were.
pub async fn forget(tx: &Tx, record: Uuid) -> Result<Vec<Uuid>> {
    let of_record = "doubt_id IN (SELECT id FROM registry_doubt WHERE record_id = $1)";
    let sql = format!("SELECT {FILE} FROM registry_doubt_file WHERE {of_record}");
    let rows: Vec<DoubtFileRow> = tx.all(&sql, params![record]).await?;
    let sql = format!("DELETE FROM registry_doubt_file WHERE {of_record}");
    tx.exec(&sql, params![record]).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}
