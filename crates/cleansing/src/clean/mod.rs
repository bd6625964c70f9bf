//! File in, good rows and a report out: reader, standards, writer.
//!
//! Memory does not grow with the file. What was done is noted now and then, so that a run that was broken off goes on from
//! there. The good file and the report stand under their names only when they are whole.

mod header;
mod keys;
mod output;
mod row;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, path::Path};

use base::Result;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use self::output::Output;
pub use self::{
    header::Columns,
    keys::Keys,
    row::{Judged, Standards},
};
use crate::{
    Finding, Severity,
    address::Gazetteer,
    encoding::Guess,
    layout::{Format, Layout},
    read::{Opened, Position, Reader, Row},
};

/// What to clean, and how.
#[derive(Debug)]
pub struct Options<'a> {
    /// The file.
    pub input: &'a Path,
    /// What it is.
    pub layout: &'a Layout,
    /// Where the good rows go, as CSV in UTF-8: `source_line`, the fields, and for an address its unit and certainty.
    pub good: &'a Path,
    /// Where the findings go, as CSV in UTF-8.
    pub report: &'a Path,
    /// Whether a single bad row, or two rows with one key, refuses the whole file.
    pub strict: bool,
    /// Whether to go on where a run that was broken off stopped.
    pub resume: bool,
    /// Whether the report shows the values and proposals, which may be personal data. It goes to the owner of the file then,
    /// and nowhere else.
    pub show_values: bool,
    /// The day: no birthday lies after it.
    pub today: Date,
    /// When the addresses were written, where that is known.
    pub written: Option<Date>,
    /// The units, where the layout has addresses.
    pub gazetteer: Option<&'a Gazetteer>,
    /// Rows between two notes of what was done, and between two calls for progress: 20,000 is some tenths of a second.
    pub checkpoint_rows: u64,
    /// Bytes of memory for finding double keys; 64 MB is enough for any file.
    pub key_memory: usize,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Rows read.
    pub rows: u64,
    /// Bytes of the input behind it; in a workbook 0.
    pub bytes: u64,
    /// Bytes of the input.
    pub of: u64,
}

/// What a run found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Summary {
    /// Rows of data.
    pub rows: u64,
    /// Rows in the good file.
    pub good: u64,
    /// Of these, rows with a doubt.
    pub doubtful: u64,
    /// Rows that are not good.
    pub bad: u64,
    /// Rows whose key an earlier row has. They are in the good file too: which one is right is for a person to say.
    pub duplicates: u64,
    /// Findings by code.
    pub findings: BTreeMap<String, u64>,
    /// The encoding of the file; empty for a workbook.
    pub encoding: String,
    /// Whether the encoding is beyond doubt.
    pub encoding_sure: bool,
    /// Whether there is a good file: not if the run was strict and anything was bad.
    pub accepted: bool,
}

/// Cleans a file.
///
/// # Errors
/// What makes the whole file unreadable: `cannot-open`, `no-header`, `missing-columns`, a workbook that is none or a bomb;
/// `no-gazetteer`; `nothing-to-resume` and `file-changed`; output that cannot be written. Bad rows are no error: see
/// [`Summary`].
pub fn clean(options: &Options<'_>, progress: &mut dyn FnMut(Progress)) -> Result<Summary> {
    let layout = options.layout;
    let standards = Standards {
        layout,
        today: options.today,
        written: options.written,
        gazetteer: options.gazetteer,
    };
    standards.check()?;
    let size = std::fs::metadata(options.input).map_err(output::cannot_read)?.len();
    let Table {
        mut reader,
        opened,
        columns,
    } = Table::open(options.input, layout)?;
    let (mut output, mut summary, mut position) = if options.resume {
        let (output, done) = Output::resume(options, size)?;
        (output, done.summary, done.position)
    } else {
        let mut summary = Summary::default();
        if let Some(guess) = &opened.guess {
            guess.encoding.name().clone_into(&mut summary.encoding);
            summary.encoding_sure = guess.sure;
        }
        let mut output = Output::create(options, &standards.headings())?;
        if let Some(finding) = opened.unsure() {
            note(&mut output, &mut summary, &finding, "")?;
        }
        for finding in &columns.findings {
            note(&mut output, &mut summary, finding, "")?;
        }
        (output, summary, columns.data)
    };
    reader.skip_to(position)?;
    while let Some(row) = reader.next_row()? {
        position = row.next;
        one_row(&row, &columns, &standards, opened.format, &mut output, &mut summary)?;
        if summary.rows.is_multiple_of(options.checkpoint_rows) {
            output.checkpoint(options, size, position, &summary)?;
            progress(Progress {
                rows: summary.rows,
                bytes: position.offset,
                of: size,
            });
        }
    }
    double_keys(options, &mut output, &mut summary)?;
    summary.accepted = !options.strict || summary.bad == 0 && summary.duplicates == 0;
    output.finish(options, summary.accepted)?;
    progress(Progress {
        rows: summary.rows,
        bytes: position.offset,
        of: size,
    });
    Ok(summary)
}

