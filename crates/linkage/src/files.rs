//! Records out of files, and pairs and clusters into files.

use base::{Error, Kind, Problems, Result};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use crate::columnar::Table;
use crate::table::Records;

/// Adds the records of a file; `name` names the source, `id` its column of ids. `progress` hears the records so far.
///
/// A CSV may separate by comma, semicolon, tabulator or bar, and may begin with a byte order mark; its text is UTF-8. A
/// name that ends in `.parquet` is read as Parquet (see [`crate::columnar`]).
///
/// # Errors
/// `cannot-read`, `not-utf8`, `not-parquet`, `parquet-type`, and what [`Records::begin_source`] and
/// [`Records::push`] refuse; each at the file, with the line of a CSV.
pub fn read(path: &Path, name: &str, id: &str, records: &mut Records, progress: &mut dyn FnMut(u64)) -> Result<()> {
    if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("parquet")) {
        return read_parquet(path, name, id, records, progress);
    }
    let file = File::open(path).map_err(|error| cannot_read(path, &error))?;
    read_csv(BufReader::new(file), name, id, records, progress).map_err(|error| cut_short(path, error))
}

/// Bytes of a CSV that are read together.
const BUFFER: usize = 1 << 17;

/// Reads a CSV.
///
/// # Errors
/// As [`read`].
pub fn read_csv(
    input: impl BufRead,
    name: &str,
    id: &str,
    records: &mut Records,
    progress: &mut dyn FnMut(u64),
) -> Result<()> {
    let (mut header, mut count) = (false, 0);
    rows_of(input, name, |line, row| {
        if !header {
            header = true;
            let names: Vec<&str> = row.iter().map(str::trim).collect();
            return records.begin_source(name, &names, id);
        }
        let cells = (0..row.len()).map(|n| row.get(n));
        records.push(cells).map_err(|error| at_line(error, name, line))?;
        count += 1;
        if count % 10_000 == 0 {
            progress(count);
        }
        Ok(())
    })?;
    progress(count);
    Ok(())
}

/// The rows of a CSV, one after the other, for who does not keep them: the line that each begins at, and its cells without
/// the white space around them. The first row is the header, which may be empty and is never missing.
///
/// # Errors
/// `cannot-read`, `not-utf8`; what `row` returns.
pub fn rows(path: &Path, name: &str, mut row: impl FnMut(u64, &[&str]) -> Result<()>) -> Result<()> {
    let file = File::open(path).map_err(|error| cannot_read(path, &error))?;
    let trimmed = |line, cells: &csv::StringRecord| row(line, &cells.iter().map(str::trim).collect::<Vec<_>>());
    rows_of(BufReader::new(file), name, trimmed).map_err(|error| cut_short(path, error))
}

/// What failed in reading is a refusal of the file.
fn cut_short(path: &Path, error: Error) -> Error {
    match error {
        Error::Internal(source) => cannot_read(path, &source),
        refused => refused,
    }
}

fn rows_of(
    mut input: impl BufRead,
    name: &str,
    mut row: impl FnMut(u64, &csv::StringRecord) -> Result<()>,
) -> Result<()> {
    let beginning = input.fill_buf().map_err(Error::internal)?;
    let skip = if beginning.starts_with("\u{feff}".as_bytes()) {
        3
    } else {
        0
    };
    let delimiter = delimiter(beginning.get(skip..).unwrap_or_default());
    input.consume(skip);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .has_headers(false)
        .buffer_capacity(BUFFER)
        .from_reader(input);
    let mut cells = csv::StringRecord::new();
    let mut header = false;
    while reader.read_record(&mut cells).map_err(|error| broken(error, name))? {
        header = true;
        row(cells.position().map_or(0, csv::Position::line), &cells)?;
    }
    if header {
        Ok(())
    } else {
        row(1, &csv::StringRecord::new())
    }
}

