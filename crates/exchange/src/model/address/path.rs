//! The path behind the service code, and which paths are refused.
//!
//! In 2025 X-Road mended a hole: a traversal that was encoded satisfied the right to one path while the provider got
//! another (XRDDEV-3054). It decodes, then compares, then forwards what it did not compare. Here a path is compared as
//! it is forwarded, so the only question is whether somebody behind could read it as another path. Those paths are
//! refused.

use std::{borrow::Cow, fmt};

use crate::model::{
    escape::{self, Flaw, Unit},
    reason::reasons,
};

reasons! {
    /// Why a path is refused.
    pub enum PathFlaw {
        NotAbsolute = "path-not-absolute",
            "Đường dẫn phải rỗng hoặc bắt đầu bằng “/”.",
            "A path is empty or begins with “/”.";
        EncodedSlash = "path-encoded-slash",
            "Đường dẫn có %2F: máy chủ phía sau có thể hiểu thành dấu phân cách. Đổi cách đặt tên tài nguyên, hoặc đưa giá trị vào chuỗi truy vấn.",
            "The path has %2F, which a server behind may take for a separator. Name the resource otherwise, or put the value into the query.";
        EncodedBackslash = "path-encoded-backslash",
            "Đường dẫn có %5C: máy chủ phía sau có thể hiểu thành dấu phân cách.",
            "The path has %5C, which a server behind may take for a separator.";
        Backslash = "path-backslash",
            "Đường dẫn có dấu “\\”; dùng “/”.",
            "The path has a “\\”; use “/”.";
        DotSegment = "path-dot-segment",
            "Đường dẫn có đoạn “.” hoặc “..”, kể cả ở dạng %2e. Gửi đường dẫn đã rút gọn.",
            "A segment of the path is “.” or “..”, perhaps as %2e. Send the path that is meant.";
        EmptySegment = "path-empty-segment",
            "Đường dẫn có hai dấu “/” liền nhau. Bỏ bớt một dấu.",
            "The path has two slashes in a row. Leave one out.";
        Parameter = "path-parameter",
            "Đường dẫn có dấu “;”, kể cả ở dạng %3B: nhiều máy chủ bỏ phần sau dấu này trước khi so sánh.",
            "The path has a “;”, perhaps as %3B: many servers drop what follows it before they look.";
        DoubleEncoding = "path-double-encoding",
            "Đường dẫn được mã hóa phần trăm hai lần (%25 rồi hai chữ số thập lục phân). Mã hóa một lần.",
            "The path is percent-encoded twice (%25 and two hexadecimal digits). Encode it once.";
        Control = "path-control",
            "Đường dẫn có ký tự điều khiển, kể cả ở dạng mã hóa như %00.",
            "The path has a control character, perhaps encoded like %00.";
        NotAscii = "path-not-ascii",
            "Đường dẫn có byte ngoài ASCII; hãy mã hóa phần trăm theo UTF-8.",
            "The path has bytes beyond ASCII; percent-encode them as UTF-8.";
        BadEscape = "path-bad-escape",
            "Đường dẫn có “%” không kèm hai chữ số thập lục phân.",
            "The path has a “%” without two hexadecimal digits after it.";
        Character = "path-character",
            "Đường dẫn có ký tự phải được mã hóa phần trăm (RFC 3986, mục 3.3).",
            "The path has a character that has to be percent-encoded (RFC 3986, 3.3).";
        NotUtf8 = "path-not-utf8",
            "Một đoạn của đường dẫn sau khi giải mã không phải là UTF-8.",
            "A segment of the path is not UTF-8 when it is decoded.";
    }
}

/// A raw path: empty, or segments each after a `/`. The last may be empty; no other is. Nobody who decodes it once,
/// merges slashes and removes dot segments gets other segments from it than those that stand there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServicePath(String);

impl ServicePath {
    /// Takes a path as it stands in the request target.
    ///
    /// # Errors
    /// [`PathFlaw`]: the first from the left.
    pub fn parse(raw: &[u8]) -> Result<Self, PathFlaw> {
        let Some((slash, segments)) = raw.split_first() else {
            return Ok(Self(String::new()));
        };
        if *slash != b'/' {
            return Err(PathFlaw::NotAbsolute);
        }
        let mut segments = segments.split(|b| *b == b'/').peekable();
        while let Some(segment) = segments.next() {
            if segment.is_empty() && segments.peek().is_some() {
                return Err(PathFlaw::EmptySegment);
            }
            check(segment)?;
        }
        // The segments were read as ASCII.
        Ok(Self(String::from_utf8_lossy(raw).into_owned()))
    }

    /// As it came.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The raw segments: none of the empty path, one empty of `/`.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').skip(1)
    }

    /// The n-th segment, from 1, decoded.
    pub fn segment(&self, n: usize) -> Option<String> {
        let raw = self.segments().nth(n.checked_sub(1)?)?;
        escape::decode(raw.as_bytes()).ok().map(Cow::into_owned)
    }

    /// Cuts off the first segment.
    pub(super) fn split_first(&self) -> Option<(&str, Self)> {
        let rest = self.0.strip_prefix('/')?;
        let end = rest.find('/').unwrap_or(rest.len());
        Some((&rest[..end], Self(rest[end..].to_owned())))
    }

    pub(crate) fn units(&self) -> Vec<Unit> {
        escape::units(self.0.as_bytes()).filter_map(Result::ok).collect()
    }
}

