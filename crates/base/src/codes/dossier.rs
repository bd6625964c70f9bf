//! Dossier codes and the pattern they are made by. Two patterns circulate, so the pattern is configuration.

use std::{fmt::Write as _, str::FromStr};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{AgencyCode, CodeError, text_code};

/// The code of a dossier (mã số hồ sơ): `000.00.00.H12-180501-0001`. Digits, capitals, dots and hyphens, up to 80.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DossierCode(String);

text_code!(DossierCode);

const LONGEST: usize = 80;

impl FromStr for DossierCode {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let code = text.trim().to_ascii_uppercase();
        let good = (1..=LONGEST).contains(&code.len())
            && code.starts_with(|c: char| c.is_ascii_alphanumeric())
            && code
                .bytes()
                .all(|c| c.is_ascii_digit() || c.is_ascii_uppercase() || matches!(c, b'.' | b'-'));
        if good {
            return Ok(Self(code));
        }
        Err(CodeError::new(
            "not-a-dossier-code",
            "Mã số hồ sơ có dạng 000.00.00.H12-180501-0001. Mã số ghi trên giấy tiếp nhận hồ sơ và hẹn trả kết quả.",
            "A dossier code looks like 000.00.00.H12-180501-0001. It is on the receipt of the dossier.",
        ))
    }
}

/// How an agency makes its dossier codes, from literal capitals, digits, dots and hyphens and the tokens `{agency}`, `{yyyy}`
/// or `{yy}`, `{mm}`, `{dd}` and `{n:W}`, the number in its sequence with at least `W` digits.
///
/// - `{agency}-{yy}{mm}{dd}-{n:4}` is Circular 01/2018/TT-VPCP art. 19: `000.00.00.H12-180501-0001`.
/// - `{agency}-{yyyy}{mm}{dd}-{n:7}` is seen in 2026: `G09.20-20260609-0092637`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DossierCodePattern {
    source: String,
    tokens: Vec<Token>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Token {
    Literal(char),
    Agency,
    Year { digits: usize },
    Month,
    Day,
    Number { width: usize },
}

impl DossierCodePattern {
    /// The pattern of Circular 01/2018/TT-VPCP art. 19.
    pub const CIRCULAR_01_2018: &'static str = "{agency}-{yy}{mm}{dd}-{n:4}";
    /// The pattern seen on dossiers of 2026.
    pub const SEEN_IN_2026: &'static str = "{agency}-{yyyy}{mm}{dd}-{n:7}";

    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it, with the token. A pattern that could give one code twice is refused: it needs the number,
    /// apart from other digits, and a year with a month and a month with a day.
    pub fn parse(pattern: &str) -> Result<Self, CodeError> {
        pattern.parse()
    }

    /// The name of the counter that numbers this agency's dossiers of this day. Two codes with different keys differ whatever
    /// their numbers, because the key is the code without its number.
    pub fn sequence_key(&self, agency: &AgencyCode, date: Date) -> String {
        self.write(agency, date, None)
    }

    /// The code with number `n` of its sequence, which counts from 1. A number of more digits than the pattern gives makes the
    /// code longer; it is never cut off, since a duplicate would be worse than a wide code.
    ///
    /// # Errors
    /// `not-a-sequence-number` for 0, and `not-a-dossier-code` where agency and pattern together are too long.
    pub fn render(&self, agency: &AgencyCode, date: Date, n: u64) -> Result<DossierCode, CodeError> {
        if n == 0 {
            return Err(CodeError::new(
                "not-a-sequence-number",
                "Số thứ tự hồ sơ bắt đầu từ 1.",
                "Dossiers are numbered from 1.",
            ));
        }
        self.write(agency, date, Some(n)).parse()
    }

    /// Whether this pattern could have made the code.
    pub fn matches(&self, code: &DossierCode) -> bool {
        fits(&self.tokens, code.as_str())
    }

    fn write(&self, agency: &AgencyCode, date: Date, n: Option<u64>) -> String {
        let mut out = String::new();
        for token in &self.tokens {
            let written = match *token {
                Token::Literal(c) => {
                    out.push(c);
                    Ok(())
                }
                Token::Agency => out.write_str(agency.as_str()),
                Token::Year { digits: 2 } => write!(out, "{:02}", date.year().rem_euclid(100)),
                Token::Year { .. } => write!(out, "{:04}", date.year()),
                Token::Month => write!(out, "{:02}", date.month()),
                Token::Day => write!(out, "{:02}", date.day()),
                Token::Number { width } => match n {
                    Some(n) => write!(out, "{n:0width$}"),
                    None => out.write_str("#"),
                },
            };
            debug_assert!(written.is_ok(), "writing to a string cannot fail");
        }
        out
    }
}

