//! Random processes and random walks: what the checker passes never gets stuck, and a history replays to the same
//! instance.

use std::{cell::Cell, fmt::Write as _};

use procedure::process::{EndReason, Feel, Input, Instance, MessageTo, NodeKind, Process, Trigger, Variables};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{errors, every, file, judge, permit};

/// Answers every condition by chance, remembering nothing: every branch is possible.
struct Chance(Cell<u64>);

impl Chance {
    fn next(&self, below: usize) -> usize {
        let mut x = self.0.get();
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        self.0.set(x);
        usize::try_from(x % (below as u64)).unwrap_or(0)
    }
}

impl Feel for Chance {
    fn check_condition(&self, _: &str, _: &Variables) -> Result<(), String> {
        Ok(())
    }
    fn check_date(&self, _: &str, _: &Variables) -> Result<(), String> {
        Ok(())
    }
    fn condition(&self, _: &str, _: &Map<String, Value>) -> Result<bool, String> {
        Ok(self.next(2) == 0)
    }
    fn date(&self, _: &str, _: &Map<String, Value>) -> Result<String, String> {
        Ok("2026-12-01".into())
    }
}

/// Everything that may happen to an instance now.
fn possible(process: &Process, instance: &Instance) -> Vec<Input> {
    let mut inputs = Vec::new();
    let event = |id: u32, trigger: &Trigger, inputs: &mut Vec<Input>| match trigger {
        Trigger::Timer(_) => inputs.push(Input::TimerFired { token: id }),
        Trigger::Message(_) => inputs.push(Input::MessageArrived {
            to: MessageTo::Token(id),
            payload: json!({}),
        }),
        Trigger::Error { .. } => {}
    };
    for token in &instance.tokens {
        let node = process.node(&token.node).expect("a known node");
        match &node.kind {
            NodeKind::User(task) => {
                for outcome in &task.outcomes {
                    let value = |f: &procedure::process::TaskField| match f.kind {
                        procedure::process::FieldKind::Number => json!(1),
                        procedure::process::FieldKind::Date => json!("2026-11-20"),
                        _ => json!("x"),
                    };
                    let fields = task
                        .fields
                        .iter()
                        .filter(|f| f.required)
                        .map(|f| (f.id.clone(), value(f)))
                        .collect();
                    inputs.push(Input::CompleteTask {
                        token: token.id,
                        outcome: outcome.id.clone(),
                        fields,
                    });
                }
            }
            NodeKind::Service { .. } => {
                inputs.push(Input::ServiceDone {
                    token: token.id,
                    result: Value::Null,
                });
                if !node.boundary.is_empty() {
                    let code = Some("payment".to_owned());
                    inputs.push(Input::ServiceFailed {
                        token: token.id,
                        code,
                        message: String::new(),
                    });
                }
            }
            NodeKind::Receive(_) => {
                inputs.push(Input::MessageArrived {
                    to: MessageTo::Token(token.id),
                    payload: Value::Null,
                });
            }
            NodeKind::Catch(trigger) => event(token.id, trigger, &mut inputs),
            _ => {}
        }
    }
    for open in &instance.events {
        match &process.node(&open.node).expect("a known node").kind {
            NodeKind::Boundary { trigger, .. } | NodeKind::Catch(trigger) => event(open.id, trigger, &mut inputs),
            NodeKind::Receive(_) => {
                inputs.push(Input::MessageArrived {
                    to: MessageTo::Token(open.id),
                    payload: Value::Null,
                });
            }
            _ => {}
        }
    }
    inputs
}

fn invariants(instance: &Instance) {
    let mut ids: Vec<u32> = instance
        .tokens
        .iter()
        .map(|t| t.id)
        .chain(instance.events.iter().map(|e| e.id))
        .collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "numbers are unique");
    assert!(ids.iter().all(|id| *id < instance.next_token));
    let exists = |id: u32| instance.tokens.iter().any(|t| t.id == id);
    assert!(
        instance.events.iter().all(|e| exists(e.host)),
        "an event outlived its step"
    );
    assert!(
        instance.tokens.iter().all(|t| t.scope == 0 || exists(t.scope)),
        "a token outlived its scope"
    );
    let mut places: Vec<_> = instance.tokens.iter().map(|t| (t.scope, &t.node)).collect();
    places.sort_unstable();
    assert!(places.windows(2).all(|w| w[0] != w[1]), "two tokens in one place");
    assert_eq!(
        instance.ended.is_some(),
        instance.tokens.is_empty() && instance.joining.is_empty()
    );
}

