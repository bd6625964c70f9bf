//! The workload as data (`bench/workload.toml`): how the program is driven, who calls, what is called. The runner knows none of it.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::Context;
use serde::Deserialize;

/// All that is measured.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// How the program under test is driven.
    pub program: Program,
    /// Callers by name, and their bearer tokens, usually a learnt value.
    #[serde(default)]
    pub actors: BTreeMap<String, String>,
    /// Values read from the server before measuring.
    #[serde(default)]
    pub pools: Vec<PoolSource>,
    /// What is measured, in this order.
    pub operations: Vec<Operation>,
    /// How the same operations are used to find out what survives a crash.
    pub crash: Option<Crash>,
}

/// Operations by their id, and what their answers mean, for the test that kills the server.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crash {
    /// Dossiers in the database before.
    pub seed: u64,
    /// Files a dossier, under a key.
    pub file: String,
    /// Changes it, under a key.
    pub change: String,
    /// Reads it.
    pub read: String,
    /// JSON pointer to what is there after the change, and null before.
    pub changed: String,
    /// Status codes that say "this was done before" to a repeated request.
    pub again: Vec<u16>,
    /// What identifies a dossier in the answer to its filing; names as in the operation's `keep`.
    pub identity: BTreeMap<String, String>,
    /// The list of all dossiers.
    pub list: PoolSource,
}

/// Commands of the program, after its name. `{data}`, `{database}`, `{config}`, `{size}` and `{port}` are filled in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// The configuration file to serve with.
    pub config: String,
    /// Makes the tables and fills them with `{size}` dossiers; the last line that it prints is JSON.
    pub seed: Vec<String>,
    /// Values learnt from that line: name and JSON pointer. Operations may use them.
    pub learn: BTreeMap<String, String>,
    /// Serves until it is told to stop.
    pub serve: Vec<String>,
    /// Answers 200 when the server is ready.
    pub ready: String,
    /// Address of a database of each engine; `{data}` or `{postgres}` is filled in.
    pub sqlite: String,
    /// As `sqlite`.
    pub postgres: String,
    /// Added to the address of a PostgreSQL database while it is filled, which need not be durable.
    pub seed_postgres: String,
}

/// Values taken from lists of the server.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolSource {
    /// Its name.
    pub name: String,
    /// Who asks.
    pub actor: Option<String>,
    /// The first page.
    pub path: String,
    /// JSON pointer to the list in the answer.
    pub items: String,
    /// JSON pointer to the mark of the next page; absent or null at the last.
    pub next: Option<String>,
    /// The next page, with `{next}` for that mark.
    #[serde(default)]
    pub next_path: String,
    /// Most pages read.
    #[serde(default = "one")]
    pub pages: usize,
    /// Name of a value and the JSON pointer to it in each item.
    pub keep: BTreeMap<String, String>,
}

const fn one() -> usize {
    1
}

/// One request that is repeated.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// Its name in the results, and in `peer.toml`.
    pub id: String,
    /// As people read it.
    pub name: String,
    /// Who calls.
    pub actor: Option<String>,
    /// HTTP method.
    pub method: String,
    /// Path with `{values}` of the pool, `{unique}` (a new UUID) and `{count}` (0, 1, 2 …).
    pub path: String,
    /// More header lines, with the same values.
    #[serde(default)]
    pub headers: Vec<String>,
    /// A JSON body with the same values: text, or a file beside the workload when it starts with `@`.
    pub body: Option<String>,
    /// Status codes of success.
    pub expect: Vec<u16>,
    /// Where the values come from.
    pub from: Option<String>,
    /// Each set of values is used at most once: the operation changes what it names.
    #[serde(default)]
    pub once: bool,
    /// Puts values of each answer into this pool, as `keep` says.
    pub into: Option<String>,
    /// Name of a value and the JSON pointer to it in the answer.
    #[serde(default)]
    pub keep: BTreeMap<String, String>,
    /// Values carried over from the request's own set into `into`.
    #[serde(default)]
    pub carry: Vec<String>,
}

