//! Reading: one dossier, lists, queues, and what the public may see. Every read of personal data names its purpose and
//! is recorded before the data are shown.

use std::sync::Arc;

use base::{
    Error, Kind, Result, Text, Timestamp,
    deadline::{Due, Status},
};
use identity::{Actor, Ctx, DataRead, Permission, Purpose, Role, Scope};
use procedure::{
    form::SummarySection,
    package::Package,
    process::{UserTask, WhereNow},
};
use uuid::Uuid;

use super::{
    Dossiers,
    handling::{no_dossier, permission_of},
};
use crate::{
    model::{
        action::{Action, ActorRef, Channel, Detail, DossierId, PaymentMethod},
        state::{OpenTask, State},
        status::{Decision, NationalStatus},
    },
    store::{
        self as tables, Kept,
        lists::{self, Filter, ListRow, QueueFilter, QueueRow},
    },
};

/// Rows of a page of a list.
pub const PAGE: u32 = 20;
/// Counts go up to here; beyond it pages say "99+".
pub const COUNTED: u32 = 100;

/// Some rows, and where the next ones begin.
#[derive(Debug, Clone)]
pub struct Slice<T> {
    /// The rows.
    pub items: Vec<T>,
    /// The cursor of the next page.
    pub next: Option<String>,
}

/// A dossier in a list.
#[derive(Debug, Clone)]
pub struct DossierItem {
    /// Id.
    pub id: DossierId,
    /// Code.
    pub code: String,
    /// National code of the procedure.
    pub procedure: String,
    /// Its name.
    pub name: Text,
    /// Applicant.
    pub applicant: String,
    /// Deciding agency.
    pub agency: String,
    /// Channel.
    pub channel: String,
    /// Status.
    pub status: NationalStatus,
    /// When filed.
    pub submitted_at: Timestamp,
    /// When received.
    pub received_at: Option<Timestamp>,
    /// When due.
    pub due_at: Option<Timestamp>,
    /// When ended.
    pub ended_at: Option<Timestamp>,
    /// Version.
    pub version: i64,
}

/// A step in a queue.
#[derive(Debug, Clone)]
pub struct QueueItem {
    /// The dossier.
    pub dossier: DossierId,
    /// Token of the step.
    pub token: u32,
    /// Name of the step.
    pub step: Text,
    /// Code of the dossier.
    pub code: String,
    /// National code of the procedure.
    pub procedure: String,
    /// Its name.
    pub name: Text,
    /// Applicant.
    pub applicant: String,
    /// Status of the dossier.
    pub status: NationalStatus,
    /// Who has taken the step.
    pub assignee: Option<String>,
    /// Whether it was the reader.
    pub mine: bool,
    /// Since when.
    pub opened_at: Timestamp,
    /// By when the step is due.
    pub step_due_at: Option<Timestamp>,
    /// By when the dossier is due.
    pub due_at: Option<Timestamp>,
    /// The earlier of both.
    pub urgent_at: Option<Timestamp>,
    /// Working minutes left until then; negative when it has passed.
    pub minutes_left: Option<i64>,
    /// Channel.
    pub channel: String,
    /// Whether a fee is open.
    pub unpaid: bool,
}

/// An officer's queue with its bounded counts.
#[derive(Debug, Clone)]
pub struct Queue {
    /// The steps, the most urgent first.
    pub steps: Slice<QueueItem>,
    /// Open steps, up to [`COUNTED`].
    pub open: i64,
    /// Overdue steps, up to [`COUNTED`].
    pub overdue: i64,
    /// Steps due within one working day, up to [`COUNTED`].
    pub soon: i64,
}

/// What of a queue to show.
#[derive(Debug, Clone, Default)]
pub struct QueueQuery {
    /// Only the reader's own.
    pub mine: bool,
    /// Only what nobody has taken.
    pub unassigned: bool,
    /// Only this procedure.
    pub procedure: Option<String>,
    /// Only what is overdue.
    pub overdue: bool,
    /// Only what is due within one working day.
    pub soon: bool,
    /// Cursor.
    pub after: Option<String>,
}

