//! Where a merged record went: the key of the record that stayed, for whoever still names the other.

use std::collections::BTreeMap;

use base::{Result, Timestamp};
use identity::Ctx;
use store::Read;
use uuid::Uuid;

use crate::{
    history::Moment,
    model::{Registry, RegistryCode},
    service::{Mask, Purpose, Registries, Told},
    store::{
        NOW, index,
        pairs::{self as tables},
        read::{self, At},
    },
};

/// Merges that are followed one after the other: A went into B, B into C.
pub(super) const MOST_STEPS: usize = 16;

impl Registries {
    /// Of these keys of a registry those whose record a merge has ended and that nobody has now, each with the record that stayed.
    pub(crate) async fn moved(
        &self,
        db: &impl Read,
        registry: &Registry,
        keys: &[&str],
        now: Timestamp,
    ) -> Result<BTreeMap<String, Uuid>> {
        let mut moved = BTreeMap::new();
        if keys.is_empty() || !tables::any_merged(db, &registry.code).await? {
            return Ok(moved);
        }
        let slot = index::slot(&registry.code, None);
        let found = read::by_keys_ever(db, slot, keys).await?;
        let records: Vec<Uuid> = found.iter().map(|place| place.record_id).collect();
        let ended = tables::merged_into(db, &records).await?;
        let at = At {
            valid: Moment::of(now, registry.valid_time),
            known: NOW,
        };
        for place in found {
            let Some(stayed) = ended.get(&place.record_id) else {
                continue;
            };
            let key = String::from_utf8_lossy(&place.value).into_owned();
            if read::by_key(db, slot, &key, at).await?.is_none() {
                moved.insert(key, last(db, *stayed).await?);
            }
        }
        Ok(moved)
    }

    /// The key of the record that stands in the place of one that has a key no more; none where no merge ended it. Whom that record is
    /// about is told that its key was shown.
    pub(crate) async fn key_in_place(
        &self,
        ctx: &Ctx,
        purpose: &Purpose,
        code: &RegistryCode,
        key: &str,
    ) -> Result<Option<String>> {
        let editions = self.editions(code)?;
        let registry = editions.current();
        let db = self.store().read();
        let stayed = match key.parse::<Uuid>() {
            Ok(record) => match tables::merged_into(&db, &[record]).await?.remove(&record) {
                Some(stayed) => Some(last(&db, stayed).await?),
                None => None,
            },
            Err(_) => self.moved(&db, &registry, &[key], ctx.now).await?.remove(key),
        };
        let Some(stayed) = stayed else { return Ok(None) };
        let at = At {
            valid: Moment::of(ctx.now, registry.valid_time),
            known: NOW,
        };
        let Some(view) = self.speaking(ctx, &editions, &[stayed], at).await?.pop() else {
            return Ok(None);
        };
        let mask = Mask::of(registry.key.clone());
        self.log(ctx, purpose, &registry, [&view.body], &mask, Told::Nobody)
            .await?;
        Ok(Some(view.key))
    }
}

/// The record in which a row of merges ends.
async fn last(db: &impl Read, record: Uuid) -> Result<Uuid> {
    let mut at = record;
    for _ in 0..MOST_STEPS {
        match tables::merged_into(db, &[at]).await?.remove(&at) {
            Some(next) => at = next,
            None => break,
        }
    }
    Ok(at)
}
