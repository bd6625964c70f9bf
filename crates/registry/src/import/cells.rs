//! Rows of any file read as fields of a registry, for who compares them with records and takes nothing in.

use std::{collections::BTreeMap, sync::Arc};

use base::{Result, Text};
use cleansing::{
    address::{Certainty, Gazetteer, Reason},
    clean::Standards,
    layout::{Field as Column, Layout, Sort},
    read::Cell,
};
use jiff::civil::Date;
use serde_json::{Map, Value};

use super::{
    items::is_list,
    mapping::{Target, address, codes, put, sort_of},
    units::named,
};
use crate::model::{DataType, Field, FieldPath, Identifier, Registry};

/// What stands between the values of a list in one cell.
const BETWEEN: [char; 2] = [';', '|'];
/// An address that may lie in more communes than these says nothing.
const MOST_COMMUNES: usize = 8;
/// Digits of the number of a former card.
const CARD: usize = 9;

/// How the cells of a file are read.
pub(crate) struct Cells {
    registry: Arc<Registry>,
    layout: Layout,
    /// Of each field of the layout its column in the file, and what becomes of a value.
    targets: Vec<(usize, FieldPath, Target)>,
    /// The units, where there are addresses.
    gazetteer: Option<Arc<Gazetteer>>,
    today: Date,
}

/// What a row says, in standard forms.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// As the body of a record has it. An address that may lie in several communes has them all, in the place of one.
    pub body: Value,
    /// What cannot be read and is left out, each with its column.
    pub flaws: Vec<(usize, Text)>,
    /// What is doubtful about what was read, each with its column.
    pub notes: Vec<(usize, Text)>,
}

/// The field by which a registry knows persons by their numbers, where that is its key.
pub(crate) fn number_of(registry: &Registry) -> Option<&Field> {
    let [number] = registry.key.as_slice() else { return None };
    let is_number = |field: &&Field| !field.many && field.term.identifier == Some(Identifier::PersonNumber);
    registry.field(number).filter(is_number)
}

/// The commune that an address in words fills, where a field is an address.
pub(crate) fn commune_of(registry: &Registry, group: &FieldPath) -> Option<FieldPath> {
    let is_address = |field: &&Field| !field.many && field.term.ty == DataType::Group;
    registry.field(group).filter(is_address)?;
    match address(registry, group)? {
        Target::Address { commune, .. } => Some(commune),
        _ => None,
    }
}

impl Cells {
    /// For columns of a file, numbered from 0, each with its field; that of an address in words is the group. What the registry does not
    /// know is left out.
    ///
    /// # Errors
    /// The units of the reference data contradict themselves.
    pub fn of(registry: &Arc<Registry>, columns: &[(usize, FieldPath)], today: Date) -> Result<Self> {
        let mut layout = Layout::default();
        let mut targets = Vec::new();
        for (column, path) in columns {
            let Some(field) = registry.field(path) else { continue };
            let (sort, target) = match address(registry, path).filter(|_| field.term.ty == DataType::Group) {
                // An address is standardised as text and located here.
                Some(address) => (Sort::Text, address),
                None => (
                    sort_of(&field.term),
                    Target::Value {
                        path: path.clone(),
                        ty: field.term.ty,
                        codes: codes(registry, field, today),
                        many: false,
                        split: None,
                    },
                ),
            };
            layout.fields.push(Column {
                id: path.to_string(),
                names: Vec::new(),
                sort,
                required: false,
                encoding: None,
                accept: Vec::new(),
                values: BTreeMap::new(),
                from: 0,
                width: 0,
            });
            targets.push((*column, path.clone(), target));
        }
        let located = targets
            .iter()
            .any(|(.., target)| matches!(target, Target::Address { .. }));
        Ok(Self {
            registry: Arc::clone(registry),
            layout,
            targets,
            gazetteer: located.then(|| registry.gazetteer()).transpose()?,
            today,
        })
    }

