//! `motcua link` by itself, for measuring: `cargo run --release -p linkage --example link -- --help`. At the beginning of each
//! stage and at the end it tells how long it has run, how many CPU seconds were used and, on Linux, how much memory at most.

use clap::Parser;
use linkage::command::{Options, run};
use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    options: Options,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let lang = if cli.options.en { base::Lang::En } else { base::Lang::Vi };
    let mut stage = None;
    let started = Instant::now();
    let tell = |what: &str| {
        let used = used().map_or_else(String::new, |(cpu, memory)| format!("{cpu:8.2} CPU s  {memory:6.0} MB"));
        eprintln!("{:8.3} s  {used}  {what}", started.elapsed().as_secs_f64());
    };
    let report = run(&cli.options, |now, _| {
        if stage.replace(now) != Some(now) {
            tell(now.text(lang));
        }
    });
    match report {
        Ok(report) => {
            tell("");
            let text = report.lines(lang).join("\n");
            match writeln!(std::io::stdout(), "{text}") {
                Ok(()) => ExitCode::SUCCESS,
                Err(_) => ExitCode::FAILURE,
            }
        }
        Err(error) => {
            for problem in error.problems().into_iter().flatten() {
                eprintln!("{} {}: {}", problem.code, problem.at, problem.text.get(lang));
            }
            if error.problems().is_none() {
                eprintln!("{error}");
            }
            ExitCode::FAILURE
        }
    }
}

/// The CPU seconds of all threads so far, and the most memory that was ever used, in megabytes, as Linux tells them.
fn used() -> Option<(f64, f64)> {
    let times = std::fs::read_to_string("/proc/self/stat").ok()?;
    // After the name, which stands in brackets: the 14th and 15th field of all, in hundredths of a second.
    let (_, fields) = times.rsplit_once(')')?;
    let ticks = |field: &str| field.parse::<f64>().ok();
    let mut fields = fields.split_whitespace().skip(11);
    let cpu = ticks(fields.next()?)? + ticks(fields.next()?)?;
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = peak.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some((cpu / 100.0, kilobytes / 1000.0))
}
