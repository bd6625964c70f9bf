//! How often values are met in a whole of which only a few records are compared.

use hashbrown::HashMap;

use crate::table::Records;

/// How often values are met, by column; a column that is not among them is counted in the records themselves.
///
/// In a whole that is still small nearly every value looks common. `assumed` records stand beside it, in which each value is as
/// frequent as the model takes equal values to be: where the whole has far fewer the model's u counts, where it has far more its own
/// counts do. The share of a value is `(times + assumed · u) / (total + assumed)`.
#[derive(Debug, Clone, Default)]
pub struct Frequencies {
    assumed: u32,
    columns: Vec<(String, Whole)>,
}

/// A column of the whole.
#[derive(Debug, Clone)]
pub(crate) struct Whole {
    /// Records with a value.
    pub total: u32,
    /// Of the values that are compared, how many records have them.
    pub times: HashMap<String, u32>,
}

impl Frequencies {
    /// Of no column yet.
    pub fn new(assumed: u32) -> Self {
        Self {
            assumed,
            columns: Vec::new(),
        }
    }

    /// Adds a column: how many records of the whole have a value in it, and how many have each of these. Of a value that is not among
    /// them nothing is known, and its weight stays as it is.
    pub fn add(&mut self, column: &str, total: u64, times: impl IntoIterator<Item = (String, u64)>) {
        let few = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        let times = times.into_iter().map(|(value, n)| (value, few(n))).collect();
        let total = few(total);
        self.columns.push((column.to_owned(), Whole { total, times }));
    }

    /// The records that stand beside the whole, and what is known of a column of these records.
    pub(crate) fn of(&self, records: &Records, column: usize) -> Option<(u32, &Whole)> {
        let of = |(name, _): &&(String, Whole)| records.column(name) == Some(column);
        self.columns.iter().find(of).map(|(_, whole)| (self.assumed, whole))
    }
}
