//! What the operator decides about applications, and whom it invites.

use ::store::{Read, transact};
use base::{Error, Kind, Problems, Result, Text, Timestamp};
use identity::{Both, Ctx, Instant};
use serde::{Deserialize, Serialize, Serializer};
use trust::{KeyId, ca};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    ApplicationStanding, Entry, Membership,
    apply::claims,
    current_keys,
    refusals::{decided, invited, moved_on, suspended, taken},
    require,
};
use crate::{
    directory::{
        Digest, Sealed,
        anchors::certified,
        membership::{
            ApplicationId,
            documents::{self, Proven},
            store as tables,
        },
    },
    model::{
        federation::{Gateway, Member},
        identifier::{MemberId, Part},
    },
};

/// Longest reason, in characters.
const LONGEST_REASON: usize = 1_000;

/// An application as the operator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Application {
    /// Which.
    pub id: Uuid,
    /// Which member applies.
    #[schema(value_type = String)]
    pub member: MemberId,
    /// Its name.
    #[serde(serialize_with = "Both::write")]
    #[schema(value_type = Both)]
    pub name: Text,
    /// The code of the gateway.
    #[schema(value_type = String)]
    pub gateway: Part,
    /// Where it listens.
    pub address: String,
    /// The names that its certificate will have.
    pub hosts: Vec<String>,
    /// SHA-256 of the certificate request: what is compared by telephone.
    pub fingerprint: String,
    /// The key that will be certified.
    #[schema(value_type = String)]
    pub tls_key: KeyId,
    /// The key of its log, as a C2SP verifier key.
    pub log_key: String,
    /// Whether the member is in already, and this adds a gateway to it.
    pub adds_to_member: bool,
    /// Whether a current key of the member signed too.
    pub endorsed: bool,
    /// Whether it came with an invitation.
    pub invited: bool,
    /// How it stands.
    pub standing: ApplicationStanding,
    /// When it came.
    #[serde(serialize_with = "rfc3339")]
    #[schema(value_type = Instant)]
    pub received: Timestamp,
    /// When it was decided.
    #[serde(serialize_with = "rfc3339_if_any")]
    #[schema(value_type = Option<Instant>)]
    pub decided: Option<Timestamp>,
    /// Who decided.
    pub decided_by: Option<String>,
    /// Why it was refused.
    pub reason: Option<String>,
}

/// The operator's yes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Approve {
    /// Says that a gateway is to be added to a member that is in already, although none of its keys signed.
    pub adds_to_member: bool,
}

/// Whom the operator invites.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Invite {
    /// The member that may use it: `VN/GOV/000.00.00.H26`.
    #[schema(value_type = String)]
    pub member: MemberId,
    /// For how many days: 1 to 90.
    #[schema(minimum = 1, maximum = 90)]
    pub days: u8,
    /// Whether an invitation that the member has not used yet is taken back; else there being one is a conflict.
    #[serde(default)]
    pub anew: bool,
}

/// An invitation, without its code, which was shown once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// For whom.
    pub member: MemberId,
    /// Who made it.
    pub by: String,
    /// When.
    pub created: Timestamp,
    /// Until when it can be used.
    pub expires: Timestamp,
    /// When it was used.
    pub used: Option<Timestamp>,
}

impl Membership {
    /// A page of applications, oldest first, and where the next one begins.
    ///
    /// # Errors
    /// `Forbidden` without [`identity::Permission::ManageDirectory`].
    pub async fn applications(
        &self,
        ctx: &Ctx,
        standing: ApplicationStanding,
        after: Option<(i64, Uuid)>,
        most: u32,
    ) -> Result<(Vec<Application>, Option<(i64, Uuid)>)> {
        require(ctx)?;
        let db = self.0.store.read();
        let mut rows = tables::applications(&db, standing.code(), after, most).await?;
        let more = rows.len() > most as usize;
        rows.truncate(most as usize);
        let next = rows.last().filter(|_| more).map(|row| (row.received_at, row.id));
        let mut applications = Vec::with_capacity(rows.len());
        for row in &rows {
            applications.push(shown(&db, row).await?);
        }
        Ok((applications, next))
    }

    /// One application.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`.
    pub async fn application(&self, ctx: &Ctx, id: ApplicationId) -> Result<Application> {
        require(ctx)?;
        let db = self.0.store.read();
        shown(&db, &found(&db, id).await?).await
    }

