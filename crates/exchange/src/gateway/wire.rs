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

/// The fields as they came, each with its name, in their order.
pub(super) fn raw(headers: HeaderMap) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let mut headers = headers.into_iter().peekable();
    let mut again = None;
    // The map names the first field of a name alone.
    std::iter::from_fn(move || {
        let (name, value) = headers.next()?;
        let name = name.or_else(|| again.take())?;
        if matches!(headers.peek(), Some((None, _))) {
            again = Some(name.clone());
        }
        Some((name, value))
    })
}

/// The fields of a head, and of trailers behind it; or where the first flaw is.
pub(super) fn fields(parts: impl IntoIterator<Item = HeaderMap>) -> Result<Vec<Field>, (String, CodeError)> {
    let field = |raw| Field::try_from(raw).map_err(|(name, flaw): (String, FieldFlaw)| (name, flaw.into()));
    parts.into_iter().flat_map(raw).map(field).collect()
}

/// The same as a header map.
pub(super) fn headers(fields: impl IntoIterator<Item = Field>) -> HeaderMap {
    let fields = fields.into_iter();
    let mut headers = HeaderMap::with_capacity(fields.size_hint().0);
    for field in fields {
        let (name, mut value): (HeaderName, HeaderValue) = field.into();
        value.set_sensitive(ONCE.contains(&name.as_str()));
        headers.append(name, value);
    }
    headers
}
