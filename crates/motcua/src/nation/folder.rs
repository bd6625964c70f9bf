//! The folder of the nation: one sub-folder for each node, with a configuration that a person can read and edit.
//!
//! ```text
//! motcua-nation/
//!   agencies.toml          the country, and where the agencies' own systems listen
//!   registries/            the folders of the registries that the nodes keep, with the dictionary
//!   questions/             the approved questions that the nodes answer
//!   proposals/             the rules by which the province proposes to people
//!   told/                  what the country tells, while the registries are being filled
//!   populated              they are filled
//!   complete               the nation was built to its end
//!   vpcp/                  a node: motcua.toml, node.log, motcua.pid while it runs
//!     data/                its database, keys, log, files
//!   ninhbinh/ …
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use ::ledger::Signer as _;
use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::{
    links::PURPOSES,
    plan::{self, AGENCIES, Agency, OPERATOR, POLICE, PROVINCE, WITNESS},
};
use crate::{config::Config, demo, ledger, ports};

const AGENCIES_FILE: &str = "agencies.toml";
const COMPLETE: &str = "complete";
const POPULATED: &str = "populated";
const REGISTRIES_FOLDER: &str = "registries";

/// Every file of `registries/` of this build, with its path below that folder.
const REGISTRIES: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/registries.rs"));

/// The same of `questions/` and of `proposals/`: what agencies ask of each other, and the province proposes to people.
const QUESTIONS: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/questions.rs"));
const PROPOSALS: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/proposals.rs"));

/// The folder.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

/// The folder of one node and what its configuration says.
#[derive(Debug, Clone)]
pub struct NodeFolder {
    /// Which member's.
    pub agency: &'static Agency,
    /// Its configuration.
    pub config: Config,
    folder: PathBuf,
}

/// The agencies' own systems, and the country that they and the registries know.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Systems {
    /// About how many persons live in the country.
    pub persons: u32,
    /// Where each system listens, by its code.
    pub listen: BTreeMap<String, SocketAddr>,
}

impl Folder {
    /// A folder that is ours: one that is empty, not there yet, or was made by [`Self::settle`].
    ///
    /// # Errors
    /// It holds something else.
    pub fn at(path: &Path) -> anyhow::Result<Self> {
        let ours = !path.exists() || path.join(AGENCIES_FILE).exists() || fs::read_dir(path)?.next().is_none();
        anyhow::ensure!(
            ours,
            "{} is not a folder of the demonstration nation; it is left alone",
            path.display()
        );
        Ok(Self(path.to_owned()))
    }

    /// Removes everything in it.
    ///
    /// # Errors
    /// Files cannot be removed.
    pub fn clear(&self) -> anyhow::Result<()> {
        if self.0.exists() {
            fs::remove_dir_all(&self.0).with_context(|| format!("removing {}", self.0.display()))?;
        }
        Ok(())
    }

    /// Whether the nation was built to its end.
    pub fn is_complete(&self) -> bool {
        self.0.join(COMPLETE).exists()
    }

