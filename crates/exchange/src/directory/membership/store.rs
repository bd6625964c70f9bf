//! The tables of the directory at its operator. Nobody else touches them.

use ::store::{Read, Row, Tx, params, sea_orm};
use base::{Result, Timestamp};
use uuid::Uuid;

use super::ApplicationId;

/// Rows on a page of a list.
pub const PAGE: usize = 50;

/// How far changes and their publication are.
#[derive(Debug, Clone, Copy, Row)]
pub struct StateRow {
    pub revision: i64,
    pub published: i64,
}

pub async fn begin(tx: &Tx) -> Result<()> {
    let sql = "INSERT INTO directory_state (id, revision, published) VALUES (1, 1, 0) ON CONFLICT DO NOTHING";
    tx.exec(sql, params![]).await.map(drop)
}

pub async fn state(db: &impl Read) -> Result<StateRow> {
    let sql = "SELECT revision, published FROM directory_state WHERE id = 1";
    let found = db.one::<StateRow>(sql, params![]).await?;
    Ok(found.unwrap_or(StateRow {
        revision: 0,
        published: 0,
    }))
}

/// Notes that the folder is behind the tables.
pub async fn touch(tx: &Tx) -> Result<()> {
    let sql = "UPDATE directory_state SET revision = revision + 1 WHERE id = 1";
    tx.exec(sql, params![]).await.map(drop)
}

pub async fn published(tx: &Tx, revision: i64) -> Result<()> {
    let sql = "UPDATE directory_state SET published = $1 WHERE id = 1 AND published < $1";
    tx.exec(sql, params![revision]).await.map(drop)
}

#[derive(Debug, Clone, Row)]
pub struct MemberRow {
    pub entry: String,
    pub version: i64,
    pub last_change: Option<String>,
}

pub async fn member(db: &impl Read, member: &str) -> Result<Option<MemberRow>> {
    let sql = "SELECT entry, version, last_change FROM directory_member WHERE member = $1";
    db.one(sql, params![member]).await
}

/// All entries.
pub async fn members(db: &impl Read) -> Result<Vec<MemberRow>> {
    db.all("SELECT entry, version, last_change FROM directory_member", params![])
        .await
}

pub async fn members_after(db: &impl Read, after: &str) -> Result<Vec<MemberRow>> {
    let sql = "SELECT entry, version, last_change FROM directory_member WHERE member > $1 ORDER BY member LIMIT $2";
    db.all(sql, params![after, PAGE as i64 + 1]).await
}

/// Adds a member; false when it is there.
pub async fn insert_member(tx: &Tx, member: &str, entry: &str, now: Timestamp) -> Result<bool> {
    let sql = "INSERT INTO directory_member (member, entry, version, updated_at) VALUES ($1, $2, 1, $3) \
               ON CONFLICT DO NOTHING";
    Ok(tx.exec(sql, params![member, entry, now]).await? == 1)
}

/// What an entry becomes.
pub struct Entry<'a> {
    pub member: &'a str,
    pub entry: &'a str,
    /// The version that it goes on from.
    pub from: i64,
    /// The version that it has then; the same for what the operator does, so that no change of the member is lost.
    pub version: i64,
    /// The digest of the member's document, for one that comes twice.
    pub change: Option<&'a str>,
}

/// Replaces an entry; false when it is of another version by now.
pub async fn update_member(tx: &Tx, new: &Entry<'_>, was: &str, now: Timestamp) -> Result<bool> {
    let sql = "UPDATE directory_member SET entry = $1, version = $2, last_change = COALESCE($3, last_change), \
               updated_at = $4 WHERE member = $5 AND version = $6 AND entry = $7";
    let params = params![new.entry, new.version, new.change, now, new.member, new.from, was];
    Ok(tx.exec(sql, params).await? == 1)
}

/// Claims a name for a member for ever; false when another has it, or the same, but for the member's own name.
pub async fn claim(tx: &Tx, kind: &str, value: &str, member: &str) -> Result<bool> {
    let sql = "INSERT INTO directory_claim (kind, value, member) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    Ok(tx.exec(sql, params![kind, value, member]).await? == 1)
}

pub async fn claimed(db: &impl Read, kind: &str, value: &str) -> Result<Option<String>> {
    let sql = "SELECT member FROM directory_claim WHERE kind = $1 AND value = $2";
    db.scalar(sql, params![kind, value]).await
}

#[derive(Debug, Clone, Row)]
pub struct ApplicationRow {
    pub id: Uuid,
    pub document: String,
    pub endorsed: bool,
    pub invited: bool,
    pub state: String,
    pub received_at: i64,
    pub decided_at: Option<i64>,
    pub decided_by: Option<String>,
    pub reason: Option<String>,
    pub serial_number: Option<String>,
}

const APPLICATION: &str = "SELECT id, document, endorsed, invited, state, received_at, decided_at, decided_by, reason, serial_number \
     FROM directory_application";

