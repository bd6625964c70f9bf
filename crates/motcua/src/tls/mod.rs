//! The certificate of the node's pages: from files that are read again when they change ([`files`]), or by ACME ([`acme`]).

pub mod acme;
pub mod files;
#[cfg(test)]
mod tests;

use std::{
    fs,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use ::traces::Tracer;
use ::trust::{Certificate, Explained};
use anyhow::{Context as _, bail};
use base::{Clock, Text, Timestamp};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::sync::watch;

use self::{acme::Acme, files::Files};
use crate::config::Config;

/// A certificate that is about to end is told this long before, or when a sixth of its life is left: it should have been
/// renewed when a third was left.
const SOON: Duration = Duration::from_secs(14 * 86_400);

/// What pages show to browsers. One that is swapped is shown from the next handshake on.
#[derive(Debug, Default)]
pub struct PageCertificate {
    shown: RwLock<Option<Arc<Shown>>>,
    trouble: RwLock<Option<Trouble>>,
}

/// A certificate with its key.
#[derive(Debug)]
pub struct Shown {
    key: Arc<CertifiedKey>,
    begins: Timestamp,
    until: Timestamp,
}

/// Why the certificate is not renewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// A stable name.
    pub code: &'static str,
    /// What is wrong and what to do.
    pub text: Text,
}

impl<E: Explained> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self {
            code: error.code(),
            text: error.text(),
        }
    }
}

impl Shown {
    /// Reads chain and key, which must belong together. The chain's first certificate is the node's own.
    ///
    /// # Errors
    /// What cannot be read, or that they do not belong together.
    fn read(chain: &[u8], key: &[u8]) -> anyhow::Result<Self> {
        let chain = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<Vec<_>, _>>()
            .context("the certificate is no PEM")?;
        let own = chain.first().context("there is no certificate")?;
        let own = Certificate::from_der(own).context("the certificate cannot be read")?;
        let key = PrivateKeyDer::from_pem_slice(key).context("the private key is no PEM")?;
        let key = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider())
            .context("certificate and private key do not belong together")?;
        Ok(Self {
            key: Arc::new(key),
            begins: own.not_before(),
            until: own.not_after(),
        })
    }

    fn life(&self) -> Duration {
        let micros = self.until.micros().saturating_sub(self.begins.micros());
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    }

    fn left(&self, now: Timestamp) -> Duration {
        let micros = self.until.micros().saturating_sub(now.micros());
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    }
}

impl PageCertificate {
    fn shown(&self) -> Option<Arc<Shown>> {
        self.shown.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn show(&self, new: Shown) {
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(new));
    }

    /// Tells of trouble, or that there is none any more; logs what is new.
    fn tell(&self, trouble: Option<Trouble>) {
        let mut told = self.trouble.write().unwrap_or_else(PoisonError::into_inner);
        if *told != trouble {
            match &trouble {
                Some(Trouble { code, text }) => {
                    tracing::error!(code, "the certificate of the pages is not renewed: {}", text.en);
                }
                None => tracing::info!("the certificate of the pages is in order again"),
            }
        }
        *told = trouble;
    }

    /// When what is shown ends.
    pub fn until(&self) -> Option<Timestamp> {
        Some(self.shown()?.until)
    }

    /// Why it is not renewed, if so.
    pub fn trouble(&self) -> Option<Trouble> {
        self.trouble.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether it ends soon at `now`, so that renewal must have failed.
    pub fn ends_soon(&self, now: Timestamp) -> bool {
        self.shown()
            .is_some_and(|shown| shown.left(now) < SOON.min(shown.life() / 6))
    }
}

impl ResolvesServerCert for PageCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.shown()?.key))
    }
}

/// TLS of the pages: what is shown, and what keeps it.
pub struct PageTls {
    pub certificate: Arc<PageCertificate>,
    keeper: Keeper,
}

enum Keeper {
    Files(Files),
    Acme(Box<Acme>),
}

impl PageTls {
    /// What the configuration says; none where the pages have no TLS. The listener of ACME's challenges is bound.
    ///
    /// # Errors
    /// Files that cannot be read or do not belong together, settings of ACME that cannot be used, an address that is taken.
    pub async fn open(config: &Config, clock: &Arc<dyn Clock>, tracer: Tracer) -> anyhow::Result<Option<Self>> {
        let certificate = Arc::<PageCertificate>::default();
        let keeper = match (&config.http.certificate, &config.http.key, &config.http.acme) {
            (Some(chain), Some(key), _) => Keeper::Files(Files::open(chain, key, Arc::clone(&certificate))?),
            (_, _, Some(acme)) => {
                let acme = Acme::open(config, acme, Arc::clone(clock), Arc::clone(&certificate), tracer).await;
                Keeper::Acme(Box::new(acme.context("[http.acme]")?))
            }
            _ => return Ok(None),
        };
        Ok(Some(Self { certificate, keeper }))
    }

    /// The configuration of the listener: TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1.
    ///
    /// # Errors
    /// None in practice.
    pub fn server(&self) -> anyhow::Result<Arc<ServerConfig>> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let resolver = Arc::<PageCertificate>::clone(&self.certificate);
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    /// Keeps the certificate until `stop` becomes true.
    pub async fn keep(self, stop: watch::Receiver<bool>) {
        match self.keeper {
            Keeper::Files(files) => files.keep(stop).await,
            Keeper::Acme(acme) => acme.keep(stop).await,
        }
    }
}

/// CAs of one's own, from a PEM file.
///
/// # Errors
/// The file cannot be read, or has no certificate.
pub fn authorities(path: &Path) -> anyhow::Result<Vec<reqwest::Certificate>> {
    let pem = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    let all = reqwest::Certificate::from_pem_bundle(&pem).with_context(|| format!("reading {}", path.display()))?;
    if all.is_empty() {
        bail!("{} has no certificate", path.display());
    }
    Ok(all)
}
