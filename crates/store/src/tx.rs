//! Transactions.

use std::sync::atomic::Ordering;

use base::Result;
use sea_orm::{ConnectionTrait, DatabaseTransaction, FromQueryResult, TransactionTrait, Value};

use crate::{
    Engine, MOST_VALUES, Store, placeholders, powers,
    query::{self, Read, TRIES, busy, failure, is_conflict},
    writer::{Extent, Turn, Writer, uncancelled},
};

/// A writing transaction. Made by [`transact!`](crate::transact), never by hand.
pub struct Tx {
    pub(crate) store: Store,
    connection: Connection,
}

enum Connection {
    Sqlite(Turn),
    Postgres(DatabaseTransaction),
}

/// What became of one try.
#[derive(Debug)]
pub enum Ended<T> {
    /// The result, durable if it is `Ok`.
    Done(Result<T>),
    /// A conflict: run the block again.
    Again,
}

/// Runs a block in a writing transaction: `transact!(store, |tx| { tx.exec(…).await?; Ok(x) })`.
///
/// The block gives a `base::Result`. `Err` rolls back. On a serialisation conflict the block runs again, so it borrows
/// what it uses and has no effect outside the database. When the macro gives `Ok`, the data are on disk.
///
/// `transact!(bulk store, |tx| { … })` for what writes very many rows: on SQLite it shares its commit with nobody, so that nothing is
/// kept to undo it alone, and has much memory while it lasts.
#[macro_export]
macro_rules! transact {
    (bulk $store:expr, |$tx:ident| $body:block) => {
        $crate::transact!($store, begin_bulk, |$tx| $body)
    };
    ($store:expr, |$tx:ident| $body:block) => {
        $crate::transact!($store, begin, |$tx| $body)
    };
    ($store:expr, $begin:ident, |$tx:ident| $body:block) => {{
        let store: &$crate::Store = &$store;
        let mut tries = 0_u32;
        loop {
            match store.$begin().await {
                Ok($tx) => {
                    let outcome: ::base::Result<_> = async { $body }.await;
                    match store.finish($tx, outcome, &mut tries).await {
                        $crate::Ended::Done(result) => break result,
                        $crate::Ended::Again => {}
                    }
                }
                Err(error) => break Err(error),
            }
        }
    }};
}

impl Store {
    /// For [`transact!`](crate::transact).
    #[doc(hidden)]
    pub async fn begin(&self) -> Result<Tx> {
        self.begin_in(Extent::Shared).await
    }

    /// For [`transact!`](crate::transact).
    #[doc(hidden)]
    pub async fn begin_bulk(&self) -> Result<Tx> {
        self.begin_in(Extent::Alone).await
    }

    async fn begin_in(&self, extent: Extent) -> Result<Tx> {
        self.0.begun.fetch_add(1, Ordering::Relaxed);
        let connection = match &self.0.writer {
            Writer::Sqlite(s) => Connection::Sqlite(s.begin(extent).await?),
            Writer::Postgres(pool) => {
                // The driver does not undo a BEGIN whose caller went away before it was answered: its connection would go back to the
                // pool within a transaction, and what is read there next would be the data of then.
                let pool = pool.clone();
                let begun = uncancelled(async move { pool.begin().await.map_err(|e| failure(e, "BEGIN")) });
                Connection::Postgres(begun.await?)
            }
        };
        Ok(Tx {
            store: self.clone(),
            connection,
        })
    }

    /// For [`transact!`](crate::transact).
    #[doc(hidden)]
    pub async fn finish<T>(&self, tx: Tx, outcome: Result<T>, tries: &mut u32) -> Ended<T> {
        *tries += 1;
        let outcome = match outcome {
            Ok(value) if self.fault_is_due(*tries) => {
                drop(value);
                let _ = tx.roll_back().await;
                return Ended::Again;
            }
            Ok(value) => tx.commit().await.map(|()| value),
            Err(error) => {
                if let Err(second) = tx.roll_back().await {
                    tracing::warn!(%second, "rolling back failed");
                }
                Err(error)
            }
        };
        match outcome {
            Err(error) if is_conflict(&error) => {
                if *tries >= TRIES {
                    return Ended::Done(Err(busy()));
                }
                query::pause(*tries).await;
                Ended::Again
            }
            other => Ended::Done(other),
        }
    }

    /// Faults strike first tries only, so that a test ends.
    fn fault_is_due(&self, tries: u32) -> bool {
        let every = self.0.faults.every;
        every > 0 && tries == 1 && self.0.begun.load(Ordering::Relaxed).is_multiple_of(every)
    }
}

impl Tx {
    /// Runs a statement; the number of rows it touched.
    ///
    /// # Errors
    /// A conflict (the block will run again) or a failure of ours. A unique key that is taken is not an error here:
    /// write `ON CONFLICT … DO NOTHING` and look at the count.
    pub async fn exec(&self, sql: &str, params: Vec<Value>) -> Result<u64> {
        match self.connection() {
            Either::Sqlite(c) => query::exec(c, sql, params).await,
            Either::Postgres(c) => query::exec(c, sql, params).await,
        }
    }

