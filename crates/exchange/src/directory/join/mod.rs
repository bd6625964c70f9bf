//! Joining, from the other side: what `motcua node init` and `motcua node join` do.
//!
//! ```text
//! Node::init ── Operator::at(url).meet() ── Meeting::confirm(fingerprint) ── Node::apply ── Node::poll … Joined
//! ```
//!
//! A root that nobody compared is a [`Meeting`]; only [`Known`] can be applied to.

mod apply;
mod change;
mod operator;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use base::{Error, Kind, Result, Text};
use serde::{Deserialize, Serialize};
use trust::{
    Algorithm, Certificate, CertificateRequest, KeyId, Location, Signer,
    key::{self, SigningKey},
    tls::Credential,
};
use uuid::Uuid;

pub use apply::Progress;
pub use change::{NewEntry, Rotation, description_of};
pub use operator::{Known, Meeting, Operator};

use super::{anchors::certified, disk, format::Digest, refusal::Refusal, seal::NamedSigner};
use crate::model::{
    identifier::{MemberId, Part, ServerId},
    message::LogName,
};

const ABOUT: &str = "node.json";
const TLS_KEY: &str = "tls.key";
const LOG_KEY: &str = "log.key";
const LONGEST_FILE: u64 = 1024 * 1024;

/// What `motcua node init` is told.
#[derive(Debug, Clone)]
pub struct NewNode {
    /// The member that the node is of.
    pub member: MemberId,
    /// The member's name.
    pub name: Text,
    /// The code of the gateway within the member.
    pub gateway: Part,
    /// `host:port` of the listener for other nodes; the certificate will name the host.
    pub address: String,
    /// Further hosts that the certificate will name.
    pub hosts: Vec<String>,
    /// How new keys sign.
    pub algorithm: Algorithm,
    /// An existing key for TLS, such as one in an HSM; none: a new file.
    pub tls_key: Option<String>,
    /// An existing key for the log; none: a new file.
    pub log_key: Option<String>,
    /// Where the log is published.
    pub log_url: Option<String>,
}

/// A node of a member: its keys and what it says of itself, in a folder of its own.
#[derive(Debug, Clone)]
pub struct Node {
    folder: PathBuf,
    about: About,
    tls: NamedSigner,
    tls_signer: Arc<dyn Signer>,
    log: NamedSigner,
    request: CertificateRequest,
}

/// What the folder says of the node.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    member: MemberId,
    name: Text,
    gateway: Part,
    address: String,
    log: LogName,
    log_url: Option<String>,
    /// Files in this folder, or PKCS#11 URIs.
    tls_key: String,
    log_key: String,
    /// The certificate request, PEM.
    request: String,
    /// The application that waits or was approved.
    application: Option<Uuid>,
}

/// What people compare by telephone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprints {
    /// SHA-256 of the certificate request, hex.
    pub request: String,
    /// The key of TLS.
    pub tls_key: KeyId,
    /// The key of the log, as a C2SP verifier key: what the directory will list.
    pub log_key: String,
}

impl Node {
    /// Makes the keys and the certificate request of a new node. After a crash it can be run again: a key that was made is
    /// taken up.
    ///
    /// # Errors
    /// `Conflict` when the folder has a node; `Invalid` for an id, a code or a host that cannot stand in a certificate;
    /// what is wrong with a key.
    pub fn init(folder: &Path, new: &NewNode) -> Result<Self> {
        if folder.join(ABOUT).exists() {
            return Err(Error::refused(
                Kind::Conflict,
                "node-exists",
                format!("Thư mục {} đã có một nút. Hãy chọn thư mục khác.", folder.display()),
                format!("The folder {} has a node already. Choose another.", folder.display()),
            ));
        }
        let member = certified(&new.member)?;
        let log = format!("{}/{}", new.member, new.gateway);
        let log = LogName::new(&log).map_err(|_| Refusal::Malformed("gateway"))?;
        fs::create_dir_all(folder).map_err(|error| Refusal::disk(folder, &error))?;
        let tls_key = new.tls_key.clone().unwrap_or_else(|| TLS_KEY.to_owned());
        let log_key = new.log_key.clone().unwrap_or_else(|| LOG_KEY.to_owned());
        for (given, place) in [(&new.tls_key, &tls_key), (&new.log_key, &log_key)] {
            let path = folder.join(place);
            if given.is_none() && !path.exists() {
                SigningKey::create(&path, new.algorithm)?;
            }
        }
        let host = super::membership::documents::host_of(&new.address).ok_or(Refusal::Malformed("host:port"))?;
        let mut hosts = vec![host.to_owned()];
        hosts.extend(new.hosts.iter().filter(|other| *other != host).cloned());
        let request = CertificateRequest::create(open_key(folder, &tls_key)?.as_ref(), &member, &hosts)?;
        let about = About {
            member: new.member.clone(),
            name: new.name.clone(),
            gateway: new.gateway.clone(),
            address: new.address.clone(),
            log,
            log_url: new.log_url.clone(),
            tls_key,
            log_key,
            request: request.to_pem(),
            application: None,
        };
        let node = Self::with(folder, about)?;
        node.save()?;
        Ok(node)
    }