/// A consultation that waits for the reader's agency.
#[derive(Debug, Clone)]
pub struct ConsultationItem {
    /// The dossier.
    pub dossier: DossierId,
    /// The send task that asked.
    pub sent_by: String,
    /// Code of the dossier.
    pub code: String,
    /// Name of the procedure.
    pub name: Text,
    /// The question.
    pub question: Text,
    /// The agency that asks.
    pub asking: String,
    /// When.
    pub sent_at: Timestamp,
    /// After when silence is agreement.
    pub due_at: Option<Timestamp>,
}

/// An open step as its officer sees it.
#[derive(Debug, Clone)]
pub struct TaskView {
    /// The step.
    pub open: OpenTask,
    /// Its name.
    pub name: Text,
    /// Its definition: outcomes, fields, help.
    pub task: UserTask,
    /// Whether the reader may do it now.
    pub allowed: bool,
    /// Whether the reader has taken it.
    pub mine: bool,
}

/// A whole dossier.
#[derive(Debug, Clone)]
pub struct DossierView {
    /// Id.
    pub id: DossierId,
    /// State.
    pub state: State,
    /// Its procedure version.
    pub package: Arc<Package>,
    /// Its time limit.
    pub due: Option<Due>,
    /// How it stands against the time limit now.
    pub standing: Option<Status>,
    /// Why this date, line by line.
    pub why: Vec<(Text, Option<Text>)>,
    /// Open steps.
    pub tasks: Vec<TaskView>,
    /// Answers as people read them.
    pub answers: Vec<SummarySection>,
    /// The history.
    pub history: Vec<HistoryLine>,
    /// Where the process stands.
    pub here: WhereNow,
    /// Whether the reader handles the dossier, and so sees what officers wrote among themselves.
    pub officer: bool,
}

/// One line of the history.
#[derive(Debug, Clone)]
pub struct HistoryLine {
    /// Version after it.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: ActorRef,
    /// What.
    pub text: Text,
    /// Details for those who may see them.
    pub detail: Vec<Text>,
    /// Whether only officers may see it.
    pub internal: bool,
}

/// What the holder of code and secret sees: no personal data.
#[derive(Debug, Clone)]
pub struct Tracking {
    /// Code.
    pub code: String,
    /// Procedure.
    pub procedure: String,
    /// Its name.
    pub name: Text,
    /// Deciding agency.
    pub agency: String,
    /// Status.
    pub status: NationalStatus,
    /// When filed.
    pub submitted_at: Timestamp,
    /// When received.
    pub received_at: Option<Timestamp>,
    /// Its time limit.
    pub due: Option<Due>,
    /// How it stands.
    pub standing: Option<Status>,
    /// Why this date.
    pub why: Vec<(Text, Option<Text>)>,
    /// Its history, without names of the applicant and without what officers wrote among themselves.
    pub history: Vec<HistoryLine>,
    /// Whether something is asked of the applicant.
    pub asked: bool,
    /// Whether the result can be fetched.
    pub ready: bool,
    /// The procedure version, for the drawing.
    pub package: Arc<Package>,
    /// Where the process stands.
    pub here: WhereNow,
}

impl Dossiers {
    /// A whole dossier for its applicant or for an officer who handles it.
    ///
    /// # Errors
    /// `NotFound` also where the reader may not know that it exists.
    pub async fn get(&self, ctx: &Ctx, id: DossierId, purpose: Purpose) -> Result<DossierView> {
        let kept = tables::by_id(&self.store().read(), id).await?.ok_or_else(no_dossier)?;
        self.view(ctx, kept, purpose).await
    }

    /// As [`Dossiers::get`], by code.
    ///
    /// # Errors
    /// `NotFound` also where the reader may not know that it exists.
    pub async fn get_by_code(&self, ctx: &Ctx, code: &str, purpose: Purpose) -> Result<DossierView> {
        let kept = tables::by_code(&self.store().read(), code)
            .await?
            .ok_or_else(no_dossier)?;
        self.view(ctx, kept, purpose).await
    }

