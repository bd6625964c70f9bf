//! Running commands and saying what came of them.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use anyhow::Context;

/// Findings printed of one phase.
const SHOWN: usize = 40;

/// What one phase came to.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Tests or checks that held.
    pub passed: u64,
    /// Those that did not. A command that failed without saying so counts as one.
    pub failed: u64,
    /// Those not run.
    pub skipped: u64,
    /// One line that the table shows: what was left out and why.
    pub note: String,
}

impl Outcome {
    /// The outcome of checks that list what they found wrong. Prints each finding.
    pub fn of_findings(checks: u64, findings: &[String]) -> Self {
        for finding in findings.iter().take(SHOWN) {
            println!("  {finding}");
        }
        if findings.len() > SHOWN {
            println!("  … and {} more", findings.len() - SHOWN);
        }
        let failed = findings.len() as u64;
        Self {
            passed: checks.saturating_sub(failed),
            failed,
            ..Self::default()
        }
    }

    /// A phase that could not run here.
    pub fn skipped(note: impl Into<String>) -> Self {
        Self {
            skipped: 1,
            note: note.into(),
            ..Self::default()
        }
    }
}

/// The phases so far. Prints a table at the end.
#[derive(Debug, Default)]
pub struct Report {
    rows: Vec<(String, Outcome, Duration)>,
}

impl Report {
    /// Runs one phase under a heading and keeps its outcome and time.
    ///
    /// # Errors
    /// Those of `body`: what could not be tried at all.
    pub fn phase(&mut self, name: &str, body: impl FnOnce() -> anyhow::Result<Outcome>) -> anyhow::Result<bool> {
        println!("\n== {name}");
        let start = Instant::now();
        let outcome = match body() {
            Ok(outcome) => outcome,
            Err(error) => {
                println!("error: {error:#}");
                Outcome {
                    failed: 1,
                    note: format!("{error:#}"),
                    ..Outcome::default()
                }
            }
        };
        let good = outcome.failed == 0;
        self.rows.push((name.to_owned(), outcome, start.elapsed()));
        Ok(good)
    }

    /// Prints the table and the closing line; true when nothing failed and something passed.
    pub fn close(&self) -> bool {
        let width = self
            .rows
            .iter()
            .map(|(name, ..)| name.chars().count())
            .max()
            .unwrap_or(0)
            .max(5);
        println!(
            "\n{:width$}  {:>7}  {:>7}  {:>7}  {:>8}",
            "phase", "passed", "failed", "skipped", "time"
        );
        let mut sum = Outcome::default();
        for (name, outcome, time) in &self.rows {
            let Outcome {
                passed,
                failed,
                skipped,
                note,
            } = outcome;
            let time = seconds(*time);
            println!("{name:width$}  {passed:>7}  {failed:>7}  {skipped:>7}  {time:>8}  {note}");
            sum.passed += passed;
            sum.failed += failed;
            sum.skipped += skipped;
        }
        println!(
            "\n{} passed, {} failed, {} skipped",
            sum.passed, sum.failed, sum.skipped
        );
        sum.failed == 0 && sum.passed > 0
    }
}

fn seconds(time: Duration) -> String {
    let all = time.as_secs();
    if all < 60 {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        format!("{} m {:02} s", all / 60, all % 60)
    }
}

/// Runs a command, shows its output as it comes, and returns whether it succeeded and what it said (without colours).
///
/// # Errors
/// When the program cannot be started.
pub fn tee(command: &mut Command) -> anyhow::Result<(bool, String)> {
    let name = format!("{command:?}");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("cannot start {name}"))?;
    let said = Arc::new(Mutex::new(String::new()));
    let readers: Vec<_> = [
        child.stdout.take().map(|s| Box::new(s) as Box<dyn Read + Send>),
        child.stderr.take().map(|s| Box::new(s) as Box<dyn Read + Send>),
    ]
    .into_iter()
    .flatten()
    .map(|stream| {
        let said = Arc::clone(&said);
        std::thread::spawn(move || show(stream, &said))
    })
    .collect();
    let status = child.wait().with_context(|| format!("waiting for {name}"))?;
    for reader in readers {
        reader
            .join()
            .map_err(|_| anyhow::anyhow!("reading the output of {name}"))?;
    }
    let said = said.lock().map(|text| text.clone()).unwrap_or_default();
    Ok((status.success(), said))
}

