//! When a dossier stood still.

use ::store::sea_orm::{ColIdx, DbErr, QueryResult, TryGetError, TryGetable};
use base::Timestamp;
use serde::{Deserialize, Serialize};

use super::Month;

/// Since when and until when papers or a payment were awaited, oldest first; the last has no end while they still are.
/// Microseconds, kept as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Pauses(Vec<(i64, Option<i64>)>);

impl Pauses {
    /// From instants.
    pub fn of(pauses: &[(Timestamp, Option<Timestamp>)]) -> Self {
        let micros = |(from, until): &(Timestamp, Option<Timestamp>)| (from.micros(), until.map(Timestamp::micros));
        Self(pauses.iter().map(micros).collect())
    }

    /// One after the other.
    pub fn each(&self) -> impl Iterator<Item = (i64, Option<i64>)> {
        self.0.iter().copied()
    }

    /// Whether one of them lasted over the end of a month.
    pub fn last_over(&self, month: Month) -> bool {
        let end = month.end().micros();
        self.each()
            .any(|(from, until)| from < end && until.is_none_or(|until| until >= end))
    }

    /// Whether the last of them still lasts.
    pub fn still_lasts(&self) -> bool {
        matches!(self.0.last(), Some((_, None)))
    }
}

impl TryGetable for Pauses {
    fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
        let text = String::try_get_by(row, index)?;
        serde_json::from_str(&text).map_err(|e| TryGetError::DbErr(DbErr::Json(e.to_string())))
    }
}
