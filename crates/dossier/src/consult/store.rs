//! The tables of consultations between nodes. Nobody else touches them.

use ::exchange::model::identifier::SubsystemId;
use base::{Error, Problems, Result, Timestamp};
use store::{Read, Row, Tx, params, sea_orm};
use uuid::Uuid;

use super::{
    answering::AskedState,
    asking::Delivery,
    kept,
    wire::{Ended, Opinion, Question},
};
use crate::{
    model::action::{ConsultationId, DossierId},
    store::NOT_URGENT,
};

/// A question to another node, as it is kept.
#[derive(Debug, Row)]
struct OutRow {
    id: Uuid,
    dossier_id: Uuid,
    sent_by: String,
    sent_at: i64,
    system: String,
    question: String,
    delivery: String,
    tries: i64,
    next_at: Option<i64>,
    problems: String,
    ended: Option<String>,
}

/// A question to another node.
#[derive(Debug, Clone)]
pub struct Outgoing {
    pub id: ConsultationId,
    pub dossier: DossierId,
    pub sent_by: String,
    pub sent_at: Timestamp,
    pub system: SubsystemId,
    pub question: Question,
    pub delivery: Delivery,
    pub tries: i64,
    pub next_at: Option<Timestamp>,
    pub problems: Problems,
    pub ended: Option<Ended>,
}

impl OutRow {
    fn read(self) -> Result<Outgoing> {
        Ok(Outgoing {
            id: ConsultationId::from_uuid(self.id),
            dossier: DossierId::from_uuid(self.dossier_id),
            sent_by: self.sent_by,
            sent_at: Timestamp::from_micros(self.sent_at),
            system: self.system.parse().map_err(Error::internal)?,
            question: serde_json::from_str(&self.question)?,
            delivery: Delivery::from_code(&self.delivery)?,
            tries: self.tries,
            next_at: self.next_at.map(Timestamp::from_micros),
            problems: serde_json::from_str(&self.problems)?,
            ended: self.ended.as_deref().map(serde_json::from_str).transpose()?,
        })
    }
}

const OUT: &str = "id, dossier_id, sent_by, sent_at, system, question, delivery, tries, next_at, problems, ended";

/// A question by its id.
pub async fn outgoing(db: &impl Read, id: ConsultationId) -> Result<Option<Outgoing>> {
    let sql = format!("SELECT {OUT} FROM consultation_out WHERE id = $1");
    db.one::<OutRow>(&sql, params![id]).await?.map(OutRow::read).transpose()
}

/// The questions of a dossier, in the order in which they were asked.
pub async fn outgoing_of(db: &impl Read, dossier: DossierId) -> Result<Vec<Outgoing>> {
    let sql = format!("SELECT {OUT} FROM consultation_out WHERE dossier_id = $1 ORDER BY sent_at, id");
    let rows = db.all::<OutRow>(&sql, params![dossier]).await?;
    rows.into_iter().map(OutRow::read).collect()
}

/// Keeps a new question; it waits to be sent.
pub async fn ask(
    tx: &Tx,
    id: ConsultationId,
    dossier: DossierId,
    (sent_by, sent_at): (&str, Timestamp),
    system: &SubsystemId,
    question: &Question,
) -> Result<()> {
    let sql = format!("INSERT INTO consultation_out ({OUT}) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, NULL, $8, NULL)");
    let values = params![
        id,
        dossier,
        sent_by,
        sent_at,
        system.to_string(),
        serde_json::to_string(question)?,
        Delivery::Waiting.code(),
        kept(&Problems::new())?
    ];
    tx.exec(&sql, values).await.map(drop)
}

/// Notes how a question ended, once.
pub async fn end(tx: &Tx, id: ConsultationId, ended: Ended, delivery: Delivery) -> Result<()> {
    let sql = "UPDATE consultation_out SET ended = $2, delivery = $3, tries = 0 WHERE id = $1 AND ended IS NULL";
    tx.exec(sql, params![id, serde_json::to_string(&ended)?, delivery.code()])
        .await
        .map(drop)
}

