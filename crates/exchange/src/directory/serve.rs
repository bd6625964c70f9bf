//! The files of the directory over plain HTTP. Caches may keep all but the timestamp for ever, so any mirror does.

use std::{path::PathBuf, sync::Arc};

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

use super::{
    disk,
    format::{Digest, EditionRef, File, LONGEST_DIRECTORY},
};

const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// The timestamp changes, and a file that is not there yet may come.
const BRIEFLY: &str = "public, max-age=15";
const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";

/// Serves a folder of [`super::Publisher`] or [`super::Follower`]: `/timestamp`, `/root/{n}`, `/edition/{n}.{sha256}`,
/// `/blob/{sha256}`. To be nested at `/exchange/directory`.
pub fn files(folder: PathBuf) -> Router {
    Router::new()
        .route("/timestamp", get(timestamp))
        .route("/root/{version}", get(root))
        .route("/edition/{name}", get(edition))
        .route("/blob/{sha256}", get(blob))
        .with_state(Arc::new(folder))
}

type Folder = State<Arc<PathBuf>>;

async fn timestamp(folder: Folder) -> Response {
    serve(folder, Some(File::Timestamp), TEXT, BRIEFLY).await
}

async fn root(folder: Folder, Path(version): Path<String>) -> Response {
    serve(folder, number(&version).map(File::Root), TEXT, FOR_EVER).await
}

async fn edition(folder: Folder, Path(name): Path<String>) -> Response {
    let file = name.split_once('.').and_then(|(version, sha256)| {
        Some(File::Edition(EditionRef {
            version: number(version)?,
            sha256: sha256.parse().ok()?,
            bytes: 0,
        }))
    });
    serve(folder, file, TEXT, FOR_EVER).await
}

async fn blob(folder: Folder, Path(sha256): Path<String>) -> Response {
    let file = sha256.parse::<Digest>().ok().map(File::Blob);
    serve(folder, file, JSON, FOR_EVER).await
}

fn number(text: &str) -> Option<u64> {
    text.parse::<u64>().ok().filter(|number| number.to_string() == text)
}

async fn serve(State(folder): Folder, file: Option<File>, kind: &'static str, cache: &'static str) -> Response {
    let absent = || (StatusCode::NOT_FOUND, headers(TEXT, BRIEFLY), "404\n").into_response();
    let Some(file) = file else {
        return absent();
    };
    let read = tokio::task::spawn_blocking(move || disk::read(&folder.join(file.path()), LONGEST_DIRECTORY));
    match read.await {
        Ok(Ok(Some(bytes))) => (headers(kind, cache), bytes).into_response(),
        Ok(Ok(None)) => absent(),
        Ok(Err(refusal)) => {
            tracing::error!(%refusal, "a file of the directory cannot be read");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
        Err(error) => {
            tracing::error!(%error, "a file of the directory cannot be read");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn headers(kind: &'static str, cache: &'static str) -> [(HeaderName, &'static str); 3] {
    [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, cache),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ]
}
