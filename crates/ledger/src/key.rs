//! Keys that sign checkpoints: their text form (C2SP signed-note), what verifies and what signs.

use std::{
    fmt, fs,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    str::FromStr,
};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
        ML_DSA_44, ML_DSA_44_SIGNING, PqdsaKeyPair, UnparsedPublicKey,
    },
};
use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};

/// What precedes the point in the DER of every P-256 public key (RFC 5480).
const P256_SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// How a key signs, with the number that C2SP signed-note assigns to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Algorithm {
    /// Ed25519 over the text.
    Ed25519 = 1,
    /// ECDSA on P-256 with SHA-256 over the text, in DER.
    EcdsaP256 = 2,
    /// Ed25519 over time and text: `cosignature/v1` (C2SP tlog-cosignature).
    CosignatureV1 = 4,
    /// ML-DSA-44 (FIPS 204) over names, time, size and root: `subtree/v1` (C2SP tlog-cosignature).
    MlDsa44 = 6,
}

impl Algorithm {
    fn from_number(number: u8) -> Option<Self> {
        [Self::Ed25519, Self::EcdsaP256, Self::CosignatureV1, Self::MlDsa44]
            .into_iter()
            .find(|a| *a as u8 == number)
    }

    /// Length of the public key: raw, or DER for ECDSA.
    const fn public_length(self) -> usize {
        match self {
            Self::Ed25519 | Self::CosignatureV1 => 32,
            Self::EcdsaP256 => P256_SPKI.len() + 65,
            Self::MlDsa44 => 1312,
        }
    }

    /// Whether a signature says when it was made.
    pub const fn timestamped(self) -> bool {
        matches!(self, Self::CosignatureV1 | Self::MlDsa44)
    }
}

/// A text or file that is no key.
#[derive(Debug, Clone, thiserror::Error)]
pub enum KeyError {
    /// Not `name+id+base64`, or a name with a space or a plus, or a key of another length.
    #[error("not a key in the form name+id+base64 of C2SP signed-note: {0}")]
    Malformed(&'static str),
    /// The number of the algorithm is none of [`Algorithm`].
    #[error("signature type {0} is not supported")]
    Unsupported(u8),
    /// The file cannot be read or written.
    #[error("key file {path}: {reason}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The library refused the private key.
    #[error("the private key is not usable")]
    Private,
}

/// A public key with its name: what a verifier must have been given beforehand. Text form (vkey):
/// `name+hex(id)+base64(algorithm ‖ public key)` (C2SP signed-note, verifier keys).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct VerifierKey {
    name: String,
    id: u32,
    algorithm: Algorithm,
    public: Vec<u8>,
}

impl VerifierKey {
    /// A key from its parts. `public` is raw; for ECDSA it is the DER of a `SubjectPublicKeyInfo`.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] when name or key cannot stand in a signed note.
    pub fn new(name: &str, algorithm: Algorithm, public: &[u8]) -> Result<Self, KeyError> {
        if !is_key_name(name) {
            return Err(KeyError::Malformed("the name is empty, or has a space or a plus"));
        }
        if public.len() != algorithm.public_length() {
            return Err(KeyError::Malformed("the public key has another length"));
        }
        if algorithm == Algorithm::EcdsaP256 && !public.starts_with(&P256_SPKI) {
            return Err(KeyError::Malformed("the public key is not on P-256"));
        }
        Ok(Self {
            name: name.to_owned(),
            id: key_id(name, algorithm, public),
            algorithm,
            public: public.to_vec(),
        })
    }

    /// The name, which signature lines carry.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id, which signature lines carry.
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// How it signs.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The public key: raw, or DER for ECDSA.
    pub fn public(&self) -> &[u8] {
        &self.public
    }

    /// Whether `signature` (without id and time) is by this key over `message`.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self.algorithm {
            Algorithm::Ed25519 | Algorithm::CosignatureV1 => {
                UnparsedPublicKey::new(&ED25519, &self.public).verify(message, signature)
            }
            Algorithm::EcdsaP256 => {
                let point = &self.public[P256_SPKI.len()..];
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(message, signature)
            }
            Algorithm::MlDsa44 => UnparsedPublicKey::new(&ML_DSA_44, &self.public).verify(message, signature),
        }
        .is_ok()
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let material = [&[self.algorithm as u8], self.public.as_slice()].concat();
        write!(f, "{}+{:08x}+{}", self.name, self.id, BASE64_STANDARD.encode(material))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{:08x}", self.name, self.id)
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (name, id, algorithm, public) = split(text)?;
        let key = Self::new(name, algorithm, &public)?;
        if format!("{:08x}", key.id) != id {
            return Err(KeyError::Malformed("the id does not belong to the key"));
        }
        Ok(key)
    }
}

/// `name+id+base64(algorithm ‖ material)`.
fn split(text: &str) -> Result<(&str, &str, Algorithm, Vec<u8>), KeyError> {
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(id), Some(material)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(KeyError::Malformed("it has fewer than three parts"));
    };
    let material = BASE64_STANDARD
        .decode(material)
        .map_err(|_| KeyError::Malformed("the key is not base64"))?;
    let (number, material) = material.split_first().ok_or(KeyError::Malformed("the key is empty"))?;
    let algorithm = Algorithm::from_number(*number).ok_or(KeyError::Unsupported(*number))?;
    Ok((name, id, algorithm, material.to_vec()))
}

/// C2SP signed-note: not empty, no Unicode space, no plus. Control characters cannot stand in a note either.
pub(crate) fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

