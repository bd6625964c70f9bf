//! The part of CMS (RFC 5652) that a timestamp token is made of, read with `der`: one signer, with signed attributes.
//!
//! The crates for it were looked at in November 2026: `x509-tsp` 0.1 and `cms` 0.2 stand on the old `der`, `cms` 0.3
//! is a candidate, and `tsp-ltv` brings an HTTP client and a trust store of its own.

use aws_lc_rs::digest::{self, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, SHA512, digest};
use base::Timestamp;
use der::{
    AnyRef, Decode, DecodeValue, Encode, FixedTag, Reader, SliceReader, Tag, TagNumber, Tagged,
    asn1::{ObjectIdentifier, OctetStringRef, UintRef},
};
use rustls::pki_types::alg_id::{RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512};

use super::StampError;
use crate::{
    certificate::Certificate,
    signed::{self, Unverified},
};

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

const SIGNED_DATA: ObjectIdentifier = oid("1.2.840.113549.1.7.2");
const TST_INFO: ObjectIdentifier = oid("1.2.840.113549.1.9.16.1.4");
const CONTENT_TYPE: ObjectIdentifier = oid("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = oid("1.2.840.113549.1.9.4");
const SIGNING_CERTIFICATE: ObjectIdentifier = oid("1.2.840.113549.1.9.16.2.12");
const SIGNING_CERTIFICATE_V2: ObjectIdentifier = oid("1.2.840.113549.1.9.16.2.47");
const RSA: ObjectIdentifier = oid("1.2.840.113549.1.1.1");
const ID_SHA256: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.1");
const ID_SHA384: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.2");
const ID_SHA512: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.3");

type Result<T> = std::result::Result<T, StampError>;

fn malformed(_: der::Error) -> StampError {
    StampError::Malformed("DER")
}

/// The values inside of a constructed one.
fn parts(whole: AnyRef<'_>) -> Result<Vec<AnyRef<'_>>> {
    let mut reader = SliceReader::new(whole.value()).map_err(malformed)?;
    let mut parts = Vec::new();
    while !reader.is_finished() {
        parts.push(AnyRef::decode(&mut reader).map_err(malformed)?);
    }
    Ok(parts)
}

/// The only value inside of an explicit tag.
fn inner(tagged: AnyRef<'_>) -> Result<AnyRef<'_>> {
    AnyRef::from_der(tagged.value()).map_err(malformed)
}

fn is_context(value: &AnyRef<'_>, number: u32) -> bool {
    matches!(value.tag(), Tag::ContextSpecific { number: n, .. } if n == TagNumber(number))
}

/// The values of a sequence, taken one by one.
struct Fields<'a>(std::iter::Peekable<std::vec::IntoIter<AnyRef<'a>>>);

impl<'a> Fields<'a> {
    fn of(sequence: AnyRef<'a>) -> Result<Self> {
        Ok(Self(parts(sequence)?.into_iter().peekable()))
    }

    fn next(&mut self) -> Result<AnyRef<'a>> {
        self.0.next().ok_or(StampError::Malformed("a field is missing"))
    }

    fn next_as<T: Decode<'a> + DecodeValue<'a, Error = der::Error> + FixedTag>(&mut self) -> Result<T> {
        self.next()?.decode_as().map_err(malformed)
    }

    fn next_if(&mut self, wanted: impl FnOnce(&AnyRef<'a>) -> bool) -> Option<AnyRef<'a>> {
        self.0.next_if(wanted)
    }
}

/// The token in an answer (`TimeStampResp`), if it was granted.
pub(super) fn granted(answer: &[u8]) -> Result<Vec<u8>> {
    let mut response = Fields::of(AnyRef::from_der(answer).map_err(malformed)?)?;
    let mut status = Fields::of(response.next()?)?;
    let code: u8 = status.next_as()?;
    // RFC 3161 section 2.4.2: granted, or granted with modifications.
    if code > 1 {
        let words = status
            .next_if(|field| field.tag() == Tag::Sequence)
            .map(parts)
            .transpose()?;
        let words = words
            .into_iter()
            .flatten()
            .map(|word| String::from_utf8_lossy(word.value()).into_owned());
        return Err(StampError::Refused {
            code,
            words: words.collect::<Vec<_>>().join(" "),
        });
    }
    response.next()?.to_der().map_err(malformed)
}

/// What an authority signed, with its signature.
pub(super) struct SignedContent<'a> {
    /// DER of the content: [`Stamped`].
    pub content: &'a [u8],
    /// The certificates that came along.
    pub certificates: Vec<Certificate>,
    hash: ObjectIdentifier,
    attributes: AnyRef<'a>,
    algorithm: AnyRef<'a>,
    signature: &'a [u8],
}

impl<'a> SignedContent<'a> {
    /// Reads a `ContentInfo` with `SignedData` of one signer.
    pub fn from_der(token: &'a [u8]) -> Result<Self> {
        let mut info = Fields::of(AnyRef::from_der(token).map_err(malformed)?)?;
        if info.next_as::<ObjectIdentifier>()? != SIGNED_DATA {
            return Err(StampError::Malformed("not signed data"));
        }
        let mut data = Fields::of(inner(info.next()?)?)?;
        let _version = data.next()?;
        let _digests = data.next()?;
        let mut content = Fields::of(data.next()?)?;
        if content.next_as::<ObjectIdentifier>()? != TST_INFO {
            return Err(StampError::Malformed("not a timestamp"));
        }
        let content: &OctetStringRef = inner(content.next()?)?.decode_as().map_err(malformed)?;
        let certificates = data
            .next_if(|field| is_context(field, 0))
            .map(parts)
            .transpose()?
            .unwrap_or_default();
        let certificates = certificates
            .into_iter()
            // Others than X.509 have tags of their own.
            .filter(|choice| choice.tag() == Tag::Sequence)
            .map(|choice| Ok(Certificate::from_der(&choice.to_der().map_err(malformed)?)?))
            .collect::<Result<_>>()?;
        let _lists = data.next_if(|field| is_context(field, 1));
        let signers = parts(data.next()?)?;
        let [signer] = signers.as_slice() else {
            return Err(StampError::Malformed("not exactly one signer"));
        };
        let mut signer = Fields::of(*signer)?;
        let _version = signer.next()?;
        let _named = signer.next()?;
        let hash = Fields::of(signer.next()?)?.next_as()?;
        let attributes = signer
            .next_if(|field| is_context(field, 0))
            .ok_or(StampError::Malformed("no signed attributes"))?;
        let algorithm = signer.next()?;
        let signature: &OctetStringRef = signer.next_as()?;
        Ok(Self {
            content: content.as_bytes(),
            certificates,
            hash,
            attributes,
            algorithm,
            signature: signature.as_bytes(),
        })
    }

    /// Verifies digest, attributes and signature; gives the certificate of the signer, which is yet to be judged.
    pub fn verify(&self) -> Result<Certificate> {
        let hash = hash_of(self.hash).ok_or(StampError::Weak)?;
        if self
            .attribute(CONTENT_TYPE)?
            .decode_as::<ObjectIdentifier>()
            .map_err(malformed)?
            != TST_INFO
        {
            return Err(StampError::Malformed("attribute contentType"));
        }
        let told: &OctetStringRef = self.attribute(MESSAGE_DIGEST)?.decode_as().map_err(malformed)?;
        if told.as_bytes() != digest(hash, self.content).as_ref() {
            return Err(StampError::WrongSignature);
        }
        let signer = self.signer()?;
        // RFC 5652 section 5.4: signed as a SET, not under the implicit tag.
        let signed = AnyRef::new(Tag::Set, self.attributes.value())
            .and_then(|set| set.to_der())
            .map_err(malformed)?;
        let algorithm = self.signature_algorithm()?;
        signed::verify(&signed, algorithm, self.signature, signer.spki()).map_err(|why| match why {
            Unverified::Malformed => StampError::Malformed("key"),
            Unverified::Algorithm => StampError::Weak,
            Unverified::Wrong => StampError::WrongSignature,
        })?;
        Ok(signer)
    }

    /// The certificate that the signed attributes name by its hash (RFC 5816 section 2.2.1): one certificate of several
    /// with the same key or name cannot be put in place of another.
    fn signer(&self) -> Result<Certificate> {
        let (attribute, by_sha1) = match self.attribute(SIGNING_CERTIFICATE_V2) {
            Ok(attribute) => (attribute, false),
            Err(_) => (self.attribute(SIGNING_CERTIFICATE)?, true),
        };
        // SigningCertificate(V2) { certs { ESSCertID(v2) { hashAlgorithm?, certHash, … }, … }, … }
        let first = Fields::of(Fields::of(attribute)?.next()?)?.next()?;
        let mut id = Fields::of(first)?;
        let hash = match id.next_if(|field| field.tag() == Tag::Sequence) {
            Some(algorithm) => hash_of(Fields::of(algorithm)?.next_as()?).ok_or(StampError::Weak)?,
            None if by_sha1 => &SHA1_FOR_LEGACY_USE_ONLY,
            None => &SHA256,
        };
        let told: &OctetStringRef = id.next_as()?;
        let named = self
            .certificates
            .iter()
            .find(|c| digest(hash, c.der()).as_ref() == told.as_bytes());
        named
            .cloned()
            .ok_or(StampError::Malformed("the certificate of the authority is missing"))
    }

    /// The only value of a signed attribute that stands once.
    fn attribute(&self, kind: ObjectIdentifier) -> Result<AnyRef<'a>> {
        let mut found = None;
        for attribute in parts(self.attributes)? {
            let mut attribute = Fields::of(attribute)?;
            if attribute.next_as::<ObjectIdentifier>()? == kind {
                let values = parts(attribute.next()?)?;
                match (values.as_slice(), found) {
                    ([value], None) => found = Some(*value),
                    _ => return Err(StampError::Malformed("a signed attribute stands twice")),
                }
            }
        }
        found.ok_or(StampError::Malformed("a signed attribute is missing"))
    }

    /// The content of the algorithm's identifier. CMS lets RSA stand alone beside its hash (RFC 5754 section 3.2).
    fn signature_algorithm(&self) -> Result<&[u8]> {
        if Fields::of(self.algorithm)?.next_as::<ObjectIdentifier>()? != RSA {
            return Ok(self.algorithm.value());
        }
        match self.hash {
            ID_SHA256 => Ok(RSA_PKCS1_SHA256.as_ref()),
            ID_SHA384 => Ok(RSA_PKCS1_SHA384.as_ref()),
            ID_SHA512 => Ok(RSA_PKCS1_SHA512.as_ref()),
            _ => Err(StampError::Weak),
        }
    }
}

fn hash_of(oid: ObjectIdentifier) -> Option<&'static digest::Algorithm> {
    match oid {
        ID_SHA256 => Some(&SHA256),
        ID_SHA384 => Some(&SHA384),
        ID_SHA512 => Some(&SHA512),
        _ => None,
    }
}

