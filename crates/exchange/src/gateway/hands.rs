//! What is in hand: work that goes on to its end though nobody waits for it any more.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use tokio::sync::Notify;

/// Counts what is in hand.
#[derive(Clone, Default)]
pub(super) struct Hands(Arc<State>);

#[derive(Default)]
struct State {
    count: AtomicUsize,
    idle: Notify,
}

impl Hands {
    /// Runs work where it is awaited. If the one who awaits goes away, the work goes on by itself: what was sent has to be
    /// logged, whoever still listens.
    pub fn finish<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T> + Send {
        Unhurried(Some((Box::pin(work), self.hold())))
    }

    fn hold(&self) -> Hand {
        self.0.count.fetch_add(1, Ordering::Relaxed);
        Hand(Arc::clone(&self.0))
    }

    /// Waits until nothing is in hand.
    pub async fn empty(&self) {
        loop {
            let idle = self.0.idle.notified();
            if self.0.count.load(Ordering::Acquire) == 0 {
                return;
            }
            idle.await;
        }
    }
}

struct Hand(Arc<State>);

impl Drop for Hand {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::Release) == 1 {
            self.0.idle.notify_waiters();
        }
    }
}

type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

struct Unhurried<T: Send + 'static>(Option<(Work<T>, Hand)>);

impl<T: Send + 'static> Future for Unhurried<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let Some((work, _)) = &mut self.0 else {
            return Poll::Pending;
        };
        let done = work.as_mut().poll(context);
        if done.is_ready() {
            self.0 = None;
        }
        done
    }
}

impl<T: Send + 'static> Drop for Unhurried<T> {
    fn drop(&mut self) {
        if let (Some((work, hand)), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move {
                work.await;
                drop(hand);
            });
        }
    }
}