/// C2SP signed-note: the first four bytes of `SHA-256(name ‖ "\n" ‖ algorithm ‖ public key)`; of the DER alone for ECDSA.
fn key_id(name: &str, algorithm: Algorithm, public: &[u8]) -> u32 {
    let mut sha = Sha256::new();
    if algorithm != Algorithm::EcdsaP256 {
        sha.update(name);
        sha.update([b'\n', algorithm as u8]);
    }
    sha.update(public);
    let [a, b, c, d, ..]: [u8; 32] = sha.finalize().into();
    u32::from_be_bytes([a, b, c, d])
}

/// A key that could not sign.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{key} could not sign: {reason}")]
pub struct SignError {
    /// The name of the key.
    pub key: String,
    /// What the device or library said.
    pub reason: String,
}

/// Something that holds a private key: a file here, a PKCS#11 device elsewhere.
pub trait Signer: Send + Sync {
    /// The name of the key.
    fn name(&self) -> &str;

    /// The public half.
    fn verifier(&self) -> VerifierKey;

    /// Signs exactly these bytes by the algorithm of [`Self::verifier`]; gives the bare signature, in DER for ECDSA.
    ///
    /// # Errors
    /// [`SignError`] when the device is away or refuses.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError>;
}

/// A private key kept in a file: `PRIVATE+KEY+name+id+base64(algorithm ‖ secret)`, as Go's `note` package writes it. The
/// secret is the 32-byte seed, or PKCS#8 for ECDSA.
pub struct FileKey {
    verifier: VerifierKey,
    pair: Pair,
    secret: Vec<u8>,
}

enum Pair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
    MlDsa44(PqdsaKeyPair),
}

impl FileKey {
    /// A new key of the system's randomness.
    ///
    /// # Errors
    /// [`KeyError`] when the name cannot stand in a note or the library fails.
    pub fn generate(name: &str, algorithm: Algorithm) -> Result<Self, KeyError> {
        let secret = if algorithm == Algorithm::EcdsaP256 {
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new())
                .map_err(|_| KeyError::Private)?
                .as_ref()
                .to_vec()
        } else {
            let mut seed = [0; 32];
            aws_lc_rs::rand::fill(&mut seed).map_err(|_| KeyError::Private)?;
            seed.to_vec()
        };
        Self::from_secret(name, algorithm, secret)
    }

    /// Writes a new key to a file that only its owner may read, and that must not be there yet.
    ///
    /// # Errors
    /// [`KeyError`] when the file is there or cannot be written.
    pub fn create(path: &Path, name: &str, algorithm: Algorithm) -> Result<Self, KeyError> {
        let key = Self::generate(name, algorithm)?;
        let write = || {
            let mut file = fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(path)?;
            writeln!(file, "{}", key.to_secret_text())?;
            file.sync_all()
        };
        write().map_err(|e| file_error(path, &e))?;
        Ok(key)
    }

    /// Reads a key from its file.
    ///
    /// # Errors
    /// [`KeyError`] when the file cannot be read or holds no key.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let text = fs::read_to_string(path).map_err(|e| file_error(path, &e))?;
        Self::parse(text.trim_end())
    }

    /// Reads `PRIVATE+KEY+…`.
    ///
    /// # Errors
    /// [`KeyError`] when it is not one.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let rest = text
            .strip_prefix("PRIVATE+KEY+")
            .ok_or(KeyError::Malformed("it does not begin with PRIVATE+KEY+"))?;
        let (name, id, algorithm, secret) = split(rest)?;
        let key = Self::from_secret(name, algorithm, secret)?;
        if format!("{:08x}", key.verifier.id) != id {
            return Err(KeyError::Malformed("the id does not belong to the key"));
        }
        Ok(key)
    }

    /// The text of the private key. Whoever has it can sign.
    pub fn to_secret_text(&self) -> String {
        let verifier = &self.verifier;
        let material = [&[verifier.algorithm as u8], self.secret.as_slice()].concat();
        let material = BASE64_STANDARD.encode(material);
        format!("PRIVATE+KEY+{}+{:08x}+{material}", verifier.name, verifier.id)
    }

    fn from_secret(name: &str, algorithm: Algorithm, secret: Vec<u8>) -> Result<Self, KeyError> {
        let unusable = |_| KeyError::Private;
        let (pair, public) = match algorithm {
            Algorithm::Ed25519 | Algorithm::CosignatureV1 => {
                let pair = Ed25519KeyPair::from_seed_unchecked(&secret).map_err(unusable)?;
                let public = pair.public_key().as_ref().to_vec();
                (Pair::Ed25519(pair), public)
            }
            Algorithm::EcdsaP256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &secret).map_err(unusable)?;
                let public = [&P256_SPKI[..], pair.public_key().as_ref()].concat();
                (Pair::P256(pair), public)
            }
            Algorithm::MlDsa44 => {
                let pair = PqdsaKeyPair::from_seed(&ML_DSA_44_SIGNING, &secret).map_err(unusable)?;
                let public = pair.public_key().as_ref().to_vec();
                (Pair::MlDsa44(pair), public)
            }
        };
        Ok(Self {
            verifier: VerifierKey::new(name, algorithm, &public)?,
            pair,
            secret,
        })
    }
}

impl Signer for FileKey {
    fn name(&self) -> &str {
        &self.verifier.name
    }

    fn verifier(&self) -> VerifierKey {
        self.verifier.clone()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        match &self.pair {
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Pair::P256(pair) => pair.sign(&SystemRandom::new(), message).map(|s| s.as_ref().to_vec()),
            Pair::MlDsa44(pair) => {
                let mut signature = vec![0; pair.algorithm().signature_len()];
                pair.sign(message, &mut signature).map(|_| signature)
            }
        }
        .map_err(|_| SignError {
            key: self.verifier.name.clone(),
            reason: "the library refused".to_owned(),
        })
    }
}

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileKey({:?})", self.verifier)
    }
}

fn file_error(path: &Path, error: &std::io::Error) -> KeyError {
    KeyError::File {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}
