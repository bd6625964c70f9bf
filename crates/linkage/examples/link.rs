//! `motcua link` by itself, for measuring: `cargo run --release -p linkage --example link -- --help`.

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
    let report = run(&cli.options, |now, _| {
        if stage.replace(now) != Some(now) {
            eprintln!("{:8.3} s  {}", started.elapsed().as_secs_f64(), now.text(lang));
        }
    });
    match report {
        Ok(report) => {
            eprintln!("{:8.3} s", started.elapsed().as_secs_f64());
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
