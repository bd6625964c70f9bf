//! One header field.

use std::{borrow::Cow, fmt};

use super::reason::reasons;

/// The longest value, in bytes.
pub const LONGEST_VALUE: usize = 8 * 1024;

reasons! {
    /// Why bytes are no header field.
    pub enum FieldFlaw {
        Name = "header-name",
            "Tên tiêu đề có ký tự không được phép (RFC 9110, mục 5.1).",
            "The name of a header has a character that it may not have (RFC 9110, 5.1).";
        Value = "header-value",
            "Giá trị tiêu đề có ký tự điều khiển như xuống dòng (RFC 9110, mục 5.5).",
            "The value of a header has a control character, such as a line break (RFC 9110, 5.5).";
        TooLong = "header-too-long",
            "Một tiêu đề có giá trị dài hơn 8 KiB.",
            "The value of a header is longer than 8 KiB.";
    }
}

/// A header field as it came: the name in its own case, the value without the white space around it. Neither can end
/// the line that it is written into.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Field {
    name: Cow<'static, str>,
    value: Vec<u8>,
}

impl Field {
    /// Takes a field from the wire.
    ///
    /// # Errors
    /// [`FieldFlaw`] when name or value have bytes that RFC 9110 does not allow, or the value is too long.
    pub fn new(name: &[u8], value: &[u8]) -> Result<Self, FieldFlaw> {
        let value = value.trim_ascii();
        let name = std::str::from_utf8(name).map_err(|_| FieldFlaw::Name)?;
        if name.is_empty() || !name.bytes().all(is_tchar) {
            return Err(FieldFlaw::Name);
        }
        if value.len() > LONGEST_VALUE {
            return Err(FieldFlaw::TooLong);
        }
        if value.iter().any(|b| (*b < 0x20 && *b != b'\t') || *b == 0x7f) {
            return Err(FieldFlaw::Value);
        }
        Ok(Self {
            name: Cow::Owned(name.to_owned()),
            value: value.to_owned(),
        })
    }

    /// A field that a node sets. Name and value are known to be sound.
    pub(crate) fn ours(name: &'static str, value: impl Into<String>) -> Self {
        Self {
            name: Cow::Borrowed(name),
            value: value.into().into_bytes(),
        }
    }

    /// The name, in the case that it came in.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value.
    pub fn value(&self) -> &[u8] {
        &self.value
    }

    /// The value, if it is text.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.value).ok()
    }

    /// Whether this is the header of that name.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    pub(crate) fn rename(&mut self, name: &'static str) {
        self.name = Cow::Borrowed(name);
    }

    pub(crate) fn lower(mut self) -> Self {
        if self.name.bytes().any(|b| b.is_ascii_uppercase()) {
            self.name.to_mut().make_ascii_lowercase();
        }
        self
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.value.escape_ascii())
    }
}

/// RFC 9110, 5.6.2.
const fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_cannot_break_out_of_its_line() {
        for name in [&b""[..], b"a b", b"a:", b"a\r\n", b"\xc3\xa1", b"a\0"] {
            assert_eq!(Field::new(name, b"x"), Err(FieldFlaw::Name), "{name:?}");
        }
        for value in [
            &b"a\r\nX-Road-Client: x"[..],
            b"a\nb",
            b"a\rb",
            b"a\0b",
            b"a\x7fb",
            b"a\x1bb",
        ] {
            assert_eq!(Field::new(b"a", value), Err(FieldFlaw::Value), "{value:?}");
        }
        assert_eq!(Field::new(b"a", &[b'x'; LONGEST_VALUE + 1]), Err(FieldFlaw::TooLong));
    }

    #[test]
    fn white_space_around_a_value_is_not_part_of_it() {
        let field = Field::new(b"X-Any", b" \t a\tb \xff ").expect("a field");
        assert_eq!((field.name(), field.value()), ("X-Any", &b"a\tb \xff"[..]));
        assert!(field.is("x-any"));
        assert_eq!(field.text(), None);
    }
}
