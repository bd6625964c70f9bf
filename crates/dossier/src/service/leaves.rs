//! Every entry of a dossier's log becomes a leaf of the node's transparency log: whoever holds the proof can show for ever that
//! the entry was there, and nobody can take it back unseen.
//!
//! Leaves follow the entries within moments, by the job that every change enqueues. The transparency log is written first; the
//! table of places is a fold over it.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use base::{Error, Result, Text, Timestamp};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use identity::{Ctx, Purpose};
use ledger::{Kind, Ledger, Ledgers, Log};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store::{jobs::Batch, transact};
use uuid::Uuid;

use super::{Dossiers, jobs::Changed, reading::line_text};
use crate::{
    model::action::{DossierId, Entry},
    store::leaves::{self as tables, Bare, Leaf},
};

/// Entries that one look puts into the log at once.
const PIECE: usize = 512;

/// What a leaf of a dossier says: `{"dossier":"…","entry":{…}}`, the entry byte by byte as the log of the dossier has it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record<'a> {
    dossier: DossierId,
    #[serde(borrow)]
    entry: &'a RawValue,
}

/// The proofs of a dossier, as one file that can be verified without this node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proofs {
    /// What this is.
    pub format: String,
    /// Code of the dossier.
    pub dossier: String,
    /// The log that the node writes.
    pub log: String,
    /// Its keys, and those of former logs of the node that have entries, as C2SP verifier keys; a key bears the name of its log.
    /// Compare them with those that the agency publishes.
    pub keys: Vec<String>,
    /// The entries that have a leaf, oldest first.
    pub entries: Vec<EntryProof>,
    /// Tokens of a timestamping authority over the signed notes of [`EntryProof::stamped`] (RFC 3161), DER in base64.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<String>,
}

/// The proof of one entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EntryProof {
    /// Its number in the log of the dossier.
    pub seq: i64,
    /// The log, where it is a former one rather than [`Proofs::log`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// The leaf.
    pub leaf: u64,
    /// C2SP tlog-proof. It shows the entry, unless that is for officers only.
    pub proof: String,
    /// The same without the entry, under the earliest checkpoint with the leaf that an authority stamped, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamped: Option<String>,
}

/// What a leaf of a dossier says, in a few words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafSays {
    /// The dossier.
    pub dossier: DossierId,
    /// The number of the entry in its log.
    pub seq: i64,
    /// When it was written.
    pub at: Timestamp,
    /// What happened.
    pub text: Text,
}

impl LeafSays {
    /// Reads the record of a leaf; none if it is not one of a dossier.
    pub fn read(record: &[u8]) -> Option<Self> {
        let record: Record<'_> = serde_json::from_slice(record).ok()?;
        let entry: Entry = serde_json::from_str(record.entry.get()).ok()?;
        Some(Self {
            dossier: record.dossier,
            seq: entry.seq,
            at: entry.at,
            text: line_text(&entry.action),
        })
    }
}

/// [`Proofs::format`].
pub const PROOFS_FORMAT: &str = "motcua-dossier-proofs/1";

impl Dossiers {
    /// From now on entries become leaves of the present log; those in former ones stay provable. Reads from it first what a crash
    /// kept from the table.
    ///
    /// # Errors
    /// The log or the database cannot be read.
    pub async fn keep_in(&self, ledgers: impl Into<Ledgers>) -> Result<()> {
        let ledgers = ledgers.into();
        self.recover_leaves(&ledgers.present.log).await?;
        // A second log would leave entries in two: the first stays.
        let _ = self.0.ledgers.set(ledgers);
        Ok(())
    }

    /// The log that entries become leaves of.
    pub fn ledger(&self) -> Option<&Ledger> {
        self.0.ledgers.get().map(|ledgers| &ledgers.present)
    }

