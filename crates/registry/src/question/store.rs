//! The tables of answers.

use base::{Result, Timestamp};
use store::{Read, Row, Tx, params, sea_orm};
use uuid::Uuid;

use crate::model::RegistryCode;

/// How it went with one question.
#[derive(Debug, Clone, PartialEq, Eq, Row)]
pub struct AnswerRow {
    pub id: Uuid,
    pub question: String,
    pub version: i64,
    pub asked_by: String,
    pub dossier: Option<String>,
    pub asked_at: i64,
    pub as_of: Option<String>,
    pub known_at: Option<i64>,
    pub outcome: String,
    pub answer: Option<String>,
    pub salt: Option<String>,
    pub origin: Option<String>,
    pub leaf: Option<i64>,
}

/// A version of a record that an answer rests on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Row)]
pub struct SourceRow {
    pub registry: String,
    pub record_key: String,
    pub seq: i64,
}

/// Writes an answer down.
pub async fn put(tx: &Tx, answer: &AnswerRow, sources: &[SourceRow]) -> Result<()> {
    let sql = "INSERT INTO registry_answer \
               (id, question, version, asked_by, dossier, asked_at, as_of, known_at, outcome, answer, salt, origin, leaf) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    let values = params![
        answer.id,
        answer.question,
        answer.version,
        answer.asked_by,
        answer.dossier,
        answer.asked_at,
        answer.as_of,
        answer.known_at,
        answer.outcome,
        answer.answer,
        answer.salt,
        answer.origin,
        answer.leaf
    ];
    tx.exec(sql, values).await?;
    let row = |(n, source): (i64, &SourceRow)| params![answer.id, n, source.registry, source.record_key, source.seq];
    let rows: Vec<_> = (0..).zip(sources).map(row).collect();
    let into = "registry_answer_source (answer_id, n, registry, record_key, seq)";
    tx.insert(into, &rows, "").await
}

/// An answer, and what it rests on.
pub async fn get(db: &impl Read, id: Uuid) -> Result<Option<(AnswerRow, Vec<SourceRow>)>> {
    let sql = "SELECT id, question, version, asked_by, dossier, asked_at, as_of, known_at, outcome, answer, salt, origin, leaf \
               FROM registry_answer WHERE id = $1";
    let Some(answer) = db.one::<AnswerRow>(sql, params![id]).await? else {
        return Ok(None);
    };
    let sql = "SELECT registry, record_key, seq FROM registry_answer_source WHERE answer_id = $1 ORDER BY n";
    Ok(Some((answer, db.all(sql, params![id]).await?)))
}

/// Forgets what was answered from a record, and that it was from it.
pub async fn forget(tx: &Tx, registry: &RegistryCode, keys: &[String]) -> Result<()> {
    for key in keys {
        let sql = "UPDATE registry_answer SET answer = NULL, salt = NULL WHERE id IN \
                   (SELECT answer_id FROM registry_answer_source WHERE registry = $1 AND record_key = $2)";
        tx.exec(sql, params![registry.as_str(), key]).await?;
        let sql = "DELETE FROM registry_answer_source WHERE registry = $1 AND record_key = $2";
        tx.exec(sql, params![registry.as_str(), key]).await?;
    }
    Ok(())
}

/// The instant of a row.
pub const fn at(row: &AnswerRow) -> Timestamp {
    Timestamp::from_micros(row.asked_at)
}

/// A question asked of many, as kept.
#[derive(Debug, Clone, PartialEq, Eq, Row)]
pub struct RunRow {
    pub question: String,
    pub asked_by: String,
    pub purpose: String,
    pub dossier: Option<String>,
    pub as_of: Option<String>,
    pub known_at: Option<i64>,
    pub total: i64,
    pub done: i64,
}

/// A line that is to be asked.
#[derive(Debug, Clone, PartialEq, Eq, Row)]
pub struct OpenRow {
    pub n: i64,
    pub inputs: String,
}

