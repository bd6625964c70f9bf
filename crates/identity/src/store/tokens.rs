//! Keys of programs.

use ::store::{Read, Row, Tx, params, sea_orm};
use base::{Result, Timestamp};
use uuid::Uuid;

use super::Owner;

/// A token with its owner.
#[derive(Debug, Clone, Row)]
pub(crate) struct TokenRow {
    pub id: Uuid,
    pub account_id: Option<Uuid>,
    pub officer_id: Option<Uuid>,
    pub label: String,
    /// The roles that the token may use, of those that the officer has.
    pub token_roles: i64,
    pub read_only: bool,
    pub created_at: i64,
    pub expires_at: i64,
    pub seen_at: Option<i64>,
    pub account_name: Option<String>,
    pub account_active: Option<bool>,
    pub person_number: Option<String>,
    pub birth_date: Option<String>,
    pub sex: Option<String>,
    pub phone: Option<String>,
    pub email: Option<String>,
    pub assurance: Option<i64>,
    pub officer_name: Option<String>,
    pub officer_active: Option<bool>,
    pub title: Option<String>,
    pub agency: Option<String>,
    pub roles: Option<i64>,
}

const JOINED: &str = "SELECT t.id, t.account_id, t.officer_id, t.label, t.roles AS token_roles, t.read_only, t.created_at, \
    t.expires_at, t.seen_at, a.name AS account_name, a.active AS account_active, a.person_number, a.birth_date, a.sex, \
    a.phone, a.email, a.assurance, o.name AS officer_name, o.active AS officer_active, o.title, o.agency, o.roles \
    FROM api_token t LEFT JOIN account a ON a.id = t.account_id LEFT JOIN officer o ON o.id = t.officer_id";

/// Stores a token.
#[expect(clippy::too_many_arguments, reason = "the columns of one row")]
pub(crate) async fn insert_token(
    tx: &Tx,
    owner: Owner,
    token_hash: &str,
    label: &str,
    roles: i64,
    read_only: bool,
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<Uuid> {
    let (account, officer) = owner.columns();
    let id = base::Id::<TokenRow>::new(now);
    tx.exec(
        "INSERT INTO api_token (id, token_hash, account_id, officer_id, label, roles, read_only, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        params![id, token_hash, account, officer, label, roles, read_only, now, expires_at],
    )
    .await?;
    Ok(id.uuid())
}

/// The token, if it is valid and its owner active: one indexed read.
pub(crate) async fn token_by_hash(db: &impl Read, token_hash: &str, now: Timestamp) -> Result<Option<TokenRow>> {
    let sql = format!("{JOINED} WHERE t.token_hash = $1 AND t.expires_at > $2 AND t.revoked_at IS NULL");
    let row = db.one::<TokenRow>(&sql, params![token_hash, now]).await?;
    Ok(row.filter(|row| row.account_active.or(row.officer_active) == Some(true)))
}

/// The valid tokens of officers of an agency and those below it, newest first.
pub(crate) async fn tokens_of(db: &impl Read, agency: &str, now: Timestamp) -> Result<Vec<TokenRow>> {
    let sql = format!(
        "{JOINED} WHERE (o.agency = $1 OR o.agency LIKE $2) AND t.expires_at > $3 AND t.revoked_at IS NULL \
         ORDER BY t.created_at DESC, t.id LIMIT 200"
    );
    db.all(&sql, params![agency, format!("{agency}.%"), now]).await
}

/// The valid token with this id.
pub(crate) async fn token(db: &impl Read, id: Uuid) -> Result<Option<TokenRow>> {
    db.one(
        &format!("{JOINED} WHERE t.id = $1 AND t.revoked_at IS NULL"),
        params![id],
    )
    .await
}

/// Notes that the token is in use.
pub(crate) async fn touch_token(tx: &Tx, id: Uuid, now: Timestamp) -> Result<()> {
    let sql = "UPDATE api_token SET seen_at = $2 WHERE id = $1 AND (seen_at IS NULL OR seen_at < $2)";
    tx.exec(sql, params![id, now]).await.map(drop)
}

/// Revokes a token; `false` when it was revoked before.
pub(crate) async fn revoke_token(tx: &Tx, id: Uuid, now: Timestamp) -> Result<bool> {
    let sql = "UPDATE api_token SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
    Ok(tx.exec(sql, params![id, now]).await? == 1)
}
