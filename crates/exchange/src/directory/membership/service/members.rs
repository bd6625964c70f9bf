//! What the operator does about members: suspends, resumes, revokes.

use ::store::transact;
use base::{Error, Kind, Result, Timestamp};
use identity::Ctx;
use trust::{Certificate, KeyId, ca::Reason};

use super::{Entry, Membership, decide::check_reason, refusals::moved_on, require};
use crate::{
    directory::membership::store as tables,
    model::{federation::Member, identifier::MemberId},
};

/// A member as the operator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// Its entry.
    pub entry: Member,
    /// The version of the entry.
    pub version: u64,
}

/// A certificate that was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateInfo {
    /// Its serial number, hex.
    pub serial: String,
    /// Of which gateway.
    pub gateway: String,
    /// The certified key.
    pub key: KeyId,
    /// SHA-256 of it, hex.
    pub fingerprint: String,
    /// When it was issued.
    pub issued: Timestamp,
    /// Until when it is valid.
    pub expires: Timestamp,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
    /// Why.
    pub reason: Option<String>,
}

/// What somebody did about a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// When.
    pub at: Timestamp,
    /// Who: an officer, or the member itself.
    pub actor: String,
    /// What: `approve`, `refuse`, `invite`, `suspend`, `resume`, `revoke`, `change`.
    pub act: String,
    /// The reason, or what it was about.
    pub detail: String,
}

/// Why a certificate is revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revoke {
    /// Why.
    pub reason: Reason,
    /// Since when the key may have been in other hands, where that was earlier.
    pub invalid_since: Option<Timestamp>,
}

impl Membership {
    /// A page of members in the order of their ids, and the last of them when there are more.
    ///
    /// # Errors
    /// `Forbidden` without [`identity::Permission::ManageDirectory`].
    pub async fn members(&self, ctx: &Ctx, after: &str) -> Result<(Vec<Registered>, Option<String>)> {
        require(ctx)?;
        let mut rows = tables::members_after(&self.0.store.read(), after).await?;
        let more = rows.len() > tables::PAGE;
        rows.truncate(tables::PAGE);
        let members = rows.into_iter().map(|row| registered(&row.entry, row.version));
        let members: Vec<Registered> = members.collect::<Result<_>>()?;
        let next = members
            .last()
            .filter(|_| more)
            .map(|member| member.entry.id.to_string());
        Ok((members, next))
    }

    /// A member with its certificates and what was done about it, newest first.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`.
    pub async fn member(&self, ctx: &Ctx, id: &MemberId) -> Result<(Registered, Vec<CertificateInfo>, Vec<Act>)> {
        require(ctx)?;
        let db = self.0.store.read();
        let entry = Entry::find(&db, id).await?.ok_or_else(no_member)?;
        let id = id.to_string();
        let certificates = tables::certificates(&db, &id).await?;
        let certificates = certificates.iter().map(certificate).collect::<Result<_>>()?;
        let acts = tables::acts(&db, &id).await?.into_iter().map(|row| Act {
            at: Timestamp::from_micros(row.at),
            actor: row.actor,
            act: row.act,
            detail: row.detail,
        });
        Ok((registered(&entry.text, entry.version)?, certificates, acts.collect()))
    }

    /// Suspends a member: it stays listed so that its old messages can be verified, and nobody believes its keys.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`; `Invalid` without a reason; `Conflict` when it is suspended.
    pub async fn suspend(&self, ctx: &Ctx, id: &MemberId, reason: &str) -> Result<()> {
        require(ctx)?;
        let reason = check_reason(reason)?;
        self.change(ctx, id, "suspend", &reason, |member| match member.suspended {
            Some(since) => Err(Error::refused(
                Kind::Conflict,
                "member-suspended",
                format!("{id} đã bị tạm dừng từ {}.", since.display()),
                format!("{id} is suspended since {since}."),
            )),
            None => {
                member.suspended = Some(ctx.now);
                Ok(())
            }
        })
        .await
    }

    /// Lets a suspended member take part again.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`; `Invalid` without a reason; `Conflict` when it is not suspended.
    pub async fn resume(&self, ctx: &Ctx, id: &MemberId, reason: &str) -> Result<()> {
        require(ctx)?;
        let reason = check_reason(reason)?;
        self.change(ctx, id, "resume", &reason, |member| {
            member.suspended.take().map(drop).ok_or_else(|| {
                Error::refused(
                    Kind::Conflict,
                    "member-not-suspended",
                    format!("{id} không bị tạm dừng."),
                    format!("{id} is not suspended."),
                )
            })
        })
        .await
    }

