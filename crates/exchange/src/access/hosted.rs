//! What the gateway takes, kept current.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
    time::Duration,
};

use ::store::Store;
use arc_swap::ArcSwap;
use base::{Clock, Error, Result, Timestamp};
use identity::Sealer;
use tokio::sync::{Mutex, watch};

use super::{
    model::OpenApi,
    store::{self as tables, ServiceRow},
};

use crate::{
    BUILT_IN,
    model::{
        address::{ForwardRules, ServiceRule},
        hosting::Hosting,
        identifier::{Part, ServiceId},
        meta::Endpoint,
    },
};

/// How long a grant that is over still explains a refusal, in seconds: 90 days.
const REMEMBERED: i64 = 90 * 86_400;

/// Everything that the gateway asks about this node, as it stands now. Cheap to clone; clones share it.
#[derive(Clone)]
pub struct Hosted(Arc<Inner>);

struct Inner {
    store: Store,
    clock: Arc<dyn Clock>,
    sealer: Sealer,
    look: Duration,
    current: Arc<ArcSwap<Hosting>>,
    built: Mutex<Built>,
}

/// What the current view was made from.
#[derive(Default)]
struct Built {
    turn: i64,
    /// When it is another by the clock alone.
    until: Option<Timestamp>,
    documents: HashMap<String, Document>,
}

#[derive(Clone)]
struct Document {
    bytes: Arc<[u8]>,
    endpoints: Vec<Endpoint>,
}

impl fmt::Debug for Hosted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hosted")
            .field("look", &self.0.look)
            .finish_non_exhaustive()
    }
}

impl Hosted {
    pub(super) async fn open(store: Store, clock: Arc<dyn Clock>, sealer: Sealer, look_seconds: u32) -> Result<Self> {
        let hosted = Self(Arc::new(Inner {
            store,
            clock,
            sealer,
            look: Duration::from_secs(u64::from(look_seconds.max(1))),
            current: Arc::default(),
            built: Mutex::default(),
        }));
        hosted.refresh().await?;
        Ok(hosted)
    }

    /// The place where the present view always is.
    pub fn handle(&self) -> Arc<ArcSwap<Hosting>> {
        Arc::clone(&self.0.current)
    }

    /// The present view.
    pub fn now(&self) -> Arc<Hosting> {
        self.0.current.load_full()
    }

    /// Looks whether something has changed and, if so, reads it; whether it had. One number is read where nothing has.
    ///
    /// # Errors
    /// The database failed; the view stays as it was.
    pub async fn refresh(&self) -> Result<bool> {
        let mut built = self.0.built.lock().await;
        let (db, now) = (self.0.store.read(), self.0.clock.now());
        // Before the rows: a change in between is found again.
        let turn = tables::turn(&db).await?;
        if turn == built.turn && built.until.is_none_or(|until| now < until) {
            return Ok(false);
        }
        let (hosting, documents, until) = self.read(&built.documents, now).await?;
        self.0.current.store(Arc::new(hosting));
        *built = Built { turn, until, documents };
        Ok(true)
    }

    /// Keeps the view current until `stop` becomes true: what other processes change, and what the clock does.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            tokio::select! {
                changed = stop.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(self.0.look) => {}
            }
            if let Err(error) = self.refresh().await {
                tracing::warn!(%error, "what is hosted could not be read");
            }
        }
    }

    async fn read(
        &self,
        known: &HashMap<String, Document>,
        now: Timestamp,
    ) -> Result<(Hosting, HashMap<String, Document>, Option<Timestamp>)> {
        let db = self.0.store.read();
        let mut hosting = Hosting::default();
        let mut forward = BTreeMap::new();
        for row in tables::systems_of(&db, None).await? {
            let subsystem = row.subsystem()?;
            if let Some(code) = row.whole_service()? {
                forward.insert(subsystem.clone(), ServiceRule::Whole(code));
            }
            hosting.clients.insert(subsystem.clone(), row.client()?);
            for built_in in &BUILT_IN {
                let code = Part::new(built_in.code).map_err(Error::internal)?;
                let provider = subsystem.clone();
                hosting
                    .services
                    .insert(ServiceId { provider, code }, built_in.service());
            }
        }
        hosting.forward = ForwardRules {
            default: ServiceRule::FirstSegment,
            of: forward,
        };
        let mut documents = HashMap::new();
        for row in tables::services_of(&db, None).await? {
            let mut service = row.hosted(&self.0.sealer)?;
            if let Some((sha256, document)) = self.document(&row, known).await? {
                service.endpoints.clone_from(&document.endpoints);
                service.openapi = Some(Arc::clone(&document.bytes));
                documents.insert(sha256, document);
            }
            hosting.services.insert(row.service()?, service);
        }
        let mut until = None;
        for row in tables::hosted_grants(&db, now.plus_seconds(-REMEMBERED)).await? {
            let file = row.file()?;
            until = until.into_iter().chain(file.changes_at(now)).min();
            hosting
                .grants
                .entry(file.service.clone())
                .or_default()
                .push(file.grant(now));
        }
        Ok((hosting, documents, until))
    }

    async fn document(
        &self,
        row: &ServiceRow,
        known: &HashMap<String, Document>,
    ) -> Result<Option<(String, Document)>> {
        let Some(sha256) = row.openapi_sha256.clone() else {
            return Ok(None);
        };
        if let Some(document) = known.get(&sha256) {
            return Ok(Some((sha256, document.clone())));
        }
        let Some(bytes) = tables::document(&self.0.store.read(), row.id).await? else {
            return Ok(None);
        };
        // It was good when it was registered; what is asked of documents may have grown since.
        let endpoints = match OpenApi::read(&bytes) {
            Ok(read) => read.endpoints,
            Err(problems) => {
                tracing::warn!(service = %row.service()?, ?problems, "the OpenAPI document of a service is not read");
                Vec::new()
            }
        };
        let document = Document {
            bytes: bytes.into(),
            endpoints,
        };
        Ok(Some((sha256, document)))
    }
}
