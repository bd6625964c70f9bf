//! The table of doubts. Nobody else's SQL touches it.

use base::{Result, Timestamp};
use store::{MOST_VALUES, Param, Read, Row, Tx, among, padded, params, sea_orm};
use uuid::Uuid;

use crate::model::RegistryCode;

/// A doubt, as kept.
#[derive(Debug, Clone, PartialEq, Eq, Row)]
pub struct DoubtRow {
    pub id: Uuid,
    pub registry: String,
    pub record_id: Uuid,
    pub field: String,
    pub seq: i64,
    pub wrong: String,
    pub proposed: String,
    pub evidence: String,
    pub reporter_kind: String,
    pub reporter_id: Option<Uuid>,
    pub reporter: String,
    pub reporter_agency: String,
    pub dossier: Option<String>,
    pub state: String,
    pub open: bool,
    pub received_at: i64,
    pub answer_due: i64,
    pub next_due: i64,
    pub acknowledged_at: Option<i64>,
    pub asked_at: Option<i64>,
    pub question: String,
    pub owner: Option<Uuid>,
    pub owner_name: Option<String>,
    pub answered_at: Option<i64>,
    pub answered_by: Option<String>,
    pub answer: String,
    pub corrected_seq: Option<i64>,
    pub seen: bool,
    pub enterprise_code: String,
    pub enterprise_name: String,
}

const DOUBT: &str = "id, registry, record_id, field, seq, wrong, proposed, evidence, reporter_kind, reporter_id, reporter, reporter_agency, \
     dossier, state, open, received_at, answer_due, next_due, acknowledged_at, asked_at, question, owner, owner_name, answered_at, \
     answered_by, answer, corrected_seq, seen, enterprise_code, enterprise_name";

/// Adds a doubt.
pub async fn add(tx: &Tx, d: &DoubtRow) -> Result<()> {
    let row = params![
        d.id,
        d.registry,
        d.record_id,
        d.field,
        d.seq,
        d.wrong,
        d.proposed,
        d.evidence,
        d.reporter_kind,
        d.reporter_id,
        d.reporter,
        d.reporter_agency,
        d.dossier,
        d.state,
        d.open,
        d.received_at,
        d.answer_due,
        d.next_due,
        d.acknowledged_at,
        d.asked_at,
        d.question,
        d.owner,
        d.owner_name,
        d.answered_at,
        d.answered_by,
        d.answer,
        d.corrected_seq,
        d.seen,
        d.enterprise_code,
        d.enterprise_name
    ];
    tx.insert(&format!("registry_doubt ({DOUBT})"), &[row], "").await
}

/// Changes what may change of a doubt, if it still is in the state in which it was seen.
pub async fn change(tx: &Tx, d: &DoubtRow, state: &str) -> Result<bool> {
    let sql = "UPDATE registry_doubt SET state = $3, open = $4, answer_due = $5, next_due = $6, acknowledged_at = $7, asked_at = $8, \
               question = $9, owner = $10, owner_name = $11, answered_at = $12, answered_by = $13, answer = $14, corrected_seq = $15, \
               seen = $16, evidence = $17 WHERE id = $1 AND state = $2";
    let values = params![
        d.id,
        state,
        d.state,
        d.open,
        d.answer_due,
        d.next_due,
        d.acknowledged_at,
        d.asked_at,
        d.question,
        d.owner,
        d.owner_name,
        d.answered_at,
        d.answered_by,
        d.answer,
        d.corrected_seq,
        d.seen,
        d.evidence
    ];
    Ok(tx.exec(sql, values).await? == 1)
}

/// Holds a doubt as it is to the end of the transaction, so that nobody answers it or adds to it meanwhile. False where it is answered.
pub async fn hold_open(tx: &Tx, id: Uuid) -> Result<bool> {
    let sql = "UPDATE registry_doubt SET open = open WHERE id = $1 AND open";
    Ok(tx.exec(sql, params![id]).await? == 1)
}

/// A doubt.
pub async fn by_id(db: &impl Read, id: Uuid) -> Result<Option<DoubtRow>> {
    let sql = format!("SELECT {DOUBT} FROM registry_doubt WHERE id = $1");
    db.one(&sql, params![id]).await
}

