//! Rows with the same key, found in bounded memory: hashes go to a file, which is sorted in parts and merged.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    fs::File,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::{self, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use base::{Error, Result};

/// A hash of 128 bits and a line. Two different keys of one hash would be reported as double; with a thousand million rows
/// the odds are one in 10^20.
type Record = (u128, u64);
/// Bytes of one on disk.
const SIZE: usize = 24;

/// The keys of a file, on disk: as hashes, which tell nothing of them.
#[derive(Debug)]
pub struct Keys {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Keys {
    /// Makes the file.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn create(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            file: BufWriter::new(super::output::create(path)?),
        })
    }

    /// Goes on with a file that has `bytes` of keys.
    pub(super) fn resume(path: &Path, bytes: u64) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            file: BufWriter::new(super::output::reopen(path, bytes)?),
        })
    }

    /// Adds the key of a line.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn add(&mut self, key: &[String], line: u64) -> io::Result<()> {
        let half = |salt: u8| {
            let mut hasher = DefaultHasher::new();
            salt.hash(&mut hasher);
            key.hash(&mut hasher);
            hasher.finish()
        };
        self.file.write_all(&half(0).to_le_bytes())?;
        self.file.write_all(&half(1).to_le_bytes())?;
        self.file.write_all(&line.to_le_bytes())
    }

    /// Writes out what is buffered; the number of bytes of keys.
    pub(super) fn flush(&mut self) -> io::Result<u64> {
        self.file.flush()?;
        Ok(self.file.get_ref().metadata()?.len())
    }

    /// Gives each line whose key an earlier line has, after the first line of it. The file of keys is used up; `memory` is in bytes.
    ///
    /// # Errors
    /// The first of `found`; the files cannot be read or written.
    pub fn duplicates(mut self, memory: usize, found: &mut dyn FnMut(u64, u64) -> Result<()>) -> Result<()> {
        self.flush().map_err(Error::internal)?;
        let runs = self
            .sorted_runs(memory / size_of::<Record>())
            .map_err(Error::internal)?;
        let merged = merge(&runs, found);
        for run in &runs {
            std::fs::remove_file(run).map_err(Error::internal)?;
        }
        std::fs::remove_file(&self.path).map_err(Error::internal)?;
        merged
    }

    fn sorted_runs(&self, records: usize) -> io::Result<Vec<PathBuf>> {
        let records = records.max(2);
        let mut input = BufReader::new(File::open(&self.path)?);
        let mut runs = Vec::new();
        loop {
            let mut part = Vec::with_capacity(records);
            while part.len() < records
                && let Some(record) = next(&mut input)?
            {
                part.push(record);
            }
            if part.is_empty() {
                return Ok(runs);
            }
            part.sort_unstable();
            let run = self.path.with_extension(format!("run{}", runs.len()));
            let mut out = BufWriter::new(super::output::create(&run)?);
            for (hash, line) in part {
                out.write_all(&hash.to_le_bytes())?;
                out.write_all(&line.to_le_bytes())?;
            }
            out.flush()?;
            runs.push(run);
        }
    }
}

fn next(input: &mut impl Read) -> io::Result<Option<Record>> {
    let mut bytes = [0; SIZE];
    match input.read_exact(&mut bytes) {
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(e) => return Err(e),
    }
    let (hash, line) = bytes.split_at(16);
    let parts = hash.try_into().ok().zip(line.try_into().ok());
    Ok(parts.map(|(hash, line)| (u128::from_le_bytes(hash), u64::from_le_bytes(line))))
}

fn merge(runs: &[PathBuf], found: &mut dyn FnMut(u64, u64) -> Result<()>) -> Result<()> {
    let open = |run: &PathBuf| Ok(BufReader::with_capacity(32 * 1024, File::open(run)?));
    let mut inputs: Vec<BufReader<File>> = runs
        .iter()
        .map(open)
        .collect::<io::Result<_>>()
        .map_err(Error::internal)?;
    let mut heap = BinaryHeap::new();
    for (n, input) in inputs.iter_mut().enumerate() {
        heap.extend(next(input).map_err(Error::internal)?.map(|record| Reverse((record, n))));
    }
    let mut first: Option<Record> = None;
    while let Some(Reverse(((hash, line), n))) = heap.pop() {
        match first {
            Some((same, earlier)) if same == hash => found(earlier, line)?,
            _ => first = Some((hash, line)),
        }
        if let Some(input) = inputs.get_mut(n) {
            heap.extend(next(input).map_err(Error::internal)?.map(|record| Reverse((record, n))));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn double_keys_are_found_across_runs() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys");
        let mut keys = Keys::create(&path).expect("a file");
        for line in 0..1000_u64 {
            keys.add(&[format!("k{}", line % 990), String::new()], line)
                .expect("written");
        }
        let mut found = Vec::new();
        keys.duplicates(64 * size_of::<Record>(), &mut |first, line| {
            found.push((first, line));
            Ok(())
        })
        .expect("sorted");
        found.sort_unstable();
        let wanted: Vec<(u64, u64)> = (0..10).map(|n| (n, n + 990)).collect();
        assert_eq!(found, wanted);
        assert_eq!(
            std::fs::read_dir(folder.path()).expect("a folder").count(),
            0,
            "nothing is left behind"
        );
    }
}
