//! Every named field of the description, for the rules about names.

use std::collections::{BTreeSet, HashSet};

use serde_json::Value;

use super::{
    document::{Document, is_type, step},
    operation::{Operation, Place, is_described},
};

/// Which way a field goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::conformance) enum Side {
    /// A parameter of the path or the query.
    Parameter(Place),
    /// A property of a schema.
    Property,
}

/// A named field.
#[derive(Debug, Clone)]
pub(in crate::conformance) struct Field {
    /// Where it stands.
    pub pointer: String,
    /// Pointer to its schema.
    pub schema: String,
    pub name: String,
    pub described: bool,
    pub side: Side,
}

/// Gathers fields, and the schemas that stand by themselves.
pub(super) fn collect(document: &Document, operations: &[Operation]) -> (Vec<Field>, BTreeSet<String>) {
    let mut schemas = BTreeSet::new();
    let mut fields: Vec<Field> = Vec::new();
    let components = document.at("/components/schemas").and_then(Value::as_object);
    for name in components.into_iter().flat_map(|map| map.keys()) {
        schemas.insert(format!("/components/schemas/{}", step(name)));
    }
    let mut known = HashSet::new();
    for operation in operations {
        for parameter in &operation.parameters {
            let Some(schema) = &parameter.schema else { continue };
            schemas.insert(schema.clone());
            if matches!(parameter.place, Place::Path | Place::Query) && known.insert(&parameter.pointer) {
                fields.push(Field {
                    pointer: parameter.pointer.clone(),
                    schema: schema.clone(),
                    name: parameter.name.clone(),
                    described: parameter.described,
                    side: Side::Parameter(parameter.place),
                });
            }
        }
        let answers = operation.responses.iter().flat_map(|response| &response.content);
        schemas.extend(
            operation
                .body
                .iter()
                .chain(answers)
                .filter_map(|content| content.schema.clone()),
        );
    }
    for schema in &schemas {
        if let Some(value) = document.at(schema) {
            properties(document, value, schema, &mut fields);
        }
    }
    (fields, schemas)
}

/// The keywords whose value is a schema, a list of schemas, or named schemas.
const NESTED: [&str; 9] = [
    "items",
    "additionalProperties",
    "unevaluatedProperties",
    "contains",
    "propertyNames",
    "not",
    "if",
    "then",
    "else",
];
const LISTED: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
const NAMED: [&str; 4] = ["properties", "patternProperties", "$defs", "dependentSchemas"];

/// The schemas directly inside a schema, with their pointers; references are not followed.
pub(super) fn inside<'a>(schema: &'a Value, at: &str) -> Vec<(String, &'a Value)> {
    let Some(object) = schema.as_object() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for key in NESTED {
        if let Some(inner) = object.get(key) {
            found.push((format!("{at}/{key}"), inner));
        }
    }
    for key in LISTED {
        for (n, inner) in object
            .get(key)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .enumerate()
        {
            found.push((format!("{at}/{key}/{n}"), inner));
        }
    }
    for key in NAMED {
        for (name, inner) in object.get(key).and_then(Value::as_object).into_iter().flatten() {
            found.push((format!("{at}/{key}/{}", step(name)), inner));
        }
    }
    found
}

fn properties(document: &Document, schema: &Value, at: &str, fields: &mut Vec<Field>) {
    for (name, inner) in schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let pointer = format!("{at}/properties/{}", step(name));
        let gist = document.gist(&pointer).map(|(_, gist)| gist);
        fields.push(Field {
            schema: pointer.clone(),
            name: name.clone(),
            described: is_described(inner)
                || gist.is_some_and(|gist| {
                    is_described(gist) || (is_type(gist, "array") && gist.get("items").is_some_and(is_described))
                }),
            side: Side::Property,
            pointer,
        });
    }
    for (pointer, inner) in inside(schema, at) {
        properties(document, inner, &pointer, fields);
    }
}
