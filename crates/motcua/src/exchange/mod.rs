//! The exchange of this node: its gateway, what it hosts, its journal and events, and, at the operator, the directory.
//!
//! A node that has joined has a folder `exchange` in its data ([`exchange::directory::join`]); the operator has `federation`
//! beside it ([`operator`]). `motcua node …` makes both ([`commands`]).

pub mod commands;
pub mod config;
pub mod keys;
pub mod operator;
pub mod shared;
mod watched;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};

use ::exchange::{
    BuiltIn, Caller,
    access::{self, Access},
    directory::{Follower, Following, Membership, api, files, join, pages, trust_store},
    events::{self, Events},
    gateway::{self, Gateway},
    journal::{self, Journal},
    map::{self, TrafficMap},
    model::{
        error::{ErrorCode, Refusal, Wire},
        federation::{Freshness, Service, Subsystem},
        identifier::{MemberId, ServerId, SubsystemId},
        meta::ServiceKind,
        monitor::OpRecord,
        tracker::SubjectKey,
    },
    routers,
};
use ::traces::Tracer;
use anyhow::Context as _;
use axum::Router;
use base::{Calendar, Clock};
use bytes::Bytes;
use futures::future::BoxFuture;
use identity::{Ctx, Entropy, IdentityState, Sealer};
use store::{Store, jobs::Runner};
use tokio::{
    net::TcpListener,
    sync::{Mutex, mpsc, watch},
};
use trust::{Revocations, Tls};
use utoipa_axum::router::OpenApiRouter;

use self::keys::Keys;
pub use self::watched::Watched;
use crate::{
    config::{Config, Secret},
    traces,
};

/// How often a node looks whether what it offers is what the directory says of it; at once when that has changed here.
const PUBLISHED: Duration = Duration::from_secs(15);
/// How soon it sees that what it offers has changed.
const SEEN: Duration = Duration::from_secs(1);
/// How long the operator may take to answer.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// What stands under the exchange.
pub struct Ground<'a> {
    /// The settings of the node.
    pub config: &'a Config,
    /// Its secret.
    pub secret: &'a Secret,
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The working days.
    pub calendar: Calendar,
    /// Who may.
    pub identity: IdentityState,
    /// The node's transparency log.
    pub log: Arc<ledger::Log>,
    /// Those that ended before it, the oldest first.
    pub former: Vec<::ledger::Ledger>,
    /// What traces messages and jobs.
    pub tracer: Tracer,
    /// What other rooms of the node answer behind the gateway.
    pub services: BTreeMap<String, Router>,
}

/// The exchange of a node. Cheap to clone.
#[derive(Clone)]
pub struct Exchange {
    operator: Option<Membership>,
    member: Option<Arc<Joined>>,
}

/// What a node has once it is a member's.
pub(crate) struct Joined {
    config: config::Exchange,
    folder: PathBuf,
    server: ServerId,
    keys: Arc<Keys>,
    clock: Arc<dyn Clock>,
    tracer: Tracer,
    follower: Follower,
    tls: Tls,
    gateway: Gateway,
    pub(crate) access: Access,
    pub(crate) journal: Journal,
    pub(crate) events: Events,
    map: TrafficMap,
    /// Where access and events are, if not in the node's own database.
    shared: Option<Store>,
    operations: Mutex<Option<mpsc::Receiver<OpRecord>>>,
}

impl Exchange {
    /// Opens what is there: the directory, if this node was made its operator; the gateway, if it has joined.
    ///
    /// # Errors
    /// Keys, certificate or directory cannot be read; an address is taken.
    pub async fn open(ground: Ground<'_>) -> anyhow::Result<Self> {
        let config = ground.config.exchange.clone().unwrap_or_default();
        let operator = operator::open(ground.config, &config, &ground.store, &ground.clock).await?;
        let folder = ground.config.data.join(commands::FOLDER);
        let member = match join::Node::open(&folder) {
            Ok(node) if node.credential().is_ok() => Some(Arc::new(Joined::open(ground, config, folder, node).await?)),
            Ok(_) => {
                tracing::warn!("the node has not joined: run `motcua node join`");
                None
            }
            Err(_) if !folder.join("node.json").exists() => None,
            Err(error) => return Err(error).with_context(|| format!("opening {}", folder.display())),
        };
        Ok(Self { operator, member })
    }

