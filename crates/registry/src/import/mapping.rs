//! How a file becomes records: which column is which field, and what the file does not say. Written by a steward as TOML; a
//! draft of it is made by [`suggest`](super::suggest).

use std::collections::{BTreeMap, HashMap};

use base::{Error, Kind, Problems, Result, text::fold};
use cleansing::{
    encoding::Encoding,
    layout::{Format, Layout, Sort},
    value::TonePlace,
};
use jiff::civil::Date;
use procedure::{form as shared, reference::Level};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    constants::{self, Constant},
    fill::value,
    items::{self, Item, is_list, lists_above},
    needs::{is_required, is_required_in, not_filled},
};
use crate::{
    history::Moment,
    model::{DataType, Field, FieldPath, Identifier, Registry, SharedList, Term},
    service::Provenance,
};

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Text with a delimiter.
    Csv,
    /// Text in columns of fixed width.
    Fixed,
    /// A workbook of Excel 2007 or later.
    Xlsx,
    /// A record a line, in JSON: `{"valid_from", "valid_to", "body"}`. It has no columns.
    Ndjson,
}

/// The names of the two moments among the fields of columns.
pub(super) const MOMENTS: [&str; 2] = ["valid_from", "valid_to"];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default)]
    source: String,
    #[serde(default)]
    basis: String,
    valid_from: Option<String>,
    written: Option<Date>,
    format: Option<Form>,
    encoding: Option<Encoding>,
    delimiter: Option<char>,
    header_rows: Option<u8>,
    sheet: Option<String>,
    rows: Option<String>,
    #[serde(default)]
    month_first: bool,
    #[serde(default)]
    tone: TonePlace,
    #[serde(default)]
    column: Vec<RawColumn>,
    #[serde(default)]
    constants: toml::Table,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawColumn {
    field: String,
    #[serde(default)]
    names: Vec<String>,
    #[serde(rename = "type")]
    sort: Option<Sort>,
    split: Option<char>,
    #[serde(default)]
    accept: Vec<String>,
    #[serde(default)]
    values: BTreeMap<String, String>,
    encoding: Option<Encoding>,
    #[serde(default)]
    from: usize,
    #[serde(default)]
    width: usize,
}

/// A mapping that fits its registry.
#[derive(Debug)]
pub struct Mapping {
    /// What `cleansing` has to know of the file; none for lines of JSON.
    pub(super) layout: Option<Layout>,
    /// What becomes of each field of the layout.
    pub(super) columns: Vec<Column>,
    /// The list of which each row has an item; rows that follow one another with one key are one record then.
    pub(super) rows: Option<FieldPath>,
    /// What every record says.
    pub(super) constants: Vec<Constant>,
    /// Since when a record holds whose row does not say it.
    pub(super) valid_from: Option<Moment>,
    /// When the addresses were written.
    pub(super) written: Option<Date>,
    /// Where the records come from.
    pub(super) provenance: Provenance,
}

/// A column of the file.
#[derive(Debug)]
pub(super) struct Column {
    pub target: Target,
    /// The item of a list that it fills, where it is within one.
    pub item: Option<Item>,
    /// Whether an item that is there lacks something without it.
    pub needed: bool,
}

impl Column {
    /// Whether each row has its own: else it is the same in all rows of a record.
    pub fn is_of_row(&self) -> bool {
        self.item.as_ref().is_some_and(|item| item.number.is_none())
    }

    /// Whether it fills a part of the key.
    pub fn is_of_key(&self, registry: &Registry) -> bool {
        self.target.paths().iter().any(|path| registry.key.contains(path))
    }
}

/// What becomes of a value.
#[derive(Debug)]
pub(super) enum Target {
    /// The first moment at which the record holds.
    ValidFrom,
    /// The first at which it does not any more.
    ValidTo,
    /// A field.
    Value {
        path: FieldPath,
        ty: DataType,
        codes: HashMap<String, String>,
        /// Whether the field is a list.
        many: bool,
        /// What stands between its items in a cell.
        split: Option<char>,
    },
    /// An address in free text, which fills the fields of a group.
    Address {
        province: Option<FieldPath>,
        commune: FieldPath,
        detail: Option<FieldPath>,
    },
}

