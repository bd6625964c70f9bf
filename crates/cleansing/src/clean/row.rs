//! One row, judged.

use base::{Error, Result, codes::CodeError, refusal::Kind};
use jiff::civil::Date;

use super::Columns;
use crate::{
    Finding, Severity,
    address::{Certainty, Gazetteer},
    layout::{Field, Format, Layout, Sort},
    read::{Cell, CellKind, Row},
    value::{self, DateOptions, Outcome, Standard},
};

/// How the values of a layout are standardised.
#[derive(Debug, Clone, Copy)]
pub struct Standards<'a> {
    /// What the file is.
    pub layout: &'a Layout,
    /// The day: no birthday lies after it.
    pub today: Date,
    /// When the addresses were written, where that is known.
    pub written: Option<Date>,
    /// The units, where the layout has addresses.
    pub gazetteer: Option<&'a Gazetteer>,
}

/// A row with everything that is known about it.
#[derive(Debug, Default)]
pub struct Judged {
    /// The values in the order of the fields; an address is followed by its unit and its certainty. They are whole where no finding
    /// is bad.
    pub values: Vec<String>,
    /// Findings, each with its proposals.
    pub findings: Vec<(Finding, String)>,
    /// The values of the key fields, where none is empty.
    pub key: Option<Vec<String>>,
}

/// The columns of one value in the good file.
struct Written {
    columns: Vec<String>,
    doubts: Vec<(CodeError, String)>,
}

/// More proposals help nobody.
const MOST_PROPOSALS: usize = 12;

