//! Which fields of an answer a consumer may see.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::model::{
    json::{JsonFlaw, Opened, open, read},
    pointer::{Pointer, Step},
};

/// The places in a JSON answer that pass, each with all below it. Everything else is taken out; an item of an array of
/// which nothing passes as well. What passes keeps its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FieldMask(Vec<Pointer>);

impl FieldMask {
    /// A mask of these places. Of none, nothing passes but an empty shell.
    pub const fn new(places: Vec<Pointer>) -> Self {
        Self(places)
    }

    /// The body without what may not pass.
    ///
    /// # Errors
    /// [`JsonFlaw`] when the body is no JSON, or says something twice: then nothing may pass.
    pub fn apply(&self, body: &[u8]) -> Result<Vec<u8>, JsonFlaw> {
        let wanted: Vec<&[Step]> = self.0.iter().map(Pointer::steps).collect();
        let mut out = String::with_capacity(body.len());
        if !keep(read(body)?, &wanted, &mut out)? {
            out.push_str("null");
        }
        Ok(out.into_bytes())
    }
}

/// Writes what passes of a value, or nothing and says so. As deep as the longest pointer.
fn keep(value: &RawValue, wanted: &[&[Step]], out: &mut String) -> Result<bool, JsonFlaw> {
    if wanted.iter().any(|steps| steps.is_empty()) {
        out.push_str(value.get());
        return Ok(true);
    }
    let mut between = "";
    let mut part = |out: &mut String, name: &str, label: &str, value: &RawValue| {
        let below: Vec<&[Step]> = wanted
            .iter()
            .filter_map(|steps| steps.split_first())
            .filter(|(step, _)| step.takes(name))
            .map(|(_, rest)| rest)
            .collect();
        let begin = out.len();
        if below.is_empty() {
            return Ok(());
        }
        out.push_str(between);
        out.push_str(label);
        if keep(value, &below, out)? {
            between = ",";
        } else {
            out.truncate(begin);
        }
        Ok(())
    };
    match open(value)? {
        Opened::Object(members) => {
            out.push('{');
            for (name, value) in members {
                let label = serde_json::to_string(&name).map_err(|_| JsonFlaw::NotJson)?;
                part(out, &name, &format!("{label}:"), value)?;
            }
            out.push('}');
        }
        Opened::Array(items) => {
            out.push('[');
            for (n, value) in items.into_iter().enumerate() {
                part(out, &n.to_string(), "", value)?;
            }
            out.push(']');
        }
        Opened::Scalar => return Ok(false),
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(places: &[&str], body: &str) -> Result<String, JsonFlaw> {
        let places = places.iter().map(|p| p.parse().expect(p)).collect();
        let out = FieldMask::new(places).apply(body.as_bytes())?;
        Ok(String::from_utf8(out).expect("UTF-8"))
    }

    #[test]
    fn what_is_not_listed_is_taken_out() {
        let body = r#" { "name": "An", "born": {"date":"1990-01-01","place":"H41"}, "spouse": {"name":"B"},
            "homes": [{"street":"a","to":1.10},{"to":12345678901234567890123},3] } "#;
        for (places, expected) in [
            (vec!["/name"], r#"{"name":"An"}"#),
            (vec!["/born"], r#"{"born":{"date":"1990-01-01","place":"H41"}}"#),
            (vec!["/born/place", "/name"], r#"{"name":"An","born":{"place":"H41"}}"#),
            (
                vec!["/homes/*/to"],
                r#"{"homes":[{"to":1.10},{"to":12345678901234567890123}]}"#,
            ),
            (vec!["/homes/1"], r#"{"homes":[{"to":12345678901234567890123}]}"#),
            (vec!["/name/x", "/missing"], "{}"),
            (vec![], "{}"),
            (vec!["/*/name"], r#"{"born":{},"spouse":{"name":"B"},"homes":[]}"#),
        ] {
            assert_eq!(masked(&places, body).as_deref(), Ok(expected), "{places:?}");
        }
        assert_eq!(masked(&[""], body).as_deref(), Ok(body.trim()));
        assert_eq!(masked(&["/a"], "7").as_deref(), Ok("null"));
    }

    #[test]
    fn a_body_that_cannot_be_judged_does_not_pass() {
        assert_eq!(masked(&["/a"], "<a/>"), Err(JsonFlaw::NotJson));
        assert_eq!(masked(&["/a"], r#"{"a":1} {"b":2}"#), Err(JsonFlaw::NotJson));
        assert_eq!(masked(&["/a"], r#"{"a":1,"a":2}"#), Err(JsonFlaw::DuplicateMember));
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(
            masked(&["/0/0/x"], &deep).as_deref(),
            Ok("[[[]]]"),
            "no stack is used up"
        );
    }
}
