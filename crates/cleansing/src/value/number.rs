//! Numbers and amounts in Vietnamese notation: a point between thousands, a comma before the decimals.

use std::fmt;

use base::{Dong, codes::CodeError, text::fold};

use super::{Outcome, Standard, Step, text::spaces};

/// An exact decimal number, shown with a point and without needless zeros: `1234567.5`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Decimal {
    negative: bool,
    /// Without leading zeros; `0` for none.
    whole: String,
    /// Without trailing zeros; often empty.
    fraction: String,
}

/// Longer numbers are no amounts but numbers of something.
const MOST_DIGITS: usize = 18;

impl Decimal {
    fn new(negative: bool, whole: &str, fraction: &str) -> Option<Self> {
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) || whole.len() + fraction.len() > MOST_DIGITS {
            return None;
        }
        let whole = match whole.trim_start_matches('0') {
            "" => "0",
            digits => digits,
        };
        let fraction = fraction.trim_end_matches('0');
        Some(Self {
            negative: negative && (whole != "0" || !fraction.is_empty()),
            whole: whole.to_owned(),
            fraction: fraction.to_owned(),
        })
    }

    /// The number times ten to the power of `places`.
    fn shifted(&self, places: usize) -> Option<Self> {
        let padded = format!("{:0<places$}", self.fraction);
        let (moved, fraction) = padded.split_at_checked(places)?;
        Self::new(self.negative, &format!("{}{moved}", self.whole), fraction)
    }

    /// The number, where it is whole.
    pub fn whole(&self) -> Option<i64> {
        let size: i64 = self.whole.parse().ok().filter(|_| self.fraction.is_empty())?;
        Some(if self.negative { -size } else { size })
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        let point = if self.fraction.is_empty() { "" } else { "." };
        write!(f, "{sign}{}{point}{}", self.whole, self.fraction)
    }
}

fn not_a_number() -> CodeError {
    CodeError::new(
        "not-a-number",
        "Không phải số. Viết theo dạng 1.234.567,5.",
        "Not a number. Write it as 1.234.567,5.",
    )
}

fn not_an_amount() -> CodeError {
    CodeError::new(
        "not-an-amount",
        "Không phải số tiền bằng đồng. Viết theo dạng 1.234.000.",
        "Not an amount in dong. Write it as 1.234.000.",
    )
}

/// A number: `1.234.567,5`, `1 234 567`, `-12,5`, `(1.200)` as accountants write a negative one; also `1,234,567.50`, where the
/// marks leave no doubt.
///
/// Where a single mark stands before exactly three digits (`1.234`), the Vietnamese meaning is taken and the other is an
/// alternative.
///
/// # Errors
/// `not-a-number`, also for more than 18 digits.
pub fn number(raw: &str) -> Outcome<Decimal> {
    let text = spaces(raw);
    let standard = read(&text)?;
    let changed = standard.value.to_string() != raw;
    Ok(standard.step(Step::Notation, changed))
}

/// A number as a spreadsheet stores it, whatever it shows: with a point before the decimals, or a power of ten.
///
/// # Errors
/// `not-a-number`.
pub fn stored_number(raw: &str) -> Outcome<Decimal> {
    let stored: f64 = raw.trim().parse().map_err(|_| not_a_number())?;
    let shown = stored.abs().to_string();
    let (whole, fraction) = shown.split_once('.').unwrap_or((&shown, ""));
    let value = Decimal::new(stored < 0.0, whole, fraction).ok_or_else(not_a_number)?;
    let changed = value.to_string() != raw;
    Ok(Standard::new(value).step(Step::Notation, changed))
}

/// An amount in dong as a spreadsheet stores it.
///
/// # Errors
/// `not-an-amount`, also for a part of a dong.
pub fn stored_money(raw: &str) -> Outcome<Dong> {
    let number = stored_number(raw).map_err(|_| not_an_amount())?;
    let amount = number.value.whole().ok_or_else(not_an_amount)?;
    Ok(Standard::new(Dong::new(amount)).step(Step::Notation, amount.to_string() != raw))
}

