//! Deferred work: a row written in the caller's transaction, taken under a lease, tried again with back-off.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use base::{Clock, Error, Id, Result, Timestamp};
use serde::Serialize;
use tokio::sync::watch;
use traces::{Context, Key, Kind, Span, Tracer};
use uuid::Uuid;

use crate::{Engine, Read, Store, Tx, params, sea_orm, transact};

/// How long a worker may hold a job before another may take it.
const LEASE_SECONDS: i64 = 120;
/// After so many failures a job waits for a person.
const TRIES: i64 = 12;
/// Jobs taken at once that are done one by one: few enough for their lease.
const ONE_BY_ONE: i64 = 32;
/// Jobs taken at once that are done together.
const TOGETHER: i64 = 256;
/// The least time between looks at the table when jobs are being done: what comes meanwhile is taken together.
const BREATH: Duration = Duration::from_millis(100);
/// The longest sleep between looks at the table; new jobs wake the worker earlier.
const IDLE: Duration = Duration::from_secs(1);

/// Work to do later.
#[derive(Debug, Clone)]
pub struct Job {
    kind: String,
    key: Option<String>,
    payload: String,
    run_at: Timestamp,
    /// What made it.
    cause: Option<Context>,
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
            cause: Context::current(),
        })
    }

    /// Not before `at`.
    #[must_use]
    pub fn at(mut self, at: Timestamp) -> Self {
        self.run_at = at;
        self
    }

    /// At most one waiting job has this key; enqueuing another with it moves the first. One that is being done meanwhile is done
    /// once more.
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

/// How far deferred work is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lag {
    /// Since when the oldest job that could be done waits; none when nothing waits.
    pub waiting_since: Option<Timestamp>,
    /// Jobs that failed so often that they wait for a person; counted up to [`Lag::MOST`].
    pub failed: u64,
}

impl Lag {
    /// Failed jobs are counted up to here.
    pub const MOST: u64 = 100;
}

impl Store {
    /// How far deferred work is behind at `now`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn job_lag(&self, now: Timestamp) -> Result<Lag> {
        let waiting = "SELECT run_at FROM job WHERE failed_at IS NULL AND run_at <= $1 ORDER BY run_at LIMIT 1";
        let failed = "SELECT COUNT(*) FROM (SELECT 1 FROM job WHERE failed_at IS NOT NULL LIMIT 100) AS some";
        let waiting: Option<i64> = self.read().scalar(waiting, params![now]).await?;
        let failed: Option<i64> = self.read().scalar(failed, params![]).await?;
        Ok(Lag {
            waiting_since: waiting.map(Timestamp::from_micros),
            failed: failed.unwrap_or(0).unsigned_abs(),
        })
    }
}

impl Tx {
    /// Adds jobs, many in one statement.
    ///
    /// # Errors
    /// The database failed.
    pub async fn enqueue_all(&self, jobs: &[Job], now: Timestamp) -> Result<()> {
        if jobs.is_empty() {
            return Ok(());
        }
        let row = |job: &Job| {
            let run_at = job.run_at.max(now);
            // What is done much later is no part of what asked for it.
            let trace = job.cause.as_ref().filter(|_| run_at == now).map(Context::traceparent);
            params![
                Id::<Job>::new(now),
                job.kind,
                job.key,
                job.payload,
                run_at,
                0_i64,
                0_i64,
                trace
            ]
        };
        let rows: Vec<_> = jobs.iter().map(row).collect();
        self.insert(
            "job (id, kind, key, payload, run_at, attempts, lease_until, trace)",
            &rows,
            " ON CONFLICT (key) DO UPDATE SET payload = excluded.payload, run_at = excluded.run_at, attempts = 0, \
             lease_until = 0, failed_at = NULL, trace = excluded.trace, generation = job.generation + 1",
        )
        .await?;
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
    run_at: i64,
    attempts: i64,
    trace: Option<String>,
    generation: i64,
}

#[derive(Debug, Clone, crate::Row)]
struct Due {
    kind: String,
}

/// A job as it was when it was taken.
#[derive(Debug, Clone, Copy)]
struct Ticket {
    id: Uuid,
    generation: i64,
}

impl From<&Taken> for Ticket {
    fn from(job: &Taken) -> Self {
        Self {
            id: job.id,
            generation: job.generation,
        }
    }
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
    ticket: Ticket,
    done: Arc<AtomicBool>,
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
        finish(tx, &[self.ticket]).await?;
        self.done.store(true, Ordering::Release);
        Ok(())
    }
}