/// Notes what came of a try that found the question at `from`; a question that has moved on meanwhile stays as it is.
pub async fn tried(
    tx: &Tx,
    id: ConsultationId,
    from: Delivery,
    to: Delivery,
    next_at: Option<Timestamp>,
    problems: &Problems,
) -> Result<()> {
    let sql = "UPDATE consultation_out SET delivery = $3, tries = tries + 1, next_at = $4, problems = $5 \
               WHERE id = $1 AND delivery = $2";
    tx.exec(sql, params![id, from.code(), to.code(), next_at, kept(problems)?])
        .await
        .map(drop)
}

/// Lets a question that is still open be sent anew; `false` where there is nothing to send.
pub async fn again(tx: &Tx, id: ConsultationId) -> Result<bool> {
    let sql = "UPDATE consultation_out SET delivery = $2, tries = 0, next_at = NULL, problems = $3 \
               WHERE id = $1 AND ended IS NULL AND delivery IN ($2, $4)";
    let values = params![
        id,
        Delivery::Waiting.code(),
        kept(&Problems::new())?,
        Delivery::Refused.code()
    ];
    Ok(tx.exec(sql, values).await? == 1)
}

#[derive(Debug, Row)]
struct InRow {
    id: Uuid,
    asker: String,
    question_id: Uuid,
    system: String,
    agency: String,
    received_at: i64,
    urgent_at: i64,
    question: String,
    ended: Option<String>,
    state: String,
    opinion: Option<String>,
    answered_at: Option<i64>,
    tries: i64,
    next_at: Option<i64>,
    problems: String,
}

/// A question of another node.
#[derive(Debug, Clone)]
pub struct Incoming {
    pub id: ConsultationId,
    pub asker: SubsystemId,
    pub question_id: ConsultationId,
    pub system: SubsystemId,
    pub agency: String,
    pub received_at: Timestamp,
    pub urgent_at: i64,
    pub question: Question,
    pub ended: Option<Ended>,
    pub state: AskedState,
    pub opinion: Option<Opinion>,
    pub answered_at: Option<Timestamp>,
    pub tries: i64,
    pub next_at: Option<Timestamp>,
    pub problems: Problems,
}

impl InRow {
    fn read(self) -> Result<Incoming> {
        Ok(Incoming {
            id: ConsultationId::from_uuid(self.id),
            asker: self.asker.parse().map_err(Error::internal)?,
            question_id: ConsultationId::from_uuid(self.question_id),
            system: self.system.parse().map_err(Error::internal)?,
            agency: self.agency,
            received_at: Timestamp::from_micros(self.received_at),
            urgent_at: self.urgent_at,
            question: serde_json::from_str(&self.question)?,
            ended: self.ended.as_deref().map(serde_json::from_str).transpose()?,
            state: AskedState::from_code(&self.state)?,
            opinion: self.opinion.as_deref().map(serde_json::from_str).transpose()?,
            answered_at: self.answered_at.map(Timestamp::from_micros),
            tries: self.tries,
            next_at: self.next_at.map(Timestamp::from_micros),
            problems: serde_json::from_str(&self.problems)?,
        })
    }
}

const IN: &str = "id, asker, question_id, system, agency, received_at, urgent_at, question, ended, state, opinion, answered_at, \
                  tries, next_at, problems";

/// A question by this node's id.
pub async fn incoming(db: &impl Read, id: ConsultationId) -> Result<Option<Incoming>> {
    let sql = format!("SELECT {IN} FROM consultation_in WHERE id = $1");
    db.one::<InRow>(&sql, params![id]).await?.map(InRow::read).transpose()
}

/// A question by the id of whoever asks.
pub async fn incoming_from(db: &impl Read, asker: &SubsystemId, id: ConsultationId) -> Result<Option<Incoming>> {
    let sql = format!("SELECT {IN} FROM consultation_in WHERE asker = $1 AND question_id = $2");
    let row = db.one::<InRow>(&sql, params![asker.to_string(), id]).await?;
    row.map(InRow::read).transpose()
}

