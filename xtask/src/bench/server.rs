//! The program under test: its configuration, its data, its process, its memory.

use std::{
    fs,
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::Context;

use super::{
    load::Connection,
    workload::{Program, Values, fill},
};
use crate::{ports, postgres::Cluster, run};

/// A program with a database, not yet running.
#[derive(Debug)]
pub struct Site {
    binary: PathBuf,
    folder: PathBuf,
    values: Values,
    /// Where it will listen.
    pub address: SocketAddr,
}

impl Site {
    /// Writes the configuration of a program that keeps its data in `folder`.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn new(
        program: &Program,
        binary: &Path,
        folder: &Path,
        size: u64,
        cluster: Option<&Cluster>,
    ) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let address = SocketAddr::from(([127, 0, 0, 1], ports::free()?));
        let mut values = Values::from([
            ("data".to_owned(), folder.display().to_string()),
            ("port".to_owned(), address.port().to_string()),
            ("size".to_owned(), size.to_string()),
            ("config".to_owned(), folder.join("motcua.toml").display().to_string()),
        ]);
        let (database, seeding) = match cluster {
            Some(cluster) => {
                values.insert(
                    "postgres".to_owned(),
                    cluster.create_database(&format!("bench_{size}"))?,
                );
                (fill(&program.postgres, &values), program.seed_postgres.as_str())
            }
            None => (fill(&program.sqlite, &values), ""),
        };
        values.insert("seed_database".to_owned(), format!("{database}{seeding}"));
        values.insert("database".to_owned(), database);
        fs::write(folder.join("motcua.toml"), fill(&program.config, &values))?;
        Ok(Self {
            binary: binary.to_path_buf(),
            folder: folder.to_path_buf(),
            values,
            address,
        })
    }

    /// Runs a command of the program to its end and returns what it printed.
    ///
    /// # Errors
    /// When it fails.
    pub fn command(&self, words: &[String]) -> anyhow::Result<String> {
        run::output(&mut self.program(words))
    }

    fn program(&self, words: &[String]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(words.iter().map(|w| fill(w, &self.values)))
            .current_dir(&self.folder);
        command
    }

    /// Starts it and waits for its first good answer.
    ///
    /// # Errors
    /// When it ends, or is not ready within two minutes.
    pub fn start(&self, program: &Program) -> anyhow::Result<Server> {
        let log = fs::File::create(self.folder.join("server.log"))?;
        let mut command = self.program(&program.serve);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let start = Instant::now();
        let mut child = command
            .spawn()
            .with_context(|| format!("starting {}", self.binary.display()))?;
        let ask = format!("GET {} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n", program.ready);
        loop {
            let open = TcpStream::connect(self.address).is_ok();
            if open
                && Connection::new(self.address)
                    .ask(ask.as_bytes())
                    .is_ok_and(|a| a.status == 200)
            {
                return Ok(Server {
                    child,
                    first_answer: start.elapsed(),
                });
            }
            if let Some(status) = child.try_wait()? {
                let log = fs::read_to_string(self.folder.join("server.log")).unwrap_or_default();
                anyhow::bail!("the server ended with {status}; it said:\n{log}");
            }
            if start.elapsed() > Duration::from_secs(120) {
                let _ = child.kill();
                let _ = child.wait();
                anyhow::bail!("the server was not ready within two minutes");
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Bytes of the data folder.
    pub fn disk(&self) -> u64 {
        size_of(&self.folder)
    }
}

fn size_of(folder: &Path) -> u64 {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|e| {
            if e.path().is_dir() {
                size_of(&e.path())
            } else {
                e.metadata().map_or(0, |m| m.len())
            }
        })
        .sum()
}

/// A running program. Dropping it stops it, gracefully at first.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// From the start of the process to its first good answer.
    pub first_answer: Duration,
}

impl Server {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once, as the system does that has no memory left.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        let asked = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        let give_up = Instant::now() + Duration::from_secs(30);
        while asked.is_ok() && Instant::now() < give_up && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(10));
        }
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Starts to measure the peak anew. Needs Linux; elsewhere the peak is that since the start.
pub fn reset_peak(pid: u32) {
    let _ = fs::write(format!("/proc/{pid}/clear_refs"), "5");
}

/// Peak resident memory of one process since `reset_peak`, in MB (10^6 bytes).
pub fn peak(pid: u32) -> f64 {
    status(pid, "VmHWM:")
}

/// Resident memory of one process now, in MB.
pub fn resident(pid: u32) -> f64 {
    status(pid, "VmRSS:")
}

/// Of that, what is the process's own, in MB: without the pages of its program and of other files.
pub fn own(pid: u32) -> f64 {
    status(pid, "RssAnon:")
}

fn status(pid: u32, field: &str) -> f64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    kilobytes(&text, field)
}

/// Memory of a process and its children in MB, shared pages divided among their users: what a database of processes takes.
pub fn proportional(pid: u32) -> f64 {
    let children = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let child: u32 = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            // The name in brackets may hold anything; the parent is the second word after it.
            let parent: u32 = stat.rsplit_once(") ")?.1.split_whitespace().nth(1)?.parse().ok()?;
            (parent == pid).then_some(child)
        });
    children
        .chain([pid])
        .map(|p| {
            kilobytes(
                &fs::read_to_string(format!("/proc/{p}/smaps_rollup")).unwrap_or_default(),
                "Pss:",
            )
        })
        .sum()
}

fn kilobytes(text: &str, field: &str) -> f64 {
    let line = text.lines().find_map(|l| l.strip_prefix(field)).unwrap_or_default();
    let number: f64 = line
        .split_whitespace()
        .next()
        .and_then(|n| n.parse().ok())
        .unwrap_or(0.0);
    number * 1024.0 / 1e6
}

/// Median time of a small write that is forced to disk, in microseconds: the floor under every acknowledged write.
///
/// # Errors
/// When the folder cannot be written.
pub fn sync_floor(folder: &Path) -> anyhow::Result<u128> {
    use std::io::Write;
    let path = folder.join("sync-floor");
    let mut file = fs::File::create(&path)?;
    let mut times = Vec::new();
    for _ in 0..200 {
        let start = Instant::now();
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
        times.push(start.elapsed().as_micros());
    }
    fs::remove_file(&path)?;
    times.sort_unstable();
    times.get(times.len() / 2).copied().context("no times")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read() {
        assert!((kilobytes("Rss: 5 kB\nPss:   1000 kB\n", "Pss:") - 1.024).abs() < 1e-9);
        assert!(resident(std::process::id()) > 0.5);
        assert!(peak(std::process::id()) >= resident(std::process::id()) * 0.5);
        assert!(proportional(std::process::id()) > 0.1);
    }
}
