//! Nearness of two names.

/// The number of letters to change, drop, add or swap with a neighbour to make `b` of `a`; `None` above `bound`.
/// Both are keys: ASCII, shorter than 64 letters.
pub(super) fn distance(a: &str, b: &str, bound: usize) -> Option<usize> {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len().abs_diff(b.len()) > bound || a.len() >= 64 || b.len() >= 64 {
        return None;
    }
    let mut rows = [[0_usize; 64]; 3];
    for (n, cell) in rows[0].iter_mut().enumerate() {
        *cell = n;
    }
    for (i, x) in a.iter().enumerate() {
        let (now, last, before) = ((i + 1) % 3, i % 3, (i + 2) % 3);
        rows[now][0] = i + 1;
        let mut least = i + 1;
        for (j, y) in b.iter().enumerate() {
            let mut best = (rows[last][j] + usize::from(x != y))
                .min(rows[last][j + 1] + 1)
                .min(rows[now][j] + 1);
            if i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x) {
                best = best.min(rows[before][j - 1] + 1);
            }
            rows[now][j + 1] = best;
            least = least.min(best);
        }
        if least > bound {
            return None;
        }
    }
    Some(rows[a.len() % 3][b.len()]).filter(|d| *d <= bound)
}

/// How many mistakes a name of this length may have.
pub(super) const fn bound(length: usize) -> usize {
    match length {
        0..=3 => 0,
        4..=7 => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn mistakes_are_counted() {
        for (a, b, d) in [
            ("dichvong", "dichvong", Some(0)),
            ("dichvong", "dichvon", Some(1)),
            ("dichvong", "dihcvong", Some(1)),
            ("caugiay", "caudai", None),
            ("", "ab", Some(2)),
            ("ab", "", Some(2)),
        ] {
            assert_eq!(distance(a, b, 2), d, "{a} {b}");
        }
    }

    proptest! {
        #[test]
        fn it_is_symmetric_and_takes_any_text(a in "[a-z]{0,70}", b in "[a-z]{0,70}") {
            prop_assert_eq!(distance(&a, &b, 3), distance(&b, &a, 3));
            prop_assert_eq!(distance(&a, &a, 3), (a.len() < 64).then_some(0));
        }
    }
}
