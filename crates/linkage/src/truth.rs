//! How good a linkage is, where the truth is known.

use hashbrown::HashMap;

use crate::linker::Linker;
use crate::model::LinkType;

/// The truth about all records.
#[derive(Debug)]
pub struct Truth {
    person: Vec<Option<u32>>,
    pairs: u64,
}

/// Right and wrong pairs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Accuracy {
    /// Pairs of one person that were found.
    pub found: u64,
    /// Pairs of different persons that were found.
    pub wrong: u64,
    /// Pairs of one person.
    pub true_pairs: u64,
}

impl Truth {
    /// Reads the truth from a column: records with the same value are of the same person.
    pub fn new(linker: &Linker, column: &str) -> Self {
        let mut numbers: HashMap<&str, u32> = HashMap::new();
        let rows = 0..linker.len() as u32;
        let person: Vec<Option<u32>> = rows
            .map(|row| {
                let value = linker.value(row, column)?;
                let next = numbers.len() as u32;
                Some(*numbers.entry(value).or_insert(next))
            })
            .collect();
        let mut sizes: HashMap<(Option<u16>, u32), u64> = HashMap::new();
        for (row, person) in person.iter().enumerate() {
            if let Some(person) = person {
                *sizes.entry((None, *person)).or_default() += 1;
                if linker.model().link_type == LinkType::LinkOnly {
                    *sizes
                        .entry((Some(linker.source_number(row as u32)), *person))
                        .or_default() += 1;
                }
            }
        }
        let pairs = |within: bool| {
            let sizes = sizes.iter().filter(|((source, _), _)| source.is_some() == within);
            sizes.map(|(_, n)| n * (n - 1) / 2).sum::<u64>()
        };
        Self {
            pairs: pairs(false) - pairs(true),
            person,
        }
    }

    /// Whether two records are of one person.
    pub fn same(&self, left: u32, right: u32) -> bool {
        let person = |row: u32| self.person.get(row as usize).copied().flatten();
        person(left).is_some() && person(left) == person(right)
    }

    /// Right and wrong pairs beside all that are right.
    pub fn whole(&self, found: Accuracy) -> Accuracy {
        Accuracy {
            true_pairs: self.pairs,
            ..found
        }
    }
}

impl Accuracy {
    /// Counts a pair that was found.
    pub fn count(&mut self, right: bool) {
        if right {
            self.found += 1;
        } else {
            self.wrong += 1;
        }
    }

    /// Adds pairs found elsewhere.
    pub fn join(&mut self, other: Self) {
        self.found += other.found;
        self.wrong += other.wrong;
    }

    /// The share of found pairs that are right.
    pub fn precision(&self) -> f64 {
        self.found as f64 / (self.found + self.wrong).max(1) as f64
    }

    /// The share of right pairs that were found.
    pub fn recall(&self) -> f64 {
        self.found as f64 / self.true_pairs.max(1) as f64
    }

    /// The harmonic mean of both.
    pub fn f1(&self) -> f64 {
        2.0 * self.found as f64 / (self.found + self.wrong + self.true_pairs).max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accuracy_by_hand() {
        let accuracy = Accuracy {
            found: 8,
            wrong: 2,
            true_pairs: 16,
        };
        assert_eq!((accuracy.precision(), accuracy.recall()), (0.8, 0.5));
        assert!((accuracy.f1() - 16.0 / 26.0).abs() < 1e-15);
    }
}
