//! Calls of webhooks.

use ::store::{Read, Row, Tx, params, sea_orm};
use base::{Result, Timestamp};
use uuid::Uuid;

use super::types::of_agency;
use crate::events::model::{DeliveryId, Position, SubscriptionId};

#[derive(Debug, Clone, Row)]
pub struct DeliveryRow {
    pub id: Uuid,
    pub subscription_id: Uuid,
    pub at: i64,
    pub position: Position,
    pub attempt: i64,
    pub outcome: String,
    pub status: Option<i64>,
    pub millis: i64,
    pub subscriber: String,
    pub provider: String,
    pub name: String,
}

#[derive(Debug)]
pub struct NewDelivery {
    pub id: DeliveryId,
    pub of: SubscriptionId,
    pub position: Position,
    pub attempt: i64,
    pub outcome: &'static str,
    pub status: Option<i64>,
    pub millis: i64,
}

pub async fn insert(tx: &Tx, new: &NewDelivery, now: Timestamp) -> Result<()> {
    let sql = "INSERT INTO event_delivery (id, subscription_id, at, position, attempt, outcome, status, millis) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let values = params![
        new.id,
        new.of,
        now,
        new.position,
        new.attempt,
        new.outcome,
        new.status,
        new.millis
    ];
    tx.exec(sql, values).await.map(drop)
}

/// A page of calls for types of an agency's systems, or for all; of one subscription or of all, with one outcome or any, the newest first.
pub async fn page(
    db: &impl Read,
    agency: Option<&str>,
    of: Option<SubscriptionId>,
    outcome: Option<&str>,
    before: (i64, Uuid),
    most: i64,
) -> Result<Vec<DeliveryRow>> {
    let mut values = params![before.0, before.1, most];
    let mut also = of_agency(agency, &mut values);
    if let Some(of) = of {
        values.extend(params![of]);
        also.push_str(&format!(" AND d.subscription_id = ${}", values.len()));
    }
    if let Some(outcome) = outcome {
        values.extend(params![outcome]);
        also.push_str(&format!(" AND d.outcome = ${}", values.len()));
    }
    let sql = format!(
        "SELECT d.id, d.subscription_id, d.at, d.position, d.attempt, d.outcome, d.status, d.millis, s.subscriber, t.provider, \
         t.name FROM event_delivery d JOIN event_subscription s ON s.id = d.subscription_id JOIN event_type t ON t.id = s.type_id \
         WHERE (d.at, d.id) < ($1, $2){also} ORDER BY d.at DESC, d.id DESC LIMIT $3"
    );
    db.all(&sql, values).await
}

pub async fn remove(tx: &Tx, before: Timestamp) -> Result<u64> {
    tx.exec("DELETE FROM event_delivery WHERE at < $1", params![before])
        .await
}
