//! The command line.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use base::{Clock as _, Lang, time::SystemClock};
use clap::{Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use procedure::catalogue::import::{self, Options, Progress};

use crate::{
    backup,
    clean::Clean,
    config::Config,
    demo, exchange,
    invent::Invent,
    ledger, link,
    logging::LogFormat,
    node::{MIGRATIONS, Node, open_store},
    packages, proposals, questions, registries, seed, serve,
};

/// Một Cửa, one door: public services from application to result.
#[derive(Debug, Parser)]
#[command(name = "motcua", version, about)]
pub struct Cli {
    /// How log lines look.
    #[arg(long, global = true, value_enum, default_value = "text")]
    pub log: LogFormat,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a believable town on this machine, with one-click sign-in for each role.
    Demo(demo::Args),
    /// Serve in production.
    Serve {
        /// The configuration.
        #[arg(long)]
        config: PathBuf,
        /// Bring the tables up to date first.
        #[arg(long)]
        migrate: bool,
        /// Stop when standard input ends, too: for a program that runs this one.
        #[arg(long)]
        until_input_ends: bool,
    },
    /// Bring the tables up to date.
    Migrate {
        /// The configuration.
        #[arg(long)]
        config: PathBuf,
    },
    /// Procedures: check a package, import the published catalogue.
    #[command(subcommand)]
    Procedure(Procedure),
    /// Registries: check a folder, publish it, take in files.
    #[command(subcommand)]
    Registry(registries::Command),
    /// Approved questions over several registries: check a folder.
    #[command(subcommand)]
    Question(questions::Command),
    /// Rules by which people are proposed to before they ask: check a folder.
    #[command(subcommand)]
    Proposal(proposals::Command),
    /// Make an officer; prints a one-time password.
    Officer {
        /// The configuration.
        #[arg(long)]
        config: PathBuf,
        /// Login name.
        #[arg(long)]
        login: String,
        /// Full name.
        #[arg(long)]
        name: String,
        /// Title.
        #[arg(long, default_value = "")]
        title: String,
        /// Agency code (Decision 20/2020/QĐ-TTg).
        #[arg(long)]
        agency: String,
        /// Roles: receptionist, specialist, leader, consulted, administrator, auditor, steward, reader.
        #[arg(long = "role", required = true)]
        roles: Vec<String>,
    },
    /// Make a key for a program that acts as an officer; prints it, once.
    Token {
        /// The configuration.
        #[arg(long)]
        config: PathBuf,
        /// Login name of the officer.
        #[arg(long)]
        login: String,
        /// What the key is for.
        #[arg(long)]
        label: String,
        /// Which of the officer's roles it may use; may be given several times.
        #[arg(long = "role", required = true)]
        roles: Vec<String>,
        /// It may only read.
        #[arg(long)]
        read_only: bool,
        /// Days until it expires: 1 to 366.
        #[arg(long, default_value_t = 90)]
        days: u32,
    },
    /// Fill a database with dossiers, for measuring.
    Seed(seed::Args),
    /// The transparency log: verify and print proofs, examine a log.
    #[command(subcommand)]
    Ledger(ledger::commands::Command),
    /// Taking part in the exchange between agencies: found, make keys, join.
    #[command(subcommand)]
    Node(exchange::commands::NodeCommand),
    /// The exchange: why a call is allowed or refused.
    #[command(subcommand)]
    Exchange(exchange::commands::ExchangeCommand),
    /// Services: test one against its description and the house rules.
    #[command(subcommand)]
    Service(exchange::commands::ServiceCommand),
    /// Find which records of one or two files speak of the same person.
    Link(linkage::command::Options),
    /// Write the values of legacy files one way; report what is bad and what is doubtful.
    Clean(Clean),
    /// Invent a country, the same for the same seed, and write it as files.
    Country(Invent),
    /// Copy a node whole into a folder, while it runs.
    Backup(backup::Backup),
    /// Put a node back from a backup, or only verify the backup.
    Restore(backup::Restore),
    /// Compute all published figures anew from the logs.
    Rebuild {
        /// The configuration.
        #[arg(long)]
        config: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum Procedure {
    /// Judge a package; says file, line, column and what to do.
    Check {
        /// The folder.
        dir: PathBuf,
        /// Findings as JSON.
        #[arg(long)]
        json: bool,
        /// In English.
        #[arg(long)]
        en: bool,
    },
    /// Read published forms (CSV, JSON lines, JSON pages) into the catalogue.
    Import {
        /// The configuration; without it the demo's data folder.
        #[arg(long)]
        config: Option<PathBuf>,
        /// The demo's data folder, without a configuration.
        #[arg(long, default_value = "motcua-data")]
        data: PathBuf,
        /// Only read and report.
        #[arg(long)]
        dry_run: bool,
        /// Where to write the whole report as JSON.
        #[arg(long)]
        report: Option<PathBuf>,
        /// The report in English.
        #[arg(long)]
        en: bool,
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

/// Carries out a command.
///
/// # Errors
/// What went wrong, for the operator.
pub async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Demo(args) => demo::run(args).await?,
        Command::Serve {
            config,
            migrate,
            until_input_ends,
        } => {
            let config = Config::read(&config)?;
            let store = open_store(&config).await?;
            if migrate {
                store.migrate(MIGRATIONS, SystemClock.now()).await?;
                migrate_shared(&config).await?;
            }
            let node = Node::open(config, store).await?;
            let asked = async move {
                tokio::select! {
                    () = serve::asked_to_stop() => {}
                    () = serve::input_ended(), if until_input_ends => {}
                }
            };
            serve::serve_until(asked, node, |address| tracing::info!(%address, "serving")).await?;
        }
        Command::Migrate { config } => {
            let config = Config::read(&config)?;
            let store = open_store(&config).await?;
            let mut ran = store.migrate(MIGRATIONS, SystemClock.now()).await?;
            ran.extend(migrate_shared(&config).await?);
            if ran.is_empty() {
                tracing::info!("the tables are up to date");
            }
            for step in ran {
                tracing::info!(step, "migrated");
            }
            store.close().await;
        }
        Command::Link(options) => return tokio::task::spawn_blocking(move || link::link(&options)).await?,
        Command::Clean(clean) => return tokio::task::spawn_blocking(move || clean.run()).await?,
        Command::Country(invent) => return tokio::task::spawn_blocking(move || invent.run()).await?,
        Command::Procedure(Procedure::Check { dir, json, en }) => return check(&dir, json, en),
        Command::Procedure(Procedure::Import {
            config,
            data,
            dry_run,
            report,
            en,
            files,
        }) => {
            let config = match config {
                Some(path) => Config::read(&path)?,
                None => demo::config(&demo::Args {
                    data: Some(data),
                    ..demo::Args::default()
                })?,
            };
            import_files(&config, dry_run, report.as_deref(), en, &files).await?;
        }
        Command::Registry(command) => return registries::run(command).await,
        Command::Question(command) => return questions::run(&command),
        Command::Proposal(command) => return proposals::run(&command),
        Command::Officer {
            config,
            login,
            name,
            title,
            agency,
            roles,
        } => {
            let node = open_node(&config).await?;
            let ctx = identity::Ctx::system("motcua officer", node.clock.now());
            let new = identity::NewOfficer {
                login,
                name,
                title,
                agency,
                roles: roles_of(&roles)?,
                password: None,
                demo: None,
            };
            let id = node.identity.create_officer(&ctx, &new).await?;
            let password = node.identity.reset_officer(&ctx, id).await?;
            say(&format!("{password}\n"))?;
            node.store.close().await;
        }
        Command::Token {
            config,
            login,
            label,
            roles,
            read_only,
            days,
        } => {
            let node = open_node(&config).await?;
            let ctx = identity::Ctx::system("motcua token", node.clock.now());
            let officer = node.identity.officer_by_login(&ctx, &login).await?;
            let new = identity::NewToken {
                owner: identity::TokenOwner::Officer(officer.id),
                label,
                roles: roles_of(&roles)?,
                read_only,
                days,
            };
            let token = node.identity.create_token(&ctx, &new).await?;
            say(&format!("{token}\n"))?;
            node.store.close().await;
        }
        Command::Ledger(command) => return ledger::commands::run(command).await,
        Command::Node(command) => return exchange::commands::node(command).await,
        Command::Exchange(command) => return exchange::commands::exchange(command).await,
        Command::Service(command) => return exchange::commands::service(command).await,
        Command::Backup(args) => backup::backup(&args).await?,
        Command::Restore(args) => backup::restore(&args).await?,
        Command::Seed(args) => seed::run(args).await?,
        Command::Rebuild { config } => {
            let node = open_node(&config).await?;
            let bar = spinner("Figures");
            node.insight.rebuild(&mut |done| bar.set_position(done)).await?;
            bar.finish_and_clear();
            node.store.close().await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Brings the database that the gateways of the member share up to date, if there is one; the steps that ran.
async fn migrate_shared(config: &Config) -> anyhow::Result<Vec<String>> {
    let Some(store) = exchange::shared::open(config).await? else {
        return Ok(Vec::new());
    };
    let ran = store.migrate(exchange::shared::MIGRATIONS, SystemClock.now()).await?;
    store.close().await;
    Ok(ran)
}

fn roles_of(codes: &[String]) -> anyhow::Result<identity::Roles> {
    let mut roles = identity::Roles::NONE;
    for code in codes {
        roles = roles.with(identity::Role::from_code(code).with_context(|| format!("no role {code}"))?);
    }
    Ok(roles)
}

/// Opens the node of a configuration, without serving.
///
/// # Errors
/// What is wrong with the configuration or the database.
pub async fn open_node(config: &Path) -> anyhow::Result<Node> {
    let config = Config::read(config)?;
    let store = open_store(&config).await?;
    Node::open(config, store).await
}

fn check(dir: &Path, json: bool, en: bool) -> anyhow::Result<ExitCode> {
    let report = procedure::check::check(dir, &packages::options());
    let text = if json {
        serde_json::to_string_pretty(&report)? + "\n"
    } else {
        report.human(if en { Lang::En } else { Lang::Vi })
    };
    say(&text)?;
    Ok(if report.ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn import_files(
    config: &Config,
    dry_run: bool,
    report_to: Option<&Path>,
    en: bool,
    files: &[PathBuf],
) -> anyhow::Result<()> {
    let store = open_store(config).await?;
    store.migrate(MIGRATIONS, SystemClock.now()).await?;
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template("{msg} {wide_bar} {percent}%")?);
    let options = Options {
        dry_run,
        ..Options::today(&SystemClock)
    };
    let report = import::import(&store, &SystemClock, files, &options, &mut |progress| {
        let (what, done, total) = match progress {
            Progress::Reading { file, done, total } => (file.to_owned(), done, total),
            Progress::Writing { done, total } => ("…".to_owned(), done, total),
        };
        bar.set_message(what);
        bar.set_length(total);
        bar.set_position(done);
    })
    .await?;
    bar.finish_and_clear();
    say(&report.text(if en { Lang::En } else { Lang::Vi }, 20))?;
    if let Some(path) = report_to {
        std::fs::write(path, report.json()?).with_context(|| format!("writing {}", path.display()))?;
    }
    store.close().await;
    Ok(())
}

/// A bar for work whose end is not known.
pub fn spinner(what: &'static str) -> ProgressBar {
    ProgressBar::new_spinner().with_message(what)
}

/// Prints why something was refused; what is no refusal stays an error.
///
/// # Errors
/// A failure of ours, or standard output is closed.
pub fn tell(error: anyhow::Error, lang: Lang) -> anyhow::Result<ExitCode> {
    match error.downcast::<base::Error>()? {
        base::Error::Refused(_, problems) => {
            for problem in &problems {
                say(&format!(
                    "{} {}: {}\n",
                    problem.code,
                    problem.at,
                    problem.text.get(lang)
                ))?;
            }
            Ok(ExitCode::FAILURE)
        }
        failure => Err(failure.into()),
    }
}

/// What a command is asked for goes to standard output; everything else is log.
///
/// # Errors
/// Standard output is closed.
pub fn say(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}
