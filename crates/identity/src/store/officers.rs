//! Officers, their passwords, second factors and passkeys.

use ::store::{Read, Row, Tx, params, sea_orm};
use base::{Result, Timestamp};
use uuid::Uuid;

use crate::model::{NewOfficer, OfficerId, Roles, login_key};

/// One officer.
#[derive(Debug, Clone, Row)]
pub(crate) struct OfficerRow {
    pub id: Uuid,
    pub login: String,
    pub name: String,
    pub title: String,
    pub agency: String,
    pub roles: i64,
    pub active: bool,
    /// Argon2id in PHC form.
    pub password: Option<String>,
    /// The password was set by somebody else and must be replaced at sign-in.
    pub must_change: bool,
    /// Sealed secret of the one-time codes.
    pub totp: Option<Vec<u8>>,
    /// The last step whose code was used.
    pub totp_step: Option<i64>,
    pub version: i64,
    pub created_at: i64,
}

impl OfficerRow {
    pub fn id(&self) -> OfficerId {
        OfficerId::from_uuid(self.id)
    }
}

const COLUMNS: &str =
    "id, login, name, title, agency, roles, active, password, must_change, totp, totp_step, version, created_at";

/// Adds an officer; `None` when the login name is taken.
pub(crate) async fn insert_officer(
    tx: &Tx,
    new: &NewOfficer,
    hash: Option<&String>,
    now: Timestamp,
) -> Result<Option<OfficerId>> {
    let id = OfficerId::new(now);
    let demo = new.demo.map(|role| role.code().to_owned());
    let rows = tx
        .exec(
            "INSERT INTO officer (id, login, name, title, agency, roles, active, password, must_change, demo, version, \
             created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, $11, $11) ON CONFLICT DO NOTHING",
            params![
                id,
                login_key(&new.login),
                new.name.trim(),
                new.title.trim(),
                new.agency,
                new.roles.bits(),
                true,
                hash,
                true,
                demo,
                now
            ],
        )
        .await?;
    Ok((rows == 1).then_some(id))
}

/// An officer by id.
pub(crate) async fn officer(db: &impl Read, id: OfficerId) -> Result<Option<OfficerRow>> {
    db.one(&format!("SELECT {COLUMNS} FROM officer WHERE id = $1"), params![id])
        .await
}

/// An officer by login name.
pub(crate) async fn officer_by_login(db: &impl Read, login: &str) -> Result<Option<OfficerRow>> {
    db.one(
        &format!("SELECT {COLUMNS} FROM officer WHERE login = $1"),
        params![login_key(login)],
    )
    .await
}

/// The officer who plays a role in the demonstration; the oldest if there are several.
pub(crate) async fn demo_officer(db: &impl Read, role: &str) -> Result<Option<OfficerRow>> {
    let sql = format!("SELECT {COLUMNS} FROM officer WHERE demo = $1 AND active ORDER BY created_at, id LIMIT 1");
    db.one(&sql, params![role]).await
}

/// Officers of an agency and those below it, by agency and login, after a place in that order.
pub(crate) async fn officers(
    db: &impl Read,
    agency: &str,
    after: Option<&(String, String)>,
    limit: i64,
) -> Result<Vec<OfficerRow>> {
    let (after_agency, after_login) = after.map_or(("", ""), |(a, l)| (a.as_str(), l.as_str()));
    // Codes are letters, digits and dots, so the pattern has no other wildcard.
    let sql = format!(
        "SELECT {COLUMNS} FROM officer WHERE (agency = $1 OR agency LIKE $2) AND (agency, login) > ($3, $4) \
         ORDER BY agency, login LIMIT $5"
    );
    db.all(
        &sql,
        params![agency, format!("{agency}.%"), after_agency, after_login, limit],
    )
    .await
}

/// The sets of roles of the active officers of an agency.
pub(crate) async fn roles_in(db: &impl Read, agency: &str) -> Result<Vec<Roles>> {
    let sql = "SELECT DISTINCT roles AS bits FROM officer WHERE agency = $1 AND active = $2";
    let rows = db.all::<RolesRow>(sql, params![agency, true]).await?;
    Ok(rows.into_iter().map(|row| Roles::from_bits(row.bits)).collect())
}

#[derive(Debug, Row)]
struct RolesRow {
    bits: i64,
}

/// What an administrator may change; `false` when the officer has changed since `version`.
#[expect(clippy::too_many_arguments, reason = "the columns of one row")]
pub(crate) async fn change_officer(
    tx: &Tx,
    id: OfficerId,
    version: i64,
    name: &str,
    title: &str,
    agency: &str,
    roles: Roles,
    active: bool,
    now: Timestamp,
) -> Result<bool> {
    let rows = tx
        .exec(
            "UPDATE officer SET name = $3, title = $4, agency = $5, roles = $6, active = $7, version = version + 1, \
             updated_at = $8 WHERE id = $1 AND version = $2",
            params![
                id,
                version,
                name.trim(),
                title.trim(),
                agency,
                roles.bits(),
                active,
                now
            ],
        )
        .await?;
    Ok(rows == 1)
}

