//! Where in a file something was found: which line, which column.

use base::{Problems, refusal::Problem};
use cleansing::Severity;
use serde_json::Value;

use super::{
    fill::{Filled, List},
    judge::Plan,
    mapping::{Column, Target, put},
    report::Entry,
};
use crate::model::{FieldPath, Rule, Test};

impl Plan {
    /// Problems of a record as entries of the report, each at the column that its field comes from.
    pub fn entries(&self, line: u64, problems: &Problems) -> Vec<Entry> {
        problems.iter().map(|problem| self.entry_of(line, problem)).collect()
    }

    /// The same where the record has lists: what is about an item is told at the line and the column of that.
    pub fn entries_of(&self, line: u64, problems: &Problems, filled: &Filled) -> Vec<Entry> {
        let mut entries = Vec::new();
        let mut told: Vec<&Problem> = Vec::new();
        for problem in problems.iter() {
            // Of a field in several items each is told, so that it need not be told again.
            if told.contains(&problem) {
                continue;
            }
            told.push(problem);
            let (field, index) = way(&problem.at);
            let of_list = |list: &&List| field.as_ref().is_some_and(|field| list.path.covers(field));
            let list = filled.lists.iter().find(of_list);
            let items = match (list, index) {
                (Some(list), Some(index)) => list.items.get(index).map(|_| index).into_iter().collect(),
                (Some(list), None) if field.as_ref() != Some(&list.path) => self.alone(problem, list, filled),
                _ => Vec::new(),
            };
            if let (Some(list), Some(field)) = (list, &field) {
                let places = items.iter().filter_map(|index| list.items.get(*index));
                entries.extend(places.map(|place| self.in_item(problem, &list.path, *place, field)));
            }
            if items.is_empty() {
                entries.push(self.entry_of(line, problem));
            }
        }
        entries
    }

    /// The items that have a problem which is told of their field: those that have it alone. None where it is of a rule across
    /// fields, such as a sum, which is about the record.
    fn alone(&self, problem: &Problem, list: &List, filled: &Filled) -> Vec<usize> {
        let is_across = |rule: &Rule| rule.id.as_str() == problem.code && matches!(rule.test, Test::CrossField { .. });
        if self.registry.rules.iter().any(is_across) {
            return Vec::new();
        }
        let fresh = &filled.fresh;
        let pointer = format!("/{}", list.path.as_str().replace('.', "/"));
        let Value::Object(mut body) = fresh.body.clone() else {
            return Vec::new();
        };
        put(&mut body, list.path.as_str(), Value::Null);
        let has = |item: &Value| {
            let mut body = body.clone();
            put(&mut body, list.path.as_str(), Value::Array(vec![item.clone()]));
            let day = fresh.from.day(self.registry.valid_time);
            let judged = self.registry.admit(&Value::Object(body), day, self.now);
            judged.is_err_and(|problems| {
                let mut problems = problems.iter();
                problems.any(|other| (&other.code, &other.at) == (&problem.code, &problem.at))
            })
        };
        let items = fresh.body.pointer(&pointer).and_then(Value::as_array);
        let items = items.into_iter().flatten().enumerate();
        items.filter(|(_, item)| has(item)).map(|(index, _)| index).collect()
    }

    fn in_item(&self, problem: &Problem, list: &FieldPath, (number, line): (usize, u64), field: &FieldPath) -> Entry {
        let fills = |column: &Column| column.is_in(list, number) && column.target.paths().contains(&field);
        // The item itself is told at its first column.
        let columns = &self.mapping.columns;
        let column = columns.iter().position(fills).or_else(|| {
            let is_whole = field == list;
            columns.iter().position(|column| is_whole && column.is_in(list, number))
        });
        let entry = Entry {
            line,
            ..self.entry_of(line, problem)
        };
        match column {
            Some(column) => Entry {
                column: self.column(column),
                field: self.name(column, field),
                ..entry
            },
            None => Entry {
                field: field.to_string(),
                ..entry
            },
        }
    }

    fn entry_of(&self, line: u64, problem: &Problem) -> Entry {
        let field = problem.at.trim_end_matches(|c: char| c.is_ascii_digit());
        let field = field.strip_suffix('.').unwrap_or(&problem.at);
        let is_it = |column: &Column| match &column.target {
            _ if column.item.is_some() => false,
            Target::ValidFrom => field == "valid_from",
            Target::ValidTo => field == "valid_to",
            Target::Value { path, .. } => path.as_str() == field,
            Target::Address { commune, detail, .. } => {
                commune.as_str() == field || detail.as_ref().is_some_and(|detail| detail.as_str() == field)
            }
        };
        let column = self.mapping.columns.iter().position(is_it);
        Entry {
            line,
            column: column.map_or(0, |column| self.column(column)),
            field: field.to_owned(),
            severity: Severity::Bad,
            code: problem.code.clone(),
            text: problem.text.clone(),
        }
    }

    /// A field as the report names it: with the number of the item that a column fills.
    pub fn name(&self, column: usize, field: &FieldPath) -> String {
        let item = self.mapping.columns.get(column).and_then(|column| column.item.as_ref());
        item.map_or_else(|| field.to_string(), |item| item.name(field))
    }

    /// Where a column of the mapping stands, from 1; 0 where there is none.
    pub fn column(&self, column: usize) -> usize {
        let place = self.columns.as_ref().and_then(|(columns, _)| columns.column(column));
        place.map_or(0, |place| place + 1)
    }
}

/// The place of a problem, `lines.2.value`, as a field and the index in the first list on the way.
fn way(at: &str) -> (Option<FieldPath>, Option<usize>) {
    let index = at.split('.').find_map(|part| part.parse().ok());
    let names: Vec<&str> = at.split('.').filter(|part| part.parse::<usize>().is_err()).collect();
    (names.join(".").parse().ok(), index)
}
