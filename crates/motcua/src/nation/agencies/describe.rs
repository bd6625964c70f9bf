//! OpenAPI documents of small services that only read.

use serde_json::{Map, Value, json};

/// What a service with one operation says of itself.
pub struct Description<'a> {
    /// Title of the document.
    pub title: &'a str,
    /// What it is for, in English.
    pub about: &'a str,
    /// `/v1/persons/{person_number}`.
    pub path: &'a str,
    /// Name of the operation.
    pub operation: &'a str,
    /// Its parameters.
    pub parameters: Value,
    /// What it answers: name and schema.
    pub answer: (&'a str, Value),
    /// Further schemas.
    pub schemas: Vec<(&'a str, Value)>,
}

impl Description<'_> {
    /// The document (OpenAPI 3.1).
    pub fn document(self) -> Value {
        let refused = json!({ "$ref": "#/components/responses/Refused" });
        let answer = format!("#/components/schemas/{}", self.answer.0);
        let mut schemas = Map::new();
        for (name, schema) in self.schemas.into_iter().chain([self.answer]) {
            schemas.insert(name.to_owned(), schema);
        }
        schemas.insert("Problem".to_owned(), problem());
        json!({
            "openapi": "3.1.0",
            "info": { "title": self.title, "version": "1.0.0", "description": self.about },
            "security": [],
            "paths": {
                self.path: {
                    "get": {
                        "operationId": self.operation,
                        "summary": self.about,
                        "parameters": self.parameters,
                        "responses": {
                            "200": {
                                "description": "Found",
                                "content": { "application/json": { "schema": { "$ref": answer } } },
                            },
                            "404": refused,
                            "422": refused,
                        },
                    },
                },
            },
            "components": {
                "responses": {
                    "Refused": {
                        "description": "Every problem at its place",
                        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
                    },
                },
                "schemas": schemas,
            },
        })
    }
}

/// A parameter in the path.
pub fn in_path(name: &str, what: &str, schema: Value, example: &str) -> Value {
    json!([{ "name": name, "in": "path", "required": true, "description": what, "schema": schema, "example": example }])
}

/// An object whose fields are all there.
pub fn object(what: &str, fields: &[(&str, Value)]) -> Value {
    let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    let properties: Map<String, Value> = fields
        .iter()
        .map(|(name, schema)| ((*name).to_owned(), schema.clone()))
        .collect();
    json!({ "type": "object", "description": what, "required": names, "properties": properties })
}

/// A text.
pub fn text(what: &str) -> Value {
    json!({ "type": "string", "description": what })
}

/// One of some codes.
pub fn one_of(what: &str, codes: &[&str]) -> Value {
    json!({ "type": "string", "description": what, "enum": codes })
}

/// A day.
pub fn day(what: &str) -> Value {
    json!({ "type": "string", "format": "date", "description": what })
}

/// An amount in whole đồng.
pub fn dong(what: &str) -> Value {
    json!({ "type": "integer", "format": "int64", "minimum": 0, "description": what })
}

/// A number of things.
pub fn count(what: &str) -> Value {
    json!({ "type": "integer", "format": "int32", "minimum": 0, "description": what })
}

/// The number of a person.
pub fn person_number(what: &str) -> Value {
    json!({ "type": "string", "description": what, "pattern": "^[0-9]{12}$" })
}

/// The number of a person who may not be known.
pub fn person_number_or_none(what: &str) -> Value {
    json!({ "type": ["string", "null"], "description": what, "pattern": "^[0-9]{12}$" })
}

/// The code of an enterprise.
pub fn tax_code(what: &str) -> Value {
    json!({ "type": "string", "description": what, "pattern": "^[0-9]{10}(-[0-9]{3})?$" })
}

fn problem() -> Value {
    let one = object(
        "One problem.",
        &[
            ("code", text("A name for programs.")),
            ("at", text("Where.")),
            ("vi", text("In Vietnamese.")),
            ("en", text("In English.")),
        ],
    );
    object(
        "Problem details (RFC 9457).",
        &[
            ("type", text("A URI, or about:blank.")),
            ("title", text("What sort of no it is.")),
            (
                "status",
                json!({ "type": "integer", "description": "The status of the answer." }),
            ),
            (
                "problems",
                json!({ "type": "array", "description": "Every problem.", "items": one }),
            ),
        ],
    )
}
