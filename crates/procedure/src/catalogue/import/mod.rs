//! Reads the published catalogue into the database: the national list (CSV), facts (JSON lines), whole pages (JSON) and
//! this project's own reference data.
//!
//! * Every oddity is reported at its file and line, in both languages; a bad row is refused by itself and the others stay.
//! * Running the same import again changes nothing. A procedure whose content changed gets a new version that holds from
//!   the day of the import; no version is ever overwritten.
//! * Files may be hostile: lines, values and counts are bounded, and so is memory.

mod csv_file;
mod json_file;
mod lines;
mod own;
mod report;
mod row;

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    io::{BufReader, Read},
    path::PathBuf,
};

use ::store::Store;
use base::{Clock, Result};
use jiff::civil::Date;

pub use report::{Counts, Finding, Report};

use self::{
    lines::{Line, Lines, Record as CsvRecord},
    row::{Bad, Row},
};
use super::{
    model::{Code, Layer, Said, Sheet, Source},
    oddity::{Kind, Oddity},
    store as tables,
};
use crate::reference;

base::typed_id!(/// One import.
    Import as ImportId);

/// The longest line, and the longest CSV record.
const MAX_LINE: usize = 1 << 20;
/// The largest file that holds one page.
const MAX_PAGE: u64 = 16 << 20;
/// The most rows of one import. The nation has fewer than 6,000 procedures.
const MAX_ROWS: usize = 100_000;
/// The most that one import keeps in memory.
const MAX_BYTES: usize = 512 << 20;
/// Procedures written in one transaction.
const BATCH: usize = 500;

/// What to import, and as of when.
#[derive(Debug, Clone)]
pub struct Options {
    /// The day from which changed procedures hold.
    pub date: Date,
    /// The day on which the files were fetched from their publisher, where they do not say so themselves.
    pub retrieved: Option<Date>,
    /// How the report calls the publisher.
    pub publisher: String,
    /// Only read and report; write nothing.
    pub dry_run: bool,
}

impl Options {
    /// As of today.
    pub fn today(clock: &dyn Clock) -> Self {
        Self {
            date: clock.now().legal_date(),
            retrieved: None,
            publisher: "Cổng Dịch vụ công quốc gia".to_owned(),
            dry_run: false,
        }
    }
}

/// How far an import is; for a progress bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress<'a> {
    /// Reading a file: so many bytes of so many.
    Reading {
        /// Its name.
        file: &'a str,
        /// Bytes read.
        done: u64,
        /// Its size.
        total: u64,
    },
    /// Writing: so many procedures of so many.
    Writing {
        /// Procedures written.
        done: u64,
        /// All of them.
        total: u64,
    },
}

