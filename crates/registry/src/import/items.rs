//! Lists in a mapping. A column fills an item of a list that it counts, `representatives[1].name`, or, where a row of the file is an
//! item, that of its row.

use base::Problems;
use serde_json::Value;

use super::mapping::{Column, known};
use crate::model::{DataType, Field, FieldPath, Registry};

/// The item of a list that a column fills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub list: FieldPath,
    /// Which it is, from 1; none where it is that of the row.
    pub number: Option<usize>,
}

impl Item {
    /// A field as a mapping names it: `representatives[1].name`; of the row's item `lines.value`.
    pub fn name(&self, path: &FieldPath) -> String {
        let number = self.number.map(|number| format!("[{number}]")).unwrap_or_default();
        let (list, path) = (self.list.as_str(), path.as_str());
        format!("{list}{number}{}", path.strip_prefix(list).unwrap_or_default())
    }
}

/// Whether a field is a list; [`Field::many`] says so of what stands within one, too.
pub(super) fn is_list(field: &Field) -> bool {
    field.schema.get("type").and_then(Value::as_str) == Some("array")
}

/// The lists within which a field stands.
pub(super) fn lists_above<'r>(registry: &'r Registry, path: &FieldPath) -> impl Iterator<Item = &'r Field> {
    registry
        .fields
        .iter()
        .filter(move |other| other.path != *path && is_list(other) && other.path.covers(path))
}

/// The most items of a list.
pub(super) fn most_items(list: &Field) -> usize {
    let most = list.schema.get("maxItems").and_then(Value::as_u64);
    most.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX)
}

/// The list of which each row has an item.
pub(super) fn list_of_rows(registry: &Registry, name: &str, problems: &mut Problems) -> Option<FieldPath> {
    let path: Option<FieldPath> = name.parse().ok();
    let list = path.and_then(|path| registry.field(&path));
    let list = list.filter(|field| is_list(field) && lists_above(registry, &field.path).next().is_none());
    if list.is_none() {
        problems.add(
            "not-a-list",
            "rows",
            "rows nêu một danh sách của lược đồ mà mỗi dòng của tệp là một mục, không nằm trong danh sách khác.",
            "rows names a list of the schema, within no other, of which each row of the file is an item.",
        );
    }
    list.map(|field| field.path.clone())
}

/// The field that a column names, and the item of a list where it stands in one.
pub(super) fn resolve<'r>(
    registry: &'r Registry,
    name: &str,
    rows: Option<&FieldPath>,
    at: &str,
    problems: &mut Problems,
) -> Option<(&'r Field, Option<Item>)> {
    let (field, item) = if name.contains('[') {
        counted(registry, name, rows, at, problems)?
    } else {
        let field = known(registry, name, at, problems)?;
        let list = rows.filter(|list| list.covers(&field.path));
        let list = list.cloned().map(|list| Item { list, number: None });
        (field, list)
    };
    let list = item.as_ref().map(|item| &item.list);
    // A list of plain values may stand in one cell; a list of groups may not.
    let own = Some(field).filter(|field| is_list(field) && field.term.ty == DataType::Group);
    let mut lists = lists_above(registry, &field.path).chain(own);
    match lists.find(|other| list != Some(&other.path)) {
        None => Some((field, item)),
        Some(other) => {
            let deep = item.is_some() || lists_above(registry, &field.path).count() > 1;
            in_a_list(field, other, deep, at, problems);
            None
        }
    }
}

/// A field of an item that a column counts.
fn counted<'r>(
    registry: &'r Registry,
    name: &str,
    rows: Option<&FieldPath>,
    at: &str,
    problems: &mut Problems,
) -> Option<(&'r Field, Option<Item>)> {
    let parts = parts(name);
    let list = parts.as_ref().and_then(|(_, list, _)| registry.field(list));
    let Some(((path, _, number), list)) = parts.zip(list.filter(|list| is_list(list))) else {
        problems.add(
            "not-an-item",
            at,
            "Mục của danh sách ghi là danh_sách[số thứ tự].trường, đếm từ 1, ví dụ representatives[1].name.",
            "An item of a list is written list[number].field, counted from 1: representatives[1].name.",
        );
        return None;
    };
    let most = most_items(list);
    if number > most {
        problems.add(
            "not-an-item",
            at,
            format!("Danh sách “{}” có tối đa {most} mục.", list.path),
            format!("The list “{}” has {most} items at most.", list.path),
        );
        return None;
    }
    if rows == Some(&list.path) {
        problems.add(
            "not-an-item",
            at,
            format!(
                "Mỗi dòng đã là một mục của “{}”: bỏ số thứ tự, hoặc bỏ rows.",
                list.path
            ),
            format!(
                "Each row is an item of “{}” already: leave out the number, or rows.",
                list.path
            ),
        );
        return None;
    }
    let field = known(registry, &path, at, problems)?;
    let list = list.path.clone();
    let number = Some(number);
    Some((field, Some(Item { list, number })))
}

