//! The JSON API tested from its own description: schemathesis reads `/api/openapi.json`, makes requests good and bad, and
//! looks for answers that no input may cause.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;

use crate::{
    bench::{server::Site, workload::Workload},
    run,
    run::Outcome,
    workspace::Workspace,
};

/// Pinned: a new release may make other requests, and a run is repeated by its seed.
const TOOL: &str = "schemathesis==4.32.5";

/// What must hold of every answer.
const CHECKS: &str = "not_a_server_error,content_type_conformance,response_schema_conformance";

/// Its hooks.
const HOOKS: &str = include_str!("api_hooks.py");

/// Runs it as each actor of the workload, and as nobody.
///
/// # Errors
/// When the server does not start.
pub fn check(workspace: &Workspace, seconds: u32) -> anyhow::Result<Outcome> {
    let Some(tool) = tool(workspace)? else {
        return Ok(Outcome::skipped("needs Python 3 with venv and pip"));
    };
    let mut workload = Workload::read(&workspace.root.join("bench/workload.toml"))?;
    let binary = workspace.metadata()?.target_directory.join("debug/motcua");
    let folder = workspace.root.join("target/api-test");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("hooks.py"), HOOKS)?;
    let site = Site::new(&workload.program, &binary, &folder, 100, None)?;
    workload.seed(&site)?;
    let server = site.start(&workload.program)?;
    let mut outcome = Outcome::default();
    let callers = workload.actors.iter().map(|(n, t)| (n.as_str(), Some(t.as_str())));
    for (name, token) in callers.chain([("nobody", None)]) {
        println!("-- as {name}");
        let run = Run {
            tool: &tool,
            folder: &folder,
            site: &site,
            token,
            seconds,
        };
        // The tool itself breaks down now and then (Python's, not ours): then it found nothing, and goes again.
        let good = match run.once()? {
            Some(good) => good,
            None => run.once()?.unwrap_or(false),
        };
        outcome.passed += u64::from(good);
        outcome.failed += u64::from(!good);
    }
    drop(server);
    outcome.note = format!("{seconds} s as each caller");
    Ok(outcome)
}

/// One run as one caller.
#[derive(Debug)]
struct Run<'a> {
    tool: &'a Path,
    folder: &'a Path,
    site: &'a Site,
    token: Option<&'a str>,
    seconds: u32,
}

impl Run<'_> {
    /// Whether everything held; `None` when the tool broke down before it could say.
    fn once(&self) -> anyhow::Result<Option<bool>> {
        let mut command = Command::new(self.tool);
        command
            .arg("run")
            .arg(format!("http://{}/api/openapi.json", self.site.address));
        let seconds = self.seconds.to_string();
        let words = [
            ["--checks", CHECKS],
            ["--max-examples", "40"],
            ["--max-time", &seconds],
            ["--seed", "20261121"],
            ["--workers", "1"],
            ["--request-timeout", "20"],
            ["--warnings", "off"],
            ["--suppress-health-check", "all"],
        ];
        command.args(words.iter().flatten()).arg("--continue-on-failure");
        if let Some(token) = self.token {
            command.args(["-H", &format!("Authorization: Bearer {token}")]);
        }
        command
            .current_dir(self.folder)
            .env("SCHEMATHESIS_HOOKS", self.folder.join("hooks.py"))
            .env("NO_COLOR", "1")
            .env("COLUMNS", "140");
        let (good, said) = run::tee(&mut command)?;
        let broke = said.contains("Runtime Error") && !said.contains("= FAILURES =");
        Ok(if good || !broke { Some(good) } else { None })
    }
}

/// The program, installed beside the build output when it is not there yet.
fn tool(workspace: &Workspace) -> anyhow::Result<Option<PathBuf>> {
    let folder = workspace.root.join("target/python");
    let tool = folder.join("bin/schemathesis");
    let installed = fs::read_to_string(folder.join("installed")).unwrap_or_default();
    if installed == TOOL && tool.is_file() {
        return Ok(Some(tool));
    }
    let Some(python) = run::on_path(&["python3"]) else {
        return Ok(None);
    };
    let _ = fs::remove_dir_all(&folder);
    if run::output(Command::new(&python).args(["-m", "venv"]).arg(&folder)).is_err() {
        return Ok(None);
    }
    let pip = ["install", "--quiet", "--disable-pip-version-check", TOOL];
    run::output(Command::new(folder.join("bin/pip")).args(pip)).context("installing schemathesis")?;
    fs::write(folder.join("installed"), TOOL)?;
    Ok(Some(tool))
}
