//! The side of every node: has the newest edition from any mirror, verified, and says how old it is.

mod fetch;
mod folder;

use std::{
    fmt,
    path::{Path, PathBuf},
    pin::pin,
    sync::{Arc, MutexGuard, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use base::{Clock, Problems, Timestamp};
use rand::Rng;
use tokio::{sync::watch, time::sleep};
use trust::Explained;

pub(super) use fetch::{Reader, reason};
use folder::{Folder, Taken};

use super::{
    anchors::trust_store,
    format::{Digest, File, LONGEST_DOCUMENT, LONGEST_SEALED},
    refusal::Refusal,
    trusted::{Held, Trusted, directory_of},
};
use crate::model::federation::{Description, Freshness, Standing};

/// Most roots that are followed at once: a mirror could give them without end.
const MOST_ROOTS: usize = 64;

/// The first pause after a failure.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// How a node follows the directory.
#[derive(Clone)]
pub struct Following {
    /// Addresses below which the files lie: `https://exchange.example.gov.vn/exchange/directory`; the first that serves a
    /// good edition is taken.
    pub mirrors: Vec<String>,
    /// The node's own folder for it.
    pub folder: PathBuf,
    /// How often to look.
    pub every: Duration,
    /// How long a mirror may take for a small file.
    pub patience: Duration,
    /// For how many seconds after it ran out the node goes on with members that it has met.
    pub grace: i64,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Following {
    /// The usual: looks every minute, waits ten seconds for a small file, and goes on for three days after what it has ran
    /// out.
    pub fn new(mirrors: Vec<String>, folder: PathBuf, clock: Arc<dyn Clock>) -> Self {
        Self {
            mirrors,
            folder,
            every: Duration::from_secs(60),
            patience: Duration::from_secs(10),
            grace: 72 * 3_600,
            clock,
        }
    }
}

impl fmt::Debug for Following {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Following")
            .field("mirrors", &self.mirrors)
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

/// What came of looking for a newer edition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refreshed {
    /// The edition is the one that was held; its timestamp may be newer.
    Same,
    /// A newer edition, with its number.
    Newer(u64),
}

/// How the last look went, for pages and health.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// When a mirror last gave a good answer.
    pub good: Option<Timestamp>,
    /// When this node last looked.
    pub looked: Option<Timestamp>,
    /// The fingerprint of the root in force, as this node knows it.
    pub root: Option<Digest>,
    /// What was wrong at the last look, each at the address of its mirror; empty when one of them was good.
    pub problems: Problems,
}

/// Follows the directory. Clones are the same follower.
#[derive(Clone)]
pub struct Follower(Arc<Inner>);

struct Inner {
    following: Following,
    folder: Folder,
    reader: Reader,
    trusted: std::sync::Mutex<Trusted>,
    refreshing: tokio::sync::Mutex<()>,
    standing: Arc<ArcSwap<Standing>>,
    report: ArcSwap<Report>,
    edition: watch::Sender<u64>,
}

impl Follower {
    /// Pins a root whose fingerprint somebody compared, as the beginning of all trust. For a node that joins.
    ///
    /// # Errors
    /// [`Refusal::OtherRoot`], or what is wrong with the root.
    pub fn pin(folder: &Path, root: &[u8], fingerprint: Digest) -> Result<(), Refusal> {
        Trusted::pinned(root, fingerprint)?;
        Folder::new(folder).pin(root)
    }

    /// Begins with the last good edition of the folder, or else asks the mirrors now.
    ///
    /// # Errors
    /// [`Refusal::Absent`] when no root was pinned; every problem with every mirror when there is no edition.
    pub async fn open(following: Following) -> base::Result<Self> {
        let folder = Folder::new(&following.folder);
        let mut trusted = folder.load()?;
        let reader = Reader::new(following.patience)?;
        let now = following.clock.now();
        if trusted.held().is_none() {
            refresh(&mut trusted, &following.mirrors, &reader, &folder, now)
                .await
                .map_err(|problems| base::Error::Refused(base::Kind::Unavailable, problems))?;
        }
        let (Some(held), Some(freshness)) = (trusted.held(), trusted.freshness(now, following.grace)) else {
            return Err(base::Error::internal("an edition was taken and is not held"));
        };
        let standing = Standing {
            view: Arc::clone(&held.view),
            freshness,
        };
        Ok(Self(Arc::new(Inner {
            edition: watch::Sender::new(standing.view.directory().version),
            standing: Arc::new(ArcSwap::from_pointee(standing)),
            report: ArcSwap::from_pointee(Report {
                root: Some(trusted.fingerprint()),
                ..Report::default()
            }),
            trusted: std::sync::Mutex::new(trusted),
            refreshing: tokio::sync::Mutex::default(),
            following,
            folder,
            reader,
        })))
    }

    /// The directory as this node has it now; the cell is kept current by [`Follower::run`].
    pub fn standing(&self) -> Arc<ArcSwap<Standing>> {
        Arc::clone(&self.0.standing)
    }

    /// How the last look went.
    pub fn report(&self) -> Arc<Report> {
        self.0.report.load_full()
    }

    /// Tells the number of each new edition, upon which TLS is to believe a new [`trust_store`].
    pub fn editions(&self) -> watch::Receiver<u64> {
        self.0.edition.subscribe()
    }

    /// Looks for a newer edition now. What is held stays unless a better one was verified to the end.
    ///
    /// # Errors
    /// What is wrong with each mirror, at its address.
    pub async fn refresh(&self) -> Result<Refreshed, Problems> {
        let inner = &self.0;
        let _one = inner.refreshing.lock().await;
        let mut trusted = self.trusted().clone();
        let now = inner.following.clock.now();
        let outcome = refresh(
            &mut trusted,
            &inner.following.mirrors,
            &inner.reader,
            &inner.folder,
            now,
        )
        .await;
        let before = inner.report.load();
        inner.report.store(Arc::new(Report {
            good: outcome.as_ref().map_or(before.good, |_| Some(now)),
            looked: Some(now),
            root: Some(trusted.fingerprint()),
            problems: outcome.as_ref().err().cloned().unwrap_or_default(),
        }));
        // Roots that were taken stay, even when nothing came after them.
        *self.trusted() = trusted;
        self.judge();
        outcome
    }

    fn trusted(&self) -> MutexGuard<'_, Trusted> {
        self.0.trusted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Judges again how old what is held is. [`Follower::run`] does so the moment that it changes.
    pub fn judge(&self) {
        let inner = &self.0;
        let trusted = self.trusted();
        let freshness = trusted.freshness(inner.following.clock.now(), inner.following.grace);
        let (Some(held), Some(freshness)) = (trusted.held(), freshness) else {
            return;
        };
        let shown = inner.standing.load();
        if Arc::ptr_eq(&shown.view, &held.view) && shown.freshness == freshness {
            return;
        }
        if shown.freshness != freshness {
            tracing::info!(?freshness, "the directory is of another age");
        }
        inner.standing.store(Arc::new(Standing {
            view: Arc::clone(&held.view),
            freshness,
        }));
        let version = held.view.directory().version;
        inner
            .edition
            .send_if_modified(|shown| std::mem::replace(shown, version) != version);
    }

    /// Follows for as long as it is polled: looks at each interval, after a failure soon and then ever less often, and says
    /// the moment that what is held runs out.
    pub async fn run(self) {
        let every = self.0.following.every;
        let mut pause = FIRST_PAUSE.min(every);
        loop {
            let wait = match self.judging(self.refresh()).await {
                Ok(_) => {
                    pause = FIRST_PAUSE.min(every);
                    every
                }
                Err(problems) => {
                    tracing::warn!(?problems, "no mirror gives a good directory");
                    let wait = pause;
                    pause = pause.saturating_mul(2).min(every);
                    wait
                }
            };
            // Nodes that were started together do not ask together.
            let wait = wait.mul_f64(rand::rng().random_range(0.75..1.25));
            self.judging(sleep(wait)).await;
        }
    }

    /// Waits for something, and judges the moment that what is held is of another age: a mirror that hangs delays no word
    /// of that.
    async fn judging<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            match self.until_change() {
                None => return work.await,
                Some(change) => tokio::select! {
                    done = &mut work => return done,
                    () = sleep(change) => self.judge(),
                },
            }
        }
    }

    /// How long until what is held is of another age.
    fn until_change(&self) -> Option<Duration> {
        let at = match self.0.standing.load().freshness {
            Freshness::Fresh => self.trusted().runs_out()?,
            Freshness::Stale { until, .. } => until,
            Freshness::Expired { .. } => return None,
        };
        let micros = at.micros().saturating_sub(self.0.following.clock.now().micros());
        Some(Duration::from_micros(u64::try_from(micros).unwrap_or(0)))
    }

    /// The OpenAPI document of a service, from this node's folder or any mirror.
    ///
    /// # Errors
    /// What is wrong with each mirror, at its address.
    pub async fn document(&self, description: &Description) -> Result<Vec<u8>, Problems> {
        let sha256: Digest = description
            .sha256
            .parse()
            .map_err(|refusal: Refusal| refusal.problems())?;
        if let Some(found) = self.0.folder.document(sha256) {
            return Ok(found);
        }
        let mut problems = Problems::new();
        for mirror in &self.0.following.mirrors {
            match self.document_of(mirror, sha256, description.bytes).await {
                Ok(document) => return Ok(document),
                Err(refusal) => at_mirror(&mut problems, mirror, &refusal),
            }
        }
        Err(problems)
    }

    async fn document_of(&self, mirror: &str, sha256: Digest, bytes: u64) -> Result<Vec<u8>, Refusal> {
        let most = bytes.min(LONGEST_DOCUMENT);
        let document = self.0.reader.must_read(mirror, File::Blob(sha256), most).await?;
        if Digest::of(&document) != sha256 {
            return Err(Refusal::Mixed("OpenAPI"));
        }
        self.0.folder.keep_document(sha256, &document)?;
        Ok(document)
    }
}

