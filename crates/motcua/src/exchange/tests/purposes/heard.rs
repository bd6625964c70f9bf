//! What a node says beside its answers: its log, and its traces.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{Router, body::Bytes, routing::post};
use tokio::net::TcpListener;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

/// What this process logs, down to what helps who looks for mistakes.
#[derive(Clone, Default)]
pub struct Logs(Arc<Mutex<Vec<u8>>>);

impl Logs {
    /// Listens from now on. The clients of the test are in the same process: what they and the protocols say of themselves is left
    /// out.
    pub fn listen() -> Self {
        let logs = Self::default();
        let filter = "debug,hyper=off,hyper_util=off,h2=off,reqwest=off,rustls=off,sqlx=debug";
        tracing_subscriber::fmt()
            .json()
            .with_env_filter(EnvFilter::new(filter))
            .with_writer(logs.clone())
            .init();
        logs
    }

    /// What was logged.
    pub fn heard(&self) -> String {
        text(&self.0)
    }
}

impl io::Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        keep(&self.0, bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Logs {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// A collector of traces.
pub struct Collector {
    /// Where it listens.
    pub url: String,
    spans: Arc<Mutex<Vec<u8>>>,
}

impl Collector {
    /// Listens.
    pub async fn listen() -> Self {
        let spans = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&spans);
        let take = async move |body: Bytes| keep(&heard, &body);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/v1/traces", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/v1/traces", post(take))).await });
        Self { url, spans }
    }

    /// What came.
    pub fn heard(&self) -> String {
        text(&self.spans)
    }
}

fn keep(kept: &Mutex<Vec<u8>>, bytes: &[u8]) {
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    kept.extend_from_slice(bytes);
}

fn text(kept: &Mutex<Vec<u8>>) -> String {
    let kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    String::from_utf8_lossy(&kept).into_owned()
}
