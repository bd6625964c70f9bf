//! The schema of an event's data: JSON Schema 2020-12, closed in itself. Nothing is ever fetched for it.

use std::{collections::BTreeSet, fmt};

use base::{Error, Kind, Problems, Result};
use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;

use crate::model::schema_words;

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
/// The largest schema, in bytes of JSON.
const LARGEST: usize = 64 * 1024;
/// The deepest schema.
const DEEPEST: usize = 64;
/// The largest compiled `pattern`, in bytes.
const LARGEST_PATTERN: usize = 256 * 1024;
/// More problems than these help nobody.
const MOST_PROBLEMS: usize = 50;

/// Keywords whose subschemas judge the same value as the schema that they stand in.
const IN_PLACE: &[&str] = &[
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "dependentSchemas",
];

/// A schema that was checked and can judge data.
pub struct Schema {
    document: Value,
    validator: Validator,
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Schema").field(&self.document).finish()
    }
}

impl Schema {
    /// Checks a schema and makes it ready.
    ///
    /// # Errors
    /// Everything that is wrong with it, at JSON pointers into it: no object, too large or too deep, another dialect, a
    /// reference that leaves it or leads in a circle, a keyword that JSON Schema does not allow so.
    pub fn read(document: Value) -> Result<Self> {
        let mut problems = Problems::new();
        if !document.is_object() {
            problems.add(
                "schema-not-object",
                "schema",
                "Lược đồ phải là một đối tượng JSON.",
                "The schema has to be a JSON object.",
            );
        } else if document.to_string().len() > LARGEST || depth(&document) > DEEPEST {
            problems.add(
                "schema-too-large",
                "schema",
                "Lược đồ tối đa 64 KiB và 64 cấp lồng nhau.",
                "A schema has at most 64 KiB and 64 levels.",
            );
        } else {
            check_words(&document, &document, &mut String::from("schema"), &mut problems);
            if problems.is_empty() {
                check_circles(&document, &mut problems);
            }
        }
        if problems.is_empty()
            && let Some(keyword) = jsonschema::draft202012::meta::validate(&document).err()
        {
            problems.add(
                "schema-invalid",
                format!("schema{}", keyword.instance_path()),
                "Phần này của lược đồ không đúng JSON Schema 2020-12.",
                "This part of the schema is no valid JSON Schema 2020-12.",
            );
        }
        problems.into_result()?;
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .offline()
            .should_validate_formats(true)
            // The engine without backtracking: its time is linear in the text, whoever wrote the pattern.
            .with_pattern_options(PatternOptions::regex().size_limit(LARGEST_PATTERN))
            .build(&document);
        match validator {
            Ok(validator) => Ok(Self { document, validator }),
            Err(error) => {
                let at = format!("schema{}", error.instance_path());
                let mut problems = Problems::new();
                problems.add(
                    "schema-invalid",
                    at,
                    "Phần này của lược đồ không dùng được, ví dụ biểu thức “pattern” sai hoặc quá lớn.",
                    "This part of the schema cannot be used; a “pattern” may be wrong or too large.",
                );
                Err(Error::Refused(Kind::Invalid, problems))
            }
        }
    }

    /// The schema as it was given.
    pub const fn document(&self) -> &Value {
        &self.document
    }

