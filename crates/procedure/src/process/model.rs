//! A process as the engine walks it: nodes and flows in arrays, found by index.

use std::collections::HashMap;

use base::{Lang, Text};
use serde::{Deserialize, Serialize};

use super::{
    budget::TimeBudget,
    diagram::Diagram,
    feel::{VariableType, Variables},
    finding::Position,
};

/// A node of a [`Process`], by its place in [`Process::nodes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeIx(pub u32);

/// A sequence flow of a [`Process`], by its place in [`Process::flows`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FlowIx(pub u32);

/// A scope of a [`Process`], by its place in [`Process::scopes`]: the main process, a process that it calls, or an
/// embedded sub-process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ScopeIx(pub u32);

/// An executable process (quy trình giải quyết): everything that one BPMN file says, ready to run, check and draw.
/// Made by [`Process::parse`]; never changes.
#[derive(Debug, Clone, Serialize)]
pub struct Process {
    pub(super) id: String,
    pub(super) name: Text,
    pub(super) nodes: Vec<Node>,
    pub(super) flows: Vec<Flow>,
    pub(super) scopes: Vec<Scope>,
    pub(super) lanes: Vec<Lane>,
    pub(super) pools: Vec<Pool>,
    pub(super) message_flows: Vec<MessageFlow>,
    pub(super) artifacts: Vec<Artifact>,
    pub(super) diagram: Option<Diagram>,
    #[serde(skip)]
    pub(super) by_id: HashMap<String, NodeIx>,
    #[serde(skip)]
    pub(super) flow_by_id: HashMap<String, FlowIx>,
    /// For each inclusive join, what can still reach it.
    #[serde(skip)]
    pub(super) joins: Vec<super::game::InclusiveJoin>,
}

/// A step, an event or a gateway.
#[derive(Debug, Clone, Serialize)]
pub struct Node {
    /// The id in the file; also the name of its variables.
    pub id: String,
    /// The label: `name` in Vietnamese, `mc:name-en` in English.
    pub name: Text,
    /// What it is and does.
    pub kind: NodeKind,
    /// Where it lives.
    pub scope: ScopeIx,
    /// Flows that lead here, in the order of the file.
    pub incoming: Vec<FlowIx>,
    /// Flows that lead away, in the order of the file.
    pub outgoing: Vec<FlowIx>,
    /// Boundary events attached here.
    pub boundary: Vec<NodeIx>,
    /// Where it stands in the file.
    pub at: Position,
}

/// What a node is and does.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodeKind {
    /// The start of a scope.
    Start,
    /// An end of a scope.
    End(EndKind),
    /// A step that a person does.
    User(UserTask),
    /// A step that the platform does by itself.
    Service {
        /// The name of the service, from the list that the checker was given.
        service: String,
    },
    /// Asks another agency, without waiting for the answer.
    Send(SendTask),
    /// Waits for a message.
    Receive(Awaited),
    /// One way of several: the first whose condition holds, else the default. Also joins without waiting.
    Exclusive {
        /// The way when no condition holds.
        default: Option<FlowIx>,
    },
    /// All ways at once; joins when all have arrived.
    Parallel,
    /// Every way whose condition holds, else the default; joins when nothing more can arrive.
    Inclusive {
        /// The way when no condition holds.
        default: Option<FlowIx>,
    },
    /// The way of the event that happens first.
    EventBased,
    /// Waits for an event.
    Catch(Trigger),
    /// Sends a message, or only marks a point that was passed.
    Throw {
        /// The name of the message, if any.
        message: Option<String>,
    },
    /// An event that may happen while its activity is open. It happens at most once each time.
    Boundary {
        /// The activity.
        host: NodeIx,
        /// Whether the activity is cancelled.
        interrupting: bool,
        /// The event.
        trigger: Trigger,
    },
    /// Steps within a step.
    SubProcess {
        /// Its inside.
        scope: ScopeIx,
    },
    /// Steps of another process in the same file.
    Call {
        /// The id of that process.
        called: String,
        /// Its inside; `None` when there is no such process.
        scope: Option<ScopeIx>,
    },
}

