//! Whether to believe a certificate, by what the directory says at this moment.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
};

use base::Timestamp;
use rustls::pki_types::{CertificateDer, TrustAnchor};
use webpki::{EndEntityCert, Error, VerifiedPath, anchor_from_trusted_cert};

use super::{Certificate, MemberId, Purpose, Refusal, Refusals};
use crate::{
    instant,
    key::KeyId,
    revocation::{Freshness, Revocations, Status},
    signed,
};

/// Most certificates of issuers that a peer may send along.
const LONGEST_CHAIN: usize = 8;

/// For which members a CA may vouch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// For all of the federation.
    Everyone,
    /// For these.
    Members(BTreeSet<MemberId>),
}

/// A CA that the directory pins.
#[derive(Debug, Clone)]
pub struct Anchor {
    certificate: Certificate,
    trust: TrustAnchor<'static>,
    scope: Scope,
}

impl Anchor {
    /// Pins the certificate of a CA.
    ///
    /// # Errors
    /// [`Refusal::NotAnAuthority`] when it is no CA, [`Refusal::WeakKey`], [`Refusal::Malformed`].
    pub fn new(certificate: Certificate, scope: Scope) -> Result<Self, Refusal> {
        if !certificate.is_authority() {
            return Err(Refusal::NotAnAuthority);
        }
        if let Some(weakness) = signed::weakness(certificate.spki()) {
            return Err(Refusal::WeakKey(weakness));
        }
        let trust = anchor_from_trusted_cert(certificate.der())
            .map_err(|_| Refusal::Malformed("CA certificate"))?
            .to_owned();
        Ok(Self {
            certificate,
            trust,
            scope,
        })
    }

    /// The certificate of the CA.
    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }
}

/// Whom to believe, as the directory says at one moment. It is replaced whole when the directory changes, never mended.
#[derive(Debug, Clone, Default)]
pub struct TrustStore {
    anchors: Vec<Anchor>,
    trust: Vec<TrustAnchor<'static>>,
    revocations: Revocations,
    keys: HashMap<KeyId, MemberId>,
    registered: BTreeSet<MemberId>,
}

/// Who stands behind a certificate that was believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerIdentity {
    /// The member.
    pub member: MemberId,
    /// The name of its key.
    pub key: KeyId,
    /// Serial number of the certificate, in hex.
    pub serial: String,
    /// SHA-256 of the certificate, in hex.
    pub fingerprint: String,
    /// Until when the certificate is valid.
    pub not_after: Timestamp,
    /// How recent the revocation lists are that it was looked up in.
    pub revocation: Freshness,
}

impl PeerIdentity {
    /// Whether this is the member that was meant.
    ///
    /// # Errors
    /// [`Refusal::WrongMember`].
    pub fn must_be(&self, expected: &MemberId) -> Result<(), Refusal> {
        if self.member == *expected {
            Ok(())
        } else {
            Err(Refusal::WrongMember {
                expected: expected.clone(),
                found: self.member.clone(),
            })
        }
    }
}

/// A certificate whose path stands.
pub(crate) struct Judged<'a> {
    pub leaf: Certificate,
    pub anchor: &'a Anchor,
    pub revocation: Freshness,
}

/// A path that leads from a certificate to a pinned CA: the issuers from the lowest to the CA itself.
struct Path<'a> {
    anchor: &'a Anchor,
    between: Vec<Certificate>,
}

impl TrustStore {
    /// Pins these CAs. With none, nobody is believed.
    pub fn new(anchors: Vec<Anchor>, revocations: Revocations) -> Self {
        Self {
            trust: anchors.iter().map(|anchor| anchor.trust.clone()).collect(),
            anchors,
            revocations,
            keys: HashMap::new(),
            registered: BTreeSet::new(),
        }
    }

    /// Registers the keys of a member. From then on no other key is believed to be of this member, and a certificate
    /// with one of these keys need not name it (ACME issues such).
    #[must_use]
    pub fn with_keys(mut self, member: &MemberId, keys: impl IntoIterator<Item = KeyId>) -> Self {
        self.registered.insert(member.clone());
        self.keys.extend(keys.into_iter().map(|key| (key, member.clone())));
        self
    }

