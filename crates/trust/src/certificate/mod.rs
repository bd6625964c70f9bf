//! Certificates (X.509, RFC 5280): what they say, and whether to believe it.
//!
//! Read by two libraries of different authors, and good only if both accept it: `rustls-webpki` builds and verifies
//! the path, as it does for TLS everywhere; `x509-cert` gives names, usages and dates, which webpki does not tell.
//! The latter was taken rather than `x509-parser` because it shares its DER reader (`der`) with what timestamps and
//! requests need.

mod judge;
mod member;
mod purpose;
mod refusal;

use std::{fmt, fs, path::Path, sync::Arc};

use base::Timestamp;
use der::{Decode, Encode, asn1::ObjectIdentifier, pem::LineEnding};
pub use judge::{Anchor, PeerIdentity, Scope, TrustStore};
pub use member::MemberId;
pub(crate) use member::of_names;
pub use purpose::Purpose;
pub use refusal::{Refusal, Refusals};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use x509_cert::{
    ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage},
    name::Name,
};

use crate::{
    instant,
    key::{KeyError, KeyId, PublicKey, sha256},
};

/// One certificate, read and kept as it came.
#[derive(Clone)]
pub struct Certificate {
    der: CertificateDer<'static>,
    parsed: Arc<x509_cert::Certificate>,
    spki: Arc<[u8]>,
    constraints: Option<BasicConstraints>,
    usage: Option<KeyUsage>,
    extended: Option<(bool, ExtendedKeyUsage)>,
}

impl Certificate {
    /// Reads DER.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] when it is not one whole certificate, or says twice or unreadably what it is for.
    pub fn from_der(der: &[u8]) -> Result<Self, Refusal> {
        let malformed = |_| Refusal::Malformed("certificate");
        let parsed = x509_cert::Certificate::from_der(der).map_err(malformed)?;
        let content = parsed.tbs_certificate();
        Ok(Self {
            der: CertificateDer::from(der.to_vec()),
            spki: content.subject_public_key_info().to_der().map_err(malformed)?.into(),
            constraints: content
                .get_extension()
                .map_err(malformed)?
                .map(|(_, constraints)| constraints),
            usage: content.get_extension().map_err(malformed)?.map(|(_, usage)| usage),
            extended: content.get_extension().map_err(malformed)?,
            parsed: Arc::new(parsed),
        })
    }

    /// Reads a chain in PEM: the node's own certificate first, then those of its issuers, without the root. Text
    /// between the blocks is skipped.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] when a block is damaged, [`Refusal::Missing`] when there is none.
    pub fn chain_from_pem(pem: &str) -> Result<Vec<Self>, Refusal> {
        let chain = CertificateDer::pem_slice_iter(pem.as_bytes())
            .map(|der| Self::from_der(&der.map_err(|_| Refusal::Malformed("PEM"))?))
            .collect::<Result<Vec<_>, _>>()?;
        if chain.is_empty() {
            return Err(Refusal::Missing);
        }
        Ok(chain)
    }

    /// Reads a chain from a PEM file.
    ///
    /// # Errors
    /// As [`Self::chain_from_pem`]; [`Refusal::File`] when the file cannot be read.
    pub fn load_chain(path: &Path) -> Result<Vec<Self>, Refusal> {
        let pem = fs::read_to_string(path).map_err(|error| Refusal::File {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        Self::chain_from_pem(&pem)
    }

    /// The certificate in PEM.
    pub fn to_pem(&self) -> String {
        // Fails only for a label that is no label.
        der::pem::encode_string("CERTIFICATE", LineEnding::LF, &self.der).unwrap_or_default()
    }

    /// The certificate in DER.
    pub const fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// SHA-256 of the DER, in hex: how people compare certificates.
    pub fn fingerprint(&self) -> String {
        hex::encode(sha256(&self.der))
    }

    /// The serial number, in hex.
    pub fn serial(&self) -> String {
        hex::encode(self.serial_bytes())
    }

    pub(crate) fn serial_bytes(&self) -> &[u8] {
        self.parsed.tbs_certificate().serial_number().as_bytes()
    }

    /// Whose it is: a distinguished name (RFC 4514).
    pub fn subject(&self) -> String {
        self.parsed.tbs_certificate().subject().to_string()
    }

    /// Who issued it: a distinguished name (RFC 4514).
    pub fn issuer(&self) -> String {
        self.parsed.tbs_certificate().issuer().to_string()
    }

    pub(crate) fn subject_name(&self) -> &Name {
        self.parsed.tbs_certificate().subject()
    }

    /// First instant of its validity.
    pub fn not_before(&self) -> Timestamp {
        instant::from_x509(self.parsed.tbs_certificate().validity().not_before)
    }

    /// Last instant of its validity.
    pub fn not_after(&self) -> Timestamp {
        instant::from_x509(self.parsed.tbs_certificate().validity().not_after)
    }

    /// The certified key: DER of `SubjectPublicKeyInfo`.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// The name of the certified key.
    pub fn key_id(&self) -> KeyId {
        KeyId::of_spki(&self.spki)
    }

    /// The certified key, to verify signatures with.
    ///
    /// # Errors
    /// [`KeyError::Algorithm`] when it is neither Ed25519 nor P-256.
    pub fn public_key(&self) -> Result<PublicKey, KeyError> {
        PublicKey::from_spki(&self.spki)
    }

    /// The member that it says it is of: the URI `motcua://…` among the alternative names, or else the subject's
    /// `organizationIdentifier` (see [`MemberId`]).
    ///
    /// # Errors
    /// [`Refusal::TwoMembers`] when it names more than one.
    pub fn member(&self) -> Result<Option<MemberId>, Refusal> {
        member::of_certificate(&self.parsed)
    }

    /// Whether it may issue certificates: `CA` and, where usages are given, `keyCertSign` (RFC 5280 section 4.2.1.9).
    pub fn is_authority(&self) -> bool {
        self.constraints.as_ref().is_some_and(|constraints| constraints.ca)
            && self.usage.as_ref().is_none_or(KeyUsage::key_cert_sign)
    }

    /// How many issuers may stand between it and the certificate of a node, where it sets a limit.
    pub(crate) fn path_length(&self) -> Option<u8> {
        self.constraints
            .as_ref()
            .and_then(|constraints| constraints.path_len_constraint)
    }

    /// Whether it may sign revocation lists.
    pub(crate) fn may_sign_lists(&self) -> bool {
        self.usage.as_ref().is_none_or(KeyUsage::crl_sign)
    }

    pub(crate) const fn key_usage(&self) -> Option<&KeyUsage> {
        self.usage.as_ref()
    }

    /// The extended usages, and whether they are critical.
    pub(crate) fn extended_usage(&self) -> Option<(bool, &ExtendedKeyUsage)> {
        self.extended.as_ref().map(|(critical, usages)| (*critical, usages))
    }

    /// The content of an extension that is only passed on.
    pub(crate) fn raw_extension(&self, oid: ObjectIdentifier) -> Option<&[u8]> {
        let mut extensions = self.parsed.tbs_certificate().extensions()?.iter();
        extensions
            .find(|extension| extension.extn_id == oid)
            .map(|extension| extension.extn_value.as_bytes())
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Certificate({} by {}, {})",
            self.subject(),
            self.issuer(),
            self.serial()
        )
    }
}
