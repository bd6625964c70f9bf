//! What the log shows of a record: a commitment. It hides the record, and nobody can find another record that fits it.
//! So a record can be erased for ever (its salt and itself are overwritten) while the log still verifies.

use std::fmt;

use hmac::{Hmac, Mac, digest::KeyInit};
use rand::RngCore;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::hash::Hash;

/// Length of a commitment, which is a leaf entry of the log: `version(1) ‖ kind(1) ‖ HMAC-SHA-256(32)`.
pub const COMMITMENT_BYTES: usize = 34;

/// Length of a salt.
pub const SALT_BYTES: usize = 32;

const VERSION: u8 = 1;

/// What sort of record a leaf commits to. Public, so it must not say anything about a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(pub u8);

impl Kind {
    /// A message of the exchange.
    pub const MESSAGE: Self = Self(1);
    /// An action on a dossier (hồ sơ).
    pub const ACTION: Self = Self(2);
    /// A read of personal data through the exchange.
    pub const READ: Self = Self(3);
    /// A publication.
    pub const PUBLICATION: Self = Self(4);
    /// An erasure: which leaves can no longer be shown, by whom, on which ground.
    pub const ERASURE: Self = Self(5);
    /// A read of personal data by an officer of the node itself, or by a program of it.
    pub const ACCESS: Self = Self(6);
    /// A version of a record of a registry.
    pub const RECORD: Self = Self(7);
    /// An answer to an approved question: who asked what, and a hash of the answer and the records that it rests on.
    pub const ANSWER: Self = Self(8);
    /// A step of a proposal (đề xuất) that was made to a person before they asked.
    pub const PROPOSAL: Self = Self(9);
}

/// A leaf entry: `0x01 ‖ kind ‖ HMAC-SHA-256(key = salt, record)`.
///
/// Hiding: the key is 32 random bytes that leave the log only with the record. Binding: HMAC with keys of one length is
/// as collision resistant as SHA-256 (RFC 2104).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Commitment([u8; COMMITMENT_BYTES]);

impl Commitment {
    /// Commits to `record`.
    pub fn new(kind: Kind, salt: &Salt, record: &[u8]) -> Self {
        // A key shorter than a block of SHA-256 is filled up with zeros (RFC 2104, section 2).
        let mut key = [0; 64];
        key[..SALT_BYTES].copy_from_slice(&salt.0);
        let tag = <Hmac<Sha256> as KeyInit>::new(&key.into())
            .chain_update(record)
            .finalize()
            .into_bytes();
        let mut bytes = [0; COMMITMENT_BYTES];
        bytes[0] = VERSION;
        bytes[1] = kind.0;
        bytes[2..].copy_from_slice(&tag);
        Self(bytes)
    }

    /// Reads a leaf entry; `None` when the length or the version is not ours.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: [u8; COMMITMENT_BYTES] = bytes.try_into().ok()?;
        (bytes[0] == VERSION).then_some(Self(bytes))
    }

    /// The bytes that are hashed into the tree.
    pub const fn as_bytes(&self) -> &[u8; COMMITMENT_BYTES] {
        &self.0
    }

    /// The sort of record.
    pub const fn kind(&self) -> Kind {
        Kind(self.0[1])
    }

    /// The hash of this leaf.
    pub fn leaf(&self) -> Hash {
        Hash::leaf(&self.0)
    }
}

/// The key of one commitment: 32 random bytes, secret for as long as the record is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Salt(pub [u8; SALT_BYTES]);

impl Salt {
    /// A new salt from the generator of the operating system's seed.
    pub fn random() -> Self {
        let mut bytes = [0; SALT_BYTES];
        rand::rng().fill_bytes(&mut bytes);
        Self(bytes)
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(secret)")
    }
}

/// What proves what a leaf says. Whoever has it can read the record: hand it out like the record itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Opening {
    /// The key of the commitment.
    pub salt: Salt,
    /// The record.
    pub record: Vec<u8>,
}

impl Opening {
    /// An opening with a new salt.
    pub fn fresh(record: Vec<u8>) -> Self {
        Self {
            salt: Salt::random(),
            record,
        }
    }

    /// The commitment that this opens.
    pub fn commit(&self, kind: Kind) -> Commitment {
        Commitment::new(kind, &self.salt, &self.record)
    }

    /// Whether `commitment` is to this record.
    pub fn opens(&self, commitment: &Commitment) -> bool {
        self.commit(commitment.kind()).0.ct_eq(&commitment.0).into()
    }

    /// `salt(32) ‖ record`.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.salt.0[..], &self.record].concat()
    }

    /// Reads `salt(32) ‖ record`.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (salt, record) = bytes.split_first_chunk()?;
        Some(Self {
            salt: Salt(*salt),
            record: record.to_vec(),
        })
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opening({} bytes)", self.record.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commitment_is_hmac_sha_256() {
        // RFC 4231, test case 2, with its key filled up to 32 bytes, which HMAC does as well.
        let mut salt = [0; 32];
        salt[..4].copy_from_slice(b"Jefe");
        let commitment = Commitment::new(Kind(7), &Salt(salt), b"what do ya want for nothing?");
        assert_eq!(
            hex::encode(commitment.as_bytes()),
            "01075bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(commitment.kind(), Kind(7));
    }

    #[test]
    fn only_its_own_opening_opens_a_commitment() {
        let opening = Opening::fresh(b"an action".to_vec());
        let commitment = opening.commit(Kind::ACTION);
        assert!(opening.opens(&commitment));
        assert!(!Opening::fresh(b"an action".to_vec()).opens(&commitment));
        let again = Opening::from_bytes(&opening.to_bytes()).expect("long enough");
        assert_eq!(again, opening);
        assert_eq!(Opening::from_bytes(&[0; 31]), None);
        assert!(!format!("{opening:?}").contains("action"));
    }
}