/// Jobs of one kind in the hands of their handler.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The database.
    pub store: Store,
    /// The instant at which they were taken.
    pub now: Timestamp,
    jobs: Arc<[Taken]>,
}

impl Batch {
    /// Reads the payloads, in the order in which the jobs were due.
    ///
    /// # Errors
    /// A payload has another shape.
    pub fn payloads<T: serde::de::DeserializeOwned>(&self) -> Result<Vec<T>> {
        let read = |job: &Taken| serde_json::from_str(&job.payload).map_err(Error::from);
        self.jobs.iter().map(read).collect()
    }

    /// Completes all of them inside the handler's own transaction, so that their effect happens exactly once. A handler of
    /// many must call it before it returns `Ok`.
    ///
    /// # Errors
    /// One of them was completed by another worker meanwhile: the transaction must not go on.
    pub async fn done(&self, tx: &Tx) -> Result<()> {
        let tickets: Vec<Ticket> = self.jobs.iter().map(Ticket::from).collect();
        finish(tx, &tickets).await
    }
}

/// Takes completed jobs away. One that was asked for again meanwhile stays, to be done once more.
async fn finish(tx: &Tx, tickets: &[Ticket]) -> Result<()> {
    let mut by_generation: BTreeMap<i64, Vec<Uuid>> = BTreeMap::new();
    for ticket in tickets {
        by_generation.entry(ticket.generation).or_default().push(ticket.id);
    }
    for (generation, ids) in by_generation {
        let (count, mut accounted) = (ids.len() as u64, 0);
        for ids in crate::padded(&ids, TOGETHER as usize) {
            accounted += delete(tx, &ids, generation).await?;
        }
        if accounted < count {
            accounted += asked_for_again(tx, &ids, generation).await?;
        }
        if accounted < count {
            return Err(Error::refused(
                base::Kind::Conflict,
                "job-done",
                "Công việc nền này đã được thực hiện.",
                "This job has been done already.",
            ));
        }
    }
    Ok(())
}

async fn delete(tx: &Tx, ids: &[Uuid], generation: i64) -> Result<u64> {
    let sql = format!(
        "DELETE FROM job WHERE generation = $1 AND id IN ({})",
        crate::among(2, ids.len())
    );
    let mut values = params![generation];
    values.extend(ids.iter().map(crate::Param::value));
    tx.exec(&sql, values).await
}

async fn asked_for_again(tx: &Tx, ids: &[Uuid], generation: i64) -> Result<u64> {
    let mut again = 0;
    for id in ids {
        let newer = "SELECT id FROM job WHERE id = $1 AND generation > $2";
        again += u64::from(tx.scalar::<Uuid>(newer, params![id, generation]).await?.is_some());
    }
    Ok(again)
}

type Doing = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

type One = Arc<dyn Fn(Run) -> Doing + Send + Sync>;
type Many = Arc<dyn Fn(Batch) -> Doing + Send + Sync>;

/// Does the jobs of the kinds that it knows.
pub struct Runner {
    store: Store,
    clock: Arc<dyn Clock>,
    tracer: Tracer,
    one_by_one: HashMap<&'static str, One>,
    together: HashMap<&'static str, Many>,
}

/// What one look at the table came to.
#[derive(Debug, Default)]
struct Pass {
    tried: usize,
    /// As many of a kind were taken as can be at once: more may be due.
    more: bool,
}

impl Pass {
    /// `jobs` were taken, at most `most` of each of `kinds`.
    fn took(&mut self, jobs: &[Taken], kinds: &[String], most: i64) {
        let of = |kind: &String| jobs.iter().filter(|job| job.kind == *kind).count();
        self.tried += jobs.len();
        self.more |= kinds.iter().any(|kind| i64::try_from(of(kind)) == Ok(most));
    }
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner")
            .field("one_by_one", &self.one_by_one.keys())
            .field("together", &self.together.keys())
            .finish_non_exhaustive()
    }
}

