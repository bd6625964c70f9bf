//! The tables of findings. Nobody else's SQL touches them.

use std::collections::{BTreeMap, BTreeSet};

use base::{Result, Timestamp};
use store::{MOST_VALUES, Param, Read, Row, Tx, among, padded, params, sea_orm};
use uuid::Uuid;

use super::{
    STILL_KNOWN,
    index::{self, Values},
};
use crate::model::RegistryCode;

/// A value that a record has in common with others, or that leads to another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tie {
    /// Which sort.
    pub slot: i64,
    /// The first 16 bytes of SHA-256 over the value.
    pub value: Vec<u8>,
}

/// How far the judging of a registry has come.
#[derive(Debug, Clone, PartialEq, Eq, Row)]
pub struct JudgedRow {
    pub upto: i64,
    pub edition: i64,
    pub sweeping: i64,
    pub swept: Option<Uuid>,
    pub swept_count: i64,
}

/// A part of a timeline with the version that speaks.
#[derive(Debug, Clone, Row)]
pub struct PartRow {
    pub record_id: Uuid,
    pub valid_from: i64,
    pub valid_to: i64,
    pub seq: i64,
    pub ended: bool,
    pub recorded_at: i64,
    pub edition: i64,
    pub body: Option<String>,
}

/// What is known of a record.
#[derive(Debug, Clone, PartialEq, Eq, Row)]
pub struct StandingRow {
    pub record_id: Uuid,
    pub counts: bool,
    pub keys: Vec<u8>,
    pub again_at: Option<i64>,
}

/// A finding, as kept.
#[derive(Debug, Clone, PartialEq, Eq, Row)]
pub struct FindingRow {
    pub id: Uuid,
    pub registry: String,
    pub record_id: Uuid,
    pub rule: String,
    pub dimension: String,
    pub state: String,
    pub seq: i64,
    pub first_seen: i64,
    pub due_at: i64,
    pub mark: Vec<u8>,
    pub owner: Option<Uuid>,
    pub owner_name: Option<String>,
    pub closed_at: Option<i64>,
    pub closed_seq: Option<i64>,
    pub excuse: Option<String>,
    pub excused_by: Option<String>,
}

const FINDING: &str = "id, registry, record_id, rule, dimension, state, seq, first_seen, due_at, mark, owner, owner_name, closed_at, \
     closed_seq, excuse, excused_by";

#[derive(Debug, Row)]
struct RecordRow {
    record_id: Uuid,
}

/// Takes the turn to judge a registry: whoever comes next waits until this transaction has ended.
pub async fn turn(tx: &Tx, code: &RegistryCode) -> Result<JudgedRow> {
    let sql = "INSERT INTO registry_judged (registry, upto, edition, sweeping, swept, swept_count) VALUES ($1, 0, 0, 0, $2, 0) \
               ON CONFLICT (registry) DO UPDATE SET upto = registry_judged.upto RETURNING upto, edition, sweeping, swept, swept_count";
    let row = tx.one(sql, params![code.as_str(), None::<Uuid>]).await?;
    row.ok_or_else(|| base::Error::internal("a row that was just written is not there"))
}

/// How far it has come, for whoever looks.
pub async fn judged(db: &impl Read, code: &RegistryCode) -> Result<Option<JudgedRow>> {
    let sql = "SELECT upto, edition, sweeping, swept, swept_count FROM registry_judged WHERE registry = $1";
    db.one(sql, params![code.as_str()]).await
}

/// Notes how far it has come.
pub async fn leave(tx: &Tx, code: &RegistryCode, row: &JudgedRow) -> Result<()> {
    let sql = "UPDATE registry_judged SET upto = $2, edition = $3, sweeping = $4, swept = $5, swept_count = $6 WHERE registry = $1";
    let values = params![
        code.as_str(),
        row.upto,
        row.edition,
        row.sweeping,
        row.swept,
        row.swept_count
    ];
    tx.exec(sql, values).await.map(drop)
}

