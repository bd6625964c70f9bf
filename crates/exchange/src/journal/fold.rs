//! Following the log: each leaf once, in order, many in one transaction together with the cursor.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use ::store::transact;
use base::{Error, Kind, Result, Timestamp};
use ledger::{Kind as Leaf, Log, Stored};
use tokio::sync::watch;
use uuid::Uuid;

use super::{
    ErasureRecord, Journal,
    logs::{LeafId, Names},
    store::{self as tables, Cursor},
    with_log,
};
use crate::model::{
    Field,
    headers::{CLIENT, ID, ISSUE, PURPOSE, REQUEST_ID, SERVICE, USER_ID},
    message::{AnswerRecord, RequestRecord},
    tracker::ReadRecord,
};

/// Leaves folded in one transaction: few, so that nobody waits long behind it.
const BATCH: u64 = 512;
/// And far behind the log, where syncs count: what these touch of the indexes still fits into the cache of the connection that writes.
const FAR: u64 = 2_048;
/// How long the follower sleeps when there is nothing new.
const IDLE: Duration = Duration::from_millis(200);
/// And when the database or the log failed.
const TROUBLE: Duration = Duration::from_secs(5);

/// How far a fold is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Leaves that are folded.
    pub done: u64,
    /// Leaves of the log.
    pub size: u64,
}

/// What a leaf comes to in the tables.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fold {
    Message(MessageRow),
    Read {
        leaf: LeafId,
        logged: Timestamp,
        read: Option<ReadRecord>,
    },
    Erasure {
        leaf: LeafId,
        record: ErasureRecord,
        /// The number of the log whose leaves it erases.
        of: u32,
    },
}

/// A row of messages. What is not known is not there: an erased record says nothing, an answer has no method.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct MessageRow {
    pub leaf: LeafId,
    pub logged: Timestamp,
    pub kind: &'static str,
    pub sent: Option<bool>,
    pub request: Option<Uuid>,
    pub message: Option<String>,
    pub client: Option<String>,
    pub service: Option<String>,
    pub method: Option<&'static str>,
    pub status: Option<u16>,
    pub at: Option<Timestamp>,
    pub purpose: Option<String>,
    pub issue: Option<String>,
    pub user: Option<String>,
}

/// Reads a leaf of the log with a number among the logs of the node. Leaves of other kinds come to nothing; a record that cannot be
/// read is kept as a row that says so, so that one bad leaf holds up no other.
fn fold(names: &Names, number: u32, entry: &Stored) -> Option<Fold> {
    let record = entry.opening.as_ref().map(|opening| opening.record.as_slice());
    let (leaf, logged) = (LeafId::new(number, entry.index), entry.time);
    let origin = names.get(&number).map(String::as_str).unwrap_or_default();
    match entry.commitment.kind() {
        Leaf::MESSAGE => Some(Fold::Message(MessageRow {
            leaf,
            logged,
            ..message(origin, record)
        })),
        Leaf::READ => {
            let read = record.and_then(|record| serde_json::from_slice(record).ok());
            Some(Fold::Read { leaf, logged, read })
        }
        Leaf::ERASURE => {
            let record: ErasureRecord = serde_json::from_slice(record?).ok()?;
            let of = match &record.log {
                None => number,
                Some(log) => *names.iter().find(|(_, name)| *name == log)?.0,
            };
            Some(Fold::Erasure { leaf, record, of })
        }
        _ => None,
    }
}

fn message(origin: &str, record: Option<&[u8]>) -> MessageRow {
    let Some(record) = record else {
        return MessageRow {
            kind: "erased",
            ..MessageRow::default()
        };
    };
    if let Ok(request) = RequestRecord::parse(record) {
        let service = request.target().service().to_string();
        return MessageRow {
            kind: "request",
            sent: Some(request.sender().as_str() == origin),
            method: Some(request.method().as_str()),
            service: Some(service),
            at: seconds(request.created()),
            ..from_fields(request.fields())
        };
    }
    if let Ok(answer) = AnswerRecord::parse(record) {
        return MessageRow {
            kind: "answer",
            sent: Some(answer.sender().as_str() == origin),
            status: Some(answer.status()),
            at: seconds(answer.created()),
            ..from_fields(answer.fields())
        };
    }
    tracing::warn!("a leaf of the kind “message” is no record of a message");
    MessageRow {
        kind: "unreadable",
        ..MessageRow::default()
    }
}

fn from_fields(fields: &[Field]) -> MessageRow {
    let text = |name: &str| fields.iter().find(|field| field.is(name)).and_then(Field::text);
    // A header has no NUL, which PostgreSQL would not take.
    let kept = |name: &str| text(name).map(str::to_owned);
    MessageRow {
        request: text(REQUEST_ID).and_then(|id| id.parse().ok()),
        message: kept(ID),
        client: kept(CLIENT),
        service: kept(SERVICE),
        purpose: kept(PURPOSE),
        issue: kept(ISSUE),
        user: kept(USER_ID),
        ..MessageRow::default()
    }
}

fn seconds(since_1970: u64) -> Option<Timestamp> {
    let micros = i64::try_from(since_1970).ok()?.checked_mul(1_000_000)?;
    Some(Timestamp::from_micros(micros))
}

