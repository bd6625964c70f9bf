//! What is asked of a list, and the walk over an index that answers it.

use base::{Error, Kind, Problems, Result, Timestamp};
use jiff::civil::{Date, DateTime};
use serde_json::Value;
use uuid::Uuid;

use super::Mask;
use crate::{
    history::{AsOf, Moment, exact},
    model::{FieldPath, Filter, Operator, Registry, ValidTime},
    store::{
        index,
        read::{Bound, Condition, Order, Place},
    },
};

/// Of when, as known when; without both, now as known now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct When {
    /// The moment of life.
    pub as_of: Option<Moment>,
    /// The instant whose knowledge counts.
    pub known_at: Option<Timestamp>,
}

/// [`When`] as it is asked of any registry, whichever way it counts valid time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Times {
    /// The moment of life.
    pub as_of: Option<AsOf>,
    /// The instant whose knowledge counts.
    pub known_at: Option<Timestamp>,
}

/// What a text says: nothing where it is empty; none where it cannot be read.
fn said<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
    match text.trim() {
        "" => Some(None),
        text => read(text).map(Some),
    }
}

impl Times {
    /// Reads what callers write; an empty text is now. What cannot be read is told at `as_of` and `known_at`.
    pub fn read(as_of: &str, known_at: &str, problems: &mut Problems) -> Self {
        Self {
            as_of: said(as_of, AsOf::parse).unwrap_or_else(|| {
                problems.add(
                    "not-a-moment",
                    "as_of",
                    "Nhập ngày dạng 2025-12-31, hoặc thời điểm theo RFC 3339.",
                    "Enter a day like 2025-12-31, or an instant as in RFC 3339.",
                );
                None
            }),
            known_at: said(known_at, Timestamp::parse_rfc3339).unwrap_or_else(|| {
                problems.add(
                    "not-an-instant",
                    "known_at",
                    "Nhập thời điểm theo RFC 3339, ví dụ 2026-01-01T00:00:00+07:00.",
                    "Enter an instant as in RFC 3339, such as 2026-01-01T00:00:00+07:00.",
                );
                None
            }),
        }
    }

    /// As [`Self::read`], of what people type: a day `31/12/2025`, a day and a time of legal time `31/12/2025 08:30`; and what callers write.
    pub fn typed(as_of: &str, known_at: &str, problems: &mut Problems) -> Self {
        let day = |text: &str| Date::strptime("%d/%m/%Y", text).ok();
        let time = |text: &str| DateTime::strptime("%d/%m/%Y %H:%M", text).ok();
        Self {
            as_of: said(as_of, |text| day(text).map(AsOf::Day).or_else(|| AsOf::parse(text))).unwrap_or_else(|| {
                problems.add(
                    "not-a-moment",
                    "as_of",
                    "Nhập ngày dạng 31/12/2025.",
                    "Enter a day like 31/12/2025.",
                );
                None
            }),
            known_at: said(known_at, |text| {
                let typed = time(text).map(Timestamp::from_legal);
                typed.or_else(|| Timestamp::parse_rfc3339(text))
            })
            .unwrap_or_else(|| {
                problems.add(
                    "not-an-instant",
                    "known_at",
                    "Nhập ngày và giờ dạng 31/12/2025 08:30.",
                    "Enter a day and a time like 31/12/2025 08:30.",
                );
                None
            }),
        }
    }

    /// As a registry counts.
    pub fn when(self, rule: ValidTime) -> When {
        When {
            as_of: self.as_of.map(|as_of| as_of.moment(rule)),
            known_at: self.known_at,
        }
    }

    /// As [`Self::stored`] gave them.
    pub fn from_stored(as_of: Option<&str>, known_at: Option<i64>) -> Self {
        Self {
            as_of: as_of.and_then(AsOf::parse),
            known_at: known_at.map(Timestamp::from_micros),
        }
    }

    /// As they are kept: as it is written, and in microseconds; none for now.
    pub fn stored(self) -> (Option<String>, Option<i64>) {
        (self.as_of(), self.known_at.map(Timestamp::micros))
    }

    /// The day of legal time of which it is asked.
    pub fn day(self, now: Timestamp) -> Date {
        self.as_of.map_or_else(|| now.legal_date(), AsOf::day)
    }

    /// `as_of` as it is written; none for now.
    pub fn as_of(self) -> Option<String> {
        self.as_of.map(|as_of| as_of.to_string())
    }

    /// `known_at` as it is written, to the microsecond; none for now.
    pub fn known_at(self) -> Option<String> {
        self.known_at.map(exact)
    }
}

/// A condition of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The field, one of the registry's filters.
    pub field: FieldPath,
    /// Compared how.
    pub operator: Operator,
    /// The value; for a range the first.
    pub value: Option<String>,
    /// The last of a range.
    pub upto: Option<String>,
}

/// The order of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    /// By this field, one of the registry's filters that can be asked by a range or a beginning.
    pub field: FieldPath,
    /// From the greatest.
    pub descending: bool,
}