    async fn view(&self, ctx: &Ctx, kept: Kept, purpose: Purpose) -> Result<DossierView> {
        let Kept { id, state, package } = kept;
        let officer = self.permit_reading(ctx, id, &state).await?;
        if let Some(subject) = &state.applicant.claims.person_number {
            let read = DataRead {
                subject,
                dossier: Some(&state.code),
                purpose,
                what: "Tờ khai, giấy tờ và quá trình giải quyết",
            };
            self.0.identity.access_log().record(ctx, read).await?;
        }
        let package = self.shelf().by_hash(&package).await?;
        let calendar = self.calendar();
        let rules = self.rules(&package, &calendar);
        let form_ctx = rules.context(&state.applicant, state.channel, state.submitted_at.legal_date());
        let journey = package.form.journey(&state.answers, &form_ctx);
        let answers = package.form.summary(&journey, &form_ctx, ctx.lang);
        let log = tables::log(&self.store().read(), id).await?;
        let history = log
            .iter()
            .map(|e| line(e.seq, e.at, &e.actor, &e.action, &package))
            .filter(|l| officer || !l.internal)
            .collect();
        let due = state.due(&calendar);
        let tasks = state
            .tasks
            .iter()
            .filter_map(|open| {
                let (node, task) = package.process.task(&open.node)?;
                let scope = Scope::Agency(self.task_agency(&state, open));
                let me = ctx.officer().ok().map(|o| o.officer.uuid());
                let taken = open.assignee.as_ref().map(|a| a.id);
                let allowed = ctx.may(permission_of(&open.role), &scope) && (taken.is_none() || taken == me);
                let mine = me.is_some() && taken == me;
                Some(TaskView {
                    open: open.clone(),
                    name: node.name.clone(),
                    task: task.clone(),
                    allowed,
                    mine,
                })
            })
            .collect();
        Ok(DossierView {
            id,
            due,
            standing: due.map(|d| d.status_at(ctx.now, &calendar)),
            why: why(&state, &calendar),
            tasks,
            answers,
            history,
            here: state.process.where_now(),
            officer,
            package: Arc::clone(&package),
            state,
        })
    }

    /// A file of a dossier.
    ///
    /// # Errors
    /// `NotFound` where there is none or it is not for the reader.
    pub async fn file_content(
        &self,
        ctx: &Ctx,
        id: DossierId,
        sha256: &str,
        purpose: Purpose,
    ) -> Result<(String, String, bytes::Bytes)> {
        let kept = tables::by_id(&self.store().read(), id).await?.ok_or_else(no_dossier)?;
        self.permit_reading(ctx, id, &kept.state).await?;
        let files = kept
            .state
            .papers
            .iter()
            .flat_map(|p| &p.files)
            .map(|f| (&f.sha256, &f.name, f.media_type.as_str()));
        let documents = kept
            .state
            .documents
            .iter()
            .map(|d| (&d.sha256, &d.number, "application/pdf"));
        let (_, name, media) = files
            .chain(documents)
            .find(|(hash, _, _)| *hash == sha256)
            .ok_or_else(no_dossier)?;
        if let Some(subject) = &kept.state.applicant.claims.person_number {
            let read = DataRead {
                subject,
                dossier: Some(&kept.state.code),
                purpose,
                what: "Tệp trong hồ sơ",
            };
            self.0.identity.access_log().record(ctx, read).await?;
        }
        let content = self.store().blobs().get(sha256).await?;
        Ok((name.clone(), media.to_owned(), content))
    }

    /// Whether the actor handles the dossier as an officer; refuses whoever may not read it at all.
    async fn permit_reading(&self, ctx: &Ctx, id: DossierId, state: &State) -> Result<bool> {
        if ctx.may(Permission::ReadAgencyDossiers, &Scope::Agency(state.agency.clone())) {
            return Ok(true);
        }
        if let Some(account) = state.applicant.account
            && ctx.may(
                Permission::ReadOwnDossier,
                &Scope::Account(identity::AccountId::from_uuid(account)),
            )
        {
            return Ok(false);
        }
        if let Actor::Officer(officer) = &ctx.actor {
            let agency = Scope::Agency(officer.agency.clone());
            if ctx.may(Permission::AnswerConsultation, &agency)
                && lists::was_consulted(&self.store().read(), id.uuid(), &officer.agency).await?
            {
                return Ok(true);
            }
        }
        match ctx.actor {
            Actor::Anonymous => Err(Error::refused(
                Kind::Unauthenticated,
                "sign-in",
                "Vui lòng đăng nhập để tiếp tục.",
                "Please sign in to continue.",
            )),
            _ => Err(no_dossier()),
        }
    }

