//! A file comes: it is read at once, whole or not at all, and its rows are kept until they are removed.

use base::{Error, Kind, Problems, Result, Text, Timestamp, text::fold};
use bytes::Bytes;
use cleansing::{
    Severity,
    read::{Cell, CellKind, Row},
    value::{self, DateOptions},
};
use identity::{Ctx, Permission};
use sha2::{Digest, Sha256};
use store::{Job, transact};

use super::{
    FORGET_FILE, FileId, FileState, KEPT_DAYS, LARGEST, MOST_COLUMNS, MOST_ROWS, Order, PURPOSE, columns, no_file,
    note, source::Source,
};
use crate::{
    import::recognise,
    model::{FieldPath, Registry, RegistryCode},
    service::{Purpose, Registries},
    store::files::{self as tables, FileRow, NewLine},
};

/// Rows by which it is told where the headings stand and what the columns are.
const FIRST: usize = 230;
/// The most bytes of all cells; a workbook is packed, and may hold far more than it weighs.
const MOST_TEXT: usize = 2 * LARGEST;
/// Characters of a cell by which a column is recognised; whoever writes more there says nothing more of it.
const SHOWN: usize = 500;
/// The longest name of a file, and the longest note, in characters.
const LONGEST: usize = 200;

/// A file that somebody brings.
#[derive(Debug, Clone, Default)]
pub struct Upload {
    /// As its owner calls it.
    pub name: String,
    /// What is in it: CSV in any encoding that [`cleansing::encoding`] tells, a workbook, or Parquet.
    pub content: Bytes,
    /// Why it may be compared: the purpose, and the law. It is told to each person whose record is looked at.
    pub basis: String,
    /// What else there is to say of it; may be empty.
    pub note: String,
}

/// What a file holds.
struct Table {
    headings: Vec<String>,
    fields: Vec<Option<FieldPath>>,
    lines: Vec<NewLine>,
}

impl Registries {
    /// Takes in a file to be compared. Nothing is compared before somebody has said what its columns are.
    ///
    /// # Errors
    /// `Forbidden` for who is no steward of the registry's agency; `Invalid` without a ground, and for a file that cannot be read;
    /// `TooLarge` above the limits; `Conflict` where the registry does not declare how records are compared, or the same content is
    /// there already.
    pub async fn put_file(&self, ctx: &Ctx, code: &RegistryCode, upload: Upload) -> Result<FileId> {
        let (_, registry) = self.open(ctx, code, Permission::KeepRegistry)?;
        let wanted = columns::wanted(&registry)?;
        let (basis, remark) = said(&upload)?;
        if upload.content.is_empty() {
            return Err(at_file(
                "empty-file",
                "Tệp không có nội dung; chọn lại tệp.",
                "The file is empty; choose another.",
            ));
        }
        if upload.content.len() > LARGEST {
            return Err(too_large());
        }
        let sha256 = hex::encode(Sha256::digest(&upload.content));
        let (content, name, now) = (upload.content, name_of(&upload.name), ctx.now);
        let called = name.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let source = Source::open(&content, &called).map_err(moved)?;
            read(source, &registry, &wanted)
        });
        let table = reading.await.map_err(Error::internal)??;
        let id = FileId::new(now);
        let total = i64::try_from(table.lines.len()).map_err(Error::internal)?;
        let file = FileRow {
            id: id.uuid(),
            name,
            basis,
            note: remark,
            put_at: now.micros(),
            put_by: ctx.actor_name().to_owned(),
            headings: serde_json::to_string(&table.headings)?,
            fields: serde_json::to_string(&table.fields)?,
            state: FileState::Columns.code().to_owned(),
            total,
            done: 0,
            clear_rows: 0,
            possible_rows: 0,
            lone_rows: 0,
            unread_rows: 0,
            clear_left: 0,
            same_rows: 0,
            together_rows: 0,
            nobody_rows: 0,
            removes_at: now.plus_seconds(KEPT_DAYS * 86_400).micros(),
        };
        let order = Order {
            registry: code.clone(),
            file: id.uuid(),
        };
        let forget = Job::new(FORGET_FILE, &order)?.at(Timestamp::from_micros(file.removes_at));
        transact!(self.store(), |tx| {
            if !tables::put(&tx, code, &file, &sha256, &table.lines).await? {
                let known = tables::with_content(&tx, code, &sha256).await?.ok_or_else(no_file)?;
                return Err(known_already(&known));
            }
            note(&tx, ctx, file.id, "put", total).await?;
            tx.enqueue(forget.clone(), ctx.now).await
        })?;
        Ok(id)
    }
}