/// From now on all records of a registry are to be judged anew.
pub async fn anew(tx: &Tx, code: &RegistryCode) -> Result<()> {
    let sql = "UPDATE registry_judged SET edition = 0, sweeping = 0, swept = $2, swept_count = 0 WHERE registry = $1";
    tx.exec(sql, params![code.as_str(), None::<Uuid>]).await.map(drop)
}

/// Records that are to be judged again by now, the longest due first.
pub async fn due(db: &impl Read, code: &RegistryCode, now: Timestamp, limit: i64) -> Result<Vec<Uuid>> {
    let sql =
        "SELECT record_id FROM registry_standing WHERE registry = $1 AND again_at <= $2 ORDER BY again_at LIMIT $3";
    let rows: Vec<RecordRow> = db.all(sql, params![code.as_str(), now, limit]).await?;
    Ok(rows.into_iter().map(|row| row.record_id).collect())
}

/// When the next record is to be judged again.
pub async fn next_due(db: &impl Read, code: &RegistryCode) -> Result<Option<i64>> {
    let sql =
        "SELECT again_at FROM registry_standing WHERE registry = $1 AND again_at IS NOT NULL ORDER BY again_at LIMIT 1";
    db.scalar(sql, params![code.as_str()]).await
}

/// Asks for the rows of some records, many at a time; `{}` in the statement is the list, which begins at parameter `$n`.
async fn of_records<R: sea_orm::FromQueryResult + Send>(
    db: &impl Read,
    sql: &str,
    before: Vec<sea_orm::Value>,
    records: &[Uuid],
) -> Result<Vec<R>> {
    let mut rows = Vec::new();
    for records in padded(records, MOST_VALUES) {
        let sql = sql.replace("{}", &among(before.len() + 1, records.len()));
        let mut values = before.clone();
        values.extend(records.iter().map(Param::value));
        rows.extend(db.all::<R>(&sql, values).await?);
    }
    Ok(rows)
}

/// The timelines of records as they are known now, by record, in their order.
pub async fn parts(db: &impl Read, code: &RegistryCode, records: &[Uuid]) -> Result<BTreeMap<Uuid, Vec<PartRow>>> {
    let sql = "SELECT s.record_id, s.valid_from, s.valid_to, s.seq, s.ended, v.recorded_at, v.edition, v.body \
               FROM registry_segment s JOIN registry_version v ON v.record_id = s.record_id AND v.seq = s.seq \
               WHERE s.registry = $1 AND s.known_to = $2 AND s.record_id IN ({})";
    let rows: Vec<PartRow> = of_records(db, sql, params![code.as_str(), STILL_KNOWN], records).await?;
    let mut parts: BTreeMap<Uuid, Vec<PartRow>> = BTreeMap::new();
    for row in rows {
        parts.entry(row.record_id).or_default().push(row);
    }
    for of_one in parts.values_mut() {
        of_one.sort_unstable_by_key(|part| part.valid_from);
    }
    Ok(parts)
}

/// The keys by which records are found, as is known now, and those by which they were: `(key, still)`.
pub async fn keys(
    db: &impl Read,
    code: &RegistryCode,
    records: &[Uuid],
) -> Result<BTreeMap<Uuid, BTreeSet<(String, bool)>>> {
    #[derive(Row)]
    struct FoundRow {
        record_id: Uuid,
        known_to: i64,
        found: Vec<u8>,
    }
    let sql = "SELECT record_id, known_to, found FROM registry_segment WHERE registry = $1 AND record_id IN ({})";
    let rows: Vec<FoundRow> = of_records(db, sql, params![code.as_str()], records).await?;
    let slot = index::slot(code, None);
    let mut keys: BTreeMap<Uuid, BTreeSet<(String, bool)>> = BTreeMap::new();
    for row in rows {
        for key in Values::unpack(&row.found)?.of(slot) {
            let key = String::from_utf8_lossy(key).into_owned();
            let of_one = keys.entry(row.record_id).or_default();
            of_one.insert((key, row.known_to == STILL_KNOWN));
        }
    }
    Ok(keys)
}

