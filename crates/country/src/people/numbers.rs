//! Serial numbers that no two persons share though nobody asks anybody: each community has its own part of every range, and
//! [`scatter`] hides that order.

use std::collections::HashMap;

use base::codes::Sex;

use crate::dice::scatter;

/// How many communities there can be: each then has 50 personal numbers for one province, year and sex, and 500 old cards that
/// were given out away from home.
pub const MAX_COMMUNITIES: u32 = 20_000;

/// Personal numbers have six free digits.
const PERSONAL: u64 = 1_000_000 / MAX_COMMUNITIES as u64;
/// Old cards have seven; eight tenths go to the communities at home, two tenths to guests.
const CARDS_AT_HOME: u64 = 8_000_000;
const CARDS_OF_GUESTS: u64 = 2_000_000 / MAX_COMMUNITIES as u64;
/// Insurance numbers have eight.
const INSURANCE: u64 = 100_000_000 / MAX_COMMUNITIES as u64;
/// Tax codes have seven between the range and the check digit.
const COMPANIES: u64 = 10_000_000 / MAX_COMMUNITIES as u64;

/// What a community still has of each range.
#[derive(Debug)]
pub struct Numbers {
    seed: u64,
    community: u64,
    /// The first two digits of old cards given out at home, this community's place among those with the same, and how many
    /// these are.
    home: (u8, u64, u64),
    used: HashMap<(Kind, u32), u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Personal,
    CardAtHome,
    CardOfGuest,
    Insurance,
}

impl Numbers {
    /// Of one community.
    pub fn new(seed: u64, community: u32, home: (u8, u64, u64)) -> Self {
        Self {
            seed,
            community: community.into(),
            home,
            used: HashMap::new(),
        }
    }

    /// The next place in this community's part; none when it is used up.
    fn take(&mut self, kind: Kind, range: u32, room: u64) -> Option<u64> {
        let used = self.used.entry((kind, range)).or_default();
        *used += 1;
        (*used <= room).then(|| *used - 1)
    }

    fn key(&self, kind: Kind, range: u32) -> u64 {
        self.seed ^ (kind as u64 + 1) << 56 ^ u64::from(range)
    }

    /// A personal number: birthplace (three digits), century and sex, year, six digits.
    pub fn personal(&mut self, birthplace: u16, born: i32, sex: Sex) -> Option<u64> {
        let century = (born / 100 - 19) * 2 + i32::from(sex == Sex::Female);
        let range = u32::from(birthplace) * 1_000 + (century * 100 + born % 100) as u32;
        let at = self.community * PERSONAL + self.take(Kind::Personal, range, PERSONAL)?;
        Some(u64::from(range) * 1_000_000 + scatter(at, 1_000, self.key(Kind::Personal, range)))
    }

    /// A 9-digit card number that begins with the two digits of a province.
    pub fn old_card(&mut self, digits: u8) -> Option<u32> {
        let (home, nth, of) = self.home;
        let range = u32::from(digits);
        let at = if digits == home {
            let room = CARDS_AT_HOME / of.max(1);
            nth * room + self.take(Kind::CardAtHome, range, room)?
        } else {
            let taken = self.take(Kind::CardOfGuest, range, CARDS_OF_GUESTS)?;
            CARDS_AT_HOME + self.community * CARDS_OF_GUESTS + taken
        };
        // Ten million is no square: two halves of a square of 3,163 would leave holes, so the top digit stands apart.
        let (top, rest) = (at / 1_000_000, at % 1_000_000);
        let scattered = scatter(rest, 1_000, self.key(Kind::CardAtHome, range * 10 + top as u32));
        Some(range * 10_000_000 + (top * 1_000_000 + scattered) as u32)
    }

    /// A social insurance number: two digits of the province that gave it out, eight more.
    pub fn insurance(&mut self, province: u8) -> Option<u64> {
        let range = u32::from(province);
        let at = self.community * INSURANCE + self.take(Kind::Insurance, range, INSURANCE)?;
        Some(u64::from(range) * 100_000_000 + scatter(at, 10_000, self.key(Kind::Insurance, range)))
    }
}

/// The tax code of the `nth` company of a community, ten digits with the check digit of Circular 105/2020/TT-BTC art. 5; none
/// where that stem would need the check "10" and is never given out, or the community has no more.
pub fn company_stem(seed: u64, community: u32, range: u8, nth: u64) -> Option<u64> {
    if nth >= COMPANIES {
        return None;
    }
    let at = u64::from(community) * COMPANIES + nth;
    let (top, rest) = (at / 1_000_000, at % 1_000_000);
    let serial = top * 1_000_000 + scatter(rest, 1_000, seed ^ 0x7a << 56 ^ u64::from(range) << 8 ^ top);
    let stem = u64::from(range) * 10_000_000 + serial;
    const WEIGHTS: [u64; 9] = [3, 5, 7, 13, 17, 19, 23, 29, 31];
    let mut digits = stem;
    let mut sum = 0;
    for weight in WEIGHTS {
        sum += digits % 10 * weight;
        digits /= 10;
    }
    let check = 10 - sum % 11;
    (serial > 0 && check < 10).then_some(stem * 10 + check)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use base::codes::{PersonNumber, TaxCode};

    use super::*;

    #[test]
    fn numbers_are_unique_across_communities_and_follow_their_rules() {
        let (mut personal, mut cards, mut insurance, mut tax) =
            (HashSet::new(), HashSet::new(), HashSet::new(), HashSet::new());
        for community in [0, 1, 2, 9_999, MAX_COMMUNITIES - 1] {
            let mut numbers = Numbers::new(7, community, (16, u64::from(community), 20_000));
            for _ in 0..50 {
                let number = numbers.personal(37, 1990, Sex::Female).expect("room for fifty");
                let text = format!("{number:012}");
                let parsed: PersonNumber = text.parse().expect("well formed");
                assert_eq!((parsed.sex(), parsed.birth_year()), (Sex::Female, 1990));
                assert!(personal.insert(number));
                assert!(cards.insert(numbers.old_card(16).expect("room at home")));
                assert!(cards.insert(numbers.old_card(1).expect("room for a guest")));
                assert!(insurance.insert(numbers.insurance(37).expect("room")));
            }
            assert_eq!(numbers.personal(37, 1990, Sex::Female), None, "the part is used up");
            for code in (0..100).filter_map(|nth| company_stem(7, community, 27, nth)) {
                assert!(format!("{code:010}").parse::<TaxCode>().is_ok(), "{code:010}");
                assert!(tax.insert(code));
            }
        }
        assert!(tax.len() > 400);
        assert!(cards.iter().all(|card| (10_000_000..170_000_000).contains(card)));
    }
}
