//! Those who name records by their keys, while a merge or its undoing changes what stands behind the keys.

use std::collections::BTreeSet;

use base::{Result, Timestamp};
use store::Tx;
use uuid::Uuid;

use super::{judging::judge_those_tied, look::reference_tie, tables};
use crate::{
    model::{Registry, RegistryCode, Test},
    service::Registries,
    store::quality::Tie,
};

/// Whoever names records by their keys, held until the transaction ends: nobody is judged meanwhile by what is about to change.
pub(crate) struct Naming(BTreeSet<Tie>);

impl Naming {
    /// Who names the keys that records of a registry have or had, before anything else is written.
    pub(crate) async fn held(tx: &Tx, registries: &Registries, code: &RegistryCode, records: &[Uuid]) -> Result<Self> {
        Self::turns(tx, registries, code).await?;
        let keys = tables::keys(tx, code, records).await?;
        let keys = keys.values().flatten().map(|(key, _)| key.as_str());
        Ok(Self::tied(code, keys))
    }

    /// Who names these keys of a registry that may be kept elsewhere, before anything else is written.
    pub(crate) async fn of_keys<'a>(
        tx: &Tx,
        registries: &Registries,
        code: &RegistryCode,
        keys: impl Iterator<Item = &'a str> + Send,
    ) -> Result<Self> {
        Self::turns(tx, registries, code).await?;
        Ok(Self::tied(code, keys))
    }

    fn tied<'a>(code: &RegistryCode, keys: impl Iterator<Item = &'a str>) -> Self {
        Self(keys.map(|key| reference_tie(code, key)).collect())
    }

    /// Takes the turns of the registries whose rules name keys of a registry.
    async fn turns(tx: &Tx, registries: &Registries, code: &RegistryCode) -> Result<()> {
        let all = registries.shelf().all();
        let names = |registry: &Registry| {
            let mut tests = registry.rules.iter().map(|rule| &rule.test);
            tests.any(|test| matches!(test, Test::Reference { registry, .. } if registry == code))
        };
        let naming = all
            .iter()
            .map(|editions| editions.current())
            .filter(|registry| names(registry));
        // In one order, so that nobody waits for who waits.
        let naming: BTreeSet<RegistryCode> = naming.map(|registry| registry.code.clone()).collect();
        for other in &naming {
            tables::turn(tx, other).await?;
        }
        Ok(())
    }

    /// They are judged again.
    pub(crate) async fn judge_again(self, tx: &Tx, now: Timestamp) -> Result<()> {
        judge_those_tied(tx, self.0.into_iter(), now).await
    }
}