/// The sign that occurs most in the first line, out of those that separate columns.
fn delimiter(beginning: &[u8]) -> u8 {
    let line = beginning.split(|b| *b == b'\n').next().unwrap_or_default();
    let count = |sign: u8| line.iter().filter(|b| **b == sign).count();
    [b',', b';', b'\t', b'|']
        .into_iter()
        .rev()
        .max_by_key(|sign| count(*sign))
        .unwrap_or(b',')
}

/// The same refusal, at a line instead of the number of a record.
fn at_line(error: Error, name: &str, line: u64) -> Error {
    match error {
        Error::Refused(kind, problems) => {
            let mut moved = Problems::new();
            for p in &problems {
                moved.add(&p.code, format!("{name}:{line}"), &p.text.vi, &p.text.en);
            }
            Error::Refused(kind, moved)
        }
        internal => internal,
    }
}

fn cannot_read(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::refused(
        Kind::Invalid,
        "cannot-read",
        format!("Không đọc được tệp {}: {error}.", path.display()),
        format!("The file {} cannot be read: {error}.", path.display()),
    )
}

fn broken(error: csv::Error, name: &str) -> Error {
    let (line, column) = match error.kind() {
        csv::ErrorKind::Utf8 { pos, err } => (pos.as_ref().map_or(0, csv::Position::line), err.field() + 1),
        _ => return Error::internal(error),
    };
    let mut problems = Problems::new();
    problems.add(
        "not-utf8",
        format!("{name}:{line}"),
        format!("Cột {column} không phải là UTF-8; hãy chuyển mã tệp trước."),
        format!("Column {column} is not UTF-8; convert the file first."),
    );
    Error::Refused(Kind::Invalid, problems)
}

fn read_parquet(path: &Path, name: &str, id: &str, records: &mut Records, progress: &mut dyn FnMut(u64)) -> Result<()> {
    let file = File::open(path).map_err(|error| cannot_read(path, &error))?;
    let mut table = Table::open(file, name)?;
    records.begin_source(name, table.names(), id)?;
    let mut count = 0_u64;
    while let Some(cells) = table.next_row()? {
        records.push(cells.iter().map(Option::as_deref))?;
        count += 1;
        if count.is_multiple_of(10_000) {
            progress(count);
        }
    }
    Ok(())
}

/// The whole text of a file.
///
/// # Errors
/// `cannot-read`.
pub fn text_of(path: &Path) -> Result<String> {
    let mut text = String::new();
    File::open(path)
        .and_then(|mut file| file.read_to_string(&mut text))
        .map_err(|error| cannot_read(path, &error))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &[u8]) -> Result<Records> {
        let mut records = Records::new();
        read_csv(text, "a.csv", "id", &mut records, &mut |_| {})?;
        Ok(records)
    }

    fn problem(text: &[u8]) -> (String, String) {
        let error = read_text(text).expect_err("refused");
        error
            .problems()
            .and_then(|p| p.iter().next())
            .map(|p| (p.code.clone(), p.at.clone()))
            .unwrap_or_default()
    }

    #[test]
    fn a_csv_with_a_mark_semicolons_and_quotes() {
        let records = read_text("\u{feff}id; name\n1;\"Nguyễn; An\"\n2;\n".as_bytes()).expect("records");
        assert_eq!(
            (records.len(), records.value(0, "name"), records.value(1, "name")),
            (2, Some("Nguyễn; An"), None)
        );
    }

    #[test]
    fn bad_files_are_refused_at_the_line() {
        assert_eq!(problem(b""), ("no-columns".into(), "a.csv".into()));
        assert_eq!(problem(b"name\nx\n"), ("no-id-column".into(), "a.csv".into()));
        assert_eq!(problem(b"id,name\n1,a\n1,b\n"), ("id-twice".into(), "a.csv:3".into()));
        assert_eq!(problem(b"id,name\n1,a,b\n"), ("row-length".into(), "a.csv:2".into()));
        assert_eq!(problem(b"id,name\n1,\xff\n"), ("not-utf8".into(), "a.csv:2".into()));
        assert_eq!(read_text(b"id,name\n").expect("a header alone").len(), 0);
    }
}
