//! One node as a process of its own.

use std::{
    fs,
    io::{Seek as _, SeekFrom},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail};
use tokio::process::{ChildStdin, Command};

use super::folder::NodeFolder;

/// How long a node may take until it serves.
const STARTING: Duration = Duration::from_secs(120);
/// How long it may take to stop before it is ended.
const STOPPING: Duration = Duration::from_secs(25);
/// The end of its log that is shown when it does not start, in bytes.
const SHOWN: u64 = 2_000;

/// A running node. It stops when this is dropped, and when this process ends in any way: its standard input ends then.
#[derive(Debug)]
pub struct Child {
    /// Whose node.
    pub node: NodeFolder,
    process: tokio::process::Child,
    input: Option<ChildStdin>,
}

impl Child {
    /// Starts a node. What it says goes into the log of its folder.
    ///
    /// # Errors
    /// It cannot be started, or its files cannot be written.
    pub fn spawn(node: NodeFolder) -> anyhow::Result<Self> {
        let path = node.log();
        let log = fs::OpenOptions::new().create(true).append(true).open(&path);
        let log = log.with_context(|| format!("writing {}", path.display()))?;
        let mut command = Command::new(std::env::current_exe().context("the name of this program")?);
        command
            .args(["serve", "--migrate", "--until-input-ends", "--config"])
            .arg(node.settings())
            .env_remove("MOTCUA_DATABASE")
            .env("NO_COLOR", "1")
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true);
        // Ctrl+C is for this process, which then stops the nodes in order.
        #[cfg(unix)]
        command.process_group(0);
        let mut process = command.spawn().context("starting a node")?;
        if let Some(id) = process.id() {
            fs::write(node.pid(), format!("{id}\n")).with_context(|| format!("writing {}", node.pid().display()))?;
        }
        let input = process.stdin.take();
        Ok(Self { node, process, input })
    }

    /// Waits until it serves.
    ///
    /// # Errors
    /// It has ended, or takes too long: with the end of its log.
    pub async fn ready(&mut self, http: &reqwest::Client) -> anyhow::Result<()> {
        let url = format!("{}/healthz", self.node.url());
        let begun = tokio::time::Instant::now();
        loop {
            if let Some(status) = self.process.try_wait()? {
                bail!("{} ended ({status}):\n{}", self.node.agency.name.0, self.last_words());
            }
            if http
                .get(&url)
                .send()
                .await
                .is_ok_and(|answer| answer.status().is_success())
            {
                return Ok(());
            }
            if begun.elapsed() > STARTING {
                bail!("{} does not serve:\n{}", self.node.agency.name.0, self.last_words());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn last_words(&self) -> String {
        let read = || -> std::io::Result<String> {
            let mut file = fs::File::open(self.node.log())?;
            let from = file.metadata()?.len().saturating_sub(SHOWN);
            file.seek(SeekFrom::Start(from))?;
            std::io::read_to_string(file)
        };
        read().unwrap_or_else(|error| format!("{}: {error}", self.node.log().display()))
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// The system does not tell.
    pub async fn ended(&mut self) -> std::io::Result<ExitStatus> {
        // The input is not its own any more, so it stays open.
        self.process.wait().await
    }

    /// Stops it: requests in hand are finished.
    ///
    /// # Errors
    /// It had to be ended, or could not.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        drop(self.input.take());
        let stopped = tokio::time::timeout(STOPPING, self.process.wait()).await;
        let _ = fs::remove_file(self.node.pid());
        match stopped {
            Ok(status) => {
                status?;
                Ok(())
            }
            Err(_) => {
                self.process.kill().await?;
                bail!(
                    "{} did not stop within {STOPPING:?} and was ended",
                    self.node.agency.name.0
                )
            }
        }
    }
}
