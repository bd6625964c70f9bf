//! Applying, and asking how an application stands. Open to everybody: the signatures are what counts.

use ::store::{Read, transact};
use base::{Error, Kind, Problems, Result, text::fold};
use identity::Ctx;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Entry, Membership, current_keys,
    refusals::{Claim, invalid, suspended, taken},
};
use crate::directory::{
    Digest, Sealed,
    membership::{
        ApplicationId,
        documents::{Application, Proven, Question, node_key},
        store as tables,
    },
};

/// Most applications that wait at once: the door is open to everybody.
const MOST_PENDING: i64 = 500;

/// How an application stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = ApplicationStanding)]
pub enum Standing {
    /// The operator has not decided.
    Pending,
    /// The member is in.
    Approved,
    /// The operator refused.
    Refused,
}

impl Standing {
    /// The word in the tables and in addresses.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Refused => "refused",
        }
    }

    /// Reads [`Standing::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Pending, Self::Approved, Self::Refused]
            .into_iter()
            .find(|standing| standing.code() == code)
    }
}

/// What an applicant is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Which application.
    pub application: Uuid,
    /// How it stands.
    pub standing: Standing,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The certificate, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
}

impl Membership {
    /// Takes an application: `document` as the applicant sealed it. The same document again has the same answer.
    ///
    /// # Errors
    /// `Invalid` for a damaged document or request, a wrong or missing signature, another federation and everything else
    /// that is wrong with it; `Conflict` for a key that waits already, and for what another member has; `Forbidden` for a
    /// suspended member and for an invitation that does not hold; `TooMany` when too many wait.
    pub async fn apply(&self, ctx: &Ctx, document: &[u8]) -> Result<Answer> {
        let sealed = Sealed::<Application>::read(document)?;
        let digest = Digest::of(document).to_string();
        let db = self.0.store.read();
        if let Some(row) = tables::application_by_digest(&db, &digest).await? {
            return self.answer(&row).await;
        }
        let existing = Entry::find(&db, &sealed.body().member).await?;
        let keys = match &existing {
            Some(entry) => current_keys(&db, &entry.member).await?,
            None => Vec::new(),
        };
        let keys: Vec<_> = keys.into_iter().map(|(_, key)| key).collect();
        let proven = Proven::read(&sealed, &keys).map_err(invalid)?;
        proven.check(&self.instance(), ctx.now).into_result()?;
        if let Some(entry) = existing.as_ref().filter(|entry| entry.member.suspended.is_some()) {
            return Err(suspended(&entry.member.id));
        }
        check_free(&db, &proven, existing.is_none()).await?;
        if tables::is_full(&db, MOST_PENDING).await? {
            return Err(too_many());
        }
        let invitation = self.invitation(&db, &proven.application, ctx).await?;
        let id = ApplicationId::new(ctx.now);
        let application = &proven.application;
        let tls_key = proven.request.key_id().to_string();
        let text = String::from_utf8_lossy(document);
        let stored = transact!(self.0.store, |tx| {
            if let Some(code) = &invitation
                && !tables::use_invitation(&tx, code, ctx.now).await?
            {
                return Err(invitation_used());
            }
            let new = tables::NewApplication {
                id,
                member: &application.member.to_string(),
                gateway: application.gateway.as_str(),
                tls_key: &tls_key,
                digest: &digest,
                document: &text,
                endorsed: proven.endorsed,
                invited: invitation.is_some(),
            };
            if tables::insert_application(&tx, &new, ctx.now).await? {
                Ok(())
            } else {
                Err(already_applied())
            }
        });
        if let Err(error) = stored {
            // The same document may have come a moment before.
            return match tables::application_by_digest(&db, &digest).await? {
                Some(row) => self.answer(&row).await,
                None => Err(error),
            };
        }
        Ok(Answer {
            application: id.uuid(),
            standing: Standing::Pending,
            reason: None,
            certificate: None,
        })
    }

    /// How an application stands, for its applicant alone: `document` is a sealed [`Question`].
    ///
    /// # Errors
    /// `NotFound`; `Invalid` for a damaged, old or wrongly signed question.
    pub async fn question(&self, ctx: &Ctx, document: &[u8]) -> Result<Answer> {
        let sealed = Sealed::<Question>::read(document)?;
        let id = ApplicationId::from_uuid(sealed.body().application);
        let row = tables::application(&self.0.store.read(), id).await?;
        let row = row.ok_or_else(|| Error::not_found("đơn tham gia", "application"))?;
        let application = Sealed::<Application>::read(row.document.as_bytes())?.into_body();
        let request = trust::CertificateRequest::from_pem(&application.request)?;
        let key = node_key(request.spki())?;
        Question::check(&sealed, key.public(), &self.instance(), ctx.now).map_err(invalid)?;
        self.answer(&row).await
    }