    /// Makes leaves of all entries of the dossiers that changed which have none. Without a log, nothing.
    ///
    /// # Errors
    /// The log or the database failed; doing it again does no harm.
    pub async fn follow_changes(&self, batch: &Batch) -> Result<()> {
        let Some(ledger) = self.ledger() else {
            return Ok(());
        };
        let changed: BTreeSet<DossierId> = batch
            .payloads::<Changed>()?
            .into_iter()
            .map(|changed| changed.dossier)
            .collect();
        self.keep_leaves(&ledger.log, &changed.into_iter().collect::<Vec<_>>())
            .await
            .map(drop)
    }

    /// Makes leaves of all entries that have none, of every dossier: once, on a node that had dossiers before it had a log.
    /// `progress` is told how many dossiers were looked at.
    ///
    /// # Errors
    /// The log or the database failed; doing it again does no harm.
    pub async fn keep_all_leaves(&self, progress: &mut dyn FnMut(u64)) -> Result<u64> {
        let Some(ledger) = self.ledger() else {
            return Ok(0);
        };
        let (mut after, mut looked, mut made) = (None, 0, 0);
        loop {
            let ids = crate::store::ids_after(&self.store().read(), after, 256).await?;
            let Some(last) = ids.last() else { return Ok(made) };
            made += self.keep_leaves(&ledger.log, &ids).await?;
            after = Some(*last);
            looked += ids.len() as u64;
            progress(looked);
        }
    }

    async fn keep_leaves(&self, log: &Log, ids: &[DossierId]) -> Result<u64> {
        let bare = tables::missing(&self.store().read(), ids).await?;
        for piece in bare.chunks(PIECE) {
            let records = piece.iter().map(|entry| Ok((Kind::ACTION, record(entry)?)));
            let receipts = log
                .append_all(records.collect::<Result<_>>()?)
                .await
                .map_err(Error::internal)?;
            let leaves: Vec<Leaf> = piece
                .iter()
                .zip(receipts)
                .map(|(entry, receipt)| Leaf {
                    dossier_id: entry.dossier_id,
                    seq: entry.seq,
                    origin: log.origin().to_owned(),
                    leaf: place(receipt.index),
                })
                .collect();
            transact!(self.store(), |tx| { tables::put(&tx, &leaves).await })?;
        }
        Ok(bare.len() as u64)
    }

    /// Reads the end of the log that the table does not know. After the database was put back to an older state, the log may
    /// speak of entries that it lost: they are facts of the log alone, and what is written in their place later is another entry
    /// with a leaf of its own.
    async fn recover_leaves(&self, log: &Arc<Log>) -> Result<()> {
        let last = tables::last(&self.store().read(), log.origin()).await?;
        let mut next = last.map_or(0, |leaf| leaf.unsigned_abs() + 1);
        while next < log.size() {
            let upto = log.size().min(next + PIECE as u64);
            let (reading, range) = (Arc::clone(log), next..upto);
            let found = tokio::task::spawn_blocking(move || leaves_in(&reading, range))
                .await
                .map_err(Error::internal)??;
            let dossiers: BTreeSet<Uuid> = found.iter().map(|(leaf, _)| leaf.dossier_id).collect();
            let dossiers: Vec<_> = dossiers.into_iter().map(DossierId::from_uuid).collect();
            let bare: HashMap<_, _> = tables::missing(&self.store().read(), &dossiers)
                .await?
                .into_iter()
                .map(|bare| ((bare.dossier_id, bare.seq), bare.entry))
                .collect();
            let is_ours = |(leaf, entry): &(Leaf, String)| bare.get(&(leaf.dossier_id, leaf.seq)) == Some(entry);
            let leaves: Vec<Leaf> = found.into_iter().filter(is_ours).map(|(leaf, _)| leaf).collect();
            transact!(self.store(), |tx| { tables::put(&tx, &leaves).await })?;
            next = upto;
        }
        Ok(())
    }

