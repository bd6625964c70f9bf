//! `cargo xtask test`: every test of the project, with one table at the end.

use std::process::Command;

use clap::{Args, ValueEnum};

use crate::{
    api, browser, crash, house, large, postgres,
    postgres::Cluster,
    run,
    run::{Outcome, Report},
    sql, trouble,
    workspace::Workspace,
};

/// What to leave out.
#[derive(Debug, Args)]
pub struct Options {
    /// Database engines that the integration tests run on.
    #[arg(long, value_enum, default_value_t = Engine::All)]
    engine: Engine,
    /// Only the browser tests.
    #[arg(long)]
    browser: bool,
    /// Only the house, units and SQLite: the loop while you write.
    #[arg(long, conflicts_with = "browser")]
    quick: bool,
    /// Only tests of these crates.
    #[arg(short, long = "package")]
    packages: Vec<String>,
    /// Only tests whose name contains one of these; for browser tests, the file's name.
    filter: Vec<String>,
}

/// An engine, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// The embedded one.
    Sqlite,
    /// A private server.
    Postgres,
    /// Both.
    All,
}

/// Tells the tests which engines to leave out; read by `store::testkit`.
const ENGINE_ENV: &str = "MOTCUA_TEST_ENGINE";

/// Makes `store` fail some transactions with a serialisation conflict, which it must replay unseen.
const FAULTS_ENV: &str = "MOTCUA_TEST_FAULTS";

/// One commit in so many fails.
const FAULT_EVERY: &str = "4";

/// Seconds of made-up requests as each caller.
const API_SECONDS: u32 = 60;

/// Crates whose tests meet a database.
const WITH_DATABASE: &[&str] = &[
    "store",
    "identity",
    "procedure",
    "registry",
    "dossier",
    "exchange",
    "insight",
    "motcua",
];

/// Runs what the options say; true when all passed.
///
/// # Errors
/// When a phase could not be tried at all.
pub fn run(workspace: &Workspace, options: &Options) -> anyhow::Result<bool> {
    let mut report = Report::default();
    let whole = options.filter.is_empty() && options.packages.is_empty();
    if options.browser {
        report.phase("browser", || browser::run(workspace, &options.filter))?;
        return Ok(report.close());
    }
    if whole {
        report.phase("house", || house::check(workspace))?;
        report.phase("SQL", || sql::check(workspace))?;
    }
    let built = report.phase("build", || {
        let mut cargo = workspace.cargo();
        cargo.args(["build", "--lib", "--bins", "--tests"]);
        choose(&mut cargo, &options.packages);
        let (good, _) = run::tee(&mut cargo)?;
        Ok(Outcome {
            passed: u64::from(good),
            failed: u64::from(!good),
            ..Outcome::default()
        })
    })?;
    if !built {
        return Ok(report.close());
    }
    // Tests leave their databases for whoever looks for a cause; they go when the next run starts.
    let scratch = workspace.root.join("target/test-data");
    let _ = std::fs::remove_dir_all(&scratch);
    std::fs::create_dir_all(&scratch)?;
    let engine = if options.quick { Engine::Sqlite } else { options.engine };
    tests(workspace, options, engine, &mut report)?;
    if whole && !options.quick {
        report.phase("documentation", || {
            let mut cargo = workspace.cargo();
            cargo.args(["test", "--workspace", "--doc", "--quiet"]);
            let (good, said) = run::tee(&mut cargo)?;
            Ok(run::count(&said, good))
        })?;
        report.phase("kill -9 under load", || crash::check(workspace, options.engine))?;
        report.phase("trouble between nodes", || {
            trouble::check(workspace, &trouble::Options::default())
        })?;
        report.phase("a large body between nodes", || {
            large::check(workspace, &large::Options::default())
        })?;
        report.phase("API from its description", || api::check(workspace, API_SECONDS))?;
        report.phase("browser", || browser::run(workspace, &[]))?;
    }
    Ok(report.close())
}

fn tests(workspace: &Workspace, options: &Options, engine: Engine, report: &mut Report) -> anyhow::Result<()> {
    if engine == Engine::Sqlite {
        report.phase("tests, SQLite", || {
            let mut cargo = runner(workspace);
            choose(&mut cargo, &options.packages);
            cargo.args(&options.filter);
            let (good, said) = run::tee(cargo.env(ENGINE_ENV, "sqlite").env_remove(postgres::ENV))?;
            Ok(run::count(&said, good))
        })?;
        return Ok(());
    }
    let (name, engines) = match engine {
        Engine::Postgres => ("tests, PostgreSQL", "postgres"),
        _ => ("tests, SQLite and PostgreSQL", "all"),
    };
    report.phase(name, || {
        let cluster = Cluster::start(&[])?;
        let mut cargo = runner(workspace);
        choose(&mut cargo, &options.packages);
        cargo.args(&options.filter);
        let (good, said) = run::tee(cargo.env(ENGINE_ENV, engines).env(postgres::ENV, cluster.url()))?;
        Ok(run::count(&said, good))
    })?;
    let with_database: Vec<String> = match options.packages.as_slice() {
        [] => WITH_DATABASE.iter().map(|p| (*p).to_owned()).collect(),
        chosen => chosen
            .iter()
            .filter(|p| WITH_DATABASE.contains(&p.as_str()))
            .cloned()
            .collect(),
    };
    if !with_database.is_empty() {
        // What distributed engines that speak PostgreSQL's protocol do: everything serialisable, conflicts at any time.
        report.phase("tests, portable PostgreSQL with faults", || {
            let cluster = Cluster::start(&["default_transaction_isolation=serializable"])?;
            let mut cargo = runner(workspace);
            // With nextest the same selection as before, so that nothing is compiled anew; its filter leaves out the others.
            if nextest() {
                choose(&mut cargo, &options.packages);
                cargo.args([
                    "-E",
                    &with_database
                        .iter()
                        .map(|p| format!("package({p})"))
                        .collect::<Vec<_>>()
                        .join(" | "),
                ]);
            } else {
                choose(&mut cargo, &with_database);
            }
            cargo.args(&options.filter);
            cargo
                .env(ENGINE_ENV, "postgres")
                .env(FAULTS_ENV, FAULT_EVERY)
                .env(postgres::ENV, cluster.url());
            let (good, said) = run::tee(&mut cargo)?;
            Ok(run::count(&said, good))
        })?;
    }
    Ok(())
}

/// Selects packages: these, or all.
fn choose(cargo: &mut Command, packages: &[String]) {
    if packages.is_empty() {
        cargo.arg("--workspace");
    }
    for package in packages {
        cargo.args(["-p", package]);
    }
}

fn nextest() -> bool {
    run::on_path(&["cargo-nextest"]).is_some()
}

/// nextest where it is installed, else cargo's own runner.
fn runner(workspace: &Workspace) -> Command {
    let mut cargo = workspace.cargo();
    cargo.env("TMPDIR", workspace.root.join("target/test-data"));
    if nextest() {
        cargo.args([
            "nextest",
            "run",
            "--no-tests=pass",
            "--show-progress=none",
            "--config-file",
        ]);
        cargo.arg(workspace.root.join("xtask/nextest.toml"));
        if std::io::IsTerminal::is_terminal(&std::io::stdout()) {
            cargo.arg("--color=always");
        }
    } else {
        cargo.args(["test", "--no-fail-fast", "--lib", "--bins", "--tests"]);
    }
    cargo
}
