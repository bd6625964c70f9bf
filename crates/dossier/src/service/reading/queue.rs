//! What waits for officers: open steps, and questions of other agencies.

use base::{Calendar, Result, Text, Timestamp};
use identity::{Ctx, Permission, Role, Scope};
use procedure::package::Package;
use uuid::Uuid;

use super::{
    super::{Dossiers, handling::any_of},
    PAGE, Slice, bad_cursor, question, status,
};
use crate::{
    model::{
        action::DossierId,
        foresight::{Limits, Outlook},
        status::NationalStatus,
    },
    store::lists::{self, Only, QueueFilter, QueueRow},
};

/// Counts go up to here; beyond it pages say "99+".
pub const COUNTED: u32 = 100;
/// As many are shown of what is overdue, of what is at risk and of what is due soon.
pub const WATCHED: u32 = 50;

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
    /// By when the step must be done for what follows to fit before the dossier is due.
    pub finish_by: Option<Timestamp>,
    /// How it stands.
    pub outlook: Outlook,
    /// The limit that counts now: the due date of a dossier that is late or at risk, else the earliest limit.
    pub limit_at: Option<Timestamp>,
    /// Working minutes left until then; negative when it has passed.
    pub minutes_left: Option<i64>,
    /// Symbolic role of the step.
    pub role: String,
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
    /// Steps of dossiers that are overdue, up to [`COUNTED`].
    pub overdue: i64,
    /// Steps of dossiers at risk, up to [`COUNTED`].
    pub risk: i64,
    /// Other steps with a limit within one working day, up to [`COUNTED`].
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
    /// Only what stands so: overdue, at risk or due soon.
    pub only: Option<Outlook>,
    /// Cursor.
    pub after: Option<String>,
}

/// Something open that is late, will be, or may be: for the leader and the one-stop shop of the agency that decides.
#[derive(Debug, Clone)]
pub struct WatchItem {
    /// Code of the dossier.
    pub code: String,
    /// Name of the procedure.
    pub name: Text,
    /// Applicant.
    pub applicant: String,
    /// What is open.
    pub step: Text,
    /// Who holds it.
    pub holder: Holder,
    /// How it stands.
    pub outlook: Outlook,
    /// By when the dossier is due.
    pub due_at: Option<Timestamp>,
    /// By when this must be done for what follows to fit.
    pub finish_by: Option<Timestamp>,
    /// Working minutes left until the limit that counts now; negative when it has passed.
    pub minutes_left: Option<i64>,
}

/// Who holds something open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// The officer who has taken the step.
    Officer(String),
    /// Nobody yet, of those with this symbolic role.
    Role(String),
    /// The agency that was asked.
    Agency(Text),
}

/// What is to be looked at, the worst first, with bounded counts.
#[derive(Debug, Clone)]
pub struct Watch {
    /// At most [`WATCHED`] of each kind.
    pub items: Vec<WatchItem>,
    /// Overdue, up to [`COUNTED`].
    pub overdue: i64,
    /// At risk, up to [`COUNTED`].
    pub risk: i64,
    /// Due soon, up to [`COUNTED`].
    pub soon: i64,
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
        let soon = soon_after(ctx.now, &calendar);
        let filter = QueueFilter {
            assignee: query.mine.then(|| officer.officer.uuid()),
            unassigned: query.unassigned,
            procedure: query.procedure.clone(),
            only: query.only.and_then(|o| only(o, ctx.now, soon)),
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
        let count = |only| lists::bounded_count(&db, &officer.agency, &roles, only, COUNTED);
        Ok(Queue {
            steps: Slice { items, next },
            open: count(None).await?,
            overdue: count(Some(Only::Overdue(ctx.now))).await?,
            risk: count(Some(Only::Risk(ctx.now))).await?,
            soon: count(Some(Only::Soon(ctx.now, soon))).await?,
        })
    }

