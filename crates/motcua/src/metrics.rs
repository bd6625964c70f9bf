//! Figures for Prometheus: requests by route, method and status, and how long they took.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode_registry},
    metrics::{
        counter::Counter,
        family::Family,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
    method: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: String,
    method: String,
    status: u16,
}

/// The figures of this process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    answered: Family<Answered, Counter>,
    seconds: Family<Route, Histogram>,
    /// Those of the transparency log.
    pub ledger: crate::ledger::figures::Figures,
}

impl Default for Metrics {
    fn default() -> Self {
        let answered = Family::<Answered, Counter>::default();
        let seconds =
            Family::<Route, Histogram>::new_with_constructor(|| Histogram::new(exponential_buckets(0.000_5, 2.0, 14)));
        let mut registry = Registry::with_prefix("motcua");
        registry.register("http_requests", "Requests answered", answered.clone());
        registry.register("http_request_seconds", "Time to answer", seconds.clone());
        let ledger = crate::ledger::figures::Figures::default();
        ledger.register(&mut registry);
        Self {
            registry,
            answered,
            seconds,
            ledger,
        }
    }
}

impl Metrics {
    /// The text format of Prometheus (OpenMetrics), without its last line: others' figures follow.
    ///
    /// # Errors
    /// Formatting failed, which writing to a string does not.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut out = String::new();
        encode_registry(&mut out, &self.registry)?;
        Ok(out)
    }
}

/// Measures a request by its route pattern; addresses themselves may hold codes of dossiers.
pub async fn measure(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("other", MatchedPath::as_str)
        .to_owned();
    let method = request.method().as_str().to_owned();
    let started = Instant::now();
    let response = next.run(request).await;
    let label = Route {
        route: route.clone(),
        method: method.clone(),
    };
    metrics
        .seconds
        .get_or_create(&label)
        .observe(started.elapsed().as_secs_f64());
    metrics
        .answered
        .get_or_create(&Answered {
            route,
            method,
            status: response.status().as_u16(),
        })
        .inc();
    response
}
