//! A first draft of a mapping: which column is which field, told from headings and values. For a person to read, correct and complete.
//!
//! Headings with a number (`representative_1_name`, `Họ tên người đại diện 2`) are columns of items that are counted, where the registry
//! has a list that fits. That several rows are one record is for a person to say.

use std::{fmt::Write as _, path::Path};

use base::{Error, Kind, Result};
use cleansing::{
    layout::{Layout, Sort},
    read::Reader,
    schema::{Column, LEAST, SURE, Scan, Term, scan},
};

use super::{
    items::{Item, is_list, lists_above, most_items},
    mapping::{MOMENTS, address, sort_of},
};
use crate::model::{DataType, Field, FieldPath, Registry};

/// Rows in which headings are looked for.
const LOOKED_AT: usize = 30;
/// Rows whose values are looked at.
const SAMPLES: usize = 200;

/// A mapping for a file, in TOML. What a person has to say (the source, since when the records hold) is left empty, and a mapping with
/// these empty is refused.
///
/// # Errors
/// What makes the file unreadable; `no-header` where no row has headings that resemble fields.
pub fn suggest(file: &Path, registry: &Registry) -> Result<String> {
    let (mut reader, opened) = Reader::open(file, &Layout::default())?;
    let mut rows = Vec::new();
    while rows.len() < LOOKED_AT + SAMPLES
        && let Some(row) = reader.next_row()?
    {
        rows.push(row.cells.into_iter().map(|cell| cell.text).collect::<Vec<String>>());
    }
    let fields = || registry.fields.iter();
    let dictionary: Vec<Term> = fields().filter_map(|field| term(registry, field)).collect();
    let of_items: Vec<Term> = fields().filter_map(|field| term_of_item(registry, field)).collect();
    let all: Vec<Term> = dictionary.iter().chain(&of_items).cloned().collect();
    let (headings, data) = headings(&rows, &all).ok_or_else(no_header)?;
    let samples = rows.get(data..).unwrap_or_default();
    let columns = columns(&headings, samples);
    let mut found = scan(&columns, &dictionary);
    counted(registry, &columns, &of_items, &mut found);
    let encoding = opened.guess.map(|guess| guess.encoding.name());
    Ok(draft(registry, &headings, &found, encoding))
}

/// Where the headings of a table stand, and what its columns are.
pub(crate) struct Recognised {
    /// The headings; two rows of them are put together.
    pub headings: Vec<String>,
    /// How many rows stand before the data.
    pub before: usize,
    /// Of each column the field that it resembles most.
    pub fields: Vec<Option<FieldPath>>,
}

/// Recognises a table by its first rows, as [`suggest`] does. A column is told to be a field where that is one of `wanted`; where no row
/// resembles fields, the first is taken for the headings, and a person says the rest.
pub(crate) fn recognise(registry: &Registry, rows: &[Vec<String>], wanted: &[FieldPath]) -> Recognised {
    let fields = registry.fields.iter();
    let dictionary: Vec<Term> = fields.filter_map(|field| term(registry, field)).collect();
    let first = || (rows.first().cloned().unwrap_or_default(), 1);
    let (headings, before) = headings(rows, &dictionary).unwrap_or_else(first);
    let found = scan(&columns(&headings, rows.get(before..).unwrap_or_default()), &dictionary);
    let mut filled: Vec<FieldPath> = Vec::new();
    let mut fields = Vec::with_capacity(headings.len());
    for matched in &found.matched {
        let best = matched.proposals.first().map_or(LEAST, |best| best.score.max(LEAST));
        let field = matched
            .proposals
            .iter()
            .filter(|proposal| proposal.score >= best)
            .filter_map(|proposal| proposal.term.parse::<FieldPath>().ok())
            .find(|path| wanted.contains(path) && !filled.contains(path));
        filled.extend(field.clone());
        fields.push(field);
    }
    Recognised {
        headings,
        before,
        fields,
    }
}

/// A field as an entry of a dictionary; none for what a column cannot fill.
fn term(registry: &Registry, field: &Field) -> Option<Term> {
    let within_a_list = lists_above(registry, &field.path).next().is_some();
    let is_group = field.term.ty == DataType::Group;
    if within_a_list || is_group && (field.many || address(registry, &field.path).is_none()) {
        return None;
    }
    let words = field.path.as_str().replace(['_', '.'], " ");
    let description = field.schema.get("description").and_then(|text| text.as_str());
    let mut names = vec![field.term.name.vi.clone(), field.term.name.en.clone(), words];
    // Of several fields with one term it names the one that is called like it.
    let others = registry
        .fields
        .iter()
        .filter(|other| other.term.id == field.term.id)
        .count()
        > 1;
    if others && field.path.as_str() != field.term.id.as_str().replace(['.', '-'], "_") {
        names.drain(..2);
    }
    names.extend(description.map(str::to_owned));
    Some(Term::new(field.path.as_str(), names).of(sort_of(&field.term)))
}

