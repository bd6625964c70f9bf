//! Who waits to be written.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering, mpsc};

use super::{shared::Shared, writer::Request};

/// Requests on their way to the writer. Where a larger batch pays, whoever comes first leads those who come while it lets others
/// run; then they go together.
///
/// What a batch costs (a signature, a sync, a signature to verify for each reader) is shared by those in it. Nobody waits on a
/// clock: the leader yields once to its runtime, which comes back to it when nothing else there can run, or after some dozens of
/// other tasks.
pub(super) struct Queue {
    gathering: Mutex<Vec<Request>>,
    writer: mpsc::Sender<Vec<Request>>,
    shared: Arc<Shared>,
}

impl Queue {
    pub fn new(writer: mpsc::Sender<Vec<Request>>, shared: Arc<Shared>) -> Self {
        Self {
            gathering: Mutex::default(),
            writer,
            shared,
        }
    }

    /// Hands a request over. One that is dropped meanwhile takes those that it leads along all the same.
    pub async fn join(&self, request: Request) {
        let leads = {
            let mut gathering = self.gathering();
            gathering.push(request);
            gathering.len() == 1
        };
        if leads {
            let _leader = Leader(self);
            if self.shared.gathering_pays.load(Ordering::Relaxed) {
                tokio::task::yield_now().await;
            }
        }
    }

    fn gathering(&self) -> MutexGuard<'_, Vec<Request>> {
        self.gathering.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Leader<'a>(&'a Queue);

impl Drop for Leader<'_> {
    fn drop(&mut self) {
        // Where the writer is gone, those who wait see that nobody will answer.
        let _ = self.0.writer.send(std::mem::take(&mut *self.0.gathering()));
    }
}
