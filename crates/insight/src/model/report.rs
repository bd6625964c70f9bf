//! Answers to questions.

use std::ops::AddAssign;

use base::{Text, Timestamp};

use super::{Counts, Measure, WORKING_DAY, percent};

/// How things stand at the moment of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// Filed, not yet received.
    pub waiting: i64,
    /// In progress.
    pub in_progress: i64,
    /// Paused.
    pub paused: i64,
    /// Overdue.
    pub overdue: i64,
}

/// What had not ended at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stock {
    /// Received, and neither ended nor paused.
    pub in_progress: i64,
    /// Paused.
    pub paused: i64,
}

impl AddAssign for Stock {
    fn add_assign(&mut self, other: Self) {
        self.in_progress += other.in_progress;
        self.paused += other.paused;
    }
}

/// One line of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// `2026-11`, the code of an agency, of a field or of a procedure; empty for the whole.
    pub key: String,
    /// Its name.
    pub name: Text,
    /// Counters of the period.
    pub counts: Counts,
    /// Overdue and neither ended nor paused at the end of the period, or now if that is earlier.
    pub unfinished_late: i64,
    /// What stood at the end of the period, or stands now if that is earlier. None for a month to come, and until all figures
    /// are made anew where some are from before this was kept.
    pub end: Option<Stock>,
    /// Median duration of what was decided, working minutes.
    pub median: Option<f64>,
    /// How things stand now; none in the line of a month that is not the present one.
    pub now: Option<Standing>,
}

impl Line {
    pub(crate) fn new(key: String, name: Text) -> Self {
        Self {
            key,
            name,
            counts: Counts::default(),
            unfinished_late: 0,
            end: None,
            median: None,
            now: None,
        }
    }

    pub(crate) fn now_mut(&mut self) -> &mut Standing {
        self.now.get_or_insert_default()
    }

    /// Whether nothing happened in the period and nothing stood at its end.
    pub(crate) fn is_idle(&self) -> bool {
        self.counts.is_zero() && self.end.unwrap_or_default() == Stock::default()
    }

    /// Decided in time, percent of what was decided or was overdue at the end of the period (Decision 766/QĐ-TTg, 2.1).
    pub fn on_time_percent(&self) -> Option<f64> {
        let good = self.counts.get(Measure::Early) + self.counts.get(Measure::OnTime);
        percent(good, self.counts.solved() + self.unfinished_late)
    }

    /// Received online, percent of what was received.
    pub fn online_percent(&self) -> Option<f64> {
        percent(self.counts.get(Measure::Online), self.counts.get(Measure::Received))
    }

    /// Mean duration, working days of eight hours.
    pub fn mean_days(&self) -> Option<f64> {
        let timed = self.counts.get(Measure::Timed);
        (timed > 0).then(|| self.counts.get(Measure::Minutes) as f64 / timed as f64 / WORKING_DAY as f64)
    }

    /// Median duration, working days of eight hours.
    pub fn median_days(&self) -> Option<f64> {
        self.median.map(|minutes| minutes / WORKING_DAY as f64)
    }
}

/// The answer to a [`super::Question`].
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// All lines together.
    pub total: Line,
    /// The lines, by key.
    pub lines: Vec<Line>,
    /// When the figures last changed.
    pub updated_at: Option<Timestamp>,
    /// Whether there are more overdue dossiers than were looked at.
    pub overdue_cut: bool,
}

/// The two level-4 figures of a service.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceLine {
    /// Code.
    pub procedure: String,
    /// Name.
    pub name: Text,
    /// People who filed online.
    pub online_people: i64,
    /// People who filed otherwise.
    pub offline_people: i64,
    /// Received.
    pub received: i64,
    /// Of these, online.
    pub online: i64,
    /// Answers of these dossiers that a registry should give.
    pub held: i64,
    /// Of these, those that people had to type all the same.
    pub asked_again: i64,
}

impl ServiceLine {
    /// Online people for each other one; none where nobody filed otherwise.
    pub fn ratio(&self) -> Option<f64> {
        (self.offline_people > 0)
            .then(|| (self.online_people as f64 * 100.0 / self.offline_people as f64).round() / 100.0)
    }

    /// Share of dossiers received online, percent.
    pub fn online_percent(&self) -> Option<f64> {
        percent(self.online, self.received)
    }

    /// Of the answers that a registry should give, those that people had to type, percent.
    pub fn asked_again_percent(&self) -> Option<f64> {
        percent(self.asked_again, self.held)
    }
}
