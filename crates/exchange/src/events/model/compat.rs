//! Whether a new version of a schema breaks those who read by the old one.
//!
//! A reader of version 1 gets events of version 2. So whatever version 2 allows has to be something that version 1 foresaw.
//! What cannot be judged for certain counts as a break: then it is another event type, beside the old one.

use base::Problems;
use serde_json::{Map, Value};

use super::schema::target_of;

/// Deeper than any schema that is worth reading; ends the walk of one that refers to itself.
const DEEPEST: usize = 24;

/// Keywords whose change is not judged, only seen.
const UNJUDGED: &[&str] = &[
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "dependentSchemas",
    "dependentRequired",
    "prefixItems",
    "contains",
    "patternProperties",
    "propertyNames",
    "unevaluatedProperties",
    "unevaluatedItems",
    "const",
    "pattern",
    "format",
    "contentEncoding",
    "contentMediaType",
];

/// Keywords whose limit may only become narrower: upper limits fall, lower limits rise.
const LIMITS: &[(&str, bool)] = &[
    ("maximum", true),
    ("exclusiveMaximum", true),
    ("maxLength", true),
    ("maxItems", true),
    ("minimum", false),
    ("exclusiveMinimum", false),
    ("minLength", false),
    ("minItems", false),
];

/// Everything in `new` that a reader of `old` did not have to expect, at JSON pointers into the data.
pub fn breaks(old: &Value, new: &Value) -> Problems {
    let mut walk = Walk {
        old,
        new,
        problems: Problems::new(),
    };
    walk.compare(old, new, "event", 0);
    walk.problems
}

struct Walk<'a> {
    old: &'a Value,
    new: &'a Value,
    problems: Problems,
}

impl Walk<'_> {
    fn compare(&mut self, old: &Value, new: &Value, at: &str, depth: usize) {
        let (old, new) = (resolve(self.old, old), resolve(self.new, new));
        if depth > DEEPEST || old == new && depth > 0 && !has_references(old) {
            return;
        }
        let empty = Map::new();
        // A schema that is true or false says nothing of fields.
        let (before, after) = (old.as_object().unwrap_or(&empty), new.as_object().unwrap_or(&empty));
        if old == &Value::Bool(false) && new != old {
            self.add(
                "schema-value-allowed",
                at,
                "trước đây không được có giá trị",
                "could have no value before",
            );
        }
        self.compare_types(before, after, at);
        self.compare_values(before, after, at);
        self.compare_fields(before, after, at, depth);
        if let (Some(old), Some(new)) = (before.get("items"), after.get("items")) {
            self.compare(old, new, &format!("{at}/*"), depth + 1);
        } else if before.contains_key("items") {
            self.add(
                "schema-items-dropped",
                at,
                "không còn quy định các phần tử",
                "no longer says what its items are",
            );
        }
    }

    fn compare_types(&mut self, before: &Map<String, Value>, after: &Map<String, Value>, at: &str) {
        let old = types(before);
        if old.is_empty() {
            return;
        }
        let new = types(after);
        let foreseen = |one: &&str| old.contains(one) || (*one == "integer" && old.contains(&"number"));
        if new.is_empty() || !new.iter().all(foreseen) {
            self.problems.add(
                "schema-type-changed",
                at,
                format!("{at}: kiểu dữ liệu đổi từ {} thành {}.", shown(&old), shown(&new)),
                format!("{at}: the type changed from {} to {}.", shown(&old), shown(&new)),
            );
        }
    }

    fn compare_values(&mut self, before: &Map<String, Value>, after: &Map<String, Value>, at: &str) {
        if let Some(old) = before.get("enum").and_then(Value::as_array) {
            let new = after.get("enum").and_then(Value::as_array);
            if !new.is_some_and(|new| new.iter().all(|value| old.contains(value))) {
                self.add(
                    "schema-values-added",
                    at,
                    "có thêm giá trị mà bản cũ không có",
                    "may have values that it could not have before",
                );
            }
        }
        for (limit, upper) in LIMITS {
            let Some(old) = before.get(*limit).and_then(Value::as_f64) else {
                continue;
            };
            let new = after.get(*limit).and_then(Value::as_f64);
            if !new.is_some_and(|new| if *upper { new <= old } else { new >= old }) {
                self.add(
                    "schema-limit-widened",
                    at,
                    &format!("giới hạn {limit} được nới rộng"),
                    &format!("the limit {limit} became wider"),
                );
            }
        }
        for keyword in UNJUDGED {
            if before.contains_key(*keyword) && before.get(*keyword) != after.get(*keyword) {
                self.add(
                    "schema-keyword-changed",
                    at,
                    &format!("{keyword} đã thay đổi"),
                    &format!("{keyword} has changed"),
                );
            }
        }
    }

    fn compare_fields(&mut self, before: &Map<String, Value>, after: &Map<String, Value>, at: &str, depth: usize) {
        let required = required(after);
        for name in self::required(before) {
            if !required.contains(&name) {
                self.add(
                    "schema-field-not-required",
                    &format!("{at}/{name}"),
                    "trước đây luôn có, nay có thể thiếu",
                    "was always there and may now be missing",
                );
            }
        }
        let empty = Map::new();
        let old_fields = before.get("properties").and_then(Value::as_object).unwrap_or(&empty);
        let new_fields = after.get("properties").and_then(Value::as_object).unwrap_or(&empty);
        for (name, old) in old_fields {
            let at = format!("{at}/{name}");
            match new_fields.get(name) {
                Some(new) => self.compare(old, new, &at, depth + 1),
                None => self.add("schema-field-removed", &at, "trường đã bị bỏ", "the field was removed"),
            }
        }
        if before.get("additionalProperties") == Some(&Value::Bool(false)) {
            for name in new_fields.keys().filter(|name| !old_fields.contains_key(*name)) {
                self.add(
                    "schema-field-added",
                    &format!("{at}/{name}"),
                    "bản cũ không cho phép thêm trường (additionalProperties: false)",
                    "the old version allows no further fields (additionalProperties: false)",
                );
            }
            if after.get("additionalProperties") != Some(&Value::Bool(false)) {
                self.add(
                    "schema-opened",
                    at,
                    "nay được có thêm trường bất kỳ",
                    "may now have any further field",
                );
            }
        }
    }

    fn add(&mut self, code: &str, at: &str, vi: &str, en: &str) {
        self.problems
            .add(code, at, format!("{at}: {vi}."), format!("{at}: {en}."));
    }
}