fn fits(tokens: &[Token], text: &str) -> bool {
    let Some((token, rest)) = tokens.split_first() else {
        return text.is_empty();
    };
    let digits = |len: usize, range: std::ops::RangeInclusive<u16>| {
        let (head, tail) = (text.get(..len), text.get(len..));
        let number = head
            .filter(|h| h.bytes().all(|c| c.is_ascii_digit()))
            .and_then(|h| h.parse::<u16>().ok());
        number.is_some_and(|n| range.contains(&n)) && tail.is_some_and(|t| fits(rest, t))
    };
    match token {
        Token::Literal(c) => text.strip_prefix(*c).is_some_and(|tail| fits(rest, tail)),
        Token::Year { digits: len } => digits(*len, 0..=9999),
        Token::Month => digits(2, 1..=12),
        Token::Day => digits(2, 1..=31),
        // At most 80 characters, each place tried once: an agency code is as long as what follows lets it be.
        Token::Agency => (1..=text.len()).any(|len| {
            let (head, tail) = (text.get(..len), text.get(len..));
            head.is_some_and(|h| h.parse::<AgencyCode>().is_ok()) && tail.is_some_and(|t| fits(rest, t))
        }),
        Token::Number { width } => {
            let len = text.bytes().take_while(u8::is_ascii_digit).count();
            let (head, tail) = text.split_at(len);
            let padded = len > *width && head.starts_with('0');
            len >= *width && !padded && head.bytes().any(|c| c != b'0') && fits(rest, tail)
        }
    }
}

impl FromStr for DossierCodePattern {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let refused = |vi: &str, en: &str| CodeError::new("not-a-dossier-code-pattern", vi, en);
        let mut tokens = Vec::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if c == '{' {
                let (name, after) = rest.get(1..).and_then(|r| r.split_once('}')).ok_or_else(|| {
                    refused(
                        "Mẫu mã số hồ sơ thiếu dấu đóng ngoặc }.",
                        "The dossier code pattern lacks a closing }.",
                    )
                })?;
                tokens.push(token(name)?);
                rest = after;
            } else if c.is_ascii_digit() || c.is_ascii_uppercase() || matches!(c, '.' | '-') {
                tokens.push(Token::Literal(c));
                rest = rest.get(1..).unwrap_or_default();
            } else {
                return Err(CodeError::new(
                    "not-a-dossier-code-pattern",
                    format!(
                        "Mẫu mã số hồ sơ chỉ gồm chữ hoa không dấu, chữ số, dấu chấm, dấu gạch ngang và các biến; bỏ ký tự “{c}”."
                    ),
                    format!(
                        "A dossier code pattern has capitals, digits, dots, hyphens and tokens only; remove “{c}”."
                    ),
                ));
            }
        }
        let count = |wanted: fn(&Token) -> bool| tokens.iter().filter(|t| wanted(t)).count();
        let numbers = count(|t| matches!(t, Token::Number { .. }));
        let (years, months, days) = (
            count(|t| matches!(t, Token::Year { .. })),
            count(|t| matches!(t, Token::Month)),
            count(|t| matches!(t, Token::Day)),
        );
        if numbers != 1 || years > 1 || months > 1 || days > 1 || count(|t| matches!(t, Token::Agency)) > 1 {
            return Err(refused(
                "Mẫu mã số hồ sơ phải có đúng một biến {n:…}; mỗi biến khác có nhiều nhất một lần.",
                "A dossier code pattern has {n:…} exactly once, and every other token at most once.",
            ));
        }
        if days > months || months > years {
            return Err(refused(
                "Mẫu mã số hồ sơ có ngày thì phải có tháng, có tháng thì phải có năm.",
                "A dossier code pattern with a day needs the month, and with a month needs the year.",
            ));
        }
        let separate =
            |t: Option<&Token>| t.is_none_or(|t| matches!(t, Token::Literal(c) if !c.is_ascii_alphanumeric()));
        let at = tokens
            .iter()
            .position(|t| matches!(t, Token::Number { .. }))
            .unwrap_or(0);
        let before = at.checked_sub(1).and_then(|n| tokens.get(n));
        if !separate(before) || !separate(tokens.get(at + 1)) {
            return Err(refused(
                "Trong mẫu mã số hồ sơ, biến {n:…} phải tách khỏi phần khác bằng dấu chấm hoặc dấu gạch ngang.",
                "In a dossier code pattern, {n:…} must be set apart by a dot or a hyphen.",
            ));
        }
        Ok(Self {
            source: text.to_owned(),
            tokens,
        })
    }
}

fn token(name: &str) -> Result<Token, CodeError> {
    Ok(match name {
        "agency" => Token::Agency,
        "yyyy" => Token::Year { digits: 4 },
        "yy" => Token::Year { digits: 2 },
        "mm" => Token::Month,
        "dd" => Token::Day,
        _ => match name.strip_prefix("n:").and_then(|w| w.parse().ok()) {
            Some(width @ 1..=12) => Token::Number { width },
            _ => {
                return Err(CodeError::new(
                    "not-a-dossier-code-pattern",
                    format!(
                        "Mẫu mã số hồ sơ không có biến {{{name}}}; dùng agency, yyyy, yy, mm, dd hoặc n:1 đến n:12."
                    ),
                    format!(
                        "A dossier code pattern has no token {{{name}}}; use agency, yyyy, yy, mm, dd, or n:1 to n:12."
                    ),
                ));
            }
        },
    })
}

