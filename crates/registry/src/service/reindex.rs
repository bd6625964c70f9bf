//! After a new version of a folder: records are found by what it says now. In the background, piece by piece; what a new filter finds
//! counts as known from then on.

use base::{Result, Timestamp};
use store::{
    jobs::{Job, Run},
    transact,
};
use uuid::Uuid;

use super::{Registries, jobs, write::fold};
use crate::{model::RegistryCode, quality, store::write as tables};

/// Records of one transaction.
const PIECE: i64 = 200;

impl Registries {
    /// Does one piece and orders the next; how many records it looked at.
    ///
    /// # Errors
    /// The database failed; doing it again does no harm.
    pub(super) async fn reindex(&self, run: &Run, code: &RegistryCode, after: Option<Uuid>) -> Result<()> {
        // Another process may have published it.
        self.shelf().refresh().await?;
        let editions = self.editions(code)?;
        let records = tables::known_after(&self.store().read(), code, after.unwrap_or_default(), PIECE).await?;
        let Some(last) = records.last() else {
            // By what a record is found is part of its quality.
            return transact!(self.store(), |tx| { quality::judge_anew(&tx, code, run.now).await });
        };
        transact!(self.store(), |tx| {
            let at = tables::turn(&tx, code, 1, run.now).await?;
            for record in &records {
                let versions = tables::versions(&tx, *record).await?;
                let old = tables::folded(&tx, code, *record).await?;
                let new = fold(&editions, &old.timeline(), &versions, run.now)?;
                tables::change(&tx, code, *record, &old, &new, at).await?;
            }
            tx.enqueue(order(code, Some(*last))?, run.now).await
        })
    }
}

/// The order to go on after a record.
pub(crate) fn order(code: &RegistryCode, after: Option<Uuid>) -> Result<Job> {
    let piece = jobs::Reindex {
        registry: code.clone(),
        after,
    };
    let job = Job::new(jobs::REINDEX, &piece)?.at(Timestamp::default());
    Ok(job.key(format!("{}/{code}/{}", jobs::REINDEX, after.unwrap_or_default())))
}
