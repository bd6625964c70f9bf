//! The built-in certificate authority, for a demo or a closed federation: one root that certifies nodes itself.
//!
//! It keeps no books: what it issued and revoked is in the store of its caller. What a certificate says is what the
//! operator approved, never what the request wished.

use std::sync::{Arc, Mutex, PoisonError};

use base::{Kind, Text, Timestamp};
use der::oid::db::rfc5280::ID_CE_SUBJECT_KEY_IDENTIFIER;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ED25519,
    RevocationReason, RevokedCertParams, SanType, SerialNumber, SubjectPublicKeyInfo, date_time_ymd,
};
use serde::{Deserialize, Serialize};

use crate::{
    certificate::{Certificate, MemberId, Refusal},
    explained::{Explained, refuses},
    instant::since_epoch,
    key::{Algorithm, KeyError, PublicKey, Signer},
    request::CertificateRequest,
    revocation::{Crl, CrlError},
};

/// Longest validity of a node's certificate, in days; what a public CA may issue today.
pub const LONGEST_DAYS: u16 = 398;

/// Validity that needs no revocation: a stolen key is worth little for long.
pub const SHORT_DAYS: u16 = 7;

/// How far certificates are dated back, in seconds, for clocks that are behind.
const BACKDATE: i64 = 300;

const DAY: i64 = 86_400;

/// A CA: its certificate, and what signs for it.
#[derive(Debug, Clone)]
pub struct Authority {
    certificate: Certificate,
    signer: Arc<dyn Signer>,
}

/// What the operator approved, after looking at a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Which request: [`CertificateRequest::fingerprint`].
    pub request: String,
    /// The member that the applicant proved to be.
    pub member: MemberId,
    /// The member's name in law.
    pub organization: String,
    /// DNS names and IP addresses of the node.
    pub hosts: Vec<String>,
    /// What the certificate is for.
    pub profile: Profile,
    /// For how many days it is valid, at most [`LONGEST_DAYS`]; [`SHORT_DAYS`] is a good choice where renewal is
    /// automatic.
    pub days: u16,
}

/// What a certificate is issued for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// TLS between nodes, as caller and as called.
    Node,
    /// Signing messages and checkpoints.
    Signature,
}

/// One entry of a revocation list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// Serial number of the certificate, in hex.
    pub serial: String,
    /// When it was revoked.
    pub at: Timestamp,
    /// Since when its key may have been in other hands, where that was earlier.
    pub invalid_since: Option<Timestamp>,
    /// Why.
    pub reason: Reason,
}

/// Why a certificate was revoked (RFC 5280 section 5.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Not said.
    Unspecified,
    /// The key may be in other hands.
    KeyCompromise,
    /// The member changed its name or status.
    AffiliationChanged,
    /// A newer certificate took its place.
    Superseded,
    /// The node was closed.
    CessationOfOperation,
    /// The member may no longer take part.
    PrivilegeWithdrawn,
}

impl Authority {
    /// Makes a root: a self-signed certificate that may certify nodes and nothing else (path length 0).
    ///
    /// # Errors
    /// [`CaError`] when the key cannot sign, or the name cannot stand in a certificate.
    pub fn create(name: &str, signer: Arc<dyn Signer>, now: Timestamp, days: u16) -> Result<Self, CaError> {
        let mut params = dated(now, now.plus_seconds(i64::from(days) * DAY))?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = IssuingKey::new(signer.as_ref());
        let der = params
            .self_signed(&key)
            .map_err(|error| key.error(&error))?
            .der()
            .to_vec();
        Self::open(Certificate::from_der(&der)?, signer)
    }

    /// A CA that was made before.
    ///
    /// # Errors
    /// [`Refusal::NotAnAuthority`], or [`Refusal::WrongKey`] when the certificate is not of this key.
    pub fn open(certificate: Certificate, signer: Arc<dyn Signer>) -> Result<Self, CaError> {
        if !certificate.is_authority() {
            return Err(Refusal::NotAnAuthority.into());
        }
        if certificate.spki() != signer.public_key().spki() {
            return Err(Refusal::WrongKey.into());
        }
        Ok(Self { certificate, signer })
    }

