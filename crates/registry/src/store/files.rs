//! Files whose rows are compared with records.

use base::{Result, Timestamp};
use store::{Read, Row, Tx, params, sea_orm};
use uuid::Uuid;

use crate::model::RegistryCode;

/// A file, and what came of its rows.
#[derive(Debug, Clone, PartialEq, Eq, Row)]
pub struct FileRow {
    pub id: Uuid,
    pub name: String,
    pub basis: String,
    pub note: String,
    pub put_at: i64,
    pub put_by: String,
    pub headings: String,
    pub fields: String,
    pub state: String,
    pub total: i64,
    pub done: i64,
    pub clear_rows: i64,
    pub possible_rows: i64,
    pub lone_rows: i64,
    pub unread_rows: i64,
    pub clear_left: i64,
    pub same_rows: i64,
    pub together_rows: i64,
    pub nobody_rows: i64,
    pub removes_at: i64,
}

/// A row of a file.
#[derive(Debug, Clone, PartialEq, Eq, Row)]
pub struct LineRow {
    pub n: i64,
    pub line: i64,
    pub cells: String,
    pub state: String,
    pub flaw_vi: String,
    pub flaw_en: String,
    pub best_id: Option<Uuid>,
    pub weight: Option<i64>,
    pub verdict: String,
    pub record_id: Option<Uuid>,
    pub decided_by: Option<String>,
    pub decided_at: Option<i64>,
    pub version: i64,
}

/// A record that a row may be.
#[derive(Debug, Clone, PartialEq, Eq, Row)]
pub struct CandidateRow {
    pub record_id: Uuid,
    pub weight: i64,
    pub reason_vi: String,
    pub reason_en: String,
}

/// What somebody did.
#[derive(Debug, Clone, PartialEq, Eq, Row)]
pub struct FileActRow {
    pub at: i64,
    pub actor: String,
    pub what: String,
    pub rows_of: i64,
}

/// A row as it comes out of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLine {
    pub line: i64,
    pub cells: String,
    pub flaw: (String, String),
}

/// What came of comparing a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    pub n: i64,
    pub state: &'static str,
    pub flaw: (String, String),
    pub candidates: Vec<CandidateRow>,
}

/// By how much the figures of a file change with decisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shift {
    pub clear_left: i64,
    pub same: i64,
    pub together: i64,
    pub nobody: i64,
}

/// Something that is noted of a file, or of one of its rows.
#[derive(Debug, Clone, Copy)]
pub struct NewAct<'a> {
    pub id: Uuid,
    pub file: Uuid,
    pub n: Option<i64>,
    pub at: Timestamp,
    pub actor: &'a str,
    pub what: &'a str,
    pub rows: i64,
}

/// Which rows a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Those of a state about which nobody has decided.
    Open(&'static str),
    /// Those about which somebody has.
    Decided,
}

const FILE: &str = "id, name, basis, note, put_at, put_by, headings, fields, state, total, done, clear_rows, possible_rows, lone_rows, \
     unread_rows, clear_left, same_rows, together_rows, nobody_rows, removes_at";
const LINE: &str =
    "n, line, cells, state, flaw_vi, flaw_en, best_id, weight, verdict, record_id, decided_by, decided_at, version";

/// Keeps a file with its rows, numbered from 1. False where its content is there already.
pub async fn put(tx: &Tx, code: &RegistryCode, file: &FileRow, sha256: &str, lines: &[NewLine]) -> Result<bool> {
    let sql = "INSERT INTO registry_file (id, registry, name, basis, note, sha256, put_at, put_by, headings, fields, state, total, done, \
               clear_rows, possible_rows, lone_rows, unread_rows, clear_left, same_rows, together_rows, nobody_rows, removes_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, 0, 0, 0, 0, 0, 0, 0, 0, $13) \
               ON CONFLICT (registry, sha256) DO NOTHING";
    let values = params![
        file.id,
        code.as_str(),
        file.name,
        file.basis,
        file.note,
        sha256,
        file.put_at,
        file.put_by,
        file.headings,
        file.fields,
        file.state,
        file.total,
        file.removes_at
    ];
    if tx.exec(sql, values).await? == 0 {
        return Ok(false);
    }
    let into = "registry_file_row (file_id, n, line, cells, state, flaw_vi, flaw_en, verdict, version)";
    // As many at a time as one statement takes, so that a large file is not in memory twice.
    for (lines, from) in lines
        .chunks(store::MOST_VALUES)
        .zip((1_i64..).step_by(store::MOST_VALUES))
    {
        let row = |(n, line): (i64, &NewLine)| {
            let (vi, en) = &line.flaw;
            params![file.id, n, line.line, line.cells, "waiting", vi, en, "", 1_i64]
        };
        let rows: Vec<_> = (from..).zip(lines).map(row).collect();
        tx.insert(into, &rows, "").await?;
    }
    Ok(true)
}

/// The file with this content.
pub async fn with_content(db: &impl Read, code: &RegistryCode, sha256: &str) -> Result<Option<FileRow>> {
    let sql = format!("SELECT {FILE} FROM registry_file WHERE registry = $1 AND sha256 = $2");
    db.one(&sql, params![code.as_str(), sha256]).await
}

