//! The figures: as JSON for machines, as tables for people, beside those of a peer.

use std::{collections::BTreeMap, fmt::Write, fs, path::Path};

use anyhow::Context;
use serde::{Deserialize, Serialize};

/// All figures of one run of the benchmark.
#[derive(Debug, Serialize, Deserialize)]
pub struct Results {
    /// Date of the run.
    pub date: String,
    /// Commit, with `+` when the tree differed from it.
    pub commit: String,
    /// The machine.
    pub machine: Machine,
    /// Requests in flight.
    pub concurrency: usize,
    /// Seconds of one measurement.
    pub seconds: f64,
    /// Measurements of which the median (by requests per second) is given.
    pub repeat: usize,
    /// By engine and size.
    pub databases: Vec<Database>,
    /// One for each operation, engine and size.
    pub rows: Vec<Row>,
}

/// What it ran on.
#[derive(Debug, Serialize, Deserialize)]
pub struct Machine {
    /// Cores.
    pub cores: usize,
    /// Model of the processor.
    pub processor: String,
    /// Memory in GB.
    pub memory_gb: f64,
    /// Version of PostgreSQL.
    pub postgres: String,
    /// Median of a 4 KiB write forced to disk, in microseconds.
    pub sync_us: u128,
}

/// One database.
#[derive(Debug, Serialize, Deserialize)]
pub struct Database {
    /// `sqlite` or `postgres`.
    pub engine: String,
    /// Dossiers in it at the start.
    pub size: u64,
    /// Seconds to fill it.
    pub seed_s: f64,
    /// Bytes of the data folder in MB (SQLite: the database; PostgreSQL: files only).
    pub disk_mb: f64,
    /// Median of the times from the start of the process to its first answer.
    pub first_answer_ms: f64,
    /// Resident memory of the idle server in MB.
    pub idle_mb: f64,
    /// Proportional memory of PostgreSQL after the run in MB.
    pub engine_mb: f64,
}

/// One operation on one database.
#[derive(Debug, Serialize, Deserialize)]
pub struct Row {
    /// `sqlite` or `postgres`.
    pub engine: String,
    /// Dossiers at the start.
    pub size: u64,
    /// The operation.
    pub operation: String,
    /// As people read it.
    pub name: String,
    /// Good answers per second.
    pub per_second: f64,
    /// Median time in ms.
    pub p50_ms: f64,
    /// 99 of 100 are faster.
    pub p99_ms: f64,
    /// The slowest.
    pub max_ms: f64,
    /// Good answers.
    pub good: u64,
    /// Other answers.
    pub errors: u64,
    /// The first of them.
    pub first_error: Option<String>,
    /// Peak resident memory of the server in MB.
    pub peak_mb: f64,
    /// Seconds measured; less than asked when an operation that uses each dossier once ran out of them.
    pub seconds: f64,
}

/// Figures of another system (`bench/peer.toml`).
#[derive(Debug, Deserialize)]
pub struct Peer {
    /// What it is.
    pub name: String,
    /// Where the figures come from.
    pub source: String,
    /// Dossiers in its database.
    pub size: u64,
    /// Its figures by our operation.
    pub operations: BTreeMap<String, PeerRow>,
}

/// One figure of the peer.
#[derive(Debug, Deserialize)]
pub struct PeerRow {
    /// Requests per second.
    pub per_second: f64,
    /// Median in ms.
    pub p50_ms: f64,
    /// 99 of 100 are faster.
    pub p99_ms: f64,
    /// What the project set out to reach, as a multiple of the peer's requests per second.
    pub goal: Option<f64>,
}

