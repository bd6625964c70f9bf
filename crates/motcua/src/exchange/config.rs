//! The part `[exchange]` of the configuration.

use std::{collections::BTreeMap, net::SocketAddr};

use base::Text;
use exchange::{
    gateway,
    model::identifier::{Part, SubsystemId},
};
use registry::model::RegistryCode;
use serde::Deserialize;

mod journal;
use self::journal::Journal;

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
    /// The system that keeps a registry, by its code: where those are that this node does not keep itself, and as which system it tells
    /// of its own (`subsystem` where none is named).
    pub registries: BTreeMap<RegistryCode, SubsystemId>,
    /// Which addresses webhooks may be called at.
    pub webhooks: Webhooks,
    /// How large bodies may be.
    pub limits: Limits,
    /// How the journal is kept, and what purposes mean.
    pub journal: Journal,
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
            registries: BTreeMap::new(),
            webhooks: Webhooks::default(),
            limits: Limits::default(),
            journal: Journal::default(),
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

/// How large bodies may be, in MiB (2^20 bytes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// The largest body of a request or an answer.
    pub body_mib: u64,
    /// All bodies that lie on the disk at one moment, in the folder `exchange/spill`. What is larger than memory allows lies there
    /// until it is verified, so this bounds how much of the disk they can take from the log.
    pub spill_mib: u64,
}

impl Default for Limits {
    fn default() -> Self {
        let usual = gateway::Limits::default();
        Self {
            body_mib: usual.body >> 20,
            spill_mib: usual.disk >> 20,
        }
    }
}

impl Limits {
    /// As the gateway takes them.
    pub fn of_gateway(self) -> gateway::Limits {
        gateway::Limits {
            body: self.body_mib.saturating_mul(1 << 20),
            disk: self.spill_mib.saturating_mul(1 << 20),
            ..gateway::Limits::default()
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_those_of_the_gateway_unless_said() {
        let exchange: Exchange = toml::from_str("").expect("it is read");
        let (usual, ours) = (gateway::Limits::default(), exchange.limits.of_gateway());
        assert_eq!((ours.body, ours.disk), (usual.body, usual.disk));
        let exchange: Exchange = toml::from_str("[limits]\nbody_mib = 64").expect("it is read");
        assert_eq!(exchange.limits.of_gateway().body, 64 << 20);
        assert_eq!(exchange.limits.of_gateway().disk, usual.disk);
        assert!(toml::from_str::<Exchange>("[limits]\nbody = 64").is_err());
    }

    #[test]
    fn registries_are_named_with_the_systems_that_keep_them() {
        let exchange: Exchange =
            toml::from_str("[registries]\npopulation = \"VN/GOV/000.00.00.G01/motcua\"").expect("it is read");
        let (code, system) = exchange.registries.first_key_value().expect("one");
        assert_eq!(
            (code.as_str(), system.to_string().as_str()),
            ("population", "VN/GOV/000.00.00.G01/motcua")
        );
        for wrong in ["Dan_cu = \"VN/GOV/000.00.00.G01/motcua\"", "population = \"motcua\""] {
            assert!(
                toml::from_str::<Exchange>(&format!("[registries]\n{wrong}")).is_err(),
                "{wrong}"
            );
        }
    }
}
