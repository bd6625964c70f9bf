//! What each step says: who, how long, with what outcomes, under which conditions.

use std::collections::{BTreeMap, HashSet};

use super::{
    super::{
        feel::Variables,
        finding::Findings,
        model::{EndKind, Node, NodeKind, Process, TimerRule, Trigger},
    },
    CheckContext,
};

pub(super) fn check(process: &Process, context: &CheckContext<'_>, findings: &mut Findings) {
    let mut variables: Variables = context.variables.clone();
    for (name, kind) in process.variables() {
        if variables.contains_key(&name)
            && let Some(node) = process.node(&name)
        {
            findings.error(
                "name-taken",
                &name,
                node.at,
                format!("Mã “{name}” trùng với một biến có sẵn của hồ sơ; hãy đổi mã."),
                format!("The id “{name}” is already the name of a variable of the dossier; choose another."),
            );
        }
        variables.insert(name, kind);
    }
    for node in &process.nodes {
        step(process, node, context, &variables, findings);
    }
    let outcomes: BTreeMap<&str, HashSet<&str>> = process
        .tasks()
        .map(|(n, t)| (n.id.as_str(), t.outcomes.iter().map(|o| o.id.as_str()).collect()))
        .collect();
    for flow in &process.flows {
        let Some(condition) = &flow.condition else { continue };
        if let Err(why) = context.feel.check_condition(condition, &variables) {
            findings.error(
                "bad-condition",
                &flow.id,
                flow.at,
                format!("Điều kiện của “{}” không hợp lệ: {why}", flow.id),
                format!("The condition of “{}” is wrong: {why}", flow.id),
            );
        }
        for (task, wanted) in compared_outcomes(condition) {
            if outcomes.get(task).is_some_and(|known| !known.contains(wanted)) {
                findings.error(
                    "unknown-outcome",
                    &flow.id,
                    flow.at,
                    format!(
                        "Điều kiện của “{}” so với kết quả “{wanted}”, nhưng bước “{task}” không có kết quả đó.",
                        flow.id
                    ),
                    format!(
                        "The condition of “{}” asks for the outcome “{wanted}”, which the step “{task}” does not have.",
                        flow.id
                    ),
                );
            }
        }
    }
    if process.diagram.is_none()
        && let Some(scope) = process.scopes.first()
    {
        findings.warn(
            "no-diagram",
            &process.id,
            scope.at,
            "Tệp không có sơ đồ (BPMN DI); hệ thống sẽ tự vẽ một sơ đồ đơn giản.",
            "The file has no diagram (BPMN DI); a simple one is drawn instead.",
        );
    }
}

/// `task.outcome = "x"` and `!=` in a condition: the pairs of task and compared outcome.
fn compared_outcomes(condition: &str) -> Vec<(&str, &str)> {
    const PART: &str = ".outcome";
    let name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    condition
        .match_indices(PART)
        .filter_map(|(at, _)| {
            let before = &condition[..at];
            let task = &before[before.trim_end_matches(name).len()..];
            let after = condition[at + PART.len()..].trim_start();
            let after = after
                .strip_prefix("!=")
                .or_else(|| after.strip_prefix('='))?
                .trim_start();
            let (wanted, _) = after.strip_prefix('"')?.split_once('"')?;
            Some((task, wanted))
        })
        .collect()
}