fn read(text: &str) -> Outcome<Decimal> {
    let (negative, body) = match text.strip_prefix('(').and_then(|t| t.strip_suffix(')')) {
        Some(inner) => (true, inner),
        None => match text.strip_prefix(['-', '−', '–']) {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        },
    };
    let body = body.trim();
    let spaced: Vec<&str> = body.split([' ', '\'']).collect();
    // Spaces stand only between thousands.
    let grouped = |parts: &[&str]| {
        parts.first().is_some_and(|first| (1..=3).contains(&first.len()))
            && parts.iter().skip(1).all(|part| part.len() == 3)
    };
    let joined = spaced.concat();
    if let [head @ .., last] = spaced.as_slice()
        && !head.is_empty()
    {
        let last_group: String = last.chars().take_while(char::is_ascii_digit).collect();
        let groups: Vec<&str> = head.iter().copied().chain([last_group.as_str()]).collect();
        if !grouped(&groups) {
            return Err(not_a_number().into());
        }
    }
    let make = |whole: &str, fraction: &str| Decimal::new(negative, whole, fraction).ok_or_else(not_a_number);
    let (points, commas) = (joined.matches('.').count(), joined.matches(',').count());
    let parts_of = |mark: char, text: &str| -> Result<String, CodeError> {
        let parts: Vec<&str> = text.split(mark).collect();
        if grouped(&parts) {
            Ok(parts.concat())
        } else {
            Err(not_a_number())
        }
    };
    let last_is_comma = joined.rfind(',') > joined.rfind('.');
    match (points, commas) {
        (0, 0) => Ok(Standard::new(make(&joined, "")?)),
        (1, 0) | (0, 1) => {
            let mark = if points == 1 { '.' } else { ',' };
            let (whole, rest) = joined.split_once(mark).ok_or_else(not_a_number)?;
            if rest.is_empty() {
                return Err(not_a_number().into());
            }
            let thousands = rest.len() == 3 && (1..=3).contains(&whole.len()) && !whole.starts_with('0');
            let as_decimal = make(whole, rest)?;
            if !thousands {
                return Ok(Standard::new(as_decimal));
            }
            let as_whole = make(&format!("{whole}{rest}"), "")?;
            let (value, other) = if mark == '.' {
                (as_whole, as_decimal)
            } else {
                (as_decimal, as_whole)
            };
            let mut standard = Standard::new(value);
            standard.alternatives.push(other);
            Ok(standard)
        }
        (_, 0) => Ok(Standard::new(make(&parts_of('.', &joined)?, "")?)),
        (0, _) => Ok(Standard::new(make(&parts_of(',', &joined)?, "")?)),
        (_, 1) if last_is_comma => {
            let (whole, fraction) = joined.split_once(',').ok_or_else(not_a_number)?;
            Ok(Standard::new(make(&parts_of('.', whole)?, fraction)?))
        }
        (1, _) if !last_is_comma => {
            let (whole, fraction) = joined.split_once('.').ok_or_else(not_a_number)?;
            Ok(Standard::new(make(&parts_of(',', whole)?, fraction)?))
        }
        _ => Err(not_a_number().into()),
    }
}