    /// Notes that it was.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn complete(&self) -> anyhow::Result<()> {
        let path = self.0.join(COMPLETE);
        fs::write(&path, "").with_context(|| format!("writing {}", path.display()))
    }

    /// What the country tells, until its registries are filled.
    pub fn told(&self) -> PathBuf {
        self.0.join("told")
    }

    /// Whether they are filled.
    pub fn is_populated(&self) -> bool {
        self.0.join(POPULATED).exists()
    }

    /// Notes that they are; what was told is not needed any more. Said again, it finishes what broke off.
    ///
    /// # Errors
    /// The file cannot be written, or others cannot be removed.
    pub fn populated(&self) -> anyhow::Result<()> {
        write(&self.0.join(POPULATED), "")?;
        let told = self.told();
        match fs::remove_dir_all(&told) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("removing {}", told.display()))
            }
            _ => Ok(()),
        }
    }

    /// Chooses ports and writes the configurations that are not there yet. A country keeps the number of persons that it was made with.
    ///
    /// # Errors
    /// The folder cannot be written, or no port is free.
    pub fn settle(&self, port: u16, persons: u32) -> anyhow::Result<()> {
        fs::create_dir_all(&self.0).with_context(|| format!("making {}", self.0.display()))?;
        let systems: Vec<_> = AGENCIES.iter().flat_map(|agency| agency.systems).collect();
        let mut free = ports::free(AGENCIES.len() * 3 + systems.len())?.into_iter();
        let mut next = || free.next().context("no port is free");
        let path = self.0.join(AGENCIES_FILE);
        if !path.exists() {
            let mut listen = BTreeMap::new();
            for system in systems.iter().filter(|system| !system.services.is_empty()) {
                listen.insert(system.code.to_owned(), next()?);
            }
            let text = toml::to_string(&Systems { persons, listen })?;
            write(
                &path,
                &format!(
                    "# The country, and where the agencies' own systems listen: the software behind the gateways.\n{text}"
                ),
            )?;
        }
        let proposals = self.written("proposals", PROPOSALS)?;
        let written = Written {
            registries: self.written(REGISTRIES_FOLDER, REGISTRIES)?,
            questions: self.written("questions", QUESTIONS)?,
            proposals: folders(&proposals, PROPOSALS),
        };
        // The witness first: the operator names its key.
        let mut agencies: Vec<_> = AGENCIES.iter().collect();
        agencies.sort_by_key(|agency| agency.folder != WITNESS);
        for agency in agencies {
            let folder = self.0.join(agency.folder);
            let path = folder.join("motcua.toml");
            if path.exists() {
                continue;
            }
            fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
            let http = match agency.folder {
                PROVINCE if port != 0 => SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
                _ => next()?,
            };
            let ports = Ports {
                http,
                edge: next()?,
                peers: next()?,
            };
            let mut text = settings(agency, &folder, &written, &ports)?;
            if agency.folder == OPERATOR {
                text.push_str(&self.federation()?);
            }
            write(&path, &text)?;
        }
        Ok(())
    }

    /// Writes the files of this build that are not there yet; where they are.
    fn written(&self, folder: &str, files: &[(&str, &str)]) -> anyhow::Result<PathBuf> {
        let folder = std::path::absolute(self.0.join(folder))?;
        for (name, text) in files {
            let path = folder.join(name);
            if !path.exists() {
                let above = path.parent().unwrap_or(&folder);
                fs::create_dir_all(above).with_context(|| format!("making {}", above.display()))?;
                write(&path, text)?;
            }
        }
        Ok(folder)
    }

    /// The federation, whose directory names the witness to all members.
    fn federation(&self) -> anyhow::Result<String> {
        let config = Config::read(&self.0.join(WITNESS).join("motcua.toml"))?;
        let witnessing = config.ledger.witness.as_ref().context("the witness does not cosign")?;
        let key = ledger::witness::key(&config, witnessing)?.verifier();
        Ok(format!(
            "\n[exchange.federation]\n\
             name = {{ vi = \"Liên thông dữ liệu quốc gia (minh họa)\", en = \"National data exchange (demonstration)\" }}\n\
             witnesses = [{{ url = \"http://{}/witness\", key = \"{key}\" }}]\n\
             quorum = 1\n",
            config.http.listen
        ))
    }

    /// The nodes, in the order of the plan.
    ///
    /// # Errors
    /// A configuration cannot be read.
    pub fn nodes(&self) -> anyhow::Result<Vec<NodeFolder>> {
        let node = |agency: &'static Agency| {
            let folder = self.0.join(agency.folder);
            Ok(NodeFolder {
                agency,
                config: Config::read(&folder.join("motcua.toml"))?,
                folder,
            })
        };
        AGENCIES.iter().map(node).collect()
    }

    /// Where the agencies' own systems listen.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn systems(&self) -> anyhow::Result<Systems> {
        let path = self.0.join(AGENCIES_FILE);
        let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("in {}", path.display()))
    }
}

impl NodeFolder {
    /// Its configuration file.
    pub fn settings(&self) -> PathBuf {
        self.folder.join("motcua.toml")
    }

    /// Where it writes its log lines.
    pub fn log(&self) -> PathBuf {
        self.folder.join("node.log")
    }

    /// Where its process id stands while it runs.
    pub fn pid(&self) -> PathBuf {
        self.folder.join("motcua.pid")
    }

    /// Where programs on this machine reach it.
    pub fn url(&self) -> String {
        format!("http://{}", self.config.http.listen)
    }

    /// Where people reach it.
    pub fn site(&self) -> &str {
        &self.config.identity.public_url
    }

    /// Its part in the exchange.
    pub fn exchange(&self) -> crate::exchange::config::Exchange {
        self.config.exchange.clone().unwrap_or_default()
    }
}

/// Where the folders of this build were written that configurations name.
struct Written {
    registries: PathBuf,
    questions: PathBuf,
    proposals: Vec<PathBuf>,
}

