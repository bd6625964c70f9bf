//! The schema of a record body: JSON Schema 2020-12 whose fields stand in the open, each with its term (`x-term`).

use std::sync::Arc;

use base::Problems;
use exchange::model::schema_words;
use jsonschema::{Draft, PatternOptions, Validator, error::ValidationErrorKind};
use procedure::feel::{Type, Types};
use serde_json::Value;

use super::{DataType, Field, FieldPath, TermId, Vocabulary};
use crate::check::Sink;

pub(super) const FILE: &str = "schema.json";
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
/// The largest schema, in bytes.
const LARGEST: usize = 256 * 1024;
/// The deepest nesting of groups and lists.
const DEEPEST: usize = 8;
/// The most fields.
const MOST_FIELDS: usize = 400;
/// The largest compiled `pattern`, in bytes.
const LARGEST_PATTERN: usize = 256 * 1024;
/// More problems than these help nobody.
const MOST_PROBLEMS: usize = 50;

/// Keywords that hide what fields there are, or that lead out of the file.
const CLOSED: &[&str] = &[
    "$ref",
    "$dynamicRef",
    "$anchor",
    "$dynamicAnchor",
    "$defs",
    "$vocabulary",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "dependentSchemas",
    "patternProperties",
    "propertyNames",
    "prefixItems",
    "unevaluatedProperties",
    "unevaluatedItems",
];

/// Reads the schema: the document, its fields and what judges bodies by it.
pub(super) fn read(text: &str, vocabulary: &Vocabulary, sink: &mut Sink) -> Option<(Value, Vec<Field>, Validator)> {
    if text.len() > LARGEST {
        sink.error(
            FILE,
            "",
            "too-large",
            "Lược đồ lớn hơn 256 KB.",
            "The schema is larger than 256 KB.",
        );
        return None;
    }
    let document: Value = match serde_json::from_str(text) {
        Ok(document) => document,
        Err(error) => {
            sink.error(
                FILE,
                format!("{}:{}", error.line(), error.column()),
                "bad-json",
                "Tệp không phải JSON hợp lệ.",
                "The file is not valid JSON.",
            );
            return None;
        }
    };
    if document.get("$schema").and_then(Value::as_str) != Some(DIALECT) {
        sink.error(
            FILE,
            "/$schema",
            "schema-dialect",
            format!("Lược đồ phải theo JSON Schema 2020-12: ghi \"$schema\": \"{DIALECT}\"."),
            format!("Schemas are JSON Schema 2020-12: write \"$schema\": \"{DIALECT}\"."),
        );
    }
    if let Err(error) = jsonschema::draft202012::meta::validate(&document) {
        sink.error(
            FILE,
            error.instance_path().to_string(),
            "schema-invalid",
            "Phần này của lược đồ không đúng JSON Schema 2020-12.",
            "This part of the schema is no valid JSON Schema 2020-12.",
        );
        return None;
    }
    let mut walk = Walk {
        vocabulary,
        sink,
        fields: Vec::new(),
    };
    walk.group(&document, "", None, false, 0);
    let fields = walk.fields;
    let validator = jsonschema::options()
        .with_draft(Draft::Draft202012)
        .offline()
        .should_validate_formats(true)
        // The engine without backtracking: its time is linear in the text, whoever wrote the pattern.
        .with_pattern_options(PatternOptions::regex().size_limit(LARGEST_PATTERN))
        .build(&document);
    match validator {
        Ok(validator) => Some((document, fields, validator)),
        Err(error) => {
            sink.error(
                FILE,
                error.instance_path().to_string(),
                "schema-invalid",
                "Phần này của lược đồ không dùng được, ví dụ biểu thức “pattern” sai hoặc quá lớn.",
                "This part of the schema cannot be used; a “pattern” may be wrong or too large.",
            );
            None
        }
    }
}

struct Walk<'a> {
    vocabulary: &'a Vocabulary,
    sink: &'a mut Sink,
    fields: Vec<Field>,
}

