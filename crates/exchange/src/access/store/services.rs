//! Services.

use std::time::Duration;

use ::store::{Read, Row, Tx, params, sea_orm};
use base::{Error, Id, Result, Text, Timestamp};
use http::HeaderValue;
use identity::Sealer;
use uuid::Uuid;

use super::below;
use crate::{
    access::model::{OpenApi, ServiceSpec},
    model::{
        hosting::{Credential, LocalService, ServiceTarget},
        identifier::{ServiceId, SubsystemId},
        meta::ServiceKind,
        tracker::SubjectRule,
    },
};

/// One service, without its document.
#[derive(Debug, Clone, Row)]
pub struct ServiceRow {
    pub id: Uuid,
    service: String,
    pub agency: String,
    name_vi: String,
    name_en: String,
    pub url: String,
    pub timeout_ms: i64,
    pub verify_certificate: bool,
    pub disabled: Option<String>,
    subjects: String,
    pub action: String,
    pub credential_header: Option<String>,
    credential: Option<Vec<u8>>,
    pub openapi_sha256: Option<String>,
    pub openapi_title: Option<String>,
    pub openapi_version: Option<String>,
    pub version: i64,
    pub updated_by: String,
    updated_at: i64,
}

const COLUMNS: &str = "id, service, agency, name_vi, name_en, url, timeout_ms, verify_certificate, disabled, subjects, \
                       action, credential_header, credential, openapi_sha256, openapi_title, openapi_version, version, updated_by, updated_at";

impl ServiceRow {
    pub fn service(&self) -> Result<ServiceId> {
        self.service.parse().map_err(Error::internal)
    }

    pub fn name(&self) -> Text {
        Text::new(&self.name_vi, &self.name_en)
    }

    pub fn updated_at(&self) -> Timestamp {
        Timestamp::from_micros(self.updated_at)
    }

    pub fn subjects(&self) -> Result<SubjectRule> {
        Ok(serde_json::from_str(&self.subjects)?)
    }

    pub const fn kind(&self) -> ServiceKind {
        match self.openapi_sha256 {
            Some(_) => ServiceKind::OpenApi,
            None => ServiceKind::Rest,
        }
    }

    /// The key that the service asks of this node.
    ///
    /// # Errors
    /// It was sealed by a node with another secret.
    pub fn credential(&self, sealer: &Sealer) -> Result<Option<Credential>> {
        let (Some(header), Some(sealed)) = (&self.credential_header, &self.credential) else {
            return Ok(None);
        };
        let key = sealer.open(&credential_place(&self.service), sealed)?;
        let mut value = HeaderValue::try_from(key).map_err(Error::internal)?;
        value.set_sensitive(true);
        let header = header.parse().map_err(Error::internal)?;
        Ok(Some(Credential { header, value }))
    }

    /// As the gateway takes it; its document and endpoints are not in it yet. A service whose key cannot be read is switched off: it
    /// would refuse every call.
    pub fn hosted(&self, sealer: &Sealer) -> Result<LocalService> {
        let (credential, unreadable) = match self.credential(sealer) {
            Ok(credential) => (credential, None),
            Err(error) => {
                tracing::error!(%error, service = self.service, "the key of a service cannot be read");
                let notice = "Nút không đọc được khóa của dịch vụ; cán bộ phụ trách cần nhập lại khóa.";
                (None, Some(notice.to_owned()))
            }
        };
        Ok(LocalService {
            target: ServiceTarget::Url(self.url.clone()),
            kind: self.kind(),
            open: false,
            credential,
            disabled: self.disabled.clone().or(unreadable),
            timeout: Duration::from_millis(u64::try_from(self.timeout_ms).map_err(Error::internal)?),
            verify_certificate: self.verify_certificate,
            subjects: self.subjects()?,
            action: self.action.clone(),
            endpoints: Vec::new(),
            openapi: None,
        })
    }
}

/// Where the key of a service is sealed for.
pub fn credential_place(service: &str) -> String {
    format!("exchange/service/{service}")
}

/// The key that a service has from now on, sealed.
#[derive(Debug, Clone)]
pub enum KeptCredential {
    /// None.
    Nothing,
    /// The one that it has, in this header.
    Same(String),
    /// Another one.
    New(String, Vec<u8>),
}

impl KeptCredential {
    fn header(&self) -> Option<&str> {
        match self {
            Self::Nothing => None,
            Self::Same(header) | Self::New(header, _) => Some(header),
        }
    }

    fn sealed(&self, before: Option<&Vec<u8>>) -> Option<Vec<u8>> {
        match self {
            Self::Nothing => None,
            Self::Same(_) => before.cloned(),
            Self::New(_, sealed) => Some(sealed.clone()),
        }
    }
}

/// A service by its id.
pub async fn service(db: &impl Read, id: Uuid) -> Result<Option<ServiceRow>> {
    db.one(
        &format!("SELECT {COLUMNS} FROM exchange_service WHERE id = $1"),
        params![id],
    )
    .await
}

