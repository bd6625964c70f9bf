//! The gateway: between the information systems of a member and the gateways of other members.
//!
//! ```text
//! information system ─HTTP/1.1, HTTP/2─► consumer ─HTTP/2, mutual TLS─► provider ─HTTP/1.1─► service
//!                                           │                              │
//!                                        its log                        its log
//! ```
//! A request is logged and proved before it goes out, verified and logged before the service sees it; the answer goes the
//! same way back (`docs/protocol.md`). Nothing of a message is passed on before all of it is verified; what is too large
//! for memory lies on disk until then.
//!
//! * `consumer`: dialects, sign-in, connections to other gateways, acceptance of answers.
//! * `provider`: the checks of the protocol in their order, rights, rates, masks, the data tracker, the services.
//! * `body`, `evidence`, `peer`, `trace`, `wire`: what both need. `serve`: the listeners.

mod archive;
mod body;
mod config;
mod consumer;
mod evidence;
mod figures;
mod flaw;
mod hands;
mod operations;
mod peer;
mod provider;
mod serve;
mod stall;
mod trace;
mod wire;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock},
};

use arc_swap::ArcSwap;
use axum::{Router, body::Body};
use base::{Clock, Timestamp};
use http::{Request, Response};
use tokio::sync::mpsc;
use traces::Tracer;
use uuid::Uuid;

use self::{
    body::Room,
    consumer::{Links, Origin},
    evidence::{Checkpoints, OwnLog},
    figures::{Meter, count},
    hands::Hands,
    provider::{Rates, Replays, Services},
};
pub use self::{
    body::Source,
    config::{Config, Limits},
    figures::{BOUNDS, Figures, Histogram, Side},
    flaw::GatewayFlaw,
};
use crate::journal::Journal;
use crate::model::{
    Purpose,
    error::{Answer, Format, Refusal, Wire},
    federation::{Freshness, Standing},
    hosting::Hosting,
    identifier::{ClientId, MemberId, ServerId, ServiceId, SubsystemId},
    message::{LogName, RecordFlaw},
    monitor::OpRecord,
    tracker::SubjectKey,
};

/// A gateway. Clones are the same one.
#[derive(Clone)]
pub struct Gateway {
    inner: Arc<Inner>,
}

struct Inner {
    server: ServerId,
    tls: trust::Tls,
    log: Arc<OwnLog>,
    directory: Arc<ArcSwap<Standing>>,
    hosting: Arc<ArcSwap<Hosting>>,
    clock: Arc<dyn Clock>,
    wire: Wire,
    limits: Limits,
    internal: BTreeMap<String, Router>,
    subjects: SubjectKey,
    journal: Option<Journal>,
    operations: Option<mpsc::Sender<OpRecord>>,
    tracer: Tracer,
    met: RwLock<BTreeSet<MemberId>>,
    room: Room,
    checkpoints: Checkpoints,
    replays: Replays,
    rates: Rates,
    services: Services,
    links: Links,
    meter: Arc<Meter>,
    hands: Hands,
}

/// Why a gateway cannot begin.
#[derive(Debug)]
pub enum BeginError {
    /// The origin of the log has characters that no message can carry.
    LogName(RecordFlaw),
    /// What the log has of the last ten minutes cannot be read.
    Log(ledger::Error),
    /// The system gives no certificates to verify services by.
    Tls(rustls::Error),
}

impl std::fmt::Display for BeginError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::LogName(flaw) => flaw.fmt(f),
            Self::Log(error) => error.fmt(f),
            Self::Tls(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for BeginError {}

/// Who called a service in this process, as a request extension. The node has verified it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The consumer.
    pub client: ClientId,
    /// As which service the router was called.
    pub service: ServiceId,
    /// Why.
    pub purpose: Purpose,
    /// `X-Road-Request-Id`.
    pub request_id: Uuid,
}

