//! How far two texts are apart, counted in characters, with the values that DuckDB gives.

mod bits;

use hashbrown::HashSet;
use rapidfuzz::distance;

use bits::{Letter, Places};

/// A measure of two texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Distance {
    /// Jaro similarity, 0 to 1.
    Jaro,
    /// Jaro-Winkler similarity: a common beginning of up to four characters lifts what is above 0.7.
    JaroWinkler,
    /// Insertions, deletions and replacements.
    Levenshtein,
    /// As Levenshtein, with neighbours that changed places as one step.
    DamerauLevenshtein,
    /// Common characters over all characters, each counted once.
    Jaccard,
}

impl Distance {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Jaro,
        Self::JaroWinkler,
        Self::Levenshtein,
        Self::DamerauLevenshtein,
        Self::Jaccard,
    ];

    /// Its name in SQL, that of DuckDB.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jaro => "jaro_similarity",
            Self::JaroWinkler => "jaro_winkler_similarity",
            Self::Levenshtein => "levenshtein",
            Self::DamerauLevenshtein => "damerau_levenshtein",
            Self::Jaccard => "jaccard",
        }
    }

    /// Measures two texts. The similarities of an empty text are 0, as in DuckDB.
    pub fn between(self, a: &str, b: &str) -> f64 {
        Ruler::default().measure(self, a.as_bytes(), b.as_bytes(), None)
    }

    /// By its name in SQL: that of DuckDB, of Spark or of SQLite.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "jaro_winkler_similarity" | "jaro_winkler" => Self::JaroWinkler,
            "jaro_similarity" | "jaro_sim" => Self::Jaro,
            "levenshtein" | "editdist3" => Self::Levenshtein,
            "damerau_levenshtein" => Self::DamerauLevenshtein,
            "jaccard" => Self::Jaccard,
            _ => return None,
        })
    }

    /// Whether more means less alike.
    pub(crate) const fn is_distance(self) -> bool {
        matches!(self, Self::Levenshtein | Self::DamerauLevenshtein)
    }
}

/// Texts of up to so many characters are compared in one word, without allocating.
const SHORT: usize = u64::BITS as usize;
/// The same in two words.
const LONG: usize = u128::BITS as usize;

/// Measures texts, one pair after the other.
#[derive(Debug, Default)]
pub(crate) struct Ruler {
    short: Places<u64>,
    long: Places<u128>,
}

impl Ruler {
    /// Measures two texts in UTF-8. The similarities of an empty text are 0, as in DuckDB.
    ///
    /// With a bound, a distance above it may come out as infinite, and a similarity below it as 0: who asks on which side of
    /// it they are needs no more.
    pub(crate) fn measure(&mut self, distance: Distance, a: &[u8], b: &[u8], bound: Option<f64>) -> f64 {
        if a.is_ascii() && b.is_ascii() {
            return self.of_letters(distance, a, b, bound);
        }
        let [a, b] = [a, b].map(|text| std::str::from_utf8(text).unwrap_or_default());
        let (mut left, mut right) = ([char::MIN; SHORT], [char::MIN; SHORT]);
        match (letters(a, &mut left), letters(b, &mut right)) {
            (Some(a), Some(b)) => self.of_letters(distance, a, b, bound),
            _ => {
                let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
                self.of_letters(distance, &a, &b, bound)
            }
        }
    }

    fn of_letters<T: Letter>(&mut self, by: Distance, a: &[T], b: &[T], bound: Option<f64>) -> f64 {
        match by {
            Distance::Levenshtein => {
                let limit = bound.map_or(u32::MAX, |bound| bound as u32);
                self.short_edits::<false, T>(a, b, limit)
                    .unwrap_or_else(|| distance::levenshtein::distance(a.iter().copied(), b.iter().copied()) as f64)
            }
            Distance::DamerauLevenshtein => {
                // Where only neighbours change places and nothing happens between them, this is exact up to 2, and never
                // more than half as much again.
                let limit = bound.map_or(u32::MAX, |bound| (1.5 * bound) as u32);
                match self.short_edits::<true, T>(a, b, limit) {
                    Some(edits) if edits <= 2.0 => edits,
                    Some(edits) if edits > f64::from(limit) => f64::INFINITY,
                    _ => distance::damerau_levenshtein::distance(a.iter().copied(), b.iter().copied()) as f64,
                }
            }
            _ if a.is_empty() || b.is_empty() => 0.0,
            Distance::Jaro => self.jaro(a, b, bound.unwrap_or(0.0)),
            Distance::JaroWinkler => {
                let beginning = a.iter().zip(b).take(4).take_while(|(x, y)| x == y).count();
                let lift = beginning as f64 * 0.1;
                let least = match bound {
                    Some(bound) if bound > 0.7 => ((bound - lift) / (1.0 - lift)).max(0.7),
                    bound => bound.unwrap_or(0.0),
                };
                let jaro = self.jaro(a, b, least);
                // In one rounding, as DuckDB does: some values lie on a threshold to the last bit.
                if jaro > 0.7 {
                    lift.mul_add(1.0 - jaro, jaro)
                } else {
                    jaro
                }
            }
            Distance::Jaccard => {
                let (a, b): (HashSet<T>, HashSet<T>) = (a.iter().copied().collect(), b.iter().copied().collect());
                let common = a.intersection(&b).count();
                common as f64 / (a.len() + b.len() - common) as f64
            }
        }
    }

