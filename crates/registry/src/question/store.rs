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
    let sql = "INSERT INTO registry_answer (id, question, version, asked_by, dossier, asked_at, outcome, answer, salt, origin, leaf) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    let values = params![
        answer.id,
        answer.question,
        answer.version,
        answer.asked_by,
        answer.dossier,
        answer.asked_at,
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
    let sql = "SELECT id, question, version, asked_by, dossier, asked_at, outcome, answer, salt, origin, leaf FROM registry_answer WHERE id = $1";
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
