//! The shape of the graph: starts, ends, ways, gateways.

use std::collections::{HashMap, HashSet};

use super::super::{
    finding::Findings,
    game::{MOST_JOINED, catcher},
    model::{EndKind, FlowIx, Node, NodeIx, NodeKind, Process, ScopeIx, Trigger},
};

/// The most ways out of an inclusive split: the checker plays every combination.
const MOST_INCLUSIVE: usize = 8;

/// Whether the token game can be played on it at all.
pub(super) fn check(process: &Process, findings: &mut Findings) -> bool {
    let mut playable = true;
    for (ix, scope) in process.scopes.iter().enumerate() {
        let ix = ScopeIx(u32::try_from(ix).unwrap_or(u32::MAX));
        if scope.starts.len() != 1 {
            playable = false;
            findings.error(
                "one-start",
                &scope.id,
                scope.at,
                format!(
                    "“{}” có {} sự kiện bắt đầu; phải có đúng một.",
                    scope.id,
                    scope.starts.len()
                ),
                format!(
                    "“{}” has {} start events; it must have exactly one.",
                    scope.id,
                    scope.starts.len()
                ),
            );
            continue;
        }
        if !scope
            .nodes
            .iter()
            .any(|n| matches!(process.at(*n).kind, NodeKind::End(_)))
        {
            findings.error(
                "no-end",
                &scope.id,
                scope.at,
                format!("“{}” không có sự kiện kết thúc.", scope.id),
                format!("“{}” has no end event.", scope.id),
            );
        }
        playable &= ways(process, ix, findings);
    }
    for (ix, node) in process.nodes.iter().enumerate() {
        playable &= shape(process, NodeIx(u32::try_from(ix).unwrap_or(u32::MAX)), node, findings);
    }
    playable &= twins(process, findings);
    if playable {
        playable = silent_rounds(process, findings);
    }
    playable
}

/// Every node can be reached from the start and can reach an end.
fn ways(process: &Process, scope: ScopeIx, findings: &mut Findings) -> bool {
    let scope = process.scope(scope);
    let next = |ix: NodeIx| {
        let node = process.at(ix);
        let flows = node.outgoing.iter().map(|f| process.flow(*f).target);
        flows.chain(node.boundary.iter().copied()).collect::<Vec<_>>()
    };
    let before = |ix: NodeIx| {
        let node = process.at(ix);
        let host = match node.kind {
            NodeKind::Boundary { host, .. } => Some(host),
            _ => None,
        };
        node.incoming
            .iter()
            .map(|f| process.flow(*f).source)
            .chain(host)
            .collect::<Vec<_>>()
    };
    let from_start = closure(scope.starts.clone(), next);
    let ends = scope
        .nodes
        .iter()
        .copied()
        .filter(|n| matches!(process.at(*n).kind, NodeKind::End(_)))
        .collect();
    let to_end = closure(ends, before);
    let mut good = true;
    for ix in &scope.nodes {
        let node = process.at(*ix);
        let (vi, en) = (node.label(base::Lang::Vi), node.label(base::Lang::En));
        if !from_start.contains(ix) {
            good = false;
            findings.error(
                "unreachable",
                &node.id,
                node.at,
                format!("Không có đường nào từ sự kiện bắt đầu đến “{vi}”."),
                format!("No way leads from the start to “{en}”."),
            );
        } else if !to_end.contains(ix) {
            good = false;
            findings.error(
                "no-way-out",
                &node.id,
                node.at,
                format!("Từ “{vi}” không có đường nào đến sự kiện kết thúc."),
                format!("No way leads from “{en}” to an end."),
            );
        }
    }
    good
}

fn closure(from: Vec<NodeIx>, mut next: impl FnMut(NodeIx) -> Vec<NodeIx>) -> HashSet<NodeIx> {
    let (mut seen, mut queue) = (HashSet::new(), from);
    while let Some(ix) = queue.pop() {
        if seen.insert(ix) {
            queue.extend(next(ix));
        }
    }
    seen
}

