//! A body of ten thousand million bytes through two real gateways, there and back: what it takes of memory and time, that it comes
//! as it went, and that what is too large or does not come is refused.

use std::{
    io::Write,
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use clap::Args;

use crate::{
    bench::server::{peak, reset_peak, resident},
    run::Outcome,
    trouble::{
        chance::Chance,
        clients, pour,
        town::{ANSWERS, ASKS, Ground, Node, PURPOSE, Place, Town},
        wire,
    },
    workspace::Workspace,
};

/// Longer than a gateway waits for a piece of a body (30 s): then it gives the connection up.
const GIVEN_UP: Duration = Duration::from_secs(45);
/// How much more memory a node may take for a body of any size, MB.
const MORE: f64 = 96.0;
/// The largest body that a gateway takes, if the configuration does not say otherwise: 10 GiB.
const LARGEST: u64 = 10 << 30;

/// How large.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Bytes of the body, in millions: 10000 is the aim. So much must be free on the disk.
    #[arg(long, default_value_t = 1_000)]
    megabytes: u64,
    /// The program; without it the one that was built last.
    #[arg(long)]
    binary: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            megabytes: 1_000,
            binary: None,
        }
    }
}

/// Sends it there and back and prints what it took.
///
/// # Errors
/// When the nodes cannot be founded.
pub fn check(workspace: &Workspace, options: &Options) -> anyhow::Result<Outcome> {
    let bytes = options.megabytes * 1_000_000;
    anyhow::ensure!(
        (1..=LARGEST).contains(&bytes),
        "--megabytes: 1 to {}",
        LARGEST / 1_000_000
    );
    let binary = match &options.binary {
        Some(binary) => std::path::absolute(binary)?,
        None => workspace.metadata()?.target_directory.join("debug/motcua"),
    };
    let folder = workspace.root.join("target/large");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder)?;
    let outcome = pass(&binary, &folder, bytes);
    let _ = std::fs::remove_dir_all(&folder);
    outcome
}

fn pass(binary: &Path, folder: &Path, bytes: u64) -> anyhow::Result<Outcome> {
    let (here, there) = (Place::here(), Place::here());
    let ground = Ground {
        binary,
        folder,
        here,
        there,
    };
    let town = Town::found(&ground)?;
    let edge = town.consumer.edge;
    let nodes = [("consumer", &town.consumer), ("provider", &town.provider)];
    let mut wrong = Vec::new();
    // While the large ones pass.
    let dawdling = std::thread::spawn(move || dawdle(edge));
    for (way, method) in [("there", "POST"), ("back", "GET")] {
        let mut before = Vec::new();
        for (_, node) in nodes {
            reset_peak(node.pid()?);
            before.push(resident(node.pid()?));
        }
        let begun = Instant::now();
        let went = transfer(edge, method, bytes);
        let took = begun.elapsed().as_secs_f64();
        let mut said = format!(
            "  {} MB {way}: {took:.1} s, {:.0} MB/s",
            bytes / 1_000_000,
            bytes as f64 / 1e6 / took
        );
        for ((name, node), before) in nodes.into_iter().zip(before) {
            let most = memory(node)?;
            said.push_str(&format!("; {name}: {before:.0} MB before, {most:.0} MB at most"));
            if most > before + MORE {
                wrong.push(format!("{way}: the {name}'s node took {:.0} MB more", most - before));
            }
        }
        println!("{said}");
        if let Err(error) = went {
            wrong.push(format!("{way}: {error:#}"));
        }
    }
    for (name, node) in nodes {
        let left = std::fs::read_dir(node.data.join("exchange/spill"))?.count();
        if left > 0 {
            wrong.push(format!("{left} files are left in the spill of the {name}'s node"));
        }
    }
    if let Err(error) = too_large(edge) {
        wrong.push(format!("a body over the limit: {error:#}"));
    }
    match dawdling.join() {
        Ok(Ok(after)) => println!(
            "  a body that stopped coming was given up after {:.1} s",
            after.as_secs_f64()
        ),
        Ok(Err(error)) => wrong.push(format!("a body that stops coming: {error:#}")),
        Err(_) => wrong.push("a body that stops coming: the test itself failed".to_owned()),
    }
    Ok(Outcome::of_findings(6, &wrong))
}

/// The most memory of a node since the peak was reset, MB.
fn memory(node: &Node) -> anyhow::Result<f64> {
    Ok(peak(node.pid()?))
}

/// The head of a call to the service that pours.
fn head(method: &str, pour: u64, length: u64, id: &str) -> String {
    let person = clients::person(1);
    format!(
        "{method} /r1/{ANSWERS}/persons/persons/{person}?pour={pour} HTTP/1.1\r\nhost: edge\r\nconnection: close\r\n\
         x-road-client: {ASKS}\r\nx-road-id: {id}\r\nx-motcua-purpose: {PURPOSE}\r\n\
         content-type: application/octet-stream\r\ncontent-length: {length}\r\n\r\n"
    )
}

fn connect(edge: SocketAddr, patience: Duration) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&edge, Duration::from_secs(5))?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    Ok(stream)
}

/// Has a body pass: with a `POST` from here to the system, which compares it; with a `GET` the other way.
fn transfer(edge: SocketAddr, method: &str, bytes: u64) -> anyhow::Result<()> {
    // A gateway holds an answer back until all of it is verified.
    let mut stream = connect(edge, Duration::from_secs(60 + bytes / 5_000_000))?;
    let id = Chance::new(bytes).uuid();
    let sent = if method == "POST" { bytes } else { 0 };
    stream.write_all(head(method, bytes, sent, &id).as_bytes())?;
    let written = pour::out(&mut stream, sent);
    let mut buffer = Vec::new();
    let (status, length) = wire::answer_head(&mut stream, &mut buffer)?;
    if status != 200 {
        let said = String::from_utf8_lossy(&buffer).into_owned();
        anyhow::bail!("answered {status}: {said} ({written:?})");
    }
    written?;
    if method == "GET" {
        anyhow::ensure!(
            length == Some(bytes),
            "{bytes} bytes were asked for, {length:?} are announced"
        );
        pour::check(&mut stream, &mut buffer, bytes)?;
    }
    Ok(())
}

/// One byte over the limit is refused before a byte of it.
fn too_large(edge: SocketAddr) -> anyhow::Result<()> {
    let mut stream = connect(edge, Duration::from_secs(10))?;
    stream.write_all(head("POST", LARGEST + 1, LARGEST + 1, &Chance::new(1).uuid()).as_bytes())?;
    refused(&mut stream, 400, "body-too-large")
}

/// A body that stops coming: how long until the gateway says so.
fn dawdle(edge: SocketAddr) -> anyhow::Result<Duration> {
    let mut stream = connect(edge, GIVEN_UP)?;
    let bytes = 10_000_000;
    stream.write_all(head("POST", bytes, bytes, &Chance::new(2).uuid()).as_bytes())?;
    pour::out(&mut stream, bytes / 2)?;
    let begun = Instant::now();
    refused(&mut stream, 400, "body-too-slow")?;
    Ok(begun.elapsed())
}

/// Whether the answer is a refusal that names what is wrong.
fn refused(stream: &mut TcpStream, expected: u16, code: &str) -> anyhow::Result<()> {
    let answer = wire::read(stream, &mut Vec::new(), wire::Side::Client)?;
    let answer = answer.ok_or_else(|| anyhow::anyhow!("closed without an answer"))?;
    let said = answer.text();
    anyhow::ensure!(
        answer.status() == expected && said.contains(code),
        "answered {}: {said}",
        answer.status()
    );
    Ok(())
}