    /// The proofs of a dossier for its applicant or for an officer who handles it. What officers wrote among themselves is
    /// proved to the applicant without being shown.
    ///
    /// # Errors
    /// `NotFound` also where the reader may not know that the dossier exists, and where this node keeps no log.
    pub async fn proofs(&self, ctx: &Ctx, code: &str, purpose: Purpose) -> Result<Proofs> {
        let Some(ledgers) = self.0.ledgers.get() else {
            return Err(Error::not_found("sổ cái minh bạch", "transparency log"));
        };
        let view = self.get_by_code(ctx, code, purpose).await?;
        let shown: BTreeSet<i64> = view.history.iter().map(|line| line.seq).collect();
        let leaves = tables::of(&self.store().read(), view.id).await?;
        let (kept, dossier) = (ledgers.clone(), view.state.code.clone());
        tokio::task::spawn_blocking(move || prove(&kept, dossier, &leaves, &shown))
            .await
            .map_err(Error::internal)?
            .map_err(Error::internal)
    }
}

/// Proves leaves, each in its log; those of a log that is not here any more are left out. Blocks on the disk.
fn prove(ledgers: &Ledgers, dossier: String, leaves: &[Leaf], shown: &BTreeSet<i64>) -> ledger::Result<Proofs> {
    let present = ledgers.present.log.origin();
    let mut proofs = Proofs {
        format: PROOFS_FORMAT.to_owned(),
        dossier,
        log: present.to_owned(),
        keys: ledgers.present.keys.iter().map(ToString::to_string).collect(),
        entries: Vec::with_capacity(leaves.len()),
        tokens: Vec::new(),
    };
    let once = |all: &mut Vec<String>, one: String| {
        if !all.contains(&one) {
            all.push(one);
        }
    };
    for leaf in leaves {
        let Some(ledger) = ledgers.named(&leaf.origin) else {
            continue;
        };
        let at = leaf.leaf.unsigned_abs();
        let proved = ledger.proved(at, shown.contains(&leaf.seq))?;
        for key in &ledger.keys {
            once(&mut proofs.keys, key.to_string());
        }
        let (stamped, token) = proved.stamped.unzip();
        if let Some(token) = token {
            once(&mut proofs.tokens, BASE64_STANDARD.encode(token));
        }
        proofs.entries.push(EntryProof {
            seq: leaf.seq,
            log: Some(leaf.origin.clone()).filter(|log| log != present),
            leaf: at,
            proof: proved.proof.to_string(),
            stamped: stamped.map(|proof| proof.to_string()),
        });
    }
    Ok(proofs)
}

fn record(entry: &Bare) -> Result<Vec<u8>> {
    let record = Record {
        dossier: DossierId::from_uuid(entry.dossier_id),
        entry: serde_json::from_str(&entry.entry)?,
    };
    Ok(serde_json::to_vec(&record)?)
}

/// The dossier entries among some leaves, with their text. Those whose record is erased are not known any more: their place was noted before, or
/// nobody can prove anything by it.
fn leaves_in(log: &Log, range: std::ops::Range<u64>) -> Result<Vec<(Leaf, String)>> {
    #[derive(Deserialize)]
    struct Seq {
        seq: i64,
    }
    let mut leaves = Vec::new();
    for at in range {
        let stored = log.entry(at).map_err(Error::internal)?;
        let Some(opening) = stored.opening.filter(|_| stored.commitment.kind() == Kind::ACTION) else {
            continue;
        };
        let record: Record<'_> = serde_json::from_slice(&opening.record)?;
        let Seq { seq } = serde_json::from_str(record.entry.get())?;
        let leaf = Leaf {
            dossier_id: record.dossier.uuid(),
            seq,
            origin: log.origin().to_owned(),
            leaf: place(at),
        };
        leaves.push((leaf, record.entry.get().to_owned()));
    }
    Ok(leaves)
}

/// A log of more than 2^63 entries does not exist.
fn place(index: u64) -> i64 {
    i64::try_from(index).unwrap_or(i64::MAX)
}
