//! The form that certificates, requests and revocation lists share: `SEQUENCE { what is signed, how, signature }`
//! (RFC 5280 section 4.1.1), and verifying it under a public key of any algorithm that certificates use.

use der::{
    AnyRef, Decode, Encode, Sequence,
    asn1::{BitStringRef, ObjectIdentifier},
};
use rustls::pki_types::{SignatureVerificationAlgorithm, SubjectPublicKeyInfoDer};
use webpki::{Error, RawPublicKeyEntity, aws_lc_rs};

/// How certificates, lists and timestamps may be signed. Named one by one: webpki's own list takes in whatever other
/// library is linked into the binary.
pub(crate) static ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    aws_lc_rs::ED25519,
    aws_lc_rs::ECDSA_P256_SHA256,
    aws_lc_rs::ECDSA_P256_SHA384,
    aws_lc_rs::ECDSA_P256_SHA512,
    aws_lc_rs::ECDSA_P384_SHA256,
    aws_lc_rs::ECDSA_P384_SHA384,
    aws_lc_rs::ECDSA_P384_SHA512,
    aws_lc_rs::ECDSA_P521_SHA256,
    aws_lc_rs::ECDSA_P521_SHA384,
    aws_lc_rs::ECDSA_P521_SHA512,
    aws_lc_rs::RSA_PKCS1_2048_8192_SHA256,
    aws_lc_rs::RSA_PKCS1_2048_8192_SHA384,
    aws_lc_rs::RSA_PKCS1_2048_8192_SHA512,
    aws_lc_rs::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
    aws_lc_rs::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
    aws_lc_rs::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
];

/// RSA shorter than this is refused (NIST SP 800-131A).
const RSA_BITS: usize = 2048;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// Why a signature does not stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unverified {
    /// Not DER of this form.
    Malformed,
    /// Made by an algorithm that is weak (SHA-1, short RSA) or not known.
    Algorithm,
    /// Not of this key over these bytes.
    Wrong,
}

#[derive(Sequence)]
struct Signed<'a> {
    content: AnyRef<'a>,
    algorithm: AnyRef<'a>,
    signature: BitStringRef<'a>,
}

/// Verifies a signed structure under a `SubjectPublicKeyInfo`.
pub(crate) fn verify_structure(signed: &[u8], spki: &[u8]) -> Result<(), Unverified> {
    let signed = Signed::from_der(signed).map_err(|_| Unverified::Malformed)?;
    // The reader takes DER only, so writing gives the very bytes that were signed.
    let content = signed.content.to_der().map_err(|_| Unverified::Malformed)?;
    let signature = signed.signature.as_bytes().ok_or(Unverified::Malformed)?;
    verify(&content, signed.algorithm.value(), signature, spki)
}

/// Verifies a signature. `algorithm` is the content of an `AlgorithmIdentifier`, without its tag and length.
pub(crate) fn verify(message: &[u8], algorithm: &[u8], signature: &[u8], spki: &[u8]) -> Result<(), Unverified> {
    let spki = SubjectPublicKeyInfoDer::from(spki);
    let key = RawPublicKeyEntity::try_from(&spki).map_err(|_| Unverified::Malformed)?;
    let mut outcome = Err(Unverified::Algorithm);
    for known in ALGORITHMS
        .iter()
        .filter(|known| known.signature_alg_id().as_ref() == algorithm)
    {
        match key.verify_signature(*known, message, signature) {
            Ok(()) => return Ok(()),
            Err(Error::InvalidSignatureForPublicKey) => outcome = Err(Unverified::Wrong),
            // An algorithm of this name for another curve.
            Err(_) => {}
        }
    }
    outcome
}

/// Says what is weak about a public key; nothing when it is strong enough.
pub(crate) fn weakness(spki: &[u8]) -> Option<String> {
    #[derive(Sequence)]
    struct Algorithm<'a> {
        oid: ObjectIdentifier,
        parameters: Option<AnyRef<'a>>,
    }

    #[derive(Sequence)]
    struct Spki<'a> {
        algorithm: Algorithm<'a>,
        key: BitStringRef<'a>,
    }

    #[derive(Sequence)]
    struct RsaPublicKey<'a> {
        modulus: der::asn1::UintRef<'a>,
        exponent: der::asn1::UintRef<'a>,
    }

    let Ok(spki) = Spki::from_der(spki) else {
        return Some("unreadable".to_owned());
    };
    match spki.algorithm.oid {
        ED25519 => None,
        EC => {
            let curve = spki
                .algorithm
                .parameters
                .and_then(|p| p.decode_as::<ObjectIdentifier>().ok());
            match curve {
                Some(P256 | P384 | P521) => None,
                Some(other) => Some(format!("EC {other}")),
                None => Some("EC with its own parameters".to_owned()),
            }
        }
        RSA => {
            let key = spki.key.as_bytes().and_then(|bytes| RsaPublicKey::from_der(bytes).ok());
            let Some(key) = key else {
                return Some("RSA unreadable".to_owned());
            };
            let modulus = key.modulus.as_bytes();
            let zeros = modulus.first().map_or(0, |b| b.leading_zeros() as usize);
            let bits = modulus.len() * 8 - zeros;
            let small_exponent = matches!(key.exponent.as_bytes(), [] | [0..=2]);
            (bits < RSA_BITS || small_exponent).then(|| format!("RSA {bits} bit"))
        }
        other => Some(other.to_string()),
    }
}
