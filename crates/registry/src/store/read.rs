//! Finding and reading.

use std::collections::HashMap;

use base::{Error, Result};
use store::{MOST_VALUES, Param, Read, Row, among, padded, params, sea_orm};
use uuid::Uuid;

use super::{NOW, STILL_KNOWN, VERSION, VersionRow, index::Values};
use crate::{history::Moment, model::RegistryCode};

/// A moment of life, as it was known at an instant of here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At {
    /// Valid time.
    pub valid: Moment,
    /// Recorded time, microseconds; [`NOW`] for what is known now.
    pub known: i64,
}

/// What a version says of a moment, with the whole of the version.
#[derive(Debug, Clone)]
pub struct Spoken {
    /// When it speaks.
    pub from: i64,
    /// Until when.
    pub to: i64,
    /// The version.
    pub version: VersionRow,
}

#[derive(Debug, Row)]
struct SpanRow {
    record_id: Uuid,
    span_from: i64,
    span_to: i64,
    seq: i64,
}

/// What holds of these records at a moment, in no order. Records of which nothing holds are not among them.
pub async fn spoken(db: &impl Read, code: &RegistryCode, records: &[Uuid], at: At) -> Result<Vec<Spoken>> {
    let mut spoken = Vec::with_capacity(records.len());
    for records in padded(records, MOST_VALUES) {
        let wheres = format!(
            "s.registry = $1 AND s.valid_from <= $2 AND s.valid_to > $2 AND s.known_from <= $3 AND s.known_to > $3 \
             AND NOT s.ended AND s.record_id IN ({})",
            among(4, records.len())
        );
        let mut values = params![code.as_str(), at.valid.stored(), at.known];
        values.extend(records.iter().map(Param::value));
        let sql = format!(
            "SELECT s.record_id, s.valid_from AS span_from, s.valid_to AS span_to, s.seq FROM registry_segment s WHERE {wheres}"
        );
        let spans: Vec<SpanRow> = db.all(&sql, values.clone()).await?;
        let sql = format!(
            "SELECT {VERSION} FROM registry_segment s JOIN registry_version v ON v.record_id = s.record_id AND v.seq = s.seq WHERE {wheres}"
        );
        let versions: Vec<VersionRow> = db.all(&sql, values).await?;
        let mut versions: HashMap<_, _> = versions.into_iter().map(|v| ((v.record_id, v.seq), v)).collect();
        // What changed between the two questions is neither here nor there: the next question has it.
        spoken.extend(spans.into_iter().filter_map(|span| {
            Some(Spoken {
                from: span.span_from,
                to: span.span_to,
                version: versions.remove(&(span.record_id, span.seq))?,
            })
        }));
    }
    Ok(spoken)
}

/// The record that is found by a key at a moment.
pub async fn by_key(db: &impl Read, slot: i64, key: &str, at: At) -> Result<Option<Uuid>> {
    let sql = "SELECT record_id FROM registry_index WHERE slot = $1 AND value = $2 AND valid_from <= $3 AND valid_to > $3 \
               AND known_from <= $4 AND known_to > $4 LIMIT 1";
    db.scalar(sql, params![slot, key.as_bytes(), at.valid.stored(), at.known])
        .await
}

/// The record that was found last by a key, at whatever moment, as far as was known at an instant; [`NOW`] for now.
pub async fn by_key_ever(db: &impl Read, slot: i64, key: &str, known: i64) -> Result<Option<Uuid>> {
    let sql = "SELECT record_id FROM registry_index WHERE slot = $1 AND value = $2 AND known_from <= $3 AND known_to > $3 \
               ORDER BY valid_to DESC, record_id LIMIT 1";
    db.scalar(sql, params![slot, key.as_bytes(), known]).await
}

/// The records that are or were found by each of these keys, as is known now.
pub async fn by_keys_ever(db: &impl Read, slot: i64, keys: &[&str]) -> Result<Vec<Place>> {
    let mut found = Vec::new();
    for keys in padded(keys, MOST_VALUES) {
        let sql = format!(
            "SELECT DISTINCT record_id, value FROM registry_index WHERE slot = $1 AND known_to = $2 AND value IN ({})",
            among(3, keys.len())
        );
        let mut values = params![slot, STILL_KNOWN];
        values.extend(keys.iter().map(|key| key.as_bytes().value()));
        found.extend(db.all::<Place>(&sql, values).await?);
    }
    Ok(found)
}

/// Where a value of a field lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The field.
    pub slot: i64,
    /// Which values.
    pub bound: Bound,
}

/// Which values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// One.
    Is(Vec<u8>),
    /// Those from one on, and before another.
    Between {
        /// The first.
        from: Option<Vec<u8>>,
        /// The first that is not.
        before: Option<Vec<u8>>,
    },
}

