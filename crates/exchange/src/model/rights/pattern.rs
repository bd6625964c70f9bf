//! Patterns of paths, with X-Road's meaning (reference 2.5): `*` is any run of characters within a segment, `**` any
//! run, `\*` a star. A pattern fits the whole path.
//!
//! It is compared with the raw path, escape by escape: a wildcard takes an escape as one character and a character
//! stands for the bytes that it is written with. So a path that fits also fits when somebody decodes what needed no
//! escape.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::model::{
    address::{PathFlaw, ServicePath},
    escape::{self, Unit, is_unreserved},
    reason::reasons,
};

const LONGEST: usize = 1024;

reasons! {
    /// Why a text is no pattern.
    pub enum PatternFlaw {
        NotAbsolute = "pattern-not-absolute",
            "Mẫu đường dẫn phải rỗng, hoặc bắt đầu bằng “/” hoặc “**”.",
            "A pattern is empty, or begins with “/” or “**”.";
        TooLong = "pattern-too-long",
            "Mẫu đường dẫn dài hơn 1024 byte.",
            "The pattern is longer than 1024 bytes.";
        NeedlessEscape = "pattern-needless-escape",
            "Mẫu đường dẫn mã hóa ký tự không cần mã hóa, ví dụ %41; viết thẳng ký tự đó.",
            "The pattern escapes a character that needs no escape, such as %41; write the character itself.";
        NoSuchPath = "pattern-no-such-path",
            "Không có đường dẫn hợp lệ nào khớp với mẫu này: mẫu có “//”, “..”, %2F hoặc ký tự phải mã hóa.",
            "No path that is let through fits this pattern: it has “//”, “..”, %2F or a character that has to be encoded.";
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Unit(Unit),
    /// `*`
    InSegment,
    /// `**`
    Any,
}

/// A pattern: `/pet/*`, `/pet/*/image`, `**`. `%c3` in it does not fit `%C3` in a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern {
    text: String,
    tokens: Vec<Token>,
}

impl Pattern {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the whole path fits.
    pub fn matches(&self, path: &ServicePath) -> bool {
        self.fits(path.units().into_iter().map(Token::Unit))
    }

    /// Whether every path that fits the other fits this one too. Careful: where it takes more than a wildcard of this for
    /// each wildcard of the other to be sure, it says no.
    pub fn covers(&self, other: &Self) -> bool {
        self.fits(other.tokens.iter().copied())
    }

    /// Whether the tokens fit, of which a wildcard stands for whatever it may stand for: only a wildcard that takes all of
    /// that takes it. `states[n]` when those so far lead to the first n tokens of the pattern.
    fn fits(&self, path: impl Iterator<Item = Token>) -> bool {
        let wild = |n: usize| matches!(self.tokens.get(n), Some(Token::InSegment | Token::Any));
        let mut states = vec![false; self.tokens.len() + 1];
        states[0] = true;
        // A wildcard fits nothing at all.
        let skip_wild = |states: &mut [bool]| {
            for n in 0..states.len() - 1 {
                if states[n] && wild(n) {
                    states[n + 1] = true;
                }
            }
        };
        skip_wild(&mut states);
        let mut next = vec![false; states.len()];
        for unit in path {
            next.fill(false);
            for (n, token) in self.tokens.iter().enumerate().filter(|(n, _)| states[*n]) {
                match token {
                    Token::Unit(_) => next[n + 1] |= *token == unit,
                    Token::InSegment => next[n] |= !matches!(unit, Token::Any | Token::Unit(Unit::SLASH)),
                    Token::Any => next[n] = true,
                }
            }
            skip_wild(&mut next);
            std::mem::swap(&mut states, &mut next);
        }
        states.last().copied().unwrap_or_default()
    }
}

impl FromStr for Pattern {
    type Err = PatternFlaw;

