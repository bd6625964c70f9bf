//! JSON to FEEL and back.

use std::fmt;

use dsntk_feel::{FeelNumber, FeelScope, Name, context::FeelContext, values::Value as Feel};
use dsntk_feel_temporal::FeelDate;
use jiff::civil::Date;
use serde_json::{Map, Number, Value};

use super::{MAX_LIST, Type, Types};

/// Values by name.
pub trait Values {
    /// The value of this name.
    fn value(&self, name: &str) -> Option<&Value>;
}

impl Values for Map<String, Value> {
    fn value(&self, name: &str) -> Option<&Value> {
        self.get(name)
    }
}

/// The values that expressions read: the declared names, null (a list: empty) where nothing was given.
pub struct Data {
    scope: FeelScope,
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The values are people's answers: never printed.
        f.write_str("Data")
    }
}

impl Data {
    /// Values by name, converted by their declared types. What is not declared is left out.
    pub fn new(types: &Types, values: &impl Values) -> Self {
        Self {
            scope: context(values, types.roots()).into(),
        }
    }

    /// Sets one dotted name. Null takes it away.
    pub fn set(&mut self, id: &str, value: &Value, ty: &Type) {
        fn put(context: &mut FeelContext, id: &str, value: Feel) {
            match id.split_once('.') {
                None => context.set_entry(&Name::from(id), value),
                Some((head, rest)) => {
                    let name = Name::from(head);
                    let mut inner = match context.remove_entry(&name) {
                        Some(Feel::Context(inner)) => inner,
                        _ => FeelContext::new(),
                    };
                    put(&mut inner, rest, value);
                    context.set_entry(&name, Feel::Context(inner));
                }
            }
        }
        let mut root = self.scope.pop().unwrap_or_default();
        put(&mut root, id, from_json(value, ty));
        self.scope.push(root);
    }

    pub(super) fn scope(&self) -> &FeelScope {
        &self.scope
    }

    pub(crate) fn context(&self) -> FeelContext {
        self.scope.peek().unwrap_or_default()
    }
}

/// An exact decimal of a JSON number.
fn number(value: &Number) -> Option<FeelNumber> {
    value.to_string().parse().ok()
}

fn from_json(value: &Value, ty: &Type) -> Feel {
    match (value, ty) {
        (Value::Null, Type::Context(inner)) => Feel::Context(context(&Map::new(), inner)),
        (Value::Null, Type::List(_)) => Feel::List(Vec::new()),
        (Value::Null, _) => Feel::Null(None),
        (Value::Bool(b), _) => Feel::Boolean(*b),
        (Value::Number(n), _) => number(n).map_or(Feel::Null(None), Feel::Number),
        (Value::String(s), Type::Date) => date(s).map_or(Feel::Null(None), Feel::Date),
        (Value::String(s), Type::Number) => s.parse::<FeelNumber>().map_or(Feel::Null(None), Feel::Number),
        (Value::String(s), _) => Feel::String(s.clone()),
        (Value::Array(items), ty) => {
            let item = match ty {
                Type::List(item) => item,
                _ => &Type::Any,
            };
            Feel::List(items.iter().take(MAX_LIST).map(|v| from_json(v, item)).collect())
        }
        (Value::Object(map), Type::Context(inner)) => Feel::Context(context(map, inner)),
        (Value::Object(map), _) => {
            let mut out = FeelContext::new();
            for (name, value) in map {
                out.set_entry(&Name::from(name), from_json(value, &Type::Any));
            }
            Feel::Context(out)
        }
    }
}

/// The declared parts of an object; those that are missing are null.
fn context<'a>(values: &impl Values, types: impl IntoIterator<Item = (&'a String, &'a Type)>) -> FeelContext {
    let mut out = FeelContext::new();
    for (name, ty) in types {
        let value = values.value(name).unwrap_or(&Value::Null);
        out.set_entry(&Name::from(name), from_json(value, ty));
    }
    out
}

/// A date. Almost all are written in ten characters, which need no pattern to be read.
fn date(text: &str) -> Option<FeelDate> {
    let usual = matches!(text.as_bytes(), [b'1'..=b'9', _, _, _, b'-', _, _, b'-', _, _]);
    match text.parse::<Date>() {
        Ok(date) if usual => {
            let (month, day) = (date.month().unsigned_abs(), date.day().unsigned_abs());
            FeelDate::new(date.year().into(), month.into(), day.into())
        }
        _ => text.parse().ok(),
    }
}

/// A FEEL value as JSON. Whole numbers stay whole; other decimals are given as JSON numbers of the same digits
/// where a double can hold them; what JSON has no word for becomes its text.
pub(crate) fn to_json(value: &Feel) -> Value {
    match value {
        Feel::Null(_) => Value::Null,
        Feel::Boolean(b) => Value::Bool(*b),
        Feel::Number(n) => {
            let text = n.to_string();
            if let Ok(whole) = text.parse::<i64>() {
                return Value::from(whole);
            }
            match text.parse::<f64>().ok().and_then(Number::from_f64) {
                Some(number) if number.to_string() == text => Value::Number(number),
                _ => Value::String(text),
            }
        }
        Feel::String(s) => Value::String(s.clone()),
        Feel::List(items) => Value::Array(items.iter().map(to_json).collect()),
        Feel::Context(context) => Value::Object(
            context
                .iter()
                .map(|(name, value)| (name.to_string(), to_json(value)))
                .collect(),
        ),
        other => Value::String(other.to_string()),
    }
}