    /// Opens the folder of a node.
    ///
    /// # Errors
    /// [`Refusal::Absent`] before [`Node::init`]; what is wrong with a key or a file.
    pub fn open(folder: &Path) -> Result<Self> {
        let about = disk::must_read(&folder.join(ABOUT), LONGEST_FILE)?;
        let about = serde_json::from_slice(&about).map_err(|_| Refusal::Malformed(ABOUT))?;
        Self::with(folder, about)
    }

    fn with(folder: &Path, about: About) -> Result<Self> {
        let (tls, log) = (open_key(folder, &about.tls_key)?, open_key(folder, &about.log_key)?);
        let name = |_| Refusal::Malformed("key name");
        Ok(Self {
            folder: folder.to_owned(),
            tls: NamedSigner::of_node(Arc::clone(&tls)).map_err(name)?,
            tls_signer: tls,
            log: NamedSigner::new(about.log.as_str(), log).map_err(name)?,
            request: CertificateRequest::from_pem(&about.request)?,
            about,
        })
    }

    fn save(&self) -> Result<()> {
        let about = serde_json::to_vec_pretty(&self.about)?;
        Ok(disk::replace(&self.folder.join(ABOUT), &about)?)
    }

    /// What is compared by telephone.
    pub fn fingerprints(&self) -> Fingerprints {
        Fingerprints {
            request: self.request.fingerprint(),
            tls_key: self.tls.key().id(),
            log_key: self.log.key().verifier().to_string(),
        }
    }

    /// Which gateway it is.
    pub fn server(&self) -> ServerId {
        ServerId {
            owner: self.about.member.clone(),
            code: self.about.gateway.clone(),
        }
    }

    /// The origin of its log.
    pub const fn log_name(&self) -> &LogName {
        &self.about.log
    }

    /// What signs the checkpoints of its log: a [`ledger::Signer`].
    pub const fn log_signer(&self) -> &NamedSigner {
        &self.log
    }

    /// What it shows in TLS, once it is a member.
    ///
    /// # Errors
    /// When it has no certificate yet, or that is not of its key.
    pub fn credential(&self) -> Result<Credential> {
        let chain = Certificate::load_chain(&self.folder.join(certificate_of(&self.about.tls_key)))?;
        Ok(Credential::new(&chain, Arc::clone(&self.tls_signer))?)
    }

    /// The folder in which it keeps the directory: [`super::Following::folder`].
    pub fn directory_folder(&self) -> PathBuf {
        self.folder.join("directory")
    }

    /// Its certificate, once it is a member.
    ///
    /// # Errors
    /// When it has none yet.
    pub fn certificate(&self) -> Result<Certificate> {
        let chain = Certificate::load_chain(&self.folder.join(certificate_of(&self.about.tls_key)))?;
        Ok(chain.into_iter().next().ok_or(trust::Refusal::Missing)?)
    }

    /// Whether a certificate is for the key of this node and names its member.
    fn check_certificate(&self, chain: &[Certificate], key: &dyn Signer) -> Result<()> {
        let own = chain.first().ok_or(trust::Refusal::Missing)?;
        if own.spki() != key.public_key().spki() {
            return Err(trust::Refusal::WrongKey.into());
        }
        if own.member()? != Some(certified(&self.about.member)?) {
            return Err(Refusal::Mixed("certificate").into());
        }
        Ok(())
    }
}

/// A key file in the folder, or a key in an HSM.
fn open_key(folder: &Path, place: &str) -> Result<Arc<dyn Signer>> {
    let location: Location = place.parse()?;
    Ok(match location {
        Location::File(path) => key::open(&Location::File(folder.join(path)))?,
        token => key::open(&token)?,
    })
}

/// The file of the certificate of a key: the two change in one step, by `node.json` naming another key.
fn certificate_of(key: &str) -> String {
    if key.starts_with("pkcs11:") {
        return format!("tls-{}.pem", &Digest::of(key.as_bytes()).to_string()[..8]);
    }
    format!("{}.pem", key.strip_suffix(".key").unwrap_or(key))
}
