//! The way to the collector: batches, again when it cannot take them now, and never more than fits.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use ::traces::Finished;
use anyhow::{Context as _, bail};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, timeout_at},
};

use super::{Config, Exported, otlp};

/// Most spans in one request.
const BATCH: usize = 512;
/// The longest answer that is read, in bytes.
const LONGEST: usize = 64 << 10;

/// How long things take.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// For a batch to fill.
    pub gather: Duration,
    /// For the collector to answer.
    pub answer: Duration,
    /// Before the second try; twice as long before each further one.
    pub again: Duration,
    /// How often a batch is tried.
    pub tries: u32,
    /// For everything that is left when the node stops.
    pub last: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            gather: Duration::from_secs(5),
            answer: Duration::from_secs(10),
            again: Duration::from_secs(1),
            tries: 5,
            last: Duration::from_secs(3),
        }
    }
}

/// What became of the spans that were taken.
#[derive(Debug, Default)]
pub struct Figures {
    exported: AtomicU64,
    not_delivered: AtomicU64,
    rejected: AtomicU64,
}

impl Figures {
    pub fn read(&self) -> Exported {
        Exported {
            exported: self.exported.load(Ordering::Relaxed),
            queue_full: 0,
            not_delivered: self.not_delivered.load(Ordering::Relaxed),
            rejected: self.rejected.load(Ordering::Relaxed),
        }
    }
}

/// Sends batches to one collector.
pub struct Exporter {
    collector: reqwest::Url,
    name: String,
    http: reqwest::Client,
    pub(super) pace: Pace,
    figures: Arc<Figures>,
}

/// What the collector made of a batch.
enum Outcome {
    /// It has it, but for so many.
    Taken(u64),
    /// Not now; perhaps after so long.
    Again(Option<Duration>, String),
    /// Never.
    Refused(String),
}

impl Exporter {
    pub fn new(config: &Config, name: &str, figures: Arc<Figures>) -> anyhow::Result<Self> {
        let collector: reqwest::Url = config.collector.parse().context("collector")?;
        if !matches!(collector.scheme(), "http" | "https") {
            bail!("collector: traces go over http or https");
        }
        let headers = config.headers.as_deref().map(read_headers).transpose()?;
        let mut http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .default_headers(headers.unwrap_or_default());
        if let Some(path) = &config.ca {
            http = http.tls_certs_only(crate::tls::authorities(path)?);
        }
        Ok(Self {
            collector,
            name: name.to_owned(),
            http: http.build()?,
            pace: Pace::default(),
            figures,
        })
    }

    /// Takes spans as they end, until `stop` becomes true; then what is there.
    pub async fn run(&self, mut ended: mpsc::Receiver<Finished>, mut stop: watch::Receiver<bool>) {
        let mut reached = true;
        while let Some(batch) = self.gather(&mut ended, &mut stop).await {
            let done = self.deliver(&batch, &mut stop).await;
            match (&done, std::mem::replace(&mut reached, done.is_ok())) {
                (Err(reason), true) => tracing::warn!(reason, "the collector of traces does not take them"),
                (Ok(()), false) => tracing::info!("the collector of traces takes them again"),
                _ => {}
            }
        }
        ended.close();
        let until = Instant::now() + self.pace.last;
        let mut batch = Vec::with_capacity(BATCH);
        while ended.recv_many(&mut batch, BATCH).await > 0 {
            if timeout_at(until, self.try_once(&batch)).await.is_err() {
                self.lose(&batch);
            }
            batch.clear();
        }
    }

