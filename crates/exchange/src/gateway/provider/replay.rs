//! Requests that came before (`docs/protocol.md`, 6, check 7).

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Mutex, PoisonError},
};

use base::Timestamp;
use ledger::{Kind, Log};
use uuid::Uuid;

use super::{
    super::flaw::{GatewayFlaw, refusal},
    asked::Asked,
};
use crate::model::{
    error::{ErrorCode, Refusal},
    headers::REQUEST_ID,
    message::{FRESH_SECONDS, LogName, RequestRecord},
};

/// A message is fresh for as long before its time as after it.
const REMEMBERED: i64 = 2 * FRESH_SECONDS as i64;

/// The request ids of the last 600 s, of each sender. A sender that fills its own memory is refused until its oldest
/// request is old enough; nothing is forgotten before, and others are not touched.
pub(in super::super) struct Replays {
    most: usize,
    senders: Mutex<HashMap<LogName, Sender>>,
}

#[derive(Default)]
struct Sender {
    known: HashSet<Uuid>,
    in_order: VecDeque<(Timestamp, Uuid)>,
}

impl Replays {
    /// Remembers what the log has of the last 600 s, so that a restart forgets nothing either. Blocks on the disk.
    pub fn of(log: &Log, most: usize, now: Timestamp) -> Result<Self, ledger::Error> {
        let since = now.plus_seconds(-REMEMBERED);
        let size = log.size();
        let mut senders: HashMap<LogName, Sender> = HashMap::new();
        log.read_each(first_since(log, since)?..size, |entry| {
            let counts = entry.time >= since && entry.commitment.kind() == Kind::MESSAGE;
            let opening = entry.opening.filter(|_| counts);
            let record = opening.and_then(|opening| RequestRecord::parse(&opening.record).ok());
            let asked = record.as_ref().and_then(|record| Asked::read(record).ok());
            if let (Some(record), Some(asked)) = (record, asked) {
                senders
                    .entry(record.sender().clone())
                    .or_default()
                    .note(entry.time, asked.request_id);
            }
        })?;
        Ok(Self {
            most,
            senders: Mutex::new(senders),
        })
    }

    /// Notes a request, unless it came before.
    pub fn note(&self, sender: &LogName, id: Uuid, now: Timestamp) -> Result<(), Refusal> {
        let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = match senders.get_mut(sender) {
            Some(seen) => seen,
            None => senders.entry(sender.clone()).or_default(),
        };
        seen.forget(now.plus_seconds(-REMEMBERED));
        if seen.known.contains(&id) {
            return Err(refusal(ErrorCode::MessageReplayed, REQUEST_ID, GatewayFlaw::Replayed));
        }
        if seen.known.len() >= self.most {
            return Err(refusal(
                ErrorCode::ServerInternalError,
                REQUEST_ID,
                GatewayFlaw::MemoryFull,
            ));
        }
        seen.note(now, id);
        Ok(())
    }
}

/// Where to begin reading for the latest entries, those since `since`: at the first of them or before, at most twice as far from the
/// end. Looked for in steps that double, so that a quiet log is not read far back.
fn first_since(log: &Log, since: Timestamp) -> Result<u64, ledger::Error> {
    let size = log.size();
    let mut recent = size;
    let mut step = 1;
    while recent > 0 {
        let earlier = recent.saturating_sub(step);
        if log.entry(earlier)?.time < since {
            return Ok(earlier);
        }
        recent = earlier;
        step *= 2;
    }
    Ok(0)
}

impl Sender {
    fn note(&mut self, at: Timestamp, id: Uuid) {
        if self.known.insert(id) {
            self.in_order.push_back((at, id));
        }
    }

    fn forget(&mut self, before: Timestamp) {
        while let Some((at, id)) = self.in_order.front()
            && *at < before
        {
            self.known.remove(id);
            self.in_order.pop_front();
        }
    }
}
