//! The calendar against a slow, obvious one that walks day by day and minute by minute.

use crate::reference::{Slow, cases, minute, slow_calendar};
use base::Timestamp;
use jiff::{ToSpan as _, civil::date};
use proptest::prelude::*;

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn days_agree(slow in slow_calendar(), from in 0_i64..900, n in 0_u32..120, other in 0_i64..900) {
        let calendar = slow.compiled();
        let start = date(2025, 6, 1).saturating_add(from.days());
        let mut reached = start;
        let mut left = n;
        while left > 0 {
            reached = reached.tomorrow().expect("a day");
            left -= u32::from(slow.works(reached));
        }
        prop_assert_eq!(calendar.add_working_days(start, n), reached);
        prop_assert_eq!(calendar.working_days_between(start, reached), i64::from(n));

        let end = date(2025, 6, 1).saturating_add(other.days());
        let (low, high) = (start.min(end), start.max(end));
        let mut count = 0;
        let mut day = low;
        while day < high {
            day = day.tomorrow().expect("a day");
            count += i64::from(slow.works(day));
        }
        prop_assert_eq!(calendar.working_days_between(low, high), count);
        prop_assert_eq!(calendar.working_days_between(high, low), -count);
        prop_assert_eq!(calendar.is_working_day(start), slow.works(start));
    }

    #[test]
    fn minutes_agree(slow in slow_calendar(), from in 0_i64..800_000, n in 0_u32..4_000, extra in 0_i64..60_000_000) {
        let calendar = slow.compiled();
        let start = minute(from);
        let mut at = from;
        let mut left = n;
        while left > 0 {
            left -= u32::from(slow.works_in_minute(at));
            at += 1;
        }
        prop_assert_eq!(calendar.add_working_time(start, n), minute(at));
        prop_assert_eq!(calendar.working_minutes_between(start, minute(at)), i64::from(n));
        prop_assert_eq!(calendar.working_minutes_between(minute(at), start), -i64::from(n));

        // Microseconds: what is added is what is between, whatever the instant.
        let odd = start.plus_micros(extra);
        let later = calendar.add_working_micros(odd, i64::from(n) * 60_000_000 + 1);
        prop_assert_eq!(calendar.working_micros_between(odd, later), i64::from(n) * 60_000_000 + 1);
        prop_assert_eq!(calendar.working_micros_between(odd, later.plus_micros(-1)), i64::from(n) * 60_000_000, "the first such instant");
    }
}

#[test]
fn far_years_agree_with_the_same_rules() {
    let slow = Slow::plain();
    let calendar = slow.compiled();
    for (from, n) in [
        (date(1950, 3, 1), 30_u32),
        (date(1985, 12, 1), 3_000),
        (date(2080, 1, 1), 4_000),
        (date(2150, 1, 1), 10),
    ] {
        let (mut day, mut left) = (from, n);
        while left > 0 {
            day = day.tomorrow().expect("a day");
            left -= u32::from(slow.works(day));
        }
        assert_eq!(calendar.add_working_days(from, n), day, "{from} and {n}");
        assert_eq!(calendar.working_days_between(from, day), i64::from(n));
        let begin = Timestamp::from_legal(from.at(12, 0, 0, 0));
        let end = calendar.add_working_time(begin, n);
        assert_eq!(calendar.working_minutes_between(begin, end), i64::from(n));
    }
}
