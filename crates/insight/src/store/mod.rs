//! The tables of figures. Nobody else touches them.

mod keep;

use ::store::{
    MOST_VALUES, Param, Read, Row, among, padded, params,
    sea_orm::{self, DbErr, FromQueryResult, QueryResult, Value},
};
use base::{Result, Timestamp};
use dossier::model::action::DossierId;
use uuid::Uuid;

pub use self::keep::{apply, clear, finish};
use crate::model::{By, Counts, Measure, Pauses, Question, Stock};

/// Up to which entry the fact of a dossier holds.
#[derive(Debug, Row)]
pub struct SeqRow {
    pub dossier_id: Uuid,
    pub seq: i64,
}

/// Up to which entries the facts of dossiers hold, in no order.
pub async fn seqs(db: &impl Read, dossiers: &[DossierId]) -> Result<Vec<SeqRow>> {
    let mut known = Vec::with_capacity(dossiers.len());
    for ids in padded(dossiers, MOST_VALUES) {
        let list = among(1, ids.len());
        let sql = format!("SELECT dossier_id, seq FROM fact WHERE dossier_id IN ({list})");
        known.extend(db.all::<SeqRow>(&sql, ids.iter().map(Param::value).collect()).await?);
    }
    Ok(known)
}

/// Whether the changes of all months are there.
pub async fn is_whole(db: &impl Read) -> Result<bool> {
    let whole = db
        .scalar("SELECT whole FROM figure_turn WHERE id = 1", params![])
        .await?;
    Ok(whole.unwrap_or(false))
}

/// Counters of one line. `carried` are those of the last month alone.
#[derive(Debug)]
pub struct CountsRow {
    pub line: String,
    pub counts: Counts,
    pub carried: i64,
}

impl FromQueryResult for CountsRow {
    fn from_query_result(row: &QueryResult, pre: &str) -> Result<Self, DbErr> {
        let mut counts = Counts::default();
        for measure in Measure::ALL {
            counts.add(measure, row.try_get(pre, measure.column())?);
        }
        Ok(Self {
            line: row.try_get(pre, "line")?,
            counts,
            carried: row.try_get(pre, "carried")?,
        })
    }
}

const fn line(by: By) -> &'static str {
    match by {
        By::Month => "CAST(month AS TEXT)",
        By::Agency => "agency",
        By::Field => "field",
        By::Procedure => "procedure_code",
    }
}

/// The conditions of `also`, after those that `values` already belong to.
fn only(also: [(&str, Option<&str>); 2], sql: &mut String, values: &mut Vec<Value>) {
    for (column, wanted) in also {
        if let Some(wanted) = wanted {
            values.extend(params![wanted]);
            sql.push_str(&format!(" AND {column} = ${}", values.len()));
        }
    }
}

fn within(question: &Question) -> (String, Vec<Value>) {
    let mut values = params![question.from.index(), question.to.index()];
    let mut sql = "month >= $1 AND month <= $2".to_owned();
    narrow(question, &mut sql, &mut values);
    (sql, values)
}

fn narrow(question: &Question, sql: &mut String, values: &mut Vec<Value>) {
    let also = [
        ("agency", question.agency.as_deref()),
        ("field", question.field.as_deref()),
    ];
    only(also, sql, values);
}

/// Counters by line.
pub async fn counts(db: &impl Read, question: &Question) -> Result<Vec<CountsRow>> {
    let (filter, values) = within(question);
    let sums = Measure::ALL
        .map(|m| format!("CAST(SUM({0}) AS BIGINT) AS {0}", m.column()))
        .join(", ");
    let (line, last) = (line(question.by), question.to.index());
    let sql = format!(
        "SELECT {line} AS line, {sums}, CAST(SUM(CASE WHEN month = {last} THEN carried_late ELSE 0 END) AS BIGINT) AS carried \
         FROM figure WHERE {filter} GROUP BY {line} ORDER BY {line}"
    );
    db.all(&sql, values).await
}

/// What stands, or by how much less stood before.
#[derive(Debug, Row)]
pub struct StockRow {
    pub line: String,
    pub in_progress: i64,
    pub paused: i64,
}

