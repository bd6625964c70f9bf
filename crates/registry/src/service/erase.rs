//! Erasing personal data where the law says so. That there was a record, when and by whom it was written, stays; what it said is
//! gone: from the versions, from everything that finds it, and from the transparency log, which still verifies.

use base::{Error, Kind, Result, Timestamp};
use identity::{Ctx, Permission};
use serde_json::Value;
use store::transact;
use uuid::Uuid;

use super::{
    Provenance, Registries, Seen, Written,
    allocate::drawn_slots,
    write::{changed, complete, unchanged, version},
};
use crate::{
    linking,
    model::{ChangeKind, RegistryCode},
    quality,
    question::store as answers,
    store::{VersionRow, index, orders, pseudonyms, write as tables},
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
            // First, as whoever merges records takes the turns in this order.
            linking::forget(&tx, code, record).await?;
            let at = tables::turn(&tx, code, 1, ctx.now).await?;
            unchanged(&tx, code, record, seen.seq).await?;
            let said = (ChangeKind::Erase, None, None);
            let new = version(ctx, &registry, record, seen.seq + 1, at, said, None, &provenance);
            let ever = tables::ever(&tx, code, record).await?;
            orders::erase(&tx, record, &drawn_slots(&registry), &ever).await?;
            let versions = tables::versions(&tx, record).await?;
            pseudonyms::forget(&tx, code, &ever_said(record, &versions)?).await?;
            let keys = ever.of(index::slot(code, None));
            let keys: Vec<String> = keys.map(|key| String::from_utf8_lossy(key).into_owned()).collect();
            answers::forget(&tx, code, &keys).await?;
            tables::erase(&tx, code, record, &ever).await?;
            quality::forget(&tx, record, ctx.now).await?;
            tables::add(&tx, code, vec![new]).await?;
            tx.enqueue_all(&changed(code)?, ctx.now).await?;
            Ok(Written {
                record: seen.record,
                seq: seen.seq + 1,
                recorded_at: Timestamp::from_micros(at),
                noted: Vec::new(),
            })
        })
    }
}

/// Everything for which a pseudonym of the record may stand: its id, and each text that it ever said. What other records say too is
/// forgotten with it; clients get the same pseudonym again with the next answer that has it.
fn ever_said(record: Uuid, versions: &[VersionRow]) -> Result<Vec<String>> {
    fn texts(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::String(text) => found.push(text.clone()),
            Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
            Value::Object(members) => members.values().for_each(|member| texts(member, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let mut found = vec![record.to_string()];
    for body in versions.iter().filter_map(|version| version.body.as_deref()) {
        texts(&serde_json::from_str(body)?, &mut found);
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}