/// What may lead into and out of each kind of node. `false` when the game could not be played there.
fn shape(process: &Process, ix: NodeIx, node: &Node, findings: &mut Findings) -> bool {
    let (vi, en) = (node.label(base::Lang::Vi), node.label(base::Lang::En));
    let mut fatal = false;
    let mut error = |code: &str, say_vi: String, say_en: String| {
        findings.error(
            code,
            &node.id,
            node.at,
            format!("“{vi}”: {say_vi}."),
            format!("“{en}”: {say_en}."),
        );
    };
    let (ins, outs) = (node.incoming.len(), node.outgoing.len());
    let split = matches!(node.kind, NodeKind::Exclusive { .. } | NodeKind::Inclusive { .. });
    match &node.kind {
        NodeKind::Start | NodeKind::Boundary { .. } if ins > 0 => {
            error(
                "flow-into-event",
                "không được có đường nối đi vào".into(),
                "no sequence flow may lead here".into(),
            );
        }
        NodeKind::End(_) if outs > 0 => {
            fatal = true;
            error(
                "flow-out-of-end",
                "không được có đường nối đi ra".into(),
                "no sequence flow may lead away".into(),
            );
        }
        NodeKind::Exclusive { default } | NodeKind::Inclusive { default } if outs > 1 => {
            if default.is_none() {
                error(
                    "no-default",
                    "cổng phải có nhánh mặc định, để luôn có đường đi khi không điều kiện nào đúng".into(),
                    "the gateway needs a default flow, so that there is a way when no condition holds".into(),
                );
            }
            for flow in node.outgoing.iter().filter(|f| Some(**f) != *default) {
                let flow = process.flow(*flow);
                if flow.condition.is_none() {
                    error(
                        "no-condition",
                        format!("nhánh “{}” không có điều kiện", flow.id),
                        format!("the branch “{}” has no condition", flow.id),
                    );
                }
            }
            if let Some(flow) = default.map(|f| process.flow(f)).filter(|f| f.condition.is_some()) {
                error(
                    "default-with-condition",
                    format!("nhánh mặc định “{}” không được có điều kiện", flow.id),
                    format!("the default branch “{}” may not have a condition", flow.id),
                );
            }
        }
        NodeKind::EventBased => {
            if outs < 2 {
                error(
                    "few-events",
                    "cần ít nhất hai sự kiện để chọn".into(),
                    "needs at least two events to choose from".into(),
                );
            }
            for flow in &node.outgoing {
                let target = process.at(process.flow(*flow).target);
                let catches = matches!(target.kind, NodeKind::Catch(_) | NodeKind::Receive(_));
                if !catches || target.incoming.len() > 1 || !target.boundary.is_empty() {
                    fatal = true;
                    error(
                        "event-gateway-target",
                        format!(
                            "chỉ được nối đến sự kiện chờ hoặc công việc nhận văn bản, và đó phải là đường duy nhất đi vào (“{}”)",
                            target.id
                        ),
                        format!(
                            "may lead only to catch events or receive tasks that nothing else leads to (“{}”)",
                            target.id
                        ),
                    );
                }
            }
        }
        NodeKind::Boundary {
            host,
            trigger: Trigger::Error { .. },
            ..
        } => {
            let fails = matches!(
                process.at(*host).kind,
                NodeKind::Service { .. } | NodeKind::SubProcess { .. } | NodeKind::Call { .. }
            );
            if !fails {
                error(
                    "error-on-task",
                    "sự kiện lỗi chỉ gắn được vào tác vụ tự động, quy trình con hoặc quy trình được gọi".into(),
                    "an error event can be attached only to a service task, a sub-process or a call".into(),
                );
            }
        }
        NodeKind::Boundary { host, .. } if matches!(process.at(*host).kind, NodeKind::Send(_)) => {
            error(
                "boundary-on-send",
                "công việc gửi xong ngay, không thể gắn sự kiện".into(),
                "a send task is done at once; nothing can happen on its border".into(),
            );
        }
        NodeKind::End(EndKind::Error { code }) if node.scope.0 != 0 => {
            let seen = &mut HashSet::new();
            let caught = holders(process, node.scope)
                .iter()
                .all(|h| caught_around(process, *h, code.as_deref(), seen));
            if !caught {
                error(
                    "uncaught-error",
                    "không có sự kiện biên nào bắt lỗi này ở bên ngoài".into(),
                    "no boundary event outside catches this error".into(),
                );
            }
        }
        _ => {}
    }
    if !matches!(node.kind, NodeKind::End(_)) && outs == 0 {
        fatal = true;
        error(
            "no-flow-out",
            "không có đường nối đi ra".into(),
            "no sequence flow leads away".into(),
        );
    }
    let gateway = split || matches!(node.kind, NodeKind::Parallel | NodeKind::EventBased);
    if !gateway && outs > 1 {
        error(
            "split-without-gateway",
            "có nhiều đường nối đi ra; hãy dùng một cổng để nói rõ cách rẽ nhánh".into(),
            "more than one sequence flow leads away; use a gateway to say how the way splits".into(),
        );
    }
    if !(split && outs > 1) && node.outgoing.iter().any(|f| process.flow(*f).condition.is_some()) {
        error(
            "condition-without-split",
            "chỉ đường nối đi ra từ cổng rẽ nhánh mới được có điều kiện".into(),
            "only a flow out of an exclusive or inclusive split may have a condition".into(),
        );
    }
    if matches!(node.kind, NodeKind::Inclusive { .. }) && (outs > MOST_INCLUSIVE || ins > MOST_JOINED) {
        fatal = true;
        error(
            "too-many-branches",
            format!("có quá nhiều nhánh (tối đa {MOST_INCLUSIVE} nhánh ra, {MOST_JOINED} nhánh vào)"),
            format!("has too many branches (at most {MOST_INCLUSIVE} out and {MOST_JOINED} in)"),
        );
    }
    if matches!(node.kind, NodeKind::Call { scope: None, .. }) {
        fatal = true;
    }
    let known = |f: &FlowIx| process.flow(*f).source == ix;
    fatal |= !node.outgoing.iter().all(known);
    !fatal
}

