//! Whom a verifier trusts: logs by their keys, and how many of which witnesses must have cosigned.

use crate::{checkpoint::SignedCheckpoint, key::VerifierKey, note::Unverified, verify::Refusal};

/// The keys of logs, and a quorum of witnesses: `k of n`. A checkpoint holds when a key of its log signed it and at least
/// `quorum` of the witnesses cosigned it (C2SP tlog-policy, with one group).
#[derive(Debug, Clone, Default)]
pub struct Policy {
    logs: Vec<VerifierKey>,
    witnesses: Vec<VerifierKey>,
    quorum: usize,
}

/// A policy that no checkpoint, or any, would satisfy by mistake.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// More witnesses are asked for than are known.
    #[error("{quorum} of {witnesses} witnesses can never be reached")]
    Unreachable {
        /// How many must cosign.
        quorum: usize,
        /// How many there are.
        witnesses: usize,
    },
    /// One witness would count twice.
    #[error("the key of {0} stands twice")]
    Twice(String),
}

/// A witness whose cosignature was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigner {
    /// The name of its key.
    pub name: String,
    /// When it cosigned, in seconds since 1970, if its algorithm says so.
    pub time: Option<u64>,
}

impl Policy {
    /// A policy. The name of a log's key is the origin of the log.
    ///
    /// # Errors
    /// [`PolicyError`] when the quorum cannot be reached, or a witness stands twice.
    pub fn new(logs: Vec<VerifierKey>, witnesses: Vec<VerifierKey>, quorum: usize) -> Result<Self, PolicyError> {
        if quorum > witnesses.len() {
            return Err(PolicyError::Unreachable {
                quorum,
                witnesses: witnesses.len(),
            });
        }
        for (n, key) in witnesses.iter().enumerate() {
            if witnesses[..n].iter().any(|k| k.public() == key.public()) {
                return Err(PolicyError::Twice(key.name().to_owned()));
            }
        }
        Ok(Self {
            logs,
            witnesses,
            quorum,
        })
    }

    /// Trusts one log without witnesses: it may still show different views to different people.
    pub fn log(key: VerifierKey) -> Self {
        Self {
            logs: vec![key],
            ..Self::default()
        }
    }

    /// The witnesses it knows.
    pub fn witnesses(&self) -> &[VerifierKey] {
        &self.witnesses
    }

    /// How many of them must cosign.
    pub const fn quorum(&self) -> usize {
        self.quorum
    }

    /// Whether the log signed `checkpoint` by a known key; cosignatures do not matter.
    ///
    /// # Errors
    /// [`Refusal::UnknownLog`] or [`Refusal::BadSignature`].
    pub fn signed_by_log(&self, checkpoint: &SignedCheckpoint) -> Result<(), Refusal> {
        let origin = &checkpoint.checkpoint().origin;
        let mut signed = false;
        for key in self.logs.iter().filter(|k| k.name() == origin) {
            match checkpoint.verify(key) {
                Ok(_) => signed = true,
                Err(Unverified::Absent) => {}
                Err(Unverified::Bad) => return Err(bad(key)),
            }
        }
        if signed {
            Ok(())
        } else {
            Err(Refusal::UnknownLog { origin: origin.clone() })
        }
    }

    /// The witnesses that cosigned `checkpoint`, which its log signed.
    ///
    /// # Errors
    /// [`Refusal`] when no known key of the log signed, a signature of a known key is false, or too few witnesses cosigned.
    pub fn judge(&self, checkpoint: &SignedCheckpoint) -> Result<Vec<Cosigner>, Refusal> {
        self.signed_by_log(checkpoint)?;
        let mut cosigners = Vec::new();
        for key in &self.witnesses {
            match checkpoint.verify(key) {
                Ok(time) => cosigners.push(Cosigner {
                    name: key.name().to_owned(),
                    time,
                }),
                Err(Unverified::Absent) => {}
                Err(Unverified::Bad) => return Err(bad(key)),
            }
        }
        if cosigners.len() < self.quorum {
            return Err(Refusal::TooFewWitnesses {
                have: cosigners.len(),
                need: self.quorum,
            });
        }
        Ok(cosigners)
    }
}

fn bad(key: &VerifierKey) -> Refusal {
    Refusal::BadSignature {
        key: key.name().to_owned(),
    }
}
