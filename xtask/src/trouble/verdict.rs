//! What must hold when everything is healed: both logs, both journals, the information systems and what they were told agree.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use anyhow::Context;
use serde_json::Value;

use super::{
    clients::{Memory, PERSONS, Told, person},
    town::{ANSWERS, ASKS, Node, PURPOSE, Town},
    wire,
};

/// Checks that held, and what did not.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Checks made.
    pub checks: u64,
    /// What is wrong.
    pub wrong: Vec<String>,
}

impl Verdict {
    /// What came of looking somewhere; a look that fails is a finding, and the others go on.
    fn of<T: Default>(&mut self, what: &str, looked: anyhow::Result<T>) -> T {
        looked.unwrap_or_else(|error| {
            self.wrong.push(format!("{what}: {error:#}"));
            T::default()
        })
    }

    fn check(&mut self, holds: bool, wrong: impl FnOnce() -> String) {
        self.checks += 1;
        if !holds {
            self.wrong.push(wrong());
        }
    }
}

/// A record of a message as a log has it.
#[derive(Debug)]
struct Record {
    leaf: u64,
    text: String,
    request: String,
    message: String,
    /// Of an answer.
    status: Option<u16>,
}

/// The log of a node, read from its folder.
#[derive(Debug, Default)]
struct Log {
    size: u64,
    /// By `X-Road-Request-Id`.
    requests: BTreeMap<String, Vec<Record>>,
    answers: BTreeMap<String, Vec<Record>>,
    /// Reads of persons by the consumer, by the request that read.
    reads: BTreeMap<String, u64>,
}

/// The folded row of a message: leaf, kind, `X-Road-Request-Id`.
type Row = (u64, String, String);

/// Looks at everything. Stops the members.
///
/// # Errors
/// When something cannot be looked at.
pub fn judge(town: &Town, memory: &Memory) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::default();
    verdict.wrong.extend(memory.wrong.iter().cloned());
    verdict.checks += memory.said.len() as u64;

    let asked = verdict.of("the consumer's journal", rows(&town.consumer));
    let answered = verdict.of("the provider's journal", rows(&town.provider));
    let told = verdict.of("the tracker", usages(town));
    let proved = evidence(town, memory, &mut verdict);
    verdict.of("the evidence", proved);
    for node in [&town.consumer, &town.provider] {
        verdict.check(node.stop()?, || "a node did not stop when it was asked to".to_owned());
        audit(node, &mut verdict)?;
    }
    let (ours, theirs) = (Log::read(&town.consumer)?, Log::read(&town.provider)?);
    println!(
        "  logs: {} entries at the consumer's node, {} at the provider's",
        ours.size, theirs.size
    );
    logs(&ours, &theirs, &mut verdict);
    acknowledged(memory, &ours, &theirs, &mut verdict);
    deliveries(town, memory, &ours, &theirs, &mut verdict);
    folds("the consumer's", &asked, &ours, &mut verdict);
    folds("the provider's", &answered, &theirs, &mut verdict);
    reads(memory, &told, &theirs, &mut verdict);
    Ok(verdict)
}

impl Log {
    fn read(node: &Node) -> anyhow::Result<Self> {
        let mut log = Self::default();
        for line in node.command(&["ledger", "entries"])?.lines() {
            let entry: Value = serde_json::from_str(line).context("an entry of the log")?;
            let leaf = entry["leaf"].as_u64().context("a leaf has a number")?;
            log.size = leaf + 1;
            let text = entry["record"].as_str().unwrap_or_default().to_owned();
            match entry["kind"].as_str() {
                Some("message") => {
                    let record = Record::of(leaf, text);
                    let kind = if record.status.is_some() {
                        &mut log.answers
                    } else {
                        &mut log.requests
                    };
                    kind.entry(record.request.clone()).or_default().push(record);
                }
                Some("read") => {
                    let read: Value = serde_json::from_str(&text)?;
                    if read["client"].as_str() == Some(ASKS) {
                        *log.reads
                            .entry(read["request"].as_str().unwrap_or_default().to_owned())
                            .or_default() += 1;
                    }
                }
                _ => {}
            }
        }
        Ok(log)
    }
}

impl Record {
    /// Reads the lines of docs/protocol.md, 4.
    fn of(leaf: u64, text: String) -> Self {
        let value = |name: &str| {
            let start = format!("\"{name}\": ");
            text.lines()
                .find_map(|line| line.strip_prefix(&start))
                .map(str::to_owned)
        };
        Self {
            leaf,
            request: value("x-road-request-id").unwrap_or_default(),
            message: value("x-road-id").unwrap_or_default(),
            status: value("@status").and_then(|status| status.parse().ok()),
            text,
        }
    }
}

