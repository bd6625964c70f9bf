//! Who has read whose data. A read that cannot be logged does not happen: callers record first and show afterwards.

use std::sync::Arc;

use base::{Error, Id, Result, Text, Timestamp};
use store::{Store, transact};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::{
    IdentityState,
    leaves::{Leaves, SHORT, follow},
};
use crate::{
    Actor, Ctx, Permission, Purpose, Scope,
    model::check_agency,
    secret::Keys,
    store::{ReadRow, add_reads, agency_reads, reads_of},
};

/// Reads written in one transaction at most.
const BATCH: usize = 256;
/// Reads that may wait for the writer; beyond it readers wait too.
const QUEUE: usize = 1024;
/// Entries of one page.
const PAGE: u32 = 50;

/// One read of somebody's personal data, about to happen.
#[derive(Debug, Clone, Copy)]
pub struct DataRead<'a> {
    /// Personal identification number of the person whose data they are; a pseudonym of it is stored.
    pub subject: &'a str,
    /// Code of the dossier in which they stand.
    pub dossier: Option<&'a str>,
    /// Why.
    pub purpose: Purpose,
    /// Which data, in a few words in Vietnamese for the person to read: "Tờ khai, giấy tờ đính kèm".
    pub what: &'a str,
}

/// A read as the person or an auditor sees it.
#[derive(Debug, Clone)]
pub struct ReadEntry {
    /// When.
    pub at: Timestamp,
    /// Who: the officer's name, or the name of the part of the platform.
    pub actor: String,
    /// The agency of the officer; empty when it was no officer.
    pub agency: String,
    /// Code of the dossier.
    pub dossier: Option<String>,
    /// Why.
    pub purpose: Text,
    /// Which data.
    pub what: String,
    /// The request, for questions about it.
    pub request_id: Uuid,
    /// Whether it is a leaf of the node's transparency log: [`IdentityState::read_proof`] proves it.
    pub proved: bool,
    /// The entry.
    pub id: Uuid,
}

struct Waiting {
    row: ReadRow,
    done: oneshot::Sender<bool>,
}

/// The log of reads of personal data. Entries of requests that run side by side share one durable transaction.
#[derive(Debug, Clone)]
pub struct AccessLog {
    queue: mpsc::Sender<Waiting>,
    keys: Keys,
    /// Tells the one who makes leaves that there is something to do.
    news: mpsc::Sender<()>,
    pub(super) leaves: Arc<Leaves>,
}

impl AccessLog {
    pub(super) fn new(store: Store, keys: Keys) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let (news, told) = mpsc::channel(1);
        let leaves = Arc::new(Leaves::new(store.clone()));
        tokio::spawn(follow(Arc::clone(&leaves), told));
        tokio::spawn(write(store, waiting, news.clone()));
        Self {
            queue,
            keys,
            news,
            leaves,
        }
    }

    /// Tells that there may be reads without a leaf.
    pub(super) fn tell(&self) {
        // Full means that it is told already.
        let _ = self.news.try_send(());
    }

    /// Records a read; when it gives `Ok`, the entry is on disk. Only then may the data be shown.
    ///
    /// What people read of their own data is not recorded: the log answers "who else".
    ///
    /// # Errors
    /// `Unavailable` when the entry could not be written.
    pub async fn record(&self, ctx: &Ctx, read: DataRead<'_>) -> Result<()> {
        let (kind, actor_id, agency) = match &ctx.actor {
            Actor::Person(person) if person.person_number.as_deref() == Some(read.subject) => return Ok(()),
            Actor::Person(person) => ("person", Some(person.account.uuid()), ""),
            Actor::Officer(officer) => ("officer", Some(officer.officer.uuid()), officer.agency.as_str()),
            Actor::System(_) => ("system", None, ""),
            Actor::Anonymous => ("anonymous", None, ""),
        };
        let row = ReadRow {
            id: Id::<ReadRow>::new(ctx.now).uuid(),
            at: ctx.now.micros(),
            actor_kind: kind.to_owned(),
            actor_id,
            actor_name: ctx.actor_name().to_owned(),
            agency: agency.to_owned(),
            subject: self.keys.subject(read.subject),
            dossier: read.dossier.map(str::to_owned),
            purpose: read.purpose.code().to_owned(),
            what: read.what.to_owned(),
            request_id: ctx.request_id,
            log: None,
            leaf: None,
        };
        let (done, written) = oneshot::channel();
        self.queue
            .send(Waiting { row, done })
            .await
            .map_err(|_| unavailable())?;
        match written.await {
            Ok(true) => Ok(()),
            _ => Err(unavailable()),
        }
    }
}

