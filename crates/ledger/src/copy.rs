//! A copy of a log that others are writing: whole batches, up to a signed checkpoint.
//!
//! Segments grow at their end only, with one exception: an erasure overwrites a record in place. So a closed segment is taken
//! over from an earlier copy while its length and its time of change are the same, and every other one is read again, frame by
//! frame. Tiles and indexes are not copied: [`crate::Log::open`] makes them from the segments.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use crate::{
    checkpoint::SignedCheckpoint,
    error::{Error, Result},
    files,
    hash::Hash,
    segments::{Content, Flaw, Header, Scan, Segment, Step, another_batch_follows},
};

/// How often a segment is read again in which a record was just being erased, and after which pause.
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_millis(50);

/// What was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// The checkpoint with which the copy ends.
    pub checkpoint: SignedCheckpoint,
    /// The files of the copy, relative to its folder.
    pub files: Vec<PathBuf>,
}

/// Copies the log in the folder `from`, which may be open, to the folder `to`. What `to` has of an interrupted copy, or
/// `earlier` of a whole one, is not read again: from `earlier` it is linked where the disk allows. `progress` is told bytes: how
/// many are done, of how many. `None` when no log has begun in `from`.
///
/// Take the copy after that of everything which speaks of leaves: then it has them.
///
/// # Errors
/// [`Error::Damaged`] names what is not what was written; [`Error::Io`].
pub fn copy(
    from: &Path,
    to: &Path,
    earlier: Option<&Path>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Option<Copied>> {
    let (source, target) = (from.join("segments"), to.join("segments"));
    if !source.is_dir() {
        return Ok(None);
    }
    if Segment::list(&source)?.is_empty() {
        return Ok(None);
    }
    fs::create_dir_all(&target).map_err(Error::io("creating", &target))?;
    let mut copied = Vec::new();
    // Before the segments, so that they have what it speaks of.
    let cosigned = Path::new("cosigned");
    if let Some(bytes) = files::read(&from.join(cosigned)).map_err(Error::io("reading", from))? {
        files::replace(&to.join(cosigned), &bytes).map_err(Error::io("writing", to))?;
        copied.push(cosigned.to_owned());
    }
    let segments = Segment::list(&source)?;
    let length = |segment: &Segment| fs::metadata(segment.path()).map_or(0, |m| m.len());
    let of = segments.iter().map(length).sum();
    let (mut done, mut checkpoint) = (0, None);
    for (n, segment) in segments.iter().enumerate() {
        let name = Path::new("segments").join(segment.path().file_name().unwrap_or_default());
        let closed = n + 1 < segments.len();
        let place = to.join(&name);
        let known = earlier.map(|earlier| earlier.join(&name));
        if !(closed && take_over(segment.path(), &place, known.as_deref())?) {
            checkpoint = Some(copy_segment(segment, &place)?);
        }
        copied.push(name);
        done += length(segment);
        progress(done, of);
    }
    files::sync_parent(&target.join("segments")).map_err(Error::io("syncing", &target))?;
    let checkpoint = checkpoint.ok_or(Error::Closed)?;
    Ok(Some(Copied {
        checkpoint,
        files: copied,
    }))
}

/// Whether a closed segment is at `place` already, or was put there from an earlier copy.
fn take_over(segment: &Path, place: &Path, earlier: Option<&Path>) -> Result<bool> {
    let is_same = |other: &Path| -> Result<bool> {
        let (Ok(ours), Ok(theirs)) = (fs::metadata(segment), fs::metadata(other)) else {
            return Ok(false);
        };
        let changed = |m: &fs::Metadata| m.modified().map_err(Error::io("reading", segment));
        Ok(ours.len() == theirs.len() && changed(&ours)? == changed(&theirs)?)
    };
    if is_same(place)? {
        return Ok(true);
    }
    let Some(earlier) = earlier else { return Ok(false) };
    if !is_same(earlier)? {
        return Ok(false);
    }
    if place.exists() {
        fs::remove_file(place).map_err(Error::io("removing", place))?;
    }
    Ok(fs::hard_link(earlier, place).is_ok())
}

/// Copies a segment to its last checkpoint, with its time of change.
fn copy_segment(segment: &Segment, place: &Path) -> Result<SignedCheckpoint> {
    let draft = place.with_extension("draft");
    let mut tries = 0;
    let (end, checkpoint, changed) = loop {
        let metadata = fs::metadata(segment.path()).map_err(Error::io("reading", segment.path()))?;
        let changed = metadata.modified().map_err(Error::io("reading", segment.path()))?;
        let confirmed = segment.confirmed()?;
        fs::copy(segment.path(), &draft).map_err(Error::io("copying", segment.path()))?;
        match whole(&segment.copied_to(&draft), confirmed) {
            Ok((end, checkpoint)) => break (end, checkpoint, changed),
            // A record may just have been in the eraser's hands.
            Err(Error::Damaged(_)) if tries < TRIES => {
                tries += 1;
                thread::sleep(PAUSE);
            }
            Err(error) => return Err(error),
        }
    };
    let finish = || {
        let file = File::options().write(true).open(&draft)?;
        file.set_len(end)?;
        file.set_modified(changed)?;
        file.sync_all()?;
        fs::rename(&draft, place)
    };
    finish().map_err(Error::io("writing", place))?;
    Ok(checkpoint)
}

/// Reads the frames of a copy that was begun when the disk had confirmed so many entries; where its last whole batch ends, and the
/// checkpoint that ends it.
fn whole(copy: &Segment, confirmed: u64) -> Result<(u64, SignedCheckpoint)> {
    let mut edge = copy.edge()?;
    let mut leaves: Vec<Hash> = Vec::new();
    let mut last = None;
    let mut scan = Scan::new(copy)?;
    loop {
        let next = edge.size() + leaves.len() as u64;
        match scan.step()? {
            Step::End | Step::Bad { flaw: Flaw::Short, .. } => break,
            // Behind the last batch the writer may have been at work.
            Step::Bad { offset, flaw }
            | Step::Frame {
                offset,
                flaw: Some(flaw),
                ..
            } => {
                if confirmed > next || another_batch_follows(copy, offset, next)? {
                    return Err(copy.damage(offset, next, flaw));
                }
                break;
            }
            Step::Frame { offset, head, body, .. } => match (head.content, head.commitment()) {
                (Content::Entry, Some(commitment)) if head.at == next => leaves.push(commitment.leaf()),
                (Content::Checkpoint, _) if head.at == next => {
                    edge.grow(std::mem::take(&mut leaves));
                    let signed = SignedCheckpoint::parse(body).ok();
                    let fits = |c: &SignedCheckpoint| c.checkpoint().size == next && c.checkpoint().root == edge.root();
                    let signed = signed
                        .filter(fits)
                        .ok_or_else(|| copy.damage(offset, next, Flaw::Root))?;
                    last = Some((scan.offset(), signed));
                }
                _ => return Err(copy.damage(offset, next, Flaw::Order)),
            },
        }
    }
    last.ok_or_else(|| copy.damage(Header::BYTES as u64, copy.header.first, Flaw::Root))
}