    /// The next batch: as many as come within a while of the first. None when the node stops, or nobody traces any more.
    async fn gather(
        &self,
        ended: &mut mpsc::Receiver<Finished>,
        stop: &mut watch::Receiver<bool>,
    ) -> Option<Vec<Finished>> {
        let mut batch = Vec::new();
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return None,
            many = ended.recv_many(&mut batch, BATCH) => if many == 0 { return None },
        }
        let until = Instant::now() + self.pace.gather;
        while batch.len() < BATCH {
            let room = BATCH - batch.len();
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                more = timeout_at(until, ended.recv_many(&mut batch, room)) => match more {
                    Ok(0) | Err(_) => break,
                    Ok(_) => {}
                }
            }
        }
        Some(batch)
    }

    /// Tries a batch until it is taken, refused, or tried often enough.
    async fn deliver(&self, batch: &[Finished], stop: &mut watch::Receiver<bool>) -> Result<(), String> {
        let (mut pause, mut tries) = (self.pace.again, 0);
        loop {
            tries += 1;
            let (wait, reason) = match self.send(batch).await {
                Outcome::Taken(rejected) => {
                    self.count(batch, rejected);
                    return Ok(());
                }
                Outcome::Refused(reason) => {
                    self.lose(batch);
                    return Err(reason);
                }
                Outcome::Again(wait, reason) => (wait, reason),
            };
            if tries >= self.pace.tries || *stop.borrow() {
                self.lose(batch);
                return Err(reason);
            }
            // A stop makes the next try the last.
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => {}
                () = sleep(wait.map_or(pause, |wait| wait.min(self.pace.again * 30))) => {}
            }
            pause *= 2;
        }
    }

    async fn try_once(&self, batch: &[Finished]) {
        match self.send(batch).await {
            Outcome::Taken(rejected) => self.count(batch, rejected),
            Outcome::Again(_, reason) | Outcome::Refused(reason) => {
                tracing::debug!(reason, "the last traces were not taken");
                self.lose(batch);
            }
        }
    }

    fn count(&self, batch: &[Finished], rejected: u64) {
        let (all, rejected) = (batch.len() as u64, rejected.min(batch.len() as u64));
        self.figures.exported.fetch_add(all - rejected, Ordering::Relaxed);
        self.figures.rejected.fetch_add(rejected, Ordering::Relaxed);
    }

    fn lose(&self, batch: &[Finished]) {
        let many = batch.len() as u64;
        self.figures.not_delivered.fetch_add(many, Ordering::Relaxed);
    }

    async fn send(&self, batch: &[Finished]) -> Outcome {
        let body = otlp::request(&self.name, batch).to_string();
        let request = self
            .http
            .post(self.collector.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .timeout(self.pace.answer)
            .body(body);
        // The address may have a secret in it.
        let failed =
            |error: reqwest::Error| Outcome::Again(None, format!("{:#}", anyhow::Error::new(error.without_url())));
        let mut answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => return failed(error),
        };
        let status = answer.status();
        if matches!(status.as_u16(), 429 | 502 | 503 | 504) {
            let after = answer.headers().get(header::RETRY_AFTER);
            let after = after.and_then(|value| value.to_str().ok()?.trim().parse().ok());
            return Outcome::Again(after.map(Duration::from_secs), status.to_string());
        }
        if !status.is_success() {
            return Outcome::Refused(status.to_string());
        }
        let mut said = Vec::new();
        // It has the spans, whatever becomes of the rest of its answer.
        while let Ok(Some(piece)) = answer.chunk().await {
            if said.len() + piece.len() > LONGEST {
                return Outcome::Taken(0);
            }
            said.extend_from_slice(&piece);
        }
        Outcome::Taken(otlp::rejected(&said))
    }
}

/// `Name: value`, one a line; empty lines and such that begin with `#` are left out. Values never go into a log.
fn read_headers(path: &Path) -> anyhow::Result<HeaderMap> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let mut headers = HeaderMap::new();
    for (n, line) in text.lines().map(str::trim).enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let header = line.split_once(':').and_then(|(name, value)| {
            let name = HeaderName::from_bytes(name.trim().as_bytes()).ok()?;
            Some((name, HeaderValue::from_str(value.trim()).ok()?))
        });
        let Some((name, mut value)) = header else {
            bail!("{}, line {}: a header is written Name: value", path.display(), n + 1);
        };
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}
