//! Who talks with whom at this moment: members, their services, and what passed between them in the last minutes.
//!
//! No node sees the messages of others, so each draws the map from what the members tell it: the service
//! [`crate::journal::TRAFFIC_SERVICE`] of each, asked through the exchange like any other. They are asked only while somebody
//! looks. A message is known at both its ends; it is counted where it was sent, or, while that node is silent, where it came to.

mod page;
mod picture;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use axum::{Router, routing::get};
use base::{Clock, Result, Timestamp};
use bytes::Bytes;
use futures::{StreamExt, stream};
use identity::{Ctx, Permission, Scope};
use tokio::sync::{Notify, watch};

use crate::{
    Caller,
    journal::{DirectoryNow, Flow, Journal, TRAFFIC_SERVICE, Traffic},
    model::{
        federation::{Directory, Member},
        headers::PURPOSE,
        identifier::{MemberId, ServiceId, SubsystemId},
        monitor::Side,
    },
};

/// Over how many minutes traffic is counted.
const MINUTES: u32 = 5;
/// How often members are asked while somebody looks.
const EVERY: Duration = Duration::from_secs(5);
/// For how long somebody who has looked counts as looking, in seconds.
const LOOKING: i64 = 60;
/// How long a member may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long the first who looks waits for the first answers.
const FIRST_LOOK: Duration = Duration::from_secs(4);
/// Members asked at the same time.
const AT_ONCE: usize = 32;
/// The purpose of these calls.
const CALL_PURPOSE: &str = "exchange.map";

/// What a map stands on.
pub struct Parts {
    /// What passed here.
    pub journal: Journal,
    /// The way to other members.
    pub caller: Arc<dyn Caller>,
    /// The directory as the node has it now.
    pub directory: DirectoryNow,
    /// In whose name the others are asked; its member is this node's.
    pub client: SubsystemId,
    /// The agency (Decision 20/2020/QĐ-TTg) that runs the node: its officers may look.
    pub agency: String,
    /// Whether everybody may look.
    pub public: bool,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

/// The map of a node. Cheap to clone; clones are the same map.
#[derive(Debug, Clone)]
pub struct TrafficMap(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    parts: Parts,
    /// When somebody looked last, in microseconds.
    looked: AtomicI64,
    wake: Notify,
    /// When the members were last asked.
    asked: watch::Sender<Option<Timestamp>>,
    heard: Mutex<BTreeMap<MemberId, Heard>>,
}

/// What is known of a member.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Heard {
    /// When it last answered, and what.
    last: Option<(Timestamp, Vec<Flow>)>,
    /// Since when it has not answered.
    silent: Option<Timestamp>,
}

impl Heard {
    /// What it told, unless that is longer ago than what it told of.
    fn flows(&self, now: Timestamp) -> Option<&[Flow]> {
        let oldest = now.plus_seconds(-60 * i64::from(MINUTES));
        let (_, flows) = self.last.as_ref().filter(|(at, _)| *at >= oldest)?;
        Some(flows)
    }
}

/// Whether a member answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// It does.
    Answers,
    /// Not since then.
    Silent(Timestamp),
    /// It was not asked: it offers nothing that could be asked, or may not take part.
    Unasked,
}

/// What is drawn: members as the directory has them, and what passed between them.
#[derive(Debug, Clone)]
pub(crate) struct Picture {
    pub members: Vec<(Member, Reach)>,
    pub flows: Vec<Flow>,
    pub asked: Option<Timestamp>,
}

