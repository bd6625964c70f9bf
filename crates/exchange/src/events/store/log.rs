//! The log of a type.

use ::store::{MOST_VALUES, Param, Read, Row, Tx, padded, params, powers, sea_orm};
use base::{Error, Result, Timestamp};
use uuid::Uuid;

use crate::events::model::{EventId, Position, TypeId};

/// The ends of a log.
#[derive(Debug, Clone, Copy, Row)]
pub struct Head {
    pub first_position: Position,
    pub last_position: Position,
    pub last_at: i64,
}

/// Draws `count` positions, the last of which is given back, and holds the log until the commit: the next who draws waits, so
/// nobody sees a position before all lower ones. A negative count gives unused ones back, within the same transaction.
pub async fn claim(tx: &Tx, of: TypeId, count: i64, now: Timestamp) -> Result<Head> {
    let sql = "UPDATE event_head SET last_position = last_position + $2, \
               last_at = CASE WHEN last_at > $3 THEN last_at ELSE $3 END \
               WHERE type_id = $1 RETURNING first_position, last_position, last_at";
    let head = tx.one::<Head>(sql, params![of, count, now]).await?;
    head.ok_or_else(|| Error::internal("an event type without a log"))
}

/// Holds the log until the commit, as [`claim`] does, and tells its ends.
pub async fn hold(tx: &Tx, of: TypeId) -> Result<Head> {
    let sql = "UPDATE event_head SET last_position = last_position WHERE type_id = $1 \
               RETURNING first_position, last_position, last_at";
    let head = tx.one::<Head>(sql, params![of]).await?;
    head.ok_or_else(|| Error::internal("an event type without a log"))
}

#[derive(Debug, Clone, Row)]
pub struct EventRow {
    pub position: Position,
    pub id: Uuid,
    pub producer_id: String,
    pub fingerprint: Vec<u8>,
    pub order_key: Option<String>,
    pub version: i64,
    pub published_at: i64,
    pub data: Option<String>,
}

const COLUMNS: &str = "position, id, producer_id, fingerprint, order_key, version, published_at, data";

pub async fn insert(tx: &Tx, of: TypeId, rows: &[EventRow]) -> Result<()> {
    const WIDTH: usize = 9;
    for rows in powers(rows, 64) {
        let mut sql = format!("INSERT INTO event (type_id, {COLUMNS}) VALUES ");
        let mut values = Vec::with_capacity(rows.len() * WIDTH);
        for (n, row) in rows.iter().enumerate() {
            let comma = if n > 0 { ", " } else { "" };
            sql.push_str(&format!("{comma}({})", ::store::placeholders(n * WIDTH + 1, WIDTH)));
            values.extend(params![
                of,
                row.position,
                row.id,
                row.producer_id,
                row.fingerprint,
                row.order_key,
                row.version,
                row.published_at,
                row.data
            ]);
        }
        tx.exec(&sql, values).await?;
    }
    Ok(())
}

/// Which of these producer's ids are taken.
pub async fn known(db: &impl Read, of: TypeId, producer_ids: &[String]) -> Result<Vec<EventRow>> {
    let mut found = Vec::new();
    for ids in padded(producer_ids, MOST_VALUES) {
        let sql = format!(
            "SELECT {COLUMNS} FROM event WHERE type_id = $1 AND producer_id IN ({})",
            ::store::among(2, ids.len())
        );
        let mut values = params![of];
        values.extend(ids.iter().map(Param::value));
        found.extend(db.all::<EventRow>(&sql, values).await?);
    }
    Ok(found)
}

/// Events after a position, in order.
pub async fn after(db: &impl Read, of: TypeId, position: Position, most: i64) -> Result<Vec<EventRow>> {
    let sql = format!("SELECT {COLUMNS} FROM event WHERE type_id = $1 AND position > $2 ORDER BY position LIMIT $3");
    db.all(&sql, params![of, position, most]).await
}

/// Events before a position, the newest first.
pub async fn before(db: &impl Read, of: TypeId, position: Position, most: i64) -> Result<Vec<EventRow>> {
    let sql =
        format!("SELECT {COLUMNS} FROM event WHERE type_id = $1 AND position < $2 ORDER BY position DESC LIMIT $3");
    db.all(&sql, params![of, position, most]).await
}

pub async fn by_id(db: &impl Read, of: TypeId, id: EventId) -> Result<Option<EventRow>> {
    let sql = format!("SELECT {COLUMNS} FROM event WHERE id = $1 AND type_id = $2");
    db.one(&sql, params![id, of]).await
}

/// Takes the data out of an event; it keeps its place.
pub async fn withdraw(tx: &Tx, of: TypeId, id: EventId) -> Result<bool> {
    let sql = "UPDATE event SET data = NULL WHERE id = $1 AND type_id = $2";
    Ok(tx.exec(sql, params![id, of]).await? == 1)
}

/// Takes the data out of the events of these producer's ids.
pub async fn withdraw_all(tx: &Tx, of: TypeId, producer_ids: &[String]) -> Result<()> {
    for ids in padded(producer_ids, MOST_VALUES) {
        let sql = format!(
            "UPDATE event SET data = NULL WHERE type_id = $1 AND producer_id IN ({})",
            ::store::among(2, ids.len())
        );
        let mut values = params![of];
        values.extend(ids.iter().map(Param::value));
        tx.exec(&sql, values).await?;
    }
    Ok(())
}

/// The last of at most `most` oldest events that are older than `than`, if the oldest is.
pub async fn expired(db: &impl Read, of: TypeId, than: Timestamp, most: i64) -> Result<Option<Position>> {
    let oldest = "SELECT position, published_at FROM event WHERE type_id = $1 ORDER BY position LIMIT $3";
    let sql = format!("SELECT MAX(position) FROM ({oldest}) AS oldest WHERE published_at < $2");
    Ok(db
        .scalar::<Option<Position>>(&sql, params![of, than, most])
        .await?
        .flatten())
}

/// Removes everything up to a position.
pub async fn remove(tx: &Tx, of: TypeId, up_to: Position) -> Result<u64> {
    let sql = "UPDATE event_head SET first_position = $2 + 1 WHERE type_id = $1 AND first_position <= $2";
    tx.exec(sql, params![of, up_to]).await?;
    let sql = "DELETE FROM event WHERE type_id = $1 AND position <= $2";
    tx.exec(sql, params![of, up_to]).await
}
