//! Lists: by key, never by offset, and never counted beyond a small number.

use base::{Result, Timestamp};
use store::{Read, Row, params, sea_orm};
use uuid::Uuid;

/// A dossier in a list.
#[derive(Debug, Clone, Row)]
pub struct ListRow {
    /// Id.
    pub id: Uuid,
    /// Code.
    pub code: String,
    /// National code of the procedure.
    pub procedure_code: String,
    /// The package, for the name in other languages.
    pub package: String,
    /// Applicant.
    pub applicant_name: String,
    /// Deciding agency.
    pub agency: String,
    /// Channel.
    pub channel: String,
    /// National status, 1 to 10.
    pub status: i64,
    /// When filed.
    pub submitted_at: i64,
    /// When received.
    pub received_at: Option<i64>,
    /// When due.
    pub due_at: Option<i64>,
    /// When ended.
    pub ended_at: Option<i64>,
    /// Version.
    pub version: i64,
}

const COLUMNS: &str = "id, code, procedure_code, package, applicant_name, agency, channel, status, \
                       submitted_at, received_at, due_at, ended_at, version";

/// Which dossiers of an agency.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// National status.
    pub status: Option<u8>,
    /// Due before this instant.
    pub due_before: Option<Timestamp>,
    /// National code of the procedure.
    pub procedure: Option<String>,
    /// The beginning of the applicant's name, folded.
    pub applicant: Option<String>,
    /// Only what waits for its applicant.
    pub waiting: bool,
}

/// Whose dossiers.
#[derive(Debug, Clone, Copy)]
pub enum Whose<'a> {
    /// Those that an agency decides.
    Agency(&'a str),
    /// Those of an account.
    Account(Uuid),
}

/// Dossiers, newest first, after (older than) `before`.
///
/// # Errors
/// The database failed.
pub async fn newest(
    db: &impl Read,
    whose: Whose<'_>,
    filter: &Filter,
    before: Option<Uuid>,
    limit: u32,
) -> Result<Vec<ListRow>> {
    let (column, mut values) = match whose {
        Whose::Agency(agency) => ("agency", params![agency]),
        Whose::Account(account) => ("account", params![account]),
    };
    let mut sql = format!("SELECT {COLUMNS} FROM dossier WHERE {column} = $1");
    let mut next = 2;
    let mut add = |clause: &str, value: store::sea_orm::Value, sql: &mut String| {
        sql.push_str(&clause.replace('?', &format!("${next}")));
        values.push(value);
        next += 1;
    };
    if let Some(status) = filter.status {
        add(" AND status = ?", store::Param::value(&i64::from(status)), &mut sql);
    }
    if let Some(due) = filter.due_before {
        add(
            " AND due_at IS NOT NULL AND due_at < ?",
            store::Param::value(&due),
            &mut sql,
        );
    }
    if let Some(procedure) = &filter.procedure {
        add(" AND procedure_code = ?", store::Param::value(procedure), &mut sql);
    }
    if let Some(name) = &filter.applicant {
        add(" AND applicant_key >= ?", store::Param::value(name), &mut sql);
        add(
            " AND applicant_key < ?",
            store::Param::value(&format!("{name}\u{10FFFF}")),
            &mut sql,
        );
    }
    if let Some(before) = before {
        add(" AND id < ?", store::Param::value(&before), &mut sql);
    }
    if filter.waiting {
        // In these words an index knows them.
        sql.push_str(" AND status IN (5, 6, 9)");
    }
    sql.push_str(&format!(" ORDER BY id DESC LIMIT {limit}"));
    db.all::<ListRow>(&sql, values).await
}

/// A step in a queue, with what the officer needs to choose.
#[derive(Debug, Clone, Row)]
pub struct QueueRow {
    /// Dossier.
    pub dossier_id: Uuid,
    /// Token of the step.
    pub token: i64,
    /// The user task.
    pub node: String,
    /// Who has taken it.
    pub assignee: Option<Uuid>,
    /// Their name.
    pub assignee_name: Option<String>,
    /// Since when.
    pub opened_at: i64,
    /// By when, from the step's own budget.
    pub step_due_at: Option<i64>,
    /// By when it must be done for what follows to fit.
    pub finish_by: Option<i64>,
    /// The earliest of these and the due instant.
    pub urgent_at: i64,
    /// Symbolic role.
    pub role: String,
    /// Code of the dossier.
    pub code: String,
    /// Procedure.
    pub procedure_code: String,
    /// Package.
    pub package: String,
    /// Applicant.
    pub applicant_name: String,
    /// National status.
    pub status: i64,
    /// When the dossier is due.
    pub due_at: Option<i64>,
    /// Channel.
    pub channel: String,
    /// Money axis.
    pub money: String,
}

