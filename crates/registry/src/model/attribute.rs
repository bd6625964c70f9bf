//! What procedures may ask of a registry about one person or organisation (`attributes.toml`): the answers of a form, in the shape of its
//! fields. The agency that owns the registry says what each means, so that nobody else has to know how it keeps its records.

use procedure::feel::{Expr, Type};
use serde::Deserialize;
use serde_json::Value;

use super::{Field, FieldPath, Filter, Name, Operator, Registry, rule::known, schema::types};
use crate::check::Sink;

pub(super) const FILE: &str = "attributes.toml";
/// The name under which expressions see the number that is asked about.
const SUBJECT: &str = "subject";

/// One attribute.
#[derive(Debug, Clone)]
pub struct Attribute {
    /// Its id within the registry: `residence` of `population.residence`.
    pub id: Name,
    /// The fields of which one holds the number that is asked about; the key of the registry where there is none.
    pub find: Vec<FieldPath>,
    /// What is told where several records say something.
    pub of: Telling,
    when: Option<Expr>,
    value: Expr,
}

/// What is told where several records say something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Telling {
    /// What the newest says.
    #[default]
    Newest,
    /// A list of what each says.
    All,
    /// The least that any says: of a thousand the one that is furthest behind.
    Least,
}

impl Attribute {
    /// The fields that the answer is made of.
    pub fn fields(&self) -> impl Iterator<Item = FieldPath> {
        self.value.uses().iter().filter_map(|name| name.parse().ok())
    }

    /// The field that it is made of; of several the group that they stand in, or the first.
    pub fn field(&self, registry: &Registry) -> Option<FieldPath> {
        let known = |name: &String| {
            name.parse::<FieldPath>()
                .ok()
                .filter(|path| registry.field(path).is_some())
        };
        let mut fields = self.value.uses().iter().filter_map(known);
        let first = fields.next()?;
        let group = first
            .as_str()
            .rsplit_once('.')
            .and_then(|(group, _)| group.parse::<FieldPath>().ok());
        let together = group.filter(|group| fields.any(|other| group.covers(&other)));
        Some(together.unwrap_or(first))
    }

    /// What a record says of it about `subject`; none where the record is of another kind or says nothing.
    pub fn of(&self, body: &Value, subject: &str) -> Option<Value> {
        let mut values = body.as_object()?.clone();
        values.insert(SUBJECT.to_owned(), subject.into());
        let speaks = self.when.as_ref().is_none_or(|when| when.holds_over(&values));
        speaks
            .then(|| self.value.eval_over(&values))
            .filter(|value| !value.is_null())
    }
}

/// `attributes.toml` as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAttributes {
    #[serde(default)]
    attribute: Vec<RawAttribute>,
}

impl RawAttributes {
    /// The names of all of them, good or not.
    pub fn names(&self) -> Vec<Name> {
        self.attribute.iter().map(|attribute| attribute.id.clone()).collect()
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAttribute {
    id: Name,
    #[serde(default)]
    find: Vec<FieldPath>,
    #[serde(default)]
    of: Telling,
    when: Option<String>,
    value: String,
}

/// Judges the attributes against the fields.
pub(super) fn compile(
    raw: RawAttributes,
    fields: &[Field],
    key: &[FieldPath],
    filters: &[Filter],
    sink: &mut Sink,
) -> Vec<Attribute> {
    let types = types(fields).with(SUBJECT, Type::String);
    let mut attributes: Vec<Attribute> = Vec::new();
    for (n, raw) in raw.attribute.into_iter().enumerate() {
        let at = |key: &str| format!("attribute[{n}].{key}");
        if attributes.iter().any(|attribute| attribute.id == raw.id) {
            sink.error(
                FILE,
                at("id"),
                "duplicate-id",
                format!("Thuộc tính “{}” đã được khai báo.", raw.id),
                format!("The attribute “{}” is declared already.", raw.id),
            );
        }
        for path in &raw.find {
            known(path, fields, FILE, at("find"), sink);
            let asked = filters
                .iter()
                .any(|f| f.field == *path && f.operators.contains(&Operator::Eq));
            if !asked {
                sink.error(
                    FILE,
                    at("find"),
                    "no-filter",
                    format!("“{path}” phải có bộ lọc eq thì mới tìm được bản ghi."),
                    format!("“{path}” needs a filter eq, or no record can be found by it."),
                );
            }
        }
        if raw.find.is_empty() && key.len() != 1 {
            sink.error(
                FILE,
                at("find"),
                "no-find",
                "Khóa của cơ sở dữ liệu gồm nhiều trường nên phải nêu find: trường chứa số định danh được hỏi.",
                "The key has several fields: name in find the field with the number that is asked about.",
            );
        }
        let when = raw.when.map(|text| Expr::condition(&text, &types));
        let value = Expr::parse(&raw.value, &types);
        let mut flawed = |key: &str, flaws| sink.flaws(FILE, &at(key), flaws);
        let when = match when.transpose() {
            Ok(when) => when,
            Err(flaws) => {
                flawed("when", flaws);
                continue;
            }
        };
        match value {
            Ok(value) => attributes.push(Attribute {
                id: raw.id,
                find: raw.find,
                of: raw.of,
                when,
                value,
            }),
            Err(flaws) => flawed("value", flaws),
        }
    }
    attributes
}
