//! What a node shows of itself: its certificate chain, and the key that proves it.

use std::{fmt, sync::Arc};

use rustls::{
    SignatureAlgorithm, SignatureScheme,
    client::ResolvesClientCert,
    pki_types::SubjectPublicKeyInfoDer,
    server::{ClientHello, ResolvesServerCert},
    sign::{CertifiedKey, Signer as TlsSigner, SigningKey},
};

use super::Tls;
use crate::{
    certificate::{Certificate, Refusal},
    key::{Algorithm, Signer},
};

/// A certificate chain with its private key, which may be in an HSM.
#[derive(Debug, Clone)]
pub struct Credential {
    certified: Arc<CertifiedKey>,
}

impl Credential {
    /// The node's own certificate first, then its issuers' up to, but without, the root.
    ///
    /// # Errors
    /// [`Refusal::Missing`] for an empty chain, [`Refusal::WrongKey`] when the certificate is not of this key.
    pub fn new(chain: &[Certificate], signer: Arc<dyn Signer>) -> Result<Self, Refusal> {
        let own = chain.first().ok_or(Refusal::Missing)?;
        if own.spki() != signer.public_key().spki() {
            return Err(Refusal::WrongKey);
        }
        let chain = chain.iter().map(|certificate| certificate.der().clone()).collect();
        Ok(Self {
            certified: Arc::new(CertifiedKey::new(chain, Arc::new(TlsKey(signer)))),
        })
    }

    pub(super) fn certified(self) -> Arc<CertifiedKey> {
        self.certified
    }
}

/// Any [`Signer`] as rustls wants it. A key in an HSM blocks the handshake for the time that the device takes.
#[derive(Clone)]
struct TlsKey(Arc<dyn Signer>);

impl TlsKey {
    /// RFC 8446 section 4.2.3.
    fn only_scheme(&self) -> SignatureScheme {
        match self.0.algorithm() {
            Algorithm::Ed25519 => SignatureScheme::ED25519,
            Algorithm::EcdsaP256 => SignatureScheme::ECDSA_NISTP256_SHA256,
        }
    }
}

impl SigningKey for TlsKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn TlsSigner>> {
        offered
            .contains(&self.only_scheme())
            .then(|| Box::new(self.clone()) as Box<dyn TlsSigner>)
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        Some(SubjectPublicKeyInfoDer::from(self.0.public_key().spki()))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        match self.0.algorithm() {
            Algorithm::Ed25519 => SignatureAlgorithm::ED25519,
            Algorithm::EcdsaP256 => SignatureAlgorithm::ECDSA,
        }
    }
}

impl TlsSigner for TlsKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        self.0
            .sign(message)
            .map_err(|error| rustls::Error::Other(rustls::OtherError(Arc::new(error))))
    }

    fn scheme(&self) -> SignatureScheme {
        self.only_scheme()
    }
}

impl fmt::Debug for TlsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl ResolvesServerCert for Tls {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.state.own.load_full())
    }
}

impl ResolvesClientCert for Tls {
    fn resolve(&self, _hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.state.own.load_full())
    }

    fn has_certs(&self) -> bool {
        true
    }
}
