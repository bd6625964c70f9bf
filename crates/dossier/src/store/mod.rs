//! The tables of dossiers. Nobody else touches them.

pub mod copies;
pub mod drafts;
pub mod leaves;
pub mod lists;
pub mod notices;
pub mod uploads;

use base::{Error, Result, Timestamp};
use store::{
    Read, Row, Tx, params,
    sea_orm::{self, Value},
};
use uuid::Uuid;

use crate::model::{
    action::{DossierId, Entry},
    foresight::Limits,
    state::{Consequences, Consulted, OpenTask, State},
};

/// The urgency of a step whose dossier's clock stands and that has no budget of its own: after all others.
pub const NOT_URGENT: i64 = i64::MAX;

/// A dossier as it is kept.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Its id.
    pub id: DossierId,
    /// Its state.
    pub state: State,
    /// The name of its applicant folded for search.
    pub package: String,
}

#[derive(Debug, Row)]
struct KeptRow {
    id: Uuid,
    package: String,
    state: String,
}

impl KeptRow {
    fn kept(self) -> Result<Kept> {
        Ok(Kept {
            id: DossierId::from_uuid(self.id),
            state: serde_json::from_str(&self.state)?,
            package: self.package,
        })
    }
}

/// Reads a dossier by its id: one query.
///
/// # Errors
/// The database failed, or the row is not one of ours.
pub async fn by_id(db: &impl Read, id: DossierId) -> Result<Option<Kept>> {
    let row = db
        .one::<KeptRow>("SELECT id, package, state FROM dossier WHERE id = $1", params![id])
        .await?;
    row.map(KeptRow::kept).transpose()
}

/// Reads dossiers by their ids, in no order; those that do not exist are left out.
///
/// # Errors
/// The database failed, or a row is not one of ours.
pub async fn by_ids(db: &impl Read, ids: &[DossierId]) -> Result<Vec<Kept>> {
    let mut kept = Vec::with_capacity(ids.len());
    for ids in store::padded(ids, store::MOST_VALUES) {
        let list = store::among(1, ids.len());
        let sql = format!("SELECT id, package, state FROM dossier WHERE id IN ({list})");
        let rows = db
            .all::<KeptRow>(&sql, ids.iter().map(store::Param::value).collect())
            .await?;
        for row in rows {
            kept.push(row.kept()?);
        }
    }
    Ok(kept)
}

/// Reads a dossier by its code: one query.
///
/// # Errors
/// The database failed, or the row is not one of ours.
pub async fn by_code(db: &impl Read, code: &str) -> Result<Option<Kept>> {
    let row = db
        .one::<KeptRow>("SELECT id, package, state FROM dossier WHERE code = $1", params![code])
        .await?;
    row.map(KeptRow::kept).transpose()
}

#[derive(Debug, Row)]
struct IdRow {
    id: Uuid,
}

/// Ids in order, after `after`.
///
/// # Errors
/// The database failed.
pub async fn ids_after(db: &impl Read, after: Option<DossierId>, limit: u32) -> Result<Vec<DossierId>> {
    let after = after.map_or(Uuid::nil(), |id| id.uuid());
    let sql = format!("SELECT id FROM dossier WHERE id > $1 ORDER BY id LIMIT {limit}");
    let rows = db.all::<IdRow>(&sql, params![after]).await?;
    Ok(rows.into_iter().map(|r| DossierId::from_uuid(r.id)).collect())
}

#[derive(Debug, Row)]
struct EntryRow {
    entry: String,
}

/// The whole log of a dossier, oldest first.
///
/// # Errors
/// The database failed, or a line is not one of ours.
pub async fn log(db: &impl Read, id: DossierId) -> Result<Vec<Entry>> {
    log_after(db, id, 0).await
}

/// The log of a dossier after the entry `seq`, oldest first.
///
/// # Errors
/// The database failed, or a line is not one of ours.
pub async fn log_after(db: &impl Read, id: DossierId, seq: i64) -> Result<Vec<Entry>> {
    let sql = "SELECT entry FROM dossier_entry WHERE dossier_id = $1 AND seq > $2 ORDER BY seq";
    let rows = db.all::<EntryRow>(sql, params![id, seq]).await?;
    rows.iter()
        .map(|r| serde_json::from_str(&r.entry).map_err(Error::from))
        .collect()
}

/// What the row of a dossier shows besides its state.
#[derive(Debug, Clone)]
pub struct Listed<'a> {
    /// The dossier.
    pub id: DossierId,
    /// Its state.
    pub state: &'a State,
    /// The code of the field (lĩnh vực) of its procedure.
    pub field: &'a str,
    /// When it is due now.
    pub due_at: Option<Timestamp>,
    /// By when each open step and awaited answer must be there, by its token.
    pub finish: &'a [(u32, Timestamp)],
}

