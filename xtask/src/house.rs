//! The house test: which crate may use which, and what a reader finds where.

use std::{fs, path::Path};

use crate::{
    run::Outcome,
    workspace::{Metadata, Workspace},
};

/// The crates in their order. One uses only crates of lower levels; same level means no use sideways.
const LEVELS: &[(&str, u8)] = &[
    ("base", 0),
    ("traces", 0),
    ("country", 1),
    ("cleansing", 1),
    ("linkage", 1),
    ("papers", 1),
    ("store", 1),
    ("ledger", 1),
    ("view", 1),
    ("trust", 2),
    ("identity", 2),
    ("exchange", 3),
    ("procedure", 3),
    ("registry", 4),
    ("dossier", 5),
    ("insight", 6),
    ("motcua", 7),
];

/// Folders that are vertical slices: a domain with its own tables, pages and API.
const SLICES: &[&str] = &[
    "crates/identity/src",
    "crates/procedure/src/catalogue",
    "crates/dossier/src",
    "crates/insight/src",
];

/// The files that every slice has under the same name; each may be a folder of that name instead.
const ROOMS: &[&str] = &["model", "store", "service", "api", "pages"];

/// A Rust file longer than this is probably two things; it is told.
const LONG_FILE: usize = 700;

/// And one longer than this is refused.
const LONGEST_FILE: usize = 1_200;

/// Runs all checks of the house.
///
/// # Errors
/// When cargo or a file cannot be read.
pub fn check(workspace: &Workspace) -> anyhow::Result<Outcome> {
    let metadata = workspace.metadata()?;
    let (mut checks, mut findings) = edges(&metadata);
    for slice in SLICES {
        checks += 1;
        let missing = missing_rooms(&workspace.root.join(slice));
        if !missing.is_empty() {
            findings.push(format!(
                "{slice}: no {} (each slice has the same file names)",
                missing.join(", ")
            ));
        }
    }
    for file in workspace
        .files("crates", &["rs"])?
        .into_iter()
        .chain(workspace.files("xtask", &["rs"])?)
        .chain(workspace.files("scale", &["rs"])?)
    {
        checks += 1;
        let lines = fs::read_to_string(&file)?.lines().count();
        let shown = workspace.relative(&file);
        if file.components().any(|c| c.as_os_str() == "tests") {
            continue;
        }
        if lines > LONGEST_FILE {
            findings.push(format!("{shown}: {lines} lines; make it a folder of that name"));
        } else if lines > LONG_FILE {
            println!("  note: {shown}: {lines} lines; is it still one room?");
        }
    }
    for lock in ["frontend/package-lock.json", "e2e/package-lock.json"] {
        let text = fs::read_to_string(workspace.root.join(lock)).unwrap_or_default();
        checks += 1;
        if text.contains("\"resolved\"") {
            findings.push(format!(
                "{lock}: names a registry host; set omit-lockfile-registry-resolved=true in .npmrc and lock again"
            ));
        }
    }
    Ok(Outcome::of_findings(checks, &findings))
}

fn level(name: &str) -> Option<u8> {
    LEVELS.iter().find(|(n, _)| *n == name).map(|(_, level)| *level)
}

/// Number of edges looked at, and the forbidden ones.
fn edges(metadata: &Metadata) -> (u64, Vec<String>) {
    let (mut checks, mut findings) = (0, Vec::new());
    for package in metadata.members().filter(|p| p.name != "xtask") {
        checks += 1;
        let Some(own) = level(&package.name) else {
            findings.push(format!(
                "{}: has no level; give it one in xtask/src/house.rs",
                package.name
            ));
            continue;
        };
        for dependency in package
            .dependencies
            .iter()
            .filter(|d| d.path.is_some() && d.name != package.name)
        {
            checks += 1;
            if level(&dependency.name).is_none_or(|used| used >= own) {
                findings.push(format!(
                    "{} uses {}: a crate uses only crates of lower levels ({})",
                    package.name,
                    dependency.name,
                    LEVELS
                        .iter()
                        .map(|(n, l)| format!("{n}={l}"))
                        .collect::<Vec<_>>()
                        .join(" ")
                ));
            }
        }
    }
    (checks, findings)
}

fn missing_rooms(slice: &Path) -> Vec<&'static str> {
    let there = |room: &str| slice.join(format!("{room}.rs")).is_file() || slice.join(room).join("mod.rs").is_file();
    ROOMS.iter().copied().filter(|room| !there(room)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(edges: &[(&str, &str)]) -> Metadata {
        let package = |name: &str| {
            let uses: Vec<_> = edges.iter().filter(|(from, _)| *from == name).collect();
            serde_json::json!({
                "id": name, "name": name, "version": "0.1.0", "license": null, "source": null,
                "dependencies": uses.iter().map(|(_, to)| serde_json::json!({"name": to, "path": "/x"})).collect::<Vec<_>>(),
            })
        };
        let names: std::collections::BTreeSet<_> = edges.iter().map(|(from, _)| *from).collect();
        serde_json::from_value(serde_json::json!({
            "packages": names.iter().map(|n| package(n)).collect::<Vec<_>>(),
            "workspace_members": names, "resolve": {"nodes": []},
        }))
        .expect("metadata in cargo's shape")
    }

    #[test]
    fn only_lower_levels_may_be_used() {
        assert_eq!(
            edges(&metadata(&[("dossier", "procedure"), ("view", "base")])).1,
            Vec::<String>::new()
        );
        assert_eq!(edges(&metadata(&[("procedure", "dossier")])).1.len(), 1, "upwards");
        assert_eq!(edges(&metadata(&[("store", "view")])).1.len(), 1, "sideways");
        assert_eq!(
            edges(&metadata(&[("newcomer", "base")])).1.len(),
            1,
            "a crate without a level"
        );
    }

    #[test]
    fn a_slice_has_all_its_rooms() -> std::io::Result<()> {
        let slice = tempfile::tempdir()?;
        for room in ["model.rs", "service.rs", "api.rs", "pages.rs"] {
            fs::write(slice.path().join(room), "")?;
        }
        assert_eq!(missing_rooms(slice.path()), ["store"]);
        fs::create_dir(slice.path().join("store"))?;
        fs::write(slice.path().join("store/mod.rs"), "")?;
        assert!(missing_rooms(slice.path()).is_empty());
        Ok(())
    }
}
