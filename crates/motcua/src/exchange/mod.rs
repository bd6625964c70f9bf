//! The exchange of this node: its gateway, what it hosts, its journal and events, and, at the operator, the directory.
//!
//! A node that has joined has a folder `exchange` in its data ([`exchange::directory::join`]); the operator has `federation`
//! beside it ([`operator`]). `motcua node …` makes both ([`commands`]).

pub mod commands;
pub mod config;
pub mod operator;

use std::{
    collections::BTreeSet,
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
    model::{
        error::{ErrorCode, Refusal, Wire},
        federation::{Freshness, Service, Subsystem},
        identifier::{MemberId, SubsystemId},
        meta::ServiceKind,
        monitor::OpRecord,
        tracker::SubjectKey,
    },
    routers,
};
use anyhow::Context as _;
use axum::Router;
use base::{Calendar, Clock};
use bytes::Bytes;
use futures::future::BoxFuture;
use identity::{Ctx, Entropy, IdentityState};
use store::{Store, jobs::Runner};
use tokio::{
    net::TcpListener,
    sync::{Mutex, mpsc, watch},
};
use trust::{Revocations, Tls};
use utoipa_axum::router::OpenApiRouter;

use crate::config::{Config, Secret};

/// How often a node looks whether what it offers is what the directory says of it.
const PUBLISHED: Duration = Duration::from_secs(15);
/// How long the operator may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

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
}

/// The exchange of a node. Cheap to clone.
#[derive(Clone)]
pub struct Exchange {
    operator: Option<Membership>,
    member: Option<Arc<Joined>>,
}

/// What a node has once it is a member's.
struct Joined {
    config: config::Exchange,
    folder: PathBuf,
    node: join::Node,
    clock: Arc<dyn Clock>,
    follower: Follower,
    tls: Tls,
    gateway: Gateway,
    access: Access,
    journal: Journal,
    events: Events,
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
        let caller = Arc::new(joined.gateway.clone());
        let runner = access::handlers(runner, &joined.access, caller);
        let runner = journal::handlers(runner, &joined.journal);
        events::jobs(runner, &joined.events)
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
            events::schedule(store, now).await?;
            // A runner of its own: it waits for the slowest webhook.
            let nudges = events::webhook::nudges(Runner::new(store.clone(), Arc::clone(&joined.clock)), &joined.events);
            beside.spawn(nudges.run(stop.clone()));
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
        let following = Following::new(mirrors, node.directory_folder(), Arc::clone(&clock));
        let follower = Follower::open(following).await?;
        let standing = follower.standing();
        let believed = trust_store(&standing.load().view, Revocations::default(), clock.now())?;
        let tls = Tls::new(node.credential()?, believed, Arc::clone(&clock));

        let member = node.server().owner;
        let access_config = access::Config {
            members: [(member.clone(), config.agency.clone())].into(),
            ..access::Config::default()
        };
        let now = Arc::clone(&standing);
        let access = Access::open(
            ground.store.clone(),
            Arc::clone(&clock),
            ground.calendar.clone(),
            access_config,
            Entropy::system(),
            Arc::new(move || Some(now.load().as_ref().clone())),
        )
        .await?;
        let events_config = events::Config {
            secret: ground.secret.key("events"),
            webhooks: events::webhook::Webhooks {
                loopback: config.webhooks.loopback,
                ..Default::default()
            },
        };
        let events = Events::new(ground.store.clone(), &events_config, Arc::clone(&clock))?;

        let (records, operations) = mpsc::channel(journal::QUEUE);
        let subjects = SubjectKey::new(ground.secret.key("subjects"));
        let subsystem = SubsystemId {
            member,
            code: config.subsystem.clone(),
        };
        let (view, late) = (Arc::clone(&standing), Arc::new(Late::default()));
        let journal = Journal::new(journal::Parts {
            store: ground.store,
            log: Arc::clone(&ground.log),
            identity: ground.identity,
            directory: Arc::new(move || Arc::clone(&view.load().view)),
            calendar: ground.calendar,
            clock: Arc::clone(&clock),
            caller: Some(Arc::<Late>::clone(&late)),
            config: journal::Config::new(&config.agency, subsystem, subjects.clone()),
        })?;
        let gateway = gateway::Config {
            server: node.server(),
            tls: tls.clone(),
            log: ground.log,
            directory: Arc::clone(&standing),
            hosting: access.hosted().handle(),
            clock: Arc::clone(&clock),
            wire: Wire::default(),
            limits: gateway::Limits::default(),
            internal: routers(&access, &journal, &events),
            spill: folder.join("spill"),
            subjects,
            met: met(&folder),
            operations: Some(records),
        };
        std::fs::create_dir_all(&gateway.spill).with_context(|| format!("making {}", gateway.spill.display()))?;
        let gateway = tokio::task::spawn_blocking(move || Gateway::new(gateway)).await??;
        // Set once, here.
        let _ = late.0.set(gateway.clone());
        Ok(Self {
            config,
            folder,
            node,
            clock,
            follower,
            tls,
            gateway,
            access,
            journal,
            events,
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
        beside.spawn(self.access.hosted().clone().run(stop.clone()));
        beside.spawn(self.journal.clone().follow(stop.clone()));
        if let Some(records) = self.operations.lock().await.take() {
            beside.spawn(self.journal.clone().keep_operations(records));
        }
        tracing::info!(edge = %self.config.edge, peers = %self.config.peers, server = %self.node.server(), "the gateway is open");
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
            tokio::time::sleep(PUBLISHED).await;
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
        }
    }

    async fn publish(&self) -> anyhow::Result<()> {
        let standing = self.follower.standing().load_full();
        if standing.freshness != Freshness::Fresh {
            return Ok(());
        }
        let member = self.node.server().owner;
        let entry = self.entry(&member).await?;
        let said = standing.view.member(&member);
        if said.is_some_and(|said| same(&said.subsystems, &entry.subsystems)) {
            return Ok(());
        }
        let operator = join::Operator::at(&operator_url(&self.folder)?, PATIENCE)?;
        self.node.publish(&operator, entry).await?;
        tracing::info!("the directory was told what this node offers");
        // It is news to this node, too.
        let _ = self.follower.refresh().await;
        Ok(())
    }

    /// What this node offers, as the directory is to say it.
    async fn entry(&self, member: &MemberId) -> anyhow::Result<join::NewEntry> {
        let ctx = Ctx::system("motcua exchange", self.clock.now());
        let hosting = self.access.hosted().now();
        let (mut subsystems, mut documents) = (Vec::new(), Vec::new());
        let mut named = std::collections::BTreeMap::new();
        let mut after = String::new();
        loop {
            let (page, next) = self.access.services(&ctx, &after).await?;
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
                    badge: None,
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

/// Whether the directory says what is offered. A badge is the directory's own matter.
fn same(said: &[Subsystem], offered: &[Subsystem]) -> bool {
    let bare = |subsystems: &[Subsystem]| -> Vec<Subsystem> {
        let mut bare = subsystems.to_vec();
        for subsystem in &mut bare {
            subsystem.services.iter_mut().for_each(|service| service.badge = None);
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
mod tests;
