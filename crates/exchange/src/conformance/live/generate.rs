//! Values made from schemas: examples first, then invented ones, the same for the same seed.

use rand::{Rng, SeedableRng, rngs::StdRng};
use regex_syntax::hir::{Class, Hir, HirKind};
use serde_json::{Map, Value, json};

use crate::conformance::{
    description::{Description, is_type, types},
    dictionary::{Known, look_up},
};

/// Deepest value that is made.
const DEEPEST: usize = 12;
/// Most values in one value.
const MOST: usize = 5_000;
/// Longest text made from a pattern, in characters.
const LONGEST: usize = 4_096;

/// What sort of value to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taste {
    /// Examples, defaults, and else what is needed at least.
    Example,
    /// Invented, with what is needed only.
    Least,
    /// Invented, with everything.
    Full,
}

/// Makes values.
pub(super) struct Generator {
    random: StdRng,
    /// How many values may still be made for the one that is asked for.
    left: usize,
}

impl Generator {
    pub fn new(seed: u64) -> Self {
        Self {
            random: StdRng::seed_from_u64(seed),
            left: MOST,
        }
    }

    /// A number below `end`, which is at least 1.
    pub fn below(&mut self, end: usize) -> usize {
        self.random.random_range(0..end.max(1))
    }

    /// A random UUID (version 4), for `Idempotency-Key` and the like.
    pub fn uuid(&mut self) -> String {
        uuid::Builder::from_random_bytes(self.random.random())
            .into_uuid()
            .to_string()
    }

    /// A value that the schema at a pointer should take; `name` is what the field is called.
    pub fn value(&mut self, description: &Description, pointer: &str, name: &str, taste: Taste) -> Option<Value> {
        self.left = MOST;
        self.make(description, pointer, name, taste, 0)
    }