impl Bound {
    /// Whether a value is one of them.
    pub fn has(&self, value: &[u8]) -> bool {
        match self {
            Self::Is(one) => one == value,
            Self::Between { from, before } => {
                from.as_deref().is_none_or(|from| value >= from)
                    && before.as_deref().is_none_or(|before| value < before)
            }
        }
    }
}

/// In which order, and after which place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// By the age of records.
    Age {
        /// After this record.
        after: Option<Uuid>,
    },
    /// By the values of the field of the leading condition, then by the age of records.
    Value {
        /// From the greatest.
        descending: bool,
        /// After this value and record.
        after: Option<(Vec<u8>, Uuid)>,
    },
}

impl Order {
    /// The same, after a place.
    fn after(&self, place: &Place) -> Self {
        match self {
            Self::Age { .. } => Self::Age {
                after: Some(place.record_id),
            },
            Self::Value { descending, .. } => Self::Value {
                descending: *descending,
                after: Some((place.value.clone(), place.record_id)),
            },
        }
    }
}

/// A place in a list.
#[derive(Debug, Clone, PartialEq, Eq, Row)]
pub struct Place {
    /// The record.
    pub record_id: Uuid,
    /// The value of the field that leads; empty where the order is by age.
    pub value: Vec<u8>,
}

/// Places that are looked at together at most.
const MOST_LOOKED_AT: u32 = 4_096;

/// The records that meet all conditions at a moment, one index range walked in its order. The first condition leads; the others are
/// looked up for each record, those that are exact in the index, those that are not beside its timeline.
pub async fn find(
    db: &impl Read,
    code: &RegistryCode,
    conditions: &[Condition],
    order: &Order,
    at: At,
    limit: u32,
) -> Result<Vec<Place>> {
    let (leading, others) = conditions.split_at(conditions.len().min(1));
    let (exact, ranges): (Vec<&Condition>, Vec<&Condition>) =
        others.iter().partition(|other| matches!(other.bound, Bound::Is(_)));
    let mut order = order.clone();
    if ranges.is_empty() {
        return walk(db, code, leading.first(), &exact, &order, at, limit).await;
    }
    let mut found = Vec::new();
    let mut next = limit;
    loop {
        let places = walk(db, code, leading.first(), &exact, &order, at, next).await?;
        let records: Vec<Uuid> = places.iter().map(|place| place.record_id).collect();
        let values = values(db, code, &records, at).await?;
        let meets = |place: &&Place| {
            let values = values.get(&place.record_id);
            values.is_some_and(|values| ranges.iter().all(|range| values.meet(range.slot, &range.bound)))
        };
        found.extend(places.iter().filter(meets).cloned());
        let is_last = places.len() < next as usize;
        match places.last() {
            Some(last) if found.len() < limit as usize && !is_last => order = order.after(last),
            _ => {
                found.truncate(limit as usize);
                return Ok(found);
            }
        }
        next = (next * 2).min(MOST_LOOKED_AT).max(limit);
    }
}

/// How many records meet all conditions at a moment, as far as `most`. The first condition leads, as in [`find`]; the others are looked
/// up in the index for each record, which is soon done for exact ones.
pub async fn count(db: &impl Read, code: &RegistryCode, conditions: &[Condition], at: At, most: u32) -> Result<u32> {
    let (leading, others) = conditions.split_at(conditions.len().min(1));
    let mut query = Query::default();
    let (table, wheres) = query.meets(code, leading.first(), &others.iter().collect::<Vec<_>>(), at);
    let most = query.bind(i64::from(most));
    let wheres = wheres.join(" AND ");
    let sql = format!("SELECT COUNT(*) FROM (SELECT 1 FROM {table} WHERE {wheres} LIMIT {most}) AS found");
    let count: Option<i64> = db.scalar(&sql, query.values).await?;
    u32::try_from(count.unwrap_or_default()).map_err(Error::internal)
}

/// By what these records are found at a moment.
async fn values(db: &impl Read, code: &RegistryCode, records: &[Uuid], at: At) -> Result<HashMap<Uuid, Values>> {
    #[derive(Row)]
    struct FoundRow {
        record_id: Uuid,
        found: Vec<u8>,
    }
    let mut values = HashMap::with_capacity(records.len());
    for records in padded(records, MOST_VALUES) {
        let sql = format!(
            "SELECT record_id, found FROM registry_segment WHERE registry = $1 AND valid_from <= $2 AND valid_to > $2 \
             AND known_from <= $3 AND known_to > $3 AND record_id IN ({})",
            among(4, records.len())
        );
        let mut asked = params![code.as_str(), at.valid.stored(), at.known];
        asked.extend(records.iter().map(Param::value));
        for row in db.all::<FoundRow>(&sql, asked).await? {
            values.insert(row.record_id, Values::unpack(&row.found)?);
        }
    }
    Ok(values)
}