    /// The directory that this node follows, if it has joined.
    pub fn directory(&self) -> Option<journal::DirectoryNow> {
        let standing = self.member.as_ref()?.follower.standing();
        Some(Arc::new(move || Arc::clone(&standing.load().view)))
    }

    /// What this node is as the operator of the federation.
    #[cfg(test)]
    pub(crate) fn operator(&self) -> Option<&Membership> {
        self.operator.as_ref()
    }

    /// What this node is as a member's.
    #[cfg(test)]
    pub(crate) fn member(&self) -> Option<&Arc<Joined>> {
        self.member.as_ref()
    }

    /// Pages for people and officers.
    pub fn pages(&self) -> Router {
        let mut routes = Router::new();
        if let Some(membership) = &self.operator {
            routes = routes
                .nest("/exchange/directory", files(membership.publisher().folder().to_owned()))
                .merge(api::nodes(membership.clone()))
                .merge(pages::operator(membership.clone()));
        }
        if let Some(joined) = &self.member {
            routes = routes
                .merge(pages::public(joined.follower.clone()))
                .merge(joined.map.pages())
                .merge(access::pages::router(joined.access.clone()))
                .merge(journal::pages(joined.journal.clone()))
                .merge(events::pages::router(joined.events.clone()));
        }
        routes
    }

    /// The JSON API.
    pub fn api(&self) -> OpenApiRouter {
        let mut routes = OpenApiRouter::new();
        if let Some(membership) = &self.operator {
            routes = routes.merge(api::operator(membership.clone()));
        }
        if let Some(joined) = &self.member {
            routes = routes
                .merge(api::directory(joined.follower.clone()))
                .merge(access::api::router(joined.access.clone()))
                .merge(journal::api(joined.journal.clone()))
                .merge(events::api::router(joined.events.clone()));
        }
        routes
    }

    /// Teaches a runner the deferred work.
    pub fn handlers(&self, runner: Runner) -> Runner {
        let Some(joined) = &self.member else { return runner };
        let runner = journal::handlers(runner, &joined.journal);
        if joined.shared.is_some() {
            return runner;
        }
        joined.handlers(runner)
    }

    /// Makes calls in the name of this node's own system; none before the node has joined.
    pub fn calling(&self) -> Option<(Arc<dyn Caller>, SubsystemId)> {
        let joined = self.member.as_ref()?;
        let system = SubsystemId {
            member: joined.server.owner.clone(),
            code: joined.config.subsystem.clone(),
        };
        Some((Arc::new(joined.gateway.clone()), system))
    }

    /// The room of events; none before the node has joined.
    pub fn events(&self) -> Option<&Events> {
        self.member.as_ref().map(|joined| &joined.events)
    }

    /// Works until `stop` becomes true; then finishes what is in hand.
    ///
    /// # Errors
    /// An address is taken, or the database failed at the start.
    pub async fn run(self, store: &Store, stop: watch::Receiver<bool>) -> anyhow::Result<()> {
        let mut beside = tokio::task::JoinSet::new();
        if let Some(membership) = self.operator {
            beside.spawn(membership.keep());
        }
        if let Some(joined) = self.member {
            let now = joined.clock.now();
            journal::schedule(store, now).await?;
            let ours = joined.shared.as_ref().unwrap_or(store);
            events::schedule(ours, now).await?;
            let runner = || Runner::new(ours.clone(), Arc::clone(&joined.clock)).traced(joined.tracer.clone());
            if joined.shared.is_some() {
                beside.spawn(joined.handlers(runner()).run(stop.clone()));
            }
            // A runner of its own: it waits for the slowest webhook.
            beside.spawn(events::webhook::nudges(runner(), &joined.events).run(stop.clone()));
            joined.serve(&mut beside, stop.clone()).await?;
        }
        stopped(stop).await;
        beside.shutdown().await;
        Ok(())
    }
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    // The sender gone means the same.
    let _ = stop.wait_for(|stop| *stop).await;
}

