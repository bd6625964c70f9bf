//! Days as plain numbers: a history of millions is sorted and added to by day.

use std::fmt;

use jiff::civil::Date;

/// A day of the calendar, counted from 1 January 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i32);

/// The first day of the new units: provinces by Resolution 202/2025/QH15, no districts any more.
pub const MERGER: Day = Day::of(2025, 7, 1);

impl Day {
    /// The day of a date. A day past the end of its month runs into the next.
    pub const fn of(year: i32, month: i32, day: i32) -> Self {
        // Years begin in March here, so that the leap day is the last.
        let year = if month <= 2 { year - 1 } else { year };
        let era = year.div_euclid(400);
        let of_era = year.rem_euclid(400);
        let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        Self(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
    }

    /// Year, month and day.
    pub const fn parts(self) -> (i32, i32, i32) {
        let shifted = self.0 + 719_468;
        let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let march = (5 * of_year + 2) / 153;
        let month = if march < 10 { march + 3 } else { march - 9 };
        let day = of_year - (153 * march + 2) / 5 + 1;
        (year + era * 400 + if month <= 2 { 1 } else { 0 }, month, day)
    }

    /// The year.
    pub const fn year(self) -> i32 {
        self.parts().0
    }

    /// So many days later, or earlier.
    #[must_use]
    pub const fn plus(self, days: i32) -> Self {
        Self(self.0 + days)
    }

    /// The same date so many years later; 29 February becomes 1 March where there is none.
    #[must_use]
    pub const fn plus_years(self, years: i32) -> Self {
        let (year, month, day) = self.parts();
        Self::of(year + years, month, day)
    }

    /// Days from `earlier` to this one.
    pub const fn since(self, earlier: Self) -> i32 {
        self.0 - earlier.0
    }

    /// Full years from `birth` to this day.
    pub const fn age_since(self, birth: Self) -> i32 {
        let ((year, month, day), (born, m, d)) = (self.parts(), birth.parts());
        year - born - if month < m || (month == m && day < d) { 1 } else { 0 }
    }

    /// The first day of its month.
    #[must_use]
    pub const fn month(self) -> Self {
        let (year, month, _) = self.parts();
        Self::of(year, month, 1)
    }

    /// As a date of the calendar.
    pub fn date(self) -> Date {
        let (year, month, day) = self.parts();
        Date::new(year as i16, month as i8, day as i8).unwrap_or(Date::ZERO)
    }
}

impl From<Date> for Day {
    fn from(date: Date) -> Self {
        Self::of(date.year().into(), date.month().into(), date.day().into())
    }
}

/// `2025-07-01`.
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.parts();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

#[cfg(test)]
mod tests {
    use jiff::{ToSpan, civil::date};

    use super::*;

    #[test]
    fn days_agree_with_the_calendar() {
        assert_eq!(Day::of(1970, 1, 1), Day(0));
        let mut at = date(1896, 1, 1);
        let mut day = Day::from(at);
        while at < date(2105, 1, 1) {
            assert_eq!(day.date(), at);
            assert_eq!(Day::from(at), day);
            (at, day) = (at.saturating_add(1.day()), day.plus(1));
        }
    }

    #[test]
    fn ages_count_full_years() {
        let birth = Day::of(2000, 2, 29);
        assert_eq!(birth.plus_years(18), Day::of(2018, 3, 1));
        assert_eq!(Day::of(2018, 2, 28).age_since(birth), 17);
        assert_eq!(Day::of(2018, 3, 1).age_since(birth), 18);
        assert_eq!(Day::of(2018, 3, 17).month(), Day::of(2018, 3, 1));
        assert_eq!(Day::of(2018, 3, 7).to_string(), "2018-03-07");
    }
}