impl PoolSource {
    /// The page after this one.
    pub fn after(&self, page: &serde_json::Value) -> Option<Values> {
        let mark = page.pointer(self.next.as_deref()?)?.as_str()?;
        Some(Values::from([("next".to_owned(), mark.to_owned())]))
    }
}

impl Operation {
    /// A plain request for a page.
    pub fn get(path: &str) -> Self {
        Self {
            id: String::new(),
            name: String::new(),
            actor: None,
            method: "GET".to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: None,
            expect: vec![200],
            from: None,
            once: false,
            into: None,
            keep: BTreeMap::new(),
            carry: Vec::new(),
        }
    }
}

/// One set of named values.
pub type Values = BTreeMap<String, String>;

impl Workload {
    /// Reads a workload and the bodies that it names.
    ///
    /// # Errors
    /// When a file is missing or not as described here, or an operation names an actor that is not there.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
        let mut workload: Self = toml::from_str(&text).with_context(|| file.display().to_string())?;
        for operation in &mut workload.operations {
            if let Some(name) = operation.body.as_deref().and_then(|b| b.strip_prefix('@')) {
                let path = file.with_file_name(name);
                operation.body =
                    Some(fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?);
            }
            if let Some(actor) = &operation.actor {
                anyhow::ensure!(
                    workload.actors.contains_key(actor),
                    "operation {}: no actor {actor}",
                    operation.id
                );
            }
        }
        Ok(workload)
    }

    /// Fills the site's database and puts what the program said about it into actors and operations.
    ///
    /// # Errors
    /// When the program fails or says something else.
    pub fn seed(&mut self, site: &super::server::Site) -> anyhow::Result<()> {
        let said = site.command(&self.program.seed)?;
        let line = said
            .lines()
            .rfind(|l| !l.trim().is_empty())
            .context("seeding said nothing")?;
        let json = serde_json::from_str(line).with_context(|| format!("seeding said {line}"))?;
        let learnt = pick(&json, &self.program.learn).with_context(|| format!("seeding did not say all: {line}"))?;
        for token in self.actors.values_mut() {
            *token = fill(token, &learnt);
        }
        for operation in &mut self.operations {
            operation.path = fill(&operation.path, &learnt);
            operation.body = operation.body.as_deref().map(|body| fill(body, &learnt));
        }
        Ok(())
    }
}

/// A text with its `{names}` replaced; a name that is not known stays, so that JSON's own braces do.
pub fn fill(text: &str, values: &Values) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let known = after
            .split_once('}')
            .and_then(|(name, tail)| Some((values.get(name)?, tail)));
        if let Some((value, tail)) = known {
            out.push_str(value);
            rest = tail;
        } else {
            out.push('{');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// The values that the pointers find, as text; None when one finds nothing.
pub fn pick(json: &serde_json::Value, keep: &BTreeMap<String, String>) -> Option<Values> {
    keep.iter()
        .map(|(name, pointer)| {
            let value = json.pointer(pointer)?;
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            Some((name.clone(), text))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_names_are_filled() {
        let values = Values::from([("id".to_owned(), "7".to_owned())]);
        assert_eq!(
            fill(r#"{"a": {"b": "{id}"}, "c": "{other}"}"#, &values),
            r#"{"a": {"b": "7"}, "c": "{other}"}"#
        );
        assert_eq!(fill("/x/{id}/{", &values), "/x/7/{");
    }

    #[test]
    fn values_are_picked_by_pointer() {
        let json = serde_json::json!({"id": "a", "n": 3});
        let keep = |p: &str| BTreeMap::from([("v".to_owned(), p.to_owned())]);
        assert_eq!(
            pick(&json, &keep("/n")),
            Some(Values::from([("v".to_owned(), "3".to_owned())]))
        );
        assert_eq!(pick(&json, &keep("/missing")), None);
    }

    #[test]
    fn the_workload_of_the_project_is_read() -> anyhow::Result<()> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bench/workload.toml");
        assert!(Workload::read(&file)?.operations.len() >= 5);
        Ok(())
    }
}
