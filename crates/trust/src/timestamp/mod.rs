//! Timestamps of an authority (RFC 3161, with RFC 5816): somebody whom the law trusts says that a digest was there at a
//! time. Wanted on checkpoints of the log, one for a whole interval.
//!
//! A token proves itself for ever: it is verified at the time that it tells, so it outlives the certificate of the
//! authority.

mod cms;
mod error;

use std::time::Duration;

use base::Timestamp;
use bytes::BytesMut;
use cms::{SignedContent, Stamped};
use der::{
    Encode, Sequence,
    asn1::{Null, ObjectIdentifier, OctetStringRef, UintRef},
};
pub use error::StampError;
use reqwest::{StatusCode, header::CONTENT_TYPE};

use crate::{
    certificate::{Purpose, TrustStore},
    revocation::Freshness,
};

/// SHA-256 (RFC 5754 section 2.2).
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");

/// Longest answer of an authority, in bytes; real ones have some thousand.
const LONGEST: usize = 64 * 1024;

/// How far the clock of the authority may be from ours, in microseconds.
const SKEW: u64 = 300_000_000;

/// How long an authority may take for an answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// A timestamp that was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The token in DER (`ContentInfo`), to keep beside what it stamps.
    pub der: Vec<u8>,
    /// The time that it tells.
    pub time: Timestamp,
    /// The number of the token at its authority, in hex.
    pub serial: String,
    /// The policy that it was issued under: an OID.
    pub policy: String,
    /// Whose it is: the subject of the authority's certificate.
    pub authority: String,
    /// How recent the revocation list is that the authority was looked up in.
    pub revocation: Freshness,
}

impl Token {
    /// Verifies a token over a SHA-256 digest. `trust` pins the CAs of timestamping authorities.
    ///
    /// # Errors
    /// [`StampError`]: of another digest, not signed so, by a certificate that is no timestamping authority's.
    pub fn verify(der: &[u8], digest: &[u8; 32], trust: &TrustStore) -> Result<Self, StampError> {
        Self::open(der, digest, trust).map(|(token, _)| token)
    }

    /// The token, with what it says.
    fn open<'a>(der: &'a [u8], digest: &[u8; 32], trust: &TrustStore) -> Result<(Self, Stamped<'a>), StampError> {
        let signed = SignedContent::from_der(der)?;
        let stamped = Stamped::from_der(signed.content)?;
        let signer = signed.verify()?;
        let others = signed.certificates.iter().filter(|certificate| **certificate != signer);
        let chain: Vec<_> = std::iter::once(&signer)
            .chain(others)
            .map(|c| c.der().clone())
            .collect();
        let judged = trust.judge_path(&chain, Purpose::Timestamp, stamped.time)?;
        if stamped.hash != SHA256 || stamped.digest != digest {
            return Err(StampError::OtherDigest);
        }
        let token = Self {
            der: der.to_vec(),
            time: stamped.time,
            serial: hex::encode(stamped.serial),
            policy: stamped.policy.to_string(),
            authority: signer.subject(),
            revocation: judged.revocation,
        };
        Ok((token, stamped))
    }
}

/// A question to an authority, in DER (RFC 3161 section 2.4.1), with the random number that its answer must repeat.
#[derive(Debug, Clone)]
pub struct Query {
    digest: [u8; 32],
    nonce: Vec<u8>,
    der: Vec<u8>,
}

impl Query {
    /// Asks for a timestamp on a SHA-256 digest, and for the authority's certificate in the answer.
    ///
    /// # Errors
    /// [`StampError::Library`] when the system has no randomness.
    pub fn new(digest: [u8; 32]) -> Result<Self, StampError> {
        let mut nonce = [0; 16];
        aws_lc_rs::rand::fill(&mut nonce).map_err(|_| StampError::Library)?;
        let nonce = UintRef::new(&nonce).map_err(|_| StampError::Library)?;
        let request = TimeStampReq {
            version: 1,
            message_imprint: MessageImprint {
                hash_algorithm: HashAlgorithm {
                    oid: SHA256,
                    parameters: Null,
                },
                hashed_message: OctetStringRef::new(&digest).map_err(|_| StampError::Library)?,
            },
            nonce,
            cert_req: true,
        };
        let der = request.to_der().map_err(|_| StampError::Library)?;
        Ok(Self {
            digest,
            nonce: nonce.as_bytes().to_vec(),
            der,
        })
    }

    /// The question in DER: the body of a POST with `application/timestamp-query`.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Verifies the answer (`TimeStampResp`): granted, to this very question, and at a time near `now`.
    ///
    /// # Errors
    /// [`StampError`].
    pub fn verify(&self, answer: &[u8], trust: &TrustStore, now: Timestamp) -> Result<Token, StampError> {
        let der = cms::granted(answer)?;
        let (token, stamped) = Token::open(&der, &self.digest, trust)?;
        if stamped.nonce != Some(self.nonce.as_slice()) {
            return Err(StampError::OtherQuestion);
        }
        if token.time.micros().abs_diff(now.micros()) > SKEW {
            return Err(StampError::Clock(token.time));
        }
        Ok(token)
    }
}

/// Asks an authority over HTTP (RFC 3161 section 3.4).
#[derive(Debug, Clone)]
pub struct Client {
    url: String,
    http: reqwest::Client,
}

impl Client {
    /// The authority at `url`, asked through `http`, which may have a proxy.
    pub fn new(url: &str, http: reqwest::Client) -> Self {
        Self {
            url: url.to_owned(),
            http,
        }
    }

    /// Has a SHA-256 digest stamped, now.
    ///
    /// # Errors
    /// [`StampError::Unreachable`] when the authority does not answer, else as [`Query::verify`].
    pub async fn stamp(&self, digest: [u8; 32], trust: &TrustStore, now: Timestamp) -> Result<Token, StampError> {
        let query = Query::new(digest)?;
        let answer = self.ask(query.der().to_vec()).await?;
        query.verify(&answer, trust, now)
    }

    async fn ask(&self, query: Vec<u8>) -> Result<BytesMut, StampError> {
        let unreachable = |reason: String| StampError::Unreachable {
            url: self.url.clone(),
            reason,
        };
        let failed = |error: reqwest::Error| unreachable(error.without_url().to_string());
        let request = self
            .http
            .post(&self.url)
            .timeout(PATIENCE)
            .header(CONTENT_TYPE, "application/timestamp-query");
        let mut response = request.body(query).send().await.map_err(failed)?;
        if response.status() != StatusCode::OK {
            return Err(unreachable(response.status().to_string()));
        }
        let mut answer = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if answer.len() + chunk.len() > LONGEST {
                return Err(StampError::Malformed("longer than any timestamp"));
            }
            answer.extend_from_slice(&chunk);
        }
        Ok(answer)
    }
}

#[derive(Sequence)]
struct TimeStampReq<'a> {
    version: u8,
    message_imprint: MessageImprint<'a>,
    nonce: UintRef<'a>,
    cert_req: bool,
}

#[derive(Sequence)]
struct MessageImprint<'a> {
    hash_algorithm: HashAlgorithm,
    hashed_message: &'a OctetStringRef,
}

#[derive(Sequence)]
struct HashAlgorithm {
    oid: ObjectIdentifier,
    parameters: Null,
}
