//! One part of an identifier, and which characters it may have.

use std::{fmt, sync::Arc};

use base::codes::CodeError;
use serde::{Deserialize, Serialize};
use unicode_normalization::is_nfc;

use crate::model::{
    escape::{self, Flaw},
    reason::reasons,
};

/// The longest part, in bytes of UTF-8.
pub const LONGEST_PART: usize = 255;

reasons! {
    /// Why a text is no part of an identifier.
    pub enum PartFlaw {
        Empty = "identifier-empty",
            "Mã định danh có một phần để trống.",
            "A part of the identifier is empty.";
        TooLong = "identifier-too-long",
            "Một phần của mã định danh dài hơn 255 byte.",
            "A part of the identifier is longer than 255 bytes.";
        Separator = "identifier-separator",
            "Một phần của mã định danh không được chứa / \\ % : hoặc ;, kể cả ở dạng mã hóa phần trăm.",
            "A part of an identifier has none of / \\ % : ;, not even percent-encoded.";
        Control = "identifier-control",
            "Một phần của mã định danh có ký tự điều khiển.",
            "A part of the identifier has a control character.";
        Invisible = "identifier-invisible",
            "Một phần của mã định danh có ký tự không nhìn thấy được, ví dụ U+200B hoặc U+FEFF.",
            "A part of the identifier has an invisible character, such as U+200B or U+FEFF.";
        Blank = "identifier-blank",
            "Khoảng trắng trong mã định danh chỉ được là dấu cách ở giữa.",
            "The only white space in an identifier is a plain space between other characters.";
        DotSegment = "identifier-dot-segment",
            "Một phần của mã định danh không được là “.” hoặc “..”.",
            "A part of an identifier is neither “.” nor “..”.";
        NotComposed = "identifier-not-composed",
            "Mã định danh phải ở dạng Unicode dựng sẵn (NFC).",
            "An identifier is in composed Unicode (NFC).";
        BadEscape = "identifier-bad-escape",
            "Mã định danh có “%” không kèm hai chữ số thập lục phân.",
            "The identifier has a “%” without two hexadecimal digits after it.";
        NotAllowed = "identifier-character",
            "Mã định danh có ký tự phải được mã hóa phần trăm (RFC 3986, mục 3.3).",
            "The identifier has a character that has to be percent-encoded (RFC 3986, 3.3).";
        NotUtf8 = "identifier-not-utf8",
            "Mã định danh sau khi giải mã không phải là UTF-8.",
            "The identifier is not UTF-8 when it is decoded.";
    }
}

/// One part of an identifier, decoded.
///
/// The policy. PR-REST 1.0.3 and PR-MESS 2.7 let new identifiers have `A-Z a-z 0-9 ' ( ) + , - . = ?` only
/// ([`Part::is_portable`]); older ones have `_`, spaces and letters of any script, and the reference implementation
/// takes whatever comes and warns in its log. Here a message may name what older members are called, but never what can
/// be read in two ways: no separators, no control or invisible characters, no white space but a space inside, composed
/// Unicode, neither `.` nor `..`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Part(Arc<str>);

impl Part {
    /// Takes a decoded text.
    ///
    /// # Errors
    /// [`PartFlaw`] says which rule of the policy it breaks.
    pub fn new(text: &str) -> Result<Self, PartFlaw> {
        check(text).map(|()| Self(text.into()))
    }

    /// Takes a raw URI segment: percent-decodes it as UTF-8. What RFC 3986 wants escaped has to be.
    ///
    /// # Errors
    /// [`PartFlaw`] when it is no segment, or breaks the policy.
    pub fn from_segment(raw: &[u8]) -> Result<Self, PartFlaw> {
        let text = escape::decode(raw).map_err(|flaw| match flaw {
            Flaw::BadEscape => PartFlaw::BadEscape,
            Flaw::NotAllowed => PartFlaw::NotAllowed,
            Flaw::NotUtf8 => PartFlaw::NotUtf8,
        })?;
        Self::new(&text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it has only characters that every X-Road implementation takes (PR-MESS 2.7): what a new member,
    /// subsystem or service must be called.
    pub fn is_portable(&self) -> bool {
        self.0
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'\'' | b'('..=b')' | b'+'..=b'.' | b'=' | b'?'))
    }

