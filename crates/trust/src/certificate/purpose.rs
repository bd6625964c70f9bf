//! What certificates are for, and which key usages that needs.

use der::asn1::ObjectIdentifier;
use serde::{Deserialize, Serialize};
use webpki::{Error, ExtendedKeyUsageValidator, KeyPurposeIdIter, KeyUsage, RequiredEkuNotFoundContext};
use x509_cert::ext::pkix::ExtendedKeyUsage;

use super::Certificate;

/// `id-kp-documentSigning` (RFC 9336), and the purpose that stands for all (RFC 5280 section 4.2.1.12).
const DOCUMENT_SIGNING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x24];
const ANY_PURPOSE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");

/// `id-kp-timeStamping` (RFC 3161 section 2.3).
const TIME_STAMPING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08];

/// What a certificate is to be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// The node that is called, in TLS: `digitalSignature`, `serverAuth`.
    Server,
    /// The node that calls, in TLS: `digitalSignature`, `clientAuth`.
    Client,
    /// Signing messages and checkpoints: `digitalSignature` or `contentCommitment`, `documentSigning` (RFC 9336). A
    /// certificate for TLS alone is refused, so a stolen TLS key signs nothing.
    Signature,
    /// A timestamping authority: `timeStamping` alone, and critical (RFC 3161 section 2.3).
    Timestamp,
}

impl Purpose {
    pub(super) const fn vi(self) -> &'static str {
        match self {
            Self::Server => "máy chủ TLS",
            Self::Client => "máy khách TLS",
            Self::Signature => "ký thông điệp",
            Self::Timestamp => "cấp dấu thời gian",
        }
    }

    pub(super) const fn en(self) -> &'static str {
        match self {
            Self::Server => "TLS server",
            Self::Client => "TLS client",
            Self::Signature => "signing messages",
            Self::Timestamp => "timestamping",
        }
    }

    /// The extended usage that must be among those of a certificate that has any.
    const fn extended(self) -> KeyUsage {
        match self {
            Self::Server => KeyUsage::server_auth(),
            Self::Client => KeyUsage::client_auth(),
            Self::Signature => KeyUsage::required_if_present(DOCUMENT_SIGNING),
            Self::Timestamp => KeyUsage::required_if_present(TIME_STAMPING),
        }
    }

    /// What the certificate of a node must have beyond its path: key usages are "if present", as RFC 5280 has it.
    pub(super) fn suits(self, leaf: &Certificate) -> bool {
        let signs = leaf.key_usage().is_none_or(|usage| usage.digital_signature());
        let commits = leaf.key_usage().is_some_and(|usage| usage.non_repudiation());
        match (self, leaf.extended_usage()) {
            (Self::Server | Self::Client, None) => signs,
            (Self::Server | Self::Client, Some((_, extended))) => signs && self.is_among(extended),
            (Self::Signature, None) => signs || commits,
            (Self::Signature, Some((_, extended))) => (signs || commits) && self.is_among(extended),
            (Self::Timestamp, Some((true, extended))) => (signs || commits) && extended.0 == [self.oid()],
            (Self::Timestamp, _) => false,
        }
    }

    fn is_among(self, extended: &ExtendedKeyUsage) -> bool {
        extended
            .0
            .iter()
            .any(|usage| *usage == self.oid() || *usage == ANY_PURPOSE)
    }

    const fn oid(self) -> ObjectIdentifier {
        ObjectIdentifier::new_unwrap(match self {
            Self::Server => "1.3.6.1.5.5.7.3.1",
            Self::Client => "1.3.6.1.5.5.7.3.2",
            Self::Signature => "1.3.6.1.5.5.7.3.36",
            Self::Timestamp => "1.3.6.1.5.5.7.3.8",
        })
    }
}

/// The rule for the extended usages along a path; what the node's own certificate needs besides is in `suits`.
impl ExtendedKeyUsageValidator for Purpose {
    fn validate(&self, ids: KeyPurposeIdIter<'_, '_>) -> Result<(), Error> {
        let mut present = Vec::new();
        for id in ids {
            let id = id?.to_decoded_oid();
            if self.extended().oid_values().eq(id.iter().copied()) || id == [2, 5, 29, 37, 0] {
                return Ok(());
            }
            present.push(id);
        }
        if present.is_empty() {
            return Ok(());
        }
        Err(Error::RequiredEkuNotFoundContext(RequiredEkuNotFoundContext {
            required: self.extended(),
            present,
        }))
    }
}
