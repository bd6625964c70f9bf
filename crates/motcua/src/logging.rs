//! Logs: one line per event on standard error, JSON where a machine reads them. Never answers, names or secrets.

use axum::extract::{MatchedPath, Request};
use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Starts logging. `MOTCUA_LOG` chooses what is logged, as `tracing-subscriber` reads it.
pub fn start(format: &LogFormat) {
    let filter = EnvFilter::try_from_env("MOTCUA_LOG").unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => builder.with_target(false).init(),
        LogFormat::Json => builder.json().init(),
    }
}

/// The span of a request: its route, never its address, which may hold the number of a person or the code of a dossier.
pub fn request(request: &Request) -> tracing::Span {
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("other", MatchedPath::as_str);
    tracing::debug_span!("request", method = %request.method(), route)
}