/// Imports files, each by its kind: `.csv` the national list, `.jsonl` facts, `.json` one page (or a list of them).
///
/// # Errors
/// A failure of the database. What is wrong with the files stands in the report.
pub async fn import(
    store: &Store,
    clock: &dyn Clock,
    files: &[PathBuf],
    options: &Options,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Report> {
    let mut gathered = Gathered::default();
    for path in files {
        read_file(path, options, &mut gathered, progress);
        tokio::task::yield_now().await;
    }
    let names: Vec<String> = files.iter().map(|f| f.display().to_string()).collect();
    write(store, clock, &names, gathered, options, progress).await
}

/// Imports this project's own reference data: the 80 procedures with English names, life events and keywords.
///
/// # Errors
/// A failure of the database.
pub async fn import_reference(
    store: &Store,
    clock: &dyn Clock,
    published: &reference::Published,
    options: &Options,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Report> {
    let mut gathered = Gathered::default();
    let name = "data/procedures";
    let (rows, bad) = own::rows(published, options.date);
    for row in rows {
        gathered.take(name, row, options);
    }
    for bad in bad {
        gathered.refuse(name, 0, bad);
    }
    gathered.settle(options);
    write(store, clock, &[name.to_owned()], gathered, options, progress).await
}

/// What was read, before it is written.
#[derive(Default)]
struct Gathered {
    rows: BTreeMap<Code, BTreeMap<Layer, Taken>>,
    untidy: Vec<(String, Row)>,
    report: Report,
    bytes: usize,
}

struct Taken {
    file: String,
    line: u64,
    sheet: Sheet,
    from: Option<Date>,
    size: usize,
}

impl Taken {
    fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}

/// Whether two rows say the same, however untidily.
fn same(a: &Said, b: &Said) -> bool {
    let bare = |said: &Said| Said {
        oddities: Vec::new(),
        ..said.clone()
    };
    bare(a) == bare(b)
}

impl Gathered {
    fn refuse(&mut self, file: &str, line: u64, bad: Bad) {
        self.report.counts.refused += 1;
        self.report.find(Finding {
            file: file.to_owned(),
            line,
            code: bad.code,
            oddity: bad.oddity,
        });
    }

    fn note(&mut self, file: &str, line: u64, oddity: Oddity) {
        self.report.find(Finding {
            file: file.to_owned(),
            line,
            code: String::new(),
            oddity,
        });
    }

    fn odd(&mut self, file: &str, row: &Row, oddity: Oddity) {
        self.report.find(Finding {
            file: file.to_owned(),
            line: row.line,
            code: row.code.to_string(),
            oddity,
        });
    }

    /// Takes a row. One whose code had stray spaces waits: it yields to a tidy row of the same code further down.
    fn take(&mut self, file: &str, row: Row, options: &Options) {
        if !row.tidy && self.untidy.len() < 1000 {
            self.untidy.push((file.to_owned(), row));
            return;
        }
        self.put(file, row, options);
    }

    fn put(&mut self, file: &str, row: Row, options: &Options) {
        for oddity in &row.said.oddities {
            self.odd(file, &row, oddity.clone());
        }
        let known = self.rows.get(&row.code).and_then(|layers| layers.get(&row.layer));
        let known = known.map(|first| (same(&first.sheet.said, &row.said), first.place(), first.file == file));
        let name = row.said.name.as_ref().map_or("", |n| n.vi.as_str()).to_owned();
        match known {
            // The same code twice in one file: other content has taken another's code, the same content is a repeat.
            Some((false, place, true)) => {
                self.report.counts.refused += 1;
                let value = format!("{name} · {place}");
                return self.odd(file, &row, Oddity::new(Kind::CodeDuplicate, "code", &value));
            }
            Some((true, place, true)) => {
                self.report.counts.read += 1;
                let value = format!("{name} · {place}");
                return self.odd(file, &row, Oddity::new(Kind::RowRepeated, "code", &value));
            }
            // A later file of the same kind has the last word.
            Some((false, place, false)) => self.odd(file, &row, Oddity::new(Kind::RowReplaced, "code", &place)),
            Some((true, _, false)) | None => {}
        }
        self.report.counts.read += 1;
        let name = if row.layer == Layer::Own {
            file.to_owned()
        } else {
            options.publisher.clone()
        };
        let retrieved = row.retrieved.or(options.retrieved).unwrap_or(options.date);
        let source = Source {
            name,
            retrieved: retrieved.to_string(),
        };
        let size = serde_json::to_vec(&row.said).map_or(0, |v| v.len());
        self.bytes += size;
        let from = row.said.valid_from;
        let sheet = Sheet { source, said: row.said };
        let taken = Taken {
            file: file.to_owned(),
            line: row.line,
            sheet,
            from,
            size,
        };
        let layers = self.rows.entry(row.code).or_default();
        if let Some(before) = layers.insert(row.layer, taken) {
            self.bytes -= before.size;
        }
    }

    /// Puts the rows that waited. Done at the end of each file, so that none of them is ever left behind.
    fn settle(&mut self, options: &Options) {
        for (file, row) in std::mem::take(&mut self.untidy) {
            self.put(&file, row, options);
        }
    }

    fn is_full(&self) -> bool {
        self.rows.len() >= MAX_ROWS || self.bytes >= MAX_BYTES
    }
}

fn read_file(path: &PathBuf, options: &Options, into: &mut Gathered, progress: &mut dyn FnMut(Progress<'_>)) {
    let name = path
        .file_name()
        .map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned());
    let opened = File::open(path).and_then(|f| f.metadata().map(|m| (f, m)));
    let (file, meta) = match opened {
        Ok((file, meta)) if meta.is_file() => (file, meta),
        Ok(_) => return into.refuse(&name, 0, Bad::new(Kind::FileUnreadable, "", "not a file")),
        Err(e) => return into.refuse(&name, 0, Bad::new(Kind::FileUnreadable, "", &e.to_string())),
    };
    let total = meta.len();
    let kind = path
        .extension()
        .map(|e| e.to_string_lossy().to_ascii_lowercase())
        .unwrap_or_default();
    let reader = BufReader::with_capacity(1 << 17, file);
    let outcome = match kind.as_str() {
        "csv" => read_csv(&name, reader, total, options, into, progress),
        "jsonl" | "ndjson" => read_lines(&name, reader, total, options, into, progress),
        "json" => read_page(&name, reader, total, options, into),
        other => {
            into.refuse(&name, 0, Bad::new(Kind::FileFormat, "", other));
            Ok(())
        }
    };
    if let Err(e) = outcome {
        into.refuse(&name, 0, Bad::new(Kind::FileUnreadable, "", &e.to_string()));
    }
    into.settle(options);
    progress(Progress::Reading {
        file: &name,
        done: total,
        total,
    });
}

/// Takes the byte order mark off the first line. A UTF-16 mark means that the whole file cannot be read.
fn without_mark(name: &str, bytes: &[u8], into: &mut Gathered) -> Option<Vec<u8>> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        into.refuse(name, 1, Bad::new(Kind::NotUtf8, "", "UTF-16"));
        return None;
    }
    Some(match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) => {
            into.note(name, 1, Oddity::new(Kind::Bom, "", ""));
            rest.to_vec()
        }
        None => bytes.to_vec(),
    })
}

