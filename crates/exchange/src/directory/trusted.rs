//! What a follower believes, and what may change its mind. No I/O: every rule against rollback, freeze and mix-and-match
//! is here.

use std::sync::Arc;

use base::Timestamp;

use super::{
    format::{Digest, Edition, EditionRef, Root, Stamp},
    refusal::Refusal,
    seal::Sealed,
};
use crate::model::federation::{Directory, Freshness, View};

/// How far the clock of the publisher may be ahead of ours, in seconds.
const SKEW: i64 = 300;

/// A root that is believed, and the newest edition that was verified under it or one before.
#[derive(Debug, Clone)]
pub struct Trusted {
    root: Root,
    fingerprint: Digest,
    held: Option<Held>,
}

/// An edition that was taken, with the stamp that vouched for it.
#[derive(Debug, Clone)]
pub struct Held {
    /// The stamp.
    pub stamp: Sealed<Stamp>,
    /// The edition.
    pub edition: Sealed<Edition>,
    /// What it says.
    pub view: Arc<View>,
}

impl Trusted {
    /// Begins with a root whose fingerprint somebody compared.
    ///
    /// # Errors
    /// [`Refusal::OtherRoot`], or what is wrong with the root itself.
    pub fn pinned(root: &[u8], fingerprint: Digest) -> Result<Self, Refusal> {
        let found = Digest::of(root);
        if found != fingerprint {
            return Err(Refusal::OtherRoot {
                expected: fingerprint,
                found,
            });
        }
        let sealed = Sealed::<Root>::read(root)?;
        Root::verify_first(&sealed)?;
        Ok(Self {
            root: sealed.into_body(),
            fingerprint,
            held: None,
        })
    }

    /// The root in force.
    pub const fn root(&self) -> &Root {
        &self.root
    }

    /// SHA-256 of its file.
    pub const fn fingerprint(&self) -> Digest {
        self.fingerprint
    }

    /// What is held.
    pub const fn held(&self) -> Option<&Held> {
        self.held.as_ref()
    }

    /// Takes the root that follows.
    ///
    /// # Errors
    /// [`Refusal::RootChain`], [`Refusal::TooFewKeys`] of the old or the new keys, [`Refusal::WrongSignature`] …
    pub fn next_root(&mut self, root: &[u8]) -> Result<(), Refusal> {
        let sealed = Sealed::<Root>::read(root)?;
        self.root.verify_next(&sealed)?;
        self.root = sealed.into_body();
        self.fingerprint = Digest::of(root);
        Ok(())
    }

    /// Judges a stamp that a mirror gives.
    ///
    /// # Errors
    /// [`Refusal::RootHidden`], [`Refusal::RolledBack`], [`Refusal::Forked`], [`Refusal::Frozen`], [`Refusal::Clock`],
    /// or what is wrong with its signatures.
    pub fn stamp(&self, bytes: &[u8], now: Timestamp) -> Result<Sealed<Stamp>, Refusal> {
        let sealed = Sealed::<Stamp>::read(bytes)?;
        self.root.verify_stamp(&sealed)?;
        let stamp = sealed.body();
        if stamp.root > self.root.version {
            return Err(Refusal::RootHidden {
                ours: self.root.version,
                said: stamp.root,
            });
        }
        // What was signed by keys that the root has since struck off binds no more: whoever stole them could have
        // signed the highest number there is.
        if let Some(held) = &self.held {
            if self.root.verify_stamp(&held.stamp).is_ok() {
                not_older(held.stamp.body().version, stamp.version, *held.stamp.body() == *stamp)?;
            }
            if self.root.verify_edition(&held.edition).is_ok() {
                let known = held.stamp.body().edition;
                not_older(known.version, stamp.edition.version, known == stamp.edition)?;
            }
        }
        if stamp.issued > now.plus_seconds(SKEW) {
            return Err(Refusal::Clock(stamp.issued));
        }
        in_force(self.root.expires, now)?;
        in_force(stamp.expires, now)?;
        Ok(sealed)
    }

