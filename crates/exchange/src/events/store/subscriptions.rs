//! Subscriptions.

use ::store::{MOST_VALUES, Param, Read, Row, Tx, padded, params, sea_orm};
use base::{Result, Timestamp};
use uuid::Uuid;

use super::types::of_agency;
use crate::events::model::{Position, State, SubscriptionId, TypeId};

/// A subscription with what is asked about its type.
#[derive(Debug, Clone, Row)]
pub struct SubscriptionRow {
    pub id: Uuid,
    pub type_id: Uuid,
    pub subscriber: String,
    pub state: String,
    pub purpose: String,
    pub legal_basis: String,
    pub key_prefix: String,
    pub acknowledged: Position,
    pub start_at_approval: bool,
    pub webhook: Option<String>,
    pub secret_generation: i64,
    pub nudge_due: bool,
    pub nudge_failures: i64,
    pub nudge_paused: Option<String>,
    pub nudged: Position,
    pub requested_at: i64,
    pub decided_at: Option<i64>,
    pub decided_by: String,
    pub reason: String,
    pub acknowledged_at: Option<i64>,
    pub provider: String,
    pub name: String,
    pub title_vi: String,
    pub title_en: String,
    pub retention_days: i64,
    pub first_position: Position,
    pub last_position: Position,
}

const SELECT: &str = "SELECT s.id, s.type_id, s.subscriber, s.state, s.purpose, s.legal_basis, s.key_prefix, s.acknowledged, \
                      s.start_at_approval, s.webhook, s.secret_generation, s.nudge_due, s.nudge_failures, s.nudge_paused, \
                      s.nudged, s.requested_at, s.decided_at, s.decided_by, s.reason, s.acknowledged_at, t.provider, t.name, \
                      t.title_vi, t.title_en, t.retention_days, h.first_position, h.last_position \
                      FROM event_subscription s JOIN event_type t ON t.id = s.type_id \
                      JOIN event_head h ON h.type_id = s.type_id";

/// What a request writes.
#[derive(Debug)]
pub struct Request<'a> {
    pub id: SubscriptionId,
    pub of: TypeId,
    pub subscriber: &'a str,
    pub purpose: &'a str,
    pub legal_basis: &'a str,
    pub key_prefix: &'a str,
    pub acknowledged: Position,
    pub start_at_approval: bool,
    pub webhook: Option<&'a str>,
}

/// Writes a request; one that was refused or cancelled begins anew, with another secret. False when there is one that stands.
pub async fn request(tx: &Tx, new: &Request<'_>, now: Timestamp) -> Result<bool> {
    let sql = "INSERT INTO event_subscription (id, type_id, subscriber, state, purpose, legal_basis, key_prefix, acknowledged, \
               start_at_approval, webhook, secret_generation, nudge_due, nudge_failures, nudged, requested_at, decided_by, reason) \
               VALUES ($1, $2, $3, 'requested', $4, $5, $6, $7, $8, $9, 1, FALSE, 0, 0, $10, '', '') \
               ON CONFLICT (type_id, subscriber) DO UPDATE SET state = 'requested', purpose = $4, legal_basis = $5, \
               key_prefix = $6, acknowledged = $7, start_at_approval = $8, webhook = $9, \
               secret_generation = event_subscription.secret_generation + 1, nudge_failures = 0, nudge_paused = NULL, \
               requested_at = $10, decided_at = NULL, decided_by = '', reason = '', acknowledged_at = NULL \
               WHERE event_subscription.state IN ('refused', 'cancelled')";
    let values = params![
        new.id,
        new.of,
        new.subscriber,
        new.purpose,
        new.legal_basis,
        new.key_prefix,
        new.acknowledged,
        new.start_at_approval,
        new.webhook,
        now
    ];
    Ok(tx.exec(sql, values).await? == 1)
}

pub async fn by_id(db: &impl Read, id: SubscriptionId) -> Result<Option<SubscriptionRow>> {
    db.one(&format!("{SELECT} WHERE s.id = $1"), params![id]).await
}

pub async fn by_ids(db: &impl Read, ids: &[SubscriptionId]) -> Result<Vec<SubscriptionRow>> {
    let mut found = Vec::new();
    for ids in padded(ids, MOST_VALUES) {
        let sql = format!("{SELECT} WHERE s.id IN ({})", ::store::among(1, ids.len()));
        found.extend(
            db.all::<SubscriptionRow>(&sql, ids.iter().map(Param::value).collect())
                .await?,
        );
    }
    Ok(found)
}

pub async fn of(db: &impl Read, of: TypeId, subscriber: &str) -> Result<Option<SubscriptionRow>> {
    let sql = format!("{SELECT} WHERE s.type_id = $1 AND s.subscriber = $2");
    db.one(&sql, params![of, subscriber]).await
}

/// The subscriptions of one subsystem to the types of one provider.
pub async fn of_subscriber(
    db: &impl Read,
    provider: &str,
    subscriber: &str,
    most: i64,
) -> Result<Vec<SubscriptionRow>> {
    let sql = format!(
        "{SELECT} WHERE s.subscriber = $1 AND t.provider = $2 AND s.state <> 'cancelled' ORDER BY t.name LIMIT $3"
    );
    db.all(&sql, params![subscriber, provider, most]).await
}

