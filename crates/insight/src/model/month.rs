//! Months of legal time.

use std::fmt;

use base::{Text, Timestamp};
use jiff::civil::{Date, time};

/// A month of legal time: months since year 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(i64);

impl Month {
    /// The month of an instant.
    pub fn of(at: Timestamp) -> Self {
        let date = at.legal_date();
        Self(i64::from(date.year()) * 12 + i64::from(date.month()) - 1)
    }

    /// A month of the years 2000 to 2100; `month` is 1 to 12.
    pub fn new(year: i64, month: i64) -> Option<Self> {
        ((2000..=2100).contains(&year) && (1..=12).contains(&month)).then_some(Self(year * 12 + month - 1))
    }

    /// Reads `2026-11`.
    pub fn parse(text: &str) -> Option<Self> {
        let (year, month) = text.split_once('-')?;
        if year.len() != 4 || month.len() != 2 || !text.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
            return None;
        }
        Self::new(year.parse().ok()?, month.parse().ok()?)
    }

    /// As stored.
    pub const fn index(self) -> i64 {
        self.0
    }

    /// From storage.
    pub const fn from_index(index: i64) -> Self {
        Self(index)
    }

    /// The year.
    pub const fn year(self) -> i64 {
        self.0.div_euclid(12)
    }

    /// 1 to 12.
    pub const fn number(self) -> i64 {
        self.0.rem_euclid(12) + 1
    }

    /// So many months later.
    #[must_use]
    pub const fn plus(self, months: i64) -> Self {
        Self(self.0 + months)
    }

    /// The first instant.
    pub fn start(self) -> Timestamp {
        let year = i16::try_from(self.year()).unwrap_or(1970);
        let month = i8::try_from(self.number()).unwrap_or(1);
        let day = Date::new(year, month, 1).unwrap_or_default();
        Timestamp::from_legal(day.to_datetime(time(0, 0, 0, 0)))
    }

    /// The first instant after it.
    pub fn end(self) -> Timestamp {
        self.plus(1).start()
    }

    /// As a reader knows it.
    pub fn label(self) -> Text {
        Text::new(
            format!("Tháng {}/{}", self.number(), self.year()),
            format!("{:02}/{}", self.number(), self.year()),
        )
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year(), self.number())
    }
}