    fn make(
        &mut self,
        description: &Description,
        pointer: &str,
        name: &str,
        taste: Taste,
        deep: usize,
    ) -> Option<Value> {
        let (at, schema) = description
            .follow(pointer)
            .filter(|_| deep <= DEEPEST && self.left > 0)?;
        self.left -= 1;
        if schema.is_boolean() {
            return Some(json!("x"));
        }
        if let Some(given) = self.given(schema, taste) {
            return Some(given);
        }
        for key in ["oneOf", "anyOf"] {
            if let Some(list) = schema.get(key).and_then(Value::as_array) {
                let real: Vec<usize> = (0..list.len())
                    .filter(|n| list.get(*n).and_then(|branch| branch.get("type")) != Some(&json!("null")))
                    .collect();
                let chosen = real.get(self.below(real.len()))?;
                let branch = self.make(description, &format!("{at}/{key}/{chosen}"), name, taste, deep + 1)?;
                return Some(match (branch, self.object(description, &at, schema, taste, deep)) {
                    (Value::Object(mut a), Some(Value::Object(b))) => {
                        a.extend(b);
                        Value::Object(a)
                    }
                    (branch, _) => branch,
                });
            }
        }
        if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
            let mut merged = self.object(description, &at, schema, taste, deep);
            for n in 0..parts.len() {
                let part = self.make(description, &format!("{at}/allOf/{n}"), name, taste, deep + 1)?;
                merged = Some(match (merged, part) {
                    (Some(Value::Object(mut a)), Value::Object(b)) => {
                        a.extend(b);
                        Value::Object(a)
                    }
                    (_, part) => part,
                });
            }
            return merged;
        }
        let kinds = types(schema);
        match kinds.iter().find(|kind| **kind != "null").copied() {
            Some("string") => self.text(schema, name, taste),
            Some(kind @ ("integer" | "number")) => Some(self.number(schema, kind == "integer")),
            Some("boolean") => Some(json!(self.below(2) == 1)),
            Some("array") => self.list(description, &at, schema, name, taste, deep),
            Some("object") => self
                .object(description, &at, schema, taste, deep)
                .or_else(|| Some(json!({}))),
            _ if kinds.contains(&"null") => Some(Value::Null),
            _ if schema.get("properties").is_some() => self.object(description, &at, schema, taste, deep),
            _ => Some(json!("x")),
        }
    }

    /// What the schema itself gives.
    fn given(&mut self, schema: &Value, taste: Taste) -> Option<Value> {
        if let Some(only) = schema.get("const") {
            return Some(only.clone());
        }
        if taste == Taste::Example {
            let listed = schema
                .get("examples")
                .and_then(Value::as_array)
                .and_then(|list| list.first());
            if let Some(example) = schema.get("example").or(listed).or_else(|| schema.get("default")) {
                return Some(example.clone());
            }
        }
        let choices: Vec<&Value> = schema
            .get("enum")?
            .as_array()?
            .iter()
            .filter(|value| !value.is_null())
            .collect();
        choices.get(self.below(choices.len())).map(|value| (*value).clone())
    }

    fn object(
        &mut self,
        description: &Description,
        at: &str,
        schema: &Value,
        taste: Taste,
        deep: usize,
    ) -> Option<Value> {
        let properties = schema.get("properties")?.as_object()?;
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let mut object = Map::new();
        for (name, inner) in properties {
            let needed = required.contains(&name.as_str());
            let read_only = inner.get("readOnly") == Some(&Value::Bool(true));
            let wanted = taste == Taste::Full && deep < DEEPEST / 2 && !read_only;
            if !needed && !wanted {
                continue;
            }
            let pointer = format!("{at}/properties/{}", crate::conformance::description::step(name));
            match self.make(description, &pointer, name, taste, deep + 1) {
                Some(value) => {
                    object.insert(name.clone(), value);
                }
                None if needed => return None,
                None => {}
            }
        }
        Some(Value::Object(object))
    }

    fn list(
        &mut self,
        description: &Description,
        at: &str,
        schema: &Value,
        name: &str,
        taste: Taste,
        deep: usize,
    ) -> Option<Value> {
        let bound = |key: &str| {
            schema
                .get(key)
                .and_then(Value::as_u64)
                .and_then(|n| usize::try_from(n).ok())
        };
        let least = bound("minItems").unwrap_or(0);
        let most = bound("maxItems").unwrap_or(usize::MAX).min(64);
        let wanted = if taste == Taste::Full {
            least.max(1).min(most)
        } else {
            least
        };
        let mut items: Vec<Value> = Vec::new();
        let unique = schema.get("uniqueItems") == Some(&Value::Bool(true));
        for _ in 0..wanted.saturating_mul(4).min(256) {
            if items.len() == wanted {
                break;
            }
            let item = self
                .make(description, &format!("{at}/items"), name, taste, deep + 1)
                .or_else(|| schema.get("items").is_none().then(|| json!("x")))?;
            if !unique || !items.contains(&item) {
                items.push(item);
            }
        }
        Some(Value::Array(items))
    }

    fn number(&mut self, schema: &Value, whole: bool) -> Value {
        let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
        let step = bound("multipleOf").filter(|step| *step > 0.0).unwrap_or(1.0);
        let least = bound("minimum").or_else(|| bound("exclusiveMinimum").map(|n| n + step));
        let most = bound("maximum").or_else(|| bound("exclusiveMaximum").map(|n| n - step));
        let (from, to) = match (least, most) {
            (Some(least), Some(most)) => (least, most.max(least)),
            (Some(least), None) => (least, least + 20.0 * step),
            (None, Some(most)) => (most - 20.0 * step, most),
            (None, None) => (step, 20.0 * step),
        };
        let steps = ((to - from) / step).clamp(0.0, 1000.0) as usize;
        let first = (from / step).ceil() * step;
        let value = (first + self.below(steps + 1) as f64 * step).min(to.max(first));
        if whole { json!(value as i64) } else { json!(value) }
    }

    fn text(&mut self, schema: &Value, name: &str, taste: Taste) -> Option<Value> {
        let known = look_up(name).map(|known| match known {
            Known::Common(word) | Known::Otherwise(word) => word,
        });
        // A code that exists in shape and check digit, so that a service which checks more than its schema takes it too.
        if taste != Taste::Full
            && let Some(shape) = known.and_then(|word| word.shape)
        {
            let good = shape.good();
            return good.first().map(|text| json!(text));
        }
        let format = schema.get("format").and_then(Value::as_str);
        if let Some(text) = format.and_then(|format| self.formatted(format)) {
            return Some(json!(text));
        }
        let bound = |key: &str| {
            schema
                .get(key)
                .and_then(Value::as_u64)
                .and_then(|n| usize::try_from(n).ok())
        };
        let (least, most) = (
            bound("minLength").unwrap_or(0),
            bound("maxLength").unwrap_or(usize::MAX),
        );
        if let Some(pattern) = schema.get("pattern").and_then(Value::as_str) {
            return self.matching(pattern).map(|text| json!(text));
        }
        const LETTERS: [char; 8] = ['a', 'b', 'c', 'd', 'đ', 'ê', 'm', 'n'];
        let wanted = least.max(8.min(most)).min(LONGEST);
        let text: String = (0..wanted).map(|_| LETTERS[self.below(LETTERS.len())]).collect();
        Some(json!(text))
    }

    fn formatted(&mut self, format: &str) -> Option<String> {
        let day = 1 + self.below(28);
        Some(match format {
            "date" => format!("2026-11-{day:02}"),
            "date-time" => format!("2026-11-{day:02}T10:00:00+07:00"),
            "time" => "10:00:00+07:00".to_owned(),
            "duration" => format!("P{day}D"),
            "email" | "idn-email" => format!("nguoi{day}@example.vn"),
            "hostname" | "idn-hostname" => "example.vn".to_owned(),
            "ipv4" => "192.0.2.1".to_owned(),
            "ipv6" => "2001:db8::1".to_owned(),
            "uri" | "iri" | "uri-reference" | "iri-reference" | "url" => format!("https://example.vn/{day}"),
            "uuid" => self.uuid(),
            "byte" => "bW90IGN1YQ==".to_owned(),
            "json-pointer" => "/a".to_owned(),
            "regex" => "^a$".to_owned(),
            _ => return None,
        })
    }

    /// A text that a pattern matches; none when the pattern has look-around or other things beyond regular expressions.
    pub fn matching(&mut self, pattern: &str) -> Option<String> {
        let hir = regex_syntax::ParserBuilder::new()
            .nest_limit(64)
            .build()
            .parse(pattern)
            .ok()?;
        let mut out = String::new();
        self.write(&hir, &mut out)?;
        (out.chars().count() <= LONGEST).then_some(out)
    }

    fn write(&mut self, hir: &Hir, out: &mut String) -> Option<()> {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => out.push_str(std::str::from_utf8(&literal.0).ok()?),
            HirKind::Class(class) => out.push(self.one_of(class)?),
            HirKind::Repetition(repetition) => {
                let more = repetition
                    .max
                    .map_or(3, |max| max.saturating_sub(repetition.min).min(3));
                let times = repetition.min as usize + self.below(more as usize + 1);
                for _ in 0..times {
                    if out.len() > 4 * LONGEST {
                        return None;
                    }
                    self.write(&repetition.sub, out)?;
                }
            }
            HirKind::Capture(capture) => self.write(&capture.sub, out)?,
            HirKind::Concat(parts) => {
                for part in parts {
                    self.write(part, out)?;
                }
            }
            HirKind::Alternation(branches) => {
                let chosen = self.below(branches.len());
                self.write(branches.get(chosen)?, out)?;
            }
        }
        Some(())
    }

    /// A character of a class; one that can be printed, if there is one.
    fn one_of(&mut self, class: &Class) -> Option<char> {
        let ranges: Vec<(char, char)> = match class {
            Class::Unicode(class) => class
                .ranges()
                .iter()
                .map(|range| (range.start(), range.end()))
                .collect(),
            Class::Bytes(class) => class
                .ranges()
                .iter()
                .map(|range| (char::from(range.start()), char::from(range.end())))
                .collect(),
        };
        let printable: Vec<(char, char)> = ranges
            .iter()
            .filter_map(|(from, to)| {
                let (from, to) = ((*from).max('!'), (*to).min('~'));
                (from <= to).then_some((from, to))
            })
            .collect();
        let ranges = if printable.is_empty() { ranges } else { printable };
        let (from, to) = *ranges.get(self.below(ranges.len()))?;
        let width = (u32::from(to) - u32::from(from)) as usize + 1;
        let offset = u32::try_from(self.below(width)).ok()?;
        char::from_u32(u32::from(from) + offset).or(Some(from))
    }
}

