//! The transparency log of this node: opening it, its pages, and what can be asked of it at the command line.

pub mod check;
pub mod commands;
pub mod pages;
pub mod restored;

use std::sync::Arc;

use ::exchange::directory::join;
use ::ledger::{Algorithm, FileKey, Log, Options, Signer};
use anyhow::Context as _;
use dossier::service::Ledger;

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

/// Opens the log even if it was put back from a backup.
fn open_restored(config: &Config) -> anyhow::Result<Ledger> {
    let folder = config.data.join(FOLDER);
    let signer: Arc<dyn Signer> = match join::Node::open(&folder) {
        Ok(node) => Arc::new(node.log_signer().clone()),
        Err(_) if !folder.join("node.json").exists() => Arc::new(key(config)?),
        Err(error) => return Err(error).with_context(|| format!("opening {}", folder.display())),
    };
    let keys = vec![signer.verifier()];
    let dir = config.data.join("ledger");
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
    std::fs::create_dir_all(&config.data).with_context(|| format!("making {}", config.data.display()))?;
    FileKey::create(&path, &origin(config), Algorithm::Ed25519).with_context(|| format!("making {}", path.display()))
}

/// Where the log is published, without scheme (C2SP tlog-checkpoint).
fn origin(config: &Config) -> String {
    if !config.ledger.origin.is_empty() {
        return config.ledger.origin.clone();
    }
    let url = config.identity.public_url.trim_end_matches('/');
    let place = url.split_once("://").map_or(url, |(_, place)| place);
    format!("{place}/ledger")
}
