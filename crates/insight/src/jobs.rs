//! Keeping the figures: one job for each entry of a dossier's log, done many at a time.

use std::collections::BTreeMap;

use ::store::{jobs::Batch, transact};
use base::Result;
use dossier::model::action::DossierId;
use serde::Deserialize;

use crate::{model::Fact, service::Insight, store as tables};

#[derive(Debug, Deserialize)]
struct Changed {
    dossier: DossierId,
    seq: i64,
}

impl Insight {
    /// Brings the facts of dossiers that changed up to date and completes the jobs ([`dossier::service::CHANGED`]), in one
    /// transaction.
    ///
    /// # Errors
    /// The database failed, or another worker was faster.
    pub async fn follow_changes(&self, batch: &Batch) -> Result<()> {
        let facts = self.newer(batch.payloads()?).await?;
        transact!(self.store(), |tx| {
            tables::apply(&tx, &facts, |_| batch.now).await?;
            batch.done(&tx).await
        })
    }

    /// The facts of the dossiers that changed, once each. Jobs that were overtaken by a later entry, and dossiers that do not
    /// exist, have none: they only end.
    async fn newer(&self, changed: Vec<Changed>) -> Result<Vec<Fact>> {
        let mut wanted: BTreeMap<DossierId, i64> = BTreeMap::new();
        for Changed { dossier, seq } in changed {
            let last = wanted.entry(dossier).or_insert(seq);
            *last = seq.max(*last);
        }
        let ids: Vec<DossierId> = wanted.keys().copied().collect();
        for known in tables::seqs(&self.store().read(), &ids).await? {
            let id = DossierId::from_uuid(known.dossier_id);
            if wanted.get(&id).is_some_and(|seq| *seq <= known.seq) {
                wanted.remove(&id);
            }
        }
        let ids: Vec<DossierId> = wanted.into_keys().collect();
        let figures = self.dossiers().figures_of(&ids).await?;
        Ok(figures.iter().map(Fact::of).collect())
    }
}
