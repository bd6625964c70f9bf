//! What this node hosts: the information systems that call through it, the services behind it, and who may call them.
//!
//! `crate::access` keeps it in tables and pages; the gateway takes it whole, as it stands at one moment.

use std::{collections::BTreeMap, time::Duration};

use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use super::{
    address::ForwardRules,
    identifier::{MemberId, ServiceId, SubsystemId},
    meta::{Endpoint, ServiceKind},
    purpose::Purpose,
    rights::Grant,
    tracker::SubjectRule,
};

/// Everything that the gateway asks about this node.
#[derive(Debug, Clone, Default)]
pub struct Hosting {
    /// The information systems that may call through this node.
    pub clients: BTreeMap<SubsystemId, LocalClient>,
    /// The services behind it.
    pub services: BTreeMap<ServiceId, LocalService>,
    /// The grants on its services, by service.
    pub grants: BTreeMap<ServiceId, Vec<Grant>>,
    /// What the adapter's dialect means by its paths.
    pub forward: ForwardRules,
}

/// An information system of a member of this node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalClient {
    /// How the gateway knows it.
    pub sign_in: ClientSignIn,
    /// The purpose of its calls, for software that cannot say it by itself.
    pub purpose: Option<Purpose>,
}

/// How an information system shows that it is who it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientSignIn {
    /// It calls from one of these networks (`10.1.2.0/24`, `::1/128`).
    Networks(Vec<String>),
    /// `Authorization: Bearer …`, whose SHA-256 in hex this is. The header goes no further.
    Token(String),
    /// Anybody who reaches the listener; for one machine, and for trials.
    Open,
}

/// A service behind this node.
#[derive(Debug, Clone, PartialEq)]
pub struct LocalService {
    /// Where it is.
    pub target: ServiceTarget,
    /// How it is described.
    pub kind: ServiceKind,
    /// Every member may call it, without a grant: for what the exchange itself needs, such as asking for a grant.
    pub open: bool,
    /// Why it is switched off, for the caller; none while it is on.
    pub disabled: Option<String>,
    /// How long it may take to answer.
    pub timeout: Duration,
    /// Whether its certificate is verified, when its address is https.
    pub verify_certificate: bool,
    /// The key that it asks of this node.
    pub credential: Option<Credential>,
    /// Where the numbers of persons stand in its messages.
    pub subjects: SubjectRule,
    /// What reading it does, in the words of the data tracker.
    pub action: String,
    /// Its endpoints, from its OpenAPI document.
    pub endpoints: Vec<Endpoint>,
    /// Its OpenAPI document, as it was registered.
    pub openapi: Option<std::sync::Arc<[u8]>>,
}

/// The key that a service asks of its caller, in a header of each call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// The header.
    pub header: HeaderName,
    /// The key; marked as sensitive, so that no log shows it.
    pub value: HeaderValue,
}

/// Where a service is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceTarget {
    /// At this http or https URL: what comes behind the service code in the path is added to it.
    Url(String),
    /// In this very process: one of the routers that the gateway was given, by its name.
    Internal(String),
}

impl Hosting {
    /// Whether a member is one of this node's: one of its information systems calls or provides here.
    pub fn is_home_of(&self, member: &MemberId) -> bool {
        self.clients.keys().any(|client| client.member == *member)
            || self.services.keys().any(|service| service.provider.member == *member)
    }
}
