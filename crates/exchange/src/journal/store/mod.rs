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
use super::{
    fold::Fold,
    logs::{LeafId, Names},
};

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

#[derive(Debug, Row)]
struct LogRow {
    n: i64,
    log: String,
}

/// The logs that the tables know, by their numbers.
pub async fn logs(db: &impl Read) -> Result<Names> {
    let rows: Vec<LogRow> = db
        .all("SELECT n, log FROM journal_cursor ORDER BY n", params![])
        .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| Some((u32::try_from(row.n).ok()?, row.log)))
        .collect())
}

/// Gives a log that is new to the tables the next number.
pub async fn enter_log(tx: &Tx, log: &str) -> Result<()> {
    let known = logs(tx).await?;
    if known.values().any(|name| name == log) {
        return Ok(());
    }
    let n = known.last_key_value().map_or(0, |(last, _)| i64::from(*last) + 1);
    let sql = "INSERT INTO journal_cursor (log, next, root, n) VALUES ($1, 0, '', $2) ON CONFLICT DO NOTHING";
    tx.exec(sql, params![log, n]).await.map(drop)
}

/// The cursor of a log that was entered.
pub async fn cursor(db: &impl Read, log: &str) -> Result<Cursor> {
    let sql = "SELECT next, root FROM journal_cursor WHERE log = $1";
    let row: Option<CursorRow> = db.one(sql, params![log]).await?;
    let row = row.ok_or_else(moved)?;
    Ok(Cursor {
        next: row.next.unsigned_abs(),
        root: row.root,
    })
}

/// Moves the cursor.
///
/// # Errors
/// `Conflict` when somebody else has moved it since.
pub async fn advance(tx: &Tx, log: &str, from: &Cursor, to: &Cursor) -> Result<()> {
    let sql = "UPDATE journal_cursor SET next = $2, root = $3 WHERE log = $1 AND next = $4 AND root = $5";
    let values = params![log, big(to.next), to.root, big(from.next), from.root];
    if tx.exec(sql, values).await? == 1 {
        Ok(())
    } else {
        Err(moved())
    }
}

fn moved() -> Error {
    Error::refused(
        Kind::Conflict,
        "journal-moved",
        "Nhật ký thông điệp đang được một tiến trình khác cập nhật.",
        "Another process is following the log.",
    )
}

/// Puts folds into the tables, in the order of their leaves.
pub async fn apply(tx: &Tx, folds: &[Fold]) -> Result<()> {
    messages::add(tx, folds).await?;
    reads::add(tx, folds).await?;
    for fold in folds {
        if let Fold::Erasure { leaf, record, of } = fold {
            messages::erase(tx, *leaf, record, *of).await?;
            reads::erase(tx, *leaf, record, *of).await?;
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

/// Notes that what the tables have of a log is being taken away.
pub async fn begin_clearing(tx: &Tx, log: &str) -> Result<()> {
    let sql = "UPDATE journal_cursor SET next = 0, root = $2 WHERE log = $1";
    tx.exec(sql, params![log, CLEARING]).await.map(drop)
}

/// Takes away a part of what can be made anew of a log, at last the note of [`begin_clearing`]. Whether there may be more.
pub async fn clear_some(tx: &Tx, number: u32, log: &str) -> Result<bool> {
    let mut gone = tx
        .exec(
            "DELETE FROM journal_read_day WHERE log = $1",
            params![i64::from(number)],
        )
        .await?;
    let [from, to] = LeafId::keys_of(number);
    for table in ["journal_message", "journal_subject", "journal_read", "journal_erasure"] {
        let sql = format!(
            "DELETE FROM {table} WHERE leaf IN (SELECT leaf FROM {table} WHERE leaf >= $1 AND leaf < $2 LIMIT $3)"
        );
        gone += tx.exec(&sql, params![from, to, CLEARED]).await?;
    }
    if gone == 0 {
        tx.exec("UPDATE journal_cursor SET root = '' WHERE log = $1", params![log])
            .await?;
    }
    Ok(gone > 0)
}

/// What becomes of a row that is there already: it stays.
const STAYS: &str = " ON CONFLICT DO NOTHING";

/// A number of leaves as the database has it. No log has 2^63.
pub(super) fn big(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
