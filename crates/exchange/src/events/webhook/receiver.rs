//! Taking nudges, where this node is the subscriber.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::DefaultBodyLimit,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use base::Clock;
use identity::problem_response;
use tokio::sync::Notify;

use super::Secret;

/// A nudge is far smaller.
const LARGEST: usize = 16 * 1024;

/// A route that takes nudges at `/` of wherever it is nested, and wakes who follows: hand the same `nudged` to
/// [`Subscriber::run`](crate::events::Subscriber::run). Anybody may call it: what is not signed by `secret` is refused.
pub fn receiver(secret: Secret, clock: Arc<dyn Clock>, nudged: Arc<Notify>) -> Router {
    let take = move |headers: HeaderMap, body: Bytes| {
        let answer = take(&secret, &headers, &body, clock.as_ref(), &nudged);
        std::future::ready(answer)
    };
    Router::new()
        .route("/", post(take))
        .layer(DefaultBodyLimit::max(LARGEST))
}

fn take(secret: &Secret, headers: &HeaderMap, body: &[u8], clock: &dyn Clock, nudged: &Notify) -> Response {
    match secret.verify(headers, body, clock.now()) {
        Ok(_) => {
            nudged.notify_one();
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => problem_response(&error),
    }
}
