//! What the API shows.

use base::{
    Text,
    deadline::{Due, Status},
};
use identity::{Both, Instant};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    model::foresight::Outlook,
    service::{Done, DossierItem, DossierView, HistoryLine, TaskView, Tracking},
};

/// A dossier in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct DossierItemBody {
    /// Id.
    id: Uuid,
    /// Code.
    code: String,
    /// National code of the procedure: `1.001193`.
    procedure: String,
    /// Name of the procedure.
    procedure_name: Both,
    /// Name of the applicant.
    applicant: String,
    /// Agency that handles it, by its code.
    agency: String,
    /// How it came: `online`, `counter` or `post`.
    channel: String,
    /// 1 to 10, as the national portal numbers them.
    status: u8,
    /// The status in words.
    status_name: Both,
    /// When it was filed.
    submitted_at: Instant,
    /// When it was received; none before that.
    received_at: Option<Instant>,
    /// When it is due; none before it is received, while it is paused and once it has ended.
    due_at: Option<Instant>,
    /// When it ended.
    ended_at: Option<Instant>,
    /// Counts what happened to it; its ETag.
    version: i64,
}

impl From<DossierItem> for DossierItemBody {
    fn from(d: DossierItem) -> Self {
        Self {
            id: d.id.uuid(),
            code: d.code,
            procedure: d.procedure,
            procedure_name: (&d.name).into(),
            applicant: d.applicant,
            agency: d.agency,
            channel: d.channel,
            status: d.status.code(),
            status_name: (&d.status.label()).into(),
            submitted_at: d.submitted_at.into(),
            received_at: d.received_at.map(Instant::from),
            due_at: d.due_at.map(Instant::from),
            ended_at: d.ended_at.map(Instant::from),
            version: d.version,
        }
    }
}

/// A whole dossier.
#[derive(Debug, Serialize, ToSchema)]
pub struct DossierBody {
    /// Id.
    id: Uuid,
    /// Code.
    code: String,
    /// Counts what happened to it; its ETag.
    version: i64,
    /// Agency that handles it, by its code.
    agency: String,
    /// National code of the procedure: `1.001193`.
    procedure: String,
    /// Version of the package that it was filed under.
    procedure_version: String,
    /// Name of the procedure.
    procedure_name: Both,
    /// Which case of the procedure it is.
    case: String,
    /// Name of the applicant.
    applicant: String,
    /// How it came: `online`, `counter` or `post`.
    channel: String,
    /// 1 to 10, as the national portal numbers them.
    status: u8,
    /// The status in words.
    status_name: Both,
    /// The four axes.
    decision: String,
    /// How far the money is.
    money: String,
    /// How far the handing over is.
    delivery: String,
    /// Answers, nested by field id; their shape is the JSON Schema of the procedure.
    #[schema(value_type = Object)]
    answers: Value,
    /// Papers.
    papers: Vec<PaperView>,
    /// What is to be paid.
    fees: Vec<FeeBody>,
    /// What was paid, VND.
    paid: i64,
    /// When it was filed.
    submitted_at: Instant,
    /// When it was received; none before that.
    received_at: Option<Instant>,
    /// When it was due at first.
    original_due_at: Option<Instant>,
    /// When it is due; none before it is received, while it is paused and once it has ended.
    due_at: Option<Instant>,
    /// `on-time`, `due-soon`, `overdue`, `suspended` or `closed`.
    standing: Option<String>,
    /// The task in which a registry is being told that has not answered: its token, by which an officer may end the waiting.
    waiting: Option<u32>,
    /// Why this date, line by line.
    why: Vec<WhyBody>,
    /// Open steps.
    tasks: Vec<TaskBody>,
    /// Consultations.
    consultations: Vec<ConsultationView>,
    /// Documents that were issued.
    documents: Vec<DocumentBody>,
}

/// A paper with its files.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaperView {
    /// Id of the paper in the package.
    paper: String,
    /// Its files.
    files: Vec<FileBody>,
}

/// A file.
#[derive(Debug, Serialize, ToSchema)]
pub struct FileBody {
    /// Name.
    name: String,
    /// Media type, as its content shows.
    media_type: String,
    /// Bytes.
    size: u64,
    /// Pages, where it has any.
    pages: Option<u32>,
    /// SHA-256 in hex.
    sha256: String,
}

/// A fee.
#[derive(Debug, Serialize, ToSchema)]
pub struct FeeBody {
    /// Code in the package.
    code: String,
    /// Name.
    name: Both,
    /// VND.
    amount: i64,
    /// Legal ground.
    basis: String,
}

