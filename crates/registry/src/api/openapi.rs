//! The OpenAPI 3.1 description of one registry, from its schema: its fields and filters by their names, typed.

use exchange::model::Purpose;
use serde_json::{Map, Value, json};

use crate::model::{Filter, Parameter, Registry};

/// Describes a registry.
pub fn describe(registry: &Registry) -> Value {
    let base = format!("/api/v1/registries/{}", registry.code);
    let key = json!({ "name": "key", "in": "path", "required": true, "description": "Key of the record, parts joined by “~”, or its id", "schema": { "type": "string", "maxLength": 400 } });
    let mut list: Vec<Value> = registry
        .filters
        .iter()
        .flat_map(|filter| filters(registry, filter))
        .collect();
    list.extend(times());
    list.extend([fields(), sort(registry), cursor(), limit()]);
    list.extend(stated(registry));
    let mut one = vec![key.clone()];
    one.extend(times());
    one.push(fields());
    one.extend(stated(registry));
    let mut past = vec![key.clone()];
    past.extend(times_of_versions());
    past.extend([fields(), cursor(), limit()]);
    past.extend(stated(registry));
    let mut paths = Map::new();
    paths.insert(
        format!("{base}/records"),
        json!({
            "get": operation("list_records", "List records", list, None, &page("Record")),
            "post": operation("add_record", "Report a record that is not there yet", vec![idempotency()], Some("Fresh"), &json!({ "$ref": "#/components/schemas/Written" })),
        }),
    );
    paths.insert(
        format!("{base}/records/{{key}}"),
        json!({ "get": operation("read_record", "Read what holds of a record", one, None, &json!({ "$ref": "#/components/schemas/Record" })) }),
    );
    paths.insert(
        format!("{base}/records/{{key}}/history"),
        json!({ "get": operation("list_record_history", "Read every version of a record", past, None, &page("Version")) }),
    );
    for (name, id, summary, body) in [
        (
            "assertions",
            "report_record",
            "Report what holds from a moment on",
            "Assertion",
        ),
        (
            "corrections",
            "correct_record",
            "Correct a version that was wrong",
            "Correction",
        ),
        (
            "ends",
            "end_record",
            "Report that nothing holds from a moment on",
            "End",
        ),
    ] {
        let written = json!({ "$ref": "#/components/schemas/Written" });
        let parameters = vec![key.clone(), idempotency()];
        paths.insert(
            format!("{base}/records/{{key}}/{name}"),
            json!({ "post": operation(id, summary, parameters, Some(body), &written) }),
        );
    }
    paths.insert(
        format!("{base}/records/{{key}}/doubts"),
        json!({ "post": operation("doubt_record", "Say that a record is wrong", vec![key, idempotency()], Some("Doubt"), &json!({ "$ref": "#/components/schemas/Receipt" })) }),
    );
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": registry.name.en, "version": registry.version.to_string(),
            "description": format!("{} / {}", registry.summary.en, registry.summary.vi),
        },
        "security": [{ "key": [] }],
        "paths": paths,
        "components": { "schemas": schemas(registry), "securitySchemes": { "key": { "type": "http", "scheme": "bearer" } } },
    })
}