/// The subscriptions to one type, by subscriber.
pub async fn to(db: &impl Read, of: TypeId, after: &str, most: i64) -> Result<Vec<SubscriptionRow>> {
    let sql = format!("{SELECT} WHERE s.type_id = $1 AND s.subscriber > $2 ORDER BY s.subscriber LIMIT $3");
    db.all(&sql, params![of, after, most]).await
}

/// A page of the subscriptions to types of an agency's systems, or to all, in one state or in any, the newest request first.
pub async fn page(
    db: &impl Read,
    agency: Option<&str>,
    state: Option<State>,
    before: (i64, Uuid),
    most: i64,
) -> Result<Vec<SubscriptionRow>> {
    let mut values = params![before.0, before.1, most];
    let mut also = of_agency(agency, &mut values);
    if let Some(state) = state {
        values.extend(params![state.code()]);
        also.push_str(&format!(" AND s.state = ${}", values.len()));
    }
    let sql = format!(
        "{SELECT} WHERE (s.requested_at, s.id) < ($1, $2){also} ORDER BY s.requested_at DESC, s.id DESC LIMIT $3"
    );
    db.all(&sql, values).await
}

/// Records a steward's decision; false when the subscription was no longer in the state `from`.
pub async fn decide(
    tx: &Tx,
    id: SubscriptionId,
    (from, to): (State, State),
    (by, reason): (&str, &str),
    now: Timestamp,
) -> Result<bool> {
    let sql = "UPDATE event_subscription SET state = $3, decided_at = $4, decided_by = $5, reason = $6 WHERE id = $1 AND state = $2";
    let values = params![id, from.code(), to.code(), now, by, reason];
    Ok(tx.exec(sql, values).await? == 1)
}

/// Fixes where a subscription begins, once. Of what came before nobody needs to be told.
pub async fn begin(tx: &Tx, id: SubscriptionId, acknowledged: Position) -> Result<()> {
    let sql = "UPDATE event_subscription SET acknowledged = $2, nudged = $2, start_at_approval = FALSE WHERE id = $1";
    tx.exec(sql, params![id, acknowledged]).await.map(drop)
}

pub async fn cancel(tx: &Tx, id: SubscriptionId, now: Timestamp) -> Result<()> {
    let sql = "UPDATE event_subscription SET state = 'cancelled', decided_at = $2, webhook = NULL WHERE id = $1";
    tx.exec(sql, params![id, now]).await.map(drop)
}

/// Everything up to a position was taken. Never goes back.
pub async fn acknowledge(tx: &Tx, id: SubscriptionId, position: Position, now: Timestamp) -> Result<()> {
    let sql =
        "UPDATE event_subscription SET acknowledged = $2, acknowledged_at = $3 WHERE id = $1 AND acknowledged < $2";
    tx.exec(sql, params![id, position, now]).await.map(drop)
}

/// Another webhook, or none; whatever had failed is forgotten.
pub async fn set_webhook(tx: &Tx, id: SubscriptionId, webhook: Option<&str>) -> Result<()> {
    let sql = "UPDATE event_subscription SET webhook = $2, nudge_failures = 0, nudge_paused = NULL WHERE id = $1";
    tx.exec(sql, params![id, webhook]).await.map(drop)
}

pub async fn rotate_secret(tx: &Tx, id: SubscriptionId) -> Result<()> {
    let sql = "UPDATE event_subscription SET secret_generation = secret_generation + 1 WHERE id = $1";
    tx.exec(sql, params![id]).await.map(drop)
}

pub async fn resume_nudges(tx: &Tx, id: SubscriptionId) -> Result<()> {
    let sql = "UPDATE event_subscription SET nudge_failures = 0, nudge_paused = NULL WHERE id = $1";
    tx.exec(sql, params![id]).await.map(drop)
}

/// Marks as due, and tells, every subscription of the type that has a working webhook, has not been told of `last`, and has no
/// nudge waiting. The caller holds the log.
pub async fn become_due(tx: &Tx, of: TypeId, last: Position) -> Result<Vec<SubscriptionId>> {
    #[derive(Row)]
    struct Due {
        id: Uuid,
    }
    let sql = "UPDATE event_subscription SET nudge_due = TRUE WHERE type_id = $1 AND state = 'approved' \
               AND webhook IS NOT NULL AND nudge_paused IS NULL AND nudge_due = FALSE AND nudged < $2 RETURNING id";
    let due = tx.all::<Due>(sql, params![of, last]).await?;
    Ok(due.into_iter().map(|due| SubscriptionId::from_uuid(due.id)).collect())
}

/// What a call of the webhook came to. The caller holds the log.
#[derive(Debug)]
pub struct Nudged<'a> {
    pub position: Position,
    pub failures: i64,
    pub paused: Option<&'a str>,
    pub due: bool,
}

pub async fn nudged(tx: &Tx, id: SubscriptionId, after: &Nudged<'_>) -> Result<()> {
    let sql = "UPDATE event_subscription SET nudged = $2, nudge_failures = $3, nudge_paused = $4, nudge_due = $5 WHERE id = $1";
    let values = params![id, after.position, after.failures, after.paused, after.due];
    tx.exec(sql, values).await.map(drop)
}