/// The open doubt of one reporter about one field of a record, if there is one.
pub async fn open_of(
    db: &impl Read,
    record: Uuid,
    field: &str,
    kind: &str,
    reporter: (Option<Uuid>, &str),
) -> Result<Option<Uuid>> {
    let (id, name) = reporter;
    let (condition, who) = match id {
        Some(id) => ("reporter_id = $4", id.value()),
        None => ("reporter = $4", name.value()),
    };
    let sql = format!(
        "SELECT id FROM registry_doubt WHERE record_id = $1 AND field = $2 AND reporter_kind = $3 AND {condition} AND open LIMIT 1"
    );
    let mut values = params![record, field, kind];
    values.push(who);
    db.scalar(&sql, values).await
}

/// Which doubts are asked for.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub open: bool,
    pub owner: Option<Uuid>,
    pub before: Option<Timestamp>,
    pub after: Option<(i64, Uuid)>,
}

/// Doubts of a registry, those whose clock runs out first coming first.
pub async fn list(db: &impl Read, code: &RegistryCode, filter: &Filter, limit: u32) -> Result<Vec<DoubtRow>> {
    let mut values = params![code.as_str(), filter.open];
    let mut wheres = "registry = $1 AND open = $2".to_owned();
    if let Some(owner) = filter.owner {
        values.push(owner.value());
        wheres.push_str(&format!(" AND owner = ${}", values.len()));
    }
    if let Some(before) = filter.before {
        values.push(before.value());
        // Of one that waits for its reporter the clock stands.
        wheres.push_str(&format!(" AND next_due < ${} AND state <> 'asked'", values.len()));
    }
    if let Some((due, id)) = filter.after {
        values.extend(params![due, id]);
        let n = values.len();
        wheres.push_str(&format!(" AND (next_due, id) > (${}, ${n})", n - 1));
    }
    values.push(i64::from(limit).value());
    let sql = format!(
        "SELECT {DOUBT} FROM registry_doubt WHERE {wheres} ORDER BY next_due, id LIMIT ${}",
        values.len()
    );
    db.all(&sql, values).await
}

/// The doubts of an account, the newest first.
pub async fn of_reporter(db: &impl Read, reporter: Uuid, limit: i64) -> Result<Vec<DoubtRow>> {
    let sql = format!("SELECT {DOUBT} FROM registry_doubt WHERE reporter_id = $1 ORDER BY id DESC LIMIT $2");
    db.all(&sql, params![reporter, limit]).await
}

/// The doubts about records, the newest first of each.
pub async fn of_records(db: &impl Read, records: &[Uuid]) -> Result<Vec<DoubtRow>> {
    let mut rows = Vec::new();
    for records in padded(records, MOST_VALUES) {
        let sql = format!(
            "SELECT {DOUBT} FROM registry_doubt WHERE record_id IN ({}) ORDER BY id DESC",
            among(1, records.len())
        );
        let values = records.iter().map(Param::value).collect();
        rows.extend(db.all::<DoubtRow>(&sql, values).await?);
    }
    Ok(rows)
}

/// The doubts that came up in a dossier of this node, the oldest first.
pub async fn of_dossier(db: &impl Read, dossier: &str) -> Result<Vec<DoubtRow>> {
    let sql = format!(
        "SELECT {DOUBT} FROM registry_doubt WHERE dossier = $1 AND reporter_kind = 'procedure' AND reporter_agency = '' ORDER BY id"
    );
    db.all(&sql, params![dossier]).await
}

/// How many open doubts of a registry have run out of time; counted up to a limit.
pub async fn overdue(db: &impl Read, code: &RegistryCode, now: Timestamp, limit: i64) -> Result<i64> {
    let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM registry_doubt WHERE registry = $1 AND open AND next_due < $2 AND state <> 'asked' LIMIT $3) AS late";
    let late: Option<i64> = db.scalar(sql, params![code.as_str(), now, limit]).await?;
    Ok(late.unwrap_or(0))
}

/// Takes away what people wrote about a record that is erased.
pub async fn forget(tx: &Tx, record: Uuid) -> Result<()> {
    // Who reported from another node is known by their number alone.
    let sql = "UPDATE registry_doubt SET wrong = '', proposed = '', evidence = '', question = '', answer = '', \
               enterprise_code = '', enterprise_name = '', \
               reporter = CASE WHEN reporter_kind = 'person' AND reporter_agency <> '' THEN '' ELSE reporter END WHERE record_id = $1";
    tx.exec(sql, params![record]).await.map(drop)
}
