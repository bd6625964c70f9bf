//! Plays the token game in every possible way and looks for states from which the end cannot be reached.
//!
//! The search is breadth first, so the way to a fault that is told is a shortest one. States are compared by where
//! tokens are, not by their numbers.

use std::collections::{HashMap, HashSet, VecDeque};

use super::super::{
    finding::{Finding, Findings},
    game::{Happened, Marking, Table, catcher},
    model::{FlowIx, NodeIx, NodeKind, Process, Trigger},
};

/// The most states that are looked at.
const MOST_STATES: usize = 100_000;
/// The most moves in the whole search.
const MOST_MOVES: usize = 500_000;
/// The most traps of one sort that are told.
const MOST_TOLD: usize = 5;

/// What led from one state to the next.
#[derive(Debug, Clone)]
enum Move {
    Start,
    Choice(NodeIx, Vec<FlowIx>),
    Done(NodeIx),
    Event(NodeIx),
    Failure(NodeIx),
}

/// A table at which every choice is made in turn.
#[derive(Default)]
struct Every<'v> {
    decided: Option<Vec<FlowIx>>,
    visited: Option<&'v mut HashSet<NodeIx>>,
}

/// A choice has to be made at this gateway.
struct Undecided(NodeIx);

impl Table for Every<'_> {
    type Error = Undecided;

    fn choose(&mut self, node: NodeIx) -> Result<Vec<FlowIx>, Undecided> {
        self.decided.take().ok_or(Undecided(node))
    }

    fn happened(&mut self, what: Happened) {
        if let (Some(visited), Happened::Opened { node, .. } | Happened::Passed { node }) = (&mut self.visited, what) {
            visited.insert(node);
        }
    }
}

/// What is known of one state.
struct State {
    parent: Option<u32>,
    by: Move,
    verdict: Verdict,
    /// Where something can happen next.
    open: Box<[NodeIx]>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    /// The game goes on.
    Open,
    Ended,
    /// Nothing can happen any more; the nodes where tokens wait.
    Stuck(Vec<NodeIx>),
    /// Two tokens in one place.
    Crowded(NodeIx),
}

struct Search<'p> {
    process: &'p Process,
    states: Vec<State>,
    seen: HashMap<Box<[u32]>, u32>,
    back: Vec<Vec<u32>>,
    queue: VecDeque<(u32, Marking)>,
    visited: HashSet<NodeIx>,
    moves: usize,
    full: bool,
}

pub(super) fn check(process: &Process, findings: &mut Findings) {
    let mut search = Search {
        process,
        states: Vec::new(),
        seen: HashMap::new(),
        back: Vec::new(),
        queue: VecDeque::new(),
        visited: HashSet::new(),
        moves: 0,
        full: false,
    };
    let mut first = Marking::default();
    first.start(
        process,
        &mut Every {
            decided: None,
            visited: Some(&mut search.visited),
        },
    );
    search.settle(first, None, Move::Start);
    while let Some((ix, marking)) = search.queue.pop_front() {
        if search.full {
            break;
        }
        search.expand(ix, &marking);
    }
    search.tell(findings);
}

