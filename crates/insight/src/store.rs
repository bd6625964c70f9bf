//! The tables of figures. Nobody else touches them.

use ::store::{
    Read, Row, Tx, params,
    sea_orm::{self, DbErr, FromQueryResult, QueryResult, Value},
};
use base::{Result, Timestamp};
use dossier::model::action::DossierId;

use crate::model::{By, Counts, Effect, Fact, Measure, Question};

/// The entry up to which the fact of a dossier holds.
pub async fn seq(db: &impl Read, dossier: DossierId) -> Result<Option<i64>> {
    db.scalar("SELECT seq FROM fact WHERE dossier_id = $1", params![dossier])
        .await
}

/// Puts a fact in the place of an older one and moves the counters by the difference; `false` when the fact is not newer.
pub async fn apply(tx: &Tx, new: &Fact, now: Timestamp) -> Result<bool> {
    let old = tx
        .one::<Fact>("SELECT * FROM fact WHERE dossier_id = $1", params![new.dossier_id])
        .await?;
    if old.as_ref().is_some_and(|old| old.seq >= new.seq) {
        return Ok(false);
    }
    tx.exec("DELETE FROM fact WHERE dossier_id = $1", params![new.dossier_id])
        .await?;
    tx.exec(
        "INSERT INTO fact (dossier_id, seq, agency, field, procedure_code, channel, account, status, running, submitted_at, received_at, \
         original_due_at, due_at, ended_at, delivered_at, outcome, working_minutes, supplements) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
        params![
            new.dossier_id, new.seq, new.agency, new.field, new.procedure_code, new.channel, new.account, new.status,
            new.running, new.submitted_at, new.received_at, new.original_due_at, new.due_at, new.ended_at,
            new.delivered_at, new.outcome, new.working_minutes, new.supplements
        ],
    )
    .await?;
    move_counters(tx, &Effect::change(old.as_ref(), new), now).await?;
    Ok(true)
}

async fn move_counters(tx: &Tx, effect: &Effect, now: Timestamp) -> Result<()> {
    let columns = Measure::ALL.map(Measure::column);
    let sums = columns.map(|c| format!("{c} = figure.{c} + excluded.{c}")).join(", ");
    let sql = format!(
        "INSERT INTO figure (agency, month, field, procedure_code, {}) VALUES ({}) \
         ON CONFLICT (agency, month, field, procedure_code) DO UPDATE SET {sums}",
        columns.join(", "),
        ::store::placeholders(1, 4 + columns.len()),
    );
    for ((service, month), counts) in &effect.figures {
        let mut values = params![service.agency, month.index(), service.field, service.procedure];
        values.extend(Measure::ALL.map(|m| Value::from(counts.get(m))));
        tx.exec(&sql, values).await?;
    }
    for ((service, month, bucket), n) in &effect.durations {
        let sql = "INSERT INTO figure_duration (agency, month, field, procedure_code, bucket, n) VALUES ($1, $2, $3, $4, $5, $6) \
                   ON CONFLICT (agency, month, field, procedure_code, bucket) DO UPDATE SET n = figure_duration.n + excluded.n";
        let values = params![
            service.agency,
            month.index(),
            service.field,
            service.procedure,
            *bucket,
            *n
        ];
        tx.exec(sql, values).await?;
    }
    for (service, [waiting, in_progress, paused]) in &effect.standing {
        let sql = "INSERT INTO figure_standing (agency, field, procedure_code, waiting, in_progress, paused, updated_at) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (agency, field, procedure_code) DO UPDATE SET \
                   waiting = figure_standing.waiting + excluded.waiting, \
                   in_progress = figure_standing.in_progress + excluded.in_progress, \
                   paused = figure_standing.paused + excluded.paused, \
                   updated_at = CASE WHEN figure_standing.updated_at > excluded.updated_at \
                   THEN figure_standing.updated_at ELSE excluded.updated_at END";
        let values = params![
            service.agency,
            service.field,
            service.procedure,
            *waiting,
            *in_progress,
            *paused,
            now
        ];
        tx.exec(sql, values).await?;
    }
    for (user, n) in &effect.users {
        let people = match user.account {
            None => *n,
            Some(account) => {
                let key = params![user.agency, user.procedure, user.year, user.online, account];
                let sql = "SELECT n FROM figure_user WHERE agency = $1 AND procedure_code = $2 AND year = $3 AND online = $4 AND account = $5";
                let before = tx.scalar::<i64>(sql, key.clone()).await?.unwrap_or(0);
                let mut values = key;
                values.push(Value::from(*n));
                let sql = "INSERT INTO figure_user (agency, procedure_code, year, online, account, n) VALUES ($1, $2, $3, $4, $5, $6) \
                           ON CONFLICT (agency, procedure_code, year, online, account) DO UPDATE SET n = figure_user.n + excluded.n";
                tx.exec(sql, values).await?;
                i64::from(before + n > 0) - i64::from(before > 0)
            }
        };
        if people != 0 {
            let sql = "INSERT INTO figure_people (agency, procedure_code, year, online, people) VALUES ($1, $2, $3, $4, $5) \
                       ON CONFLICT (agency, procedure_code, year, online) DO UPDATE SET people = figure_people.people + excluded.people";
            tx.exec(
                sql,
                params![user.agency, user.procedure, user.year, user.online, people],
            )
            .await?;
        }
    }
    Ok(())
}

/// Forgets everything.
pub async fn clear(tx: &Tx) -> Result<()> {
    for table in [
        "fact",
        "figure",
        "figure_duration",
        "figure_standing",
        "figure_user",
        "figure_people",
    ] {
        tx.exec(&format!("DELETE FROM {table}"), params![]).await?;
    }
    Ok(())
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
    let also = [
        ("agency", question.agency.as_deref()),
        ("field", question.field.as_deref()),
    ];
    only(also, &mut sql, &mut values);
    (sql, values)
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
}

/// At most `limit` overdue dossiers, the longest overdue first.
pub async fn overdue(
    db: &impl Read,
    agency: Option<&str>,
    field: Option<&str>,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<OverdueRow>> {
    let mut sql = "SELECT agency, field, procedure_code, due_at FROM fact WHERE running AND due_at < $1".to_owned();
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