    async fn answer(&self, row: &tables::ApplicationRow) -> Result<Answer> {
        let certificate = match &row.serial_number {
            Some(serial) => tables::certificate(&self.0.store.read(), serial).await?,
            None => None,
        };
        Ok(Answer {
            application: row.id,
            standing: Standing::from_code(&row.state).ok_or_else(|| Error::internal("an unknown standing"))?,
            reason: row.reason.clone(),
            certificate: certificate.map(|certificate| certificate.pem),
        })
    }

    /// The hash of the code that an application uses.
    async fn invitation(&self, db: &impl Read, application: &Application, ctx: &Ctx) -> Result<Option<String>> {
        let Some(code) = &application.invitation else {
            if self.0.settings.invitation_only {
                return Err(not_invited(
                    "invitation-required",
                    "Liên thông này chỉ nhận đơn có mã mời. Hãy xin mã mời của người vận hành.",
                    "This federation takes applications by invitation only. Ask the operator for one.",
                ));
            }
            return Ok(None);
        };
        let hash = Digest::of(code.as_bytes()).to_string();
        let Some(row) = tables::invitation(db, &hash).await? else {
            return Err(not_invited(
                "invitation-unknown",
                "Mã mời không đúng. Hãy kiểm tra lại với người vận hành liên thông.",
                "There is no such invitation. Check the code with the operator of the federation.",
            ));
        };
        if row.used_at.is_some() {
            return Err(invitation_used());
        }
        if row.expires_at <= ctx.now.micros() {
            return Err(not_invited(
                "invitation-expired",
                "Mã mời đã hết hạn. Hãy xin người vận hành liên thông cấp mã mới.",
                "The invitation has expired. Ask the operator of the federation for another.",
            ));
        }
        if row.member != application.member.to_string() {
            return Err(not_invited(
                "invitation-other-member",
                "Mã mời này cấp cho thành viên khác.",
                "The invitation is for another member.",
            ));
        }
        Ok(Some(hash))
    }
}

/// What the application would claim, and whether it is free.
pub(super) fn claims(proven: &Proven, is_new: bool) -> Vec<(Claim, String)> {
    let application = &proven.application;
    let mut claims = vec![
        (Claim::Key, proven.request.key_id().to_string()),
        (Claim::Key, application.log_key.id().to_string()),
        (Claim::Log, application.log.as_str().to_owned()),
        (
            Claim::Gateway,
            format!("{}/{}", application.member, application.gateway),
        ),
    ];
    if is_new {
        claims.push((Claim::Name, fold(application.name.vi.trim())));
    }
    claims
}

async fn check_free(db: &impl Read, proven: &Proven, is_new: bool) -> Result<()> {
    let mut problems = Problems::new();
    for (kind, value) in claims(proven, is_new) {
        if tables::claimed(db, kind.as_str(), &value).await?.is_some()
            && let Some(found) = taken(kind, &value).problems()
        {
            problems.extend(found.clone());
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Error::Refused(Kind::Conflict, problems))
    }
}

fn not_invited(code: &str, vi: &str, en: &str) -> Error {
    Error::refused(Kind::Forbidden, code, vi, en)
}

fn invitation_used() -> Error {
    not_invited(
        "invitation-used",
        "Mã mời đã được dùng. Hãy xin người vận hành liên thông cấp mã mới.",
        "The invitation was used before. Ask the operator of the federation for another.",
    )
}

fn already_applied() -> Error {
    Error::refused(
        Kind::Conflict,
        "already-applied",
        "Khóa này đã có đơn đang chờ giải quyết. Hãy chờ kết quả bằng motcua node join, không gửi đơn mới.",
        "An application with this key waits already. Wait for it with motcua node join; do not send another.",
    )
}

fn too_many() -> Error {
    Error::refused(
        Kind::TooMany,
        "applications-full",
        "Đang có quá nhiều đơn chờ giải quyết. Hãy gửi lại sau, hoặc báo cho người vận hành liên thông.",
        "Too many applications wait. Try again later, or tell the operator of the federation.",
    )
}