impl fmt::Display for ServicePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check(segment: &[u8]) -> Result<(), PathFlaw> {
    for byte in segment {
        match byte {
            0..0x20 | 0x7f => return Err(PathFlaw::Control),
            b'\\' => return Err(PathFlaw::Backslash),
            0x80.. => return Err(PathFlaw::NotAscii),
            _ => {}
        }
    }
    let mut octets = Vec::with_capacity(segment.len());
    for unit in escape::units(segment) {
        let unit = unit.map_err(|flaw| match flaw {
            Flaw::BadEscape => PathFlaw::BadEscape,
            Flaw::NotAllowed | Flaw::NotUtf8 => PathFlaw::Character,
        })?;
        match unit.octet() {
            b'/' => return Err(PathFlaw::EncodedSlash),
            b'\\' => return Err(PathFlaw::EncodedBackslash),
            b';' => return Err(PathFlaw::Parameter),
            octet => octets.push(octet),
        }
    }
    let text = std::str::from_utf8(&octets).map_err(|_| PathFlaw::NotUtf8)?;
    if text.chars().any(char::is_control) {
        return Err(PathFlaw::Control);
    }
    if text == "." || text == ".." {
        return Err(PathFlaw::DotSegment);
    }
    let escape_within = |at: &[u8]| at[0] == b'%' && at[1].is_ascii_hexdigit() && at[2].is_ascii_hexdigit();
    if octets.windows(3).any(escape_within) {
        return Err(PathFlaw::DoubleEncoding);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_trick_is_refused_by_its_own_name() {
        for (raw, flaw) in [
            (&b"/a%2Fb"[..], PathFlaw::EncodedSlash),
            (b"/a%2fb", PathFlaw::EncodedSlash),
            (b"/a%5Cb", PathFlaw::EncodedBackslash),
            (b"/a%5cb", PathFlaw::EncodedBackslash),
            (b"/a\\b", PathFlaw::Backslash),
            (b"/a/../b", PathFlaw::DotSegment),
            (b"/a/./b", PathFlaw::DotSegment),
            (b"/a/..", PathFlaw::DotSegment),
            (b"/..", PathFlaw::DotSegment),
            (b"/a/%2e%2e/b", PathFlaw::DotSegment),
            (b"/a/%2E%2e/b", PathFlaw::DotSegment),
            (b"/a/.%2e/b", PathFlaw::DotSegment),
            (b"/a/%2e/b", PathFlaw::DotSegment),
            (b"/a/%252e%252e/b", PathFlaw::DoubleEncoding),
            (b"/a%252fb", PathFlaw::DoubleEncoding),
            (b"/a%25%32%66b", PathFlaw::DoubleEncoding),
            (b"/a%25252fb", PathFlaw::DoubleEncoding),
            (b"/a/..;/b", PathFlaw::Parameter),
            (b"/a/..%3b/b", PathFlaw::Parameter),
            (b"/a;jsessionid=1", PathFlaw::Parameter),
            (b"//a", PathFlaw::EmptySegment),
            (b"/a//b", PathFlaw::EmptySegment),
            (b"/a//", PathFlaw::EmptySegment),
            (b"//", PathFlaw::EmptySegment),
            (b"/a%00b", PathFlaw::Control),
            (b"/a\0b", PathFlaw::Control),
            (b"/a%0d%0aX: y", PathFlaw::Character),
            (b"/a%0d%0aX", PathFlaw::Control),
            (b"/a\r\nX", PathFlaw::Control),
            (b"/a%7f", PathFlaw::Control),
            (b"/a%c2%85", PathFlaw::Control),
            (b"/\xc3\xa1", PathFlaw::NotAscii),
            (b"/a%c0%afb", PathFlaw::NotUtf8),
            (b"/%c0%ae%c0%ae/b", PathFlaw::NotUtf8),
            (b"/%ff", PathFlaw::NotUtf8),
            (b"/a%2", PathFlaw::BadEscape),
            (b"/a%zz", PathFlaw::BadEscape),
            (b"/a%u002e", PathFlaw::BadEscape),
            (b"/a b", PathFlaw::Character),
            (b"/a[0]", PathFlaw::Character),
            (b"a", PathFlaw::NotAbsolute),
        ] {
            assert_eq!(ServicePath::parse(raw), Err(flaw), "{}", raw.escape_ascii());
        }
    }

    #[test]
    fn a_path_is_kept_byte_for_byte() {
        for raw in [
            "",
            "/",
            "/a",
            "/a/",
            "/a.b/..c/...",
            "/%41",
            "/h%E1%bb%93",
            "/100%25",
            "/a:b@c!$&'()*+,=~",
        ] {
            assert_eq!(ServicePath::parse(raw.as_bytes()).expect(raw).as_str(), raw);
        }
    }

    #[test]
    fn segments_are_counted_from_one_and_decoded() {
        let path = ServicePath::parse(b"/persons/h%E1%bb%93/").expect("a path");
        assert_eq!(path.segments().collect::<Vec<_>>(), ["persons", "h%E1%bb%93", ""]);
        assert_eq!(path.segment(2).as_deref(), Some("hồ"));
        assert_eq!((path.segment(0), path.segment(4)), (None, None));
        assert_eq!(ServicePath::parse(b"").expect("empty").segment(1), None);
    }
}
