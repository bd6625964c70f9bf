//! The spans of a message, and the context that goes with it (`docs/protocol.md`, 3).
//!
//! ```text
//! consumer's node  CONSUME ─► SEND ─ traceparent in the record ─► PROVIDE ─► SERVICE ─ traceparent ─► service
//! ```
//! They say nothing that a client chose: ids are those that the directory or this node lists, and of an operation the
//! pattern.

use traces::{Context, Key, Span};
use uuid::Uuid;

use super::operations::Course;
use crate::model::{
    Field, Method,
    error::{Refusal, Spelling},
    hosting::LocalService,
    message::RequestRecord,
};

/// The consumer's node, from the request of an information system to its answer.
pub(super) const CONSUME: &str = "exchange consume";
/// The message to the provider's node, logging and proof included.
pub(super) const SEND: &str = "exchange send";
/// The provider's node.
pub(super) const PROVIDE: &str = "exchange provide";
/// The service behind it.
pub(super) const SERVICE: &str = "exchange service";

const PARENT: &str = "traceparent";
const STATE: &str = "tracestate";

/// Sets the context among the fields that go on, in the place of what the information system sent.
pub(super) fn put(context: &Context, fields: &mut Vec<Field>) {
    fields.retain(|field| !field.is(PARENT) && !field.is(STATE));
    fields.push(Field::ours(PARENT, context.traceparent()));
    fields.extend(context.tracestate().map(|state| Field::ours(STATE, state)));
}

/// Who asks, in which request. `client` is listed or proved.
pub(super) fn asked(span: &mut Span, method: Method, client: &impl ToString, request_id: Uuid) {
    span.method(method.as_str());
    span.set(Key::Client, || client.to_string());
    span.set(Key::RequestId, || request_id.to_string());
}

/// Which of its service's operations is called, if the service describes them.
pub(super) fn operation(span: &mut Span, service: &LocalService, record: &RequestRecord) {
    if !span.is_recorded() {
        return;
    }
    let (method, path) = (record.method(), record.target().path());
    let fits = service
        .endpoints
        .iter()
        .find(|endpoint| endpoint.methods.has(method) && endpoint.path.matches(path));
    if let Some(endpoint) = fits {
        span.set(Key::Route, || endpoint.path.as_str().to_owned());
    }
}

/// How a message ended on this side.
pub(super) fn answered(course: &mut Course, status: u16) {
    course.span.status(status);
    if let Some(code) = course.code() {
        course.span.fail(|| code.name(Spelling::Camel));
    }
}

/// How a call from here ended.
pub(super) fn ended(mut span: Span, outcome: Result<u16, &Refusal>) {
    match outcome {
        Ok(status) => span.status(status),
        Err(refusal) => span.fail(|| refusal.code().name(Spelling::Camel)),
    }
}