/// Sets the password; `must_change` when somebody else chose it.
pub(crate) async fn set_password(tx: &Tx, id: OfficerId, hash: &str, must_change: bool, now: Timestamp) -> Result<()> {
    let sql = "UPDATE officer SET password = $2, must_change = $3, updated_at = $4 WHERE id = $1";
    tx.exec(sql, params![id, hash, must_change, now]).await.map(drop)
}

/// Sets the sealed secret of the one-time codes and the step with which it was proved.
pub(crate) async fn set_totp(tx: &Tx, id: OfficerId, sealed: &[u8], step: i64, now: Timestamp) -> Result<()> {
    let sql = "UPDATE officer SET totp = $2, totp_step = $3, updated_at = $4 WHERE id = $1";
    tx.exec(sql, params![id, sealed, step, now]).await.map(drop)
}

/// Marks a step as used; `false` when it or a later one was used already.
pub(crate) async fn spend_totp_step(tx: &Tx, id: OfficerId, step: i64) -> Result<bool> {
    let sql = "UPDATE officer SET totp_step = $2 WHERE id = $1 AND (totp_step IS NULL OR totp_step < $2)";
    Ok(tx.exec(sql, params![id, step]).await? == 1)
}

/// Forgets every factor of an officer: one-time codes, recovery codes, passkeys.
pub(crate) async fn clear_factors(tx: &Tx, id: OfficerId) -> Result<()> {
    tx.exec(
        "UPDATE officer SET totp = NULL, totp_step = NULL WHERE id = $1",
        params![id],
    )
    .await?;
    tx.exec("DELETE FROM recovery_code WHERE officer_id = $1", params![id])
        .await?;
    tx.exec("DELETE FROM passkey WHERE officer_id = $1", params![id])
        .await
        .map(drop)
}

/// Replaces all recovery codes.
pub(crate) async fn replace_recovery_codes(tx: &Tx, id: OfficerId, hashes: &[String]) -> Result<()> {
    tx.exec("DELETE FROM recovery_code WHERE officer_id = $1", params![id])
        .await?;
    for hash in hashes {
        tx.exec(
            "INSERT INTO recovery_code (officer_id, hash) VALUES ($1, $2)",
            params![id, hash],
        )
        .await?;
    }
    Ok(())
}

/// Uses up a recovery code; `false` when there is no such code.
pub(crate) async fn spend_recovery_code(tx: &Tx, id: OfficerId, hash: &str) -> Result<bool> {
    Ok(tx
        .exec(
            "DELETE FROM recovery_code WHERE officer_id = $1 AND hash = $2",
            params![id, hash],
        )
        .await?
        == 1)
}

/// How many recovery codes an officer has left.
pub(crate) async fn recovery_codes_left(db: &impl Read, id: OfficerId) -> Result<usize> {
    #[derive(Row)]
    struct HashRow {
        hash: String,
    }
    let rows = db
        .all::<HashRow>("SELECT hash FROM recovery_code WHERE officer_id = $1", params![id])
        .await?;
    Ok(rows.iter().filter(|row| !row.hash.is_empty()).count())
}

/// One passkey.
#[derive(Debug, Clone, Row)]
pub(crate) struct PasskeyRow {
    pub id: Uuid,
    pub officer_id: Uuid,
    pub credential: String,
    pub label: String,
    pub created_at: i64,
    pub used_at: Option<i64>,
}

const PASSKEY: &str = "id, officer_id, credential, label, created_at, used_at";

/// Adds a passkey; `false` when the credential is registered already.
pub(crate) async fn add_passkey(
    tx: &Tx,
    officer: OfficerId,
    credential_id: &str,
    credential: &str,
    label: &str,
    now: Timestamp,
) -> Result<bool> {
    let rows = tx
        .exec(
            "INSERT INTO passkey (id, officer_id, credential_id, credential, label, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
            params![
                base::Id::<PasskeyRow>::new(now),
                officer,
                credential_id,
                credential,
                label,
                now
            ],
        )
        .await?;
    Ok(rows == 1)
}

/// The passkeys of an officer, oldest first.
pub(crate) async fn passkeys(db: &impl Read, officer: OfficerId) -> Result<Vec<PasskeyRow>> {
    let sql = format!("SELECT {PASSKEY} FROM passkey WHERE officer_id = $1 ORDER BY created_at, id LIMIT 50");
    db.all(&sql, params![officer]).await
}

/// A passkey by its credential id (base64url).
pub(crate) async fn passkey_by_credential(db: &impl Read, credential_id: &str) -> Result<Option<PasskeyRow>> {
    db.one(
        &format!("SELECT {PASSKEY} FROM passkey WHERE credential_id = $1"),
        params![credential_id],
    )
    .await
}

/// Notes a use of a passkey and its new counter.
pub(crate) async fn update_passkey(tx: &Tx, id: Uuid, credential: &str, now: Timestamp) -> Result<()> {
    let sql = "UPDATE passkey SET credential = $2, used_at = $3 WHERE id = $1";
    tx.exec(sql, params![id, credential, now]).await.map(drop)
}

/// Removes a passkey of this officer; `false` when there is none.
pub(crate) async fn delete_passkey(tx: &Tx, officer: OfficerId, id: Uuid) -> Result<bool> {
    Ok(tx
        .exec(
            "DELETE FROM passkey WHERE id = $1 AND officer_id = $2",
            params![id, officer],
        )
        .await?
        == 1)
}
