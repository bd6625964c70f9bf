//! A member changes its own entry, without the operator.

use ::store::{Read, transact};
use base::{Error, Kind, Problems, Result};
use identity::Ctx;
use serde::{Deserialize, Serialize};
use trust::{Certificate, CertificateRequest, PublicKey, ca};

use super::{
    Entry, Membership, blocking, current_keys,
    refusals::{Claim, invalid, moved_on, suspended, taken},
};
use crate::{
    directory::{
        Digest, Sealed,
        anchors::certified,
        membership::{
            documents::{EntryChange, check_document, host_of},
            store as tables,
        },
    },
    model::{
        federation::{Description, Member, View},
        identifier::Part,
    },
};

/// A change as it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryRequest {
    /// The sealed [`EntryChange`].
    pub change: String,
    /// The OpenAPI documents that it names and the directory has not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<String>,
}

/// What the member is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// The version of the entry now.
    pub version: u64,
    /// The certificate of the new key, PEM, when one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
}

impl Membership {
    /// The version of a member's entry, from which its next change goes on.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn entry_version(&self, member: &crate::model::identifier::MemberId) -> Result<u64> {
        let entry = Entry::find(&self.0.store.read(), member).await?;
        let entry = entry.ok_or_else(|| Error::not_found("thành viên", "member"))?;
        Ok(unsigned(entry.version))
    }

    /// Takes a change that a member sealed, and publishes it at once. The same document again has the same answer.
    ///
    /// # Errors
    /// `Invalid` for a damaged document, a wrong or missing signature, and everything that is wrong with the entry;
    /// `NotFound` for who is no member; `Forbidden` while it is suspended; `Conflict` for a version that is not the next,
    /// which is what a replay is, and for a key that was used before.
    pub async fn change_entry(&self, ctx: &Ctx, request: &EntryRequest) -> Result<Changed> {
        let sealed = Sealed::<EntryChange>::read(request.change.as_bytes())?;
        let change = sealed.body();
        let digest = Digest::of(request.change.as_bytes()).to_string();
        let db = self.0.store.read();
        let entry = Entry::find(&db, &change.member).await?;
        let entry = entry.ok_or_else(|| Error::not_found("thành viên", "member"))?;
        let keys = current_keys(&db, &entry.member).await?;
        let (csr, again) = (self.request_of(change)?, entry.last_change.as_ref() == Some(&digest));
        if again {
            return self.answered(&db, unsigned(entry.version), csr.as_ref()).await;
        }
        EntryChange::prove(&sealed, &keys_of(&keys, &change.gateway.code)).map_err(invalid)?;
        if change.instance != self.instance() {
            return Err(other_instance(&change.instance, &self.instance()));
        }
        if entry.member.suspended.is_some() {
            return Err(suspended(&entry.member.id));
        }
        if change.version != unsigned(entry.version) + 1 {
            return Err(other_version(unsigned(entry.version), change.version));
        }
        let mut changed = change.apply(&entry.member).map_err(invalid)?;
        self.check_documents(&changed, &request.documents)?;
        self.check_whole(&changed, ctx).await?;
        let certificate = match &csr {
            Some(csr) => Some(self.certify(csr, change, &mut changed, ctx).await?),
            None => None,
        };
        for document in &request.documents {
            let document = document.clone();
            let publisher = std::sync::Arc::clone(self.publisher());
            blocking(move || publisher.hand_in(document.as_bytes())).await??;
        }
        self.store_change(ctx, &entry, &changed, change, &digest, certificate.as_ref())
            .await?;
        self.publish_soon().await;
        Ok(Changed {
            version: change.version,
            certificate: certificate.map(|certificate| certificate.to_pem()),
        })
    }

    async fn store_change(
        &self,
        ctx: &Ctx,
        entry: &Entry,
        changed: &Member,
        change: &EntryChange,
        digest: &str,
        certificate: Option<&Certificate>,
    ) -> Result<()> {
        let (member, text) = (changed.id.to_string(), serde_json::to_string(changed)?);
        let new_log_key = change.gateway.log_key.as_ref().filter(|key| {
            let known = entry.member.gateways.iter().flat_map(|gateway| &gateway.log_keys);
            !known.into_iter().any(|known| *known == key.verifier().to_string())
        });
        let keys = [certificate.map(Certificate::key_id), new_log_key.map(|key| key.id())];
        transact!(self.0.store, |tx| {
            for key in keys.iter().flatten().map(ToString::to_string) {
                if !tables::claim(&tx, Claim::Key.as_str(), &key, &member).await? {
                    return Err(taken(Claim::Key, &key));
                }
            }
            let new = tables::Entry {
                member: &member,
                entry: &text,
                from: entry.version,
                version: entry.version + 1,
                change: Some(digest),
            };
            if !tables::update_member(&tx, &new, &entry.text, ctx.now).await? {
                return Err(moved_on());
            }
            if let Some(certificate) = certificate {
                let new = tables::NewCertificate {
                    serial_number: &certificate.serial(),
                    member: &member,
                    gateway: change.gateway.code.as_str(),
                    tls_key: &certificate.key_id().to_string(),
                    pem: &certificate.to_pem(),
                    expires: certificate.not_after(),
                };
                tables::insert_certificate(&tx, &new, ctx.now).await?;
            }
            let detail = change.gateway.code.as_str();
            tables::note(&tx, &member, "change", &member, detail, ctx.now).await?;
            tables::touch(&tx).await
        })
    }

    fn request_of(&self, change: &EntryChange) -> Result<Option<CertificateRequest>> {
        let request = change.gateway.request.as_deref().map(CertificateRequest::from_pem);
        Ok(request.transpose()?)
    }

    async fn answered(&self, db: &impl Read, version: u64, csr: Option<&CertificateRequest>) -> Result<Changed> {
        let certificate = match csr {
            Some(csr) => tables::certificate_of_key(db, &csr.key_id().to_string()).await?,
            None => None,
        };
        Ok(Changed {
            version,
            certificate: certificate.map(|certificate| certificate.pem),
        })
    }

    /// Each document that the change names is there, or sent along and what the change says; none else is sent.
    fn check_documents(&self, changed: &Member, documents: &[String]) -> Result<()> {
        let sent: Vec<Digest> = documents.iter().map(|text| Digest::of(text.as_bytes())).collect();
        let mut named = Vec::new();
        let mut problems = Problems::new();
        for (at, description) in descriptions(changed) {
            let Ok(sha256) = description.sha256.parse::<Digest>() else {
                problems.add(
                    "sha256",
                    at,
                    "Mã băm gồm 64 chữ số hexa.",
                    "The hash is 64 digits of hex.",
                );
                continue;
            };
            named.push(sha256);
            match sent.iter().position(|sent| *sent == sha256) {
                Some(n) => {
                    let document = documents.get(n).map(String::as_bytes).unwrap_or_default();
                    if let Err(reason) = check_document(description, document) {
                        reason.add_to(&mut problems, at);
                    }
                }
                None if self.publisher().has(sha256) => {}
                None => problems.add(
                    "directory-no-document",
                    at,
                    "Chưa có tài liệu này. Hãy gửi kèm tài liệu.",
                    "The document is not there. Send it along.",
                ),
            }
        }
        if sent.iter().any(|sent| !named.contains(sent)) {
            problems.add(
                "document-unnamed",
                "documents",
                "Có tài liệu gửi kèm mà không dịch vụ nào nêu.",
                "A document was sent that no service names.",
            );
        }
        problems.into_result()
    }

    /// Whether the directory would still be one without contradictions.
    async fn check_whole(&self, changed: &Member, ctx: &Ctx) -> Result<()> {
        let mut directory = self.directory(ctx.now).await?;
        for member in directory.members.iter_mut().filter(|member| member.id == changed.id) {
            *member = changed.clone();
        }
        View::new(directory).map(drop).map_err(invalid)
    }

    /// Certifies a new key for the gateway and puts it beside the others.
    async fn certify(
        &self,
        csr: &CertificateRequest,
        change: &EntryChange,
        changed: &mut Member,
        ctx: &Ctx,
    ) -> Result<Certificate> {
        let member = certified(&changed.id)?;
        let host = host_of(&change.gateway.address).unwrap_or_default();
        if csr.member() != Some(&member) || !csr.hosts().iter().any(|named| named.eq_ignore_ascii_case(host)) {
            return Err(Error::refused(
                Kind::Invalid,
                "request-other-member",
                "Yêu cầu cấp chứng thư ghi tên thành viên khác hoặc thiếu tên máy của cổng.",
                "The certificate request names another member, or not the host of the gateway.",
            ));
        }
        let approval = ca::Approval {
            request: csr.fingerprint(),
            member,
            organization: changed.name.vi.clone(),
            hosts: csr.hosts().to_vec(),
            profile: ca::Profile::Node,
            days: self.0.settings.certificate_days,
        };
        let certificate = self.issue(csr.clone(), approval, ctx.now).await?;
        let gateway = changed
            .gateways
            .iter_mut()
            .find(|gateway| gateway.code == change.gateway.code);
        if let Some(gateway) = gateway {
            gateway.keys.push(csr.key_id());
        }
        Ok(certificate)
    }
}