    /// Dossiers of the officer's agency, newest first.
    ///
    /// # Errors
    /// Not permitted, or a cursor that is not ours.
    pub async fn list(
        &self,
        ctx: &Ctx,
        filter: &Filter,
        before: Option<&str>,
        limit: u32,
    ) -> Result<Slice<DossierItem>> {
        let agency = ctx.officer()?.agency.clone();
        ctx.require(Permission::ReadAgencyDossiers, &Scope::Agency(agency.clone()))?;
        let before = before
            .map(|c| c.parse::<Uuid>().map_err(|_| bad_cursor()))
            .transpose()?;
        let limit = limit.clamp(1, 100);
        let rows = lists::of_agency(&self.store().read(), &agency, filter, before, limit + 1).await?;
        self.slice(rows, limit).await
    }

    /// The dossiers of the signed-in person, newest first.
    ///
    /// # Errors
    /// Nobody is signed in, or a cursor that is not ours.
    pub async fn mine(&self, ctx: &Ctx, before: Option<&str>) -> Result<Slice<DossierItem>> {
        let account = ctx.person()?.account;
        ctx.require(Permission::ReadOwnDossier, &Scope::Account(account))?;
        let before = before
            .map(|c| c.parse::<Uuid>().map_err(|_| bad_cursor()))
            .transpose()?;
        let rows = lists::of_account(&self.store().read(), account.uuid(), before, PAGE + 1).await?;
        self.slice(rows, PAGE).await
    }

    async fn slice(&self, mut rows: Vec<ListRow>, limit: u32) -> Result<Slice<DossierItem>> {
        let next = (rows.len() > limit as usize).then(|| {
            rows.truncate(limit as usize);
            rows.last().map(|r| r.id.to_string()).unwrap_or_default()
        });
        let mut items = Vec::with_capacity(rows.len());
        for row in rows {
            let package = self.shelf().by_hash(&row.package).await?;
            items.push(DossierItem {
                id: DossierId::from_uuid(row.id),
                code: row.code,
                procedure: row.procedure_code,
                name: package.meta.name.clone(),
                applicant: row.applicant_name,
                agency: row.agency,
                channel: row.channel,
                status: status(row.status)?,
                submitted_at: Timestamp::from_micros(row.submitted_at),
                received_at: row.received_at.map(Timestamp::from_micros),
                due_at: row.due_at.map(Timestamp::from_micros),
                ended_at: row.ended_at.map(Timestamp::from_micros),
                version: row.version,
            });
        }
        Ok(Slice { items, next })
    }

    /// The officer's queue, the most urgent first.
    ///
    /// # Errors
    /// Not an officer, or a cursor that is not ours.
    pub async fn queue(&self, ctx: &Ctx, query: &QueueQuery) -> Result<Queue> {
        let officer = ctx.officer()?;
        let roles: Vec<&str> = officer.roles.iter().filter_map(symbol_of).collect();
        let calendar = self.calendar();
        let soon = calendar.add_working_time(ctx.now, 8 * 60);
        let filter = QueueFilter {
            assignee: query.mine.then(|| officer.officer.uuid()),
            unassigned: query.unassigned,
            procedure: query.procedure.clone(),
            urgent_before: if query.overdue {
                Some(ctx.now)
            } else {
                query.soon.then_some(soon)
            },
        };
        let after = query.after.as_deref().map(queue_cursor).transpose()?;
        let db = self.store().read();
        let mut rows = lists::queue(&db, &officer.agency, &roles, &filter, after, PAGE + 1).await?;
        let next = (rows.len() > PAGE as usize).then(|| {
            rows.truncate(PAGE as usize);
            rows.last()
                .map(|r| format!("{}_{}", r.urgent_at, r.dossier_id))
                .unwrap_or_default()
        });
        let mut items = Vec::with_capacity(rows.len());
        for row in rows {
            items.push(self.queue_item(row, officer.officer.uuid(), ctx.now).await?);
        }
        let count = |before| lists::bounded_count(&db, &officer.agency, &roles, before, COUNTED);
        Ok(Queue {
            steps: Slice { items, next },
            open: count(None).await?,
            overdue: count(Some(ctx.now)).await?,
            soon: count(Some(soon)).await?,
        })
    }

