//! Who a node is, and whom it believes: private keys and what signs with them, certificates and what is wrong with
//! them, revocation, key rotation, timestamps, and TLS between nodes.
//!
//! All of it judges what the directory hands over ([`TrustStore`]); nothing here decides who may join. Every refusal
//! has a stable code and a sentence in both languages ([`Explained`]).

#[cfg(feature = "acme")]
pub mod acme;
pub mod ca;
pub mod certificate;
mod explained;
mod instant;
pub mod key;
pub mod request;
pub mod revocation;
pub mod rotation;
mod signed;
#[cfg(feature = "timestamp")]
pub mod timestamp;
pub mod tls;

pub use ca::Authority;
pub use certificate::{Anchor, Certificate, MemberId, PeerIdentity, Purpose, Refusal, Refusals, TrustStore};
pub use explained::{Detail, Explained};
pub use key::{Algorithm, KeyError, KeyId, Location, PublicKey, Signer};
pub use request::CertificateRequest;
pub use revocation::{Crl, Freshness, Revocations};
pub use rotation::Keyring;
pub use tls::Tls;
