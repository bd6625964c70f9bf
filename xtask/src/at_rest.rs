//! Which functions a node at rest runs, for the linker: Valgrind's call graph of a node that starts on what is there and waits.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::Context;
use clap::Args;

use crate::{run, workspace::Workspace};

/// Read by `crates/motcua/build.rs`.
const LIST: &str = "crates/motcua/at-rest.txt";
/// Of the demonstration nation, the node that does most: a town's dossiers, registries, the exchange.
const NODE: &str = "ninhbinh";
/// What the nation says once all its nodes serve.
const SERVES: &str = "/exchange/map";
/// How long the node runs. With Valgrind it is some fifty times slower, and serves after half a minute.
const RUNS: Duration = Duration::from_secs(240);

/// From which program.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// One with its symbols: `cargo rustc --release -p motcua --bin motcua -- -C strip=none`.
    program: PathBuf,
}

/// Writes the list anew.
///
/// # Errors
/// When Valgrind, `nm` or the program cannot be started, or do not do what they should.
pub fn run(workspace: &Workspace, options: &Options) -> anyhow::Result<bool> {
    let folder = std::env::temp_dir().join(format!("motcua-at-rest-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let learned = learn(&options.program.canonicalize()?, &folder);
    fs::remove_dir_all(&folder)?;
    let list = list(&learned?);
    println!("{} names of functions", list.lines().count());
    fs::write(workspace.root.join(LIST), list)?;
    Ok(true)
}

/// Founds the nation, has one of its nodes start again and wait, and gives the symbols of what it ran.
fn learn(program: &Path, folder: &Path) -> anyhow::Result<BTreeSet<String>> {
    let mut nation = Command::new(program);
    nation.args(["demo", "--nation", "--port", "0", "--dossiers", "3", "--data"]);
    stop(started(nation.arg(folder), SERVES)?)?;

    let calls = folder.join("calls");
    let home = folder.join(NODE);
    let mut node = Command::new("valgrind");
    node.args(["--tool=callgrind", "--demangle=no"]);
    node.arg(format!("--callgrind-out-file={}", calls.display()));
    node.arg(program).args(["serve", "--config", "motcua.toml"]);
    let node = node.current_dir(&home).spawn().context("valgrind")?;
    thread::sleep(RUNS);
    stop(node)?;

    let calls = fs::read_to_string(&calls).context("what Valgrind has written")?;
    let ran: HashSet<&str> = calls.lines().filter_map(called).collect();
    let symbols = run::output(
        Command::new("nm")
            .args(["--defined-only", "--format=posix"])
            .arg(program),
    )?;
    let names = symbols.lines().filter_map(|line| line.split(' ').next());
    Ok(names.filter(|name| ran.contains(name)).map(str::to_owned).collect())
}

/// `fn=(7) name` and `cfn=(7) name`, at the first mention of a function; `'2` behind it counts recursion.
fn called(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("cfn=(").or_else(|| line.strip_prefix("fn=("))?;
    let (_, name) = rest.split_once(") ")?;
    Some(name.split('\'').next().unwrap_or(name))
}

/// A line for each name: without the hash in which Rust's symbols end, `_ZN…17h0123456789abcdefE`, then the hashes of its instances.
fn list(symbols: &BTreeSet<String>) -> String {
    let mut names: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for symbol in symbols {
        let (name, hash) = split(symbol).unwrap_or((symbol, ""));
        names.entry(name).or_default().push(hash);
    }
    let mut text = String::new();
    for (name, hashes) in names {
        let _ = writeln!(text, "{}", format!("{name} {}", hashes.join(" ")).trim_end());
    }
    text
}

fn split(symbol: &str) -> Option<(&str, &str)> {
    let (name, hash) = symbol.strip_suffix('E')?.rsplit_once("17h")?;
    let is_hash = hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit());
    is_hash.then_some((name, hash))
}

/// Starts a program and waits until it says something.
fn started(command: &mut Command, says: &str) -> anyhow::Result<Child> {
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("{command:?}"))?;
    let mut said = BufReader::new(child.stdout.take().context("its output")?);
    let mut line = String::new();
    while !line.contains(says) {
        line.clear();
        let more = said.read_line(&mut line)? > 0;
        anyhow::ensure!(more, "{command:?} ended before it said “{says}”");
    }
    // What it says later is let go, so that it is never kept from going on.
    thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
    Ok(child)
}

/// Asks a program to stop, and waits until it has.
fn stop(mut child: Child) -> anyhow::Result<()> {
    run::output(Command::new("kill").args(["-TERM", &child.id().to_string()]))?;
    let status = child.wait()?;
    anyhow::ensure!(status.success(), "it ended with {status}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_named_once() {
        assert_eq!(called("fn=(12) _ZN4core3ptr17hffE"), Some("_ZN4core3ptr17hffE"));
        assert_eq!(called("cfn=(3) walk'2"), Some("walk"));
        assert_eq!(called("fn=(12)"), None);
        assert_eq!(called("calls=1 0x10"), None);
    }

    #[test]
    fn instances_of_one_name_share_a_line() {
        let symbols = [
            "_ZN3one17h0123456789abcdefE",
            "_ZN3one17hfedcba9876543210E",
            "malloc",
            "_ZN3two17hxE",
        ];
        let list = list(&symbols.map(str::to_owned).into());
        assert_eq!(
            list,
            "_ZN3one 0123456789abcdef fedcba9876543210\n_ZN3two17hxE\nmalloc\n"
        );
    }
}
