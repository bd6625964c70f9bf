//! Randomness, keyed hashes and sealed values. One secret of the node gives all keys, one per use.

use std::{fmt, sync::Arc};

use base::{Error, Result};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, KeyInit, Payload},
};
use hmac::{Hmac, Mac};
use rand::{RngCore, SeedableRng, TryRngCore};
use sha2::{Digest, Sha256, digest::generic_array::GenericArray};

/// Where randomness comes from; passed in, so that a test can repeat itself.
#[derive(Clone)]
pub struct Entropy(Arc<Fill>);

/// Fills a buffer with random bytes; whether it could.
type Fill = dyn Fn(&mut [u8]) -> bool + Send + Sync;

impl Entropy {
    /// The generator of the operating system.
    pub fn system() -> Self {
        Self(Arc::new(|bytes| rand::rngs::OsRng.try_fill_bytes(bytes).is_ok()))
    }

    /// A predictable sequence. For tests only.
    pub fn seeded(seed: u64) -> Self {
        let rng = std::sync::Mutex::new(rand::rngs::StdRng::seed_from_u64(seed));
        Self(Arc::new(move |bytes| {
            rng.lock().map(|mut rng| rng.fill_bytes(bytes)).is_ok()
        }))
    }

    /// `N` random bytes.
    ///
    /// # Errors
    /// The system has no randomness to give; nothing secret may be made then.
    pub fn bytes<const N: usize>(&self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        if (self.0)(&mut bytes) {
            Ok(bytes)
        } else {
            Err(Error::internal("no randomness from the system"))
        }
    }

    /// A secret of 256 bits for a cookie, an address or a header.
    ///
    /// # Errors
    /// The system has no randomness to give; nothing secret may be made then.
    pub fn token(&self) -> Result<String> {
        self.bytes::<32>().map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy")
    }
}

/// The SHA-256 of a random token, in hex: all that the database knows of it.
pub(crate) fn token_hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

/// Encrypts secrets that have to be kept and used again, each for one place: at another it does not open.
#[derive(Clone)]
pub struct Sealer([u8; 32]);

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer")
    }
}

impl Sealer {
    /// With a key of its own.
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// Encrypts a value for the place `context` (XChaCha20-Poly1305, a nonce of 24 bytes before it).
    ///
    /// # Errors
    /// The system has no randomness to give.
    pub fn seal(&self, entropy: &Entropy, context: &str, plain: &[u8]) -> Result<Vec<u8>> {
        let nonce = entropy.bytes::<24>()?;
        let cipher = XChaCha20Poly1305::new(&self.0.into());
        let sealed = cipher
            .encrypt(
                XNonce::from_slice(&nonce),
                Payload {
                    msg: plain,
                    aad: context.as_bytes(),
                },
            )
            .map_err(|_| Error::internal("sealing failed"))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Decrypts what [`Sealer::seal`] made for the same place.
    ///
    /// # Errors
    /// It is cut or altered, was made for another place, or with another key.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        let (nonce, sealed) = sealed
            .split_at_checked(24)
            .ok_or_else(|| Error::internal("a sealed value is cut"))?;
        XChaCha20Poly1305::new(&self.0.into())
            .decrypt(
                XNonce::from_slice(nonce),
                Payload {
                    msg: sealed,
                    aad: context.as_bytes(),
                },
            )
            .map_err(|_| Error::internal("a sealed value does not open: is it the secret of this node?"))
    }
}

/// The keys of the node, all derived from one secret of 32 bytes.
#[derive(Clone)]
pub(crate) struct Keys {
    seal: Sealer,
    subject: [u8; 32],
    demo: [u8; 32],
    recovery: [u8; 32],
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

impl Keys {
    pub fn new(secret: &[u8; 32]) -> Self {
        let derive = |label: &str| mac(secret, &[label]);
        Self {
            seal: Sealer::new(derive("identity/seal")),
            subject: derive("identity/subject"),
            demo: derive("identity/demo"),
            recovery: derive("identity/recovery"),
        }
    }

    /// The pseudonym under which the access log knows a person: nobody without the key can go from the 10^12 possible
    /// numbers to the rows.
    pub fn subject(&self, person_number: &str) -> String {
        hex::encode(mac(&self.subject, &[person_number]))
    }

    /// The key in the address of a one-click sign-in of the demonstration.
    pub fn demo(&self, role: &str) -> String {
        hex::encode(&mac(&self.demo, &[role])[..16])
    }

    /// The hash of a recovery code of an officer.
    pub fn recovery(&self, officer: &str, code: &str) -> String {
        hex::encode(mac(&self.recovery, &[officer, code]))
    }

    /// [`Sealer::seal`].
    pub fn seal(&self, entropy: &Entropy, context: &str, plain: &[u8]) -> Result<Vec<u8>> {
        self.seal.seal(entropy, context, plain)
    }

    /// [`Sealer::open`].
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        self.seal.open(context, sealed)
    }
}

/// HMAC-SHA-256 over the parts, each with its length before it, so that no two lists of parts give one text.
fn mac(key: &[u8; 32], parts: &[&str]) -> [u8; 32] {
    // HMAC fills a short key up to the block of 64 bytes with zeros (RFC 2104 section 2); done here it cannot fail.
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key);
    let mut mac = <Hmac<Sha256> as Mac>::new(GenericArray::from_slice(&block));
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part.as_bytes());
    }
    mac.finalize().into_bytes().into()
}

/// Compares in constant time.
pub(crate) fn same(a: &str, b: &str) -> bool {
    subtle::ConstantTimeEq::ct_eq(a.as_bytes(), b.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_values_open_only_in_their_place_and_whole() {
        let (keys, entropy) = (Keys::new(&[1; 32]), Entropy::seeded(1));
        let sealed = keys.seal(&entropy, "officer/1", b"secret").expect("seals");
        assert_eq!(keys.open("officer/1", &sealed).expect("opens"), b"secret");
        assert!(keys.open("officer/2", &sealed).is_err(), "moved to another officer");
        assert!(Keys::new(&[2; 32]).open("officer/1", &sealed).is_err(), "another node");
        let mut bent = sealed.clone();
        bent[30] ^= 1;
        assert!(keys.open("officer/1", &bent).is_err(), "bent");
        assert!(keys.open("officer/1", &sealed[..10]).is_err(), "cut");
    }

    #[test]
    fn parts_do_not_run_together() {
        let keys = Keys::new(&[1; 32]);
        assert_ne!(keys.recovery("ab", "c"), keys.recovery("a", "bc"));
        assert_ne!(
            keys.subject("001099000001"),
            Keys::new(&[2; 32]).subject("001099000001")
        );
    }
}