impl Target {
    /// The value that a text is; what is no value of this sort stays as it is, for the schema to refuse.
    pub fn value(&self, text: &str) -> Value {
        let Self::Value {
            ty, codes, many, split, ..
        } = self
        else {
            return Value::from(text);
        };
        let value = |text: &str| value(*ty, codes.get(&fold(text)).map_or(text, String::as_str));
        match (many, split) {
            (false, _) => value(text),
            (true, None) => Value::Array(vec![value(text)]),
            (true, Some(split)) => {
                let items = text.split(*split).map(str::trim);
                items.filter(|item| !item.is_empty()).map(value).collect()
            }
        }
    }

    /// The fields that it fills.
    pub fn paths(&self) -> Vec<&FieldPath> {
        match self {
            Self::ValidFrom | Self::ValidTo => Vec::new(),
            Self::Value { path, .. } => vec![path],
            Self::Address {
                province,
                commune,
                detail,
            } => [Some(commune), province.as_ref(), detail.as_ref()]
                .into_iter()
                .flatten()
                .collect(),
        }
    }
}

/// Whether a file is lines of JSON by its name.
pub(super) fn is_ndjson(name: &str) -> bool {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    ending.eq_ignore_ascii_case("ndjson") || ending.eq_ignore_ascii_case("jsonl")
}

impl Mapping {
    /// Reads a mapping for a registry. `file` is the name of the file that it is for, `today` the day of names of units.
    ///
    /// # Errors
    /// `bad-mapping` with what the TOML lacks; else everything that does not fit at once: `unknown-field`, `duplicate`,
    /// `field-in-list`, `not-an-item`, `not-a-list`, `no-key-column`, `no-address`, `field-not-filled`, `no-valid-from`,
    /// `not-a-moment`, `required`, `no-columns`, and what [`Layout::checked`] says.
    pub fn from_toml(text: &str, registry: &Registry, file: &str, today: Date) -> Result<Self> {
        let raw: Raw = toml::from_str(text).map_err(|error| {
            let what = error.message();
            Error::refused(
                Kind::Invalid,
                "bad-mapping",
                format!("Bản ánh xạ cột không đọc được: {what}."),
                format!("The mapping cannot be read: {what}."),
            )
        })?;
        let mut problems = Problems::new();
        if raw.source.trim().is_empty() {
            problems.add(
                "required",
                "source",
                "Nêu nguồn dữ liệu: sổ, tệp, hệ thống nào, của cơ quan nào.",
                "Name the source: which book, file or system, of which agency.",
            );
        }
        let valid_from = raw.valid_from.as_deref().and_then(|text| {
            let moment = Moment::parse(text, registry.valid_time);
            if moment.is_none() {
                problems.add(
                    "not-a-moment",
                    "valid_from",
                    "Nhập ngày YYYY-MM-DD hoặc thời điểm theo RFC 3339.",
                    "Enter a day YYYY-MM-DD, or an instant as in RFC 3339.",
                );
            }
            moment
        });
        let mut constants = Vec::new();
        constants::read(&raw.constants, "", registry, &mut constants, &mut problems);
        let written = raw.written;
        let ndjson = raw.format == Some(Form::Ndjson) || raw.format.is_none() && is_ndjson(file);
        let provenance = Provenance {
            source: raw.source.clone(),
            basis: raw.basis.clone(),
            dossier: None,
        };
        let rows = raw.rows.as_deref();
        let rows = rows.and_then(|name| items::list_of_rows(registry, name, &mut problems));
        let (layout, columns) = if ndjson {
            no_columns(&raw, &mut problems);
            (None, Vec::new())
        } else {
            let (layout, columns) = columns(raw, registry, today, (rows.as_ref(), &constants), &mut problems);
            let is_from = |column: &Column| matches!(column.target, Target::ValidFrom);
            if valid_from.is_none() && !columns.iter().any(is_from) {
                problems.add(
                    "no-valid-from",
                    "valid_from",
                    "Nêu valid_from: một ngày chung, hoặc một cột có field = \"valid_from\".",
                    "Say valid_from: a day for all, or a column with field = \"valid_from\".",
                );
            }
            (Some(layout), columns)
        };
        problems.into_result()?;
        Ok(Self {
            layout: layout.map(Layout::checked).transpose()?,
            columns,
            rows,
            constants,
            valid_from,
            written,
            provenance,
        })
    }
}