    /// What a row says.
    pub fn said(&self, row: &[String]) -> Said {
        let standards = Standards {
            layout: &self.layout,
            today: self.today,
            written: None,
            gazetteer: None,
        };
        let (mut said, mut filled) = (Said::default(), Filled::default());
        for (column, (n, path, target)) in self.layout.fields.iter().zip(&self.targets) {
            let text = row.get(*n).map(String::as_str).unwrap_or_default();
            let Some(field) = self.registry.field(path).filter(|_| !text.trim().is_empty()) else {
                continue;
            };
            let many = is_list(field);
            for part in text.split(|c| many && BETWEEN.contains(&c)) {
                let text = standards
                    .cell(column, &Cell::text(part.to_owned()))
                    .map_err(|reason| reason.text().clone());
                let read = text.and_then(|text| match target {
                    Target::Address { commune, .. } => {
                        let (codes, note) = self.located(&text)?;
                        said.notes.extend(note.map(|note| (*n, note)));
                        filled.0.push((commune.clone(), codes));
                        Ok(())
                    }
                    _ => self.value(field, target, &text).map(|value| {
                        if let Some(value) = value {
                            let home = self.home(field, value.as_str().unwrap_or_default());
                            filled.add(home, value);
                        }
                    }),
                });
                said.flaws.extend(read.err().map(|flaw| (*n, flaw)));
            }
        }
        said.body = filled.body(&self.registry);
        said
    }

    /// The field of a number of a person: in most files both sorts stand in one column.
    fn home<'f>(&'f self, field: &'f Field, number: &str) -> &'f Field {
        let Some(known_by) = number_of(&self.registry) else {
            return field;
        };
        let is_card = |field: &&Field| field.term.identifier == Some(Identifier::OldIdCard);
        let own = |field: &&Field| !field.path.as_str().contains('.');
        let cards = || self.registry.fields.iter().filter(own).find(is_card);
        let of_card = number.len() == CARD;
        match (field.path == known_by.path, of_card) {
            (true, true) => cards().unwrap_or(field),
            (false, false) if own(&field) && is_card(&field) => known_by,
            _ => field,
        }
    }

    /// The communes of today that an address may lie in, and why it is not one alone.
    fn located(&self, text: &str) -> Result<(Vec<Value>, Option<Text>), Text> {
        let Some(gazetteer) = &self.gazetteer else {
            return Err(Reason::NoCommune.text());
        };
        let found = gazetteer.locate(text, None);
        let reasons = || {
            let texts: Vec<Text> = found.reasons.iter().map(|reason| reason.text()).collect();
            let (vi, en): (Vec<String>, Vec<String>) = texts.into_iter().map(|text| (text.vi, text.en)).unzip();
            Text::new(vi.join(" "), en.join(" "))
        };
        let codes = || {
            found
                .choices
                .iter()
                .map(|choice| Value::from(&*choice.unit.code))
                .collect()
        };
        match (found.certainty, found.choices.len()) {
            (Certainty::Certain | Certainty::Likely, _) => Ok((codes(), None)),
            (Certainty::Choose, 2..=MOST_COMMUNES) => {
                let names: Vec<String> = found.choices.iter().map(|choice| named(gazetteer, choice)).collect();
                let (why, names) = (reasons(), names.join("; "));
                let note = Text::new(
                    format!(
                        "{} Có thể là: {names}. Hệ thống không chọn thay: bản ghi ở một trong các đơn vị này không bị coi là khác, cũng không được coi là trùng.",
                        why.vi
                    ),
                    format!(
                        "{} It may be: {names}. None of them is chosen: a record in one of them counts neither as different nor as equal.",
                        why.en
                    ),
                );
                Ok((codes(), Some(note)))
            }
            (Certainty::Choose | Certainty::Unknown, _) => Err(reasons()),
        }
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

/// Fields and what they are filled with.
#[derive(Default)]
struct Filled(Vec<(FieldPath, Vec<Value>)>);

impl Filled {
    /// Of a field with one value the first is taken.
    fn add(&mut self, field: &Field, value: Value) {
        match self.0.iter_mut().find(|(path, _)| *path == field.path) {
            Some((_, values)) if is_list(field) => values.push(value),
            Some(_) => {}
            None => self.0.push((field.path.clone(), vec![value])),
        }
    }

    fn body(self, registry: &Registry) -> Value {
        let mut body = Map::new();
        for (path, mut values) in self.0 {
            let many = registry.field(&path).is_some_and(is_list);
            match (many, values.pop()) {
                (false, Some(only)) if values.is_empty() => put(&mut body, path.as_str(), only),
                (_, last) => {
                    values.extend(last);
                    put(&mut body, path.as_str(), Value::Array(values));
                }
            }
        }
        Value::Object(body)
    }
}
