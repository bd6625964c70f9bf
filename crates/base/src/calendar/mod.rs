//! The working-day calendar (lịch làm việc): a versioned table of days off and make-up working days, never a formula, because
//! the Government swaps working days by decision.
//!
//! [`CalendarData`] is what a file says; [`Calendar`] is that, checked and compiled so that every question costs a look-up or one
//! binary search whatever the distance.

mod data;
mod days;
mod table;

pub use data::{CalendarData, DayOff, FixedDay, HalfDay, Hours, Interval, MakeUpDay, OffDay, OffReason, Status};
use jiff::civil::{Date, Time};

use crate::{refusal::Problems, time::Timestamp};
use days::{DAY, DayNumber, day_number, split};
use table::{Cell, Table};

/// A compiled calendar. Cheap to ask; build it once for each version.
#[derive(Debug, Clone)]
pub struct Calendar {
    data: CalendarData,
    table: Table,
    /// Dates whose row awaits its decision.
    expected: Vec<Date>,
}

/// What a day is, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayKind<'a> {
    /// A working day as any other.
    Working,
    /// A day of weekly rest (ngày nghỉ hằng tuần).
    WeeklyRest,
    /// A holiday, a day off in place of one, or a working day that was moved elsewhere.
    Holiday(&'a DayOff),
    /// A day of weekly rest on which work is made up (ngày làm bù).
    MakeUpWorking(&'a MakeUpDay),
    /// A working day with hours of its own.
    HalfDay(&'a HalfDay),
}

/// One day, explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day<'a> {
    /// The date.
    pub date: Date,
    /// What it is.
    pub kind: DayKind<'a>,
    /// Whether a later decision may well change it: the year is not loaded, or the row is only expected.
    pub uncertain: bool,
}

impl Day<'_> {
    /// Whether work is done on it.
    pub const fn is_working(&self) -> bool {
        !matches!(self.kind, DayKind::WeeklyRest | DayKind::Holiday(_))
    }
}

impl Calendar {
    /// Compiles a calendar.
    ///
    /// # Errors
    /// Everything that is wrong with the data, each at its row.
    pub fn new(data: CalendarData) -> Result<Self, Problems> {
        data.check()?;
        let table = Table::new(&data);
        let expected = data
            .off
            .iter()
            .filter(|row| row.day.status == Status::Expected)
            .map(|row| row.date)
            .collect();
        Ok(Self { data, table, expected })
    }

    /// What the calendar was made from.
    pub const fn data(&self) -> &CalendarData {
        &self.data
    }

    /// The version, which a deadline ledger records.
    pub fn version(&self) -> &str {
        &self.data.version
    }

    /// Whether the year of the date is one that the calendar was published for. Other years are answered by weekly rest and the
    /// fixed holidays alone.
    pub fn covers(&self, date: Date) -> bool {
        (self.data.first_year..=self.data.last_year).contains(&date.year())
    }

    /// Whether a decision still to come may change a count over these days: one is outside the loaded years, or has a row that
    /// is only expected.
    pub fn is_uncertain(&self, from: Date, to: Date) -> bool {
        !self.covers(from) || !self.covers(to) || self.expected.iter().any(|date| (from..=to).contains(date))
    }

