//! Who may write, and when a write is durable.
//!
//! PostgreSQL: each transaction has a connection of its own, and the server groups commits.
//!
//! SQLite: one connection writes. A transaction is a savepoint inside an outer transaction; the one that finishes with
//! nobody waiting commits the outer one for all (group commit). Nobody is answered before that commit. One that writes very many
//! rows is a transaction of its own: a savepoint would copy every page that it changes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use base::{Error, Result};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use tokio::sync::{Mutex, OwnedMutexGuard, watch};

use crate::{engine::CACHE_KIB, query::failure};

/// Transactions that share one commit at most, so that the first does not wait for ever.
const BATCH: usize = 64;
/// How long a finished transaction waits for the one behind it before it commits the batch itself.
const PATIENCE: Duration = Duration::from_millis(2);

/// What the writing connection keeps of the file in memory during a bulk transaction: pages that it changes are then written once.
const BULK_CACHE_KIB: u32 = 128_000;

pub(crate) enum Writer {
    Sqlite(Arc<Sqlite>),
    Postgres(DatabaseConnection),
}

pub(crate) struct Sqlite {
    connection: DatabaseConnection,
    turn: Arc<Mutex<Batch>>,
    waiting: AtomicUsize,
    /// Whether the connection has the memory of a bulk transaction.
    roomy: AtomicBool,
}

/// How a transaction is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Together with others.
    Shared,
    /// By itself, with much memory.
    Alone,
}

/// The outer transaction that is open now, if any.
pub(crate) struct Batch {
    open: bool,
    finished: usize,
    outcome: watch::Sender<Option<Outcome>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Durable,
    Lost,
}

impl Batch {
    fn new() -> Self {
        Self {
            open: false,
            finished: 0,
            outcome: watch::Sender::new(None),
        }
    }
}

/// The right to write on SQLite, with an open savepoint or transaction. Dropped unfinished (its request went away), it rolls back.
pub(crate) struct Turn {
    sqlite: Arc<Sqlite>,
    batch: Option<OwnedMutexGuard<Batch>>,
    extent: Extent,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let Some(mut batch) = self.batch.take() else { return };
        let (sqlite, extent) = (Arc::clone(&self.sqlite), self.extent);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = sqlite.forget(&mut batch, extent).await {
                    tracing::error!(%error, "an abandoned transaction could not be rolled back");
                }
            });
        }
    }
}

impl Writer {
    pub fn sqlite(connection: DatabaseConnection) -> Self {
        Self::Sqlite(Arc::new(Sqlite {
            connection,
            turn: Arc::new(Mutex::new(Batch::new())),
            waiting: AtomicUsize::new(0),
            roomy: AtomicBool::new(false),
        }))
    }

    pub fn postgres(pool: DatabaseConnection) -> Self {
        Self::Postgres(pool)
    }

    pub async fn close(&self) {
        match self {
            Self::Sqlite(s) => {
                let mut batch = s.turn.lock().await;
                let _ = s.commit(&mut batch).await;
                drop(batch);
                let _ = s.connection.close_by_ref().await;
            }
            Self::Postgres(pool) => {
                let _ = pool.close_by_ref().await;
            }
        }
    }
}

impl Sqlite {
    /// Takes the turn and opens a savepoint, or a transaction. Runs to its end also when the caller goes away, so that the state of the
    /// connection is always known; an unwanted [`Turn`] then rolls back by itself.
    pub async fn begin(self: &Arc<Self>, extent: Extent) -> Result<Turn> {
        let sqlite = Arc::clone(self);
        uncancelled(async move {
            sqlite.waiting.fetch_add(1, Ordering::AcqRel);
            let mut batch = Arc::clone(&sqlite.turn).lock_owned().await;
            sqlite.waiting.fetch_sub(1, Ordering::AcqRel);
            if extent == Extent::Alone {
                sqlite.commit(&mut batch).await?;
            }
            sqlite.make_room(extent).await?;
            if !batch.open {
                sqlite.run("BEGIN IMMEDIATE").await?;
            }
            if extent == Extent::Shared {
                batch.open = true;
                sqlite.run("SAVEPOINT one").await?;
            }
            Ok(Turn {
                sqlite,
                batch: Some(batch),
                extent,
            })
        })
        .await
    }

