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
use serde_json::json;

use crate::{
    bench::{load::Connection, server::resident},
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
    /// Information systems that call at the same time.
    #[arg(long, default_value_t = 16)]
    clients: u64,
    /// The program; without it the optimised one that was built last.
    #[arg(long)]
    binary: Option<PathBuf>,
}

/// Lets the day pass and prints a line of JSON for each tenth and one for the whole.
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
    for (name, node) in nodes {
        node.stop()?;
        let start = node.start()?;
        std::thread::sleep(Duration::from_secs(5));
        println!(
            "{}",
            json!({"node": name, "start_ms": start.as_millis(), "idle_resident_mb": resident(node.pid()?)})
        );
    }
    // The first call opens the connection.
    anyhow::ensure!(town.probe(Duration::from_secs(20)), "no call succeeds");

    let begun = Instant::now();
    let (next, good, bad) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| -> anyhow::Result<()> {
        for client in 0..options.clients {
            let (next, good, bad) = (&next, &good, &bad);
            let edge = town.consumer.edge;
            scope.spawn(move || {
                let (mut connection, mut chance) = (Connection::new(edge), Chance::new(client));
                while next.fetch_add(1, Ordering::Relaxed) < options.messages {
                    let answered = connection.ask(&request(&mut chance));
                    let counter = if answered.is_ok_and(|answer| answer.status == 200) {
                        good
                    } else {
                        bad
                    };
                    counter.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for tenth in 1..=10 {
            while good.load(Ordering::Relaxed) + bad.load(Ordering::Relaxed) < options.messages * tenth / 10 {
                std::thread::sleep(Duration::from_millis(10));
            }
            let mut line = json!({"part": tenth * 10, "seconds": begun.elapsed().as_secs_f64()});
            for (name, node) in nodes {
                line[name] = json!({
                    "resident_mb": resident(node.pid()?), "entries": size(node)?, "not_folded": lag(node)?,
                });
            }
            println!("{line}");
        }
        Ok(())
    })?;
    let took = begun.elapsed();
    while nodes.iter().map(|(_, node)| lag(node)).sum::<anyhow::Result<u64>>()? > 8 {
        anyhow::ensure!(
            begun.elapsed() < took + Duration::from_secs(600),
            "the journals do not follow"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    let folded = begun.elapsed() - took;
    let failed = bad.load(Ordering::Relaxed);
    println!(
        "{}",
        json!({
            "messages": options.messages, "failed": failed, "seconds": took.as_secs_f64(),
            "messages_per_second": options.messages as f64 / took.as_secs_f64(),
            "fold_seconds_after_the_day": folded.as_secs_f64(),
        })
    );
    for (name, node) in nodes {
        let figures = after(node, options.messages)?;
        println!("{}", json!({"node": name, "after": figures}));
    }
    Ok(failed == 0)
}

/// What a node is like when the day is over: how much it keeps, how fast it proves, how long it takes to verify everything, and how
/// long to start again.
fn after(node: &Node, messages: u64) -> anyhow::Result<serde_json::Value> {
    let entries = size(node)?;
    let mut chance = Chance::new(3);
    let mut proved: Vec<u128> = Vec::new();
    for _ in 0..200 {
        let leaf = chance.below(entries);
        let begun = Instant::now();
        let path = format!("/ledger/proof?index={leaf}");
        let answer = wire::call(node.http, "GET", &path, &[], b"", Duration::from_secs(10))?;
        anyhow::ensure!(answer.status() == 200, "{path}: {}", answer.status());
        proved.push(begun.elapsed().as_micros());
    }
    proved.sort_unstable();
    let memory = resident(node.pid()?);
    anyhow::ensure!(node.stop()?, "a node did not stop");
    let keys = node.command(&["ledger", "keys"])?;
    let begun = Instant::now();
    let folder = node.data.join("ledger");
    let said = node.audit(&folder.display().to_string(), keys.trim())?;
    let verified = begun.elapsed();
    let start = node.start()?;
    let per_message = |bytes: u64| bytes as f64 / messages as f64;
    let database =
        ["motcua.db", "motcua.db-wal"].map(|name| std::fs::metadata(node.data.join(name)).map_or(0, |m| m.len()));
    Ok(json!({
        "entries": entries, "resident_mb": memory,
        "segment_bytes_per_message": per_message(bytes(&folder.join("segments"))),
        "tile_bytes_per_message": per_message(bytes(&folder.join("tile"))),
        "database_bytes_per_message": per_message(database.iter().sum()),
        "prove_over_http_p50_us": proved.get(proved.len() / 2), "audit": said.trim(),
        "verify_day_seconds": verified.as_secs_f64(), "start_again_ms": start.as_millis(),
    }))
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
