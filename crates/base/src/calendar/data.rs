//! What a calendar file says, and what it may not say.

use std::collections::BTreeMap;

use jiff::civil::{Date, Time, Weekday};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{days, table::Cell};
use crate::{lang::Text, refusal::Problems};

/// A calendar as its file gives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarData {
    /// The version; a new decision makes a new version, and ledgers record which they were counted by.
    pub version: String,
    /// What it is the calendar of.
    pub name: Text,
    /// The law and the decisions that it is made from.
    pub source: String,
    /// The first year for which every day is in the table.
    pub first_year: i16,
    /// The last such year.
    pub last_year: i16,
    /// The days of weekly rest.
    #[serde(deserialize_with = "read_weekdays", serialize_with = "write_weekdays")]
    pub rest_days: Vec<Weekday>,
    /// The hours of a working day.
    pub hours: Hours,
    /// Holidays on the same date each year, for years outside the table.
    #[serde(default)]
    pub fixed: Vec<FixedDay>,
    /// Days off in the years of the table.
    #[serde(default)]
    pub off: Vec<OffDay>,
    /// Days of weekly rest on which work is made up.
    #[serde(default)]
    pub make_up: Vec<MakeUpDay>,
    /// Working days with hours of their own.
    #[serde(default)]
    pub half_days: Vec<HalfDay>,
}

/// Working hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// In order, apart from each other.
    pub intervals: Vec<Interval>,
}

impl Default for Hours {
    /// 07:30-11:30 and 13:30-17:00.
    fn default() -> Self {
        let interval = |from: (i8, i8), to: (i8, i8)| Interval {
            from: Time::constant(from.0, from.1, 0, 0),
            to: Time::constant(to.0, to.1, 0, 0),
        };
        Self {
            intervals: vec![interval((7, 30), (11, 30)), interval((13, 30), (17, 0))],
        }
    }
}

/// From one time of the day to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// Work begins, to the minute.
    pub from: Time,
    /// Work ends, to the minute.
    pub to: Time,
}

/// Why no work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OffReason {
    /// A holiday of the law (nghỉ lễ, tết).
    #[default]
    Holiday,
    /// In place of a holiday on a day of weekly rest (nghỉ bù).
    Compensatory,
    /// A working day moved to a make-up day (hoán đổi).
    Swap,
}

/// How sure a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// By law or by a decision that was issued.
    #[default]
    Decided,
    /// The decision is still to come.
    Expected,
}

/// Why a day is off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayOff {
    /// What it is called.
    pub name: Text,
    /// Why no work is done.
    #[serde(default)]
    pub reason: OffReason,
    /// How sure it is.
    #[serde(default)]
    pub status: Status,
    /// The law or decision.
    pub source: String,
}

/// One day off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OffDay {
    /// The date.
    pub date: Date,
    /// Why.
    #[serde(flatten)]
    pub day: DayOff,
}

/// A day off on the same date each year.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FixedDay {
    /// 1 to 12.
    pub month: i8,
    /// The day of the month.
    pub day: i8,
    /// The first year of which the law speaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_year: Option<i16>,
    /// Why.
    #[serde(flatten)]
    pub off: DayOff,
}

/// A day of weekly rest on which work is made up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MakeUpDay {
    /// The date.
    pub date: Date,
    /// The working day that was moved here.
    pub in_place_of: Date,
    /// The decision.
    pub source: String,
}

/// A working day with hours of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HalfDay {
    /// The date, which may be a day of weekly rest.
    pub date: Date,
    /// The hours of that day.
    pub intervals: Vec<Interval>,
    /// What it is called.
    pub name: Text,
    /// The decision.
    pub source: String,
}

impl FixedDay {
    /// Whether the law speaks of it in a year.
    pub(super) fn holds_in(&self, year: i16) -> bool {
        self.from_year.is_none_or(|from| from <= year)
    }
}

impl CalendarData {
    /// The hours of a day of this kind.
    pub(super) fn intervals(&self, cell: Cell) -> &[Interval] {
        match cell {
            Cell::Rest | Cell::Off(_) | Cell::Fixed(_) => &[],
            Cell::Working | Cell::MakeUp(_) => &self.hours.intervals,
            Cell::Half(n) => self.half_days.get(usize::from(n)).map_or(&[], |row| &row.intervals),
        }
    }

    /// The working time of a day of this kind, in minutes.
    pub(super) fn minutes(&self, cell: Cell) -> u32 {
        let micros: i64 = self
            .intervals(cell)
            .iter()
            .map(|i| days::micros_of(i.to) - days::micros_of(i.from))
            .sum();
        u32::try_from(micros / super::MINUTE).unwrap_or(0)
    }

