//! How often: a token bucket, in whole numbers.

use std::num::NonZeroU32;

use base::Timestamp;
use serde::{Deserialize, Serialize};

const SECOND: u128 = 1_000_000;

/// So many calls in so many seconds, and so many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rate {
    /// Calls in each period.
    pub calls: NonZeroU32,
    /// The period, in seconds.
    pub seconds: NonZeroU32,
    /// Calls at once, after a pause.
    pub burst: NonZeroU32,
}

impl Rate {
    /// What one call costs, where a microsecond brings `calls`.
    fn cost(&self) -> u128 {
        u128::from(self.seconds.get()) * SECOND
    }

    fn capacity(&self) -> u128 {
        self.cost() * u128::from(self.burst.get())
    }
}

/// What is left of a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    level: u128,
    at: Timestamp,
}

impl Bucket {
    /// A full one.
    pub fn full(rate: &Rate, now: Timestamp) -> Self {
        Self {
            level: rate.capacity(),
            at: now,
        }
    }

    /// Takes one call, or says for how many microseconds to wait. A clock that goes back brings nothing and takes
    /// nothing.
    ///
    /// # Errors
    /// The wait.
    pub fn take(&mut self, rate: &Rate, now: Timestamp) -> Result<(), u64> {
        let passed = u128::try_from(now.micros().saturating_sub(self.at.micros())).unwrap_or(0);
        let calls = u128::from(rate.calls.get());
        self.level = (self.level + passed * calls).min(rate.capacity());
        self.at = self.at.max(now);
        match self.level.checked_sub(rate.cost()) {
            Some(left) => {
                self.level = left;
                Ok(())
            }
            None => {
                let wait = (rate.cost() - self.level).div_ceil(calls);
                Err(u64::try_from(wait).unwrap_or(u64::MAX))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(calls: u32, seconds: u32, burst: u32) -> Rate {
        let number = |n| NonZeroU32::new(n).expect("not zero");
        Rate {
            calls: number(calls),
            seconds: number(seconds),
            burst: number(burst),
        }
    }

    #[test]
    fn a_burst_then_one_by_one() {
        let (rate, start) = (rate(7, 60, 3), Timestamp::from_micros(0));
        let mut bucket = Bucket::full(&rate, start);
        for _ in 0..3 {
            assert_eq!(bucket.take(&rate, start), Ok(()));
        }
        let wait = bucket.take(&rate, start).expect_err("empty");
        assert_eq!(wait, 8_571_429, "a seventh of a minute, rounded up");
        assert!(bucket.take(&rate, start.plus_micros(8_571_428)).is_err());
        assert_eq!(bucket.take(&rate, start.plus_micros(8_571_429)), Ok(()));
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing() {
        let (rate, now) = (rate(1, 1, 1), Timestamp::from_micros(10_000_000));
        let mut bucket = Bucket::full(&rate, now);
        assert_eq!(bucket.take(&rate, now), Ok(()));
        assert!(bucket.take(&rate, Timestamp::from_micros(0)).is_err());
        assert!(bucket.take(&rate, now.plus_micros(999_999)).is_err());
        assert_eq!(bucket.take(&rate, now.plus_micros(1_000_000)), Ok(()));
    }

    #[test]
    fn the_largest_rate_does_not_overflow() {
        let rate = rate(u32::MAX, u32::MAX, u32::MAX);
        let mut bucket = Bucket::full(&rate, Timestamp::from_micros(i64::MIN));
        assert_eq!(bucket.take(&rate, Timestamp::from_micros(i64::MAX)), Ok(()));
    }
}
