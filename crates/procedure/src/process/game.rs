//! The token game: how tokens move. The engine plays it with real data and the checker plays it with every choice,
//! through the same code, so what the checker proves is what the engine does.
//!
//! Tokens *rest* at steps and events until something happens outside, *join* in front of a gateway that waits for
//! others, or *move* along a flow. After each thing that happens outside, tokens move one node at a time, first come
//! first served, until all rest or join; only then are inclusive joins looked at, so the order of moves within one
//! run cannot change whether a join fires.
//!
//! # When an inclusive join fires
//! BPMN 2.0.2, 13.4.3: a join in a scope fires when no token is moving, at least one of its incoming flows holds a
//! token, and no other token of that scope *blocks* it. A token blocks it when it can still travel, without passing
//! the join itself, to an incoming flow that is empty, and cannot travel to an incoming flow that already holds a
//! token. A token at rest travels by the flows out of its node, and by the boundary events that are still armed
//! there. Firing takes one token from every incoming flow that holds one.

use std::collections::VecDeque;

use super::model::{EndKind, FlowIx, NodeIx, NodeKind, Process, Trigger};

/// A token at rest. Its `scope` is 0 for the main process, else the id of the token that rests on the sub-process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    pub id: u32,
    pub node: NodeIx,
    pub scope: u32,
}

/// A token in front of a join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Waiting {
    pub flow: FlowIx,
    pub scope: u32,
}

/// An event that is armed because a token rests on its activity or on its event gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Armed {
    pub id: u32,
    pub node: NodeIx,
    pub host: u32,
}

/// How a whole instance came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    Completed(NodeIx),
    Terminated(NodeIx),
    Failed(NodeIx),
}

/// Where all tokens are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Marking {
    pub resting: Vec<Token>,
    pub joining: Vec<Waiting>,
    pub armed: Vec<Armed>,
    pub moving: VecDeque<Waiting>,
    pub next: u32,
    pub over: Option<Over>,
}

impl Default for Marking {
    fn default() -> Self {
        Self {
            resting: Vec::new(),
            joining: Vec::new(),
            armed: Vec::new(),
            moving: VecDeque::new(),
            next: 1,
            over: None,
        }
    }
}

/// Why an open step was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closed {
    Done,
    Interrupted,
    Withdrawn,
}

/// Something that happened in the game, for whoever watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Happened {
    Opened { id: u32, node: NodeIx },
    Closed { id: u32, node: NodeIx, why: Closed },
    Armed { id: u32, node: NodeIx },
    Disarmed { id: u32, node: NodeIx, fired: bool },
    Sent { node: NodeIx },
    Passed { node: NodeIx },
    Over(Over),
}

/// Who decides at a split and watches the game.
pub(super) trait Table {
    type Error;
    /// The flows to take out of an exclusive (exactly one) or inclusive (at least one) split.
    fn choose(&mut self, node: NodeIx) -> Result<Vec<FlowIx>, Self::Error>;
    fn happened(&mut self, what: Happened);
}

/// For one inclusive join: which of its incoming flows can be reached, as bits, without passing it.
#[derive(Debug, Clone)]
pub(super) struct InclusiveJoin {
    pub node: NodeIx,
    /// By flow: what a token on that flow can reach.
    by_flow: Vec<u64>,
}

/// The most flows into one inclusive join; the checker refuses more.
pub(super) const MOST_JOINED: usize = 64;

impl InclusiveJoin {
    /// All inclusive joins of a process, by walking backwards from each of their flows.
    pub(super) fn all(process: &Process) -> Vec<Self> {
        let joins = process.nodes.iter().enumerate().filter(|(_, n)| {
            matches!(n.kind, NodeKind::Inclusive { .. }) && n.incoming.len() > 1 && n.incoming.len() <= MOST_JOINED
        });
        joins
            .map(|(ix, node)| {
                let own = NodeIx(u32::try_from(ix).unwrap_or(u32::MAX));
                let mut by_flow = vec![0_u64; process.flows.len()];
                for (bit, flow) in node.incoming.iter().enumerate() {
                    let mut queue = vec![*flow];
                    while let Some(f) = queue.pop() {
                        let seen = &mut by_flow[f.0 as usize];
                        if *seen & (1 << bit) != 0 {
                            continue;
                        }
                        *seen |= 1 << bit;
                        let source = process.flow(f).source;
                        if source == own {
                            continue;
                        }
                        let source = process.at(source);
                        queue.extend(&source.incoming);
                        if let NodeKind::Boundary { host, .. } = source.kind {
                            queue.extend(&process.at(host).incoming);
                        }
                    }
                }
                Self { node: own, by_flow }
            })
            .collect()
    }
}