/// A line of "why this date".
#[derive(Debug, Serialize, ToSchema)]
pub struct WhyBody {
    /// What was counted.
    text: Both,
    /// Legal ground.
    basis: Option<Both>,
}

/// An open step.
#[derive(Debug, Serialize, ToSchema)]
pub struct TaskBody {
    /// Token of the step, for completing it.
    token: u32,
    /// Id of the step in the process.
    step: String,
    /// Name.
    name: Both,
    /// Who does it.
    role: String,
    /// Since when it is open.
    opened_at: Instant,
    /// By when, by the step's own budget.
    due_at: Option<Instant>,
    /// By when it must be done for what follows to fit before the dossier is due.
    finish_by: Option<Instant>,
    /// Whether what follows will still fit.
    #[schema(value_type = String)]
    outlook: Outlook,
    /// Who has taken it.
    assignee: Option<String>,
    /// Whether the caller may complete it.
    allowed: bool,
    /// Ways to complete it.
    outcomes: Vec<StepOutcome>,
}

/// One way to complete a step.
#[derive(Debug, Serialize, ToSchema)]
pub struct StepOutcome {
    /// Id, for completing the step.
    id: String,
    /// What it does to the dossier.
    #[schema(value_type = String)]
    effect: procedure::process::OutcomeEffect,
    /// Name.
    name: Both,
}

/// A consultation.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConsultationView {
    /// The send task that asked.
    sent_by: String,
    /// Who is asked, by its code.
    agency: String,
    /// When.
    sent_at: Instant,
    /// By when an answer is due.
    due_at: Option<Instant>,
    /// Whether an answer is awaited.
    open: bool,
    /// The answer.
    #[schema(value_type = Option<Object>)]
    answer: Option<crate::model::state::Answer>,
}

/// A document.
#[derive(Debug, Serialize, ToSchema)]
pub struct DocumentBody {
    /// What it is.
    kind: String,
    /// Its number.
    number: String,
    /// SHA-256 of the file in hex.
    sha256: String,
}

impl DossierBody {
    /// A dossier as the reader may see it.
    pub fn of(view: &DossierView) -> Self {
        let s = &view.state;
        Self {
            id: view.id.uuid(),
            code: s.code.clone(),
            version: s.version,
            agency: s.agency.clone(),
            procedure: s.procedure.code.clone(),
            procedure_version: s.procedure.version.clone(),
            procedure_name: (&s.procedure.name).into(),
            case: s.case.clone(),
            applicant: s.applicant.name.clone(),
            channel: s.channel.code().to_owned(),
            status: s.national().code(),
            status_name: (&s.national().label()).into(),
            decision: s.decision.code().to_owned(),
            money: s.money.code().to_owned(),
            delivery: s.delivery.code().to_owned(),
            waiting: view.waiting,
            answers: s.answers.to_value(),
            papers: s
                .papers
                .iter()
                .map(|p| PaperView {
                    paper: p.paper.clone(),
                    files: p
                        .files
                        .iter()
                        .map(|f| FileBody {
                            name: f.name.clone(),
                            media_type: f.media_type.clone(),
                            size: f.size,
                            pages: f.pages,
                            sha256: f.sha256.clone(),
                        })
                        .collect(),
                })
                .collect(),
            fees: s
                .fees
                .iter()
                .map(|f| FeeBody {
                    code: f.code.clone(),
                    name: (&f.name).into(),
                    amount: f.amount.amount(),
                    basis: f.basis.clone(),
                })
                .collect(),
            paid: s.paid,
            submitted_at: s.submitted_at.into(),
            received_at: s.received_at.map(Instant::from),
            original_due_at: view.due.map(|d| Instant::from(d.original)),
            due_at: due_now(view.due, view.standing),
            standing: view.standing.map(standing),
            why: why(&view.why),
            tasks: view.tasks.iter().map(task).collect(),
            consultations: s
                .consultations
                .iter()
                .map(|c| ConsultationView {
                    sent_by: c.sent_by.clone(),
                    agency: c.agency.clone(),
                    sent_at: c.sent_at.into(),
                    due_at: c.due_at.map(Instant::from),
                    open: c.token.is_some(),
                    answer: c.answer.clone(),
                })
                .collect(),
            documents: s
                .documents
                .iter()
                .map(|d| DocumentBody {
                    kind: d.kind.code().to_owned(),
                    number: d.number.clone(),
                    sha256: d.sha256.clone(),
                })
                .collect(),
        }
    }
}