/// A setting that names folders.
fn named(key: &str, folders: impl IntoIterator<Item = PathBuf>) -> String {
    let quoted = folders
        .into_iter()
        .map(|path| toml::Value::String(path.to_string_lossy().into_owned()).to_string());
    match quoted.collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => String::new(),
        list => format!("{key} = [{list}]\n"),
    }
}

/// The registries that a question of this build asks.
fn asked_by(question: &str) -> impl Iterator<Item = &'static str> {
    let of = |name: &str| Path::new(name).parent() == Some(Path::new(question));
    let text = QUESTIONS
        .iter()
        .find(|(name, _)| of(name))
        .map_or("", |(_, text)| *text);
    let asked = text.lines().filter_map(|line| line.strip_prefix("ask = \""));
    asked.filter_map(|name| Some(name.split_once('.')?.0))
}

/// Of a registry of this build, that which knows who represents the enterprises of its records.
pub(super) fn asked_who_represents(registry: &str) -> Option<&'static str> {
    named_in(registry, "registry.toml").next()
}

/// The registries whose records a registry names by their keys.
fn referenced_by(registry: &str) -> impl Iterator<Item = &'static str> {
    named_in(registry, "rules.toml")
}

/// The other registries that a file of a registry of this build names.
fn named_in(registry: &str, file: &str) -> impl Iterator<Item = &'static str> {
    let path = format!("{registry}/{file}");
    let text = REGISTRIES.iter().find(|(name, _)| *name == path);
    let named = text.map_or("", |(_, text)| *text).lines();
    named.filter_map(|line| line.strip_prefix("registry = \"")?.strip_suffix('"'))
}

/// The folders below `root` in which files of this build are, each once.
fn folders(root: &Path, files: &[(&str, &str)]) -> Vec<PathBuf> {
    let names: BTreeSet<&str> = files
        .iter()
        .filter_map(|(name, _)| Some(name.split_once('/')?.0))
        .collect();
    names.into_iter().map(|name| root.join(name)).collect()
}

/// Where a node listens.
struct Ports {
    http: SocketAddr,
    edge: SocketAddr,
    peers: SocketAddr,
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}

/// The configuration of a node. Each site has a name of its own, because browsers keep one set of cookies for all ports of a
/// name; names under `localhost` lead to this machine (RFC 6761, 6.3).
fn settings(agency: &Agency, folder: &Path, written: &Written, ports: &Ports) -> anyhow::Result<String> {
    let text = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let system = agency.systems.first().context("a member without a system")?;
    let data = std::path::absolute(folder.join("data"))?;
    let mut kept = named(
        "registries",
        agency.registries().map(|code| written.registries.join(code)),
    );
    kept += &named(
        "questions",
        agency.questions.iter().map(|code| written.questions.join(code)),
    );
    if agency.folder == PROVINCE {
        kept += &named("proposals", written.proposals.iter().cloned());
    }
    let asked: BTreeSet<&str> = agency.questions.iter().flat_map(|code| asked_by(code)).collect();
    let represented = agency.registries().filter_map(asked_who_represents);
    let referenced: BTreeSet<&str> = agency.registries().flat_map(referenced_by).chain(represented).collect();
    let mut out = format!(
        "# {name}: {member}. Made by `motcua demo --nation`; edit it while the nation is stopped.\n\
         data = {data}\n\
         {registries}\n\
         [http]\n\
         listen = \"{http}\"\n\
         drain_seconds = 3\n\n\
         [site]\n\
         agency = {{ vi = {name_vi}, en = {name_en} }}\n\n\
         [identity]\n\
         public_url = \"http://{folder}.localhost:{port}\"\n\
         demo = true                      # one-click sign-in: never on a node with real data\n\n\
         [exchange]\n\
         agency = {agency}\n\
         subsystem = \"{subsystem}\"\n\
         edge = \"{edge}\"          # where its own information systems call\n\
         peers = \"{peers}\"         # where other nodes call\n\
         refresh_seconds = 5\n\
         public_map = true\n",
        name = agency.name.0,
        member = agency.member,
        data = text(&data.to_string_lossy()),
        registries = kept,
        http = ports.http,
        name_vi = text(agency.name.0),
        name_en = text(agency.name.1),
        folder = agency.folder,
        port = ports.http.port(),
        agency = text(agency.agency),
        subsystem = system.code,
        edge = ports.edge,
        peers = ports.peers,
    );
    let mut met = plan::registries_of_all()
        .filter(|(registry, _)| {
            agency.folder == PROVINCE
                || asked.contains(registry)
                || referenced.contains(registry)
                || agency.registries().any(|kept| kept == *registry)
        })
        .peekable();
    if met.peek().is_some() {
        out.push_str("\n[exchange.registries]     # the system that keeps each: its own, and those that its procedures, questions and registries ask and tell, and whose records its own name\n");
    }
    for (registry, system) in met {
        out.push_str(&format!("{registry} = \"{system}\"\n"));
    }
    out.push_str("\n[exchange.journal.purposes]     # as people read them in their data tracker\n");
    for (code, vi, en) in PURPOSES {
        out.push_str(&format!("\"{code}\" = {{ vi = {}, en = {} }}\n", text(vi), text(en)));
    }
    match agency.folder {
        PROVINCE => out.push_str(&town()?),
        WITNESS => out.push_str("\n[ledger.witness]\ndirectory = true          # it cosigns the logs of all members\n"),
        _ => {}
    }
    Ok(out)
}

