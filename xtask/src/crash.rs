//! `kill -9` under load: whatever the server acknowledged is there after the restart, once; and a request repeated under its
//! key has one effect. On PostgreSQL the database is stopped as by a power cut too.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::Context;

use crate::{
    bench::{
        load::{Answer, Connection, request, unique},
        server::Site,
        workload::{Crash, Operation, Values, Workload, fill, pick},
    },
    postgres::Cluster,
    run::Outcome,
    tests_all::Engine,
    workspace::Workspace,
};

/// How often the server is killed on each engine.
const ROUNDS: u64 = 4;

/// Clients that write at the same time.
const CLIENTS: u64 = 8;

/// What the clients know about one dossier: what they asked for, and what was acknowledged.
#[derive(Debug, Default, Clone)]
struct Known {
    /// Values of the answer that acknowledged the filing.
    filed: Option<Values>,
    /// The change of status was acknowledged.
    changed: bool,
    /// It was asked for, so it may have happened.
    change_asked: bool,
}

/// Dossiers by the key of the request that filed them.
type Ledger = BTreeMap<String, Known>;

/// Runs the rounds on the engines and counts what held.
///
/// # Errors
/// When the server does not start, or does not come back.
pub fn check(workspace: &Workspace, engine: Engine) -> anyhow::Result<Outcome> {
    let file = workspace.root.join("bench/workload.toml");
    let binary = workspace.metadata()?.target_directory.join("debug/motcua");
    let engines: &[&str] = match engine {
        Engine::Sqlite => &["sqlite"],
        Engine::Postgres => &["postgres"],
        Engine::All => &["sqlite", "postgres"],
    };
    let (mut checks, mut findings) = (0, Vec::new());
    for engine in engines {
        let folder = workspace.root.join("target/crash").join(engine);
        let _ = std::fs::remove_dir_all(&folder);
        let (n, wrong) = on_engine(&file, &binary, &folder, engine)?;
        checks += n;
        findings.extend(wrong.into_iter().map(|w| format!("{engine}: {w}")));
    }
    let mut outcome = Outcome::of_findings(ROUNDS * engines.len() as u64, &findings);
    outcome.note = format!("{checks} acknowledgements looked up");
    Ok(outcome)
}

fn on_engine(file: &Path, binary: &Path, folder: &Path, engine: &str) -> anyhow::Result<(u64, Vec<String>)> {
    let mut workload = Workload::read(file)?;
    let seeded = workload.crash.as_ref().context("the workload has no [crash]")?.seed;
    let mut cluster = if engine == "postgres" {
        Some(Cluster::start(&[])?)
    } else {
        None
    };
    let site = Site::new(&workload.program, binary, folder, seeded, cluster.as_ref())?;
    workload.seed(&site)?;
    let crash = workload.crash.as_ref().context("the workload has no [crash]")?;
    let client = Client {
        workload: &workload,
        crash,
        address: site.address,
    };
    let mut ledger = Ledger::new();
    let (mut checks, mut wrong) = (0, Vec::new());
    for round in 1..=ROUNDS {
        let server = site.start(&workload.program)?;
        let written = Mutex::new(Ledger::new());
        std::thread::scope(|scope| {
            for n in 0..CLIENTS {
                let (written, client) = (&written, &client);
                scope.spawn(move || client.write(round * 100 + n, written));
            }
            std::thread::sleep(Duration::from_millis(1_200 + round * 310));
            server.kill();
        });
        let cut = round % 2 == 0 && cluster.is_some();
        if let Some(cluster) = cluster.as_mut().filter(|_| cut) {
            cluster.crash()?;
        }
        let mut written = written.into_inner().unwrap_or_default();
        let filed = written.values().filter(|k| k.filed.is_some()).count();
        let cut = if cut { ", power cut" } else { "" };
        println!(
            "  {engine}, round {round}: {} sent, {filed} acknowledged{cut}",
            written.len()
        );
        anyhow::ensure!(filed > 0, "nothing was acknowledged before the server was killed");
        let server = site.start(&workload.program)?;
        let (n, found) = client.verify(&mut written)?;
        checks += n;
        wrong.extend(found.into_iter().map(|f| format!("round {round}: {f}")));
        ledger.append(&mut written);
        if round == ROUNDS {
            let (n, found) = client.verify(&mut ledger)?;
            let listed = client.count(ledger.len() as u64)?;
            checks += n + 1;
            wrong.extend(found.into_iter().chain(listed).map(|f| format!("at the end: {f}")));
        }
        drop(server);
    }
    Ok((checks, wrong))
}

