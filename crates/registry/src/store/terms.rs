//! How often values are met that a linkage counts.

use std::collections::{BTreeMap, BTreeSet};

use base::Result;
use sha2::{Digest, Sha256};
use store::{MOST_VALUES, Param, Read, Row, Tx, among, padded, params, sea_orm};
use uuid::Uuid;

use crate::model::{FieldPath, RegistryCode};

/// A value of a field, as it is counted: nobody reads the value out of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Term {
    slot: i64,
    value: Vec<u8>,
}

impl Term {
    /// A value of a field of a registry.
    pub fn of(code: &RegistryCode, field: &FieldPath, value: &str) -> Self {
        Self {
            slot: slot(code, field),
            value: Sha256::digest(value)[..16].to_vec(),
        }
    }

    /// All values of a field together.
    pub fn all(code: &RegistryCode, field: &FieldPath) -> Self {
        Self {
            slot: slot(code, field),
            value: Vec::new(),
        }
    }

    fn with_all_of_its_field(&self) -> [Self; 2] {
        let all = Self {
            slot: self.slot,
            value: Vec::new(),
        };
        [self.clone(), all]
    }
}

fn slot(code: &RegistryCode, field: &FieldPath) -> i64 {
    let mut first = [0; 8];
    first.copy_from_slice(&Sha256::digest(format!("term/{code}/{field}"))[..8]);
    i64::from_be_bytes(first) & i64::MAX
}

/// Counts records as what they say now in place of what they were counted as before; of one that is not in `now`, nothing any more.
/// Doing so twice changes nothing. Whoever counts holds the registry's turn ([`super::pairs::turn`]).
pub async fn count(tx: &Tx, records: &[Uuid], now: &BTreeMap<Uuid, BTreeSet<Term>>) -> Result<()> {
    let before = counted(tx, records).await?;
    let none = BTreeSet::new();
    let mut changes: BTreeMap<Term, i64> = BTreeMap::new();
    let mut rows = Vec::new();
    for record in records {
        let (old, new) = (before.get(record).unwrap_or(&none), now.get(record).unwrap_or(&none));
        for term in old.difference(new) {
            let sql = "DELETE FROM registry_counted WHERE record_id = $1 AND slot = $2";
            tx.exec(sql, params![*record, term.slot]).await?;
        }
        for term in new.difference(old) {
            rows.push(params![*record, term.slot, term.value]);
        }
        for (terms, n) in [(old.difference(new), -1), (new.difference(old), 1)] {
            for term in terms.flat_map(Term::with_all_of_its_field) {
                *changes.entry(term).or_default() += n;
            }
        }
    }
    tx.insert("registry_counted (record_id, slot, value)", &rows, "")
        .await?;
    add(tx, changes).await
}

/// Adds to counts; what is met no more is not kept.
async fn add(tx: &Tx, mut changes: BTreeMap<Term, i64>) -> Result<()> {
    changes.retain(|_, n| *n != 0);
    let rows: Vec<_> = changes
        .iter()
        .map(|(term, n)| params![term.slot, term.value, *n])
        .collect();
    let after = " ON CONFLICT (slot, value) DO UPDATE SET n = registry_term.n + excluded.n";
    tx.insert("registry_term (slot, value, n)", &rows, after).await?;
    for (term, _) in changes.iter().filter(|(_, n)| **n < 0) {
        let sql = "DELETE FROM registry_term WHERE slot = $1 AND value = $2 AND n <= 0";
        tx.exec(sql, params![term.slot, term.value]).await?;
    }
    Ok(())
}

/// As what records are counted.
async fn counted(db: &impl Read, records: &[Uuid]) -> Result<BTreeMap<Uuid, BTreeSet<Term>>> {
    #[derive(Row)]
    struct CountedRow {
        record_id: Uuid,
        slot: i64,
        value: Vec<u8>,
    }
    let mut counted: BTreeMap<Uuid, BTreeSet<Term>> = BTreeMap::new();
    for records in padded(records, MOST_VALUES) {
        let sql = format!(
            "SELECT record_id, slot, value FROM registry_counted WHERE record_id IN ({})",
            among(1, records.len())
        );
        let rows: Vec<CountedRow> = db.all(&sql, records.iter().map(Param::value).collect()).await?;
        for CountedRow { record_id, slot, value } in rows {
            counted.entry(record_id).or_default().insert(Term { slot, value });
        }
    }
    Ok(counted)
}

/// How often values of one field are met; those that are not are not among them.
pub async fn times(db: &impl Read, terms: &BTreeSet<Term>) -> Result<BTreeMap<Term, u64>> {
    #[derive(Row)]
    struct TermRow {
        value: Vec<u8>,
        n: i64,
    }
    let Some(slot) = terms.first().map(|term| term.slot) else {
        return Ok(BTreeMap::new());
    };
    let values: Vec<&[u8]> = terms.iter().map(|term| term.value.as_slice()).collect();
    let mut times = BTreeMap::new();
    for values in padded(&values, MOST_VALUES) {
        let sql = format!(
            "SELECT value, n FROM registry_term WHERE slot = $1 AND value IN ({})",
            among(2, values.len())
        );
        let mut asked = params![slot];
        asked.extend(values.iter().map(|value| value.to_vec().value()));
        let rows: Vec<TermRow> = db.all(&sql, asked).await?;
        let row = |TermRow { value, n }: TermRow| (Term { slot, value }, u64::try_from(n).unwrap_or(0));
        times.extend(rows.into_iter().map(row));
    }
    Ok(times)
}
