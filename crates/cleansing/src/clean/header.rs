//! Which column is which field.

use base::{Error, Problems, Result, text::fold};

use crate::{
    Finding, Severity,
    encoding::Encoding,
    layout::{Field, Format, Layout},
    read::{Position, Reader, Row},
};

/// Rows in which headings are looked for: titles and the name of the agency stand above them.
const LOOKED_AT: usize = 30;

/// Where the fields of a layout stand.
#[derive(Debug)]
pub struct Columns {
    /// The column, from 0, of each field of the layout.
    of_field: Vec<Option<usize>>,
    /// The keys of the headings, by column.
    headings: Vec<String>,
    /// Columns of the file; 0 where no headings say it.
    pub(super) width: usize,
    /// Where the data begin.
    pub data: Position,
    /// What was found in the headings.
    pub findings: Vec<Finding>,
}

impl Columns {
    /// The column, from 0, in which a field of the layout stands.
    pub fn column(&self, field: usize) -> Option<usize> {
        self.of_field.get(field).copied().flatten()
    }

    /// The columns that have an encoding of their own.
    pub(super) fn encodings(&self, layout: &Layout) -> Vec<(usize, Encoding)> {
        layout
            .field_encodings()
            .filter_map(|(field, encoding)| Some((self.column(field)?, encoding)))
            .collect()
    }

    /// Says why a row is no data: headings again at the top of a printed page, or the numbers of the columns below them.
    pub fn no_data(&self, row: &Row) -> Option<Finding> {
        let cells = || {
            let columns = self.of_field.iter().flatten();
            columns
                .filter_map(|c| Some((*c, row.cells.get(*c)?.text.trim())))
                .filter(|(_, text)| !text.is_empty())
        };
        let is_heading = |(c, text): (usize, &str)| self.headings.get(c).is_some_and(|h| *h == key(text));
        let filled = cells().count();
        if (filled > 1 || filled == 1 && self.of_field.len() == 1) && cells().all(is_heading) {
            return Some(Finding::row(
                row.line,
                Severity::Note,
                "repeated-header",
                "Dòng lặp lại tiêu đề cột, được bỏ qua.",
                "The row repeats the headings and is passed over.",
            ));
        }
        if row.line > self.data.line + 2 {
            return None;
        }
        let numbered = |(_, text): (usize, &str)| {
            let digits = text.trim_matches(['(', ')', '[', ']']);
            digits
                .parse::<usize>()
                .is_ok_and(|n| n >= 1 && n <= row.cells.len() + 1)
                && digits.len() <= 3
        };
        let numbers: Vec<usize> = cells()
            .filter_map(|(_, text)| text.trim_matches(['(', ')', '[', ']']).parse().ok())
            .collect();
        let rising = {
            let mut sorted = numbers.clone();
            sorted.sort_unstable();
            sorted.dedup();
            sorted.len() == numbers.len()
        };
        if filled >= 3 && numbers.len() == filled && rising && cells().all(numbered) {
            return Some(Finding::row(
                row.line,
                Severity::Note,
                "column-numbers",
                "Dòng đánh số cột, được bỏ qua.",
                "The row numbers the columns and is passed over.",
            ));
        }
        None
    }
}

/// A heading without marks, case, spaces and signs.
fn key(heading: &str) -> String {
    fold(heading).chars().filter(char::is_ascii_alphanumeric).collect()
}

fn is_named(field: &Field, key_of_heading: &str) -> bool {
    !key_of_heading.is_empty()
        && (key(&field.id) == key_of_heading || field.names.iter().any(|n| key(n) == key_of_heading))
}

/// The fields that a row of headings names, each with its column.
fn matches(layout: &Layout, headings: &[String]) -> Vec<Option<usize>> {
    let find = |field: &Field| headings.iter().position(|h| is_named(field, h));
    layout.fields.iter().map(find).collect()
}

fn named(found: &[Option<usize>]) -> usize {
    found.iter().flatten().count()
}

fn keys_of(row: &Row) -> Vec<String> {
    row.cells.iter().map(|c| key(&c.text)).collect()
}

