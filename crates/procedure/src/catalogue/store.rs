//! The tables of the catalogue.

use std::collections::HashMap;

use ::store::{Param, Read, Row, Store, Tx, params, placeholders, sea_orm, transact};
use base::{Error, Result, Timestamp};
use jiff::civil::Date;
use uuid::Uuid;

use super::{
    import::{ImportId, Report},
    model::{Code, Entry, Layer, Record, Sheet},
};

base::typed_id!(/// One stored version of a procedure.
    ProcedureVersion as VersionId);

/// What an import has for one procedure.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// Which.
    pub code: Code,
    /// What each source says.
    pub layers: HashMap<Layer, Sheet>,
    /// The first day of validity, where a source tells.
    pub from: Option<Date>,
}

/// What a batch did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// New procedures.
    pub added: u64,
    /// Procedures with a new version.
    pub changed: u64,
    /// Procedures known in just this content.
    pub unchanged: u64,
}

#[derive(Debug, Row)]
struct CurrentRow {
    code: String,
    hash: String,
    valid_from: String,
    revision: i64,
    body: String,
}

#[derive(Debug, Row)]
struct VersionRow {
    valid_from: String,
    body: String,
}

/// One version of a procedure, for the list on its page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its first day.
    pub valid_from: Date,
    /// Its last day, when a later one follows.
    pub valid_to: Option<Date>,
    /// Counts the corrections that were imported on one day.
    pub revision: i64,
    /// When it was imported.
    pub imported_at: Timestamp,
}

struct New {
    code: String,
    id: VersionId,
    valid_from: String,
    revision: i64,
    hash: String,
    body: String,
    known: bool,
}

/// Adds versions for what is new or changed, in one transaction.
pub async fn write_batch(
    store: &Store,
    batch: &[Incoming],
    import: ImportId,
    now: Timestamp,
    today: Date,
    dry_run: bool,
) -> Result<Written> {
    transact!(store, |tx| {
        let codes = batch.iter().map(|i| Param::value(i.code.as_str())).collect();
        let sql = format!(
            "SELECT c.code, c.hash, c.valid_from, c.revision, v.body FROM procedure_current c \
             JOIN procedure_version v ON v.id = c.version_id WHERE c.code IN ({})",
            placeholders(1, batch.len())
        );
        let known: HashMap<String, CurrentRow> = tx
            .all::<CurrentRow>(&sql, codes)
            .await?
            .into_iter()
            .map(|r| (r.code.clone(), r))
            .collect();
        let mut written = Written::default();
        let mut new = Vec::new();
        for incoming in batch {
            let before = known.get(incoming.code.as_str());
            let mut record: Record = match before {
                Some(row) => serde_json::from_str(&row.body)?,
                None => Record::default(),
            };
            for (layer, sheet) in &incoming.layers {
                record.put(*layer, sheet.clone());
            }
            let hash = record.hash()?;
            let Some(before) = before else {
                written.added += 1;
                let from = incoming.from.unwrap_or_else(|| first_day(&record, today));
                new.push(New {
                    code: incoming.code.to_string(),
                    id: VersionId::new(now),
                    valid_from: from.to_string(),
                    revision: 1,
                    hash,
                    body: serde_json::to_string(&record)?,
                    known: false,
                });
                continue;
            };
            if before.hash == hash {
                written.unchanged += 1;
                continue;
            }
            written.changed += 1;
            // Never before the version that it follows, and never over it.
            let from = date(&before.valid_from)?.max(today);
            let same_day = from.to_string() == before.valid_from;
            new.push(New {
                code: incoming.code.to_string(),
                id: VersionId::new(now),
                valid_from: from.to_string(),
                revision: if same_day { before.revision + 1 } else { 1 },
                hash,
                body: serde_json::to_string(&record)?,
                known: true,
            });
        }
        if !dry_run {
            insert(&tx, &new, import, now).await?;
        }
        Ok(written)
    })
}

async fn insert(tx: &Tx, new: &[New], import: ImportId, now: Timestamp) -> Result<()> {
    for chunk in new.chunks(100) {
        let rows: Vec<String> = (0..chunk.len())
            .map(|n| format!("({})", placeholders(n * 8 + 1, 8)))
            .collect();
        let mut values = Vec::with_capacity(chunk.len() * 8);
        for v in chunk {
            values.extend(params![
                v.id,
                v.code,
                v.valid_from,
                v.revision,
                v.hash,
                v.body,
                import,
                now
            ]);
        }
        let sql = format!(
            "INSERT INTO procedure_version (id, code, valid_from, revision, hash, body, import_id, imported_at) VALUES {}",
            rows.join(", ")
        );
        tx.exec(&sql, values).await?;
    }
    for chunk in new.iter().filter(|v| !v.known).collect::<Vec<_>>().chunks(200) {
        let rows: Vec<String> = (0..chunk.len())
            .map(|n| format!("({})", placeholders(n * 5 + 1, 5)))
            .collect();
        let mut values = Vec::with_capacity(chunk.len() * 5);
        for v in chunk {
            values.extend(params![v.code, v.id, v.hash, v.valid_from, v.revision]);
        }
        let sql = format!(
            "INSERT INTO procedure_current (code, version_id, hash, valid_from, revision) VALUES {}",
            rows.join(", ")
        );
        tx.exec(&sql, values).await?;
    }
    for v in new.iter().filter(|v| v.known) {
        tx.exec(
            "UPDATE procedure_current SET version_id = $2, hash = $3, valid_from = $4, revision = $5 WHERE code = $1",
            params![v.code, v.id, v.hash, v.valid_from, v.revision],
        )
        .await?;
    }
    Ok(())
}