impl Gateway {
    /// Begins a gateway. Blocks: the log is read back for ten minutes, so that requests which came before a restart are
    /// known.
    ///
    /// # Errors
    /// [`BeginError`].
    pub fn new(config: Config) -> Result<Self, BeginError> {
        let name = LogName::new(config.log.origin()).map_err(BeginError::LogName)?;
        let replays =
            Replays::of(&config.log, config.limits.remembered, config.clock.now()).map_err(BeginError::Log)?;
        let inner = Inner {
            services: Services::new(config.limits.connect).map_err(BeginError::Tls)?,
            room: Room::new(&config.limits, config.spill),
            log: Arc::new(OwnLog::new(config.log, name)),
            replays,
            server: config.server,
            tls: config.tls,
            directory: config.directory,
            hosting: config.hosting,
            clock: config.clock,
            wire: config.wire,
            limits: config.limits,
            internal: config.internal,
            subjects: config.subjects,
            journal: config.journal,
            operations: config.operations,
            tracer: config.tracer,
            met: RwLock::new(config.met),
            checkpoints: Checkpoints::default(),
            rates: Rates::default(),
            links: Links::default(),
            meter: Arc::default(),
            hands: Hands::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Answers one request of an information system at `from`: what [`Self::serve_edge`] does with each. Its request
    /// target must be that which came.
    pub async fn handle<B: Source>(&self, from: IpAddr, request: Request<B>) -> Response<Body> {
        self.inner.consume(Origin::Network(from), request).await.map(Body::new)
    }

    /// Calls a service in the name of a client in this process, in the way of every other client: `/r1/…` as request
    /// target, `X-Motcua-Purpose` unless one is registered.
    pub async fn call<B: Source>(&self, client: &SubsystemId, request: Request<B>) -> Response<Body> {
        self.inner
            .consume(Origin::Process(client), request)
            .await
            .map(Body::new)
    }

    /// What it has done.
    pub fn figures(&self) -> Figures {
        self.inner.meter.read(self.inner.room.taken(&self.inner.limits))
    }

    /// Members that it has talked to, to be handed to the next start as [`Config::met`].
    pub fn met(&self) -> BTreeSet<MemberId> {
        self.inner.met.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until nothing is in hand: every answer that was delivered is logged.
    pub async fn settled(&self) {
        self.inner.hands.empty().await;
    }
}

impl Inner {
    /// Whether the node talks to a member, by the age of its directory.
    fn acquainted(&self, member: &MemberId) -> Result<(), GatewayFlaw> {
        match self.directory.load().freshness {
            Freshness::Fresh => Ok(()),
            Freshness::Stale { until, .. } if self.clock.now() < until => {
                let met = self.met.read().unwrap_or_else(PoisonError::into_inner);
                let known = *member == self.server.owner || met.contains(member);
                known.then_some(()).ok_or(GatewayFlaw::Stale)
            }
            Freshness::Stale { .. } | Freshness::Expired { .. } => Err(GatewayFlaw::Expired),
        }
    }

    /// Notes that a member proved itself.
    fn meet(&self, member: &MemberId) {
        let known = self.met.read().unwrap_or_else(PoisonError::into_inner).contains(member);
        if !known {
            self.met
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(member.clone());
        }
    }

    /// A refusal in the words of the wire, and in the node's own journal under the same id.
    fn say(&self, refusal: &Refusal, format: Format) -> Answer {
        let detail = uuid::Builder::from_random_bytes(rand::random()).into_uuid();
        tracing::info!(%detail, %refusal, "refused");
        refusal.answer(detail, format, self.wire)
    }

    /// Tells whoever wants to know of a message; never waits for them.
    fn report(&self, record: impl FnOnce(Timestamp) -> OpRecord) {
        if let Some(operations) = &self.operations
            && operations.try_send(record(self.clock.now())).is_err()
        {
            count(&self.meter.operations_dropped);
        }
    }
}

/// Seconds since 1970, as records have them.
fn seconds(time: Timestamp) -> u64 {
    u64::try_from(time.micros() / 1_000_000).unwrap_or(0)
}
