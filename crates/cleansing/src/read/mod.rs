//! Rows from files, one at a time, in bounded memory.
//!
//! A row that cannot be read is a finding, and reading goes on behind it. Only what makes the whole file unreadable (no
//! workbook, a zip bomb, an input that fails) is an error.

mod csv;
mod decode;
mod fixed;
mod lines;
mod xlsx;

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Seek, SeekFrom},
    path::Path,
};

use base::{Error, Result, refusal::Kind};
use serde::{Deserialize, Serialize};

pub use self::{
    csv::{CsvReader, guess_delimiter},
    decode::Decoder,
    fixed::FixedReader,
    lines::{LONGEST_LINE, Line, Lines},
    xlsx::{Limits, XlsxReader},
};
use crate::{
    Finding,
    encoding::{Encoding, Guess, Utf16ToUtf8, detect, skip_bom},
    layout::{Format, Layout},
    value::Serial,
};

/// A place between two rows, from which reading can go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Position {
    /// Bytes of the input before it, after a byte order mark and, for UTF-16, as UTF-8; 0 in a workbook.
    pub offset: u64,
    /// The line (in a workbook the row) that comes next, from 1.
    pub line: u64,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// The line on which it begins; in a workbook the row.
    pub line: u64,
    /// Its cells.
    pub cells: Vec<Cell>,
    /// What was found while reading it.
    pub findings: Vec<Finding>,
    /// The place behind it.
    pub next: Position,
}

/// One cell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cell {
    /// Its text, in Unicode (NFC).
    pub text: String,
    /// What the file says it is.
    pub kind: CellKind,
}

impl Cell {
    /// Text that the file says nothing about.
    pub const fn text(text: String) -> Self {
        Self {
            text,
            kind: CellKind::Text,
        }
    }
}

/// What a file says a cell is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CellKind {
    /// Text, or nothing said.
    #[default]
    Text,
    /// A number of a spreadsheet.
    Number,
    /// A number that a spreadsheet shows as a date, counted so.
    Date(Serial),
    /// An error of a formula (`#REF!`).
    Error,
}

/// A file of any of the forms.
pub enum Reader {
    /// Text with a delimiter.
    Csv(CsvReader<Box<dyn BufRead>>),
    /// Fixed width.
    Fixed(FixedReader<Box<dyn BufRead>>),
    /// A workbook.
    Xlsx(Box<XlsxReader>),
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Csv(_) => "Csv",
            Self::Fixed(_) => "Fixed",
            Self::Xlsx(_) => "Xlsx",
        })
    }
}

/// How much of a file is looked at to tell its form.
const SAMPLE: usize = 256 * 1024;

/// What a file was taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The form.
    pub format: Format,
    /// The encoding and why; none for a workbook.
    pub guess: Option<Guess>,
    /// The delimiter of a CSV file.
    pub delimiter: Option<char>,
}

impl Reader {
    /// Opens a file as the layout says; what it does not say is told from the beginning of the file.
    ///
    /// # Errors
    /// `cannot-open`, and what makes a workbook unreadable ([`XlsxReader`]).
    pub fn open(path: &Path, layout: &Layout) -> Result<(Self, Opened)> {
        Self::of(File::open(path).map_err(|e| cannot_open(&e))?, layout)
    }

