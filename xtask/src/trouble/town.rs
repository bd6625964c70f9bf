//! Three nodes of the built program: the operator, a member that asks and a member that answers.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context;
use serde_json::{Value, json};

use super::{
    proxy::Line,
    system::{self, System},
    wire::{self, Message},
};
use crate::{bench::load::unique, ports, run};

/// Requests to the API so far: each has a key of its own.
static ASKED: AtomicU64 = AtomicU64::new(0);

/// The agency whose officers look after each of the nodes.
const AGENCY: &str = "H42.28";
/// Who asks.
pub const ASKS: &str = "VN/GOV/000.00.00.H42/motcua";
/// Who answers.
pub const ANSWERS: &str = "VN/GOV/000.00.00.G01/dancu";
/// What for.
pub const PURPOSE: &str = "dossier.verify";
/// How long nodes have to learn of each other.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where a node is on the machine.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its address.
    pub ip: IpAddr,
    /// The network namespace that it runs in, if not ours.
    pub namespace: Option<String>,
}

impl Place {
    /// Here.
    pub const fn here() -> Self {
        Self {
            ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            namespace: None,
        }
    }
}

/// A node.
#[derive(Debug)]
pub struct Node {
    name: &'static str,
    binary: PathBuf,
    place: Place,
    /// Its data.
    pub data: PathBuf,
    config: PathBuf,
    /// Pages and API.
    pub http: SocketAddr,
    /// Where its information systems call.
    pub edge: SocketAddr,
    /// Where other nodes call.
    pub peers: SocketAddr,
    token: String,
    child: Mutex<Option<Child>>,
}

impl Node {
    fn new(name: &'static str, binary: &Path, folder: &Path, place: Place) -> anyhow::Result<Self> {
        let data = folder.join(name);
        fs::create_dir_all(&data)?;
        let free = || anyhow::Ok(SocketAddr::new(place.ip, ports::free()?));
        let (http, edge, peers) = (free()?, free()?, free()?);
        let config = folder.join(format!("{name}.toml"));
        let text = format!(
            "data = {data:?}\n[http]\nlisten = \"{http}\"\ndrain_seconds = 5\n[identity]\npublic_url = \"http://{http}\"\n\
             [dossiers]\nagencies = {{ commune = \"{AGENCY}\", province = \"{AGENCY}\", ministry = \"{AGENCY}\", agency = \"{AGENCY}\" }}\n\
             [exchange]\nagency = \"{AGENCY}\"\nedge = \"{edge}\"\npeers = \"{peers}\"\n"
        );
        fs::write(&config, text)?;
        Ok(Self {
            name,
            binary: binary.to_owned(),
            place,
            data,
            config,
            http,
            edge,
            peers,
            token: String::new(),
            child: Mutex::default(),
        })
    }

