//! `motcua question …`: check the folder of an approved question; and those of the configuration.

use std::{path::PathBuf, process::ExitCode};

use base::Lang;
use clap::Subcommand;
use registry::question::{Question, check};

use crate::{cli::say, config::Config};

/// Approved questions.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Judge a folder; says place and what to do.
    Check {
        /// The folder.
        folder: PathBuf,
        /// Findings as JSON.
        #[arg(long)]
        json: bool,
        /// In English.
        #[arg(long)]
        en: bool,
    },
}

/// Carries out a command.
///
/// # Errors
/// What went wrong, for the operator.
pub fn run(command: &Command) -> anyhow::Result<ExitCode> {
    let Command::Check { folder, json, en } = command;
    let (_, report) = check(folder);
    say(&if *json {
        serde_json::to_string_pretty(&report)? + "\n"
    } else {
        report.human(if *en { Lang::En } else { Lang::Vi })
    })?;
    Ok(if report.ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The questions of a configuration.
///
/// # Errors
/// A folder that does not pass its check, with every finding; two of one code.
pub fn load(config: &Config) -> anyhow::Result<Vec<Question>> {
    let mut questions: Vec<Question> = Vec::new();
    for folder in &config.questions {
        let (question, report) = check(folder);
        let Some(question) = question else {
            anyhow::bail!("{}: {}", folder.display(), report.human(Lang::En));
        };
        if questions.iter().any(|other| other.code == question.code) {
            anyhow::bail!("{}: the question {} is there already", folder.display(), question.code);
        }
        questions.push(question);
    }
    Ok(questions)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_question_of_this_repository_is_good() {
        let folders = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../questions"));
        let folders: Vec<PathBuf> = folders
            .expect("the folder")
            .flatten()
            .map(|entry| entry.path())
            .collect();
        assert!(folders.len() >= 3);
        for folder in folders {
            let (question, report) = check(&folder);
            assert!(report.findings.is_empty(), "{}", report.human(Lang::En));
            assert!(question.is_some());
            let command = Command::Check {
                folder,
                json: false,
                en: true,
            };
            assert_eq!(run(&command).expect("said"), ExitCode::SUCCESS);
        }
    }
}
