//! JSON Schema 2020-12 of the answers, generated from the form.

use base::Lang;
use serde_json::{Map, Value, json};

use super::{
    Field, FieldSource, Form, Rule,
    kind::{ID_KINDS, Kind, Limits, MOST_PEOPLE, RELATIONS, SEXES},
    lists,
};

impl Form {
    /// The schema of the answers as the API takes them. What is required only under a condition is not required here:
    /// the API answers with the exact problems.
    pub fn json_schema(&self, id: &str, title: &str) -> Value {
        let mut root = object();
        for page in &self.pages {
            for field in &page.fields {
                if matches!(field.source, FieldSource::Derived(_)) {
                    continue;
                }
                let asked = matches!(field.source, FieldSource::Asked);
                let always =
                    asked && page.when.is_none() && field.when.is_none() && matches!(field.required, Rule::Always);
                put(&mut root, &field.id, property(field), always);
            }
        }
        let mut schema = Map::new();
        schema.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
        schema.insert("$id".into(), json!(id));
        schema.insert("title".into(), json!(title));
        if let Value::Object(root) = root {
            schema.extend(root);
        }
        Value::Object(schema)
    }
}

fn object() -> Value {
    json!({ "type": "object", "properties": {}, "additionalProperties": false })
}

fn put(object_schema: &mut Value, id: &str, value: Value, required: bool) {
    let (head, rest) = id.split_once('.').map_or((id, None), |(head, rest)| (head, Some(rest)));
    match rest {
        None => object_schema["properties"][head] = value,
        Some(rest) => {
            if object_schema["properties"].get(head).is_none() {
                object_schema["properties"][head] = object();
            }
            put(&mut object_schema["properties"][head], rest, value, required);
        }
    }
    if required {
        let head = json!(head);
        match object_schema.get_mut("required").and_then(Value::as_array_mut) {
            Some(list) if list.contains(&head) => {}
            Some(list) => list.push(head),
            None => object_schema["required"] = json!([head]),
        }
    }
}

fn property(field: &Field) -> Value {
    let mut schema = typed(&field.kind);
    schema["title"] = json!(field.label.get(Lang::Vi));
    if let Some(hint) = &field.hint {
        schema["description"] = json!(hint.get(Lang::Vi));
    }
    if matches!(field.source, FieldSource::Eid(_)) {
        schema["description"] = json!("Lấy từ định danh điện tử của người đăng nhập; giá trị gửi lên không được dùng.");
    }
    schema
}

fn text(max: usize) -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": max })
}

fn number(kind: &str, limits: Limits) -> Value {
    let mut schema = json!({ "type": kind });
    for (key, bound) in [("minimum", limits.min), ("maximum", limits.max)] {
        if let Some(bound) = bound {
            schema[key] = if bound.fract() == 0.0 && bound.abs() < 9e15 {
                json!(bound as i64)
            } else {
                json!(bound)
            };
        }
    }
    schema
}

fn codes<'a>(values: impl Iterator<Item = &'a str>) -> Value {
    json!({ "type": "string", "enum": values.collect::<Vec<_>>() })
}

fn parts(list: &[(&str, Value)]) -> Value {
    let mut schema = object();
    schema["required"] = list.iter().map(|p| p.0).collect();
    for (name, part) in list {
        schema["properties"][*name] = part.clone();
    }
    schema
}

fn typed(kind: &Kind) -> Value {
    match kind {
        Kind::Text { max_length, pattern } => {
            let mut schema = text(*max_length);
            if let Some(pattern) = pattern {
                schema["pattern"] = json!(format!("^(?:{})$", pattern.text));
            }
            schema
        }
        Kind::LongText { max_length } | Kind::ResultRef { max_length } => text(*max_length),
        Kind::PersonName => text(100),
        Kind::PersonNumber => json!({ "type": "string", "pattern": "^[0-9]{12}$" }),
        Kind::TaxCode => json!({ "type": "string", "pattern": "^[0-9]{10}(-[0-9]{3})?$" }),
        Kind::Phone => text(40),
        Kind::Email => json!({ "type": "string", "format": "email", "maxLength": 254 }),
        Kind::Agency => text(200),
        Kind::Date { .. } => json!({ "type": "string", "format": "date" }),
        Kind::PartialDate => json!({ "type": "string", "pattern": "^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$" }),
        Kind::Sex => codes(SEXES.iter().map(|s| s.0)),
        Kind::Ethnicity => codes(lists::ethnicities().iter().map(|e| e.code.as_str())),
        Kind::Nationality => codes(lists::countries().iter().map(|e| e.code.as_str())),
        Kind::Choice(options) => codes(options.iter().map(|o| o.value.as_str())),
        Kind::Choices { options, min, max } => json!({
            "type": "array", "items": codes(options.iter().map(|o| o.value.as_str())), "uniqueItems": true,
            "minItems": (*min).max(1), "maxItems": max,
        }),
        Kind::Integer(limits) | Kind::Money(limits) => number("integer", *limits),
        Kind::Decimal(limits) | Kind::Area(limits) => number("number", *limits),
        Kind::YesNo => json!({ "type": "boolean" }),
        Kind::Declaration => json!({ "const": true }),
        Kind::Address => parts(&[
            ("province", json!({ "type": "string", "pattern": "^[0-9]{2}$" })),
            ("commune", json!({ "type": "string", "pattern": "^[0-9]{5}$" })),
            ("detail", text(200)),
        ]),
        Kind::People | Kind::PeopleOf(_) => json!({
            "type": "array", "uniqueItems": true, "maxItems": MOST_PEOPLE,
            "items": parts(&[
                ("person_number", json!({ "type": "string", "pattern": "^[0-9]{12}$" })),
                ("name", json!({ "type": "string", "maxLength": 100 })),
                ("relation", codes(RELATIONS.iter().map(|relation| relation.0))),
            ]),
        }),
        Kind::Commune => parts(&[
            ("province", json!({ "type": "string", "pattern": "^[0-9]{2}$" })),
            ("commune", json!({ "type": "string", "pattern": "^[0-9]{5}$" })),
        ]),
        Kind::LandParcel => parts(&[("sheet", text(10)), ("parcel", text(20))]),
        Kind::IdDocument => parts(&[
            ("kind", codes(ID_KINDS.iter().map(|k| k.0))),
            ("number", text(20)),
            ("date", json!({ "type": "string", "format": "date" })),
            ("place", text(150)),
        ]),
    }
}
