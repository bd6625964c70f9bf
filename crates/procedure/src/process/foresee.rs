//! What must still happen after an open step: the least that every ordinary way to the end has in it. Where ways exclude each
//! other the shortest counts, where all must be gone the longest; loops are never walked, because a way with a loop is never
//! the shortest. A process ends ordinarily when it was decided: a way on which nobody may approve or issue (a refusal to
//! receive) is not one, as long as another is open.

use super::{
    ahead::Ahead,
    budget::TimeBudget,
    engine::Instance,
    model::{EndKind, Node, NodeIx, NodeKind, OutcomeEffect, Process, TimerRule, Trigger},
};

/// The least time from a place to the end, in comparable hours; infinite where no way leads there.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Least {
    /// By any way.
    any: f64,
    /// By a way on which the dossier is decided.
    decided: f64,
}

impl Least {
    const NEVER: Self = Self {
        any: f64::INFINITY,
        decided: f64::INFINITY,
    };
    const END: Self = Self {
        any: 0.0,
        decided: f64::INFINITY,
    };

    fn shorter(self, other: Self) -> Self {
        Self {
            any: self.any.min(other.any),
            decided: self.decided.min(other.decided),
        }
    }

    /// One after the other.
    fn then(self, next: Self) -> Self {
        Self {
            any: self.any + next.any,
            decided: (self.decided + next.any).min(self.any + next.decided),
        }
    }

    const fn by(self, deciding: bool) -> f64 {
        if deciding { self.decided } else { self.any }
    }
}

impl Process {
    /// The steps with a time budget that must still be done after the open step `token` until the process ends ordinarily, in
    /// order, the open one itself left out. A wait for an answer costs nothing: it may come at once.
    pub fn must_follow(&self, instance: &Instance, token: u32) -> Vec<Ahead> {
        let Some(open) = instance.token(token) else {
            return Vec::new();
        };
        let Some(here) = self.by_id.get(&open.node).copied() else {
            return Vec::new();
        };
        // The step, and the sub-processes around it.
        let mut places = vec![here];
        let mut scope = open.scope;
        while let Some(around) = instance.token(scope).filter(|_| places.len() <= self.nodes.len()) {
            places.extend(self.by_id.get(&around.node));
            scope = around.scope;
        }
        let least = self.least();
        let rest: Vec<Least> = places.iter().map(|ix| self.after(*ix, &least)).collect();
        let whole = rest.iter().copied().reduce(Least::then).unwrap_or(Least::NEVER);
        let deciding = !decides(self.at(here)) && whole.decided.is_finite();
        // On which level the decision is made at the least cost.
        let extra = |n: &usize| rest[*n].decided - rest[*n].any;
        let level = (0..rest.len())
            .filter(|_| deciding)
            .min_by(|a, b| extra(a).total_cmp(&extra(b)));
        let mut way = Vec::new();
        for (n, place) in places.iter().enumerate() {
            self.walk_after(*place, level == Some(n), &least, &mut way, 0);
        }
        way.into_iter()
            .filter_map(|ix| {
                let node = self.at(ix);
                Some(Ahead {
                    node: node.id.clone(),
                    budget: self.least_cost(node)?,
                })
            })
            .collect()
    }

    /// For each node the least from it, itself included, to the end of its scope.
    fn least(&self) -> Vec<Least> {
        let mut least = vec![Least::NEVER; self.nodes.len()];
        // Each round settles at least one more node; most processes are settled in two or three.
        for _ in 0..=self.nodes.len() {
            let mut moved = false;
            for n in (0..self.nodes.len()).rev() {
                let value = self.from(NodeIx(u32::try_from(n).unwrap_or(u32::MAX)), &least);
                moved |= value != least[n];
                least[n] = value;
            }
            if !moved {
                break;
            }
        }
        least
    }

    fn from(&self, ix: NodeIx, least: &[Least]) -> Least {
        let node = self.at(ix);
        let usual = self.inside(node, least).then(self.after(ix, least));
        let aside = self.aside(node, least);
        Least {
            any: if usual.any.is_finite() { usual.any } else { aside.any },
            decided: if usual.decided.is_finite() {
                usual.decided
            } else {
                aside.decided
            },
        }
    }

    /// What a node itself costs.
    fn inside(&self, node: &Node, least: &[Least]) -> Least {
        if let Some(inner) = node.inner() {
            let starts = self.scope(inner).starts.iter().map(|s| least[s.0 as usize]);
            return starts.fold(Least::NEVER, Least::shorter);
        }
        let cost = self.least_cost(node).map_or(0.0, TimeBudget::weight);
        Least {
            any: cost,
            decided: if decides(node) { cost } else { f64::INFINITY },
        }
    }

    /// The ways that events on the border open, which nobody is bound to go.
    fn aside(&self, node: &Node, least: &[Least]) -> Least {
        let events = node
            .boundary
            .iter()
            .filter(|b| matches!(self.at(**b).kind, NodeKind::Boundary { interrupting: true, .. }));
        events.fold(Least::NEVER, |best, b| best.shorter(least[b.0 as usize]))
    }

