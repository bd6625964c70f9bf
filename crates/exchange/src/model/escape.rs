//! Percent-encoding in a URI (RFC 3986, 2.1 and 3.3).

use std::{borrow::Cow, fmt::Write};

/// Why raw bytes cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// `%` without two hexadecimal digits.
    BadEscape,
    /// A byte that has to be escaped.
    NotAllowed,
    /// The octets are no UTF-8.
    NotUtf8,
}

/// One octet as it is written: by itself, or as an escape. Two are equal only when they are written with the same
/// bytes: `%c3` is not `%C3`, and `%41` is not `A`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unit {
    octet: u8,
    hex: Option<[u8; 2]>,
}

impl Unit {
    pub(crate) const SLASH: Self = Self::plain(b'/');

    pub(crate) const fn plain(octet: u8) -> Self {
        Self { octet, hex: None }
    }

    /// What it stands for.
    pub(crate) const fn octet(self) -> u8 {
        self.octet
    }

    pub(crate) const fn is_escape(self) -> bool {
        self.hex.is_some()
    }
}

/// Whether the byte may stand for itself in a segment.
pub(crate) const fn is_pchar(byte: u8) -> bool {
    is_unreserved(byte)
        || matches!(
            byte,
            b':' | b'@' | b'!' | b'$' | b'&' | b'\'' | b'('..=b',' | b';' | b'='
        )
}

/// Whether escaping the byte changes nothing (RFC 3986, 2.3).
pub(crate) const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// The units of a raw path. After an error comes nothing.
pub(crate) fn units(raw: &[u8]) -> impl Iterator<Item = Result<Unit, Flaw>> {
    let mut rest = raw;
    std::iter::from_fn(move || {
        let unit = match rest {
            [] => return None,
            [b'%', a, b, after @ ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => {
                rest = after;
                Ok(Unit {
                    octet: digit(*a) << 4 | digit(*b),
                    hex: Some([*a, *b]),
                })
            }
            [b'%', ..] => Err(Flaw::BadEscape),
            [byte, after @ ..] if is_pchar(*byte) || *byte == b'/' => {
                rest = after;
                Ok(Unit::plain(*byte))
            }
            _ => Err(Flaw::NotAllowed),
        };
        if unit.is_err() {
            rest = &[];
        }
        Some(unit)
    })
}

const fn digit(hex: u8) -> u8 {
    match hex {
        b'0'..=b'9' => hex - b'0',
        _ => (hex | 0x20) - b'a' + 10,
    }
}

/// The text of one raw segment.
pub(crate) fn decode(raw: &[u8]) -> Result<Cow<'_, str>, Flaw> {
    if raw.iter().all(|byte| is_pchar(*byte) || *byte == b'/') {
        return str::from_utf8(raw).map(Cow::Borrowed).map_err(|_| Flaw::NotUtf8);
    }
    let octets = units(raw)
        .map(|unit| unit.map(Unit::octet))
        .collect::<Result<Vec<_>, _>>()?;
    String::from_utf8(octets).map(Cow::Owned).map_err(|_| Flaw::NotUtf8)
}

/// The text of a part of a query, in which clients leave much unescaped.
pub(crate) fn decode_lenient(raw: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = match (first, after) {
            (b'%', [a, b, after @ ..]) if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => {
                octets.push(digit(*a) << 4 | digit(*b));
                after
            }
            (b'%', _) => return None,
            _ => {
                octets.push(*first);
                after
            }
        };
    }
    String::from_utf8(octets).ok()
}

/// Writes a text as one segment; what may stand for itself does, as the reference implementation has it.
pub(crate) fn encode(text: &str, out: &mut impl Write) -> std::fmt::Result {
    text.bytes().try_for_each(|byte| {
        if is_pchar(byte) {
            out.write_char(byte.into())
        } else {
            write!(out, "%{byte:02X}")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_read_as_rfc_3986_says() {
        assert_eq!(decode(b"000.00.00.G22"), Ok("000.00.00.G22".into()));
        assert_eq!(decode(b"h%E1%bb%93"), Ok("hồ".into()));
        assert_eq!(decode(b"a+b"), Ok("a+b".into()), "a plus is a plus in a path");
        for raw in [&b"%"[..], b"%2", b"a%2", b"%2g", b"%-1"] {
            assert_eq!(decode(raw), Err(Flaw::BadEscape), "{raw:?}");
        }
        for raw in [&b"a b"[..], b"\"", b"[", b"\xe1", b"\\", b"\0"] {
            assert_eq!(decode(raw), Err(Flaw::NotAllowed), "{raw:?}");
        }
        assert_eq!(decode(b"%c0%af"), Err(Flaw::NotUtf8), "an overlong slash");
    }

    #[test]
    fn units_differ_when_their_bytes_differ() {
        let unit = |raw: &[u8]| units(raw).next().and_then(Result::ok).expect("one unit");
        assert_ne!(unit(b"%c3"), unit(b"%C3"));
        assert_ne!(unit(b"%41"), unit(b"A"));
        assert_eq!(unit(b"%41").octet(), b'A');
    }
}
