//! A log and a witness over HTTP. Nothing here shows a record: only commitments, hashes and signatures.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;

use crate::{
    error::Error,
    hash::Hash,
    log::Log,
    tiles::TilePath,
    witness::{LARGEST_REQUEST, Refusal, Witness},
};

const TEXT: &str = "text/plain; charset=utf-8";
/// A tile never changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// A checkpoint changes with every batch.
const BRIEFLY: &str = "public, max-age=1";

/// The pages of a log:
///
/// * `/checkpoint`: the latest cosigned checkpoint, else the latest (C2SP tlog-checkpoint);
/// * `/tile/<level>/<index>[.p/<width>]` and `/tile/entries/…` (C2SP tlog-tiles);
/// * `/proof?index=N`: a C2SP tlog-proof under that checkpoint; with `&size=N`, the bare path in the tree of that size, a hash
///   in base64 on each line;
/// * `/consistency?from=N&to=N`: the bare consistency proof, likewise;
/// * `/timestamps`: the sizes of the trees that a timestamping authority stamped, each on a line; of each,
///   `/timestamps/N/checkpoint`, the signed note that was stamped, and `/timestamps/N/token`, the token over its bytes (RFC 3161).
pub fn log(log: Arc<Log>) -> Router {
    Router::new()
        .route("/checkpoint", get(checkpoint))
        .route("/tile/{*path}", get(tile))
        .route("/proof", get(proof))
        .route("/consistency", get(consistency))
        .route("/timestamps", get(timestamps))
        .route("/timestamps/{size}/checkpoint", get(stamped_note))
        .route("/timestamps/{size}/token", get(stamp_token))
        .with_state(log)
}

/// The pages of a witness (C2SP tlog-witness): `POST /add-checkpoint`, and `/<origin hash>/checkpoint` for monitors.
pub fn witness(witness: Arc<Witness>) -> Router {
    Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .route("/{origin_hash}/checkpoint", get(latest))
        .layer(DefaultBodyLimit::max(LARGEST_REQUEST))
        .with_state(witness)
}

async fn checkpoint(State(log): State<Arc<Log>>) -> Response {
    let checkpoint = log.cosigned().unwrap_or_else(|| log.checkpoint());
    text(BRIEFLY, checkpoint.to_string())
}

async fn tile(State(log): State<Arc<Log>>, Path(path): Path<String>) -> Response {
    let Some(path) = TilePath::parse(&format!("tile/{path}")) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match blocking(move || log.tile(path)).await {
        Ok(Some(content)) => {
            let headers = [
                (header::CONTENT_TYPE, "application/octet-stream"),
                (header::CACHE_CONTROL, FOR_EVER),
            ];
            (headers, content).into_response()
        }
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(response) => response,
    }
}

#[derive(Deserialize)]
struct Leaf {
    index: u64,
    size: Option<u64>,
}

async fn proof(State(log): State<Arc<Log>>, Query(leaf): Query<Leaf>) -> Response {
    let found = blocking(move || match leaf.size {
        Some(size) => log.inclusion(leaf.index, size).map(|path| (FOR_EVER, lines(&path))),
        None => log.prove(leaf.index).map(|proof| (BRIEFLY, proof.to_string())),
    });
    found
        .await
        .map_or_else(|response| response, |(cache, body)| text(cache, body))
}

#[derive(Deserialize)]
struct Sizes {
    from: u64,
    to: u64,
}

async fn consistency(State(log): State<Arc<Log>>, Query(sizes): Query<Sizes>) -> Response {
    let found = blocking(move || log.consistency(sizes.from, sizes.to));
    found
        .await
        .map_or_else(|response| response, |proof| text(FOR_EVER, lines(&proof)))
}

async fn timestamps(State(log): State<Arc<Log>>) -> Response {
    let sizes = log.stamps();
    text(BRIEFLY, sizes.iter().map(|size| format!("{size}\n")).collect())
}

async fn stamped_note(State(log): State<Arc<Log>>, Path(size): Path<u64>) -> Response {
    match blocking(move || log.stamped(size)).await {
        Ok(Some(stamp)) => text(FOR_EVER, stamp.checkpoint.to_string()),
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(response) => response,
    }
}

async fn stamp_token(State(log): State<Arc<Log>>, Path(size): Path<u64>) -> Response {
    match blocking(move || log.stamped(size)).await {
        Ok(Some(stamp)) => {
            let headers = [
                (header::CONTENT_TYPE, "application/vnd.etsi.timestamp-token"),
                (header::CACHE_CONTROL, FOR_EVER),
            ];
            (headers, stamp.token).into_response()
        }
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(response) => response,
    }
}

async fn add_checkpoint(State(witness): State<Arc<Witness>>, body: Bytes) -> Response {
    let answer = tokio::task::spawn_blocking(move || witness.add_checkpoint(&body)).await;
    match answer {
        Ok(Ok(lines)) => text("no-store", lines),
        Ok(Err(Refusal::Conflict { size })) => {
            let headers = [(header::CONTENT_TYPE, "text/x.tlog.size")];
            (StatusCode::CONFLICT, headers, format!("{size}\n")).into_response()
        }
        Ok(Err(refusal)) => {
            let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
            (status, format!("{refusal}\n")).into_response()
        }
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

async fn latest(State(witness): State<Arc<Witness>>, Path(origin_hash): Path<String>) -> Response {
    match witness.latest(&origin_hash) {
        Some(checkpoint) => text(BRIEFLY, checkpoint.to_string()),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Reads from the disk aside from the runtime's own threads.
async fn blocking<T: Send + 'static>(read: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Response> {
    match tokio::task::spawn_blocking(read).await {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(Error::Beyond { asked, size })) => {
            let body = format!("{asked} is beyond the {size} entries of the log\n");
            Err((StatusCode::NOT_FOUND, body).into_response())
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "the log could not be read");
            Err(StatusCode::SERVICE_UNAVAILABLE.into_response())
        }
        Err(_) => Err(StatusCode::SERVICE_UNAVAILABLE.into_response()),
    }
}

fn text(cache: &'static str, body: String) -> Response {
    let headers = [(header::CONTENT_TYPE, TEXT), (header::CACHE_CONTROL, cache)];
    (headers, body).into_response()
}

fn lines(hashes: &[Hash]) -> String {
    hashes.iter().map(|hash| format!("{hash}\n")).collect()
}