    async fn change(
        &self,
        ctx: &Ctx,
        id: &MemberId,
        act: &str,
        detail: &str,
        change: impl FnOnce(&mut Member) -> Result<()>,
    ) -> Result<()> {
        let entry = Entry::find(&self.0.store.read(), id).await?.ok_or_else(no_member)?;
        let mut member = entry.member.clone();
        change(&mut member)?;
        let (id, text) = (id.to_string(), serde_json::to_string(&member)?);
        transact!(self.0.store, |tx| {
            store_entry(&tx, &id, &text, &entry, ctx.now).await?;
            tables::note(&tx, ctx.actor_name(), act, &id, detail, ctx.now).await?;
            tables::touch(&tx).await
        })?;
        self.publish_soon().await;
        Ok(())
    }

    /// Revokes a certificate: it comes onto the revocation list, and its key out of the entry.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`; `Conflict` when it was revoked before.
    pub async fn revoke(&self, ctx: &Ctx, serial: &str, revoke: Revoke) -> Result<()> {
        require(ctx)?;
        let db = self.0.store.read();
        let row = tables::certificate(&db, serial).await?;
        let row = row.ok_or_else(|| Error::not_found("chứng thư", "certificate"))?;
        let id: MemberId = row.member.parse().map_err(Error::internal)?;
        let entry = Entry::find(&db, &id).await?.ok_or_else(no_member)?;
        let key = certificate(&row)?.key;
        let mut member = entry.member.clone();
        for gateway in &mut member.gateways {
            gateway.keys.retain(|known| *known != key);
        }
        let text = serde_json::to_string(&member)?;
        let reason = code_of(revoke.reason)?;
        transact!(self.0.store, |tx| {
            if !tables::revoke(&tx, serial, &reason, revoke.invalid_since, ctx.now).await? {
                return Err(Error::refused(
                    Kind::Conflict,
                    "certificate-already-revoked",
                    "Chứng thư này đã bị thu hồi trước đó.",
                    "This certificate was revoked before.",
                ));
            }
            store_entry(&tx, &row.member, &text, &entry, ctx.now).await?;
            let detail = format!("{serial} {reason}");
            tables::note(&tx, ctx.actor_name(), "revoke", &row.member, &detail, ctx.now).await?;
            tables::touch(&tx).await
        })?;
        self.publish_soon().await;
        Ok(())
    }
}

/// Replaces an entry for the operator; its version stays, so the member's next change goes on from it.
async fn store_entry(tx: &::store::Tx, id: &str, text: &str, was: &Entry, now: Timestamp) -> Result<()> {
    let new = tables::Entry {
        member: id,
        entry: text,
        from: was.version,
        version: was.version,
        change: None,
    };
    if tables::update_member(tx, &new, &was.text, now).await? {
        Ok(())
    } else {
        Err(moved_on())
    }
}

fn registered(entry: &str, version: i64) -> Result<Registered> {
    Ok(Registered {
        entry: serde_json::from_str(entry)?,
        version: u64::try_from(version).unwrap_or(0),
    })
}

fn certificate(row: &tables::CertificateRow) -> Result<CertificateInfo> {
    let chain = Certificate::chain_from_pem(&row.pem)?;
    let own = chain
        .first()
        .ok_or_else(|| Error::internal("a certificate without one"))?;
    Ok(CertificateInfo {
        serial: row.serial_number.clone(),
        gateway: row.gateway.clone(),
        key: own.key_id(),
        fingerprint: own.fingerprint(),
        issued: Timestamp::from_micros(row.issued_at),
        expires: Timestamp::from_micros(row.expires_at),
        revoked: row.revoked_at.map(Timestamp::from_micros),
        reason: row.reason.clone(),
    })
}

/// The word of a reason, in tables, forms and JSON: `key-compromise`.
fn code_of(reason: Reason) -> Result<String> {
    match serde_json::to_value(reason)? {
        serde_json::Value::String(code) => Ok(code),
        _ => Err(Error::internal("a reason that is no word")),
    }
}

/// Reads the word of a reason.
pub fn reason_of(code: &str) -> Option<Reason> {
    serde_json::from_value(code.into()).ok()
}

fn no_member() -> Error {
    Error::not_found("thành viên", "member")
}
