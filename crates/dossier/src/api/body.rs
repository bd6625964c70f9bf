//! The JSON of the API. Instants are RFC 3339 in legal time; money is whole VND.

use base::{Error, Kind, Problems, Result, Text, Timestamp, deadline::Status};
use identity::Ctx;
use procedure::form::Answers;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    model::{
        action::{Channel, Detail, Ground, MissingItem, OfficerRef, PaymentMethod, UploadId},
        command::{Command, Completion},
    },
    service::{Done, DossierItem, DossierView, Filing, FilingPaper, HistoryLine, Slice, TaskView, Tracking},
};

/// A text in both languages.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Both {
    /// Vietnamese.
    vi: String,
    /// English.
    en: String,
}

impl From<&Text> for Both {
    fn from(text: &Text) -> Self {
        Self {
            vi: text.vi.clone(),
            en: text.get(base::Lang::En).to_owned(),
        }
    }
}

fn instant(at: Timestamp) -> String {
    at.rfc3339()
}

/// What is filed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FilingBody {
    /// National code: `1.001193`.
    procedure: String,
    /// Answers, nested by field id; their shape is the procedure's JSON Schema.
    #[schema(value_type = Object)]
    answers: Map<String, Value>,
    /// Papers with finished uploads.
    #[serde(default)]
    papers: Vec<PaperBody>,
    /// For whom, when an officer files what came to the counter.
    #[serde(default)]
    applicant: Option<ApplicantBody>,
    /// How it came, when an officer files: `counter` or `post`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    channel: Option<Channel>,
}

/// A paper with its uploads.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaperBody {
    /// Id of the paper in the package.
    paper: String,
    /// Finished uploads.
    uploads: Vec<Uuid>,
}

/// The applicant of a dossier that an officer files.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplicantBody {
    /// Full name.
    name: String,
    /// Personal identification number, 12 digits.
    #[serde(default)]
    person_number: Option<String>,
    /// Telephone.
    #[serde(default)]
    phone: Option<String>,
    /// Mail.
    #[serde(default)]
    email: Option<String>,
    /// Name of the organisation, if it applies.
    #[serde(default)]
    organisation: Option<String>,
    /// Tax code of the organisation.
    #[serde(default)]
    tax_code: Option<String>,
}

impl TryFrom<FilingBody> for Filing {
    type Error = Error;
    fn try_from(body: FilingBody) -> Result<Self> {
        let mut problems = Problems::new();
        if let Some(applicant) = &body.applicant {
            if let Some(number) = &applicant.person_number
                && let Err(error) = number.parse::<base::codes::PersonNumber>()
            {
                problems.add(
                    error.code(),
                    "applicant.person_number",
                    &error.text().vi,
                    &error.text().en,
                );
            }
            if let Some(tax_code) = &applicant.tax_code
                && let Err(error) = tax_code.parse::<base::codes::TaxCode>()
            {
                problems.add(error.code(), "applicant.tax_code", &error.text().vi, &error.text().en);
            }
            if let Some(phone) = &applicant.phone
                && let Err(error) = phone.parse::<base::codes::PhoneNumber>()
            {
                problems.add(error.code(), "applicant.phone", &error.text().vi, &error.text().en);
            }
        }
        problems.into_result()?;
        let applicant = body.applicant.map(|a| procedure::form::Applicant {
            kind: if a.organisation.is_some() {
                procedure::form::ApplicantKind::Organisation
            } else {
                procedure::form::ApplicantKind::Person
            },
            name: Some(base::text::nfc(a.name.trim())),
            person_number: a.person_number,
            phone: a.phone,
            email: a.email,
            organisation: a.organisation,
            tax_code: a.tax_code,
            ..Default::default()
        });
        Ok(Self {
            procedure: body.procedure,
            answers: Answers::from_value(Value::Object(body.answers)).unwrap_or_default(),
            papers: body.papers.into_iter().map(FilingPaper::from).collect(),
            applicant,
            channel: body.channel,
        })
    }
}

/// A dossier that was filed.
#[derive(Debug, Serialize, ToSchema)]
pub struct FiledBody {
    /// Id.
    pub id: Uuid,
    /// Code.
    pub code: String,
    /// The secret for following it; also printed on the receipt.
    pub secret: String,
    /// The address that the QR code carries.
    pub tracking_url: String,
}

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
    due_at: Option<String>,
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

/// Doing a step.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteBody {
    /// One of the step's outcomes.
    outcome: String,
    /// The officer's fields.
    #[serde(default)]
    #[schema(value_type = Object)]
    fields: Map<String, Value>,
    /// A remark among officers.
    #[serde(default)]
    note: String,
    /// Grounds, for outcomes that refuse or reject.
    #[serde(default)]
    grounds: Option<Vec<GroundBody>>,
    /// The one complete list, for outcomes that ask for papers.
    #[serde(default)]
    items: Option<Vec<MissingBody>>,
    /// Why a second request for papers is lawful.
    #[serde(default)]
    second_ground: String,
    /// To whom the result was handed, for outcomes that deliver.
    #[serde(default)]
    recipient: Option<String>,
    /// How it was handed over.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    delivery: Option<Channel>,
    /// Why handling stops, for outcomes that stop.
    #[serde(default)]
    stop: Option<StopBody>,
}

