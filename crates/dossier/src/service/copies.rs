//! Copies of dossiers in great number: filling a large database through the use cases would take longer than measuring it.

use base::{Error, Result, Timestamp};
use futures::future::try_join_all;
use store::transact;

use super::{Dossiers, handling::no_dossier};
use crate::{
    model::action::{DossierId, new_dossier_id},
    store as tables,
};

impl Dossiers {
    /// Makes `count` copies of a dossier, at most 256, with codes of their own and neither jobs nor documents. For commands
    /// that fill a database for measuring.
    ///
    /// # Errors
    /// There is no such dossier; the database failed.
    pub async fn copy_for_measuring(&self, id: DossierId, count: usize, now: Timestamp) -> Result<()> {
        let kept = tables::by_id(&self.store().read(), id).await?.ok_or_else(no_dossier)?;
        let package = self.shelf().by_hash(&kept.package).await?;
        let agency = self.deciding_agency(&package)?;
        let (pattern, today) = (&self.config().code_pattern, now.legal_date());
        let scope = pattern.sequence_key(&agency, today);
        let numbers = try_join_all((0..count.min(256)).map(|_| self.store().next_number(&scope))).await?;
        let copy = |number: &i64| {
            let code = pattern.render(&agency, today, number.unsigned_abs());
            let code = code.map_err(|e| Error::internal(e.to_string()))?;
            Ok((new_dossier_id(now), code.to_string()))
        };
        let copies = numbers.iter().map(copy).collect::<Result<Vec<_>>>()?;
        transact!(self.store(), |tx| {
            tables::copies::insert(&tx, id, &kept.state.code, &copies).await
        })
    }
}
