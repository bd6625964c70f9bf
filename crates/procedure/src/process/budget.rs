//! Time budgets: how long a step may take, in the unit in which the law or the internal rule says it.

use std::{fmt, str::FromStr};

use base::Lang;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The unit of a [`TimeBudget`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BudgetUnit {
    /// Working days (ngày làm việc), written `wd`.
    WorkingDays,
    /// Working hours (giờ làm việc), written `wh`.
    WorkingHours,
    /// Calendar days, written `d`.
    Days,
    /// Hours of the clock, written `h`.
    Hours,
}

impl BudgetUnit {
    /// The suffix of the notation.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::WorkingDays => "wd",
            Self::WorkingHours => "wh",
            Self::Days => "d",
            Self::Hours => "h",
        }
    }

    /// Hours of the clock that one unit stands for on average (a week of five days of eight hours). Only for
    /// comparing paths with each other; a due date is computed by the working-day calendar.
    pub const fn clock_hours(self) -> f64 {
        match self {
            Self::WorkingDays => 33.6,
            Self::WorkingHours => 4.2,
            Self::Days => 24.0,
            Self::Hours => 1.0,
        }
    }
}

/// A length of time as rules state it: `2wd`, `4wh`, `12d`, `8h`. Always at least one unit and at most
/// [`TimeBudget::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeBudget {
    /// How many units.
    pub qty: u32,
    /// The unit.
    pub unit: BudgetUnit,
}

impl TimeBudget {
    /// The largest number of units that the notation accepts.
    pub const MAX: u32 = 36_500;

    /// Reads an ISO 8601 duration of whole weeks, days and hours: `P12D`, `P2W`, `PT8H`, `P1DT12H`. Months and
    /// years have no fixed length and minutes no place in administrative time limits: both are refused.
    pub fn from_iso(text: &str) -> Option<Self> {
        let rest = text.trim().strip_prefix('P')?;
        let (date, time) = match rest.split_once('T') {
            Some((_, "")) => return None,
            Some((date, time)) => (date, time),
            None => (rest, ""),
        };
        let weeks = |part: &str, unit: char| -> Option<u32> { part.strip_suffix(unit)?.parse().ok() };
        let days = match date {
            "" => 0,
            d if d.ends_with('W') => weeks(d, 'W')?.checked_mul(7)?,
            d => weeks(d, 'D')?,
        };
        let hours = if time.is_empty() { 0 } else { weeks(time, 'H')? };
        let (qty, unit) = if hours == 0 {
            (days, BudgetUnit::Days)
        } else {
            (days.checked_mul(24)?.checked_add(hours)?, BudgetUnit::Hours)
        };
        (1..=Self::MAX).contains(&qty).then_some(Self { qty, unit })
    }

    /// As people say it: `2 ngày làm việc`, `2 working days`.
    pub fn display(self, lang: Lang) -> String {
        let one = self.qty == 1;
        let unit = match self.unit {
            BudgetUnit::WorkingDays => lang.t("ngày làm việc", if one { "working day" } else { "working days" }),
            BudgetUnit::WorkingHours => lang.t("giờ làm việc", if one { "working hour" } else { "working hours" }),
            BudgetUnit::Days => lang.t("ngày", if one { "day" } else { "days" }),
            BudgetUnit::Hours => lang.t("giờ", if one { "hour" } else { "hours" }),
        };
        format!("{} {unit}", self.qty)
    }

    /// The average length in hours of the clock, for comparing only (see [`BudgetUnit::clock_hours`]).
    pub fn weight(self) -> f64 {
        f64::from(self.qty) * self.unit.clock_hours()
    }
}

impl fmt::Display for TimeBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.qty, self.unit.suffix())
    }
}

/// A text that is not a time budget.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is not a time budget; write a whole number and wd, wh, d or h, such as 2wd")]
pub struct NotABudget(String);

impl FromStr for TimeBudget {
    type Err = NotABudget;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || NotABudget(text.chars().take(40).collect());
        let trimmed = text.trim();
        let digits = trimmed.len() - trimmed.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, suffix) = trimmed.split_at(digits);
        let unit = match suffix {
            "wd" => BudgetUnit::WorkingDays,
            "wh" => BudgetUnit::WorkingHours,
            "d" => BudgetUnit::Days,
            "h" => BudgetUnit::Hours,
            _ => return Err(refused()),
        };
        let qty = number.parse::<u32>().map_err(|_| refused())?;
        if (1..=Self::MAX).contains(&qty) {
            Ok(Self { qty, unit })
        } else {
            Err(refused())
        }
    }
}

impl Serialize for TimeBudget {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeBudget {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_notations_are_read_and_nothing_else() {
        for (text, shown) in [
            ("2wd", "2 ngày làm việc"),
            ("4wh", "4 giờ làm việc"),
            ("12d", "12 ngày"),
            ("8h", "8 giờ"),
        ] {
            let budget: TimeBudget = text.parse().expect("a budget");
            assert_eq!(budget.to_string(), text);
            assert_eq!(budget.display(Lang::Vi), shown);
        }
        for text in [
            "",
            "wd",
            "2",
            "2 days",
            "-1d",
            "0d",
            "99999999999d",
            "1.5d",
            "2WD",
            "36501d",
        ] {
            assert!(text.parse::<TimeBudget>().is_err(), "{text} was accepted");
        }
        let iso = |text| TimeBudget::from_iso(text).map(|b| b.to_string());
        assert_eq!(iso("P12D").as_deref(), Some("12d"));
        assert_eq!(iso("P2W").as_deref(), Some("14d"));
        assert_eq!(iso("PT8H").as_deref(), Some("8h"));
        assert_eq!(iso("P1DT12H").as_deref(), Some("36h"));
        for text in ["P1M", "P1Y", "PT30M", "P", "PT", "P1DT", "12D", "P-1D", "P1D2W"] {
            assert_eq!(iso(text), None, "{text} was accepted");
        }
    }

    #[test]
    fn english_counts_one() {
        assert_eq!(
            "1wd".parse::<TimeBudget>().map(|b| b.display(Lang::En)),
            Ok("1 working day".to_owned())
        );
    }
}