/// What the town needs beyond the settings of any node.
fn town() -> anyhow::Result<String> {
    let config = demo::furnished(&demo::Args::default())?;
    let dossiers = &config.dossiers;
    let mut out = format!(
        "\n[dossiers]\nplace = {}\n",
        toml::Value::String(dossiers.place.clone())
    );
    for (name, map) in [
        ("agencies", &dossiers.agencies),
        ("agency_names", &dossiers.agency_names),
    ] {
        out.push_str(&format!("\n[dossiers.{name}]\n{}", toml::to_string(map)?));
    }
    out.push_str("\n[dossiers.consulted]       # the fire police have a node of their own: they are asked through the exchange\n");
    for (symbol, agency) in &dossiers.consulted {
        let code = agency.code();
        if code == demo::FIRE_POLICE {
            out.push_str(&format!(
                "{symbol} = {{ system = \"{POLICE}\", agency = \"{code}\" }}\n"
            ));
        } else {
            out.push_str(&format!("{symbol} = \"{code}\"\n"));
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_is_gone_however_often_its_end_is_noted() {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = Folder::at(dir.path()).expect("an empty folder");
        fs::create_dir_all(folder.told()).expect("made");
        fs::write(folder.told().join("lives"), "1").expect("written");
        for _ in 0..2 {
            folder.populated().expect("noted");
            assert!(folder.is_populated() && !folder.told().exists());
        }
    }

    #[test]
    fn a_node_starts_again_under_the_ports_that_were_chosen() {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = Folder::at(dir.path()).expect("an empty folder");
        folder.settle(0, 500).expect("settled");
        let first = folder.nodes().expect("configurations");
        folder.settle(0, 500).expect("settled again");
        let again = folder.nodes().expect("configurations");
        let mut ports = std::collections::BTreeSet::new();
        for (first, again) in first.iter().zip(&again) {
            let (exchange, same) = (first.exchange(), again.exchange());
            assert_eq!((exchange.edge, exchange.peers), (same.edge, same.peers));
            ports.extend([first.config.http.listen, exchange.edge, exchange.peers]);
            assert_eq!(exchange.agency, first.agency.agency);
        }
        ports.extend(folder.systems().expect("systems").listen.into_values());
        assert_eq!(ports.len(), AGENCIES.len() * 3 + 5, "no port twice");
        let town = first
            .iter()
            .find(|node| node.agency.folder == PROVINCE)
            .expect("the province");
        assert_eq!(town.config.dossiers.agencies["commune"], demo::WARD);
        // Every registry is at one node, and the town knows where.
        let elsewhere = town.exchange().registries;
        assert_eq!(elsewhere.len(), 7);
        let kept = first.iter().flat_map(|node| &node.config.registries);
        for folder in kept.clone() {
            assert!(folder.join("registry.toml").is_file(), "{}", folder.display());
        }
        assert_eq!(kept.count(), elsewhere.len());
        // Who keeps records of enterprises knows whom to ask who represents one.
        for (folder, own) in [("haiquan", "customs"), ("thue", "tax")] {
            let node = first.iter().find(|node| node.agency.folder == folder);
            let met = node.expect("an agency").exchange().registries;
            for registry in [own, "enterprises"] {
                assert!(
                    met.contains_key(&registry.parse().expect("a code")),
                    "{folder}: {met:?}"
                );
            }
        }
        assert!(!town.config.dossiers.consulted.is_empty());
    }

    #[test]
    fn a_folder_of_something_else_is_left_alone() {
        let dir = tempfile::tempdir().expect("a folder");
        fs::write(dir.path().join("photo.jpg"), "x").expect("written");
        assert!(Folder::at(dir.path()).is_err());
    }
}