/// Walks until the end. `Err` tells where it got stuck.
fn walk(process: &Process, seed: u64) -> Result<(Instance, Vec<Input>), String> {
    let chance = Chance(Cell::new(seed | 1));
    let mut instance = Instance::default();
    let mut inputs = vec![Input::Start { variables: Map::new() }];
    process
        .step(&mut instance, &inputs[0], &chance)
        .map_err(|e| e.to_string())?;
    // Loops are left by chance: 5,000 steps without an end is a trap.
    for _ in 0..5_000 {
        invariants(&instance);
        if instance.ended.is_some() {
            return Ok((instance, inputs));
        }
        let all = possible(process, &instance);
        if all.is_empty() {
            return Err(format!("stuck at {instance:?}"));
        }
        let input = all[chance.next(all.len())].clone();
        process
            .step(&mut instance, &input, &chance)
            .map_err(|e| e.to_string())?;
        inputs.push(input);
    }
    Err("it does not end".into())
}

#[test]
fn ten_thousand_walks_through_checked_processes_all_end() {
    let mut ends = std::collections::BTreeSet::new();
    for process in [permit(), every()] {
        for seed in 1..=5_000_u64 {
            let (instance, _) = walk(&process, seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)).expect("it ends");
            match instance.ended {
                Some(EndReason::Completed { node } | EndReason::Terminated { node }) => ends.insert(node),
                other => panic!("{other:?}"),
            };
        }
    }
    let ends: Vec<_> = ends.iter().map(String::as_str).collect();
    assert_eq!(
        ends,
        ["done", "end", "gone", "refused", "returned"],
        "chance found every end"
    );
}

/// A well-structured piece of process.
#[derive(Debug, Clone)]
enum Block {
    Task,
    Service,
    Seq(Vec<Block>),
    Xor(Vec<Block>),
    And(Vec<Block>),
    Or(Vec<Block>),
    Loop(Box<Block>),
    Sub(Box<Block>),
    /// A wait that a timer or an answer ends, or a reminder beside a task.
    Consult,
    Reminder,
    Deadline(Box<Block>),
}

fn blocks() -> impl Strategy<Value = Block> {
    let leaf = prop_oneof![
        Just(Block::Task),
        Just(Block::Service),
        Just(Block::Consult),
        Just(Block::Reminder)
    ];
    leaf.prop_recursive(3, 14, 3, |inner| {
        let some = prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            some.clone().prop_map(Block::Seq),
            some.clone().prop_map(Block::Xor),
            some.clone().prop_map(Block::And),
            some.prop_map(Block::Or),
            inner.clone().prop_map(|b| Block::Loop(Box::new(b))),
            inner.clone().prop_map(|b| Block::Sub(Box::new(b))),
            inner.prop_map(|b| Block::Deadline(Box::new(b))),
        ]
    })
}

/// Writes blocks as BPMN. `swap` turns the nth join into another kind of gateway: often a trap, sometimes harmless.
struct Writer {
    nodes: String,
    flows: String,
    next: u32,
    joins: u32,
    swap: Option<(u32, &'static str)>,
}

impl Writer {
    fn id(&mut self, letter: &str) -> String {
        self.next += 1;
        format!("{letter}{}", self.next)
    }

    fn node(&mut self, tag: &str, letter: &str, attributes: &str, inside: &str) -> String {
        let id = self.id(letter);
        let _ = write!(
            self.nodes,
            "<bpmn:{tag} id=\"{id}\" name=\"{id}\" {attributes}>{inside}</bpmn:{tag}>"
        );
        id
    }

    fn flow(&mut self, from: &str, to: &str, condition: &str) -> String {
        let id = self.id("f");
        let condition = if condition.is_empty() {
            String::new()
        } else {
            format!("<bpmn:conditionExpression>{condition}</bpmn:conditionExpression>")
        };
        let _ = write!(
            self.flows,
            "<bpmn:sequenceFlow id=\"{id}\" sourceRef=\"{from}\" targetRef=\"{to}\">{condition}</bpmn:sequenceFlow>"
        );
        id
    }

    fn task(&mut self) -> String {
        let outcome = "<bpmn:extensionElements><mc:outcome id=\"ok\" vi=\"Xong\"/></bpmn:extensionElements>";
        self.node("userTask", "t", "mc:role=\"leader\" mc:budget=\"1wd\"", outcome)
    }