    /// The pinned CAs.
    pub fn anchors(&self) -> &[Anchor] {
        &self.anchors
    }

    /// The revocation lists.
    pub const fn revocations(&self) -> &Revocations {
        &self.revocations
    }

    /// Judges a chain as a peer shows it: its own certificate first, then those of its issuers in any order.
    ///
    /// # Errors
    /// [`Refusals`]: all that is wrong with the certificate itself, and the first thing that is wrong with its path.
    pub fn judge(
        &self,
        chain: &[CertificateDer<'_>],
        purpose: Purpose,
        at: Timestamp,
    ) -> Result<PeerIdentity, Refusals> {
        let Judged {
            leaf,
            anchor,
            revocation,
        } = self.judge_path(chain, purpose, at)?;
        Ok(PeerIdentity {
            member: self.member(&leaf, anchor)?,
            key: leaf.key_id(),
            serial: leaf.serial(),
            fingerprint: leaf.fingerprint(),
            not_after: leaf.not_after(),
            revocation,
        })
    }

    /// Judges everything but whose the certificate is.
    pub(crate) fn judge_path(
        &self,
        chain: &[CertificateDer<'_>],
        purpose: Purpose,
        at: Timestamp,
    ) -> Result<Judged<'_>, Refusals> {
        let (first, others) = chain.split_first().ok_or(Refusal::Missing)?;
        if others.len() > LONGEST_CHAIN {
            return Err(Refusal::PathTooLong.into());
        }
        let leaf = Certificate::from_der(first)?;
        let path = self.path(first, others, purpose, at).and_then(|path| {
            path.check(at)?;
            let revocation = self.check_revocation(&leaf, &path, at)?;
            Ok((path.anchor, revocation))
        });
        let mut found = own_faults(&leaf, purpose, at);
        found.extend(path.as_ref().err().filter(|fault| !found.contains(fault)).cloned());
        Refusals::gather(found)?;
        let (anchor, revocation) = path?;
        Ok(Judged {
            leaf,
            anchor,
            revocation,
        })
    }

    fn path(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        purpose: Purpose,
        at: Timestamp,
    ) -> Result<Path<'_>, Refusal> {
        let end = EndEntityCert::try_from(leaf).map_err(|error| of_webpki(error, leaf))?;
        let path = end
            .verify_for_usage(
                signed::ALGORITHMS,
                &self.trust,
                others,
                instant::to_unix(at),
                purpose,
                None,
                None,
            )
            .map_err(|error| match error {
                Error::RequiredEkuNotFoundContext(_) | Error::CaUsedAsEndEntity => Refusal::WrongUsage(purpose),
                other => of_webpki(other, leaf),
            })?;
        self.own(&path).ok_or_else(|| Refusal::UnknownIssuer(String::new()))
    }