/// What writes and reads.
#[derive(Debug)]
struct Client<'a> {
    workload: &'a Workload,
    crash: &'a Crash,
    address: SocketAddr,
}

impl Client<'_> {
    fn operation(&self, id: &str) -> anyhow::Result<&Operation> {
        self.workload
            .operations
            .iter()
            .find(|o| o.id == id)
            .with_context(|| format!("no operation {id}"))
    }

    fn ask(&self, connection: &mut Connection, operation: &Operation, values: &Values) -> anyhow::Result<Answer> {
        let token = operation
            .actor
            .as_ref()
            .and_then(|a| self.workload.actors.get(a))
            .map(String::as_str);
        connection.ask(&request(operation, token, values))
    }

    /// Files dossiers and changes every other one until the connection breaks.
    fn write(&self, salt: u64, written: &Mutex<Ledger>) {
        let (Ok(file), Ok(change)) = (self.operation(&self.crash.file), self.operation(&self.crash.change)) else {
            return;
        };
        let count = AtomicU64::new(0);
        let mut connection = Connection::new(self.address);
        let mut once = || -> anyhow::Result<()> {
            let n = count.fetch_add(1, Ordering::Relaxed);
            let key = unique(salt, n);
            let note = |known: Known| {
                written
                    .lock()
                    .map(|mut all| all.insert(key.clone(), known))
                    .map(drop)
                    .unwrap_or_default()
            };
            note(Known::default());
            let answer = self.ask(&mut connection, file, &keyed(Values::new(), &key))?;
            anyhow::ensure!(
                file.expect.contains(&answer.status),
                "{}: {}",
                answer.status,
                answer.text()
            );
            let filed = pick(&answer.json(), &file.keep).context("the answer lacks what the workload keeps")?;
            let mut known = Known {
                filed: Some(filed.clone()),
                ..Known::default()
            };
            note(known.clone());
            if n.is_multiple_of(2) {
                known.change_asked = true;
                note(known.clone());
                let answer = self.ask(&mut connection, change, &keyed(filed, &change_key(&key)))?;
                known.changed = change.expect.contains(&answer.status);
                note(known);
            }
            Ok(())
        };
        while once().is_ok() {}
    }

    /// Number of checks, and what did not hold. Learns from repeated requests what became of those without an answer.
    fn verify(&self, ledger: &mut Ledger) -> anyhow::Result<(u64, Vec<String>)> {
        let (file, read) = (self.operation(&self.crash.file)?, self.operation(&self.crash.read)?);
        let change = self.operation(&self.crash.change)?;
        let mut connection = Connection::new(self.address);
        let (mut checks, mut wrong) = (0, Vec::new());
        let mut by_identity: BTreeMap<String, String> = BTreeMap::new();
        for (key, known) in &mut *ledger {
            // The same request under the same key: the first answer again, or now for the first time.
            let again = self.ask(&mut connection, file, &keyed(Values::new(), key))?;
            checks += 1;
            if !file.expect.contains(&again.status) && !self.crash.again.contains(&again.status) {
                wrong.push(format!("repeating {key}: {}: {}", again.status, again.text()));
                continue;
            }
            let now =
                pick(&again.json(), &self.crash.identity).context("the answer lacks the identity of the dossier")?;
            let before = known.filed.as_ref().map(|v| {
                self.crash
                    .identity
                    .keys()
                    .map(|k| v.get(k).cloned())
                    .collect::<Vec<_>>()
            });
            if before.is_some_and(|b| b != now.values().cloned().map(Some).collect::<Vec<_>>()) {
                wrong.push(format!(
                    "repeating {key}: another dossier {now:?} than {:?}",
                    known.filed
                ));
            }
            let identity = now.values().cloned().collect::<Vec<_>>().join(" ");
            if let Some(other) = by_identity.insert(identity, key.clone()) {
                wrong.push(format!("{key} and {other} are one dossier"));
            }
            if known.filed.is_none() {
                known.filed = pick(&again.json(), &file.keep).or(Some(now));
            }
            let Some(filed) = &known.filed else { continue };
            if known.change_asked && !known.changed {
                let answer = self.ask(&mut connection, change, &keyed(filed.clone(), &change_key(key)))?;
                known.changed = change.expect.contains(&answer.status) || self.crash.again.contains(&answer.status);
                if !known.changed {
                    wrong.push(format!(
                        "repeating the change of {key}: {}: {}",
                        answer.status,
                        answer.text()
                    ));
                }
            }
            let answer = self.ask(&mut connection, read, filed)?;
            let json = answer.json();
            checks += 1;
            if !read.expect.contains(&answer.status) {
                wrong.push(format!("acknowledged and gone: {filed:?}: {}", answer.status));
            } else if known.changed && json.pointer(&self.crash.changed).is_none_or(serde_json::Value::is_null) {
                wrong.push(format!("its change was acknowledged and is gone: {filed:?}"));
            }
        }
        Ok((checks, wrong))
    }

    /// The list that holds all dossiers has as many as the seed and the keys make.
    fn count(&self, filed: u64) -> anyhow::Result<Option<String>> {
        let mut connection = Connection::new(self.address);
        let list = &self.crash.list;
        let token = list
            .actor
            .as_ref()
            .and_then(|a| self.workload.actors.get(a))
            .map(String::as_str);
        let mut next = Some(list.path.clone());
        let mut all = std::collections::BTreeSet::new();
        let mut rows = 0;
        while let Some(path) = next.take() {
            let get = Operation::get(&path);
            let answer = connection.ask(&request(&get, token, &Values::new()))?;
            anyhow::ensure!(answer.status == 200, "{path}: {}: {}", answer.status, answer.text());
            let json = answer.json();
            let items = json
                .pointer(&list.items)
                .and_then(|v| v.as_array())
                .cloned()
                .unwrap_or_default();
            rows += items.len() as u64;
            all.extend(items.iter().filter_map(|item| pick(item, &list.keep)));
            next = list.after(&json).map(|values| fill(&list.next_path, &values));
        }
        let wanted = filed + self.crash.seed;
        let distinct = all.len() as u64;
        let good = rows == wanted && distinct == wanted;
        Ok((!good).then(|| format!("the list has {rows} rows of {distinct} dossiers; {wanted} were filed")))
    }
}

fn keyed(mut values: Values, key: &str) -> Values {
    values.insert("unique".to_owned(), key.to_owned());
    values
}

/// The key of the change of a dossier, derived from the key under which it was filed: a UUID of its own.
fn change_key(key: &str) -> String {
    let last = key.chars().last().and_then(|c| c.to_digit(16)).unwrap_or(0);
    let rest = key.get(1..key.len().saturating_sub(1)).unwrap_or_default();
    format!("c{rest}{:x}", last ^ 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_changes_are_uuids_of_their_own() {
        let key = unique(3, 4);
        let change = change_key(&key);
        assert_eq!(change.len(), key.len());
        assert_ne!(change, key);
        assert_eq!(change, change_key(&key), "a repeated change has the same key");
    }
}
