//! Who is signed in.

use ::store::{Read, Row, Tx, params, sea_orm};
use base::{Result, Timestamp};
use uuid::Uuid;

use crate::model::{AccountId, OfficerId};

/// To whom a session or token belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    Account(AccountId),
    Officer(OfficerId),
}

impl Owner {
    /// The two columns, one of which is NULL.
    pub fn columns(self) -> (Option<AccountId>, Option<OfficerId>) {
        match self {
            Self::Account(id) => (Some(id), None),
            Self::Officer(id) => (None, Some(id)),
        }
    }

    pub fn uuid(self) -> Uuid {
        match self {
            Self::Account(id) => id.uuid(),
            Self::Officer(id) => id.uuid(),
        }
    }

    fn filter(self) -> &'static str {
        match self {
            Self::Account(_) => "account_id = $1",
            Self::Officer(_) => "officer_id = $1",
        }
    }
}

/// A session about to be stored.
#[derive(Debug)]
pub(crate) struct NewSession<'a> {
    pub owner: Owner,
    pub token_hash: &'a str,
    pub tax_code: Option<&'a str>,
    pub assurance: i64,
    pub method: &'a str,
    pub address: &'a str,
    pub agent: &'a str,
    pub idle_until: Timestamp,
    pub expires_at: Timestamp,
}

/// A session with its owner, as one request needs it.
#[derive(Debug, Clone, Row)]
pub(crate) struct SessionRow {
    pub id: Uuid,
    pub account_id: Option<Uuid>,
    pub officer_id: Option<Uuid>,
    pub tax_code: Option<String>,
    pub assurance: i64,
    pub method: String,
    pub address: String,
    pub agent: String,
    pub created_at: i64,
    pub seen_at: i64,
    pub expires_at: i64,
    pub account_name: Option<String>,
    pub account_active: Option<bool>,
    pub person_number: Option<String>,
    pub birth_date: Option<String>,
    pub sex: Option<String>,
    pub phone: Option<String>,
    pub email: Option<String>,
    pub organisation: Option<String>,
    pub officer_name: Option<String>,
    pub officer_active: Option<bool>,
    pub title: Option<String>,
    pub agency: Option<String>,
    pub roles: Option<i64>,
}

const JOINED: &str = "SELECT s.id, s.account_id, s.officer_id, s.tax_code, s.assurance, s.method, s.address, s.agent, \
    s.created_at, s.seen_at, s.expires_at, a.name AS account_name, a.active AS account_active, \
    a.person_number, a.birth_date, a.sex, a.phone, a.email, m.name AS organisation, o.name AS officer_name, \
    o.active AS officer_active, o.title, o.agency, o.roles FROM session s \
    LEFT JOIN account a ON a.id = s.account_id \
    LEFT JOIN membership m ON m.account_id = s.account_id AND m.tax_code = s.tax_code \
    LEFT JOIN officer o ON o.id = s.officer_id";

/// Stores a session.
pub(crate) async fn insert_session(tx: &Tx, new: &NewSession<'_>, now: Timestamp) -> Result<()> {
    let (account, officer) = new.owner.columns();
    tx.exec(
        "INSERT INTO session (id, token_hash, account_id, officer_id, tax_code, assurance, method, address, agent, \
         created_at, seen_at, idle_until, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11, $12)",
        params![
            base::Id::<SessionRow>::new(now),
            new.token_hash,
            account,
            officer,
            new.tax_code,
            new.assurance,
            new.method,
            new.address,
            new.agent,
            now,
            new.idle_until,
            new.expires_at
        ],
    )
    .await
    .map(drop)
}

/// The session of a token, if it is alive and its owner active: one indexed read.
pub(crate) async fn session_by_token(db: &impl Read, token_hash: &str, now: Timestamp) -> Result<Option<SessionRow>> {
    let sql = format!("{JOINED} WHERE s.token_hash = $1 AND s.expires_at > $2 AND s.idle_until > $2");
    let row = db.one::<SessionRow>(&sql, params![token_hash, now]).await?;
    Ok(row.filter(|row| row.account_active.or(row.officer_active) == Some(true)))
}

/// The living sessions of an owner, newest first.
pub(crate) async fn sessions_of(db: &impl Read, owner: Owner, now: Timestamp) -> Result<Vec<SessionRow>> {
    let filter = owner.filter();
    let sql = format!(
        "{JOINED} WHERE s.{filter} AND s.expires_at > $2 AND s.idle_until > $2 ORDER BY s.created_at DESC, s.id LIMIT 100"
    );
    db.all(&sql, params![owner.uuid(), now]).await
}

/// Notes that the session is in use.
pub(crate) async fn touch_session(tx: &Tx, id: Uuid, now: Timestamp, idle_until: Timestamp) -> Result<()> {
    let sql = "UPDATE session SET seen_at = $2, idle_until = $3 WHERE id = $1 AND seen_at < $2";
    tx.exec(sql, params![id, now, idle_until]).await.map(drop)
}

/// Sets for which organisation the session acts.
pub(crate) async fn choose_organisation(tx: &Tx, id: Uuid, tax_code: Option<&str>) -> Result<()> {
    tx.exec("UPDATE session SET tax_code = $2 WHERE id = $1", params![id, tax_code])
        .await
        .map(drop)
}

/// Ends the session of a token.
pub(crate) async fn delete_session(tx: &Tx, token_hash: &str) -> Result<()> {
    tx.exec("DELETE FROM session WHERE token_hash = $1", params![token_hash])
        .await
        .map(drop)
}

/// Ends one session, or all (`None`), of an owner.
pub(crate) async fn delete_sessions(tx: &Tx, owner: Owner, one: Option<Uuid>) -> Result<u64> {
    let filter = owner.filter();
    match one {
        Some(id) => {
            tx.exec(
                &format!("DELETE FROM session WHERE {filter} AND id = $2"),
                params![owner.uuid(), id],
            )
            .await
        }
        None => {
            tx.exec(&format!("DELETE FROM session WHERE {filter}"), params![owner.uuid()])
                .await
        }
    }
}

/// Ends all sessions of an owner but one.
pub(crate) async fn delete_other_sessions(tx: &Tx, owner: Owner, keep: Uuid) -> Result<u64> {
    let filter = owner.filter();
    tx.exec(
        &format!("DELETE FROM session WHERE {filter} AND id <> $2"),
        params![owner.uuid(), keep],
    )
    .await
}

/// Removes what has expired: sessions, steps of sign-in, counts of tries.
pub(crate) async fn delete_expired(tx: &Tx, now: Timestamp, tries_before: Timestamp) -> Result<()> {
    tx.exec("DELETE FROM session WHERE expires_at <= $1", params![now])
        .await?;
    tx.exec("DELETE FROM sign_in_step WHERE expires_at <= $1", params![now])
        .await?;
    tx.exec(
        "DELETE FROM sign_in_try WHERE since <= $1 AND locked_until <= $2",
        params![tries_before, now],
    )
    .await
    .map(drop)
}
