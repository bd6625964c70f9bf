//! Revocation lists (CRL, RFC 5280 section 5). The directory distributes them; a node merges what it gets and looks
//! certificates up by the key that issued them.
//!
//! A list is verified once, when it is merged, not at each handshake as webpki would; the reading is webpki's. Being
//! out of date is soft: a stale list still counts, and the answer says that it is stale.

use std::{collections::HashMap, fmt, sync::Arc};

use base::{Kind, Text, Timestamp};
use der::{Decode, asn1::UintRef, oid::db::rfc5280::ID_CE_CRL_NUMBER};
use rustls::pki_types::{CertificateRevocationListDer, pem::PemObject};
use serde::{Deserialize, Serialize};
use webpki::{BorrowedCertRevocationList, RevocationReason};
use x509_cert::crl::CertificateList;

use crate::{
    certificate::Certificate,
    explained::{Explained, refuses},
    instant,
    key::KeyId,
    signed::{self, Unverified},
};

/// How far a clock of a CA may be ahead of ours, in seconds.
const SKEW: i64 = 300;

/// How recent the list is that a certificate was looked up in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Freshness {
    /// The next list is not due yet.
    Fresh,
    /// The next list was due, and has not come.
    Stale {
        /// When it was due.
        since: Timestamp,
    },
    /// The CA has sent no list; its certificates should be short-lived.
    Unknown,
}

impl Freshness {
    /// The worse of two: no list, then the one that is stale for longer.
    #[must_use]
    pub fn worst(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Stale { since: a }, Self::Stale { since: b }) => Self::Stale { since: a.min(b) },
            (Self::Stale { .. }, Self::Fresh) => self,
            (Self::Fresh, other) => other,
        }
    }
}

/// What a list says about one certificate.
pub(crate) enum Status {
    Good(Freshness),
    Revoked { since: Timestamp, reason: &'static str },
}

/// A revocation list that was read; its signature is verified by [`Revocations::merge`].
#[derive(Clone)]
pub struct Crl {
    der: Vec<u8>,
    issuer: x509_cert::name::Name,
    number: Vec<u8>,
    this_update: Timestamp,
    next_update: Timestamp,
    revoked: HashMap<Vec<u8>, Revoked>,
}

#[derive(Debug, Clone, Copy)]
struct Revoked {
    since: Timestamp,
    reason: &'static str,
}

impl Crl {
    /// Reads a list in DER.
    ///
    /// # Errors
    /// [`CrlError::Malformed`]; [`CrlError::Unsupported`] for delta, indirect and partitioned lists: what is listed
    /// elsewhere would be missed.
    pub fn from_der(der: &[u8]) -> Result<Self, CrlError> {
        let read = BorrowedCertRevocationList::from_der(der).map_err(|error| match error {
            webpki::Error::UnsupportedDeltaCrl
            | webpki::Error::UnsupportedIndirectCrl
            | webpki::Error::UnsupportedCriticalExtension
            | webpki::Error::UnsupportedCrlIssuingDistributionPoint
            | webpki::Error::UnsupportedRevocationReasonsPartitioning => CrlError::Unsupported,
            _ => CrlError::Malformed,
        })?;
        let revoked = (&read)
            .into_iter()
            .map(|entry| {
                let entry = entry.map_err(|_| CrlError::Malformed)?;
                let revoked = instant::from_unix(entry.revocation_date);
                let invalid = entry.invalidity_date.map_or(revoked, instant::from_unix);
                let about = Revoked {
                    since: invalid.min(revoked),
                    reason: reason(entry.reason_code),
                };
                Ok((entry.serial_number.to_vec(), about))
            })
            .collect::<Result<_, CrlError>>()?;
        let is_partial = webpki::CertRevocationList::from(read)
            .issuing_distribution_point()
            .is_some();
        if is_partial {
            return Err(CrlError::Unsupported);
        }
        let list = CertificateList::<x509_cert::certificate::Rfc5280>::from_der(der)
            .map_err(|_| CrlError::Malformed)?
            .tbs_cert_list;
        let number = list
            .crl_extensions
            .iter()
            .flatten()
            .find(|extension| extension.extn_id == ID_CE_CRL_NUMBER)
            .and_then(|extension| UintRef::from_der(extension.extn_value.as_bytes()).ok())
            .ok_or(CrlError::Malformed)?
            .as_bytes()
            .to_vec();
        Ok(Self {
            der: der.to_vec(),
            issuer: list.issuer,
            number,
            this_update: instant::from_x509(list.this_update),
            next_update: list.next_update.map(instant::from_x509).ok_or(CrlError::Malformed)?,
            revoked,
        })
    }

    /// Reads a list in PEM.
    ///
    /// # Errors
    /// As [`Self::from_der`].
    pub fn from_pem(pem: &str) -> Result<Self, CrlError> {
        let der = CertificateRevocationListDer::from_pem_slice(pem.as_bytes()).map_err(|_| CrlError::Malformed)?;
        Self::from_der(&der)
    }

