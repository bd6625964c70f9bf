//! The two logs that are only ever added to: reads of personal data, and what happened to accounts and officers.

use ::store::{Param, Read, Row, Tx, params, sea_orm};
use base::Result;
use uuid::Uuid;

/// One read of somebody's data.
#[derive(Debug, Clone, Row)]
pub(crate) struct ReadRow {
    pub id: Uuid,
    pub at: i64,
    pub actor_kind: String,
    pub actor_id: Option<Uuid>,
    pub actor_name: String,
    pub agency: String,
    /// Keyed hash of the person's number.
    pub subject: String,
    pub dossier: Option<String>,
    pub purpose: String,
    pub what: String,
    pub request_id: Uuid,
}

const READ: &str = "id, at, actor_kind, actor_id, actor_name, agency, subject, dossier, purpose, what, request_id";

/// Adds reads, many in one statement.
pub(crate) async fn add_reads(tx: &Tx, rows: &[ReadRow]) -> Result<()> {
    let values = |row: &ReadRow| {
        params![
            row.id,
            row.at,
            row.actor_kind,
            row.actor_id,
            row.actor_name,
            row.agency,
            row.subject,
            row.dossier,
            row.purpose,
            row.what,
            row.request_id
        ]
    };
    let rows: Vec<_> = rows.iter().map(values).collect();
    tx.insert(&format!("access_log ({READ})"), &rows, "").await
}

/// A place in a list that goes from new to old.
pub(crate) type Before = (i64, Uuid);

/// Reads of one person's data, newest first.
pub(crate) async fn reads_of(
    db: &impl Read,
    subject: &str,
    before: Option<Before>,
    limit: i64,
) -> Result<Vec<ReadRow>> {
    let (at, id) = before.unwrap_or((i64::MAX, Uuid::max()));
    let sql = format!(
        "SELECT {READ} FROM access_log WHERE subject = $1 AND (at, id) < ($2, $3) ORDER BY at DESC, id DESC LIMIT $4"
    );
    db.all(&sql, params![subject, at, id, limit]).await
}

/// Reads by officers of one agency, newest first; of one dossier only if asked.
pub(crate) async fn agency_reads(
    db: &impl Read,
    agency: &str,
    dossier: Option<&str>,
    before: Option<Before>,
    limit: i64,
) -> Result<Vec<ReadRow>> {
    let (at, id) = before.unwrap_or((i64::MAX, Uuid::max()));
    let mut values = params![agency, at, id, limit];
    let mut filter = "";
    if let Some(code) = dossier {
        filter = "AND dossier = $5 ";
        values.push(code.value());
    }
    let sql = format!(
        "SELECT {READ} FROM access_log WHERE agency = $1 AND (at, id) < ($2, $3) {filter}ORDER BY at DESC, id DESC LIMIT $4"
    );
    db.all(&sql, values).await
}

/// Something that happened to an account or officer.
#[derive(Debug, Clone, Row)]
pub(crate) struct EventRow {
    pub id: Uuid,
    pub at: i64,
    pub kind: String,
    pub actor_kind: String,
    pub actor_id: Option<Uuid>,
    pub actor_name: String,
    pub target_id: Uuid,
    pub detail: String,
    pub address: String,
    pub request_id: Uuid,
}

/// Adds an event in the transaction that makes it true.
pub(crate) async fn add_event(tx: &Tx, row: &EventRow) -> Result<()> {
    tx.exec(
        "INSERT INTO identity_event (id, at, kind, actor_kind, actor_id, actor_name, target_id, detail, address, request_id) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        params![
            row.id,
            row.at,
            row.kind,
            row.actor_kind,
            row.actor_id,
            row.actor_name,
            row.target_id,
            row.detail,
            row.address,
            row.request_id
        ],
    )
    .await
    .map(drop)
}

/// The last events of an account or officer, newest first.
pub(crate) async fn events_of(db: &impl Read, target: Uuid, limit: i64) -> Result<Vec<EventRow>> {
    let sql = "SELECT id, at, kind, actor_kind, actor_id, actor_name, target_id, detail, address, request_id \
               FROM identity_event WHERE target_id = $1 ORDER BY at DESC, id DESC LIMIT $2";
    db.all(sql, params![target, limit]).await
}
