//! The tables of the journal. Nobody else touches them.

mod messages;
mod operations;
mod questions;
mod reads;

use ::store::{Read, Row, Tx, params, sea_orm};
use base::{Error, Kind, Result};

pub use self::{
    messages::{FoundRow, Search, due, erasures, find, of_message_id, of_request, search},
    operations::{HourRow, add_operations, delete_operations, delete_traffic, hours, operations, traffic},
    questions::{QuestionRow, add_question, answer_question, close_question, question, questions_of, questions_to},
    reads::{
        Hiding, ReadRow, Window, days_of, first_read, keys_about, read_of_request, reads_about, reads_by_leaf,
        subjects_of,
    },
};
use super::fold::Fold;

/// Rows cleared in one transaction.
const CLEARED: i64 = 10_000;

/// Where a fold stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The first leaf that is not folded.
    pub next: u64,
    /// The root of the tree of the leaves before it.
    pub root: String,
}

#[derive(Debug, Row)]
struct CursorRow {
    next: i64,
    root: String,
}

/// The cursor of a log; the beginning when there is none.
pub async fn cursor(db: &impl Read, log: &str) -> Result<Cursor> {
    let sql = "SELECT next, root FROM journal_cursor WHERE log = $1";
    let row: Option<CursorRow> = db.one(sql, params![log]).await?;
    Ok(row.map_or(
        Cursor {
            next: 0,
            root: String::new(),
        },
        |row| Cursor {
            next: row.next.unsigned_abs(),
            root: row.root,
        },
    ))
}

/// Moves the cursor.
///
/// # Errors
/// `Conflict` when somebody else has moved it since.
pub async fn advance(tx: &Tx, log: &str, from: &Cursor, to: &Cursor) -> Result<()> {
    let moved = if from.next == 0 {
        let sql = "INSERT INTO journal_cursor (log, next, root) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        tx.exec(sql, params![log, big(to.next), to.root]).await?
    } else {
        let sql = "UPDATE journal_cursor SET next = $2, root = $3 WHERE log = $1 AND next = $4";
        tx.exec(sql, params![log, big(to.next), to.root, big(from.next)])
            .await?
    };
    if moved == 1 {
        return Ok(());
    }
    Err(Error::refused(
        Kind::Conflict,
        "journal-moved",
        "Nhật ký thông điệp đang được một tiến trình khác cập nhật.",
        "Another process is following the log.",
    ))
}

/// Puts folds into the tables, in the order of their leaves.
pub async fn apply(tx: &Tx, folds: &[Fold]) -> Result<()> {
    messages::add(tx, folds).await?;
    reads::add(tx, folds).await?;
    for fold in folds {
        if let Fold::Erasure { leaf, record } = fold {
            messages::erase(tx, *leaf, record).await?;
            reads::erase(tx, *leaf, record).await?;
        }
    }
    Ok(())
}

/// The root of a cursor while the tables are being emptied: a crash must not leave half of them to be folded upon.
const CLEARING: &str = "clearing";

impl Cursor {
    /// Whether the tables were being emptied.
    pub fn is_clearing(&self) -> bool {
        self.root == CLEARING
    }
}

/// Notes that the tables are being emptied.
pub async fn begin_clearing(tx: &Tx, log: &str) -> Result<()> {
    tx.exec("DELETE FROM journal_cursor", params![]).await?;
    let sql = "INSERT INTO journal_cursor (log, next, root) VALUES ($1, 0, $2)";
    tx.exec(sql, params![log, CLEARING]).await.map(drop)
}

/// Takes away a part of what can be made anew, at last the note of [`begin_clearing`]. Whether there may be more.
pub async fn clear_some(tx: &Tx) -> Result<bool> {
    let mut gone = tx.exec("DELETE FROM journal_read_day", params![]).await?;
    for sql in [
        "DELETE FROM journal_message WHERE leaf IN (SELECT leaf FROM journal_message LIMIT $1)",
        "DELETE FROM journal_subject WHERE leaf IN (SELECT leaf FROM journal_subject LIMIT $1)",
        "DELETE FROM journal_read WHERE leaf IN (SELECT leaf FROM journal_read LIMIT $1)",
        "DELETE FROM journal_erasure WHERE leaf IN (SELECT leaf FROM journal_erasure LIMIT $1)",
    ] {
        gone += tx.exec(sql, params![CLEARED]).await?;
    }
    if gone == 0 {
        tx.exec("DELETE FROM journal_cursor", params![]).await?;
    }
    Ok(gone > 0)
}

/// What becomes of a row that is there already: it stays.
const STAYS: &str = " ON CONFLICT DO NOTHING";

/// An index of the log as the database has it. No log has 2^63 leaves.
pub(super) fn big(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
