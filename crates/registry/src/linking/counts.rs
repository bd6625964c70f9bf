//! How often a value is met in a registry: a rare name that two records share says more than a common one.
//!
//! Counts are kept beside the feed of changes, and not asked of the index: the index would have to be walked over every record of the
//! name, a hundred thousand for the most common, each time two of them are compared. What a piece of 200 versions costs is one question
//! for what its records were counted as, one statement for each 256 rows that change, and one look by key for the values of each record
//! that is compared with others. In the database it is a row of 16 bytes for each record and one for each distinct value.
//!
//! A record is counted as what it says when it is looked at: with each change, not when something that was recorded before begins or
//! ends to hold.

use std::collections::{BTreeMap, BTreeSet};

use base::Result;
use linkage::Frequencies;
use store::{Tx, transact};
use uuid::Uuid;

use super::propose::Known;
use crate::{
    model::{Duplicates, Registry, RegistryCode},
    service::Registries,
    store::{
        pairs::turn,
        terms::{self as tables, Term},
    },
};

/// Records that are assumed to stand beside those of the registry, with values as frequent as the model says: below some ten thousand
/// records the model is believed, and above it the registry.
const ASSUMED: u32 = 10_000;

impl Registries {
    /// Counts records as what they say now; those that say nothing are counted no more.
    ///
    /// It is a transaction of its own before the values are asked for. A process that is broken off after it counts the same records
    /// again, as the same.
    pub(super) async fn count(
        &self,
        registry: &Registry,
        duplicates: &Duplicates,
        records: &[Uuid],
        known: &[Known],
    ) -> Result<()> {
        let terms = |known: &Known| -> BTreeSet<Term> {
            let said = duplicates.counted.iter();
            said.filter_map(|(_, field)| Some(Term::of(&registry.code, field, &known.says(field)?)))
                .collect()
        };
        let now: BTreeMap<Uuid, BTreeSet<Term>> = known.iter().map(|known| (known.id, terms(known))).collect();
        transact!(self.store(), |tx| {
            turn(&tx, &registry.code).await?;
            tables::count(&tx, records, &now).await
        })
    }

    /// How often the values are met that are compared.
    pub(super) async fn frequencies(
        &self,
        registry: &Registry,
        duplicates: &Duplicates,
        record: &Known,
        others: &[Known],
    ) -> Result<Frequencies> {
        let mut frequencies = Frequencies::new(ASSUMED);
        if others.is_empty() {
            return Ok(frequencies);
        }
        for (column, field) in &duplicates.counted {
            let said = [record].into_iter().chain(others).filter_map(|known| known.says(field));
            let said: BTreeSet<String> = said.collect();
            let term = |value: &String| Term::of(&registry.code, field, value);
            let all = Term::all(&registry.code, field);
            let asked = said.iter().map(term).chain([all.clone()]).collect();
            let times = tables::times(&self.store().read(), &asked).await?;
            let of = |term: &Term| times.get(term).copied().unwrap_or(0);
            // What nobody writes so is not rare for that: a row of a file may say without marks what records say with them.
            let met = said.iter().map(|value| (value.clone(), of(&term(value))));
            let met = met.filter(|(_, times)| *times > 0);
            frequencies.add(column, of(&all), met);
        }
        Ok(frequencies)
    }
}

/// An erased record is counted no more.
pub(crate) async fn forget(tx: &Tx, code: &RegistryCode, record: Uuid) -> Result<()> {
    turn(tx, code).await?;
    tables::count(tx, &[record], &BTreeMap::new()).await
}