    /// Everything that is wrong with data, at JSON pointers into them. The sentences say what the schema wants, never what
    /// the data are.
    pub fn check(&self, data: &Value) -> Problems {
        let mut problems = Problems::new();
        for error in self.validator.iter_errors(data).take(MOST_PROBLEMS) {
            let (vi, en) = schema_words(error.kind());
            problems.add("event-data", format!("event{}", error.instance_path()), vi, en);
        }
        problems
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// Looks for words that mean something else than they say here: another dialect, a reference that leaves the document.
fn check_words(root: &Value, part: &Value, at: &mut String, problems: &mut Problems) {
    let length = at.len();
    match part {
        Value::Object(members) => {
            for (name, value) in members {
                at.push('/');
                at.push_str(&name.replace('~', "~0").replace('/', "~1"));
                match (name.as_str(), value.as_str()) {
                    ("$schema", Some(dialect)) if dialect.trim_end_matches('#') != DIALECT => problems.add(
                        "schema-dialect",
                        at.as_str(),
                        format!("Lược đồ phải theo JSON Schema 2020-12: bỏ $schema hoặc ghi {DIALECT}."),
                        format!("Schemas are JSON Schema 2020-12: leave $schema out or write {DIALECT}."),
                    ),
                    ("$ref", Some(target)) if target_of(root, target).is_none() => problems.add(
                        "schema-reference",
                        at.as_str(),
                        "$ref chỉ được trỏ tới một phần có thật trong chính lược đồ này, dạng #/$defs/ten; không tải gì từ bên ngoài.",
                        "A $ref points to a part of this very schema that exists, like #/$defs/name; nothing is fetched from outside.",
                    ),
                    ("$id" | "$anchor" | "$dynamicRef" | "$dynamicAnchor" | "$vocabulary", Some(_)) => problems.add(
                        "schema-keyword",
                        at.as_str(),
                        format!("Không dùng {name} trong lược đồ sự kiện; dùng $defs và $ref dạng #/$defs/ten."),
                        format!("Schemas of events have no {name}; use $defs, and $ref like #/$defs/name."),
                    ),
                    _ => check_words(root, value, at, problems),
                }
                at.truncate(length);
            }
        }
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                at.push_str(&format!("/{n}"));
                check_words(root, item, at, problems);
                at.truncate(length);
            }
        }
        _ => {}
    }
}

/// The part that a local reference points to.
pub(super) fn target_of<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    let pointer = reference.strip_prefix('#')?;
    // A percent-encoded pointer could be read in two ways.
    (!pointer.contains('%')).then(|| root.pointer(pointer))?
}

/// A schema that refers to itself for the same value would be judged for ever.
fn check_circles(root: &Value, problems: &mut Problems) {
    let mut sound = BTreeSet::new();
    let mut references = Vec::new();
    collect_references(root, &mut references);
    for reference in references {
        if leads_back(root, reference, &mut Vec::new(), &mut sound) {
            problems.add(
                "schema-circle",
                "schema",
                format!("$ref “{reference}” tự dẫn về chính nó mà không đi vào phần tử con nào."),
                format!("The $ref “{reference}” leads back to itself without going into any part of the value."),
            );
        }
    }
}

fn collect_references<'a>(part: &'a Value, found: &mut Vec<&'a str>) {
    match part {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|value| collect_references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_references(item, found)),
        _ => {}
    }
}

fn leads_back<'a>(root: &'a Value, reference: &'a str, path: &mut Vec<&'a str>, sound: &mut BTreeSet<&'a str>) -> bool {
    if sound.contains(reference) {
        return false;
    }
    if path.contains(&reference) {
        return true;
    }
    path.push(reference);
    let mut next = Vec::new();
    if let Some(target) = target_of(root, reference) {
        in_place_references(target, &mut next);
    }
    let circle = next
        .into_iter()
        .any(|reference| leads_back(root, reference, path, sound));
    path.pop();
    if !circle {
        sound.insert(reference);
    }
    circle
}