impl Walk<'_> {
    fn error(&mut self, at: &str, code: &str, vi: impl Into<String>, en: impl Into<String>) {
        self.sink.error(FILE, at, code, vi, en);
    }

    /// An object and what is in it.
    fn group(&mut self, schema: &Value, at: &str, path: Option<&FieldPath>, many: bool, depth: usize) {
        self.open(schema, at);
        if schema.get("type").and_then(Value::as_str) != Some("object") {
            self.error(
                at,
                "not-an-object",
                "Thân bản ghi và nhóm trường phải có \"type\": \"object\".",
                "A record body and a group of fields have \"type\": \"object\".",
            );
            return;
        }
        if schema.get("additionalProperties") != Some(&Value::Bool(false)) {
            self.error(
                at,
                "body-open",
                "Ghi \"additionalProperties\": false, để tên trường viết sai bị từ chối chứ không mất.",
                "Write \"additionalProperties\": false, so that a misspelt field is refused, not lost.",
            );
        }
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let properties = schema.get("properties").and_then(Value::as_object);
        for name in &required {
            if properties.is_none_or(|properties| !properties.contains_key(*name)) {
                self.error(
                    &format!("{at}/required"),
                    "unknown-field",
                    format!("Trường bắt buộc “{name}” không có trong properties."),
                    format!("The required field “{name}” is not among the properties."),
                );
            }
        }
        let Some(properties) = properties.filter(|properties| !properties.is_empty()) else {
            self.error(
                at,
                "empty-group",
                "Nhóm trường không có trường nào.",
                "The group has no fields.",
            );
            return;
        };
        for (name, property) in properties {
            let at = format!("{at}/properties/{name}");
            match FieldPath::within(path, name) {
                Ok(path) => self.field(property, &at, path, required.contains(&name.as_str()), many, depth),
                Err(error) => self.sink.code(FILE, at, error),
            }
        }
    }

    fn field(&mut self, property: &Value, at: &str, path: FieldPath, required: bool, many: bool, depth: usize) {
        if depth >= DEEPEST || self.fields.len() >= MOST_FIELDS {
            self.error(
                at,
                "too-large",
                format!("Lược đồ có tối đa {MOST_FIELDS} trường và {DEEPEST} cấp lồng nhau."),
                format!("A schema has at most {MOST_FIELDS} fields and {DEEPEST} levels."),
            );
            return;
        }
        self.open(property, at);
        let (value, value_at, many) = match property.get("type").and_then(Value::as_str) {
            Some("array") => match property.get("items").filter(|items| items.is_object()) {
                Some(items) => {
                    if property.get("maxItems").is_none() {
                        self.error(
                            at,
                            "list-unbounded",
                            "Danh sách phải có maxItems.",
                            "A list has maxItems.",
                        );
                    }
                    (items, format!("{at}/items"), true)
                }
                None => {
                    self.error(
                        at,
                        "list-without-items",
                        "Danh sách phải nêu items.",
                        "A list says what its items are.",
                    );
                    return;
                }
            },
            _ => (property, at.to_owned(), many),
        };
        if many && value_at != at {
            self.open(value, &value_at);
        }
        if let Some(term) = self.term(property, at) {
            self.agree(value, &value_at, &term);
            self.fields.push(Field {
                path: path.clone(),
                term,
                required,
                many,
                schema: property.clone(),
            });
        }
        if value.get("type").and_then(Value::as_str) == Some("object") {
            self.group(value, &value_at, Some(&path), many, depth + 1);
        }
    }

    fn term(&mut self, property: &Value, at: &str) -> Option<Arc<super::Term>> {
        let Some(id) = property.get("x-term").and_then(Value::as_str) else {
            self.error(
                at,
                "field-without-term",
                "Trường phải nêu thuật ngữ của từ điển dữ liệu dùng chung: \"x-term\": \"person.name\".",
                "A field names its term of the common data dictionary: \"x-term\": \"person.name\".",
            );
            return None;
        };
        let term = id.parse::<TermId>().ok().and_then(|id| self.vocabulary.terms.get(&id));
        if term.is_none() {
            self.error(
                at,
                "unknown-term",
                format!("Từ điển dữ liệu dùng chung không có thuật ngữ “{id}”."),
                format!("The common data dictionary has no term “{id}”."),
            );
        }
        term.cloned()
    }

    /// Whether a term's type is what the schema says.
    fn agree(&mut self, schema: &Value, at: &str, term: &super::Term) {
        let (wanted, said) = (term.ty.json(), schema.get("type").and_then(Value::as_str));
        let format = schema.get("format").and_then(Value::as_str);
        if said != Some(wanted) || (term.ty.format().is_some() && format != term.ty.format()) {
            let form = term
                .ty
                .format()
                .map_or_else(String::new, |format| format!(", \"format\": \"{format}\""));
            self.error(
                at,
                "term-type-differs",
                format!(
                    "Thuật ngữ “{}” yêu cầu \"type\": \"{wanted}\"{form}; lược đồ ghi khác.",
                    term.id
                ),
                format!(
                    "The term “{}” asks for \"type\": \"{wanted}\"{form}; the schema says otherwise.",
                    term.id
                ),
            );
            return;
        }
        let has = |keys: &[&str]| keys.iter().any(|key| schema.get(key).is_some());
        let checked = term.identifier.is_some() || term.list.is_some();
        if wanted == "string" && !checked && !has(&["maxLength", "enum", "format", "pattern", "const"]) {
            self.error(
                at,
                "text-unbounded",
                "Văn bản phải có maxLength, enum, format hoặc pattern.",
                "A text has maxLength, enum, format or pattern.",
            );
        }
        if term.ty == DataType::PartialDate && !has(&["pattern"]) {
            self.error(
                at,
                "term-type-differs",
                "Ngày có thể khuyết phải có pattern ^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$.",
                "A partial date has the pattern ^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$.",
            );
        }
    }

    /// Keywords that would hide fields.
    fn open(&mut self, schema: &Value, at: &str) {
        for keyword in CLOSED.iter().filter(|keyword| schema.get(**keyword).is_some()) {
            self.error(
                &format!("{at}/{keyword}"),
                "schema-keyword",
                format!("Không dùng {keyword} trong lược đồ bản ghi: mọi trường phải hiện rõ; điều kiện giữa các trường đặt ở rules.toml."),
                format!("Schemas of records have no {keyword}: every field stands in the open; conditions between fields go into rules.toml."),
            );
        }
        if schema.get("type").is_some_and(Value::is_array) {
            self.error(
                &format!("{at}/type"),
                "schema-keyword",
                "Mỗi trường có đúng một kiểu; giá trị không có thì bỏ trường đi, không ghi null.",
                "A field has one type; a value that is not there is left out, not written as null.",
            );
        }
    }
}