impl Results {
    /// Writes the JSON file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, file: &Path) -> anyhow::Result<()> {
        fs::write(file, serde_json::to_string_pretty(self)? + "\n")
            .with_context(|| format!("writing {}", file.display()))
    }

    /// Reads what `write` wrote.
    ///
    /// # Errors
    /// When the file is missing or of another shape.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
        serde_json::from_str(&text).with_context(|| file.display().to_string())
    }

    /// All tables, in Markdown.
    pub fn tables(&self, peer: &Peer) -> String {
        let mut out = String::new();
        let Machine {
            cores,
            processor,
            memory_gb,
            postgres,
            sync_us,
        } = &self.machine;
        let _ = writeln!(
            out,
            "Measured {} at {}: {cores} cores ({processor}), {memory_gb:.0} GB, {postgres}; a 4 KiB write forced to disk takes {sync_us} µs (median). \
             Closed loop, concurrency {}, {} s a measurement, the median of {}; load generator, server and database on the same cores.\n",
            self.date, self.commit, self.concurrency, self.seconds, self.repeat
        );
        self.operations(&mut out);
        self.growth(&mut out);
        self.against(peer, &mut out);
        let _ = writeln!(
            out,
            "### Start, memory, disk\n\n| Engine | Dossiers | First answer | Idle | PostgreSQL | Database | Filled in |\n|---|--:|--:|--:|--:|--:|--:|"
        );
        for d in &self.databases {
            let engine_mb = if d.engine == "postgres" {
                format!("{:.0} MB", d.engine_mb)
            } else {
                "–".to_owned()
            };
            let disk_mb = if d.engine == "postgres" {
                "–".to_owned()
            } else {
                format!("{:.0} MB", d.disk_mb)
            };
            let _ = writeln!(
                out,
                "| {} | {} | {:.0} ms | {:.0} MB | {engine_mb} | {disk_mb} | {:.0} s |",
                d.engine,
                thousands(d.size),
                d.first_answer_ms,
                d.idle_mb,
                d.seed_s
            );
        }
        out
    }

    fn operations(&self, out: &mut String) {
        let _ = writeln!(
            out,
            "### Operations\n\n| Operation | Engine | Dossiers | Requests/s | p50 | p99 | Peak memory | Errors |\n|---|---|--:|--:|--:|--:|--:|--:|"
        );
        for row in &self.rows {
            let short = if row.seconds + 0.5 < self.seconds {
                format!(" ({:.1} s)", row.seconds)
            } else {
                String::new()
            };
            let _ = writeln!(
                out,
                "| {}{short} | {} | {} | {} | {:.2} ms | {:.2} ms | {:.0} MB | {} |",
                row.name,
                row.engine,
                thousands(row.size),
                rate(row.per_second),
                row.p50_ms,
                row.p99_ms,
                row.peak_mb,
                row.errors
            );
        }
        for row in self.rows.iter().filter(|r| r.errors > 0) {
            let _ = writeln!(
                out,
                "\nFirst error of {} on {} with {}: `{}`",
                row.name,
                row.engine,
                thousands(row.size),
                row.first_error.as_deref().unwrap_or("?")
            );
        }
        out.push('\n');
    }

    fn growth(&self, out: &mut String) {
        let sizes: Vec<u64> = self.databases.iter().map(|d| d.size).collect();
        let (Some(&small), Some(&large)) = (sizes.iter().min(), sizes.iter().max()) else {
            return;
        };
        if small == large {
            return;
        }
        let _ = writeln!(
            out,
            "### p99 at {} over p99 at {}\n\n| Operation | Engine | {} | {} | Ratio |\n|---|---|--:|--:|--:|",
            thousands(large),
            thousands(small),
            thousands(small),
            thousands(large)
        );
        for row in self.rows.iter().filter(|r| r.size == large) {
            if let Some(base) = self
                .rows
                .iter()
                .find(|r| r.size == small && r.engine == row.engine && r.operation == row.operation)
            {
                let ratio = row.p99_ms / base.p99_ms;
                let _ = writeln!(
                    out,
                    "| {} | {} | {:.2} ms | {:.2} ms | {ratio:.2} |",
                    row.name, row.engine, base.p99_ms, row.p99_ms
                );
            }
        }
        out.push('\n');
    }

    fn against(&self, peer: &Peer, out: &mut String) {
        let Some(size) = self
            .databases
            .iter()
            .map(|d| d.size)
            .min_by_key(|s| s.abs_diff(peer.size))
        else {
            return;
        };
        let _ = writeln!(
            out,
            "### Beside {}\n\n{} Ours with {} dossiers; the peer's with {}.\n\n| Operation | Peer req/s | Engine | Ours req/s | Times | Goal | Peer p50 | Our p50 | Peer p99 | Our p99 |\n|---|--:|---|--:|--:|--:|--:|--:|--:|--:|",
            peer.name,
            peer.source,
            thousands(size),
            thousands(peer.size)
        );
        for row in self.rows.iter().filter(|r| r.size == size) {
            let Some(theirs) = peer.operations.get(&row.operation) else {
                continue;
            };
            let goal = theirs.goal.map_or_else(|| "–".to_owned(), |g| format!("{g:.0}"));
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} | {:.1} | {goal} | {:.0} ms | {:.2} ms | {:.0} ms | {:.2} ms |",
                row.name,
                rate(theirs.per_second),
                row.engine,
                rate(row.per_second),
                row.per_second / theirs.per_second,
                theirs.p50_ms,
                row.p50_ms,
                theirs.p99_ms,
                row.p99_ms
            );
        }
        out.push('\n');
    }
}