    /// The certificate of the CA, for the directory to pin.
    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Issues the certificate that was approved. Its serial number is random, 128 bits.
    ///
    /// # Errors
    /// [`CaError::OtherRequest`] when the approval is of another request, [`CaError::TooLong`],
    /// [`CaError::Outlives`], or what the key says.
    pub fn issue(
        &self,
        request: &CertificateRequest,
        approval: &Approval,
        now: Timestamp,
    ) -> Result<Certificate, CaError> {
        if approval.request != request.fingerprint() {
            return Err(CaError::OtherRequest);
        }
        if approval.days == 0 || approval.days > LONGEST_DAYS {
            return Err(CaError::TooLong(approval.days));
        }
        let until = now.plus_seconds(i64::from(approval.days) * DAY);
        if until > self.certificate.not_after() {
            return Err(CaError::Outlives(self.certificate.not_after()));
        }
        let mut params = dated(now.plus_seconds(-BACKDATE), until)?;
        params.distinguished_name = subject(approval);
        params.subject_alt_names = alternative_names(approval)?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        match approval.profile {
            Profile::Node => {
                params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
                params.extended_key_usages =
                    vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
            }
            Profile::Signature => {
                params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::ContentCommitment];
                // Document signing (RFC 9336).
                params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(vec![1, 3, 6, 1, 5, 5, 7, 3, 36])];
            }
        }
        let applicant = SubjectPublicKeyInfo::from_der(request.spki()).map_err(library)?;
        let key = IssuingKey::new(self.signer.as_ref());
        let issued = params
            .signed_by(&applicant, &self.issuer(&key)?)
            .map_err(|error| key.error(&error))?;
        Ok(Certificate::from_der(issued.der())?)
    }

    /// Signs the list of what is revoked. `number` must be higher than that of the last list; the next one is due after
    /// `valid` seconds.
    ///
    /// # Errors
    /// [`CaError`] when a serial number is not hex, or what the key says.
    pub fn revocation_list(
        &self,
        revoked: &[Revocation],
        number: u64,
        now: Timestamp,
        valid: i64,
    ) -> Result<Crl, CaError> {
        let time = |at| date_time_ymd(1970, 1, 1) + since_epoch(at);
        let revoked_certs = revoked
            .iter()
            .map(|entry| {
                let serial = hex::decode(&entry.serial).map_err(|_| CaError::Serial(entry.serial.clone()))?;
                Ok(RevokedCertParams {
                    serial_number: serial.into(),
                    revocation_time: time(entry.at),
                    reason_code: Some(entry.reason.into()),
                    invalidity_date: entry.invalid_since.map(time),
                })
            })
            .collect::<Result<_, CaError>>()?;
        let list = CertificateRevocationListParams {
            this_update: time(now),
            next_update: time(now.plus_seconds(valid)),
            crl_number: number.into(),
            issuing_distribution_point: None,
            revoked_certs,
            key_identifier_method: self.key_identifier(),
        };
        let key = IssuingKey::new(self.signer.as_ref());
        let signed = list.signed_by(&self.issuer(&key)?).map_err(|error| key.error(&error))?;
        Ok(Crl::from_der(signed.der())?)
    }

    fn issuer<'a>(&self, key: &'a IssuingKey<'a>) -> Result<Issuer<'static, &'a IssuingKey<'a>>, CaError> {
        Issuer::from_ca_cert_der(self.certificate.der(), key).map_err(library)
    }

    /// As the CA's own certificate has it, so that lists and certificates point at it.
    fn key_identifier(&self) -> KeyIdMethod {
        self.certificate
            .raw_extension(ID_CE_SUBJECT_KEY_IDENTIFIER)
            .and_then(|der| <&der::asn1::OctetStringRef as der::Decode>::from_der(der).ok())
            .map_or(KeyIdMethod::Sha256, |id| {
                KeyIdMethod::PreSpecified(id.as_bytes().to_vec())
            })
    }
}

fn dated(from: Timestamp, until: Timestamp) -> Result<CertificateParams, CaError> {
    let time = |at| date_time_ymd(1970, 1, 1) + since_epoch(at);
    let mut params = CertificateParams::default();
    params.not_before = time(from);
    params.not_after = time(until);
    params.distinguished_name = DistinguishedName::new();
    params.serial_number = Some(random_serial()?);
    Ok(params)
}

/// RFC 5280 section 4.1.2.2: positive and at most 20 octets; 128 bits of randomness fit.
fn random_serial() -> Result<SerialNumber, CaError> {
    let mut serial = [0; 16];
    aws_lc_rs::rand::fill(&mut serial).map_err(|_| KeyError::Library)?;
    Ok(SerialNumber::from_slice(&serial))
}

fn subject(approval: &Approval) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, approval.organization.as_str());
    if let Some(identifier) = approval.member.organization_identifier() {
        name.push(DnType::from_oid(&[2, 5, 4, 97]), identifier);
    }
    name.push(DnType::CommonName, approval.member.to_string());
    name
}

fn alternative_names(approval: &Approval) -> Result<Vec<SanType>, CaError> {
    let mut names = CertificateParams::new(approval.hosts.as_slice())
        .map_err(library)?
        .subject_alt_names;
    names.push(SanType::URI(approval.member.uri().try_into().map_err(library)?));
    Ok(names)
}

impl From<Reason> for RevocationReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Unspecified => Self::Unspecified,
            Reason::KeyCompromise => Self::KeyCompromise,
            Reason::AffiliationChanged => Self::AffiliationChanged,
            Reason::Superseded => Self::Superseded,
            Reason::CessationOfOperation => Self::CessationOfOperation,
            Reason::PrivilegeWithdrawn => Self::PrivilegeWithdrawn,
        }
    }
}

