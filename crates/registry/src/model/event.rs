//! Events as a folder declares them.

use std::ops::RangeInclusive;

use super::{
    Age, Field, Operator,
    folder::{FILE, nothing, twice},
    raw::{RawFilter, RawRegistry},
    rule::known,
};
use crate::check::Sink;

/// The years of an age.
const YEARS: RangeInclusive<u16> = 1..=120;

/// Judges every `[[event]]`.
pub(super) fn judge(raw: &RawRegistry, fields: &[Field], sink: &mut Sink) {
    for (n, event) in raw.event.iter().enumerate() {
        sink.translated(FILE, format!("event[{n}].name"), &event.name);
        match &event.reaches {
            Some(age) => judge_age(raw, n, age, fields, sink),
            None if event.on.is_empty() => nothing(sink, format!("event[{n}].on")),
            None => {}
        }
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
