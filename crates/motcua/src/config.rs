//! The configuration of a node: one TOML file. Every key has a default that works, but for the database and the keys.

use std::{
    fs,
    io::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use base::Text;
use rand::RngCore as _;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The folder of files and of the node's secret.
    pub data: PathBuf,
    /// The database. Default: `sqlite:<data>/motcua.db`.
    #[serde(default)]
    pub database: Database,
    /// Where and how to listen.
    #[serde(default)]
    pub http: Http,
    /// What stands at the head and foot of pages.
    #[serde(default)]
    pub site: Site,
    /// Sign-in.
    #[serde(default)]
    pub identity: identity::Config,
    /// Dossiers.
    #[serde(default)]
    pub dossiers: dossier::service::Config,
    /// The transparency log.
    #[serde(default)]
    pub ledger: crate::ledger::config::Ledger,
    /// The exchange between agencies; without it the node keeps to itself.
    #[serde(default)]
    pub exchange: Option<crate::exchange::config::Exchange>,
    /// Where traces go; nowhere by default.
    #[serde(default)]
    pub traces: crate::traces::Config,
    /// Folders of procedure packages to put into force at the start.
    #[serde(default)]
    pub packages: Vec<PathBuf>,
    /// Folders of registries to publish at the start, each with the dictionary beside it.
    #[serde(default)]
    pub registries: Vec<PathBuf>,
    /// Folders of approved questions that this node answers on the exchange.
    #[serde(default)]
    pub questions: Vec<PathBuf>,
    /// Folders of rules by which this node proposes to people before they ask; their questions stand above.
    #[serde(default)]
    pub proposals: Vec<PathBuf>,
    /// The editions of the key of pseudonyms.
    #[serde(default)]
    pub pseudonyms: Pseudonyms,
    /// A folder laid over the reference data of this build.
    #[serde(default)]
    pub reference: Option<PathBuf>,
    /// A working-day calendar that replaces the one of this build.
    #[serde(default)]
    pub calendar: Option<PathBuf>,
}

/// The database.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// `sqlite:PATH` or `postgres://…`; empty for SQLite in the data folder. The environment variable `MOTCUA_DATABASE`
    /// overrides it, so that a password need not stand in a file.
    pub url: String,
    /// Connections at most.
    pub connections: u32,
}

impl Default for Database {
    fn default() -> Self {
        Self {
            url: String::new(),
            connections: 8,
        }
    }
}

/// Where and how to listen.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Address and port.
    pub listen: SocketAddr,
    /// Certificate chain, PEM. With `key`: TLS.
    pub certificate: Option<PathBuf>,
    /// Private key, PEM.
    pub key: Option<PathBuf>,
    /// Or: TLS with a certificate by ACME.
    pub acme: Option<crate::tls::acme::Settings>,
    /// How long a request may take, seconds.
    pub timeout_seconds: u64,
    /// How long requests under way may go on when the node is asked to stop, seconds.
    pub drain_seconds: u64,
    /// Address and port of the figures for Prometheus; none: not served.
    pub metrics: Option<SocketAddr>,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            certificate: None,
            key: None,
            acme: None,
            timeout_seconds: 60,
            drain_seconds: 20,
            metrics: None,
        }
    }
}

/// What stands at the head and foot of pages.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Site {
    /// The agency that answers for the site.
    pub agency: Text,
    /// Telephone.
    pub hotline: String,
    /// Mail.
    pub email: String,
    /// Design tokens that differ from the defaults.
    pub theme: std::collections::BTreeMap<String, String>,
}

/// The editions of the key with which clients of registries get pseudonyms. To change the key, one more: clients are then given new
/// pseudonyms, and may use those of the editions before until `oldest` leaves them behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pseudonyms {
    /// The edition of new ones, from 1.
    pub edition: u32,
    /// The oldest that is still taken.
    pub oldest: u32,
}

impl Default for Pseudonyms {
    fn default() -> Self {
        Self { edition: 1, oldest: 1 }
    }
}

impl Pseudonyms {
    /// The key, of the node's secret.
    ///
    /// # Errors
    /// Editions that are none.
    pub fn key(self, secret: &Secret) -> anyhow::Result<registry::model::PseudonymKey> {
        let Self { edition, oldest } = self;
        if oldest == 0 || oldest > edition {
            bail!("[pseudonyms]: oldest is from 1 to edition, which is {edition}");
        }
        let key = secret.key(&format!("pseudonyms/{edition}"));
        Ok(registry::model::PseudonymKey::new(edition, oldest, key))
    }
}

impl Http {
    /// Whether the pages are served over TLS by this process.
    pub fn has_tls(&self) -> bool {
        self.certificate.is_some() || self.acme.is_some()
    }
}

impl Config {
    /// Reads the file.
    ///
    /// # Errors
    /// The file with line and column, and what is wrong there.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        let mut config: Self = toml::from_str(&text).with_context(|| format!("in {}", path.display()))?;
        if let Ok(url) = std::env::var("MOTCUA_DATABASE") {
            config.database.url = url;
        }
        if let (Ok(url), Some(exchange)) = (std::env::var("MOTCUA_SHARED_DATABASE"), &mut config.exchange) {
            exchange.shared = url;
        }
        if let Ok(collector) = std::env::var("MOTCUA_TRACES") {
            config.traces.collector = collector;
        }
        if config.http.certificate.is_some() != config.http.key.is_some() {
            bail!("in {}: http.certificate and http.key go together", path.display());
        }
        if let Some(acme) = &config.http.acme {
            if config.http.certificate.is_some() {
                bail!("in {}: http.certificate or [http.acme], not both", path.display());
            }
            let checked = acme.check(&config.identity.public_url);
            checked.with_context(|| format!("in {}: http.acme", path.display()))?;
        }
        Ok(config)
    }

    /// The address of the database.
    pub fn database_url(&self) -> String {
        if self.database.url.is_empty() {
            format!("sqlite:{}", self.data.join("motcua.db").display())
        } else {
            self.database.url.clone()
        }
    }

    /// The node's secret: made at the first start, kept in the data folder for its owner's eyes only.
    ///
    /// # Errors
    /// The folder cannot be written, or the file is not a secret of ours.
    pub fn secret(&self) -> anyhow::Result<Secret> {
        let path = self.data.join("secret.key");
        match fs::read_to_string(&path) {
            Ok(text) => {
                let mut bytes = [0_u8; 32];
                hex::decode_to_slice(text.trim(), &mut bytes)
                    .with_context(|| format!("{} is not a key", path.display()))?;
                Ok(Secret(bytes))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                fs::create_dir_all(&self.data).with_context(|| format!("making {}", self.data.display()))?;
                let mut bytes = [0_u8; 32];
                rand::rng().fill_bytes(&mut bytes);
                let mut options = fs::OpenOptions::new();
                options.write(true).create_new(true);
                #[cfg(unix)]
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
                let mut file = options
                    .open(&path)
                    .with_context(|| format!("writing {}", path.display()))?;
                file.write_all(hex::encode(bytes).as_bytes())?;
                file.sync_all()?;
                Ok(Secret(bytes))
            }
            Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
        }
    }
}

/// The node's secret; each use has a key of its own, derived from it.
#[derive(Clone)]
pub struct Secret([u8; 32]);

impl Secret {
    /// The key of one use.
    pub fn key(&self, purpose: &str) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update(purpose.as_bytes());
        hash.finalize().into()
    }
}
