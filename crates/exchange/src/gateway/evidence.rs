//! The node's own log, and the proofs of others.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use base::codes::CodeError;
use ledger::{Checkpoint, Commitment, Kind, Log, MalformedProof, Policy, Receipt, Salt, SignedCheckpoint, VerifierKey};

use super::flaw::{GatewayFlaw, refusal};
use crate::model::{
    Field,
    error::{ErrorCode, Refusal},
    federation::View,
    identifier::MemberId,
    message::{Evidence, LogName, RequestLeaf},
};

/// Checkpoints that are remembered as verified: messages of one batch share theirs.
const CHECKPOINTS: usize = 1024;

/// The log that a gateway writes, under its name.
pub(super) struct OwnLog {
    log: Arc<Log>,
    name: LogName,
}

impl OwnLog {
    pub const fn new(log: Arc<Log>, name: LogName) -> Self {
        Self { log, name }
    }

    pub const fn name(&self) -> &LogName {
        &self.name
    }

    /// Appends records side by side. Gives the receipt of the `n`-th.
    pub async fn enter(&self, records: Vec<(Kind, Vec<u8>)>, n: usize) -> Result<Receipt, ledger::Error> {
        let receipts = self.log.append_all(records).await?;
        receipts.into_iter().nth(n).ok_or(ledger::Error::Closed)
    }
}

/// The fields that prove what a receipt says.
pub(super) fn fields(receipt: &Receipt, code: ErrorCode) -> Result<[Field; 3], Refusal> {
    let evidence = Evidence {
        salt: receipt.salt.0,
        index: receipt.index,
        path: receipt.path.clone(),
        checkpoint: receipt.checkpoint.to_string().into_bytes(),
    };
    evidence.to_fields().map_err(|flaw| Refusal::at(code, "log", flaw))
}

/// What the node's own log said no to.
pub(super) fn not_logged(code: ErrorCode, error: &ledger::Error) -> Refusal {
    tracing::error!(%error, "a message could not be logged");
    let text = error.text();
    Refusal::at(code, "log", CodeError::new(error.code(), text.vi, text.en))
}

/// The hash of the leaf of a message.
pub(super) fn leaf(receipt: &Receipt) -> RequestLeaf {
    RequestLeaf(receipt.commitment.leaf().0)
}

/// Checkpoints whose signature was found good under one edition of the directory.
#[derive(Default)]
pub(super) struct Checkpoints(Mutex<Verified>);

#[derive(Default)]
struct Verified {
    under: Option<Arc<View>>,
    /// By the note that was signed. A note names its log.
    notes: HashMap<Vec<u8>, Arc<Checkpoint>>,
}

impl Checkpoints {
    fn lock(&self, view: &Arc<View>) -> std::sync::MutexGuard<'_, Verified> {
        let mut verified = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = verified.under.as_ref().is_some_and(|under| Arc::ptr_eq(under, view));
        if !same || verified.notes.len() >= CHECKPOINTS {
            verified.notes.clear();
            verified.under = Some(Arc::clone(view));
        }
        verified
    }

    /// Checks 4 and 5 of the protocol: that `record`, which `sender` is said to have logged, is a message in the log of
    /// `member`. Gives the hash of its leaf.
    pub fn verify(
        &self,
        view: &Arc<View>,
        member: &MemberId,
        sender: &LogName,
        evidence: &Evidence,
        record: &[u8],
    ) -> Result<RequestLeaf, Refusal> {
        let log = view.log(sender).filter(|log| log.server.owner == *member);
        let log = log.ok_or_else(|| bad(GatewayFlaw::OtherLog))?;
        let checkpoint = self.signed(view, sender, &log.keys, &evidence.checkpoint)?;
        let leaf = Commitment::new(Kind::MESSAGE, &Salt(evidence.salt), record).leaf();
        let (index, size) = (evidence.index, checkpoint.size);
        if !ledger::tree::verify_inclusion(&leaf, index, size, &checkpoint.root, &evidence.path) {
            return Err(refused(&ledger::Refusal::NotIncluded { index, size }));
        }
        Ok(RequestLeaf(leaf.0))
    }

    /// The checkpoint of a note that one of `keys`, those of the log `sender`, signed.
    fn signed(
        &self,
        view: &Arc<View>,
        sender: &LogName,
        keys: &[VerifierKey],
        note: &[u8],
    ) -> Result<Arc<Checkpoint>, Refusal> {
        let known = self.lock(view).notes.get(note).cloned();
        if let Some(checkpoint) = known {
            return of_log(sender, &checkpoint).map(|()| checkpoint);
        }
        let signed = SignedCheckpoint::parse(note).map_err(|flaw| refused(&MalformedProof(flaw.0).into()))?;
        let checkpoint = Arc::new(signed.checkpoint().clone());
        of_log(sender, &checkpoint)?;
        let policy = Policy::new(keys.to_vec(), Vec::new(), 0).map_err(|_| bad(GatewayFlaw::OtherLog))?;
        policy.signed_by_log(&signed).map_err(|refusal| refused(&refusal))?;
        self.lock(view).notes.insert(note.to_vec(), Arc::clone(&checkpoint));
        Ok(checkpoint)
    }
}

fn of_log(sender: &LogName, checkpoint: &Checkpoint) -> Result<(), Refusal> {
    if checkpoint.origin == sender.as_str() {
        Ok(())
    } else {
        Err(bad(GatewayFlaw::OtherOrigin))
    }
}

fn bad(flaw: GatewayFlaw) -> Refusal {
    refusal(ErrorCode::SignatureVerification, "motcua-proof", flaw)
}

fn refused(refusal: &ledger::Refusal) -> Refusal {
    let text = refusal.text();
    let reason = CodeError::new(refusal.code(), text.vi, text.en);
    Refusal::at(ErrorCode::SignatureVerification, "motcua-proof", reason)
}
