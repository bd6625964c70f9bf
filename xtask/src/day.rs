//! A day through real nodes: three processes of the program, so many messages through their gateways, and what that costs in
//! memory, on disk, and to prove and verify. The same at the level of the log alone, for a million and more, is
//! `crates/exchange/examples/nation_day.rs`.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use anyhow::Context;
use clap::Args;

use crate::{
    bench::{
        load::Connection,
        server::{own, resident},
    },
    trouble::{
        chance::Chance,
        clients,
        town::{ANSWERS, ASKS, Ground, Node, PURPOSE, Place, Town},
        wire,
    },
    workspace::Workspace,
};

/// How much, of what.
#[derive(Debug, Args)]
pub struct Options {
    /// Messages: a request and its answer each.
    #[arg(long, default_value_t = 50_000)]
    messages: u64,
    /// The day ends after so many seconds if not all messages have passed by then.
    #[arg(long, default_value_t = 3_600)]
    seconds: u64,
    /// Information systems that call at the same time.
    #[arg(long, default_value_t = 16)]
    parallel: u64,
    /// The program; without it the optimised one that was built last.
    #[arg(long)]
    binary: Option<PathBuf>,
}

/// A look at a node during the day.
#[derive(Debug, Clone, Copy)]
struct Look {
    /// Its own memory, MB, and with it the pages of files that it has mapped.
    own: f64,
    resident: f64,
    /// Entries of its log, and those that its journal has not folded.
    entries: u64,
    behind: u64,
}

/// Lets the day pass and prints the tables that `bench/RESULTS.md` has.
///
/// # Errors
/// When a node fails, a call is not answered with 200, or a log does not verify.
pub fn run(workspace: &Workspace, options: &Options) -> anyhow::Result<bool> {
    let binary = match &options.binary {
        Some(binary) => std::path::absolute(binary)?,
        None => workspace.metadata()?.target_directory.join("release/motcua"),
    };
    let folder = workspace.root.join("target/day");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder)?;
    let town = Town::found(&Ground {
        binary: &binary,
        folder: &folder,
        here: Place::here(),
        there: Place::here(),
    })?;
    let nodes = [("consumer", &town.consumer), ("provider", &town.provider)];
    let mut idle = Vec::new();
    for (_, node) in nodes {
        node.stop()?;
        let start = node.start()?;
        std::thread::sleep(Duration::from_secs(5));
        idle.push((start, look(node)?));
    }
    // The first call opens the connection.
    anyhow::ensure!(town.probe(Duration::from_secs(20)), "no call succeeds");
    let day = pass(&town, options)?;
    let caught_up = caught_up(nodes.map(|(_, node)| node))?;
    println!(
        "{} messages by {} systems in {:.0} s: {:.0}/s; {} failed; the journals had folded all {:.1} s later\n",
        day.messages,
        options.parallel,
        day.took.as_secs_f64(),
        day.messages as f64 / day.took.as_secs_f64(),
        day.failed,
        caught_up.as_secs_f64()
    );
    curve(&day, &idle);
    println!(
        "| Node | Bytes a message: segments, tiles, database | Proof over HTTP, p50 | Verify the day | Start, idle; start again |"
    );
    println!("|---|--:|--:|--:|--:|");
    for ((name, node), (start, _)) in nodes.into_iter().zip(&idle) {
        let after = after(node, day.messages)?;
        println!(
            "| {name} | {:.0}, {:.0}, {:.0} | {:.2} ms | {:.1} s, {} | {} ms; {} ms |",
            after.bytes[0],
            after.bytes[1],
            after.bytes[2],
            after.prove.as_secs_f64() * 1e3,
            after.verify.as_secs_f64(),
            after.said,
            start.as_millis(),
            after.start.as_millis()
        );
    }
    Ok(day.failed == 0)
}

/// What passed.
struct Day {
    messages: u64,
    failed: u64,
    took: Duration,
    /// After each tenth: when, and how the nodes were.
    looks: Vec<(Duration, Vec<Look>)>,
}

