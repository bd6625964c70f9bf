//! From rows to records that may be taken in. Pure; many threads do it at once.

use std::{path::PathBuf, sync::Arc};

use base::{Problems, Text, Timestamp};
use cleansing::{
    Severity,
    address::{Certainty, Gazetteer},
    clean::{Columns, Standards},
    layout::Format,
    read::{Line, Position, Row},
};
use serde_json::Value;

use super::{
    fill::{Filled, Filling, Place},
    mapping::{Column, Mapping, Target},
    read::{Chunk, Of, ROWS, Record, Rows},
    report::Entry,
    units::named,
};
use crate::{
    api::body::LineBody,
    history::Moment,
    model::{FieldPath, Registry},
    service::{Fresh, many::Fit},
    store::index::Slots,
};

/// Of one record no more is told.
const MOST_ENTRIES: usize = 50;
/// Communes that a message names at most.
const MOST_CHOICES: usize = 5;

/// Everything that is known before the first row.
pub(super) struct Plan {
    pub path: PathBuf,
    pub registry: Arc<Registry>,
    pub slots: Slots,
    pub mapping: Mapping,
    /// Where the fields stand; none for lines of JSON.
    pub columns: Option<(Columns, Format)>,
    /// What was found before the first row.
    pub heads: Vec<Entry>,
    /// The units, where there are addresses.
    pub gazetteer: Option<Arc<Gazetteer>>,
    pub now: Timestamp,
}

/// A record that may be taken in.
pub(super) struct Good {
    /// The line of its first row.
    pub line: u64,
    pub fit: Fit,
    /// Whether a person should look at it.
    pub doubtful: bool,
}

/// What became of rows that came together.
pub(super) struct Judged {
    /// Those that may be taken in, by line.
    pub good: Vec<Good>,
    /// What was found, in the order of lines.
    pub entries: Vec<Entry>,
    /// Rows.
    pub rows: u64,
    /// The records that they are.
    pub records: u64,
    /// Records that may not be taken in.
    pub refused: u64,
    /// The place behind them.
    pub next: Position,
}

impl Plan {
    /// Judges rows.
    pub fn judge(&self, chunk: Chunk) -> Judged {
        let mut judged = Judged {
            good: Vec::new(),
            entries: Vec::new(),
            rows: 0,
            records: 0,
            refused: 0,
            next: chunk.next,
        };
        match chunk.rows {
            Rows::Json(lines) => lines.iter().for_each(|line| {
                let fit = self
                    .line(line)
                    .map_err(|problems| self.entries(line.at.line, &problems));
                judged.add(line.at.line, 1, fit.map(|fit| (fit, Vec::new())));
            }),
            Rows::Cells(records) => {
                records.iter().for_each(|record| self.record(record, &mut judged));
                judged.entries.sort_by_key(|entry| entry.line);
            }
        }
        judged
    }

    /// Which record a row is of, where several rows may be one.
    pub fn of(&self, row: &Row) -> Of {
        let (Some((columns, _)), Some(standards)) = (&self.columns, self.standards()) else {
            return Of::None;
        };
        if columns.no_data(row).is_some() {
            return Of::None;
        }
        standards.key(row, columns).map_or(Of::Unknown, Of::Key)
    }

