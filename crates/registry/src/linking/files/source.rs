//! A file that somebody brings, as rows, whatever its form is.

use std::io::{Seek as _, Write as _};

use base::{Error, Result};
use bytes::Bytes;
use cleansing::{
    layout::Layout,
    read::{Cell, Reader, Row},
};
use linkage::columnar::{Limits, Table};

use super::{MOST_COLUMNS, MOST_ROWS};

/// How a Parquet file begins, whatever it is called.
const PARQUET: &[u8] = b"PAR1";
/// What a Parquet file may ask of its reader. Its pages are a megabyte as a rule, and one of each column is in memory.
const LIMITS: Limits = Limits {
    rows: MOST_ROWS as u64,
    columns: MOST_COLUMNS,
    bytes: 256 << 20,
};

/// A file as rows; the names of the columns of a Parquet file come as the first.
pub(super) enum Source {
    /// CSV or a workbook.
    Sheet(Reader),
    /// Parquet, and the number of the row that comes next; 0 for the names.
    Table(Box<Table>, u64),
}

impl Source {
    /// Opens a file, which is told by what it holds and not by its name.
    ///
    /// # Errors
    /// What makes the whole file unreadable.
    pub fn open(content: &Bytes, name: &str) -> Result<Self> {
        if content.starts_with(PARQUET) {
            let table = Table::of_stranger(content.clone(), name, LIMITS)?;
            return Ok(Self::Table(Box::new(table), 0));
        }
        // Without a name in any folder: what is in it is gone with the last who holds it.
        let mut file = tempfile::tempfile().map_err(Error::internal)?;
        file.write_all(content).map_err(Error::internal)?;
        file.rewind().map_err(Error::internal)?;
        Reader::of(file, &Layout::default()).map(|(reader, _)| Self::Sheet(reader))
    }

    /// The next row that is not blank.
    ///
    /// # Errors
    /// What makes the rest of the file unreadable.
    pub fn next_row(&mut self) -> Result<Option<Row>> {
        let (table, next) = match self {
            Self::Sheet(reader) => return reader.next_row(),
            Self::Table(table, next) => (table, next),
        };
        loop {
            let texts = if *next == 0 {
                Some(table.names().to_vec())
            } else {
                let cells = table.next_row()?;
                cells.map(|cells| cells.into_iter().map(Option::unwrap_or_default).collect())
            };
            let Some(texts) = texts else { return Ok(None) };
            let line = *next;
            *next += 1;
            if texts.iter().any(|text| !text.trim().is_empty()) {
                return Ok(Some(Row {
                    line,
                    cells: texts.into_iter().map(Cell::text).collect(),
                    ..Row::default()
                }));
            }
        }
    }
}