/// A ground.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroundBody {
    /// Id of the package's reason.
    #[serde(default)]
    reason: String,
    /// In words.
    text: String,
    /// Legal ground.
    basis: String,
}

/// Something missing.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MissingBody {
    /// Field or paper id.
    at: String,
    /// Id of the package's reason.
    reason: String,
    /// What to do.
    text: String,
    /// Legal ground.
    basis: String,
}

impl CompleteBody {
    /// The command, with what the outcome carries.
    pub fn completion(self, token: u32) -> Result<Completion> {
        let details = [
            self.grounds.is_some(),
            self.items.is_some(),
            self.recipient.is_some(),
            self.stop.is_some(),
        ];
        if details.iter().filter(|d| **d).count() > 1 {
            return Err(Error::refused(
                Kind::Invalid,
                "one-detail",
                "Chỉ gửi một trong các mục grounds, items, recipient, stop.",
                "Send only one of grounds, items, recipient, stop.",
            ));
        }
        let detail = if let Some(grounds) = self.grounds {
            Detail::Grounds {
                grounds: grounds
                    .into_iter()
                    .map(|g| Ground {
                        reason: g.reason,
                        text: g.text,
                        basis: g.basis,
                    })
                    .collect(),
            }
        } else if let Some(items) = self.items {
            Detail::Supplement {
                items: items
                    .into_iter()
                    .map(|i| MissingItem {
                        at: i.at,
                        reason: i.reason,
                        text: i.text,
                        basis: i.basis,
                    })
                    .collect(),
                second_ground: self.second_ground,
            }
        } else if let Some(recipient) = self.recipient {
            Detail::Delivery {
                channel: self.delivery.unwrap_or(Channel::Counter),
                recipient,
            }
        } else if let Some(stop) = self.stop {
            Detail::Stop {
                reason: stop.reason,
                basis: stop.basis,
            }
        } else {
            Detail::None
        };
        Ok(Completion {
            token,
            outcome: self.outcome,
            fields: self.fields,
            note: self.note,
            detail,
        })
    }
}

/// Who takes a step.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignBody {
    /// `true`: the caller takes it; `false`: it goes back to the common queue.
    take: bool,
}

impl AssignBody {
    /// The officer, if the step is taken.
    pub fn officer(&self, ctx: &Ctx) -> Result<Option<OfficerRef>> {
        let officer = ctx.officer()?;
        Ok(self.take.then(|| OfficerRef {
            id: officer.officer.uuid(),
            name: officer.name.clone(),
        }))
    }
}

/// What was asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SupplementBody {
    /// Answers that change, nested by field id.
    #[serde(default)]
    #[schema(value_type = Object)]
    answers: Map<String, Value>,
    /// Papers with finished uploads.
    #[serde(default)]
    papers: Vec<PaperBody>,
}

impl SupplementBody {
    /// Answers and papers as the service takes them.
    pub fn parts(self) -> (Answers, Vec<FilingPaper>) {
        let answers = Answers::from_value(Value::Object(self.answers)).unwrap_or_default();
        (answers, self.papers.into_iter().map(FilingPaper::from).collect())
    }
}

impl From<PaperBody> for FilingPaper {
    fn from(p: PaperBody) -> Self {
        Self {
            paper: p.paper,
            uploads: p.uploads.into_iter().map(UploadId::from_uuid).collect(),
        }
    }
}

/// Money that came in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentBody {
    /// VND.
    amount: i64,
    /// `cash`, `card` or `transfer`.
    #[schema(value_type = String)]
    method: PaymentMethod,
    /// Number of the receipt or transaction.
    reference: String,
}

impl PaymentBody {
    /// The command.
    pub fn command(self) -> Command {
        Command::RecordPayment {
            amount: self.amount,
            method: self.method,
            reference: self.reference,
        }
    }
}

/// A waiver.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WaiverBody {
    /// Legal ground.
    pub basis: String,
}

/// A remark.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoteBody {
    /// The remark.
    pub text: String,
}

/// A new date.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReappointBody {
    /// RFC 3339.
    #[schema(format = DateTime)]
    due: String,
    /// Why.
    reason: String,
}

impl ReappointBody {
    /// The command.
    pub fn command(self) -> Result<Command> {
        let due = Timestamp::parse_rfc3339(&self.due).ok_or_else(|| {
            let mut problems = Problems::new();
            problems.add(
                "not-an-instant",
                "due",
                "Nhập thời điểm theo RFC 3339.",
                "Enter an instant as in RFC 3339.",
            );
            Error::Refused(Kind::Invalid, problems)
        })?;
        Ok(Command::Reappoint {
            due,
            reason: self.reason,
        })
    }
}

/// A reason.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReasonBody {
    /// Why, if said.
    #[serde(default)]
    pub reason: String,
}

/// Why handling stops.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StopBody {
    /// Why.
    pub reason: String,
    /// Legal ground.
    pub basis: String,
}

/// An answer to a consultation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsultationBody {
    /// The send task that asked, as the dossier lists it.
    sent_by: String,
    /// Whether the agency agrees.
    agrees: bool,
    /// Its opinion.
    opinion: String,
    /// Number of its document.
    #[serde(default)]
    document: String,
}

impl ConsultationBody {
    /// The command.
    pub fn command(self) -> Command {
        Command::AnswerConsultation {
            sent_by: self.sent_by,
            agrees: self.agrees,
            opinion: self.opinion,
            document: self.document,
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
