//! A small federation, and a mint for certificates that nobody should believe.

use std::{path::Path, process::Command, sync::Arc};

use base::{Timestamp, time::FixedClock};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType,
};
use trust::{
    Algorithm, Anchor, Authority, Certificate, CertificateRequest, Crl, MemberId, Revocations, Signer, Tls, TrustStore,
    ca::{Approval, Profile},
    certificate::Scope,
    key::SigningKey,
    tls::Credential,
};

pub const DAY: i64 = 86_400;

pub fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-21T08:00:00Z").expect("an instant")
}

pub fn member(code: &str) -> MemberId {
    MemberId::new("VN", "GOV", code).expect("a member")
}

pub fn key(algorithm: Algorithm) -> Arc<SigningKey> {
    Arc::new(SigningKey::generate(algorithm).expect("a key"))
}

/// A federation with the built-in CA.
pub struct Federation {
    pub root: Authority,
    pub clock: FixedClock,
}

impl Federation {
    pub fn new() -> Self {
        let root = Authority::create("Một Cửa CA", key(Algorithm::EcdsaP256), now(), 3_650).expect("a root");
        Self {
            root,
            clock: FixedClock::at(now()),
        }
    }

    pub fn anchor(&self) -> Anchor {
        Anchor::new(self.root.certificate().clone(), Scope::Everyone).expect("a CA")
    }

    pub fn store(&self) -> TrustStore {
        TrustStore::new(vec![self.anchor()], Revocations::default())
    }

    pub fn issue(&self, signer: &dyn Signer, who: &MemberId, profile: Profile) -> Certificate {
        let request = CertificateRequest::create(signer, who, &["node.example.vn".to_owned()]).expect("a request");
        let approval = approval(&request, who, profile);
        self.root.issue(&request, &approval, now()).expect("a certificate")
    }

    pub fn credential(&self, code: &str) -> (Credential, Certificate) {
        let signer = key(Algorithm::Ed25519);
        let certificate = self.issue(signer.as_ref(), &member(code), Profile::Node);
        (
            Credential::new(std::slice::from_ref(&certificate), signer).expect("a pair"),
            certificate,
        )
    }

    pub fn node(&self, code: &str) -> Tls {
        Tls::new(self.credential(code).0, self.store(), Arc::new(self.clock.clone()))
    }
}

pub fn approval(request: &CertificateRequest, who: &MemberId, profile: Profile) -> Approval {
    Approval {
        request: request.fingerprint(),
        member: who.clone(),
        organization: "Văn phòng Chính phủ".to_owned(),
        hosts: vec!["node.example.vn".to_owned(), "127.0.0.1".to_owned()],
        profile,
        days: 90,
    }
}

/// A CA of anybody's making, which issues whatever it is told to.
pub struct Mint {
    pub key: KeyPair,
    pub params: CertificateParams,
    pub certificate: Certificate,
}

impl Mint {
    pub fn root(name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let (key, params) = (KeyPair::generate().expect("a key"), authority(name, change));
        let certificate = params.self_signed(&key).expect("a certificate");
        Self {
            certificate: Certificate::from_der(certificate.der()).expect("a certificate"),
            key,
            params,
        }
    }

    pub fn below(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let (key, params) = (KeyPair::generate().expect("a key"), authority(name, change));
        let certificate = params.signed_by(&key, &self.issuer()).expect("a certificate");
        Self {
            certificate: Certificate::from_der(certificate.der()).expect("a certificate"),
            key,
            params,
        }
    }

    pub fn leaf(&self, code: &str, change: impl FnOnce(&mut CertificateParams)) -> Certificate {
        let key = KeyPair::generate().expect("a key");
        self.leaf_of(&key, code, change)
    }

    pub fn leaf_of(
        &self,
        key: &impl rcgen::PublicKeyData,
        code: &str,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Certificate {
        let mut params = CertificateParams::new(vec!["node.example.vn".to_owned()]).expect("names");
        params.subject_alt_names.push(uri(&member(code).uri()));
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        change(&mut params);
        let certificate = params.signed_by(key, &self.issuer()).expect("a certificate");
        Certificate::from_der(certificate.der()).expect("a certificate")
    }

    pub fn list(&self, change: impl FnOnce(&mut CertificateRevocationListParams)) -> Crl {
        let mut list = CertificateRevocationListParams {
            this_update: rcgen::date_time_ymd(2026, 11, 20),
            next_update: rcgen::date_time_ymd(2026, 11, 27),
            crl_number: 1.into(),
            issuing_distribution_point: None,
            revoked_certs: vec![],
            key_identifier_method: rcgen::KeyIdMethod::Sha256,
        };
        change(&mut list);
        Crl::from_der(list.signed_by(&self.issuer()).expect("a list").der()).expect("a list")
    }

    pub fn issuer(&self) -> Issuer<'_, &KeyPair> {
        Issuer::from_params(&self.params, &self.key)
    }

    pub fn anchor(&self) -> Anchor {
        Anchor::new(self.certificate.clone(), Scope::Everyone).expect("a CA")
    }

    pub fn store(&self) -> TrustStore {
        TrustStore::new(vec![self.anchor()], Revocations::default())
    }
}

fn authority(name: &str, change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    change(&mut params);
    params
}

pub fn uri(text: &str) -> SanType {
    SanType::URI(text.try_into().expect("ASCII"))
}

/// Runs openssl in a folder, and gives what it printed.
pub fn openssl(folder: &Path, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("openssl").args(arguments).current_dir(folder).output();
    let output = output.expect("these tests need openssl: apt-get install openssl");
    assert!(
        output.status.success(),
        "openssl {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}