fn unavailable() -> Error {
    Error::refused(
        base::Kind::Unavailable,
        "access-log",
        "Không ghi được nhật ký truy cập nên dữ liệu cá nhân chưa được hiển thị. Vui lòng thử lại.",
        "The access log could not be written, so personal data are not shown. Please try again.",
    )
}

/// Writes what waits, all of it at once, until the last sender is gone.
async fn write(store: Store, mut queue: mpsc::Receiver<Waiting>, news: mpsc::Sender<()>) {
    let mut batch = Vec::with_capacity(BATCH);
    while queue.recv_many(&mut batch, BATCH).await > 0 {
        let rows: Vec<ReadRow> = batch.iter().map(|waiting| waiting.row.clone()).collect();
        let outcome = transact!(store, |tx| { add_reads(&tx, &rows).await });
        if let Err(error) = &outcome {
            tracing::error!(%error, entries = rows.len(), "the access log could not be written");
        }
        for waiting in batch.drain(..) {
            // Nobody may be waiting any more: the request was given up.
            let _ = waiting.done.send(outcome.is_ok());
        }
        // Full means that the one who makes leaves is told already.
        let _ = news.try_send(());
    }
}

fn entry(row: ReadRow) -> ReadEntry {
    let actor = match (row.actor_kind.as_str(), row.actor_name.is_empty()) {
        ("anonymous", _) | (_, true) => "—".to_owned(),
        _ => row.actor_name,
    };
    ReadEntry {
        at: Timestamp::from_micros(row.at),
        actor,
        agency: row.agency,
        dossier: row.dossier,
        purpose: Purpose::from_code(&row.purpose)
            .map(Purpose::label)
            .unwrap_or_else(|| Text::new(row.purpose, "")),
        what: row.what,
        request_id: row.request_id,
        proved: row.leaf.is_some(),
        id: row.id,
    }
}

/// A list and the place at which the next page of it starts.
pub(crate) type Paged<T> = (Vec<T>, Option<(i64, Uuid)>);

fn page(rows: Vec<ReadRow>, most: u32) -> Paged<ReadEntry> {
    let mut entries: Vec<ReadEntry> = rows.into_iter().map(entry).collect();
    let more = entries.len() > most as usize;
    entries.truncate(most as usize);
    let next = more.then(|| entries.last().map(|e| (e.at.micros(), e.id))).flatten();
    (entries, next)
}

impl IdentityState {
    /// "Who has seen my data": reads of the signed-in person's data by others, newest first, at most so many,
    /// and where the next page starts.
    ///
    /// # Errors
    /// When nobody, or an officer, is signed in.
    pub async fn reads_of_me(&self, ctx: &Ctx, before: Option<(i64, Uuid)>, most: u32) -> Result<Paged<ReadEntry>> {
        let person = ctx.person()?;
        ctx.require(Permission::ManageOwnAccount, &Scope::Account(person.account))?;
        // Without a number nothing of this person can have been recorded.
        let Some(number) = &person.person_number else {
            return Ok((Vec::new(), None));
        };
        // Without their leaves the reads are shown all the same.
        let _ = self.catch_up_reads(SHORT).await;
        let subject = self.0.keys.subject(number);
        let rows = reads_of(&self.0.store.read(), &subject, before, i64::from(most) + 1).await?;
        Ok(page(rows, most))
    }

    /// Reads by the officers of an agency, newest first; of one dossier only if asked.
    ///
    /// # Errors
    /// Without [`Permission::ReadAccessLog`] for the agency.
    pub async fn agency_reads(
        &self,
        ctx: &Ctx,
        agency: &str,
        dossier: Option<&str>,
        before: Option<(i64, Uuid)>,
    ) -> Result<Paged<ReadEntry>> {
        ctx.require(Permission::ReadAccessLog, &Scope::Agency(agency.to_owned()))?;
        check_agency(agency)?;
        // No dossier has such a code, and PostgreSQL takes no NUL.
        if dossier.is_some_and(|code| code.chars().any(char::is_control)) {
            return Ok((Vec::new(), None));
        }
        let rows = agency_reads(&self.0.store.read(), agency, dossier, before, i64::from(PAGE) + 1).await?;
        Ok(page(rows, PAGE))
    }
}