impl TrafficMap {
    /// A map of what is in the directory; nobody is asked until somebody looks.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(Inner {
            parts,
            looked: AtomicI64::new(i64::MIN),
            wake: Notify::new(),
            asked: watch::Sender::new(None),
            heard: Mutex::default(),
        }))
    }

    /// The page `/exchange/map` and the part of it that is kept current, `/exchange/map/live`.
    pub fn pages(&self) -> Router {
        Router::new()
            .route("/exchange/map", get(page::whole))
            .route("/exchange/map/live", get(page::live))
            .with_state(self.clone())
    }

    /// Asks the members again and again while somebody looks, until `stop` becomes true.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            if self.is_looked_at() {
                self.ask_all().await;
                tokio::select! {
                    _ = stop.changed() => {}
                    () = tokio::time::sleep(EVERY) => {}
                }
            } else {
                tokio::select! {
                    _ = stop.changed() => {}
                    () = self.0.wake.notified() => {}
                }
            }
        }
    }

    fn is_looked_at(&self) -> bool {
        let looked = Timestamp::from_micros(self.0.looked.load(Ordering::Relaxed));
        self.0.parts.clock.now() < looked.plus_seconds(LOOKING)
    }

    /// What is known now. Whoever looks first waits a moment for the first answers.
    ///
    /// # Errors
    /// `Forbidden` for those who may not see the exchange of this node, unless the map is public.
    async fn look(&self, ctx: &Ctx) -> Result<Picture> {
        let parts = &self.0.parts;
        if !parts.public {
            ctx.require(Permission::ReadExchange, &Scope::Agency(parts.agency.clone()))?;
        }
        let now = parts.clock.now();
        self.0.looked.store(now.micros(), Ordering::Relaxed);
        self.0.wake.notify_one();
        let mut asked = self.0.asked.subscribe();
        let recent = now.plus_seconds(-LOOKING);
        let first = asked.wait_for(|asked| asked.is_some_and(|asked| asked > recent));
        // In vain, too, there is a picture.
        let _ = tokio::time::timeout(FIRST_LOOK, first).await;
        let view = (parts.directory)();
        let last = *self.0.asked.borrow();
        Ok(picture(view.directory(), &self.heard(), last, parts.clock.now()))
    }

    fn heard(&self) -> MutexGuard<'_, BTreeMap<MemberId, Heard>> {
        self.0.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask_all(&self) {
        let view = (self.0.parts.directory)();
        let asked: Vec<(MemberId, Option<ServiceId>)> = view
            .directory()
            .members
            .iter()
            .filter_map(|member| {
                let own = member.id == self.0.parts.client.member;
                let service = tells(member).filter(|_| !own);
                (own || service.is_some()).then(|| (member.id.clone(), service))
            })
            .collect();
        let present: BTreeSet<MemberId> = asked.iter().map(|(member, _)| member.clone()).collect();
        let answers = stream::iter(asked).map(|(member, service)| async move {
            let told = match service {
                Some(service) => self.ask(&service).await,
                None => self.own().await,
            };
            (member, told)
        });
        let answers: Vec<_> = answers.buffer_unordered(AT_ONCE).collect().await;
        let now = self.0.parts.clock.now();
        let mut heard = self.heard();
        heard.retain(|member, _| present.contains(member));
        for (member, told) in answers {
            let of_member = heard.entry(member).or_default();
            match told {
                Some(flows) => {
                    *of_member = Heard {
                        last: Some((now, flows)),
                        silent: None,
                    }
                }
                None => {
                    of_member.silent.get_or_insert(now);
                }
            }
        }
        drop(heard);
        self.0.asked.send_replace(Some(now));
    }

    async fn own(&self) -> Option<Vec<Flow>> {
        let parts = &self.0.parts;
        match parts.journal.traffic(MINUTES, parts.clock.now()).await {
            Ok(traffic) => Some(traffic.flows),
            Err(error) => {
                tracing::warn!(%error, "the traffic of this node cannot be read");
                None
            }
        }
    }

    async fn ask(&self, service: &ServiceId) -> Option<Vec<Flow>> {
        let request = http::Request::get(format!("/r1/{service}/traffic?minutes={MINUTES}"))
            .header(PURPOSE, CALL_PURPOSE)
            .body(Bytes::new())
            .ok()?;
        let call = self.0.parts.caller.call(&self.0.parts.client, request);
        let answer = match tokio::time::timeout(PATIENCE, call).await {
            Ok(Ok(answer)) if answer.status().is_success() => answer,
            Ok(Ok(answer)) => {
                tracing::debug!(%service, status = %answer.status(), "a member does not tell of its traffic");
                return None;
            }
            Ok(Err(refusal)) => {
                tracing::debug!(%service, %refusal, "a member does not tell of its traffic");
                return None;
            }
            Err(_) => return None,
        };
        let told: Traffic = serde_json::from_slice(answer.body()).ok()?;
        // A member speaks of its own messages only.
        let own = |flow: &Flow| match flow.side {
            Side::Client => flow.client == service.provider.member,
            Side::Producer => flow.service.provider.member == service.provider.member,
        };
        Some(told.flows.into_iter().filter(own).collect())
    }
}

/// The service of a member that tells of its traffic.
fn tells(member: &Member) -> Option<ServiceId> {
    if member.suspended.is_some() {
        return None;
    }
    member.subsystems.iter().find_map(|subsystem| {
        let mut services = subsystem.services.iter();
        let service = services.find(|service| service.code.as_str() == TRAFFIC_SERVICE)?;
        Some(ServiceId {
            provider: SubsystemId {
                member: member.id.clone(),
                code: subsystem.code.clone(),
            },
            code: service.code.clone(),
        })
    })
}

fn picture(
    directory: &Directory,
    heard: &BTreeMap<MemberId, Heard>,
    asked: Option<Timestamp>,
    now: Timestamp,
) -> Picture {
    let reach = |member: &Member| match heard.get(&member.id) {
        Some(Heard {
            silent: Some(since), ..
        }) => Reach::Silent(*since),
        Some(_) => Reach::Answers,
        None => Reach::Unasked,
    };
    let told: BTreeMap<&MemberId, &[Flow]> = heard
        .iter()
        .filter_map(|(member, heard)| Some((member, heard.flows(now)?)))
        .collect();
    let is_counted = |member: &MemberId, flow: &Flow| match flow.side {
        Side::Client => *member == flow.client,
        Side::Producer => !told.contains_key(&flow.client),
    };
    let all = told
        .iter()
        .flat_map(|(member, flows)| flows.iter().map(move |flow| (*member, flow)));
    let mut flows: Vec<Flow> = all
        .filter(|(member, flow)| is_counted(member, flow))
        .map(|(_, flow)| flow.clone())
        .collect();
    flows.sort_by(|a, b| (b.messages, &a.client, &a.service).cmp(&(a.messages, &b.client, &b.service)));
    Picture {
        members: directory
            .members
            .iter()
            .map(|member| (member.clone(), reach(member)))
            .collect(),
        flows,
        asked,
    }
}
