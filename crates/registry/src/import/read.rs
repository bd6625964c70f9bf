//! The rows of a file, in pieces.

use std::{fs::File, io::Read as _, path::Path};

use base::{Error, Kind, Result};
use cleansing::{
    clean::Table,
    layout::Layout,
    read::{Line, Lines, Position, Row},
};
use sha2::{Digest, Sha256};

/// The most rows of a piece.
const ROWS: usize = 2_048;
/// The most bytes of a piece, but for its last row.
const BYTES: usize = 4 * 1024 * 1024;

/// Rows that come together, and the place behind them.
pub(super) struct Chunk {
    pub rows: Rows,
    pub next: Position,
}

/// Rows, each as its reader gives it.
pub(super) enum Rows {
    Cells(Vec<Row>),
    Json(Vec<Line>),
}

/// Reads a file from a place on; each piece goes to `take`, until that wants no more.
pub(super) fn read(
    path: &Path,
    layout: Option<&Layout>,
    from: Position,
    take: &mut dyn FnMut(Chunk) -> bool,
) -> Result<()> {
    let Some(layout) = layout else {
        return read_lines(path, from, take);
    };
    let mut reader = Table::open(path, layout)?.reader;
    reader.skip_to(from)?;
    let (mut rows, mut bytes, mut next) = (Vec::new(), 0, from);
    while let Some(row) = reader.next_row()? {
        next = row.next;
        bytes += row.cells.iter().map(|cell| cell.text.len() + 32).sum::<usize>();
        rows.push(row);
        if rows.len() >= ROWS || bytes >= BYTES {
            bytes = 0;
            let rows = Rows::Cells(std::mem::take(&mut rows));
            if !take(Chunk { rows, next }) {
                return Ok(());
            }
        }
    }
    if !rows.is_empty() {
        let rows = Rows::Cells(rows);
        take(Chunk { rows, next });
    }
    Ok(())
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
