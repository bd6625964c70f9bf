//! Deferred work: once an hour, what has been kept long enough goes; and questions go to other nodes, and answers back.

use ::store::{Job, Store, jobs::Runner, transact};
use base::{Result, Timestamp};

use super::{Journal, tracker::Errand};

const SWEEP: &str = "exchange.journal.sweep";
const HOUR: i64 = 3600;

/// Teaches a runner the jobs of the journal.
pub fn handlers(runner: Runner, journal: &Journal) -> Runner {
    let (journal, messenger) = (journal.clone(), journal.clone());
    let runner = runner.on(Errand::KIND, move |run| {
        let journal = messenger.clone();
        async move { journal.run_errand(run.payload()?).await }
    });
    runner.on(SWEEP, move |run| {
        let journal = journal.clone();
        async move {
            let (now, store) = (run.now, run.store.clone());
            journal.erase_due(now).await?;
            journal.forget_operations(now).await?;
            transact!(store, |tx| {
                run.done(&tx).await?;
                tx.enqueue(next(now)?, now).await
            })
        }
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