    /// As [`Self::open`], of a file that may have no name.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn of(mut file: File, layout: &Layout) -> Result<(Self, Opened)> {
        let sample = read_sample(&mut file)?;
        let format = layout.format.unwrap_or_else(|| tell_format(&sample));
        if format == Format::Xlsx {
            let reader = XlsxReader::open(file, layout.sheet.as_deref(), Limits::default())?;
            let opened = Opened {
                format,
                guess: None,
                delimiter: None,
            };
            return Ok((Self::Xlsx(Box::new(reader)), opened));
        }
        let guess = match layout.encoding {
            Some(encoding) => Guess {
                encoding,
                sure: true,
                evidence: Vec::new(),
            },
            None => detect(&sample),
        };
        let delimiter = layout
            .delimiter
            .and_then(|d| u8::try_from(d).ok())
            .unwrap_or_else(|| guess_delimiter(&guess.encoding.sample_as_ascii(&sample)));
        let decoder = Decoder::new(guess.encoding, layout.encoding.is_some());
        let input = text_input(file, guess.encoding)?;
        let (reader, delimiter) = if format == Format::Fixed {
            (Self::Fixed(FixedReader::new(input, decoder, layout)), None)
        } else {
            (
                Self::Csv(CsvReader::new(input, delimiter, decoder)),
                Some(char::from(delimiter)),
            )
        };
        let opened = Opened {
            format,
            guess: Some(guess),
            delimiter,
        };
        Ok((reader, opened))
    }

    /// The next row that is not blank; `None` at the end.
    ///
    /// # Errors
    /// An input that fails, and a workbook that turns out to be broken or a bomb.
    pub fn next_row(&mut self) -> Result<Option<Row>> {
        match self {
            Self::Csv(reader) => reader.next_row(),
            Self::Fixed(reader) => reader.next_row(),
            Self::Xlsx(reader) => reader.next_row(),
        }
    }

    /// Goes on from a place that a row named as its `next`. Forwards only.
    ///
    /// # Errors
    /// An input that fails; `file-changed` where the file is shorter than that.
    pub fn skip_to(&mut self, position: Position) -> Result<()> {
        match self {
            Self::Csv(reader) => reader.skip_to(position),
            Self::Fixed(reader) => reader.skip_to(position),
            Self::Xlsx(reader) => reader.skip_to(position),
        }
    }

    /// Says which columns have an encoding of their own.
    pub fn set_column_encodings(&mut self, columns: impl IntoIterator<Item = (usize, Encoding)>) {
        let decoder = match self {
            Self::Csv(reader) => reader.decoder(),
            Self::Fixed(reader) => reader.decoder(),
            Self::Xlsx(reader) => reader.decoder(),
        };
        for (column, encoding) in columns {
            decoder.set_column(column, encoding);
        }
    }
}

fn read_sample(file: &mut File) -> Result<Vec<u8>> {
    let mut sample = Vec::new();
    file.take(SAMPLE as u64)
        .read_to_end(&mut sample)
        .map_err(|e| cannot_open(&e))?;
    file.seek(SeekFrom::Start(0)).map_err(|e| cannot_open(&e))?;
    // A sample ends with a whole line where it can.
    if sample.len() == SAMPLE
        && let Some(end) = sample.iter().rposition(|b| *b == b'\n')
    {
        sample.truncate(end + 1);
    }
    Ok(sample)
}

fn tell_format(sample: &[u8]) -> Format {
    let workbook = sample.starts_with(b"PK\x03\x04") || sample.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]);
    if workbook { Format::Xlsx } else { Format::Csv }
}

fn text_input(file: File, encoding: Encoding) -> Result<Box<dyn BufRead>> {
    let buffered = BufReader::with_capacity(256 * 1024, file);
    let mut input: Box<dyn BufRead> = match encoding {
        Encoding::Utf16Le => Box::new(Utf16ToUtf8::new(buffered, false)),
        Encoding::Utf16Be => Box::new(Utf16ToUtf8::new(buffered, true)),
        _ => Box::new(buffered),
    };
    skip_bom(&mut input).map_err(|e| cannot_open(&e))?;
    Ok(input)
}

impl Encoding {
    /// A sample in which delimiters can be counted byte by byte.
    fn sample_as_ascii(self, sample: &[u8]) -> Vec<u8> {
        if self.is_ascii_based() {
            sample.to_vec()
        } else {
            self.decode(sample).text.into_bytes()
        }
    }
}

fn cannot_open(source: &std::io::Error) -> Error {
    Error::refused(
        Kind::Invalid,
        "cannot-open",
        format!("Không đọc được tệp: {source}."),
        format!("The file cannot be read: {source}."),
    )
}

fn file_changed() -> Error {
    Error::refused(
        Kind::Conflict,
        "file-changed",
        "Tệp đã thay đổi từ lần đọc trước. Đọc lại từ đầu.",
        "The file has changed since it was read. Start again from the beginning.",
    )
}

#[cfg(test)]
pub(crate) fn workbook_for_tests(sheet: &str) -> Vec<u8> {
    xlsx::tests::workbook(sheet)
}
