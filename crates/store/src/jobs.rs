//! Deferred work: a row written in the caller's transaction, taken under a lease, tried again with back-off.

use std::{collections::HashMap, fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use base::{Clock, Error, Id, Result, Timestamp};
use serde::Serialize;
use tokio::sync::watch;
use uuid::Uuid;

use crate::{Engine, Read, Store, Tx, params, sea_orm, transact};

/// How long a worker may hold a job before another may take it.
const LEASE_SECONDS: i64 = 120;
/// After so many failures a job waits for a person.
const TRIES: i64 = 12;
/// Jobs taken at once.
const BATCH: i64 = 32;
/// The longest sleep between looks at the table; new jobs wake the worker earlier.
const IDLE: Duration = Duration::from_secs(1);

/// Work to do later.
#[derive(Debug, Clone)]
pub struct Job {
    kind: String,
    key: Option<String>,
    payload: String,
    run_at: Timestamp,
}

impl Job {
    /// Work of a kind (`dossier.timer`), due at once.
    ///
    /// # Errors
    /// The payload cannot be written as JSON.
    pub fn new(kind: &str, payload: &impl Serialize) -> Result<Self> {
        Ok(Self {
            kind: kind.to_owned(),
            key: None,
            payload: serde_json::to_string(payload)?,
            run_at: Timestamp::default(),
        })
    }

    /// Not before `at`.
    #[must_use]
    pub fn at(mut self, at: Timestamp) -> Self {
        self.run_at = at;
        self
    }

    /// At most one waiting job has this key; enqueuing another with it moves the first.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }
}

impl Store {
    /// Takes back all waiting jobs of these kinds; how many they were. For commands that fill a database for measuring.
    ///
    /// # Errors
    /// The database failed.
    pub async fn forget_jobs(&self, kinds: &[&str]) -> Result<u64> {
        let sql = format!(
            "DELETE FROM job WHERE kind IN ({})",
            crate::placeholders(1, kinds.len().max(1))
        );
        transact!(self, |tx| {
            tx.exec(&sql, kinds.iter().map(crate::Param::value).collect()).await
        })
    }
}

impl Tx {
    /// Adds jobs, in one statement.
    ///
    /// # Errors
    /// The database failed.
    pub async fn enqueue_all(&self, jobs: &[Job], now: Timestamp) -> Result<()> {
        if jobs.is_empty() {
            return Ok(());
        }
        let mut sql = String::from("INSERT INTO job (id, kind, key, payload, run_at, attempts, lease_until) VALUES ");
        let mut values = Vec::with_capacity(jobs.len() * 5);
        for (n, job) in jobs.iter().enumerate() {
            let at = n * 5;
            if n > 0 {
                sql.push_str(", ");
            }
            sql.push_str(&format!(
                "(${}, ${}, ${}, ${}, ${}, 0, 0)",
                at + 1,
                at + 2,
                at + 3,
                at + 4,
                at + 5
            ));
            values.extend(params![
                Id::<Job>::new(now),
                job.kind,
                job.key,
                job.payload,
                job.run_at.max(now)
            ]);
        }
        sql.push_str(
            " ON CONFLICT (key) DO UPDATE SET payload = excluded.payload, run_at = excluded.run_at, attempts = 0, \
             lease_until = 0, failed_at = NULL",
        );
        self.exec(&sql, values).await?;
        self.store.0.job_added.notify_one();
        Ok(())
    }

    /// Adds a job.
    ///
    /// # Errors
    /// The database failed.
    pub async fn enqueue(&self, job: Job, now: Timestamp) -> Result<()> {
        self.enqueue_all(&[job], now).await
    }

    /// Takes back the waiting job with this key.
    ///
    /// # Errors
    /// The database failed.
    pub async fn cancel_job(&self, key: &str) -> Result<()> {
        self.exec("DELETE FROM job WHERE key = $1", params![key])
            .await
            .map(drop)
    }
}

#[derive(Debug, Clone, crate::Row)]
struct Taken {
    id: Uuid,
    kind: String,
    payload: String,
    attempts: i64,
}

/// A job in the hands of its handler.
#[derive(Debug, Clone)]
pub struct Run {
    /// The database.
    pub store: Store,
    /// The instant at which it was taken.
    pub now: Timestamp,
    /// The payload, JSON.
    pub payload: String,
    /// Failures before this try.
    pub attempts: i64,
    id: Uuid,
}

impl Run {
    /// Reads the payload.
    ///
    /// # Errors
    /// The payload has another shape.
    pub fn payload<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        Ok(serde_json::from_str(&self.payload)?)
    }

    /// Completes the job inside the handler's own transaction, so that its effect happens exactly once.
    ///
    /// # Errors
    /// The job was completed by another worker meanwhile: the transaction must not go on.
    pub async fn done(&self, tx: &Tx) -> Result<()> {
        match tx.exec("DELETE FROM job WHERE id = $1", params![self.id]).await? {
            1 => Ok(()),
            _ => Err(Error::refused(
                base::Kind::Conflict,
                "job-done",
                "Công việc nền này đã được thực hiện.",
                "This job has been done already.",
            )),
        }
    }
}