/// The sub-process and call nodes whose inside is `scope`.
fn holders(process: &Process, scope: ScopeIx) -> Vec<NodeIx> {
    let holds = |(ix, node): (usize, &Node)| (node.inner() == Some(scope)).then_some(NodeIx(u32::try_from(ix).ok()?));
    process.nodes.iter().enumerate().filter_map(holds).collect()
}

/// Whether every way outwards from `holder` meets a boundary event that catches the failure. The main process may end
/// in error only by an end event of its own.
fn caught_around(process: &Process, holder: NodeIx, code: Option<&str>, seen: &mut HashSet<NodeIx>) -> bool {
    if !seen.insert(holder) || catcher(process, holder, code).is_some() {
        return true;
    }
    let outer = process.at(holder).scope;
    outer.0 != 0
        && holders(process, outer)
            .iter()
            .all(|h| caught_around(process, *h, code, seen))
}

/// A pair of flows between the same two nodes says nothing that one does not, and confuses joins.
fn twins(process: &Process, findings: &mut Findings) -> bool {
    let mut seen = HashSet::new();
    let mut good = true;
    for flow in &process.flows {
        let gateway = matches!(process.at(flow.source).kind, NodeKind::Exclusive { .. });
        if !seen.insert((flow.source, flow.target)) && !gateway {
            good = false;
            findings.error(
                "twin-flow",
                &flow.id,
                flow.at,
                format!(
                    "Đường nối “{}” trùng với một đường nối khác giữa hai phần tử đó.",
                    flow.id
                ),
                format!(
                    "Sequence flow “{}” repeats another between the same two elements.",
                    flow.id
                ),
            );
        }
    }
    good
}

/// A round in which nothing ever rests would turn for ever within one step.
fn silent_rounds(process: &Process, findings: &mut Findings) -> bool {
    let mut known = HashMap::new();
    let silent: Vec<bool> = process
        .nodes
        .iter()
        .map(|n| is_silent(process, n, &mut known))
        .collect();
    // Nodes that can be taken away one by one because nothing silent leads to them are in no round.
    let mut into = vec![0_u32; process.nodes.len()];
    let counts = |f: &&super::super::model::Flow| silent[f.source.0 as usize] && silent[f.target.0 as usize];
    for flow in process.flows.iter().filter(counts) {
        into[flow.target.0 as usize] += 1;
    }
    let mut queue: Vec<usize> = (0..into.len()).filter(|ix| silent[*ix] && into[*ix] == 0).collect();
    let mut left: HashSet<usize> = (0..into.len()).filter(|ix| silent[*ix]).collect();
    while let Some(ix) = queue.pop() {
        left.remove(&ix);
        for flow in process.nodes[ix]
            .outgoing
            .iter()
            .map(|f| process.flow(*f))
            .filter(counts)
        {
            let count = &mut into[flow.target.0 as usize];
            *count -= 1;
            if *count == 0 {
                queue.push(flow.target.0 as usize);
            }
        }
    }
    let Some(first) = left.iter().min() else { return true };
    let node = &process.nodes[*first];
    findings.error(
        "round-without-rest",
        &node.id,
        node.at,
        format!(
            "Từ “{}” có vòng lặp không qua bước nào phải chờ; quy trình sẽ lặp mãi ngay lập tức.",
            node.label(base::Lang::Vi)
        ),
        format!(
            "From “{}” a loop passes no step that waits; the process would turn there for ever at once.",
            node.label(base::Lang::En)
        ),
    );
    false
}

/// Whether a token can pass a node without anything happening outside. `known` remembers scopes: a file could call the
/// same process from many places at many levels.
fn is_silent(process: &Process, node: &Node, known: &mut HashMap<ScopeIx, bool>) -> bool {
    match &node.kind {
        NodeKind::User(_) | NodeKind::Service { .. } | NodeKind::Receive(_) | NodeKind::Catch(_) => false,
        NodeKind::EventBased | NodeKind::Boundary { .. } => false,
        NodeKind::SubProcess { .. } | NodeKind::Call { .. } => {
            let Some(inner) = node.inner() else { return true };
            if let Some(silent) = known.get(&inner) {
                return *silent;
            }
            let reached = closure(process.scope(inner).starts.clone(), |ix| {
                let node = process.at(ix);
                if !is_silent(process, node, known) {
                    return Vec::new();
                }
                node.outgoing.iter().map(|f| process.flow(*f).target).collect()
            });
            let silent = reached
                .iter()
                .any(|ix| matches!(process.at(*ix).kind, NodeKind::End(_)));
            known.insert(inner, silent);
            silent
        }
        _ => true,
    }
}