    /// How many edits make one text out of the other, a column of the table at a time in the bits of a word (Myers 1999,
    /// Hyyrö 2003); with `SWAPS`, neighbours may change places. What is above the limit may come out as infinite. `None`
    /// where a text is too long for that.
    fn short_edits<const SWAPS: bool, T: Letter>(&mut self, a: &[T], b: &[T], limit: u32) -> Option<f64> {
        if a.is_empty() || b.is_empty() {
            return Some(a.len().max(b.len()) as f64);
        }
        if a.len() > SHORT || b.len() > SHORT {
            return None;
        }
        if a.len().abs_diff(b.len()) > limit as usize {
            return Some(f64::INFINITY);
        }
        let edits = bits::edits::<SWAPS, T>(a, b, limit, &mut self.short);
        Some(edits.map_or(f64::INFINITY, f64::from))
    }

    /// The similarity of Jaro: characters that both have at about the same place, and how many of them changed places. One
    /// below the least that is asked for may come out as 0.
    fn jaro<T: Letter>(&mut self, a: &[T], b: &[T], least: f64) -> f64 {
        let (length_a, length_b) = (a.len() as f64, b.len() as f64);
        // Common characters without which the least is out of reach, though none changed places; rounding spared.
        let needed = (3.0 * least - 1.0) * (length_a * length_b) / (length_a + length_b) - 1e-6;
        let needed = needed.ceil().max(0.0) as usize;
        let Some(strangers) = b.len().checked_sub(needed).filter(|_| needed <= a.len()) else {
            return 0.0;
        };
        let longer = a.len().max(b.len());
        if longer <= SHORT {
            bits::jaro(a, b, strangers, &mut self.short)
        } else if longer <= LONG {
            bits::jaro(a, b, strangers, &mut self.long)
        } else {
            distance::jaro::similarity(a.iter().copied(), b.iter().copied())
        }
    }
}

