//! Resumption that forgets. A resumed session skips the verifier, so what was kept before a swap of certificates or of
//! trust is not used after it.

use std::{fmt, sync::Arc};

use arc_swap::ArcSwap;
use rustls::{
    Error, NamedGroup,
    client::{ClientSessionMemoryCache, ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue},
    crypto::aws_lc_rs::Ticketer,
    pki_types::ServerName,
    server::ProducesTickets,
};

use super::Tls;

/// Addresses of one member for which a client keeps sessions to resume.
const SESSIONS: usize = 16;

/// Tickets of a server, under keys that change with each generation.
pub(super) struct Tickets {
    tls: Tls,
    current: ArcSwap<(u64, Arc<dyn ProducesTickets>)>,
}

impl Tickets {
    pub fn new(tls: Tls) -> Result<Self, Error> {
        let first = (tls.generation(), Ticketer::new()?);
        Ok(Self {
            tls,
            current: ArcSwap::from_pointee(first),
        })
    }

    /// Without randomness for new keys there are no tickets, and every handshake is a full one.
    fn current(&self) -> Option<Arc<dyn ProducesTickets>> {
        let generation = self.tls.generation();
        let current = self.current.load();
        if current.0 == generation {
            return Some(Arc::clone(&current.1));
        }
        let new = Ticketer::new().ok()?;
        self.current.store(Arc::new((generation, Arc::clone(&new))));
        Some(new)
    }
}

impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        self.current.load().1.lifetime()
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.current()?.encrypt(plain)
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        self.current()?.decrypt(cipher)
    }
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tickets")
    }
}

/// Sessions of a client with one member.
pub(super) struct ClientSessions {
    tls: Tls,
    current: ArcSwap<(u64, ClientSessionMemoryCache)>,
}

impl ClientSessions {
    pub fn new(tls: Tls) -> Self {
        Self {
            current: ArcSwap::from_pointee((tls.generation(), ClientSessionMemoryCache::new(SESSIONS))),
            tls,
        }
    }

    fn current(&self) -> Arc<(u64, ClientSessionMemoryCache)> {
        let generation = self.tls.generation();
        let current = self.current.load_full();
        if current.0 == generation {
            return current;
        }
        let new = Arc::new((generation, ClientSessionMemoryCache::new(SESSIONS)));
        self.current.store(Arc::clone(&new));
        new
    }
}

impl ClientSessionStore for ClientSessions {
    fn set_kx_hint(&self, server: ServerName<'static>, group: NamedGroup) {
        self.current().1.set_kx_hint(server, group);
    }

    fn kx_hint(&self, server: &ServerName<'_>) -> Option<NamedGroup> {
        self.current().1.kx_hint(server)
    }

    fn set_tls12_session(&self, _server: ServerName<'static>, _value: Tls12ClientSessionValue) {}

    fn tls12_session(&self, _server: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        None
    }

    fn remove_tls12_session(&self, _server: &ServerName<'static>) {}

    fn insert_tls13_ticket(&self, server: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.current().1.insert_tls13_ticket(server, value);
    }

    fn take_tls13_ticket(&self, server: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.current().1.take_tls13_ticket(server)
    }
}

impl fmt::Debug for ClientSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSessions")
    }
}