/// Lines of JSON say everything themselves.
fn no_columns(raw: &Raw, problems: &mut Problems) {
    let says = !raw.column.is_empty() || !raw.constants.is_empty() || raw.rows.is_some() || raw.valid_from.is_some();
    if says {
        problems.add(
            "no-columns",
            "column",
            "Tệp NDJSON tự nêu valid_from và body trên từng dòng: bỏ column, constants, rows và valid_from.",
            "Each line of an NDJSON file says its valid_from and body: leave out column, constants, rows and valid_from.",
        );
    }
}

fn columns(
    raw: Raw,
    registry: &Registry,
    today: Date,
    (rows, constants): (Option<&FieldPath>, &[Constant]),
    problems: &mut Problems,
) -> (Layout, Vec<Column>) {
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for (n, raw_column) in raw.column.into_iter().enumerate() {
        let at = format!("column[{n}].field");
        let Some((column, sort, names)) = column(&raw_column, registry, today, (rows, &at), problems) else {
            continue;
        };
        let required = match &column.target {
            Target::ValidFrom => raw.valid_from.is_none(),
            // An item whose cells are all empty is not there.
            Target::Value { path, .. } => {
                column.item.is_none()
                    && is_required(registry, path)
                    && !constants.iter().any(|constant| constant.path == *path)
            }
            Target::ValidTo | Target::Address { .. } => false,
        };
        fields.push(cleansing::layout::Field {
            id: raw_column.field,
            names: if raw_column.names.is_empty() {
                names
            } else {
                raw_column.names
            },
            sort: raw_column.sort.unwrap_or(sort),
            required,
            encoding: raw_column.encoding,
            accept: raw_column.accept,
            values: raw_column.values,
            from: raw_column.from,
            width: raw_column.width,
        });
        columns.push(column);
    }
    not_filled(registry, &columns, constants, problems);
    items::agree(registry, &columns, rows, problems);
    constants::go_with(&columns, constants, problems);
    // An address is standardised as text and located here.
    for (field, column) in fields.iter_mut().zip(&columns) {
        if matches!(column.target, Target::Address { .. }) || field.sort == Sort::Address {
            field.sort = Sort::Text;
        }
    }
    let of_key = fields
        .iter()
        .zip(&columns)
        .filter(|(_, column)| rows.is_some() && column.is_of_key(registry));
    let layout = Layout {
        format: raw.format.and_then(|form| match form {
            Form::Csv => Some(Format::Csv),
            Form::Fixed => Some(Format::Fixed),
            Form::Xlsx => Some(Format::Xlsx),
            Form::Ndjson => None,
        }),
        encoding: raw.encoding,
        delimiter: raw.delimiter,
        header_rows: raw.header_rows,
        sheet: raw.sheet,
        keys: of_key.map(|(field, _)| field.id.clone()).collect(),
        tone: raw.tone,
        month_first: raw.month_first,
        fields,
    };
    (layout, columns)
}

/// What becomes of a column, the sort of its values where the mapping does not say it, and its usual headings.
fn column(
    column: &RawColumn,
    registry: &Registry,
    today: Date,
    (rows, at): (Option<&FieldPath>, &str),
    problems: &mut Problems,
) -> Option<(Column, Sort, Vec<String>)> {
    let of_record = |target| Column {
        target,
        item: None,
        needed: false,
    };
    match column.field.as_str() {
        "valid_from" => return Some((of_record(Target::ValidFrom), Sort::Date, vec!["Từ ngày".to_owned()])),
        "valid_to" => return Some((of_record(Target::ValidTo), Sort::Date, vec!["Đến ngày".to_owned()])),
        _ => {}
    }
    let (field, item) = items::resolve(registry, &column.field, rows, at, problems)?;
    let names = items::headings(registry, field, item.as_ref());
    if field.term.ty == DataType::Group {
        let target = address(registry, &field.path);
        if target.is_none() {
            problems.add(
                "no-address",
                at,
                format!(
                    "“{}” không phải là nhóm trường địa chỉ: nêu từng trường của nhóm.",
                    field.path
                ),
                format!("“{}” is no address: name each field of the group.", field.path),
            );
        }
        let (target, needed) = (target?, false);
        return Some((Column { target, item, needed }, Sort::Address, names));
    }
    let list = item.as_ref().map(|item| &item.list);
    let needed = list.is_some_and(|list| is_required_in(registry, list, &field.path));
    let target = Target::Value {
        path: field.path.clone(),
        ty: field.term.ty,
        codes: codes(registry, field, today),
        many: is_list(field) && list != Some(&field.path),
        split: column.split,
    };
    Some((Column { target, item, needed }, sort_of(&field.term), names))
}

