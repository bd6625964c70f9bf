//! Workbooks of Excel 2007 and later (ECMA-376), one row at a time.
//!
//! Only the texts that cells share are kept in memory, up to a limit. Formulas are not computed: the values that the
//! spreadsheet stored are read.

mod book;
mod xml;
mod zip;

#[cfg(test)]
pub(crate) mod tests;

use std::io::{Read, Seek};

use base::{Result, codes::CodeError};
use quick_xml::events::{BytesStart, Event};

pub use zip::Limits;

use self::{
    book::Book,
    xml::{Xml, attribute, resolved},
    zip::{Archive, BadZip},
};
use super::{Cell, CellKind, Decoder, Position, Row};
use crate::{Finding, Severity, encoding::Encoding, layout::MOST_COLUMNS};

/// What a workbook can be read from.
pub trait Source: Read + Seek + Send {}
impl<T: Read + Seek + Send> Source for T {}

/// Excel allows 32,767 characters.
const LONGEST_CELL: usize = 1 << 20;
const LONGEST_ROW: usize = 16 << 20;

/// Reads the rows of one sheet.
pub struct XlsxReader {
    sheet: Xml<Box<dyn Source>>,
    book: Book,
    decoder: Decoder,
    /// The row that comes next, if it does not say otherwise.
    row: u64,
    /// Rows before this one are passed over.
    from: u64,
}

impl XlsxReader {
    /// Opens a workbook and one of its sheets: the named one, or the first.
    ///
    /// # Errors
    /// `not-a-workbook`, `old-excel`, `encrypted`, `damaged-workbook`, `too-many-entries`, `workbook-too-large`, `zip-bomb`,
    /// `zip-size-differs`; `no-such-sheet`.
    pub fn open(source: impl Source + 'static, sheet: Option<&str>, limits: Limits) -> Result<Self> {
        let source: Box<dyn Source> = Box::new(source);
        let mut archive = Archive::open(source, limits)?;
        let (book, part) = Book::read(&mut archive, sheet, limits)?;
        let entry = archive.find(&part).ok_or_else(|| BadZip::Damaged.refuse())?;
        Ok(Self {
            sheet: Xml::new(archive.into_read(&entry)?),
            book,
            decoder: Decoder::new(Encoding::Utf8, false),
            row: 1,
            from: 1,
        })
    }

    pub(super) const fn decoder(&mut self) -> &mut Decoder {
        &mut self.decoder
    }

    pub(super) const fn skip_to(&mut self, position: Position) -> Result<()> {
        self.from = position.line;
        Ok(())
    }

    /// The next row that is not blank.
    ///
    /// # Errors
    /// As for opening: a bomb shows itself only while it is read.
    pub fn next_row(&mut self) -> Result<Option<Row>> {
        loop {
            let number = |e: &BytesStart<'_>| attribute(e, "r").and_then(|r| r.parse::<u64>().ok());
            let number = match self.sheet.next()? {
                Event::Eof => return Ok(None),
                Event::Start(e) if e.local_name().into_inner() == "row" => number(&e),
                Event::Empty(e) if e.local_name().into_inner() == "row" => {
                    self.row = number(&e).unwrap_or(self.row).max(self.row).saturating_add(1);
                    continue;
                }
                _ => continue,
            };
            let line = number.unwrap_or(self.row).max(self.row);
            let mut row = Row {
                line,
                next: Position {
                    offset: 0,
                    line: line.saturating_add(1),
                },
                ..Row::default()
            };
            self.row = line.saturating_add(1);
            self.cells(&mut row)?;
            if line >= self.from && row.cells.iter().any(|c| !c.text.trim().is_empty()) {
                return Ok(Some(row));
            }
        }
    }