    fn program(&self) -> Command {
        match &self.place.namespace {
            Some(namespace) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", namespace]).arg(&self.binary);
                command
            }
            None => Command::new(&self.binary),
        }
    }

    /// Runs a command of the program on this node; gives what it printed.
    ///
    /// # Errors
    /// When it fails.
    pub fn command(&self, words: &[&str]) -> anyhow::Result<String> {
        run::output(self.program().args(words).arg("--config").arg(&self.config))
    }

    /// Runs `motcua ledger audit`; gives what it printed.
    ///
    /// # Errors
    /// When it finds something.
    pub fn audit(&self, folder: &str, key: &str) -> anyhow::Result<String> {
        let out = self
            .program()
            .args(["ledger", "audit", folder, "--en", "--key", key])
            .output()?;
        let said = String::from_utf8_lossy(&out.stdout).into_owned();
        anyhow::ensure!(out.status.success(), "{said}{}", String::from_utf8_lossy(&out.stderr));
        Ok(said)
    }

    /// Makes tables and an officer with a key for programs.
    fn settle(&mut self) -> anyhow::Result<()> {
        self.command(&["migrate"])?;
        let roles = ["--role", "administrator", "--role", "auditor"];
        let officer = [
            &[
                "officer",
                "--login",
                "quan.tri",
                "--name",
                "Trần Văn Quản",
                "--agency",
                AGENCY,
            ][..],
            &roles,
        ];
        self.command(&officer.concat())?;
        let token = [&["token", "--login", "quan.tri", "--label", "trial"][..], &roles];
        self.command(&token.concat())?.trim().clone_into(&mut self.token);
        Ok(())
    }

    /// Starts it and waits until it answers. Gives how long that took.
    ///
    /// # Errors
    /// When it ends, or does not answer within a minute.
    pub fn start(&self) -> anyhow::Result<Duration> {
        let mut place = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.data.with_extension("log");
        let log = fs::File::options().create(true).append(true).open(&path)?;
        let begun = Instant::now();
        let mut child = self
            .program()
            .arg("serve")
            .arg("--config")
            .arg(&self.config)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("starting {}", self.name))?;
        let ready = |address, path| {
            let patience = Duration::from_secs(2);
            wire::call(address, "GET", path, &[], b"", patience).is_ok()
        };
        // Any answer of the edge: its gateway is open.
        while !(ready(self.http, "/healthz") && (self.name == OPERATOR || ready(self.edge, "/"))) {
            if let Some(status) = child.try_wait()? {
                let said = fs::read_to_string(&path).unwrap_or_default();
                let end: Vec<_> = said.lines().rev().take(5).collect();
                anyhow::bail!("{} ended with {status}: {end:?}", self.name);
            }
            if begun.elapsed() > Duration::from_secs(60) {
                let _ = child.kill();
                anyhow::bail!("{} was not ready within a minute", self.name);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        *place = Some(child);
        Ok(begun.elapsed())
    }

    /// Its process.
    ///
    /// # Errors
    /// When it does not run.
    pub fn pid(&self) -> anyhow::Result<u32> {
        let child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(child.as_ref().context("it does not run")?.id())
    }

    /// Ends it at once.
    pub fn kill(&self) {
        if let Some(mut child) = self.child.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Sends it a signal: `STOP`, `CONT`, `TERM`.
    ///
    /// # Errors
    /// When it does not run.
    pub fn signal(&self, name: &str) -> anyhow::Result<()> {
        let pid = self.pid()?.to_string();
        run::output(Command::new("kill").args([&format!("-{name}"), &pid])).map(drop)
    }

    /// Lets it finish what is in hand; says whether it ended within half a minute.
    ///
    /// # Errors
    /// When it does not run.
    pub fn stop(&self) -> anyhow::Result<bool> {
        self.signal("TERM")?;
        let Some(mut child) = self.child.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return Ok(true);
        };
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(40) {
            if child.try_wait()?.is_some() {
                return Ok(true);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = child.kill();
        let _ = child.wait();
        Ok(false)
    }

    /// Asks its API as the officer.
    ///
    /// # Errors
    /// When it does not answer, or refuses.
    pub fn api(&self, method: &str, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let answer = self.ask(method, path, body)?;
        let good = (200..300).contains(&answer.status());
        anyhow::ensure!(
            good,
            "{method} {path} at {}: {}: {}",
            self.name,
            answer.status(),
            answer.text()
        );
        Ok(answer.json())
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> anyhow::Result<Message> {
        let bearer = format!("Bearer {}", self.token);
        let body = body.map(Value::to_string).unwrap_or_default();
        let key = unique(u64::from(std::process::id()), ASKED.fetch_add(1, Ordering::Relaxed));
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
            ("idempotency-key", key.as_str()),
        ];
        wire::call(
            self.http,
            method,
            path,
            &headers,
            body.as_bytes(),
            Duration::from_secs(30),
        )
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

const OPERATOR: &str = "operator";

/// The federation.
#[derive(Debug)]
pub struct Town {
    /// Who keeps the directory; it runs as long as this is there.
    _operator: Node,
    /// Whose information system calls.
    pub consumer: Node,
    /// Whose information system answers.
    pub provider: Node,
    /// Between the two.
    pub line: Line,
    /// What answers.
    pub system: System,
}

/// Where the nodes run.
#[derive(Debug)]
pub struct Ground<'a> {
    /// The program.
    pub binary: &'a Path,
    /// For their data.
    pub folder: &'a Path,
    /// Where all but the provider's member are.
    pub here: Place,
    /// Where the provider's member is.
    pub there: Place,
}

impl Town {
    /// Founds it: keys, approval, systems, a service, a grant; it ends with a call that succeeds.
    ///
    /// # Errors
    /// When any step does not.
    pub fn found(ground: &Ground<'_>) -> anyhow::Result<Self> {
        let Ground {
            binary,
            folder,
            here,
            there,
        } = ground;
        let mut operator = Node::new(OPERATOR, binary, folder, here.clone())?;
        let mut consumer = Node::new("consumer", binary, folder, here.clone())?;
        let mut provider = Node::new("provider", binary, folder, there.clone())?;
        let (line, system) = (Line::lay(provider.peers)?, System::start()?);
        let root = operator.command(&["node", "found", "--instance", "VN"])?;
        operator.settle()?;
        operator.start()?;
        let members = [
            (&mut consumer, ASKS, "Tỉnh Ninh Bình", None),
            (&mut provider, ANSWERS, "Bộ Công an", Some(line.address())),
        ];
        for (node, system, name, address) in members {
            let member = system.rsplit_once('/').context("a system")?.0;
            let address = address.unwrap_or(node.peers).to_string();
            node.command(&[
                "node",
                "init",
                "--member",
                member,
                "--name",
                name,
                "--address",
                &address,
            ])?;
            join(&operator, node, root.trim())?;
            node.settle()?;
            node.start()?;
            let draft = json!({"subsystem": system, "agency": AGENCY, "name_vi": name, "sign_in": "open"});
            node.api("POST", "/api/v1/exchange/systems", Some(&draft))?;
        }
        let service = json!({
            "provider": ANSWERS, "code": "persons", "name_vi": "Tra cứu dân cư", "subjects": "path 2",
            "action": "Tra cứu thông tin dân cư", "timeout_seconds": "30",
            "url": format!("http://{}/api", system::at(here.ip, &system)),
        });
        provider.api("POST", "/api/v1/exchange/services", Some(&service))?;
        let town = Self {
            _operator: operator,
            consumer,
            provider,
            line,
            system,
        };
        town.meet()?;
        town.grant("persons", "/persons/*", &["GET", "POST"])?;
        town.grant("findUsage", "**", &["GET"])?;
        until("the first call succeeds", || {
            Ok(town.probe(Duration::from_secs(5)).then_some(()))
        })?;
        Ok(town)
    }

    /// Waits until each member finds the other in the directory. A start reads it anew.
    fn meet(&self) -> anyhow::Result<()> {
        let systems = |node: &Node| -> anyhow::Result<String> {
            Ok(node.api("GET", "/api/v1/exchange/directory", None)?["directory"].to_string())
        };
        for (node, words) in [(&self.consumer, "\"motcua\""), (&self.provider, "\"persons\"")] {
            until("the directory is told", || {
                Ok(systems(node)?.contains(words).then_some(()))
            })?;
        }
        for node in [&self.consumer, &self.provider] {
            node.kill();
            node.start()?;
            until("the directory is read", || {
                let found = systems(node)?;
                Ok((found.contains("\"persons\"") && found.contains("\"motcua\"")).then_some(()))
            })?;
        }
        Ok(())
    }

    /// Asks for a grant at one node and approves it at the other.
    fn grant(&self, service: &str, path: &str, methods: &[&str]) -> anyhow::Result<()> {
        let (from, to) = run::output(Command::new("date").args(["+%Y-%m-%d"])).and_then(|from| {
            Ok((
                from,
                run::output(Command::new("date").args(["-d", "+60 days", "+%Y-%m-%d"]))?,
            ))
        })?;
        let terms = json!({
            "methods": methods, "path": path, "purposes": PURPOSE, "from": from.trim(), "to": to.trim(),
            "legal_basis": "Điều 11 Luật Căn cước 26/2023/QH15",
        });
        let request = json!({
            "consumer": ASKS, "service": format!("{ANSWERS}/{service}"), "terms": terms,
            "reason": "Xác minh nhân thân khi giải quyết hồ sơ",
        });
        let saved = self.consumer.api("POST", "/api/v1/exchange/grants", Some(&request))?;
        let id = saved["id"].as_str().context("a grant has an id")?;
        let path = format!("/api/v1/exchange/grants/incoming/{id}");
        let seen = until("the request comes to the provider's node", || {
            let answer = self.provider.ask("GET", &path, None)?;
            Ok((answer.status() == 200)
                .then(|| answer.json()["seen"].as_i64())
                .flatten())
        })?;
        let approve = json!({"command": "approve", "terms": terms});
        self.provider
            .api("POST", &format!("{path}/commands?seen={seen}"), Some(&approve))
            .map(drop)
    }

    /// Whether a call succeeds now.
    pub fn probe(&self, patience: Duration) -> bool {
        let target = format!("/r1/{ANSWERS}/persons/persons/037190001234");
        let headers = [("x-road-client", ASKS), ("x-motcua-purpose", PURPOSE)];
        wire::call(self.consumer.edge, "GET", &target, &headers, b"", patience)
            .is_ok_and(|answer| answer.status() == 200)
    }
}

/// Applies, is approved, and is told so.
fn join(operator: &Node, node: &Node, root: &str) -> anyhow::Result<()> {
    let url = format!("http://{}", operator.http);
    let apply = ["node", "join", &url, "--root", root, "--no-wait"];
    node.command(&apply)?;
    let waiting = operator.api("GET", "/api/v1/exchange/applications", None)?;
    let id = waiting.pointer("/items/0/id").and_then(Value::as_str);
    let id = id.with_context(|| format!("no application waits: {waiting}"))?;
    operator.api(
        "POST",
        &format!("/api/v1/exchange/applications/{id}/approve"),
        Some(&json!({})),
    )?;
    let joined = node.command(&apply)?;
    anyhow::ensure!(joined.contains("joined"), "not joined: {joined}");
    Ok(())
}

fn until<T>(what: &str, mut look: impl FnMut() -> anyhow::Result<Option<T>>) -> anyhow::Result<T> {
    let begun = Instant::now();
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        anyhow::ensure!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(200));
    }
}
