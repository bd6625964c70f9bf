//! What was found in a file, as a CSV beside it: where, what, and what to do; never the values.
//!
//! It stands under its name with `.part` behind until the run is over. What is true of it is a number of bytes, which is kept with
//! the place in the file: what a run wrote after that and was not kept is written over.

use std::{
    fs::{File, OpenOptions},
    io::{self, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use base::{Error, Kind, Result, Text};
use cleansing::{Finding, Severity};

const HEADINGS: [&str; 7] = ["line", "column", "field", "severity", "code", "vi", "en"];

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// The line on which the row begins, from 1; in a workbook the row.
    pub line: u64,
    /// The column, from 1; 0 for the whole row.
    pub column: usize,
    /// The field; empty where it is about none.
    pub field: String,
    pub severity: Severity,
    /// A stable name for programs.
    pub code: String,
    /// What it is and what to do.
    pub text: Text,
}

impl From<&Finding> for Entry {
    fn from(finding: &Finding) -> Self {
        Self {
            line: finding.line,
            column: finding.column,
            field: finding.field.clone(),
            severity: finding.severity,
            code: finding.code.to_owned(),
            text: finding.text.clone(),
        }
    }
}

/// The report of a run.
#[derive(Debug)]
pub(super) struct Report {
    file: File,
    name: PathBuf,
    /// The bytes that are true.
    length: u64,
}

impl Report {
    /// Begins a report.
    pub fn create(name: &Path) -> Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut report = Self {
            file: options.open(part(name)).map_err(cannot_write)?,
            name: name.to_owned(),
            length: 0,
        };
        let mut out = csv::Writer::from_writer(Vec::new());
        out.write_record(HEADINGS).map_err(|e| cannot_write(e.into()))?;
        let bytes = out.into_inner().map_err(|e| cannot_write(e.into_error()))?;
        let length = report.write(&bytes)?;
        report.length = length;
        Ok(report)
    }

    /// Goes on with a report of which `length` bytes are true.
    pub fn resume(name: &Path, length: u64) -> Result<Self> {
        let file = OpenOptions::new().write(true).open(part(name)).map_err(cannot_write)?;
        if file.metadata().map_err(cannot_write)?.len() < length {
            return Err(cannot_write(io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(Self {
            file,
            name: name.to_owned(),
            length,
        })
    }

    /// Writes entries after what is true; the length with them. Until [`Self::keep`] the next write takes their place.
    pub fn add(&mut self, entries: &[Entry]) -> Result<u64> {
        let mut out = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
        for entry in entries {
            let (line, column) = (entry.line.to_string(), entry.column.to_string());
            let record = [
                line.as_str(),
                &column,
                &entry.field,
                entry.severity.as_str(),
                &entry.code,
                &entry.text.vi,
                &entry.text.en,
            ];
            out.write_record(record).map_err(|e| cannot_write(e.into()))?;
        }
        let bytes = out.into_inner().map_err(|e| cannot_write(e.into_error()))?;
        self.write(&bytes)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<u64> {
        let mut write = || {
            self.file.seek(SeekFrom::Start(self.length))?;
            self.file.write_all(bytes)?;
            let length = self.length + bytes.len() as u64;
            self.file.set_len(length)?;
            Ok(length)
        };
        write().map_err(cannot_write)
    }

    /// Says that so many bytes are true.
    pub const fn keep(&mut self, length: u64) {
        self.length = length;
    }

    /// The bytes that are true.
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// Puts it on disk, under its name.
    pub fn finish(self) -> Result<()> {
        self.file.set_len(self.length).map_err(cannot_write)?;
        self.file.sync_all().map_err(cannot_write)?;
        std::fs::rename(part(&self.name), &self.name).map_err(cannot_write)
    }
}

fn part(name: &Path) -> PathBuf {
    let mut part = name.as_os_str().to_owned();
    part.push(".part");
    part.into()
}

pub(super) fn cannot_write(source: io::Error) -> Error {
    Error::refused(
        Kind::Unavailable,
        "cannot-write",
        format!("Không ghi được báo cáo: {source}."),
        format!("The report cannot be written: {source}."),
    )
}