    async fn queue_item(&self, row: QueueRow, me: Uuid, now: Timestamp) -> Result<QueueItem> {
        let package = self.shelf().by_hash(&row.package).await?;
        let step = package
            .process
            .node(&row.node)
            .map(|n| n.name.clone())
            .unwrap_or_else(|| Text::new(&row.node, &row.node));
        let urgent_at = (row.urgent_at != tables::NOT_URGENT).then(|| Timestamp::from_micros(row.urgent_at));
        let calendar = self.calendar();
        let minutes_left = urgent_at.map(|due| match due < now {
            true => -calendar.working_minutes_between(due, now),
            false => calendar.working_minutes_between(now, due),
        });
        Ok(QueueItem {
            dossier: DossierId::from_uuid(row.dossier_id),
            token: u32::try_from(row.token).unwrap_or(0),
            step,
            code: row.code,
            procedure: row.procedure_code,
            name: package.meta.name.clone(),
            applicant: row.applicant_name,
            status: status(row.status)?,
            mine: row.assignee == Some(me),
            assignee: row.assignee_name,
            opened_at: Timestamp::from_micros(row.opened_at),
            step_due_at: row.step_due_at.map(Timestamp::from_micros),
            due_at: row.due_at.map(Timestamp::from_micros),
            urgent_at,
            minutes_left,
            channel: row.channel,
            unpaid: row.money == "due",
        })
    }

    /// The consultations that wait for the officer's agency.
    ///
    /// # Errors
    /// Not permitted.
    pub async fn consultations(&self, ctx: &Ctx) -> Result<Vec<ConsultationItem>> {
        let officer = ctx.officer()?;
        ctx.require(Permission::AnswerConsultation, &Scope::Agency(officer.agency.clone()))?;
        let rows = lists::consultations(&self.store().read(), &officer.agency, 100).await?;
        let mut items = Vec::with_capacity(rows.len());
        for row in rows {
            let package = self.shelf().by_hash(&row.package).await?;
            items.push(ConsultationItem {
                dossier: DossierId::from_uuid(row.dossier_id),
                question: question(&package, &row.sent_by),
                sent_by: row.sent_by,
                code: row.code,
                name: package.meta.name.clone(),
                asking: row.asking,
                sent_at: Timestamp::from_micros(row.sent_at),
                due_at: row.due_at.map(Timestamp::from_micros),
            });
        }
        Ok(items)
    }

    /// What the holder of code and secret sees. A wrong code and a wrong secret get the same answer.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn track(&self, ctx: &Ctx, code: &str, secret: &str) -> Result<Tracking> {
        let wrong = || {
            Error::refused(
                Kind::NotFound,
                "wrong-code-or-secret",
                "Không tìm thấy hồ sơ với mã hồ sơ và mã tra cứu này. Hai mã được ghi trên giấy tiếp nhận hồ sơ.",
                "No dossier has this code and secret. Both are printed on the receipt.",
            )
        };
        let kept = tables::by_code(&self.store().read(), code.trim()).await?;
        let Some(Kept { id, state, package }) = kept else {
            return Err(wrong());
        };
        if !self.secret_fits(id, secret) {
            return Err(wrong());
        }
        let package = self.shelf().by_hash(&package).await?;
        let calendar = self.calendar();
        let due = state.due(&calendar);
        let log = tables::log(&self.store().read(), id).await?;
        let history = log
            .iter()
            .map(|e| line(e.seq, e.at, &e.actor, &e.action, &package))
            .filter(|l| !l.internal)
            .map(|mut l| {
                l.detail.clear();
                if l.actor.agency.is_empty() {
                    l.actor.name.clear();
                }
                l
            })
            .collect();
        Ok(Tracking {
            code: state.code.clone(),
            procedure: state.procedure.code.clone(),
            name: package.meta.name.clone(),
            agency: state.agency.clone(),
            status: state.national(),
            submitted_at: state.submitted_at,
            received_at: state.received_at,
            standing: due.map(|d| d.status_at(ctx.now, &calendar)),
            due,
            why: why(&state, &calendar),
            history,
            asked: matches!(
                state.decision,
                Decision::AwaitingSupplement | Decision::SupplementBeforeReceipt
            ) || state.waits_for_payment(),
            ready: state.national() == NationalStatus::Decided,
            here: state.process.where_now(),
            package,
        })
    }
}