/// What expressions may use: every field by its name, and `today` and `valid_from`.
pub(super) fn types(fields: &[Field]) -> Types {
    let mut types = Types::new().with("today", Type::Date).with("valid_from", Type::Date);
    let in_a_list = |field: &Field| {
        let above = |other: &&Field| other.many && other.path != field.path && other.path.covers(&field.path);
        fields.iter().any(|other| above(&other))
    };
    for field in fields.iter().filter(|field| !in_a_list(field)) {
        let ty = match field.term.ty {
            // Its parts declare it, unless it is a list.
            DataType::Group if !field.many => continue,
            DataType::Group => Type::Any,
            DataType::Text | DataType::Identifier | DataType::Code | DataType::PartialDate | DataType::Instant => {
                Type::String
            }
            DataType::Date => Type::Date,
            DataType::Integer | DataType::Money | DataType::Decimal => Type::Number,
            DataType::Boolean => Type::Boolean,
        };
        let ty = if field.many { Type::List(Box::new(ty)) } else { ty };
        types.declare(field.path.as_str(), ty);
    }
    types
}

/// Everything that is wrong with a body by its schema. The sentences say what the schema wants, never what the body says.
pub(super) fn problems(validator: &Validator, body: &Value, problems: &mut Problems) {
    // Most bodies are right, and to see that takes less than to look for errors.
    if validator.is_valid(body) {
        return;
    }
    for error in validator.iter_errors(body).take(MOST_PROBLEMS) {
        let at = error.instance_path().to_string();
        let (vi, en) = schema_words(error.kind());
        problems.add(code(error.kind()), at.trim_start_matches('/').replace('/', "."), vi, en);
    }
}

const fn code(kind: &ValidationErrorKind) -> &'static str {
    use ValidationErrorKind as K;
    match kind {
        K::Required { .. } => "required",
        K::AdditionalProperties { .. } => "unknown-field",
        K::Type { .. } => "wrong-type",
        K::Format { .. } | K::Pattern { .. } => "wrong-format",
        _ => "out-of-bounds",
    }
}