    fn standards(&self) -> Option<Standards<'_>> {
        Some(Standards {
            layout: self.mapping.layout.as_ref()?,
            today: self.now.legal_date(),
            written: self.mapping.written,
            gazetteer: None,
        })
    }

    fn record(&self, record: &Record, judged: &mut Judged) {
        let mut rows = Vec::with_capacity(record.rows.len());
        for row in &record.rows {
            match self.columns.as_ref().and_then(|(columns, _)| columns.no_data(row)) {
                Some(note) => judged.entries.push(Entry::from(&note)),
                None => rows.push(row),
            }
        }
        if let Some(first) = rows.first() {
            let beyond = record.beyond.map_or(0, |(count, _)| count);
            judged.add(first.line, rows.len() as u64 + beyond, self.rows(&rows, record));
        }
    }

    fn line(&self, line: &Line) -> Result<Fit, Problems> {
        let mut problems = Problems::new();
        if line.cut {
            problems.add(
                "line-too-long",
                "",
                "Dòng dài quá 4 MB. Kiểm tra dấu xuống dòng của tệp.",
                "The line is longer than 4 MB. Check the line ends of the file.",
            );
            return Err(problems);
        }
        match serde_json::from_slice::<LineBody>(&line.bytes) {
            Ok(body) => self.fit(&body.read(&self.registry)?),
            // Its own words would repeat what the line says.
            Err(_) => {
                problems.add(
                    "bad-line",
                    "",
                    "Dòng phải là JSON (UTF-8) có valid_from, body và có thể có valid_to.",
                    "A line is JSON (UTF-8) with valid_from, body and perhaps valid_to.",
                );
                Err(problems)
            }
        }
    }

    /// Rows as a record, with what is doubtful about it; or everything that is wrong.
    fn rows(&self, rows: &[&Row], record: &Record) -> Result<(Fit, Vec<Entry>), Vec<Entry>> {
        let (Some((columns, format)), Some(standards)) = (&self.columns, self.standards()) else {
            return Err(Vec::new());
        };
        let mut entries = record.refusals();
        let mut lines = Vec::with_capacity(rows.len());
        for row in rows {
            let judged = standards.judge(row, columns, *format);
            entries.extend(judged.findings.iter().map(|(finding, _)| Entry::from(finding)));
            lines.push((row.line, judged.values));
        }
        if !is_bad(&entries) {
            entries.extend(self.differing(&lines));
        }
        if is_bad(&entries) {
            return Err(entries);
        }
        let Some(filled) = self.fill(&lines, &mut entries) else {
            return Err(entries);
        };
        match self.fit(&filled.fresh) {
            Ok(fit) if !is_bad(&entries) => Ok((fit, entries)),
            Ok(_) => Err(entries),
            Err(problems) => {
                let line = lines.first().map_or(0, |(line, _)| *line);
                entries.extend(self.entries_of(line, &problems, &filled));
                Err(entries)
            }
        }
    }

    /// What the first row says otherwise that differs from the first of its record.
    fn differing(&self, lines: &[(u64, Vec<String>)]) -> Vec<Entry> {
        let Some(((first, known), rest)) = lines.split_first() else {
            return Vec::new();
        };
        let differs =
            |values: &[String], n: usize, column: &Column| !column.is_of_row() && values.get(n) != known.get(n);
        let columns = || self.mapping.columns.iter().enumerate();
        let found = rest
            .iter()
            .find(|(_, values)| columns().any(|(n, column)| differs(values, n, column)));
        let Some((line, values)) = found else {
            return Vec::new();
        };
        let text = || {
            Text::new(
                format!("Khác dòng {first} của cùng bản ghi; ngoài danh sách, các dòng của một bản ghi phải như nhau."),
                format!(
                    "It differs from line {first} of the same record; but for the list, the rows of a record are alike."
                ),
            )
        };
        columns()
            .filter(|(n, column)| differs(values, *n, column))
            .map(|(n, _)| self.entry(*line, n, Severity::Bad, "row-differs", text()))
            .collect()
    }

    fn fit(&self, fresh: &Fresh) -> Result<Fit, Problems> {
        Fit::judge(&self.registry, &self.slots, fresh, self.now)
    }

    /// Puts the values of rows into their fields; nothing where a part is lacking without which nothing can be judged.
    fn fill(&self, lines: &[(u64, Vec<String>)], entries: &mut Vec<Entry>) -> Option<Filled> {
        let first = lines.first().map_or(0, |(line, _)| *line);
        let mut problems = Problems::new();
        let mut filling = Filling::of(&self.mapping);
        let (mut from, mut to) = (self.mapping.valid_from, None);
        for (nth, (line, values)) in (1..).zip(lines) {
            let place = Place { line: *line, nth };
            // What is not of the row's own item was told by the first.
            let columns = self.mapping.columns.iter().zip(values).enumerate();
            let columns = columns.filter(|(_, (column, text))| !text.is_empty() && (nth == 1 || column.is_of_row()));
            for (n, (Column { target, item, .. }, text)) in columns {
                match target {
                    Target::ValidFrom => from = self.moment(text, "valid_from", &mut problems),
                    Target::ValidTo => to = self.moment(text, "valid_to", &mut problems),
                    Target::Value { path, .. } => filling.put(item.as_ref(), place, path, target.value(text)),
                    Target::Address {
                        province,
                        commune,
                        detail,
                    } => {
                        let fields = (province.as_ref(), commune, detail.as_ref());
                        for (path, value) in self.address(text, fields, (*line, n), entries) {
                            filling.put(item.as_ref(), place, path, value);
                        }
                    }
                }
            }
        }
        if from.is_none() && problems.is_empty() {
            let Text { vi, en } = required();
            problems.add("required", "valid_from", vi, en);
        }
        entries.extend(self.entries(first, &problems));
        let lacking = filling.lacking();
        for (line, column) in &lacking {
            entries.push(self.entry(*line, *column, Severity::Bad, "required", required()));
        }
        for column in filling.gaps() {
            entries.push(self.entry(first, column, Severity::Doubt, "gap-in-list", gap()));
        }
        let (body, lists) = filling.end();
        let from = from.filter(|_| problems.is_empty() && lacking.is_empty())?;
        let fresh = Fresh { from, to, body };
        Some(Filled { fresh, lists })
    }

    fn moment(&self, text: &str, at: &str, problems: &mut Problems) -> Option<Moment> {
        let moment = Moment::parse(text, self.registry.valid_time);
        if moment.is_none() {
            problems.add(
                "not-a-moment",
                at,
                "Thời điểm có hiệu lực phải rõ đến ngày.",
                "The moment of validity has to be known to the day.",
            );
        }
        moment
    }

    /// Finds the commune of an address. One that may lie in several is for a person: the row is refused, with the choices.
    fn address<'p>(
        &self,
        text: &str,
        (province, commune, detail): (Option<&'p FieldPath>, &'p FieldPath, Option<&'p FieldPath>),
        (line, column): (u64, usize),
        entries: &mut Vec<Entry>,
    ) -> Vec<(&'p FieldPath, Value)> {
        let mut values = Vec::new();
        let Some(gazetteer) = &self.gazetteer else {
            return values;
        };
        let found = gazetteer.locate(text, self.mapping.written);
        let sure = matches!(found.certainty, Certainty::Certain | Certainty::Likely);
        let severity = if sure { Severity::Doubt } else { Severity::Bad };
        let named = found.choices.iter().map(|choice| named(gazetteer, choice));
        let choices: Vec<String> = named.take(MOST_CHOICES).collect();
        let mut choices = Some(choices.join("; ")).filter(|choices| !sure && !choices.is_empty());
        for reason in &found.reasons {
            let mut text = reason.text();
            if let Some(choices) = choices.take() {
                text = Text::new(
                    format!("{} Có thể là: {choices}.", text.vi),
                    format!("{} It may be: {choices}.", text.en),
                );
            }
            entries.push(Entry {
                field: self.name(column, commune),
                ..self.entry(line, column, severity, reason.code(), text)
            });
        }
        if let (true, Some(choice)) = (sure, found.choices.first()) {
            values.push((commune, Value::from(&*choice.unit.code)));
            if let Some((path, unit)) = province.zip(gazetteer.province_of(choice.unit)) {
                values.push((path, Value::from(&*unit.code)));
            }
            if let Some(path) = detail.filter(|_| !found.rest.is_empty()) {
                values.push((path, Value::from(found.rest.as_str())));
            }
        }
        values
    }

    /// What was found in a column.
    fn entry(&self, line: u64, column: usize, severity: Severity, code: &str, text: Text) -> Entry {
        let field = self
            .mapping
            .layout
            .as_ref()
            .and_then(|layout| layout.fields.get(column));
        Entry {
            line,
            column: self.column(column),
            field: field.map(|field| field.id.clone()).unwrap_or_default(),
            severity,
            code: code.to_owned(),
            text,
        }
    }
}