fn task(view: &TaskView) -> TaskBody {
    TaskBody {
        token: view.open.token,
        step: view.open.node.clone(),
        name: (&view.name).into(),
        role: view.open.role.clone(),
        opened_at: view.open.opened_at.into(),
        due_at: view.open.due_at.map(Instant::from),
        finish_by: view.finish_by.map(Instant::from),
        outlook: view.outlook,
        assignee: view.open.assignee.as_ref().map(|a| a.name.clone()),
        allowed: view.allowed,
        outcomes: view
            .task
            .outcomes
            .iter()
            .map(|o| StepOutcome {
                id: o.id.clone(),
                effect: o.effect,
                name: (&o.label).into(),
            })
            .collect(),
    }
}

fn why(lines: &[(Text, Option<Text>)]) -> Vec<WhyBody> {
    lines
        .iter()
        .map(|(text, basis)| WhyBody {
            text: text.into(),
            basis: basis.as_ref().map(Both::from),
        })
        .collect()
}

/// What is closed is due no more, as lists have it.
fn due_now(due: Option<Due>, standing: Option<Status>) -> Option<Instant> {
    match standing {
        Some(Status::Closed(_)) => None,
        _ => due.and_then(|due| due.current).map(Instant::from),
    }
}

fn standing(status: Status) -> String {
    match status {
        Status::OnTime { .. } => "on-time",
        Status::DueSoon { .. } => "due-soon",
        Status::Overdue { .. } => "overdue",
        Status::Suspended => "suspended",
        Status::Closed(_) => "closed",
    }
    .to_owned()
}

/// A line of the history.
#[derive(Debug, Serialize, ToSchema)]
pub struct HistoryBody {
    /// Its place in the log of the dossier, from 1.
    seq: i64,
    /// When.
    at: Instant,
    /// Who.
    actor: String,
    /// Their title.
    title: String,
    /// Their agency, by its code.
    agency: String,
    /// What happened.
    text: Both,
    /// More of it, line by line.
    detail: Vec<Both>,
}

impl From<&HistoryLine> for HistoryBody {
    fn from(l: &HistoryLine) -> Self {
        Self {
            seq: l.seq,
            at: l.at.into(),
            actor: l.actor.name.clone(),
            title: l.actor.title.clone(),
            agency: l.actor.agency.clone(),
            text: (&l.text).into(),
            detail: l.detail.iter().map(Both::from).collect(),
        }
    }
}

/// What the holder of code and secret sees.
#[derive(Debug, Serialize, ToSchema)]
pub struct TrackingBody {
    /// Code.
    code: String,
    /// National code of the procedure: `1.001193`.
    procedure: String,
    /// Name of the procedure.
    procedure_name: Both,
    /// Agency that handles it, by its code.
    agency: String,
    /// 1 to 10, as the national portal numbers them.
    status: u8,
    /// The status in words.
    status_name: Both,
    /// When it was filed.
    submitted_at: Instant,
    /// When it was received.
    received_at: Option<Instant>,
    /// When it is due.
    due_at: Option<Instant>,
    /// `on-time`, `due-soon`, `overdue`, `suspended` or `closed`.
    standing: Option<String>,
    /// Why this date, line by line.
    why: Vec<WhyBody>,
    /// What happened, without personal data, oldest first.
    history: Vec<HistoryBody>,
}

impl TrackingBody {
    /// The public part of a dossier.
    pub fn of(t: &Tracking) -> Self {
        Self {
            code: t.code.clone(),
            procedure: t.procedure.clone(),
            procedure_name: (&t.name).into(),
            agency: t.agency.clone(),
            status: t.status.code(),
            status_name: (&t.status.label()).into(),
            submitted_at: t.submitted_at.into(),
            received_at: t.received_at.map(Instant::from),
            due_at: due_now(t.due, t.standing),
            standing: t.standing.map(standing),
            why: why(&t.why),
            history: t.history.iter().map(HistoryBody::from).collect(),
        }
    }
}

/// What came of a command.
#[derive(Debug, Serialize, ToSchema)]
pub struct OutcomeBody {
    /// The version now.
    version: i64,
    /// 1 to 10, as the national portal numbers them.
    status: u8,
    /// The status in words.
    status_name: Both,
    /// When it is due now.
    due_at: Option<Instant>,
}

impl From<&Done> for OutcomeBody {
    fn from(done: &Done) -> Self {
        Self {
            version: done.version,
            status: done.status.code(),
            status_name: (&done.status.label()).into(),
            due_at: done.due_at.map(Instant::from),
        }
    }
}
