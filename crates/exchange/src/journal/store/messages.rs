//! Messages and erasures.

use ::store::{Param, Read, Row, Tx, params, sea_orm, sea_orm::Value};
use base::{Result, Timestamp};
use uuid::Uuid;

use super::{super::fold::Fold, STAYS, big};
use crate::journal::{ErasureRecord, LeafId, Place};

/// A message.
#[derive(Debug, Clone, PartialEq, Row)]
pub struct FoundRow {
    pub leaf: i64,
    pub logged_at: i64,
    pub kind: String,
    pub sent: Option<bool>,
    pub request_id: Option<Uuid>,
    pub message_id: Option<String>,
    pub client: Option<String>,
    pub service: Option<String>,
    pub method: Option<String>,
    pub status: Option<i64>,
    pub at: Option<i64>,
    pub purpose: Option<String>,
    pub issue: Option<String>,
    pub user_id: Option<String>,
    pub erasure: Option<i64>,
}

const INTO: &str = "journal_message (leaf, logged_at, kind, sent, request_id, message_id, client, service, method, status, at, \
                    purpose, issue, user_id)";

const FOUND: &str = "leaf, logged_at, kind, sent, request_id, message_id, client, service, method, status, at, purpose, \
                     issue, user_id, erasure";

pub(super) async fn add(tx: &Tx, folds: &[Fold]) -> Result<()> {
    let rows: Vec<Vec<Value>> = folds
        .iter()
        .filter_map(|fold| match fold {
            Fold::Message(row) => Some(params![
                row.leaf.key(),
                row.logged,
                row.kind,
                row.sent,
                row.request,
                row.message,
                row.client,
                row.service,
                row.method,
                row.status.map(i64::from),
                row.at,
                row.purpose,
                row.issue,
                row.user
            ]),
            _ => None,
        })
        .collect();
    tx.insert(INTO, &rows, STAYS).await
}

/// Leaves of what is erased nothing but that it was there.
pub(super) async fn erase(tx: &Tx, leaf: LeafId, record: &ErasureRecord, of: u32) -> Result<()> {
    let note = "INSERT INTO journal_erasure (leaf, at, actor, ground, leaves) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    let leaves = big(record.leaves.len() as u64);
    tx.exec(note, params![leaf.key(), record.at, record.by, record.ground, leaves])
        .await?;
    let sql = "UPDATE journal_message SET kind = 'erased', sent = NULL, request_id = NULL, message_id = NULL, client = NULL, \
               service = NULL, method = NULL, status = NULL, at = NULL, purpose = NULL, issue = NULL, user_id = NULL, \
               erasure = $2 WHERE leaf = $1";
    for erased in &record.leaves {
        tx.exec(sql, params![LeafId::new(of, *erased).key(), leaf.key()])
            .await?;
    }
    Ok(())
}

/// What is looked for. All that is given must hold.
#[derive(Debug, Clone, Default)]
pub struct Search {
    pub client: Option<String>,
    pub service: Option<String>,
    pub message_id: Option<String>,
    pub request_id: Option<Uuid>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    pub before: Option<Place>,
}

/// Messages, newest first.
pub async fn search(db: &impl Read, asked: &Search, limit: i64) -> Result<Vec<FoundRow>> {
    let mut values = Vec::new();
    let mut sql = format!("SELECT {FOUND} FROM journal_message WHERE 1 = 1");
    let mut also = |condition: &str, value: Option<Value>| {
        if let Some(value) = value {
            values.push(value);
            sql.push_str(&format!(" AND {condition} ${}", values.len()));
        }
    };
    also("client =", asked.client.as_ref().map(Param::value));
    also("service =", asked.service.as_ref().map(Param::value));
    also("message_id =", asked.message_id.as_ref().map(Param::value));
    also("request_id =", asked.request_id.as_ref().map(Param::value));
    also("logged_at >=", asked.from.as_ref().map(Param::value));
    also("logged_at <", asked.to.as_ref().map(Param::value));
    if let Some(place) = asked.before {
        values.extend(params![place.at, place.leaf.key()]);
        let n = values.len();
        sql.push_str(&format!(" AND (logged_at, leaf) < (${}, ${n})", n - 1));
    }
    values.extend(params![limit]);
    sql.push_str(&format!(" ORDER BY logged_at DESC, leaf DESC LIMIT ${}", values.len()));
    db.all(&sql, values).await
}

/// One message.
pub async fn find(db: &impl Read, leaf: LeafId) -> Result<Option<FoundRow>> {
    let sql = format!("SELECT {FOUND} FROM journal_message WHERE leaf = $1");
    db.one(&sql, params![leaf.key()]).await
}

/// Request and answer of one request id, in the order of the log.
pub async fn of_request(db: &impl Read, request: Uuid) -> Result<Vec<FoundRow>> {
    let sql = format!("SELECT {FOUND} FROM journal_message WHERE request_id = $1 ORDER BY leaf LIMIT 16");
    db.all(&sql, params![request]).await
}

/// Messages of one `X-Road-Id` of one client, the newest first.
pub async fn of_message_id(db: &impl Read, client: &str, message: &str, limit: i64) -> Result<Vec<FoundRow>> {
    let sql = format!(
        "SELECT {FOUND} FROM journal_message WHERE message_id = $1 AND client = $2 ORDER BY logged_at DESC, leaf DESC LIMIT $3"
    );
    db.all(&sql, params![message, client, limit]).await
}

/// Messages from before an instant whose time has come: of one service, or of all but some.
pub async fn due(
    db: &impl Read,
    service: Option<&str>,
    but: &[String],
    before: Timestamp,
    limit: i64,
) -> Result<Vec<i64>> {
    #[derive(Row)]
    struct Leaf {
        leaf: i64,
    }
    let mut values = params![before, limit];
    let which = match service {
        Some(service) => {
            values.push(service.value());
            " AND service = $3".to_owned()
        }
        None if but.is_empty() => " AND service IS NOT NULL".to_owned(),
        None => {
            values.extend(but.iter().map(Param::value));
            format!(
                " AND service IS NOT NULL AND service NOT IN ({})",
                ::store::placeholders(3, but.len())
            )
        }
    };
    let sql = format!(
        "SELECT leaf FROM journal_message WHERE logged_at < $1{which} \
         ORDER BY logged_at, leaf LIMIT $2"
    );
    let rows: Vec<Leaf> = db.all(&sql, values).await?;
    Ok(rows.into_iter().map(|row| row.leaf).collect())
}

/// An erasure.
#[derive(Debug, Clone, PartialEq, Row)]
pub struct ErasureRow {
    pub leaf: i64,
    pub at: i64,
    pub actor: String,
    pub ground: String,
    pub leaves: i64,
}

/// Erasures before the key of a leaf, newest first.
pub async fn erasures(db: &impl Read, before: i64, limit: i64) -> Result<Vec<ErasureRow>> {
    let sql = "SELECT leaf, at, actor, ground, leaves FROM journal_erasure WHERE leaf < $1 ORDER BY leaf DESC LIMIT $2";
    db.all(sql, params![before, limit]).await
}
