//! Files that are being taken in, or were.

use base::{Result, Timestamp};
use store::{Read, Row, Tx, params, sea_orm};

use crate::model::RegistryCode;

/// What is known of a file.
#[derive(Debug, Clone, PartialEq, Eq, Row)]
pub struct ImportRow {
    /// SHA-256 of everything else that decides what becomes of it.
    pub settings: String,
    /// Its name.
    pub file: String,
    /// When it was begun, microseconds.
    pub started_at: i64,
    /// By whom.
    pub started_by: String,
    /// The bytes before the place.
    pub place_offset: i64,
    /// The line of the place.
    pub place_line: i64,
    /// The bytes of the report that are true.
    pub report_bytes: i64,
    /// Figures so far, JSON.
    pub summary: String,
    /// When it was finished, microseconds.
    pub finished_at: Option<i64>,
}

/// A file that was begun with any settings and is not finished, or else one that was finished with these.
pub async fn find(db: &impl Read, code: &RegistryCode, content: &str, settings: &str) -> Result<Option<ImportRow>> {
    let sql = "SELECT settings, file, started_at, started_by, place_offset, place_line, report_bytes, summary, finished_at \
               FROM registry_import WHERE registry = $1 AND content = $2 AND (settings = $3 OR finished_at IS NULL) \
               ORDER BY CASE WHEN finished_at IS NULL THEN 0 ELSE 1 END LIMIT 1";
    db.one(sql, params![code.as_str(), content, settings]).await
}

/// Begins a file; false if somebody has.
pub async fn begin(tx: &Tx, code: &RegistryCode, content: &str, row: &ImportRow) -> Result<bool> {
    let sql = "INSERT INTO registry_import (registry, content, settings, file, started_at, started_by, place_offset, place_line, \
               report_bytes, summary) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING";
    let values = params![
        code.as_str(),
        content,
        row.settings,
        row.file,
        row.started_at,
        row.started_by,
        row.place_offset,
        row.place_line,
        row.report_bytes,
        row.summary
    ];
    Ok(tx.exec(sql, values).await? == 1)
}

/// Moves the place of a file from the line `seen`; false if it is not there any more.
pub async fn go_on(tx: &Tx, code: &RegistryCode, content: &str, seen: i64, row: &ImportRow) -> Result<bool> {
    let sql = "UPDATE registry_import SET place_offset = $1, place_line = $2, report_bytes = $3, summary = $4 \
               WHERE registry = $5 AND content = $6 AND settings = $7 AND place_line = $8 AND finished_at IS NULL";
    let values = params![
        row.place_offset,
        row.place_line,
        row.report_bytes,
        row.summary,
        code.as_str(),
        content,
        row.settings,
        seen
    ];
    Ok(tx.exec(sql, values).await? == 1)
}

/// Notes that a file is finished.
pub async fn finish(tx: &Tx, code: &RegistryCode, content: &str, settings: &str, now: Timestamp) -> Result<()> {
    let sql = "UPDATE registry_import SET finished_at = $1 WHERE registry = $2 AND content = $3 AND settings = $4";
    let values = params![now, code.as_str(), content, settings];
    tx.exec(sql, values).await.map(drop)
}

/// Forgets a file of which nothing was kept.
pub async fn forget(tx: &Tx, code: &RegistryCode, content: &str, settings: &str) -> Result<()> {
    let sql = "DELETE FROM registry_import WHERE registry = $1 AND content = $2 AND settings = $3";
    tx.exec(sql, params![code.as_str(), content, settings]).await.map(drop)
}