/// All rows of the journal, once it has folded what the log has.
fn rows(node: &Node) -> anyhow::Result<Vec<Row>> {
    let page = |before: &str| node.api("GET", &format!("/api/v1/exchange/messages?cursor={before}"), None);
    // It follows the log by itself; the newest row stands still when it has come to the end.
    let begun = Instant::now();
    let mut newest = Value::Null;
    loop {
        let now = page("")?["items"][0]["leaf"].clone();
        if now == newest && now != Value::Null {
            break;
        }
        anyhow::ensure!(
            begun.elapsed() < Duration::from_secs(60),
            "the journal does not come to an end"
        );
        newest = now;
        std::thread::sleep(Duration::from_secs(2));
    }
    let (mut rows, mut before) = (Vec::new(), String::new());
    loop {
        let page = page(&before)?;
        for item in page["items"].as_array().into_iter().flatten() {
            let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
            rows.push((
                item["leaf"].as_u64().unwrap_or(u64::MAX),
                text("kind"),
                text("request_id"),
            ));
        }
        match page["next"].as_str() {
            Some(next) => before = next.to_owned(),
            None => return Ok(rows),
        }
    }
}

/// How many reads the tracker of the provider's node tells of each person.
fn usages(town: &Town) -> anyhow::Result<BTreeMap<String, u64>> {
    let mut told = BTreeMap::new();
    for person in (0..PERSONS).map(person) {
        let target = format!("/r1/{ANSWERS}/findUsage/v2/findUsage?userCode=VN{person}&limit=1");
        let user = format!("VN{person}");
        let headers = [
            ("x-road-client", ASKS),
            ("x-motcua-purpose", PURPOSE),
            ("x-road-userid", user.as_str()),
        ];
        let answer = wire::call(
            town.consumer.edge,
            "GET",
            &target,
            &headers,
            b"",
            Duration::from_secs(60),
        )?;
        anyhow::ensure!(
            answer.status() == 200,
            "findUsage: {}: {}",
            answer.status(),
            answer.text()
        );
        let total = answer.json()["totalUsages"].as_u64();
        told.insert(
            person,
            total.with_context(|| format!("no totalUsages: {}", answer.text()))?,
        );
    }
    Ok(told)
}

/// The evidence API proves some of what was acknowledged, at both nodes.
fn evidence(town: &Town, memory: &Memory, verdict: &mut Verdict) -> anyhow::Result<()> {
    let yes = memory.said.iter().filter_map(|(id, said)| {
        let request = said.told.iter().find_map(|told| match told {
            Told::Yes { request } => Some(request),
            _ => None,
        });
        Some((id, request?))
    });
    for (id, request) in yes.step_by((memory.said.len() / 8).max(1)) {
        for (node, roles) in [
            (&town.consumer, &["request", "answer"][..]),
            (&town.provider, &["request", "answer", "read"]),
        ] {
            let found = node.api("GET", &format!("/api/v1/exchange/messages?request_id={request}"), None)?;
            let leaf = found["items"][0]["leaf"].as_u64();
            let leaf = leaf.with_context(|| format!("{id}: the journal lacks {request}"))?;
            let report = node.api("GET", &format!("/api/v1/exchange/messages/{leaf}"), None)?;
            let proved: BTreeSet<_> = report["proved"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|proved| proved["role"].as_str())
                .collect();
            let faults = report["faults"].as_array().map_or(0, Vec::len);
            let whole = faults == 0 && roles.iter().all(|role| proved.contains(role));
            verdict.check(whole, || format!("{id}: the evidence does not hold: {report}"));
        }
    }
    Ok(())
}

fn audit(node: &Node, verdict: &mut Verdict) -> anyhow::Result<()> {
    let keys = node.command(&["ledger", "keys"])?;
    let key = keys.lines().next().context("a log has a key")?;
    let folder = node.data.join("ledger").display().to_string();
    let audited = node.audit(&folder, key);
    verdict.check(audited.is_ok(), || format!("motcua ledger audit {folder}: {audited:?}"));
    Ok(())
}

/// What one log has of the other is there, byte for byte, and nothing is there twice.
fn logs(ours: &Log, theirs: &Log, verdict: &mut Verdict) {
    let pairs = [
        ("request", &theirs.requests, &ours.requests),
        ("answer", &ours.answers, &theirs.answers),
    ];
    for (what, received, sent) in pairs {
        for (request, records) in received {
            // Calls of other members than these two are none of this.
            let original = sent.get(request).and_then(|records| records.first());
            let same = original.is_some_and(|original| records.iter().all(|record| record.text == original.text));
            verdict.check(same, || {
                format!(
                    "the {what} of {request} was received (leaf {:?}) and is not so in the sender's log",
                    records.first().map(|r| r.leaf)
                )
            });
        }
    }
    for (whose, log) in [("consumer", ours), ("provider", theirs)] {
        for (request, records) in log.requests.iter().chain(&log.answers) {
            verdict.check(records.len() == 1, || {
                format!("{request} is {} times in the log of the {whose}'s node", records.len())
            });
        }
    }
}

