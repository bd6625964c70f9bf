//! After a new version of a folder: records are found by what it says now. In the background, piece by piece; what a new filter finds
//! counts as known from then on.

use base::{Result, Timestamp};
use store::{Read, Row, jobs::Job, jobs::Run, params, sea_orm, transact};
use uuid::Uuid;

use super::{Registries, jobs, write::found};
use crate::{
    model::RegistryCode,
    store::{
        STILL_KNOWN,
        write::{self as tables, Folded},
    },
};

/// Records of one transaction.
const PIECE: i64 = 200;

#[derive(Debug, Row)]
struct Known {
    record_id: Uuid,
}

impl Registries {
    /// Does one piece and orders the next; how many records it looked at.
    ///
    /// # Errors
    /// The database failed; doing it again does no harm.
    pub(super) async fn reindex(&self, run: &Run, code: &RegistryCode, after: Option<Uuid>) -> Result<()> {
        // Another process may have published it.
        self.shelf().refresh().await?;
        let editions = self.editions(code)?;
        let sql = "SELECT DISTINCT record_id FROM registry_segment WHERE registry = $1 AND record_id > $2 AND known_to = $3 \
                   ORDER BY record_id LIMIT $4";
        let values = params![code.as_str(), after.unwrap_or_default(), STILL_KNOWN, PIECE];
        let records: Vec<Known> = self.store().read().all(sql, values).await?;
        let Some(last) = records.last() else { return Ok(()) };
        transact!(self.store(), |tx| {
            let at = tables::turn(&tx, code, 1, run.now).await?;
            for Known { record_id } in &records {
                let versions = tables::versions(&tx, *record_id).await?;
                let old = tables::folded(&tx, code, *record_id).await?;
                let new = Folded {
                    found: found(&editions, &old.timeline, &versions, run.now)?,
                    timeline: old.timeline.clone(),
                };
                tables::change(&tx, code, *record_id, &old, &new, at).await?;
            }
            tx.enqueue(order(code, Some(last.record_id))?, run.now).await
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
