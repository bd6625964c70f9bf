//! How far two texts are apart, counted in characters, with the values that DuckDB gives.

use hashbrown::HashSet;
use rapidfuzz::{HashableChar, distance};

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
        measure(self, a, b, None)
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

/// Texts of up to so many characters are compared without allocating.
const SHORT: usize = 64;

/// As [`Distance::between`]. With a bound, a distance above it may come out as infinite: who asks whether it is at most that
/// needs no more.
pub(crate) fn measure(distance: Distance, a: &str, b: &str, bound: Option<f64>) -> f64 {
    if a.is_ascii() && b.is_ascii() {
        return of_letters(distance, a.as_bytes(), b.as_bytes(), bound);
    }
    let (mut left, mut right) = ([char::MIN; SHORT], [char::MIN; SHORT]);
    match (letters(a, &mut left), letters(b, &mut right)) {
        (Some(a), Some(b)) => of_letters(distance, a, b, bound),
        _ => {
            let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            of_letters(distance, &a, &b, bound)
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

/// A letter that is found fast in a short text.
trait Letter: Copy + Eq + std::hash::Hash + HashableChar {
    /// Where each letter of a text stands, a bit a place.
    type Places;

    fn places(text: &[Self]) -> Self::Places;

    /// Where this letter stands in the text.
    fn among(self, text: &[Self], places: &Self::Places) -> u64;
}

/// Of ASCII: what is above it is nowhere.
impl Letter for u8 {
    type Places = [u64; 128];

    fn places(text: &[Self]) -> Self::Places {
        let mut places = [0; 128];
        for (n, letter) in text.iter().enumerate() {
            if let Some(places) = places.get_mut(usize::from(*letter)) {
                *places |= 1 << n;
            }
        }
        places
    }

    fn among(self, _: &[Self], places: &Self::Places) -> u64 {
        places.get(usize::from(self)).copied().unwrap_or(0)
    }
}

impl Letter for char {
    type Places = ();

    fn places(_: &[Self]) -> Self::Places {}

    fn among(self, text: &[Self], (): &Self::Places) -> u64 {
        let bit = |bits, letter: &Self| bits << 1 | u64::from(*letter == self);
        text.iter().rev().fold(0, bit)
    }
}

fn of_letters<T: Letter>(measure: Distance, a: &[T], b: &[T], bound: Option<f64>) -> f64 {
    match measure {
        Distance::Levenshtein => match short_edits::<false, T>(a, b) {
            Some(edits) => f64::from(edits),
            None => distance::levenshtein::distance(a.iter().copied(), b.iter().copied()) as f64,
        },
        Distance::DamerauLevenshtein => {
            // Where only neighbours change places and nothing happens between them, this is exact up to 2, and never more
            // than half as much again.
            match (short_edits::<true, T>(a, b), bound) {
                (Some(edits), _) if edits <= 2 => f64::from(edits),
                (Some(edits), Some(bound)) if f64::from(edits) > 1.5 * bound => f64::INFINITY,
                _ => distance::damerau_levenshtein::distance(a.iter().copied(), b.iter().copied()) as f64,
            }
        }
        _ if a.is_empty() || b.is_empty() => 0.0,
        Distance::Jaro => jaro(a, b),
        Distance::JaroWinkler => {
            let jaro = jaro(a, b);
            let beginning = a.iter().zip(b).take(4).take_while(|(x, y)| x == y).count();
            // In one rounding, as DuckDB does: some values lie on a threshold to the last bit.
            if jaro > 0.7 {
                (beginning as f64 * 0.1).mul_add(1.0 - jaro, jaro)
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

/// How many edits make one text out of the other, a column of the table at a time in the bits of a word (Myers 1999, Hyyrö
/// 2003); with `SWAPS`, neighbours may change places. `None` where a text is too long for that.
fn short_edits<const SWAPS: bool, T: Letter>(a: &[T], b: &[T]) -> Option<u32> {
    if a.is_empty() || b.is_empty() || a.len() > SHORT || b.len() > SHORT {
        return (a.is_empty() || b.is_empty()).then_some(a.len().max(b.len()) as u32);
    }
    let places = T::places(a);
    let last = 1u64 << (a.len() - 1);
    let (mut up, mut down, mut diagonal, mut before) = (u64::MAX, 0u64, 0u64, 0u64);
    let mut edits = a.len() as u32;
    for y in b {
        let equal = y.among(a, &places);
        let swapped = if SWAPS { ((!diagonal & equal) << 1) & before } else { 0 };
        diagonal = ((equal & up).wrapping_add(up) ^ up) | equal | down | swapped;
        let (more, less) = (down | !(diagonal | up), diagonal & up);
        edits += u32::from(more & last != 0);
        edits -= u32::from(less & last != 0);
        let (more, less) = (more << 1 | 1, less << 1);
        up = less | !(diagonal | more);
        down = more & diagonal;
        before = equal;
    }
    Some(edits)
}

/// The similarity of Jaro: characters that both have at about the same place, and how many of them changed places.
fn jaro<T: Letter>(a: &[T], b: &[T]) -> f64 {
    if a.len() > SHORT || b.len() > SHORT {
        return distance::jaro::similarity(a.iter().copied(), b.iter().copied());
    }
    let places = T::places(a);
    let reach = (a.len().max(b.len()) / 2).saturating_sub(1);
    // What is near the first letter of `b`; it moves on with each.
    let mut near = u64::MAX >> (SHORT - 1 - reach);
    let (mut in_a, mut in_b) = (0u64, 0u64);
    for (j, y) in b.iter().enumerate() {
        let free = y.among(a, &places) & near & !in_a;
        // The first of them, if there is one.
        in_a |= free & free.wrapping_neg();
        in_b |= u64::from(free != 0) << j;
        near = near << 1 | u64::from(j < reach);
    }
    let common = in_a.count_ones();
    if common == 0 {
        return 0.0;
    }
    let moved = at_places(a, in_a)
        .zip(at_places(b, in_b))
        .filter(|(x, y)| x != y)
        .count()
        / 2;
    let common = f64::from(common);
    (common / a.len() as f64 + common / b.len() as f64 + (common - moved as f64) / common) / 3.0
}

fn at_places<T>(letters: &[T], mut places: u64) -> impl Iterator<Item = &T> {
    std::iter::from_fn(move || {
        let place = (places != 0).then(|| places.trailing_zeros() as usize)?;
        places &= places - 1;
        letters.get(place)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
        fn jaro_is_that_of_the_library(a in "[a-dđ]{0,12}", b in "[a-dđ]{0,12}", long in "[ab]{60,70}") {
            for (a, b) in [(&a, &b), (&long, &a), (&long, &long)] {
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
    }
}
