//! The workspace as `cargo metadata` tells it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;
use serde::Deserialize;

/// Where the sources are.
#[derive(Debug)]
pub struct Workspace {
    /// The folder of the root manifest.
    pub root: PathBuf,
}

impl Workspace {
    /// The workspace that this program was built from.
    ///
    /// # Errors
    /// When the sources have been moved away since.
    pub fn find() -> anyhow::Result<Self> {
        let here =
            std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        let root = here
            .parent()
            .context("the folder of xtask has no parent")?
            .to_path_buf();
        anyhow::ensure!(root.join("Cargo.toml").is_file(), "no Cargo.toml in {}", root.display());
        Ok(Self { root })
    }

    /// The program that started us, or `cargo`.
    pub fn cargo(&self) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&self.root);
        command
    }

    /// Packages and the graph of what is really built on this platform: `cargo metadata` knows packages and uses,
    /// `cargo tree` knows which of them the chosen features need.
    ///
    /// # Errors
    /// When cargo fails, or answers in a shape unknown to us.
    pub fn metadata(&self) -> anyhow::Result<Metadata> {
        let version = crate::run::output(self.cargo().args(["-vV"]))?;
        let host = version
            .lines()
            .find_map(|l| l.strip_prefix("host: "))
            .context("cargo -vV names no host")?;
        let metadata = ["metadata", "--format-version", "1", "--filter-platform", host];
        let text = crate::run::output(self.cargo().args(metadata))?;
        let mut metadata: Metadata = serde_json::from_str(&text).context("reading cargo metadata")?;
        let tree = [
            "tree",
            "--workspace",
            "--edges",
            "normal,build,dev",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ];
        let tree = crate::run::output(self.cargo().args(tree))?;
        metadata.keep_built(&tree);
        Ok(metadata)
    }

    /// A path as people write it: from the root of the workspace.
    pub fn relative<'a>(&self, path: &'a Path) -> std::path::Display<'a> {
        path.strip_prefix(&self.root).unwrap_or(path).display()
    }

    /// All files under `folder` (from the root) with one of these extensions, sorted; build output is left out.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn files(&self, folder: &str, extensions: &[&str]) -> anyhow::Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        let start = self.root.join(folder);
        if start.is_dir() {
            walk(&start, extensions, &mut found)?;
        }
        found.sort();
        Ok(found)
    }
}

fn walk(folder: &Path, extensions: &[&str], found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
            if !matches!(name, "target" | "node_modules" | ".git" | "dist") {
                walk(&path, extensions, found)?;
            }
        } else if path
            .extension()
            .and_then(|e| e.to_str())
            .is_some_and(|e| extensions.contains(&e))
        {
            found.push(path);
        }
    }
    Ok(())
}

/// What `cargo metadata` prints, as far as it is used here.
#[derive(Debug, Deserialize)]
pub struct Metadata {
    /// Every package in the lock file.
    pub packages: Vec<Package>,
    /// The ids of our own.
    pub workspace_members: Vec<String>,
    /// The graph for this platform.
    pub resolve: Resolve,
    /// Where cargo builds.
    #[serde(default)]
    pub target_directory: PathBuf,
}

/// One package.
#[derive(Debug, Deserialize, Clone)]
pub struct Package {
    /// Unique in the graph.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: semver::Version,
    /// SPDX expression, often in an old form.
    pub license: Option<String>,
    /// None for our own.
    pub source: Option<String>,
    /// Direct dependencies as declared.
    pub dependencies: Vec<Dependency>,
}

/// One declared dependency.
#[derive(Debug, Deserialize, Clone)]
pub struct Dependency {
    /// The package's name.
    pub name: String,
    /// Set for packages of this workspace.
    pub path: Option<PathBuf>,
}

/// The resolved graph.
#[derive(Debug, Deserialize)]
pub struct Resolve {
    /// One per package that is used on this platform.
    pub nodes: Vec<Node>,
}

/// One package in the graph.
#[derive(Debug, Deserialize)]
pub struct Node {
    /// The package.
    pub id: String,
    /// What it uses.
    pub deps: Vec<Edge>,
}

/// One use.
#[derive(Debug, Deserialize)]
pub struct Edge {
    /// The package used.
    pub pkg: String,
}

impl Metadata {
    /// Drops from the graph what `cargo tree` (lines of `name v1.2.3 …`) does not list.
    fn keep_built(&mut self, tree: &str) {
        let built: BTreeSet<(&str, &str)> = tree
            .lines()
            .filter_map(|line| {
                let mut words = line.split_whitespace();
                Some((words.next()?, words.next()?.strip_prefix('v')?))
            })
            .collect();
        let ids: BTreeSet<&str> = self
            .packages
            .iter()
            .filter(|p| built.contains(&(p.name.as_str(), p.version.to_string().as_str())))
            .map(|p| p.id.as_str())
            .collect();
        self.resolve.nodes.retain(|n| ids.contains(n.id.as_str()));
    }

    /// Our own packages.
    pub fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|p| self.workspace_members.contains(&p.id))
    }

    /// Packages of others that are used on this platform, by id.
    pub fn foreign(&self) -> BTreeMap<&str, &Package> {
        let by_id: BTreeMap<_, _> = self.packages.iter().map(|p| (p.id.as_str(), p)).collect();
        self.resolve
            .nodes
            .iter()
            .filter_map(|n| by_id.get_key_value(n.id.as_str()))
            .filter(|(_, p)| p.source.is_some())
            .map(|(k, v)| (*k, *v))
            .collect()
    }

    /// Names of the packages that use `id` directly.
    pub fn users(&self, id: &str) -> Vec<&str> {
        let name = |of: &str| self.packages.iter().find(|p| p.id == of).map(|p| p.name.as_str());
        self.resolve
            .nodes
            .iter()
            .filter(|n| n.deps.iter().any(|e| e.pkg == id))
            .filter_map(|n| name(&n.id))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_graph_is_what_is_built() -> Result<(), serde_json::Error> {
        let package = |name: &str| serde_json::json!({"id": name, "name": name, "version": "1.0.0", "license": null, "source": "registry", "dependencies": []});
        let mut metadata: Metadata = serde_json::from_value(serde_json::json!({
            "packages": [package("used"), package("unused")],
            "workspace_members": [],
            "resolve": {"nodes": [{"id": "used", "deps": []}, {"id": "unused", "deps": [{"pkg": "used"}]}]},
        }))?;
        metadata.keep_built("used v1.0.0 (proc-macro)\nused v1.0.0 (*)\nunused v2.0.0\n");
        assert_eq!(metadata.foreign().keys().collect::<Vec<_>>(), [&"used"]);
        assert!(metadata.users("used").is_empty());
        Ok(())
    }
}
