//! The audit of a folder, by whoever keeps the log or has a copy.

use std::path::Path;

use super::{Finding, Known, Report};
use crate::{
    checkpoint::SignedCheckpoint,
    commitment::Commitment,
    error::{Error, Result},
    files,
    hash::Hash,
    log::Tail,
    policy::Policy,
    segments::{Content, Flaw, Head, Header, Scan, Segment, Step},
    tiles::{self, Disk, TILE_WIDTH, TileId, TilePath},
    tree::Edge,
};

/// Audits the folder of a log: every frame, every record against its commitment, every checkpoint, every tile; and `known`,
/// checkpoints that others kept, beside the cosigned one in the folder. Reads everything once; memory does not grow with the
/// log. The log should be closed, or the folder a copy.
///
/// # Errors
/// [`Error::Io`] when the folder cannot be read. What is wrong with the log is in the report.
pub fn directory(dir: &Path, policy: &Policy, known: &[SignedCheckpoint]) -> Result<Report> {
    let mut report = Report::default();
    let path = dir.join("cosigned");
    let cosigned = files::read(&path).map_err(Error::io("reading", &path))?;
    let cosigned = cosigned.and_then(|bytes| SignedCheckpoint::parse(&bytes).ok());
    let known = Known::new(known.iter().chain(&cosigned), policy, &mut report);
    match walk(dir, policy, known, &mut report) {
        Err(Error::Damaged(damage)) => report.find(damage.into()),
        result => result?,
    }
    Ok(report)
}

fn walk(dir: &Path, policy: &Policy, mut known: Known<'_>, report: &mut Report) -> Result<()> {
    let mut walk = Walk {
        policy,
        disk: Disk::new(dir),
        edge: Edge::default(),
        tail: Tail::default(),
        sound: true,
        batch: Vec::new(),
    };
    known.meet(&walk.edge, report);
    for segment in Segment::list(&dir.join("segments"))? {
        let edge = segment.edge()?;
        if edge != walk.edge {
            // Either the last segment could not be read to its end, or one is missing or was exchanged.
            if walk.sound {
                let (from, to) = (walk.edge.size(), edge.size());
                report.find(Finding::AlteredWithin { from, to });
            }
            walk.edge = edge;
            walk.tail = Tail::load(walk.edge.size(), &walk.disk)
                .ok()
                .flatten()
                .unwrap_or_default();
            walk.sound = true;
        }
        walk.segment(&segment, &mut known, report)?;
        let (known_size, size) = (segment.confirmed()?, walk.edge.size());
        if walk.sound && known_size > size {
            report.find(Finding::Dropped { known_size, size });
        }
    }
    report.size = walk.edge.size();
    known.end(report.size, report);
    Ok(())
}

/// Whether a flawed frame, where entry `next` or the checkpoint before it should stand, is of a batch that nobody was told of.
fn is_torn(segment: &Segment, offset: u64, head: &Head, next: u64) -> Result<bool> {
    Ok(match head.content {
        Content::Entry => !segment.was_acknowledged(offset, next)?,
        // Its entries are confirmed together with it.
        Content::Checkpoint => next > segment.header.first && !segment.was_acknowledged(offset, next - 1)?,
    })
}

struct Walk<'a> {
    policy: &'a Policy,
    disk: Disk,
    edge: Edge,
    tail: Tail,
    /// Whether the tree is still the one that was signed.
    sound: bool,
    batch: Vec<Commitment>,
}