fn show(stream: Box<dyn Read + Send>, said: &Mutex<String>) {
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
        let text = String::from_utf8_lossy(&line);
        let mut out = std::io::stdout().lock();
        // A closed pipe must not end the run: the exit code still matters.
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        if let Ok(mut all) = said.lock() {
            all.push_str(&plain(&text));
        }
        line.clear();
    }
}

/// Text without terminal colour sequences.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            for c in chars.by_ref() {
                if c.is_ascii_alphabetic() {
                    break;
                }
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// Reads the closing lines of cargo nextest, `cargo test` and node's test runner, added up.
pub fn count(said: &str, succeeded: bool) -> Outcome {
    let mut outcome = Outcome::default();
    // It shows what a test that failed has said, with a closing line of its own.
    let nextest = said.contains("Summary [");
    let mut second_try = Vec::new();
    for line in said.lines() {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("FLAKY ") {
            second_try.push(rest.rsplit("] ").next().unwrap_or(rest).trim());
        } else if let Some(rest) = line.strip_prefix("Summary [") {
            outcome.passed += before(rest, " passed");
            outcome.failed += before(rest, " failed") + before(rest, " timed out") + before(rest, " exec failed");
            outcome.skipped += before(rest, " skipped");
        } else if let Some(rest) = line.strip_prefix("test result:").filter(|_| !nextest) {
            outcome.passed += before(rest, " passed");
            outcome.failed += before(rest, " failed");
            outcome.skipped += before(rest, " ignored");
        } else if let Some(rest) = line.strip_prefix("ℹ ").or_else(|| line.strip_prefix("# ")) {
            let mut words = rest.split_whitespace();
            if let (Some(what), Some(Ok(n)), None) = (words.next(), words.next().map(str::parse::<u64>), words.next()) {
                match what {
                    "pass" => outcome.passed += n,
                    "fail" | "cancelled" => outcome.failed += n,
                    "skipped" | "todo" => outcome.skipped += n,
                    _ => {}
                }
            }
        }
    }
    if !second_try.is_empty() {
        second_try.sort_unstable();
        second_try.dedup();
        outcome.note = format!("only at the second try: {}", second_try.join(", "));
    }
    if !succeeded && outcome.failed == 0 {
        outcome.failed = 1;
        outcome.note = "the command failed".to_owned();
    }
    outcome
}

/// Reads the closing line of a run of this very program ([`Report::close`]), and the note of its only phase.
pub fn closing(said: &str, succeeded: bool) -> Outcome {
    let last = said
        .lines()
        .rev()
        .find(|line| line.ends_with(" skipped"))
        .unwrap_or_default();
    let note = said
        .lines()
        .rev()
        .find_map(|line| Some(line.split_once(" s  ")?.1.trim().to_owned()));
    let mut outcome = Outcome {
        passed: before(last, " passed"),
        failed: before(last, " failed"),
        skipped: before(last, " skipped"),
        note: note.unwrap_or_default(),
    };
    if !succeeded && outcome.failed == 0 {
        outcome.failed = 1;
    }
    outcome
}

fn before(text: &str, word: &str) -> u64 {
    text.find(word)
        .and_then(|end| text.get(..end))
        .and_then(|head| head.rsplit(|c: char| !c.is_ascii_digit()).next())
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(0)
}

