//! The node's own log, and the proofs of others.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use base::codes::CodeError;
use ledger::{Kind, Log, Opening, Policy, Proof, Receipt, Salt};

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
        proof: receipt.proof().to_string().into_bytes(),
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
    notes: HashSet<(LogName, Vec<u8>)>,
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
    /// `member`. Gives the hash of its leaf, and the record back.
    pub fn verify(
        &self,
        view: &Arc<View>,
        member: &MemberId,
        sender: &LogName,
        evidence: &Evidence,
        record: Vec<u8>,
    ) -> Result<(RequestLeaf, Vec<u8>), Refusal> {
        let bad = |flaw| refusal(ErrorCode::SignatureVerification, "motcua-proof", flaw);
        let log = view.log(sender).filter(|log| log.server.owner == *member);
        let log = log.ok_or_else(|| bad(GatewayFlaw::OtherLog))?;
        let proof = Proof::parse(&evidence.proof).map_err(|error| refused(&error.into()))?;
        if proof.opening.is_some() || proof.commitment.kind() != Kind::MESSAGE {
            return Err(bad(GatewayFlaw::OtherKind));
        }
        if proof.checkpoint.checkpoint().origin != sender.as_str() {
            return Err(bad(GatewayFlaw::OtherOrigin));
        }
        let opening = Opening {
            salt: Salt(evidence.salt),
            record,
        };
        proof.check(Some(&opening)).map_err(|error| refused(&error))?;
        let note = note(&evidence.proof);
        let key = (sender.clone(), note.to_vec());
        if !self.lock(view).notes.contains(&key) {
            let policy = Policy::new(log.keys.clone(), Vec::new(), 0);
            let policy = policy.map_err(|_| bad(GatewayFlaw::OtherLog))?;
            policy
                .signed_by_log(&proof.checkpoint)
                .map_err(|error| refused(&error))?;
            self.lock(view).notes.insert(key);
        }
        Ok((RequestLeaf(proof.commitment.leaf().0), opening.record))
    }
}

/// The signed note in a proof: what follows its blank line.
fn note(proof: &[u8]) -> &[u8] {
    let blank = proof.windows(2).position(|pair| pair == b"\n\n");
    blank.map_or(proof, |at| &proof[at + 2..])
}

fn refused(error: &ledger::Refusal) -> Refusal {
    let text = error.text();
    let reason = CodeError::new(error.code(), text.vi, text.en);
    Refusal::at(ErrorCode::SignatureVerification, "motcua-proof", reason)
}
