//! Copying files of a running node, each with its digest.

use std::{
    fs::{self, File},
    io::{ErrorKind, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context as _, bail};
use indicatif::ProgressBar;
use sha2::{Digest as _, Sha256};

use super::manifest::{Sums, digest};

/// How often a folder is read that changes meanwhile.
const TRIES: usize = 10;
/// Bytes read at once.
const PIECE: usize = 1 << 20;

/// Copies out of the data of a node into a backup.
pub struct Copier<'a> {
    data: &'a Path,
    to: &'a Path,
    earlier: Option<(PathBuf, Sums)>,
    sums: Sums,
    bar: &'a ProgressBar,
}

/// A file in a folder, and how it was when it was listed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Listed {
    path: PathBuf,
    length: u64,
    changed: SystemTime,
}

impl<'a> Copier<'a> {
    pub fn new(data: &'a Path, to: &'a Path, earlier: Option<(PathBuf, Sums)>, bar: &'a ProgressBar) -> Self {
        Self {
            data,
            to,
            earlier,
            sums: Sums::default(),
            bar,
        }
    }

    /// The digests of everything that was copied or noted.
    ///
    /// # Errors
    /// The folder cannot be synced.
    pub fn finish(self) -> anyhow::Result<Sums> {
        File::open(self.to)?.sync_all()?;
        Ok(self.sums)
    }

    /// Copies one file to `name` in the backup.
    ///
    /// # Errors
    /// It cannot be read, or the backup cannot be written.
    pub fn file(&mut self, source: &Path, name: &str) -> anyhow::Result<()> {
        let sum = copy_file(source, &self.to.join(name), &mut |bytes| self.bar.inc(bytes))?;
        self.sums.insert(name.to_owned(), sum);
        Ok(())
    }

    /// Copies a folder of the data as it was at one moment: when something changed meanwhile, once more. Its files are few
    /// and seldom change.
    ///
    /// # Errors
    /// As [`Self::file`]; it does not stop changing.
    pub fn folder(&mut self, name: &str) -> anyhow::Result<()> {
        let source = self.data.join(name);
        if !source.is_dir() {
            return Ok(());
        }
        for _ in 0..TRIES {
            let before = listing(&source)?;
            let copied = self.listed(&source, name, &before);
            if listing(&source)? == before {
                return copied;
            }
        }
        bail!("{} does not stop changing", source.display())
    }

    fn listed(&mut self, source: &Path, name: &str, files: &[Listed]) -> anyhow::Result<()> {
        let target = self.to.join(name);
        if target.exists() {
            fs::remove_dir_all(&target).with_context(|| format!("removing {}", target.display()))?;
        }
        self.sums = self.sums.without(name);
        for listed in files {
            let place = text(&Path::new(name).join(&listed.path))?;
            self.file(&source.join(&listed.path), &place)?;
        }
        Ok(())
    }

    /// Copies the stored files, whose names are digests of what they say: what is there under its name is the same.
    ///
    /// # Errors
    /// As [`Self::file`].
    pub fn blobs(&mut self, name: &str) -> anyhow::Result<()> {
        let source = self.data.join(name);
        if !source.is_dir() {
            return Ok(());
        }
        for path in blob_names(&source)? {
            let place = text(&Path::new(name).join(&path))?;
            let (from, to) = (source.join(&path), self.to.join(&place));
            self.bar.inc_length(fs::metadata(&from).map_or(0, |m| m.len()));
            if !to.exists() && !self.link(&place, &to)? {
                match self.file(&from, &place) {
                    // It was removed with its row since the folder was read.
                    Err(_) if !from.exists() => {}
                    copied => copied?,
                }
            } else if self.sums.get(&place).is_none() {
                // An interrupted backup left it, whole: it gets its name last.
                let sum = digest(&to, &mut |bytes| self.bar.inc(bytes))?;
                self.sums.insert(place, sum);
            }
        }
        Ok(())
    }

