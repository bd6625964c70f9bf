//! Between the header maps of HTTP and the fields of the model.

use base::codes::CodeError;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::model::{Field, FieldFlaw};

/// What never stands twice on a connection: HPACK need not remember it, and has room for what does.
const ONCE: [&str; 8] = [
    "content-digest",
    "motcua-salt",
    "motcua-proof",
    "motcua-request",
    "traceparent",
    "x-road-id",
    "x-road-request-id",
    "x-road-request-hash",
];

/// The headers that carry a record and its proof. All of them stand at the head of a message, or all in its trailers.
const OF_NODES: [&str; 6] = [
    "content-digest",
    "motcua-input",
    "motcua-salt",
    "motcua-proof",
    "motcua-checkpoint",
    "motcua-request",
];

pub(super) fn is_of_nodes(name: &HeaderName) -> bool {
    OF_NODES.contains(&name.as_str())
}

/// The raw fields, in their order.
pub(super) fn raw(headers: &HeaderMap) -> impl Iterator<Item = (&[u8], &[u8])> {
    headers
        .iter()
        .map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()))
}

/// The fields of a head, or where the first flaw is.
pub(super) fn fields(headers: &HeaderMap) -> Result<Vec<Field>, (String, CodeError)> {
    let field = |(name, value): (&[u8], &[u8])| {
        Field::new(name, value).map_err(|flaw: FieldFlaw| (name.escape_ascii().to_string(), flaw.into()))
    };
    raw(headers).map(field).collect()
}

/// The same as a header map. A field that HTTP cannot carry cannot be made.
pub(super) fn headers<'a>(fields: impl IntoIterator<Item = &'a Field>) -> HeaderMap {
    let fields = fields.into_iter();
    let mut headers = HeaderMap::with_capacity(fields.size_hint().0 + 4);
    for field in fields {
        let name = HeaderName::from_bytes(field.name().as_bytes());
        let value = HeaderValue::from_bytes(field.value());
        if let (Ok(name), Ok(mut value)) = (name, value) {
            value.set_sensitive(ONCE.contains(&name.as_str()));
            headers.append(name, value);
        }
    }
    headers
}
