//! What the directory says of the federation: who is a member, at which addresses, under which keys, with which services.
//!
//! One document, whole and signed. [`View`] is the same, ready to be asked; who gets it and how is `crate::directory`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use base::{Problems, Text, Timestamp};
use ledger::VerifierKey;
use serde::{Deserialize, Serialize};
use trust::KeyId;

use super::{
    identifier::{MemberId, Part, ServerId, ServiceId, SubsystemId},
    message::LogName,
    meta::ServiceKind,
};

/// The document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    /// The X-Road instance of all members: `VN`.
    pub instance: Part,
    /// The name of the federation.
    pub name: Text,
    /// Grows with each edition.
    pub version: u64,
    /// When this edition was signed.
    pub issued: Timestamp,
    /// The CAs of members.
    #[serde(default)]
    pub anchors: Vec<AnchorEntry>,
    /// Revocation lists, PEM.
    #[serde(default)]
    pub revocations: Vec<String>,
    /// The members, in the order of their ids.
    #[serde(default)]
    pub members: Vec<Member>,
    /// Who cosigns the logs of the members.
    #[serde(default)]
    pub witnesses: Vec<WitnessEntry>,
    /// How many witnesses a checkpoint must have to count as witnessed.
    #[serde(default)]
    pub quorum: usize,
}

/// A CA whose certificates are believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnchorEntry {
    /// Its certificate, PEM.
    pub certificate: String,
    /// For which members it may speak; none: for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<MemberId>,
}

/// A member (thành viên).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Which.
    pub id: MemberId,
    /// Its name.
    pub name: Text,
    /// Since when.
    pub since: Timestamp,
    /// Set while it may not take part; it stays listed so that its old messages can be verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended: Option<Timestamp>,
    /// Its gateways. Several behind one name share nothing but this entry.
    #[serde(default)]
    pub gateways: Vec<Gateway>,
    /// Its information systems.
    #[serde(default)]
    pub subsystems: Vec<Subsystem>,
}

/// A gateway: where a node of a member listens, and the log it writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// Its code within the member: the server code of X-Road.
    pub code: Part,
    /// `host:port` of the listener for other nodes.
    pub address: String,
    /// The keys of its certificates; old and new during a rotation.
    pub keys: Vec<KeyId>,
    /// The origin of its log.
    pub log: LogName,
    /// The keys that sign checkpoints of the log, as C2SP verifier keys; former ones stay, for old messages.
    pub log_keys: Vec<String>,
    /// Where the log is published (C2SP tlog-tiles): an http or https URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_url: Option<String>,
}

/// An information system of a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subsystem {
    /// Its code within the member.
    pub code: Part,
    /// Its name.
    pub name: Text,
    /// What it offers.
    #[serde(default)]
    pub services: Vec<Service>,
}

/// A service, as everybody sees it: not where it is, but what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Its code within the subsystem.
    pub code: Part,
    /// Its name.
    pub name: Text,
    /// How it is described.
    pub kind: ServiceKind,
    /// Its OpenAPI document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// What `motcua service check` last found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub badge: Option<Badge>,
    /// The gateways that serve it; none: every gateway of the member.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gateways: Vec<Part>,
}

/// An OpenAPI document that the directory publishes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// `info.title`.
    pub title: String,
    /// `info.version`.
    pub version: String,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// Its length in bytes.
    pub bytes: u64,
}

/// A conformance badge: what a member says that its node found when it checked the service against its description and the
/// house rules (`docs/service-rules.md`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Badge {
    /// When it was checked.
    pub checked: Timestamp,
    /// The version of the house rules.
    pub rules: String,
    /// SHA-256 of the description that was checked, in hex.
    pub sha256: String,
    /// How many rules that must be kept are kept.
    pub passed: u32,
    /// How many are not; 0: the service conforms.
    pub failed: u32,
    /// How many rules that should be kept are not.
    pub advice: u32,
}

impl Badge {
    /// Whether the service conforms.
    pub const fn conforms(&self) -> bool {
        self.failed == 0
    }
}

/// A witness of the members' logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessEntry {
    /// Its cosigning key, as a C2SP verifier key.
    pub key: String,
    /// Its address (C2SP tlog-witness): an http or https URL.
    pub url: String,
}

/// A directory ready to be asked.
#[derive(Debug, Clone)]
pub struct View {
    directory: Directory,
    members: BTreeMap<MemberId, usize>,
    subsystems: BTreeMap<SubsystemId, (usize, usize)>,
    logs: BTreeMap<LogName, LogOf>,
}

/// A directory as this node has it now.
#[derive(Debug, Clone)]
pub struct Standing {
    /// What it says.
    pub view: Arc<View>,
    /// How old it is.
    pub freshness: Freshness,
}

/// Whether a directory may still be relied upon. Stale is soft: whom the node has met goes on for a time, others are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Its signature on the time is in force.
    Fresh,
    /// It has run out; the node still talks to members that it has talked to, until then.
    Stale {
        /// When it ran out.
        since: Timestamp,
        /// When nobody is talked to any more.
        until: Timestamp,
    },
    /// It is too old to talk to anybody.
    Expired {
        /// When it ran out.
        since: Timestamp,
    },
}