pub(super) fn known<'r>(registry: &'r Registry, name: &str, at: &str, problems: &mut Problems) -> Option<&'r Field> {
    let field = name.parse().ok().and_then(|path: FieldPath| registry.field(&path));
    if field.is_none() {
        problems.add(
            "unknown-field",
            at,
            "Lược đồ không có trường này.",
            "The schema has no such field.",
        );
    }
    field
}

/// The fields of a group that an address fills; the group needs a commune.
pub(super) fn address(registry: &Registry, group: &FieldPath) -> Option<Target> {
    let above = |path: &FieldPath| lists_above(registry, path).filter(|list| list.path != *group).count();
    let depth = above(group);
    let within = |wanted: &dyn Fn(&Field) -> bool| {
        let fields = registry.fields.iter();
        fields
            .filter(|field| field.path != *group && group.covers(&field.path))
            .filter(|field| !is_list(field) && above(&field.path) == depth)
            .find(|field| wanted(field))
            .map(|field| field.path.clone())
    };
    let of_list =
        |list: SharedList| within(&|field| field.term.list.as_ref().and_then(SharedList::named) == Some(list));
    Some(Target::Address {
        commune: of_list(SharedList::Communes)?,
        province: of_list(SharedList::Provinces),
        detail: within(&|field| field.term.ty == DataType::Text),
    })
}

/// The sort of the values of a term, where nobody says it.
pub(crate) fn sort_of(term: &Term) -> Sort {
    let id = term.id.as_str();
    match (term.ty, term.identifier) {
        (_, Some(Identifier::PersonNumber | Identifier::OldIdCard)) => Sort::IdNumber,
        (_, Some(Identifier::TaxCode)) => Sort::TaxCode,
        (_, Some(Identifier::Phone)) => Sort::Phone,
        (DataType::Date, _) => Sort::Date,
        (DataType::PartialDate, _) if id.contains("birth") => Sort::Birthday,
        (DataType::PartialDate, _) => Sort::Date,
        (DataType::Integer | DataType::Decimal, _) => Sort::Number,
        (DataType::Money, _) => Sort::Money,
        (DataType::Group, _) => Sort::Address,
        (DataType::Code, _) if term.list.as_ref().and_then(SharedList::named) == Some(SharedList::Ethnicities) => {
            Sort::Ethnicity
        }
        (DataType::Text, _) if id == "person.name" || id.ends_with("-name") && id.starts_with("person.") => Sort::Name,
        (DataType::Text, _) if id.ends_with("email") => Sort::Email,
        _ => Sort::Text,
    }
}

/// The codes of a field by code and name, without marks and case. Communes have too many names alike: of them codes alone.
pub(super) fn codes(registry: &Registry, field: &Field, today: Date) -> HashMap<String, String> {
    let mut codes = HashMap::new();
    let Some(list) = &field.term.list else { return codes };
    let mut add = |name: &str, code: &str| {
        codes.entry(fold(name)).or_insert_with(|| code.to_owned());
    };
    match SharedList::named(list) {
        Some(SharedList::Provinces) => {
            for unit in registry
                .units()
                .iter()
                .filter(|unit| unit.code.level() == Level::Province && unit.holds_on(today))
            {
                let code = unit.code.to_string();
                for name in [code.as_str(), &unit.name, &unit.title(base::Lang::Vi)] {
                    add(name, &code);
                }
            }
        }
        Some(SharedList::Countries) => {
            for entry in shared::countries() {
                for name in [&entry.code, &entry.name.vi, &entry.name.en] {
                    add(name, &entry.code);
                }
            }
        }
        Some(SharedList::Communes | SharedList::Ethnicities) => {}
        None => {
            for entry in registry
                .vocabulary
                .lists
                .get(list)
                .into_iter()
                .flat_map(|list| &list.codes)
            {
                for name in [&entry.code, &entry.name.vi, &entry.name.en] {
                    add(name, &entry.code);
                }
            }
        }
    }
    codes
}

/// Puts a value at its place in a body, or in an item of a list.
pub(super) fn put(body: &mut Map<String, Value>, path: &str, value: Value) {
    let (groups, name) = path.rsplit_once('.').unwrap_or(("", path));
    let mut group = body;
    for part in groups.split('.').filter(|part| !part.is_empty()) {
        let inner = group.entry(part).or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(inner) = inner else { return };
        group = inner;
    }
    group.insert(name.to_owned(), value);
}
