//! The part `[exchange]` of the configuration.

use std::net::SocketAddr;

use base::Text;
use exchange::model::identifier::Part;
use serde::Deserialize;

/// How this node takes part in the exchange.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Exchange {
    /// The agency (Decision 20/2020/QĐ-TTg) whose administrators and auditors look after it.
    pub agency: String,
    /// In whose name the node itself calls others.
    pub subsystem: Part,
    /// Where information systems of this node call: address and port.
    pub edge: SocketAddr,
    /// Where other nodes call: address and port.
    pub peers: SocketAddr,
    /// Where to fetch the directory, if not from the operator.
    pub mirrors: Vec<String>,
    /// How often to look for a newer directory, seconds.
    pub refresh_seconds: u64,
    /// Everybody may see the map of traffic; else officers who may read the exchange.
    pub public_map: bool,
    /// The database in which systems, services, grants and events of the member are, if not in that of the node: several gateways
    /// of one member name the same. The environment variable `MOTCUA_SHARED_DATABASE` overrides it.
    pub shared: String,
    /// Which addresses webhooks may be called at.
    pub webhooks: Webhooks,
    /// At the operator: how the federation is run.
    pub federation: Federation,
}

impl Default for Exchange {
    fn default() -> Self {
        Self {
            agency: String::new(),
            subsystem: Part::new("motcua").unwrap_or_else(|_| unreachable!("a constant part")),
            edge: SocketAddr::from(([127, 0, 0, 1], 8090)),
            peers: SocketAddr::from(([0, 0, 0, 0], 5500)),
            mirrors: Vec::new(),
            refresh_seconds: 60,
            public_map: false,
            shared: String::new(),
            webhooks: Webhooks::default(),
            federation: Federation::default(),
        }
    }
}

/// Which addresses webhooks may be called at.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Webhooks {
    /// Addresses of this machine: for demonstrations and tests.
    pub loopback: bool,
}

/// How the federation is run.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Federation {
    /// Its name.
    pub name: Text,
    /// Only who was invited may apply.
    pub invitation_only: bool,
    /// For how many days certificates are valid.
    pub certificate_days: u16,
    /// Who cosigns the logs of members that name no witnesses of their own.
    pub witnesses: Vec<crate::ledger::config::Witness>,
    /// How many of them a checkpoint must have to count as witnessed.
    pub quorum: usize,
}

impl Default for Federation {
    fn default() -> Self {
        Self {
            name: Text::new("Liên thông dữ liệu", "Data exchange"),
            invitation_only: false,
            certificate_days: 365,
            witnesses: Vec::new(),
            quorum: 0,
        }
    }
}
