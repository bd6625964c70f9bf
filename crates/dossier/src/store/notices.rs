//! What applicants are told.

use base::{Result, Timestamp};
use store::{Read, Row, Tx, params, sea_orm};
use uuid::Uuid;

use crate::model::{action::DossierId, notice::NoticeKind};

/// A notice to write.
#[derive(Debug, Clone, Copy)]
pub struct New<'a> {
    /// About which dossier; the id of a proposal, where it is about one.
    pub dossier: DossierId,
    /// Its code; none of a proposal.
    pub code: &'a str,
    /// For whom.
    pub account: Uuid,
    /// What.
    pub kind: NoticeKind,
    /// The entry of the log, or the due instant in microseconds.
    pub cause: i64,
    /// When it happened.
    pub at: Timestamp,
    /// The date that it names.
    pub named_at: Option<Timestamp>,
}

/// Writes a notice, once for each cause.
///
/// # Errors
/// The database failed.
pub async fn tell(tx: &Tx, notice: New<'_>) -> Result<()> {
    let sql = "INSERT INTO dossier_notice (dossier_id, kind, cause, account, code, at, named_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
    let values = params![
        notice.dossier,
        notice.kind.code(),
        notice.cause,
        notice.account,
        notice.code,
        notice.at,
        notice.named_at
    ];
    tx.exec(sql, values).await.map(drop)
}

/// A notice as it is kept.
#[derive(Debug, Clone, Row)]
pub struct NoticeRow {
    /// About which dossier or proposal.
    pub dossier_id: Uuid,
    /// What.
    pub kind: String,
    /// Code of the dossier.
    pub code: String,
    /// When it happened.
    pub at: i64,
    /// The date that it names.
    pub named_at: Option<i64>,
    /// When it was read.
    pub read_at: Option<i64>,
}

/// The notices of an account, newest first; of one dossier only if asked.
///
/// # Errors
/// The database failed.
pub async fn newest(db: &impl Read, account: Uuid, code: Option<&str>, limit: u32) -> Result<Vec<NoticeRow>> {
    let mut values = params![account];
    let mut sql =
        String::from("SELECT dossier_id, kind, code, at, named_at, read_at FROM dossier_notice WHERE account = $1");
    if let Some(code) = code {
        sql.push_str(" AND code = $2");
        values.push(store::Param::value(code));
    }
    sql.push_str(&format!(" ORDER BY at DESC, dossier_id, kind LIMIT {limit}"));
    db.all::<NoticeRow>(&sql, values).await
}

/// The accounts that were told that something is proposed, or will be done.
///
/// # Errors
/// The database failed.
pub async fn told_of(db: &impl Read, proposal: Uuid) -> Result<Vec<Uuid>> {
    #[derive(Row)]
    struct AccountRow {
        account: Uuid,
    }
    let sql =
        "SELECT account FROM dossier_notice WHERE dossier_id = $1 AND kind IN ('proposed', 'announced') ORDER BY cause";
    let rows: Vec<AccountRow> = db.all(sql, params![proposal]).await?;
    Ok(rows.into_iter().map(|row| row.account).collect())
}

/// Notes that a person has read what they were told; of one dossier only if asked.
///
/// # Errors
/// The database failed.
pub async fn read(tx: &Tx, account: Uuid, code: Option<&str>, now: Timestamp) -> Result<()> {
    let mut values = params![account, now];
    let mut sql = String::from("UPDATE dossier_notice SET read_at = $2 WHERE account = $1 AND read_at IS NULL");
    if let Some(code) = code {
        sql.push_str(" AND code = $3");
        values.push(store::Param::value(code));
    }
    tx.exec(&sql, values).await.map(drop)
}

/// A dossier that is late.
#[derive(Debug, Clone, Row)]
pub struct LateRow {
    /// Id.
    pub id: Uuid,
    /// Code.
    pub code: String,
    /// Whose.
    pub account: Option<Uuid>,
    /// When it was due.
    pub due_at: i64,
}

/// Dossiers that were due before `now`, in order, after the place `(due_at, id)`.
///
/// # Errors
/// The database failed.
pub async fn late(db: &impl Read, now: Timestamp, after: (i64, Uuid), limit: u32) -> Result<Vec<LateRow>> {
    let sql = format!(
        "SELECT id, code, account, due_at FROM dossier WHERE due_at IS NOT NULL AND due_at < $1 AND due_at >= $2 \
         AND (due_at > $2 OR id > $3) ORDER BY due_at, id LIMIT {limit}"
    );
    db.all::<LateRow>(&sql, params![now, after.0, after.1]).await
}