    fn timer(&mut self, host: &str, more: &str) -> String {
        let inside =
            "<bpmn:timerEventDefinition><bpmn:timeDuration>P12D</bpmn:timeDuration></bpmn:timerEventDefinition>";
        self.node(
            "boundaryEvent",
            "b",
            &format!("attachedToRef=\"{host}\" {more}"),
            inside,
        )
    }

    fn join(&mut self, tag: &'static str) -> String {
        self.joins += 1;
        let tag = self
            .swap
            .filter(|(n, _)| *n == self.joins)
            .map_or(tag, |(_, other)| other);
        self.node(tag, "j", "", "")
    }

    /// Writes a block; gives its first and last node.
    fn block(&mut self, block: &Block) -> (String, String) {
        match block {
            Block::Task => {
                let t = self.task();
                (t.clone(), t)
            }
            Block::Service => {
                let t = self.node("serviceTask", "v", "mc:service=\"notify\"", "");
                (t.clone(), t)
            }
            Block::Seq(parts) => {
                let ends: Vec<_> = parts.iter().map(|p| self.block(p)).collect();
                for pair in ends.windows(2) {
                    self.flow(&pair[0].1, &pair[1].0, "");
                }
                let last = ends.len() - 1;
                (ends[0].0.clone(), ends[last].1.clone())
            }
            Block::Xor(parts) => self.split(parts, "exclusiveGateway", true),
            Block::And(parts) => self.split(parts, "parallelGateway", false),
            Block::Or(parts) => self.split(parts, "inclusiveGateway", true),
            Block::Loop(body) => {
                let merge = self.node("exclusiveGateway", "m", "", "");
                let (first, last) = self.block(body);
                let gate = self.id("x");
                self.flow(&merge, &first, "");
                self.flow(&last, &gate, "");
                self.flow(&gate, &merge, "true");
                let out = self.node("intermediateThrowEvent", "o", "", "");
                let default = self.flow(&gate, &out, "");
                let _ = write!(
                    self.nodes,
                    "<bpmn:exclusiveGateway id=\"{gate}\" default=\"{default}\"/>"
                );
                (merge, out)
            }
            Block::Sub(body) => {
                let outer = (std::mem::take(&mut self.nodes), std::mem::take(&mut self.flows));
                self.scope(body);
                let inside = format!("{}{}", self.nodes, self.flows);
                (self.nodes, self.flows) = outer;
                let sub = self.node("subProcess", "u", "", &inside);
                (sub.clone(), sub)
            }
            Block::Consult => {
                let ask = self.node("sendTask", "a", "mc:consult=\"x\" mc:message=\"q\"", "");
                let get = self.node("receiveTask", "r", &format!("mc:message=\"q\" mc:from=\"{ask}\""), "");
                self.flow(&ask, &get, "");
                (ask, self.timed(&get))
            }
            Block::Reminder => {
                let task = self.task();
                let timer = self.timer(&task, "cancelActivity=\"false\"");
                let end = self.node("endEvent", "e", "", "");
                self.flow(&timer, &end, "");
                (task.clone(), task)
            }
            Block::Deadline(body) => {
                let (sub, _) = self.block(&Block::Sub(body.clone()));
                let last = self.timed(&sub);
                (sub, last)
            }
        }
    }

    fn timed(&mut self, activity: &str) -> String {
        let timer = self.timer(activity, "");
        let merge = self.join("exclusiveGateway");
        self.flow(activity, &merge, "");
        self.flow(&timer, &merge, "");
        merge
    }

    fn split(&mut self, parts: &[Block], tag: &'static str, asks: bool) -> (String, String) {
        let fork = self.id("x");
        let join = self.join(tag);
        let mut default = String::new();
        for (n, part) in parts.iter().enumerate() {
            let (first, last) = self.block(part);
            let flow = self.flow(&fork, &first, if asks && n > 0 { "true" } else { "" });
            if asks && n == 0 {
                default = format!("default=\"{flow}\"");
            }
            self.flow(&last, &join, "");
        }
        let _ = write!(self.nodes, "<bpmn:{tag} id=\"{fork}\" {default}/>");
        (fork, join)
    }