fn has_references(schema: &Value) -> bool {
    match schema {
        Value::Object(members) => members.contains_key("$ref") || members.values().any(has_references),
        Value::Array(items) => items.iter().any(has_references),
        _ => false,
    }
}

/// The schema that a bare reference means.
fn resolve<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let mut schema = schema;
    for _ in 0..DEEPEST {
        let Some(target) = schema.get("$ref").and_then(Value::as_str) else {
            break;
        };
        let Some(next) = target_of(root, target) else { break };
        schema = next;
    }
    schema
}

fn types(schema: &Map<String, Value>) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn required(schema: &Map<String, Value>) -> Vec<&str> {
    let list = schema.get("required").and_then(Value::as_array);
    list.map(|list| list.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default()
}

fn shown(types: &[&str]) -> String {
    if types.is_empty() {
        "any".to_owned()
    } else {
        types.join("|")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(old: Value, new: Value) -> Vec<(String, String)> {
        breaks(&old, &new)
            .iter()
            .map(|p| (p.code.clone(), p.at.clone()))
            .collect()
    }

    #[test]
    fn what_a_reader_did_not_expect_is_named() {
        let old = json!({
            "type": "object",
            "properties": {
                "a": {"type": "string"},
                "n": {"type": "number", "maximum": 10},
                "s": {"enum": ["x", "y"]},
                "p": {"$ref": "#/$defs/p"},
                "l": {"type": "array", "items": {"type": "integer"}},
                "d": {"type": "string", "format": "date"},
            },
            "required": ["a", "n"],
            "$defs": {"p": {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"], "additionalProperties": false}},
        });
        let cases = [
            (json!({"required": ["n"]}), ("schema-field-not-required", "event/a")),
            (
                json!({"properties": {"a": {"type": ["string", "null"]}}}),
                ("schema-type-changed", "event/a"),
            ),
            (json!({"properties": {"a": {}}}), ("schema-type-changed", "event/a")),
            (
                json!({"properties": {"n": {"type": "number", "maximum": 11}}}),
                ("schema-limit-widened", "event/n"),
            ),
            (
                json!({"properties": {"s": {"enum": ["x", "z"]}}}),
                ("schema-values-added", "event/s"),
            ),
            (
                json!({"properties": {"l": {"type": "array", "items": {"type": "number"}}}}),
                ("schema-type-changed", "event/l/*"),
            ),
            (
                json!({"properties": {"d": {"type": "string"}}}),
                ("schema-keyword-changed", "event/d"),
            ),
            (
                json!({"$defs": {"p": {"type": "object", "properties": {"q": {"type": "string"}}, "additionalProperties": false}}}),
                ("schema-field-not-required", "event/p/q"),
            ),
            (
                json!({"$defs": {"p": {"type": "object", "properties": {"q": {"type": "string"}, "r": {}}, "required": ["q"], "additionalProperties": false}}}),
                ("schema-field-added", "event/p/r"),
            ),
        ];
        for (change, (code, at)) in cases {
            let mut new = old.clone();
            for (name, value) in change.as_object().expect("an object") {
                if let (Some(into), Some(from)) = (new[name].as_object_mut(), value.as_object()) {
                    into.extend(from.clone());
                } else {
                    new[name] = value.clone();
                }
            }
            assert_eq!(found(old.clone(), new), [(code.to_owned(), at.to_owned())], "{change}");
        }
        let mut removed = old.clone();
        removed["properties"].as_object_mut().expect("fields").remove("s");
        assert_eq!(
            found(old, removed),
            [("schema-field-removed".to_owned(), "event/s".to_owned())]
        );
    }

    #[test]
    fn what_only_adds_or_narrows_is_fine() {
        let old = json!({"type": "object", "properties": {"n": {"type": "number"}, "s": {"enum": [1, 2]}}, "required": ["n"]});
        let new = json!({
            "type": "object", "title": "Newer",
            "properties": {"n": {"type": "integer", "minimum": 0}, "s": {"enum": [1]}, "more": {"type": "string"}},
            "required": ["n", "more"],
        });
        assert_eq!(found(old.clone(), old.clone()), []);
        assert_eq!(found(old, new), []);
    }

    #[test]
    fn schemas_that_refer_to_themselves_are_compared_in_the_end() {
        let tree = |kind: &str| json!({"type": "object", "properties": {"v": {"type": kind}, "below": {"type": "array", "items": {"$ref": "#"}}}});
        assert_eq!(found(tree("string"), tree("string")), []);
        assert!(!found(tree("string"), tree("number")).is_empty());
    }
}
