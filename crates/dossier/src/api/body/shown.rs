//! What the API shows.

use base::{Text, deadline::Status};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Both, instant};
use crate::{
    model::foresight::Outlook,
    service::{Done, DossierItem, DossierView, HistoryLine, Slice, TaskView, Tracking},
};

/// A dossier in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct DossierItemBody {
    id: Uuid,
    code: String,
    procedure: String,
    procedure_name: Both,
    applicant: String,
    agency: String,
    channel: String,
    /// 1 to 10, as the national portal numbers them.
    status: u8,
    status_name: Both,
    submitted_at: String,
    received_at: Option<String>,
    due_at: Option<String>,
    ended_at: Option<String>,
    version: i64,
}

/// A page of dossiers.
#[derive(Debug, Serialize, ToSchema)]
pub struct DossierPage {
    items: Vec<DossierItemBody>,
    /// Give it as `after` for the next page; absent on the last.
    next: Option<String>,
}

impl From<Slice<DossierItem>> for DossierPage {
    fn from(slice: Slice<DossierItem>) -> Self {
        let items = slice
            .items
            .into_iter()
            .map(|d| DossierItemBody {
                id: d.id.uuid(),
                code: d.code,
                procedure: d.procedure,
                procedure_name: (&d.name).into(),
                applicant: d.applicant,
                agency: d.agency,
                channel: d.channel,
                status: d.status.code(),
                status_name: (&d.status.label()).into(),
                submitted_at: instant(d.submitted_at),
                received_at: d.received_at.map(instant),
                due_at: d.due_at.map(instant),
                ended_at: d.ended_at.map(instant),
                version: d.version,
            })
            .collect();
        Self {
            items,
            next: slice.next,
        }
    }
}

/// A whole dossier.
#[derive(Debug, Serialize, ToSchema)]
pub struct DossierBody {
    id: Uuid,
    code: String,
    version: i64,
    agency: String,
    procedure: String,
    procedure_version: String,
    procedure_name: Both,
    case: String,
    applicant: String,
    channel: String,
    /// 1 to 10, as the national portal numbers them.
    status: u8,
    status_name: Both,
    /// The four axes.
    decision: String,
    money: String,
    delivery: String,
    #[schema(value_type = Object)]
    answers: Value,
    papers: Vec<PaperView>,
    fees: Vec<FeeBody>,
    paid: i64,
    submitted_at: String,
    received_at: Option<String>,
    original_due_at: Option<String>,
    due_at: Option<String>,
    standing: Option<String>,
    /// Why this date, line by line.
    why: Vec<WhyBody>,
    tasks: Vec<TaskBody>,
    consultations: Vec<ConsultationView>,
    documents: Vec<DocumentBody>,
}

/// A paper with its files.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaperView {
    paper: String,
    files: Vec<FileBody>,
}

/// A file.
#[derive(Debug, Serialize, ToSchema)]
pub struct FileBody {
    name: String,
    media_type: String,
    size: u64,
    pages: Option<u32>,
    sha256: String,
}

/// A fee.
#[derive(Debug, Serialize, ToSchema)]
pub struct FeeBody {
    code: String,
    name: Both,
    amount: i64,
    basis: String,
}

/// A line of "why this date".
#[derive(Debug, Serialize, ToSchema)]
pub struct WhyBody {
    text: Both,
    basis: Option<Both>,
}

/// An open step.
#[derive(Debug, Serialize, ToSchema)]
pub struct TaskBody {
    token: u32,
    step: String,
    name: Both,
    role: String,
    opened_at: String,
    /// By when, by the step's own budget.
    due_at: Option<String>,
    /// By when it must be done for what follows to fit before the dossier is due.
    finish_by: Option<String>,
    #[schema(value_type = String)]
    outlook: Outlook,
    assignee: Option<String>,
    /// Whether the caller may complete it.
    allowed: bool,
    outcomes: Vec<StepOutcome>,
}

/// One way to complete a step.
#[derive(Debug, Serialize, ToSchema)]
pub struct StepOutcome {
    id: String,
    #[schema(value_type = String)]
    effect: procedure::process::OutcomeEffect,
    name: Both,
}

/// A consultation.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConsultationView {
    sent_by: String,
    agency: String,
    sent_at: String,
    due_at: Option<String>,
    open: bool,
    #[schema(value_type = Option<Object>)]
    answer: Option<crate::model::state::Answer>,
}

/// A document.
#[derive(Debug, Serialize, ToSchema)]
pub struct DocumentBody {
    kind: String,
    number: String,
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
            submitted_at: instant(s.submitted_at),
            received_at: s.received_at.map(instant),
            original_due_at: view.due.map(|d| instant(d.original)),
            due_at: view.due.and_then(|d| d.current).map(instant),
            standing: view.standing.map(standing),
            why: why(&view.why),
            tasks: view.tasks.iter().map(task).collect(),
            consultations: s
                .consultations
                .iter()
                .map(|c| ConsultationView {
                    sent_by: c.sent_by.clone(),
                    agency: c.agency.clone(),
                    sent_at: instant(c.sent_at),
                    due_at: c.due_at.map(instant),
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
        opened_at: instant(view.open.opened_at),
        due_at: view.open.due_at.map(instant),
        finish_by: view.finish_by.map(instant),
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
    seq: i64,
    at: String,
    actor: String,
    title: String,
    agency: String,
    text: Both,
    detail: Vec<Both>,
}

impl From<&HistoryLine> for HistoryBody {
    fn from(l: &HistoryLine) -> Self {
        Self {
            seq: l.seq,
            at: instant(l.at),
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
    code: String,
    procedure: String,
    procedure_name: Both,
    agency: String,
    status: u8,
    status_name: Both,
    submitted_at: String,
    received_at: Option<String>,
    due_at: Option<String>,
    standing: Option<String>,
    why: Vec<WhyBody>,
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
            submitted_at: instant(t.submitted_at),
            received_at: t.received_at.map(instant),
            due_at: t.due.and_then(|d| d.current).map(instant),
            standing: t.standing.map(standing),
            why: why(&t.why),
            history: t.history.iter().map(HistoryBody::from).collect(),
        }
    }
}

/// What came of a command.
#[derive(Debug, Serialize, ToSchema)]
pub struct OutcomeBody {
    version: i64,
    status: u8,
    status_name: Both,
    due_at: Option<String>,
}

impl From<&Done> for OutcomeBody {
    fn from(done: &Done) -> Self {
        Self {
            version: done.version,
            status: done.status.code(),
            status_name: (&done.status.label()).into(),
            due_at: done.due_at.map(instant),
        }
    }
}