    /// Lets an applicant in: certifies its key, adds member and gateway, and publishes an edition at once.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`; `Conflict` when it was decided before, when something it claims was taken since, or when
    /// it adds to a member whose key did not sign and [`Approve::adds_to_member`] does not say so.
    pub async fn approve(&self, ctx: &Ctx, id: ApplicationId, approve: Approve) -> Result<()> {
        require(ctx)?;
        let db = self.0.store.read();
        let row = found(&db, id).await?;
        if row.state != ApplicationStanding::Pending.code() {
            return Err(decided());
        }
        let sealed = Sealed::<documents::Application>::read(row.document.as_bytes())?;
        let existing = Entry::find(&db, &sealed.body().member).await?;
        let proven = proven(&db, &sealed, existing.as_ref()).await?;
        let application = &proven.application;
        if let Some(entry) = &existing {
            if entry.member.suspended.is_some() {
                return Err(suspended(&entry.member.id));
            }
            if !proven.endorsed && !approve.adds_to_member {
                return Err(must_say_so(&entry.member.id));
            }
        }
        let name = existing.as_ref().map_or(&application.name, |entry| &entry.member.name);
        let approval = ca::Approval {
            request: proven.request.fingerprint(),
            member: certified(&application.member)?,
            organization: name.vi.clone(),
            hosts: proven.request.hosts().to_vec(),
            profile: ca::Profile::Node,
            days: self.0.settings.certificate_days,
        };
        let certificate = self.issue(proven.request.clone(), approval, ctx.now).await?;
        let mut member = existing.as_ref().map_or_else(
            || Member {
                id: application.member.clone(),
                name: application.name.clone(),
                since: ctx.now,
                suspended: None,
                gateways: vec![],
                subsystems: vec![],
            },
            |entry| entry.member.clone(),
        );
        member.gateways.push(gateway_of(&proven));
        let (id_text, text) = (member.id.to_string(), serde_json::to_string(&member)?);
        let (serial, pem) = (certificate.serial(), certificate.to_pem());
        let tls_key = proven.request.key_id().to_string();
        transact!(self.0.store, |tx| {
            let yes = tables::Decided {
                id,
                state: ApplicationStanding::Approved.code(),
                by: ctx.actor_name(),
                reason: None,
                serial_number: Some(&serial),
            };
            if !tables::decide(&tx, &yes, ctx.now).await? {
                return Err(decided());
            }
            for (kind, value) in claims(&proven, existing.is_none()) {
                if !tables::claim(&tx, kind.as_str(), &value, &id_text).await? {
                    return Err(taken(kind, &value));
                }
            }
            let stored = match &existing {
                None => tables::insert_member(&tx, &id_text, &text, ctx.now).await?,
                Some(entry) => {
                    let new = tables::Entry {
                        member: &id_text,
                        entry: &text,
                        from: entry.version,
                        version: entry.version,
                        change: None,
                    };
                    tables::update_member(&tx, &new, &entry.text, ctx.now).await?
                }
            };
            if !stored {
                return Err(moved_on());
            }
            let new = tables::NewCertificate {
                serial_number: &serial,
                member: &id_text,
                gateway: application.gateway.as_str(),
                tls_key: &tls_key,
                pem: &pem,
                expires: certificate.not_after(),
            };
            tables::insert_certificate(&tx, &new, ctx.now).await?;
            let detail = format!("{} {serial}", application.gateway);
            tables::note(&tx, ctx.actor_name(), "approve", &id_text, &detail, ctx.now).await?;
            tables::touch(&tx).await
        })?;
        self.publish_soon().await;
        Ok(())
    }

    /// Refuses an application; the applicant reads the reason.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`; `Invalid` without a reason; `Conflict` when it was decided before.
    pub async fn refuse(&self, ctx: &Ctx, id: ApplicationId, reason: &str) -> Result<()> {
        require(ctx)?;
        let reason = check_reason(reason)?;
        let row = found(&self.0.store.read(), id).await?;
        let member = Sealed::<documents::Application>::read(row.document.as_bytes())?
            .body()
            .member
            .to_string();
        transact!(self.0.store, |tx| {
            let no = tables::Decided {
                id,
                state: ApplicationStanding::Refused.code(),
                by: ctx.actor_name(),
                reason: Some(&reason),
                serial_number: None,
            };
            if !tables::decide(&tx, &no, ctx.now).await? {
                return Err(decided());
            }
            tables::note(&tx, ctx.actor_name(), "refuse", &member, &reason, ctx.now).await
        })
    }

    /// Invites a member to apply. The code is given once and not kept.
    ///
    /// # Errors
    /// `Forbidden`; `Invalid` for a member of another federation, or other than 1 to 90 days.
    pub async fn invite(&self, ctx: &Ctx, invite: &Invite) -> Result<String> {
        require(ctx)?;
        let mut problems = Problems::new();
        if invite.member.instance != self.instance() || certified(&invite.member).is_err() {
            problems.add(
                "member",
                "member",
                format!("Mã thành viên có dạng {}/GOV/000.00.00.H26.", self.instance()),
                format!("A member's id is like {}/GOV/000.00.00.H26.", self.instance()),
            );
        }
        if !(1..=90).contains(&invite.days) {
            problems.add("days", "days", "Nhập số ngày từ 1 đến 90.", "Enter 1 to 90 days.");
        }
        problems.into_result()?;
        let code = hex::encode(rand::random::<[u8; 16]>());
        let hash = Digest::of(code.as_bytes()).to_string();
        let member = invite.member.to_string();
        let expires = ctx.now.plus_seconds(i64::from(invite.days) * 86_400);
        transact!(self.0.store, |tx| {
            if invite.anew {
                tables::take_back_invitations(&tx, &member).await?;
            } else if tables::is_invited(&tx, &member, ctx.now).await? {
                return Err(invited(&invite.member));
            }
            tables::insert_invitation(&tx, &hash, &member, ctx.actor_name(), expires, ctx.now).await?;
            tables::note(&tx, ctx.actor_name(), "invite", &member, "", ctx.now).await
        })?;
        Ok(code)
    }

