//! Dates as plain numbers of days, so that the table can be indexed.

use jiff::{
    SignedDuration,
    civil::{Date, Time, date},
};

use crate::time::{LEGAL_OFFSET_HOURS, Timestamp};

/// Days since 1970-01-01.
pub type DayNumber = i64;

/// Microseconds in a day.
pub const DAY: i64 = 86_400_000_000;

const EPOCH: Date = date(1970, 1, 1);
const OFFSET: i64 = LEGAL_OFFSET_HOURS as i64 * 3_600_000_000;

pub fn day_number(date: Date) -> DayNumber {
    date.duration_since(EPOCH).as_secs() / 86_400
}

/// The date of a day, held at the first and last that a date can say.
pub fn date_of(day: DayNumber) -> Date {
    let held = day.clamp(day_number(Date::MIN), day_number(Date::MAX));
    EPOCH.saturating_add(SignedDuration::from_secs(held.saturating_mul(86_400)))
}

/// The legal day of an instant, and the microseconds of that day before it.
pub fn split(at: Timestamp) -> (DayNumber, i64) {
    let local = at.micros().saturating_add(OFFSET);
    (local.div_euclid(DAY), local.rem_euclid(DAY))
}

pub const fn instant(day: DayNumber, micros: i64) -> Timestamp {
    Timestamp::from_micros(day.saturating_mul(DAY).saturating_add(micros).saturating_sub(OFFSET))
}

pub fn micros_of(time: Time) -> i64 {
    let seconds = i64::from(time.hour()) * 3_600 + i64::from(time.minute()) * 60 + i64::from(time.second());
    seconds * 1_000_000 + i64::from(time.subsec_nanosecond()) / 1_000
}
