//! Operational monitoring.

use std::collections::BTreeMap;

use ::store::{Param, Read, Row, Tx, params, sea_orm, sea_orm::Value};
use base::{Id, Result, Timestamp};
use uuid::Uuid;

use super::STAYS;
use crate::model::{error::ErrorCode, monitor::OpRecord};

/// Microseconds of an hour.
const HOUR: i64 = 3_600_000_000;
/// Microseconds of a minute.
const MINUTE: i64 = 60_000_000;

/// A record.
#[derive(Debug, Clone, PartialEq, Row)]
pub struct OperationRow {
    pub id: Uuid,
    pub at: i64,
    pub record: String,
}

/// What of a minute's traffic one line counts: side, client member, service, class of durations.
type Flowing = (i64, &'static str, String, String, i64);

/// Adds records, and what they come to by the hour and, without those that `is_own` picks, by the minute.
pub async fn add_operations(
    tx: &Tx,
    records: &[OpRecord],
    is_own: impl Fn(&OpRecord) -> bool,
    now: Timestamp,
) -> Result<()> {
    let mut rows: Vec<Vec<Value>> = Vec::with_capacity(records.len());
    let mut hours: BTreeMap<(i64, String, &str, i64), [i64; 3]> = BTreeMap::new();
    let mut minutes: BTreeMap<Flowing, [i64; 3]> = BTreeMap::new();
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
        if let (Some(client), Some(service), false) = (record.client_id(), record.service_id(), is_own(record)) {
            let key = (
                at.div_euclid(MINUTE),
                record.security_server_type.as_str(),
                client.member.to_string(),
                service.to_string(),
                bucket(record.millis()),
            );
            let line = minutes.entry(key).or_default();
            let said_no = record.fault_code.as_deref().map(is_refusal);
            line[0] += 1;
            line[1] += i64::from(said_no == Some(true));
            line[2] += i64::from(said_no == Some(false));
        }
    }
    tx.insert("journal_operation (id, at, client, service, record)", &rows, STAYS)
        .await?;
    let sql = "INSERT INTO journal_operation_hour (hour, service, side, bucket, n, failed, millis) \
               VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (hour, service, side, bucket) DO UPDATE SET \
               n = journal_operation_hour.n + excluded.n, failed = journal_operation_hour.failed + excluded.failed, \
               millis = journal_operation_hour.millis + excluded.millis";
    for ((hour, service, side, bucket), [n, failed, millis]) in hours {
        tx.exec(sql, params![hour, service, side, bucket, n, failed, millis])
            .await?;
    }
    let sql = "INSERT INTO journal_traffic (minute, side, client, service, bucket, n, refused, failed) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (minute, side, client, service, bucket) DO UPDATE SET \
               n = journal_traffic.n + excluded.n, refused = journal_traffic.refused + excluded.refused, \
               failed = journal_traffic.failed + excluded.failed";
    for ((minute, side, client, service, bucket), [n, refused, failed]) in minutes {
        tx.exec(sql, params![minute, side, client, service, bucket, n, refused, failed])
            .await?;
    }
    Ok(())
}

/// Whether a fault is a no of the provider; else the message did not get through.
fn is_refusal(fault: &str) -> bool {
    use ErrorCode as E;
    matches!(
        ErrorCode::named(fault),
        Some(
            E::AccessDenied
                | E::UnknownService
                | E::ServiceDisabled
                | E::RateLimited
                | E::BadRequest
                | E::PurposeMissing
        )
    )
}

/// One class of durations of what one member asked of a service.
#[derive(Debug, Clone, PartialEq, Row)]
pub struct TrafficRow {
    pub side: String,
    pub client: String,
    pub service: String,
    pub bucket: i64,
    pub n: i64,
    pub refused: i64,
    pub failed: i64,
}

/// What passed from one minute on, so many lines at most.
pub async fn traffic(db: &impl Read, from: Timestamp, limit: i64) -> Result<Vec<TrafficRow>> {
    let sql = "SELECT side, client, service, bucket, CAST(SUM(n) AS BIGINT) AS n, CAST(SUM(refused) AS BIGINT) AS refused, \
               CAST(SUM(failed) AS BIGINT) AS failed FROM journal_traffic WHERE minute >= $1 \
               GROUP BY side, client, service, bucket ORDER BY side, client, service, bucket LIMIT $2";
    db.all(sql, params![from.micros().div_euclid(MINUTE), limit]).await
}

/// Takes away the traffic of the minutes before an instant.
pub async fn delete_traffic(tx: &Tx, before: Timestamp) -> Result<u64> {
    let sql = "DELETE FROM journal_traffic WHERE minute < $1";
    tx.exec(sql, params![before.micros().div_euclid(MINUTE)]).await
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
