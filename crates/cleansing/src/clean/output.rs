//! The files that a run writes.
//!
//! They stand beside their names, with `.part` behind, until they are whole. Beside the good file stands what was done so far
//! (`.progress`), which is replaced in one step.

use std::{
    fs::{File, OpenOptions},
    io::{self, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use base::{Error, Result, refusal::Kind};
use serde::{Deserialize, Serialize};

use super::{Keys, Options, Position, Summary};
use crate::Finding;

/// What was done when it was last noted.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Done {
    /// The size of the input, by which a change is noticed.
    size: u64,
    /// The settings that must be the same.
    settings: String,
    pub position: Position,
    good_bytes: u64,
    report_bytes: u64,
    key_bytes: u64,
    pub summary: Summary,
}

pub(super) struct Output {
    good: csv::Writer<File>,
    report: csv::Writer<File>,
    keys: Option<Keys>,
    show_values: bool,
}

const REPORT: [&str; 9] = [
    "line",
    "column",
    "field",
    "severity",
    "code",
    "vi",
    "en",
    "value",
    "proposals",
];

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

pub(super) fn cannot_read(source: io::Error) -> Error {
    refuse("cannot-open", "Không đọc được tệp", "The file cannot be read", &source)
}

fn cannot_write(source: impl Into<io::Error>) -> Error {
    refuse(
        "cannot-write",
        "Không ghi được tệp kết quả",
        "The result cannot be written",
        &source.into(),
    )
}

fn refuse(code: &str, vi: &str, en: &str, source: &io::Error) -> Error {
    Error::refused(
        Kind::Invalid,
        code,
        format!("{vi}: {source}."),
        format!("{en}: {source}."),
    )
}

fn settings(options: &Options<'_>) -> String {
    format!(
        "{:?} strict={} values={} today={} written={:?}",
        options.layout, options.strict, options.show_values, options.today, options.written
    )
}

/// Makes a file that nobody else on the machine can read: it holds personal data.
pub(super) fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// A text that no spreadsheet takes for a formula: a report is opened by people, and its values come from anywhere.
fn harmless(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if formula { format!("'{text}") } else { text.to_owned() }
}

/// Opens a file and drops what was written after its first `bytes`.
pub(super) fn reopen(path: &Path, bytes: u64) -> io::Result<File> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    if file.metadata()?.len() < bytes {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    file.set_len(bytes)?;
    file.seek(SeekFrom::End(0))?;
    Ok(file)
}

impl Output {
    pub fn create(options: &Options<'_>, headings: &[String]) -> Result<Self> {
        let part = |path: &Path| {
            create(&beside(path, ".part"))
                .map(csv::Writer::from_writer)
                .map_err(cannot_write)
        };
        let keyed = !options.layout.keys.is_empty();
        let keys = keyed
            .then(|| Keys::create(&beside(options.good, ".keys")))
            .transpose()
            .map_err(cannot_write)?;
        let mut output = Self {
            good: part(options.good)?,
            report: part(options.report)?,
            keys,
            show_values: options.show_values,
        };
        output.good.write_record(headings).map_err(cannot_write)?;
        output.report.write_record(REPORT).map_err(cannot_write)?;
        Ok(output)
    }

    /// Goes on with the files of a run that was broken off.
    pub fn resume(options: &Options<'_>, size: u64) -> Result<(Self, Done)> {
        let nothing = || {
            Error::refused(
                Kind::NotFound,
                "nothing-to-resume",
                "Không có lần chạy dở dang nào để tiếp tục. Chạy lại từ đầu.",
                "There is no run to go on with. Start from the beginning.",
            )
        };
        let text = std::fs::read_to_string(beside(options.good, ".progress")).map_err(|_| nothing())?;
        let done: Done = serde_json::from_str(&text).map_err(|_| nothing())?;
        if done.size != size || done.settings != settings(options) {
            return Err(Error::refused(
                Kind::Conflict,
                "file-changed",
                "Tệp hoặc cách chạy đã thay đổi từ lần trước. Chạy lại từ đầu.",
                "The file or the settings have changed since. Start from the beginning.",
            ));
        }
        let open = |path: &Path, bytes| {
            reopen(&beside(path, ".part"), bytes)
                .map(csv::Writer::from_writer)
                .map_err(|_| nothing())
        };
        let keyed = !options.layout.keys.is_empty();
        let keys = keyed
            .then(|| Keys::resume(&beside(options.good, ".keys"), done.key_bytes))
            .transpose()
            .map_err(|_| nothing())?;
        let output = Self {
            good: open(options.good, done.good_bytes)?,
            report: open(options.report, done.report_bytes)?,
            keys,
            show_values: options.show_values,
        };
        Ok((output, done))
    }

    pub fn good(&mut self, line: u64, values: &[String]) -> Result<()> {
        let line = line.to_string();
        let record = std::iter::once(line.as_str()).chain(values.iter().map(String::as_str));
        self.good.write_record(record).map_err(cannot_write)
    }

    pub fn report(&mut self, finding: &Finding, proposals: &str) -> Result<()> {
        let (line, column) = (finding.line.to_string(), finding.column.to_string());
        let (value, proposals) = if self.show_values {
            (harmless(finding.raw.expose()), harmless(proposals))
        } else {
            Default::default()
        };
        self.report
            .write_record([
                line.as_str(),
                if finding.column == 0 { "" } else { &column },
                &finding.field,
                finding.severity.as_str(),
                finding.code,
                &finding.text.vi,
                &finding.text.en,
                &value,
                &proposals,
            ])
            .map_err(cannot_write)
    }

    pub fn key(&mut self, key: &[String], line: u64) -> Result<()> {
        match &mut self.keys {
            Some(keys) => keys.add(key, line).map_err(cannot_write),
            None => Ok(()),
        }
    }

    /// Takes out the keys, to be searched for double ones.
    pub fn keys(&mut self) -> Option<Keys> {
        self.keys.take()
    }

    /// Notes what was done.
    pub fn checkpoint(
        &mut self,
        options: &Options<'_>,
        size: u64,
        position: Position,
        summary: &Summary,
    ) -> Result<()> {
        let length = |writer: &mut csv::Writer<File>| -> io::Result<u64> {
            writer.flush()?;
            Ok(writer.get_ref().metadata()?.len())
        };
        let done = Done {
            size,
            settings: settings(options),
            position,
            good_bytes: length(&mut self.good).map_err(cannot_write)?,
            report_bytes: length(&mut self.report).map_err(cannot_write)?,
            key_bytes: self.keys.as_mut().map_or(Ok(0), Keys::flush).map_err(cannot_write)?,
            summary: summary.clone(),
        };
        let (new, place) = (beside(options.good, ".progress.new"), beside(options.good, ".progress"));
        let mut file = create(&new).map_err(cannot_write)?;
        file.write_all(serde_json::to_string(&done)?.as_bytes())
            .map_err(cannot_write)?;
        file.sync_all().map_err(cannot_write)?;
        std::fs::rename(new, place).map_err(cannot_write)
    }

    /// Gives the files their names. A run that is not accepted has no good file.
    pub fn finish(mut self, options: &Options<'_>, accepted: bool) -> Result<()> {
        self.good.flush().map_err(cannot_write)?;
        self.report.flush().map_err(cannot_write)?;
        let part = beside(options.good, ".part");
        if accepted {
            std::fs::rename(part, options.good).map_err(cannot_write)?;
        } else {
            std::fs::remove_file(part).map_err(cannot_write)?;
        }
        std::fs::rename(beside(options.report, ".part"), options.report).map_err(cannot_write)?;
        match std::fs::remove_file(beside(options.good, ".progress")) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(cannot_write(e)),
            _ => Ok(()),
        }
    }
}
