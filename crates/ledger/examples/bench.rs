//! Figures of the ledger on this machine. Not a test.
//!
//! ```text
//! cargo run --release -p ledger --example bench -- [--dir DIR] [--seconds 5] [--record 300] [--concurrency 1,8,64] [--leaves 10000,1000000]
//! ```
//! `--leaves 100000000` builds that many small leaves (some 20 GB, a few minutes) and measures proofs there too. `--dir`
//! names a folder that must not be there yet; without it, one in the system's folder for temporary files.

#![expect(clippy::print_stdout, reason = "its output is its purpose")]

use std::{
    collections::HashMap,
    error::Error,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use ledger::{Algorithm, FileKey, Kind, Log, Options, Policy, Signer, tree::verify_inclusion, verify};
use rand::{Rng, RngCore, SeedableRng, rngs::SmallRng};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

struct Settings {
    dir: PathBuf,
    time: Duration,
    record: usize,
    concurrency: Vec<u64>,
    leaves: Vec<u64>,
}

fn settings() -> Result<Settings> {
    let mut given = HashMap::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        given.insert(name, arguments.next().ok_or("a value is missing")?);
    }
    let get = |name: &str, default: &str| given.get(name).map_or(default.to_owned(), Clone::clone);
    let unnamed = std::env::temp_dir().join(format!("ledger-bench-{}", std::process::id()));
    let list = |name: &str, default: &str| -> Result<Vec<u64>> {
        let list = get(name, default);
        let numbers = list.split(',').filter(|n| !n.is_empty()).map(str::parse);
        Ok(numbers.collect::<std::result::Result<_, _>>()?)
    };
    Ok(Settings {
        dir: get("--dir", &unnamed.display().to_string()).into(),
        time: Duration::from_secs(get("--seconds", "5").parse()?),
        record: get("--record", "300").parse()?,
        concurrency: list("--concurrency", "1,8,64")?,
        leaves: list("--leaves", "10000,1000000")?,
    })
}

fn main() -> Result<()> {
    let settings = settings()?;
    fs::create_dir(&settings.dir)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let key = Arc::new(FileKey::generate("bench.example/log", Algorithm::Ed25519)?);
    for &concurrency in &settings.concurrency {
        let dir = settings.dir.join(format!("append-{concurrency}"));
        runtime.block_on(append(&dir, &key, concurrency, &settings))?;
        fs::remove_dir_all(&dir)?;
    }
    let dir = settings.dir.join("proofs");
    for &leaves in &settings.leaves {
        runtime.block_on(grow(&dir, &key, leaves))?;
        proofs(&dir, &key)?;
    }
    fs::remove_dir_all(&settings.dir)?;
    println!("peak memory: {}", peak_memory()?);
    Ok(())
}

fn open(dir: &Path, key: &Arc<FileKey>) -> Result<Log> {
    let signer: Arc<dyn Signer> = Arc::<FileKey>::clone(key);
    Ok(Log::open(dir, Options::new(key.name(), signer))?)
}

/// Appends from some tasks at once for a while.
async fn append(dir: &Path, key: &Arc<FileKey>, concurrency: u64, settings: &Settings) -> Result<()> {
    let log = Arc::new(open(dir, key)?);
    let start = Instant::now();
    let (time, record) = (settings.time, settings.record);
    let tasks: Vec<_> = (0..concurrency)
        .map(|seed| {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                let mut random = SmallRng::seed_from_u64(seed);
                let mut waits = Vec::new();
                while start.elapsed() < time {
                    let mut bytes = vec![0; record];
                    random.fill_bytes(&mut bytes);
                    let asked = Instant::now();
                    log.append(Kind::MESSAGE, bytes).await?;
                    waits.push(asked.elapsed());
                }
                Ok::<_, ledger::Error>(waits)
            })
        })
        .collect();
    let mut waits = Vec::new();
    for task in tasks {
        waits.extend(task.await??);
    }
    let elapsed = start.elapsed();
    waits.sort_unstable();
    let work = log.work();
    let rate = work.entries as f64 / elapsed.as_secs_f64();
    let quantile = |part: usize| waits.get(waits.len() * part / 100).copied().unwrap_or_default();
    println!(
        "append, concurrency {concurrency:2}: {rate:8.0}/s, p50 {:?}, p99 {:?}, {:.1} entries a batch, {:.2} hashes an entry, {:.0} bytes an entry",
        quantile(50),
        quantile(99),
        work.entries as f64 / work.batches as f64,
        work.hashes as f64 / work.entries as f64,
        bytes_on_disk(dir)? as f64 / work.entries as f64,
    );
    Ok(())
}