/// Runs a command quietly and returns what it printed on standard output.
///
/// # Errors
/// When it cannot be started or fails; the message carries its standard error.
pub fn output(command: &mut Command) -> anyhow::Result<String> {
    let name = format!("{command:?}");
    let out = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {name}"))?;
    anyhow::ensure!(
        out.status.success(),
        "{name} failed: {}",
        String::from_utf8_lossy(&out.stderr).trim()
    );
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

/// The first of these programs found on the search path.
pub fn on_path(names: &[&str]) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH")?;
    names.iter().find_map(|name| {
        std::env::split_paths(&path)
            .map(|dir| dir.join(name))
            .find(|file| file.is_file())
    })
}

/// Installs packages where this is Debian and we are root; otherwise says what the person must do.
///
/// # Errors
/// When it cannot be done here.
pub fn install(packages: &[&str], what_for: &str) -> anyhow::Result<()> {
    let wanted = packages.join(" ");
    let root = output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    anyhow::ensure!(
        root && on_path(&["apt-get"]).is_some(),
        "{what_for} needs {wanted}; install it with your system's package manager (Debian: sudo apt-get install {wanted})"
    );
    println!("installing {wanted} for {what_for}");
    let apt = |args: &[&str]| {
        output(
            Command::new("apt-get")
                .args(args)
                .env("DEBIAN_FRONTEND", "noninteractive"),
        )
        .map(drop)
    };
    apt(&["-qq", "update"])?;
    let mut args = vec!["-qq", "install", "-y", "--no-install-recommends"];
    args.extend(packages);
    apt(&args)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_counted() {
        let nextest = "     Summary [   1.20s] 14 tests run: 11 passed (1 slow), 2 failed, 1 timed out, 3 skipped\n";
        assert_eq!(
            count(nextest, false),
            Outcome {
                passed: 11,
                failed: 3,
                skipped: 3,
                note: String::new()
            }
        );
        let flaky = "  TRY 1 FAIL [   0.2s] insight a::b\n    test result: FAILED. 0 passed; 1 failed; 0 ignored\n  Summary [ 1.2s] 2 tests run: 2 passed (1 flaky), 0 skipped\n   FLAKY 2/2 [   0.2s] insight a::b\n";
        assert_eq!(
            count(flaky, true),
            Outcome {
                passed: 2,
                note: "only at the second try: insight a::b".to_owned(),
                ..Outcome::default()
            }
        );
        let cargo = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out\n";
        assert_eq!(
            count(cargo, true),
            Outcome {
                passed: 3,
                failed: 0,
                skipped: 1,
                note: String::new()
            }
        );
        let node = "ℹ tests 5\nℹ pass 4\nℹ fail 1\nℹ skipped 0\nℹ duration_ms 12\n";
        assert_eq!(
            count(node, false),
            Outcome {
                passed: 4,
                failed: 1,
                skipped: 0,
                note: String::new()
            }
        );
    }

    #[test]
    fn the_closing_line_of_another_run_of_this_program_is_read() {
        let said = "\nphase    passed   failed  skipped      time\ntrouble      40        2        1    61.5 s  15 troubles\n\n40 passed, 2 failed, 1 skipped\n";
        let outcome = closing(said, false);
        assert_eq!((outcome.passed, outcome.failed, outcome.skipped), (40, 2, 1));
        assert_eq!(outcome.note, "15 troubles");
        assert_eq!(closing("", false).failed, 1);
    }

    #[test]
    fn a_command_that_fails_silently_is_a_failure() {
        assert_eq!(count("error: could not compile", false).failed, 1);
        assert_eq!(count("", true).failed, 0);
    }

    #[test]
    fn colours_are_dropped() {
        assert_eq!(plain("\u{1b}[32;1m  Summary\u{1b}[0m [ 1s]"), "  Summary [ 1s]");
    }

    #[test]
    fn output_and_exit_code_are_kept() -> anyhow::Result<()> {
        let (good, said) = tee(Command::new("sh").args(["-c", "echo one; echo two >&2; exit 3"]))?;
        assert!(!good && said.contains("one\n") && said.contains("two\n"));
        Ok(())
    }
}