fn read_csv(
    name: &str,
    reader: impl std::io::BufRead,
    total: u64,
    options: &Options,
    into: &mut Gathered,
    progress: &mut dyn FnMut(Progress<'_>),
) -> std::io::Result<()> {
    let mut lines = Lines::new(reader, MAX_LINE);
    let mut columns: Option<csv_file::Columns> = None;
    while let Some((line, record)) = lines.next_record()? {
        let bytes = match record {
            CsvRecord::Bytes(bytes) => bytes,
            CsvRecord::TooLong(length) => {
                into.refuse(name, line, Bad::new(Kind::LineTooLong, "", &length.to_string()));
                if columns.is_none() {
                    return Ok(());
                }
                continue;
            }
            CsvRecord::OpenQuote => {
                into.refuse(name, line, Bad::new(Kind::RowMalformed, "", "\" …"));
                if columns.is_none() {
                    return Ok(());
                }
                continue;
            }
        };
        let bytes = if line == 1 {
            match without_mark(name, &bytes, into) {
                Some(bytes) => bytes,
                None => return Ok(()),
            }
        } else {
            bytes
        };
        if bytes.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let cells = match csv_file::cells(&bytes) {
            Ok(cells) => cells,
            Err(bad) => {
                into.refuse(name, line, bad);
                if columns.is_none() {
                    return Ok(());
                }
                continue;
            }
        };
        let Some(columns) = &columns else {
            match csv_file::Columns::read(&cells) {
                Ok((read, unknown)) => {
                    for oddity in unknown {
                        into.note(name, line, oddity);
                    }
                    columns = Some(read);
                    continue;
                }
                Err(missing) => {
                    for bad in missing {
                        into.refuse(name, line, bad);
                    }
                    return Ok(());
                }
            }
        };
        if into.is_full() {
            into.refuse(name, line, Bad::new(Kind::TooManyRows, "", ""));
            return Ok(());
        }
        match columns.row(&cells, line) {
            Ok(row) => into.take(name, row, options),
            Err(bad) => into.refuse(name, line, bad),
        }
        if line % 200 == 0 {
            progress(Progress::Reading {
                file: name,
                done: lines.bytes_read(),
                total,
            });
        }
    }
    if columns.is_none() {
        into.refuse(name, 1, Bad::new(Kind::FileColumns, "", ""));
    }
    Ok(())
}

fn read_lines(
    name: &str,
    reader: impl std::io::BufRead,
    total: u64,
    options: &Options,
    into: &mut Gathered,
    progress: &mut dyn FnMut(Progress<'_>),
) -> std::io::Result<()> {
    let mut lines = Lines::new(reader, MAX_LINE);
    while let Some((line, content)) = lines.next_line()? {
        let bytes = match content {
            Line::Bytes(bytes) => bytes,
            Line::TooLong(length) => {
                into.refuse(name, line, Bad::new(Kind::LineTooLong, "", &length.to_string()));
                continue;
            }
        };
        let bytes = if line == 1 {
            match without_mark(name, &bytes, into) {
                Some(bytes) => bytes,
                None => return Ok(()),
            }
        } else {
            bytes
        };
        if bytes.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        if into.is_full() {
            into.refuse(name, line, Bad::new(Kind::TooManyRows, "", ""));
            return Ok(());
        }
        read_json(name, line, &bytes, options, into);
        if line % 50 == 0 {
            progress(Progress::Reading {
                file: name,
                done: lines.bytes_read(),
                total,
            });
        }
    }
    Ok(())
}

fn read_page(
    name: &str,
    reader: impl std::io::Read,
    total: u64,
    options: &Options,
    into: &mut Gathered,
) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    reader.take(MAX_PAGE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_PAGE {
        into.refuse(name, 1, Bad::new(Kind::LineTooLong, "", &total.to_string()));
        return Ok(());
    }
    if let Some(bytes) = without_mark(name, &bytes, into) {
        read_json(name, 1, &bytes, options, into);
    }
    Ok(())
}

fn read_json(name: &str, line: u64, bytes: &[u8], options: &Options, into: &mut Gathered) {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(e) => {
            let at = format!("byte {}", e.valid_up_to() + 1);
            return into.refuse(
                name,
                line,
                Bad::new(Kind::NotUtf8, &at, &String::from_utf8_lossy(bytes)),
            );
        }
    };
    let value: serde_json::Value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(e) => {
            let inner = line + u64::try_from(e.line().saturating_sub(1)).unwrap_or(0);
            let at = format!("{}:{}", e.line(), e.column());
            return into.refuse(name, inner, Bad::new(Kind::RowMalformed, &at, &e.to_string()));
        }
    };
    let items: &[serde_json::Value] = match &value {
        serde_json::Value::Array(items) => items,
        one => std::slice::from_ref(one),
    };
    for item in items {
        match json_file::row(item, line) {
            Ok(row) => into.take(name, row, options),
            Err(bad) => into.refuse(name, line, bad),
        }
    }
}

