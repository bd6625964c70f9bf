//! Services behind a node: good ones, and others.

use std::{net::SocketAddr, sync::Arc, sync::atomic::AtomicUsize, sync::atomic::Ordering, time::Duration};

use axum::{
    Json, Router,
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
    routing::any,
};
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::world::listen;

/// A server on loopback.
pub async fn serve(router: Router) -> String {
    let (listener, address) = listen().await;
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// Says what it was asked: method, target, headers in their order, and the body as text.
pub async fn echo() -> String {
    serve(Router::new().fallback(any(repeat))).await
}

pub async fn repeat(request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    let headers: Vec<(String, String)> = head
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let said = serde_json::json!({
        "method": head.method.as_str(),
        "target": head.uri.to_string(),
        "headers": headers,
        "body": String::from_utf8_lossy(&body),
    });
    Json(said).into_response()
}

/// Counts its calls.
pub async fn counting() -> (String, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let router = Router::new().fallback(any(move || {
        counter.fetch_add(1, Ordering::SeqCst);
        async { "counted" }
    }));
    (serve(router).await, calls)
}

/// Gives a fixed answer.
pub async fn fixed(content_type: &'static str, body: &'static str) -> String {
    serve(Router::new().fallback(any(move || async move { ([("content-type", content_type)], body) }))).await
}

/// As many bytes as the query says.
pub async fn large() -> String {
    let answer = |request: Request| async move {
        let bytes: u64 = request.uri().query().and_then(|q| q.parse().ok()).unwrap_or(0);
        let pieces = futures::stream::unfold(bytes, |left| async move {
            let piece = left.min(64 * 1024);
            let bytes = bytes::Bytes::from(vec![b'x'; usize::try_from(piece).expect("small")]);
            (piece > 0).then_some((Ok::<_, std::io::Error>(bytes), left - piece))
        });
        Response::new(Body::from_stream(pieces))
    };
    serve(Router::new().fallback(any(answer))).await
}

/// Answers each connection with bytes as they are, waits, and closes.
pub async fn rude(bytes: &'static [u8], wait: Duration) -> String {
    let (listener, address): (_, SocketAddr) = listen().await;
    tokio::spawn(async move {
        loop {
            let Ok((mut tcp, _)) = listener.accept().await else {
                return;
            };
            tokio::spawn(async move {
                let mut head = [0; 4096];
                let _ = tcp.read(&mut head).await;
                let _ = tcp.write_all(bytes).await;
                tokio::time::sleep(wait).await;
            });
        }
    });
    format!("http://{address}")
}