/// A service by its identifier.
pub async fn service_named(db: &impl Read, service: &ServiceId) -> Result<Option<ServiceRow>> {
    let sql = format!("SELECT {COLUMNS} FROM exchange_service WHERE service = $1");
    db.one(&sql, params![service.to_string()]).await
}

/// Services of an agency and those below it, or of all, by identifier; one more than a page.
pub async fn services(db: &impl Read, agency: Option<&str>, after: &str, most: u32) -> Result<Vec<ServiceRow>> {
    let (mut sql, mut values) = (
        format!("SELECT {COLUMNS} FROM exchange_service WHERE service > $1"),
        params![after],
    );
    if let Some(agency) = agency {
        values.extend(params![agency, below(agency)]);
        sql.push_str(" AND (agency = $2 OR agency LIKE $3)");
    }
    sql.push_str(&format!(" ORDER BY service LIMIT {}", u64::from(most) + 1));
    db.all(&sql, values).await
}

/// All services, or those of one system.
pub async fn services_of(db: &impl Read, provider: Option<&SubsystemId>) -> Result<Vec<ServiceRow>> {
    match provider {
        None => {
            db.all(
                &format!("SELECT {COLUMNS} FROM exchange_service ORDER BY service"),
                params![],
            )
            .await
        }
        Some(provider) => {
            let sql = format!("SELECT {COLUMNS} FROM exchange_service WHERE provider = $1 ORDER BY service");
            db.all(&sql, params![provider.to_string()]).await
        }
    }
}

/// The document of a service.
pub async fn document(db: &impl Read, id: Uuid) -> Result<Option<Vec<u8>>> {
    let found = db
        .scalar::<Option<Vec<u8>>>("SELECT openapi FROM exchange_service WHERE id = $1", params![id])
        .await?;
    Ok(found.flatten())
}

/// Adds a service; none when its identifier is taken.
pub async fn insert_service(
    tx: &Tx,
    spec: &ServiceSpec,
    credential: &KeptCredential,
    agency: &str,
    by: &str,
    now: Timestamp,
) -> Result<Option<Uuid>> {
    let id = Id::<ServiceRow>::new(now).uuid();
    let sql = "INSERT INTO exchange_service (id, service, provider, agency, name_vi, name_en, url, timeout_ms, \
               verify_certificate, disabled, subjects, action, version, updated_by, updated_at, credential_header, credential) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1, $13, $14, $15, $16) ON CONFLICT DO NOTHING";
    let values = params![
        id,
        spec.id.to_string(),
        spec.id.provider.to_string(),
        agency,
        spec.name.vi,
        spec.name.en,
        spec.url,
        i64::from(spec.timeout_ms),
        spec.verify_certificate,
        spec.disabled,
        serde_json::to_string(&spec.subjects)?,
        spec.action,
        by,
        now,
        credential.header(),
        credential.sealed(None)
    ];
    Ok((tx.exec(sql, values).await? == 1).then_some(id))
}

/// Changes a service that is still as it was seen; whether it was.
pub async fn update_service(
    tx: &Tx,
    seen: &ServiceRow,
    spec: &ServiceSpec,
    credential: &KeptCredential,
    by: &str,
    now: Timestamp,
) -> Result<bool> {
    let sql = "UPDATE exchange_service SET name_vi = $3, name_en = $4, url = $5, timeout_ms = $6, verify_certificate = $7, \
               disabled = $8, subjects = $9, action = $10, version = version + 1, updated_by = $11, updated_at = $12, \
               credential_header = $13, credential = $14 WHERE id = $1 AND version = $2";
    let values = params![
        seen.id,
        seen.version,
        spec.name.vi,
        spec.name.en,
        spec.url,
        i64::from(spec.timeout_ms),
        spec.verify_certificate,
        spec.disabled,
        serde_json::to_string(&spec.subjects)?,
        spec.action,
        by,
        now,
        credential.header(),
        credential.sealed(seen.credential.as_ref())
    ];
    Ok(tx.exec(sql, values).await? == 1)
}

/// Gives a service its document, or takes it away.
pub async fn put_document(
    tx: &Tx,
    id: Uuid,
    document: Option<(&[u8], &str, &OpenApi)>,
    by: &str,
    now: Timestamp,
) -> Result<()> {
    let sql = "UPDATE exchange_service SET openapi = $2, openapi_sha256 = $3, openapi_title = $4, openapi_version = $5, \
               version = version + 1, updated_by = $6, updated_at = $7 WHERE id = $1";
    let values = params![
        id,
        document.map(|(bytes, ..)| bytes.to_vec()),
        document.map(|(_, sha256, _)| sha256),
        document.map(|(.., read)| read.title.as_str()),
        document.map(|(.., read)| read.version.as_str()),
        by,
        now
    ];
    tx.exec(sql, values).await.map(drop)
}