/// How a scope ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndKind {
    /// This branch ends.
    Plain,
    /// The whole scope ends at once.
    Terminate,
    /// The scope fails; a boundary error event of the activity around it may catch it.
    Error {
        /// The error code, if the event names one.
        code: Option<String>,
    },
    /// Sends a message, then this branch ends.
    Message {
        /// The name of the message.
        message: String,
    },
}

/// A step that a person does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UserTask {
    /// Who does it: a symbolic role; empty when the file forgot it.
    pub role: String,
    /// Which unit or agency does it, by symbolic name.
    pub unit: Option<String>,
    /// How long it may take; `None` when the file forgot it.
    pub budget: Option<TimeBudget>,
    /// What sort of work it is.
    pub kind: TaskKind,
    /// The ways in which it can be done; at least one in a checked process.
    pub outcomes: Vec<Outcome>,
    /// The officer's own small fields.
    pub fields: Vec<TaskField>,
    /// What to mind while doing it.
    pub help: Text,
}

/// What sort of work a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskKind {
    /// Receiving and checking the papers (tiếp nhận).
    Intake,
    /// Examining (thẩm định).
    Review,
    /// Looking on site (kiểm tra thực địa).
    Inspect,
    /// Drafting the result (dự thảo).
    Draft,
    /// Signing (ký duyệt).
    Sign,
    /// Handing over the result (trả kết quả).
    Deliver,
    /// Anything else.
    Other,
}

impl TaskKind {
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "intake" => Self::Intake,
            "review" => Self::Review,
            "inspect" => Self::Inspect,
            "draft" => Self::Draft,
            "sign" => Self::Sign,
            "deliver" => Self::Deliver,
            "other" => Self::Other,
            _ => return None,
        })
    }
}

/// One way in which a step can be done: a button on the officer's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The value of `<task>.outcome`.
    pub id: String,
    /// What it does to the dossier.
    pub effect: OutcomeEffect,
    /// The label.
    pub label: Text,
    /// Whether it is the usual one.
    pub primary: bool,
}

/// What an outcome does to the dossier, beside moving the process on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutcomeEffect {
    /// Nothing more.
    None,
    /// The dossier is received (tiếp nhận).
    Receive,
    /// The dossier is not received (từ chối tiếp nhận).
    Refuse,
    /// Papers are asked for (yêu cầu bổ sung).
    RequestSupplement,
    /// Decided in favour.
    Approve,
    /// Decided against.
    Reject,
    /// The result is issued.
    Issue,
    /// The result is handed over (trả kết quả).
    Deliver,
    /// The handling stops (dừng xử lý).
    Stop,
}

impl OutcomeEffect {
    pub(super) const NAMES: &'static str =
        "none, receive, refuse, request-supplement, approve, reject, issue, deliver, stop";

    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "none" => Self::None,
            "receive" => Self::Receive,
            "refuse" => Self::Refuse,
            "request-supplement" => Self::RequestSupplement,
            "approve" => Self::Approve,
            "reject" => Self::Reject,
            "issue" => Self::Issue,
            "deliver" => Self::Deliver,
            "stop" => Self::Stop,
            _ => return None,
        })
    }
}

/// A small field that the officer fills when completing a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TaskField {
    /// The name within the task: `<task>.<id>`.
    pub id: String,
    /// Its type.
    pub kind: FieldKind,
    /// The label.
    pub label: Text,
    /// Whether it must be filled (for the outcomes that it belongs to).
    pub required: bool,
    /// The outcomes that it belongs to (`for="refuse stop"`); all when empty.
    pub outcomes: Vec<String>,
}

impl TaskField {
    /// Whether the field is asked for with `outcome`.
    pub fn belongs_to(&self, outcome: &str) -> bool {
        self.outcomes.is_empty() || self.outcomes.iter().any(|o| o == outcome)
    }
}

