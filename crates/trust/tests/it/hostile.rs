//! Random and nearly right bytes: whatever comes from outside is refused, never a panic.

use std::sync::LazyLock;

use proptest::{prelude::*, sample::Index};
use rustls::pki_types::CertificateDer;
use trust::{
    Algorithm, Certificate, CertificateRequest, Crl, Location, MemberId, PublicKey, Purpose, Signer, TrustStore,
    ca::Profile, key::SigningKey,
};

use crate::common::{DAY, Federation, key, member, now};

struct Samples {
    store: TrustStore,
    certificate: Vec<u8>,
    request: Vec<u8>,
    list: Vec<u8>,
    key: String,
    pem: String,
}

static SAMPLES: LazyLock<Samples> = LazyLock::new(|| {
    let federation = Federation::new();
    let signer = key(Algorithm::EcdsaP256);
    let certificate = federation.issue(signer.as_ref(), &member("A"), Profile::Node);
    let request = CertificateRequest::create(signer.as_ref(), &member("A"), &[]).expect("a request");
    Samples {
        store: federation.store(),
        certificate: certificate.der().to_vec(),
        request: request.der().to_vec(),
        list: federation
            .root
            .revocation_list(&[], 1, now(), DAY)
            .expect("a list")
            .der()
            .to_vec(),
        key: signer.to_pem().expect("PEM").to_string(),
        pem: certificate.to_pem(),
    }
});

/// Every reader of this crate that takes bytes from outside.
fn read_all(bytes: &[u8]) {
    let samples = &*SAMPLES;
    for purpose in [Purpose::Server, Purpose::Client, Purpose::Signature, Purpose::Timestamp] {
        let alone = CertificateDer::from(bytes);
        let _ = samples.store.judge(std::slice::from_ref(&alone), purpose, now());
        let _ = samples.store.judge(
            &[CertificateDer::from(samples.certificate.as_slice()), alone],
            purpose,
            now(),
        );
    }
    if let Ok(certificate) = Certificate::from_der(bytes) {
        let _ = (
            certificate.subject(),
            certificate.issuer(),
            certificate.member(),
            certificate.public_key(),
        );
        let _ = (
            certificate.not_before(),
            certificate.not_after(),
            certificate.is_authority(),
        );
    }
    let _ = CertificateRequest::from_der(bytes);
    let _ = Crl::from_der(bytes);
    let _ = PublicKey::from_spki(bytes);
    let _ = SigningKey::from_pkcs8(bytes);
    #[cfg(feature = "timestamp")]
    {
        let _ = trust::timestamp::Token::verify(bytes, &[0; 32], &samples.store);
        let query = trust::timestamp::Query::new([0; 32]).expect("a question");
        let _ = query.verify(bytes, &samples.store, now());
    }
    let text = String::from_utf8_lossy(bytes);
    let _ = Certificate::chain_from_pem(&text);
    let _ = CertificateRequest::from_pem(&text);
    let _ = Crl::from_pem(&text);
    let _ = SigningKey::from_pem(&text);
    let _ = text.parse::<Location>();
    let _ = format!("pkcs11:{text}").parse::<Location>();
    let _ = MemberId::from_uri(&text);
    if let Ok(member) = text.parse::<MemberId>() {
        assert_eq!(member.to_string(), text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        read_all(&bytes);
    }

    #[test]
    fn nearly_right_bytes_are_refused(
        which in 0..5_usize,
        changes in prop::collection::vec((any::<Index>(), any::<u8>()), 1..6),
        cut in any::<Index>(),
        is_cut in any::<bool>(),
    ) {
        let samples = &*SAMPLES;
        let Samples { certificate, request, list, key, pem, .. } = samples;
        let sample = [certificate, request, list, key.as_bytes(), pem.as_bytes()];
        let mut bytes = sample[which].to_vec();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        read_all(&bytes);
    }

    #[test]
    fn a_signature_is_of_one_key_over_one_message(
        message in prop::collection::vec(any::<u8>(), 0..200),
        flip in any::<Index>(),
    ) {
        for algorithm in [Algorithm::Ed25519, Algorithm::EcdsaP256] {
            let (signer, other) = (key(algorithm), key(algorithm));
            let mut signature = signer.sign(&message).expect("a signature");
            signer.public_key().verify(&message, &signature).expect("its own");
            prop_assert!(other.public_key().verify(&message, &signature).is_err());
            let at = flip.index(signature.len());
            signature[at] ^= 1;
            prop_assert!(signer.public_key().verify(&message, &signature).is_err());
        }
    }
}