/// `representatives[1].name` as `representatives.name`, `representatives` and 1.
fn parts(name: &str) -> Option<(String, FieldPath, usize)> {
    let (list, rest) = name.split_once('[')?;
    let (number, field) = rest.split_once(']')?;
    let is_number = number.starts_with(|c: char| matches!(c, '1'..='9')) && number.bytes().all(|b| b.is_ascii_digit());
    let is_field = (field.is_empty() || field.starts_with('.')) && !field.contains('[');
    let number = number.parse().ok().filter(|_| is_number && is_field)?;
    Some((format!("{list}{field}"), list.parse().ok()?, number))
}

fn in_a_list(field: &Field, list: &Field, deep: bool, at: &str, problems: &mut Problems) {
    let (path, list) = (&field.path, &list.path);
    let (vi, en) = if deep {
        (
            format!("“{path}” thuộc danh sách nằm trong danh sách nên cột không nêu được; dùng tệp NDJSON."),
            format!("“{path}” is of a list within a list, which columns cannot say; use NDJSON."),
        )
    } else {
        (
            format!(
                "“{path}” thuộc danh sách nhiều mục: ghi mục thứ mấy (“{list}[1]”, rồi trường của mục), hoặc ghi rows = \"{list}\" ở đầu \
                 nếu mỗi dòng của tệp là một mục."
            ),
            format!(
                "“{path}” is of a list of several: say which item (“{list}[1]”, then its field), or rows = \"{list}\" at the top where each \
                 row of the file is an item."
            ),
        )
    };
    problems.add("field-in-list", at, vi, en);
}

/// The usual headings of a column. Of one that is counted they have its number, and of one whose term stands in several places the
/// list, so that one column of the file is not taken for two.
pub(super) fn headings(registry: &Registry, field: &Field, item: Option<&Item>) -> Vec<String> {
    let own = [&field.term.name.vi, &field.term.name.en];
    let list = item.and_then(|item| registry.field(&item.list));
    let others = registry.fields.iter().filter(|other| other.term.id == field.term.id);
    let (Some(item), Some(list)) = (item, list) else {
        return own.map(Clone::clone).to_vec();
    };
    let lists = [&list.term.name.vi, &list.term.name.en];
    let both = own.iter().zip(lists);
    match item.number {
        Some(n) if list.path == field.path => own.iter().map(|own| format!("{own} {n}")).collect(),
        Some(n) => both
            .flat_map(|(own, list)| {
                [
                    format!("{own} {n}"),
                    format!("{list} {n} {own}"),
                    format!("{own} {list} {n}"),
                ]
            })
            .collect(),
        None if list.path == field.path || others.count() == 1 => own.map(Clone::clone).to_vec(),
        None => both
            .flat_map(|(own, list)| [format!("{list} {own}"), format!("{own} {list}")])
            .collect(),
    }
}

/// What does not go together among columns, rows and the lists that they fill.
pub(super) fn agree(registry: &Registry, columns: &[Column], rows: Option<&FieldPath>, problems: &mut Problems) {
    for (n, column) in columns.iter().enumerate() {
        let fills = |list: &FieldPath| column.item.is_none() && column.target.paths().contains(&list);
        if columns
            .iter()
            .filter_map(|other| other.item.as_ref())
            .any(|item| fills(&item.list))
        {
            problems.add(
                "duplicate",
                format!("column[{n}].field"),
                "Danh sách được điền hai lần: cả trong một ô và theo từng mục.",
                "The list is filled twice: in one cell, and item by item.",
            );
        }
    }
    let Some(rows) = rows else { return };
    if !columns.iter().any(Column::is_of_row) {
        problems.add(
            "field-not-filled",
            "rows",
            format!("Không có cột nào thuộc “{rows}”, dù mỗi dòng là một mục của danh sách này."),
            format!("No column is of “{rows}”, though each row is an item of it."),
        );
    }
    if !columns.iter().any(|column| column.is_of_key(registry)) {
        problems.add(
            "no-key-column",
            "rows",
            "Khi nhiều dòng là một bản ghi, tệp phải có cột khóa để biết dòng nào thuộc bản ghi nào.",
            "Where several rows are one record, a column of the key says which are of which.",
        );
    }
}
