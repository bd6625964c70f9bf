//! Every recorded read of personal data becomes a leaf of the node's transparency log: the person it was about holds a proof of it
//! that no administrator can take back unseen.
//!
//! The reader does not wait for the leaf. The row of the access log is on disk before the data are shown, and a row without a leaf is
//! a debt that outlives a crash; a second disk write in the way of every page would make nothing safer. Leaves follow within
//! moments, all that wait under one sync of the log. The transparency log is written first; the place in the row is a fold of it.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use base::{Error, Result, Text, Timestamp};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use ledger::{Kind, Ledgers, Log};
use serde::{Deserialize, Serialize};
use store::{Store, transact};
use tokio::sync::{Mutex, mpsc};
use uuid::Uuid;

use super::IdentityState;
use crate::{
    Ctx, Permission, Purpose, Scope,
    store::{
        ReadRow, bare_reads, forget_reads, last_read_leaf, leaves_of_request, note_leaves, oldest_bare_read, read_by_id,
    },
};

/// Reads that become leaves at once.
const PIECE: u32 = 256;
/// How long to wait after a failure of the log or the database.
const TROUBLE: Duration = Duration::from_secs(5);

/// How long a person's page waits for the leaves of the latest reads, and how long an erasure, which must miss none.
pub(super) const SHORT: Duration = Duration::from_secs(2);
const LONG: Duration = Duration::from_secs(60);

/// The `format` of [`ReadProof`].
pub const READ_PROOF_FORMAT: &str = "motcua-read-proof/1";

/// The proof of one read, as a file that can be verified without this node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadProof {
    /// [`READ_PROOF_FORMAT`].
    pub format: String,
    /// The log.
    pub log: String,
    /// Its keys, as C2SP verifier keys. Compare them with those that the agency publishes.
    pub keys: Vec<String>,
    /// The leaf.
    pub leaf: u64,
    /// C2SP tlog-proof. It shows what was recorded, unless that is erased.
    pub proof: String,
    /// The same without what was recorded, under the earliest checkpoint with the leaf that an authority stamped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamped: Option<String>,
    /// The token over the signed note of [`Self::stamped`] (RFC 3161), DER in base64.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<String>,
}

/// What the leaf of a read says: a record of the kind [`Kind::ACCESS`], as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadRecord {
    /// The read.
    pub id: Uuid,
    /// When, in microseconds.
    pub at: Timestamp,
    /// The request.
    pub request: Uuid,
    /// Who.
    pub by: ReadBy,
    /// The pseudonym of the person whose data they are: a keyed hash of the number.
    pub subject: String,
    /// Code of the dossier.
    pub dossier: Option<String>,
    /// Why: [`Purpose::code`].
    pub purpose: String,
    /// Which data.
    pub what: String,
}

/// Who read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadBy {
    /// `officer`, `person`, `system` or `anonymous`.
    pub kind: String,
    /// The officer or account.
    pub id: Option<Uuid>,
    /// The name.
    pub name: String,
    /// Agency code of an officer.
    pub agency: String,
}

impl ReadRecord {
    /// Reads the record of a leaf; none if it is not one of a read on a node.
    pub fn read(record: &[u8]) -> Option<Self> {
        serde_json::from_slice(record).ok()
    }

    /// What happened, in a few words.
    pub fn text(&self) -> Text {
        let purpose = Purpose::from_code(&self.purpose).map_or_else(|| Text::new(&self.purpose, ""), Purpose::label);
        let who = if self.by.name.is_empty() { "—" } else { &self.by.name };
        let agency = match self.by.agency.as_str() {
            "" => String::new(),
            agency => format!(" ({agency})"),
        };
        Text::new(
            format!("{who}{agency} xem: {}. Mục đích: {}.", self.what, purpose.vi),
            format!(
                "{who}{agency} read: {}. Purpose: {}.",
                self.what,
                purpose.get(base::Lang::En)
            ),
        )
    }

    fn of(row: &ReadRow) -> Self {
        Self {
            id: row.id,
            at: Timestamp::from_micros(row.at),
            request: row.request_id,
            by: ReadBy {
                kind: row.actor_kind.clone(),
                id: row.actor_id,
                name: row.actor_name.clone(),
                agency: row.agency.clone(),
            },
            subject: row.subject.clone(),
            dossier: row.dossier.clone(),
            purpose: row.purpose.clone(),
            what: row.what.clone(),
        }
    }
}