/// The characters of a text, if they fit.
fn letters<'a>(text: &str, into: &'a mut [char; SHORT]) -> Option<&'a [char]> {
    let mut count = 0;
    for c in text.chars() {
        *into.get_mut(count)? = c;
        count += 1;
    }
    into.get(..count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn measure(by: Distance, a: &str, b: &str, bound: Option<f64>) -> f64 {
        let mut ruler = Ruler::default();
        let measured = ruler.measure(by, a.as_bytes(), b.as_bytes(), bound);
        assert!(
            ruler.short.is_clear() && ruler.long.is_clear(),
            "what is marked is unmarked"
        );
        measured
    }

    /// What DuckDB 2.0.1 answered: Jaro-Winkler, Jaro, Levenshtein, Damerau-Levenshtein, Jaccard.
    const DUCKDB: [(&str, &str, [f64; 5]); 9] = [
        (
            "martha",
            "marhta",
            [0.961_111_111_111_111_1, 0.944_444_444_444_444_4, 2.0, 1.0, 1.0],
        ),
        (
            "dixon",
            "dicksonx",
            [0.813_333_333_333_333_2, 0.766_666_666_666_666_6, 4.0, 4.0, 0.625],
        ),
        (
            "nguyễn",
            "nguyên",
            [
                0.933_333_333_333_333_3,
                0.888_888_888_888_889,
                1.0,
                1.0,
                0.666_666_666_666_666_6,
            ],
        ),
        (
            "đặng",
            "đàng",
            [0.850_000_000_000_000_1, 0.833_333_333_333_333_4, 1.0, 1.0, 0.6],
        ),
        ("a", "b", [0.0, 0.0, 1.0, 1.0, 0.0]),
        ("ca", "abc", [0.0, 0.0, 3.0, 2.0, 0.666_666_666_666_666_6]),
        (
            "aaaaaaaaab",
            "aaaaaaaaac",
            [0.96, 0.933_333_333_333_333_2, 1.0, 1.0, 0.333_333_333_333_333_3],
        ),
        (
            "abcd",
            "badc",
            [0.833_333_333_333_333_4, 0.833_333_333_333_333_4, 3.0, 2.0, 1.0],
        ),
        (
            "abc",
            "abcx",
            [0.941_666_666_666_666_7, 0.916_666_666_666_666_6, 1.0, 1.0, 0.75],
        ),
    ];

    #[test]
    fn values_are_those_of_duckdb() {
        for (a, b, expected) in DUCKDB {
            let measures = [
                Distance::JaroWinkler,
                Distance::Jaro,
                Distance::Levenshtein,
                Distance::DamerauLevenshtein,
                Distance::Jaccard,
            ];
            for (measure_by, expected) in measures.into_iter().zip(expected) {
                for (x, y) in [(a, b), (b, a)] {
                    let got = measure(measure_by, x, y, None);
                    assert!(
                        (got - expected).abs() < 1e-12,
                        "{measure_by:?} {x} {y}: {got}, not {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_value_on_a_threshold_is_on_it_to_the_last_bit() {
        assert_eq!(
            measure(Distance::JaroWinkler, "do van minh", "ddoox vawn minh", None),
            0.92
        );
        assert_eq!(measure(Distance::JaroWinkler, "bdcad", "b ca", None), 0.805);
    }

    #[test]
    fn an_empty_text_is_like_nothing() {
        assert_eq!(measure(Distance::JaroWinkler, "", "", None), 0.0);
        assert_eq!(measure(Distance::Jaro, "", "a", None), 0.0);
        assert_eq!(measure(Distance::Levenshtein, "", "abc", None), 3.0);
    }

    proptest! {
        #[test]
        fn jaro_is_that_of_the_library(a in "[a-dđ]{0,12}", b in "[a-dđ]{0,12}", long in "[ab]{60,135}", other in "[abđ]{60,135}") {
            for (a, b) in [(&a, &b), (&long, &a), (&long, &long), (&long, &other)] {
                if !a.is_empty() && !b.is_empty() {
                    let library = distance::jaro_winkler::similarity(a.chars(), b.chars());
                    prop_assert!((measure(Distance::JaroWinkler, a, b, None) - library).abs() < 1e-12);
                }
            }
        }

        #[test]
        fn edits_are_those_of_the_library(a in "[a-cđ]{0,9}", b in "[a-cđ]{0,9}", long in "[ab]{62,66}") {
            for (a, b) in [(&a, &b), (&long, &a), (&long, &long)] {
                let levenshtein = distance::levenshtein::distance(a.chars(), b.chars()) as f64;
                prop_assert_eq!(measure(Distance::Levenshtein, a, b, None), levenshtein);
                let damerau = distance::damerau_levenshtein::distance(a.chars(), b.chars()) as f64;
                prop_assert_eq!(measure(Distance::DamerauLevenshtein, a, b, None), damerau);
            }
        }

        #[test]
        fn a_bound_changes_nothing_up_to_it(a in "[a-c]{0,8}", b in "[a-c]{0,8}", bound in 0u8..5) {
            for by in [Distance::Levenshtein, Distance::DamerauLevenshtein] {
                let (free, bound) = (measure(by, &a, &b, None), f64::from(bound));
                let bounded = measure(by, &a, &b, Some(bound));
                let right = if free <= bound { bounded == free } else { bounded > bound };
                prop_assert!(right, "{:?} {} {}", by, free, bounded);
            }
        }

        #[test]
        fn a_bound_changes_nothing_from_it_on(a in "[a-c]{0,12}", b in "[a-c]{0,12}", other in "[a-cđ ]{0,135}", bound in 0u8..=20) {
            for by in [Distance::Jaro, Distance::JaroWinkler, Distance::Jaccard] {
                for b in [&b, &other] {
                    let free = measure(by, &a, b, None);
                    // Some round bound, and the value itself.
                    for bound in [f64::from(bound) / 20.0, free] {
                        let bounded = measure(by, &a, b, Some(bound));
                        let right = if free >= bound { bounded == free } else { bounded < bound };
                        prop_assert!(right, "{:?} {} {} {}", by, bound, free, bounded);
                    }
                }
            }
        }
    }
}
