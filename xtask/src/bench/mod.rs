//! `cargo xtask bench`: the server under load, with small and large databases, on both engines.

pub mod load;
mod report;
pub mod server;
pub mod workload;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use clap::Args;

use self::{
    load::{Connection, Figures, Pool, Run, request},
    report::{Database, Machine, Peer, Results, Row},
    server::Site,
    workload::{Operation, PoolSource, Values, Workload, fill, pick},
};
use crate::{postgres::Cluster, run, tests_all::Engine, workspace::Workspace};

/// What to measure.
#[derive(Debug, Args)]
pub struct Options {
    /// Database engines.
    #[arg(long, value_enum, default_value_t = Engine::All)]
    engine: Engine,
    /// Dossiers in the database.
    #[arg(long, value_delimiter = ',', default_values_t = [10_000, 100_000, 1_000_000])]
    sizes: Vec<u64>,
    /// Time of one measurement.
    #[arg(long, default_value = "15s", value_parser = duration)]
    duration: Duration,
    /// Measurements of each operation; the median is kept.
    #[arg(long, default_value_t = 3)]
    repeat: usize,
    /// Requests in flight.
    #[arg(long, default_value_t = 8)]
    concurrency: usize,
    /// Only these operations (ids of the workload).
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// The definition of the work.
    #[arg(long, default_value = "bench/workload.toml")]
    workload: PathBuf,
    /// Where the figures go.
    #[arg(long, default_value = "bench/results.json")]
    out: PathBuf,
    /// Measure this binary instead of building one.
    #[arg(long)]
    binary: Option<PathBuf>,
    /// Folder for the data; removed afterwards.
    #[arg(long, default_value = "target/bench")]
    data: PathBuf,
    /// Leave the filled databases for the next run with this option, which fills up what is missing.
    #[arg(long)]
    keep: bool,
    /// Only fill the databases; implies `--keep`.
    #[arg(long)]
    fill: bool,
    /// Measure nothing: only write the tables anew from the figures.
    #[arg(long)]
    tables: bool,
}

fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.strip_suffix('s').unwrap_or(text);
    let seconds: f64 = digits
        .parse()
        .map_err(|_| format!("{text}: write seconds, as in 15s"))?;
    Duration::try_from_secs_f64(seconds).map_err(|e| e.to_string())
}

/// Measures and writes the figures; false when an operation met errors.
///
/// # Errors
/// When the program does not build, start or answer as the workload says.
pub fn run(workspace: &Workspace, options: &Options) -> anyhow::Result<bool> {
    let path = |p: &PathBuf| workspace.root.join(p);
    let out = path(&options.out);
    let peer = fs::read_to_string(workspace.root.join("bench/peer.toml")).context("reading bench/peer.toml")?;
    let peer: Peer = toml::from_str(&peer).context("bench/peer.toml")?;
    let results = if options.tables {
        Results::read(&out)?
    } else {
        measure(workspace, options)?
    };
    if options.fill {
        return Ok(true);
    }
    results.write(&out)?;
    let tables = results.tables(&peer);
    println!("\n{tables}");
    let document = out.with_file_name("RESULTS.md");
    if document.is_file() {
        report::put(&document, &tables)?;
    }
    Ok(results.rows.iter().all(|r| r.errors == 0 && r.good > 0))
}

