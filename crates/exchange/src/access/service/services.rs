//! What the systems of this node offer.

use ::store::transact;
use base::{Error, Kind, Result, Text, Timestamp};
use identity::{Ctx, Permission, Scope};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    Access,
    checks::check_at,
    moved_on, reach,
    systems::{conflict, invalid},
    visible,
};
use crate::{
    access::{
        model::{OpenApi, ServiceDraft, ServiceSpec, Typed, subjects_text},
        store::{self as tables, KeptCredential, ServiceRow},
    },
    model::{identifier::ServiceId, meta::Endpoint, tracker::SubjectRule},
};

/// A service as its steward sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceView {
    /// Its id on this node.
    pub id: Uuid,
    /// Its identifier.
    pub service: ServiceId,
    /// The agency that answers for it.
    pub agency: String,
    /// Its name.
    pub name: Text,
    /// Where it is.
    pub url: String,
    /// How long it may take, in seconds.
    pub timeout_seconds: i64,
    /// Whether its certificate is verified.
    pub verify_certificate: bool,
    /// Why it is switched off.
    pub disabled: Option<String>,
    /// Where the numbers of persons stand.
    pub subjects: SubjectRule,
    /// What reading it does.
    pub action: String,
    /// The header of the key that it asks of this node. The key itself is not shown.
    pub credential_header: Option<String>,
    /// Title, version and SHA-256 of its OpenAPI document.
    pub document: Option<(String, String, String)>,
    /// Counts changes.
    pub version: i64,
    /// Who changed it last.
    pub updated_by: String,
    /// When.
    pub updated_at: Timestamp,
}

impl ServiceView {
    fn of(row: &ServiceRow) -> Result<Self> {
        let title = row.openapi_title.clone().zip(row.openapi_version.clone());
        Ok(Self {
            id: row.id,
            service: row.service()?,
            agency: row.agency.clone(),
            name: row.name(),
            url: row.url.clone(),
            timeout_seconds: row.timeout_ms / 1_000,
            verify_certificate: row.verify_certificate,
            disabled: row.disabled.clone(),
            subjects: row.subjects()?,
            action: row.action.clone(),
            credential_header: row.credential_header.clone(),
            document: title
                .zip(row.openapi_sha256.clone())
                .map(|((title, version), sha)| (title, version, sha)),
            version: row.version,
            updated_by: row.updated_by.clone(),
            updated_at: row.updated_at(),
        })
    }

    /// The form that holds it.
    pub fn draft(&self) -> ServiceDraft {
        ServiceDraft {
            provider: self.service.provider.to_string(),
            code: self.service.code.to_string(),
            name_vi: self.name.vi.clone(),
            name_en: self.name.en.clone(),
            url: self.url.clone(),
            timeout_seconds: self.timeout_seconds.to_string(),
            verify_certificate: self.verify_certificate,
            disabled: self.disabled.is_some(),
            notice: self.disabled.clone().unwrap_or_default(),
            subjects: subjects_text(&self.subjects),
            action: self.action.clone(),
            credential_header: self.credential_header.clone().unwrap_or_default(),
            credential: Typed::default(),
        }
    }
}

pub(super) fn no_service() -> Error {
    Error::not_found("dịch vụ", "service")
}

impl Access {
    /// Services of one's agency and those below it, by identifier; where the next page starts.
    ///
    /// # Errors
    /// Without [`Permission::ReadExchange`].
    pub async fn services(&self, ctx: &Ctx, after: &str, most: u32) -> Result<(Vec<ServiceView>, Option<String>)> {
        let agency = reach(ctx, Permission::ReadExchange)?;
        // What is no identifier is the beginning of the list.
        let after = after
            .parse::<ServiceId>()
            .map(|after| after.to_string())
            .unwrap_or_default();
        let rows = tables::services(&self.store().read(), agency.as_deref(), &after, most).await?;
        let views = rows
            .iter()
            .take(most as usize)
            .map(ServiceView::of)
            .collect::<Result<Vec<_>>>()?;
        let next = views
            .last()
            .filter(|_| rows.len() > most as usize)
            .map(|last| last.service.to_string());
        Ok((views, next))
    }

    /// One service, with the endpoints of its document.
    ///
    /// # Errors
    /// `NotFound` where it is another agency's.
    pub async fn service(&self, ctx: &Ctx, id: Uuid) -> Result<(ServiceView, Vec<Endpoint>)> {
        reach(ctx, Permission::ReadExchange)?;
        let row = tables::service(&self.store().read(), id)
            .await?
            .ok_or_else(no_service)?;
        visible(ctx, &row.agency, no_service)?;
        let view = ServiceView::of(&row)?;
        let hosting = self.hosted().now();
        let endpoints = hosting
            .services
            .get(&view.service)
            .map(|service| service.endpoints.clone());
        Ok((view, endpoints.unwrap_or_default()))
    }

    /// The OpenAPI document of a service, as it was registered.
    ///
    /// # Errors
    /// `NotFound` where there is none, or it is another agency's.
    pub async fn document(&self, ctx: &Ctx, id: Uuid) -> Result<Vec<u8>> {
        reach(ctx, Permission::ReadExchange)?;
        let row = tables::service(&self.store().read(), id)
            .await?
            .ok_or_else(no_service)?;
        visible(ctx, &row.agency, no_service)?;
        let document = tables::document(&self.store().read(), id).await?;
        document.ok_or_else(|| Error::not_found("mô tả OpenAPI", "OpenAPI document"))
    }

