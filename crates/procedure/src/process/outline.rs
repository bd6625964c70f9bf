//! The same process as a list: for small screens, screen readers and print.

use std::collections::{HashMap, HashSet};

use base::Lang;
use serde::Serialize;

use super::{
    budget::TimeBudget,
    draw::DrawOptions,
    model::{EndKind, Node, NodeIx, NodeKind, Process, ScopeIx, TimerRule, Trigger},
};

/// The most steps of one list.
const MOST_STEPS: usize = 500;

/// Where a step stands in one dossier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepState {
    /// It was passed.
    Done,
    /// It is open now.
    Here,
    /// Neither.
    Ahead,
}

/// One line of the list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OutlineStep {
    /// The id of the node.
    pub node: String,
    /// How deep it stands: one more within a sub-process and between a parallel or inclusive split and its join.
    pub depth: u32,
    /// Whether it runs beside others at the same time.
    pub beside: bool,
    /// What happens, in the language asked for.
    pub label: String,
    /// Who does it, by symbolic role; empty when nobody in particular.
    pub role: String,
    /// Which unit or agency, by symbolic name; the one asked, for a consultation.
    pub unit: Option<String>,
    /// How long it may take.
    pub budget: Option<TimeBudget>,
    /// Where it stands in this dossier.
    pub state: StepState,
}

/// The steps of a process from its start to its ends, in an order in which they can happen. Gateways and plain starts
/// are left out; a called process appears as one step. Nodes that two branches share appear once.
pub fn outline(process: &Process, options: &DrawOptions<'_>) -> Vec<OutlineStep> {
    let mut steps = Vec::new();
    if !process.scopes.is_empty() {
        scope(process, ScopeIx(0), 0, options, &mut steps);
    }
    steps
}

fn scope(process: &Process, ix: ScopeIx, depth: u32, options: &DrawOptions<'_>, steps: &mut Vec<OutlineStep>) {
    let mut nested: HashMap<NodeIx, u32> = HashMap::new();
    for ix in order(process, ix) {
        let node = process.at(ix);
        let around = match node.kind {
            NodeKind::Boundary { host, .. } => nested.get(&host).copied().unwrap_or(0),
            _ => {
                let known = node.incoming.iter().filter_map(|f| {
                    let source = process.flow(*f).source;
                    Some(nested.get(&source)? + u32::from(forks(process.at(source))))
                });
                let deepest = known.max().unwrap_or(0);
                deepest.saturating_sub(u32::from(joins(node)))
            }
        };
        nested.insert(ix, around);
        if steps.len() >= MOST_STEPS {
            return;
        }
        if let Some(label) = words(process, node, options.lang) {
            let (role, unit, budget) = match &node.kind {
                NodeKind::User(task) => (task.role.clone(), task.unit.clone(), task.budget),
                NodeKind::Send(send) => (String::new(), Some(send.consult.clone()), None),
                NodeKind::Receive(_) => (String::new(), None, limit(process, node)),
                NodeKind::Catch(Trigger::Timer(TimerRule::After(budget))) => (String::new(), None, Some(*budget)),
                _ => (String::new(), None, None),
            };
            let state = if options.here.contains(&node.id) {
                StepState::Here
            } else if options.done.contains(&node.id) {
                StepState::Done
            } else {
                StepState::Ahead
            };
            steps.push(OutlineStep {
                node: node.id.clone(),
                depth: depth + around,
                beside: around > 0,
                label,
                role,
                unit,
                budget,
                state,
            });
        }
        if let NodeKind::SubProcess { scope: inner } = node.kind {
            scope(process, inner, depth + around + 1, options, steps);
        }
    }
}

fn forks(node: &Node) -> bool {
    matches!(node.kind, NodeKind::Parallel | NodeKind::Inclusive { .. }) && node.outgoing.len() > 1
}

fn joins(node: &Node) -> bool {
    matches!(node.kind, NodeKind::Parallel | NodeKind::Inclusive { .. }) && node.incoming.len() > 1
}

fn limit(process: &Process, node: &Node) -> Option<TimeBudget> {
    node.boundary.iter().find_map(|b| match &process.at(*b).kind {
        NodeKind::Boundary {
            interrupting: true,
            trigger: Trigger::Timer(TimerRule::After(budget)),
            ..
        } => Some(*budget),
        _ => None,
    })
}

/// The nodes of a scope so that each comes after all that lead to it, loops aside; branches stay together.
pub(super) fn order(process: &Process, scope: ScopeIx) -> Vec<NodeIx> {
    let mut finished = Vec::new();
    let mut seen = HashSet::new();
    let next = |ix: NodeIx| {
        let node = process.at(ix);
        // The last is walked first and so ends up last: boundary events after the ordinary way.
        let mut next: Vec<NodeIx> = node.outgoing.iter().map(|f| process.flow(*f).target).collect();
        next.extend(&node.boundary);
        next
    };
    for start in &process.scope(scope).starts {
        if !seen.insert(*start) {
            continue;
        }
        let mut stack = vec![(*start, next(*start))];
        while let Some((ix, ahead)) = stack.last_mut() {
            match ahead.pop() {
                Some(target) => {
                    if seen.insert(target) {
                        stack.push((target, next(target)));
                    }
                }
                None => {
                    finished.push(*ix);
                    stack.pop();
                }
            }
        }
    }
    finished.reverse();
    finished
}

/// What happens at a node; `None` for what only steers.
fn words(process: &Process, node: &Node, lang: Lang) -> Option<String> {
    let own = node.label(lang).to_owned();
    let named = !node.name.vi.is_empty();
    Some(match &node.kind {
        NodeKind::User(_) | NodeKind::SubProcess { .. } | NodeKind::Service { .. } => own,
        NodeKind::Call { scope, .. } => match scope {
            Some(scope) if !named => {
                let name = process.scope(*scope).name.get(lang);
                if name.is_empty() { own } else { name.to_owned() }
            }
            _ => own,
        },
        NodeKind::Send(_) | NodeKind::Receive(_) | NodeKind::Catch(_) => own,
        NodeKind::Throw { .. } if named => own,
        NodeKind::Boundary {
            trigger: Trigger::Timer(TimerRule::After(budget)),
            ..
        } => {
            let time = budget.display(lang);
            match lang {
                Lang::Vi => format!("Nếu quá {time}: {own}"),
                Lang::En => format!("If over {time}: {own}"),
            }
        }
        NodeKind::Boundary { .. } => format!("{}: {own}", lang.t("Nếu xảy ra", "If it happens")),
        NodeKind::End(kind) => {
            let end = match kind {
                EndKind::Error { .. } => lang.t("Kết thúc do lỗi", "Ends in failure"),
                _ => lang.t("Kết thúc", "Ends"),
            };
            if named { format!("{end}: {own}") } else { end.to_owned() }
        }
        _ => return None,
    })
}
