//! The copy of the log for the world: tiles, entries and checkpoint in a folder or an S3 bucket, from where any web server
//! serves them. Commitments and hashes only; what leaves say is not in it.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use ::ledger::{Log, Mirror, PublishError};
use ::traces::{Kind, Tracer};
use anyhow::{Context as _, bail};
use base::Text;
use object_store::{ObjectStore, aws::AmazonS3Builder, local::LocalFileSystem};
use tokio::sync::watch;

use super::config;

/// How often the copy is brought up to date; the first rest after a failure.
const LOOK: Duration = Duration::from_secs(5);
/// The longest rest: each failure in a row doubles it up to here.
const LONGEST_REST: Duration = Duration::from_secs(600);

/// Copies a log.
pub struct Copying {
    log: Arc<Log>,
    mirror: Mirror,
    tracer: Tracer,
    state: RwLock<State>,
}

/// How far the copy is.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Entries in it, once that is known.
    pub published: Option<u64>,
    /// Why it is not up to date.
    pub problem: Option<Text>,
}

impl State {
    /// How many entries it is behind a log of `size`.
    pub fn behind(&self, size: u64) -> Option<u64> {
        self.published.map(|published| size.saturating_sub(published))
    }
}

impl Copying {
    /// Opens the place. Nothing is read or written yet.
    ///
    /// # Errors
    /// The place is not named well, or the folder cannot be made.
    pub fn open(config: &config::Mirror, log: Arc<Log>, tracer: Tracer) -> anyhow::Result<Self> {
        let store: Arc<dyn ObjectStore> = match (&config.folder, &config.bucket) {
            (Some(folder), None) => {
                std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
                Arc::new(LocalFileSystem::new_with_prefix(folder)?)
            }
            (None, Some(bucket)) => Arc::new(bucket_store(config, bucket)?),
            _ => bail!("ledger.mirror names a folder or a bucket"),
        };
        Ok(Self {
            log,
            mirror: Mirror::new(store, &config.prefix),
            tracer,
            state: RwLock::default(),
        })
    }

    /// How far it is.
    pub fn state(&self) -> State {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps the copy up to date until `stop`.
    pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut rest = LOOK;
        loop {
            // A copy may be stopped anywhere: the next one goes on from the published checkpoint.
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                done = self.look() => rest = if done { LOOK } else { rest.saturating_mul(2).min(LONGEST_REST) },
            }
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(rest) => {}
            }
        }
    }

    /// Copies what is new; whether that went well.
    async fn look(&self) -> bool {
        let checkpoint = self.log.cosigned().unwrap_or_else(|| self.log.checkpoint());
        let size = checkpoint.checkpoint().size;
        let known = self.state().published;
        // Before there were witnesses more may have been published than they have cosigned yet.
        if known.is_some_and(|published| published > size && published <= self.log.size()) {
            return true;
        }
        // To look at a copy that is up to date is no news.
        let is_news = known != Some(size);
        let mut span = is_news.then(|| self.tracer.begin(Kind::Client, "mirror", None));
        let published = self.mirror.publish(&self.log, &checkpoint).await;
        if let (Some(span), Err(error)) = (&mut span, &published) {
            span.fail(|| code(error));
        }
        drop(span);
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        match published {
            Ok(published) => {
                *state = State {
                    published: Some(published.size),
                    problem: None,
                };
                true
            }
            Err(PublishError::Ahead { published, .. }) if published <= self.log.size() => {
                state.published = Some(published);
                true
            }
            Err(error) => {
                if matches!(error, PublishError::Ahead { .. } | PublishError::Forked { .. }) {
                    tracing::error!(%error, "the copy of the log is not of this log");
                } else {
                    tracing::warn!(%error, "the copy of the log is not up to date");
                }
                state.problem = Some(words(&error));
                false
            }
        }
    }
}

/// An S3 bucket.
fn bucket_store(config: &config::Mirror, bucket: &str) -> anyhow::Result<impl ObjectStore> {
    // Few files are ever removed, and not every provider has `DeleteObjects`.
    let mut builder = AmazonS3Builder::from_env()
        .with_bucket_name(bucket)
        .with_disable_bulk_delete(true);
    if let Some(endpoint) = &config.endpoint {
        builder = builder
            .with_endpoint(endpoint)
            .with_allow_http(endpoint.starts_with("http://"));
    }
    if let Some(region) = &config.region {
        builder = builder.with_region(region);
    }
    if let Some(path) = &config.credentials {
        let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        let mut lines = text.lines().map(str::trim);
        let (Some(id), Some(secret)) = (lines.next(), lines.next()) else {
            bail!(
                "{} has the id of the key on its first line and the secret on its second",
                path.display()
            );
        };
        builder = builder.with_access_key_id(id).with_secret_access_key(secret);
    }
    builder.build().context("ledger.mirror")
}

/// Why it failed, for programs.
const fn code(error: &PublishError) -> &'static str {
    match error {
        PublishError::Log(_) => "log",
        PublishError::Store(_) => "store",
        PublishError::Unreadable(_) => "unreadable",
        PublishError::Ahead { .. } => "ahead",
        PublishError::Forked { .. } => "forked",
        PublishError::Stopped => "stopped",
    }
}

fn words(error: &PublishError) -> Text {
    match error {
        PublishError::Ahead { published, size } => Text::new(
            format!(
                "Bản sao có {published} mục nhưng sổ cái chỉ có {size} mục: sổ cái đã bị đưa về trạng thái cũ, hoặc bản sao là của sổ khác."
            ),
            format!(
                "The copy has {published} entries, the log {size}: the log was put back to an older state, or the copy is of another."
            ),
        ),
        PublishError::Forked { size, .. } => Text::new(
            format!("Bản sao ở {size} mục có lịch sử khác với sổ cái."),
            format!("At {size} entries the copy has another history than the log."),
        ),
        PublishError::Unreadable(_) => Text::new(
            "Tệp checkpoint ở nơi chứa bản sao không phải là điểm kiểm.",
            "What stands as checkpoint in the place of the copy is none.",
        ),
        PublishError::Log(error) => error.text(),
        PublishError::Store(_) | PublishError::Stopped => Text::new(
            "Không ghi được vào nơi chứa bản sao; hệ thống sẽ tự thử lại.",
            "The place of the copy cannot be written; it is tried again.",
        ),
    }
}