/// Why this date, line by line, each with its legal ground.
fn why(state: &State, calendar: &base::Calendar) -> Vec<(Text, Option<Text>)> {
    let Some(ledger) = &state.ledger else { return Vec::new() };
    ledger
        .explain(calendar)
        .into_iter()
        .map(|line| (line.text, line.basis))
        .collect()
}

/// The question that a send task puts.
pub(crate) fn question(package: &Package, sent_by: &str) -> Text {
    match package.process.node(sent_by).map(|n| &n.kind) {
        Some(procedure::process::NodeKind::Send(send)) => send.question.clone(),
        _ => Text::default(),
    }
}

/// The symbolic role of processes that an officer's role answers to.
fn symbol_of(role: Role) -> Option<&'static str> {
    match role {
        Role::Receptionist => Some("receptionist"),
        Role::Specialist => Some("specialist"),
        Role::Leader => Some("leader"),
        Role::Consulted => Some("consulted"),
        Role::Administrator | Role::Auditor => None,
    }
}

fn status(code: i64) -> Result<NationalStatus> {
    u8::try_from(code)
        .ok()
        .and_then(|c| NationalStatus::try_from(c).ok())
        .ok_or_else(|| Error::internal("not a status"))
}

fn queue_cursor(text: &str) -> Result<(i64, Uuid)> {
    let parts = text
        .split_once('_')
        .and_then(|(at, id)| Some((at.parse().ok()?, id.parse().ok()?)));
    parts.ok_or_else(bad_cursor)
}

fn bad_cursor() -> Error {
    Error::refused(
        Kind::Invalid,
        "bad-cursor",
        "Địa chỉ trang tiếp theo không hợp lệ. Mở lại danh sách từ đầu.",
        "The address of the next page is not valid. Open the list again.",
    )
}

/// What an entry says, in a few words.
pub(super) fn line_text(action: &Action) -> Text {
    match action {
        Action::Submitted(s) => match s.channel {
            Channel::Online => Text::new("Nộp hồ sơ trực tuyến", "Filed online"),
            Channel::Counter => Text::new("Nộp hồ sơ trực tiếp", "Filed at the counter"),
            Channel::Post => Text::new("Nộp hồ sơ qua bưu chính", "Filed by post"),
        },
        Action::StepCompleted(step) => match &step.detail {
            Detail::None => Text::new("Hoàn thành một bước xử lý", "A step was completed"),
            Detail::Grounds { .. } => Text::new("Từ chối, có nêu lý do", "Refused, with grounds"),
            Detail::Supplement { .. } => Text::new("Yêu cầu bổ sung, hoàn thiện hồ sơ", "Papers were asked for"),
            Detail::Delivery { .. } => Text::new("Trả kết quả", "The result was handed over"),
            Detail::Stop { .. } => Text::new("Dừng giải quyết hồ sơ", "Handling was stopped"),
        },
        Action::Supplemented { .. } => Text::new("Đã bổ sung hồ sơ", "Papers were added"),
        Action::ConsultationAnswered { agrees: true, .. } => {
            Text::new("Cơ quan phối hợp trả lời: thống nhất", "The consulted agency agrees")
        }
        Action::ConsultationAnswered { agrees: false, .. } => Text::new(
            "Cơ quan phối hợp trả lời: không thống nhất",
            "The consulted agency does not agree",
        ),
        Action::TimerFired { .. } => {
            Text::new("Hết thời hạn chờ theo quy trình", "A waiting time of the process ended")
        }
        Action::ServiceDone { .. } => Text::new(
            "Hệ thống thực hiện xong một bước tự động",
            "The platform did an automatic step",
        ),
        Action::PaymentRecorded { .. } => Text::new("Đã nộp phí, lệ phí", "The fee was paid"),
        Action::FeeWaived { .. } => Text::new("Miễn phí, lệ phí", "The fee was waived"),
        Action::Assigned { officer: Some(_), .. } => Text::new("Phân công xử lý", "The step was taken"),
        Action::Assigned { officer: None, .. } => Text::new("Trả lại hàng chờ chung", "The step was put back"),
        Action::Noted { .. } => Text::new("Ghi chú nội bộ", "Internal note"),
        Action::Reappointed { .. } => Text::new("Xin lỗi và hẹn lại ngày trả kết quả", "Apology and a new date"),
        Action::Withdrawn { .. } => Text::new("Người nộp rút hồ sơ", "The applicant withdrew the dossier"),
        Action::Stopped { .. } => Text::new("Dừng giải quyết hồ sơ", "Handling was stopped"),
        Action::DocumentIssued(document) => document.kind.label(),
    }
}

