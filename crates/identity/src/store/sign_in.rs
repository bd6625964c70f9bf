//! Sign-ins under way, and how often somebody tried.

use ::store::{Read, Row, Tx, params, sea_orm};
use base::{Result, Timestamp};

#[derive(Row)]
struct StepRow {
    state: Vec<u8>,
}

/// Keeps the sealed state of a sign-in between two requests.
pub(crate) async fn put_step(tx: &Tx, token_hash: &str, kind: &str, state: &[u8], expires_at: Timestamp) -> Result<()> {
    tx.exec(
        "INSERT INTO sign_in_step (token_hash, kind, state, expires_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (token_hash) DO UPDATE SET kind = excluded.kind, state = excluded.state, expires_at = excluded.expires_at",
        params![token_hash, kind, state, expires_at],
    )
    .await
    .map(drop)
}

/// Reads the state and leaves it.
pub(crate) async fn peek_step(db: &impl Read, token_hash: &str, kind: &str, now: Timestamp) -> Result<Option<Vec<u8>>> {
    let sql = "SELECT state FROM sign_in_step WHERE token_hash = $1 AND kind = $2 AND expires_at > $3";
    Ok(db
        .one::<StepRow>(sql, params![token_hash, kind, now])
        .await?
        .map(|row| row.state))
}

/// Reads the state and removes it: only the first taker gets it.
pub(crate) async fn take_step(tx: &Tx, token_hash: &str, kind: &str, now: Timestamp) -> Result<Option<Vec<u8>>> {
    let sql = "DELETE FROM sign_in_step WHERE token_hash = $1 AND kind = $2 AND expires_at > $3 RETURNING state";
    Ok(tx
        .one::<StepRow>(sql, params![token_hash, kind, now])
        .await?
        .map(|row| row.state))
}

/// Removes the state.
pub(crate) async fn drop_step(tx: &Tx, token_hash: &str) -> Result<()> {
    tx.exec("DELETE FROM sign_in_step WHERE token_hash = $1", params![token_hash])
        .await
        .map(drop)
}

/// Counts one try at `key` before it is made, so that tries side by side count too.
/// `Some(until)` when the key is locked; the try that reaches the limit is still allowed and locks the ones after it.
pub(crate) async fn try_once(
    tx: &Tx,
    key: &str,
    limit: i64,
    window_seconds: i64,
    lock_seconds: i64,
    now: Timestamp,
) -> Result<Option<Timestamp>> {
    let new = "INSERT INTO sign_in_try (key, tries, since, locked_until) VALUES ($1, 0, $2, 0) ON CONFLICT DO NOTHING";
    tx.exec(new, params![key, now]).await?;
    // One statement, so that the database itself puts tries at the same instant in order.
    let counted = tx
        .exec(
            "UPDATE sign_in_try SET \
             tries = CASE WHEN locked_until > 0 OR since <= $2 THEN 1 ELSE tries + 1 END, \
             since = CASE WHEN locked_until > 0 OR since <= $2 THEN $3 ELSE since END, \
             locked_until = CASE WHEN (CASE WHEN locked_until > 0 OR since <= $2 THEN 1 ELSE tries + 1 END) >= $4 \
             THEN $5 ELSE 0 END WHERE key = $1 AND locked_until <= $3",
            params![
                key,
                now.plus_seconds(-window_seconds),
                now,
                limit,
                now.plus_seconds(lock_seconds)
            ],
        )
        .await?;
    if counted == 1 {
        Ok(None)
    } else {
        lock_of(tx, key, now).await
    }
}

/// Until when `key` is locked, without counting.
pub(crate) async fn lock_of(db: &impl Read, key: &str, now: Timestamp) -> Result<Option<Timestamp>> {
    let sql = "SELECT locked_until FROM sign_in_try WHERE key = $1";
    let until = db.scalar::<i64>(sql, params![key]).await?.map(Timestamp::from_micros);
    Ok(until.filter(|until| *until > now))
}

/// Takes one try back: it was a success of somebody who shares the key with others.
pub(crate) async fn forgive(tx: &Tx, key: &str) -> Result<()> {
    let sql = "UPDATE sign_in_try SET tries = tries - 1, locked_until = 0 WHERE key = $1 AND tries > 0";
    tx.exec(sql, params![key]).await.map(drop)
}

/// Forgets all tries at a key.
pub(crate) async fn forget(tx: &Tx, key: &str) -> Result<()> {
    tx.exec("DELETE FROM sign_in_try WHERE key = $1", params![key])
        .await
        .map(drop)
}