impl Search<'_> {
    /// Plays on until all rests or a choice is to be made, and notes the state that this gives.
    fn settle(&mut self, mut marking: Marking, parent: Option<u32>, by: Move) {
        loop {
            self.moves += 1;
            if self.moves > MOST_MOVES {
                self.full = true;
                return;
            }
            if let Some(node) = crowded(self.process, &marking) {
                return self.note(marking, parent, by, Verdict::Crowded(node));
            }
            let mut table = Every {
                decided: None,
                visited: Some(&mut self.visited),
            };
            match marking.advance(self.process, &mut table) {
                Ok(true) => {}
                Ok(false) => break,
                Err(Undecided(_)) => return self.note(marking, parent, by, Verdict::Open),
            }
        }
        let verdict = if marking.over.is_some() {
            Verdict::Ended
        } else if marking.armed.is_empty() && !marking.resting.iter().any(|t| self.can_happen(t.node)) {
            let places = marking.joining.iter().map(|w| self.process.flow(w.flow).target);
            let mut places: Vec<NodeIx> = places.collect();
            places.sort_unstable();
            places.dedup();
            Verdict::Stuck(places)
        } else {
            Verdict::Open
        };
        self.note(marking, parent, by, verdict);
    }

    /// Whether something outside can move a token that rests here.
    fn can_happen(&self, node: NodeIx) -> bool {
        matches!(
            self.process.at(node).kind,
            NodeKind::User(_) | NodeKind::Service { .. } | NodeKind::Receive(_) | NodeKind::Catch(_)
        )
    }

    fn note(&mut self, marking: Marking, parent: Option<u32>, by: Move, verdict: Verdict) {
        let key = key(self.process, &marking);
        let known = self.seen.get(&key).copied();
        let ix = known.unwrap_or_else(|| {
            let ix = u32::try_from(self.states.len()).unwrap_or(u32::MAX);
            self.seen.insert(key, ix);
            let open = verdict == Verdict::Open;
            let resting = marking
                .resting
                .iter()
                .map(|t| t.node)
                .filter(|n| self.can_happen(*n))
                .collect();
            self.states.push(State {
                parent,
                by,
                verdict,
                open: resting,
            });
            self.back.push(Vec::new());
            if open {
                self.queue.push_back((ix, marking));
            }
            ix
        });
        self.back[ix as usize].extend(parent);
        if self.states.len() >= MOST_STATES {
            self.full = true;
        }
    }

    fn expand(&mut self, ix: u32, marking: &Marking) {
        let process = self.process;
        // A choice stands open, or everything rests.
        let mut probe = marking.clone();
        if let Err(Undecided(node)) = probe.advance(process, &mut Every::default()) {
            for ways in options(process, node) {
                let mut next = marking.clone();
                let mut table = Every {
                    decided: Some(ways.clone()),
                    visited: Some(&mut self.visited),
                };
                if next.advance(process, &mut table).is_ok() {
                    self.settle(next, Some(ix), Move::Choice(node, ways));
                }
            }
            return;
        }
        for token in &marking.resting {
            if self.can_happen(token.node) {
                let mut next = marking.clone();
                next.complete(
                    process,
                    token.id,
                    &mut Every {
                        decided: None,
                        visited: Some(&mut self.visited),
                    },
                );
                self.settle(next, Some(ix), Move::Done(token.node));
            }
            if matches!(process.at(token.node).kind, NodeKind::Service { .. }) {
                self.failures(ix, marking, token.id, token.node);
            }
        }
        for armed in &marking.armed {
            let mut next = marking.clone();
            next.happen(
                process,
                armed.id,
                &mut Every {
                    decided: None,
                    visited: Some(&mut self.visited),
                },
            );
            self.settle(next, Some(ix), Move::Event(armed.node));
        }
    }

    /// A service may fail in each way that its boundary events tell apart.
    fn failures(&mut self, ix: u32, marking: &Marking, id: u32, node: NodeIx) {
        let process = self.process;
        for event in &process.at(node).boundary {
            let NodeKind::Boundary {
                trigger: Trigger::Error { code },
                ..
            } = &process.at(*event).kind
            else {
                continue;
            };
            if catcher(process, node, code.as_deref()) == Some(*event) {
                let mut next = marking.clone();
                let mut table = Every {
                    decided: None,
                    visited: Some(&mut self.visited),
                };
                next.fail(process, id, code.as_deref(), &mut table);
                self.settle(next, Some(ix), Move::Failure(*event));
            }
        }
    }

    fn tell(&self, findings: &mut Findings) {
        let process = self.process;
        if self.full {
            let (id, at) = (&process.id, process.scopes.first().map(|s| s.at).unwrap_or_default());
            findings.error(
                "too-many-states",
                id,
                at,
                format!("Quy trình có quá nhiều trạng thái (hơn {MOST_STATES}) nên không chứng minh được là luôn kết thúc. Hãy tách bớt các nhánh song song thành quy trình con tuần tự."),
                format!("The process has too many states (over {MOST_STATES}) to prove that it always ends. Put fewer branches in parallel."),
            );
        }
        let before = findings.0.len();
        let mut told: HashSet<(&str, Vec<NodeIx>)> = HashSet::new();
        for (ix, state) in self.states.iter().enumerate() {
            let (code, places) = match &state.verdict {
                Verdict::Stuck(places) if self.some_branch_ended(ix) => ("left-behind", places.clone()),
                Verdict::Stuck(places) => ("deadlock", places.clone()),
                Verdict::Crowded(node) => ("two-tokens", vec![*node]),
                Verdict::Open | Verdict::Ended => continue,
            };
            let of_sort = told.iter().filter(|(c, _)| *c == code).count();
            if of_sort < MOST_TOLD && told.insert((code, places.clone())) {
                findings.0.push(self.trap(code, &places, ix));
            }
        }
        if self.full {
            return;
        }
        let goals = |wanted: fn(&Verdict) -> bool| {
            let from = self
                .states
                .iter()
                .enumerate()
                .filter(|(_, s)| wanted(&s.verdict))
                .map(|(ix, _)| ix);
            self.backwards(from.collect())
        };
        let good = goals(|v| *v == Verdict::Ended);
        let bad = goals(|v| matches!(v, Verdict::Stuck(_) | Verdict::Crowded(_)));
        if let Some(ix) = (0..self.states.len()).find(|ix| !good[*ix] && !bad[*ix]) {
            // What still happens in there, over and over.
            let inside = self.states.iter().enumerate().filter(|(s, _)| !good[*s] && !bad[*s]);
            let mut places: Vec<NodeIx> = inside.flat_map(|(_, s)| s.open.iter().copied()).collect();
            places.sort_unstable();
            places.dedup();
            places.truncate(MOST_TOLD);
            findings.0.push(self.trap("never-ends", &places, ix));
        }
        if findings.0.len() > before {
            return;
        }
        for (ix, node) in process.nodes.iter().enumerate() {
            let own = NodeIx(u32::try_from(ix).unwrap_or(u32::MAX));
            if !self.visited.contains(&own) {
                let (vi, en) = (node.label(base::Lang::Vi), node.label(base::Lang::En));
                findings.error(
                    "dead",
                    &node.id,
                    node.at,
                    format!("“{vi}” không bao giờ được thực hiện."),
                    format!("“{en}” can never happen."),
                );
            }
        }
    }

    /// Which states can reach one of `goals`.
    fn backwards(&self, goals: Vec<usize>) -> Vec<bool> {
        let mut reach = vec![false; self.states.len()];
        let mut queue = goals;
        while let Some(ix) = queue.pop() {
            if !std::mem::replace(&mut reach[ix], true) {
                queue.extend(self.back[ix].iter().map(|p| *p as usize));
            }
        }
        reach
    }

    /// The moves from the start to a state.
    fn way(&self, ix: usize) -> Vec<&Move> {
        let mut moves = Vec::new();
        let mut at = self.states.get(ix);
        while let Some(state) = at {
            moves.push(&state.by);
            at = state.parent.and_then(|p| self.states.get(p as usize));
        }
        moves.reverse();
        moves
    }

    /// Whether, on the way to a state, some branch of the main process had come to an end event.
    fn some_branch_ended(&self, ix: usize) -> bool {
        let mut marking = Marking::default();
        let mut visited = HashSet::new();
        let process = self.process;
        marking.start(
            process,
            &mut Every {
                decided: None,
                visited: Some(&mut visited),
            },
        );
        for by in self.way(ix) {
            let resting = |wanted: NodeIx, m: &Marking| m.resting.iter().find(|t| t.node == wanted).map(|t| t.id);
            let armed = |wanted: NodeIx, m: &Marking| m.armed.iter().find(|a| a.node == wanted).map(|a| a.id);
            let mut table = Every {
                decided: None,
                visited: Some(&mut visited),
            };
            match by {
                Move::Start => {}
                Move::Choice(_, ways) => {
                    table.decided = Some(ways.clone());
                    let _ = marking.advance(process, &mut table);
                }
                Move::Done(node) => {
                    if let Some(id) = resting(*node, &marking) {
                        marking.complete(process, id, &mut table);
                    }
                }
                Move::Event(node) => {
                    if let Some(id) = armed(*node, &marking) {
                        marking.happen(process, id, &mut table);
                    }
                }
                Move::Failure(node) => {
                    if let NodeKind::Boundary {
                        host,
                        trigger: Trigger::Error { code },
                        ..
                    } = &process.at(*node).kind
                        && let Some(id) = resting(*host, &marking)
                    {
                        marking.fail(process, id, code.as_deref(), &mut table);
                    }
                }
            }
            table.decided = None;
            while matches!(marking.advance(process, &mut table), Ok(true)) {}
        }
        let ended = |n: &NodeIx| process.at(*n).scope.0 == 0 && matches!(process.at(*n).kind, NodeKind::End(_));
        visited.iter().any(ended)
    }

    fn trap(&self, code: &str, places: &[NodeIx], ix: usize) -> Finding {
        let process = self.process;
        let names = |lang| {
            let all: Vec<String> = places
                .iter()
                .map(|n| format!("“{}”", process.at(*n).label(lang)))
                .collect();
            all.join(", ")
        };
        let (vi, en) = (names(base::Lang::Vi), names(base::Lang::En));
        let moves = self.way(ix);
        let told = |lang| {
            moves
                .iter()
                .map(|m| self.words(m, lang))
                .collect::<Vec<_>>()
                .join(" → ")
        };
        let (way_vi, way_en) = (told(base::Lang::Vi), told(base::Lang::En));
        let (say_vi, say_en) = match code {
            "deadlock" => (
                format!("Quy trình có thể bị tắc: chờ mãi tại {vi}"),
                format!("The process can get stuck: it waits for ever at {en}"),
            ),
            "left-behind" => (
                format!("Một nhánh đã kết thúc nhưng nhánh khác chờ mãi tại {vi}"),
                format!("One branch has ended while another waits for ever at {en}"),
            ),
            "two-tokens" => (
                format!("{vi} có thể bị thực hiện hai lần cùng lúc"),
                format!("{en} can happen twice at the same time"),
            ),
            _ => (
                format!("Quy trình có thể lặp mãi qua {vi} mà không bao giờ kết thúc được"),
                format!("The process can go round through {en} for ever and never end"),
            ),
        };
        let first = places.first().map(|n| process.at(*n));
        Finding {
            severity: super::super::finding::Severity::Error,
            code: code.to_owned(),
            element_id: first.map(|n| n.id.clone()).unwrap_or_default(),
            at: first.map(|n| n.at).unwrap_or_default(),
            text: base::Text::new(
                format!("{say_vi}. Ví dụ: {way_vi}."),
                format!("{say_en}. For instance: {way_en}."),
            ),
        }
    }

    fn words(&self, step: &Move, lang: base::Lang) -> String {
        let label = |node: &NodeIx| self.process.at(*node).label(lang);
        match step {
            Move::Start => lang.t("bắt đầu", "start").to_owned(),
            Move::Choice(node, ways) => {
                let names: Vec<&str> = ways
                    .iter()
                    .map(|f| {
                        let flow = self.process.flow(*f);
                        let name = flow.name.get(lang);
                        if name.is_empty() { label(&flow.target) } else { name }
                    })
                    .collect();
                let names = names.join(" + ");
                match lang {
                    base::Lang::Vi => format!("tại “{}” chọn “{names}”", label(node)),
                    base::Lang::En => format!("at “{}” choose “{names}”", label(node)),
                }
            }
            Move::Done(node) => format!("“{}” {}", label(node), lang.t("xong", "done")),
            Move::Event(node) => format!("“{}” {}", label(node), lang.t("xảy ra", "happens")),
            Move::Failure(node) => format!("“{}” {}", label(node), lang.t("báo lỗi", "fails")),
        }
    }
}