fn step(process: &Process, node: &Node, context: &CheckContext<'_>, variables: &Variables, findings: &mut Findings) {
    let (vi, en) = (node.label(base::Lang::Vi), node.label(base::Lang::En));
    let mut error = |code: &str, say_vi: String, say_en: String| {
        findings.error(
            code,
            &node.id,
            node.at,
            format!("“{vi}”: {say_vi}."),
            format!("“{en}”: {say_en}."),
        );
    };
    let list = |known: &[&str]| known.join(", ");
    let mut message_name = |name: &str| {
        if name.is_empty() {
            error(
                "no-message",
                "chưa có tên văn bản trao đổi (mc:message hoặc messageRef)".into(),
                "has no message name (mc:message or messageRef)".into(),
            );
        }
    };
    match &node.kind {
        NodeKind::User(task) => {
            if task.role.is_empty() {
                error(
                    "no-role",
                    "chưa quy định ai thực hiện (mc:role)".into(),
                    "does not say who does it (mc:role)".into(),
                );
            } else if !context.roles.contains(&task.role.as_str()) {
                let known = list(context.roles);
                error(
                    "unknown-role",
                    format!("vai trò “{}” không có trong danh mục ({known})", task.role),
                    format!("the role “{}” is not one of {known}", task.role),
                );
            }
            if task.budget.is_none() {
                error(
                    "no-budget",
                    "chưa có thời hạn thực hiện (mc:budget)".into(),
                    "has no time budget (mc:budget)".into(),
                );
            }
            if task.outcomes.is_empty() {
                error(
                    "no-outcome",
                    "chưa có kết quả xử lý nào (mc:outcome)".into(),
                    "has no outcome (mc:outcome)".into(),
                );
            }
            if task.outcomes.iter().filter(|o| o.primary).count() > 1 {
                error(
                    "two-primaries",
                    "chỉ một kết quả được là chính".into(),
                    "only one outcome may be the primary one".into(),
                );
            }
            if node.name.vi.is_empty() {
                error("no-name", "chưa có tên bước".into(), "the step has no name".into());
            }
        }
        NodeKind::Service { service } if !context.services.contains(&service.as_str()) => {
            let known = list(context.services);
            error(
                "unknown-service",
                format!("dịch vụ “{service}” (mc:service) không có trong danh mục ({known})"),
                format!("the service “{service}” (mc:service) is not one of {known}"),
            );
        }
        NodeKind::Send(send) => {
            message_name(&send.message);
            if send.consult.is_empty() {
                error(
                    "no-consult",
                    "chưa quy định lấy ý kiến cơ quan nào (mc:consult)".into(),
                    "does not say which agency is asked (mc:consult)".into(),
                );
            }
        }
        NodeKind::Receive(awaited)
        | NodeKind::Catch(Trigger::Message(awaited))
        | NodeKind::Boundary {
            trigger: Trigger::Message(awaited),
            ..
        } => {
            message_name(&awaited.message);
            if let Some(from) = &awaited.from {
                let sends = matches!(process.node(from).map(|n| &n.kind), Some(NodeKind::Send(_)));
                if !sends {
                    error(
                        "from-nowhere",
                        format!("mc:from trỏ đến “{from}”, không phải là một công việc gửi"),
                        format!("mc:from names “{from}”, which is no send task"),
                    );
                }
            }
        }
        NodeKind::Throw { message: Some(message) } | NodeKind::End(EndKind::Message { message }) => {
            message_name(message);
        }
        _ => {}
    }
    let rule = match &node.kind {
        NodeKind::Catch(Trigger::Timer(rule))
        | NodeKind::Boundary {
            trigger: Trigger::Timer(rule),
            ..
        } => Some(rule),
        _ => None,
    };
    // An empty one was reported by the reader.
    if let Some(TimerRule::At(expression)) = rule.filter(|r| **r != TimerRule::At(String::new()))
        && let Err(why) = context.feel.check_date(expression, variables)
    {
        error(
            "bad-date",
            format!("thời điểm không hợp lệ: {why}"),
            format!("the date is wrong: {why}"),
        );
    }
    if waits_for_ever(process, node) {
        findings.warn(
            "waits-for-ever",
            &node.id,
            node.at,
            format!("“{vi}” chờ văn bản mà không có thời hạn; nếu không có trả lời, hồ sơ sẽ chờ mãi. Hãy gắn sự kiện thời gian."),
            format!("“{en}” waits for a message with no time limit; without an answer the dossier waits for ever. Attach a timer."),
        );
    }
}

/// A wait for a message that no timer ends.
fn waits_for_ever(process: &Process, node: &Node) -> bool {
    let timed = |ix: &super::super::model::NodeIx| {
        matches!(
            process.at(*ix).kind,
            NodeKind::Catch(Trigger::Timer(_))
                | NodeKind::Boundary {
                    interrupting: true,
                    trigger: Trigger::Timer(_),
                    ..
                }
        )
    };
    if !matches!(node.kind, NodeKind::Receive(_) | NodeKind::Catch(Trigger::Message(_))) {
        return false;
    }
    let mut gateways = node.incoming.iter().map(|f| process.at(process.flow(*f).source));
    let raced = gateways
        .any(|g| matches!(g.kind, NodeKind::EventBased) && g.outgoing.iter().any(|f| timed(&process.flow(*f).target)));
    !raced && !node.boundary.iter().any(timed)
}