    /// The list in DER, as it came.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Who signed it: a distinguished name (RFC 4514).
    pub fn issuer(&self) -> String {
        self.issuer.to_string()
    }

    /// Its number, in hex; every list of a CA has a higher one than the last.
    pub fn number(&self) -> String {
        hex::encode(&self.number)
    }

    /// When it was signed.
    pub const fn this_update(&self) -> Timestamp {
        self.this_update
    }

    /// When the next one is due.
    pub const fn next_update(&self) -> Timestamp {
        self.next_update
    }

    /// How many certificates it lists.
    pub fn len(&self) -> usize {
        self.revoked.len()
    }

    /// Whether it lists none.
    pub fn is_empty(&self) -> bool {
        self.revoked.is_empty()
    }

    /// Whether the next list is due.
    pub fn freshness(&self, now: Timestamp) -> Freshness {
        if now <= self.next_update {
            Freshness::Fresh
        } else {
            Freshness::Stale {
                since: self.next_update,
            }
        }
    }

    /// Whether this CA signed it, and may.
    ///
    /// # Errors
    /// [`CrlError::UnknownIssuer`], [`CrlError::MayNot`], [`CrlError::WrongSignature`], [`CrlError::Unsupported`].
    fn verify(&self, issuer: &Certificate) -> Result<(), CrlError> {
        if self.issuer != *issuer.subject_name() {
            return Err(CrlError::UnknownIssuer(self.issuer()));
        }
        if !issuer.is_authority() || !issuer.may_sign_lists() {
            return Err(CrlError::MayNot(self.issuer()));
        }
        signed::verify_structure(&self.der, issuer.spki()).map_err(|why| match why {
            Unverified::Malformed => CrlError::Malformed,
            Unverified::Algorithm => CrlError::Unsupported,
            Unverified::Wrong => CrlError::WrongSignature(self.issuer()),
        })
    }

    fn status(&self, serial: &[u8], at: Timestamp) -> Status {
        match self.revoked.get(serial) {
            // Asked about a time before the list: what was signed before the revocation stands.
            Some(entry) if at >= entry.since || at >= self.this_update => Status::Revoked {
                since: entry.since,
                reason: entry.reason,
            },
            _ => Status::Good(self.freshness(at)),
        }
    }
}

impl fmt::Debug for Crl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Crl({} no. {}, {} revoked)",
            self.issuer(),
            self.number(),
            self.len()
        )
    }
}

/// What [`Revocations::merge`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merged {
    /// The list replaced an older one, or is the first of its CA.
    Newer,
    /// It was known.
    Known,
}

/// The newest list of each CA, by the key of the CA.
#[derive(Debug, Clone, Default)]
pub struct Revocations {
    lists: HashMap<KeyId, Arc<Crl>>,
}

impl Revocations {
    /// Takes in a list that the directory handed over. `issuers` are the CAs that may have signed it.
    ///
    /// # Errors
    /// [`CrlError`] when none of them did, or the list is older than the one that is known: an attacker who replays an
    /// old list would bring a revoked certificate back.
    pub fn merge<'a>(
        &mut self,
        list: Crl,
        issuers: impl IntoIterator<Item = &'a Certificate>,
        now: Timestamp,
    ) -> Result<Merged, CrlError> {
        let key = signer(&list, issuers)?;
        if list.this_update > now.plus_seconds(SKEW) {
            return Err(CrlError::NotYetValid(list.this_update));
        }
        if let Some(known) = self.lists.get(&key) {
            if known.der == list.der {
                return Ok(Merged::Known);
            }
            let age = |list: &Crl| (list.number.len(), list.number.clone(), list.this_update);
            let (known, new) = (age(known), age(&list));
            if (new.0, &new.1) <= (known.0, &known.1) || new.2 < known.2 {
                return Err(CrlError::RolledBack(list.issuer()));
            }
        }
        self.lists.insert(key, Arc::new(list));
        Ok(Merged::Newer)
    }

    /// The lists, for pages and for handing on.
    pub fn lists(&self) -> impl Iterator<Item = &Crl> {
        self.lists.values().map(AsRef::as_ref)
    }

    /// The list of the CA with this key.
    pub fn of_issuer(&self, key: KeyId) -> Option<&Crl> {
        self.lists.get(&key).map(AsRef::as_ref)
    }

    pub(crate) fn status(&self, issuer: KeyId, serial: &[u8], at: Timestamp) -> Status {
        match self.lists.get(&issuer) {
            Some(list) => list.status(serial, at),
            None => Status::Good(Freshness::Unknown),
        }
    }
}

/// Which of the CAs signed the list. Several may have one name after a CA renewed its key.
fn signer<'a>(list: &Crl, issuers: impl IntoIterator<Item = &'a Certificate>) -> Result<KeyId, CrlError> {
    let mut refusal = CrlError::UnknownIssuer(list.issuer());
    for issuer in issuers {
        match list.verify(issuer) {
            Ok(()) => return Ok(issuer.key_id()),
            Err(CrlError::UnknownIssuer(_)) => {}
            Err(why) => refusal = why,
        }
    }
    Err(refusal)
}