fn keys_of(keys: &[(Part, PublicKey)], gateway: &Part) -> Vec<PublicKey> {
    let own = keys.iter().filter(|(code, _)| code == gateway);
    own.map(|(_, key)| key.clone()).collect()
}

fn descriptions(member: &Member) -> impl Iterator<Item = (String, &Description)> {
    member.subsystems.iter().enumerate().flat_map(|(s, subsystem)| {
        subsystem.services.iter().enumerate().filter_map(move |(n, service)| {
            let at = format!("subsystems.{s}.services.{n}.description");
            Some((at, service.description.as_ref()?))
        })
    })
}

fn unsigned(version: i64) -> u64 {
    u64::try_from(version).unwrap_or(0)
}

fn other_instance(found: &Part, expected: &Part) -> Error {
    Error::refused(
        Kind::Invalid,
        "application-other-instance",
        format!("Văn bản này gửi cho liên thông {found}; đây là liên thông {expected}."),
        format!("This was meant for the federation {found}; this is {expected}."),
    )
}

fn other_version(known: u64, offered: u64) -> Error {
    Error::refused(
        Kind::Conflict,
        "entry-version",
        format!(
            "Thông tin thành viên đang ở phiên bản {known}; thay đổi phải mang số {}, không phải {offered}.",
            known + 1
        ),
        format!(
            "The entry is at version {known}; a change must be number {}, not {offered}.",
            known + 1
        ),
    )
}