    async fn queue_item(&self, row: QueueRow, me: Uuid, now: Timestamp) -> Result<QueueItem> {
        let package = self.shelf().by_hash(&row.package).await?;
        let step = package
            .process
            .node(&row.node)
            .map(|n| n.name.clone())
            .unwrap_or_else(|| Text::new(&row.node, &row.node));
        let calendar = self.calendar();
        let limits = Limits {
            step: row.step_due_at.map(Timestamp::from_micros),
            finish_by: row.finish_by.map(Timestamp::from_micros),
            due: row.due_at.map(Timestamp::from_micros),
        };
        let outlook = limits.outlook(now, soon_after(now, &calendar));
        let limit_at = limit_that_counts(limits, outlook);
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
            step_due_at: limits.step,
            due_at: limits.due,
            finish_by: limits.finish_by,
            outlook,
            limit_at,
            minutes_left: limit_at.map(|at| minutes_left(now, at, &calendar)),
            role: row.role,
            channel: row.channel,
            unpaid: row.money == "due",
        })
    }

    /// What is overdue, at risk or due soon among the dossiers that the officer's agency decides, whoever holds it: for the
    /// leader, and for the one-stop shop, which must know a day before a result will be late and tell the applicant (Decree
    /// 61/2018/NĐ-CP, Article 19).
    ///
    /// # Errors
    /// Neither a leader nor of the one-stop shop.
    pub async fn watch(&self, ctx: &Ctx, kind: Option<Outlook>) -> Result<Watch> {
        let officer = ctx.officer()?;
        let scope = Scope::Agency(officer.agency.clone());
        any_of(ctx, &[Permission::DecideDossier, Permission::ReceiveDossier], &scope)?;
        let calendar = self.calendar();
        let soon = soon_after(ctx.now, &calendar);
        let db = self.store().read();
        let (mut items, mut counts) = (Vec::new(), Vec::new());
        for outlook in [Outlook::Overdue, Outlook::Risk, Outlook::Soon] {
            let Some(only) = only(outlook, ctx.now, soon) else {
                continue;
            };
            counts.push(lists::watched_count(&db, &officer.agency, only, COUNTED).await?);
            if kind.is_some_and(|k| k != outlook) {
                continue;
            }
            for row in lists::watched_steps(&db, &officer.agency, only, WATCHED).await? {
                let item = self.queue_item(row, officer.officer.uuid(), ctx.now).await?;
                items.push(WatchItem {
                    code: item.code,
                    name: item.name,
                    applicant: item.applicant,
                    step: item.step,
                    holder: item.assignee.map_or(Holder::Role(item.role), Holder::Officer),
                    outlook: item.outlook,
                    due_at: item.due_at,
                    finish_by: item.finish_by,
                    minutes_left: item.minutes_left,
                });
            }
        }
        for row in lists::awaited(&db, &officer.agency, soon, WATCHED).await? {
            let package = self.shelf().by_hash(&row.package).await?;
            let limits = Limits {
                step: None,
                finish_by: Some(Timestamp::from_micros(row.finish_by)),
                due: row.due_at.map(Timestamp::from_micros),
            };
            let outlook = limits.outlook(ctx.now, soon);
            let nth = [Outlook::Overdue, Outlook::Risk, Outlook::Soon]
                .iter()
                .position(|o| *o == outlook);
            if let Some(count) = nth.and_then(|n| counts.get_mut(n)) {
                *count = (*count + 1).min(i64::from(COUNTED));
            }
            if kind.is_some_and(|k| k != outlook) {
                continue;
            }
            let step = package.process.node(&row.sent_by).map(|n| n.name.clone());
            items.push(WatchItem {
                code: row.code,
                name: package.meta.name.clone(),
                applicant: row.applicant_name,
                step: step.unwrap_or_default(),
                holder: Holder::Agency(self.asked_name(&package, &row.agency)),
                outlook,
                due_at: limits.due,
                finish_by: limits.finish_by,
                minutes_left: limit_that_counts(limits, outlook).map(|at| minutes_left(ctx.now, at, &calendar)),
            });
        }
        items.sort_by(|a, b| (a.outlook, a.minutes_left, &a.code).cmp(&(b.outlook, b.minutes_left, &b.code)));
        let count = |n: usize| counts.get(n).copied().unwrap_or(0);
        Ok(Watch {
            items,
            overdue: count(0),
            risk: count(1),
            soon: count(2),
        })
    }

    /// The name of an agency that was asked: the node's, else the package's.
    fn asked_name(&self, package: &Package, code: &str) -> Text {
        let own = self.config().agency_names.get(code).map(|name| Text::new(name, name));
        let symbolic = || {
            package
                .meta
                .agencies
                .iter()
                .find(|a| a.id == code)
                .map(|a| a.name.clone())
        };
        own.or_else(symbolic).unwrap_or_else(|| Text::new(code, code))
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

/// One working day later: what ends before that is due soon.
pub(super) fn soon_after(now: Timestamp, calendar: &Calendar) -> Timestamp {
    calendar.add_working_time(now, 8 * 60)
}

/// The filter for what stands so; none where the tables know no such list.
const fn only(outlook: Outlook, now: Timestamp, soon: Timestamp) -> Option<Only> {
    match outlook {
        Outlook::Overdue => Some(Only::Overdue(now)),
        Outlook::Risk => Some(Only::Risk(now)),
        Outlook::Soon => Some(Only::Soon(now, soon)),
        Outlook::Fine | Outlook::Paused => None,
    }
}

/// What is late or at risk is measured by the due date of the dossier, everything else by its earliest limit.
fn limit_that_counts(limits: Limits, outlook: Outlook) -> Option<Timestamp> {
    match outlook {
        Outlook::Overdue | Outlook::Risk => limits.due,
        Outlook::Soon | Outlook::Fine | Outlook::Paused => limits.urgent(),
    }
}

/// Working minutes from `now` to `at`; negative when it has passed.
pub(crate) fn minutes_left(now: Timestamp, at: Timestamp, calendar: &Calendar) -> i64 {
    if at < now {
        -calendar.working_minutes_between(at, now)
    } else {
        calendar.working_minutes_between(now, at)
    }
}

/// The symbolic role of processes that an officer's role answers to.
fn symbol_of(role: Role) -> Option<&'static str> {
    match role {
        Role::Receptionist => Some("receptionist"),
        Role::Specialist => Some("specialist"),
        Role::Leader => Some("leader"),
        Role::Consulted => Some("consulted"),
        Role::Administrator | Role::Auditor | Role::Steward | Role::Reader => None,
    }
}

fn queue_cursor(text: &str) -> Result<(i64, Uuid)> {
    let parts = text
        .split_once('_')
        .and_then(|(at, id)| Some((at.parse().ok()?, id.parse().ok()?)));
    parts.ok_or_else(bad_cursor)
}
