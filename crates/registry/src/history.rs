//! What a record says, through two times.
//!
//! A record is a sequence of versions that is only ever added to. Each has two times: from when (until when) it holds in life,
//! **valid time**, and when it was written here, **recorded time**. [`Timeline`] is the fold of the versions that were recorded by
//! some moment: it says for every moment of valid time which version speaks. So `asOf` chooses a moment of the timeline, and
//! `knownAt` chooses which versions are folded.
//!
//! # The fold
//!
//! Versions are taken in the order in which they were recorded. All intervals include their beginning and not their end.
//!
//! 1. **Assert** *from* … *to*: the version speaks from *from* until *to*, whatever was there before. Without *to* it speaks until
//!    the next moment after *from* at which the timeline already says that something begins or that the record ends; where it says
//!    nothing of the kind, for ever. So a report that arrives late and out of order falls into its place: of the residences since
//!    2020 and since 2024, told first, one since 2022, told last, speaks from 2022 to 2024.
//! 2. **End** *at*: nothing holds from *at* until the next such moment, or for ever.
//! 3. **Correct** *n*: version *n* was wrong (formal history). It is as if *n* had never been recorded and what the correction says
//!    had been recorded in its place, at its turn: everything after it is folded again over it. A correction may give another body,
//!    other moments, an end in place of a body or a body in place of an end, or take *n* away. A correction of a correction
//!    corrects what that corrects; the last one counts.
//! 4. **Erase**: nothing is said of any moment, and nothing ever will be. Asked what was known earlier, the record still says
//!    nothing: the bodies are gone.
//!
//! What a timeline says of a moment is one of three things: nothing was ever said of it, a version speaks, or the record has ended.
//! Only the beginning of the second and of the third are moments at which an open interval stops; that an interval with a *to* of
//! its own runs out is none.

use std::fmt;

use base::{Problems, Timestamp};
use jiff::civil::Date;

use crate::model::{ChangeKind, ValidTime};

/// A moment of valid time: a day since 1970-01-01, or an instant in microseconds since then, as the registry counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(i64);

/// A moment of valid time as callers write it, whichever way a registry counts. A day means its first instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOf {
    /// A day.
    Day(Date),
    /// An instant.
    Instant(Timestamp),
}

/// A half-open interval of valid time, never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    from: Moment,
    to: Moment,
}

/// What a version says, without its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// It speaks from a moment on, until another if one is given.
    Holds {
        /// The first moment.
        from: Moment,
        /// The first moment at which it does not any more.
        to: Option<Moment>,
    },
    /// Nothing holds from a moment on.
    Ends {
        /// The moment.
        at: Moment,
    },
    /// What is corrected was never so.
    Void,
}

/// One entry of the history of a record, without its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its number within the record, from 1.
    pub seq: i64,
    /// What it says.
    pub effect: Effect,
    /// The number of the version that it corrects.
    pub corrects: Option<i64>,
}

/// A part of a timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Segment {
    /// When.
    pub span: Span,
    /// Which version says so.
    pub seq: i64,
    /// The record has ended; else the version's body holds.
    pub ended: bool,
    /// Whether it begins where its version does. The rest of a version that comes to light when a later one runs out does not.
    pub begins: bool,
}

/// What a record says of each moment: segments in their order, without overlaps. Moments of none: nothing was said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Timeline(Vec<Segment>);

impl Moment {
    /// After every moment.
    pub const FOREVER: Self = Self(i64::MAX);

    /// As stored.
    pub const fn stored(self) -> i64 {
        self.0
    }

    /// From storage.
    pub const fn from_stored(stored: i64) -> Self {
        Self(stored)
    }

    /// The moment at which an instant falls.
    pub fn of(at: Timestamp, rule: ValidTime) -> Self {
        match rule {
            ValidTime::Day => Self::of_day(at.legal_date()),
            ValidTime::Instant => Self(at.micros()),
        }
    }

    fn of_day(day: Date) -> Self {
        let epoch = jiff::civil::date(1970, 1, 1);
        Self(i64::from(day.since(epoch).map_or(0, |span| span.get_days())))
    }