    /// The path in types of our own.
    fn own(&self, path: &VerifiedPath<'_>) -> Option<Path<'_>> {
        let trusted = path.anchor();
        let anchor = self.anchors.iter().find(|anchor| {
            anchor.trust.subject == trusted.subject
                && anchor.trust.subject_public_key_info == trusted.subject_public_key_info
        })?;
        let between = path
            .intermediate_certificates()
            .map(|issuer| Certificate::from_der(&issuer.der()))
            .collect::<Result<_, _>>()
            .ok()?;
        Some(Path { anchor, between })
    }

    /// Looks up the certificate and all between it and the CA. A list that is stale, or none at all, is told, not
    /// refused.
    fn check_revocation(&self, leaf: &Certificate, path: &Path<'_>, at: Timestamp) -> Result<Freshness, Refusal> {
        let mut freshness = Freshness::Fresh;
        let mut subject = leaf;
        for issuer in path.between.iter().chain([path.anchor.certificate()]) {
            match self.revocations.status(issuer.key_id(), subject.serial_bytes(), at) {
                Status::Revoked { since, reason } => return Err(Refusal::Revoked { since, reason }),
                Status::Good(how) => freshness = freshness.worst(how),
            }
            subject = issuer;
        }
        Ok(freshness)
    }

    /// Whose the certificate is: by its names, or by the directory's register of keys; both must agree where both
    /// speak.
    fn member(&self, leaf: &Certificate, anchor: &Anchor) -> Result<MemberId, Refusal> {
        let named = leaf.member()?;
        let listed = self.keys.get(&leaf.key_id());
        let member = match (named, listed) {
            (Some(named), Some(listed)) if named == *listed => named,
            (Some(named), Some(_)) => return Err(Refusal::Swapped(named)),
            (Some(named), None) if self.registered.contains(&named) => return Err(Refusal::Swapped(named)),
            (Some(named), None) => named,
            (None, Some(listed)) => listed.clone(),
            (None, None) => return Err(Refusal::WithoutMember),
        };
        match &anchor.scope {
            Scope::Members(members) if !members.contains(&member) => Err(Refusal::NotOfIssuer(member)),
            _ => Ok(member),
        }
    }
}

impl Path<'_> {
    /// What webpki leaves to its callers: the validity and path length of the CA itself, weak keys, and whether the
    /// issuers between may issue by their key usage.
    fn check(&self, at: Timestamp) -> Result<(), Refusal> {
        let root = self.anchor.certificate();
        if at < root.not_before() || at > root.not_after() {
            return Err(Refusal::IssuerNotValid(root.subject()));
        }
        if root
            .path_length()
            .is_some_and(|most| self.between.len() > usize::from(most))
        {
            return Err(Refusal::PathTooLong);
        }
        for issuer in &self.between {
            if !issuer.is_authority() {
                return Err(Refusal::NotAnAuthority);
            }
            if let Some(weakness) = signed::weakness(issuer.spki()) {
                return Err(Refusal::WeakKey(weakness));
            }
        }
        Ok(())
    }
}

/// What is wrong with the certificate whoever issued it.
fn own_faults(leaf: &Certificate, purpose: Purpose, at: Timestamp) -> Vec<Refusal> {
    let mut found = Vec::new();
    if at > leaf.not_after() {
        found.push(Refusal::Expired(leaf.not_after()));
    }
    if at < leaf.not_before() {
        found.push(Refusal::NotYetValid(leaf.not_before()));
    }
    if !purpose.suits(leaf) || leaf.is_authority() {
        found.push(Refusal::WrongUsage(purpose));
    }
    if let Some(weakness) = signed::weakness(leaf.spki()) {
        found.push(Refusal::WeakKey(weakness));
    }
    found
}

fn of_webpki(error: Error, leaf: &CertificateDer<'_>) -> Refusal {
    let leaf = || Certificate::from_der(leaf);
    let issuer = || {
        leaf()
            .map_or(Cow::Borrowed("?"), |leaf| leaf.issuer().into())
            .into_owned()
    };
    match error {
        // Of the leaf when the date is its own; else of one above it.
        Error::CertExpired { not_after, .. } => {
            let at = instant::from_unix(not_after);
            match leaf() {
                Ok(leaf) if leaf.not_after() == at => Refusal::Expired(at),
                _ => Refusal::IssuerNotValid(issuer()),
            }
        }
        Error::CertNotValidYet { not_before, .. } => {
            let at = instant::from_unix(not_before);
            match leaf() {
                Ok(leaf) if leaf.not_before() == at => Refusal::NotYetValid(at),
                _ => Refusal::IssuerNotValid(issuer()),
            }
        }
        Error::UnknownIssuer => Refusal::UnknownIssuer(issuer()),
        Error::EndEntityUsedAsCa => Refusal::NotAnAuthority,
        Error::PathLenConstraintViolated
        | Error::MaximumPathDepthExceeded
        | Error::MaximumPathBuildCallsExceeded
        | Error::MaximumSignatureChecksExceeded
        | Error::MaximumNameConstraintComparisonsExceeded => Refusal::PathTooLong,
        Error::NameConstraintViolation | Error::MalformedNameConstraint => Refusal::NameNotPermitted,
        Error::InvalidSignatureForPublicKey => Refusal::WrongSignature,
        Error::UnsupportedSignatureAlgorithmContext(_) | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
            Refusal::WeakSignature
        }
        Error::UnsupportedCriticalExtension => Refusal::Unsupported,
        _ => Refusal::Malformed("certificate"),
    }
}