    /// The newest invitations.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn invitations(&self, ctx: &Ctx) -> Result<Vec<Invitation>> {
        require(ctx)?;
        let rows = tables::invitations(&self.0.store.read()).await?;
        let shown = rows.into_iter().map(|row| {
            Ok(Invitation {
                member: row.member.parse().map_err(Error::internal)?,
                by: row.created_by,
                created: Timestamp::from_micros(row.created_at),
                expires: Timestamp::from_micros(row.expires_at),
                used: row.used_at.map(Timestamp::from_micros),
            })
        });
        shown.collect()
    }
}

/// Instants in JSON, as people and other programs write them.
fn rfc3339<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

fn rfc3339_if_any<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    at.map(Timestamp::rfc3339).serialize(serializer)
}

async fn found(db: &impl Read, id: ApplicationId) -> Result<tables::ApplicationRow> {
    let row = tables::application(db, id).await?;
    row.ok_or_else(|| Error::not_found("đơn tham gia", "application"))
}

/// Judges the signatures again: a key that signed for the member may have been revoked since.
async fn proven(db: &impl Read, sealed: &Sealed<documents::Application>, existing: Option<&Entry>) -> Result<Proven> {
    let keys = match existing {
        Some(entry) => current_keys(db, &entry.member).await?,
        None => Vec::new(),
    };
    let keys: Vec<_> = keys.into_iter().map(|(_, key)| key).collect();
    Proven::read(sealed, &keys).map_err(|_| {
        Error::refused(
            Kind::Conflict,
            "application-no-longer-stands",
            "Khóa của thành viên ký xác nhận đơn này nay không còn hiệu lực. Hãy từ chối và đề nghị gửi đơn mới.",
            "The key of the member that signed this application is no longer believed. Refuse it, and ask for another.",
        )
    })
}

fn gateway_of(proven: &Proven) -> Gateway {
    let application = &proven.application;
    Gateway {
        code: application.gateway.clone(),
        address: application.address.clone(),
        keys: vec![proven.request.key_id()],
        log: application.log.clone(),
        log_keys: vec![application.log_key.verifier().to_string()],
        log_url: application.log_url.clone(),
    }
}

async fn shown(db: &impl Read, row: &tables::ApplicationRow) -> Result<Application> {
    let application = Sealed::<documents::Application>::read(row.document.as_bytes())?.into_body();
    let request = trust::CertificateRequest::from_pem(&application.request)?;
    let standing = ApplicationStanding::from_code(&row.state).ok_or_else(|| Error::internal("an unknown standing"))?;
    Ok(Application {
        id: row.id,
        hosts: request.hosts().to_vec(),
        fingerprint: request.fingerprint(),
        tls_key: request.key_id(),
        log_key: application.log_key.verifier().to_string(),
        adds_to_member: Entry::find(db, &application.member).await?.is_some(),
        member: application.member,
        name: application.name,
        gateway: application.gateway,
        address: application.address,
        endorsed: row.endorsed,
        invited: row.invited,
        standing,
        received: Timestamp::from_micros(row.received_at),
        decided: row.decided_at.map(Timestamp::from_micros),
        decided_by: row.decided_by.clone(),
        reason: row.reason.clone(),
    })
}

/// A reason that somebody else will read.
pub(super) fn check_reason(reason: &str) -> Result<String> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON {
        let mut problems = Problems::new();
        problems.add(
            "reason",
            "reason",
            format!("Nhập lý do, tối đa {LONGEST_REASON} ký tự."),
            format!("Give a reason of at most {LONGEST_REASON} characters."),
        );
        problems.into_result()?;
    }
    Ok(reason.to_owned())
}

fn must_say_so(member: &MemberId) -> Error {
    Error::refused(
        Kind::Conflict,
        "approval-must-say-so",
        format!(
            "{member} đã là thành viên và đơn này không có chữ ký của khóa hiện tại. Chỉ chấp thuận khi đã xác minh với \
             {member} và đánh dấu đồng ý thêm cổng cho thành viên này."
        ),
        format!(
            "{member} is a member already, and none of its present keys signed this application. Approve only after \
             {member} has confirmed it, and say that a gateway is to be added."
        ),
    )
}
