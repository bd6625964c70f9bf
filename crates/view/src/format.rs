//! Numbers as a Vietnamese reader writes them: `1.234,5`; in English `1,234.5`.

use base::Lang;

/// A whole number with its thousands separated.
pub fn number(lang: Lang, n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if n < 0 {
        out.push('−');
    }
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push_str(lang.t(".", ","));
        }
        out.push(digit);
    }
    out
}

/// A number with up to `places` decimals, trailing zeros dropped. What is not a number is a dash.
pub fn decimal(lang: Lang, n: f64, places: usize) -> String {
    if !n.is_finite() {
        return "–".to_owned();
    }
    let text = format!("{:.*}", places, n.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let fraction = fraction.trim_end_matches('0');
    let mut out = match whole.parse::<i64>() {
        Ok(whole) => number(lang, whole),
        Err(_) => whole.to_owned(),
    };
    if !fraction.is_empty() {
        out.push_str(lang.t(",", "."));
        out.push_str(fraction);
    }
    if n < 0.0 && out.chars().any(|c| c.is_ascii_digit() && c != '0') {
        out.insert(0, '−');
    }
    out
}

/// A whole number of any width, by value or by reference, because templates pass references.
pub trait Whole {
    /// The number, held at the limits of `i64`.
    fn whole(&self) -> i64;
}

impl<T: Whole + ?Sized> Whole for &T {
    fn whole(&self) -> i64 {
        (**self).whole()
    }
}

macro_rules! whole {
    ($($ty:ty)*) => { $(impl Whole for $ty {
        fn whole(&self) -> i64 {
            i64::try_from(*self).unwrap_or(i64::MAX)
        }
    })* };
}
whole!(i8 i16 i32 u8 u16 u32 u64 usize);

impl Whole for i64 {
    fn whole(&self) -> i64 {
        *self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_follow_the_language() {
        assert_eq!(number(Lang::Vi, 1_234_567), "1.234.567");
        assert_eq!(number(Lang::En, -12_345), "−12,345");
        assert_eq!(number(Lang::Vi, 0), "0");
        assert_eq!(number(Lang::Vi, 999), "999");
        assert_eq!(decimal(Lang::Vi, 1234.5, 2), "1.234,5");
        assert_eq!(decimal(Lang::En, 1234.5, 1), "1,234.5");
        assert_eq!(decimal(Lang::Vi, -0.04, 1), "0");
        assert_eq!(decimal(Lang::Vi, -2.25, 2), "−2,25");
        assert_eq!(decimal(Lang::Vi, f64::NAN, 1), "–");
    }
}
