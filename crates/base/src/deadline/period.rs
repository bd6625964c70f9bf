//! The arithmetic of one period: where it ends when it starts at an instant, and what is left of it when it is stopped.

use jiff::{ToSpan as _, civil::Date};

use super::{Appointment, BrokenMonth, Budget, DayEnd, Ledger, Rules, Unit};
use crate::{calendar::Calendar, time::Timestamp};

/// What is left to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    WorkingDays(u32),
    /// Microseconds of working time.
    WorkingTime(i64),
    Days(u32),
    /// Microseconds of the clock.
    Time(i64),
    /// Whole months, not yet broken, and the days that they come to once broken.
    Months {
        months: u32,
        days: u32,
    },
    /// An appointed date.
    Until(Appointment),
    /// The period ended at this instant before it could be stopped.
    Passed(Timestamp),
}

impl Left {
    pub const fn of(budget: &Budget) -> Self {
        let qty = budget.qty;
        if qty == 0 {
            return Self::WorkingDays(0);
        }
        match budget.unit {
            Unit::WorkingDay => Self::WorkingDays(qty),
            Unit::WorkingHour => Self::WorkingTime(qty as i64 * HOUR),
            Unit::Day => Self::Days(qty),
            Unit::Hour => Self::Time(qty as i64 * HOUR),
            Unit::Week => Self::Days(qty * 7),
            Unit::Month => Self::Months {
                months: qty,
                days: qty * 30,
            },
            Unit::Year => Self::Months {
                months: qty * 12,
                days: qty * 365,
            },
        }
    }
}

const HOUR: i64 = 3_600_000_000;

/// Why a period started later than the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delay {
    /// After the cutoff.
    Cutoff,
    /// On a day on which no work is done.
    DayOff,
}

/// A period laid on the calendar from one start.
#[derive(Debug, Clone, Copy)]
pub struct Laid {
    pub left: Left,
    pub from: Timestamp,
    pub delay: Option<Delay>,
    /// The day of the event, after any delay.
    pub start: Date,
    /// Counting begins on the day after this one.
    pub anchor: Date,
    /// Where the count ends, before it gives way to a working day.
    pub counted_to: Date,
    pub due: Timestamp,
}

/// Lays what is left on the calendar from `from`. `stopped` is the day on which it was stopped before, whose time is spent.
pub fn lay(left: Left, from: Timestamp, stopped: Option<Date>, rules: &Rules, calendar: &Calendar) -> Laid {
    let (start, delay) = start_day(left, from, rules, calendar);
    let anchor = if rules.exclude_first_day { start } else { before(start) };
    let anchor = stopped.map_or(anchor, |day| anchor.max(day));
    let mut laid = Laid {
        left,
        from,
        delay,
        start,
        anchor,
        counted_to: start,
        due: from,
    };
    let days = match left {
        Left::WorkingDays(n) => calendar.add_working_days(anchor, n),
        Left::Days(n) => after(anchor, n),
        Left::Months { months, .. } => end_of_months(start, anchor, months, rules.exclude_first_day),
        Left::Until(Appointment::Day(date)) => date,
        Left::WorkingTime(micros) => {
            let begin = delay.and_then(|_| calendar.start_of_work(start)).unwrap_or(from);
            return laid.ending(calendar.add_working_micros(begin, micros));
        }
        Left::Time(micros) => return laid.ending(from.plus_micros(micros)),
        Left::Until(Appointment::Instant(at)) | Left::Passed(at) => return laid.ending(at),
    };
    // Nothing left, or little, can never mean a date before the clock was started.
    laid.counted_to = if matches!(left, Left::Until(_)) {
        days
    } else {
        days.max(start)
    };
    let working = matches!(left, Left::WorkingDays(_) | Left::Until(_));
    let end = Ledger::day_end(rules, working);
    let mut last = laid.counted_to;
    if rules.roll_to_working_day {
        last = calendar.on_or_after(last);
    }
    laid.due = end_of_day(last, end, calendar);
    if laid.due < from {
        laid.due = end_of_day(calendar.next_working_day(last), end, calendar);
    }
    laid
}

