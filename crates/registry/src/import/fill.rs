//! From the cells of rows to the body of a record, with the items of its lists.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};

use super::{
    items::Item,
    mapping::{Column, Mapping, put},
};
use crate::{
    model::{DataType, FieldPath},
    service::Fresh,
};
use base::text::fold;

/// A row among those of its record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub line: u64,
    /// Which row of the record it is, from 1.
    pub nth: usize,
}

/// A body while cells fill it.
pub(super) struct Filling<'m> {
    mapping: &'m Mapping,
    body: Map<String, Value>,
    /// By list and number, so that they come in their order.
    items: BTreeMap<(&'m FieldPath, usize), Held>,
}

/// An item of a list, with the line that it comes from.
struct Held {
    line: u64,
    value: Value,
}

/// A record as the schema may judge it.
pub(super) struct Filled {
    pub fresh: Fresh,
    pub lists: Vec<List>,
}

/// Where the items of a list come from, in their order.
pub(super) struct List {
    pub path: FieldPath,
    /// The number of each and its line.
    pub items: Vec<(usize, u64)>,
}

impl<'m> Filling<'m> {
    /// Of a record for which the mapping says what the file does not.
    pub fn of(mapping: &'m Mapping) -> Self {
        let mut body = Map::new();
        for constant in mapping.constants.iter().filter(|constant| constant.list.is_none()) {
            put(&mut body, constant.path.as_str(), constant.value.clone());
        }
        Self {
            mapping,
            body,
            items: BTreeMap::new(),
        }
    }

    /// Puts a value where a column has its field: in the record, or in an item, which is there from then on.
    pub fn put(&mut self, item: Option<&'m Item>, place: Place, path: &FieldPath, value: Value) {
        let Some(Item { list, number }) = item else {
            put(&mut self.body, path.as_str(), value);
            return;
        };
        let held = self
            .items
            .entry((list, number.unwrap_or(place.nth)))
            .or_insert_with(|| Held {
                line: place.line,
                value: started(self.mapping, list),
            });
        let within = within(list, path);
        match &mut held.value {
            Value::Object(group) if !within.is_empty() => put(group, within, value),
            whole => *whole = value,
        }
    }

    /// The columns whose cells are empty though their item needs them: each with the line.
    pub fn lacking(&self) -> Vec<(u64, usize)> {
        let mut lacking = Vec::new();
        for ((list, number), held) in &self.items {
            let is_empty = |path: &FieldPath| held.value.pointer(&pointer(within(list, path))).is_none();
            for (n, column) in self.mapping.columns.iter().enumerate() {
                let lacks = || column.target.paths().into_iter().any(is_empty);
                if column.needed && column.is_in(list, *number) && lacks() {
                    lacking.push((held.line, n));
                }
            }
        }
        lacking
    }

    /// The columns of items before which another is not there, the first of each list.
    pub fn gaps(&self) -> Vec<usize> {
        let mut gaps = Vec::new();
        let (mut list, mut count, mut told) = (None, 0, false);
        for (of, number) in self.items.keys() {
            if list != Some(*of) {
                (list, count, told) = (Some(*of), 0, false);
            }
            count += 1;
            let counted = |column: &Column| !column.is_of_row() && column.is_in(of, *number);
            if !told
                && *number > count
                && let Some(column) = self.mapping.columns.iter().position(counted)
            {
                told = true;
                gaps.push(column);
            }
        }
        gaps
    }

    /// The body, its items one behind the other, and where these come from.
    pub fn end(mut self) -> (Value, Vec<List>) {
        let mut lists: Vec<(List, Vec<Value>)> = Vec::new();
        for ((path, number), held) in std::mem::take(&mut self.items) {
            if lists.last().is_none_or(|(list, _)| list.path != *path) {
                let (path, items) = (path.clone(), Vec::new());
                lists.push((List { path, items }, Vec::new()));
            }
            if let Some((list, values)) = lists.last_mut() {
                list.items.push((number, held.line));
                values.push(held.value);
            }
        }
        let lists = lists.into_iter().map(|(list, values)| {
            put(&mut self.body, list.path.as_str(), Value::Array(values));
            list
        });
        let lists = lists.collect();
        (Value::Object(self.body), lists)
    }
}

impl Column {
    /// Whether it fills this item of a list.
    pub fn is_in(&self, list: &FieldPath, number: usize) -> bool {
        let item = self.item.as_ref().filter(|item| item.list == *list);
        item.is_some_and(|item| item.number.is_none_or(|its| its == number))
    }
}

/// An item of which nothing is known but what the mapping says of all.
fn started(mapping: &Mapping, list: &FieldPath) -> Value {
    let mut item = Map::new();
    let constants = mapping.constants.iter();
    for constant in constants.filter(|constant| constant.list.as_ref() == Some(list)) {
        put(&mut item, within(list, &constant.path), constant.value.clone());
    }
    Value::Object(item)
}

/// The way to a field from the item that it is in; nothing for the item itself.
fn within<'p>(list: &FieldPath, path: &'p FieldPath) -> &'p str {
    let rest = path.as_str().strip_prefix(list.as_str()).unwrap_or(path.as_str());
    rest.trim_start_matches('.')
}

/// A way as a JSON pointer.
fn pointer(way: &str) -> String {
    way.split('.').map(|part| format!("/{part}")).collect()
}

/// A text as the value of a field. What is none of its type stays a text, which the schema refuses.
pub(super) fn value(ty: DataType, text: &str) -> Value {
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