impl Marking {
    /// Puts the first token behind the start event of the main process.
    pub(super) fn start<T: Table>(&mut self, process: &Process, table: &mut T) {
        if let Some(start) = process.scopes.first().and_then(|s| s.starts.first()) {
            self.leave(process, *start, 0, table);
        }
    }

    /// Moves one token over one node, or fires one inclusive join. `false` when all tokens rest or wait.
    pub(super) fn advance<T: Table>(&mut self, process: &Process, table: &mut T) -> Result<bool, T::Error> {
        if let Some(mover) = self.moving.front().copied() {
            // The choice comes first: a table that refuses leaves the marking as it was.
            let target = process.flow(mover.flow).target;
            let node = process.at(target);
            match &node.kind {
                NodeKind::Exclusive { .. } => {
                    let ways = self.ways(process, target, table)?;
                    self.moving.pop_front();
                    self.take(target, mover.scope, &ways, table);
                }
                NodeKind::Inclusive { .. } if node.incoming.len() <= 1 => {
                    let ways = self.ways(process, target, table)?;
                    self.moving.pop_front();
                    self.take(target, mover.scope, &ways, table);
                }
                _ => {
                    self.moving.pop_front();
                    self.arrive(process, mover, target, table);
                }
            }
            return Ok(true);
        }
        if self.over.is_some() || self.joining.is_empty() {
            return Ok(false);
        }
        let mut scopes: Vec<u32> = self.joining.iter().map(|w| w.scope).collect();
        scopes.sort_unstable();
        scopes.dedup();
        for scope in scopes {
            for join in &process.joins {
                if self.join_enabled(process, join, scope) {
                    let ways = self.ways(process, join.node, table)?;
                    for flow in &process.at(join.node).incoming {
                        self.take_joining(*flow, scope);
                    }
                    self.take(join.node, scope, &ways, table);
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn ways<T: Table>(&self, process: &Process, node: NodeIx, table: &mut T) -> Result<Vec<FlowIx>, T::Error> {
        let outgoing = &process.at(node).outgoing;
        if outgoing.len() > 1 {
            table.choose(node)
        } else {
            Ok(outgoing.clone())
        }
    }

    fn take<T: Table>(&mut self, node: NodeIx, scope: u32, ways: &[FlowIx], table: &mut T) {
        table.happened(Happened::Passed { node });
        self.moving
            .extend(ways.iter().map(|flow| Waiting { flow: *flow, scope }));
    }

    fn join_enabled(&self, process: &Process, join: &InclusiveJoin, scope: u32) -> bool {
        let mut full = 0_u64;
        for (bit, flow) in process.at(join.node).incoming.iter().enumerate() {
            if self.joining.iter().any(|w| w.flow == *flow && w.scope == scope) {
                full |= 1 << bit;
            }
        }
        if full == 0 {
            return false;
        }
        let blocks = |reach: u64| reach & !full != 0 && reach & full == 0;
        let from = |node: NodeIx| {
            process
                .at(node)
                .outgoing
                .iter()
                .fold(0, |all, f| all | join.by_flow[f.0 as usize])
        };
        let resting = self.resting.iter().filter(|t| t.scope == scope).any(|t| {
            let armed = self.armed.iter().filter(|a| a.host == t.id).map(|a| a.node);
            let failures = process
                .at(t.node)
                .boundary
                .iter()
                .copied()
                .filter(|b| catches_errors(process, *b));
            blocks(armed.chain(failures).fold(from(t.node), |all, event| all | from(event)))
        });
        let waiting = self
            .joining
            .iter()
            .filter(|w| w.scope == scope && process.flow(w.flow).target != join.node)
            .any(|w| blocks(join.by_flow[w.flow.0 as usize]));
        !resting && !waiting
    }

    fn take_joining(&mut self, flow: FlowIx, scope: u32) {
        if let Some(ix) = self.joining.iter().position(|w| w.flow == flow && w.scope == scope) {
            self.joining.remove(ix);
        }
    }

    fn arrive<T: Table>(&mut self, process: &Process, mover: Waiting, target: NodeIx, table: &mut T) {
        let scope = mover.scope;
        let node = process.at(target);
        match &node.kind {
            NodeKind::End(kind) => {
                table.happened(Happened::Passed { node: target });
                match kind {
                    EndKind::Plain => self.scope_may_end(process, scope, Over::Completed(target), table),
                    EndKind::Message { .. } => {
                        table.happened(Happened::Sent { node: target });
                        self.scope_may_end(process, scope, Over::Completed(target), table);
                    }
                    EndKind::Terminate => {
                        self.clear(scope, Closed::Withdrawn, table);
                        self.scope_may_end(process, scope, Over::Terminated(target), table);
                    }
                    EndKind::Error { code } => self.raise(process, scope, code.as_deref(), target, table),
                }
            }
            NodeKind::User(_)
            | NodeKind::Service { .. }
            | NodeKind::Receive(_)
            | NodeKind::Catch(_)
            | NodeKind::EventBased
            | NodeKind::SubProcess { .. }
            | NodeKind::Call { .. } => self.rest(process, target, scope, table),
            NodeKind::Send(_) | NodeKind::Throw { message: Some(_) } => {
                table.happened(Happened::Sent { node: target });
                self.leave(process, target, scope, table);
            }
            NodeKind::Parallel if node.incoming.len() > 1 => {
                self.joining.push(mover);
                let here = |flow: &FlowIx| self.joining.iter().any(|w| w.flow == *flow && w.scope == scope);
                if node.incoming.iter().all(here) {
                    for flow in &node.incoming {
                        self.take_joining(*flow, scope);
                    }
                    self.leave(process, target, scope, table);
                }
            }
            NodeKind::Inclusive { .. } => self.joining.push(mover),
            NodeKind::Parallel
            | NodeKind::Exclusive { .. }
            | NodeKind::Throw { message: None }
            | NodeKind::Start
            | NodeKind::Boundary { .. } => self.leave(process, target, scope, table),
        }
    }

    /// Opens a step: the token rests, its boundary events are armed, the inside of a sub-process begins.
    fn rest<T: Table>(&mut self, process: &Process, ix: NodeIx, scope: u32, table: &mut T) {
        let node = process.at(ix);
        let id = self.fresh();
        self.resting.push(Token { id, node: ix, scope });
        table.happened(Happened::Opened { id, node: ix });
        let events = node.boundary.iter().copied().filter(|b| !catches_errors(process, *b));
        let raced = node.outgoing.iter().map(|f| process.flow(*f).target);
        let arm: Vec<NodeIx> = if matches!(node.kind, NodeKind::EventBased) {
            raced.collect()
        } else {
            events.collect()
        };
        for event in arm {
            let armed = Armed {
                id: self.fresh(),
                node: event,
                host: id,
            };
            self.armed.push(armed);
            table.happened(Happened::Armed {
                id: armed.id,
                node: event,
            });
        }
        if let Some(start) = node.inner().and_then(|inner| process.scope(inner).starts.first()) {
            self.leave(process, *start, id, table);
        }
    }

    fn fresh(&mut self) -> u32 {
        let id = self.next;
        self.next = self.next.saturating_add(1);
        id
    }

    fn leave<T: Table>(&mut self, process: &Process, ix: NodeIx, scope: u32, table: &mut T) {
        self.take(ix, scope, &process.at(ix).outgoing, table);
    }

    fn scope_may_end<T: Table>(&mut self, process: &Process, scope: u32, over: Over, table: &mut T) {
        let busy = self.resting.iter().any(|t| t.scope == scope)
            || self.joining.iter().chain(&self.moving).any(|w| w.scope == scope);
        if busy {
            return;
        }
        if scope == 0 {
            self.over = Some(over);
            table.happened(Happened::Over(over));
        } else {
            self.complete(process, scope, table);
        }
    }

    /// A step is done: its token moves on. The caller has made sure that it rests.
    pub(super) fn complete<T: Table>(&mut self, process: &Process, id: u32, table: &mut T) {
        if let Some(token) = self.remove(id, Closed::Done, table) {
            self.leave(process, token.node, token.scope, table);
        }
    }

    /// An armed event happens. The caller has made sure that it is armed.
    pub(super) fn happen<T: Table>(&mut self, process: &Process, id: u32, table: &mut T) {
        let Some(armed) = self.armed.iter().find(|a| a.id == id).copied() else {
            return;
        };
        let Some(host) = self.resting.iter().find(|t| t.id == armed.host).copied() else {
            return;
        };
        self.armed.retain(|a| a.id != id);
        table.happened(Happened::Disarmed {
            id,
            node: armed.node,
            fired: true,
        });
        let stays = matches!(
            process.at(armed.node).kind,
            NodeKind::Boundary {
                interrupting: false,
                ..
            }
        );
        if !stays {
            let raced = matches!(process.at(host.node).kind, NodeKind::EventBased);
            self.remove(host.id, if raced { Closed::Done } else { Closed::Interrupted }, table);
            if raced {
                table.happened(Happened::Passed { node: host.node });
            }
        }
        self.leave(process, armed.node, host.scope, table);
    }

    /// The activity of token `id` fails. `false` when nothing there catches that failure.
    pub(super) fn fail<T: Table>(&mut self, process: &Process, id: u32, code: Option<&str>, table: &mut T) -> bool {
        let Some(token) = self.resting.iter().find(|t| t.id == id).copied() else {
            return false;
        };
        let Some(catcher) = catcher(process, token.node, code) else {
            return false;
        };
        self.remove(id, Closed::Interrupted, table);
        self.leave(process, catcher, token.scope, table);
        true
    }

    /// A failure inside a scope: outwards until something catches it; uncaught, the whole instance ends.
    fn raise<T: Table>(&mut self, process: &Process, scope: u32, code: Option<&str>, at: NodeIx, table: &mut T) {
        let mut scope = scope;
        while scope != 0 {
            let outer = self.resting.iter().find(|t| t.id == scope).map_or(0, |t| t.scope);
            if self.fail(process, scope, code, table) {
                return;
            }
            scope = outer;
        }
        self.clear(0, Closed::Withdrawn, table);
        self.over = Some(Over::Failed(at));
        table.happened(Happened::Over(Over::Failed(at)));
    }

    /// Takes all tokens out of a scope and out of the scopes within it.
    pub(super) fn clear<T: Table>(&mut self, scope: u32, why: Closed, table: &mut T) {
        self.joining.retain(|w| w.scope != scope);
        self.moving.retain(|w| w.scope != scope);
        let inside: Vec<u32> = self.resting.iter().filter(|t| t.scope == scope).map(|t| t.id).collect();
        for id in inside {
            self.remove(id, why, table);
        }
    }

    fn remove<T: Table>(&mut self, id: u32, why: Closed, table: &mut T) -> Option<Token> {
        let ix = self.resting.iter().position(|t| t.id == id)?;
        let inner = if why == Closed::Done { Closed::Withdrawn } else { why };
        self.clear(id, inner, table);
        // Clearing the inside may have moved it.
        let ix = if self.resting.get(ix).is_some_and(|t| t.id == id) {
            ix
        } else {
            self.resting.iter().position(|t| t.id == id)?
        };
        let token = self.resting.remove(ix);
        let events: Vec<Armed> = self.armed.iter().filter(|a| a.host == id).copied().collect();
        self.armed.retain(|a| a.host != id);
        table.happened(Happened::Closed {
            id,
            node: token.node,
            why,
        });
        for event in events {
            table.happened(Happened::Disarmed {
                id: event.id,
                node: event.node,
                fired: false,
            });
        }
        Some(token)
    }
}

fn catches_errors(process: &Process, event: NodeIx) -> bool {
    matches!(
        process.at(event).kind,
        NodeKind::Boundary {
            trigger: Trigger::Error { .. },
            ..
        }
    )
}

/// The boundary event of `node` that catches a failure: the one that names its code, else one that names none.
pub(super) fn catcher(process: &Process, node: NodeIx, code: Option<&str>) -> Option<NodeIx> {
    let catches = |wanted: Option<&str>| {
        process.at(node).boundary.iter().copied().find(|b| {
            matches!(&process.at(*b).kind,
                NodeKind::Boundary { trigger: Trigger::Error { code }, .. } if code.as_deref() == wanted)
        })
    };
    code.and_then(|c| catches(Some(c))).or_else(|| catches(None))
}