/// What is known of records.
pub async fn standings(db: &impl Read, records: &[Uuid]) -> Result<BTreeMap<Uuid, StandingRow>> {
    let sql = "SELECT record_id, counts, keys, again_at FROM registry_standing WHERE record_id IN ({})";
    let rows: Vec<StandingRow> = of_records(db, sql, Vec::new(), records).await?;
    Ok(rows.into_iter().map(|row| (row.record_id, row)).collect())
}

/// Notes what is known of records.
pub async fn stand(tx: &Tx, code: &RegistryCode, rows: &[StandingRow]) -> Result<()> {
    let row = |s: &StandingRow| params![code.as_str(), s.record_id, s.counts, s.keys, s.again_at];
    let rows: Vec<_> = rows.iter().map(row).collect();
    let after = " ON CONFLICT (record_id) DO UPDATE SET counts = excluded.counts, keys = excluded.keys, again_at = excluded.again_at";
    let into = "registry_standing (registry, record_id, counts, keys, again_at)";
    tx.insert(into, &rows, after).await
}

/// The ties of records.
pub async fn ties(db: &impl Read, records: &[Uuid]) -> Result<BTreeMap<Uuid, BTreeSet<Tie>>> {
    #[derive(Row)]
    struct TieRow {
        record_id: Uuid,
        slot: i64,
        value: Vec<u8>,
    }
    let sql = "SELECT record_id, slot, value FROM registry_tie WHERE record_id IN ({})";
    let rows: Vec<TieRow> = of_records(db, sql, Vec::new(), records).await?;
    let mut ties: BTreeMap<Uuid, BTreeSet<Tie>> = BTreeMap::new();
    for TieRow { record_id, slot, value } in rows {
        ties.entry(record_id).or_default().insert(Tie { slot, value });
    }
    Ok(ties)
}

/// Makes and cuts ties of a record.
pub async fn retie(tx: &Tx, code: &RegistryCode, record: Uuid, old: &BTreeSet<Tie>, new: &BTreeSet<Tie>) -> Result<()> {
    for tie in old.difference(new) {
        let sql = "DELETE FROM registry_tie WHERE slot = $1 AND value = $2 AND record_id = $3";
        tx.exec(sql, params![tie.slot, tie.value, record]).await?;
    }
    let rows: Vec<_> = new
        .difference(old)
        .map(|tie| params![tie.slot, tie.value, code.as_str(), record])
        .collect();
    tx.insert("registry_tie (slot, value, registry, record_id)", &rows, "")
        .await
}

/// Others that are tied alike, at most so many.
pub async fn tied(db: &impl Read, tie: &Tie, but: Uuid, limit: i64) -> Result<Vec<Uuid>> {
    let sql = "SELECT record_id FROM registry_tie WHERE slot = $1 AND value = $2 AND record_id <> $3 ORDER BY record_id LIMIT $4";
    let rows: Vec<RecordRow> = db.all(sql, params![tie.slot, tie.value, but, limit]).await?;
    Ok(rows.into_iter().map(|row| row.record_id).collect())
}

/// The newest of those that have one of these in common, at most so many, the newest first: ids of records are in the order of their making.
pub async fn newest_tied(db: &impl Read, ties: &[Tie], limit: i64) -> Result<Vec<Uuid>> {
    let sql = "SELECT record_id FROM registry_tie WHERE slot = $1 AND value = $2 ORDER BY record_id DESC LIMIT $3";
    let mut found = BTreeSet::new();
    for tie in ties {
        let rows: Vec<RecordRow> = db.all(sql, params![tie.slot, tie.value, limit]).await?;
        found.extend(rows.into_iter().map(|row| row.record_id));
    }
    let most = usize::try_from(limit).unwrap_or(0);
    Ok(found.into_iter().rev().take(most).collect())
}

/// The registries of those that are tied alike.
pub async fn registries_tied(db: &impl Read, tie: &Tie) -> Result<Vec<String>> {
    #[derive(Row)]
    struct CodeRow {
        registry: String,
    }
    let sql = "SELECT DISTINCT registry FROM registry_tie WHERE slot = $1 AND value = $2";
    let rows: Vec<CodeRow> = db.all(sql, params![tie.slot, tie.value]).await?;
    Ok(rows.into_iter().map(|row| row.registry).collect())
}

