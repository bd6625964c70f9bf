//! Operational monitoring.

use std::collections::BTreeMap;

use ::store::{Param, Read, Row, Tx, params, sea_orm, sea_orm::Value};
use base::{Id, Result, Timestamp};
use uuid::Uuid;

use super::insert;
use crate::model::monitor::OpRecord;

/// Microseconds of an hour.
const HOUR: i64 = 3_600_000_000;

/// A record.
#[derive(Debug, Clone, PartialEq, Row)]
pub struct OperationRow {
    pub id: Uuid,
    pub at: i64,
    pub record: String,
}

/// Adds records, and what they come to by the hour.
pub async fn add_operations(tx: &Tx, records: &[OpRecord], now: Timestamp) -> Result<()> {
    let mut rows: Vec<Vec<Value>> = Vec::with_capacity(records.len());
    let mut hours: BTreeMap<(i64, String, &str, i64), [i64; 3]> = BTreeMap::new();
    for record in records {
        let text = |id: Option<String>| id.unwrap_or_default();
        let client = text(record.client_id().map(|id| id.to_string()));
        let service = text(record.service_id().map(|id| id.to_string()));
        let at = record.response_out_ts.saturating_mul(1000);
        let json = serde_json::to_string(record)?;
        rows.push(params![Id::<OpRecord>::new(now), at, client, service, json]);
        let key = (
            at.div_euclid(HOUR),
            service,
            record.security_server_type.as_str(),
            bucket(record.millis()),
        );
        let line = hours.entry(key).or_default();
        line[0] += 1;
        line[1] += i64::from(!record.succeeded);
        line[2] += record.millis();
    }
    insert(
        tx,
        "journal_operation",
        &["id", "at", "client", "service", "record"],
        &rows,
    )
    .await?;
    let sql = "INSERT INTO journal_operation_hour (hour, service, side, bucket, n, failed, millis) \
               VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (hour, service, side, bucket) DO UPDATE SET \
               n = journal_operation_hour.n + excluded.n, failed = journal_operation_hour.failed + excluded.failed, \
               millis = journal_operation_hour.millis + excluded.millis";
    for ((hour, service, side, bucket), [n, failed, millis]) in hours {
        tx.exec(sql, params![hour, service, side, bucket, n, failed, millis])
            .await?;
    }
    Ok(())
}

/// Durations up to 2^bucket milliseconds.
fn bucket(millis: i64) -> i64 {
    i64::from(i64::BITS - millis.max(0).leading_zeros())
}

/// Records of a time, oldest first, after one of them.
pub async fn operations(
    db: &impl Read,
    (from, to): (Timestamp, Timestamp),
    (client, service): (Option<&str>, Option<&str>),
    after: Option<(i64, Uuid)>,
    limit: i64,
) -> Result<Vec<OperationRow>> {
    let (at, id) = after.unwrap_or((i64::MIN, Uuid::nil()));
    let mut values = params![from, to, at, id, limit];
    let mut also = String::new();
    for (column, wanted) in [("client", client), ("service", service)] {
        if let Some(wanted) = wanted {
            values.push(wanted.value());
            also.push_str(&format!(" AND {column} = ${}", values.len()));
        }
    }
    let sql = format!(
        "SELECT id, at, record FROM journal_operation WHERE at >= $1 AND at < $2 AND (at, id) > ($3, $4){also} \
         ORDER BY at, id LIMIT $5"
    );
    db.all(&sql, values).await
}

/// One class of durations of a service in an hour.
#[derive(Debug, Clone, PartialEq, Row)]
pub struct HourRow {
    pub hour: i64,
    pub service: String,
    pub side: String,
    pub bucket: i64,
    pub n: i64,
    pub failed: i64,
    pub millis: i64,
}

/// What passed by the hour, from one hour on until before another.
pub async fn hours(db: &impl Read, from: Timestamp, to: Timestamp) -> Result<Vec<HourRow>> {
    let sql = "SELECT hour, service, side, bucket, n, failed, millis FROM journal_operation_hour WHERE hour >= $1 AND hour < $2 \
               ORDER BY hour, service, side, bucket";
    let hour = |at: Timestamp| at.micros().div_euclid(HOUR);
    db.all(sql, params![hour(from), hour(to)]).await
}

/// Takes away records from before an instant, so many at most; how many there were.
pub async fn delete_operations(tx: &Tx, before: Timestamp, limit: i64) -> Result<u64> {
    let sql = "DELETE FROM journal_operation WHERE id IN (SELECT id FROM journal_operation WHERE at < $1 ORDER BY at LIMIT $2)";
    let gone = tx.exec(sql, params![before, limit]).await?;
    let sql = "DELETE FROM journal_operation_hour WHERE hour < $1";
    tx.exec(sql, params![before.micros().div_euclid(HOUR)]).await?;
    Ok(gone)
}