    /// Gives the connection as much memory as befits the transaction.
    async fn make_room(&self, extent: Extent) -> Result<()> {
        let (roomy, kib) = match extent {
            Extent::Shared => (false, CACHE_KIB),
            Extent::Alone => (true, BULK_CACHE_KIB),
        };
        if self.roomy.swap(roomy, Ordering::AcqRel) != roomy {
            self.run(&format!("PRAGMA cache_size = -{kib}")).await?;
        }
        Ok(())
    }

    /// Forgets what the savepoint wrote, and commits for the others if nobody is behind; or what the transaction wrote.
    async fn forget(&self, batch: &mut Batch, extent: Extent) -> Result<()> {
        if extent == Extent::Alone {
            return self.run("ROLLBACK").await;
        }
        self.run("ROLLBACK TO one").await?;
        self.run("RELEASE one").await?;
        if self.waiting.load(Ordering::Acquire) == 0 {
            self.commit(batch).await?;
        }
        Ok(())
    }

    /// Commits the outer transaction and tells everybody in it.
    async fn commit(&self, batch: &mut Batch) -> Result<()> {
        if !batch.open {
            return Ok(());
        }
        let result = self.run("COMMIT").await;
        if result.is_err() {
            let _ = self.run("ROLLBACK").await;
        }
        let done = std::mem::replace(batch, Batch::new());
        done.outcome.send_replace(Some(if result.is_ok() {
            Outcome::Durable
        } else {
            Outcome::Lost
        }));
        result
    }

    async fn run(&self, sql: &str) -> Result<()> {
        self.connection
            .execute_unprepared(sql)
            .await
            .map(drop)
            .map_err(|e| failure(e, sql))
    }
}

impl Turn {
    /// The connection that has the turn.
    pub fn connection(&self) -> &DatabaseConnection {
        &self.sqlite.connection
    }

    /// Keeps what the savepoint or transaction wrote, and returns when it is on disk.
    pub async fn commit(self) -> Result<()> {
        uncancelled(self.commit_whole()).await
    }

    async fn commit_whole(mut self) -> Result<()> {
        let sqlite = Arc::clone(&self.sqlite);
        if self.extent == Extent::Alone {
            let batch = self.batch.take();
            let result = sqlite.run("COMMIT").await;
            if result.is_err() {
                let _ = sqlite.run("ROLLBACK").await;
            }
            drop(batch);
            return result;
        }
        sqlite.run("RELEASE one").await?;
        let Some(mut batch) = self.batch.take() else {
            return Err(lost());
        };
        batch.finished += 1;
        if sqlite.waiting.load(Ordering::Acquire) == 0 || batch.finished >= BATCH {
            return sqlite.commit(&mut batch).await;
        }
        let mut outcome = batch.outcome.subscribe();
        drop(batch);
        if tokio::time::timeout(PATIENCE, outcome.wait_for(Option::is_some))
            .await
            .is_err()
        {
            // The one behind may have failed: then nobody else would commit.
            let mut batch = sqlite.turn.lock().await;
            if outcome.borrow().is_none() {
                return sqlite.commit(&mut batch).await;
            }
        }
        if *outcome.borrow() == Some(Outcome::Durable) {
            Ok(())
        } else {
            Err(lost())
        }
    }

    /// Forgets what the savepoint or transaction wrote.
    pub async fn roll_back(mut self) -> Result<()> {
        let (sqlite, extent) = (Arc::clone(&self.sqlite), self.extent);
        let Some(mut batch) = self.batch.take() else {
            return Ok(());
        };
        uncancelled(async move { sqlite.forget(&mut batch, extent).await }).await
    }
}

/// Runs to the end whatever becomes of the caller.
pub(crate) async fn uncancelled<T: Send + 'static>(
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    tokio::spawn(work).await.map_err(Error::internal)?
}

fn lost() -> Error {
    Error::refused(
        base::Kind::Unavailable,
        "commit-failed",
        "Không ghi được vào cơ sở dữ liệu; chưa có gì thay đổi. Vui lòng thử lại.",
        "The database could not store this; nothing has changed. Please try again.",
    )
}
