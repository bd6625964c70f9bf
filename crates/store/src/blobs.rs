//! Files: named by the SHA-256 of their content, encrypted at rest (XChaCha20-Poly1305), written before they are spoken of.
//!
//! What many may name is never removed. What belongs to one row alone and goes with it is named by the id of that row instead
//! ([`Blobs::put_own`]), so that whoever removes it takes nothing from anybody.

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
use uuid::Uuid;

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
        if self.files.head(&key).await.is_err() {
            self.seal(&key, &blob.sha256, content).await?;
        }
        Ok(blob)
    }

    /// The content of a file, verified against its name.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is no such file; an internal error when it was altered.
    pub async fn get(&self, sha256: &str) -> Result<Bytes> {
        self.unseal(&key_of(sha256)?, sha256).await
    }

    /// Stores the content that belongs to the row with this id and to nothing else. On return it is on disk.
    ///
    /// # Errors
    /// As [`Self::put`].
    pub async fn put_own(&self, row: Uuid, content: &[u8]) -> Result<()> {
        let name = own_name(row);
        self.seal(&own_key(&name), &name, content).await
    }

    /// The content that belongs to this row: what was stored for it, whole.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn get_own(&self, row: Uuid) -> Result<Bytes> {
        let name = own_name(row);
        self.unseal(&own_key(&name), &name).await
    }

    /// Removes the content that belongs to this row, if there is any.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] when the disk is away.
    pub async fn remove_own(&self, row: Uuid) -> Result<()> {
        match self.files.delete(&own_key(&own_name(row))).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(unavailable(&error)),
        }
    }

    /// Encrypts content under its name, so that it is nothing under another, and writes it.
    async fn seal(&self, key: &Key, name: &str, content: &[u8]) -> Result<()> {
        let mut nonce = [0_u8; NONCE];
        rand::rng().fill_bytes(&mut nonce);
        let payload = Payload {
            msg: content,
            aad: name.as_bytes(),
        };
        let sealed = self.cipher.encrypt(XNonce::from_slice(&nonce), payload);
        let sealed = sealed.map_err(|_| Error::internal("a file could not be encrypted"))?;
        let payload = PutPayload::from_iter([Bytes::copy_from_slice(&nonce), Bytes::from(sealed)]);
        let put = self.files.put(key, payload).await;
        put.map(drop).map_err(|error| unavailable(&error))
    }

    async fn unseal(&self, key: &Key, name: &str) -> Result<Bytes> {
        let found = self.files.get(key).await.map_err(|e| match e {
            object_store::Error::NotFound { .. } => Error::not_found("tệp", "file"),
            other => unavailable(&other),
        })?;
        let sealed = found.bytes().await.map_err(|e| unavailable(&e))?;
        let (nonce, sealed) = sealed.split_at_checked(NONCE).ok_or_else(|| altered(name))?;
        let content = self
            .cipher
            .decrypt(
                XNonce::from_slice(nonce),
                Payload {
                    msg: sealed,
                    aad: name.as_bytes(),
                },
            )
            .map_err(|_| altered(name))?;
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

/// How the content of one row is called: its id, 32 hex digits.
fn own_name(row: Uuid) -> String {
    row.simple().to_string()
}

/// By the last digits, which are random where ids begin with the time.
fn own_key(name: &str) -> Key {
    Key::from(format!("own/{}/{name}", &name[name.len() - 2..]))
}

fn altered(name: &str) -> Error {
    Error::internal(format!(
        "the stored file {name} does not match its name: altered, or another key"
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
