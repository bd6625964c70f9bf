//! Development tasks, run as `cargo xtask <task>`: every test there is, the checks of the house, licences, benchmarks.
#![expect(clippy::print_stdout, reason = "a command-line tool speaks on standard output")]

mod advisories;
mod api;
mod at_rest;
mod bench;
mod browser;
mod crash;
mod day;
mod deny;
mod house;
mod large;
mod ports;
mod postgres;
mod run;
mod scale;
mod sql;
mod tests_all;
mod trouble;
mod workspace;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

use crate::{run::Report, workspace::Workspace};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Development tasks of Một Cửa")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Runs every test: the house, units and integration on SQLite and PostgreSQL, browser.
    Test(tests_all::Options),
    /// Checks the structure of the house: levels, file names, SQL. Fast; builds nothing.
    House,
    /// Checks licences, banned crates, duplicates and, where a database is at hand, security advisories.
    Deny {
        /// A copy of the RustSec advisory database; without it a known local copy is used or one is fetched.
        #[arg(long, env = "MOTCUA_ADVISORY_DB")]
        advisories: Option<PathBuf>,
    },
    /// Measures the server under load and writes figures.
    Bench(bench::Options),
    /// Kills the built server under load, again and again, and looks for what it had acknowledged.
    Crash {
        /// Database engines.
        #[arg(long, value_enum, default_value_t = tests_all::Engine::All)]
        engine: tests_all::Engine,
    },
    /// Puts three nodes of the built server through everything that can happen between them: lines that break, nodes that are
    /// killed, disks that are full; then looks whether their logs agree.
    Trouble(trouble::Options),
    /// Has a very large body pass through two gateways, there and back: memory, speed, and what is refused.
    Large(large::Options),
    /// Lets a day of messages pass through three real nodes and prints what it costs.
    Day(day::Options),
    /// Learns which functions a node at rest runs, for the linker to lay them side by side. Needs Valgrind and some minutes.
    AtRest(at_rest::Options),
    /// Builds and tests linkage on a distributed engine (`scale/`, a workspace of its own; the first build takes long).
    Scale,
    /// Tests the JSON API of the built server from its own description.
    Api {
        /// Seconds as each caller.
        #[arg(long, default_value_t = 60)]
        seconds: u32,
    },
    /// Starts a private PostgreSQL, prints its address, and stops it when the command given has ended.
    WithPostgres {
        /// A setting of the server, NAME=VALUE; more than once for several.
        #[arg(short = 'c', long = "set", value_name = "SETTING")]
        settings: Vec<String>,
        /// The command to run with MOTCUA_TEST_POSTGRES set.
        #[arg(trailing_var_arg = true, required = true)]
        command: Vec<String>,
    },
}

fn main() -> ExitCode {
    match Workspace::find().and_then(|workspace| dispatch(Cli::parse().task, &workspace)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// True when all went well; an error is for what could not even be tried.
fn dispatch(task: Task, workspace: &Workspace) -> anyhow::Result<bool> {
    match task {
        Task::Test(options) => tests_all::run(workspace, &options),
        Task::House => {
            let mut report = Report::default();
            report.phase("house", || house::check(workspace))?;
            report.phase("SQL", || sql::check(workspace))?;
            Ok(report.close())
        }
        Task::Deny { advisories } => {
            let mut report = Report::default();
            report.phase("licences and bans", || deny::check(workspace))?;
            report.phase("advisories", || advisories::check(workspace, advisories.as_deref()))?;
            Ok(report.close())
        }
        Task::Crash { engine } => {
            let mut report = Report::default();
            report.phase("kill -9 under load", || crash::check(workspace, engine))?;
            Ok(report.close())
        }
        Task::Trouble(options) => {
            let mut report = Report::default();
            report.phase("trouble between nodes", || trouble::check(workspace, &options))?;
            Ok(report.close())
        }
        Task::Large(options) => {
            let mut report = Report::default();
            report.phase("a large body between nodes", || large::check(workspace, &options))?;
            Ok(report.close())
        }
        Task::Api { seconds } => {
            let mut report = Report::default();
            report.phase("API from its description", || api::check(workspace, seconds))?;
            Ok(report.close())
        }
        Task::Scale => {
            let mut report = Report::default();
            scale::check(workspace, &mut report)?;
            Ok(report.close())
        }
        Task::AtRest(options) => at_rest::run(workspace, &options),
        Task::Day(options) => day::run(workspace, &options),
        Task::Bench(options) => bench::run(workspace, &options),
        Task::WithPostgres { settings, command } => {
            let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
            let cluster = postgres::Cluster::start(&settings)?;
            let (program, args) = command.split_first().ok_or_else(|| anyhow::anyhow!("no command"))?;
            let status = std::process::Command::new(program)
                .args(args)
                .env(postgres::ENV, cluster.url())
                .status()?;
            Ok(status.success())
        }
    }
}
