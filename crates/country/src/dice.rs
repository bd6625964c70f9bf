//! Chance that is the same on every machine, for ever. A general random number crate may change its stream with a new version;
//! here the same seed must give the same bytes, so the stream is our own: SplitMix64 (Steele, Lea and Flood 2014).

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A stream of chance.
#[derive(Debug, Clone)]
pub struct Dice(u64);

const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Dice {
    /// The stream of one purpose: equal parts give equal streams, others are unrelated.
    pub fn of(parts: &[u64]) -> Self {
        Self(parts.iter().fold(0, |state, part| {
            mix(state.wrapping_add(STEP) ^ mix(part.wrapping_add(STEP)))
        }))
    }

    /// The next 64 bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// A number from 0 to `end` without `end`; 0 where `end` is 0.
    pub const fn below(&mut self, end: u64) -> u64 {
        ((self.bits() as u128 * end as u128) >> 64) as u64
    }

    /// A whole number from `low` to `high`, both possible.
    pub const fn between(&mut self, low: i32, high: i32) -> i32 {
        low + self.below((high - low + 1) as u64) as i32
    }

    /// A share from 0 to 1 without 1.
    pub const fn share(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Whether something of this probability happens.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.share() < probability
    }

    /// One of so many places; 0 where there is none.
    pub const fn place(&mut self, of: usize) -> usize {
        self.below(of as u64) as usize
    }

    /// One of a list that is not empty.
    pub const fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.place(list.len())]
    }

    /// One of a list, the front much more often than the back: how names spread.
    pub fn pick_front<T: Copy>(&mut self, list: &[T]) -> T {
        let share = self.share();
        list[(share * share * list.len() as f64) as usize]
    }

    /// The place of one of a list whose `weight`s may differ; the last where they are all 0.
    pub fn weighted<T>(&mut self, list: &[T], weight: impl Fn(&T) -> f64) -> usize {
        let total: f64 = list.iter().map(&weight).sum();
        let mut left = self.share() * total;
        for (n, item) in list.iter().enumerate() {
            left -= weight(item);
            if left < 0.0 {
                return n;
            }
        }
        list.len().saturating_sub(1)
    }

    /// A number whose mean is `mean`: the whole part, and one more as often as the fraction says.
    pub fn rounded(&mut self, mean: f64) -> usize {
        mean as usize + usize::from(self.chance(mean.fract()))
    }

    /// About normal, from the sum of four shares; never farther than 3.5 deviations away.
    pub fn normal(&mut self, mean: f64, deviation: f64) -> f64 {
        let sum: f64 = (0..4).map(|_| self.share()).sum();
        mean + (sum - 2.0) * 3f64.sqrt() * deviation
    }
}

/// A number below `side * side` for each number below it, never the same twice, in no visible order: a Feistel network of four
/// rounds over two digits of base `side`. Serial numbers that are unique and look drawn come from it.
pub fn scatter(value: u64, side: u64, key: u64) -> u64 {
    let (mut left, mut right) = (value / side % side, value % side);
    for round in 0..4 {
        let turned = (left + mix(key ^ mix(right.wrapping_add(STEP.wrapping_mul(round + 1)))) % side) % side;
        (left, right) = (right, turned);
    }
    left * side + right
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scattered_range_is_the_same_range() {
        for key in [1, 77] {
            let mut seen: Vec<u64> = (0..10_000).map(|n| scatter(n, 100, key)).collect();
            let in_order = seen.windows(2).filter(|w| w[0] < w[1]).count();
            assert!((4_500..5_500).contains(&in_order), "no visible order: {in_order}");
            seen.sort_unstable();
            assert!(seen.into_iter().eq(0..10_000));
        }
    }

    #[test]
    fn the_stream_is_splitmix_and_its_parts_count() {
        // The first outputs for seed 0, as the reference implementation gives them.
        let mut dice = Dice(0);
        assert_eq!(
            [dice.bits(), dice.bits()],
            [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4]
        );
        // When this one changes, every seed means another country.
        assert_eq!(Dice::of(&[1, 2, 3]).bits(), 18_213_088_600_869_695_753);
        assert_ne!(Dice::of(&[1, 3, 2]).bits(), Dice::of(&[1, 2, 3]).bits());
    }

    #[test]
    fn chance_has_the_shape_it_says() {
        let mut dice = Dice::of(&[5]);
        let hits = (0..20_000).filter(|_| dice.chance(0.3)).count();
        assert!((5_700..6_300).contains(&hits), "{hits}");
        let total: f64 = (0..20_000).map(|_| dice.normal(10.0, 2.0)).sum();
        assert!((total / 20_000.0 - 10.0).abs() < 0.1);
        assert!((0..1_000).all(|_| (3..=5).contains(&dice.between(3, 5))));
        let weighted = (0..20_000).filter(|_| dice.weighted(&[1.0, 3.0], |w| *w) == 1).count();
        assert!((14_500..15_500).contains(&weighted), "{weighted}");
    }
}
