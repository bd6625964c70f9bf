//! This node as a witness of other logs: its key, what it follows, and where it answers.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};

use ::ledger::{
    Algorithm, FileKey, Signer, VerifierKey,
    witness::{Followed, Witness},
};
use anyhow::Context as _;
use axum::Router;
use base::Clock;
use exchange::{journal::DirectoryNow, model::federation::View};
use tokio::sync::watch;

use super::config::Witnessing;
use crate::config::Config;

/// How often a change of the directory is looked for.
const LOOK: Duration = Duration::from_secs(5);

/// The key of the witness; made at the first call. Cosigns by Ed25519 (`cosignature/v1`).
///
/// # Errors
/// It cannot be read or written.
pub fn key(config: &Config, witnessing: &Witnessing) -> anyhow::Result<FileKey> {
    let path = config.data.join("witness.key");
    if path.exists() {
        return FileKey::load(&path).with_context(|| format!("reading {}", path.display()));
    }
    let name = if witnessing.name.is_empty() {
        super::place(config, "witness")
    } else {
        witnessing.name.clone()
    };
    std::fs::create_dir_all(&config.data).with_context(|| format!("making {}", config.data.display()))?;
    FileKey::create(&path, &name, Algorithm::CosignatureV1).with_context(|| format!("making {}", path.display()))
}

/// This node as a witness.
pub struct Here {
    key: VerifierKey,
    address: String,
    /// The log of this node: nobody vouches for themselves.
    own: String,
    config: Witnessing,
    directory: OnceLock<DirectoryNow>,
    witness: Arc<Witness>,
}

impl Here {
    /// Opens what it remembers in the folder `witness` of the data.
    ///
    /// # Errors
    /// Key or memory cannot be read.
    pub fn open(config: &Config, witnessing: &Witnessing, own: &str, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let signer = Arc::new(key(config, witnessing)?);
        let key = signer.verifier();
        let dir: &Path = &config.data.join("witness");
        let logs = listed(witnessing, own);
        let witness = Witness::open(dir, vec![signer], logs, clock)
            .with_context(|| format!("opening the witness in {}", dir.display()))?;
        Ok(Self {
            key,
            address: format!("{}/witness", config.identity.public_url.trim_end_matches('/')),
            own: own.to_owned(),
            config: witnessing.clone(),
            directory: OnceLock::new(),
            witness: Arc::new(witness),
        })
    }

    /// Its key.
    pub const fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// Where it is asked.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The logs that it follows.
    pub fn followed(&self) -> Vec<Followed> {
        self.witness.followed()
    }

    /// `/witness/…` (C2SP tlog-witness).
    pub fn router(&self) -> Router {
        Router::new().nest("/witness", ::ledger::http::witness(Arc::clone(&self.witness)))
    }

    /// From now on the logs of this directory's members are followed, if the configuration says so.
    pub fn follow(&self, directory: DirectoryNow) {
        if self.config.directory {
            self.take(&directory());
            // A node follows one directory.
            let _ = self.directory.set(directory);
        }
    }

    /// Keeps up with the directory until `stop`.
    pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let Some(directory) = self.directory.get() else {
            if self.config.directory {
                tracing::warn!("ledger.witness.directory: this node follows no directory");
            }
            return;
        };
        let mut seen = 0;
        loop {
            let view = directory();
            if view.directory().version != seen {
                seen = view.directory().version;
                self.take(&view);
            }
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    fn take(&self, view: &View) {
        let gateways = view.directory().members.iter().flat_map(|member| &member.gateways);
        let keys = gateways.flat_map(|gateway| &gateway.log_keys);
        let members = keys.filter_map(|key| key.parse::<VerifierKey>().ok());
        let mut seen = BTreeSet::new();
        let logs = listed(&self.config, &self.own)
            .into_iter()
            .chain(members.filter(|key| key.name() != self.own))
            .filter(|key| seen.insert(key.to_string()))
            .collect();
        if let Err(error) = self.witness.follow(logs) {
            tracing::error!(%error, "the logs of the directory cannot be followed");
        }
    }
}

fn listed(config: &Witnessing, own: &str) -> Vec<VerifierKey> {
    let others = config.logs.iter().filter(|key| key.name() != own);
    others.cloned().collect()
}