/// Keeps a new question; `false` where it came at the same moment by another way.
pub async fn receive(tx: &Tx, new: &Incoming) -> Result<bool> {
    let sql = format!(
        "INSERT INTO consultation_in ({IN}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, NULL, NULL, 0, NULL, $11) \
         ON CONFLICT DO NOTHING"
    );
    let values = params![
        new.id,
        new.asker.to_string(),
        new.question_id,
        new.system.to_string(),
        new.agency,
        new.received_at,
        new.urgent_at,
        serde_json::to_string(&new.question)?,
        new.ended.as_ref().map(serde_json::to_string).transpose()?,
        new.state.code(),
        kept(&new.problems)?
    ];
    Ok(tx.exec(&sql, values).await? == 1)
}

/// Notes that a question has ended at the asking node, once. What an officer answered is not touched: what becomes of it, the
/// asking node says.
pub async fn close(tx: &Tx, id: ConsultationId, ended: Ended) -> Result<()> {
    let sql = "UPDATE consultation_in SET ended = $2, state = CASE WHEN state = $3 THEN $4 ELSE state END \
               WHERE id = $1 AND ended IS NULL";
    let values = params![
        id,
        serde_json::to_string(&ended)?,
        AskedState::Open.code(),
        AskedState::Ended.code()
    ];
    tx.exec(sql, values).await.map(drop)
}

/// Keeps the opinion of an open question; `false` when it is not open any more.
pub async fn give(tx: &Tx, id: ConsultationId, opinion: &Opinion, now: Timestamp) -> Result<bool> {
    let sql = "UPDATE consultation_in SET state = $3, opinion = $4, answered_at = $5, tries = 0, next_at = NULL, problems = $6 \
               WHERE id = $1 AND state = $2";
    let values = params![
        id,
        AskedState::Open.code(),
        AskedState::Sending.code(),
        serde_json::to_string(opinion)?,
        now,
        kept(&Problems::new())?
    ];
    Ok(tx.exec(sql, values).await? == 1)
}

/// Notes what came of a try to deliver an opinion.
pub async fn delivered(
    tx: &Tx,
    id: ConsultationId,
    to: AskedState,
    next_at: Option<Timestamp>,
    problems: &Problems,
) -> Result<()> {
    let sql = "UPDATE consultation_in SET state = $3, tries = tries + 1, next_at = $4, problems = $5 \
               WHERE id = $1 AND state = $2";
    let values = params![id, AskedState::Sending.code(), to.code(), next_at, kept(problems)?];
    tx.exec(sql, values).await.map(drop)
}

/// Open questions of an agency, the most urgent first, after a place in that order.
pub async fn open(db: &impl Read, agency: &str, after: Option<(i64, Uuid)>, limit: u32) -> Result<Vec<Incoming>> {
    let (urgent, id) = after.unwrap_or((i64::MIN, Uuid::nil()));
    let sql = format!(
        "SELECT {IN} FROM consultation_in WHERE agency = $1 AND state = 'open' AND (urgent_at, id) > ($2, $3) \
         ORDER BY urgent_at, id LIMIT {limit}"
    );
    let rows = db.all::<InRow>(&sql, params![agency, urgent, id]).await?;
    rows.into_iter().map(InRow::read).collect()
}

/// Answered and ended questions of an agency, the newest first, before one of them.
pub async fn past(db: &impl Read, agency: &str, before: Option<Uuid>, limit: u32) -> Result<Vec<Incoming>> {
    let sql = format!(
        "SELECT {IN} FROM consultation_in WHERE agency = $1 AND state <> 'open' AND id < $2 ORDER BY id DESC LIMIT {limit}"
    );
    let before = before.unwrap_or(Uuid::max());
    let rows = db.all::<InRow>(&sql, params![agency, before]).await?;
    rows.into_iter().map(InRow::read).collect()
}

/// The place of a question in its queue.
pub fn urgency(question: &Question) -> i64 {
    question.due.map_or(NOT_URGENT, Timestamp::micros)
}
