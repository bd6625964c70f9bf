//! How far a long piece of work has come: a bar on a terminal, else a line in the log now and then. Both on standard error.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Between two lines in the log.
const QUIET: Duration = Duration::from_secs(10);

/// Work with a known number of bytes, or none.
pub struct Bar {
    bar: ProgressBar,
    told: Instant,
}

impl Bar {
    /// Begins.
    ///
    /// # Errors
    /// The template of the bar is wrong: ours to mend.
    pub fn new() -> anyhow::Result<Self> {
        let style = ProgressStyle::with_template("{msg} {wide_bar} {percent} % {elapsed}")?;
        Ok(Self {
            bar: ProgressBar::new(0).with_style(style),
            told: Instant::now(),
        })
    }

    /// Says what is done, how far it is, in bytes, and how many rows or files that is. Where the bytes are not known they are 0.
    pub fn set(&mut self, what: &'static str, bytes: u64, of: u64, rows: u64) {
        self.bar.set_message(format!("{what} {rows}"));
        self.bar.set_length(of);
        self.bar.set_position(bytes);
        if self.bar.is_hidden() && self.told.elapsed() >= QUIET {
            self.told = Instant::now();
            tracing::info!(rows, bytes, of, "{what}");
        }
    }

    /// Takes the bar away.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// The threads of this machine.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