/// The type of a [`TaskField`], and the JSON that holds its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldKind {
    /// One line: a string of at most 500 characters.
    Text,
    /// Several lines: a string of at most 10,000 characters.
    LongText,
    /// A date: a string as `2026-11-21`.
    Date,
    /// A number.
    Number,
    /// Yes or no: a boolean.
    YesNo,
    /// A file: the string that identifies it in the store.
    File,
    /// One of several: the string that is the option's value.
    Choice(Vec<FieldOption>),
}

/// One option of a choice field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldOption {
    /// The value.
    pub value: String,
    /// The label.
    pub label: Text,
}

/// A question put to another agency (lấy ý kiến phối hợp).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SendTask {
    /// The symbolic name of the agency asked.
    pub consult: String,
    /// The question.
    pub question: Text,
    /// The name of the message.
    pub message: String,
    /// What it means when no answer comes in the time that the process gives.
    pub silence: Silence,
    /// The fields and papers of the form that the agency needs for its answer; nothing else goes to another node.
    pub shows: Vec<String>,
}

/// What it means that a consulted agency did not answer in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Silence {
    /// That there is no answer; the deciding agency goes on without one.
    #[default]
    Unanswered,
    /// That the agency agrees and answers for it. Only where the law of the procedure says so, as the Law on Construction
    /// 50/2014/QH13, Article 102, does for a building permit after 12 days.
    Agrees,
}

impl Silence {
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "unanswered" => Self::Unanswered,
            "agrees" => Self::Agrees,
            _ => return None,
        })
    }
}

/// A message that is waited for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Awaited {
    /// The name of the message.
    pub message: String,
    /// The id of the send task that it answers, if any.
    pub from: Option<String>,
}

/// What an event waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trigger {
    /// Time.
    Timer(TimerRule),
    /// A message.
    Message(Awaited),
    /// A failure inside the activity; `None` catches every one.
    Error {
        /// The error code.
        code: Option<String>,
    },
}

/// When a timer fires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimerRule {
    /// So long after it was set.
    After(TimeBudget),
    /// At the date that this FEEL expression gives when the timer is set.
    At(String),
}

/// A sequence flow.
#[derive(Debug, Clone, Serialize)]
pub struct Flow {
    /// The id in the file.
    pub id: String,
    /// The label.
    pub name: Text,
    /// From.
    pub source: NodeIx,
    /// To.
    pub target: NodeIx,
    /// The condition in FEEL.
    pub condition: Option<String>,
    /// Where it stands in the file.
    pub at: Position,
}

/// A scope: a process or the inside of a sub-process.
#[derive(Debug, Clone, Serialize)]
pub struct Scope {
    /// The id of the process or of the sub-process.
    pub id: String,
    /// Its name.
    pub name: Text,
    /// Its start events; exactly one in a checked process.
    pub starts: Vec<NodeIx>,
    /// All its nodes, boundary events included.
    pub nodes: Vec<NodeIx>,
    /// Where it stands in the file.
    pub at: Position,
}

/// A lane: who does the steps in it.
#[derive(Debug, Clone, Serialize)]
pub struct Lane {
    /// The id in the file.
    pub id: String,
    /// The label.
    pub name: Text,
}

/// A participant: a pool in the drawing, with or without steps in it.
#[derive(Debug, Clone, Serialize)]
pub struct Pool {
    /// The id in the file.
    pub id: String,
    /// The label.
    pub name: Text,
}

/// A message flow between pools, for the drawing only.
#[derive(Debug, Clone, Serialize)]
pub struct MessageFlow {
    /// The id in the file.
    pub id: String,
    /// The label.
    pub name: Text,
}

/// A note or a data object, for the drawing only.
#[derive(Debug, Clone, Serialize)]
pub struct Artifact {
    /// The id in the file.
    pub id: String,
    /// The label or the text of the note.
    pub text: Text,
    /// What to draw.
    pub kind: ArtifactKind,
}

/// What sort of thing an [`Artifact`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArtifactKind {
    /// A note.
    Note,
    /// A paper or a record.
    Data,
    /// A frame around things.
    Group,
    /// A thin line to a note or a data object.
    Association,
}