    /// What a day is, and why.
    pub fn explain_day(&self, date: Date) -> Day<'_> {
        let kind = match self.table.cell(&self.data, day_number(date)) {
            Cell::Working => DayKind::Working,
            Cell::Rest => DayKind::WeeklyRest,
            Cell::Off(n) => self
                .data
                .off
                .get(usize::from(n))
                .map_or(DayKind::WeeklyRest, |row| DayKind::Holiday(&row.day)),
            Cell::Fixed(n) => self
                .data
                .fixed
                .get(usize::from(n))
                .map_or(DayKind::WeeklyRest, |row| DayKind::Holiday(&row.off)),
            Cell::MakeUp(n) => self
                .data
                .make_up
                .get(usize::from(n))
                .map_or(DayKind::Working, DayKind::MakeUpWorking),
            Cell::Half(n) => self
                .data
                .half_days
                .get(usize::from(n))
                .map_or(DayKind::Working, DayKind::HalfDay),
        };
        let expected = match kind {
            DayKind::Holiday(day) => day.status == Status::Expected,
            _ => false,
        };
        Day {
            date,
            kind,
            uncertain: expected || !self.covers(date),
        }
    }

    /// Whether work is done on a date.
    pub fn is_working_day(&self, date: Date) -> bool {
        self.works(day_number(date))
    }

    /// The first working day after a date.
    pub fn next_working_day(&self, date: Date) -> Date {
        self.add_working_days(date, 1)
    }

    /// The date itself where it is a working day, else the next one.
    pub fn on_or_after(&self, date: Date) -> Date {
        if self.is_working_day(date) {
            date
        } else {
            self.next_working_day(date)
        }
    }

    /// The `n`th working day after a date; the date itself, working or not, for 0. Held at the end of year 2599.
    pub fn add_working_days(&self, from: Date, n: u32) -> Date {
        if n == 0 {
            return from;
        }
        let day = day_number(from);
        let before = self.table.days_before(&self.data, day) + i64::from(self.works(day));
        days::date_of(self.table.nth_working_day(&self.data, before + i64::from(n) - 1)).max(from)
    }

    /// How many working days are after `from` and not after `to`; negative where `to` is before `from`.
    pub fn working_days_between(&self, from: Date, to: Date) -> i64 {
        let until = |date: Date| self.table.days_before(&self.data, day_number(date) + 1);
        until(to) - until(from)
    }

    /// The hours worked on a date, in order; none on a day off.
    pub fn hours_on(&self, date: Date) -> &[Interval] {
        self.intervals(day_number(date))
    }

    /// The instant at which work ends on a date, if any is done.
    pub fn end_of_work(&self, date: Date) -> Option<Timestamp> {
        self.hours_on(date).last().map(|hours| at(date, hours.to))
    }

    /// The instant at which work begins on a date, if any is done.
    pub fn start_of_work(&self, date: Date) -> Option<Timestamp> {
        self.hours_on(date).first().map(|hours| at(date, hours.from))
    }

    /// The first instant at which `minutes` of working time have passed since `from`; `from` itself for 0.
    pub fn add_working_time(&self, from: Timestamp, minutes: u32) -> Timestamp {
        self.add_working_micros(from, i64::from(minutes) * MINUTE)
    }

    /// Whole minutes of working time from `a` to `b`; negative where `b` is earlier.
    pub fn working_minutes_between(&self, a: Timestamp, b: Timestamp) -> i64 {
        self.working_micros_between(a, b) / MINUTE
    }

    /// As [`Self::add_working_time`], in microseconds; nothing is added for a negative number.
    pub fn add_working_micros(&self, from: Timestamp, micros: i64) -> Timestamp {
        if micros <= 0 {
            return from;
        }
        let target = self.worked_until(from).saturating_add(micros);
        self.when_worked(target).max(from)
    }

    /// The instant before `until` from which `micros` of working time are left until then: of the end of one stretch of work
    /// and the start of the next, the end. The last instant of work not after `until` where nothing is taken off.
    pub fn sub_working_micros(&self, until: Timestamp, micros: i64) -> Timestamp {
        let target = self.worked_until(until).saturating_sub(micros.max(0));
        self.when_worked(target).min(until)
    }

    /// `days` working days before `until`, at the same time of the day where work is done then, else when it last was.
    pub fn sub_working_days(&self, until: Timestamp, days: u32) -> Timestamp {
        let (day, time) = split(until);
        let before = self.table.days_before(&self.data, day) - i64::from(days);
        let earlier = match days {
            0 => day,
            _ => self.table.nth_working_day(&self.data, before),
        };
        self.sub_working_micros(days::instant(earlier, time), 0)
    }

    /// The first instant at which so much work is done since the origin of the table.
    fn when_worked(&self, target: i64) -> Timestamp {
        let (day, before) = self.table.day_of_work(&self.data, target);
        let mut left = target - before;
        for hours in self.intervals(day) {
            let length = days::micros_of(hours.to) - days::micros_of(hours.from);
            if left <= length {
                return days::instant(day, days::micros_of(hours.from) + left);
            }
            left -= length;
        }
        days::instant(day, DAY - 1)
    }

    /// As [`Self::working_minutes_between`], in microseconds.
    pub fn working_micros_between(&self, a: Timestamp, b: Timestamp) -> i64 {
        self.worked_until(b) - self.worked_until(a)
    }

    /// Working time from the origin of the table to an instant.
    fn worked_until(&self, at: Timestamp) -> i64 {
        let (day, time) = split(at);
        let today: i64 = self
            .intervals(day)
            .iter()
            .map(|hours| {
                let (from, to) = (days::micros_of(hours.from), days::micros_of(hours.to));
                time.clamp(from, to) - from
            })
            .sum();
        self.table.micros_before(&self.data, day) + today
    }

    fn works(&self, day: DayNumber) -> bool {
        self.table.cell(&self.data, day).works()
    }

    fn intervals(&self, day: DayNumber) -> &[Interval] {
        self.data.intervals(self.table.cell(&self.data, day))
    }
}

/// Microseconds in a minute.
const MINUTE: i64 = 60_000_000;

fn at(date: Date, time: Time) -> Timestamp {
    Timestamp::from_legal(date.to_datetime(time))
}

#[cfg(test)]
mod tests;