/// The references that judge the same value as this schema.
fn in_place_references<'a>(schema: &'a Value, found: &mut Vec<&'a str>) {
    let Value::Object(members) = schema else { return };
    found.extend(members.get("$ref").and_then(Value::as_str));
    for keyword in IN_PLACE {
        match members.get(*keyword) {
            Some(Value::Array(schemas)) => schemas.iter().for_each(|s| in_place_references(s, found)),
            Some(Value::Object(schemas)) if *keyword == "dependentSchemas" => {
                schemas.values().for_each(|s| in_place_references(s, found));
            }
            Some(schema) => in_place_references(schema, found),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusals(document: Value) -> Vec<(String, String)> {
        let error = Schema::read(document).expect_err("a bad schema");
        let problems = error.problems().expect("a refusal").iter();
        problems.map(|p| (p.code.clone(), p.at.clone())).collect()
    }

    #[test]
    fn every_problem_of_the_data_is_told_at_its_place_and_without_the_data() {
        let schema = Schema::read(json!({
            "type": "object",
            "properties": {
                "code": {"type": "string", "pattern": "^H[0-9]+$"},
                "on": {"type": "string", "format": "date"},
                "people": {"type": "array", "items": {"$ref": "#/$defs/person"}},
            },
            "required": ["code", "on"],
            "additionalProperties": false,
            "$defs": {"person": {"type": "object", "required": ["number"]}},
        }))
        .expect("a good schema");
        assert!(schema.check(&json!({"code": "H1", "on": "2026-11-25"})).is_empty());
        let problems = schema.check(&json!({"code": "secret", "on": "2026-02-30", "people": [{}, 7], "x": 1}));
        let mut places: Vec<&str> = problems.iter().map(|p| p.at.as_str()).collect();
        places.sort_unstable();
        assert_eq!(
            places,
            ["event", "event/code", "event/on", "event/people/0", "event/people/1"]
        );
        assert!(!format!("{problems:?}").contains("secret"));
    }

    #[test]
    fn nothing_outside_is_referred_to() {
        for reference in [
            "https://example.com/a.json",
            "http://169.254.169.254/",
            "file:///etc/passwd",
            "other.json",
            "//host/x",
            "#anchor",
            "#/$defs/none",
            "#/%24defs/a",
            "",
        ] {
            let found = refusals(json!({"properties": {"a": {"$ref": reference}}, "$defs": {"a": {}}}));
            assert_eq!(
                found,
                [("schema-reference".to_owned(), "schema/properties/a/$ref".to_owned())],
                "{reference}"
            );
        }
        assert_eq!(refusals(json!({"$id": "https://example.com/"}))[0].0, "schema-keyword");
        assert_eq!(
            refusals(json!({"$schema": "http://json-schema.org/draft-07/schema#"}))[0].0,
            "schema-dialect"
        );
        // A field of the data may be called so.
        Schema::read(json!({"properties": {"$ref": {"type": "string"}, "$id": {}}})).expect("a good schema");
    }

    #[test]
    fn a_circle_is_found_before_it_is_walked() {
        for document in [
            json!({"$ref": "#"}),
            json!({"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"anyOf": [{"not": {"$ref": "#/$defs/b"}}]}, "b": {"if": {"$ref": "#/$defs/a"}}}}),
            json!({"$defs": {"a": {"dependentSchemas": {"x": {"$ref": "#/$defs/a"}}}}}),
        ] {
            assert!(refusals(document).iter().all(|(code, _)| code == "schema-circle"));
        }
        let tree =
            Schema::read(json!({"type": "object", "properties": {"below": {"type": "array", "items": {"$ref": "#"}}}}));
        let tree = tree.expect("it goes down");
        assert!(tree.check(&json!({"below": [{"below": []}]})).is_empty());
        assert!(!tree.check(&json!({"below": [{"below": 1}]})).is_empty());
    }

    #[test]
    fn hostile_schemas_are_refused_or_harmless() {
        let mut deep = json!({});
        for _ in 0..200 {
            deep = json!({"not": deep});
        }
        assert_eq!(refusals(deep)[0].0, "schema-too-large");
        assert_eq!(
            refusals(json!({"description": "x".repeat(70_000)}))[0].0,
            "schema-too-large"
        );
        for not_object in [json!(true), json!([]), json!("x"), Value::Null] {
            assert_eq!(refusals(not_object)[0].0, "schema-not-object");
        }
        for invalid in [
            json!({"type": "strnig"}),
            json!({"required": "a"}),
            json!({"pattern": "("}),
            json!({"pattern": "(a{1000}){1000}"}),
            json!({"minLength": -1}),
            json!({"properties": []}),
        ] {
            assert_eq!(refusals(invalid.clone())[0].0, "schema-invalid", "{invalid}");
        }
        // Exponential in an engine that goes back.
        let slow = Schema::read(json!({"pattern": "^(a+)+$"})).expect("a good schema");
        assert!(!slow.check(&json!(format!("{}!", "a".repeat(20_000)))).is_empty());
    }
}
