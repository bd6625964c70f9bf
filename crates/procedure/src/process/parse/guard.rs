//! The first look at a file from outside, before the XML parser works on it: bounds that keep that work linear.

use super::super::finding::{Findings, Position};

/// The largest file, in bytes.
pub(super) const MOST_BYTES: usize = 2 * 1024 * 1024;
/// The deepest nesting of elements.
const MOST_DEPTH: u32 = 64;
/// The longest tag with its attributes, in bytes. The parser compares every attribute of a tag with every other.
const MOST_TAG: usize = 16 * 1024;

/// Where lines begin, to turn byte offsets into lines and columns.
pub(super) struct Lines<'x> {
    xml: &'x str,
    starts: Vec<usize>,
}

impl<'x> Lines<'x> {
    pub(super) fn of(xml: &'x str) -> Self {
        let breaks = xml
            .bytes()
            .enumerate()
            .filter(|(_, b)| *b == b'\n')
            .map(|(ix, _)| ix + 1);
        Self {
            xml,
            starts: std::iter::once(0).chain(breaks).collect(),
        }
    }

    pub(super) fn position(&self, offset: usize) -> Position {
        let line = self.starts.partition_point(|s| *s <= offset).saturating_sub(1);
        let start = self.starts.get(line).copied().unwrap_or(0);
        // A file of one huge line: bytes are near enough, and counting characters again and again is not.
        let column = match self.xml.get(start..offset) {
            Some(before) if before.len() < 4096 => before.chars().count(),
            _ => offset.saturating_sub(start),
        };
        let number = |n: usize| u32::try_from(n + 1).unwrap_or(u32::MAX);
        Position {
            line: number(line),
            column: number(column),
        }
    }
}

/// Whether the file may be given to the parser.
pub(super) fn admit(xml: &str, lines: &Lines<'_>, findings: &mut Findings) -> bool {
    let mut refuse = |code: &str, offset: usize, vi: String, en: String| {
        findings.error(code, "", lines.position(offset), vi, en);
        false
    };
    let bytes = xml.as_bytes();
    let mut depth = 0_u32;
    let mut at = 0;
    while let Some(found) = bytes.get(at..).and_then(|rest| rest.iter().position(|b| *b == b'<')) {
        let start = at + found;
        let rest = &xml.as_bytes()[start..];
        let skip = |opening: &[u8], closing: &[u8]| -> Option<usize> {
            let body = rest.strip_prefix(opening)?;
            // Not closed: the parser will say so better.
            let end = find(body, closing).map_or(rest.len(), |ix| opening.len() + ix + closing.len());
            Some(start + end)
        };
        if let Some(next) = skip(b"<!--", b"-->")
            .or_else(|| skip(b"<![CDATA[", b"]]>"))
            .or_else(|| skip(b"<?", b"?>"))
        {
            at = next;
            continue;
        }
        if rest.starts_with(b"<!") {
            return refuse(
                "doctype",
                start,
                "Tệp có khai báo DOCTYPE. Quy trình không được có khai báo này; hãy xóa đi.".into(),
                "The file has a DOCTYPE declaration. A process may not have one; delete it.".into(),
            );
        }
        let Some(length) = tag_length(rest) else {
            return true;
        };
        if length > MOST_TAG {
            return refuse(
                "tag-too-long",
                start,
                format!("Thẻ này dài hơn {MOST_TAG} byte."),
                format!("This tag is longer than {MOST_TAG} bytes."),
            );
        }
        let tag = &rest[..length];
        if tag.starts_with(b"</") {
            depth = depth.saturating_sub(1);
        } else if !tag.ends_with(b"/>") {
            depth += 1;
            if depth > MOST_DEPTH {
                return refuse(
                    "too-deep",
                    start,
                    format!("Các phần tử lồng nhau quá {MOST_DEPTH} cấp."),
                    format!("Elements are nested more than {MOST_DEPTH} levels deep."),
                );
            }
        }
        at = start + length;
    }
    true
}

/// The length of the tag at the start of `text`, with both brackets; a bracket inside quotes does not end it.
fn tag_length(text: &[u8]) -> Option<usize> {
    let mut quote = None;
    for (ix, byte) in text.iter().enumerate() {
        match (quote, byte) {
            (None, b'"' | b'\'') => quote = Some(*byte),
            (Some(open), b) if open == *b => quote = None,
            (None, b'>') => return Some(ix + 1),
            _ => {}
        }
        if ix > MOST_TAG {
            return Some(ix);
        }
    }
    None
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|w| w == wanted)
}
