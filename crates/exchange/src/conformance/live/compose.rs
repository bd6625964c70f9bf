//! Requests made from an operation.

use serde_json::Value;

use super::{
    Runner,
    client::{Address, Request},
    generate::Taste,
    pool::{Bound, list_of},
};
use crate::conformance::description::{Content, Operation, Parameter, Place};

/// How often a value is made anew when its schema refuses it.
const TRIES: usize = 6;

/// A request that the description calls good.
#[derive(Debug, Clone)]
pub(super) struct Composed {
    pub request: Request,
    /// The values of the path's templates.
    pub bound: Bound,
    /// Whether everything that had to be chosen came from examples.
    pub from_examples: bool,
}

/// The parts of a request before they are put together.
#[derive(Debug, Clone, Default)]
pub(super) struct Parts {
    pub path: Bound,
    pub query: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
    pub body: Option<(String, Vec<u8>)>,
}

impl Runner<'_> {
    /// A good request; none when no value fits a schema.
    pub(super) async fn compose(&mut self, operation: &Operation, taste: Taste) -> Option<Composed> {
        let (parts, from_examples) = self.parts(operation, taste).await?;
        let bound = parts.path.clone();
        let mut request = self.assemble(operation, parts)?;
        if operation.parameter(Place::Header, "If-Match").is_some() {
            let etag = self.pool.etag(&request.address).unwrap_or("*").to_owned();
            request.headers.push(("If-Match".into(), etag));
        }
        Some(Composed {
            request,
            bound,
            from_examples,
        })
    }

    /// The parts of a good request, and whether all that had to be chosen came from examples.
    pub(super) async fn parts(&mut self, operation: &Operation, taste: Taste) -> Option<(Parts, bool)> {
        let mut parts = Parts {
            path: self.seen(&operation.path),
            ..Parts::default()
        };
        let mut chosen = 0;
        let mut from_examples = taste == Taste::Example;
        for parameter in &operation.parameters {
            let example = parameter.examples.first().filter(|_| taste == Taste::Example).cloned();
            let is_bound = parameter.place == Place::Path && parts.path.contains_key(&parameter.name);
            if is_conditional(parameter) || !wanted(parameter, taste) || (is_bound && example.is_none()) {
                continue;
            }
            if parameter.place == Place::Header && parameter.name.eq_ignore_ascii_case("Idempotency-Key") {
                parts.headers.push((parameter.name.clone(), self.generator.uuid()));
                continue;
            }
            chosen += 1;
            from_examples &= example.is_some();
            let value = match example {
                Some(example) => Some(example),
                None => self.valid(parameter.schema.as_deref()?, &parameter.name, taste).await,
            };
            match value {
                Some(value) => parts.put(parameter, &value),
                None if parameter.required => return None,
                None => {}
            }
        }
        if let Some(content) = best(&operation.body).filter(|_| operation.body_required || taste != Taste::Least) {
            let example = content.examples.first().filter(|_| taste == Taste::Example);
            chosen += 1;
            from_examples &= example.is_some();
            parts.body = match example {
                Some(example) => Some((content.media_type.clone(), bytes_of(content, example))),
                None => self.body(content, taste).await,
            };
            if parts.body.is_none() && operation.body_required {
                return None;
            }
        }
        Some((parts, from_examples && chosen > 0))
    }

    /// The templates of a path by a thing that was seen there: of the innermost list that showed any.
    fn seen(&self, path: &str) -> Bound {
        let mut rest = path;
        while let Some((list, template)) = list_of(rest) {
            let thing = self.pool.things(list).first();
            if let Some((thing, (_, key))) = thing.and_then(|thing| Some((thing, thing.key(template)?))) {
                let mut bound = thing.bound.clone();
                bound.insert(template.to_owned(), key);
                return bound;
            }
            rest = list;
        }
        Bound::new()
    }

    /// A value that a schema takes.
    async fn valid(&mut self, schema: &str, name: &str, taste: Taste) -> Option<Value> {
        let mut taste = taste;
        for _ in 0..TRIES {
            let value = self.generator.value(self.description, schema, name, taste)?;
            if self.judge.takes(schema, &value).await {
                return Some(value);
            }
            // What the schema gave as an example may be wrong, and a well-known code may not fit: invent one.
            taste = if taste == Taste::Least {
                Taste::Full
            } else {
                Taste::Least
            };
        }
        None
    }

    async fn body(&mut self, content: &Content, taste: Taste) -> Option<(String, Vec<u8>)> {
        if content.is_json() {
            let value = self.valid(content.schema.as_deref()?, "", taste).await?;
            return Some((content.media_type.clone(), serde_json::to_vec(&value).ok()?));
        }
        let is_plain = content.media_type == "application/octet-stream" || content.media_type.starts_with("text/");
        is_plain.then(|| (content.media_type.clone(), b"mot cua".to_vec()))
    }

    /// Puts a request together; none when a template of the path has no value.
    pub(super) fn assemble(&self, operation: &Operation, parts: Parts) -> Option<Request> {
        let mut path = operation.path.clone();
        for template in operation.templates() {
            path = path.replace(&format!("{{{template}}}"), &escape(parts.path.get(template)?));
        }
        let query: Vec<String> = parts
            .query
            .iter()
            .map(|(name, value)| format!("{}={}", escape(name), escape(value)))
            .collect();
        let mark = if query.is_empty() { "" } else { "?" };
        let address = self.address(&format!("{path}{mark}{}", query.join("&")))?;
        let mut headers = vec![(
            "Accept".to_owned(),
            "application/json, application/problem+json, */*;q=0.5".to_owned(),
        )];
        headers.extend(parts.headers);
        let mut body = None;
        if let Some((kind, bytes)) = parts.body {
            headers.push(("Content-Type".to_owned(), kind));
            body = Some(bytes);
        }
        Some(Request {
            method: operation.method.to_owned(),
            address,
            headers,
            body,
            credentials: true,
        })
    }

    /// The address of a path below the base.
    pub(super) fn address(&self, target: &str) -> Option<Address> {
        self.base.with_target(&format!("{}{target}", self.base.path()))
    }
}

