//! Keys. A private key signs and shows its public half, wherever it lives; a public key is known by its SPKI.

mod error;
mod file;
mod location;
#[cfg(feature = "hsm")]
mod pkcs11;
mod public;

use std::{fmt, sync::Arc};

pub use error::KeyError;
pub use file::SigningKey;
#[cfg(feature = "acme")]
pub(crate) use file::{read_private, write_private};
pub use location::{Location, TokenUri};
#[cfg(feature = "hsm")]
pub use pkcs11::TokenKey;
pub(crate) use public::sha256;
pub use public::{Algorithm, KeyId, PublicKey};

/// Holds a private key: [`SigningKey`] in memory and a file, [`TokenKey`] in an HSM.
pub trait Signer: Send + Sync + fmt::Debug {
    /// The public half.
    fn public_key(&self) -> &PublicKey;

    /// Signs exactly these bytes, hashing as the algorithm wants. Ed25519: 64 bytes, `R ‖ S` (RFC 8032 section 5.1.6).
    /// ECDSA P-256 with SHA-256: DER of `Ecdsa-Sig-Value` (RFC 3279 section 2.2.3), up to 72 bytes.
    ///
    /// A key in an HSM blocks for the time that the device takes: on an async runtime, call it where blocking is
    /// allowed.
    ///
    /// # Errors
    /// [`KeyError`] when the device is away or refuses; a key in memory does not fail in practice.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError>;

    /// How it signs.
    fn algorithm(&self) -> Algorithm {
        self.public_key().algorithm()
    }
}

/// Opens the private key at a place that the configuration names.
///
/// # Errors
/// [`KeyError`] when it is not there, is exposed to others, is malformed, or the token refuses.
pub fn open(location: &Location) -> Result<Arc<dyn Signer>, KeyError> {
    match location {
        Location::File(path) => Ok(Arc::new(SigningKey::load(path)?)),
        #[cfg(feature = "hsm")]
        Location::Token(uri) => Ok(Arc::new(TokenKey::open(uri)?)),
        #[cfg(not(feature = "hsm"))]
        Location::Token(_) => Err(KeyError::Location(crate::explained::Detail::new(
            "bản dựng này không có PKCS#11 (feature hsm tắt)",
            "this build has no PKCS#11: feature hsm is off",
        ))),
    }
}
