//! Words that are one slip of the keyboard apart.

/// Whether `a` and `b` differ by at most one letter left out, put in, changed, or two neighbours swapped
/// (Damerau-Levenshtein distance 1 or less).
pub(super) fn within_one(a: &str, b: &str) -> bool {
    // One letter is at most four bytes: most words are told apart without being taken apart.
    if a.len().abs_diff(b.len()) > 4 {
        return false;
    }
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let (short, long) = if a.len() <= b.len() { (&a, &b) } else { (&b, &a) };
    if long.len() - short.len() > 1 {
        return false;
    }
    let same = short.iter().zip(long.iter()).take_while(|(x, y)| x == y).count();
    if same == long.len() {
        return true;
    }
    if short.len() == long.len() {
        let rest = short[same + 1..] == long[same + 1..];
        let swapped = same + 1 < short.len()
            && short[same] == long[same + 1]
            && short[same + 1] == long[same]
            && short[same + 2..] == long[same + 2..];
        rest || swapped
    } else {
        short[same..] == long[same + 1..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slip_is_forgiven_two_are_not() {
        for (a, b) in [
            ("truong", "truogn"),
            ("nghiep", "nghep"),
            ("nghiep", "nghiepp"),
            ("khai", "khai"),
            ("thuong", "tuuong"),
        ] {
            assert!(within_one(a, b), "{a} {b}");
        }
        for (a, b) in [("truong", "troung1"), ("khai", "khbb"), ("a", "bc"), ("abcd", "badc")] {
            assert!(!within_one(a, b), "{a} {b}");
        }
    }
}
