//! An example of data that a schema describes, for whoever writes a reader.

use serde_json::{Map, Value, json};

use super::schema::target_of;

const DEEPEST: usize = 8;

/// Data as the schema has them, with the examples that it gives. Without examples they may be data that a `pattern` would refuse.
pub fn sample(schema: &Value) -> Value {
    of(schema, schema, 0)
}

fn of(root: &Value, schema: &Value, depth: usize) -> Value {
    if depth > DEEPEST {
        return Value::Null;
    }
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        return target_of(root, target).map_or(Value::Null, |target| of(root, target, depth + 1));
    }
    let given = [
        schema.get("const"),
        schema.get("examples").and_then(|list| list.get(0)),
        schema.get("default"),
        schema.get("enum").and_then(|list| list.get(0)),
    ];
    if let Some(value) = given.into_iter().flatten().next() {
        return value.clone();
    }
    let kind = match schema.get("type") {
        Some(Value::String(one)) => one.as_str(),
        Some(Value::Array(many)) => many.first().and_then(Value::as_str).unwrap_or_default(),
        _ if schema.get("properties").is_some() => "object",
        _ => "",
    };
    match kind {
        "object" => {
            let fields = schema.get("properties").and_then(Value::as_object);
            let fields = fields.into_iter().flatten();
            Value::Object(
                fields
                    .map(|(name, field)| (name.clone(), of(root, field, depth + 1)))
                    .collect::<Map<_, _>>(),
            )
        }
        "array" => schema
            .get("items")
            .map_or_else(|| json!([]), |items| json!([of(root, items, depth + 1)])),
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or_else(|| json!(0)),
        "boolean" => json!(false),
        "string" => json!(match schema.get("format").and_then(Value::as_str) {
            Some("date") => "2026-01-31",
            Some("date-time") => "2026-01-31T09:00:00+07:00",
            Some("uuid") => "01920000-0000-7000-8000-000000000000",
            Some("email") => "ten@example.vn",
            Some("uri") => "https://example.vn/",
            _ => "…",
        }),
        _ => first_of(root, schema, depth),
    }
}

/// A schema that only combines others: the first of them.
fn first_of(root: &Value, schema: &Value, depth: usize) -> Value {
    ["allOf", "oneOf", "anyOf"]
        .iter()
        .find_map(|keyword| schema.get(keyword)?.get(0))
        .map_or(Value::Null, |first| of(root, first, depth + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::model::Schema;

    #[test]
    fn a_sample_is_what_its_schema_describes() {
        let schema = json!({
            "type": "object",
            "properties": {
                "code": {"type": "string", "examples": ["H29.12-260101-0001"]},
                "on": {"type": "string", "format": "date"},
                "state": {"enum": ["received", "decided"]},
                "fee": {"type": "integer", "minimum": 1000},
                "people": {"type": "array", "items": {"$ref": "#/$defs/person"}},
            },
            "required": ["code", "on", "state", "fee", "people"],
            "$defs": {"person": {"type": "object", "properties": {"alive": {"type": "boolean"}}, "required": ["alive"]}},
        });
        let made = sample(&schema);
        assert_eq!(made["code"], "H29.12-260101-0001");
        assert!(Schema::read(schema).expect("good").check(&made).is_empty(), "{made}");
        assert!(sample(&json!({"type": "array", "items": {"$ref": "#"}})).is_array());
    }
}
