//! What a record needs, and whether a mapping fills it.

use base::Problems;

use super::{
    constants::Constant,
    items::{Item, is_list, lists_above},
    mapping::Column,
};
use crate::model::{DataType, Field, FieldPath, Registry};

/// Whether a record lacks something without this field.
pub(super) fn is_required(registry: &Registry, path: &FieldPath) -> bool {
    registry
        .fields
        .iter()
        .filter(|field| field.path.covers(path))
        .all(|field| field.required)
}

/// Whether an item of a list lacks something without this field.
pub(super) fn is_required_in(registry: &Registry, list: &FieldPath, path: &FieldPath) -> bool {
    let within = |field: &&Field| field.path != *list && list.covers(&field.path) && field.path.covers(path);
    path != list && registry.fields.iter().filter(within).all(|field| field.required)
}

/// Names what every record needs and nothing fills, and what every item of a list needs of which columns fill a part.
pub(super) fn not_filled(registry: &Registry, columns: &[Column], constants: &[Constant], problems: &mut Problems) {
    of_records(registry, columns, constants, problems);
    let mut items: Vec<&Item> = Vec::new();
    for item in columns.iter().filter_map(|column| column.item.as_ref()) {
        if !items.contains(&item) {
            items.push(item);
            of_item(registry, item, columns, constants, problems);
        }
    }
}

fn of_records(registry: &Registry, columns: &[Column], constants: &[Constant], problems: &mut Problems) {
    // What is said of items makes none.
    let constants = constants.iter().filter(|constant| constant.list.is_none());
    let mut filled: Vec<&FieldPath> = constants.map(|constant| &constant.path).collect();
    for column in columns {
        match &column.item {
            Some(item) => filled.push(&item.list),
            None => filled.extend(column.target.paths()),
        }
    }
    for field in registry.fields.iter().filter(|field| is_value(field)) {
        let in_list = lists_above(registry, &field.path).next().is_some();
        let is_filled = filled.iter().any(|path| field.path.covers(path));
        if !in_list && !is_filled && is_required(registry, &field.path) {
            problems.add(
                "field-not-filled",
                field.path.as_str(),
                format!(
                    "Bản ghi nào cũng phải có “{}” ({}); thêm cột hoặc giá trị chung trong [constants].",
                    field.path, field.term.name.vi
                ),
                format!(
                    "Every record has “{}” ({}); add a column, or a value for all in [constants].",
                    field.path, field.term.name.en
                ),
            );
        }
    }
}

fn of_item(registry: &Registry, item: &Item, columns: &[Column], constants: &[Constant], problems: &mut Problems) {
    let of_columns = columns.iter().filter(|column| column.item.as_ref() == Some(item));
    let constants = constants
        .iter()
        .filter(|constant| constant.list.as_ref() == Some(&item.list));
    let filled: Vec<&FieldPath> = of_columns
        .flat_map(|column| column.target.paths())
        .chain(constants.map(|constant| &constant.path))
        .collect();
    for field in registry.fields.iter().filter(|field| is_value(field)) {
        let is_of_item = lists_above(registry, &field.path)
            .map(|list| &list.path)
            .eq([&item.list]);
        let is_filled = filled.iter().any(|path| field.path.covers(path));
        if is_of_item && !is_filled && is_required_in(registry, &item.list, &field.path) {
            let (list, name) = (&item.list, item.name(&field.path));
            problems.add(
                "field-not-filled",
                &name,
                format!(
                    "Mục nào của “{list}” cũng phải có “{name}” ({}); thêm cột hoặc giá trị chung trong [constants].",
                    field.term.name.vi
                ),
                format!(
                    "Every item of “{list}” has “{name}” ({}); add a column, or a value for all in [constants].",
                    field.term.name.en
                ),
            );
        }
    }
}

/// Whether a field has a value of its own: a group is filled by its fields.
fn is_value(field: &Field) -> bool {
    field.term.ty != DataType::Group || is_list(field)
}
