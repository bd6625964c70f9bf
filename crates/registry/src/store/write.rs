//! Adding versions.

use std::collections::BTreeSet;

use base::{Error, Result, Timestamp};
use store::{Column, MOST_VALUES, Param, Read, Row, Tx, among, padded, params, sea_orm};
use uuid::Uuid;

use super::{Part, STILL_KNOWN, SegmentRow, VERSION, VersionRow, index::Values};
use crate::{
    history::{Segment, Timeline},
    model::RegistryCode,
};

/// A value by which a record is found during a span.
pub type Found = (i64, Vec<u8>, i64, i64);

/// What is known of a record: the parts of its timeline, in order.
#[derive(Debug, Default)]
pub struct Folded(pub Vec<Part>);

impl Folded {
    /// The timeline.
    pub fn timeline(&self) -> Timeline {
        Timeline::from_segments(self.0.iter().map(|part| part.segment).collect())
    }

    /// The values by which the record is found, spans that meet joined.
    pub fn found(&self) -> BTreeSet<Found> {
        let mut open: Vec<Found> = Vec::new();
        let mut whole = BTreeSet::new();
        for part in &self.0 {
            let (from, to) = (part.segment.span.from().stored(), part.segment.span.to().stored());
            let mut next = Vec::with_capacity(part.values.iter().len());
            for (slot, value) in part.values.iter() {
                let goes_on = open.iter().position(|o| o.0 == slot && o.1 == value && o.3 == from);
                let (value, from) = goes_on.map_or_else(
                    || (value.to_vec(), from),
                    |at| {
                        let before = open.swap_remove(at);
                        (before.1, before.2)
                    },
                );
                next.push((slot, value, from, to));
            }
            whole.extend(open);
            open = next;
        }
        whole.extend(open);
        whole
    }
}

/// Takes the turn to write to a registry: whoever comes next waits until this transaction has ended. Gives the instants at which
/// `count` versions are recorded: after every earlier one, whatever the clock says.
pub async fn turn(tx: &Tx, code: &RegistryCode, count: i64, now: Timestamp) -> Result<i64> {
    let sql = "UPDATE registry SET last_recorded = CASE WHEN last_recorded < $2 THEN $2 ELSE last_recorded + 1 END + $3 \
               WHERE code = $1 RETURNING last_recorded";
    let last: Option<i64> = tx.scalar(sql, params![code.as_str(), now, count - 1]).await?;
    let last = last.ok_or_else(|| Error::internal(format!("no registry {code}")))?;
    Ok(last - (count - 1))
}

/// Takes the turn to write to a registry, as [`turn`]; gives the instant of its newest version.
pub async fn hold(tx: &Tx, code: &RegistryCode) -> Result<i64> {
    let sql = "UPDATE registry SET last_recorded = last_recorded WHERE code = $1 RETURNING last_recorded";
    let last: Option<i64> = tx.scalar(sql, params![code.as_str()]).await?;
    last.ok_or_else(|| Error::internal(format!("no registry {code}")))
}

/// That the newest version of a registry, whose turn is this transaction's, is of this instant.
pub async fn reach(tx: &Tx, code: &RegistryCode, last: i64) -> Result<()> {
    let sql = "UPDATE registry SET last_recorded = $2 WHERE code = $1";
    tx.exec(sql, params![code.as_str(), last]).await.map(drop)
}

/// The versions of a record, in their order.
pub async fn versions(db: &impl Read, record: Uuid) -> Result<Vec<VersionRow>> {
    let sql = format!("SELECT {VERSION} FROM registry_version v WHERE v.record_id = $1 ORDER BY v.seq");
    db.all(&sql, params![record]).await
}

/// One version of a record.
pub async fn version(db: &impl Read, record: Uuid, seq: i64) -> Result<Option<VersionRow>> {
    let sql = format!("SELECT {VERSION} FROM registry_version v WHERE v.record_id = $1 AND v.seq = $2");
    db.one(&sql, params![record, seq]).await
}

/// Records of which something is known, after one in the order of their ids; at most `limit`.
pub async fn known_after(db: &impl Read, code: &RegistryCode, after: Uuid, limit: i64) -> Result<Vec<Uuid>> {
    #[derive(Row)]
    struct Known {
        record_id: Uuid,
    }
    let sql = "SELECT DISTINCT record_id FROM registry_segment WHERE registry = $1 AND record_id > $2 AND known_to = $3 \
               ORDER BY record_id LIMIT $4";
    let values = params![code.as_str(), after, STILL_KNOWN, limit];
    let known = db.all::<Known>(sql, values).await?;
    Ok(known.into_iter().map(|known| known.record_id).collect())
}

/// The newest version of a record of a registry.
pub async fn newest(db: &impl Read, code: &RegistryCode, record: Uuid) -> Result<Option<VersionRow>> {
    let sql = format!(
        "SELECT {VERSION} FROM registry_version v WHERE v.record_id = $1 AND v.registry = $2 ORDER BY v.seq DESC LIMIT 1"
    );
    db.one(&sql, params![record, code.as_str()]).await
}

