//! Answers by their dotted ids.

use procedure::form::Answers;
use serde_json::Value;

/// `new` laid over `old`, leaf by leaf, so that an answer to one field leaves its neighbours alone.
pub(in crate::model) fn merged(old: &Answers, new: &Answers) -> Answers {
    let mut all = old.clone();
    for (id, value) in leaves(new) {
        all.set(&id, value);
    }
    all
}

/// The answers by dotted id.
pub(in crate::model) fn leaves(answers: &Answers) -> Vec<(String, Value)> {
    fn walk(prefix: &str, value: &Value, out: &mut Vec<(String, Value)>) {
        match value {
            Value::Object(inner) => {
                for (key, value) in inner {
                    let at = if prefix.is_empty() {
                        key.clone()
                    } else {
                        format!("{prefix}.{key}")
                    };
                    walk(&at, value, out);
                }
            }
            other => out.push((prefix.to_owned(), other.clone())),
        }
    }
    let mut out = Vec::new();
    walk("", &answers.to_value(), &mut out);
    out
}
