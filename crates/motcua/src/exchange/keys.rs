//! The keys of a gateway: rotated by `motcua node rotate`, renewed by themselves while it serves, and retired.
//!
//! Nobody notices: the directory names the new key first; it is shown once every node has had time to fetch that edition; the
//! old one stays believed for a day, so that whoever has an older directory and what is on its way are served. Connections that
//! were opened under the old certificate finish what is on them.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use ::exchange::{
    directory::{
        Follower, Following,
        join::{NewEntry, Node, Operator, Rotation},
    },
    model::federation::{Subsystem, View},
};
use anyhow::{Context as _, bail};
use base::{Clock, Timestamp, time::SystemClock};
use clap::Args;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use trust::{Algorithm, KeyId, Tls};

use super::{PATIENCE, commands::FOLDER, operator_url};
use crate::{cli::say, config::Config};

/// Keys that are still believed and no longer shown.
const FORMER: &str = "former.json";
/// How often a node looks after its keys.
const LOOK: Duration = Duration::from_secs(60);
/// How long a new key is known before it is shown: every node looks for a newer directory each minute.
const LEAD: Duration = Duration::from_secs(180);
/// How long a former key stays believed, in seconds.
const OVERLAP: i64 = 86_400;
/// A certificate is renewed when less than this share of its life is left.
const RENEWED_AT: i64 = 3;

/// The keys of a gateway that serves.
pub struct Keys {
    folder: PathBuf,
    tls: Tls,
    clock: Arc<dyn Clock>,
    node: Mutex<Node>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Former {
    key: KeyId,
    since: Timestamp,
}

impl Keys {
    /// Of the node in a folder, for these connections.
    pub fn new(folder: &Path, node: Node, tls: Tls, clock: Arc<dyn Clock>) -> Self {
        Self {
            folder: folder.to_owned(),
            tls,
            clock,
            node: Mutex::new(node),
        }
    }

    /// When the certificate ends; none when it cannot be read.
    pub async fn until(&self) -> Option<Timestamp> {
        let node = self.node.lock().await;
        node.certificate().ok().map(|certificate| certificate.not_after())
    }

    /// Tells the directory what the member offers.
    ///
    /// # Errors
    /// What the operator refuses.
    pub async fn publish(&self, entry: NewEntry) -> anyhow::Result<()> {
        let operator = operator(&self.folder)?;
        self.node.lock().await.publish(&operator, entry).await?;
        Ok(())
    }

    /// Renews, takes up what `motcua node rotate` did, and retires, for as long as it is polled.
    pub async fn keep(self: Arc<Self>, follower: Follower) {
        loop {
            tokio::time::sleep(LOOK).await;
            if let Err(error) = self.look(&follower, LEAD).await {
                tracing::error!(%error, "the keys of the gateway could not be looked after");
            }
        }
    }

