//! A calendar and a deadline that anybody can check by reading: sets of dates, and loops of one day or one minute at a time. They
//! share nothing with the code under test but the types that carry data in.

use std::collections::BTreeSet;

use base::{
    Calendar, Text, Timestamp,
    calendar::{CalendarData, DayOff, HalfDay, Hours, Interval, MakeUpDay, OffDay, OffReason, Status},
};
use jiff::{
    ToSpan as _,
    civil::{Date, Weekday, date, time},
};
use proptest::prelude::*;

/// A quarter of the usual number of cases, since each walks minute by minute; `PROPTEST_CASES` raises it.
pub fn cases() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig {
        cases: usual.cases.div_ceil(4),
        ..usual
    }
}

/// Working days in three sets.
#[derive(Debug, Clone)]
pub struct Slow {
    pub off: BTreeSet<Date>,
    pub make_up: BTreeSet<Date>,
    /// Days on which work is done from 08:00 to 11:00 only.
    pub mornings: BTreeSet<Date>,
}

const FIRST: Date = date(2025, 6, 1);

/// The instant `n` minutes after the beginning of the tests' time.
pub fn minute(n: i64) -> Timestamp {
    Timestamp::from_legal(FIRST.at(0, 0, 0, 0)).plus_micros(n * 60_000_000)
}

/// The date and the minute of the day of the `n`th minute.
pub fn split(n: i64) -> (Date, i64) {
    (FIRST.saturating_add(n.div_euclid(1_440).days()), n.rem_euclid(1_440))
}

impl Slow {
    pub fn plain() -> Self {
        Self {
            off: BTreeSet::new(),
            make_up: BTreeSet::new(),
            mornings: BTreeSet::new(),
        }
    }

    pub fn works(&self, day: Date) -> bool {
        if self.make_up.contains(&day) || self.mornings.contains(&day) {
            return true;
        }
        !self.off.contains(&day) && !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
    }

    pub fn works_in_minute(&self, n: i64) -> bool {
        let (day, minute) = split(n);
        if self.mornings.contains(&day) {
            return (8 * 60..11 * 60).contains(&minute);
        }
        self.works(day) && ((450..690).contains(&minute) || (810..1_020).contains(&minute))
    }

    /// The minute of the day at which work ends.
    pub fn end_of_work(&self, day: Date) -> i64 {
        if self.mornings.contains(&day) { 11 * 60 } else { 17 * 60 }
    }

    pub fn compiled(&self) -> Calendar {
        let name = Text::new("thử nghiệm", "test");
        let day = DayOff {
            name: name.clone(),
            reason: OffReason::Holiday,
            status: Status::Decided,
            source: "test".to_owned(),
        };
        let hour = |h| time(h, 0, 0, 0);
        let data = CalendarData {
            version: "test".to_owned(),
            name: name.clone(),
            source: "test".to_owned(),
            first_year: 2025,
            last_year: 2029,
            rest_days: vec![Weekday::Saturday, Weekday::Sunday],
            hours: Hours::default(),
            fixed: Vec::new(),
            off: self
                .off
                .iter()
                .map(|date| OffDay {
                    date: *date,
                    day: day.clone(),
                })
                .collect(),
            make_up: self
                .make_up
                .iter()
                .map(|date| MakeUpDay {
                    date: *date,
                    in_place_of: *date,
                    source: "test".to_owned(),
                })
                .collect(),
            half_days: self
                .mornings
                .iter()
                .map(|date| HalfDay {
                    date: *date,
                    intervals: vec![Interval {
                        from: hour(8),
                        to: hour(11),
                    }],
                    name: name.clone(),
                    source: "test".to_owned(),
                })
                .collect(),
        };
        Calendar::new(data).expect("a sound calendar")
    }
}

/// Random holidays, some in runs, make-up Saturdays, and mornings.
pub fn slow_calendar() -> impl Strategy<Value = Slow> {
    let runs = prop::collection::vec((0_i64..900, 1_i64..9), 0..25);
    let weeks = prop::collection::btree_set(0_i64..128, 0..12);
    let mornings = prop::collection::btree_set(0_i64..900, 0..20);
    (runs, weeks, mornings).prop_map(|(runs, weeks, mornings)| {
        let day = |n: i64| FIRST.saturating_add(n.days());
        let mut slow = Slow::plain();
        // The first of June 2025 is a Sunday.
        slow.make_up = weeks.into_iter().map(|week| day(week * 7 + 6)).collect();
        slow.mornings = mornings
            .into_iter()
            .map(day)
            .filter(|d| !slow.make_up.contains(d))
            .collect();
        slow.off = runs
            .into_iter()
            .flat_map(|(from, len)| (from..from + len).map(day))
            .collect();
        slow.off
            .retain(|d| !slow.make_up.contains(d) && !slow.mornings.contains(d));
        slow
    })
}