/// From an instant on a record is to be judged again.
pub async fn again(tx: &Tx, record: Uuid, at: Timestamp) -> Result<()> {
    let sql = "UPDATE registry_standing SET again_at = $2 WHERE record_id = $1";
    tx.exec(sql, params![record, at]).await.map(drop)
}

/// From an instant on all that are tied alike are to be judged again.
pub async fn all_again(tx: &Tx, tie: &Tie, at: Timestamp) -> Result<u64> {
    let sql = "UPDATE registry_standing SET again_at = $3 WHERE record_id IN \
               (SELECT record_id FROM registry_tie WHERE slot = $1 AND value = $2)";
    tx.exec(sql, params![tie.slot, tie.value, at]).await
}

/// The findings of records that are open or excused.
pub async fn standing_findings(db: &impl Read, records: &[Uuid]) -> Result<BTreeMap<Uuid, Vec<FindingRow>>> {
    let sql = format!("SELECT {FINDING} FROM registry_finding WHERE record_id IN ({{}}) AND state <> 'mended'");
    let rows: Vec<FindingRow> = of_records(db, &sql, Vec::new(), records).await?;
    let mut findings: BTreeMap<Uuid, Vec<FindingRow>> = BTreeMap::new();
    for row in rows {
        findings.entry(row.record_id).or_default().push(row);
    }
    Ok(findings)
}

/// Adds findings.
pub async fn add(tx: &Tx, rows: &[FindingRow]) -> Result<()> {
    let row = |f: &FindingRow| {
        params![
            f.id,
            f.registry,
            f.record_id,
            f.rule,
            f.dimension,
            f.state,
            f.seq,
            f.first_seen,
            f.due_at,
            f.mark,
            f.owner,
            f.owner_name,
            f.closed_at,
            f.closed_seq,
            f.excuse,
            f.excused_by
        ]
    };
    let rows: Vec<_> = rows.iter().map(row).collect();
    tx.insert(&format!("registry_finding ({FINDING})"), &rows, "").await
}

/// Changes a finding, if it still is in the state in which it was seen.
pub async fn change(tx: &Tx, row: &FindingRow, seen: &str) -> Result<bool> {
    let sql = "UPDATE registry_finding SET state = $3, dimension = $4, due_at = $5, mark = $6, owner = $7, owner_name = $8, \
               closed_at = $9, closed_seq = $10, excuse = $11, excused_by = $12 WHERE id = $1 AND state = $2";
    let values = params![
        row.id,
        seen,
        row.state,
        row.dimension,
        row.due_at,
        row.mark,
        row.owner,
        row.owner_name,
        row.closed_at,
        row.closed_seq,
        row.excuse,
        row.excused_by
    ];
    Ok(tx.exec(sql, values).await? == 1)
}

/// A finding.
pub async fn finding(db: &impl Read, id: Uuid) -> Result<Option<FindingRow>> {
    let sql = format!("SELECT {FINDING} FROM registry_finding WHERE id = $1");
    db.one(&sql, params![id]).await
}

/// Which findings are asked for; all conditions hold.
#[derive(Debug, Clone, Default)]
pub struct Filter<'a> {
    pub state: &'a str,
    pub rule: Option<&'a str>,
    pub dimension: Option<&'a str>,
    pub owner: Option<Uuid>,
    /// Due before this instant.
    pub before: Option<Timestamp>,
    pub after: Option<(i64, Uuid)>,
}

