//! How far two texts are apart, counted in characters, with the values that DuckDB gives.

use hashbrown::HashSet;
use rapidfuzz::distance;

/// A measure of two texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Distance {
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

/// Measures two texts. The similarities of an empty text are 0, as in DuckDB.
pub(crate) fn measure(distance: Distance, a: &str, b: &str) -> f64 {
    if a.is_ascii() && b.is_ascii() {
        of_letters(distance, a.bytes(), b.bytes())
    } else {
        of_letters(distance, a.chars(), b.chars())
    }
}

fn of_letters<I>(measure: Distance, a: I, b: I) -> f64
where
    I: DoubleEndedIterator + Clone,
    I::Item: PartialEq + Copy + std::hash::Hash + Eq + rapidfuzz::HashableChar,
{
    match measure {
        Distance::Levenshtein => distance::levenshtein::distance(a, b) as f64,
        Distance::DamerauLevenshtein => distance::damerau_levenshtein::distance(a, b) as f64,
        _ if a.clone().next().is_none() || b.clone().next().is_none() => 0.0,
        Distance::Jaro => distance::jaro::similarity(a, b),
        Distance::JaroWinkler => distance::jaro_winkler::similarity(a, b),
        Distance::Jaccard => {
            let (a, b): (HashSet<_>, HashSet<_>) = (a.collect(), b.collect());
            let common = a.intersection(&b).count();
            common as f64 / (a.len() + b.len() - common) as f64
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
                    let got = measure(measure_by, x, y);
                    assert!(
                        (got - expected).abs() < 1e-12,
                        "{measure_by:?} {x} {y}: {got}, not {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn an_empty_text_is_like_nothing() {
        assert_eq!(measure(Distance::JaroWinkler, "", ""), 0.0);
        assert_eq!(measure(Distance::Jaro, "", "a"), 0.0);
        assert_eq!(measure(Distance::Levenshtein, "", "abc"), 3.0);
    }
}
