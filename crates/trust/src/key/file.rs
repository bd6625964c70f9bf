//! A private key in the memory of this process, kept in a file that only its owner may read.

use std::{
    fmt, fs,
    io::{ErrorKind, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use aws_lc_rs::{
    pkcs8,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair},
};
use der::{SecretDocument, pem::LineEnding};
use zeroize::Zeroizing;

use super::{Algorithm, KeyError, PublicKey, Signer};
use crate::explained::Detail;

/// The label of PKCS#8 in PEM (RFC 7468 section 10).
const LABEL: &str = "PRIVATE KEY";

/// Longest file that is read as a key or a PIN, in bytes.
const LONGEST: u64 = 16 * 1024;

/// Permission bits that a private file must not have: any for group and others.
const OTHERS: u32 = 0o077;

/// A private key in memory. The library keeps it out of `Debug` and wipes it when it is dropped.
pub struct SigningKey {
    pair: Pair,
    public: PublicKey,
}

enum Pair {
    Ed25519(Ed25519KeyPair),
    EcdsaP256(EcdsaKeyPair),
}

impl SigningKey {
    /// A new key that is kept nowhere.
    ///
    /// # Errors
    /// [`KeyError::Library`] when the system has no randomness to give.
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        let pair = match algorithm {
            Algorithm::Ed25519 => Ed25519KeyPair::generate().map(Pair::Ed25519),
            Algorithm::EcdsaP256 => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map(Pair::EcdsaP256),
        };
        Self::of(pair.map_err(|_| KeyError::Library)?)
    }

    /// Makes a new key and writes it, as PKCS#8 PEM with mode 0600, to a file that must not be there yet. After a crash
    /// the file is whole or absent.
    ///
    /// # Errors
    /// [`KeyError::Exists`], or [`KeyError::File`] when it cannot be written.
    pub fn create(path: &Path, algorithm: Algorithm) -> Result<Self, KeyError> {
        let key = Self::generate(algorithm)?;
        write_private(path, key.to_pem()?.as_bytes())?;
        Ok(key)
    }

    /// Reads a key from its file.
    ///
    /// # Errors
    /// [`KeyError`] when the file is missing, open to others, too long, or not one unencrypted PKCS#8 key of ours.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        Self::from_pem(&read_private(path)?)
    }

    /// Reads PKCS#8 in PEM.
    ///
    /// # Errors
    /// [`KeyError::Malformed`], [`KeyError::Encrypted`] or [`KeyError::Algorithm`].
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let (label, document) = SecretDocument::from_pem(pem.trim_start()).map_err(|_| {
            KeyError::Malformed(Detail::new(
                "không phải một khối PEM nguyên vẹn",
                "not one whole PEM block",
            ))
        })?;
        match label {
            LABEL => Self::from_pkcs8(document.as_bytes()),
            "ENCRYPTED PRIVATE KEY" => Err(KeyError::Encrypted),
            "EC PRIVATE KEY" => Err(KeyError::Malformed(Detail::new(
                "dạng SEC 1; hãy chuyển bằng openssl pkcs8 -topk8 -nocrypt",
                "SEC 1; convert it with openssl pkcs8 -topk8 -nocrypt",
            ))),
            _ => Err(KeyError::Malformed(Detail::new(
                "nhãn khối PEM không phải PRIVATE KEY",
                "the label of the PEM block is not PRIVATE KEY",
            ))),
        }
    }

    /// Reads PKCS#8 in DER (RFC 5958).
    ///
    /// # Errors
    /// [`KeyError::Algorithm`] when it is no key of ours, or damaged.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der)
            .map(Pair::Ed25519)
            .or_else(|_| EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, der).map(Pair::EcdsaP256))
            .map_err(|_| KeyError::Algorithm)?;
        Self::of(pair)
    }

    /// PKCS#8 (version 1, which every tool reads) in PEM. Whoever has it can sign.
    ///
    /// # Errors
    /// [`KeyError::Library`].
    pub fn to_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        let der: pkcs8::Document = match &self.pair {
            Pair::Ed25519(pair) => pair.to_pkcs8v1(),
            Pair::EcdsaP256(pair) => pair.to_pkcs8v1(),
        }
        .map_err(|_| KeyError::Library)?;
        SecretDocument::try_from(der.as_ref())
            .and_then(|document| document.to_pem(LABEL, LineEnding::LF))
            .map_err(|_| KeyError::Library)
    }

    fn of(pair: Pair) -> Result<Self, KeyError> {
        let public = match &pair {
            Pair::Ed25519(pair) => PublicKey::from_raw(Algorithm::Ed25519, pair.public_key().as_ref()),
            Pair::EcdsaP256(pair) => PublicKey::from_raw(Algorithm::EcdsaP256, pair.public_key().as_ref()),
        }?;
        Ok(Self { pair, public })
    }
}

impl Signer for SigningKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        match &self.pair {
            Pair::Ed25519(pair) => pair.try_sign(message),
            Pair::EcdsaP256(pair) => pair.sign(&SystemRandom::new(), message),
        }
        .map(|signature| signature.as_ref().to_vec())
        .map_err(|_| KeyError::Library)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?})", self.public)
    }
}

/// Reads a short text that only its owner may read. The mode is asked of the open file, so it cannot be exchanged
/// between the question and the reading.
pub(crate) fn read_private(path: &Path) -> Result<Zeroizing<String>, KeyError> {
    let failed = |error: std::io::Error| file_error(path, &error);
    let file = fs::File::open(path).map_err(failed)?;
    let about = file.metadata().map_err(failed)?;
    if !about.is_file() {
        return Err(KeyError::Malformed(Detail::new(
            "không phải tệp thường",
            "not a regular file",
        )));
    }
    let mode = about.permissions().mode() & 0o7777;
    if mode & OTHERS != 0 {
        return Err(KeyError::Exposed {
            path: path.to_owned(),
            mode,
        });
    }
    if about.len() > LONGEST {
        return Err(KeyError::Malformed(Detail::new(
            "dài hơn mọi khóa",
            "far longer than a key",
        )));
    }
    // With room for all of it, the buffer never moves and leaves no copy behind.
    let mut text = Zeroizing::new(String::with_capacity(LONGEST as usize + 1));
    file.take(LONGEST).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

/// Writes a private file that must not be there: under another name first, so that a crash leaves no half of it.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> Result<(), KeyError> {
    let draft = draft_beside(path)?;
    let written = (|| {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&draft)?;
        file.write_all(content)?;
        file.sync_all()?;
        // Unlike a rename, a link does not replace what is there.
        fs::hard_link(&draft, path)
    })();
    let _ = fs::remove_file(&draft);
    written.map_err(|e| file_error(path, &e))?;
    sync_folder(path).map_err(|e| file_error(path, &e))
}

fn draft_beside(path: &Path) -> Result<PathBuf, KeyError> {
    let mut random = [0; 8];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| KeyError::Library)?;
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.new", hex::encode(random)));
    Ok(name.into())
}

/// The name of a new file is durable when its folder is.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    fs::File::open(folder)?.sync_all()
}

fn file_error(path: &Path, error: &std::io::Error) -> KeyError {
    match error.kind() {
        ErrorKind::NotFound => KeyError::Missing(path.to_owned()),
        ErrorKind::AlreadyExists => KeyError::Exists(path.to_owned()),
        ErrorKind::InvalidData => KeyError::Malformed(Detail::new("không phải văn bản", "not text")),
        _ => KeyError::File {
            path: path.to_owned(),
            reason: error.to_string(),
        },
    }
}