fn measure(workspace: &Workspace, options: &Options) -> anyhow::Result<Results> {
    let file = workspace.root.join(&options.workload);
    let program = Workload::read(&file)?.program;
    let binary = match &options.binary {
        Some(binary) => workspace.root.join(binary),
        None => {
            anyhow::ensure!(
                run::tee(workspace.cargo().args(["build", "--release", "--workspace", "--bins"]))?.0,
                "the binary does not build"
            );
            workspace.metadata()?.target_directory.join("release/motcua")
        }
    };
    let data = workspace.root.join(&options.data);
    fs::create_dir_all(&data)?;
    let mut results = Results {
        date: run::output(Command::new("date").args(["-u", "+%F"]))?.trim().to_owned(),
        commit: commit(workspace),
        machine: machine(server::sync_floor(&data)?),
        concurrency: options.concurrency,
        seconds: options.duration.as_secs_f64(),
        repeat: options.repeat,
        databases: Vec::new(),
        rows: Vec::new(),
    };
    let engines: &[&str] = match options.engine {
        Engine::Sqlite => &["sqlite"],
        Engine::Postgres => &["postgres"],
        Engine::All => &["sqlite", "postgres"],
    };
    for engine in engines {
        for size in &options.sizes {
            let folder = data.join(format!("{engine}-{size}"));
            let keep = options.keep || options.fill;
            if !keep {
                let _ = fs::remove_dir_all(&folder);
            }
            // Memory as the peer's database had it; durability is never relaxed.
            let settings = ["shared_buffers=512MB", "max_wal_size=4GB", "effective_cache_size=4GB"];
            let cluster = match *engine {
                "postgres" if keep => Some(Cluster::start_kept(&format!("bench-{size}"), &settings)?),
                "postgres" => Some(Cluster::start(&settings)?),
                _ => None,
            };
            let site = Site::new(&program, &binary, &folder, *size, cluster.as_ref())?;
            one_database(&file, &site, cluster.as_ref(), (engine, *size), options, &mut results)?;
            drop(cluster);
            if !keep {
                fs::remove_dir_all(&folder)?;
            }
        }
    }
    Ok(results)
}

fn one_database(
    file: &Path,
    site: &Site,
    cluster: Option<&Cluster>,
    (engine, size): (&str, u64),
    options: &Options,
    results: &mut Results,
) -> anyhow::Result<()> {
    println!("\n== {engine}, {size} dossiers");
    let start = Instant::now();
    let mut workload = Workload::read(file)?;
    workload.seed(site)?;
    let program = &workload.program;
    let seed_s = start.elapsed().as_secs_f64();
    println!("filled in {seed_s:.1} s");
    if options.fill {
        return Ok(());
    }
    let tokens = &workload.actors;
    let mut starts = Vec::new();
    for _ in 0..5 {
        starts.push(site.start(program)?.first_answer.as_secs_f64() * 1e3);
    }
    starts.sort_by(f64::total_cmp);
    let server = site.start(program)?;
    std::thread::sleep(Duration::from_secs(5));
    let idle_mb = server::resident(server.pid());
    let mut pools = BTreeMap::new();
    for source in &workload.pools {
        fill_pool(
            site,
            source,
            source.actor.as_deref().and_then(|a| tokens.get(a)),
            &mut pools,
        )?;
    }
    let wanted = |o: &&Operation| options.only.is_empty() || options.only.contains(&o.id);
    for operation in workload.operations.iter().filter(wanted) {
        let token = operation
            .actor
            .as_deref()
            .and_then(|a| tokens.get(a))
            .map(String::as_str);
        let from = operation
            .from
            .as_ref()
            .map(|name| Arc::clone(pools.entry(name.clone()).or_default()));
        let into = operation
            .into
            .as_ref()
            .map(|name| Arc::clone(pools.entry(name.clone()).or_default()));
        server::reset_peak(server.pid());
        let mut runs = Vec::new();
        // The first warms caches and is not counted.
        for turn in 0..=options.repeat.max(1) {
            let duration = if turn == 0 {
                options.duration.min(Duration::from_secs(2))
            } else {
                options.duration
            };
            let salt = results.rows.len() as u64 * 1_000 + turn as u64;
            let run = Run {
                to: site.address,
                operation,
                token,
                concurrency: options.concurrency,
                duration,
                from: from.clone(),
                into: into.clone(),
                salt,
            };
            let figures = load::run(&run)?;
            if turn > 0 && figures.good + figures.errors > 0 {
                runs.push(figures);
            }
        }
        runs.sort_by(|a, b| rate(a).total_cmp(&rate(b)));
        let at = runs.len() / 2;
        anyhow::ensure!(at < runs.len(), "{}: nothing was sent; its pool is empty", operation.id);
        let row = row(
            operation,
            &runs.swap_remove(at),
            (engine, size),
            server::peak(server.pid()),
        );
        println!(
            "{:32} {:>10.1} req/s  p50 {:>8.2} ms  p99 {:>8.2} ms  errors {}",
            row.name, row.per_second, row.p50_ms, row.p99_ms, row.errors
        );
        if let Some(error) = &row.first_error {
            println!("    {error}");
        }
        results.rows.push(row);
    }
    results.databases.push(Database {
        engine: engine.to_owned(),
        size,
        seed_s,
        disk_mb: site.disk() as f64 / 1e6,
        first_answer_ms: starts.get(starts.len() / 2).copied().unwrap_or_default(),
        idle_mb,
        engine_mb: cluster.and_then(Cluster::pid).map_or(0.0, server::proportional),
    });
    Ok(())
}