/// What of a queue to show.
#[derive(Debug, Clone, Default)]
pub struct QueueFilter {
    /// Only steps that this officer has taken.
    pub assignee: Option<Uuid>,
    /// Only steps that nobody has taken.
    pub unassigned: bool,
    /// Only this procedure.
    pub procedure: Option<String>,
    /// Only what stands so.
    pub only: Option<Only>,
}

/// What stands so, at an instant.
#[derive(Debug, Clone, Copy)]
pub enum Only {
    /// The dossier is past its due date.
    Overdue(Timestamp),
    /// Not yet, but what must follow does not fit any more.
    Risk(Timestamp),
    /// Neither, but one of its limits ends before the second instant.
    Soon(Timestamp, Timestamp),
}

impl Only {
    /// The clause, and the instants in it. The first part of each follows from the rest and is what the index knows.
    fn clause(self) -> (&'static str, Vec<Timestamp>) {
        match self {
            Self::Overdue(now) => (" AND t.urgent_at < ? AND t.due_at < ?", vec![now, now]),
            Self::Risk(now) => (
                " AND t.urgent_at < ? AND t.finish_by < ? AND t.due_at >= ?",
                vec![now, now, now],
            ),
            Self::Soon(now, soon) => (
                " AND t.urgent_at < ? AND (t.finish_by IS NULL OR t.finish_by >= ?)",
                vec![soon, now],
            ),
        }
    }

    fn add(self, sql: &mut String, values: &mut Vec<store::sea_orm::Value>) {
        let (clause, instants) = self.clause();
        let mut parts = clause.split('?');
        sql.push_str(parts.next().unwrap_or_default());
        for (at, part) in instants.iter().zip(parts) {
            values.push(store::Param::value(at));
            sql.push_str(&format!("${}{part}", values.len()));
        }
    }
}

/// Open steps of an agency for any of the roles, the most urgent first, after the place `(urgent_at, dossier, token)`.
///
/// # Errors
/// The database failed.
pub async fn queue(
    db: &impl Read,
    agency: &str,
    roles: &[&str],
    filter: &QueueFilter,
    after: Option<(i64, Uuid)>,
    limit: u32,
) -> Result<Vec<QueueRow>> {
    if roles.is_empty() {
        return Ok(Vec::new());
    }
    let mut values = params![agency];
    values.extend(roles.iter().map(store::Param::value));
    let mut sql = format!(
        "SELECT {STEP} FROM dossier_task t JOIN dossier d ON d.id = t.dossier_id WHERE t.agency = $1 AND t.role IN ({})",
        store::placeholders(2, roles.len())
    );
    let mut add = |clause: &str, value: store::sea_orm::Value| {
        values.push(value);
        sql.push_str(&clause.replace('?', &format!("${}", values.len())));
    };
    if let Some(assignee) = filter.assignee {
        add(" AND t.assignee = ?", store::Param::value(&assignee));
    }
    if let Some(procedure) = &filter.procedure {
        add(" AND d.procedure_code = ?", store::Param::value(procedure));
    }
    if let Some((urgent_at, dossier)) = after {
        add(" AND t.urgent_at >= ?", store::Param::value(&urgent_at));
        add(" AND (t.urgent_at > ?", store::Param::value(&urgent_at));
        add(" OR t.dossier_id > ?)", store::Param::value(&dossier));
    }
    if filter.unassigned {
        sql.push_str(" AND t.assignee IS NULL");
    }
    if let Some(only) = filter.only {
        only.add(&mut sql, &mut values);
    }
    sql.push_str(&format!(" ORDER BY t.urgent_at, t.dossier_id, t.token LIMIT {limit}"));
    db.all::<QueueRow>(&sql, values).await
}

const STEP: &str = "t.dossier_id, t.token, t.node, t.role, t.assignee, t.assignee_name, t.opened_at, t.step_due_at, \
                    t.finish_by, t.urgent_at, d.code, d.procedure_code, d.package, d.applicant_name, d.status, d.due_at, \
                    d.channel, d.money";

/// Open steps of all dossiers that an agency decides, whoever holds them, that stand so; the most urgent first.
///
/// # Errors
/// The database failed.
pub async fn watched_steps(db: &impl Read, agency: &str, only: Only, limit: u32) -> Result<Vec<QueueRow>> {
    let mut values = params![agency];
    let mut sql =
        format!("SELECT {STEP} FROM dossier_task t JOIN dossier d ON d.id = t.dossier_id WHERE t.deciding = $1");
    only.add(&mut sql, &mut values);
    sql.push_str(&format!(" ORDER BY t.urgent_at, t.dossier_id, t.token LIMIT {limit}"));
    db.all::<QueueRow>(&sql, values).await
}

