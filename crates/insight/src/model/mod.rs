//! What is counted and how. The rules are told to the public on `/publication/method`; keep both alike.

mod fact;
mod month;
mod question;
mod report;

use std::collections::BTreeMap;

use base::Timestamp;
use dossier::model::status::{Bucket, NationalStatus};
use uuid::Uuid;

pub use self::{
    fact::Fact,
    month::Month,
    question::{By, Question},
    report::{Line, Report, ServiceLine, Standing},
};

/// Minutes of a working day: eight hours (Labour Code 45/2019/QH14, article 105).
pub const WORKING_DAY: i64 = 480;
/// Width of a class of durations, working minutes.
pub const BUCKET: i64 = 60;
/// All that took longer than about a working year is one class.
const LAST_BUCKET: i64 = 2_000;
/// Share of dossiers filed online that level 4 asks for, percent (Circular 01/2018/TT-VPCP, article 21).
pub const ONLINE_GOAL: f64 = 30.0;
/// Online users for each offline user that the reports hold services against.
pub const USERS_GOAL: f64 = 1.0;

/// A counter of one month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// Received (tiếp nhận) in the month.
    Received,
    /// Of these, online.
    Online,
    /// Of these, at the counter.
    Counter,
    /// Of these, by post.
    Post,
    /// Decided in the month before the day it was due (trước hạn).
    Early,
    /// Decided on the day it was due (đúng hạn).
    OnTime,
    /// Decided too late (quá hạn), or after more than one request for papers.
    Late,
    /// Refused at reception in the month.
    Refused,
    /// Withdrawn in the month.
    Withdrawn,
    /// Stopped in the month.
    Stopped,
    /// Overdue and not ended when the month ended, but ended since.
    CarriedLate,
    /// Decided in the month with a known duration.
    Timed,
    /// Their durations together, working minutes.
    Minutes,
}

impl Measure {
    /// All, in the order of [`Counts`].
    pub const ALL: [Self; 13] = [
        Self::Received,
        Self::Online,
        Self::Counter,
        Self::Post,
        Self::Early,
        Self::OnTime,
        Self::Late,
        Self::Refused,
        Self::Withdrawn,
        Self::Stopped,
        Self::CarriedLate,
        Self::Timed,
        Self::Minutes,
    ];

    /// The column.
    pub const fn column(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Online => "online",
            Self::Counter => "counter",
            Self::Post => "post",
            Self::Early => "early",
            Self::OnTime => "on_time",
            Self::Late => "late",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
            Self::Stopped => "stopped",
            Self::CarriedLate => "carried_late",
            Self::Timed => "timed",
            Self::Minutes => "minutes",
        }
    }
}

/// All counters of a month, or their differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts([i64; Measure::ALL.len()]);

impl Counts {
    /// One of them.
    pub const fn get(&self, measure: Measure) -> i64 {
        self.0[measure as usize]
    }

    /// Adds to one of them.
    pub const fn add(&mut self, measure: Measure, n: i64) {
        self.0[measure as usize] += n;
    }

    /// Adds all of another, `sign` times.
    pub fn merge(&mut self, other: &Self, sign: i64) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += sign * theirs;
        }
    }

    /// Whether nothing is counted.
    pub fn is_zero(&self) -> bool {
        self.0.iter().all(|n| *n == 0)
    }

    /// Decided, in time or not.
    pub const fn solved(&self) -> i64 {
        self.get(Measure::Early) + self.get(Measure::OnTime) + self.get(Measure::Late)
    }
}

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

/// What facts add to the counters, or the difference that a new fact makes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effect {
    /// Counters by service and month.
    pub figures: BTreeMap<(Service, Month), Counts>,
    /// Durations by service, month and class.
    pub durations: BTreeMap<(Service, Month, i64), i64>,
    /// Waiting, in progress, paused.
    pub standing: BTreeMap<Service, [i64; 3]>,
    /// Dossiers of users.
    pub users: BTreeMap<User, i64>,
}

impl Effect {
    /// What changes when `new` takes the place of `old`. Services are named in `standing` even where nothing changes there.
    pub fn change(old: Option<&Fact>, new: &Fact) -> Self {
        let mut effect = Self::default();
        if let Some(old) = old {
            effect.count(old, -1);
        }
        effect.count(new, 1);
        effect.figures.retain(|_, counts| !counts.is_zero());
        effect.durations.retain(|_, n| *n != 0);
        effect.users.retain(|_, n| *n != 0);
        effect
    }

    fn count(&mut self, fact: &Fact, sign: i64) {
        let service = Service {
            agency: fact.agency.clone(),
            field: fact.field.clone(),
            procedure: fact.procedure_code.clone(),
        };
        let month = |at: i64| Month::of(Timestamp::from_micros(at));
        let online = fact.channel == "online";
        if let Some(received) = fact.received_at.map(month) {
            let counts = self.figures.entry((service.clone(), received)).or_default();
            counts.add(Measure::Received, sign);
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
                year: received.year(),
                online,
                account: fact.account,
            };
            *self.users.entry(user).or_default() += sign;
        }
        let status = fact.status();
        if let Some(ended) = fact.ended_at.map(month) {
            let counts = self.figures.entry((service.clone(), ended)).or_default();
            match status {
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
                        let bucket = (minutes / BUCKET).min(LAST_BUCKET);
                        *self.durations.entry((service.clone(), ended, bucket)).or_default() += sign;
                    }
                }
                _ => {}
            }
            // Overdue at the end of each month between the due date and the end: the report of that month counted it late.
            if let (Some(due), Some(_)) = (fact.due_at.map(month), fact.received_at) {
                for overdue in (due.index()..ended.index()).take(600).map(Month::from_index) {
                    let counts = self.figures.entry((service.clone(), overdue)).or_default();
                    counts.add(Measure::CarriedLate, sign);
                }
            }
        }
        let standing = self.standing.entry(service).or_default();
        if fact.ended_at.is_none() {
            match status.map(NationalStatus::bucket) {
                Some(Bucket::Waiting) => standing[0] += sign,
                Some(Bucket::InProgress) => standing[1] += sign,
                Some(Bucket::Paused) => standing[2] += sign,
                _ => {}
            }
        }
    }
}

/// The median of classes `(class, how many)` in ascending order, working minutes. Within a class dossiers are taken to lie evenly,
/// so it errs by less than one [`BUCKET`].
pub fn median(classes: &[(i64, i64)]) -> Option<f64> {
    let total: i64 = classes.iter().map(|(_, n)| n).sum();
    if total <= 0 {
        return None;
    }
    let half = total as f64 / 2.0;
    let mut below = 0.0;
    for &(class, n) in classes.iter().filter(|(_, n)| *n > 0) {
        let n = n as f64;
        if below + n >= half {
            return Some((class as f64 + (half - below) / n) * BUCKET as f64);
        }
        below += n;
    }
    None
}

/// `part` of `whole` in percent, to two decimals; none of nothing is no figure.
pub fn percent(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| (part as f64 * 10_000.0 / whole as f64).round() / 100.0)
}