fn rate(n: f64) -> String {
    if n < 100.0 {
        format!("{n:.1}")
    } else {
        thousands(n.round().abs() as u64)
    }
}

fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, c) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

const START: &str = "<!-- figures: written by cargo xtask bench -->";
const END: &str = "<!-- end of figures -->";

/// Puts the tables between their marks in a Markdown file.
///
/// # Errors
/// When the file or its marks are missing.
pub fn put(file: &Path, tables: &str) -> anyhow::Result<()> {
    let text = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    fs::write(
        file,
        between(&text, tables).with_context(|| format!("{}: no marks {START} … {END}", file.display()))?,
    )?;
    Ok(())
}

fn between(text: &str, tables: &str) -> Option<String> {
    let (head, rest) = text.split_once(START)?;
    let (_, tail) = rest.split_once(END)?;
    Some(format!("{head}{START}\n\n{}\n\n{END}{tail}", tables.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(size: u64, per_second: f64, p99_ms: f64) -> Row {
        Row {
            engine: "postgres".to_owned(),
            size,
            operation: "file".to_owned(),
            name: "File".to_owned(),
            per_second,
            p50_ms: 1.0,
            p99_ms,
            max_ms: p99_ms,
            good: 10,
            errors: 0,
            first_error: None,
            peak_mb: 50.0,
            seconds: 15.0,
        }
    }

    #[test]
    fn ratios_are_those_of_the_figures() {
        let database = |size| Database {
            engine: "postgres".to_owned(),
            size,
            seed_s: 1.0,
            disk_mb: 0.0,
            first_answer_ms: 90.0,
            idle_mb: 40.0,
            engine_mb: 100.0,
        };
        let results = Results {
            date: "2026-11-21".to_owned(),
            commit: "abc".to_owned(),
            machine: Machine {
                cores: 2,
                processor: "x".to_owned(),
                memory_gb: 24.0,
                postgres: "PostgreSQL 15".to_owned(),
                sync_us: 900,
            },
            concurrency: 8,
            seconds: 15.0,
            repeat: 3,
            databases: vec![database(10_000), database(1_000_000)],
            rows: vec![row(10_000, 1520.0, 8.0), row(1_000_000, 1400.0, 12.0)],
        };
        let theirs = PeerRow {
            per_second: 30.4,
            p50_ms: 246.0,
            p99_ms: 452.0,
            goal: Some(30.0),
        };
        let peer = Peer {
            name: "A peer".to_owned(),
            source: "Measured.".to_owned(),
            size: 10_000,
            operations: BTreeMap::from([("file".to_owned(), theirs)]),
        };
        let tables = results.tables(&peer);
        assert!(
            tables.contains("| File | postgres | 8.00 ms | 12.00 ms | 1.50 |"),
            "{tables}"
        );
        assert!(
            tables.contains("| File | 30.4 | postgres | 1,520 | 50.0 | 30 | 246 ms | 1.00 ms | 452 ms | 8.00 ms |"),
            "{tables}"
        );
    }

    #[test]
    fn tables_replace_what_stood_between_the_marks() {
        let text = format!("a\n{START}\nold\n{END}\nb\n");
        assert_eq!(
            between(&text, "new\n"),
            Some(format!("a\n{START}\n\nnew\n\n{END}\nb\n"))
        );
        assert_eq!(between("no marks", "new"), None);
    }
}
