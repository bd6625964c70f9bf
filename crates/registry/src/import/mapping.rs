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
    pub(super) targets: Vec<Target>,
    /// What every record says.
    pub(super) constants: Vec<(FieldPath, Value)>,
    /// Since when a record holds whose row does not say it.
    pub(super) valid_from: Option<Moment>,
    /// When the addresses were written.
    pub(super) written: Option<Date>,
    /// Where the records come from.
    pub(super) provenance: Provenance,
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
    /// `field-in-list`, `no-address`, `field-not-filled`, `no-valid-from`, `not-a-moment`, `required`, `no-columns`, and what
    /// [`Layout::checked`] says.
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
        constants_of(&raw.constants, "", registry, &mut constants, &mut problems);
        let written = raw.written;
        let ndjson = raw.format == Some(Form::Ndjson) || raw.format.is_none() && is_ndjson(file);
        let provenance = Provenance {
            source: raw.source.clone(),
            basis: raw.basis.clone(),
            dossier: None,
        };
        let (layout, targets) = if ndjson {
            no_columns(&raw, &mut problems);
            (None, Vec::new())
        } else {
            let (layout, targets) = columns(raw, registry, today, &constants, &mut problems);
            if valid_from.is_none() && !targets.iter().any(|target| matches!(target, Target::ValidFrom)) {
                problems.add(
                    "no-valid-from",
                    "valid_from",
                    "Nêu valid_from: một ngày chung, hoặc một cột có field = \"valid_from\".",
                    "Say valid_from: a day for all, or a column with field = \"valid_from\".",
                );
            }
            (Some(layout), targets)
        };
        problems.into_result()?;
        Ok(Self {
            layout: layout.map(Layout::checked).transpose()?,
            targets,
            constants,
            valid_from,
            written,
            provenance,
        })
    }
}

/// Lines of JSON say everything themselves.
fn no_columns(raw: &Raw, problems: &mut Problems) {
    if !raw.column.is_empty() || !raw.constants.is_empty() || raw.valid_from.is_some() {
        problems.add(
            "no-columns",
            "column",
            "Tệp NDJSON tự nêu valid_from và body trên từng dòng: bỏ column, constants và valid_from.",
            "Each line of an NDJSON file says its valid_from and body: leave out column, constants and valid_from.",
        );
    }
}

fn columns(
    raw: Raw,
    registry: &Registry,
    today: Date,
    constants: &[(FieldPath, Value)],
    problems: &mut Problems,
) -> (Layout, Vec<Target>) {
    let (mut fields, mut targets) = (Vec::new(), Vec::new());
    for (n, column) in raw.column.into_iter().enumerate() {
        let at = format!("column[{n}].field");
        let Some((target, sort, names)) = target(&column, registry, today, &at, problems) else {
            continue;
        };
        let required = match &target {
            Target::ValidFrom => raw.valid_from.is_none(),
            Target::Value { path, .. } => is_required(registry, path) && !constants.iter().any(|(c, _)| c == path),
            Target::ValidTo | Target::Address { .. } => false,
        };
        fields.push(cleansing::layout::Field {
            id: column.field,
            names: if column.names.is_empty() { names } else { column.names },
            sort: column.sort.unwrap_or(sort),
            required,
            encoding: column.encoding,
            accept: column.accept,
            values: column.values,
            from: column.from,
            width: column.width,
        });
        targets.push(target);
    }
    not_filled(registry, &targets, constants, problems);
    // An address is standardised as text and located here.
    for (field, target) in fields.iter_mut().zip(&targets) {
        if matches!(target, Target::Address { .. }) || field.sort == Sort::Address {
            field.sort = Sort::Text;
        }
    }
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
        keys: Vec::new(),
        tone: raw.tone,
        month_first: raw.month_first,
        fields,
    };
    (layout, targets)
}

