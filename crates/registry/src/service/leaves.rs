//! Every version of a record becomes a leaf of the node's transparency log, and the leaves of an erased record lose what they say.
//!
//! Leaves follow the versions within moments, in the order in which these were recorded, by the job that every change enqueues. The
//! log is written first; the table of places is a fold over it.

use std::sync::Arc;

use base::{Error, Result, Timestamp};
use ledger::{Kind, Ledgers, Log};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store::{jobs::Run, transact};
use uuid::Uuid;

use super::{Registries, write::leaf_order};
use crate::{
    model::{ChangeKind, RegistryCode},
    store::{
        VersionRow,
        leaves::{self as tables, Leaf},
        read,
    },
};

/// Versions that one look puts into the log at once.
const PIECE: u32 = 512;
/// Looks of one job.
const PIECES: u32 = 40;

/// What a leaf says: the version whole, as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Said<'a> {
    registry: &'a str,
    record: Uuid,
    seq: i64,
    kind: &'a str,
    effect: &'a str,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    valid_from: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    valid_to: Option<i64>,
    recorded_at: i64,
    edition: i64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    corrects: Option<i64>,
    actor: &'a str,
    agency: &'a str,
    source: &'a str,
    basis: &'a str,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    dossier: Option<&'a str>,
    #[serde(borrow, skip_serializing_if = "Option::is_none", default)]
    body: Option<&'a RawValue>,
}

impl Registries {
    /// From now on versions become leaves of the present log; in those that ended, records are still erased. Reads from it first what a
    /// crash kept from the table. Versions that have none yet, as after a large file was taken in while nobody served, get them by and
    /// by: nobody waits for the node meanwhile.
    ///
    /// # Errors
    /// The log or the database cannot be read.
    pub async fn keep_in(&self, ledgers: impl Into<Ledgers>, now: Timestamp) -> Result<()> {
        let ledgers = ledgers.into();
        if !self.shelf().all().is_empty() {
            self.recover_leaves(&ledgers.present.log).await?;
        }
        // A second log would leave versions in two: the first stays.
        let _ = self.0.ledgers.set(ledgers);
        for editions in self.shelf().all() {
            let code = &editions.current().code;
            if self.keep_piece(code).await? > 0 {
                transact!(self.store(), |tx| { tx.enqueue(leaf_order(code)?, now).await })?;
            }
        }
        Ok(())
    }

    /// Makes leaves of all versions of a registry that have none, and empties those of records that were erased; how many it made.
    /// Without a log, nothing.
    ///
    /// # Errors
    /// The log or the database failed; doing it again does no harm.
    pub async fn keep_leaves(&self, code: &RegistryCode) -> Result<u64> {
        let mut made = 0;
        loop {
            match self.keep_piece(code).await? {
                0 => return Ok(made),
                more => made += more,
            }
        }
    }

    /// Makes as many leaves as one job may, and orders the rest: what a large file brought takes longer than a lease.
    pub(super) async fn keep_some_leaves(&self, run: &Run, code: &RegistryCode) -> Result<()> {
        for _ in 0..PIECES {
            if self.keep_piece(code).await? == 0 {
                return Ok(());
            }
        }
        transact!(self.store(), |tx| {
            run.done(&tx).await?;
            tx.enqueue(leaf_order(code)?, run.now).await
        })
    }