/// RFC 5280 section 5.3.1.
const fn reason(code: Option<RevocationReason>) -> &'static str {
    match code {
        None | Some(RevocationReason::Unspecified) => "unspecified",
        Some(RevocationReason::KeyCompromise) => "keyCompromise",
        Some(RevocationReason::CaCompromise) => "cACompromise",
        Some(RevocationReason::AffiliationChanged) => "affiliationChanged",
        Some(RevocationReason::Superseded) => "superseded",
        Some(RevocationReason::CessationOfOperation) => "cessationOfOperation",
        Some(RevocationReason::CertificateHold) => "certificateHold",
        Some(RevocationReason::RemoveFromCrl) => "removeFromCRL",
        Some(RevocationReason::PrivilegeWithdrawn) => "privilegeWithdrawn",
        Some(RevocationReason::AaCompromise) => "aACompromise",
    }
}

/// Why a revocation list is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CrlError {
    /// Damaged, truncated, or no list of version 2 with a number and a next update.
    Malformed,
    /// A delta, indirect or partitioned list, or a weak signature algorithm.
    Unsupported,
    /// None of the CAs has this name.
    UnknownIssuer(String),
    /// The CA by that name may not sign lists.
    MayNot(String),
    /// It was not signed by the key of the CA that it names.
    WrongSignature(String),
    /// It is older than the one that is known.
    RolledBack(String),
    /// It was signed in the future.
    NotYetValid(Timestamp),
}

impl Explained for CrlError {
    fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "crl-malformed",
            Self::Unsupported => "crl-unsupported",
            Self::UnknownIssuer(_) => "crl-unknown-issuer",
            Self::MayNot(_) => "crl-issuer-may-not",
            Self::WrongSignature(_) => "crl-wrong-signature",
            Self::RolledBack(_) => "crl-rolled-back",
            Self::NotYetValid(_) => "crl-not-yet-valid",
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Malformed | Self::Unsupported => Kind::Invalid,
            Self::RolledBack(_) => Kind::Conflict,
            _ => Kind::Forbidden,
        }
    }

    fn text(&self) -> Text {
        match self {
            Self::Malformed => Text::new(
                "Danh sách thu hồi bị hỏng hoặc thiếu số thứ tự. CA phải phát hành lại.",
                "The revocation list is damaged or has no number. The CA must issue it again.",
            ),
            Self::Unsupported => Text::new(
                "Loại danh sách thu hồi này không được hỗ trợ. CA phải phát hành danh sách đầy đủ, ký bằng thuật \
                 toán mạnh.",
                "This kind of revocation list is not supported. The CA must issue a full list, signed by a strong \
                 algorithm.",
            ),
            Self::UnknownIssuer(name) => Text::new(
                format!("Danh sách thu hồi do {name} ký, nhưng danh bạ không có CA này."),
                format!("The revocation list is of {name}, which is no CA of the directory."),
            ),
            Self::MayNot(name) => Text::new(
                format!("CA {name} không có quyền ký danh sách thu hồi (cRLSign)."),
                format!("The CA {name} may not sign revocation lists (cRLSign)."),
            ),
            Self::WrongSignature(name) => Text::new(
                format!(
                    "Danh sách thu hồi ghi tên {name} nhưng do khóa khác ký. Đây có thể là giả mạo; hãy báo cho \
                     người vận hành liên thông."
                ),
                format!(
                    "The revocation list names {name} but was signed by another key. This may be a forgery; tell \
                     the operator of the federation."
                ),
            ),
            Self::RolledBack(name) => Text::new(
                format!(
                    "Danh sách thu hồi của {name} cũ hơn danh sách đã có. Có thể ai đó phát lại bản cũ; danh sách \
                     đang dùng được giữ nguyên."
                ),
                format!(
                    "The revocation list of {name} is older than the one in use. Somebody may be replaying it; the \
                     one in use is kept."
                ),
            ),
            Self::NotYetValid(at) => Text::new(
                format!(
                    "Danh sách thu hồi được ký vào lúc {} trong tương lai. Hãy kiểm tra đồng hồ.",
                    at.display()
                ),
                format!("The revocation list was signed at {at}, in the future. Look at the clocks."),
            ),
        }
    }
}

refuses!(CrlError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worse_freshness_is_kept() {
        let (early, late) = (Timestamp::from_micros(1), Timestamp::from_micros(2));
        let stale = |since| Freshness::Stale { since };
        assert_eq!(Freshness::Fresh.worst(stale(late)), stale(late));
        assert_eq!(stale(late).worst(Freshness::Fresh), stale(late));
        assert_eq!(stale(late).worst(stale(early)), stale(early));
        assert_eq!(stale(late).worst(Freshness::Unknown), Freshness::Unknown);
        assert_eq!(Freshness::Unknown.worst(Freshness::Fresh), Freshness::Unknown);
    }
}