impl Joined {
    /// The deferred work of access and events.
    fn handlers(&self, runner: Runner) -> Runner {
        let runner = access::handlers(runner, &self.access, Arc::new(self.gateway.clone()));
        events::jobs(runner, &self.events)
    }

    async fn open(
        ground: Ground<'_>,
        config: config::Exchange,
        folder: PathBuf,
        node: join::Node,
    ) -> anyhow::Result<Self> {
        let clock = Arc::clone(&ground.clock);
        let url = operator_url(&folder)?;
        let mirrors = if config.mirrors.is_empty() {
            vec![join::Operator::at(&url, PATIENCE)?.mirror()]
        } else {
            config.mirrors.clone()
        };
        let following = Following {
            every: Duration::from_secs(config.refresh_seconds.max(1)),
            ..Following::new(mirrors, node.directory_folder(), Arc::clone(&clock))
        };
        let follower = Follower::open(following).await?;
        let standing = follower.standing();
        let believed = trust_store(&standing.load().view, Revocations::default(), clock.now())?;
        let tls = Tls::new(node.credential()?, believed, Arc::clone(&clock));

        let shared = shared::open(ground.config).await?;
        let ours = shared.as_ref().unwrap_or(&ground.store);
        let pending = ours.pending(shared::MIGRATIONS).await?;
        if !pending.is_empty() {
            anyhow::bail!(
                "the shared database lacks {}; run `motcua migrate` first",
                pending.join(", ")
            );
        }
        let member = node.server().owner;
        let access_config = access::Config {
            members: [(member.clone(), config.agency.clone())].into(),
            ..access::Config::default()
        };
        let now = Arc::clone(&standing);
        let access = Access::open(
            ours.clone(),
            Arc::clone(&clock),
            ground.calendar.clone(),
            access_config,
            Entropy::system(),
            Sealer::new(ground.secret.key("services")),
            Arc::new(move || Some(now.load().as_ref().clone())),
        )
        .await?;
        let events_config = events::Config {
            secret: ground.secret.key("events"),
            webhooks: events::webhook::Webhooks {
                loopback: config.webhooks.loopback,
                ..Default::default()
            },
            tracer: ground.tracer.clone(),
        };
        let events = Events::new(ours.clone(), &events_config, Arc::clone(&clock))?;

        let (records, operations) = mpsc::channel(journal::QUEUE);
        let subjects = SubjectKey::new(ground.secret.key("subjects"));
        let subsystem = SubsystemId {
            member,
            code: config.subsystem.clone(),
        };
        let (view, late) = (Arc::clone(&standing), Arc::new(Late::default()));
        let directory: journal::DirectoryNow = Arc::new(move || Arc::clone(&view.load().view));
        let journal = Journal::new(journal::Parts {
            store: ground.store,
            log: Arc::clone(&ground.log),
            former: ground.former,
            identity: ground.identity,
            directory: Arc::clone(&directory),
            calendar: ground.calendar,
            clock: Arc::clone(&clock),
            caller: Some(Arc::<Late>::clone(&late)),
            config: config
                .journal
                .of_node(&config.agency, subsystem.clone(), subjects.clone()),
        })?;
        let map = TrafficMap::new(map::Parts {
            journal: journal.clone(),
            caller: Arc::<Late>::clone(&late),
            directory,
            client: subsystem,
            agency: config.agency.clone(),
            public: config.public_map,
            clock: Arc::clone(&clock),
        });
        let mut internal = routers(&access, &journal, &events);
        internal.extend(ground.services);
        let traced = |(name, routes)| (name, traces::around(routes, ground.tracer.clone()));
        let internal = internal.into_iter().map(traced).collect();
        let gateway = gateway::Config {
            server: node.server(),
            tls: tls.clone(),
            log: ground.log,
            directory: Arc::clone(&standing),
            hosting: access.hosted().handle(),
            clock: Arc::clone(&clock),
            wire: Wire::default(),
            limits: config.limits.of_gateway(),
            internal,
            spill: folder.join("spill"),
            subjects,
            met: met(&folder),
            journal: Some(journal.clone()),
            operations: Some(records),
            tracer: ground.tracer.clone(),
        };
        std::fs::create_dir_all(&gateway.spill).with_context(|| format!("making {}", gateway.spill.display()))?;
        let gateway = tokio::task::spawn_blocking(move || Gateway::new(gateway)).await??;
        // Set once, here.
        let _ = late.0.set(gateway.clone());
        Ok(Self {
            config,
            server: node.server(),
            keys: Arc::new(Keys::new(&folder, node, tls.clone(), Arc::clone(&clock))),
            folder,
            clock,
            tracer: ground.tracer,
            follower,
            tls,
            gateway,
            access,
            journal,
            events,
            map,
            shared,
            operations: Mutex::new(Some(operations)),
        })
    }