/// What a token says: `TSTInfo` (RFC 3161 section 2.4.2).
pub(super) struct Stamped<'a> {
    pub policy: ObjectIdentifier,
    pub hash: ObjectIdentifier,
    pub digest: &'a [u8],
    pub serial: &'a [u8],
    pub time: Timestamp,
    pub nonce: Option<&'a [u8]>,
}

impl<'a> Stamped<'a> {
    pub fn from_der(content: &'a [u8]) -> Result<Self> {
        let mut info = Fields::of(AnyRef::from_der(content).map_err(malformed)?)?;
        if info.next_as::<u8>()? != 1 {
            return Err(StampError::Malformed("another version of timestamps"));
        }
        let policy = info.next_as()?;
        let mut imprint = Fields::of(info.next()?)?;
        let hash = Fields::of(imprint.next()?)?.next_as()?;
        let digest: &OctetStringRef = imprint.next_as()?;
        let serial: UintRef<'_> = info.next_as()?;
        let time = generalized_time(info.next()?)?;
        let _accuracy = info.next_if(|field| field.tag() == Tag::Sequence);
        let _ordering = info.next_if(|field| field.tag() == Tag::Boolean);
        let nonce = info.next_if(|field| field.tag() == Tag::Integer);
        let nonce = nonce
            .map(|nonce| nonce.decode_as::<UintRef<'_>>().map_err(malformed))
            .transpose()?;
        Ok(Self {
            policy,
            hash,
            digest: digest.as_bytes(),
            serial: serial.as_bytes(),
            time,
            nonce: nonce.map(|nonce| nonce.as_bytes()),
        })
    }
}

/// `YYYYMMDDhhmmss[.f…]Z`. Fractions, which DER elsewhere forbids, are allowed here (RFC 3161 section 2.4.2).
fn generalized_time(value: AnyRef<'_>) -> Result<Timestamp> {
    let wrong = StampError::Malformed("time");
    let text = std::str::from_utf8(value.value())
        .ok()
        .filter(|_| value.tag() == Tag::GeneralizedTime);
    let Some((text, ())) = text.and_then(|text| Some((text.strip_suffix('Z')?, ()))) else {
        return Err(wrong);
    };
    let (digits, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if digits.len() != 14 || fraction.len() > 9 || !all_digits(digits) || !all_digits(fraction) {
        return Err(wrong);
    }
    let (date, clock) = digits.split_at(8);
    let text = format!(
        "{}-{}-{}T{}:{}:{}.{fraction}Z",
        &date[..4],
        &date[4..6],
        &date[6..],
        &clock[..2],
        &clock[2..4],
        &clock[4..]
    );
    Timestamp::parse_rfc3339(&text).ok_or(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_may_have_fractions_of_a_second() {
        let read = |text: &str| generalized_time(AnyRef::new(Tag::GeneralizedTime, text.as_bytes()).expect("short"));
        assert_eq!(
            read("20261121080910Z").map(|t| t.rfc3339()),
            Ok("2026-11-21T15:09:10+07:00".to_owned())
        );
        assert_eq!(read("20261121080910.25Z").map(|t| t.micros() % 1_000_000), Ok(250_000));
        for wrong in [
            "",
            "Z",
            "20261121080910",
            "20261121080910.Z",
            "20261321080910Z",
            "2026112108091é",
            "+0261121080910Z",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