/// The ground and the note, as far as they can be told to others.
fn said(upload: &Upload) -> Result<(String, String)> {
    let mut problems = Problems::new();
    let basis = upload.basis.trim();
    if basis.is_empty() || Purpose::read(PURPOSE, basis, "").is_err() {
        problems.add(
            "basis-wanted",
            "basis",
            "Nêu mục đích và căn cứ pháp lý: một dòng, tối đa 300 ký tự.",
            "Say the purpose and the legal ground: one line of at most 300 characters.",
        );
    }
    let remark = upload.note.trim();
    if remark.chars().count() > LONGEST || remark.chars().any(char::is_control) {
        problems.add(
            "note-malformed",
            "note",
            format!("Ghi chú là một dòng, tối đa {LONGEST} ký tự."),
            format!("The note is one line of at most {LONGEST} characters."),
        );
    }
    problems.into_result()?;
    Ok((basis.to_owned(), remark.to_owned()))
}

/// What people may see of the name of a file: its last part, without signs that turn or hide text.
fn name_of(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_seen = |c: &char| {
        !c.is_control() && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
    };
    let shown: String = last.trim().chars().filter(is_seen).take(LONGEST).collect();
    if shown.is_empty() { "–".to_owned() } else { shown }
}

/// Reads all rows of a file.
fn read(mut source: Source, registry: &Registry, wanted: &[FieldPath]) -> Result<Table> {
    let (mut first, mut held) = (Vec::new(), 0);
    while first.len() < FIRST
        && let Some(row) = source.next_row().map_err(moved)?
    {
        held += row.cells.iter().map(|cell| cell.text.len()).sum::<usize>();
        if held > MOST_TEXT {
            return Err(too_large());
        }
        first.push(narrow(row)?);
    }
    let begins = |text: String| text.chars().take(SHOWN).collect();
    let texts = first.iter().map(|row| texts_of(row).into_iter().map(begins).collect());
    let texts: Vec<Vec<String>> = texts.collect();
    if texts.is_empty() {
        return Err(no_rows());
    }
    let found = recognise(registry, &texts, wanted);
    let mut table = Table {
        headings: found.headings,
        fields: found.fields,
        lines: Vec::new(),
    };
    columns::settle(registry, &mut table.fields);
    let (headings, begins) = (
        table.headings.clone(),
        first.get(found.before).map_or(0, |row| row.line),
    );
    let (mut widest, mut bytes, mut good) = (headings.len(), 0, false);
    let mut rows = first.into_iter().skip(found.before);
    while let Some(row) = rows
        .next()
        .map_or_else(|| source.next_row().map_err(moved), |row| Ok(Some(row)))?
    {
        let row = narrow(row)?;
        let cells = texts_of(&row);
        if is_no_data(&cells, &headings, row.line <= begins) {
            continue;
        }
        if table.lines.len() == MOST_ROWS {
            return Err(too_many(row.line));
        }
        bytes += cells.iter().map(String::len).sum::<usize>();
        if bytes > MOST_TEXT {
            return Err(too_large());
        }
        widest = widest.max(cells.len());
        let flaw = flaw_of(&row, &cells, headings.len());
        good |= flaw.vi.is_empty();
        table.lines.push(NewLine {
            line: i64::try_from(row.line).map_err(Error::internal)?,
            cells: serde_json::to_string(&cells)?,
            flaw: (flaw.vi, flaw.en),
        });
    }
    if table.lines.is_empty() {
        return Err(no_rows());
    }
    if !good {
        return Err(at_file(
            "unreadable-file",
            "Không dòng nào của tệp đọc được. Lưu lại thành CSV (UTF-8) hoặc XLSX rồi nộp lại.",
            "No row of the file can be read. Save it as CSV (UTF-8) or XLSX and bring it again.",
        ));
    }
    table.headings.resize(widest, String::new());
    table.fields.resize(widest, None);
    Ok(table)
}

/// A row, where it has no more columns than a person can go through.
fn narrow(row: Row) -> Result<Row> {
    if row.cells.len() <= MOST_COLUMNS {
        return Ok(row);
    }
    let (line, width) = (row.line, row.cells.len());
    Err(at_file(
        "too-many-columns",
        format!("Dòng {line} có {width} cột; tệp được có tối đa {MOST_COLUMNS} cột."),
        format!("Line {line} has {width} columns; a file may have {MOST_COLUMNS}."),
    ))
}

