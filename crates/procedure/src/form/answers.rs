//! Answers: JSON nested by the dots of the field ids.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The answers of a draft or a dossier, `{"child":{"name":"…"}}`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Answers(Map<String, Value>);

impl Answers {
    /// No answers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a JSON object; anything else is no answers.
    pub fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Object(map) => Some(Self(map)),
            _ => None,
        }
    }

    /// The answer at a dotted id. Null counts as no answer.
    pub fn get(&self, id: &str) -> Option<&Value> {
        let mut parts = id.split('.');
        let mut value = self.0.get(parts.next()?)?;
        for part in parts {
            value = value.as_object()?.get(part)?;
        }
        (!value.is_null()).then_some(value)
    }

    /// The text at a dotted id.
    pub fn text(&self, id: &str) -> Option<&str> {
        self.get(id)?.as_str()
    }

    /// Puts an answer; what stands in the way is replaced.
    pub fn set(&mut self, id: &str, value: Value) {
        fn put(map: &mut Map<String, Value>, id: &str, value: Value) {
            match id.split_once('.') {
                None => {
                    map.insert(id.to_owned(), value);
                }
                Some((head, rest)) => {
                    let entry = map.entry(head.to_owned()).or_insert_with(|| Value::Object(Map::new()));
                    if !entry.is_object() {
                        *entry = Value::Object(Map::new());
                    }
                    if let Value::Object(inner) = entry {
                        put(inner, rest, value);
                    }
                }
            }
        }
        put(&mut self.0, id, value);
    }

    /// Takes an answer away, and groups that it leaves empty.
    pub fn remove(&mut self, id: &str) {
        fn cut(map: &mut Map<String, Value>, id: &str) {
            match id.split_once('.') {
                None => {
                    map.shift_remove(id);
                }
                Some((head, rest)) => {
                    if let Some(Value::Object(inner)) = map.get_mut(head) {
                        cut(inner, rest);
                        if inner.is_empty() {
                            map.shift_remove(head);
                        }
                    }
                }
            }
        }
        cut(&mut self.0, id);
    }

    /// Lays changes over these answers; `None` takes one away.
    pub fn apply(&mut self, changes: &[(String, Option<Value>)]) {
        for (id, value) in changes {
            match value {
                Some(value) => self.set(id, value.clone()),
                None => self.remove(id),
            }
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The object.
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The object as a JSON value.
    pub fn to_value(&self) -> Value {
        Value::Object(self.0.clone())
    }
}
