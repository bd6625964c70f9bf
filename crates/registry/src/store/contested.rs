//! What is contested of registries of other nodes. Nobody else's SQL touches it.

use base::Result;
use store::{Read, Row, Tx, params, sea_orm};
use uuid::Uuid;

/// What is contested, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Row)]
pub struct ContestedRow {
    pub registry: String,
    pub doubt: Uuid,
    pub told_as: String,
    pub label_vi: String,
    pub label_en: String,
    /// Empty where it came up in none.
    pub dossier: String,
    pub account: Option<Uuid>,
    pub reason: String,
    pub filed: String,
    pub state: String,
    pub open: bool,
    pub question: String,
    pub answer: String,
    pub answered_by: String,
    pub answered_at: Option<i64>,
    pub told_at: i64,
    pub due_at: i64,
}

const CONTESTED: &str = "registry, doubt, told_as, label_vi, label_en, dossier, account, reason, filed, state, open, question, answer, \
     answered_by, answered_at, told_at, due_at";

/// Keeps what was told; told again, it is there.
pub async fn keep(tx: &Tx, c: &ContestedRow) -> Result<()> {
    let row = params![
        c.registry,
        c.doubt,
        c.told_as,
        c.label_vi,
        c.label_en,
        c.dossier,
        c.account,
        c.reason,
        c.filed,
        c.state,
        c.open,
        c.question,
        c.answer,
        c.answered_by,
        c.answered_at,
        c.told_at,
        c.due_at
    ];
    let into = format!("registry_contested ({CONTESTED})");
    tx.insert(&into, &[row], " ON CONFLICT DO NOTHING").await
}

/// Notes how it stands now, if it still is in the state in which it was seen.
pub async fn change(tx: &Tx, c: &ContestedRow, state: &str) -> Result<bool> {
    let sql = "UPDATE registry_contested SET state = $4, open = $5, question = $6, answer = $7, answered_by = $8, answered_at = $9, \
               due_at = $10 WHERE registry = $1 AND doubt = $2 AND state = $3";
    let values = params![
        c.registry,
        c.doubt,
        state,
        c.state,
        c.open,
        c.question,
        c.answer,
        c.answered_by,
        c.answered_at,
        c.due_at
    ];
    Ok(tx.exec(sql, values).await? == 1)
}

/// Those that wait for their answer, in one order, after a place.
pub async fn open(db: &impl Read, after: (&str, Uuid), limit: i64) -> Result<Vec<ContestedRow>> {
    let sql = format!(
        "SELECT {CONTESTED} FROM registry_contested WHERE open AND (registry, doubt) > ($1, $2) ORDER BY registry, doubt LIMIT $3"
    );
    db.all(&sql, params![after.0, after.1, limit]).await
}

/// One.
pub async fn one(db: &impl Read, registry: &str, doubt: Uuid) -> Result<Option<ContestedRow>> {
    let sql = format!("SELECT {CONTESTED} FROM registry_contested WHERE registry = $1 AND doubt = $2");
    db.one(&sql, params![registry, doubt]).await
}

/// What an account contests, the newest first.
pub async fn of_account(db: &impl Read, account: Uuid, limit: i64) -> Result<Vec<ContestedRow>> {
    let sql =
        format!("SELECT {CONTESTED} FROM registry_contested WHERE account = $1 ORDER BY told_at DESC, doubt LIMIT $2");
    db.all(&sql, params![account, limit]).await
}

/// What is contested in a dossier.
pub async fn of_dossier(db: &impl Read, dossier: &str) -> Result<Vec<ContestedRow>> {
    let sql = format!("SELECT {CONTESTED} FROM registry_contested WHERE dossier = $1 ORDER BY told_at, doubt");
    db.all(&sql, params![dossier]).await
}
