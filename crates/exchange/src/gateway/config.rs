//! What a gateway is given, and its limits.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use arc_swap::ArcSwap;
use base::Clock;
use tokio::sync::mpsc;
use traces::Tracer;

use crate::journal::Journal;
use crate::model::{
    error::Wire,
    federation::Standing,
    hosting::Hosting,
    identifier::{MemberId, ServerId},
    monitor::OpRecord,
    tracker::SubjectKey,
};

/// Everything that a gateway needs from outside. One gateway speaks for one member, whose log and certificate it has
/// (`docs/protocol.md`, 6, check 4); a node of several members has a gateway for each.
pub struct Config {
    /// Which gateway of which member it is, as the directory lists it.
    pub server: ServerId,
    /// Its certificate, and whom it believes.
    pub tls: trust::Tls,
    /// Its log: that which the directory names for [`Self::server`].
    pub log: Arc<ledger::Log>,
    /// The directory as it stands; swapped when it changes.
    pub directory: Arc<ArcSwap<Standing>>,
    /// What the node hosts; swapped when it changes.
    pub hosting: Arc<ArcSwap<Hosting>>,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// How refusals look to the node's own information systems, and those that it signs as a provider.
    pub wire: Wire,
    /// How much of everything.
    pub limits: Limits,
    /// The services in this process, for [`crate::model::hosting::ServiceTarget::Internal`].
    pub internal: BTreeMap<String, axum::Router>,
    /// Where bodies lie that are too large for memory, as files without a name, sealed under keys that are nowhere else.
    pub spill: PathBuf,
    /// Under which key persons are indexed.
    pub subjects: SubjectKey,
    /// Members that the node has talked to before: they go on while the directory is stale.
    pub met: BTreeSet<MemberId>,
    /// Where the evidence of past messages is; without it `GET /asic` finds none.
    pub journal: Option<Journal>,
    /// Who wants to know of each message. When the channel is full, records are dropped and counted.
    pub operations: Option<mpsc::Sender<OpRecord>>,
    /// What traces messages.
    pub tracer: Tracer,
}

/// Bounds on size, number and time.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The largest body, in bytes.
    pub body: u64,
    /// A body up to this is sent when all of it is here, in bytes; a larger one is sent while it comes.
    pub body_in_memory: usize,
    /// A body up to this that another node sends stays in memory until it is verified, in bytes; a larger one lies on disk.
    pub verified_in_memory: usize,
    /// All bodies in memory together, in bytes. Beyond it even small ones go to disk.
    pub memory: u64,
    /// All bodies on disk together, in bytes. Beyond it messages are refused.
    pub disk: u64,
    /// The largest body that is looked into: for a field mask, or for the numbers of persons; in bytes.
    pub inspected: u64,
    /// Connections at once, of information systems and of other nodes each.
    pub connections: usize,
    /// Messages at once on one connection of another node.
    pub streams: u32,
    /// Connections to one gateway of another member.
    pub links: usize,
    /// For a TCP connection with its handshake, in either direction.
    pub connect: Duration,
    /// For the head of a request to come, and for an idle HTTP/1.1 connection.
    pub head: Duration,
    /// Between two pieces of a body that comes, and for the other end to take something of what is sent.
    pub idle: Duration,
    /// Bytes in a second that a body must bring on the whole, after [`Self::idle`].
    pub slowest: u64,
    /// For another node to begin its answer.
    pub answer: Duration,
    /// Bytes in a second at which a body is passed on at least: who answers has so much longer than [`Self::answer`], or than the
    /// time of the service.
    pub onward: u64,
    /// For what is in hand when the gateway shuts down.
    pub drain: Duration,
    /// Requests of one sender within 600 s that are remembered. More are refused: none is forgotten early.
    pub remembered: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 10 << 30,
            body_in_memory: 256 << 10,
            verified_in_memory: 4 << 20,
            memory: 256 << 20,
            disk: 64 << 30,
            inspected: 16 << 20,
            connections: 4096,
            streams: 256,
            links: 4,
            connect: Duration::from_secs(5),
            head: Duration::from_secs(30),
            idle: Duration::from_secs(30),
            slowest: 1024,
            answer: Duration::from_secs(120),
            onward: 8 << 20,
            drain: Duration::from_secs(30),
            remembered: 1_000_000,
        }
    }
}

impl Limits {
    /// How long to wait for the answer to a request with a body of so many bytes, of somebody who has `time` without one.
    pub(super) fn patience(&self, time: Duration, body: u64) -> Duration {
        time + Duration::from_secs(body / self.onward.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_body_has_time_to_be_passed_on() {
        let limits = Limits::default();
        let time = Duration::from_secs(30);
        assert_eq!(limits.patience(time, 1_000_000), time);
        assert_eq!(limits.patience(time, 10 << 30), time + Duration::from_secs(1_280));
    }
}
