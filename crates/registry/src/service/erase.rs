//! Erasing personal data where the law says so. That there was a record, when and by whom it was written, stays; what it said is
//! gone: from the versions, from everything that finds it, and from the transparency log, which still verifies.

use base::{Error, Kind, Result, Timestamp};
use identity::{Ctx, Permission};
use store::transact;

use super::{
    Provenance, Registries, Seen, Written,
    write::{changed, complete, unchanged, version},
};
use crate::{
    model::{ChangeKind, RegistryCode},
    quality,
    store::write as tables,
};

impl Registries {
    /// Erases what a record says and said. It cannot be taken back.
    ///
    /// # Errors
    /// `Invalid` without a legal basis of its own; `Forbidden` for who is no steward of the registry's agency; `Conflict` when
    /// somebody else was faster or it is erased already; `NotFound`.
    pub async fn erase(&self, ctx: &Ctx, code: &RegistryCode, seen: Seen, provenance: &Provenance) -> Result<Written> {
        let (_, registry) = self.open(ctx, code, Permission::KeepRegistry)?;
        if provenance.basis.trim().is_empty() {
            let mut problems = base::Problems::new();
            problems.add(
                "required",
                "basis",
                "Nêu điều luật cho phép xóa dữ liệu này.",
                "Name the law that says that these data are to be erased.",
            );
            return Err(Error::Refused(Kind::Invalid, problems));
        }
        let provenance = complete(provenance, &registry)?;
        let record = seen.record.uuid();
        transact!(self.store(), |tx| {
            let at = tables::turn(&tx, code, 1, ctx.now).await?;
            unchanged(&tx, code, record, seen.seq).await?;
            let said = (ChangeKind::Erase, None, None);
            let new = version(ctx, &registry, record, seen.seq + 1, at, said, None, &provenance);
            tables::erase(&tx, code, record).await?;
            quality::forget(&tx, record).await?;
            tables::add(&tx, code, std::slice::from_ref(&new)).await?;
            tx.enqueue_all(&changed(code)?, ctx.now).await?;
            Ok(Written {
                record: seen.record,
                seq: new.seq,
                recorded_at: Timestamp::from_micros(at),
                noted: Vec::new(),
            })
        })
    }
}
