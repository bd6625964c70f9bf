//! What the keepers of figures need of a dossier: no personal data.

use base::{Result, Timestamp, deadline::Outcome};

use super::{Dossiers, handling::no_dossier};
use crate::{
    model::{
        action::{Channel, DossierId},
        status::NationalStatus,
    },
    store as tables,
};

/// A dossier as figures see it.
#[derive(Debug, Clone, PartialEq)]
pub struct DossierFigures {
    /// The dossier.
    pub id: DossierId,
    /// The entry up to which this holds.
    pub version: i64,
    /// Deciding agency.
    pub agency: String,
    /// National code of the procedure.
    pub procedure: String,
    /// Code of its field (lĩnh vực).
    pub field: String,
    /// How it came.
    pub channel: Channel,
    /// A pseudonym of its applicant: the account, if there is one.
    pub account: Option<uuid::Uuid>,
    /// Status.
    pub status: NationalStatus,
    /// When filed.
    pub submitted_at: Timestamp,
    /// When received.
    pub received_at: Option<Timestamp>,
    /// When due, as first appointed.
    pub original_due_at: Option<Timestamp>,
    /// When due now; none while the clock stands.
    pub due_at: Option<Timestamp>,
    /// When decided, refused, withdrawn or stopped.
    pub ended_at: Option<Timestamp>,
    /// When the result was handed over.
    pub delivered_at: Option<Timestamp>,
    /// In time or not, once decided.
    pub outcome: Option<Outcome>,
    /// Working minutes from reception to the end.
    pub working_minutes: Option<i64>,
    /// How often papers were asked for.
    pub supplements: usize,
}

impl Dossiers {
    /// What figures need of a dossier, as it is now. For jobs of the platform.
    ///
    /// # Errors
    /// There is no such dossier.
    pub async fn figures(&self, id: DossierId) -> Result<DossierFigures> {
        let kept = tables::by_id(&self.store().read(), id).await?.ok_or_else(no_dossier)?;
        let (s, calendar) = (kept.state, self.calendar());
        let package = self.shelf().by_hash(&kept.package).await?;
        let due = s.due(&calendar);
        let working_minutes = s
            .received_at
            .zip(s.ended_at)
            .map(|(from, to)| calendar.working_minutes_between(from, to));
        Ok(DossierFigures {
            id,
            version: s.version,
            agency: s.agency.clone(),
            procedure: s.procedure.code.clone(),
            field: package.meta.field.clone(),
            channel: s.channel,
            account: s.applicant.account,
            status: s.national(),
            submitted_at: s.submitted_at,
            received_at: s.received_at,
            original_due_at: due.map(|d| d.original),
            due_at: due.and_then(|d| d.current),
            ended_at: s.ended_at,
            delivered_at: s.delivered_at,
            outcome: due.and_then(|d| d.outcome()),
            working_minutes,
            supplements: s.supplements.len(),
        })
    }

    /// The ids of dossiers after `after`, in order, a page at a time: for rebuilding figures.
    ///
    /// # Errors
    /// The database failed.
    pub async fn ids_after(&self, after: Option<DossierId>, limit: u32) -> Result<Vec<DossierId>> {
        tables::ids_after(&self.store().read(), after, limit).await
    }
}