/// The ways that a split can go: one, or for an inclusive one any combination of its conditions, or its default.
fn options(process: &Process, node: NodeIx) -> Vec<Vec<FlowIx>> {
    let gateway = process.at(node);
    let NodeKind::Inclusive { default } = gateway.kind else {
        return gateway.outgoing.iter().map(|f| vec![*f]).collect();
    };
    let asked: Vec<FlowIx> = gateway
        .outgoing
        .iter()
        .copied()
        .filter(|f| Some(*f) != default)
        .collect();
    let combinations = (1_u32..1 << asked.len()).map(|bits| {
        asked
            .iter()
            .enumerate()
            .filter(|(bit, _)| bits & (1 << bit) != 0)
            .map(|(_, f)| *f)
            .collect::<Vec<_>>()
    });
    combinations.chain(default.map(|f| vec![f])).collect()
}

/// A node where two tokens of one scope are at once.
fn crowded(process: &Process, marking: &Marking) -> Option<NodeIx> {
    let twice = |mut places: Vec<(u32, u32)>| {
        places.sort_unstable();
        places
            .windows(2)
            .find(|w| w.first() == w.last())
            .and_then(|w| w.first().map(|(_, place)| *place))
    };
    let resting = twice(marking.resting.iter().map(|t| (t.scope, t.node.0)).collect());
    resting.map(NodeIx).or_else(|| {
        let waiting = marking.joining.iter().chain(&marking.moving);
        twice(waiting.map(|w| (w.scope, w.flow.0)).collect()).map(|flow| process.flow(FlowIx(flow)).target)
    })
}