/// Whose log it is.
#[derive(Debug, Clone)]
pub struct LogOf {
    /// The gateway that writes it.
    pub server: ServerId,
    /// The keys that sign its checkpoints.
    pub keys: Vec<VerifierKey>,
}

impl View {
    /// Reads a directory whole.
    ///
    /// # Errors
    /// Everything in it that contradicts itself: a member of another instance or listed twice, a log with two writers, a
    /// key that cannot be read or has another name than its log.
    pub fn new(directory: Directory) -> Result<Self, Problems> {
        let mut problems = Problems::new();
        let (mut members, mut subsystems, mut logs) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for (m, member) in directory.members.iter().enumerate() {
            let at = format!("members.{m}");
            if member.id.instance != directory.instance {
                problems.add(
                    "member-instance",
                    format!("{at}.id"),
                    format!("{} không thuộc liên thông {}.", member.id, directory.instance),
                    format!("{} is not of the federation {}.", member.id, directory.instance),
                );
            }
            if members.insert(member.id.clone(), m).is_some() {
                problems.add(
                    "member-twice",
                    format!("{at}.id"),
                    format!("{} có hai lần trong danh bạ.", member.id),
                    format!("{} is listed twice.", member.id),
                );
            }
            let mut servers = BTreeSet::new();
            for (g, gateway) in member.gateways.iter().enumerate() {
                let at = format!("{at}.gateways.{g}");
                if !servers.insert(&gateway.code) {
                    problems.add(
                        "gateway-twice",
                        &at,
                        format!("{} có hai cổng cùng mã {}.", member.id, gateway.code),
                        format!("{} has two gateways {}.", member.id, gateway.code),
                    );
                }
                let keys = log_keys(gateway, &at, &mut problems);
                let server = ServerId {
                    owner: member.id.clone(),
                    code: gateway.code.clone(),
                };
                if logs.insert(gateway.log.clone(), LogOf { server, keys }).is_some() {
                    problems.add(
                        "log-twice",
                        format!("{at}.log"),
                        format!("Hai cổng cùng ghi nhật ký {}.", gateway.log.as_str()),
                        format!("Two gateways write the log {}.", gateway.log.as_str()),
                    );
                }
            }
            for (s, subsystem) in member.subsystems.iter().enumerate() {
                let id = SubsystemId {
                    member: member.id.clone(),
                    code: subsystem.code.clone(),
                };
                if subsystems.insert(id, (m, s)).is_some() {
                    problems.add(
                        "subsystem-twice",
                        format!("{at}.subsystems.{s}"),
                        format!("{} có hai hệ thống cùng mã {}.", member.id, subsystem.code),
                        format!("{} has two subsystems {}.", member.id, subsystem.code),
                    );
                }
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self {
            directory,
            members,
            subsystems,
            logs,
        })
    }

    /// The document.
    pub const fn directory(&self) -> &Directory {
        &self.directory
    }

    /// A member, suspended or not.
    pub fn member(&self, id: &MemberId) -> Option<&Member> {
        self.members.get(id).and_then(|m| self.directory.members.get(*m))
    }

    /// A subsystem with its member.
    pub fn subsystem(&self, id: &SubsystemId) -> Option<(&Member, &Subsystem)> {
        let (m, s) = self.subsystems.get(id)?;
        let member = self.directory.members.get(*m)?;
        Some((member, member.subsystems.get(*s)?))
    }

    /// A service with its member.
    pub fn service(&self, id: &ServiceId) -> Option<(&Member, &Service)> {
        let (member, subsystem) = self.subsystem(&id.provider)?;
        let service = subsystem.services.iter().find(|service| service.code == id.code)?;
        Some((member, service))
    }

    /// The gateways that serve a service, of a member that is not suspended.
    pub fn gateways_of(&self, id: &ServiceId) -> impl Iterator<Item = (&Member, &Gateway)> {
        self.service(id)
            .filter(|(member, _)| member.suspended.is_none())
            .into_iter()
            .flat_map(|(member, service)| {
                member
                    .gateways
                    .iter()
                    .filter(|gateway| service.gateways.is_empty() || service.gateways.contains(&gateway.code))
                    .map(move |gateway| (member, gateway))
            })
    }

    /// Whose log has this origin.
    pub fn log(&self, origin: &LogName) -> Option<&LogOf> {
        self.logs.get(origin)
    }
}

fn log_keys(gateway: &Gateway, at: &str, problems: &mut Problems) -> Vec<VerifierKey> {
    let mut keys = Vec::new();
    for (k, text) in gateway.log_keys.iter().enumerate() {
        match text.parse::<VerifierKey>() {
            Ok(key) if key.name() == gateway.log.as_str() => keys.push(key),
            _ => problems.add(
                "log-key",
                format!("{at}.log_keys.{k}"),
                format!("Đây không phải khóa của nhật ký {}.", gateway.log.as_str()),
                format!("This is not a key of the log {}.", gateway.log.as_str()),
            ),
        }
    }
    keys
}
