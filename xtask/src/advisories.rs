//! Security advisories: our lock file against the RustSec database, where a copy is at hand or can be fetched.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;
use serde::Deserialize;

use crate::{run, run::Outcome, workspace::Workspace};

/// Where the database is published.
const ORIGIN: &str = "https://github.com/RustSec/advisory-db";

#[derive(Debug, Deserialize)]
struct File {
    advisory: Advisory,
    #[serde(default)]
    versions: Versions,
    #[serde(default)]
    affected: Affected,
}

#[derive(Debug, Deserialize)]
struct Advisory {
    id: String,
    package: String,
    #[serde(default)]
    withdrawn: Option<toml::Value>,
    /// `unmaintained`, `unsound`, `notice`: told, never a failure.
    #[serde(default)]
    informational: Option<String>,
}

#[derive(Debug, Deserialize, Default)]
struct Versions {
    #[serde(default)]
    patched: Vec<String>,
    #[serde(default)]
    unaffected: Vec<String>,
}

#[derive(Debug, Deserialize, Default)]
struct Affected {
    #[serde(default)]
    os: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Rules {
    #[serde(default)]
    advisories: Accepted,
}

#[derive(Debug, Deserialize, Default)]
struct Accepted {
    #[serde(default)]
    ignore: Vec<Ignore>,
}

#[derive(Debug, Deserialize)]
struct Ignore {
    id: String,
    reason: String,
}

/// Looks every crate up. Says when no database could be had; that is not a failure.
///
/// # Errors
/// When the database or our own files cannot be read.
pub fn check(workspace: &Workspace, given: Option<&Path>) -> anyhow::Result<Outcome> {
    let Some(folder) = given
        .map(Path::to_path_buf)
        .or_else(known_copy)
        .or_else(|| fetch(workspace))
    else {
        let note =
            "no advisory database: none given (MOTCUA_ADVISORY_DB), no local copy, and its origin is not reachable";
        println!("  {note}");
        return Ok(Outcome::skipped(note));
    };
    let rules: Rules = toml::from_str(&fs::read_to_string(workspace.root.join("deny.toml"))?).context("deny.toml")?;
    let metadata = workspace.metadata()?;
    let crates = metadata.foreign();
    let mut findings = Vec::new();
    for package in crates.values() {
        let Ok(files) = fs::read_dir(folder.join("crates").join(&package.name)) else {
            continue;
        };
        for file in files {
            let path = file?.path();
            let text = fs::read_to_string(&path)?;
            let file = parse(&text).with_context(|| format!("reading {}", path.display()))?;
            if file.advisory.package != package.name || !affects(&file, &package.version)? {
                continue;
            }
            let advisory = &file.advisory;
            let line = format!("{} {} {}", advisory.id, package.name, package.version);
            if let Some(kind) = &advisory.informational {
                println!(
                    "  note: {line}: {kind}; used by {}",
                    metadata.users(&package.id).join(", ")
                );
            } else if let Some(known) = rules.advisories.ignore.iter().find(|i| i.id == advisory.id) {
                println!("  accepted: {line}: {}", known.reason);
            } else {
                findings.push(format!("{line}; used by {}", metadata.users(&package.id).join(", ")));
            }
        }
    }
    Ok(Outcome::of_findings(crates.len() as u64, &findings))
}

/// The copy that cargo-deny or cargo-audit keeps.
fn known_copy() -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))?;
    let deny = fs::read_dir(home.join("advisory-dbs"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|e| e.path());
    deny.chain([home.join("advisory-db")])
        .find(|folder| folder.join("crates").is_dir())
}

/// Our own copy among the build output: brought up to date where that can be done, kept as it is where not.
fn fetch(workspace: &Workspace) -> Option<PathBuf> {
    let folder = workspace.root.join("target/advisory-db");
    let there = folder.join("crates").is_dir();
    let mut git = Command::new("timeout");
    git.args(["60", "git"]).env("GIT_TERMINAL_PROMPT", "0");
    if there {
        git.arg("-C").arg(&folder).args(["pull", "--quiet", "--ff-only"]);
    } else {
        git.args(["clone", "--quiet", "--depth", "1", ORIGIN]).arg(&folder);
    }
    let fetched = run::output(&mut git).is_ok();
    (there || fetched).then_some(folder)
}

fn parse(text: &str) -> anyhow::Result<File> {
    let head = text
        .split("```toml")
        .nth(1)
        .and_then(|t| t.split("```").next())
        .context("no toml block at its start")?;
    Ok(toml::from_str(head)?)
}

fn affects(file: &File, version: &semver::Version) -> anyhow::Result<bool> {
    if file.advisory.withdrawn.is_some()
        || !(file.affected.os.is_empty() || file.affected.os.iter().any(|os| os == std::env::consts::OS))
    {
        return Ok(false);
    }
    for range in file.versions.patched.iter().chain(&file.versions.unaffected) {
        // A pre-release counts as the release that it precedes; semver itself would match it to nothing.
        let release = semver::Version::new(version.major, version.minor, version.patch);
        if semver::VersionReq::parse(range)
            .with_context(|| range.clone())?
            .matches(&release)
        {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "```toml\n[advisory]\nid = \"RUSTSEC-2020-0001\"\npackage = \"thing\"\ndate = \"2020-01-01\"\n\n[versions]\npatched = [\">= 1.2.3\"]\nunaffected = [\"< 0.9.0\"]\n```\n\n# Title\n";

    #[test]
    fn versions_between_unaffected_and_patched_are_hit() -> anyhow::Result<()> {
        let file = parse(TEXT)?;
        for (version, hit) in [
            ("0.8.9", false),
            ("0.9.0", true),
            ("1.2.2", true),
            ("1.2.3", false),
            ("2.0.0", false),
        ] {
            assert_eq!(affects(&file, &version.parse()?)?, hit, "{version}");
        }
        Ok(())
    }

    #[test]
    fn a_withdrawn_advisory_hits_nothing() -> anyhow::Result<()> {
        let text = TEXT.replace("\ndate", "\nwithdrawn = \"2021-01-01\"\ndate");
        assert!(!affects(&parse(&text)?, &"1.0.0".parse()?)?);
        Ok(())
    }
}
