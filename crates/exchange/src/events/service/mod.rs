//! The use cases of events.

mod publish;
mod pull;
mod retention;
mod subscribe;
mod types;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use ::store::Store;
use base::{Clock, Error, Kind, Result, Text, Timestamp};
use identity::{Ctx, Permission, Scope};
use tokio::sync::Semaphore;
use traces::Tracer;
use uuid::Uuid;

pub use pull::{Batch, Pull, Pulled};
pub use retention::{RETENTION, jobs, schedule};
pub use subscribe::{Deliveries, Delivery, SubscribeRequest, Subscription};
pub use types::{EventType, Inspected, NewType, Status};

use super::{
    model::{Schema, TypeId},
    webhook::{Caller, Webhooks},
};
use crate::{
    access::{agency_of, reach, systems_of, visible},
    model::identifier::SubsystemId,
};
use publish::Line;

/// Who is a steward of events: whoever says what an agency offers through the exchange. It reaches the event types of that agency's
/// systems and of those below it, and no others.
pub const STEWARD: Permission = Permission::ManageExchange;
/// Readers that may wait for news at the same time.
const WAITING: usize = 512;
/// Rows on a page.
pub const PAGE: u32 = 50;

/// What the room needs to know.
#[derive(Clone)]
pub struct Config {
    /// The node's own secret; the secrets of webhooks are derived from it.
    pub secret: [u8; 32],
    /// How webhooks are called.
    pub webhooks: Webhooks,
    /// What traces the calls of webhooks.
    pub tracer: Tracer,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("webhooks", &self.webhooks)
            .finish_non_exhaustive()
    }
}

/// Who asks: an information system, as the gateway has recognised it, or a steward.
#[derive(Debug, Clone, Copy)]
pub enum Asker<'a> {
    /// The subsystem of `X-Road-Client`.
    Subsystem(&'a SubsystemId),
    /// A signed-in officer.
    Steward(&'a Ctx),
}

/// Whether a subsystem is the owner.
fn require_same(asker: &SubsystemId, owner: &SubsystemId) -> Result<()> {
    if asker == owner {
        return Ok(());
    }
    Err(Error::refused(
        Kind::Forbidden,
        "event-not-owner",
        format!("{asker} không phải là hệ thống {owner} nên không được làm việc này."),
        format!("{asker} is not {owner} and may not do this."),
    ))
}

impl Asker<'_> {
    fn name(self) -> String {
        match self {
            Self::Subsystem(asker) => asker.to_string(),
            Self::Steward(ctx) => ctx.actor_name().to_owned(),
        }
    }
}

/// One page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// Its rows.
    pub rows: Vec<T>,
    /// What to ask for after them, if there is more.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Cuts the one row that was read too many.
    fn of<R>(
        mut rows: Vec<R>,
        most: u32,
        place: impl FnOnce(&R) -> String,
        read: impl FnMut(R) -> Result<T>,
    ) -> Result<Self> {
        let most = most as usize;
        let more = rows.len() > most;
        rows.truncate(most);
        let next = rows.last().filter(|_| more).map(place);
        Ok(Self {
            rows: rows.into_iter().map(read).collect::<Result<_>>()?,
            next,
        })
    }
}

/// The beginning of a list that goes from new to old.
const NEWEST: (i64, Uuid) = (i64::MAX, Uuid::max());

/// The events of a node. Cheap to clone.
#[derive(Clone)]
pub struct Events(Arc<Inner>);

struct Inner {
    store: Store,
    clock: Arc<dyn Clock>,
    secret: [u8; 32],
    webhooks: Caller,
    schemas: RwLock<HashMap<(TypeId, i64), Arc<Schema>>>,
    lines: RwLock<HashMap<TypeId, Arc<Line>>>,
    waiting: Semaphore,
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events")
            .field("store", &self.0.store)
            .finish_non_exhaustive()
    }
}

impl Events {
    /// The events of a node.
    ///
    /// # Errors
    /// The client of webhooks cannot be made: no TLS.
    pub fn new(store: Store, config: &Config, clock: Arc<dyn Clock>) -> Result<Self> {
        Ok(Self(Arc::new(Inner {
            store,
            clock,
            secret: config.secret,
            webhooks: Caller::new(config.webhooks, config.tracer.clone())?,
            schemas: RwLock::default(),
            lines: RwLock::default(),
            waiting: Semaphore::new(WAITING),
        })))
    }

    /// Whether the things of `owner` are the asker's.
    async fn require_owner(&self, asker: Asker<'_>, owner: &SubsystemId) -> Result<()> {
        match asker {
            Asker::Subsystem(asker) => require_same(asker, owner),
            Asker::Steward(ctx) => ctx.require(STEWARD, &self.scope(owner).await?),
        }
    }

    /// Whether an officer may change what belongs to `owner`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn may_steward(&self, ctx: &Ctx, owner: &SubsystemId) -> Result<bool> {
        Ok(ctx.may(STEWARD, &self.scope(owner).await?))
    }

    /// Whether an officer may see what belongs to `owner`; if not, it is not there.
    async fn require_seen(&self, ctx: &Ctx, owner: &SubsystemId, missing: impl FnOnce() -> Error) -> Result<()> {
        match self.scope(owner).await? {
            Scope::Agency(agency) => visible(ctx, &agency, missing),
            scope => ctx.require(Permission::ReadExchange, &scope),
        }
    }

    /// The agency that answers for a subsystem. One that is not registered is nobody's: only the platform itself acts for it.
    async fn scope(&self, owner: &SubsystemId) -> Result<Scope> {
        let agency = agency_of(&self.store().read(), owner).await?;
        Ok(agency.map_or(Scope::Anywhere, Scope::Agency))
    }

    /// The systems for which an officer may make event types, with their names.
    ///
    /// # Errors
    /// Not a steward.
    pub async fn publishers(&self, ctx: &Ctx) -> Result<Vec<(SubsystemId, Text)>> {
        let agency = reach(ctx, STEWARD)?;
        let systems = systems_of(&self.store().read(), agency.as_deref()).await?;
        systems.iter().map(|row| Ok((row.subsystem()?, row.name()))).collect()
    }

    pub(in crate::events) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(in crate::events) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    pub(in crate::events) fn secret(&self) -> &[u8; 32] {
        &self.0.secret
    }

    pub(in crate::events) fn webhooks(&self) -> &Caller {
        &self.0.webhooks
    }

    /// What publishers and readers of a type share in this process.
    fn line(&self, of: TypeId) -> Arc<Line> {
        let lines = self.0.lines.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = lines.get(&of) {
            return Arc::clone(line);
        }
        drop(lines);
        let mut lines = self.0.lines.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(lines.entry(of).or_default())
    }
}