/// A state by where its tokens are: scope by scope, each in the order of the file.
fn key(process: &Process, marking: &Marking) -> Box<[u32]> {
    const MARK: u32 = u32::MAX;
    let mut out = Vec::new();
    let mut scopes = vec![0_u32];
    let mut at = 0;
    while let Some(scope) = scopes.get(at).copied() {
        at += 1;
        let mut joining: Vec<u32> = marking
            .joining
            .iter()
            .filter(|w| w.scope == scope)
            .map(|w| w.flow.0)
            .collect();
        joining.sort_unstable();
        out.extend(joining);
        out.push(MARK);
        let mut resting: Vec<(NodeIx, u32)> = marking
            .resting
            .iter()
            .filter(|t| t.scope == scope)
            .map(|t| (t.node, t.id))
            .collect();
        resting.sort_unstable();
        for (node, id) in resting {
            out.push(node.0);
            let mut armed: Vec<u32> = marking
                .armed
                .iter()
                .filter(|a| a.host == id)
                .map(|a| a.node.0)
                .collect();
            armed.sort_unstable();
            out.extend(armed);
            out.push(MARK);
            if process.at(node).inner().is_some() {
                scopes.push(id);
            }
        }
        out.push(MARK);
    }
    out.push(marking.over.map_or(MARK, |_| 1));
    for mover in &marking.moving {
        let scope = scopes.iter().position(|s| *s == mover.scope).unwrap_or(usize::MAX);
        out.extend([mover.flow.0, u32::try_from(scope).unwrap_or(MARK)]);
    }
    out.into_boxed_slice()
}
