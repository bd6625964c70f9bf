//! What figures keep of a dossier.

use ::store::{Row, sea_orm};
use base::{Timestamp, deadline::Outcome};
use dossier::{
    model::{
        action::Channel,
        status::{Bucket, NationalStatus},
    },
    service::DossierFigures,
};
use uuid::Uuid;

use super::Pauses;

/// A dossier as figures see it; instants in microseconds.
#[derive(Debug, Clone, PartialEq, Eq, Row)]
pub struct Fact {
    /// The dossier.
    pub dossier_id: Uuid,
    /// The entry of its log up to which this holds.
    pub seq: i64,
    /// Deciding agency.
    pub agency: String,
    /// Field.
    pub field: String,
    /// Procedure.
    pub procedure_code: String,
    /// `online`, `counter` or `post`.
    pub channel: String,
    /// Pseudonym of the applicant.
    pub account: Option<Uuid>,
    /// National status, 1 to 10.
    pub status: i64,
    /// Whether its clock runs.
    pub running: bool,
    /// Filed.
    pub submitted_at: i64,
    /// Received.
    pub received_at: Option<i64>,
    /// Due, as first appointed.
    pub original_due_at: Option<i64>,
    /// Due now.
    pub due_at: Option<i64>,
    /// Decided, refused, withdrawn or stopped.
    pub ended_at: Option<i64>,
    /// Handed over.
    pub delivered_at: Option<i64>,
    /// `early`, `on_time` or `late`; by the ledger of the dossier and the rule of two requests.
    pub outcome: Option<String>,
    /// Working minutes from reception to the end.
    pub working_minutes: Option<i64>,
    /// How often papers were asked for.
    pub supplements: i64,
    /// When papers or a payment were awaited.
    pub pauses: Pauses,
    /// Answers that a registry should give.
    pub held: i64,
    /// Of these, those that the person had to type.
    pub asked_again: i64,
}

impl Fact {
    /// The fact that a dossier amounts to.
    pub fn of(f: &DossierFigures) -> Self {
        let micros = |at: Option<Timestamp>| at.map(Timestamp::micros);
        // Decision 766/QĐ-TTg, working paper on formula 2.1: more than one request for papers is late.
        let outcome = f.outcome.map(|outcome| match outcome {
            _ if f.supplements > 1 => "late",
            Outcome::Early { .. } => "early",
            Outcome::OnTime => "on_time",
            Outcome::Late { .. } => "late",
        });
        Self {
            dossier_id: f.id.uuid(),
            seq: f.version,
            agency: f.agency.clone(),
            field: f.field.clone(),
            procedure_code: f.procedure.clone(),
            channel: match f.channel {
                Channel::Online => "online",
                Channel::Counter => "counter",
                Channel::Post => "post",
            }
            .to_owned(),
            account: f.account,
            status: i64::from(f.status.code()),
            running: f.ended_at.is_none() && f.status.bucket() == Bucket::InProgress,
            submitted_at: f.submitted_at.micros(),
            received_at: micros(f.received_at),
            original_due_at: micros(f.original_due_at),
            due_at: micros(f.due_at),
            ended_at: micros(f.ended_at),
            delivered_at: micros(f.delivered_at),
            outcome: outcome.map(str::to_owned),
            working_minutes: f.working_minutes,
            supplements: i64::try_from(f.supplements).unwrap_or(i64::MAX),
            pauses: Pauses::of(&f.pauses),
            held: i64::try_from(f.held).unwrap_or(i64::MAX),
            asked_again: i64::try_from(f.asked_again).unwrap_or(i64::MAX),
        }
    }

    /// The last instant that it knows of.
    pub fn latest(&self) -> Timestamp {
        let known = [self.received_at, self.ended_at, self.delivered_at];
        Timestamp::from_micros(known.into_iter().flatten().fold(self.submitted_at, i64::max))
    }

    /// How it stands; none once it has ended. Follows from the same instants as what stood at the end of a month, so that both
    /// always agree; for dossiers it is the bucket of their status.
    pub(super) fn bucket(&self) -> Option<Bucket> {
        if self.ended_at.is_some() {
            None
        } else if self.pauses.still_lasts() {
            Some(Bucket::Paused)
        } else if self.received_at.is_some() {
            Some(Bucket::InProgress)
        } else {
            Some(Bucket::Waiting)
        }
    }

    pub(super) fn status(&self) -> Option<NationalStatus> {
        u8::try_from(self.status)
            .ok()
            .and_then(|code| NationalStatus::try_from(code).ok())
    }
}