fn texts_of(row: &Row) -> Vec<String> {
    row.cells.iter().map(text_of).collect()
}

/// What a cell says; a day that a workbook counts is written as a day.
fn text_of(cell: &Cell) -> String {
    match cell.kind {
        CellKind::Error => String::new(),
        CellKind::Date(serial) => {
            let options = DateOptions {
                serial: Some(serial),
                ..DateOptions::PLAIN
            };
            value::date(&cell.text, &options).map_or_else(|_| cell.text.clone(), |date| date.value.to_string())
        }
        CellKind::Text | CellKind::Number => cell.text.trim().to_owned(),
    }
}

/// Whether a row only repeats the headings, or, as the first of all, numbers the columns.
fn is_no_data(cells: &[String], headings: &[String], is_first: bool) -> bool {
    let filled = || cells.iter().enumerate().filter(|(_, text)| !text.is_empty());
    let count = filled().count();
    let is_heading = |(n, text): (usize, &String)| headings.get(n).is_some_and(|heading| fold(heading) == fold(text));
    let is_number = |(n, text): (usize, &String)| {
        let digits = text.trim_matches(['(', ')', '[', ']']);
        digits.parse() == Ok(n + 1)
    };
    count > 1 && (filled().all(is_heading) || is_first && count > 2 && filled().all(is_number))
}

/// Why a row cannot be compared, as far as its reader knows.
fn flaw_of(row: &Row, cells: &[String], width: usize) -> Text {
    if let Some(finding) = row.findings.iter().find(|finding| finding.severity == Severity::Bad) {
        return finding.text.clone();
    }
    let beyond = cells.iter().skip(width).any(|text| !text.is_empty());
    if beyond {
        let count = cells.len();
        return Text::new(
            format!("Dòng có {count} ô, tiêu đề chỉ có {width} cột."),
            format!("The row has {count} cells, the headings only {width}."),
        );
    }
    Text::default()
}

/// A refusal at the file.
fn at_file(code: &str, vi: impl Into<String>, en: impl Into<String>) -> Error {
    let mut problems = Problems::new();
    problems.add(code, "file", vi, en);
    Error::Refused(Kind::Invalid, problems)
}

/// What a reader refuses, said of the file.
fn moved(error: Error) -> Error {
    match error {
        Error::Refused(_, problems) => {
            let mut moved = Problems::new();
            for problem in &problems {
                moved.add(&problem.code, "file", &problem.text.vi, &problem.text.en);
            }
            Error::Refused(Kind::Invalid, moved)
        }
        other => other,
    }
}

fn no_rows() -> Error {
    at_file(
        "no-rows",
        "Tệp không có dòng dữ liệu nào dưới dòng tiêu đề.",
        "The file has no rows of data below its headings.",
    )
}

fn too_many(line: u64) -> Error {
    let mut problems = Problems::new();
    problems.add(
        "too-many-rows",
        "file",
        format!("Tệp có quá {MOST_ROWS} dòng (từ dòng {line}); chia thành nhiều tệp."),
        format!("The file has more than {MOST_ROWS} rows (from line {line} on); divide it."),
    );
    Error::Refused(Kind::TooLarge, problems)
}

/// The refusal of a file that is too large.
pub(super) fn too_large() -> Error {
    let most = LARGEST / 1024 / 1024;
    let mut problems = Problems::new();
    problems.add(
        "too-large",
        "file",
        format!("Tệp lớn hơn {most} MB, hoặc chứa quá nhiều chữ; chia thành nhiều tệp."),
        format!("The file is larger than {most} MB, or holds too much text; divide it."),
    );
    Error::Refused(Kind::TooLarge, problems)
}

fn known_already(known: &FileRow) -> Error {
    let (at, name) = (Timestamp::from_micros(known.put_at).display(), &known.name);
    Error::refused(
        Kind::Conflict,
        "file-known",
        format!(
            "Tệp có đúng nội dung này đã được {} nộp lúc {at} (“{name}”). Mở tệp đó; nếu muốn so sánh lại thì xóa tệp đó trước.",
            known.put_by
        ),
        format!(
            "{} brought a file with this very content at {at} (“{name}”). Open that one; to compare again, remove it first.",
            known.put_by
        ),
    )
}