type Handler = Arc<dyn Fn(Run) -> Pin<Box<dyn Future<Output = Result<()>> + Send>> + Send + Sync>;

/// Does the jobs of the kinds that it knows.
pub struct Runner {
    store: Store,
    clock: Arc<dyn Clock>,
    handlers: HashMap<&'static str, Handler>,
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner")
            .field("kinds", &self.handlers.keys())
            .finish_non_exhaustive()
    }
}

impl Runner {
    /// A runner that knows nothing yet.
    pub fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            clock,
            handlers: HashMap::new(),
        }
    }

    /// Teaches a kind. The handler may run more than once for one job (see [`Run::done`]).
    #[must_use]
    pub fn on<F, Fut>(mut self, kind: &'static str, handler: F) -> Self
    where
        F: Fn(Run) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        self.handlers.insert(kind, Arc::new(move |run| Box::pin(handler(run))));
        self
    }

    /// Works until `stop` becomes true, then finishes the job in hand.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            match self.run_due().await {
                Ok(0) => {
                    tokio::select! {
                        _ = stop.changed() => {}
                        () = self.store.0.job_added.notified() => {}
                        () = tokio::time::sleep(IDLE) => {}
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "taking jobs failed");
                    tokio::select! {
                        _ = stop.changed() => {}
                        () = tokio::time::sleep(IDLE) => {}
                    }
                }
            }
        }
    }

    /// Does what is due now, once; how many jobs were tried. For tests, and for commands that end.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn run_due(&self) -> Result<usize> {
        let now = self.clock.now();
        let jobs = self.take(now).await?;
        for job in &jobs {
            self.run_one(job, now).await?;
        }
        Ok(jobs.len())
    }

    async fn take(&self, now: Timestamp) -> Result<Vec<Taken>> {
        let lock = match self.store.engine() {
            Engine::Sqlite => "",
            Engine::Postgres => " FOR UPDATE SKIP LOCKED",
        };
        let kinds: Vec<&str> = self.handlers.keys().copied().collect();
        let list = crate::placeholders(4, kinds.len().max(1));
        let sql = format!(
            "UPDATE job SET lease_until = $1, attempts = attempts + 1 WHERE id IN (SELECT id FROM job WHERE run_at <= $2 \
             AND lease_until <= $2 AND failed_at IS NULL AND kind IN ({list}) ORDER BY run_at LIMIT $3{lock}) \
             RETURNING id, kind, payload, attempts"
        );
        // Looking first keeps an idle node from writing.
        let look = format!(
            "SELECT id FROM job WHERE run_at <= $1 AND lease_until <= $1 AND failed_at IS NULL AND kind IN ({}) LIMIT 1",
            crate::placeholders(2, kinds.len().max(1))
        );
        let mut looking = params![now];
        looking.extend(kinds.iter().map(crate::Param::value));
        if kinds.is_empty() || self.store.read().scalar::<Uuid>(&look, looking).await?.is_none() {
            return Ok(Vec::new());
        }
        let mut values = params![now.plus_seconds(LEASE_SECONDS), now, BATCH];
        values.extend(kinds.iter().map(crate::Param::value));
        transact!(self.store, |tx| { tx.all::<Taken>(&sql, values.clone()).await })
    }

    async fn run_one(&self, job: &Taken, now: Timestamp) -> Result<()> {
        let Some(handler) = self.handlers.get(job.kind.as_str()) else {
            return Ok(());
        };
        let run = Run {
            store: self.store.clone(),
            now: self.clock.now(),
            payload: job.payload.clone(),
            attempts: job.attempts - 1,
            id: job.id,
        };
        // A panic in one job must not end the others.
        let outcome = match tokio::spawn(handler(run)).await {
            Ok(outcome) => outcome,
            Err(panic) => Err(Error::internal(panic)),
        };
        match outcome {
            Ok(()) => transact!(self.store, |tx| {
                tx.exec("DELETE FROM job WHERE id = $1", params![job.id])
                    .await
                    .map(drop)
            }),
            Err(error) => {
                tracing::warn!(kind = job.kind, job = %job.id, attempts = job.attempts, %error, "a job failed");
                let pause = (10_i64 << job.attempts.min(9)).min(3600);
                let failed_at = (job.attempts >= TRIES).then_some(now);
                let sql = "UPDATE job SET lease_until = 0, run_at = $2, failed_at = $3, last_error = $4 WHERE id = $1";
                let text: String = error.to_string().chars().take(500).collect();
                transact!(self.store, |tx| {
                    tx.exec(sql, params![job.id, now.plus_seconds(pause), failed_at, text])
                        .await
                        .map(drop)
                })
            }
        }
    }
}