impl Judged {
    /// Takes in those that come next.
    pub fn join(&mut self, next: Self) {
        self.good.extend(next.good);
        self.entries.extend(next.entries);
        self.rows += next.rows;
        self.records += next.records;
        self.refused += next.refused;
        self.next = next.next;
    }

    fn add(&mut self, line: u64, rows: u64, record: Result<(Fit, Vec<Entry>), Vec<Entry>>) {
        self.rows += rows;
        self.records += 1;
        let mut entries = match record {
            Ok((fit, entries)) => {
                let doubtful = entries.iter().any(|entry| entry.severity == Severity::Doubt);
                self.good.push(Good { line, fit, doubtful });
                entries
            }
            Err(entries) => {
                self.refused += 1;
                entries
            }
        };
        if entries.len() > MOST_ENTRIES {
            // The gravest are told.
            entries.sort_by_key(|entry| std::cmp::Reverse(entry.severity));
            entries.truncate(MOST_ENTRIES);
        }
        self.entries.extend(entries);
    }
}

impl Record {
    /// Why rows are refused before any of them is looked at.
    fn refusals(&self) -> Vec<Entry> {
        let whole = |line, code: &str, text| Entry {
            line,
            column: 0,
            field: String::new(),
            severity: Severity::Bad,
            code: code.to_owned(),
            text,
        };
        let unsure = self.unsure.iter();
        let unsure = unsure.map(|line| whole(*line, "row-of-no-record", of_no_record()));
        let beyond = self.beyond.map(|(_, line)| whole(line, "record-too-long", too_long()));
        beyond.into_iter().chain(unsure).collect()
    }
}

fn is_bad(entries: &[Entry]) -> bool {
    entries.iter().any(|entry| entry.severity == Severity::Bad)
}

fn required() -> Text {
    Text::new("Giá trị này bắt buộc phải có.", "This value is required.")
}

fn gap() -> Text {
    Text::new(
        "Mục đứng trước để trống; các mục sau được dồn lên.",
        "The item before it is empty; those that follow have moved up.",
    )
}

fn of_no_record() -> Text {
    Text::new(
        "Khóa của dòng không đọc chắc được nên không rõ dòng thuộc bản ghi nào; bản ghi ngay trước và ngay sau cũng bị từ chối.",
        "The key of the row cannot be read for sure, so nobody knows of which record it is; those before and behind it are refused, too.",
    )
}

fn too_long() -> Text {
    Text::new(
        format!("Một bản ghi có tối đa {ROWS} dòng và 4 MB. Kiểm tra cột khóa, hoặc dùng tệp NDJSON."),
        format!("A record has {ROWS} rows and 4 MB at most. Check the column of the key, or use NDJSON."),
    )
}
