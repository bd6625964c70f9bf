//! Removing what has been kept long enough.

use ::store::{Job, Store, jobs::Runner, transact};
use base::{Result, Timestamp};
use uuid::Uuid;

use super::Events;
use crate::events::{
    model::TypeId,
    store::{deliveries, log, types},
};

/// The kind of job.
pub const RETENTION: &str = "events.retention";
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// Days that calls of webhooks are kept.
const DELIVERY_DAYS: i64 = 30;
/// Events removed in one transaction.
const AT_ONCE: i64 = 1000;
/// Types looked at in one read.
const TYPES: i64 = 200;

/// Teaches a runner to remove old events, once an hour.
pub fn jobs(runner: Runner, events: &Events) -> Runner {
    let events = events.clone();
    runner.on(RETENTION, move |run| {
        let events = events.clone();
        async move {
            events.remove_old(run.now).await?;
            transact!(run.store, |tx| {
                run.done(&tx).await?;
                tx.enqueue(next(run.now)?, run.now).await
            })
        }
    })
}

fn next(now: Timestamp) -> Result<Job> {
    Ok(Job::new(RETENTION, &())?.at(now.plus_seconds(HOUR)).key(RETENTION))
}

/// Sees to it that old events are removed. Called at every start; there is never more than one such job.
///
/// # Errors
/// The database failed.
pub async fn schedule(store: &Store, now: Timestamp) -> Result<()> {
    transact!(store, |tx| { tx.enqueue(next(now)?, now).await })
}

impl Events {
    /// Removes the events that are older than their type keeps them, the oldest first; how many they were.
    ///
    /// # Errors
    /// The database failed; what was removed stays removed.
    pub async fn remove_old(&self, now: Timestamp) -> Result<u64> {
        let (mut removed, mut after) = (0, Uuid::nil());
        loop {
            let rows = types::ids(&self.store().read(), after, TYPES).await?;
            let Some(last) = rows.last() else { break };
            after = last.id;
            for row in rows {
                let than = now.plus_seconds(-row.retention_days * DAY);
                removed += self.remove_older(TypeId::from_uuid(row.id), than).await?;
            }
        }
        transact!(self.store(), |tx| {
            deliveries::remove(&tx, now.plus_seconds(-DELIVERY_DAYS * DAY)).await
        })?;
        Ok(removed)
    }

    async fn remove_older(&self, of: TypeId, than: Timestamp) -> Result<u64> {
        let mut removed = 0;
        while let Some(position) = log::expired(&self.store().read(), of, than, AT_ONCE).await? {
            removed += transact!(self.store(), |tx| {
                log::hold(&tx, of).await?;
                log::remove(&tx, of, position).await
            })?;
        }
        Ok(removed)
    }
}
