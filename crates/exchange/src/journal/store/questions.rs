//! Questions of people about reads of their data.

use ::store::{Read, Row, Tx, params, sea_orm};
use base::{Result, Timestamp};
use uuid::Uuid;

use crate::journal::QuestionState;

/// A question.
#[derive(Debug, Clone, PartialEq, Row)]
pub struct QuestionRow {
    pub id: Uuid,
    pub leaf: Option<i64>,
    pub account: Option<Uuid>,
    pub asker: String,
    pub agency: String,
    pub member: String,
    pub request_id: Uuid,
    pub service: String,
    pub text: String,
    pub asked_at: i64,
    pub due_at: i64,
    pub state: String,
    pub answer: Option<String>,
    pub answered_at: Option<i64>,
    pub answered_by: Option<String>,
    pub closed_at: Option<i64>,
}

const QUESTION: &str = "id, leaf, account, asker, agency, member, request_id, service, text, asked_at, due_at, state, answer, answered_at, answered_by, closed_at";

/// Adds a question; false when this account has asked about this read, or the question is there.
pub async fn add_question(tx: &Tx, row: &QuestionRow) -> Result<bool> {
    let sql = "INSERT INTO journal_question (id, leaf, account, asker, agency, member, request_id, service, text, asked_at, \
               due_at, state) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING";
    let values = params![
        row.id,
        row.leaf,
        row.account,
        row.asker,
        row.agency,
        row.member,
        row.request_id,
        row.service,
        row.text,
        row.asked_at,
        row.due_at,
        row.state
    ];
    Ok(tx.exec(sql, values).await? == 1)
}

/// One question.
pub async fn question(db: &impl Read, id: Uuid) -> Result<Option<QuestionRow>> {
    let sql = format!("SELECT {QUESTION} FROM journal_question WHERE id = $1");
    db.one(&sql, params![id]).await
}

/// Answers a question that is open; false when it is not.
pub async fn answer_question(tx: &Tx, id: Uuid, answer: &str, by: &str, now: Timestamp) -> Result<bool> {
    let sql = "UPDATE journal_question SET state = $2, answer = $3, answered_at = $4, answered_by = $5 WHERE id = $1 AND state = $6";
    let (to, from) = (QuestionState::Answered.code(), QuestionState::Asked.code());
    Ok(tx.exec(sql, params![id, to, answer, now, by, from]).await? == 1)
}

/// Closes a question that is not closed; false when it is.
pub async fn close_question(tx: &Tx, id: Uuid, now: Timestamp) -> Result<bool> {
    let sql = "UPDATE journal_question SET state = $2, closed_at = $3 WHERE id = $1 AND state <> $2";
    Ok(tx.exec(sql, params![id, QuestionState::Closed.code(), now]).await? == 1)
}

/// The questions of an account, the newest first.
pub async fn questions_of(db: &impl Read, account: Uuid, limit: i64) -> Result<Vec<QuestionRow>> {
    let sql =
        format!("SELECT {QUESTION} FROM journal_question WHERE account = $1 ORDER BY asked_at DESC, id DESC LIMIT $2");
    db.all(&sql, params![account, limit]).await
}

/// The questions to an agency in one state, the most urgent first.
pub async fn questions_to(
    db: &impl Read,
    agency: &str,
    state: QuestionState,
    after: Option<(i64, Uuid)>,
    limit: i64,
) -> Result<Vec<QuestionRow>> {
    let (due, id) = after.unwrap_or((i64::MIN, Uuid::nil()));
    let sql = format!(
        "SELECT {QUESTION} FROM journal_question WHERE agency = $1 AND state = $2 AND (due_at, id) > ($3, $4) \
         ORDER BY due_at, id LIMIT $5"
    );
    db.all(&sql, params![agency, state.code(), due, id, limit]).await
}