    /// Reads a day, or an instant with its offset, as the registry counts. A day means its first instant.
    pub fn parse(text: &str, rule: ValidTime) -> Option<Self> {
        AsOf::parse(text).map(|said| said.moment(rule))
    }

    /// The day of legal time in which it lies.
    pub fn day(self, rule: ValidTime) -> Date {
        match rule {
            ValidTime::Day => {
                let days = jiff::Span::new().try_days(self.0);
                let epoch = jiff::civil::date(1970, 1, 1);
                days.and_then(|days| epoch.checked_add(days)).unwrap_or(Date::MAX)
            }
            ValidTime::Instant => Timestamp::from_micros(self.0).legal_date(),
        }
    }

    /// As the API shows it: a day, or an instant of legal time.
    pub fn show(self, rule: ValidTime) -> String {
        match rule {
            ValidTime::Day => self.day(rule).to_string(),
            ValidTime::Instant => Timestamp::from_micros(self.0).rfc3339(),
        }
    }

    /// As pages show it: `25/11/2026`, or `25/11/2026 08:30` of legal time.
    pub fn display(self, rule: ValidTime) -> String {
        match rule {
            ValidTime::Day => self.day(rule).strftime("%d/%m/%Y").to_string(),
            ValidTime::Instant => Timestamp::from_micros(self.0).display(),
        }
    }
}

impl AsOf {
    /// Reads a day `2025-12-31`, or an instant of RFC 3339.
    pub fn parse(text: &str) -> Option<Self> {
        let day = text.parse().ok().filter(|_| text.len() == 10).map(Self::Day);
        day.or_else(|| Timestamp::parse_rfc3339(text).map(Self::Instant))
    }

    /// As a registry counts.
    pub fn moment(self, rule: ValidTime) -> Moment {
        match (rule, self) {
            (ValidTime::Day, _) => Moment::of_day(self.day()),
            (ValidTime::Instant, Self::Day(day)) => Moment(Timestamp::from_legal(day.at(0, 0, 0, 0)).micros()),
            (ValidTime::Instant, Self::Instant(at)) => Moment(at.micros()),
        }
    }

    /// As pages show it: `25/11/2026`, or `25/11/2026 08:30` of legal time.
    pub fn display(self) -> String {
        match self {
            Self::Day(day) => day.strftime("%d/%m/%Y").to_string(),
            Self::Instant(at) => at.display(),
        }
    }

    /// The day of legal time in which it lies.
    pub fn day(self) -> Date {
        match self {
            Self::Day(day) => day,
            Self::Instant(at) => at.legal_date(),
        }
    }
}

impl fmt::Display for AsOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(day) => day.fmt(f),
            Self::Instant(at) => f.write_str(&exact(*at)),
        }
    }
}

/// An instant of RFC 3339 with its microseconds, so that whoever is asked next is asked the same.
pub fn exact(at: Timestamp) -> String {
    format!("{}+07:00", at.legal().strftime("%Y-%m-%dT%H:%M:%S%.f"))
}

impl Span {
    /// From a moment to a later one.
    pub fn new(from: Moment, to: Moment) -> Option<Self> {
        (from < to).then_some(Self { from, to })
    }

    /// The first moment.
    pub const fn from(self) -> Moment {
        self.from
    }

    /// The first moment after it; [`Moment::FOREVER`] for one without end.
    pub const fn to(self) -> Moment {
        self.to
    }

    /// Whether a moment lies in it.
    pub fn has(self, at: Moment) -> bool {
        self.from <= at && at < self.to
    }

    /// Whether two have a moment in common.
    pub fn meets(self, other: Self) -> bool {
        self.from < other.to && other.from < self.to
    }
}

impl Effect {
    /// Reads what a version says.
    ///
    /// # Errors
    /// An interval that ends before it begins.
    pub fn holds(from: Moment, to: Option<Moment>) -> Result<Self, Problems> {
        if to.is_none_or(|to| from < to) {
            return Ok(Self::Holds { from, to });
        }
        let mut problems = Problems::new();
        problems.add(
            "empty-interval",
            "valid_to",
            "valid_to phải sau valid_from: đó là thời điểm đầu tiên không còn hiệu lực.",
            "valid_to is after valid_from: it is the first moment at which it no longer holds.",
        );
        Err(problems)
    }
}

