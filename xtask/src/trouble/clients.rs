//! Information systems that call all the time and remember exactly what they were told.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::Value;

use super::{
    chance::Chance,
    system,
    town::{ANSWERS, ASKS, PURPOSE},
    wire::{self, Message},
};

/// Persons that are asked about.
pub const PERSONS: u64 = 20;
/// How long an information system waits for an answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it calls under one `X-Road-Id` at most.
const TRIES: usize = 3;

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// 200 with the right body: it is acknowledged. Under which `X-Road-Request-Id`.
    Yes { request: String },
    /// A refusal with its type and the codes of its problems.
    No { kind: String, codes: Vec<String> },
    /// No answer, or one that broke off: it may have happened.
    Nothing,
}

/// A message of an information system, by its `X-Road-Id`.
#[derive(Debug, Clone)]
pub struct Said {
    /// Whom it is about.
    pub person: String,
    /// Each call under this id and what came of it.
    pub told: Vec<Told>,
}

/// What all of them know.
#[derive(Debug, Default)]
pub struct Memory {
    /// By `X-Road-Id`.
    pub said: BTreeMap<String, Said>,
    /// Answers that no information system should get.
    pub wrong: Vec<String>,
}

impl Memory {
    /// Messages of which at least one call was acknowledged.
    pub fn acknowledged(&self) -> u64 {
        let yes = |said: &&Said| said.told.iter().any(|told| matches!(told, Told::Yes { .. }));
        self.said.values().filter(yes).count() as u64
    }

    /// How often each type of refusal came, and with which codes.
    pub fn refusals(&self) -> BTreeMap<String, (u64, BTreeSet<String>)> {
        let mut found: BTreeMap<String, (u64, BTreeSet<String>)> = BTreeMap::new();
        for told in self.said.values().flat_map(|said| &said.told) {
            if let Told::No { kind, codes } = told {
                let entry = found.entry(kind.clone()).or_default();
                entry.0 += 1;
                entry.1.extend(codes.iter().cloned());
            }
        }
        found
    }
}

/// The number of a person.
pub fn person(n: u64) -> String {
    format!("0371900012{:02}", n % PERSONS)
}

/// Calls until `stop`.
pub fn work(edge: SocketAddr, seed: u64, stop: &AtomicBool, memory: &Mutex<Memory>) {
    let mut chance = Chance::new(seed);
    while !stop.load(Ordering::Relaxed) {
        let id = chance.uuid();
        let call = Call::new(&mut chance);
        for n in 0..TRIES {
            // Written down before it is sent, so that nothing is asked that nobody knows of.
            let note = |told: Result<Told, String>| {
                let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
                let said = memory.said.entry(id.clone()).or_insert_with(|| Said {
                    person: call.person.clone(),
                    told: Vec::new(),
                });
                said.told.truncate(n);
                match told {
                    Ok(told) => said.told.push(told),
                    Err(wrong) => {
                        said.told.push(Told::Nothing);
                        memory.wrong.push(format!("{id}: {wrong}"));
                    }
                }
            };
            note(Ok(Told::Nothing));
            let told = call.make(edge, &id);
            let settled = matches!(told, Ok(Told::Yes { .. }));
            note(told);
            if settled {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
            // Half of them decide to send it again, which is for the information system to decide (docs/protocol.md, 8).
            if stop.load(Ordering::Relaxed) || chance.below(2) == 0 {
                break;
            }
        }
        std::thread::sleep(Duration::from_millis(chance.below(10)));
    }
}

struct Call {
    person: String,
    method: &'static str,
    target: String,
    body: Vec<u8>,
    expected: Vec<u8>,
}

impl Call {
    /// Small and large, in both directions; those beyond 256 KiB are streamed and lie on disk at the other end.
    fn new(chance: &mut Chance) -> Self {
        let person = person(chance.below(PERSONS));
        let size = match chance.below(16) {
            0 => 300_000 + chance.below(700_000),
            1..4 => 20_000 + chance.below(80_000),
            _ => chance.below(4_000),
        };
        let path = format!("/persons/{person}");
        if chance.below(2) == 0 {
            let target = format!("/r1/{ANSWERS}/persons{path}?size={size}");
            let expected = system::person(&format!("{path}?size={size}"));
            return Self {
                person,
                method: "GET",
                target,
                body: Vec::new(),
                expected,
            };
        }
        let first = chance.below(256);
        let body: Vec<u8> = (0..size).map(|n| ((first + n * n / 7) % 251) as u8).collect();
        Self {
            target: format!("/r1/{ANSWERS}/persons{path}"),
            person,
            method: "POST",
            expected: body.clone(),
            body,
        }
    }

    /// The error is an answer that should not be.
    fn make(&self, edge: SocketAddr, id: &str) -> Result<Told, String> {
        let headers = [
            ("x-road-client", ASKS),
            ("x-road-id", id),
            ("x-motcua-purpose", PURPOSE),
            ("x-road-issue", "H42.28-261125-0001"),
            ("content-type", "application/octet-stream"),
        ];
        let Ok(answer) = wire::call(edge, self.method, &self.target, &headers, &self.body, PATIENCE) else {
            return Ok(Told::Nothing);
        };
        if answer.status() == 200 {
            let request = answer.header("x-road-request-id").unwrap_or_default().to_owned();
            let right = answer.body == self.expected && answer.header("x-road-id") == Some(id) && !request.is_empty();
            return if right {
                Ok(Told::Yes { request })
            } else {
                Err(format!("answered with something else: {}", answer.text()))
            };
        }
        refusal(&answer)
    }
}

/// A refusal says what kind it is, under which codes, and in both languages why (docs/protocol.md, 7).
fn refusal(answer: &Message) -> Result<Told, String> {
    let body = answer.json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let kind = text(&body["type"]);
    let problems = body["problems"].as_array().cloned().unwrap_or_default();
    let sentence = |value: &Value| value.as_str().is_some_and(|s| s.contains(' ') && s.ends_with('.'));
    let explained = problems
        .iter()
        .all(|p| sentence(&p["vi"]) && sentence(&p["en"]) && !text(&p["code"]).is_empty());
    let good = [400, 500].contains(&answer.status())
        && answer.header("x-road-error") == Some(kind.as_str())
        && (kind.starts_with("Server.") || kind.starts_with("Client."))
        && sentence(&body["message"])
        && !problems.is_empty()
        && explained;
    if good {
        let codes = problems.iter().map(|p| text(&p["code"])).collect();
        Ok(Told::No { kind, codes })
    } else {
        Err(format!(
            "{}: a refusal without type, code or sentence: {}",
            answer.status(),
            answer.text()
        ))
    }
}
