//! How the state hears of things: some late, some wrongly at first.

use std::collections::HashMap;

use super::{Entry, Report, What};
use crate::{day::Day, dice::Dice};

/// How long it usually takes until something is written down.
#[derive(Debug, Clone, Copy)]
pub enum Delay {
    /// It is the writing down that makes it so.
    SameDay,
    /// Days to weeks.
    Weeks,
    /// Days to two months, now and then a year.
    Months,
    /// Weeks to months, now and then years: moves that nobody reports.
    Long,
}

/// What came before: when it happened and when it was written down. Nothing that follows is written down earlier, or said to
/// have happened earlier.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    pub on: Day,
    pub recorded: Day,
}

/// Nothing came before.
pub const NOTHING: Known = Known {
    on: Day::of(1900, 1, 1),
    recorded: Day::of(1900, 1, 1),
};

/// Out of a hundred first reports of what happened elsewhere, so many have a wrong day.
const WRONG: f64 = 0.018;

pub struct Desk {
    dice: Dice,
    until: Day,
    reports: Vec<Report>,
}

impl Desk {
    pub fn new(dice: Dice, until: Day) -> Self {
        Self {
            dice,
            until,
            reports: Vec::new(),
        }
    }

    /// Reports something after its usual delay and not before what came before it. Gives what is known then.
    pub fn report(&mut self, what: What, on: Day, delay: Delay, before: Known) -> Known {
        let days = match delay {
            Delay::SameDay => 0,
            Delay::Weeks => self.dice.between(0, 30),
            Delay::Months if self.dice.chance(0.04) => self.dice.between(60, 420),
            Delay::Months => self.dice.between(1, 60),
            Delay::Long if self.dice.chance(0.12) => self.dice.between(90, 1_100),
            Delay::Long => self.dice.between(2, 90),
        };
        let recorded = on.plus(days).max(before.recorded);
        let wrong = if days > 0 && self.dice.chance(WRONG) {
            Some(self.wrong_day(on)).filter(|wrong| *wrong >= before.on && *wrong <= recorded && *wrong != on)
        } else {
            None
        };
        self.write(what, wrong.unwrap_or(on), recorded, None);
        if wrong.is_some() {
            let corrected = recorded.plus(self.dice.between(10, 1_500));
            self.write(what, on, corrected, wrong);
        }
        Known { on, recorded }
    }

    /// Reports something rightly on a given day.
    pub fn report_on(&mut self, what: What, on: Day, recorded: Day) -> Known {
        self.write(what, on, recorded, None);
        Known { on, recorded }
    }

    /// What is written down after the last day is not known yet.
    fn write(&mut self, what: What, on: Day, recorded: Day, corrects: Option<Day>) {
        if recorded <= self.until {
            self.reports.push(Report {
                what,
                on,
                recorded,
                corrects,
                entry: None,
            });
        }
    }

    /// A day as it is mistaken: day and month exchanged, a year or some days off.
    fn wrong_day(&mut self, on: Day) -> Day {
        let (year, month, day) = on.parts();
        match self.dice.below(3) {
            0 if day <= 12 => Day::of(year, day, month),
            1 => Day::of(year - 1, month, day),
            _ => on.plus(self.dice.between(-20, 20)),
        }
    }

    /// In the order of recording; on one day in the order of happening, which puts a marriage before its divorce. Civil status
    /// is entered in a book, the community's own; numbers begin with 1 each year for births, marriages and deaths.
    pub fn in_order(mut self, book: u32) -> Vec<Report> {
        self.reports
            .sort_by_key(|report| (report.recorded, report.corrects.is_some(), report.on));
        let (mut last, mut entries) = (HashMap::new(), HashMap::new());
        for report in &mut self.reports {
            let (kind, year) = match report.what {
                What::Birth(_) => (0, report.recorded.year()),
                What::Married(_) => (1, report.recorded.year()),
                What::Died(_) => (2, report.recorded.year()),
                _ => continue,
            };
            let entry = *entries.entry(report.what).or_insert_with(|| {
                let number: &mut u32 = last.entry((kind, year)).or_default();
                *number += 1;
                Entry {
                    book,
                    year,
                    number: *number,
                }
            });
            report.entry = Some(entry);
        }
        self.reports
    }
}
