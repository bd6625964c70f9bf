//! What a follower keeps, so that it starts without any mirror. The files lie as they are served, so the folder can be
//! served in its turn.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use super::super::{
    disk,
    format::{Digest, Edition, EditionRef, File, LONGEST_DIRECTORY, LONGEST_DOCUMENT, LONGEST_SEALED, Root, Stamp},
    refusal::Refusal,
    seal::Sealed,
    trusted::Trusted,
};
use crate::model::federation::Directory;

/// The root that somebody compared, before all that followed.
const PINNED: &str = "pinned";

/// The folder of a follower.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    pub fn pin(&self, root: &[u8]) -> Result<(), Refusal> {
        disk::replace(&self.0.join(PINNED), root)
    }

    /// What was believed when the node stopped. An edition that cannot be read is as none: it is fetched again.
    pub fn load(&self) -> Result<Trusted, Refusal> {
        let pinned = disk::must_read(&self.0.join(PINNED), LONGEST_SEALED)?;
        let mut trusted = Trusted::pinned(&pinned, Digest::of(&pinned))?;
        let mut roots: Vec<Root> = vec![trusted.root().clone()];
        while let Some(next) = self.read(File::Root(trusted.root().version + 1), LONGEST_SEALED)? {
            if let Err(refusal) = trusted.next_root(&next) {
                tracing::warn!(%refusal, "a root that was kept is damaged");
                break;
            }
            roots.push(trusted.root().clone());
        }
        if let Err(refusal) = self.restore(&mut trusted, &roots) {
            tracing::warn!(%refusal, "the edition that was kept cannot be used");
        }
        Ok(trusted)
    }

    fn restore(&self, trusted: &mut Trusted, roots: &[Root]) -> Result<(), Refusal> {
        let Some(stamp) = self.read(File::Timestamp, LONGEST_SEALED)? else {
            return Ok(());
        };
        let named = Sealed::<Stamp>::read(&stamp)?.body().edition;
        let edition = self.must_read(File::Edition(named), LONGEST_SEALED)?;
        let blob = Sealed::<Edition>::read(&edition)?.body().directory.sha256;
        let directory = self.must_read(File::Blob(blob), LONGEST_DIRECTORY)?;
        trusted.restore(roots, &stamp, &edition, &directory)
    }

    fn read(&self, file: File, most: u64) -> Result<Option<Vec<u8>>, Refusal> {
        disk::read(&self.0.join(file.path()), most)
    }

    fn must_read(&self, file: File, most: u64) -> Result<Vec<u8>, Refusal> {
        disk::must_read(&self.0.join(file.path()), most)
    }

    pub fn keep_root(&self, version: u64, root: &[u8]) -> Result<(), Refusal> {
        disk::replace(&self.0.join(File::Root(version).path()), root)
    }

    /// Keeps an edition: what the stamp names first, then the stamp; then what is no longer named goes.
    pub fn keep(&self, files: &Taken, directory: &Directory) -> Result<(), Refusal> {
        if let Some(bytes) = &files.directory {
            disk::replace(&self.0.join(File::Blob(files.blob).path()), bytes)?;
        }
        if let Some(bytes) = &files.edition {
            disk::replace(&self.0.join(File::Edition(files.named).path()), bytes)?;
        }
        disk::replace(&self.0.join(File::Timestamp.path()), &files.stamp)?;
        self.prune(files, directory);
        Ok(())
    }

    /// A document that was fetched before.
    pub fn document(&self, sha256: Digest) -> Option<Vec<u8>> {
        let found = self.read(File::Blob(sha256), LONGEST_DOCUMENT).ok()??;
        (Digest::of(&found) == sha256).then_some(found)
    }

    pub fn keep_document(&self, sha256: Digest, bytes: &[u8]) -> Result<(), Refusal> {
        disk::replace(&self.0.join(File::Blob(sha256).path()), bytes)
    }

    /// What stays behind is taken up at the next edition.
    fn prune(&self, files: &Taken, directory: &Directory) {
        let mut named = BTreeSet::from([File::Edition(files.named).path(), File::Blob(files.blob).path()]);
        let services = directory
            .members
            .iter()
            .flat_map(|member| &member.subsystems)
            .flat_map(|subsystem| &subsystem.services);
        named.extend(services.filter_map(|service| {
            let sha256 = service.description.as_ref()?.sha256.parse().ok()?;
            Some(File::Blob(sha256).path())
        }));
        for kind in ["edition", "blob"] {
            for entry in fs::read_dir(self.0.join(kind)).into_iter().flatten().flatten() {
                let name = format!("{kind}/{}", entry.file_name().to_string_lossy());
                if !named.contains(&name) {
                    let _ = fs::remove_file(entry.path());
                }
            }
        }
    }
}

/// The files of an edition that was taken; those that were there already are not repeated.
#[derive(Debug)]
pub struct Taken {
    pub stamp: Vec<u8>,
    pub named: EditionRef,
    pub edition: Option<Vec<u8>>,
    pub blob: Digest,
    pub directory: Option<Vec<u8>>,
}
