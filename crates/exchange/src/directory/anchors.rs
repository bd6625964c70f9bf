//! From what the directory says to whom TLS believes.

use base::Timestamp;
use base64::{Engine, prelude::BASE64_STANDARD};
use trust::{Anchor, Certificate, Crl, Revocations, TrustStore, certificate::Scope};

use super::refusal::Refusal;
use crate::model::{federation::View, identifier::MemberId};

/// Whom to believe under a directory. `known` are the revocation lists of the store before, which this one must not fall
/// behind: `store.revocations().clone()`.
///
/// Keys are registered for every member, so a certificate with another key is refused whoever issued it; of a suspended
/// member, and of one without gateways, none is believed. A certificate may still name who is no member at all: whether
/// [`View::member`] knows the peer is for the gateway to ask.
///
/// # Errors
/// [`Refusal::Anchor`] for a CA that cannot be used and for a member whose id cannot stand in a certificate,
/// [`Refusal::Revocations`] for a list.
pub fn trust_store(view: &View, known: Revocations, now: Timestamp) -> Result<TrustStore, Refusal> {
    let directory = view.directory();
    let mut anchors = Vec::new();
    for entry in &directory.anchors {
        let scope = if entry.members.is_empty() {
            Scope::Everyone
        } else {
            Scope::Members(entry.members.iter().map(certified).collect::<Result<_, _>>()?)
        };
        for certificate in Certificate::chain_from_pem(&entry.certificate).map_err(Refusal::Anchor)? {
            anchors.push(Anchor::new(certificate, scope.clone()).map_err(Refusal::Anchor)?);
        }
    }
    let mut revocations = known;
    for list in &directory.revocations {
        let list = Crl::from_pem(list).map_err(Refusal::Revocations)?;
        let issuers = anchors.iter().map(Anchor::certificate);
        revocations.merge(list, issuers, now).map_err(Refusal::Revocations)?;
    }
    let mut store = TrustStore::new(anchors, revocations);
    for member in &directory.members {
        let gateways = member.gateways.iter().filter(|_| member.suspended.is_none());
        let keys = gateways.flat_map(|gateway| gateway.keys.iter().copied());
        store = store.with_keys(&certified(&member.id)?, keys);
    }
    Ok(store)
}

/// The member as certificates name it.
///
/// # Errors
/// [`Refusal::Anchor`] when its id has characters that certificates do not take.
pub fn certified(member: &MemberId) -> Result<trust::MemberId, Refusal> {
    trust::MemberId::new(member.instance.as_str(), member.class.as_str(), member.code.as_str()).map_err(Refusal::Anchor)
}

/// DER in the textual encoding of RFC 7468.
pub fn pem(label: &str, der: &[u8]) -> String {
    let base64 = BASE64_STANDARD.encode(der);
    let lines: Vec<&str> = (0..base64.len())
        .step_by(64)
        .map(|at| &base64[at..base64.len().min(at + 64)])
        .collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