/// The words of an entry; a step that says nothing else is called by its name.
fn entry_text(action: &Action, package: &Package) -> Text {
    match action {
        Action::StepCompleted(step) if matches!(step.detail, Detail::None) => {
            let node = package.process.node(&step.node);
            node.map_or_else(
                || line_text(action),
                |node| {
                    Text::new(
                        format!("Đã xong: {}", node.label(base::Lang::Vi)),
                        format!("Done: {}", node.label(base::Lang::En)),
                    )
                },
            )
        }
        _ => line_text(action),
    }
}

fn line(seq: i64, at: Timestamp, actor: &ActorRef, action: &Action, package: &Package) -> HistoryLine {
    let same = |text: &str| Text::new(text, text);
    let mut detail = Vec::new();
    let mut internal = false;
    match action {
        Action::StepCompleted(step) => match &step.detail {
            Detail::Grounds { grounds } => {
                detail.extend(grounds.iter().map(|g| same(&format!("{} ({})", g.text, g.basis))))
            }
            Detail::Supplement { items, .. } => {
                detail.extend(items.iter().map(|i| same(&format!("{} ({})", i.text, i.basis))))
            }
            Detail::Stop { reason, basis } => detail.push(same(&format!("{reason} ({basis})"))),
            Detail::Delivery { recipient, .. } => detail.push(same(recipient)),
            Detail::None => {}
        },
        Action::ConsultationAnswered { opinion, document, .. } => {
            detail.push(same(opinion));
            if !document.is_empty() {
                detail.push(same(document));
            }
        }
        Action::PaymentRecorded {
            amount,
            method,
            reference,
        } => {
            detail.push(payment_text(*amount, *method, reference));
        }
        Action::FeeWaived { basis } => detail.push(same(basis)),
        Action::Noted { text } => {
            internal = true;
            detail.push(same(text));
        }
        Action::Assigned { officer, .. } => {
            internal = true;
            detail.extend(officer.iter().map(|o| same(&o.name)));
        }
        Action::Reappointed { due, reason, .. } => detail.push(Text::new(
            format!("Ngày hẹn mới: {}. {reason}", due.display()),
            format!("New date: {}. {reason}", due.display()),
        )),
        Action::Withdrawn { reason } if !reason.is_empty() => detail.push(same(reason)),
        Action::Stopped { reason, basis } => detail.push(same(&format!("{reason} ({basis})"))),
        Action::DocumentIssued(document) => detail.push(same(&document.number)),
        Action::ServiceDone { .. } => internal = true,
        Action::Submitted(_) | Action::Supplemented { .. } | Action::TimerFired { .. } | Action::Withdrawn { .. } => {}
    }
    HistoryLine {
        seq,
        at,
        actor: actor.clone(),
        text: entry_text(action, package),
        detail,
        internal,
    }
}

fn payment_text(amount: i64, method: PaymentMethod, reference: &str) -> Text {
    let amount = base::Dong::new(amount);
    let label = method.label();
    Text::new(
        format!("{amount}, {}, {reference}", label.vi),
        format!("{amount}, {}, {reference}", label.en),
    )
}