    /// Makes leaves of the first versions that have none; how many.
    async fn keep_piece(&self, code: &RegistryCode) -> Result<u64> {
        let Some(ledgers) = self.0.ledgers.get() else {
            return Ok(0);
        };
        let log = &ledgers.present.log;
        let after = tables::last_of(&self.store().read(), code).await?.unwrap_or(0);
        let mut bare = read::changes(&self.store().read(), code, after, PIECE).await?;
        let is_erasure = |version: &VersionRow| version.kind == ChangeKind::Erase.code();
        // An erasure is the last of its piece: it finds the leaves of its record noted, and is noted itself when they are empty.
        // Should a crash come before that, it comes again.
        if let Some(at) = bare.iter().position(is_erasure) {
            bare.truncate(at + 1);
        }
        let Some(last) = bare.last() else { return Ok(0) };
        let erased = is_erasure(last).then_some(last.record_id);
        let made = bare.len() as u64;
        let records = bare.iter().map(|version| Ok((Kind::RECORD, said(code, version)?)));
        let receipts = log
            .append_all(records.collect::<Result<_>>()?)
            .await
            .map_err(Error::internal)?;
        let leaf = |(version, receipt): (&VersionRow, ledger::Receipt)| Leaf {
            registry: code.to_string(),
            recorded_at: version.recorded_at,
            origin: log.origin().to_owned(),
            leaf: i64::try_from(receipt.index).unwrap_or(i64::MAX),
        };
        let leaves: Vec<Leaf> = bare.iter().zip(receipts).map(leaf).collect();
        let (first, rest) = leaves.split_at(leaves.len() - usize::from(erased.is_some()));
        transact!(self.store(), |tx| { tables::put(&tx, first).await })?;
        if let Some(record) = erased {
            self.empty_leaves(ledgers.clone(), code, record).await?;
            transact!(self.store(), |tx| { tables::put(&tx, rest).await })?;
        }
        Ok(made)
    }

    async fn empty_leaves(&self, ledgers: Ledgers, code: &RegistryCode, record: Uuid) -> Result<()> {
        let leaves = tables::before_erasure(&self.store().read(), code, record).await?;
        let empty = move || {
            leaves.iter().try_for_each(|leaf| match ledgers.named(&leaf.origin) {
                Some(ledger) => ledger.log.erase(leaf.leaf.unsigned_abs()),
                None => {
                    tracing::error!(
                        log = leaf.origin,
                        leaf = leaf.leaf,
                        "what was erased may still stand in a log that is not here"
                    );
                    Ok(())
                }
            })
        };
        tokio::task::spawn_blocking(empty)
            .await
            .map_err(Error::internal)?
            .map_err(Error::internal)
    }

    /// Reads the end of the log that the table does not know.
    async fn recover_leaves(&self, log: &Arc<Log>) -> Result<()> {
        let last = tables::last(&self.store().read(), log.origin()).await?;
        let mut next = last.map_or(0, |leaf| leaf.unsigned_abs() + 1);
        while next < log.size() {
            let upto = log.size().min(next + u64::from(PIECE));
            let (reading, range) = (Arc::clone(log), next..upto);
            let leaves = tokio::task::spawn_blocking(move || leaves_in(&reading, range))
                .await
                .map_err(Error::internal)??;
            transact!(self.store(), |tx| { tables::put(&tx, &leaves).await })?;
            next = upto;
        }
        Ok(())
    }
}

fn said(code: &RegistryCode, version: &VersionRow) -> Result<Vec<u8>> {
    let said = Said {
        registry: code.as_str(),
        record: version.record_id,
        seq: version.seq,
        kind: &version.kind,
        effect: &version.effect,
        valid_from: version.valid_from,
        valid_to: version.valid_to,
        recorded_at: version.recorded_at,
        edition: version.edition,
        corrects: version.corrects,
        actor: &version.actor_name,
        agency: &version.agency,
        source: &version.source,
        basis: &version.basis,
        dossier: version.dossier.as_deref(),
        body: version.body.as_deref().map(serde_json::from_str).transpose()?,
    };
    Ok(serde_json::to_vec(&said)?)
}

/// The leaves of versions among some leaves. Those that were emptied are not known any more: their place was noted before. Those of
/// erasures are left out: whether their work was done nobody can see, so they come again.
fn leaves_in(log: &Log, range: std::ops::Range<u64>) -> Result<Vec<Leaf>> {
    #[derive(Deserialize)]
    struct Version {
        registry: String,
        recorded_at: i64,
        kind: String,
    }
    let mut leaves = Vec::new();
    for at in range {
        let stored = log.entry(at).map_err(Error::internal)?;
        let Some(opening) = stored.opening.filter(|_| stored.commitment.kind() == Kind::RECORD) else {
            continue;
        };
        let version: Version = serde_json::from_slice(&opening.record)?;
        if version.kind == ChangeKind::Erase.code() {
            continue;
        }
        leaves.push(Leaf {
            registry: version.registry,
            recorded_at: version.recorded_at,
            origin: log.origin().to_owned(),
            leaf: i64::try_from(at).unwrap_or(i64::MAX),
        });
    }
    Ok(leaves)
}
