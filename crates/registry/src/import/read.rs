//! The rows of a file, in pieces.

use std::{fs::File, io::Read as _, path::Path};

use base::{Error, Kind, Result};
use cleansing::{
    clean::Table,
    layout::Layout,
    read::{Line, Lines, Position, Reader, Row},
};
use sha2::{Digest, Sha256};

/// The most rows of a piece, but for its last record; and of a record.
pub(super) const ROWS: usize = 2_048;
/// The most bytes of a piece, but for its last record; and of a record, but for its first row.
const BYTES: usize = 4 * 1024 * 1024;

/// Rows that come together, and the place behind them. A record is never in two pieces, so that a run which goes on at a place begins
/// with a record.
pub(super) struct Chunk {
    pub rows: Rows,
    pub next: Position,
}

/// Rows, each as its reader gives it.
pub(super) enum Rows {
    Cells(Vec<Record>),
    Json(Vec<Line>),
}

/// The rows of a record.
#[derive(Default)]
pub(super) struct Record {
    pub rows: Vec<Row>,
    /// Rows that are more than a record may have, which are not kept, and the line of the first.
    pub beyond: Option<(u64, u64)>,
    /// The lines of those rows of which nobody knows whether they are of this record.
    pub unsure: Vec<u64>,
}

/// Which record a row is of.
pub(super) enum Of {
    /// It is no data, and stands where it stands.
    None,
    /// Nobody knows: its key cannot be read.
    Unknown,
    /// The one with this key.
    Key(Vec<String>),
}

/// Reads a file from a place on; each piece goes to `take`, until that wants no more. With `of` rows that follow one another and are
/// of one record come as one; else each row is a record.
pub(super) fn read(
    path: &Path,
    layout: Option<&Layout>,
    of: Option<&dyn Fn(&Row) -> Of>,
    from: Position,
    take: &mut dyn FnMut(Chunk) -> bool,
) -> Result<()> {
    let Some(layout) = layout else {
        return read_lines(path, from, take);
    };
    let mut reader = Table::open(path, layout)?.reader;
    reader.skip_to(from)?;
    let mut records = Records {
        reader,
        of,
        before: None,
        next: from,
    };
    let (mut together, mut rows, mut bytes) = (Vec::new(), 0, 0);
    while let Some((record, size)) = records.next_record()? {
        rows += record.rows.len();
        bytes += size;
        together.push(record);
        if rows >= ROWS || bytes >= BYTES {
            (rows, bytes) = (0, 0);
            let rows = Rows::Cells(std::mem::take(&mut together));
            let next = records.next;
            if !take(Chunk { rows, next }) {
                return Ok(());
            }
        }
    }
    if !together.is_empty() {
        let rows = Rows::Cells(together);
        let next = records.next;
        take(Chunk { rows, next });
    }
    Ok(())
}

/// The records of a table, in their order.
struct Records<'a> {
    reader: Reader,
    of: Option<&'a dyn Fn(&Row) -> Of>,
    /// The row that ended the record before it.
    before: Option<(Row, Of)>,
    /// The place behind the record that was given last.
    next: Position,
}

impl Records<'_> {
    /// The next record, and its bytes.
    fn next_record(&mut self) -> Result<Option<(Record, usize)>> {
        let (mut record, mut bytes) = (Record::default(), 0);
        let (mut key, mut is_open) = (None, true);
        while let Some((row, of)) = self.next_row()? {
            let is_unsure = matches!(of, Of::Unknown);
            match of {
                // A row of which nobody knows whose it is may be the last of one record or the first of the next: both are refused as one,
                // for either might be taken in without it.
                Of::Unknown => is_open = true,
                Of::Key(its) => {
                    if !is_open && key.as_ref() != Some(&its) {
                        self.before = Some((row, Of::Key(its)));
                        break;
                    }
                    (key, is_open) = (Some(its), false);
                }
                Of::None => {}
            }
            self.next = row.next;
            let size = row.cells.iter().map(|cell| cell.text.len() + 32).sum::<usize>();
            if record.rows.is_empty() || record.rows.len() < ROWS && bytes + size <= BYTES && record.beyond.is_none() {
                bytes += size;
                record.unsure.extend(is_unsure.then_some(row.line));
                record.rows.push(row);
            } else {
                record.beyond.get_or_insert((0, row.line)).0 += 1;
            }
            if self.of.is_none() {
                break;
            }
        }
        Ok((!record.rows.is_empty()).then_some((record, bytes)))
    }

    fn next_row(&mut self) -> Result<Option<(Row, Of)>> {
        if let Some(row) = self.before.take() {
            return Ok(Some(row));
        }
        let row = self.reader.next_row()?;
        Ok(row.map(|row| {
            let of = self.of.map_or(Of::None, |of| of(&row));
            (row, of)
        }))
    }
}

fn read_lines(path: &Path, from: Position, take: &mut dyn FnMut(Chunk) -> bool) -> Result<()> {
    let mut reader = Lines::open(path)?;
    if !reader.skip_to(from).map_err(Error::internal)? {
        return Err(changed());
    }
    let (mut lines, mut bytes) = (Vec::new(), 0);
    while let Some(line) = reader.next_line().map_err(Error::internal)? {
        bytes += line.bytes.len();
        if !line.bytes.trim_ascii().is_empty() {
            lines.push(line);
        }
        if lines.len() >= ROWS || bytes >= BYTES {
            bytes = 0;
            let rows = Rows::Json(std::mem::take(&mut lines));
            let next = reader.position();
            if !take(Chunk { rows, next }) {
                return Ok(());
            }
        }
    }
    if !lines.is_empty() {
        let rows = Rows::Json(lines);
        let next = reader.position();
        take(Chunk { rows, next });
    }
    Ok(())
}

fn changed() -> Error {
    Error::refused(
        Kind::Conflict,
        "file-changed",
        "Tệp đã thay đổi từ lần đọc trước. Đọc lại từ đầu.",
        "The file has changed since it was read. Start again from the beginning.",
    )
}

/// A file of which the fingerprint is being taken, piece by piece.
pub(super) struct Fingerprint {
    file: File,
    hasher: Sha256,
    /// Bytes read.
    pub read: u64,
    /// Bytes of the file when it was opened.
    pub size: u64,
}

/// Bytes of the file that are read at once.
const READ: u64 = 64 * 1024 * 1024;

impl Fingerprint {
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(cannot_open)?;
        Ok(Self {
            size: file.metadata().map_err(cannot_open)?.len(),
            file,
            hasher: Sha256::new(),
            read: 0,
        })
    }

    /// Reads on; the SHA-256 in hex when all is read.
    pub fn read_on(&mut self) -> Result<Option<String>> {
        let count = std::io::copy(&mut (&self.file).take(READ), &mut self.hasher).map_err(cannot_open)?;
        self.read += count;
        Ok((count < READ).then(|| hex::encode(self.hasher.finalize_reset())))
    }
}

fn cannot_open(source: std::io::Error) -> Error {
    Error::refused(
        Kind::Invalid,
        "cannot-open",
        format!("Không đọc được tệp: {source}."),
        format!("The file cannot be read: {source}."),
    )
}
