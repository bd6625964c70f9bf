//! What a backup holds: `backup.json`, and `files.sha256` beside it, which `sha256sum --check` reads.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufRead as _, BufReader, BufWriter, Read as _, Write as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use store::Engine;

use super::{UNFINISHED, refusal};

/// [`Manifest::format`].
pub const FORMAT: &str = "motcua-backup/1";
const MANIFEST: &str = "backup.json";
const SUMS: &str = "files.sha256";
/// Damaged files that are named; more are only counted.
const MOST_NAMED: usize = 20;

/// What is said of a backup as a whole.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// What this is.
    pub format: String,
    /// The version of the program that made it.
    pub program: String,
    /// When it was finished, RFC 3339.
    pub made: String,
    /// `sqlite` or `postgres`.
    pub engine: String,
    /// How far the transparency log goes; none when the node has none.
    pub log: Option<LogEnd>,
    /// What the configuration names and the backup does not hold.
    pub outside: Vec<PathBuf>,
    /// How many files.
    pub files: u64,
    /// SHA-256 of `files.sha256`, hex.
    pub sums: String,
}

/// The end of a transparency log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogEnd {
    /// Its name.
    pub origin: String,
    /// Entries.
    pub size: u64,
    /// The root of its tree, base64.
    pub root: String,
}

impl LogEnd {
    /// As a checkpoint says it.
    pub fn of(checkpoint: &ledger::Checkpoint) -> Self {
        Self {
            origin: checkpoint.origin.clone(),
            size: checkpoint.size,
            root: checkpoint.root.to_string(),
        }
    }
}

/// SHA-256 of each file, hex, by its path in the backup.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums(BTreeMap<String, String>);

impl Sums {
    pub fn insert(&mut self, path: String, sum: String) {
        self.0.insert(path, sum);
    }

    pub fn get(&self, path: &str) -> Option<&String> {
        self.0.get(path)
    }

    /// All but the files of one folder.
    pub fn without(&self, folder: &str) -> Self {
        let within = |path: &String| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        Self(
            self.0
                .iter()
                .filter(|(path, _)| !within(path))
                .map(|(p, s)| (p.clone(), s.clone()))
                .collect(),
        )
    }

    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Reads every file anew. `progress` is told how many bytes were read.
    ///
    /// # Errors
    /// Names the files that are missing or are not what they were.
    pub fn verify(&self, folder: &Path, progress: &mut dyn FnMut(u64)) -> anyhow::Result<()> {
        let mut bad = Vec::new();
        for (path, sum) in &self.0 {
            let file = folder.join(path);
            if !file.exists() {
                bad.push(format!("{path} (thiếu / missing)"));
            } else if digest(&file, progress)? != *sum {
                bad.push(format!("{path} (bị sửa hoặc hỏng / altered)"));
            }
        }
        if bad.is_empty() {
            return Ok(());
        }
        let more = bad.len().saturating_sub(MOST_NAMED);
        bad.truncate(MOST_NAMED);
        if more > 0 {
            bad.push(format!("… (+{more})"));
        }
        Err(damaged(folder, &bad.join(", ")))
    }
}

impl Manifest {
    /// Writes both files, the manifest last: a backup that has it is whole.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(mut self, folder: &Path, sums: &Sums) -> anyhow::Result<Self> {
        let path = folder.join(SUMS);
        let mut file = BufWriter::new(File::create(&path).with_context(|| format!("writing {}", path.display()))?);
        for (name, sum) in &sums.0 {
            writeln!(file, "{sum}  {name}")?;
        }
        file.into_inner()?.sync_all()?;
        self.sums = digest(&path, &mut |_| {})?;
        let path = folder.join(MANIFEST);
        let mut file = File::create(&path).with_context(|| format!("writing {}", path.display()))?;
        file.write_all(&serde_json::to_vec_pretty(&self)?)?;
        file.sync_all()?;
        File::open(folder)?.sync_all()?;
        Ok(self)
    }

    /// Reads both files of a whole backup.
    ///
    /// # Errors
    /// It is no backup, not finished, of a newer program, or its list of files is damaged.
    pub fn read(folder: &Path) -> anyhow::Result<(Self, Sums)> {
        let shown = folder.display();
        if folder.join(UNFINISHED).exists() || !folder.join(MANIFEST).exists() {
            return Err(refusal(
                "backup-not-whole",
                &format!("{shown} không phải là bản sao lưu hoàn chỉnh."),
                "the folder is not a finished backup",
            ));
        }
        let text = fs::read(folder.join(MANIFEST)).with_context(|| format!("reading {shown}/{MANIFEST}"))?;
        let manifest: Self = serde_json::from_slice(&text).map_err(|_| damaged(folder, MANIFEST))?;
        if manifest.format != FORMAT {
            return Err(refusal(
                "backup-format",
                &format!("Chương trình này không đọc được định dạng {}.", manifest.format),
                "this program does not read backups of this format",
            ));
        }
        let path = folder.join(SUMS);
        if !path.exists() || digest(&path, &mut |_| {})? != manifest.sums {
            return Err(damaged(folder, SUMS));
        }
        let mut sums = Sums::default();
        for line in BufReader::new(File::open(&path)?).lines() {
            let line = line?;
            let (sum, name) = line.split_once("  ").ok_or_else(|| damaged(folder, SUMS))?;
            if !stays_within(name) {
                return Err(damaged(folder, SUMS));
            }
            sums.insert(name.to_owned(), sum.to_owned());
        }
        Ok((manifest, sums))
    }
}

/// Whether a path of a backup leads nowhere else.
fn stays_within(name: &str) -> bool {
    use std::path::Component;
    !name.is_empty()
        && Path::new(name)
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
}

fn damaged(folder: &Path, what: &str) -> anyhow::Error {
    refusal(
        "backup-damaged",
        &format!("Bản sao lưu {} bị hỏng: {what}", folder.display()),
        "the backup is damaged; nothing was restored",
    )
}

/// SHA-256 of a file, hex.
pub fn digest(path: &Path, progress: &mut dyn FnMut(u64)) -> anyhow::Result<String> {
    let mut file = File::open(path).with_context(|| format!("reading {}", path.display()))?;
    let mut hash = Sha256::new();
    let mut piece = vec![0; 1 << 20];
    loop {
        let read = file
            .read(&mut piece)
            .with_context(|| format!("reading {}", path.display()))?;
        if read == 0 {
            return Ok(hex::encode(hash.finalize()));
        }
        hash.update(&piece[..read]);
        progress(read as u64);
    }
}

/// How an engine is called in the manifest.
pub const fn engine_name(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "sqlite",
        Engine::Postgres => "postgres",
    }
}
