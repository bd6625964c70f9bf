//! What each level weighs, with the adjustment for common and rare values.

use crate::dictionary::Dictionary;
use crate::frequencies::Whole;
use crate::linker::Linker;
use crate::model::{Comparison, weight_of};
use crate::program::{Column, Store};

/// How often the values of a column are met.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted {
    /// The column whose values are counted.
    of: usize,
    /// The column with the count of each record's value.
    counts: usize,
    /// Records with a value.
    total: u32,
    /// Records beside these in which each value is as frequent as the model says; see [`crate::Frequencies`].
    assumed: u32,
}

impl Counted {
    /// Counts the values of a column, unless that was done already, or takes what is known of a whole.
    pub(crate) fn new(
        store: &mut Store,
        of: usize,
        texts: &Dictionary,
        given: Option<(u32, &Whole)>,
        known: &mut Vec<Self>,
    ) -> Self {
        if let Some(counted) = known.iter().find(|counted| counted.of == of) {
            return *counted;
        }
        let numbers = match store.columns.get(of) {
            Some(Column::Text(numbers)) => numbers.as_slice(),
            _ => &[],
        };
        let (counts, total): (Vec<u32>, u32) = match given {
            Some((_, whole)) => {
                let times = |number: &u32| whole.times.get(texts.get(*number)).copied().unwrap_or(0);
                (numbers.iter().map(times).collect(), whole.total)
            }
            None => in_these(numbers, texts.len()),
        };
        let counted = Self {
            of,
            counts: store.columns.len(),
            total,
            assumed: given.map_or(0, |(assumed, _)| assumed),
        };
        store.columns.push(Column::Count(counts));
        known.push(counted);
        counted
    }
}

/// How many of these records have the value of each, 0 where it has none, and how many have one. There are so many values at most.
fn in_these(numbers: &[u32], values: usize) -> (Vec<u32>, u32) {
    // Place 0 is that of "no value".
    let mut times = vec![0u32; values + 1];
    for number in numbers {
        if let Some(times) = times.get_mut(*number as usize) {
            *times += 1;
        }
    }
    let without = times.first_mut().map_or(0, std::mem::take);
    let count = |number: &u32| times.get(*number as usize).copied().unwrap_or(0);
    (numbers.iter().map(count).collect(), numbers.len() as u32 - without)
}

/// What each level weighs.
pub(crate) struct Weights<'a> {
    pub(crate) prior: f64,
    linker: &'a Linker,
    levels: Vec<Vec<(f64, Option<Adjustment>)>>,
}

/// What is added where a value is met so often.
struct Adjustment {
    counted: Counted,
    u: f64,
    weight: f64,
    minimum_u: f64,
    /// What is added for small counts, by count.
    known: Vec<f64>,
}

/// Counts whose adjustment is known beforehand: few values are more common.
const KNOWN: u32 = 1 << 12;

impl Adjustment {
    fn new(linker: &Linker, c: usize, level: usize) -> Option<Self> {
        let counted = (*linker.counted.get(c)?.get(level)?)?;
        let comparison: &Comparison = linker.model.comparisons.get(c)?;
        let tf = comparison.levels.get(level)?.term_frequency.as_ref()?;
        if tf.weight == 0.0 {
            return None;
        }
        let (_, u) = comparison.m_u(comparison.exact_level_for(level)?);
        let mut adjustment = Self {
            counted,
            u,
            weight: tf.weight,
            minimum_u: tf.minimum_u,
            known: Vec::new(),
        };
        // Of a whole only the values of a few records are asked for.
        let known = 0..=counted.total.min(KNOWN).min(linker.len() as u32);
        adjustment.known = known.map(|count| adjustment.computed(count)).collect();
        Some(adjustment)
    }

    fn computed(&self, count: u32) -> f64 {
        let assumed = f64::from(self.counted.assumed);
        let share = (f64::from(count) + assumed * self.u) / (f64::from(self.counted.total) + assumed);
        self.weight * (self.u.log2() - share.max(self.minimum_u).log2())
    }

    #[inline]
    fn of(&self, count: u32) -> f64 {
        let known = self.known.get(count as usize).copied();
        known.unwrap_or_else(|| self.computed(count))
    }
}

impl<'a> Weights<'a> {
    pub(crate) fn new(linker: &'a Linker) -> Self {
        let of_comparison = |(c, comparison): (usize, &Comparison)| {
            let of_level = |n: usize| (comparison.weight(n), Adjustment::new(linker, c, n));
            (0..comparison.levels.len()).map(of_level).collect()
        };
        Self {
            prior: weight_of(linker.model.prior),
            linker,
            levels: linker.model.comparisons.iter().enumerate().map(of_comparison).collect(),
        }
    }

    /// The weight of a level for a pair, adjusted.
    #[inline]
    pub(crate) fn of(&self, comparison: usize, level: usize, left: u32, right: u32) -> f64 {
        let (base, adjustment) = self.parts(comparison, level, left, right);
        base + adjustment
    }

    /// The weight of a level, and its adjustment for a pair.
    #[inline]
    pub(crate) fn parts(&self, comparison: usize, level: usize, left: u32, right: u32) -> (f64, f64) {
        match self.levels.get(comparison).and_then(|l| l.get(level)) {
            None => (0.0, 0.0),
            Some((weight, None)) => (*weight, 0.0),
            Some((weight, Some(adjustment))) => {
                let count = |row: u32| self.linker.store.number(row, adjustment.counted.counts);
                // A missing one is passed over; if both are, there is nothing to adjust.
                match count(left).max(count(right)) {
                    0 => (*weight, 0.0),
                    count => (*weight, adjustment.of(count)),
                }
            }
        }
    }

    /// The linker whose weights these are.
    pub(crate) fn linker(&self) -> &'a Linker {
        self.linker
    }
}
