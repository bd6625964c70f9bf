//! As much of S3 as a mirror asks for, on a socket: it keeps objects, and every request in its order.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::{Query, State},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use tokio::net::TcpListener;

#[derive(Default)]
pub struct Bucket {
    objects: Mutex<BTreeMap<String, Bytes>>,
    requests: Mutex<Vec<(Method, String)>>,
}

pub const NAME: &str = "so-cai";

impl Bucket {
    pub async fn start() -> (Arc<Self>, String) {
        let bucket = Arc::new(Self::default());
        let app = Router::new().fallback(serve).with_state(Arc::clone(&bucket));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, app).await });
        (bucket, url)
    }

    pub fn object(&self, key: &str) -> Option<Bytes> {
        self.objects.lock().expect("whole").get(key).cloned()
    }

    /// The keys that were written, in their order.
    pub fn written(&self) -> Vec<String> {
        let requests = self.requests.lock().expect("whole");
        let puts = requests.iter().filter(|(method, _)| *method == Method::PUT);
        puts.map(|(_, key)| key.clone()).collect()
    }
}

async fn serve(
    State(bucket): State<Arc<Bucket>>,
    method: Method,
    uri: Uri,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let signed = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if !signed.is_some_and(|value| value.starts_with("AWS4-HMAC-SHA256 Credential=test-key/")) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let Some(key) = uri.path().trim_start_matches('/').strip_prefix(NAME) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let key = key.trim_start_matches('/').to_owned();
    bucket
        .requests
        .lock()
        .expect("whole")
        .push((method.clone(), key.clone()));
    let mut objects = bucket.objects.lock().expect("whole");
    let tags = [
        (header::ETAG, "\"1\""),
        (header::LAST_MODIFIED, "Wed, 25 Nov 2026 00:00:00 GMT"),
    ];
    match method {
        Method::PUT => {
            objects.insert(key, body);
            (tags, "").into_response()
        }
        Method::DELETE => {
            objects.remove(&key);
            StatusCode::NO_CONTENT.into_response()
        }
        Method::GET if key.is_empty() => {
            let prefix = query.get("prefix").cloned().unwrap_or_default();
            let found = objects.iter().filter(|(key, _)| key.starts_with(&prefix));
            let contents: String = found
                .map(|(key, bytes)| {
                    let size = bytes.len();
                    format!(
                        "<Contents><Key>{key}</Key><LastModified>2026-11-25T00:00:00.000Z</LastModified><ETag>\"1\"</ETag><Size>{size}</Size></Contents>"
                    )
                })
                .collect();
            format!("<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>").into_response()
        }
        Method::GET => match objects.get(&key) {
            Some(bytes) => (tags, bytes.clone()).into_response(),
            None => (StatusCode::NOT_FOUND, "<Error><Code>NoSuchKey</Code></Error>").into_response(),
        },
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}
