//! Files that are whole or absent, whenever the machine stops.

use std::{
    fs,
    io::{ErrorKind, Read, Write},
    path::{Path, PathBuf},
};

use super::refusal::Refusal;

/// Puts `bytes` in the place of a file, making its folder: written beside, synced, renamed.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), Refusal> {
    let write = || {
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let draft = beside(path);
        let mut file = fs::File::create(&draft)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&draft, path)?;
        fs::File::open(folder)?.sync_all()
    };
    write().map_err(|error: std::io::Error| Refusal::disk(path, &error))
}

/// Writes a file that never changes once it is there.
pub fn keep(path: &Path, bytes: &[u8]) -> Result<(), Refusal> {
    if path.exists() { Ok(()) } else { replace(path, bytes) }
}

/// Reads a file of at most `most` bytes; none when it is not there.
pub fn read(path: &Path, most: u64) -> Result<Option<Vec<u8>>, Refusal> {
    let read = || {
        let mut bytes = Vec::new();
        fs::File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
        Ok::<_, std::io::Error>(bytes)
    };
    match read() {
        Ok(bytes) if bytes.len() as u64 > most => Err(Refusal::TooLarge(most)),
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Refusal::disk(path, &error)),
    }
}

/// Reads a file that must be there.
pub fn must_read(path: &Path, most: u64) -> Result<Vec<u8>, Refusal> {
    read(path, most)?.ok_or_else(|| Refusal::Absent(path.display().to_string()))
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{:016x}.new", rand::random::<u64>()));
    name.into()
}
