//! The log of a node, as those who keep records in it and prove them hold it.

use std::sync::Arc;

use crate::{Log, Proof, Result, VerifierKey};

/// The log of this node with the keys that sign it.
#[derive(Debug, Clone)]
pub struct Ledger {
    /// The log.
    pub log: Arc<Log>,
    /// The keys by which its checkpoints are verified.
    pub keys: Vec<VerifierKey>,
}

/// The log of this node, and those that ended before it began.
#[derive(Debug, Clone)]
pub struct Ledgers {
    /// The one that is written.
    pub present: Ledger,
    /// Those that ended, the oldest first, opened to be read ([`Log::open_ended`]).
    pub former: Vec<Ledger>,
}

impl From<Ledger> for Ledgers {
    fn from(present: Ledger) -> Self {
        Self {
            present,
            former: Vec::new(),
        }
    }
}

impl Ledgers {
    /// All of them, the oldest first.
    pub fn all(&self) -> impl Iterator<Item = &Ledger> {
        self.former.iter().chain([&self.present])
    }

    /// The one of this name, if it is here.
    pub fn named(&self, origin: &str) -> Option<&Ledger> {
        self.all().find(|ledger| ledger.log.origin() == origin)
    }
}

/// A leaf for somebody else: its proof, and since when it stood there by the word of a timestamping authority.
#[derive(Debug, Clone)]
pub struct Proved {
    /// Under the latest checkpoint, cosigned if there is one.
    pub proof: Proof,
    /// Without the record, under the earliest stamped checkpoint that has the leaf, with the token over it (RFC 3161, DER).
    pub stamped: Option<(Proof, Vec<u8>)>,
}

impl Ledger {
    /// Proves a leaf, with its record if that is `shown` and not erased. The caller answers for who may see it. Blocks on the disk.
    ///
    /// # Errors
    /// See [`Log::disclose`].
    pub fn proved(&self, leaf: u64, shown: bool) -> Result<Proved> {
        let proof = if shown {
            self.log.disclose(leaf)?
        } else {
            self.log.prove(leaf)?
        };
        let stamped = match self.log.first_stamp_over(leaf)? {
            Some(stamp) => Some((self.log.prove_under(leaf, &stamp.checkpoint)?, stamp.token)),
            None => None,
        };
        Ok(Proved { proof, stamped })
    }
}
