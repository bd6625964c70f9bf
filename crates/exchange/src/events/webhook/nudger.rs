//! The job that calls webhooks. At most one nudge of a subscription waits or is in hand, whatever is published meanwhile; when
//! it has been answered, another follows if there is more. So a dead webhook costs a publisher nothing.

use ::store::{
    Job, Tx,
    jobs::{Batch, Runner},
    transact,
};
use base::{Result, Timestamp};
use futures::{StreamExt, stream};
use serde::{Deserialize, Serialize};

use super::{Nudge, Outcome, Secret, Webhooks};
use crate::events::{
    model::{DeliveryId, State, SubscriptionId, TypeId},
    service::Events,
    store::{
        deliveries::{self, NewDelivery},
        log,
        subscriptions::{self, Nudged, SubscriptionRow},
    },
};

/// The kind of job.
pub const NUDGE: &str = "events.nudge";
/// Webhooks that are called at the same time.
const AT_ONCE: usize = 32;
/// The longest pause between two tries, in seconds.
const LONGEST_PAUSE: i64 = 3600;

#[derive(Debug, Serialize, Deserialize)]
struct Due {
    subscription: SubscriptionId,
}

/// Teaches a runner to call webhooks. It waits for the slowest of them, so give it a runner of its own, beside the one for the
/// node's other jobs.
pub fn nudges(runner: Runner, events: &Events) -> Runner {
    let events = events.clone();
    runner.on_many(NUDGE, move |batch| {
        let events = events.clone();
        async move { events.nudge(&batch).await }
    })
}

/// Lets a nudge follow for each of these subscriptions, which are marked as due.
pub(in crate::events) async fn enqueue(tx: &Tx, due: &[SubscriptionId], at: Timestamp, now: Timestamp) -> Result<()> {
    let jobs: Vec<Job> = due
        .iter()
        .map(|id| {
            let job = Job::new(NUDGE, &Due { subscription: *id })?;
            Ok(job.key(format!("{NUDGE}/{id}")).at(at))
        })
        .collect::<Result<_>>()?;
    tx.enqueue_all(&jobs, now).await
}

/// A call that was made, or was no longer to be made.
struct Made {
    row: SubscriptionRow,
    call: Option<(Outcome, i64)>,
}

impl Events {
    async fn nudge(&self, batch: &Batch) -> Result<()> {
        let due: Vec<Due> = batch.payloads()?;
        let ids: Vec<SubscriptionId> = due.iter().map(|due| due.subscription).collect();
        let mut rows = subscriptions::by_ids(&self.store().read(), &ids).await?;
        // Logs are held one after another: always in the same order.
        rows.sort_by_key(|row| (row.type_id, row.id));
        let made: Vec<Made> = stream::iter(rows)
            .map(|row| self.call(row, batch.now))
            .buffered(AT_ONCE)
            .collect()
            .await;
        transact!(self.store(), |tx| {
            batch.done(&tx).await?;
            for made in &made {
                self.settle(&tx, made, batch.now).await?;
            }
            Ok(())
        })
    }

    async fn call(&self, row: SubscriptionRow, now: Timestamp) -> Made {
        let wanted = row.state == State::Approved.code() && row.nudge_paused.is_none();
        let Some(address) = row.webhook.as_deref().filter(|_| wanted) else {
            return Made { row, call: None };
        };
        let id = SubscriptionId::from_uuid(row.id);
        let nudge = Nudge {
            provider: row.provider.clone(),
            event_type: row.name.clone(),
            subscription: id,
            sequence: row.last_position,
        };
        let signed = Secret::derive(self.secret(), id, row.secret_generation).and_then(|s| nudge.sign(&s, now));
        let started = tokio::time::Instant::now();
        let outcome = match signed {
            Ok(message) => self.webhooks().call(address, &message).await,
            Err(error) => {
                tracing::error!(%error, subscription = %id, "a nudge could not be signed");
                Outcome::Unreachable
            }
        };
        let millis = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
        tracing::info!(subscription = %id, outcome = outcome.code(), millis, "a webhook was called");
        Made {
            row,
            call: Some((outcome, millis)),
        }
    }

    /// Writes down what a call came to, and what follows from it; by the subscription as it is now.
    async fn settle(&self, tx: &Tx, made: &Made, now: Timestamp) -> Result<()> {
        let id = SubscriptionId::from_uuid(made.row.id);
        let head = log::hold(tx, TypeId::from_uuid(made.row.type_id)).await?;
        let Some(row) = subscriptions::by_id(tx, id).await? else {
            return Ok(());
        };
        let rules = self.webhooks().rules();
        let mut after = Nudged {
            position: row.nudged,
            failures: row.nudge_failures,
            paused: row.nudge_paused.as_deref(),
            due: false,
        };
        if let Some((outcome, millis)) = made.call {
            // What another address answered says nothing about this one.
            if row.webhook == made.row.webhook {
                if let Outcome::Delivered(_) = outcome {
                    (after.position, after.failures) = (made.row.last_position, 0);
                } else {
                    after.failures += 1;
                }
                if outcome == Outcome::Unwanted || after.failures >= rules.tries {
                    after.paused = Some(outcome.code());
                }
            }
            let delivery = NewDelivery {
                id: DeliveryId::new(now),
                of: id,
                position: made.row.last_position,
                attempt: made.row.nudge_failures + 1,
                outcome: outcome.code(),
                status: outcome.status().map(i64::from),
                millis,
            };
            deliveries::insert(tx, &delivery, now).await?;
        }
        let wanted = row.state == State::Approved.code() && row.webhook.is_some() && after.paused.is_none();
        after.due = wanted && (after.failures > 0 || head.last_position > after.position);
        subscriptions::nudged(tx, id, &after).await?;
        if after.due {
            enqueue(tx, &[id], now.plus_seconds(pause(rules, after.failures)), now).await?;
        }
        Ok(())
    }
}

/// Seconds until the next try.
fn pause(rules: &Webhooks, failures: i64) -> i64 {
    match u32::try_from(failures) {
        Ok(0) | Err(_) => 0,
        Ok(failures) => (rules.pause << (failures - 1).min(20)).min(LONGEST_PAUSE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour() {
        let rules = Webhooks::default();
        let pauses: Vec<i64> = (0..12).map(|failures| pause(&rules, failures)).collect();
        assert_eq!(pauses, [0, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]);
    }
}
