//! `motcua registry …`: check a registry's folder, publish it to a node, hold a database against the dictionary, take in files, fill
//! registries with an invented country.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::Context as _;
use base::{Clock as _, Lang, Problems, time::SystemClock};
use clap::Subcommand;
use procedure::reference::Reference;
use registry::{
    coverage, folder,
    shelf::{Publication, Shelf},
};

use crate::{
    cli::say,
    config::Config,
    imports::Import,
    node::{MIGRATIONS, open_store, reference},
    populate::Populate,
};

/// Registries.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Judge a folder; says file, place and what to do.
    Check {
        /// The folder, with the dictionary beside it.
        folder: PathBuf,
        /// Findings as JSON.
        #[arg(long)]
        json: bool,
        /// In English.
        #[arg(long)]
        en: bool,
    },
    /// Publish a folder to a node as the newest version; says what it breaks.
    Publish {
        /// The folder, with the dictionary beside it.
        folder: PathBuf,
        /// The configuration.
        #[arg(long)]
        config: PathBuf,
        /// In English.
        #[arg(long)]
        en: bool,
    },
    /// Hold the schema of a database against the common data dictionary: which term each column may be, and how many per cent are covered.
    Scan {
        /// CREATE TABLE statements (PostgreSQL, MySQL, SQL Server, Oracle), or information_schema.columns as CSV.
        schema: PathBuf,
        /// The folder of the dictionary.
        #[arg(long)]
        dictionary: PathBuf,
        /// As JSON.
        #[arg(long)]
        json: bool,
        /// In English.
        #[arg(long)]
        en: bool,
    },
    /// Take a legacy file into a registry; every bad row is reported by line and field.
    Import(Import),
    /// Fill the registries of a node with an invented country and its history.
    Country(Populate),
}

/// Carries out a command.
///
/// # Errors
/// What went wrong, for the operator.
pub async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Check { folder, json, en } => {
            let (_, report) = folder::check(&folder, &Arc::new(Reference::embedded()?));
            say(&if json {
                serde_json::to_string_pretty(&report)? + "\n"
            } else {
                report.human(lang(en))
            })?;
            Ok(if report.ok() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            })
        }
        Command::Publish { folder, config, en } => publish(&folder, &config, lang(en)).await,
        Command::Scan {
            schema,
            dictionary,
            json,
            en,
        } => scan(&schema, &dictionary, json, lang(en)),
        Command::Import(import) => import.run().await,
        Command::Country(populate) => populate.run().await,
    }
}

const fn lang(en: bool) -> Lang {
    if en { Lang::En } else { Lang::Vi }
}

fn scan(schema: &Path, dictionary: &Path, json: bool, lang: Lang) -> anyhow::Result<ExitCode> {
    let vocabulary = match folder::vocabulary(dictionary) {
        Ok(vocabulary) => vocabulary,
        Err(report) => {
            say(&report.human(lang))?;
            return Ok(ExitCode::FAILURE);
        }
    };
    match coverage::of(schema, &vocabulary) {
        Ok(covered) => {
            say(&if json {
                serde_json::to_string_pretty(&covered)? + "\n"
            } else {
                covered.human(lang)
            })?;
            Ok(ExitCode::SUCCESS)
        }
        Err(base::Error::Refused(_, problems)) => {
            refused(&problems, lang)?;
            Ok(ExitCode::FAILURE)
        }
        Err(error) => Err(error).context("scanning"),
    }
}

fn refused(problems: &Problems, lang: Lang) -> anyhow::Result<()> {
    for problem in problems {
        let at = if problem.at.is_empty() {
            String::new()
        } else {
            format!("{}: ", problem.at)
        };
        say(&format!("{at}{} [{}]\n", problem.text.get(lang), problem.code))?;
    }
    Ok(())
}

async fn publish(folder: &Path, config: &Path, lang: Lang) -> anyhow::Result<ExitCode> {
    let config = Config::read(config)?;
    let reference = Arc::new(reference(&config)?);
    let (registry, report) = folder::check(folder, &reference);
    say(&report.human(lang))?;
    let Some(registry) = registry else {
        return Ok(ExitCode::FAILURE);
    };
    let store = open_store(&config).await?;
    let pending = store.pending(MIGRATIONS).await?;
    if !pending.is_empty() {
        anyhow::bail!("the database lacks {}; run `motcua migrate` first", pending.join(", "));
    }
    let shelf = Shelf::open(store.clone(), reference).await?;
    let published = shelf
        .publish(registry.files(), "motcua registry publish", SystemClock.now())
        .await;
    store.close().await;
    match published {
        Ok(publication) => {
            say(&told(&publication, lang))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(base::Error::Refused(_, problems)) => {
            refused(&problems, lang)?;
            Ok(ExitCode::FAILURE)
        }
        Err(error) => Err(error).context("publishing"),
    }
}

fn told(publication: &Publication, lang: Lang) -> String {
    let (code, version) = (&publication.registry.code, publication.registry.version);
    let mut out = String::new();
    for found in &publication.breaks {
        let how = match (found.migrated, found.of_callers) {
            (true, _) => lang.t("đã có chuyển đổi", "migrated"),
            (false, true) => lang.t("báo cho bên khai thác", "tell those who ask"),
            (false, false) => lang.t("chưa có chuyển đổi", "not migrated"),
        };
        out += &format!("{}: {} ({how}) [{}]\n", found.at, found.text.get(lang), found.code);
    }
    out.push_str(&match (publication.is_new, lang) {
        (true, Lang::Vi) => format!("Đã công bố {code}, phiên bản {version}.\n"),
        (true, Lang::En) => format!("Published {code}, version {version}.\n"),
        (false, Lang::Vi) => format!("{code} phiên bản {version} đã công bố từ trước, không có gì thay đổi.\n"),
        (false, Lang::En) => format!("{code} version {version} was published before; nothing has changed.\n"),
    });
    out
}
