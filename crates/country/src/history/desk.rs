//! How the state hears of things: some late, some wrongly at first.

use super::{Report, What};
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

    /// Reports something after its usual delay and not before another report is in. Gives the day of the first report.
    pub fn report(&mut self, what: What, on: Day, delay: Delay, not_before: Day) -> Day {
        let days = match delay {
            Delay::SameDay => 0,
            Delay::Weeks => self.dice.between(0, 30),
            Delay::Months if self.dice.chance(0.04) => self.dice.between(60, 420),
            Delay::Months => self.dice.between(1, 60),
            Delay::Long if self.dice.chance(0.12) => self.dice.between(90, 1_100),
            Delay::Long => self.dice.between(2, 90),
        };
        let recorded = on.plus(days).max(not_before);
        let wrong = if days > 0 && self.dice.chance(WRONG) {
            self.wrong_day(on, recorded)
        } else {
            on
        };
        self.write(what, wrong, recorded, None);
        if wrong != on {
            let corrected = recorded.plus(self.dice.between(10, 1_500));
            self.write(what, on, corrected, Some(wrong));
        }
        recorded
    }

    /// Reports something rightly on a given day.
    pub fn report_on(&mut self, what: What, on: Day, recorded: Day) {
        self.write(what, on, recorded, None);
    }

    /// What is written down after the last day is not known yet.
    fn write(&mut self, what: What, on: Day, recorded: Day, corrects: Option<Day>) {
        if recorded <= self.until {
            self.reports.push(Report {
                what,
                on,
                recorded,
                corrects,
            });
        }
    }

    /// A day as it is mistaken: day and month exchanged, a year or some days off. The right one where that is in the future.
    fn wrong_day(&mut self, on: Day, recorded: Day) -> Day {
        let (year, month, day) = on.parts();
        let wrong = match self.dice.below(3) {
            0 if day <= 12 => Day::of(year, day, month),
            1 => Day::of(year - 1, month, day),
            _ => on.plus(self.dice.between(-20, 20)),
        };
        if wrong > recorded { on } else { wrong }
    }

    /// In the order of recording; on one day in the order of happening, which puts a marriage before its divorce.
    pub fn in_order(mut self) -> Vec<Report> {
        self.reports
            .sort_by_key(|report| (report.recorded, report.corrects.is_some(), report.on));
        self.reports
    }
}
