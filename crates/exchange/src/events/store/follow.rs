//! How far this node has followed others.

use ::store::{Read, Tx, params};
use base::{Result, Timestamp};

pub async fn cursor(db: &impl Read, name: &str) -> Result<Option<String>> {
    db.scalar("SELECT cursor FROM event_follow WHERE name = $1", params![name])
        .await
}

/// Moves from one cursor to the next; false when somebody else has moved meanwhile.
pub async fn advance(tx: &Tx, name: &str, from: Option<&str>, to: &str, now: Timestamp) -> Result<bool> {
    let moved = match from {
        Some(from) => {
            let sql = "UPDATE event_follow SET cursor = $3, moved_at = $4 WHERE name = $1 AND cursor = $2";
            tx.exec(sql, params![name, from, to, now]).await?
        }
        None => {
            let sql =
                "INSERT INTO event_follow (name, cursor, moved_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING";
            tx.exec(sql, params![name, to, now]).await?
        }
    };
    Ok(moved == 1)
}
