//! Events as a folder declares them.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::{
    Age, ChangeKind, EventType, Field, FieldPath, Operator, Registry,
    folder::{FILE, nothing, twice},
    raw::{RawFilter, RawRegistry},
    rule::known,
};
use crate::check::Sink;

/// The years of an age.
const YEARS: RangeInclusive<u16> = 1..=120;

/// What the event of merges is called in every registry, so that whoever references its records finds it without having its folder.
pub const MERGED: &str = "merged";

/// Upon what an event is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Upon {
    /// What holds of a record from a moment on is reported.
    Assert,
    /// An earlier version is corrected.
    Correct,
    /// A record ends.
    End,
    /// A record is erased.
    Erase,
    /// A record is merged into another, which stands in its place from then on.
    Merged,
    /// A merge is taken back: both are as before.
    Parted,
}

impl Upon {
    /// What tells of merges, all of it: of an event that told of the one alone nobody could know whether a key still leads elsewhere.
    const OF_MERGES: [Self; 2] = [Self::Merged, Self::Parted];

    /// As in folders and in events.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Assert => "assert",
            Self::Correct => "correct",
            Self::End => "end",
            Self::Erase => "erase",
            Self::Merged => MERGED,
            Self::Parted => "parted",
        }
    }
}

impl EventType {
    /// Whether it tells of merges.
    pub fn is_of_merges(&self) -> bool {
        self.on.iter().any(|upon| Upon::OF_MERGES.contains(upon))
    }

    /// Whether it is told upon a version of this sort.
    pub fn is_upon(&self, kind: ChangeKind) -> bool {
        self.on.iter().any(|upon| upon.code() == kind.code())
    }

    /// The fields that it tells: of merges those of the key.
    pub fn tells<'a>(&'a self, registry: &'a Registry) -> &'a [FieldPath] {
        if self.is_of_merges() {
            &registry.key
        } else {
            &self.fields
        }
    }
}

/// Judges every `[[event]]`.
pub(super) fn judge(raw: &RawRegistry, fields: &[Field], sink: &mut Sink) {
    for (n, event) in raw.event.iter().enumerate() {
        sink.translated(FILE, format!("event[{n}].name"), &event.name);
        match &event.reaches {
            Some(age) => judge_age(raw, n, age, fields, sink),
            None if event.on.is_empty() => nothing(sink, format!("event[{n}].on")),
            None => {}
        }
        judge_merges(raw, n, sink);
        for field in &event.fields {
            known(field, fields, FILE, format!("event[{n}].fields"), sink);
        }
        if raw.event[..n].iter().any(|other| other.id == event.id) {
            twice(sink, format!("event[{n}].id"), event.id.as_str());
        }
    }
}

/// An age is told of by the calendar and not upon versions; who reaches it is found by the field.
fn judge_age(raw: &RawRegistry, n: usize, age: &Age, fields: &[Field], sink: &mut Sink) {
    let at = format!("event[{n}].reaches");
    if !raw.event[n].on.is_empty() {
        sink.error(
            FILE,
            &at,
            "event-on-and-reaches",
            "Sự kiện được thông báo theo phiên bản (on) hoặc khi đến tuổi (reaches), không phải cả hai.",
            "An event is told upon versions (on) or when an age is reached (reaches), not both.",
        );
    }
    if !YEARS.contains(&age.years) {
        sink.error(
            FILE,
            format!("{at}.years"),
            "event-years",
            format!("Số tuổi từ {} đến {}.", YEARS.start(), YEARS.end()),
            format!("An age is from {} to {} years.", YEARS.start(), YEARS.end()),
        );
    }
    known(&age.since, fields, FILE, format!("{at}.since"), sink);
    let found_by =
        |filter: &RawFilter| filter.field == age.since && filter.operators.contains(&Operator::Eq) && !filter.folded;
    if !raw.filter.iter().any(found_by) {
        sink.error(
            FILE,
            format!("{at}.since"),
            "event-since-no-filter",
            format!("Trường “{}” phải là bộ lọc có phép so sánh eq.", age.since),
            format!("The field “{}” has to be a filter with the operator eq.", age.since),
        );
    }
}

/// Merges are told of by one event, under one name, with the keys and nothing else.
fn judge_merges(raw: &RawRegistry, n: usize, sink: &mut Sink) {
    let event = &raw.event[n];
    let told = |upon: &Upon| event.on.contains(upon);
    let of_merges = Upon::OF_MERGES.iter().any(told);
    if !of_merges && event.id.as_str() != MERGED {
        return;
    }
    let is_whole = Upon::OF_MERGES.iter().all(told) && event.on.len() == Upon::OF_MERGES.len();
    if !is_whole || event.id.as_str() != MERGED || !event.fields.is_empty() {
        sink.error(
            FILE,
            format!("event[{n}]"),
            "event-merges",
            format!(
                "Việc hợp nhất bản ghi và việc hoàn tác được thông báo bằng một sự kiện: id = \"{MERGED}\", on = [\"merged\", \"parted\"], \
                 không có fields (sự kiện mang khóa của hai bản ghi)."
            ),
            format!(
                "Merges and their undoing are told by one event: id = \"{MERGED}\", on = [\"merged\", \"parted\"], without fields (it tells \
                 the keys of both records)."
            ),
        );
    }
}
