//! What facts add to the counters, and the difference that new facts make.

use std::collections::BTreeMap;

use base::Timestamp;
use dossier::model::status::{Bucket, NationalStatus};
use uuid::Uuid;

use super::{BUCKET, Counts, Fact, LAST_BUCKET, Measure, Month};

/// A service of an agency.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Service {
    /// Code of the deciding agency.
    pub agency: String,
    /// Code of the field (lĩnh vực).
    pub field: String,
    /// National code of the procedure.
    pub procedure: String,
}

/// Someone who used a service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct User {
    /// Agency.
    pub agency: String,
    /// Procedure.
    pub procedure: String,
    /// In which year.
    pub year: i64,
    /// Whether online.
    pub online: bool,
    /// The pseudonym; nobody knows whether two dossiers without one are of the same person, so each counts as one.
    pub account: Option<Uuid>,
}

/// A fact that takes the place of an older one.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// The older one.
    pub old: Option<&'a Fact>,
    /// The new one.
    pub new: &'a Fact,
    /// When.
    pub at: Timestamp,
}

/// How many more dossiers of a service stand so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shift {
    /// Filed, not yet received.
    pub waiting: i64,
    /// In progress.
    pub in_progress: i64,
    /// Paused.
    pub paused: i64,
    /// When the last of them changed.
    pub at: Timestamp,
}

/// The difference that changes make, once for each counter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effect {
    /// Counters by service and month.
    pub figures: BTreeMap<(Service, Month), Counts>,
    /// Durations by service, month and class.
    pub durations: BTreeMap<(Service, Month, i64), i64>,
    /// How services stand; named here even where nothing changes.
    pub standing: BTreeMap<Service, Shift>,
    /// Dossiers of users.
    pub users: BTreeMap<User, i64>,
}

impl Effect {
    /// What changes come to together.
    pub fn of<'a>(changes: impl IntoIterator<Item = Change<'a>>) -> Self {
        let mut effect = Self::default();
        for Change { old, new, at } in changes {
            if let Some(old) = old {
                effect.count(old, -1, at);
            }
            effect.count(new, 1, at);
        }
        effect.figures.retain(|_, counts| !counts.is_zero());
        effect.durations.retain(|_, n| *n != 0);
        effect.users.retain(|_, n| *n != 0);
        effect
    }

    fn count(&mut self, fact: &Fact, sign: i64, at: Timestamp) {
        let service = Service {
            agency: fact.agency.clone(),
            field: fact.field.clone(),
            procedure: fact.procedure_code.clone(),
        };
        self.count_received(&service, fact, sign);
        self.count_ended(&service, fact, sign);
        self.count_stocks(&service, fact, sign);
        let standing = self.standing.entry(service).or_default();
        standing.at = standing.at.max(at);
        match fact.bucket() {
            Some(Bucket::Waiting) => standing.waiting += sign,
            Some(Bucket::InProgress) => standing.in_progress += sign,
            Some(Bucket::Paused) => standing.paused += sign,
            _ => {}
        }
    }

    fn count_received(&mut self, service: &Service, fact: &Fact, sign: i64) {
        let Some(received) = fact.received_at else { return };
        let counts = self.counts(service, received);
        counts.add(Measure::Received, sign);
        counts.add(Measure::Held, sign * fact.held);
        counts.add(Measure::AskedAgain, sign * fact.asked_again);
        counts.add(
            match fact.channel.as_str() {
                "online" => Measure::Online,
                "post" => Measure::Post,
                _ => Measure::Counter,
            },
            sign,
        );
        let user = User {
            agency: fact.agency.clone(),
            procedure: fact.procedure_code.clone(),
            year: month(received).year(),
            online: fact.channel == "online",
            account: fact.account,
        };
        *self.users.entry(user).or_default() += sign;
    }

    fn count_ended(&mut self, service: &Service, fact: &Fact, sign: i64) {
        let Some(ended) = fact.ended_at else { return };
        let counts = self.counts(service, ended);
        match fact.status() {
            Some(NationalStatus::NotReceived) => counts.add(Measure::Refused, sign),
            Some(NationalStatus::Withdrawn) => counts.add(Measure::Withdrawn, sign),
            Some(NationalStatus::Stopped) => counts.add(Measure::Stopped, sign),
            Some(NationalStatus::Decided | NationalStatus::Returned) => {
                counts.add(
                    match fact.outcome.as_deref() {
                        Some("early") => Measure::Early,
                        Some("late") => Measure::Late,
                        _ => Measure::OnTime,
                    },
                    sign,
                );
                if let Some(minutes) = fact.working_minutes.map(|m| m.max(0)) {
                    counts.add(Measure::Timed, sign);
                    counts.add(Measure::Minutes, sign * minutes);
                    let class = (service.clone(), month(ended), (minutes / BUCKET).min(LAST_BUCKET));
                    *self.durations.entry(class).or_default() += sign;
                }
            }
            _ => {}
        }
        // Overdue at the end of each month between the due date and the end, unless it was paused then: the report of that month
        // counted it late.
        if let (Some(due), Some(_)) = (fact.due_at, fact.received_at) {
            let months = (month(due).index()..month(ended).index()).take(600);
            for overdue in months.map(Month::from_index).filter(|m| !fact.pauses.last_over(*m)) {
                let counts = self.figures.entry((service.clone(), overdue)).or_default();
                counts.add(Measure::CarriedLate, sign);
            }
        }
    }

    /// A dossier is in progress from its reception to its end, but for its pauses. The month in which it begins to be so is
    /// one up, the month in which it ceases is one down: at the end of a month stand all changes up to then.
    fn count_stocks(&mut self, service: &Service, fact: &Fact, sign: i64) {
        let mut stood = |measure, n: i64, from: i64, until: Option<i64>| {
            self.counts(service, from).add(measure, n);
            if let Some(until) = until {
                self.counts(service, until).add(measure, -n);
            }
        };
        if let Some(received) = fact.received_at {
            stood(Measure::InProgressChange, sign, received, fact.ended_at);
        }
        for (from, until) in fact.pauses.each() {
            stood(Measure::PausedChange, sign, from, until);
            // Before its reception it was not in progress either.
            if fact.received_at.is_some_and(|received| received <= from) {
                stood(Measure::InProgressChange, -sign, from, until);
            }
        }
    }

    fn counts(&mut self, service: &Service, at: i64) -> &mut Counts {
        self.figures.entry((service.clone(), month(at))).or_default()
    }
}

fn month(at: i64) -> Month {
    Month::of(Timestamp::from_micros(at))
}
