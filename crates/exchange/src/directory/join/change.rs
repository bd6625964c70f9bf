//! A member changes its own entry, and its keys.

use std::sync::Arc;

use base::{Error, Kind, Result};
use trust::{
    Algorithm, Certificate, CertificateRequest, KeyId, Location, Signer,
    key::{SigningKey, TokenKey, TokenUri},
};

use super::{
    super::{
        anchors::certified,
        disk,
        format::Digest,
        membership::{
            documents::{EntryChange, GatewayChange},
            service::{Changed, EntryRequest},
        },
        refusal::Refusal,
        seal::{NamedSigner, seal},
    },
    Node, Operator, certificate_of,
};
use crate::model::federation::{Description, Subsystem};

/// What a member's entry says from now on.
#[derive(Debug, Clone, Default)]
pub struct NewEntry {
    /// All its information systems with their services.
    pub subsystems: Vec<Subsystem>,
    /// The OpenAPI documents that they name, as [`description_of`] reads them; those that the directory has may be left
    /// out.
    pub documents: Vec<String>,
}

/// How a key of TLS is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// The old key stays beside the new one until [`Node::retire`]: nobody notices.
    Overlapping(Algorithm),
    /// The old key is believed no more at once: it may be in other hands.
    AtOnce(Algorithm),
}

impl Node {
    /// Publishes what the member offers, signed by this node's key.
    ///
    /// # Errors
    /// What the operator refuses.
    pub async fn publish(&self, operator: &Operator, entry: NewEntry) -> Result<Changed> {
        let change = self.change(operator, entry.subsystems, |_| {}).await?;
        self.send(operator, &change, entry.documents, &[&self.tls]).await
    }

    /// Makes a new key of TLS where the present one is, in a file or in the HSM, has it certified by the signature of the present one, and shows it from now on:
    /// give [`Node::credential`] to [`trust::Tls::swap_credential`] then. `subsystems` are those of the entry, which stay.
    ///
    /// # Errors
    /// What the operator refuses; then the present key stays.
    pub async fn rotate(&mut self, operator: &Operator, subsystems: Vec<Subsystem>, rotation: Rotation) -> Result<()> {
        let (Rotation::Overlapping(algorithm) | Rotation::AtOnce(algorithm)) = rotation;
        let (place, new) = self.new_key(algorithm)?;
        let member = certified(&self.about.member)?;
        let request = CertificateRequest::create(new.as_ref(), &member, self.request.hosts())?;
        let present = self.tls.key().id();
        let change = self
            .change(operator, subsystems, |gateway| {
                gateway.request = Some(request.to_pem());
                if matches!(rotation, Rotation::AtOnce(_)) {
                    gateway.retire = vec![present];
                }
            })
            .await?;
        let changed = self.send(operator, &change, vec![], &[&self.tls]).await?;
        let pem = changed.certificate.ok_or(Refusal::Malformed("certificate"))?;
        self.check_certificate(&Certificate::chain_from_pem(&pem)?, new.as_ref())?;
        disk::replace(&self.folder.join(certificate_of(&place)), pem.as_bytes())?;
        let mut about = self.about.clone();
        about.tls_key = place;
        about.request = request.to_pem();
        *self = Self::with(&self.folder, about)?;
        self.save()
    }

    /// A new key beside the present one, under another name.
    fn new_key(&self, algorithm: Algorithm) -> Result<(String, Arc<dyn Signer>)> {
        let mark = format!("{:08x}", rand::random::<u32>());
        match self.about.tls_key.parse()? {
            Location::File(_) => {
                let place = format!("tls-{mark}.key");
                let key = SigningKey::create(&self.folder.join(&place), algorithm)?;
                Ok((place, Arc::new(key)))
            }
            Location::Token(present) => {
                let uri = TokenUri {
                    object: Some(format!("{}-tls-{mark}", self.about.gateway)),
                    id: None,
                    ..present
                };
                let key = TokenKey::generate(&uri, algorithm)?;
                Ok((uri.to_uri(), Arc::new(key)))
            }
        }
    }

    /// Has keys of this gateway believed no more, after [`Rotation::Overlapping`].
    ///
    /// # Errors
    /// What the operator refuses; a key that this node still shows.
    pub async fn retire(&self, operator: &Operator, subsystems: Vec<Subsystem>, keys: Vec<KeyId>) -> Result<Changed> {
        if keys.contains(&self.tls.key().id()) {
            return Err(Error::refused(
                Kind::Conflict,
                "key-in-use",
                "Nút đang dùng khóa này. Hãy thay khóa trước.",
                "The node uses this key. Rotate it first.",
            ));
        }
        let change = self
            .change(operator, subsystems, |gateway| gateway.retire = keys)
            .await?;
        self.send(operator, &change, vec![], &[&self.tls]).await
    }

    /// The key of TLS, for endorsing another gateway of the member.
    pub const fn endorser(&self) -> &NamedSigner {
        &self.tls
    }

    async fn change(
        &self,
        operator: &Operator,
        subsystems: Vec<Subsystem>,
        change: impl FnOnce(&mut GatewayChange),
    ) -> Result<EntryChange> {
        let mut gateway = GatewayChange {
            code: self.about.gateway.clone(),
            address: self.about.address.clone(),
            log_url: self.about.log_url.clone(),
            request: None,
            retire: vec![],
            log_key: None,
        };
        change(&mut gateway);
        Ok(EntryChange {
            instance: self.about.member.instance.clone(),
            member: self.about.member.clone(),
            version: operator.entry_version(&self.about.member).await? + 1,
            subsystems,
            gateway,
        })
    }

    async fn send(
        &self,
        operator: &Operator,
        change: &EntryChange,
        documents: Vec<String>,
        signers: &[&NamedSigner],
    ) -> Result<Changed> {
        let change = seal(change, signers)?;
        operator.change(&EntryRequest { change, documents }).await
    }
}

/// What the directory says of an OpenAPI document.
///
/// # Errors
/// [`Refusal::Malformed`] when it has no title and version.
pub fn description_of(document: &str) -> Result<Description, Refusal> {
    let json: serde_json::Value = serde_json::from_str(document).map_err(|_| Refusal::Malformed("OpenAPI"))?;
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned).ok_or(Refusal::Malformed("OpenAPI"));
    Ok(Description {
        title: text(&json["info"]["title"])?,
        version: text(&json["info"]["version"])?,
        sha256: Digest::of(document.as_bytes()).to_string(),
        bytes: document.len() as u64,
    })
}