/// What is known of a record now.
pub async fn folded(db: &impl Read, code: &RegistryCode, record: Uuid) -> Result<Folded> {
    let sql = "SELECT valid_from, valid_to, seq, ended, begins, found FROM registry_segment \
               WHERE registry = $1 AND record_id = $2 AND known_to = $3 ORDER BY valid_from";
    let rows: Vec<SegmentRow> = db.all(sql, params![code.as_str(), record, STILL_KNOWN]).await?;
    rows.iter().map(SegmentRow::part).collect::<Result<_>>().map(Folded)
}

/// Another record that is found by the same key during a span, if there is one.
pub async fn same_key(db: &impl Read, slot: i64, key: &str, span: (i64, i64), record: Uuid) -> Result<Option<Uuid>> {
    let sql = "SELECT record_id FROM registry_index WHERE slot = $1 AND value = $2 AND record_id <> $3 \
               AND known_to = $4 AND valid_from < $5 AND valid_to > $6 LIMIT 1";
    let values = params![slot, key.as_bytes(), record, STILL_KNOWN, span.1, span.0];
    db.scalar(sql, values).await
}

/// Of these keys those by which a record is found at any moment.
pub async fn taken(db: &impl Read, slot: i64, keys: &[&str]) -> Result<BTreeSet<Vec<u8>>> {
    #[derive(Row)]
    struct ValueRow {
        value: Vec<u8>,
    }
    let mut taken = BTreeSet::new();
    for keys in padded(keys, MOST_VALUES) {
        // Each key is looked up. A join would be planned for the table as it was when the statement was first prepared, and go
        // through the whole of it once it is full.
        let sql = format!(
            "SELECT column1 AS value FROM ({}) AS asked WHERE \
             (SELECT 1 FROM registry_index i WHERE i.slot = $1 AND i.value = asked.column1 AND i.known_to = $2 LIMIT 1) = 1",
            among(3, keys.len())
        );
        let mut values = params![slot, STILL_KNOWN];
        values.extend(keys.iter().map(|key| key.as_bytes().value()));
        let rows: Vec<ValueRow> = db.all(&sql, values).await?;
        taken.extend(rows.into_iter().map(|row| row.value));
    }
    Ok(taken)
}

const VERSIONS: &str = "registry_version (registry, record_id, seq, kind, effect, valid_from, valid_to, recorded_at, edition, body, \
                        corrects, actor_kind, actor_name, agency, source, basis, dossier)";

/// The table of timelines, and its columns.
pub const SEGMENTS: &str =
    "registry_segment (registry, record_id, valid_from, valid_to, known_from, known_to, seq, ended, begins, found)";

/// The index, and its columns.
pub const INDEX: &str = "registry_index (slot, record_id, value, valid_from, valid_to, known_from, known_to)";

/// Adds versions.
pub async fn add(tx: &Tx, code: &RegistryCode, versions: Vec<VersionRow>) -> Result<()> {
    let row = |v: VersionRow| {
        params![
            code.as_str(),
            v.record_id,
            v.seq,
            v.kind,
            v.effect,
            v.valid_from,
            v.valid_to,
            v.recorded_at,
            v.edition,
            v.body,
            v.corrects,
            v.actor_kind,
            v.actor_name,
            v.agency,
            v.source,
            v.basis,
            v.dossier
        ]
    };
    let rows: Vec<_> = versions.into_iter().map(row).collect();
    tx.insert(VERSIONS, &rows, "").await
}

/// What the first version of a new record has of its own.
pub struct First<'a> {
    pub record: Uuid,
    pub from: i64,
    pub to: Option<i64>,
    pub at: i64,
    pub body: &'a str,
}

/// Adds the first versions of new records, alike but for what each has of its own.
pub async fn add_first<'a>(
    tx: &Tx,
    code: &RegistryCode,
    like: VersionRow,
    rows: impl Iterator<Item = First<'a>> + Send,
) -> Result<()> {
    let columns = |rows: &[First<'a>]| {
        let like = like.clone();
        vec![
            Column::Same(code.as_str().value()),
            Column::Ids(rows.iter().map(|row| row.record).collect()),
            Column::Same(like.seq.value()),
            Column::Same(like.kind.value()),
            Column::Same(like.effect.value()),
            Column::Numbers(rows.iter().map(|row| row.from).collect()),
            Column::Nullable(rows.iter().map(|row| row.to).collect()),
            Column::Numbers(rows.iter().map(|row| row.at).collect()),
            Column::Same(like.edition.value()),
            Column::Texts(rows.iter().map(|row| row.body.to_owned()).collect()),
            Column::Same(like.corrects.value()),
            Column::Same(like.actor_kind.value()),
            Column::Same(like.actor_name.value()),
            Column::Same(like.agency.value()),
            Column::Same(like.source.value()),
            Column::Same(like.basis.value()),
            Column::Same(like.dossier.value()),
        ]
    };
    tx.load(VERSIONS, rows, columns).await
}