/// Whatever was acknowledged is in both logs, request and answer.
fn acknowledged(memory: &Memory, ours: &Log, theirs: &Log, verdict: &mut Verdict) {
    for (id, said) in &memory.said {
        for told in &said.told {
            let Told::Yes { request } = told else { continue };
            for (whose, log) in [("consumer", ours), ("provider", theirs)] {
                for (what, found) in [("request", &log.requests), ("answer", &log.answers)] {
                    let found = found.get(request).and_then(|records| records.first());
                    let right =
                        found.is_some_and(|record| record.message == *id && record.status.is_none_or(|s| s == 200));
                    verdict.check(right, || {
                        format!(
                            "{id} was acknowledged, and its {what} ({request}) is not in the log of the {whose}'s node"
                        )
                    });
                }
            }
        }
    }
}

/// The system was asked once for each request, and of each its sender's log knows; the receiver's too, where something was to be
/// changed: of a question that it could not answer any more it need not (docs/protocol.md, 6). Twice under one `X-Road-Id` only what its sender
/// sent twice, and then as two requests.
fn deliveries(town: &Town, memory: &Memory, ours: &Log, theirs: &Log, verdict: &mut Verdict) {
    let (mut requests, mut messages) = (BTreeMap::<_, u64>::new(), BTreeMap::<_, u64>::new());
    let mut changes = BTreeSet::new();
    for delivery in town.system.asked() {
        if delivery.changes {
            changes.insert(delivery.request.clone());
        }
        *requests.entry(delivery.request).or_default() += 1;
        *messages.entry(delivery.message).or_default() += 1;
    }
    for (request, times) in &requests {
        verdict.check(*times == 1, || format!("{request} was delivered {times} times"));
        let known = ours.requests.contains_key(request)
            && (theirs.requests.contains_key(request) || !changes.contains(request));
        verdict.check(known, || format!("{request} was delivered, and a log does not have it"));
    }
    for (id, times) in &messages {
        let sent = memory.said.get(id).map_or(u64::MAX, |said| said.told.len() as u64);
        verdict.check(*times <= sent, || {
            format!("{id} was sent {sent} times and delivered {times} times")
        });
    }
    for (id, said) in &memory.said {
        for told in &said.told {
            if let Told::Yes { request } = told {
                verdict.check(requests.contains_key(request), || {
                    format!("{id} was acknowledged, and the system never saw {request}")
                });
            }
        }
    }
    let twice = messages.values().filter(|times| **times > 1).count();
    println!(
        "  {} deliveries; {twice} messages that their senders sent again were delivered again, each as a request of its own",
        requests.len()
    );
}

/// The journal has a row for each message of the log and no other.
fn folds(whose: &str, rows: &[Row], log: &Log, verdict: &mut Verdict) {
    let folded: BTreeSet<_> = rows.iter().cloned().collect();
    verdict.check(folded.len() == rows.len(), || {
        format!(
            "{whose} journal lists messages twice: {} rows, {} messages",
            rows.len(),
            folded.len()
        )
    });
    let last = rows.iter().map(|(leaf, ..)| *leaf).max().unwrap_or(0);
    let kinds = [("request", &log.requests), ("answer", &log.answers)];
    let logged: BTreeSet<Row> = kinds
        .into_iter()
        .flat_map(|(kind, records)| records.values().flatten().map(move |record| (kind, record)))
        .filter(|(_, record)| record.leaf <= last)
        .map(|(kind, record)| (record.leaf, kind.to_owned(), record.request.clone()))
        .collect();
    verdict.checks += logged.len() as u64;
    for (leaf, kind, request) in logged.symmetric_difference(&folded) {
        verdict.wrong.push(format!(
            "{whose} journal and log differ at leaf {leaf}: {kind} {request}"
        ));
    }
}

/// Each answer about a person is a read, once in the log and once in that person's index.
fn reads(memory: &Memory, told: &BTreeMap<String, u64>, theirs: &Log, verdict: &mut Verdict) {
    let mut of: BTreeMap<&str, u64> = BTreeMap::new();
    for (request, times) in &theirs.reads {
        verdict.check(*times == 1, || format!("{request} is {times} reads"));
        let message = theirs.requests.get(request).and_then(|records| records.first());
        let said = message.and_then(|record| memory.said.get(&record.message));
        if let Some(said) = said {
            *of.entry(&said.person).or_default() += 1;
        }
    }
    for (id, said) in &memory.said {
        for told in &said.told {
            if let Told::Yes { request } = told {
                verdict.check(theirs.reads.contains_key(request), || {
                    format!("{id} was acknowledged, and the read of the person is not in the log")
                });
            }
        }
    }
    for (person, told) in told {
        let logged = of.get(person.as_str()).copied().unwrap_or(0);
        verdict.check(*told == logged, || {
            format!("the tracker tells {told} reads of {person}, the log has {logged}")
        });
    }
}
