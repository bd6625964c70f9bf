//! The description as a JSON document that can be looked into by pointer, and whose schemas can be compiled.

use serde_json::{Map, Value, json};

/// Most hops of a reference.
const HOPS: usize = 32;

/// A document with every schema in the form of JSON Schema 2020-12.
#[derive(Debug)]
pub(in crate::conformance) struct Document {
    root: Value,
}

impl Document {
    /// Takes a document in. Schemas of OpenAPI 3.0 are rewritten to what they mean in 3.1.
    pub fn new(mut root: Value) -> Self {
        let old = root
            .get("openapi")
            .and_then(Value::as_str)
            .is_some_and(|v| v.starts_with("3.0"));
        if old {
            modernise(&mut root);
        }
        Self { root }
    }

    /// The whole.
    pub const fn root(&self) -> &Value {
        &self.root
    }

    /// What stands at a pointer.
    pub fn at(&self, pointer: &str) -> Option<&Value> {
        self.root.pointer(pointer)
    }

    /// What stands at a pointer when references are followed, and where that is.
    pub fn follow(&self, pointer: &str) -> Option<(String, &Value)> {
        let mut at = pointer.to_owned();
        for _ in 0..HOPS {
            let value = self.at(&at)?;
            match value.get("$ref").and_then(Value::as_str) {
                Some(reference) => at = local(reference)?,
                None => return Some((at, value)),
            }
        }
        None
    }

    /// The schema that a field mainly has: references followed, `null` beside it and a lone `allOf` looked through.
    pub fn gist(&self, pointer: &str) -> Option<(String, &Value)> {
        let mut at = pointer.to_owned();
        for _ in 0..HOPS {
            let (found, value) = self.follow(&at)?;
            let inner = ["oneOf", "anyOf", "allOf"].iter().find_map(|key| {
                let list = value.get(*key)?.as_array()?;
                let real: Vec<usize> = (0..list.len())
                    .filter(|n| list.get(*n).and_then(|s| s.get("type")) != Some(&json!("null")))
                    .collect();
                match (real.as_slice(), value.get("properties")) {
                    ([one], None) => Some(format!("{found}/{key}/{one}")),
                    _ => None,
                }
            });
            match inner {
                Some(next) => at = next,
                None => return Some((found, value)),
            }
        }
        None
    }
}

/// The pointer in a reference into the same document.
pub(in crate::conformance) fn local(reference: &str) -> Option<String> {
    let fragment = reference.strip_prefix('#')?;
    let plain = percent_decode(fragment)?;
    (plain.is_empty() || plain.starts_with('/')).then_some(plain)
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'%' {
            let digits = tail.get(..2)?;
            bytes.extend(hex::decode(digits).ok()?);
            rest = tail.get(2..)?;
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

/// A name as a step of a pointer (RFC 6901, 3).
pub(in crate::conformance) fn step(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The types that a schema allows; none said: none.
pub(in crate::conformance) fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Whether a schema allows a type.
pub(in crate::conformance) fn is_type(schema: &Value, name: &str) -> bool {
    types(schema).contains(&name)
}

/// Rewrites what OpenAPI 3.0 says otherwise than JSON Schema: `nullable`, boolean exclusive bounds.
fn modernise(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(modernise),
        Value::Object(object) => {
            modernise_schema(object);
            for (key, inner) in object.iter_mut() {
                if !matches!(key.as_str(), "example" | "examples" | "default" | "enum" | "const") {
                    modernise(inner);
                }
            }
        }
        _ => {}
    }
}

fn modernise_schema(schema: &mut Map<String, Value>) {
    for (flag, bound) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        match schema.get(flag) {
            Some(Value::Bool(true)) => {
                if let Some(limit) = schema.remove(bound) {
                    schema.insert(flag.to_owned(), limit);
                } else {
                    schema.remove(flag);
                }
            }
            Some(Value::Bool(false)) => {
                schema.remove(flag);
            }
            _ => {}
        }
    }
    match schema.get("nullable") {
        Some(Value::Bool(true)) => {
            schema.remove("nullable");
            if let Some(Value::String(one)) = schema.get("type").cloned() {
                schema.insert("type".into(), json!([one, "null"]));
                if let Some(Value::Array(list)) = schema.get_mut("enum")
                    && !list.contains(&Value::Null)
                {
                    list.push(Value::Null);
                }
            } else if schema.contains_key("$ref") || schema.contains_key("allOf") {
                let inner = Value::Object(std::mem::take(schema));
                schema.insert("anyOf".into(), json!([inner, { "type": "null" }]));
            }
        }
        Some(Value::Bool(false)) => {
            schema.remove("nullable");
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_3_0_says_otherwise_is_rewritten() {
        let document = Document::new(json!({ "openapi": "3.0.3", "components": { "schemas": { "A": {
            "type": "object", "properties": {
                "nullable": { "type": "string", "nullable": true, "enum": ["a"] },
                "size": { "type": "number", "minimum": 0, "exclusiveMinimum": true, "maximum": 9, "exclusiveMaximum": false },
                "other": { "allOf": [{ "$ref": "#/components/schemas/B" }], "nullable": true },
            }, "example": { "nullable": true } }, "B": { "type": "string" } } } }));
        let properties = document.at("/components/schemas/A/properties").expect("properties");
        assert_eq!(
            properties["nullable"],
            json!({ "type": ["string", "null"], "enum": ["a", null] })
        );
        assert_eq!(
            properties["size"],
            json!({ "type": "number", "exclusiveMinimum": 0, "maximum": 9 })
        );
        assert_eq!(
            document.at("/components/schemas/A/example"),
            Some(&json!({ "nullable": true }))
        );
        let gist = document.gist("/components/schemas/A/properties/other").expect("a gist");
        assert_eq!(gist.0, "/components/schemas/B");
    }

    #[test]
    fn a_circle_of_references_ends() {
        let document = Document::new(json!({ "openapi": "3.1.0", "a": { "$ref": "#/b" }, "b": { "$ref": "#/a" } }));
        assert!(document.follow("/a").is_none());
        assert_eq!(local("#/a~1b%25").as_deref(), Some("/a~1b%"));
        assert_eq!(local("other.json#/a"), None);
    }
}
