//! The deadline ledger (sổ thời hạn): a budget, an append-only list of what happened to it, and the version of the calendar. The
//! due date is never stored: [`Ledger::due`] derives it and [`Ledger::explain`] says why, line by line, in both languages.
//!
//! Rules: Civil Code 91/2015/QH13 arts 144-148; one-stop rules of Decree 61/2018/NĐ-CP arts 18-19, carried on under Decree
//! 118/2025/NĐ-CP. Where the law leaves room, [`Rules`] has a field for it.

mod due;
mod explain;
mod ledger;
mod period;

pub use due::{Due, Outcome, State, Status};
pub use explain::{Line, LineKind};
use jiff::civil::{Date, Time};
pub use ledger::Ledger;
use serde::{Deserialize, Serialize};

use crate::{
    lang::Text,
    refusal::{Error, Problems, Result},
    time::Timestamp,
};

/// What a period is counted in: the units of the national catalogue of procedures and of the Civil Code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Days on which work is done (ngày làm việc).
    WorkingDay,
    /// Hours of working time (giờ làm việc).
    WorkingHour,
    /// Days of the calendar (ngày).
    Day,
    /// Hours of the clock (giờ).
    Hour,
    /// Weeks (tuần).
    Week,
    /// Months (tháng), to the same number of day or the last day of the month: Civil Code art. 148.3.
    Month,
    /// Years (năm): Civil Code art. 148.4.
    Year,
}

impl Unit {
    /// Whether only working time counts.
    pub const fn is_working(self) -> bool {
        matches!(self, Self::WorkingDay | Self::WorkingHour)
    }

    /// The most of this unit that a budget may have: about a hundred years.
    const fn most(self) -> u32 {
        match self {
            Self::WorkingDay => 25_000,
            Self::WorkingHour => 200_000,
            Self::Day => 36_500,
            Self::Hour => 876_000,
            Self::Week => 5_200,
            Self::Month => 1_200,
            Self::Year => 100,
        }
    }
}

/// How long something may take. A quantity of 0 means the same working day, in every unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// How many.
    pub qty: u32,
    /// Of what.
    pub unit: Unit,
    /// The law or decision that gives it.
    #[serde(default)]
    pub basis: Text,
}

impl Budget {
    /// A budget with its legal basis.
    pub const fn new(qty: u32, unit: Unit, basis: Text) -> Self {
        Self { qty, unit, basis }
    }

    /// The length in words: `20 ngày làm việc`, `20 working days`.
    pub fn text(&self) -> Text {
        explain::words::quantity(self.qty, self.unit)
    }

    fn check(&self, found: &mut Problems) {
        let most = self.unit.most();
        if self.qty > most {
            let limit = explain::words::quantity(most, self.unit);
            found.add(
                "too-long",
                "budget",
                format!("Thời hạn không được dài quá {}.", limit.vi),
                format!("The period may not be longer than {}.", limit.en),
            );
        }
    }
}

/// The time of the day at which a period ends on its last day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DayEnd {
    /// The end of working hours; of the day where no work is done on it.
    WorkingHours,
    /// The last microsecond before 24:00 (Civil Code art. 148.6), so that the date of the instant is the last day.
    Midnight,
}

/// How the parts of a broken month or year are added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BrokenMonth {
    /// A month is 30 days and a year 365 (Civil Code art. 146.1, for periods that do not run on without a break).
    ThirtyDays,
    /// The days that were left on the calendar when the period was broken.
    CalendarDays,
}

/// From what time of the day on a dossier counts as received on the next working day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cutoff {
    /// Later than this; at this time exactly is still in time.
    pub after: Time,
    /// The law or decision.
    pub basis: Text,
}

impl Default for Cutoff {
    /// 15:00, Decree 61/2018/NĐ-CP art. 18.
    fn default() -> Self {
        Self {
            after: Time::constant(15, 0, 0, 0),
            basis: Text::new("Nghị định 61/2018/NĐ-CP, Điều 18", "Decree 61/2018/NĐ-CP, Article 18"),
        }
    }
}

/// How periods are counted. The default is the reading of the law that the module documentation names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rules {
    /// Reception late in the day counts from the next working day. Applies to working days and hours, and to same-day budgets.
    pub cutoff: Option<Cutoff>,
    /// Whether the cutoff also moves the start of periods in days, weeks, months and years.
    pub cutoff_for_calendar_periods: bool,
    /// The day of the event is not counted (Civil Code art. 147.2 and 147.3).
    pub exclude_first_day: bool,
    /// A last day on which no work is done gives way to the next working day (Civil Code art. 148.5).
    pub roll_to_working_day: bool,
    /// When a period in working days ends on its last day.
    pub working_day_end: DayEnd,
    /// When a period in days, weeks, months or years ends on its last day.
    pub calendar_day_end: DayEnd,
    /// How a suspended period in months or years goes on.
    pub broken_month: BrokenMonth,
    /// How often a new date may be appointed (Decree 61/2018/NĐ-CP art. 19: once).
    pub max_reappointments: u32,
    /// A deadline is soon when no more than this many minutes of working time are left.
    pub due_soon_minutes: u32,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            cutoff: Some(Cutoff::default()),
            cutoff_for_calendar_periods: false,
            exclude_first_day: true,
            roll_to_working_day: true,
            working_day_end: DayEnd::WorkingHours,
            calendar_day_end: DayEnd::Midnight,
            broken_month: BrokenMonth::ThirtyDays,
            max_reappointments: 1,
            due_soon_minutes: 450,
        }
    }
}

/// A new date for the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Appointment {
    /// Within the working hours of a date.
    Day(Date),
    /// At an instant.
    Instant(Timestamp),
}

/// What happened to the period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The complete dossier was received; the first entry of every ledger.
    Received,
    /// The clock was stopped, which takes a document.
    Suspended {
        /// Why, for the applicant to read.
        reason: Text,
    },
    /// The clock was started again.
    Resumed {
        /// From zero, as after completion of the papers (Decree 61/2018/NĐ-CP art. 19); else with what was left.
        restart: bool,
    },
    /// A new date was appointed, with an apology.
    ReappointedTo {
        /// The new date.
        due: Appointment,
    },
    /// Another period applies, counted from the same start with the same suspensions.
    BudgetChanged {
        /// The new period.
        budget: Budget,
    },
    /// The result was ready, or the dossier ended otherwise.
    Closed,
}

/// One entry of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// The number of the document that permits it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// The legal ground.
    #[serde(default)]
    pub basis: Text,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

impl Entry {
    /// An entry without document and basis.
    pub fn new(at: Timestamp, event: Event) -> Self {
        Self {
            at,
            document: None,
            basis: Text::default(),
            event,
        }
    }

    /// With the number of its document.
    #[must_use]
    pub fn document(mut self, number: impl Into<String>) -> Self {
        self.document = Some(number.into());
        self
    }

    /// With its legal ground.
    #[must_use]
    pub fn basis(mut self, basis: Text) -> Self {
        self.basis = basis;
        self
    }
}

/// All problems as one refusal: a conflict where the ledger has moved on, else invalid input.
fn refuse(found: Problems, conflict: bool) -> Result<()> {
    match found.into_result() {
        Err(Error::Refused(_, found)) if conflict => Err(Error::Refused(crate::refusal::Kind::Conflict, found)),
        other => other,
    }
}