fn operation(id: &str, summary: &str, parameters: Vec<Value>, body: Option<&str>, answer: &Value) -> Value {
    let problem = |description: &str| json!({ "description": description, "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } } });
    let makes = matches!(id, "add_record" | "doubt_record");
    let success = if makes { "201" } else { "200" };
    let mut responses = Map::new();
    responses.insert(
        success.to_owned(),
        json!({ "description": "Done", "content": { "application/json": { "schema": answer } } }),
    );
    for (status, description) in [
        ("401", "Nobody is signed in"),
        ("403", "Not permitted"),
        ("404", "No such record, or nothing holds of it then"),
        ("409", "Somebody else was faster, or the key is taken"),
        ("422", "Every problem at its place"),
        ("default", "Any other refusal or failure"),
    ] {
        responses.insert(status.to_owned(), problem(description));
    }
    let mut operation =
        json!({ "operationId": id, "summary": summary, "parameters": parameters, "responses": responses });
    if let Some(body) = body {
        operation["requestBody"] = json!({ "required": true, "content": { "application/json": { "schema": { "$ref": format!("#/components/schemas/{body}") } } } });
    }
    operation
}

fn parameter(name: &str, place: &str, description: &str, schema: &Value) -> Value {
    json!({ "name": name, "in": place, "required": false, "description": description, "schema": schema })
}

fn filters(registry: &Registry, filter: &Filter) -> Vec<Value> {
    let field = registry.field(&filter.field);
    let name = field.map(|field| field.term.name.en.clone()).unwrap_or_default();
    let whole = field.map(|field| field.schema.get("items").unwrap_or(&field.schema));
    let one = |parameter: Parameter| match (parameter, whole) {
        (Parameter::Is, Some(schema)) => plain(schema),
        (_, Some(schema)) if schema.get("type").and_then(Value::as_str) != Some("string") => plain(schema),
        _ => json!({ "type": "string", "maxLength": 200 }),
    };
    let said = |parameter: Parameter| match parameter {
        Parameter::Is => name.clone(),
        Parameter::Begins => format!("{name}: how it begins"),
        Parameter::From => format!("{name}: from this on"),
        Parameter::To => format!("{name}: up to this, included"),
    };
    let all = filter.parameters().into_iter();
    all.map(|(at, which)| parameter(&at, "query", &said(which), &one(which)))
        .collect()
}

/// A schema without what only the registry reads.
fn plain(schema: &Value) -> Value {
    match schema {
        Value::Object(members) => {
            let kept = members
                .iter()
                .filter(|(name, _)| *name != "x-term" && *name != "$schema");
            Value::Object(kept.map(|(name, value)| (name.clone(), plain(value))).collect())
        }
        other => other.clone(),
    }
}

fn moment() -> Value {
    json!({ "type": "string", "maxLength": 40, "description": "A day, or an instant with its offset" })
}

fn times() -> [Value; 2] {
    let as_of = "The moment of life; now where it is left out";
    let known_at = "The instant whose knowledge counts; now where it is left out";
    both_times(as_of, known_at)
}

fn times_of_versions() -> [Value; 2] {
    let as_of =
        "Versions that say something of this moment of life, and those that correct them; all where it is left out";
    let known_at = "The history as it was at this instant; now where it is left out";
    both_times(as_of, known_at)
}

fn both_times(as_of: &str, known_at: &str) -> [Value; 2] {
    let instant = json!({ "type": "string", "format": "date-time" });
    [
        parameter("as_of", "query", as_of, &moment()),
        parameter("known_at", "query", known_at, &instant),
    ]
}

fn fields() -> Value {
    parameter(
        "fields",
        "query",
        "Fields to show, separated by commas",
        &json!({ "type": "string", "maxLength": 1000 }),
    )
}

fn sort(registry: &Registry) -> Value {
    let ordered = registry.filters.iter().filter(|filter| filter.sorts());
    let names: Vec<String> = ordered
        .flat_map(|filter| [filter.field.to_string(), format!("-{}", filter.field)])
        .collect();
    let schema = if names.is_empty() {
        json!({ "type": "string", "maxLength": 0 })
    } else {
        json!({ "type": "string", "enum": names })
    };
    parameter(
        "sort",
        "query",
        "The field to sort by; with a minus from the greatest",
        &schema,
    )
}

fn cursor() -> Value {
    parameter(
        "cursor",
        "query",
        "next of the page before",
        &json!({ "type": "string", "maxLength": 400 }),
    )
}

fn limit() -> Value {
    parameter(
        "limit",
        "query",
        "How many items a page has at most",
        &json!({ "type": "integer", "minimum": 1, "maximum": 100, "default": 20 }),
    )
}

fn idempotency() -> Value {
    json!({ "name": "Idempotency-Key", "in": "header", "required": true, "description": "The same key with the same body happens once", "schema": { "type": "string", "minLength": 1, "maxLength": 200 } })
}

fn stated(registry: &Registry) -> [Value; 3] {
    let free: Vec<&str> = registry.without_dossier.iter().map(Purpose::as_str).collect();
    let issue = match free.is_empty() {
        true => "Code of the dossier that is the cause: every purpose needs one".to_owned(),
        false => format!(
            "Code of the dossier that is the cause: every purpose needs one, beside {}",
            free.join(", ")
        ),
    };
    [
        json!({ "name": "X-Motcua-Purpose", "in": "header", "required": true, "description": "The code of the purpose", "schema": { "type": "string", "pattern": "^[a-z][a-z0-9.-]{0,63}$" }, "example": "dossier.verify" }),
        parameter(
            "X-Road-Issue",
            "header",
            &issue,
            &json!({ "type": "string", "pattern": "^[0-9A-Z][0-9A-Z.-]{0,79}$" }),
        ),
        parameter(
            "X-Motcua-Legal-Basis",
            "header",
            "The law that allows it, where it is not the registry's own",
            &json!({ "type": "string", "maxLength": 300 }),
        ),
    ]
}

fn page(of: &str) -> Value {
    json!({
        "type": "object", "required": ["items"],
        "properties": {
            "items": { "type": "array", "items": { "$ref": format!("#/components/schemas/{of}") }, "description": "The items" },
            "next": { "type": "string", "description": "Give it as cursor for the next page; absent on the last" },
        },
    })
}

fn text(description: &str) -> Value {
    json!({ "type": "string", "maxLength": 300, "description": description })
}

/// An object; each part with its name, its schema, and whether it has to be there.
fn object(parts: &[(&str, Value, bool)]) -> Value {
    let properties: Map<String, Value> = parts
        .iter()
        .map(|(name, schema, _)| ((*name).to_owned(), schema.clone()))
        .collect();
    let required: Vec<&str> = parts.iter().filter(|part| part.2).map(|part| part.0).collect();
    json!({ "type": "object", "additionalProperties": false, "required": required, "properties": properties })
}

fn schemas(registry: &Registry) -> Value {
    let body = || json!({ "$ref": "#/components/schemas/Body" });
    // A mask leaves fields out, the required ones too.
    let mut masked = plain(&registry.schema);
    lenient(&mut masked);
    let number = |description: &str| json!({ "type": "integer", "minimum": 1, "description": description });
    let instant = json!({ "type": "string", "format": "date-time", "description": "When it was recorded" });
    let of_change = [
        ("source", text("The paper, decision or system that says so"), true),
        ("basis", text("The law; the registry's own where it is left out"), false),
        ("dossier", text("Code of the dossier that caused it"), false),
    ];
    let change = |parts: &[(&str, Value, bool)]| object(&[parts, &of_change].concat());
    let seen = ("seen", number("newest of the record as it was read"), true);
    let from = |needed| ("valid_from", moment(), needed);
    let to = ("valid_to", moment(), false);
    let provenance = [
        ("source", text("Where it comes from"), true),
        ("basis", text("The law"), true),
        ("dossier", text("The dossier that caused it"), false),
        ("recorded_at", instant.clone(), true),
    ];
    // The feed of changes leaves it out where no purpose is stated.
    let mut of_version = provenance.clone();
    if let Some(source) = of_version.first_mut() {
        source.2 = false;
    }
    let id = (
        "id",
        json!({ "type": "string", "format": "uuid", "description": "The record" }),
        true,
    );
    let record = [
        id.clone(),
        ("key", text("Its key"), false),
        ("seq", number("The version that speaks"), true),
        ("newest", number("The newest version of the record"), true),
        from(true),
        to.clone(),
        ("body", json!({ "$ref": "#/components/schemas/Shown" }), true),
    ];
    let version = [
        ("seq", number("Its number"), true),
        (
            "kind",
            json!({ "type": "string", "enum": ["assert", "correct", "end", "erase"], "description": "What sort" }),
            true,
        ),
        (
            "effect",
            json!({ "type": "string", "enum": ["holds", "ends", "void"], "description": "What it says" }),
            false,
        ),
        ("corrects", number("The version that it corrects"), false),
        ("actor", text("Who recorded it"), true),
        ("agency", text("Their agency"), true),
        from(false),
        to.clone(),
        ("body", json!({ "$ref": "#/components/schemas/Shown" }), false),
    ];
    json!({
        "Body": plain(&registry.schema),
        "Shown": masked,
        "Record": object(&[&record[..], &provenance].concat()),
        "Version": object(&[&version[..], &of_version].concat()),
        "Fresh": change(&[from(true), to.clone(), ("body", body(), true)]),
        "Assertion": change(&[seen.clone(), from(true), to.clone(), ("body", body(), true)]),
        "Correction": change(&[seen.clone(), ("corrects", number("The version that was wrong"), true), from(false), to, ("body", body(), false)]),
        "End": change(&[seen, from(true)]),
        "Written": object(&[id, ("seq", number("Its newest version now"), true), ("recorded_at", instant, true),
            ("noted", json!({ "type": "array", "items": { "type": "string" }, "description": "Rules of quality that it breaks and was taken in all the same" }), true)]),
        "Doubt": object(&[
            ("field", json!({ "type": "string", "maxLength": 120, "description": "The field; a group stands for all in it" }), true),
            ("wrong", json!({ "type": "string", "minLength": 1, "maxLength": 1000, "description": "What is held to be wrong" }), true),
            ("right", json!({ "type": "string", "maxLength": 1000, "description": "What would be right" }), false),
            ("evidence", json!({ "type": "string", "maxLength": 1000, "description": "What shows it" }), false),
            ("dossier", text("Code of the dossier that it came up in"), false),
        ]),
        "Receipt": object(&[
            ("id", json!({ "type": "string", "format": "uuid", "description": "The doubt" }), true),
            ("acknowledge_by", json!({ "type": "string", "format": "date-time", "description": "Until when the steward says that they have it" }), true),
            ("answer_by", json!({ "type": "string", "format": "date-time", "description": "Until when they answer" }), true),
        ]),
        "Problem": {
            "type": "object", "required": ["title", "status"],
            "properties": {
                "type": { "type": "string", "description": "Always about:blank" },
                "title": { "type": "string", "description": "What sort of no it is" },
                "status": { "type": "integer", "description": "The status of the answer" },
                "problems": { "type": ["array", "null"], "description": "Everything that is wrong", "items": {
                    "type": "object", "required": ["code", "vi", "en"],
                    "properties": {
                        "code": { "type": "string", "description": "A stable name for programs" }, "at": { "type": "string", "description": "Where" },
                        "vi": { "type": "string", "description": "In Vietnamese" }, "en": { "type": "string", "description": "In English" },
                    },
                } },
            },
        },
    })
}

fn lenient(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.shift_remove("required");
            members.values_mut().for_each(lenient);
        }
        Value::Array(items) => items.iter_mut().for_each(lenient),
        _ => {}
    }
}