    /// Judges the edition that a stamp names.
    ///
    /// # Errors
    /// [`Refusal::Mixed`] for another one, [`Refusal::Frozen`], or what is wrong with its signatures.
    pub fn edition(&self, named: &EditionRef, bytes: &[u8], now: Timestamp) -> Result<Sealed<Edition>, Refusal> {
        let sealed = named_edition(named, bytes)?;
        self.root.verify_edition(&sealed)?;
        in_force(sealed.body().expires, now)?;
        Ok(sealed)
    }

    /// Holds an edition from now on.
    pub fn hold(&mut self, held: Held) {
        self.held = Some(held);
    }

    /// Takes back what this node itself had kept. It was judged when it came; now only that it is whole is asked, so that
    /// a node goes on after it has run out.
    ///
    /// # Errors
    /// [`Refusal`] when the files do not belong together, or no root of the chain vouches for them.
    pub fn restore(&mut self, roots: &[Root], stamp: &[u8], edition: &[u8], directory: &[u8]) -> Result<(), Refusal> {
        let stamp = Sealed::<Stamp>::read(stamp)?;
        let edition = named_edition(&stamp.body().edition, edition)?;
        let vouches = |root: &&Root| root.verify_stamp(&stamp).is_ok() && root.verify_edition(&edition).is_ok();
        roots.iter().find(vouches).ok_or(Refusal::WrongSignature)?;
        let view = directory_of(edition.body(), directory)?;
        self.hold(Held { stamp, edition, view });
        Ok(())
    }

    /// When what is held runs out: at the earliest of its stamp, its edition and the root.
    pub fn runs_out(&self) -> Option<Timestamp> {
        let held = self.held.as_ref()?;
        let earliest = held.stamp.body().expires.min(held.edition.body().expires);
        Some(earliest.min(self.root.expires))
    }

    /// How old what is held is. `grace` is for how many seconds a node goes on with members that it has met.
    pub fn freshness(&self, now: Timestamp, grace: i64) -> Option<Freshness> {
        let since = self.runs_out()?;
        let until = since.plus_seconds(grace);
        Some(if now < since {
            Freshness::Fresh
        } else if now < until {
            Freshness::Stale { since, until }
        } else {
            Freshness::Expired { since }
        })
    }
}

/// Reads the directory of an edition.
///
/// # Errors
/// [`Refusal::Mixed`] when it is another one, [`Refusal::Contents`] when it contradicts itself.
pub fn directory_of(edition: &Edition, bytes: &[u8]) -> Result<Arc<View>, Refusal> {
    if Digest::of(bytes) != edition.directory.sha256 || bytes.len() as u64 != edition.directory.bytes {
        return Err(Refusal::Mixed("directory"));
    }
    let directory: Directory = serde_json::from_slice(bytes).map_err(|_| Refusal::Malformed("directory"))?;
    if directory.version != edition.version || directory.instance != edition.instance {
        return Err(Refusal::Mixed("directory"));
    }
    View::new(directory).map(Arc::new).map_err(Refusal::Contents)
}

fn named_edition(named: &EditionRef, bytes: &[u8]) -> Result<Sealed<Edition>, Refusal> {
    if Digest::of(bytes) != named.sha256 || bytes.len() as u64 != named.bytes {
        return Err(Refusal::Mixed("edition"));
    }
    let sealed = Sealed::<Edition>::read(bytes)?;
    if sealed.body().version == named.version {
        Ok(sealed)
    } else {
        Err(Refusal::Mixed("edition"))
    }
}

fn not_older(known: u64, offered: u64, same: bool) -> Result<(), Refusal> {
    if offered < known {
        return Err(Refusal::RolledBack { known, offered });
    }
    if offered == known && !same {
        return Err(Refusal::Forked(known));
    }
    Ok(())
}

fn in_force(expires: Timestamp, now: Timestamp) -> Result<(), Refusal> {
    if now < expires {
        Ok(())
    } else {
        Err(Refusal::Frozen(expires))
    }
}
