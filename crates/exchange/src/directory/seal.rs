//! Sealed documents: what the directory says, and what members say to it.
//!
//! The form is C2SP signed-note: a text, a blank line, signature lines. The text is a line that says of which kind it
//! is, so that no signature serves for another kind, and a line of JSON. There is one way to write each, and every
//! signature line must be by a key that counts: so no byte of a file can change unseen.

use std::{collections::BTreeSet, fmt, sync::Arc};

use ledger::{SignError, Signature, VerifierKey, parse_signatures};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use trust::{KeyId, PublicKey};

use super::refusal::Refusal;

/// What can be sealed.
pub trait Document: Serialize + DeserializeOwned {
    /// Of which kind it is: one word.
    const KIND: &'static str;
}

/// A public key under a name, as signed notes want it. In JSON a C2SP verifier key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    verifier: VerifierKey,
    public: PublicKey,
}

impl Key {
    /// A key under a name without white space and plus.
    ///
    /// # Errors
    /// [`ledger::KeyError`] when the name cannot stand in a note.
    pub fn new(name: &str, public: &PublicKey) -> Result<Self, ledger::KeyError> {
        let (algorithm, bytes) = match public.algorithm() {
            trust::Algorithm::Ed25519 => (ledger::Algorithm::Ed25519, public.raw()),
            trust::Algorithm::EcdsaP256 => (ledger::Algorithm::EcdsaP256, public.spki()),
        };
        Ok(Self {
            verifier: VerifierKey::new(name, algorithm, bytes)?,
            public: public.clone(),
        })
    }

    /// A key of a node, whose name is the key's own id.
    ///
    /// # Errors
    /// None in practice: the hex of an id can stand in a note.
    pub fn of_node(public: &PublicKey) -> Result<Self, ledger::KeyError> {
        Self::new(&public.id().to_string(), public)
    }

    /// As logs and the directory write it.
    pub const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// What verifies.
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The name of the key itself.
    pub fn id(&self) -> KeyId {
        self.public.id()
    }
}

impl TryFrom<VerifierKey> for Key {
    type Error = trust::KeyError;

    fn try_from(verifier: VerifierKey) -> Result<Self, trust::KeyError> {
        let public = match verifier.algorithm() {
            ledger::Algorithm::Ed25519 => PublicKey::from_raw(trust::Algorithm::Ed25519, verifier.public())?,
            ledger::Algorithm::EcdsaP256 => PublicKey::from_spki(verifier.public())?,
            _ => return Err(trust::KeyError::Algorithm),
        };
        Ok(Self { verifier, public })
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.verifier)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let verifier: VerifierKey = String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)?;
        Self::try_from(verifier).map_err(serde::de::Error::custom)
    }
}

/// A private key of [`trust`] under a name: it seals documents, and signs the checkpoints of a log.
#[derive(Clone)]
pub struct NamedSigner {
    key: Key,
    signer: Arc<dyn trust::Signer>,
}

impl NamedSigner {
    /// Names a key.
    ///
    /// # Errors
    /// As [`Key::new`].
    pub fn new(name: &str, signer: Arc<dyn trust::Signer>) -> Result<Self, ledger::KeyError> {
        Ok(Self {
            key: Key::new(name, signer.public_key())?,
            signer,
        })
    }

    /// A key of a node, as [`Key::of_node`].
    ///
    /// # Errors
    /// None in practice.
    pub fn of_node(signer: Arc<dyn trust::Signer>) -> Result<Self, ledger::KeyError> {
        let name = signer.public_key().id().to_string();
        Self::new(&name, signer)
    }

    /// The public half.
    pub const fn key(&self) -> &Key {
        &self.key
    }

    fn line(&self, text: &str) -> Result<Signature, trust::KeyError> {
        Ok(Signature {
            name: self.key.verifier.name().to_owned(),
            id: self.key.verifier.id(),
            bytes: self.signer.sign(text.as_bytes())?,
        })
    }
}

impl ledger::Signer for NamedSigner {
    fn name(&self) -> &str {
        self.key.verifier.name()
    }

    fn verifier(&self) -> VerifierKey {
        self.key.verifier.clone()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.signer.sign(message).map_err(|error| SignError {
            key: self.key.verifier.name().to_owned(),
            reason: error.to_string(),
        })
    }
}

impl fmt::Debug for NamedSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NamedSigner({:?})", self.key.verifier)
    }
}

/// Writes and signs a document. A key that stands twice signs once.
///
/// # Errors
/// What a key says.
pub fn seal<T: Document>(body: &T, signers: &[&NamedSigner]) -> Result<String, Refusal> {
    let text = text_of(body)?;
    let mut sealed = format!("{text}\n");
    let mut seen = BTreeSet::new();
    for signer in signers {
        if seen.insert(signer.key.id()) {
            sealed.push_str(&signer.line(&text)?.to_string());
        }
    }
    Ok(sealed)
}

/// A document as it came. What it says means nothing before [`Sealed::signers`] has verified it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed<T> {
    body: T,
    text: String,
    signatures: Vec<Signature>,
}

impl<T: Document> Sealed<T> {
    /// Reads a document.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] when it is of another kind, or not the one way to write it.
    pub fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let sealed = std::str::from_utf8(bytes).map_err(|_| Refusal::Malformed("UTF-8"))?;
        let blank = sealed.rfind("\n\n").ok_or(Refusal::Malformed("signed-note"))?;
        let (text, lines) = (&sealed[..=blank], &sealed[blank + 2..]);
        let signatures = parse_signatures(lines).map_err(|_| Refusal::Malformed("signed-note"))?;
        let json = text
            .strip_prefix(heading(T::KIND).as_str())
            .ok_or(Refusal::Malformed("kind"))?;
        let body: T = serde_json::from_str(json).map_err(|_| Refusal::Malformed("JSON"))?;
        let lines: String = signatures.iter().map(ToString::to_string).collect();
        if format!("{}\n{lines}", text_of(&body)?) != sealed {
            return Err(Refusal::Malformed("one form"));
        }
        Ok(Self {
            body,
            text: text.to_owned(),
            signatures,
        })
    }

    /// What it says.
    pub const fn body(&self) -> &T {
        &self.body
    }

    /// What was signed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Who of `known` signed it. The same key under two names is one.
    ///
    /// # Errors
    /// [`Refusal::WrongSignature`] when a line is by none of them, is false, or stands twice.
    pub fn signers<'a>(&self, known: impl IntoIterator<Item = &'a Key>) -> Result<BTreeSet<KeyId>, Refusal> {
        let known: Vec<&Key> = known.into_iter().collect();
        let mut signers = BTreeSet::new();
        for line in &self.signatures {
            let key = known
                .iter()
                .find(|key| line.claims(&key.verifier))
                .ok_or(Refusal::WrongSignature)?;
            let stands = key.public.verify(self.text.as_bytes(), &line.bytes).is_ok();
            if !stands || !signers.insert(key.id()) {
                return Err(Refusal::WrongSignature);
            }
        }
        Ok(signers)
    }

    pub(super) fn into_body(self) -> T {
        self.body
    }
}

fn heading(kind: &str) -> String {
    format!("motcua {kind} v1\n")
}

fn text_of<T: Document>(body: &T) -> Result<String, Refusal> {
    let json = serde_json::to_string(body).map_err(|_| Refusal::Malformed("JSON"))?;
    Ok(format!("{}{json}\n", heading(T::KIND)))
}
