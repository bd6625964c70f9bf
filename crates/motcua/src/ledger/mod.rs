//! The transparency log of this node: opening it, what stands around it, its pages, and what can be asked of it at the command
//! line.
//!
//! ```text
//! cosigning   witnesses cosign its checkpoints
//! witness     this node cosigns the logs of others
//! stamping    a timestamping authority says when the log was as it is
//! copying     a copy for the world, in a folder or an S3 bucket
//! ended       its logs that ended before the present one began
//! ```

pub mod check;
pub mod commands;
pub mod config;
pub mod copying;
pub mod cosigning;
pub mod ended;
pub mod pages;
pub mod restored;
pub mod stamping;
#[cfg(test)]
mod tests;
pub mod witness;

use std::sync::Arc;

use ::exchange::{directory::join, journal::DirectoryNow};
use ::ledger::{Algorithm, FileKey, Ledger, Ledgers, Log, Options, Signer, witness::Pace};
use ::traces::Tracer;
use anyhow::Context as _;
use base::Clock;
use tokio::sync::watch;

pub use self::stamping::stampers;
use self::{copying::Copying, cosigning::Cosigning, stamping::Stamping, witness::Here};

use crate::{config::Config, exchange::commands::FOLDER};

/// Opens the log in the data folder, or begins it. Its name is that of its key, for ever: a log is not renamed when the node
/// moves. A node that takes part in the exchange has one log for everything, under the key that the directory names.
///
/// # Errors
/// It is open elsewhere, its folder or key cannot be read, or what is there is not what was written; it was put back from a
/// backup and may not go on yet ([`restored`]).
pub fn open(config: &Config) -> anyhow::Result<Ledger> {
    restored::check(&config.data.join("ledger"))?;
    open_restored(config)
}

/// What signs the log: the key of the node in the exchange, or that of a node outside.
fn signer(config: &Config) -> anyhow::Result<Arc<dyn Signer>> {
    let folder = config.data.join(FOLDER);
    match join::Node::open(&folder) {
        Ok(node) => Ok(Arc::new(node.log_signer().clone())),
        Err(_) if !folder.join("node.json").exists() => Ok(Arc::new(key(config)?)),
        Err(error) => Err(error).with_context(|| format!("opening {}", folder.display())),
    }
}

/// Opens the log even if it was put back from a backup.
fn open_restored(config: &Config) -> anyhow::Result<Ledger> {
    let dir = config.data.join("ledger");
    ended::check(&dir)?;
    let signer = signer(config)?;
    let keys = vec![signer.verifier()];
    ended::check_name(&config.data, keys[0].name())?;
    let options = Options::new(keys[0].name(), signer);
    let log = Log::open(&dir, options).with_context(|| format!("opening the log in {}", dir.display()))?;
    Ok(Ledger {
        log: Arc::new(log),
        keys,
    })
}

/// The key of the log; made at the first start.
fn key(config: &Config) -> anyhow::Result<FileKey> {
    let path = config.data.join("ledger.key");
    if path.exists() {
        return FileKey::load(&path).with_context(|| format!("reading {}", path.display()));
    }
    ended::check_name(&config.data, &origin(config))?;
    std::fs::create_dir_all(&config.data).with_context(|| format!("making {}", config.data.display()))?;
    FileKey::create(&path, &origin(config), Algorithm::Ed25519).with_context(|| format!("making {}", path.display()))
}

/// Where the log is published, without scheme (C2SP tlog-checkpoint).
fn origin(config: &Config) -> String {
    if !config.ledger.origin.is_empty() {
        return config.ledger.origin.clone();
    }
    place(config, "ledger")
}

/// A place on this node, without scheme.
fn place(config: &Config, path: &str) -> String {
    let url = config.identity.public_url.trim_end_matches('/');
    let place = url.split_once("://").map_or(url, |(_, place)| place);
    format!("{place}/{path}")
}

/// The log with what keeps this node from showing it to different people differently. Cheap to clone.
#[derive(Clone)]
pub struct Guarded {
    /// The log.
    pub ledger: Ledger,
    /// Those that ended before it began, the oldest first.
    pub former: Vec<Ledger>,
    /// Its witnesses.
    pub cosigning: Arc<Cosigning>,
    /// This node as a witness, if it is one.
    pub witness: Option<Arc<Here>>,
    /// Who stamps it, if anybody.
    pub stamping: Option<Arc<Stamping>>,
    /// Its copy for the world, if there is one.
    pub copying: Option<Arc<Copying>>,
}

impl Guarded {
    /// Reads the configuration and what is remembered; nobody is asked yet.
    ///
    /// # Errors
    /// A key, a folder or a witness that cannot be used.
    pub fn open(config: &Config, ledger: Ledger, clock: &Arc<dyn Clock>, tracer: Tracer) -> anyhow::Result<Self> {
        let witness = match &config.ledger.witness {
            Some(witnessing) => {
                let own = ledger.log.origin();
                Some(Arc::new(Here::open(config, witnessing, own, Arc::clone(clock))?))
            }
            None => None,
        };
        let stamping = match &config.ledger.timestamps {
            Some(timestamps) => {
                let log = Arc::clone(&ledger.log);
                Some(Arc::new(Stamping::open(
                    timestamps,
                    log,
                    Arc::clone(clock),
                    tracer.clone(),
                )?))
            }
            None => None,
        };
        let copying = match &config.ledger.mirror {
            Some(mirror) => Some(Arc::new(Copying::open(
                mirror,
                Arc::clone(&ledger.log),
                tracer.clone(),
            )?)),
            None => None,
        };
        let former = ended::open(&config.data)?;
        let own = witness.as_ref().map(|witness| witness.key().clone());
        let cosigning = Cosigning::new(&config.ledger, ledger.clone(), own, Pace::default(), tracer)?;
        Ok(Self {
            ledger,
            former,
            cosigning: Arc::new(cosigning),
            witness,
            stamping,
            copying,
        })
    }

    /// All its logs.
    pub fn ledgers(&self) -> Ledgers {
        Ledgers {
            present: self.ledger.clone(),
            former: self.former.clone(),
        }
    }

    /// Takes from a directory who cosigns, and whom to follow as a witness, where the configuration says so.
    pub fn follow(&self, directory: &DirectoryNow) {
        self.cosigning.follow(Arc::clone(directory));
        if let Some(witness) = &self.witness {
            witness.follow(Arc::clone(directory));
        }
    }

    /// Works in the background until `stop`.
    pub async fn run(self, stop: watch::Receiver<bool>) {
        let witness = async {
            if let Some(witness) = self.witness {
                witness.run(stop.clone()).await;
            }
        };
        let stamping = async {
            if let Some(stamping) = self.stamping {
                stamping.run(stop.clone()).await;
            }
        };
        let copying = async {
            if let Some(copying) = self.copying {
                copying.run(stop.clone()).await;
            }
        };
        tokio::join!(self.cosigning.run(stop.clone()), witness, stamping, copying);
    }
}