    /// Takes a file over from the earlier backup, if that has it and the disk allows.
    fn link(&mut self, place: &str, to: &Path) -> anyhow::Result<bool> {
        let Some((folder, sums)) = &self.earlier else {
            return Ok(false);
        };
        let Some(sum) = sums.get(place).cloned() else {
            return Ok(false);
        };
        make_parent(to)?;
        if fs::hard_link(folder.join(place), to).is_err() {
            return Ok(false);
        }
        self.sums.insert(place.to_owned(), sum);
        Ok(true)
    }

    /// Notes the digest of a file that others put into the backup.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn note(&mut self, path: &Path) -> anyhow::Result<()> {
        let sum = digest(&self.to.join(path), &mut |_| {})?;
        self.sums.insert(text(path)?, sum);
        Ok(())
    }

    /// Notes all files of a folder of the backup.
    ///
    /// # Errors
    /// As [`Self::note`].
    pub fn note_folder(&mut self, name: &str) -> anyhow::Result<()> {
        for listed in listing(&self.to.join(name))? {
            self.note(&Path::new(name).join(listed.path))?;
        }
        Ok(())
    }
}

/// Copies a file, for its owner only: written beside, synced, renamed. Gives its SHA-256, hex.
///
/// # Errors
/// Names the file that cannot be read or written.
pub fn copy_file(source: &Path, to: &Path, progress: &mut dyn FnMut(u64)) -> anyhow::Result<String> {
    make_parent(to)?;
    let mut draft = to.as_os_str().to_owned();
    draft.push(".draft");
    let draft = PathBuf::from(draft);
    let mut from = File::open(source).with_context(|| format!("reading {}", source.display()))?;
    let write = |from: &mut File| -> std::io::Result<String> {
        let mut options = File::options();
        let mut file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&draft)?;
        let mut hash = Sha256::new();
        let mut piece = vec![0; PIECE];
        loop {
            let read = from.read(&mut piece)?;
            if read == 0 {
                break;
            }
            hash.update(&piece[..read]);
            file.write_all(&piece[..read])?;
            progress(read as u64);
        }
        file.sync_all()?;
        fs::rename(&draft, to)?;
        Ok(hex::encode(hash.finalize()))
    };
    let mut write = write;
    write(&mut from).with_context(|| format!("copying {} to {}", source.display(), to.display()))
}

/// Makes a folder that only its owner sees.
///
/// # Errors
/// The disk.
pub fn private_folder(folder: &Path) -> anyhow::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("making {}", folder.display()))
}

fn make_parent(path: &Path) -> anyhow::Result<()> {
    path.parent().map_or(Ok(()), private_folder)
}

/// All files below a folder, but bodies on their way and drafts.
fn listing(folder: &Path) -> anyhow::Result<Vec<Listed>> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(below) = folders.pop() {
        let here = folder.join(&below);
        for entry in fs::read_dir(&here).with_context(|| format!("reading {}", here.display()))? {
            let entry = entry?;
            let path = below.join(entry.file_name());
            let metadata = match entry.metadata() {
                Ok(metadata) => metadata,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
            };
            let is_draft = path
                .extension()
                .is_some_and(|e| e == "new" || e == "draft" || e == "tmp");
            if metadata.is_dir() {
                if path != Path::new("spill") {
                    folders.push(path);
                }
            } else if !is_draft {
                found.push(Listed {
                    path,
                    length: metadata.len(),
                    changed: metadata.modified()?,
                });
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The stored files below a folder: `ab/cd/abcd…`, and those of one row each, `own/ef/…ef`.
fn blob_names(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let is_named = |name: &str| matches!(name.len(), 64 | 32) && name.bytes().all(|b| b.is_ascii_hexdigit());
    let all = listing(folder)?.into_iter().map(|listed| listed.path);
    Ok(all
        .filter(|path| path.file_name().and_then(|n| n.to_str()).is_some_and(is_named))
        .collect())
}

/// A path as the list of files has it.
fn text(path: &Path) -> anyhow::Result<String> {
    let text = path.to_str().filter(|text| !text.contains(['\n', '\\']));
    Ok(text
        .with_context(|| format!("{} has a name that a backup cannot list", path.display()))?
        .to_owned())
}