    /// Writes it as one URI segment.
    pub(crate) fn encode(&self, out: &mut impl fmt::Write) -> fmt::Result {
        escape::encode(&self.0, out)
    }
}

fn check(text: &str) -> Result<(), PartFlaw> {
    if text.is_empty() {
        return Err(PartFlaw::Empty);
    }
    if text.len() > LONGEST_PART {
        return Err(PartFlaw::TooLong);
    }
    if text == "." || text == ".." {
        return Err(PartFlaw::DotSegment);
    }
    for c in text.chars() {
        match c {
            '/' | '\\' | '%' | ':' | ';' => return Err(PartFlaw::Separator),
            c if c.is_control() => return Err(PartFlaw::Control),
            c if is_invisible(c) => return Err(PartFlaw::Invisible),
            c if c.is_whitespace() && c != ' ' => return Err(PartFlaw::Blank),
            _ => {}
        }
    }
    if text.starts_with(' ') || text.ends_with(' ') {
        return Err(PartFlaw::Blank);
    }
    if !text.is_ascii() && !is_nfc(text) {
        return Err(PartFlaw::NotComposed);
    }
    Ok(())
}

/// Format characters and fillers: they change what a reader takes a code for, and nothing that they see.
const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl TryFrom<String> for Part {
    type Error = CodeError;
    fn try_from(text: String) -> Result<Self, CodeError> {
        Ok(Self::new(&text)?)
    }
}

impl From<Part> for String {
    fn from(part: Part) -> Self {
        part.0.as_ref().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        for (text, flaw) in [
            ("", PartFlaw::Empty),
            (".", PartFlaw::DotSegment),
            ("..", PartFlaw::DotSegment),
            ("a/b", PartFlaw::Separator),
            ("a\\b", PartFlaw::Separator),
            ("a%b", PartFlaw::Separator),
            ("a:b", PartFlaw::Separator),
            ("a;b", PartFlaw::Separator),
            ("a\0", PartFlaw::Control),
            ("a\u{85}", PartFlaw::Control),
            ("a\u{200b}b", PartFlaw::Invisible),
            ("\u{feff}a", PartFlaw::Invisible),
            ("a\u{202e}b", PartFlaw::Invisible),
            ("a\u{a0}b", PartFlaw::Blank),
            (" a", PartFlaw::Blank),
            ("a ", PartFlaw::Blank),
            ("ho\u{302}", PartFlaw::NotComposed),
        ] {
            assert_eq!(Part::new(text), Err(flaw), "{text:?}");
        }
        assert_eq!(Part::new(&"đ".repeat(128)), Err(PartFlaw::TooLong));
    }

    #[test]
    fn older_names_stay_readable_and_new_ones_are_portable() {
        for (text, portable) in [
            ("000.00.00.G22", true),
            ("G22.01", true),
            ("0106001236", true),
            ("a'b(c)+d,e-f.g=h?", true),
            ("NganLuong_Payment", false),
            ("hồ sơ", false),
            ("a*b", false),
        ] {
            assert_eq!(Part::new(text).expect(text).is_portable(), portable, "{text}");
        }
    }

    #[test]
    fn raw_segments_are_decoded_before_they_are_judged() {
        assert_eq!(Part::from_segment(b"BAR%2FSERVICE"), Err(PartFlaw::Separator));
        assert_eq!(Part::from_segment(b"%2e%2E"), Err(PartFlaw::DotSegment));
        assert_eq!(
            Part::from_segment(b"a%252e"),
            Err(PartFlaw::Separator),
            "decoded once: a%2e"
        );
        assert_eq!(Part::from_segment(b"a%"), Err(PartFlaw::BadEscape));
        assert_eq!(Part::from_segment(b"a b"), Err(PartFlaw::NotAllowed));
        assert_eq!(Part::from_segment(b"%ff"), Err(PartFlaw::NotUtf8));
        assert_eq!(Part::from_segment(b"%41").expect("a letter").as_str(), "A");
    }
}
