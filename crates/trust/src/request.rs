//! Certificate signing requests (PKCS#10, RFC 2986): a node asks for a certificate, and proves that it holds the key.

use base::{Kind, Text};
use der::{Decode, Encode, oid::db::rfc5912::ID_EXTENSION_REQ, pem::LineEnding};
use rcgen::{CertificateParams, DistinguishedName, DnType, SanType};
use rustls::pki_types::{CertificateSigningRequestDer, pem::PemObject};
use x509_cert::{
    ext::{Extensions, pkix::SubjectAltName, pkix::name::GeneralName},
    request::{CertReq, CertReqInfo},
};

use crate::{
    ca::IssuingKey,
    certificate::{MemberId, Refusal, of_names},
    explained::{Explained, refuses},
    key::{KeyError, KeyId, Signer, sha256},
    signed::{self, Unverified},
};

/// A request whose sender holds the key in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateRequest {
    der: Vec<u8>,
    spki: Vec<u8>,
    member: Option<MemberId>,
    hosts: Vec<String>,
}

impl CertificateRequest {
    /// Asks for a certificate of a member for the key of `signer`. `hosts` are the DNS names and IP addresses at
    /// which the node is reached.
    ///
    /// # Errors
    /// [`RequestError::Malformed`] for a host that is neither, [`RequestError::Key`] when the key cannot sign.
    pub fn create(signer: &dyn Signer, member: &MemberId, hosts: &[String]) -> Result<Self, RequestError> {
        let uri = member
            .uri()
            .try_into()
            .map_err(|_| RequestError::Malformed("member identifier"))?;
        Self::signed(signer, hosts, |params| {
            params.subject_alt_names.push(SanType::URI(uri));
            params.distinguished_name.push(DnType::CommonName, member.to_string());
        })
    }

    /// Asks for a certificate that names hosts and no member: public CAs refuse URIs.
    ///
    /// # Errors
    /// As [`Self::create`].
    pub fn for_hosts(signer: &dyn Signer, hosts: &[String]) -> Result<Self, RequestError> {
        Self::signed(signer, hosts, |_| {})
    }

    fn signed(
        signer: &dyn Signer,
        hosts: &[String],
        add: impl FnOnce(&mut CertificateParams),
    ) -> Result<Self, RequestError> {
        let mut params = CertificateParams::new(hosts).map_err(|_| RequestError::Malformed("host name"))?;
        params.distinguished_name = DistinguishedName::new();
        add(&mut params);
        let key = IssuingKey::new(signer);
        let request = params
            .serialize_request(&key)
            .map_err(|error| RequestError::Key(key.error(&error)))?;
        Self::from_der(request.der())
    }

    /// Reads a request in DER and verifies that it was signed by the key in it.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn from_der(der: &[u8]) -> Result<Self, RequestError> {
        let malformed = |_| RequestError::Malformed("PKCS#10");
        let info = CertReq::from_der(der).map_err(malformed)?.info;
        let spki = info.public_key.to_der().map_err(malformed)?;
        if let Some(weakness) = signed::weakness(&spki) {
            return Err(RequestError::WeakKey(weakness));
        }
        signed::verify_structure(der, &spki).map_err(|why| match why {
            Unverified::Malformed => RequestError::Malformed("PKCS#10"),
            Unverified::Algorithm => RequestError::WeakKey("signature".to_owned()),
            Unverified::Wrong => RequestError::NoPossession,
        })?;
        let names = alternative_names(&info)?;
        Ok(Self {
            der: der.to_vec(),
            spki,
            member: of_names(&names, &info.subject).map_err(RequestError::Member)?,
            hosts: names.iter().filter_map(host).collect(),
        })
    }

    /// Reads a request in PEM (`CERTIFICATE REQUEST`).
    ///
    /// # Errors
    /// As [`Self::from_der`].
    pub fn from_pem(pem: &str) -> Result<Self, RequestError> {
        let der =
            CertificateSigningRequestDer::from_pem_slice(pem.as_bytes()).map_err(|_| RequestError::Malformed("PEM"))?;
        Self::from_der(&der)
    }

    /// The request in PEM.
    pub fn to_pem(&self) -> String {
        // Fails only for a label that is no label.
        der::pem::encode_string("CERTIFICATE REQUEST", LineEnding::LF, &self.der).unwrap_or_default()
    }

    /// The request in DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// SHA-256 of the DER, in hex: what the operator compares with the applicant before approving.
    pub fn fingerprint(&self) -> String {
        hex::encode(sha256(&self.der))
    }

    /// The key that is to be certified: DER of `SubjectPublicKeyInfo`.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// The name of that key.
    pub fn key_id(&self) -> KeyId {
        KeyId::of_spki(&self.spki)
    }

    /// The member that it says it is of. A wish: what the certificate says, the operator decides.
    pub const fn member(&self) -> Option<&MemberId> {
        self.member.as_ref()
    }

    /// The hosts that it asks for. A wish, too.
    pub fn hosts(&self) -> &[String] {
        &self.hosts
    }
}

