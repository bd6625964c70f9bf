//! Lists of dossiers: of an agency, of a person.

use base::{Result, Text, Timestamp};
use identity::{Ctx, Permission, Scope};
use uuid::Uuid;

use super::{super::Dossiers, bad_cursor, status};
use crate::{
    model::{action::DossierId, status::NationalStatus},
    store::lists::{self, Filter, ListRow, Whose},
};

/// Some rows, and where the next ones begin.
#[derive(Debug, Clone)]
pub struct Slice<T> {
    /// The rows.
    pub items: Vec<T>,
    /// The cursor of the next page.
    pub next: Option<String>,
}

/// A dossier in a list.
#[derive(Debug, Clone)]
pub struct DossierItem {
    /// Id.
    pub id: DossierId,
    /// Code.
    pub code: String,
    /// National code of the procedure.
    pub procedure: String,
    /// Its name.
    pub name: Text,
    /// Applicant.
    pub applicant: String,
    /// Deciding agency.
    pub agency: String,
    /// Channel.
    pub channel: String,
    /// Status.
    pub status: NationalStatus,
    /// When filed.
    pub submitted_at: Timestamp,
    /// When received.
    pub received_at: Option<Timestamp>,
    /// When due.
    pub due_at: Option<Timestamp>,
    /// When ended.
    pub ended_at: Option<Timestamp>,
    /// Version.
    pub version: i64,
}

impl Dossiers {
    /// Dossiers of the officer's agency, newest first.
    ///
    /// # Errors
    /// Not permitted, or a cursor that is not ours.
    pub async fn list(
        &self,
        ctx: &Ctx,
        filter: &Filter,
        before: Option<&str>,
        limit: u32,
    ) -> Result<Slice<DossierItem>> {
        let agency = ctx.officer()?.agency.clone();
        ctx.require(Permission::ReadAgencyDossiers, &Scope::Agency(agency.clone()))?;
        let before = before
            .map(|c| c.parse::<Uuid>().map_err(|_| bad_cursor()))
            .transpose()?;
        let limit = limit.clamp(1, 100);
        let whose = Whose::Agency(&agency);
        let rows = lists::newest(&self.store().read(), whose, filter, before, limit + 1).await?;
        self.slice(rows, limit).await
    }

    /// The dossiers of the signed-in person, newest first.
    ///
    /// # Errors
    /// Nobody is signed in, or a cursor that is not ours.
    pub async fn mine(
        &self,
        ctx: &Ctx,
        filter: &Filter,
        before: Option<&str>,
        limit: u32,
    ) -> Result<Slice<DossierItem>> {
        let account = ctx.person()?.account;
        ctx.require(Permission::ReadOwnDossier, &Scope::Account(account))?;
        let before = before
            .map(|c| c.parse::<Uuid>().map_err(|_| bad_cursor()))
            .transpose()?;
        let limit = limit.clamp(1, 100);
        let whose = Whose::Account(account.uuid());
        let rows = lists::newest(&self.store().read(), whose, filter, before, limit + 1).await?;
        self.slice(rows, limit).await
    }

    async fn slice(&self, mut rows: Vec<ListRow>, limit: u32) -> Result<Slice<DossierItem>> {
        let next = (rows.len() > limit as usize).then(|| {
            rows.truncate(limit as usize);
            rows.last().map(|r| r.id.to_string()).unwrap_or_default()
        });
        let mut items = Vec::with_capacity(rows.len());
        for row in rows {
            let package = self.shelf().by_hash(&row.package).await?;
            items.push(DossierItem {
                id: DossierId::from_uuid(row.id),
                code: row.code,
                procedure: row.procedure_code,
                name: package.meta.name.clone(),
                applicant: row.applicant_name,
                agency: row.agency,
                channel: row.channel,
                status: status(row.status)?,
                submitted_at: Timestamp::from_micros(row.submitted_at),
                received_at: row.received_at.map(Timestamp::from_micros),
                due_at: row.due_at.map(Timestamp::from_micros),
                ended_at: row.ended_at.map(Timestamp::from_micros),
                version: row.version,
            });
        }
        Ok(Slice { items, next })
    }
}