impl Walk<'_> {
    fn segment(&mut self, segment: &Segment, known: &mut Known<'_>, report: &mut Report) -> Result<()> {
        let mut scan = Scan::new(segment)?;
        let mut whole = Header::BYTES as u64;
        self.batch.clear();
        loop {
            let next = self.edge.size() + self.batch.len() as u64;
            match scan.step()? {
                Step::End => break,
                Step::Bad { offset, flaw } => {
                    if flaw != Flaw::Short && segment.was_acknowledged(offset, next)? {
                        self.lose(segment.damage(offset, next, flaw), report);
                        return Ok(());
                    }
                    break;
                }
                Step::Frame {
                    offset,
                    head,
                    flaw: Some(_),
                    ..
                } if is_torn(segment, offset, &head, next)? => break,
                Step::Frame { offset, head, body, .. } if head.content == Content::Entry && head.at == next => {
                    match segment.stored(offset, &head, body) {
                        Ok(stored) => report.erased += u64::from(stored.opening.is_none()),
                        Err(_) => report.find(Finding::Altered { index: next }),
                    }
                    self.batch.extend(head.commitment());
                }
                Step::Frame {
                    offset,
                    head,
                    body,
                    flaw,
                } if head.content == Content::Checkpoint && head.at == next => {
                    match SignedCheckpoint::parse(body) {
                        Ok(checkpoint) if flaw.is_none() => self.checkpoint(&checkpoint, known, report),
                        _ => {
                            report.damaged(segment.damage(offset, next, Flaw::Body));
                            let leaves = self.leaves();
                            self.take(leaves, known, report);
                        }
                    }
                    whole = scan.offset();
                }
                Step::Frame { offset, .. } => {
                    self.lose(segment.damage(offset, next, Flaw::Order), report);
                    return Ok(());
                }
            }
        }
        report.unfinished = scan.offset() + scan.rest()? - whole;
        Ok(())
    }

    /// The rest of the segment cannot be read.
    fn lose(&mut self, damage: Error, report: &mut Report) {
        self.sound = false;
        report.damaged(damage);
    }

    fn leaves(&self) -> Vec<Hash> {
        self.batch.iter().map(Commitment::leaf).collect()
    }

    /// Takes in the batch that `checkpoint` ends.
    fn checkpoint(&mut self, checkpoint: &SignedCheckpoint, known: &mut Known<'_>, report: &mut Report) {
        let from = self.edge.size();
        let to = from + self.batch.len() as u64;
        let mut leaves = self.leaves();
        let fits = |leaves: &[Hash]| {
            let mut edge = self.edge.clone();
            edge.grow(leaves.to_vec());
            checkpoint.checkpoint().size == to && checkpoint.checkpoint().root == edge.root()
        };
        report.checkpoints += 1;
        if let Err(refusal) = self.policy.signed_by_log(checkpoint) {
            report.find(Finding::BadSignature { size: to, refusal });
        } else if self.sound && !fits(&leaves) {
            match self.signed_leaves(from, to, &leaves).filter(|signed| fits(signed)) {
                Some(signed) => {
                    for ((index, here), there) in (from..).zip(&leaves).zip(&signed) {
                        if here != there {
                            report.find(Finding::Altered { index });
                        }
                    }
                    leaves = signed;
                }
                None => {
                    self.sound = false;
                    report.find(Finding::AlteredWithin { from, to });
                }
            }
        }
        self.take(leaves, known, report);
    }

    fn take(&mut self, leaves: Vec<Hash>, known: &mut Known<'_>, report: &mut Report) {
        let to = self.edge.size() + leaves.len() as u64;
        if known.next().is_some_and(|size| size < to) {
            let mut edge = self.edge.clone();
            for leaf in &leaves {
                edge.push(*leaf);
                known.meet(&edge, report);
            }
        }
        let growth = self.edge.grow(leaves);
        known.meet(&self.edge, report);
        let sound = self.sound;
        let disk = &self.disk;
        let compared = self.tail.extend(&growth, &self.batch, |path, bytes| {
            if sound && disk.read(path)?.as_deref() != Some(bytes) {
                report.find(Finding::Tile { path: path.to_string() });
            }
            Ok::<_, std::io::Error>(())
        });
        if compared.is_err() {
            report.find(Finding::Tile {
                path: "tile".to_owned(),
            });
        }
        self.batch.clear();
    }

    /// The leaf hashes of a batch by the tiles: what was signed, if an entry was altered later.
    fn signed_leaves(&self, from: u64, to: u64, leaves: &[Hash]) -> Option<Vec<Hash>> {
        let width = u64::from(TILE_WIDTH);
        let mut signed = leaves.to_vec();
        for index in from / width..to.div_ceil(width) {
            let tile = TileId {
                level: 0,
                index,
                width: TILE_WIDTH,
            };
            let hashes = tiles::decode_hashes(&self.disk.read(TilePath::Hashes(tile)).ok()??, TILE_WIDTH)?;
            for (at, hash) in (index * width..).zip(hashes).filter(|(at, _)| (from..to).contains(at)) {
                *signed.get_mut((at - from) as usize)? = hash;
            }
        }
        Some(signed)
    }
}
