//! Publishing: judged by the schema, kept in order, on disk before the answer.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use ::store::{Tx, transact};
use base::{Error, Kind, Result, Timestamp};
use tokio::sync::{Notify, oneshot};

use super::{Events, require_same, types::open};
use crate::{
    events::{
        model::{EventId, EventTypeId, NewEvent, Published, Ready, TypeId},
        store::{
            log::{self, EventRow},
            subscriptions,
            types::TypeRow,
        },
        webhook::enqueue,
    },
    model::identifier::SubsystemId,
};

/// Events of one type that share a commit at most.
const TOGETHER: usize = 64;

/// The publishers of a type in this process: whoever has the turn writes for all who wait, so that the row which orders them is
/// held once for many. And who waits for news of the type.
#[derive(Default)]
pub(super) struct Line {
    waiting: Mutex<Vec<Waiting>>,
    turn: Arc<tokio::sync::Mutex<()>>,
    pub news: Notify,
}

struct Waiting {
    event: Ready,
    give: oneshot::Sender<Result<Published>>,
}

impl Line {
    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Events {
    /// Publishes an event of the subsystem that asks. When this gives an answer, the event is on disk.
    ///
    /// # Errors
    /// Not the asker's type; no such type, or a closed one; everything that is wrong with the event (`event-data` at JSON
    /// pointers); `event-id-reused` when the producer's id stands for another event.
    pub async fn publish(&self, client: &SubsystemId, id: &EventTypeId, event: NewEvent) -> Result<Published> {
        require_same(client, &id.provider)?;
        let row = self.open_row(id).await?;
        let ready = self.ready(&row, event, self.now()).await?;
        self.write_with_others(TypeId::from_uuid(row.id), ready).await
    }

    /// Publishes several in their order, in one commit: one answer for each.
    ///
    /// # Errors
    /// As [`Events::publish`] for the first that is wrong in itself: then none is published. `event-id-reused` is the answer to
    /// the event alone.
    pub async fn publish_all(
        &self,
        client: &SubsystemId,
        id: &EventTypeId,
        events: Vec<NewEvent>,
    ) -> Result<Vec<Result<Published>>> {
        require_same(client, &id.provider)?;
        let row = self.open_row(id).await?;
        let mut ready = Vec::with_capacity(events.len());
        for event in events {
            ready.push(self.ready(&row, event, self.now()).await?);
        }
        self.write(TypeId::from_uuid(row.id), &ready).await
    }

    /// Publishes in the caller's transaction, for crates of this node: the event happens if what it tells of does. It holds the
    /// log of its type until the commit, so do it last.
    ///
    /// # Errors
    /// As [`Events::publish`].
    pub async fn publish_in(&self, tx: &Tx, id: &EventTypeId, event: NewEvent, now: Timestamp) -> Result<Published> {
        let row = self.row_in(tx, id).await.and_then(open)?;
        let ready = self.ready(&row, event, now).await?;
        let mut done = append(tx, TypeId::from_uuid(row.id), &[ready]).await?;
        done.pop()
            .unwrap_or_else(|| Err(Error::internal("an event without an answer")))
    }

    async fn ready(&self, row: &TypeRow, event: NewEvent, now: Timestamp) -> Result<Ready> {
        let schema = self.schema(TypeId::from_uuid(row.id), row.version).await?;
        let event = match &row.key_field {
            Some(field) => event.keyed_by(field)?,
            None => event,
        };
        event.ready(&schema, row.version, now)
    }

    async fn write_with_others(&self, of: TypeId, event: Ready) -> Result<Published> {
        let line = self.line(of);
        let (give, mut take) = oneshot::channel();
        line.waiting().push(Waiting {
            event: event.clone(),
            give,
        });
        loop {
            let turn = tokio::select! {
                biased;
                given = &mut take => return match given {
                    Ok(done) => done,
                    // What it was written with failed. Alone it fails for its own reasons only.
                    Err(_) => self.write(of, &[event]).await?.pop().unwrap_or_else(|| Err(Error::internal("an event without an answer"))),
                },
                turn = Arc::clone(&line.turn).lock_owned() => turn,
            };
            let batch: Vec<Waiting> = {
                let mut waiting = line.waiting();
                let some = waiting.len().min(TOGETHER);
                waiting.drain(..some).collect()
            };
            if batch.is_empty() {
                continue;
            }
            let events = self.clone();
            // A task of its own: the others must not suffer when this one's caller goes away.
            let task = tokio::spawn(async move {
                let (written, givers): (Vec<Ready>, Vec<_>) = batch.into_iter().map(|w| (w.event, w.give)).unzip();
                match events.write(of, &written).await {
                    // Whoever went away does not need the answer.
                    Ok(done) => done
                        .into_iter()
                        .zip(givers)
                        .for_each(|(done, give)| drop(give.send(done))),
                    Err(error) => tracing::warn!(%error, events = written.len(), "publishing together failed"),
                }
                drop(turn);
            });
            task.await.map_err(Error::internal)?;
        }
    }

    async fn write(&self, of: TypeId, events: &[Ready]) -> Result<Vec<Result<Published>>> {
        let done = transact!(self.store(), |tx| { append(&tx, of, events).await })?;
        self.line(of).news.notify_waiters();
        Ok(done)
    }
}

/// Appends events to their log, in their order, and lets a nudge follow. One answer for each.
async fn append(tx: &Tx, of: TypeId, events: &[Ready]) -> Result<Vec<Result<Published>>> {
    let count = i64::try_from(events.len()).map_err(Error::internal)?;
    let now = events.iter().map(|event| event.now).max().unwrap_or_default();
    let head = log::claim(tx, of, count, now).await?;
    // From here to the commit nobody else adds to this log, so what is found now stays true.
    let ids: Vec<String> = events.iter().map(|event| event.producer_id.clone()).collect();
    let mut known: HashMap<String, (Vec<u8>, Published)> = HashMap::new();
    for row in log::known(tx, of, &ids).await? {
        let published = Published {
            id: EventId::from_uuid(row.id),
            position: row.position,
            again: true,
        };
        known.insert(row.producer_id, (row.fingerprint, published));
    }
    let mut position = head.last_position - count;
    let (mut rows, mut answers) = (Vec::with_capacity(events.len()), Vec::with_capacity(events.len()));
    for event in events {
        let fingerprint = event.fingerprint();
        answers.push(match known.get(&event.producer_id) {
            Some((same, published)) if *same == fingerprint => Ok(*published),
            Some(_) => Err(reused()),
            None => {
                position += 1;
                let published = Published {
                    id: event.id,
                    position,
                    again: false,
                };
                let again = Published {
                    again: true,
                    ..published
                };
                known.insert(event.producer_id.clone(), (fingerprint.clone(), again));
                rows.push(row(event, position, fingerprint, head.last_at));
                Ok(published)
            }
        });
    }
    if position < head.last_position {
        log::claim(tx, of, position - head.last_position, now).await?;
    }
    log::insert(tx, of, &rows).await?;
    if !rows.is_empty() {
        let due = subscriptions::become_due(tx, of, position).await?;
        enqueue(tx, &due, now, now).await?;
    }
    Ok(answers)
}

fn row(event: &Ready, position: i64, fingerprint: Vec<u8>, at: i64) -> EventRow {
    EventRow {
        position,
        id: event.id.uuid(),
        producer_id: event.producer_id.clone(),
        fingerprint,
        order_key: event.key.clone(),
        version: event.version,
        published_at: at,
        data: Some(event.data.clone()),
    }
}

fn reused() -> Error {
    Error::refused(
        Kind::Conflict,
        "event-id-reused",
        "producerId này đã dùng cho một sự kiện khác. Mỗi sự kiện có một mã riêng; gửi lại thì giữ nguyên nội dung.",
        "This producerId stands for another event. Each event has its own; when it is sent again, it is the same.",
    )
}