    /// Reads the cells of a row up to its end.
    fn cells(&mut self, row: &mut Row) -> Result<()> {
        let mut size = 0;
        loop {
            let (head, filled) = match self.sheet.next()? {
                Event::Start(e) if e.local_name().into_inner() == "c" => (Head::of(&e), true),
                Event::Empty(e) if e.local_name().into_inner() == "c" => (Head::of(&e), false),
                Event::End(e) if e.local_name().into_inner() == "row" => return Ok(()),
                Event::Eof => return Err(BadZip::Damaged.refuse()),
                _ => continue,
            };
            let column = head.column.unwrap_or(row.cells.len());
            if column >= MOST_COLUMNS || column < row.cells.len() {
                return Err(BadZip::Damaged.refuse());
            }
            let value = if filled { self.value()? } else { String::new() };
            size += value.len();
            if size > LONGEST_ROW {
                return Err(BadZip::Bomb.refuse());
            }
            row.cells.resize_with(column, Cell::default);
            let cell = self.cell(&head, value, row.line, column, &mut row.findings);
            row.cells.push(cell);
        }
    }

    /// The stored value of a cell: what stands in `v`, or the text in `is`.
    fn value(&mut self) -> Result<String> {
        let mut text = String::new();
        let mut within = 0_u32;
        let mut phonetic = false;
        loop {
            match self.sheet.next()? {
                Event::Start(e) => match e.local_name().into_inner() {
                    "v" | "t" => within += 1,
                    "rPh" => phonetic = true,
                    _ => {}
                },
                Event::End(e) => match e.local_name().into_inner() {
                    "v" | "t" => within = within.saturating_sub(1),
                    "rPh" => phonetic = false,
                    "c" => return Ok(text),
                    _ => {}
                },
                Event::Text(t) if within > 0 && !phonetic => text.push_str(&t.xml10_content()),
                Event::CData(t) if within > 0 && !phonetic => text.push_str(&t.xml10_content()),
                Event::GeneralRef(r) if within > 0 && !phonetic => text.extend(resolved(&r)),
                Event::Eof => return Err(BadZip::Damaged.refuse()),
                _ => {}
            }
            if text.len() > LONGEST_CELL {
                return Err(BadZip::Bomb.refuse());
            }
        }
    }

    fn cell(&mut self, head: &Head, value: String, line: u64, column: usize, findings: &mut Vec<Finding>) -> Cell {
        let (text, kind) = match head.kind.as_str() {
            "s" => {
                let shared = value.parse().ok().and_then(|n| self.book.shared.get(n));
                (shared.unwrap_or_default().to_owned(), CellKind::Text)
            }
            "b" => (value, CellKind::Number),
            "e" => {
                let reason = CodeError::new(
                    "formula-error",
                    "Ô chứa lỗi công thức của bảng tính.",
                    "The cell has an error of a formula.",
                );
                findings.push(Finding::cell(line, column + 1, Severity::Bad, reason, &value));
                (value, CellKind::Error)
            }
            "str" | "inlineStr" | "d" => (value, CellKind::Text),
            _ if value.is_empty() => (value, CellKind::Text),
            _ if self.book.is_date(head.style) => (plain_number(value), CellKind::Date(self.book.serial)),
            _ => (plain_number(value), CellKind::Number),
        };
        let text = text.replace("_x000D_", "");
        let text = if kind == CellKind::Text {
            self.decoder.unicode(text, line, column, findings)
        } else {
            text
        };
        Cell { text, kind }
    }
}

/// What a cell says of itself before its value.
struct Head {
    column: Option<usize>,
    kind: String,
    style: usize,
}

impl Head {
    fn of(start: &BytesStart<'_>) -> Self {
        Self {
            column: attribute(start, "r").and_then(|r| column_of(&r)),
            kind: attribute(start, "t").unwrap_or_default(),
            style: attribute(start, "s").and_then(|s| s.parse().ok()).unwrap_or(0),
        }
    }
}

/// The column, from 0, of a reference such as `AB12`.
fn column_of(reference: &str) -> Option<usize> {
    let letters = reference.bytes().take_while(u8::is_ascii_alphabetic);
    let number = letters.fold(0_usize, |n, b| {
        n.saturating_mul(26)
            .saturating_add(usize::from(b.to_ascii_uppercase() - b'A') + 1)
    });
    number.checked_sub(1)
}

/// A whole number that was stored with a power of ten (`3.7190001234E10`) written out.
fn plain_number(value: String) -> String {
    if !value.contains(['E', 'e']) {
        return value;
    }
    match value.parse::<f64>() {
        Ok(n) if n.fract() == 0.0 && n.abs() < 1e15 => format!("{n:.0}"),
        _ => value,
    }
}