impl fmt::Debug for Follower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Follower({:?})", self.0.following)
    }
}

async fn refresh(
    trusted: &mut Trusted,
    mirrors: &[String],
    reader: &Reader,
    folder: &Folder,
    now: Timestamp,
) -> Result<Refreshed, Problems> {
    let mut problems = Problems::new();
    for mirror in mirrors {
        match from_mirror(trusted, mirror, reader, folder, now).await {
            Ok(refreshed) => return Ok(refreshed),
            Err(refusal) => at_mirror(&mut problems, mirror, &refusal),
        }
    }
    if problems.is_empty() {
        at_mirror(&mut problems, "", &Refusal::Unreachable("mirrors = []".to_owned()));
    }
    Err(problems)
}

fn at_mirror(problems: &mut Problems, mirror: &str, refusal: &Refusal) {
    let text = refusal.text();
    problems.add(refusal.code(), mirror, text.vi, text.en);
}

async fn from_mirror(
    trusted: &mut Trusted,
    mirror: &str,
    reader: &Reader,
    folder: &Folder,
    now: Timestamp,
) -> Result<Refreshed, Refusal> {
    for _ in 0..MOST_ROOTS {
        let next = trusted.root().version + 1;
        let Some(root) = reader.read(mirror, File::Root(next), LONGEST_SEALED).await? else {
            break;
        };
        trusted.next_root(&root)?;
        folder.keep_root(next, &root)?;
    }
    let bytes = reader.must_read(mirror, File::Timestamp, LONGEST_SEALED).await?;
    let stamp = trusted.stamp(&bytes, now)?;
    let named = stamp.body().edition;
    if let Some(held) = trusted.held().filter(|held| held.stamp.body().edition == named) {
        let held = Held { stamp, ..held.clone() };
        let taken = Taken {
            stamp: bytes,
            named,
            edition: None,
            blob: held.edition.body().directory.sha256,
            directory: None,
        };
        folder.keep(&taken, held.view.directory())?;
        trusted.hold(held);
        return Ok(Refreshed::Same);
    }
    let most = named.bytes.min(LONGEST_SEALED);
    let edition_bytes = reader.must_read(mirror, File::Edition(named), most).await?;
    let edition = trusted.edition(&named, &edition_bytes, now)?;
    let blob = edition.body().directory;
    let most = blob.bytes.min(super::format::LONGEST_DIRECTORY);
    let directory = reader.must_read(mirror, File::Blob(blob.sha256), most).await?;
    let view = directory_of(edition.body(), &directory)?;
    trust_store(&view, trust::Revocations::default(), now)?;
    let taken = Taken {
        stamp: bytes,
        named,
        edition: Some(edition_bytes),
        blob: blob.sha256,
        directory: Some(directory),
    };
    folder.keep(&taken, view.directory())?;
    let version = named.version;
    trusted.hold(Held { stamp, edition, view });
    Ok(Refreshed::Newer(version))
}