/// A field of the items of a list, called by both.
fn term_of_item(registry: &Registry, field: &Field) -> Option<Term> {
    let mut lists = lists_above(registry, &field.path);
    let list = lists.next().filter(|_| lists.next().is_none() && !is_list(field))?;
    if field.term.ty == DataType::Group {
        return None;
    }
    let (own, of) = (&field.term.name, &list.term.name);
    let within = field.path.as_str().strip_prefix(list.path.as_str()).unwrap_or_default();
    let names = [
        format!("{} {}", own.vi, of.vi),
        format!("{} {}", own.en, of.en),
        format!("{} {within}", singular(&list.path)).replace(['_', '.'], " "),
        own.vi.clone(),
        own.en.clone(),
    ];
    Some(Term::new(field.path.as_str(), names).of(sort_of(&field.term)))
}

/// `representatives` as the headings of its items have it.
fn singular(list: &FieldPath) -> &str {
    let name = list.as_str();
    name.strip_suffix('s').unwrap_or(name)
}

/// Proposes items for headings that have a number, in the place of what else they resemble. Where there is no first of its kind the
/// number is part of a name.
fn counted(registry: &Registry, columns: &[Column], of_items: &[Term], found: &mut Scan) {
    let numbered: Vec<Option<(String, usize)>> = columns.iter().map(|column| numbered(&column.name)).collect();
    for ((column, number), matched) in columns.iter().zip(&numbered).zip(&mut found.matched) {
        let Some((name, number)) = number else { continue };
        if !numbered.contains(&Some((name.clone(), 1))) {
            continue;
        }
        let bare = Column {
            name: name.clone(),
            ..column.clone()
        };
        let scanned = scan(&[bare], of_items).matched;
        let proposals = scanned.into_iter().flat_map(|matched| matched.proposals);
        let proposals = proposals.filter_map(|mut proposal| {
            let path: FieldPath = proposal.term.parse().ok()?;
            let list = lists_above(registry, &path).find(|list| *number <= most_items(list))?;
            let (list, number) = (list.path.clone(), Some(*number));
            proposal.term = Item { list, number }.name(&path);
            Some(proposal)
        });
        let proposals: Vec<_> = proposals.collect();
        if !proposals.is_empty() {
            if matched.proposals.is_empty() {
                found.coverage.proposed += 1;
            }
            matched.proposals = proposals;
        }
    }
}

/// A heading without its only number, and the number.
fn numbered(heading: &str) -> Option<(String, usize)> {
    let is_digit = |c: char| c.is_ascii_digit();
    let from = heading.find(is_digit)?;
    let rest = heading.get(from..)?;
    let (digits, rest) = rest.split_at(rest.find(|c| !is_digit(c)).unwrap_or(rest.len()));
    let number = digits
        .parse()
        .ok()
        .filter(|number| *number > 0 && !rest.contains(is_digit))?;
    let name = format!("{} {rest}", heading.get(..from)?);
    let words: Vec<&str> = name
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    Some((words.join(" "), number))
}

fn columns(headings: &[String], samples: &[Vec<String>]) -> Vec<Column> {
    let headings = headings.iter().enumerate();
    headings.map(|(n, name)| column(name, n, samples)).collect()
}

fn column(name: &str, at: usize, rows: &[Vec<String>]) -> Column {
    let values = rows
        .iter()
        .filter_map(|row| row.get(at))
        .filter(|value| !value.trim().is_empty());
    Column {
        name: name.to_owned(),
        samples: values.cloned().collect(),
        ..Column::default()
    }
}

/// The row, or two rows as one, whose cells resemble most fields, and the number of the row after it.
fn headings(rows: &[Vec<String>], dictionary: &[Term]) -> Option<(Vec<String>, usize)> {
    let mut best: Option<(usize, Vec<String>, usize)> = None;
    let none = Vec::new();
    for (n, row) in rows.iter().enumerate().take(LOOKED_AT) {
        let above = n.checked_sub(1).and_then(|above| rows.get(above)).unwrap_or(&none);
        for headings in [row.clone(), together(above, row)] {
            let columns: Vec<Column> = headings.iter().map(|name| column(name, 0, &[])).collect();
            let proposed = scan(&columns, dictionary).coverage.proposed;
            if proposed > best.as_ref().map_or(0, |best| best.0) {
                best = Some((proposed, headings, n + 1));
            }
        }
    }
    best.map(|(_, headings, data)| (headings, data))
}

/// Headings of two rows: a cell that spans several columns stands before each below it.
fn together(above: &[String], below: &[String]) -> Vec<String> {
    let mut spanning = String::new();
    (0..above.len().max(below.len()))
        .map(|n| {
            let cell = |row: &[String]| row.get(n).map(|text| text.trim().to_owned()).unwrap_or_default();
            let (upper, lower) = (cell(above), cell(below));
            if !upper.is_empty() {
                spanning = upper;
            }
            format!("{spanning} {lower}").trim().to_owned()
        })
        .collect()
}