impl Listed<'_> {
    fn finish_by(&self, token: u32) -> Option<Timestamp> {
        self.finish.iter().find(|(t, _)| *t == token).map(|(_, by)| *by)
    }

    fn limits(&self, task: &OpenTask) -> Limits {
        Limits {
            step: task.due_at,
            finish_by: self.finish_by(task.token),
            due: self.due_at,
        }
    }
}

fn urgency(limits: Limits) -> i64 {
    limits.urgent().map_or(NOT_URGENT, Timestamp::micros)
}

/// The rows of a new dossier: its own, those of its log and of its open steps.
#[derive(Debug)]
pub struct NewRows {
    dossier: Vec<Value>,
    entries: Vec<Vec<Value>>,
    tasks: Vec<Vec<Value>>,
}

impl NewRows {
    /// Prepares them, so that the transaction has nothing left to do but to write.
    ///
    /// # Errors
    /// The state or an entry cannot be written as JSON.
    pub fn of(listed: &Listed<'_>, entries: &[Entry], agency_of: impl Fn(&OpenTask) -> String) -> Result<Self> {
        let s = listed.state;
        let dossier = params![
            listed.id,
            s.code,
            s.agency,
            s.procedure.code,
            s.procedure.name.vi,
            listed.field,
            s.procedure.package,
            s.applicant.account,
            s.applicant.name,
            base::text::fold(&s.applicant.name),
            s.channel.code(),
            i64::from(s.national().code()),
            s.decision.code(),
            s.money.code(),
            s.delivery.code(),
            s.submitted_at,
            s.received_at,
            listed.due_at,
            s.ended_at,
            s.version,
            serde_json::to_string(s)?
        ];
        Ok(Self {
            dossier,
            entries: entry_rows(listed.id, entries)?,
            tasks: s.tasks.iter().map(|task| task_row(listed, task, &agency_of)).collect(),
        })
    }
}

/// Writes new dossiers, in three statements for up to [`store::MOST_VALUES`] whose number is a power of two.
///
/// # Errors
/// The database failed.
pub async fn insert(tx: &Tx, new: &[&NewRows]) -> Result<()> {
    let dossiers: Vec<_> = new.iter().map(|n| n.dossier.clone()).collect();
    let into = "dossier (id, code, agency, procedure_code, procedure_name, field, package, account, applicant_name, applicant_key, \
                channel, status, decision, money, delivery, submitted_at, received_at, due_at, ended_at, version, state)";
    tx.insert(into, &dossiers, "").await?;
    let entries: Vec<_> = new.iter().flat_map(|n| n.entries.clone()).collect();
    tx.insert(ENTRY, &entries, "").await?;
    let tasks: Vec<_> = new.iter().flat_map(|n| n.tasks.clone()).collect();
    tx.insert(TASK, &tasks, "").await
}

/// Rewrites the row of a dossier that stood at `from`; `false` when it has moved on meanwhile.
///
/// # Errors
/// The database failed.
pub async fn update(tx: &Tx, listed: &Listed<'_>, from: i64) -> Result<bool> {
    let s = listed.state;
    let sql = "UPDATE dossier SET status = $3, decision = $4, money = $5, delivery = $6, received_at = $7, due_at = $8, \
               ended_at = $9, version = $10, state = $11 WHERE id = $1 AND version = $2";
    let touched = tx
        .exec(
            sql,
            params![
                listed.id,
                from,
                i64::from(s.national().code()),
                s.decision.code(),
                s.money.code(),
                s.delivery.code(),
                s.received_at,
                listed.due_at,
                s.ended_at,
                s.version,
                serde_json::to_string(s)?
            ],
        )
        .await?;
    Ok(touched == 1)
}

const ENTRY: &str = "dossier_entry (dossier_id, seq, at, entry)";

fn entry_rows(id: DossierId, entries: &[Entry]) -> Result<Vec<Vec<Value>>> {
    let row = |entry: &Entry| Ok(params![id, entry.seq, entry.at, serde_json::to_string(entry)?]);
    entries.iter().map(row).collect()
}

/// Appends to the log.
///
/// # Errors
/// The database failed.
pub async fn append(tx: &Tx, id: DossierId, entries: &[Entry]) -> Result<()> {
    tx.insert(ENTRY, &entry_rows(id, entries)?, "").await
}

