//! From rows to records that may be taken in. Pure; many threads do it at once.

use std::{path::PathBuf, sync::Arc};

use base::{Problems, Text, Timestamp, text::fold};
use cleansing::{
    Severity,
    address::{Certainty, Choice, Gazetteer, Unit},
    clean::{Columns, Standards},
    layout::Format,
    read::{Line, Position, Row},
};
use serde_json::{Map, Number, Value};

use super::{
    mapping::{Mapping, Target, put},
    read::{Chunk, Rows},
    report::Entry,
};
use crate::{
    api::body::LineBody,
    history::Moment,
    model::{DataType, FieldPath, Registry},
    service::{Fresh, many::Fit},
    store::index::Slots,
};

/// Of one row no more is told.
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
    pub gazetteer: Option<Gazetteer>,
    pub now: Timestamp,
}

/// A row that may be taken in.
pub(super) struct Good {
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
    /// Rows that may not be taken in.
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
            refused: 0,
            next: chunk.next,
        };
        match chunk.rows {
            Rows::Json(lines) => lines.iter().for_each(|line| {
                let fit = self
                    .line(line)
                    .map_err(|problems| self.entries(line.at.line, &problems));
                judged.add(line.at.line, fit.map(|fit| (fit, Vec::new())));
            }),
            Rows::Cells(rows) => rows.iter().for_each(|row| {
                if let Some(note) = self.columns.as_ref().and_then(|(columns, _)| columns.no_data(row)) {
                    judged.entries.push(Entry::from(&note));
                } else {
                    judged.add(row.line, self.row(row));
                }
            }),
        }
        judged
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

    /// A row as a record, with what is doubtful about it; or everything that is wrong.
    fn row(&self, row: &Row) -> Result<(Fit, Vec<Entry>), Vec<Entry>> {
        let (Some((columns, format)), Some(layout)) = (&self.columns, &self.mapping.layout) else {
            return Err(Vec::new());
        };
        let standards = Standards {
            layout,
            today: self.now.legal_date(),
            written: self.mapping.written,
            gazetteer: None,
        };
        let judged = standards.judge(row, columns, *format);
        let mut entries: Vec<Entry> = judged.findings.iter().map(|(finding, _)| finding.into()).collect();
        if entries.iter().any(|entry| entry.severity == Severity::Bad) {
            return Err(entries);
        }
        let fresh = self.fresh(row.line, &judged.values, &mut entries);
        let fit = fresh.and_then(|fresh| self.fit(&fresh));
        match fit {
            Ok(fit) if entries.iter().all(|entry| entry.severity < Severity::Bad) => Ok((fit, entries)),
            Ok(_) => Err(entries),
            Err(problems) => {
                entries.extend(self.entries(row.line, &problems));
                Err(entries)
            }
        }
    }

    fn fit(&self, fresh: &Fresh) -> Result<Fit, Problems> {
        Fit::judge(&self.registry, &self.slots, fresh, self.now)
    }

    /// Puts the values of a row into their fields.
    fn fresh(&self, line: u64, values: &[String], entries: &mut Vec<Entry>) -> Result<Fresh, Problems> {
        let mut problems = Problems::new();
        let mut body = Map::new();
        for (path, value) in &self.mapping.constants {
            put(&mut body, path, value.clone());
        }
        let (mut from, mut to) = (self.mapping.valid_from, None);
        let filled = self.mapping.targets.iter().zip(values).enumerate();
        for (n, (target, text)) in filled.filter(|(_, (_, text))| !text.is_empty()) {
            match target {
                Target::ValidFrom => from = self.moment(text, "valid_from", &mut problems),
                Target::ValidTo => to = self.moment(text, "valid_to", &mut problems),
                Target::Value {
                    path,
                    ty,
                    codes,
                    many,
                    split,
                } => {
                    let value = |text: &str| {
                        let coded = if codes.is_empty() { None } else { codes.get(&fold(text)) };
                        value(*ty, coded.map_or(text, String::as_str))
                    };
                    let value = match (many, split) {
                        (false, _) => value(text),
                        (true, None) => Value::Array(vec![value(text)]),
                        (true, Some(split)) => {
                            let items = text.split(*split).map(str::trim);
                            items.filter(|item| !item.is_empty()).map(value).collect()
                        }
                    };
                    put(&mut body, path, value);
                }
                Target::Address {
                    province,
                    commune,
                    detail,
                } => {
                    let fields = (province.as_ref(), commune, detail.as_ref());
                    self.address(text, fields, (line, n), &mut body, entries);
                }
            }
        }
        if from.is_none() && problems.is_empty() {
            problems.add(
                "required",
                "valid_from",
                "Giá trị này bắt buộc phải có.",
                "This value is required.",
            );
        }
        match from {
            Some(from) if problems.is_empty() => Ok(Fresh {
                from,
                to,
                body: Value::Object(body),
            }),
            _ => Err(problems),
        }
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
    fn address(
        &self,
        text: &str,
        (province, commune, detail): (Option<&FieldPath>, &FieldPath, Option<&FieldPath>),
        (line, target): (u64, usize),
        body: &mut Map<String, Value>,
        entries: &mut Vec<Entry>,
    ) {
        let Some(gazetteer) = &self.gazetteer else { return };
        let found = gazetteer.locate(text, self.mapping.written);
        let sure = matches!(found.certainty, Certainty::Certain | Certainty::Likely);
        let severity = if sure { Severity::Doubt } else { Severity::Bad };
        let named = |choice: &Choice<'_>| {
            let province = gazetteer.province_of(choice.unit).map(Unit::title).unwrap_or_default();
            format!("{} ({}), {province}", choice.unit.title(), choice.unit.code)
        };
        let choices: Vec<String> = found.choices.iter().take(MOST_CHOICES).map(named).collect();
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
                line,
                column: self.column(target),
                field: commune.to_string(),
                severity,
                code: reason.code().to_owned(),
                text,
            });
        }
        if let (true, Some(choice)) = (sure, found.choices.first()) {
            put(body, commune, Value::from(&*choice.unit.code));
            if let Some((path, unit)) = province.zip(gazetteer.province_of(choice.unit)) {
                put(body, path, Value::from(&*unit.code));
            }
            if let Some(path) = detail.filter(|_| !found.rest.is_empty()) {
                put(body, path, Value::from(found.rest.as_str()));
            }
        }
    }

    /// Problems of a record as entries of the report, each at the column that its field comes from.
    pub fn entries(&self, line: u64, problems: &Problems) -> Vec<Entry> {
        let entry = |problem: &base::refusal::Problem| {
            let field = problem.at.trim_end_matches(|c: char| c.is_ascii_digit());
            let field = field.strip_suffix('.').unwrap_or(&problem.at);
            let is_it = |target: &Target| match target {
                Target::ValidFrom => field == "valid_from",
                Target::ValidTo => field == "valid_to",
                Target::Value { path, .. } => path.as_str() == field,
                Target::Address { commune, detail, .. } => {
                    commune.as_str() == field || detail.as_ref().is_some_and(|detail| detail.as_str() == field)
                }
            };
            Entry {
                line,
                column: self
                    .mapping
                    .targets
                    .iter()
                    .position(is_it)
                    .map_or(0, |target| self.column(target)),
                field: field.to_owned(),
                severity: Severity::Bad,
                code: problem.code.clone(),
                text: problem.text.clone(),
            }
        };
        problems.iter().map(entry).collect()
    }

    /// The column of a target, from 1; 0 where there is none.
    fn column(&self, target: usize) -> usize {
        let column = self.columns.as_ref().and_then(|(columns, _)| columns.column(target));
        column.map_or(0, |column| column + 1)
    }
}

impl Judged {
    /// Takes in those that come next.
    pub fn join(&mut self, next: Self) {
        self.good.extend(next.good);
        self.entries.extend(next.entries);
        self.rows += next.rows;
        self.refused += next.refused;
        self.next = next.next;
    }

    fn add(&mut self, line: u64, row: Result<(Fit, Vec<Entry>), Vec<Entry>>) {
        self.rows += 1;
        let mut entries = match row {
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

/// A text as the value of a field. What is none of its type stays a text, which the schema refuses.
fn value(ty: DataType, text: &str) -> Value {
    let read = match ty {
        DataType::Integer | DataType::Money => text.parse::<i64>().ok().map(Value::from),
        DataType::Decimal => text.parse().ok().and_then(Number::from_f64).map(Value::Number),
        DataType::Boolean => match fold(text).as_str() {
            "co" | "dung" | "x" | "1" | "true" | "yes" => Some(Value::Bool(true)),
            "khong" | "sai" | "0" | "false" | "no" => Some(Value::Bool(false)),
            _ => None,
        },
        _ => None,
    };
    read.unwrap_or_else(|| Value::from(text))
}