pub async fn application(db: &impl Read, id: ApplicationId) -> Result<Option<ApplicationRow>> {
    db.one(&format!("{APPLICATION} WHERE id = $1"), params![id]).await
}

pub async fn application_by_digest(db: &impl Read, digest: &str) -> Result<Option<ApplicationRow>> {
    db.one(&format!("{APPLICATION} WHERE digest = $1"), params![digest])
        .await
}

/// A page of applications of a state, oldest first: they wait for the operator.
pub async fn applications(
    db: &impl Read,
    state: &str,
    after: Option<(i64, Uuid)>,
    most: u32,
) -> Result<Vec<ApplicationRow>> {
    let (at, id) = after.unwrap_or((i64::MIN, Uuid::nil()));
    let sql = format!(
        "{APPLICATION} WHERE state = $1 AND (received_at > $2 OR (received_at = $2 AND id > $3)) \
         ORDER BY received_at, id LIMIT $4"
    );
    db.all(&sql, params![state, at, id, i64::from(most) + 1]).await
}

#[derive(Debug, Row)]
struct IdRow {
    #[expect(dead_code, reason = "only counted")]
    id: Uuid,
}

/// Whether `most` applications wait already.
pub async fn is_full(db: &impl Read, most: i64) -> Result<bool> {
    let sql = "SELECT id FROM directory_application WHERE state = 'pending' ORDER BY received_at, id LIMIT $1";
    let waiting: Vec<IdRow> = db.all(sql, params![most]).await?;
    Ok(waiting.len() as i64 >= most)
}

/// A new application.
pub struct NewApplication<'a> {
    pub id: ApplicationId,
    pub member: &'a str,
    pub gateway: &'a str,
    pub tls_key: &'a str,
    pub digest: &'a str,
    pub document: &'a str,
    pub endorsed: bool,
    pub invited: bool,
}

/// Keeps an application; false when its key waits in another one.
pub async fn insert_application(tx: &Tx, new: &NewApplication<'_>, now: Timestamp) -> Result<bool> {
    let sql = "INSERT INTO directory_application (id, member, gateway, tls_key, digest, document, endorsed, invited, \
               state, received_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'pending', $9) ON CONFLICT DO NOTHING";
    let params = params![
        new.id,
        new.member,
        new.gateway,
        new.tls_key,
        new.digest,
        new.document,
        new.endorsed,
        new.invited,
        now
    ];
    Ok(tx.exec(sql, params).await? == 1)
}

/// What became of an application.
pub struct Decided<'a> {
    pub id: ApplicationId,
    pub state: &'a str,
    pub by: &'a str,
    pub reason: Option<&'a str>,
    pub serial_number: Option<&'a str>,
}

/// Decides an application; false when it was decided before.
pub async fn decide(tx: &Tx, decided: &Decided<'_>, now: Timestamp) -> Result<bool> {
    let sql = "UPDATE directory_application SET state = $1, decided_at = $2, decided_by = $3, reason = $4, serial_number = $5 \
               WHERE id = $6 AND state = 'pending'";
    let params = params![
        decided.state,
        now,
        decided.by,
        decided.reason,
        decided.serial_number,
        decided.id
    ];
    Ok(tx.exec(sql, params).await? == 1)
}

#[derive(Debug, Clone, Row)]
pub struct InvitationRow {
    pub member: String,
    pub created_by: String,
    pub created_at: i64,
    pub expires_at: i64,
    pub used_at: Option<i64>,
}

pub async fn insert_invitation(
    tx: &Tx,
    code: &str,
    member: &str,
    by: &str,
    expires: Timestamp,
    now: Timestamp,
) -> Result<()> {
    let sql = "INSERT INTO directory_invitation (code, member, created_at, created_by, expires_at) \
               VALUES ($1, $2, $3, $4, $5)";
    tx.exec(sql, params![code, member, now, by, expires]).await.map(drop)
}

/// Whether a member has an invitation that it can still use.
pub async fn is_invited(db: &impl Read, member: &str, now: Timestamp) -> Result<bool> {
    let sql = "SELECT code FROM directory_invitation WHERE member = $1 AND used_at IS NULL AND expires_at > $2 LIMIT 1";
    Ok(db.scalar::<String>(sql, params![member, now]).await?.is_some())
}

/// Takes back what a member has not used yet.
pub async fn take_back_invitations(tx: &Tx, member: &str) -> Result<()> {
    let sql = "DELETE FROM directory_invitation WHERE member = $1 AND used_at IS NULL";
    tx.exec(sql, params![member]).await.map(drop)
}

pub async fn invitation(db: &impl Read, code: &str) -> Result<Option<InvitationRow>> {
    let sql = "SELECT member, created_by, created_at, expires_at, used_at FROM directory_invitation WHERE code = $1";
    db.one(sql, params![code]).await
}

