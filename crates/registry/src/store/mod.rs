//! The tables of records. Nobody else's SQL touches them.

pub mod announced;
pub mod batches;
pub mod contested;
pub mod doubt_files;
pub mod doubts;
pub mod files;
pub mod import;
pub mod index;
pub mod known;
pub mod leaves;
pub mod merges;
pub mod orders;
pub mod pairs;
pub mod pseudonyms;
pub mod quality;
pub mod read;
pub mod samples;
pub mod terms;
pub mod write;

use base::{Error, Result};
use store::{Row, sea_orm};
use uuid::Uuid;

use self::index::Values;
use crate::history::{Effect, Entry, Moment, Segment, Span};

/// Known until now, as stored.
pub const STILL_KNOWN: i64 = i64::MAX;
/// The instant of a question about what is known now: after every version, before [`STILL_KNOWN`].
pub const NOW: i64 = i64::MAX - 1;

/// A version, as kept.
#[derive(Debug, Clone, PartialEq, Eq, Row)]
pub struct VersionRow {
    pub record_id: Uuid,
    pub seq: i64,
    pub kind: String,
    pub effect: String,
    pub valid_from: Option<i64>,
    pub valid_to: Option<i64>,
    pub recorded_at: i64,
    pub edition: i64,
    pub body: Option<String>,
    pub corrects: Option<i64>,
    pub actor_kind: String,
    pub actor_name: String,
    pub agency: String,
    pub source: String,
    pub basis: String,
    pub dossier: Option<String>,
}

/// The columns of [`VersionRow`], of a table called `v`.
pub const VERSION: &str = "v.record_id, v.seq, v.kind, v.effect, v.valid_from, v.valid_to, v.recorded_at, v.edition, v.body, v.corrects, \
     v.actor_kind, v.actor_name, v.agency, v.source, v.basis, v.dossier";

impl VersionRow {
    /// What it says; none for an erasure.
    pub fn entry(&self) -> Result<Option<Entry>> {
        let from = self.valid_from.map(Moment::from_stored);
        let effect = match (self.effect.as_str(), from) {
            ("holds", Some(from)) => Effect::Holds {
                from,
                to: self.valid_to.map(Moment::from_stored),
            },
            ("ends", Some(at)) => Effect::Ends { at },
            ("void", _) => Effect::Void,
            ("none", _) => return Ok(None),
            _ => return Err(Error::internal("a version of a record says what nobody knows")),
        };
        Ok(Some(Entry {
            seq: self.seq,
            effect,
            corrects: self.corrects,
        }))
    }
}

/// How an effect is kept: its word and its two moments.
pub fn effect_columns(effect: Option<Effect>) -> (&'static str, Option<i64>, Option<i64>) {
    match effect {
        Some(Effect::Holds { from, to }) => ("holds", Some(from.stored()), to.map(Moment::stored)),
        Some(Effect::Ends { at }) => ("ends", Some(at.stored()), None),
        Some(Effect::Void) => ("void", None, None),
        None => ("none", None, None),
    }
}

/// A part of a timeline, and by what its record is found during it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub segment: Segment,
    pub values: Values,
}

/// A [`Part`], as kept.
#[derive(Debug, Clone, Row)]
pub struct SegmentRow {
    pub valid_from: i64,
    pub valid_to: i64,
    pub seq: i64,
    pub ended: bool,
    pub begins: bool,
    pub found: Vec<u8>,
}

impl SegmentRow {
    pub fn part(&self) -> Result<Part> {
        let span = Span::new(Moment::from_stored(self.valid_from), Moment::from_stored(self.valid_to));
        Ok(Part {
            segment: Segment {
                span: span.ok_or_else(|| Error::internal("an empty segment is stored"))?,
                seq: self.seq,
                ended: self.ended,
                begins: self.begins,
            },
            values: Values::unpack(&self.found)?,
        })
    }
}
