//! Drafts: one open draft per person and procedure.

use base::{Id, Result, Timestamp};
use procedure::form::Facts;
use serde_json::{Map, Value};
use store::{Read, Row, Tx, params, sea_orm};
use uuid::Uuid;

base::typed_id!(/// One draft.
    DraftKind as DraftId);

/// A dossier that is being written.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Id.
    pub id: DraftId,
    /// Whose.
    pub account: Uuid,
    /// National code.
    pub procedure: String,
    /// The package under which it was begun.
    pub package: String,
    /// Answers so far, also of fields that are hidden now.
    pub answers: Map<String, Value>,
    /// Ids of the pages that were sent at least once.
    pub visited: Vec<String>,
    /// What registries said, and what of it the person says is wrong.
    pub facts: Facts,
    /// When it was last saved.
    pub updated_at: Timestamp,
    /// Grows with each save.
    pub version: i64,
    /// The dossier that it became.
    pub dossier: Option<Uuid>,
}

#[derive(Debug, Row)]
struct DraftRow {
    id: Uuid,
    account: Uuid,
    procedure_code: String,
    package: String,
    answers: String,
    visited: String,
    said: String,
    doubts: String,
    numbers: String,
    updated_at: i64,
    version: i64,
    dossier_id: Option<Uuid>,
}

impl DraftRow {
    fn draft(self) -> Result<Draft> {
        Ok(Draft {
            id: Id::from_uuid(self.id),
            account: self.account,
            procedure: self.procedure_code,
            package: self.package,
            answers: serde_json::from_str(&self.answers)?,
            visited: serde_json::from_str(&self.visited)?,
            facts: Facts {
                said: serde_json::from_str(&self.said)?,
                doubts: serde_json::from_str(&self.doubts)?,
                numbers: serde_json::from_str(&self.numbers)?,
            },
            updated_at: Timestamp::from_micros(self.updated_at),
            version: self.version,
            dossier: self.dossier_id,
        })
    }
}

const COLUMNS: &str =
    "id, account, procedure_code, package, answers, visited, said, doubts, numbers, updated_at, version, dossier_id";

/// Reads a draft.
///
/// # Errors
/// The database failed.
pub async fn by_id(db: &impl Read, id: DraftId) -> Result<Option<Draft>> {
    let row = db
        .one::<DraftRow>(
            &format!("SELECT {COLUMNS} FROM dossier_draft WHERE id = $1"),
            params![id],
        )
        .await?;
    row.map(DraftRow::draft).transpose()
}

/// The open draft of a person for a procedure.
///
/// # Errors
/// The database failed.
pub async fn open_of(db: &impl Read, account: Uuid, procedure: &str) -> Result<Option<Draft>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM dossier_draft WHERE account = $1 AND procedure_code = $2 AND dossier_id IS NULL"
    );
    db.one::<DraftRow>(&sql, params![account, procedure])
        .await?
        .map(DraftRow::draft)
        .transpose()
}

/// All open drafts of a person, the last saved first.
///
/// # Errors
/// The database failed.
pub async fn open_of_account(db: &impl Read, account: Uuid) -> Result<Vec<Draft>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM dossier_draft WHERE account = $1 AND dossier_id IS NULL ORDER BY updated_at DESC LIMIT 50"
    );
    db.all::<DraftRow>(&sql, params![account])
        .await?
        .into_iter()
        .map(DraftRow::draft)
        .collect()
}

/// Begins a draft unless one is open: the second of two clicks finds the first one's.
///
/// # Errors
/// The database failed.
pub async fn insert(tx: &Tx, draft: &Draft) -> Result<bool> {
    let sql = "INSERT INTO dossier_draft (id, account, procedure_code, package, answers, visited, updated_at, version) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, 1) ON CONFLICT DO NOTHING";
    let values = params![
        draft.id,
        draft.account,
        draft.procedure,
        draft.package,
        serde_json::to_string(&draft.answers)?,
        serde_json::to_string(&draft.visited)?,
        draft.updated_at
    ];
    Ok(tx.exec(sql, values).await? == 1)
}

/// Saves a draft that stood at `draft.version`; `false` when it has moved on or was filed.
///
/// # Errors
/// The database failed.
pub async fn save(tx: &Tx, draft: &Draft) -> Result<bool> {
    let sql = "UPDATE dossier_draft SET answers = $3, visited = $4, updated_at = $5, doubts = $6, version = version + 1 \
               WHERE id = $1 AND version = $2 AND dossier_id IS NULL";
    let values = params![
        draft.id,
        draft.version,
        serde_json::to_string(&draft.answers)?,
        serde_json::to_string(&draft.visited)?,
        draft.updated_at,
        serde_json::to_string(&draft.facts.doubts)?
    ];
    Ok(tx.exec(sql, values).await? == 1)
}

/// Keeps what registries said, and about which codes that were typed. Whoever asked last counts.
///
/// # Errors
/// The database failed.
pub async fn keep_said(tx: &Tx, draft: &Draft) -> Result<()> {
    let sql = "UPDATE dossier_draft SET said = $2, numbers = $3 WHERE id = $1 AND dossier_id IS NULL";
    let values = params![
        draft.id,
        serde_json::to_string(&draft.facts.said)?,
        serde_json::to_string(&draft.facts.numbers)?
    ];
    tx.exec(sql, values).await.map(drop)
}

/// Turns a draft into a dossier, once.
///
/// # Errors
/// The database failed.
pub async fn file(tx: &Tx, id: DraftId, dossier: Uuid) -> Result<bool> {
    let sql = "UPDATE dossier_draft SET dossier_id = $2 WHERE id = $1 AND dossier_id IS NULL";
    Ok(tx.exec(sql, params![id, dossier]).await? == 1)
}

/// Throws a draft away.
///
/// # Errors
/// The database failed.
pub async fn delete(tx: &Tx, id: DraftId) -> Result<()> {
    tx.exec(
        "DELETE FROM dossier_upload_part WHERE upload_id IN (SELECT id FROM dossier_upload WHERE draft_id = $1)",
        params![id],
    )
    .await?;
    tx.exec("DELETE FROM dossier_upload WHERE draft_id = $1", params![id])
        .await?;
    tx.exec(
        "DELETE FROM dossier_draft WHERE id = $1 AND dossier_id IS NULL",
        params![id],
    )
    .await
    .map(drop)
}