/// The records that meet a leading condition, in its order, and exact ones.
async fn walk(
    db: &impl Read,
    code: &RegistryCode,
    leading: Option<&Condition>,
    exact: &[&Condition],
    order: &Order,
    at: At,
    limit: u32,
) -> Result<Vec<Place>> {
    let mut query = Query::default();
    let (table, mut wheres) = query.meets(code, leading, exact, at);
    let by = match order {
        Order::Age { after } => {
            if let Some(after) = after {
                wheres.push(format!("i.record_id > {}", query.bind(*after)));
            }
            "i.record_id"
        }
        Order::Value { descending, after } => {
            if let Some((value, record)) = after {
                let (value, record) = (query.bind(value.clone()), query.bind(*record));
                let than = if *descending { "<" } else { ">" };
                wheres.push(format!("(i.value, i.record_id) {than} ({value}, {record})"));
            }
            if *descending {
                "i.value DESC, i.record_id DESC"
            } else {
                "i.value, i.record_id"
            }
        }
    };
    let limit = query.bind(i64::from(limit));
    let wheres = wheres.join(" AND ");
    if leading.is_none() {
        #[derive(Row)]
        struct Bare {
            record_id: Uuid,
        }
        let sql = format!("SELECT i.record_id FROM {table} WHERE {wheres} ORDER BY {by} LIMIT {limit}");
        let rows: Vec<Bare> = db.all(&sql, query.values).await?;
        let place = |row: Bare| Place {
            record_id: row.record_id,
            value: Vec::new(),
        };
        return Ok(rows.into_iter().map(place).collect());
    }
    let sql = format!("SELECT i.record_id, i.value FROM {table} WHERE {wheres} ORDER BY {by} LIMIT {limit}");
    db.all(&sql, query.values).await
}

#[derive(Default)]
struct Query {
    values: Vec<sea_orm::Value>,
}

impl Query {
    /// Where the leading condition is walked, and what holds of its rows: everything that is asked, at the moment.
    fn meets(
        &mut self,
        code: &RegistryCode,
        leading: Option<&Condition>,
        others: &[&Condition],
        at: At,
    ) -> (&'static str, Vec<String>) {
        let (valid, known) = (self.bind(at.valid.stored()), self.bind(at.known));
        let holds = |t: &str| {
            format!(
                "{t}.valid_from <= {valid} AND {t}.valid_to > {valid} AND {t}.known_from <= {known} AND {t}.known_to > {known}"
            )
        };
        let (table, mut wheres) = match leading {
            Some(first) => {
                let mut wheres = vec![holds("i")];
                self.condition("i", first, &mut wheres);
                ("registry_index i", wheres)
            }
            None => {
                let code = self.bind(code.as_str());
                let wheres = vec![holds("i"), format!("i.registry = {code}"), "NOT i.ended".to_owned()];
                ("registry_segment i", wheres)
            }
        };
        for condition in others {
            let mut inner = vec!["f.record_id = i.record_id".to_owned(), holds("f")];
            self.condition("f", condition, &mut inner);
            wheres.push(format!(
                "EXISTS (SELECT 1 FROM registry_index f WHERE {})",
                inner.join(" AND ")
            ));
        }
        (table, wheres)
    }

    fn bind(&mut self, value: impl Param) -> String {
        self.values.push(value.value());
        format!("${}", self.values.len())
    }

    fn condition(&mut self, table: &str, condition: &Condition, wheres: &mut Vec<String>) {
        wheres.push(format!("{table}.slot = {}", self.bind(condition.slot)));
        match &condition.bound {
            Bound::Is(value) => wheres.push(format!("{table}.value = {}", self.bind(value.clone()))),
            Bound::Between { from, before } => {
                for (than, bound) in [(">=", from), ("<", before)] {
                    if let Some(bound) = bound {
                        wheres.push(format!("{table}.value {than} {}", self.bind(bound.clone())));
                    }
                }
            }
        }
    }
}

/// The versions of a registry that were recorded after an instant, in their order.
pub async fn changes(db: &impl Read, code: &RegistryCode, after: i64, limit: u32) -> Result<Vec<VersionRow>> {
    changes_until(db, code, after, NOW, limit).await
}

/// Of [`changes`] those that were recorded until another instant.
pub async fn changes_until(
    db: &impl Read,
    code: &RegistryCode,
    after: i64,
    upto: i64,
    limit: u32,
) -> Result<Vec<VersionRow>> {
    let sql = format!(
        "SELECT {VERSION} FROM registry_version v WHERE v.registry = $1 AND v.recorded_at > $2 AND v.recorded_at <= $3 \
         ORDER BY v.recorded_at LIMIT $4"
    );
    db.all(&sql, params![code.as_str(), after, upto, i64::from(limit)])
        .await
}