/// What makes leaves of reads, once there is a log.
#[derive(Debug)]
pub(super) struct Leaves {
    store: Store,
    ledgers: OnceLock<Ledgers>,
    /// One at a time looks for reads without a leaf, or they would get two.
    turn: Mutex<()>,
}

impl Leaves {
    pub fn new(store: Store) -> Self {
        Self {
            store,
            ledgers: OnceLock::new(),
            turn: Mutex::default(),
        }
    }

    /// Makes leaves of all reads that have none; how many. Without a log, none.
    async fn keep(&self) -> Result<u64> {
        let Some(Ledgers { present: ledger, .. }) = self.ledgers.get() else {
            return Ok(0);
        };
        let _turn = self.turn.lock().await;
        let mut made = 0;
        loop {
            let bare = bare_reads(&self.store.read(), PIECE).await?;
            if bare.is_empty() {
                return Ok(made);
            }
            let records = bare
                .iter()
                .map(|row| Ok((Kind::ACCESS, serde_json::to_vec(&ReadRecord::of(row))?)))
                .collect::<Result<_>>()?;
            let receipts = ledger.log.append_all(records).await.map_err(Error::internal)?;
            let places: Vec<_> = bare
                .iter()
                .zip(receipts)
                .map(|(row, receipt)| (row.id, receipt.index))
                .collect();
            self.note(&ledger.log, &places).await?;
            made += places.len() as u64;
        }
    }

    async fn note(&self, log: &Log, places: &[(Uuid, u64)]) -> Result<()> {
        transact!(self.store, |tx| { note_leaves(&tx, log.origin(), places).await })
    }

    /// Reads from the end of the log what a crash kept from the table, so that no read gets a second leaf. It goes back no further
    /// than the oldest read without a leaf, nor than the newest whose leaf is known.
    async fn recover(&self, log: &Arc<Log>) -> Result<()> {
        let _turn = self.turn.lock().await;
        let db = self.store.read();
        let Some(oldest) = oldest_bare_read(&db).await? else {
            return Ok(());
        };
        let known = last_read_leaf(&db, log.origin()).await?;
        let from = known.map_or(0, |leaf| leaf.unsigned_abs() + 1);
        let reading = Arc::clone(log);
        let places = tokio::task::spawn_blocking(move || written_since(&reading, from, Timestamp::from_micros(oldest)))
            .await
            .map_err(Error::internal)?
            .map_err(Error::internal)?;
        for piece in places.chunks(PIECE as usize) {
            self.note(log, piece).await?;
        }
        Ok(())
    }
}

/// The reads among the last leaves, in the order of the log. One whose record is erased is not known any more.
fn written_since(log: &Log, from: u64, oldest: Timestamp) -> ledger::Result<Vec<(Uuid, u64)>> {
    let mut places = Vec::new();
    for index in (from..log.size()).rev() {
        let stored = log.entry(index)?;
        if stored.time < oldest {
            break;
        }
        if stored.commitment.kind() == Kind::ACCESS
            && let Some(record) = stored.opening.and_then(|opening| ReadRecord::read(&opening.record))
        {
            places.push((record.id, index));
        }
    }
    places.reverse();
    Ok(places)
}

/// Makes leaves whenever it is told that there are new reads, until nobody is left to tell it.
pub(super) async fn follow(leaves: Arc<Leaves>, mut news: mpsc::Receiver<()>) {
    while news.recv().await.is_some() {
        while let Err(error) = leaves.keep().await {
            tracing::error!(%error, "reads of personal data could not be put into the transparency log; they will be");
            tokio::select! {
                () = tokio::time::sleep(TROUBLE) => {}
                told = news.recv() => if told.is_none() { return },
            }
        }
    }
}

impl IdentityState {
    /// From now on recorded reads become leaves of the present log; those that have none yet, first. Those in former ones stay
    /// provable.
    ///
    /// # Errors
    /// The log or the database cannot be read.
    pub async fn keep_reads_in(&self, ledgers: impl Into<Ledgers>) -> Result<()> {
        let ledgers = ledgers.into();
        let leaves = &self.0.access_log.leaves;
        leaves.recover(&ledgers.present.log).await?;
        // A second log would leave reads in two: the first stays.
        let _ = leaves.ledgers.set(ledgers);
        self.0.access_log.tell();
        Ok(())
    }