/// A file of a registry.
pub async fn get(db: &impl Read, code: &RegistryCode, id: Uuid) -> Result<Option<FileRow>> {
    let sql = format!("SELECT {FILE} FROM registry_file WHERE registry = $1 AND id = $2");
    db.one(&sql, params![code.as_str(), id]).await
}

/// The files of a registry, the newest first, after a place.
pub async fn list(db: &impl Read, code: &RegistryCode, after: Option<(i64, Uuid)>, limit: i64) -> Result<Vec<FileRow>> {
    let (at, id) = after.unwrap_or((i64::MAX, Uuid::max()));
    let sql = format!(
        "SELECT {FILE} FROM registry_file WHERE registry = $1 AND (put_at, id) < ($2, $3) ORDER BY put_at DESC, id DESC LIMIT $4"
    );
    db.all(&sql, params![code.as_str(), at, id, limit]).await
}

/// Says by which fields the columns are compared, and begins. False where somebody else has begun.
pub async fn begin(tx: &Tx, id: Uuid, fields: &str) -> Result<bool> {
    let sql = "UPDATE registry_file SET fields = $2, state = 'comparing' WHERE id = $1 AND state = 'columns'";
    Ok(tx.exec(sql, params![id, fields]).await? > 0)
}

/// Moves a file from one state to another. False where it was not in the first.
pub async fn turn(tx: &Tx, id: Uuid, from: &str, to: &str) -> Result<bool> {
    let sql = "UPDATE registry_file SET state = $3 WHERE id = $1 AND state = $2";
    Ok(tx.exec(sql, params![id, from, to]).await? > 0)
}

/// The rows after one, in their order.
pub async fn lines(db: &impl Read, id: Uuid, after: i64, limit: i64) -> Result<Vec<LineRow>> {
    let sql = format!("SELECT {LINE} FROM registry_file_row WHERE file_id = $1 AND n > $2 ORDER BY n LIMIT $3");
    db.all(&sql, params![id, after, limit]).await
}

/// A row.
pub async fn line(db: &impl Read, id: Uuid, n: i64) -> Result<Option<LineRow>> {
    let sql = format!("SELECT {LINE} FROM registry_file_row WHERE file_id = $1 AND n = $2");
    db.one(&sql, params![id, n]).await
}

/// The rows that a list shows after one, in their order.
pub async fn shown(db: &impl Read, id: Uuid, shown: Shown, after: i64, limit: i64) -> Result<Vec<LineRow>> {
    match shown {
        Shown::Open(state) => {
            let sql = format!(
                "SELECT {LINE} FROM registry_file_row WHERE file_id = $1 AND state = $2 AND verdict = '' AND n > $3 ORDER BY n LIMIT $4"
            );
            db.all(&sql, params![id, state, after, limit]).await
        }
        Shown::Decided => {
            let sql = format!(
                "SELECT {LINE} FROM registry_file_row WHERE file_id = $1 AND verdict <> '' AND n > $2 ORDER BY n LIMIT $3"
            );
            db.all(&sql, params![id, after, limit]).await
        }
    }
}

/// The first row after one that has a candidate and about which nobody has decided.
pub async fn next_open(db: &impl Read, id: Uuid, after: i64) -> Result<Option<i64>> {
    let sql = "SELECT n FROM registry_file_row WHERE file_id = $1 AND n > $2 AND verdict = '' AND state IN ('clear', 'possible') \
               ORDER BY n LIMIT 1";
    db.scalar(sql, params![id, after]).await
}

/// The records that a row may be, the likeliest first.
pub async fn candidates(db: &impl Read, id: Uuid, n: i64) -> Result<Vec<CandidateRow>> {
    let sql = "SELECT record_id, weight, reason_vi, reason_en FROM registry_file_candidate WHERE file_id = $1 AND n = $2 ORDER BY place";
    db.all(sql, params![id, n]).await
}

/// Notes what came of the rows after `before`, up to `done`, and the state of the file from then on. False, and nothing is noted, where
/// the file stands otherwise: it was stopped, or another has compared these rows.
pub async fn note(tx: &Tx, id: Uuid, before: i64, done: i64, state: &str, rows: &[Compared]) -> Result<bool> {
    let count = |state: &str| rows.iter().filter(|row| row.state == state).count() as i64;
    let sql = "UPDATE registry_file SET done = $3, state = $4, clear_rows = clear_rows + $5, possible_rows = possible_rows + $6, \
               lone_rows = lone_rows + $7, unread_rows = unread_rows + $8, clear_left = clear_left + $5 \
               WHERE id = $1 AND state = 'comparing' AND done = $2";
    let figures = [count("clear"), count("possible"), count("lone"), count("unread")];
    let values = params![id, before, done, state, figures[0], figures[1], figures[2], figures[3]];
    if tx.exec(sql, values).await? == 0 {
        return Ok(false);
    }
    let mut candidates = Vec::new();
    for row in rows {
        let best = row.candidates.first();
        let sql = "UPDATE registry_file_row SET state = $3, flaw_vi = $4, flaw_en = $5, best_id = $6, weight = $7 \
                   WHERE file_id = $1 AND n = $2";
        let (vi, en) = &row.flaw;
        let (record, weight) = (best.map(|best| best.record_id), best.map(|best| best.weight));
        tx.exec(sql, params![id, row.n, row.state, vi, en, record, weight])
            .await?;
        candidates.extend((1_i64..).zip(&row.candidates).map(|(place, found)| {
            params![
                id,
                row.n,
                place,
                found.record_id,
                found.weight,
                found.reason_vi,
                found.reason_en
            ]
        }));
    }
    let into = "registry_file_candidate (file_id, n, place, record_id, weight, reason_vi, reason_en)";
    tx.insert(into, &candidates, "").await?;
    Ok(true)
}

