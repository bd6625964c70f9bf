//! Files: named by the SHA-256 of their content, encrypted at rest (XChaCha20-Poly1305), written before they are spoken of.

use std::{fmt, path::Path, sync::Arc};

use anyhow::Context;
use base::{Error, Kind, Result};
use bytes::Bytes;
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use object_store::{ObjectStore, ObjectStoreExt, PutPayload, local::LocalFileSystem, path::Path as Key};
use rand::RngCore;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const NONCE: usize = 24;

/// A stored file: what a dossier keeps of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BlobRef {
    /// SHA-256 of the content, 64 lower-case hex digits; as the receipt prints it.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
}

/// The folder (or bucket) of the files.
#[derive(Clone)]
pub struct Blobs {
    files: Arc<dyn ObjectStore>,
    cipher: Arc<XChaCha20Poly1305>,
}

impl fmt::Debug for Blobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blobs({})", self.files)
    }
}

impl Blobs {
    pub(crate) fn open(folder: &Path, key: [u8; 32]) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("making the folder {}", folder.display()))?;
        let files = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
        Ok(Self {
            files: Arc::new(files),
            cipher: Arc::new(XChaCha20Poly1305::new(&key.into())),
        })
    }

    /// Stores a file; storing it twice changes nothing. On return it is on disk.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] when the disk is full or away; nothing half-written stays under the name.
    pub async fn put(&self, content: &[u8]) -> Result<BlobRef> {
        let sha256 = hex::encode(Sha256::digest(content));
        let blob = BlobRef {
            size: content.len() as u64,
            sha256,
        };
        let key = key_of(&blob.sha256)?;
        if self.files.head(&key).await.is_ok() {
            return Ok(blob);
        }
        let mut nonce = [0_u8; NONCE];
        rand::rng().fill_bytes(&mut nonce);
        let sealed = self
            .cipher
            .encrypt(
                XNonce::from_slice(&nonce),
                Payload {
                    msg: content,
                    aad: blob.sha256.as_bytes(),
                },
            )
            .map_err(|_| Error::internal("a file could not be encrypted"))?;
        let payload = PutPayload::from_iter([Bytes::copy_from_slice(&nonce), Bytes::from(sealed)]);
        self.files.put(&key, payload).await.map_err(|e| unavailable(&e))?;
        Ok(blob)
    }

    /// The content of a file, verified against its name.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is no such file; an internal error when it was altered.
    pub async fn get(&self, sha256: &str) -> Result<Bytes> {
        let key = key_of(sha256)?;
        let found = self.files.get(&key).await.map_err(|e| match e {
            object_store::Error::NotFound { .. } => Error::not_found("tệp", "file"),
            other => unavailable(&other),
        })?;
        let sealed = found.bytes().await.map_err(|e| unavailable(&e))?;
        let (nonce, sealed) = sealed.split_at_checked(NONCE).ok_or_else(|| altered(sha256))?;
        let content = self
            .cipher
            .decrypt(
                XNonce::from_slice(nonce),
                Payload {
                    msg: sealed,
                    aad: sha256.as_bytes(),
                },
            )
            .map_err(|_| altered(sha256))?;
        Ok(Bytes::from(content))
    }
}

/// Only a well-formed digest is a name: nothing a caller sends reaches the file system as a path.
fn key_of(sha256: &str) -> Result<Key> {
    let well_formed = sha256.len() == 64 && sha256.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if !well_formed {
        return Err(Error::not_found("tệp", "file"));
    }
    Ok(Key::from(format!("{}/{}/{sha256}", &sha256[..2], &sha256[2..4])))
}

fn altered(sha256: &str) -> Error {
    Error::internal(format!(
        "the stored file {sha256} does not match its name: altered, or another key"
    ))
}

fn unavailable(error: &object_store::Error) -> Error {
    tracing::error!(%error, "the file store failed");
    Error::refused(
        Kind::Unavailable,
        "files-unavailable",
        "Kho tệp tạm thời không ghi hoặc đọc được; chưa có gì thay đổi. Vui lòng thử lại.",
        "The file store cannot be written or read at the moment; nothing has changed. Please try again.",
    )
}
