//! Opening a database.

use std::{
    fmt,
    path::PathBuf,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, bail};
use sea_orm::{DatabaseConnection, SqlxPostgresConnector, SqlxSqliteConnector};
use sqlx::{
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{Read as _, blobs::Blobs, numbers::Numbers, query::Reader, transact, writer::Writer};

/// Which database stands behind a [`Store`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// A file of this process.
    Sqlite,
    /// A server (or anything that speaks its wire protocol).
    Postgres,
}

/// Where the data are.
#[derive(Clone)]
pub struct Config {
    /// `sqlite:/path/to/motcua.db` or `postgres://user:password@host/database`.
    pub url: String,
    /// The most connections to hold. On SQLite: readers; there is always one writer.
    pub connections: u32,
    /// The folder of the files.
    pub blobs: PathBuf,
    /// 32 bytes that encrypt the files.
    pub blob_key: [u8; 32],
    /// Deliberate conflicts, in tests only.
    pub faults: Faults,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may carry a password and the key is a secret.
        f.debug_struct("Config")
            .field("connections", &self.connections)
            .field("blobs", &self.blobs)
            .finish_non_exhaustive()
    }
}

/// Conflicts made on purpose: every `every`-th transaction is rolled back at its commit and replayed,
/// as a distributed engine may ask at any time. `0` makes none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Faults {
    /// One in so many transactions.
    pub every: u64,
}

/// The database and the files. Cheap to clone.
#[derive(Clone)]
pub struct Store(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub engine: Engine,
    pub readers: DatabaseConnection,
    pub writer: Writer,
    pub numbers: Numbers,
    pub blobs: Blobs,
    pub faults: Faults,
    pub begun: AtomicU64,
    pub job_added: tokio::sync::Notify,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("engine", &self.0.engine)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the database, and makes the SQLite file if there is none.
    ///
    /// # Errors
    /// Says which part of the address is wrong or does not answer; never the password.
    pub async fn open(config: &Config) -> anyhow::Result<Self> {
        let (engine, readers, writer) = match config.url.split_once(':') {
            Some(("sqlite", _)) => {
                let (readers, writer) = open_sqlite(config).await?;
                (Engine::Sqlite, readers, Writer::sqlite(writer))
            }
            Some(("postgres" | "postgresql", _)) => {
                let pool = open_postgres(config).await?;
                (Engine::Postgres, pool.clone(), Writer::postgres(pool))
            }
            _ => bail!("a database address starts with sqlite: or postgres:"),
        };
        Ok(Self(Arc::new(Inner {
            engine,
            readers,
            writer,
            numbers: Numbers::new(),
            blobs: Blobs::open(&config.blobs, config.blob_key)?,
            faults: config.faults,
            begun: AtomicU64::new(0),
            job_added: tokio::sync::Notify::new(),
        })))
    }

    /// Which engine this is. Queries do not ask; only pages for the operator do.
    pub fn engine(&self) -> Engine {
        self.0.engine
    }

    /// Reads committed data.
    pub fn read(&self) -> Reader<'_> {
        Reader(&self.0.readers)
    }

    /// The files.
    pub fn blobs(&self) -> &Blobs {
        &self.0.blobs
    }

    /// Transactions begun since the start, for tests and metrics.
    pub fn transactions(&self) -> u64 {
        self.0.begun.load(Ordering::Relaxed)
    }

    /// Tells the planner how the data lie now: after a database was filled at once.
    ///
    /// # Errors
    /// The database failed.
    pub async fn analyze(&self) -> base::Result<()> {
        transact!(self, |tx| { tx.run("ANALYZE").await })
    }

    /// Bytes that the database takes on disk, its log aside.
    ///
    /// # Errors
    /// The database failed.
    pub async fn size(&self) -> base::Result<u64> {
        let sql = match self.engine() {
            Engine::Sqlite => "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
            Engine::Postgres => "SELECT pg_database_size(current_database())",
        };
        let size: Option<i64> = self.read().scalar(sql, Vec::new()).await?;
        Ok(size.unwrap_or_default().unsigned_abs())
    }

    /// Ends all connections after the work in hand.
    pub async fn close(&self) {
        self.0.writer.close().await;
        let _ = self.0.readers.close_by_ref().await;
    }
}

/// What a connection to SQLite keeps of the file in memory.
pub(crate) const CACHE_KIB: u32 = 16_000;

async fn open_sqlite(config: &Config) -> anyhow::Result<(DatabaseConnection, DatabaseConnection)> {
    let options = SqliteConnectOptions::from_str(&config.url)
        .context("the address of the SQLite file")?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // FULL: an acknowledged write survives a power cut, not only a crash of this process.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(10))
        // Memory is bounded by this cache of each connection alone. The file is not mapped: every connection would count all
        // pages that it ever touched as its own, and a disk that fails would end the process instead of a query.
        .pragma("cache_size", format!("-{CACHE_KIB}"))
        .statement_cache_capacity(200);
    // A connection that closed while idle would take an open transaction with it.
    let pool = |max: u32| {
        SqlitePoolOptions::new()
            .max_connections(max)
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
    };
    let writer = pool(1)
        .connect_with(options.clone())
        .await
        .context("opening the SQLite file")?;
    let readers = pool(config.connections.max(1))
        .connect_with(options.pragma("query_only", "ON"))
        .await
        .context("opening the SQLite file for reading")?;
    Ok((
        SqlxSqliteConnector::from_sqlx_sqlite_pool(readers),
        SqlxSqliteConnector::from_sqlx_sqlite_pool(writer),
    ))
}

async fn open_postgres(config: &Config) -> anyhow::Result<DatabaseConnection> {
    let options = PgConnectOptions::from_str(&config.url)
        .context("the address of the PostgreSQL database")?
        .application_name("motcua")
        .statement_cache_capacity(200);
    let pool = PgPoolOptions::new()
        .max_connections(config.connections.max(2))
        .min_connections(1)
        .acquire_timeout(Duration::from_secs(10))
        .test_before_acquire(false)
        .connect_with(options)
        .await
        .context("connecting to PostgreSQL")?;
    Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(pool))
}
