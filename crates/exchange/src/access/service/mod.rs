//! Use cases. Permission is judged here, by the agency that answers for the system.

mod catalogue;
pub(super) mod checks;
mod grants;
mod incoming;
pub(super) mod outgoing;
mod services;
mod systems;

use std::{collections::BTreeMap, fmt, sync::Arc};

use ::store::Store;
use base::{Calendar, Clock, Error, Kind, Result, Text};
use identity::{Actor, Ctx, Entropy, Permission, Scope, Sealer};
use serde::{Deserialize, Serialize};

pub use catalogue::Offer;
pub use grants::{GrantList, GrantView, GrantsQuery, OrderView};
pub use services::ServiceView;
pub use systems::{Saved, SystemView};

use super::{
    Asked, Hosted, explain,
    model::{Clocks, Law, Who},
};
use crate::model::{federation::Standing, identifier::MemberId};

/// The directory as the node has it now; none while it has none.
pub type DirectoryNow = Arc<dyn Fn() -> Option<Standing> + Send + Sync>;

/// The settings of access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The members of this node, each with the code of the agency (Decision 20/2020/QĐ-TTg) that answers for it. Systems of
    /// others cannot be registered here.
    pub members: BTreeMap<MemberId, String>,
    /// The periods of the law.
    pub clocks: Clocks,
    /// How often the consumer's node asks after a request that waits for its answer, in seconds.
    pub follow_open_seconds: u32,
    /// How often it asks after a grant that was agreed, in seconds: a notice of suspension is days old before it counts.
    pub follow_agreed_seconds: u32,
    /// The longest pause between two tries to reach a node that is down, in seconds.
    pub longest_pause_seconds: u32,
    /// How often the gateway's view is compared with what other processes have changed, in seconds.
    pub look_seconds: u32,
    /// How many requests of one system may wait for an answer at this node; more are told to come back later.
    pub most_open_requests: u32,
    /// The largest OpenAPI document, in bytes.
    pub largest_document: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            members: BTreeMap::new(),
            clocks: Clocks::default(),
            follow_open_seconds: 300,
            follow_agreed_seconds: 3_600,
            longest_pause_seconds: 1_800,
            look_seconds: 2,
            most_open_requests: 200,
            largest_document: 2 * 1024 * 1024,
        }
    }
}

/// What a node hosts and who may call it. Cheap to clone.
#[derive(Clone)]
pub struct Access(Arc<Inner>);

struct Inner {
    store: Store,
    clock: Arc<dyn Clock>,
    law: Law,
    config: Config,
    entropy: Entropy,
    sealer: Sealer,
    directory: DirectoryNow,
    hosted: Hosted,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("config", &self.0.config)
            .finish_non_exhaustive()
    }
}

impl Access {
    /// Opens access over migrated tables and reads what is hosted. `sealer` keeps the keys that services ask of this node; all
    /// gateways over the same tables have the same.
    ///
    /// # Errors
    /// The database failed.
    pub async fn open(
        store: Store,
        clock: Arc<dyn Clock>,
        calendar: Calendar,
        config: Config,
        entropy: Entropy,
        sealer: Sealer,
        directory: DirectoryNow,
    ) -> Result<Self> {
        let hosted = Hosted::open(store.clone(), Arc::clone(&clock), sealer.clone(), config.look_seconds).await?;
        Ok(Self(Arc::new(Inner {
            law: Law::new(config.clocks.clone(), calendar),
            store,
            clock,
            config,
            entropy,
            sealer,
            directory,
            hosted,
        })))
    }

    /// What the gateway takes.
    pub fn hosted(&self) -> &Hosted {
        &self.0.hosted
    }

    /// The directory as the node has it now.
    pub fn directory(&self) -> Option<Standing> {
        (self.0.directory)()
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// Whether the actor may ask why calls are allowed or refused.
    ///
    /// # Errors
    /// Without [`Permission::ReadExchange`].
    pub fn may_explain(&self, ctx: &Ctx) -> Result<()> {
        reach(ctx, Permission::ReadExchange).map(drop)
    }

    /// Why a call would be allowed or refused, as things stand at this node.
    ///
    /// # Errors
    /// Without [`Permission::ReadExchange`].
    pub fn explain(&self, ctx: &Ctx, asked: &Asked) -> Result<Vec<Text>> {
        self.may_explain(ctx)?;
        let standing = self.directory();
        let view = standing.as_ref().map(|standing| standing.view.as_ref());
        Ok(explain(&self.hosted().now(), view, asked, ctx.now))
    }

    pub(super) fn law(&self) -> &Law {
        &self.0.law
    }

    pub(super) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(super) fn now(&self) -> base::Timestamp {
        self.0.clock.now()
    }

    /// After a change in this process. What is committed is committed: where looking fails, the next look finds it.
    async fn changed(&self) {
        if let Err(error) = self.0.hosted.refresh().await {
            tracing::warn!(%error, "what is hosted could not be read again");
        }
    }
}

/// The agency to which a list is bound; none for the platform itself.
pub(crate) fn reach(ctx: &Ctx, permission: Permission) -> Result<Option<String>> {
    if let Actor::System(_) = ctx.actor {
        return Ok(None);
    }
    let agency = ctx.officer()?.agency.clone();
    ctx.require(permission, &Scope::Agency(agency.clone()))?;
    Ok(Some(agency))
}

/// A thing of an agency that this actor may not see is one that is not there.
pub(crate) fn visible(ctx: &Ctx, agency: &str, missing: impl FnOnce() -> Error) -> Result<()> {
    match ctx.require(Permission::ReadExchange, &Scope::Agency(agency.to_owned())) {
        Err(error) if error.kind() == Some(Kind::Forbidden) && ctx.holds(Permission::ReadExchange) => Err(missing()),
        other => other,
    }
}

/// Who acts, for the record of two nodes.
fn who(ctx: &Ctx) -> Who {
    match &ctx.actor {
        Actor::Officer(officer) => Who {
            name: officer.name.clone(),
            title: officer.title.clone(),
            agency: officer.agency.clone(),
        },
        _ => Who {
            name: ctx.actor_name().to_owned(),
            ..Who::default()
        },
    }
}

/// The thing has changed since it was looked at.
fn moved_on() -> Error {
    Error::refused(
        Kind::Conflict,
        "moved-on",
        "Thông tin đã thay đổi sau khi trang được mở. Xem lại rồi thực hiện lại nếu vẫn cần.",
        "This has changed since the page was opened. Look at it again, and do it again if it is still needed.",
    )
}