    /// Makes leaves of the reads that have none, before they are shown or looked for. Not all are made by then where the log or the
    /// database fails, or where more have waited than `patience` allows for; those follow.
    ///
    /// # Errors
    /// `Unavailable` then.
    pub async fn catch_up_reads(&self, patience: Duration) -> Result<()> {
        let leaves = Arc::clone(&self.0.access_log.leaves);
        // A task of its own: whoever asks may go away, and what the log has must be noted all the same.
        let made = tokio::spawn(async move { leaves.keep().await });
        match tokio::time::timeout(patience, made).await {
            Ok(Ok(Ok(_))) => return Ok(()),
            Ok(Ok(Err(error))) => tracing::warn!(%error, "reads of personal data have no leaf yet"),
            Ok(Err(error)) => tracing::error!(%error, "making leaves of reads broke off"),
            Err(_) => {}
        }
        Err(Error::refused(
            base::Kind::Unavailable,
            "access-log-behind",
            "Một số lượt xem đang được ghi vào sổ cái minh bạch. Thử lại sau ít phút.",
            "Some reads are still being written into the transparency log. Try again in some minutes.",
        ))
    }

    /// The proof that a read of the signed-in person's data is in a log of this node.
    ///
    /// # Errors
    /// `NotFound` for a read of somebody else, and where the log is not here.
    pub async fn read_proof(&self, ctx: &Ctx, id: Uuid) -> Result<ReadProof> {
        let gone = || Error::not_found("bằng chứng của lượt xem này", "proof of this read");
        let person = ctx.person()?;
        ctx.require(Permission::ManageOwnAccount, &Scope::Account(person.account))?;
        let number = person.person_number.as_deref().ok_or_else(gone)?;
        let ledgers = self.0.access_log.leaves.ledgers.get().ok_or_else(gone)?;
        self.catch_up_reads(SHORT).await?;
        let row = read_by_id(&self.0.store.read(), id).await?.ok_or_else(gone)?;
        let own = row.subject == self.0.keys.subject(number);
        let leaf = row.leaf.filter(|_| own).ok_or_else(gone)?.unsigned_abs();
        let ledger = row.log.as_deref().and_then(|log| ledgers.named(log)).ok_or_else(gone)?;
        let kept = ledger.clone();
        let proved = tokio::task::spawn_blocking(move || kept.proved(leaf, true))
            .await
            .map_err(Error::internal)?
            .map_err(Error::internal)?;
        let (stamped, token) = proved.stamped.unzip();
        Ok(ReadProof {
            format: READ_PROOF_FORMAT.to_owned(),
            log: ledger.log.origin().to_owned(),
            keys: ledger.keys.iter().map(ToString::to_string).collect(),
            leaf,
            proof: proved.proof.to_string(),
            stamped: stamped.map(|proof| proof.to_string()),
            tokens: token.map(|token| BASE64_STANDARD.encode(token)).into_iter().collect(),
        })
    }

    /// The leaves in the log `origin` of the reads that one request made, for the erasure that the law demands; none without a log.
    ///
    /// # Errors
    /// The database failed; `Unavailable` while some reads have no leaf yet.
    pub async fn read_leaves_of(&self, origin: &str, request: Uuid) -> Result<Vec<u64>> {
        if self.0.access_log.leaves.ledgers.get().is_none() {
            return Ok(Vec::new());
        }
        self.catch_up_reads(LONG).await?;
        let leaves = leaves_of_request(&self.0.store.read(), origin, request).await?;
        Ok(leaves.into_iter().map(i64::unsigned_abs).collect())
    }

    /// Takes out of the access log the reads whose leaves are erased from the log `origin`. Leaves of other things are left alone.
    ///
    /// # Errors
    /// The database failed; doing it again does no harm.
    pub async fn forget_reads(&self, origin: &str, leaves: &[u64]) -> Result<()> {
        transact!(self.0.store, |tx| { forget_reads(&tx, origin, leaves).await })
    }
}
