//! Public keys, as they stand in certificates: `SubjectPublicKeyInfo` in DER.

use std::{fmt, str::FromStr};

use aws_lc_rs::{
    digest::{SHA256, digest},
    signature::{ECDSA_P256_SHA256_ASN1, ED25519, ParsedPublicKey, UnparsedPublicKey, VerificationAlgorithm},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::KeyError;
use crate::explained::Detail;

/// What precedes the 32 bytes in the DER of every Ed25519 public key (RFC 8410 section 4).
const ED25519_SPKI: &[u8] = &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// What precedes the uncompressed point in the DER of every P-256 public key (RFC 5480 section 2).
const P256_SPKI: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// How our keys sign. What others sign with is judged by [`crate::certificate`], and may be more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Algorithm {
    /// Ed25519 (RFC 8032).
    #[serde(rename = "ed25519")]
    Ed25519,
    /// ECDSA on P-256 with SHA-256 (FIPS 186-5).
    #[serde(rename = "ecdsa-p256")]
    EcdsaP256,
}

impl Algorithm {
    /// The name in configuration and on pages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::EcdsaP256 => "ecdsa-p256",
        }
    }

    const fn prefix(self) -> &'static [u8] {
        match self {
            Self::Ed25519 => ED25519_SPKI,
            Self::EcdsaP256 => P256_SPKI,
        }
    }

    fn verification(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::Ed25519 => &ED25519,
            Self::EcdsaP256 => &ECDSA_P256_SHA256_ASN1,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A public key that verifies what a [`super::Signer`] signed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PublicKey {
    algorithm: Algorithm,
    spki: Vec<u8>,
}

impl PublicKey {
    /// From the bytes of the key: 32 for Ed25519, the uncompressed point of 65 for P-256.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] when that is no point of the curve.
    pub fn from_raw(algorithm: Algorithm, raw: &[u8]) -> Result<Self, KeyError> {
        ParsedPublicKey::new(algorithm.verification(), raw).map_err(|_| {
            KeyError::Malformed(Detail::new(
                "khóa công khai không nằm trên đường cong",
                "the public key is not a point of its curve",
            ))
        })?;
        let spki = [algorithm.prefix(), raw].concat();
        Self::from_spki(&spki)
    }

    /// From the DER of a `SubjectPublicKeyInfo` (RFC 5280 section 4.1).
    ///
    /// # Errors
    /// [`KeyError::Algorithm`] when it is neither Ed25519 nor P-256 with an uncompressed point.
    pub fn from_spki(spki: &[u8]) -> Result<Self, KeyError> {
        let algorithm = [(Algorithm::Ed25519, 32), (Algorithm::EcdsaP256, 65)]
            .into_iter()
            .find(|(a, length)| spki.starts_with(a.prefix()) && spki.len() == a.prefix().len() + length)
            .map(|(a, _)| a)
            .ok_or(KeyError::Algorithm)?;
        Ok(Self {
            algorithm,
            spki: spki.to_vec(),
        })
    }

    /// How signatures of this key are made.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key as certificates hold it: DER of a `SubjectPublicKeyInfo`.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// The bare key: 32 bytes for Ed25519, the uncompressed point of 65 bytes for P-256.
    pub fn raw(&self) -> &[u8] {
        self.spki.get(self.algorithm.prefix().len()..).unwrap_or_default()
    }

    /// The name of this key.
    pub fn id(&self) -> KeyId {
        KeyId::of_spki(&self.spki)
    }

    /// Verifies a signature that [`super::Signer::sign`] gave over `message`.
    ///
    /// # Errors
    /// [`KeyError::Signature`] when it is of another key, over other bytes, or malformed.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), KeyError> {
        UnparsedPublicKey::new(self.algorithm.verification(), self.raw())
            .verify(message, signature)
            .map_err(|_| KeyError::Signature)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} {})", self.algorithm, self.id())
    }
}

/// The name of a public key: SHA-256 of its SPKI, as RFC 7469 section 2.4 pins keys. Shown in lower-case hex.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 32]);

impl KeyId {
    /// Of the DER of a `SubjectPublicKeyInfo` of any algorithm.
    pub fn of_spki(spki: &[u8]) -> Self {
        Self(sha256(spki))
    }

    /// The 32 bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

impl FromStr for KeyId {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| {
            KeyError::Malformed(Detail::new(
                "mã khóa gồm 64 chữ số hexa",
                "a key id is 64 digits of hex",
            ))
        })?;
        Ok(Self(bytes))
    }
}

impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}
