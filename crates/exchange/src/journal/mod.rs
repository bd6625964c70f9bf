//! What a node can say about its messages afterwards.
//!
//! The ledger is the truth. The tables here are folds over it ([`Journal::follow`]): they can be thrown away and made anew
//! ([`Journal::rebuild`]), and they follow what the ledger forgets. On them stand
//!
//! ```text
//! messages      search for auditors; one message with its pair and its proof
//! evidence      a container that proves a message to whoever was not there, and the function that judges it
//! tracker       each person's view of who read what about them; questions about it; Estonia's protocol
//! erasure       what may no longer be shown, and why it is gone
//! operations    how messages fared: X-Road's operational monitoring
//! traffic       what passed in the last minutes, for the map that members draw together
//! ```
//!
//! A node puts it together so:
//!
//! ```text
//! let journal = Journal::new(Parts { store, log, former, identity, directory, calendar, clock, caller, config })?;
//! tokio::spawn(journal.clone().follow(stop));                       // the fold
//! tokio::spawn(journal.clone().keep_operations(records));           // the gateway has the sender of mpsc::channel(QUEUE)
//! journal::schedule(&store, now).await?;                            // the hourly sweep
//! let runner = journal::handlers(runner, &journal);                 // sweep, questions to other nodes and answers back
//! let routes = journal::pages(journal.clone());                     // journal::api is an OpenApiRouter
//! usage_router(journal.clone(), &provider)                          // internal service PROVIDER_SERVICE of each provider
//! question_router(journal.clone())                                  // internal service ASK_SERVICE of one subsystem, open to all
//! traffic_router(journal.clone())                                   // internal service TRAFFIC_SERVICE of one subsystem, open to all
//! journal.asic(&client, query)                                      // what the gateway answers to GET /asic
//! ```

mod api;
mod config;
mod erasure;
pub mod evidence;
mod fold;
mod jobs;
mod logs;
mod messages;
mod operations;
mod pages;
mod store;
#[cfg(test)]
mod tests;
mod tracker;
mod traffic;

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, atomic::AtomicBool},
};

use ::store::Store;
use base::{Calendar, Clock, Error, Kind, Result};
use identity::{Ctx, IdentityState, Permission, Scope};
use ledger::{Ledger, Log};

use self::logs::Names;
pub use self::{
    api::api,
    config::{Config, HiddenReads, Retention},
    erasure::{Demand, ErasureRecord},
    fold::Progress,
    jobs::{handlers, schedule},
    logs::{LeafId, NoLeaf},
    messages::{Asic, Exchange, Filter, LogRow, MessageKind, NoAsic, Place},
    operations::{OpQuery, Operations, QUEUE},
    pages::pages,
    tracker::{
        ASK_SERVICE, HiddenMonth, MyReads, PROVIDER_SERVICE, ProvedRead, Question, QuestionState, ReadAbout,
        ReadElsewhere, ReadFilter, Source, question_router, usage_router,
    },
    traffic::{Flow, TRAFFIC_SERVICE, Traffic, traffic_router},
};
use crate::Caller;
use crate::model::federation::View;

/// Gives the directory as the node has it now.
pub type DirectoryNow = Arc<dyn Fn() -> Arc<View> + Send + Sync>;

/// The journal of a node. Cheap to clone.
#[derive(Clone)]
pub struct Journal(Arc<Inner>);

struct Inner {
    store: Store,
    log: Arc<Log>,
    /// The oldest first.
    former: Vec<Ledger>,
    identity: IdentityState,
    directory: DirectoryNow,
    calendar: Calendar,
    clock: Arc<dyn Clock>,
    caller: Option<Arc<dyn Caller>>,
    config: Config,
    logs: tokio::sync::OnceCell<Names>,
    /// Held by whoever folds: the logs of which the tables were found to be.
    folding: tokio::sync::Mutex<BTreeSet<u32>>,
    /// Of the logs that ended nothing is left to fold.
    former_folded: AtomicBool,
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal")
            .field("log", &self.0.log)
            .finish_non_exhaustive()
    }
}

/// What a journal stands on.
pub struct Parts {
    /// The database.
    pub store: Store,
    /// The log of the node.
    pub log: Arc<Log>,
    /// Its logs that ended, the oldest first.
    pub former: Vec<Ledger>,
    /// Who may, and who has read whose data on the node itself.
    pub identity: IdentityState,
    /// The directory.
    pub directory: DirectoryNow,
    /// The working days.
    pub calendar: Calendar,
    /// The time, for what no person asks.
    pub clock: Arc<dyn Clock>,
    /// The way to other nodes; without it a person sees the reads of this node only.
    pub caller: Option<Arc<dyn Caller>>,
    /// The settings.
    pub config: Config,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").field("log", &self.log).finish_non_exhaustive()
    }
}

impl Journal {
    /// The journal of a node. Nothing is read yet: [`Self::follow`] does.
    ///
    /// # Errors
    /// `Invalid` with everything in the settings that cannot hold.
    pub fn new(parts: Parts) -> Result<Self> {
        let Parts {
            store,
            log,
            former,
            identity,
            directory,
            calendar,
            clock,
            caller,
            config,
        } = parts;
        config
            .check()
            .map_err(|problems| Error::Refused(Kind::Invalid, problems))?;
        Ok(Self(Arc::new(Inner {
            store,
            log,
            former,
            identity,
            directory,
            calendar,
            clock,
            caller,
            config,
            logs: tokio::sync::OnceCell::new(),
            folding: tokio::sync::Mutex::default(),
            former_folded: AtomicBool::default(),
        })))
    }

    /// Refuses all but the auditors of the node's agency.
    fn require_auditor(&self, ctx: &Ctx) -> Result<()> {
        ctx.require(Permission::ReadAccessLog, &Scope::Agency(self.0.config.agency.clone()))
    }
}

/// Does what blocks on the disk where it holds up nobody.
async fn with_log<T: Send + 'static>(
    log: &Arc<Log>,
    work: impl FnOnce(&Log) -> ledger::Result<T> + Send + 'static,
) -> Result<T> {
    let log = Arc::clone(log);
    let done = tokio::task::spawn_blocking(move || work(&log)).await;
    done.map_err(Error::internal)?.map_err(Error::internal)
}
