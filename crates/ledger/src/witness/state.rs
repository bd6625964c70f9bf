//! The witness itself: what it has cosigned last for each log, kept on disk before anybody is answered.

use std::{
    collections::HashMap,
    fs::File,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use base::Clock;
use sha2::{Digest, Sha256};

use super::{AddCheckpoint, Refusal};
use crate::{
    checkpoint::{Checkpoint, SignedCheckpoint},
    error::{Error, Result},
    files,
    hash::Hash,
    key::{Signer, VerifierKey},
    seconds,
    tree::verify_consistency,
};

/// Whether a witness that cosigned `known` last may cosign what is asked, by the keys of the log (C2SP tlog-witness,
/// add-checkpoint). Pure; whoever calls it keeps `known` unchanged until the answer is on disk.
///
/// # Errors
/// [`Refusal`] says why not.
pub fn judge(known: Option<&Checkpoint>, keys: &[VerifierKey], request: &AddCheckpoint) -> Result<(), Refusal> {
    let new = request.checkpoint.checkpoint();
    let keys: Vec<_> = keys.iter().filter(|k| k.name() == new.origin).collect();
    if keys.is_empty() {
        return Err(Refusal::UnknownLog(new.origin.clone()));
    }
    let mut signed = false;
    for key in keys {
        match request.checkpoint.verify(key) {
            Ok(_) => signed = true,
            Err(crate::Unverified::Absent) => {}
            Err(crate::Unverified::Bad) => return Err(Refusal::Unsigned(new.origin.clone())),
        }
    }
    if !signed {
        return Err(Refusal::Unsigned(new.origin.clone()));
    }
    let (old, size) = (request.old, new.size);
    if old > size {
        return Err(Refusal::Backwards { old, size });
    }
    let (known_size, known_root) = known.map_or((0, Hash::EMPTY), |k| (k.size, k.root));
    if old != known_size {
        return Err(Refusal::Conflict { size: known_size });
    }
    if !verify_consistency(old, size, &known_root, &new.root, &request.proof) {
        return Err(Refusal::Inconsistent);
    }
    Ok(())
}

/// A witness of some logs. Its folder must never be put back to an older state: it would cosign a fork.
pub struct Witness {
    dir: PathBuf,
    signers: Vec<Arc<dyn Signer>>,
    clock: Arc<dyn Clock>,
    logs: RwLock<HashMap<String, Log>>,
    _lock: File,
}

/// A log that is, or was, followed.
struct Log {
    /// None: it is followed no more.
    keys: Vec<VerifierKey>,
    /// What was cosigned last. It stays when the log is followed no more: there is one memory of each log.
    last: Arc<Last>,
}

/// The checkpoint cosigned last. Locked from the judgement until the answer is on disk.
type Last = Mutex<Option<SignedCheckpoint>>;

/// A log that a witness follows.
#[derive(Debug, Clone)]
pub struct Followed {
    /// Its origin.
    pub origin: String,
    /// What was cosigned last.
    pub last: Option<SignedCheckpoint>,
    /// It signed two trees of one size; the other one lies beside the state as `<origin hash>.fork`.
    pub forked: bool,
}

impl Witness {
    /// Opens a witness that keeps its state in `dir`. Each log is known by its keys, whose name is its origin; the signers'
    /// algorithms are timestamped ones.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::WitnessState`], [`Error::Io`]; [`Error::Misconfigured`] for a signer without timestamps.
    pub fn open(
        dir: &Path,
        signers: Vec<Arc<dyn Signer>>,
        logs: Vec<VerifierKey>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        if signers.iter().any(|s| !s.verifier().algorithm().timestamped()) {
            return Err(Error::Misconfigured(
                "a witness signs with cosignature/v1 or ML-DSA-44, which say when",
            ));
        }
        let witness = Self {
            dir: dir.to_owned(),
            signers,
            clock,
            logs: RwLock::default(),
            _lock: crate::log::lock(dir)?,
        };
        witness.follow(logs)?;
        Ok(witness)
    }

    /// Follows these logs from now on, and no others.
    ///
    /// # Errors
    /// [`Error::WitnessState`] or [`Error::Io`]; then it goes on with those that it followed.
    pub fn follow(&self, logs: Vec<VerifierKey>) -> Result<()> {
        let mut by_origin: HashMap<String, Vec<VerifierKey>> = HashMap::new();
        for key in logs {
            by_origin.entry(key.name().to_owned()).or_default().push(key);
        }
        let mut followed = self.logs.write().unwrap_or_else(PoisonError::into_inner);
        let mut new = HashMap::new();
        for (origin, keys) in &by_origin {
            if !followed.contains_key(origin) {
                let last = load(&self.dir, origin, keys, &self.signers)?;
                new.insert(origin.clone(), Arc::new(Mutex::new(last)));
            }
        }
        for (origin, log) in followed.iter_mut() {
            log.keys = by_origin.remove(origin).unwrap_or_default();
        }
        for (origin, last) in new {
            let keys = by_origin.remove(&origin).unwrap_or_default();
            followed.insert(origin, Log { keys, last });
        }
        Ok(())
    }

    /// Answers a request with signature lines. Blocks until the disk has what was cosigned.
    ///
    /// # Errors
    /// [`Refusal`] says why it is not cosigned, and with which status.
    pub fn add_checkpoint(&self, body: &[u8]) -> Result<String, Refusal> {
        let request = AddCheckpoint::parse(body)?;
        let origin = &request.checkpoint.checkpoint().origin;
        let (keys, last) = self
            .find(|name| name == origin)
            .ok_or_else(|| Refusal::UnknownLog(origin.clone()))?;
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        let known = last.as_ref().map(SignedCheckpoint::checkpoint);
        if let Err(refusal) = judge(known, &keys, &request) {
            if refusal == Refusal::Inconsistent {
                self.keep_fork(known, &request.checkpoint);
            }
            return Err(refusal);
        }
        let mut checkpoint = request.checkpoint;
        checkpoint.retain(&keys);
        let time = seconds(self.clock.now());
        let mut lines = String::new();
        for signer in &self.signers {
            let line = checkpoint
                .cosign(&**signer, time)
                .map_err(|e| Refusal::Unavailable(e.to_string()))?;
            lines += &line.to_string();
        }
        let path = self.dir.join(file_name(&checkpoint.checkpoint().origin));
        files::replace(&path, checkpoint.to_string().as_bytes()).map_err(|e| Refusal::Unavailable(e.to_string()))?;
        *last = Some(checkpoint);
        Ok(lines)
    }

    /// The checkpoint cosigned last of the log whose origin has this SHA-256 in lower-case hex, with all signatures that were
    /// verified (C2SP tlog-witness, monitor retrieval).
    pub fn latest(&self, origin_hash: &str) -> Option<SignedCheckpoint> {
        let (_, last) = self.find(|origin| file_name(origin) == origin_hash)?;
        last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The logs that are followed, by their names.
    pub fn followed(&self) -> Vec<Followed> {
        let logs = self.logs.read().unwrap_or_else(PoisonError::into_inner);
        let mut followed: Vec<_> = logs
            .iter()
            .filter(|(_, log)| !log.keys.is_empty())
            .map(|(origin, log)| Followed {
                origin: origin.clone(),
                last: log.last.lock().unwrap_or_else(PoisonError::into_inner).clone(),
                forked: self.fork_path(origin).exists(),
            })
            .collect();
        followed.sort_by(|a, b| a.origin.cmp(&b.origin));
        followed
    }

    fn find(&self, is_it: impl Fn(&str) -> bool) -> Option<(Vec<VerifierKey>, Arc<Last>)> {
        let logs = self.logs.read().unwrap_or_else(PoisonError::into_inner);
        let (_, log) = logs.iter().find(|(origin, _)| is_it(origin))?;
        Some((log.keys.clone(), Arc::clone(&log.last)))
    }

    /// Two trees of one size, both signed by the log, prove by themselves that it showed two histories. The second is kept
    /// beside the first. A bad proof between trees of two sizes proves nothing: anybody can send one.
    fn keep_fork(&self, known: Option<&Checkpoint>, other: &SignedCheckpoint) {
        let new = other.checkpoint();
        let Some(known) = known.filter(|known| known.size == new.size && known.root != new.root) else {
            return;
        };
        let (origin, size) = (&new.origin, new.size);
        tracing::error!(origin, size, known = %known.root, other = %new.root, "a log signed two histories");
        let path = self.fork_path(origin);
        if !path.exists()
            && let Err(error) = files::replace(&path, other.to_string().as_bytes())
        {
            tracing::error!(%error, origin, "the second history could not be kept");
        }
    }

    fn fork_path(&self, origin: &str) -> PathBuf {
        self.dir.join(format!("{}.fork", file_name(origin)))
    }
}

impl std::fmt::Debug for Witness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let logs = self.logs.read().unwrap_or_else(PoisonError::into_inner);
        write!(f, "Witness({} logs)", logs.len())
    }
}

/// The file that keeps the checkpoint cosigned last: the hex of the SHA-256 of the origin.
fn file_name(origin: &str) -> String {
    hex::encode(Sha256::digest(origin))
}

/// Reads what was cosigned last. It must be vouched for by the witness, or at least by the log: a witness that forgets by
/// accident would cosign a fork.
fn load(
    dir: &Path,
    origin: &str,
    keys: &[VerifierKey],
    signers: &[Arc<dyn Signer>],
) -> Result<Option<SignedCheckpoint>> {
    let path = dir.join(file_name(origin));
    let Some(bytes) = files::read(&path).map_err(Error::io("reading", &path))? else {
        return Ok(None);
    };
    let own = signers.iter().map(|s| s.verifier());
    SignedCheckpoint::parse(&bytes)
        .ok()
        .filter(|c| c.checkpoint().origin == origin)
        .filter(|c| own.chain(keys.iter().cloned()).any(|k| c.verify(&k).is_ok()))
        .map(Some)
        .ok_or_else(|| Error::WitnessState(path.display().to_string()))
}
