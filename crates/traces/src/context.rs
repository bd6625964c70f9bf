//! Which trace a request belongs to, and which span made it (W3C Trace Context Level 2, 2 and 3).

use std::{future::Future, sync::Arc};

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::state;

/// The header that has trace, span and flags.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// The header in which systems of tracing keep what is theirs.
pub const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Whoever made the request records it.
const SAMPLED: u8 = 0b01;
/// The last seven bytes of the trace's id are random.
const RANDOM: u8 = 0b10;

/// A place in a trace: the trace, and the span that what follows belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    pub(crate) trace: [u8; 16],
    pub(crate) span: [u8; 8],
    flags: u8,
    state: Option<Arc<str>>,
}

tokio::task_local! {
    static CURRENT: Context;
}

impl Context {
    /// The beginning of a trace.
    pub(crate) fn root(sampled: impl FnOnce(&[u8; 16]) -> bool) -> Self {
        let trace = rand::random();
        let flags = if sampled(&trace) { SAMPLED | RANDOM } else { RANDOM };
        Self {
            trace,
            span: rand::random(),
            flags,
            state: None,
        }
    }

    /// Another span of the same trace.
    pub(crate) fn child(&self, sampled: bool) -> Self {
        Self {
            span: rand::random(),
            flags: if sampled {
                self.flags | SAMPLED
            } else {
                self.flags & !SAMPLED
            },
            ..self.clone()
        }
    }

    /// Reads the headers of a request. One that is not as the specification has it is as good as none: the caller begins a
    /// trace of its own. A `tracestate` that is not is left out alone (3.3.1.4).
    pub fn read(headers: &HeaderMap) -> Option<Self> {
        let mut parents = headers.get_all(TRACEPARENT).iter();
        let (parent, None) = (parents.next()?, parents.next()) else {
            return None;
        };
        let context = Self::parse(parent.to_str().ok()?)?;
        let state = state::read(headers.get_all(TRACESTATE).iter().map(HeaderValue::as_bytes));
        Some(Self {
            state: state.map(Into::into),
            ..context
        })
    }

    /// Reads a `traceparent` alone. Of a version that is not known the first four parts are read (3.2.4).
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let part = |from: usize, to: usize| bytes.get(from..to).filter(|part| part.iter().all(is_lower_hex));
        let dash = |at: usize| bytes.get(at) == Some(&b'-');
        let version = part(0, 2)?;
        let ends = match version {
            b"ff" => false,
            b"00" => bytes.len() == 55,
            _ => bytes.len() == 55 || dash(55),
        };
        if !(ends && dash(2) && dash(35) && dash(52)) {
            return None;
        }
        let (mut trace, mut span, mut flags) = ([0; 16], [0; 8], [0]);
        hex::decode_to_slice(part(3, 35)?, &mut trace).ok()?;
        hex::decode_to_slice(part(36, 52)?, &mut span).ok()?;
        hex::decode_to_slice(part(53, 55)?, &mut flags).ok()?;
        (trace != [0; 16] && span != [0; 8]).then_some(Self {
            trace,
            span,
            flags: flags[0] & (SAMPLED | RANDOM),
            state: None,
        })
    }

    /// The value of `traceparent`, 55 characters.
    pub fn traceparent(&self) -> String {
        let (trace, span) = (hex::encode(self.trace), hex::encode(self.span));
        format!("00-{trace}-{span}-{:02x}", self.flags)
    }

    /// The value of `tracestate`, if there is any: at most [`crate::LONGEST_STATE`] bytes.
    pub fn tracestate(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// Sets both headers of a request, and takes away what was there.
    pub fn write(&self, headers: &mut HeaderMap) {
        headers.remove(TRACESTATE);
        if let Ok(parent) = HeaderValue::try_from(self.traceparent()) {
            headers.insert(TRACEPARENT, parent);
        }
        if let Some(Ok(state)) = self.tracestate().map(HeaderValue::from_str) {
            headers.insert(TRACESTATE, state);
        }
    }

    /// Whether the trace is recorded.
    pub const fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// The trace, 32 hexadecimal digits.
    pub fn trace_id(&self) -> String {
        hex::encode(self.trace)
    }

    /// The span, 16 hexadecimal digits.
    pub fn span_id(&self) -> String {
        hex::encode(self.span)
    }

    /// Runs `work` so that [`Self::current`] is this in it. Not in tasks that it spawns.
    pub fn scope<F: Future>(self, work: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, work)
    }

    /// Where the running task is, if anywhere.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }
}

const fn is_lower_hex(byte: &u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn headers(all: &[(&'static str, &str)]) -> HeaderMap {
        let one = |(name, value): &(&'static str, &str)| {
            let value = HeaderValue::from_bytes(value.as_bytes()).expect("a value");
            (HeaderName::from_static(name), value)
        };
        let mut headers = HeaderMap::new();
        all.iter().map(one).for_each(|(name, value)| {
            headers.append(name, value);
        });
        headers
    }

    #[test]
    fn what_is_read_is_written_again() {
        let read = headers(&[("traceparent", PARENT), ("tracestate", "a=1"), ("tracestate", "b=2")]);
        let context = Context::read(&read).expect("a context");
        assert_eq!(context.traceparent(), PARENT);
        assert_eq!(context.trace_id(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(context.span_id(), "b7ad6b7169203331");
        let mut out = headers(&[("tracestate", "old=1"), ("traceparent", "x"), ("traceparent", "y")]);
        context.write(&mut out);
        assert_eq!(out, headers(&[("traceparent", PARENT), ("tracestate", "a=1,b=2")]));
    }

    #[test]
    fn what_is_not_as_specified_is_no_context() {
        // Trace Context Level 2, 3.2.2 and 3.2.4.
        for wrong in [
            "",
            "00",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0x",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01more",
            "00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 ",
        ] {
            assert_eq!(Context::parse(wrong), None, "{wrong}");
        }
        assert_eq!(
            Context::read(&headers(&[("traceparent", PARENT), ("traceparent", PARENT)])),
            None,
            "twice"
        );
        assert_eq!(Context::read(&headers(&[("traceparent", "00-đ")])), None);
        assert_eq!(Context::read(&headers(&[("tracestate", "a=1")])), None);
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known() {
        // 3.2.4: and the flags that are not known are not passed on (3.2.2.5).
        for later in [
            "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff-more",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff",
        ] {
            let context = Context::parse(later).expect("a context");
            assert_eq!(
                context.traceparent(),
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03"
            );
        }
    }

    #[test]
    fn a_state_that_is_wrong_takes_nothing_else_with_it() {
        let context =
            Context::read(&headers(&[("traceparent", PARENT), ("tracestate", "no member")])).expect("a context");
        assert_eq!((context.traceparent().as_str(), context.tracestate()), (PARENT, None));
    }

    #[tokio::test]
    async fn a_task_knows_where_it_is() {
        let context = Context::parse(PARENT).expect("a context");
        assert_eq!(Context::current(), None);
        assert_eq!(context.clone().scope(async { Context::current() }).await, Some(context));
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_to_its_own_form_or_not_at_all(text in "[0-9a-fA-F-]{0,60}|.{0,80}") {
            if let Some(context) = Context::parse(&text) {
                prop_assert_eq!(Context::parse(&context.traceparent()), Some(context));
            }
        }
    }
}