fn rate(figures: &Figures) -> f64 {
    figures.good as f64 / figures.seconds
}

fn row(operation: &Operation, figures: &Figures, (engine, size): (&str, u64), peak_mb: f64) -> Row {
    let ms = |micros: u64| micros as f64 / 1e3;
    Row {
        engine: engine.to_owned(),
        size,
        operation: operation.id.clone(),
        name: operation.name.clone(),
        per_second: rate(figures),
        p50_ms: ms(figures.times.value_at_quantile(0.5)),
        p99_ms: ms(figures.times.value_at_quantile(0.99)),
        max_ms: ms(figures.times.max()),
        good: figures.good,
        errors: figures.errors,
        first_error: figures.first_error.clone(),
        peak_mb,
        seconds: figures.seconds,
    }
}

/// Reads list pages into the pool of that name, and the addresses of the pages into `<name>.pages`.
fn fill_pool(
    site: &Site,
    source: &PoolSource,
    token: Option<&String>,
    pools: &mut BTreeMap<String, Arc<Pool>>,
) -> anyhow::Result<()> {
    let pool = Arc::clone(pools.entry(source.name.clone()).or_default());
    let pages = Arc::clone(pools.entry(format!("{}.pages", source.name)).or_default());
    let mut connection = Connection::new(site.address);
    let mut next = Some(source.path.clone());
    for _ in 0..source.pages {
        let Some(path) = next.take() else { break };
        let get = request(&Operation::get(&path), token.map(String::as_str), &Values::new());
        let answer = connection.ask(&get)?;
        let said = String::from_utf8_lossy(&answer.body);
        anyhow::ensure!(
            answer.status == 200,
            "pool {}: {path} answers {}: {said}",
            source.name,
            answer.status
        );
        let json: serde_json::Value =
            serde_json::from_str(&said).with_context(|| format!("pool {}: {path}", source.name))?;
        let items = json
            .pointer(&source.items)
            .and_then(|v| v.as_array())
            .with_context(|| format!("pool {}: no list at {}", source.name, source.items))?;
        items
            .iter()
            .filter_map(|item| pick(item, &source.keep))
            .for_each(|values| pool.put(values));
        let mark = source.after(&json);
        next = mark.as_ref().map(|values| fill(&source.next_path, values));
        mark.into_iter().for_each(|values| pages.put(values));
    }
    anyhow::ensure!(pool.len() > 0, "pool {}: {} lists nothing", source.name, source.path);
    Ok(())
}

fn commit(workspace: &Workspace) -> String {
    let git = |args: &[&str]| run::output(Command::new("git").args(args).current_dir(&workspace.root));
    let dirty = git(&["status", "--porcelain", "--untracked-files=no"]).is_ok_and(|s| !s.trim().is_empty());
    let commit =
        git(&["rev-parse", "--short", "HEAD"]).map_or_else(|_| "no commit".to_owned(), |s| s.trim().to_owned());
    if dirty { commit + "+" } else { commit }
}

fn machine(sync_us: u128) -> Machine {
    let field = |file: &str, name: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let found = text
            .lines()
            .find(|l| l.starts_with(name))
            .and_then(|l| l.split_once(':'));
        found.map_or_else(String::new, |(_, v)| v.trim().to_owned())
    };
    let memory: f64 = field("/proc/meminfo", "MemTotal")
        .split_whitespace()
        .next()
        .and_then(|n| n.parse().ok())
        .unwrap_or(0.0);
    Machine {
        cores: std::thread::available_parallelism().map_or(0, usize::from),
        processor: field("/proc/cpuinfo", "model name"),
        memory_gb: memory * 1024.0 / 1e9,
        postgres: crate::postgres::version().unwrap_or_else(|| "no PostgreSQL".to_owned()),
        sync_us,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_seconds() {
        assert_eq!(duration("15s"), Ok(Duration::from_secs(15)));
        assert_eq!(duration("0.5"), Ok(Duration::from_millis(500)));
        assert!(duration("soon").is_err() && duration("-1s").is_err());
    }
}
