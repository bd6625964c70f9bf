//! What is known of records, many at a time: read together, and written together.

use std::collections::BTreeMap;

use base::Result;
use store::{MOST_VALUES, Param, Read, Row, Tx, among, padded, params, sea_orm};
use uuid::Uuid;

use super::{
    Part, STILL_KNOWN, SegmentRow, VERSION, VersionRow,
    write::{INDEX, SEGMENTS},
};
use crate::model::RegistryCode;

/// A row of a timeline: the record, from when it is valid, and since when it is known.
pub type SegmentKey = (Uuid, i64, i64);

/// A row of the index: the record, the value, from when it is valid, and since when it is known.
pub type FoundKey = (Uuid, i64, Vec<u8>, i64, i64);

/// Parts of timelines to be written, each with until when it is known.
pub type Parts = BTreeMap<SegmentKey, (Part, i64)>;

/// Values to be written by which records are found, each with until when it is valid and until when it is known.
pub type Index = BTreeMap<FoundKey, (i64, i64)>;

#[derive(Row)]
struct KeyRow {
    value: Vec<u8>,
    record_id: Option<Uuid>,
}

#[derive(Row)]
struct KnownSegmentRow {
    record_id: Uuid,
    valid_from: i64,
    valid_to: i64,
    known_from: i64,
    seq: i64,
    ended: bool,
    begins: bool,
    found: Vec<u8>,
}

/// The records that are or were found by these keys; of several with one key that of which it is known now, or was last.
///
/// Each key is looked up by itself. PostgreSQL would keep the plan of a join from when the table was small, and go through the
/// whole of it once it is full.
pub async fn by_keys(db: &impl Read, slot: i64, keys: &[&str]) -> Result<BTreeMap<Vec<u8>, Uuid>> {
    let mut found = BTreeMap::new();
    for keys in padded(keys, MOST_VALUES) {
        let sql = format!(
            "SELECT column1 AS value, (SELECT i.record_id FROM registry_index i WHERE i.slot = $1 AND i.value = asked.column1 \
             ORDER BY i.known_to DESC, i.valid_from DESC LIMIT 1) AS record_id FROM ({}) AS asked",
            among(2, keys.len())
        );
        let mut values = params![slot];
        values.extend(keys.iter().map(|key| key.as_bytes().value()));
        let rows: Vec<KeyRow> = db.all(&sql, values).await?;
        found.extend(rows.into_iter().filter_map(|row| Some((row.value, row.record_id?))));
    }
    Ok(found)
}

/// All versions of these records, each record's in their order.
pub async fn versions(db: &impl Read, records: &[Uuid]) -> Result<Vec<VersionRow>> {
    let mut all = Vec::new();
    for records in padded(records, MOST_VALUES) {
        let sql = format!(
            "SELECT {VERSION} FROM registry_version v WHERE v.record_id IN ({}) ORDER BY v.record_id, v.seq",
            among(1, records.len())
        );
        all.extend(db.all::<VersionRow>(&sql, params_of(&records)).await?);
    }
    Ok(all)
}

/// What timelines of these records are known now.
pub async fn parts(db: &impl Read, code: &RegistryCode, records: &[Uuid]) -> Result<Vec<(SegmentKey, Part)>> {
    let mut all = Vec::new();
    for records in padded(records, MOST_VALUES) {
        let sql = format!(
            "SELECT record_id, valid_from, valid_to, known_from, seq, ended, begins, found FROM registry_segment \
             WHERE registry = $1 AND known_to = $2 AND record_id IN ({})",
            among(3, records.len())
        );
        let mut values = params![code.as_str(), STILL_KNOWN];
        values.extend(params_of(&records));
        for row in db.all::<KnownSegmentRow>(&sql, values).await? {
            let key = (row.record_id, row.valid_from, row.known_from);
            let row = SegmentRow {
                valid_from: row.valid_from,
                valid_to: row.valid_to,
                seq: row.seq,
                ended: row.ended,
                begins: row.begins,
                found: row.found,
            };
            all.push((key, row.part()?));
        }
    }
    Ok(all)
}

fn params_of(records: &[Uuid]) -> Vec<sea_orm::Value> {
    records.iter().map(Param::value).collect()
}

/// Writes rows of timelines; of those that are there already, until when they were known.
pub async fn put_parts(tx: &Tx, code: &RegistryCode, rows: &Parts) -> Result<()> {
    let rows: Vec<_> = rows
        .iter()
        .map(|((record, valid_from, known_from), (part, known_to))| {
            let segment = &part.segment;
            params![
                code.as_str(),
                *record,
                *valid_from,
                segment.span.to().stored(),
                *known_from,
                *known_to,
                segment.seq,
                segment.ended,
                segment.begins,
                part.values.packed()
            ]
        })
        .collect();
    let known = " ON CONFLICT (registry, record_id, valid_from, known_from) DO UPDATE SET known_to = excluded.known_to";
    tx.insert(SEGMENTS, &rows, known).await
}

/// Writes rows of the index, in its order; of those that are there already, until when they were known.
pub async fn put_index(tx: &Tx, rows: &Index) -> Result<()> {
    let mut rows: Vec<_> = rows.iter().collect();
    rows.sort_unstable_by(|((a, slot, value, ..), _), ((b, other, another, ..), _)| {
        (slot, value, a).cmp(&(other, another, b))
    });
    let rows: Vec<_> = rows
        .into_iter()
        .map(
            |((record, slot, value, valid_from, known_from), (valid_to, known_to))| {
                params![*slot, *record, value, *valid_from, *valid_to, *known_from, *known_to]
            },
        )
        .collect();
    let known =
        " ON CONFLICT (slot, value, record_id, valid_from, known_from) DO UPDATE SET known_to = excluded.known_to";
    tx.insert(INDEX, &rows, known).await
}
