//! Reading, the same from a pool and inside a transaction.

use std::{future::Future, time::Duration};

use base::{Error, Kind, Result};
use rand::Rng;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, FromQueryResult, RuntimeErr, Statement, Value};

/// Anything that answers queries: a [`Reader`] or a [`Tx`](crate::Tx).
pub trait Read: Sync {
    /// All rows.
    fn all<R: FromQueryResult + Send>(
        &self,
        sql: &str,
        params: Vec<Value>,
    ) -> impl Future<Output = Result<Vec<R>>> + Send;
    /// The first row.
    fn one<R: FromQueryResult + Send>(
        &self,
        sql: &str,
        params: Vec<Value>,
    ) -> impl Future<Output = Result<Option<R>>> + Send;
    /// The first column of the first row.
    fn scalar<T: sea_orm::TryGetable + Send>(
        &self,
        sql: &str,
        params: Vec<Value>,
    ) -> impl Future<Output = Result<Option<T>>> + Send;
}

/// Answers queries outside a transaction, from committed data. Where the server makes every statement serialisable and asks for
/// one to be repeated, that is done here.
#[derive(Debug, Clone)]
pub struct Reader<'a>(pub(crate) &'a DatabaseConnection);

impl Read for Reader<'_> {
    async fn all<R: FromQueryResult + Send>(&self, sql: &str, params: Vec<Value>) -> Result<Vec<R>> {
        again(|| all(self.0, sql, params.clone())).await
    }
    async fn one<R: FromQueryResult + Send>(&self, sql: &str, params: Vec<Value>) -> Result<Option<R>> {
        again(|| one(self.0, sql, params.clone())).await
    }
    async fn scalar<T: sea_orm::TryGetable + Send>(&self, sql: &str, params: Vec<Value>) -> Result<Option<T>> {
        again(|| scalar(self.0, sql, params.clone())).await
    }
}

/// How often a query or a transaction is tried before the caller is asked to come back.
pub(crate) const TRIES: u32 = 12;

/// Asks, and asks again after a conflict.
async fn again<T, Asked: Future<Output = Result<T>>>(ask: impl Fn() -> Asked) -> Result<T> {
    let mut tries = 0;
    loop {
        match ask().await {
            Err(error) if is_conflict(&error) => {
                tries += 1;
                if tries >= TRIES {
                    return Err(busy());
                }
                pause(tries).await;
            }
            answered => return answered,
        }
    }
}

/// A moment before the next try, longer with each and never the same for two.
pub(crate) async fn pause(tries: u32) {
    let most = 250_u64.min(2 << tries.min(7));
    let pause = rand::rng().random_range(0..=most);
    tokio::time::sleep(Duration::from_millis(pause)).await;
}

pub(crate) fn busy() -> Error {
    Error::refused(
        Kind::Unavailable,
        "busy",
        "Hệ thống đang có quá nhiều thao tác trên cùng dữ liệu; chưa có gì được ghi. Vui lòng thử lại.",
        "Too many changes to the same data at once; nothing was stored. Please try again.",
    )
}

pub(crate) async fn all<R: FromQueryResult>(
    db: &impl ConnectionTrait,
    sql: &str,
    params: Vec<Value>,
) -> Result<Vec<R>> {
    let rows = db
        .query_all_raw(statement(db, sql, params))
        .await
        .map_err(|e| failure(e, sql))?;
    rows.iter()
        .map(|row| R::from_query_result(row, "").map_err(|e| failure(e, sql)))
        .collect()
}

pub(crate) async fn one<R: FromQueryResult>(
    db: &impl ConnectionTrait,
    sql: &str,
    params: Vec<Value>,
) -> Result<Option<R>> {
    let row = db
        .query_one_raw(statement(db, sql, params))
        .await
        .map_err(|e| failure(e, sql))?;
    row.map(|row| R::from_query_result(&row, "").map_err(|e| failure(e, sql)))
        .transpose()
}

pub(crate) async fn scalar<T: sea_orm::TryGetable>(
    db: &impl ConnectionTrait,
    sql: &str,
    params: Vec<Value>,
) -> Result<Option<T>> {
    let row = db
        .query_one_raw(statement(db, sql, params))
        .await
        .map_err(|e| failure(e, sql))?;
    row.map(|row| row.try_get_by_index(0).map_err(|e| failure(e, sql)))
        .transpose()
}

pub(crate) async fn exec(db: &impl ConnectionTrait, sql: &str, params: Vec<Value>) -> Result<u64> {
    let done = db
        .execute_raw(statement(db, sql, params))
        .await
        .map_err(|e| failure(e, sql))?;
    Ok(done.rows_affected())
}

fn statement(db: &impl ConnectionTrait, sql: &str, params: Vec<Value>) -> Statement {
    Statement::from_sql_and_values(db.get_database_backend(), sql, params)
}

/// A database failure, kept so that [`transact!`](crate::transact) can tell a conflict from a fault.
#[derive(Debug, thiserror::Error)]
#[error("{source} in: {sql}")]
pub(crate) struct DbFailure {
    pub source: DbErr,
    /// The statement text; never its parameters, which may be personal data.
    sql: String,
}

/// Sorts a driver error: trouble that passes is [`Kind::Unavailable`], the rest is ours to mend.
pub(crate) fn failure(source: DbErr, sql: &str) -> Error {
    if is_full(&source) {
        tracing::error!(error = %source, "the database has no room left");
        return Error::refused(
            Kind::Unavailable,
            "storage-full",
            "Hệ thống đã hết chỗ lưu trữ; chưa có gì được ghi. Đề nghị báo quản trị và thử lại sau.",
            "Storage is full; nothing was stored. Please tell the administrator and try again later.",
        );
    }
    if matches!(source, DbErr::ConnectionAcquire(_) | DbErr::Conn(_)) {
        tracing::warn!(error = %source, "the database does not answer");
        return Error::refused(
            Kind::Unavailable,
            "database-unavailable",
            "Cơ sở dữ liệu tạm thời không phản hồi; chưa có gì được ghi. Vui lòng thử lại.",
            "The database does not answer at the moment; nothing was stored. Please try again.",
        );
    }
    Error::internal(DbFailure {
        source,
        sql: sql.to_owned(),
    })
}

/// SQLSTATE on PostgreSQL, the primary result code on SQLite.
fn code(error: &DbErr) -> Option<String> {
    let (DbErr::Exec(RuntimeErr::SqlxError(e))
    | DbErr::Query(RuntimeErr::SqlxError(e))
    | DbErr::Conn(RuntimeErr::SqlxError(e))) = error
    else {
        return None;
    };
    e.as_database_error().and_then(|d| d.code()).map(|c| c.into_owned())
}

fn is_full(error: &DbErr) -> bool {
    matches!(code(error).as_deref(), Some("13" | "53100"))
}

/// Whether the whole transaction, or the query, should be tried again: 40001, 40P01, SQLITE_BUSY and its extended codes.
pub(crate) fn is_conflict(error: &Error) -> bool {
    let Error::Internal(inner) = error else { return false };
    inner.downcast_ref::<DbFailure>().is_some_and(|f| {
        matches!(
            code(&f.source).as_deref(),
            Some("40001" | "40P01" | "5" | "6" | "261" | "262" | "517")
        )
    })
}
