//! `motcua link`: records of the same person in one or two files, with a bar for each stage.

use std::process::ExitCode;

use base::Lang;
use indicatif::{ProgressBar, ProgressStyle};
use linkage::command::{Options, Stage, run};

use crate::cli::{say, tell};

/// Hundredths of a per cent, of which a bar knows only whole ones.
const STEPS: f64 = 10_000.0;

/// Links, and prints what was done, or every problem at its place.
///
/// # Errors
/// A failure of ours, or a terminal that cannot be written to.
pub fn link(options: &Options) -> anyhow::Result<ExitCode> {
    let lang = if options.en { Lang::En } else { Lang::Vi };
    let style = ProgressStyle::with_template("{msg} {wide_bar} {percent} % {elapsed}")?;
    let bar = ProgressBar::new(STEPS as u64).with_style(style);
    let mut stage: Option<Stage> = None;
    let outcome = run(options, |now, share| {
        if stage.replace(now) != Some(now) {
            bar.set_message(now.text(lang));
        }
        bar.set_position((share * STEPS) as u64);
    });
    bar.finish_and_clear();
    match outcome {
        Ok(report) => {
            say(&format!("{}\n", report.lines(lang).join("\n")))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => tell(error.into(), lang),
    }
}
