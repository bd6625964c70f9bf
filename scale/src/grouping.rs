//! What records share, counted on disk: values are parted over files by their hash, so that equal ones are in one file, and each
//! file is looked at by itself. Memory is that of one file, whatever the number of records.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use base::{Error, Result};
use twox_hash::XxHash64;

/// What is kept of a part in memory before it is appended to its file.
const PENDING: usize = 32 << 10;

/// The answer for a record that was not asked about, or that belongs to no group.
const NONE: u64 = u64::MAX;

/// The part of a record that has none.
const NO_PART: u16 = u16::MAX;

/// A value of a record, and what may divide the records that share it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The source of the record.
    pub source: u16,
    /// The value.
    pub key: Vec<u8>,
    /// Further values.
    pub dividing: Vec<Option<String>>,
}

/// A number of 63 bits for some bytes, the same in every run.
pub fn number_of(bytes: &[u8]) -> u64 {
    XxHash64::oneshot(0, bytes) >> 1
}

/// Gathers the values of record after record.
pub struct Grouping {
    folder: PathBuf,
    parts: Vec<Vec<u8>>,
    order: BufWriter<File>,
    entries: u64,
}

impl Grouping {
    /// Begins in a new folder.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(folder: PathBuf, parts: u16) -> Result<Self> {
        std::fs::create_dir(&folder).map_err(|error| at(&folder, &error))?;
        let order = folder.join("order");
        let order = File::create(&order).map_err(|error| at(&order, &error))?;
        Ok(Self {
            folder,
            parts: vec![Vec::new(); usize::from(parts.max(1))],
            order: BufWriter::new(order),
            entries: 0,
        })
    }

    /// Takes the value of the next record, if it has one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn push(&mut self, entry: Option<&Entry>) -> Result<()> {
        let mut part_of_entry = NO_PART;
        if let Some(entry) = entry {
            // Another seed than that of the numbers, which make buckets.
            let part = XxHash64::oneshot(1, &entry.key) % self.parts.len() as u64;
            part_of_entry = part as u16;
            self.entries += 1;
            if let Some(pending) = self.parts.get_mut(part as usize) {
                put(pending, entry);
                if pending.len() >= PENDING {
                    append(&part_file(&self.folder, part as usize), pending)?;
                }
            }
        }
        let order = self.folder.join("order");
        self.order
            .write_all(&part_of_entry.to_le_bytes())
            .map_err(|error| at(&order, &error))
    }

    /// How many values there were.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Has `decide` look at the values part by part, all equal ones together, and keeps what it answers for each.
    ///
    /// # Errors
    /// When the folder cannot be written or read; what `decide` returns.
    pub fn answer(mut self, mut decide: impl FnMut(&[Entry]) -> Result<Vec<Option<u64>>>) -> Result<Answers> {
        let order = self.folder.join("order");
        self.order.flush().map_err(|error| at(&order, &error))?;
        let mut parts = Vec::new();
        for (n, pending) in self.parts.iter_mut().enumerate() {
            let path = part_file(&self.folder, n);
            append(&path, pending)?;
            let entries = read_entries(&path).map_err(|error| at(&path, &error))?;
            let answers = decide(&entries)?;
            let numbers: Vec<u8> = answers
                .iter()
                .flat_map(|answer| answer.unwrap_or(NONE).to_le_bytes())
                .collect();
            std::fs::write(&path, numbers).map_err(|error| at(&path, &error))?;
            let file = File::open(&path).map_err(|error| at(&path, &error))?;
            parts.push(BufReader::with_capacity(4 << 10, file));
        }
        // In the order of the records, so that they are read without looking anything up.
        let path = self.folder.join("answers");
        let mut merge = || -> io::Result<()> {
            let mut out = BufWriter::new(File::create(&path)?);
            let mut order = BufReader::new(File::open(&order)?);
            while let Some(part) = next(&mut order)? {
                let part = usize::from(u16::from_le_bytes(part));
                let answer = match parts.get_mut(part) {
                    Some(part) => next(part)?.map_or(NONE, u64::from_le_bytes),
                    None => NONE,
                };
                out.write_all(&answer.to_le_bytes())?;
            }
            out.flush()
        };
        merge().map_err(|error| at(&path, &error))?;
        for n in 0..parts.len() {
            let path = part_file(&self.folder, n);
            std::fs::remove_file(&path).map_err(|error| at(&path, &error))?;
        }
        Ok(Answers(path))
    }
}

/// An answer for each record.
pub struct Answers(PathBuf);