/// A file opened by its layout, with its headings found.
#[derive(Debug)]
pub struct Table {
    /// Its rows, from the beginning of the file: the data begin at [`Columns::data`].
    pub reader: Reader,
    /// What it was taken for.
    pub opened: Opened,
    /// Which column is which field.
    pub columns: Columns,
}

impl Table {
    /// Opens a file and looks for its headings.
    ///
    /// # Errors
    /// `cannot-open`, `no-header`, `missing-columns`, a workbook that is none or a bomb.
    pub fn open(path: &Path, layout: &Layout) -> Result<Self> {
        let (mut reader, opened) = Reader::open(path, layout)?;
        let columns = header::find(&mut reader, layout, opened.format)?;
        // The rows that were read in looking for the headings are read again.
        (reader, _) = Reader::open(path, layout)?;
        reader.set_column_encodings(columns.encodings(layout));
        Ok(Self {
            reader,
            opened,
            columns,
        })
    }
}

impl Opened {
    /// Says why the encoding of the file is in doubt, where it is.
    pub fn unsure(&self) -> Option<Finding> {
        self.guess.as_ref().filter(|guess| !guess.sure).map(unsure)
    }
}

fn unsure(guess: &Guess) -> Finding {
    let name = guess.encoding.name();
    let shares = guess
        .evidence
        .iter()
        .map(|e| format!("{} {}/{}", e.encoding.name(), e.syllables, e.words));
    let shares = shares.collect::<Vec<_>>().join(", ");
    Finding::row(
        1,
        Severity::Doubt,
        "encoding-unsure",
        format!("Chưa chắc chắn về bảng mã; đọc theo {name}. Số từ có dấu đúng chính tả theo từng bảng mã: {shares}."),
        format!(
            "The encoding is not sure; {name} is taken. Words with marks that are spelt right, by encoding: {shares}."
        ),
    )
}

fn one_row(
    row: &Row,
    columns: &Columns,
    standards: &Standards<'_>,
    format: Format,
    output: &mut Output,
    summary: &mut Summary,
) -> Result<()> {
    if let Some(finding) = columns.no_data(row) {
        return note(output, summary, &finding, "");
    }
    let judged = standards.judge(row, columns, format);
    summary.rows += 1;
    let worst = judged.findings.iter().map(|(f, _)| f.severity).max();
    for (finding, proposals) in &judged.findings {
        note(output, summary, finding, proposals)?;
    }
    if worst == Some(Severity::Bad) {
        summary.bad += 1;
        return Ok(());
    }
    summary.good += 1;
    summary.doubtful += u64::from(worst == Some(Severity::Doubt));
    output.good(row.line, &judged.values)?;
    if let Some(key) = judged.key {
        output.key(&key, row.line)?;
    }
    Ok(())
}

fn double_keys(options: &Options<'_>, output: &mut Output, summary: &mut Summary) -> Result<()> {
    let Some(keys) = output.keys() else {
        return Ok(());
    };
    let field = options.layout.keys.join("+");
    keys.duplicates(options.key_memory, &mut |first, line| {
        summary.duplicates += 1;
        let finding = Finding::row(
            line,
            Severity::Doubt,
            "duplicate-key",
            format!("Trùng khóa với dòng {first}. Xác định dòng đúng."),
            format!("The key is that of line {first}. Find out which one is right."),
        );
        note(output, summary, &finding.at(&field), "")
    })
}

fn note(output: &mut Output, summary: &mut Summary, finding: &Finding, proposals: &str) -> Result<()> {
    *summary.findings.entry(finding.code.to_owned()).or_default() += 1;
    output.report(finding, proposals)
}