/// How many such steps, counted to `most` only.
///
/// # Errors
/// The database failed.
pub async fn watched_count(db: &impl Read, agency: &str, only: Only, most: u32) -> Result<i64> {
    let mut values = params![agency];
    let mut sql = String::from("SELECT t.token FROM dossier_task t WHERE t.deciding = $1");
    only.add(&mut sql, &mut values);
    let sql = format!("SELECT count(*) FROM ({sql} LIMIT {most}) AS counted");
    Ok(db.scalar::<i64>(&sql, values).await?.unwrap_or(0))
}

/// An answer that a dossier of the agency waits for.
#[derive(Debug, Clone, Row)]
pub struct AwaitedRow {
    /// The send task that asked.
    pub sent_by: String,
    /// The agency asked.
    pub agency: String,
    /// By when the answer must be there for what follows to fit.
    pub finish_by: i64,
    /// Code of the dossier.
    pub code: String,
    /// Package.
    pub package: String,
    /// Applicant.
    pub applicant_name: String,
    /// When the dossier is due.
    pub due_at: Option<i64>,
}

/// Answers that dossiers of the agency wait for and that must be there before `soon`, the most urgent first.
///
/// # Errors
/// The database failed.
pub async fn awaited(db: &impl Read, agency: &str, soon: Timestamp, limit: u32) -> Result<Vec<AwaitedRow>> {
    let sql = format!(
        "SELECT c.sent_by, c.agency, c.finish_by, d.code, d.package, d.applicant_name, d.due_at \
         FROM dossier_consultation c JOIN dossier d ON d.id = c.dossier_id \
         WHERE c.deciding = $1 AND c.ended_at IS NULL AND c.finish_by < $2 ORDER BY c.finish_by, c.dossier_id LIMIT {limit}"
    );
    db.all::<AwaitedRow>(&sql, params![agency, soon]).await
}

/// How many open steps, counted to `most` only.
///
/// # Errors
/// The database failed.
pub async fn bounded_count(db: &impl Read, agency: &str, roles: &[&str], only: Option<Only>, most: u32) -> Result<i64> {
    if roles.is_empty() {
        return Ok(0);
    }
    let mut values = params![agency];
    values.extend(roles.iter().map(store::Param::value));
    let mut sql = format!(
        "SELECT t.token FROM dossier_task t WHERE t.agency = $1 AND t.role IN ({})",
        store::placeholders(2, roles.len())
    );
    if let Some(only) = only {
        only.add(&mut sql, &mut values);
    }
    let sql = format!("SELECT count(*) FROM ({sql} LIMIT {most}) AS counted");
    Ok(db.scalar::<i64>(&sql, values).await?.unwrap_or(0))
}

/// A consultation in the queue of the agency asked.
#[derive(Debug, Clone, Row)]
pub struct ConsultationRow {
    /// Dossier.
    pub dossier_id: Uuid,
    /// The send task that asked.
    pub sent_by: String,
    /// When.
    pub sent_at: i64,
    /// Until when an answer is waited for.
    pub due_at: Option<i64>,
    /// Code of the dossier.
    pub code: String,
    /// Package.
    pub package: String,
    /// The agency that asks.
    pub asking: String,
}

/// Open consultations of the agency asked, the most urgent first.
///
/// # Errors
/// The database failed.
pub async fn consultations(db: &impl Read, agency: &str, limit: u32) -> Result<Vec<ConsultationRow>> {
    let sql = format!(
        "SELECT c.dossier_id, c.sent_by, c.sent_at, c.due_at, d.code, d.package, d.agency AS asking \
         FROM dossier_consultation c JOIN dossier d ON d.id = c.dossier_id WHERE c.agency = $1 AND c.ended_at IS NULL \
         ORDER BY c.due_at, c.dossier_id LIMIT {limit}"
    );
    db.all::<ConsultationRow>(&sql, params![agency]).await
}

/// Whether the agency was asked about the dossier.
///
/// # Errors
/// The database failed.
pub async fn was_consulted(db: &impl Read, dossier: Uuid, agency: &str) -> Result<bool> {
    let sql = "SELECT sent_by FROM dossier_consultation WHERE dossier_id = $1 AND agency = $2 LIMIT 1";
    Ok(db.scalar::<String>(sql, params![dossier, agency]).await?.is_some())
}

#[cfg(test)]
mod tests {
    use crate::model::status::NationalStatus;

    #[test]
    fn what_waits_for_its_applicant_is_the_same_in_the_statement() {
        let codes: Vec<String> = NationalStatus::ALL
            .iter()
            .filter(|s| s.waits_for_applicant())
            .map(|s| s.code().to_string())
            .collect();
        let listed = format!("status IN ({})", codes.join(", "));
        assert!(include_str!("lists.rs").contains(&listed));
        assert!(include_str!("../../migrations/0002_uploads_and_waiting.sql").contains(&listed));
    }
}
