//! TLS between nodes: mutual, version 1.3 alone, with who is believed and what is shown in cells that are swapped while
//! connections go on.
//!
//! A node is known by the member in its certificate, not by its host name: where a member is reached is for the
//! directory to say, and a name in DNS proves nothing about it. So a client configuration is made for one expected
//! member.

mod credential;
mod resumption;
mod verifier;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwap;
use base::Clock;
pub use credential::Credential;
use resumption::{ClientSessions, Tickets};
use rustls::{
    ClientConfig, ServerConfig,
    client::{Resumption, Tls12Resumption},
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, UnixTime},
    sign::CertifiedKey,
    time_provider::TimeProvider,
    version::TLS13,
};
pub use verifier::refusals;
use verifier::{PeersOfServer, ServerOf};

use crate::{
    certificate::{MemberId, PeerIdentity, Purpose, Refusal, Refusals, TrustStore},
    instant,
};

/// What a node shows to others and whom it believes, for all its connections. Clones share the cells.
#[derive(Clone)]
pub struct Tls {
    state: Arc<State>,
}

struct State {
    own: ArcSwap<CertifiedKey>,
    trust: ArcSwap<TrustStore>,
    generation: AtomicU64,
    shown: AtomicU64,
    clock: Arc<dyn Clock>,
    provider: Arc<CryptoProvider>,
}

impl Tls {
    /// A node with this certificate, believing whom the directory says.
    pub fn new(own: Credential, trust: TrustStore, clock: Arc<dyn Clock>) -> Self {
        let state = State {
            own: ArcSwap::from(own.certified()),
            trust: ArcSwap::from_pointee(trust),
            generation: AtomicU64::new(0),
            shown: AtomicU64::new(0),
            clock,
            provider: Arc::new(aws_lc_rs::default_provider()),
        };
        Self { state: Arc::new(state) }
    }

    /// Shows another certificate from the next handshake on. Open connections go on; sessions are no longer resumed.
    pub fn swap_credential(&self, own: Credential) {
        self.state.own.store(own.certified());
        self.state.shown.fetch_add(1, Ordering::AcqRel);
        self.next_generation();
    }

    /// Grows with each certificate that is shown. A connection that was opened under an older one is to be replaced before the
    /// other side believes that certificate no more.
    pub fn shown(&self) -> u64 {
        self.state.shown.load(Ordering::Acquire)
    }

    /// Believes others from the next handshake on: call it when the directory changed. Sessions are no longer
    /// resumed, so nobody who was struck off comes back by an old ticket; open connections are judged again by
    /// [`Self::peer`].
    pub fn swap_trust(&self, trust: TrustStore) {
        self.state.trust.store(Arc::new(trust));
        self.next_generation();
    }

    /// Grows at each swap. A connection that was judged under an older generation is to be judged again.
    pub fn generation(&self) -> u64 {
        self.state.generation.load(Ordering::Acquire)
    }

    /// Whom the node believes now.
    pub fn trust(&self) -> Arc<TrustStore> {
        self.state.trust.load_full()
    }

    /// The configuration of a listener: it asks every caller for a certificate. `alpn` names the protocols, best first.
    ///
    /// # Errors
    /// [`rustls::Error`] when the system has no randomness for ticket keys.
    pub fn server(&self, alpn: &[&[u8]]) -> Result<ServerConfig, rustls::Error> {
        let mut config = ServerConfig::builder_with_details(Arc::clone(&self.state.provider), self.time())
            .with_protocol_versions(&[&TLS13])?
            .with_client_cert_verifier(Arc::new(PeersOfServer(self.clone())))
            .with_cert_resolver(Arc::new(self.clone()));
        config.ticketer = Arc::new(Tickets::new(self.clone())?);
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        Ok(config)
    }

    /// The configuration for calls to one member. Keep it as long as calls go there: it remembers sessions to resume.
    ///
    /// # Errors
    /// [`rustls::Error`]; none in practice.
    pub fn client(&self, member: &MemberId, alpn: &[&[u8]]) -> Result<ClientConfig, rustls::Error> {
        let verifier = ServerOf {
            member: member.clone(),
            tls: self.clone(),
        };
        let mut config = ClientConfig::builder_with_details(Arc::clone(&self.state.provider), self.time())
            .with_protocol_versions(&[&TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_cert_resolver(Arc::new(self.clone()));
        let sessions = ClientSessions::new(self.clone());
        config.resumption = Resumption::store(Arc::new(sessions)).tls12_resumption(Tls12Resumption::Disabled);
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        Ok(config)
    }

    /// Who is at the other end: the certificates of a connection (`peer_certificates()`), judged by what is believed
    /// now. `as_what` is the part that the peer plays: [`Purpose::Client`] at a server.
    ///
    /// # Errors
    /// [`Refusals`]: of a connection that was open or resumed, too.
    pub fn peer(
        &self,
        certificates: Option<&[CertificateDer<'_>]>,
        as_what: Purpose,
    ) -> Result<PeerIdentity, Refusals> {
        let chain = certificates.ok_or(Refusal::Missing)?;
        self.trust().judge(chain, as_what, self.state.clock.now())
    }

    /// Judges the certificate of this node as others would that believe the same: for the health page, before they
    /// refuse.
    ///
    /// # Errors
    /// [`Refusals`].
    pub fn own(&self) -> Result<PeerIdentity, Refusals> {
        self.peer(Some(&self.state.own.load().cert), Purpose::Server)
    }

    fn next_generation(&self) {
        self.state.generation.fetch_add(1, Ordering::AcqRel);
    }

    fn time(&self) -> Arc<dyn TimeProvider> {
        Arc::new(self.clone())
    }
}

/// Time is passed in, to the handshake too.
impl TimeProvider for Tls {
    fn current_time(&self) -> Option<UnixTime> {
        Some(instant::to_unix(self.state.clock.now()))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tls(generation {})", self.generation())
    }
}
