//! Consecutive numbers without a queue behind one row lock: who waits is given numbers together.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
    sync::{Mutex, PoisonError},
};

use base::{Error, Result};

use crate::{Gather, MOST_VALUES, Read, Store, params, transact};

/// While several wait at once, so many numbers are drawn for each of them: the next callers find theirs drawn already.
const AHEAD: i64 = 8;

pub(crate) struct Numbers {
    asked: Gather<String, i64>,
    /// Drawn and not given yet, by scope.
    ahead: Mutex<HashMap<String, Range<i64>>>,
}

impl Numbers {
    pub fn new() -> Self {
        Self {
            asked: Gather::new(1, MOST_VALUES),
            ahead: Mutex::default(),
        }
    }

    fn drawn_ahead(&self, scope: &str) -> Option<i64> {
        self.ahead().get_mut(scope)?.next()
    }

    fn ahead(&self) -> std::sync::MutexGuard<'_, HashMap<String, Range<i64>>> {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// The next number of `scope`, from 1. Never given twice, whatever crashes or runs beside. A process that stops while many
    /// are asking may leave a gap, and two processes on one database may give theirs out of turn.
    ///
    /// # Errors
    /// The database failed; no number was given.
    pub async fn next_number(&self, scope: &str) -> Result<i64> {
        if let Some(number) = self.0.numbers.drawn_ahead(scope) {
            return Ok(number);
        }
        let store = self.clone();
        let draw = move |scopes| {
            let store = store.clone();
            async move { store.draw_all(scopes).await }
        };
        self.0.numbers.asked.ask(scope.to_owned(), draw).await
    }

    async fn draw_all(&self, scopes: Vec<String>) -> Vec<Result<i64>> {
        let mut wanted: BTreeMap<&str, usize> = BTreeMap::new();
        for scope in &scopes {
            *wanted.entry(scope).or_default() += 1;
        }
        let mut drawn: BTreeMap<&str, Result<Vec<i64>>> = BTreeMap::new();
        for (scope, count) in wanted {
            // A scope that fails gives no numbers; its callers are told.
            drawn.insert(scope, self.numbers(scope, count).await);
        }
        scopes
            .iter()
            .map(|scope| match drawn.get_mut(scope.as_str()) {
                Some(Ok(numbers)) => numbers.pop().ok_or_else(|| Error::internal("a number was not drawn")),
                Some(Err(error)) => Err(Error::internal(error.to_string())),
                None => Err(Error::internal("a scope was not drawn from")),
            })
            .collect()
    }

    /// So many numbers, the smallest last.
    async fn numbers(&self, scope: &str, count: usize) -> Result<Vec<i64>> {
        let mut numbers: Vec<i64> = std::iter::from_fn(|| self.0.numbers.drawn_ahead(scope))
            .take(count)
            .collect();
        let missing = i64::try_from(count - numbers.len()).unwrap_or(0);
        if missing > 0 {
            let more = if count > 1 { missing * AHEAD } else { missing };
            let last = self.draw(scope, more).await?;
            let mut range = last - more + 1..last + 1;
            numbers.extend(range.by_ref().take(count - numbers.len()));
            self.0.numbers.ahead().insert(scope.to_owned(), range);
        }
        numbers.reverse();
        Ok(numbers)
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
}