impl std::fmt::Display for DossierCodePattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.source)
    }
}

impl TryFrom<String> for DossierCodePattern {
    type Error = CodeError;
    fn try_from(text: String) -> Result<Self, CodeError> {
        text.parse()
    }
}

impl From<DossierCodePattern> for String {
    fn from(pattern: DossierCodePattern) -> Self {
        pattern.source
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn pattern(text: &str) -> DossierCodePattern {
        DossierCodePattern::parse(text).expect(text)
    }

    #[test]
    fn both_circulating_patterns_are_made_and_recognised() {
        let old = pattern(DossierCodePattern::CIRCULAR_01_2018);
        let new = pattern(DossierCodePattern::SEEN_IN_2026);
        let province: AgencyCode = "000.00.00.H12".parse().expect("a province");
        let department: AgencyCode = "G09.20".parse().expect("a department");
        let first = old.render(&province, date(2018, 5, 1), 1).expect("a code");
        assert_eq!(first.as_str(), "000.00.00.H12-180501-0001");
        let second = new.render(&department, date(2026, 6, 9), 92_637).expect("a code");
        assert_eq!(second.as_str(), "G09.20-20260609-0092637");
        assert!(old.matches(&first) && new.matches(&second));
        assert!(!old.matches(&second) && !new.matches(&first));
        assert_eq!(old.sequence_key(&province, date(2018, 5, 1)), "000.00.00.H12-180501-#");
        assert_eq!(
            serde_json::to_string(&old).expect("a string"),
            format!("\"{}\"", DossierCodePattern::CIRCULAR_01_2018)
        );
    }

    #[test]
    fn numbers_widen_and_never_repeat() {
        let old = pattern(DossierCodePattern::CIRCULAR_01_2018);
        let agency: AgencyCode = "H12".parse().expect("a province");
        let wide = old.render(&agency, date(2018, 5, 1), 10_000).expect("a code");
        assert_eq!(wide.as_str(), "H12-180501-10000");
        assert!(old.matches(&wide));
        assert_eq!(
            old.render(&agency, date(2018, 5, 1), 0).map_err(|e| e.code()),
            Err("not-a-sequence-number")
        );
        for not_made in [
            "H12-180501-00001",
            "H12-180501-0000",
            "H12-181301-0001",
            "H12-180532-0001",
            "12-180501-0001",
            "H12-180501-001",
        ] {
            assert!(!old.matches(&not_made.parse().expect(not_made)), "{not_made}");
        }
    }

    #[test]
    fn a_pattern_that_could_repeat_a_code_is_refused() {
        for bad in [
            "",
            "{agency}",
            "{n:0}",
            "{n:13}",
            "{n}",
            "{n:4}{n:4}",
            "{agency}{n:4}",
            "{dd}-{n:4}",
            "{mm}{dd}-{n:4}",
            "{yy}{mm}{dd}{n:4}",
            "{n:4}1",
            "a-{n:4}",
            "{x}-{n:4}",
            "{n:4",
            "{yy}{yyyy}-{n:4}",
        ] {
            let refused = DossierCodePattern::parse(bad).map_err(|e| e.code());
            assert_eq!(refused, Err("not-a-dossier-code-pattern"), "{bad}");
        }
        for good in ["{n:1}", "HS-{n:6}", "{agency}.{yyyy}.{n:6}", "{yyyy}-{n:5}-{agency}"] {
            pattern(good);
        }
    }

    proptest! {
        #[test]
        fn different_sequences_never_meet(
            text in prop::sample::select(vec![DossierCodePattern::CIRCULAR_01_2018, DossierCodePattern::SEEN_IN_2026, "{agency}.{yyyy}.{n:6}", "{yyyy}-{n:5}-{agency}"]),
            (a, b) in (0_usize..4, 0_usize..4),
            (x, y) in (0_i32..800, 0_i32..800),
            (n, m) in (1_u64..200_000, 1_u64..200_000),
        ) {
            let agencies: Vec<AgencyCode> = ["H12", "H12.1", "000.00.01.H12", "G09.20"].iter().map(|c| c.parse().expect("a code")).collect();
            let pattern = pattern(text);
            let day = |n: i32| date(2026, 1, 1).saturating_add(jiff::Span::new().days(n));
            let one = pattern.render(&agencies[a], day(x), n).expect("a code");
            let two = pattern.render(&agencies[b], day(y), m).expect("a code");
            let same = pattern.sequence_key(&agencies[a], day(x)) == pattern.sequence_key(&agencies[b], day(y)) && n == m;
            prop_assert_eq!(one == two, same);
            prop_assert!(pattern.matches(&one) && pattern.matches(&two));
        }
    }
}