/// Brings the log to some leaves of 16 bytes.
async fn grow(dir: &Path, key: &Arc<FileKey>, leaves: u64) -> Result<()> {
    let log = open(dir, key)?;
    let (start, before) = (Instant::now(), log.size());
    while log.size() < leaves {
        let batch = (leaves - log.size()).min(16_384);
        let first = log.size();
        let records = (first..first + batch).map(|n| (Kind::ACTION, format!("record {n:9}").into_bytes()));
        log.append_all(records.collect()).await?;
    }
    let rate = (leaves - before) as f64 / start.elapsed().as_secs_f64();
    drop(log);
    println!(
        "{leaves} leaves: built at {rate:.0}/s in batches of 16384, {:.0} bytes a leaf on disk",
        bytes_on_disk(dir)? as f64 / leaves as f64
    );
    Ok(())
}

/// Opens the log, proves leaves here and there, and verifies the proofs.
fn proofs(dir: &Path, key: &Arc<FileKey>) -> Result<()> {
    let start = Instant::now();
    let log = open(dir, key)?;
    println!("  opened in {:?}", start.elapsed());
    let (size, checkpoint) = (log.size(), log.checkpoint());
    let mut random = SmallRng::seed_from_u64(1);
    let mut indexes = vec![0; 1_000];
    indexes.fill_with(|| random.random_range(0..size));
    let each = |start: Instant| start.elapsed() / 1_000;

    let start = Instant::now();
    let paths = indexes
        .iter()
        .map(|i| log.inclusion(*i, size))
        .collect::<ledger::Result<Vec<_>>>()?;
    println!("  inclusion proof of {} hashes: {:?}", paths[0].len(), each(start));
    let leaves = indexes
        .iter()
        .map(|i| Ok(log.entry(*i)?.commitment.leaf()))
        .collect::<ledger::Result<Vec<_>>>()?;
    let start = Instant::now();
    for ((index, leaf), path) in indexes.iter().zip(&leaves).zip(&paths) {
        if !verify_inclusion(leaf, *index, size, &checkpoint.checkpoint().root, path) {
            return Err("a proof does not verify".into());
        }
    }
    println!("  verified: {:?}", each(start));
    let start = Instant::now();
    for index in &indexes {
        log.consistency(*index, size)?;
    }
    println!("  consistency proof: {:?}", each(start));
    let start = Instant::now();
    let texts = indexes
        .iter()
        .map(|i| Ok(log.disclose(*i)?.to_string()))
        .collect::<ledger::Result<Vec<_>>>()?;
    println!(
        "  proof as a text of {} bytes, with the record: {:?}",
        texts[0].len(),
        each(start)
    );
    let policy = Policy::log(key.verifier());
    let start = Instant::now();
    for text in &texts {
        verify(text.as_bytes(), &policy, None)?;
    }
    println!("  verified offline, with the signature: {:?}", each(start));
    Ok(())
}

/// Bytes of blocks that the files below a folder take.
fn bytes_on_disk(dir: &Path) -> Result<u64> {
    use std::os::unix::fs::MetadataExt;
    let mut bytes = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += metadata.blocks() * 512;
        if metadata.is_dir() {
            bytes += bytes_on_disk(&entry.path())?;
        }
    }
    Ok(bytes)
}

fn peak_memory() -> Result<String> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .ok_or("no VmHWM")?;
    Ok(line.trim_start_matches("VmHWM:").trim().to_owned())
}