    fn scope(&mut self, body: &Block) {
        let start = self.node("startEvent", "s", "", "");
        let (first, last) = self.block(body);
        let end = self.node("endEvent", "e", "", "");
        self.flow(&start, &first, "");
        self.flow(&last, &end, "");
    }
}

fn write(block: &Block, swap: Option<(u32, &'static str)>) -> (String, u32) {
    let mut writer = Writer {
        nodes: String::new(),
        flows: String::new(),
        next: 0,
        joins: 0,
        swap,
    };
    writer.scope(block);
    (file(&format!("{}{}", writer.nodes, writer.flows)), writer.joins)
}

/// Findings other than conditions, which are `true` here and no matter.
fn faults(xml: &str) -> Vec<(String, String)> {
    errors(xml)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn well_structured_processes_pass_and_end(block in blocks(), seed: u64) {
        let (xml, _) = write(&block, None);
        let found = faults(&xml);
        // Very wide ones may be beyond the bound of the search: that is said, and nothing else.
        prop_assert!(found.iter().all(|(code, _)| code == "too-many-states"), "{found:?}\n{xml}");
        let process = Process::parse(&xml).expect("readable");
        for n in 0..20 {
            let walked = walk(&process, seed.wrapping_add(n * 7_919));
            prop_assert!(walked.is_ok(), "{walked:?}\n{xml}");
        }
    }

    #[test]
    fn what_the_checker_passes_never_gets_stuck(block in blocks(), at in 0_u32..100, kind in 0_usize..3, seed: u64) {
        let (_, joins) = write(&block, None);
        prop_assume!(joins > 0);
        let other = ["exclusiveGateway", "parallelGateway", "inclusiveGateway"][kind];
        let (xml, _) = write(&block, Some((at % joins + 1, other)));
        let Some(process) = judge(&xml).process else { return Ok(()) };
        for n in 0..100 {
            let walked = walk(&process, seed.wrapping_add(n * 104_729));
            prop_assert!(walked.is_ok(), "{walked:?}\n{xml}");
        }
    }

    #[test]
    fn wrong_joins_are_refused(block in blocks(), seed in 1_u64..1_000_000) {
        // A parallel join behind an exclusive split waits for what never comes; an exclusive one behind a parallel
        // split does everything after it twice.
        let split = |parts| [Block::Xor(vec![Block::Task, block.clone()]), Block::And(parts), Block::Task];
        let [xor, and, _] = split(vec![Block::Task, block.clone()]);
        let (stuck, joins) = write(&xor, Some((1, "parallelGateway")));
        prop_assert!(joins > 0 && !faults(&stuck).is_empty(), "{stuck}");
        let twice = Block::Seq(vec![and, Block::Task]);
        let (twice, _) = write(&twice, Some((1, "exclusiveGateway")));
        prop_assert!(!faults(&twice).is_empty(), "{twice}");
        // And the engine does get stuck in the first, for some walk.
        let process = Process::parse(&stuck).expect("readable");
        let any_stuck = (0..200).any(|n| walk(&process, seed * 31 + n).is_err());
        prop_assert!(any_stuck, "{stuck}");
    }

    #[test]
    fn a_history_replays_to_the_same_instance(seed: u64) {
        // Conditions must be a function of the variables here, so the real walk is over data.
        let process = permit();
        let chance = Chance(Cell::new(seed | 1));
        let feel = super::MiniFeel;
        let mut instance = Instance::default();
        let mut inputs = Vec::new();
        let mut next = Input::Start { variables: json!({"a": 1}).as_object().cloned().unwrap_or_default() };
        for _ in 0..60 {
            process.step(&mut instance, &next, &feel).expect("possible");
            // Stored and read back at every step, as the platform does.
            instance = serde_json::from_str(&serde_json::to_string(&instance).expect("JSON")).expect("an instance");
            inputs.push(next);
            let mut all = possible(&process, &instance);
            for input in &mut all {
                if let Input::CompleteTask { fields, .. } = input && fields.contains_key("date") {
                    fields.insert("fire".into(), json!(chance.next(2) == 0));
                    fields.insert("env".into(), json!(chance.next(2) == 0));
                }
            }
            if all.is_empty() {
                break;
            }
            next = all.swap_remove(chance.next(all.len()));
        }
        let text = serde_json::to_string(&inputs).expect("JSON");
        let inputs: Vec<Input> = serde_json::from_str(&text).expect("inputs");
        let replayed = process.replay(&inputs, &feel).expect("the same history");
        prop_assert_eq!(serde_json::to_string(&replayed).expect("JSON"), serde_json::to_string(&instance).expect("JSON"));
    }
}