/// Writes what was gathered, in a few transactions. One that is cut off is completed by running the import again.
async fn write(
    store: &Store,
    clock: &dyn Clock,
    files: &[String],
    mut gathered: Gathered,
    options: &Options,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Report> {
    let mut report = std::mem::take(&mut gathered.report);
    let now = clock.now();
    let import = ImportId::new(now);
    let total = gathered.rows.len() as u64;
    let mut done = 0_u64;
    let mut rows = gathered.rows.into_iter().peekable();
    while rows.peek().is_some() {
        let batch: Vec<tables::Incoming> = rows
            .by_ref()
            .take(BATCH)
            .map(|(code, layers)| {
                let from = layers.values().filter_map(|t| t.from).max();
                let layers: HashMap<Layer, Sheet> = layers.into_iter().map(|(l, t)| (l, t.sheet)).collect();
                tables::Incoming { code, layers, from }
            })
            .collect();
        done += batch.len() as u64;
        let written = tables::write_batch(store, &batch, import, now, options.date, options.dry_run).await?;
        report.counts.added += written.added;
        report.counts.changed += written.changed;
        report.counts.unchanged += written.unchanged;
        progress(Progress::Writing { done, total });
    }
    report.files = files.to_vec();
    if !options.dry_run {
        tables::write_import(store, import, now, &report).await?;
    }
    Ok(report)
}