impl Standards<'_> {
    /// That there are units where the layout has addresses.
    ///
    /// # Errors
    /// `no-gazetteer` where there are none.
    pub(super) fn check(&self) -> Result<()> {
        if self.gazetteer.is_none() && self.layout.fields.iter().any(|f| f.sort == Sort::Address) {
            return Err(Error::refused(
                Kind::Invalid,
                "no-gazetteer",
                "Bản mô tả có trường địa chỉ nhưng không có bảng đơn vị hành chính.",
                "The layout has an address, but there are no units to find it in.",
            ));
        }
        Ok(())
    }

    /// The headings of the good file.
    pub(super) fn headings(&self) -> Vec<String> {
        let mut all = vec!["source_line".to_owned()];
        for field in &self.layout.fields {
            all.push(field.id.clone());
            if field.sort == Sort::Address {
                all.extend([format!("{}_unit", field.id), format!("{}_certainty", field.id)]);
            }
        }
        all
    }

    /// Standardises a row.
    pub fn judge(&self, row: &Row, columns: &Columns, format: Format) -> Judged {
        let mut judged = Judged {
            findings: row.findings.iter().map(|f| (f.clone(), String::new())).collect(),
            ..Judged::default()
        };
        for (finding, _) in &mut judged.findings {
            let field = (0..self.layout.fields.len())
                .find(|n| finding.column > 0 && columns.column(*n) == Some(finding.column - 1));
            if let Some(field) = field.and_then(|n| self.layout.fields.get(n)) {
                field.id.clone_into(&mut finding.field);
            }
        }
        self.check_width(row, columns, format, &mut judged);
        let empty = Cell::default();
        let mut keys = Vec::new();
        let mut wrong = Vec::new();
        for (n, field) in self.layout.fields.iter().enumerate() {
            let column = columns.column(n);
            let cell = column.and_then(|c| row.cells.get(c)).unwrap_or(&empty);
            let place = |severity, reason| {
                Finding::cell(row.line, column.map_or(0, |c| c + 1), severity, reason, &cell.text).at(&field.id)
            };
            match self.field(field, cell) {
                Ok(written) => {
                    for (doubt, proposals) in written.doubts {
                        judged.findings.push((place(Severity::Doubt, doubt), proposals));
                    }
                    if self.layout.keys.contains(&field.id) {
                        keys.extend(written.columns.first().cloned());
                    }
                    judged.values.extend(written.columns);
                }
                Err(refused) => {
                    wrong.push(n);
                    judged
                        .findings
                        .push((place(Severity::Bad, refused.reason), listed(&refused.proposals)));
                }
            }
        }
        if let Some(finding) = self.shifted(row, columns, &wrong) {
            judged.findings.push((finding, String::new()));
        }
        let whole = !keys.is_empty() && keys.len() == self.layout.keys.len() && keys.iter().all(|k| !k.is_empty());
        judged.key = whole.then_some(keys);
        judged
    }

    /// The values of the key fields of a row, written one way, by which it is told which rows belong together. None where one is empty
    /// or cannot be read, and where cells may stand in wrong columns: the row is broken, or longer than the headings.
    pub fn key(&self, row: &Row, columns: &Columns) -> Option<Vec<String>> {
        let keys = || {
            let fields = self.layout.fields.iter().enumerate();
            fields.filter(|(_, field)| self.layout.keys.contains(&field.id))
        };
        let is_of_key = |column: usize| keys().any(|(n, _)| columns.column(n) == Some(column));
        let is_broken = row
            .findings
            .iter()
            .any(|finding| finding.severity == Severity::Bad && finding.column.checked_sub(1).is_none_or(is_of_key));
        let beyond = row.cells.get(columns.width..).unwrap_or_default();
        if is_broken || beyond.iter().any(|cell| !cell.text.trim().is_empty()) {
            return None;
        }
        keys()
            .map(|(n, field)| {
                let cell = row.cells.get(columns.column(n)?)?;
                let value = self.field(field, cell).ok()?.columns.into_iter().next()?;
                Some(value).filter(|value| !value.is_empty())
            })
            .collect()
    }

    /// One cell in the standard form of a field, which is empty where nothing stands there; doubts are left out.
    ///
    /// # Errors
    /// Why it has none.
    pub fn cell(&self, field: &Field, cell: &Cell) -> Result<String, CodeError> {
        let written = self.field(field, cell).map_err(|refused| refused.reason)?;
        Ok(written.columns.into_iter().next().unwrap_or_default())
    }

    /// Rows that are longer or shorter than the headings.
    fn check_width(&self, row: &Row, columns: &Columns, format: Format, judged: &mut Judged) {
        let width = columns.width;
        let beyond = row.cells.get(width..).unwrap_or_default();
        if beyond.iter().any(|c| !c.text.trim().is_empty()) {
            let finding = Finding::row(
                row.line,
                Severity::Bad,
                "ragged-row",
                format!("Dòng có {} ô, tiêu đề chỉ có {width} cột.", row.cells.len()),
                format!("The row has {} cells, the headings only {width}.", row.cells.len()),
            );
            judged.findings.push((finding, String::new()));
        } else if format == Format::Csv && row.cells.len() < width {
            let finding = Finding::row(
                row.line,
                Severity::Doubt,
                "short-row",
                format!("Dòng chỉ có {} ô, tiêu đề có {width} cột.", row.cells.len()),
                format!("The row has only {} cells, the headings {width}.", row.cells.len()),
            );
            judged.findings.push((finding, String::new()));
        }
    }

    /// Whether two or more wrong values would be right one column further. Then the row is shifted, which is said once more
    /// in a sentence that helps.
    fn shifted(&self, row: &Row, columns: &Columns, wrong: &[usize]) -> Option<Finding> {
        let typed = |n: &usize| {
            self.layout
                .fields
                .get(*n)
                .is_some_and(|f| f.sort != Sort::Text && f.sort != Sort::Address)
        };
        let wrong: Vec<usize> = wrong.iter().copied().filter(typed).collect();
        if wrong.len() < 2 {
            return None;
        }
        let fits = |step: isize| {
            wrong.iter().all(|n| {
                let cell = columns
                    .column(*n)
                    .and_then(|c| c.checked_add_signed(step))
                    .and_then(|c| row.cells.get(c));
                let field = self.layout.fields.get(*n);
                cell.zip(field)
                    .is_some_and(|(cell, field)| !cell.text.trim().is_empty() && self.field(field, cell).is_ok())
            })
        };
        let (vi, en) = match (fits(1), fits(-1)) {
            (true, false) => ("sang phải", "to the right"),
            (false, true) => ("sang trái", "to the left"),
            _ => return None,
        };
        let from = wrong.first().and_then(|n| columns.column(*n)).map_or(0, |c| c + 1);
        Some(Finding::row(
            row.line,
            Severity::Bad,
            "columns-shifted",
            format!("Từ cột {from}, các giá trị có vẻ bị lệch một cột {vi}."),
            format!("From column {from} on, the values seem shifted one column {en}."),
        ))
    }

    fn field(&self, field: &Field, cell: &Cell) -> Result<Written, value::Refused<String>> {
        if cell.kind == CellKind::Error {
            return Ok(Written::plain(String::new()));
        }
        let raw = field
            .values
            .get(cell.text.trim())
            .map_or(cell.text.as_str(), String::as_str);
        if raw.trim().is_empty() {
            if field.required {
                let required = CodeError::new("required", "Giá trị này bắt buộc phải có.", "This value is required.");
                return Err(required.into());
            }
            let blanks = if field.sort == Sort::Address { 3 } else { 1 };
            return Ok(Written {
                columns: vec![String::new(); blanks],
                doubts: Vec::new(),
            });
        }
        if let (Sort::Address, Some(gazetteer)) = (field.sort, self.gazetteer) {
            return self.address(gazetteer, raw);
        }
        match self.standard(field, raw, cell.kind) {
            Ok(standard) => Ok(Written::from(standard)),
            Err(refused) if field.accept.iter().any(|a| a == refused.reason.code()) => {
                match <[String; 1]>::try_from(refused.proposals) {
                    Ok([only]) => Ok(Written {
                        doubts: vec![(refused.reason, only.clone())],
                        columns: vec![only],
                    }),
                    Err(proposals) => Err(value::Refused {
                        reason: refused.reason,
                        proposals,
                    }),
                }
            }
            Err(refused) => Err(refused),
        }
    }

    fn standard(&self, field: &Field, raw: &str, kind: CellKind) -> Outcome<String> {
        fn shown<T: ToString>(outcome: Outcome<T>) -> Outcome<String> {
            match outcome {
                Ok(standard) => Ok(standard.map(|v| v.to_string())),
                Err(refused) => Err(refused.map(|v| v.to_string())),
            }
        }
        match field.sort {
            Sort::Text | Sort::Address => value::text_with(raw, self.layout.tone),
            Sort::Name => match value::name_with(raw, self.layout.tone) {
                Ok(standard) => Ok(standard.map(|n| n.full)),
                Err(refused) => Err(refused.map(|n| n.full)),
            },
            Sort::Date | Sort::Birthday => {
                let birthday = field.sort == Sort::Birthday;
                let options = DateOptions {
                    month_first: self.layout.month_first,
                    birthday,
                    today: birthday.then_some(self.today),
                    serial: match kind {
                        CellKind::Date(serial) => Some(serial),
                        _ => None,
                    },
                };
                shown(value::date(raw, &options))
            }
            Sort::IdNumber => shown(value::id_number(raw)),
            Sort::TaxCode => value::tax_code(raw),
            Sort::Phone => shown(value::phone(raw)),
            Sort::Email => value::email(raw),
            Sort::Sex => match value::sex(raw) {
                Ok(standard) => Ok(standard.map(|s| s.text().vi)),
                Err(refused) => Err(refused.map(|s| s.text().vi)),
            },
            Sort::Ethnicity => shown(value::ethnicity(raw)),
            Sort::Nationality => value::nationality(raw),
            Sort::Money => {
                let stored = kind == CellKind::Number;
                match if stored {
                    value::stored_money(raw)
                } else {
                    value::money(raw)
                } {
                    Ok(standard) => Ok(standard.map(|d| d.amount().to_string())),
                    Err(refused) => Err(refused.map(|d| d.amount().to_string())),
                }
            }
            Sort::Number if kind == CellKind::Number => shown(value::stored_number(raw)),
            Sort::Number => shown(value::number(raw)),
        }
    }

    fn address(&self, gazetteer: &Gazetteer, raw: &str) -> Result<Written, value::Refused<String>> {
        let text = value::text_with(raw, self.layout.tone)?.value;
        let found = gazetteer.locate(&text, self.written);
        let unit = match (found.certainty, found.choices.first()) {
            (Certainty::Certain | Certainty::Likely, Some(only)) => only.unit.code.to_string(),
            _ => String::new(),
        };
        let choices: Vec<String> = if found.certainty == Certainty::Choose {
            found
                .choices
                .iter()
                .map(|c| format!("{} {}", c.unit.code, c.unit.title()))
                .collect()
        } else {
            Vec::new()
        };
        let doubts = found.reasons.iter().map(|reason| {
            let text = reason.text();
            (CodeError::new(reason.code(), text.vi, text.en), listed(&choices))
        });
        Ok(Written {
            doubts: doubts.collect(),
            columns: vec![text, unit, found.certainty.as_str().to_owned()],
        })
    }
}

impl Written {
    fn plain(value: String) -> Self {
        Self {
            columns: vec![value],
            doubts: Vec::new(),
        }
    }
}

impl From<Standard<String>> for Written {
    fn from(standard: Standard<String>) -> Self {
        let doubts = standard.doubts.into_iter();
        Self {
            doubts: doubts.map(|d| (d, listed(&standard.alternatives))).collect(),
            columns: vec![standard.value],
        }
    }
}

fn listed(proposals: &[String]) -> String {
    let mut shown = proposals
        .iter()
        .take(MOST_PROPOSALS)
        .cloned()
        .collect::<Vec<_>>()
        .join(" | ");
    if proposals.len() > MOST_PROPOSALS {
        shown.push_str(" | …");
    }
    shown
}