impl Journal {
    /// Follows the log until `stop` becomes true. One task for each node; several do no harm.
    pub async fn follow(self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            let folded = match self.follow_former().await {
                Ok(()) => self.fold_batch(&self.0.log).await,
                Err(error) => Err(error),
            };
            let pause = match folded {
                Ok(Some(_)) => continue,
                Ok(None) => IDLE,
                Err(error) => {
                    tracing::error!(%error, "the journal cannot follow the log");
                    TROUBLE
                }
            };
            tokio::select! {
                _ = stop.changed() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Folds what is in the log by now.
    ///
    /// # Errors
    /// `Conflict` with `journal-of-another-log` when the tables were made from another log; the database or the log failed.
    pub async fn catch_up(&self) -> Result<Progress> {
        self.follow_former().await?;
        let log = &self.0.log;
        let size = log.size();
        let mut done = size;
        while let Some(progress) = self.fold_batch(log).await? {
            done = progress.done;
            if done >= size {
                break;
            }
        }
        Ok(Progress { done, size })
    }

    /// Folds what is left of the logs that ended.
    async fn follow_former(&self) -> Result<()> {
        if self.0.former_folded.load(Ordering::Acquire) {
            return Ok(());
        }
        for former in &self.0.former {
            while self.fold_batch(&former.log).await?.is_some() {}
        }
        self.0.former_folded.store(true, Ordering::Release);
        Ok(())
    }

    /// How far the tables are with the present log, without folding.
    ///
    /// # Errors
    /// The database failed.
    pub async fn progress(&self) -> Result<Progress> {
        self.logs().await?;
        let size = self.0.log.size();
        let done = tables::cursor(&self.0.store.read(), self.0.log.origin()).await?.next;
        Ok(Progress { done, size })
    }

    /// Makes all folds of the logs at hand anew, from the first leaf. Questions of people and operational monitoring stay: they are no folds.
    /// A crash in between is mended by the follower, which goes on from where this was.
    ///
    /// # Errors
    /// The database or the log failed.
    pub async fn rebuild(&self, mut progress: impl FnMut(Progress) + Send) -> Result<()> {
        for log in self.at_hand() {
            let number = self.number(log).await?;
            {
                let _turn = self.0.folding.lock().await;
                transact!(self.0.store, |tx| { tables::begin_clearing(&tx, log.origin()).await })?;
                self.clear(log, number).await?;
            }
            while let Some(now) = self.fold_batch(log).await? {
                progress(now);
            }
        }
        Ok(())
    }

    /// Folds the next leaves of a log; none when there are none.
    async fn fold_batch(&self, log: &Arc<Log>) -> Result<Option<Progress>> {
        let number = self.number(log).await?;
        let mut checked = self.0.folding.lock().await;
        let (origin, size) = (log.origin(), log.size());
        let mut cursor = tables::cursor(&self.0.store.read(), origin).await?;
        if cursor.is_clearing() {
            self.clear(log, number).await?;
            cursor = tables::cursor(&self.0.store.read(), origin).await?;
        }
        if !checked.contains(&number) {
            check(log, &cursor, size).await?;
            checked.insert(number);
        }
        if cursor.next >= size {
            return Ok(None);
        }
        let from = cursor.next;
        let many = if size - from > FAR { FAR } else { BATCH };
        let to = size.min(from + many);
        let (names, others) = (self.logs().await?.clone(), self.0.former.clone());
        let (folds, root) = with_log(log, move |log| {
            let mut folds = Vec::new();
            log.read_each(from..to, |entry| folds.extend(fold(&names, number, &entry)))?;
            // What an erasure says is done before it is noted: whoever finds the note finds the record gone.
            for fold in &folds {
                let Fold::Erasure { leaf, record, of } = fold else {
                    continue;
                };
                // An erasure speaks of what was there before it; another one would stop the fold for ever.
                let ended = || {
                    others
                        .iter()
                        .find(|former| Some(former.log.origin()) == names.get(of).map(String::as_str))
                };
                let (of, most) = match record.log {
                    None => (log, leaf.leaf()),
                    // One that is not at this node has no record here to erase.
                    Some(_) => match ended() {
                        Some(former) => (&*former.log, former.log.size()),
                        None => continue,
                    },
                };
                let before = record.leaves.iter().filter(|erased| **erased < most);
                before.copied().try_for_each(|erased| of.erase(erased))?;
            }
            Ok((folds, log.root(to)?))
        })
        .await?;
        for fold in &folds {
            let Fold::Erasure { record, of, .. } = fold else {
                continue;
            };
            if let Some(named) = self.logs().await?.get(of) {
                self.0.identity.forget_reads(named, &record.leaves).await?;
            }
        }
        let next = Cursor {
            next: to,
            root: root.to_string(),
        };
        transact!(self.0.store, |tx| {
            tables::advance(&tx, origin, &cursor, &next).await?;
            tables::apply(&tx, &folds).await
        })?;
        Ok(Some(Progress { done: to, size }))
    }

    async fn clear(&self, log: &Log, number: u32) -> Result<()> {
        while transact!(self.0.store, |tx| {
            tables::clear_some(&tx, number, log.origin()).await
        })? {}
        Ok(())
    }
}

/// Whether the tables were made from this log: its tree had the root that the cursor says.
async fn check(log: &Arc<Log>, cursor: &Cursor, size: u64) -> Result<()> {
    let next = cursor.next;
    let same =
        next <= size && (next == 0 || with_log(log, move |log| log.root(next)).await?.to_string() == cursor.root);
    if same {
        return Ok(());
    }
    Err(Error::refused(
        Kind::Conflict,
        "journal-of-another-log",
        "Các bảng của nhật ký thông điệp không thuộc sổ cái này. Dựng lại chúng từ sổ cái (Journal::rebuild).",
        "The tables of the journal were made from another log. Make them anew from this one (Journal::rebuild).",
    ))
}
