//! Rows of any file read as fields of a registry, for who compares them with records and takes nothing in.

use std::{collections::BTreeMap, sync::Arc};

use base::Text;
use cleansing::{
    clean::Standards,
    layout::{Field as Column, Layout},
    read::Cell,
};
use jiff::civil::Date;
use serde_json::{Map, Value};

use super::{
    items::is_list,
    mapping::{Target, codes, put, sort_of},
};
use crate::model::{Field, FieldPath, Registry};

/// What stands between the values of a list in one cell.
const BETWEEN: [char; 2] = [';', '|'];

/// How the cells of a file are read.
pub(crate) struct Cells {
    registry: Arc<Registry>,
    layout: Layout,
    /// Of each field of the layout its column in the file, and what becomes of a value.
    targets: Vec<(usize, FieldPath, Target)>,
    today: Date,
}

impl Cells {
    /// For columns of a file, numbered from 0, each with its field. What the registry does not know is left out.
    pub fn of(registry: &Arc<Registry>, columns: &[(usize, FieldPath)], today: Date) -> Self {
        let mut layout = Layout::default();
        let mut targets = Vec::new();
        for (column, path) in columns {
            let Some(field) = registry.field(path) else { continue };
            layout.fields.push(Column {
                id: path.to_string(),
                names: Vec::new(),
                sort: sort_of(&field.term),
                required: false,
                encoding: None,
                accept: Vec::new(),
                values: BTreeMap::new(),
                from: 0,
                width: 0,
            });
            let target = Target::Value {
                path: path.clone(),
                ty: field.term.ty,
                codes: codes(registry, field, today),
                many: false,
                split: None,
            };
            targets.push((*column, path.clone(), target));
        }
        Self {
            registry: Arc::clone(registry),
            layout,
            targets,
            today,
        }
    }

    /// What a row says, in standard forms, as the body of a record has it; and what of it cannot be read, each with its column.
    pub fn body(&self, row: &[String]) -> (Value, Vec<(usize, Text)>) {
        let standards = Standards {
            layout: &self.layout,
            today: self.today,
            written: None,
            gazetteer: None,
        };
        let (mut body, mut flaws) = (Map::new(), Vec::new());
        for (column, (n, path, target)) in self.layout.fields.iter().zip(&self.targets) {
            let text = row.get(*n).map(String::as_str).unwrap_or_default();
            let Some(field) = self.registry.field(path).filter(|_| !text.trim().is_empty()) else {
                continue;
            };
            let many = is_list(field);
            let mut values = Vec::new();
            for part in text.split(|c| many && BETWEEN.contains(&c)) {
                let value = standards
                    .cell(column, &Cell::text(part.to_owned()))
                    .map_err(|reason| reason.text().clone())
                    .and_then(|text| self.value(field, target, &text));
                match value {
                    Ok(value) => values.extend(value),
                    Err(flaw) => flaws.push((*n, flaw)),
                }
            }
            if many && !values.is_empty() {
                put(&mut body, path.as_str(), Value::Array(values));
            } else if let Some(value) = values.into_iter().next() {
                put(&mut body, path.as_str(), value);
            }
        }
        (Value::Object(body), flaws)
    }

    /// The value that a text is; nothing where there is none, and why where it is none of the codes of a list.
    fn value(&self, field: &Field, target: &Target, text: &str) -> Result<Option<Value>, Text> {
        if text.is_empty() {
            return Ok(None);
        }
        let value = target.value(text);
        let is_code = |list| {
            let code = value.as_str().unwrap_or_default();
            let vocabulary = &self.registry.vocabulary;
            vocabulary
                .name_of(self.registry.units(), list, code, base::Lang::Vi)
                .is_some()
        };
        if field.term.list.as_ref().is_some_and(|list| !is_code(list)) {
            return Err(Text::new(
                "Không có trong danh mục mã; ghi mã, hoặc tên đúng như danh mục.",
                "It is not in the list of codes; write the code, or the name as the list has it.",
            ));
        }
        Ok(Some(value))
    }
}
