//! `motcua proposal …`: check the folder of a rule by which people are proposed to; and those of the configuration.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::Context as _;
use base::Lang;
use clap::Subcommand;
use dossier::proposal::{Around, Rule, check};
use procedure::{
    package::Package,
    reference::{Procedure, Published, Source},
};
use registry::question::Question;

use crate::{cli::say, config::Config, packages};

/// Rules by which people are proposed to.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Judge a folder; says place and what to do.
    Check {
        /// The folder.
        folder: PathBuf,
        /// The folder of the approved questions; beside the folder of rules by default.
        #[arg(long)]
        questions: Option<PathBuf>,
        /// Findings as JSON.
        #[arg(long)]
        json: bool,
        /// In English.
        #[arg(long)]
        en: bool,
    },
}

/// Carries out a command. A rule is judged against the packages and the published catalogue of this build.
///
/// # Errors
/// What went wrong, for the operator.
pub fn run(command: &Command) -> anyhow::Result<ExitCode> {
    let Command::Check {
        folder,
        questions,
        json,
        en,
    } = command;
    let beside = || folder.join("../../questions");
    let questions = questions_in(&questions.clone().unwrap_or_else(beside))?;
    let (packages, published) = (built_in()?, published()?);
    let around = Around {
        questions: &questions,
        packages: &packages,
        published: &published,
    };
    let (_, report) = check(folder, &around);
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

/// The good questions of a folder; what is wrong with the others is told by `motcua question check`.
fn questions_in(folder: &Path) -> anyhow::Result<Vec<Question>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let good = entries
        .flatten()
        .filter(|entry| entry.path().join(registry::question::FILE).exists())
        .filter_map(|entry| registry::question::check(&entry.path()).0);
    Ok(good.collect())
}

fn built_in() -> anyhow::Result<Vec<Arc<Package>>> {
    let packages = packages::built_in()?;
    let compiled = packages
        .iter()
        .map(|files| Ok(Package::from_files(files, &packages::options())?));
    compiled.collect()
}

fn published() -> anyhow::Result<Vec<Procedure>> {
    Ok(Published::from_source(&Source::embedded())?.procedures)
}

/// The rules of a configuration, judged against its questions and the packages that are in force at its node.
///
/// # Errors
/// A folder that does not pass its check, with every finding; two of one code.
pub fn load(config: &Config, questions: &[Question], packages: &[Arc<Package>]) -> anyhow::Result<Vec<Rule>> {
    if config.proposals.is_empty() {
        return Ok(Vec::new());
    }
    let mut all = built_in()?;
    all.retain(|package| packages.iter().all(|other| other.id.code != package.id.code));
    all.extend(packages.iter().cloned());
    let published = published()?;
    let around = Around {
        questions,
        packages: &all,
        published: &published,
    };
    let mut rules: Vec<Rule> = Vec::new();
    for folder in &config.proposals {
        let (rule, report) = check(folder, &around);
        let Some(rule) = rule else {
            anyhow::bail!("{}: {}", folder.display(), report.human(Lang::En));
        };
        if rules.iter().any(|other| other.code == rule.code) {
            anyhow::bail!("{}: the rule {} is there already", folder.display(), rule.code);
        }
        rules.push(rule);
    }
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders() -> Vec<PathBuf> {
        let folders = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proposals"));
        folders
            .expect("the folder")
            .flatten()
            .map(|entry| entry.path())
            .collect()
    }

    #[test]
    fn every_rule_of_this_repository_is_good() {
        let folders = folders();
        assert!(folders.len() >= 4);
        for folder in folders {
            let command = Command::Check {
                folder,
                questions: None,
                json: false,
                en: true,
            };
            assert_eq!(run(&command).expect("said"), ExitCode::SUCCESS, "{command:?}");
        }
    }

    #[test]
    fn no_procedure_that_can_be_filed_here_may_be_done_by_the_state_itself() {
        let folder = tempfile::tempdir().expect("a folder");
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proposals/residence-behind");
        let to = folder.path().join("residence-behind");
        std::fs::create_dir(&to).expect("made");
        std::fs::copy(from.join("writes.toml"), to.join("writes.toml")).expect("copied");
        let text = std::fs::read_to_string(from.join("proposal.toml")).expect("a rule");
        let questions = questions_in(&from.join("../../questions")).expect("questions");
        let (packages, published) = (built_in().expect("packages"), published().expect("a catalogue"));
        let around = Around {
            questions: &questions,
            packages: &packages,
            published: &published,
        };
        for package in &packages {
            let other = text.replace("1.010039", &package.id.code);
            std::fs::write(to.join("proposal.toml"), other).expect("written");
            let (rule, report) = check(&to, &around);
            assert!(rule.is_none() && report.has("act-signature"), "{}", package.id);
        }
    }
}