fn draft(registry: &Registry, headings: &[String], found: &Scan, encoding: Option<&str>) -> String {
    let (known, all) = (found.coverage.proposed, found.coverage.columns);
    let mut out = format!(
        "# Ánh xạ cột của tệp vào “{}” ({}): nhận ra {known}/{all} cột ({} %).\n\
         # Draft: {known} of {all} columns resemble fields. Read every line; complete source and valid_from.\n\n\
         # Sổ, tệp, hệ thống nào, của cơ quan nào / Which book, file or system, of which agency\nsource = \"\"\n\
         # Ngày bản ghi bắt đầu có hiệu lực / Since when the records hold\n# valid_from = \"2026-07-01\"\n",
        registry.name.vi,
        registry.code,
        found.coverage.percent()
    );
    if let Some(encoding) = encoding {
        let _ = writeln!(
            out,
            "# Bảng mã nhận ra / Encoding as told from the file\n# encoding = \"{encoding}\""
        );
    }
    let mut filled: Vec<&str> = Vec::new();
    for (heading, matched) in headings.iter().zip(&found.matched) {
        // Of equals the field that a record cannot be without.
        let proposals = matched.proposals.iter();
        let proposal = proposals
            .filter(|proposal| proposal.score >= LEAST && !filled.contains(&proposal.term.as_str()))
            .max_by_key(|proposal| {
                let is_key = registry.key.iter().any(|path| path.as_str() == proposal.term);
                (proposal.score, is_key)
            });
        let Some(proposal) = proposal else {
            if !heading.trim().is_empty() {
                let heading = one_line(heading);
                let _ = write!(out, "\n# {heading}: chưa khớp trường nào / resembles no field\n");
            }
            continue;
        };
        filled.push(&proposal.term);
        let sort = sort_of_field(registry, &proposal.term);
        let doubt = if proposal.score < SURE {
            " # kiểm tra lại / check"
        } else {
            ""
        };
        let _ = write!(
            out,
            "\n[[column]]\nnames = [{}]\nfield = {}{doubt}\ntype = {}\n",
            quoted(heading),
            quoted(&proposal.term),
            quoted(sort.name())
        );
    }
    hint(registry, &filled, &mut out);
    let lacking: Vec<&Field> = registry
        .fields
        .iter()
        .filter(|field| field.required && field.term.ty != DataType::Group && !field.path.as_str().contains('.'))
        .filter(|field| !filled.contains(&field.path.as_str()))
        .collect();
    if !lacking.is_empty() {
        out.push_str(
            "\n# Trường bắt buộc mà tệp không có: nêu giá trị chung / Required, and not in the file\n[constants]\n",
        );
        for field in lacking {
            let _ = writeln!(out, "# {} = \"\" # {}", field.path, field.term.name.vi);
        }
    }
    let _ = write!(
        out,
        "\n# Cột có ngày hiệu lực riêng của từng dòng: field = \"{}\" hoặc \"{}\"\n",
        MOMENTS[0], MOMENTS[1]
    );
    out
}

/// The sort of the values of a field, which may be one of an item: `representatives[1].name`.
fn sort_of_field(registry: &Registry, name: &str) -> Sort {
    let plain = match name.split_once('[').zip(name.split_once(']')) {
        Some(((list, _), (_, field))) => format!("{list}{field}"),
        None => name.to_owned(),
    };
    let field = registry.fields.iter().find(|field| field.path.as_str() == plain);
    field.map_or(Sort::Text, |field| sort_of(&field.term))
}

/// How to say the lists of groups that no column was recognised for.
fn hint(registry: &Registry, filled: &[&str], out: &mut String) {
    for list in registry
        .fields
        .iter()
        .filter(|field| is_list(field) && field.term.ty == DataType::Group)
    {
        let path = list.path.as_str();
        let is_filled = filled
            .iter()
            .any(|name| name.strip_prefix(path).is_some_and(|rest| rest.starts_with('[')));
        if !is_filled && lists_above(registry, &list.path).next().is_none() {
            let _ = write!(
                out,
                "\n# {}: field = \"{path}[1].…\" cho từng cột đánh số, hoặc ở đầu tệp rows = \"{path}\" nếu mỗi dòng là một mục\n\
                 # {}: field = \"{path}[1].…\" in numbered columns, or rows = \"{path}\" at the top where each row is an item\n",
                list.term.name.vi, list.term.name.en
            );
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn quoted(text: &str) -> String {
    toml::Value::String(one_line(text)).to_string()
}

fn no_header() -> Error {
    Error::refused(
        Kind::Invalid,
        "no-header",
        "Không tìm thấy dòng tiêu đề nào giống tên trường của cơ sở dữ liệu này. Viết bản ánh xạ bằng tay.",
        "No row has headings that resemble fields of this registry. Write the mapping by hand.",
    )
}