/// What becomes of a column, the sort of its values where the mapping does not say it, and its usual headings.
fn target(
    column: &RawColumn,
    registry: &Registry,
    today: Date,
    at: &str,
    problems: &mut Problems,
) -> Option<(Target, Sort, Vec<String>)> {
    match column.field.as_str() {
        "valid_from" => return Some((Target::ValidFrom, Sort::Date, vec!["Từ ngày".to_owned()])),
        "valid_to" => return Some((Target::ValidTo, Sort::Date, vec!["Đến ngày".to_owned()])),
        _ => {}
    }
    let field = known(registry, &column.field, at, problems)?;
    let names = vec![field.term.name.vi.clone(), field.term.name.en.clone()];
    let within_a_list = registry
        .fields
        .iter()
        .any(|other| other.many && other.path != field.path && other.path.covers(&field.path));
    if within_a_list || field.many && field.term.ty == DataType::Group {
        problems.add(
            "field-in-list",
            at,
            format!(
                "“{}” thuộc danh sách nhiều mục nên một cột không nêu hết được; dùng tệp NDJSON.",
                field.path
            ),
            format!(
                "“{}” is of a list of groups, which a column cannot say; use NDJSON.",
                field.path
            ),
        );
        return None;
    }
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
        return Some((target?, Sort::Address, names));
    }
    let target = Target::Value {
        path: field.path.clone(),
        ty: field.term.ty,
        codes: codes(registry, field, today),
        many: field.many,
        split: column.split,
    };
    Some((target, sort_of(&field.term), names))
}

fn known<'r>(registry: &'r Registry, name: &str, at: &str, problems: &mut Problems) -> Option<&'r Field> {
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
    let within = |wanted: &dyn Fn(&Field) -> bool| {
        let fields = registry.fields.iter();
        fields
            .filter(|field| field.path != *group && group.covers(&field.path) && !field.many)
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
fn codes(registry: &Registry, field: &Field, today: Date) -> HashMap<String, String> {
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

/// Whether a record lacks something without this field.
fn is_required(registry: &Registry, path: &FieldPath) -> bool {
    registry
        .fields
        .iter()
        .filter(|field| field.path.covers(path))
        .all(|field| field.required)
}

/// Fields that every record needs and nothing fills.
fn not_filled(registry: &Registry, targets: &[Target], constants: &[(FieldPath, Value)], problems: &mut Problems) {
    let mut filled: Vec<&FieldPath> = constants.iter().map(|(path, _)| path).collect();
    for target in targets {
        match target {
            Target::ValidFrom | Target::ValidTo => {}
            Target::Value { path, .. } => filled.push(path),
            Target::Address {
                province,
                commune,
                detail,
            } => filled.extend(
                [Some(commune), province.as_ref(), detail.as_ref()]
                    .into_iter()
                    .flatten(),
            ),
        }
    }
    for field in &registry.fields {
        let is_filled = filled.iter().any(|path| field.path.covers(path));
        if field.term.ty != DataType::Group && is_required(registry, &field.path) && !is_filled {
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

/// The constants, groups by their parts.
fn constants_of(
    table: &toml::Table,
    within: &str,
    registry: &Registry,
    found: &mut Vec<(FieldPath, Value)>,
    problems: &mut Problems,
) {
    for (name, value) in table {
        let path = if within.is_empty() {
            name.clone()
        } else {
            format!("{within}.{name}")
        };
        if let toml::Value::Table(inner) = value {
            constants_of(inner, &path, registry, found, problems);
        } else if let Some(field) = known(registry, &path, &format!("constants.{path}"), problems) {
            found.push((field.path.clone(), json(value)));
        }
    }
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

/// Puts a value at its place in a body.
pub(super) fn put(body: &mut Map<String, Value>, path: &FieldPath, value: Value) {
    let (groups, name) = path.as_str().rsplit_once('.').unwrap_or(("", path.as_str()));
    let mut group = body;
    for part in groups.split('.').filter(|part| !part.is_empty()) {
        let inner = group.entry(part).or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(inner) = inner else { return };
        group = inner;
    }
    group.insert(name.to_owned(), value);
}
