//! How much time the rules still allow: the longest way from where the tokens are to the end.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{
    budget::TimeBudget,
    engine::Instance,
    model::{Node, NodeIx, NodeKind, Process, ScopeIx, TimerRule, Trigger},
};

/// One step ahead, with its budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ahead {
    /// The id of the step or of the timer.
    pub node: String,
    /// Its budget.
    pub budget: TimeBudget,
}

/// A way: what it costs, and its steps in order.
type Way = (f64, Vec<NodeIx>);

impl Process {
    /// The steps with a time budget on the longest way from here to the end, the open one first with its whole budget.
    /// Before the start this is the longest way through the process; after the end it is empty.
    ///
    /// A loop is walked once. A wait for a message counts as long as the timer that ends it. Units are compared by
    /// their average length ([`super::BudgetUnit::clock_hours`]); the sum in each unit is exact.
    pub fn remaining_budget_path(&self, instance: &Instance) -> Vec<Ahead> {
        if instance.ended.is_some() {
            return Vec::new();
        }
        let mut walk = Walk {
            process: self,
            longest: HashMap::new(),
            open: Vec::new(),
        };
        let mut best: Way = (0.0, Vec::new());
        if instance.next_token == 0 {
            best = self
                .scopes
                .first()
                .map(|s| walk.longest_of(&s.starts))
                .unwrap_or_default();
        }
        let outer = |scope: u32| instance.tokens.iter().find(|t| t.id == scope);
        let resting = instance
            .tokens
            .iter()
            .filter_map(|t| Some((*self.by_id.get(&t.node)?, t.scope)));
        let joining = instance
            .joining
            .iter()
            .filter_map(|w| Some((self.flow(*self.flow_by_id.get(&w.flow)?).target, w.scope)));
        for (node, scope) in resting.chain(joining) {
            // A sub-process with open steps counts through them.
            if self.at(node).inner().is_some() {
                continue;
            }
            // Each token walks afresh: where a loop was cut for one says nothing about another.
            walk.longest.clear();
            let mut way = walk.from(node);
            let mut around = outer(scope);
            while let Some(host) = around {
                if let Some(ix) = self.by_id.get(&host.node) {
                    way = joined(way, walk.after(*ix));
                }
                around = outer(host.scope);
            }
            if way.0 > best.0 {
                best = way;
            }
        }
        best.1
            .into_iter()
            .filter_map(|ix| {
                let node = self.at(ix);
                Some(Ahead {
                    node: node.id.clone(),
                    budget: self.cost(node)?,
                })
            })
            .collect()
    }

    /// The time that a node may take.
    fn cost(&self, node: &Node) -> Option<TimeBudget> {
        let timer = |ix: &NodeIx| match &self.at(*ix).kind {
            NodeKind::Boundary {
                interrupting: true,
                trigger: Trigger::Timer(TimerRule::After(budget)),
                ..
            } => Some(*budget),
            _ => None,
        };
        match &node.kind {
            NodeKind::User(task) => task.budget,
            NodeKind::Catch(Trigger::Timer(TimerRule::After(budget))) => Some(*budget),
            NodeKind::Receive(_) | NodeKind::Service { .. } => node.boundary.iter().find_map(timer),
            _ => None,
        }
    }
}

fn joined(mut first: Way, second: Way) -> Way {
    first.0 += second.0;
    first.1.extend(second.1);
    first
}

fn longer(first: Way, second: Way) -> Way {
    if second.0 > first.0 { second } else { first }
}

struct Walk<'p> {
    process: &'p Process,
    longest: HashMap<NodeIx, Way>,
    /// The nodes that are being looked at: a way back to one of them is a loop and is not walked again.
    open: Vec<NodeIx>,
}

impl Walk<'_> {
    /// The longest way from a node, itself included.
    fn from(&mut self, ix: NodeIx) -> Way {
        if let Some(known) = self.longest.get(&ix) {
            return known.clone();
        }
        // A hostile file may be one long chain; the walk is as deep as the chain is long.
        if self.open.contains(&ix) || self.open.len() > 400 {
            return Way::default();
        }
        self.open.push(ix);
        let way = joined(self.inside(ix), self.after(ix));
        self.open.pop();
        self.longest.insert(ix, way.clone());
        way
    }

    fn inside(&mut self, ix: NodeIx) -> Way {
        let process = self.process;
        let node = process.at(ix);
        match node.inner() {
            Some(inner) => self.within(inner),
            None => match process.cost(node) {
                Some(budget) => (budget.weight(), vec![ix]),
                None => Way::default(),
            },
        }
    }

    fn within(&mut self, scope: ScopeIx) -> Way {
        let starts = &self.process.scope(scope).starts;
        self.longest_of(starts)
    }

    fn longest_of(&mut self, starts: &[NodeIx]) -> Way {
        starts
            .iter()
            .fold(Way::default(), |best, start| longer(best, self.from(*start)))
    }

    /// The longest way after a node: by its flows and by its boundary events.
    fn after(&mut self, ix: NodeIx) -> Way {
        let node = self.process.at(ix);
        let mut best = Way::default();
        for next in node
            .outgoing
            .iter()
            .map(|f| self.process.flow(*f).target)
            .chain(node.boundary.iter().copied())
        {
            best = longer(best, self.from(next));
        }
        best
    }
}