impl Entry {
    /// Whether it says something of a moment by itself, whatever was said later, or corrects one of these entries that did.
    pub fn is_of(&self, at: Moment, entries: &[Self]) -> bool {
        let says = match self.effect {
            Effect::Holds { from, to } => from <= at && to.is_none_or(|to| at < to),
            Effect::Ends { at: end } => end <= at,
            Effect::Void => false,
        };
        let corrected = || entries.iter().find(|other| Some(other.seq) == self.corrects);
        says || corrected().is_some_and(|corrected| corrected.is_of(at, entries))
    }
}

impl Timeline {
    /// Folds versions; they come in the order of their numbers.
    pub fn fold(entries: &[Entry]) -> Self {
        let mut timeline = Self::default();
        for entry in entries.iter().filter(|entry| entry.corrects.is_none()) {
            let said = last_word(entry, entries);
            timeline.apply(said.seq, said.effect);
        }
        timeline
    }

    /// Takes one version more, of the highest number, that corrects nothing.
    pub fn apply(&mut self, seq: i64, effect: Effect) {
        let (span, ended) = match effect {
            Effect::Void => return,
            Effect::Holds { from, to } => {
                let to = to.unwrap_or_else(|| self.next_after(from));
                (Span { from, to }, false)
            }
            Effect::Ends { at } => {
                let to = self.next_after(at);
                (Span { from: at, to }, true)
            }
        };
        self.paint(Segment {
            span,
            seq,
            ended,
            begins: true,
        });
    }

    /// The segments, in their order.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// From segments as they are stored, in their order.
    pub const fn from_segments(segments: Vec<Segment>) -> Self {
        Self(segments)
    }

    /// What it says of a moment.
    pub fn at(&self, at: Moment) -> Option<&Segment> {
        self.0.iter().find(|segment| segment.span.has(at))
    }

    /// The first moment after this one at which something begins, or the record ends. What runs on beneath a later version and comes
    /// to light again when that is over begins nothing.
    fn next_after(&self, from: Moment) -> Moment {
        let begun = self.0.iter().filter(|segment| segment.begins);
        begun
            .map(|segment| segment.span.from)
            .filter(|start| *start > from)
            .min()
            .unwrap_or(Moment::FOREVER)
    }

    fn paint(&mut self, new: Segment) {
        let mut segments = Vec::with_capacity(self.0.len() + 2);
        for old in self.0.drain(..) {
            let before = Span::new(old.span.from, old.span.to.min(new.span.from));
            let after = Span::new(old.span.from.max(new.span.to), old.span.to);
            segments.extend(before.into_iter().chain(after).map(|span| Segment {
                span,
                begins: old.begins && span.from == old.span.from,
                ..old
            }));
        }
        segments.push(new);
        segments.sort_unstable_by_key(|segment| segment.span.from);
        self.0 = segments;
    }
}

/// What is said in the place of an entry: itself, or the last correction of it.
fn last_word<'a>(entry: &'a Entry, entries: &'a [Entry]) -> &'a Entry {
    let corrections = entries.iter().filter(|other| other.corrects.is_some());
    corrections
        .filter(|correction| root(correction, entries) == Some(entry.seq))
        .max_by_key(|correction| correction.seq)
        .unwrap_or(entry)
}

/// The version that a correction is about in the end.
fn root(correction: &Entry, entries: &[Entry]) -> Option<i64> {
    let mut seq = correction.corrects?;
    // What corrects is later than what it corrects, so this comes to an end.
    while let Some(next) = entries.iter().find(|entry| entry.seq == seq)?.corrects {
        seq = next;
    }
    Some(seq)
}

/// What sort of change an effect is by itself.
pub const fn kind_of(effect: Effect, corrects: Option<i64>) -> ChangeKind {
    match (corrects, effect) {
        (Some(_), _) => ChangeKind::Correct,
        (None, Effect::Ends { .. }) => ChangeKind::End,
        (None, Effect::Holds { .. } | Effect::Void) => ChangeKind::Assert,
    }
}