/// The first day of a version whose source does not tell it: the day on which it was fetched.
fn first_day(record: &Record, today: Date) -> Date {
    let fetched = record
        .layers
        .values()
        .filter_map(|s| s.source.retrieved.parse::<Date>().ok())
        .min();
    fetched.map_or(today, |d| d.min(today))
}

/// Notes what an import did.
pub async fn write_import(store: &Store, id: ImportId, at: Timestamp, report: &Report) -> Result<()> {
    let files = serde_json::to_string(&report.files)?;
    let text = serde_json::to_string(report)?;
    let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let c = report.counts;
    transact!(store, |tx| {
        tx.exec(
            "INSERT INTO procedure_import (id, at, files, added, changed, unchanged, refused, report) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            params![
                id,
                at,
                files,
                count(c.added),
                count(c.changed),
                count(c.unchanged),
                count(c.refused),
                text
            ],
        )
        .await?;
        Ok(())
    })
}

/// All procedures in their present version, by code. Reads a thousand at a time.
pub async fn current(store: &Store) -> Result<Vec<Entry>> {
    let sql = "SELECT c.code, c.hash, c.valid_from, c.revision, v.body FROM procedure_current c \
               JOIN procedure_version v ON v.id = c.version_id WHERE c.code > $1 ORDER BY c.code LIMIT 1000";
    let mut entries = Vec::new();
    let mut after = String::new();
    loop {
        let rows = store.read().all::<CurrentRow>(sql, params![after]).await?;
        let Some(last) = rows.last() else { return Ok(entries) };
        after.clone_from(&last.code);
        for row in rows {
            entries.push(read(&row.code, &row.valid_from, &row.body, None)?);
        }
    }
}

/// The version of a procedure that holds on a day.
pub async fn on(store: &Store, code: &Code, day: Date) -> Result<Option<Entry>> {
    let row = store
        .read()
        .one::<VersionRow>(
            "SELECT valid_from, body FROM procedure_version WHERE code = $1 AND valid_from <= $2 \
             ORDER BY valid_from DESC, revision DESC LIMIT 1",
            params![code.as_str(), day.to_string()],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let next = store
        .read()
        .scalar::<String>(
            "SELECT valid_from FROM procedure_version WHERE code = $1 AND valid_from > $2 ORDER BY valid_from LIMIT 1",
            params![code.as_str(), row.valid_from],
        )
        .await?;
    let last = next
        .and_then(|d| d.parse::<Date>().ok())
        .and_then(|d| d.yesterday().ok());
    read(code.as_str(), &row.valid_from, &row.body, last).map(Some)
}

#[derive(Debug, Row)]
struct HistoryRow {
    valid_from: String,
    revision: i64,
    imported_at: i64,
}

/// All versions of a procedure, the newest first; of one day only the last revision.
pub async fn history(store: &Store, code: &Code) -> Result<Vec<Version>> {
    let rows = store
        .read()
        .all::<HistoryRow>(
            "SELECT valid_from, revision, imported_at FROM procedure_version WHERE code = $1 \
             ORDER BY valid_from DESC, revision DESC LIMIT 200",
            params![code.as_str()],
        )
        .await?;
    let mut versions: Vec<Version> = Vec::new();
    for row in rows {
        let valid_from = date(&row.valid_from)?;
        if versions.last().is_some_and(|v| v.valid_from == valid_from) {
            continue;
        }
        let valid_to = versions.last().and_then(|v| v.valid_from.yesterday().ok());
        versions.push(Version {
            valid_from,
            valid_to,
            revision: row.revision,
            imported_at: Timestamp::from_micros(row.imported_at),
        });
    }
    Ok(versions)
}

#[derive(Debug, Row)]
struct ImportRow {
    id: Uuid,
    at: i64,
    files: String,
    added: i64,
    changed: i64,
    unchanged: i64,
    refused: i64,
}

/// One import that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// Which.
    pub id: ImportId,
    /// When.
    pub at: Timestamp,
    /// Its files.
    pub files: Vec<String>,
    /// New, changed, unchanged, refused.
    pub counts: [i64; 4],
}

/// The newest imports.
pub async fn imports(store: &Store, limit: u32) -> Result<Vec<Done>> {
    let rows = store
        .read()
        .all::<ImportRow>(
            "SELECT id, at, files, added, changed, unchanged, refused FROM procedure_import \
             ORDER BY at DESC, id DESC LIMIT $1",
            params![i64::from(limit)],
        )
        .await?;
    rows.into_iter()
        .map(|r| {
            Ok(Done {
                id: ImportId::from_uuid(r.id),
                at: Timestamp::from_micros(r.at),
                files: serde_json::from_str(&r.files)?,
                counts: [r.added, r.changed, r.unchanged, r.refused],
            })
        })
        .collect()
}

fn read(code: &str, valid_from: &str, body: &str, last: Option<Date>) -> Result<Entry> {
    let record: Record = serde_json::from_str(body)?;
    let code: Code = code.parse().map_err(Error::internal)?;
    Ok(record.entry(&code, date(valid_from)?, last))
}

fn date(text: &str) -> Result<Date> {
    text.parse::<Date>().map_err(Error::internal)
}