impl Node {
    /// Whether it is a step that can take time: a task, a sub-process or a call.
    pub fn is_activity(&self) -> bool {
        matches!(
            self.kind,
            NodeKind::User(_)
                | NodeKind::Service { .. }
                | NodeKind::Send(_)
                | NodeKind::Receive(_)
                | NodeKind::SubProcess { .. }
                | NodeKind::Call { .. }
        )
    }

    /// The label in `lang`, or the id where the file gives none.
    pub fn label(&self, lang: Lang) -> &str {
        let name = self.name.get(lang);
        if name.is_empty() { &self.id } else { name }
    }

    /// The inside of a sub-process or of a call.
    pub fn inner(&self) -> Option<ScopeIx> {
        match self.kind {
            NodeKind::SubProcess { scope } => Some(scope),
            NodeKind::Call { scope, .. } => scope,
            _ => None,
        }
    }
}

impl Process {
    /// The id of the main process.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The name of the main process.
    pub fn name(&self) -> &Text {
        &self.name
    }

    /// All nodes, of every scope, in the order of the file.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// All sequence flows, in the order of the file.
    pub fn flows(&self) -> &[Flow] {
        &self.flows
    }

    /// All scopes; the first is the main process.
    pub fn scopes(&self) -> &[Scope] {
        &self.scopes
    }

    /// The node with this id.
    pub fn node(&self, id: &str) -> Option<&Node> {
        self.by_id.get(id).map(|ix| self.at(*ix))
    }

    /// The steps that people do, in the order of the file.
    pub fn tasks(&self) -> impl Iterator<Item = (&Node, &UserTask)> {
        self.nodes.iter().filter_map(|node| match &node.kind {
            NodeKind::User(task) => Some((node, task)),
            _ => None,
        })
    }

    /// The step with this id that a person does.
    pub fn task(&self, id: &str) -> Option<(&Node, &UserTask)> {
        self.node(id).and_then(|node| match &node.kind {
            NodeKind::User(task) => Some((node, task)),
            _ => None,
        })
    }

    /// The variables that the process itself sets, by the id of the step that sets them.
    pub fn variables(&self) -> Variables {
        let mut all = Variables::new();
        for node in &self.nodes {
            let kind = match &node.kind {
                NodeKind::User(task) => {
                    let ids = task.outcomes.iter().map(|o| o.id.clone()).collect();
                    let mut parts = Variables::from([("outcome".to_owned(), VariableType::Choice(ids))]);
                    for field in &task.fields {
                        parts.insert(field.id.clone(), field.kind.variable());
                    }
                    VariableType::Context(parts)
                }
                NodeKind::Service { .. } | NodeKind::Receive(_) => VariableType::Any,
                NodeKind::Catch(Trigger::Message(_))
                | NodeKind::Boundary {
                    trigger: Trigger::Message(_) | Trigger::Error { .. },
                    ..
                } => VariableType::Any,
                NodeKind::Catch(Trigger::Timer(_)) | NodeKind::Boundary { .. } => {
                    VariableType::Context(Variables::from([("fired".to_owned(), VariableType::Boolean)]))
                }
                _ => continue,
            };
            all.insert(node.id.clone(), kind);
        }
        all
    }

    pub(super) fn at(&self, ix: NodeIx) -> &Node {
        &self.nodes[ix.0 as usize]
    }

    pub(super) fn flow(&self, ix: FlowIx) -> &Flow {
        &self.flows[ix.0 as usize]
    }

    pub(super) fn scope(&self, ix: ScopeIx) -> &Scope {
        &self.scopes[ix.0 as usize]
    }
}

impl FieldKind {
    fn variable(&self) -> VariableType {
        match self {
            Self::Text | Self::LongText | Self::File => VariableType::Text,
            Self::Date => VariableType::Date,
            Self::Number => VariableType::Number,
            Self::YesNo => VariableType::Boolean,
            Self::Choice(options) => VariableType::Choice(options.iter().map(|o| o.value.clone()).collect()),
        }
    }
}