impl Answers {
    /// Reads them from the first on.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn read(&self) -> Result<Reading> {
        let file = File::open(&self.0).map_err(|error| at(&self.0, &error))?;
        Ok(Reading {
            path: self.0.clone(),
            file: BufReader::new(file),
        })
    }
}

/// Answers, one record after the other.
pub struct Reading {
    path: PathBuf,
    file: BufReader<File>,
}

impl Reading {
    /// The answer for the next record.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn next_answer(&mut self) -> Result<Option<u64>> {
        let bytes = next(&mut self.file).map_err(|error| at(&self.path, &error))?;
        Ok(bytes.map(u64::from_le_bytes).filter(|answer| *answer != NONE))
    }
}

fn part_file(folder: &Path, part: usize) -> PathBuf {
    folder.join(format!("part-{part}"))
}

fn append(path: &Path, pending: &mut Vec<u8>) -> Result<()> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.and_then(|mut file| file.write_all(pending))
        .map_err(|error| at(path, &error))?;
    pending.clear();
    Ok(())
}

fn put(out: &mut Vec<u8>, entry: &Entry) {
    out.extend(entry.source.to_le_bytes());
    out.extend((entry.key.len() as u32).to_le_bytes());
    out.extend(&entry.key);
    out.push(entry.dividing.len() as u8);
    for value in &entry.dividing {
        let length = value.as_ref().map_or(u32::MAX, |text| text.len() as u32);
        out.extend(length.to_le_bytes());
        out.extend(value.iter().flat_map(|text| text.bytes()));
    }
}

fn read_entries(path: &Path) -> io::Result<Vec<Entry>> {
    let mut file = BufReader::new(File::open(path)?);
    let mut entries = Vec::new();
    while let Some(source) = next(&mut file)? {
        let length = u32::from_le_bytes(exactly(&mut file)?);
        let key = bytes(&mut file, length)?;
        let [count] = exactly(&mut file)?;
        let mut dividing = Vec::with_capacity(usize::from(count));
        for _ in 0..count {
            dividing.push(match u32::from_le_bytes(exactly(&mut file)?) {
                u32::MAX => None,
                length => Some(String::from_utf8(bytes(&mut file, length)?).map_err(io::Error::other)?),
            });
        }
        entries.push(Entry {
            source: u16::from_le_bytes(source),
            key,
            dividing,
        });
    }
    Ok(entries)
}

/// So many bytes, or none at the end of a file.
fn next<const N: usize>(file: &mut impl Read) -> io::Result<Option<[u8; N]>> {
    let mut bytes = [0; N];
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest)? {
            0 if filled == 0 => return Ok(None),
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => filled += n,
        }
    }
    Ok(Some(bytes))
}

fn exactly<const N: usize>(file: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn bytes(file: &mut impl Read, length: u32) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length as usize];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn at(path: &Path, error: &io::Error) -> Error {
    Error::internal(format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_back_in_the_order_of_the_records() -> Result<()> {
        let folder = tempfile::tempdir().map_err(Error::internal)?;
        let mut grouping = Grouping::new(folder.path().join("g"), 7)?;
        // Far more than what is kept in memory, so that files are appended to.
        let keys: Vec<Option<u32>> = (0..40_000).map(|n| (n % 5 != 0).then_some(n % 1_013)).collect();
        for key in &keys {
            let entry = key.map(|key| Entry {
                source: 1,
                key: key.to_string().into_bytes(),
                dividing: vec![None, Some(format!("{key} đ"))],
            });
            grouping.push(entry.as_ref())?;
        }
        assert_eq!(grouping.entries(), 32_000);
        let mut seen = std::collections::BTreeSet::new();
        let answers = grouping.answer(|entries| {
            for entry in entries {
                let key = String::from_utf8_lossy(&entry.key).into_owned();
                assert_eq!(entry.dividing, [None, Some(format!("{key} đ"))]);
            }
            let here: std::collections::BTreeSet<_> = entries.iter().map(|e| e.key.clone()).collect();
            assert!(seen.is_disjoint(&here), "equal values are in one part");
            seen.extend(here);
            let key = |entry: &Entry| String::from_utf8_lossy(&entry.key).parse().ok();
            Ok(entries.iter().map(key).collect())
        })?;
        let mut reading = answers.read()?;
        for key in keys {
            assert_eq!(reading.next_answer()?, key.map(u64::from));
        }
        assert_eq!(reading.next_answer()?, None);
        Ok(())
    }
}
