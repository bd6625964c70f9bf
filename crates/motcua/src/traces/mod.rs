//! Traces of this node: [`::traces`] makes the spans, this exports them by OTLP over HTTP, if the configuration names a
//! collector.
//!
//! ```text
//! spans that ended ─► queue of ROOM ─► batches (otlp) ─► collector
//! ```
//! Nothing waits for the collector: what finds the queue full is dropped and counted.

mod export;
mod otlp;
#[cfg(test)]
mod tests;

use std::{path::PathBuf, sync::Arc};

use ::traces::{Finished, Key, Sampling, Tracer};
use anyhow::{Context as _, bail};
use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use serde::Deserialize;
use tokio::sync::{Mutex, mpsc, watch};

use self::export::{Exporter, Figures};

/// Spans that wait to be exported, at most. One has some hundred bytes.
const ROOM: usize = 4_096;

/// Where traces go.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The collector's address for traces, `https://…/v1/traces`; empty: nothing is traced. The environment variable
    /// `MOTCUA_TRACES` overrides it.
    pub collector: String,
    /// A file of headers that the collector wants, `Name: value`, one a line; for its secrets.
    pub headers: Option<PathBuf>,
    /// The CA of the collector, PEM, if it is not one that the system believes.
    pub ca: Option<PathBuf>,
    /// The share of traces that is kept, 0 to 1.
    pub share: f64,
    /// Whether a trace that the caller keeps is kept here too, and one that it does not keep is not.
    pub follow: bool,
    /// What this node is called in traces; by default the host in its public address.
    pub name: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            collector: String::new(),
            headers: None,
            ca: None,
            share: 1.0,
            follow: true,
            name: String::new(),
        }
    }
}

/// What became of spans since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Exported {
    /// The collector has them.
    pub exported: u64,
    /// The queue was full.
    pub queue_full: u64,
    /// The collector could not be reached, or would not have them.
    pub not_delivered: u64,
    /// The collector took the others of their batch, and not these.
    pub rejected: u64,
}

/// The traces of a process.
pub struct Traces {
    tracer: Tracer,
    figures: Arc<Figures>,
    exporter: Exporter,
    ended: Mutex<Option<mpsc::Receiver<Finished>>>,
}

impl Traces {
    /// Reads the configuration; none when nothing is traced. `url` is the public address of the node.
    ///
    /// # Errors
    /// An address, a share or a file that cannot be used.
    pub fn open(config: &Config, url: &str) -> anyhow::Result<Option<Self>> {
        if config.collector.is_empty() {
            return Ok(None);
        }
        if !(0.0..=1.0).contains(&config.share) {
            bail!("traces.share: {} is no share; it is from 0 to 1", config.share);
        }
        let name = if config.name.is_empty() {
            host(url)
        } else {
            &config.name
        };
        let sampling = Sampling {
            share: config.share,
            follow: config.follow,
        };
        let (tracer, ended) = Tracer::new(sampling, ROOM);
        let figures = Arc::<Figures>::default();
        Ok(Some(Self {
            exporter: Exporter::new(config, name, Arc::clone(&figures)).context("[traces]")?,
            tracer,
            figures,
            ended: Mutex::new(Some(ended)),
        }))
    }

    /// What makes the spans.
    pub fn tracer(&self) -> Tracer {
        self.tracer.clone()
    }

    /// What became of them.
    pub fn exported(&self) -> Exported {
        Exported {
            queue_full: self.tracer.dropped(),
            ..self.figures.read()
        }
    }

    /// Exports until `stop` becomes true, then what is there. Runs once.
    pub async fn run(&self, stop: watch::Receiver<bool>) {
        if let Some(ended) = self.ended.lock().await.take() {
            self.exporter.run(ended, stop).await;
        }
    }
}

fn host(url: &str) -> &str {
    let place = url.split_once("://").map_or(url, |(_, place)| place);
    place.split('/').next().unwrap_or_default()
}

/// Traces what is asked of these routes, if anything is traced.
pub fn around(routes: Router, tracer: Tracer) -> Router {
    if !tracer.is_on() {
        return routes;
    }
    routes.layer(axum::middleware::from_fn_with_state(tracer, follow))
}

/// Traces a request by its route pattern; addresses themselves may hold codes of dossiers.
async fn follow(State(tracer): State<Tracer>, request: Request, next: Next) -> Response {
    let mut span = tracer.receive("HTTP", request.headers());
    span.method(request.method().as_str());
    if let Some(route) = request.extensions().get::<MatchedPath>() {
        span.rename(|| route.as_str().to_owned());
        span.set(Key::Route, || route.as_str().to_owned());
    }
    let response = span.around(next.run(request)).await;
    span.status(response.status().as_u16());
    response
}