/// The newest invitations.
pub async fn invitations(db: &impl Read) -> Result<Vec<InvitationRow>> {
    let sql = "SELECT member, created_by, created_at, expires_at, used_at FROM directory_invitation \
               ORDER BY created_at DESC, code LIMIT $1";
    db.all(sql, params![PAGE as i64]).await
}

/// Uses an invitation; false when it was used before.
pub async fn use_invitation(tx: &Tx, code: &str, now: Timestamp) -> Result<bool> {
    let sql = "UPDATE directory_invitation SET used_at = $1 WHERE code = $2 AND used_at IS NULL";
    Ok(tx.exec(sql, params![now, code]).await? == 1)
}

#[derive(Debug, Clone, Row)]
pub struct CertificateRow {
    pub serial_number: String,
    pub member: String,
    pub gateway: String,
    pub pem: String,
    pub issued_at: i64,
    pub expires_at: i64,
    pub revoked_at: Option<i64>,
    pub invalid_since: Option<i64>,
    pub reason: Option<String>,
}

const CERTIFICATE: &str = "SELECT serial_number, member, gateway, pem, issued_at, expires_at, revoked_at, invalid_since, \
                           reason FROM directory_certificate";

/// A certificate that was issued.
pub struct NewCertificate<'a> {
    pub serial_number: &'a str,
    pub member: &'a str,
    pub gateway: &'a str,
    pub tls_key: &'a str,
    pub pem: &'a str,
    pub expires: Timestamp,
}

pub async fn insert_certificate(tx: &Tx, new: &NewCertificate<'_>, now: Timestamp) -> Result<()> {
    let sql = "INSERT INTO directory_certificate (serial_number, member, gateway, tls_key, pem, issued_at, expires_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let params = params![
        new.serial_number,
        new.member,
        new.gateway,
        new.tls_key,
        new.pem,
        now,
        new.expires
    ];
    tx.exec(sql, params).await.map(drop)
}

pub async fn certificate(db: &impl Read, serial_number: &str) -> Result<Option<CertificateRow>> {
    db.one(
        &format!("{CERTIFICATE} WHERE serial_number = $1"),
        params![serial_number],
    )
    .await
}

pub async fn certificate_of_key(db: &impl Read, key: &str) -> Result<Option<CertificateRow>> {
    db.one(&format!("{CERTIFICATE} WHERE tls_key = $1"), params![key]).await
}

/// The certificates of a member, newest first.
pub async fn certificates(db: &impl Read, member: &str) -> Result<Vec<CertificateRow>> {
    let sql = format!("{CERTIFICATE} WHERE member = $1 ORDER BY issued_at DESC, serial_number LIMIT 200");
    db.all(&sql, params![member]).await
}

/// The certificates of a member that nobody revoked.
pub async fn standing_certificates(db: &impl Read, member: &str) -> Result<Vec<CertificateRow>> {
    db.all(
        &format!("{CERTIFICATE} WHERE member = $1 AND revoked_at IS NULL"),
        params![member],
    )
    .await
}

/// What is revoked and has not run out: what a revocation list has.
pub async fn revoked(db: &impl Read, now: Timestamp) -> Result<Vec<CertificateRow>> {
    let sql = format!("{CERTIFICATE} WHERE revoked_at IS NOT NULL AND expires_at > $1 ORDER BY serial_number");
    db.all(&sql, params![now]).await
}

/// Revokes a certificate; false when it was revoked before.
pub async fn revoke(
    tx: &Tx,
    serial_number: &str,
    reason: &str,
    invalid_since: Option<Timestamp>,
    now: Timestamp,
) -> Result<bool> {
    let sql = "UPDATE directory_certificate SET revoked_at = $1, invalid_since = $2, reason = $3 \
               WHERE serial_number = $4 AND revoked_at IS NULL";
    Ok(tx.exec(sql, params![now, invalid_since, reason, serial_number]).await? == 1)
}

#[derive(Debug, Clone, Row)]
pub struct ActRow {
    pub at: i64,
    pub actor: String,
    pub act: String,
    pub detail: String,
}

pub async fn note(tx: &Tx, actor: &str, act: &str, member: &str, detail: &str, now: Timestamp) -> Result<()> {
    let sql = "INSERT INTO directory_act (id, at, actor, act, member, detail) VALUES ($1, $2, $3, $4, $5, $6)";
    let id = base::Id::<()>::new(now);
    tx.exec(sql, params![id, now, actor, act, member, detail])
        .await
        .map(drop)
}

/// What was done about a member, newest first.
pub async fn acts(db: &impl Read, member: &str) -> Result<Vec<ActRow>> {
    let sql = "SELECT at, actor, act, detail FROM directory_act WHERE member = $1 ORDER BY id DESC LIMIT $2";
    db.all(sql, params![member, PAGE as i64]).await
}
