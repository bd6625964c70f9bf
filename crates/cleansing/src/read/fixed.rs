//! Text in columns of fixed width.

use std::io::BufRead;

use base::{Error, Result};

use super::{Cell, Decoder, Position, Row, file_changed, lines::Lines};
use crate::{Finding, Severity, encoding::Encoding, layout::Layout};

/// Reads rows whose fields stand at the places that the layout gives, one row a line. The places are characters in UTF-8 and
/// UTF-16, and bytes in every other encoding, as the programs counted that wrote them.
#[derive(Debug)]
pub struct FixedReader<R> {
    lines: Lines<R>,
    decoder: Decoder,
    /// First place, from 0, and width, in the order of the layout.
    places: Vec<(usize, usize)>,
}

impl<R: BufRead> FixedReader<R> {
    /// Over an input from which a byte order mark was taken.
    pub fn new(input: R, decoder: Decoder, layout: &Layout) -> Self {
        Self {
            lines: Lines::new(input),
            decoder,
            places: layout
                .fields
                .iter()
                .map(|f| (f.from.saturating_sub(1), f.width))
                .collect(),
        }
    }

    pub(super) const fn decoder(&mut self) -> &mut Decoder {
        &mut self.decoder
    }

    /// The next row that is not blank.
    ///
    /// # Errors
    /// An input that fails.
    pub fn next_row(&mut self) -> Result<Option<Row>> {
        let end = self.places.iter().map(|(from, width)| from + width).max().unwrap_or(0);
        while let Some(line) = self.lines.next_line().map_err(Error::internal)? {
            if line.bytes.trim_ascii().is_empty() {
                continue;
            }
            let at = line.at.line;
            let mut findings = Vec::new();
            let valid = std::str::from_utf8(&line.bytes);
            let bounds: Vec<usize> = match (self.decoder.encoding(), valid) {
                (Encoding::Utf8, Ok(text)) => text.char_indices().map(|(n, _)| n).chain([text.len()]).collect(),
                _ => (0..=line.bytes.len()).collect(),
            };
            let length = bounds.len().saturating_sub(1);
            let byte = |place: usize| bounds.get(place.min(length)).copied().unwrap_or(line.bytes.len());
            let cells = self.places.iter().enumerate().map(|(column, (from, width))| {
                let bytes = line.bytes.get(byte(*from)..byte(from + width)).unwrap_or_default();
                Cell::text(self.decoder.bytes(bytes.trim_ascii(), at, column, &mut findings))
            });
            let cells = cells.collect();
            let beyond = line.bytes.get(byte(end)..).unwrap_or_default();
            if !beyond.trim_ascii().is_empty() || line.cut {
                findings.push(Finding::row(
                    at,
                    Severity::Bad,
                    "line-too-long",
                    "Dòng dài hơn độ rộng khai báo; các cột có thể bị lệch.",
                    "The line is longer than declared; columns may be shifted.",
                ));
            } else if self.places.iter().any(|(from, _)| *from >= length) {
                findings.push(Finding::row(
                    at,
                    Severity::Note,
                    "short-line",
                    "Dòng ngắn hơn độ rộng khai báo; các trường cuối để trống.",
                    "The line is shorter than declared; the last fields are empty.",
                ));
            }
            return Ok(Some(Row {
                line: at,
                cells,
                findings,
                next: self.lines.position(),
            }));
        }
        Ok(None)
    }

    pub(super) fn skip_to(&mut self, position: Position) -> Result<()> {
        let there = self.lines.skip_to(position).map_err(Error::internal)?;
        if there { Ok(()) } else { Err(file_changed()) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn layout() -> Layout {
        Layout::from_toml("format = 'fixed'\n[[field]]\nid = 'a'\ntype = 'name'\nfrom = 1\nwidth = 8\n[[field]]\nid = 'b'\ntype = 'text'\nfrom = 9\nwidth = 3").expect("a layout")
    }

    fn rows(bytes: &[u8], encoding: Encoding) -> Vec<(Vec<String>, Vec<&'static str>)> {
        let mut reader = FixedReader::new(bytes, Decoder::new(encoding, true), &layout());
        let mut out = Vec::new();
        while let Some(row) = reader.next_row().expect("memory") {
            out.push((
                row.cells.into_iter().map(|c| c.text).collect(),
                row.findings.iter().map(|f| f.code).collect(),
            ));
        }
        out
    }

    #[test]
    fn places_are_characters_or_bytes() {
        let text = "Đỗ Đức  12\n\nAn\nNguyễn A123 more\n";
        let utf8 = rows(text.as_bytes(), Encoding::Utf8);
        let cells = |a: &str, b: &str| vec![a.to_owned(), b.to_owned()];
        assert_eq!(utf8[0], (cells("Đỗ Đức", "12"), vec![]));
        assert_eq!(utf8[1], (cells("An", ""), vec!["short-line"]));
        assert_eq!(utf8[2], (cells("Nguyễn A", "123"), vec!["line-too-long"]));
        let tcvn3 = Encoding::Tcvn3.encode("đỗ đức  12\n").expect("coded");
        assert_eq!(rows(&tcvn3, Encoding::Tcvn3)[0], (cells("đỗ đức", "12"), vec![]));
        // VNI counts two bytes for one letter: the program that wrote it did too.
        let vni = Encoding::Vni.encode("đỗ Đức12\n").expect("coded");
        assert_eq!(rows(&vni, Encoding::Vni)[0].0, cells("đỗ Đức", "12"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            rows(&bytes, Encoding::Utf8);
            rows(&bytes, Encoding::Vni);
        }
    }
}
