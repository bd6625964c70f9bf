//! What waits for officers: open steps, and questions of other agencies.

use base::{Result, Text, Timestamp};
use identity::{Ctx, Permission, Role, Scope};
use uuid::Uuid;

use super::{super::Dossiers, PAGE, Slice, bad_cursor, question, status};
use crate::{
    model::{action::DossierId, status::NationalStatus},
    store::{
        self as tables,
        lists::{self, QueueFilter, QueueRow},
    },
};

/// Counts go up to here; beyond it pages say "99+".
pub const COUNTED: u32 = 100;

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
    /// Until when an answer is waited for.
    pub due_at: Option<Timestamp>,
}

impl Dossiers {
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

fn queue_cursor(text: &str) -> Result<(i64, Uuid)> {
    let parts = text
        .split_once('_')
        .and_then(|(at, id)| Some((at.parse().ok()?, id.parse().ok()?)));
    parts.ok_or_else(bad_cursor)
}