    /// Registers a service.
    ///
    /// # Errors
    /// `Forbidden` without [`Permission::ManageExchange`] for the agency of its system; `Invalid` with every wrong field.
    pub async fn add_service(&self, ctx: &Ctx, draft: &ServiceDraft) -> Result<Uuid> {
        reach(ctx, Permission::ManageExchange)?;
        let spec = draft
            .read()
            .map_err(|problems| Error::Refused(Kind::Invalid, problems))?;
        let provider = tables::system_named(&self.store().read(), &spec.id.provider).await?;
        let Some(provider) = provider.filter(|row| visible(ctx, &row.agency, no_service).is_ok()) else {
            return Err(invalid(
                "unknown-system",
                "provider",
                format!("Chưa đăng ký hệ thống {}; đăng ký hệ thống trước.", spec.id.provider),
                format!("The system {} is not registered; register it first.", spec.id.provider),
            ));
        };
        ctx.require(Permission::ManageExchange, &Scope::Agency(provider.agency.clone()))?;
        let credential = self.kept_credential(&spec, None)?;
        let made = transact!(self.store(), |tx| {
            let made =
                tables::insert_service(&tx, &spec, &credential, &provider.agency, ctx.actor_name(), ctx.now).await?;
            tables::next_turn(&tx).await?;
            Ok(made)
        })?;
        self.changed().await;
        made.ok_or_else(|| {
            conflict(
                "taken",
                "code",
                format!("Hệ thống đã có dịch vụ mã {}.", spec.id.code),
                format!("The system has a service {} already.", spec.id.code),
            )
        })
    }

    /// Changes a service; its system and its code stay.
    ///
    /// # Errors
    /// As [`Access::add_service`]; `Conflict` when it has changed since.
    pub async fn change_service(&self, ctx: &Ctx, id: Uuid, version: i64, draft: &ServiceDraft) -> Result<()> {
        let row = self.managed_service(ctx, id).await?;
        let own = row.service()?;
        let draft = ServiceDraft {
            provider: own.provider.to_string(),
            code: own.code.as_str().to_owned(),
            ..draft.clone()
        };
        let spec = draft
            .read()
            .map_err(|problems| Error::Refused(Kind::Invalid, problems))?;
        if row.version != version {
            return Err(moved_on());
        }
        let credential = self.kept_credential(&spec, Some(&row))?;
        let is_elsewhere = spec.url != row.url
            || spec.verify_certificate != row.verify_certificate
            || matches!(credential, KeptCredential::New(..));
        transact!(self.store(), |tx| {
            if !tables::update_service(&tx, &row, &spec, &credential, ctx.actor_name(), ctx.now).await? {
                return Err(moved_on());
            }
            if is_elsewhere && row.openapi_sha256.is_some() {
                tables::drop_check(&tx, id).await?;
                check_at(&tx, id, ctx.now, ctx.now).await?;
            }
            tables::next_turn(&tx).await
        })?;
        self.changed().await;
        Ok(())
    }

    /// Gives a service its OpenAPI document (JSON), or takes it away.
    ///
    /// # Errors
    /// `Forbidden` or `NotFound` without the right; `TooLarge`; `Invalid` with everything that is wrong with the document.
    pub async fn describe(&self, ctx: &Ctx, id: Uuid, document: Option<&[u8]>) -> Result<()> {
        self.managed_service(ctx, id).await?;
        let most = self.config().largest_document;
        if document.is_some_and(|bytes| bytes.len() > most) {
            let mib = most / 1024 / 1024;
            return Err(Error::refused(
                Kind::TooLarge,
                "too-large",
                format!("Mô tả OpenAPI lớn hơn {mib} MiB."),
                format!("The OpenAPI document is larger than {mib} MiB."),
            ));
        }
        let read = document
            .map(|bytes| {
                let read = OpenApi::read(bytes).map_err(|problems| Error::Refused(Kind::Invalid, problems))?;
                Ok::<_, Error>((bytes, hex::encode(Sha256::digest(bytes)), read))
            })
            .transpose()?;
        let read = read
            .as_ref()
            .map(|(bytes, sha256, read)| (*bytes, sha256.as_str(), read));
        transact!(self.store(), |tx| {
            tables::put_document(&tx, id, read, ctx.actor_name(), ctx.now).await?;
            tables::drop_check(&tx, id).await?;
            if read.is_some() {
                check_at(&tx, id, ctx.now, ctx.now).await?;
            }
            tables::next_turn(&tx).await
        })?;
        self.changed().await;
        Ok(())
    }

    /// The key of a service as it will be kept.
    fn kept_credential(&self, spec: &ServiceSpec, before: Option<&ServiceRow>) -> Result<KeptCredential> {
        let kept = before.and_then(|row| row.credential_header.as_ref());
        match (&spec.credential, kept) {
            (None, _) => Ok(KeptCredential::Nothing),
            (Some((header, Some(key))), _) => {
                let place = tables::credential_place(&spec.id.to_string());
                let sealed = self.0.sealer.seal(&self.0.entropy, &place, key.as_bytes())?;
                Ok(KeptCredential::New(header.to_string(), sealed))
            }
            (Some((header, None)), Some(_)) => Ok(KeptCredential::Same(header.to_string())),
            (Some((_, None)), None) => Err(invalid(
                "required",
                "credential",
                "Nhập khóa mà dịch vụ yêu cầu trong tiêu đề này.",
                "Enter the key that the service asks for in this header.",
            )),
        }
    }

    pub(super) async fn managed_service(&self, ctx: &Ctx, id: Uuid) -> Result<ServiceRow> {
        reach(ctx, Permission::ManageExchange)?;
        let row = tables::service(&self.store().read(), id)
            .await?
            .ok_or_else(no_service)?;
        visible(ctx, &row.agency, no_service)?;
        ctx.require(Permission::ManageExchange, &Scope::Agency(row.agency.clone()))?;
        Ok(row)
    }
}