    /// Looks once. A new key is shown after `lead`.
    pub(super) async fn look(&self, follower: &Follower, lead: Duration) -> anyhow::Result<()> {
        let mut node = self.node.lock().await;
        let shown = node.fingerprints().tls_key;
        // Another process may have rotated.
        *node = Node::open(&self.folder)?;
        let view = Arc::clone(&follower.standing().load().view);
        let now = self.clock.now();
        if node.fingerprints().tls_key == shown && is_due(&node, now)? {
            let certificate = node.certificate()?;
            let algorithm = certificate.public_key()?.algorithm();
            rotate(&self.folder, &mut node, &view, Rotation::Overlapping(algorithm), now).await?;
            tracing::info!("the certificate of the gateway was renewed");
        }
        if node.fingerprints().tls_key != shown {
            // Nobody else waits meanwhile: what the directory is told is signed by either key.
            let credential = node.credential()?;
            drop(node);
            tokio::time::sleep(lead).await;
            self.tls.swap_credential(credential);
            tracing::info!("the gateway shows its new certificate");
            return Ok(());
        }
        let before = now.plus_seconds(-OVERLAP);
        retire(&self.folder, &node, &view, before).await.map(drop)
    }
}

/// Whether little of the certificate's life is left.
fn is_due(node: &Node, now: Timestamp) -> anyhow::Result<bool> {
    let certificate = node.certificate()?;
    let (from, until) = (certificate.not_before().micros(), certificate.not_after().micros());
    Ok(until - now.micros() < (until - from) / RENEWED_AT)
}

fn operator(folder: &Path) -> anyhow::Result<Operator> {
    Ok(Operator::at(&operator_url(folder)?, PATIENCE)?)
}

/// What the directory says that the member offers: a change of keys leaves it as it is.
fn offered(node: &Node, view: &View) -> anyhow::Result<Vec<Subsystem>> {
    let member = node.server().owner;
    let entry = view
        .member(&member)
        .with_context(|| format!("the directory does not know {member}"))?;
    Ok(entry.subsystems.clone())
}

async fn rotate(folder: &Path, node: &mut Node, view: &View, rotation: Rotation, now: Timestamp) -> anyhow::Result<()> {
    let former = Former {
        key: node.fingerprints().tls_key,
        since: now,
    };
    node.rotate(&operator(folder)?, offered(node, view)?, rotation).await?;
    if matches!(rotation, Rotation::Overlapping(_)) {
        let mut all = read_former(folder)?;
        all.push(former);
        write_former(folder, &all)?;
    }
    Ok(())
}

/// Has keys believed no more that were replaced before an instant; how many.
async fn retire(folder: &Path, node: &Node, view: &View, before: Timestamp) -> anyhow::Result<usize> {
    let (old, young): (Vec<_>, Vec<_>) = read_former(folder)?.into_iter().partition(|key| key.since <= before);
    if old.is_empty() {
        return Ok(0);
    }
    let keys = old.iter().map(|former| former.key).collect();
    node.retire(&operator(folder)?, offered(node, view)?, keys).await?;
    write_former(folder, &young)?;
    Ok(old.len())
}

fn read_former(folder: &Path) -> anyhow::Result<Vec<Former>> {
    let path = folder.join(FORMER);
    match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).with_context(|| format!("in {}", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
    }
}

fn write_former(folder: &Path, former: &[Former]) -> anyhow::Result<()> {
    let path = folder.join(FORMER);
    let draft = path.with_extension("new");
    std::fs::write(&draft, serde_json::to_vec_pretty(former)?)
        .and_then(|()| std::fs::rename(&draft, &path))
        .with_context(|| format!("writing {}", path.display()))
}

/// `motcua node rotate`.
#[derive(Debug, Args)]
pub struct Rotate {
    /// The configuration of the node, which may be running.
    #[arg(long)]
    config: PathBuf,
    /// The old key may be in other hands: it is believed no more at once.
    #[arg(long)]
    at_once: bool,
    /// How the new key signs: ed25519 or p256; as the old one, if not said.
    #[arg(long)]
    algorithm: Option<String>,
}

/// `motcua node retire`.
#[derive(Debug, Args)]
pub struct Retire {
    /// The configuration of the node, which may be running.
    #[arg(long)]
    config: PathBuf,
}

#[cfg(test)]
impl Rotate {
    /// What the command line would say.
    pub(super) fn of(config: &Path, algorithm: Option<String>) -> Self {
        Self {
            config: config.to_owned(),
            at_once: false,
            algorithm,
        }
    }
}

#[cfg(test)]
impl Retire {
    /// What the command line would say.
    pub(super) fn of(config: &Path) -> Self {
        Self {
            config: config.to_owned(),
        }
    }
}

/// Replaces the key of TLS.
///
/// # Errors
/// What the operator refuses; then the present key stays.
pub async fn rotate_by_hand(args: &Rotate) -> anyhow::Result<()> {
    let (folder, mut node, view) = standing(&args.config).await?;
    let algorithm = match args.algorithm.as_deref() {
        None => node.certificate()?.public_key()?.algorithm(),
        Some("ed25519") => Algorithm::Ed25519,
        Some("p256") => Algorithm::EcdsaP256,
        Some(other) => bail!("--algorithm {other}: ed25519 or p256"),
    };
    let rotation = if args.at_once {
        Rotation::AtOnce(algorithm)
    } else {
        Rotation::Overlapping(algorithm)
    };
    rotate(&folder, &mut node, &view, rotation, SystemClock.now()).await?;
    say(&format!(
        "Khóa mới / new key: {}\nNút đang chạy dùng khóa này sau ít phút. / A running node shows it within minutes.\n",
        node.fingerprints().tls_key
    ))
}

/// Has all former keys believed no more.
///
/// # Errors
/// What the operator refuses.
pub async fn retire_by_hand(args: &Retire) -> anyhow::Result<()> {
    let (folder, node, view) = standing(&args.config).await?;
    let many = retire(&folder, &node, &view, SystemClock.now()).await?;
    say(&format!("Đã bỏ khóa cũ / former keys retired: {many}\n"))
}

/// The node of a configuration and the newest directory.
async fn standing(config: &Path) -> anyhow::Result<(PathBuf, Node, Arc<View>)> {
    let folder = Config::read(config)?.data.join(FOLDER);
    let node = Node::open(&folder).context("the node has not joined")?;
    let mirror = operator(&folder)?.mirror();
    let follower = Follower::open(Following::new(
        vec![mirror],
        node.directory_folder(),
        Arc::new(SystemClock),
    ))
    .await?;
    let newer = follower.refresh().await;
    newer.map_err(|problems| base::Error::Refused(base::Kind::Unavailable, problems))?;
    let view = Arc::clone(&follower.standing().load().view);
    Ok((folder, node, view))
}
