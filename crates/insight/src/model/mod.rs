//! What is counted and how. The rules are told to the public on `/publication/method`; keep both alike.

mod effect;
mod fact;
mod month;
mod pauses;
mod question;
mod report;

pub use self::{
    effect::{Change, Effect, Service, Shift, User},
    fact::Fact,
    month::Month,
    pauses::Pauses,
    question::{By, Question},
    report::{Line, Report, ServiceLine, Standing, Stock},
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
    /// Overdue and neither ended nor paused when the month ended, but ended since.
    CarriedLate,
    /// Decided in the month with a known duration.
    Timed,
    /// Their durations together, working minutes.
    Minutes,
    /// By how many more dossiers were in progress at the end of the month than at its beginning.
    InProgressChange,
    /// By how many more were paused.
    PausedChange,
    /// Answers of the dossiers received in the month that a registry should give.
    Held,
    /// Of these, those that people had to type all the same.
    AskedAgain,
}

impl Measure {
    /// All, in the order of [`Counts`].
    pub const ALL: [Self; 17] = [
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
        Self::InProgressChange,
        Self::PausedChange,
        Self::Held,
        Self::AskedAgain,
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
            Self::InProgressChange => "in_progress_change",
            Self::PausedChange => "paused_change",
            Self::Held => "held",
            Self::AskedAgain => "asked_again",
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