/// An amount in dong: a number with or without `đ`, `đồng`, `VND`; also `12 triệu`, `1,5 tỷ`, `500 nghìn`.
///
/// # Errors
/// `not-an-amount`, also for a part of a dong.
pub fn money(raw: &str) -> Outcome<Dong> {
    let text = fold(&spaces(raw));
    let mut body = text.as_str();
    for unit in ["viet nam dong", "vnd", "dong", "d", "vn"] {
        let bare = body.strip_suffix(unit).or_else(|| body.strip_prefix(unit));
        body = bare.map_or(body, str::trim);
    }
    let mut places = 0;
    for (word, power) in [
        ("ty", 9),
        ("ti", 9),
        ("trieu", 6),
        ("tr", 6),
        ("nghin", 3),
        ("ngan", 3),
        ("k", 3),
    ] {
        if let Some(head) = body.strip_suffix(word) {
            (body, places) = (head.trim(), power);
            break;
        }
    }
    let read = read(body).map_err(|_| not_an_amount())?;
    let amount = |n: &Decimal| n.shifted(places).and_then(|n| n.whole()).map(Dong::new);
    // "1,5" is no amount of dong, but "1,5 tỷ" is; "1.234" has one meaning only, as there is no part of a dong.
    let value = amount(&read.value)
        .or_else(|| read.alternatives.first().and_then(amount))
        .ok_or_else(not_an_amount)?;
    let mut standard = Standard::new(value).step(Step::Notation, value.amount().to_string() != raw);
    if places > 0 {
        let others = read
            .alternatives
            .iter()
            .filter_map(amount)
            .filter(|other| *other != value);
        standard.alternatives.extend(others);
    }
    Ok(standard)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_in_both_notations() {
        let shown = |raw: &str| match number(raw) {
            Ok(s) => {
                let others: Vec<String> = s.alternatives.iter().map(|o| format!("or {o}")).collect();
                format!("{} {}", s.value, others.join(" ")).trim_end().to_owned()
            }
            Err(r) => format!("! {}", r.reason.code()),
        };
        for (raw, expected) in [
            ("1.234.567,5", "1234567.5"),
            ("1 234 567", "1234567"),
            ("1,234,567.50", "1234567.5"),
            ("-12,5", "-12.5"),
            ("(1.200)", "-1200 or -1.2"),
            ("1.234", "1234 or 1.234"),
            ("1,234", "1.234 or 1234"),
            ("0.234", "0.234"),
            ("12.5", "12.5"),
            ("007", "7"),
            ("-0", "0"),
            ("1.23.456", "! not-a-number"),
            ("1.234,56,7", "! not-a-number"),
            ("12 34", "! not-a-number"),
            ("1.", "! not-a-number"),
            ("", "! not-a-number"),
            ("mười", "! not-a-number"),
            ("1234567890123456789", "! not-a-number"),
        ] {
            assert_eq!(shown(raw), expected, "{raw}");
        }
    }

    #[test]
    fn amounts() {
        let shown = |raw: &str| money(raw).map(|s| s.value.amount()).map_err(|r| r.reason.code());
        for (raw, amount) in [
            ("1.234.000 đ", 1_234_000),
            ("1.234.000 VNĐ", 1_234_000),
            ("VND 1,234,000", 1_234_000),
            ("1.234", 1234),
            ("12 triệu", 12_000_000),
            ("1,5 tỷ đồng", 1_500_000_000),
            ("500k", 500_000),
            ("-20.000đồng", -20_000),
            ("0", 0),
        ] {
            assert_eq!(shown(raw), Ok(amount), "{raw}");
        }
        for bad in ["12,5", "một triệu", "", "đ", "1.2.3", "999999999999 tỷ"] {
            assert_eq!(shown(bad), Err("not-an-amount"), "{bad}");
        }
    }

    #[test]
    fn spreadsheets_store_points() {
        let number = |raw: &str| {
            stored_number(raw)
                .map(|s| s.value.to_string())
                .map_err(|r| r.reason.code())
        };
        for (raw, value) in [
            ("1234.125", "1234.125"),
            ("1.234", "1.234"),
            ("-5E-2", "-0.05"),
            ("1.2E7", "12000000"),
            ("0", "0"),
        ] {
            assert_eq!(number(raw), Ok(value.to_owned()));
        }
        for bad in ["", "x", "NaN", "inf", "1E300"] {
            assert_eq!(number(bad), Err("not-a-number"), "{bad}");
        }
        let money = |raw: &str| stored_money(raw).map(|s| s.value.amount()).map_err(|r| r.reason.code());
        assert_eq!(
            (money("1234000"), money("1.234"), money("1.2E7")),
            (Ok(1_234_000), Err("not-an-amount"), Ok(12_000_000))
        );
    }

    proptest! {
        #[test]
        fn twice_is_once(raw in "[-(]?[0-9]{1,4}([., ][0-9]{1,3}){0,3}\\)?") {
            if let Ok(once) = number(&raw) {
                // A standard form has a point before its decimals; three of them could be thousands to a Vietnamese reader.
                let shown = once.value.to_string();
                let again = number(&shown).expect("a standard form");
                prop_assert!(again.value == once.value || again.alternatives.contains(&once.value), "{}", shown);
            }
            if let Ok(once) = money(&raw) {
                let again = money(&once.value.amount().to_string()).expect("a standard form");
                prop_assert_eq!((again.value, again.steps.is_empty()), (once.value, true));
            }
        }

        #[test]
        fn any_text_is_taken(raw in "\\PC{0,40}|.{0,20}|[0-9., ()-]{0,24}") {
            let _ = (number(&raw), money(&raw));
        }
    }
}