impl Laid {
    fn ending(mut self, due: Timestamp) -> Self {
        self.due = due;
        self.counted_to = due.legal_date();
        self
    }

    /// What is left when the clock is stopped at `at`. The day of the stop is spent.
    pub fn stop(&self, at: Timestamp, rules: &Rules, calendar: &Calendar) -> Left {
        if at > self.due {
            return Left::Passed(self.due);
        }
        let day = at.legal_date().max(self.anchor);
        let days_to = |to: Date| u32::try_from(days_between(day, to)).unwrap_or(0);
        let working_to = |to: Date| u32::try_from(calendar.working_days_between(day, to)).unwrap_or(0);
        match self.left {
            Left::WorkingDays(n) => Left::WorkingDays(working_to(self.counted_to).min(n)),
            Left::Days(n) => Left::Days(days_to(self.counted_to).min(n)),
            Left::Months { days, .. } => match rules.broken_month {
                BrokenMonth::CalendarDays => Left::Days(days_to(self.counted_to)),
                BrokenMonth::ThirtyDays => {
                    let spent = u32::try_from(days_between(self.anchor, day)).unwrap_or(0);
                    Left::Days(days.saturating_sub(spent))
                }
            },
            Left::WorkingTime(micros) => {
                Left::WorkingTime(calendar.working_micros_between(at, self.due).clamp(0, micros))
            }
            Left::Time(micros) => Left::Time((self.due.micros() - at.micros()).clamp(0, micros)),
            Left::Until(Appointment::Day(date)) => Left::WorkingDays(working_to(date)),
            Left::Until(Appointment::Instant(_)) => {
                Left::WorkingTime(calendar.working_micros_between(at, self.due).max(0))
            }
            Left::Passed(due) => Left::Passed(due),
        }
    }
}

/// The day of the event, moved where the rules move it.
fn start_day(left: Left, from: Timestamp, rules: &Rules, calendar: &Calendar) -> (Date, Option<Delay>) {
    let date = from.legal_date();
    let moved = match left {
        Left::WorkingDays(_) | Left::WorkingTime(_) => true,
        Left::Days(_) | Left::Months { .. } => rules.cutoff_for_calendar_periods,
        Left::Time(_) | Left::Until(_) | Left::Passed(_) => false,
    };
    let Some(cutoff) = rules.cutoff.as_ref().filter(|_| moved) else {
        // Without a cutoff a day off still cannot be the day on which work is begun.
        let off = moved && !calendar.is_working_day(date);
        return if off {
            (calendar.next_working_day(date), Some(Delay::DayOff))
        } else {
            (date, None)
        };
    };
    if !calendar.is_working_day(date) {
        return (calendar.next_working_day(date), Some(Delay::DayOff));
    }
    let ended = calendar.end_of_work(date).is_some_and(|end| from > end);
    if from.legal().time() > cutoff.after || ended {
        return (calendar.next_working_day(date), Some(Delay::Cutoff));
    }
    (date, None)
}

/// The same number of day `months` later, or the last of that month: Civil Code art. 148.3. Where the first day counts, the
/// period ends on the day before.
fn end_of_months(start: Date, anchor: Date, months: u32, exclude_first: bool) -> Date {
    let months = i64::from(months).months();
    if exclude_first {
        return anchor.saturating_add(months);
    }
    let same = start.saturating_add(months);
    if same.day() == start.day() { before(same) } else { same }
}

fn end_of_day(date: Date, end: DayEnd, calendar: &Calendar) -> Timestamp {
    let midnight = || Timestamp::from_legal(date.at(23, 59, 59, 999_999_000));
    match end {
        DayEnd::Midnight => midnight(),
        DayEnd::WorkingHours => calendar.end_of_work(date).unwrap_or_else(midnight),
    }
}

pub fn before(date: Date) -> Date {
    date.yesterday().unwrap_or(date)
}

pub fn after(date: Date, days: u32) -> Date {
    date.saturating_add(i64::from(days).days())
}

pub fn days_between(from: Date, to: Date) -> i64 {
    to.duration_since(from).as_secs() / 86_400
}
