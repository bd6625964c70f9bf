//! Browser tests: the built binary, a real Chromium, Node's own test runner.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;

use crate::{run, run::Outcome, workspace::Workspace};

/// Runs the test files of `e2e/` whose names contain one of the filters, or all.
///
/// # Errors
/// When Node or a browser is missing and cannot be installed, or the binary does not build.
pub fn run(workspace: &Workspace, filter: &[String]) -> anyhow::Result<Outcome> {
    let folder = workspace.root.join("e2e");
    let node =
        run::on_path(&["node"]).context("the browser tests need Node.js 20 or newer with npm (https://nodejs.org)")?;
    let chromium = chromium()?;
    packages(&folder)?;
    // The same selection as the tests were built with, so that nothing is compiled twice.
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--workspace", "--lib", "--bins", "--tests"]);
    anyhow::ensure!(run::tee(&mut cargo)?.0, "the binary does not build");
    let binary = workspace.metadata()?.target_directory.join("debug/motcua");
    anyhow::ensure!(binary.is_file(), "no binary at {}", binary.display());
    let wanted = |name: &str| filter.is_empty() || filter.iter().any(|f| name.contains(f.as_str()));
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)?
        .flatten()
        .map(|e| e.path())
        .filter(|p| {
            p.file_name()
                .and_then(|n| n.to_str())
                .is_some_and(|n| n.ends_with(".test.mjs") && wanted(n))
        })
        .collect();
    files.sort();
    anyhow::ensure!(!files.is_empty(), "no test file matches");
    let mut tests = Command::new(node);
    tests
        .args([
            "--test",
            "--test-reporter=spec",
            "--test-concurrency=1",
            "--test-timeout=1500000",
        ])
        .args(&files)
        .current_dir(&folder);
    tests.env("MOTCUA_BIN", &binary).env("CHROMIUM", &chromium);
    let (good, said) = run::tee(&mut tests)?;
    Ok(run::count(&said, good))
}

fn chromium() -> anyhow::Result<PathBuf> {
    if let Some(given) = std::env::var_os("CHROMIUM") {
        return Ok(given.into());
    }
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    if let Some(found) = run::on_path(&names) {
        return Ok(found);
    }
    run::install(&["chromium"], "the browser tests")?;
    run::on_path(&names).context("chromium was installed but is not on the search path")
}

/// Installs what the lock file says, unless that was done since the lock changed.
fn packages(folder: &Path) -> anyhow::Result<()> {
    let age = |path: PathBuf| fs::metadata(path).and_then(|m| m.modified()).ok();
    let installed = age(folder.join("node_modules/.package-lock.json"));
    if installed.is_some() && installed >= age(folder.join("package-lock.json")) {
        return Ok(());
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(folder);
    anyhow::ensure!(run::tee(&mut npm)?.0, "npm ci failed in {}", folder.display());
    Ok(())
}