/// Any [`Signer`] in the hands of rcgen, which swallows what a remote key said: it is kept here.
pub(crate) struct IssuingKey<'a> {
    signer: &'a dyn Signer,
    failed: Mutex<Option<KeyError>>,
}

impl<'a> IssuingKey<'a> {
    pub(crate) fn new(signer: &'a dyn Signer) -> Self {
        Self {
            signer,
            failed: Mutex::new(None),
        }
    }

    /// What went wrong: what the key said, or else what rcgen says.
    pub(crate) fn error(&self, error: &rcgen::Error) -> KeyError {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner).take();
        failed.unwrap_or_else(|| {
            tracing::error!(%error, "rcgen failed");
            KeyError::Library
        })
    }
}

impl rcgen::PublicKeyData for IssuingKey<'_> {
    fn der_bytes(&self) -> &[u8] {
        PublicKey::raw(self.signer.public_key())
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        match self.signer.algorithm() {
            Algorithm::Ed25519 => &PKCS_ED25519,
            Algorithm::EcdsaP256 => &PKCS_ECDSA_P256_SHA256,
        }
    }
}

impl rcgen::SigningKey for IssuingKey<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.signer.sign(message).map_err(|error| {
            *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            rcgen::Error::RemoteKeyError
        })
    }
}

/// Why the CA did not issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaError {
    /// The approval is of another request.
    OtherRequest,
    /// So many days are too many, or none.
    TooLong(u16),
    /// The certificate would be valid for longer than the CA.
    Outlives(Timestamp),
    /// Not a serial number in hex.
    Serial(String),
    /// Names that cannot stand in a certificate.
    Names(String),
    /// The certificate of the CA, or what was issued, does not stand.
    Certificate(Refusal),
    /// The list does not stand.
    List(CrlError),
    /// The key of the CA cannot sign.
    Key(KeyError),
}

fn library(error: rcgen::Error) -> CaError {
    CaError::Names(error.to_string())
}

impl From<Refusal> for CaError {
    fn from(refusal: Refusal) -> Self {
        Self::Certificate(refusal)
    }
}

impl From<CrlError> for CaError {
    fn from(error: CrlError) -> Self {
        Self::List(error)
    }
}

impl From<KeyError> for CaError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

impl Explained for CaError {
    fn code(&self) -> &'static str {
        match self {
            Self::OtherRequest => "approval-other-request",
            Self::TooLong(_) => "validity-too-long",
            Self::Outlives(_) => "validity-outlives-ca",
            Self::Serial(_) => "serial-malformed",
            Self::Names(_) => "names-malformed",
            Self::Certificate(refusal) => refusal.code(),
            Self::List(error) => error.code(),
            Self::Key(error) => error.code(),
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::OtherRequest => Kind::Conflict,
            Self::Certificate(refusal) => refusal.kind(),
            Self::List(error) => error.kind(),
            Self::Key(error) => error.kind(),
            _ => Kind::Invalid,
        }
    }

    fn text(&self) -> Text {
        match self {
            Self::OtherRequest => Text::new(
                "Phê duyệt này là cho một yêu cầu khác. Hãy so dấu vân tay SHA-256 với người nộp rồi phê duyệt lại.",
                "The approval is of another request. Compare the SHA-256 fingerprint with the applicant and approve \
                 again.",
            ),
            Self::TooLong(days) => Text::new(
                format!(
                    "Thời hạn {days} ngày không hợp lệ: chứng thư của nút có hiệu lực từ 1 đến {LONGEST_DAYS} ngày."
                ),
                format!("{days} days will not do: the certificate of a node is valid for 1 to {LONGEST_DAYS} days."),
            ),
            Self::Outlives(at) => Text::new(
                format!(
                    "Chứng thư của CA hết hạn {}, trước chứng thư cần cấp. Hãy giảm số ngày hoặc lập CA mới.",
                    at.display()
                ),
                format!("The CA expires at {at}, before what it is to issue. Ask for fewer days, or make a new CA."),
            ),
            Self::Serial(serial) => Text::new(
                format!("Số sê-ri {serial} không phải số hexa. Hãy chép lại từ chứng thư."),
                format!("The serial number {serial} is not hex. Copy it from the certificate."),
            ),
            Self::Names(reason) => Text::new(
                format!("Tên không ghi được vào chứng thư ({reason}). Hãy sửa tên máy hoặc tên cơ quan."),
                format!("A name cannot stand in a certificate ({reason}). Correct the host or the organisation."),
            ),
            Self::Certificate(refusal) => refusal.text(),
            Self::List(error) => error.text(),
            Self::Key(error) => error.text(),
        }
    }
}

refuses!(CaError);
