//! Instants and legal time. Instants are UTC microseconds; every date that the law speaks of is a date in Viet Nam,
//! which has kept UTC+7 without daylight saving since 13 June 1975.

use std::fmt;

use jiff::{
    civil::{Date, DateTime},
    tz::{Offset, TimeZone},
};
use serde::{Deserialize, Serialize};

/// The offset of legal time (Asia/Ho_Chi_Minh), in hours east of UTC.
pub const LEGAL_OFFSET_HOURS: i8 = 7;

/// An instant: microseconds since 1970-01-01T00:00:00Z. Stored as BIGINT on every engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The instant of a date and time of the clock on the wall in Viet Nam.
    pub fn from_legal(at: DateTime) -> Self {
        let zoned = legal_zone().to_timestamp(at);
        Self(zoned.map_or(0, |t| t.as_microsecond()))
    }

    /// Date and time on the wall in Viet Nam.
    pub fn legal(self) -> DateTime {
        let at = jiff::Timestamp::from_microsecond(self.0).unwrap_or_default();
        legal_zone().to_datetime(at)
    }

    /// The date in Viet Nam.
    pub fn legal_date(self) -> Date {
        self.legal().date()
    }

    /// This instant moved by `micros` (which may be negative), held at the limits.
    #[must_use]
    pub const fn plus_micros(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// This instant moved by whole seconds.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        self.plus_micros(seconds.saturating_mul(1_000_000))
    }

    /// RFC 3339 with the legal offset, to the second: `2026-11-21T15:04:05+07:00`. For APIs and documents.
    pub fn rfc3339(self) -> String {
        format!("{}+07:00", self.legal().strftime("%Y-%m-%dT%H:%M:%S"))
    }

    /// Reads RFC 3339 with any offset.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|t| Self(t.as_microsecond()))
    }

    /// As pages show it: `15:04 ngày 21/11/2026` is `21/11/2026 15:04` here.
    pub fn display(self) -> String {
        self.legal().strftime("%d/%m/%Y %H:%M").to_string()
    }

    /// The date as pages show it: `21/11/2026`.
    pub fn display_date(self) -> String {
        self.legal().strftime("%d/%m/%Y").to_string()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

fn legal_zone() -> TimeZone {
    TimeZone::fixed(Offset::constant(LEGAL_OFFSET_HOURS))
}

/// Where the time comes from. Passed in, never asked of the system in domain code.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
    fn now(&self) -> Timestamp {
        Timestamp(jiff::Timestamp::now().as_microsecond())
    }
}

/// A clock that a test sets. Clones share the hands.
#[derive(Debug, Clone, Default)]
pub struct FixedClock(std::sync::Arc<std::sync::atomic::AtomicI64>);

impl FixedClock {
    /// A clock that stands at `at`.
    pub fn at(at: Timestamp) -> Self {
        Self(std::sync::Arc::new(std::sync::atomic::AtomicI64::new(at.micros())))
    }

    /// Moves the hands.
    pub fn set(&self, at: Timestamp) {
        self.0.store(at.micros(), std::sync::atomic::Ordering::SeqCst);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(std::sync::atomic::Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legal_time_is_seven_hours_ahead() {
        let at = Timestamp::parse_rfc3339("2026-11-21T17:30:00Z").expect("a valid instant");
        assert_eq!(at.rfc3339(), "2026-11-22T00:30:00+07:00");
        assert_eq!(at.display_date(), "22/11/2026");
        assert_eq!(Timestamp::from_legal(at.legal()), at);
    }
}
