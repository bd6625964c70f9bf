//! Deferred work: sweeping out what has expired.

use ::store::{Job, Store, jobs::Runner, transact};
use base::{Result, Timestamp};

use crate::store::delete_expired;

const SWEEP: &str = "identity.sweep";
const HOUR: i64 = 3600;

/// Teaches a runner the jobs of this crate.
pub fn jobs(runner: Runner) -> Runner {
    runner.on(SWEEP, |run| async move {
        let (now, store) = (run.now, run.store.clone());
        transact!(store, |tx| {
            delete_expired(&tx, now, now.plus_seconds(-24 * HOUR)).await?;
            run.done(&tx).await?;
            tx.enqueue(next(now)?, now).await
        })
    })
}

fn next(now: Timestamp) -> Result<Job> {
    Ok(Job::new(SWEEP, &())?.at(now.plus_seconds(HOUR)).key(SWEEP))
}

/// Sees to it that the sweep is due once an hour. Called at every start; there is never more than one.
///
/// # Errors
/// The database failed.
pub async fn schedule(store: &Store, now: Timestamp) -> Result<()> {
    transact!(store, |tx| { tx.enqueue(next(now)?, now).await })
}
