//! Linkage on a distributed engine, in the workspace of its own that is `scale/`: its format, its licences, its tests, which start a
//! cluster and kill a part of it. Its engine is some four hundred packages, so this is no part of `cargo xtask test`.

use std::process::Command;

use crate::{
    deny,
    run::{self, Outcome},
    workspace::Workspace,
};

/// The phases, each with its name.
///
/// # Errors
/// When cargo cannot be started.
pub fn check(workspace: &Workspace, report: &mut run::Report) -> anyhow::Result<()> {
    let scale = Workspace {
        root: workspace.root.join("scale"),
    };
    report.phase("format", || cargo(&scale, &["fmt", "--check"]))?;
    report.phase("licences", || deny::licences_of(workspace, &scale))?;
    report.phase("linkage on DataFusion and Ballista", || {
        cargo(&scale, &["test", "--locked"])
    })?;
    Ok(())
}

fn cargo(scale: &Workspace, words: &[&str]) -> anyhow::Result<Outcome> {
    let mut command: Command = scale.cargo();
    // Nobody debugs the engine; its symbols are gigabytes.
    command.args(words).env("CARGO_PROFILE_DEV_DEBUG", "0");
    let (good, said) = run::tee(&mut command)?;
    let mut outcome = run::count(&said, good);
    if good && outcome.passed == 0 {
        outcome.passed = 1;
    }
    Ok(outcome)
}
