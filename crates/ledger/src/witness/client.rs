//! The side of the log: gathers cosignatures from several witnesses at once.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base::Text;
use bytes::Bytes;
use futures::future::{BoxFuture, join_all};
use tokio::time::{Instant, sleep_until, timeout};

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

/// How witnesses are asked.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How long each is waited for.
    pub patience: Duration,
    /// The least time between two requests to one witness; the first rest after a failure.
    pub between: Duration,
    /// The longest rest: each failure in a row doubles it up to here.
    pub longest: Duration,
}

impl Default for Pace {
    /// One request a second at most; one that is down is asked every five minutes.
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(5),
            between: Duration::from_secs(1),
            longest: Duration::from_secs(300),
        }
    }
}

/// A witness as the log knows it.
pub struct Peer {
    key: VerifierKey,
    channel: Arc<dyn Channel>,
    memory: Mutex<Memory>,
}

/// What is remembered of a witness.
#[derive(Default)]
struct Memory {
    /// Entries that it cosigned last, as far as is known. A wrong guess costs one more request.
    known: u64,
    /// Whether it cosigned at all, and why it did not when it was asked last.
    cosigned: bool,
    miss: Option<Miss>,
    failures: u32,
    /// It is left alone until then.
    rest: Option<Instant>,
}

impl Peer {
    /// A witness by its key and the way to it.
    pub fn new(key: VerifierKey, channel: Arc<dyn Channel>) -> Self {
        Self {
            key,
            channel,
            memory: Mutex::default(),
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How it stands with a witness.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Its key.
    pub key: VerifierKey,
    /// Entries of the largest tree that it is known to have cosigned.
    pub cosigned: Option<u64>,
    /// Why there was no cosignature when it was asked last.
    pub miss: Option<Miss>,
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
    /// It refused: 403, 404 and others.
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
    /// It has cosigned another history (422): the log was put back and went on otherwise, or there are two of them.
    #[error("it has cosigned another tree of {known} entries than the checkpoint of {size} continues")]
    Forked {
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

impl Miss {
    /// Whether the log itself is at fault: what people were shown is not what it has now.
    pub const fn accuses_the_log(&self) -> bool {
        matches!(self, Self::Ahead { .. } | Self::Forked { .. })
    }

    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Channel(_) => "witness-unreachable",
            Self::Late => "witness-late",
            Self::Refused(_) => "witness-refused",
            Self::Ahead { .. } => "log-rolled-back",
            Self::Forked { .. } => "log-forked",
            Self::NoCosignature => "witness-no-cosignature",
            Self::Log(error) => error.code(),
        }
    }

    /// The sentence for people.
    pub fn text(&self) -> Text {
        match self {
            Self::Channel(_) => Text::new(
                "Không kết nối được với nhân chứng; hệ thống sẽ tự thử lại.",
                "The witness cannot be reached; it is asked again.",
            ),
            Self::Late => Text::new(
                "Nhân chứng không trả lời kịp; hệ thống sẽ tự thử lại.",
                "The witness did not answer in time; it is asked again.",
            ),
            Self::Refused(status) => Text::new(
                format!(
                    "Nhân chứng từ chối với mã {status}: hãy hỏi người vận hành nhân chứng có theo dõi sổ cái này bằng đúng khóa hay không."
                ),
                format!(
                    "The witness refused with status {status}: ask its operator whether it follows this log under its present key."
                ),
            ),
            Self::Ahead { known, size } => Text::new(
                format!(
                    "Nhân chứng đã đồng ký {known} mục nhưng sổ cái chỉ có {size} mục: sổ cái đã bị đưa về trạng thái cũ, hoặc có hai bản."
                ),
                format!(
                    "The witness has cosigned {known} entries, but the log has {size}: it was put back to an older state, or there are two of it."
                ),
            ),
            Self::Forked { known, size } => Text::new(
                format!(
                    "Sổ cái {size} mục không nối tiếp {known} mục mà nhân chứng đã đồng ký: lịch sử đã bị thay đổi, hoặc có hai bản."
                ),
                format!(
                    "The log of {size} entries does not continue the {known} that the witness has cosigned: its history was changed, or there are two of it."
                ),
            ),
            Self::NoCosignature => Text::new(
                "Câu trả lời không có chữ ký đúng của nhân chứng này: hãy kiểm tra khóa trong cấu hình.",
                "The answer has no good signature of this witness: look at the key in the configuration.",
            ),
            Self::Log(error) => error.text(),
        }
    }
}

/// A checkpoint with the cosignatures that came in.
#[derive(Debug, Clone)]
pub struct Gathered {
    /// The checkpoint; judge it by a [`crate::Policy`].
    pub checkpoint: SignedCheckpoint,
    /// How many witnesses cosigned now.
    pub cosigned: usize,
    /// The names of those who were asked and did not, and why.
    pub missing: Vec<(String, Miss)>,
}

/// The witnesses of a log.
pub struct Witnesses {
    peers: Vec<Peer>,
    pace: Pace,
}

impl Witnesses {
    /// Witnesses that are asked at this pace, all at once.
    pub const fn new(peers: Vec<Peer>, pace: Pace) -> Self {
        Self { peers, pace }
    }

    /// Notes who cosigned a checkpoint in an earlier life of this process, so that each is asked from there.
    pub fn remember(&self, cosigned: &SignedCheckpoint) {
        for peer in &self.peers {
            if cosigned.verify(&peer.key).is_ok() {
                let mut memory = peer.memory();
                memory.known = cosigned.checkpoint().size;
                memory.cosigned = true;
            }
        }
    }

    /// How it stands with each witness, in their order.
    pub fn standings(&self) -> Vec<Standing> {
        let standing = |peer: &Peer| {
            let memory = peer.memory();
            Standing {
                key: peer.key.clone(),
                cosigned: memory.cosigned.then_some(memory.known),
                miss: memory.miss.clone(),
            }
        };
        self.peers.iter().map(standing).collect()
    }

    /// Asks the witnesses that have not cosigned `checkpoint` of `log` yet to do so; not those that were asked or failed a
    /// moment ago ([`Pace`]).
    pub async fn gather(&self, log: &Log, checkpoint: &SignedCheckpoint) -> Gathered {
        let now = Instant::now();
        let due =
            |peer: &&Peer| checkpoint.verify(&peer.key).is_err() && peer.memory().rest.is_none_or(|until| until <= now);
        let peers: Vec<&Peer> = self.peers.iter().filter(due).collect();
        let asked = peers.iter().map(async |peer| {
            let answer = timeout(self.pace.patience, peer.ask(log, checkpoint, self.pace.between)).await;
            let answer = answer.unwrap_or(Err(Miss::Late));
            peer.note(&answer, checkpoint.checkpoint().size, self.pace);
            answer
        });
        let answers = join_all(asked).await;
        let mut gathered = Gathered {
            checkpoint: checkpoint.clone(),
            cosigned: 0,
            missing: Vec::new(),
        };
        for (peer, answer) in peers.iter().zip(answers) {
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
    /// Asks from the size that the witness is believed to know; if it names another one (409), once more from there.
    async fn ask(&self, log: &Log, checkpoint: &SignedCheckpoint, between: Duration) -> Result<Signature, Miss> {
        let size = checkpoint.checkpoint().size;
        let mut old = self.memory().known.min(size);
        let again = Instant::now() + between;
        let mut answer = self.request(log, checkpoint, old).await?;
        if answer.status == 409 {
            let known = std::str::from_utf8(&answer.body)
                .ok()
                .and_then(|t| decimal(t.trim_end()));
            old = known.ok_or(Miss::Refused(answer.status))?;
            self.memory().known = old;
            if old > size {
                return Err(Miss::Ahead { known: old, size });
            }
            sleep_until(again).await;
            answer = self.request(log, checkpoint, old).await?;
        }
        match answer.status {
            200 => {}
            422 => return Err(Miss::Forked { known: old, size }),
            status => return Err(Miss::Refused(status)),
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
        Ok(line)
    }

    fn note(&self, answer: &Result<Signature, Miss>, size: u64, pace: Pace) {
        let mut memory = self.memory();
        memory.miss = answer.as_ref().err().cloned();
        let rest = if answer.is_ok() {
            (memory.known, memory.cosigned, memory.failures) = (size, true, 0);
            pace.between
        } else {
            memory.failures = memory.failures.saturating_add(1);
            let doubled = 2_u32.saturating_pow(memory.failures - 1);
            pace.between.saturating_mul(doubled).min(pace.longest)
        };
        memory.rest = Some(Instant::now() + rest);
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
