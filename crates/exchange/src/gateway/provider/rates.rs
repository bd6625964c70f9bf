//! How often each grant was used.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
};

use base::Timestamp;

use crate::model::{
    hosting::Hosting,
    rights::{Bucket, Grant, GrantId},
};

/// A bucket for each grant with a rate. There are never more than twice as many as there are grants.
#[derive(Default)]
pub(in super::super) struct Rates(Mutex<HashMap<GrantId, Bucket>>);

impl Rates {
    /// Takes one call of a grant, or says for how many microseconds to wait.
    pub fn take(&self, grant: &Grant, hosting: &Hosting, now: Timestamp) -> Result<(), u64> {
        let Some(rate) = &grant.rate else { return Ok(()) };
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !buckets.contains_key(&grant.id) {
            let grants: usize = hosting.grants.values().map(Vec::len).sum();
            if buckets.len() >= 2 * grants {
                let known: HashSet<GrantId> = hosting.grants.values().flatten().map(|grant| grant.id).collect();
                buckets.retain(|id, _| known.contains(id));
            }
        }
        buckets
            .entry(grant.id)
            .or_insert_with(|| Bucket::full(rate, now))
            .take(rate, now)
    }
}
