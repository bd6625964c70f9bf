//! What the keepers of figures need of a dossier: no personal data.

use base::{
    Calendar, Result, Timestamp,
    deadline::{Event, Ledger, Outcome},
};

use super::Dossiers;
use crate::{
    model::{
        action::{Channel, DossierId},
        state::State,
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
    /// Answers that a registry should give.
    pub held: usize,
    /// Of these, those that the person had to type.
    pub asked_again: usize,
    /// Since when and until when papers or a payment were awaited, oldest first; the last has no end while they still are.
    pub pauses: Vec<(Timestamp, Option<Timestamp>)>,
}

impl DossierFigures {
    fn of(id: DossierId, s: &State, field: &str, calendar: &Calendar) -> Self {
        let due = s.due(calendar);
        Self {
            id,
            version: s.version,
            agency: s.agency.clone(),
            procedure: s.procedure.code.clone(),
            field: field.to_owned(),
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
            working_minutes: s
                .received_at
                .zip(s.ended_at)
                .map(|(from, to)| calendar.working_minutes_between(from, to)),
            supplements: s.supplements.len(),
            held: s.facts.said.len(),
            asked_again: s.facts.said.keys().filter(|held| s.facts.known(held).is_none()).count(),
            pauses: pauses(s),
        }
    }
}

/// Before reception there is no time limit to stand still: what was awaited then is known from the requests for papers. After
/// it the ledger knows, whatever was awaited.
fn pauses(s: &State) -> Vec<(Timestamp, Option<Timestamp>)> {
    let not_received = |at: Timestamp| s.received_at.is_none_or(|received| at < received);
    let asked = s.supplements.iter().filter(|asked| not_received(asked.at));
    let mut pauses: Vec<_> = asked.map(|asked| (asked.at, asked.answered_at)).collect();
    for entry in s.ledger.iter().flat_map(Ledger::entries) {
        match (&entry.event, pauses.last_mut()) {
            (Event::Suspended { .. }, _) => pauses.push((entry.at, None)),
            (Event::Resumed { .. }, Some((_, until))) => *until = Some(entry.at),
            _ => {}
        }
    }
    // Nothing is awaited any more once the dossier has ended.
    if let (Some((_, until @ None)), Some(ended)) = (pauses.last_mut(), s.ended_at) {
        *until = Some(ended);
    }
    pauses
}

impl Dossiers {
    /// What figures need of dossiers, as they are now, in no order; those that do not exist are left out. For jobs of the
    /// platform.
    ///
    /// # Errors
    /// The database failed, or one of them has no package: ours to mend.
    pub async fn figures_of(&self, ids: &[DossierId]) -> Result<Vec<DossierFigures>> {
        let kept = tables::by_ids(&self.store().read(), ids).await?;
        let calendar = self.calendar();
        let mut figures = Vec::with_capacity(kept.len());
        for dossier in &kept {
            let package = self.shelf().by_hash(&dossier.package).await?;
            figures.push(DossierFigures::of(
                dossier.id,
                &dossier.state,
                &package.meta.field,
                &calendar,
            ));
        }
        Ok(figures)
    }

    /// The ids of dossiers after `after`, in order, a page at a time: for rebuilding figures.
    ///
    /// # Errors
    /// The database failed.
    pub async fn ids_after(&self, after: Option<DossierId>, limit: u32) -> Result<Vec<DossierId>> {
        tables::ids_after(&self.store().read(), after, limit).await
    }
}
