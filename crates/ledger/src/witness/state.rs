//! The witness itself: what it has cosigned last for each log, kept on disk before anybody is answered.

use std::{
    collections::HashMap,
    fs::File,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
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
    logs: HashMap<String, Log>,
    _lock: File,
}

/// A log that is followed.
struct Log {
    keys: Vec<VerifierKey>,
    /// The checkpoint cosigned last. Locked from the judgement until the answer is on disk.
    last: Mutex<Option<SignedCheckpoint>>,
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
        let lock = crate::log::lock(dir)?;
        let mut by_origin: HashMap<String, Vec<VerifierKey>> = HashMap::new();
        for key in logs {
            by_origin.entry(key.name().to_owned()).or_default().push(key);
        }
        let mut logs = HashMap::new();
        for (origin, keys) in by_origin {
            let last = Mutex::new(load(dir, &origin, &keys, &signers)?);
            logs.insert(origin, Log { keys, last });
        }
        Ok(Self {
            dir: dir.to_owned(),
            signers,
            clock,
            logs,
            _lock: lock,
        })
    }

    /// Answers a request with signature lines. Blocks until the disk has what was cosigned.
    ///
    /// # Errors
    /// [`Refusal`] says why it is not cosigned, and with which status.
    pub fn add_checkpoint(&self, body: &[u8]) -> Result<String, Refusal> {
        let request = AddCheckpoint::parse(body)?;
        let origin = &request.checkpoint.checkpoint().origin;
        let log = self
            .logs
            .get(origin)
            .ok_or_else(|| Refusal::UnknownLog(origin.clone()))?;
        let mut last = log.last.lock().unwrap_or_else(PoisonError::into_inner);
        judge(last.as_ref().map(SignedCheckpoint::checkpoint), &log.keys, &request)?;
        let mut checkpoint = request.checkpoint;
        checkpoint.retain(&log.keys);
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
        let (_, log) = self.logs.iter().find(|(origin, _)| file_name(origin) == origin_hash)?;
        log.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl std::fmt::Debug for Witness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Witness({} logs)", self.logs.len())
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
