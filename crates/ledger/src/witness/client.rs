//! The side of the log: gathers cosignatures from several witnesses at once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures::future::{BoxFuture, join_all};

use super::AddCheckpoint;
use crate::{
    checkpoint::SignedCheckpoint,
    decimal,
    error::Error,
    key::VerifierKey,
    log::Log,
    note::{Signature, parse_signatures},
};

/// How requests reach a witness.
pub trait Channel: Send + Sync {
    /// Posts a body to `add-checkpoint`.
    fn add_checkpoint(&self, body: String) -> BoxFuture<'_, Result<Answer, ChannelError>>;
}

/// What a witness answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status code.
    pub status: u16,
    /// The body.
    pub body: Bytes,
}

/// A witness could not be reached.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct ChannelError(pub String);

/// A witness as the log knows it.
pub struct Peer {
    key: VerifierKey,
    channel: Arc<dyn Channel>,
    /// What it cosigned last, as far as is known. A wrong guess costs one more request.
    known: AtomicU64,
}

impl Peer {
    /// A witness by its key and the way to it.
    pub const fn new(key: VerifierKey, channel: Arc<dyn Channel>) -> Self {
        Self {
            key,
            channel,
            known: AtomicU64::new(0),
        }
    }
}

/// Why there is no cosignature of a witness.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Miss {
    /// It could not be reached.
    #[error(transparent)]
    Channel(#[from] ChannelError),
    /// It did not answer in time.
    #[error("no answer in time")]
    Late,
    /// It refused: 403, 404, 422 and others.
    #[error("status {0}")]
    Refused(u16),
    /// It has cosigned a larger tree than the log has: the log was put back to an older state, or there are two of them.
    #[error("it has cosigned {known} entries, beyond the {size} of the checkpoint")]
    Ahead {
        /// Entries that it cosigned.
        known: u64,
        /// Entries of the checkpoint.
        size: u64,
    },
    /// Its answer holds no signature by its key, or a false one.
    #[error("the answer holds no cosignature by its key")]
    NoCosignature,
    /// The log could not make the proof.
    #[error(transparent)]
    Log(#[from] Error),
}

/// A checkpoint with the cosignatures that came in.
#[derive(Debug, Clone)]
pub struct Gathered {
    /// The checkpoint; judge it by a [`crate::Policy`].
    pub checkpoint: SignedCheckpoint,
    /// How many witnesses cosigned.
    pub cosigned: usize,
    /// The names of the others, and why.
    pub missing: Vec<(String, Miss)>,
}

/// The witnesses of a log.
pub struct Witnesses {
    peers: Vec<Peer>,
    patience: Duration,
}

impl Witnesses {
    /// Witnesses that are waited for at most `patience` each, all at once.
    pub const fn new(peers: Vec<Peer>, patience: Duration) -> Self {
        Self { peers, patience }
    }

    /// Asks every witness to cosign a checkpoint of `log`.
    pub async fn gather(&self, log: &Log, checkpoint: &SignedCheckpoint) -> Gathered {
        let asked = self.peers.iter().map(async |peer| {
            let answer = tokio::time::timeout(self.patience, peer.ask(log, checkpoint)).await;
            answer.unwrap_or(Err(Miss::Late))
        });
        let mut gathered = Gathered {
            checkpoint: checkpoint.clone(),
            cosigned: 0,
            missing: Vec::new(),
        };
        for (peer, answer) in self.peers.iter().zip(join_all(asked).await) {
            match answer {
                Ok(cosignature) => {
                    gathered.checkpoint.add(cosignature);
                    gathered.cosigned += 1;
                }
                Err(miss) => gathered.missing.push((peer.key.name().to_owned(), miss)),
            }
        }
        gathered
    }
}

impl Peer {
    async fn ask(&self, log: &Log, checkpoint: &SignedCheckpoint) -> Result<Signature, Miss> {
        let size = checkpoint.checkpoint().size;
        let mut old = self.known.load(Ordering::Relaxed).min(size);
        let mut answer = self.request(log, checkpoint, old).await?;
        if answer.status == 409 {
            let known = std::str::from_utf8(&answer.body)
                .ok()
                .and_then(|t| decimal(t.trim_end()));
            old = known.ok_or(Miss::Refused(answer.status))?;
            self.known.store(old, Ordering::Relaxed);
            if old > size {
                return Err(Miss::Ahead { known: old, size });
            }
            answer = self.request(log, checkpoint, old).await?;
        }
        if answer.status != 200 {
            return Err(Miss::Refused(answer.status));
        }
        let lines = std::str::from_utf8(&answer.body).map_err(|_| Miss::NoCosignature)?;
        let lines = parse_signatures(lines).map_err(|_| Miss::NoCosignature)?;
        let line = lines
            .into_iter()
            .find(|s| s.claims(&self.key))
            .ok_or(Miss::NoCosignature)?;
        let mut cosigned = checkpoint.clone();
        cosigned.add(line.clone());
        cosigned.verify(&self.key).map_err(|_| Miss::NoCosignature)?;
        self.known.store(size, Ordering::Relaxed);
        Ok(line)
    }

    async fn request(&self, log: &Log, checkpoint: &SignedCheckpoint, old: u64) -> Result<Answer, Miss> {
        let request = AddCheckpoint {
            old,
            proof: log.consistency(old, checkpoint.checkpoint().size)?,
            checkpoint: checkpoint.clone(),
        };
        Ok(self.channel.add_checkpoint(request.to_string()).await?)
    }
}

impl std::fmt::Debug for Witnesses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.peers.iter().map(|p| &p.key)).finish()
    }
}