/// Notes a decision about a row: as it is from now on, one version further. False if somebody else was faster.
pub async fn decide(tx: &Tx, id: Uuid, row: &LineRow) -> Result<bool> {
    let sql = "UPDATE registry_file_row SET verdict = $3, record_id = $4, decided_by = $5, decided_at = $6, version = version + 1 \
               WHERE file_id = $1 AND n = $2 AND version = $7";
    let values = params![
        id,
        row.n,
        row.verdict,
        row.record_id,
        row.decided_by,
        row.decided_at,
        row.version
    ];
    Ok(tx.exec(sql, values).await? > 0)
}

/// Takes all clear rows about which nobody has decided; how many they were.
pub async fn take_clear(tx: &Tx, id: Uuid, actor: &str, now: Timestamp) -> Result<i64> {
    let sql = "UPDATE registry_file_row SET verdict = 'together', record_id = best_id, decided_by = $2, decided_at = $3, \
               version = version + 1 WHERE file_id = $1 AND state = 'clear' AND verdict = ''";
    Ok(i64::try_from(tx.exec(sql, params![id, actor, now]).await?).unwrap_or(i64::MAX))
}

/// Takes back what was taken together and still stands; how many rows it was.
pub async fn take_back(tx: &Tx, id: Uuid) -> Result<i64> {
    let sql = "UPDATE registry_file_row SET verdict = '', record_id = NULL, decided_by = NULL, decided_at = NULL, \
               version = version + 1 WHERE file_id = $1 AND verdict = 'together'";
    Ok(i64::try_from(tx.exec(sql, params![id]).await?).unwrap_or(i64::MAX))
}

/// Changes the figures of a file by what was decided. False where its rows are removed.
pub async fn shift(tx: &Tx, id: Uuid, by: Shift) -> Result<bool> {
    let sql = "UPDATE registry_file SET clear_left = clear_left + $2, same_rows = same_rows + $3, together_rows = together_rows + $4, \
               nobody_rows = nobody_rows + $5 WHERE id = $1 AND state <> 'removed'";
    let values = params![id, by.clear_left, by.same, by.together, by.nobody];
    Ok(tx.exec(sql, values).await? > 0)
}

/// Notes what somebody did.
pub async fn act(tx: &Tx, act: NewAct<'_>) -> Result<()> {
    let sql =
        "INSERT INTO registry_file_act (id, file_id, n, at, actor, what, rows_of) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let values = params![act.id, act.file, act.n, act.at, act.actor, act.what, act.rows];
    tx.exec(sql, values).await.map(drop)
}

/// What was done with a file, oldest first; as many as `limit` of the newest.
pub async fn acts(db: &impl Read, id: Uuid, limit: i64) -> Result<Vec<FileActRow>> {
    let sql = "SELECT at, actor, what, rows_of FROM registry_file_act WHERE file_id = $1 AND n IS NULL ORDER BY at DESC, id DESC LIMIT $2";
    let mut acts: Vec<FileActRow> = db.all(sql, params![id, limit]).await?;
    acts.reverse();
    Ok(acts)
}

/// What was decided about a row, oldest first.
pub async fn acts_of(db: &impl Read, id: Uuid, n: i64) -> Result<Vec<FileActRow>> {
    let sql = "SELECT at, actor, what, rows_of FROM registry_file_act WHERE file_id = $1 AND n = $2 ORDER BY at, id";
    db.all(sql, params![id, n]).await
}

/// Removes the rows of a file and what they are called, and leaves its figures. False where that was done before.
pub async fn remove(tx: &Tx, id: Uuid) -> Result<bool> {
    let sql = "UPDATE registry_file SET state = 'removed', name = '', note = '', headings = '[]', fields = '[]', sha256 = NULL \
               WHERE id = $1 AND state <> 'removed'";
    if tx.exec(sql, params![id]).await? == 0 {
        return Ok(false);
    }
    tx.exec("DELETE FROM registry_file_candidate WHERE file_id = $1", params![id])
        .await?;
    tx.exec("DELETE FROM registry_file_row WHERE file_id = $1", params![id])
        .await?;
    tx.exec(
        "DELETE FROM registry_file_act WHERE file_id = $1 AND n IS NOT NULL",
        params![id],
    )
    .await?;
    Ok(true)
}
