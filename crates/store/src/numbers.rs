//! Consecutive numbers without a queue behind one row lock: whoever holds the lock draws for all who wait.

use std::collections::HashMap;

use base::{Error, Result};
use tokio::sync::{Mutex, oneshot};

use crate::{Read, Store, params, transact};

type Waiters = Vec<oneshot::Sender<i64>>;

#[derive(Default)]
pub(crate) struct Numbers {
    asked: std::sync::Mutex<HashMap<String, Waiters>>,
    drawing: Mutex<()>,
}

impl Store {
    /// The next number of `scope`, from 1. Never given twice, whatever crashes or runs beside; a crash may leave a gap.
    ///
    /// # Errors
    /// The database failed; no number was given.
    pub async fn next_number(&self, scope: &str) -> Result<i64> {
        let (give, mut take) = oneshot::channel();
        self.asked().entry(scope.to_owned()).or_default().push(give);
        let _drawing = self.0.numbers.drawing.lock().await;
        if let Ok(number) = take.try_recv() {
            return Ok(number);
        }
        let waiters = self.asked().remove(scope).unwrap_or_default();
        let count = i64::try_from(waiters.len()).unwrap_or(1).max(1);
        // A failure drops the waiters: each of them sees a closed channel and draws for itself.
        let last = self.draw(scope, count).await?;
        for (n, waiter) in (last - count + 1..=last).zip(waiters) {
            // A waiter that went away leaves a gap.
            let _ = waiter.send(n);
        }
        take.try_recv()
            .map_err(|_| Error::internal("a number was drawn and not given"))
    }

    async fn draw(&self, scope: &str, count: i64) -> Result<i64> {
        let sql = "INSERT INTO counter (scope, value) VALUES ($1, $2) \
                   ON CONFLICT (scope) DO UPDATE SET value = counter.value + $2 RETURNING value";
        transact!(self, |tx| {
            tx.relax().await?;
            tx.scalar::<i64>(sql, params![scope, count])
                .await?
                .ok_or_else(|| Error::internal("a counter gave no value"))
        })
    }

    fn asked(&self) -> std::sync::MutexGuard<'_, HashMap<String, Waiters>> {
        self.0
            .numbers
            .asked
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