/// Lets the messages pass.
fn pass(town: &Town, options: &Options) -> anyhow::Result<Day> {
    let (begun, end) = (Instant::now(), Duration::from_secs(options.seconds));
    let (next, good, bad) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let passed = || good.load(Ordering::Relaxed) + bad.load(Ordering::Relaxed);
    let looks = std::thread::scope(|scope| -> anyhow::Result<_> {
        let callers: Vec<_> = (0..options.parallel.max(1))
            .map(|caller| {
                let (next, good, bad) = (&next, &good, &bad);
                let edge = town.consumer.edge;
                scope.spawn(move || {
                    let (mut connection, mut chance) = (Connection::new(edge), Chance::new(caller));
                    while begun.elapsed() < end && next.fetch_add(1, Ordering::Relaxed) < options.messages {
                        let answered = connection.ask(&request(&mut chance));
                        let counter = if answered.is_ok_and(|answer| answer.status == 200) {
                            good
                        } else {
                            bad
                        };
                        counter.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        let mut looks = Vec::new();
        for tenth in 1..=10 {
            while passed() < options.messages * tenth / 10 && !callers.iter().all(|caller| caller.is_finished()) {
                std::thread::sleep(Duration::from_millis(10));
            }
            let nodes = [&town.consumer, &town.provider];
            looks.push((
                begun.elapsed(),
                nodes.into_iter().map(look).collect::<anyhow::Result<_>>()?,
            ));
        }
        Ok(looks)
    })?;
    Ok(Day {
        messages: passed(),
        failed: bad.load(Ordering::Relaxed),
        took: looks.last().map_or(begun.elapsed(), |(at, _)| *at),
        looks,
    })
}

/// Waits until the journals have folded the day; how long that took.
fn caught_up(nodes: [&Node; 2]) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    while nodes.iter().map(|node| lag(node)).sum::<anyhow::Result<u64>>()? > 8 {
        anyhow::ensure!(begun.elapsed() < Duration::from_secs(600), "the journals do not follow");
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(begun.elapsed())
}

/// Prints how memory and the journals went over the day.
fn curve(day: &Day, idle: &[(Duration, Look)]) {
    println!(
        "| Passed | Seconds | Consumer: own, resident | Entries, not folded | Provider: own, resident | Entries, not folded |"
    );
    println!("|--:|--:|--:|--:|--:|--:|");
    let line = |passed: &str, seconds: String, looks: &[Look]| {
        let mut line = format!("| {passed} | {seconds} |");
        for look in looks {
            let Look {
                own,
                resident,
                entries,
                behind,
            } = look;
            line.push_str(&format!(" {own:.0}, {resident:.0} MB | {entries}, {behind} |"));
        }
        println!("{line}");
    };
    let idle: Vec<Look> = idle.iter().map(|(_, look)| *look).collect();
    line("idle", "–".to_owned(), &idle);
    for (tenth, (at, looks)) in (1..).zip(&day.looks) {
        line(&format!("{} %", tenth * 10), format!("{:.0}", at.as_secs_f64()), looks);
    }
    println!();
}

fn look(node: &Node) -> anyhow::Result<Look> {
    let pid = node.pid()?;
    Ok(Look {
        own: own(pid),
        resident: resident(pid),
        entries: size(node)?,
        behind: lag(node)?,
    })
}

/// What is known of a node when the day is over.
struct After {
    /// Of segments, tiles and database, for each message.
    bytes: [f64; 3],
    /// One proof over HTTP, median.
    prove: Duration,
    /// Verifying the whole log, and what was said of it.
    verify: Duration,
    said: String,
    start: Duration,
}

/// What a node is like when the day is over: how much it keeps, how fast it proves, how long it takes to verify everything, and how
/// long to start again.
fn after(node: &Node, messages: u64) -> anyhow::Result<After> {
    let entries = size(node)?;
    let mut chance = Chance::new(3);
    let mut proved = Vec::new();
    for _ in 0..200 {
        let leaf = chance.below(entries);
        let begun = Instant::now();
        let path = format!("/ledger/proof?index={leaf}");
        let answer = wire::call(node.http, "GET", &path, &[], b"", Duration::from_secs(10))?;
        anyhow::ensure!(answer.status() == 200, "{path}: {}", answer.status());
        proved.push(begun.elapsed());
    }
    proved.sort_unstable();
    anyhow::ensure!(node.stop()?, "a node did not stop");
    let keys = node.command(&["ledger", "keys"])?;
    let begun = Instant::now();
    let folder = node.data.join("ledger");
    let said = node.audit(&folder.display().to_string(), keys.trim())?;
    let verified = begun.elapsed();
    let start = node.start()?;
    let per_message = |bytes: u64| bytes as f64 / messages.max(1) as f64;
    let database =
        ["motcua.db", "motcua.db-wal"].map(|name| std::fs::metadata(node.data.join(name)).map_or(0, |m| m.len()));
    Ok(After {
        bytes: [
            bytes(&folder.join("segments")),
            bytes(&folder.join("tile")),
            database.iter().sum(),
        ]
        .map(per_message),
        prove: proved.get(proved.len() / 2).copied().unwrap_or_default(),
        verify: verified,
        said: said.trim().to_owned(),
        start,
    })
}

/// A call of the mix: small questions about persons, some larger answers, some reports.
fn request(chance: &mut Chance) -> Vec<u8> {
    let person = clients::person(chance.below(clients::PERSONS));
    let (method, size, body) = match chance.below(100) {
        0..60 => ("GET", "?size=1000", Vec::new()),
        60..89 => ("GET", "?size=10000", Vec::new()),
        89 => ("GET", "?size=300000", Vec::new()),
        _ => ("POST", "", vec![b'r'; 2_000]),
    };
    let head = format!(
        "{method} /r1/{ANSWERS}/persons/persons/{person}{size} HTTP/1.1\r\nhost: edge\r\nx-road-client: {ASKS}\r\nx-road-id: {}\r\n\
         x-motcua-purpose: {PURPOSE}\r\nx-road-issue: H42.28-261125-0001\r\ncontent-length: {}\r\n\r\n",
        chance.uuid(),
        body.len()
    );
    [head.into_bytes(), body].concat()
}

/// Entries of the log, by its published checkpoint.
fn size(node: &Node) -> anyhow::Result<u64> {
    let answer = wire::call(
        node.http,
        "GET",
        "/ledger/checkpoint",
        &[],
        b"",
        Duration::from_secs(10),
    )?;
    let text = answer.text();
    let line = text.lines().nth(1).context("a checkpoint has a size")?;
    line.parse().with_context(|| format!("a checkpoint: {text}"))
}

/// Entries that the journal has not folded: those behind the newest message that it lists. A read behind its message counts, too.
fn lag(node: &Node) -> anyhow::Result<u64> {
    let entries = size(node)?;
    let newest = node.api("GET", "/api/v1/exchange/messages", None)?["items"][0]["leaf"].as_u64();
    Ok(entries.saturating_sub(newest.map_or(0, |leaf| leaf + 1)))
}

fn bytes(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.map(size).sum()
}
