//! What makes spans, and decides which are kept.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use http::HeaderMap;
use tokio::sync::mpsc;

use crate::{Context, Kind, Span, span::Finished};

/// Which traces are kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// The share of traces that is kept, 0 to 1. The id of a trace decides, so nodes with the same share keep the same.
    pub share: f64,
    /// Whether what the caller decided goes first.
    pub follow: bool,
}

impl Sampling {
    /// OpenTelemetry's `TraceIdRatioBased`: over the seven bytes that are random (Trace Context Level 2, 3.2.2.3).
    fn takes(self, trace: &[u8; 16]) -> bool {
        let mut last = [0; 8];
        last[1..].copy_from_slice(&trace[9..]);
        let place = u64::from_be_bytes(last) as f64 / (1_u64 << 56) as f64;
        place < self.share
    }

    fn decide(self, parent: &Context) -> bool {
        if self.follow {
            parent.is_sampled()
        } else {
            self.takes(&parent.trace)
        }
    }
}

/// Makes spans. Clones are the same one; the default is off.
#[derive(Debug, Clone, Default)]
pub struct Tracer(Option<Arc<Inner>>);

#[derive(Debug)]
struct Inner {
    sampling: Sampling,
    queue: Arc<Queue>,
}

/// Where spans that have ended wait.
#[derive(Debug)]
pub(crate) struct Queue {
    ended: mpsc::Sender<Finished>,
    dropped: AtomicU64,
}

impl Queue {
    /// Never waits.
    pub fn put(&self, span: Finished) {
        if self.ended.try_send(span).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Tracer {
    /// One that is on. At most `room` spans that have ended wait to be taken; more are dropped.
    pub fn new(sampling: Sampling, room: usize) -> (Self, mpsc::Receiver<Finished>) {
        let (ended, taken) = mpsc::channel(room.max(1));
        let dropped = AtomicU64::new(0);
        let queue = Arc::new(Queue { ended, dropped });
        (Self(Some(Arc::new(Inner { sampling, queue }))), taken)
    }

    /// Whether it makes spans at all.
    pub const fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Spans that were dropped because nobody took them in time.
    pub fn dropped(&self) -> u64 {
        self.0
            .as_ref()
            .map_or(0, |inner| inner.queue.dropped.load(Ordering::Relaxed))
    }

    /// Begins the answer to a request: part of what its headers say, else of what the running task does, else a new trace.
    pub fn receive(&self, name: &'static str, headers: &HeaderMap) -> Span {
        let Some(inner) = &self.0 else { return Span::default() };
        let parent = Context::read(headers).or_else(Context::current);
        inner.span(Kind::Server, name, parent.as_ref())
    }

    /// Begins a piece of work: part of `parent`, else a new trace.
    pub fn begin(&self, kind: Kind, name: &'static str, parent: Option<&Context>) -> Span {
        self.0
            .as_ref()
            .map_or_else(Span::default, |inner| inner.span(kind, name, parent))
    }
}

impl Inner {
    fn span(&self, kind: Kind, name: &'static str, parent: Option<&Context>) -> Span {
        let context = match parent {
            Some(parent) => parent.child(self.sampling.decide(parent)),
            None => Context::root(|trace| self.sampling.takes(trace)),
        };
        if context.is_sampled() {
            let parent = parent.map(|parent| parent.span);
            Span::open(kind, name, context, parent, Arc::clone(&self.queue))
        } else {
            Span::unsampled(context)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Key, TRACEPARENT, Value};

    const ALL: Sampling = Sampling {
        share: 1.0,
        follow: true,
    };

    fn headers(parent: &str) -> HeaderMap {
        [(TRACEPARENT, parent.parse().expect("a value"))].into_iter().collect()
    }

    #[test]
    fn a_tracer_that_is_off_makes_nothing() {
        let tracer = Tracer::default();
        let mut span = tracer.receive("x", &headers("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
        span.set(Key::Route, || -> String { unreachable!("nobody asks") });
        assert!(span.context().is_none() && !span.is_recorded());
        assert!(std::mem::size_of::<Tracer>() == std::mem::size_of::<usize>());
    }

    #[test]
    fn a_span_is_part_of_what_came_and_tells_when_it_ends() {
        let (tracer, mut ended) = Tracer::new(ALL, 4);
        let mut outer = tracer.receive(
            "outer",
            &headers("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        );
        outer.method("BREW");
        outer.status(200);
        let mut inner = tracer.begin(Kind::Client, "inner", outer.context());
        inner.status(404);
        drop(inner);
        outer.rename(|| "GET /x".to_owned());
        drop(outer);
        let (inner, outer) = (ended.try_recv().expect("inner"), ended.try_recv().expect("outer"));
        assert_eq!(outer.context.trace_id(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(outer.parent.map(hex::encode).as_deref(), Some("b7ad6b7169203331"));
        assert_eq!(
            (inner.context.trace, inner.parent),
            (outer.context.trace, Some(outer.context.span))
        );
        assert!(inner.failed && !outer.failed);
        assert_eq!(
            (outer.name.as_ref(), outer.attributes[0].clone()),
            ("GET /x", (Key::Method, Value::from("_OTHER")))
        );
        // Beginnings are read off the wall clock, lengths off another: they agree to a moment.
        let moment = 50_000_000;
        assert!(outer.began <= inner.began + moment && inner.ended <= outer.ended + moment);
    }

    #[test]
    fn a_full_queue_drops_and_counts() {
        let (tracer, mut ended) = Tracer::new(ALL, 2);
        for _ in 0..5 {
            drop(tracer.begin(Kind::Internal, "x", None));
        }
        assert_eq!(tracer.dropped(), 3);
        assert!(ended.try_recv().is_ok() && ended.try_recv().is_ok() && ended.try_recv().is_err());
        drop(ended);
        drop(tracer.begin(Kind::Internal, "x", None));
        assert_eq!(tracer.dropped(), 4, "nobody is there");
    }

    #[test]
    fn the_caller_decides_unless_it_may_not() {
        let kept = |sampling, flags: &str| {
            let (tracer, _ended) = Tracer::new(sampling, 1);
            let parent = headers(&format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flags}"));
            let span = tracer.receive("x", &parent);
            let context = span.context().expect("passed on all the same");
            assert_eq!(
                (span.is_recorded(), context.trace_id().as_str()),
                (context.is_sampled(), "0af7651916cd43dd8448eb211c80319c")
            );
            span.is_recorded()
        };
        let none = Sampling {
            share: 0.0,
            follow: true,
        };
        assert!(kept(none, "01") && !kept(ALL, "00"));
        let alone = |share| Sampling { share, follow: false };
        assert!(!kept(alone(0.0), "01") && kept(alone(1.0), "00"));
    }

    #[test]
    fn a_share_of_traces_is_kept() {
        let (tracer, mut ended) = Tracer::new(
            Sampling {
                share: 0.25,
                follow: true,
            },
            4_000,
        );
        for _ in 0..4_000 {
            drop(tracer.begin(Kind::Internal, "x", None));
        }
        let kept = std::iter::from_fn(|| ended.try_recv().ok()).count();
        // Seven standard deviations about 1000.
        assert!((810..1_190).contains(&kept), "{kept}");
    }
}