    /// Inserts rows, many in one statement: `into` is `table (columns)`, `after` what becomes of a row that is there already
    /// (` ON CONFLICT …`, without values of its own), or nothing. All rows have the same columns.
    ///
    /// # Errors
    /// As [`Self::exec`].
    pub async fn insert(&self, into: &str, rows: &[Vec<Value>], after: &str) -> Result<()> {
        for rows in powers(rows, MOST_VALUES) {
            let sql = rows_statement(self.engine(), into, rows, after);
            self.exec(&sql, rows.concat()).await?;
        }
        Ok(())
    }

    /// As [`Self::insert`]; gives what `after` (` … RETURNING …`) returns, in no order.
    ///
    /// # Errors
    /// As [`Self::exec`].
    pub async fn insert_returning<R: FromQueryResult + Send>(
        &self,
        into: &str,
        rows: &[Vec<Value>],
        after: &str,
    ) -> Result<Vec<R>> {
        let mut returned = Vec::with_capacity(rows.len());
        for rows in powers(rows, MOST_VALUES) {
            let sql = rows_statement(self.engine(), into, rows, after);
            returned.extend(self.all::<R>(&sql, rows.concat()).await?);
        }
        Ok(returned)
    }

    /// Runs one statement without parameters, such as a definition of a table.
    pub(crate) async fn run(&self, sql: &str) -> Result<()> {
        let done = match self.connection() {
            Either::Sqlite(c) => c.execute_unprepared(sql).await,
            Either::Postgres(c) => c.execute_unprepared(sql).await,
        };
        done.map(drop).map_err(|e| failure(e, sql))
    }

    /// Lets the commit of this transaction be answered before it is on disk. For what a crash may undo because nobody was told
    /// of it: a number that no acknowledged row bears yet, a lease, figures whose job comes again. Whatever is committed
    /// later is on disk only together with it. On SQLite transactions share commits anyway, and nothing changes.
    pub(crate) async fn relax(&self) -> Result<()> {
        match self.engine() {
            Engine::Sqlite => Ok(()),
            Engine::Postgres => self.run("SET LOCAL synchronous_commit TO off").await,
        }
    }

    pub(crate) fn engine(&self) -> Engine {
        self.store.engine()
    }

    async fn commit(self) -> Result<()> {
        match self.connection {
            Connection::Sqlite(turn) => turn.commit().await,
            Connection::Postgres(tx) => tx.commit().await.map_err(|e| failure(e, "COMMIT")),
        }
    }

    async fn roll_back(self) -> Result<()> {
        match self.connection {
            Connection::Sqlite(turn) => turn.roll_back().await,
            Connection::Postgres(tx) => tx.rollback().await.map_err(|e| failure(e, "ROLLBACK")),
        }
    }

    fn connection(&self) -> Either<'_> {
        match &self.connection {
            Connection::Sqlite(turn) => Either::Sqlite(turn.connection()),
            Connection::Postgres(tx) => Either::Postgres(tx),
        }
    }
}

/// SQLite looks for the place of each numbered value among the names of all values of the statement: of a thousand values that
/// takes longer than to insert them. Here they come in their order, so they need no number.
fn rows_statement(engine: Engine, into: &str, rows: &[Vec<Value>], after: &str) -> String {
    let mut sql = format!("INSERT INTO {into} VALUES ");
    let mut next = 1;
    for row in rows {
        sql.push_str(if next > 1 { ", (" } else { "(" });
        match engine {
            Engine::Sqlite => sql.push_str(vec!["?"; row.len()].join(", ").as_str()),
            Engine::Postgres => sql.push_str(&placeholders(next, row.len())),
        }
        sql.push(')');
        next += row.len();
    }
    sql + after
}

enum Either<'a> {
    Sqlite(&'a sea_orm::DatabaseConnection),
    Postgres(&'a DatabaseTransaction),
}

impl Read for Tx {
    async fn all<R: FromQueryResult + Send>(&self, sql: &str, params: Vec<Value>) -> Result<Vec<R>> {
        match self.connection() {
            Either::Sqlite(c) => query::all(c, sql, params).await,
            Either::Postgres(c) => query::all(c, sql, params).await,
        }
    }
    async fn one<R: FromQueryResult + Send>(&self, sql: &str, params: Vec<Value>) -> Result<Option<R>> {
        match self.connection() {
            Either::Sqlite(c) => query::one(c, sql, params).await,
            Either::Postgres(c) => query::one(c, sql, params).await,
        }
    }
    async fn scalar<T: sea_orm::TryGetable + Send>(&self, sql: &str, params: Vec<Value>) -> Result<Option<T>> {
        match self.connection() {
            Either::Sqlite(c) => query::scalar(c, sql, params).await,
            Either::Postgres(c) => query::scalar(c, sql, params).await,
        }
    }
}