/// Findings, those that are due first coming first.
pub async fn list(db: &impl Read, code: &RegistryCode, filter: &Filter<'_>, limit: u32) -> Result<Vec<FindingRow>> {
    let mut values = params![code.as_str(), filter.state];
    let mut wheres = "registry = $1 AND state = $2".to_owned();
    let mut and = |condition: &str, value: sea_orm::Value| {
        values.push(value);
        wheres.push_str(&format!(" AND {condition} ${}", values.len()));
    };
    if let Some(rule) = filter.rule {
        and("rule =", rule.value());
    }
    if let Some(dimension) = filter.dimension {
        and("dimension =", dimension.value());
    }
    if let Some(owner) = filter.owner {
        and("owner =", owner.value());
    }
    if let Some(before) = filter.before {
        and("due_at <", before.value());
    }
    if let Some((due, id)) = filter.after {
        values.push(due.value());
        values.push(id.value());
        let n = values.len();
        wheres.push_str(&format!(" AND (due_at, id) > (${}, ${n})", n - 1));
    }
    values.push(i64::from(limit).value());
    let sql = format!(
        "SELECT {FINDING} FROM registry_finding WHERE {wheres} ORDER BY due_at, id LIMIT ${}",
        values.len()
    );
    db.all(&sql, values).await
}

/// Adds to counters of a month.
pub async fn count(tx: &Tx, code: &RegistryCode, month: i64, changes: &BTreeMap<String, i64>) -> Result<()> {
    let changed = changes.iter().filter(|(_, n)| **n != 0);
    let rows: Vec<_> = changed
        .map(|(measure, n)| params![code.as_str(), measure, month, *n])
        .collect();
    let after = " ON CONFLICT (registry, measure, month) DO UPDATE SET n = registry_count.n + excluded.n";
    tx.insert("registry_count (registry, measure, month, n)", &rows, after)
        .await
}

/// What stood at the end of a month, by measure.
pub async fn stood(db: &impl Read, code: &RegistryCode, month: i64) -> Result<BTreeMap<String, i64>> {
    #[derive(Row)]
    struct SumRow {
        measure: String,
        n: i64,
    }
    // A sum of whole numbers is a decimal on PostgreSQL.
    let sql = "SELECT measure, CAST(SUM(n) AS BIGINT) AS n FROM registry_count WHERE registry = $1 AND month <= $2 GROUP BY measure";
    let rows: Vec<SumRow> = db.all(sql, params![code.as_str(), month]).await?;
    Ok(rows.into_iter().map(|row| (row.measure, row.n)).collect())
}

/// What changed, by month and measure.
pub async fn changes(db: &impl Read, code: &RegistryCode) -> Result<BTreeMap<i64, Vec<(String, i64)>>> {
    #[derive(Row)]
    struct ChangeRow {
        measure: String,
        month: i64,
        n: i64,
    }
    let sql = "SELECT measure, month, n FROM registry_count WHERE registry = $1";
    let rows: Vec<ChangeRow> = db.all(sql, params![code.as_str()]).await?;
    let mut changes: BTreeMap<i64, Vec<(String, i64)>> = BTreeMap::new();
    for row in rows {
        changes.entry(row.month).or_default().push((row.measure, row.n));
    }
    Ok(changes)
}

/// Records that count, after one in the order of their ids.
pub async fn counting_after(db: &impl Read, code: &RegistryCode, after: Uuid, limit: i64) -> Result<Vec<Uuid>> {
    let sql = "SELECT record_id FROM registry_standing WHERE registry = $1 AND counts AND record_id > $2 ORDER BY record_id LIMIT $3";
    let rows: Vec<RecordRow> = db.all(sql, params![code.as_str(), after, limit]).await?;
    Ok(rows.into_iter().map(|row| row.record_id).collect())
}

/// Forgets everything in which people may have written what an erased record said. Its ties go when it is judged, so that those whom they
/// tied are judged too.
pub async fn forget(tx: &Tx, record: Uuid) -> Result<()> {
    let sql = "UPDATE registry_finding SET excuse = NULL WHERE record_id = $1";
    tx.exec(sql, params![record]).await?;
    let sql = "UPDATE registry_pair_act SET why = '' WHERE pair_id IN \
               (SELECT id FROM registry_pair WHERE one_id = $1 UNION SELECT id FROM registry_pair WHERE other_id = $1)";
    tx.exec(sql, params![record]).await.map(drop)
}
