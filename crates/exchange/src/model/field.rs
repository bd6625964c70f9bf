//! One header field.

use std::fmt;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};

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

/// A header field: the name in lower case, as HTTP/2 has it, the value without the white space around it. Neither can end
/// the line that it is written into. It shares its bytes with the head that it came in.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Field {
    name: HeaderName,
    value: HeaderValue,
}

impl Field {
    /// Takes a field from the wire.
    ///
    /// # Errors
    /// [`FieldFlaw`] when name or value have bytes that RFC 9110 does not allow, or the value is too long.
    pub fn new(name: &[u8], value: &[u8]) -> Result<Self, FieldFlaw> {
        let value = value.trim_ascii();
        let name = HeaderName::from_bytes(name).map_err(|_| FieldFlaw::Name)?;
        if value.len() > LONGEST_VALUE {
            return Err(FieldFlaw::TooLong);
        }
        let value = HeaderValue::from_bytes(value).map_err(|_| FieldFlaw::Value)?;
        Ok(Self { name, value })
    }

    /// A field that a node sets. Name and value are known to be sound; a value that is not would become empty.
    pub(crate) fn ours(name: &'static str, value: impl Into<String>) -> Self {
        let value = HeaderValue::from_maybe_shared(Bytes::from(value.into()));
        Self {
            name: HeaderName::from_static(name),
            value: value.unwrap_or(const { HeaderValue::from_static("") }),
        }
    }

    /// The name, in lower case.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// The value.
    pub fn value(&self) -> &[u8] {
        self.value.as_bytes()
    }

    /// The value, if it is text.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(self.value()).ok()
    }

    /// Whether this is the header of that name, which is given in lower case.
    pub fn is(&self, name: &str) -> bool {
        self.name.as_str() == name
    }

    pub(crate) fn rename(&mut self, name: &'static str) {
        self.name = HeaderName::from_static(name);
    }
}

/// A raw field; where it is none, its name and the reason.
impl TryFrom<(&[u8], &[u8])> for Field {
    type Error = (String, FieldFlaw);

    fn try_from((name, value): (&[u8], &[u8])) -> Result<Self, Self::Error> {
        Self::new(name, value).map_err(|flaw| (name.escape_ascii().to_string(), flaw))
    }
}

/// A field as the HTTP library has it, without a copy.
impl TryFrom<(HeaderName, HeaderValue)> for Field {
    type Error = (String, FieldFlaw);

    fn try_from((name, value): (HeaderName, HeaderValue)) -> Result<Self, Self::Error> {
        if value.len() <= LONGEST_VALUE && value.as_bytes().trim_ascii().len() == value.len() {
            Ok(Self { name, value })
        } else {
            Self::try_from((name.as_str().as_bytes(), value.as_bytes()))
        }
    }
}

impl From<Field> for (HeaderName, HeaderValue) {
    fn from(field: Field) -> Self {
        (field.name, field.value)
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.value().escape_ascii())
    }
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
        assert_eq!((field.name(), field.value()), ("x-any", &b"a\tb \xff"[..]));
        assert!(field.is("x-any"));
        assert_eq!(field.text(), None);
    }

    #[test]
    fn a_field_of_the_library_is_bounded_and_trimmed_too() {
        let field = |value: &[u8]| {
            let value = HeaderValue::from_bytes(value).expect("a value");
            Field::try_from((HeaderName::from_static("x-any"), value))
        };
        assert_eq!(field(b"a b"), Ok(Field::ours("x-any", "a b")));
        assert_eq!(field(b" \ta b "), Ok(Field::ours("x-any", "a b")));
        let long = field(&[b'x'; LONGEST_VALUE + 1]);
        assert_eq!(long, Err(("x-any".to_owned(), FieldFlaw::TooLong)));
    }
}