    /// Gathers everything that is wrong.
    pub(super) fn check(&self) -> Result<(), Problems> {
        let mut found = Problems::new();
        if self.version.trim().is_empty() {
            found.add(
                "required",
                "version",
                "Nhập phiên bản của lịch.",
                "Give the version of the calendar.",
            );
        }
        if self.first_year < 1900 || self.last_year > 2200 || self.first_year > self.last_year {
            found.add(
                "out-of-range",
                "first_year",
                "Các năm của lịch phải theo thứ tự, từ 1900 đến 2200.",
                "The years of the calendar must be in order, from 1900 to 2200.",
            );
        }
        if (0..7).all(|n| Weekday::from_monday_zero_offset(n).is_ok_and(|day| self.rest_days.contains(&day))) {
            found.add(
                "no-working-day",
                "rest_days",
                "Tuần phải có ngày làm việc.",
                "A week must have a working day.",
            );
        }
        check_intervals(&self.hours.intervals, "hours", &mut found);
        for (n, row) in self.half_days.iter().enumerate() {
            check_intervals(&row.intervals, &format!("half_days/{n}"), &mut found);
        }
        for (n, row) in self.fixed.iter().enumerate() {
            // 2024 is a leap year, so 29 February is a date.
            if Date::new(2024, row.month, row.day).is_err() {
                found.add(
                    "not-a-date",
                    format!("fixed/{n}"),
                    format!("Không có ngày {}/{}.", row.day, row.month),
                    format!("There is no day {} of month {}.", row.day, row.month),
                );
            }
        }
        self.check_dates(&mut found);
        let rows = self
            .fixed
            .len()
            .max(self.off.len())
            .max(self.make_up.len())
            .max(self.half_days.len());
        if rows > usize::from(u16::MAX) {
            found.add(
                "too-many",
                "",
                "Lịch có quá nhiều dòng.",
                "The calendar has too many rows.",
            );
        }
        if found.is_empty() { Ok(()) } else { Err(found) }
    }

    fn check_dates(&self, found: &mut Problems) {
        let mut seen: BTreeMap<Date, String> = BTreeMap::new();
        let rows = (self.off.iter().enumerate().map(|(n, r)| (format!("off/{n}"), r.date)))
            .chain(
                self.make_up
                    .iter()
                    .enumerate()
                    .map(|(n, r)| (format!("make_up/{n}"), r.date)),
            )
            .chain(
                self.half_days
                    .iter()
                    .enumerate()
                    .map(|(n, r)| (format!("half_days/{n}"), r.date)),
            );
        for (at, date) in rows {
            let shown = date.strftime("%d/%m/%Y");
            if !(self.first_year..=self.last_year).contains(&date.year()) {
                found.add(
                    "out-of-range",
                    &at,
                    format!("Ngày {shown} nằm ngoài các năm của lịch."),
                    format!("{shown} is outside the years of the calendar."),
                );
            }
            if let Some(first) = seen.insert(date, at.clone()) {
                found.add(
                    "duplicate",
                    &at,
                    format!("Ngày {shown} đã có tại {first}."),
                    format!("{shown} is already given at {first}."),
                );
            }
        }
        for (n, row) in self.make_up.iter().enumerate() {
            if !self.rest_days.contains(&row.date.weekday()) {
                let shown = row.date.strftime("%d/%m/%Y");
                found.add(
                    "not-a-rest-day",
                    format!("make_up/{n}"),
                    format!("Ngày làm bù {shown} không phải ngày nghỉ hằng tuần."),
                    format!("The make-up day {shown} is not a day of weekly rest."),
                );
            }
        }
    }
}

fn check_intervals(intervals: &[Interval], at: &str, found: &mut Problems) {
    let to_the_minute = |t: Time| t.second() == 0 && t.subsec_nanosecond() == 0;
    let sound = !intervals.is_empty()
        && intervals
            .iter()
            .all(|i| i.from < i.to && to_the_minute(i.from) && to_the_minute(i.to))
        && intervals
            .windows(2)
            .all(|pair| matches!(pair, [a, b] if a.to <= b.from));
    if !sound {
        found.add(
            "bad-hours",
            at,
            "Giờ làm việc phải có ít nhất một khoảng, tính đến phút, theo thứ tự và không chồng nhau.",
            "Working hours need at least one interval, to the minute, in order and apart from each other.",
        );
    }
}

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

fn read_weekdays<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Weekday>, D::Error> {
    let names = Vec::<String>::deserialize(from)?;
    let day = |name: &String| WEEKDAYS.iter().find(|(n, _)| n == name).map(|(_, day)| *day);
    names
        .iter()
        .map(|name| day(name).ok_or_else(|| D::Error::custom(format!("no weekday is called {name}"))))
        .collect()
}

fn write_weekdays<S: Serializer>(days: &[Weekday], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(
        days.iter()
            .filter_map(|day| WEEKDAYS.iter().find(|(_, d)| d == day).map(|(name, _)| name)),
    )
}
