//! The two logs that are only ever added to: reads of personal data, and what happened to accounts and officers. Of a read
//! its place in the transparency log is noted later, and only a lawful erasure takes it out.

use ::store::{MOST_VALUES, Param, Read, Row, Tx, among, padded, params, sea_orm};
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
    /// The transparency log in which it is a leaf.
    pub log: Option<String>,
    /// Its place there.
    pub leaf: Option<i64>,
}

const READ: &str =
    "id, at, actor_kind, actor_id, actor_name, agency, subject, dossier, purpose, what, request_id, log, leaf";

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
            row.request_id,
            row.log,
            row.leaf
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

/// One read.
pub(crate) async fn read_by_id(db: &impl Read, id: Uuid) -> Result<Option<ReadRow>> {
    db.one(&format!("SELECT {READ} FROM access_log WHERE id = $1"), params![id])
        .await
}

/// The oldest reads that have no leaf.
pub(crate) async fn bare_reads(db: &impl Read, limit: u32) -> Result<Vec<ReadRow>> {
    let sql = format!("SELECT {READ} FROM access_log WHERE leaf IS NULL ORDER BY at, id LIMIT $1");
    db.all(&sql, params![i64::from(limit)]).await
}

/// When the oldest read was that has no leaf.
pub(crate) async fn oldest_bare_read(db: &impl Read) -> Result<Option<i64>> {
    let sql = "SELECT at FROM access_log WHERE leaf IS NULL ORDER BY at, id LIMIT 1";
    db.scalar(sql, params![]).await
}

/// The last leaf that is noted of a log.
pub(crate) async fn last_read_leaf(db: &impl Read, log: &str) -> Result<Option<i64>> {
    let sql = "SELECT leaf FROM access_log WHERE leaf IS NOT NULL AND log = $1 ORDER BY leaf DESC LIMIT 1";
    db.scalar(sql, params![log]).await
}

/// Notes where reads stand. Of a read that has two leaves the first counts.
pub(crate) async fn note_leaves(tx: &Tx, log: &str, places: &[(Uuid, u64)]) -> Result<()> {
    let sql = "UPDATE access_log SET log = $1, leaf = $2 WHERE id = $3 AND leaf IS NULL";
    for (id, leaf) in places {
        tx.exec(sql, params![log, big(*leaf), id]).await?;
    }
    Ok(())
}

/// The leaves in a log of the reads of one request.
pub(crate) async fn leaves_of_request(db: &impl Read, log: &str, request: Uuid) -> Result<Vec<i64>> {
    #[derive(Row)]
    struct Leaf {
        leaf: i64,
    }
    let sql = "SELECT leaf FROM access_log WHERE request_id = $1 AND log = $2 AND leaf IS NOT NULL ORDER BY leaf";
    let rows: Vec<Leaf> = db.all(sql, params![request, log]).await?;
    Ok(rows.into_iter().map(|row| row.leaf).collect())
}

/// Deletes the reads with these leaves of a log.
pub(crate) async fn forget_reads(tx: &Tx, log: &str, leaves: &[u64]) -> Result<()> {
    let leaves: Vec<i64> = leaves.iter().copied().map(big).collect();
    for some in padded(&leaves, MOST_VALUES - 1) {
        let sql = format!(
            "DELETE FROM access_log WHERE log = $1 AND leaf IN ({})",
            among(2, some.len())
        );
        let mut values = params![log];
        values.extend(some.iter().map(Param::value));
        tx.exec(&sql, values).await?;
    }
    Ok(())
}

/// A log of more than 2^63 entries does not exist.
fn big(leaf: u64) -> i64 {
    i64::try_from(leaf).unwrap_or(i64::MAX)
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