/// What of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// All of these hold.
    pub asked: Vec<Asked>,
    /// The order; by the age of records where none is given.
    pub sort: Option<Sort>,
    /// Of when.
    pub when: When,
    /// The fields.
    pub mask: Mask,
    /// The place after which the page begins, as [`Slice::next`] gave it.
    pub after: Option<String>,
    /// The most records of a page.
    pub limit: u32,
}

/// Which index is walked, in which order, and what else has to hold. What is asked for exactly leads; of several, what the registry
/// names first.
pub(super) fn plan(registry: &Registry, query: &Query) -> Result<(Vec<Condition>, Order)> {
    let mut problems = Problems::new();
    let mut ranked = Vec::new();
    for asked in &query.asked {
        let rank = registry.filters.iter().position(|filter| filter.field == asked.field);
        match rank.map(|rank| (rank, condition(registry, &registry.filters[rank], asked))) {
            Some((rank, Some(condition))) => {
                let exact = matches!(condition.bound, Bound::Is(_));
                ranked.push((!exact, rank, condition));
            }
            _ => problems.add(
                "cannot-filter",
                asked.field.as_str(),
                "Cơ sở dữ liệu không cho lọc theo trường này bằng cách đó.",
                "The registry cannot be asked by this field in this way.",
            ),
        }
    }
    ranked.sort_by_key(|(inexact, rank, _)| (*inexact, *rank));
    let mut conditions: Vec<Condition> = ranked.into_iter().map(|(_, _, condition)| condition).collect();
    let mut ordered = None;
    if let Some(sort) = &query.sort {
        match registry.filter(&sort.field).filter(|filter| filter.sorts()) {
            Some(filter) => {
                let slot = index::slot_of(registry, filter);
                let at = conditions.iter().position(|condition| condition.slot == slot);
                let leads = at.map_or_else(
                    || Condition {
                        slot,
                        bound: Bound::Between {
                            from: None,
                            before: None,
                        },
                    },
                    |at| conditions.remove(at),
                );
                conditions.insert(0, leads);
                ordered = Some(sort.descending);
            }
            None => problems.add(
                "cannot-sort",
                "sort",
                "Chỉ sắp xếp được theo trường có bộ lọc prefix hoặc range.",
                "Only a field with a filter prefix or range can be sorted by.",
            ),
        }
    }
    // An inexact condition that leads is walked in the order of its values.
    let by_value = match conditions.first().map(|first| &first.bound) {
        Some(Bound::Between { .. }) => Some(ordered.unwrap_or(false)),
        _ => None,
    };
    let after = query.after.as_deref();
    let order = match by_value {
        None => after.map(str::parse).transpose().ok().map(|after| Order::Age { after }),
        Some(descending) => after
            .map(read_cursor)
            .map_or(Some(None), |place| place.map(Some))
            .map(|after| Order::Value { descending, after }),
    };
    let Some(order) = order else {
        problems.add(
            "cursor",
            "cursor",
            "Giá trị này không phải là vị trí trong danh sách; hãy dùng giá trị next của trang trước.",
            "This is no place in the list; use the value of next of the page before.",
        );
        return Err(Error::Refused(Kind::Invalid, problems));
    };
    problems.into_result()?;
    Ok((conditions, order))
}

fn condition(registry: &Registry, filter: &Filter, asked: &Asked) -> Option<Condition> {
    if !filter.operators.contains(&asked.operator) {
        return None;
    }
    let field = registry.field(&filter.field)?;
    let bytes = |text: &str| {
        let value = match field.term.ty.json() {
            "integer" => Value::from(text.parse::<i64>().ok()?),
            "number" => Value::from(text.parse::<f64>().ok()?),
            "boolean" => Value::from(text.parse::<bool>().ok()?),
            _ => Value::from(text),
        };
        index::bytes(filter, &value)
    };
    let one = |text: &Option<String>| text.as_deref().map(bytes);
    let bound = match asked.operator {
        Operator::Eq => Bound::Is(one(&asked.value)??),
        Operator::Prefix => {
            let from = one(&asked.value)??;
            Bound::Between {
                before: index::after_prefix(&from),
                from: Some(from),
            }
        }
        Operator::Range => {
            let from = one(&asked.value).map_or(Some(None), |bytes| bytes.map(Some))?;
            // Up to a value with what begins with it: a year has its months in it.
            let upto = one(&asked.upto).map_or(Some(None), |bytes| bytes.map(Some))?;
            let before = upto.and_then(|upto| index::after_prefix(&upto));
            (from.is_some() || before.is_some()).then_some(Bound::Between { from, before })?
        }
    };
    Some(Condition {
        slot: index::slot_of(registry, filter),
        bound,
    })
}

/// The place behind which the next page begins.
pub(super) fn cursor(place: &Place, order: &Order) -> String {
    match order {
        Order::Age { .. } => place.record_id.to_string(),
        // The place only, never what is asked: the value is in it, as bytes, for whoever may read it already.
        Order::Value { .. } => format!("{}.{}", hex::encode(&place.value), place.record_id),
    }
}

fn read_cursor(cursor: &str) -> Option<(Vec<u8>, Uuid)> {
    let (value, record) = cursor.split_once('.')?;
    Some((hex::decode(value).ok()?, record.parse().ok()?))
}