impl Runner {
    /// A runner that knows nothing yet.
    pub fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            clock,
            tracer: Tracer::default(),
            one_by_one: HashMap::new(),
            together: HashMap::new(),
        }
    }

    /// Traces what it does.
    #[must_use]
    pub fn traced(mut self, tracer: Tracer) -> Self {
        self.tracer = tracer;
        self
    }

    /// Teaches a kind. The handler may run more than once for one job (see [`Run::done`]).
    #[must_use]
    pub fn on<F, Fut>(mut self, kind: &'static str, handler: F) -> Self
    where
        F: Fn(Run) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        self.one_by_one
            .insert(kind, Arc::new(move |run| Box::pin(handler(run))));
        self
    }

    /// Teaches a kind whose waiting jobs are done many at a time. The handler completes them in one transaction by
    /// [`Batch::done`]; when it fails for several, each is tried alone, so that one bad job holds up no other.
    #[must_use]
    pub fn on_many<F, Fut>(mut self, kind: &'static str, handler: F) -> Self
    where
        F: Fn(Batch) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        self.together
            .insert(kind, Arc::new(move |batch| Box::pin(handler(batch))));
        self
    }

    /// Works until `stop` becomes true, then finishes the job in hand.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            match self.pass().await {
                Ok(Pass { tried: 0, .. }) => {
                    tokio::select! {
                        _ = stop.changed() => {}
                        () = self.store.0.job_added.notified() => {}
                        () = tokio::time::sleep(IDLE) => {}
                    }
                }
                Ok(Pass { more: true, .. }) => {}
                Ok(_) => {
                    tokio::select! {
                        _ = stop.changed() => {}
                        () = tokio::time::sleep(BREATH) => {}
                    }
                }
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
        Ok(self.pass().await?.tried)
    }

    async fn pass(&self) -> Result<Pass> {
        let now = self.clock.now();
        let mut pass = Pass::default();
        let (together, one_by_one): (Vec<_>, Vec<_>) = self
            .kinds_due(now)
            .await?
            .into_iter()
            .partition(|kind| self.together.contains_key(kind.as_str()));
        for kind in &together {
            let Some(handler) = self.together.get(kind.as_str()) else {
                continue;
            };
            let kind = std::slice::from_ref(kind);
            let jobs = self.take(kind, TOGETHER, now).await?;
            pass.took(&jobs, kind, TOGETHER);
            self.run_together(handler, jobs, now).await?;
        }
        // Each kind has its share, so that a backlog of one holds up no other.
        let share = (ONE_BY_ONE / i64::try_from(one_by_one.len()).unwrap_or(ONE_BY_ONE).max(1)).max(1);
        let jobs = self.take(&one_by_one, share, now).await?;
        pass.took(&jobs, &one_by_one, share);
        for job in &jobs {
            self.run_one(job, now).await?;
        }
        Ok(pass)
    }

    /// The kinds of which a job is due. An idle node only reads.
    async fn kinds_due(&self, now: Timestamp) -> Result<Vec<String>> {
        let kinds: Vec<&str> = self.together.keys().chain(self.one_by_one.keys()).copied().collect();
        if kinds.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT known.column1 AS kind FROM ({}) AS known WHERE EXISTS (SELECT 1 FROM job \
             WHERE job.kind = known.column1 AND run_at <= $1 AND lease_until <= $1 AND failed_at IS NULL)",
            crate::among(2, kinds.len())
        );
        let mut values = params![now];
        values.extend(kinds.iter().map(crate::Param::value));
        let due = self.store.read().all::<Due>(&sql, values).await?;
        Ok(due.into_iter().map(|due| due.kind).collect())
    }

    /// Takes at most `most` jobs of each of these kinds under a lease; all in the order in which they were due.
    async fn take(&self, kinds: &[String], most: i64, now: Timestamp) -> Result<Vec<Taken>> {
        if kinds.is_empty() {
            return Ok(Vec::new());
        }
        let lock = match self.store.engine() {
            Engine::Sqlite => "",
            Engine::Postgres => " FOR UPDATE SKIP LOCKED",
        };
        let sql = format!(
            "UPDATE job SET lease_until = $1, attempts = attempts + 1 WHERE id IN (SELECT id FROM job WHERE kind = $4 \
             AND run_at <= $2 AND lease_until <= $2 AND failed_at IS NULL ORDER BY run_at LIMIT $3{lock}) \
             RETURNING id, kind, payload, run_at, attempts, trace, generation"
        );
        let mut jobs: Vec<Taken> = transact!(self.store, |tx| {
            tx.relax().await?;
            let mut jobs = Vec::new();
            for kind in kinds {
                let values = params![now.plus_seconds(LEASE_SECONDS), now, most, kind];
                jobs.extend(tx.all::<Taken>(&sql, values).await?);
            }
            Ok(jobs)
        })?;
        jobs.sort_by_key(|job| (job.run_at, job.id));
        Ok(jobs)
    }

    async fn run_together(&self, handler: &Many, jobs: Vec<Taken>, now: Timestamp) -> Result<()> {
        let attempt = |jobs: Arc<[Taken]>| {
            let (store, now) = (self.store.clone(), self.clock.now());
            guarded(self.span(&jobs), handler(Batch { store, now, jobs }))
        };
        if jobs.len() > 1 {
            match attempt(jobs.clone().into()).await {
                Ok(()) => return Ok(()),
                Err(error) => tracing::warn!(jobs = jobs.len(), %error, "jobs failed together; each is tried alone"),
            }
        }
        for job in jobs {
            if let Err(error) = attempt([job.clone()].into()).await {
                self.put_back(&job, &error, now).await?;
            }
        }
        Ok(())
    }

    async fn run_one(&self, job: &Taken, now: Timestamp) -> Result<()> {
        let Some(handler) = self.one_by_one.get(job.kind.as_str()) else {
            return Ok(());
        };
        let done = Arc::new(AtomicBool::new(false));
        let run = Run {
            store: self.store.clone(),
            now: self.clock.now(),
            payload: job.payload.clone(),
            attempts: job.attempts - 1,
            ticket: job.into(),
            done: Arc::clone(&done),
        };
        match guarded(self.span(std::slice::from_ref(job)), handler(run)).await {
            Ok(()) if done.load(Ordering::Acquire) => Ok(()),
            Ok(()) => transact!(self.store, |tx| {
                tx.relax().await?;
                delete(&tx, &[job.id], job.generation).await.map(drop)
            }),
            Err(error) => self.put_back(job, &error, now).await,
        }
    }

    /// One job goes on with the trace of what asked for it; several together are part of none.
    fn span(&self, jobs: &[Taken]) -> Span {
        let cause = match jobs {
            [job] => job.trace.as_deref().and_then(Context::parse),
            _ => None,
        };
        let mut span = self.tracer.begin(Kind::Consumer, "job", cause.as_ref());
        if let Some(job) = jobs.first() {
            span.rename(|| format!("job {}", job.kind));
            span.set(Key::Job, || job.kind.clone());
            span.set(Key::Jobs, || u16::try_from(jobs.len()).unwrap_or(u16::MAX));
        }
        span
    }

    /// A failed job waits, longer each time, and at last for a person.
    async fn put_back(&self, job: &Taken, error: &Error, now: Timestamp) -> Result<()> {
        tracing::warn!(kind = job.kind, job = %job.id, attempts = job.attempts, %error, "a job failed");
        let pause = (10_i64 << job.attempts.min(9)).min(3600);
        let failed_at = (job.attempts >= TRIES).then_some(now);
        let sql = "UPDATE job SET lease_until = 0, run_at = $2, failed_at = $3, last_error = $4 WHERE id = $1 \
                   AND generation = $5";
        let text: String = error.to_string().chars().take(500).collect();
        transact!(self.store, |tx| {
            tx.exec(
                sql,
                params![job.id, now.plus_seconds(pause), failed_at, text, job.generation],
            )
            .await
            .map(drop)
        })
    }
}

/// A panic in one job must not end the others.
async fn guarded(mut span: Span, doing: Doing) -> Result<()> {
    let outcome = tokio::spawn(span.around(doing))
        .await
        .unwrap_or_else(|panic| Err(Error::internal(panic)));
    match &outcome {
        Ok(()) => {}
        Err(Error::Refused(_, problems)) => {
            let code = problems.iter().next().map(|problem| problem.code.clone());
            span.fail(|| code.unwrap_or_default());
        }
        Err(Error::Internal(_)) => span.fail(|| "internal"),
    }
    outcome
}
