//! The JSON API tested from its own description: schemathesis reads `/api/openapi.json`, makes requests good and bad, and
//! looks for answers that no input may cause.

use std::{fs, path::PathBuf, process::Command};

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
    let site = Site::new(&workload.program, &binary, &folder, 100, None)?;
    workload.seed(&site)?;
    let server = site.start(&workload.program)?;
    let mut outcome = Outcome::default();
    for (name, token) in workload
        .actors
        .iter()
        .map(|(n, t)| (n.as_str(), Some(t)))
        .chain([("nobody", None)])
    {
        println!("-- as {name}");
        let mut command = Command::new(&tool);
        command
            .arg("run")
            .arg(format!("http://{}/api/openapi.json", site.address));
        command.args([
            "--checks",
            CHECKS,
            "--max-examples",
            "40",
            "--max-time",
            &seconds.to_string(),
        ]);
        command.args([
            "--seed",
            "20261121",
            "--workers",
            "2",
            "--request-timeout",
            "20",
            "--warnings",
            "off",
        ]);
        command.args(["--suppress-health-check", "all", "--continue-on-failure"]);
        if let Some(token) = token {
            command.args(["-H", &format!("Authorization: Bearer {token}")]);
        }
        let (good, _) = run::tee(command.current_dir(&folder).env("NO_COLOR", "1").env("COLUMNS", "140"))?;
        outcome.passed += u64::from(good);
        outcome.failed += u64::from(!good);
    }
    drop(server);
    outcome.note = format!("{seconds} s as each caller");
    Ok(outcome)
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
