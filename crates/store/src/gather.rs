//! Many callers, one transaction: whoever comes while others are served is served with all who wait.

use std::{
    collections::VecDeque,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use base::{Error, Result};
use tokio::sync::oneshot;

/// Serves callers in groups. A lone caller is served at once; nobody waits for a group to fill.
#[derive(Debug)]
pub struct Gather<T, R>(Arc<Mutex<Queue<T, R>>>);

#[derive(Debug)]
struct Queue<T, R> {
    waiting: VecDeque<(T, oneshot::Sender<Result<R>>)>,
    served_now: usize,
    at_once: usize,
    largest: usize,
}

impl<T: Send + 'static, R: Send + 'static> Gather<T, R> {
    /// At most `at_once` groups are served at a time, each of at most `largest` callers.
    pub fn new(at_once: usize, largest: usize) -> Self {
        Self(Arc::new(Mutex::new(Queue {
            waiting: VecDeque::new(),
            served_now: 0,
            at_once: at_once.max(1),
            largest: largest.max(1),
        })))
    }

    /// Waits until `serve` has served `item`, in one call with others. It gives a result for each, in their order. Served to
    /// the end even if this caller goes away meanwhile.
    ///
    /// # Errors
    /// What `serve` says of this item; an internal error if it panicked.
    pub async fn ask<F, Fut>(&self, item: T, serve: F) -> Result<R>
    where
        F: Fn(Vec<T>) -> Fut + Send + 'static,
        Fut: Future<Output = Vec<Result<R>>> + Send + 'static,
    {
        let (give, take) = oneshot::channel();
        {
            let mut queue = lock(&self.0);
            queue.waiting.push_back((item, give));
            if queue.served_now < queue.at_once {
                queue.served_now += 1;
                tokio::spawn(serve_all(Arc::clone(&self.0), serve));
            }
        }
        take.await
            .map_err(|_| Error::internal("who served a group of callers failed"))?
    }
}

/// Serves group after group until nobody waits.
async fn serve_all<T, R, F, Fut>(queue: Arc<Mutex<Queue<T, R>>>, serve: F)
where
    T: Send + 'static,
    R: Send + 'static,
    F: Fn(Vec<T>) -> Fut + Send + 'static,
    Fut: Future<Output = Vec<Result<R>>> + Send + 'static,
{
    while let Some((items, gives)) = next_group(&queue) {
        // A task of its own: a panic drops this group's channels, and the next group is served all the same.
        if let Ok(results) = tokio::spawn(serve(items)).await {
            for (give, result) in gives.into_iter().zip(results) {
                // A caller that went away needs no answer.
                let _ = give.send(result);
            }
        }
    }
}

type Group<T, R> = (Vec<T>, Vec<oneshot::Sender<Result<R>>>);

fn next_group<T, R>(queue: &Mutex<Queue<T, R>>) -> Option<Group<T, R>> {
    let mut queue = lock(queue);
    if queue.waiting.is_empty() {
        queue.served_now -= 1;
        return None;
    }
    let size = queue.waiting.len().min(queue.largest);
    Some(queue.waiting.drain(..size).unzip())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::future::join_all;
    use tokio::time::{Duration, sleep};

    use super::*;

    #[tokio::test]
    async fn callers_that_wait_are_served_together_each_with_its_own_answer() {
        static CALLS: AtomicUsize = AtomicUsize::new(0);
        let gather = Gather::new(1, 16);
        let answers = join_all((0..40_u32).map(|n| {
            gather.ask(n, async |items: Vec<u32>| {
                assert!(items.len() <= 16);
                CALLS.fetch_add(1, Ordering::Relaxed);
                sleep(Duration::from_millis(5)).await;
                items.into_iter().map(|n| Ok(n * 2)).collect::<Vec<_>>()
            })
        }))
        .await;
        for (n, answer) in (0..40).zip(answers) {
            assert_eq!(answer.expect("an answer"), n * 2);
        }
        assert_eq!(CALLS.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn a_panic_fails_its_group_only() {
        let gather = Gather::new(1, 1);
        let serve = async |items: Vec<u32>| {
            assert!(items[0] != 1, "on purpose");
            items.into_iter().map(Ok).collect::<Vec<_>>()
        };
        let answers = join_all((0..3).map(|n| gather.ask(n, serve))).await;
        assert!(answers[0].is_ok() && answers[1].is_err() && answers[2].is_ok());
    }

    #[tokio::test]
    async fn who_goes_away_is_served_and_holds_up_nobody() {
        static SERVED: AtomicUsize = AtomicUsize::new(0);
        let gather = Gather::new(1, 4);
        let serve = async |items: Vec<u32>| {
            sleep(Duration::from_millis(5)).await;
            SERVED.fetch_add(items.len(), Ordering::Relaxed);
            items.into_iter().map(Ok).collect::<Vec<_>>()
        };
        let gone = tokio::time::timeout(Duration::from_millis(1), gather.ask(1, serve)).await;
        assert!(gone.is_err());
        assert_eq!(gather.ask(2, serve).await.expect("served"), 2);
        assert_eq!(SERVED.load(Ordering::Relaxed), 2);
    }
}