/// A line that was asked.
#[derive(Debug, Clone, PartialEq, Eq, Row)]
pub struct DoneRow {
    pub n: i64,
    pub outcome: String,
    pub answer: Option<String>,
    pub answer_id: Option<Uuid>,
}

/// Writes a run down with its lines, numbered from 1.
pub async fn put_run(tx: &Tx, id: Uuid, run: &RunRow, now: Timestamp, lines: &[String]) -> Result<()> {
    let sql = "INSERT INTO registry_question_run (id, question, asked_by, purpose, dossier, asked_at, as_of, known_at, total, done) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let values = params![
        id,
        run.question,
        run.asked_by,
        run.purpose,
        run.dossier,
        now,
        run.as_of,
        run.known_at,
        run.total,
        run.done
    ];
    tx.exec(sql, values).await?;
    let row = |(n, inputs): (i64, &String)| params![id, n, inputs];
    let rows: Vec<_> = (1..).zip(lines).map(row).collect();
    tx.insert("registry_question_line (run_id, n, inputs)", &rows, "").await
}

/// A run.
pub async fn run(db: &impl Read, id: Uuid) -> Result<Option<RunRow>> {
    let sql = "SELECT question, asked_by, purpose, dossier, as_of, known_at, total, done FROM registry_question_run WHERE id = $1";
    db.one(sql, params![id]).await
}

/// The lines of a run after one, in their order.
pub async fn open_lines(db: &impl Read, id: Uuid, after: i64, limit: i64) -> Result<Vec<OpenRow>> {
    let sql = "SELECT n, inputs FROM registry_question_line WHERE run_id = $1 AND n > $2 ORDER BY n LIMIT $3";
    db.all(sql, params![id, after, limit]).await
}

/// The lines of a run that is finished.
pub async fn done_lines(db: &impl Read, id: Uuid) -> Result<Vec<DoneRow>> {
    let sql = "SELECT n, outcome, answer, answer_id FROM registry_question_line WHERE run_id = $1 ORDER BY n";
    db.all(sql, params![id]).await
}

/// Notes what came of lines, and how far the run is.
pub async fn keep_lines(tx: &Tx, id: Uuid, lines: &[DoneRow], done: i64) -> Result<()> {
    for line in lines {
        let sql =
            "UPDATE registry_question_line SET outcome = $3, answer = $4, answer_id = $5 WHERE run_id = $1 AND n = $2";
        let values = params![id, line.n, line.outcome, line.answer, line.answer_id];
        tx.exec(sql, values).await?;
    }
    let sql = "UPDATE registry_question_run SET done = $2 WHERE id = $1";
    tx.exec(sql, params![id, done]).await.map(drop)
}

/// Forgets a run and its lines.
pub async fn forget_run(tx: &Tx, id: Uuid) -> Result<()> {
    tx.exec("DELETE FROM registry_question_line WHERE run_id = $1", params![id])
        .await?;
    tx.exec("DELETE FROM registry_question_run WHERE id = $1", params![id])
        .await
        .map(drop)
}

#[derive(Debug, Row)]
struct AskedRow {
    question: String,
    outcome: String,
    times: i64,
}

/// Counts that a question was asked, and how it went.
pub async fn count(tx: &Tx, question: &str, outcome: &str, now: Timestamp) -> Result<()> {
    let month = now.legal_date().first_of_month().to_string();
    let sql = "INSERT INTO registry_asked (question, month, outcome, times) VALUES ($1, $2, $3, 1) \
               ON CONFLICT (question, month, outcome) DO UPDATE SET times = registry_asked.times + 1";
    tx.exec(sql, params![question, month, outcome]).await.map(drop)
}

/// How often questions were asked since a month, `2025-12-01`, by question and outcome.
pub async fn counted(db: &impl Read, since: &str) -> Result<Vec<(String, String, i64)>> {
    let sql = "SELECT question, outcome, CAST(SUM(times) AS BIGINT) AS times FROM registry_asked WHERE month >= $1 \
               GROUP BY question, outcome";
    let rows: Vec<AskedRow> = db.all(sql, params![since]).await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.question, row.outcome, row.times))
        .collect())
}