/// The headings of two rows as one: a cell below one that spans several names the column, alone or with what is above.
fn together(layout: &Layout, upper: &[String], lower: &[String]) -> Vec<String> {
    let mut spanning = String::new();
    let width = upper.len().max(lower.len());
    let cell = |row: &[String], n: usize| row.get(n).cloned().unwrap_or_default();
    (0..width)
        .map(|n| {
            let (above, below) = (cell(upper, n), cell(lower, n));
            if !above.is_empty() {
                spanning = above.clone();
            }
            let both = format!("{spanning}{below}");
            let known = |key: &str| layout.fields.iter().any(|f| is_named(f, key));
            match (below.is_empty(), known(&both), known(&below)) {
                (true, ..) => above,
                (_, true, _) => both,
                (_, _, true) => below,
                _ if above.is_empty() => both,
                _ => above,
            }
        })
        .collect()
}

/// Finds the headings, and where the data begin. The reader is used up by it.
pub(super) fn find(reader: &mut Reader, layout: &Layout, format: Format) -> Result<Columns> {
    let in_order = || (0..layout.fields.len()).map(Some).collect();
    let declared = match (layout.header_rows, format) {
        (None, Format::Fixed) => Some(0),
        (declared, _) => declared,
    };
    let mut rows: Vec<Row> = Vec::new();
    let wanted = declared.map_or(LOOKED_AT, usize::from);
    while rows.len() < wanted
        && let Some(row) = reader.next_row()?
    {
        rows.push(row);
    }
    let after = |n: usize| rows.get(n).map_or(Position { offset: 0, line: 1 }, |r| r.next);
    if declared == Some(0) || format == Format::Fixed {
        return Ok(Columns {
            of_field: in_order(),
            headings: Vec::new(),
            width: layout.fields.len(),
            data: rows.len().checked_sub(1).map_or(Position { offset: 0, line: 1 }, after),
            findings: Vec::new(),
        });
    }
    let (headings, last) = match declared {
        Some(_) => {
            let all = rows
                .iter()
                .map(keys_of)
                .reduce(|upper, lower| together(layout, &upper, &lower));
            (all.unwrap_or_default(), rows.len().saturating_sub(1))
        }
        None => best(layout, &rows),
    };
    let of_field = matches(layout, &headings);
    if named(&of_field) == 0 {
        let names: Vec<&str> = layout
            .fields
            .iter()
            .map(|f| f.names.first().unwrap_or(&f.id).as_str())
            .collect();
        let names = names.join(", ");
        return Err(Error::refused(
            base::refusal::Kind::Invalid,
            "no-header",
            format!("Không tìm thấy dòng tiêu đề. Tiêu đề cần có: {names}."),
            format!("No row of headings was found. The headings are: {names}."),
        ));
    }
    let mut problems = Problems::new();
    let mut findings = Vec::new();
    let line = rows.get(last).map_or(1, |r| r.line);
    for (field, column) in layout.fields.iter().zip(&of_field) {
        let heading = field.names.first().unwrap_or(&field.id);
        let twice = headings.iter().filter(|h| is_named(field, h)).count() > 1;
        match column {
            None if field.required => problems.add(
                "missing-columns",
                &field.id,
                format!("Tệp không có cột “{heading}”."),
                format!("The file has no column “{heading}”."),
            ),
            None => findings.push(
                Finding::row(
                    line,
                    Severity::Note,
                    "no-column",
                    format!("Tệp không có cột “{heading}”; trường để trống."),
                    format!("The file has no column “{heading}”; the field stays empty."),
                )
                .at(&field.id),
            ),
            Some(_) if twice => findings.push(
                Finding::row(
                    line,
                    Severity::Doubt,
                    "duplicate-heading",
                    format!("Có nhiều cột “{heading}”; lấy cột đầu tiên."),
                    format!("There are several columns “{heading}”; the first is taken."),
                )
                .at(&field.id),
            ),
            Some(_) => {}
        }
    }
    problems.into_result()?;
    Ok(Columns {
        of_field,
        width: headings.len(),
        headings,
        data: after(last),
        findings,
    })
}

/// The row, or pair of rows, that names most fields, and the last row of it.
fn best(layout: &Layout, rows: &[Row]) -> (Vec<String>, usize) {
    let mut found = (Vec::new(), 0, 0);
    for (n, row) in rows.iter().enumerate() {
        let single = keys_of(row);
        let count = named(&matches(layout, &single));
        if count > found.2 {
            found = (single, n, count);
        }
        if let Some(upper) = n.checked_sub(1).and_then(|above| rows.get(above)) {
            let pair = together(layout, &keys_of(upper), &keys_of(row));
            let count = named(&matches(layout, &pair));
            if count > found.2 {
                found = (pair, n, count);
            }
        }
    }
    (found.0, found.1)
}