    async fn serve(
        self: Arc<Self>,
        beside: &mut tokio::task::JoinSet<()>,
        stop: watch::Receiver<bool>,
    ) -> anyhow::Result<()> {
        let edge = listener(self.config.edge).await?;
        let peers = listener(self.config.peers).await?;
        beside.spawn(self.follower.clone().run());
        beside.spawn(Arc::clone(&self).follow_trust());
        beside.spawn(Arc::clone(&self).keep_entry());
        beside.spawn(Arc::clone(&self.keys).keep(self.follower.clone()));
        beside.spawn(self.access.hosted().clone().run(stop.clone()));
        beside.spawn(self.journal.clone().follow(stop.clone()));
        beside.spawn(self.map.clone().run(stop.clone()));
        if let Some(records) = self.operations.lock().await.take() {
            beside.spawn(self.journal.clone().keep_operations(records));
        }
        tracing::info!(edge = %self.config.edge, peers = %self.config.peers, server = %self.server, "the gateway is open");
        let (to_edge, to_peers) = (
            self.gateway.serve_edge(edge, None, stopped(stop.clone())),
            self.gateway.serve_peers(peers, stopped(stop)),
        );
        let served = tokio::try_join!(to_edge, to_peers);
        self.gateway.settled().await;
        keep_met(&self.folder, &self.gateway.met())?;
        served?;
        Ok(())
    }

    /// Believes whom the newest directory says.
    async fn follow_trust(self: Arc<Self>) {
        let mut editions = self.follower.editions();
        while editions.changed().await.is_ok() {
            let standing = self.follower.standing().load_full();
            let known = self.tls.trust().revocations().clone();
            match trust_store(&standing.view, known, self.clock.now()) {
                Ok(believed) => self.tls.swap_trust(believed),
                Err(error) => {
                    tracing::error!(%error, "the directory names whom nobody can believe; the last one goes on")
                }
            }
        }
    }

    /// Keeps what the directory says of this node in line with what it offers, and on disk whom the node has met: both must be
    /// there when it is killed.
    async fn keep_entry(self: Arc<Self>) {
        let mut kept = BTreeSet::new();
        loop {
            let told = self.access.hosted().now();
            let met = self.gateway.met();
            if met != kept {
                match keep_met(&self.folder, &met) {
                    Ok(()) => kept = met,
                    Err(error) => tracing::warn!(%error, "whom the node has met could not be written down"),
                }
            }
            if let Err(error) = self.publish().await {
                tracing::warn!(%error, "the directory could not be told what this node offers");
            }
            let since = tokio::time::Instant::now();
            loop {
                tokio::time::sleep(SEEN).await;
                if since.elapsed() >= PUBLISHED || !Arc::ptr_eq(&told, &self.access.hosted().now()) {
                    break;
                }
            }
        }
    }

    async fn publish(&self) -> anyhow::Result<()> {
        let standing = self.follower.standing().load_full();
        if standing.freshness != Freshness::Fresh {
            return Ok(());
        }
        let member = self.server.owner.clone();
        let entry = self.entry(&member).await?;
        let said = standing.view.member(&member);
        if said.is_some_and(|said| same(&said.subsystems, &entry.subsystems)) {
            return Ok(());
        }
        self.keys.publish(entry).await?;
        tracing::info!("the directory was told what this node offers");
        // It is news to this node, too.
        let _ = self.follower.refresh().await;
        Ok(())
    }

