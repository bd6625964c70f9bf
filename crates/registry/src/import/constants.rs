//! What a file does not say and every record has: `[constants]` of a mapping.

use base::Problems;
use serde_json::Value;

use super::{
    items::lists_above,
    mapping::{Column, known},
};
use crate::model::{Field, FieldPath, Registry};

/// What every record says, or every item of a list.
#[derive(Debug)]
pub(super) struct Constant {
    pub path: FieldPath,
    /// The list; each of its items that is there says it.
    pub list: Option<FieldPath>,
    pub value: Value,
}

/// The constants, groups by their parts.
pub(super) fn read(
    table: &toml::Table,
    within: &str,
    registry: &Registry,
    found: &mut Vec<Constant>,
    problems: &mut Problems,
) {
    for (name, value) in table {
        let path = if within.is_empty() {
            name.clone()
        } else {
            format!("{within}.{name}")
        };
        if let toml::Value::Table(inner) = value {
            read(inner, &path, registry, found, problems);
        } else if let Some(field) = known(registry, &path, &format!("constants.{path}"), problems) {
            let lists: Vec<&Field> = lists_above(registry, &field.path).collect();
            if lists.len() > 1 {
                in_no_item(&field.path, problems);
            }
            found.push(Constant {
                path: field.path.clone(),
                list: lists.first().map(|list| list.path.clone()),
                value: json(value),
            });
        }
    }
}

/// Refuses values for items of a list of which no column fills one.
pub(super) fn go_with(columns: &[Column], constants: &[Constant], problems: &mut Problems) {
    for Constant { path, list, .. } in constants {
        let lists = || {
            columns
                .iter()
                .filter_map(|column| column.item.as_ref())
                .map(|item| &item.list)
        };
        if list.as_ref().is_some_and(|list| !lists().any(|filled| filled == list)) {
            in_no_item(path, problems);
        }
    }
}

fn in_no_item(path: &FieldPath, problems: &mut Problems) {
    problems.add(
        "field-in-list",
        format!("constants.{path}"),
        "Giá trị chung trong danh sách chỉ vào các mục mà cột của tệp điền, và không có cột nào như vậy.",
        "A value within a list goes into items that columns fill, and no column fills one.",
    );
}

fn json(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::from(text.as_str()),
        toml::Value::Integer(number) => Value::from(*number),
        toml::Value::Float(number) => Value::from(*number),
        toml::Value::Boolean(value) => Value::from(*value),
        toml::Value::Datetime(at) => Value::from(at.to_string()),
        toml::Value::Array(items) => items.iter().map(json).collect(),
        toml::Value::Table(table) => Value::Object(table.iter().map(|(k, v)| (k.clone(), json(v))).collect()),
    }
}