/// Brings the queue in line with what an entry opened and closed.
///
/// # Errors
/// The database failed.
pub async fn follow_tasks(
    tx: &Tx,
    listed: &Listed<'_>,
    after: &Consequences,
    agency_of: impl Fn(&OpenTask) -> String,
) -> Result<()> {
    if !after.closed.is_empty() {
        let list = store::placeholders(2, after.closed.len());
        let mut values = params![listed.id];
        values.extend(after.closed.iter().map(|t| store::Param::value(&i64::from(*t))));
        tx.exec(
            &format!("DELETE FROM dossier_task WHERE dossier_id = $1 AND token IN ({list})"),
            values,
        )
        .await?;
    }
    let opened = listed.state.tasks.iter().filter(|t| after.opened.contains(&t.token));
    let rows: Vec<_> = opened.map(|task| task_row(listed, task, &agency_of)).collect();
    tx.insert(TASK, &rows, "").await
}

/// Brings what was open before in line with a due date that moved.
///
/// # Errors
/// The database failed.
pub async fn follow_due(tx: &Tx, listed: &Listed<'_>, after: &Consequences) -> Result<()> {
    for task in listed.state.tasks.iter().filter(|t| !after.opened.contains(&t.token)) {
        let limits = listed.limits(task);
        let sql =
            "UPDATE dossier_task SET due_at = $3, finish_by = $4, urgent_at = $5 WHERE dossier_id = $1 AND token = $2";
        let token = i64::from(task.token);
        tx.exec(
            sql,
            params![listed.id, token, limits.due, limits.finish_by, urgency(limits)],
        )
        .await?;
    }
    let sent_before = |sent_by: &String| !after.consultations_sent.contains(sent_by);
    for asked in listed.state.consultations.iter().filter(|c| sent_before(&c.sent_by)) {
        let Some(token) = asked.token else { continue };
        let sql = "UPDATE dossier_consultation SET dossier_due_at = $3, finish_by = $4 \
                   WHERE dossier_id = $1 AND sent_by = $2 AND ended_at IS NULL";
        let finish_by = listed.finish_by(token);
        tx.exec(sql, params![listed.id, asked.sent_by, listed.due_at, finish_by])
            .await?;
    }
    Ok(())
}

/// Notes who has taken a step.
///
/// # Errors
/// The database failed.
pub async fn assign(tx: &Tx, id: DossierId, token: u32, officer: Option<(Uuid, &str)>) -> Result<()> {
    let sql = "UPDATE dossier_task SET assignee = $3, assignee_name = $4 WHERE dossier_id = $1 AND token = $2";
    let (officer, name) = officer.unzip();
    tx.exec(sql, params![id, i64::from(token), officer, name])
        .await
        .map(drop)
}

const TASK: &str = "dossier_task (dossier_id, token, node, role, agency, opened_at, step_due_at, urgent_at, deciding, due_at, \
                    finish_by)";

fn task_row(listed: &Listed<'_>, task: &OpenTask, agency_of: impl Fn(&OpenTask) -> String) -> Vec<Value> {
    let limits = listed.limits(task);
    params![
        listed.id,
        i64::from(task.token),
        task.node,
        task.role,
        agency_of(task),
        task.opened_at,
        task.due_at,
        urgency(limits),
        listed.state.agency,
        limits.due,
        limits.finish_by
    ]
}

/// The rows of the consultations that an entry sent out.
pub fn consultations_sent(
    listed: &Listed<'_>,
    after: &Consequences,
    agency_code: impl Fn(&str) -> String,
) -> Vec<Vec<Value>> {
    let sent = |c: &&Consulted| after.consultations_sent.contains(&c.sent_by) && c.answer.is_none();
    let row = |asked: &Consulted| {
        params![
            listed.id,
            asked.sent_by,
            asked.sent_at,
            agency_code(&asked.agency),
            asked.due_at,
            listed.state.agency,
            listed.due_at,
            asked.token.and_then(|token| listed.finish_by(token))
        ]
    };
    listed.state.consultations.iter().filter(sent).map(row).collect()
}

/// Writes [`consultations_sent`].
///
/// # Errors
/// The database failed.
pub async fn send_consultations(tx: &Tx, rows: &[Vec<Value>]) -> Result<()> {
    let into =
        "dossier_consultation (dossier_id, sent_by, sent_at, agency, due_at, deciding, dossier_due_at, finish_by)";
    tx.insert(into, rows, "").await
}

/// Notes consultations that ended.
///
/// # Errors
/// The database failed.
pub async fn end_consultations(tx: &Tx, id: DossierId, after: &Consequences, now: Timestamp) -> Result<()> {
    for ended in &after.consultations_ended {
        let sql =
            "UPDATE dossier_consultation SET ended_at = $3 WHERE dossier_id = $1 AND sent_by = $2 AND ended_at IS NULL";
        tx.exec(sql, params![id, ended, now]).await?;
    }
    Ok(())
}