    /// What this node offers, as the directory is to say it.
    async fn entry(&self, member: &MemberId) -> anyhow::Result<join::NewEntry> {
        let ctx = Ctx::system("motcua exchange", self.clock.now());
        let hosting = self.access.hosted().now();
        let mut badges = self.access.badges().await?;
        let (mut subsystems, mut documents) = (Vec::new(), Vec::new());
        let mut named = std::collections::BTreeMap::new();
        let mut after = String::new();
        loop {
            let (page, next) = self.access.services(&ctx, &after, 100).await?;
            named.extend(page.into_iter().map(|view| (view.service, view.name)));
            match next {
                Some(next) => after = next,
                None => break,
            }
        }
        for system in self.access.own_systems(&ctx).await? {
            if system.subsystem.member != *member {
                continue;
            }
            let mut services = Vec::new();
            for (id, local) in hosting
                .services
                .iter()
                .filter(|(id, _)| id.provider == system.subsystem)
            {
                let document = local.openapi.as_deref().map(String::from_utf8_lossy);
                let description = document.as_deref().map(join::description_of).transpose()?;
                documents.extend(document.map(std::borrow::Cow::into_owned));
                services.push(Service {
                    code: id.code.clone(),
                    name: named
                        .get(id)
                        .cloned()
                        .or_else(|| Some(BuiltIn::of(&id.code)?.name()))
                        .unwrap_or_default(),
                    kind: if description.is_some() {
                        local.kind
                    } else {
                        ServiceKind::Rest
                    },
                    description,
                    badge: badges.remove(id),
                    gateways: Vec::new(),
                });
            }
            subsystems.push(Subsystem {
                code: system.subsystem.code,
                name: system.name,
                services,
            });
        }
        Ok(join::NewEntry { subsystems, documents })
    }
}

/// The gateway for the journal, whose routes the gateway itself serves.
#[derive(Default)]
struct Late(OnceLock<Gateway>);

impl Caller for Late {
    fn call<'a>(
        &'a self,
        client: &'a SubsystemId,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'a, Result<http::Response<Bytes>, Refusal>> {
        match self.0.get() {
            Some(gateway) => Caller::call(gateway, client, request),
            None => Box::pin(async { Err(Refusal::new(ErrorCode::ClientNetworkError)) }),
        }
    }
}

/// Whether the directory says what is offered.
fn same(said: &[Subsystem], offered: &[Subsystem]) -> bool {
    let bare = |subsystems: &[Subsystem]| -> Vec<Subsystem> {
        let mut bare = subsystems.to_vec();
        for subsystem in &mut bare {
            subsystem.services.sort_by(|a, b| a.code.cmp(&b.code));
        }
        bare.sort_by(|a, b| a.code.cmp(&b.code));
        bare
    };
    bare(said) == bare(offered)
}

async fn listener(at: std::net::SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(at)
        .await
        .with_context(|| format!("listening on {at}"))
}

/// Where the operator is, as `motcua node join` was told.
fn operator_url(folder: &std::path::Path) -> anyhow::Result<String> {
    let path = folder.join(commands::OPERATOR);
    let url = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    Ok(url.trim().to_owned())
}

const MET: &str = "met.json";

/// The members that the node has talked to before; a file that cannot be read is none.
fn met(folder: &std::path::Path) -> BTreeSet<MemberId> {
    std::fs::read(folder.join(MET))
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default()
}

/// Written beside and renamed: a crash or a full disk leaves the old file or the new one.
fn keep_met(folder: &std::path::Path, met: &BTreeSet<MemberId>) -> anyhow::Result<()> {
    let (path, half) = (folder.join(MET), folder.join("met.tmp"));
    std::fs::write(&half, serde_json::to_vec(met)?)
        .and_then(|()| std::fs::rename(&half, &path))
        .with_context(|| format!("writing {}", path.display()))
}

#[cfg(test)]
pub(crate) mod tests;
