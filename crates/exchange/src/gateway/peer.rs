//! Who is at the other end of a connection between nodes (`docs/protocol.md`, 6, check 1).

use std::sync::{Arc, Mutex, PoisonError};

use base::Timestamp;
use rustls::pki_types::CertificateDer;
use trust::{Purpose, Tls};

use super::flaw::{GatewayFlaw, explained, refusal};
use crate::model::{
    error::{ErrorCode, Refusal},
    federation::View,
    identifier::MemberId,
};

/// The certificates that the other end has shown. They are judged again whenever what is believed, the directory or the
/// validity of the certificate has changed.
pub(super) struct Peer {
    certificates: Option<Vec<CertificateDer<'static>>>,
    purpose: Purpose,
    judged: Mutex<Option<Judged>>,
}

struct Judged {
    generation: u64,
    view: Arc<View>,
    until: Timestamp,
    outcome: Result<Arc<MemberId>, Refusal>,
}

impl Peer {
    /// What `peer_certificates()` gave after the handshake; `purpose` is the part that the other end plays.
    pub fn new(certificates: Option<&[CertificateDer<'_>]>, purpose: Purpose) -> Self {
        let owned = |chain: &[CertificateDer<'_>]| chain.iter().map(|c| c.clone().into_owned()).collect();
        Self {
            certificates: certificates.map(owned),
            purpose,
            judged: Mutex::new(None),
        }
    }

    /// The member that it is, as the directory lists it.
    pub fn member(&self, tls: &Tls, view: &Arc<View>, now: Timestamp) -> Result<Arc<MemberId>, Refusal> {
        let mut judged = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = tls.generation();
        if let Some(judged) = &*judged
            && judged.generation == generation
            && Arc::ptr_eq(&judged.view, view)
            && now < judged.until
        {
            return judged.outcome.clone();
        }
        let (outcome, until) = match self.judge(tls, view) {
            Ok((member, until)) => (Ok(Arc::new(member)), until),
            Err(refusal) => (Err(refusal), now),
        };
        *judged = Some(Judged {
            generation,
            view: Arc::clone(view),
            until,
            outcome: outcome.clone(),
        });
        outcome
    }

    fn judge(&self, tls: &Tls, view: &View) -> Result<(MemberId, Timestamp), Refusal> {
        let code = match self.purpose {
            Purpose::Client => ErrorCode::ServerSslAuthenticationFailed,
            _ => ErrorCode::ClientNetworkError,
        };
        let bad = |flaw| refusal(code, "certificate", flaw);
        let identity = tls.peer(self.certificates.as_deref(), self.purpose);
        let identity = identity.map_err(|refusals| explained(code, "certificate", &refusals))?;
        let id = MemberId::parse(identity.member.to_string().as_bytes());
        let id = id.map_err(|_| bad(GatewayFlaw::NotListed))?;
        let member = view.member(&id).ok_or_else(|| bad(GatewayFlaw::NotListed))?;
        if member.suspended.is_some() {
            return Err(bad(GatewayFlaw::Suspended));
        }
        let listed = member
            .gateways
            .iter()
            .any(|gateway| gateway.keys.contains(&identity.key));
        if !listed {
            return Err(bad(GatewayFlaw::NotListed));
        }
        Ok((id, identity.not_after))
    }
}