impl Parts {
    /// Puts the value of a parameter where it belongs, lists exploded as OpenAPI does by default.
    pub(super) fn put(&mut self, parameter: &Parameter, value: &Value) {
        let name = parameter.name.clone();
        match (parameter.place, value) {
            (Place::Query, Value::Array(items)) => {
                self.query
                    .extend(items.iter().map(|item| (name.clone(), text_of(item))));
            }
            (Place::Query, value) => self.query.push((name, text_of(value))),
            (Place::Path, value) => {
                self.path.insert(name, text_of(value));
            }
            (Place::Header, value) => {
                let text = text_of(value);
                if text.bytes().all(|c| (0x20..0x7f).contains(&c)) {
                    self.headers.push((name, text));
                }
            }
            (Place::Cookie, value) => self
                .headers
                .push(("Cookie".into(), format!("{name}={}", escape(&text_of(value))))),
        }
    }
}

/// Whether a parameter is sent with this taste. A mark of a page is the service's own: nobody can invent one.
fn wanted(parameter: &Parameter, taste: Taste) -> bool {
    let is_mark = ["cursor", "after", "before", "page_token"].contains(&parameter.name.as_str());
    parameter.required || (taste == Taste::Full && !is_mark)
}

/// Headers that have rules of their own.
fn is_conditional(parameter: &Parameter) -> bool {
    let name = parameter.name.to_ascii_lowercase();
    parameter.place == Place::Header
        && (name.starts_with("if-") || matches!(name.as_str(), "range" | "accept" | "content-type" | "authorization"))
}

/// The media type that can be made best.
pub(super) fn best(body: &[Content]) -> Option<&Content> {
    body.iter().find(|content| content.is_json()).or_else(|| body.first())
}

fn bytes_of(content: &Content, example: &Value) -> Vec<u8> {
    match example {
        Value::String(text) if !content.is_json() => text.clone().into_bytes(),
        value => value.to_string().into_bytes(),
    }
}

pub(super) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text_of).collect::<Vec<_>>().join(","),
        value => value.to_string(),
    }
}

/// Percent-encoding of everything but unreserved characters (RFC 3986, 2.3).
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
