//! One piece of work: when it began, how it ended, what it was part of.

use std::{
    borrow::Cow,
    sync::Arc,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use crate::{Context, tracer::Queue};

/// Which side of a call a span is (OpenTelemetry, Trace, `SpanKind`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Work that nobody outside asked for.
    Internal,
    /// An answer to a request.
    Server,
    /// A request, until its answer.
    Client,
    /// Work that was left for later.
    Consumer,
}

/// What a span can say. There is no key for anything that a person or a client chose freely.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// One of the methods that HTTP has, else `_OTHER`.
    Method,
    /// The pattern of a route or an operation, `/persons/*`. Never the path.
    Route,
    /// The status of the answer.
    Status,
    /// A stable code: why it failed.
    Error,
    /// The id of a service that a directory or a node lists.
    Service,
    /// The id of a subsystem that a directory lists: who asks.
    Client,
    /// The random id of a request, which the logs of both nodes have.
    RequestId,
    /// The kind of a job.
    Job,
    /// How many jobs were done together.
    Jobs,
}

impl Key {
    /// As OpenTelemetry's conventions name it; ours where they have none.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Method => "http.request.method",
            Self::Route => "http.route",
            Self::Status => "http.response.status_code",
            Self::Error => "error.type",
            Self::Service => "motcua.service",
            Self::Client => "motcua.client",
            Self::RequestId => "motcua.request_id",
            Self::Job => "motcua.job",
            Self::Jobs => "motcua.jobs",
        }
    }
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(Cow<'static, str>),
    /// A whole number.
    Number(i64),
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<u16> for Value {
    fn from(number: u16) -> Self {
        Self::Number(number.into())
    }
}

/// What a span says.
pub type Attribute = (Key, Value);

/// A span that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Which, in which trace.
    pub context: Context,
    /// The span that it is part of, 8 bytes; none at the beginning of a trace.
    pub parent: Option<[u8; 8]>,
    /// What was done.
    pub name: Cow<'static, str>,
    /// Which side of a call.
    pub kind: Kind,
    /// Nanoseconds since 1970.
    pub began: u64,
    /// Nanoseconds since 1970.
    pub ended: u64,
    /// What it says, each key once.
    pub attributes: Vec<Attribute>,
    /// Whether it failed.
    pub failed: bool,
}

/// Work under way. It ends when it is dropped.
#[derive(Debug, Default)]
pub struct Span(State);

#[derive(Debug, Default)]
enum State {
    /// The tracer is off.
    #[default]
    Off,
    /// Passed on, but not recorded.
    Unsampled(Context),
    Open(Box<Open>),
}

#[derive(Debug)]
struct Open {
    span: Finished,
    since: Instant,
    queue: Arc<Queue>,
}

impl Span {
    pub(crate) const fn unsampled(context: Context) -> Self {
        Self(State::Unsampled(context))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "what a trace shows is the machine's own time; nothing is decided by it"
    )]
    pub(crate) fn open(
        kind: Kind,
        name: &'static str,
        context: Context,
        parent: Option<[u8; 8]>,
        queue: Arc<Queue>,
    ) -> Self {
        let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let began = u64::try_from(began.as_nanos()).unwrap_or(u64::MAX);
        let span = Finished {
            context,
            parent,
            name: name.into(),
            kind,
            began,
            ended: began,
            attributes: Vec::new(),
            failed: false,
        };
        let since = Instant::now();
        Self(State::Open(Box::new(Open { span, since, queue })))
    }

    /// Where it is in its trace, for what it asks of others; none when tracing is off.
    pub fn context(&self) -> Option<&Context> {
        match &self.0 {
            State::Off => None,
            State::Unsampled(context) => Some(context),
            State::Open(open) => Some(&open.span.context),
        }
    }

    /// `work`, in which [`Context::current`] is this span.
    pub fn around<F: Future>(&self, work: F) -> impl Future<Output = F::Output> + use<F> {
        let context = self.context().cloned();
        async move {
            match context {
                Some(context) => context.scope(work).await,
                None => work.await,
            }
        }
    }

    /// Whether what is said of it is kept: what costs something to find out is not worth it otherwise.
    pub const fn is_recorded(&self) -> bool {
        matches!(self.0, State::Open(_))
    }

    /// Says something of it; `value` is only asked when it is kept.
    pub fn set<V: Into<Value>>(&mut self, key: Key, value: impl FnOnce() -> V) {
        if let State::Open(open) = &mut self.0 {
            let attributes = &mut open.span.attributes;
            attributes.retain(|(other, _)| *other != key);
            attributes.push((key, value().into()));
        }
    }

    /// Names it by the pattern of what it does, once that is known.
    pub fn rename(&mut self, name: impl FnOnce() -> String) {
        if let State::Open(open) = &mut self.0 {
            open.span.name = name().into();
        }
    }

    /// It failed, and under which stable code.
    pub fn fail<V: Into<Value>>(&mut self, code: impl FnOnce() -> V) {
        self.set(Key::Error, code);
        if let State::Open(open) = &mut self.0 {
            open.span.failed = true;
        }
    }

    /// Says by which method of HTTP it was asked.
    pub fn method(&mut self, method: &str) {
        const KNOWN: [&str; 9] = [
            "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
        ];
        let known = KNOWN.into_iter().find(|known| *known == method);
        self.set(Key::Method, || known.unwrap_or("_OTHER"));
    }

    /// Says how it was answered. A client's request failed from 400 on, a server's answer from 500 on (OpenTelemetry, HTTP
    /// spans, Status).
    pub fn status(&mut self, status: u16) {
        let State::Open(open) = &mut self.0 else { return };
        let from = if open.span.kind == Kind::Client { 400 } else { 500 };
        open.span.failed |= status >= from;
        self.set(Key::Status, || status);
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if let State::Open(mut open) = std::mem::take(&mut self.0) {
            let took = u64::try_from(open.since.elapsed().as_nanos()).unwrap_or(u64::MAX);
            open.span.ended = open.span.began.saturating_add(took);
            open.queue.put(open.span);
        }
    }
}