/// The alternative names in the extensions that are asked for (RFC 2985 section 5.4.2).
fn alternative_names(info: &CertReqInfo) -> Result<Vec<GeneralName>, RequestError> {
    let malformed = |_| RequestError::Malformed("requested extensions");
    let mut names = Vec::new();
    for attribute in info
        .attributes
        .iter()
        .filter(|attribute| attribute.oid == ID_EXTENSION_REQ)
    {
        for value in attribute.values.iter() {
            let extensions: Extensions = value.decode_as().map_err(malformed)?;
            for extension in extensions
                .iter()
                .filter(|e| e.extn_id == <SubjectAltName as der::oid::AssociatedOid>::OID)
            {
                names.extend(
                    SubjectAltName::from_der(extension.extn_value.as_bytes())
                        .map_err(malformed)?
                        .0,
                );
            }
        }
    }
    Ok(names)
}

fn host(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(host) => Some(host.to_string()),
        GeneralName::IpAddress(octets) => {
            let octets = octets.as_bytes();
            let four = <[u8; 4]>::try_from(octets).map(std::net::IpAddr::from);
            let sixteen = <[u8; 16]>::try_from(octets).map(std::net::IpAddr::from);
            four.or(sixteen).ok().map(|address| address.to_string())
        }
        _ => None,
    }
}

/// Why a request is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestError {
    /// Damaged, or not a request.
    Malformed(&'static str),
    /// Not signed by the key that it asks to have certified.
    NoPossession,
    /// The key is weak.
    WeakKey(String),
    /// The member in it is none, or two.
    Member(Refusal),
    /// The key could not sign the request.
    Key(KeyError),
}

impl Explained for RequestError {
    fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "request-malformed",
            Self::NoPossession => "request-no-possession",
            Self::WeakKey(_) => "request-weak-key",
            Self::Member(refusal) => refusal.code(),
            Self::Key(error) => error.code(),
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Key(error) => error.kind(),
            _ => Kind::Invalid,
        }
    }

    fn text(&self) -> Text {
        match self {
            Self::Malformed(what) => Text::new(
                format!(
                    "Yêu cầu cấp chứng thư bị hỏng hoặc không đúng dạng ({what}). Hãy tạo lại bằng motcua node join."
                ),
                format!(
                    "The certificate request is damaged or not of the right form ({what}). Make it again with \
                     motcua node join."
                ),
            ),
            Self::NoPossession => Text::new(
                "Yêu cầu không được ký bằng chính khóa cần cấp chứng thư, nên người gửi chưa chứng minh mình giữ \
                 khóa. Hãy tạo lại.",
                "The request was not signed by the key that it is for, so its sender has not shown to hold the key. \
                 Make it again.",
            ),
            Self::WeakKey(what) => Text::new(
                format!(
                    "Khóa trong yêu cầu quá yếu hoặc không được hỗ trợ ({what}). Hãy dùng Ed25519 hoặc ECDSA P-256."
                ),
                format!("The key in the request is weak or not supported ({what}). Use Ed25519 or ECDSA P-256."),
            ),
            Self::Member(refusal) => refusal.text(),
            Self::Key(error) => error.text(),
        }
    }
}

refuses!(RequestError);