/// Adds parts of timelines and by what is found in each, with their records and the instant from which it is known.
pub async fn add_parts<'a>(
    tx: &Tx,
    code: &RegistryCode,
    parts: impl Iterator<Item = (Uuid, (Segment, &'a Values), i64)> + Send,
) -> Result<()> {
    let columns = |rows: &[(Uuid, (Segment, &'a Values), i64)]| {
        let segments = || rows.iter().map(|(_, (segment, _), _)| segment);
        vec![
            Column::Same(code.as_str().value()),
            Column::Ids(rows.iter().map(|(record, ..)| *record).collect()),
            Column::Numbers(segments().map(|segment| segment.span.from().stored()).collect()),
            Column::Numbers(segments().map(|segment| segment.span.to().stored()).collect()),
            Column::Numbers(rows.iter().map(|(_, _, at)| *at).collect()),
            Column::Same(STILL_KNOWN.value()),
            Column::Numbers(segments().map(|segment| segment.seq).collect()),
            Column::Flags(segments().map(|segment| segment.ended).collect()),
            Column::Flags(segments().map(|segment| segment.begins).collect()),
            Column::Bytes(rows.iter().map(|(_, (_, values), _)| values.packed()).collect()),
        ]
    };
    tx.load(SEGMENTS, parts, columns).await
}

/// A value by which a record is found, to be added.
pub struct Entry<'a> {
    pub record: Uuid,
    pub slot: i64,
    pub value: &'a [u8],
    pub from: i64,
    pub to: i64,
    /// The instant from which it is known.
    pub at: i64,
}

/// Adds values by which records are found.
pub async fn add_index<'a>(tx: &Tx, entries: impl Iterator<Item = Entry<'a>> + Send) -> Result<()> {
    let columns = |rows: &[Entry<'a>]| {
        let numbers = |of: fn(&Entry<'a>) -> i64| Column::Numbers(rows.iter().map(of).collect());
        vec![
            numbers(|entry| entry.slot),
            Column::Ids(rows.iter().map(|entry| entry.record).collect()),
            Column::Bytes(rows.iter().map(|entry| entry.value.to_vec()).collect()),
            numbers(|entry| entry.from),
            numbers(|entry| entry.to),
            numbers(|entry| entry.at),
            Column::Same(STILL_KNOWN.value()),
        ]
    };
    tx.load(INDEX, entries, columns).await
}

/// Makes of what was known of a record what is known from `at` on.
pub async fn change(tx: &Tx, code: &RegistryCode, record: Uuid, old: &Folded, new: &Folded, at: i64) -> Result<()> {
    for part in old.0.iter().filter(|part| !new.0.contains(part)) {
        let sql = "UPDATE registry_segment SET known_to = $1 WHERE registry = $2 AND record_id = $3 AND valid_from = $4 AND known_to = $5";
        let from = part.segment.span.from().stored();
        tx.exec(sql, params![at, code.as_str(), record, from, STILL_KNOWN])
            .await?;
    }
    let come = new.0.iter().filter(|part| !old.0.contains(part));
    add_parts(tx, code, come.map(|part| (record, (part.segment, &part.values), at))).await?;
    let (before, after) = (old.found(), new.found());
    for found in before.difference(&after) {
        forget(tx, record, found, at).await?;
    }
    let come = after.difference(&before).map(|(slot, value, from, to)| Entry {
        record,
        slot: *slot,
        value,
        from: *from,
        to: *to,
        at,
    });
    add_index(tx, come).await
}

/// That a record is no longer known to be found by a value from `at` on.
pub async fn forget(tx: &Tx, record: Uuid, (slot, value, from, _): &Found, at: i64) -> Result<()> {
    let sql = "UPDATE registry_index SET known_to = $1 WHERE slot = $2 AND value = $3 AND record_id = $4 AND valid_from = $5 AND known_to = $6";
    tx.exec(sql, params![at, *slot, value, record, *from, STILL_KNOWN])
        .await
        .map(drop)
}

/// Everything by which a record is or was ever found.
pub async fn ever(db: &impl Read, code: &RegistryCode, record: Uuid) -> Result<Values> {
    #[derive(Row)]
    struct FoundRow {
        found: Vec<u8>,
    }
    let sql = "SELECT found FROM registry_segment WHERE registry = $1 AND record_id = $2";
    let rows: Vec<FoundRow> = db.all(sql, params![code.as_str(), record]).await?;
    let mut ever = Vec::new();
    for row in rows {
        let values = Values::unpack(&row.found)?;
        ever.extend(values.iter().map(|(slot, value)| (slot, value.to_vec())));
    }
    Ok(ever.into_iter().collect())
}

/// Takes the bodies of a record away, and everything by which it was or is found (see [`ever`]).
pub async fn erase(tx: &Tx, code: &RegistryCode, record: Uuid, ever: &Values) -> Result<()> {
    tx.exec(
        "UPDATE registry_version SET body = NULL, source = '' WHERE record_id = $1",
        params![record],
    )
    .await?;
    for (slot, value) in ever.iter() {
        let sql = "DELETE FROM registry_index WHERE slot = $1 AND value = $2 AND record_id = $3";
        tx.exec(sql, params![slot, value, record]).await?;
    }
    let sql = "DELETE FROM registry_segment WHERE registry = $1 AND record_id = $2";
    tx.exec(sql, params![code.as_str(), record]).await.map(drop)
}
