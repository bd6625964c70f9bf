//! Figures for Prometheus. Requests by route, method and status are counted here; how the node stands is read when the
//! figures are asked for ([`crate::watch`]).

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{
        counter::Counter,
        family::Family,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};

const PREFIX: &str = "motcua";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
    method: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: String,
    method: &'static str,
    status: u16,
}

/// The figures that this process counts.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    answered: Family<Answered, Counter>,
    seconds: Family<Route, Histogram>,
}

impl Default for Metrics {
    fn default() -> Self {
        let answered = Family::<Answered, Counter>::default();
        let seconds =
            Family::<Route, Histogram>::new_with_constructor(|| Histogram::new(exponential_buckets(0.000_5, 2.0, 14)));
        let mut registry = Registry::with_prefix(PREFIX);
        registry.register("http_requests", "Requests answered", answered.clone());
        registry.register("http_request_seconds", "Time to answer", seconds.clone());
        Self {
            registry,
            answered,
            seconds,
        }
    }
}

impl Metrics {
    /// The text format of Prometheus (OpenMetrics 1.0), with how the node stands.
    ///
    /// # Errors
    /// Formatting failed, which writing to a string does not.
    pub fn text(&self, standing: crate::watch::Standing) -> Result<String, std::fmt::Error> {
        let mut now = Registry::with_prefix(PREFIX);
        now.register_collector(Box::new(standing));
        let mut out = String::new();
        text::encode_registry(&mut out, &self.registry)?;
        text::encode_registry(&mut out, &now)?;
        text::encode_eof(&mut out)?;
        Ok(out)
    }
}

/// The method, if it is one that HTTP has: whatever else a client calls is one series.
fn known(method: &http::Method) -> &'static str {
    const KNOWN: [&str; 9] = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
    ];
    KNOWN
        .into_iter()
        .find(|known| *known == method.as_str())
        .unwrap_or("other")
}

/// Measures a request by its route pattern; addresses themselves may hold codes of dossiers.
pub async fn measure(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("other", MatchedPath::as_str)
        .to_owned();
    let method = known(request.method());
    let started = Instant::now();
    let response = next.run(request).await;
    let label = Route {
        route: route.clone(),
        method,
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
