//! A log that was put back from a backup.
//!
//! Others may know checkpoints of it that are newer than the backup: people hold proofs, other nodes messages, a mirror and
//! witnesses the last checkpoint. Were it continued from an older size under the same key, there would be two histories, both signed:
//! a fork, which auditors take for fraud. So a restored log is not opened before somebody vouched that it ends where it ended:
//! by the newest checkpoints that others have ([`resume`]), or by their word that nothing was written after the backup.

use std::{fs, path::Path};

use ::ledger::{SignedCheckpoint, VerifierKey};
use anyhow::{Context as _, bail};

use crate::config::Config;

/// In the folder of a log that was put back: its size then.
pub(super) const MARK: &str = "restored";

/// Notes that the log in `dir` was put back with so many entries.
///
/// # Errors
/// The folder cannot be written.
pub fn mark(dir: &Path, size: u64) -> anyhow::Result<()> {
    let path = dir.join(MARK);
    fs::write(&path, format!("{size}\n")).with_context(|| format!("writing {}", path.display()))
}

/// Whether the log may be opened.
///
/// # Errors
/// It was put back from a backup, and nobody has vouched for its end yet.
pub fn check(dir: &Path) -> anyhow::Result<()> {
    let Ok(size) = fs::read_to_string(dir.join(MARK)) else {
        return Ok(());
    };
    let size = size.trim();
    bail!(
        "Sổ cái được khôi phục từ bản sao lưu với {size} mục và chưa được xác nhận là bản mới nhất. Chạy `motcua ledger resume` (docs/operations.md). / \
         the transparency log was restored with {size} entries, and nobody has vouched that no more were written: run \
         `motcua ledger resume` (docs/operations.md) [ledger-restored]"
    )
}

/// Compares the log that was put back with checkpoints that others have of it, and lets it go on if it is not behind any. With
/// none, `vouched` must say that nothing was written after the backup.
///
/// # Errors
/// Another checkpoint has more entries or another history, is not signed by this log's key, or cannot be read.
pub fn resume(config: &Config, known: &[(String, Vec<u8>)], vouched: bool) -> anyhow::Result<u64> {
    if known.is_empty() && !vouched {
        bail!("either --known, the newest checkpoints that others have, or --nothing-was-written-after");
    }
    // Reads the log whole, and checks every checkpoint in it.
    let opened = super::open_restored(config)?;
    let size = opened.log.size();
    for (from, note) in known {
        let checkpoint = signed(note, &opened.keys).with_context(|| format!("the checkpoint from {from}"))?;
        let theirs = checkpoint.checkpoint();
        if theirs.origin != opened.log.origin() {
            bail!("{from} is a checkpoint of another log, {}", theirs.origin);
        }
        if theirs.size > size {
            bail!(
                "{from}: nơi khác biết {} mục, bản khôi phục chỉ có {size}; ghi tiếp sẽ làm sổ cái có hai lịch sử. / others know {} \
                 entries, the backup has {size}: going on would fork the log. Restore a later backup, or begin a log of another name \
                 (docs/operations.md) [ledger-restored-behind]",
                theirs.size,
                theirs.size
            );
        }
        if opened.log.root(theirs.size)? != theirs.root {
            bail!(
                "{from}: ở {} mục có hai lịch sử khác nhau. / there are two histories of {} entries [ledger-restored-forked]",
                theirs.size,
                theirs.size
            );
        }
    }
    let path = config.data.join("ledger").join(MARK);
    if path.exists() {
        fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
    }
    Ok(size)
}

fn signed(note: &[u8], keys: &[VerifierKey]) -> anyhow::Result<SignedCheckpoint> {
    let checkpoint = SignedCheckpoint::parse(note)?;
    if keys.iter().any(|key| checkpoint.verify(key).is_ok()) {
        Ok(checkpoint)
    } else {
        bail!("it is not signed by the key of this log")
    }
}
