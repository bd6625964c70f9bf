//! The public figures of a registry: what was judged, what fails, and how doubts are answered; now and at the end of each month. They are
//! read from counters; only doubts whose clock has run out are asked for one by one, up to a limit.

use std::{collections::BTreeMap, sync::Arc};

use base::{Result, Timestamp};

use super::{
    Quality, Sample,
    judging::{RECORDS, of_dimension, of_rule},
    month_of, tables,
};
use crate::model::{Dimension, Name, Registry, RegistryCode};

/// Months of a trend.
const MONTHS: i64 = 12;

/// The figures of one registry.
#[derive(Debug, Clone)]
pub struct Figures {
    /// The registry.
    pub registry: Arc<Registry>,
    /// When they stood so.
    pub at: Timestamp,
    /// Records that count: something holds of them.
    pub records: i64,
    /// By side of quality, of those that some rule looks at.
    pub dimensions: Vec<(Dimension, Figure)>,
    /// By rule. None for one that cannot be judged here: what it names is kept elsewhere.
    pub rules: Vec<(Name, Option<Figure>)>,
    /// Doubts.
    pub doubts: DoubtFigures,
    /// The newest sample of which anything is judged.
    pub sample: Option<Sample>,
    /// What stood at the end of past months, the oldest first, and what stands now.
    pub months: Vec<MonthFigures>,
}

/// Records judged and failing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figure {
    /// Records that were judged.
    pub judged: i64,
    /// Records that fail.
    pub failing: i64,
}

/// What stood at the end of a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonthFigures {
    /// `2026-11`.
    pub month: String,
    /// Records that counted.
    pub records: i64,
    /// By side of quality, in the order of [`Figures::dimensions`].
    pub dimensions: Vec<(Dimension, Figure)>,
}

/// How doubts are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DoubtFigures {
    /// All that came.
    pub received: i64,
    /// Those that wait.
    pub open: i64,
    /// Those whose clock has run out, counted up to [`super::doubts::MOST_OVERDUE`].
    pub overdue: i64,
    /// Those that were answered.
    pub answered: i64,
    /// Of these, in time.
    pub in_time: i64,
    /// Of these, the registry was wrong.
    pub upheld: i64,
}

impl Figure {
    /// The share of records that pass, from 0 to 1; none where none was judged.
    pub fn share(self) -> Option<f64> {
        share(self.judged - self.failing, self.judged)
    }
}

impl DoubtFigures {
    /// The share of answers that came in time, from 0 to 1.
    pub fn in_time_share(self) -> Option<f64> {
        share(self.in_time, self.answered)
    }

    /// The share of answers that say that the registry was wrong, from 0 to 1.
    pub fn upheld_share(self) -> Option<f64> {
        share(self.upheld, self.answered)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of records are far below 2^52")]
fn share(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

impl Quality {
    /// The figures of a registry: public.
    ///
    /// # Errors
    /// `NotFound`; the database failed.
    pub async fn figures(&self, code: &RegistryCode, now: Timestamp) -> Result<Figures> {
        let registry = self.registries().editions(code)?.current();
        let db = self.registries().store().read();
        let this = month_of(now);
        // The changes of each month, summed up: what stood at its end.
        let mut standing: BTreeMap<String, i64> = BTreeMap::new();
        let mut months = Vec::new();
        let mut changes = tables::changes(&db, code).await?;
        let first = changes.keys().next().copied().unwrap_or(this).min(this);
        for month in first..=this {
            for (measure, n) in changes.remove(&month).unwrap_or_default() {
                *standing.entry(measure).or_default() += n;
            }
            if month > this - MONTHS {
                months.push(month_figures(&registry, month, &standing));
            }
        }
        let count = |measure: &str| standing.get(measure).copied().unwrap_or(0);
        let records = count(RECORDS);
        let rules = registry.rules.iter().map(|rule| {
            let here = match &rule.test {
                crate::model::Test::Reference { registry, .. } => self.registries().shelf().get(registry).is_some(),
                _ => true,
            };
            let figure = Figure {
                judged: records,
                failing: count(&of_rule(rule.id.as_str())),
            };
            (rule.id.clone(), here.then_some(figure))
        });
        Ok(Figures {
            at: now,
            records,
            dimensions: dimensions(&registry, &standing),
            rules: rules.collect(),
            doubts: DoubtFigures {
                received: count("doubts/received"),
                open: count("doubts/open"),
                overdue: self.overdue_doubts(code, now).await?,
                answered: count("doubts/answered"),
                in_time: count("doubts/in-time"),
                upheld: count("doubts/upheld"),
            },
            sample: self.newest_sample(code).await?,
            months,
            registry,
        })
    }

    /// The figures of all registries of this node, by code: public.
    ///
    /// # Errors
    /// The database failed.
    pub async fn all_figures(&self, now: Timestamp) -> Result<Vec<Figures>> {
        let mut all = Vec::new();
        for editions in self.registries().shelf().all() {
            all.push(self.figures(&editions.current().code, now).await?);
        }
        Ok(all)
    }
}

/// Of the sides of quality that some rule looks at.
fn dimensions(registry: &Registry, standing: &BTreeMap<String, i64>) -> Vec<(Dimension, Figure)> {
    let count = |measure: &str| standing.get(measure).copied().unwrap_or(0);
    let looked_at = |dimension: &Dimension| registry.rules.iter().any(|rule| rule.dimension == *dimension);
    let figure = |dimension: Dimension| Figure {
        judged: count(RECORDS),
        failing: count(&of_dimension(dimension.code())),
    };
    let all = Dimension::ALL.into_iter().filter(looked_at);
    all.map(|dimension| (dimension, figure(dimension))).collect()
}

fn month_figures(registry: &Registry, month: i64, standing: &BTreeMap<String, i64>) -> MonthFigures {
    MonthFigures {
        month: format!("{:04}-{:02}", month.div_euclid(12), month.rem_euclid(12) + 1),
        records: standing.get(RECORDS).copied().unwrap_or(0),
        dimensions: dimensions(registry, standing),
    }
}