    fn after(&self, ix: NodeIx, least: &[Least]) -> Least {
        let node = self.at(ix);
        if let NodeKind::End(kind) = &node.kind {
            return match kind {
                EndKind::Error { .. } => Least::NEVER,
                EndKind::Plain | EndKind::Terminate | EndKind::Message { .. } => Least::END,
            };
        }
        let ways = self.ways(node);
        let bound = ways.iter().filter(|(_, must)| *must);
        let all: Vec<Least> = bound.map(|(target, _)| least[target.0 as usize]).collect();
        if all.is_empty() {
            let free = ways.iter().map(|(target, _)| least[target.0 as usize]);
            return free.fold(Least::NEVER, Least::shorter);
        }
        let any = all.iter().map(|l| l.any).fold(0.0, f64::max);
        // Ways that meet again meet before the decision or not at all: those that know none end without.
        let decided = if all.iter().any(|l| l.decided.is_finite()) {
            let each = all.iter().map(|l| l.by(l.decided.is_finite()));
            each.fold(0.0, f64::max)
        } else {
            f64::INFINITY
        };
        Least { any, decided }
    }

    /// Where a node leads, and whether that way is always gone.
    fn ways(&self, node: &Node) -> Vec<(NodeIx, bool)> {
        let flows = node.outgoing.iter().map(|ix| (*ix, self.flow(*ix)));
        flows
            .map(|(ix, flow)| {
                let must = match node.kind {
                    NodeKind::Parallel => true,
                    NodeKind::Inclusive { default } => flow.condition.is_none() && default != Some(ix),
                    _ => false,
                };
                (flow.target, must)
            })
            .collect()
    }

    /// Walks the least way after a node; `deciding` while the decision is still to be made on it.
    fn walk_after(&self, ix: NodeIx, mut deciding: bool, least: &[Least], way: &mut Vec<NodeIx>, depth: usize) {
        let mut at = ix;
        // A least way passes no node twice, but for the two halves of it.
        for _ in 0..self.nodes.len() * 2 {
            let Some((next, decides_there)) = self.next(at, deciding, least) else {
                return;
            };
            (at, deciding) = (next, decides_there);
            let node = self.at(at);
            let usual = self.inside(node, least).then(self.after(at, least));
            if !usual.by(deciding).is_finite() {
                let events = node.boundary.iter().copied();
                let event = events.min_by(|a, b| {
                    let by = |ix: &NodeIx| least[ix.0 as usize].by(deciding);
                    by(a).total_cmp(&by(b))
                });
                let Some(event) = event else { return };
                at = event;
            }
            let node = self.at(at);
            if let Some(inner) = node.inner() {
                let (within, after) = (self.inside(node, least), self.after(at, least));
                let inside = deciding && within.decided + after.any <= within.any + after.decided;
                let starts = self.scope(inner).starts.iter().copied();
                let start = starts.min_by(|a, b| {
                    let by = |ix: &NodeIx| least[ix.0 as usize].by(inside);
                    by(a).total_cmp(&by(b))
                });
                if let Some(start) = start.filter(|_| depth < self.scopes.len()) {
                    self.walk_after(start, inside, least, way, depth + 1);
                }
                deciding &= !inside;
            } else {
                way.push(at);
                deciding &= !decides(node);
            }
        }
    }

    /// The next node of the least way: of ways that must all be gone the longest, else the shortest.
    fn next(&self, ix: NodeIx, deciding: bool, least: &[Least]) -> Option<(NodeIx, bool)> {
        let node = self.at(ix);
        if matches!(node.kind, NodeKind::End(_)) {
            return None;
        }
        let ways = self.ways(node);
        let of = |target: &NodeIx| least[target.0 as usize];
        let bound: Vec<NodeIx> = ways.iter().filter(|(_, must)| *must).map(|(t, _)| *t).collect();
        if bound.is_empty() {
            let by = |t: &NodeIx| of(t).by(deciding);
            let best = ways.iter().map(|(t, _)| *t).min_by(|a, b| by(a).total_cmp(&by(b)));
            return best.filter(|t| by(t).is_finite()).map(|t| (t, deciding));
        }
        let still = |t: &NodeIx| deciding && of(t).decided.is_finite();
        let by = |t: &NodeIx| of(t).by(still(t));
        let longest = bound.into_iter().max_by(|a, b| by(a).total_cmp(&by(b)))?;
        Some((longest, still(&longest)))
    }

    /// The time that a node takes at least.
    fn least_cost(&self, node: &Node) -> Option<TimeBudget> {
        match &node.kind {
            NodeKind::User(task) => task.budget,
            NodeKind::Catch(Trigger::Timer(TimerRule::After(budget)))
            | NodeKind::Boundary {
                trigger: Trigger::Timer(TimerRule::After(budget)),
                ..
            } => Some(*budget),
            _ => None,
        }
    }
}

/// Whether the dossier can be decided in favour in this step.
fn decides(node: &Node) -> bool {
    let NodeKind::User(task) = &node.kind else { return false };
    let favour = |effect| matches!(effect, OutcomeEffect::Approve | OutcomeEffect::Issue);
    task.outcomes.iter().any(|o| favour(o.effect))
}
