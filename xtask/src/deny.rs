//! Licences, banned crates and duplicates, by the rules in `deny.toml` (in cargo-deny's format, so that tool reads it too).

use std::{collections::BTreeMap, fs};

use anyhow::Context;
use serde::Deserialize;

use crate::{
    run::Outcome,
    workspace::{Metadata, Workspace},
};

#[derive(Debug, Deserialize)]
struct Rules {
    licenses: Licences,
    bans: Bans,
}

#[derive(Debug, Deserialize)]
struct Licences {
    allow: Vec<String>,
    #[serde(default)]
    exceptions: Vec<Exception>,
}

#[derive(Debug, Deserialize)]
struct Exception {
    #[serde(rename = "crate")]
    name: String,
    allow: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Debug, Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    reason: String,
    /// Crates that may use it all the same; ours are never among them.
    #[serde(default)]
    wrappers: Vec<String>,
}

/// Most crates that may stand in the graph in two versions. Raise it only with a reason: each costs build time.
const DUPLICATES: usize = 70;

/// Most crates of others in the graph of this platform.
const CRATES: usize = 760;

/// Checks the graph against the rules.
///
/// # Errors
/// When cargo or `deny.toml` cannot be read.
pub fn check(workspace: &Workspace) -> anyhow::Result<Outcome> {
    let rules = rules(workspace)?;
    let metadata = workspace.metadata()?;
    let mut findings = licences(&rules.licenses, &metadata)?;
    findings.extend(bans(&rules.bans, &metadata));
    let crates = metadata.foreign();
    let mut versions: BTreeMap<&str, usize> = BTreeMap::new();
    for package in crates.values() {
        *versions.entry(&package.name).or_default() += 1;
    }
    let twice: Vec<_> = versions
        .iter()
        .filter(|(_, n)| **n > 1)
        .map(|(name, _)| *name)
        .collect();
    if twice.len() > DUPLICATES {
        findings.push(format!(
            "{} crates stand in several versions, budget {DUPLICATES}: {}",
            twice.len(),
            twice.join(" ")
        ));
    }
    if crates.len() > CRATES {
        findings.push(format!("{} crates of others, budget {CRATES}", crates.len()));
    }
    let checks = crates.len() + rules.bans.deny.len() + 2;
    let mut outcome = Outcome::of_findings(checks as u64, &findings);
    outcome.note = format!("{} crates, {} in several versions", crates.len(), twice.len());
    Ok(outcome)
}

/// Checks the licences alone of another workspace in the same sources, which is no part of the platform.
///
/// # Errors
/// When cargo or `deny.toml` cannot be read.
pub fn licences_of(workspace: &Workspace, other: &Workspace) -> anyhow::Result<Outcome> {
    let metadata = other.metadata()?;
    let findings = licences(&rules(workspace)?.licenses, &metadata)?;
    Ok(Outcome::of_findings(metadata.foreign().len() as u64, &findings))
}

fn rules(workspace: &Workspace) -> anyhow::Result<Rules> {
    let text = fs::read_to_string(workspace.root.join("deny.toml")).context("reading deny.toml")?;
    toml::from_str(&text).context("deny.toml")
}

fn licences(rules: &Licences, metadata: &Metadata) -> anyhow::Result<Vec<String>> {
    let parse = |names: &[String]| -> anyhow::Result<Vec<spdx::Licensee>> {
        names
            .iter()
            .map(|n| spdx::Licensee::parse(n).with_context(|| format!("deny.toml: licence {n}")))
            .collect()
    };
    let allowed = parse(&rules.allow)?;
    let mut findings = Vec::new();
    for package in metadata.foreign().values() {
        let mut allowed = allowed.clone();
        for exception in rules.exceptions.iter().filter(|e| e.name == package.name) {
            allowed.extend(parse(&exception.allow)?);
        }
        let name = format!("{} {}", package.name, package.version);
        let Some(licence) = &package.license else {
            findings.push(format!("{name}: names no licence"));
            continue;
        };
        match spdx::Expression::parse_mode(licence, spdx::ParseMode::LAX) {
            Ok(expression) if expression.evaluate(|req| allowed.iter().any(|l| l.satisfies(req))) => {}
            Ok(_) => findings.push(format!(
                "{name}: licence {licence} is not among those allowed in deny.toml; used by {}",
                metadata.users(&package.id).join(", ")
            )),
            Err(error) => findings.push(format!(
                "{name}: licence {licence:?} is no SPDX expression: {}",
                error.reason
            )),
        }
    }
    Ok(findings)
}

fn bans(rules: &Bans, metadata: &Metadata) -> Vec<String> {
    let mut findings = Vec::new();
    for ban in &rules.deny {
        for package in metadata.foreign().values().filter(|p| p.name == ban.name) {
            let users = metadata.users(&package.id);
            let wrong: Vec<_> = users
                .into_iter()
                .filter(|u| !ban.wrappers.iter().any(|w| w == u))
                .collect();
            if !wrong.is_empty() {
                findings.push(format!(
                    "{} is banned ({}); used by {}",
                    package.name,
                    ban.reason,
                    wrong.join(", ")
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(licence: Option<&str>, user: &str) -> Metadata {
        let package = |name: &str, source: Option<&str>, licence: Option<&str>| serde_json::json!({"id": name, "name": name, "version": "1.2.3", "license": licence, "source": source, "dependencies": []});
        serde_json::from_value(serde_json::json!({
            "packages": [package(user, Some("registry"), Some("MIT")), package("thing", Some("registry"), licence)],
            "workspace_members": [],
            "resolve": {"nodes": [{"id": user, "deps": [{"pkg": "thing"}]}, {"id": "thing", "deps": []}]},
        }))
        .expect("metadata in cargo's shape")
    }

    fn refused(licence: Option<&str>) -> bool {
        let rules = Licences {
            allow: ["MIT", "Apache-2.0", "BSD-3-Clause"].map(str::to_owned).to_vec(),
            exceptions: vec![Exception {
                name: "other".to_owned(),
                allow: vec!["GPL-3.0".to_owned()],
            }],
        };
        !licences(&rules, &metadata(licence, "user"))
            .expect("rules are good")
            .is_empty()
    }

    #[test]
    fn licence_expressions_are_evaluated() {
        assert!(!refused(Some("MIT")));
        assert!(!refused(Some("GPL-3.0 OR MIT")), "one of an OR is enough");
        assert!(!refused(Some("Unlicense/MIT")), "the old notation with a slash");
        assert!(!refused(Some("(MIT OR GPL-3.0) AND BSD-3-Clause")));
        assert!(refused(Some("MIT AND GPL-3.0")), "all of an AND are needed");
        assert!(refused(Some("GPL-3.0")), "another crate's exception does not count");
        assert!(
            refused(Some("Apache-2.0 WITH LLVM-exception")),
            "an exception is named by itself"
        );
        assert!(refused(Some("see the file")) && refused(None));
    }

    #[test]
    fn a_banned_crate_is_found_with_its_user() {
        let rules = |wrappers: &[&str]| Bans {
            deny: vec![Ban {
                name: "thing".to_owned(),
                reason: "why".to_owned(),
                wrappers: wrappers.iter().map(|w| (*w).to_owned()).collect(),
            }],
        };
        assert_eq!(
            bans(&rules(&[]), &metadata(None, "user")),
            ["thing is banned (why); used by user"]
        );
        assert!(bans(&rules(&["user"]), &metadata(None, "user")).is_empty());
    }
}