impl From<&StockRow> for Stock {
    fn from(row: &StockRow) -> Self {
        Self {
            in_progress: row.in_progress,
            paused: row.paused,
        }
    }
}

/// What stood at the end of the last month of the question, by line: what stands now, less what changed since. By month: what
/// stands now, in a line without a name, and by how much less stood before each month that came after the first.
///
/// One statement, so that what stands and what changed are of one instant; it reads the months since, not those before.
pub async fn stocks(db: &impl Read, question: &Question) -> Result<Vec<StockRow>> {
    let line = line(question.by);
    let (now, month) = match question.by {
        By::Month => ("''", question.from),
        By::Agency | By::Field | By::Procedure => (line, question.to),
    };
    let (mut also, mut values) = (String::new(), params![month.index()]);
    narrow(question, &mut also, &mut values);
    let sql = format!(
        "SELECT line, CAST(SUM(in_progress) AS BIGINT) AS in_progress, CAST(SUM(paused) AS BIGINT) AS paused FROM \
         (SELECT {now} AS line, in_progress, paused FROM figure_standing WHERE 1 = 1{also} \
         UNION ALL SELECT {line}, -in_progress_change, -paused_change FROM figure WHERE month > $1{also}) AS stood \
         GROUP BY line ORDER BY line"
    );
    db.all(&sql, values).await
}

/// One class of durations of a line.
#[derive(Debug, Row)]
pub struct DurationRow {
    pub line: String,
    pub bucket: i64,
    pub n: i64,
}

/// Durations by line and class, ascending.
pub async fn durations(db: &impl Read, question: &Question) -> Result<Vec<DurationRow>> {
    let (filter, values) = within(question);
    let line = line(question.by);
    let sql = format!(
        "SELECT {line} AS line, bucket, CAST(SUM(n) AS BIGINT) AS n FROM figure_duration WHERE {filter} \
         GROUP BY {line}, bucket ORDER BY {line}, bucket"
    );
    db.all(&sql, values).await
}

/// How a service stands.
#[derive(Debug, Row)]
pub struct StandingRow {
    pub agency: String,
    pub field: String,
    pub procedure_code: String,
    pub waiting: i64,
    pub in_progress: i64,
    pub paused: i64,
    pub updated_at: i64,
}

/// All services that ever had a dossier: as many rows as agencies have services.
pub async fn standing(db: &impl Read, agency: Option<&str>) -> Result<Vec<StandingRow>> {
    let select = "SELECT agency, field, procedure_code, waiting, in_progress, paused, updated_at FROM figure_standing";
    match agency {
        Some(agency) => db.all(&format!("{select} WHERE agency = $1"), params![agency]).await,
        None => db.all(select, params![]).await,
    }
}

/// A dossier whose clock runs past its due date.
#[derive(Debug, Row)]
pub struct OverdueRow {
    pub agency: String,
    pub field: String,
    pub procedure_code: String,
    pub due_at: i64,
    pub pauses: Pauses,
}

/// At most `limit` overdue dossiers, the longest overdue first.
pub async fn overdue(
    db: &impl Read,
    agency: Option<&str>,
    field: Option<&str>,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<OverdueRow>> {
    let mut sql =
        "SELECT agency, field, procedure_code, due_at, pauses FROM fact WHERE running AND due_at < $1".to_owned();
    let mut values = params![now];
    only([("agency", agency), ("field", field)], &mut sql, &mut values);
    db.all(&format!("{sql} ORDER BY due_at LIMIT {limit}"), values).await
}

/// People of a service in a year.
#[derive(Debug, Row)]
pub struct PeopleRow {
    pub procedure_code: String,
    pub online: bool,
    pub people: i64,
}

/// People by service and way, in a year.
pub async fn people(db: &impl Read, agency: Option<&str>, year: i64) -> Result<Vec<PeopleRow>> {
    let mut values = params![year];
    let mut also = "";
    if let Some(agency) = agency {
        also = " AND agency = $2";
        values.extend(params![agency]);
    }
    let sql = format!(
        "SELECT procedure_code, online, CAST(SUM(people) AS BIGINT) AS people FROM figure_people WHERE year = $1{also} \
         GROUP BY procedure_code, online"
    );
    db.all(&sql, values).await
}