    fn from_str(text: &str) -> Result<Self, PatternFlaw> {
        if text.len() > LONGEST {
            return Err(PatternFlaw::TooLong);
        }
        if !(text.is_empty() || text.starts_with('/') || text.starts_with("**")) {
            return Err(PatternFlaw::NotAbsolute);
        }
        let (mut tokens, mut sample) = (Vec::new(), String::new());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let (token, length) = match first {
                '*' if rest.starts_with("**") => (Token::Any, 2),
                '*' => (Token::InSegment, 1),
                '\\' if rest.starts_with("\\*") => (Token::Unit(Unit::plain(b'*')), 2),
                _ => {
                    let unit = escape::units(rest.as_bytes()).next();
                    let unit = unit.and_then(Result::ok).ok_or(PatternFlaw::NoSuchPath)?;
                    if unit.is_escape() && is_unreserved(unit.octet()) {
                        return Err(PatternFlaw::NeedlessEscape);
                    }
                    (Token::Unit(unit), if unit.is_escape() { 3 } else { 1 })
                }
            };
            sample.push_str(match token {
                Token::Unit(_) => &rest[..length],
                Token::InSegment => "x",
                Token::Any if sample.is_empty() => "/x",
                Token::Any => "x",
            });
            tokens.push(token);
            rest = &rest[length..];
        }
        match ServicePath::parse(sample.replace("\\*", "*").as_bytes()) {
            // A wildcard may stand for part of a character's octets.
            Ok(_) | Err(PathFlaw::NotUtf8) => Ok(Self {
                text: text.to_owned(),
                tokens,
            }),
            Err(_) => Err(PatternFlaw::NoSuchPath),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for Pattern {
    type Error = PatternFlaw;
    fn try_from(text: String) -> Result<Self, PatternFlaw> {
        text.parse()
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        let pattern: Pattern = pattern.parse().expect(pattern);
        pattern.matches(&ServicePath::parse(path.as_bytes()).expect(path))
    }

    #[test]
    fn stars_mean_what_they_mean_in_x_road() {
        // PathGlobTest, the cases that paths of ours can have, and PR-MREST Annex B.
        for (pattern, path, expected) in [
            ("**", "", true),
            ("***", "/match/anything/*", true),
            ("**", "/a/b/c", true),
            ("/*/", "/a/", true),
            ("/*/", "/a/b/", false),
            ("", "", true),
            ("", "/", false),
            ("**/bar/**", "/a/b/c/bar/e/f", true),
            ("**/bar/**", "/a/b/c/foo/e/f", false),
            ("**\\*", "/what/ever*", true),
            ("**\\*", "/what/ever!", false),
            ("/simple", "/simple", true),
            ("/simple", "/prefix.simple.suffix", false),
            ("**/*/**", "/something/bar/something/else", true),
            ("**/*/**", "/bar/", true),
            ("/pet/*", "/pet/1", true),
            ("/pet/*", "/pet/", true),
            ("/pet/*", "/pet", false),
            ("/pet/*", "/pet/1/image", false),
            ("/pet/*/image", "/pet/1/image", true),
            ("/pet/**", "/pet/1/image", true),
            ("/a*c*e", "/abcde", true),
            ("/a*c*e", "/abcd", false),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn a_pattern_covers_what_is_narrower() {
        for (wide, narrow, expected) in [
            ("**", "", true),
            ("**", "/a/**", true),
            ("/a/**", "/a/**", true),
            ("/a/**", "/a/*/b", true),
            ("/a/*", "/a/b", true),
            ("/a/*", "/a/b*", true),
            ("/a/*", "/a/**", false),
            ("/a/*", "/a/*/b", false),
            ("/*/*", "/**", false),
            ("/*/**", "/**", false),
            ("/a/b", "/a/*", false),
            ("/a*c", "/a*b*c", true),
            ("/z*", "/*", false),
            ("", "**", false),
        ] {
            let pattern = |text: &str| text.parse::<Pattern>().expect(text);
            assert_eq!(pattern(wide).covers(&pattern(narrow)), expected, "{wide} {narrow}");
        }
    }

    #[test]
    fn an_escape_is_one_character_and_its_bytes_count() {
        assert!(matches("/h%E1%BB%93", "/h%E1%BB%93"));
        assert!(!matches("/h%E1%BB%93", "/h%e1%bb%93"), "other bytes");
        assert!(!matches("/A", "/%41"), "other bytes");
        assert!(!matches("/a*1", "/a%41"), "a star takes no half of an escape");
        assert!(!matches("/x*3", "/x%E1%BB%93"));
        assert!(matches("/a*1", "/a%20%411"));
    }

    #[test]
    fn patterns_that_no_path_fits_are_refused() {
        for (text, flaw) in [
            ("pet", PatternFlaw::NotAbsolute),
            ("*", PatternFlaw::NotAbsolute),
            ("/a/%41", PatternFlaw::NeedlessEscape),
            ("/a%2Fb", PatternFlaw::NoSuchPath),
            ("/a//b", PatternFlaw::NoSuchPath),
            ("/a/../b", PatternFlaw::NoSuchPath),
            ("/a\\b", PatternFlaw::NoSuchPath),
            ("/a b", PatternFlaw::NoSuchPath),
            ("/hồ", PatternFlaw::NoSuchPath),
            ("/a;b", PatternFlaw::NoSuchPath),
            ("/%2", PatternFlaw::NoSuchPath),
        ] {
            assert_eq!(text.parse::<Pattern>(), Err(flaw), "{text}");
        }
        assert_eq!("/a".repeat(513).parse::<Pattern>(), Err(PatternFlaw::TooLong));
        assert_eq!("/pet/*".parse::<Pattern>().expect("a pattern").to_string(), "/pet/*");
    }
}