/// Texts that a schema of one field should refuse; whoever uses them asks the schema first.
pub(super) fn wrong_values(schema: &Value) -> Vec<Value> {
    let mut wrong = Vec::new();
    if is_type(schema, "integer") || is_type(schema, "number") {
        wrong.push(json!("khong-phai-so"));
        let beyond = |key: &str, by: i64| schema.get(key).and_then(Value::as_i64).and_then(|n| n.checked_add(by));
        wrong.extend(
            beyond("maximum", 1)
                .into_iter()
                .chain(beyond("minimum", -1))
                .map(|n| json!(n)),
        );
    }
    if is_type(schema, "boolean") {
        wrong.push(json!("khong-phai-logic"));
    }
    if is_type(schema, "string") {
        wrong.push(json!("31/12/2026 ?"));
        if let Some(most) = schema
            .get("maxLength")
            .and_then(Value::as_u64)
            .filter(|most| *most < 100_000)
        {
            wrong.push(json!("a".repeat(most as usize + 1)));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_written_out() {
        let mut generator = Generator::new(7);
        for pattern in [
            "^[0-9]{12}$",
            "^[0-9]{10}(-[0-9]{3})?$",
            "^(?:H[0-9]{2}|000\\.00)[A-Z]+$",
            "^\\d{4}-\\d{2}$",
            "^[^/]{3}$",
        ] {
            let regex = regex_lite(pattern);
            for _ in 0..20 {
                let text = generator.matching(pattern).expect(pattern);
                assert!(regex(&text), "{text} for {pattern}");
            }
        }
        assert!(generator.matching("^(?=a)b$").is_none(), "look-around is beyond it");
        assert!(generator.matching("a{1000}b{1000}c{1000}d{2000}").is_none(), "too long");
    }

    fn regex_lite(pattern: &str) -> impl Fn(&str) -> bool {
        let validator = jsonschema::validator_for(&json!({ "pattern": pattern })).expect("a pattern");
        move |text| validator.is_valid(&json!(text))
    }
}
